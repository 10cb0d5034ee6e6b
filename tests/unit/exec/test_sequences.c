/* SPDX-License-Identifier: Apache-2.0
 *
 * Every sequence of wasm/code_sequences.def against its operations one by one: the same units, the
 * same frame, accumulators and memory, once through the handler of the sequence and once through
 * those of its operations. All that they leave must agree: state, frame, memory, and where and why
 * they stopped. And every row must be what emission chooses for its operations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exec/interp_state.h"
#include "wasm/emit_sequences.h"

#if ALC_CODE_SEQUENCES

enum {
    SLOTS = 7, /* that operands name; the next one is the link */
    FRAME_SLOTS = 3 * SLOTS,
    MEMORY_SIZE = 1 << 19,
    MARGIN = 16,          /* before the memory: made-up accesses may end before their size */
    CODE_UNITS = 1 << 21, /* as far as branches with small units go */
    OPERATIONS_MAX = ALC_SEQUENCE_MAX,
    ROUNDS = 200,
};

static const char *const names[] = {
#define ENTRY(name) #name,
#include "exec/interp_table.h"
};

static const struct row {
    uint16_t codes[OPERATIONS_MAX];
    unsigned count;
} rows[] = {
#define TWO(a, b) {{ALC_CODE_##a, ALC_CODE_##b}, 2},
#define THREE(a, b, c) {{ALC_CODE_##a, ALC_CODE_##b, ALC_CODE_##c}, 3},
#include "wasm/code_sequences.def"
};

/* -- where operations end: a table of handlers that has only this one -- */

/* What a run leaves. */
struct outcome {
    alc_status status;
    bool has_landed; /* else it stopped */
    const uint16_t *ip;
    ptrdiff_t fp; /* from the first slot */
    uint64_t acc;
    uint64_t facc;
    uint64_t frame[FRAME_SLOTS];
};

static struct outcome *landing;

static HANDLER_ABI alc_status land(STATE)
{
    landing->has_landed = true;
    landing->ip = ip;
    landing->fp = fp - landing->frame;
    landing->acc = acc;
    landing->facc = bits_of_acc(facc);
    return ALC_OK;
}

static interp_handler *handler_of(uint32_t code)
{
    return (interp_handler *)((uintptr_t)alc_interp_handlers +
                              (uintptr_t)(intptr_t)alc_interp_handlers[code]);
}

/* -- the machine -- */

/* Zero units dispatch to land. */
static uint16_t code_units[CODE_UNITS];
static uint8_t memories[3][MEMORY_SIZE]; /* of both ways, and for what does not count */
static const uint16_t elsewhere[4];      /* where calls and returns go: behind its first unit */
static struct alc_code callee = {.units = elsewhere + 1};
static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t next_value(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     7,
                                     31,
                                     UINT32_MAX,
                                     UINT64_MAX,
                                     INT32_MAX,
                                     0x80000000,
                                     INT64_MAX,
                                     0x3ff8000000000000,
                                     0xc00a000000000000,
                                     0x3fc00000,
                                     0x8000000000000000};
    uint64_t random = next_random();
    switch (random >> 61) {
    case 0:
    case 1:
        return edges[random % ALC_ARRAY_COUNT(edges)];
    case 2:
        return random;
    case 3:
        return random % 50;
    default:
        return random % (MEMORY_SIZE + MEMORY_SIZE / 8); /* mostly an address */
    }
}

static void run(const struct outcome *start, interp_handler *handler, uint8_t *memory,
                struct outcome *out)
{
    struct alc_global cells[SLOTS];
    struct alc_global *globals[SLOTS];
    struct alc_instance instance = {.globals = globals};
    *out = *start;
    for (unsigned i = 0; i < SLOTS; i++) {
        globals[i] = &cells[i];
        cells[i].value.u64 = i * start->acc;
    }
    landing = out;
    uint64_t *fp = out->frame + SLOTS;
    struct interp_run activation = {.stack_limit = fp + 5};
    out->status =
        handler(&instance, MEMORY_SIZE - MARGIN, memory + MARGIN, (uintptr_t)land, code_units, fp,
                start->acc, SCRATCH, &activation, acc_of_bits(start->facc));
    if (!out->has_landed) {
        out->ip = activation.trap_ip != NULL ? activation.trap_ip : activation.trap_return;
        out->fp = activation.trap_fp - out->frame;
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        out->acc ^= cells[i].value.u64 << i;
    }
}

