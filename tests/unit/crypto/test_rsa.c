/* SPDX-License-Identifier: Apache-2.0
 *
 * RSA-PSS against OpenSSL: its signatures are accepted, and nothing that differs in a bit, in the
 * hash, the salt or the padding.
 */
#include "oracle.h"

#include <openssl/rsa.h>
#include <pthread.h>

#include "crypto/pool.h"

struct pair {
    EVP_PKEY *key;
    uint8_t spki[600];
    size_t spki_size;
    const uint8_t *modulus;
};

static struct pair pair;

static const EVP_MD *md_of(enum alc_hash_kind hash)
{
    return hash == ALC_HASH_SHA256   ? EVP_sha256()
           : hash == ALC_HASH_SHA384 ? EVP_sha384()
                                     : EVP_sha512();
}

static int set_up(void **state)
{
    (void)state;
    uint8_t *end = pair.spki;
    struct alc_reader reader;
    pair.key = EVP_RSA_gen(4096);
    assert_non_null(pair.key);
    pair.spki_size = (size_t)i2d_PUBKEY(pair.key, &end);
    alc_reader_init(&reader, pair.spki, pair.spki_size, NULL);
    return alc_rsa_read_spki(&reader, &pair.modulus) == ALC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(pair.key);
    return 0;
}

static void sign(enum alc_hash_kind hash, const uint8_t *digest, int padding, int salt_size,
                 uint8_t out[ALC_RSA_SIZE])
{
    size_t size = ALC_RSA_SIZE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pair.key, NULL);
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md_of(hash)), 1);
    if (padding == RSA_PKCS1_PSS_PADDING) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt_size), 1);
    }
    assert_int_equal(EVP_PKEY_sign(ctx, out, &size, digest, alc_hash_size(hash)), 1);
    assert_int_equal(size, ALC_RSA_SIZE);
    EVP_PKEY_CTX_free(ctx);
}

static void test_signatures(void **state)
{
    (void)state;
    uint8_t signature[ALC_RSA_SIZE];
    uint8_t digest[ALC_HASH_SIZE_MAX];
    for (enum alc_hash_kind hash = 0; hash < ALC_HASH_KINDS; hash++) {
        const int size = (int)alc_hash_size(hash);
        alc_hash_bytes(hash, &hash, sizeof hash, digest);
        sign(hash, digest, RSA_PKCS1_PSS_PADDING, size, signature);
        assert_int_equal(alc_rsa_pss_verify(pair.modulus, hash, digest, signature), ALC_OK);
        digest[size - 1] ^= 1;
        assert_int_equal(alc_rsa_pss_verify(pair.modulus, hash, digest, signature),
                         ALC_E_BAD_SIGNATURE);
        digest[size - 1] ^= 1;
        sign(hash, digest, RSA_PKCS1_PSS_PADDING, size - 1, signature);
        assert_int_equal(alc_rsa_pss_verify(pair.modulus, hash, digest, signature),
                         ALC_E_BAD_SIGNATURE);
        sign(hash, digest, RSA_PKCS1_PADDING, 0, signature);
        assert_int_equal(alc_rsa_pss_verify(pair.modulus, hash, digest, signature),
                         ALC_E_BAD_SIGNATURE);
    }
    assert_int_equal(alc_pool_used(), 0);
}

