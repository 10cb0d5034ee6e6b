/* SPDX-License-Identifier: Apache-2.0
 *
 * libFuzzer target: decoding, validation and emission of arbitrary bytes, then everything that
 * reads a loaded module without running it (names, exports, types as text). The first byte chooses
 * features.
 */
#include <stdlib.h>
#include <string.h>

#include "exec/interp.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t *arena_memory;
    struct alc_arena arena;
    struct alc_module *module;
    struct alc_error error;
    if (size == 0) {
        return 0;
    }
    if (arena_memory == NULL) {
        arena_memory = malloc(ARENA_SIZE);
    }
    struct alc_load_options options = {
        .features = (bytes[0] & 1) != 0 ? ALC_FEATURES_ALL : 0,
        .target = (bytes[0] & 2) != 0 ? alc_interp_target((bytes[0] & 4) != 0, true) : NULL,
    };
    /* Reads past the end of the input are seen only when it has a block of its own. */
    uint8_t *copy = malloc(size == 1 ? 1 : size - 1);
    memcpy(copy, bytes + 1, size - 1);
    alc_arena_init(&arena, arena_memory, ARENA_SIZE);
    alc_error_clear(&error);
    alc_status status = alc_module_load(&arena, copy, size - 1, &options, &module, &error);
    if (status == ALC_OK) {
        look_around(module);
    } else if (error.status != status ||
               (error.offset != ALC_NO_OFFSET && error.offset > size - 1)) {
        abort();
    }
    free(copy);
    return 0;
}
