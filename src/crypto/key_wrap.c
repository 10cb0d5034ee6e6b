/* SPDX-License-Identifier: Apache-2.0
 *
 * AES key wrap (RFC 3394) and the key derivation that JSON Web Encryption uses with it. Decryption
 * is the processor's instruction too, with round keys that are inverted when they are needed: keys
 * that are wrapped are short and few.
 */
#include "crypto/aes_internal.h"

#include "base/bytes.h"

enum { HALF = ALC_AES_BLOCK_SIZE / 2, ROUNDS = 6 };

static const uint8_t initial_value[HALF] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};

static __m128i decrypt(const struct alc_aes_key *key, __m128i block)
{
    block = _mm_xor_si128(block, alc_aes_round_key(key, key->rounds));
    for (size_t round = key->rounds - 1; round > 0; round--) {
        block = _mm_aesdec_si128(block, _mm_aesimc_si128(alc_aes_round_key(key, round)));
    }
    return _mm_aesdeclast_si128(block, alc_aes_round_key(key, 0));
}

/* The step counter goes into the first half, big-endian. */
static void mix_step(uint8_t half[HALF], uint64_t step)
{
    alc_store_u64(half, alc_load_u64(half) ^ __builtin_bswap64(step));
}

void alc_aes_key_wrap(const struct alc_aes_key *key, const uint8_t *text, size_t size, uint8_t *out)
{
    const size_t count = size / HALF;
    uint8_t block[ALC_AES_BLOCK_SIZE];
    ALC_ASSERT(size % HALF == 0 && count >= 2);
    alc_move(out + HALF, text, size);
    alc_copy(block, initial_value, HALF);
    for (size_t step = 1; step <= ROUNDS * count; step++) {
        uint8_t *half = out + HALF * (1 + (step - 1) % count);
        alc_copy(block + HALF, half, HALF);
        alc_block_store(block, alc_aes_encrypt(key, alc_block_load(block)));
        alc_copy(half, block + HALF, HALF);
        mix_step(block, step);
    }
    alc_copy(out, block, HALF);
    alc_wipe(block, sizeof block);
}

alc_status alc_aes_key_unwrap(const struct alc_aes_key *key, const uint8_t *wrapped, size_t size,
                              uint8_t *out)
{
    uint8_t block[ALC_AES_BLOCK_SIZE];
    if (size % HALF != 0 || size < 3 * HALF) {
        return ALC_E_NOT_AUTHENTIC;
    }
    const size_t count = size / HALF - 1;
    alc_copy(block, wrapped, HALF);
    alc_move(out, wrapped + HALF, count * HALF);
    for (size_t step = ROUNDS * count; step > 0; step--) {
        uint8_t *half = out + HALF * ((step - 1) % count);
        mix_step(block, step);
        alc_copy(block + HALF, half, HALF);
        alc_block_store(block, decrypt(key, alc_block_load(block)));
        alc_copy(half, block + HALF, HALF);
    }
    const bool is_authentic = alc_secret_equal(block, initial_value, HALF);
    alc_wipe(block, sizeof block);
    if (!is_authentic) {
        alc_wipe(out, count * HALF);
    }
    return is_authentic ? ALC_OK : ALC_E_NOT_AUTHENTIC;
}

void alc_concat_kdf(enum alc_hash_kind kind, const struct alc_hkdf_inputs *inputs, uint8_t *out,
                    size_t out_size)
{
    const size_t digest_size = alc_hash_size(kind);
    uint8_t digest[ALC_HASH_SIZE_MAX];
    ALC_ASSERT(inputs->salt_size == 0 && out_size <= 255 * digest_size);
    for (size_t done = 0; done < out_size; done += digest_size) {
        struct alc_hash hash;
        const uint8_t counter[4] = {0, 0, 0, (uint8_t)(done / digest_size + 1)};
        const size_t left = out_size - done;
        alc_hash_init(&hash, kind);
        alc_hash_update(&hash, counter, sizeof counter);
        alc_hash_update(&hash, inputs->secret, inputs->secret_size);
        alc_hash_update(&hash, inputs->info, inputs->info_size);
        alc_hash_finish(&hash, digest);
        alc_copy(out + done, digest, left < digest_size ? left : digest_size);
    }
    alc_wipe(digest, sizeof digest);
}
