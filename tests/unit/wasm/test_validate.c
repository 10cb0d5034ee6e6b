/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of bodies: what each mistake is called and at which byte of the body it is reported,
 * and the limits: a body at the limit passes, one past it does not. Everything is validated twice,
 * with and without emission into a made-up table of handlers, and the two must agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wasm/code.h"
#include "wasm/module.h"
#include "wasm/validate.h"
#include "wasm/validate_internal.h"

enum { ARENA_SIZE = 192 << 20, MODULE_MAX = 4 << 20 };

static uint8_t *arena_memory;
static uint8_t *bytes;
static size_t size;
static size_t body_offset;
static const int32_t handlers[ALC_CODE_COUNT];

static void put(const void *from, size_t count)
{
    assert_true(size + count <= MODULE_MAX);
    memcpy(bytes + size, from, count);
    size += count;
}
#define PUT(text) put(text, sizeof(text) - 1)

static void put_leb(uint32_t value)
{
    for (;; value >>= 7) {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        put(&byte, 1);
        if (value <= 0x7f) {
            return;
        }
    }
}

static uint32_t leb_size(size_t value)
{
    return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

/* Types: 0 [] -> [], 1 [i32] -> [i32], 2 [i32] -> []; function 0 of type 1, memory, table, tags of
 * types 0 and 2, mutable and constant global; then the body. */
static alc_status validate_with(const void *body, size_t count,
                                const struct alc_code_target *target, uint64_t *offset)
{
    size = 0;
    PUT("\0asm\1\0\0\0");
    PUT("\1\xd\3\x60\0\0\x60\1\x7f\1\x7f\x60\1\x7f\0");
    PUT("\3\2\1\1");
    PUT("\4\4\1\x70\0\1");
    PUT("\5\3\1\0\1");
    PUT("\xd\5\2\0\0\0\2");
    PUT("\6\xb\2\x7f\1\x41\0\xb\x7f\0\x41\0\xb");
    PUT("\xa");
    put_leb((uint32_t)(1 + leb_size(count) + count));
    PUT("\1");
    put_leb((uint32_t)count);
    body_offset = size;
    put(body, count);
    struct alc_arena arena;
    struct alc_error error;
    struct alc_module *module;
    struct alc_code_heap heap = {0};
    struct alc_load_options options = {.target = target, .code_heap = &heap, .is_eager = true};
    alc_arena_init(&arena, arena_memory, ARENA_SIZE / 2);
    alc_arena_init(&heap.arena, arena_memory + ARENA_SIZE / 2, ARENA_SIZE / 2);
    alc_error_clear(&error);
    alc_status status = alc_module_load(&arena, bytes, size, &options, &module, &error);
    *offset = error.offset - body_offset;
    if (status == ALC_OK && target != NULL) {
        const struct alc_code *code = module->functions[0].code;
        assert_true(code->units_count > 0);
        assert_true(code->link_slot < code->frame_slots);
        assert_true(code->frame_slots <= ALC_LIMIT_FRAME_SLOTS);
    }
    alc_arena_fini(&heap.arena);
    alc_arena_fini(&arena);
    return status;
}

static alc_status validate(const void *body, size_t count, uint64_t *offset)
{
    static const struct alc_code_target targets[] = {{handlers, false, false},
                                                     {handlers, true, true}};
    alc_status status = validate_with(body, count, NULL, offset);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(targets); i++) {
        uint64_t again;
        assert_int_equal(validate_with(body, count, &targets[i], &again), status);
        assert_true(again == *offset || status == ALC_OK);
    }
    return status;
}

/* -- two ways through a body -- */

/* Instructions that meet each other often enough to be valid for a while. */
static uint32_t random_state = 1;
static uint32_t random_below(uint32_t count)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)random_state * count >> 32);
}

