/* SPDX-License-Identifier: Apache-2.0
 *
 * Linking and instantiation: which imports match, what a failed instantiation leaves behind,
 * constant expressions, exports.
 */
#include "exec_fixture.h"

/* Imports "m"."x" of the given descriptor bytes. */
#define IMPORT(size, descriptor) HEADER "\2" size "\1\1m\1x" descriptor

static alc_status link_with(struct alc_external external, const void *bytes, size_t size)
{
    struct alc_instance *instance;
    linker.entries_count = 0;
    assert_int_equal(alc_linker_add_external(&linker, ALC_NAME_OF("m"), ALC_NAME_OF("x"), external),
                     ALC_OK);
    return fixture_instantiate(bytes, size, &instance);
}
#define LINK(external, text) link_with(external, text, sizeof(text) - 1)

static void test_unknown_imports(void **state)
{
    (void)state;
    struct alc_instance *instance;
    assert_int_equal(INSTANTIATE(IMPORT("\x8", "\3\x7f\0"), &instance), ALC_E_UNKNOWN_IMPORT);
    assert_int_equal(error.offset, 11);
    assert_string_equal(error.detail, "m.x");
}

static void test_globals_match_by_type_and_mutability(void **state)
{
    (void)state;
    struct alc_external external = {.kind = ALC_EXTERNAL_GLOBAL};
    union alc_cell value = {.u64 = UINT64_C(0x1122334455667788)};
    assert_int_equal(alc_store_new_global(&store, (struct alc_global_type){ALC_TYPE_I32, false},
                                          value, &external.global),
                     ALC_OK);
    assert_true(external.global->value.u64 == 0x55667788);
    assert_int_equal(LINK(external, IMPORT("\x8", "\3\x7f\0")), ALC_OK);
    assert_int_equal(LINK(external, IMPORT("\x8", "\3\x7f\1")), ALC_E_INCOMPATIBLE_IMPORT);
    assert_int_equal(LINK(external, IMPORT("\x8", "\3\x7e\0")), ALC_E_INCOMPATIBLE_IMPORT);
    assert_int_equal(LINK(external, IMPORT("\x8", "\2\0\1")), ALC_E_INCOMPATIBLE_IMPORT);
}

static void test_memories_match_by_present_size(void **state)
{
    (void)state;
    struct alc_external external = {.kind = ALC_EXTERNAL_MEMORY};
    struct alc_memory_type type = {
        .limits = {.min = 1, .max = 4, .has_max = true, .page_size_log2 = 16}};
    assert_int_equal(alc_store_new_memory(&store, &type, &external.memory), ALC_OK);
    assert_int_equal(LINK(external, IMPORT("\x8", "\2\0\1")), ALC_OK);
    assert_int_equal(LINK(external, IMPORT("\x8", "\2\0\2")), ALC_E_INCOMPATIBLE_IMPORT);
    assert_true(alc_memory_grow(external.memory, 1) == 1);
    assert_int_equal(LINK(external, IMPORT("\x8", "\2\0\2")), ALC_OK);
    assert_int_equal(LINK(external, IMPORT("\x9", "\2\1\0\4")), ALC_OK);
    assert_int_equal(LINK(external, IMPORT("\x9", "\2\1\0\3")), ALC_E_INCOMPATIBLE_IMPORT);
    assert_int_equal(LINK(external, IMPORT("\x8", "\2\4\1")), ALC_E_INCOMPATIBLE_IMPORT);
}

static void test_tables_match_by_exact_element_type(void **state)
{
    (void)state;
    struct alc_external external = {.kind = ALC_EXTERNAL_TABLE};
    struct alc_table_type type = {.element = ALC_TYPE_FUNCREF, .limits = {.min = 2}};
    assert_int_equal(alc_store_new_table(&store, &type, 0, &external.table), ALC_OK);
    assert_int_equal(LINK(external, IMPORT("\x9", "\1\x70\0\2")), ALC_OK);
    assert_int_equal(LINK(external, IMPORT("\x9", "\1\x6f\0\2")), ALC_E_INCOMPATIBLE_IMPORT);
    assert_int_equal(LINK(external, IMPORT("\xa", "\1\x70\1\2\2")), ALC_E_INCOMPATIBLE_IMPORT);
}

static alc_status host_nothing(struct alc_host_call *call)
{
    (void)call;
    return ALC_OK;
}

static const struct alc_host_export host_exports[] = {
    {"x", "iI:f", host_nothing},
    {"bad", "?:", host_nothing},
};
static const struct alc_host_module host_module = {"m", host_exports, 2};

