/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks and segments: what heap.c (allocation) and heap_collect.c (marking, sweeping) share.
 *
 * A segment is one reservation, cut into blocks of 32 KiB that lie at multiples of their size, so
 * an object's block is found from its address. A block holds objects of one size, or the beginning
 * of one large object that goes on over the blocks behind. Three bitmaps in its header have a bit
 * for each object: allocated; marked (reached in this collection); scanned (and its references
 * too). Outside of marking the last two are empty.
 */
#ifndef ALC_EXEC_HEAP_INTERNAL_H
#define ALC_EXEC_HEAP_INTERNAL_H

#include "exec/heap.h"

enum {
    HEAP_GRANULE = ALC_GC_GRANULE,
    HEAP_WORDS = ALC_GC_WORDS,
    HEAP_SEGMENT_BLOCKS = 2048,  /* of an ordinary segment: 64 MiB of address space */
    HEAP_LARGE = ALC_GC_CLASSES, /* size class of a large object */
};

enum { HEAP_ROOM = ALC_GC_BLOCK_SIZE - sizeof(struct alc_gc_block) };

struct alc_gc_segment {
    struct alc_gc_segment *next;
    uint8_t *reservation;
    uint64_t reserved;
    uint8_t *blocks;
    uint32_t blocks_count;
    uint32_t blocks_committed;
    uint64_t free[HEAP_SEGMENT_BLOCKS / 64]; /* bit: a committed block that nobody uses */
};

/* Whether the segment was made for one object that no ordinary one could hold. It goes back to the
 * system with its object and serves nobody else: its blocks are in no bitmap. */
static inline bool alc_gc_is_huge(const struct alc_gc_segment *segment)
{
    return segment->blocks_count > HEAP_SEGMENT_BLOCKS;
}

static inline struct alc_gc_block *alc_gc_block_at(const struct alc_gc_segment *segment,
                                                   uint32_t index)
{
    return (struct alc_gc_block *)(void *)(segment->blocks + (uint64_t)index * ALC_GC_BLOCK_SIZE);
}

static inline struct alc_gc_block *alc_gc_block_of(uint64_t reference)
{
    return (struct alc_gc_block *)(uintptr_t)(reference & ~(uint64_t)(ALC_GC_BLOCK_SIZE - 1));
}

static inline uint32_t alc_gc_index_of(const struct alc_gc_block *block, uint64_t reference)
{
    uint64_t offset = reference - (uint64_t)(uintptr_t)(block + 1);
    return (uint32_t)(offset * block->inverse >> 32);
}

static inline struct alc_object *alc_gc_object_at(struct alc_gc_block *block, uint32_t index)
{
    return (struct alc_object *)(void *)((uint8_t *)(block + 1) +
                                         (uint64_t)index * block->object_size);
}

/* Makes the block at `index`, or the blocks of its large object, free. */
void alc_gc_free_blocks(struct alc_gc_heap *heap, struct alc_gc_segment *segment, uint32_t index);

/* Some work of the collection under way, in proportion to `allocated` bytes just taken; begins one
 * when it is time. */
void alc_gc_step(struct alc_gc_heap *heap, uint64_t allocated);
/* Sweeps a few blocks more; false when there are none left. */
bool alc_gc_sweep_some(struct alc_gc_heap *heap);
/* Ends the collection under way, if any. */
void alc_gc_finish(struct alc_gc_heap *heap);

#endif
