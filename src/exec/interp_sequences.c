/* SPDX-License-Identifier: Apache-2.0
 *
 * Handlers of sequences of operations (wasm/code_sequences.def). They are made of the same text as
 * the handlers of single ones: the last operation as it is, those before it so that NEXT goes on
 * behind them instead of jumping. Whatever else an operation does (it traps, branches, calls)
 * leaves the sequence.
 */
#include "exec/interp_state.h"

#if ALC_CODE_SEQUENCES
#include "exec/interp_operations.h"

#undef HANDLER
#define HANDLER(name)                                                                              \
    static ALC_ALWAYS_INLINE UNUSED HANDLER_ABI alc_status sequence_last_##name(STATE)
#include "exec/interp_handlers.h"

/* The state behind an operation, and the handler that it leaves for, or NULL. */
struct interp_passed {
    struct alc_instance *inst;
    uint64_t mem_size;
    uint8_t *mem;
    uintptr_t handlers;
    const uint16_t *ip;
    uint64_t *fp;
    uint64_t acc;
    uint64_t scratch;
    struct interp_run *run;
    alc_f64x2 facc;
    interp_handler *leave;
};

#undef HANDLER
#undef DISPATCH
#undef NEXT
#undef TAIL
#undef END
#define HANDLER(name)                                                                              \
    static ALC_ALWAYS_INLINE UNUSED struct interp_passed sequence_pass_##name(STATE)
#define LEAVE(handler)                                                                             \
    return (struct interp_passed)                                                                  \
    {                                                                                              \
        STATE_ARGS, handler                                                                        \
    }
#define DISPATCH() LEAVE((interp_handler *)(handlers + (uintptr_t)(intptr_t)read_s32(ip)))
#define TAIL(name) LEAVE(alc_interp_op_##name)
#define END(status) LEAVE(((void)(status), alc_interp_op_stop))
#define NEXT(units)                                                                                \
    do {                                                                                           \
        ip += (units);                                                                             \
        LEAVE(NULL);                                                                               \
    } while (0)
#include "exec/interp_handlers.h"

#define PASS(name)                                                                                 \
    do {                                                                                           \
        struct interp_passed passed_ = sequence_pass_##name(STATE_ARGS);                           \
        inst = passed_.inst;                                                                       \
        mem_size = passed_.mem_size;                                                               \
        mem = passed_.mem;                                                                         \
        ip = passed_.ip;                                                                           \
        fp = passed_.fp;                                                                           \
        acc = passed_.acc;                                                                         \
        facc = passed_.facc;                                                                       \
        if (passed_.leave != NULL) {                                                               \
            __attribute__((musttail)) return passed_.leave(STATE_ARGS);                            \
        }                                                                                          \
    } while (0)
#define SEQUENCE(name) HANDLER_ABI alc_status alc_interp_op_##name(STATE)
#define TWO(a, b)                                                                                  \
    SEQUENCE(a##__##b)                                                                             \
    {                                                                                              \
        PASS(a);                                                                                   \
        __attribute__((musttail)) return sequence_last_##b(STATE_ARGS);                            \
    }
#define THREE(a, b, c)                                                                             \
    SEQUENCE(a##__##b##__##c)                                                                      \
    {                                                                                              \
        PASS(a);                                                                                   \
        PASS(b);                                                                                   \
        __attribute__((musttail)) return sequence_last_##c(STATE_ARGS);                            \
    }
#include "wasm/code_sequences.def"
#endif
