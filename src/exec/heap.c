/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation in the heap: size classes, blocks, segments. Sizes come from hostile programs: sums
 * are made in 64 bits, every size is below 2^38.
 */
#include "exec/heap_internal.h"

#include "exec/engine.h"

/* SWEEPS_MAX: how long an allocation looks for a place before it takes a new block. */
enum { THRESHOLD_FIRST = 1 << 20, SWEEPS_MAX = 16 };

/* Steps of an eighth or less of the size above 128 bytes. */
static const uint16_t CLASS_SIZES[ALC_GC_CLASSES] = {
    16,  32,  48,  64,  80,   96,   112,  128,  160,  192,  224,  256,  320,  384, 448,
    512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3184, 4560, 6384, 7984};

static uint32_t class_of_size(uint32_t size)
{
    if (size <= 128) {
        return (size + HEAP_GRANULE - 1) / HEAP_GRANULE - 1;
    }
    uint32_t class = 8;
    while (CLASS_SIZES[class] < size) {
        class ++;
    }
    return class;
}

void alc_gc_init(struct alc_gc_heap *heap, struct alc_store *store, uint64_t size_max)
{
    *heap = (struct alc_gc_heap){.pages = &store->pages,
                                 .budget = store->budget,
                                 .types = &store->types,
                                 .store = store,
                                 .size_max = size_max,
                                 .threshold = THRESHOLD_FIRST};
}

void alc_gc_fini(struct alc_gc_heap *heap)
{
    struct alc_gc_segment *segment = heap->segments;
    while (segment != NULL) {
        struct alc_gc_segment *next = segment->next;
        heap->pages->release(heap->pages->context, segment->reservation, segment->reserved);
        segment = next;
    }
    alc_budget_give(heap->budget, heap->size);
    heap->segments = NULL;
    heap->size = 0;
}

/* -- segments -- */

static struct alc_gc_segment *new_segment(struct alc_gc_heap *heap, uint32_t blocks_count)
{
    const struct alc_pages *pages = heap->pages;
    uint64_t head = (sizeof(struct alc_gc_segment) + ALC_SYSTEM_PAGE_SIZE - 1) &
                    ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1);
    uint64_t reserved = head + ((uint64_t)blocks_count + 1) * ALC_GC_BLOCK_SIZE;
    uint8_t *reservation = pages->reserve(pages->context, reserved);
    if (reservation == NULL) {
        return NULL;
    }
    if (pages->commit(pages->context, reservation, head) != ALC_OK) {
        pages->release(pages->context, reservation, reserved);
        return NULL;
    }
    struct alc_gc_segment *segment = (struct alc_gc_segment *)(void *)reservation;
    uintptr_t first = (uintptr_t)reservation + head + ALC_GC_BLOCK_SIZE - 1;
    segment->reservation = reservation;
    segment->reserved = reserved;
    segment->blocks =
        reservation + ((first & ~(uintptr_t)(ALC_GC_BLOCK_SIZE - 1)) - (uintptr_t)reservation);
    segment->blocks_count = blocks_count;
    segment->next = heap->segments;
    heap->segments = segment;
    return segment;
}

static bool is_free_block(const struct alc_gc_segment *segment, uint32_t index)
{
    return (segment->free[index / 64] >> (index % 64) & 1) != 0;
}

/* First of `count` neighbouring free blocks, or blocks_committed. */
static uint32_t find_free(const struct alc_gc_segment *segment, uint32_t count)
{
    uint32_t run = 0;
    for (uint32_t i = 0; i < segment->blocks_committed; i++) {
        if (i % 64 == 0 && segment->free[i / 64] == 0) {
            run = 0;
            i += 63;
            continue;
        }
        run = is_free_block(segment, i) ? run + 1 : 0;
        if (run == count) {
            return i + 1 - count;
        }
    }
    return segment->blocks_committed;
}

