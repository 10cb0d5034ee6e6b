/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs with objects while the collector runs: with a collection before each allocation, and as
 * it comes. Each result needs objects that are reachable in one way only.
 */
#include "exec/heap_internal.h"
#include "exec_fixture.h"
#include "gc_module.h"

static struct alc_instance *instance;
static uint64_t host_seen; /* the number in the object that the host function was given last */

static bool is_allocated(uint64_t reference)
{
    const struct alc_gc_block *block = alc_gc_block_of(reference);
    uint32_t index = alc_gc_index_of(block, reference);
    return block->blocks_count != 0 && (block->allocated[index / 64] >> (index % 64) & 1) != 0;
}

/* What the host function does, by its third argument. */
enum { COLLECT, CALL_BACK = 3, LET_PASS, BEGIN_MARKING, END_MARKING };

static alc_status call_back(const char *name, uint64_t argument, uint64_t *result)
{
    struct alc_function *function = NULL;
    struct alc_name export = {(const uint8_t *)name, (uint32_t)strlen(name)};
    assert_int_equal(alc_export_find_function(instance, export, &function), ALC_OK);
    return alc_invoke(&store, function, &argument, result, &error);
}

/* Gives its first argument back. */
static alc_status host_collect(struct alc_host_call *call)
{
    uint64_t result = 0;
    alc_status status = ALC_OK;
    switch ((uint32_t)call->slots[2]) {
    case CALL_BACK:
        assert_int_equal(call_back("tree", 6, &result), ALC_OK);
        assert_int_equal(result, 64);
        break;
    case LET_PASS:
        status = call_back("throws", 71, &result);
        assert_int_equal(status, ALC_E_UNCAUGHT_EXCEPTION);
        break;
    case BEGIN_MARKING:
        alc_gc_finish(&store.heap);
        while (store.heap.phase != ALC_GC_MARKING) {
            alc_gc_step(&store.heap, 1 << 20);
        }
        store.heap.collects_always = false;
        return ALC_OK;
    case END_MARKING:
        assert_int_equal(store.heap.phase, ALC_GC_MARKING);
        alc_gc_finish(&store.heap);
        assert_true(is_allocated(call->slots[0]));
        return ALC_OK;
    default:
        break;
    }
    alc_gc_collect(&store.heap);
    if (alc_reference_is_object(call->slots[1])) {
        uint32_t number;
        memcpy(&number, alc_object_bytes(alc_object_of(call->slots[1])) + 8, sizeof number);
        host_seen = number;
    }
    return status;
}

static void start(const struct alc_store_options *options)
{
    static const struct alc_host_export NO_EXPORTS[1];
    static const struct alc_host_module HOST = {"none", NO_EXPORTS, 0};
    fixture_store(options);
    assert_int_equal(alc_linker_add_host(&linker, &HOST, NULL), ALC_OK);
    const uint32_t parameters[] = {ALC_TYPE_ANYREF, ALC_TYPE_EXTERNREF, ALC_TYPE_I32};
    const uint32_t results[] = {ALC_TYPE_ANYREF};
    static const struct alc_host_export COLLECT = {.name = "collect", .function = host_collect};
    static struct alc_function function;
    uint32_t id;
    assert_int_equal(alc_types_register_function(&store.types, parameters, 3, results, 1, &id),
                     ALC_OK);
    function = (struct alc_function){
        .type_id = id, .type = alc_types_get(&store.types, id), .host = &COLLECT};
    struct alc_external external = {.kind = ALC_EXTERNAL_FUNCTION, .function = &function};
    assert_int_equal(
        alc_linker_add_external(&linker, ALC_NAME_OF("m"), ALC_NAME_OF("collect"), external),
        ALC_OK);
    assert_int_equal(fixture_instantiate(gc_module, sizeof gc_module, &instance), ALC_OK);
}

static int set_up(void **state)
{
    (void)state;
    start(&(struct alc_store_options){.heap_size_max = 16 << 20});
    return 0;
}

static int set_up_eager(void **state)
{
    (void)state;
    start(&(struct alc_store_options){.heap_size_max = 16 << 20, .collects_always = true});
    return 0;
}

