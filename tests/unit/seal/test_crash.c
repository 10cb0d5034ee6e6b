/* SPDX-License-Identifier: Apache-2.0
 *
 * Power cuts at every write of random work with files: each prefix of the writes, torn writes, and
 * any subset of what was written since the last sync. Each round goes on with what a crash of the
 * one before left.
 */
#include "seal_crash.h"

enum { ROUNDS = 12, OPERATIONS = 300, NAMES = 12 };

static const char *name_of(uint64_t number)
{
    static char name[4][32];
    static unsigned turn;
    turn = (turn + 1) % 4;
    snprintf(name[turn], sizeof name[turn], number % 3 == 0 ? "d/f%u" : "f%u",
             (unsigned)(number % NAMES));
    return name[turn];
}

/* Opening, which may create the file, and writing are two operations. */
static void write_something(struct mount *mount, struct history *history)
{
    static uint8_t bytes[400000];
    size_t size = disk_random() % (disk_random() % 8 == 0 ? sizeof bytes : 9000);
    uint64_t offset = disk_random() % 20000;
    memset(bytes, (int)disk_random(), size);
    int64_t handle =
        open_file(mount, name_of(disk_random()), ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    if (handle < 0) { /* the directory is not there */
        return;
    }
    history_note(history, mount, false);
    /* One call: what is too long for one operation is cut. */
    const struct alc_span span = {bytes, size};
    assert_true(CALL(mount, write_at, (int32_t)handle, &span, 1, offset) >= 0);
    assert_int_equal(close_file(mount, handle), 0);
}

/* One operation of the program, the last one if there are several; true when it was told that
 * everything is durable. */
static bool operate(struct mount *mount, struct history *history)
{
    const char *name = name_of(disk_random());
    const char *other = name_of(disk_random());
    int64_t handle;
    switch (disk_random() % 12) {
    case 0:
        (void)CALL(mount, unlink_at, MOUNT, BYTES(name));
        return false;
    case 1:
        (void)CALL(mount, rename_at, MOUNT, BYTES(name), MOUNT, BYTES(other));
        return false;
    case 2:
        handle = open_file(mount, name, ALC_OS_OPEN_WRITE);
        if (handle >= 0) {
            assert_int_equal(CALL(mount, set_size, (int32_t)handle, disk_random() % 30000), 0);
            assert_int_equal(close_file(mount, handle), 0);
        }
        return false;
    case 3:
        (void)CALL(mount, link_at, MOUNT, BYTES(name), 0, MOUNT, BYTES(other));
        return false;
    case 4: /* with a name less, and open until it was written to */
        handle = open_file(mount, name, ALC_OS_OPEN_WRITE);
        if (handle >= 0) {
            (void)CALL(mount, unlink_at, MOUNT, BYTES(name));
            history_note(history, mount, false);
            assert_int_equal(write_at(mount, handle, "orphan", 6, 5000), 6);
            history_note(history, mount, false);
            assert_int_equal(close_file(mount, handle), 0);
        }
        return false;
    case 5:
    case 6:
        assert_int_equal(alc_seal_sync(mount->seal), 0);
        return true;
    case 7:
        if (disk_random() % 4 == 0) {
            assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
            uint64_t digest = history->moments[history->moments_count - 1].digest;
            history_moment(history, true)->digest = digest;
            assert_int_equal(mount_open(mount), ALC_OK);
            return true;
        }
        return false;
    case 8: {
        const char *directory = disk_random() % 2 == 0 ? "d" : "e";
        if (CALL(mount, create_directory_at, MOUNT, BYTES(directory)) < 0) {
            (void)CALL(mount, remove_directory_at, MOUNT, BYTES(directory));
        }
        return false;
    }
    default:
        write_something(mount, history);
        return false;
    }
}

static void test_every_write(void **state)
{
    struct disk disk;
    struct disk image;
    struct mount mount;
    struct mount recovered;
    uint64_t points_count = 0;
    (void)state;
    disk_init(&disk);
    disk_init(&image);
    mount_init(&mount, &disk);
    mount_init(&recovered, &image);
    for (int round = 0; round < ROUNDS; round++) {
        struct history history;
        history_begin(&history, &disk);
        assert_int_equal(mount_open(&mount), ALC_OK);
        history_note(&history, &mount, true);
        for (int i = 0; i < OPERATIONS; i++) {
            bool is_durable = operate(&mount, &history);
            history_note(&history, &mount, is_durable);
        }
        for (size_t count = round == 0 ? 0 : 1; count <= disk.events_count; count++) {
            for (enum crash_kind kind = 0; kind < CRASH_KINDS; kind++) {
                crash(&history, count, kind, &image);
                check_recovery(&history, count, &recovered);
                if (history.points_count % 16 == 0) {
                    check_use(&recovered);
                }
            }
        }
        points_count += history.points_count;
        /* The next round begins with what a crash at the end left. */
        crash(&history, disk.events_count, CRASH_SECTORS, &image);
        history_end(&history);
        disk_forget_events(&disk);
        disk_set(&disk, image.bytes, image.size);
    }
    print_message("%llu crashes\n", (unsigned long long)points_count);
    assert_true(points_count >= 10000);
    mount_fini(&mount);
    mount_fini(&recovered);
    disk_fini(&disk);
    disk_fini(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
