/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of the instructions of GC (spec 3.4.8): structures, arrays, i31, casts. The bytes are
 * hostile.
 */
#include "wasm/validate_internal.h"

static alc_status read_composite(struct alc_validator *v, enum alc_composite_kind kind,
                                 const struct alc_type **out)
{
    ALC_TRY(alc_decode_type_index(&v->reader, v->module, out));
    return (*out)->kind == kind ? ALC_OK : alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
}

static alc_status push_new(struct alc_validator *v, const struct alc_type *type)
{
    return alc_push_slot(v, ALC_TYPE_OF_REF(type->id));
}

/* -- structures -- */

static alc_status validate_struct_new(struct alc_validator *v, enum alc_op op)
{
    const struct alc_type *type;
    ALC_TRY(read_composite(v, ALC_COMPOSITE_STRUCT, &type));
    const struct alc_struct_type *structure = &type->structure;
    bool is_default = op == ALC_OP_STRUCT_NEW_DEFAULT;
    struct alc_value ignored ALC_UNINITIALIZED;
    for (uint32_t i = structure->fields_count; i > 0; i--) {
        uint32_t field = structure->fields[i - 1].type;
        if (is_default && !alc_type_is_defaultable(field)) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
        if (!is_default) {
            ALC_TRY(alc_pop(v, alc_type_unpacked(field), &ignored));
        }
    }
    if (v->is_live) {
        alc_emit_allocation(v, is_default ? ALC_CODE_STRUCT_NEW_DEFAULT : ALC_CODE_STRUCT_NEW,
                            &type->id, 1, is_default ? 0 : structure->fields_count);
    }
    return push_new(v, type);
}

static alc_status read_field(struct alc_validator *v, const struct alc_type **type,
                             const struct alc_field **field)
{
    uint32_t index;
    ALC_TRY(read_composite(v, ALC_COMPOSITE_STRUCT, type));
    ALC_TRY(
        alc_validator_read_index(v, (*type)->structure.fields_count, ALC_E_UNKNOWN_FIELD, &index));
    *field = &(*type)->structure.fields[index];
    return ALC_OK;
}

/* A packed field or element is read with its sign or without, any other plainly. */
static alc_status check_packing(struct alc_validator *v, uint32_t storage, bool is_plain)
{
    bool is_packed = storage == ALC_TYPE_I8 || storage == ALC_TYPE_I16;
    return is_packed != is_plain ? ALC_OK : alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
}

static alc_status validate_struct_get(struct alc_validator *v, enum alc_op op)
{
    const struct alc_type *type;
    const struct alc_field *field;
    struct alc_value object ALC_UNINITIALIZED;
    ALC_TRY(read_field(v, &type, &field));
    ALC_TRY(check_packing(v, field->type, op == ALC_OP_STRUCT_GET));
    ALC_TRY(alc_pop(v, ALC_TYPE_OF_REF_NULL(type->id), &object));
    if (v->is_live) {
        return alc_emit_field_get(v, &object, field->type, field->offset,
                                  op == ALC_OP_STRUCT_GET_S);
    }
    return alc_push_slot(v, alc_type_unpacked(field->type));
}

static alc_status validate_struct_set(struct alc_validator *v)
{
    const struct alc_type *type;
    const struct alc_field *field;
    struct alc_value object ALC_UNINITIALIZED;
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(read_field(v, &type, &field));
    if (!field->is_mutable) {
        return alc_validator_fail(v, ALC_E_IMMUTABLE_FIELD);
    }
    ALC_TRY(alc_pop(v, alc_type_unpacked(field->type), &value));
    ALC_TRY(alc_pop(v, ALC_TYPE_OF_REF_NULL(type->id), &object));
    if (v->is_live) {
        alc_emit_field_set(v, &object, &value, field);
    }
    return ALC_OK;
}

/* -- arrays -- */

