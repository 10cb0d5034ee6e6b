/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of blocks, branches, calls, variables and select (spec 3.4.4 to 3.4.6, 3.4.12). The
 * bytes are hostile.
 */
#include "wasm/validate_internal.h"

/* -- blocks -- */

static alc_status read_block_type(struct alc_validator *v, struct alc_control *control)
{
    const struct alc_reader *reader = &v->reader;
    control->type = NULL;
    control->single = ALC_TYPE_BOTTOM;
    uint8_t first = alc_reader_at_end(reader) ? 0 : reader->bytes[reader->pos];
    if (first == 0x40) {
        return alc_read_skip(&v->reader, 1);
    }
    if ((first & 0xc0) == 0x40) {
        return alc_decode_value_type(&v->reader, v->module, &control->single);
    }
    int64_t index;
    ALC_TRY(alc_read_leb_s33(&v->reader, &index));
    if (index < 0 || index >= v->module->types_count) {
        return alc_validator_fail(v, ALC_E_UNKNOWN_TYPE);
    }
    uint32_t id = alc_module_type_id(v->module, (uint32_t)index);
    const struct alc_type *type = alc_types_get(v->module->types, id);
    if (type->kind != ALC_COMPOSITE_FUNCTION) {
        return alc_validator_fail(v, ALC_E_UNKNOWN_TYPE);
    }
    control->type = &type->function;
    return ALC_OK;
}

alc_status alc_validator_push_control(struct alc_validator *v, struct alc_control *control)
{
    if (v->depth == v->controls_capacity) {
        void *controls = v->controls;
        ALC_TRY(alc_validator_grow(v, &controls, &v->controls_capacity, sizeof *v->controls,
                                   ALC_LIMIT_BLOCK_NESTING, ALC_E_LIMIT_NESTING));
        v->controls = controls;
    }
    control->height = v->height;
    control->base_slot = alc_validator_next_slot(v);
    control->first_slot = control->base_slot;
    control->sets_height = v->sets_count;
    control->is_dead = !v->is_live;
    control->is_unreachable = false;
    control->fixups = ALC_NO_UNIT;
    control->else_fixup = ALC_NO_UNIT;
    control->clauses = ALC_NO_HANDLER;
    v->controls[v->depth++] = *control;
    return ALC_OK;
}

static alc_status validate_block(struct alc_validator *v, enum alc_op op)
{
    struct alc_control control = {.op = op};
    struct alc_value condition ALC_UNINITIALIZED;
    uint32_t count;
    ALC_TRY(read_block_type(v, &control));
    if (op == ALC_OP_IF) {
        ALC_TRY(alc_pop(v, ALC_TYPE_I32, &condition));
    } else if (op == ALC_OP_TRY_TABLE) {
        ALC_TRY(alc_validate_clauses(v, &control));
    }
    const uint32_t *parameters = alc_control_parameters(&control, &count);
    ALC_TRY(alc_pop_types(v, parameters, count));
    if (v->is_live) {
        alc_emit_flush(v, count);
    }
    ALC_TRY(alc_validator_push_control(v, &control));
    struct alc_control *top = alc_validator_top(v);
    if (v->is_live && op == ALC_OP_LOOP) {
        alc_emit_loop(v, top);
    } else if (v->is_live && op == ALC_OP_IF) {
        alc_emit_if(v, top, &condition);
    } else if (v->is_live && (op == ALC_OP_TRY || op == ALC_OP_TRY_TABLE)) {
        alc_emit_try(v, top);
    }
    return alc_push_types(v, parameters, count);
}

void alc_validator_forget_sets(struct alc_validator *v, const struct alc_control *control)
{
    while (v->sets_count > control->sets_height) {
        v->locals[v->sets[--v->sets_count]].is_set = false;
    }
}

alc_status alc_validator_pop_results(struct alc_validator *v, const struct alc_control *top)
{
    uint32_t count;
    const uint32_t *results = alc_control_results(top, &count);
    ALC_TRY(alc_pop_types(v, results, count));
    return v->height == top->height ? ALC_OK : alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
}

