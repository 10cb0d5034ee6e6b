/* SPDX-License-Identifier: Apache-2.0
 *
 * A lock for a few instructions, or for something as rare as growing a memory. Whoever waits spins,
 * so nothing that can wait for another thread may be done while it is held. 0 is free.
 */
#ifndef ALC_BASE_SPIN_H
#define ALC_BASE_SPIN_H

#include "base/compiler.h"

static inline void alc_spin_lock(uint32_t *lock)
{
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(lock, __ATOMIC_RELAXED) != 0) {
            __asm__ volatile("pause");
        }
    }
}

static inline void alc_spin_unlock(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
