/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory: streams of words and bytes, copying as a whole, and a walk where each load gives the
 * address of the next.
 */
#include "harness.h"

enum { WORDS = 1 << 14, LINKS = 1 << 15 };

static uint32_t first[WORDS];
static uint32_t second[WORDS];
static uint32_t links[LINKS];

uint64_t memory_stream(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        first[i] = i * 2654435761U;
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < WORDS; i++) {
            second[i] = first[i] + second[i] * 3 + round;
        }
        uint8_t *bytes = (uint8_t *)second;
        for (uint32_t i = 1; i < sizeof(second); i++) {
            bytes[i] = (uint8_t)(bytes[i] + bytes[i - 1]);
        }
        sum = mix(sum, second[round % WORDS]);
    }
    return sum;
}

uint64_t memory_bulk(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        first[i] = i * 2654435761U;
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t size = 1; size < 4096; size = size * 2 + 3) {
            uint32_t place = (round * 37 + size) % WORDS / 2;
            memcpy(second + place / 2, first + place, size);
            memmove(first + 5, first, size);
            memset(second + place, (int)size, size / 2);
            sum = mix(sum, second[place] ^ first[size % 1024]);
        }
    }
    return sum;
}

uint64_t memory_chase(uint32_t rounds)
{
    /* A permutation that is one cycle: each place is swapped with one before it. */
    uint32_t state = 4711;
    for (uint32_t i = 0; i < LINKS; i++) {
        links[i] = i;
    }
    for (uint32_t i = LINKS - 1; i > 0; i--) {
        uint32_t other = random_next(&state) % i;
        uint32_t kept = links[i];
        links[i] = links[other];
        links[other] = kept;
    }
    uint64_t sum = 0;
    uint32_t place = 0;
    for (uint32_t i = 0; i < rounds * LINKS; i++) {
        place = links[place];
        sum += place ^ i;
    }
    return sum;
}
