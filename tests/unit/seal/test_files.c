/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and directories of a sealed mount: what is written is read again, now and after the mount
 * was closed; holes, truncation, appending, links, handles of files that have lost their names,
 * limits.
 */
#include "seal_disk.h"

struct fixture {
    struct disk disk;
    struct mount mount;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    disk_init(&fixture->disk);
    mount_init(&fixture->mount, &fixture->disk);
    assert_int_equal(mount_open(&fixture->mount), ALC_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(alc_seal_close(fixture->mount.seal), ALC_OK);
    assert_int_equal(fixture->mount.damages_count, 0);
    mount_fini(&fixture->mount);
    disk_fini(&fixture->disk);
    free(fixture);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    assert_int_equal(alc_seal_close(fixture->mount.seal), ALC_OK);
    assert_int_equal(mount_open(&fixture->mount), ALC_OK);
    assert_false(alc_seal_is_damaged(fixture->mount.seal));
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 131 + (i >> 8) * 7 + (i >> 16));
}

enum { RW = ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE, MAKE = RW | ALC_OS_OPEN_CREATE };

static void test_content_survives(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 300000, 3000000};
    struct fixture *fixture = *state;
    uint8_t *bytes = malloc(3000001);
    for (size_t i = 0; i < 3000000; i++) {
        bytes[i] = pattern(i);
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(sizes); i++) {
        char name[32];
        snprintf(name, sizeof name, "file%zu", i);
        put_file(&fixture->mount, name, bytes, sizes[i]);
    }
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ALC_ARRAY_COUNT(sizes); i++) {
            char name[32];
            struct alc_os_stat stat;
            snprintf(name, sizeof name, "file%zu", i);
            uint8_t *found = calloc(1, sizes[i] + 1);
            int64_t handle = open_file(&fixture->mount, name, ALC_OS_OPEN_READ);
            assert_true(handle >= ALC_SEAL_FIRST_HANDLE);
            assert_int_equal(CALL(&fixture->mount, stat, (int32_t)handle, &stat), 0);
            assert_int_equal(stat.size, sizes[i]);
            assert_int_equal(read_at(&fixture->mount, handle, found, sizes[i] + 1, 0), sizes[i]);
            assert_memory_equal(found, bytes, sizes[i]);
            assert_int_equal(close_file(&fixture->mount, handle), 0);
            free(found);
        }
        reopen(fixture);
    }
    free(bytes);
}

static void test_nothing_is_visible(void **state)
{
    struct fixture *fixture = *state;
    put_file(&fixture->mount, "a-name-to-be-found", "contents to be found", 20);
    reopen(fixture);
    const struct disk *disk = &fixture->disk;
    for (size_t i = 0; i + 20 <= disk->size; i++) {
        assert_memory_not_equal(disk->bytes + i, "a-name-to-be-found", 18);
        assert_memory_not_equal(disk->bytes + i, "contents to be found", 20);
    }
    assert_int_equal(disk->size % ALC_SEAL_BLOCK_SIZE, 0);
}

static void test_holes(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    uint8_t found[8192];
    int64_t handle = open_file(mount, "sparse", MAKE);
    uint64_t far = ALC_SEAL_FILE_SIZE_MAX - 5;
    assert_int_equal(write_at(mount, handle, "12345", 5, far), 5);
    assert_int_equal(mount->seal->handles[handle % ALC_LIMIT_SEAL_HANDLES].inode->record.height,
                     ALC_LIMIT_SEAL_TREE_HEIGHT);
    assert_int_equal(write_at(mount, handle, "6", 1, ALC_SEAL_FILE_SIZE_MAX), -ALC_OS_FILE_TOO_BIG);
    assert_int_equal(write_at(mount, handle, "abc", 3, 1000000), 3);
    assert_int_equal(CALL(mount, sync, (int32_t)handle, 0), 0);
    assert_true(fixture->disk.size < 600 * ALC_SEAL_BLOCK_SIZE);
    assert_int_equal(close_file(mount, handle), 0);
    reopen(fixture);
    handle = open_file(mount, "sparse", RW);
    assert_int_equal(read_at(mount, handle, found, sizeof found, 1000000 - 4096), sizeof found);
    for (size_t i = 0; i < sizeof found; i++) {
        assert_int_equal(found[i], i >= 4096 && i < 4099 ? "abc"[i - 4096] : 0);
    }
    assert_int_equal(read_at(mount, handle, found, 10, far), 5);
    assert_memory_equal(found, "12345", 5);
    assert_int_equal(CALL(mount, set_size, (int32_t)handle, 1000001), 0);
    assert_int_equal(CALL(mount, set_size, (int32_t)handle, 1000010), 0);
    assert_int_equal(read_at(mount, handle, found, 100, 1000000), 10);
    assert_memory_equal(found, "a\0\0\0\0\0\0\0\0\0", 10);
    assert_int_equal(close_file(mount, handle), 0);
}

