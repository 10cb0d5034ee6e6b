/* SPDX-License-Identifier: Apache-2.0
 *
 * CMAC and GCM: published vectors, the same answers as OpenSSL for random keys, sizes and
 * pieces, and refusal of everything that was changed.
 */
#include "oracle.h"

enum { TEXT_MAX = 600, DATA_MAX = 100 };

/* RFC 4493, section 4. */
static void test_cmac_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *code;
    } rows[] = {{0, "bb1d6929e95937287fa37d129b756746"},
                {16, "070a16b46b4d4144f79bdd9dd04a287c"},
                {40, "dfa66747de9ae63030ca32611497c827"},
                {64, "51f0bebf7e3b9d92fc49741779363cfe"}};
    uint8_t key[16];
    uint8_t text[64];
    uint8_t expected[16];
    uint8_t code[16];
    from_hex("2b7e151628aed2a6abf7158809cf4f3c", key);
    from_hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51"
             "30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
             text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        from_hex(rows[i].code, expected);
        alc_aes_cmac(key, text, rows[i].size, code);
        assert_memory_equal(code, expected, 16);
    }
}

static void test_cmac_agrees(void **state)
{
    (void)state;
    uint8_t key[16];
    uint8_t text[100];
    uint8_t code[16];
    uint8_t expected[16];
    size_t expected_size;
    for (size_t size = 0; size <= sizeof text; size++) {
        RAND_bytes(key, sizeof key);
        RAND_bytes(text, sizeof text);
        alc_aes_cmac(key, text, size, code);
        assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, key, sizeof key, text,
                                  size, expected, sizeof expected, &expected_size));
        assert_memory_equal(code, expected, 16);
    }
}

/* Test case 16 of McGrew and Viega's "The Galois/Counter Mode of Operation". */
static void test_gcm_vector(void **state)
{
    (void)state;
    uint8_t key_bytes[32];
    uint8_t iv[12];
    uint8_t text[60];
    uint8_t data[20];
    uint8_t expected[60];
    uint8_t expected_tag[16];
    uint8_t out[60];
    uint8_t tag[16];
    struct alc_gcm_key key;
    from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key_bytes);
    from_hex("cafebabefacedbaddecaf888", iv);
    from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
             text);
    from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", data);
    from_hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
             "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
             expected);
    from_hex("76fc6ece0f4e1768cddf8853bb2d551b", expected_tag);
    alc_gcm_key_init(&key, key_bytes, sizeof key_bytes);
    struct alc_gcm_message message = {iv, data, sizeof data, sizeof text};
    alc_gcm_seal(&key, &message, text, out, tag);
    assert_memory_equal(out, expected, sizeof expected);
    assert_memory_equal(tag, expected_tag, sizeof expected_tag);
}

struct sample {
    uint8_t key[32];
    size_t key_size;
    uint8_t iv[12];
    uint8_t data[DATA_MAX];
    size_t data_size;
    uint8_t text[TEXT_MAX];
    size_t text_size;
    uint8_t sealed[TEXT_MAX];
    uint8_t tag[16];
};

static void make_sample(struct sample *sample, size_t text_size)
{
    RAND_bytes((uint8_t *)sample, sizeof *sample);
    sample->key_size = oracle_below(2) == 0 ? 16 : 32;
    sample->data_size = oracle_below(DATA_MAX + 1);
    sample->text_size = text_size;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int size;
    EVP_EncryptInit_ex(ctx, sample->key_size == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL,
                       sample->key, sample->iv);
    EVP_EncryptUpdate(ctx, NULL, &size, sample->data, (int)sample->data_size);
    EVP_EncryptUpdate(ctx, sample->sealed, &size, sample->text, (int)text_size);
    assert_int_equal(EVP_EncryptFinal_ex(ctx, sample->sealed + size, &size), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, sample->tag), 1);
    EVP_CIPHER_CTX_free(ctx);
}

static struct alc_gcm_message message_of(const struct sample *sample)
{
    return (struct alc_gcm_message){sample->iv, sample->data, sample->data_size, sample->text_size};
}

static void test_gcm_agrees(void **state)
{
    (void)state;
    static struct sample sample;
    uint8_t out[TEXT_MAX];
    uint8_t tag[16];
    struct alc_gcm_key key;
    for (size_t size = 0; size <= TEXT_MAX; size++) {
        make_sample(&sample, size);
        struct alc_gcm_message message = message_of(&sample);
        alc_gcm_key_init(&key, sample.key, sample.key_size);
        alc_gcm_seal(&key, &message, sample.text, out, tag);
        assert_memory_equal(out, sample.sealed, size);
        assert_memory_equal(tag, sample.tag, 16);
        memcpy(out, sample.sealed, size); /* in place */
        assert_int_equal(alc_gcm_open(&key, &message, out, sample.tag, out), ALC_OK);
        assert_memory_equal(out, sample.text, size);
    }
}

