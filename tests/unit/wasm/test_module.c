/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading modules: what each kind of damage is called and at which byte it is found, sections for
 * inspection, exports by name, names of functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wasm/module.h"
#include "wasm/names.h"

#define HEADER "\0asm\1\0\0\0"
#define TYPE_EMPTY "\1\4\1\x60\0\0" /* type 0: [] -> [] */
#define ONE_FUNCTION "\3\2\1\0"     /* function 0 of type 0 */
#define ONE_BODY "\xa\4\1\2\0\xb"   /* empty */

static uint8_t arena_memory[4 << 20];
static struct alc_arena arena;
static struct alc_error error;
static struct alc_module *module;

static alc_status load_features(const void *bytes, size_t size, uint64_t features)
{
    struct alc_load_options options = {.features = features};
    alc_arena_init(&arena, arena_memory, sizeof arena_memory);
    alc_error_clear(&error);
    return alc_module_load(&arena, bytes, size, &options, &module, &error);
}

#define LOAD(text) load_features(text, sizeof(text) - 1, 0)

struct bad_module {
    const char *bytes;
    size_t size;
    alc_status status;
    uint64_t offset;
};
#define BAD(bytes, status, offset) {bytes, sizeof(bytes) - 1, status, offset}

static void expect_all(const struct bad_module *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        alc_status status = load_features(cases[i].bytes, cases[i].size, 0);
        if (status != cases[i].status || error.offset != cases[i].offset) {
            print_error("case %zu: %s at %llu, expected %s at %llu\n", i, alc_status_name(status),
                        (unsigned long long)error.offset, alc_status_name(cases[i].status),
                        (unsigned long long)cases[i].offset);
        }
        assert_int_equal(status, cases[i].status);
        assert_int_equal(error.status, status);
        assert_true(error.offset == cases[i].offset);
        assert_int_equal(alc_arena_mark(&arena), 0);
    }
}

