/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA and ECDH: the vectors of RFC 6979, OpenSSL as the other side in both directions, hostile
 * keys and signatures, a random source that fails, and the pool under many threads.
 */
#include "oracle.h"

#include <openssl/ecdsa.h>
#include <pthread.h>

#include "crypto/pool.h"

static const char *const orders[ALC_CURVES] = {
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
    "581a0db248b0a77aecec196accc52973"};

/* RFC 6979, A.2.5 and A.2.6. */
static const struct {
    enum alc_curve curve;
    enum alc_hash_kind hash;
    const char *text;
    const char *scalar;
    const char *signature;
} nonce_rows[] = {
    {ALC_CURVE_P256, ALC_HASH_SHA256, "sample",
     "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
     "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
     "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
    {ALC_CURVE_P256, ALC_HASH_SHA512, "test",
     "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
     "461D93F31B6540894788FD206C07CFA0CC35F46FA3C91816FFF1040AD1581A04"
     "39AF9F15DE0DB8D97E72719C74820D304CE5226E32DEDAE67519E840D1194E55"},
    {ALC_CURVE_P384, ALC_HASH_SHA384, "sample",
     "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
     "96D5724E4C70A825F872C9EA60D2EDF5",
     "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
     "81A648152E44ACF96E36DD1E80FABE46"
     "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
     "A329C145786E679E7B82C71A38628AC8"},
    {ALC_CURVE_P384, ALC_HASH_SHA256, "test",
     "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
     "96D5724E4C70A825F872C9EA60D2EDF5",
     "6D6DEFAC9AB64DABAFE36C6BF510352A4CC27001263638E5B16D9BB51D451559"
     "F918EEDAF2293BE5B475CC8F0188636B"
     "2D46F3BECBCC523D5F1A1256BF0C9B024D879BA9E838144C8BA6BAEB4B53B47D"
     "51AB373F9845C0514EEFB14024787265"},
};

static void test_nonces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nonce_rows / sizeof nonce_rows[0]; i++) {
        struct alc_ec_private_key key = {.curve = nonce_rows[i].curve};
        struct alc_ecdsa_signature signature;
        uint8_t expected[96];
        uint8_t digest[ALC_HASH_SIZE_MAX];
        from_hex(nonce_rows[i].scalar, key.scalar);
        size_t size = from_hex(nonce_rows[i].signature, expected);
        alc_hash_bytes(nonce_rows[i].hash, nonce_rows[i].text, strlen(nonce_rows[i].text), digest);
        assert_int_equal(
            alc_ecdsa_sign(&key, nonce_rows[i].hash, digest, &oracle_random, &signature), ALC_OK);
        assert_memory_equal(signature.bytes, expected, size);
    }
}

static size_t to_der(enum alc_curve curve, const struct alc_ecdsa_signature *signature,
                     uint8_t der[ALC_ECDSA_DER_SIZE_MAX])
{
    struct alc_writer writer;
    alc_writer_init(&writer, der, ALC_ECDSA_DER_SIZE_MAX);
    alc_ecdsa_write_der(&writer, curve, signature);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    return writer.pos;
}

static void test_openssl_verifies_ours(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 60; turn++) {
        enum alc_curve curve = turn % 2;
        enum alc_hash_kind hash = turn % 3;
        struct alc_ec_private_key private_key;
        struct alc_ec_public_key public_key;
        struct alc_ecdsa_signature signature;
        uint8_t digest[ALC_HASH_SIZE_MAX];
        uint8_t der[ALC_ECDSA_DER_SIZE_MAX];
        RAND_bytes(digest, sizeof digest);
        assert_int_equal(alc_ec_generate(curve, &oracle_random, &private_key, &public_key), ALC_OK);
        assert_int_equal(alc_ecdsa_sign(&private_key, hash, digest, &oracle_random, &signature),
                         ALC_OK);
        EVP_PKEY *key = oracle_key(&public_key, NULL);
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
        assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
        assert_int_equal(
            EVP_PKEY_verify(ctx, der, to_der(curve, &signature, der), digest, alc_hash_size(hash)),
            1);
        EVP_PKEY_CTX_free(ctx);
        EVP_PKEY_free(key);
    }
}