/* Data and text in pieces of any size give the same. */
static void test_gcm_in_pieces(void **state)
{
    (void)state;
    static struct sample sample;
    uint8_t out[TEXT_MAX];
    uint8_t tag[16];
    struct alc_gcm_key key;
    struct alc_gcm gcm;
    for (unsigned turn = 0; turn < 300; turn++) {
        bool is_sealing = turn % 2 == 0;
        make_sample(&sample, oracle_below(TEXT_MAX + 1));
        const uint8_t *in = is_sealing ? sample.text : sample.sealed;
        alc_gcm_key_init(&key, sample.key, sample.key_size);
        alc_gcm_start(&gcm, &key, sample.iv, is_sealing);
        for (size_t done = 0, part; done < sample.data_size; done += part) {
            part = 1 + oracle_below((uint32_t)(sample.data_size - done));
            alc_gcm_add_data(&gcm, sample.data + done, part);
        }
        for (size_t done = 0, part; done < sample.text_size; done += part) {
            part = oracle_below((uint32_t)(sample.text_size - done) + 1);
            alc_gcm_update(&gcm, in + done, out + done, part);
        }
        alc_gcm_finish(&gcm, tag);
        assert_memory_equal(out, is_sealing ? sample.sealed : sample.text, sample.text_size);
        assert_memory_equal(tag, sample.tag, 16);
    }
}

/* The counter is the low word alone: it wraps without a carry into the iv. */
static void test_gcm_long_text(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    uint8_t *text = calloc(1, SIZE);
    uint8_t *expected = malloc(SIZE);
    uint8_t key_bytes[32] = {7};
    uint8_t iv[12] = {9};
    uint8_t tag[16];
    struct alc_gcm_key key;
    int size;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key_bytes, iv);
    EVP_EncryptUpdate(ctx, expected, &size, text, SIZE);
    EVP_CIPHER_CTX_free(ctx);
    alc_gcm_key_init(&key, key_bytes, sizeof key_bytes);
    struct alc_gcm_message message = {iv, NULL, 0, SIZE};
    alc_gcm_seal(&key, &message, text, text, tag);
    assert_memory_equal(text, expected, SIZE);
    free(text);
    free(expected);
}

static void test_gcm_refuses_changes(void **state)
{
    (void)state;
    static struct sample sample;
    static const uint8_t zeros[TEXT_MAX];
    uint8_t out[TEXT_MAX];
    struct alc_gcm_key key;
    make_sample(&sample, 150);
    sample.data_size = 20;
    struct alc_gcm_message message = message_of(&sample);
    alc_gcm_key_init(&key, sample.key, sample.key_size);
    alc_gcm_seal(&key, &message, sample.text, sample.sealed, sample.tag);
    struct {
        uint8_t *bytes;
        size_t size;
    } const parts[] = {
        {sample.sealed, sample.text_size}, {sample.data, 20}, {sample.iv, 12}, {sample.tag, 16}};
    for (size_t part = 0; part < 4; part++) {
        for (size_t bit = 0; bit < 8 * parts[part].size; bit++) {
            parts[part].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(out, 0xAA, sizeof out);
            assert_int_equal(alc_gcm_open(&key, &message, sample.sealed, sample.tag, out),
                             ALC_E_NOT_AUTHENTIC);
            assert_memory_equal(out, zeros, sample.text_size);
            parts[part].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    message.text_size--; /* cut */
    assert_int_equal(alc_gcm_open(&key, &message, sample.sealed, sample.tag, out),
                     ALC_E_NOT_AUTHENTIC);
    message.text_size++;
    message.data_size--; /* the border between data and text moves */
    assert_int_equal(alc_gcm_open(&key, &message, sample.sealed, sample.tag, out),
                     ALC_E_NOT_AUTHENTIC);
}

static void test_secret_equal(void **state)
{
    (void)state;
    uint8_t a[40] = {1, 2, 3};
    uint8_t b[40] = {1, 2, 3};
    assert_true(alc_secret_equal(a, b, sizeof a));
    assert_true(alc_secret_equal(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(alc_secret_equal(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cmac_vectors),        cmocka_unit_test(test_cmac_agrees),
        cmocka_unit_test(test_gcm_vector),          cmocka_unit_test(test_gcm_agrees),
        cmocka_unit_test(test_gcm_in_pieces),       cmocka_unit_test(test_gcm_long_text),
        cmocka_unit_test(test_gcm_refuses_changes), cmocka_unit_test(test_secret_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
