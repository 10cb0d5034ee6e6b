/* SPDX-License-Identifier: Apache-2.0
 *
 * ELF object files of one unit: the code, the constants, what refers to what. Section and symbol
 * tables are walked with <elf.h>'s structures, copied out so that alignment does not matter.
 */
#include "compiler/object.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "compiler/symbols.h"

struct elf {
    const uint8_t *bytes;
    size_t size;
    struct alc_error *error;
    Elf64_Ehdr header;
    Elf64_Shdr *sections; /* copied */
    uint32_t *bases;      /* by section: number of its first constant, or NO_BASE */
    uint32_t text;        /* index of the section with the code */
    uint32_t symbols;     /* of the symbol table */
};

#define NO_BASE UINT32_MAX

static alc_status fail(const struct elf *elf, const char *detail)
{
    return alc_fail_with(elf->error, ALC_E_INTERNAL, ALC_NO_OFFSET, detail);
}

static bool range_is_inside(const struct elf *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->size && size <= elf->size - offset;
}

/* -- sections -- */

static const char *section_name(const struct elf *elf, const Elf64_Shdr *section)
{
    const Elf64_Shdr *names = &elf->sections[elf->header.e_shstrndx];
    return (const char *)elf->bytes + names->sh_offset + section->sh_name;
}

static bool has_name(const struct elf *elf, const Elf64_Shdr *section, const char *name)
{
    return __builtin_strcmp(section_name(elf, section), name) == 0;
}

static bool is_constant_section(const Elf64_Shdr *section)
{
    return section->sh_type == SHT_PROGBITS && (section->sh_flags & SHF_ALLOC) != 0 &&
           (section->sh_flags & (SHF_EXECINSTR | SHF_WRITE)) == 0 && section->sh_size > 0;
}

