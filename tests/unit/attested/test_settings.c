/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of attested sockets: one form, and no more than there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attested/settings.h"
#include "base/limits.h"

static void expect(const char *bytes, size_t size, uint32_t sockets, alc_status status)
{
    struct alc_reader reader;
    uint32_t count = 0;
    alc_reader_init(&reader, bytes, size, NULL);
    assert_int_equal(alc_attested_settings_read(&reader, sockets, &count), status);
}
#define EXPECT(text, sockets, status) expect(text, sizeof text - 1, sockets, status)

static void test_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[8];
    for (uint32_t count = 1; count <= ALC_LIMIT_ATTESTED_SOCKETS; count++) {
        struct alc_writer writer;
        struct alc_reader reader;
        uint32_t again = 0;
        alc_writer_init(&writer, bytes, sizeof bytes);
        alc_attested_settings_write(&writer, count);
        alc_reader_init(&reader, bytes, writer.pos, NULL);
        assert_int_equal(alc_attested_settings_read(&reader, count, &again), ALC_OK);
        assert_int_equal(again, count);
        alc_reader_init(&reader, bytes, writer.pos, NULL);
        assert_int_equal(alc_attested_settings_read(&reader, count - 1, &again),
                         ALC_E_BAD_MANIFEST);
    }
}

static void test_refused(void **state)
{
    (void)state;
    EXPECT("\x81\x10", 100, ALC_OK);
    EXPECT("\x81\x11", 100, ALC_E_BAD_MANIFEST); /* more than there may be */
    EXPECT("\x81\x00", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x81\x18\x01", 100, ALC_E_BAD_MANIFEST); /* a longer encoding */
    EXPECT("\x81\x01\x00", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x81", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x80", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x01", 100, ALC_E_BAD_MANIFEST);
    EXPECT("", 100, ALC_E_BAD_MANIFEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
