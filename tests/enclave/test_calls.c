/* SPDX-License-Identifier: Apache-2.0
 *
 * The way in and out: what the host prepares does not get in, what is inside does not get out, and
 * entries that break the agreement are refused without harm.
 */
#include "tests/enclave/support.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "enclave/tee.h"

enum {
    FLAG_TF = 1 << 8,
    FLAG_DF = 1 << 10,
    FLAG_NT = 1 << 14,
    FLAG_AC = 1 << 18,
    MXCSR_INSIDE = 0x1FBF,
    CONTROL_WORD_INSIDE = 0x37F,
    EMPTY_TAG_WORD = 0xFFFF,
    WORK_ROUNDS = 20000,
};

/* -- what gets in -- */

static void test_entry_state_is_clean(void **state)
{
    (void)state;
    struct test_enclave test;
    const struct alc_sgx_emu_options options = {.poison_entry = true};
    test_open(&test, &options);
    for (int round = 0; round < 3; round++) {
        test_call(&test, TEST_ENTRY_STATE, 0, 0);
        const uint64_t *seen = test.pages[0].results;
        assert_int_equal(seen[STATE_RFLAGS] & (FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC), 0);
        assert_int_equal(seen[STATE_MXCSR], MXCSR_INSIDE);
        assert_int_equal(seen[STATE_CONTROL_WORD], CONTROL_WORD_INSIDE);
        assert_int_equal(seen[STATE_TAG_WORD], EMPTY_TAG_WORD);
        assert_int_equal(seen[STATE_VECTORS], 0);
        assert_int_equal(seen[STATE_FS_IS_OWN], 1);
    }
    test_close(&test);
}

/* -- what gets out -- */

struct exits {
    uint32_t count;
    uint32_t dirty;   /* not as the agreement says */
    uint32_t secrets; /* a register that held the secret */
    uint32_t odd_flags;
};

/* In the emulator's signal handler: only notes. */
static void note_exit_state(void *context, const struct alc_sgx_emu_state *seen)
{
    struct exits *exits = context;
    const uint64_t general[] = {seen->rax, seen->rcx, seen->rdx, seen->rbx, seen->rsp, seen->rbp,
                                seen->rsi, seen->rdi, seen->r8,  seen->r9,  seen->r10, seen->r11,
                                seen->r12, seen->r13, seen->r14, seen->r15};
    exits->count++;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(general); i++) {
        exits->secrets += general[i] == TEST_SECRET;
    }
    uint64_t any = seen->rdx | seen->r8 | seen->r9 | seen->r10 | seen->r11 | seen->r12 | seen->r13 |
                   seen->r14 | seen->r15;
    for (size_t i = 0; i < sizeof seen->xmm; i++) {
        any |= ((const uint8_t *)seen->xmm)[i];
    }
    exits->dirty += any != 0 || !seen->vectors_clean || seen->rax != ALC_SGX_EEXIT ||
                    seen->mxcsr != MXCSR_INSIDE || seen->fcw != CONTROL_WORD_INSIDE;
    exits->odd_flags += (seen->rflags & (FLAG_DF | FLAG_NT | FLAG_AC)) != 0;
}

static alc_status serve_nothing(void *context)
{
    (void)context;
    return ALC_OK;
}

static void test_registers_carry_nothing_out(void **state)
{
    (void)state;
    struct test_enclave test;
    struct exits exits = {0};
    const struct alc_sgx_emu_options options = {.hook_context = &exits, .exited = note_exit_state};
    test_open(&test, &options);
    test.serve = serve_nothing;
    assert_int_equal(test_call(&test, TEST_SECRETS, 0, 0), 1);
    assert_int_equal(exits.count, 2);
    (void)test_call(&test, TEST_INVALID, 0, 1); /* out of level 1, too */
    (void)test_call(&test, TEST_COMPUTE, 5, 0);
    (void)test_eenter(&test, 0, TEST_ECALLS_COUNT, 0, 0);
    assert_int_equal(exits.count, 6);
    assert_int_equal(exits.secrets, 0);
    assert_int_equal(exits.dirty, 0);
    assert_int_equal(exits.odd_flags, 0);
    test_close(&test);
}

/* -- host calls -- */

static alc_status serve_square(void *context)
{
    struct test_page *page = context;
    page->from_host = page->results[0] * page->results[0];
    return ALC_OK;
}

