/* SPDX-License-Identifier: Apache-2.0
 *
 * The type registry: which groups are one, what matches what, limits of its tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wasm/types.h"

static struct alc_arena arena;
static struct alc_type_registry registry;
static void *arena_memory;

static int set_up(void **state)
{
    (void)state;
    arena_memory = malloc(8 << 20);
    alc_arena_init(&arena, arena_memory, 8 << 20);
    alc_types_init(&registry, &arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(arena_memory);
    return 0;
}

static uint32_t *list_of(uint32_t a, uint32_t b, uint32_t *count)
{
    uint32_t *list = ALC_ARENA_ARRAY(&arena, uint32_t, 2);
    list[0] = a;
    list[1] = b;
    *count = b != 0 ? 2 : a != 0 ? 1 : 0;
    return list;
}

static struct alc_type function_of(uint32_t parameter, uint32_t result, uint32_t super_id)
{
    struct alc_type type = {.kind = ALC_COMPOSITE_FUNCTION,
                            .is_final = super_id == ALC_TYPE_NO_ID,
                            .super_id = super_id};
    type.function.parameters = list_of(parameter, 0, &type.function.parameters_count);
    type.function.results = list_of(result, 0, &type.function.results_count);
    return type;
}

static struct alc_type struct_of(uint32_t first, uint32_t second, uint32_t super_id)
{
    struct alc_type type = {.kind = ALC_COMPOSITE_STRUCT, .is_final = false, .super_id = super_id};
    struct alc_field *fields = ALC_ARENA_ARRAY(&arena, struct alc_field, 2);
    fields[0].type = first;
    fields[1].type = second;
    type.structure.fields = fields;
    type.structure.fields_count = second != 0 ? 2 : 1;
    return type;
}

/* Registers copies of `count` types as one group. */
static uint32_t register_group(const struct alc_type *types, uint32_t count, bool *was_known)
{
    struct alc_type *members = ALC_ARENA_ARRAY(&arena, struct alc_type, count);
    uint32_t first_id;
    memcpy(members, types, count * sizeof *types);
    assert_int_equal(alc_types_register_group(&registry, members, count, &first_id, was_known),
                     ALC_OK);
    return first_id;
}

static uint32_t register_one(struct alc_type type)
{
    bool was_known;
    return register_group(&type, 1, &was_known);
}

static void test_equal_functions_share_an_id(void **state)
{
    (void)state;
    const uint32_t i32 = ALC_TYPE_I32;
    const uint32_t i64 = ALC_TYPE_I64;
    uint32_t a;
    uint32_t b;
    uint32_t c;
    assert_int_equal(alc_types_register_function(&registry, &i32, 1, &i64, 1, &a), ALC_OK);
    assert_int_equal(alc_types_register_function(&registry, &i32, 1, &i64, 1, &b), ALC_OK);
    assert_int_equal(alc_types_register_function(&registry, &i64, 1, &i32, 1, &c), ALC_OK);
    assert_int_equal(a, b);
    assert_int_not_equal(a, c);
    assert_int_equal(alc_types_get(&registry, a)->function.parameters_slots, 1);
}

static void test_split_of_parameters_and_results_counts(void **state)
{
    (void)state;
    const uint32_t two[] = {ALC_TYPE_I32, ALC_TYPE_I32};
    uint32_t a;
    uint32_t b;
    assert_int_equal(alc_types_register_function(&registry, two, 2, NULL, 0, &a), ALC_OK);
    assert_int_equal(alc_types_register_function(&registry, two, 1, two, 1, &b), ALC_OK);
    assert_int_not_equal(a, b);
}

static void test_vectors_take_two_slots(void **state)
{
    (void)state;
    const uint32_t types[] = {ALC_TYPE_V128, ALC_TYPE_I32};
    uint32_t id;
    assert_int_equal(alc_types_register_function(&registry, types, 2, types, 1, &id), ALC_OK);
    assert_int_equal(alc_types_get(&registry, id)->function.parameters_slots, 3);
    assert_int_equal(alc_types_get(&registry, id)->function.results_slots, 2);
}

static void test_recursive_groups_are_equal_by_shape(void **state)
{
    (void)state;
    bool was_known;
    uint32_t self = ALC_TYPE_OF_REF_NULL(ALC_HEAP_GROUP_MEMBER);
    struct alc_type list = struct_of(ALC_TYPE_I32, self, ALC_TYPE_NO_ID);
    uint32_t a = register_group(&list, 1, &was_known);
    assert_false(was_known);
    list = struct_of(ALC_TYPE_I32, self, ALC_TYPE_NO_ID);
    assert_int_equal(register_group(&list, 1, &was_known), a);
    assert_true(was_known);
    assert_int_equal(alc_types_get(&registry, a)->structure.fields[1].type,
                     ALC_TYPE_OF_REF_NULL(a));
    /* A reference to the registered list is not a reference to oneself. */
    list = struct_of(ALC_TYPE_I32, ALC_TYPE_OF_REF_NULL(a), ALC_TYPE_NO_ID);
    assert_int_not_equal(register_group(&list, 1, &was_known), a);
    assert_false(was_known);
}

