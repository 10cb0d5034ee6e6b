/* SPDX-License-Identifier: Apache-2.0
 *
 * Emission of loads and stores, vector operations, select, globals, and of the rare operations that
 * take their operands from their own slots. Trusts the validator.
 *
 * Memory 0 with 32-bit addresses is reached directly; for all else an ADDRESS operation checks the
 * access and leaves a pointer in the accumulator for the form P that follows at once.
 */
#include "wasm/emit.h"
#include "wasm/validate_internal.h"

/* First form of a load or store. */
static uint32_t access_code(enum alc_op op)
{
    static const struct {
        uint16_t op;
        uint16_t code;
    } rows[] = {
        {ALC_OP_I32_LOAD, ALC_CODE_LOAD32U_S},     {ALC_OP_I64_LOAD, ALC_CODE_LOAD64_S},
        {ALC_OP_F32_LOAD, ALC_CODE_LOADF32_S},     {ALC_OP_F64_LOAD, ALC_CODE_LOADF64_S},
        {ALC_OP_I32_LOAD8_S, ALC_CODE_LOAD8S_S},   {ALC_OP_I32_LOAD8_U, ALC_CODE_LOAD8U_S},
        {ALC_OP_I32_LOAD16_S, ALC_CODE_LOAD16S_S}, {ALC_OP_I32_LOAD16_U, ALC_CODE_LOAD16U_S},
        {ALC_OP_I64_LOAD8_S, ALC_CODE_LOAD8S_S},   {ALC_OP_I64_LOAD8_U, ALC_CODE_LOAD8U_S},
        {ALC_OP_I64_LOAD16_S, ALC_CODE_LOAD16S_S}, {ALC_OP_I64_LOAD16_U, ALC_CODE_LOAD16U_S},
        {ALC_OP_I64_LOAD32_S, ALC_CODE_LOAD32S_S}, {ALC_OP_I64_LOAD32_U, ALC_CODE_LOAD32U_S},
        {ALC_OP_I32_STORE, ALC_CODE_STORE32_SS},   {ALC_OP_I64_STORE, ALC_CODE_STORE64_SS},
        {ALC_OP_F32_STORE, ALC_CODE_STORE32_SS},   {ALC_OP_F64_STORE, ALC_CODE_STORE64_SS},
        {ALC_OP_I32_STORE8, ALC_CODE_STORE8_SS},   {ALC_OP_I32_STORE16, ALC_CODE_STORE16_SS},
        {ALC_OP_I64_STORE8, ALC_CODE_STORE8_SS},   {ALC_OP_I64_STORE16, ALC_CODE_STORE16_SS},
        {ALC_OP_I64_STORE32, ALC_CODE_STORE32_SS},
    };
    ALC_ASSERT(op >= ALC_OP_I32_LOAD && op <= ALC_OP_I64_STORE32);
    _Static_assert(ALC_OP_I64_STORE32 - ALC_OP_I32_LOAD + 1 == ALC_ARRAY_COUNT(rows),
                   "one row for each access, in order");
    ALC_DEBUG_ASSERT(rows[op - ALC_OP_I32_LOAD].op == op);
    return rows[op - ALC_OP_I32_LOAD].code;
}

/* A direct access says where it ends (offset and size, in 32 bits): its check is one sum. */
enum { ACCESS_MAX = 16 };

static bool is_direct(const struct alc_memory_argument *argument)
{
    return argument->memory_index == 0 && !argument->is_64 &&
           argument->offset <= UINT32_MAX - ACCESS_MAX;
}

static uint32_t size_of(enum alc_op op)
{
    return 1u << (alc_op_infos[op].immediate - ALC_IMM_MEM0);
}

/* Leaves a checked pointer in the integer accumulator. */
static void emit_address(struct alc_validator *v, const struct alc_memory_argument *argument,
                         struct alc_value *addr, uint32_t size)
{
    uint32_t slot = alc_emit_slot_of(v, addr);
    alc_emit_free_acc(v, 0);
    alc_emit_op(v, ALC_CODE_ADDRESS);
    alc_emit_u16(v, argument->memory_index);
    alc_emit_u16(v, size << 1 | argument->is_64);
    alc_emit_u64(v, argument->offset);
    alc_emit_u16(v, slot);
    alc_emit_mark_result(v, 0, ALC_LAST_OTHER);
}