static void test_host_calls_come_back(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    test.serve = serve_square;
    test.serve_context = &test.pages[0];
    assert_int_equal(test_call(&test, TEST_HOST_CALLS, 0, 0), 0);
    assert_int_equal(test_call(&test, TEST_HOST_CALLS, 100, 0), 328350);
    test_close(&test);
}

static void refuse(const struct test_enclave *test, uint32_t thread, uint64_t rdi, uint64_t rsi,
                   uint64_t rdx)
{
    struct test_exit out = test_eenter(test, thread, rdi, rsi, rdx);
    if (out.reason != ALC_EXIT_REFUSED || out.value != ALC_HINT_NONE) {
        fail_msg("entered: thread %u, %#llx %#llx %#llx", thread, (unsigned long long)rdi,
                 (unsigned long long)rsi, (unsigned long long)rdx);
    }
}

static void test_forged_returns_are_refused(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    const uint64_t page = (uint64_t)(uintptr_t)&test.pages[0];
    refuse(&test, 0, ALC_ENTRY_HOST_CALL_RETURN, 0, 0); /* before anything */
    struct test_exit out = test_ecall_raw(&test, 0, TEST_HOST_CALLS, 2, 0);
    assert_int_equal(out.reason, ALC_EXIT_SERVE);
    refuse(&test, 1, ALC_ENTRY_HOST_CALL_RETURN, 0, 0); /* another thread's */
    refuse(&test, 0, TEST_COMPUTE, page, 4096);         /* not in the middle of an ecall */
    test.pages[0].from_host = 20;
    out = test_eenter(&test, 0, ALC_ENTRY_HOST_CALL_RETURN, 7, 7);
    assert_int_equal(out.reason, ALC_EXIT_SERVE);
    test.pages[0].from_host = 22;
    out = test_eenter(&test, 0, ALC_ENTRY_HOST_CALL_RETURN, 0, 0);
    assert_int_equal(out.reason, ALC_EXIT_DONE);
    assert_int_equal(out.value, 42);
    refuse(&test, 0, ALC_ENTRY_HOST_CALL_RETURN, 0, 0); /* twice */
    test_still_works(&test);
    test_close(&test);
}

/* -- parameters -- */

static void test_bogus_ecalls_are_refused(void **state)
{
    (void)state;
    static const uint64_t ecalls[] = {
        TEST_ECALLS_COUNT,    TEST_ECALLS_COUNT + 1,   UINT64_C(0x7FFFFFFF),
        UINT64_C(0x80000000), UINT64_C(0xFFFFFFFF),    UINT64_C(0x100000000),
        UINT64_C(1) << 63,    (UINT64_C(1) << 63) | 1, UINT64_MAX - 1};
    struct test_enclave test;
    test_open(&test, NULL);
    const uint64_t page = (uint64_t)(uintptr_t)&test.pages[0];
    for (size_t i = 0; i < ALC_ARRAY_COUNT(ecalls); i++) {
        refuse(&test, 0, ecalls[i], page, 4096);
    }
    test_still_works(&test);
    test_close(&test);
}

static void test_regions_inside_are_refused(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    const uint64_t page = (uint64_t)(uintptr_t)&test.pages[0];
    const uint64_t start = test.base;
    const uint64_t size = test.layout.elrange_size;
    const struct {
        uint64_t base, size;
    } regions[] = {
        {start, 4096},
        {start + size - 4096, 4096},
        {start + test.layout.heap_offset, 1 << 20},
        {start - 4096, 4097},            /* reaches in */
        {start - 4096, 2 * 4096 + size}, /* around all of it */
        {start - 4096, UINT64_MAX},      /* wraps */
        {page, UINT64_MAX},
        {UINT64_MAX - 4095, 4097},
        {page + 8, 4096}, /* not aligned */
        {page + 1, 4096},
        {page, 0},
        {start, 0},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(regions); i++) {
        refuse(&test, 0, TEST_COMPUTE, regions[i].base, regions[i].size);
    }
    test_still_works(&test);
    test_close(&test);
}

