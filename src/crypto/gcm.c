/* SPDX-License-Identifier: Apache-2.0
 *
 * AES-GCM (SP 800-38D) by the processor's AES and carry-less multiplication, eight blocks at a
 * time: enough for both units to be busy with instructions that do not wait for each other.
 *
 * GHASH: a block is a polynomial with its first bit as the lowest coefficient, so bytes are
 * reversed on the way in and the product of two blocks comes out one bit too low. The powers of H
 * are kept multiplied by x, which takes care of that and lets one reduction of two folds end a sum
 * of products (Gueron and Kounavis, "Intel Carry-Less Multiplication Instruction and its Usage for
 * Computing the GCM Mode", algorithm 5, with the shift moved to the key).
 */
#include "crypto/aes_internal.h"

#include <tmmintrin.h>

#include "base/bytes.h"

enum { LANES = 8 };
#define TEXT_SIZE_MAX ((UINT64_C(1) << 36) - 32)
#define FIELD_HIGH                                                                                 \
    ((int64_t)0xC200000000000000) /* x^128 + x^127 + x^126 + x^121 + 1, reflected                  \
                                   */

static __m128i reverse_bytes(__m128i block)
{
    return _mm_shuffle_epi8(block,
                            _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

static __m128i swap_halves(__m128i block)
{
    return _mm_shuffle_epi32(block, 0x4E);
}

/* A sum of products of 256 bits, the middle part apart (Karatsuba). */
struct product {
    __m128i low;
    __m128i middle;
    __m128i high;
};

static ALC_ALWAYS_INLINE __m128i add_halves(__m128i block)
{
    return _mm_xor_si128(block, swap_halves(block));
}

/* `b_halves` has the sum of b's halves in its word `word`, 0 or 1. */
static ALC_ALWAYS_INLINE void add_product(struct product *sum, __m128i a, __m128i b,
                                          __m128i b_halves, size_t word)
{
    const __m128i a_halves = add_halves(a);
    sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(a, b, 0x00));
    sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(a, b, 0x11));
    sum->middle =
        _mm_xor_si128(sum->middle, word == 0 ? _mm_clmulepi64_si128(a_halves, b_halves, 0x00)
                                             : _mm_clmulepi64_si128(a_halves, b_halves, 0x10));
}

/* The same with hash_powers[index]. */
static ALC_ALWAYS_INLINE void add_power(struct product *sum, __m128i a,
                                        const struct alc_gcm_key *key, size_t index)
{
    add_product(sum, a, alc_block_load_aligned(key->hash_powers[index]),
                alc_block_load_aligned(key->hash_halves[index / 2]), index % 2);
}

static ALC_ALWAYS_INLINE __m128i reduce(const struct product *sum)
{
    const __m128i field = _mm_set_epi64x(0, FIELD_HIGH);
    __m128i middle = _mm_xor_si128(sum->middle, _mm_xor_si128(sum->low, sum->high));
    __m128i low = _mm_xor_si128(sum->low, _mm_slli_si128(middle, 8));
    __m128i high = _mm_xor_si128(sum->high, _mm_srli_si128(middle, 8));
    low = _mm_xor_si128(swap_halves(low), _mm_clmulepi64_si128(low, field, 0x00));
    low = _mm_xor_si128(swap_halves(low), _mm_clmulepi64_si128(low, field, 0x00));
    return _mm_xor_si128(high, low);
}

static __m128i multiply(__m128i a, __m128i b)
{
    struct product sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    add_product(&sum, a, b, add_halves(b), 0);
    return reduce(&sum);
}

/* H times x. */
static __m128i hash_key_from(__m128i block)
{
    __m128i key = reverse_bytes(block);
    __m128i carries = _mm_srli_epi64(key, 63);
    __m128i top = _mm_shuffle_epi32(carries, 0xAA); /* bit 127, as the low bit of each word */
    __m128i shifted = _mm_or_si128(_mm_slli_epi64(key, 1), _mm_slli_si128(carries, 8));
    __m128i mask = _mm_sub_epi32(_mm_setzero_si128(), top);
    return _mm_xor_si128(shifted, _mm_and_si128(mask, _mm_set_epi64x(FIELD_HIGH, 1)));
}

void alc_gcm_key_init(struct alc_gcm_key *key, const uint8_t *bytes, size_t size)
{
    alc_aes_key_init(&key->aes, bytes, size);
    const __m128i first = hash_key_from(alc_aes_encrypt(&key->aes, _mm_setzero_si128()));
    __m128i power = first;
    for (size_t i = 0; i < LANES; i++) {
        const uint64_t halves = (uint64_t)_mm_cvtsi128_si64(add_halves(power));
        alc_block_store(key->hash_powers[i], power);
        alc_store_u64(key->hash_halves[i / 2] + i % 2 * sizeof halves, halves);
        power = multiply(power, first);
    }
}

