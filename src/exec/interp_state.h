/* SPDX-License-Identifier: Apache-2.0
 *
 * How the interpreter's handlers are written, independent of how they are joined. With clang each
 * handler is a function and jumps to the next by a guaranteed tail call; with gcc all are blocks of
 * one function joined by computed gotos.
 *
 * The machine state stays in host registers:
 *   - ip: the operation at hand; fp: first slot of the frame;
 *   - mem, mem_size: base and size in bytes of memory 0;
 *   - acc: integer accumulator; facc: floating accumulator (low lanes);
 *   - inst: the running instance; run: everything else.
 *
 * More integer registers are free under preserve_none: a window of pinned locals can be passed
 * along as further parameters without touching the handlers' bodies.
 */
#ifndef ALC_EXEC_INTERP_STATE_H
#define ALC_EXEC_INTERP_STATE_H

#include "base/bytes.h"
#include "exec/heap.h"
#include "exec/interp.h"
#include "exec/interp_often.h"
#include "exec/numeric.h"
#include "exec/object_operations.h"
#include "exec/simd.h"

enum {
    CROSS_SLOTS = 3
}; /* record of a call into another instance: return address, instance, sizes */

/* A point of the program. */
struct interp_place {
    const uint16_t *ip; /* in or at an operation */
    uint64_t *fp;
    struct alc_instance *instance;
};

/* One activation of the interpreter, on the C stack. */
struct interp_run {
    struct alc_thread *thread;
    uint64_t *stack_limit;
    const volatile uint64_t *stop_flag;
    struct alc_gc_heap *heap;
    struct interp_run *outer; /* the activation whose host function began this one, or NULL */
    /* Where the activation stands while the collector may look: at the end of an operation of the
     * frame at safepoint_fp, or (host_type is set) in a host function with its arguments there,
     * which returns to safepoint_ip. */
    const uint16_t *safepoint_ip;
    uint64_t *safepoint_fp;
    struct alc_instance *safepoint_instance;
    const struct alc_function_type *host_type;
    const volatile uint64_t *end_flag;
    /* Results of the outermost function. */
    uint64_t acc;
    uint64_t facc;
    uint64_t *base;
    /* Where it stopped: in the operation at trap_ip, or (NULL) on the way into or out of a function
     * that would return to trap_return. */
    const uint16_t *trap_ip;
    const uint16_t *trap_return;
    uint64_t *trap_fp;
    struct alc_instance *trap_instance;
    struct interp_place landing; /* where an exception is caught */
    /* Code that no module has: what frames return to in the end, or across instances. The unit
     * before an entry says how far the frame moves back. */
    uint16_t exit_units[4];
    uint16_t cross_units[4];
};

typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
typedef float f32;
typedef double f64;

#define UNUSED __attribute__((unused))
/* The order is that of registers under preserve_none: r12 to r15 for what lasts, then rdi, rsi and
 * rdx, whose encodings are shortest, for what every handler touches. Nothing lasts in rcx, which
 * shifts need. */
#define STATE                                                                                      \
    struct alc_instance *inst UNUSED, uint64_t mem_size UNUSED, uint8_t *mem UNUSED,               \
        uintptr_t handlers UNUSED, const uint16_t *ip UNUSED, uint64_t *fp UNUSED,                 \
        uint64_t acc UNUSED, uint64_t scratch UNUSED, struct interp_run *run UNUSED,               \
        alc_f64x2 facc UNUSED
#define STATE_ARGS inst, mem_size, mem, handlers, ip, fp, acc, SCRATCH, run, facc

#if defined(__clang__)
#define ALC_INTERP_TAIL_CALLS 1
/* Whatever is there. */
#define SCRATCH                                                                                    \
    __extension__({                                                                                \
        uint64_t any_;                                                                             \
        __asm__("" : "=r"(any_));                                                                  \
        any_;                                                                                      \
    })
/* Sanitizers need stack frames where preserve_none allows none. */
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer) ||             \
    __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define HANDLER_TYPE
#define HANDLER_ABI
#else
#define HANDLER_TYPE __attribute__((preserve_none))
#define HANDLER_ABI HANDLER_TYPE
#endif
#else
#define ALC_INTERP_TAIL_CALLS 0
#define SCRATCH 0
#endif

