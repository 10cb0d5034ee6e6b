/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of a program by their numbers: each runs once at a time, sleepers are woken, a wake-up
 * that comes first is kept.
 */
#include "os_linux_fixture.h"

#include <unistd.h>

#include "base/limits.h"

static struct {
    struct alc_os_linux *system;
    const struct alc_os_operations *os;
    uint32_t runs[ALC_LIMIT_ENCLAVE_THREADS];
    uint32_t may_end;
    uint32_t ends;
} made;

static uint32_t look(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static bool body(void *argument, uint32_t thread)
{
    assert_ptr_equal(argument, &made);
    (void)__atomic_add_fetch(&made.runs[thread], 1, __ATOMIC_SEQ_CST);
    while (look(&made.may_end) == 0) {
        made.os->thread_sleep(made.system, thread, ALC_OS_NO_TIMEOUT);
    }
    return true;
}

static void count_end(void)
{
    (void)__atomic_add_fetch(&made.ends, 1, __ATOMIC_SEQ_CST);
}

static int set_up(void **state)
{
    (void)state;
    memset(&made, 0, sizeof made);
    assert_int_equal(alc_os_linux_new(NULL, &made.system), ALC_OK);
    made.os = alc_os_linux_get_os(made.system)->operations;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (alc_os_linux_has_threads(made.system)) {
        usleep(1000);
    }
    alc_os_linux_free(made.system);
    return 0;
}

static int64_t now(void)
{
    return made.os->clock_read(made.system, ALC_OS_CLOCK_MONOTONIC, 0);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(made.os->thread_start(made.system, 1), -ALC_OS_INVALID); /* nothing to run */
    made.os->set_thread_body(made.system, body, &made);
    const uint32_t bad[] = {ALC_LIMIT_ENCLAVE_THREADS, 1000, UINT32_MAX};
    assert_int_equal(made.os->thread_start(made.system, 0), -ALC_OS_INVALID);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        assert_int_equal(made.os->thread_start(made.system, bad[i]), -ALC_OS_INVALID);
        assert_int_equal(made.os->thread_sleep(made.system, bad[i], 0), -ALC_OS_INVALID);
        assert_int_equal(made.os->thread_wake(made.system, bad[i]), -ALC_OS_INVALID);
    }
    assert_false(alc_os_linux_has_threads(made.system));
}

static void test_sleep(void **state)
{
    (void)state;
    int64_t start = now();
    assert_int_equal(made.os->thread_sleep(made.system, 0, 20000000), 0);
    assert_true(now() - start >= 20000000);
    assert_int_equal(made.os->thread_wake(made.system, 0), 0); /* first */
    assert_int_equal(made.os->thread_wake(made.system, 0), 0);
    assert_int_equal(made.os->thread_sleep(made.system, 0, ALC_OS_NO_TIMEOUT), 0);
    start = now();
    assert_int_equal(made.os->thread_sleep(made.system, 0, 20000000), 0); /* it counted once */
    assert_true(now() - start >= 20000000);
}

static void test_start(void **state)
{
    (void)state;
    made.os->set_thread_body(made.system, body, &made);
    alc_os_linux_on_thread_end(made.system, count_end);
    for (uint32_t i = 1; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        assert_int_equal(made.os->thread_start(made.system, i), 0);
        assert_int_equal(made.os->thread_start(made.system, i), -ALC_OS_BUSY);
    }
    for (uint32_t i = 1; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        while (look(&made.runs[i]) == 0) {
            usleep(100);
        }
    }
    usleep(20000);
    assert_int_equal(look(&made.ends), 0);
    assert_true(alc_os_linux_has_threads(made.system));
    __atomic_store_n(&made.may_end, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 1; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        assert_int_equal(made.os->thread_wake(made.system, i), 0);
    }
    while (alc_os_linux_has_threads(made.system)) {
        usleep(100);
    }
    assert_int_equal(look(&made.ends), ALC_LIMIT_ENCLAVE_THREADS - 1);
    assert_int_equal(made.os->thread_start(made.system, 3), 0); /* the number is free again */
    while (alc_os_linux_has_threads(made.system)) {
        usleep(100);
    }
    for (uint32_t i = 1; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        assert_int_equal(made.runs[i], i == 3 ? 2 : 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_numbers), TEST(test_sleep), TEST(test_start)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
