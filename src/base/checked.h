/* SPDX-License-Identifier: Apache-2.0
 *
 * Arithmetic that says when it overflowed. Sizes and offsets that come from input are added and
 * multiplied here; plain + and * are for values already proven small.
 */
#ifndef ALC_BASE_CHECKED_H
#define ALC_BASE_CHECKED_H

#include "base/compiler.h"

/* Each returns true and stores the result, or returns false and leaves *out alone. */
ALC_MUST_CHECK static inline bool alc_add_u32(uint32_t a, uint32_t b, uint32_t *out)
{
    uint32_t sum;
    bool fits = !__builtin_add_overflow(a, b, &sum);
    *out = fits ? sum : *out;
    return fits;
}

ALC_MUST_CHECK static inline bool alc_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t sum;
    bool fits = !__builtin_add_overflow(a, b, &sum);
    *out = fits ? sum : *out;
    return fits;
}

ALC_MUST_CHECK static inline bool alc_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t product;
    bool fits = !__builtin_mul_overflow(a, b, &product);
    *out = fits ? product : *out;
    return fits;
}

ALC_MUST_CHECK static inline bool alc_add_size(size_t a, size_t b, size_t *out)
{
    size_t sum;
    bool fits = !__builtin_add_overflow(a, b, &sum);
    *out = fits ? sum : *out;
    return fits;
}

ALC_MUST_CHECK static inline bool alc_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product;
    bool fits = !__builtin_mul_overflow(a, b, &product);
    *out = fits ? product : *out;
    return fits;
}

/* Whether [offset, offset + size) lies inside [0, limit). Cannot overflow. */
static inline bool alc_range_fits(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

/* Forces an already checked index below `count` also on mispredicted paths (Spectre v1): a
 * data-dependent mask, no branch. `count` MUST be > 0 and `index` MUST have been checked. */
static inline uint64_t alc_index_clamp(uint64_t index, uint64_t count)
{
    uint64_t mask;
    __asm__("cmp %2, %1\n\tsbb %0, %0" : "=r"(mask) : "r"(index), "r"(count) : "cc");
    return index & mask;
}

/* Rounds up to a multiple of `alignment` (a power of two); false when that overflows. */
ALC_MUST_CHECK static inline bool alc_align_up(uint64_t value, uint64_t alignment, uint64_t *out)
{
    uint64_t sum;
    if (__builtin_add_overflow(value, alignment - 1, &sum)) {
        return false;
    }
    *out = sum & ~(alignment - 1);
    return true;
}

#endif
