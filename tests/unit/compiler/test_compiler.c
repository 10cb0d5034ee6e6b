/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiled code looks like: shapes, the same bytes every time, checks, calls, the context,
 * lines. That it computes what it should is tested by running it (tests/spec).
 */
#include "compiler_fixture.h"

/* Type 0: [i32] -> [i32]; type 1: [i64, i64] -> [i32]. */
#define TYPES "\1\xc\2\x60\1\x7f\1\x7f\x60\2\x7e\x7e\1\x7f"
#define MEMORY "\5\3\1\0\1"
#define GLOBAL "\6\6\1\x7f\1\x41\7\xb" /* a mutable i32 */

static const struct piece g_types = PIECE(TYPES);
static const struct piece g_loop = /* sums i32s from memory downwards; offset 4 */
    PIECE("\1\1\x7f\3\x40\x20\1\x20\0\x28\2\4\x6a\x21\1\x20\0\x41\x7c\x6a\x22\0\xd\0\xb\x20\1\xb");

static void load_one(const struct piece *body)
{
    load(&g_types, MEMORY GLOBAL, sizeof(MEMORY GLOBAL) - 1, body, 1, 1);
}

/* -- shapes -- */

static void modules_with_one_plain_memory_are_confined(void **state)
{
    (void)state;
    for (unsigned level = 0; level <= ALC_COMPILE_LEVEL_MAX; level++) {
        load_one(&g_loop);
        assert_null(alc_compile_unconfined(fixture_module));
        compile_well(&(struct alc_compile_options){.level = level});
        assert_int_equal(compiled.image.shape, ALC_NATIVE_CONFINED);
        assert_int_equal(compiled.image.functions_count, 1);
        assert_int_equal(compiled.image.functions[1], compiled.image.code_size);
        assert_ptr_equal(compiled.image.module, fixture_module->bytes);
    }
}

static void other_memories_need_the_checked_shape(void **state)
{
    (void)state;
    static const struct {
        struct piece section;
        const char *reason;
    } rows[] = {
        {PIECE("\5\3\1\4\1"), "a 64-bit memory"},
        {PIECE("\5\4\1\3\1\2"), "a shared memory"},
        {PIECE("\5\5\2\0\1\0\1"), "several memories"},
        {PIECE("\5\4\1\x8\1\0"), "a custom page size"},
        {PIECE("\5\5\1\0\x80\x80\4"), "a memory of 4 GiB"},
    };
    struct piece body = PIECE("\0\x20\0\xb");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        load(&g_types, rows[i].section.bytes, rows[i].section.size, &body, 1, 1);
        assert_string_equal(alc_compile_unconfined(fixture_module), rows[i].reason);
        assert_int_equal(compile(&(struct alc_compile_options){.shape = ALC_COMPILE_CONFINED}),
                         ALC_E_NATIVE_REFUSED);
        assert_string_equal(fixture_error.detail, rows[i].reason);
        assert_null(compiled.image.code);
        compile_well(&(struct alc_compile_options){.level = 1});
        assert_int_equal(compiled.image.shape, ALC_NATIVE_CHECKED);
    }
}

static void instructions_decide_about_the_shape(void **state)
{
    (void)state;
    struct piece fence = PIECE("\0\xfe\3\0\x20\0\xb");
    struct piece external = PIECE("\1\1\x6f\x20\0\xb"); /* a local of type externref */
    load_one(&fence);
    assert_string_equal(alc_compile_unconfined(fixture_module), "atomic instructions");
    load_one(&external);
    assert_non_null(alc_compile_unconfined(fixture_module));
}

/* -- the same every time -- */

static void output_does_not_depend_on_threads(void **state)
{
    (void)state;
    enum { FUNCTIONS = 3000 };
    struct piece bodies[] = {
        PIECE("\0\x20\0\x41\5\x6c\xb"), PIECE("\0\x20\0\xb2\x43\0\0\x40\x3f\x94\xa8\xb"),
        PIECE("\0\x20\0\x10\0\xb"), PIECE("\0\x20\0\xb7\x44\1\2\3\4\5\6\7\x40\xa2\xaa\xb")};
    uint8_t *code[2];
    struct alc_native_image first;
    load(&g_types, "", 0, bodies, 4, FUNCTIONS);
    compile_well(&(struct alc_compile_options){.level = 1, .threads = 1});
    first = compiled.image;
    code[0] = malloc(first.code_size);
    code[1] = malloc(first.constants_size);
    assert_true(first.constants_size > 0);
    memcpy(code[0], first.code, first.code_size);
    memcpy(code[1], first.constants, first.constants_size);
    compile_well(&(struct alc_compile_options){.level = 1, .threads = 4});
    assert_int_equal(compiled.image.code_size, first.code_size);
    assert_int_equal(compiled.image.constants_size, first.constants_size);
    assert_memory_equal(compiled.image.code, code[0], first.code_size);
    assert_memory_equal(compiled.image.constants, code[1], first.constants_size);
    free(code[0]);
    free(code[1]);
}

