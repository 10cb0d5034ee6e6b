/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of an enclave's ELF file that the image builder needs, read with every offset checked.
 */
#ifndef ALC_SGX_ELF_FILE_H
#define ALC_SGX_ELF_FILE_H

#include "base/status.h"
#include "sgx_arch/layout.h"

struct alc_elf_segment {
    uint64_t offset; /* in the enclave: the file is linked at 0 */
    uint64_t memory_size;
    uint64_t file_offset;
    uint64_t file_size;
    uint64_t permissions; /* ALC_SGX_PAGE_* */
};

struct alc_elf_file {
    const uint8_t *bytes; /* borrowed */
    size_t size;
    uint64_t entry_offset;
    struct alc_elf_segment segments[ALC_LAYOUT_RANGES_MAX];
    uint32_t segments_count;
    uint64_t relro_offset;
    uint64_t relro_size;
    uint64_t relocations_offset;
    uint64_t relocations_size;
    uint64_t layout_offset; /* of the section .alcove.layout */
};

/* Reads and judges the file: a position-independent executable for x86-64 without interpreter,
 * shared libraries, thread-local storage, constructors, undefined symbols, relocations other than
 * RELR, or memory that is writable and executable. ALC_E_BAD_IMAGE says what is wrong. */
ALC_MUST_CHECK alc_status alc_elf_read(const void *bytes, size_t size, struct alc_elf_file *out,
                                       struct alc_error *error);

#endif
