/* SPDX-License-Identifier: Apache-2.0
 *
 * Emission of numeric operations: chooses the form by where the operands are, and leaves results in
 * an accumulator. Trusts the validator.
 */
#include "wasm/emit.h"
#include "wasm/validate_internal.h"

enum family {
    OTHER,
    CBINARY,
    NBINARY,
    DIVIDE,
    ROTATION,
    COMPARE,
    UNARY,
    UNARY_RARE,
    FCBINARY,
    FBINARY,
    FRARELY,
    FCOMPARE,
    FSWAPPED, /* the handlers of the comparison with operands exchanged */
    FUNARY,
    TO_INT,
    TO_FLOAT
};

struct operation {
    uint16_t code; /* first form */
    uint8_t family;
};

/* Numeric instructions stand in two runs of ops.def. */
#define OPERATION_INDEX(op)                                                                        \
    ((op) <= ALC_OP_I64_EXTEND32_S                                                                 \
         ? (op) - ALC_OP_I32_EQZ                                                                   \
         : (op) - ALC_OP_I32_TRUNC_SAT_F32_S + (ALC_OP_I64_EXTEND32_S - ALC_OP_I32_EQZ + 1))
enum { OPERATIONS_COUNT = OPERATION_INDEX(ALC_OP_I64_TRUNC_SAT_F64_U) + 1 };

