/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions: who catches, what arrives, through frames, instances and host functions; and what
 * stops when nobody does.
 */
#include "exception_modules.h"
#include "exec/exception.h"
#include "exec_fixture.h"

enum {
    FUNCTION_THROWS = 1,
    FUNCTION_UNCAUGHT = 24,
    AT_THROW = 0x1d9,
    AT_CALL = 0x445,
    DEEP = 80000,
    /* Native code takes its frames off while it looks for a catch: only where it was thrown is
     * known of an exception that nobody catches. */
    FRAMES_OF_TWO = ENGINE_IS_NATIVE ? 1 : 2,
};

static struct alc_instance *instance;
static struct alc_instance *importing;
static const char *back_calls;     /* export that the host function calls first, or NULL */
static bool back_forgives;         /* whether it goes on when not */
static unsigned back_failed_count; /* how often not */
static unsigned back_bare_call;    /* the one that gives the status without a reason, 0: none */

static alc_status invoke_of(const struct alc_instance *of, const char *name,
                            const uint64_t *arguments, uint64_t *results)
{
    struct alc_function *function = NULL;
    struct alc_name export = {(const uint8_t *)name, (uint32_t)strlen(name)};
    assert_int_equal(alc_export_find_function(of, export, &function), ALC_OK);
    return alc_invoke(&store, function, arguments, results, &error);
}

static alc_status invoke(const char *name, const uint64_t *arguments, uint64_t *results)
{
    alc_error_clear(&error);
    return invoke_of(instance, name, arguments, results);
}

/* The result of a function that takes and gives one number. */
static uint64_t number(const char *name, uint64_t argument)
{
    uint64_t result = UINT64_MAX;
    alc_status status = invoke(name, &argument, &result);
    if (status != ALC_OK) {
        print_error("%s(%llu): %s\n", name, (unsigned long long)argument, alc_status_name(status));
    }
    assert_int_equal(status, ALC_OK);
    assert_int_equal(error.status, ALC_OK);
    assert_int_equal(store.thread.exception, ALC_REF_NULL);
    return result;
}

/* Doubles its argument, or calls back with one more. */
static alc_status host_back(struct alc_host_call *call)
{
    if (back_bare_call != 0 && --back_bare_call == 0) {
        return ALC_E_UNCAUGHT_EXCEPTION;
    }
    if (back_calls != NULL) {
        uint64_t argument = (uint32_t)call->slots[0] + 1;
        uint64_t result = 0;
        alc_status status = invoke_of(instance, back_calls, &argument, &result);
        back_failed_count += status != ALC_OK;
        if (status != ALC_OK && !back_forgives) {
            return status;
        }
    }
    call->slots[0] = (uint32_t)call->slots[0] * 2;
    return ALC_OK;
}

static void start(bool metered, bool interruptible)
{
    static const struct alc_host_export exports[] = {{"back", "i:i", host_back}};
    static const struct alc_host_module host = {"m", exports, 1};
    struct alc_module *module = NULL;
    fixture_store(&(struct alc_store_options){0});
    back_calls = NULL;
    back_forgives = false;
    back_failed_count = 0;
    back_bare_call = 0;
    module = fixture_load_as(program, sizeof program, metered, interruptible);
    assert_int_equal(alc_linker_add_host(&linker, &host, NULL), ALC_OK);
    assert_int_equal(alc_instantiate(&store, &fixture_arena, module, &linker, &instance, &error),
                     ALC_OK);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("a"), instance), ALC_OK);
    module = fixture_load_as(importer, sizeof importer, metered, interruptible);
    assert_int_equal(alc_instantiate(&store, &fixture_arena, module, &linker, &importing, &error),
                     ALC_OK);
}

static int set_up(void **state)
{
    (void)state;
    start(false, false);
    return 0;
}

/* Everything that catches without the host's help, in one function for every kind of code. */
static void check_catching(void)
{
    assert_true(number("catch_deep", 0) == 1077);
    assert_true(number("catch_deep", 40) == 1077);
    const uint64_t delegated[] = {100, 220, 300};
    for (uint64_t i = 0; i < 3; i++) {
        assert_true(number("delegate_to", i) == delegated[i]);
    }
    assert_true(number("delegate_to", 4) == 104);
    assert_true(number("rethrow_nested", 0) == 22);
    assert_true(number("rethrow_nested", 1) == 11);
    assert_true(number("tail_calls", 3) == 8);
    assert_true(number("tail_calls", 100) == 100);
    assert_true(number("loops", 25) == 25);
    assert_true(number("locals_keep_their_values", 5) == 39);
    assert_true(number("legacy_values", 10) == 1005);
    assert_true(number("legacy_values", 4) == 1084);
    assert_true(number("returns_f64", UINT64_C(0x4008000000000000)) ==
                UINT64_C(0x4008000000000000));
    assert_int_equal(invoke("returns_nothing", NULL, NULL), ALC_OK);
}

static void test_clauses_catch_and_delegate(void **state)
{
    (void)state;
    check_catching();
    uint64_t outward = 3;
    uint64_t result = 7;
    assert_int_equal(invoke("delegate_to", &outward, &result), ALC_E_UNCAUGHT_EXCEPTION);
    assert_true(result == 7);
}

