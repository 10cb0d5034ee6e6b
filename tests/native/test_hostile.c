/* SPDX-License-Identifier: Apache-2.0
 *
 * Hosts that do not do what compiled code counts on: no help with code pages, entries at level 1 in
 * the middle of everything, pages that vanish. Programs end as they would, or not at all.
 */
#include "native/support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "hostcall/hostcall_host.h"
#include "hostile/intruder.h"

enum { IMAGE_MAX = 64 << 20 };

static const char *g_module_path;
static bool g_is_campaign; /* all ways to end, not one */
static const struct alc_compile_options plain = {.shape = ALC_COMPILE_CONFINED, .threads = 1};

/* -- code pages -- */

static int refuse_to_restrict(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                              uint64_t permissions, uint64_t *result)
{
    (void)context;
    (void)offset;
    (void)length;
    (void)permissions;
    *result = 0;
    return -ENODEV;
}

static int restrict_nothing(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                            uint64_t permissions, uint64_t *result)
{
    (void)refuse_to_restrict(context, offset, length, permissions, result);
    return 0;
}

/* The image's own code is mapped as it should be: it lies at the start. */
static int map_without_execution(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                                 int protection)
{
    if (offset >= IMAGE_MAX) {
        protection &= ~PROT_EXEC;
    }
    return alc_sgx_emu_backend()->map(context, offset, length, protection);
}

static void test_code_that_the_host_does_not_protect_never_runs(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &plain, &program);
    for (int kind = 0; kind < 2; kind++) {
        struct alc_sgx_backend backend = *alc_sgx_emu_backend();
        struct native_run run = {.argument = "r", .backend = &backend};
        backend.restrict_permissions = kind == 0 ? refuse_to_restrict : restrict_nothing;
        assert_int_equal(native_run(&program, &run), ALC_OK);
        assert_int_equal(run.outcome.status, ALC_E_HOST_LIED);
        assert_int_equal(run.outcome.phase, ALC_PHASE_LOAD);
        assert_int_equal(run.writable_code, 0);
    }
    native_free(&program);
}

static void test_code_that_is_not_mapped_stops_the_enclave(void **state)
{
    (void)state;
    struct native_program program;
    struct alc_sgx_backend backend = *alc_sgx_emu_backend();
    struct native_run run = {.argument = "r", .backend = &backend};
    native_compile(g_module_path, &plain, &program);
    backend.map = map_without_execution;
    assert_int_equal(native_run(&program, &run), ALC_E_ENCLAVE_LOST);
    assert_int_equal(run.exceptions_count, 1);
    assert_int_equal(run.outcome_size, 0);
    native_free(&program);
}

/* -- level 1 -- */

/* Level 0 is left after every instruction from the program's first host call on. */
struct step_host {
    struct intruder intruder;
    struct alc_sgx_emu_options options;
};

static const struct {
    const char *argument;
    alc_status status;
} ways[] = {{"j", ALC_E_MEMORY_OUT_OF_BOUNDS}, /* a host call, growth, a fault */
            {"r", ALC_OK},
            {"a", ALC_E_UNREACHABLE},
            {"b", ALC_E_DIVIDE_BY_ZERO},
            {"f", ALC_E_MEMORY_OUT_OF_BOUNDS},
            {"n", ALC_E_CALL_STACK_EXHAUSTED},
            {"m", ALC_E_INDIRECT_CALL_MISMATCH}};

static void step_from_here(void *context, uint16_t op)
{
    struct step_host *host = context;
    host->options.step |= op == ALC_HOSTCALL_YIELD;
}

static void test_level_1_after_every_step(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &plain, &program);
    for (size_t i = 0; i < (g_is_campaign ? ALC_ARRAY_COUNT(ways) : 1); i++) {
        struct step_host host = {.options = {.step_level_0_only = true,
                                             .hiding = ALC_SGX_EMU_HIDE_NEVER,
                                             .interrupted = intruder_enter}};
        struct alc_sgx_backend backend = alc_sgx_emu_backend_with(&host.options);
        struct native_run run = {.argument = ways[i].argument,
                                 .backend = &backend,
                                 .served = step_from_here,
                                 .context = &host};
        host.options.hook_context = &host.intruder;
        host.intruder.backend = &backend;
        assert_int_equal(native_run(&program, &run), ALC_OK);
        assert_int_equal(run.outcome.status, ways[i].status);
        assert_int_equal(host.intruder.refused_count, 0);
        print_message("%s: %lu entries at level 1\n", ways[i].argument,
                      (unsigned long)host.intruder.exits_count);
        assert_true(host.intruder.exits_count > 1000);
    }
    native_free(&program);
}

