/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, signatures and PEM blocks as bytes: the same as OpenSSL's, and nothing else is read.
 */
#include "oracle.h"

#include <openssl/ecdsa.h>
#include <openssl/pem.h>

static size_t write_spki(const struct alc_ec_public_key *key, uint8_t *out)
{
    struct alc_writer writer;
    alc_writer_init(&writer, out, ALC_EC_SPKI_SIZE_MAX);
    alc_ec_write_spki(&writer, key);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    return writer.pos;
}

static alc_status read_spki(const uint8_t *bytes, size_t size, struct alc_ec_public_key *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    return alc_ec_read_spki(&reader, out);
}

static void test_spki(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        struct alc_ec_private_key private_key;
        struct alc_ec_public_key key;
        struct alc_ec_public_key back;
        uint8_t bytes[ALC_EC_SPKI_SIZE_MAX + 1];
        uint8_t *expected = NULL;
        oracle_pair(curve, &private_key, &key);
        EVP_PKEY *oracle = oracle_key(&key, NULL);
        size_t size = write_spki(&key, bytes);
        assert_int_equal(i2d_PUBKEY(oracle, &expected), size);
        assert_memory_equal(bytes, expected, size);
        assert_int_equal(read_spki(bytes, size, &back), ALC_OK);
        assert_memory_equal(&back, &key, sizeof key);
        assert_int_equal(read_spki(bytes, size + 1, &back), ALC_E_BAD_KEY);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(read_spki(bytes, cut, &back), ALC_E_BAD_KEY);
        }
        for (size_t i = 0; i < size; i++) {
            bytes[i] ^= 1;
            assert_int_equal(read_spki(bytes, size, &back), ALC_E_BAD_KEY);
            bytes[i] ^= 1;
        }
        OPENSSL_free(expected);
        EVP_PKEY_free(oracle);
    }
}

static alc_status read_der(enum alc_curve curve, const uint8_t *bytes, size_t size,
                           struct alc_ecdsa_signature *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    return alc_ecdsa_read_der(&reader, curve, out);
}

/* Numbers with all lengths and both first bits, and 0, as OpenSSL writes them. */
static void test_signature_der(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 400; turn++) {
        enum alc_curve curve = turn % 2;
        const size_t size = alc_curve_size(curve);
        struct alc_ecdsa_signature signature;
        struct alc_ecdsa_signature back;
        uint8_t bytes[ALC_ECDSA_DER_SIZE_MAX];
        uint8_t *expected = NULL;
        struct alc_writer writer;
        memset(&signature, 0, sizeof signature);
        size_t r_size = turn % (size + 1);
        size_t s_size = oracle_below((uint32_t)size + 1);
        RAND_bytes(signature.bytes + size - r_size, (int)r_size);
        RAND_bytes(signature.bytes + 2 * size - s_size, (int)s_size);
        ECDSA_SIG *oracle = ECDSA_SIG_new();
        ECDSA_SIG_set0(oracle, BN_bin2bn(signature.bytes, (int)size, NULL),
                       BN_bin2bn(signature.bytes + size, (int)size, NULL));
        int expected_size = i2d_ECDSA_SIG(oracle, &expected);
        alc_writer_init(&writer, bytes, sizeof bytes);
        alc_ecdsa_write_der(&writer, curve, &signature);
        assert_int_equal(alc_writer_finish(&writer), ALC_OK);
        assert_int_equal(writer.pos, expected_size);
        assert_memory_equal(bytes, expected, writer.pos);
        assert_int_equal(read_der(curve, bytes, writer.pos, &back), ALC_OK);
        assert_memory_equal(&back, &signature, sizeof back);
        OPENSSL_free(expected);
        ECDSA_SIG_free(oracle);
    }
}

