/* SPDX-License-Identifier: Apache-2.0
 *
 * Instructions that compiled code leaves to the runtime (rows of native/operations.def): one
 * function each, in tables by what they are about.
 */
#ifndef ALC_NATIVE_EXEC_OPERATIONS_H
#define ALC_NATIVE_EXEC_OPERATIONS_H

#include "native_exec/native_internal.h"
#include "wasm/ops.h"

/* One instruction. `slots` are the context's: operands from 0 on, where the results go. Of a
 * confined instance everything there is hostile, and nothing else of it changes meanwhile: each
 * operand is read once. row->b and row->c have been checked against the module (they are indices of
 * what the instruction's immediates name). A status other than ALC_OK is the trap. */
typedef alc_status alc_native_operation(struct alc_native_thread *thread,
                                        struct alc_native_instance *instance,
                                        const struct alc_native_stub *row, uint64_t *slots);

/* What an immediate counts in the module; checked when an image is loaded. */
enum alc_native_index {
    ALC_NATIVE_INDEX_NONE, /* nothing that is checked: of checked code only */
    ALC_NATIVE_INDEX_FUNCTION,
    ALC_NATIVE_INDEX_TABLE,
    ALC_NATIVE_INDEX_MEMORY,
    ALC_NATIVE_INDEX_GLOBAL,
    ALC_NATIVE_INDEX_MUTABLE_GLOBAL,
    ALC_NATIVE_INDEX_ELEMENT,
    ALC_NATIVE_INDEX_DATA,
};

/* What code must be to call each instruction, as native/operations.def says. */
enum {
    ALC_NATIVE_SHAPE_confined = ALC_NATIVE_CONFINED,
    ALC_NATIVE_SHAPE_checked = ALC_NATIVE_CHECKED,
#define OPERATION(ident, shape) ALC_NATIVE_SHAPE_OF_##ident = ALC_NATIVE_SHAPE_##shape,
#include "native/operations.def"
#undef OPERATION
};

struct alc_native_operation_row {
    uint16_t op;   /* enum alc_op */
    uint8_t shape; /* the lowest enum alc_native_shape that may call it */
    uint8_t b;     /* enum alc_native_index */
    uint8_t c;
    alc_native_operation *function;
};
#define ALC_NATIVE_OPERATION(ident, b, c, function)                                                \
    {ALC_OP_##ident, ALC_NATIVE_SHAPE_OF_##ident, ALC_NATIVE_INDEX_##b, ALC_NATIVE_INDEX_##c,      \
     function}

/* Tables, each ended by a row without a function. */
extern const struct alc_native_operation_row alc_native_operations_plain[];
extern const struct alc_native_operation_row alc_native_operations_object[];
extern const struct alc_native_operation_row alc_native_operations_atomic[];

/* NULL when there is no such operation, or none for the shape. */
const struct alc_native_operation_row *alc_native_operation_find(uint32_t op,
                                                                 enum alc_native_shape shape);

#endif