/* The last operation is a sum that only this access wants: the code that adds and loads, or 0. */
static uint32_t indexed_code(const struct alc_validator *v, uint32_t code)
{
    static const struct {
        uint16_t load;
        uint16_t indexed;
    } rows[] = {
#define INDEXED(i, type) {ALC_CODE_##i##_S, ALC_CODE_##i##_SS},
#define FINDEXED(i, type) INDEXED(i, type)
#include "wasm/code_families.h"
    };
    static const uint16_t sums[] = {ALC_CODE_I32_ADD_SS, ALC_CODE_I32_ADD_SI, ALC_CODE_I32_ADD_AS,
                                    ALC_CODE_I32_ADD_XS, ALC_CODE_I32_ADD_XI};
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        for (unsigned j = 0; rows[i].load == code && j < ALC_ARRAY_COUNT(sums); j++) {
            if (alc_emit_is_last(v, (enum alc_code_op)sums[j])) {
                return rows[i].indexed + 2 * j;
            }
        }
    }
    return 0;
}

/* Whether the access is to one address that is known; stores its end in *out. */
static bool is_absolute(enum alc_op op, const struct alc_memory_argument *argument,
                        const struct alc_value *addr, uint32_t *out)
{
    uint64_t sum = (uint64_t)(uint32_t)addr->payload + argument->offset + size_of(op);
    *out = (uint32_t)sum;
    return addr->place == ALC_PLACE_CONSTANT && sum <= UINT32_MAX;
}

/* Code of a load from such an address, or 0. */
static uint32_t absolute_code(uint32_t code)
{
    return code == ALC_CODE_LOAD32U_S  ? ALC_CODE_LOAD32U_I
           : code == ALC_CODE_LOAD8U_S ? ALC_CODE_LOAD8U_I
                                       : 0;
}

static alc_status emit_load(struct alc_validator *v, enum alc_op op,
                            const struct alc_memory_argument *argument, struct alc_value *addr,
                            uint32_t type)
{
    uint32_t code = access_code(op);
    unsigned class = type == ALC_TYPE_F32 || type == ALC_TYPE_F64;
    uint32_t absolute;
    if (absolute_code(code) != 0 && is_absolute(op, argument, addr, &absolute)) {
        alc_emit_free_acc(v, class);
        alc_emit_op(v, (enum alc_code_op)absolute_code(code));
        alc_emit_u32(v, absolute);
        alc_emit_mark_result(v, class, ALC_LAST_RESULT);
        return alc_emit_push(v, type, ALC_PLACE_ACC);
    }
    bool from_acc = alc_emit_is_in_acc(v, addr, 0);
    uint32_t slot = from_acc ? 0 : alc_emit_slot_of(v, addr);
    alc_emit_free_acc(v, class);
    uint32_t indexed = addr->place == ALC_PLACE_ACC ? indexed_code(v, code) : 0;
    if (indexed != 0) {
        struct alc_emitter *e = &v->emitter;
        alc_emit_refit(v, e->last_unit, (enum alc_code_op)indexed, e->count, e->count);
    } else {
        alc_emit_op(v, (enum alc_code_op)(code + (from_acc ? 2 : 0)));
        if (!from_acc) {
            alc_emit_u16(v, slot);
        }
    }
    alc_emit_u32(v, (uint32_t)argument->offset + size_of(op));
    alc_emit_mark_result(v, class, ALC_LAST_RESULT);
    return alc_emit_push(v, type, ALC_PLACE_ACC);
}

/* Stores 32 bits to an address that is known. */
static void emit_absolute_store(struct alc_validator *v, uint32_t absolute, struct alc_value *value)
{
    bool in_acc = alc_emit_is_in_acc(v, value, 0);
    uint32_t slot = in_acc ? 0 : alc_emit_slot_of(v, value);
    alc_emit_op(v, in_acc ? ALC_CODE_STORE32_IA : ALC_CODE_STORE32_IS);
    if (!in_acc) {
        alc_emit_u16(v, slot);
    }
    alc_emit_u32(v, absolute);
}