static void equal_constants_of_different_units_are_one(void **state)
{
    (void)state;
    struct piece body = PIECE("\0\x20\0\xb7\x44\1\2\3\4\5\6\7\x40\xa2\xaa\xb");
    load(&g_types, "", 0, &body, 1, 2000);
    compile_well(&(struct alc_compile_options){.level = 1});
    const double *constants = (const void *)compiled.image.constants;
    unsigned count = 0;
    for (size_t i = 0; i < compiled.image.constants_size / sizeof *constants; i++) {
        count += memcmp(&constants[i], "\1\2\3\4\5\6\7\x40", sizeof *constants) == 0;
    }
    assert_int_equal(count, 1);
}

/* -- memory -- */

#define CONFINED_PREFIXES "\x65\x67"
#define GUARD "\0\0\xff\xff" /* 2^32 - 65536, as an immediate */

static void an_offset_is_checked_and_its_absence_is_not(void **state)
{
    (void)state;
    struct piece with_offset = PIECE("\0\x20\0\x28\2\x10\xb");
    struct piece without = PIECE("\0\x20\0\x28\2\0\xb");
    struct piece unused = PIECE("\0\x20\0\x28\2\0\x1a\x20\0\xb");
    struct alc_compile_options options = {.level = 2};
    load_one(&with_offset);
    compile_well(&options);
    assert_int_equal(COUNT_IN(0, GUARD), 1);
    assert_int_equal(COUNT_IN(0, CONFINED_PREFIXES), 1);
    load_one(&without);
    compile_well(&options);
    assert_int_equal(COUNT_IN(0, GUARD), 0);
    assert_int_equal(COUNT_IN(0, CONFINED_PREFIXES), 1);
    load_one(&unused); /* must trap all the same */
    compile_well(&options);
    assert_int_equal(COUNT_IN(0, CONFINED_PREFIXES), 1);
}

static void copies_use_a_helper_behind_the_functions(void **state)
{
    (void)state;
    struct piece variable = PIECE("\0\x41\0\x41\x20\x20\0\xfc\xa\0\0\x20\0\xb");
    struct piece constant = PIECE("\0\x41\0\x41\x20\x41\x10\xfc\xa\0\0\x20\0\xb");
    load_one(&variable);
    compile_well(&(struct alc_compile_options){.level = 2});
    assert_true(compiled.image.functions_count > 1);
    assert_int_equal(compiled.image.stubs_count, 0);
    load_one(&constant);
    compile_well(&(struct alc_compile_options){.level = 2});
    assert_int_equal(compiled.image.functions_count, 1);
}

/* -- the context -- */

static void the_context_is_found_below_gs(void **state)
{
    (void)state;
    struct piece body = PIECE("\0\x20\0\x24\0\x20\0\xb");
    load_one(&body);
    compile_well(&(struct alc_compile_options){.level = 2});
    int32_t displacement = -(int32_t)(ALC_NATIVE_WORDS + ALC_NATIVE_GLOBAL_SIZE);
    assert_int_equal(count_in(0, &displacement, sizeof displacement), 1);
    assert_int_equal(COUNT_IN(0, "\x64"), 0);
}

static void options_put_checks_into_loops(void **state)
{
    (void)state;
    int32_t fuel = -(int32_t)(ALC_NATIVE_WORDS - 8 * ALC_NATIVE_WORD_FUEL);
    int32_t stop = -(int32_t)(ALC_NATIVE_WORDS - 8 * ALC_NATIVE_WORD_STOP);
    load_one(&g_loop);
    compile_well(&(struct alc_compile_options){.level = 2});
    assert_int_equal(count_in(0, &fuel, 4) + count_in(0, &stop, 4), 0);
    compile_well(&(struct alc_compile_options){.level = 2, .options = ALC_NATIVE_METERED});
    assert_true(count_in(0, &fuel, 4) > 0);
    assert_int_equal(compiled.image.options, ALC_NATIVE_METERED);
    compile_well(&(struct alc_compile_options){.level = 2, .options = ALC_NATIVE_INTERRUPTIBLE});
    assert_int_equal(count_in(0, &stop, 4), 2); /* at the entry and in the loop */
}

/* -- calls -- */

static int32_t distance_at(uint32_t offset)
{
    int32_t distance;
    memcpy(&distance, compiled.image.code + offset, 4);
    return distance;
}

static void a_tail_call_is_a_jump(void **state)
{
    (void)state;
    /* Each goes on in the other, which has another signature. */
    static const struct piece head = PIECE(TYPES);
    struct piece bodies[] = {PIECE("\0\x20\0\xac\x42\1\x12\1\xb"), PIECE("\0\x20\0\xa7\x12\0\xb")};
    for (unsigned level = 0; level <= ALC_COMPILE_LEVEL_MAX; level++) {
        fixture_odd_type = 1;
        load(&head, "", 0, bodies, 2, 2);
        fixture_odd_type = 0;
        compile_well(&(struct alc_compile_options){.level = level});
        for (uint32_t i = 0; i < 2; i++) {
            const uint32_t *functions = compiled.image.functions;
            bool is_found = false;
            for (uint32_t at = functions[i]; at + 5 <= functions[i + 1]; at++) {
                int64_t target = (int64_t)at + 5 + distance_at(at + 1);
                assert_false(compiled.image.code[at] == 0xe8 && target == functions[1 - i]);
                is_found |= compiled.image.code[at] == 0xe9 && target == functions[1 - i];
            }
            assert_true(is_found);
        }
    }
}

