/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded reader: values, offsets in errors, LEB128 corner cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reader.h"

static struct alc_error error;

static struct alc_reader reader_over(const void *bytes, size_t size)
{
    struct alc_reader reader;
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes, size, &error);
    return reader;
}

static void test_fixed_width_values(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct alc_reader reader = reader_over(bytes, sizeof bytes);
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    assert_int_equal(alc_read_u8(&reader, &u8), ALC_OK);
    assert_int_equal(alc_read_u16(&reader, &u16), ALC_OK);
    assert_int_equal(alc_read_u32(&reader, &u32), ALC_OK);
    assert_int_equal(alc_read_u64(&reader, &u64), ALC_OK);
    assert_int_equal(u8, 1);
    assert_int_equal(u16, 0x0302);
    assert_int_equal(u32, 0x07060504);
    assert_true(u64 == UINT64_C(0x0f0e0d0c0b0a0908));
    assert_true(alc_reader_at_end(&reader));
    assert_int_equal(alc_read_u8(&reader, &u8), ALC_E_UNEXPECTED_END);
    assert_int_equal(error.offset, 15);
}

static void check_s32(const uint8_t *bytes, size_t size, alc_status expected, int32_t value)
{
    struct alc_reader reader = reader_over(bytes, size);
    int32_t out = 0;
    assert_int_equal(alc_read_leb_s32(&reader, &out), expected);
    if (expected == ALC_OK) {
        assert_int_equal(out, value);
        assert_true(alc_reader_at_end(&reader));
    } else {
        assert_int_equal(reader.pos, 0);
    }
}

static void check_u32(const uint8_t *bytes, size_t size, alc_status expected, uint32_t value)
{
    struct alc_reader reader = reader_over(bytes, size);
    uint32_t out = 0;
    assert_int_equal(alc_read_leb_u32(&reader, &out), expected);
    if (expected == ALC_OK) {
        assert_int_equal(out, value);
    }
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void test_leb(void **state)
{
    (void)state;
    check_u32(BYTES(0x7f), ALC_OK, 127);
    check_u32(BYTES(0xff, 0xff, 0xff, 0xff, 0x0f), ALC_OK, UINT32_MAX);
    check_u32(BYTES(0x80, 0x80, 0x80, 0x80, 0x00), ALC_OK, 0);
    check_u32(BYTES(0xff, 0xff, 0xff, 0xff, 0x1f), ALC_E_LEB_TOO_LARGE, 0);
    check_u32(BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x00), ALC_E_LEB_TOO_LONG, 0);
    check_u32(BYTES(0x80, 0x80), ALC_E_UNEXPECTED_END, 0);
    check_s32(BYTES(0x7f), ALC_OK, -1);
    check_s32(BYTES(0x80, 0x80, 0x80, 0x80, 0x78), ALC_OK, INT32_MIN);
    check_s32(BYTES(0xff, 0xff, 0xff, 0xff, 0x07), ALC_OK, INT32_MAX);
    check_s32(BYTES(0xff, 0xff, 0xff, 0xff, 0x0f), ALC_E_LEB_TOO_LARGE, 0);
    check_s32(BYTES(0x80, 0x80, 0x80, 0x80, 0x70), ALC_E_LEB_TOO_LARGE, 0);
    check_s32(BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), ALC_E_LEB_TOO_LONG, 0);
    struct alc_reader reader =
        reader_over(BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f));
    int64_t wide = 0;
    assert_int_equal(alc_read_leb_s64(&reader, &wide), ALC_OK);
    assert_true(wide == INT64_MIN);
}

static void test_counts_are_bounded_by_what_remains(void **state)
{
    (void)state;
    struct alc_reader reader = reader_over(BYTES(0x03, 1, 2, 3, 4, 5));
    uint32_t count;
    assert_int_equal(alc_read_count(&reader, 10, ALC_E_LIMIT_ITEMS, 2, &count),
                     ALC_E_LENGTH_OUT_OF_BOUNDS);
    assert_int_equal(error.offset, 0);
    reader = reader_over(BYTES(0x03, 1, 2, 3, 4, 5, 6));
    assert_int_equal(alc_read_count(&reader, 10, ALC_E_LIMIT_ITEMS, 2, &count), ALC_OK);
    assert_int_equal(count, 3);
    reader = reader_over(BYTES(0x03, 1, 2, 3));
    assert_int_equal(alc_read_count(&reader, 2, ALC_E_LIMIT_ITEMS, 1, &count), ALC_E_LIMIT_ITEMS);
}

static void test_sub_reader_keeps_offsets(void **state)
{
    (void)state;
    struct alc_reader reader = reader_over(BYTES(1, 2, 3, 4));
    struct alc_reader sub;
    uint8_t byte;
    uint16_t pair;
    assert_int_equal(alc_read_u8(&reader, &byte), ALC_OK);
    assert_int_equal(alc_read_sub(&reader, 2, &sub), ALC_OK);
    assert_int_equal(alc_read_u8(&sub, &byte), ALC_OK);
    assert_int_equal(alc_read_u16(&sub, &pair), ALC_E_UNEXPECTED_END);
    assert_int_equal(error.offset, 2);
    assert_int_equal(alc_reader_remaining(&reader), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_width_values),
        cmocka_unit_test(test_leb),
        cmocka_unit_test(test_counts_are_bounded_by_what_remains),
        cmocka_unit_test(test_sub_reader_keeps_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
