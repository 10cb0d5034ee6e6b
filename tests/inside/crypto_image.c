/* SPDX-License-Identifier: Apache-2.0
 *
 * Main function of an image with crypto/: every primitive on the host's input. Nothing of what it
 * computes is a secret worth keeping.
 */
#include "tests/inside/crypto_calls.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "enclave/random.h"
#include "enclave/tee.h"

const uint64_t alc_enclave_ecalls_count = CRYPTO_ECALLS_COUNT;

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return alc_enclave_random(buf, buf_size);
}

static const struct alc_random source = {.fill = fill};

static void hashes(const struct crypto_page *page, struct alc_writer *out)
{
    uint8_t digest[ALC_HASH_SIZE_MAX];
    for (enum alc_hash_kind kind = 0; kind < ALC_HASH_KINDS; kind++) {
        alc_hash_bytes(kind, page->in, page->in_size, digest);
        alc_write_bytes(out, digest, alc_hash_size(kind));
    }
    alc_hmac(ALC_HASH_SHA512, page->in, 32, page->in, page->in_size, digest);
    alc_write_bytes(out, digest, sizeof digest);
}

static void hkdf(const struct crypto_page *page, struct alc_writer *out)
{
    uint8_t key[100];
    const struct alc_hkdf_inputs inputs = {.secret = page->in, .secret_size = page->in_size};
    alc_hkdf(ALC_HASH_SHA256, &inputs, key, sizeof key);
    alc_write_bytes(out, key, sizeof key);
}

static void seal(const struct crypto_page *page, struct alc_writer *out)
{
    struct alc_gcm_key key;
    uint8_t text[sizeof page->in];
    uint8_t tag[ALC_GCM_TAG_SIZE];
    const struct alc_gcm_message message = {.iv = page->in + 32, .text_size = page->in_size};
    alc_gcm_key_init(&key, page->in, ALC_AES256_KEY_SIZE);
    alc_gcm_seal(&key, &message, page->in, text, tag);
    alc_write_bytes(out, text, page->in_size);
    alc_write_bytes(out, tag, sizeof tag);
}

static alc_status sign(const struct crypto_page *page, struct alc_writer *out)
{
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    struct alc_ecdsa_signature signature;
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(page->in, page->in_size, digest);
    ALC_TRY(alc_ec_generate((enum alc_curve)page->curve, &source, &key, &public_key));
    ALC_TRY(alc_ecdsa_sign(&key, ALC_HASH_SHA256, digest, &source, &signature));
    alc_ec_write_spki(out, &public_key);
    alc_write_bytes(out, signature.bytes, 2 * alc_curve_size(key.curve));
    return alc_ecdsa_verify(&public_key, digest, sizeof digest, &signature);
}

static alc_status share(const struct crypto_page *page, struct alc_writer *out)
{
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    struct alc_ec_public_key peer;
    struct alc_reader reader;
    uint8_t secret[ALC_EC_SIZE_MAX];
    alc_reader_init(&reader, page->in, page->in_size, NULL);
    ALC_TRY(alc_ec_read_spki(&reader, &peer));
    ALC_TRY(alc_ec_generate(peer.curve, &source, &key, &public_key));
    ALC_TRY(alc_ecdh(&key, &peer, &source, secret));
    alc_ec_write_spki(out, &public_key);
    alc_write_bytes(out, secret, alc_curve_size(peer.curve));
    return ALC_OK;
}

static alc_status run(enum crypto_ecall ecall, const struct crypto_page *page,
                      struct alc_writer *out)
{
    uint8_t code[ALC_AES_BLOCK_SIZE];
    switch (ecall) {
    case CRYPTO_HASHES:
        hashes(page, out);
        return ALC_OK;
    case CRYPTO_HKDF:
        hkdf(page, out);
        return ALC_OK;
    case CRYPTO_CMAC:
        alc_aes_cmac(page->in, page->in, page->in_size, code);
        alc_write_bytes(out, code, sizeof code);
        return ALC_OK;
    case CRYPTO_SEAL:
        seal(page, out);
        return ALC_OK;
    case CRYPTO_SIGN:
        return sign(page, out);
    case CRYPTO_SHARE:
        return share(page, out);
    case CRYPTO_ECALLS_COUNT:
        break;
    }
    return ALC_E_BAD_ARGUMENT;
}

static void copy_words(volatile void *to, const volatile void *from, size_t size)
{
    volatile uint64_t *words_to = to;
    const volatile uint64_t *words_from = from;
    for (size_t i = 0; i < size / sizeof *words_to; i++) {
        words_to[i] = words_from[i];
    }
}

uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size)
{
    static struct crypto_page page;
    static uint8_t results[sizeof page.out];
    struct alc_writer out;
    if (outside_size < sizeof page) {
        return 1;
    }
    copy_words(&page, (void *)(uintptr_t)outside_base, sizeof page);
    if (page.in_size > sizeof page.in || page.curve >= ALC_CURVES) {
        return 1;
    }
    alc_writer_init(&out, results, sizeof results);
    page.status = run((enum crypto_ecall)ecall, &page, &out);
    page.out_size = out.pos;
    alc_copy(page.out, results, sizeof results);
    copy_words((void *)(uintptr_t)outside_base, &page, sizeof page);
    return 0;
}
