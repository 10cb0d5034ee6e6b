/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing: vectors and their limit, offsets, counts that the host made up, sockets,
 * attributes. And what a program starts with: arguments, environment, clocks, its end.
 */
#include "unit/wasi/fake_os.h"

static void test_vectors_arrive(void **state)
{
    (void)state;
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    put_span(PATH_AT, BUF_AT, 10);
    put_span(PATH_AT + 8, MEMORY_SIZE, 0);
    put_span(PATH_AT + 16, MEMORY_SIZE - 5, 5);
    fake.answers[FAKE_read] = 15;
    assert_int_equal(CALL("fd_read", file, PATH_AT, 3, OUT_AT), 0);
    assert_int_equal(u32_at(OUT_AT), 15);
    assert_int_equal(fake.handle, OPENED_HANDLE);
    assert_int_equal(fake.spans_count, 3);
    assert_ptr_equal(fake.spans[0].bytes, memory_bytes + BUF_AT);
    assert_int_equal(fake.spans[2].size, 5);
    /* A copy: what the program changes meanwhile changes nothing. */
    put_span(PATH_AT, 0, 99);
    assert_int_equal(fake.spans[0].size, 10);
    put_span(PATH_AT + 16, MEMORY_SIZE - 5, 6);
    assert_int_equal(CALL("fd_read", file, PATH_AT, 3, OUT_AT), ALC_OS_FAULT);
    assert_int_equal(CALL("fd_read", file, PATH_AT, 0, OUT_AT), ALC_OS_IO); /* 15 of 0 bytes */
}

static void test_vectors_have_a_limit(void **state)
{
    (void)state;
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    for (uint32_t i = 0; i <= ALC_LIMIT_WASI_IOVECS; i++) {
        put_span(BUF_AT + 8 * i, 0, 1);
    }
    assert_int_equal(CALL("fd_write", file, BUF_AT, ALC_LIMIT_WASI_IOVECS, OUT_AT), 0);
    assert_int_equal(fake.spans_count, ALC_LIMIT_WASI_IOVECS);
    assert_int_equal(CALL("fd_write", file, BUF_AT, ALC_LIMIT_WASI_IOVECS + 1, OUT_AT),
                     ALC_OS_INVALID);
    assert_int_equal(CALL("fd_write", file, BUF_AT, UINT32_MAX, OUT_AT), ALC_OS_INVALID);
    assert_int_equal(fake.calls[FAKE_write], 1);
}

static void test_counts_that_lie(void **state)
{
    (void)state;
    static const int64_t lies[] = {33, INT64_MAX, INT64_MIN, -77, -4096};
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    put_span(PATH_AT, BUF_AT, 32);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(lies); i++) {
        fake.answers[FAKE_read] = fake.answers[FAKE_write] = lies[i];
        fake.answers[FAKE_read_at] = fake.answers[FAKE_write_at] = lies[i];
        fake.answers[FAKE_recv] = fake.answers[FAKE_send] = lies[i];
        alc_store_u32(memory_bytes + OUT_AT, 4711);
        assert_int_equal(CALL("fd_read", file, PATH_AT, 1, OUT_AT), ALC_OS_IO);
        assert_int_equal(CALL("fd_write", file, PATH_AT, 1, OUT_AT), ALC_OS_IO);
        assert_int_equal(CALL("fd_pread", file, PATH_AT, 1, 0, OUT_AT), ALC_OS_IO);
        assert_int_equal(CALL("fd_pwrite", file, PATH_AT, 1, 0, OUT_AT), ALC_OS_IO);
        assert_int_equal(CALL("sock_recv", CONNECTION_FD, PATH_AT, 1, 0, OUT_AT, OUT_AT + 8),
                         ALC_OS_IO);
        assert_int_equal(CALL("sock_send", CONNECTION_FD, PATH_AT, 1, 0, OUT_AT), ALC_OS_IO);
        assert_int_equal(u32_at(OUT_AT), 4711);
    }
    fake.answers[FAKE_read] = -ALC_OS_AGAIN;
    assert_int_equal(CALL("fd_read", file, PATH_AT, 1, OUT_AT), ALC_OS_AGAIN);
    fake.answers[FAKE_seek] = -ALC_OS_NOT_CAPABLE; /* the last number there is */
    assert_int_equal(CALL("fd_tell", file, OUT_AT), ALC_OS_NOT_CAPABLE);
}

