/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls: arguments and results in slots, host functions that call back, traps with their
 * backtraces, exhausted stacks, fuel, the stop flag.
 */
#include "exec_fixture.h"

/* (import "m" "back" (func $back (param i32) (result i32)))
 * (memory (export "memory") 1 3)
 * (global (export "counter") (mut i32) (i32.const 5))
 * (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
 * (func (export "pair") (param i64) (result i64 f64) local.get 0 f64.const 1.5)
 * (func (export "call_back") (param i32) (result i32) local.get 0 call $back)
 * (func $deep (export "deep") (param i32) (result i32) local.get 0 i32.const 1 i32.add call $deep
 * i32.const 1 i32.add) (func $fail unreachable) (func (export "fails") nop call $fail) (func
 * (export "spin") (loop br 0)) (func (export "grow") (param i32) (result i32) local.get 0
 * memory.grow) (func (export "twice") (param v128) (result v128) local.get 0 local.get 0 i64x2.add)
 * (func (export "count") (result i32) global.get 0 i32.const 1 i32.add global.set 0 global.get 0)
 */
/* clang-format off */
static const uint8_t program[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x1e, 0x06, 0x60,
    0x01, 0x7f, 0x01, 0x7f, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x01,
    0x7e, 0x02, 0x7e, 0x7c, 0x60, 0x00, 0x00, 0x60, 0x01, 0x7b, 0x01, 0x7b,
    0x60, 0x00, 0x01, 0x7f, 0x02, 0x0a, 0x01, 0x01, 0x6d, 0x04, 0x62, 0x61,
    0x63, 0x6b, 0x00, 0x00, 0x03, 0x0b, 0x0a, 0x01, 0x02, 0x00, 0x00, 0x03,
    0x03, 0x03, 0x00, 0x04, 0x05, 0x05, 0x04, 0x01, 0x01, 0x01, 0x03, 0x06,
    0x06, 0x01, 0x7f, 0x01, 0x41, 0x05, 0x0b, 0x07, 0x5a, 0x0b, 0x06, 0x6d,
    0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x07, 0x63, 0x6f, 0x75, 0x6e,
    0x74, 0x65, 0x72, 0x03, 0x00, 0x03, 0x61, 0x64, 0x64, 0x00, 0x01, 0x04,
    0x70, 0x61, 0x69, 0x72, 0x00, 0x02, 0x09, 0x63, 0x61, 0x6c, 0x6c, 0x5f,
    0x62, 0x61, 0x63, 0x6b, 0x00, 0x03, 0x04, 0x64, 0x65, 0x65, 0x70, 0x00,
    0x04, 0x05, 0x66, 0x61, 0x69, 0x6c, 0x73, 0x00, 0x06, 0x04, 0x73, 0x70,
    0x69, 0x6e, 0x00, 0x07, 0x04, 0x67, 0x72, 0x6f, 0x77, 0x00, 0x08, 0x05,
    0x74, 0x77, 0x69, 0x63, 0x65, 0x00, 0x09, 0x05, 0x63, 0x6f, 0x75, 0x6e,
    0x74, 0x00, 0x0a, 0x0a, 0x5a, 0x0a, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01,
    0x6a, 0x0b, 0x0d, 0x00, 0x20, 0x00, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0xf8, 0x3f, 0x0b, 0x06, 0x00, 0x20, 0x00, 0x10, 0x00, 0x0b, 0x0c,
    0x00, 0x20, 0x00, 0x41, 0x01, 0x6a, 0x10, 0x04, 0x41, 0x01, 0x6a, 0x0b,
    0x03, 0x00, 0x00, 0x0b, 0x05, 0x00, 0x01, 0x10, 0x05, 0x0b, 0x07, 0x00,
    0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b, 0x06, 0x00, 0x20, 0x00, 0x40, 0x00,
    0x0b, 0x09, 0x00, 0x20, 0x00, 0x20, 0x00, 0xfd, 0xce, 0x01, 0x0b, 0x0b,
    0x00, 0x23, 0x00, 0x41, 0x01, 0x6a, 0x24, 0x00, 0x23, 0x00, 0x0b,
};
/* clang-format on */
enum {
    FUNCTION_DEEP = 4,
    FUNCTION_FAIL = 5,
    FUNCTION_FAILS = 6,
    AT_UNREACHABLE = 0xda,
    AT_CALL = 0xdf
};

