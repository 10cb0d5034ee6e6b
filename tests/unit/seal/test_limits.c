/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits of sealed mounts that test_files.c does not reach, at the limit and one past it; some are
 * brought near by setting what counts.
 */
#include "seal_disk.h"

enum { MAKE = ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE };

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
    mount_fini(&fixture->mount);
    disk_fini(&fixture->disk);
    free(fixture);
    return 0;
}

static void test_mounts(void **state)
{
    struct fixture *fixture = *state;
    struct alc_seal_os table;
    alc_seal_os_init(&table, &fixture->disk.os);
    for (int32_t i = 0; i < (int32_t)ALC_LIMIT_SEAL_MOUNTS; i++) {
        assert_int_equal(alc_seal_os_add(&table, MOUNT + i, fixture->mount.seal), ALC_OK);
    }
    assert_int_equal(alc_seal_os_add(&table, 100, fixture->mount.seal), ALC_E_BAD_ARGUMENT);
    alc_seal_os_init(&table, &fixture->disk.os);
    assert_int_equal(alc_seal_os_add(&table, 8, fixture->mount.seal), ALC_OK);
    assert_int_equal(alc_seal_os_add(&table, 8, fixture->mount.seal), ALC_E_BAD_ARGUMENT);
    assert_int_equal(alc_seal_os_add(&table, -1, fixture->mount.seal), ALC_E_BAD_ARGUMENT);
}

static void test_file_links(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    char name[16];
    put_file(mount, "f", "x", 1);
    for (unsigned i = 1; i < ALC_LIMIT_SEAL_FILE_LINKS; i++) {
        snprintf(name, sizeof name, "l%u", i);
        assert_int_equal(CALL(mount, link_at, MOUNT, BYTES("f"), 0, MOUNT, BYTES(name)), 0);
    }
    assert_int_equal(CALL(mount, link_at, MOUNT, BYTES("f"), 0, MOUNT, BYTES("more")),
                     -ALC_OS_TOO_MANY_LINKS);
    assert_int_equal(CALL(mount, unlink_at, MOUNT, BYTES("l7")), 0);
    assert_int_equal(CALL(mount, link_at, MOUNT, BYTES("f"), 0, MOUNT, BYTES("more")), 0);
}

/* Directories may lie deeper, but then none is moved beneath them. */
static void test_directory_depth(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    int32_t dir = MOUNT;
    int32_t last = MOUNT;
    assert_int_equal(CALL(mount, create_directory_at, MOUNT, BYTES("moved")), 0);
    for (unsigned i = 1; i <= ALC_LIMIT_SEAL_DIRECTORY_DEPTH; i++) {
        assert_int_equal(CALL(mount, create_directory_at, dir, BYTES("d")), 0);
        int32_t next = (int32_t)CALL(mount, open_at, dir, BYTES("d"), ALC_OS_OPEN_READ);
        assert_true(next >= 0);
        if (last != MOUNT) {
            assert_int_equal(close_file(mount, last), 0);
        }
        last = dir;
        dir = next;
    }
    assert_int_equal(CALL(mount, rename_at, MOUNT, BYTES("moved"), dir, BYTES("m")),
                     -ALC_OS_TOO_MANY_LINKS);
    assert_int_equal(CALL(mount, rename_at, MOUNT, BYTES("moved"), last, BYTES("m")), 0);
}

static void test_inodes(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    mount->seal->root.inodes_count = ALC_LIMIT_SEAL_INODES - 1;
    put_file(mount, "last", "x", 1);
    assert_int_equal(open_file(mount, "one more", MAKE), -ALC_OS_NO_SPACE);
    assert_int_equal(CALL(mount, unlink_at, MOUNT, BYTES("last")), 0);
}

static void test_container_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct alc_seal_options options = fixture->mount.options;
    struct alc_arena arena;
    struct alc_seal *seal;
    options.container_blocks = ALC_LIMIT_SEAL_CONTAINER_BLOCKS;
    alc_arena_init(&arena, NULL, 0);
    assert_int_equal(alc_seal_open(&arena, &options, &seal, NULL), ALC_E_OUT_OF_MEMORY);
    options.container_blocks++;
    assert_int_equal(alc_seal_open(&arena, &options, &seal, NULL), ALC_E_BAD_ARGUMENT);
    options.container_blocks = 0;
    options.cache_blocks = ALC_SEAL_CACHE_BLOCKS_MIN - 1;
    assert_int_equal(alc_seal_open(&arena, &options, &seal, NULL), ALC_E_BAD_ARGUMENT);
}

