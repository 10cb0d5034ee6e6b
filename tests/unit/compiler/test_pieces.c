/* SPDX-License-Identifier: Apache-2.0
 *
 * The small parts under the compiler: names of symbols, interned pieces, tables of lines, object
 * files that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/intern.h"
#include "compiler/object.h"
#include "compiler/symbols.h"

static void symbols_are_read_as_written(void **state)
{
    (void)state;
    char name[ALC_SYMBOL_SIZE];
    struct alc_symbol symbol;
    struct alc_native_stub stub = {UINT32_MAX, UINT32_MAX, 0, 4000000000};
    alc_symbol_write_definition(name, 12);
    assert_true(alc_symbol_parse(name, &symbol));
    assert_int_equal(symbol.kind, ALC_SYMBOL_DEFINITION);
    assert_int_equal(symbol.function_index, 12);
    for (int is_tail = 0; is_tail < 2; is_tail++) {
        alc_symbol_write_function(name, UINT32_MAX, is_tail);
        assert_true(alc_symbol_parse(name, &symbol));
        assert_int_equal(symbol.kind, ALC_SYMBOL_FUNCTION);
        assert_int_equal(symbol.function_index, UINT32_MAX);
        alc_symbol_write_stub(name, &stub, is_tail);
        assert_true(alc_symbol_parse(name, &symbol));
        assert_int_equal(symbol.kind, ALC_SYMBOL_STUB);
        assert_memory_equal(&symbol.stub, &stub, sizeof stub);
    }
}

static void other_names_are_no_symbols(void **state)
{
    (void)state;
    static const char *const names[] = {"",       "memcpy",  "d",          "d1x",      "f1.2",
                                        "s1.2.3", "s1.2.3.", "s1.2.3.4.5", "u-1.0.0.0"};
    struct alc_symbol symbol;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_false(alc_symbol_parse(names[i], &symbol));
    }
}

static void equal_pieces_share_a_place(void **state)
{
    (void)state;
    enum { PIECES = 5000 };
    struct alc_intern intern;
    uint32_t offsets[PIECES];
    uint32_t offset;
    assert_int_equal(alc_intern_init(&intern), ALC_OK);
    for (uint64_t i = 0; i < PIECES; i++) {
        assert_int_equal(alc_intern_add(&intern, &i, sizeof i, 8, &offsets[i]), ALC_OK);
        assert_int_equal(offsets[i] % 8, 0);
    }
    assert_int_equal(intern.size, PIECES * sizeof(uint64_t));
    for (uint64_t i = 0; i < PIECES; i++) {
        assert_int_equal(alc_intern_add(&intern, &i, sizeof i, 4, &offset), ALC_OK);
        assert_int_equal(offset, offsets[i]);
    }
    uint64_t *pieces = alc_intern_take(&intern);
    assert_int_equal(pieces[offsets[77] / 8], 77);
    free(pieces);
}

/* Unit length, version 4, header length, instructions of 1 byte, one operation, is_stmt, line base
 * -5, line range 14, opcode base 13, lengths; no folders, no files. */
#define HEADER(size) size "\0\0\0\4\0\x14\0\0\0\1\1\1\xfb\xe\xd\0\1\1\1\1\0\0\0\1\0\0\1\0\0"

static void lines_of_a_program(void **state)
{
    (void)state;
    /* set address 0x10, line + 100 (101), copy, pc + 3 and line + 2 (special), line - 103 (0),
     * copy, end */
    static const uint8_t bytes[] =
        HEADER("\x2d") "\0\5\2\x10\0\0\0\3\xe4\0\1\x3e\3\x99\x7f\1\0\1\1";
    struct alc_native_line *lines = NULL;
    uint32_t count = 0;
    assert_int_equal(alc_lines_read(bytes, sizeof bytes - 1, &lines, &count), ALC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(lines[0].code_offset, 0x10);
    assert_int_equal(lines[0].wasm_offset, 101);
    assert_int_equal(lines[1].code_offset, 0x13);
    assert_int_equal(lines[1].wasm_offset, 103);
    free(lines);
    for (size_t size = 0; size < sizeof bytes - 1; size++) {
        assert_int_equal(alc_lines_read(bytes, size, &lines, &count), ALC_E_INTERNAL);
    }
}

static void what_is_no_object_file_is_refused(void **state)
{
    (void)state;
    static const uint8_t zeros[128];
    static const uint8_t cut[64] = "\x7f"
                                   "ELF\2\1\1";
    struct alc_object object;
    assert_int_equal(alc_object_read(zeros, sizeof zeros, &object, NULL), ALC_E_INTERNAL);
    assert_int_equal(alc_object_read(zeros, 10, &object, NULL), ALC_E_INTERNAL);
    assert_int_equal(alc_object_read(cut, sizeof cut, &object, NULL), ALC_E_INTERNAL);
    assert_null(object.code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_are_read_as_written),
        cmocka_unit_test(other_names_are_no_symbols),
        cmocka_unit_test(equal_pieces_share_a_place),
        cmocka_unit_test(lines_of_a_program),
        cmocka_unit_test(what_is_no_object_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