static struct alc_instance *instance;
static alc_status back_status; /* what the host function answers */
static const char *back_calls; /* export that it calls first, or NULL */

static alc_status invoke(const char *name, const uint64_t *arguments, uint64_t *results)
{
    struct alc_function *function = NULL;
    struct alc_name export = {(const uint8_t *)name, (uint32_t)strlen(name)};
    assert_int_equal(alc_export_find_function(instance, export, &function), ALC_OK);
    alc_error_clear(&error);
    return alc_invoke(&store, function, arguments, results, &error);
}

/* Doubles its argument. */
static alc_status host_back(struct alc_host_call *call)
{
    uint32_t value = (uint32_t)call->slots[0];
    assert_ptr_equal(call->caller, instance);
    assert_ptr_equal(call->memory, instance->memory0);
    assert_ptr_equal(call->context, &back_status);
    if (back_calls != NULL) {
        uint64_t arguments[2] = {value, 100};
        uint64_t result = 0;
        alc_status status = invoke(back_calls, arguments, &result);
        if (status != ALC_OK) {
            return status;
        }
        assert_int_equal(result, value + 100);
        assert_int_equal((uint32_t)call->slots[0], value);
    }
    call->slots[0] = value * 2;
    return back_status;
}

static const struct alc_host_export exports[] = {{"back", "i:i", host_back}};
static const struct alc_host_module host = {"m", exports, 1};

static const volatile uint64_t *stop_flag;

static void start(bool metered, bool interruptible)
{
    struct alc_load_options options;
    struct alc_module *module = NULL;
    fixture_store(&(struct alc_store_options){.stop_flag = stop_flag});
    back_status = ALC_OK;
    back_calls = NULL;
    options = alc_store_load_options(&store, metered, interruptible);
    assert_int_equal(
        alc_module_load(&fixture_arena, program, sizeof program, &options, &module, &error),
        ALC_OK);
    assert_int_equal(alc_linker_add_host(&linker, &host, &back_status), ALC_OK);
    assert_int_equal(alc_instantiate(&store, &fixture_arena, module, &linker, &instance, &error),
                     ALC_OK);
}

static int set_up(void **state)
{
    (void)state;
    stop_flag = NULL;
    start(false, false);
    return 0;
}

static void test_arguments_and_results(void **state)
{
    (void)state;
    uint64_t slots[2] = {UINT32_MAX, 2};
    assert_int_equal(invoke("add", slots, slots), ALC_OK);
    assert_true(slots[0] == 1);
    slots[0] = UINT64_C(0x123456789abcdef0);
    assert_int_equal(invoke("pair", slots, slots), ALC_OK);
    assert_true(slots[0] == UINT64_C(0x123456789abcdef0));
    assert_true(slots[1] == UINT64_C(0x3ff8000000000000));
    slots[0] = 3;
    slots[1] = UINT64_C(1) << 63;
    assert_int_equal(invoke("twice", slots, slots), ALC_OK);
    assert_true(slots[0] == 6);
    assert_true(slots[1] == 0);
    uint64_t delta = 2;
    uint64_t result = 0;
    assert_int_equal(invoke("grow", &delta, &result), ALC_OK);
    assert_true(result == 1);
    assert_int_equal(invoke("grow", &delta, &result), ALC_OK);
    assert_true(result == UINT32_MAX);
}

