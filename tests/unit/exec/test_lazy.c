/* SPDX-License-Identifier: Apache-2.0
 *
 * Code that is made at the first call: what is made when, which function an address belongs to, and
 * what is left of an attempt that found no memory.
 */
#include <pthread.h>

#include "exec_fixture.h"

#include "exec/interp_state.h"
#include "wasm/code_make.h"

/* (type $t (func (result i32)))
 * (global (mut i32) (i32.const 0))  (table 3 funcref)
 * (elem (i32.const 0) $leaf $even $fails)
 * (func $first (export "first") (result i32) call $leaf i32.const 2 i32.add)
 * (func $leaf (result i32) i32.const 40)
 * (func $inner unreachable)
 * (func $fails (export "fails") nop call $inner)
 * (func $odd (param i32) (result i32) local.get 0 i32.eqz
 *   if (result i32) i32.const 0 else local.get 0 i32.const 1 i32.sub call $even end)
 * (func $even (export "even") (param i32) (result i32) the same with i32.const 1 and $odd)
 * (func (export "table") (result i32) i32.const 0 call_indirect (type $t))
 * (func (export "tail") (result i32) return_call $leaf)
 * (func (export "tail_table") (result i32) i32.const 0 return_call_indirect (type $t))
 * (func (export "reference") (result i32) ref.func $leaf call_ref $t) */
/* clang-format off */
static const uint8_t program[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x0d, 0x03, 0x60,
    0x00, 0x01, 0x7f, 0x60, 0x00, 0x00, 0x60, 0x01, 0x7f, 0x01, 0x7f, 0x03,
    0x0b, 0x0a, 0x00, 0x00, 0x01, 0x01, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x04, 0x04, 0x01, 0x70, 0x00, 0x03, 0x06, 0x06, 0x01, 0x7f, 0x01, 0x41,
    0x00, 0x0b, 0x07, 0x40, 0x07, 0x05, 0x66, 0x69, 0x72, 0x73, 0x74, 0x00,
    0x00, 0x05, 0x66, 0x61, 0x69, 0x6c, 0x73, 0x00, 0x03, 0x04, 0x65, 0x76,
    0x65, 0x6e, 0x00, 0x05, 0x05, 0x74, 0x61, 0x62, 0x6c, 0x65, 0x00, 0x06,
    0x04, 0x74, 0x61, 0x69, 0x6c, 0x00, 0x07, 0x0a, 0x74, 0x61, 0x69, 0x6c,
    0x5f, 0x74, 0x61, 0x62, 0x6c, 0x65, 0x00, 0x08, 0x09, 0x72, 0x65, 0x66,
    0x65, 0x72, 0x65, 0x6e, 0x63, 0x65, 0x00, 0x09, 0x09, 0x0d, 0x02, 0x00,
    0x41, 0x00, 0x0b, 0x03, 0x01, 0x05, 0x03, 0x03, 0x00, 0x01, 0x01, 0x0a,
    0x5a, 0x0a, 0x07, 0x00, 0x10, 0x01, 0x41, 0x02, 0x6a, 0x0b, 0x04, 0x00,
    0x41, 0x28, 0x0b, 0x03, 0x00, 0x00, 0x0b, 0x05, 0x00, 0x01, 0x10, 0x02,
    0x0b, 0x12, 0x00, 0x20, 0x00, 0x45, 0x04, 0x7f, 0x41, 0x00, 0x05, 0x20,
    0x00, 0x41, 0x01, 0x6b, 0x10, 0x05, 0x0b, 0x0b, 0x12, 0x00, 0x20, 0x00,
    0x45, 0x04, 0x7f, 0x41, 0x01, 0x05, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x10,
    0x04, 0x0b, 0x0b, 0x07, 0x00, 0x41, 0x00, 0x11, 0x00, 0x00, 0x0b, 0x04,
    0x00, 0x12, 0x01, 0x0b, 0x07, 0x00, 0x41, 0x00, 0x13, 0x00, 0x00, 0x0b,
    0x06, 0x00, 0xd2, 0x01, 0x14, 0x00, 0x0b,
};
/* clang-format on */
enum { FIRST, LEAF, INNER, FAILS, ODD, EVEN, FUNCTIONS = 10 };
enum { AT_UNREACHABLE = 0x95, AT_CALL = 0x9a };