#if ALC_INTERP_TAIL_CALLS
typedef alc_status interp_handler(STATE) HANDLER_TYPE;
extern const alc_code_distance alc_interp_handlers[] __attribute__((visibility("hidden")));
#define HANDLER_DECLARED(name)                                                                     \
    __attribute__((visibility("hidden"))) HANDLER_ABI alc_status alc_interp_op_##name(STATE)
/* Two files go through all handlers, and a handler is an unused function in one of them. */
#define HANDLER_HERE(name) HANDLER_DECLARED(name)
#define HANDLER_ELSEWHERE(name)                                                                    \
    static UNUSED HANDLER_ABI alc_status alc_interp_elsewhere_##name(STATE)
#define HANDLER_THIRD(often, seldom, chosen, ...) chosen
#define HANDLER_CHOICE(...) HANDLER_THIRD(__VA_ARGS__)
#if defined(ALC_ONE_UNIT)
#define HANDLER(name) HANDLER_HERE(name)
#elif defined(ALC_INTERP_OFTEN)
#define HANDLER(name) HANDLER_CHOICE(OFTEN_##name, HANDLER_HERE, HANDLER_ELSEWHERE, )(name)
#else
#define HANDLER(name) HANDLER_CHOICE(OFTEN_##name, HANDLER_ELSEWHERE, HANDLER_HERE, )(name)
#endif
/* Never merged into the handlers that end there. */
#define COLD_HANDLER(name) ALC_COLD HANDLER(name)
#define TAIL(name) __attribute__((musttail)) return alc_interp_op_##name(STATE_ARGS)
#define DISPATCH()                                                                                 \
    __attribute__((musttail)) return (                                                             \
        (interp_handler *)(handlers + (uintptr_t)(intptr_t)read_s32(ip)))(STATE_ARGS)
#else
#define HANDLER(name) L_##name:
#define COLD_HANDLER(name) HANDLER(name)
#define TAIL(name) goto L_##name
#define DISPATCH() goto *(&&L_UNREACHABLE + read_s32(ip))
#endif

/* Ends the activation. */
#define END(status) return (status)
#define NEXT(units)                                                                                \
    do {                                                                                           \
        ip += (units);                                                                             \
        DISPATCH();                                                                                \
    } while (0)
#define TRAP(status)                                                                               \
    do {                                                                                           \
        acc = (uint64_t)(status);                                                                  \
        TAIL(stop);                                                                                \
    } while (0)
/* Memory 0 of the running instance, after anything that may have changed or grown it. */
#define RELOAD()                                                                                   \
    do {                                                                                           \
        const struct alc_memory *memory0_ = inst->memory0;                                         \
        mem = memory0_ != NULL ? memory0_->base : NULL;                                            \
        mem_size = memory0_ != NULL ? alc_memory_size(memory0_) : 0;                               \
    } while (0)

/* -- operands -- */

static ALC_ALWAYS_INLINE int32_t read_s32(const uint16_t *units)
{
    int32_t value;
    alc_copy(&value, units, sizeof value);
    return value;
}

static ALC_ALWAYS_INLINE uint32_t read_u32(const uint16_t *units)
{
    return (uint32_t)read_s32(units);
}

static ALC_ALWAYS_INLINE uint64_t read_u64(const uint16_t *units)
{
    uint64_t value;
    alc_copy(&value, units, sizeof value);
    return value;
}

#define SLOT(unit) fp[ip[unit]]
/* The result also to the slot that the operation names. */
#define RESULT_D(unit) SLOT(unit) = acc
/* A value in memory or in an object, wherever it stands. */
#define READ(type, ptr)                                                                            \
    __extension__({                                                                                \
        type value_;                                                                               \
        alc_copy(&value_, ptr, sizeof value_);                                                     \
        value_;                                                                                    \
    })
#define IMMEDIATE(unit) ((uint64_t)(int64_t)read_s32(ip + (unit)))

static ALC_ALWAYS_INLINE alc_v128 read_v128(const uint64_t *slot)
{
    alc_v128 value;
    alc_copy(&value, slot, sizeof value);
    return value;
}

static ALC_ALWAYS_INLINE void write_v128(uint64_t *slot, alc_v128 value)
{
    alc_copy(slot, &value, sizeof value);
}

/* -- floating values in slots and in the accumulator -- */

static ALC_ALWAYS_INLINE f32 f32_of_slot(const uint64_t *slot)
{
    f32 value;
    alc_copy(&value, slot, sizeof value);
    return value;
}

static ALC_ALWAYS_INLINE f64 f64_of_slot(const uint64_t *slot)
{
    f64 value;
    alc_copy(&value, slot, sizeof value);
    return value;
}

