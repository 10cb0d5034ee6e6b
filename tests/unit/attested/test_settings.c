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
    struct alc_attested_settings settings;
    alc_reader_init(&reader, bytes, size, NULL);
    assert_int_equal(alc_attested_settings_read(&reader, sockets, &settings), status);
}
#define EXPECT(text, sockets, status) expect(text, sizeof text - 1, sockets, status)

static void there_and_back(const struct alc_attested_settings *settings)
{
    uint8_t bytes[32];
    struct alc_writer writer;
    struct alc_reader reader;
    struct alc_attested_settings again;
    const uint32_t count = settings->listeners_count + settings->connections_count;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_attested_settings_write(&writer, settings);
    assert_false(writer.overflowed);
    alc_reader_init(&reader, bytes, writer.pos, NULL);
    assert_int_equal(alc_attested_settings_read(&reader, count, &again), ALC_OK);
    assert_int_equal(again.listeners_count, settings->listeners_count);
    assert_int_equal(again.connections_count, settings->connections_count);
    assert_int_equal(again.dialect, settings->dialect);
    assert_int_equal(again.policy.size, settings->policy.size);
    assert_memory_equal(again.policy.bytes, settings->policy.bytes, settings->policy.size);
    alc_reader_init(&reader, bytes, writer.pos, NULL);
    assert_int_equal(alc_attested_settings_read(&reader, count - 1, &again), ALC_E_BAD_MANIFEST);
}

static void test_there_and_back(void **state)
{
    (void)state;
    static const uint8_t policy[] = "{\"kinds\":[\"sgx\"]}";
    for (uint32_t count = 1; count <= ALC_LIMIT_ATTESTED_SOCKETS; count++) {
        for (uint32_t listeners = 0; listeners <= count; listeners++) {
            struct alc_attested_settings settings = {
                .listeners_count = listeners,
                .connections_count = count - listeners,
                .policy = {policy, 0},
            };
            there_and_back(&settings);
            settings.policy.size = sizeof policy - 1;
            there_and_back(&settings);
            if (listeners == count) {
                settings.policy.size = 0;
                settings.dialect = ALC_ATTESTED_TNG;
                there_and_back(&settings);
            }
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    EXPECT("\x84\x10\x00\x40\x00", 100, ALC_OK);
    EXPECT("\x84\x00\x10\x40\x00", 100, ALC_OK);
    EXPECT("\x84\x11\x00\x40\x00", 100, ALC_E_BAD_MANIFEST); /* more than there may be */
    EXPECT("\x84\x10\x01\x40\x00", 100, ALC_E_BAD_MANIFEST); /* so are both together */
    EXPECT("\x84\x01\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x40\x00", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x84\x00\x00\x40\x00", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x84\x18\x01\x00\x40\x00", 100, ALC_E_BAD_MANIFEST); /* a longer encoding */
    EXPECT("\x84\x01\x00\x40\x00\x00", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x84\x01\x00\x60\x00", 100, ALC_E_BAD_MANIFEST); /* text, not bytes */
    EXPECT("\x84\x01\x00\x40\x01", 100, ALC_OK);             /* TNG's dialect */
    EXPECT("\x84\x01\x00\x40\x02", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x84\x01\x01\x40\x01", 100, ALC_E_BAD_MANIFEST);   /* has no connections */
    EXPECT("\x84\x01\x00\x42{}\x01", 100, ALC_E_BAD_MANIFEST); /* and no policy */
    EXPECT("\x84\x01\x00\x40", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x83\x01\x00\x40", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x81\x01", 100, ALC_E_BAD_MANIFEST);
    EXPECT("\x01", 100, ALC_E_BAD_MANIFEST);
    EXPECT("", 100, ALC_E_BAD_MANIFEST);
}

/* The longest document, and one byte more. */
static void test_policy_size(void **state)
{
    (void)state;
    static const uint8_t document[ALC_LIMIT_POLICY_SIZE + 1];
    static uint8_t bytes[ALC_LIMIT_POLICY_SIZE + 16];
    for (size_t size = ALC_LIMIT_POLICY_SIZE; size <= sizeof document; size++) {
        const struct alc_attested_settings settings = {.listeners_count = 1,
                                                       .policy = {document, size}};
        struct alc_writer writer;
        alc_writer_init(&writer, bytes, sizeof bytes);
        alc_attested_settings_write(&writer, &settings);
        expect((const char *)bytes, writer.pos, 1,
               size <= ALC_LIMIT_POLICY_SIZE ? ALC_OK : ALC_E_BAD_MANIFEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_policy_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
