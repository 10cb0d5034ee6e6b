/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that lies in every way we know, against the stubs that run in enclaves. Each call must end
 * in a result that is in range, never touch or show anything but its own pieces, and impossible
 * answers must become IO.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "hostcall/hostcall_host.h"
#include "hostile/driver.h"

enum { ROUNDS = 60 };

static struct hostile_driver driver;
static uint64_t host_seed = 88172645463325252;
static struct alc_ring_slot last_completion;

static uint64_t host_random(void)
{
    host_seed ^= host_seed << 13;
    host_seed ^= host_seed >> 7;
    host_seed ^= host_seed << 17;
    return host_seed;
}

static int setup(void **state)
{
    (void)state;
    hostile_init(&driver);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hostile_fini(&driver);
    return 0;
}

/* Drives every row ROUNDS times; a host that was given up is replaced. */
static void drive_all(void (*answer)(struct hostile_driver *), bool expect_io)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < hostile_rows_count; i++) {
            hostile_restart(&driver);
            driver.answer = answer;
            int64_t result = hostile_drive(&driver, i);
            if (driver.failed_check != NULL) {
                fail_msg("%s (round %zu): %s", hostile_rows[i].name, round, driver.failed_check);
            }
            /* Arguments that are refused before leaving never meet the host. */
            if (expect_io && driver.leaves_count != 0 && result != -ALC_OS_IO) {
                fail_msg("%s: a lie gave %ld", hostile_rows[i].name, (long)result);
            }
            driver.leaves_count = 0;
        }
    }
}

static struct alc_ring_slot *completion(struct hostile_driver *of, uint64_t ago)
{
    uint64_t index = (of->server.completion_tail - 1 - ago) & (ALC_RING_SLOTS - 1);
    return &of->server.channel->control.completions[index];
}

/* -- the truth -- */

static void test_honest_host_is_believed(void **state)
{
    (void)state;
    uint64_t succeeded[64] = {0};
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < hostile_rows_count; i++) {
            int64_t result = hostile_drive(&driver, i);
            if (driver.failed_check != NULL) {
                fail_msg("%s: %s", hostile_rows[i].name, driver.failed_check);
            }
            assert_int_not_equal(result, -ALC_OS_IO);
            succeeded[i] += result >= 0;
        }
    }
    for (size_t i = 0; i < hostile_rows_count; i++) {
        if (succeeded[i] == 0) {
            fail_msg("%s never succeeded", hostile_rows[i].name);
        }
    }
    assert_int_equal(driver.client->channels[0].lies_count, 0);
}

/* -- results -- */

static int64_t impossible_result;

static void answer_impossible(struct hostile_driver *of)
{
    hostile_serve(of);
    completion(of, 0)->result = impossible_result;
}

static void test_impossible_results(void **state)
{
    const int64_t impossible[] = {INT64_MIN,
                                  INT64_MIN + 1,
                                  -4096,
                                  -4095,
                                  -(int64_t)ALC_OS_ERRNO_MAX - 1,
                                  -(int64_t)(uintptr_t)driver.inside};
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(impossible); i++) {
        impossible_result = impossible[i];
        drive_all(answer_impossible, true);
    }
}

/* Sizes and handles beyond anything offered; `clock_read` and `seek` have no upper bound. */
static void test_huge_results(void **state)
{
    const int64_t huge[] = {INT64_MAX, (int64_t)1 << 32, (int64_t)(uintptr_t)driver.inside,
                            ALC_LIMIT_HOSTCALL_BUFFER + 1};
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(huge); i++) {
        for (size_t row = 0; row < hostile_rows_count; row++) {
            uint32_t op = hostile_rows[row].op;
            bool is_handle = op == ALC_HOSTCALL_OPEN_AT || op == ALC_HOSTCALL_ACCEPT;
            if (op == ALC_HOSTCALL_CLOCK_READ || op == ALC_HOSTCALL_SEEK ||
                (is_handle && huge[i] <= INT32_MAX)) {
                continue;
            }
            hostile_restart(&driver);
            impossible_result = huge[i];
            driver.answer = answer_impossible;
            driver.leaves_count = 0;
            int64_t result = hostile_drive(&driver, row);
            assert_null(driver.failed_check);
            assert_true(result == -ALC_OS_IO || driver.leaves_count == 0);
        }
    }
}

static void answer_any_result(struct hostile_driver *of)
{
    hostile_serve(of);
    uint64_t number = host_random();
    completion(of, 0)->result = (number & 3) == 0   ? (int64_t)(number >> 2)
                                : (number & 3) == 1 ? (int64_t)(number >> 2 & 0x3ff)
                                                    : (int64_t)number % 100;
}

