/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave's random generator. Its state is one key that is replaced before anything made from
 * it is given out, so what was given out cannot be computed back from memory; new entropy is mixed
 * in at the start, every RESEED_CALLS calls, and after RESEED_SIZE bytes.
 */
#include "enclave/random.h"

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/spin.h"
#include "enclave/tee.h"

enum { ENTROPY_WORDS = 16, RESEED_CALLS = 64, RESEED_SIZE = 1 << 20 };

/* Per-enclave state; zero in the image. */
static struct {
    uint32_t lock;
    uint64_t calls_left; /* until new entropy is mixed in; 0 at the start */
    uint64_t bytes_left;
    uint8_t key[ALC_CHACHA20_KEY_SIZE];
} generator;

/* A key that depends on `key_id` and on secrets of this processor and this enclave. */
static void derive_salt(const uint8_t key_id[32], struct alc_sgx_key *salt)
{
    struct alc_sgx_key_request request = {.name = ALC_SGX_KEY_SEAL,
                                          .policy = ALC_SGX_POLICY_MRENCLAVE};
    alc_copy(request.key_id, key_id, sizeof request.key_id);
    if (alc_tee_key(&request, salt) != ALC_OK) {
        /* Then it adds nothing; the entropy words stand alone. */
        alc_fill(salt, 0, sizeof *salt);
    }
}

static alc_status gather_entropy(uint64_t words[ENTROPY_WORDS])
{
    for (unsigned i = 0; i < ENTROPY_WORDS; i++) {
        ALC_TRY(alc_tee_entropy(&words[i]));
        if (i != 0 && words[i] == words[i - 1]) {
            return ALC_E_IO_FAILED;
        }
    }
    return ALC_OK;
}

/* key = SHA-256(key, entropy, salt). */
static alc_status mix_entropy(void)
{
    struct alc_sha256 hash;
    uint64_t words[ENTROPY_WORDS];
    struct alc_sgx_key salt;
    alc_status status = gather_entropy(words);
    if (status != ALC_OK) {
        alc_wipe(words, sizeof words);
        return status;
    }
    derive_salt((const uint8_t *)words, &salt);
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, generator.key, sizeof generator.key);
    alc_sha256_update(&hash, words, sizeof words);
    alc_sha256_update(&hash, &salt, sizeof salt);
    alc_sha256_finish(&hash, generator.key);
    alc_wipe(&hash, sizeof hash);
    alc_wipe(words, sizeof words);
    alc_wipe(&salt, sizeof salt);
    generator.calls_left = RESEED_CALLS;
    generator.bytes_left = RESEED_SIZE;
    return ALC_OK;
}

/* Takes a key for one request out of the generator and moves it on. */
static alc_status take_key(uint8_t key[ALC_CHACHA20_KEY_SIZE], size_t buf_size)
{
    uint8_t block[ALC_CHACHA20_BLOCK_SIZE];
    alc_status status = ALC_OK;
    alc_spin_lock(&generator.lock);
    if (generator.calls_left == 0 || generator.bytes_left < buf_size) {
        status = mix_entropy();
    }
    if (status == ALC_OK) {
        generator.calls_left--;
        generator.bytes_left -= buf_size < generator.bytes_left ? buf_size : generator.bytes_left;
        alc_chacha20_block(generator.key, 0, block);
        alc_copy(generator.key, block, ALC_CHACHA20_KEY_SIZE);
        alc_copy(key, block + ALC_CHACHA20_KEY_SIZE, ALC_CHACHA20_KEY_SIZE);
        alc_wipe(block, sizeof block);
    }
    alc_spin_unlock(&generator.lock);
    return status;
}

alc_status alc_enclave_random(uint8_t *buf, size_t buf_size)
{
    uint8_t key[ALC_CHACHA20_KEY_SIZE];
    uint8_t block[ALC_CHACHA20_BLOCK_SIZE];
    alc_status status = take_key(key, buf_size);
    if (status != ALC_OK) {
        alc_fill(buf, 0, buf_size);
        return status;
    }
    for (uint64_t counter = 0; buf_size != 0; counter++) {
        size_t size = buf_size < sizeof block ? buf_size : sizeof block;
        alc_chacha20_block(key, counter, block);
        alc_copy(buf, block, size);
        buf += size;
        buf_size -= size;
    }
    alc_wipe(key, sizeof key);
    alc_wipe(block, sizeof block);
    return ALC_OK;
}
