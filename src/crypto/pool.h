/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for mbedTLS, which asks for it without saying on whose behalf: one pool for all threads.
 */
#ifndef ALC_CRYPTO_POOL_H
#define ALC_CRYPTO_POOL_H

#include "base/compiler.h"

/* Place for one operation: at least twice what any needs, so that holes do no harm
 * (tests/unit/crypto measures the largest). */
enum { ALC_POOL_OPERATION_SIZE = 16384 };

/* Around every use of mbedTLS that may allocate: leave lets the next thread in. enter waits while
 * the pool has no room for another operation. */
void alc_pool_enter(void);
void alc_pool_leave(void);
/* Bytes in use now; 0 when no operation runs. */
size_t alc_pool_used(void);
/* The most that was ever in use. */
size_t alc_pool_peak(void);

#endif
