/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove vouch: puts the owner's signed word into a native image.
 */
#include <stdlib.h>

#include "cli/complete.h"
#include "cli/module_file.h"
#include "cli/native_file.h"
#include "native/image_format.h"

struct request {
    const char *key_path;
    bool is_new;
    const char *output_path;
    struct alc_workload_limits limits;
};

static void apply_option(const struct cli_arguments *arguments, struct request *request,
                         enum cli_option option, const char *value)
{
    if (option == CLI_OPTION_vouch_key || option == CLI_OPTION_vouch_new_key) {
        if (request->key_path != NULL) {
            cli_usage_error(arguments, "one of --key and --new-key");
        }
        request->key_path = value;
        request->is_new = option == CLI_OPTION_vouch_new_key;
    } else if (option == CLI_OPTION_vouch_output) {
        request->output_path = value;
    } else if (option == CLI_OPTION_vouch_fuel) {
        request->limits.fuel = cli_parse_number(arguments, value, INT64_MAX);
    } else if (option == CLI_OPTION_vouch_timeout) {
        request->limits.timeout_ns = cli_parse_duration_ns(arguments, value);
    } else {
        request->limits.memory_size = cli_parse_size(arguments, value);
    }
}

/* Writes the image with the voucher in it. */
static int write_vouched(const struct request *request, const char *image_path,
                         struct alc_native_image *image, const struct alc_module *module)
{
    struct alc_error error;
    alc_error_clear(&error);
    struct cli_file voucher =
        cli_complete_need("vouchers")->sign(request->key_path, image, module, &request->limits);
    image->voucher = voucher.bytes;
    image->voucher_size = (uint32_t)voucher.size;
    uint64_t size = alc_native_image_file_size(image);
    void *bytes = cli_allocate(size);
    int exit_code = CLI_OK;
    if (alc_native_image_write(image, bytes, size, &error) != ALC_OK) {
        exit_code = cli_report_error(image_path, &error);
    } else {
        cli_write_file_whole(request->output_path != NULL ? request->output_path : image_path,
                             bytes, size, 0644);
    }
    free(bytes);
    free((void *)(uintptr_t)voucher.bytes);
    return exit_code;
}

int cli_vouch(struct cli_arguments *arguments)
{
    struct request request = {0};
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        apply_option(arguments, &request, (enum cli_option)option, value);
    }
    const char *image_path = cli_only_operand(arguments, "native image");
    if (request.key_path == NULL) {
        cli_usage_error(arguments, "--key or --new-key is missing");
    }
    struct cli_file file = cli_read_file(image_path);
    struct alc_native_image image;
    struct cli_module module;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_native_image_read(file.bytes, file.size, &image, &error) != ALC_OK) {
        return cli_report_error(image_path, &error);
    }
    if (cli_module_open(&module, image.module, image.module_size, 0) != ALC_OK) {
        return cli_report_error(image_path, &module.error);
    }
    if (request.is_new) {
        cli_complete_need("vouchers")->make_key(request.key_path);
    }
    int exit_code = write_vouched(&request, image_path, &image, module.module);
    cli_module_close(&module);
    cli_unmap(&file);
    return exit_code;
}