static void emit_store(struct alc_validator *v, enum alc_op op,
                       const struct alc_memory_argument *argument, struct alc_value *addr,
                       struct alc_value *value)
{
    uint32_t code = access_code(op);
    uint32_t absolute;
    if (op == ALC_OP_I32_STORE && is_absolute(op, argument, addr, &absolute)) {
        emit_absolute_store(v, absolute, value);
        return;
    }
    bool addr_in_acc = alc_emit_is_in_acc(v, addr, 0);
    bool value_in_acc = !addr_in_acc && alc_emit_is_in_acc(v, value, 0);
    bool is_float = op == ALC_OP_F32_STORE || op == ALC_OP_F64_STORE;
    uint32_t value_slot = 0;
    unsigned form = addr_in_acc ? 3 : 0; /* SS SA SI AS AI */
    uint32_t addr_slot = addr_in_acc ? 0 : alc_emit_slot_of(v, addr);
    bool has_immediate =
        value->place == ALC_PLACE_CONSTANT && (int64_t)value->payload == (int32_t)value->payload;
    if (is_float && alc_emit_is_in_acc(v, value, 1)) {
        code = op == ALC_OP_F32_STORE ? ALC_CODE_STOREF32_SA : ALC_CODE_STOREF64_SA;
        form = addr_in_acc ? 1 : 0;
        value_in_acc = true;
        has_immediate = false;
    } else if (has_immediate) {
        form += addr_in_acc ? 1 : 2;
    } else if (value_in_acc) {
        form = 1;
    } else {
        value_slot = alc_emit_slot_of(v, value);
    }
    alc_emit_op(v, (enum alc_code_op)(code + form));
    if (!addr_in_acc) {
        alc_emit_u16(v, addr_slot);
    }
    if (has_immediate) {
        alc_emit_u32(v, (uint32_t)value->payload);
    } else if (!value_in_acc) {
        alc_emit_u16(v, value_slot);
    }
    alc_emit_u32(v, (uint32_t)argument->offset + size_of(op));
}

/* Loads that follow ADDRESS leave their result in the accumulator of its class; class 1 too. */
static alc_status emit_indirect(struct alc_validator *v, enum alc_op op,
                                const struct alc_memory_argument *argument,
                                struct alc_value *operands, uint32_t type)
{
    uint32_t code = access_code(op);
    if (type != ALC_TYPE_BOTTOM) {
        unsigned class = type == ALC_TYPE_F32 || type == ALC_TYPE_F64;
        alc_emit_free_acc(v, class);
        emit_address(v, argument, &operands[0], size_of(op));
        alc_emit_op(v, (enum alc_code_op)(code + 4));
        alc_emit_mark_result(v, class, ALC_LAST_OTHER);
        return alc_emit_push(v, type, ALC_PLACE_ACC);
    }
    uint32_t slot = alc_emit_slot_of(v, &operands[1]);
    emit_address(v, argument, &operands[0], size_of(op));
    alc_emit_op(v, (enum alc_code_op)(code + 5));
    alc_emit_u16(v, slot);
    return ALC_OK;
}

/* -- vectors -- */

/* clang-format off */
/* Handler of a vector operation that has one of its own, else 0. */
static uint32_t direct_code(enum alc_op op)
{
    static const struct {
        uint16_t op;
        uint16_t code;
    } rows[] = {
#define VECTOR(i, shape) {ALC_OP_##i, ALC_CODE_##i},
#include "wasm/code_families.h"
    };
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (rows[i].op == op) {
            return rows[i].code;
        }
    }
    return 0;
}
/* clang-format on */

static alc_status push_target(struct alc_validator *v, uint32_t type)
{
    ALC_TRY(alc_push_slot(v, type));
    uint32_t slot = v->values[v->height - 1].slot;
    alc_emit_u16(v, slot);
    alc_emit_mark_target(v, v->emitter.count - 1, slot, alc_type_slots(type));
    return ALC_OK;
}

