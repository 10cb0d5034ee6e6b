/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 in portable C (FIPS 180-4, section 6.2), and by instructions where somebody said that the
 * processor has them. It runs over images and modules once each time a program starts.
 */
#include "base/bytes.h"
#include "base/sha256_internal.h"

const uint32_t alc_sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate_right(uint32_t value, unsigned count)
{
    return value >> count | value << (32 - count);
}

static void expand_schedule(uint32_t schedule[64], const uint8_t *block)
{
    for (unsigned i = 0; i < 16; i++) {
        schedule[i] = __builtin_bswap32(alc_load_u32(block + 4 * i));
    }
    for (unsigned i = 16; i < 64; i++) {
        uint32_t w15 = schedule[i - 15];
        uint32_t w2 = schedule[i - 2];
        uint32_t sigma0 = rotate_right(w15, 7) ^ rotate_right(w15, 18) ^ w15 >> 3;
        uint32_t sigma1 = rotate_right(w2, 17) ^ rotate_right(w2, 19) ^ w2 >> 10;
        schedule[i] = schedule[i - 16] + sigma0 + schedule[i - 7] + sigma1;
    }
}

/* One round. The eight words are renamed from round to round, not moved. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
    do {                                                                                           \
        uint32_t sum1_ = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);           \
        uint32_t temp1_ = h + sum1_ + (g ^ (e & (f ^ g))) + alc_sha256_constants[i] + schedule[i]; \
        uint32_t sum0_ = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);           \
        d += temp1_;                                                                               \
        h = temp1_ + sum0_ + ((a & b) | (c & (a | b)));                                            \
    } while (0)

static void compress(uint32_t state[8], const uint8_t *block)
{
    ALC_UNINITIALIZED uint32_t schedule[64];
    expand_schedule(schedule, block);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned i = 0; i < 64; i += 8) {
        ROUND(a, b, c, d, e, f, g, h, i);
        ROUND(h, a, b, c, d, e, f, g, i + 1);
        ROUND(g, h, a, b, c, d, e, f, i + 2);
        ROUND(f, g, h, a, b, c, d, e, i + 3);
        ROUND(e, f, g, h, a, b, c, d, i + 4);
        ROUND(d, e, f, g, h, a, b, c, i + 5);
        ROUND(c, d, e, f, g, h, a, b, i + 6);
        ROUND(b, c, d, e, f, g, h, a, i + 7);
    }
    const uint32_t words[8] = {a, b, c, d, e, f, g, h};
    for (unsigned i = 0; i < 8; i++) {
        state[i] += words[i];
    }
}

alc_sha256_blocks *alc_sha256_blocks_function;

/* `blocks_count` is not 0. */
static void compress_blocks(uint32_t state[8], const uint8_t *blocks, size_t blocks_count)
{
    if (alc_sha256_blocks_function != NULL) {
        alc_sha256_blocks_function(state, blocks, blocks_count);
        return;
    }
    do {
        compress(state, blocks);
        blocks += ALC_SHA256_BLOCK_SIZE;
    } while (--blocks_count > 0);
}

void alc_sha256_init(struct alc_sha256 *hash)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    alc_copy(hash->state, initial, sizeof initial);
    hash->size = 0;
}

void alc_sha256_update(struct alc_sha256 *hash, const void *bytes, size_t size)
{
    const uint8_t *next = bytes;
    size_t filled = hash->size % ALC_SHA256_BLOCK_SIZE;
    hash->size += size;
    while (size > 0) {
        if (filled == 0 && size >= ALC_SHA256_BLOCK_SIZE) {
            size_t blocks_count = size / ALC_SHA256_BLOCK_SIZE;
            compress_blocks(hash->state, next, blocks_count);
            next += blocks_count * ALC_SHA256_BLOCK_SIZE;
            size %= ALC_SHA256_BLOCK_SIZE;
            continue;
        }
        size_t chunk = ALC_SHA256_BLOCK_SIZE - filled;
        chunk = chunk < size ? chunk : size;
        alc_copy(hash->block + filled, next, chunk);
        filled += chunk;
        next += chunk;
        size -= chunk;
        if (filled == ALC_SHA256_BLOCK_SIZE) {
            compress_blocks(hash->state, hash->block, 1);
            filled = 0;
        }
    }
}

/* Cold: the time goes into compress, so the rest is made small. */
ALC_COLD void alc_sha256_finish(struct alc_sha256 *hash, uint8_t digest[ALC_SHA256_SIZE])
{
    uint64_t bits = __builtin_bswap64(hash->size * 8);
    uint8_t padding = 0x80;
    do {
        alc_sha256_update(hash, &padding, sizeof padding);
        padding = 0;
    } while (hash->size % ALC_SHA256_BLOCK_SIZE != ALC_SHA256_BLOCK_SIZE - sizeof bits);
    alc_sha256_update(hash, &bits, sizeof bits);
    for (unsigned i = 0; i < 8; i++) {
        alc_store_u32(digest + 4 * i, __builtin_bswap32(hash->state[i]));
    }
}

ALC_COLD void alc_sha256(const void *bytes, size_t size, uint8_t digest[ALC_SHA256_SIZE])
{
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, bytes, size);
    alc_sha256_finish(&hash, digest);
}
