/* SPDX-License-Identifier: Apache-2.0
 *
 * Marking and sweeping. Marking is over a snapshot: at its beginning all roots are marked, every
 * reference that is overwritten in an object afterwards is marked first, and new objects count as
 * reached. So what was reachable at the beginning survives, and the roots need not be looked at
 * again. The queue of marking is the list of blocks that hold marked and not yet scanned objects:
 * it needs no memory of its own and cannot overflow. No recursion.
 */
#include "exec/engine.h"
#include "exec/heap_internal.h"
#include "exec/roots.h"

enum {
    MARK_FACTOR = 4,        /* bytes scanned for each byte allocated */
    ELEMENTS_STEP = 4096,   /* of a large array, before other work gets its turn */
    SWEEP_STEP = 16,        /* blocks */
    THRESHOLD_MIN = 1 << 20 /* bytes allocated between collections, however little is alive */
};

/* -- marking -- */

void alc_gc_shade(struct alc_gc_heap *heap, uint64_t reference)
{
    if (!alc_reference_is_object(reference)) {
        return;
    }
    struct alc_gc_block *block = alc_gc_block_of(reference);
    uint32_t index = alc_gc_index_of(block, reference);
    uint64_t bit = UINT64_C(1) << (index % 64);
    ALC_DEBUG_ASSERT(index < block->objects_count && (block->allocated[index / 64] & bit) != 0);
    if ((block->marked[index / 64] & bit) != 0) {
        return;
    }
    block->marked[index / 64] |= bit;
    if (!block->is_grey) {
        block->is_grey = true;
        block->grey_next = heap->grey;
        heap->grey = block;
    }
}

static uint64_t reference_at(const uint8_t *bytes)
{
    uint64_t reference;
    alc_copy(&reference, bytes, sizeof reference);
    return reference;
}

static void scan_structure(struct alc_gc_heap *heap, const struct alc_object *object,
                           const struct alc_struct_type *type)
{
    for (uint32_t i = 0; type->has_traced && i < type->fields_count; i++) {
        if (type->fields[i].is_traced) {
            alc_gc_shade(heap, reference_at(alc_object_bytes(object) + type->fields[i].offset));
        }
    }
}

static void scan_elements(struct alc_gc_heap *heap, const struct alc_object *object, uint32_t first,
                          uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        alc_gc_shade(heap, reference_at(alc_object_element(object, i, sizeof(uint64_t))));
    }
}

static void scan_exception(struct alc_gc_heap *heap, const struct alc_object *object,
                           const struct alc_function_type *type)
{
    const uint8_t *payload = alc_object_bytes(object) + sizeof(uint64_t); /* behind the tag */
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        if (alc_type_is_traced(heap->types, type->parameters[i])) {
            alc_gc_shade(heap, reference_at(payload));
        }
        payload += alc_type_slots(type->parameters[i]) * sizeof(uint64_t);
    }
}

/* Marks what the object refers to. */
static void scan_object(struct alc_gc_heap *heap, const struct alc_object *object)
{
    const struct alc_type *type = alc_types_get(heap->types, object->type_id);
    switch (type->kind) {
    case ALC_COMPOSITE_STRUCT:
        scan_structure(heap, object, &type->structure);
        break;
    case ALC_COMPOSITE_ARRAY:
        if (type->array.is_traced) {
            scan_elements(heap, object, 0, object->length);
        }
        break;
    case ALC_COMPOSITE_FUNCTION:
        scan_exception(heap, object, &type->function);
        break;
    }
}

/* A part of a large object; the block goes back into the queue unless that was all. */
static uint64_t scan_large(struct alc_gc_heap *heap, struct alc_gc_block *block)
{
    const struct alc_object *object = alc_gc_object_at(block, 0);
    const struct alc_type *type = alc_types_get(heap->types, object->type_id);
    if (type->kind != ALC_COMPOSITE_ARRAY || !type->array.is_traced) {
        block->scanned[0] = 1;
        scan_object(heap, object);
        return ALC_GC_BLOCK_SIZE;
    }
    uint32_t left = object->length - block->cursor;
    uint32_t count = left < ELEMENTS_STEP ? left : ELEMENTS_STEP;
    scan_elements(heap, object, block->cursor, block->cursor + count);
    block->cursor += count;
    if (count == left) {
        block->scanned[0] = 1;
    } else {
        block->is_grey = true;
        block->grey_next = heap->grey;
        heap->grey = block;
    }
    return count * sizeof(uint64_t);
}

/* Bytes looked at. */
static uint64_t scan_block(struct alc_gc_heap *heap, struct alc_gc_block *block)
{
    if (block->size_class == HEAP_LARGE) {
        return scan_large(heap, block);
    }
    uint64_t scanned = 0;
    for (uint32_t word = 0; word * 64 < block->objects_count; word++) {
        uint64_t grey;
        while ((grey = block->marked[word] & ~block->scanned[word]) != 0) {
            uint32_t bit = (uint32_t)__builtin_ctzll(grey);
            block->scanned[word] |= UINT64_C(1) << bit;
            scan_object(heap, alc_gc_object_at(block, word * 64 + bit));
            scanned += block->object_size;
        }
    }
    return scanned;
}

static void mark(struct alc_gc_heap *heap, uint64_t bytes)
{
    uint64_t scanned = 0;
    while (heap->grey != NULL && scanned < bytes) {
        struct alc_gc_block *block = heap->grey;
        heap->grey = block->grey_next;
        block->is_grey = false;
        scanned += scan_block(heap, block);
    }
}

