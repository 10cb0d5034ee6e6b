/* SPDX-License-Identifier: Apache-2.0
 *
 * How faults are judged: by where the thread stands and what is at the address, never by what the
 * one who delivers them says of his reasons. Faults here are made up, as a lying host would; they
 * are delivered while compiled code has called the host.
 */
#include "native_exec/native_internal.h"
#include "native_fixture.h"

CODE(call_host, "subq $8, %rsp\n" CALL_STUB(0) "addq $8, %rsp\nret");
CODE(trap_number, TRAP_CODE(4));

static uint8_t *code_start;

/* The code that the running thread's instance has. */
static alc_status host_judge(struct alc_host_call *call);
static const struct alc_host_export EXPORTS[] = {{"judge", ":", host_judge}};
static const struct alc_host_module HOST = {"m", EXPORTS, 1};

static const struct description DESCRIPTION = {
    .types = {":"},
    .imports = {{"judge", 0}},
    .functions = {{"call", 0, PIECE(call_host)}, {"trap", 0, PIECE(trap_number)}},
    .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0}},
    .stubs_count = 1,
    .has_memory = true,
};

static struct alc_native_thread *thread;
static struct alc_instance *instance;

static const struct alc_native_fault PAGE_FAULT = {
    .vector = 14, .has_addr = true, .flags = 0x50702};

static void expect_not(struct alc_native_fault fault)
{
    struct alc_native_fault before = fault;
    assert_false(alc_native_fault(thread, &fault));
    assert_memory_equal(&fault, &before, sizeof fault);
}

static void expect_leave(struct alc_native_fault fault)
{
    struct alc_native_fault before = fault;
    assert_true(alc_native_fault(thread, &fault));
    assert_int_equal(fault.r11, (uint64_t)(uintptr_t)thread);
    assert_int_not_equal(fault.rip, before.rip);
    assert_int_not_equal(fault.rsp, before.rsp);
    assert_int_equal(fault.flags, before.flags & ~0x50500ull);
    /* A second delivery, from where the first one leads: not of compiled code. */
    expect_not(fault);
}

static void judge_addresses(void)
{
    uint64_t base = (uint64_t)(uintptr_t)instance->memory0->base;
    struct alc_native_fault fault = PAGE_FAULT;
    fault.rip = (uint64_t)(uintptr_t)code_start;
    fault.rsp = (uint64_t)(uintptr_t)thread->stack_high - 64;
    fault.fault_addr = base + (1 << 16);
    expect_leave(fault);
    fault.fault_addr = base + (UINT64_C(4) << 30) + (1 << 16) - 1;
    expect_leave(fault);
    fault.fault_addr = base + (UINT64_C(4) << 30) + (1 << 16);
    expect_not(fault);
    /* Where there is memory, whatever makes it fault is not the program. */
    fault.fault_addr = base + (1 << 16) - 1;
    expect_not(fault);
    fault.fault_addr = base - 1;
    expect_not(fault);
    fault.fault_addr = fault.rip;
    expect_not(fault);
    fault.fault_addr = 0;
    expect_not(fault);
    fault.fault_addr = (uint64_t)(uintptr_t)thread->stack_low - 1;
    expect_leave(fault);
    fault.fault_addr = (uint64_t)(uintptr_t)thread->stack_low - ALC_NATIVE_STACK_GUARD - 1;
    expect_not(fault);
    fault.fault_addr = (uint64_t)(uintptr_t)thread->stack_low;
    expect_not(fault);
    fault.has_addr = false; /* not every processor says */
    expect_leave(fault);
}

static void judge_places(void)
{
    struct alc_native_fault fault = PAGE_FAULT;
    fault.fault_addr = (uint64_t)(uintptr_t)instance->memory0->base + (1 << 16);
    fault.rip = (uint64_t)(uintptr_t)code_start - 1; /* a stub */
    expect_not(fault);
    fault.rip = (uint64_t)(uintptr_t)code_start + 32; /* behind */
    expect_not(fault);
    fault.rip = (uint64_t)(uintptr_t)code_start + 31;
    expect_leave(fault);
    fault.rip = (uint64_t)(uintptr_t)&host_judge;
    expect_not(fault);
    fault.rip = 0;
    expect_not(fault);
}

static void judge_vectors(void)
{
    struct alc_native_fault fault = {.rip = (uint64_t)(uintptr_t)code_start};
    for (uint32_t vector = 1; vector < 40; vector++) {
        bool may_be = vector == 6 || vector == 12 || vector == 13 || vector == 14 || vector == 17;
        fault.vector = vector;
        if (may_be) {
            expect_leave(fault);
        } else {
            expect_not(fault);
        }
    }
}

static alc_status host_judge(struct alc_host_call *call)
{
    (void)call;
    judge_addresses();
    judge_places();
    judge_vectors();
    /* The last one counts: ud1 with its number, however the registers look. */
    struct alc_native_fault fault = {.rip = (uint64_t)(uintptr_t)code_start + 16, .vector = 6};
    assert_true(alc_native_fault(thread, &fault));
    assert_int_equal(thread->status, ALC_E_MEMORY_OUT_OF_BOUNDS);
    return ALC_OK;
}

static void test_judgement(void **state)
{
    (void)state;
    assert_int_equal(alc_linker_add_host(&linker, &HOST, NULL), ALC_OK);
    instance = fixture_instantiate(&DESCRIPTION);
    thread = store.thread.native;
    code_start = (uint8_t *)(uintptr_t)fixture_function(instance, "call")->native;
    struct alc_native_fault fault = PAGE_FAULT;
    fault.rip = (uint64_t)(uintptr_t)code_start;
    fault.fault_addr = (uint64_t)(uintptr_t)instance->memory0->base + (1 << 16);
    expect_not(fault); /* nothing runs */
    assert_false(alc_native_fault(NULL, &fault));
    assert_int_equal(fixture_invoke(instance, "call", NULL, NULL), ALC_OK);
    expect_not(fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_judgement, fixture_set_up, fixture_tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
