/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter proper: one handler for each operation of code.def, the table of their distances,
 * and the way in. Runs validated code only; what depends on run-time values is checked in the
 * handlers.
 */
#define ALC_INTERP_OFTEN
#include "exec/engine.h"
#include "exec/interp_operations.h"

/* -- handlers -- */

#if ALC_INTERP_TAIL_CALLS

#include "exec/interp_handlers.h"

/* The table: distances from its own start, so that an image needs no relocations. */
#define TEXT(value) TEXT_OF(value)
#define TEXT_OF(value) #value
#if ALC_CODE_BIAS
#define DISTANCE ".short "
#else
#define DISTANCE ".long "
#endif
#define ENTRY(name)                                                                                \
    DISTANCE "alc_interp_op_" #name " - alc_interp_handlers + " TEXT(ALC_CODE_BIAS) "\n"
__asm__(".pushsection .rodata.alc_interp_handlers,\"a\",@progbits\n"
        ".balign 4\n"
        ".globl alc_interp_handlers\n"
        ".hidden alc_interp_handlers\n"
        "alc_interp_handlers:\n"
#include "exec/interp_table.h"
        ".popsection\n");

static alc_status interp_loop(STATE)
{
    return alc_interp_op_do_enter(STATE_ARGS);
}

static const alc_code_distance *handlers_table(void)
{
    return alc_interp_handlers;
}

#else

/* All handlers as blocks of one function. With a NULL run it only tells where its table is. */
static alc_status interp_loop(STATE)
{
#define ENTRY(name) (int32_t)(&&L_##name - &&L_UNREACHABLE),
    static const alc_code_distance table[] = {
#include "exec/interp_table.h"
    };
    if (run == NULL) {
        *(const alc_code_distance **)(uintptr_t)acc = table;
        return ALC_OK;
    }
    TAIL(do_enter);
#include "exec/interp_handlers.h"
}

static const alc_code_distance *handlers_table(void)
{
    const alc_code_distance *table = NULL;
    alc_f64x2 none = {0};
    (void)interp_loop(NULL, 0, NULL, 0, NULL, NULL, (uint64_t)(uintptr_t)&table, SCRATCH, NULL,
                      none);
    return table;
}

#endif

/* -- the way in -- */

#if ALC_INTERP_TAIL_CALLS
#define TARGET(metered, interruptible) {alc_interp_handlers, metered, interruptible}
#else
/* The table's address is known to the loop only: filled in when asked for, always with one value.
 */
#define TARGET(metered, interruptible) {NULL, metered, interruptible}
#endif

const struct alc_code_target *alc_interp_target(bool metered, bool interruptible)
{
#if ALC_INTERP_TAIL_CALLS
    static const struct alc_code_target targets[4] = {TARGET(false, false), TARGET(false, true),
                                                      TARGET(true, false), TARGET(true, true)};
#else
    static struct alc_code_target targets[4] = {TARGET(false, false), TARGET(false, true),
                                                TARGET(true, false), TARGET(true, true)};
    for (unsigned i = 0; i < 4; i++) {
        targets[i].handlers = handlers_table();
    }
#endif
    return &targets[2 * metered + interruptible];
}

static void write_entry(uint16_t units[4], uint16_t distance, enum alc_code_op code)
{
    units[0] = distance;
    alc_store_u32(&units[1], (uint32_t)handlers_table()[code] - ALC_CODE_BIAS);
}

/* Results as the embedder wants them: i32 and f32 with a zero upper half. */
static void read_results(const struct interp_run *run, const struct alc_function *function,
                         uint64_t *results)
{
    const struct alc_function_type *type = &function->type->function;
    bool in_slots = type->results_count > 1 || type->results_slots > 1;
    uint32_t slot = 0;
    for (uint32_t i = 0; i < type->results_count; i++) {
        uint32_t kind = type->results[i];
        uint32_t slots = alc_type_slots(kind);
        bool is_float = kind == ALC_TYPE_F32 || kind == ALC_TYPE_F64;
        uint64_t value = in_slots ? run->base[slot] : is_float ? run->facc : run->acc;
        bool is_half = kind == ALC_TYPE_I32 || kind == ALC_TYPE_F32;
        results[slot] = is_half ? (uint32_t)value : value;
        if (slots == 2) {
            results[slot + 1] = run->base[slot + 1];
        }
        slot += slots;
    }
}

alc_status alc_interp_call(struct alc_store *store, struct alc_function *function,
                           const uint64_t *arguments, uint64_t *results)
{
    struct alc_thread *thread = &store->thread;
    const struct alc_function_type *type = &function->type->function;
    uint64_t *base = thread->stack_top;
    struct interp_run run = {.thread = thread,
                             .stack_limit = thread->stack_limit,
                             .stop_flag = thread->stop_flag,
                             .heap = &store->heap,
                             .outer = thread->run,
                             .end_flag = thread->end_flag,
                             .base = base};
    write_entry(run.exit_units, 0, ALC_CODE_EXIT);
    write_entry(run.cross_units, CROSS_SLOTS, ALC_CODE_RETURN_CROSS);
    thread->trap.frames_count = 0;
    thread->trap.frames_omitted = 0;
    thread->exception = ALC_REF_NULL;
    alc_status status = ALC_E_CALL_STACK_EXHAUSTED;
    if ((size_t)(run.stack_limit - base) >= type->parameters_slots) {
        if (type->parameters_slots > 0) {
            alc_copy(base, arguments, type->parameters_slots * sizeof *base);
        }
        alc_f64x2 none = {0};
        if (!thread->has_fuel) {
            thread->fuel = UINT64_MAX;
        }
        thread->run = &run;
        status = interp_loop(NULL, 0, NULL, (uintptr_t)handlers_table(), &run.exit_units[1], base,
                             (uint64_t)(uintptr_t)function, SCRATCH, &run, none);
        thread->run = run.outer;
        /* A program that ends itself needs no backtrace, which costs milliseconds. */
        if (status != ALC_OK && alc_status_class(status) != ALC_CLASS_EXIT) {
            alc_interp_trace(&run, status);
        }
    }
    thread->stack_top = base;
    thread->trap.status = status;
    if (status == ALC_OK) {
        read_results(&run, function, results);
    }
    return status;
}
