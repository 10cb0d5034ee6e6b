/* SPDX-License-Identifier: Apache-2.0
 *
 * The garbage-collected heap of a store (docs/decisions/0008-garbage-collector.md): objects of the
 * GC and exception proposals. Precise, never moving; marking runs in bounded steps while the
 * program allocates, over a snapshot of the references at its beginning.
 *
 * Conventions
 *   - References in frames, globals, tables, element segments and the thread's exception are found
 *     by the collector (exec/roots.h). What an embedder or a host function keeps elsewhere is not:
 *     keep it in a global of alc_store_new_global.
 *   - Collection starts inside alc_gc_new only.
 *   - A store into a traced field of an object that has been written before MUST be preceded by
 *     alc_gc_overwrite of the old value. Frames, globals and tables need no such care.
 *   - Memory comes from the store's pages and counts in its budget.
 *   - Threads: one at a time, as for the store.
 */
#ifndef ALC_EXEC_HEAP_H
#define ALC_EXEC_HEAP_H

#include "exec/memory.h"
#include "exec/object.h"
#include "exec/reference.h"

struct alc_gc_segment;
struct alc_store;

enum {
    ALC_GC_CLASSES = 29, /* sizes of small objects */
    ALC_GC_BLOCK_SIZE = 32 << 10,
    ALC_GC_GRANULE = 16,
    ALC_GC_WORDS = ALC_GC_BLOCK_SIZE / ALC_GC_GRANULE / 64,
};

enum alc_gc_phase {
    ALC_GC_IDLE,
    ALC_GC_MARKING,
    ALC_GC_SWEEPING,
};

/* heap_internal.h says what a block is; here for native code, which takes places by itself. */
struct alc_gc_block {
    struct alc_gc_block *next;      /* in a list of heap->partial */
    struct alc_gc_block *grey_next; /* in heap->grey */
    uint32_t object_size;           /* header included; large: all that the blocks have room for */
    uint32_t inverse;               /* 2^32 / object_size, rounded up */
    uint32_t objects_count;
    uint32_t blocks_count; /* 1, or those of a large object; 0: the block is free */
    uint32_t size_class;
    uint32_t cursor; /* word of the bitmaps where free objects may begin; large: elements scanned */
    uint32_t swept_cycle;
    bool is_grey; /* in heap->grey */
    uint64_t allocated[ALC_GC_WORDS];
    uint64_t marked[ALC_GC_WORDS];
    uint64_t scanned[ALC_GC_WORDS];
} ALC_ALIGNED(16);

struct alc_gc_heap {
    const struct alc_pages *pages;
    struct alc_memory_budget *budget;
    const struct alc_type_registry *types;
    struct alc_store *store; /* whose roots are traced */
    uint64_t size_max;       /* bytes of blocks */
    uint64_t size;           /* bytes of blocks in use, free ones not counted */
    enum alc_gc_phase phase;
    uint32_t cycle;       /* of collection; blocks remember in which they were swept */
    bool collects_always; /* for tests: before each allocation */
    uint32_t holds; /* not 0: references lie where roots.h does not look, no collection begins */
    struct alc_gc_segment *segments;
    struct alc_gc_block *current[ALC_GC_CLASSES]; /* where the next object of a size goes */
    struct alc_gc_block *partial[ALC_GC_CLASSES]; /* swept, with room */
    struct alc_gc_block *grey; /* blocks with objects that are marked and not yet scanned */
    struct alc_gc_segment *sweep_segment;
    uint32_t sweep_index;
    uint64_t allocated; /* bytes given out since the last collection began, in blocks */
    uint64_t live;      /* bytes that the sweep has found alive so far */
    uint64_t threshold; /* `allocated` that begins a collection */
    uint64_t collections;
};

/* `size_max` in bytes. Takes no memory before the first object. */
void alc_gc_init(struct alc_gc_heap *heap, struct alc_store *store, uint64_t size_max);
/* Gives back all pages. */
void alc_gc_fini(struct alc_gc_heap *heap);

/* A new object with `size` bytes behind its header, not initialised: the caller writes all of it
 * before anything else is allocated. NULL when the limit of the heap, the budget or the pages are
 * exhausted even after a whole collection. May collect: every reference that the caller needs must
 * be where roots.h looks. */
ALC_MUST_CHECK struct alc_object *alc_gc_new(struct alc_gc_heap *heap, uint32_t type_id,
                                             uint32_t length, uint64_t size);

/* Collects everything that is not reachable, now. */
void alc_gc_collect(struct alc_gc_heap *heap);

/* No collection begins until as many alc_gc_release. */
static inline void alc_gc_hold(struct alc_gc_heap *heap)
{
    heap->holds++;
}

static inline void alc_gc_release(struct alc_gc_heap *heap)
{
    ALC_DEBUG_ASSERT(heap->holds != 0);
    heap->holds--;
}

/* The collector's mark of a reference of any hierarchy but func: for roots.h. */
void alc_gc_shade(struct alc_gc_heap *heap, uint64_t reference);

/* Before `reference` is overwritten in an object. */
static inline void alc_gc_overwrite(struct alc_gc_heap *heap, uint64_t reference)
{
    if (ALC_UNLIKELY(heap->phase == ALC_GC_MARKING)) {
        alc_gc_shade(heap, reference);
    }
}

#endif
