/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be tested of the hardware side without the hardware: names in the vDSO, the wrapper that
 * makes such a function callable, the doctor, and a refusal where there is no driver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sgx/backend.h"
#include "sgx/doctor.h"
#include "sgx/vdso.h"

static void test_vdso_names(void **state)
{
    (void)state;
    typedef int clock_function(clockid_t clock, struct timespec * out);
    clock_function *read_clock = (clock_function *)alc_vdso_find("__vdso_clock_gettime");
    struct timespec ours;
    struct timespec libc;
    if (read_clock == NULL) {
        print_message("no vDSO here\n");
        skip();
    }
    assert_int_equal(read_clock(CLOCK_MONOTONIC, &ours), 0);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &libc), 0);
    assert_true(libc.tv_sec - ours.tv_sec <= 1);
    assert_int_equal(alc_vdso_find("__vdso_clock_gettim"), 0);
    assert_int_equal(alc_vdso_find(""), 0);
}

/* Stands for the vDSO and an ill-behaved enclave: spoils every register that the real one may. */
int fake_vdso(uint64_t rdi, uint64_t rsi, uint64_t rdx, uint32_t leaf, uint64_t r8, uint64_t r9,
              struct alc_sgx_run *run);
__asm__(".text\n"
        ".type fake_vdso, @function\n"
        "fake_vdso:\n"
        "    push %rbp\n"
        "    movq %rsp, %rbp\n"
        "    movq 16(%rbp), %rax\n" /* run */
        "    movq %rdi, 40(%rax)\n"
        "    movq %rsi, 48(%rax)\n"
        "    movq %rdx, 56(%rax)\n"
        "    movq %rcx, 64(%rax)\n"
        "    movq %r8, 72(%rax)\n"
        "    movq %r9, 80(%rax)\n"
        "    movq %rsp, 88(%rax)\n"
        "    movl $0x1f3f, 96(%rax)\n"
        "    ldmxcsr 96(%rax)\n"
        "    fldpi\n fldpi\n fldpi\n fldpi\n fldpi\n fldpi\n fldpi\n fldpi\n"
        "    xorl %ebx, %ebx\n"
        "    xorl %r12d, %r12d\n"
        "    xorl %r13d, %r13d\n"
        "    xorl %r14d, %r14d\n"
        "    xorl %r15d, %r15d\n"
        "    std\n"
        "    movl $-77, %eax\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size fake_vdso, . - fake_vdso\n");

static uint64_t word(const struct alc_sgx_run *run, size_t index)
{
    uint64_t value;
    memcpy(&value, run->reserved + 8 * index, 8);
    return value;
}

static void test_wrapper_keeps_the_abi(void **state)
{
    (void)state;
    struct alc_sgx_run run = {0};
    uint32_t mxcsr_before;
    uint32_t mxcsr_after;
    uint64_t flags;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr_before));
    volatile long double before = 1.5L;
    int result = alc_vdso_enter(1, 2, 3, 4, 5, 6, &run, (uintptr_t)fake_vdso);
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr_after));
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    assert_int_equal(result, -77);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(word(&run, i), i + 1);
    }
    assert_int_equal(word(&run, 6) % 16, 0); /* as after the push of a callee: aligned call */
    assert_int_equal(mxcsr_after, mxcsr_before);
    assert_int_equal(flags & 0x400, 0);
    assert_true(before * 2.0L == 3.0L); /* the x87 stack is not full */
}

static void test_doctor_names_a_remedy_for_everything_missing(void **state)
{
    (void)state;
    struct alc_doctor_report report;
    bool any_missing = false;
    alc_sgx_doctor(&report);
    assert_true(report.findings_count >= 10);
    for (size_t i = 0; i < report.findings_count; i++) {
        const struct alc_doctor_finding *finding = &report.findings[i];
        assert_true(strlen(finding->subject) > 0);
        assert_true(strlen(finding->value) > 0);
        assert_int_equal(finding->remedy == NULL, finding->state == ALC_DOCTOR_OK);
        any_missing = any_missing || finding->state == ALC_DOCTOR_MISSING;
    }
    assert_int_equal(report.hardware_usable, !any_missing);
}

static void test_no_driver_is_said(void **state)
{
    (void)state;
    struct alc_sgx_context *context = NULL;
    uint32_t capabilities = 0;
    struct alc_error error;
    if (access("/dev/sgx_enclave", F_OK) == 0) {
        print_message("this machine has a driver\n");
        skip();
    }
    alc_error_clear(&error);
    assert_int_equal(alc_sgx_hardware.open(&alc_sgx_hardware, &context, &capabilities, &error),
                     ALC_E_NOT_SUPPORTED);
    assert_null(context);
    assert_true(strlen(error.detail) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdso_names),
        cmocka_unit_test(test_wrapper_keeps_the_abi),
        cmocka_unit_test(test_doctor_names_a_remedy_for_everything_missing),
        cmocka_unit_test(test_no_driver_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
