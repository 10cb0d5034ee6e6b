/* SPDX-License-Identifier: Apache-2.0
 *
 * What an attacker does to a disk: changed bytes, exchanged blocks, blocks and roots of an older
 * state, other containers, cut containers, another key. Nothing wrong is ever read: what comes back
 * is what was written or EIO with a line that says where. Old states are refused by whoever has a
 * witness.
 */
#include "seal_disk.h"

enum { FILES = 3, FILE_SIZE = 400000, SMALL_SIZE = 100 };

static const size_t sizes[FILES] = {FILE_SIZE, SMALL_SIZE, 9000};
static const char *const names[FILES] = {"dir/large", "small", "dir/middle"};

static uint8_t content(unsigned file, unsigned version, size_t at)
{
    return (uint8_t)(file * 50 + version * 91 + at * 7 + (at >> 8) * 13);
}

static void write_version(struct mount *mount, unsigned version)
{
    static uint8_t bytes[FILE_SIZE];
    for (unsigned file = 0; file < FILES; file++) {
        for (size_t at = 0; at < sizes[file]; at++) {
            bytes[at] = content(file, version, at);
        }
        put_file(mount, names[file], bytes, sizes[file]);
    }
}

struct found {
    unsigned wrong_count; /* bytes that nobody wrote in this version */
    unsigned failed_count;
    unsigned missing_count;
};

/* Reads everything as version `version`. */
static struct found read_version(struct mount *mount, unsigned version)
{
    static uint8_t bytes[FILE_SIZE + 1];
    struct found found = {0};
    for (unsigned file = 0; file < FILES; file++) {
        uint64_t reported = mount->damages_count;
        int64_t handle = open_file(mount, names[file], ALC_OS_OPEN_READ);
        if (handle == -ALC_OS_IO) {
            assert_true(mount->damages_count > 0);
            found.failed_count++;
            continue;
        }
        if (handle < 0) {
            found.missing_count++;
            continue;
        }
        int64_t size = read_at(mount, handle, bytes, sizeof bytes, 0);
        if (size < 0) {
            assert_int_equal(size, -ALC_OS_IO);
            assert_true(mount->damages_count > reported);
            found.failed_count++;
        } else {
            found.wrong_count += (size_t)size != sizes[file];
            for (int64_t at = 0; at < size; at++) {
                found.wrong_count += bytes[at] != content(file, version, (size_t)at);
            }
        }
        assert_int_equal(close_file(mount, handle), 0);
    }
    return found;
}

struct fixture {
    struct disk disk;
    struct mount mount;
    struct disk old; /* the same container with version 1, closed */
    size_t blocks_count;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    disk_init(&fixture->disk);
    disk_init(&fixture->old);
    mount_init(&fixture->mount, &fixture->disk);
    assert_int_equal(mount_open(&fixture->mount), ALC_OK);
    assert_int_equal(CALL(&fixture->mount, create_directory_at, MOUNT, BYTES("dir")), 0);
    write_version(&fixture->mount, 1);
    assert_int_equal(alc_seal_close(fixture->mount.seal), ALC_OK);
    disk_set(&fixture->old, fixture->disk.bytes, fixture->disk.size);
    assert_int_equal(mount_open(&fixture->mount), ALC_OK);
    write_version(&fixture->mount, 2);
    assert_int_equal(alc_seal_close(fixture->mount.seal), ALC_OK);
    fixture->blocks_count = fixture->disk.size / ALC_SEAL_BLOCK_SIZE;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    mount_fini(&fixture->mount);
    disk_fini(&fixture->disk);
    disk_fini(&fixture->old);
    free(fixture);
    return 0;
}

static uint8_t *block_of(struct disk *disk, size_t index)
{
    return disk->bytes + index * ALC_SEAL_BLOCK_SIZE;
}

