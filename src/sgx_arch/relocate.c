/* SPDX-License-Identifier: Apache-2.0
 *
 * Applies a RELR table. Runs first of all in an enclave, before any pointer in its data is valid;
 * on measured bytes, but checks every place all the same, because it is a write loop.
 */
#include "sgx_arch/relocate.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "sgx_arch/arch.h"

enum { PLACES_PER_BITMAP = 63 };

static bool is_writable_word(const struct alc_enclave_layout *layout, uint64_t offset)
{
    for (uint64_t i = 0; i < layout->ranges_count && i < ALC_LAYOUT_RANGES_MAX; i++) {
        const struct alc_layout_range *range = &layout->ranges[i];
        if ((range->permissions & ALC_SGX_PAGE_WRITE) != 0 && offset >= range->offset &&
            alc_range_fits(offset - range->offset, 8, range->size)) {
            return offset % 8 == 0;
        }
    }
    return false;
}

static alc_status relocate_word(uint8_t *base, const struct alc_enclave_layout *layout,
                                uint64_t offset)
{
    if (!is_writable_word(layout, offset)) {
        return ALC_E_BAD_IMAGE;
    }
    alc_store_u64(base + offset, alc_load_u64(base + offset) + (uint64_t)(uintptr_t)base);
    return ALC_OK;
}

alc_status alc_relocate(uint8_t *base, const struct alc_enclave_layout *layout)
{
    const uint8_t *table = base + layout->relocations_offset;
    uint64_t next_offset = 0;
    for (uint64_t i = 0; i < layout->relocations_size / 8; i++) {
        uint64_t entry = alc_load_u64(table + 8 * i);
        if ((entry & 1) == 0) {
            ALC_TRY(relocate_word(base, layout, entry));
            next_offset = entry + 8;
            continue;
        }
        for (uint64_t bit = 0; bit < PLACES_PER_BITMAP; bit++) {
            if ((entry >> (bit + 1)) & 1) {
                ALC_TRY(relocate_word(base, layout, next_offset + 8 * bit));
            }
        }
        next_offset += 8 * PLACES_PER_BITMAP;
    }
    return ALC_OK;
}