/* A container that is full: nothing is lost, and there is room again when something is removed. */
static void test_full_container(void **state)
{
    static uint8_t bytes[100000];
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    mount->options.container_blocks = 1024;
    assert_int_equal(mount_open(mount), ALC_OK);
    int64_t handle = open_file(mount, "big", MAKE);
    int64_t result = 1;
    uint64_t size = 0;
    while (result > 0) {
        result = write_at(mount, handle, bytes, sizeof bytes, size);
        size += result > 0 ? (uint64_t)result : 0;
        assert_true(size < 1024 * 4096);
    }
    assert_int_equal(result, -ALC_OS_NO_SPACE);
    assert_true(size > 700 * 4096);
    assert_int_equal(close_file(mount, handle), 0);
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    assert_int_equal(CALL(mount, unlink_at, MOUNT, BYTES("big")), 0);
    put_file(mount, "again", bytes, sizeof bytes);
    assert_true(mount->seal->blocks_count <= 1024);
}

/* In a container that is large enough, data lies with data and nodes with nodes: a file is read in
 * order with about one call of the host for a quarter of the cache. And what is kept for nodes is
 * given to data before the container is said to be full. */
static void test_large_container(void **state)
{
    enum { BLOCKS = 1 << 15, FILE_BLOCKS = 20000 };
    static uint8_t bytes[1 << 16];
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    mount->options.container_blocks = BLOCKS;
    assert_int_equal(mount_open(mount), ALC_OK);
    put_file(mount, "first", bytes, 1);
    assert_true(CALL(mount, set_size, (int32_t)open_file(mount, "sparse", MAKE), 1 << 20) == 0);
    int64_t handle = open_file(mount, "big", MAKE);
    uint64_t size = 0;
    for (; size < (uint64_t)FILE_BLOCKS * ALC_SEAL_BLOCK_SIZE; size += sizeof bytes) {
        memset(bytes, (int)(size >> 16), sizeof bytes);
        assert_int_equal(write_at(mount, handle, bytes, sizeof bytes, size), sizeof bytes);
    }
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    uint64_t reads_count = fixture->disk.reads_count;
    for (uint64_t at = 0; at < size; at += sizeof bytes) {
        assert_int_equal(read_at(mount, handle, bytes, sizeof bytes, at), sizeof bytes);
        assert_int_equal(bytes[0], (uint8_t)(at >> 16));
        assert_int_equal(bytes[sizeof bytes - 1], (uint8_t)(at >> 16));
    }
    reads_count = fixture->disk.reads_count - reads_count;
    assert_true(reads_count < 2 * FILE_BLOCKS / (ALC_SEAL_CACHE_BLOCKS_MIN / 4));
    int64_t result = 1;
    for (; result > 0; size += sizeof bytes) {
        result = write_at(mount, handle, bytes, sizeof bytes, size);
    }
    assert_int_equal(result, -ALC_OS_NO_SPACE);
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    /* What is left is the room that removing something needs. */
    assert_true(mount->seal->free_count < 3 * ALC_SEAL_CHANGE_BLOCKS);
}

/* New keys before the old ones have encrypted too much. */
static void test_key_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    uint8_t epoch[ALC_SEAL_EPOCH_SIZE];
    memcpy(epoch, mount->seal->epoch, sizeof epoch);
    mount->seal->counter = ALC_LIMIT_SEAL_KEY_BLOCKS - 100;
    put_file(mount, "a", "x", 1);
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    assert_memory_equal(epoch, mount->seal->epoch, sizeof epoch);
    mount->seal->counter = ALC_LIMIT_SEAL_KEY_BLOCKS;
    put_file(mount, "b", "x", 1);
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    assert_memory_not_equal(epoch, mount->seal->epoch, sizeof epoch);
    assert_true(mount->seal->counter < 100);
    /* What both wrote is there. */
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_false(alc_seal_is_damaged(mount->seal));
    assert_true(open_file(mount, "a", ALC_OS_OPEN_READ) >= 0);
    assert_true(open_file(mount, "b", ALC_OS_OPEN_READ) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mounts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directory_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inodes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_container_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_container, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_container, setup, teardown),
        cmocka_unit_test_setup_teardown(test_key_blocks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
