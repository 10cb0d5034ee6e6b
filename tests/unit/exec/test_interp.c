/* SPDX-License-Identifier: Apache-2.0
 *
 * Emission and the interpreter together: values that stay in locals and accumulators until
 * something overwrites these, merges, branch tables, deep stacks, dead code, fuel, the stop word,
 * backtraces, calls in all directions. Bodies are bytes; what they mean stands beside them.
 */
#include "exec_fixture.h"

#include "base/limits.h"

/* -- a module with one function type [i32 × parameters] -> [i32 × results] for all functions -- */

struct body {
    const char *bytes; /* locals and instructions, with the end */
    size_t size;
};
#define BODY(text) {text, sizeof(text) - 1}

struct shape {
    unsigned parameters;
    unsigned results;
    bool has_host; /* function 0 is imported from "host" "call" */
    bool metered;
    bool interruptible;
};

static uint8_t built[1 << 20];
static size_t built_size;

static void put(const void *bytes, size_t size)
{
    assert_true(built_size + size <= sizeof built);
    memcpy(built + built_size, bytes, size);
    built_size += size;
}

static void put_byte(unsigned byte)
{
    uint8_t value = (uint8_t)byte;
    put(&value, 1);
}

/* Always three bytes long, so that sizes can be filled in. */
static void put_leb(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value | 0x80);
    at[1] = (uint8_t)(value >> 7 | 0x80);
    at[2] = (uint8_t)(value >> 14);
}

static size_t open_sized(void)
{
    put("\0\0\0", 3);
    return built_size;
}

static void close_sized(size_t start)
{
    put_leb(built + start - 3, built_size - start);
}

static void build(const struct shape *shape, const struct body *bodies, unsigned count)
{
    built_size = 0;
    put("\0asm\1\0\0\0", 8);
    put_byte(1);
    size_t section = open_sized();
    put("\1\x60", 2);
    put_byte(shape->parameters);
    for (unsigned i = 0; i < shape->parameters; i++) {
        put_byte(0x7f);
    }
    put_byte(shape->results);
    for (unsigned i = 0; i < shape->results; i++) {
        put_byte(0x7f);
    }
    close_sized(section);
    if (shape->has_host) {
        put("\2\xd\1\4host\4call\0\0", 15);
    }
    put_byte(3);
    section = open_sized();
    put_byte(count);
    for (unsigned i = 0; i < count; i++) {
        put_byte(0);
    }
    close_sized(section);
    put("\7\5\1\1f\0", 6);
    put_byte(shape->has_host ? 1 : 0);
    put_byte(10);
    section = open_sized();
    put_byte(count);
    for (unsigned i = 0; i < count; i++) {
        size_t body = open_sized();
        put(bodies[i].bytes, bodies[i].size);
        close_sized(body);
    }
    close_sized(section);
}

static struct alc_function *load(const struct shape *shape, const struct body *bodies,
                                 unsigned count)
{
    build(shape, bodies, count);
    struct alc_load_options options =
        alc_store_load_options(&store, shape->metered, shape->interruptible);
    struct alc_module *module;
    struct alc_instance *instance;
    alc_error_clear(&error);
    alc_status status =
        alc_module_load(&fixture_arena, built, built_size, &options, &module, &error);
    if (status != ALC_OK) {
        print_error("%s at %llx\n", alc_status_name(status), (unsigned long long)error.offset);
    }
    assert_int_equal(status, ALC_OK);
    assert_int_equal(alc_instantiate(&store, &fixture_arena, module, &linker, &instance, &error),
                     ALC_OK);
    struct alc_function *function;
    assert_int_equal(alc_export_find_function(instance, ALC_NAME_OF("f"), &function), ALC_OK);
    return function;
}

static uint64_t results[8];

static alc_status call(struct alc_function *function, uint32_t a, uint32_t b)
{
    uint64_t arguments[2] = {a, b};
    alc_error_clear(&error);
    return alc_invoke(&store, function, arguments, results, &error);
}

static uint32_t run(unsigned parameters, const char *bytes, size_t size, uint32_t a, uint32_t b)
{
    struct shape shape = {.parameters = parameters, .results = 1};
    struct body body = {bytes, size};
    assert_int_equal(call(load(&shape, &body, 1), a, b), ALC_OK);
    return (uint32_t)results[0];
}
#define RUN(parameters, text, a, b) run(parameters, text, sizeof(text) - 1, a, b)

/* -- values that stay where they are -- */

