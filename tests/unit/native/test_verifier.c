/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier against the rows of attacks.def and at its limits. What it accepts is compared with
 * independent decoders by tests/verifier.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "native/image.h"
#include "native/verifier.h"
#include "native/x86_decode.h"

enum { CALLEE_SIZE = 16, CODE_MAX = 4096, NOP = 0x90, RET = 0xC3 };

enum environment { PLAIN, V3, NO_MEMORY };

struct code {
    uint8_t *bytes; /* exactly as long as the code, so that sanitizers see reads behind it */
    uint32_t functions[4];
    struct alc_verifier_input input;
};

/* Callee, the bytes, another function. */
static void code_init(struct code *code, enum environment environment, const uint8_t *bytes,
                      uint32_t size)
{
    uint32_t end = CALLEE_SIZE + (size + 15) / 16 * 16;
    code->bytes = malloc(end + 16);
    assert_non_null(code->bytes);
    memset(code->bytes, NOP, end + 16);
    code->bytes[0] = RET;
    memcpy(code->bytes + CALLEE_SIZE, bytes, size);
    code->bytes[end] = RET;
    code->functions[0] = 0;
    code->functions[1] = CALLEE_SIZE;
    code->functions[2] = end;
    code->functions[3] = end + 16;
    code->input = (struct alc_verifier_input){
        .code = code->bytes,
        .code_size = end + 16,
        .functions = code->functions,
        .functions_count = 3,
        .stubs_count = 2,
        .constants_distance = 4096,
        .constants_size = 64,
        .context_size = 20480,
        .features = environment == V3 ? ALC_NATIVE_V3 : 0,
        .has_memory = environment != NO_MEMORY,
    };
}

static alc_status check(const struct alc_verifier_input *input, struct alc_verifier_report *report)
{
    uint64_t size = alc_verifier_scratch_size(input);
    void *scratch = malloc(size != 0 ? size : 1);
    assert_non_null(scratch);
    memset(scratch, 0xA5, size);
    alc_status status = alc_verifier_check(input, scratch, size, report);
    free(scratch);
    return status;
}

struct row {
    enum environment environment;
    const char *what;
    const char *reason; /* NULL: accepted */
    uint32_t size;
    uint8_t bytes[96];
};

#define BYTES(...)                                                                                 \
    sizeof((uint8_t[]){__VA_ARGS__}),                                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
static const struct row g_rows[] = {
#define REFUSED(environment, what, reason, ...) {environment, what, reason, BYTES(__VA_ARGS__)},
#define ACCEPTED(environment, what, ...) {environment, what, NULL, BYTES(__VA_ARGS__)},
#include "unit/native/attacks.def"
};

static void test_rows(void **state)
{
    (void)state;
    uint32_t wrong = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(g_rows); i++) {
        const struct row *row = &g_rows[i];
        struct code code;
        code_init(&code, row->environment, row->bytes, row->size);
        struct alc_verifier_report report;
        alc_status status = check(&code.input, &report);
        bool is_right = row->reason == NULL
                            ? status == ALC_OK && report.reason == NULL
                            : status == ALC_E_NATIVE_REFUSED &&
                                  strcmp(report.reason, row->reason) == 0 && report.function == 1 &&
                                  report.offset >= CALLEE_SIZE && report.offset < code.functions[2];
        if (!is_right) {
            print_error("%s: %s, function %u, offset %u\n", row->what,
                        report.reason != NULL ? report.reason : "accepted", report.function,
                        report.offset);
            wrong++;
        }
        free(code.bytes);
    }
    assert_int_equal(wrong, 0);
}

/* From any byte on, the decoder reads no further than it may: sanitizers see the window's end. */
static void test_decoder_keeps_to_its_window(void **state)
{
    (void)state;
    uint8_t *window = malloc(ALC_X86_WINDOW_SIZE);
    assert_non_null(window);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(g_rows); i++) {
        const struct row *row = &g_rows[i];
        for (uint32_t at = 0; at < row->size; at++) {
            uint32_t size = row->size - at;
            struct alc_x86_instruction instruction;
            memset(window, 0xFF, ALC_X86_WINDOW_SIZE);
            memcpy(window, row->bytes + at,
                   size < ALC_X86_WINDOW_SIZE ? size : ALC_X86_WINDOW_SIZE);
            if (alc_x86_decode(window, &instruction) == NULL) {
                assert_in_range(instruction.length, 1, ALC_X86_LENGTH_MAX);
            }
        }
    }
    free(window);
}