static alc_status read_sections(struct elf *elf)
{
    if (elf->size < sizeof elf->header) {
        return fail(elf, "object file is cut");
    }
    alc_copy(&elf->header, elf->bytes, sizeof elf->header);
    uint32_t count = elf->header.e_shnum;
    bool is_elf = alc_equal(elf->header.e_ident, ELFMAG, SELFMAG) &&
                  elf->header.e_ident[EI_CLASS] == ELFCLASS64 &&
                  elf->header.e_machine == EM_X86_64 && elf->header.e_shstrndx < count;
    if (!is_elf || !range_is_inside(elf, elf->header.e_shoff, sizeof(Elf64_Shdr) * count)) {
        return fail(elf, "not an object file");
    }
    elf->sections = calloc(count, sizeof *elf->sections);
    elf->bases = calloc(count, sizeof *elf->bases);
    if (elf->sections == NULL || elf->bases == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(elf->sections, elf->bytes + elf->header.e_shoff, sizeof(Elf64_Shdr) * count);
    for (uint32_t i = 0; i < count; i++) {
        const Elf64_Shdr *section = &elf->sections[i];
        elf->bases[i] = NO_BASE;
        if (section->sh_type != SHT_NOBITS &&
            !range_is_inside(elf, section->sh_offset, section->sh_size)) {
            return fail(elf, "section outside the object file");
        }
        if (section->sh_type == SHT_SYMTAB) {
            elf->symbols = i;
        } else if ((section->sh_flags & SHF_EXECINSTR) != 0 && section->sh_size > 0) {
            if (elf->text != 0) {
                return fail(elf, "more than one section of code");
            }
            elf->text = i;
        }
    }
    return ALC_OK;
}

/* Sections of equal constants say the size of one; all else is one piece. */
static uint64_t piece_size(const Elf64_Shdr *section)
{
    bool is_divided = (section->sh_flags & SHF_MERGE) != 0 && section->sh_entsize != 0 &&
                      section->sh_size % section->sh_entsize == 0;
    return is_divided ? section->sh_entsize : section->sh_size;
}

static void add_constants(struct elf *elf, uint32_t index, uint32_t data_offset,
                          struct alc_object *out)
{
    const Elf64_Shdr *section = &elf->sections[index];
    uint64_t size = piece_size(section);
    elf->bases[index] = out->constants_count;
    alc_copy(out->data + data_offset, elf->bytes + section->sh_offset, section->sh_size);
    for (uint64_t at = 0; at < section->sh_size; at += size) {
        out->constants[out->constants_count++] =
            (struct alc_object_constant){.offset = data_offset + (uint32_t)at,
                                         .size = (uint32_t)size,
                                         .alignment = (uint32_t)section->sh_addralign};
    }
}

static alc_status copy_constants(struct elf *elf, struct alc_object *out)
{
    uint64_t size = 0;
    uint64_t count = 0;
    for (uint32_t i = 0; i < elf->header.e_shnum; i++) {
        if (is_constant_section(&elf->sections[i])) {
            size += elf->sections[i].sh_size;
            count += elf->sections[i].sh_size / piece_size(&elf->sections[i]);
        }
    }
    out->data = malloc(size + 1);
    out->constants = calloc(count + 1, sizeof *out->constants);
    if (out->data == NULL || out->constants == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    size = 0;
    for (uint32_t i = 0; i < elf->header.e_shnum; i++) {
        if (is_constant_section(&elf->sections[i])) {
            add_constants(elf, i, (uint32_t)size, out);
            size += elf->sections[i].sh_size;
        }
    }
    return ALC_OK;
}

static alc_status copy_code(const struct elf *elf, struct alc_object *out)
{
    const Elf64_Shdr *text = &elf->sections[elf->text];
    out->code = malloc(text->sh_size + 1);
    if (out->code == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    if (elf->text != 0) {
        out->code_size = (uint32_t)text->sh_size;
        alc_copy(out->code, elf->bytes + text->sh_offset, text->sh_size);
    }
    return ALC_OK;
}

/* -- symbols -- */

static uint32_t symbols_count(const struct elf *elf)
{
    return (uint32_t)(elf->sections[elf->symbols].sh_size / sizeof(Elf64_Sym));
}

static Elf64_Sym get_symbol(const struct elf *elf, uint32_t index)
{
    Elf64_Sym symbol;
    alc_copy(&symbol,
             elf->bytes + elf->sections[elf->symbols].sh_offset + sizeof symbol * (size_t)index,
             sizeof symbol);
    return symbol;
}

static const char *symbol_name(const struct elf *elf, const Elf64_Sym *symbol)
{
    const Elf64_Shdr *names = &elf->sections[elf->sections[elf->symbols].sh_link];
    return (const char *)elf->bytes + names->sh_offset + symbol->st_name;
}

static int compare_functions(const void *a, const void *b)
{
    const struct alc_object_function *first = a;
    const struct alc_object_function *second = b;
    return first->offset < second->offset ? -1 : first->offset > second->offset;
}

static alc_status read_functions(const struct elf *elf, struct alc_object *out)
{
    uint32_t count = symbols_count(elf);
    out->functions = calloc((size_t)count + 1, sizeof *out->functions);
    if (out->functions == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        Elf64_Sym symbol = get_symbol(elf, i);
        struct alc_symbol meaning;
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx != elf->text) {
            continue;
        }
        if (!alc_symbol_parse(symbol_name(elf, &symbol), &meaning) ||
            meaning.kind != ALC_SYMBOL_DEFINITION) {
            return fail(elf, "unexpected function in an object file");
        }
        out->functions[out->functions_count++] =
            (struct alc_object_function){.function_index = meaning.function_index,
                                         .offset = (uint32_t)symbol.st_value,
                                         .size = (uint32_t)symbol.st_size};
    }
    qsort(out->functions, out->functions_count, sizeof *out->functions, compare_functions);
    return ALC_OK;
}

/* What undefined symbol `index` stands for; `numbers` remembers rows of stubs by symbol. */
static alc_status resolve_undefined(const struct elf *elf, const Elf64_Sym *symbol, uint32_t index,
                                    uint32_t *numbers, struct alc_object *out,
                                    struct alc_object_relocation *relocation)
{
    struct alc_symbol meaning;
    if (!alc_symbol_parse(symbol_name(elf, symbol), &meaning)) {
        return fail(elf, symbol_name(elf, symbol));
    }
    if (meaning.kind == ALC_SYMBOL_FUNCTION) {
        relocation->kind = ALC_OBJECT_FUNCTION;
        relocation->number = meaning.function_index;
        return ALC_OK;
    }
    if (numbers[index] == 0) {
        out->stubs[out->stubs_count] = meaning.stub;
        numbers[index] = ++out->stubs_count;
    }
    relocation->kind = ALC_OBJECT_STUB;
    relocation->number = numbers[index] - 1;
    return ALC_OK;
}

static alc_status read_relocation(const struct elf *elf, const Elf64_Rela *raw, uint32_t *numbers,
                                  struct alc_object *out)
{
    uint32_t type = (uint32_t)ELF64_R_TYPE(raw->r_info);
    uint32_t index = (uint32_t)ELF64_R_SYM(raw->r_info);
    struct alc_object_relocation *relocation = &out->relocations[out->relocations_count];
    bool is_relative = type == R_X86_64_PC32 || type == R_X86_64_PLT32;
    if (!is_relative || index >= symbols_count(elf) || raw->r_offset + 4 > out->code_size) {
        return fail(elf, "unexpected relocation in an object file");
    }
    Elf64_Sym symbol = get_symbol(elf, index);
    *relocation =
        (struct alc_object_relocation){.offset = (uint32_t)raw->r_offset, .addend = raw->r_addend};
    if (symbol.st_shndx == SHN_UNDEF) {
        ALC_TRY(resolve_undefined(elf, &symbol, index, numbers, out, relocation));
    } else if (symbol.st_shndx < elf->header.e_shnum && elf->bases[symbol.st_shndx] != NO_BASE) {
        const Elf64_Shdr *section = &elf->sections[symbol.st_shndx];
        relocation->kind = ALC_OBJECT_CONSTANT;
        relocation->number =
            elf->bases[symbol.st_shndx] + (uint32_t)(symbol.st_value / piece_size(section));
        relocation->addend += (int64_t)(symbol.st_value % piece_size(section));
    } else {
        return fail(elf, "unexpected symbol in an object file");
    }
    out->relocations_count++;
    return ALC_OK;
}

static alc_status read_relocations(const struct elf *elf, const Elf64_Shdr *section,
                                   struct alc_object *out)
{
    uint32_t count = (uint32_t)(section->sh_size / sizeof(Elf64_Rela));
    uint32_t *numbers = calloc(symbols_count(elf), sizeof *numbers);
    alc_status status = ALC_OK;
    out->relocations = calloc(count, sizeof *out->relocations);
    out->stubs = calloc(symbols_count(elf), sizeof *out->stubs);
    if (numbers == NULL || out->relocations == NULL || out->stubs == NULL) {
        status = ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count && status == ALC_OK; i++) {
        Elf64_Rela raw;
        alc_copy(&raw, elf->bytes + section->sh_offset + sizeof raw * (size_t)i, sizeof raw);
        status = read_relocation(elf, &raw, numbers, out);
    }
    free(numbers);
    return status;
}

/* -- lines -- */

/* Addresses in the line table are relocations against the code, which begins at 0. */
static void relocate_lines(const struct elf *elf, const Elf64_Shdr *section, uint8_t *lines,
                           uint64_t lines_size)
{
    for (uint64_t i = 0; i < section->sh_size / sizeof(Elf64_Rela); i++) {
        Elf64_Rela raw;
        alc_copy(&raw, elf->bytes + section->sh_offset + sizeof raw * i, sizeof raw);
        uint32_t type = (uint32_t)ELF64_R_TYPE(raw.r_info);
        uint32_t index = (uint32_t)ELF64_R_SYM(raw.r_info);
        uint64_t size = type == R_X86_64_64 ? 8 : 4;
        if (index >= symbols_count(elf) || raw.r_offset + size > lines_size) {
            continue;
        }
        Elf64_Sym symbol = get_symbol(elf, index);
        uint64_t address = symbol.st_value + (uint64_t)raw.r_addend;
        if (symbol.st_shndx == elf->text) {
            alc_copy(lines + raw.r_offset, &address, size);
        }
    }
}

static alc_status read_lines(const struct elf *elf, struct alc_object *out)
{
    uint32_t lines_index = 0;
    for (uint32_t i = 1; i < elf->header.e_shnum; i++) {
        if (has_name(elf, &elf->sections[i], ".debug_line")) {
            lines_index = i;
        }
    }
    if (lines_index == 0) {
        return ALC_OK;
    }
    const Elf64_Shdr *section = &elf->sections[lines_index];
    uint8_t *lines = malloc(section->sh_size + 1);
    if (lines == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(lines, elf->bytes + section->sh_offset, section->sh_size);
    for (uint32_t i = 1; i < elf->header.e_shnum; i++) {
        if (elf->sections[i].sh_type == SHT_RELA && elf->sections[i].sh_info == lines_index) {
            relocate_lines(elf, &elf->sections[i], lines, section->sh_size);
        }
    }
    alc_status status = alc_lines_read(lines, section->sh_size, &out->lines, &out->lines_count);
    free(lines);
    return status == ALC_E_INTERNAL ? fail(elf, "unexpected line table in an object file") : status;
}

static alc_status read_all(struct elf *elf, struct alc_object *out)
{
    ALC_TRY(read_sections(elf));
    ALC_TRY(copy_code(elf, out));
    ALC_TRY(copy_constants(elf, out));
    ALC_TRY(read_functions(elf, out));
    for (uint32_t i = 1; i < elf->header.e_shnum; i++) {
        const Elf64_Shdr *section = &elf->sections[i];
        if (section->sh_type != SHT_RELA) {
            continue;
        }
        if (section->sh_info == elf->text) {
            ALC_TRY(read_relocations(elf, section, out));
        } else if (section->sh_info < elf->header.e_shnum &&
                   elf->bases[section->sh_info] != NO_BASE) {
            return fail(elf, "constants that refer to something");
        }
    }
    return read_lines(elf, out);
}

alc_status alc_object_read(const uint8_t *bytes, size_t size, struct alc_object *out,
                           struct alc_error *error)
{
    struct elf elf = {.bytes = bytes, .size = size, .error = error};
    *out = (struct alc_object){0};
    alc_status status = read_all(&elf, out);
    free(elf.sections);
    free(elf.bases);
    if (status != ALC_OK) {
        alc_object_free(out);
    }
    return status;
}

void alc_object_free(struct alc_object *object)
{
    free(object->code);
    free(object->data);
    free(object->constants);
    free(object->functions);
    free(object->relocations);
    free(object->stubs);
    free(object->lines);
    *object = (struct alc_object){0};
}
