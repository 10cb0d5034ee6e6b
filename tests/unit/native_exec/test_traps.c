/* SPDX-License-Identifier: Apache-2.0
 *
 * Traps: what compiled code decides on, what the processor and the runtime do, and where it was.
 * After each of them the store runs on.
 */
#include "native_fixture.h"
#include "wasm/ops.h"

CODE(do_nothing, "ret");
CODE(trap_unreachable, TRAP_CODE(0));
CODE(trap_short, ".byte 0x67, 0x0f, 0xb9, 0x00");
CODE(trap_divide, TRAP_CODE(1));
CODE(trap_conversion, TRAP_CODE(3));
CODE(trap_fuel, TRAP_CODE(15));
CODE(trap_deadline, TRAP_CODE(16));
CODE(trap_unknown, TRAP_CODE(120));
CODE(trap_ud2, "ud2");
CODE(divide, "movl %edi, %eax\ncltd\nidivl %esi\nret");
CODE(load, "movl %gs:(%edi), %eax\nret");
CODE(store_wide, "movdqu %xmm0, %gs:(%edi)\nret");
CODE(load_aligned, "movaps %gs:(%edi), %xmm0\nmovd %xmm0, %eax\nret");
CODE(recurse, "subq $24, %rsp\n" CALL_FUNCTION(0) "addq $24, %rsp\nret");
/* The largest frame there may be, touched at its far end, and another call from there. */
CODE(recurse_wide,
     "subq $524280, %rsp\nmovl %edi, (%rsp)\n" CALL_FUNCTION(1) "addq $524280, %rsp\nret");
CODE(count_and_stop,
     "movl %gs:-16896-512+8, %eax\ntestl %eax, %eax\nje 1f\n" TRAP_CODE(16) "1:\nret");
CODE(burn, "subq $3, %gs:-17408\njs 1f\nret\n1:\n" TRAP_CODE(15));

static const struct description TRAPS = {
    .types = {":", "ii:i", "i:i", "iv:", "i:"},
    .functions = {{"recurse", 0, PIECE(recurse)},
                  {"recurse_wide", 0, PIECE(recurse_wide)},
                  {"unreachable", 0, PIECE(trap_unreachable)},
                  {"short", 0, PIECE(trap_short)},
                  {"divide_by_zero", 0, PIECE(trap_divide)},
                  {"conversion", 0, PIECE(trap_conversion)},
                  {"fuel", 0, PIECE(trap_fuel)},
                  {"deadline", 0, PIECE(trap_deadline)},
                  {"divide", 1, PIECE(divide)},
                  {"load", 2, PIECE(load)},
                  {"store_wide", 3, PIECE(store_wide)},
                  {"load_aligned", 2, PIECE(load_aligned)},
                  {"look", 2, PIECE(count_and_stop)},
                  {"burn", 0, PIECE(burn)},
                  {"nothing", 0, PIECE(do_nothing)}},
    .has_memory = true,
    .memory_pages_max = 4,
};