/* All space of what is removed comes back. */
static void test_space_returns(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    uint8_t *bytes = calloc(1, 4000000);
    put_file(mount, "keep", "x", 1);
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    uint64_t before = mount->seal->blocks_count - mount->seal->free_count;
    for (int i = 0; i < 20; i++) {
        put_file(mount, "big", bytes, 4000000);
        if (i % 2 == 0) {
            put_file(mount, "big", bytes, 10000);
        }
        assert_int_equal(CALL(mount, unlink_at, MOUNT, BYTES("big")), 0);
    }
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    assert_in_range(mount->seal->blocks_count - mount->seal->free_count, before, before + 2);
    reopen(fixture);
    assert_in_range(mount->seal->blocks_count - mount->seal->free_count, before, before + 2);
    free(bytes);
}

static void test_unlinked_files_live_on(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    char found[8] = {0};
    put_file(mount, "gone", "still here", 10);
    int64_t first = open_file(mount, "gone", RW);
    int64_t second = open_file(mount, "gone", ALC_OS_OPEN_READ);
    assert_int_equal(CALL(mount, unlink_at, MOUNT, BYTES("gone")), 0);
    assert_int_equal(open_file(mount, "gone", RW), -ALC_OS_NO_ENTRY);
    put_file(mount, "gone", "another", 7);
    assert_int_equal(write_at(mount, first, "STILL", 5, 0), 5);
    assert_int_equal(close_file(mount, first), 0);
    assert_int_equal(read_at(mount, second, found, 5, 0), 5);
    assert_string_equal(found, "STILL");
    assert_int_not_equal(mount->seal->root.first_orphan, 0);
    assert_int_equal(close_file(mount, second), 0);
    assert_int_equal(mount->seal->root.first_orphan, 0);
    /* One that is open when the mount is closed. */
    first = open_file(mount, "gone", RW);
    assert_int_equal(CALL(mount, unlink_at, MOUNT, BYTES("gone")), 0);
    reopen(fixture);
    assert_int_equal(mount->seal->root.first_orphan, 0);
    assert_int_equal(CALL(mount, close, (int32_t)first), -ALC_OS_BAD_DESCRIPTOR);
}

static size_t count_entries(struct mount *mount, int32_t dir, size_t buf_size, uint64_t *out_sum)
{
    uint8_t buf[4096];
    uint64_t cookie = 0;
    size_t count = 0;
    *out_sum = 0;
    while (true) {
        int64_t size = CALL(mount, read_directory, dir, cookie, buf, buf_size);
        assert_true(size >= 0);
        if (size == 0) {
            return count;
        }
        for (int64_t at = 0; at < size;) {
            struct alc_os_directory_entry entry;
            memcpy(&entry, buf + at, sizeof entry);
            at += (int64_t)sizeof entry + entry.name_size;
            cookie = entry.next;
            *out_sum += entry.inode;
            count++;
        }
    }
}

static void test_large_directory(void **state)
{
    enum { COUNT = 5000 };
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    char name[300];
    uint64_t sums[2];
    assert_int_equal(CALL(mount, create_directory_at, MOUNT, BYTES("d")), 0);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "d/%0*d", i % 50 == 0 ? 200 : 5, i);
        int64_t handle = open_file(mount, name, MAKE | ALC_OS_OPEN_EXCLUSIVE);
        assert_true(handle >= 0);
        assert_int_equal(close_file(mount, handle), 0);
    }
    reopen(fixture);
    int32_t dir = (int32_t)open_file(mount, "d", ALC_OS_OPEN_READ | ALC_OS_OPEN_DIRECTORY);
    assert_int_equal(count_entries(mount, dir, 4096, &sums[0]), COUNT + 2);
    assert_int_equal(count_entries(mount, dir, 300, &sums[1]), COUNT + 2);
    assert_int_equal(sums[0], sums[1]);
    assert_int_equal(CALL(mount, read_directory, dir, 0, (uint8_t *)name, 10), -ALC_OS_OVERFLOW);
    assert_int_equal(CALL(mount, remove_directory_at, MOUNT, BYTES("d")), -ALC_OS_NOT_EMPTY);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "%0*d", i % 50 == 0 ? 200 : 5, i);
        assert_int_equal(CALL(mount, unlink_at, dir, BYTES(name)), 0);
    }
    assert_int_equal(count_entries(mount, dir, 300, &sums[1]), 2);
    assert_int_equal(close_file(mount, dir), 0);
    assert_int_equal(CALL(mount, remove_directory_at, MOUNT, BYTES("d")), 0);
}