static void test_clauses_in_metered_and_interruptible_code(void **state)
{
    (void)state;
    alc_store_fini(&store);
    start(true, true);
    alc_store_set_fuel(&store, 1000000);
    check_catching();
    uint64_t spent[2];
    for (int i = 0; i < 2; i++) {
        alc_store_set_fuel(&store, 1000000);
        assert_true(number("loops", 10) == 10);
        spent[i] = 1000000 - alc_store_get_fuel(&store);
    }
    assert_true(spent[0] == spent[1]);
    /* Less is too little wherever it ends: before a throw, at a landing, in a catch. */
    const char *const names[] = {"catch_deep", "rethrow_nested", "delegate_to", "loops"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t argument = 2;
        uint64_t result = 0;
        alc_store_set_fuel(&store, 1000000);
        (void)number(names[i], argument);
        uint64_t needed = 1000000 - alc_store_get_fuel(&store);
        assert_true(needed > 10);
        for (uint64_t fuel = 0; fuel < needed; fuel++) {
            alc_store_set_fuel(&store, fuel);
            assert_int_equal(invoke(names[i], &argument, &result), ALC_E_OUT_OF_FUEL);
            assert_true(store.thread.trap.frames_count > 0);
            assert_true(store.thread.trap.frames[0].offset != 0);
        }
        alc_store_set_fuel(&store, needed);
        (void)number(names[i], argument);
    }
}

/* A try ends no basic block: what traps before it pays for what stands behind it, too. */
static void test_a_try_is_charged_with_what_precedes_it(void **state)
{
    (void)state;
    /* (func (export "f") (param i32) (result i32)
     *   (drop (i32.div_u (i32.const 1) (local.get 0)))
     *   (try_table (drop (i32.const 2))) (i32.const 3)) */
    static const uint8_t bytes[] = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06,
                                    0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00,
                                    0x07, 0x05, 0x01, 0x01, 'f',  0x00, 0x00, 0x0a, 0x13, 0x01,
                                    0x11, 0x00, 0x41, 0x01, 0x20, 0x00, 0x6e, 0x1a, 0x1f, 0x40,
                                    0x00, 0x41, 0x02, 0x1a, 0x0b, 0x41, 0x03, 0x0b};
    uint64_t spent[2];
    alc_store_fini(&store);
    start(true, false);
    struct alc_module *module = fixture_load_as(bytes, sizeof bytes, true, false);
    assert_int_equal(alc_instantiate(&store, &fixture_arena, module, &linker, &instance, &error),
                     ALC_OK);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t slot = i;
        alc_store_set_fuel(&store, 1000);
        assert_int_equal(invoke("f", &slot, &slot), i == 0 ? ALC_E_DIVIDE_BY_ZERO : ALC_OK);
        spent[i] = 1000 - alc_store_get_fuel(&store);
    }
    assert_int_equal(spent[0], spent[1]);
}

static void test_frames_are_left_and_free_again(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_true(number("catch_deep", DEEP) == 1077);
    }
    /* Native code is as deep as its stack. */
    uint64_t past = ENGINE_IS_NATIVE ? INT32_MAX : ALC_LIMIT_CALL_DEPTH + 1;
    assert_int_equal(invoke("catch_deep", &past, &past), ALC_E_CALL_STACK_EXHAUSTED);
    assert_true(number("catch_deep", DEEP) == 1077);
}

static void test_payloads_arrive_whole(void **state)
{
    (void)state;
    const uint64_t expected[] = {1,  2,  0x40400000, UINT64_C(0x4010000000000000), 5, 6, 0, 7, 8, 9,
                                 10, 11, 12};
    enum { COUNT = sizeof expected / sizeof *expected };
    uint64_t results[COUNT + 1] = {0};
    assert_int_equal(invoke("wide", NULL, results), ALC_OK);
    assert_memory_equal(results, expected, sizeof expected);
    assert_true(results[COUNT] != ALC_REF_NULL);
    assert_memory_equal(alc_exception_slots(results[COUNT]), expected, sizeof expected);
    uint64_t argument[COUNT + 1] = {99};
    assert_int_equal(invoke("wide_legacy", argument, argument), ALC_OK);
    assert_memory_equal(argument, expected, sizeof expected);
}

static void test_instances_catch_from_each_other(void **state)
{
    (void)state;
    uint64_t argument = 1000;
    uint64_t result = 0;
    alc_error_clear(&error);
    /* The catching instance has its own memory again. */
    assert_int_equal(invoke_of(importing, "across", &argument, &result), ALC_OK);
    assert_true(result == 'B');
    assert_int_equal(invoke_of(importing, "not_ours", &argument, &result), ALC_OK);
    assert_true(result == 2);
    assert_int_equal(invoke_of(importing, "uncaught", &argument, NULL), ALC_E_UNCAUGHT_EXCEPTION);
    const struct alc_trap *trap = &store.thread.trap;
    assert_int_equal(trap->frames_count, FRAMES_OF_TWO);
    assert_ptr_equal(trap->frames[0].instance, instance);
    assert_true(ENGINE_IS_NATIVE || trap->frames[1].instance == importing);
    struct alc_external tag;
    assert_int_equal(alc_export_find(instance, ALC_NAME_OF("e"), &tag), ALC_OK);
    assert_ptr_equal(alc_exception_tag(store.thread.exception), tag.tag);
}

