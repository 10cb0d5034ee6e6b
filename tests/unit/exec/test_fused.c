/* SPDX-License-Identifier: Apache-2.0
 *
 * Every fused operation of code.def against the same instructions one by one. Each pattern is run
 * twice over edge values: as it stands, and with an empty loop between its instructions, whose
 * label nothing is fused across. Locals, memory, status and the instruction that trapped must
 * agree, and in the end every fused operation must have been seen in the code of some pattern.
 */
#include "exec_fixture.h"

#include <math.h>
#include <stdio.h>

#include "exec/interp.h"

/* -- modules: locals 0 to 2 and 9 are i32, 3 to 5 and 10 f32, 6 to 8 and 11 f64, 12 i64 -- */

enum { INSTRUCTIONS_MAX = 64, LOCALS_AT = 0x8000, PAGE = 65536 };

/* What the function leaves in its locals, stored behind LOCALS_AT by its last instructions. */
struct locals {
    uint32_t i32[4];
    float f32[4];
    double f64[4];
    uint64_t i64;
};

struct program {
    uint8_t bytes[4096];
    size_t size;
    uint32_t offsets[INSTRUCTIONS_MAX]; /* of the pattern's instructions, in the file */
    unsigned count;
};

static void put(struct program *p, const void *bytes, size_t size)
{
    assert_true(p->size + size <= sizeof p->bytes);
    memcpy(p->bytes + p->size, bytes, size);
    p->size += size;
}

static void put_hex(struct program *p, const char *hex, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2) {
        const char digits[3] = {hex[i], hex[i + 1], 0};
        uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);
        put(p, &byte, 1);
    }
}

static void put_pattern(struct program *p, const char *pattern, bool apart)
{
    while (*pattern != 0) {
        size_t length = strcspn(pattern, " ");
        if (length > 0) {
            assert_true(p->count < INSTRUCTIONS_MAX);
            p->offsets[p->count++] = (uint32_t)p->size;
            put_hex(p, pattern, length);
            if (apart) {
                put(p, "\x03\x40\x0b", 3);
            }
        }
        pattern += length + (pattern[length] == ' ');
    }
}

/* Stores of all locals: i32.const 0x8000, local.get, the store, its offset. */
static void put_stores(struct program *p)
{
    static const uint8_t order[13][3] = {
        {0, 0x36, 0},  {1, 0x36, 4},   {2, 0x36, 8},   {9, 0x36, 12}, {3, 0x38, 16},
        {4, 0x38, 20}, {5, 0x38, 24},  {10, 0x38, 28}, {6, 0x39, 32}, {7, 0x39, 40},
        {8, 0x39, 48}, {11, 0x39, 56}, {12, 0x37, 64}};
    for (unsigned i = 0; i < 13; i++) {
        put(p, "\x41\x80\x80\x02\x20", 5);
        put(p, &order[i][0], 1);
        put(p, &order[i][1], 1);
        put(p, "\0", 1);
        put(p, &order[i][2], 1);
    }
}

static void close_sized(struct program *p, size_t start)
{
    size_t size = p->size - start;
    p->bytes[start - 3] = (uint8_t)(size | 0x80);
    p->bytes[start - 2] = (uint8_t)(size >> 7 | 0x80);
    p->bytes[start - 1] = (uint8_t)(size >> 14);
}

static void build(struct program *p, const char *pattern, bool apart)
{
    p->size = p->count = 0;
    put(p, HEADER, 8);
    put(p, "\1\xd\1\x60\x9\x7f\x7f\x7f\x7d\x7d\x7d\x7c\x7c\x7c\0", 15);
    put(p, "\3\2\1\0\5\4\1\1\1\1\7\5\1\1f\0\0\xa\0\0\0", 21);
    size_t section = p->size;
    put(p, "\1\0\0\0", 4);
    size_t body = p->size;
    put(p, "\4\1\x7f\1\x7d\1\x7c\1\x7e", 9);
    put_pattern(p, pattern, apart);
    put_stores(p);
    put(p, "\xb", 1);
    close_sized(p, body);
    close_sized(p, section);
}

