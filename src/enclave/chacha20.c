/* SPDX-License-Identifier: Apache-2.0
 *
 * The block function of ChaCha20 (RFC 8439, section 2.3). Constant time: additions, rotations and
 * exclusive ors only.
 */
#include "base/bytes.h"
#include "enclave/random.h"

enum { WORDS = 16, DOUBLE_ROUNDS = 10 };

static uint32_t rotate_left(uint32_t value, unsigned bits)
{
    return (value << bits) | (value >> (32 - bits));
}

static void quarter_round(uint32_t state[WORDS], unsigned a, unsigned b, unsigned c, unsigned d)
{
    state[a] += state[b];
    state[d] = rotate_left(state[d] ^ state[a], 16);
    state[c] += state[d];
    state[b] = rotate_left(state[b] ^ state[c], 12);
    state[a] += state[b];
    state[d] = rotate_left(state[d] ^ state[a], 8);
    state[c] += state[d];
    state[b] = rotate_left(state[b] ^ state[c], 7);
}

void alc_chacha20_block(const uint8_t key[ALC_CHACHA20_KEY_SIZE], uint64_t counter,
                        uint8_t block[ALC_CHACHA20_BLOCK_SIZE])
{
    /* "expand 32-byte k" */
    uint32_t start[WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t state[WORDS];
    for (unsigned i = 0; i < 8; i++) {
        start[4 + i] = alc_load_u32(key + 4 * i);
    }
    start[12] = (uint32_t)counter;
    start[13] = (uint32_t)(counter >> 32);
    alc_copy(state, start, sizeof state);
    for (unsigned i = 0; i < DOUBLE_ROUNDS; i++) {
        for (unsigned column = 0; column < 4; column++) {
            quarter_round(state, column, 4 + column, 8 + column, 12 + column);
        }
        for (unsigned column = 0; column < 4; column++) {
            quarter_round(state, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4,
                          12 + (column + 3) % 4);
        }
    }
    for (unsigned i = 0; i < WORDS; i++) {
        alc_store_u32(block + 4 * i, state[i] + start[i]);
    }
    alc_wipe(state, sizeof state);
    alc_wipe(start, sizeof start);
}