static void test_place_in_a_group_is_part_of_the_type(void **state)
{
    (void)state;
    bool was_known;
    uint32_t first = ALC_TYPE_OF_REF(ALC_HEAP_GROUP_MEMBER);
    uint32_t second = ALC_TYPE_OF_REF(ALC_HEAP_GROUP_MEMBER + 1);
    struct alc_type pair[2] = {function_of(first, 0, ALC_TYPE_NO_ID),
                               function_of(second, 0, ALC_TYPE_NO_ID)};
    uint32_t a = register_group(pair, 2, &was_known);
    struct alc_type crossed[2] = {function_of(second, 0, ALC_TYPE_NO_ID),
                                  function_of(first, 0, ALC_TYPE_NO_ID)};
    uint32_t b = register_group(crossed, 2, &was_known);
    assert_false(was_known);
    assert_int_not_equal(a, b);
    assert_int_equal(alc_types_get(&registry, a + 1)->group_id, a);
    struct alc_type alone = function_of(first, 0, ALC_TYPE_NO_ID);
    assert_int_not_equal(register_group(&alone, 1, &was_known), a);
}

static void test_declared_supertypes(void **state)
{
    (void)state;
    uint32_t base = register_one(struct_of(ALC_TYPE_I32, 0, ALC_TYPE_NO_ID));
    uint32_t middle = register_one(struct_of(ALC_TYPE_I32, ALC_TYPE_I64, base));
    uint32_t leaf = register_one(struct_of(ALC_TYPE_I32, ALC_TYPE_F64, middle));
    uint32_t other = register_one(struct_of(ALC_TYPE_F32, 0, ALC_TYPE_NO_ID));
    assert_true(alc_type_id_matches(&registry, leaf, base));
    assert_true(alc_type_id_matches(&registry, leaf, middle));
    assert_true(alc_type_id_matches(&registry, leaf, leaf));
    assert_false(alc_type_id_matches(&registry, base, leaf));
    assert_false(alc_type_id_matches(&registry, leaf, other));
    assert_true(alc_type_matches(&registry, ALC_TYPE_OF_REF(leaf), ALC_TYPE_OF_REF_NULL(base)));
    assert_false(alc_type_matches(&registry, ALC_TYPE_OF_REF_NULL(leaf), ALC_TYPE_OF_REF(base)));
}

static void test_abstract_hierarchies(void **state)
{
    (void)state;
    uint32_t function = register_one(function_of(ALC_TYPE_I32, 0, ALC_TYPE_NO_ID));
    uint32_t structure = register_one(struct_of(ALC_TYPE_I32, 0, ALC_TYPE_NO_ID));
    static const struct {
        uint32_t sub;
        uint32_t super;
        bool matches;
    } cases[] = {
        {ALC_HEAP_I31, ALC_HEAP_EQ, true},          {ALC_HEAP_EQ, ALC_HEAP_ANY, true},
        {ALC_HEAP_ANY, ALC_HEAP_EQ, false},         {ALC_HEAP_STRUCT, ALC_HEAP_ANY, true},
        {ALC_HEAP_STRUCT, ALC_HEAP_ARRAY, false},   {ALC_HEAP_NONE, ALC_HEAP_I31, true},
        {ALC_HEAP_NONE, ALC_HEAP_FUNC, false},      {ALC_HEAP_NOFUNC, ALC_HEAP_FUNC, true},
        {ALC_HEAP_NOEXTERN, ALC_HEAP_EXTERN, true}, {ALC_HEAP_NOEXN, ALC_HEAP_EXN, true},
        {ALC_HEAP_FUNC, ALC_HEAP_ANY, false},       {ALC_HEAP_BOTTOM, ALC_HEAP_NONE, true},
        {ALC_HEAP_NONE, ALC_HEAP_BOTTOM, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(alc_heap_matches(&registry, cases[i].sub, cases[i].super),
                         cases[i].matches);
    }
    assert_true(alc_heap_matches(&registry, function, ALC_HEAP_FUNC));
    assert_false(alc_heap_matches(&registry, function, ALC_HEAP_ANY));
    assert_true(alc_heap_matches(&registry, structure, ALC_HEAP_EQ));
    assert_true(alc_heap_matches(&registry, ALC_HEAP_NOFUNC, function));
    assert_false(alc_heap_matches(&registry, ALC_HEAP_NONE, function));
    assert_true(alc_heap_matches(&registry, ALC_HEAP_NONE, structure));
    assert_true(alc_type_matches(&registry, ALC_TYPE_BOTTOM, ALC_TYPE_I32));
    assert_false(alc_type_matches(&registry, ALC_TYPE_I32, ALC_TYPE_I64));
}

static void test_chain_of_supertypes_at_the_limit_and_past_it(void **state)
{
    (void)state;
    uint32_t id = register_one(struct_of(ALC_TYPE_I32, 0, ALC_TYPE_NO_ID));
    for (uint32_t i = 0; i < ALC_LIMIT_SUBTYPE_DEPTH; i++) {
        id = register_one(struct_of(ALC_TYPE_I32, 0, id));
    }
    struct alc_type *past = ALC_ARENA_NEW(&arena, struct alc_type);
    *past = struct_of(ALC_TYPE_I32, 0, id);
    bool was_known;
    uint32_t ignored;
    assert_int_equal(alc_types_register_group(&registry, past, 1, &ignored, &was_known),
                     ALC_E_LIMIT_TYPES);
}

static void test_many_groups_stay_distinct(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    uint32_t ids[COUNT];
    uint32_t previous = ALC_TYPE_I32;
    for (uint32_t i = 0; i < COUNT; i++) {
        ids[i] = register_one(function_of(previous, ALC_TYPE_I64, ALC_TYPE_NO_ID));
        assert_int_equal(ids[i], i);
        previous = ALC_TYPE_OF_REF(ids[i]);
    }
    previous = ALC_TYPE_I32;
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(register_one(function_of(previous, ALC_TYPE_I64, ALC_TYPE_NO_ID)), ids[i]);
        previous = ALC_TYPE_OF_REF(ids[i]);
    }
}