/* Every byte of a signature with a bit of it changed; all zeros, all ones. */
static void test_changed_signatures(void **state)
{
    (void)state;
    uint8_t signature[ALC_RSA_SIZE];
    uint8_t digest[ALC_SHA384_SIZE] = {1};
    sign(ALC_HASH_SHA384, digest, RSA_PKCS1_PSS_PADDING, ALC_SHA384_SIZE, signature);
    for (size_t i = 0; i < ALC_RSA_SIZE; i++) {
        signature[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(alc_rsa_pss_verify(pair.modulus, ALC_HASH_SHA384, digest, signature),
                         ALC_E_BAD_SIGNATURE);
        signature[i] ^= (uint8_t)(1u << i % 8);
    }
    memset(signature, 0, sizeof signature);
    assert_int_equal(alc_rsa_pss_verify(pair.modulus, ALC_HASH_SHA384, digest, signature),
                     ALC_E_BAD_SIGNATURE);
    memset(signature, 0xff, sizeof signature); /* not below the modulus */
    assert_int_equal(alc_rsa_pss_verify(pair.modulus, ALC_HASH_SHA384, digest, signature),
                     ALC_E_BAD_SIGNATURE);
}

static void test_bad_keys(void **state)
{
    (void)state;
    uint8_t signature[ALC_RSA_SIZE] = {0};
    uint8_t modulus[ALC_RSA_SIZE];
    const uint8_t digest[ALC_SHA384_SIZE] = {0};
    memcpy(modulus, pair.modulus, sizeof modulus);
    modulus[ALC_RSA_SIZE - 1] ^= 1;
    assert_int_equal(alc_rsa_pss_verify(modulus, ALC_HASH_SHA384, digest, signature),
                     ALC_E_BAD_KEY);
    modulus[ALC_RSA_SIZE - 1] ^= 1;
    modulus[0] &= 0x7f;
    assert_int_equal(alc_rsa_pss_verify(modulus, ALC_HASH_SHA384, digest, signature),
                     ALC_E_BAD_KEY);
    memset(modulus, 0, sizeof modulus);
    assert_int_equal(alc_rsa_pss_verify(modulus, ALC_HASH_SHA384, digest, signature),
                     ALC_E_BAD_KEY);
    assert_int_equal(alc_pool_used(), 0);
}

/* One encoding: any other byte outside the modulus, any other length. */
static void test_encoding(void **state)
{
    (void)state;
    struct alc_reader reader;
    const uint8_t *modulus;
    uint8_t bytes[sizeof pair.spki];
    const size_t head_size = (size_t)(pair.modulus - pair.spki);
    memcpy(bytes, pair.spki, sizeof bytes);
    for (size_t i = 0; i < pair.spki_size; i++) {
        bool is_modulus = i >= head_size && i < head_size + ALC_RSA_SIZE;
        bytes[i] ^= 0x10;
        alc_reader_init(&reader, bytes, pair.spki_size, NULL);
        assert_int_equal(alc_rsa_read_spki(&reader, &modulus), is_modulus ? ALC_OK : ALC_E_BAD_KEY);
        bytes[i] ^= 0x10;
    }
    for (size_t size = 0; size < sizeof bytes; size++) {
        alc_reader_init(&reader, bytes, size, NULL);
        assert_int_equal(alc_rsa_read_spki(&reader, &modulus),
                         size == pair.spki_size ? ALC_OK : ALC_E_BAD_KEY);
    }
}

/* A verification alone, as all before: what pool.h says of the most that an operation needs. */
static void test_memory(void **state)
{
    (void)state;
    print_message("%zu bytes of %d\n", alc_pool_peak(), (int)ALC_POOL_OPERATION_SIZE);
    assert_true(alc_pool_peak() > 0);
    assert_true(3 * alc_pool_peak() <= 2 * ALC_POOL_OPERATION_SIZE);
}

enum { THREADS = 8, ROUNDS = 25 };

struct work {
    uint8_t signature[ALC_RSA_SIZE];
    uint8_t digest[ALC_SHA384_SIZE];
    struct alc_ec_public_key ec_key;
    struct alc_ecdsa_signature ec_signature;
};

/* NULL when every verification, of both kinds, found its memory. */
static void *verify_often(void *argument)
{
    const struct work *work = argument;
    for (int i = 0; i < ROUNDS; i++) {
        if (alc_rsa_pss_verify(pair.modulus, ALC_HASH_SHA384, work->digest, work->signature) !=
                ALC_OK ||
            alc_ecdsa_verify(&work->ec_key, work->digest, ALC_SHA384_SIZE, &work->ec_signature) !=
                ALC_OK) {
            return argument;
        }
    }
    return NULL;
}

/* More threads than places in the pool, whose blocks of all sizes lie between each other. */
static void test_threads(void **state)
{
    (void)state;
    struct work work = {.digest = {7}};
    struct alc_ec_private_key ec_key;
    pthread_t threads[THREADS];
    sign(ALC_HASH_SHA384, work.digest, RSA_PKCS1_PSS_PADDING, ALC_SHA384_SIZE, work.signature);
    oracle_pair(ALC_CURVE_P384, &ec_key, &work.ec_key);
    assert_int_equal(
        alc_ecdsa_sign(&ec_key, ALC_HASH_SHA384, work.digest, &oracle_random, &work.ec_signature),
        ALC_OK);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, &work), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(alc_pool_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_changed_signatures),
        cmocka_unit_test(test_bad_keys),   cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
