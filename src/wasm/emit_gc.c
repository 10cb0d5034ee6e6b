/* SPDX-License-Identifier: Apache-2.0
 *
 * Emission of the instructions on objects: fields, elements, casts, allocation. Trusts the
 * validator.
 */
#include "wasm/emit.h"
#include "wasm/validate_internal.h"

/* Bytes of an object before its fields; exec/object.h has the layout. */
enum { OBJECT_HEADER = 8 };

static uint32_t next_slot_target(struct alc_validator *v, uint32_t type, alc_status *status)
{
    *status = alc_push_slot(v, type);
    return *status == ALC_OK ? v->values[v->height - 1].slot : 0;
}

static bool is_floating(uint32_t type)
{
    return type == ALC_TYPE_F32 || type == ALC_TYPE_F64;
}

/* The result in the accumulator is a floating value's bits: it goes to its slot. `has_target`: the
 * operation's code is the one with a target already. */
static alc_status push_bits(struct alc_validator *v, uint32_t type, bool has_target)
{
    alc_status status;
    uint32_t slot = next_slot_target(v, type, &status);
    if (!has_target) {
        alc_emit_op(v, ALC_CODE_STORE_A);
    }
    alc_emit_u16(v, slot);
    alc_emit_mark_target(v, v->emitter.count - 1, slot, 1);
    v->emitter.acc_slot[0] = slot;
    return status;
}

static alc_status push_vector(struct alc_validator *v)
{
    alc_status status;
    uint32_t slot = next_slot_target(v, ALC_TYPE_V128, &status);
    alc_emit_u16(v, slot);
    alc_emit_mark_target(v, v->emitter.count - 1, slot, 2);
    return status;
}

/* Which of the operations on 8, 16, 32 and 64 bits: the first six rows are those of loads. */
static uint32_t get_index(uint32_t storage, bool sign)
{
    switch (alc_type_size(storage)) {
    case 1:
        return sign ? 1 : 0;
    case 2:
        return sign ? 3 : 2;
    case 4:
        return 4;
    default:
        return 5;
    }
}

static uint32_t set_index(uint32_t storage)
{
    uint32_t size = alc_type_size(storage);
    return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
}

/* -- fields -- */

alc_status alc_emit_field_get(struct alc_validator *v, struct alc_value *object, uint32_t storage,
                              uint32_t offset, bool sign)
{
    _Static_assert(ALC_CODE_FIELD16S_S - ALC_CODE_FIELD8U_S == 3 &&
                       ALC_CODE_FIELD64_S - ALC_CODE_FIELD32_S == 4,
                   "one form of packed ones, four of others, in order");
    uint32_t index = get_index(storage, sign);
    bool wide = storage == ALC_TYPE_V128;
    bool packed = index < 4;
    bool to_slot = is_floating(storage);
    bool in_acc = !wide && !packed && alc_emit_is_in_acc(v, object, 0);
    uint32_t slot = in_acc ? 0 : alc_emit_slot_of(v, object);
    alc_emit_free_acc(v, 0);
    uint32_t code = wide     ? ALC_CODE_FIELD128
                    : packed ? ALC_CODE_FIELD8U_S + index
                             : ALC_CODE_FIELD32_S + 4 * (index - 4) + (in_acc ? 2 : 0) + to_slot;
    alc_emit_op(v, (enum alc_code_op)code);
    if (!in_acc) {
        alc_emit_u16(v, slot);
    }
    alc_emit_u32(v, offset + OBJECT_HEADER);
    if (wide) {
        return push_vector(v);
    }
    if (to_slot) {
        return push_bits(v, storage, true);
    }
    alc_emit_mark_result(v, 0, packed ? ALC_LAST_OTHER : ALC_LAST_RESULT);
    return alc_emit_push(v, alc_type_unpacked(storage), ALC_PLACE_ACC);
}

void alc_emit_field_set(struct alc_validator *v, struct alc_value *object, struct alc_value *value,
                        const struct alc_field *field)
{
    _Static_assert(ALC_CODE_FIELD_SET64_SS - ALC_CODE_FIELD_SET8_SS == 6,
                   "two forms each, in order");
    bool in_acc =
        !field->is_traced && field->type != ALC_TYPE_V128 && alc_emit_is_in_acc(v, value, 0);
    uint32_t code = field->is_traced ? ALC_CODE_FIELD_SET_REF
                    : field->type == ALC_TYPE_V128
                        ? ALC_CODE_FIELD_SET128
                        : ALC_CODE_FIELD_SET8_SS + 2 * set_index(field->type) + in_acc;
    uint32_t object_slot = alc_emit_slot_of(v, object);
    uint32_t value_slot = in_acc ? 0 : alc_emit_slot_of(v, value);
    alc_emit_op(v, (enum alc_code_op)code);
    alc_emit_u16(v, object_slot);
    if (!in_acc) {
        alc_emit_u16(v, value_slot);
    }
    alc_emit_u32(v, field->offset + OBJECT_HEADER);
}

