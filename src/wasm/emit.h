/* SPDX-License-Identifier: Apache-2.0
 *
 * Emission of register code (code.h) while a body is validated. Values stay where they are (local,
 * constant, accumulator) until an operation, a call or a merge of control needs them elsewhere. The
 * validator has checked types before anything here is called, and calls only while code is live.
 *
 * Accumulators. Class 0 holds integers and references, class 1 floating values. Each may hold the
 * only copy of one entry of the operand stack (acc_entry, ALC_PLACE_ACC) or a copy of a slot
 * (acc_slot).
 *
 * Failure is sticky (`failed`): emission goes on into nowhere and the validator asks once per
 * instruction.
 */
#ifndef ALC_WASM_EMIT_H
#define ALC_WASM_EMIT_H

#include "base/arena.h"
#include "wasm/code.h"
#include "wasm/ops.h"

struct alc_control;
struct alc_field;
struct alc_function_type;
struct alc_memory_argument;
struct alc_validator;
struct alc_value;

enum alc_last_kind {
    ALC_LAST_OTHER,
    ALC_LAST_RESULT,  /* its result is in an accumulator; the next code number also writes a slot */
    ALC_LAST_COMPARE, /* an integer comparison into the accumulator: may become a branch */
    ALC_LAST_ORDER,   /* a floating one */
    ALC_LAST_TARGET,  /* it writes the slot named in unit last_target */
};

struct alc_emitter {
    const struct alc_code_target *target;
    struct alc_arena *arena;
    uint16_t *units;
    uint32_t count;
    uint32_t capacity;
    alc_status failed;

    uint32_t start_unit; /* where the last operation begins; each leads to the one before it */

    /* The operation that ends at `count`, while last_end == count. */
    uint32_t last_unit;
    uint32_t last_end;
    uint32_t last_code; /* enum alc_code_op */
    uint32_t last_target;
    uint32_t before_unit; /* the operation that ends where it begins, or ALC_NO_UNIT */
    uint32_t before_code;
    enum alc_last_kind before_kind;
    unsigned before_class;
    enum alc_last_kind last_kind;
    unsigned last_class; /* whose accumulator has the result, or neither */

    uint32_t acc_entry[2]; /* index into the operand stack; stale ones are recognised by place */
    uint32_t acc_slot[2];  /* ALC_NO_SLOT: none */
    uint32_t lazy_floor;   /* no entry below is ALC_PLACE_LOCAL */

    bool block_pending; /* a basic block begins with the next operation: charge fuel */
    uint32_t fuel_unit; /* where the charge of the present basic block stands, or ALC_NO_UNIT */
    uint32_t fuel_cost;

    uint32_t link_slot;
    uint32_t stub_serial;

    /* Where references are, emit_roots.c; chains are named by the number of their first node + 1.
     */
    struct alc_code_root *roots;
    uint32_t roots_count;
    uint32_t roots_capacity;
    uint32_t locals_root;
    struct alc_code_safepoint *safepoints;
    uint32_t safepoints_count;
    uint32_t safepoints_capacity;
    /* Exceptions of the function so far. `outer` of a handler that has none yet is the index of the
     * first handler inside it. */
    struct alc_code_handler *handlers;
    uint32_t handlers_count;
    uint32_t handlers_capacity;
    struct alc_code_clause *clauses;
    uint32_t clauses_count;
    uint32_t clauses_capacity;
};

#define ALC_NO_SLOT UINT32_MAX

/* -- function -- */

/* Before each function: room for the first units; false when there is no memory. */
ALC_MUST_CHECK bool alc_emit_init(struct alc_emitter *e);

void alc_emit_begin(struct alc_validator *v, uint32_t parameters_slots, uint32_t locals_slots);
/* Fills the prologue's blanks; frame_slots is final. */
void alc_emit_finish(struct alc_validator *v, uint32_t frame_slots);
/* Copies the units to where they stay, with handlers instead of the operations' numbers. */
void alc_emit_keep_units(const struct alc_emitter *e, uint16_t *units);

/* -- building blocks, for emit*.c -- */

void alc_emit_op(struct alc_validator *v, enum alc_code_op code);
/* Makes the operation at `unit` another one with the same operands. */
void alc_emit_set_code(struct alc_emitter *e, uint32_t unit, uint32_t code);
void alc_emit_u16(struct alc_validator *v, uint32_t value);
void alc_emit_u32(struct alc_validator *v, uint32_t value);
void alc_emit_u64(struct alc_validator *v, uint64_t value);
/* The operation just emitted leaves its result in the accumulator of `class`. */
void alc_emit_mark_result(struct alc_validator *v, unsigned class, enum alc_last_kind kind);
/* The operation just emitted writes `slots` slots from `slot`, named in its unit `target_unit`. */
void alc_emit_mark_target(struct alc_validator *v, uint32_t target_unit, uint32_t slot,
                          uint32_t slots);
