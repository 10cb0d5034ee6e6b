/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk in memory, by itself and under a sealed mount.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mounts/memory.h"
#include "os_linux/os_linux.h"
#include "seal/seal.h"

static struct alc_os_linux *system_;
static struct alc_memory_disk disk;

#define CALL(os, name, ...) ((os)->operations->name((os)->context, __VA_ARGS__))

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(alc_os_linux_new(NULL, &system_), ALC_OK);
    return alc_memory_disk_init(&disk, alc_os_linux_get_os(system_), (3 << 20) + 100);
}

static int tear_down(void **state)
{
    (void)state;
    alc_memory_disk_fini(&disk);
    alc_os_linux_free(system_);
    return 0;
}

static int64_t write_at(uint8_t value, size_t size, uint64_t offset)
{
    static uint8_t bytes[1 << 16];
    struct alc_span spans[2] = {{bytes, size / 2}, {bytes + size / 2, size - size / 2}};
    memset(bytes, value, sizeof bytes);
    return CALL(&disk.over.os, write_at, ALC_MEMORY_FILE, spans, 2, offset);
}

/* All bytes from `offset` on have the value. */
static void expect_bytes(uint64_t offset, size_t size, uint8_t value)
{
    static uint8_t bytes[1 << 16];
    struct alc_span span = {bytes, size};
    assert_int_equal(CALL(&disk.over.os, read_at, ALC_MEMORY_FILE, &span, 1, offset), size);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], value);
    }
}

static void test_file(void **state)
{
    (void)state;
    const struct alc_os *os = &disk.over.os;
    struct alc_os_stat stat;
    enum { NEW = ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE };
    const uint8_t *name = (const uint8_t *)"file";
    assert_int_equal(CALL(os, open_at, ALC_MEMORY_DIRECTORY, name, 4, ALC_OS_OPEN_READ),
                     -ALC_OS_NO_ENTRY);
    assert_int_equal(CALL(os, open_at, ALC_MEMORY_DIRECTORY, name, 4, NEW), ALC_MEMORY_FILE);
    assert_int_equal(CALL(os, open_at, ALC_MEMORY_DIRECTORY, name, 4, NEW), -ALC_OS_EXISTS);
    assert_int_equal(CALL(os, open_at, ALC_MEMORY_DIRECTORY, name, 4, 0), ALC_MEMORY_FILE);
    assert_int_equal(write_at(7, 5000, 100), 5000);
    expect_bytes(0, 100, 0);
    expect_bytes(100, 5000, 7);
    assert_int_equal(CALL(os, stat, ALC_MEMORY_FILE, &stat), 0);
    assert_int_equal(stat.size, 5100);
    assert_int_equal(stat.type, ALC_OS_TYPE_REGULAR_FILE);
    uint8_t byte;
    struct alc_span span = {&byte, 1};
    assert_int_equal(CALL(os, read_at, ALC_MEMORY_FILE, &span, 1, 5100), 0);
    assert_int_equal(CALL(os, read_at, ALC_MEMORY_FILE, &span, 1, UINT64_MAX), 0);
    /* What was cut off is zeros when it comes back. */
    assert_int_equal(CALL(os, set_size, ALC_MEMORY_FILE, 200), 0);
    assert_int_equal(CALL(os, set_size, ALC_MEMORY_FILE, 1 << 20), 0);
    expect_bytes(100, 100, 7);
    expect_bytes(200, 60000, 0);
    assert_int_equal(CALL(os, sync, ALC_MEMORY_FILE, 0), 0);
    assert_int_equal(CALL(os, close, ALC_MEMORY_FILE), 0);
}

static void test_limit(void **state)
{
    (void)state;
    const struct alc_os *os = &disk.over.os;
    assert_int_equal(disk.size_max, 3 << 20);
    assert_int_equal(write_at(1, 100, (3 << 20) - 100), 100);
    assert_int_equal(write_at(1, 100, (3 << 20) - 99), -ALC_OS_NO_SPACE);
    assert_int_equal(write_at(1, 100, UINT64_MAX - 50), -ALC_OS_FILE_TOO_BIG);
    assert_int_equal(CALL(os, set_size, ALC_MEMORY_FILE, (3 << 20) + 1), -ALC_OS_NO_SPACE);
    expect_bytes((3 << 20) - 100, 100, 1);
}

/* Other handles are the system's. */
static void test_others(void **state)
{
    (void)state;
    static const uint8_t text[] = "granted";
    uint8_t bytes[16];
    struct alc_span span = {bytes, sizeof bytes};
    assert_int_equal(alc_os_linux_grant_bytes(system_, 20, text, 7), 20);
    assert_int_equal(CALL(&disk.over.os, read_at, 20, &span, 1, 0), 7);
    assert_memory_equal(bytes, text, 7);
    assert_int_equal(CALL(&disk.over.os, random, bytes, sizeof bytes), 0);
}

static alc_status get_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)context;
    (void)key_id;
    memset(key, 3, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static void test_sealed_mount(void **state)
{
    (void)state;
    const struct alc_seal_options options = {.host = &disk.over.os,
                                             .directory = ALC_MEMORY_DIRECTORY,
                                             .flags = ALC_SEAL_CREATE,
                                             .key = {.get = get_key},
                                             .container_blocks = (3 << 20) / 4096};
    struct alc_arena arena;
    struct alc_seal *seal;
    struct alc_seal_os table;
    size_t size = (alc_seal_memory_size(&options) + 4095) / 4096 * 4096;
    void *memory = aligned_alloc(4096, size);
    alc_arena_init(&arena, memory, size);
    assert_int_equal(alc_seal_open(&arena, &options, &seal, NULL), ALC_OK);
    alc_seal_os_init(&table, &disk.over.os);
    assert_int_equal(alc_seal_os_add(&table, 8, seal), ALC_OK);
    const struct alc_os *os = &table.over.os;
    int64_t handle = CALL(os, open_at, 8, (const uint8_t *)"a", 1,
                          ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    assert_true(handle > 0);
    uint8_t bytes[8192];
    struct alc_span span = {bytes, sizeof bytes};
    uint64_t written = 0;
    int64_t result;
    memset(bytes, 9, sizeof bytes);
    while ((result = CALL(os, write_at, (int32_t)handle, &span, 1, written)) > 0) {
        written += (uint64_t)result;
        assert_true(written < 4 << 20);
    }
    assert_int_equal(result, -ALC_OS_NO_SPACE);
    assert_true(written > 2 << 20);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(CALL(os, read_at, (int32_t)handle, &span, 1, written - sizeof bytes),
                     sizeof bytes);
    assert_int_equal(bytes[0], 9);
    assert_int_equal(alc_seal_close(seal), ALC_OK);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sealed_mount, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
