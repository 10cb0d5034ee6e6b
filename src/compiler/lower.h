/* SPDX-License-Identifier: Apache-2.0
 *
 * Lowering: one validated function body becomes LLVM's intermediate form, in one pass over its
 * instructions. The body is trusted to be valid and everything here asserts instead of failing;
 * only an instruction that has no lowering in this shape is an error.
 *
 * Who does what
 *   lower.c            the pass itself and the dispatch by rows of wasm/ops.def
 *   lower_support.c    operand stack, context, traps, stubs, operations
 *   lower_control.c    blocks and branches; locals.c the locals' values where control meets
 *   lower_*.c          groups of instructions
 *   target.c           everything that depends on shape and processor
 *
 * Values. i32 i64 f32 f64 are LLVM's i32, i64, float and double; v128 is <2 x i64>, which vector
 * instructions cast; every reference is an i64 (0: null).
 *
 * An instruction's lowering pops its operands, builds, pushes its result. What can trap or call is
 * preceded by alc_lower_locate, so that its place in the module can be found again.
 */
#ifndef ALC_COMPILER_LOWER_H
#define ALC_COMPILER_LOWER_H

#include "compiler/body.h"
#include "compiler/lower_roots.h"
#include "compiler/unit.h"

struct alc_operand {
    LLVMValueRef value;
    uint32_t type; /* the value type of the module */
};

/* What differs between the branches to a label is a phi there from the second branch on. */
struct alc_merged {
    LLVMValueRef value;
    bool is_phi; /* of the label's own */
};

/* A place that branches lead to, and what they bring: the values of `locals` (those that the block
 * assigns) and the label's operands behind them. See locals.c. */
struct alc_label {
    LLVMBasicBlockRef block; /* NULL: nobody came yet */
    const uint32_t *locals;  /* indices */
    uint32_t locals_count;
    uint32_t operands_count;
    bool has_locals; /* `locals` was found */
    struct alc_merged *merged;
    LLVMBasicBlockRef *sources; /* one for each edge */
    uint32_t sources_count;
    uint32_t sources_capacity;
};

/* An open block. */
struct alc_block {
    enum alc_op op;                       /* as struct alc_control of the validator */
    const struct alc_function_type *type; /* NULL: `single` */
    uint32_t single;                      /* the result, ALC_TYPE_BOTTOM: none */
    uint32_t height;                      /* of the operand stack below its parameters */
    uint32_t first_assignment;            /* range of those in the block (body.h) */
    uint32_t last_assignment;
    struct alc_label label;       /* of a loop its beginning, else its end */
    LLVMBasicBlockRef else_block; /* of an `if` whose `else` did not come yet */
    LLVMBasicBlockRef if_block;   /* where it branched there */
    LLVMValueRef *else_values;    /* there: of label.locals, and the parameters behind them */

    /* Of a try and its catches, lower_exception.c: */
    struct alc_block *landing; /* where exceptions from the body arrive; NULL: none did yet */
    size_t clauses;            /* of try_table, where they stand in the reader */
    uint32_t clauses_count;
    LLVMBasicBlockRef miss; /* where those go that no catch so far took; NULL: nowhere */
};

/* One function being lowered. */
struct alc_lowering {
    struct alc_unit *unit;
    const struct alc_module *module;
    LLVMBuilderRef builder;
    LLVMValueRef function;
    LLVMMetadataRef scope; /* of debug locations */
    uint32_t function_index;
    const struct alc_function_type *type;
    struct alc_arena *arena; /* for as long as the function is being lowered */
    struct alc_body body;    /* where the pass is; body.op_offset is the file offset of the
                              * instruction at hand */
    alc_status failed;       /* sticky; see alc_lower_fail */

    struct alc_operand *operands;
    uint32_t height;
    uint32_t operands_capacity;
    LLVMValueRef *locals; /* present values */
    uint32_t *locals_types;
    uint32_t locals_count;
    struct alc_block *blocks;
    uint32_t depth;
    uint32_t blocks_capacity;
    bool is_dead; /* the rest of the innermost block cannot be reached: it is skipped */

    struct alc_assignments assignments;
    uint32_t assignments_done; /* of them, those that the pass is behind */
    uint32_t blocks_done;      /* opened so far */
    uint32_t *stamps;          /* by local: number of the last search that met it */
    uint32_t stamp;

    struct alc_roots roots;
    LLVMBasicBlockRef leaving; /* where exceptions leave the function; NULL: none did yet */

    /* Metering: the subtraction of the present basic block's charge, whose amount is not known yet;
     * NULL: nothing of it was executed yet. */
    LLVMValueRef fuel_charge;
    uint32_t fuel_cost;
};

/* Reports that the instruction at hand cannot be compiled in this shape; the pass ends. */
void alc_lower_fail(struct alc_lowering *f, alc_status status);

/* -- the operand stack -- */

