/* SPDX-License-Identifier: Apache-2.0
 *
 * Emission of control: branches with the values they carry, blocks, br_table, calls and returns.
 * Distances of forward branches are chained through their own units until the label is bound.
 * Trusts the validator.
 */
#include "wasm/emit.h"
#include "wasm/validate_internal.h"

/* -- distances -- */

static void bind(struct alc_emitter *e, uint32_t unit, uint32_t target)
{
    alc_store_u32(&e->units[unit], target - (unit + 2));
}

static void bind_chain(struct alc_emitter *e, uint32_t first, uint32_t target)
{
    while (first != ALC_NO_UNIT && e->failed == ALC_OK) {
        uint32_t next = (uint32_t)e->units[first] | (uint32_t)e->units[first + 1] << 16;
        bind(e, first, target);
        first = next;
    }
}

static uint32_t emit_distance(struct alc_validator *v)
{
    uint32_t unit = v->emitter.count;
    alc_emit_u32(v, ALC_NO_UNIT);
    v->emitter.last_end = ALC_NO_UNIT;
    return unit;
}

/* Makes the distance at `unit` lead to the label of `target` (not of the function). */
static void link_label(struct alc_validator *v, uint32_t unit, struct alc_control *target)
{
    if (target->op == ALC_OP_LOOP) {
        bind(&v->emitter, unit, target->start_unit);
        return;
    }
    alc_store_u32(&v->emitter.units[unit], target->fixups);
    target->fixups = unit;
}

/* -- moving what a branch carries -- */

/* More values than this are put into their own slots once and copied by one operation, so that a
 * branch of two bytes cannot become thousands of moves. */
enum { MOVES_MAX = 8 };

static void settle_many(struct alc_validator *v, uint32_t end, uint32_t count)
{
    for (uint32_t i = end - count; count > MOVES_MAX && i < end; i++) {
        alc_emit_settle(v, &v->values[i]);
    }
}

static bool is_function(const struct alc_control *target)
{
    return target->op == ALC_OP_ILLEGAL;
}

/* Whether the top `count` values have to be moved for a branch to `target`. */
static bool needs_moves(const struct alc_validator *v, const struct alc_control *target,
                        uint32_t count)
{
    if (count == 0) {
        return false;
    }
    const struct alc_value *values = &v->values[v->height - count];
    if (values[0].slot != target->base_slot) {
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].place != ALC_PLACE_SLOT) {
            return true;
        }
    }
    return false;
}

/* Copies the values below `end` where `target` wants them; ascending, so that none is overwritten
 * before it is read: a value never stands below its place in the label. */
static void emit_moves(struct alc_validator *v, const struct alc_control *target, uint32_t end,
                       uint32_t count)
{
    if (count > MOVES_MAX) {
        const struct alc_value *first = &v->values[end - count];
        const struct alc_value *last = &v->values[end - 1];
        if (first->slot != target->base_slot) {
            alc_emit_op(v, ALC_CODE_COPY_MANY);
            alc_emit_u16(v, first->slot);
            alc_emit_u16(v, target->base_slot);
            alc_emit_u16(v, last->slot + alc_type_slots(last->type) - first->slot);
            v->emitter.acc_slot[0] = v->emitter.acc_slot[1] = ALC_NO_SLOT;
        }
        return;
    }
    uint32_t slot = target->base_slot;
    for (uint32_t i = end - count; i < end; i++) {
        alc_emit_copy_to(v, &v->values[i], slot);
        slot += alc_type_slots(v->values[i].type);
    }
}

/* -- blocks -- */

void alc_emit_loop(struct alc_validator *v, struct alc_control *control)
{
    alc_emit_label(v);
    control->start_unit = v->emitter.count;
    if (v->emitter.target->interruptible) {
        alc_emit_op(v, ALC_CODE_POLL);
    }
}

/* First form of the STEP of a comparison, by which the sum of an increment ends a loop, or 0. */
static uint32_t step_code(uint32_t compare)
{
    static const struct {
        uint16_t compare;
        uint16_t step;
    } rows[] = {
#define STEP(i)                                                                                    \
    {ALC_CODE_##i##_AS, ALC_CODE_##i##_STEP_S}, {ALC_CODE_##i##_AI, ALC_CODE_##i##_STEP_I},
#include "wasm/code_families.h"
    };
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (rows[i].compare == compare) {
            return rows[i].step;
        }
    }
    return 0;
}

/* Fuses the comparison `code`, the last operation, with the increments before it; false when there
 * are none or that has no handler. */