static struct alc_gc_block *take_free(struct alc_gc_segment *segment, uint32_t count)
{
    uint32_t first = find_free(segment, count);
    if (first == segment->blocks_committed) {
        return NULL;
    }
    for (uint32_t i = first; i < first + count; i++) {
        segment->free[i / 64] &= ~(UINT64_C(1) << (i % 64));
    }
    return alc_gc_block_at(segment, first);
}

static struct alc_gc_block *take_fresh(struct alc_gc_heap *heap, struct alc_gc_segment *segment,
                                       uint32_t count)
{
    if (count > segment->blocks_count - segment->blocks_committed) {
        return NULL;
    }
    struct alc_gc_block *block = alc_gc_block_at(segment, segment->blocks_committed);
    if (heap->pages->commit(heap->pages->context, block, (uint64_t)count * ALC_GC_BLOCK_SIZE) !=
        ALC_OK) {
        return NULL;
    }
    segment->blocks_committed += count;
    return block;
}

/* `count` neighbouring blocks, with undefined contents. */
static struct alc_gc_block *find_blocks(struct alc_gc_heap *heap, uint32_t count)
{
    for (struct alc_gc_segment *segment = heap->segments; segment != NULL;
         segment = segment->next) {
        if (alc_gc_is_huge(segment)) {
            continue;
        }
        struct alc_gc_block *block = take_free(segment, count);
        if (block == NULL) {
            block = take_fresh(heap, segment, count);
        }
        if (block != NULL) {
            return block;
        }
    }
    uint32_t wanted = count > HEAP_SEGMENT_BLOCKS ? count : HEAP_SEGMENT_BLOCKS;
    struct alc_gc_segment *segment = new_segment(heap, wanted);
    while (segment == NULL && wanted / 2 >= count) { /* address space is scarce */
        wanted /= 2;
        segment = new_segment(heap, wanted);
    }
    if (segment == NULL) {
        return NULL;
    }
    struct alc_gc_block *block = take_fresh(heap, segment, count);
    if (block == NULL) { /* the first of the list */
        heap->segments = segment->next;
        heap->pages->release(heap->pages->context, segment->reservation, segment->reserved);
    }
    return block;
}

static struct alc_gc_block *take_blocks(struct alc_gc_heap *heap, uint32_t count)
{
    uint64_t size = (uint64_t)count * ALC_GC_BLOCK_SIZE;
    if (size > heap->size_max - heap->size || !alc_budget_take(heap->budget, size)) {
        return NULL;
    }
    struct alc_gc_block *block = find_blocks(heap, count);
    if (block == NULL) {
        alc_budget_give(heap->budget, size);
        return NULL;
    }
    heap->size += size;
    return block;
}