static void test_exported_globals_are_shared(void **state)
{
    (void)state;
    struct alc_external external;
    uint64_t result = 0;
    assert_int_equal(alc_export_find(instance, ALC_NAME_OF("counter"), &external), ALC_OK);
    assert_int_equal(invoke("count", NULL, &result), ALC_OK);
    assert_true(result == 6);
    assert_int_equal(external.global->value.u32, 6);
    external.global->value.u32 = 40;
    assert_int_equal(invoke("count", NULL, &result), ALC_OK);
    assert_true(result == 41);
}

static void test_host_functions_may_call_back(void **state)
{
    (void)state;
    uint64_t argument = 21;
    uint64_t result = 0;
    assert_int_equal(invoke("call_back", &argument, &result), ALC_OK);
    assert_true(result == 42);
    back_calls = "add";
    assert_int_equal(invoke("call_back", &argument, &result), ALC_OK);
    assert_true(result == 42);
    back_calls = "fails";
    result = 7;
    assert_int_equal(invoke("call_back", &argument, &result), ALC_E_UNREACHABLE);
    assert_true(result == 7);
    back_calls = NULL;
    back_status = ALC_E_EXIT;
    assert_int_equal(invoke("call_back", &argument, &result), ALC_E_EXIT);
    assert_true(result == 7);
    back_status = ALC_OK;
    assert_int_equal(invoke("call_back", &argument, &result), ALC_OK);
}

static void test_traps_have_backtraces(void **state)
{
    (void)state;
    assert_int_equal(invoke("fails", NULL, NULL), ALC_E_UNREACHABLE);
    const struct alc_trap *trap = &store.thread.trap;
    assert_int_equal(trap->status, ALC_E_UNREACHABLE);
    assert_int_equal(trap->frames_count, 2);
    assert_int_equal(trap->frames_omitted, 0);
    assert_ptr_equal(trap->frames[0].instance, instance);
    assert_int_equal(trap->frames[0].function_index, FUNCTION_FAIL);
    assert_int_equal(trap->frames[0].offset, AT_UNREACHABLE);
    assert_int_equal(trap->frames[1].function_index, FUNCTION_FAILS);
    assert_int_equal(trap->frames[1].offset, AT_CALL);
    assert_int_equal(error.status, ALC_E_UNREACHABLE);
    assert_true(error.offset == AT_UNREACHABLE);
}

static void test_endless_recursion_ends(void **state)
{
    (void)state;
    uint64_t slot = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(invoke("deep", &slot, &slot), ALC_E_CALL_STACK_EXHAUSTED);
        const struct alc_trap *trap = &store.thread.trap;
        assert_int_equal(trap->frames_count, ALC_LIMIT_BACKTRACE_FRAMES);
        assert_true(trap->frames_omitted > 1000);
        assert_true(trap->frames_omitted + trap->frames_count <= ALC_LIMIT_CALL_DEPTH);
        assert_int_equal(trap->frames[5].function_index, FUNCTION_DEEP);
    }
    uint64_t slots[2] = {1, 2};
    assert_int_equal(invoke("add", slots, slots), ALC_OK);
}

/* (func (export "f") (param i32) (local 40000 x i64)
 *   local.get 0  if  local.get 0  i32.const 1  i32.sub  call 0  end) */
#define LARGE_FRAMES                                                                               \
    HEADER "\1\5\1\x60\1\x7f\0"                                                                    \
           "\3\2\1\0"                                                                              \
           "\7\5\1\1f\0\0"                                                                         \
           "\xa\x14\1\x12\1\xc0\xb8\2\x7e"                                                         \
           "\x20\0\4\x40\x20\0\x41\1\x6b\x10\0\xb\xb"
enum { LARGE_FRAME_SLOTS = 40001 };