static alc_status validate_array_new_fixed(struct alc_validator *v)
{
    const struct alc_type *type;
    uint32_t immediates[2];
    struct alc_value ignored ALC_UNINITIALIZED;
    ALC_TRY(read_composite(v, ALC_COMPOSITE_ARRAY, &type));
    immediates[0] = type->id;
    ALC_TRY(alc_read_leb_u32(&v->reader, &immediates[1]));
    if (immediates[1] > ALC_LIMIT_FIELDS) {
        return alc_validator_fail(v, ALC_E_LIMIT_ARITY);
    }
    for (uint32_t i = 0; i < immediates[1]; i++) {
        ALC_TRY(alc_pop(v, alc_type_unpacked(type->array.type), &ignored));
    }
    if (v->is_live) {
        alc_emit_allocation(v, ALC_CODE_ARRAY_NEW_FIXED, immediates, 2, immediates[1]);
    }
    return push_new(v, type);
}

/* Type and segment of array.new_data and its relatives. */
static alc_status read_segment(struct alc_validator *v, bool is_data, const struct alc_type **type,
                               uint32_t *index)
{
    const struct alc_module *module = v->module;
    ALC_TRY(read_composite(v, ALC_COMPOSITE_ARRAY, type));
    uint32_t element = (*type)->array.type;
    if (is_data) {
        if (!module->has_data_count) {
            return alc_validator_fail(v, ALC_E_DATA_COUNT_REQUIRED);
        }
        ALC_TRY(alc_validator_read_index(v, module->data_count, ALC_E_UNKNOWN_DATA, index));
        return alc_type_is_reference(element) ? alc_validator_fail(v, ALC_E_TYPE_MISMATCH) : ALC_OK;
    }
    ALC_TRY(alc_validator_read_index(v, module->elements_count, ALC_E_UNKNOWN_ELEMENT, index));
    return alc_type_matches(module->types, module->elements[*index].type, element)
               ? ALC_OK
               : alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
}

static alc_status validate_array_get(struct alc_validator *v, enum alc_op op)
{
    const struct alc_type *type;
    struct alc_value operands[2] ALC_UNINITIALIZED;
    ALC_TRY(read_composite(v, ALC_COMPOSITE_ARRAY, &type));
    ALC_TRY(check_packing(v, type->array.type, op == ALC_OP_ARRAY_GET));
    ALC_TRY(alc_pop(v, ALC_TYPE_I32, &operands[1]));
    ALC_TRY(alc_pop(v, ALC_TYPE_OF_REF_NULL(type->id), &operands[0]));
    if (v->is_live) {
        return alc_emit_element_get(v, operands, type->array.type, op == ALC_OP_ARRAY_GET_S);
    }
    return alc_push_slot(v, alc_type_unpacked(type->array.type));
}

static alc_status read_mutable_array(struct alc_validator *v, const struct alc_type **type)
{
    ALC_TRY(read_composite(v, ALC_COMPOSITE_ARRAY, type));
    return (*type)->array.is_mutable ? ALC_OK : alc_validator_fail(v, ALC_E_IMMUTABLE_ARRAY);
}

static alc_status validate_array_set(struct alc_validator *v)
{
    const struct alc_type *type;
    struct alc_value operands[3] ALC_UNINITIALIZED;
    ALC_TRY(read_mutable_array(v, &type));
    ALC_TRY(alc_pop(v, alc_type_unpacked(type->array.type), &operands[2]));
    ALC_TRY(alc_pop(v, ALC_TYPE_I32, &operands[1]));
    ALC_TRY(alc_pop(v, ALC_TYPE_OF_REF_NULL(type->id), &operands[0]));
    if (v->is_live) {
        alc_emit_element_set(v, operands, &type->array);
    }
    return ALC_OK;
}

static alc_status validate_array_len(struct alc_validator *v)
{
    struct alc_value array ALC_UNINITIALIZED;
    ALC_TRY(alc_pop(v, ALC_TYPE_OF_REF_NULL(ALC_HEAP_ARRAY), &array));
    return v->is_live ? alc_emit_from_reference(v, ALC_CODE_ARRAY_LEN, &array, ALC_TYPE_I32)
                      : alc_push_slot(v, ALC_TYPE_I32);
}