/* Whether the last operation is the one that this code number says, and nothing came after it. */
bool alc_emit_is_last(const struct alc_validator *v, enum alc_code_op code);
/* Makes the operation at `unit`, the last one or the one before, `code`, which does what both did
 * and what the instruction at hand is to do; units between `from` and the end move to `to`. */
void alc_emit_refit(struct alc_validator *v, uint32_t unit, enum alc_code_op code, uint32_t from,
                    uint32_t to);
/* Saves what lives only in the accumulator of `class`, which is about to be overwritten. */
void alc_emit_free_acc(struct alc_validator *v, unsigned class);
/* Slot that has the value, which is put into its own slot when it has none. */
uint32_t alc_emit_slot_of(struct alc_validator *v, struct alc_value *value);
/* Puts the value into its own slot. */
void alc_emit_settle(struct alc_validator *v, struct alc_value *value);
/* Copies the value to `slot` and leaves it where it is. */
void alc_emit_copy_to(struct alc_validator *v, const struct alc_value *value, uint32_t slot);
/* Pushes a result that the operation left at `place` (ACC, or SLOT: its own slot). */
ALC_MUST_CHECK alc_status alc_emit_push(struct alc_validator *v, uint32_t type, unsigned place);
/* The comparison (any form) that is true when `code` is not. */
uint32_t alc_emit_inverse_compare(uint32_t code);
/* Whether `code` is a form of a floating comparison (FORDER) that has the same forms as branches:
 * BR three further on, UNLESS six. */
bool alc_emit_is_order(uint32_t code);
/* Whether the value can be read from the accumulator of `class`. */
bool alc_emit_is_in_acc(const struct alc_validator *v, const struct alc_value *value,
                        unsigned class);
/* Control may come from elsewhere to this point. */
void alc_emit_label(struct alc_validator *v);
/* A basic block ends here (metering). */
void alc_emit_end_block(struct alc_validator *v);

/* -- safepoints: operations during which the collector may run -- */

/* Begins a function: its locals are known. */
void alc_emit_roots_begin(struct alc_validator *v);
/* Before such an operation: its operand stack's references, also those of the `popped` entries just
 * popped, go to their slots; the chain of all. */
uint32_t alc_emit_roots(struct alc_validator *v, uint32_t popped);
/* Behind it: the operation that ends here has these roots. */
void alc_emit_safepoint(struct alc_validator *v, uint32_t root);

/* -- instructions: operands are popped, the result (if any) is pushed -- */

ALC_MUST_CHECK alc_status alc_emit_numeric(struct alc_validator *v, enum alc_op op,
                                           struct alc_value *operands, uint32_t type);
ALC_MUST_CHECK alc_status alc_emit_vector(struct alc_validator *v, enum alc_op op,
                                          struct alc_value *operands, uint32_t type,
                                          const uint8_t *lanes);
ALC_MUST_CHECK alc_status alc_emit_memory_access(struct alc_validator *v, enum alc_op op,
                                                 const struct alc_memory_argument *argument,
                                                 struct alc_value *operands, uint32_t type,
                                                 uint32_t lane);
/* An operation that takes `operands_count` values from their own slots, the first of which receives
 * the result; the units `immediates` precede the slot. The operands have just been popped. */
void alc_emit_in_place(struct alc_validator *v, enum alc_code_op code, const uint32_t *immediates,
                       uint32_t immediates_count, uint32_t operands_count);
ALC_MUST_CHECK alc_status alc_emit_select(struct alc_validator *v, struct alc_value *operands,
                                          uint32_t type);
ALC_MUST_CHECK alc_status alc_emit_global_get(struct alc_validator *v, uint32_t index,
                                              uint32_t type);
void alc_emit_global_set(struct alc_validator *v, uint32_t index, struct alc_value *value);
ALC_MUST_CHECK alc_status alc_emit_local_get(struct alc_validator *v, uint32_t type, uint32_t slot);
void alc_emit_local_set(struct alc_validator *v, struct alc_value *value, uint32_t slot);

/* -- objects (GC) -- */

/* alc_emit_in_place for an operation that may allocate. */
void alc_emit_allocation(struct alc_validator *v, enum alc_code_op code, const uint32_t *immediates,
                         uint32_t immediates_count, uint32_t operands_count);
/* A field of storage type `storage` at `offset` of the object; `sign`: extends a packed one. */
ALC_MUST_CHECK alc_status alc_emit_field_get(struct alc_validator *v, struct alc_value *object,
                                             uint32_t storage, uint32_t offset, bool sign);
void alc_emit_field_set(struct alc_validator *v, struct alc_value *object, struct alc_value *value,
                        const struct alc_field *field);
