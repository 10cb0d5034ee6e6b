/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores and instances of further threads: what they share with the first, what is their own, and
 * what cannot be shared. Results of 128-bit arithmetic in slots and locals.
 */
#include "exec_fixture.h"

#include "exec/waiting.h"

static struct alc_store thread_store;
static struct alc_arena thread_arena;
static uint8_t thread_memory[1 << 20];
static int contexts[3]; /* first's, the thread's, another one's */
static void *seen;

static alc_status see(struct alc_host_call *call)
{
    seen = call->context;
    return ALC_OK;
}

static const struct alc_host_export exports[] = {{"f", ":", see}};
static const struct alc_host_module host = {"e", exports, 1};
static const struct alc_host_module other_host = {"o", exports, 1};

static void start_thread_store(void)
{
    alc_arena_init(&thread_arena, thread_memory, sizeof thread_memory);
    assert_int_equal(alc_store_init_thread(&thread_store, &thread_arena, &store, 3, 1 << 12),
                     ALC_OK);
}

static alc_status make_for_thread(const struct alc_instance *original, struct alc_instance **out)
{
    const struct alc_thread_contexts pair = {&contexts[0], &contexts[1]};
    start_thread_store();
    *out = NULL;
    alc_error_clear(&error);
    return alc_instance_new_for_thread(&thread_store, &thread_arena, original, &pair, out, &error);
}

/* (import "e" "f" (func)) (import "o" "f" (func)) (import "e" "m" (memory 1 2 shared))
 * (memory 1) (global (mut i32) (i32.const 5)) (func (export "a") call 0) (func (export "b") call 1)
 * (start 4): (func global.set 0 (i32.const 6)) */
static const char PROGRAM[] = HEADER "\1\4\1\x60\0\0"
                                     "\2\x15\3\1e\1f\0\0\1o\1f\0\0\1e\1m\2\3\1\2"
                                     "\3\4\3\0\0\0"
                                     "\5\3\1\0\1"
                                     "\6\6\1\x7f\1\x41\5\x0b"
                                     "\7\x0d\3\1a\0\2\1b\0\3\1g\3\0"
                                     "\x08\1\4"
                                     "\x0a\x12\3\4\0\x10\0\x0b\4\0\x10\1\x0b\6\0\x41\6\x24\0\x0b";

static void add_imports(void)
{
    struct alc_memory_type type = {
        .limits = {.min = 1, .max = 2, .has_max = true, .is_shared = true, .page_size_log2 = 16}};
    struct alc_external external = {.kind = ALC_EXTERNAL_MEMORY};
    assert_int_equal(alc_linker_add_host(&linker, &host, &contexts[0]), ALC_OK);
    assert_int_equal(alc_linker_add_host(&linker, &other_host, &contexts[2]), ALC_OK);
    assert_int_equal(alc_store_new_memory(&store, &type, &external.memory), ALC_OK);
    assert_int_equal(alc_linker_add_external(&linker, ALC_NAME_OF("e"), ALC_NAME_OF("m"), external),
                     ALC_OK);
}

static void call_export(struct alc_instance *instance, struct alc_name name)
{
    struct alc_function *function;
    assert_int_equal(alc_export_find_function(instance, name, &function), ALC_OK);
    assert_int_equal(alc_invoke(instance->store, function, NULL, NULL, &error), ALC_OK);
}

static uint32_t global_of(const struct alc_instance *instance)
{
    return instance->globals[0]->cell->u32;
}

static void test_what_is_shared(void **state)
{
    struct alc_instance *first;
    struct alc_instance *thread;
    (void)state;
    add_imports();
    assert_int_equal(INSTANTIATE(PROGRAM, &first), ALC_OK);
    assert_int_equal(global_of(first), 6);
    uint64_t used = store.own_budget.used;
    assert_int_equal(make_for_thread(first, &thread), ALC_OK);
    assert_ptr_equal(thread->memories[0], first->memories[0]);
    assert_ptr_equal(thread->memory0, first->memory0);
    assert_ptr_not_equal(thread->memories[1], first->memories[1]);
    assert_int_equal(store.own_budget.used, used + 65536); /* one budget for all */
    assert_int_equal(global_of(thread), 5);                /* nothing has run */
    assert_int_equal(alc_instance_start_thread(thread, &thread_arena, &error), ALC_OK);
    assert_int_equal(global_of(thread), 6);
    first->globals[0]->cell->u32 = 9;
    assert_int_equal(global_of(thread), 6);
    call_export(first, ALC_NAME_OF("a"));
    assert_ptr_equal(seen, &contexts[0]);
    call_export(thread, ALC_NAME_OF("a"));
    assert_ptr_equal(seen, &contexts[1]);
    call_export(thread, ALC_NAME_OF("b"));
    assert_ptr_equal(seen, &contexts[2]);
    alc_store_fini(&thread_store);
    assert_int_equal(store.own_budget.used, used);
    call_export(first, ALC_NAME_OF("a"));
}