static void test_host_functions_match_by_letters(void **state)
{
    (void)state;
    struct alc_instance *instance;
    assert_int_equal(alc_linker_add_host(&linker, &host_module, NULL), ALC_OK);
    assert_int_equal(INSTANTIATE(HEADER "\1\7\1\x60\2\x7f\x7e\1\x7d"
                                        "\2\7\1\1m\1x\0\0",
                                 &instance),
                     ALC_OK);
    assert_int_equal(INSTANTIATE(HEADER "\1\6\1\x60\1\x7f\1\x7d"
                                        "\2\7\1\1m\1x\0\0",
                                 &instance),
                     ALC_E_INCOMPATIBLE_IMPORT);
    uint32_t types[2];
    size_t parameters_count;
    static const char *const BAD[] = {"iF:e", "q:", "", "i", ":i:"};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(BAD); i++) {
        assert_int_equal(alc_host_type_parse(BAD[i], types, 2, &parameters_count), SIZE_MAX);
    }
    assert_int_equal(alc_host_type_parse(":", types, 2, &parameters_count), 0);
    assert_int_equal(alc_host_type_parse("v:F", types, 2, &parameters_count), 2);
    assert_int_equal(parameters_count, 1);
    assert_int_equal(types[0], ALC_TYPE_V128);
    assert_int_equal(types[1], ALC_TYPE_F64);
}

static void test_later_entries_win_and_instances_export(void **state)
{
    (void)state;
    struct alc_instance *first;
    struct alc_instance *second;
    struct alc_instance *user;
    /* (global (export "x") i32 (i32.const 1 / 2)) */
    assert_int_equal(INSTANTIATE(HEADER "\6\6\1\x7f\0\x41\1\xb"
                                        "\7\5\1\1x\3\0",
                                 &first),
                     ALC_OK);
    assert_int_equal(INSTANTIATE(HEADER "\6\6\1\x7f\0\x41\2\xb"
                                        "\7\5\1\1x\3\0",
                                 &second),
                     ALC_OK);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), first), ALC_OK);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), second), ALC_OK);
    assert_int_equal(INSTANTIATE(IMPORT("\x8", "\3\x7f\0"), &user), ALC_OK);
    assert_int_equal(user->globals[0]->cell->u32, 2);
    assert_ptr_equal(user->globals[0], second->globals[0]);
    struct alc_external external;
    assert_int_equal(alc_export_find(first, ALC_NAME_OF("x"), &external), ALC_OK);
    assert_int_equal(external.kind, ALC_EXTERNAL_GLOBAL);
    assert_int_equal(external.global->type.type, ALC_TYPE_I32);
    assert_int_equal(alc_export_find(first, ALC_NAME_OF("y"), &external), ALC_E_NOT_FOUND);
    struct alc_function *function;
    assert_int_equal(alc_export_find_function(first, ALC_NAME_OF("x"), &function), ALC_E_NOT_FOUND);
}

static void test_constant_expressions(void **state)
{
    (void)state;
    struct alc_instance *instance;
    /* 5 + 3 * 2, -1 - 1, bits of an f32, a vector */
    assert_int_equal(INSTANTIATE(HEADER "\6\x31\4"
                                        "\x7f\0\x41\5\x41\3\x41\2\x6c\x6a\xb"
                                        "\x7e\0\x42\x7f\x42\1\x7d\xb"
                                        "\x7d\0\x43\0\0\xc0\x7f\xb"
                                        "\x7b\0\xfd\xc\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\xb",
                                 &instance),
                     ALC_OK);
    assert_true(instance->globals[0]->cell->u64 == 11);
    assert_true(instance->globals[1]->cell->u64 == UINT64_MAX - 1);
    assert_true(instance->globals[2]->cell->u64 == 0x7fc00000);
    assert_true(instance->globals[3]->cell->slots[1] == UINT64_C(0x0f0e0d0c0b0a0908));
}

/* A long constant expression needs a stack in the arena: 40 constants, 39 additions. */
static void test_deep_constant_expression(void **state)
{
    (void)state;
    static uint8_t bytes[256] = HEADER "\6";
    size_t at = 9;
    bytes[at++] = (uint8_t)(4 + 40 * 2 + 39) & 127;
    bytes[at++] = 1;
    bytes[at++] = 0x7f;
    bytes[at++] = 0;
    for (int i = 0; i < 40; i++) {
        bytes[at++] = 0x41;
        bytes[at++] = 1;
    }
    for (int i = 0; i < 39; i++) {
        bytes[at++] = 0x6a;
    }
    bytes[at++] = 0x0b;
    struct alc_instance *instance;
    assert_int_equal(fixture_instantiate(bytes, at, &instance), ALC_OK);
    assert_int_equal(instance->globals[0]->cell->u32, 40);
}