static void test_stack_slots_at_the_limit_and_past_it(void **state)
{
    (void)state;
    /* Frames that fit when each takes a few slots more, and that do not when it takes none. */
    uint64_t fits = ALC_LIMIT_STACK_SLOTS / (LARGE_FRAME_SLOTS + 100) - 1;
    uint64_t past = ALC_LIMIT_STACK_SLOTS / LARGE_FRAME_SLOTS + 1;
    assert_int_equal(INSTANTIATE(LARGE_FRAMES, &instance), ALC_OK);
    assert_int_equal(invoke("f", &fits, NULL), ALC_OK);
    assert_int_equal(invoke("f", &past, NULL), ALC_E_CALL_STACK_EXHAUSTED);
    assert_int_equal(invoke("f", &fits, NULL), ALC_OK);
    struct alc_store other;
    struct alc_store_options options = {.pages = fixture_pages,
                                        .executor = &alc_interp_executor,
                                        .stack_slots = ALC_LIMIT_STACK_SLOTS + 1u};
    assert_int_equal(alc_store_init(&other, &fixture_arena, &options), ALC_E_BAD_ARGUMENT);
}

/* (import "m" "nothing" (func)) (func (export "f") (local 511 x i64) call 0) */
#define WHOLE_STACK                                                                                \
    HEADER "\1\4\1\x60\0\0"                                                                        \
           "\2\xd\1\1m\7nothing\0\0"                                                               \
           "\3\2\1\0"                                                                              \
           "\7\5\1\1f\0\1"                                                                         \
           "\xa\x9\1\7\1\xff\3\x7e\x10\0\xb"
enum { WHOLE_STACK_SLOTS = 512 };

static alc_status host_nothing(struct alc_host_call *call)
{
    (void)call;
    return ALC_OK;
}

/* The last pages of the address space given, so that nothing lies behind them. */
static void *reserve_before_guard(void *context, size_t size)
{
    uint8_t *addr = fixture_reserve(context, size + ALC_SYSTEM_PAGE_SIZE);
    assert_non_null(addr);
    munmap(addr + size, ALC_SYSTEM_PAGE_SIZE);
    return addr;
}

static void test_host_calls_at_the_end_of_the_stack(void **state)
{
    (void)state;
    static const struct alc_host_export nothing[] = {{"nothing", ":", host_nothing}};
    static const struct alc_host_module module = {"m", nothing, 1};
    alc_store_fini(&store);
    fixture_store(&(struct alc_store_options){0});
    alc_store_fini(&store);
    struct alc_store_options options = {
        .pages = fixture_pages, .executor = &alc_interp_executor, .stack_slots = WHOLE_STACK_SLOTS};
    options.pages.reserve = reserve_before_guard;
    assert_int_equal(alc_store_init(&store, &fixture_arena, &options), ALC_OK);
    assert_int_equal(alc_linker_add_host(&linker, &module, NULL), ALC_OK);
    assert_int_equal(INSTANTIATE(WHOLE_STACK, &instance), ALC_OK);
    /* The frame ends where the stack ends: a function without slots may run there or may not, but
     * what lies behind is not read. */
    alc_status status = invoke("f", NULL, NULL);
    assert_true(status == ALC_OK || status == ALC_E_CALL_STACK_EXHAUSTED);
}

/* (import "m" "nothing" (func)) (func (export "f") call 0 unreachable)
 * (func (export "g") unreachable) */
#define TRAPS_TWICE                                                                                \
    HEADER "\1\4\1\x60\0\0"                                                                        \
           "\2\xd\1\1m\7nothing\0\0"                                                               \
           "\3\3\2\0\0"                                                                            \
           "\7\x9\2\1f\0\1\1g\0\2"                                                                 \
           "\xa\xb\2\5\0\x10\0\0\xb\3\0\0\xb"

static alc_status host_forgives(struct alc_host_call *call)
{
    (void)call;
    assert_int_equal(invoke("g", NULL, NULL), ALC_E_UNREACHABLE);
    return ALC_OK;
}

static void test_a_trap_that_the_host_forgave_is_forgotten(void **state)
{
    (void)state;
    static const struct alc_host_export forgives[] = {{"nothing", ":", host_forgives}};
    static const struct alc_host_module module = {"m", forgives, 1};
    assert_int_equal(alc_linker_add_host(&linker, &module, NULL), ALC_OK);
    assert_int_equal(INSTANTIATE(TRAPS_TWICE, &instance), ALC_OK);
    assert_int_equal(invoke("f", NULL, NULL), ALC_E_UNREACHABLE);
    assert_int_equal(store.thread.trap.frames_count, 1);
    assert_int_equal(store.thread.trap.frames[0].function_index, 1);
}

