/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool behind mbedTLS: first fit over a list of neighbours, merged when they are looked at. An
 * operation makes a few dozen small allocations and gives them all back, so the list stays short.
 * Freed memory is wiped: numbers that depend on keys live here.
 */
#include "crypto/pool.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/spin.h"
#include "crypto/crypto.h"
#include "crypto/mbedtls_config.h"

enum { UNIT = 16 };
enum { POOL_SIZE = ALC_CRYPTO_OPERATIONS_MAX * ALC_POOL_OPERATION_SIZE };

/* Before each block; the next one begins `size` bytes behind this one's payload. */
struct block {
    uint32_t size; /* of the payload, a multiple of UNIT */
    uint32_t is_used;
    uint64_t padding;
};
_Static_assert(sizeof(struct block) == UNIT, "payloads stay aligned");

static ALC_ALIGNED(UNIT) uint8_t pool_bytes[POOL_SIZE];

static struct {
    struct alc_pool_heap heap;     /* over pool_bytes */
    struct alc_pool_heap *current; /* NULL until it is first asked for: the pool's own */
    uint32_t lock;
    uint32_t operations_count;
    uint32_t alone_count; /* who are or want to be alone */
} pool;

static struct block *block_at(const struct alc_pool_heap *heap, size_t offset)
{
    return (struct block *)(void *)(heap->bytes + offset);
}

/* Makes the free block at `offset` as large as its free neighbours behind it allow. */
static void merge(const struct alc_pool_heap *heap, size_t offset)
{
    struct block *block = block_at(heap, offset);
    for (;;) {
        size_t next = offset + sizeof *block + block->size;
        if (next >= heap->size || block_at(heap, next)->is_used) {
            return;
        }
        block->size += (uint32_t)sizeof *block + block_at(heap, next)->size;
    }
}

static void *take(struct alc_pool_heap *heap, size_t size)
{
    for (size_t offset = 0; offset < heap->size;) {
        struct block *block = block_at(heap, offset);
        if (!block->is_used) {
            merge(heap, offset);
            if (block->size >= size) {
                if (block->size - size > sizeof *block) {
                    *block_at(heap, offset + sizeof *block + size) =
                        (struct block){.size = block->size - (uint32_t)(size + sizeof *block)};
                    block->size = (uint32_t)size;
                }
                block->is_used = 1;
                heap->used += sizeof *block + block->size;
                heap->peak = heap->used > heap->peak ? heap->used : heap->peak;
                return block + 1;
            }
        }
        offset += sizeof *block + block->size;
    }
    return NULL;
}

void alc_pool_heap_init(struct alc_pool_heap *heap, uint8_t *bytes, size_t size)
{
    ALC_ASSERT(size > sizeof(struct block) && size % UNIT == 0 && size <= UINT32_MAX);
    ALC_ASSERT((uintptr_t)bytes % UNIT == 0);
    *heap = (struct alc_pool_heap){.bytes = bytes, .size = size};
    *block_at(heap, 0) = (struct block){.size = (uint32_t)(size - sizeof(struct block))};
}

/* Under the lock. */
static struct alc_pool_heap *get_heap(void)
{
    if (pool.current == NULL) {
        alc_pool_heap_init(&pool.heap, pool_bytes, POOL_SIZE);
        pool.current = &pool.heap;
    }
    return pool.current;
}

void *alc_mbedtls_calloc(size_t count, size_t size)
{
    size_t wanted;
    if (!alc_mul_size(count, size, &wanted) || wanted == 0 || wanted > UINT32_MAX / 2) {
        return NULL;
    }
    wanted = (wanted + UNIT - 1) & ~(size_t)(UNIT - 1);
    alc_spin_lock(&pool.lock);
    void *memory = take(get_heap(), wanted);
    alc_spin_unlock(&pool.lock);
    if (memory != NULL) {
        alc_fill(memory, 0, wanted);
    }
    return memory;
}

void alc_mbedtls_free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    struct block *block = (struct block *)memory - 1;
    ALC_ASSERT(block->is_used == 1);
    alc_wipe(memory, block->size);
    alc_spin_lock(&pool.lock);
    struct alc_pool_heap *heap = get_heap();
    ALC_ASSERT((uintptr_t)memory - (uintptr_t)heap->bytes < heap->size);
    block->is_used = 0;
    heap->used -= sizeof *block + block->size;
    alc_spin_unlock(&pool.lock);
}

void mbedtls_platform_zeroize(void *buf, size_t size);
void mbedtls_zeroize_and_free(void *buf, size_t size);

void mbedtls_platform_zeroize(void *buf, size_t size)
{
    if (size != 0) {
        alc_wipe(buf, size);
    }
}

void mbedtls_zeroize_and_free(void *buf, size_t size)
{
    (void)size; /* all of the block is wiped */
    alc_mbedtls_free(buf);
}

void alc_pool_enter(void)
{
    for (;;) {
        alc_spin_lock(&pool.lock);
        bool is_in = pool.operations_count < ALC_CRYPTO_OPERATIONS_MAX && pool.alone_count == 0;
        pool.operations_count += is_in;
        alc_spin_unlock(&pool.lock);
        if (is_in) {
            return;
        }
        __asm__ volatile("pause");
    }
}

void alc_pool_leave(void)
{
    alc_spin_lock(&pool.lock);
    pool.operations_count--;
    alc_spin_unlock(&pool.lock);
}

void alc_pool_enter_alone(struct alc_pool_heap *heap)
{
    alc_spin_lock(&pool.lock);
    pool.alone_count++; /* from now on nobody else comes in */
    alc_spin_unlock(&pool.lock);
    for (;;) {
        alc_spin_lock(&pool.lock);
        bool is_in = pool.operations_count == 0 && get_heap() == &pool.heap;
        if (is_in) {
            pool.current = heap;
        }
        alc_spin_unlock(&pool.lock);
        if (is_in) {
            return;
        }
        __asm__ volatile("pause");
    }
}

void alc_pool_leave_alone(void)
{
    alc_spin_lock(&pool.lock);
    pool.current = &pool.heap;
    pool.alone_count--;
    alc_spin_unlock(&pool.lock);
}

size_t alc_pool_used(void)
{
    return __atomic_load_n(&pool.heap.used, __ATOMIC_RELAXED);
}

size_t alc_pool_peak(void)
{
    return __atomic_load_n(&pool.heap.peak, __ATOMIC_RELAXED);
}