/* -- running -- */

static bool covered[ALC_CODE_COUNT];

struct subject {
    struct program program;
    struct alc_function *function;
    alc_status status;
    unsigned trapped_at; /* number of the instruction */
};

static void load_subject(struct subject *subject, const char *pattern, bool apart)
{
    struct alc_instance *instance;
    build(&subject->program, pattern, apart);
    assert_int_equal(fixture_instantiate(subject->program.bytes, subject->program.size, &instance),
                     ALC_OK);
    assert_int_equal(alc_export_find_function(instance, ALC_NAME_OF("f"), &subject->function),
                     ALC_OK);
}

static uint8_t *memory_of(const struct subject *subject)
{
    return subject->function->instance->memory0->base;
}

static void run_subject(struct subject *subject, const uint64_t *arguments)
{
    uint8_t *memory = memory_of(subject);
    for (unsigned i = 0; i < PAGE; i++) {
        memory[i] = (uint8_t)(i * 37 + 11 + (i >> 8));
    }
    alc_error_clear(&error);
    subject->status = alc_invoke(&store, subject->function, arguments, NULL, &error);
    subject->trapped_at = INSTRUCTIONS_MAX;
    for (unsigned i = 0; subject->status != ALC_OK && i < subject->program.count; i++) {
        if (store.thread.trap.frames[0].offset == subject->program.offsets[i]) {
            subject->trapped_at = i;
        }
    }
}

/* NaNs are equal: which operand's bits one has may depend on where operands were. */
static bool are_equal(double a, double b)
{
    return a == b ? signbit(a) == signbit(b) : isnan(a) && isnan(b);
}

static void compare_subjects(const char *pattern, const struct subject *a, const struct subject *b)
{
    const uint8_t *left = memory_of(a);
    const uint8_t *right = memory_of(b);
    struct locals x;
    struct locals y;
    memcpy(&x, left + LOCALS_AT, sizeof x);
    memcpy(&y, right + LOCALS_AT, sizeof y);
    bool same = a->status == b->status && a->trapped_at == b->trapped_at &&
                (a->status == ALC_OK || a->trapped_at < INSTRUCTIONS_MAX) &&
                memcmp(left, right, LOCALS_AT) == 0 && x.i64 == y.i64;
    for (unsigned i = 0; i < 4; i++) {
        same = same && x.i32[i] == y.i32[i] && are_equal(x.f32[i], y.f32[i]) &&
               are_equal(x.f64[i], y.f64[i]);
    }
    if (!same) {
        print_error("differs: %s (%s at %u, %s at %u)\n", pattern, alc_status_name(a->status),
                    a->trapped_at, alc_status_name(b->status), b->trapped_at);
    }
    assert_true(same);
}

static void note_codes(const struct alc_code *code)
{
    const int32_t *handlers = alc_interp_target(false, false)->handlers;
    for (unsigned op = 0; op < ALC_CODE_COUNT; op++) {
        for (uint32_t unit = 0; !covered[op] && unit + 1 < code->units_count; unit++) {
            int32_t distance;
            memcpy(&distance, code->units + unit, sizeof distance);
            covered[op] = distance == handlers[op];
        }
    }
}

static void check(const char *pattern)
{
    static const uint32_t integers[] = {0, 1, UINT32_MAX, 31, INT32_MAX, 0x80000000, 0xfff9, 65536};
    static const double floats[] = {0.0, -0.0, 1.5, -3.25, INFINITY, -INFINITY, NAN, 1e-310, 3e38};
    static struct subject fused;
    static struct subject apart;
    fixture_store(&(struct alc_store_options){0});
    load_subject(&fused, pattern, false);
    load_subject(&apart, pattern, true);
    for (unsigned n = 0; n < 256; n++) {
        uint64_t arguments[9];
        const unsigned places[3] = {n, n / 8, n / 8 * 3 + n};
        for (unsigned i = 0; i < 3; i++) {
            double value = floats[(places[i] + i) % 9];
            float half = (float)value;
            arguments[i] = integers[places[i] % 8];
            arguments[3 + i] = 0;
            memcpy(&arguments[3 + i], &half, sizeof half);
            memcpy(&arguments[6 + i], &value, sizeof value);
        }
        run_subject(&fused, arguments);
        run_subject(&apart, arguments);
        compare_subjects(pattern, &fused, &apart);
    }
    note_codes(fused.function->code);
    alc_store_fini(&store);
}