/* (import "m" "nothing" (func)) (func (export "f") call 0) */
#define CALLS_NOTHING                                                                              \
    HEADER "\1\4\1\x60\0\0"                                                                        \
           "\2\xd\1\1m\7nothing\0\0"                                                               \
           "\3\2\1\0"                                                                              \
           "\7\5\1\1f\0\1"                                                                         \
           "\xa\6\1\4\0\x10\0\xb"

static unsigned levels_left;

static alc_status host_descends(struct alc_host_call *call)
{
    (void)call;
    if (levels_left == 0) {
        return ALC_OK;
    }
    levels_left--;
    return invoke("f", NULL, NULL);
}

static void test_nested_calls_at_the_limit_and_past_it(void **state)
{
    (void)state;
    static const struct alc_host_export descends[] = {{"nothing", ":", host_descends}};
    static const struct alc_host_module module = {"m", descends, 1};
    assert_int_equal(alc_linker_add_host(&linker, &module, NULL), ALC_OK);
    assert_int_equal(INSTANTIATE(CALLS_NOTHING, &instance), ALC_OK);
    for (int i = 0; i < 2; i++) {
        levels_left = ALC_LIMIT_NESTED_CALLS - 1;
        assert_int_equal(invoke("f", NULL, NULL), ALC_OK);
        levels_left = ALC_LIMIT_NESTED_CALLS;
        assert_int_equal(invoke("f", NULL, NULL), ALC_E_CALL_STACK_EXHAUSTED);
        assert_int_equal(levels_left, 0);
        assert_int_equal(store.thread.trap.status, ALC_E_CALL_STACK_EXHAUSTED);
    }
}

static void test_fuel_is_exact(void **state)
{
    (void)state;
    alc_store_fini(&store);
    start(true, false);
    uint64_t slots[2] = {1, 2};
    alc_store_set_fuel(&store, 1000);
    assert_int_equal(invoke("add", slots, slots), ALC_OK);
    uint64_t spent = 1000 - alc_store_get_fuel(&store);
    assert_true(spent > 0 && spent < 100);
    alc_store_set_fuel(&store, spent);
    assert_int_equal(invoke("add", slots, slots), ALC_OK);
    assert_true(alc_store_get_fuel(&store) == 0);
    alc_store_set_fuel(&store, spent - 1);
    assert_int_equal(invoke("add", slots, slots), ALC_E_OUT_OF_FUEL);
    alc_store_set_fuel(&store, 100000);
    assert_int_equal(invoke("spin", NULL, NULL), ALC_E_OUT_OF_FUEL);
    alc_store_clear_fuel(&store);
    assert_int_equal(invoke("add", slots, slots), ALC_OK);
}

static void test_stop_flag(void **state)
{
    (void)state;
    static volatile uint64_t flag;
    alc_store_fini(&store);
    stop_flag = &flag;
    flag = 0;
    start(false, true);
    uint64_t slots[2] = {1, 2};
    assert_int_equal(invoke("add", slots, slots), ALC_OK);
    flag = UINT64_MAX;
    assert_int_equal(invoke("spin", NULL, NULL), ALC_E_DEADLINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_arguments_and_results),
        TEST(test_exported_globals_are_shared),
        TEST(test_host_functions_may_call_back),
        TEST(test_traps_have_backtraces),
        TEST(test_endless_recursion_ends),
        TEST(test_stack_slots_at_the_limit_and_past_it),
        TEST(test_host_calls_at_the_end_of_the_stack),
        TEST(test_a_trap_that_the_host_forgave_is_forgotten),
        TEST(test_nested_calls_at_the_limit_and_past_it),
        TEST(test_fuel_is_exact),
        TEST(test_stop_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