/* What the report says is where it is. */
static void test_report_names_the_instruction(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x89, 0xC8, 0x0F, 0x05, 0xC3}; /* mov; syscall; ret */
    struct code code;
    code_init(&code, PLAIN, bytes, sizeof bytes);
    struct alc_verifier_report report;
    assert_int_equal(check(&code.input, &report), ALC_E_NATIVE_REFUSED);
    assert_int_equal(report.function, 1);
    assert_int_equal(report.offset, CALLEE_SIZE + 2);
    free(code.bytes);
}

static void test_numbers_of_traps(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 256; number++) {
        const uint8_t bytes[] = {0x67, 0x0F, 0xB9, 0x40, (uint8_t)number};
        struct code code;
        code_init(&code, PLAIN, bytes, sizeof bytes);
        struct alc_verifier_report report;
        assert_int_equal(check(&code.input, &report),
                         number < ALC_NATIVE_TRAPS_COUNT ? ALC_OK : ALC_E_NATIVE_REFUSED);
        free(code.bytes);
    }
}

/* -- the table of functions -- */

static void test_tables_of_functions(void **state)
{
    (void)state;
    static uint8_t bytes[64];
    memset(bytes, RET, sizeof bytes);
    static const struct {
        uint32_t functions[4];
        uint32_t count;
        bool is_good;
    } tables[] = {
        {{0, 16, 32, 64}, 3, true},  {{0, 64}, 1, true},      {{16, 32, 64}, 2, false},
        {{0, 16, 48}, 2, false},     {{0, 16, 80}, 2, false}, {{0, 32, 16, 64}, 3, false},
        {{0, 16, 16, 64}, 3, false}, {{0, 24, 64}, 2, false}, {{0}, 0, false},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(tables); i++) {
        struct alc_verifier_input input = {.code = bytes,
                                           .code_size = sizeof bytes,
                                           .functions = tables[i].functions,
                                           .functions_count = tables[i].count};
        struct alc_verifier_report report;
        assert_int_equal(alc_verifier_scratch_size(&input) != 0, tables[i].is_good);
        assert_int_equal(check(&input, &report), tables[i].is_good ? ALC_OK : ALC_E_NATIVE_REFUSED);
        assert_int_equal(report.reason == NULL, tables[i].is_good);
    }
}

static void test_no_functions(void **state)
{
    (void)state;
    static const uint32_t end[] = {0};
    struct alc_verifier_input input = {.code = (const uint8_t *)"", .functions = end};
    struct alc_verifier_report report;
    assert_int_equal(check(&input, &report), ALC_OK);
}

static void test_too_little_scratch(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {RET};
    struct code code;
    code_init(&code, PLAIN, bytes, sizeof bytes);
    uint64_t size = alc_verifier_scratch_size(&code.input);
    void *scratch = malloc(size);
    struct alc_verifier_report report;
    assert_int_equal(alc_verifier_check(&code.input, scratch, size - 1, &report),
                     ALC_E_NATIVE_REFUSED);
    assert_int_equal(alc_verifier_check(&code.input, scratch, size, &report), ALC_OK);
    assert_int_equal(alc_verifier_height_at(&code.input, 1, CALLEE_SIZE, scratch, size - 1),
                     UINT32_MAX);
    free(scratch);
    free(code.bytes);
}

/* Scratch is a small multiple of the largest function, not of the code. */
static void test_scratch_size(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 16];
    static uint32_t functions[(1 << 12) + 1];
    for (uint32_t i = 0; i < ALC_ARRAY_COUNT(functions); i++) {
        functions[i] = 16 * i;
    }
    struct alc_verifier_input input = {.code = bytes,
                                       .code_size = sizeof bytes,
                                       .functions = functions,
                                       .functions_count = 1 << 12};
    assert_true(alc_verifier_scratch_size(&input) <= 16 * 8 + sizeof bytes / 128);
}