void alc_gc_free_blocks(struct alc_gc_heap *heap, struct alc_gc_segment *segment, uint32_t index)
{
    struct alc_gc_block *block = alc_gc_block_at(segment, index);
    uint32_t count = block->blocks_count;
    heap->size -= (uint64_t)count * ALC_GC_BLOCK_SIZE;
    alc_budget_give(heap->budget, (uint64_t)count * ALC_GC_BLOCK_SIZE);
    block->blocks_count = 0;
    for (uint32_t i = index; i < index + count && !alc_gc_is_huge(segment); i++) {
        alc_gc_block_at(segment, i)->blocks_count = 0;
        segment->free[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

/* -- objects -- */

static void set_up_block(struct alc_gc_heap *heap, struct alc_gc_block *block, uint32_t size_class,
                         uint32_t blocks_count)
{
    *block = (struct alc_gc_block){.size_class = size_class,
                                   .blocks_count = blocks_count,
                                   .objects_count = 1,
                                   .swept_cycle = heap->cycle};
    if (size_class != HEAP_LARGE) {
        block->object_size = CLASS_SIZES[size_class];
        block->objects_count = HEAP_ROOM / block->object_size;
        block->inverse =
            (uint32_t)((UINT64_C(0x100000000) + block->object_size - 1) / block->object_size);
    }
}

/* A free place in the block, or NULL. */
static struct alc_object *take_place(const struct alc_gc_heap *heap, struct alc_gc_block *block)
{
    for (; block->cursor * 64 < block->objects_count; block->cursor++) {
        uint64_t *word = &block->allocated[block->cursor];
        if (*word == UINT64_MAX) {
            continue;
        }
        uint32_t bit = (uint32_t)__builtin_ctzll(~*word);
        uint32_t index = block->cursor * 64 + bit;
        if (index >= block->objects_count) {
            return NULL;
        }
        *word |= UINT64_C(1) << bit;
        if (heap->phase == ALC_GC_MARKING) { /* what is new survives, and has nothing to scan */
            block->marked[block->cursor] |= UINT64_C(1) << bit;
            block->scanned[block->cursor] |= UINT64_C(1) << bit;
        }
        return alc_gc_object_at(block, index);
    }
    return NULL;
}

/* A block of the class with room: a swept one, or a new one. */
static struct alc_gc_block *next_block(struct alc_gc_heap *heap, uint32_t class)
{
    for (unsigned i = 0; i < SWEEPS_MAX && heap->partial[class] == NULL; i++) {
        if (!alc_gc_sweep_some(heap)) {
            break;
        }
    }
    struct alc_gc_block *block = heap->partial[class];
    if (block != NULL) {
        heap->partial[class] = block->next;
        return block;
    }
    block = take_blocks(heap, 1);
    if (block != NULL) {
        set_up_block(heap, block, class, 1);
    }
    return block;
}

static struct alc_object *refill(struct alc_gc_heap *heap, uint32_t class)
{
    alc_gc_step(heap, ALC_GC_BLOCK_SIZE);
    for (unsigned tries = 0; tries < 2; tries++) {
        struct alc_gc_block *block = next_block(heap, class);
        while (block != NULL) {
            heap->current[class] = block;
            struct alc_object *object = take_place(heap, block);
            if (object != NULL) {
                return object;
            }
            block = next_block(heap, class);
        }
        alc_gc_collect(heap);
    }
    return NULL;
}

static struct alc_object *new_small(struct alc_gc_heap *heap, uint32_t size)
{
    uint32_t class = class_of_size(size);
    struct alc_gc_block *block = heap->current[class];
    struct alc_object *object = block != NULL ? take_place(heap, block) : NULL;
    return ALC_LIKELY(object != NULL) ? object : refill(heap, class);
}

static struct alc_object *new_large(struct alc_gc_heap *heap, uint64_t size)
{
    uint64_t count =
        (size + sizeof(struct alc_gc_block) + ALC_GC_BLOCK_SIZE - 1) / ALC_GC_BLOCK_SIZE;
    if (count * ALC_GC_BLOCK_SIZE > heap->size_max) {
        return NULL;
    }
    alc_gc_step(heap, count * ALC_GC_BLOCK_SIZE);
    struct alc_gc_block *block = take_blocks(heap, (uint32_t)count);
    if (block == NULL) {
        alc_gc_collect(heap);
        block = take_blocks(heap, (uint32_t)count);
    }
    if (block == NULL) {
        return NULL;
    }
    set_up_block(heap, block, HEAP_LARGE, (uint32_t)count);
    return take_place(heap, block);
}

struct alc_object *alc_gc_new(struct alc_gc_heap *heap, uint32_t type_id, uint32_t length,
                              uint64_t size)
{
    uint64_t whole = size + ALC_OBJECT_HEADER;
    if (ALC_UNLIKELY(heap->collects_always)) {
        alc_gc_collect(heap);
    }
    struct alc_object *object = whole <= CLASS_SIZES[ALC_GC_CLASSES - 1]
                                    ? new_small(heap, (uint32_t)whole)
                                    : new_large(heap, whole);
    if (object != NULL) {
        *object = (struct alc_object){.type_id = type_id, .length = length};
    }
    return object;
}
