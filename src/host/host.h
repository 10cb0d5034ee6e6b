/* SPDX-License-Identifier: Apache-2.0
 *
 * What the C generated from .host rows stands on: the checks of every pointer that a guest hands to
 * a host function, and the types in which checked memory travels on to the semantics. The guest is
 * hostile: an address is a number until alc_memory_at has answered for the whole range, and what is
 * needed more than once is copied first (another thread of the guest may write meanwhile).
 *
 * Conventions
 *   Context  what a function was defined with starts with a struct alc_host_context.
 *   Scratch  copies live in context->scratch, which belongs to thunks alone, until the next call.
 *   Alignment is not asked for: programs in the wild pass unaligned structures, and all loads and
 *            stores here are bytewise. A pointer out of bounds is the module's `bad_pointer`
 *            result, found before anything happened; it is not a trap.
 */
#ifndef ALC_HOST_HOST_H
#define ALC_HOST_HOST_H

#include "base/arena.h"
#include "exec/host_call.h"

/* 1: every call of a generated thunk is told to context->trace. */
#ifndef ALC_TRACE
#define ALC_TRACE 0
#endif

typedef void alc_host_trace_function(void *trace_context, const struct alc_host_module *module,
                                     const struct alc_host_export *function, const uint64_t *slots);

/* First member of every context that generated thunks get. */
struct alc_host_context {
    struct alc_arena *scratch;      /* for copies during one call */
    alc_host_trace_function *trace; /* only called when ALC_TRACE; may be NULL */
    void *trace_context;
};

/* Bytes copied out of the guest: nobody changes them any more. */
struct alc_guest_bytes {
    const uint8_t *bytes;
    size_t size;
};

/* Guest memory that may be written (or, for spans, read) in place, each byte once. */
struct alc_guest_buffer {
    uint8_t *bytes;
    size_t size;
    uint32_t guest_addr;
};
struct alc_guest_span { /* same layout as struct alc_span of os/ */
    uint8_t *bytes;
    size_t size;
};
struct alc_guest_spans {
    struct alc_guest_span *spans; /* a copy; every span was checked */
    size_t count;
    uint64_t size; /* of all spans together, at most UINT32_MAX */
};

/* What is wrong with a guest's argument; thunks map it to the module's own numbers. */
enum alc_host_fault {
    ALC_HOST_FAULT_NONE = 0,
    ALC_HOST_FAULT_POINTER,  /* not inside the guest's memory */
    ALC_HOST_FAULT_VALUE,    /* a flag, an enumeration or a count that does not exist */
    ALC_HOST_FAULT_TEXT,     /* not UTF-8 */
    ALC_HOST_FAULT_TOO_LONG, /* a path longer than ALC_LIMIT_WASI_PATH_SIZE */
    ALC_HOST_FAULT_NO_ROOM,  /* the scratch arena is full */
};

/* *out: `count` items of `item_size` bytes in place. An empty range may stand anywhere up to the
 * end of memory. */
ALC_MUST_CHECK enum alc_host_fault alc_host_borrow(const struct alc_host_call *call,
                                                   uint32_t guest_addr, uint64_t count,
                                                   size_t item_size, struct alc_guest_buffer *out);
/* The same range, copied to the scratch arena. */
ALC_MUST_CHECK enum alc_host_fault alc_host_copy(const struct alc_host_call *call,
                                                 uint32_t guest_addr, uint64_t count,
                                                 size_t item_size, struct alc_guest_bytes *out);
/* A path: copied, UTF-8, no NUL, at most ALC_LIMIT_WASI_PATH_SIZE bytes. */
ALC_MUST_CHECK enum alc_host_fault alc_host_copy_path(const struct alc_host_call *call,
                                                      uint32_t guest_addr, uint32_t size,
                                                      struct alc_guest_bytes *out);
/* `count` pairs (address, size) of 8 bytes, each checked. At most ALC_LIMIT_WASI_IOVECS; bytes past
 * UINT32_MAX in sum are cut off (a partial transfer is always allowed). */
ALC_MUST_CHECK enum alc_host_fault alc_host_copy_spans(const struct alc_host_call *call,
                                                       uint32_t guest_addr, uint32_t count,
                                                       struct alc_guest_spans *out);
/* `count` items of scratch memory for results, zeroed. */
ALC_MUST_CHECK enum alc_host_fault alc_host_take_results(const struct alc_host_call *call,
                                                         uint64_t count, size_t item_size,
                                                         void **out);

/* Every call starts here: drops the copies of the call before and tells the trace. */
static inline void alc_host_begin(const struct alc_host_call *call,
                                  const struct alc_host_context *context,
                                  const struct alc_host_module *module)
{
    alc_arena_reset(context->scratch, 0);
    if (ALC_TRACE && context->trace != NULL) {
        context->trace(context->trace_context, module, call->callee, call->slots);
    }
}
/* Hands on the status with which semantics ends the program. */
alc_status alc_host_stop(const struct alc_host_call *call, alc_status status);

#endif
