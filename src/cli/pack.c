/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove pack: an enclave image whose measurement is that of the application: runtime, native code
 * and manifest.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "cli/enclave.h"
#include "cli/native_file.h"
#include "cli/program.h"
#include "sgx_arch/payload.h"

struct request {
    struct run_options run; /* what the manifest is made of */
    const char *output_path;
    bool is_complete;
};

static void add_mount(struct run_options *run, const char *guest_path, uint32_t flags)
{
    run->mounts[run->mounts_count++] = (struct run_mount){.guest_path = guest_path, .flags = flags};
}

static void apply_option(const struct cli_arguments *arguments, struct request *request,
                         enum cli_option option, const char *value)
{
    struct run_options *run = &request->run;
    if (option == CLI_OPTION_pack_output) {
        request->output_path = value;
    } else if (option == CLI_OPTION_pack_dir || option == CLI_OPTION_pack_read_only_dir) {
        add_mount(run, value, option == CLI_OPTION_pack_read_only_dir ? ALC_MOUNT_READ_ONLY : 0);
    } else if (option == CLI_OPTION_pack_env) {
        run_options_add_variable(arguments, run, value);
    } else if (option == CLI_OPTION_pack_listen) {
        run->sockets_count = (size_t)cli_parse_number(arguments, value, ALC_LIMIT_WASI_DESCRIPTORS);
    } else if (option == CLI_OPTION_pack_fuel) {
        run->limits.fuel = cli_parse_number(arguments, value, INT64_MAX);
    } else if (option == CLI_OPTION_pack_timeout) {
        run->limits.timeout_ns = cli_parse_duration_ns(arguments, value);
    } else if (option == CLI_OPTION_pack_max_memory) {
        run->limits.memory_size = cli_parse_size(arguments, value);
    } else if (option == CLI_OPTION_pack_complete) {
        request->is_complete = true;
    } else {
        run->is_vouched = true;
    }
}

static void parse(struct cli_arguments *arguments, struct request *out)
{
    size_t words = (size_t)arguments->argc; /* no option can be given more often */
    const char *value;
    int option;
    *out = (struct request){.run = {.mounts = cli_allocate(words * sizeof(struct run_mount)),
                                    .environment = cli_allocate(words * sizeof(char *))}};
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        apply_option(arguments, out, (enum cli_option)option, value);
    }
    if (arguments->next == arguments->argc) {
        cli_usage_error(arguments, "which native image?");
    }
    if (out->output_path == NULL) {
        cli_usage_error(arguments, "--output is missing");
    }
    out->run.arguments = arguments->argv + arguments->next;
    out->run.arguments_count = (size_t)(arguments->argc - arguments->next);
    out->run.module_path = out->run.arguments[0];
}

/* Header, manifest and program behind each other. */
static struct cli_file make_payload(const struct request *request,
                                    const struct cli_program *program)
{
    struct cli_file manifest = cli_manifest_encode(&request->run, program);
    struct alc_payload_header header = {manifest.size, program->granted.size};
    size_t offset = alc_payload_program_offset(manifest.size);
    size_t size = offset + program->granted.size;
    uint8_t *bytes = cli_allocate(size);
    alc_fill(bytes, 0, offset);
    alc_copy(bytes, &header, sizeof header);
    alc_copy(bytes + sizeof header, manifest.bytes, manifest.size);
    alc_copy(bytes + offset, program->granted.bytes, program->granted.size);
    return (struct cli_file){bytes, size};
}

int cli_pack(struct cli_arguments *arguments)
{
    struct request request;
    struct cli_program program;
    struct cli_image runtime;
    struct alc_image packed;
    struct alc_error error;
    uint8_t mrenclave[ALC_SGX_HASH_SIZE];
    uint8_t *bytes;
    size_t size;
    parse(arguments, &request);
    cli_program_open(&request.run, &program);
    if (!program.is_native || program.is_packed) {
        cli_usage_error(arguments, "%s is no native image (alcove compile makes one)",
                        request.run.module_path);
    }
    if (program.image.shape != ALC_NATIVE_CONFINED && !request.run.is_vouched) {
        cli_die(CLI_REFUSED, "%s: %s (--vouch)", request.run.module_path,
                alc_status_text(ALC_E_NATIVE_NOT_VOUCHED));
    }
    struct cli_file payload = make_payload(&request, &program);
    const struct cli_image_kind kind = {.is_native = true, .is_complete = request.is_complete};
    cli_image_open(NULL, NULL, kind, &runtime);
    alc_error_clear(&error);
    if (alc_image_pack(&runtime.parsed, payload.bytes, payload.size, &bytes, &size, &error) !=
            ALC_OK ||
        alc_image_parse(bytes, size, &packed, &error) != ALC_OK) {
        return cli_report_error(request.run.module_path, &error);
    }
    cli_write_file_whole(request.output_path, bytes, size, 0644);
    alc_image_measure(&packed, mrenclave);
    printf("%s: mrenclave ", request.output_path);
    cli_print_hex(stdout, mrenclave, sizeof mrenclave);
    printf("\n");
    free(bytes);
    return CLI_OK;
}
