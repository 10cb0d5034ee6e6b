/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the room share: loaded code, instances, threads, and the C side of entry.S.
 */
#ifndef ALC_NATIVE_EXEC_NATIVE_INTERNAL_H
#define ALC_NATIVE_EXEC_NATIVE_INTERNAL_H

#include "exec/engine.h"
#include "native/verifier.h"
#include "native_exec/layout.h"
#include "native_exec/native_exec.h"

/* -- loaded code -- */

/* Of one module. Immutable but for the scratch, so any number of threads may run it. */
struct alc_native_code {
    struct alc_native_image image; /* its `code` and `constants` are the copies that run */
    const struct alc_module *module;
    struct alc_native_code *next; /* of the store that loaded it */
    uint8_t *reservation;
    uint64_t reserved;
    /* For each stub of kind OPERATION its function; NULL when there are none. */
    alc_status (**operations)(struct alc_native_thread *thread,
                              struct alc_native_instance *instance,
                              const struct alc_native_stub *row, uint64_t *slots);
    uint32_t context_size;
    uint32_t lock; /* base/spin.h: over the scratch, which backtraces use */
    void *scratch;
    uint64_t scratch_size;
};

static inline bool alc_native_is_confined(const struct alc_native_code *code)
{
    return code->image.shape == ALC_NATIVE_CONFINED;
}

/* What the verifier has to know of the code. */
struct alc_verifier_input alc_native_verifier_input(const struct alc_native_code *code);

/* -- instances -- */

/* Of each stub for indirect calls; of a CALL_REF the type only. */
struct alc_native_callees {
    const struct alc_table *table;
    uint32_t type_id;
    uint32_t reserved;
};

struct alc_native_instance {
    struct alc_instance *instance;
    const struct alc_native_code *code;
    uint8_t *base; /* GS; the context lies below */
    struct alc_native_callees *callees;
    struct alc_native_instance *next; /* of the store */
};

static inline uint64_t *alc_native_word(uint8_t *base, uint64_t distance)
{
    return (uint64_t *)(void *)(base - distance);
}

static inline uint64_t *alc_native_slots(uint8_t *base)
{
    return alc_native_word(base, ALC_NATIVE_SLOTS);
}

static inline uint64_t *alc_native_words(uint8_t *base)
{
    return alc_native_word(base, ALC_NATIVE_WORDS);
}

static inline struct alc_native_instance *alc_native_instance_of(uint8_t *base)
{
    return (struct alc_native_instance *)(uintptr_t)*alc_native_word(base, NATIVE_INSTANCE);
}

/* Brings up to date what the context says of the world outside: the size of memory 0, whether to
 * stop. Before code of the instance runs on. */
void alc_native_refresh(const struct alc_native_thread *thread,
                        const struct alc_native_instance *instance);

/* -- signatures: what crossings have to do for a type, packed into a word -- */

enum {
    SIGNATURE_VECTORS = 4,           /* bits 4..7: vector registers with arguments; 0..3: integer */
    SIGNATURE_ARGUMENTS = 8,         /* bits 8..31: slots with arguments */
    SIGNATURE_RESULTS = 32,          /* bits 32..55: slots with results */
    SIGNATURE_REFERENCES = 56,       /* among the arguments */
    SIGNATURE_GIVES_REFERENCES = 57, /* among the results */
};

uint64_t alc_native_signature(const struct alc_function_type *type);

/* -- threads -- */

/* A struct alc_function of the store stands at `start`, and at every 64 bytes up to `end`. */
struct alc_native_range {
    uint64_t start;
    uint64_t end;
};

/* A host function that is running. */
struct alc_native_host_call {
    struct alc_native_host_call *outer;
    const struct alc_function_type *type;
    const uint64_t *slots; /* its arguments */
};

/* Where compiled code stands or stood: rip is 0 when it stands at the return address that rsp
 * points to (or at a crossing). */
struct alc_native_place {
    uint64_t rip;
    uint64_t rsp;
    uint8_t *base;
};

/* On the native stack; entry.S makes and ends it. */
struct alc_native_crossing {
    struct alc_function *callee;
    struct alc_native_crossing *outer;
    uint8_t *base; /* of the caller */
    struct alc_native_roots *roots;
    uint64_t alignment;
    uint64_t registers[6];
    uint64_t return_addr; /* in the caller */
};

/* The record of a store's thread. */
struct alc_native_thread {
    /* Registers, on the way from one side to the other. */
    uint64_t integers[ALC_NATIVE_INTEGER_ARGUMENTS];
    uint64_t vectors[ALC_NATIVE_VECTOR_ARGUMENTS][2];
    uint64_t result;
    uint64_t result_vector[2];
    uint64_t native_rsp;
    uint64_t trusted_rsp;
    struct alc_native_crossing *crossing; /* the innermost of this activation, or NULL */
    uint8_t *base;                        /* GS of the running instance; NULL: nothing runs */
    const uint8_t *call_code;
    uint8_t *call_base; /* afterwards: the instance that ran last */
    struct alc_function *callee;
    uint64_t start;
    uint32_t status;
    uint32_t is_wide; /* some code uses AVX */
    struct alc_native_roots *roots;