static size_t random_instruction(uint8_t *out)
{
    static const struct {
        const char *bytes;
        size_t size;
    } pieces[] = {
        {"\x20\0", 2},
        {"\x21\0", 2},
        {"\x22\1", 2},
        {"\x20\2", 2},
        {"\x20\3", 2},
        {"\x21\3", 2},
        {"\x20\4", 2},
        {"\x21\4", 2},
        {"\x23\0", 2},
        {"\x24\0", 2},
        {"\x24\1", 2},
        {"\x41\7", 2},
        {"\x41\x80\x7f", 3},
        {"\x42\1", 2},
        {"\x43\0\0\0\0", 5},
        {"\x6a", 1},
        {"\x7c", 1},
        {"\x45", 1},
        {"\xa7", 1},
        {"\x1a", 1},
        {"\x28\2\0", 3},
        {"\x36\2\x80\1", 4},
        {"\x29\3\4", 3},
        {"\x2d\1\0", 3},
        {"\2\x40", 2},
        {"\3\x40", 2},
        {"\4\x40", 2},
        {"\2\x7f", 2},
        {"\5", 1},
        {"\xb", 1},
        {"\xb", 1},
        {"\xc\0", 2},
        {"\xd\0", 2},
        {"\xd\1", 2},
        {"\xf", 1},
        {"\x10\0", 2},
        {"\xd0\x70", 2},
        {"\xd1", 1},
        {"\x1b", 1},
        {"\x98", 1},
        {"\x41\x80\x80\x80\x80\x70", 6},
        {"\x20\x81\x80\0", 4},
        {"\x20\x81\0", 3},
        {"\x21\x87\x7f", 3},
        {"\x28\2\x80\x80\x80\x80\x10", 7},
        {"\x28\2\x80\x80\x80\x80\1", 7},
        {"\x28\3\0", 3},
        {"\x28\x42\0\0", 4},
        {"\2\0", 2},
        {"\xd0\x70\xd4\x21\5", 5},
        {"\x20\5", 2},
        {"\x21\4", 2},
        {"\2\x40\xd0\x70\xd4\x21\5\xb\x20\5", 10},
        {"\2\x40\x20\0\x20\0\xc\0\x20\0\x1a\xb", 12},
        {"\xfd\xc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18},
    };
    /* Mostly the first one: something has to be on the stack. */
    uint32_t which = random_below(2) == 0 ? 0 : random_below(ALC_ARRAY_COUNT(pieces));
    memcpy(out, pieces[which].bytes, pieces[which].size);
    return pieces[which].size;
}

static alc_status judge(struct alc_arena *arena, const struct alc_module *module,
                        const struct alc_code_target *target, uint64_t *offset,
                        uint32_t *frame_slots)
{
    struct alc_error error;
    struct alc_validator *validator;
    struct alc_code code;
    size_t mark = alc_arena_mark(arena);
    alc_error_clear(&error);
    assert_int_equal(alc_validator_new(arena, module, target, &error, &validator), ALC_OK);
    alc_status status = alc_validate_function(validator, 0, target != NULL ? &code : NULL);
    *offset = error.offset;
    *frame_slots = validator->slots_max;
    alc_arena_reset(arena, mark);
    return status;
}

/* The short way and the one that emits see every body alike. */
static void both_ways_agree(void **state)
{
    (void)state;
    enum { BODY_SIZE = 64, ROUNDS = 200000 };
    static const struct alc_code_target target = {handlers, false, false};
    /* Locals: the parameter, i32, i64, externref, v128, and a reference that has to be set. */
    static const char locals[] = "\5\1\x7f\1\x7e\1\x6f\1\x7b\1\x64\x70";
    uint8_t filler[BODY_SIZE] = {0};
    unsigned valid = 0;
    unsigned long_ones = 0;
    filler[0] = 0; /* no locals, unreachable, nops */
    memset(filler + 2, 1, BODY_SIZE - 3);
    filler[BODY_SIZE - 1] = 0xb;
    struct alc_arena arena;
    struct alc_module *module;
    struct alc_error error;
    uint64_t offset;
    assert_int_equal(validate_with(filler, BODY_SIZE, NULL, &offset), ALC_OK);
    struct alc_code_heap heap = {0};
    struct alc_load_options options = {.target = &target, .code_heap = &heap};
    alc_arena_init(&arena, arena_memory, ARENA_SIZE);
    assert_int_equal(alc_module_load(&arena, bytes, size, &options, &module, &error), ALC_OK);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t *body = bytes + body_offset;
        size_t count = sizeof locals - 1;
        size_t wanted = 12 + random_below(BODY_SIZE - 32);
        memcpy(body, locals, count);
        while (count < wanted) {
            count += random_instruction(body + count);
        }
        body[count++] = 0xb;
        module->functions[0].body.size = (uint32_t)count;
        uint64_t other;
        uint32_t slots;
        uint32_t other_slots;
        alc_status status = judge(&arena, module, NULL, &offset, &slots);
        assert_int_equal(status, judge(&arena, module, &target, &other, &other_slots));
        assert_true(status == ALC_OK || offset == other);
        assert_true(status != ALC_OK || slots == other_slots);
        valid += status == ALC_OK;
        long_ones += status != ALC_OK && offset > body_offset + sizeof locals + 12;
    }
    /* The bodies are worth looking at. */
    assert_true(valid > ROUNDS / 200);
    assert_true(long_ones > ROUNDS / 20);
    alc_arena_fini(&arena);
}