static void a_local_is_overwritten_while_its_old_value_waits(void **state)
{
    (void)state;
    /* local.get 0, (local.set 0 (i32.const 5)), local.get 0, i32.sub */
    assert_int_equal(RUN(1, "\0\x20\0\x41\5\x21\0\x20\0\x6b\xb", 12, 0), 7);
    /* local.get 0, (local.tee 0 (local.get 0 + 1)), i32.mul */
    assert_int_equal(RUN(1, "\0\x20\0\x20\0\x41\1\x6a\x22\0\x6c\xb", 10, 0), 110);
    /* Twice below, overwritten by a computed value: local.get 0 0, local.set 0 (0 * 3), add, get 0,
     * add */
    assert_int_equal(RUN(1, "\0\x20\0\x20\0\x20\0\x41\3\x6c\x21\0\x6a\x20\0\x6a\xb", 5, 0), 25);
    /* Swapped through the stack: 10 * b + a */
    assert_int_equal(RUN(2, "\0\x20\0\x20\1\x21\0\x21\1\x41\xa\x20\0\x6c\x20\1\x6a\xb", 3, 4), 43);
}

static void a_local_changes_inside_a_block_that_its_value_waits_below(void **state)
{
    (void)state;
    /* local.get 0; block; br_if 0 (b); local.set 0 (i32.const 9); end; local.get 0; i32.sub */
    static const char body[] = "\0\x20\0\x02\x40\x20\1\xd\0\x41\x9\x21\0\xb\x20\0\x6b\xb";
    assert_int_equal(run(2, body, sizeof body - 1, 20, 0), 11);
    assert_int_equal(run(2, body, sizeof body - 1, 20, 1), 0);
}

static void a_result_waits_in_the_accumulator_while_others_are_made(void **state)
{
    (void)state;
    /* (a + b) - (a * b): the sum must be saved before the product */
    assert_int_equal(RUN(2, "\0\x20\0\x20\1\x6a\x20\0\x20\1\x6c\x6b\xb", 3, 4), (uint32_t)-5);
    /* The same saved by a drop of something else in between: (a + b), drop (a - b), * 2 */
    assert_int_equal(RUN(2, "\0\x20\0\x20\1\x6a\x20\0\x20\1\x6b\x1a\x41\2\x6c\xb", 3, 4), 14);
    /* Floating and integer accumulators side by side:
     * trunc(convert(a) * 1.5 + convert(b)) + (a + b) */
    assert_int_equal(RUN(2,
                         "\0\x20\0\xb7\x44\0\0\0\0\0\0\xf8\x3f\xa2\x20\1\xb7\xa0\xaa"
                         "\x20\0\x20\1\x6a\x6a\xb",
                         4, 5),
                     20);
    /* Operands both from one cached slot: local.tee 1 (a + 1), local.get 1, i32.mul */
    assert_int_equal(RUN(2, "\0\x20\0\x41\1\x6a\x22\1\x20\1\x6c\xb", 6, 0), 49);
}

static void comparisons_turn_into_branches(void **state)
{
    (void)state;
    /* if (result i32) (i32.eqz (a < b)) then 1 else 2 */
    static const char inverted[] = "\0\x20\0\x20\1\x48\x45\x04\x7f\x41\1\x05\x41\2\xb\xb";
    assert_int_equal(run(2, inverted, sizeof inverted - 1, 1, 2), 2);
    assert_int_equal(run(2, inverted, sizeof inverted - 1, 2, 2), 1);
    /* The result of a comparison is used after all: (a == b) + (a != 7) + !!b */
    static const char kept[] = "\0\x20\0\x20\1\x46\x20\0\x41\7\x47\x6a\x20\1\x45\x45\x6a\xb";
    assert_int_equal(run(2, kept, sizeof kept - 1, 7, 7), 2);
    assert_int_equal(run(2, kept, sizeof kept - 1, 1, 0), 1);
    /* A constant on the left: 5 > a as a branch condition */
    static const char left[] = "\0\x41\5\x20\0\x4a\x04\x7f\x41\1\x05\x41\2\xb\xb";
    assert_int_equal(run(1, left, sizeof left - 1, 4, 0), 1);
    assert_int_equal(run(1, left, sizeof left - 1, 5, 0), 2);
}