static bool step_compare(struct alc_validator *v, uint32_t code)
{
    struct alc_emitter *e = &v->emitter;
    bool is_pair = e->before_code == ALC_CODE_I32_ADD_PAIR;
    uint32_t step = is_pair || e->before_code == ALC_CODE_I32_ADD_SID ? step_code(code) : 0;
    if (e->before_unit == ALC_NO_UNIT || step == 0) {
        return false;
    }
    uint32_t compare = e->last_unit;
    uint32_t slot = e->units[compare - 1];
    alc_emit_refit(v, e->before_unit, (enum alc_code_op)(step + (is_pair ? 2 : 0)), compare + 2,
                   compare);
    e->acc_slot[0] = slot;
    return true;
}

/* The same for a sum that is compared with zero. */
static bool step_zero(struct alc_validator *v, bool when_zero)
{
    struct alc_emitter *e = &v->emitter;
    bool is_pair = alc_emit_is_last(v, ALC_CODE_I32_ADD_PAIR);
    if (!is_pair && !alc_emit_is_last(v, ALC_CODE_I32_ADD_SID)) {
        return false;
    }
    uint32_t step = when_zero ? ALC_CODE_I32_EQ_STEP_I : ALC_CODE_I32_NE_STEP_I;
    alc_emit_refit(v, e->last_unit, (enum alc_code_op)(step + (is_pair ? 2 : 0)), e->count,
                   e->count);
    alc_emit_u32(v, 0);
    return true;
}

/* Floating comparisons have no opposite: they branch when true, or unless. */
static uint32_t branch_on_order(struct alc_validator *v, bool when_zero)
{
    struct alc_emitter *e = &v->emitter;
    uint32_t code = e->last_code + (when_zero ? 6 : 3);
    alc_emit_set_code(e, e->last_unit, code);
    return emit_distance(v);
}

/* Turns the condition into a branch taken when it is not zero (or zero); unit of the distance. */
static uint32_t emit_conditional(struct alc_validator *v, struct alc_value *condition,
                                 bool when_zero)
{
    struct alc_emitter *e = &v->emitter;
    uint32_t code = e->last_code;
    bool is_last = condition->place == ALC_PLACE_ACC && e->last_end == e->count;
    if (is_last && e->last_kind == ALC_LAST_COMPARE) {
        code = when_zero ? alc_emit_inverse_compare(code) : code;
        if (step_compare(v, code)) {
            return emit_distance(v);
        }
        alc_emit_set_code(e, e->last_unit, code + 4);
        return emit_distance(v);
    }
    if (is_last && e->last_kind == ALC_LAST_ORDER) {
        return branch_on_order(v, when_zero);
    }
    if (is_last && code == ALC_CODE_I32_EQZ_A && e->before_unit != ALC_NO_UNIT &&
        alc_emit_is_order(e->before_code)) {
        alc_emit_refit(v, e->before_unit, (enum alc_code_op)e->before_code, e->count, e->last_unit);
        return branch_on_order(v, !when_zero);
    }
    if (is_last && (code == ALC_CODE_I32_EQZ_S || code == ALC_CODE_I32_EQZ_A)) {
        bool in_acc = code == ALC_CODE_I32_EQZ_A;
        code = when_zero ? (in_acc ? ALC_CODE_BR_IF_A : ALC_CODE_BR_IF_S)
                         : (in_acc ? ALC_CODE_BR_UNLESS_A : ALC_CODE_BR_UNLESS_S);
        alc_emit_set_code(e, e->last_unit, code);
        return emit_distance(v);
    }
    if (is_last && (code == ALC_CODE_I64_EQZ_S || code == ALC_CODE_I64_EQZ_A)) {
        bool in_acc = code == ALC_CODE_I64_EQZ_A;
        code = when_zero ? (in_acc ? ALC_CODE_I64_NE_BR_AI : ALC_CODE_I64_NE_BR_SI)
                         : (in_acc ? ALC_CODE_I64_EQ_BR_AI : ALC_CODE_I64_EQ_BR_SI);
        alc_emit_set_code(e, e->last_unit, code);
        alc_emit_u32(v, 0);
        return emit_distance(v);
    }
    bool in_acc = alc_emit_is_in_acc(v, condition, 0);
    if (in_acc && step_zero(v, when_zero)) {
        return emit_distance(v);
    }
    uint32_t slot = in_acc ? 0 : alc_emit_slot_of(v, condition);
    alc_emit_op(v, when_zero ? (in_acc ? ALC_CODE_BR_UNLESS_A : ALC_CODE_BR_UNLESS_S)
                             : (in_acc ? ALC_CODE_BR_IF_A : ALC_CODE_BR_IF_S));
    if (!in_acc) {
        alc_emit_u16(v, slot);
    }
    return emit_distance(v);
}

