/* SPDX-License-Identifier: Apache-2.0
 *
 * poll_oneoff: clocks of both kinds, descriptors, errors told per subscription, the limit, hosts
 * that end a wait too early or report what nobody asked for.
 */
#include "unit/wasi/fake_os.h"

enum { SUBS_AT = 0x10000, EVENTS_AT = 0x60000, EVENT_SIZE = 32, SUB_SIZE = 48 };

static uint32_t subs_count;

static uint8_t *add_sub(uint64_t userdata, uint8_t tag)
{
    uint8_t *at = memory_bytes + SUBS_AT + subs_count++ * SUB_SIZE;
    memset(at, 0, SUB_SIZE);
    alc_store_u64(at, userdata);
    at[8] = tag;
    return at;
}

static void add_clock(uint64_t userdata, uint32_t id, uint64_t timeout_ns, uint16_t flags)
{
    uint8_t *at = add_sub(userdata, ALC_WASI_EVENTTYPE_CLOCK);
    alc_store_u32(at + 16, id);
    alc_store_u64(at + 24, timeout_ns);
    alc_store_u16(at + 40, flags);
}

static void add_fd(uint64_t userdata, uint8_t tag, uint32_t fd)
{
    alc_store_u32(add_sub(userdata, tag) + 16, fd);
}

/* Polls with what was added; the number of events, and the additions forgotten. */
static uint32_t poll_all(void)
{
    alc_store_u32(memory_bytes + OUT_AT, 999);
    assert_int_equal(CALL("poll_oneoff", SUBS_AT, EVENTS_AT, subs_count, OUT_AT), 0);
    subs_count = 0;
    return u32_at(OUT_AT);
}

static void expect_event(uint32_t index, uint64_t userdata, uint16_t error, uint8_t tag)
{
    uint32_t at = EVENTS_AT + index * EVENT_SIZE;
    assert_int_equal(u64_at(at), userdata);
    assert_int_equal(alc_load_u16(memory_bytes + at + 8), error);
    assert_int_equal(memory_bytes[at + 10], tag);
}

static int start_poll(void **state)
{
    subs_count = 0;
    start_program(state);
    fake.step_ns = 0;
    fake.times_ns[0] = 1000000;
    fake.times_ns[1] = 500;
    fake.poll_takes_time = true;
    return 0;
}

static void test_relative_clock(void **state)
{
    (void)state;
    add_clock(11, ALC_WASI_CLOCKID_MONOTONIC, 300, 0);
    assert_int_equal(poll_all(), 1);
    expect_event(0, 11, 0, ALC_WASI_EVENTTYPE_CLOCK);
    assert_int_equal(fake.poll_timeout_ns, 300);
    assert_int_equal(fake.handle, -1); /* a sleep */
}

static void test_absolute_clock(void **state)
{
    (void)state;
    add_clock(1, ALC_WASI_CLOCKID_REALTIME, 1000400, 1);
    assert_int_equal(poll_all(), 1);
    assert_int_equal(fake.poll_timeout_ns, 400);
    /* One in the past happens at once. */
    int polls = fake.calls[FAKE_poll];
    add_clock(2, ALC_WASI_CLOCKID_REALTIME, 5, 1);
    assert_int_equal(poll_all(), 1);
    assert_int_equal(fake.calls[FAKE_poll], polls);
}

static void test_several_clocks(void **state)
{
    (void)state;
    add_clock(1, ALC_WASI_CLOCKID_MONOTONIC, 900, 0);
    add_clock(2, ALC_WASI_CLOCKID_MONOTONIC, 200, 0);
    add_clock(3, ALC_WASI_CLOCKID_REALTIME, 200, 0);
    add_clock(4, ALC_WASI_CLOCKID_MONOTONIC, UINT64_MAX, 0);
    assert_int_equal(poll_all(), 2);
    assert_int_equal(fake.poll_timeout_ns, 200);
    expect_event(0, 2, 0, ALC_WASI_EVENTTYPE_CLOCK);
    expect_event(1, 3, 0, ALC_WASI_EVENTTYPE_CLOCK);
}

static void test_early_returns_do_not_shorten(void **state)
{
    (void)state;
    /* The host ends each wait at once; only looking at the clock lets time pass. */
    fake.poll_takes_time = false;
    fake.step_ns = 10;
    add_clock(1, ALC_WASI_CLOCKID_MONOTONIC, 100, 0);
    assert_int_equal(poll_all(), 1);
    assert_true(fake.calls[FAKE_poll] >= 5);
    assert_true(fake.times_ns[1] >= 600);
}