struct bad_body {
    const char *body;
    size_t size;
    alc_status status;
    uint64_t offset;
};
#define BAD(body, status, offset) {body, sizeof(body) - 1, ALC_E_##status, offset}

static void check_bad(const struct bad_body *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t offset;
        alc_status status = validate(cases[i].body, cases[i].size, &offset);
        if (status != cases[i].status || offset != cases[i].offset) {
            print_error("case %zu: %s at %llu\n", i, alc_status_name(status),
                        (unsigned long long)offset);
        }
        assert_int_equal(status, cases[i].status);
        assert_true(offset == cases[i].offset);
    }
}

static void mistakes_are_found_where_they_are(void **state)
{
    (void)state;
    static const struct bad_body cases[] = {
        BAD("\0\xb", TYPE_MISMATCH, 1),                        /* no result */
        BAD("\0\x20\0\x20\0\xb", TYPE_MISMATCH, 5),            /* one too many */
        BAD("\0\x42\0\x45\xb", TYPE_MISMATCH, 3),              /* i32.eqz of an i64 */
        BAD("\0\x41\0\x6a\xb", TYPE_MISMATCH, 3),              /* i32.add of one */
        BAD("\0\x20\1\xb", UNKNOWN_LOCAL, 1),                  /* local.get 1 */
        BAD("\0\x23\2\xb", UNKNOWN_GLOBAL, 1),                 /* global.get 2 */
        BAD("\0\x20\0\x24\1\x20\0\xb", IMMUTABLE_GLOBAL, 3),   /* global.set 1 */
        BAD("\0\x20\0\xc\1\xb", UNKNOWN_LABEL, 3),             /* br 1 */
        BAD("\0\x20\0\x10\1\xb", UNKNOWN_FUNCTION, 3),         /* call 1 */
        BAD("\0\x20\0\x05\xb", ILLEGAL_OPCODE, 3),             /* else without if */
        BAD("\0\x20\0\x27\xb", ILLEGAL_OPCODE, 3),             /* no such instruction */
        BAD("\0\x20\0\xfc\x7f\xb", ILLEGAL_OPCODE, 3),         /* nor behind a prefix */
        BAD("\0\x20\0", END_OPCODE_EXPECTED, 3),               /* no end */
        BAD("\0\x20\0\xb\1", END_OPCODE_EXPECTED, 4),          /* something behind it */
        BAD("\0\x20\0\x28\3\0\xb", BAD_ALIGNMENT, 3),          /* i32.load align=8 */
        BAD("\0\x20\0\x04\x7f\x41\0\xb\xb", TYPE_MISMATCH, 7), /* if with result, no else */
        BAD("\0\x02\x40\x20\0\xb\x20\0\xb", TYPE_MISMATCH, 5), /* block leaves a value */
        BAD("\0\x20\0\xfd\xc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xfd\x15\x10\x1a\xb", BAD_LANE, 21),
        BAD("\0\x41\0\x41\0\x41\0\xfc\x8\0\0\x20\0\xb", DATA_COUNT_REQUIRED, 7),
        BAD("\0\x41\0\x42\0\x20\0\x1b\x1a\x20\0\xb", TYPE_MISMATCH, 7), /* select of two types */
        BAD("\0\x02\x40\x20\0\xe\1\0\1\xb\x20\0\xb", TYPE_MISMATCH, 5), /* labels differ */
        BAD("\0\xf\x41\0\x42\0\x6a\xb", TYPE_MISMATCH, 1),              /* return of nothing */
        BAD("\0\0\x42\0\x45\xb", TYPE_MISMATCH, 4), /* dead code has types too */
    };
    check_bad(cases, ALC_ARRAY_COUNT(cases));
}