static ALC_ALWAYS_INLINE __m128i hash_lanes(const struct alc_gcm_key *key, __m128i hash,
                                            const __m128i blocks[LANES])
{
    struct product sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    for (size_t i = 0; i < LANES; i++) {
        __m128i block = reverse_bytes(blocks[i]);
        block = i == 0 ? _mm_xor_si128(block, hash) : block;
        add_power(&sum, block, key, LANES - 1 - i);
    }
    return reduce(&sum);
}

static __m128i hash_block(const struct alc_gcm_key *key, __m128i hash, __m128i block)
{
    return multiply(_mm_xor_si128(hash, reverse_bytes(block)), alc_block_load(key->hash_powers[0]));
}

static void hash_blocks(struct alc_gcm *gcm, const uint8_t *bytes, size_t blocks_count)
{
    __m128i hash = alc_block_load(gcm->hash);
    for (; blocks_count >= LANES; blocks_count -= LANES) {
        __m128i blocks[LANES];
        for (size_t i = 0; i < LANES; i++) {
            blocks[i] = alc_block_load(bytes + i * ALC_AES_BLOCK_SIZE);
        }
        hash = hash_lanes(gcm->key, hash, blocks);
        bytes += LANES * ALC_AES_BLOCK_SIZE;
    }
    for (; blocks_count > 0; blocks_count--) {
        hash = hash_block(gcm->key, hash, alc_block_load(bytes));
        bytes += ALC_AES_BLOCK_SIZE;
    }
    alc_block_store(gcm->hash, hash);
}

/* Ends data or text that fills its last block only in part: the rest are zeros. */
static void hash_rest(struct alc_gcm *gcm, uint64_t size)
{
    size_t filled = (size_t)(size % ALC_AES_BLOCK_SIZE);
    if (filled != 0) {
        alc_fill(gcm->block + filled, 0, ALC_AES_BLOCK_SIZE - filled);
        hash_blocks(gcm, gcm->block, 1);
    }
}

/* Counters are kept reversed: the number is the lowest word then. */
static __m128i next_counter(__m128i counter)
{
    return _mm_add_epi32(counter, _mm_set_epi32(0, 0, 0, 1));
}

static ALC_ALWAYS_INLINE __m128i start_lanes(const struct alc_aes_key *key, __m128i counter,
                                             __m128i streams[LANES])
{
    __m128i round_key = alc_aes_round_key(key, 0);
    for (size_t i = 0; i < LANES; i++) {
        streams[i] = _mm_xor_si128(reverse_bytes(counter), round_key);
        counter = next_counter(counter);
    }
    return counter;
}

static ALC_ALWAYS_INLINE void encrypt_round(const struct alc_aes_key *key, size_t round,
                                            __m128i streams[LANES])
{
    __m128i round_key = alc_aes_round_key(key, round);
    for (size_t i = 0; i < LANES; i++) {
        streams[i] = _mm_aesenc_si128(streams[i], round_key);
    }
}

static ALC_ALWAYS_INLINE void encrypt_end(const struct alc_aes_key *key, size_t round,
                                          __m128i streams[LANES])
{
    for (; round < key->rounds; round++) {
        encrypt_round(key, round, streams);
    }
    __m128i round_key = alc_aes_round_key(key, key->rounds);
    for (size_t i = 0; i < LANES; i++) {
        streams[i] = _mm_aesenclast_si128(streams[i], round_key);
    }
}

/* LANES blocks of streams, and the hash of LANES other blocks: a round of the one for each block of
 * the other, so that neither unit waits. */
static ALC_ALWAYS_INLINE __m128i encrypt_and_hash(const struct alc_gcm_key *key, __m128i *counter,
                                                  __m128i streams[LANES], __m128i hash,
                                                  const uint8_t *hashed)
{
    struct product sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    *counter = start_lanes(&key->aes, *counter, streams);
    for (size_t i = 0; i < LANES; i++) {
        __m128i block = reverse_bytes(alc_block_load(hashed + i * ALC_AES_BLOCK_SIZE));
        encrypt_round(&key->aes, i + 1, streams);
        block = _mm_xor_si128(block, hash);
        hash = _mm_setzero_si128();
        add_power(&sum, block, key, LANES - 1 - i);
    }
    encrypt_end(&key->aes, LANES + 1, streams);
    return reduce(&sum);
}

