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
};

#define ALC_NO_SLOT UINT32_MAX

/* -- function -- */

/* Room for the first units; false when there is no memory. */
ALC_MUST_CHECK bool alc_emit_init(struct alc_emitter *e);

void alc_emit_begin(struct alc_validator *v, uint32_t parameters_slots, uint32_t locals_slots);
/* Fills the prologue's blanks; frame_slots is final. */
void alc_emit_finish(struct alc_validator *v, uint32_t frame_slots);

/* -- building blocks, for emit*.c -- */

void alc_emit_op(struct alc_validator *v, enum alc_code_op code);
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
