/* SPDX-License-Identifier: Apache-2.0
 *
 * What a packed image carries (layout.h: payload_offset): a workload, of which every byte is
 * measured.
 *   struct alc_payload_header | manifest | zeros up to a multiple of 8 | program
 */
#ifndef ALC_SGX_ARCH_PAYLOAD_H
#define ALC_SGX_ARCH_PAYLOAD_H

#include "base/checked.h"

struct alc_payload_header {
    uint64_t manifest_size;
    uint64_t program_size;
};

/* Where the two parts are. */
struct alc_payload {
    const uint8_t *manifest;
    uint64_t manifest_size;
    const uint8_t *program; /* aligned to 8 if the payload is */
    uint64_t program_size;
};

/* Offset of the program behind a manifest of that size. */
static inline uint64_t alc_payload_program_offset(uint64_t manifest_size)
{
    return (sizeof(struct alc_payload_header) + manifest_size + 7) & ~UINT64_C(7);
}

/* False when `bytes` are not exactly one payload. They MUST be aligned to 8. */
static inline bool alc_payload_read(const uint8_t *bytes, uint64_t size, struct alc_payload *out)
{
    const struct alc_payload_header *header = (const void *)bytes;
    if (size < sizeof *header || !alc_range_fits(sizeof *header, header->manifest_size, size)) {
        return false;
    }
    uint64_t offset = alc_payload_program_offset(header->manifest_size);
    if (offset > size || header->program_size != size - offset) {
        return false;
    }
    *out = (struct alc_payload){.manifest = bytes + sizeof *header,
                                .manifest_size = header->manifest_size,
                                .program = bytes + offset,
                                .program_size = header->program_size};
    return true;
}

#endif
