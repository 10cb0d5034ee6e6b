/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the ELF file of an enclave (System V ABI, x86-64 supplement). The linker wrote it, but a
 * wrong flag or a new kind of section would end in an image that faults or leaks, so what is not
 * known here is refused.
 */
#include "sgx/elf_file.h"

#include <elf.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "sgx_arch/arch.h"

struct input {
    const uint8_t *bytes;
    size_t size;
    struct alc_error *error;
};

static alc_status fail_at(const struct input *in, uint64_t offset, const char *detail)
{
    return alc_fail_with(in->error, ALC_E_BAD_IMAGE, offset, detail);
}

/* Copies a structure out of the file, wherever it is aligned. */
static alc_status load(const struct input *in, uint64_t offset, void *out, size_t size)
{
    if (!alc_range_fits(offset, size, in->size)) {
        return alc_fail(in->error, ALC_E_UNEXPECTED_END, in->size);
    }
    alc_copy(out, in->bytes + offset, size);
    return ALC_OK;
}

/* The same for item `index` of a table. */
static alc_status load_item(const struct input *in, uint64_t table_offset, uint64_t index,
                            void *out, size_t size)
{
    uint64_t offset;
    if (!alc_mul_u64(index, size, &offset) || !alc_add_u64(offset, table_offset, &offset)) {
        return alc_fail(in->error, ALC_E_UNEXPECTED_END, in->size);
    }
    return load(in, offset, out, size);
}

static alc_status read_header(const struct input *in, Elf64_Ehdr *header)
{
    ALC_TRY(load(in, 0, header, sizeof *header));
    if (!alc_equal(header->e_ident, ELFMAG, SELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB) {
        return fail_at(in, 0, "not a 64-bit little-endian ELF file");
    }
    if (header->e_machine != EM_X86_64 || header->e_type != ET_DYN) {
        return fail_at(in, 16, "not a position-independent executable for x86-64");
    }
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_shentsize != sizeof(Elf64_Shdr)) {
        return fail_at(in, 54, "unexpected size of headers");
    }
    return ALC_OK;
}

static alc_status read_load(const struct input *in, const Elf64_Phdr *header,
                            struct alc_elf_file *elf)
{
    bool writable = (header->p_flags & PF_W) != 0;
    bool executable = (header->p_flags & PF_X) != 0;
    uint64_t end;
    if (writable && executable) {
        return fail_at(in, header->p_offset, "segment is writable and executable");
    }
    if (header->p_memsz == 0) {
        return ALC_OK;
    }
    if (header->p_vaddr % ALC_SGX_PAGE_SIZE != 0 || header->p_filesz > header->p_memsz ||
        !alc_add_u64(header->p_vaddr, header->p_memsz, &end) ||
        !alc_range_fits(header->p_offset, header->p_filesz, in->size)) {
        return fail_at(in, header->p_offset, "segment is not laid out by enclave.ld");
    }
    if (elf->segments_count == ALC_LAYOUT_RANGES_MAX) {
        return fail_at(in, header->p_offset, "too many segments");
    }
    if (elf->segments_count != 0) {
        const struct alc_elf_segment *last = &elf->segments[elf->segments_count - 1];
        uint64_t last_end;
        if (!alc_align_up(last->offset + last->memory_size, ALC_SGX_PAGE_SIZE, &last_end) ||
            header->p_vaddr < last_end) {
            return fail_at(in, header->p_offset, "segments overlap or are out of order");
        }
    }
    elf->segments[elf->segments_count++] = (struct alc_elf_segment){
        .offset = header->p_vaddr,
        .memory_size = header->p_memsz,
        .file_offset = header->p_offset,
        .file_size = header->p_filesz,
        .permissions = ((header->p_flags & PF_R) ? ALC_SGX_PAGE_READ : 0) |
                       (writable ? ALC_SGX_PAGE_WRITE : 0) |
                       (executable ? ALC_SGX_PAGE_EXECUTE : 0),
    };
    return ALC_OK;
}

