/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of mounts: a round trip, every cut and every changed byte, and flags that contradict
 * each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mounts/settings.h"

#define TEXT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}
enum { COUNT = 5 };

static uint8_t memory[1 << 12];
static struct alc_mount mounts[COUNT];
static struct alc_mount_setting settings[COUNT];
static uint8_t bytes[512];
static size_t bytes_size;

static size_t write_settings(uint8_t *out)
{
    struct alc_writer writer;
    alc_writer_init(&writer, out, 512);
    alc_mount_settings_write(&writer, mounts, settings, COUNT);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    return writer.pos;
}

static int set_up(void **state)
{
    static const uint32_t flags[COUNT] = {0, ALC_MOUNT_ARCHIVE | ALC_MOUNT_READ_ONLY,
                                          ALC_MOUNT_SEALED, ALC_MOUNT_MEMORY,
                                          ALC_MOUNT_SEALED | ALC_MOUNT_READ_ONLY};
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        mounts[i] = (struct alc_mount){TEXT("/x"), flags[i]};
    }
    memset(settings[1].digest, 7, ALC_SHA256_SIZE);
    settings[3].memory_size = 5 << 20;
    settings[2].policy = ALC_MOUNT_POLICY_MRSIGNER;
    settings[4].level = ALC_MOUNT_LEVEL_WITNESS;
    memset(settings[4].witness, 9, sizeof settings[4].witness);
    bytes_size = write_settings(bytes);
    return 0;
}

static alc_status read_settings(size_t size, struct alc_mount_setting **out)
{
    struct alc_arena arena;
    struct alc_manifest manifest = {.mounts = mounts, .mounts_count = COUNT};
    manifest.services[ALC_SERVICE_MOUNTS] = (struct alc_string){bytes, size};
    alc_arena_init(&arena, memory, sizeof memory);
    return alc_mount_settings_read(&arena, &manifest, out, NULL);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct alc_mount_setting *found;
    assert_int_equal(read_settings(bytes_size, &found), ALC_OK);
    assert_memory_equal(found[1].digest, settings[1].digest, ALC_SHA256_SIZE);
    assert_int_equal(found[3].memory_size, 5 << 20);
    assert_int_equal(found[2].policy, ALC_MOUNT_POLICY_MRSIGNER);
    assert_int_equal(found[2].level, ALC_MOUNT_LEVEL_SESSION);
    assert_int_equal(found[4].policy, ALC_MOUNT_POLICY_MRENCLAVE);
    assert_int_equal(found[4].level, ALC_MOUNT_LEVEL_WITNESS);
    assert_memory_equal(found[4].witness, settings[4].witness, ALC_MOUNT_WITNESS_KEY_SIZE);
    for (size_t i = 0; i < COUNT; i++) {
        mounts[i].flags &= ALC_MOUNT_SEALED;
        settings[i] = (struct alc_mount_setting){0};
    }
    assert_int_equal(write_settings(bytes), 0);
    assert_int_equal(read_settings(0, &found), ALC_OK);
    assert_int_equal(read_settings(bytes_size, &found), ALC_E_BAD_MANIFEST);
}

static void test_cuts(void **state)
{
    (void)state;
    struct alc_mount_setting *found;
    for (size_t cut = 0; cut < bytes_size; cut++) {
        assert_int_not_equal(read_settings(cut, &found), ALC_OK);
    }
    bytes[bytes_size] = 0;
    assert_int_equal(read_settings(bytes_size + 1, &found), ALC_E_BAD_MANIFEST);
}

/* What is accepted is written in the same way again. */
static void test_changed_bytes(void **state)
{
    (void)state;
    struct alc_mount_setting *found;
    uint8_t again[512];
    unsigned accepted_count = 0;
    for (size_t at = 0; at < bytes_size; at++) {
        for (unsigned change = 1; change < 256; change++) {
            bytes[at] ^= (uint8_t)change;
            if (read_settings(bytes_size, &found) == ALC_OK) {
                memcpy(settings, found, sizeof settings);
                assert_int_equal(write_settings(again), bytes_size);
                assert_memory_equal(again, bytes, bytes_size);
                accepted_count++;
            }
            bytes[at] ^= (uint8_t)change;
        }
    }
    assert_true(accepted_count > 32 * 255); /* of the digest every byte */
}

static void test_flags(void **state)
{
    (void)state;
    struct alc_mount_setting *found;
    static const struct {
        size_t mount;
        uint32_t flags;
    } rows[] = {
        {0, ALC_MOUNT_ARCHIVE | ALC_MOUNT_READ_ONLY}, /* without a setting */
        {0, ALC_MOUNT_MEMORY},
        {1, ALC_MOUNT_ARCHIVE},
        {1, ALC_MOUNT_ARCHIVE | ALC_MOUNT_READ_ONLY | ALC_MOUNT_MEMORY},
        {1, ALC_MOUNT_READ_ONLY}, /* with one */
        {1, ALC_MOUNT_MEMORY},    /* with that of another kind */
        {2, ALC_MOUNT_SEALED | ALC_MOUNT_MEMORY},
        {3, ALC_MOUNT_MEMORY | ALC_MOUNT_READ_ONLY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t good = mounts[rows[i].mount].flags;
        mounts[rows[i].mount].flags = rows[i].flags;
        assert_int_not_equal(read_settings(bytes_size, &found), ALC_OK);
        mounts[rows[i].mount].flags = good;
    }
    assert_int_equal(read_settings(bytes_size, &found), ALC_OK);
}

/* The order of the levels is not that of their numbers. */
static void test_levels(void **state)
{
    (void)state;
    static const enum alc_mount_level order[] = {ALC_MOUNT_LEVEL_NONE, ALC_MOUNT_LEVEL_SESSION,
                                                 ALC_MOUNT_LEVEL_WITNESS};
    struct alc_mount_setting *found;
    struct alc_manifest manifest = {.mounts = mounts, .mounts_count = COUNT};
    enum alc_mount_level weakest;
    for (size_t i = 0; i < 9; i++) {
        settings[2].level = order[i / 3];
        settings[4].level = order[i % 3];
        assert_int_equal(read_settings(write_settings(bytes), &found), ALC_OK);
        assert_int_equal(found[2].level, order[i / 3]);
        assert_true(alc_mount_settings_weakest(&manifest, found, &weakest));
        assert_int_equal(weakest, order[i / 3 < i % 3 ? i / 3 : i % 3]);
    }
    mounts[2].flags = mounts[4].flags = 0;
    assert_false(alc_mount_settings_weakest(&manifest, settings, &weakest));
}

static void test_sizes(void **state)
{
    (void)state;
    struct alc_mount_setting *found;
    settings[3].memory_size = ALC_LIMIT_MEMORY_MOUNT_LEAST;
    assert_int_equal(read_settings(write_settings(bytes), &found), ALC_OK);
    settings[3].memory_size--;
    assert_int_equal(read_settings(write_settings(bytes), &found), ALC_E_BAD_MANIFEST);
    settings[3].memory_size = UINT64_C(1) << 63;
    assert_int_equal(read_settings(write_settings(bytes), &found), ALC_E_BAD_MANIFEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round_trip, set_up),
        cmocka_unit_test_setup(test_cuts, set_up),
        cmocka_unit_test_setup(test_changed_bytes, set_up),
        cmocka_unit_test_setup(test_flags, set_up),
        cmocka_unit_test_setup(test_levels, set_up),
        cmocka_unit_test_setup(test_sizes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