static void test_any_results(void **state)
{
    (void)state;
    drive_all(answer_any_result, false);
}

/* -- slots -- */

static void answer_any_slot(struct hostile_driver *of)
{
    hostile_serve(of);
    uint64_t *words = (uint64_t *)(void *)completion(of, 0);
    uint64_t number = host_random();
    /* One word of the answer, or all of it. */
    for (size_t i = 0; i < ALC_RING_SLOT_WORDS; i++) {
        if ((number & 8) == 0 || (number & 7) == i) {
            words[i] = host_random();
        }
    }
}

static void answer_other_op(struct hostile_driver *of)
{
    hostile_serve(of);
    completion(of, 0)->op ^= (uint16_t)(1 + host_random() % 7);
}

static void answer_other_seq(struct hostile_driver *of)
{
    hostile_serve(of);
    completion(of, 0)->seq += (uint32_t)(1 + host_random() % UINT32_MAX);
}

static void answer_next_slot(struct hostile_driver *of)
{
    hostile_serve(of);
    struct alc_ring_slot *right = completion(of, 0);
    struct alc_ring_slot *wrong = completion(of, UINT64_MAX);
    *wrong = *right;
    memset(right, 0, sizeof *right);
}

static void answer_nothing(struct hostile_driver *of)
{
    (void)of;
}

static void test_slots(void **state)
{
    (void)state;
    drive_all(answer_any_slot, false);
    drive_all(answer_other_op, true);
    drive_all(answer_other_seq, true);
    drive_all(answer_next_slot, true);
    drive_all(answer_nothing, true);
}

static void keep_completion(struct hostile_driver *of)
{
    hostile_serve(of);
    last_completion = *completion(of, 0);
}

static void replay_completion(struct hostile_driver *of)
{
    hostile_serve(of);
    *completion(of, 0) = last_completion;
}

/* The true answer of an earlier call of the same kind satisfies no later one. */
static void test_replay(void **state)
{
    (void)state;
    for (size_t i = 0; i < hostile_rows_count; i++) {
        hostile_restart(&driver);
        driver.leaves_count = 0;
        driver.answer = keep_completion;
        for (int tries = 0; driver.leaves_count == 0 && tries < 100; tries++) {
            (void)hostile_drive(&driver, i);
        }
        driver.answer = replay_completion;
        driver.leaves_count = 0;
        for (int tries = 0; driver.leaves_count == 0 && tries < 100; tries++) {
            int64_t result = hostile_drive(&driver, i);
            assert_true(driver.leaves_count == 0 || result == -ALC_OS_IO);
        }
        assert_null(driver.failed_check);
        assert_int_equal(driver.leaves_count, 1);
    }
}

/* -- descriptors and payload -- */

static void corrupt_payload(struct hostile_driver *of)
{
    hostile_serve(of);
    for (size_t i = 0; i < 512; i++) {
        of->server.channel->payload[i] = (uint8_t)(host_random() >> 20);
    }
    completion(of, 0)->args[0] = host_random();
}

static void corrupt_everything(struct hostile_driver *of)
{
    hostile_serve(of);
    struct alc_ring_control *control = &of->server.channel->control;
    struct alc_ring_slot answer = *completion(of, 0);
    struct alc_ring_slot *place = completion(of, 0);
    uint64_t *words = (uint64_t *)(void *)control;
    for (size_t i = 0; i < sizeof *control / sizeof *words; i++) {
        words[i] = (host_random() & 1) == 0 ? UINT64_MAX : (uintptr_t)of->inside;
    }
    *place = answer;
    of->region->header.channel_size = (uintptr_t)of->inside;
    of->region->header.threads_count = UINT64_MAX;
}

static void test_descriptors_and_payload(void **state)
{
    (void)state;
    drive_all(corrupt_payload, false);
    drive_all(corrupt_everything, false);
    alc_hostcall_region_init(driver.region);
}

/* -- late changes -- */

static bool stop_changing;

static void *change_words(void *argument)
{
    struct alc_ring_channel *channel = argument;
    uint64_t seed = 99;
    volatile uint64_t *words = (volatile uint64_t *)(void *)channel;
    while (!__atomic_load_n(&stop_changing, __ATOMIC_RELAXED)) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        /* Control page and the start of the payload, where the pieces are. */
        size_t index = (seed >> 40) % 640;
        words[index] = (seed >> 33 & 3) == 0 ? seed : seed >> 56;
    }
    return NULL;
}

