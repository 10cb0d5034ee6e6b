/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying, writing anew and verifying mounts. A folder of two host files that stops at any call:
 * what is there afterwards is the old container, untouched, or the new one, whole and durable.
 */
#include "seal_crash.h"

enum { OLD_KEY = 0x42, NEW_KEY = 0x24 };
enum { MAKE = ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE };

/* disks[0] is alcove.seal, disks[1] alcove.seal.new. */
struct folder {
    struct alc_os os;
    struct disk *disks[2];
    uint64_t calls_count;
    uint64_t fail_at; /* that call and all later ones fail */
    uint64_t renames_count;
};

static struct disk *disk_of(struct folder *folder, int32_t handle)
{
    return handle == DISK_FILE + 1 ? folder->disks[1] : folder->disks[0];
}

static bool stops(struct folder *folder)
{
    folder->calls_count++;
    return folder->fail_at != 0 && folder->calls_count >= folder->fail_at;
}

#define FOLDER_CALL(name, parameters, ...)                                                         \
    static int64_t folder_##name parameters                                                        \
    {                                                                                              \
        struct folder *folder = context;                                                           \
        return stops(folder) ? -ALC_OS_IO                                                          \
                             : disk_##name(disk_of(folder, handle), DISK_FILE, __VA_ARGS__);       \
    }
#define SPANS void *context, int32_t handle, const struct alc_span *spans, size_t spans_count
FOLDER_CALL(read_at, (SPANS, uint64_t offset), spans, spans_count, offset)
FOLDER_CALL(write_at, (SPANS, uint64_t offset), spans, spans_count, offset)
FOLDER_CALL(set_size, (void *context, int32_t handle, uint64_t size), size)
FOLDER_CALL(allocate, (void *context, int32_t handle, uint64_t offset, uint64_t size), offset, size)
FOLDER_CALL(stat, (void *context, int32_t handle, struct alc_os_stat *out), out)

static int64_t folder_sync(void *context, int32_t handle, uint32_t data_only)
{
    struct folder *folder = context;
    if (stops(folder)) {
        return -ALC_OS_IO;
    }
    return handle == DISK_DIRECTORY ? 0 : disk_sync(disk_of(folder, handle), DISK_FILE, data_only);
}

static int64_t folder_close(void *context, int32_t handle)
{
    (void)context, (void)handle;
    return 0;
}

static int64_t folder_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                              uint32_t flags)
{
    struct folder *folder = context;
    int32_t place = path_size == strlen("alcove.seal.new") ? 1 : 0;
    (void)dir, (void)path;
    if (stops(folder)) {
        return -ALC_OS_IO;
    }
    if (!folder->disks[place]->exists && (flags & ALC_OS_OPEN_CREATE) == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    folder->disks[place]->exists = true;
    return DISK_FILE + place;
}

static int64_t folder_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                                size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                                size_t new_path_size)
{
    struct folder *folder = context;
    struct disk *made = folder->disks[1];
    assert_int_equal(old_dir, DISK_DIRECTORY);
    assert_int_equal(new_dir, DISK_DIRECTORY);
    assert_int_equal(old_path_size, strlen("alcove.seal.new"));
    assert_memory_equal(old_path, "alcove.seal.new", old_path_size);
    assert_int_equal(new_path_size, strlen("alcove.seal"));
    assert_memory_equal(new_path, "alcove.seal", new_path_size);
    if (stops(folder)) {
        return -ALC_OS_IO;
    }
    /* Whatever a power cut does now, all of it is on the disk. */
    assert_true(made->events_count != 0);
    for (size_t i = made->events_count; i-- > 0 && made->events[i].kind != DISK_SYNC;) {
        assert_int_equal(made->events[i].kind, DISK_SIZE); /* free blocks cut off the end */
    }
    folder->disks[1] = folder->disks[0];
    folder->disks[0] = made;
    folder->disks[1]->exists = false;
    folder->renames_count++;
    return 0;
}

static int64_t folder_random(void *context, uint8_t *buf, size_t buf_size)
{
    const struct folder *folder = context;
    return disk_fill_random(folder->disks[0], buf, buf_size);
}

static int64_t folder_clock_read(void *context, uint32_t clock, uint32_t resolution)
{
    const struct folder *folder = context;
    return disk_clock_read(folder->disks[0], clock, resolution);
}