void alc_emit_if(struct alc_validator *v, struct alc_control *control, struct alc_value *condition)
{
    control->else_fixup = emit_conditional(v, condition, true);
    alc_emit_end_block(v);
}

static void bind_here(struct alc_validator *v, uint32_t chain)
{
    bind_chain(&v->emitter, chain, v->emitter.count);
    alc_emit_label(v);
}

void alc_emit_else(struct alc_validator *v, struct alc_control *control)
{
    bind_here(v, control->else_fixup);
    control->else_fixup = ALC_NO_UNIT;
}

void alc_emit_block_end(struct alc_validator *v, struct alc_control *control, bool falls_through,
                        bool *in_place)
{
    uint32_t count;
    (void)alc_control_results(control, &count);
    if (is_function(control)) {
        if (falls_through) {
            v->height += count;
            alc_emit_return(v, count);
            v->height -= count;
        }
        alc_emit_landing_return(v, control);
        *in_place = false;
        return;
    }
    bool merges = control->fixups != ALC_NO_UNIT || control->else_fixup != ALC_NO_UNIT ||
                  control->clauses != ALC_NO_HANDLER || control->op == ALC_OP_ELSE ||
                  alc_control_is_catch(control);
    *in_place = falls_through && !merges;
    if (*in_place) {
        return;
    }
    if (falls_through) {
        settle_many(v, v->height + count, count);
        emit_moves(v, control, v->height + count, count);
    }
    alc_emit_end_block(v); /* what it charges, branches to here do not pay */
    if (control->else_fixup != ALC_NO_UNIT) {
        bind(&v->emitter, control->else_fixup, v->emitter.count);
    }
    alc_emit_bind_clauses(v, control, v->emitter.count);
    bind_here(v, control->fixups);
}

/* -- branches -- */

/* The branch itself, with what it carries; nothing of the stack changes. */
static void emit_taken(struct alc_validator *v, struct alc_control *target)
{
    uint32_t count;
    (void)alc_control_label(target, &count);
    if (is_function(target)) {
        alc_emit_return(v, count);
        return;
    }
    emit_moves(v, target, v->height, count);
    struct alc_emitter *e = &v->emitter;
    if (alc_emit_is_last(v, ALC_CODE_I32_ADD_SID)) {
        alc_emit_refit(v, e->last_unit, ALC_CODE_I32_ADD_BR, e->count, e->count);
    } else if (alc_emit_is_last(v, ALC_CODE_COPY)) {
        alc_emit_refit(v, e->last_unit, ALC_CODE_COPY_BR, e->count, e->count);
    } else {
        alc_emit_op(v, ALC_CODE_BR);
    }
    link_label(v, emit_distance(v), target);
}

void alc_emit_branch(struct alc_validator *v, struct alc_control *target)
{
    uint32_t count;
    (void)alc_control_label(target, &count);
    settle_many(v, v->height, count);
    /* The operation that made the value can store it where it is wanted. */
    if (count == 1 && !is_function(target)) {
        struct alc_value *value = &v->values[v->height - 1];
        if (value->place == ALC_PLACE_ACC) {
            value->slot = (uint16_t)target->base_slot;
            alc_emit_settle(v, value);
        }
    }
    emit_taken(v, target);
}

/* After a conditional branch: what the other path does to the state is undone. */
static void emit_around(struct alc_validator *v, uint32_t skip, struct alc_control *target)
{
    struct alc_emitter *e = &v->emitter;
    uint32_t acc_slot[2] = {e->acc_slot[0], e->acc_slot[1]};
    alc_emit_end_block(v);
    emit_taken(v, target);
    if (e->failed == ALC_OK) {
        bind(e, skip, e->count);
    }
    alc_emit_label(v);
    e->acc_slot[0] = acc_slot[0];
    e->acc_slot[1] = acc_slot[1];
}

void alc_emit_branch_if(struct alc_validator *v, struct alc_control *target,
                        struct alc_value *condition)
{
    uint32_t count;
    (void)alc_control_label(target, &count);
    settle_many(v, v->height, count);
    if (!is_function(target) && !needs_moves(v, target, count)) {
        link_label(v, emit_conditional(v, condition, false), target);
        alc_emit_end_block(v);
        return;
    }
    /* The moves must not overwrite a slot that is cached, nor be seen on the other path. */
    emit_around(v, emit_conditional(v, condition, true), target);
}