/* Operands of the operations that share handlers (exec/interp_vector.c): number of the instruction,
 * three vectors, a scalar, the lane, the target. A number, never an address: slots that the
 * instruction has no use for repeat its first one. */
static void emit_shared(struct alc_validator *v, enum alc_code_op code, enum alc_op op,
                        const uint32_t slots[3], uint32_t scalar, uint32_t lane)
{
    alc_emit_op(v, code);
    alc_emit_u16(v, op);
    for (unsigned i = 0; i < 3; i++) {
        alc_emit_u16(v, slots[i]);
    }
    alc_emit_u16(v, scalar);
    alc_emit_u16(v, lane);
}

/* Leaves a checked pointer in the integer accumulator, as emit_address, from memory 0. */
static void emit_address_0(struct alc_validator *v, const struct alc_memory_argument *argument,
                           struct alc_value *addr, uint32_t size)
{
    uint32_t slot = alc_emit_slot_of(v, addr);
    alc_emit_free_acc(v, 0);
    alc_emit_op(v, ALC_CODE_ADDRESS_0);
    alc_emit_u16(v, slot);
    alc_emit_u32(v, (uint32_t)argument->offset);
    alc_emit_u16(v, size);
    alc_emit_mark_result(v, 0, ALC_LAST_OTHER);
}

/* The whole vector from or to memory 0. */
static alc_status emit_whole(struct alc_validator *v, const struct alc_memory_argument *argument,
                             struct alc_value *operands, uint32_t type)
{
    bool is_load = type != ALC_TYPE_BOTTOM;
    uint32_t vector = is_load ? 0 : alc_emit_slot_of(v, &operands[1]);
    uint32_t addr = alc_emit_slot_of(v, &operands[0]);
    alc_emit_op(v, is_load ? ALC_CODE_V128_LOAD : ALC_CODE_V128_STORE);
    alc_emit_u16(v, addr);
    alc_emit_u32(v, (uint32_t)argument->offset);
    if (is_load) {
        return push_target(v, type);
    }
    alc_emit_u16(v, vector);
    return ALC_OK;
}

static alc_status emit_vector_access(struct alc_validator *v, enum alc_op op,
                                     const struct alc_memory_argument *argument,
                                     struct alc_value *operands, uint32_t type, uint32_t lane)
{
    if (is_direct(argument) && (op == ALC_OP_V128_LOAD || op == ALC_OP_V128_STORE)) {
        return emit_whole(v, argument, operands, type);
    }
    uint8_t immediate = alc_op_infos[op].immediate;
    bool has_lane = immediate >= ALC_IMM_MEMLANE0;
    bool has_vector = alc_signature_operand(alc_op_infos[op].signature, 1) != ALC_LETTER_NONE;
    uint32_t size = 1u << (immediate - (has_lane ? ALC_IMM_MEMLANE0 : ALC_IMM_MEM0));
    uint32_t vector = has_vector ? alc_emit_slot_of(v, &operands[1]) : 0;
    if (is_direct(argument)) {
        emit_address_0(v, argument, &operands[0], size);
    } else {
        emit_address(v, argument, &operands[0], size);
    }
    bool is_load = type != ALC_TYPE_BOTTOM;
    const uint32_t slots[3] = {vector, vector, vector};
    emit_shared(v, is_load ? ALC_CODE_VECTOR_FROM_MEMORY : ALC_CODE_VECTOR_TO_MEMORY, op, slots,
                vector, has_lane ? lane : 0);
    return is_load ? push_target(v, type) : ALC_OK;
}

alc_status alc_emit_memory_access(struct alc_validator *v, enum alc_op op,
                                  const struct alc_memory_argument *argument,
                                  struct alc_value *operands, uint32_t type, uint32_t lane)
{
    if (op >= ALC_OP_V128_LOAD) {
        return emit_vector_access(v, op, argument, operands, type, lane);
    }
    if (!is_direct(argument)) {
        return emit_indirect(v, op, argument, operands, type);
    }
    if (type != ALC_TYPE_BOTTOM) {
        return emit_load(v, op, argument, &operands[0], type);
    }
    emit_store(v, op, argument, &operands[0], &operands[1]);
    return ALC_OK;
}