static alc_status validate_else(struct alc_validator *v)
{
    struct alc_control *top = alc_validator_top(v);
    uint32_t count;
    if (top->op != ALC_OP_IF) {
        return alc_validator_fail(v, ALC_E_ILLEGAL_OPCODE);
    }
    (void)alc_control_results(top, &count);
    ALC_TRY(alc_validator_pop_results(v, top));
    if (v->is_live) {
        v->height += count;
        alc_emit_branch(v, top);
        v->height -= count;
    }
    top->op = ALC_OP_ELSE;
    top->is_unreachable = false;
    alc_validator_forget_sets(v, top);
    v->is_live = v->has_target && !top->is_dead;
    if (v->is_live) {
        alc_emit_else(v, top);
    }
    const uint32_t *parameters = alc_control_parameters(top, &count);
    return alc_push_types(v, parameters, count);
}

/* An `if` without `else` passes its parameters on. */
static alc_status check_missing_else(struct alc_validator *v, const struct alc_control *top)
{
    uint32_t parameters_count;
    uint32_t results_count;
    const uint32_t *parameters = alc_control_parameters(top, &parameters_count);
    const uint32_t *results = alc_control_results(top, &results_count);
    if (parameters_count != results_count) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    for (uint32_t i = 0; i < results_count; i++) {
        if (!alc_type_matches(v->module->types, parameters[i], results[i])) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
    }
    return ALC_OK;
}

