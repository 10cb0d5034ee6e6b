/* SPDX-License-Identifier: Apache-2.0
 *
 * Applies a RELR table. Runs first of all in an enclave, before any pointer in its data is valid;
 * on measured bytes, but checks every place all the same, because it is a write loop.
 */
#include "sgx_arch/relocate.h"

#include "base/bytes.h"
#include "base/checked.h"

enum { PLACES_PER_BITMAP = 63 };

static alc_status relocate_word(uint8_t *base, uint64_t offset, uint64_t limit_offset,
                                uint64_t limit_size)
{
    if (offset % 8 != 0 || offset < limit_offset ||
        !alc_range_fits(offset - limit_offset, 8, limit_size)) {
        return ALC_E_BAD_IMAGE;
    }
    alc_store_u64(base + offset, alc_load_u64(base + offset) + (uint64_t)(uintptr_t)base);
    return ALC_OK;
}

alc_status alc_relocate(uint8_t *base, const uint64_t *table, size_t table_count,
                        uint64_t limit_offset, uint64_t limit_size)
{
    uint64_t next_offset = 0;
    for (size_t i = 0; i < table_count; i++) {
        uint64_t entry = table[i];
        if ((entry & 1) == 0) {
            ALC_TRY(relocate_word(base, entry, limit_offset, limit_size));
            next_offset = entry + 8;
            continue;
        }
        for (uint64_t bit = 0; bit < PLACES_PER_BITMAP; bit++) {
            if ((entry >> (bit + 1)) & 1) {
                ALC_TRY(relocate_word(base, next_offset + 8 * bit, limit_offset, limit_size));
            }
        }
        next_offset += 8 * PLACES_PER_BITMAP;
    }
    return ALC_OK;
}
