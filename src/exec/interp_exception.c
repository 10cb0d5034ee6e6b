/* SPDX-License-Identifier: Apache-2.0
 *
 * Throwing: walks the frames outward, looks up who catches in the tables that stand behind their
 * code, and prepares the frame of the one found. Nothing is changed before he is found, so that an
 * exception that nobody catches stops the program where it was thrown, with all its frames.
 */
#include "exec/exception.h"
#include "exec/interp_state.h"

/* The first handler that ends behind `unit`, or ALC_NO_HANDLER. */
static uint32_t first_handler(const struct alc_code *code, uint32_t unit)
{
    const struct alc_code_handler *handlers = alc_code_handlers(code);
    uint32_t low = 0;
    uint32_t high = code->handlers_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (handlers[middle].end_unit > unit) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < code->handlers_count ? low : ALC_NO_HANDLER;
}

/* The clause that catches an exception of `tag` from `unit`, or NULL. */
static const struct alc_code_clause *find_clause(const struct alc_code *code,
                                                 const struct alc_instance *instance, uint32_t unit,
                                                 const struct alc_tag *tag)
{
    const struct alc_code_handler *handlers = alc_code_handlers(code);
    const struct alc_code_clause *clauses = alc_code_clauses(code);
    uint32_t depth_max = UINT32_MAX;
    uint32_t next = first_handler(code, unit);
    while (next != ALC_NO_HANDLER) {
        const struct alc_code_handler *handler = &handlers[next];
        next = handler->outer;
        if (handler->start_unit > unit || handler->depth > depth_max) {
            continue;
        }
        if ((handler->clause & ALC_HANDLER_DELEGATES) != 0) {
            depth_max = handler->clause - ALC_HANDLER_DELEGATES;
            continue;
        }
        for (uint32_t i = handler->clause; i != ALC_NO_HANDLER; i = clauses[i].next) {
            uint32_t index = clauses[i].tag_index;
            if (index == ALC_NO_INDEX || instance->tags[index] == tag) {
                return &clauses[i];
            }
        }
    }
    return NULL;
}

/* The exception is caught in the frame of `place`. */
static void land(struct interp_run *run, const struct interp_place *place,
                 const struct alc_code *code, const struct alc_code_clause *clause,
                 uint64_t exception)
{
    if (clause->tag_index != ALC_NO_INDEX) {
        const struct alc_tag *tag = alc_exception_tag(exception);
        const struct alc_type *type = alc_types_get(place->instance->module->types, tag->type_id);
        uint32_t slots = type->function.parameters_slots;
        ALC_ASSERT(clause->payload_slot + slots <= code->frame_slots);
        if (slots > 0) {
            alc_copy(place->fp + clause->payload_slot, alc_exception_slots(exception),
                     slots * sizeof *place->fp);
        }
    }
    if (clause->reference_slot != 0) {
        place->fp[clause->reference_slot] = exception;
    }
    run->landing = *place;
    run->landing.ip = code->units + clause->landing_unit;
}

static alc_status throw_at(struct interp_run *run, struct interp_place place, uint64_t exception)
{
    const struct alc_tag *tag = alc_exception_tag(exception);
    for (;;) {
        const struct alc_code *code = alc_interp_find_code(place.instance, place.ip);
        ALC_ASSERT(code != NULL);
        const struct alc_code_clause *clause =
            find_clause(code, place.instance, (uint32_t)(place.ip - code->units), tag);
        if (clause != NULL) {
            land(run, &place, code, clause, exception);
            return ALC_OK;
        }
        const uint16_t *link = (const uint16_t *)(uintptr_t)place.fp[code->link_slot];
        if (!alc_interp_step_out(run, link, &place)) {
            run->thread->exception = exception;
            return ALC_E_UNCAUGHT_EXCEPTION;
        }
    }
}

alc_status alc_interp_throw(struct interp_run *run, struct alc_instance *inst, const uint16_t *ip,
                            uint64_t *fp)
{
    struct interp_place place = {ip, fp, inst};
    run->safepoint_ip = ip + 5;
    run->safepoint_fp = fp;
    run->safepoint_instance = inst;
    uint64_t exception = alc_exception_new(inst->store, inst->tags[read_u32(ip + 2)], fp + ip[4]);
    return exception != ALC_REF_NULL ? throw_at(run, place, exception) : ALC_E_OUT_OF_MEMORY;
}

alc_status alc_interp_throw_ref(struct interp_run *run, struct alc_instance *inst,
                                const uint16_t *ip, uint64_t *fp)
{
    struct interp_place place = {ip, fp, inst};
    uint64_t exception = fp[ip[2]];
    return exception != ALC_REF_NULL ? throw_at(run, place, exception) : ALC_E_NULL_EXCEPTION;
}

alc_status alc_interp_throw_from_host(struct interp_run *run, struct alc_instance *inst,
                                      const uint16_t *return_ip, uint64_t *fp, alc_status status)
{
    struct alc_thread *thread = run->thread;
    struct interp_place place = {NULL, fp, inst};
    uint64_t exception = thread->exception;
    if (status != ALC_E_UNCAUGHT_EXCEPTION || exception == ALC_REF_NULL ||
        !alc_interp_step_out(run, return_ip, &place) || throw_at(run, place, exception) != ALC_OK) {
        return status;
    }
    /* What was reported on the way here did not happen. */
    thread->exception = ALC_REF_NULL;
    thread->trap.frames_count = 0;
    thread->trap.frames_omitted = 0;
    if (thread->error != NULL) {
        alc_error_clear(thread->error);
    }
    return ALC_OK;
}
