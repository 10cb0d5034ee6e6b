/* SPDX-License-Identifier: Apache-2.0
 *
 * The runtime image in the emulator with a program that starts one thread, and hosts that refuse
 * it, bring it twice, bring others, or wake whoever sleeps for no reason. The program's thread runs
 * exactly once or, where the program is told so, not at all; whoever else comes in is sent away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "hostile/busy.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"

enum { NO_THREAD = 50, ONE_THREAD = 1 }; /* exit codes of threads.wat */
enum { ENTRIES_MAX = 8 };

extern const uint8_t alc_runtime_image[];
extern const uint64_t alc_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_runtime_sigstruct;

/* What the host does when it is asked for a thread: enters each of these, one after the other. */
static struct {
    struct busy busy;
    struct alc_sgx_enclave *enclave;
    struct alc_os os; /* the real system's, with functions of ours */
    struct alc_os_operations operations;
    struct alc_hostcall_server servers[ALC_LIMIT_ENCLAVE_THREADS];
    int32_t entries[ENTRIES_MAX];
    size_t entries_count;
    unsigned delay_us;
    int64_t start_answer;
    bool does_never_sleep;
    /* What came of it. */
    pthread_t thread;
    bool has_thread;
    uint64_t values[ENTRIES_MAX];
    alc_status statuses[ENTRIES_MAX];
    unsigned sleeps_count;
} host;

static alc_status serve(void *context)
{
    return alc_hostcall_serve(context);
}

static alc_status enter(uint64_t ecall, int32_t thread, uint64_t *value)
{
    struct alc_error error;
    const struct alc_sgx_call call = {.thread = thread,
                                      .ecall = ecall,
                                      .region = host.busy.region,
                                      .region_size = ALC_RING_REGION_SIZE,
                                      .serve = serve,
                                      .context = &host.servers[thread]};
    alc_error_clear(&error);
    *value = UINT64_MAX;
    return alc_sgx_call(host.enclave, &call, value, &error);
}

static void *enter_all(void *argument)
{
    (void)argument;
    usleep(host.delay_us);
    for (size_t i = 0; i < host.entries_count; i++) {
        host.statuses[i] = enter(ALC_ENTRY_THREAD, host.entries[i], &host.values[i]);
    }
    return NULL;
}

static int64_t start_thread(void *context, uint32_t thread)
{
    (void)context;
    assert_int_equal(thread, 1);
    if (host.entries_count != 0) {
        host.has_thread = true;
        assert_int_equal(pthread_create(&host.thread, NULL, enter_all, NULL), 0);
    }
    return host.start_answer;
}

static int64_t sleep_thread(void *context, uint32_t thread, int64_t timeout_ns)
{
    host.sleeps_count++;
    if (host.does_never_sleep) {
        return 0;
    }
    const struct alc_os *real = alc_os_linux_get_os(host.busy.system);
    return real->operations->thread_sleep(context, thread, timeout_ns);
}

static int set_up(void **state)
{
    struct alc_error error;
    (void)state;
    alc_error_clear(&error);
    busy_init(&host.busy);
    assert_int_equal(alc_sgx_load(alc_sgx_emu_backend(), alc_runtime_image, alc_runtime_image_size,
                                  &alc_runtime_sigstruct, NULL, &host.enclave, &error),
                     ALC_OK);
    busy_begin(&host.busy);
    host.os = *alc_os_linux_get_os(host.busy.system);
    host.operations = *host.os.operations;
    host.operations.thread_start = start_thread;
    host.operations.thread_sleep = sleep_thread;
    host.os.operations = &host.operations;
    for (uint32_t i = 0; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        alc_hostcall_server_init(&host.servers[i], host.busy.region, i, &host.os);
    }
    host.entries[0] = 1;
    host.entries_count = 1;
    host.start_answer = 0;
    host.delay_us = 0;
    host.does_never_sleep = host.has_thread = false;
    host.sleeps_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    alc_sgx_close(host.enclave);
    busy_end(&host.busy);
    busy_fini(&host.busy);
    return 0;
}