/* Instructions whose operands stay in place: what they need of the type that they name, and their
 * operands as letters: r = reference to it, s = to the type named second, e = element, i = i32. */
enum { NEEDS_MUTABLE = 1, NEEDS_DEFAULT = 2, NEEDS_DATA = 4, NEEDS_ELEMENTS = 8, MAKES_ARRAY = 16 };
struct in_place {
    uint8_t op;
    uint8_t needs;
    uint16_t code;
    char operands[6];
};
#define ROW(ident, needs, operands) {ALC_OP_##ident, needs, ALC_CODE_##ident, operands}
static const struct in_place in_place[] = {
    ROW(ARRAY_NEW, MAKES_ARRAY, "ei"),
    ROW(ARRAY_NEW_DEFAULT, NEEDS_DEFAULT | MAKES_ARRAY, "i"),
    ROW(ARRAY_NEW_DATA, NEEDS_DATA | MAKES_ARRAY, "ii"),
    ROW(ARRAY_NEW_ELEM, NEEDS_ELEMENTS | MAKES_ARRAY, "ii"),
    ROW(ARRAY_FILL, NEEDS_MUTABLE, "riei"),
    ROW(ARRAY_COPY, NEEDS_MUTABLE, "risii"),
    ROW(ARRAY_INIT_DATA, NEEDS_MUTABLE | NEEDS_DATA, "riii"),
    ROW(ARRAY_INIT_ELEM, NEEDS_MUTABLE | NEEDS_ELEMENTS, "riii"),
};

/* Reads what stands behind the instruction; `immediates` are those of its code. */
static alc_status read_in_place(struct alc_validator *v, const struct in_place *row,
                                const struct alc_type **type, uint32_t *immediates)
{
    if ((row->needs & (NEEDS_DATA | NEEDS_ELEMENTS)) != 0) {
        ALC_TRY(read_segment(v, (row->needs & NEEDS_DATA) != 0, type, &immediates[1]));
    } else {
        ALC_TRY(read_composite(v, ALC_COMPOSITE_ARRAY, type));
    }
    immediates[0] = (*type)->id;
    if ((row->needs & NEEDS_MUTABLE) != 0 && !(*type)->array.is_mutable) {
        return alc_validator_fail(v, ALC_E_IMMUTABLE_ARRAY);
    }
    bool is_default =
        (row->needs & NEEDS_DEFAULT) == 0 || alc_type_is_defaultable((*type)->array.type);
    return is_default ? ALC_OK : alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
}

static alc_status validate_in_place(struct alc_validator *v, const struct in_place *row)
{
    const struct alc_type *type;
    const struct alc_type *source;
    uint32_t immediates[2];
    uint32_t operands[sizeof row->operands];
    uint32_t count = 0;
    ALC_TRY(read_in_place(v, row, &type, immediates));
    for (; row->operands[count] != '\0'; count++) {
        operands[count] = ALC_TYPE_I32;
        if (row->operands[count] == 'r') {
            operands[count] = ALC_TYPE_OF_REF_NULL(type->id);
        } else if (row->operands[count] == 'e') {
            operands[count] = alc_type_unpacked(type->array.type);
        } else if (row->operands[count] == 's') {
            ALC_TRY(read_composite(v, ALC_COMPOSITE_ARRAY, &source));
            if (!alc_type_matches(v->module->types, source->array.type, type->array.type)) {
                return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
            }
            operands[count] = ALC_TYPE_OF_REF_NULL(source->id);
        }
    }
    ALC_TRY(alc_pop_types(v, operands, count));
    bool is_new = (row->needs & MAKES_ARRAY) != 0;
    if (v->is_live) {
        uint32_t size = (row->needs & (NEEDS_DATA | NEEDS_ELEMENTS)) != 0 ? 2 : 1;
        (is_new ? alc_emit_allocation : alc_emit_in_place)(v, (enum alc_code_op)row->code,
                                                           immediates, size, count);
    }
    return is_new ? push_new(v, type) : ALC_OK;
}

/* -- casts -- */

