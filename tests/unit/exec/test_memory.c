/* SPDX-License-Identifier: Apache-2.0
 *
 * Memories and tables: bounds, growth and its caps, bulk operations that write nothing when they
 * fail, pages given back.
 */
#include "exec_fixture.h"

#include "base/limits.h"

enum { WASM_PAGE = 65536 };

static struct alc_memory *new_memory(uint64_t min, uint64_t max)
{
    struct alc_memory_type type = {
        .limits = {.min = min, .max = max, .has_max = max != 0, .page_size_log2 = 16}};
    struct alc_memory *memory = NULL;
    assert_int_equal(alc_store_new_memory(&store, &type, &memory), ALC_OK);
    return memory;
}

static void test_bounds(void **state)
{
    (void)state;
    struct alc_memory *memory = new_memory(1, 2);
    assert_ptr_equal(alc_memory_at(memory, 0, 0, WASM_PAGE), memory->base);
    assert_ptr_equal(alc_memory_at(memory, WASM_PAGE - 4, 0, 4), memory->base + WASM_PAGE - 4);
    assert_null(alc_memory_at(memory, WASM_PAGE - 3, 0, 4));
    assert_ptr_equal(alc_memory_at(memory, WASM_PAGE, 0, 0), memory->base + WASM_PAGE);
    assert_null(alc_memory_at(memory, WASM_PAGE + 1, 0, 0));
    assert_null(alc_memory_at(memory, 0, 0, WASM_PAGE + 1));
    assert_null(alc_memory_at(memory, UINT64_MAX, 1, 1));
    assert_null(alc_memory_at(memory, UINT64_MAX, 4, 1));
    assert_null(alc_memory_at(memory, 4, UINT64_MAX - 3, 1));
    assert_null(alc_memory_at(memory, 0, 1, UINT64_MAX));
}

static void test_empty_memory_has_an_address_for_no_bytes(void **state)
{
    (void)state;
    struct alc_memory_type type = {.limits = {.has_max = true, .page_size_log2 = 16}};
    struct alc_memory *memory = NULL;
    assert_int_equal(alc_store_new_memory(&store, &type, &memory), ALC_OK);
    assert_non_null(alc_memory_at(memory, 0, 0, 0));
    assert_null(alc_memory_at(memory, 0, 0, 1));
    assert_true(alc_memory_grow(memory, 0) == 0);
    assert_true(alc_memory_grow(memory, 1) == ALC_MEMORY_GROW_FAILED);
}

static void test_growth_keeps_the_base_and_the_contents(void **state)
{
    (void)state;
    struct alc_memory *memory = new_memory(1, 0);
    uint8_t *base = memory->base;
    base[7] = 42;
    assert_true(alc_memory_grow(memory, 3) == 1);
    assert_true(alc_memory_pages(memory) == 4);
    assert_ptr_equal(memory->base, base);
    assert_int_equal(base[7], 42);
    assert_int_equal(base[4 * WASM_PAGE - 1], 0);
    base[4 * WASM_PAGE - 1] = 1;
    assert_true(alc_memory_grow(memory, UINT64_MAX) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_grow(memory, 65536 - 4 + 1) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_grow(memory, 65536 - 4) == 4);
    base[(UINT64_C(4) << 30) - 1] = 1;
    assert_null(alc_memory_at(memory, UINT64_C(4) << 30, 0, 1));
}

static void test_declared_maximum(void **state)
{
    (void)state;
    struct alc_memory *memory = new_memory(1, 3);
    assert_true(alc_memory_grow(memory, 3) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_grow(memory, 2) == 1);
    assert_true(alc_memory_grow(memory, 1) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_grow(memory, 0) == 3);
}

static void test_caps_of_the_store(void **state)
{
    (void)state;
    alc_store_fini(&store);
    fixture_store(&(struct alc_store_options){.memory_size_max = 4 * WASM_PAGE,
                                              .store_size_max = 6 * WASM_PAGE});
    struct alc_memory *first = new_memory(1, 0);
    assert_true(alc_memory_grow(first, 4) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_grow(first, 3) == 1);
    struct alc_memory *second = new_memory(1, 0);
    assert_true(alc_memory_grow(second, 2) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_grow(second, 1) == 1);
    struct alc_memory_type type = {.limits = {.min = 5, .page_size_log2 = 16}};
    struct alc_memory *third = NULL;
    assert_int_equal(alc_store_new_memory(&store, &type, &third), ALC_E_OUT_OF_MEMORY);
}