static struct alc_module *module;
static struct alc_instance *instance;

static alc_status load(bool is_eager)
{
    struct alc_load_options options = alc_store_load_options(&store, false, false);
    options.is_eager = is_eager;
    alc_error_clear(&error);
    ALC_TRY(alc_module_load(&fixture_arena, program, sizeof program, &options, &module, &error));
    return alc_instantiate(&store, &fixture_arena, module, NULL, &instance, &error);
}

static alc_status invoke(struct alc_instance *in, const char *name, uint64_t *slot)
{
    struct alc_function *function = NULL;
    struct alc_name export = {(const uint8_t *)name, (uint32_t)strlen(name)};
    assert_int_equal(alc_export_find_function(in, export, &function), ALC_OK);
    alc_error_clear(&error);
    return alc_invoke(&store, function, slot, slot, &error);
}

static bool is_made(uint32_t index)
{
    const struct alc_code *code = module->functions[index].code;
    bool leads_to_stub = (uintptr_t)alc_code_entry(code) == (uintptr_t)&code->lazy_handler;
    assert_int_equal(leads_to_stub, code->units_count == 0);
    return !leads_to_stub;
}

static unsigned made_count(void)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        count += is_made(i);
    }
    return count;
}

static void only_called_functions_are_made(void **state)
{
    (void)state;
    assert_int_equal(load(false), ALC_OK);
    assert_int_equal(made_count(), 0);
    uint64_t slot = 0;
    assert_int_equal(invoke(instance, "first", &slot), ALC_OK);
    assert_int_equal(slot, 42);
    assert_true(is_made(FIRST) && is_made(LEAF));
    assert_int_equal(made_count(), 2);
    const uint16_t *entry = module->functions[LEAF].code->units;
    assert_int_equal(invoke(instance, "first", &slot), ALC_OK);
    assert_ptr_equal(entry, module->functions[LEAF].code->units);
}

static void eager_modules_have_all_code(void **state)
{
    (void)state;
    assert_int_equal(load(true), ALC_OK);
    assert_int_equal(made_count(), FUNCTIONS);
    uint64_t slot = 7;
    assert_int_equal(invoke(instance, "even", &slot), ALC_OK);
    assert_int_equal(slot, 0);
}

static void every_kind_of_call_makes_code(void **state)
{
    (void)state;
    static const char *const names[] = {"table", "tail", "tail_table", "reference"};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(names); i++) {
        uint64_t slot = 0;
        assert_int_equal(load(false), ALC_OK); /* a module whose leaf nobody has called */
        assert_int_equal(invoke(instance, names[i], &slot), ALC_OK);
        assert_int_equal(slot, 40);
        assert_true(is_made(LEAF));
        assert_int_equal(made_count(), 2);
    }
}

static void functions_make_each_other(void **state)
{
    (void)state;
    assert_int_equal(load(false), ALC_OK);
    uint64_t slot = 1001;
    assert_int_equal(invoke(instance, "even", &slot), ALC_OK);
    assert_int_equal(slot, 0);
    assert_true(is_made(ODD) && is_made(EVEN));
    assert_int_equal(made_count(), 2);
}

/* (import "m" "first" (func (result i32)))  (func (export "f") (result i32) call 0) */
static void calls_into_another_instance_make_its_code(void **state)
{
    (void)state;
    struct alc_instance *caller;
    assert_int_equal(load(false), ALC_OK);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), instance), ALC_OK);
    assert_int_equal(INSTANTIATE(HEADER "\1\5\1\x60\0\1\x7f"
                                        "\2\xb\1\1m\5first\0\0"
                                        "\3\2\1\0"
                                        "\7\5\1\1f\0\1"
                                        "\xa\6\1\4\0\x10\0\xb",
                                 &caller),
                     ALC_OK);
    uint64_t slot = 0;
    assert_int_equal(invoke(caller, "f", &slot), ALC_OK);
    assert_int_equal(slot, 42);
    assert_int_equal(made_count(), 2);
}