static uint32_t reference_type(uint32_t heap, bool is_nullable)
{
    return is_nullable ? ALC_TYPE_OF_REF_NULL(heap) : ALC_TYPE_OF_REF(heap);
}

/* Pops a reference of the hierarchy that `type` belongs to. */
static alc_status pop_relative(struct alc_validator *v, uint32_t type, struct alc_value *out)
{
    uint32_t top = alc_heap_top(v->module->types, alc_type_heap(type));
    return alc_pop(v, ALC_TYPE_OF_REF_NULL(top), out);
}

static alc_status validate_ref_test(struct alc_validator *v, bool is_nullable)
{
    uint32_t heap;
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_decode_heap_type(&v->reader, v->module, &heap));
    uint32_t type = reference_type(heap, is_nullable);
    ALC_TRY(pop_relative(v, type, &value));
    if (!v->is_live) {
        return alc_push_slot(v, ALC_TYPE_I32);
    }
    struct alc_value result ALC_UNINITIALIZED;
    alc_emit_type_test(v, &value, type, false, &result);
    return alc_emit_push(v, ALC_TYPE_I32, ALC_PLACE_ACC);
}

static alc_status validate_ref_cast(struct alc_validator *v, bool is_nullable)
{
    uint32_t heap;
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_decode_heap_type(&v->reader, v->module, &heap));
    uint32_t type = reference_type(heap, is_nullable);
    ALC_TRY(pop_relative(v, type, &value));
    if (v->is_live) {
        alc_emit_cast(v, &value, type);
    }
    return alc_validator_push_again(v, &value, type);
}

enum { CAST_SOURCE_NULL = 1, CAST_TARGET_NULL = 2 };

/* What is left of `source` when it has not the type `target`. */
static uint32_t type_difference(uint32_t source, uint32_t target)
{
    return alc_type_is_nullable(target) ? ALC_TYPE_OF_REF(alc_type_heap(source)) : source;
}

static alc_status validate_br_on_cast(struct alc_validator *v, bool on_failure)
{
    uint8_t flags;
    uint32_t heaps[2];
    struct alc_control *label;
    struct alc_value value ALC_UNINITIALIZED;
    uint64_t flags_at = alc_reader_offset(&v->reader);
    ALC_TRY(alc_read_u8(&v->reader, &flags));
    if (flags > (CAST_SOURCE_NULL | CAST_TARGET_NULL)) {
        return alc_fail(v->error, ALC_E_ILLEGAL_OPCODE, flags_at);
    }
    ALC_TRY(alc_validator_read_label(v, &label));
    ALC_TRY(alc_decode_heap_type(&v->reader, v->module, &heaps[0]));
    ALC_TRY(alc_decode_heap_type(&v->reader, v->module, &heaps[1]));
    uint32_t source = reference_type(heaps[0], (flags & CAST_SOURCE_NULL) != 0);
    uint32_t target = reference_type(heaps[1], (flags & CAST_TARGET_NULL) != 0);
    uint32_t difference = type_difference(source, target);
    uint32_t taken = on_failure ? difference : target;
    uint32_t count;
    const uint32_t *types = alc_control_label(label, &count);
    if (!alc_type_matches(v->module->types, target, source) || count == 0 ||
        !alc_type_matches(v->module->types, taken, types[count - 1])) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    ALC_TRY(alc_pop(v, source, &value));
    ALC_TRY(alc_validator_keep_values(v, types, count - 1));
    struct alc_value condition ALC_UNINITIALIZED;
    if (v->is_live) {
        alc_emit_type_test(v, &value, target, on_failure, &condition);
    }
    ALC_TRY(alc_validator_push_again(v, &value, on_failure ? target : difference));
    if (v->is_live) {
        alc_emit_branch_if(v, label, &condition);
    }
    return ALC_OK;
}

/* -- i31, conversions, equality -- */

static alc_status validate_ref_i31(struct alc_validator *v)
{
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_pop(v, ALC_TYPE_I32, &value));
    uint32_t type = ALC_TYPE_OF_REF(ALC_HEAP_I31);
    return v->is_live ? alc_emit_from_reference(v, ALC_CODE_REF_I31, &value, type)
                      : alc_push_slot(v, type);
}

