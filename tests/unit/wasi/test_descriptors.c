/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor table: its limit, numbers, rights handed down, types, preopens, read-only mounts.
 */
#include "unit/wasi/fake_os.h"

#define FILE_RIGHTS (ALC_WASI_RIGHTS_FD_READ | ALC_WASI_RIGHTS_FD_WRITE | ALC_WASI_RIGHTS_FD_SEEK)

static uint64_t open_with(uint32_t fd, uint64_t base, uint64_t inheriting, uint32_t open_flags)
{
    uint32_t size = put_text(PATH_AT, "file");
    return CALL("path_open", fd, 0, PATH_AT, size, open_flags, base, inheriting, 0, OUT_AT);
}

static uint64_t rights_base(uint32_t fd)
{
    assert_int_equal(CALL("fd_fdstat_get", fd, OUT_AT), 0);
    return u64_at(OUT_AT + 8);
}

static uint64_t rights_inheriting(uint32_t fd)
{
    assert_int_equal(CALL("fd_fdstat_get", fd, OUT_AT), 0);
    return u64_at(OUT_AT + 16);
}

static void test_the_table_has_a_limit(void **state)
{
    (void)state;
    for (uint32_t fd = FIRST_FREE_FD; fd < ALC_LIMIT_WASI_DESCRIPTORS; fd++) {
        assert_int_equal(open_with(DIR_FD, FILE_RIGHTS, 0, 0), 0);
        assert_int_equal(u32_at(OUT_AT), fd);
    }
    int opened = fake.calls[FAKE_open_at];
    assert_int_equal(open_with(DIR_FD, FILE_RIGHTS, 0, 0), ALC_OS_TOO_MANY_OPEN);
    assert_int_equal(CALL("sock_accept", LISTENER_FD, 0, OUT_AT), ALC_OS_TOO_MANY_OPEN);
    assert_int_equal(fake.calls[FAKE_open_at], opened);
    assert_int_equal(fake.calls[FAKE_accept], 0);
    /* The lowest free number is taken, also one of a standard stream. */
    assert_int_equal(CALL("fd_close", 100), 0);
    assert_int_equal(CALL("fd_close", 1), 0);
    assert_int_equal(open_with(DIR_FD, FILE_RIGHTS, 0, 0), 0);
    assert_int_equal(u32_at(OUT_AT), 1);
    assert_int_equal(open_with(DIR_FD, FILE_RIGHTS, 0, 0), 0);
    assert_int_equal(u32_at(OUT_AT), 100);
    /* At the end everything opened is closed, sockets and directories too. */
    fake.calls[FAKE_close] = 0;
    alc_wasi_fini(&wasi);
    assert_int_equal(fake.calls[FAKE_close], ALC_LIMIT_WASI_DESCRIPTORS - 2);
}

static void test_grants_have_limits(void **state)
{
    (void)state;
    static struct alc_wasi_socket many[ALC_LIMIT_WASI_DESCRIPTORS];
    struct alc_wasi_options options = program_options();
    options.sockets = many;
    options.sockets_count = ALC_LIMIT_WASI_DESCRIPTORS - 3 - options.preopens_count;
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_OK);
    assert_int_equal(CALL("fd_fdstat_get", ALC_LIMIT_WASI_DESCRIPTORS - 1, OUT_AT), 0);
    options = program_options();
    options.sockets = many;
    options.sockets_count = ALC_LIMIT_WASI_DESCRIPTORS - 3 - options.preopens_count + 1;
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_E_BAD_ARGUMENT);
    options = program_options();
    alc_arena_init(&arena, arena_bytes, 1024);
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_E_OUT_OF_MEMORY);
    alc_wasi_fini(&wasi); /* harmless */
}