static void test_failed_segments_keep_earlier_writes(void **state)
{
    (void)state;
    struct alc_external external = {.kind = ALC_EXTERNAL_MEMORY};
    struct alc_memory_type type = {.limits = {.min = 1, .page_size_log2 = 16}};
    assert_int_equal(alc_store_new_memory(&store, &type, &external.memory), ALC_OK);
    /* data at 0 "ab", data at 65535 "cd" */
    assert_int_equal(LINK(external, IMPORT("\x8", "\2\0\1") "\xb\x11\2"
                                                            "\0\x41\0\xb\2ab"
                                                            "\0\x41\xff\xff\3\xb\2"
                                                            "cd"),
                     ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_memory_equal(external.memory->base, "ab", 2);
    assert_int_equal(external.memory->base[65535], 0);
}

static void test_failed_linking_gives_everything_back(void **state)
{
    (void)state;
    struct alc_instance *instance;
    struct alc_arena arena;
    static uint8_t own[1 << 16];
    alc_arena_init(&arena, own, sizeof own);
    alc_store_fini(&store);
    fixture_store(&(struct alc_store_options){.memory_size_max = 1 << 20});
    struct alc_module *module = fixture_load(HEADER "\5\3\1\0\x11", 13);
    long before = fixture_reserved;
    assert_int_equal(alc_instantiate(&store, &arena, module, &linker, &instance, &error),
                     ALC_E_OUT_OF_MEMORY);
    assert_int_equal(fixture_reserved, before);
    assert_int_equal(alc_arena_mark(&arena), 0);
    assert_null(store.memories);
}

static void test_dropped_and_passive_segments(void **state)
{
    (void)state;
    struct alc_instance *instance;
    /* memory 1; one active and one passive data segment */
    assert_int_equal(INSTANTIATE(HEADER "\5\3\1\0\1"
                                        "\xb\xb\2\0\x41\0\xb\1z\1\2pq",
                                 &instance),
                     ALC_OK);
    assert_int_equal(instance->data[0].size, 0);
    assert_int_equal(instance->data[1].size, 2);
    assert_memory_equal(instance->data[1].bytes, "pq", 2);
    assert_int_equal(instance->memory0->base[0], 'z');
}

static void test_tags_match_by_type(void **state)
{
    (void)state;
    struct alc_external external = {.kind = ALC_EXTERNAL_TAG};
    const uint32_t payload = ALC_TYPE_I32;
    uint32_t type_id;
    assert_int_equal(alc_types_register_function(&store.types, &payload, 1, NULL, 0, &type_id),
                     ALC_OK);
    assert_int_equal(alc_store_new_tag(&store, type_id, &external.tag), ALC_OK);
    assert_int_equal(LINK(external, HEADER "\1\5\1\x60\1\x7f\0"
                                           "\2\x8\1\1m\1x\4\0\0"),
                     ALC_OK);
    assert_int_equal(LINK(external, HEADER "\1\5\1\x60\1\x7e\0"
                                           "\2\x8\1\1m\1x\4\0\0"),
                     ALC_E_INCOMPATIBLE_IMPORT);
    /* An exported tag is the imported one. */
    struct alc_instance *instance;
    struct alc_external exported;
    assert_int_equal(INSTANTIATE(HEADER "\1\5\1\x60\1\x7f\0"
                                        "\2\x8\1\1m\1x\4\0\0"
                                        "\xd\3\1\0\0"
                                        "\7\x9\2\1i\4\0\1d\4\1",
                                 &instance),
                     ALC_OK);
    assert_int_equal(alc_export_find(instance, ALC_NAME_OF("i"), &exported), ALC_OK);
    assert_ptr_equal(exported.tag, external.tag);
    assert_int_equal(alc_export_find(instance, ALC_NAME_OF("d"), &exported), ALC_OK);
    assert_ptr_not_equal(exported.tag, external.tag);
    assert_int_equal(exported.tag->type_id, type_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_unknown_imports),
        FIXTURE_TEST(test_globals_match_by_type_and_mutability),
        FIXTURE_TEST(test_memories_match_by_present_size),
        FIXTURE_TEST(test_tables_match_by_exact_element_type),
        FIXTURE_TEST(test_host_functions_match_by_letters),
        FIXTURE_TEST(test_later_entries_win_and_instances_export),
        FIXTURE_TEST(test_constant_expressions),
        FIXTURE_TEST(test_deep_constant_expression),
        FIXTURE_TEST(test_failed_segments_keep_earlier_writes),
        FIXTURE_TEST(test_failed_linking_gives_everything_back),
        FIXTURE_TEST(test_dropped_and_passive_segments),
        FIXTURE_TEST(test_tags_match_by_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