/* Whole blocks, LANES at a time; the count is a multiple of it, and not 0. What is sealed is hashed
 * one step later, from a copy: `out` may be anywhere. Two loops, one for each `is_sealing`. */
static ALC_ALWAYS_INLINE void crypt_lanes(struct alc_gcm *gcm, const uint8_t *in, uint8_t *out,
                                          size_t blocks_count, const bool is_sealing)
{
    const struct alc_gcm_key *key = gcm->key;
    __m128i hash = alc_block_load(gcm->hash);
    __m128i counter = alc_block_load(gcm->counter);
    uint8_t taken[LANES * ALC_AES_BLOCK_SIZE];
    for (bool is_first = true; blocks_count > 0; blocks_count -= LANES, is_first = false) {
        __m128i streams[LANES];
        if (!is_sealing) {
            for (size_t i = 0; i < LANES; i++) {
                alc_block_store(taken + i * ALC_AES_BLOCK_SIZE,
                                alc_block_load(in + i * ALC_AES_BLOCK_SIZE));
            }
        }
        if (is_sealing && is_first) {
            counter = start_lanes(&key->aes, counter, streams);
            encrypt_end(&key->aes, 1, streams);
        } else {
            hash = encrypt_and_hash(key, &counter, streams, hash, taken);
        }
        for (size_t i = 0; i < LANES; i++) {
            size_t at = i * ALC_AES_BLOCK_SIZE;
            const uint8_t *text = is_sealing ? in : taken;
            streams[i] = _mm_xor_si128(alc_block_load(text + at), streams[i]);
            alc_block_store(out + at, streams[i]);
            if (is_sealing) {
                alc_block_store(taken + at, streams[i]);
            }
        }
        in += LANES * ALC_AES_BLOCK_SIZE;
        out += LANES * ALC_AES_BLOCK_SIZE;
    }
    alc_block_store(gcm->hash, hash);
    alc_block_store(gcm->counter, counter);
    if (is_sealing) {
        hash_blocks(gcm, taken, LANES);
    }
}

/* Whole blocks. `in` and `out` may be the same. */
static void crypt_blocks(struct alc_gcm *gcm, const uint8_t *in, uint8_t *out, size_t blocks_count)
{
    const struct alc_gcm_key *key = gcm->key;
    size_t many = blocks_count - blocks_count % LANES;
    if (many != 0 && gcm->is_sealing) {
        crypt_lanes(gcm, in, out, many, true);
    } else if (many != 0) {
        crypt_lanes(gcm, in, out, many, false);
    }
    __m128i hash = alc_block_load(gcm->hash);
    __m128i counter = alc_block_load(gcm->counter);
    for (size_t i = many; i < blocks_count; i++) {
        __m128i text = alc_block_load(in + i * ALC_AES_BLOCK_SIZE);
        __m128i crypted = _mm_xor_si128(text, alc_aes_encrypt(&key->aes, reverse_bytes(counter)));
        counter = next_counter(counter);
        alc_block_store(out + i * ALC_AES_BLOCK_SIZE, crypted);
        hash = hash_block(key, hash, gcm->is_sealing ? crypted : text);
    }
    alc_block_store(gcm->hash, hash);
    alc_block_store(gcm->counter, counter);
}

/* Bytes of one block begun, from `filled` on. */
static void crypt_bytes(struct alc_gcm *gcm, size_t filled, const uint8_t *in, uint8_t *out,
                        size_t size)
{
    if (filled == 0) {
        __m128i counter = alc_block_load(gcm->counter);
        alc_block_store(gcm->stream, alc_aes_encrypt(&gcm->key->aes, reverse_bytes(counter)));
        alc_block_store(gcm->counter, next_counter(counter));
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t text = in[i];
        uint8_t crypted = text ^ gcm->stream[filled + i];
        out[i] = crypted;
        gcm->block[filled + i] = gcm->is_sealing ? crypted : text;
    }
    if (filled + size == ALC_AES_BLOCK_SIZE) {
        hash_blocks(gcm, gcm->block, 1);
    }
}

/* The counter block of a message; `number` 1 belongs to the tag, text begins with 2. */
static __m128i counter_block(const uint8_t iv[ALC_GCM_IV_SIZE], uint32_t number)
{
    uint8_t block[ALC_AES_BLOCK_SIZE];
    alc_copy(block, iv, ALC_GCM_IV_SIZE);
    alc_store_u32(block + ALC_GCM_IV_SIZE, __builtin_bswap32(number));
    return alc_block_load(block);
}

