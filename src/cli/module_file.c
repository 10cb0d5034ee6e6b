/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads modules for looking at them, and prints what stands in them safely.
 */
#include <ctype.h>
#include <sys/mman.h>

#include "base/bytes.h"
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

/* What people take for a module, by how it begins; NULL for anything else. */
static const char *name_mistake(const struct cli_file *file)
{
    static const struct {
        const char *start;
        size_t size;
        const char *name;
    } mistakes[] = {
        {"\0asm\x0d\0\1", 7, "a component; alcove runs core modules"},
        {"\0alc", 4, "a native image; alcove run runs it"},
        {"\x7f"
         "ELF",
         4, "an ELF file; compile for wasm32-wasi"},
        {"(", 1, "WebAssembly text; wat2wasm makes a module of it"},
        {";;", 2, "WebAssembly text; wat2wasm makes a module of it"},
        {"\x1f\x8b", 2, "compressed by gzip"},
    };
    size_t blank = 0;
    while (blank < file->size && isspace(file->bytes[blank])) {
        blank++;
    }
    if (blank == file->size) {
        return "the file is empty";
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(mistakes); i++) {
        if (file->size - blank >= mistakes[i].size &&
            alc_equal(file->bytes + blank, mistakes[i].start, mistakes[i].size)) {
            return mistakes[i].name;
        }
    }
    return NULL;
}

int cli_report_module_error(const char *path, const struct cli_file *file,
                            const struct alc_error *error)
{
    struct alc_error named = *error;
    const char *mistake = NULL;
    if (error->status == ALC_E_BAD_MAGIC || error->status == ALC_E_BAD_VERSION ||
        (error->status == ALC_E_UNEXPECTED_END && file->size == 0)) {
        mistake = name_mistake(file);
    }
    if (mistake != NULL && error->detail[0] == '\0') {
        snprintf(named.detail, sizeof named.detail, "%s", mistake);
    }
    return cli_report_error(path, &named);
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