static void many_values_wait_at_once(void **state)
{
    (void)state;
    enum { VALUES = 300 };
    static char body[VALUES * 8];
    size_t size = 0;
    body[size++] = 0;
    for (unsigned i = 0; i < VALUES; i++) { /* local.get 0 */
        body[size++] = 0x20;
        body[size++] = 0;
    }
    memcpy(body + size, "\x41\1\x21\0", 4); /* local.set 0 (i32.const 1) */
    size += 4;
    for (unsigned i = 1; i < VALUES; i++) {
        body[size++] = 0x6a;
    }
    memcpy(body + size, "\x20\0\x6a\xb", 4);
    size += 4;
    assert_int_equal(run(1, body, size, 7, 0), VALUES * 7 + 1);
}

/* -- control -- */

static void a_branch_carries_its_value_only_when_taken(void **state)
{
    (void)state;
    /* block (result i32): local.get 0, local.get 1, br_if 0, drop, i32.const 50; end; + a */
    static const char body[] = "\0\x02\x7f\x20\0\x20\1\x0d\0\x1a\x41\x32\xb\x20\0\x6a\xb";
    assert_int_equal(run(2, body, sizeof body - 1, 3, 1), 6);
    assert_int_equal(run(2, body, sizeof body - 1, 3, 0), 53);
    /* A conditional return, with a computed value: (a + 1) returned if b, else a * 2 */
    static const char back[] = "\0\x20\0\x41\1\x6a\x20\1\x0d\0\x1a\x20\0\x41\2\x6c\xb";
    assert_int_equal(run(2, back, sizeof back - 1, 9, 1), 10);
    assert_int_equal(run(2, back, sizeof back - 1, 9, 0), 18);
}

static void branch_tables_reach_blocks_loops_and_the_function(void **state)
{
    (void)state;
    /* block (result i32) block (result i32) i32.const 40, local.get 0, br_table 0 1 2 end
     * i32.const 1, i32.add end i32.const 100, i32.add */
    static const char body[] = "\0\x02\x7f\x02\x7f\x41\x28\x20\0\xe\2\0\1\2\xb\x41\1\x6a\xb"
                               "\x41\xe4\0\x6a\xb";
    assert_int_equal(run(1, body, sizeof body - 1, 0, 0), 141);
    assert_int_equal(run(1, body, sizeof body - 1, 1, 0), 140);
    assert_int_equal(run(1, body, sizeof body - 1, 2, 0), 40);
    assert_int_equal(run(1, body, sizeof body - 1, 0xffffffff, 0), 40);
    /* local 1 counts: block loop  1 += 1; br_table 0 1 (1 >= a) end end; local 1 */
    static const char loop[] = "\1\1\x7f\x02\x40\x03\x40\x20\1\x41\1\x6a\x22\1\x20\0\x4e"
                               "\xe\1\0\1\xb\xb\x20\1\xb";
    assert_int_equal(run(1, loop, sizeof loop - 1, 17, 0), 17);
}

static void loops_take_parameters_and_blocks_give_several_results(void **state)
{
    (void)state;
    struct shape shape = {.parameters = 2, .results = 2};
    /* Results in the other order than they stand in locals. */
    struct body swap = BODY("\0\x20\1\x20\0\xb");
    assert_int_equal(call(load(&shape, &swap, 1), 1, 2), ALC_OK);
    assert_int_equal(results[0], 2);
    assert_int_equal(results[1], 1);
    /* loop (param i32 i32) (result i32 i32), type 0: local.set 1, local.set 0,
     * (0 + 1) (1 - 1), br_if 0 (1 != 1): moves both down; ends when the second is 0 */
    struct body loop = BODY("\0\x20\0\x20\1\x03\0\x21\1\x21\0\x20\0\x41\1\x6a\x20\1\x41\1\x6b"
                            "\x22\1\x20\1\x0d\0\xb\xb");
    assert_int_equal(call(load(&shape, &loop, 1), 10, 5), ALC_OK);
    assert_int_equal(results[0], 15);
    assert_int_equal(results[1], 0);
}

static void dead_code_is_checked_and_skipped(void **state)
{
    (void)state;
    /* return in the middle; i32.add from nowhere; a dead block, loop, if/else; br from dead code */
    static const char body[] = "\0\x20\0\xf\x6a\x02\x40\x03\x40\x0c\0\xb\xb\x04\x7f\x41\1\x05"
                               "\x41\2\xb\x1a\x0c\0\xb";
    assert_int_equal(run(1, body, sizeof body - 1, 8, 0), 8);
    /* if: then-branch ends dead, else-branch does not */
    static const char half[] = "\0\x20\0\x04\x7f\x41\5\xf\x05\x41\6\xb\x41\1\x6a\xb";
    assert_int_equal(run(1, half, sizeof half - 1, 1, 0), 5);
    assert_int_equal(run(1, half, sizeof half - 1, 0, 0), 7);
}

