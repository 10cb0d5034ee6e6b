/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules through the compiler and its file.
 */
#include "diff/diff_native.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "compiler/compiler.h"
#include "native/image_format.h"
#include "native_exec/native_exec.h"
#include "native_linux/native_linux.h"

static alc_status make_executable(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_EXEC) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

bool diff_native_choose(struct alc_store_options *options)
{
    options->executor = &alc_native_executor;
    options->pages.native = alc_native_linux_support();
    options->pages.execute = make_executable;
    return options->pages.native != NULL;
}

/* The file of the compiled module, in `arena`. */
static alc_status compile(struct alc_arena *arena, const struct alc_module *module, uint32_t flags,
                          struct alc_native_image *out, struct alc_error *error)
{
    const struct alc_compile_options options = {
        .level = ALC_COMPILE_LEVEL_DEFAULT, .threads = 1, .options = flags};
    struct alc_compiled compiled;
    ALC_TRY(alc_compile(module, &options, &compiled, error));
    uint64_t size = alc_native_image_file_size(&compiled.image);
    uint8_t *file = alc_arena_take(arena, size, 8);
    alc_status status = file == NULL ? alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET)
                                     : alc_native_image_write(&compiled.image, file, size, error);
    alc_compiled_free(&compiled);
    return status != ALC_OK ? status : alc_native_image_read(file, size, out, error);
}

alc_status diff_native_load(struct alc_store *store, struct alc_arena *arena, const uint8_t *bytes,
                            size_t size, const struct alc_load_options *options, bool metered,
                            bool interruptible, struct alc_module **out, struct alc_error *error)
{
    const struct alc_load_options validating = {.features = options->features};
    const struct alc_native_load_options vouched = {.features = options->features,
                                                    .is_vouched = true};
    uint32_t flags = (metered ? (uint32_t)ALC_NATIVE_METERED : 0) |
                     (interruptible ? (uint32_t)ALC_NATIVE_INTERRUPTIBLE : 0);
    struct alc_module *module;
    struct alc_native_image image;
    ALC_TRY(alc_module_load(arena, bytes, size, &validating, &module, error));
    ALC_TRY(compile(arena, module, flags, &image, error));
    return alc_native_load(store, arena, &image, &vouched, out, error);
}