static void addresses_belong_to_functions(void **state)
{
    (void)state;
    assert_int_equal(load(false), ALC_OK);
    uint64_t slot = 1;
    /* Not in the order of the functions. */
    assert_int_equal(invoke(instance, "even", &slot), ALC_OK);
    assert_int_equal(invoke(instance, "table", &slot), ALC_OK);
    assert_int_equal(invoke(instance, "first", &slot), ALC_OK);
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        const struct alc_code *code = module->functions[i].code;
        for (uint32_t unit = 0; unit < code->units_count; unit++) {
            assert_ptr_equal(alc_interp_find_code(instance, code->units + unit), code);
        }
        const uint16_t *stub = (const uint16_t *)(const void *)&code->lazy_handler;
        assert_null(alc_interp_find_code(instance, stub));
    }
    const struct alc_code *last = module->functions[FIRST].code;
    assert_null(alc_interp_find_code(instance, last->units + last->units_count));
}

static void traps_in_fresh_code_know_their_places(void **state)
{
    (void)state;
    const struct alc_trap *trap = &store.thread.trap;
    assert_int_equal(load(false), ALC_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(invoke(instance, "fails", NULL), ALC_E_UNREACHABLE);
        assert_int_equal(trap->frames_count, 2);
        assert_int_equal(trap->frames[0].function_index, INNER);
        assert_int_equal(trap->frames[0].offset, AT_UNREACHABLE);
        assert_int_equal(trap->frames[1].function_index, FAILS);
        assert_int_equal(trap->frames[1].offset, AT_CALL);
    }
}

/* Makes all functions, beginning at a place of its own, and looks for what it has made. */
static void *make_all(void *first)
{
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        struct alc_code *code =
            module->functions[(i + (uint32_t)(uintptr_t)first) % FUNCTIONS].code;
        const uint16_t *entry;
        if (alc_code_make(module, code) != ALC_OK) {
            return NULL;
        }
        entry = alc_code_entry(code);
        if (alc_code_find(module, entry) != code || alc_code_make(module, code) != ALC_OK ||
            alc_code_entry(code) != entry) {
            return NULL;
        }
    }
    return first;
}

static void threads_make_code_together(void **state)
{
    (void)state;
    enum { THREADS = 4, ROUNDS = 50 };
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        assert_int_equal(load(false), ALC_OK);
        size_t used = store.code_heap.arena.used;
        for (uintptr_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, make_all, (void *)(i + 1)), 0);
        }
        for (uintptr_t i = 0; i < THREADS; i++) {
            void *result;
            pthread_join(threads[i], &result);
            assert_ptr_equal(result, (void *)(i + 1));
        }
        assert_int_equal(made_count(), FUNCTIONS);
        /* Each once: a round of one thread takes as much. */
        size_t taken = store.code_heap.arena.used - used;
        assert_int_equal(load(true), ALC_OK);
        assert_in_range(store.code_heap.arena.used - used - taken, taken - 64, taken + 64);
    }
}

/* -- without memory -- */

static void no_pages_for_code(void **state)
{
    (void)state;
    assert_int_equal(load(false), ALC_OK);
    uint64_t slot = 5;
    fixture_commits_left = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(invoke(instance, "first", &slot), ALC_E_OUT_OF_MEMORY);
        assert_int_equal(slot, 5);
        assert_int_equal(store.thread.trap.frames_count, 0);
        assert_int_equal(made_count(), 0);
    }
    fixture_commits_left = 1;
    assert_int_equal(invoke(instance, "first", &slot), ALC_OK);
    assert_int_equal(slot, 42);
    struct alc_module *before = module;
    fixture_tear_down(NULL);
    fixture_set_up(NULL);
    fixture_commits_left = 0;
    assert_int_equal(load(true), ALC_E_OUT_OF_MEMORY);
    assert_ptr_equal(module, before);
}

