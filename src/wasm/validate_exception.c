/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of exceptions: throwing, the clauses of try_table (spec 3.4.5), and try, catch,
 * delegate and rethrow of the legacy proposal. The bytes are hostile.
 *
 * A catch of the legacy proposal keeps its exception, for rethrow, in a hidden operand below
 * everything that its body sees.
 */
#include "wasm/validate_internal.h"

/* Kinds of clauses in the binary format. */
enum { CATCH_REF_BIT = 1, CATCH_ALL_BIT = 2, CATCH_KINDS = 4 };

static alc_status read_tag(struct alc_validator *v, uint32_t *index,
                           const struct alc_function_type **type)
{
    const struct alc_module *module = v->module;
    ALC_TRY(alc_validator_read_index(v, module->tags_count, ALC_E_UNKNOWN_TAG, index));
    *type = &alc_types_get(module->types, module->tags[*index])->function;
    return ALC_OK;
}

/* -- try_table -- */

/* The label must take what the clause brings. */
static alc_status check_label(struct alc_validator *v, const struct alc_control *target,
                              const struct alc_function_type *type, bool has_reference)
{
    const struct alc_type_registry *types = v->module->types;
    uint32_t count;
    const uint32_t *wanted = alc_control_label(target, &count);
    uint32_t payload_count = type != NULL ? type->parameters_count : 0;
    if (count != payload_count + has_reference) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    for (uint32_t i = 0; i < payload_count; i++) {
        if (!alc_type_matches(types, type->parameters[i], wanted[i])) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
    }
    if (has_reference &&
        !alc_type_matches(types, ALC_TYPE_OF_REF(ALC_HEAP_EXN), wanted[payload_count])) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    return ALC_OK;
}

/* The frame must hold what is put where the label wants it, though nothing is pushed. */
static alc_status need_slots(struct alc_validator *v, uint32_t end)
{
    if (end > ALC_LIMIT_FRAME_SLOTS) {
        return alc_validator_fail(v, ALC_E_LIMIT_FRAME);
    }
    v->slots_max = end > v->slots_max ? end : v->slots_max;
    return ALC_OK;
}

static alc_status validate_clause(struct alc_validator *v, struct alc_control *control)
{
    uint8_t kind;
    uint32_t tag_index = ALC_NO_INDEX;
    const struct alc_function_type *type = NULL;
    struct alc_control *target;
    ALC_TRY(alc_read_u8(&v->reader, &kind));
    if (kind >= CATCH_KINDS) {
        return alc_validator_fail(v, ALC_E_BAD_CATCH_KIND);
    }
    bool has_reference = (kind & CATCH_REF_BIT) != 0;
    if ((kind & CATCH_ALL_BIT) == 0) {
        ALC_TRY(read_tag(v, &tag_index, &type));
    }
    ALC_TRY(alc_validator_read_label(v, &target));
    ALC_TRY(check_label(v, target, type, has_reference));
    uint32_t payload_slots = type != NULL ? type->parameters_slots : 0;
    ALC_TRY(need_slots(v, target->base_slot + payload_slots + has_reference));
    return v->is_live ? alc_emit_clause(v, control, target, tag_index, payload_slots, has_reference)
                      : ALC_OK;
}

alc_status alc_validate_clauses(struct alc_validator *v, struct alc_control *control)
{
    uint32_t count;
    ALC_TRY(alc_read_count(&v->reader, ALC_LIMIT_BODY_SIZE, ALC_E_LIMIT_ITEMS, 2, &count));
    control->first_clause = ALC_NO_HANDLER;
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(validate_clause(v, control));
    }
    return ALC_OK;
}

/* -- the legacy proposal -- */

