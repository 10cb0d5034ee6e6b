/* SPDX-License-Identifier: Apache-2.0
 *
 * AES key wrap with the vectors of RFC 3394 and against OpenSSL, every changed byte refused; the
 * key derivation with the vector of RFC 7518, appendix C.
 */
#include "unit/crypto/oracle.h"

#include "base/bytes.h"

static size_t wrap_by_openssl(const uint8_t *key, size_t key_size, const uint8_t *text, size_t size,
                              uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0;
    int rest = 0;
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    assert_int_equal(EVP_EncryptInit_ex(context,
                                        key_size == 32 ? EVP_aes_256_wrap() : EVP_aes_128_wrap(),
                                        NULL, key, NULL),
                     1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &done, text, (int)size), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, out + done, &rest), 1);
    EVP_CIPHER_CTX_free(context);
    return (size_t)(done + rest);
}

/* RFC 3394, 4.1 and 4.6. */
static void test_vectors(void **state)
{
    static const uint8_t wrapped_128[] = {0x1f, 0xa6, 0x8b, 0x0a, 0x81, 0x12, 0xb4, 0x47,
                                          0xae, 0xf3, 0x4b, 0xd8, 0xfb, 0x5a, 0x7b, 0x82,
                                          0x9d, 0x3e, 0x86, 0x23, 0x71, 0xd2, 0xcf, 0xe5};
    static const uint8_t wrapped_256[] = {
        0x28, 0xc9, 0xf4, 0x04, 0xc4, 0xb8, 0x10, 0xf4, 0xcb, 0xcc, 0xb3, 0x5c, 0xfb, 0x87,
        0xf8, 0x26, 0x3f, 0x57, 0x86, 0xe2, 0xd8, 0x0e, 0xd3, 0x26, 0xcb, 0xc7, 0xf0, 0xe7,
        0x1a, 0x99, 0xf4, 0x3b, 0xfb, 0x98, 0x8b, 0x9b, 0x7a, 0x02, 0xdd, 0x21};
    uint8_t bytes[32];
    uint8_t text[32];
    uint8_t out[40];
    struct alc_aes_key key;
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
        text[i] = (uint8_t)(i < 16 ? i * 0x11 : i - 16);
    }
    alc_aes_key_init(&key, bytes, 16);
    alc_aes_key_wrap(&key, text, 16, out);
    assert_memory_equal(out, wrapped_128, sizeof wrapped_128);
    alc_aes_key_init(&key, bytes, 32);
    alc_aes_key_wrap(&key, text, 32, out);
    assert_memory_equal(out, wrapped_256, sizeof wrapped_256);
}

static void test_against_openssl(void **state)
{
    (void)state;
    for (size_t size = 16; size <= 128; size += 8) {
        for (size_t key_size = 16; key_size <= 32; key_size += 16) {
            uint8_t bytes[32], text[128], ours[136], theirs[136], opened[128];
            struct alc_aes_key key;
            RAND_bytes(bytes, sizeof bytes);
            RAND_bytes(text, sizeof text);
            alc_aes_key_init(&key, bytes, key_size);
            alc_aes_key_wrap(&key, text, size, ours);
            assert_int_equal(wrap_by_openssl(bytes, key_size, text, size, theirs), size + 8);
            assert_memory_equal(ours, theirs, size + 8);
            assert_int_equal(alc_aes_key_unwrap(&key, theirs, size + 8, opened), ALC_OK);
            assert_memory_equal(opened, text, size);
        }
    }
}

static void test_refusals(void **state)
{
    uint8_t text[32] = {7};
    uint8_t wrapped[40];
    uint8_t out[40];
    static const uint8_t zeros[40];
    struct alc_aes_key key;
    (void)state;
    alc_aes_key_init(&key, text, 32);
    alc_aes_key_wrap(&key, text, sizeof text, wrapped);
    for (size_t i = 0; i < sizeof wrapped; i++) {
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            wrapped[i] ^= (uint8_t)bit;
            alc_fill(out, 1, sizeof out);
            assert_int_equal(alc_aes_key_unwrap(&key, wrapped, 40, out), ALC_E_NOT_AUTHENTIC);
            assert_memory_equal(out, zeros, 32);
            wrapped[i] ^= (uint8_t)bit;
        }
    }
    for (size_t size = 0; size < 40; size++) {
        assert_int_equal(alc_aes_key_unwrap(&key, wrapped, size, out), ALC_E_NOT_AUTHENTIC);
    }
    assert_int_equal(alc_aes_key_unwrap(&key, wrapped, 40, out), ALC_OK);
    assert_memory_equal(out, text, 32);
}

static void test_derivation(void **state)
{
    static const uint8_t secret[] = {158, 86,  217, 29,  129, 113, 53,  211, 114, 131, 66,
                                     131, 191, 132, 38,  156, 251, 49,  110, 163, 218, 128,
                                     106, 72,  246, 218, 167, 121, 140, 254, 144, 196};
    static const uint8_t info[] = "\0\0\0\7A128GCM\0\0\0\5Alice\0\0\0\3Bob\0\0\0\200";
    static const uint8_t expected[] = {86, 170, 141, 234, 248, 35,  109, 32,
                                       92, 34,  40,  205, 113, 167, 16,  26};
    uint8_t out[80];
    uint8_t longer[80];
    struct alc_hkdf_inputs inputs = {
        .secret = secret, .secret_size = 32, .info = info, .info_size = sizeof info - 1};
    (void)state;
    alc_concat_kdf(ALC_HASH_SHA256, &inputs, out, sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
    /* More of it begins with less of it, and its second block is another one. */
    alc_concat_kdf(ALC_HASH_SHA256, &inputs, longer, sizeof longer);
    assert_memory_equal(longer, expected, sizeof expected);
    assert_memory_not_equal(longer, longer + 32, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_against_openssl),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_derivation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
