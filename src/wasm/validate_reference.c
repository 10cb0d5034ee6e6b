/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of references, tables and the copying instructions between two memories or tables
 * (spec 3.4.7, 3.4.9, 3.4.10). The bytes are hostile.
 */
#include "wasm/validate_internal.h"

static uint32_t address_type(bool is_64)
{
    return is_64 ? ALC_TYPE_I64 : ALC_TYPE_I32;
}

/* -- references -- */

static alc_status validate_ref_func(struct alc_validator *v)
{
    uint32_t index;
    ALC_TRY(
        alc_validator_read_index(v, v->module->functions_count, ALC_E_UNKNOWN_FUNCTION, &index));
    if (!v->module->functions[index].is_declared) {
        return alc_validator_fail(v, ALC_E_UNDECLARED_FUNCTION);
    }
    uint32_t type = ALC_TYPE_OF_REF(v->module->functions[index].type->id);
    if (!v->is_live) {
        return alc_push_slot(v, type);
    }
    alc_emit_free_acc(v, 0);
    alc_emit_op(v, ALC_CODE_REF_FUNC);
    alc_emit_u32(v, index);
    alc_emit_mark_result(v, 0, ALC_LAST_OTHER);
    return alc_emit_push(v, type, ALC_PLACE_ACC);
}

/* Pops any reference. */
static alc_status pop_reference(struct alc_validator *v, struct alc_value *out)
{
    ALC_TRY(alc_pop(v, ALC_TYPE_BOTTOM, out));
    if (out->type != ALC_TYPE_BOTTOM && !alc_type_is_reference(out->type)) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    return ALC_OK;
}

static uint32_t non_null(uint32_t type)
{
    return type == ALC_TYPE_BOTTOM ? ALC_TYPE_OF_REF(ALC_HEAP_BOTTOM)
                                   : ALC_TYPE_OF_REF(alc_type_heap(type));
}

static uint32_t nullable(uint32_t type)
{
    return ALC_TYPE_OF_REF_NULL(alc_type_heap(type));
}

static alc_status validate_is_null(struct alc_validator *v)
{
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(pop_reference(v, &value));
    return v->is_live ? alc_emit_numeric(v, ALC_OP_I64_EQZ, &value, ALC_TYPE_I32)
                      : alc_push_slot(v, ALC_TYPE_I32);
}

alc_status alc_validator_push_again(struct alc_validator *v, const struct alc_value *value,
                                    uint32_t type)
{
    if (!v->is_live) {
        return alc_push_slot(v, type);
    }
    if (value->place == ALC_PLACE_ACC) {
        return alc_emit_push(v, type, ALC_PLACE_ACC);
    }
    return alc_push(v, type, (enum alc_place)value->place, value->payload);
}

static alc_status validate_as_non_null(struct alc_validator *v)
{
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(pop_reference(v, &value));
    if (v->is_live) {
        uint32_t slot = alc_emit_slot_of(v, &value);
        alc_emit_op(v, ALC_CODE_REF_NON_NULL);
        alc_emit_u16(v, slot);
    }
    return alc_validator_push_again(v, &value, non_null(value.type));
}

static alc_status validate_br_on_null(struct alc_validator *v)
{
    struct alc_control *target;
    struct alc_value value ALC_UNINITIALIZED;
    uint32_t count;
    ALC_TRY(alc_validator_read_label(v, &target));
    ALC_TRY(pop_reference(v, &value));
    const uint32_t *types = alc_control_label(target, &count);
    ALC_TRY(alc_validator_keep_values(v, types, count));
    if (v->is_live) {
        alc_emit_branch_null(v, target, &value, true);
    }
    return alc_validator_push_again(v, &value, non_null(value.type));
}

static alc_status validate_br_on_non_null(struct alc_validator *v)
{
    struct alc_control *target;
    struct alc_value value ALC_UNINITIALIZED;
    uint32_t count;
    ALC_TRY(alc_validator_read_label(v, &target));
    const uint32_t *types = alc_control_label(target, &count);
    if (count == 0 || !alc_type_is_reference(types[count - 1])) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    ALC_TRY(alc_pop(v, nullable(types[count - 1]), &value));
    ALC_TRY(alc_validator_keep_values(v, types, count - 1));
    if (!v->is_live) {
        return ALC_OK;
    }
    (void)alc_emit_slot_of(v, &value);
    ALC_TRY(alc_validator_push_again(v, &value, types[count - 1]));
    alc_emit_branch_null(v, target, &value, false);
    v->height--;
    return ALC_OK;
}

static alc_status validate_ref_null(struct alc_validator *v)
{
    uint32_t heap;
    ALC_TRY(alc_decode_heap_type(&v->reader, v->module, &heap));
    return alc_push(v, ALC_TYPE_OF_REF_NULL(heap), ALC_PLACE_CONSTANT, 0);
}

alc_status alc_validate_reference(struct alc_validator *v, enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_REF_NULL:
        return validate_ref_null(v);
    case ALC_OP_REF_IS_NULL:
        return validate_is_null(v);
    case ALC_OP_REF_FUNC:
        return validate_ref_func(v);
    case ALC_OP_REF_AS_NON_NULL:
        return validate_as_non_null(v);
    case ALC_OP_BR_ON_NULL:
        return validate_br_on_null(v);
    default:
        return validate_br_on_non_null(v);
    }
}