/* Operations without a handler of their own. */
static alc_status emit_rare_vector(struct alc_validator *v, enum alc_op op, const uint32_t *slots,
                                   unsigned count, uint32_t type, uint32_t lane)
{
    uint16_t signature = alc_op_infos[op].signature;
    unsigned last = alc_signature_operand(signature, count - 1);
    bool has_scalar = last != ALC_LETTER_S;
    uint32_t vectors[3] = {slots[0], slots[0], slots[0]};
    for (unsigned i = 0; i < count - has_scalar; i++) {
        vectors[i] = slots[i];
    }
    emit_shared(v, type == ALC_TYPE_V128 ? ALC_CODE_VECTOR_TO_VECTOR : ALC_CODE_VECTOR_TO_SCALAR,
                op, vectors, slots[count - 1], lane);
    return push_target(v, type);
}

alc_status alc_emit_vector(struct alc_validator *v, enum alc_op op, struct alc_value *operands,
                           uint32_t type, const uint8_t *lanes)
{
    uint16_t signature = alc_op_infos[op].signature;
    uint32_t slots[3] = {0};
    unsigned count = 0;
    while (count < 3 && alc_signature_operand(signature, count) != ALC_LETTER_NONE) {
        slots[count] = alc_emit_slot_of(v, &operands[count]);
        count++;
    }
    uint8_t immediate = alc_op_infos[op].immediate;
    uint32_t code = op == ALC_OP_V128_CONST ? ALC_CODE_CONST128 : direct_code(op);
    if (code == 0) {
        return emit_rare_vector(v, op, slots, count, type,
                                immediate == ALC_IMM_NONE ? 0 : lanes[0]);
    }
    alc_emit_op(v, (enum alc_code_op)code);
    for (unsigned i = 0; i < count; i++) {
        alc_emit_u16(v, slots[i]);
    }
    for (unsigned i = 0; i < 16 && immediate != ALC_IMM_NONE; i += 2) { /* shuffle, constant */
        alc_emit_u16(v, alc_load_u16(&lanes[i]));
    }
    return push_target(v, type);
}

void alc_emit_in_place(struct alc_validator *v, enum alc_code_op code, const uint32_t *immediates,
                       uint32_t immediates_count, uint32_t operands_count)
{
    alc_emit_free_acc(v, 0);
    alc_emit_free_acc(v, 1);
    for (unsigned class = 0; class < 2; class ++) {
        uint32_t entry = v->emitter.acc_entry[class];
        if (entry >= v->height && entry < v->height + operands_count &&
            v->values[entry].place == ALC_PLACE_ACC) {
            alc_emit_settle(v, &v->values[entry]);
        }
    }
    for (uint32_t i = 0; i < operands_count; i++) {
        alc_emit_settle(v, &v->values[v->height + i]);
    }
    uint32_t slot = alc_validator_next_slot(v);
    alc_emit_op(v, code);
    for (uint32_t i = 0; i < immediates_count; i++) {
        alc_emit_u32(v, immediates[i]);
    }
    alc_emit_u16(v, slot);
    alc_emit_mark_target(v, v->emitter.count - 1, slot, 1);
    v->emitter.last_end = ALC_NO_UNIT;
    v->emitter.acc_slot[0] = v->emitter.acc_slot[1] = ALC_NO_SLOT;
}

static alc_status push_select(struct alc_validator *v, uint32_t type, bool wide)
{
    ALC_TRY(push_target(v, type));
    if (!wide) {
        v->emitter.acc_slot[0] = v->values[v->height - 1].slot;
    }
    return ALC_OK;
}

/* Fuses the select with the comparison that is the last operation: the code, or 0. Of what GE, LE
 * and NE would choose the other is taken. */
