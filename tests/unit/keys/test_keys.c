/* SPDX-License-Identifier: Apache-2.0
 *
 * Key files: what is made is read again, files of the openssl program in both forms too, and
 * everything else is refused without a question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "keys/keys.h"

static size_t write_public(const struct alc_ec_public_key *key, char *text, size_t text_max)
{
    struct alc_writer writer;
    alc_writer_init(&writer, text, text_max);
    alc_keys_write_public(&writer, key);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    return writer.pos;
}

static void test_made_keys(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        char *pem;
        size_t size;
        char text[400];
        struct alc_ec_private_key key;
        struct alc_ec_public_key derived;
        struct alc_ec_public_key read;
        assert_int_equal(alc_keys_generate(curve, &pem, &size, NULL), ALC_OK);
        assert_int_equal(alc_keys_read_private(pem, size, &key, NULL), ALC_OK);
        assert_int_equal(key.curve, curve);
        assert_int_equal(alc_ec_derive_public(&key, &alc_keys_random, &derived), ALC_OK);
        assert_int_equal(alc_keys_read_public(pem, size, &read, NULL), ALC_OK);
        assert_memory_equal(&read, &derived, sizeof read);
        size_t text_size = write_public(&derived, text, sizeof text);
        assert_int_equal(alc_keys_read_public(text, text_size, &read, NULL), ALC_OK);
        assert_memory_equal(&read, &derived, sizeof read);
        /* a public key is not a private one */
        assert_int_equal(alc_keys_read_private(text, text_size, &key, NULL), ALC_E_BAD_KEY);
        free(pem);
    }
}

static size_t take(BIO *bio, char *text, size_t text_max)
{
    int size = BIO_read(bio, text, (int)text_max);
    assert_true(size > 0 && (size_t)size < text_max);
    BIO_free(bio);
    return (size_t)size;
}

/* RFC 5915, as `openssl ecparam -genkey` writes it, with the curve's parameters in front. */
static void test_old_form(void **state)
{
    (void)state;
    char text[2000];
    struct alc_ec_private_key key;
    EVP_PKEY *made = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    BIO_puts(bio, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, made, NULL, NULL, 0, NULL, NULL), 1);
    size_t size = take(bio, text, sizeof text);
    assert_int_equal(alc_keys_read_private(text, size, &key, NULL), ALC_OK);
    assert_int_equal(key.curve, ALC_CURVE_P256);
    EVP_PKEY_free(made);
}

static size_t encode(EVP_PKEY *key, const char *passphrase, char *text, size_t text_max)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                         bio, key, passphrase != NULL ? EVP_aes_256_cbc() : NULL, passphrase,
                         passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
    return take(bio, text, text_max);
}

static void test_refused(void **state)
{
    (void)state;
    char text[4000];
    struct alc_ec_private_key key;
    struct alc_error error;
    struct {
        EVP_PKEY *key;
        const char *passphrase;
    } rows[] = {{EVP_EC_gen("P-256"), "secret"},
                {EVP_EC_gen("P-521"), NULL},
                {EVP_EC_gen("secp256k1"), NULL},
                {EVP_RSA_gen(2048), NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = encode(rows[i].key, rows[i].passphrase, text, sizeof text);
        alc_error_clear(&error);
        assert_int_equal(alc_keys_read_private(text, size, &key, &error), ALC_E_BAD_KEY);
        assert_int_equal(error.status, ALC_E_BAD_KEY);
        assert_true(strlen(error.detail) > 0);
        EVP_PKEY_free(rows[i].key);
    }
    assert_int_equal(alc_keys_read_private("", 0, &key, NULL), ALC_E_BAD_KEY);
    assert_int_equal(alc_keys_read_private("words", 5, &key, NULL), ALC_E_BAD_KEY);
    struct alc_ec_public_key public_key;
    assert_int_equal(alc_keys_read_public("words", 5, &public_key, NULL), ALC_E_BAD_KEY);
}

static void test_random(void **state)
{
    (void)state;
    uint8_t first[32];
    uint8_t second[32];
    assert_int_equal(alc_keys_random.fill(alc_keys_random.context, first, sizeof first), ALC_OK);
    assert_int_equal(alc_keys_random.fill(alc_keys_random.context, second, sizeof second), ALC_OK);
    assert_memory_not_equal(first, second, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_keys),
        cmocka_unit_test(test_old_form),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