/* -- tables -- */

alc_status alc_validate_table(struct alc_validator *v, enum alc_op op)
{
    uint32_t index;
    ALC_TRY(alc_validator_read_index(v, v->module->tables_count, ALC_E_UNKNOWN_TABLE, &index));
    const struct alc_table_type *table = &v->module->tables[index].type;
    uint32_t address = address_type(table->limits.is_64);
    uint32_t operands[3] = {address, table->element, address};
    uint32_t operands_count = 0;
    uint32_t result = ALC_TYPE_BOTTOM;
    enum alc_code_op code = ALC_CODE_TABLE_SIZE;
    switch ((int)op) {
    case ALC_OP_TABLE_GET:
        operands_count = 1;
        result = table->element;
        code = ALC_CODE_TABLE_GET;
        break;
    case ALC_OP_TABLE_SET:
        operands_count = 2;
        code = ALC_CODE_TABLE_SET;
        break;
    case ALC_OP_TABLE_GROW:
        operands[0] = table->element;
        operands[1] = address;
        operands_count = 2;
        result = address;
        code = ALC_CODE_TABLE_GROW;
        break;
    case ALC_OP_TABLE_FILL:
        operands_count = 3;
        code = ALC_CODE_TABLE_FILL;
        break;
    default:
        result = address;
        break;
    }
    ALC_TRY(alc_pop_types(v, operands, operands_count));
    if (v->is_live) {
        alc_emit_in_place(v, code, &index, 1, operands_count);
    }
    return result != ALC_TYPE_BOTTOM ? alc_push_slot(v, result) : ALC_OK;
}

/* -- copies -- */

static alc_status pop_copy(struct alc_validator *v, bool target_is_64, bool source_is_64,
                           bool size_is_64)
{
    const uint32_t operands[3] = {address_type(target_is_64), address_type(source_is_64),
                                  address_type(size_is_64)};
    return alc_pop_types(v, operands, 3);
}

static alc_status validate_memory_copy(struct alc_validator *v)
{
    const struct alc_module *module = v->module;
    uint32_t indices[2];
    for (unsigned i = 0; i < 2; i++) {
        ALC_TRY(
            alc_validator_read_index(v, module->memories_count, ALC_E_UNKNOWN_MEMORY, &indices[i]));
    }
    bool target_is_64 = module->memories[indices[0]].limits.is_64;
    bool source_is_64 = module->memories[indices[1]].limits.is_64;
    ALC_TRY(pop_copy(v, target_is_64, source_is_64, target_is_64 && source_is_64));
    if (v->is_live) {
        alc_emit_in_place(v, ALC_CODE_MEMORY_COPY, indices, 2, 3);
    }
    return ALC_OK;
}

static alc_status validate_table_copy(struct alc_validator *v)
{
    const struct alc_module *module = v->module;
    uint32_t indices[2];
    for (unsigned i = 0; i < 2; i++) {
        ALC_TRY(
            alc_validator_read_index(v, module->tables_count, ALC_E_UNKNOWN_TABLE, &indices[i]));
    }
    const struct alc_table_type *target = &module->tables[indices[0]].type;
    const struct alc_table_type *source = &module->tables[indices[1]].type;
    if (!alc_type_matches(module->types, source->element, target->element)) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    ALC_TRY(pop_copy(v, target->limits.is_64, source->limits.is_64,
                     target->limits.is_64 && source->limits.is_64));
    if (v->is_live) {
        alc_emit_in_place(v, ALC_CODE_TABLE_COPY, indices, 2, 3);
    }
    return ALC_OK;
}

static alc_status validate_table_init(struct alc_validator *v)
{
    const struct alc_module *module = v->module;
    uint32_t indices[2]; /* element segment, table */
    ALC_TRY(
        alc_validator_read_index(v, module->elements_count, ALC_E_UNKNOWN_ELEMENT, &indices[0]));
    ALC_TRY(alc_validator_read_index(v, module->tables_count, ALC_E_UNKNOWN_TABLE, &indices[1]));
    const struct alc_table_type *table = &module->tables[indices[1]].type;
    if (!alc_type_matches(module->types, module->elements[indices[0]].type, table->element)) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    ALC_TRY(pop_copy(v, table->limits.is_64, false, false));
    if (v->is_live) {
        alc_emit_in_place(v, ALC_CODE_TABLE_INIT, indices, 2, 3);
    }
    return ALC_OK;
}

alc_status alc_validate_bulk(struct alc_validator *v, enum alc_op op)
{
    uint32_t index;
    switch ((int)op) {
    case ALC_OP_MEMORY_COPY:
        return validate_memory_copy(v);
    case ALC_OP_TABLE_COPY:
        return validate_table_copy(v);
    case ALC_OP_TABLE_INIT:
        return validate_table_init(v);
    default: /* elem.drop */
        ALC_TRY(
            alc_validator_read_index(v, v->module->elements_count, ALC_E_UNKNOWN_ELEMENT, &index));
        if (v->is_live) {
            alc_emit_in_place(v, ALC_CODE_ELEM_DROP, &index, 1, 0);
        }
        return ALC_OK;
    }
}