void alc_gcm_start(struct alc_gcm *gcm, const struct alc_gcm_key *key,
                   const uint8_t iv[ALC_GCM_IV_SIZE], bool is_sealing)
{
    alc_fill(gcm, 0, sizeof *gcm);
    gcm->key = key;
    gcm->is_sealing = is_sealing;
    alc_copy(gcm->iv, iv, ALC_GCM_IV_SIZE);
    alc_block_store(gcm->counter, reverse_bytes(counter_block(iv, 2)));
}

void alc_gcm_add_data(struct alc_gcm *gcm, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t filled = (size_t)(gcm->data_size % ALC_AES_BLOCK_SIZE);
    ALC_ASSERT(gcm->text_size == 0 && size <= (UINT64_MAX >> 3) - gcm->data_size);
    gcm->data_size += size;
    if (filled != 0) {
        size_t part = ALC_AES_BLOCK_SIZE - filled;
        part = part < size ? part : size;
        alc_copy(gcm->block + filled, bytes, part);
        if (filled + part < ALC_AES_BLOCK_SIZE) {
            return;
        }
        hash_blocks(gcm, gcm->block, 1);
        bytes += part;
        size -= part;
    }
    size_t rest = size % ALC_AES_BLOCK_SIZE;
    hash_blocks(gcm, bytes, size / ALC_AES_BLOCK_SIZE);
    if (rest != 0) {
        alc_copy(gcm->block, bytes + (size - rest), rest);
    }
}

void alc_gcm_update(struct alc_gcm *gcm, const uint8_t *in, uint8_t *out, size_t size)
{
    size_t filled = (size_t)(gcm->text_size % ALC_AES_BLOCK_SIZE);
    ALC_ASSERT(size <= TEXT_SIZE_MAX - gcm->text_size);
    if (size == 0) {
        return;
    }
    if (gcm->text_size == 0) {
        hash_rest(gcm, gcm->data_size);
    }
    gcm->text_size += size;
    if (filled != 0) {
        size_t part = ALC_AES_BLOCK_SIZE - filled;
        part = part < size ? part : size;
        crypt_bytes(gcm, filled, in, out, part);
        in += part;
        out += part;
        size -= part;
    }
    size_t rest = size % ALC_AES_BLOCK_SIZE;
    crypt_blocks(gcm, in, out, size / ALC_AES_BLOCK_SIZE);
    if (rest != 0) {
        crypt_bytes(gcm, 0, in + (size - rest), out + (size - rest), rest);
    }
}

void alc_gcm_finish(struct alc_gcm *gcm, uint8_t tag[ALC_GCM_TAG_SIZE])
{
    uint8_t sizes[ALC_AES_BLOCK_SIZE];
    hash_rest(gcm, gcm->text_size != 0 ? gcm->text_size : gcm->data_size);
    alc_store_u64(sizes, __builtin_bswap64(gcm->data_size * 8));
    alc_store_u64(sizes + 8, __builtin_bswap64(gcm->text_size * 8));
    hash_blocks(gcm, sizes, 1);
    __m128i mask = alc_aes_encrypt(&gcm->key->aes, counter_block(gcm->iv, 1));
    alc_block_store(tag, _mm_xor_si128(mask, reverse_bytes(alc_block_load(gcm->hash))));
    alc_wipe(gcm, sizeof *gcm);
}

static void run(const struct alc_gcm_key *key, const struct alc_gcm_message *message,
                bool is_sealing, const uint8_t *text, uint8_t *out, uint8_t tag[ALC_GCM_TAG_SIZE])
{
    struct alc_gcm gcm;
    alc_gcm_start(&gcm, key, message->iv, is_sealing);
    alc_gcm_add_data(&gcm, message->data, message->data_size);
    alc_gcm_update(&gcm, text, out, message->text_size);
    alc_gcm_finish(&gcm, tag);
}

void alc_gcm_seal(const struct alc_gcm_key *key, const struct alc_gcm_message *message,
                  const uint8_t *text, uint8_t *out, uint8_t tag[ALC_GCM_TAG_SIZE])
{
    run(key, message, true, text, out, tag);
}

alc_status alc_gcm_open(const struct alc_gcm_key *key, const struct alc_gcm_message *message,
                        const uint8_t *text, const uint8_t tag[ALC_GCM_TAG_SIZE], uint8_t *out)
{
    uint8_t expected[ALC_GCM_TAG_SIZE];
    run(key, message, false, text, out, expected);
    if (!alc_secret_equal(expected, tag, ALC_GCM_TAG_SIZE)) {
        alc_wipe(expected, sizeof expected);
        if (message->text_size != 0) {
            alc_fill(out, 0, message->text_size);
        }
        return ALC_E_NOT_AUTHENTIC;
    }
    return ALC_OK;
}
