/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads modules for looking at them, and prints what stands in them safely.
 */
#include <sys/mman.h>

#include "cli/module_file.h"

alc_status cli_module_open(struct cli_module *module, const uint8_t *bytes, size_t size,
                           uint64_t features)
{
    void *range = mmap(NULL, CLI_MODULE_ARENA_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) {
        cli_die(CLI_FAILED, "no address space for a module");
    }
    const struct alc_load_options options = {.features = features};
    alc_arena_init(&module->arena, range, CLI_MODULE_ARENA_SIZE);
    alc_error_clear(&module->error);
    module->module = NULL;
    return alc_module_load(&module->arena, bytes, size, &options, &module->module, &module->error);
}

void cli_module_close(struct cli_module *module)
{
    munmap(module->arena.base, module->arena.size);
    module->module = NULL;
}

void cli_print_name(FILE *out, struct alc_name name)
{
    for (uint32_t i = 0; i < name.size; i++) {
        uint8_t byte = name.bytes[i];
        /* C0, DEL and the C1 controls, which UTF-8 writes as C2 80 to C2 9F. */
        bool is_c1 = byte == 0xc2 && i + 1 < name.size && name.bytes[i + 1] < 0xa0;
        if (byte < 0x20 || byte == 0x7f || byte == '\\') {
            fprintf(out, "\\%02x", byte);
        } else if (is_c1) {
            fprintf(out, "\\%02x\\%02x", byte, name.bytes[++i]);
        } else {
            fputc(byte, out);
        }
    }
}

void cli_print_function(FILE *out, const struct alc_module *module, uint32_t function_index)
{
    struct alc_name name;
    if (module != NULL && alc_name_find_function(module, function_index, &name)) {
        cli_print_name(out, name);
    } else {
        fprintf(out, "function[%u]", function_index);
    }
}
