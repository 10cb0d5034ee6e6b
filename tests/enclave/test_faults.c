/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions inside: handled where the code has a handler, the end where it has none; what the host
 * learns, and that claims of its own change nothing.
 */
#include "tests/enclave/support.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enclave/tee.h"

enum { IN_PAGE = 0x123 };

/* A page of the range that is never added. */
static uint64_t gap_offset(const struct test_enclave *test)
{
    return test->layout.ranges[0].offset + test->layout.ranges[0].size + IN_PAGE;
}

static void test_invalid_instructions_reach_their_handler(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(test_call(&test, TEST_INVALID, 0, 1), 1);
        assert_int_equal(test.pages[0].results[FAULT_COUNT], 1);
        assert_int_equal(test.pages[0].results[FAULT_VECTOR], ALC_SGX_VECTOR_UD);
    }
    assert_int_equal(alc_sgx_exceptions_count(test.enclave), 3);
    test_still_works(&test);
    test_close(&test);
}

static void test_page_faults_name_the_byte(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    for (int write = 0; write < 2; write++) {
        uint64_t value = test_call(&test, write ? TEST_WRITE : TEST_READ, gap_offset(&test), 1);
        const uint64_t *seen = test.pages[0].results;
        assert_int_equal(value, 1);
        assert_int_equal(seen[FAULT_COUNT], 1);
        assert_int_equal(seen[FAULT_VECTOR], ALC_SGX_VECTOR_PF);
        assert_int_equal(seen[FAULT_ADDR], test.base + gap_offset(&test));
        assert_int_equal((seen[FAULT_ERROR_CODE] & ALC_SGX_PF_WRITE) != 0, write);
        assert_int_not_equal(seen[FAULT_ERROR_CODE] & ALC_SGX_PF_USER, 0);
    }
    assert_int_equal(test_call(&test, TEST_READ, test.layout.ranges[0].offset, 1), 0);
    assert_int_equal(test.pages[0].results[FAULT_COUNT], 0); /* nothing wrong with reading code */
    test_close(&test);
}

static void test_the_host_learns_only_the_page(void **state)
{
    (void)state;
    struct test_enclave test;
    struct test_exit out;
    test_open(&test, NULL);
    test.pages[0].args[0] = gap_offset(&test);
    test.pages[0].args[1] = 1;
    const uint64_t registers[3] = {TEST_READ, (uint64_t)(uintptr_t)&test.pages[0], 4096};
    assert_int_equal(test_enter(&test, 0, ALC_SGX_EENTER, registers, &out), 0);
    assert_int_not_equal(out.function, ALC_SGX_EEXIT);
    assert_int_equal(out.vector, ALC_SGX_VECTOR_PF);
    assert_int_equal(out.addr, test.base + gap_offset(&test) - IN_PAGE);
    /* Level 1 answers, once; later entries at level 1 find nothing and change nothing. */
    for (int round = 0; round < 4; round++) {
        struct test_exit answer = test_eenter(&test, 0, ~UINT64_C(0), ~UINT64_C(0), 0);
        assert_int_equal(answer.reason, ALC_EXIT_RESUME);
    }
    assert_int_equal(test_enter(&test, 0, ALC_SGX_ERESUME, registers, &out), 0);
    assert_int_equal(out.function, ALC_SGX_EEXIT);
    assert_int_equal(out.reason, ALC_EXIT_DONE);
    assert_int_equal(out.value, 1);
    assert_int_equal(test.pages[0].results[FAULT_COUNT], 1);
    test_close(&test);
}

static void test_code_is_not_writable(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    for (uint64_t i = 0; i < test.layout.ranges_count; i++) {
        const struct alc_layout_range *range = &test.layout.ranges[i];
        bool writable = (range->permissions & ALC_SGX_PAGE_WRITE) != 0;
        if (writable) {
            continue;
        }
        assert_int_equal(test_call(&test, TEST_WRITE, range->offset, 1), 1);
        const uint64_t *seen = test.pages[0].results;
        assert_int_equal(seen[FAULT_VECTOR], ALC_SGX_VECTOR_PF);
        assert_int_equal(seen[FAULT_ADDR], test.base + range->offset);
        assert_int_not_equal(seen[FAULT_ERROR_CODE] & ALC_SGX_PF_WRITE, 0);
    }
    test_still_works(&test);
    test_close(&test);
}

/* -- instructions that do not work inside -- */

/* Whether this machine can make CPUID fault: ARCH_SET_CPUID. */
static bool can_fault_cpuid(void)
{
    return syscall(SYS_arch_prctl, 0x1012, 1L) == 0;
}