/* Which handle a descriptor stands for, for those around the program. */
static void test_handles(void **state)
{
    (void)state;
    assert_int_equal(alc_wasi_find_handle(&wasi, DIR_FD), DIR_HANDLE);
    assert_int_equal(alc_wasi_find_handle(&wasi, 1), ALC_OS_STDOUT);
    assert_int_equal(alc_wasi_find_handle(&wasi, FIRST_FREE_FD), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL("fd_renumber", DIR_FD, 1), 0);
    assert_int_equal(alc_wasi_find_handle(&wasi, 1), DIR_HANDLE);
    assert_int_equal(alc_wasi_find_handle(&wasi, DIR_FD), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(alc_wasi_find_handle(&wasi, ALC_LIMIT_WASI_DESCRIPTORS - 1),
                     -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(alc_wasi_find_handle(&wasi, ALC_LIMIT_WASI_DESCRIPTORS),
                     -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(alc_wasi_find_handle(&wasi, UINT32_MAX), -ALC_OS_BAD_DESCRIPTOR);
}

static void test_rights_are_handed_down(void **state)
{
    (void)state;
    /* The preopened directory has all that directories can have, and hands down files' rights. */
    assert_true((rights_base(DIR_FD) & ALC_WASI_RIGHTS_FD_SEEK) == 0);
    assert_true((rights_base(DIR_FD) & ALC_WASI_RIGHTS_PATH_OPEN) != 0);
    assert_true((rights_inheriting(DIR_FD) & FILE_RIGHTS) == FILE_RIGHTS);
    /* A directory opened with little hands down little. */
    fake.stat.type = ALC_OS_TYPE_DIRECTORY;
    uint64_t base = ALC_WASI_RIGHTS_PATH_OPEN | ALC_WASI_RIGHTS_FD_SEEK;
    assert_int_equal(open_with(DIR_FD, base, ALC_WASI_RIGHTS_FD_READ, 0), 0);
    uint32_t directory = u32_at(OUT_AT);
    assert_true(rights_base(directory) == ALC_WASI_RIGHTS_PATH_OPEN); /* directories do not seek */
    assert_true(rights_inheriting(directory) == ALC_WASI_RIGHTS_FD_READ);
    fake.stat.type = ALC_OS_TYPE_REGULAR_FILE;
    int opened = fake.calls[FAKE_open_at];
    assert_int_equal(open_with(directory, ALC_WASI_RIGHTS_FD_WRITE, 0, 0), ALC_OS_NOT_CAPABLE);
    assert_int_equal(open_with(directory, 0, ALC_WASI_RIGHTS_FD_WRITE, 0), ALC_OS_NOT_CAPABLE);
    assert_int_equal(open_with(directory, 0, 0, ALC_WASI_OFLAGS_CREAT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(open_with(directory, 0, 0, ALC_WASI_OFLAGS_TRUNC), ALC_OS_NOT_CAPABLE);
    uint32_t size = put_text(PATH_AT, "file");
    assert_int_equal(
        CALL("path_open", directory, 0, PATH_AT, size, 0, 0, 0, ALC_WASI_FDFLAGS_SYNC, OUT_AT),
        ALC_OS_NOT_CAPABLE);
    assert_int_equal(fake.calls[FAKE_open_at], opened);
    assert_int_equal(open_with(directory, ALC_WASI_RIGHTS_FD_READ, 0, 0), 0);
    uint32_t file = u32_at(OUT_AT);
    assert_true(rights_base(file) == ALC_WASI_RIGHTS_FD_READ);
    assert_true(rights_inheriting(file) == 0);
}

static void test_rights_only_shrink(void **state)
{
    (void)state;
    assert_int_equal(open_with(DIR_FD, FILE_RIGHTS, 0, 0), 0);
    uint32_t file = u32_at(OUT_AT);
    put_span(PATH_AT, BUF_AT, 10);
    assert_int_equal(CALL("fd_fdstat_set_rights", file, ALC_WASI_RIGHTS_FD_READ, 0), 0);
    assert_int_equal(CALL("fd_write", file, PATH_AT, 1, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("fd_read", file, PATH_AT, 1, OUT_AT), 0);
    assert_int_equal(CALL("fd_pread", file, PATH_AT, 1, 0, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("fd_fdstat_set_rights", file, FILE_RIGHTS, 0), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("fd_fdstat_set_rights", file, 0, 1), ALC_OS_NOT_CAPABLE);
    assert_true(rights_base(file) == ALC_WASI_RIGHTS_FD_READ);
    /* Bits that do not exist are dropped, not refused. */
    assert_int_equal(CALL("fd_fdstat_set_rights", file, UINT64_C(1) << 63, 0), 0);
    assert_true(rights_base(file) == 0);
}

static void test_seek_and_tell(void **state)
{
    (void)state;
    assert_int_equal(open_with(DIR_FD, ALC_WASI_RIGHTS_FD_TELL, 0, 0), 0);
    uint32_t file = u32_at(OUT_AT);
    assert_int_equal(CALL("fd_tell", file, OUT_AT), 0);
    assert_int_equal(CALL("fd_seek", file, 0, ALC_WASI_WHENCE_CUR, OUT_AT), 0);
    assert_int_equal(CALL("fd_seek", file, 1, ALC_WASI_WHENCE_CUR, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("fd_seek", file, 0, ALC_WASI_WHENCE_SET, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(open_with(DIR_FD, ALC_WASI_RIGHTS_FD_SEEK, 0, 0), 0);
    file = u32_at(OUT_AT);
    assert_int_equal(CALL("fd_tell", file, OUT_AT), 0);
    fake.answers[FAKE_seek] = 1234;
    assert_int_equal(CALL("fd_seek", file, -5, ALC_WASI_WHENCE_END, OUT_AT), 0);
    assert_true((int64_t)fake.numbers[0] == -5 && fake.numbers[1] == ALC_OS_SEEK_END);
    assert_int_equal(u64_at(OUT_AT), 1234);
}

static void test_the_wrong_type_is_named(void **state)
{
    (void)state;
    put_span(PATH_AT, BUF_AT, 10);
    assert_int_equal(CALL("fd_read", DIR_FD, PATH_AT, 1, OUT_AT), ALC_OS_IS_DIRECTORY);
    assert_int_equal(CALL("sock_recv", DIR_FD, PATH_AT, 1, 0, OUT_AT, OUT_AT), ALC_OS_IS_DIRECTORY);
    assert_int_equal(CALL("sock_shutdown", DIR_FD, 1), ALC_OS_NOT_SOCKET);
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    put_text(PATH_AT, "x");
    assert_int_equal(CALL("path_unlink_file", file, PATH_AT, 1), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("fd_readdir", file, BUF_AT, 100, 0, OUT_AT), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("sock_accept", file, 0, OUT_AT), ALC_OS_NOT_SOCKET);
    put_span(PATH_AT, BUF_AT, 10);
    assert_int_equal(CALL("sock_recv", file, PATH_AT, 1, 0, OUT_AT, OUT_AT), ALC_OS_NOT_SOCKET);
    assert_int_equal(CALL("sock_send", file, PATH_AT, 1, 0, OUT_AT), ALC_OS_NOT_SOCKET);
    uint32_t device = open_file(ALC_OS_TYPE_CHARACTER_DEVICE);
    assert_int_equal(CALL("fd_seek", device, 1, 0, OUT_AT), ALC_OS_NO_SEEK);
    assert_int_equal(CALL("fd_seek", CONNECTION_FD, 1, 0, OUT_AT), ALC_OS_NO_SEEK);
    /* A type that does not exist is none that we know. */
    uint32_t odd = open_file(UINT64_MAX);
    assert_int_equal(CALL("fd_fdstat_get", odd, OUT_AT), 0);
    assert_int_equal(memory_bytes[OUT_AT], ALC_WASI_FILETYPE_UNKNOWN);
}

static void test_flags_are_translated(void **state)
{
    (void)state;
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    assert_int_equal(CALL("fd_fdstat_set_flags", file, ALC_WASI_FDFLAGS_ALL), 0);
    uint32_t all = ALC_OS_OPEN_APPEND | ALC_OS_OPEN_NONBLOCK | ALC_OS_OPEN_DSYNC |
                   ALC_OS_OPEN_SYNC | ALC_OS_OPEN_RSYNC;
    assert_int_equal(fake.numbers[0], all);
    assert_int_equal(CALL("fd_fdstat_set_flags", file, ALC_WASI_FDFLAGS_NONBLOCK), 0);
    assert_int_equal(fake.numbers[0], ALC_OS_OPEN_NONBLOCK);
    fake.answers[FAKE_get_flags] = ALC_OS_OPEN_APPEND | ALC_OS_OPEN_SYNC;
    assert_int_equal(CALL("fd_fdstat_get", file, OUT_AT), 0);
    assert_int_equal(alc_load_u16(memory_bytes + OUT_AT + 2),
                     ALC_WASI_FDFLAGS_APPEND | ALC_WASI_FDFLAGS_SYNC);
    fake.answers[FAKE_get_flags] = ALC_OS_OPEN_ALL + 1;
    assert_int_equal(CALL("fd_fdstat_get", file, OUT_AT), ALC_OS_IO);
}

static void test_renumber(void **state)
{
    (void)state;
    fake.answers[FAKE_open_at] = 50;
    uint32_t from = open_file(ALC_OS_TYPE_REGULAR_FILE);
    fake.answers[FAKE_open_at] = 51;
    uint32_t to = open_file(ALC_OS_TYPE_REGULAR_FILE);
    assert_int_equal(CALL("fd_renumber", to, to), 0);
    assert_int_equal(fake.calls[FAKE_close], 0);
    assert_int_equal(CALL("fd_renumber", from, to), 0);
    assert_int_equal(fake.handle, 51);
    assert_int_equal(fake.calls[FAKE_close], 1);
    assert_int_equal(CALL("fd_sync", to), 0);
    assert_int_equal(fake.handle, 50);
    assert_int_equal(CALL("fd_sync", from), ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL("fd_renumber", to, from), ALC_OS_BAD_DESCRIPTOR);
    /* A preopened directory keeps its name under another number. */
    assert_int_equal(CALL("fd_renumber", READ_ONLY_FD, to), 0);
    assert_int_equal(CALL("fd_prestat_get", to, OUT_AT), 0);
    assert_int_equal(u32_at(OUT_AT + 4), 6);
    assert_int_equal(CALL("fd_prestat_get", READ_ONLY_FD, OUT_AT), ALC_OS_BAD_DESCRIPTOR);
}

static void test_preopens(void **state)
{
    (void)state;
    assert_int_equal(CALL("fd_prestat_get", READ_ONLY_FD, OUT_AT), 0);
    assert_int_equal(memory_bytes[OUT_AT], ALC_WASI_PREOPENTYPE_DIR);
    assert_int_equal(CALL("fd_prestat_dir_name", READ_ONLY_FD, BUF_AT, 6), 0);
    assert_memory_equal(memory_bytes + BUF_AT, "/fixed", 7);
    assert_int_equal(CALL("fd_prestat_dir_name", READ_ONLY_FD, BUF_AT, 5), ALC_OS_NAME_TOO_LONG);
    assert_int_equal(CALL("fd_prestat_get", LISTENER_FD, OUT_AT), ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL("fd_prestat_dir_name", 0, BUF_AT, 9), ALC_OS_BAD_DESCRIPTOR);
    fake.stat.type = ALC_OS_TYPE_DIRECTORY;
    assert_int_equal(open_with(DIR_FD, 0, 0, 0), 0);
    assert_int_equal(CALL("fd_prestat_get", u32_at(OUT_AT), OUT_AT), ALC_OS_BAD_DESCRIPTOR);
}

static void test_standard_streams(void **state)
{
    (void)state;
    put_span(PATH_AT, BUF_AT, 10);
    assert_int_equal(CALL("fd_write", 0, PATH_AT, 1, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("fd_read", 1, PATH_AT, 1, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("fd_read", 0, PATH_AT, 1, OUT_AT), 0);
    assert_int_equal(CALL("fd_write", 2, PATH_AT, 1, OUT_AT), 0);
    assert_int_equal(CALL("fd_close", 2), 0);
    assert_int_equal(fake.calls[FAKE_close], 0); /* stays open beneath us */
    assert_int_equal(CALL("fd_write", 2, PATH_AT, 1, OUT_AT), ALC_OS_BAD_DESCRIPTOR);
    /* One that was closed before we started is closed for the program. */
    fake.answers[FAKE_stat] = -ALC_OS_BAD_DESCRIPTOR;
    struct alc_wasi_options options = program_options();
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_OK);
    assert_int_equal(CALL("fd_read", 0, PATH_AT, 1, OUT_AT), ALC_OS_BAD_DESCRIPTOR);
}

static void test_read_only_mounts(void **state)
{
    (void)state;
    uint32_t size = put_text(PATH_AT, "name");
    uint32_t fd = READ_ONLY_FD;
    assert_int_equal(CALL("path_create_directory", fd, PATH_AT, size), ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_remove_directory", fd, PATH_AT, size), ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_unlink_file", fd, PATH_AT, size), ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_symlink", PATH_AT, size, fd, PATH_AT, size), ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_rename", fd, PATH_AT, size, DIR_FD, PATH_AT, size),
                     ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_rename", DIR_FD, PATH_AT, size, fd, PATH_AT, size),
                     ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_link", DIR_FD, 0, PATH_AT, size, fd, PATH_AT, size),
                     ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_link", fd, 0, PATH_AT, size, DIR_FD, PATH_AT, size),
                     ALC_OS_READ_ONLY);
    assert_int_equal(CALL("path_filestat_set_times", fd, 0, PATH_AT, size, 0, 0, 2),
                     ALC_OS_READ_ONLY);
    assert_int_equal(open_with(fd, ALC_WASI_RIGHTS_FD_WRITE, 0, 0), ALC_OS_READ_ONLY);
    assert_int_equal(open_with(fd, 0, 0, ALC_WASI_OFLAGS_TRUNC), ALC_OS_READ_ONLY);
    assert_int_equal(fake.calls_count, 0);
    /* Creating what is there already is opening it. */
    assert_int_equal(open_with(fd, ALC_WASI_RIGHTS_FD_READ, 0, ALC_WASI_OFLAGS_CREAT), 0);
    assert_int_equal(open_with(fd, 0, 0, ALC_WASI_OFLAGS_CREAT | ALC_WASI_OFLAGS_EXCL),
                     ALC_OS_EXISTS);
    fake.answers[FAKE_stat_at] = -ALC_OS_NO_ENTRY;
    assert_int_equal(open_with(fd, 0, 0, ALC_WASI_OFLAGS_CREAT), ALC_OS_READ_ONLY);
    /* Compilers ask for rights to change things that they never use. */
    assert_int_equal(open_with(fd, ALC_WASI_RIGHTS_ALL & ~ALC_WASI_RIGHTS_FD_WRITE, 0, 0), 0);
    assert_int_equal(fake.calls[FAKE_open_at], 2);
    uint32_t file = u32_at(OUT_AT);
    fake.calls_count = 0;
    assert_int_equal(CALL("fd_filestat_set_size", file, 0), ALC_OS_READ_ONLY);
    assert_int_equal(CALL("fd_filestat_set_times", file, 0, 0, 2), ALC_OS_READ_ONLY);
    assert_int_equal(CALL("fd_allocate", file, 0, 1), ALC_OS_READ_ONLY);
    assert_int_equal(fake.calls_count, 0);
}

static void test_open_lies(void **state)
{
    (void)state;
    static const int64_t lies[] = {INT64_MAX, INT64_MIN, -77, (int64_t)INT32_MAX + 1, 0, 4, 7};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(lies); i++) {
        fake.answers[FAKE_open_at] = lies[i];
        fake.answers[FAKE_accept] = lies[i];
        assert_int_equal(open_with(DIR_FD, 0, 0, 0), ALC_OS_IO);
        assert_int_equal(CALL("sock_accept", LISTENER_FD, 0, OUT_AT), ALC_OS_IO);
    }
    fake.answers[FAKE_open_at] = 40;
    fake.answers[FAKE_stat] = -ALC_OS_IO;
    assert_int_equal(open_with(DIR_FD, 0, 0, 0), ALC_OS_IO);
    assert_int_equal(fake.calls[FAKE_close], 1); /* not leaked */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(test_the_table_has_a_limit),
        PROGRAM_TEST(test_grants_have_limits),
        PROGRAM_TEST(test_handles),
        PROGRAM_TEST(test_rights_are_handed_down),
        PROGRAM_TEST(test_rights_only_shrink),
        PROGRAM_TEST(test_seek_and_tell),
        PROGRAM_TEST(test_the_wrong_type_is_named),
        PROGRAM_TEST(test_flags_are_translated),
        PROGRAM_TEST(test_renumber),
        PROGRAM_TEST(test_preopens),
        PROGRAM_TEST(test_standard_streams),
        PROGRAM_TEST(test_read_only_mounts),
        PROGRAM_TEST(test_open_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