/* "f" calls function 1, which counts to `count` in global 0 step by step; "h" does nothing. */
static size_t build_long(uint8_t *out, unsigned count)
{
    static const uint8_t head[] = HEADER "\1\4\1\x60\0\0"
                                         "\3\4\3\0\0\0"
                                         "\6\6\1\x7f\1\x41\0\xb"
                                         "\7\xd\3\1f\0\0\1g\3\0\1h\0\2"
                                         "\xa";
    static const uint8_t step[] = {0x23, 0, 0x41, 1, 0x6a, 0x24, 0};
    size_t size = sizeof head - 1;
    size_t body = 2 + count * sizeof step;
    size_t sizes[2] = {1 + 5 + 3 + body + 3, body};
    memcpy(out, head, size);
    for (int i = 0; i < 2; i++) {
        out[size++] = (uint8_t)(sizes[i] | 0x80);
        out[size++] = (uint8_t)(sizes[i] >> 7 | 0x80);
        out[size++] = (uint8_t)(sizes[i] >> 14);
        if (i == 0) {
            memcpy(out + size, "\3\4\0\x10\1\xb", 6);
            size += 6;
        }
    }
    out[size++] = 0;
    for (unsigned i = 0; i < count; i++, size += sizeof step) {
        memcpy(out + size, step, sizeof step);
    }
    out[size++] = 0xb;
    memcpy(out + size, "\2\0\xb", 3);
    return size + 3;
}

static void a_full_heap_ends_the_call(void **state)
{
    (void)state;
    /* The first units take 8 KiB: the rest is too small for the code, or for emitting it. */
    static const unsigned counts[] = {250, 2000};
    static uint8_t bytes[64 << 10];
    for (size_t i = 0; i < ALC_ARRAY_COUNT(counts); i++) {
        struct alc_instance *large;
        struct alc_external global;
        fixture_tear_down(NULL);
        fixture_store(&(struct alc_store_options){.code_size_max = 12 << 10});
        size_t size = build_long(bytes, counts[i]);
        assert_int_equal(fixture_instantiate(bytes, size, &large), ALC_OK);
        assert_int_equal(alc_export_find(large, ALC_NAME_OF("g"), &global), ALC_OK);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(invoke(large, "f", NULL), ALC_E_OUT_OF_MEMORY);
            const struct alc_trap *trap = &store.thread.trap;
            assert_int_equal(trap->frames_count, 1); /* where it called what could not be made */
            assert_int_equal(trap->frames[0].function_index, 0);
            assert_int_equal(bytes[trap->frames[0].offset], 0x10);
            assert_int_equal(global.global->value.u32, 0);
            assert_int_equal(large->module->functions[1].code->units_count, 0);
        }
        assert_int_equal(invoke(large, "h", NULL), ALC_OK); /* small functions still find room */
    }
}

static void a_long_function_is_made(void **state)
{
    (void)state;
    static uint8_t bytes[64 << 10];
    struct alc_instance *large;
    struct alc_external global;
    assert_int_equal(fixture_instantiate(bytes, build_long(bytes, 2000), &large), ALC_OK);
    assert_int_equal(alc_export_find(large, ALC_NAME_OF("g"), &global), ALC_OK);
    assert_int_equal(invoke(large, "f", NULL), ALC_OK);
    assert_int_equal(global.global->value.u32, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(only_called_functions_are_made),
        FIXTURE_TEST(eager_modules_have_all_code),
        FIXTURE_TEST(every_kind_of_call_makes_code),
        FIXTURE_TEST(functions_make_each_other),
        FIXTURE_TEST(calls_into_another_instance_make_its_code),
        FIXTURE_TEST(addresses_belong_to_functions),
        FIXTURE_TEST(traps_in_fresh_code_know_their_places),
        FIXTURE_TEST(threads_make_code_together),
        FIXTURE_TEST(no_pages_for_code),
        FIXTURE_TEST(a_full_heap_ends_the_call),
        FIXTURE_TEST(a_long_function_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
