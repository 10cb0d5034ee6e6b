/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks as vectors, and one of them through AES.
 */
#ifndef ALC_CRYPTO_AES_INTERNAL_H
#define ALC_CRYPTO_AES_INTERNAL_H

#include <wmmintrin.h>

#include "crypto/crypto.h"

static inline __m128i alc_block_load(const void *bytes)
{
    return _mm_loadu_si128(bytes);
}

/* `bytes` MUST be aligned to 16: instructions can take their operand from there. */
static inline __m128i alc_block_load_aligned(const void *bytes)
{
    return _mm_load_si128(bytes);
}

static inline void alc_block_store(void *bytes, __m128i block)
{
    _mm_storeu_si128(bytes, block);
}

static inline __m128i alc_aes_round_key(const struct alc_aes_key *key, size_t index)
{
    return alc_block_load_aligned(key->round_keys[index]);
}

static inline __m128i alc_aes_encrypt(const struct alc_aes_key *key, __m128i block)
{
    block = _mm_xor_si128(block, alc_aes_round_key(key, 0));
    for (size_t round = 1; round < key->rounds; round++) {
        block = _mm_aesenc_si128(block, alc_aes_round_key(key, round));
    }
    return _mm_aesenclast_si128(block, alc_aes_round_key(key, key->rounds));
}

#endif