static void check_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void check_format(const char *format, ...)
{
    char pattern[512];
    va_list list;
    va_start(list, format);
    vsnprintf(pattern, sizeof pattern, format, list);
    va_end(list);
    check(pattern);
}

#define EACH(item, ...)                                                                            \
    for (const char *const *item = (const char *const[]){__VA_ARGS__, NULL}; *item != NULL; item++)

/* -- patterns -- */

static void sums_are_loaded_from(void **state)
{
    (void)state;
    /* The sum; its result set, or used by one more operation. */
    EACH(sum, "2000 2001 6a", "2000 4109 6a", "2000 2001 71 2002 6a", "2000 4102 74 2001 6a",
         "2000 4103 74 41e400 6a", "4105 2000 6a", "2000 4122 74 2001 6a", "2000 4111 74 2001 6a")
    {
        EACH(load, "2d0003 %s 2109", "2f0003 %s 2109", "280003 %s 2109", "2c0003 %s 2109",
             "2d0003 2002 73 %s 2109", "2f0003 2002 73 %s 2109", "280003 2002 73 %s 2109")
        {
            char text[128];
            snprintf(text, sizeof text, *load, "");
            check_format("%s %s", *sum, text);
        }
        EACH(load, "290003 210c", "290003 4205 7c 210c", "310003 210c", "2a0003 210a",
             "2a0003 2003 92 210a", "2b0003 210b", "2b0003 2006 a0 210b")
        {
            check_format("%s %s", *sum, *load);
        }
        check_format("%s 2109", *sum);
        check_format("%s 2002 73 2109", *sum);
    }
    /* The last address that fits, and the first that does not. */
    check("41fcff03 2d0003 2109");
    check("41fdff03 2d0003 2109");
}

static void known_addresses(void **state)
{
    (void)state;
    EACH(load, "2d0003", "280003")
    {
        check_format("4105 %s 2109", *load);
        check_format("4105 %s 2001 73 2109", *load);
        check_format("417f %s 2109", *load);
        check_format("41f9ff03 %s 2109", *load);
    }
    EACH(address, "4105", "417f", "41faff03", "41f9ff03")
    {
        check_format("%s 2000 360003", *address);
        check_format("%s 2000 2001 6a 360003", *address);
        check_format("%s 4107 360003", *address);
    }
}

static void increments_and_ends_of_loops(void **state)
{
    (void)state;
    check("2000 4105 6a 2100 2001 417b 6a 2101");
    check("2000 4105 6a 2109 2009 417b 6a 2102 2009 2002 6a 2101");
    /* Taken: local 9 stays 0; else it becomes a sum of the increment's, which is still cached. */
    EACH(before, "", "2002 4103 6a 2102")
    {
        EACH(compare, "46", "47", "48", "49", "4a", "4b", "4c", "4d", "4e", "4f")
        {
            EACH(right, "2001", "4105", "2000")
            {
                check_format("0240 %s 2000 417f 6a 2200 %s %s 0d00 2000 4101 6a 2109 0b", *before,
                             *right, *compare);
                check_format("%s 2000 4105 6a 2200 %s %s 0440 2000 4101 6a 2109 0b", *before,
                             *right, *compare);
            }
        }
        check_format("0240 %s 2000 417f 6a 2200 0d00 2000 4101 6a 2109 0b", *before);
        check_format("0240 %s 2000 4101 6a 2200 45 0d00 2000 4101 6a 2109 0b", *before);
        check_format("%s 2000 4101 6a 2200 0440 2000 4101 6a 2109 0b", *before);
    }
    check("0240 0240 0240 2000 2001 71 4101 6a 0e02000102 0b 4101 2109 0c01 0b 4102 2109 0b");
}

