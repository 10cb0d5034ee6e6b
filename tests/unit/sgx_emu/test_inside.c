/* SPDX-License-Identifier: Apache-2.0
 *
 * What code inside can do that no good image does: run for ever, leave badly, run the host's code,
 * use vectors that it may not. And signals of the host that come meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "unit/sgx_emu/fixture.h"

static void build_with_code(struct fixture *fixture, const struct alc_sgx_emu_options *options,
                            const uint8_t *code, size_t size)
{
    fixture_open_with(fixture, options);
    fixture_build(fixture);
    memcpy(fixture_memory(fixture, PAGE_CODE), code, size);
}

static int enter(struct fixture *fixture, struct alc_sgx_run *run)
{
    *run = (struct alc_sgx_run){.tcs = fixture_addr(fixture, PAGE_TCS)};
    return fixture->backend->enter(fixture->context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, run);
}

static const char *violation(const struct fixture *fixture)
{
    struct alc_sgx_emu_statistics statistics;
    alc_sgx_emu_get_statistics(fixture->context, &statistics);
    return statistics.violation;
}

/* -- signals -- */

static const uint8_t for_ever[] = {0xEB, 0xFE};

/* Thread-local on purpose: a handler that ran with the enclave's FS would write elsewhere. */
static _Thread_local volatile sig_atomic_t alarms_count;

static void note_alarm(int signal_number)
{
    (void)signal_number;
    alarms_count = alarms_count + 1;
}

static int stop_after_alarm(void *context, struct alc_sgx_context *enclave, uint64_t tcs,
                            uint64_t rip_offset)
{
    (void)context;
    (void)enclave;
    (void)tcs;
    assert_int_equal(rip_offset, PAGE_CODE * FIXTURE_PAGE);
    return alarms_count != 0 ? 77 : 0;
}

static void test_handlers_run_outside(void **state)
{
    (void)state;
    struct fixture fixture;
    struct alc_sgx_run run;
    const struct alc_sgx_emu_options options = {.interrupted = stop_after_alarm};
    const struct sigaction action = {.sa_handler = note_alarm};
    build_with_code(&fixture, &options, for_ever, sizeof for_ever);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    alarms_count = 0;
    alarm(1);
    assert_int_equal(enter(&fixture, &run), 77);
    assert_int_equal(alarms_count, 1);
    fixture_close(&fixture);
}

static void test_deadly_signals_kill(void **state)
{
    (void)state;
    static const int deadly[] = {SIGINT, SIGTERM, SIGKILL};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(deadly); i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct fixture fixture;
            struct alc_sgx_run run;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            build_with_code(&fixture, NULL, for_ever, sizeof for_ever);
            (void)enter(&fixture, &run);
            _exit(1);
        }
        usleep(100000);
        assert_int_equal(kill(child, deadly[i]), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), deadly[i]);
    }
}

/* -- steps -- */

/* movq %rsp, %rdx; movq $stack, %rsp; pushq $0x1FF; movl $0x9C000000, %eax; pushfq; movq %rdx,
 * %rsp; movq %rcx, %rbx; EEXIT. PUSHFQ is 9C, and only where an instruction begins. */
static void test_the_trap_flag_is_hidden_where_it_was_pushed(void **state)
{
    (void)state;
    enum { STACK = 0x800, STACK_AT = 5, PUSHED = 0x1FF, TRAP_FLAG = 0x100 };
    uint8_t code[] = {0x48, 0x89, 0xE2, 0x48, 0xBC, 0,    0, 0, 0, 0,    0,    0,    0,
                      0x68, 0xFF, 0x01, 0,    0,    0xB8, 0, 0, 0, 0x9C, 0x9C, 0x48, 0x89,
                      0xD4, 0x48, 0x89, 0xCB, 0xB8, 4,    0, 0, 0, 0x0F, 0x01, 0xD7};
    const struct alc_sgx_emu_options options = {.step = true};
    struct fixture fixture;
    struct alc_sgx_run run;
    build_with_code(&fixture, &options, code, sizeof code);
    alc_store_u64(fixture_memory(&fixture, PAGE_CODE) + STACK_AT,
                  fixture_addr(&fixture, PAGE_DATA) + STACK);
    assert_int_equal(enter(&fixture, &run), 0);
    assert_int_equal(run.function, ALC_SGX_EEXIT);
    const uint8_t *stack = fixture_memory(&fixture, PAGE_DATA) + STACK;
    assert_int_equal(alc_load_u64(stack - 8), PUSHED);
    assert_int_equal(alc_load_u64(stack - 16) & TRAP_FLAG, 0);
    assert_int_not_equal(alc_load_u64(stack - 16), 0);
    fixture_close(&fixture);
}

/* -- bad manners -- */