alc_status alc_validate_end(struct alc_validator *v)
{
    struct alc_control *top = alc_validator_top(v);
    uint32_t count;
    const uint32_t *results = alc_control_results(top, &count);
    if (top->op == ALC_OP_IF) {
        ALC_TRY(check_missing_else(v, top));
    }
    ALC_TRY(alc_validator_pop_results(v, top));
    if (top->op == ALC_OP_TRY_TABLE) {
        ALC_TRY(alc_emit_handler(v, top, top->first_clause));
    }
    bool in_place = false;
    if (v->has_target && !top->is_dead) {
        alc_emit_block_end(v, top, v->is_live, &in_place);
    }
    alc_validator_forget_sets(v, top);
    v->is_live = v->has_target && !top->is_dead;
    v->height -= alc_control_is_catch(top); /* its exception */
    v->depth--;
    if (v->depth == 0) {
        return ALC_OK;
    }
    if (!in_place) {
        /* `results` may point into the control that was just popped: it is still there. */
        return alc_push_types(v, results, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        v->values[v->height++].type = results[i];
    }
    return ALC_OK;
}

/* -- branches -- */

alc_status alc_validator_read_label(struct alc_validator *v, struct alc_control **out)
{
    uint32_t depth;
    ALC_TRY(alc_validator_read_index(v, v->depth, ALC_E_UNKNOWN_LABEL, &depth));
    *out = &v->controls[v->depth - 1 - depth];
    return ALC_OK;
}

static alc_status validate_br(struct alc_validator *v)
{
    struct alc_control *target;
    uint32_t count;
    ALC_TRY(alc_validator_read_label(v, &target));
    const uint32_t *types = alc_control_label(target, &count);
    ALC_TRY(alc_pop_types(v, types, count));
    if (v->is_live) {
        v->height += count;
        alc_emit_branch(v, target);
    }
    alc_validator_set_unreachable(v);
    return ALC_OK;
}

alc_status alc_validator_keep_values(struct alc_validator *v, const uint32_t *types, uint32_t count)
{
    uint32_t before = v->height;
    ALC_TRY(alc_pop_types(v, types, count));
    if (before - v->height != count) {
        return alc_push_types(v, types, count); /* unreachable: some came from nowhere */
    }
    for (uint32_t i = 0; i < count; i++) {
        v->values[v->height++].type = types[i];
    }
    return ALC_OK;
}

static alc_status validate_br_if(struct alc_validator *v)
{
    struct alc_control *target;
    struct alc_value condition ALC_UNINITIALIZED;
    uint32_t count;
    ALC_TRY(alc_validator_read_label(v, &target));
    ALC_TRY(alc_pop(v, ALC_TYPE_I32, &condition));
    const uint32_t *types = alc_control_label(target, &count);
    ALC_TRY(alc_validator_keep_values(v, types, count));
    if (v->is_live) {
        alc_emit_branch_if(v, target, &condition);
    }
    return ALC_OK;
}

/* One label of br_table: its values must be on the stack; they are looked at, not consumed. */
static alc_status check_table_label(struct alc_validator *v, const struct alc_control *target,
                                    uint32_t arity)
{
    const struct alc_control *top = alc_validator_top(v);
    uint32_t count;
    const uint32_t *types = alc_control_label(target, &count);
    if (count != arity) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    uint32_t present = v->height - top->height;
    if (present < count && !top->is_unreachable) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    uint32_t checked = present < count ? present : count;
    for (uint32_t i = 1; i <= checked; i++) {
        uint32_t type = v->values[v->height - i].type;
        if (type != ALC_TYPE_BOTTOM &&
            !alc_type_matches(v->module->types, type, types[count - i])) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
    }
    return ALC_OK;
}

static alc_status validate_br_table(struct alc_validator *v)
{
    uint32_t count;
    uint32_t arity = 0;
    struct alc_value index ALC_UNINITIALIZED;
    ALC_TRY(alc_read_count(&v->reader, ALC_LIMIT_BRANCH_TABLE, ALC_E_LIMIT_ITEMS, 1, &count));
    ALC_TRY(alc_pop(v, ALC_TYPE_I32, &index));
    size_t labels = v->reader.pos;
    for (uint32_t i = 0; i <= count; i++) {
        struct alc_control *target;
        ALC_TRY(alc_validator_read_label(v, &target));
        if (i == 0) {
            (void)alc_control_label(target, &arity);
        }
        if (target->checked != v->op_offset) {
            target->checked = v->op_offset;
            ALC_TRY(check_table_label(v, target, arity));
        }
    }
    if (v->is_live) {
        uint32_t first = alc_emit_table_begin(v, &index, count, arity);
        v->reader.pos = labels;
        for (uint32_t i = 0; i <= count; i++) {
            struct alc_control *target;
            ALC_TRY(alc_validator_read_label(v, &target));
            alc_emit_table_stub(v, target, first + 2 * i, arity);
        }
    }
    alc_validator_set_unreachable(v);
    return ALC_OK;
}

static alc_status validate_return(struct alc_validator *v)
{
    ALC_TRY(alc_pop_types(v, v->type->results, v->type->results_count));
    if (v->is_live) {
        v->height += v->type->results_count;
        alc_emit_return(v, v->type->results_count);
    }
    alc_validator_set_unreachable(v);
    return ALC_OK;
}

alc_status alc_validate_control(struct alc_validator *v, enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_UNREACHABLE:
        if (v->is_live) {
            alc_emit_op(v, ALC_CODE_UNREACHABLE);
        }
        alc_validator_set_unreachable(v);
        return ALC_OK;
    case ALC_OP_BLOCK:
    case ALC_OP_LOOP:
    case ALC_OP_IF:
    case ALC_OP_TRY:
    case ALC_OP_TRY_TABLE:
        return validate_block(v, op);
    case ALC_OP_ELSE:
        return validate_else(v);
    case ALC_OP_END:
        return alc_validate_end(v);
    case ALC_OP_BR:
        return validate_br(v);
    case ALC_OP_BR_IF:
        return validate_br_if(v);
    case ALC_OP_BR_TABLE:
        return validate_br_table(v);
    case ALC_OP_RETURN:
        return validate_return(v);
    default:
        return alc_validate_exception(v, op);
    }
}