static void test_late_changes(void **state)
{
    (void)state;
    pthread_t thread;
    stop_changing = false;
    assert_int_equal(pthread_create(&thread, NULL, change_words, &driver.region->channels[0]), 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < hostile_rows_count; i++) {
            hostile_restart(&driver);
            driver.answer = (round & 1) == 0 ? answer_any_result : NULL;
            (void)hostile_drive(&driver, i);
            if (driver.failed_check != NULL) {
                fail_msg("%s: %s", hostile_rows[i].name, driver.failed_check);
            }
        }
    }
    __atomic_store_n(&stop_changing, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

/* -- giving up, registration -- */

static void test_host_is_given_up(void **state)
{
    (void)state;
    driver.answer = answer_nothing;
    for (unsigned i = 0; i < ALC_LIMIT_HOSTCALL_LIES; i++) {
        assert_int_equal(driver.os.operations->yield(driver.os.context), -ALC_OS_IO);
    }
    assert_int_equal(driver.leaves_count, ALC_LIMIT_HOSTCALL_LIES);
    assert_int_equal(driver.gave_up_count, 0);
    driver.answer = NULL;
    assert_int_equal(driver.os.operations->yield(driver.os.context), -ALC_OS_IO);
    assert_int_equal(driver.gave_up_count, 1);
    assert_int_equal(driver.leaves_count, ALC_LIMIT_HOSTCALL_LIES);
}

static void test_region_must_be_outside(void **state)
{
    (void)state;
    uint64_t region = (uintptr_t)driver.region;
    uint64_t inside = (uintptr_t)driver.inside;
    struct alc_hostcall_environment environment = driver.client->environment;
    static struct alc_hostcall_client client;
    const struct {
        uint64_t base;
        uint64_t size;
    } bad[] = {{0, ALC_RING_REGION_SIZE},
               {region + 8, ALC_RING_REGION_SIZE},
               {region, ALC_RING_REGION_SIZE - 1},
               {region, 0},
               {inside, ALC_RING_REGION_SIZE},
               {inside - 4096, ALC_RING_REGION_SIZE},
               {inside + HOSTILE_INSIDE_SIZE - 4096, ALC_RING_REGION_SIZE},
               {4096, inside},
               {region, UINT64_MAX},
               {UINT64_MAX - 4095, ALC_RING_REGION_SIZE},
               {UINT64_C(1) << 47, ALC_RING_REGION_SIZE},
               {UINT64_C(0xffff800000000000), ALC_RING_REGION_SIZE}};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        assert_int_equal(alc_hostcall_client_init(&client, &environment, bad[i].base, bad[i].size),
                         ALC_E_HOST_LIED);
    }
    assert_int_equal(alc_hostcall_client_init(&client, &environment, region, ALC_RING_REGION_SIZE),
                     ALC_OK);
    driver.region->header.version++;
    assert_int_equal(alc_hostcall_client_init(&client, &environment, region, ALC_RING_REGION_SIZE),
                     ALC_E_HOST_LIED);
    alc_hostcall_region_init(driver.region);
}

/* -- the other direction: a hostile inside against the server -- */

static void test_hostile_inside(void **state)
{
    (void)state;
    struct alc_ring_control *control = &driver.region->channels[0].control;
    for (int i = 0; i < 50000; i++) {
        uint64_t index = driver.server.request_head & (ALC_RING_SLOTS - 1);
        uint64_t *words = (uint64_t *)(void *)&control->requests[index];
        for (size_t w = 0; w < ALC_RING_SLOT_WORDS; w++) {
            uint64_t number = host_random();
            words[w] = (number & 3) == 0 ? number : number >> 46;
        }
        control->requests[index].op = (uint16_t)(host_random() % (ALC_HOSTCALL_OPS + 1));
        if ((host_random() & 1) == 0) {
            control->requests[index].buf_offset = (uint32_t)(host_random() % 4096) * 8;
            control->requests[index].buf_size = (uint32_t)(host_random() % (1 << 19));
        }
        control->request_tail = driver.server.request_head + 1;
        assert_int_equal(alc_hostcall_serve(&driver.server), ALC_OK);
    }
    control->request_tail = driver.server.request_head + ALC_RING_SLOTS + 1;
    assert_int_equal(alc_hostcall_serve(&driver.server), ALC_E_BAD_ARGUMENT);
    control->request_tail = driver.server.request_head - 1;
    assert_int_equal(alc_hostcall_serve(&driver.server), ALC_E_BAD_ARGUMENT);
}

#define TEST(function) {#function, function, setup, teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_honest_host_is_believed),
        TEST(test_impossible_results),
        TEST(test_huge_results),
        TEST(test_any_results),
        TEST(test_slots),
        TEST(test_replay),
        TEST(test_descriptors_and_payload),
        TEST(test_late_changes),
        TEST(test_host_is_given_up),
        TEST(test_region_must_be_outside),
        TEST(test_hostile_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
