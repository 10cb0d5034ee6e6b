/* SPDX-License-Identifier: Apache-2.0
 *
 * ChaCha20: a buffer encrypted in place, again and again.
 */
#include "harness.h"

enum { BUFFER = 4096 };

static uint8_t buffer[BUFFER];

static inline uint32_t rotate(uint32_t word, int by)
{
    return word << by | word >> (32 - by);
}

static inline void quarter(uint32_t *x, int a, int b, int c, int d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

static void encrypt_block(const uint32_t input[16], uint8_t *data)
{
    uint32_t x[16];
    memcpy(x, input, sizeof(x));
    for (int i = 0; i < 10; i++) {
        quarter(x, 0, 4, 8, 12);
        quarter(x, 1, 5, 9, 13);
        quarter(x, 2, 6, 10, 14);
        quarter(x, 3, 7, 11, 15);
        quarter(x, 0, 5, 10, 15);
        quarter(x, 1, 6, 11, 12);
        quarter(x, 2, 7, 8, 13);
        quarter(x, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++) {
        uint32_t word = x[i] + input[i];
        data[4 * i] ^= (uint8_t)word;
        data[4 * i + 1] ^= (uint8_t)(word >> 8);
        data[4 * i + 2] ^= (uint8_t)(word >> 16);
        data[4 * i + 3] ^= (uint8_t)(word >> 24);
    }
}

uint64_t chacha20(uint32_t rounds)
{
    uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (uint32_t i = 4; i < 16; i++) {
        input[i] = i * 0x01010101U;
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t at = 0; at < BUFFER; at += 64) {
            encrypt_block(input, buffer + at);
            input[12]++;
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BUFFER; i++) {
        sum = mix(sum, buffer[i]);
    }
    return sum;
}