static void test_paths(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    char name[300];
    assert_int_equal(open_file(mount, "/a", RW), -ALC_OS_NOT_CAPABLE);
    assert_int_equal(open_file(mount, "..", ALC_OS_OPEN_READ), -ALC_OS_NOT_CAPABLE);
    assert_int_equal(open_file(mount, "", RW), -ALC_OS_NO_ENTRY);
    assert_int_equal(CALL(mount, create_directory_at, MOUNT, BYTES("d")), 0);
    assert_int_equal(CALL(mount, create_directory_at, MOUNT, BYTES("d")), -ALC_OS_EXISTS);
    assert_int_equal(open_file(mount, "d/../../x", RW), -ALC_OS_NOT_CAPABLE);
    put_file(mount, "d/../d/./file", "x", 1);
    assert_int_equal(CALL(mount, symlink_at, BYTES("d/file"), MOUNT, BYTES("link")), 0);
    assert_int_equal(CALL(mount, symlink_at, BYTES("/etc"), MOUNT, BYTES("away")), 0);
    assert_int_equal(CALL(mount, symlink_at, BYTES("loop"), MOUNT, BYTES("loop")), 0);
    assert_int_equal(open_file(mount, "link", ALC_OS_OPEN_READ), -ALC_OS_LOOP);
    int64_t handle = open_file(mount, "link", ALC_OS_OPEN_READ | ALC_OS_OPEN_FOLLOW);
    assert_true(handle >= 0);
    assert_int_equal(close_file(mount, handle), 0);
    assert_int_equal(open_file(mount, "away", ALC_OS_OPEN_FOLLOW), -ALC_OS_NOT_CAPABLE);
    assert_int_equal(open_file(mount, "loop", ALC_OS_OPEN_FOLLOW), -ALC_OS_LOOP);
    assert_int_equal(CALL(mount, readlink_at, MOUNT, BYTES("link"), (uint8_t *)name, 3), 3);
    assert_memory_equal(name, "d/f", 3);
    /* A directory handle does not give its parents. */
    int32_t dir = (int32_t)open_file(mount, "d", ALC_OS_OPEN_READ);
    assert_int_equal(CALL(mount, open_at, dir, BYTES("../link"), ALC_OS_OPEN_READ),
                     -ALC_OS_NOT_CAPABLE);
    assert_int_equal(close_file(mount, dir), 0);
    /* The limits of names and of links, and one past them. */
    memset(name, 'n', sizeof name);
    name[ALC_LIMIT_SEAL_NAME_SIZE] = '\0';
    put_file(mount, name, "x", 1);
    name[ALC_LIMIT_SEAL_NAME_SIZE] = 'n';
    name[ALC_LIMIT_SEAL_NAME_SIZE + 1] = '\0';
    assert_int_equal(open_file(mount, name, MAKE), -ALC_OS_NAME_TOO_LONG);
    char target[16] = "d/file";
    for (unsigned i = 0; i <= ALC_LIMIT_SEAL_SYMBOLIC_LINKS; i++) {
        snprintf(name, sizeof name, "l%u", i);
        assert_int_equal(CALL(mount, symlink_at, BYTES(target), MOUNT, BYTES(name)), 0);
        snprintf(target, sizeof target, "l%u", i);
    }
    snprintf(name, sizeof name, "l%u", ALC_LIMIT_SEAL_SYMBOLIC_LINKS - 1);
    handle = open_file(mount, name, ALC_OS_OPEN_FOLLOW);
    assert_true(handle >= 0);
    assert_int_equal(close_file(mount, handle), 0);
    snprintf(name, sizeof name, "l%u", ALC_LIMIT_SEAL_SYMBOLIC_LINKS);
    assert_int_equal(open_file(mount, name, ALC_OS_OPEN_FOLLOW), -ALC_OS_LOOP);
}