static void test_outside_means_wholly_outside(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    const uint64_t start = test.base;
    const uint64_t end = start + test.layout.elrange_size;
    const struct {
        uint64_t addr, size;
        bool outside;
    } cases[] = {
        {start - 1, 1, true},
        {start - 1, 2, false},
        {start, 0, false},
        {start, 1, false},
        {end - 1, 1, false},
        {end - 1, 2, false},
        {end, 1, true},
        {end, 0, true},
        {start - 1, 0, true},
        {0, start, true},
        {0, start + 1, false},
        {0, UINT64_MAX, false},
        {UINT64_MAX, 1, true},
        {UINT64_MAX, 2, false},
        {end, UINT64_MAX - end, true},
        {end, UINT64_MAX, false},
        {start - 4096, 1 + (end - start) + 4096, false},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        assert_int_equal(test_call(&test, TEST_OUTSIDE, cases[i].addr, cases[i].size),
                         cases[i].outside);
    }
    test_close(&test);
}

/* -- leaves that the host may not use so -- */

static void test_wrong_entries_fault(void **state)
{
    (void)state;
    static const uint64_t none[3];
    struct test_enclave test;
    struct test_exit out;
    test_open(&test, NULL);
    struct alc_sgx_run run = {.tcs = test.base}; /* a page of code is no TCS */
    assert_int_not_equal(test.backend.enter(test.context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), 0);
    run.tcs = test_tcs(&test, 0) + 8;
    assert_int_not_equal(test.backend.enter(test.context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), 0);
    run.tcs = test.base - 4096;
    assert_int_not_equal(test.backend.enter(test.context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), 0);
    /* Nothing was interrupted. */
    bool refused =
        test_enter(&test, 0, ALC_SGX_ERESUME, none, &out) != 0 || out.function != ALC_SGX_EEXIT;
    assert_true(refused);
    assert_int_not_equal(test_enter(&test, 0, ALC_SGX_EEXIT, none, &out), 0);
    assert_int_not_equal(test_enter(&test, 0, 99, none, &out), 0);
    test_still_works(&test);
    test_close(&test);
}

/* -- poison -- */

static void test_poisoned_enclaves_refuse_everything(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    struct test_exit out = test_ecall_raw(&test, 1, TEST_HOST_CALLS, 2, 0);
    assert_int_equal(out.reason, ALC_EXIT_SERVE);
    out = test_ecall_raw(&test, 0, TEST_POISON, ALC_HINT_IMAGE + 77, 0);
    assert_int_equal(out.reason, ALC_EXIT_REFUSED);
    assert_int_equal(out.value, ALC_HINT_IMAGE + 77);
    const uint64_t page = (uint64_t)(uintptr_t)&test.pages[0];
    for (uint32_t thread = 0; thread < TEST_THREADS; thread++) {
        refuse(&test, thread, TEST_ENTRY_STATE, page, 4096);
        refuse(&test, thread, ALC_ENTRY_HOST_CALL_RETURN, 0, 0); /* thread 1 has one in flight */
    }
    assert_int_equal(test.pages[0].results[STATE_MXCSR], 0); /* nothing ran */
    assert_int_equal(test.pages[1].results[0], 0);
    uint64_t value;
    assert_int_equal(test_try(&test, TEST_COMPUTE, 1, 0, &value), ALC_E_ENCLAVE_LOST);
    test_close(&test);
}

struct waiter {
    struct test_enclave *test;
    pthread_t thread;
    struct test_exit exit;
};

static void *wait_inside(void *argument)
{
    struct waiter *waiter = argument;
    const uint64_t registers[3] = {TEST_WAIT, (uint64_t)(uintptr_t)&waiter->test->pages[1], 4096};
    (void)test_enter(waiter->test, 1, ALC_SGX_EENTER, registers, &waiter->exit);
    return NULL;
}

/* Whoever is inside at the time does not get out with an answer. */
static void test_poison_reaches_threads_inside(void **state)
{
    (void)state;
    for (uint64_t calls_host = 0; calls_host < 2; calls_host++) {
        struct test_enclave test;
        struct waiter waiter = {.test = &test};
        test_open(&test, NULL);
        volatile struct test_page *page = &test.pages[1];
        page->args[0] = calls_host;
        assert_int_equal(pthread_create(&waiter.thread, NULL, wait_inside, &waiter), 0);
        while (page->results[0] == 0) {
            sched_yield();
        }
        struct test_exit out = test_ecall_raw(&test, 0, TEST_POISON, ALC_HINT_IMAGE, 0);
        assert_int_equal(out.reason, ALC_EXIT_REFUSED);
        page->from_host = 1;
        assert_int_equal(pthread_join(waiter.thread, NULL), 0);
        assert_int_equal(waiter.exit.function, ALC_SGX_EEXIT);
        assert_int_equal(waiter.exit.reason, ALC_EXIT_REFUSED);
        test_close(&test);
    }
}