static ALC_ALWAYS_INLINE f32 f32_of_acc(alc_f64x2 facc)
{
    return ((alc_f32x4)facc)[0];
}

static ALC_ALWAYS_INLINE f64 f64_of_acc(alc_f64x2 facc)
{
    return facc[0];
}

static ALC_ALWAYS_INLINE alc_f64x2 acc_of_f32(alc_f64x2 facc, f32 value)
{
    alc_f32x4 lanes = (alc_f32x4)facc;
    lanes[0] = value;
    return (alc_f64x2)lanes;
}

static ALC_ALWAYS_INLINE alc_f64x2 acc_of_f64(alc_f64x2 facc, f64 value)
{
    facc[0] = value;
    return facc;
}

/* The accumulator's low 64 bits as a slot. */
static ALC_ALWAYS_INLINE uint64_t bits_of_acc(alc_f64x2 facc)
{
    return ((alc_v128)facc)[0];
}

static ALC_ALWAYS_INLINE alc_f64x2 acc_of_bits(uint64_t bits)
{
    return (alc_f64x2)(alc_v128){bits, 0};
}

/* -- what handlers call, in interp_slow.c: cold, ordinary functions -- */

/* The operation `code` on memories, tables and segments, which reads its immediates behind `ip` and
 * its operands from their slots. */
alc_status alc_interp_slow(unsigned code, struct alc_instance *inst, const uint16_t *ip,
                           uint64_t *fp);
/* The operation ATOMIC (atomic.c), in the same way. */
alc_status alc_interp_atomic(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp);

/* Pointer to the memory that an ADDRESS operation names, or NULL. */
uint8_t *alc_interp_address(struct alc_instance *inst, const uint16_t *ip, const uint64_t *fp);
/* Result of the vector instruction `op` (enum alc_op) that has no handler of its own. `scalar` is
 * the operand that is no vector, or a checked pointer; a scalar result is in the low lane. */
alc_v128 alc_interp_vector(unsigned op, uint64_t scalar, unsigned lane, alc_v128 a, alc_v128 b,
                           alc_v128 c);
/* Function that an indirect call through a table means. */
alc_status alc_interp_find_callee(const struct alc_instance *inst, uint32_t table_index,
                                  uint64_t slot, uint32_t type_id, struct alc_function **out);
/* `return_ip`: where the function returns to. */
alc_status alc_interp_call_host(struct interp_run *run, struct alc_instance *caller,
                                const uint16_t *return_ip, uint64_t *fp,
                                const struct alc_function *function);
/* Makes the record of a call into another instance above the arguments at *fp, copies these behind
 * it, and moves *fp there. */
alc_status alc_interp_cross(struct interp_run *run, struct alc_instance *caller,
                            const uint16_t *return_ip, const struct alc_function *function,
                            uint64_t **fp);

/* Makes the code of a function of `inst` that is called for the first time; `stub` is where its
 * units led until now. Its entry, or NULL when there is no memory for it. */
const uint16_t *alc_interp_make_code(const struct alc_instance *inst, const uint16_t *stub);

/* -- frames, in interp_trace.c -- */

/* The defined function whose code holds `ip`, or NULL. */
const struct alc_code *alc_interp_find_code(const struct alc_instance *instance,
                                            const uint16_t *ip);
/* From a return address and the frame of the callee to the place of the call; false at the end of
 * the activation. */
bool alc_interp_step_out(const struct interp_run *run, const uint16_t *return_ip,
                         struct interp_place *place);

/* -- exceptions, in interp_exception.c: ALC_OK when run->landing is where the program goes on -- */

/* The operations at `ip`. */
alc_status alc_interp_throw(struct interp_run *run, struct alc_instance *inst, const uint16_t *ip,
                            uint64_t *fp);
alc_status alc_interp_throw_ref(struct interp_run *run, struct alc_instance *inst,
                                const uint16_t *ip, uint64_t *fp);
/* A host function with the frame `fp` failed with `status`: throws what it let pass, if anything,
 * on the way to return_ip; else the status comes back. */
alc_status alc_interp_throw_from_host(struct interp_run *run, struct alc_instance *inst,
                                      const uint16_t *return_ip, uint64_t *fp, alc_status status);

/* Fills the thread's trap: status and the frames from where the run stopped. */
void alc_interp_trace(const struct interp_run *run, alc_status status);

#endif
