/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths: which letters are refused before the system sees them, what trailing slashes mean, how the
 * flags of path_open arrive.
 */
#include "unit/wasi/fake_os.h"

static uint64_t create(const char *path)
{
    return CALL("path_create_directory", DIR_FD, PATH_AT, put_text(PATH_AT, path));
}

static void test_letters(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint64_t error;
    } cases[] = {
        {"", ALC_OS_NO_ENTRY},
        {"/", ALC_OS_NOT_CAPABLE},
        {"/etc/passwd", ALC_OS_NOT_CAPABLE},
        {"..", ALC_OS_NOT_CAPABLE},
        {"../x", ALC_OS_NOT_CAPABLE},
        {"a/../..", ALC_OS_NOT_CAPABLE},
        {"a/../../a", ALC_OS_NOT_CAPABLE},
        {"./../a", ALC_OS_NOT_CAPABLE},
        {"a//..//../b", ALC_OS_NOT_CAPABLE},
        {"a/./../../b", ALC_OS_NOT_CAPABLE},
        {"a/..", 0},
        {"a/b/../../c", 0},
        {"...", 0},
        {"..a", 0},
        {".", 0},
        {"a..", 0},
        {"\xc3\xa9t\xc3\xa9", 0},
        {"\xff", ALC_OS_ILLEGAL_SEQUENCE},
        {"a\xc3", ALC_OS_ILLEGAL_SEQUENCE},
        {"\xc0\xae\xc0\xae/x", ALC_OS_ILLEGAL_SEQUENCE}, /* overlong dots */
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        fake.calls_count = 0;
        uint64_t error = create(cases[i].path);
        if (error != cases[i].error || fake.calls_count != (cases[i].error == 0)) {
            fail_msg("\"%s\": %d", cases[i].path, (int)error);
        }
    }
    /* A NUL would end the path early below us. */
    memcpy(memory_bytes + PATH_AT, "a\0b", 3);
    fake.calls_count = 0;
    assert_int_equal(CALL("path_create_directory", DIR_FD, PATH_AT, 3), ALC_OS_INVALID);
    assert_int_equal(CALL("path_create_directory", DIR_FD, PATH_AT, 2), ALC_OS_INVALID);
    assert_int_equal(fake.calls_count, 0);
}

static void test_every_path_is_judged(void **state)
{
    (void)state;
    uint32_t good = put_text(PATH_AT, "good");
    uint32_t bad = put_text(OTHER_PATH_AT, "../bad");
    const uint64_t g = PATH_AT;
    const uint64_t b = OTHER_PATH_AT;
    uint64_t d = DIR_FD;
    assert_int_equal(CALL("path_filestat_get", d, 0, b, bad, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_filestat_set_times", d, 0, b, bad, 0, 0, 0), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_link", d, 0, b, bad, d, g, good), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_link", d, 0, g, good, d, b, bad), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_open", d, 0, b, bad, 0, 0, 0, 0, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_readlink", d, b, bad, BUF_AT, 9, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_remove_directory", d, b, bad), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_rename", d, b, bad, d, g, good), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_rename", d, g, good, d, b, bad), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_symlink", g, good, d, b, bad), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_unlink_file", d, b, bad), ALC_OS_NOT_CAPABLE);
    assert_int_equal(fake.calls_count, 0);
    /* What a link says is judged when it is followed, unless it is absolute or nothing. */
    assert_int_equal(CALL("path_symlink", b, bad, d, g, good), 0);
    assert_string_equal(fake.other_path, "../bad");
    memory_bytes[OTHER_PATH_AT] = '/';
    assert_int_equal(CALL("path_symlink", b, bad, d, g, good), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("path_symlink", b, 0, d, g, good), ALC_OS_NO_ENTRY);
}

static void test_length(void **state)
{
    (void)state;
    memset(memory_bytes + BUF_AT, 'a', ALC_LIMIT_WASI_PATH_SIZE + 1);
    assert_int_equal(CALL("path_unlink_file", DIR_FD, BUF_AT, ALC_LIMIT_WASI_PATH_SIZE), 0);
    assert_int_equal(strlen(fake.path), ALC_LIMIT_WASI_PATH_SIZE);
    assert_int_equal(CALL("path_unlink_file", DIR_FD, BUF_AT, ALC_LIMIT_WASI_PATH_SIZE + 1),
                     ALC_OS_NAME_TOO_LONG);
    assert_int_equal(CALL("path_unlink_file", DIR_FD, BUF_AT, UINT32_MAX), ALC_OS_NAME_TOO_LONG);
}

