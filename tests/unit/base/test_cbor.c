/* SPDX-License-Identifier: Apache-2.0
 *
 * Deterministic CBOR: the examples of RFC 8949 appendix A that are deterministic, and refusal of
 * the same values in longer or indefinite forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cbor.h"

static void check_uint(uint64_t value, const char *encoded, size_t size)
{
    uint8_t bytes[16];
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_cbor_write_uint(&writer, value);
    assert_int_equal(writer.pos, size);
    assert_memory_equal(bytes, encoded, size);
    struct alc_reader reader;
    uint64_t back;
    alc_reader_init(&reader, bytes, size, NULL);
    assert_int_equal(alc_cbor_read_uint(&reader, &back), ALC_OK);
    assert_true(back == value && alc_reader_at_end(&reader));
    alc_reader_init(&reader, bytes, size - 1, NULL);
    assert_int_equal(alc_cbor_read_uint(&reader, &back), ALC_E_UNEXPECTED_END);
}

static void test_integers(void **state)
{
    (void)state;
    check_uint(0, "\x00", 1);
    check_uint(23, "\x17", 1);
    check_uint(24, "\x18\x18", 2);
    check_uint(255, "\x18\xff", 2);
    check_uint(256, "\x19\x01\x00", 3);
    check_uint(1000000, "\x1a\x00\x0f\x42\x40", 5);
    check_uint(1000000000000, "\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00", 9);
    check_uint(UINT64_MAX, "\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
}

static alc_status read_uint_of(const char *bytes, size_t size)
{
    struct alc_reader reader;
    uint64_t value;
    alc_reader_init(&reader, bytes, size, NULL);
    return alc_cbor_read_uint(&reader, &value);
}

static void test_longer_forms_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_uint_of("\x18\x17", 2), ALC_E_BAD_CBOR);
    assert_int_equal(read_uint_of("\x19\x00\xff", 3), ALC_E_BAD_CBOR);
    assert_int_equal(read_uint_of("\x1a\x00\x00\xff\xff", 5), ALC_E_BAD_CBOR);
    assert_int_equal(read_uint_of("\x1b\0\0\0\0\xff\xff\xff\xff", 9), ALC_E_BAD_CBOR);
    assert_int_equal(read_uint_of("\x1f", 1), ALC_E_BAD_CBOR);
    assert_int_equal(read_uint_of("\x20", 1), ALC_E_BAD_CBOR);
}

static void test_strings_and_collections(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_cbor_write_map(&writer, 2);
    alc_cbor_write_uint(&writer, 1);
    alc_cbor_write_bytes(&writer, "\1\2\3\4", 4);
    alc_cbor_write_uint(&writer, 2);
    alc_cbor_write_array(&writer, 1);
    alc_cbor_write_text(&writer, "IETF", 4);
    assert_memory_equal(bytes, "\xa2\x01\x44\1\2\3\4\x02\x81\x64IETF", writer.pos);

    struct alc_reader reader;
    size_t count;
    size_t size;
    uint64_t key;
    const uint8_t *out;
    int64_t previous = -1;
    alc_reader_init(&reader, bytes, writer.pos, NULL);
    assert_int_equal(alc_cbor_read_map(&reader, 2, &count), ALC_OK);
    assert_int_equal(alc_cbor_read_key(&reader, &previous, &key), ALC_OK);
    assert_int_equal(alc_cbor_read_bytes(&reader, &out, &size), ALC_OK);
    assert_int_equal(size, 4);
    assert_int_equal(alc_cbor_read_key(&reader, &previous, &key), ALC_OK);
    assert_int_equal(alc_cbor_read_array(&reader, 1, &count), ALC_OK);
    assert_int_equal(alc_cbor_read_text(&reader, &out, &size), ALC_OK);
    assert_memory_equal(out, "IETF", 4);
    assert_true(alc_reader_at_end(&reader));
}

static void test_bytes_in_two_steps(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_cbor_write_bytes_head(&writer, 30);
    alc_write_zeros(&writer, 30);
    assert_memory_equal(bytes, "\x58\x1e\0\0", 4);
    struct alc_reader reader;
    const uint8_t *out;
    size_t size;
    alc_reader_init(&reader, bytes, writer.pos, NULL);
    assert_int_equal(alc_cbor_read_bytes(&reader, &out, &size), ALC_OK);
    assert_int_equal(size, 30);
    assert_true(alc_reader_at_end(&reader));
}

static void test_bad_collections_are_refused(void **state)
{
    (void)state;
    struct alc_reader reader;
    size_t size;
    uint64_t key;
    const uint8_t *out;
    alc_reader_init(&reader, "\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9, NULL);
    assert_int_equal(alc_cbor_read_bytes(&reader, &out, &size), ALC_E_UNEXPECTED_END);
    alc_reader_init(&reader, "\x9a\xff\xff\xff\xff", 5, NULL);
    assert_int_equal(alc_cbor_read_array(&reader, SIZE_MAX, &size), ALC_E_LENGTH_OUT_OF_BOUNDS);
    alc_reader_init(&reader, "\x83\1\2\3", 4, NULL);
    assert_int_equal(alc_cbor_read_array(&reader, 2, &size), ALC_E_LENGTH_OUT_OF_BOUNDS);
    alc_reader_init(&reader, "\x61\xff", 2, NULL);
    assert_int_equal(alc_cbor_read_text(&reader, &out, &size), ALC_E_BAD_UTF8);
    int64_t previous = 3;
    alc_reader_init(&reader, "\x03", 1, NULL);
    assert_int_equal(alc_cbor_read_key(&reader, &previous, &key), ALC_E_BAD_CBOR);
}

static void check_int(int64_t value, const char *encoded, size_t size)
{
    uint8_t bytes[16];
    struct alc_writer writer;
    struct alc_reader reader;
    uint64_t previous = 0;
    int64_t back;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_cbor_write_int(&writer, value);
    assert_int_equal(writer.pos, size);
    assert_memory_equal(bytes, encoded, size);
    alc_reader_init(&reader, bytes, size, NULL);
    assert_int_equal(alc_cbor_read_label(&reader, &previous, &back), ALC_OK);
    assert_true(back == value && alc_reader_at_end(&reader));
}

static void test_integers_of_either_sign(void **state)
{
    (void)state;
    check_int(0, "\x00", 1);
    check_int(-1, "\x20", 1);
    check_int(-24, "\x37", 1);
    check_int(-100, "\x38\x63", 2);
    check_int(-1000, "\x39\x03\xe7", 3);
    check_int(-70000, "\x3a\x00\x01\x11\x6f", 5);
}

/* Keys in an order that is not that of encodings, keys twice, and what does not fit. */
static void test_labels_are_in_order(void **state)
{
    (void)state;
    static const char good[] = "\x00\x18\x64\x20\x37"; /* 0, 100, -1, -24 */
    static const int64_t values[] = {0, 100, -1, -24};
    struct alc_reader reader;
    uint64_t previous = 0;
    int64_t label;
    alc_reader_init(&reader, good, sizeof good - 1, NULL);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(values); i++) {
        assert_int_equal(alc_cbor_read_label(&reader, &previous, &label), ALC_OK);
        assert_true(label == values[i]);
    }
    static const char *const bad[] = {"\x01\x01", "\x02\x01", "\x20\x01", "\x21\x20", "\x20\x20"};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        previous = 0;
        alc_reader_init(&reader, bad[i], 2, NULL);
        assert_int_equal(alc_cbor_read_label(&reader, &previous, &label), ALC_OK);
        assert_int_equal(alc_cbor_read_label(&reader, &previous, &label), ALC_E_BAD_CBOR);
    }
    previous = 0;
    alc_reader_init(&reader, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9, NULL);
    assert_int_equal(alc_cbor_read_label(&reader, &previous, &label), ALC_E_BAD_CBOR);
    alc_reader_init(&reader, "\x41", 1, NULL);
    assert_int_equal(alc_cbor_read_label(&reader, &previous, &label), ALC_E_BAD_CBOR);
}

