/* SPDX-License-Identifier: Apache-2.0
 *
 * Encrypted messages: those of OpenSSL are opened, in every size; what was changed, is for another
 * key, in another form or with other algorithms is not, with the right name for why not.
 */
#include "unit/broker/server.h"

static uint8_t memory[4 << 20];
static char message[3 << 20];
static uint8_t secret[1 << 19];

struct keys {
    struct alc_ec_private_key private_key;
    struct alc_ec_public_key public_key;
};

static struct keys make_keys(void)
{
    struct keys keys;
    assert_int_equal(
        alc_ec_generate(ALC_CURVE_P256, &oracle_random, &keys.private_key, &keys.public_key),
        ALC_OK);
    return keys;
}

static alc_status open_text(const struct keys *keys, const char *text, struct alc_text *out,
                            struct alc_error *error)
{
    struct alc_arena arena;
    struct alc_reader reader;
    alc_error_clear(error);
    alc_arena_init(&arena, memory, sizeof memory);
    alc_reader_init(&reader, text, strlen(text), error);
    alc_status status = alc_jwe_open(&arena, &reader, &keys->private_key, &oracle_random, out);
    assert_int_equal(error->status, status);
    assert_true(status == ALC_OK || error->offset == ALC_NO_OFFSET ||
                error->offset <= strlen(text));
    return status;
}

static alc_status open_changed(const struct server_message *changes)
{
    struct keys keys = make_keys();
    struct alc_error error;
    struct alc_text out;
    server_seal(&keys.public_key, "a secret", 8, changes, message, sizeof message);
    alc_status status = open_text(&keys, message, &out, &error);
    if (status == ALC_OK) {
        assert_int_equal(out.size, 8);
        assert_memory_equal(out.bytes, "a secret", 8);
    }
    return status;
}

static void test_sizes(void **state)
{
    struct keys keys = make_keys();
    struct alc_error error;
    struct alc_text out;
    (void)state;
    RAND_bytes(secret, sizeof secret);
    for (size_t size = 0; size <= sizeof secret; size = size < 40 ? size + 1 : size * 3) {
        server_seal(&keys.public_key, secret, size, &(struct server_message){0}, message,
                    sizeof message);
        assert_int_equal(open_text(&keys, message, &out, &error), ALC_OK);
        assert_int_equal(out.size, size);
        assert_memory_equal(out.bytes, secret, size);
    }
}

static void test_changes(void **state)
{
    (void)state;
    for (int damaged = 1; damaged <= 5; damaged++) {
        assert_int_equal(open_changed(&(struct server_message){.damaged = damaged}),
                         ALC_E_NOT_AUTHENTIC);
    }
    assert_int_equal(open_changed(&(struct server_message){.more_data = "a.b"}), ALC_OK);
    assert_int_equal(open_changed(&(struct server_message){.more_members = ",\"x\":[1,{}]"}),
                     ALC_OK);
    static const struct server_message other[] = {
        {.algorithm = "ECDH-ES"},
        {.algorithm = "RSA-OAEP-256"},
        {.encryption = "A128GCM"},
        {.more_header = ",\"apu\":\"QQ\""},
        {.more_header = ",\"crit\":[\"b64\"]"},
        {.more_header = ",\"zip\":\"DEF\""},
        {.more_members = ",\"header\":{}"},
        {.more_members = ",\"recipients\":[]"},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(other); i++) {
        assert_int_equal(open_changed(&other[i]), ALC_E_NOT_SUPPORTED);
    }
    static const struct server_message doubled[] = {
        {.more_members = ",\"tag\":\"AAAAAAAAAAAAAAAAAAAAAA\""},
        {.more_header = ",\"alg\":\"ECDH-ES+A256KW\""},
        {.more_members = "} {"},
        {.more_members = ","},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(doubled); i++) {
        assert_int_equal(open_changed(&doubled[i]), ALC_E_BAD_JSON);
    }
}

static void test_other_key(void **state)
{
    struct keys keys = make_keys();
    struct keys others = make_keys();
    struct alc_error error;
    struct alc_text out;
    (void)state;
    server_seal(&others.public_key, "a secret", 8, &(struct server_message){0}, message,
                sizeof message);
    assert_int_equal(open_text(&keys, message, &out, &error), ALC_E_NOT_AUTHENTIC);
    assert_int_equal(open_text(&others, message, &out, &error), ALC_OK);
}

/* Every prefix, and every byte as another one: refused, or only the spelling was changed. */
static void test_every_byte(void **state)
{
    struct keys keys = make_keys();
    struct alc_error error;
    struct alc_text out;
    char changed[2000];
    (void)state;
    server_seal(&keys.public_key, "a secret", 8, &(struct server_message){0}, message,
                sizeof message);
    const size_t size = strlen(message);
    assert_true(size < sizeof changed);
    for (size_t i = 0; i < size; i++) {
        memcpy(changed, message, size + 1);
        changed[i] = '\0';
        assert_int_not_equal(open_text(&keys, changed, &out, &error), ALC_OK);
        changed[i] = (char)(message[i] ^ 1);
        assert_int_not_equal(open_text(&keys, changed, &out, &error), ALC_OK);
    }
}

/* Coordinates that are no point of the curve: the attack that asks a key for its bits. */
static void test_bad_point(void **state)
{
    static const char header[] =
        "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\","
        "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}}";
    struct keys keys = make_keys();
    struct alc_error error;
    struct alc_text out;
    char encoded[400];
    uint8_t zeros[40] = {0};
    char key_text[60];
    (void)state;
    snprintf(message, sizeof message,
             "{\"protected\":\"%s\",\"encrypted_key\":\"%s\",\"iv\":\"AAAAAAAAAAAAAAAA\","
             "\"ciphertext\":\"AA\",\"tag\":\"AAAAAAAAAAAAAAAAAAAAAA\"}",
             server_base64(header, sizeof header - 1, encoded, sizeof encoded),
             server_base64(zeros, 40, key_text, sizeof key_text));
    assert_int_equal(open_text(&keys, message, &out, &error), ALC_E_BAD_KEY);
}

static void test_jwk(void **state)
{
    struct alc_ec_public_key key = {.curve = ALC_CURVE_P256};
    char text[256];
    struct alc_writer writer;
    (void)state;
    key.point[31] = 1;
    key.point[63] = 2;
    alc_writer_init(&writer, text, sizeof text);
    alc_jwk_write(&writer, &key);
    text[writer.pos] = '\0';
    assert_string_equal(text, "{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":"
                              "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":"
                              "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),     cmocka_unit_test(test_changes),
        cmocka_unit_test(test_other_key), cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_bad_point), cmocka_unit_test(test_jwk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