static void test_rename(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct alc_os_stat stat;
    assert_int_equal(CALL(mount, create_directory_at, MOUNT, BYTES("a")), 0);
    assert_int_equal(CALL(mount, create_directory_at, MOUNT, BYTES("a/b")), 0);
    put_file(mount, "a/b/file", "one", 3);
    put_file(mount, "other", "two", 3);
    assert_int_equal(CALL(mount, rename_at, MOUNT, BYTES("a"), MOUNT, BYTES("a/b/c")),
                     -ALC_OS_INVALID);
    assert_int_equal(CALL(mount, rename_at, MOUNT, BYTES("other"), MOUNT, BYTES("a/b/file")), 0);
    assert_int_equal(CALL(mount, stat_at, MOUNT, BYTES("other"), 0, &stat), -ALC_OS_NO_ENTRY);
    assert_int_equal(CALL(mount, rename_at, MOUNT, BYTES("a/b"), MOUNT, BYTES("moved")), 0);
    reopen(fixture);
    char found[4] = {0};
    int64_t handle = open_file(mount, "moved/file", ALC_OS_OPEN_READ);
    assert_int_equal(read_at(mount, handle, found, 3, 0), 3);
    assert_string_equal(found, "two");
    assert_int_equal(close_file(mount, handle), 0);
    /* `..` of what was moved is where it is now. */
    assert_int_equal(CALL(mount, stat_at, MOUNT, BYTES("moved/../moved/file"), 0, &stat), 0);
    assert_int_equal(stat.link_count, 1);
    assert_int_equal(CALL(mount, link_at, MOUNT, BYTES("moved/file"), 0, MOUNT, BYTES("again")), 0);
    assert_int_equal(CALL(mount, stat_at, MOUNT, BYTES("again"), 0, &stat), 0);
    assert_int_equal(stat.link_count, 2);
    assert_int_equal(CALL(mount, rename_at, MOUNT, BYTES("again"), MOUNT, BYTES("moved/file")), 0);
    assert_int_equal(CALL(mount, stat_at, MOUNT, BYTES("again"), 0, &stat), 0);
    assert_int_equal(CALL(mount, rename_at, MOUNT, BYTES("again"), 77, BYTES("x")),
                     -ALC_OS_CROSS_DEVICE);
    assert_int_equal(CALL(mount, rename_at, 77, BYTES("again"), MOUNT, BYTES("x")),
                     -ALC_OS_CROSS_DEVICE);
    assert_int_equal(CALL(mount, rename_at, 77, BYTES("again"), 77, BYTES("x")),
                     -ALC_OS_NOT_SUPPORTED);
}

static void test_positions(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct alc_span span = {(uint8_t *)"abcdef", 6};
    char found[16] = {0};
    int32_t handle = (int32_t)open_file(mount, "f", MAKE);
    assert_int_equal(CALL(mount, write, handle, &span, 1), 6);
    assert_int_equal(CALL(mount, seek, handle, -2, ALC_OS_SEEK_CUR), 4);
    struct alc_span into[2] = {{(uint8_t *)found, 1}, {(uint8_t *)found + 1, 10}};
    assert_int_equal(CALL(mount, read, handle, into, 2), 2);
    assert_string_equal(found, "ef");
    assert_int_equal(CALL(mount, seek, handle, -7, ALC_OS_SEEK_END), -ALC_OS_INVALID);
    assert_int_equal(CALL(mount, set_flags, handle, ALC_OS_OPEN_APPEND), 0);
    assert_int_equal(CALL(mount, get_flags, handle), ALC_OS_OPEN_APPEND);
    assert_int_equal(CALL(mount, seek, handle, 0, ALC_OS_SEEK_SET), 0);
    assert_int_equal(CALL(mount, write, handle, &span, 1), 6);
    struct alc_os_stat stat;
    assert_int_equal(CALL(mount, stat, handle, &stat), 0);
    assert_int_equal(stat.size, 12);
    struct alc_os_poll polls[2] = {{.handle = handle, .wanted = ALC_OS_POLL_READ}, {.handle = 0}};
    assert_int_equal(CALL(mount, poll, polls, 2, -1), 1);
    assert_int_equal(polls[0].ready, ALC_OS_POLL_READ);
    assert_int_equal(close_file(mount, handle), 0);
    assert_int_equal(CALL(mount, write, handle, &span, 1), -ALC_OS_BAD_DESCRIPTOR);
    handle = (int32_t)open_file(mount, "f", ALC_OS_OPEN_READ);
    assert_int_equal(CALL(mount, write, handle, &span, 1), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL(mount, set_size, handle, 1), -ALC_OS_INVALID);
    assert_int_equal(close_file(mount, handle), 0);
    assert_int_equal(CALL(mount, read, MOUNT, into, 2), -ALC_OS_IS_DIRECTORY);
}