void alc_emit_branch_null(struct alc_validator *v, struct alc_control *target,
                          struct alc_value *value, bool on_null)
{
    uint32_t count;
    (void)alc_control_label(target, &count);
    uint32_t slot = alc_emit_slot_of(v, value);
    settle_many(v, v->height, count);
    bool direct = !is_function(target) && !needs_moves(v, target, count);
    alc_emit_op(v, on_null == direct ? ALC_CODE_BR_NULL : ALC_CODE_BR_NON_NULL);
    alc_emit_u16(v, slot);
    uint32_t unit = emit_distance(v);
    if (direct) {
        link_label(v, unit, target);
        alc_emit_end_block(v);
    } else {
        emit_around(v, unit, target);
    }
}

/* -- br_table -- */

uint32_t alc_emit_table_begin(struct alc_validator *v, struct alc_value *index, uint32_t count,
                              uint32_t values_count)
{
    struct alc_emitter *e = &v->emitter;
    bool in_acc = alc_emit_is_in_acc(v, index, 0);
    uint32_t slot = in_acc ? 0 : alc_emit_slot_of(v, index);
    for (uint32_t i = v->height - values_count; i < v->height; i++) {
        alc_emit_settle(v, &v->values[i]);
    }
    if (index->place == ALC_PLACE_ACC && alc_emit_is_last(v, ALC_CODE_I32_ADD_AI)) {
        alc_emit_refit(v, e->last_unit, ALC_CODE_BR_TABLE_AI, e->count, e->count);
    } else {
        alc_emit_op(v, in_acc ? ALC_CODE_BR_TABLE_A : ALC_CODE_BR_TABLE_S);
        if (!in_acc) {
            alc_emit_u16(v, slot);
        }
    }
    alc_emit_u32(v, count);
    uint32_t first = e->count;
    for (uint32_t i = 0; i <= count; i++) {
        (void)emit_distance(v);
    }
    alc_emit_end_block(v);
    e->stub_serial++;
    return first;
}

void alc_emit_table_stub(struct alc_validator *v, struct alc_control *target, uint32_t entry_unit,
                         uint32_t values_count)
{
    struct alc_emitter *e = &v->emitter;
    if (e->failed != ALC_OK) {
        return;
    }
    if (!is_function(target) && !needs_moves(v, target, values_count)) {
        link_label(v, entry_unit, target);
        return;
    }
    if (target->stub_serial != e->stub_serial) {
        target->stub_serial = e->stub_serial;
        alc_emit_label(v);
        target->stub_unit = e->count;
        emit_taken(v, target);
    }
    if (e->failed == ALC_OK) {
        bind(e, entry_unit, target->stub_unit);
    }
}

/* -- returns -- */

static void emit_return_values(struct alc_validator *v, uint32_t count)
{
    struct alc_value *values = &v->values[v->height - count];
    uint32_t slots = 0;
    for (uint32_t i = 0; i < count; i++) {
        alc_emit_copy_to(v, &values[i], values[i].slot);
        slots += alc_type_slots(values[i].type);
    }
    alc_emit_op(v, ALC_CODE_RETURN_VALUES);
    alc_emit_u16(v, values[0].slot);
    alc_emit_u16(v, slots);
    alc_emit_u16(v, v->emitter.link_slot);
}

void alc_emit_return(struct alc_validator *v, uint32_t results_count)
{
    struct alc_emitter *e = &v->emitter;
    const struct alc_value *value = results_count > 0 ? &v->values[v->height - 1] : NULL;
    if (results_count > 1 || (value != NULL && value->type == ALC_TYPE_V128)) {
        emit_return_values(v, results_count);
        return;
    }
    if (value != NULL) {
        unsigned class = value->type == ALC_TYPE_F32 || value->type == ALC_TYPE_F64;
        if (!alc_emit_is_in_acc(v, value, class)) {
            bool is_small = value->place == ALC_PLACE_CONSTANT && class == 0 &&
                            (int64_t)value->payload == (int32_t)value->payload;
            if (is_small) {
                alc_emit_op(v, ALC_CODE_RETURN_I);
                alc_emit_u32(v, (uint32_t)value->payload);
            } else {
                if (value->place == ALC_PLACE_CONSTANT) {
                    alc_emit_copy_to(v, value, value->slot);
                }
                bool is_local = value->place == ALC_PLACE_LOCAL;
                alc_emit_op(v, class == 0 ? ALC_CODE_RETURN_S : ALC_CODE_RETURN_F);
                alc_emit_u16(v, is_local ? (uint32_t)value->payload : value->slot);
            }
            alc_emit_u16(v, e->link_slot);
            return;
        }
    }
    alc_emit_op(v, ALC_CODE_RETURN);
    alc_emit_u16(v, e->link_slot);
}

