/* SPDX-License-Identifier: Apache-2.0
 *
 * What every kernel offers, and small helpers. harness.c calls one kernel, named at compile time by
 * BENCH_KERNEL, and prints the time it took and its checksum. The checksum must be the same on
 * every engine and natively: it holds no pointers, no sizes of pointers, nothing that depends on
 * time.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdint.h>
#include <string.h>

/* Does the work `rounds` times and returns a checksum of all that it computed. */
uint64_t BENCH_KERNEL(uint32_t rounds);

/* One step of a checksum: order matters. */
static inline uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * UINT64_C(0x100000001b3);
}

static inline uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Steps the generator (xorshift, any state but 0) and returns its 32 bits. */
static inline uint32_t random_next(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

#endif