static void test_malformed_signatures(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *bytes;
        alc_status status;
    } rows[] = {
        {"good", "3006 020101 020102", ALC_OK},
        {"empty", "", ALC_E_UNEXPECTED_END},
        {"no sequence", "3106 020101 020102", ALC_E_BAD_SIGNATURE},
        {"no integer", "3006 030101 020102", ALC_E_BAD_SIGNATURE},
        {"long form of a length", "308106 020101 020102", ALC_E_BAD_SIGNATURE},
        {"indefinite length", "3080 020101 020102 0000", ALC_E_BAD_SIGNATURE},
        {"too short a length", "3005 020101 020102", ALC_E_BAD_SIGNATURE},
        {"bytes behind", "3006 020101 020102 00", ALC_E_BAD_SIGNATURE},
        {"bytes behind, inside", "3007 020101 020102 00", ALC_E_BAD_SIGNATURE},
        {"one number", "3003 020101", ALC_E_UNEXPECTED_END},
        {"empty number", "3005 0200 020102", ALC_E_BAD_SIGNATURE},
        {"negative", "3006 020181 020102", ALC_E_BAD_SIGNATURE},
        {"needless zero", "3007 02020001 020102", ALC_E_BAD_SIGNATURE},
        {"number beyond the end", "3006 020101 020302", ALC_E_UNEXPECTED_END},
        {"33 bytes",
         "3026 0221 01 0000000000000000000000000000000000000000000000000000000000000000"
         "020101",
         ALC_E_BAD_SIGNATURE},
        {"34 bytes",
         "3027 0222 0080 0000000000000000000000000000000000000000000000000000000000000000"
         "020101",
         ALC_E_BAD_SIGNATURE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[64];
        struct alc_ecdsa_signature out;
        size_t size = from_hex(rows[i].bytes, bytes);
        if (read_der(ALC_CURVE_P256, bytes, size, &out) != rows[i].status) {
            fail_msg("%s", rows[i].why);
        }
    }
}

static void test_pem(void **state)
{
    (void)state;
    for (size_t size = 1; size < 200; size++) {
        uint8_t bytes[200];
        uint8_t back[200];
        size_t back_size;
        char text[600];
        struct alc_writer writer;
        struct alc_reader reader;
        BIO *bio = BIO_new(BIO_s_mem());
        char *expected;
        RAND_bytes(bytes, (int)size);
        alc_writer_init(&writer, text, sizeof text);
        alc_pem_write(&writer, "PUBLIC KEY", bytes, size);
        assert_int_equal(alc_writer_finish(&writer), ALC_OK);
        PEM_write_bio(bio, "PUBLIC KEY", "", bytes, (long)size);
        assert_int_equal(BIO_get_mem_data(bio, &expected), writer.pos);
        assert_memory_equal(text, expected, writer.pos);
        alc_reader_init(&reader, text, writer.pos, NULL);
        assert_int_equal(alc_pem_read(&reader, "PUBLIC KEY", back, size, &back_size), ALC_OK);
        assert_int_equal(back_size, size);
        assert_memory_equal(back, bytes, size);
        assert_int_equal(alc_pem_read(&reader, "PUBLIC KEY", back, size, &back_size),
                         ALC_E_NOT_FOUND);
        alc_reader_init(&reader, text, writer.pos, NULL); /* does not fit */
        assert_int_equal(alc_pem_read(&reader, "PUBLIC KEY", back, size - 1, &back_size),
                         ALC_E_BAD_PEM);
        BIO_free(bio);
    }
}

static void test_malformed_pem(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        alc_status status;
    } rows[] = {
        {"words\n-----BEGIN A-----\nQUJD\r\nRA==\n-----END A-----", ALC_OK},
        {"-----BEGIN A-----\n-----END A-----", ALC_OK},
        {"-----BEGIN B-----\nQUJD\n-----END B-----", ALC_E_NOT_FOUND},
        {"-----BEGIN A-----\nQUJD\n-----END B-----", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQUJD\n-----END A----", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQUJD\n", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQUJ\n-----END A-----", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQ*JD\n-----END A-----", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQQ=A\n-----END A-----", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQ===\n-----END A-----", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQQ==QUJD\n-----END A-----", ALC_E_BAD_PEM},
        {"-----BEGIN A-----\nQR==\n-----END A-----", ALC_E_BAD_PEM}, /* unused bits */
        {"-----BEGIN A-----\nQUB=\n-----END A-----", ALC_E_BAD_PEM},
        {"", ALC_E_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[16];
        size_t size;
        struct alc_reader reader;
        alc_reader_init(&reader, rows[i].text, strlen(rows[i].text), NULL);
        if (alc_pem_read(&reader, "A", bytes, sizeof bytes, &size) != rows[i].status) {
            fail_msg("%s", rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spki),
        cmocka_unit_test(test_signature_der),
        cmocka_unit_test(test_malformed_signatures),
        cmocka_unit_test(test_pem),
        cmocka_unit_test(test_malformed_pem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