/* -- fuel and the stop word -- */

/* loop: local 0 -= 1; br_if 0 (local 0); end; 77 */
#define COUNT_DOWN "\0\x03\x40\x20\0\x41\1\x6b\x22\0\xd\0\xb\x41\xcd\0\xb"

static void fuel_is_counted_exactly(void **state)
{
    (void)state;
    struct shape shape = {.parameters = 1, .results = 1, .metered = true};
    struct body body = BODY(COUNT_DOWN);
    struct alc_function *function = load(&shape, &body, 1);
    enum { PER_ROUND = 5, ROUNDS = 10, REST = 1, WHOLE = PER_ROUND * ROUNDS + REST };
    alc_store_set_fuel(&store, WHOLE);
    assert_int_equal(call(function, ROUNDS, 0), ALC_OK);
    assert_int_equal(results[0], 77);
    assert_int_equal(alc_store_get_fuel(&store), 0);
    alc_store_set_fuel(&store, WHOLE + 3);
    assert_int_equal(call(function, ROUNDS, 0), ALC_OK);
    assert_int_equal(alc_store_get_fuel(&store), 3);
    alc_store_set_fuel(&store, WHOLE - 1);
    assert_int_equal(call(function, ROUNDS, 0), ALC_E_OUT_OF_FUEL);
    /* Without fuel set nothing is counted. */
    alc_store_clear_fuel(&store);
    assert_int_equal(call(function, 100000, 0), ALC_OK);
}

/* block: br_if 0 (local 0); drop (3); end; 77: what is dropped needs no code, and is paid for by
 * those alone who come by. */
static void fuel_of_instructions_without_code_stays_in_their_block(void **state)
{
    (void)state;
    struct shape shape = {.parameters = 1, .results = 1, .metered = true};
    struct body body = BODY("\0\x02\x40\x20\0\xd\0\x41\3\x1a\xb\x41\xcd\0\xb");
    struct alc_function *function = load(&shape, &body, 1);
    enum { BRANCH = 2, DROPPED = 2, REST = 1, FUEL = 100 };
    alc_store_set_fuel(&store, FUEL);
    assert_int_equal(call(function, 1, 0), ALC_OK);
    assert_int_equal(FUEL - alc_store_get_fuel(&store), BRANCH + REST);
    alc_store_set_fuel(&store, FUEL);
    assert_int_equal(call(function, 0, 0), ALC_OK);
    assert_int_equal(FUEL - alc_store_get_fuel(&store), BRANCH + DROPPED + REST);
}

static void the_stop_word_ends_loops_and_calls(void **state)
{
    (void)state;
    static volatile uint64_t stop;
    stop = 0;
    alc_store_fini(&store);
    fixture_store(&(struct alc_store_options){.stop_flag = &stop});
    struct shape shape = {.parameters = 1, .results = 1, .interruptible = true};
    struct body bodies[] = {BODY(COUNT_DOWN), BODY("\0\x20\0\xb")};
    struct alc_function *function = load(&shape, bodies, 2);
    assert_int_equal(call(function, 5, 0), ALC_OK);
    stop = 1;
    assert_int_equal(call(function, 5, 0), ALC_E_DEADLINE);
    assert_int_equal(store.thread.trap.frames_count, 1);
    shape.interruptible = false;
    assert_int_equal(call(load(&shape, bodies, 2), 5, 0), ALC_OK);
}

/* -- calls -- */

static void traps_know_their_places(void **state)
{
    (void)state;
    struct shape shape = {.parameters = 1, .results = 1};
    /* 0: call 1 (i32.const 3) + 1;  1: a / 0 behind a nop */
    struct body bodies[] = {BODY("\0\x41\3\x10\1\x41\1\x6a\xb"), BODY("\0\x01\x20\0\x41\0\x6d\xb")};
    struct alc_function *function = load(&shape, bodies, 2);
    assert_int_equal(call(function, 0, 0), ALC_E_DIVIDE_BY_ZERO);
    const struct alc_trap *trap = &store.thread.trap;
    assert_int_equal(trap->frames_count, 2);
    assert_int_equal(trap->frames_omitted, 0);
    assert_int_equal(trap->frames[0].function_index, 1);
    assert_int_equal(built[trap->frames[0].offset], 0x6d);
    assert_int_equal(trap->frames[1].function_index, 0);
    assert_int_equal(built[trap->frames[1].offset], 0x10);
    assert_int_equal(error.offset, trap->frames[0].offset);
}