static void test_offsets(void **state)
{
    (void)state;
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    put_span(PATH_AT, BUF_AT, 32);
    const uint64_t last = INT64_MAX;
    assert_int_equal(CALL("fd_pread", file, PATH_AT, 1, last, OUT_AT), 0);
    assert_true(fake.numbers[0] == last);
    assert_int_equal(CALL("fd_pread", file, PATH_AT, 1, last + 1, OUT_AT), ALC_OS_INVALID);
    assert_int_equal(CALL("fd_pwrite", file, PATH_AT, 1, last, OUT_AT), 0);
    assert_int_equal(CALL("fd_pwrite", file, PATH_AT, 1, UINT64_MAX, OUT_AT), ALC_OS_INVALID);
    assert_int_equal(CALL("fd_allocate", file, last - 1, 1), 0);
    assert_int_equal(CALL("fd_allocate", file, last, 1), ALC_OS_INVALID);
    assert_int_equal(CALL("fd_allocate", file, 5, 0), ALC_OS_INVALID);
    assert_int_equal(CALL("fd_advise", file, UINT64_MAX, UINT64_MAX, 0), ALC_OS_INVALID);
    assert_int_equal(CALL("fd_advise", file, 0, 0, 5), 0);
    assert_int_equal(CALL("fd_filestat_set_size", file, last), 0);
    assert_int_equal(CALL("fd_filestat_set_size", file, last + 1), ALC_OS_INVALID);
    assert_int_equal(CALL("fd_datasync", file), 0);
    assert_int_equal(fake.numbers[0], 1);
    assert_int_equal(CALL("fd_sync", file), 0);
    assert_int_equal(fake.numbers[0], 0);
}

static void test_attributes(void **state)
{
    (void)state;
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    fake.stat = (struct alc_os_stat){1, 2, ALC_OS_TYPE_DIRECTORY, 4, 5, 6, 7, 8};
    memset(memory_bytes + OUT_AT, 0xee, 80);
    assert_int_equal(CALL("fd_filestat_get", file, OUT_AT), 0);
    static const uint64_t expected[] = {1, 2, ALC_WASI_FILETYPE_REGULAR_FILE, 4, 5, 6, 7, 8};
    assert_memory_equal(memory_bytes + OUT_AT, expected, 64); /* the type of when it was opened */
    assert_int_equal(memory_bytes[OUT_AT + 64], 0xee);
    uint32_t size = put_text(PATH_AT, "x");
    fake.stat.type = 1 << 20;
    assert_int_equal(CALL("path_filestat_get", DIR_FD, 0, PATH_AT, size, OUT_AT), 0);
    assert_int_equal(u64_at(OUT_AT + 16), ALC_WASI_FILETYPE_UNKNOWN);
    assert_int_equal(CALL("fd_filestat_set_times", file, 100, 200, 9), 0);
    assert_true(fake.numbers[0] == 100 && fake.numbers[1] == 200 && fake.numbers[2] == 9);
    assert_int_equal(CALL("path_filestat_set_times", DIR_FD, 1, PATH_AT, size, 1, 2, 6), 0);
    assert_true(fake.numbers[0] == 1 && fake.numbers[2] == 6);
    fake.answers[FAKE_stat] = -ALC_OS_IO;
    memset(memory_bytes + OUT_AT, 0xee, 64);
    assert_int_equal(CALL("fd_filestat_get", file, OUT_AT), ALC_OS_IO);
    assert_int_equal(memory_bytes[OUT_AT], 0xee); /* results only of what succeeded */
}