static void test_machine_without_memory(void **state)
{
    (void)state;
    struct alc_memory *memory = new_memory(1, 0);
    fixture_commits_left = 0;
    assert_true(alc_memory_grow(memory, 100) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_pages(memory) == 1);
    struct alc_memory_type type = {.limits = {.min = 1, .page_size_log2 = 16}};
    struct alc_memory *other = NULL;
    long before = fixture_reserved;
    assert_int_equal(alc_store_new_memory(&store, &type, &other), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(fixture_reserved, before);
}

static void test_scarce_address_space_caps_growth(void **state)
{
    (void)state;
    fixture_reserve_max = 40 * WASM_PAGE;
    struct alc_memory *memory = new_memory(1, 0);
    assert_true(memory->size_max == 32 * WASM_PAGE);
    assert_true(alc_memory_grow(memory, 32) == ALC_MEMORY_GROW_FAILED);
    assert_true(alc_memory_grow(memory, 31) == 1);
    memory = new_memory(20, 0);
    assert_true(alc_memory_pages(memory) == 20);
    struct alc_memory_type type = {.limits = {.min = 41, .page_size_log2 = 16}};
    struct alc_memory *other = NULL;
    assert_int_equal(alc_store_new_memory(&store, &type, &other), ALC_E_OUT_OF_MEMORY);
}

static void test_bulk_operations_are_all_or_nothing(void **state)
{
    (void)state;
    struct alc_memory *memory = new_memory(1, 1);
    static const uint8_t segment[] = {1, 2, 3, 4};
    assert_int_equal(alc_memory_init_from(memory, 10, segment, 4, 1, 3), ALC_OK);
    assert_memory_equal(memory->base + 10, segment + 1, 3);
    assert_int_equal(alc_memory_init_from(memory, 20, segment, 4, 2, 3),
                     ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_int_equal(memory->base[20], 0);
    assert_int_equal(alc_memory_init_from(memory, WASM_PAGE - 2, segment, 4, 0, 3),
                     ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_int_equal(memory->base[WASM_PAGE - 2], 0);
    assert_int_equal(alc_memory_init_from(memory, WASM_PAGE, segment, 0, 0, 0), ALC_OK);
    assert_int_equal(alc_memory_init_from(memory, WASM_PAGE + 1, segment, 0, 0, 0),
                     ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_int_equal(alc_memory_copy(memory, 11, memory, 10, 3), ALC_OK);
    assert_memory_equal(memory->base + 10, "\2\2\3\4", 4);
    assert_int_equal(alc_memory_copy(memory, WASM_PAGE - 1, memory, 10, 3),
                     ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_int_equal(memory->base[WASM_PAGE - 1], 0);
    assert_int_equal(alc_memory_fill(memory, WASM_PAGE - 1, 9, 2), ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_int_equal(memory->base[WASM_PAGE - 1], 0);
    assert_int_equal(alc_memory_fill(memory, UINT64_MAX, 9, 2), ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_int_equal(alc_memory_fill(memory, WASM_PAGE - 1, 9, 1), ALC_OK);
    assert_int_equal(memory->base[WASM_PAGE - 1], 9);
}

static struct alc_table *new_table(uint64_t min, uint64_t max)
{
    struct alc_table_type type = {.element = ALC_TYPE_FUNCREF,
                                  .limits = {.min = min, .max = max, .has_max = max != 0}};
    struct alc_table *table = NULL;
    assert_int_equal(alc_store_new_table(&store, &type, 8, &table), ALC_OK);
    return table;
}

static void test_tables(void **state)
{
    (void)state;
    struct alc_table *table = new_table(2, 0);
    uint64_t value = 0;
    assert_int_equal(alc_table_get(table, 1, &value), ALC_OK);
    assert_int_equal(value, 8);
    assert_int_equal(alc_table_get(table, 2, &value), ALC_E_TABLE_OUT_OF_BOUNDS);
    assert_int_equal(alc_table_set(table, 2, 4), ALC_E_TABLE_OUT_OF_BOUNDS);
    assert_int_equal(alc_table_set(table, 0, 4), ALC_OK);
    for (uint64_t i = 0; i < 3000; i++) {
        assert_true(alc_table_grow(table, 1, 16) == 2 + i);
    }
    assert_int_equal(alc_table_get(table, 0, &value), ALC_OK);
    assert_int_equal(value, 4);
    assert_int_equal(alc_table_get(table, 3001, &value), ALC_OK);
    assert_int_equal(value, 16);
    assert_int_equal(alc_table_copy(table, 3000, table, 0, 3), ALC_E_TABLE_OUT_OF_BOUNDS);
    assert_int_equal(alc_table_copy(table, 3000, table, 0, 2), ALC_OK);
    assert_int_equal(table->entries[3000], 4);
    assert_int_equal(alc_table_fill(table, 3001, 1, 2), ALC_E_TABLE_OUT_OF_BOUNDS);
    assert_int_equal(table->entries[3001], 8);
    static const uint64_t segment[] = {32, 64};
    assert_int_equal(alc_table_init_from(table, 0, segment, 2, 1, 2), ALC_E_TABLE_OUT_OF_BOUNDS);
    assert_int_equal(alc_table_init_from(table, 0, segment, 2, 1, 1), ALC_OK);
    assert_int_equal(table->entries[0], 64);
}

static void test_size_of_tables_at_the_limit_and_past_it(void **state)
{
    (void)state;
    struct alc_table *table = new_table(0, 0);
    assert_true(alc_table_grow(table, UINT64_MAX, 0) == ALC_TABLE_GROW_FAILED);
    assert_true(alc_table_grow(table, ALC_LIMIT_TABLE_ELEMENTS + 1u, 0) == ALC_TABLE_GROW_FAILED);
    assert_true(alc_table_grow(table, ALC_LIMIT_TABLE_ELEMENTS, 0) == 0);
    assert_true(alc_table_grow(table, 1, 0) == ALC_TABLE_GROW_FAILED);
    struct alc_table *bounded = new_table(1, 3);
    assert_true(alc_table_grow(bounded, 3, 0) == ALC_TABLE_GROW_FAILED);
    assert_true(alc_table_grow(bounded, 2, 0) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_bounds),
        FIXTURE_TEST(test_empty_memory_has_an_address_for_no_bytes),
        FIXTURE_TEST(test_growth_keeps_the_base_and_the_contents),
        FIXTURE_TEST(test_declared_maximum),
        FIXTURE_TEST(test_caps_of_the_store),
        FIXTURE_TEST(test_machine_without_memory),
        FIXTURE_TEST(test_scarce_address_space_caps_growth),
        FIXTURE_TEST(test_bulk_operations_are_all_or_nothing),
        FIXTURE_TEST(test_tables),
        FIXTURE_TEST(test_size_of_tables_at_the_limit_and_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
