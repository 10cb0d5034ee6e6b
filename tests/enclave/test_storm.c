/* SPDX-License-Identifier: Apache-2.0
 *
 * Interruptions: by signals at random, after every single instruction, and by a host that enters
 * level 1 after every instruction of level 0, its entry and exit code included (SmashEx, Sigy).
 * What comes out is what comes out undisturbed.
 */
#include "tests/enclave/support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "enclave/tee.h"

enum {
    STEPPED_ROUNDS = 1,
    LONG_ROUNDS = 400000,
    STORM_PERIOD_NS = 50000,
    STORM_MIN = 100,
    ENTRY_CODE_SIZE = 0x2FF, /* of alc_enclave_entry, at the start of the image */
};

/* -- a storm of signals -- */

static alc_status serve_square(void *context)
{
    struct test_page *page = context;
    page->from_host = page->results[0] * page->results[0];
    return ALC_OK;
}

struct storm {
    pthread_t target;
    atomic_bool over;
};

static void *blow(void *argument)
{
    struct storm *storm = argument;
    const struct timespec pause = {.tv_nsec = STORM_PERIOD_NS};
    while (!atomic_load(&storm->over)) {
        nanosleep(&pause, NULL);
        pthread_kill(storm->target, alc_sgx_emu_preempt_signal());
    }
    return NULL;
}

static void test_a_storm_changes_nothing(void **state)
{
    (void)state;
    struct test_enclave test;
    struct storm storm = {.target = pthread_self()};
    struct alc_sgx_emu_statistics before;
    struct alc_sgx_emu_statistics after;
    pthread_t thread;
    test_open(&test, NULL);
    uint64_t expected = test_call(&test, TEST_COMPUTE, LONG_ROUNDS, 0);
    alc_sgx_emu_get_statistics(test.context, &before);
    assert_int_equal(pthread_create(&thread, NULL, blow, &storm), 0);
    uint64_t disturbed = test_call(&test, TEST_COMPUTE, LONG_ROUNDS, 0);
    uint64_t fault = test_call(&test, TEST_INVALID, 0, 1);
    test.serve = serve_square;
    test.serve_context = &test.pages[0];
    uint64_t gs_lost = test_call(&test, TEST_GS, 20 * (uint64_t)LONG_ROUNDS, 0);
    atomic_store(&storm.over, true);
    pthread_join(thread, NULL);
    alc_sgx_emu_get_statistics(test.context, &after);
    assert_int_equal(disturbed, expected);
    assert_int_equal(fault, 1);
    assert_int_equal(gs_lost, 0);
    print_message("%u interrupts\n", (unsigned)(after.interrupts - before.interrupts));
    assert_true(after.interrupts - before.interrupts >= STORM_MIN);
    test_close(&test);
}

/* -- every instruction -- */

/* What whole ecalls give: computing, host calls, exceptions, growth, poisoning at the end. */
struct results {
    uint64_t computed;
    uint64_t called;
    uint64_t handled;
    uint64_t seen_vector;
    uint64_t committed;
    uint64_t secrets_kept;
    uint64_t gs_lost;
    uint64_t refused;
};

static void run_everything(struct test_enclave *test, struct results *out)
{
    test->serve = serve_square;
    test->serve_context = &test->pages[0];
    memset(out, 0, sizeof *out);
    out->computed = test_call(test, TEST_COMPUTE, STEPPED_ROUNDS, 0);
    out->called = test_call(test, TEST_HOST_CALLS, 3, 0);
    out->handled = test_call(test, TEST_INVALID, 0, 1);
    out->seen_vector = test->pages[0].results[FAULT_VECTOR];
    out->committed = test_call(test, TEST_COMMIT, 4096, 2);
    out->secrets_kept = test_call(test, TEST_SECRETS, 0, 0);
    out->gs_lost = test_call(test, TEST_GS, 40, 0);
    out->refused = test_eenter(test, 0, TEST_ECALLS_COUNT, 0, 0).reason;
}

static void expect_everything(struct results *out)
{
    struct test_enclave test;
    test_open(&test, NULL);
    run_everything(&test, out);
    test_close(&test);
    assert_int_equal(out->called, 0 + 1 + 4);
    assert_int_equal(out->seen_vector, ALC_SGX_VECTOR_UD);
    assert_int_equal(out->committed, 0);
    assert_int_equal(out->secrets_kept, 1);
    assert_int_equal(out->gs_lost, 0);
    assert_int_equal(out->refused, ALC_EXIT_REFUSED);
}

static void test_every_instruction_may_be_interrupted(void **state)
{
    (void)state;
    struct test_enclave test;
    struct results expected;
    struct results stepped;
    struct alc_sgx_emu_statistics statistics;
    const struct alc_sgx_emu_options options = {.step = true, .hiding = ALC_SGX_EMU_HIDE_NEVER};
    expect_everything(&expected);
    test_open(&test, &options);
    run_everything(&test, &stepped);
    alc_sgx_emu_get_statistics(test.context, &statistics);
    assert_memory_equal(&stepped, &expected, sizeof expected);
    print_message("%u instructions\n", (unsigned)statistics.interrupts);
    assert_true(statistics.interrupts > 3000);
    test_close(&test);
}