/* -- operations in the code -- */

/* How many units the operation has, by running it on zeros. */
static unsigned length_of(uint32_t code)
{
    if (strncmp(names[code], "RETURN", 6) == 0) {
        const bool has_value = strcmp(names[code], "RETURN") != 0;
        return has_value ? (code == ALC_CODE_RETURN_I ? 5 : 4) : 3;
    }
    if (code == ALC_CODE_CALL) {
        return 7;
    }
    struct outcome start = {0};
    struct outcome end;
    run(&start, handler_of(code), memories[2], &end);
    if (!end.has_landed) { /* it divides */
        start.frame[SLOTS] = start.frame[SLOTS + 1] = code_units[3] = 1;
        run(&start, handler_of(code), memories[2], &end);
    }
    code_units[3] = 0;
    assert_true(end.has_landed);
    return (unsigned)(end.ip - code_units);
}

static bool is_branch(uint32_t code)
{
    static const char *const parts[] = {"BR", "UNLESS", "STEP_", "PAIR_"};
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(parts); i++) {
        if (strstr(names[code], parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static unsigned put_operation(uint16_t *units, uint32_t code, unsigned length)
{
    int32_t distance = (int32_t)((intptr_t)handler_of(code) - (intptr_t)land);
    memcpy(units, &distance, sizeof distance);
    for (unsigned i = 2; i < length; i++) {
        units[i] = (uint16_t)(next_random() % SLOTS);
    }
    if (strncmp(names[code], "GLOBAL", 6) == 0) {
        units[3] = 0;
    } else if (strncmp(names[code], "RETURN", 6) == 0) {
        units[length - 1] = SLOTS;
    } else if (code == ALC_CODE_CALL) {
        const struct alc_code *address = &callee;
        memcpy(units + 2, &address, sizeof address);
    } else if (code == ALC_CODE_ENTER_ZERO && units[4] > units[3]) {
        units[4] = units[3];
    } else if (is_branch(code)) {
        units[length - 1] = 1; /* not into the sequence */
    }
    return length;
}

static bool is_nan(uint64_t bits)
{
    double value;
    float half;
    memcpy(&value, &bits, sizeof value);
    memcpy(&half, &bits, sizeof half);
    return value != value || half != half;
}

/* Whether NaNs of different bits may meet in an operation: which of them the result is, and so what
 * is made of its bits afterwards, is open. */
static bool may_meet(const struct row *row, const struct outcome *start)
{
    bool is_floating = false;
    for (unsigned i = 0; i < row->count; i++) {
        is_floating = is_floating || strstr(names[row->codes[i]], "F64_") != NULL ||
                      strstr(names[row->codes[i]], "F32_") != NULL;
    }
    uint64_t first = is_nan(start->facc) ? start->facc : 0;
    bool are_different = false;
    for (unsigned i = 0; i < FRAME_SLOTS; i++) {
        if (is_nan(start->frame[i])) {
            are_different = are_different || (first != 0 && first != start->frame[i]);
            first = start->frame[i];
        }
    }
    return is_floating && are_different;
}

/* NaNs are equal: which operand's bits one has is open. */
static bool agree(const struct outcome *a, const struct outcome *b)
{
    bool same = a->status == b->status && a->has_landed == b->has_landed && a->ip == b->ip &&
                a->fp == b->fp && a->acc == b->acc &&
                (a->facc == b->facc || (is_nan(a->facc) && is_nan(b->facc)));
    for (unsigned i = 0; i < FRAME_SLOTS; i++) {
        same = same && (a->frame[i] == b->frame[i] || (is_nan(a->frame[i]) && is_nan(b->frame[i])));
    }
    return same;
}

/* Whether the byte belongs to what is a NaN in both memories. */
static bool is_in_nan(unsigned byte)
{
    for (unsigned start = byte < 7 ? 0 : byte - 7; start <= byte && start + 8 <= MEMORY_SIZE;
         start++) {
        uint64_t values[2];
        memcpy(&values[0], &memories[0][start], sizeof values[0]);
        memcpy(&values[1], &memories[1][start], sizeof values[1]);
        if (is_nan(values[0]) && is_nan(values[1])) {
            return true;
        }
    }
    return false;
}

/* And makes them the same. */
static bool memories_agree(void)
{
    bool same = memcmp(memories[0], memories[1], MEMORY_SIZE) == 0;
    for (unsigned i = 0; !same && i < MEMORY_SIZE; i++) {
        if (memories[0][i] != memories[1][i] && !is_in_nan(i)) {
            return false;
        }
    }
    memcpy(memories[1], memories[0], MEMORY_SIZE);
    return true;
}

static void check_row(const struct row *row, uint32_t sequence)
{
    unsigned lengths[OPERATIONS_MAX];
    for (unsigned i = 0; i < row->count; i++) {
        lengths[i] = length_of(row->codes[i]);
    }
    unsigned end = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct outcome start = {.acc = next_value(), .facc = next_value()};
        struct outcome joined;
        struct outcome apart;
        end = 0;
        for (unsigned i = 0; i < row->count; i++) {
            end += put_operation(code_units + end, row->codes[i], lengths[i]);
        }
        for (unsigned i = 0; i < FRAME_SLOTS; i++) {
            start.frame[i] = next_value();
        }
        start.frame[2 * SLOTS] = (uintptr_t)(elsewhere + 1);
        run(&start, handler_of(sequence), memories[0], &joined);
        run(&start, handler_of(row->codes[0]), memories[1], &apart);
        if (!agree(&joined, &apart) && !may_meet(row, &start)) {
            fail_msg("%s differs in round %u", names[sequence], round);
        }
    }
    memset(code_units, 0, end * sizeof *code_units);
    if (!memories_agree()) {
        fail_msg("%s stores something else", names[sequence]);
    }
}

static void sequences_do_what_their_operations_do(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMORY_SIZE; i++) {
        memories[0][i] = memories[1][i] = (uint8_t)(i * 37 + 11 + (i >> 8));
    }
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        check_row(&rows[i], ALC_CODE_SINGLE_COUNT + i);
    }
}

