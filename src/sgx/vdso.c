/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks names up in the vDSO's dynamic symbol table. Some kernels give it a DT_HASH table, some
 * only a DT_GNU_HASH one; either tells how many symbols there are, and a linear search is quick
 * enough.
 */
#include "sgx/vdso.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

struct vdso {
    uintptr_t bias; /* added to addresses in the file */
    const Elf64_Sym *symbols;
    const char *strings;
    const uint32_t *hash;
    const uint32_t *gnu_hash;
};

static const void *address(const struct vdso *vdso, uint64_t value)
{
    return (const void *)(vdso->bias + value);
}

static void read_dynamic(struct vdso *vdso, const Elf64_Dyn *entry)
{
    for (; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB:
            vdso->symbols = address(vdso, entry->d_un.d_ptr);
            break;
        case DT_STRTAB:
            vdso->strings = address(vdso, entry->d_un.d_ptr);
            break;
        case DT_HASH:
            vdso->hash = address(vdso, entry->d_un.d_ptr);
            break;
        case DT_GNU_HASH:
            vdso->gnu_hash = address(vdso, entry->d_un.d_ptr);
            break;
        default:
            break;
        }
    }
}

static bool open_vdso(struct vdso *vdso)
{
    uintptr_t start = getauxval(AT_SYSINFO_EHDR);
    if (start == 0) {
        return false;
    }
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)start;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(start + header->e_phoff);
    const Elf64_Phdr *dynamic = NULL;
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0) {
            vdso->bias = start - segments[i].p_vaddr;
        } else if (segments[i].p_type == PT_DYNAMIC) {
            dynamic = &segments[i];
        }
    }
    if (dynamic == NULL) {
        return false;
    }
    read_dynamic(vdso, (const Elf64_Dyn *)(start + dynamic->p_offset));
    return vdso->symbols != NULL && vdso->strings != NULL;
}

/* The highest symbol of the GNU table: follow the chain of the highest bucket to its end mark. */
static uint32_t count_gnu_symbols(const uint32_t *table)
{
    uint32_t buckets_count = table[0];
    uint32_t first_symbol = table[1];
    uint32_t filter_words = table[2];
    const uint32_t *buckets = table + 4 + 2 * (size_t)filter_words;
    const uint32_t *chains = buckets + buckets_count;
    uint32_t last = 0;
    for (uint32_t i = 0; i < buckets_count; i++) {
        last = buckets[i] > last ? buckets[i] : last;
    }
    if (last < first_symbol) {
        return first_symbol;
    }
    while ((chains[last - first_symbol] & 1) == 0) {
        last++;
    }
    return last + 1;
}

static uint32_t count_symbols(const struct vdso *vdso)
{
    if (vdso->hash != NULL) {
        return vdso->hash[1];
    }
    return vdso->gnu_hash != NULL ? count_gnu_symbols(vdso->gnu_hash) : 0;
}

uintptr_t alc_vdso_find(const char *name)
{
    struct vdso vdso = {0};
    if (!open_vdso(&vdso)) {
        return 0;
    }
    uint32_t symbols_count = count_symbols(&vdso);
    for (uint32_t i = 0; i < symbols_count; i++) {
        const Elf64_Sym *symbol = &vdso.symbols[i];
        if (symbol->st_shndx != SHN_UNDEF && strcmp(vdso.strings + symbol->st_name, name) == 0) {
            return vdso.bias + symbol->st_value;
        }
    }
    return 0;
}