static void test_trailing_slashes(void **state)
{
    (void)state;
    uint32_t size = put_text(PATH_AT, "name//");
    uint64_t d = DIR_FD;
    /* A file is not a directory, whatever is done with it. */
    fake.stat.type = ALC_OS_TYPE_REGULAR_FILE;
    assert_int_equal(CALL("path_unlink_file", d, PATH_AT, size), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_filestat_get", d, 0, PATH_AT, size, OUT_AT), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_filestat_set_times", d, 0, PATH_AT, size, 0, 0, 0),
                     ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_rename", d, PATH_AT, size, d, PATH_AT, 4), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_rename", d, PATH_AT, 4, d, PATH_AT, size), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_link", d, 0, PATH_AT, size, d, PATH_AT, 4), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_link", d, 0, PATH_AT, 4, d, PATH_AT, size), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_symlink", PATH_AT, 4, d, PATH_AT, size), ALC_OS_NOT_DIRECTORY);
    assert_int_equal(CALL("path_readlink", d, PATH_AT, size, BUF_AT, 9, OUT_AT),
                     ALC_OS_NOT_DIRECTORY);
    /* A directory is one; links before the slash are followed. */
    fake.stat.type = ALC_OS_TYPE_DIRECTORY;
    assert_int_equal(CALL("path_unlink_file", d, PATH_AT, size), ALC_OS_IS_DIRECTORY);
    assert_int_equal(CALL("path_filestat_get", d, 0, PATH_AT, size, OUT_AT), 0);
    assert_int_equal(fake.numbers[0], 1);
    assert_int_equal(CALL("path_filestat_set_times", d, 0, PATH_AT, size, 0, 0, 2), 0);
    assert_int_equal(fake.numbers[0], 1);
    assert_int_equal(CALL("path_rename", d, PATH_AT, size, d, PATH_AT, size), 0);
    assert_string_equal(fake.path, "name");
    assert_string_equal(fake.other_path, "name");
    assert_int_equal(CALL("path_link", d, 0, PATH_AT, size, d, PATH_AT, 4), ALC_OS_NOT_PERMITTED);
    assert_int_equal(CALL("path_link", d, 0, PATH_AT, 4, d, PATH_AT, size), ALC_OS_EXISTS);
    assert_int_equal(CALL("path_symlink", PATH_AT, 4, d, PATH_AT, size), ALC_OS_EXISTS);
    assert_int_equal(CALL("path_readlink", d, PATH_AT, size, BUF_AT, 9, OUT_AT), ALC_OS_INVALID);
    assert_int_equal(CALL("path_create_directory", d, PATH_AT, size), 0);
    assert_string_equal(fake.path, "name");
    assert_int_equal(CALL("path_remove_directory", d, PATH_AT, size), 0);
    assert_string_equal(fake.path, "name");
    assert_int_equal(CALL("path_open", d, 0, PATH_AT, size, 0, 0, 0, 0, OUT_AT), 0);
    assert_int_equal(fake.calls[FAKE_unlink_at] + fake.calls[FAKE_link_at], 0);
    assert_int_equal(CALL("path_open", d, 0, PATH_AT, size, ALC_WASI_OFLAGS_CREAT, 0, 0, 0, OUT_AT),
                     ALC_OS_IS_DIRECTORY);
}

static int64_t open_noting_flags(void *context, int32_t dir, const uint8_t *path, size_t size,
                                 uint32_t flags)
{
    (void)fake_open_at(context, dir, path, size, flags);
    fake.numbers[3] = flags;
    return OPENED_HANDLE;
}

