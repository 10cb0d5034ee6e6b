/* SPDX-License-Identifier: Apache-2.0
 *
 * libFuzzer target: decoding, validation and emission of arbitrary bytes, then everything that
 * reads a loaded module without running it (names, exports, types as text). The first byte chooses
 * features and whether code is made. Where code is made, the verdict and its place must be those of
 * validation alone, which takes shorter ways.
 */
#include <stdlib.h>
#include <string.h>

#include "exec/interp.h"
#include "wasm/code.h"
#include "wasm/module.h"
#include "wasm/names.h"

enum { ARENA_SIZE = 16 << 20 };

static void look_around(const struct alc_module *module)
{
    struct alc_name name;
    (void)alc_name_find_module(module, &name);
    for (uint32_t i = 0; i < module->functions_count && i < 64; i++) {
        (void)alc_name_find_function(module, i, &name);
    }
    for (uint32_t i = 0; i < module->exports_count; i++) {
        if (alc_module_find_export(module, module->exports[i].name) != &module->exports[i]) {
            abort();
        }
    }
    for (uint32_t i = 0; i < module->globals_count; i++) {
        char text[32];
        struct alc_writer writer;
        alc_writer_init(&writer, text, sizeof text);
        alc_type_write(&writer, module->globals[i].type.type);
    }
}

struct verdict {
    alc_status status;
    uint64_t offset;
};

static struct verdict load(const uint8_t *bytes, size_t size, uint8_t choice, bool emits)
{
    static uint8_t *arena_memory;
    static uint8_t *code_memory;
    struct alc_arena arena;
    struct alc_code_heap code_heap = {0};
    struct alc_module *module;
    struct alc_error error;
    if (arena_memory == NULL) {
        arena_memory = malloc(ARENA_SIZE);
        code_memory = malloc(ARENA_SIZE);
    }
    alc_arena_init(&arena, arena_memory, ARENA_SIZE);
    alc_arena_init(&code_heap.arena, code_memory, ARENA_SIZE);
    struct alc_load_options options = {
        .features = (choice & 1) != 0 ? ALC_FEATURES_ALL : 0,
        .target = emits ? alc_interp_target((choice & 4) != 0, (choice & 8) != 0) : NULL,
        .code_heap = &code_heap,
        .is_eager = (choice & 16) == 0,
    };
    alc_error_clear(&error);
    alc_status status = alc_module_load(&arena, bytes, size, &options, &module, &error);
    if (status == ALC_OK) {
        look_around(module);
    } else if (error.status != status || (error.offset != ALC_NO_OFFSET && error.offset > size)) {
        abort();
    }
    alc_arena_fini(&code_heap.arena);
    alc_arena_fini(&arena);
    return (struct verdict){status, error.offset};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    /* Reads past the end of the input are seen only when it has a block of its own. */
    uint8_t *copy = malloc(size == 1 ? 1 : size - 1);
    memcpy(copy, bytes + 1, size - 1);
    struct verdict verdict = load(copy, size - 1, bytes[0], false);
    if ((bytes[0] & 2) != 0) {
        struct verdict emitted = load(copy, size - 1, bytes[0], true);
        bool is_short_of_memory =
            verdict.status == ALC_E_OUT_OF_MEMORY || emitted.status == ALC_E_OUT_OF_MEMORY;
        if (!is_short_of_memory &&
            (verdict.status != emitted.status || verdict.offset != emitted.offset)) {
            abort();
        }
    }
    free(copy);
    return 0;
}
