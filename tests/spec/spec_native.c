/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules through the compiler. Each is loaded as the interpreter would, for what is malformed or
 * invalid, then compiled; what runs comes out of the file that was written.
 */
#include "spec/spec_native.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "compiler/compiler.h"
#include "native/image_format.h"
#include "native_exec/native_exec.h"
#include "native_linux/native_linux.h"

/* Address space for one module and its image. */
#define COMPILING_SIZE (UINT64_C(1) << 30)

/* Shared with the processes that run tests. */
struct counts {
    uint64_t modules[ALC_NATIVE_SHAPES];
    uint64_t functions[ALC_NATIVE_SHAPES];
    uint64_t code_size[ALC_NATIVE_SHAPES];
};

struct file {
    uint8_t *bytes;
    uint64_t size;
};

static struct counts *g_counts;
static unsigned g_level = ALC_COMPILE_LEVEL_DEFAULT;
static uint32_t g_features;

void spec_native_prepare(unsigned level, bool is_wide)
{
    const struct alc_native_support *support = alc_native_linux_support();
    g_level = level;
    g_features = is_wide && support != NULL ? support->features : 0;
    g_counts =
        mmap(NULL, sizeof *g_counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (g_counts == MAP_FAILED) {
        perror("spec: mmap");
        exit(1);
    }
}

void spec_native_print(void)
{
    static const char *const names[ALC_NATIVE_SHAPES] = {"confined", "checked"};
    for (unsigned i = 0; i < ALC_NATIVE_SHAPES; i++) {
        printf("%s: %llu modules, %llu functions, %llu bytes of code\n", names[i],
               (unsigned long long)g_counts->modules[i], (unsigned long long)g_counts->functions[i],
               (unsigned long long)g_counts->code_size[i]);
    }
}

static void count(const struct alc_native_image *image)
{
    __atomic_fetch_add(&g_counts->modules[image->shape], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&g_counts->functions[image->shape], image->functions_count,
                       __ATOMIC_RELAXED);
    __atomic_fetch_add(&g_counts->code_size[image->shape], image->code_size, __ATOMIC_RELAXED);
}

/* The file of the compiled module, in `arena`. */
static alc_status compile(struct alc_arena *arena, const struct alc_module *module, uint32_t flags,
                          struct file *out, struct alc_error *error)
{
    struct alc_compile_options options = {.level = g_level, .features = g_features, .threads = 1};
    options.options |= (flags & ALC_SPEC_METERED) != 0 ? ALC_NATIVE_METERED : 0;
    options.options |= (flags & ALC_SPEC_INTERRUPTIBLE) != 0 ? ALC_NATIVE_INTERRUPTIBLE : 0;
    struct alc_compiled compiled;
    ALC_TRY(alc_compile(module, &options, &compiled, error));
    out->size = alc_native_image_file_size(&compiled.image);
    out->bytes = alc_arena_take(arena, out->size, 8);
    alc_status status = out->bytes == NULL
                            ? alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET)
                            : alc_native_image_write(&compiled.image, out->bytes, out->size, error);
    alc_compiled_free(&compiled);
    return status;
}

static alc_status load(struct alc_spec_run *run, struct alc_name bytes, struct alc_module **out,
                       struct alc_error *error)
{
    struct alc_arena *arena = &run->space->modules;
    const struct alc_load_options validating = {.features = run->test->features};
    const struct alc_native_load_options options = {.features = run->test->features,
                                                    .is_vouched = true};
    struct alc_module *validated;
    struct file file;
    struct alc_native_image image;
    ALC_TRY(alc_module_load(arena, bytes.bytes, bytes.size, &validating, &validated, error));
    ALC_TRY(compile(arena, validated, run->test->flags, &file, error));
    ALC_TRY(alc_native_image_read(file.bytes, file.size, &image, error));
    ALC_TRY(alc_native_load(&run->store, arena, &image, &options, out, error));
    count(&image);
    return ALC_OK;
}

void spec_native_replace(struct spec_buffer *module, uint64_t features, uint32_t flags)
{
    const struct alc_load_options options = {.features = features};
    struct alc_arena arena;
    struct alc_module *validated;
    struct alc_error error;
    struct file file;
    struct alc_native_image image;
    void *memory = mmap(NULL, COMPILING_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("spec: mmap");
        exit(1);
    }
    alc_error_clear(&error);
    alc_arena_init(&arena, memory, COMPILING_SIZE);
    if (alc_module_load(&arena, module->bytes, module->size, &options, &validated, &error) ==
        ALC_OK) {
        if (compile(&arena, validated, flags, &file, &error) == ALC_OK &&
            alc_native_image_read(file.bytes, file.size, &image, &error) == ALC_OK) {
            count(&image);
            module->size = 0;
            spec_buffer_add(module, file.bytes, file.size);
        } else {
            fprintf(stderr, "spec: not compiled: %s: %s\n", alc_status_text(error.status),
                    error.detail);
        }
    }
    munmap(memory, COMPILING_SIZE);
}

const struct alc_spec_engine *spec_native_engine(void)
{
    static struct alc_spec_engine engine = {.executor = &alc_native_executor, .load = load};
    engine.native = alc_native_linux_support();
    return engine.native == NULL ? NULL : &engine;
}