static void test_smashed_stacks_are_the_end(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    struct test_exit out = test_ecall_raw(&test, 0, TEST_SMASH_STACK, 0, 0);
    assert_int_equal(out.reason, ALC_EXIT_REFUSED);
    assert_int_equal(out.value, ALC_HINT_STACK_SMASHED);
    refuse(&test, 2, TEST_COMPUTE, 0, 0);
    test_close(&test);
}

static void test_a_stack_ends_at_a_gap(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t value;
    test_open(&test, NULL);
    assert_int_equal(test_try(&test, TEST_RECURSE, 0, 0, &value), ALC_E_ENCLAVE_LOST);
    refuse(&test, 1, TEST_COMPUTE, 0, 0);
    test_close(&test);
}

/* -- threads -- */

static void test_guards_are_random(void **state)
{
    (void)state;
    uint64_t guards[2][TEST_THREADS];
    for (int load = 0; load < 2; load++) {
        struct test_enclave test;
        test_open(&test, NULL);
        for (uint32_t thread = 0; thread < TEST_THREADS; thread++) {
            guards[load][thread] = test_ecall_raw(&test, thread, TEST_GUARD, 0, 0).value;
            assert_int_equal(guards[load][thread] & 0xFF, 0);
            assert_int_equal(test_ecall_raw(&test, thread, TEST_GUARD, 0, 0).value,
                             guards[load][thread]);
        }
        test_close(&test);
    }
    for (int i = 0; i < 2 * TEST_THREADS; i++) {
        for (int j = 0; j < i; j++) {
            assert_int_not_equal((&guards[0][0])[i], (&guards[0][0])[j]);
        }
    }
}

struct visitor {
    struct test_enclave *test;
    pthread_t thread;
    alc_status status;
    uint64_t value;
    uint64_t results[4];
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    struct test_enclave *test = visitor->test;
    const struct alc_sgx_call call = {
        .thread = ALC_SGX_ANY_THREAD,
        .ecall = TEST_MEET,
        .region = &test->pages[0],
        .region_size = sizeof test->pages[0],
    };
    struct alc_error error;
    alc_error_clear(&error);
    visitor->status = alc_sgx_call(test->enclave, &call, &visitor->value, &error);
    return NULL;
}

static void test_threads_are_inside_together(void **state)
{
    (void)state;
    struct test_enclave test;
    struct visitor visitors[TEST_THREADS];
    uint64_t seen = 0;
    test_open(&test, NULL);
    test.pages[0].args[0] = TEST_THREADS;
    for (int i = 0; i < TEST_THREADS; i++) { /* the first entries, at the same time */
        visitors[i].test = &test;
        assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < TEST_THREADS; i++) {
        assert_int_equal(pthread_join(visitors[i].thread, NULL), 0);
        assert_int_equal(visitors[i].status, ALC_OK);
        seen |= UINT64_C(1) << visitors[i].value;
    }
    assert_int_equal(seen, (1 << TEST_THREADS) - 1);
    test_still_works(&test);
    test_close(&test);
}

/* Computes, calls the host, grows and faults, all at the same time. */
static void *work(void *argument)
{
    struct visitor *visitor = argument;
    struct test_enclave *test = visitor->test;
    struct test_page *page = &test->pages[visitor->value];
    static const struct {
        enum test_ecall ecall;
        uint64_t first, second;
    } steps[] = {
        {TEST_COMPUTE, WORK_ROUNDS, 0},
        {TEST_HOST_CALLS, 100, 0},
        {TEST_COMMIT, 64 * 4096, 3},
        {TEST_COMPUTE, WORK_ROUNDS, 0},
    };
    struct alc_sgx_call call = {
        .thread = (int32_t)visitor->value,
        .region = page,
        .region_size = sizeof *page,
        .serve = serve_square,
        .context = page,
    };
    struct alc_error error;
    alc_error_clear(&error);
    visitor->status = ALC_OK;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(steps) && visitor->status == ALC_OK; i++) {
        page->args[0] = steps[i].first;
        page->args[1] = steps[i].second;
        call.ecall = steps[i].ecall;
        visitor->status = alc_sgx_call(test->enclave, &call, &visitor->results[i], &error);
    }
    return NULL;
}

