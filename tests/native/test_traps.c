/* SPDX-License-Identifier: Apache-2.0
 *
 * Every way in which compiled code ends, inside: traps that it decides on, faults at level 1, the
 * end of its stack, and what the outcome says of it.
 */
#include "native/support.h"

#include <stdio.h>
#include <time.h>

static const char *g_module_path;
static const struct alc_compile_options plain = {.shape = ALC_COMPILE_CONFINED, .threads = 1};

static const struct {
    const char *argument;
    alc_status status;
    bool faults; /* goes to level 1 in any case; the others may, as the compiler likes */
} ways[] = {
    {"a", ALC_E_UNREACHABLE, true},
    {"b", ALC_E_DIVIDE_BY_ZERO, true},
    {"c", ALC_E_INTEGER_OVERFLOW, true},
    {"d", ALC_E_DIVIDE_BY_ZERO, true},
    {"e", ALC_E_INVALID_CONVERSION, true},
    {"f", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
    {"g", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
    {"h", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
    {"i", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
    {"j", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
    {"k", ALC_E_UNDEFINED_ELEMENT, false},
    {"l", ALC_E_UNINITIALIZED_ELEMENT, false},
    {"m", ALC_E_INDIRECT_CALL_MISMATCH, false},
    {"n", ALC_E_CALL_STACK_EXHAUSTED, true},
    {"p", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
    {"q", ALC_E_EXIT, false},
    {"r", ALC_OK, false},
    {"s", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
    {"t", ALC_E_MEMORY_OUT_OF_BOUNDS, true},
};

static void expect_way(const struct native_program *program, struct native_run *run, size_t i)
{
    run->argument = ways[i].argument;
    alc_status status = native_run(program, run);
    if (status != ALC_OK || (alc_status)run->outcome.status != ways[i].status) {
        fail_msg("%s: %s (%s), outcome %s (%s)", ways[i].argument, alc_status_text(status),
                 run->error.detail, alc_status_text((alc_status)run->outcome.status),
                 run->outcome.detail);
    }
    assert_int_equal(run->writable_code, 0);
    assert_int_equal(run->outcome.code.is_compiled, 1);
}

static void test_every_way_to_end(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &plain, &program);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(ways); i++) {
        struct native_run run = {0};
        expect_way(&program, &run, i);
        assert_true(run.exceptions_count != 0 || !ways[i].faults);
        assert_int_equal(run.outcome.code.is_verified, 1);
        assert_int_equal(run.outcome.code.vouched_by, ALC_VOUCHED_BY_NOBODY);
        bool traps = alc_status_class(ways[i].status) == ALC_CLASS_TRAP;
        if (traps) {
            assert_true(run.outcome.frames_count >= 2);
            assert_true(run.outcome.frames[0].offset != 0);
        }
    }
    native_free(&program);
}

/* Code that is not confined runs when the manifest vouches for it, and only then. */
static void test_checked_code_needs_a_voucher(void **state)
{
    (void)state;
    struct native_program program;
    const struct alc_compile_options checked = {.shape = ALC_COMPILE_CHECKED, .threads = 1};
    native_compile(g_module_path, &checked, &program);
    struct native_run unvouched = {.argument = "r"};
    assert_int_equal(native_run(&program, &unvouched), ALC_OK);
    assert_int_equal(unvouched.outcome.status, ALC_E_NATIVE_NOT_VOUCHED);
    assert_int_equal(unvouched.outcome.phase, ALC_PHASE_LOAD);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(ways); i++) {
        struct native_run run = {.native_flags = ALC_NATIVE_VOUCHED};
        expect_way(&program, &run, i);
        assert_int_equal(run.outcome.code.is_verified, 0);
        assert_int_equal(run.outcome.code.vouched_by, ALC_VOUCHED_BY_MANIFEST);
    }
    native_free(&program);
}

static void expect_refusal(const struct native_program *program, struct native_run *run,
                           alc_status status, const char *detail)
{
    run->argument = "r";
    assert_int_equal(native_run(program, run), ALC_OK);
    assert_int_equal(run->outcome.status, status);
    assert_string_equal(run->outcome.detail, detail);
    assert_int_equal(run->outcome.phase, ALC_PHASE_LOAD);
}

static void test_only_what_the_manifest_names_runs(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &plain, &program);
    struct native_run module = {.wrong_module = true};
    expect_refusal(&program, &module, ALC_E_POLICY_REFUSED, "not the module of the manifest");
    struct native_run native = {.wrong_native = true};
    expect_refusal(&program, &native, ALC_E_POLICY_REFUSED, "not the code of the manifest");
    struct native_run fuel = {.limits = {.fuel = 1000000}};
    expect_refusal(&program, &fuel, ALC_E_POLICY_REFUSED, "the code counts no fuel");
    struct native_run timeout = {.limits = {.timeout_ns = 1000000000}};
    expect_refusal(&program, &timeout, ALC_E_POLICY_REFUSED, "the code cannot be stopped");
    native_free(&program);
}

/* Each changed byte is found: by a hash, or by the reader before it. */
static void test_changed_images_are_refused(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &plain, &program);
    for (size_t at = 0; at < program.file_size; at += program.file_size / 23) {
        struct native_run run = {.argument = "r"};
        program.file[at] ^= 0x10;
        assert_int_equal(native_run(&program, &run), ALC_OK);
        program.file[at] ^= 0x10;
        assert_int_not_equal(run.outcome.status, ALC_OK);
        assert_int_equal(run.outcome.phase, ALC_PHASE_LOAD);
        assert_int_equal(run.outcome.code.is_compiled, 0);
    }
    struct native_run run = {.argument = "r"};
    assert_int_equal(native_run(&program, &run), ALC_OK);
    assert_int_equal(run.outcome.status, ALC_OK);
    native_free(&program);
}

static void test_fuel_ends_a_program(void **state)
{
    (void)state;
    struct native_program program;
    const struct alc_compile_options metered = {
        .shape = ALC_COMPILE_CONFINED, .options = ALC_NATIVE_METERED, .threads = 1};
    native_compile(g_module_path, &metered, &program);
    struct native_run endless = {.argument = "o", .limits = {.fuel = 100000}};
    assert_int_equal(native_run(&program, &endless), ALC_OK);
    assert_int_equal(endless.outcome.status, ALC_E_OUT_OF_FUEL);
    assert_true(endless.outcome.fuel_used > 99900 && endless.outcome.fuel_used <= 100000);
    struct native_run enough = {.argument = "r", .limits = {.fuel = 100000}};
    assert_int_equal(native_run(&program, &enough), ALC_OK);
    assert_int_equal(enough.outcome.status, ALC_OK);
    assert_true(enough.outcome.fuel_used > 0 && enough.outcome.fuel_used < 1000);
    native_free(&program);
}

/* What the host does at the deadline: the flag, then an entry on another thread. */
static void stop(void *context, struct alc_sgx_enclave *enclave, volatile uint64_t *stop_flag)
{
    const struct alc_sgx_call call = {.thread = 1, .ecall = ALC_ENTRY_STOP};
    struct alc_error error;
    uint64_t value;
    bool *is_over = context;
    alc_error_clear(&error);
    for (int i = 0; i < 100 && !__atomic_load_n(is_over, __ATOMIC_SEQ_CST); i++) {
        struct timespec pause = {.tv_nsec = 20000000};
        nanosleep(&pause, NULL);
        *stop_flag = 1;
        assert_int_equal(alc_sgx_call(enclave, &call, &value, &error), ALC_OK);
        assert_int_equal(value, ALC_OK);
    }
}

static void test_a_deadline_ends_a_program(void **state)
{
    (void)state;
    struct native_program program;
    bool is_over = false;
    const struct alc_compile_options interruptible = {
        .shape = ALC_COMPILE_CONFINED, .options = ALC_NATIVE_INTERRUPTIBLE, .threads = 1};
    native_compile(g_module_path, &interruptible, &program);
    struct native_run run = {.argument = "o",
                             .limits = {.timeout_ns = 3600000000000},
                             .meanwhile = stop,
                             .context = &is_over};
    assert_int_equal(native_run(&program, &run), ALC_OK);
    assert_int_equal(run.outcome.status, ALC_E_DEADLINE);
    native_free(&program);
}

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_end),
        cmocka_unit_test(test_checked_code_needs_a_voucher),
        cmocka_unit_test(test_only_what_the_manifest_names_runs),
        cmocka_unit_test(test_changed_images_are_refused),
        cmocka_unit_test(test_fuel_ends_a_program),
        cmocka_unit_test(test_a_deadline_ends_a_program),
    };
    if (arguments_count != 2) {
        fprintf(stderr, "usage: native_traps traps.wasm\n");
        return 2;
    }
    g_module_path = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
