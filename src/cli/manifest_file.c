/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest of what the command line asks for.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/complete.h"
#include "cli/program.h"

static struct alc_string string_of(const char *text)
{
    return (struct alc_string){(const uint8_t *)text, strlen(text)};
}

static struct alc_string *strings_of(char *const *words, size_t count)
{
    struct alc_string *strings = cli_allocate(count * sizeof *strings);
    for (size_t i = 0; i < count; i++) {
        strings[i] = string_of(words[i]);
    }
    return strings;
}

struct cli_file cli_manifest_encode(const struct run_options *options,
                                    const struct cli_program *program)
{
    struct alc_mount *mounts = cli_allocate(options->mounts_count * sizeof *mounts);
    for (size_t i = 0; i < options->mounts_count; i++) {
        mounts[i] =
            (struct alc_mount){string_of(options->mounts[i].guest_path), options->mounts[i].flags};
    }
    struct alc_manifest manifest = {
        .arguments = strings_of(options->arguments, options->arguments_count),
        .arguments_count = options->arguments_count,
        .environment = strings_of(options->environment, options->environment_count),
        .environment_count = options->environment_count,
        .mounts = mounts,
        .mounts_count = options->mounts_count,
        .sockets_count = (uint32_t)options->sockets_count,
        .limits = options->limits,
    };
    size_t size;
    if (options->has_services) {
        cli_complete_need("services")->add_settings(options, &manifest);
    }
    if (program->is_native) {
        manifest.has_native = true;
        manifest.native_flags = options->is_vouched ? ALC_NATIVE_VOUCHED : 0;
        if (options->owner_path != NULL) {
            manifest.native_flags = ALC_NATIVE_VOUCHED_BY_KEY;
            cli_complete_need("vouchers")
                ->name_key(options->owner_path, manifest.voucher_key_sha256);
        }
        alc_copy(manifest.native_sha256, program->image.native_sha256, ALC_SHA256_SIZE);
    }
    if (EVP_Digest(program->module.bytes, program->module.size, manifest.module_sha256, NULL,
                   EVP_sha256(), NULL) != 1) {
        cli_die(CLI_FAILED, "the module cannot be hashed");
    }
    (void)!alc_manifest_encode(&manifest, NULL, 0, &size);
    uint8_t *bytes = cli_allocate(size);
    if (alc_manifest_encode(&manifest, bytes, size, &size) != ALC_OK) {
        cli_die(CLI_USAGE, "arguments, environment and directories are too much for a manifest");
    }
    free(manifest.arguments);
    free(manifest.environment);
    free(mounts);
    return (struct cli_file){bytes, size};
}