    /* From here on C's own. */
    struct alc_store *store;
    struct alc_gc_block *no_blocks[ALC_GC_CLASSES]; /* never any: see current_blocks */
    uint8_t *stack_low;
    uint8_t *stack_high;
    uint64_t free; /* where the next activation's stack begins; a multiple of 16 */
    struct alc_native_place stopped; /* where the last trap was */
    uint64_t thrown;                 /* the exception that was made last, perhaps no more … */
    struct alc_native_place thrower; /* … and where; of the stack nothing is known */
    struct alc_native_host_call *host_calls;
    struct alc_native_code *codes;
    struct alc_native_instance *instances;
    struct alc_native_range *ranges; /* ascending */
    uint32_t ranges_count;
    uint32_t ranges_capacity;
    bool is_stopped; /* alc_native_stop */
};

enum {
    /* Trusted code takes this much of the native stack at most without asking, crossings and the
     * return addresses around them; below it calls fail. */
    NATIVE_STACK_MARGIN = 256,
};

/* Whether `reference` may be taken for one of type `type`, whoever made it up: null, or a function
 * that the store has. Only types of the func hierarchy. */
bool alc_native_may_be(const struct alc_native_thread *thread, uint64_t reference, uint32_t type);
/* The functions at [start, end) exist from now on. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_native_add_range(struct alc_native_thread *thread, const void *start,
                                               const void *end);

/* -- instances and calls, as in struct alc_executor -- */

ALC_MUST_CHECK alc_status alc_native_prepare(struct alc_instance *instance,
                                             struct alc_arena *arena);
ALC_MUST_CHECK alc_status alc_native_reserve_memory(struct alc_memory *memory, uint64_t size,
                                                    const struct alc_module *module);
ALC_MUST_CHECK alc_status alc_native_call(struct alc_store *store, struct alc_function *function,
                                          const uint64_t *arguments, uint64_t *results);

/* Fills the trap's backtrace from thread->stopped on outwards, behind the frames that it has. */
void alc_native_trace(struct alc_native_thread *thread);

/* -- what entry.S calls: NATIVE_RETURN and so on of layout.h -- */

uint32_t alc_native_stub(struct alc_native_thread *thread, struct alc_native_instance *instance,
                         uint32_t stub, uint64_t operand);
uint32_t alc_native_returned(struct alc_native_thread *thread);

/* -- entry.S -- */

#define HIDDEN __attribute__((visibility("hidden")))

uint32_t alc_native_enter(struct alc_native_thread *thread) HIDDEN;
extern const uint8_t alc_native_leave[] HIDDEN;
extern const uint8_t alc_native_stub_entry[] HIDDEN;
/* Return addresses on the native stack. */
extern const uint8_t alc_native_entry_return[] HIDDEN;
extern const uint8_t alc_native_crossing_return[] HIDDEN;
/* The piece that is copied in front of each image, from alc_native_indirect on. */
extern const uint8_t alc_native_indirect[] HIDDEN;
extern const uint8_t alc_native_reference[] HIDDEN;
extern const uint8_t alc_native_prologue_end[] HIDDEN;

#define AT(type, member, place)                                                                    \
    _Static_assert(offsetof(struct type, member) == (place), "entry.S looks there")
AT(alc_function, native, NATIVE_FUNCTION_CODE);
AT(alc_function, type_id, NATIVE_FUNCTION_TYPE_ID);
AT(alc_function, native_base, NATIVE_FUNCTION_BASE);
AT(alc_table, entries, NATIVE_TABLE_ENTRIES);
AT(alc_table, count, NATIVE_TABLE_COUNT);
AT(alc_native_callees, table, NATIVE_CALLEES_TABLE);
AT(alc_native_callees, type_id, NATIVE_CALLEES_TYPE_ID);
AT(alc_native_thread, integers, NATIVE_THREAD_INTEGERS);
AT(alc_native_thread, vectors, NATIVE_THREAD_VECTORS);
AT(alc_native_thread, result, NATIVE_THREAD_RESULT);
AT(alc_native_thread, result_vector, NATIVE_THREAD_RESULT_VECTOR);
AT(alc_native_thread, native_rsp, NATIVE_THREAD_NATIVE_RSP);
AT(alc_native_thread, trusted_rsp, NATIVE_THREAD_TRUSTED_RSP);
AT(alc_native_thread, crossing, NATIVE_THREAD_CROSSING);
AT(alc_native_thread, base, NATIVE_THREAD_BASE);
AT(alc_native_thread, call_code, NATIVE_THREAD_CALL_CODE);
AT(alc_native_thread, call_base, NATIVE_THREAD_CALL_BASE);
AT(alc_native_thread, callee, NATIVE_THREAD_CALLEE);
AT(alc_native_thread, start, NATIVE_THREAD_START);
AT(alc_native_thread, status, NATIVE_THREAD_STATUS);
AT(alc_native_thread, is_wide, NATIVE_THREAD_IS_WIDE);
AT(alc_native_thread, roots, NATIVE_THREAD_ROOTS);
AT(alc_native_crossing, callee, NATIVE_CROSSING_CALLEE);
AT(alc_native_crossing, outer, NATIVE_CROSSING_OUTER);
AT(alc_native_crossing, base, NATIVE_CROSSING_BASE);
AT(alc_native_crossing, roots, NATIVE_CROSSING_ROOTS);
AT(alc_native_crossing, return_addr, NATIVE_CROSSING_SIZE);
_Static_assert(sizeof(struct alc_function) == NATIVE_FUNCTION_SIZE, "entry.S steps by it");
_Static_assert(sizeof(struct alc_native_callees) == 1 << NATIVE_CALLEES_SIZE_LOG2,
               "entry.S steps by it");
#undef AT

#endif