static const struct alc_os_operations folder_operations = {
    .open_at = folder_open_at,
    .read_at = folder_read_at,
    .write_at = folder_write_at,
    .set_size = folder_set_size,
    .allocate = folder_allocate,
    .sync = folder_sync,
    .stat = folder_stat,
    .close = folder_close,
    .clock_read = folder_clock_read,
    .random = folder_random,
    .yield = disk_yield,
    .poll = disk_poll,
    .rename_at = folder_rename_at,
};

struct fixture {
    struct disk disks[2];
    struct folder folder;
    struct mount mount;
    struct disk content; /* of the old container */
    uint64_t digest;     /* of what the mount shows */
};

static void reset(struct fixture *fixture)
{
    struct folder *folder = &fixture->folder;
    for (unsigned i = 0; i < 2; i++) {
        disk_forget_events(&fixture->disks[i]);
        fixture->disks[i].is_recording = true;
        folder->disks[i] = &fixture->disks[i];
    }
    disk_set(&fixture->disks[0], fixture->content.bytes, fixture->content.size);
    fixture->disks[1].size = 0;
    fixture->disks[1].exists = false;
    folder->calls_count = 0;
    folder->fail_at = 0;
    fixture->mount.key_byte = OLD_KEY;
}

static void fill(struct mount *mount)
{
    static uint8_t bytes[300000];
    char name[32];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)disk_random();
    }
    assert_int_equal(CALL(mount, create_directory_at, MOUNT, BYTES("inner")), 0);
    put_file(mount, "large", bytes, sizeof bytes);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "inner/file %u", i);
        put_file(mount, name, bytes + i, i);
    }
    for (unsigned i = 0; i < 300; i += 7) { /* places in the table that are free */
        snprintf(name, sizeof name, "inner/file %u", i);
        assert_int_equal(CALL(mount, unlink_at, MOUNT, BYTES(name)), 0);
    }
    int64_t sparse = open_file(mount, "sparse", MAKE);
    assert_int_equal(write_at(mount, sparse, bytes, 10, UINT64_C(1) << 33), 10);
    assert_int_equal(CALL(mount, set_size, (int32_t)sparse, (UINT64_C(1) << 33) + 5), 0);
    assert_int_equal(close_file(mount, sparse), 0);
    assert_int_equal(CALL(mount, link_at, MOUNT, BYTES("large"), 0, MOUNT, BYTES("again")), 0);
    assert_int_equal(CALL(mount, set_times_at, MOUNT, BYTES("again"), 0, 5, 6,
                          ALC_OS_TIME_ACCESS | ALC_OS_TIME_MODIFY),
                     0);
    assert_int_equal(CALL(mount, symlink_at, BYTES("inner/file 9"), MOUNT, BYTES("link")), 0);
}

/* Everything but the sparse file's zeros; not in the order of a listing, which is keyed. */
static uint64_t digest_all(struct mount *mount)
{
    uint64_t hash = 7;
    uint8_t target[64];
    struct alc_os_stat stat;
    for (unsigned i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "inner/file %u", i);
        int64_t result = CALL(mount, stat_at, MOUNT, BYTES(name), 0, &stat);
        assert_int_equal(result, i % 7 == 0 ? -ALC_OS_NO_ENTRY : 0);
        if (result == 0) {
            digest_file(mount, &hash, name);
        }
    }
    digest_file(mount, &hash, "large");
    assert_int_equal(CALL(mount, stat_at, MOUNT, BYTES("again"), 0, &stat), 0);
    assert_int_equal(stat.link_count, 2);
    mix(&hash, (const uint8_t *)&stat.inode, sizeof stat - offsetof(struct alc_os_stat, inode));
    assert_int_equal(CALL(mount, stat_at, MOUNT, BYTES("inner"), 0, &stat), 0);
    mix(&hash, (const uint8_t *)&stat.inode, sizeof stat - offsetof(struct alc_os_stat, inode));
    int64_t size = CALL(mount, readlink_at, MOUNT, BYTES("link"), target, sizeof target);
    assert_int_equal(size, 12);
    mix(&hash, target, (size_t)size);
    int64_t handle = open_file(mount, "sparse", ALC_OS_OPEN_READ);
    assert_int_equal(read_at(mount, handle, target, 16, UINT64_C(1) << 33), 5);
    mix(&hash, target, 5);
    assert_int_equal(close_file(mount, handle), 0);
    return hash;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    for (unsigned i = 0; i < 2; i++) {
        disk_init(&fixture->disks[i]);
        fixture->folder.disks[i] = &fixture->disks[i];
    }
    disk_init(&fixture->content);
    fixture->folder.os =
        (struct alc_os){.operations = &folder_operations, .context = &fixture->folder};
    mount_init(&fixture->mount, &fixture->disks[0]);
    fixture->mount.options.host = &fixture->folder.os;
    assert_int_equal(mount_open(&fixture->mount), ALC_OK);
    fill(&fixture->mount);
    assert_int_equal(alc_seal_close(fixture->mount.seal), ALC_OK);
    assert_int_equal(mount_open(&fixture->mount), ALC_OK);
    fixture->digest = digest_all(&fixture->mount);
    assert_int_equal(alc_seal_verify(fixture->mount.seal), 0);
    assert_int_equal(alc_seal_close(fixture->mount.seal), ALC_OK);
    disk_set(&fixture->content, fixture->disks[0].bytes, fixture->disks[0].size);
    reset(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    mount_fini(&fixture->mount);
    disk_fini(&fixture->disks[0]);
    disk_fini(&fixture->disks[1]);
    disk_fini(&fixture->content);
    free(fixture);
    return 0;
}