static void test_what_cannot_be_shared(void **state)
{
    /* imports from the exports of PROGRAM: a function, the mutable global */
    static const char *const texts[] = {
        HEADER "\1\4\1\x60\0\0\2\7\1\1p\1a\0\0",
        HEADER "\2\x08\1\1p\1g\3\x7f\1",
    };
    static const size_t sizes[] = {8 + 6 + 9, 8 + 10};
    struct alc_instance *first;
    struct alc_instance *second;
    struct alc_instance *thread;
    (void)state;
    add_imports();
    assert_int_equal(INSTANTIATE(PROGRAM, &first), ALC_OK);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("p"), first), ALC_OK);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(texts); i++) {
        assert_int_equal(fixture_instantiate(texts[i], sizes[i], &second), ALC_OK);
        assert_int_equal(make_for_thread(second, &thread), ALC_E_NOT_SUPPORTED);
        assert_null(thread);
        alc_store_fini(&thread_store);
    }
}

static void test_store_of_a_thread(void **state)
{
    (void)state;
    start_thread_store();
    assert_int_equal(thread_store.thread.number, 3);
    assert_ptr_equal(thread_store.thread.stop_flag, store.thread.stop_flag);
    assert_ptr_equal(thread_store.thread.end_flag, store.thread.end_flag);
    assert_false(thread_store.thread.has_fuel);
    alc_store_fini(&thread_store);
    alc_store_set_fuel(&store, 1000);
    start_thread_store();
    assert_true(thread_store.thread.has_fuel); /* and none in it */
    assert_int_equal(alc_store_get_fuel(&thread_store), 0);
    alc_store_fini(&thread_store);
    fixture_commits_left = 0;
    alc_arena_init(&thread_arena, thread_memory, sizeof thread_memory);
    assert_int_equal(alc_store_init_thread(&thread_store, &thread_arena, &store, 1, 1 << 12),
                     ALC_E_OUT_OF_MEMORY);
}

/* -- 128 bits -- */

static void check_wide(const void *bytes, size_t size, const uint64_t *arguments, uint64_t first,
                       uint64_t second)
{
    struct alc_instance *instance;
    struct alc_function *function;
    uint64_t results[2] = {0};
    assert_int_equal(fixture_instantiate(bytes, size, &instance), ALC_OK);
    assert_int_equal(alc_export_find_function(instance, ALC_NAME_OF("f"), &function), ALC_OK);
    assert_int_equal(alc_invoke(&store, function, arguments, results, &error), ALC_OK);
    assert_int_equal(results[0], first);
    assert_int_equal(results[1], second);
}

/* (func (export "f") (param i64 i64) (result i64 i64) (local i64 i64) body); body of 16 bytes */
#define WIDE(body)                                                                                 \
    HEADER "\1\x08\1\x60\2\x7e\x7e\2\x7e\x7e\3\2\1\0\7\5\1\1f\0\0\x0a\x16\1\x14\1\2\x7e" body "\x0b"
#define CHECK_WIDE(body, arguments, first, second)                                                 \
    check_wide(WIDE(body), sizeof(WIDE(body)) - 1, arguments, first, second)

static void test_wide_results(void **state)
{
    static const uint64_t big[2] = {UINT64_MAX, UINT64_MAX - 2};
    (void)state;
    /* as they come */
    CHECK_WIDE("\x20\0\x20\1\xfc\x16\1\1\1\1\1\1\1\1\1\1", big, 3, UINT64_MAX - 3);
    /* both to locals; high first, low second */
    CHECK_WIDE("\x20\0\x20\1\xfc\x16\x21\3\x21\2\x20\3\x20\2\1\1", big, UINT64_MAX - 3, 3);
    /* over the operands' own locals, while one of them is still to be used */
    CHECK_WIDE("\x20\1\x20\0\x20\1\xfc\x16\x21\1\x1a\x20\1\1\1\1", big, UINT64_MAX - 2,
               UINT64_MAX - 3);
    /* signed: -1 * -3 */
    CHECK_WIDE("\x20\0\x20\1\xfc\x15\1\1\1\1\1\1\1\1\1\1", big, 3, 0);
    /* 2^64 - 1 with a high half of 0, plus 1: carries */
    CHECK_WIDE("\x20\0\x42\0\x42\1\x42\0\xfc\x13\1\1\1\1\1\1", big, 0, 1);
    /* 0 - 1: borrows */
    CHECK_WIDE("\x42\0\x42\0\x42\1\x42\0\xfc\x14\1\1\1\1\1\1", big, UINT64_MAX, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_what_is_shared),
        FIXTURE_TEST(test_what_cannot_be_shared),
        FIXTURE_TEST(test_store_of_a_thread),
        FIXTURE_TEST(test_wide_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
