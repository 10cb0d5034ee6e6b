/* SPDX-License-Identifier: Apache-2.0
 *
 * AES-128 in counter mode with tables of words, which the program computes when it starts.
 */
#include "harness.h"

enum { BUFFER = 4096, ROUNDS = 10 };

static uint8_t box[256];
static uint32_t tables[4][256];
static uint32_t keys[4 * (ROUNDS + 1)];
static uint8_t buffer[BUFFER];

static uint8_t times_two(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static inline uint32_t rotate(uint32_t word, int by)
{
    return by == 0 ? word : word >> by | word << (32 - by);
}

/* Walks the field by a generator and its inverse at once, so that each step gives an inverse. */
static void make_tables(void)
{
    uint8_t p = 1, q = 1;
    do {
        p ^= times_two(p);
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        if (q & 0x80) {
            q ^= 0x09;
        }
        uint32_t doubled = q * 0x101U;
        box[p] = (uint8_t)(q ^ doubled >> 7 ^ doubled >> 6 ^ doubled >> 5 ^ doubled >> 4 ^ 0x63);
    } while (p != 1);
    box[0] = 0x63;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t s = box[i];
        uint32_t twice = times_two(box[i]);
        uint32_t word = twice << 24 | s << 16 | s << 8 | (twice ^ s);
        for (int table = 0; table < 4; table++) {
            tables[table][i] = rotate(word, 8 * table);
        }
    }
}

static uint32_t substitute(uint32_t word)
{
    return (uint32_t)box[word >> 24] << 24 | (uint32_t)box[word >> 16 & 255] << 16 |
           (uint32_t)box[word >> 8 & 255] << 8 | box[word & 255];
}

static void expand_key(void)
{
    uint8_t constant = 1;
    for (uint32_t i = 0; i < 4; i++) {
        keys[i] = 0x00010203U + 0x04040404U * i;
    }
    for (uint32_t i = 4; i < 4 * (ROUNDS + 1); i++) {
        uint32_t word = keys[i - 1];
        if (i % 4 == 0) {
            word = substitute(rotate(word, 24)) ^ (uint32_t)constant << 24;
            constant = times_two(constant);
        }
        keys[i] = keys[i - 4] ^ word;
    }
}

static void encrypt(const uint32_t in[4], uint32_t out[4])
{
    uint32_t s[4], t[4];
    for (int i = 0; i < 4; i++) {
        s[i] = in[i] ^ keys[i];
    }
    for (int round = 1; round < ROUNDS; round++) {
        for (int i = 0; i < 4; i++) {
            t[i] = tables[0][s[i] >> 24] ^ tables[1][s[(i + 1) % 4] >> 16 & 255] ^
                   tables[2][s[(i + 2) % 4] >> 8 & 255] ^ tables[3][s[(i + 3) % 4] & 255] ^
                   keys[4 * round + i];
        }
        memcpy(s, t, sizeof(s));
    }
    for (int i = 0; i < 4; i++) {
        uint32_t word = (s[i] & 0xff000000U) | (s[(i + 1) % 4] & 0xff0000U) |
                        (s[(i + 2) % 4] & 0xff00U) | (s[(i + 3) % 4] & 0xffU);
        out[i] = substitute(word) ^ keys[4 * ROUNDS + i];
    }
}

uint64_t aes_ctr(uint32_t rounds)
{
    make_tables();
    expand_key();
    uint32_t counter[4] = {0x00112233, 0x44556677, 0x8899aabb, 0xccddeeff};
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t at = 0; at < BUFFER; at += 16) {
            uint32_t stream[4];
            encrypt(counter, stream);
            for (uint32_t i = 0; i < 16; i++) {
                buffer[at + i] ^= (uint8_t)(stream[i / 4] >> (24 - 8 * (i % 4)));
            }
            counter[3]++;
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BUFFER; i++) {
        sum = mix(sum, buffer[i]);
    }
    return sum;
}