/* -- pages that vanish -- */

/* A host that takes away the program's memory at each tick, and gives it back when it is missed. */
struct thief {
    struct alc_sgx_emu_options options;
    uint64_t memory_offset; /* what is missing; 0: nothing */
    uint64_t thefts;
    uint64_t missed;
};

static struct thief g_thief; /* enter has no context of its own */

/* Where GS points in the interrupted code, as an offset; 0: nowhere in particular. */
static uint64_t find_memory(struct alc_sgx_context *enclave, uint64_t tcs_offset, uint64_t base)
{
    const uint8_t *memory = alc_sgx_emu_memory(enclave);
    const struct alc_sgx_tcs *tcs = (const void *)(memory + tcs_offset);
    const struct alc_sgx_gprs *gprs =
        (const void *)(memory + tcs->ssa_offset + ALC_SGX_PAGE_SIZE - ALC_SGX_SSA_GPRS_FROM_END);
    uint64_t offset = gprs->gs_base - base;
    return gprs->rip - base > IMAGE_MAX && offset != tcs->gs_offset ? offset : 0;
}

static int steal(void *context, struct alc_sgx_context *enclave, uint64_t tcs, uint64_t rip_offset)
{
    struct thief *thief = context;
    uint64_t base = tcs & ~((UINT64_C(1) << 34) - 1); /* the range is aligned to its size */
    uint64_t offset = rip_offset > IMAGE_MAX ? find_memory(enclave, tcs - base, base) : 0;
    if (offset != 0 && thief->memory_offset == 0) {
        assert_int_equal(alc_sgx_emu_backend()->map(enclave, offset, ALC_SGX_PAGE_SIZE, PROT_NONE),
                         0);
        thief->memory_offset = offset;
        thief->thefts++;
    }
    return 0;
}

static int enter_with_everything(struct alc_sgx_context *context, uint64_t rdi, uint64_t rsi,
                                 uint64_t rdx, uint32_t leaf, uint64_t r8, uint64_t r9,
                                 struct alc_sgx_run *run)
{
    if (g_thief.memory_offset != 0) {
        assert_int_equal(alc_sgx_emu_backend()->map(context, g_thief.memory_offset,
                                                    ALC_SGX_PAGE_SIZE, PROT_READ | PROT_WRITE),
                         0);
        g_thief.memory_offset = 0;
        g_thief.missed += leaf == ALC_SGX_EENTER;
    }
    return alc_sgx_emu_backend()->enter(context, rdi, rsi, rdx, leaf, r8, r9, run);
}

static void test_missing_memory_is_no_trap(void **state)
{
    (void)state;
    struct native_program program;
    const struct alc_compile_options metered = {
        .shape = ALC_COMPILE_CONFINED, .options = ALC_NATIVE_METERED, .threads = 1};
    g_thief = (struct thief){.options = {.hook_context = &g_thief, .interrupted = steal}};
    struct alc_sgx_backend backend = alc_sgx_emu_backend_with(&g_thief.options);
    struct native_run run = {.argument = "o", .backend = &backend, .limits = {.fuel = 1000000000}};
    native_compile(g_module_path, &metered, &program);
    backend.enter = enter_with_everything;
    assert_int_equal(native_run(&program, &run), ALC_OK);
    assert_int_equal(run.outcome.status, ALC_E_OUT_OF_FUEL);
    print_message("%lu thefts, %lu missed\n", (unsigned long)g_thief.thefts,
                  (unsigned long)g_thief.missed);
    assert_true(g_thief.missed > 3);
    native_free(&program);
}

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_that_the_host_does_not_protect_never_runs),
        cmocka_unit_test(test_code_that_is_not_mapped_stops_the_enclave),
        cmocka_unit_test(test_level_1_after_every_step),
        cmocka_unit_test(test_missing_memory_is_no_trap),
    };
    if (arguments_count != 2 && arguments_count != 3) {
        fprintf(stderr, "usage: native_hostile traps.wasm [campaign]\n");
        return 2;
    }
    g_is_campaign = arguments_count == 3;
    g_module_path = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