static void mistakes_with_exceptions(void **state)
{
    (void)state;
    static const struct bad_body cases[] = {
        BAD("\0\x8\2\xb", UNKNOWN_TAG, 1),                         /* throw 2 */
        BAD("\0\x20\0\xa\xb", TYPE_MISMATCH, 3),                   /* throw_ref of an i32 */
        BAD("\0\x1f\x40\1\4\0\xb\x20\0\xb", BAD_CATCH_KIND, 1),    /* no such clause */
        BAD("\0\x1f\x40\1\2\1\xb\x20\0\xb", UNKNOWN_LABEL, 1),     /* catch_all 1 */
        BAD("\0\x1f\x40\1\0\2\0\xb\x20\0\xb", UNKNOWN_TAG, 1),     /* catch of tag 2 */
        BAD("\0\x1f\x40\1\0\0\0\xb\x20\0\xb", TYPE_MISMATCH, 1),   /* label wants an i32 */
        BAD("\0\x1f\x40\1\3\0\xb\x20\0\xb", TYPE_MISMATCH, 1),     /* and no exnref */
        BAD("\0\7\0\x20\0\xb", ILLEGAL_OPCODE, 1),                 /* catch without try */
        BAD("\0\6\x40\x19\x19\xb\x20\0\xb", ILLEGAL_OPCODE, 4),    /* catch_all twice */
        BAD("\0\6\x40\x19\7\0\xb\x20\0\xb", ILLEGAL_OPCODE, 4),    /* catch behind catch_all */
        BAD("\0\6\x40\7\0\x18\0\x20\0\xb", ILLEGAL_OPCODE, 5),     /* delegate behind catch */
        BAD("\0\6\x40\5\xb\x20\0\xb", ILLEGAL_OPCODE, 3),          /* else in a try */
        BAD("\0\6\x40\x18\1\x20\0\xb", UNKNOWN_LABEL, 3),          /* delegate 1 */
        BAD("\0\6\x40\x9\0\x18\0\x20\0\xb", BAD_RETHROW_LABEL, 3), /* not from a catch */
        BAD("\0\6\x40\x19\x1a\xb\x20\0\xb", TYPE_MISMATCH, 4),     /* what is hidden is hidden */
        BAD("\0\6\x40\x20\0\x19\xb\x20\0\xb", TYPE_MISMATCH, 5),   /* the body leaves a value */
        /* A local set in the body may be unset in the catch. */
        BAD("\1\1\x64\x70\6\x40\0\x21\1\x19\x20\1\x1a\xb\x20\0\xb", UNINITIALIZED_LOCAL, 10),
    };
    check_bad(cases, ALC_ARRAY_COUNT(cases));
}

/* -- limits: bodies put together from repeated pieces -- */

static uint8_t *body;
static size_t body_size;

static void add(const char *piece, size_t count, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        assert_true(body_size + count <= MODULE_MAX);
        memcpy(body + body_size, piece, count);
        body_size += count;
    }
}
#define ADD(piece, times) add(piece, sizeof(piece) - 1, times)

static void add_leb(uint32_t value)
{
    for (; value > 0x7f; value >>= 7) {
        body[body_size++] = (uint8_t)(value | 0x80);
    }
    body[body_size++] = (uint8_t)value;
}

static alc_status validate_built(void)
{
    uint64_t offset;
    return validate(body, body_size, &offset);
}

static void nested_blocks(uint32_t count)
{
    body_size = 0;
    ADD("\0", 1);
    ADD("\x02\x40", count);
    ADD("\xb", count);
    ADD("\x20\0\xb", 1);
}

static void blocks_nest_up_to_the_limit(void **state)
{
    (void)state;
    nested_blocks(ALC_LIMIT_BLOCK_NESTING - 1); /* the body itself is a block */
    assert_int_equal(validate_built(), ALC_OK);
    nested_blocks(ALC_LIMIT_BLOCK_NESTING);
    assert_int_equal(validate_built(), ALC_E_LIMIT_NESTING);
}

static void declared_locals(uint32_t count)
{
    body_size = 0;
    ADD("\1", 1);
    add_leb(count);
    ADD("\x7f\x20\0\xb", 1);
}

static void locals_up_to_the_limit(void **state)
{
    (void)state;
    declared_locals(ALC_LIMIT_LOCALS - 1); /* and the parameter */
    assert_int_equal(validate_built(), ALC_OK);
    declared_locals(ALC_LIMIT_LOCALS);
    assert_int_equal(validate_built(), ALC_E_TOO_MANY_LOCALS);
    declared_locals(UINT32_MAX);
    assert_int_equal(validate_built(), ALC_E_TOO_MANY_LOCALS);
}