static void test_tags_and_booleans(void **state)
{
    (void)state;
    uint8_t bytes[16];
    struct alc_writer writer;
    struct alc_reader reader;
    uint64_t tag;
    bool value = false;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_cbor_write_tag(&writer, 60000);
    alc_cbor_write_bool(&writer, true);
    alc_cbor_write_bool(&writer, false);
    assert_int_equal(writer.pos, 5);
    assert_memory_equal(bytes, "\xd9\xea\x60\xf5\xf4", 5);
    alc_reader_init(&reader, bytes, 5, NULL);
    assert_int_equal(alc_cbor_read_tag(&reader, &tag), ALC_OK);
    assert_true(tag == 60000);
    assert_int_equal(alc_cbor_read_bool(&reader, &value), ALC_OK);
    assert_true(value);
    assert_int_equal(alc_cbor_read_bool(&reader, &value), ALC_OK);
    assert_false(value);
    alc_reader_init(&reader, "\xf6", 1, NULL); /* null */
    assert_int_equal(alc_cbor_read_bool(&reader, &value), ALC_E_BAD_CBOR);
}

static void test_null(void **state)
{
    (void)state;
    uint8_t bytes[2];
    struct alc_writer writer;
    struct alc_reader reader;
    uint64_t value;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_cbor_write_null(&writer);
    alc_cbor_write_uint(&writer, 7);
    assert_memory_equal(bytes, "\xf6\x07", 2);
    alc_reader_init(&reader, bytes, 2, NULL);
    assert_true(alc_cbor_take_null(&reader));
    assert_false(alc_cbor_take_null(&reader)); /* and nothing was read */
    assert_int_equal(alc_cbor_read_uint(&reader, &value), ALC_OK);
    assert_true(value == 7);
    assert_false(alc_cbor_take_null(&reader)); /* the end */
    alc_reader_init(&reader, "\xf8\x16", 2, NULL);
    assert_false(alc_cbor_take_null(&reader)); /* a longer form */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_longer_forms_are_refused),
        cmocka_unit_test(test_integers_of_either_sign),
        cmocka_unit_test(test_labels_are_in_order),
        cmocka_unit_test(test_tags_and_booleans),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_strings_and_collections),
        cmocka_unit_test(test_bytes_in_two_steps),
        cmocka_unit_test(test_bad_collections_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