/* clang-format off */
static const struct operation operations[OPERATIONS_COUNT] = {
#define CBIN(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, CBINARY},
#define NBIN(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, NBINARY},
#define DIVISION(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, DIVIDE},
#define ROTATE(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, ROTATION},
#define ICMP(i, swapped, inverse) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, COMPARE},
#define UNRARE(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_S, UNARY_RARE},
#define UN(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_S, UNARY},
#define FCBIN(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, FCBINARY},
#define FBIN(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, FBINARY},
#define FORDER(i, swapped) \
    [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, FCOMPARE}, \
    [OPERATION_INDEX(ALC_OP_##swapped)] = {ALC_CODE_##i##_SS, FSWAPPED},
#define FRARE(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, FRARELY},
#define FCMP(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_SS, FCOMPARE},
#define FUN(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_S, FUNARY},
#define FI(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_A, TO_INT},
#define IF(i) [OPERATION_INDEX(ALC_OP_##i)] = {ALC_CODE_##i##_S, TO_FLOAT},
#include "wasm/code_families.h"
};

/* Comparisons in the order of their rows: eight code numbers each, from I32_EQ_SS on. */
enum { COMPARE_FORMS = 8, COMPARE_BRANCH = 4 };
static const struct {
    uint16_t swapped;
    uint16_t inverse;
} comparisons[] = {
#define ICMP(i, swapped, inverse) {ALC_CODE_##swapped##_SS, ALC_CODE_##inverse##_SS},
#include "wasm/code_families.h"
};
/* clang-format on */

uint32_t alc_emit_inverse_compare(uint32_t code)
{
    uint32_t distance = code - ALC_CODE_I32_EQ_SS;
    return comparisons[distance / COMPARE_FORMS].inverse + distance % COMPARE_FORMS;
}

bool alc_emit_is_order(uint32_t code)
{
    static const uint16_t first_forms[] = {
#define FORDER(i, swapped) ALC_CODE_##i##_SS,
#include "wasm/code_families.h"
    };
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(first_forms); i++) {
        if (code - first_forms[i] < 3) {
            return true;
        }
    }
    return false;
}

/* Where an operand of class `class` can be read from. */
enum source { FROM_SLOT, FROM_ACC, FROM_CONSTANT };

static enum source source_of(const struct alc_validator *v, const struct alc_value *value,
                             unsigned class)
{
    const struct alc_emitter *e = &v->emitter;
    switch ((enum alc_place)value->place) {
    case ALC_PLACE_ACC:
        return (value->type == ALC_TYPE_F32 || value->type == ALC_TYPE_F64) == (class != 0)
                   ? FROM_ACC
                   : FROM_SLOT;
    case ALC_PLACE_LOCAL:
        return e->acc_slot[class] == value->payload ? FROM_ACC : FROM_SLOT;
    case ALC_PLACE_SLOT:
        return e->acc_slot[class] == value->slot ? FROM_ACC : FROM_SLOT;
    case ALC_PLACE_CONSTANT:
        break;
    }
    bool fits = (int64_t)value->payload == (int32_t)value->payload;
    return fits && class == 0 ? FROM_CONSTANT : FROM_SLOT;
}

bool alc_emit_is_in_acc(const struct alc_validator *v, const struct alc_value *value,
                        unsigned class)
{
    return source_of(v, value, class) == FROM_ACC;
}

/* Emits the operands of an integer operation and the form's number among SS SI AS AI SA. */
struct binary {
    struct alc_value *a;
    struct alc_value *b;
    enum source from_a;
    enum source from_b;
};

static bool choose_binary(struct alc_validator *v, struct binary *binary, bool may_swap)
{
    binary->from_a = source_of(v, binary->a, 0);
    binary->from_b = source_of(v, binary->b, 0);
    bool swap = may_swap && (binary->from_a == FROM_CONSTANT
                                 ? binary->from_b != FROM_CONSTANT
                                 : binary->from_b == FROM_ACC && binary->from_a != FROM_ACC);
    if (swap) {
        struct binary old = *binary;
        *binary = (struct binary){old.b, old.a, old.from_b, old.from_a};
    }
    if (binary->from_a == FROM_CONSTANT) {
        binary->from_a = FROM_SLOT;
    }
    if (binary->from_a == FROM_ACC && binary->from_b == FROM_ACC) {
        binary->from_b = FROM_SLOT; /* both are copies of one slot */
    }
    return swap;
}

/* Form of SS SI AS AI SA. */
static unsigned form_of(const struct binary *binary)
{
    if (binary->from_b == FROM_ACC) {
        return 4;
    }
    return (binary->from_a == FROM_ACC ? 2u : 0u) + (binary->from_b == FROM_CONSTANT ? 1u : 0u);
}

static void emit_binary(struct alc_validator *v, const struct binary *binary, uint32_t code)
{
    uint32_t slot_a = 0;
    uint32_t slot_b = 0;
    if (binary->from_a == FROM_SLOT) {
        slot_a = alc_emit_slot_of(v, binary->a);
    }
    if (binary->from_b == FROM_SLOT) {
        slot_b = alc_emit_slot_of(v, binary->b);
    }
    alc_emit_free_acc(v, 0);
    bool to_slot = code == ALC_CODE_I32_ADD_AS;
    if ((to_slot || code == ALC_CODE_I32_ADD_AI) && alc_emit_is_last(v, ALC_CODE_I32_SHL_SI)) {
        /* slot and constant become slot, count, and what is added */
        struct alc_emitter *e = &v->emitter;
        alc_emit_refit(v, e->last_unit, to_slot ? ALC_CODE_I32_ADD_XS : ALC_CODE_I32_ADD_XI,
                       e->count, e->count - 1);
        if (to_slot) {
            alc_emit_u16(v, slot_b);
        } else {
            alc_emit_u32(v, (uint32_t)binary->b->payload);
        }
        return;
    }
    alc_emit_op(v, (enum alc_code_op)code);
    if (binary->from_a == FROM_SLOT) {
        alc_emit_u16(v, slot_a);
    }
    if (binary->from_b == FROM_SLOT) {
        alc_emit_u16(v, slot_b);
    } else if (binary->from_b == FROM_CONSTANT) {
        alc_emit_u32(v, (uint32_t)binary->b->payload);
    }
}

/* Operations with few handlers: operands in slots, the second may be a constant where a form SI
 * follows the form SS. */
static void emit_from_slots(struct alc_validator *v, uint32_t code, struct alc_value *operands,
                            unsigned count, unsigned class, bool has_constant)
{
    struct alc_value *last = &operands[count - 1];
    bool is_constant = has_constant && source_of(v, last, 0) == FROM_CONSTANT;
    uint32_t slots[2] = {0};
    for (unsigned i = 0; i < count - is_constant; i++) {
        slots[i] = alc_emit_slot_of(v, &operands[i]);
    }
    alc_emit_free_acc(v, class);
    alc_emit_op(v, (enum alc_code_op)(code + is_constant));
    for (unsigned i = 0; i < count - is_constant; i++) {
        alc_emit_u16(v, slots[i]);
    }
    if (is_constant) {
        alc_emit_u32(v, (uint32_t)last->payload);
    }
    alc_emit_mark_result(v, class, ALC_LAST_OTHER);
}

static void emit_integer(struct alc_validator *v, struct operation operation,
                         struct alc_value *operands)
{
    struct binary binary = {.a = &operands[0], .b = &operands[1]};
    if (operation.family != COMPARE) {
        (void)choose_binary(v, &binary, operation.family == CBINARY);
        emit_binary(v, &binary, operation.code + form_of(&binary) * 2u);
        alc_emit_mark_result(v, 0, ALC_LAST_RESULT);
        return;
    }
    uint32_t code = operation.code;
    if (choose_binary(v, &binary, true)) {
        code = comparisons[(code - ALC_CODE_I32_EQ_SS) / COMPARE_FORMS].swapped;
    }
    emit_binary(v, &binary, code + form_of(&binary));
    alc_emit_mark_result(v, 0, ALC_LAST_COMPARE);
}

/* A rotation to the right by a constant is one to the left. */
static void emit_rotate(struct alc_validator *v, enum alc_op op, struct operation operation,
                        struct alc_value *operands)
{
    if (operands[1].place != ALC_PLACE_CONSTANT) {
        emit_from_slots(v, operation.code, operands, 2, 0, false);
        return;
    }
    bool is_32 = op == ALC_OP_I32_ROTR;
    operands[1].payload = (0 - operands[1].payload) & (is_32 ? 31 : 63);
    emit_integer(v,
                 (struct operation){is_32 ? ALC_CODE_I32_ROTL_SS : ALC_CODE_I64_ROTL_SS, NBINARY},
                 operands);
}

/* A constant of class 1 goes to its accumulator when that is free for it. */
static void load_constant(struct alc_validator *v, struct alc_value *value)
{
    alc_emit_free_acc(v, 1);
    alc_emit_op(v, ALC_CODE_CONST_F);
    alc_emit_u64(v, value->payload);
    alc_emit_mark_result(v, 1, ALC_LAST_OTHER);
    value->place = ALC_PLACE_ACC;
}

/* The operation on a slot and what the last operation made, fused with it; false when there is no
 * handler for both. */
static bool emit_pair(struct alc_validator *v, uint32_t second_code, uint32_t slot)
{
    static const struct {
        uint16_t first;
        uint16_t second;
        uint16_t code;
    } rows[] = {
#define FPAIR(i, first, second)                                                                    \
    {ALC_CODE_##first##_AS, ALC_CODE_##second##_SS, ALC_CODE_##i##_AS},                            \
        {ALC_CODE_##first##_SS, ALC_CODE_##second##_SS, ALC_CODE_##i##_SS},
#include "wasm/code_families.h"
    };
    struct alc_emitter *e = &v->emitter;
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (rows[i].second == second_code && alc_emit_is_last(v, (enum alc_code_op)rows[i].first)) {
            alc_emit_refit(v, e->last_unit, (enum alc_code_op)rows[i].code, e->count, e->count);
            alc_emit_u16(v, slot);
            alc_emit_mark_result(v, 1, ALC_LAST_RESULT);
            return true;
        }
    }
    return false;
}

/* Forms of FCBIN: SS SI AS AI. The constant or the accumulator come second and first. */
static void emit_commutative(struct alc_validator *v, struct operation operation,
                             struct alc_value *a, struct alc_value *b)
{
    bool a_in_acc = source_of(v, a, 1) == FROM_ACC;
    if (!a_in_acc && (source_of(v, b, 1) == FROM_ACC ||
                      (a->place == ALC_PLACE_CONSTANT && b->place != ALC_PLACE_CONSTANT))) {
        struct alc_value *old = a;
        a = b;
        b = old;
        a_in_acc = source_of(v, a, 1) == FROM_ACC;
    }
    bool is_constant = b->place == ALC_PLACE_CONSTANT;
    uint32_t slot_a = a_in_acc ? 0 : alc_emit_slot_of(v, a);
    uint32_t slot_b = is_constant ? 0 : alc_emit_slot_of(v, b);
    alc_emit_free_acc(v, 1);
    if (a->place == ALC_PLACE_ACC && !is_constant && emit_pair(v, operation.code, slot_b)) {
        return;
    }
    unsigned form = (a_in_acc ? 4u : 0u) + (is_constant ? 2u : 0u);
    alc_emit_op(v, (enum alc_code_op)(operation.code + form));
    if (!a_in_acc) {
        alc_emit_u16(v, slot_a);
    }
    if (is_constant) {
        alc_emit_u64(v, b->payload);
    } else {
        alc_emit_u16(v, slot_b);
    }
    alc_emit_mark_result(v, 1, ALC_LAST_RESULT);
}

static void emit_floating(struct alc_validator *v, struct operation operation, struct alc_value *a,
                          struct alc_value *b)
{
    enum source from_a = source_of(v, a, 1);
    enum source from_b = source_of(v, b, 1);
    if (b->place == ALC_PLACE_CONSTANT && from_a == FROM_SLOT && a->place != ALC_PLACE_CONSTANT) {
        load_constant(v, b);
        from_b = FROM_ACC;
    } else if (a->place == ALC_PLACE_CONSTANT && from_b == FROM_SLOT &&
               b->place != ALC_PLACE_CONSTANT) {
        load_constant(v, a);
        from_a = FROM_ACC;
    }
    from_b = from_a == FROM_ACC ? FROM_SLOT : from_b;
    uint32_t slot_a = from_a == FROM_ACC ? 0 : alc_emit_slot_of(v, a);
    uint32_t slot_b = from_b == FROM_ACC ? 0 : alc_emit_slot_of(v, b);
    bool is_binary = operation.family == FBINARY;
    bool is_compare = operation.family == FCOMPARE || operation.family == FSWAPPED;
    unsigned form = from_a == FROM_ACC ? (is_binary ? 4 : 1) : from_b == FROM_ACC ? 2 : 0;
    alc_emit_free_acc(v, is_compare ? 0 : 1);
    if (is_binary && b->place == ALC_PLACE_ACC && from_b == FROM_ACC &&
        emit_pair(v, operation.code, slot_a)) {
        return;
    }
    alc_emit_op(v, (enum alc_code_op)(operation.code + form));
    if (from_a != FROM_ACC) {
        alc_emit_u16(v, slot_a);
    }
    if (from_b != FROM_ACC) {
        alc_emit_u16(v, slot_b);
    }
    alc_emit_mark_result(v, is_compare ? 0 : 1,
                         is_binary                           ? ALC_LAST_RESULT
                         : alc_emit_is_order(operation.code) ? ALC_LAST_ORDER
                                                             : ALC_LAST_OTHER);
}

/* Conversions take the accumulator only, where what is converted mostly is. */
static void emit_to_integer(struct alc_validator *v, struct operation operation,
                            struct alc_value *a)
{
    if (source_of(v, a, 1) != FROM_ACC) {
        uint32_t slot = alc_emit_slot_of(v, a);
        alc_emit_free_acc(v, 1);
        alc_emit_op(v, ALC_CODE_FETCH_F);
        alc_emit_u16(v, slot);
        alc_emit_mark_result(v, 1, ALC_LAST_OTHER);
    }
    alc_emit_free_acc(v, 0);
    alc_emit_op(v, (enum alc_code_op)operation.code);
    alc_emit_mark_result(v, 0, ALC_LAST_OTHER);
}

static void emit_unary(struct alc_validator *v, struct operation operation, struct alc_value *a)
{
    unsigned from_class = operation.family == FUNARY ? 1 : 0;
    unsigned to_class = operation.family == FUNARY || operation.family == TO_FLOAT ? 1 : 0;
    bool in_acc = source_of(v, a, from_class) == FROM_ACC;
    uint32_t slot = in_acc ? 0 : alc_emit_slot_of(v, a);
    alc_emit_free_acc(v, to_class);
    bool has_slot_forms = operation.family == UNARY;
    alc_emit_op(v, (enum alc_code_op)(operation.code + (in_acc ? (has_slot_forms ? 2u : 1u) : 0u)));
    if (!in_acc) {
        alc_emit_u16(v, slot);
    }
    alc_emit_mark_result(v, to_class, has_slot_forms ? ALC_LAST_RESULT : ALC_LAST_OTHER);
}

/* i32.eqz of a comparison that is still the last operation: the opposite comparison. */
static bool invert_last(struct alc_validator *v, const struct alc_value *a)
{
    struct alc_emitter *e = &v->emitter;
    if (a->place != ALC_PLACE_ACC || e->last_end != e->count || e->last_kind != ALC_LAST_COMPARE) {
        return false;
    }
    e->last_code = alc_emit_inverse_compare(e->last_code);
    alc_emit_set_code(e, e->last_unit, e->last_code);
    return true;
}

/* Instructions that change nothing but the type: slots hold bits. */
static alc_status emit_retyped(struct alc_validator *v, enum alc_op op, struct alc_value *a,
                               uint32_t type)
{
    if (op != ALC_OP_I32_WRAP_I64 && a->place == ALC_PLACE_ACC) {
        alc_emit_settle(v, a); /* the other class */
    }
    if (op == ALC_OP_I32_WRAP_I64 && a->place == ALC_PLACE_CONSTANT) {
        a->payload = (uint64_t)(int64_t)(int32_t)a->payload;
    }
    if (a->place == ALC_PLACE_ACC) {
        v->emitter.acc_entry[0] = v->height;
    }
    return alc_push(v, type, (enum alc_place)a->place, a->payload);
}

alc_status alc_emit_numeric(struct alc_validator *v, enum alc_op op, struct alc_value *operands,
                            uint32_t type)
{
    ALC_ASSERT(op >= ALC_OP_I32_EQZ && op <= ALC_OP_I64_TRUNC_SAT_F64_U);
    struct operation operation = operations[OPERATION_INDEX(op)];
    switch ((enum family)operation.family) {
    case CBINARY:
    case NBINARY:
    case COMPARE:
        emit_integer(v, operation, operands);
        break;
    case DIVIDE:
        emit_from_slots(v, operation.code, operands, 2, 0, true);
        break;
    case ROTATION:
        emit_rotate(v, op, operation, operands);
        break;
    case FRARELY:
        emit_from_slots(v, operation.code, operands, 2, 1, false);
        break;
    case TO_INT:
        emit_to_integer(v, operation, &operands[0]);
        break;
    case FCBINARY:
        emit_commutative(v, operation, &operands[0], &operands[1]);
        break;
    case FBINARY:
    case FCOMPARE:
        emit_floating(v, operation, &operands[0], &operands[1]);
        break;
    case FSWAPPED:
        emit_floating(v, operation, &operands[1], &operands[0]);
        break;
    case UNARY:
        if (op == ALC_OP_I32_EQZ && invert_last(v, &operands[0])) {
            break;
        }
        emit_unary(v, operation, &operands[0]);
        break;
    case UNARY_RARE:
    case FUNARY:
    case TO_FLOAT:
        emit_unary(v, operation, &operands[0]);
        break;
    case OTHER:
        return emit_retyped(v, op, &operands[0], type);
    }
    return alc_emit_push(v, type, ALC_PLACE_ACC);
}