static void copies_and_selects(void **state)
{
    (void)state;
    check("0240 0240 2000 0d00 2000 4105 6a 2109 0c01 0b 2001 2109 0b");
    check("0240 0240 2000 0d00 2002 2109 0c01 0b 2001 2109 0b");
    check("2000 2001 2102 2109");
    check("2000 2109 2001 2100 2009 2101");
    check("2003 210a 2004 2103 200a 2104");
    EACH(compare, "46", "47", "48", "49", "4a", "4b", "4c", "4d", "4e", "4f")
    {
        EACH(operands, "2000 2001", "2000 4105", "2000 2002 6a 2001", "2000 2002 6a 411f",
             "4105 2001")
        {
            check_format("2000 2001 %s %s 1b 2109", *operands, *compare);
            check_format("2003 2004 %s %s 1b 210a", *operands, *compare);
            check_format("2006 2007 %s %s 1b 210b", *operands, *compare);
        }
    }
}

/* Patterns of one floating type: how locals a, b, c and the result d are got and set. */
struct floating {
    const char *a, *b, *c, *d;
    const char *constant;
    const char *nan;
    unsigned add;     /* opcode; sub, mul, div follow */
    unsigned compare; /* eq; ne, lt, gt, le, ge follow */
};
static const struct floating floatings[] = {
    {"2003", "2004", "2005", "210a", "430000c0bf", "430000c07f", 0x92, 0x5b},
    {"2006", "2007", "2008", "210b", "44000000000000f8bf", "44000000000000f87f", 0xa0, 0x61}};

static void floating_constants_and_pairs(void **state)
{
    (void)state;
    for (const struct floating *f = floatings; f < floatings + 2; f++) {
        for (unsigned op = f->add; op < f->add + 4; op++) {
            EACH(left, f->a, "sum", f->constant)
            {
                char sum[64];
                snprintf(sum, sizeof sum, "%s %s %02x", f->a, f->b, f->add + 1);
                const char *a = strcmp(*left, "sum") == 0 ? sum : *left;
                check_format("%s %s %02x %s", a, f->constant, op, f->d);
                check_format("%s %s %02x %s %02x %s", a, f->nan, op, f->c, f->add + 1, f->d);
                check_format("%s %s %02x %s %02x %s", a, f->constant, op, f->c, f->add + 1, f->d);
                check_format("%s %s %02x %s", f->constant, a, op, f->d);
                check_format("%s %s %02x %s", f->c, a, op, f->d);
            }
        }
        /* a product added to, subtracted from, and less than a slot */
        EACH(product, "%s %s %02x %s %02x", "%s %s %02x")
        {
            char text[64];
            snprintf(text, sizeof text, *product, f->a, f->b,
                     f->add + (strlen(*product) > 12 ? 1 : 2), f->b, f->add + 2);
            for (unsigned op = f->add; op < f->add + 2; op++) {
                check_format("%s %s %02x %s", f->c, text, op, f->d);
                check_format("%s %s %02x %s", text, f->c, op, f->d);
                check_format("%s %s %02x %s %02x %s", f->c, text, op, f->a, f->add + 3, f->d);
            }
        }
    }
}

static void floating_branches(void **state)
{
    (void)state;
    for (const struct floating *f = floatings; f < floatings + 2; f++) {
        for (unsigned compare = f->compare; compare < f->compare + 6; compare++) {
            char operands[3][64];
            snprintf(operands[0], sizeof operands[0], "%s %s", f->a, f->b);
            snprintf(operands[1], sizeof operands[1], "%s %s %02x %s", f->a, f->b, f->add, f->c);
            snprintf(operands[2], sizeof operands[2], "%s %s %s %02x", f->c, f->a, f->b, f->add);
            for (unsigned i = 0; i < 3; i++) {
                check_format("%s %02x 2109", operands[i], compare);
                check_format("%s %02x 45 2109", operands[i], compare);
                check_format("0240 %s %02x 0d00 4101 2109 0b", operands[i], compare);
                check_format("0240 %s %02x 45 0d00 4101 2109 0b", operands[i], compare);
                check_format("%s %02x 0440 4101 2109 0b", operands[i], compare);
                check_format("%s %02x 45 0440 4101 2109 0b", operands[i], compare);
                check_format("%s %s %s %02x 1b %s", f->a, f->b, operands[i], compare, f->d);
            }
        }
    }
}