/* A signature that OpenSSL made, read from its DER. */
static void oracle_sign(const struct alc_ec_private_key *private_key,
                        const struct alc_ec_public_key *public_key, const uint8_t *digest,
                        size_t digest_size, struct alc_ecdsa_signature *out)
{
    uint8_t der[ALC_ECDSA_DER_SIZE_MAX];
    size_t der_size = sizeof der;
    struct alc_reader reader;
    EVP_PKEY *key = oracle_key(public_key, private_key);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, der, &der_size, digest, digest_size), 1);
    alc_reader_init(&reader, der, der_size, NULL);
    assert_int_equal(alc_ecdsa_read_der(&reader, private_key->curve, out), ALC_OK);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static void test_ours_verifies_openssl(void **state)
{
    (void)state;
    static const size_t digest_sizes[] = {20, 32, 48, 64};
    for (unsigned turn = 0; turn < 60; turn++) {
        struct alc_ec_private_key private_key;
        struct alc_ec_public_key public_key;
        struct alc_ec_public_key derived;
        struct alc_ecdsa_signature signature;
        uint8_t digest[ALC_HASH_SIZE_MAX];
        size_t digest_size = digest_sizes[turn % 4];
        RAND_bytes(digest, sizeof digest);
        oracle_pair(turn / 2 % 2, &private_key, &public_key);
        assert_int_equal(alc_ec_derive_public(&private_key, &oracle_random, &derived), ALC_OK);
        assert_memory_equal(&derived, &public_key, sizeof derived);
        oracle_sign(&private_key, &public_key, digest, digest_size, &signature);
        assert_int_equal(alc_ecdsa_verify(&public_key, digest, digest_size, &signature), ALC_OK);
        /* one bit anywhere */
        digest[oracle_below(20)] ^= (uint8_t)(1u << oracle_below(8));
        assert_int_equal(alc_ecdsa_verify(&public_key, digest, digest_size, &signature),
                         ALC_E_BAD_SIGNATURE);
    }
}

static void test_changed_signatures(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        const size_t size = alc_curve_size(curve);
        struct alc_ec_private_key private_key;
        struct alc_ec_public_key public_key;
        struct alc_ecdsa_signature signature;
        struct alc_ecdsa_signature changed;
        uint8_t order[ALC_EC_SIZE_MAX];
        const uint8_t digest[32] = {1, 2, 3};
        oracle_pair(curve, &private_key, &public_key);
        assert_int_equal(
            alc_ecdsa_sign(&private_key, ALC_HASH_SHA256, digest, &oracle_random, &signature),
            ALC_OK);
        assert_int_equal(alc_ecdsa_verify(&public_key, digest, 32, &signature), ALC_OK);
        for (size_t i = 0; i < 2 * size; i++) {
            changed = signature;
            changed.bytes[i] ^= (uint8_t)(1u << i % 8);
            assert_int_equal(alc_ecdsa_verify(&public_key, digest, 32, &changed),
                             ALC_E_BAD_SIGNATURE);
        }
        /* r or s is 0 or the order */
        from_hex(orders[curve], order);
        for (size_t which = 0; which < 4; which++) {
            changed = signature;
            if (which < 2) {
                memset(changed.bytes + which * size, 0, size);
            } else {
                memcpy(changed.bytes + (which - 2) * size, order, size);
            }
            assert_int_equal(alc_ecdsa_verify(&public_key, digest, 32, &changed),
                             ALC_E_BAD_SIGNATURE);
        }
    }
}

static void test_bad_keys(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        const size_t size = alc_curve_size(curve);
        struct alc_ec_private_key private_key;
        struct alc_ec_private_key bad_private = {.curve = curve};
        struct alc_ec_public_key public_key;
        struct alc_ec_public_key out;
        struct alc_ec_public_key bad = {.curve = curve}; /* (0, 0) */
        struct alc_ecdsa_signature signature = {{1}};
        uint8_t secret[ALC_EC_SIZE_MAX];
        const uint8_t digest[32] = {1};
        oracle_pair(curve, &private_key, &public_key);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(alc_ec_check_public(&bad), ALC_E_BAD_KEY);
            assert_int_equal(alc_ecdsa_verify(&bad, digest, 32, &signature), ALC_E_BAD_KEY);
            assert_int_equal(alc_ecdh(&private_key, &bad, &oracle_random, secret), ALC_E_BAD_KEY);
            bad = public_key; /* off the curve, then coordinates above the field */
            bad.point[i] ^= 1;
            if (i == 2) {
                memset(bad.point, 0xff, size);
            }
        }
        for (size_t i = 0; i < 3; i++) { /* 0, the order, the largest number */
            assert_int_equal(alc_ec_derive_public(&bad_private, &oracle_random, &out),
                             ALC_E_BAD_KEY);
            assert_int_equal(
                alc_ecdsa_sign(&bad_private, ALC_HASH_SHA256, digest, &oracle_random, &signature),
                ALC_E_BAD_KEY);
            assert_int_equal(alc_ecdh(&bad_private, &public_key, &oracle_random, secret),
                             ALC_E_BAD_KEY);
            if (i == 0) {
                from_hex(orders[curve], bad_private.scalar);
            } else {
                memset(bad_private.scalar, 0xff, size);
            }
        }
        public_key.curve = 1 - curve;
        assert_int_equal(alc_ecdh(&private_key, &public_key, &oracle_random, secret),
                         ALC_E_BAD_KEY);
    }
    assert_int_equal(alc_pool_used(), 0);
}

