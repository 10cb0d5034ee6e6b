/* SPDX-License-Identifier: Apache-2.0
 *
 * Chooses how a program's code runs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/native_file.h"
#include "cli/program.h"
#include "native/image_format.h"
#include "sgx/image.h"
#include "sgx_arch/payload.h"

static struct cli_native_wish wish_of(const struct run_options *options)
{
    struct cli_native_wish wish = {0};
    if (options->limits.fuel != 0) {
        wish.options |= ALC_NATIVE_METERED;
    }
    if (options->limits.timeout_ns != 0) {
        wish.options |= ALC_NATIVE_INTERRUPTIBLE;
    }
    return wish;
}

/* Takes the file as an image; ends the process when it is none. */
static void open_image(const char *path, const struct cli_file *file, struct cli_program *out)
{
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_native_image_read(file->bytes, file->size, &out->image, &error) != ALC_OK) {
        exit(cli_report_error(path, &error));
    }
    out->is_native = true;
    out->granted = *file;
    out->module = (struct cli_file){out->image.module, out->image.module_size};
}

static bool find_native(const struct run_options *options, const struct cli_file *module,
                        struct cli_file *out)
{
    struct cli_native_wish wish = wish_of(options);
    if (options->code == RUN_CODE_COMPILE) {
        *out = cli_native_make(options->module_path, module, &wish);
        return true;
    }
    /* What is kept carries no voucher. And code is part of the key of sealed files: whether some is
     * kept here must not decide which files the program finds. */
    bool may_look =
        options->owner_path == NULL && (!options->has_sealed || !run_tee_is_enclave(options->tee));
    return options->code == RUN_CODE_AUTO && may_look && cli_native_find(module, &wish, out);
}

/* -- packed images -- */

static ALC_NORETURN void die_at(const struct run_options *options, const char *text)
{
    cli_die(CLI_USAGE, "%s: %s", options->module_path, text);
}

static struct run_mount *find_mount(const struct run_options *options, struct alc_string guest_path)
{
    for (size_t i = 0; i < options->mounts_count; i++) {
        const char *path = options->mounts[i].guest_path;
        if (strlen(path) == guest_path.size && alc_equal(path, guest_path.bytes, guest_path.size)) {
            return &options->mounts[i];
        }
    }
    cli_die(CLI_USAGE, "%s: give it the directory %.*s (--dir HOST::%.*s)", options->module_path,
            (int)guest_path.size, (const char *)guest_path.bytes, (int)guest_path.size,
            (const char *)guest_path.bytes);
}

/* What the host grants, in the manifest's order. */
static void follow_manifest(struct run_options *options, const struct alc_manifest *manifest)
{
    struct run_mount *mounts = cli_allocate(manifest->mounts_count * sizeof *mounts);
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        mounts[i] = *find_mount(options, manifest->mounts[i].guest_path);
        mounts[i].flags = manifest->mounts[i].flags;
    }
    if (options->mounts_count != manifest->mounts_count) {
        die_at(options, "has no directory for every --dir");
    }
    if (options->sockets_count != manifest->sockets_count) {
        die_at(options, "has another number of listening sockets");
    }
    if (options->arguments_count > 1 || options->environment_count != 0 ||
        options->limits.fuel != 0 || options->limits.timeout_ns != 0 ||
        options->limits.memory_size != 0 || options->is_vouched || options->owner_path != NULL) {
        die_at(options, "its arguments, environment and limits are measured and cannot be given");
    }
    free(options->mounts);
    options->mounts = mounts;
    options->limits = manifest->limits;
}

static void decode_manifest(struct run_options *options, const struct alc_payload *payload)
{
    enum { ARENA_SIZE = 1 << 20 };
    struct alc_manifest manifest;
    struct alc_arena arena;
    struct alc_error error;
    uint8_t *memory = cli_allocate(ARENA_SIZE);
    alc_arena_init(&arena, memory, ARENA_SIZE);
    alc_error_clear(&error);
    if (alc_manifest_decode_native(&arena, payload->manifest, payload->manifest_size, &manifest,
                                   &error) != ALC_OK) {
        exit(cli_report_error(options->module_path, &error));
    }
    follow_manifest(options, &manifest);
    free(memory);
}

static void open_packed(struct run_options *options, const struct cli_file *file,
                        struct cli_program *out)
{
    struct alc_image image;
    struct alc_payload payload;
    struct alc_error error;
    uint8_t *bytes = NULL;
    size_t size = 0;
    alc_error_clear(&error);
    if (alc_image_parse(file->bytes, file->size, &image, &error) != ALC_OK ||
        alc_image_copy_payload(&image, &bytes, &size, &error) != ALC_OK) {
        exit(cli_report_error(options->module_path, &error));
    }
    if (bytes == NULL || !alc_payload_read(bytes, size, &payload)) {
        die_at(options, "an enclave image without a program in it");
    }
    if (options->image_path != NULL || options->code != RUN_CODE_AUTO) {
        die_at(options, "is an image itself: no --image, --compile or --interpret");
    }
    if (run_tee_is_enclave(options->tee) && options->signature_path == NULL) {
        die_at(options, "needs --signature");
    }
    decode_manifest(options, &payload);
    struct cli_file program = {payload.program, payload.program_size};
    open_image(options->module_path, &program, out);
    out->is_packed = true;
    out->manifest = (struct cli_file){payload.manifest, payload.manifest_size};
    options->image_path = options->module_path;
}

void cli_program_open(struct run_options *options, struct cli_program *out)
{
    struct cli_file file = cli_read_file(options->module_path);
    struct cli_file native;
    *out = (struct cli_program){.module = file, .granted = file};
    if (file.size >= 8 && alc_equal(file.bytes, "ECREATE", 8)) {
        open_packed(options, &file, out);
    } else if (alc_native_image_is(file.bytes, file.size)) {
        open_image(options->module_path, &file, out);
    } else if (find_native(options, &file, &native)) {
        open_image(options->module_path, &native, out);
    }
    /* Nobody asked for what would not run. */
    bool is_refused = out->is_native && out->image.shape != ALC_NATIVE_CONFINED &&
                      !options->is_vouched && options->code == RUN_CODE_AUTO &&
                      out->granted.bytes != file.bytes && !out->is_packed;
    if (is_refused || (out->is_native && options->code == RUN_CODE_INTERPRET)) {
        out->is_native = false;
        out->granted = out->module;
    }
}