static alc_status new_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)context, (void)key_id;
    memset(key, NEW_KEY, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static alc_status rekey(struct fixture *fixture)
{
    static const struct alc_seal_key_source source = {.get = new_key};
    struct alc_arena arena;
    struct alc_error error = {0};
    size_t size = 2 * alc_seal_memory_size(&fixture->mount.options);
    void *memory = malloc(size);
    assert_non_null(memory);
    alc_arena_init(&arena, memory, size);
    alc_status status = alc_seal_rekey(&arena, &fixture->mount.options, &source, &error);
    free(memory);
    return status;
}

/* Opens with `key` and compares; false when it does not open. */
static bool has_all(struct fixture *fixture, uint8_t key)
{
    struct mount *mount = &fixture->mount;
    mount->key_byte = key;
    if (mount_open(mount) != ALC_OK) {
        return false;
    }
    assert_int_equal(digest_all(mount), fixture->digest);
    assert_int_equal(alc_seal_verify(mount->seal), 0);
    put_file(mount, "afterwards", "x", 1); /* and it can be used */
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    return true;
}

static void test_rekey(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(rekey(fixture), ALC_OK);
    assert_int_equal(fixture->folder.renames_count, 1);
    assert_false(has_all(fixture, OLD_KEY));
    assert_true(has_all(fixture, NEW_KEY));
    /* No block of the old container is in the new one. */
    const struct disk *made = fixture->folder.disks[0];
    for (size_t at = 3 * 4096; at < made->size; at += 4096) {
        for (size_t old = 3 * 4096; old < fixture->content.size; old += 4096) {
            assert_memory_not_equal(made->bytes + at, fixture->content.bytes + old, 4096);
        }
    }
}

/* What a stop left under the other name, as the container: nothing, or all of it, or refused. */
static bool is_refused_as_partial(struct fixture *fixture)
{
    struct mount *mount = &fixture->mount;
    struct disk *old = fixture->folder.disks[0];
    const uint32_t flags = mount->options.flags;
    bool is_refused = false;
    fixture->folder.disks[0] = fixture->folder.disks[1];
    if (fixture->folder.disks[0]->exists) {
        mount->key_byte = NEW_KEY;
        mount->options.flags = ALC_SEAL_READ_ONLY;
        alc_status status = mount_open(mount);
        if (status == ALC_OK) {
            assert_int_equal(digest_all(mount), fixture->digest);
            assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
        }
        is_refused = strstr(mount->error.detail, "not completed") != NULL;
        assert_true(status == ALC_OK || is_refused || status == ALC_E_IO_FAILED ||
                    mount->damage.reason == ALC_SEAL_NOT_GENUINE);
        mount->options.flags = flags;
    }
    fixture->folder.disks[0] = old;
    return is_refused;
}

/* The host stops at each of its calls. */
static void test_stopped_at_every_call(void **state)
{
    struct fixture *fixture = *state;
    unsigned old_count = 0;
    unsigned new_count = 0;
    unsigned partial_count = 0;
    assert_int_equal(rekey(fixture), ALC_OK);
    uint64_t calls_count = fixture->folder.calls_count;
    for (uint64_t at = 1; at <= calls_count; at++) {
        reset(fixture);
        uint64_t renames_count = fixture->folder.renames_count;
        fixture->folder.fail_at = at;
        alc_status status = rekey(fixture);
        fixture->folder.fail_at = 0;
        bool is_new = fixture->folder.renames_count != renames_count;
        if (!is_new) { /* not one byte of it was written */
            assert_int_not_equal(status, ALC_OK);
            assert_int_equal(fixture->folder.disks[0]->events_count, 0);
            partial_count += is_refused_as_partial(fixture);
        }
        assert_true(has_all(fixture, is_new ? NEW_KEY : OLD_KEY));
        old_count += !is_new;
        new_count += is_new;
        /* What was left behind is in nobody's way. */
        if (!is_new && at % 16 == 0) {
            fixture->mount.key_byte = OLD_KEY;
            assert_int_equal(rekey(fixture), ALC_OK);
        }
    }
    assert_true(old_count > 20 && new_count > 0 && partial_count > 20);
    printf("%u stops left the old container, %u the new one; %u parts of one were refused\n",
           old_count, new_count, partial_count);
}

/* The witness: the old container is refused when the new one was opened, and goes on when it was
 * not; the new one is then a branch. */
static void test_witness(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct alc_seal_session session;
    alc_seal_session_init(&session);
    mount->options.witness = &session.witness;
    assert_true(has_all(fixture, OLD_KEY));
    disk_set(&fixture->content, fixture->disks[0].bytes, fixture->disks[0].size);
    reset(fixture);
    assert_int_equal(rekey(fixture), ALC_OK);
    struct disk *made = fixture->folder.disks[0];
    struct disk *old = fixture->folder.disks[1];
    struct alc_seal_mark before = session.mark;
    struct disk copy;
    disk_init(&copy);
    disk_set(&copy, made->bytes, made->size);

    assert_true(has_all(fixture, NEW_KEY)); /* and the witness hears of it */
    fixture->folder.disks[0] = old;
    fixture->folder.disks[1] = made;
    old->exists = true;
    mount->key_byte = OLD_KEY;
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    assert_int_equal(mount->damage.reason, ALC_SEAL_ROLLED_BACK);

    session.mark = before; /* the other way: it was never opened */
    assert_true(has_all(fixture, OLD_KEY));
    disk_set(old, copy.bytes, copy.size);
    mount->key_byte = NEW_KEY;
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    assert_int_equal(mount->damage.reason, ALC_SEAL_ROLLED_BACK);
    disk_fini(&copy);
}

/* -- lines -- */

enum { OWN, OTHER, COUNTERS };

/* A witness of two counters: the mount's own, and that of the line which begins with LINE_BYTE. */
enum { LINE_BYTE = 0x77 };
struct counters {
    struct alc_seal_session sessions[COUNTERS];
    unsigned asked; /* which one it is about */
    struct alc_seal_witness witness;
};

static alc_status counters_read(void *context, struct alc_seal_mark *out)
{
    struct counters *counters = context;
    struct alc_seal_session *session = &counters->sessions[counters->asked];
    return session->witness.read(session, out);
}

static alc_status counters_advance(void *context, const struct alc_seal_mark *from,
                                   const struct alc_seal_mark *to)
{
    struct counters *counters = context;
    struct alc_seal_session *session = &counters->sessions[counters->asked];
    return session->witness.advance(session, from, to);
}

static alc_status counters_follow(void *context, const uint8_t line[ALC_SEAL_LINE_SIZE])
{
    struct counters *counters = context;
    assert_int_equal(line[0], LINE_BYTE);
    assert_int_equal(line[ALC_SEAL_LINE_SIZE - 1], LINE_BYTE);
    counters->asked = OTHER;
    return ALC_OK;
}

static void counters_init(struct counters *counters)
{
    *counters = (struct counters){.witness = {.read = counters_read,
                                              .advance = counters_advance,
                                              .follow = counters_follow,
                                              .context = counters}};
    alc_seal_session_init(&counters->sessions[OWN]);
    alc_seal_session_init(&counters->sessions[OTHER]);
}

/* The copy, with a line, takes the place of the container. */
static void write_with_line(struct fixture *fixture)
{
    static uint8_t line[ALC_SEAL_LINE_SIZE];
    struct mount *mount = &fixture->mount;
    struct alc_seal_options to = mount->options;
    struct alc_arena arena;
    struct alc_error error = {0};
    size_t size = alc_seal_memory_size(&to);
    void *memory = malloc(size);
    assert_non_null(memory);
    memset(line, LINE_BYTE, sizeof line);
    to.key.get = new_key;
    to.line = line;
    mount->options.flags = ALC_SEAL_READ_ONLY | ALC_SEAL_ALONE | ALC_SEAL_ASK;
    assert_int_equal(mount_open(mount), ALC_OK);
    alc_arena_init(&arena, memory, size);
    assert_int_equal(alc_seal_write_anew(&arena, mount->seal, &to, &error), ALC_OK);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    mount->options.flags = ALC_SEAL_CREATE;
    mount->key_byte = NEW_KEY;
    free(memory);
}

static void expect_refused(struct mount *mount, const char *why)
{
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    if (strstr(mount->error.detail, why) == NULL) {
        fail_msg("%s: %s", why, mount->error.detail);
    }
}

/* The line's counter is asked and told, not the mount's own, and goes on from one copy to the next.
 */
static void test_line(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct counters counters;
    counters_init(&counters);
    mount->options.witness = &counters.sessions[OTHER].witness; /* where it comes from: its own */
    assert_true(has_all(fixture, OLD_KEY));
    const struct alc_seal_mark known = counters.sessions[OTHER].mark;
    write_with_line(fixture);
    assert_int_equal(counters.sessions[OTHER].mark.generation, known.generation); /* untold */
    struct disk copy;
    disk_init(&copy);
    disk_set(&copy, fixture->folder.disks[0]->bytes, fixture->folder.disks[0]->size);

    expect_refused(mount, "a counter that cannot be asked for"); /* nobody who follows */
    mount->options.witness = &counters.witness;
    counters.sessions[OTHER].mark.generation = 0;
    expect_refused(mount, "does not know the counter");
    counters.sessions[OTHER].mark = known;
    assert_true(has_all(fixture, NEW_KEY));
    assert_true(counters.sessions[OTHER].mark.generation > known.generation);
    assert_int_equal(counters.sessions[OWN].mark.generation, 0);
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_int_equal(alc_seal_line(mount->seal)[1], LINE_BYTE);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);

    disk_set(fixture->folder.disks[0], copy.bytes, copy.size); /* the same copy again */
    expect_refused(mount, "older than its witness says");
    disk_fini(&copy);
}