static void test_sockets(void **state)
{
    (void)state;
    assert_int_equal(CALL("sock_accept", LISTENER_FD, ALC_WASI_FDFLAGS_NONBLOCK, OUT_AT), 0);
    assert_int_equal(u32_at(OUT_AT), FIRST_FREE_FD);
    assert_int_equal(fake.numbers[0], ALC_OS_OPEN_NONBLOCK);
    assert_int_equal(CALL("sock_accept", CONNECTION_FD, 0, OUT_AT), ALC_OS_NOT_CAPABLE);
    assert_int_equal(CALL("sock_accept", FIRST_FREE_FD, 0, OUT_AT), ALC_OS_NOT_CAPABLE);
    put_span(PATH_AT, BUF_AT, 32);
    fake.answers[FAKE_recv] = 32;
    fake.recv_flags = ALC_OS_RECV_TRUNCATED | 0xfff0;
    assert_int_equal(CALL("sock_recv", FIRST_FREE_FD, PATH_AT, 1, 3, OUT_AT, OUT_AT + 4), 0);
    assert_int_equal(fake.numbers[0], ALC_OS_RECV_PEEK | ALC_OS_RECV_WAITALL);
    assert_int_equal(u32_at(OUT_AT), 32);
    assert_int_equal(u32_at(OUT_AT + 4), ALC_WASI_ROFLAGS_RECV_DATA_TRUNCATED);
    fake.answers[FAKE_send] = 5;
    assert_int_equal(CALL("sock_send", FIRST_FREE_FD, PATH_AT, 1, 0, OUT_AT), 0);
    assert_int_equal(u32_at(OUT_AT), 5);
    assert_int_equal(CALL("sock_shutdown", FIRST_FREE_FD, 2), 0);
    assert_int_equal(fake.numbers[0], ALC_OS_SHUTDOWN_WRITE);
    /* Reading and writing work, too. */
    assert_int_equal(CALL("fd_read", FIRST_FREE_FD, PATH_AT, 1, OUT_AT), 0);
    assert_int_equal(CALL("fd_fdstat_get", FIRST_FREE_FD, OUT_AT), 0);
    assert_int_equal(memory_bytes[OUT_AT], ALC_WASI_FILETYPE_SOCKET_STREAM);
}

static void test_arguments(void **state)
{
    (void)state;
    assert_int_equal(CALL("args_sizes_get", OUT_AT, OUT_AT + 4), 0);
    assert_int_equal(u32_at(OUT_AT), 3);
    assert_int_equal(u32_at(OUT_AT + 4), 13);
    memset(memory_bytes + BUF_AT, 0xee, 20);
    assert_int_equal(CALL("args_get", OUT_AT, BUF_AT), 0);
    assert_memory_equal(memory_bytes + BUF_AT, "program\0\0x y\0\xee", 14);
    assert_int_equal(u32_at(OUT_AT), BUF_AT);
    assert_int_equal(u32_at(OUT_AT + 4), BUF_AT + 8);
    assert_int_equal(u32_at(OUT_AT + 8), BUF_AT + 9);
    assert_int_equal(CALL("environ_sizes_get", OUT_AT, OUT_AT + 4), 0);
    assert_int_equal(u32_at(OUT_AT), 1);
    assert_int_equal(CALL("environ_get", OUT_AT, BUF_AT), 0);
    assert_string_equal((char *)memory_bytes + BUF_AT, "A=1");
    /* The texts must fit to the last NUL. */
    assert_int_equal(CALL("args_get", OUT_AT, MEMORY_SIZE - 13), 0);
    assert_int_equal(CALL("args_get", OUT_AT, MEMORY_SIZE - 12), ALC_OS_FAULT);
    assert_int_equal(CALL("args_get", MEMORY_SIZE - 11, BUF_AT), ALC_OS_FAULT);
}

static void test_arguments_have_a_limit(void **state)
{
    (void)state;
    static char text[ALC_LIMIT_WASI_ARGUMENTS_SIZE];
    memset(text, 'a', sizeof text);
    struct alc_wasi_text texts[] = {{text, 5}, {text, ALC_LIMIT_WASI_ARGUMENTS_SIZE - 7}};
    struct alc_wasi_options options = program_options();
    options.arguments = texts;
    options.arguments_count = 2;
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_OK);
    texts[1].size++;
    options = program_options();
    options.environment = texts;
    options.environment_count = 2;
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_E_BAD_ARGUMENT);
    texts[1].size = SIZE_MAX;
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_E_BAD_ARGUMENT);
    texts[1] = (struct alc_wasi_text){"a\0b", 3};
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_E_BAD_ARGUMENT);
}