static void test_descriptors(void **state)
{
    (void)state;
    add_fd(1, ALC_WASI_EVENTTYPE_FD_READ, CONNECTION_FD);
    add_fd(2, ALC_WASI_EVENTTYPE_FD_WRITE, CONNECTION_FD);
    add_fd(3, ALC_WASI_EVENTTYPE_FD_READ, LISTENER_FD);
    fake.answers[FAKE_poll] = 2;
    fake.poll_ready[1] = ALC_OS_POLL_WRITE | ALC_OS_POLL_READ;
    fake.poll_ready[2] = ALC_OS_POLL_READ | ALC_OS_POLL_HANGUP;
    fake.poll_available = 77;
    assert_int_equal(poll_all(), 2);
    assert_true(fake.poll_timeout_ns == ALC_OS_NO_TIMEOUT);
    expect_event(0, 2, 0, ALC_WASI_EVENTTYPE_FD_WRITE);
    assert_int_equal(u64_at(EVENTS_AT + 16), 0);
    assert_int_equal(alc_load_u16(memory_bytes + EVENTS_AT + 24), 0);
    expect_event(1, 3, 0, ALC_WASI_EVENTTYPE_FD_READ);
    assert_int_equal(u64_at(EVENTS_AT + EVENT_SIZE + 16), 77);
    assert_int_equal(alc_load_u16(memory_bytes + EVENTS_AT + EVENT_SIZE + 24), 1);
}

static void test_files_are_always_ready(void **state)
{
    (void)state;
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    fake.stat.size = 1000;
    fake.answers[FAKE_seek] = 400;
    add_fd(1, ALC_WASI_EVENTTYPE_FD_READ, file);
    add_fd(2, ALC_WASI_EVENTTYPE_FD_WRITE, file);
    add_clock(3, ALC_WASI_CLOCKID_MONOTONIC, 1000, 0);
    assert_int_equal(poll_all(), 2);
    expect_event(0, 1, 0, ALC_WASI_EVENTTYPE_FD_READ);
    assert_int_equal(u64_at(EVENTS_AT + 16), 600);
    expect_event(1, 2, 0, ALC_WASI_EVENTTYPE_FD_WRITE);
    assert_int_equal(fake.calls[FAKE_poll], 0); /* nothing left to ask for */
    /* With something else to look at, the look does not wait. */
    add_fd(1, ALC_WASI_EVENTTYPE_FD_READ, file);
    add_fd(2, ALC_WASI_EVENTTYPE_FD_READ, CONNECTION_FD);
    assert_int_equal(poll_all(), 1);
    assert_int_equal(fake.calls[FAKE_poll], 1);
    assert_int_equal(fake.poll_timeout_ns, 0);
}

static void test_errors_are_told_each(void **state)
{
    (void)state;
    uint32_t file = open_file(ALC_OS_TYPE_REGULAR_FILE);
    assert_int_equal(CALL("fd_fdstat_set_rights", file, ALC_WASI_RIGHTS_FD_READ, 0), 0);
    add_fd(1, ALC_WASI_EVENTTYPE_FD_READ, 500);
    add_fd(2, ALC_WASI_EVENTTYPE_FD_READ, file);
    add_fd(3, ALC_WASI_EVENTTYPE_FD_READ, DIR_FD);
    add_sub(4, 3);
    add_clock(5, 4, 100, 0);
    add_clock(6, ALC_WASI_CLOCKID_MONOTONIC, 100, 2);
    add_clock(7, ALC_WASI_CLOCKID_PROCESS_CPUTIME_ID, 100, 0);
    add_fd(8, ALC_WASI_EVENTTYPE_FD_WRITE, UINT32_MAX);
    assert_int_equal(poll_all(), 8);
    expect_event(0, 1, ALC_OS_BAD_DESCRIPTOR, ALC_WASI_EVENTTYPE_FD_READ);
    expect_event(1, 2, ALC_OS_NOT_CAPABLE, ALC_WASI_EVENTTYPE_FD_READ);
    expect_event(2, 3, ALC_OS_IS_DIRECTORY, ALC_WASI_EVENTTYPE_FD_READ);
    expect_event(3, 4, ALC_OS_INVALID, 3);
    expect_event(4, 5, ALC_OS_INVALID, ALC_WASI_EVENTTYPE_CLOCK);
    expect_event(5, 6, ALC_OS_INVALID, ALC_WASI_EVENTTYPE_CLOCK);
    expect_event(6, 7, ALC_OS_NOT_SUPPORTED, ALC_WASI_EVENTTYPE_CLOCK);
    expect_event(7, 8, ALC_OS_BAD_DESCRIPTOR, ALC_WASI_EVENTTYPE_FD_WRITE);
}

