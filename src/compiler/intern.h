/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of bytes behind one another, each once: equal pieces get one place.
 */
#ifndef ALC_COMPILER_INTERN_H
#define ALC_COMPILER_INTERN_H

#include "base/status.h"

struct alc_intern_entry {
    uint32_t offset;
    uint32_t size; /* 0: free */
};

struct alc_intern {
    uint8_t *bytes;
    uint32_t size;
    uint32_t capacity;
    struct alc_intern_entry *entries; /* open addressing, a power of two */
    uint32_t entries_count;
    uint32_t used;
};

ALC_MUST_CHECK alc_status alc_intern_init(struct alc_intern *intern);
/* The place of a piece of `size` bytes, not 0, aligned to `alignment`, a power of two. */
ALC_MUST_CHECK alc_status alc_intern_add(struct alc_intern *intern, const void *piece,
                                         uint32_t size, uint32_t alignment, uint32_t *out_offset);
/* Ends it: its bytes, on the heap and no longer its own; what they were interned by is freed. */
void *alc_intern_take(struct alc_intern *intern);

#endif