static void test_clocks(void **state)
{
    (void)state;
    for (uint64_t id = 0; id < 4; id++) {
        fake.times_ns[id] = 1000 + (int64_t)id;
        assert_int_equal(CALL("clock_time_get", id, 0, OUT_AT), 0);
        assert_int_equal(u64_at(OUT_AT), 1000 + id);
        fake.times_ns[id] = 10; /* turned back */
        assert_int_equal(CALL("clock_time_get", id, 0, OUT_AT), 0);
        assert_int_equal(u64_at(OUT_AT), 1000 + id);
        fake.times_ns[id] = -1; /* an error number, not a time */
        assert_int_equal(CALL("clock_time_get", id, 0, OUT_AT), ALC_OS_TOO_BIG);
        fake.times_ns[id] = INT64_MIN;
        assert_int_equal(CALL("clock_time_get", id, 0, OUT_AT), ALC_OS_IO);
    }
    fake.answers[FAKE_clock_read] = 55;
    assert_int_equal(CALL("clock_res_get", 0, OUT_AT), 0);
    assert_int_equal(u64_at(OUT_AT), 55);
    fake.answers[FAKE_clock_read] = 0; /* no clock is that fine */
    assert_int_equal(CALL("clock_res_get", 0, OUT_AT), ALC_OS_IO);
    fake.answers[FAKE_clock_read] = -ALC_OS_NOT_SUPPORTED;
    assert_int_equal(CALL("clock_res_get", 0, OUT_AT), ALC_OS_NOT_SUPPORTED);
}

static void test_random(void **state)
{
    (void)state;
    assert_int_equal(CALL("random_get", BUF_AT, 3), 0);
    assert_memory_equal(memory_bytes + BUF_AT, "ZZZ\0", 4);
    fake.answers[FAKE_random] = -ALC_OS_IO;
    assert_int_equal(CALL("random_get", BUF_AT, 3), ALC_OS_IO);
    assert_int_equal(CALL("random_get", 0, MEMORY_SIZE + 1), ALC_OS_FAULT);
}

static alc_status end_with(const char *name, uint64_t value)
{
    uint64_t result = 0;
    alc_status status = call_status(name, &value, 1, &result);
    assert_true(status != ALC_OK || strcmp(name, "proc_raise") == 0);
    return status == ALC_OK ? (alc_status)result : status;
}

static void test_ends(void **state)
{
    (void)state;
    assert_int_equal(end_with("proc_exit", 7), ALC_E_EXIT);
    assert_int_equal(alc_wasi_exit_code(&wasi), 7);
    assert_int_equal(end_with("proc_exit", UINT32_MAX), ALC_E_EXIT);
    assert_int_equal(alc_wasi_exit_code(&wasi), UINT32_MAX);
    assert_int_equal(end_with("proc_raise", ALC_WASI_SIGNAL_ABRT), ALC_E_RAISED_SIGNAL);
    assert_int_equal(alc_wasi_exit_code(&wasi), 134);
    assert_int_equal(end_with("proc_raise", ALC_WASI_SIGNAL_TERM), ALC_E_RAISED_SIGNAL);
    assert_int_equal(alc_wasi_exit_code(&wasi), 143);
    assert_int_equal(end_with("proc_raise", ALC_WASI_SIGNAL_NONE), 0);
    assert_int_equal(end_with("proc_raise", ALC_WASI_SIGNAL_WINCH), 0);
    assert_int_equal(end_with("proc_raise", ALC_WASI_SIGNAL_TSTP), ALC_OS_NOT_SUPPORTED);
    assert_int_equal(end_with("proc_raise", ALC_WASI_SIGNAL_SYS), ALC_E_RAISED_SIGNAL);
    assert_int_equal(alc_wasi_exit_code(&wasi), 158);
}

static void test_scratch_runs_out(void **state)
{
    (void)state;
    uint32_t size = put_text(PATH_AT, "name");
    alc_arena_init(&scratch, scratch_bytes, 0);
    assert_int_equal(CALL("path_unlink_file", DIR_FD, PATH_AT, size), ALC_OS_NO_MEMORY);
    assert_int_equal(CALL("fd_readdir", DIR_FD, BUF_AT, 100, 0, OUT_AT), ALC_OS_NO_MEMORY);
    assert_int_equal(CALL("fd_write", 1, BUF_AT, 1, OUT_AT), ALC_OS_NO_MEMORY);
    assert_int_equal(fake.calls_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(test_vectors_arrive),
        PROGRAM_TEST(test_vectors_have_a_limit),
        PROGRAM_TEST(test_counts_that_lie),
        PROGRAM_TEST(test_offsets),
        PROGRAM_TEST(test_attributes),
        PROGRAM_TEST(test_sockets),
        PROGRAM_TEST(test_arguments),
        PROGRAM_TEST(test_arguments_have_a_limit),
        PROGRAM_TEST(test_clocks),
        PROGRAM_TEST(test_random),
        PROGRAM_TEST(test_ends),
        PROGRAM_TEST(test_scratch_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