static void test_damaged_headers_and_sections(void **state)
{
    (void)state;
    static const struct bad_module cases[] = {
        BAD("", ALC_E_UNEXPECTED_END, 0),
        BAD("\0asm", ALC_E_UNEXPECTED_END, 4),
        BAD("\0asn\1\0\0\0", ALC_E_BAD_MAGIC, 0),
        BAD("\0asm\2\0\0\0", ALC_E_BAD_VERSION, 4),
        BAD(HEADER "\x0e\0", ALC_E_BAD_SECTION_ID, 8),
        BAD(HEADER "\1\5\0", ALC_E_LENGTH_OUT_OF_BOUNDS, 9),
        BAD(HEADER "\1\x80\x80\x80\x80\x80\0", ALC_E_LEB_TOO_LONG, 9),
        BAD(HEADER "\1\2\0\0", ALC_E_SECTION_SIZE, 11),
        BAD(HEADER "\1\1\0\1\1\0", ALC_E_SECTION_ORDER, 11),
        BAD(HEADER "\3\1\0\2\1\0", ALC_E_SECTION_ORDER, 11),
        BAD(HEADER "\0\0", ALC_E_UNEXPECTED_END, 10),
        BAD(HEADER "\0\2\1\xff", ALC_E_BAD_UTF8, 11),
        BAD(HEADER "\0\2\5x", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
        BAD(HEADER TYPE_EMPTY ONE_FUNCTION, ALC_E_FUNCTION_CODE_MISMATCH, 18),
        BAD(HEADER "\xa\1\0\xa\1\0", ALC_E_SECTION_ORDER, 11),
        BAD(HEADER "\xc\1\1", ALC_E_DATA_COUNT_MISMATCH, 11),
        BAD(HEADER "\xc\1\1\xb\1\0", ALC_E_DATA_COUNT_MISMATCH, 13),
    };
    expect_all(cases, sizeof cases / sizeof cases[0]);
}

static void test_damaged_items(void **state)
{
    (void)state;
    static const struct bad_module cases[] = {
        BAD(HEADER "\1\4\1\x61\0\0", ALC_E_BAD_TYPE, 11),
        BAD(HEADER "\1\5\1\x60\1\x40\0", ALC_E_BAD_TYPE, 13),
        BAD(HEADER "\1\5\1\x60\1\x78\0", ALC_E_BAD_TYPE, 13),
        BAD(HEADER "\1\6\1\x60\1\x64\5\0", ALC_E_UNKNOWN_TYPE, 14),
        BAD(HEADER "\3\2\1\0\xa\4\1\2\0\xb", ALC_E_UNKNOWN_TYPE, 11),
        BAD(HEADER "\2\5\1\0\0\5\0", ALC_E_BAD_IMPORT_KIND, 13),
        BAD(HEADER "\2\6\1\0\0\3\x7f\2", ALC_E_BAD_MUTABILITY, 15),
        BAD(HEADER "\4\4\1\x70\x10\0", ALC_E_BAD_LIMITS_FLAGS, 12),
        BAD(HEADER "\4\5\1\x70\1\2\1", ALC_E_MINIMUM_OVER_MAXIMUM, 12),
        BAD(HEADER "\4\5\1\x64\x70\0\0", ALC_E_UNINITIALIZED_TABLE, 11),
        BAD(HEADER "\5\5\1\0\x81\x80\4", ALC_E_MEMORY_SIZE_LIMIT, 11),
        BAD(HEADER "\5\3\1\2\0", ALC_E_SHARED_NEEDS_MAXIMUM, 11),
        BAD(HEADER "\5\3\1\x10\0", ALC_E_BAD_LIMITS_FLAGS, 11),
        BAD(HEADER "\7\4\1\0\0\0", ALC_E_UNKNOWN_FUNCTION, 13),
        BAD(HEADER "\7\4\1\0\5\0", ALC_E_BAD_EXPORT_KIND, 12),
        BAD(HEADER "\x8\1\0", ALC_E_UNKNOWN_FUNCTION, 10),
        BAD(HEADER "\x9\2\1\x8", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
        BAD(HEADER "\x9\3\1\x8\0", ALC_E_BAD_ELEMENT_KIND, 11),
        BAD(HEADER "\x9\4\1\1\1\0", ALC_E_BAD_ELEMENT_KIND, 12),
        BAD(HEADER "\xb\3\1\3\0", ALC_E_BAD_DATA_KIND, 11),
        BAD(HEADER "\xb\6\1\0\x41\0\xb\0", ALC_E_UNKNOWN_MEMORY, 12),
        BAD(HEADER "\xd\3\1\1\0", ALC_E_BAD_TAG_ATTRIBUTE, 11),
    };
    expect_all(cases, sizeof cases / sizeof cases[0]);
}

static void test_counts_that_do_not_fit_reserve_nothing(void **state)
{
    (void)state;
    static const struct bad_module cases[] = {
        BAD(HEADER "\1\5\xff\xff\xff\xff\x7", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
        BAD(HEADER "\2\5\xff\xff\xff\xff\x7", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
        BAD(HEADER "\3\5\xff\xff\xff\xff\x7", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
        BAD(HEADER "\7\5\xff\xff\xff\xff\x7", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
        BAD(HEADER "\x9\5\xff\xff\xff\xff\x7", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
        BAD(HEADER "\xb\5\xff\xff\xff\xff\x7", ALC_E_LENGTH_OUT_OF_BOUNDS, 10),
    };
    expect_all(cases, sizeof cases / sizeof cases[0]);
}

static void test_features_that_are_off(void **state)
{
    (void)state;
    static const char vector[] = HEADER "\1\5\1\x60\1\x7b\0";
    static const char memory64[] = HEADER "\5\3\1\4\0";
    uint64_t all = ALC_FEATURES_3;
    assert_int_equal(load_features(vector, sizeof vector - 1, all), ALC_OK);
    assert_int_equal(load_features(vector, sizeof vector - 1, all & ~ALC_FEATURE_BIT(SIMD)),
                     ALC_E_FEATURE_DISABLED);
    assert_int_equal(error.offset, 13);
    assert_string_equal(error.detail, "simd");
    assert_int_equal(load_features(memory64, sizeof memory64 - 1, all), ALC_OK);
    assert_int_equal(load_features(memory64, sizeof memory64 - 1, ALC_FEATURES_2),
                     ALC_E_FEATURE_DISABLED);
}

static void test_recursive_types_and_wrong_supertypes(void **state)
{
    (void)state;
    /* rec { struct (ref null 0) (ref null 1); func (param (ref 0)) } */
    assert_int_equal(LOAD(HEADER "\1\x10\1\x4e\2\x5f\2\x63\0\0\x63\1\0\x60\1\x64\0\0"), ALC_OK);
    assert_int_equal(module->types_count, 2);
    const struct alc_type *structure = alc_types_get(module->types, module->type_ids[0]);
    assert_int_equal(structure->kind, ALC_COMPOSITE_STRUCT);
    assert_int_equal(alc_type_heap(structure->structure.fields[1].type), module->type_ids[1]);
    /* A final supertype, one that comes later, a body that does not match. */
    static const struct bad_module cases[] = {
        BAD(HEADER "\1\x9\2\x5f\0\x50\1\0\x60\0\0", ALC_E_SUBTYPE_MISMATCH, 13),
        BAD(HEADER "\1\x6\1\x50\1\0\x5f\0", ALC_E_UNKNOWN_TYPE, 13),
        BAD(HEADER "\1\xd\2\x50\0\x60\0\0\x50\1\0\x60\1\x7f\0", ALC_E_SUBTYPE_MISMATCH, 16),
    };
    expect_all(cases, sizeof cases / sizeof cases[0]);
}

static void test_exports_by_name(void **state)
{
    (void)state;
    /* Exports "b", "a\0c", "" of function 0. */
    assert_int_equal(LOAD(HEADER TYPE_EMPTY ONE_FUNCTION "\7\xe\3\1b\0\0\3a\0c\0\0\0\0\0" ONE_BODY),
                     ALC_OK);
    assert_non_null(alc_module_find_export(module, ALC_NAME_OF("b")));
    assert_non_null(alc_module_find_export(module, ALC_NAME_OF("a\0c")));
    assert_non_null(alc_module_find_export(module, ALC_NAME_OF("")));
    assert_null(alc_module_find_export(module, ALC_NAME_OF("a")));
    assert_null(alc_module_find_export(module, ALC_NAME_OF("c")));
    assert_true(module->functions[0].is_declared);
    static const struct bad_module twice[] = {
        BAD(HEADER TYPE_EMPTY ONE_FUNCTION "\7\xd\3\1a\0\0\1b\0\0\1a\0\0" ONE_BODY,
            ALC_E_DUPLICATE_EXPORT, 30),
    };
    expect_all(twice, 1);
}

/* A module with `count` exports "0".."count-1", in an order that is not sorted. */
static void test_many_exports(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static uint8_t bytes[32 + COUNT * 8];
    static const char head[] = HEADER TYPE_EMPTY ONE_FUNCTION;
    size_t at = sizeof head - 1;
    memcpy(bytes, head, at);
    bytes[at++] = 7;
    size_t size_at = at;
    at += 3;
    bytes[at++] = COUNT % 128 + 128;
    bytes[at++] = COUNT / 128;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t number = i * 7 % COUNT;
        bytes[at++] = 3;
        bytes[at++] = (uint8_t)('0' + number / 100);
        bytes[at++] = (uint8_t)('0' + number / 10 % 10);
        bytes[at++] = (uint8_t)('0' + number % 10);
        bytes[at++] = 0;
        bytes[at++] = 0;
    }
    uint32_t size = (uint32_t)(at - size_at - 3);
    bytes[size_at] = (uint8_t)(size & 127) | 128;
    bytes[size_at + 1] = (uint8_t)(size >> 7 & 127) | 128;
    bytes[size_at + 2] = (uint8_t)(size >> 14);
    memcpy(bytes + at, ONE_BODY, 6);
    assert_int_equal(load_features(bytes, at + 6, 0), ALC_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t name[3] = {(uint8_t)('0' + i / 100), (uint8_t)('0' + i / 10 % 10),
                           (uint8_t)('0' + i % 10)};
        assert_non_null(alc_module_find_export(module, (struct alc_name){name, 3}));
    }
    assert_null(alc_module_find_export(module, ALC_NAME_OF("00x")));
}

static void test_imports_come_first(void **state)
{
    (void)state;
    /* imports: func "m"."f" type 0, global "m"."g" i32; a function; globals initialised by import
     */
    assert_int_equal(LOAD(HEADER TYPE_EMPTY "\2\xe\2\1m\1f\0\0\1m\1g\3\x7f\0" ONE_FUNCTION
                                            "\6\6\1\x7f\0\x23\0\xb" ONE_BODY),
                     ALC_OK);
    assert_int_equal(module->functions_count, 2);
    assert_int_equal(module->imported_counts[ALC_EXTERNAL_FUNCTION], 1);
    assert_int_equal(module->functions[0].body.size, 0);
    assert_int_equal(module->functions[1].body.size, 2);
    assert_int_equal(module->globals_count, 2);
    assert_non_null(alc_module_find_import(module, ALC_EXTERNAL_GLOBAL, 0));
    assert_null(alc_module_find_import(module, ALC_EXTERNAL_GLOBAL, 1));
}

static void test_custom_sections_and_names(void **state)
{
    (void)state;
    /* "x" with two bytes; "name": module "mod", functions 0 "zero", 5 "five" */
    assert_int_equal(LOAD(HEADER "\0\4\1xyz" TYPE_EMPTY ONE_FUNCTION "\7\5\1\1e\0\0" ONE_BODY
                                 "\0\x1a\4name\0\4\3mod\1\xd\2\0\4zero\5\4five"),
                     ALC_OK);
    assert_int_equal(module->customs_count, 2);
    assert_int_equal(module->customs[0].contents.size, 2);
    assert_int_equal(module->customs[0].section_offset, 8);
    assert_int_equal(module->sections_count, 4);
    struct alc_name name;
    assert_true(alc_name_find_module(module, &name));
    assert_true(alc_name_equals(name, ALC_NAME_OF("mod")));
    assert_true(alc_name_find_function(module, 0, &name));
    assert_true(alc_name_equals(name, ALC_NAME_OF("zero")));
    assert_true(alc_name_find_function(module, 5, &name));
    assert_false(alc_name_find_function(module, 4, &name));
}

static void test_damaged_name_sections_are_not_fatal(void **state)
{
    (void)state;
    struct alc_name name;
    /* cut subsection; cut name; name that is not UTF-8: the export's name serves instead */
    assert_int_equal(
        LOAD(HEADER TYPE_EMPTY ONE_FUNCTION "\7\5\1\1e\0\0" ONE_BODY "\0\x7\4name\1\x20"), ALC_OK);
    assert_true(alc_name_find_function(module, 0, &name));
    assert_true(alc_name_equals(name, ALC_NAME_OF("e")));
    assert_int_equal(
        LOAD(HEADER TYPE_EMPTY ONE_FUNCTION "\7\5\1\1e\0\0" ONE_BODY "\0\xb\4name\1\4\1\0\1\xff"),
        ALC_OK);
    assert_true(alc_name_find_function(module, 0, &name));
    assert_true(alc_name_equals(name, ALC_NAME_OF("e")));
    assert_false(alc_name_find_module(module, &name));
}

static void test_arena_too_small(void **state)
{
    (void)state;
    static const char bytes[] = HEADER TYPE_EMPTY ONE_FUNCTION "\7\5\1\1e\0\0" ONE_BODY;
    struct alc_load_options options = {0};
    alc_status status = ALC_E_OUT_OF_MEMORY;
    size_t size = 0;
    for (; status == ALC_E_OUT_OF_MEMORY && size < sizeof arena_memory; size += 64) {
        alc_arena_init(&arena, arena_memory, size);
        alc_error_clear(&error);
        status = alc_module_load(&arena, (const uint8_t *)bytes, sizeof bytes - 1, &options,
                                 &module, &error);
    }
    assert_int_equal(status, ALC_OK);
    assert_true(size > 64);
}

static void test_number_of_tables_at_the_limit_and_past_it(void **state)
{
    (void)state;
    uint8_t bytes[16 + (ALC_LIMIT_TABLES + 1) * 3] = HEADER;
    for (uint32_t extra = 0; extra < 2; extra++) {
        uint32_t count = ALC_LIMIT_TABLES + extra;
        uint32_t size = 1 + count * 3;
        bytes[8] = 4;
        bytes[9] = (uint8_t)(size & 127) | 128;
        bytes[10] = (uint8_t)(size >> 7);
        bytes[11] = (uint8_t)count;
        for (uint32_t i = 0; i < count; i++) {
            memcpy(bytes + 12 + i * 3, "\x70\0\0", 3);
        }
        assert_int_equal(load_features(bytes, 11 + size, 0),
                         extra == 0 ? ALC_OK : ALC_E_LIMIT_ITEMS);
    }
}

static alc_status load_compiled(const void *bytes, size_t size)
{
    struct alc_load_options options = {0};
    alc_arena_init(&arena, arena_memory, sizeof arena_memory);
    alc_error_clear(&error);
    return alc_module_load_compiled(&arena, bytes, size, &options, &module, &error);
}

/* Bodies are counted and bounded, their instructions are somebody else's; the rest is checked. */
static void test_bodies_of_compiled_modules_are_left_alone(void **state)
{
    (void)state;
    static const char bad_body[] = HEADER TYPE_EMPTY ONE_FUNCTION "\xa\5\1\3\0\x6a\xb";
    assert_int_equal(load_features(bad_body, sizeof bad_body - 1, 0), ALC_E_TYPE_MISMATCH);
    assert_int_equal(load_compiled(bad_body, sizeof bad_body - 1), ALC_OK);
    assert_int_equal(module->functions_count, 1);
    assert_int_equal(module->functions[0].body.offset, sizeof bad_body - 1 - 3);
    assert_int_equal(module->functions[0].body.size, 3);
    static const struct bad_module cases[] = {
        BAD(HEADER TYPE_EMPTY ONE_FUNCTION, ALC_E_FUNCTION_CODE_MISMATCH, 18),
        BAD(HEADER TYPE_EMPTY ONE_FUNCTION "\xa\4\1\3\0\xb", ALC_E_UNEXPECTED_END, 22),
        BAD(HEADER TYPE_EMPTY ONE_FUNCTION "\7\5\1\1e\0\1" ONE_BODY, ALC_E_UNKNOWN_FUNCTION, 24),
        BAD(HEADER "\6\6\1\x7f\0\x42\0\xb", ALC_E_TYPE_MISMATCH, 15),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(load_compiled(cases[i].bytes, cases[i].size), cases[i].status);
        assert_int_equal(error.offset, cases[i].offset);
        assert_int_equal(alc_arena_mark(&arena), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged_headers_and_sections),
        cmocka_unit_test(test_damaged_items),
        cmocka_unit_test(test_counts_that_do_not_fit_reserve_nothing),
        cmocka_unit_test(test_features_that_are_off),
        cmocka_unit_test(test_recursive_types_and_wrong_supertypes),
        cmocka_unit_test(test_exports_by_name),
        cmocka_unit_test(test_many_exports),
        cmocka_unit_test(test_imports_come_first),
        cmocka_unit_test(test_custom_sections_and_names),
        cmocka_unit_test(test_damaged_name_sections_are_not_fatal),
        cmocka_unit_test(test_arena_too_small),
        cmocka_unit_test(test_bodies_of_compiled_modules_are_left_alone),
        cmocka_unit_test(test_number_of_tables_at_the_limit_and_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