/* -- calls -- */

/* Reads the immediates and pops the callee; call->type becomes the type of the function called. */
static alc_status read_callee(struct alc_validator *v, struct alc_call *call)
{
    const struct alc_module *module = v->module;
    const struct alc_type *type;
    if (call->op == ALC_OP_CALL || call->op == ALC_OP_RETURN_CALL) {
        ALC_TRY(alc_validator_read_index(v, module->functions_count, ALC_E_UNKNOWN_FUNCTION,
                                         &call->function_index));
        call->type = &module->functions[call->function_index].type->function;
        return ALC_OK;
    }
    ALC_TRY(alc_decode_type_index(&v->reader, module, &type));
    if (call->op == ALC_OP_CALL_INDIRECT || call->op == ALC_OP_RETURN_CALL_INDIRECT) {
        ALC_TRY(alc_validator_read_index(v, module->tables_count, ALC_E_UNKNOWN_TABLE,
                                         &call->table_index));
        const struct alc_table_type *table = &module->tables[call->table_index].type;
        if (!alc_type_matches(module->types, table->element, ALC_TYPE_FUNCREF)) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
        if (type->kind != ALC_COMPOSITE_FUNCTION) {
            return alc_validator_fail(v, ALC_E_UNKNOWN_TYPE);
        }
        ALC_TRY(alc_pop(v, table->limits.is_64 ? ALC_TYPE_I64 : ALC_TYPE_I32, call->callee));
    } else {
        if (type->kind != ALC_COMPOSITE_FUNCTION) {
            return alc_validator_fail(v, ALC_E_UNKNOWN_TYPE);
        }
        ALC_TRY(alc_pop(v, ALC_TYPE_OF_REF_NULL(type->id), call->callee));
    }
    call->type_id = type->id;
    call->type = &type->function;
    return ALC_OK;
}

/* A tail call's results must be those of the function itself. */
static alc_status check_tail_results(struct alc_validator *v, const struct alc_function_type *type)
{
    if (type->results_count != v->type->results_count) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    for (uint32_t i = 0; i < type->results_count; i++) {
        if (!alc_type_matches(v->module->types, type->results[i], v->type->results[i])) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
    }
    return ALC_OK;
}

static alc_status push_call_results(struct alc_validator *v, const struct alc_function_type *type)
{
    if (v->is_live && type->results_count == 1 && type->results[0] != ALC_TYPE_V128) {
        return alc_emit_push(v, type->results[0], ALC_PLACE_ACC);
    }
    return alc_push_types(v, type->results, type->results_count);
}

alc_status alc_validate_call(struct alc_validator *v, enum alc_op op)
{
    struct alc_value callee ALC_UNINITIALIZED;
    struct alc_call call = {.op = op, .callee = &callee};
    ALC_TRY(read_callee(v, &call));
    bool is_tail = op == ALC_OP_RETURN_CALL || op == ALC_OP_RETURN_CALL_INDIRECT ||
                   op == ALC_OP_RETURN_CALL_REF;
    if (is_tail) {
        ALC_TRY(check_tail_results(v, call.type));
    }
    ALC_TRY(alc_pop_types(v, call.type->parameters, call.type->parameters_count));
    if (v->is_live) {
        alc_emit_call(v, &call);
    }
    if (is_tail) {
        alc_validator_set_unreachable(v);
        return ALC_OK;
    }
    return push_call_results(v, call.type);
}

/* -- variables -- */

static alc_status mark_set(struct alc_validator *v, uint32_t index)
{
    struct alc_local *local = &v->locals[index];
    if (local->is_set) {
        return ALC_OK;
    }
    if (v->sets_count == v->sets_capacity) {
        void *sets = v->sets;
        ALC_TRY(alc_validator_grow(v, &sets, &v->sets_capacity, sizeof *v->sets, ALC_LIMIT_LOCALS,
                                   ALC_E_TOO_MANY_LOCALS));
        v->sets = sets;
    }
    v->sets[v->sets_count++] = index;
    local->is_set = true;
    return ALC_OK;
}

