/* SPDX-License-Identifier: Apache-2.0
 *
 * All 46 functions through their thunks: each with good arguments, then with each of its pointers
 * bad, with a bad descriptor, with no rights. Nothing bad may reach the system.
 */
#include "unit/wasi/fake_os.h"

/* One row per function: good arguments, `p` a pointer, `f` a descriptor, `.` anything else. */
static const struct row {
    const char *name;
    const char *kinds;
    uint64_t values[9];
    enum primitive primitive; /* what it must come to; PRIMITIVES_COUNT: nothing */
} rows[] = {
    {"args_get", "pp", {OUT_AT, BUF_AT}, PRIMITIVES_COUNT},
    {"args_sizes_get", "pp", {OUT_AT, BUF_AT}, PRIMITIVES_COUNT},
    {"environ_get", "pp", {OUT_AT, BUF_AT}, PRIMITIVES_COUNT},
    {"environ_sizes_get", "pp", {OUT_AT, BUF_AT}, PRIMITIVES_COUNT},
    {"clock_res_get", ".p", {1, OUT_AT}, FAKE_clock_read},
    {"clock_time_get", "..p", {1, 0, OUT_AT}, FAKE_clock_read},
    {"fd_advise", "f...", {7, 0, 10, 1}, FAKE_advise},
    {"fd_allocate", "f..", {7, 0, 10}, FAKE_allocate},
    {"fd_close", "f", {7}, FAKE_close},
    {"fd_datasync", "f", {7}, FAKE_sync},
    {"fd_fdstat_get", "fp", {7, OUT_AT}, FAKE_get_flags},
    {"fd_fdstat_set_flags", "f.", {7, 1}, FAKE_set_flags},
    {"fd_fdstat_set_rights", "f..", {7, 0, 0}, PRIMITIVES_COUNT},
    {"fd_filestat_get", "fp", {7, OUT_AT}, FAKE_stat},
    {"fd_filestat_set_size", "f.", {7, 9}, FAKE_set_size},
    {"fd_filestat_set_times", "f...", {7, 1, 2, 5}, FAKE_set_times},
    {"fd_pread", "fp..p", {7, PATH_AT, 1, 5, OUT_AT}, FAKE_read_at},
    {"fd_prestat_get", "fp", {DIR_FD, OUT_AT}, PRIMITIVES_COUNT},
    {"fd_prestat_dir_name", "fp.", {DIR_FD, OUT_AT, 10}, PRIMITIVES_COUNT},
    {"fd_pwrite", "fp..p", {7, PATH_AT, 1, 5, OUT_AT}, FAKE_write_at},
    {"fd_read", "fp.p", {7, PATH_AT, 1, OUT_AT}, FAKE_read},
    {"fd_readdir", "fp..p", {DIR_FD, BUF_AT, 100, 0, OUT_AT}, FAKE_read_directory},
    {"fd_renumber", "ff", {7, 8}, FAKE_close},
    {"fd_seek", "f..p", {7, 3, 0, OUT_AT}, FAKE_seek},
    {"fd_sync", "f", {7}, FAKE_sync},
    {"fd_tell", "fp", {7, OUT_AT}, FAKE_seek},
    {"fd_write", "fp.p", {7, PATH_AT, 1, OUT_AT}, FAKE_write},
    {"path_create_directory", "fp.", {DIR_FD, PATH_AT, 4}, FAKE_create_directory_at},
    {"path_filestat_get", "f.p.p", {DIR_FD, 1, PATH_AT, 4, OUT_AT}, FAKE_stat_at},
    {"path_filestat_set_times", "f.p....", {DIR_FD, 1, PATH_AT, 4, 1, 2, 5}, FAKE_set_times_at},
    {"path_link", "f.p.fp.", {DIR_FD, 0, PATH_AT, 4, DIR_FD, OTHER_PATH_AT, 5}, FAKE_link_at},
    {"path_open", "f.p.....p", {DIR_FD, 1, PATH_AT, 4, 0, 2, 0, 0, OUT_AT}, FAKE_open_at},
    {"path_readlink", "fp.p.p", {DIR_FD, PATH_AT, 4, BUF_AT, 10, OUT_AT}, FAKE_readlink_at},
    {"path_remove_directory", "fp.", {DIR_FD, PATH_AT, 4}, FAKE_remove_directory_at},
    {"path_rename", "fp.fp.", {DIR_FD, PATH_AT, 4, DIR_FD, OTHER_PATH_AT, 5}, FAKE_rename_at},
    {"path_symlink", "p.fp.", {PATH_AT, 4, DIR_FD, OTHER_PATH_AT, 5}, FAKE_symlink_at},
    {"path_unlink_file", "fp.", {DIR_FD, PATH_AT, 4}, FAKE_unlink_at},
    {"poll_oneoff", "pp.p", {0x2000, BUF_AT, 1, OUT_AT}, FAKE_poll},
    {"proc_exit", ".", {3}, PRIMITIVES_COUNT},
    {"proc_raise", ".", {0}, PRIMITIVES_COUNT},
    {"sched_yield", "", {0}, FAKE_yield},
    {"random_get", "p.", {BUF_AT, 16}, FAKE_random},
    {"sock_accept", "f.p", {LISTENER_FD, 0, OUT_AT}, FAKE_accept},
    {"sock_recv", "fp..pp", {CONNECTION_FD, PATH_AT, 1, 1, OUT_AT, OUT_AT + 8}, FAKE_recv},
    {"sock_send", "fp..p", {CONNECTION_FD, PATH_AT, 1, 0, OUT_AT}, FAKE_send},
    {"sock_shutdown", "f.", {CONNECTION_FD, 3}, FAKE_shutdown},
};