/* Opens, reads, closes: nothing wrong may be seen. Whether anything was noticed. */
static bool try_disk(struct fixture *fixture)
{
    struct mount *mount = &fixture->mount;
    if (mount_open(mount) != ALC_OK) {
        assert_true(mount->damages_count != 0);
        return true;
    }
    bool is_damaged = alc_seal_is_damaged(mount->seal);
    struct found found = read_version(mount, 2);
    assert_int_equal(found.wrong_count, 0);
    assert_int_equal(found.missing_count, 0);
    if (is_damaged) { /* no change is taken, and none reaches the disk */
        uint64_t writes_count = fixture->disk.writes_count;
        assert_int_equal(open_file(mount, "new", ALC_OS_OPEN_CREATE | ALC_OS_OPEN_WRITE),
                         -ALC_OS_READ_ONLY);
        (void)alc_seal_close(mount->seal);
        assert_int_equal(fixture->disk.writes_count, writes_count);
    }
    return found.failed_count != 0 || is_damaged;
}

/* Every block but the free ones: is the change noticed where it matters, and harmless elsewhere? */
static void test_every_block(void **state)
{
    struct fixture *fixture = *state;
    size_t noticed_count = 0;
    uint8_t saved[ALC_SEAL_BLOCK_SIZE];
    assert_false(try_disk(fixture));
    for (size_t index = 0; index < fixture->blocks_count; index++) {
        memcpy(saved, block_of(&fixture->disk, index), sizeof saved);
        block_of(&fixture->disk, index)[disk_random() % ALC_SEAL_BLOCK_SIZE] ^=
            (uint8_t)(1u << disk_random() % 8);
        noticed_count += try_disk(fixture);
        memset(block_of(&fixture->disk, index), 0, sizeof saved);
        bool is_noticed = try_disk(fixture);
        noticed_count += is_noticed;
        memcpy(block_of(&fixture->disk, index), saved, sizeof saved);
    }
    assert_false(try_disk(fixture));
    /* Data of three files, their nodes, the directories, the table, the header: all of them. */
    size_t in_use = FILE_SIZE / ALC_SEAL_BLOCK_SIZE + 9000 / ALC_SEAL_BLOCK_SIZE + 3;
    assert_true(noticed_count >= 2 * in_use);
}

/* Every single byte of the header, of a root, of a node and of a data block. */
static void test_every_byte(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    assert_int_equal(mount_open(mount), ALC_OK);
    int64_t handle = open_file(mount, names[1], ALC_OS_OPEN_READ);
    uint64_t data =
        mount->seal->handles[handle % ALC_LIMIT_SEAL_HANDLES].inode->record.root.address;
    uint64_t table = mount->seal->table.record.root.address;
    uint64_t root = mount->seal->durable_place;
    const uint64_t blocks[] = {ALC_SEAL_HEADER_BLOCK, root, data, table};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(blocks); i++) {
        for (size_t at = 0; at < ALC_SEAL_BLOCK_SIZE; at++) {
            block_of(&fixture->disk, blocks[i])[at] ^= 0x40;
            bool is_noticed = try_disk(fixture);
            /* Without its newest root a closed mount still has the one before, of the same state.
             */
            assert_true(is_noticed || blocks[i] == root);
            block_of(&fixture->disk, blocks[i])[at] ^= 0x40;
        }
    }
}

static void test_exchanged_blocks(void **state)
{
    struct fixture *fixture = *state;
    uint8_t saved[ALC_SEAL_BLOCK_SIZE];
    for (int i = 0; i < 2000; i++) {
        size_t a = disk_random() % fixture->blocks_count;
        size_t b = disk_random() % fixture->blocks_count;
        memcpy(saved, block_of(&fixture->disk, a), sizeof saved);
        memcpy(block_of(&fixture->disk, a), block_of(&fixture->disk, b), sizeof saved);
        (void)try_disk(fixture); /* one in the place of another */
        memcpy(block_of(&fixture->disk, a), saved, sizeof saved);
    }
}

/* Single blocks of the version before, and all of them but the roots. */
static void test_old_blocks(void **state)
{
    struct fixture *fixture = *state;
    uint8_t saved[ALC_SEAL_BLOCK_SIZE];
    size_t common = fixture->old.size < fixture->disk.size ? fixture->old.size : fixture->disk.size;
    for (size_t index = ALC_SEAL_FIRST_BLOCK; index < common / ALC_SEAL_BLOCK_SIZE; index++) {
        memcpy(saved, block_of(&fixture->disk, index), sizeof saved);
        memcpy(block_of(&fixture->disk, index), block_of(&fixture->old, index), sizeof saved);
        (void)try_disk(fixture);
        memcpy(block_of(&fixture->disk, index), saved, sizeof saved);
    }
    size_t from = ALC_SEAL_FIRST_BLOCK * ALC_SEAL_BLOCK_SIZE;
    memcpy(fixture->disk.bytes + from, fixture->old.bytes + from, common - from);
    assert_true(try_disk(fixture));
}