/* -- calls -- */

static void emit_tail_call(struct alc_validator *v, const struct alc_call *call, uint32_t first)
{
    uint32_t imported = v->module->imported_counts[ALC_EXTERNAL_FUNCTION];
    bool is_import = call->op == ALC_OP_RETURN_CALL && call->function_index < imported;
    uint32_t callee = call->op == ALC_OP_RETURN_CALL ? 0 : alc_emit_slot_of(v, call->callee);
    alc_emit_op(v, is_import                                 ? ALC_CODE_TAIL_CALL_IMPORT
                   : call->op == ALC_OP_RETURN_CALL          ? ALC_CODE_TAIL_CALL
                   : call->op == ALC_OP_RETURN_CALL_INDIRECT ? ALC_CODE_TAIL_CALL_INDIRECT
                                                             : ALC_CODE_TAIL_CALL_REF);
    alc_emit_u16(v, first);
    alc_emit_u16(v, call->type->parameters_slots);
    alc_emit_u16(v, v->emitter.link_slot);
    if (is_import) {
        alc_emit_u32(v, call->function_index);
    } else if (call->op == ALC_OP_RETURN_CALL) {
        alc_emit_u64(v, (uintptr_t)v->module->functions[call->function_index].code);
    } else if (call->op == ALC_OP_RETURN_CALL_INDIRECT) {
        alc_emit_u32(v, call->type_id);
        alc_emit_u16(v, call->table_index);
        alc_emit_u16(v, callee);
    } else {
        alc_emit_u16(v, callee);
    }
}

static void emit_plain_call(struct alc_validator *v, const struct alc_call *call, uint32_t first)
{
    if (call->op == ALC_OP_CALL) {
        bool is_import = call->function_index < v->module->imported_counts[ALC_EXTERNAL_FUNCTION];
        alc_emit_op(v, is_import ? ALC_CODE_CALL_IMPORT : ALC_CODE_CALL);
        if (is_import) {
            alc_emit_u32(v, call->function_index);
        } else {
            alc_emit_u64(v, (uintptr_t)v->module->functions[call->function_index].code);
        }
    } else if (call->op == ALC_OP_CALL_INDIRECT) {
        bool in_acc = alc_emit_is_in_acc(v, call->callee, 0);
        uint32_t slot = in_acc ? 0 : alc_emit_slot_of(v, call->callee);
        alc_emit_op(v, in_acc ? ALC_CODE_CALL_INDIRECT_A : ALC_CODE_CALL_INDIRECT_S);
        if (!in_acc) {
            alc_emit_u16(v, slot);
        }
        alc_emit_u32(v, call->type_id);
        alc_emit_u16(v, call->table_index);
    } else {
        uint32_t slot = alc_emit_slot_of(v, call->callee);
        alc_emit_op(v, ALC_CODE_CALL_REF);
        alc_emit_u16(v, slot);
    }
    alc_emit_u16(v, first); /* the unit before the return address: how far the frame moves */
}

void alc_emit_call(struct alc_validator *v, const struct alc_call *call)
{
    struct alc_emitter *e = &v->emitter;
    uint32_t count = call->type->parameters_count;
    for (unsigned class = 0; class < 2; class ++) {
        alc_emit_free_acc(v, class);
        uint32_t entry = e->acc_entry[class];
        if (entry >= v->height && entry < v->height + count &&
            v->values[entry].place == ALC_PLACE_ACC) {
            alc_emit_settle(v, &v->values[entry]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        alc_emit_settle(v, &v->values[v->height + i]);
    }
    uint32_t first = alc_validator_next_slot(v);
    bool is_tail = call->op == ALC_OP_RETURN_CALL || call->op == ALC_OP_RETURN_CALL_INDIRECT ||
                   call->op == ALC_OP_RETURN_CALL_REF;
    if (is_tail) {
        emit_tail_call(v, call, first);
        return;
    }
    uint32_t root = alc_emit_roots(v, 0);
    emit_plain_call(v, call, first);
    alc_emit_safepoint(v, root);
    alc_emit_label(v);
}