static void test_a_clock_that_fails(void **state)
{
    (void)state;
    fake.answers[FAKE_clock_read] = -ALC_OS_IO;
    add_clock(1, ALC_WASI_CLOCKID_MONOTONIC, 100, 0);
    assert_int_equal(poll_all(), 1);
    expect_event(0, 1, ALC_OS_IO, ALC_WASI_EVENTTYPE_CLOCK);
    add_clock(1, ALC_WASI_CLOCKID_MONOTONIC, 100, 1);
    assert_int_equal(CALL("poll_oneoff", SUBS_AT, EVENTS_AT, 1, OUT_AT), ALC_OS_IO);
}

static void test_lies(void **state)
{
    (void)state;
    static const int64_t lies[] = {2, INT64_MAX, -77, INT64_MIN};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(lies); i++) {
        subs_count = 0;
        add_fd(1, ALC_WASI_EVENTTYPE_FD_READ, CONNECTION_FD);
        fake.answers[FAKE_poll] = lies[i];
        assert_int_equal(CALL("poll_oneoff", SUBS_AT, EVENTS_AT, 1, OUT_AT), ALC_OS_IO);
    }
    /* An impossible state is no event; a handle gone is one with an error. */
    subs_count = 0;
    fake.answers[FAKE_poll] = 1;
    fake.poll_ready[0] = 0xffe0 | ALC_OS_POLL_INVALID;
    add_fd(1, ALC_WASI_EVENTTYPE_FD_READ, CONNECTION_FD);
    assert_int_equal(poll_all(), 1);
    expect_event(0, 1, ALC_OS_BAD_DESCRIPTOR, ALC_WASI_EVENTTYPE_FD_READ);
}

static void test_limit(void **state)
{
    (void)state;
    uint64_t result = 0;
    for (uint32_t i = 0; i < ALC_LIMIT_WASI_SUBSCRIPTIONS; i++) {
        add_fd(i, ALC_WASI_EVENTTYPE_FD_READ, 600);
    }
    assert_int_equal(poll_all(), ALC_LIMIT_WASI_SUBSCRIPTIONS);
    expect_event(ALC_LIMIT_WASI_SUBSCRIPTIONS - 1, ALC_LIMIT_WASI_SUBSCRIPTIONS - 1,
                 ALC_OS_BAD_DESCRIPTOR, ALC_WASI_EVENTTYPE_FD_READ);
    result = CALL("poll_oneoff", SUBS_AT, EVENTS_AT, ALC_LIMIT_WASI_SUBSCRIPTIONS + 1, OUT_AT);
    assert_int_equal(result, ALC_OS_INVALID);
    assert_int_equal(CALL("poll_oneoff", SUBS_AT, EVENTS_AT, UINT32_MAX, OUT_AT), ALC_OS_INVALID);
    assert_int_equal(CALL("poll_oneoff", SUBS_AT, EVENTS_AT, 0, OUT_AT), ALC_OS_INVALID);
    alc_arena_init(&scratch, scratch_bytes, 4096);
    assert_int_equal(CALL("poll_oneoff", SUBS_AT, EVENTS_AT, 100, OUT_AT), ALC_OS_NO_MEMORY);
}

static void test_events_may_overlap_subscriptions(void **state)
{
    (void)state;
    /* The program's memory is read before it is written. */
    add_fd(1, ALC_WASI_EVENTTYPE_FD_READ, 600);
    add_fd(2, ALC_WASI_EVENTTYPE_FD_READ, 601);
    assert_int_equal(CALL("poll_oneoff", SUBS_AT, SUBS_AT, 2, OUT_AT), 0);
    assert_int_equal(u64_at(SUBS_AT), 1);
    assert_int_equal(u64_at(SUBS_AT + EVENT_SIZE), 2);
}

static void test_deadline(void **state)
{
    (void)state;
    wasi.options.deadline_ns = 700;
    add_clock(1, ALC_WASI_CLOCKID_MONOTONIC, 1000000, 0);
    const uint64_t values[] = {SUBS_AT, EVENTS_AT, 1, OUT_AT};
    uint64_t result = 0;
    assert_int_equal(call_status("poll_oneoff", values, 4, &result), ALC_E_DEADLINE);
    assert_int_equal(fake.poll_timeout_ns, 200);
}

#define POLL_TEST(function) cmocka_unit_test_setup_teardown(function, start_poll, end_program)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLL_TEST(test_relative_clock),
        POLL_TEST(test_absolute_clock),
        POLL_TEST(test_several_clocks),
        POLL_TEST(test_early_returns_do_not_shorten),
        POLL_TEST(test_descriptors),
        POLL_TEST(test_files_are_always_ready),
        POLL_TEST(test_errors_are_told_each),
        POLL_TEST(test_a_clock_that_fails),
        POLL_TEST(test_lies),
        POLL_TEST(test_limit),
        POLL_TEST(test_events_may_overlap_subscriptions),
        POLL_TEST(test_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
