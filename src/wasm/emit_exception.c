/* SPDX-License-Identifier: Apache-2.0
 *
 * Emission for exceptions: throwing operations, and the tables by which the interpreter finds who
 * catches (code.h). A try emits nothing where it begins, nor a try_table where it ends: what a
 * clause brings is put where its label wants it before the program goes on at the label. Trusts the
 * validator.
 */
#include "wasm/emit.h"
#include "wasm/validate_internal.h"

/* -- tables -- */

/* Room for one more item. Each takes two bytes of a body or more, which bounds both tables. */
static alc_status grow_table(struct alc_validator *v, void **table, uint32_t *capacity,
                             size_t item_size)
{
    return alc_validator_grow(v, table, capacity, item_size, ALC_LIMIT_BODY_SIZE,
                              ALC_E_LIMIT_ITEMS);
}

static alc_status add_clause(struct alc_validator *v, struct alc_control *control,
                             const struct alc_code_clause *clause)
{
    struct alc_emitter *e = &v->emitter;
    if (e->clauses_count == e->clauses_capacity) {
        void *clauses = e->clauses;
        ALC_TRY(grow_table(v, &clauses, &e->clauses_capacity, sizeof *e->clauses));
        e->clauses = clauses;
    }
    if (control->first_clause == ALC_NO_HANDLER) {
        control->first_clause = e->clauses_count;
    } else {
        e->clauses[control->last_clause].next = e->clauses_count;
    }
    control->last_clause = e->clauses_count;
    e->clauses[e->clauses_count++] = *clause;
    return ALC_OK;
}

alc_status alc_emit_handler(struct alc_validator *v, const struct alc_control *control,
                            uint32_t clause)
{
    struct alc_emitter *e = &v->emitter;
    if (!v->has_target || control->is_dead || clause == ALC_NO_HANDLER || e->failed != ALC_OK ||
        control->start_unit == e->count) {
        return ALC_OK;
    }
    if (e->handlers_count == e->handlers_capacity) {
        void *handlers = e->handlers;
        ALC_TRY(grow_table(v, &handlers, &e->handlers_capacity, sizeof *e->handlers));
        e->handlers = handlers;
    }
    /* Those inside that are in no other yet get to know what is around them. */
    for (uint32_t inner = e->handlers_count; inner > control->first_handler;) {
        struct alc_code_handler *handler = &e->handlers[inner - 1];
        inner = handler->outer;
        handler->outer = e->handlers_count;
    }
    e->handlers[e->handlers_count++] = (struct alc_code_handler){.start_unit = control->start_unit,
                                                                 .end_unit = e->count,
                                                                 .outer = control->first_handler,
                                                                 .depth = v->depth - 1,
                                                                 .clause = clause};
    return ALC_OK;
}

/* All handlers that are in no other have nothing around them. */
void alc_emit_close_handlers(struct alc_emitter *e)
{
    for (uint32_t inner = e->handlers_count; inner > 0;) {
        struct alc_code_handler *handler = &e->handlers[inner - 1];
        inner = handler->outer;
        handler->outer = ALC_NO_HANDLER;
    }
}

/* -- blocks -- */

void alc_emit_try(struct alc_validator *v, struct alc_control *control)
{
    control->start_unit = v->emitter.count;
    control->first_handler = v->emitter.handlers_count;
}

alc_status alc_emit_clause(struct alc_validator *v, struct alc_control *control,
                           struct alc_control *target, uint32_t tag_index, uint32_t payload_slots,
                           bool has_reference)
{
    struct alc_emitter *e = &v->emitter;
    uint32_t reference_slot = target->base_slot + payload_slots;
    bool is_loop = target->op == ALC_OP_LOOP;
    struct alc_code_clause clause = {.tag_index = tag_index,
                                     .landing_unit = is_loop ? target->start_unit : target->clauses,
                                     .next = ALC_NO_HANDLER,
                                     .payload_slot = (uint16_t)target->base_slot,
                                     .reference_slot =
                                         has_reference ? (uint16_t)reference_slot : 0};
    ALC_TRY(add_clause(v, control, &clause));
    if (!is_loop) {
        target->clauses = e->clauses_count - 1;
    }
    return ALC_OK;
}

alc_status alc_emit_catch(struct alc_validator *v, struct alc_control *control, uint32_t tag_index)
{
    struct alc_code_clause clause = {.tag_index = tag_index,
                                     .landing_unit = v->emitter.count,
                                     .next = ALC_NO_HANDLER,
                                     .payload_slot = (uint16_t)control->first_slot,
                                     .reference_slot = (uint16_t)control->base_slot};
    alc_emit_label(v);
    return add_clause(v, control, &clause);
}

void alc_emit_bind_clauses(struct alc_validator *v, struct alc_control *control, uint32_t unit)
{
    uint32_t index = control->clauses;
    while (index != ALC_NO_HANDLER) {
        struct alc_code_clause *clause = &v->emitter.clauses[index];
        index = clause->landing_unit;
        clause->landing_unit = unit;
    }
    control->clauses = ALC_NO_HANDLER;
}

void alc_emit_landing_return(struct alc_validator *v, struct alc_control *control)
{
    const struct alc_function_type *type = v->type;
    if (control->clauses == ALC_NO_HANDLER) {
        return;
    }
    alc_emit_bind_clauses(v, control, v->emitter.count);
    alc_emit_label(v);
    if (type->results_slots > 1) {
        alc_emit_op(v, ALC_CODE_RETURN_VALUES);
        alc_emit_u16(v, control->base_slot);
        alc_emit_u16(v, type->results_slots);
    } else if (type->results_slots == 1) {
        bool is_float = type->results[0] == ALC_TYPE_F32 || type->results[0] == ALC_TYPE_F64;
        alc_emit_op(v, is_float ? ALC_CODE_RETURN_F : ALC_CODE_RETURN_S);
        alc_emit_u16(v, control->base_slot);
    } else {
        alc_emit_op(v, ALC_CODE_RETURN);
    }
    alc_emit_u16(v, v->emitter.link_slot);
}

/* -- throwing -- */

void alc_emit_throw(struct alc_validator *v, uint32_t tag_index, uint32_t payload_count)
{
    alc_emit_allocation(v, ALC_CODE_THROW, &tag_index, 1, payload_count);
}

void alc_emit_throw_ref(struct alc_validator *v, uint32_t slot)
{
    alc_emit_op(v, ALC_CODE_THROW_REF);
    alc_emit_u16(v, slot);
}