/* Descriptors 7 and 8 are files; PATH_AT holds "name" for paths and a vector for transfers; 0x2000
 * holds a subscription to reading from descriptor 0, which is a pipe. */
static void prepare(const struct row *row)
{
    end_program(NULL);
    start_program(NULL);
    assert_int_equal(open_file(ALC_OS_TYPE_REGULAR_FILE), 7);
    assert_int_equal(open_file(ALC_OS_TYPE_REGULAR_FILE), 8);
    put_text(PATH_AT, "name");
    put_text(OTHER_PATH_AT, "other");
    if (strcmp(row->name, "poll_oneoff") == 0) {
        memory_bytes[0x2000 + 8] = ALC_WASI_EVENTTYPE_FD_READ;
        alc_store_u32(memory_bytes + 0x2000 + 16, CONNECTION_FD);
        fake.poll_ready[0] = ALC_OS_POLL_READ;
        fake.answers[FAKE_poll] = 1;
    }
    if (strncmp(row->name, "path_", 5) != 0) {
        put_span(PATH_AT, BUF_AT, 32);
    }
    fake.answers[FAKE_clock_read] = strcmp(row->name, "clock_res_get") == 0 ? 1 : 0;
    fake.calls_count = 0;
    memset(fake.calls, 0, sizeof fake.calls);
}

static uint64_t call_row(const struct row *row, const uint64_t *values, alc_status expected)
{
    uint64_t result = 0;
    alc_status status = call_status(row->name, values, strlen(row->kinds), &result);
    if (status != expected) {
        fail_msg("%s: status %s", row->name, alc_status_name(status));
    }
    return result;
}

static void test_table_is_complete(void **state)
{
    (void)state;
    const struct alc_host_module *module = alc_wasi_module();
    assert_string_equal(module->name, "wasi_snapshot_preview1");
    assert_int_equal(module->exports_count, 46);
    assert_int_equal(ALC_ARRAY_COUNT(rows), 46);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        assert_int_equal(strcspn(find_export(rows[i].name)->type, ":"), strlen(rows[i].kinds));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(module->exports[i].name, module->exports[j].name);
        }
    }
}

static void test_good_calls_arrive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        prepare(row);
        bool exits = strcmp(row->name, "proc_exit") == 0;
        uint64_t result = call_row(row, row->values, exits ? ALC_E_EXIT : ALC_OK);
        if (!exits && result != 0) {
            fail_msg("%s: error %d", row->name, (int)result);
        }
        if (row->primitive != PRIMITIVES_COUNT && fake.calls[row->primitive] == 0) {
            fail_msg("%s did not reach the system", row->name);
        }
    }
}

static void test_bad_pointers_are_refused(void **state)
{
    (void)state;
    static const uint32_t bad[] = {MEMORY_SIZE, MEMORY_SIZE - 1, UINT32_MAX, UINT32_MAX - 7};
    int tried = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        for (size_t at = 0; at < strlen(rows[i].kinds); at++) {
            for (size_t k = 0; rows[i].kinds[at] == 'p' && k < ALC_ARRAY_COUNT(bad); k++) {
                prepare(&rows[i]);
                uint64_t values[9];
                memcpy(values, rows[i].values, sizeof values);
                values[at] = bad[k];
                uint64_t result = call_row(&rows[i], values, ALC_OK);
                if (result != ALC_OS_FAULT || fake.calls_count != 0) {
                    fail_msg("%s: parameter %d at %x: error %d, %d calls", rows[i].name, (int)at,
                             bad[k], (int)result, fake.calls_count);
                }
                tried++;
            }
        }
    }
    assert_int_equal(tried, 4 * 53);
}

static void test_no_memory_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (strchr(rows[i].kinds, 'p') != NULL) {
            prepare(&rows[i]);
            memory.size = 0;
            assert_int_equal(call_row(&rows[i], rows[i].values, ALC_OK), ALC_OS_FAULT);
            assert_int_equal(fake.calls_count, 0);
        }
    }
}

