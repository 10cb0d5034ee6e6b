/* SPDX-License-Identifier: Apache-2.0
 *
 * The runtime image in the emulator, with hosts that lie: about the region, about being called
 * once, and in the answers of host calls. The enclave ends in order or poisons itself; this process
 * lives on, and nothing of the program's memory is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "hostile/busy.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"

enum { LYING_RUNS = 40, CHANGING_RUNS = 20 };

extern const uint8_t alc_runtime_image[];
extern const uint64_t alc_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_runtime_sigstruct;

static struct busy busy;
static struct alc_sgx_enclave *enclave;

static void load(void)
{
    struct alc_error error;
    alc_error_clear(&error);
    alc_status status =
        alc_sgx_load(alc_sgx_emu_backend(), alc_runtime_image, alc_runtime_image_size,
                     &alc_runtime_sigstruct, NULL, &enclave, &error);
    if (status != ALC_OK) {
        fail_msg("%s: %s", alc_status_name(status), error.detail);
    }
}

/* One ecall; *value is what the image's main returned. */
static alc_status call(uint64_t base, uint64_t size, uint64_t *value)
{
    struct alc_error error;
    struct alc_sgx_call call = {.thread = 0,
                                .ecall = ALC_ENTRY_RUN,
                                .region = (void *)(uintptr_t)base,
                                .region_size = size,
                                .serve = busy_serve,
                                .context = &busy};
    alc_error_clear(&error);
    *value = UINT64_MAX;
    return alc_sgx_call(enclave, &call, value, &error);
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

static void test_honest_host_and_second_run(void **state)
{
    uint64_t value;
    (void)state;
    load();
    busy_begin(&busy);
    assert_int_equal(call((uintptr_t)busy.region, ALC_RING_REGION_SIZE, &value), ALC_OK);
    assert_true(value == ALC_OK || value == ALC_E_EXIT);
    assert_int_equal(busy.outcome.exit_code, 0);
    assert_true(busy_is_copied(&busy));
    assert_false(busy.has_leaked);
    /* An enclave is for one program. */
    uint64_t leaves_count = busy.leaves_count;
    assert_int_equal(call((uintptr_t)busy.region, ALC_RING_REGION_SIZE, &value), ALC_OK);
    assert_int_equal(value, ALC_E_POLICY_REFUSED);
    assert_int_equal(busy.leaves_count, leaves_count);
    busy_end(&busy);
    alc_sgx_close(enclave);
}

/* No region but a whole one outside is used, wherever it starts. */
static void test_regions(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        uint64_t value;
        load();
        busy_begin(&busy);
        uint64_t base = alc_sgx_base(enclave);
        uint64_t region = (uintptr_t)busy.region;
        const struct {
            uint64_t base;
            uint64_t size;
        } bad[] = {{base, ALC_RING_REGION_SIZE},
                   {base + (UINT64_C(1) << 20), ALC_RING_REGION_SIZE},
                   {base - 4096, ALC_RING_REGION_SIZE},
                   {region, ALC_RING_REGION_SIZE - 4096},
                   {region + 8, ALC_RING_REGION_SIZE},
                   {region, UINT64_MAX},
                   {0, 0},
                   {UINT64_MAX - 4095, ALC_RING_REGION_SIZE},
                   {4096, base}};
        uint64_t leaves_count = busy.leaves_count;
        alc_status status = call(bad[i].base, bad[i].size, &value);
        assert_true(status != ALC_OK || value == ALC_E_HOST_LIED);
        assert_int_equal(busy.leaves_count, leaves_count);
        busy_end(&busy);
        alc_sgx_close(enclave);
    }
}

static void test_lying_host(void **state)
{
    static const uint32_t rates[] = {1, 3, 10, 40, 150};
    uint64_t ended = 0;
    uint64_t poisoned = 0;
    (void)state;
    for (uint64_t run = 0; run < LYING_RUNS; run++) {
        uint64_t value;
        busy.lie_every = rates[run % ALC_ARRAY_COUNT(rates)];
        busy.seed = 7777777 * (run + 1);
        load();
        busy_begin(&busy);
        alc_status status = call((uintptr_t)busy.region, ALC_RING_REGION_SIZE, &value);
        assert_false(busy.has_leaked);
        if (status == ALC_OK) {
            assert_true(value < ALC_STATUS_COUNT && value != ALC_E_INTERNAL);
            ended++;
        } else {
            assert_int_equal(status, ALC_E_ENCLAVE_LOST);
            poisoned++;
            /* A poisoned enclave stays so. */
            assert_int_equal(call((uintptr_t)busy.region, ALC_RING_REGION_SIZE, &value),
                             ALC_E_ENCLAVE_LOST);
        }
        busy_end(&busy);
        alc_sgx_close(enclave);
    }
    print_message("%lu lies; %lu runs ended, %lu enclaves poisoned themselves\n",
                  (unsigned long)busy.lies_count, (unsigned long)ended, (unsigned long)poisoned);
    assert_true(ended > 0 && poisoned > 0);
}

/* -- a second thread of the host changes words while the enclave reads them -- */

static bool stop_changing;

static void *change_words(void *argument)
{
    volatile uint64_t *words = argument;
    uint64_t seed = 4711;
    while (!__atomic_load_n(&stop_changing, __ATOMIC_RELAXED)) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        /* Positions, slots, and the start of the payload; seldom, so that the program gets on. */
        words[(seed >> 40) % 640] = (seed >> 33 & 1) == 0 ? seed : seed >> 56;
        nanosleep(&(struct timespec){.tv_nsec = (long)(seed >> 48)}, NULL);
    }
    return NULL;
}

static void test_late_changes(void **state)
{
    (void)state;
    for (int run = 0; run < CHANGING_RUNS; run++) {
        uint64_t value;
        pthread_t thread;
        load();
        busy_begin(&busy);
        stop_changing = false;
        assert_int_equal(pthread_create(&thread, NULL, change_words, &busy.region->channels[0]), 0);
        alc_status status = call((uintptr_t)busy.region, ALC_RING_REGION_SIZE, &value);
        __atomic_store_n(&stop_changing, true, __ATOMIC_RELAXED);
        pthread_join(thread, NULL);
        assert_false(busy.has_leaked);
        if (status == ALC_OK) {
            assert_true(value < ALC_STATUS_COUNT && value != ALC_E_INTERNAL);
        } else {
            /* Poisoned, or the server found the positions impossible. */
            assert_true(status == ALC_E_ENCLAVE_LOST || status == ALC_E_BAD_ARGUMENT);
        }
        busy_end(&busy);
        alc_sgx_close(enclave);
    }
}

#define TEST(function) {#function, function, setup, teardown, NULL}

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {TEST(test_honest_host_and_second_run), TEST(test_regions),
                                       TEST(test_lying_host), TEST(test_late_changes)};
    if (arguments_count != 2) {
        fprintf(stderr, "usage: hostile_enclave busy.wasm\n");
        return 2;
    }
    busy_load(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