/* -- elements -- */

alc_status alc_emit_element_get(struct alc_validator *v, struct alc_value *operands,
                                uint32_t storage, bool sign)
{
    _Static_assert(ALC_CODE_ELEMENT64_SS - ALC_CODE_ELEMENT8U_SS == 10, "two forms each, in order");
    bool wide = storage == ALC_TYPE_V128;
    bool in_acc = !wide && alc_emit_is_in_acc(v, &operands[1], 0);
    uint32_t array = alc_emit_slot_of(v, &operands[0]);
    uint32_t index = in_acc ? 0 : alc_emit_slot_of(v, &operands[1]);
    alc_emit_free_acc(v, 0);
    uint32_t code =
        wide ? ALC_CODE_ELEMENT128 : ALC_CODE_ELEMENT8U_SS + 2 * get_index(storage, sign) + in_acc;
    alc_emit_op(v, (enum alc_code_op)code);
    alc_emit_u16(v, array);
    if (!in_acc) {
        alc_emit_u16(v, index);
    }
    if (wide) {
        return push_vector(v);
    }
    alc_emit_mark_result(v, 0, ALC_LAST_OTHER);
    if (is_floating(storage)) {
        return push_bits(v, storage, false);
    }
    return alc_emit_push(v, alc_type_unpacked(storage), ALC_PLACE_ACC);
}

void alc_emit_element_set(struct alc_validator *v, struct alc_value *operands,
                          const struct alc_field *element)
{
    _Static_assert(ALC_CODE_ELEMENT_SET64 - ALC_CODE_ELEMENT_SET8 == 3, "in order");
    uint32_t slots[3];
    for (unsigned i = 0; i < 3; i++) {
        slots[i] = alc_emit_slot_of(v, &operands[i]);
    }
    alc_emit_op(v, element->is_traced ? ALC_CODE_ELEMENT_SET_REF
                   : element->type == ALC_TYPE_V128
                       ? ALC_CODE_ELEMENT_SET128
                       : (enum alc_code_op)(ALC_CODE_ELEMENT_SET8 + set_index(element->type)));
    for (unsigned i = 0; i < 3; i++) {
        alc_emit_u16(v, slots[i]);
    }
}

/* -- references -- */

alc_status alc_emit_from_reference(struct alc_validator *v, enum alc_code_op code,
                                   struct alc_value *value, uint32_t type)
{
    uint32_t slot = alc_emit_slot_of(v, value);
    alc_emit_free_acc(v, 0);
    alc_emit_op(v, code);
    alc_emit_u16(v, slot);
    alc_emit_mark_result(v, 0, ALC_LAST_OTHER);
    return alc_emit_push(v, type, ALC_PLACE_ACC);
}

void alc_emit_type_test(struct alc_validator *v, struct alc_value *value, uint32_t type,
                        bool inverted, struct alc_value *out)
{
    uint32_t slot = alc_emit_slot_of(v, value);
    alc_emit_free_acc(v, 0);
    alc_emit_op(v, ALC_CODE_TYPE_TEST);
    alc_emit_u16(v, slot);
    alc_emit_u32(v, type);
    alc_emit_u16(v, inverted);
    alc_emit_mark_result(v, 0, ALC_LAST_OTHER);
    *out = (struct alc_value){.type = ALC_TYPE_I32, .place = ALC_PLACE_ACC};
}

void alc_emit_cast(struct alc_validator *v, struct alc_value *value, uint32_t type)
{
    uint32_t slot = alc_emit_slot_of(v, value);
    alc_emit_op(v, ALC_CODE_CAST);
    alc_emit_u16(v, slot);
    alc_emit_u32(v, type);
}

/* -- allocation -- */

void alc_emit_allocation(struct alc_validator *v, enum alc_code_op code, const uint32_t *immediates,
                         uint32_t immediates_count, uint32_t operands_count)
{
    uint32_t root = alc_emit_roots(v, operands_count);
    alc_emit_in_place(v, code, immediates, immediates_count, operands_count);
    alc_emit_safepoint(v, root);
}
