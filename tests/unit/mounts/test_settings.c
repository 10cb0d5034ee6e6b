/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of sealed mounts: there and back, and nothing else is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "mounts/settings.h"

static struct alc_string encode(const struct alc_mount_settings *settings,
                                uint8_t bytes[ALC_MOUNT_SETTINGS_SIZE_MAX])
{
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, ALC_MOUNT_SETTINGS_SIZE_MAX);
    alc_mount_settings_encode(settings, &writer);
    assert_false(writer.overflowed);
    return (struct alc_string){bytes, writer.pos};
}

static void test_there_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t bytes[ALC_MOUNT_SETTINGS_SIZE_MAX];
        struct alc_mount_settings found;
        struct alc_mount_settings settings = {.level = (enum alc_mount_level)(i & 1),
                                              .policy = (enum alc_mount_policy)(i >> 1)};
        memset(settings.witness.point, i & 1 ? 0x5a : 0, 64);
        struct alc_string text = i == 0 ? (struct alc_string){NULL, 0} : encode(&settings, bytes);
        assert_int_equal(alc_mount_settings_decode(&text, &found), ALC_OK);
        assert_int_equal(found.level, settings.level);
        assert_int_equal(found.policy, settings.policy);
        assert_int_equal(found.witness.curve, ALC_CURVE_P256);
        assert_memory_equal(found.witness.point, settings.witness.point, 64);
    }
}

/* Settings of 0 are said by nothing; every cut and every longer text is refused. */
static void test_refused(void **state)
{
    const struct alc_mount_settings nothing = {.level = ALC_MOUNT_LEVEL_SESSION};
    const struct alc_mount_settings witnessed = {.level = ALC_MOUNT_LEVEL_WITNESS};
    uint8_t bytes[ALC_MOUNT_SETTINGS_SIZE_MAX + 1] = {0};
    struct alc_mount_settings found;
    (void)state;
    struct alc_string text = encode(&nothing, bytes);
    assert_int_not_equal(alc_mount_settings_decode(&text, &found), ALC_OK);
    text = encode(&witnessed, bytes);
    size_t whole = text.size;
    for (text.size = 1; text.size < whole; text.size++) {
        assert_int_not_equal(alc_mount_settings_decode(&text, &found), ALC_OK);
    }
    text.size = whole + 1;
    assert_int_not_equal(alc_mount_settings_decode(&text, &found), ALC_OK);
    text.size = whole;
    for (size_t i = 0; i < 5; i++) { /* array, level, policy, head and size of the key */
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            bool is_other_policy = i == 2 && bit == 0;
            assert_int_equal(alc_mount_settings_decode(&text, &found) == ALC_OK, is_other_policy);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