static void test_exits_give_the_hosts_registers_back(void **state)
{
    (void)state;
    struct fixture fixture;
    struct alc_sgx_run run;
    static const uint8_t to_nowhere[] = {0xB8, 4, 0, 0, 0, 0x0F, 0x01, 0xD7};
    static const uint8_t good[] = {0x48, 0x89, 0xCB, 0xB8, 4, 0, 0, 0, 0x0F, 0x01, 0xD7};
    static const uint8_t moved_stack[] = {0x50, 0x48, 0x89, 0xCB, 0xB8, 4,
                                          0,    0,    0,    0x0F, 0x01, 0xD7};
    build_with_code(&fixture, NULL, good, sizeof good);
    assert_int_equal(enter(&fixture, &run), 0);
    assert_int_equal(run.function, ALC_SGX_EEXIT);
    assert_null(violation(&fixture));
    fixture_close(&fixture);
    build_with_code(&fixture, NULL, to_nowhere, sizeof to_nowhere);
    assert_int_equal(enter(&fixture, &run), -EFAULT);
    assert_non_null(violation(&fixture));
    fixture_close(&fixture);
    build_with_code(&fixture, NULL, moved_stack, sizeof moved_stack);
    assert_int_equal(enter(&fixture, &run), -EFAULT);
    assert_non_null(violation(&fixture));
    fixture_close(&fixture);
}

static void test_vectors_outside_xfrm_are_noticed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct alc_sgx_run run;
    static const uint8_t use_avx[] = {0xC5, 0xFD, 0x76, 0xC0, 0x0F, 0x0B};
    if (__builtin_cpu_supports("avx2") == 0) {
        print_message("no AVX2 here\n");
        return;
    }
    build_with_code(&fixture, NULL, use_avx, sizeof use_avx);
    assert_int_equal(enter(&fixture, &run), -EFAULT);
    assert_string_equal(violation(&fixture), "vector state outside XFRM was used");
    fixture_close(&fixture);
}

static void spin(void)
{
    for (;;) {
        __asm__ volatile("pause");
    }
}

/* mov $spin, %rax; jmp *%rax */
static void test_the_hosts_code_is_not_for_the_enclave(void **state)
{
    (void)state;
    struct fixture fixture;
    struct alc_sgx_run run;
    uint8_t escape[] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0};
    void (*target)(void) = spin;
    memcpy(escape + 2, &target, sizeof target);
    build_with_code(&fixture, NULL, escape, sizeof escape);
    assert_int_equal(enter(&fixture, &run), -EFAULT);
    assert_int_equal(run.function, ALC_SGX_ERESUME);
    assert_int_equal(run.exception_vector, ALC_SGX_VECTOR_GP);
    fixture_close(&fixture);
}

/* getpid through the host's C library is caught as well. */
static void test_the_hosts_system_calls_are_not_for_the_enclave(void **state)
{
    (void)state;
    struct fixture fixture;
    struct alc_sgx_run run;
    const struct alc_sgx_emu_options options = {.syscalls = ALC_SGX_EMU_SYSCALLS_DISPATCH};
    static const uint8_t gadget[] = {0xB8, 39, 0, 0, 0, 0x0F, 0x05, 0x0F, 0x0B};
    uint8_t escape[] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0};
    uint8_t *outside = mmap(NULL, FIXTURE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(outside, MAP_FAILED);
    memcpy(outside, gadget, sizeof gadget);
    memcpy(escape + 2, &outside, sizeof outside);
    build_with_code(&fixture, &options, escape, sizeof escape);
    assert_int_equal(enter(&fixture, &run), -EFAULT);
    assert_int_equal(run.exception_vector, ALC_SGX_VECTOR_GP);
    const struct alc_sgx_gprs *gprs =
        (void *)(fixture_memory(&fixture, PAGE_SSA + 1) - ALC_SGX_SSA_GPRS_FROM_END);
    assert_int_equal(gprs->rip, (uintptr_t)outside + 7); /* at the call, not behind UD2 */
    assert_int_equal(gprs->rax, 39);
    munmap(outside, FIXTURE_PAGE);
    fixture_close(&fixture);
}

/* Without protection keys hiding costs time, and is limited unless it is asked for. */
static void test_hiding_has_a_budget(void **state)
{
    (void)state;
    struct fixture fixture;
    struct alc_sgx_run run;
    static const uint8_t leave[] = {0x48, 0x89, 0xCB, 0xB8, 4, 0, 0, 0, 0x0F, 0x01, 0xD7};
    const struct alc_sgx_emu_options always = {.hiding = ALC_SGX_EMU_HIDE_ALWAYS};
    const struct alc_sgx_emu_options never = {.hiding = ALC_SGX_EMU_HIDE_NEVER};
    const struct alc_sgx_emu_options *const options[] = {NULL, &always, &never};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(options); i++) {
        build_with_code(&fixture, options[i], leave, sizeof leave);
        bool by_mapping = fixture.context->protection_key < 0;
        assert_int_equal(enter(&fixture, &run), 0);
        assert_int_equal(fixture.context->is_hidden, by_mapping && options[i] != &never);
        fixture.context->hiding_cycles = UINT64_MAX / 2;
        assert_int_equal(enter(&fixture, &run), 0);
        assert_int_equal(fixture.context->is_hidden, by_mapping && options[i] == &always);
        fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handlers_run_outside),
        cmocka_unit_test(test_deadly_signals_kill),
        cmocka_unit_test(test_the_trap_flag_is_hidden_where_it_was_pushed),
        cmocka_unit_test(test_exits_give_the_hosts_registers_back),
        cmocka_unit_test(test_vectors_outside_xfrm_are_noticed),
        cmocka_unit_test(test_the_hosts_code_is_not_for_the_enclave),
        cmocka_unit_test(test_the_hosts_system_calls_are_not_for_the_enclave),
        cmocka_unit_test(test_hiding_has_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