static void test_open_flags(void **state)
{
    (void)state;
    struct alc_os_operations operations = fake_operations;
    operations.open_at = open_noting_flags;
    const struct alc_os noting = {.operations = &operations};
    const uint64_t read = ALC_WASI_RIGHTS_FD_READ;
    const uint64_t write = ALC_WASI_RIGHTS_FD_WRITE;
    static const uint64_t size_rights =
        ALC_WASI_RIGHTS_FD_FILESTAT_SET_SIZE | ALC_WASI_RIGHTS_FD_ALLOCATE;
    const struct {
        uint64_t lookup, open_flags, rights, fd_flags, expected;
        const char *path;
    } cases[] = {
        {0, 0, 0, 0, ALC_OS_OPEN_READ, "x"},
        {1, 0, read, 0, ALC_OS_OPEN_READ | ALC_OS_OPEN_FOLLOW, "x"},
        {0, 0, write, 0, ALC_OS_OPEN_WRITE, "x"},
        {0, 0, read | write, 0, ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE, "x"},
        {0, 0, read | size_rights, 0, ALC_OS_OPEN_READ, "x"},
        {0, 0, size_rights, 0, ALC_OS_OPEN_WRITE, "x"},
        {0, ALC_WASI_OFLAGS_TRUNC, read, 0,
         ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_TRUNCATE, "x"},
        {0, ALC_WASI_OFLAGS_CREAT | ALC_WASI_OFLAGS_EXCL, write, ALC_WASI_FDFLAGS_APPEND,
         ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE | ALC_OS_OPEN_APPEND, "x"},
        {0, ALC_WASI_OFLAGS_DIRECTORY, read, 0, ALC_OS_OPEN_READ | ALC_OS_OPEN_DIRECTORY, "x"},
        {0, 0, 0, ALC_WASI_FDFLAGS_NONBLOCK | ALC_WASI_FDFLAGS_DSYNC,
         ALC_OS_OPEN_READ | ALC_OS_OPEN_NONBLOCK | ALC_OS_OPEN_DSYNC, "x"},
        {0, 0, 0, 0, ALC_OS_OPEN_READ | ALC_OS_OPEN_DIRECTORY | ALC_OS_OPEN_FOLLOW, "x/"},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        struct alc_wasi_options options = program_options();
        options.os = &noting;
        assert_int_equal(alc_wasi_init(&wasi, &options), ALC_OK);
        uint32_t size = put_text(PATH_AT, cases[i].path);
        assert_int_equal(CALL("path_open", DIR_FD, cases[i].lookup, PATH_AT, size,
                              cases[i].open_flags, cases[i].rights, 0, cases[i].fd_flags, OUT_AT),
                         0);
        if (fake.numbers[3] != cases[i].expected) {
            fail_msg("case %d: flags %x", (int)i, (unsigned)fake.numbers[3]);
        }
        assert_string_equal(fake.path, "x");
    }
}

static void test_impossible_opens(void **state)
{
    (void)state;
    uint32_t size = put_text(PATH_AT, "x");
    static const struct {
        uint64_t open_flags, rights, error;
    } cases[] = {
        {ALC_WASI_OFLAGS_DIRECTORY | ALC_WASI_OFLAGS_CREAT, 0, ALC_OS_INVALID},
        {ALC_WASI_OFLAGS_DIRECTORY | ALC_WASI_OFLAGS_TRUNC, 0, ALC_OS_IS_DIRECTORY},
        {ALC_WASI_OFLAGS_DIRECTORY, ALC_WASI_RIGHTS_FD_WRITE, ALC_OS_IS_DIRECTORY},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        assert_int_equal(CALL("path_open", DIR_FD, 0, PATH_AT, size, cases[i].open_flags,
                              cases[i].rights, 0, 0, OUT_AT),
                         cases[i].error);
    }
    assert_int_equal(fake.calls[FAKE_open_at], 0);
    /* A link is linked itself. */
    assert_int_equal(CALL("path_link", DIR_FD, 1, PATH_AT, size, DIR_FD, PATH_AT, size),
                     ALC_OS_INVALID);
}

static void test_readlink_lies(void **state)
{
    (void)state;
    uint32_t size = put_text(PATH_AT, "x");
    fake.answers[FAKE_readlink_at] = 6;
    assert_int_equal(CALL("path_readlink", DIR_FD, PATH_AT, size, BUF_AT, 6, OUT_AT), 0);
    assert_int_equal(u32_at(OUT_AT), 6);
    fake.answers[FAKE_readlink_at] = 7;
    assert_int_equal(CALL("path_readlink", DIR_FD, PATH_AT, size, BUF_AT, 6, OUT_AT), ALC_OS_IO);
    assert_int_equal(u32_at(OUT_AT), 6); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(test_letters),       PROGRAM_TEST(test_every_path_is_judged),
        PROGRAM_TEST(test_length),        PROGRAM_TEST(test_trailing_slashes),
        PROGRAM_TEST(test_open_flags),    PROGRAM_TEST(test_impossible_opens),
        PROGRAM_TEST(test_readlink_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