static void test_threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct test_enclave test;
    struct visitor visitors[TEST_THREADS];
    test_open(&test, NULL);
    for (uint64_t i = 0; i < TEST_THREADS; i++) {
        visitors[i] = (struct visitor){.test = &test, .value = i};
        assert_int_equal(pthread_create(&visitors[i].thread, NULL, work, &visitors[i]), 0);
    }
    for (int i = 0; i < TEST_THREADS; i++) {
        assert_int_equal(pthread_join(visitors[i].thread, NULL), 0);
        assert_int_equal(visitors[i].status, ALC_OK);
    }
    uint64_t computed = test_call(&test, TEST_COMPUTE, WORK_ROUNDS, 0);
    for (int i = 0; i < TEST_THREADS; i++) {
        const uint64_t expected[] = {computed, 328350, 0, computed};
        assert_memory_equal(visitors[i].results, expected, sizeof expected);
    }
    test_close(&test);
}

/* -- other processors, other ways -- */

static void runs_with(const struct alc_sgx_emu_options *options)
{
    struct test_enclave test;
    test_open(&test, options);
    test.serve = serve_square;
    test.serve_context = &test.pages[0];
    uint64_t computed = test_call(&test, TEST_COMPUTE, 10, 0);
    assert_int_equal(test_call(&test, TEST_HOST_CALLS, 100, 0), 328350);
    assert_int_equal(test_call(&test, TEST_INVALID, 0, 1), 1);
    assert_int_equal(test_call(&test, TEST_COMMIT, 20 * 4096, 2), 0);
    assert_int_equal(test_call(&test, TEST_COMPUTE, 10, 0), computed);
    test_close(&test);
}

static void test_enclu_may_raise_general_protection(void **state)
{
    (void)state;
    const struct alc_sgx_emu_options options = {.trap_by_gp = true};
    runs_with(&options);
}

/* Every page that the enclave has: a host that reads it gets an error. */
static void test_memory_is_hidden_from_the_host(void **state)
{
    (void)state;
    const struct alc_sgx_emu_options options = {.hiding = ALC_SGX_EMU_HIDE_ALWAYS};
    struct test_enclave test;
    struct alc_image image;
    struct alc_image_page page;
    size_t position = 0;
    uint32_t pages_count = 0;
    int ends[2];
    runs_with(&options);
    test_open(&test, &options);
    test_still_works(&test);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(alc_image_parse(enclave_test_image, enclave_test_image_size, &image, NULL),
                     ALC_OK);
    while (alc_image_next_page(&image, &position, &page)) {
        const void *inside = (const void *)(uintptr_t)(test.base + page.offset);
        assert_int_equal(write(ends[1], inside, 8), -1);
        pages_count++;
    }
    assert_true(pages_count > 50);
    close(ends[0]);
    close(ends[1]);
    test_close(&test);
}

/* -- what C code stands on -- */

static void test_memory_functions_are_right(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    assert_int_equal(test_call(&test, TEST_MEMORY_FUNCTIONS, 0, 0), 0);
    test_close(&test);
}

static void test_entropy_differs(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    assert_int_equal(test_call(&test, TEST_ENTROPY, 0, 0), 0);
    const uint64_t *words = test.pages[0].results;
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < i; j++) {
            assert_int_not_equal(words[i], words[j]);
        }
    }
    test_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_state_is_clean),
        cmocka_unit_test(test_registers_carry_nothing_out),
        cmocka_unit_test(test_host_calls_come_back),
        cmocka_unit_test(test_forged_returns_are_refused),
        cmocka_unit_test(test_bogus_ecalls_are_refused),
        cmocka_unit_test(test_regions_inside_are_refused),
        cmocka_unit_test(test_outside_means_wholly_outside),
        cmocka_unit_test(test_wrong_entries_fault),
        cmocka_unit_test(test_poisoned_enclaves_refuse_everything),
        cmocka_unit_test(test_poison_reaches_threads_inside),
        cmocka_unit_test(test_smashed_stacks_are_the_end),
        cmocka_unit_test(test_a_stack_ends_at_a_gap),
        cmocka_unit_test(test_guards_are_random),
        cmocka_unit_test(test_threads_are_inside_together),
        cmocka_unit_test(test_threads_do_not_disturb_each_other),
        cmocka_unit_test(test_enclu_may_raise_general_protection),
        cmocka_unit_test(test_memory_is_hidden_from_the_host),
        cmocka_unit_test(test_memory_functions_are_right),
        cmocka_unit_test(test_entropy_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
