/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of 128 bits, written with the compiler's vector types so that the native program uses the
 * same: a product of matrices in single precision, and bytes counted and changed.
 */
#include "harness.h"

typedef float floats __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint32_t words __attribute__((vector_size(16)));

enum { SIDE = 64, TEXT_VECTORS = 1024 };

static floats left[SIDE][SIDE / 4];
static floats right[SIDE][SIDE / 4];
static floats product[SIDE][SIDE / 4];
static bytes text[TEXT_VECTORS];

uint64_t simd_matrix(uint32_t rounds)
{
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        ((float *)left)[i] = (float)(i % 17) * 0.5F;
        ((float *)right)[i] = (float)(i % 13) * 0.25F;
    }
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < SIDE; i++) {
            for (uint32_t j = 0; j < SIDE / 4; j++) {
                floats total = {0, 0, 0, 0};
                for (uint32_t k = 0; k < SIDE; k++) {
                    total += ((float *)left)[i * SIDE + k] * right[k][j];
                }
                product[i][j] = total;
            }
        }
        ((float *)left)[round % (SIDE * SIDE)] += 1.0F;
        sum = mix(sum, (uint64_t)((float *)product)[round * 7 % (SIDE * SIDE)]);
    }
    return sum;
}

uint64_t simd_bytes(uint32_t rounds)
{
    uint32_t state = 31;
    for (uint32_t i = 0; i < sizeof(text); i++) {
        ((uint8_t *)text)[i] = (uint8_t)random_next(&state);
    }
    words counts = {0, 0, 0, 0};
    for (uint32_t round = 0; round < rounds; round++) {
        bytes low = {0};
        low += (uint8_t)'A';
        for (uint32_t i = 0; i < TEXT_VECTORS; i++) {
            bytes offset = text[i] - low;
            bytes is_upper = (bytes)(offset < 26);
            text[i] = (text[i] | (is_upper & 0x20)) + (bytes)(text[i] > 200);
            counts += (words)(is_upper & 1);
            counts ^= (words)text[i] >> 3;
        }
    }
    return mix(mix(mix(counts[0], counts[1]), counts[2]), counts[3]);
}