/* -- level 1 after every instruction -- */

struct intruder {
    struct test_enclave *test;
    uint64_t entries;
    uint64_t wrong; /* answers other than "resume" */
    uint64_t in_entry_code;
    uint64_t too_deep; /* refused by the processor: level 1 was interrupted itself */
    bool inside;       /* entries from here are stepped, too */
};

/* How many levels of the thread are interrupted. */
static uint32_t current_ssa(const struct intruder *intruder)
{
    struct alc_sgx_tcs tcs;
    uint64_t offset = test_tcs(intruder->test, 0) - intruder->test->base;
    memcpy(&tcs, alc_sgx_emu_memory(intruder->test->context) + offset, sizeof tcs);
    return tcs.current_ssa;
}

static int intrude(void *context, struct alc_sgx_context *enclave, uint64_t tcs,
                   uint64_t rip_offset)
{
    struct intruder *intruder = context;
    static const uint64_t hostile[3] = {ALC_ENTRY_HOST_CALL_RETURN, 0x4141414141414141, 1};
    struct test_exit out;
    (void)enclave;
    if (intruder->inside) {
        return 0;
    }
    intruder->inside = true;
    bool is_first_thread = tcs == test_tcs(intruder->test, 0);
    bool is_too_deep = current_ssa(intruder) > 1;
    int result = test_enter(intruder->test, 0, ALC_SGX_EENTER, hostile, &out);
    bool has_left = result == 0 && out.function == ALC_SGX_EEXIT;
    if (is_too_deep) { /* the handler of a real exception */
        intruder->too_deep++;
        intruder->wrong += has_left;
    } else {
        intruder->entries++;
        intruder->in_entry_code += rip_offset < ENTRY_CODE_SIZE;
        intruder->wrong +=
            !is_first_thread || !has_left || out.reason != ALC_EXIT_RESUME || out.value != 0;
    }
    intruder->inside = false;
    return 0;
}

static void test_level_1_may_be_entered_anywhere(void **state)
{
    (void)state;
    struct test_enclave test;
    struct results expected;
    struct results disturbed;
    struct intruder intruder = {.test = &test};
    const struct alc_sgx_emu_options options = {
        .step = true,
        .step_level_0_only = true,
        .hiding = ALC_SGX_EMU_HIDE_NEVER,
        .hook_context = &intruder,
        .interrupted = intrude,
    };
    expect_everything(&expected);
    test_open(&test, &options);
    run_everything(&test, &disturbed);
    assert_memory_equal(&disturbed, &expected, sizeof expected);
    print_message("%u entries at level 1, %u of them in entry code\n", (unsigned)intruder.entries,
                  (unsigned)intruder.in_entry_code);
    assert_int_equal(intruder.wrong, 0);
    assert_true(intruder.entries > 3000);
    assert_true(intruder.in_entry_code > 100);
    /* While a thread is on its way to the end, level 1 neither stops nor saves it. */
    struct test_exit out = test_ecall_raw(&test, 0, TEST_POISON, ALC_HINT_IMAGE, 0);
    assert_int_equal(out.reason, ALC_EXIT_REFUSED);
    assert_int_equal(out.value, ALC_HINT_IMAGE);
    assert_int_equal(intruder.wrong, 0);
    out = test_ecall_raw(&test, 0, TEST_COMPUTE, 1, 0);
    assert_int_equal(out.reason, ALC_EXIT_REFUSED);
    test_close(&test);
}

/* The first entry of all: before there is a stack guard or a relocated image. Level 1 is stepped,
 * too, and so is the handler of an exception, where the processor lets nobody in. */
static void test_level_1_may_come_first(void **state)
{
    (void)state;
    struct test_enclave test;
    struct intruder intruder = {.test = &test};
    const struct alc_sgx_emu_options options = {
        .step = true,
        .hiding = ALC_SGX_EMU_HIDE_NEVER,
        .hook_context = &intruder,
        .interrupted = intrude,
    };
    test_open(&test, &options);
    uint64_t guard = test_call(&test, TEST_GUARD, 0, 0);
    assert_int_not_equal(guard, 0);
    assert_int_equal(test_call(&test, TEST_GUARD, 0, 0), guard);
    assert_int_equal(test_call(&test, TEST_INVALID, 0, 1), 1);
    assert_int_equal(intruder.wrong, 0);
    assert_true(intruder.in_entry_code > 20);
    assert_true(intruder.too_deep > 20);
    test_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_storm_changes_nothing),
        cmocka_unit_test(test_every_instruction_may_be_interrupted),
        cmocka_unit_test(test_level_1_may_come_first),
        cmocka_unit_test(test_level_1_may_be_entered_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