static void test_mutable_fields_are_invariant(void **state)
{
    (void)state;
    struct alc_type super = {.kind = ALC_COMPOSITE_ARRAY, .array = {.type = ALC_TYPE_ANYREF}};
    struct alc_type sub = {.kind = ALC_COMPOSITE_ARRAY, .array = {.type = ALC_TYPE_EQREF}};
    assert_true(alc_composite_matches(&registry, &sub, &super));
    super.array.is_mutable = true;
    assert_false(alc_composite_matches(&registry, &sub, &super));
    sub.array.is_mutable = true;
    assert_false(alc_composite_matches(&registry, &sub, &super));
    sub.array.type = ALC_TYPE_ANYREF;
    assert_true(alc_composite_matches(&registry, &sub, &super));
}

static void test_limits_match(void **state)
{
    (void)state;
    struct alc_limits actual = {.min = 2, .max = 4, .has_max = true};
    struct alc_limits wanted = {.min = 1};
    assert_true(alc_limits_match(&actual, &wanted));
    wanted = (struct alc_limits){.min = 2, .max = 4, .has_max = true};
    assert_true(alc_limits_match(&actual, &wanted));
    wanted.max = 3;
    assert_false(alc_limits_match(&actual, &wanted));
    wanted = (struct alc_limits){.min = 3};
    assert_false(alc_limits_match(&actual, &wanted));
    wanted = (struct alc_limits){.min = 1, .is_64 = true};
    assert_false(alc_limits_match(&actual, &wanted));
    actual.has_max = false;
    wanted = (struct alc_limits){.min = 1, .max = 9, .has_max = true};
    assert_false(alc_limits_match(&actual, &wanted));
}

static void test_types_as_text(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        const char *text;
    } cases[] = {
        {ALC_TYPE_I32, "i32"},
        {ALC_TYPE_V128, "v128"},
        {ALC_TYPE_FUNCREF, "funcref"},
        {ALC_TYPE_OF_REF_NULL(ALC_HEAP_NONE), "nullref"},
        {ALC_TYPE_OF_REF(ALC_HEAP_EXTERN), "(ref extern)"},
        {ALC_TYPE_OF_REF_NULL(12), "(ref null 12)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32] = {0};
        struct alc_writer writer;
        alc_writer_init(&writer, text, sizeof text - 1);
        alc_type_write(&writer, cases[i].type);
        assert_string_equal(text, cases[i].text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_equal_functions_share_an_id),
        TEST(test_split_of_parameters_and_results_counts),
        TEST(test_vectors_take_two_slots),
        TEST(test_recursive_groups_are_equal_by_shape),
        TEST(test_place_in_a_group_is_part_of_the_type),
        TEST(test_declared_supertypes),
        TEST(test_abstract_hierarchies),
        TEST(test_chain_of_supertypes_at_the_limit_and_past_it),
        TEST(test_many_groups_stay_distinct),
        TEST(test_mutable_fields_are_invariant),
        TEST(test_limits_match),
        TEST(test_types_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
