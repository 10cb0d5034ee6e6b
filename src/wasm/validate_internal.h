/* SPDX-License-Identifier: Apache-2.0
 *
 * The validator's and emitter's common state: one operand stack whose entries carry both the type
 * (validation) and the place of the value (emission), and one stack of open blocks. Both grow in
 * the arena and are bounded by limits.def. Only for validate*.c and emit*.c.
 */
#ifndef ALC_WASM_VALIDATE_INTERNAL_H
#define ALC_WASM_VALIDATE_INTERNAL_H

#include "base/bytes.h"
#include "wasm/decode.h"
#include "wasm/emit.h"
#include "wasm/ops.h"
#include "wasm/validate.h"

enum alc_place {
    ALC_PLACE_SLOT,     /* in its own slot of the operand stack; `payload`: emit_roots.c */
    ALC_PLACE_LOCAL,    /* in the local whose slot is `payload`, until that is overwritten */
    ALC_PLACE_CONSTANT, /* nowhere; `payload` has the bits (i32 sign-extended) */
    ALC_PLACE_ACC,      /* only in the accumulator of its class */
};

struct alc_value {
    uint32_t type;
    uint16_t slot; /* its own slot, whatever the place */
    uint8_t place; /* enum alc_place */
    uint64_t payload;
};

enum { ALC_NO_UNIT = UINT32_MAX };

struct alc_control {
    /* Types of the block: a function type, or (NULL) at most one result. */
    const struct alc_function_type *type;
    uint32_t single;      /* that result, ALC_TYPE_BOTTOM: none */
    enum alc_op op;       /* BLOCK, LOOP, IF, ELSE, TRY_TABLE, TRY, CATCH, CATCH_ALL, or
                           * ALC_OP_ILLEGAL for the function */
    uint32_t height;      /* of the operand stack below the parameters */
    uint32_t sets_height; /* of the stack of initialised locals */
    uint32_t base_slot;   /* of the first parameter or result */
    uint32_t first_slot;  /* of the block's operand stack: behind the exception of a catch */
    bool is_unreachable;  /* validation: the rest of the block is dead */
    bool is_dead;         /* emission: the whole block is dead */
    uint32_t start_unit;  /* loops: where branches go; tries: where they begin */
    uint32_t fixups;      /* chain of forward branches to the end, ALC_NO_UNIT: none */
    uint32_t else_fixup;  /* of an `if` */
    uint32_t checked;     /* br_table (its offset) that has looked at the types of the label */
    uint32_t stub_unit;   /* stub of the br_table `stub_serial` */
    uint32_t stub_serial;
    /* Exceptions: indices into the emitter's tables. */
    uint32_t clauses;       /* chain (landing_unit) of those that lead to the end */
    uint32_t first_handler; /* tries: number of handlers when the block began */
    uint32_t first_clause;  /* tries: their own, in order */
    uint32_t last_clause;
};

struct alc_local {
    uint32_t type;
    uint16_t slot;
    bool is_set; /* has a value on all paths to here */
};

struct alc_validator {
    const struct alc_module *module;
    struct alc_arena *arena;
    struct alc_error *error;
    struct alc_reader reader; /* over the body */
    uint32_t op_offset;       /* file offset of the instruction at hand */

    struct alc_value *values;
    uint32_t height;
    uint32_t values_capacity;
    struct alc_control *controls;
    uint32_t depth;
    uint32_t controls_capacity;
    struct alc_local *locals;
    uint32_t locals_count;
    uint32_t locals_capacity;
    uint32_t *sets; /* locals without default that were set, in order */
    uint32_t sets_count;
    uint32_t sets_capacity;

    const struct alc_function_type *type; /* of the function */
    uint32_t slots_max;                   /* of the frame so far */

    bool has_plain_memory; /* memory 0 is there and has 32-bit addresses */

    bool is_live; /* emit: a target is there and the code can be reached */
    bool has_target;
    struct alc_emitter emitter;

    uint32_t watch_unit; /* alc_code_find_offset: waits for this unit */
    uint32_t watch_offset;
};

/* -- reports -- */

alc_status alc_validator_fail(struct alc_validator *v, alc_status status) ALC_COLD;

/* Doubles an array in the arena, up to `count_max`; `over` when that is reached. One without room
 * gets some. */
ALC_MUST_CHECK alc_status alc_validator_grow(struct alc_validator *v, void **array,
                                             uint32_t *capacity, size_t item_size,
                                             uint32_t count_max, alc_status over);

/* -- stacks -- */

static inline struct alc_control *alc_validator_top(struct alc_validator *v)
{
    return &v->controls[v->depth - 1];
}

/* First free slot of the operand stack. */
static inline uint32_t alc_validator_next_slot(const struct alc_validator *v)
{
    const struct alc_control *top = &v->controls[v->depth - 1];
    if (v->height == top->height) {
        return top->first_slot;
    }
    const struct alc_value *value = &v->values[v->height - 1];
    return value->slot + alc_type_slots(value->type);
}

ALC_MUST_CHECK alc_status alc_validator_push_slow(struct alc_validator *v);

