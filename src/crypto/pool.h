/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for mbedTLS, which asks for it without saying on whose behalf: one pool for all threads,
 * or the heap of whoever is in alone.
 */
#ifndef ALC_CRYPTO_POOL_H
#define ALC_CRYPTO_POOL_H

#include "base/compiler.h"

/* Memory that is given out and taken back in pieces. */
struct alc_pool_heap {
    uint8_t *bytes; /* borrowed, aligned to 16 */
    size_t size;    /* a multiple of 16 */
    size_t used;
    size_t peak;
};

/* Place for one operation: at least one and a half times what any needs, so that holes do no harm
 * (the largest is a verification with RSA-4096; tests/unit/crypto measures it). */
enum { ALC_POOL_OPERATION_SIZE = 16384 };

/* Around every use of mbedTLS that may allocate: leave lets the next thread in. enter waits while
 * the pool has no room for another operation. */
void alc_pool_enter(void);
void alc_pool_leave(void);
/* The same for work whose memory outlives an operation, as a TLS connection's does: until
 * leave_alone, mbedTLS takes memory from `heap` and gives it back there, and nobody else is in.
 * Functions of crypto.h that wait for the pool MUST NOT be called meanwhile. */
void alc_pool_heap_init(struct alc_pool_heap *heap, uint8_t *bytes, size_t size);
void alc_pool_enter_alone(struct alc_pool_heap *heap);
void alc_pool_leave_alone(void);
/* Bytes in use now; 0 when no operation runs. */
size_t alc_pool_used(void);
/* The most that was ever in use. */
size_t alc_pool_peak(void);

#endif