static alc_status validate_i31_get(struct alc_validator *v, enum alc_code_op code)
{
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_pop(v, ALC_TYPE_I31REF, &value));
    return v->is_live ? alc_emit_from_reference(v, code, &value, ALC_TYPE_I32)
                      : alc_push_slot(v, ALC_TYPE_I32);
}

/* Both hierarchies look the same in a slot. */
static alc_status validate_convert(struct alc_validator *v, enum alc_heap from, enum alc_heap to)
{
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_pop(v, ALC_TYPE_OF_REF_NULL(from), &value));
    bool is_nullable = value.type != ALC_TYPE_BOTTOM && alc_type_is_nullable(value.type);
    return alc_validator_push_again(v, &value, reference_type(to, is_nullable));
}

static alc_status validate_ref_eq(struct alc_validator *v)
{
    struct alc_value operands[2] ALC_UNINITIALIZED;
    ALC_TRY(alc_pop(v, ALC_TYPE_EQREF, &operands[1]));
    ALC_TRY(alc_pop(v, ALC_TYPE_EQREF, &operands[0]));
    return v->is_live ? alc_emit_numeric(v, ALC_OP_I64_EQ, operands, ALC_TYPE_I32)
                      : alc_push_slot(v, ALC_TYPE_I32);
}

/* -- by instruction -- */

static alc_status validate_struct(struct alc_validator *v, enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_STRUCT_NEW:
    case ALC_OP_STRUCT_NEW_DEFAULT:
        return validate_struct_new(v, op);
    case ALC_OP_STRUCT_SET:
        return validate_struct_set(v);
    default:
        return validate_struct_get(v, op);
    }
}

static alc_status validate_array(struct alc_validator *v, enum alc_op op)
{
    for (size_t i = 0; i < sizeof in_place / sizeof in_place[0]; i++) {
        if (in_place[i].op == op) {
            return validate_in_place(v, &in_place[i]);
        }
    }
    switch ((int)op) {
    case ALC_OP_ARRAY_NEW_FIXED:
        return validate_array_new_fixed(v);
    case ALC_OP_ARRAY_SET:
        return validate_array_set(v);
    case ALC_OP_ARRAY_LEN:
        return validate_array_len(v);
    default:
        return validate_array_get(v, op);
    }
}

alc_status alc_validate_gc(struct alc_validator *v, enum alc_op op)
{
    if (op >= ALC_OP_STRUCT_NEW && op <= ALC_OP_STRUCT_SET) {
        return validate_struct(v, op);
    }
    if (op >= ALC_OP_ARRAY_NEW && op <= ALC_OP_ARRAY_INIT_ELEM) {
        return validate_array(v, op);
    }
    switch ((int)op) {
    case ALC_OP_REF_TEST:
    case ALC_OP_REF_TEST_NULL:
        return validate_ref_test(v, op == ALC_OP_REF_TEST_NULL);
    case ALC_OP_REF_CAST:
    case ALC_OP_REF_CAST_NULL:
        return validate_ref_cast(v, op == ALC_OP_REF_CAST_NULL);
    case ALC_OP_BR_ON_CAST:
    case ALC_OP_BR_ON_CAST_FAIL:
        return validate_br_on_cast(v, op == ALC_OP_BR_ON_CAST_FAIL);
    case ALC_OP_ANY_CONVERT_EXTERN:
        return validate_convert(v, ALC_HEAP_EXTERN, ALC_HEAP_ANY);
    case ALC_OP_EXTERN_CONVERT_ANY:
        return validate_convert(v, ALC_HEAP_ANY, ALC_HEAP_EXTERN);
    case ALC_OP_REF_I31:
        return validate_ref_i31(v);
    case ALC_OP_I31_GET_S:
        return validate_i31_get(v, ALC_CODE_I31_GET_S);
    case ALC_OP_I31_GET_U:
        return validate_i31_get(v, ALC_CODE_I31_GET_U);
    default:
        return validate_ref_eq(v);
    }
}