ALC_MUST_CHECK alc_status alc_emit_element_get(struct alc_validator *v, struct alc_value *operands,
                                               uint32_t storage, bool sign);
/* Operands: array, index, value. */
void alc_emit_element_set(struct alc_validator *v, struct alc_value *operands,
                          const struct alc_field *element);
/* Pure operation of one reference or i32 into the accumulator, which traps on null. */
ALC_MUST_CHECK alc_status alc_emit_from_reference(struct alc_validator *v, enum alc_code_op code,
                                                  struct alc_value *value, uint32_t type);
/* Whether the reference (left where it is) has the type, or has it not (`inverted`): an i32 in the
 * accumulator, which `out` then describes and nothing on the stack does. */
void alc_emit_type_test(struct alc_validator *v, struct alc_value *value, uint32_t type,
                        bool inverted, struct alc_value *out);
/* Traps unless the reference (left where it is) has the type. */
void alc_emit_cast(struct alc_validator *v, struct alc_value *value, uint32_t type);

/* -- control -- */

/* All entries, also the `popped` ones just popped, leave locals and accumulators. */
void alc_emit_flush(struct alc_validator *v, uint32_t popped);
void alc_emit_loop(struct alc_validator *v, struct alc_control *control);
void alc_emit_if(struct alc_validator *v, struct alc_control *control, struct alc_value *condition);
void alc_emit_else(struct alc_validator *v, struct alc_control *control);
/* The results were popped; stores in *in_place whether they stay where they are. */
void alc_emit_block_end(struct alc_validator *v, struct alc_control *control, bool falls_through,
                        bool *in_place);
/* Branches: the label's values are on top of the stack. */
void alc_emit_branch(struct alc_validator *v, struct alc_control *target);
void alc_emit_branch_if(struct alc_validator *v, struct alc_control *target,
                        struct alc_value *condition);
/* On null (or not null) of the reference in `value`. */
void alc_emit_branch_null(struct alc_validator *v, struct alc_control *target,
                          struct alc_value *value, bool on_null);
void alc_emit_return(struct alc_validator *v, uint32_t results_count);
/* br_table: begin (index popped), each label in order, then each label once more for its stub. */
uint32_t alc_emit_table_begin(struct alc_validator *v, struct alc_value *index, uint32_t count,
                              uint32_t values_count);
void alc_emit_table_stub(struct alc_validator *v, struct alc_control *target, uint32_t entry_unit,
                         uint32_t values_count);

/* -- exceptions -- */

/* A try or try_table begins: the operand stack is flushed. */
void alc_emit_try(struct alc_validator *v, struct alc_control *control);
/* A clause of the try_table `control` that leads to `target`, with `payload_slots` slots and the
 * exception itself. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_emit_clause(struct alc_validator *v, struct alc_control *control,
                                          struct alc_control *target, uint32_t tag_index,
                                          uint32_t payload_slots, bool has_reference);
/* The body of a catch begins here; its exception is in control->base_slot. */
ALC_MUST_CHECK alc_status alc_emit_catch(struct alc_validator *v, struct alc_control *control,
                                         uint32_t tag_index);
/* The range of the innermost block's handler ends here; `clause` as in struct alc_code_handler
 * (ALC_NO_HANDLER: none, so no handler). */
ALC_MUST_CHECK alc_status alc_emit_handler(struct alc_validator *v,
                                           const struct alc_control *control, uint32_t clause);
/* Clauses that lead to the end of `control` land at `unit`. */
void alc_emit_bind_clauses(struct alc_validator *v, struct alc_control *control, uint32_t unit);
/* The same for the function's own label: what they bring is returned. */
void alc_emit_landing_return(struct alc_validator *v, struct alc_control *control);
void alc_emit_throw(struct alc_validator *v, uint32_t tag_index, uint32_t payload_count);
/* Throws the reference in `slot`, if it is not null. */
void alc_emit_throw_ref(struct alc_validator *v, uint32_t slot);
/* The function ends: its outermost handlers have nothing around them. */
void alc_emit_close_handlers(struct alc_emitter *e);

/* -- tables behind the units (code.h), when the function is finished -- */

/* Bytes that they take, with what aligns them. */
size_t alc_emit_tables_size(const struct alc_emitter *e);
/* Copies them so that they end at `end`. */
void alc_emit_keep_tables(const struct alc_emitter *e, uint8_t *end);

/* -- calls: arguments were popped -- */

struct alc_call {
    const struct alc_function_type *type;
    enum alc_op op;
    uint32_t function_index; /* CALL, RETURN_CALL */
    uint32_t type_id;        /* the others */
    uint32_t table_index;
    struct alc_value *callee; /* index or reference, popped; the others */
};
void alc_emit_call(struct alc_validator *v, const struct alc_call *call);

#endif