void alc_lower_push(struct alc_lowering *f, LLVMValueRef value, uint32_t type);
LLVMValueRef alc_lower_pop(struct alc_lowering *f);
/* Value i of the stack counted from the top (0). */
static inline struct alc_operand *alc_lower_peek(struct alc_lowering *f, uint32_t i)
{
    return &f->operands[f->height - 1 - i];
}

/* -- constants -- */

LLVMValueRef alc_lower_i32(const struct alc_lowering *f, uint32_t value);
LLVMValueRef alc_lower_i64(const struct alc_lowering *f, uint64_t value);
/* The zero (null) of a value type. */
LLVMValueRef alc_lower_zero(const struct alc_lowering *f, uint32_t type);
/* LLVM's type of a value type. */
LLVMTypeRef alc_lower_type(const struct alc_lowering *f, uint32_t type);

/* -- places, traps, intrinsics -- */

/* What is built from here on stems from the instruction at hand (or, forgotten, from none). */
void alc_lower_locate(struct alc_lowering *f);
void alc_lower_forget_place(struct alc_lowering *f);
/* Traps when the i1 `condition` is true; building goes on where it is false. */
void alc_lower_trap_if(struct alc_lowering *f, LLVMValueRef condition, enum alc_native_trap trap);
/* Traps; what follows is dead to LLVM. */
void alc_lower_trap(struct alc_lowering *f, enum alc_native_trap trap);
/* A value that LLVM cannot see through. */
LLVMValueRef alc_lower_hide(struct alc_lowering *f, LLVMValueRef value);
/* Calls an LLVM intrinsic, overloaded by `types` (types_count may be 0). */
LLVMValueRef alc_lower_intrinsic(struct alc_lowering *f, const char *name, LLVMTypeRef *types,
                                 uint32_t types_count, LLVMValueRef *arguments,
                                 uint32_t arguments_count);

/* -- the context (native/abi.h) -- */

/* The pointer to the context at `distance` bytes below its end. */
LLVMValueRef alc_lower_context(struct alc_lowering *f, uint32_t distance);
/* Access to it, as LLVM type `type`; `alias` (enum alc_alias) says which accesses may be to the
 * same place. */
LLVMValueRef alc_lower_context_load(struct alc_lowering *f, uint32_t distance, LLVMTypeRef type,
                                    unsigned alias);
void alc_lower_context_store(struct alc_lowering *f, uint32_t distance, LLVMValueRef value,
                             unsigned alias);
/* Slots: `slot` moves behind the value, which takes two when it is a v128. */
void alc_lower_slot_store(struct alc_lowering *f, uint32_t *slot, LLVMValueRef value,
                          uint32_t type);
LLVMValueRef alc_lower_slot_load(struct alc_lowering *f, uint32_t *slot, uint32_t type);

/* -- memories -- */

/* The pointer for an access of `access_size` bytes by `argument` with the popped index: what is
 * accessed through it (volatile, alc_lower_memory_load and _store) is in bounds or traps. Locates.
 * A place in memory is never accessed otherwise. */
LLVMValueRef alc_lower_address(struct alc_lowering *f, const struct alc_memory_immediate *argument,
                               LLVMValueRef index, uint32_t access_size);
/* Unaligned, volatile access as `type`. For atomics: set ordering and alignment on what is
 * returned. */
LLVMValueRef alc_lower_memory_load(struct alc_lowering *f, LLVMTypeRef type, LLVMValueRef pointer);
LLVMValueRef alc_lower_memory_store(struct alc_lowering *f, LLVMValueRef value,
                                    LLVMValueRef pointer);
/* Type of addresses of the memory: ALC_TYPE_I32 or ALC_TYPE_I64. */
uint32_t alc_lower_memory_type(const struct alc_lowering *f, uint32_t memory_index);
/* Where the byte at `index` is, as an integer (helpers.h); not checked. */
LLVMValueRef alc_lower_raw_address(struct alc_lowering *f, uint32_t memory_index,
                                   LLVMValueRef index);
/* memory.copy and memory.fill: their three operands are popped. */
void alc_lower_memory_copy(struct alc_lowering *f, uint32_t target_memory, uint32_t source_memory);
void alc_lower_memory_fill(struct alc_lowering *f, uint32_t memory);
/* Its size now, in bytes, as an i64. */
LLVMValueRef alc_lower_memory_size(struct alc_lowering *f, uint32_t memory_index);

/* -- stubs -- */

/* Calls the runtime for the instruction at hand (native/operations.def): pops `operands_count`
 * operands into the slots and pushes the `results_count` results of `results`. b and c are its
 * second and third immediate. Locates. */
void alc_lower_operation(struct alc_lowering *f, enum alc_op op, uint32_t b, uint32_t c,
                         uint32_t operands_count, const uint32_t *results, uint32_t results_count);

/* -- groups of instructions: each lowers `op` with its immediates, which were read -- */

/* Instructions with a signature in ops.def: operands popped (first one first), NULL when there is
 * no result, which is otherwise pushed by the caller under the type of the signature. */
typedef LLVMValueRef alc_lower_plain(struct alc_lowering *f, enum alc_op op,
                                     const struct alc_immediates *immediates,
                                     LLVMValueRef *operands);