static alc_status validate_local(struct alc_validator *v, enum alc_op op)
{
    uint32_t index;
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_validator_read_index(v, v->locals_count, ALC_E_UNKNOWN_LOCAL, &index));
    const struct alc_local *local = &v->locals[index];
    if (op == ALC_OP_LOCAL_GET) {
        if (!local->is_set) {
            return alc_validator_fail(v, ALC_E_UNINITIALIZED_LOCAL);
        }
        return v->is_live ? alc_emit_local_get(v, local->type, local->slot)
                          : alc_push_slot(v, local->type);
    }
    ALC_TRY(alc_pop(v, local->type, &value));
    ALC_TRY(mark_set(v, index));
    if (v->is_live) {
        alc_emit_local_set(v, &value, local->slot);
    }
    if (op == ALC_OP_LOCAL_SET) {
        return ALC_OK;
    }
    return v->is_live ? alc_emit_local_get(v, local->type, local->slot)
                      : alc_push_slot(v, local->type);
}

static alc_status validate_global(struct alc_validator *v, enum alc_op op)
{
    uint32_t index;
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_validator_read_index(v, v->module->globals_count, ALC_E_UNKNOWN_GLOBAL, &index));
    const struct alc_global_type *type = &v->module->globals[index].type;
    if (op == ALC_OP_GLOBAL_GET) {
        return v->is_live ? alc_emit_global_get(v, index, type->type)
                          : alc_push_slot(v, type->type);
    }
    if (!type->is_mutable) {
        return alc_validator_fail(v, ALC_E_IMMUTABLE_GLOBAL);
    }
    ALC_TRY(alc_pop(v, type->type, &value));
    if (v->is_live) {
        alc_emit_global_set(v, index, &value);
    }
    return ALC_OK;
}

static alc_status read_select_type(struct alc_validator *v, uint32_t *out)
{
    uint32_t count;
    ALC_TRY(alc_read_leb_u32(&v->reader, &count));
    if (count != 1) {
        return alc_validator_fail(v, ALC_E_BAD_RESULT_ARITY);
    }
    return alc_decode_value_type(&v->reader, v->module, out);
}

static alc_status validate_select(struct alc_validator *v, enum alc_op op)
{
    struct alc_value operands[3] ALC_UNINITIALIZED;
    uint32_t type = ALC_TYPE_BOTTOM;
    if (op == ALC_OP_SELECT_TYPED) {
        ALC_TRY(read_select_type(v, &type));
    }
    ALC_TRY(alc_pop(v, ALC_TYPE_I32, &operands[2]));
    ALC_TRY(alc_pop(v, type, &operands[1]));
    ALC_TRY(alc_pop(v, type, &operands[0]));
    if (op == ALC_OP_SELECT) {
        uint32_t a = operands[0].type;
        uint32_t b = operands[1].type;
        if (alc_type_is_reference(a) || alc_type_is_reference(b) ||
            (a != b && a != ALC_TYPE_BOTTOM && b != ALC_TYPE_BOTTOM)) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
        type = a == ALC_TYPE_BOTTOM ? b : a;
    }
    return v->is_live ? alc_emit_select(v, operands, type) : alc_push_slot(v, type);
}

alc_status alc_validate_variable(struct alc_validator *v, enum alc_op op)
{
    struct alc_value value ALC_UNINITIALIZED;
    switch ((int)op) {
    case ALC_OP_LOCAL_GET:
    case ALC_OP_LOCAL_SET:
    case ALC_OP_LOCAL_TEE:
        return validate_local(v, op);
    case ALC_OP_GLOBAL_GET:
    case ALC_OP_GLOBAL_SET:
        return validate_global(v, op);
    case ALC_OP_DROP:
        return alc_pop(v, ALC_TYPE_BOTTOM, &value);
    default:
        return validate_select(v, op);
    }
}