static alc_status invoke(const char *name, uint64_t argument, uint64_t *result)
{
    struct alc_function *function = NULL;
    struct alc_name export = {(const uint8_t *)name, (uint32_t)strlen(name)};
    assert_int_equal(alc_export_find_function(instance, export, &function), ALC_OK);
    return alc_invoke(&store, function, &argument, result, &error);
}

static uint64_t number(const char *name, uint64_t argument)
{
    uint64_t result = UINT64_MAX;
    alc_status status = invoke(name, argument, &result);
    if (status != ALC_OK) {
        print_error("%s: %s\n", name, alc_status_name(status));
    }
    assert_int_equal(status, ALC_OK);
    return result;
}

static void test_trees(void **state)
{
    (void)state;
    assert_int_equal(number("tree", 0), 1);
    assert_int_equal(number("tree", 9), 512);
}

static void test_frames(void **state)
{
    (void)state;
    assert_int_equal(number("down", 0), 2);
    assert_int_equal(number("down", 300), 300 * 301 / 2 + 301 * 2);
}

static void test_host_functions(void **state)
{
    (void)state;
    assert_int_equal(number("host", 1234), 1234);
    assert_int_equal(host_seen, 5);
}

static void test_exceptions(void **state)
{
    (void)state;
    assert_int_equal(number("exception", 600), 609);
}

static void test_places(void **state)
{
    (void)state;
    assert_int_equal(number("places", 1000), 41 + 1000 + 20 + 7);
    assert_int_equal(number("places", 2000), 41 + 2000 + 20 + 7);
}

static void test_wide_stack(void **state)
{
    (void)state;
    /* 3 .. 36 and 40 are summed; 1, 2 and the object stay below. */
    assert_int_equal(number("wide_stack", 500), 1 + 2 + 500 + (36 * 37 / 2 - 3) + 40);
}

static void test_widths(void **state)
{
    (void)state;
    for (int32_t n = -300; n < 300; n += 7) {
        int32_t doubled = (int32_t)((double)n * 2 + 1);
        int32_t wanted =
            (int8_t)(uint8_t)((uint32_t)n + 1) + (int16_t)n + n + (n + 2) + 2 * (n + 1) + doubled;
        assert_int_equal(number("widths", (uint32_t)n), (uint32_t)wanted);
    }
}

static void test_churn(void **state)
{
    (void)state;
    uint64_t count = store.heap.collects_always ? 2000 : 400000;
    assert_int_equal(number("churn", count), count / 16);
    assert_true(store.heap.collections > 1);
}

static void test_overwritten_operand(void **state)
{
    (void)state;
    assert_int_equal(number("stale", 12), 42);
}

static void test_barriers(void **state)
{
    (void)state;
    for (uint64_t kind = 0; kind < 5; kind++) {
        assert_int_equal(number("barrier", kind), 33);
    }
}

static void test_exception_through_host(void **state)
{
    (void)state;
    assert_int_equal(number("through_host", 0), 71);
}

/* A heap that is full of live objects is a trap, and the store goes on. */
static void test_exhaustion(void **state)
{
    (void)state;
    uint64_t result = 5;
    if (store.heap.collects_always) {
        store.heap.size_max = 1 << 18;
    }
    assert_int_equal(invoke("exhaust", 100, &result), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(result, 5);
    assert_true(store.thread.trap.frames_count == 1);
    assert_true(store.thread.trap.frames[0].offset != 0);
    assert_int_equal(invoke("exhaust", UINT32_MAX, &result), ALC_E_OUT_OF_MEMORY);
    /* What stands in the global is all that lives. */
    *instance->globals[1]->cell = (union alc_cell){.u64 = ALC_REF_NULL};
    assert_int_equal(number("tree", 5), 32);
}

int main(void)
{
#define BOTH(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down),                              \
        cmocka_unit_test_setup_teardown(name, set_up_eager, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        BOTH(test_trees),          BOTH(test_frames),
        BOTH(test_host_functions), BOTH(test_exceptions),
        BOTH(test_places),         BOTH(test_wide_stack),
        BOTH(test_widths),         BOTH(test_churn),
        BOTH(test_exhaustion),     BOTH(test_overwritten_operand),
        BOTH(test_barriers),       BOTH(test_exception_through_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