static uint32_t choose_code(uint32_t compare, bool *is_inverse)
{
    static const struct {
        uint16_t compare;
        uint16_t code;
    } rows[] = {
#define CHOOSE(i) {ALC_CODE_##i##_SS, ALC_CODE_##i##_SELECT_SS},
#include "wasm/code_families.h"
    };
    uint32_t inverse = alc_emit_inverse_compare(compare);
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (compare - rows[i].compare < 4) {
            *is_inverse = false;
            return rows[i].code + (compare - rows[i].compare);
        }
        if (inverse - rows[i].compare < 4) {
            *is_inverse = true;
            return rows[i].code + (inverse - rows[i].compare);
        }
    }
    return 0;
}

alc_status alc_emit_select(struct alc_validator *v, struct alc_value *operands, uint32_t type)
{
    bool in_acc = alc_emit_is_in_acc(v, &operands[2], 0);
    uint32_t a = alc_emit_slot_of(v, &operands[0]);
    uint32_t b = alc_emit_slot_of(v, &operands[1]);
    uint32_t condition = in_acc ? 0 : alc_emit_slot_of(v, &operands[2]);
    bool wide = type == ALC_TYPE_V128;
    alc_emit_free_acc(v, 0);
    struct alc_emitter *e = &v->emitter;
    bool is_inverse = false;
    bool is_compare = !wide && operands[2].place == ALC_PLACE_ACC && e->last_end == e->count &&
                      e->last_kind == ALC_LAST_COMPARE;
    uint32_t choose = is_compare ? choose_code(e->last_code, &is_inverse) : 0;
    if (choose != 0) {
        alc_emit_refit(v, e->last_unit, (enum alc_code_op)choose, e->count, e->count);
        alc_emit_u16(v, is_inverse ? b : a);
        alc_emit_u16(v, is_inverse ? a : b);
        return push_select(v, type, false);
    }
    alc_emit_op(v, wide ? (in_acc ? ALC_CODE_SELECT2_A : ALC_CODE_SELECT2_S)
                        : (in_acc ? ALC_CODE_SELECT_A : ALC_CODE_SELECT_S));
    if (!in_acc) {
        alc_emit_u16(v, condition);
    }
    alc_emit_u16(v, a);
    alc_emit_u16(v, b);
    return push_select(v, type, wide);
}

alc_status alc_emit_global_get(struct alc_validator *v, uint32_t index, uint32_t type)
{
    bool wide = type == ALC_TYPE_V128;
    bool to_slot = wide || type == ALC_TYPE_F32 || type == ALC_TYPE_F64;
    if (!to_slot) {
        alc_emit_free_acc(v, 0);
        alc_emit_op(v, ALC_CODE_GLOBAL_GET);
        alc_emit_u32(v, index);
        alc_emit_mark_result(v, 0, ALC_LAST_RESULT);
        return alc_emit_push(v, type, ALC_PLACE_ACC);
    }
    alc_emit_free_acc(v, 0);
    alc_emit_op(v, wide ? ALC_CODE_GLOBAL_GET2 : ALC_CODE_GLOBAL_GETD);
    alc_emit_u32(v, index);
    ALC_TRY(alc_push_slot(v, type));
    uint32_t slot = v->values[v->height - 1].slot;
    alc_emit_u16(v, slot);
    alc_emit_mark_target(v, v->emitter.count - 1, slot, wide ? 2 : 1);
    v->emitter.acc_slot[0] = wide ? v->emitter.acc_slot[0] : slot;
    return ALC_OK;
}

void alc_emit_global_set(struct alc_validator *v, uint32_t index, struct alc_value *value)
{
    if (value->type != ALC_TYPE_V128 && alc_emit_is_in_acc(v, value, 0)) {
        alc_emit_op(v, ALC_CODE_GLOBAL_SET_A);
        alc_emit_u32(v, index);
        return;
    }
    uint32_t slot = alc_emit_slot_of(v, value);
    alc_emit_op(v, value->type == ALC_TYPE_V128 ? ALC_CODE_GLOBAL_SET2 : ALC_CODE_GLOBAL_SET_S);
    alc_emit_u32(v, index);
    alc_emit_u16(v, slot);
}
