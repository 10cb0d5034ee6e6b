/* SPDX-License-Identifier: Apache-2.0
 *
 * Two threads of one program: they share the table of descriptors, and each call goes on with its
 * own copy of what another thread has changed meanwhile.
 */
#include "unit/wasi/fake_os.h"

#include "wasi/wasi_internal.h"

static struct alc_wasi thread;
static uint64_t thread_scratch_bytes[4096];
static struct alc_arena thread_scratch;

static int start_threads(void **state)
{
    start_program(state);
    alc_arena_init(&thread_scratch, thread_scratch_bytes, sizeof thread_scratch_bytes);
    assert_int_equal(alc_wasi_init_thread(&thread, &wasi, &arena, &thread_scratch), ALC_OK);
    return 0;
}

static struct alc_wasi_descriptor *get(struct alc_wasi *of, uint32_t fd)
{
    struct alc_wasi_descriptor *copy = NULL;
    assert_int_equal(alc_wasi_fd_get(of, fd, 0, &copy), 0);
    return copy;
}

static uint16_t get_error(struct alc_wasi *of, uint32_t fd)
{
    struct alc_wasi_descriptor *copy = NULL;
    return alc_wasi_fd_get(of, fd, 0, &copy);
}

static void test_the_table_is_shared(void **state)
{
    (void)state;
    assert_int_equal(get_error(&thread, FIRST_FREE_FD), ALC_OS_BAD_DESCRIPTOR);
    uint32_t fd = open_file(ALC_OS_TYPE_REGULAR_FILE);
    assert_int_equal(get(&thread, fd)->handle, OPENED_HANDLE);
    assert_ptr_not_equal(get(&thread, fd), get(&wasi, fd)); /* copies of their own */
    assert_int_equal(alc_wasi_fd_close(&thread, get(&thread, fd)), 0);
    assert_int_equal(get_error(&wasi, fd), ALC_OS_BAD_DESCRIPTOR);
    assert_ptr_equal(thread.host.scratch, &thread_scratch);
    assert_ptr_equal(wasi.host.scratch, &scratch);
}

static void test_closed_by_another(void **state)
{
    (void)state;
    uint32_t fd = open_file(ALC_OS_TYPE_REGULAR_FILE);
    struct alc_wasi_descriptor *copy = get(&wasi, fd);
    assert_int_equal(alc_wasi_fd_close(&thread, get(&thread, fd)), 0);
    assert_int_equal(fake.calls[FAKE_close], 1);
    assert_int_equal(copy->handle, OPENED_HANDLE); /* what the call in flight goes on with */
    assert_int_equal(alc_wasi_fd_close(&wasi, copy), ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(alc_wasi_fd_fdstat_set_rights(&wasi, copy, 0, 0), ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(fake.calls[FAKE_close], 1); /* a handle is given back once */
}

static void test_renumbered_by_another(void **state)
{
    (void)state;
    uint32_t first = open_file(ALC_OS_TYPE_REGULAR_FILE);
    fake.answers[FAKE_open_at] = OPENED_HANDLE + 1;
    uint32_t second = open_file(ALC_OS_TYPE_REGULAR_FILE);
    struct alc_wasi_descriptor *from = get(&wasi, first);
    struct alc_wasi_descriptor *to = get(&wasi, second);
    assert_int_equal(alc_wasi_fd_renumber(&thread, get(&thread, second), get(&thread, first)), 0);
    assert_int_equal(alc_wasi_fd_renumber(&wasi, from, to), ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(get(&wasi, first)->handle, OPENED_HANDLE + 1);
    assert_int_equal(get_error(&wasi, second), ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(fake.calls[FAKE_close], 1);
}

static void test_rights_shrink_for_all(void **state)
{
    (void)state;
    uint32_t fd = open_file(ALC_OS_TYPE_REGULAR_FILE);
    struct alc_wasi_descriptor *copy = get(&wasi, fd);
    const uint64_t less = ALC_WASI_RIGHTS_FD_READ;
    assert_int_equal(alc_wasi_fd_fdstat_set_rights(&thread, get(&thread, fd), less, 0), 0);
    /* A copy from before cannot bring rights back. */
    assert_int_equal(
        alc_wasi_fd_fdstat_set_rights(&wasi, copy, copy->rights_base, copy->rights_inheriting),
        ALC_OS_NOT_CAPABLE);
    assert_int_equal(get(&wasi, fd)->rights_base, less);
}

static void test_the_table_fills_meanwhile(void **state)
{
    const struct alc_wasi_descriptor opened = {.handle = OPENED_HANDLE, .is_open = true};
    uint32_t number;
    (void)state;
    while (alc_wasi_descriptor_is_free(&thread)) {
        assert_int_equal(alc_wasi_descriptor_insert(&thread, &opened, &number), 0);
    }
    assert_int_equal(alc_wasi_descriptor_insert(&wasi, &opened, &number), ALC_OS_TOO_MANY_OPEN);
    assert_int_equal(fake.calls[FAKE_close], 1); /* what was opened is not leaked */
}

static void test_clocks(void **state)
{
    uint64_t time_ns;
    (void)state;
    fake.step_ns = 0;
    for (uint32_t clock = 0; clock < ALC_WASI_CLOCKS_COUNT; clock++) {
        fake.times_ns[clock] = 1000;
        assert_int_equal(alc_wasi_clock_now(&wasi, clock, &time_ns), 0);
        assert_int_equal(time_ns, 1000);
        /* What one thread has seen does not go back for the other; processor time is its own. */
        fake.times_ns[clock] = 900;
        assert_int_equal(alc_wasi_clock_now(&thread, clock, &time_ns), 0);
        assert_int_equal(time_ns, clock == ALC_WASI_CLOCKID_THREAD_CPUTIME_ID ? 900 : 1000);
        assert_int_equal(alc_wasi_clock_now(&wasi, clock, &time_ns), 0);
        assert_int_equal(time_ns, 1000);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start_threads, end_program)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_table_is_shared),       TEST(test_closed_by_another),
        TEST(test_renumbered_by_another),     TEST(test_rights_shrink_for_all),
        TEST(test_the_table_fills_meanwhile), TEST(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