/* -- much work -- */

/* Each jump leads to code that was passed without a height: as many entries as there can be. */
static void test_every_place_is_reached_from_below(void **state)
{
    (void)state;
    enum { JUMPS = 500 };
    uint8_t bytes[2 * JUMPS + 4];
    /* jmp to the last; each jump leads to the one before it; the first of those to the return. */
    bytes[0] = 0xE9;
    uint32_t distance = 2 * JUMPS + 1 - 5;
    for (uint32_t i = 0; i < 4; i++) {
        bytes[1 + i] = (uint8_t)(distance >> 8 * i);
    }
    bytes[5] = RET;
    bytes[6] = NOP;
    uint32_t at = 7;
    bytes[at] = 0xEB;
    bytes[at + 1] = (uint8_t)-4;
    for (at += 2; at < 2 * JUMPS + 2; at += 2) {
        bytes[at] = 0xEB;
        bytes[at + 1] = (uint8_t)-4;
    }
    bytes[at] = RET;
    struct code code;
    code_init(&code, PLAIN, bytes, at + 1);
    struct alc_verifier_report report;
    assert_int_equal(check(&code.input, &report), ALC_OK);
    free(code.bytes);
}

/* -- heights -- */

static uint32_t height_at(const struct alc_verifier_input *input, uint32_t function,
                          uint32_t offset)
{
    uint64_t size = alc_verifier_scratch_size(input);
    void *scratch = malloc(size != 0 ? size : 1);
    assert_non_null(scratch);
    uint32_t height = alc_verifier_height_at(input, function, offset, scratch, size);
    free(scratch);
    return height;
}

static void test_heights(void **state)
{
    (void)state;
    /* 0 push rbp; 1 sub rsp, 24; 5 call callee; 10 mov [rdi], eax; 12 lock add [rdi], eax;
     * 15 jmp 19; 17 pop rbp; 18 ret; 19 add rsp, 24; 23 jmp 17; 25 nop */
    static const uint8_t bytes[] = {0x55, 0x48, 0x83, 0xEC, 0x18, 0xE8, 0xE6, 0xFF, 0xFF,
                                    0xFF, 0x89, 0x07, 0xF0, 0x01, 0x07, 0xEB, 0x02, 0x5D,
                                    0xC3, 0x48, 0x83, 0xC4, 0x18, 0xEB, 0xF8};
    static const struct {
        uint32_t offset, height;
    } expected[] = {{0, 0},  {1, 8},  {5, 32},  {10, 32}, {12, 32},        {15, 32},
                    {17, 8}, {18, 0}, {19, 32}, {23, 8},  {2, UINT32_MAX}, {25, UINT32_MAX}};
    struct code code;
    code_init(&code, PLAIN, bytes, sizeof bytes);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(expected); i++) {
        assert_int_equal(height_at(&code.input, 1, CALLEE_SIZE + expected[i].offset),
                         expected[i].height);
    }
    assert_int_equal(height_at(&code.input, 1, CALLEE_SIZE - 1), UINT32_MAX);
    assert_int_equal(height_at(&code.input, 1, code.functions[2]), UINT32_MAX);
    assert_int_equal(height_at(&code.input, 3, CALLEE_SIZE), UINT32_MAX);
    assert_int_equal(height_at(&code.input, 0, 0), 0);
    /* Its stores are none of confined code. */
    struct alc_verifier_report report;
    assert_int_equal(check(&code.input, &report), ALC_E_NATIVE_REFUSED);
    free(code.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_decoder_keeps_to_its_window),
        cmocka_unit_test(test_report_names_the_instruction),
        cmocka_unit_test(test_numbers_of_traps),
        cmocka_unit_test(test_tables_of_functions),
        cmocka_unit_test(test_no_functions),
        cmocka_unit_test(test_too_little_scratch),
        cmocka_unit_test(test_scratch_size),
        cmocka_unit_test(test_every_place_is_reached_from_below),
        cmocka_unit_test(test_heights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
