/* SPDX-License-Identifier: Apache-2.0
 *
 * What exec_fixture.h needs of an engine: here native code, compiled as the test loads it.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include <signal.h>

#include "compiler/compiler.h"
#include "native/image_format.h"
#include "native_exec/native_exec.h"
#include "native_linux/native_linux.h"

enum { ENGINE_IS_NATIVE = true };

/* In place of the library's: cmocka would take the signals that are traps of compiled code. */
void (*signal(int number, void (*handler)(int)))(int)
{
    (void)number;
    (void)handler;
    return SIG_DFL;
}

static inline alc_status engine_execute(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_EXEC) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

/* Skips the test where the kernel or the processor lacks what native code needs. */
static inline void engine_choose(struct alc_store_options *options)
{
    options->executor = &alc_native_executor;
    options->pages.native = alc_native_linux_support();
    options->pages.execute = engine_execute;
    if (options->pages.native == NULL) {
        skip();
    }
}

static inline void engine_stop(struct alc_store *store)
{
    alc_native_stop(store->thread.native);
}

static inline alc_status engine_load(struct alc_store *store, struct alc_arena *arena,
                                     const void *bytes, size_t size, bool metered,
                                     bool interruptible, struct alc_module **out,
                                     struct alc_error *error)
{
    static const struct alc_load_options validating = {.features = ALC_FEATURES_ALL};
    static const struct alc_native_load_options vouched = {.features = ALC_FEATURES_ALL,
                                                           .is_vouched = true};
    struct alc_compile_options options = {.level = ALC_COMPILE_LEVEL_DEFAULT, .threads = 1};
    struct alc_native_image image;
    struct alc_compiled compiled;
    struct alc_module *validated;
    options.options |= metered ? ALC_NATIVE_METERED : 0;
    options.options |= interruptible ? ALC_NATIVE_INTERRUPTIBLE : 0;
    ALC_TRY(alc_module_load(arena, bytes, size, &validating, &validated, error));
    ALC_TRY(alc_compile(validated, &options, &compiled, error));
    uint64_t file_size = alc_native_image_file_size(&compiled.image);
    uint8_t *file = alc_arena_take(arena, file_size, 8);
    assert_non_null(file);
    alc_status status = alc_native_image_write(&compiled.image, file, file_size, error);
    alc_compiled_free(&compiled);
    ALC_TRY(status);
    ALC_TRY(alc_native_image_read(file, file_size, &image, error));
    return alc_native_load(store, arena, &image, &vouched, out, error);
}

#endif