static alc_status validate_catch(struct alc_validator *v, enum alc_op op)
{
    struct alc_control *top = alc_validator_top(v);
    uint32_t tag_index = ALC_NO_INDEX;
    const struct alc_function_type *type = NULL;
    uint32_t count;
    if (top->op != ALC_OP_TRY && top->op != ALC_OP_CATCH) {
        return alc_validator_fail(v, ALC_E_ILLEGAL_OPCODE);
    }
    if (op == ALC_OP_CATCH) {
        ALC_TRY(read_tag(v, &tag_index, &type));
    }
    (void)alc_control_results(top, &count);
    ALC_TRY(alc_validator_pop_results(v, top));
    if (v->is_live) {
        v->height += count;
        alc_emit_branch(v, top);
        v->height -= count;
    }
    if (top->op == ALC_OP_TRY) {
        top->first_clause = ALC_NO_HANDLER;
        ALC_TRY(alc_emit_handler(v, top, v->emitter.clauses_count));
    } else {
        v->height--; /* the exception of the catch before */
        top->height--;
        top->first_slot--;
    }
    top->op = op;
    top->is_unreachable = false;
    alc_validator_forget_sets(v, top);
    v->is_live = v->has_target && !top->is_dead;
    ALC_TRY(alc_push_slot(v, ALC_TYPE_OF_REF(ALC_HEAP_EXN)));
    top->height++;
    top->first_slot++;
    if (v->is_live) {
        ALC_TRY(alc_emit_catch(v, top, tag_index));
    }
    return type != NULL ? alc_push_types(v, type->parameters, type->parameters_count) : ALC_OK;
}

static alc_status validate_delegate(struct alc_validator *v)
{
    const struct alc_control *top = alc_validator_top(v);
    uint32_t label;
    if (top->op != ALC_OP_TRY) {
        return alc_validator_fail(v, ALC_E_ILLEGAL_OPCODE);
    }
    /* The label is counted from outside the try. */
    ALC_TRY(alc_validator_read_index(v, v->depth - 1, ALC_E_UNKNOWN_LABEL, &label));
    ALC_TRY(alc_emit_handler(v, top, ALC_HANDLER_DELEGATES + (v->depth - 2 - label)));
    return alc_validate_end(v);
}

static alc_status validate_rethrow(struct alc_validator *v)
{
    struct alc_control *target;
    ALC_TRY(alc_validator_read_label(v, &target));
    if (!alc_control_is_catch(target)) {
        return alc_validator_fail(v, ALC_E_BAD_RETHROW_LABEL);
    }
    if (v->is_live) {
        alc_emit_throw_ref(v, target->base_slot);
    }
    alc_validator_set_unreachable(v);
    return ALC_OK;
}

/* -- throwing -- */

static alc_status validate_throw(struct alc_validator *v)
{
    uint32_t tag_index;
    const struct alc_function_type *type;
    ALC_TRY(read_tag(v, &tag_index, &type));
    ALC_TRY(alc_pop_types(v, type->parameters, type->parameters_count));
    if (v->is_live) {
        alc_emit_throw(v, tag_index, type->parameters_count);
    }
    alc_validator_set_unreachable(v);
    return ALC_OK;
}

static alc_status validate_throw_ref(struct alc_validator *v)
{
    struct alc_value value ALC_UNINITIALIZED;
    ALC_TRY(alc_pop(v, ALC_TYPE_EXNREF, &value));
    if (v->is_live) {
        alc_emit_throw_ref(v, alc_emit_slot_of(v, &value));
    }
    alc_validator_set_unreachable(v);
    return ALC_OK;
}

alc_status alc_validate_exception(struct alc_validator *v, enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_CATCH:
    case ALC_OP_CATCH_ALL:
        return validate_catch(v, op);
    case ALC_OP_DELEGATE:
        return validate_delegate(v);
    case ALC_OP_RETHROW:
        return validate_rethrow(v);
    case ALC_OP_THROW:
        return validate_throw(v);
    case ALC_OP_THROW_REF:
        return validate_throw_ref(v);
    default:
        return alc_validator_fail(v, ALC_E_FEATURE_DISABLED);
    }
}