/* -- sweeping -- */

static uint32_t count_bits(const uint64_t *words, uint32_t count)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        bits += (uint32_t)__builtin_popcountll(words[i]);
    }
    return bits;
}

/* A reference that the roots missed shall be noticed (debug builds). */
static void poison_dead(struct alc_gc_block *block)
{
    for (uint32_t i = 0; i < block->objects_count && block->size_class != HEAP_LARGE; i++) {
        if ((block->allocated[i / 64] & ~block->marked[i / 64]) >> (i % 64) & 1) {
            alc_fill(alc_gc_object_at(block, i), 0xdd, block->object_size);
        }
    }
}

/* What is marked stays. */
static void sweep_block(struct alc_gc_heap *heap, struct alc_gc_segment *segment, uint32_t index)
{
    struct alc_gc_block *block = alc_gc_block_at(segment, index);
    uint32_t words = (block->objects_count + 63) / 64;
    uint32_t live = count_bits(block->marked, words);
    if (ALC_DEBUG) {
        poison_dead(block);
    }
    if (live == 0) {
        alc_gc_free_blocks(heap, segment, index);
        return;
    }
    block->swept_cycle = heap->cycle;
    block->cursor = 0;
    for (uint32_t i = 0; i < words; i++) {
        block->allocated[i] = block->marked[i];
        block->marked[i] = 0;
        block->scanned[i] = 0;
    }
    if (block->size_class == HEAP_LARGE) {
        heap->live += (uint64_t)block->blocks_count * ALC_GC_BLOCK_SIZE;
        return;
    }
    heap->live += (uint64_t)live * block->object_size;
    if (live < block->objects_count) {
        block->next = heap->partial[block->size_class];
        heap->partial[block->size_class] = block;
    }
}

static void end_sweeping(struct alc_gc_heap *heap)
{
    heap->phase = ALC_GC_IDLE;
    heap->threshold = heap->live < THRESHOLD_MIN ? THRESHOLD_MIN : heap->live;
}

/* On to the next segment; one of a single large object that died is given back. */
static void leave_segment(struct alc_gc_heap *heap)
{
    struct alc_gc_segment *segment = heap->sweep_segment;
    heap->sweep_segment = segment->next;
    heap->sweep_index = 0;
    if (!alc_gc_is_huge(segment) || alc_gc_block_at(segment, 0)->blocks_count != 0) {
        return;
    }
    struct alc_gc_segment **link = &heap->segments;
    while (*link != segment) {
        link = &(*link)->next;
    }
    *link = segment->next;
    heap->pages->release(heap->pages->context, segment->reservation, segment->reserved);
}

bool alc_gc_sweep_some(struct alc_gc_heap *heap)
{
    if (heap->phase != ALC_GC_SWEEPING) {
        return false;
    }
    for (unsigned i = 0; i < SWEEP_STEP && heap->sweep_segment != NULL; i++) {
        struct alc_gc_segment *segment = heap->sweep_segment;
        if (heap->sweep_index >= segment->blocks_committed) {
            leave_segment(heap);
            continue;
        }
        uint32_t index = heap->sweep_index;
        const struct alc_gc_block *block = alc_gc_block_at(segment, index);
        heap->sweep_index += block->blocks_count == 0 ? 1 : block->blocks_count;
        if (block->blocks_count != 0 && block->swept_cycle != heap->cycle) {
            sweep_block(heap, segment, index);
        }
    }
    if (heap->sweep_segment == NULL) {
        end_sweeping(heap);
    }
    return true;
}

/* -- the course of a collection -- */

static void begin_marking(struct alc_gc_heap *heap)
{
    heap->phase = ALC_GC_MARKING;
    heap->allocated = 0;
    heap->collections++;
    alc_roots_shade(heap->store);
}

static void begin_sweeping(struct alc_gc_heap *heap)
{
    heap->phase = ALC_GC_SWEEPING;
    heap->cycle++;
    heap->live = 0;
    for (unsigned i = 0; i < ALC_GC_CLASSES; i++) {
        heap->current[i] = NULL;
        heap->partial[i] = NULL;
    }
    heap->sweep_segment = heap->segments;
    heap->sweep_index = 0;
}

void alc_gc_step(struct alc_gc_heap *heap, uint64_t allocated)
{
    heap->allocated += allocated;
    switch (heap->phase) {
    case ALC_GC_IDLE:
        if (heap->allocated >= heap->threshold && heap->holds == 0) {
            begin_marking(heap);
        }
        break;
    case ALC_GC_MARKING:
        mark(heap, allocated * MARK_FACTOR);
        if (heap->grey == NULL) {
            begin_sweeping(heap);
        }
        break;
    case ALC_GC_SWEEPING:
        (void)alc_gc_sweep_some(heap);
        break;
    }
}

void alc_gc_finish(struct alc_gc_heap *heap)
{
    if (heap->phase == ALC_GC_MARKING) {
        mark(heap, UINT64_MAX);
        begin_sweeping(heap);
    }
    while (alc_gc_sweep_some(heap)) {
    }
}

void alc_gc_collect(struct alc_gc_heap *heap)
{
    alc_gc_finish(heap);
    if (heap->holds == 0) {
        begin_marking(heap);
        alc_gc_finish(heap);
    }
}