static void stubs_have_one_row_each(void **state)
{
    (void)state;
    /* import "" "" (func (type 0)), twice called by each of many functions */
    static const struct piece head = PIECE(TYPES "\2\5\1\0\0\0\0");
    struct piece body = PIECE("\0\x20\0\x10\0\x10\0\xb");
    load(&head, "", 0, &body, 1, 2000);
    compile_well(&(struct alc_compile_options){.level = 1});
    assert_int_equal(compiled.image.stubs_count, 1);
    assert_int_equal(compiled.image.stubs[0].kind, ALC_NATIVE_STUB_IMPORT);
    assert_int_equal(compiled.image.stubs[0].a, 0);
    const uint32_t *functions = compiled.image.functions;
    unsigned calls = 0;
    for (uint32_t at = functions[7]; at + 5 <= functions[8]; at++) {
        calls += compiled.image.code[at] == 0xe8 &&
                 (int64_t)at + 5 + distance_at(at + 1) == -ALC_NATIVE_STUB_SIZE;
    }
    assert_int_equal(calls, 2);
}

/* -- traps and lines -- */

static void traps_have_their_number_and_place(void **state)
{
    (void)state;
    struct piece body = PIECE("\0\x20\0\x04\x40\0\xb\x20\0\x41\0\x6d\xb");
    load_one(&body);
    compile_well(&(struct alc_compile_options){.level = 2});
    const struct alc_native_image *image = &compiled.image;
    uint32_t at = 0;
    while (at + 5 <= image->code_size && memcmp(image->code + at, "\x67\x0f\xb9\x40", 4) != 0) {
        at++;
    }
    uint8_t number = image->code[at + 4];
    assert_true(number == ALC_NATIVE_TRAP_UNREACHABLE || number == ALC_NATIVE_TRAP_DIVIDE_BY_ZERO);
    /* Offsets of the two instructions from the end of the module. */
    uint32_t wanted = (uint32_t)fixture_size - (number == ALC_NATIVE_TRAP_UNREACHABLE ? 8 : 2);
    uint32_t found = 0;
    for (uint32_t i = 0; i < image->lines_count && image->lines[i].code_offset <= at; i++) {
        found = image->lines[i].wasm_offset;
    }
    assert_int_equal(found, wanted);
}

/* -- floating values -- */

static void neutral_constants_are_not_folded(void **state)
{
    (void)state;
    /* x * 1, as bits: a signalling NaN must become a quiet one. */
    struct piece body = PIECE("\0\x20\0\xbe\x43\0\0\x80\x3f\x94\xbc\xb");
    load_one(&body);
    compile_well(&(struct alc_compile_options){.level = 3});
    assert_int_equal(COUNT_IN(0, "\xf3\x0f\x59"), 1); /* mulss */
}

static void a_choice_between_constants_is_confined(void **state)
{
    (void)state;
    /* select (1.5, 2.5, x) as an integer: no table of constants with a computed address */
    struct piece body = PIECE("\0\x43\0\0\xc0\x3f\x43\0\0\x20\x40\x20\0\x1b\xbc\xb");
    for (unsigned level = 0; level <= ALC_COMPILE_LEVEL_MAX; level++) {
        load_one(&body);
        compile_well(&(struct alc_compile_options){.level = level});
        assert_int_equal(compiled.image.shape, ALC_NATIVE_CONFINED);
    }
}

static void texts_are_kept_when_asked_for(void **state)
{
    (void)state;
    load_one(&g_loop);
    compile_well(&(struct alc_compile_options){.level = 1});
    assert_null(compiled.ir);
    assert_null(compiled.assembly);
    compile_well(&(struct alc_compile_options){
        .level = 1, .keep = ALC_COMPILE_KEEP_IR | ALC_COMPILE_KEEP_ASSEMBLY});
    assert_non_null(strstr(compiled.ir, "define i32 @d0"));
    assert_non_null(strstr(compiled.assembly, "d0:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_with_one_plain_memory_are_confined),
        cmocka_unit_test(other_memories_need_the_checked_shape),
        cmocka_unit_test(instructions_decide_about_the_shape),
        cmocka_unit_test(output_does_not_depend_on_threads),
        cmocka_unit_test(equal_constants_of_different_units_are_one),
        cmocka_unit_test(an_offset_is_checked_and_its_absence_is_not),
        cmocka_unit_test(copies_use_a_helper_behind_the_functions),
        cmocka_unit_test(the_context_is_found_below_gs),
        cmocka_unit_test(options_put_checks_into_loops),
        cmocka_unit_test(a_tail_call_is_a_jump),
        cmocka_unit_test(stubs_have_one_row_each),
        cmocka_unit_test(traps_have_their_number_and_place),
        cmocka_unit_test(neutral_constants_are_not_folded),
        cmocka_unit_test(a_choice_between_constants_is_confined),
        cmocka_unit_test(texts_are_kept_when_asked_for),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
