/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table of pieces that stand in one growing buffer.
 */
#include "compiler/intern.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { ENTRIES_FIRST = 256, BYTES_FIRST = 4096 };

alc_status alc_intern_init(struct alc_intern *intern)
{
    *intern = (struct alc_intern){.capacity = BYTES_FIRST, .entries_count = ENTRIES_FIRST};
    intern->bytes = calloc(1, BYTES_FIRST);
    intern->entries = calloc(ENTRIES_FIRST, sizeof *intern->entries);
    return intern->bytes != NULL && intern->entries != NULL ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static uint32_t hash(const uint8_t *piece, uint32_t size)
{
    uint32_t value = 2166136261u; /* FNV-1a */
    for (uint32_t i = 0; i < size; i++) {
        value = (value ^ piece[i]) * 16777619u;
    }
    return value ^ value >> 15;
}

/* The entry of the piece, or the free one where it belongs. */
static struct alc_intern_entry *find(const struct alc_intern *intern, const uint8_t *piece,
                                     uint32_t size, uint32_t alignment)
{
    uint32_t mask = intern->entries_count - 1;
    for (uint32_t i = hash(piece, size) & mask;; i = (i + 1) & mask) {
        struct alc_intern_entry *entry = &intern->entries[i];
        bool is_same = entry->size == size && entry->offset % alignment == 0 &&
                       alc_equal(intern->bytes + entry->offset, piece, size);
        if (entry->size == 0 || is_same) {
            return entry;
        }
    }
}

static alc_status grow_entries(struct alc_intern *intern)
{
    struct alc_intern old = *intern;
    intern->entries_count *= 2;
    intern->entries = calloc(intern->entries_count, sizeof *intern->entries);
    if (intern->entries == NULL) {
        *intern = old;
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < old.entries_count; i++) {
        const struct alc_intern_entry *entry = &old.entries[i];
        if (entry->size != 0) {
            /* Entries are different: each finds a free one, whatever its alignment. */
            *find(intern, intern->bytes + entry->offset, entry->size, 1) = *entry;
        }
    }
    free(old.entries);
    return ALC_OK;
}

static alc_status grow_bytes(struct alc_intern *intern, uint64_t size)
{
    uint64_t capacity = intern->capacity;
    while (capacity < size) {
        capacity *= 2;
    }
    if (capacity > UINT32_MAX) {
        return ALC_E_OUT_OF_MEMORY;
    }
    uint8_t *bytes = realloc(intern->bytes, capacity);
    if (bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_fill(bytes + intern->capacity, 0, capacity - intern->capacity);
    intern->bytes = bytes;
    intern->capacity = (uint32_t)capacity;
    return ALC_OK;
}

alc_status alc_intern_add(struct alc_intern *intern, const void *piece, uint32_t size,
                          uint32_t alignment, uint32_t *out_offset)
{
    if (2 * (intern->used + 1) > intern->entries_count) {
        ALC_TRY(grow_entries(intern));
    }
    struct alc_intern_entry *entry = find(intern, piece, size, alignment);
    if (entry->size == 0) {
        uint64_t offset = ((uint64_t)intern->size + alignment - 1) & ~(uint64_t)(alignment - 1);
        ALC_TRY(grow_bytes(intern, offset + size));
        alc_copy(intern->bytes + offset, piece, size);
        *entry = (struct alc_intern_entry){.offset = (uint32_t)offset, .size = size};
        intern->size = (uint32_t)offset + size;
        intern->used++;
    }
    *out_offset = entry->offset;
    return ALC_OK;
}

void *alc_intern_take(struct alc_intern *intern)
{
    void *bytes = intern->bytes;
    free(intern->entries);
    *intern = (struct alc_intern){0};
    return bytes;
}