static alc_status read_segments(const struct input *in, const Elf64_Ehdr *header,
                                struct alc_elf_file *elf, Elf64_Phdr *dynamic)
{
    for (uint64_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        ALC_TRY(load_item(in, header->e_phoff, i, &segment, sizeof segment));
        switch (segment.p_type) {
        case PT_LOAD:
            ALC_TRY(read_load(in, &segment, elf));
            break;
        case PT_DYNAMIC:
            *dynamic = segment;
            break;
        case PT_GNU_STACK:
            if (segment.p_flags & PF_X) {
                return fail_at(in, header->e_phoff, "asks for an executable stack");
            }
            break;
        case PT_NULL:
        case PT_NOTE:
        case PT_PHDR:
        case PT_GNU_RELRO:
            break;
        default:
            return fail_at(in, header->e_phoff, "interpreter, TLS or unknown program header");
        }
    }
    return elf->segments_count == 0 ? fail_at(in, header->e_phoff, "nothing to load") : ALC_OK;
}

static alc_status read_dynamic_entry(const struct input *in, const Elf64_Dyn *entry,
                                     struct alc_elf_file *elf)
{
    switch (entry->d_tag) {
    case DT_RELR:
        elf->relocations_offset = entry->d_un.d_val;
        return ALC_OK;
    case DT_RELRSZ:
        elf->relocations_size = entry->d_un.d_val;
        return ALC_OK;
    case DT_RELASZ:
    case DT_RELSZ:
    case DT_PLTRELSZ:
        return entry->d_un.d_val == 0
                   ? ALC_OK
                   : fail_at(in, ALC_NO_OFFSET, "has relocations that are not RELR");
    case DT_TEXTREL:
        return fail_at(in, ALC_NO_OFFSET, "has relocations in its text");
    case DT_NEEDED:
        return fail_at(in, ALC_NO_OFFSET, "needs shared libraries");
    case DT_INIT:
    case DT_FINI:
    case DT_INIT_ARRAYSZ:
    case DT_FINI_ARRAYSZ:
    case DT_PREINIT_ARRAYSZ:
        return entry->d_un.d_val == 0 ? ALC_OK : fail_at(in, ALC_NO_OFFSET, "has constructors");
    default:
        return ALC_OK; /* symbol tables, flags: nobody reads them inside */
    }
}

static alc_status read_dynamic(const struct input *in, const Elf64_Phdr *dynamic,
                               struct alc_elf_file *elf)
{
    for (uint64_t i = 0; i < dynamic->p_filesz / sizeof(Elf64_Dyn); i++) {
        Elf64_Dyn entry;
        ALC_TRY(load_item(in, dynamic->p_offset, i, &entry, sizeof entry));
        if (entry.d_tag == DT_NULL) {
            break;
        }
        ALC_TRY(read_dynamic_entry(in, &entry, elf));
    }
    return elf->relocations_size % 8 == 0 ? ALC_OK
                                          : fail_at(in, ALC_NO_OFFSET, "odd relocation table");
}

static alc_status check_symbols(const struct input *in, const Elf64_Shdr *table)
{
    for (uint64_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++) {
        Elf64_Sym symbol;
        ALC_TRY(load_item(in, table->sh_offset, i, &symbol, sizeof symbol));
        if (symbol.st_shndx == SHN_UNDEF && symbol.st_name != 0) {
            return fail_at(in, table->sh_offset + i * sizeof symbol, "undefined symbol");
        }
    }
    return ALC_OK;
}

static alc_status section_has_name(const struct input *in, const Elf64_Shdr *names,
                                   const Elf64_Shdr *section, bool *has_name)
{
    static const char name[] = ALC_LAYOUT_SECTION;
    char found[sizeof name];
    uint64_t offset;
    *has_name = false;
    if (!alc_add_u64(names->sh_offset, section->sh_name, &offset) ||
        !alc_range_fits(offset, sizeof found, in->size)) {
        return ALC_OK; /* a name shorter than ours at the very end of the file */
    }
    ALC_TRY(load(in, offset, found, sizeof found));
    *has_name = alc_equal(found, name, sizeof name);
    return ALC_OK;
}

