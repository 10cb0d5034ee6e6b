/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole workload over the boundary: the program busy.wasm runs on the stubs in this process and
 * the real dispatcher serves it with the real system. With an honest host the copy is exact; with
 * one that lies now and then, in any way, the run ends in order: an error of the program or of the
 * workload, never a crash, and nothing of the program's memory is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "hostcall/hostcall_host.h"
#include "hostile/busy.h"

enum { LYING_RUNS = 300 };

static struct busy busy;
static struct alc_hostcall_client client;
static const struct alc_os *own_os; /* for what is never a host call */

static int64_t own_random(void *context, uint8_t *buf, size_t size)
{
    (void)context;
    return own_os->operations->random(own_os->context, buf, size);
}

static void *own_reserve(void *context, size_t size)
{
    (void)context;
    return own_os->operations->pages_reserve(own_os->context, size);
}

static int64_t own_commit(void *context, void *addr, size_t size)
{
    (void)context;
    return own_os->operations->pages_commit(own_os->context, addr, size);
}

static void own_release(void *context, void *addr, size_t size)
{
    (void)context;
    own_os->operations->pages_release(own_os->context, addr, size);
}

static const struct alc_os_operations inside_operations = {
    ALC_HOSTCALL_OPERATIONS, .random = own_random, .pages_reserve = own_reserve,
    .pages_commit = own_commit, .pages_release = own_release};

static void leave(void)
{
    assert_int_equal(busy_serve(&busy), ALC_OK);
}

static uint32_t thread_index(void)
{
    return 0;
}

/* Here it returns, so calls go on failing. */
static void give_up(void) {}

static alc_status run_once(void)
{
    struct alc_hostcall_environment environment = {.leave = leave,
                                                   .thread_index = thread_index,
                                                   .give_up = give_up,
                                                   .inside_base = (uintptr_t)&client,
                                                   .inside_size = sizeof client};
    busy_begin(&busy);
    own_os = alc_os_linux_get_os(busy.system);
    assert_int_equal(alc_hostcall_client_init(&client, &environment, (uintptr_t)busy.region,
                                              ALC_RING_REGION_SIZE),
                     ALC_OK);
    struct alc_os inside_os = {.operations = &inside_operations, .context = &client};
    alc_status status = alc_workload_run_from_os(&inside_os, &alc_workload_interpreted,
                                                 &busy.region->header.stop_flag);
    busy_end(&busy);
    return status;
}

static int setup(void **state)
{
    (void)state;
    busy_init(&busy);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    busy_fini(&busy);
    return 0;
}

static void test_honest_host(void **state)
{
    (void)state;
    alc_status status = run_once();
    if (status != ALC_OK && status != ALC_E_EXIT) {
        fail_msg("%s: %s", alc_status_name(status), busy.outcome.detail);
    }
    assert_int_equal(busy.outcome_size, sizeof busy.outcome);
    assert_int_equal(busy.outcome.exit_code, 0);
    assert_int_equal(client.channels[0].lies_count, 0);
    assert_true(busy_is_copied(&busy));
    assert_true(busy.leaves_count > 100);
    assert_false(busy.has_leaked);
}

static void test_lying_host(void **state)
{
    static const uint32_t rates[] = {1, 3, 10, 40, 150};
    uint64_t normal = 0;
    uint64_t stopped = 0;
    uint64_t seen = 0;
    (void)state;
    for (uint64_t run = 0; run < LYING_RUNS; run++) {
        busy.lie_every = rates[run % ALC_ARRAY_COUNT(rates)];
        busy.seed = 1000003 * (run + 1);
        alc_status status = run_once();
        assert_true((unsigned)status < ALC_STATUS_COUNT && status != ALC_E_INTERNAL);
        assert_false(busy.has_leaked);
        seen += client.channels[0].lies_count;
        normal += status == ALC_OK || status == ALC_E_EXIT;
        stopped += status != ALC_OK && status != ALC_E_EXIT;
    }
    print_message("%lu lies, %lu seen; %lu runs ended by the program, %lu stopped\n",
                  (unsigned long)busy.lies_count, (unsigned long)seen, (unsigned long)normal,
                  (unsigned long)stopped);
    assert_true(normal > 0 && stopped > 0 && seen > LYING_RUNS);
}

#define TEST(function) {#function, function, setup, teardown, NULL}

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {TEST(test_honest_host), TEST(test_lying_host)};
    if (arguments_count != 2) {
        fprintf(stderr, "usage: hostile_workload busy.wasm\n");
        return 2;
    }
    busy_load(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
