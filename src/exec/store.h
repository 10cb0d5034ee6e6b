/* SPDX-License-Identifier: Apache-2.0
 *
 * Run-time objects: what instances are made of, as the interpreter and host functions see them. The
 * embedding API that makes and uses them is engine.h.
 *
 * Ownership: everything lives in arenas given by the embedder, page reservations in the store; an
 * object is usable until alc_store_fini of its store. Objects are shared between instances by
 * pointer. Threads: one thread at a time in a store; a program's threads have a store each
 * (alc_store_init_thread) and share the loaded module and the shared memories.
 */
#ifndef ALC_EXEC_STORE_H
#define ALC_EXEC_STORE_H

#include "base/limits.h"
#include "exec/host_call.h"
#include "exec/memory.h"
#include "exec/table.h"
#include "wasm/module.h"

struct alc_store;
struct alc_code;
struct interp_run;
struct alc_waiting;
struct alc_executor;
struct alc_native_thread;

/* 16 bytes that hold any value. An i32 or f32 stands in the low bytes, the rest is undefined: read
 * it as such. */
union alc_cell {
    uint32_t u32;
    uint64_t u64;
    float f32;
    double f64;
    uint64_t slots[2]; /* as in a frame: v128 takes both */
} ALC_ALIGNED(16);

struct alc_global {
    union alc_cell value; /* first: there, in the interpreter's stores */
    union alc_cell *cell; /* where the value stands in any store */
    struct alc_global_type type;
    struct alc_global *next; /* of those that the embedder made */
};

struct alc_tag {
    uint32_t type_id; /* identity is the address */
};

/* 64 bytes, so that an address can be seen to be one of an array's without a division. */
struct alc_function {
    union { /* NULL: a host function */
        const struct alc_code *code;
        const uint8_t *native; /* the entry */
    };
    struct alc_instance *instance;      /* owner; NULL for host functions */
    uint32_t type_id;                   /* canonical */
    uint32_t index;                     /* function index in its owner's module */
    const struct alc_type *type;        /* of type_id */
    const struct alc_host_export *host; /* host functions only */
    void *host_context;
    uint64_t native_base;     /* GS while it runs (native/abi.h); 0 for host functions */
    uint64_t native_crossing; /* native_exec/: how other instances call it */
};
_Static_assert(sizeof(struct alc_function) == 64, "see above");

struct alc_element_instance {
    uint64_t *references;
    uint64_t count; /* 0 once dropped */
};

struct alc_data_instance {
    const uint8_t *bytes;
    uint64_t size; /* 0 once dropped */
};

/* Arrays are indexed like the module's index spaces, imports included; counts are in `module`. */
struct alc_instance {
    struct alc_memory *memory0; /* memories[0] or NULL */
    struct alc_memory **memories;
    struct alc_table **tables;
    struct alc_global **globals;
    struct alc_function **functions;
    struct alc_tag **tags;
    struct alc_element_instance *elements;
    struct alc_data_instance *data;
    const struct alc_module *module;
    struct alc_store *store;
    struct alc_instance *next; /* all instances of the store */
    struct alc_pooled *pooled; /* pool.h; NULL: of no pool */
};

/* -- running -- */

struct alc_trap_frame {
    const struct alc_instance *instance;
    uint32_t function_index;
    uint32_t offset; /* of the instruction, in the module's file; 0 when unknown */
};

/* Why the last alc_invoke of a store did not return. Innermost frame first. */
struct alc_trap {
    alc_status status;
    uint32_t frames_count;
    uint32_t frames_omitted; /* outer frames that did not fit */
    struct alc_trap_frame frames[ALC_LIMIT_BACKTRACE_FRAMES];
};

/* The machine state of a thread of execution; filled by the store, driven by exec/interp. */
struct alc_thread {
    uint64_t *stack;            /* ALC_LIMIT_STACK_SLOTS slots */
    uint64_t *stack_limit;      /* first slot behind */
    uint64_t *stack_top;        /* first free slot; above it a nested alc_invoke may build frames */
    uint32_t depth;             /* alc_invokes in flight, one inside another */
    union {                     /* of the executor */
        struct interp_run *run; /* the innermost activation of the interpreter */
        struct alc_native_thread *native;
    };
    bool has_fuel;
    uint64_t fuel;                      /* left; an instruction that needs more traps OUT_OF_FUEL */
    const volatile uint64_t *stop_flag; /* never NULL. Not 0: stop at the next check with
                                         * ALC_E_DEADLINE. Written by whoever wants it to stop */
    uint64_t exception; /* what the last alc_invoke ended with when it was uncaught, else null */
    const volatile uint64_t *end_flag; /* the same, of the program's other threads */
    struct alc_waiting *waiting;       /* of the program; NULL: nobody can wait or be woken */
    uint32_t number;                   /* of this thread in the program, the first is 0 */
    struct alc_trap trap;
    struct alc_error *error; /* of the alc_invoke in flight */
};

#endif