static void test_ecdh_agrees(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 40; turn++) {
        enum alc_curve curve = turn % 2;
        const size_t size = alc_curve_size(curve);
        struct alc_ec_private_key ours;
        struct alc_ec_private_key theirs;
        struct alc_ec_public_key our_public;
        struct alc_ec_public_key their_public;
        uint8_t secret[ALC_EC_SIZE_MAX];
        uint8_t expected[ALC_EC_SIZE_MAX];
        size_t expected_size = sizeof expected;
        assert_int_equal(alc_ec_generate(curve, &oracle_random, &ours, &our_public), ALC_OK);
        oracle_pair(curve, &theirs, &their_public);
        assert_int_equal(alc_ecdh(&ours, &their_public, &oracle_random, secret), ALC_OK);
        EVP_PKEY *key = oracle_key(&their_public, &theirs);
        EVP_PKEY *peer = oracle_key(&our_public, NULL);
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
        assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
        assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
        assert_int_equal(EVP_PKEY_derive(ctx, expected, &expected_size), 1);
        assert_int_equal(expected_size, size);
        assert_memory_equal(secret, expected, size);
        EVP_PKEY_CTX_free(ctx);
        EVP_PKEY_free(peer);
        EVP_PKEY_free(key);
    }
}

/* Gives random bytes `*left` times, then fails. */
static alc_status fill_then_fail(void *context, uint8_t *buf, size_t buf_size)
{
    unsigned *left = context;
    if (*left == 0) {
        memset(buf, 0, buf_size);
        return ALC_E_IO_FAILED;
    }
    (*left)--;
    return oracle_fill(NULL, buf, buf_size);
}

static void test_failing_random(void **state)
{
    (void)state;
    static const struct alc_ec_private_key none = {.curve = ALC_CURVE_P256};
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    struct alc_ecdsa_signature signature;
    const uint8_t digest[32] = {5};
    for (unsigned given = 0; given < 2; given++) {
        unsigned left = given;
        const struct alc_random random = {.fill = fill_then_fail, .context = &left};
        assert_int_equal(alc_ec_generate(ALC_CURVE_P256, &random, &key, &public_key),
                         ALC_E_IO_FAILED);
        assert_memory_equal(key.scalar, none.scalar, sizeof none.scalar);
    }
    unsigned left = 0;
    const struct alc_random random = {.fill = fill_then_fail, .context = &left};
    oracle_pair(ALC_CURVE_P256, &key, &public_key);
    assert_int_equal(alc_ecdsa_sign(&key, ALC_HASH_SHA256, digest, &random, &signature),
                     ALC_E_IO_FAILED);
    assert_int_equal(alc_ec_derive_public(&key, &random, &public_key), ALC_E_IO_FAILED);
    assert_int_equal(alc_pool_used(), 0);
}

/* One operation alone stays within its share of the pool. Runs first: the peak is the process's. */
static void test_pool_share(void **state)
{
    (void)state;
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    struct alc_ecdsa_signature signature;
    uint8_t secret[ALC_EC_SIZE_MAX];
    const uint8_t digest[48] = {5};
    assert_int_equal(alc_pool_peak(), 0);
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        assert_int_equal(alc_ec_generate(curve, &oracle_random, &key, &public_key), ALC_OK);
        assert_int_equal(alc_ecdsa_sign(&key, ALC_HASH_SHA384, digest, &oracle_random, &signature),
                         ALC_OK);
        assert_int_equal(alc_ecdsa_verify(&public_key, digest, 48, &signature), ALC_OK);
        assert_int_equal(alc_ecdh(&key, &public_key, &oracle_random, secret), ALC_OK);
        assert_int_equal(alc_pool_used(), 0);
        printf("%s: %zu bytes of the pool\n", oracle_curve_name(curve), alc_pool_peak());
    }
    assert_in_range(alc_pool_peak(), 1, ALC_POOL_OPERATION_SIZE / 2);
}

static void *work(void *context)
{
    unsigned *failures = context;
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    struct alc_ecdsa_signature signature;
    const uint8_t digest[48] = {6};
    for (unsigned turn = 0; turn < 6; turn++) {
        enum alc_curve curve = turn % 2;
        if (alc_ec_generate(curve, &oracle_random, &key, &public_key) != ALC_OK ||
            alc_ecdsa_sign(&key, ALC_HASH_SHA384, digest, &oracle_random, &signature) != ALC_OK ||
            alc_ecdsa_verify(&public_key, digest, 48, &signature) != ALC_OK) {
            (*failures)++;
        }
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 * ALC_CRYPTO_OPERATIONS_MAX };
    pthread_t threads[THREADS];
    unsigned failures[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, &failures[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
    assert_int_equal(alc_pool_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_share),
        cmocka_unit_test(test_nonces),
        cmocka_unit_test(test_openssl_verifies_ours),
        cmocka_unit_test(test_ours_verifies_openssl),
        cmocka_unit_test(test_changed_signatures),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_ecdh_agrees),
        cmocka_unit_test(test_failing_random),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