static void test_bad_descriptors_are_refused(void **state)
{
    (void)state;
    static const uint32_t bad[] = {9, ALC_LIMIT_WASI_DESCRIPTORS - 1, ALC_LIMIT_WASI_DESCRIPTORS,
                                   UINT32_MAX, 0x80000003};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        for (size_t at = 0; at < strlen(rows[i].kinds); at++) {
            for (size_t k = 0; rows[i].kinds[at] == 'f' && k < ALC_ARRAY_COUNT(bad); k++) {
                prepare(&rows[i]);
                uint64_t values[9];
                memcpy(values, rows[i].values, sizeof values);
                values[at] = bad[k];
                assert_int_equal(call_row(&rows[i], values, ALC_OK), ALC_OS_BAD_DESCRIPTOR);
                assert_int_equal(fake.calls_count, 0);
            }
        }
    }
}

/* These need a descriptor, but no right. */
static bool needs_no_right(const char *name)
{
    static const char *const names[] = {
        "fd_close",       "fd_fdstat_get",       "fd_renumber",
        "fd_prestat_get", "fd_prestat_dir_name", "fd_fdstat_set_rights"};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void test_without_rights_nothing_goes(void **state)
{
    (void)state;
    int tried = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        for (size_t at = 0; at < strlen(row->kinds); at++) {
            if (row->kinds[at] != 'f' || needs_no_right(row->name)) {
                continue;
            }
            prepare(row);
            /* Only this descriptor loses its rights; where both are one, so does the other. */
            assert_int_equal(CALL("fd_fdstat_set_rights", row->values[at], 0, 0), 0);
            uint64_t result = call_row(row, row->values, ALC_OK);
            if (result != ALC_OS_NOT_CAPABLE || fake.calls_count != 0) {
                fail_msg("%s: error %d", row->name, (int)result);
            }
            tried++;
        }
    }
    assert_int_equal(tried, 31);
}

static void test_pointers_may_touch_the_end(void **state)
{
    (void)state;
    assert_int_equal(CALL("args_sizes_get", MEMORY_SIZE - 4, MEMORY_SIZE - 8), 0);
    assert_int_equal(u32_at(MEMORY_SIZE - 4), 3);
    assert_int_equal(u32_at(MEMORY_SIZE - 8), 7 + 0 + 3 + 3);
    assert_int_equal(CALL("args_sizes_get", MEMORY_SIZE - 3, OUT_AT), ALC_OS_FAULT);
    /* Unaligned is fine. */
    assert_int_equal(CALL("args_sizes_get", OUT_AT + 1, OUT_AT + 7), 0);
    assert_int_equal(u32_at(OUT_AT + 1), 3);
    /* An empty buffer may stand at the very end, not past it. */
    assert_int_equal(CALL("random_get", MEMORY_SIZE, 0), 0);
    assert_int_equal(CALL("random_get", MEMORY_SIZE + 1, 0), ALC_OS_FAULT);
    assert_int_equal(CALL("random_get", 1, UINT32_MAX), ALC_OS_FAULT);
}

static void test_unknown_flags_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        uint64_t value;
    } cases[] = {
        {"clock_time_get", 0, 4},
        {"clock_res_get", 0, UINT32_MAX},
        {"fd_advise", 3, 6},
        {"fd_fdstat_set_flags", 1, 0x20},
        {"fd_filestat_set_times", 3, 0x10},
        {"fd_seek", 2, 3},
        {"fd_seek", 2, 0x100},
        {"path_filestat_get", 1, 2},
        {"path_open", 1, 2},
        {"path_open", 4, 0x10},
        {"path_open", 7, 0x20},
        {"path_open", 7, 0x10000},
        {"path_link", 1, 2},
        {"proc_raise", 0, 31},
        {"sock_recv", 3, 4},
        {"sock_send", 3, 1},
        {"sock_shutdown", 1, 4},
        {"sock_shutdown", 1, 0},
        {"sock_accept", 1, 1},
        {"path_filestat_set_times", 6, 0x10},
        {"path_filestat_set_times", 6, 3},
        {"fd_filestat_set_times", 3, 12},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        for (size_t j = 0; j < ALC_ARRAY_COUNT(rows); j++) {
            if (strcmp(rows[j].name, cases[i].name) != 0) {
                continue;
            }
            prepare(&rows[j]);
            uint64_t values[9];
            memcpy(values, rows[j].values, sizeof values);
            values[cases[i].at] = cases[i].value;
            if (call_row(&rows[j], values, ALC_OK) != ALC_OS_INVALID || fake.calls_count != 0) {
                fail_msg("%s: %x", cases[i].name, (unsigned)cases[i].value);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(test_table_is_complete),
        PROGRAM_TEST(test_good_calls_arrive),
        PROGRAM_TEST(test_bad_pointers_are_refused),
        PROGRAM_TEST(test_no_memory_at_all),
        PROGRAM_TEST(test_bad_descriptors_are_refused),
        PROGRAM_TEST(test_without_rights_nothing_goes),
        PROGRAM_TEST(test_pointers_may_touch_the_end),
        PROGRAM_TEST(test_unknown_flags_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