static void expect(const struct alc_instance *instance, const char *name, uint64_t a, uint64_t b,
                   uint64_t c, alc_status status)
{
    uint64_t arguments[3] = {a, b, c};
    uint64_t result = 0;
    assert_int_equal(fixture_invoke(instance, name, arguments, &result), status);
    if (status != ALC_OK) {
        assert_int_equal(store.thread.trap.status, status);
        assert_true(store.thread.trap.frames_count >= 1);
        assert_ptr_equal(store.thread.trap.frames[0].instance, instance);
        assert_int_equal(store.thread.trap.frames[0].function_index,
                         fixture_function(instance, name)->index);
        assert_int_equal(fixture_invoke(instance, "nothing", NULL, NULL), ALC_OK);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    struct alc_instance *instance = fixture_instantiate(&TRAPS);
    expect(instance, "unreachable", 0, 0, 0, ALC_E_UNREACHABLE);
    expect(instance, "short", 0, 0, 0, ALC_E_UNREACHABLE);
    expect(instance, "divide_by_zero", 0, 0, 0, ALC_E_DIVIDE_BY_ZERO);
    expect(instance, "conversion", 0, 0, 0, ALC_E_INVALID_CONVERSION);
    expect(instance, "fuel", 0, 0, 0, ALC_E_OUT_OF_FUEL);
    expect(instance, "deadline", 0, 0, 0, ALC_E_DEADLINE);
    expect(instance, "divide", 9, 2, 0, ALC_OK);
    expect(instance, "divide", 9, 0, 0, ALC_E_DIVIDE_BY_ZERO);
    /* What the verifier does not let pass, and an instruction that no processor has. */
    const struct description odd = {
        .types = {":"},
        .functions = {{"unknown", 0, PIECE(trap_unknown)},
                      {"ud2", 0, PIECE(trap_ud2)},
                      {"nothing", 0, PIECE(do_nothing)}},
        .shape = ALC_NATIVE_CHECKED,
    };
    instance = fixture_instantiate(&odd);
    expect(instance, "unknown", 0, 0, 0, ALC_E_UNREACHABLE);
    expect(instance, "ud2", 0, 0, 0, ALC_E_UNREACHABLE);
}

static void test_bounds(void **state)
{
    (void)state;
    struct alc_instance *instance = fixture_instantiate(&TRAPS);
    for (unsigned pages = 1; pages <= 4; pages++) {
        uint64_t size = (uint64_t)pages << 16;
        expect(instance, "load", size - 4, 0, 0, ALC_OK);
        expect(instance, "load", size - 3, 0, 0, ALC_E_MEMORY_OUT_OF_BOUNDS);
        expect(instance, "load", size, 0, 0, ALC_E_MEMORY_OUT_OF_BOUNDS);
        expect(instance, "load", UINT32_MAX, 0, 0, ALC_E_MEMORY_OUT_OF_BOUNDS);
        expect(instance, "store_wide", size - 16, 1, 2, ALC_OK);
        expect(instance, "store_wide", size - 15, 1, 2, ALC_E_MEMORY_OUT_OF_BOUNDS);
        expect(instance, "store_wide", UINT32_MAX, 1, 2, ALC_E_MEMORY_OUT_OF_BOUNDS);
        assert_int_equal(alc_memory_grow(instance->memory0, 1),
                         pages < 4 ? pages : ALC_MEMORY_GROW_FAILED);
    }
    expect(instance, "load_aligned", 16, 0, 0, ALC_OK);
    expect(instance, "load_aligned", 8, 0, 0, ALC_E_MEMORY_OUT_OF_BOUNDS);
}

static void test_exhaustion(void **state)
{
    (void)state;
    struct alc_instance *instance = fixture_instantiate(&TRAPS);
    for (unsigned i = 0; i < 2; i++) {
        expect(instance, "recurse", 0, 0, 0, ALC_E_CALL_STACK_EXHAUSTED);
        const struct alc_trap *trap = &store.thread.trap;
        assert_int_equal(fixture_invoke(instance, "recurse", NULL, NULL),
                         ALC_E_CALL_STACK_EXHAUSTED);
        assert_int_equal(trap->frames_count, ALC_LIMIT_BACKTRACE_FRAMES);
        /* 32 bytes a frame, of a stack of 8 bytes a slot */
        assert_int_equal((trap->frames_count + trap->frames_omitted) / 2, FIXTURE_STACK_SLOTS / 8);
        expect(instance, "recurse_wide", 0, 0, 0, ALC_E_CALL_STACK_EXHAUSTED);
    }
}

static void test_stop(void **state)
{
    (void)state;
    struct alc_instance *instance = fixture_instantiate(&TRAPS);
    expect(instance, "look", 0, 0, 0, ALC_OK);
    fixture_stop_flag = 1;
    expect(instance, "look", 0, 0, 0, ALC_E_DEADLINE);
    fixture_stop_flag = 0;
    expect(instance, "look", 0, 0, 0, ALC_OK);
    alc_native_stop(store.thread.native);
    expect(instance, "look", 0, 0, 0, ALC_E_DEADLINE);
    expect(instance, "look", 0, 0, 0, ALC_E_DEADLINE);
}

static void test_fuel(void **state)
{
    (void)state;
    struct alc_instance *instance = fixture_instantiate(&TRAPS);
    expect(instance, "burn", 0, 0, 0, ALC_OK); /* nobody limits it */
    alc_store_set_fuel(&store, 7);
    expect(instance, "burn", 0, 0, 0, ALC_OK);
    assert_int_equal(alc_store_get_fuel(&store), 4);
    expect(instance, "burn", 0, 0, 0, ALC_OK);
    uint64_t result;
    assert_int_equal(fixture_invoke(instance, "burn", NULL, &result), ALC_E_OUT_OF_FUEL);
    assert_int_equal(alc_store_get_fuel(&store), 0);
}

/* -- backtraces -- */

static alc_status host_fail(struct alc_host_call *call)
{
    (void)call;
    return ALC_E_IO_FAILED;
}

static const struct alc_host_export FAIL_EXPORTS[] = {{"fail", ":", host_fail}};
static const struct alc_host_module FAIL_HOST = {"host", FAIL_EXPORTS, 1};

/* Frames of various heights. */
CODE(inner, "subq $8, %rsp\n" CALL_STUB(0) "addq $8, %rsp\nret");
CODE(middle, "pushq %rbx\npushq %rbp\nsubq $40, %rsp\n" CALL_FUNCTION(
                 0) "addq $40, %rsp\npopq %rbp\npopq %rbx\nret");
CODE(outer, "pushq %rbx\ntestl %edi, %edi\nje 1f\nsubq $1024, %rsp\n" CALL_FUNCTION(
                1) "addq $1024, %rsp\n1:\n" CALL_FUNCTION(1) "popq %rbx\nret");

static void test_frames(void **state)
{
    (void)state;
    assert_int_equal(alc_linker_add_host(&linker, &FAIL_HOST, NULL), ALC_OK);
    const struct description last = {
        .types = {":"},
        .functions = {{"fail", 0, PIECE(trap_unreachable)}},
    };
    struct alc_instance *callee = fixture_instantiate(&last);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), callee), ALC_OK);
    const struct description description = {
        .types = {":", "i:"},
        .imports = {{"fail", 0}},
        .functions = {{NULL, 0, PIECE(inner)},
                      {NULL, 0, PIECE(middle)},
                      {"outer", 1, PIECE(outer)}},
        .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0}},
        .stubs_count = 1,
    };
    struct alc_instance *instance = fixture_instantiate(&description);
    for (uint64_t argument = 0; argument < 2; argument++) {
        assert_int_equal(fixture_invoke(instance, "outer", &argument, NULL), ALC_E_UNREACHABLE);
        const struct alc_trap *trap = &store.thread.trap;
        assert_int_equal(trap->frames_count, 4);
        assert_ptr_equal(trap->frames[0].instance, callee);
        assert_int_equal(trap->frames[0].function_index, 0);
        for (unsigned i = 1; i < 4; i++) {
            assert_ptr_equal(trap->frames[i].instance, instance);
            assert_int_equal(trap->frames[i].function_index, i);
        }
    }
    /* The same with a function of the host at the end. */
    struct alc_function *host = NULL;
    assert_int_equal(
        alc_linker_add_host(&linker, &(struct alc_host_module){"m", FAIL_EXPORTS, 1}, NULL),
        ALC_OK);
    (void)host;
    instance = fixture_instantiate(&description);
    uint64_t argument = 1;
    assert_int_equal(fixture_invoke(instance, "outer", &argument, NULL), ALC_E_IO_FAILED);
    assert_int_equal(store.thread.trap.frames_count, 3);
    assert_int_equal(store.thread.trap.frames[0].function_index, 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {TEST(test_kinds), TEST(test_bounds), TEST(test_exhaustion),
                                       TEST(test_stop),  TEST(test_fuel),   TEST(test_frames)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