static void test_cut_container(void **state)
{
    struct fixture *fixture = *state;
    size_t whole = fixture->disk.size;
    uint8_t *bytes = malloc(whole);
    memcpy(bytes, fixture->disk.bytes, whole);
    for (size_t size = 0; size < whole; size += 5000) {
        fixture->mount.options.flags = 0; /* an empty one would be made anew */
        disk_set(&fixture->disk, bytes, size);
        if (size < whole - 2 * ALC_SEAL_BLOCK_SIZE) {
            assert_true(try_disk(fixture));
        } else {
            (void)try_disk(fixture);
        }
    }
    free(bytes);
}

static void test_another_key(void **state)
{
    struct fixture *fixture = *state;
    fixture->mount.key_byte ^= 1;
    uint64_t writes_count = fixture->disk.writes_count;
    assert_int_equal(mount_open(&fixture->mount), ALC_E_POLICY_REFUSED);
    assert_int_equal(fixture->disk.writes_count, writes_count);
    fixture->mount.key_byte ^= 1;
    assert_false(try_disk(fixture));
}

/* An older state is whole, and so accepted without a witness; with one it is refused. */
static void test_old_state(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct alc_seal_session session;
    struct disk newest;
    disk_init(&newest);
    alc_seal_session_init(&session);
    mount->options.witness = &session.witness;
    assert_int_equal(mount_open(mount), ALC_OK);
    write_version(mount, 3);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    disk_set(&newest, fixture->disk.bytes, fixture->disk.size);

    disk_set(&fixture->disk, fixture->old.bytes, fixture->old.size);
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    assert_int_equal(mount->damage.reason, ALC_SEAL_ROLLED_BACK);
    /* Nor an empty one. */
    disk_set(&fixture->disk, fixture->old.bytes, 0);
    fixture->disk.exists = false;
    mount->options.flags = ALC_SEAL_CREATE;
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    mount->options.witness = NULL;
    disk_set(&fixture->disk, fixture->old.bytes, fixture->old.size);
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_int_equal(read_version(mount, 1).wrong_count, 0);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    /* A fork: as many commits, but others. The witness knows one of them. */
    assert_int_equal(mount_open(mount), ALC_OK);
    while (mount->seal->root.generation < session.mark.generation) {
        put_file(mount, "small", "x", 1);
        assert_int_equal(alc_seal_sync(mount->seal), 0);
    }
    mount->options.witness = &session.witness;
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    /* The true one is taken. */
    disk_set(&fixture->disk, newest.bytes, newest.size);
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_int_equal(read_version(mount, 3).wrong_count, 0);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    disk_fini(&newest);
}

/* A branch has more commits than the true line, but none of them reached the witness: the program
 * never said that they are durable. */
static void test_branch(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct alc_seal_session session;
    struct disk start, branch;
    alc_seal_session_init(&session);
    disk_init(&start);
    disk_init(&branch);
    mount->options.witness = &session.witness;
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    disk_set(&start, fixture->disk.bytes, fixture->disk.size);
    /* Stopped before its durable commit. */
    assert_int_equal(mount_open(mount), ALC_OK);
    for (unsigned i = 0; i < 9; i++) {
        put_file(mount, "small", "branch", 6);
        assert_int_equal(alc_seal_commit(mount->seal, false), 0);
    }
    disk_set(&branch, fixture->disk.bytes, fixture->disk.size);
    /* The true line begins where the branch does. */
    disk_set(&fixture->disk, start.bytes, start.size);
    assert_int_equal(mount_open(mount), ALC_OK);
    put_file(mount, "small", "true", 4);
    assert_int_equal(alc_seal_sync(mount->seal), 0);
    disk_set(&start, fixture->disk.bytes, fixture->disk.size);

    disk_set(&fixture->disk, branch.bytes, branch.size);
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    assert_int_equal(mount->damage.reason, ALC_SEAL_ROLLED_BACK);
    disk_set(&fixture->disk, start.bytes, start.size);
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    disk_fini(&start);
    disk_fini(&branch);
}