static alc_status read_sections(const struct input *in, const Elf64_Ehdr *header,
                                struct alc_elf_file *elf)
{
    Elf64_Shdr names;
    bool found = false;
    ALC_TRY(load_item(in, header->e_shoff, header->e_shstrndx, &names, sizeof names));
    for (uint64_t i = 0; i < header->e_shnum; i++) {
        Elf64_Shdr section;
        bool is_layout;
        ALC_TRY(load_item(in, header->e_shoff, i, &section, sizeof section));
        if (section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM) {
            ALC_TRY(check_symbols(in, &section));
        }
        ALC_TRY(section_has_name(in, &names, &section, &is_layout));
        if (is_layout) {
            found = section.sh_size == sizeof(struct alc_enclave_layout);
            elf->layout_offset = section.sh_addr;
        }
    }
    return found ? ALC_OK : fail_at(in, header->e_shoff, "no section " ALC_LAYOUT_SECTION);
}

/* enclave.ld keeps what is constant once it is relocated in a segment of its own, the one with the
 * dynamic section. */
static void find_relro(const Elf64_Phdr *dynamic, struct alc_elf_file *elf)
{
    for (uint32_t i = 0; i < elf->segments_count; i++) {
        const struct alc_elf_segment *segment = &elf->segments[i];
        if ((segment->permissions & ALC_SGX_PAGE_WRITE) != 0 &&
            dynamic->p_vaddr >= segment->offset &&
            alc_range_fits(dynamic->p_vaddr - segment->offset, dynamic->p_memsz,
                           segment->memory_size)) {
            elf->relro_offset = segment->offset;
            elf->relro_size = segment->memory_size;
        }
    }
}

/* Whether [offset, + size) has bytes in the file, in a segment with exactly these permissions. */
static bool is_in_segment(const struct alc_elf_file *elf, uint64_t offset, uint64_t size,
                          uint64_t permissions)
{
    for (uint32_t i = 0; i < elf->segments_count; i++) {
        const struct alc_elf_segment *segment = &elf->segments[i];
        if (segment->permissions == permissions && offset >= segment->offset &&
            alc_range_fits(offset - segment->offset, size, segment->file_size)) {
            return true;
        }
    }
    return false;
}

alc_status alc_elf_read(const void *bytes, size_t size, struct alc_elf_file *out,
                        struct alc_error *error)
{
    const struct input in = {.bytes = bytes, .size = size, .error = error};
    struct alc_elf_file elf = {.bytes = bytes, .size = size};
    Elf64_Ehdr header;
    Elf64_Phdr dynamic = {0};
    ALC_TRY(read_header(&in, &header));
    ALC_TRY(read_segments(&in, &header, &elf, &dynamic));
    ALC_TRY(read_dynamic(&in, &dynamic, &elf));
    ALC_TRY(read_sections(&in, &header, &elf));
    find_relro(&dynamic, &elf);
    elf.entry_offset = header.e_entry;
    if (!is_in_segment(&elf, elf.entry_offset, 1, ALC_SGX_PAGE_READ | ALC_SGX_PAGE_EXECUTE)) {
        return fail_at(&in, 24, "entry point is not in the text");
    }
    if (!is_in_segment(&elf, elf.layout_offset, sizeof(struct alc_enclave_layout),
                       ALC_SGX_PAGE_READ)) {
        return fail_at(&in, ALC_NO_OFFSET, "the layout section is not read-only data");
    }
    if (elf.relocations_size != 0 &&
        !is_in_segment(&elf, elf.relocations_offset, elf.relocations_size, ALC_SGX_PAGE_READ)) {
        return fail_at(&in, ALC_NO_OFFSET, "the relocation table is not read-only data");
    }
    if (elf.relro_size != 0 && !is_in_segment(&elf, elf.relro_offset, elf.relro_size,
                                              ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE)) {
        return fail_at(&in, ALC_NO_OFFSET, "the relocated data is not in the data segment");
    }
    *out = elf;
    return ALC_OK;
}
