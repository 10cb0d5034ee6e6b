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

/* -- a witness that remembers when it heard of what -- */

enum { ADVANCES_MAX = 5000 };
struct recorder {
    struct alc_seal_session session;
    struct alc_seal_witness witness;
    const struct disk *disk;
    size_t count;
    struct {
        size_t events_count; /* that the disk had seen */
        struct alc_seal_mark mark;
    } advances[ADVANCES_MAX];
};

static alc_status recorder_read(void *context, struct alc_seal_mark *out)
{
    struct recorder *recorder = context;
    return recorder->session.witness.read(&recorder->session, out);
}

static void recorder_note(struct recorder *recorder)
{
    assert_true(recorder->count < ADVANCES_MAX);
    recorder->advances[recorder->count].events_count = recorder->disk->events_count;
    recorder->advances[recorder->count++].mark = recorder->session.mark;
}

static alc_status recorder_advance(void *context, const struct alc_seal_mark *from,
                                   const struct alc_seal_mark *to)
{
    struct recorder *recorder = context;
    alc_status status = recorder->session.witness.advance(&recorder->session, from, to);
    if (status == ALC_OK) {
        recorder_note(recorder);
    }
    return status;
}

static void recorder_init(struct recorder *recorder, const struct disk *disk)
{
    recorder->disk = disk;
    recorder->count = 0;
    alc_seal_session_init(&recorder->session);
    recorder->witness = (struct alc_seal_witness){
        .read = recorder_read, .advance = recorder_advance, .context = recorder};
}

/* A new round: what it knows stays, when it heard of it is forgotten. */
static void recorder_begin(struct recorder *recorder)
{
    recorder->count = 0;
    recorder_note(recorder);
}

/* The last thing that it heard before the disk's event `events_count`. */
static size_t known_at(const struct recorder *recorder, size_t events_count)
{
    size_t at = recorder->count;
    while (at > 1 && recorder->advances[at - 1].events_count > events_count) {
        at--;
    }
    return at - 1;
}

/* The same disk in front of a witness that has since heard of two more commits: it lacks one of
 * which the program was told. */
static void check_rollback(const struct recorder *recorder, size_t known, struct mount *mount,
                           struct alc_seal_session *session)
{
    if (known + 2 < recorder->count) {
        session->mark = recorder->advances[known + 2].mark;
        assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    }
}

/* The crash came before the witness heard of what the disk has, or after: the state is taken, and
 * the witness has it then. */
static void check_unheard(const struct recorder *recorder, size_t known, size_t events_count,
                          struct mount *mount, struct alc_seal_session *session)
{
    if (known != 0 && recorder->advances[known].events_count == events_count) {
        session->mark = recorder->advances[known - 1].mark;
        assert_int_equal(mount_open(mount), ALC_OK);
        assert_true(session->mark.generation >= recorder->advances[known].mark.generation);
    }
}

static void test_every_write(void **state)
{
    static struct recorder recorder;
    struct alc_seal_session session;
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
    recorder_init(&recorder, &disk);
    alc_seal_session_init(&session);
    mount.options.witness = &recorder.witness;
    recovered.options.witness = &session.witness;
    for (int round = 0; round < ROUNDS; round++) {
        struct history history;
        history_begin(&history, &disk);
        recorder_begin(&recorder);
        assert_int_equal(mount_open(&mount), ALC_OK);
        history_note(&history, &mount, true);
        for (int i = 0; i < OPERATIONS; i++) {
            bool is_durable = operate(&mount, &history);
            history_note(&history, &mount, is_durable);
        }
        for (size_t count = round == 0 ? 0 : 1; count <= disk.events_count; count++) {
            for (enum crash_kind kind = 0; kind < CRASH_KINDS; kind++) {
                size_t known = known_at(&recorder, count);
                crash(&history, count, kind, &image);
                if (history.points_count % 4 == 1) {
                    check_rollback(&recorder, known, &recovered, &session);
                }
                if (kind == CRASH_SECTORS) {
                    check_unheard(&recorder, known, count, &recovered, &session);
                    crash(&history, count, kind, &image);
                }
                session.mark = recorder.advances[known].mark;
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