static void forbidden_instructions_fault(const struct alc_sgx_emu_options *options)
{
    struct test_enclave test;
    test_open(&test, options);
    for (uint64_t i = 0; i < FORBIDDEN_COUNT; i++) {
        if (i == FORBIDDEN_CPUID && !(options->fault_cpuid && can_fault_cpuid())) {
            print_message("CPUID inside: not tried\n");
            continue;
        }
        assert_int_equal(test_call(&test, TEST_FORBIDDEN, i, 1), 1);
        assert_int_equal(test.pages[0].results[FAULT_COUNT], 1);
        uint64_t vector = test.pages[0].results[FAULT_VECTOR];
        if (i == FORBIDDEN_SYSCALL || i == FORBIDDEN_CPUID) {
            assert_int_equal(vector, ALC_SGX_VECTOR_UD);
        } else {
            assert_true(vector == ALC_SGX_VECTOR_UD || vector == ALC_SGX_VECTOR_GP);
        }
    }
    test_still_works(&test);
    test_close(&test);
}

static void test_forbidden_instructions_fault(void **state)
{
    (void)state;
    const struct alc_sgx_emu_options options = {.fault_cpuid = true};
    forbidden_instructions_fault(&options);
}

static void test_filters_stop_system_calls_too(void **state)
{
    (void)state;
    const struct alc_sgx_emu_options options = {.syscalls = ALC_SGX_EMU_SYSCALLS_SECCOMP};
    forbidden_instructions_fault(&options);
}

/* -- without a handler -- */

static void ends_with(enum test_ecall ecall, uint64_t first, uint64_t hint)
{
    struct test_enclave test;
    struct test_exit out;
    test_open(&test, NULL);
    if (ecall == TEST_READ || ecall == TEST_WRITE) {
        first = first == 0 ? gap_offset(&test) : first;
    }
    test.pages[0].args[0] = first;
    test.pages[0].args[1] = 0;
    const uint64_t registers[3] = {ecall, (uint64_t)(uintptr_t)&test.pages[0], 4096};
    assert_int_equal(test_enter(&test, 0, ALC_SGX_EENTER, registers, &out), 0);
    assert_int_not_equal(out.function, ALC_SGX_EEXIT);
    for (int round = 0; round < 2; round++) { /* asking again does not help */
        out = test_eenter(&test, 0, 0, 0, 0);
        assert_int_equal(out.reason, ALC_EXIT_REFUSED);
        if (round == 0) {
            assert_int_equal(out.value, hint);
        }
        /* Nor does going on without leave. */
        assert_int_equal(test_enter(&test, 0, ALC_SGX_ERESUME, registers, &out), 0);
        assert_int_not_equal(out.function, ALC_SGX_EEXIT);
        assert_int_equal(out.vector, ALC_SGX_VECTOR_UD);
    }
    out = test_eenter(&test, 1, TEST_COMPUTE, (uint64_t)(uintptr_t)&test.pages[1], 4096);
    assert_int_equal(out.reason, ALC_EXIT_REFUSED);
    test_close(&test);
}

static void test_unhandled_exceptions_are_the_end(void **state)
{
    (void)state;
    ends_with(TEST_INVALID, 0, ALC_HINT_EXCEPTION + ALC_SGX_VECTOR_UD);
    ends_with(TEST_READ, 0, ALC_HINT_EXCEPTION + ALC_SGX_VECTOR_PF);
    ends_with(TEST_WRITE, 0, ALC_HINT_EXCEPTION + ALC_SGX_VECTOR_PF);
    ends_with(TEST_FORBIDDEN, FORBIDDEN_SYSCALL, ALC_HINT_EXCEPTION + ALC_SGX_VECTOR_UD);
}

static void test_the_loader_loses_such_enclaves(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t value;
    test_open(&test, NULL);
    assert_int_equal(test_try(&test, TEST_INVALID, 0, 0, &value), ALC_E_ENCLAVE_LOST);
    assert_int_equal(test_try(&test, TEST_COMPUTE, 1, 0, &value), ALC_E_ENCLAVE_LOST);
    test_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invalid_instructions_reach_their_handler),
        cmocka_unit_test(test_page_faults_name_the_byte),
        cmocka_unit_test(test_the_host_learns_only_the_page),
        cmocka_unit_test(test_code_is_not_writable),
        cmocka_unit_test(test_forbidden_instructions_fault),
        cmocka_unit_test(test_unhandled_exceptions_are_the_end),
        cmocka_unit_test(test_the_loader_loses_such_enclaves),
        cmocka_unit_test(test_filters_stop_system_calls_too), /* last: the filter stays */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
