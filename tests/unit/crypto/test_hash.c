/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes, HMAC and HKDF: published vectors, and the same answers as OpenSSL for random inputs.
 */
#include "oracle.h"

#include <openssl/hmac.h>
#include <openssl/kdf.h>

static const EVP_MD *oracle_hash(enum alc_hash_kind kind)
{
    return kind == ALC_HASH_SHA256   ? EVP_sha256()
           : kind == ALC_HASH_SHA384 ? EVP_sha384()
                                     : EVP_sha512();
}

/* FIPS 180-4's example "abc". */
static void test_hash_vectors(void **state)
{
    (void)state;
    static const char *const digests[ALC_HASH_KINDS] = {
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
        "8086072ba1e7cc2358baeca134c825a7",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"};
    for (enum alc_hash_kind kind = 0; kind < ALC_HASH_KINDS; kind++) {
        uint8_t digest[ALC_HASH_SIZE_MAX];
        uint8_t expected[ALC_HASH_SIZE_MAX];
        assert_int_equal(from_hex(digests[kind], expected), alc_hash_size(kind));
        alc_hash_bytes(kind, "abc", 3, digest);
        assert_memory_equal(digest, expected, alc_hash_size(kind));
    }
}

static void test_hashes_agree(void **state)
{
    (void)state;
    uint8_t bytes[300];
    uint8_t digest[ALC_HASH_SIZE_MAX];
    uint8_t expected[ALC_HASH_SIZE_MAX];
    for (size_t turn = 0; turn < 3 * sizeof bytes; turn++) {
        enum alc_hash_kind kind = turn % 3;
        size_t size = turn / 3;
        size_t split = oracle_below((uint32_t)size + 1);
        struct alc_hash hash;
        RAND_bytes(bytes, sizeof bytes);
        alc_hash_init(&hash, kind);
        alc_hash_update(&hash, bytes, split);
        alc_hash_update(&hash, bytes + split, size - split);
        alc_hash_finish(&hash, digest);
        assert_int_equal(EVP_Digest(bytes, size, expected, NULL, oracle_hash(kind), NULL), 1);
        assert_memory_equal(digest, expected, alc_hash_size(kind));
    }
}

/* RFC 4231, test cases 2 and 6 (a key longer than a block). */
static void test_hmac_vectors(void **state)
{
    (void)state;
    uint8_t key[131];
    uint8_t code[ALC_HASH_SIZE_MAX];
    uint8_t expected[ALC_HASH_SIZE_MAX];
    from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected);
    alc_hmac(ALC_HASH_SHA256, "Jefe", 4, "what do ya want for nothing?", 28, code);
    assert_memory_equal(code, expected, 32);
    memset(key, 0xaa, sizeof key);
    from_hex("4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
             "0c2ef6ab4030fe8296248df163f44952",
             expected);
    alc_hmac(ALC_HASH_SHA384, key, sizeof key,
             "Test Using Larger Than Block-Size Key - Hash Key First", 54, code);
    assert_memory_equal(code, expected, 48);
}

static void test_hmac_agrees(void **state)
{
    (void)state;
    uint8_t key[200];
    uint8_t bytes[200];
    uint8_t code[ALC_HASH_SIZE_MAX];
    uint8_t expected[ALC_HASH_SIZE_MAX];
    for (size_t turn = 0; turn < 600; turn++) {
        enum alc_hash_kind kind = turn % 3;
        size_t key_size = turn / 3;
        size_t size = oracle_below(sizeof bytes + 1);
        RAND_bytes(key, sizeof key);
        RAND_bytes(bytes, sizeof bytes);
        alc_hmac(kind, key, key_size, bytes, size, code);
        assert_non_null(HMAC(oracle_hash(kind), key, (int)key_size, bytes, size, expected, NULL));
        assert_memory_equal(code, expected, alc_hash_size(kind));
    }
}

/* RFC 5869, test cases 1 and 3 (no salt, no info). */
static void test_hkdf_vectors(void **state)
{
    (void)state;
    uint8_t secret[22];
    uint8_t salt[13];
    uint8_t info[10];
    uint8_t out[42];
    uint8_t expected[42];
    memset(secret, 0x0b, sizeof secret);
    from_hex("000102030405060708090a0b0c", salt);
    from_hex("f0f1f2f3f4f5f6f7f8f9", info);
    from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
             expected);
    struct alc_hkdf_inputs inputs = {.secret = secret,
                                     .secret_size = sizeof secret,
                                     .salt = salt,
                                     .salt_size = sizeof salt,
                                     .info = info,
                                     .info_size = sizeof info};
    alc_hkdf(ALC_HASH_SHA256, &inputs, out, sizeof out);
    assert_memory_equal(out, expected, sizeof out);
    inputs = (struct alc_hkdf_inputs){.secret = secret, .secret_size = sizeof secret};
    from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
             expected);
    alc_hkdf(ALC_HASH_SHA256, &inputs, out, sizeof out);
    assert_memory_equal(out, expected, sizeof out);
}

static void test_hkdf_agrees(void **state)
{
    (void)state;
    enum { OUT_MAX = 400 };
    static const char *const names[] = {"SHA256", "SHA384", "SHA512"};
    uint8_t bytes[150];
    uint8_t out[OUT_MAX];
    uint8_t expected[OUT_MAX];
    for (size_t turn = 0; turn < 120; turn++) {
        size_t out_size = 1 + oracle_below(OUT_MAX);
        RAND_bytes(bytes, sizeof bytes);
        struct alc_hkdf_inputs inputs = {.secret = bytes,
                                         .secret_size = 1 + oracle_below(50),
                                         .salt = bytes + 50,
                                         .salt_size = oracle_below(50),
                                         .info = bytes + 100,
                                         .info_size = oracle_below(50)};
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string("digest", (char *)(uintptr_t)names[turn % 3], 0),
            OSSL_PARAM_construct_octet_string("key", bytes, inputs.secret_size),
            OSSL_PARAM_construct_octet_string("salt", bytes + 50, inputs.salt_size),
            OSSL_PARAM_construct_octet_string("info", bytes + 100, inputs.info_size),
            OSSL_PARAM_construct_end()};
        EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
        EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
        assert_int_equal(EVP_KDF_derive(ctx, expected, out_size, params), 1);
        EVP_KDF_CTX_free(ctx);
        EVP_KDF_free(kdf);
        alc_hkdf(turn % 3, &inputs, out, out_size);
        assert_memory_equal(out, expected, out_size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_vectors), cmocka_unit_test(test_hashes_agree),
        cmocka_unit_test(test_hmac_vectors), cmocka_unit_test(test_hmac_agrees),
        cmocka_unit_test(test_hkdf_vectors), cmocka_unit_test(test_hkdf_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
