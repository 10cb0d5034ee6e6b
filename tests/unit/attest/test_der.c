/* SPDX-License-Identifier: Apache-2.0
 *
 * DER and dates: one form of everything, and refusal of the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "attest/der.h"
#include "attest/time.h"

static alc_status read_any(const void *bytes, size_t size, struct alc_der *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    ALC_TRY(alc_der_read_any(&reader, out));
    return alc_der_end(&reader);
}

static void test_lengths(void **state)
{
    (void)state;
    static uint8_t bytes[70000];
    struct alc_der element;
    static const struct {
        const char *head;
        size_t head_size;
        size_t content_size;
        alc_status status;
    } rows[] = {
        {"\x30\x00", 2, 0, ALC_OK},
        {"\x30\x7f", 2, 127, ALC_OK},
        {"\x30\x81\x80", 3, 128, ALC_OK},
        {"\x30\x82\x01\x00", 4, 256, ALC_OK},
        {"\x30\x83\x01\x00\x00", 5, 65536, ALC_OK},
        {"\x30\x81\x7f", 3, 127, ALC_E_BAD_DER},     /* fits one byte */
        {"\x30\x82\x00\xff", 4, 255, ALC_E_BAD_DER}, /* fits two */
        {"\x30\x83\x00\xff\xff", 5, 65535, ALC_E_BAD_DER},
        {"\x30\x80", 2, 10, ALC_E_BAD_DER}, /* indefinite */
        {"\x30\x84\x00\x01\x00\x00", 6, 65536, ALC_E_BAD_DER},
        {"\x30\x05", 2, 4, ALC_E_BAD_DER}, /* beyond the end */
        {"\x30\x05", 2, 6, ALC_E_BAD_DER}, /* bytes behind */
        {"\x1f\x01", 2, 1, ALC_E_BAD_DER}, /* tag of several bytes */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, rows[i].head, rows[i].head_size);
        size_t size = rows[i].head_size + rows[i].content_size;
        assert_int_equal(read_any(bytes, size, &element), rows[i].status);
        if (rows[i].status == ALC_OK) {
            assert_int_equal(element.content.size, rows[i].content_size);
            assert_int_equal(element.size, size);
        }
    }
    assert_int_equal(read_any("", 0, &element), ALC_E_UNEXPECTED_END);
    assert_int_equal(read_any("\x30", 1, &element), ALC_E_UNEXPECTED_END);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        alc_status status;
        uint32_t value;
    } rows[] = {
        {"\x02\x01\x00", 3, ALC_OK, 0},
        {"\x02\x01\x7f", 3, ALC_OK, 127},
        {"\x02\x02\x00\x80", 4, ALC_OK, 128},
        {"\x02\x05\x00\xff\xff\xff\xff", 7, ALC_OK, UINT32_MAX},
        {"\x02\x05\x01\x00\x00\x00\x00", 7, ALC_E_BAD_DER, 0},
        {"\x02\x01\x80", 3, ALC_E_BAD_DER, 0}, /* negative */
        {"\x02\x02\x00\x7f", 4, ALC_E_BAD_DER, 0},
        {"\x02\x00", 2, ALC_E_BAD_DER, 0},
        {"\x03\x01\x00", 3, ALC_E_BAD_DER, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alc_reader reader;
        uint32_t value = 0;
        alc_reader_init(&reader, rows[i].bytes, rows[i].size, NULL);
        assert_int_equal(alc_der_read_u32(&reader, &value), rows[i].status);
        assert_int_equal(value, rows[i].value);
    }
}

static bool rfc3339(const char *text, int64_t *out)
{
    return alc_time_from_rfc3339((const uint8_t *)text, strlen(text), out);
}

/* Every day of four centuries, as the C library counts them. */
static void test_calendar(void **state)
{
    (void)state;
    for (int64_t day = -100000; day < 146097; day++) {
        char text[40];
        int64_t seconds;
        time_t when = (time_t)(day * 86400 + (day & 0xffff));
        struct tm parts;
        assert_non_null(gmtime_r(&when, &parts));
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
        assert_true(rfc3339(text, &seconds));
        assert_true(seconds == when);
    }
}

static void test_dates(void **state)
{
    (void)state;
    int64_t seconds;
    static const char *const bad[] = {
        "2025-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2025-13-01T00:00:00Z",
        "2025-00-01T00:00:00Z", "2025-01-00T00:00:00Z", "2025-04-31T00:00:00Z",
        "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025-01-01T00:00:60Z",
        "2025-01-01T00:00:00",  "2025-01-01 00:00:00Z", "2025-01-01T00:00:00z",
        "2025-1-01T00:00:00Z",  "+025-01-01T00:00:00Z", "2025-01-01T00:00:00.0Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(rfc3339(bad[i], &seconds));
    }
    assert_true(rfc3339("2024-02-29T12:00:00Z", &seconds));
    assert_true(alc_time_from_utc_time((const uint8_t *)"491231235959Z", 13, &seconds));
    assert_true(seconds == 2524607999);
    assert_true(alc_time_from_utc_time((const uint8_t *)"500101000000Z", 13, &seconds));
    assert_true(seconds == -631152000);
    assert_false(alc_time_from_utc_time((const uint8_t *)"5001010000Z", 11, &seconds));
    assert_true(alc_time_from_generalized((const uint8_t *)"20500101000000Z", 15, &seconds));
    assert_true(seconds == 2524608000);
    assert_false(alc_time_from_generalized((const uint8_t *)"20500101000000+", 15, &seconds));
}

static void test_time_elements(void **state)
{
    (void)state;
    struct alc_reader reader;
    int64_t seconds;
    alc_reader_init(&reader,
                    "\x17\x0d"
                    "700101000001Z",
                    15, NULL);
    assert_int_equal(alc_der_read_time(&reader, &seconds), ALC_OK);
    assert_true(seconds == 1);
    alc_reader_init(&reader,
                    "\x18\x0d"
                    "700101000001Z",
                    15, NULL);
    assert_int_equal(alc_der_read_time(&reader, &seconds), ALC_E_BAD_DER);
    alc_reader_init(&reader,
                    "\x16\x0d"
                    "700101000001Z",
                    15, NULL);
    assert_int_equal(alc_der_read_time(&reader, &seconds), ALC_E_BAD_DER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),       cmocka_unit_test(test_integers),
        cmocka_unit_test(test_calendar),      cmocka_unit_test(test_dates),
        cmocka_unit_test(test_time_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