/* Runs the program; its exit code. */
static int32_t run(void)
{
    uint64_t value;
    assert_int_equal(enter(ALC_ENTRY_RUN, 0, &value), ALC_OK);
    if (host.has_thread) {
        pthread_join(host.thread, NULL);
    }
    assert_int_equal(value, ALC_E_EXIT);
    assert_int_equal(host.busy.outcome_size, sizeof host.busy.outcome);
    return host.busy.outcome.exit_code;
}

static void assert_sent_away(size_t entry)
{
    assert_int_equal(host.statuses[entry], ALC_OK);
    assert_int_equal(host.values[entry], ALC_E_POLICY_REFUSED);
}

static void test_honest(void **state)
{
    (void)state;
    assert_int_equal(run(), ONE_THREAD);
    assert_int_equal(host.statuses[0], ALC_OK);
    assert_int_equal(host.values[0], ALC_OK);
}

static void test_refused(void **state)
{
    (void)state;
    host.entries_count = 0;
    host.start_answer = -ALC_OS_AGAIN;
    assert_int_equal(run(), NO_THREAD);
}

static void test_refused_and_brought_later(void **state)
{
    (void)state;
    host.delay_us = 100000;
    host.start_answer = -ALC_OS_AGAIN;
    assert_int_equal(run(), NO_THREAD);
    assert_sent_away(0);
}

static void test_impossible_answer(void **state)
{
    (void)state;
    host.entries_count = 0;
    host.start_answer = 1;
    assert_int_equal(run(), NO_THREAD);
}

static void test_brought_again_and_again(void **state)
{
    (void)state;
    host.entries_count = 4;
    for (size_t i = 1; i < 4; i++) {
        host.entries[i] = 1;
    }
    assert_int_equal(run(), ONE_THREAD);
    assert_int_equal(host.values[0], ALC_OK);
    for (size_t i = 1; i < 4; i++) {
        assert_sent_away(i);
    }
}

static void test_others_brought(void **state)
{
    static const int32_t entries[] = {2, ALC_LIMIT_ENCLAVE_THREADS - 1, 1, 3};
    (void)state;
    host.entries_count = 4;
    for (size_t i = 0; i < 4; i++) {
        host.entries[i] = entries[i];
    }
    assert_int_equal(run(), ONE_THREAD);
    assert_int_equal(host.values[2], ALC_OK);
    assert_sent_away(0);
    assert_sent_away(1);
    assert_sent_away(3);
}

static void test_nobody_was_asked_for(void **state)
{
    uint64_t value;
    (void)state;
    for (int32_t thread = 0; thread < ALC_LIMIT_ENCLAVE_THREADS; thread++) {
        assert_int_equal(enter(ALC_ENTRY_THREAD, thread, &value), ALC_OK);
        assert_int_equal(value, ALC_E_POLICY_REFUSED);
    }
    assert_int_equal(run(), ONE_THREAD);
    for (int32_t thread = 0; thread < ALC_LIMIT_ENCLAVE_THREADS; thread++) { /* it is over */
        assert_int_equal(enter(ALC_ENTRY_THREAD, thread, &value), ALC_OK);
        assert_int_equal(value, ALC_E_POLICY_REFUSED);
    }
}

static void test_woken_for_no_reason(void **state)
{
    (void)state;
    host.delay_us = 100000;
    host.does_never_sleep = true;
    assert_int_equal(run(), ONE_THREAD);
    assert_true(host.sleeps_count > 10);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        TEST(test_honest),
        TEST(test_refused),
        TEST(test_refused_and_brought_later),
        TEST(test_impossible_answer),
        TEST(test_brought_again_and_again),
        TEST(test_others_brought),
        TEST(test_nobody_was_asked_for),
        TEST(test_woken_for_no_reason),
    };
    if (arguments_count != 2) {
        fprintf(stderr, "usage: hostile_threads threads.wasm\n");
        return 2;
    }
    busy_load(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