/* A line outlives rekeying; without one there is none. */
static void test_line_rekeyed(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_null(alc_seal_line(mount->seal));
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    write_with_line(fixture);
    assert_int_equal(rekey(fixture), ALC_OK);
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_int_equal(alc_seal_line(mount->seal)[31], LINE_BYTE);
    assert_int_equal(digest_all(mount), fixture->digest);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
}

/* Each changed block is found and told; nothing damaged is copied. */
static void test_damage(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    uint64_t blocks_count = fixture->content.size / 4096;
    unsigned found_count = 0;
    for (uint64_t block = 3; block < blocks_count; block += 5) {
        reset(fixture);
        fixture->disks[0].bytes[block * 4096 + disk_random() % 4096] ^= 1;
        alc_status status = mount_open(mount);
        if (status == ALC_OK) {
            uint64_t damaged_count = alc_seal_verify(mount->seal);
            bool is_used = damaged_count != 0;
            if (is_used) {
                assert_true(mount->damages_count != 0);
                assert_int_equal(mount->damage.address, block);
            }
            (void)alc_seal_close(mount->seal);
            reset(fixture);
            fixture->disks[0].bytes[block * 4096 + disk_random() % 4096] ^= 1;
            assert_int_equal(rekey(fixture), is_used ? ALC_E_IO_FAILED : ALC_OK);
            found_count += is_used;
        }
    }
    assert_true(found_count > blocks_count / 10);
}

/* What a mount tells of itself. */
static void test_info(void **state)
{
    struct fixture *fixture = *state;
    struct alc_seal_info info;
    assert_int_equal(mount_open(&fixture->mount), ALC_OK);
    alc_seal_get_info(fixture->mount.seal, &info);
    assert_int_equal(info.files_count, 1 + 1 + 1 + 300 - 43 + 1 + 1);
    assert_int_equal(info.blocks_count, fixture->content.size / 4096);
    assert_true(info.used_count <= info.blocks_count && info.used_count > 75);
    assert_memory_equal(info.key_id, fixture->content.bytes + 16, sizeof info.key_id);
    assert_int_equal(alc_seal_close(fixture->mount.seal), ALC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rekey, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stopped_at_every_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness, setup, teardown),
        cmocka_unit_test_setup_teardown(test_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_line_rekeyed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_info, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
