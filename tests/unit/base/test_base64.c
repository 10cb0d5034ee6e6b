/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64: the vectors of RFC 4648, every size back and forth, and refusal of every other text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void check(enum alc_base64_form form, const char *bytes, const char *text)
{
    char written[64];
    uint8_t read[64];
    size_t size;
    struct alc_writer writer;
    const size_t text_size = strlen(text);
    alc_writer_init(&writer, written, sizeof written);
    alc_base64_write(&writer, form, bytes, strlen(bytes));
    assert_int_equal(writer.pos, text_size);
    assert_int_equal(alc_base64_size(form, strlen(bytes)), text_size);
    assert_memory_equal(written, text, text_size);
    assert_true(
        alc_base64_read(form, (const uint8_t *)text, text_size, read, strlen(bytes), &size));
    assert_int_equal(size, strlen(bytes));
    assert_memory_equal(read, bytes, size);
    if (size > 0) {
        assert_false(
            alc_base64_read(form, (const uint8_t *)text, text_size, read, size - 1, &size));
    }
}

/* RFC 4648, 10. */
static void test_vectors(void **state)
{
    (void)state;
    check(ALC_BASE64, "", "");
    check(ALC_BASE64, "f", "Zg==");
    check(ALC_BASE64, "fo", "Zm8=");
    check(ALC_BASE64, "foo", "Zm9v");
    check(ALC_BASE64, "foob", "Zm9vYg==");
    check(ALC_BASE64_URL, "foob", "Zm9vYg");
    check(ALC_BASE64, "\xfb\xff", "+/8=");
    check(ALC_BASE64_URL, "\xfb\xff", "-_8");
}

static void test_every_byte(void **state)
{
    uint8_t bytes[256], text[400], read[256];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 89 + 7);
    }
    for (enum alc_base64_form form = ALC_BASE64; form <= ALC_BASE64_URL; form++) {
        for (size_t size = 0; size <= sizeof bytes; size++) {
            struct alc_writer writer;
            size_t read_size;
            alc_writer_init(&writer, text, sizeof text);
            alc_base64_write(&writer, form, bytes, size);
            assert_int_equal(writer.pos, alc_base64_size(form, size));
            assert_true(alc_base64_read(form, text, writer.pos, read, size, &read_size));
            assert_int_equal(read_size, size);
            assert_memory_equal(read, bytes, size);
            /* In place, as well. */
            assert_true(alc_base64_read(form, text, writer.pos, text, size, &read_size));
            assert_memory_equal(text, bytes, size);
        }
    }
}

static void test_refusals(void **state)
{
    static const char *const padded[] = {
        "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zm9v ", "Zm-v", "Z=9v", "Zg==Zg==", "\nm9v"};
    static const char *const unpadded[] = {"Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm9vY", "Zm 9v"};
    uint8_t out[64];
    size_t size;
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(padded); i++) {
        assert_false(alc_base64_read(ALC_BASE64, (const uint8_t *)padded[i], strlen(padded[i]), out,
                                     sizeof out, &size));
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(unpadded); i++) {
        assert_false(alc_base64_read(ALC_BASE64_URL, (const uint8_t *)unpadded[i],
                                     strlen(unpadded[i]), out, sizeof out, &size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