/* A crash between the disk and the witness: the state is taken, and told to the witness; also when
 * the witness had heard of it and its answer was lost. */
static void test_interrupted_advance(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct alc_seal_session session;
    alc_seal_session_init(&session);
    mount->options.witness = &session.witness;
    for (unsigned was_heard = 0; was_heard < 2; was_heard++) {
        assert_int_equal(mount_open(mount), ALC_OK);
        struct alc_seal_mark before = session.mark;
        put_file(mount, "small", "kept", 4);
        assert_int_equal(alc_seal_sync(mount->seal), 0);
        session.mark = was_heard ? session.mark : before;
        for (unsigned is_read_only = 0; is_read_only < 2; is_read_only++) {
            mount->options.flags = is_read_only ? ALC_SEAL_READ_ONLY : 0;
            assert_int_equal(mount_open(mount), ALC_OK);
            assert_int_equal(session.mark.generation, mount->seal->mark.generation);
            assert_true(session.mark.generation > before.generation);
        }
        mount->options.flags = 0;
    }
}

/* Two mounts of one container without a lock and without a witness: whoever comes second to a
 * commit is told, has written nothing, and the other one's files are whole. */
static void test_two_writers_without_witness(void **state)
{
    struct fixture *fixture = *state;
    struct mount *first = &fixture->mount;
    struct mount second;
    uint8_t byte = 0;
    mount_init(&second, &fixture->disk);
    assert_int_equal(mount_open(first), ALC_OK);
    assert_int_equal(mount_open(&second), ALC_OK);
    put_file(first, "small", "1", 1);
    put_file(&second, "small", "2", 1);
    assert_int_equal(alc_seal_sync(first->seal), 0);
    uint64_t writes_count = fixture->disk.writes_count;
    assert_int_equal(alc_seal_sync(second.seal), -ALC_OS_IO);
    assert_int_equal(second.damage.reason, ALC_SEAL_OTHER_WRITER);
    assert_true(alc_seal_is_damaged(second.seal));
    assert_int_equal(alc_seal_close(second.seal), ALC_E_IO_FAILED);
    assert_int_equal(fixture->disk.writes_count, writes_count);
    mount_fini(&second);
    assert_int_equal(alc_seal_close(first->seal), ALC_OK);
    assert_int_equal(mount_open(first), ALC_OK);
    assert_int_equal(first->damages_count, 0);
    int64_t handle = open_file(first, "small", ALC_OS_OPEN_READ);
    assert_int_equal(read_at(first, handle, &byte, 1, 0), 1);
    assert_int_equal(byte, '1');
    assert_int_equal(alc_seal_close(first->seal), ALC_OK);
}