static void results_are_stored_late(void **state)
{
    (void)state;
    /* The first result waits while another operation stands between it and what overwrites it. */
    check("2006 2007 a0 2000 4105 6a 2b0003 a1 210b");
    check("2006 2007 a0 2000 2001 6a 280003 b7 a1 210b");
    check("2000 2001 6a 2003 2004 92 a8 6b 2109");
    check("2000 2001 6a 2002 2000 71 6b 2109");
    check("2000 2001 6a 2006 2007 63 6b 2109");
    check("2006 2007 a2 2000 b7 a0 210b");
    check("2000 2001 6c 2003 fc00 6b 2109");
    /* Operations that want slots. */
    check("2000 2001 6a 4107 6e 2109");
    check("2000 2001 6a 2002 2001 71 78 4107 77 2109");
    check("2006 2007 a0 2008 a4 210b");
    check("2006 2007 a2 aa 2109");
    /* One that traps was moved by a unit. */
    check("2006 2007 a0 2000 280003 b7 a1 210b");
    check("2000 2001 6a 2006 2007 a0 aa 6b 2109");
}

static void every_fused_operation_was_seen(void **state)
{
    (void)state;
    static const struct {
        unsigned code;
        const char *name;
    } fused[] = {
#define SEEN(code) {ALC_CODE_##code, #code},
#define INDEXED(i, type)                                                                           \
    SEEN(i##_SS)                                                                                   \
    SEEN(i##_SSD)                                                                                  \
    SEEN(i##_SI)                                                                                   \
    SEEN(i##_SID) SEEN(i##_AS) SEEN(i##_ASD) SEEN(i##_XS) SEEN(i##_XSD) SEEN(i##_XI) SEEN(i##_XID)
#define FINDEXED(i, type) INDEXED(i, type)
#define ABSOLUTE(i, type) SEEN(i##_I) SEEN(i##_ID)
#define FPAIR(i, first, second) SEEN(i##_AS) SEEN(i##_ASD) SEEN(i##_SS) SEEN(i##_SSD)
#define CHOOSE(i) SEEN(i##_SELECT_SS) SEEN(i##_SELECT_SI) SEEN(i##_SELECT_AS) SEEN(i##_SELECT_AI)
#define STEP(i) SEEN(i##_STEP_S) SEEN(i##_STEP_I) SEEN(i##_PAIR_S) SEEN(i##_PAIR_I)
#define FCBIN(i) SEEN(i##_SI) SEEN(i##_SID) SEEN(i##_AI) SEEN(i##_AID)
#define FORDER(i, swapped)                                                                         \
    SEEN(i##_BR_SS)                                                                                \
    SEEN(i##_BR_AS) SEEN(i##_BR_SA) SEEN(i##_UNLESS_SS) SEEN(i##_UNLESS_AS) SEEN(i##_UNLESS_SA)
#include "wasm/code_families.h"
        SEEN(I32_ADD_XS) SEEN(I32_ADD_XSD) SEEN(I32_ADD_XI) SEEN(I32_ADD_XID) SEEN(I32_ADD_PAIR)
            SEEN(STORE32_IS) SEEN(STORE32_IA) SEEN(BR_TABLE_AI) SEEN(I32_ADD_BR) SEEN(COPY_BR)
                SEEN(COPY_PAIR)};
    unsigned missing = 0;
    for (unsigned i = 0; i < sizeof fused / sizeof *fused; i++) {
        if (!covered[fused[i].code]) {
            print_error("no pattern has %s\n", fused[i].name);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_loaded_from),
        cmocka_unit_test(known_addresses),
        cmocka_unit_test(increments_and_ends_of_loops),
        cmocka_unit_test(copies_and_selects),
        cmocka_unit_test(floating_constants_and_pairs),
        cmocka_unit_test(floating_branches),
        cmocka_unit_test(results_are_stored_late),
        cmocka_unit_test(every_fused_operation_was_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