/* Pushes a value of `type` at `place`. */
ALC_MUST_CHECK static inline alc_status alc_push(struct alc_validator *v, uint32_t type,
                                                 enum alc_place place, uint64_t payload)
{
    uint32_t slot = alc_validator_next_slot(v);
    uint32_t end = slot + alc_type_slots(type);
    if (ALC_UNLIKELY(v->height == v->values_capacity || end > ALC_LIMIT_FRAME_SLOTS)) {
        ALC_TRY(alc_validator_push_slow(v));
    }
    v->slots_max = end > v->slots_max ? end : v->slots_max;
    v->values[v->height++] = (struct alc_value){
        .type = type, .slot = (uint16_t)slot, .place = (uint8_t)place, .payload = payload};
    return ALC_OK;
}

ALC_MUST_CHECK static inline alc_status alc_push_slot(struct alc_validator *v, uint32_t type)
{
    return alc_push(v, type, ALC_PLACE_SLOT, 0);
}

ALC_MUST_CHECK alc_status alc_pop_slow(struct alc_validator *v, uint32_t type,
                                       struct alc_value *out);
/* Pops a value that matches `type` (ALC_TYPE_BOTTOM: any). Writes all of *out when it says ALC_OK,
 * so callers leave theirs uninitialized. */
ALC_MUST_CHECK static inline alc_status alc_pop(struct alc_validator *v, uint32_t type,
                                                struct alc_value *out)
{
    if (ALC_LIKELY(v->height > alc_validator_top(v)->height &&
                   v->values[v->height - 1].type == type)) {
        *out = v->values[--v->height];
        return ALC_OK;
    }
    return alc_pop_slow(v, type, out);
}
/* The same for several values, last one first; they stay readable above the new height. */
ALC_MUST_CHECK alc_status alc_pop_types(struct alc_validator *v, const uint32_t *types,
                                        uint32_t count);
ALC_MUST_CHECK alc_status alc_push_types(struct alc_validator *v, const uint32_t *types,
                                         uint32_t count);
/* The values on top of the stack, which match `types` (of a label), stay with those types. */
ALC_MUST_CHECK alc_status alc_validator_keep_values(struct alc_validator *v, const uint32_t *types,
                                                    uint32_t count);
/* Puts a popped value back where it was, under a type that says more. */
ALC_MUST_CHECK alc_status alc_validator_push_again(struct alc_validator *v,
                                                   const struct alc_value *value, uint32_t type);
/* The rest of the block is dead. */
void alc_validator_set_unreachable(struct alc_validator *v);

/* Opens the block that `control` describes; fills what follows from the validator's state. */
ALC_MUST_CHECK alc_status alc_validator_push_control(struct alc_validator *v,
                                                     struct alc_control *control);

/* -- types of blocks -- */

static inline const uint32_t *alc_control_parameters(const struct alc_control *control,
                                                     uint32_t *out_count)
{
    *out_count = control->type != NULL ? control->type->parameters_count : 0;
    return control->type != NULL ? control->type->parameters : NULL;
}

static inline const uint32_t *alc_control_results(const struct alc_control *control,
                                                  uint32_t *out_count)
{
    if (control->type != NULL) {
        *out_count = control->type->results_count;
        return control->type->results;
    }
    *out_count = control->single != ALC_TYPE_BOTTOM;
    return &control->single;
}

/* What a branch to the block carries. */
static inline const uint32_t *alc_control_label(const struct alc_control *control,
                                                uint32_t *out_count)
{
    return control->op == ALC_OP_LOOP ? alc_control_parameters(control, out_count)
                                      : alc_control_results(control, out_count);
}

/* Locals that were set inside the block may be unset again behind it. */
void alc_validator_forget_sets(struct alc_validator *v, const struct alc_control *control);
/* Pops the results of the innermost block; nothing may remain below them. */
ALC_MUST_CHECK alc_status alc_validator_pop_results(struct alc_validator *v,
                                                    const struct alc_control *top);
/* `end`, also the one that a delegate is. */
ALC_MUST_CHECK alc_status alc_validate_end(struct alc_validator *v);

/* Whether the block is at present the body of a catch of the legacy proposal. */
static inline bool alc_control_is_catch(const struct alc_control *control)
{
    return control->op == ALC_OP_CATCH || control->op == ALC_OP_CATCH_ALL;
}

/* -- immediates -- */

/* An index below `count`, else `unknown`. */
ALC_MUST_CHECK alc_status alc_validator_read_index(struct alc_validator *v, uint32_t count,
                                                   alc_status unknown, uint32_t *out);
ALC_MUST_CHECK alc_status alc_validator_read_label(struct alc_validator *v,
                                                   struct alc_control **out);

struct alc_memory_argument {
    uint32_t memory_index;
    bool is_64;
    unsigned align_log2;
    uint64_t offset;
};
ALC_MUST_CHECK alc_status alc_validator_read_memory_argument(struct alc_validator *v,
                                                             struct alc_memory_argument *out);

/* -- groups of instructions -- */

/* Validates instructions until one is not plain. Only without a target. */
void alc_validate_plain(struct alc_validator *v);
ALC_MUST_CHECK alc_status alc_validate_control(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_exception(struct alc_validator *v, enum alc_op op);
/* The clauses of a try_table whose control is not pushed yet: their labels are outside. */
ALC_MUST_CHECK alc_status alc_validate_clauses(struct alc_validator *v,
                                               struct alc_control *control);
ALC_MUST_CHECK alc_status alc_validate_call(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_variable(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_reference(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_gc(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_bulk(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_table(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_wide(struct alc_validator *v, enum alc_op op);
ALC_MUST_CHECK alc_status alc_validate_atomic(struct alc_validator *v, enum alc_op op);

#endif
