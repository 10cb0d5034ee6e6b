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

static struct {
    ALC_ALIGNED(UNIT) uint8_t bytes[POOL_SIZE];
    size_t used;
    size_t peak;
    uint32_t lock;
    uint32_t operations_count;
    bool is_ready;
} pool;

static struct block *block_at(size_t offset)
{
    return (struct block *)(void *)(pool.bytes + offset);
}

/* Makes the free block at `offset` as large as its free neighbours behind it allow. */
static void merge(size_t offset)
{
    struct block *block = block_at(offset);
    for (;;) {
        size_t next = offset + sizeof *block + block->size;
        if (next >= POOL_SIZE || block_at(next)->is_used) {
            return;
        }
        block->size += (uint32_t)sizeof *block + block_at(next)->size;
    }
}

static void *take(size_t size)
{
    for (size_t offset = 0; offset < POOL_SIZE;) {
        struct block *block = block_at(offset);
        if (!block->is_used) {
            merge(offset);
            if (block->size >= size) {
                if (block->size - size > sizeof *block) {
                    *block_at(offset + sizeof *block + size) =
                        (struct block){.size = block->size - (uint32_t)(size + sizeof *block)};
                    block->size = (uint32_t)size;
                }
                block->is_used = 1;
                pool.used += sizeof *block + block->size;
                pool.peak = pool.used > pool.peak ? pool.used : pool.peak;
                return block + 1;
            }
        }
        offset += sizeof *block + block->size;
    }
    return NULL;
}

void *alc_mbedtls_calloc(size_t count, size_t size)
{
    size_t wanted;
    if (!alc_mul_size(count, size, &wanted) || wanted == 0 || wanted > POOL_SIZE) {
        return NULL;
    }
    wanted = (wanted + UNIT - 1) & ~(size_t)(UNIT - 1);
    alc_spin_lock(&pool.lock);
    if (!pool.is_ready) {
        *block_at(0) = (struct block){.size = POOL_SIZE - sizeof(struct block)};
        pool.is_ready = true;
    }
    void *memory = take(wanted);
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
    block->is_used = 0;
    pool.used -= sizeof *block + block->size;
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
        bool is_in = pool.operations_count < ALC_CRYPTO_OPERATIONS_MAX;
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

size_t alc_pool_used(void)
{
    return __atomic_load_n(&pool.used, __ATOMIC_RELAXED);
}

size_t alc_pool_peak(void)
{
    return __atomic_load_n(&pool.peak, __ATOMIC_RELAXED);
}