static void endless_recursion_ends_in_a_trap(void **state)
{
    (void)state;
    struct shape shape = {.parameters = 1, .results = 1};
    struct body body = BODY("\0\x20\0\x10\0\x41\1\x6a\xb"); /* f(a) + 1 */
    struct alc_function *function = load(&shape, &body, 1);
    assert_int_equal(call(function, 0, 0), ALC_E_CALL_STACK_EXHAUSTED);
    const struct alc_trap *trap = &store.thread.trap;
    assert_int_equal(trap->frames_count, ALC_LIMIT_BACKTRACE_FRAMES);
    assert_true(trap->frames_omitted > 50000);
    assert_true(trap->frames_omitted + trap->frames_count <= ALC_LIMIT_CALL_DEPTH);
    assert_int_equal(built[trap->frames[0].offset], 0x10);
    /* The store still works. */
    struct body fine = BODY("\0\x20\0\xb");
    assert_int_equal(call(load(&shape, &fine, 1), 6, 0), ALC_OK);
}

static void tail_calls_keep_the_stack_flat(void **state)
{
    (void)state;
    struct shape shape = {.parameters = 2, .results = 1};
    /* a == 0 ? b : return_call 0 (a - 1, b + 2) */
    struct body body = BODY("\0\x20\0\x45\x04\x40\x20\1\xf\xb\x20\0\x41\1\x6b\x20\1\x41\2\x6a"
                            "\x12\0\xb");
    assert_int_equal(call(load(&shape, &body, 1), 500000, 1), ALC_OK);
    assert_int_equal(results[0], 1000001);
}

static struct alc_function *reentered;

/* Calls the exported function again with one less, until 0. */
static alc_status call_back(struct alc_host_call *host_call)
{
    uint32_t left = (uint32_t)host_call->slots[0];
    if (left == 0) {
        host_call->slots[0] = 1000;
        return ALC_OK;
    }
    uint64_t argument = left - 1;
    uint64_t result;
    alc_status status = alc_invoke(host_call->caller->store, reentered, &argument, &result, NULL);
    host_call->slots[0] = result;
    return status;
}

static void host_functions_may_call_back(void **state)
{
    (void)state;
    static const struct alc_host_export exports[] = {{"call", "i:i", call_back}};
    static const struct alc_host_module host = {"host", exports, 1};
    assert_int_equal(alc_linker_add_host(&linker, &host, NULL), ALC_OK);
    struct shape shape = {.parameters = 1, .results = 1, .has_host = true};
    /* (a * 2 + host(a)), the first saved across the call */
    struct body body = BODY("\0\x20\0\x41\2\x6c\x20\0\x10\0\x6a\xb");
    reentered = load(&shape, &body, 1);
    assert_int_equal(call(reentered, 4, 0), ALC_OK);
    assert_int_equal(results[0], 1000 + 2 * (4 + 3 + 2 + 1));
    /* A trap inside passes through the host function; both activations are in the backtrace. */
    struct body trapping = BODY("\0\x20\0\x45\x04\x40\0\xb\x20\0\x10\0\xb");
    reentered = load(&shape, &trapping, 1);
    assert_int_equal(call(reentered, 2, 0), ALC_E_UNREACHABLE);
    assert_int_equal(store.thread.trap.frames_count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_local_is_overwritten_while_its_old_value_waits),
        FIXTURE_TEST(a_local_changes_inside_a_block_that_its_value_waits_below),
        FIXTURE_TEST(a_result_waits_in_the_accumulator_while_others_are_made),
        FIXTURE_TEST(comparisons_turn_into_branches),
        FIXTURE_TEST(many_values_wait_at_once),
        FIXTURE_TEST(a_branch_carries_its_value_only_when_taken),
        FIXTURE_TEST(branch_tables_reach_blocks_loops_and_the_function),
        FIXTURE_TEST(loops_take_parameters_and_blocks_give_several_results),
        FIXTURE_TEST(dead_code_is_checked_and_skipped),
        FIXTURE_TEST(fuel_is_counted_exactly),
        FIXTURE_TEST(fuel_of_instructions_without_code_stays_in_their_block),
        FIXTURE_TEST(the_stop_word_ends_loops_and_calls),
        FIXTURE_TEST(traps_know_their_places),
        FIXTURE_TEST(endless_recursion_ends_in_a_trap),
        FIXTURE_TEST(tail_calls_keep_the_stack_flat),
        FIXTURE_TEST(host_functions_may_call_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