static void stacked_constants(uint32_t count)
{
    body_size = 0;
    ADD("\0", 1);
    ADD("\x41\1", count);
    ADD("\x6a", count - 1);
    ADD("\xb", 1);
}

static void frames_up_to_the_limit(void **state)
{
    (void)state;
    /* The operand stack begins behind ALC_CODE_FRAME_MIN slots. */
    stacked_constants(ALC_LIMIT_FRAME_SLOTS - ALC_CODE_FRAME_MIN);
    assert_int_equal(validate_built(), ALC_OK);
    stacked_constants(ALC_LIMIT_FRAME_SLOTS - ALC_CODE_FRAME_MIN + 1);
    assert_int_equal(validate_built(), ALC_E_LIMIT_FRAME);
}

/* The function's label takes what the clause brings, though nothing is ever pushed for it. */
static void clause_behind_vectors(uint32_t count)
{
    body_size = 0;
    ADD("\1", 1);
    add_leb(count);
    ADD("\x7b\x1f\x40\1\0\1\0\xb\0\xb", 1);
}

static void frames_with_clauses_up_to_the_limit(void **state)
{
    (void)state;
    /* The parameter, the link and what is caught take a slot each. */
    clause_behind_vectors((ALC_LIMIT_FRAME_SLOTS - 3) / 2);
    assert_int_equal(validate_built(), ALC_OK);
    clause_behind_vectors((ALC_LIMIT_FRAME_SLOTS - 3) / 2 + 1);
    assert_int_equal(validate_built(), ALC_E_LIMIT_FRAME);
}

static void nested_tries(uint32_t count)
{
    body_size = 0;
    ADD("\0", 1);
    ADD("\x06\x40", count);
    ADD("\x19\xb", count);
    ADD("\x20\0\xb", 1);
}

static void tries_nest_up_to_the_limit(void **state)
{
    (void)state;
    nested_tries(ALC_LIMIT_BLOCK_NESTING - 1);
    assert_int_equal(validate_built(), ALC_OK);
    nested_tries(ALC_LIMIT_BLOCK_NESTING);
    assert_int_equal(validate_built(), ALC_E_LIMIT_NESTING);
}

static void branch_table(uint32_t labels)
{
    body_size = 0;
    ADD("\0\x20\0\x20\0\xe", 1);
    add_leb(labels);
    ADD("\0", labels + 1);
    ADD("\xb", 1);
}

static void branch_tables_up_to_the_limit(void **state)
{
    (void)state;
    branch_table(ALC_LIMIT_BRANCH_TABLE);
    assert_int_equal(validate_built(), ALC_OK);
    branch_table(ALC_LIMIT_BRANCH_TABLE + 1);
    assert_int_not_equal(validate_built(), ALC_OK);
}

/* What costs an attacker a few bytes must not cost us thousands of steps for each. */
static void many_sets_over_a_deep_stack_are_quick(void **state)
{
    (void)state;
    body_size = 0;
    ADD("\0", 1);
    ADD("\x20\0", 1); /* a local that waits at the bottom */
    ADD("\x41\1", 50000);
    ADD("\x41\2\x21\0", 500000);
    ADD("\x1a", 50000);
    ADD("\xb", 1);
    assert_int_equal(validate_built(), ALC_OK);
}

static int set_up(void **state)
{
    (void)state;
    arena_memory = malloc(ARENA_SIZE);
    bytes = malloc(MODULE_MAX);
    body = malloc(MODULE_MAX);
    return arena_memory == NULL || bytes == NULL || body == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(arena_memory);
    free(bytes);
    free(body);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_found_where_they_are),
        cmocka_unit_test(mistakes_with_exceptions),
        cmocka_unit_test(both_ways_agree),
        cmocka_unit_test(blocks_nest_up_to_the_limit),
        cmocka_unit_test(locals_up_to_the_limit),
        cmocka_unit_test(frames_up_to_the_limit),
        cmocka_unit_test(frames_with_clauses_up_to_the_limit),
        cmocka_unit_test(tries_nest_up_to_the_limit),
        cmocka_unit_test(branch_tables_up_to_the_limit),
        cmocka_unit_test(many_sets_over_a_deep_stack_are_quick),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
