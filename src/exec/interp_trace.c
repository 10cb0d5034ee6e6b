/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking frames, and backtraces. Frames hold nothing but return addresses, so the function that an
 * address belongs to is found by searching the module's code, and the file offset by making that
 * function's code once more. Runs after the program has stopped: the frames' memory is free to be
 * used, once they are walked.
 */
#include "exec/interp_state.h"
#include "wasm/code_make.h"
#include "wasm/validate.h"

const struct alc_code *alc_interp_find_code(const struct alc_instance *instance, const uint16_t *ip)
{
    return alc_code_find(instance->module, ip);
}

bool alc_interp_step_out(const struct interp_run *run, const uint16_t *return_ip,
                         struct interp_place *place)
{
    if (return_ip == &run->cross_units[1]) {
        place->fp -= CROSS_SLOTS;
        return_ip = (const uint16_t *)(uintptr_t)place->fp[0];
        place->instance = (struct alc_instance *)(uintptr_t)place->fp[1];
        place->fp -= (uint32_t)place->fp[2];
    }
    if (return_ip == &run->exit_units[1]) {
        return false;
    }
    place->fp -= return_ip[-1];
    place->ip = return_ip - 1;
    return true;
}

static void add_frame(struct alc_trap *trap, const struct interp_place *place,
                      const struct alc_code *code)
{
    if (trap->frames_count == ALC_LIMIT_BACKTRACE_FRAMES) {
        trap->frames_omitted++;
        return;
    }
    trap->frames[trap->frames_count++] =
        (struct alc_trap_frame){.instance = place->instance,
                                .function_index = code->function_index,
                                .offset = (uint32_t)(place->ip - code->units)};
}

void alc_interp_trace(const struct interp_run *run, alc_status status)
{
    struct alc_thread *thread = run->thread;
    struct alc_trap *trap = &thread->trap;
    struct interp_place place = {run->trap_ip, run->trap_fp, run->trap_instance};
    uint32_t first =
        trap->frames_count; /* those of an activation that ours called through a host */
    bool more = run->trap_ip != NULL || alc_interp_step_out(run, run->trap_return, &place);
    trap->status = status;
    while (more) {
        const struct alc_code *code = alc_interp_find_code(place.instance, place.ip);
        ALC_ASSERT(code != NULL);
        add_frame(trap, &place, code);
        more = alc_interp_step_out(run, (const uint16_t *)(uintptr_t)place.fp[code->link_slot],
                                   &place);
    }
    /* Offsets are still units of code. The stack above our frames is free now. */
    struct alc_arena scratch;
    alc_arena_init(&scratch, run->base, (size_t)(run->stack_limit - run->base) * sizeof *run->base);
    for (uint32_t i = first; i < trap->frames_count; i++) {
        struct alc_trap_frame *frame = &trap->frames[i];
        const struct alc_module *module = frame->instance->module;
        frame->offset = alc_code_find_offset(module, frame->function_index, module->target,
                                             frame->offset, &scratch);
    }
    alc_arena_fini(&scratch);
}