static void test_handles_end(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    int64_t handles[ALC_LIMIT_SEAL_HANDLES];
    put_file(mount, "f", "x", 1);
    for (unsigned i = 1; i < ALC_LIMIT_SEAL_HANDLES; i++) {
        handles[i] = open_file(mount, "f", ALC_OS_OPEN_READ);
        assert_true(handles[i] >= 0);
    }
    assert_int_equal(open_file(mount, "f", ALC_OS_OPEN_READ), -ALC_OS_TOO_MANY_OPEN);
    for (unsigned i = 1; i < ALC_LIMIT_SEAL_HANDLES; i++) {
        assert_int_equal(close_file(mount, handles[i]), 0);
    }
    put_file(mount, "f", "x", 1);
}

static void test_times_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct alc_os_stat stat;
    put_file(mount, "f", "x", 1);
    assert_int_equal(CALL(mount, set_times_at, MOUNT, BYTES("f"), 0, 111, 222,
                          ALC_OS_TIME_ACCESS | ALC_OS_TIME_MODIFY),
                     0);
    reopen(fixture);
    assert_int_equal(CALL(mount, stat_at, MOUNT, BYTES("f"), 0, &stat), 0);
    assert_int_equal(stat.access_time_ns, 111);
    assert_int_equal(stat.modify_time_ns, 222);
    assert_true(stat.change_time_ns > 222);
    assert_int_equal(CALL(mount, set_times_at, MOUNT, BYTES("f"), 0, 1, 2,
                          ALC_OS_TIME_ACCESS | ALC_OS_TIME_ACCESS_NOW),
                     -ALC_OS_INVALID);
}

/* A host whose disk is full: NO_SPACE before anything changes, and the mount goes on. */
static void test_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    static uint8_t bytes[100000];
    put_file(mount, "before", bytes, sizeof bytes);
    fixture->disk.size_max = 4 << 20;
    int64_t handle = open_file(mount, "big", MAKE);
    int64_t result = 0;
    for (uint64_t at = 0; result >= 0; at += sizeof bytes) {
        result = write_at(mount, handle, bytes, sizeof bytes, at);
        assert_true(at < 8 << 20);
    }
    assert_int_equal(result, -ALC_OS_NO_SPACE);
    assert_int_equal(CALL(mount, set_size, (int32_t)handle, 0), 0);
    assert_int_equal(CALL(mount, sync, (int32_t)handle, 0), 0);
    assert_int_equal(write_at(mount, handle, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(close_file(mount, handle), 0);
    assert_false(alc_seal_is_damaged(mount->seal));
    reopen(fixture);
}

/* A host that gives less than it was asked for, whole blocks or not. */
static void test_short_reads(void **state)
{
    enum { SIZE = 100 * ALC_SEAL_BLOCK_SIZE };
    static const size_t sizes[] = {1000, 4096, 3 * 4096 + 100, 50 * 4096 - 1};
    static uint8_t bytes[SIZE], found[SIZE];
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)disk_random();
    }
    put_file(mount, "file", bytes, sizeof bytes);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(sizes); i++) {
        fixture->disk.read_size_max = 0;
        reopen(fixture);
        fixture->disk.read_size_max = sizes[i];
        int64_t handle = open_file(mount, "file", ALC_OS_OPEN_READ);
        assert_int_equal(read_at(mount, handle, found, sizeof found, 0), sizeof found);
        assert_memory_equal(found, bytes, sizeof bytes);
        assert_int_equal(close_file(mount, handle), 0);
    }
    fixture->disk.read_size_max = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_content_survives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_visible, setup, teardown),
        cmocka_unit_test_setup_teardown(test_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_space_returns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unlinked_files_live_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rename, setup, teardown),
        cmocka_unit_test_setup_teardown(test_positions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handles_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_times_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_reads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