static void each_row_is_chosen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        struct alc_sequence_window window = ALC_SEQUENCE_END;
        uint32_t chosen = 0;
        for (unsigned j = rows[i].count; j > 0; j--) {
            chosen = alc_sequence_choose(&window, rows[i].codes[j - 1]);
        }
        assert_string_equal(names[chosen], names[ALC_CODE_SINGLE_COUNT + i]);
    }
}

static void the_fewest_jumps_are_chosen(void **state)
{
    (void)state;
    /* What no row ends or begins with stays by itself. */
    struct alc_sequence_window window = ALC_SEQUENCE_END;
    assert_int_equal(alc_sequence_choose(&window, ALC_CODE_UNREACHABLE), ALC_CODE_UNREACHABLE);
    assert_int_equal(window.costs[0], 1);
    assert_int_equal(alc_sequence_choose(&window, ALC_CODE_MEMORY_SIZE), ALC_CODE_MEMORY_SIZE);
    assert_int_equal(window.costs[0], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_do_what_their_operations_do),
        cmocka_unit_test(each_row_is_chosen),
        cmocka_unit_test(the_fewest_jumps_are_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void there_are_no_sequences(void **state)
{
    (void)state;
    assert_int_equal(ALC_CODE_COUNT, ALC_CODE_SINGLE_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_are_no_sequences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