/* Two mounts of one container: the witness lets one of them go on. */
/* Data that is written because memory is full does not go to another writer's blocks, either. */
static void test_two_writers_of_much(void **state)
{
    static uint8_t bytes[1 << 16];
    struct fixture *fixture = *state;
    struct mount *first = &fixture->mount;
    struct mount second;
    mount_init(&second, &fixture->disk);
    assert_int_equal(mount_open(first), ALC_OK);
    assert_int_equal(mount_open(&second), ALC_OK);
    put_file(first, "small", "1", 1);
    assert_int_equal(alc_seal_sync(first->seal), 0);
    uint64_t writes_count = fixture->disk.writes_count;
    int64_t handle = open_file(&second, "large", ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    const struct alc_span span = {bytes, sizeof bytes};
    int64_t result = 1;
    for (uint32_t i = 0; i < ALC_SEAL_CACHE_BLOCKS_MIN && result > 0; i++) {
        result = CALL(&second, write, (int32_t)handle, &span, 1);
    }
    assert_int_equal(result, -ALC_OS_IO);
    assert_int_equal(second.damage.reason, ALC_SEAL_OTHER_WRITER);
    assert_int_equal(alc_seal_close(second.seal), ALC_E_IO_FAILED);
    assert_int_equal(fixture->disk.writes_count, writes_count);
    mount_fini(&second);
    assert_int_equal(alc_seal_close(first->seal), ALC_OK);
}

static void test_two_writers(void **state)
{
    struct fixture *fixture = *state;
    struct mount *first = &fixture->mount;
    struct mount second;
    struct alc_seal_session session;
    alc_seal_session_init(&session);
    mount_init(&second, &fixture->disk);
    first->options.witness = &session.witness;
    second.options.witness = &session.witness;
    assert_int_equal(mount_open(first), ALC_OK);
    assert_int_equal(mount_open(&second), ALC_OK);
    put_file(first, "small", "1", 1);
    assert_int_equal(alc_seal_sync(first->seal), 0);
    put_file(&second, "small", "2", 1);
    assert_int_equal(alc_seal_sync(second.seal), -ALC_OS_IO);
    assert_true(alc_seal_is_damaged(second.seal));
    (void)alc_seal_close(second.seal);
    mount_fini(&second);
}

/* What the host put back does not decide about nonces: the session after an old state was restored
 * uses other keys. */
static void test_restored_state_gets_other_keys(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    uint8_t *images[2];
    size_t image_size = 0;
    for (int i = 0; i < 2; i++) {
        disk_set(&fixture->disk, fixture->old.bytes, fixture->old.size);
        assert_int_equal(mount_open(mount), ALC_OK);
        write_version(mount, 2); /* the same bytes to the same places */
        assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
        image_size = fixture->disk.size;
        images[i] = malloc(image_size);
        memcpy(images[i], fixture->disk.bytes, image_size);
    }
    size_t equal_count = 0;
    for (size_t at = 0; at + 16 <= image_size; at += 16) {
        size_t block = at / ALC_SEAL_BLOCK_SIZE;
        bool is_root_head =
            (block == ALC_SEAL_FIRST_ROOT_BLOCK || block == ALC_SEAL_FIRST_ROOT_BLOCK + 1) &&
            at % ALC_SEAL_BLOCK_SIZE < ALC_SEAL_ROOT_HEAD_SIZE;
        bool is_written =
            at + 16 > fixture->old.size || memcmp(images[0] + at, fixture->old.bytes + at, 16) != 0;
        equal_count +=
            is_written && !is_root_head && memcmp(images[0] + at, images[1] + at, 16) == 0;
    }
    assert_int_equal(equal_count, 0);
    free(images[0]);
    free(images[1]);
}

static void test_words(void **state)
{
    char text[ALC_SEAL_DAMAGE_TEXT_SIZE];
    const struct alc_seal_damage node = {ALC_SEAL_NOT_GENUINE, 17, 29, 2, 3};
    const struct alc_seal_damage table = {ALC_SEAL_CONTESTED, 0, UINT64_MAX, 0, UINT32_MAX};
    (void)state;
    alc_seal_damage_describe(&node, text);
    assert_string_equal(text, "file 17, node 3 of level 2 (container block 29): not what was "
                              "written here (changed, exchanged or old)");
    alc_seal_damage_describe(&table, text);
    assert_string_equal(text, "table of files, block 4294967295 (container block "
                              "18446744073709551615): outside the container, or it has two owners");
}

/* The host fails at each of its calls in turn: an error, no damage, and after opening again a state
 * that is whole. */
static void test_failing_host(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    for (uint64_t fail_at = 1; fail_at < 60; fail_at++) {
        disk_set(&fixture->disk, fixture->old.bytes, fixture->old.size);
        fixture->disk.calls_count = 0;
        fixture->disk.fail_at = fail_at;
        if (mount_open(mount) == ALC_OK) {
            int64_t handle = open_file(mount, names[1], ALC_OS_OPEN_WRITE | ALC_OS_OPEN_TRUNCATE);
            if (handle >= 0) {
                (void)write_at(mount, handle, "new", 3, 0);
                (void)CALL(mount, sync, (int32_t)handle, 0);
            }
            (void)alc_seal_close(mount->seal);
        }
        fixture->disk.fail_at = 0;
        assert_int_equal(mount_open(mount), ALC_OK);
        assert_false(alc_seal_is_damaged(mount->seal));
        assert_int_equal(read_version(mount, 1).failed_count, 0);
        assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_block, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exchanged_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_container, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_branch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupted_advance, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_writers_without_witness, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_writers_of_much, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_writers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restored_state_gets_other_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_host, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