static void test_nobody_catches(void **state)
{
    (void)state;
    uint64_t argument = 42;
    assert_int_equal(invoke("uncaught", &argument, NULL), ALC_E_UNCAUGHT_EXCEPTION);
    const struct alc_trap *trap = &store.thread.trap;
    assert_int_equal(trap->status, ALC_E_UNCAUGHT_EXCEPTION);
    assert_int_equal(trap->frames_count, FRAMES_OF_TWO);
    assert_int_equal(trap->frames[0].function_index, FUNCTION_THROWS);
    assert_int_equal(trap->frames[0].offset, AT_THROW);
    assert_true(ENGINE_IS_NATIVE || trap->frames[1].function_index == FUNCTION_UNCAUGHT);
    assert_true(ENGINE_IS_NATIVE || trap->frames[1].offset == AT_CALL);
    assert_true(error.offset == AT_THROW);
    assert_true(*alc_exception_slots(store.thread.exception) == 42);
    assert_true(number("loops", 1) == 1); /* which forgets it */
}

static void test_references_are_thrown_again(void **state)
{
    (void)state;
    assert_int_equal(invoke("throw_kept", NULL, NULL), ALC_E_NULL_EXCEPTION);
    assert_int_equal(store.thread.exception, ALC_REF_NULL);
    assert_int_equal(invoke("keep", NULL, NULL), ALC_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(invoke("throw_kept", NULL, NULL), ALC_E_UNCAUGHT_EXCEPTION);
        assert_true(*alc_exception_slots(store.thread.exception) == 6);
    }
}

static void test_host_functions_let_exceptions_pass(void **state)
{
    (void)state;
    assert_true(number("through_host", 3) == 5006);
    back_calls = "throws";
    assert_true(number("through_host", 3) == 403);
    assert_int_equal(store.thread.trap.frames_count, 0);
    /* The function that tail-called the host is gone: only its caller catches. */
    assert_true(number("host_in_tail_call", 3) == 4);
    /* So is one of another instance, and its memory. */
    uint64_t argument = 64;
    uint64_t result = 0;
    assert_int_equal(invoke_of(importing, "through_host", &argument, &result), ALC_OK);
    assert_true(result == 'B');
    /* Through two host functions. */
    back_calls = "uncaught";
    assert_true(number("through_host", 8) == 908);
    assert_int_equal(back_failed_count, 4);
}

static void test_host_functions_end_what_nobody_catches(void **state)
{
    (void)state;
    uint64_t argument = 8;
    back_calls = "throws";
    assert_int_equal(invoke("host_uncaught", &argument, &argument), ALC_E_UNCAUGHT_EXCEPTION);
    assert_int_equal(store.thread.trap.frames_count, FRAMES_OF_TWO);
    assert_true(*alc_exception_slots(store.thread.exception) == 9);
    assert_int_equal(store.thread.depth, 0);
    assert_true(ENGINE_IS_NATIVE || store.thread.stack_top == store.thread.stack);
}

static void test_host_functions_may_forgive(void **state)
{
    (void)state;
    back_calls = "throws";
    back_forgives = true;
    uint64_t result = 0;
    uint64_t argument = 3;
    assert_int_equal(invoke("through_host", &argument, &result), ALC_OK);
    assert_true(result == 5006);
    assert_int_equal(back_failed_count, 1);
    /* The status alone is no exception, not even after one that was forgiven. */
    back_bare_call = 2;
    assert_int_equal(invoke("host_twice", &argument, &result), ALC_E_UNCAUGHT_EXCEPTION);
    assert_int_equal(back_failed_count, 2);
    assert_int_equal(store.thread.exception, ALC_REF_NULL);
    assert_int_equal(invoke("host_twice", &argument, &result), ALC_OK);
    assert_true(result == 12);
}

static void test_no_memory_for_an_exception(void **state)
{
    (void)state;
    store.heap.size_max = 0;
    uint64_t argument = 1;
    uint64_t result = 7;
    assert_int_equal(invoke("loops", &argument, &result), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(store.thread.trap.frames_count, 1);
    assert_true(result == 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_clauses_catch_and_delegate),
        TEST(test_clauses_in_metered_and_interruptible_code),
        TEST(test_a_try_is_charged_with_what_precedes_it),
        TEST(test_frames_are_left_and_free_again),
        TEST(test_payloads_arrive_whole),
        TEST(test_instances_catch_from_each_other),
        TEST(test_nobody_catches),
        TEST(test_references_are_thrown_again),
        TEST(test_host_functions_let_exceptions_pass),
        TEST(test_host_functions_end_what_nobody_catches),
        TEST(test_host_functions_may_forgive),
        TEST(test_no_memory_for_an_exception),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
