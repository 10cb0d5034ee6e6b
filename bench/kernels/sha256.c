/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 over a buffer, round constants computed when the program starts.
 */
#include "harness.h"

enum { BUFFER = 4096 };

static uint32_t constants[64];
static uint8_t buffer[BUFFER];

/* The first 32 bits of the fractional part of the cube root of a prime, by bisection. */
static uint32_t cube_root_bits(uint32_t prime)
{
    uint64_t low = 0, high = UINT64_C(8) << 32;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        unsigned __int128 square = (unsigned __int128)middle * middle;
        unsigned __int128 limit = ((unsigned __int128)prime << 96) / middle;
        if (square <= limit) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (uint32_t)low;
}

static void make_constants(void)
{
    uint32_t count = 0;
    for (uint32_t candidate = 2; count < 64; candidate++) {
        uint32_t divisor = 2;
        while (candidate % divisor != 0) {
            divisor++;
        }
        if (divisor == candidate) {
            constants[count++] = cube_root_bits(candidate);
        }
    }
}

static inline uint32_t rotate(uint32_t word, int by)
{
    return word >> by | word << (32 - by);
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

uint64_t sha256(uint32_t rounds)
{
    make_constants();
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (uint32_t i = 0; i < BUFFER; i++) {
        buffer[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t at = 0; at < BUFFER; at += 64) {
            compress(state, buffer + at);
        }
    }
    return (uint64_t)state[0] << 32 ^ (uint64_t)state[3] << 16 ^ state[7];
}
