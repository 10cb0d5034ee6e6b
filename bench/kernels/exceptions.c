/* SPDX-License-Identifier: Apache-2.0
 *
 * The native twin of exceptions.wat: the same ways out with setjmp and longjmp.
 */
#include "harness.h"

#include <setjmp.h>

static jmp_buf handler;
static volatile uint32_t thrown;

static __attribute__((noinline)) uint32_t descend(uint32_t depth, uint32_t value)
{
    if (depth == 0) {
        if ((value & 3) == 0) {
            thrown = value ^ 0x55;
            longjmp(handler, 1);
        }
        return value;
    }
    return 1 + descend(depth - 1, value);
}

static __attribute__((noinline)) uint32_t attempt(uint32_t depth, uint32_t value)
{
    if (setjmp(handler) != 0) {
        return thrown;
    }
    return descend(depth, value) + 7;
}

uint64_t exceptions(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = mix(sum, attempt((round & 7) + 1, round * 0x9e3779b1U >> 7));
    }
    return sum;
}