alc_lower_plain alc_lower_numeric;
alc_lower_plain alc_lower_float;
alc_lower_plain alc_lower_access; /* loads and stores of scalars */
alc_lower_plain alc_lower_vector; /* vectors: what touches no memory */
alc_lower_plain alc_lower_vector_access;
alc_lower_plain alc_lower_atomic;

/* Typed by hand: they pop and push by themselves. */
typedef void alc_lower_typed(struct alc_lowering *f, enum alc_op op,
                             const struct alc_immediates *immediates);
alc_lower_typed alc_lower_control;
alc_lower_typed alc_lower_call;
alc_lower_typed alc_lower_variable;
alc_lower_typed alc_lower_bulk; /* memory.size and .grow, bulk instructions, tables */
alc_lower_typed alc_lower_wide;
alc_lower_typed alc_lower_reference; /* as such; i31 */
alc_lower_typed alc_lower_object;    /* structures and arrays */
alc_lower_typed alc_lower_cast;
alc_lower_typed alc_lower_exception;

/* -- blocks, lower_control.c -- */

/* What a branch to the block carries, what stands behind it, and what it begins with. */
const uint32_t *alc_block_label_types(const struct alc_block *block, uint32_t *out_count);
const uint32_t *alc_block_results(const struct alc_block *block, uint32_t *out_count);
const uint32_t *alc_block_parameters(const struct alc_block *block, uint32_t *out_count);
static inline struct alc_block *alc_lower_block(struct alc_lowering *f, uint32_t depth)
{
    return &f->blocks[f->depth - 1 - depth];
}
/* Opens a block whose parameters are on top of the stack: its entry of f->blocks, filled. */
struct alc_block *alc_lower_open_block(struct alc_lowering *f, enum alc_op op,
                                       const struct alc_immediates *immediates);
/* A new LLVM block; building goes on in `block`. */
LLVMBasicBlockRef alc_lower_new_block(struct alc_lowering *f);
void alc_lower_continue_in(struct alc_lowering *f, LLVMBasicBlockRef block);
/* Branches to the open block at `depth` when the i1 `condition` is true. */
void alc_lower_branch_if(struct alc_lowering *f, uint32_t depth, LLVMValueRef condition);
/* Returns from the function with the topmost operands. */
void alc_lower_return(struct alc_lowering *f);
/* An i32 that is used as a condition, as an i1. */
LLVMValueRef alc_lower_condition(struct alc_lowering *f, LLVMValueRef value);

/* A branch on the i1 `condition` that is seldom true. */
void alc_lower_rare_branch(struct alc_lowering *f, LLVMValueRef condition, LLVMBasicBlockRef rare,
                           LLVMBasicBlockRef usual);

/* -- references, lower_reference.c -- */

/* An i1. */
LLVMValueRef alc_lower_is_null(struct alc_lowering *f, LLVMValueRef reference);
/* Pops a reference; traps when it is null, which its type may rule out. */
LLVMValueRef alc_lower_pop_not_null(struct alc_lowering *f, enum alc_native_trap trap);

/* -- exceptions, lower_exception.c -- */

/* Behind each call, before its results are taken: an exception that it let pass goes on from here.
 */
void alc_lower_look(struct alc_lowering *f);
/* The try (or catch) `block`, which is the innermost one, ends: its exceptions find where they go.
 */
void alc_lower_end_try(struct alc_lowering *f, struct alc_block *block);
/* The function's code is complete but for that. */
void alc_lower_finish_exceptions(struct alc_lowering *f);

/* -- metering, lower_fuel.c -- */

/* The instruction at hand costs a unit, charged where its basic block begins. */
void alc_lower_charge(struct alc_lowering *f);
/* A basic block ends here, in the sense of metering: the interpreter's emitter ends one, too. */
void alc_lower_end_fuel_block(struct alc_lowering *f);
/* Traps when somebody wants the program to stop. */
void alc_lower_poll(struct alc_lowering *f);

/* -- locals and labels, locals.c -- */

/* Opens the label of a block: what the block assigns is known. */
void alc_label_find_locals(struct alc_lowering *f, struct alc_block *block);
/* Adds a branch from LLVM block `source`, which `edges` edges leave to the label, with the present
 * values of the locals and the topmost operands. */
void alc_label_branch(struct alc_lowering *f, struct alc_block *block, LLVMBasicBlockRef source,
                      uint32_t edges);
/* Building goes on at the label with what the branches brought; the stack's height becomes that of
 * the block and the label's operands are pushed. */
void alc_label_enter(struct alc_lowering *f, struct alc_block *block);
/* The same for a loop, which begins: present values become phis. */
void alc_label_enter_loop(struct alc_lowering *f, struct alc_block *block);

/* -- the pass -- */

/* Lowers functions[function_index] into its LLVM function, which is declared. */
ALC_MUST_CHECK alc_status alc_lower_function(struct alc_unit *unit, uint32_t function_index,
                                             struct alc_arena *arena, struct alc_error *error);

#endif
