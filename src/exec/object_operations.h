/* SPDX-License-Identifier: Apache-2.0
 *
 * Instructions on objects (exec/object.h) as ordinary functions, for every executor, and the test
 * of a reference's type.
 *
 * An operation's operands stand in `slot` from 0 on (v128 in two, i32 with undefined upper halves);
 * its result, if any, goes to slot 0. `type` is the immediate of the instruction, a structure or an
 * array; `index` its other one (segment, count), where it has one. References among the operands
 * MUST also be where roots.h looks when it makes an object. A status other than ALC_OK is the trap.
 */
#ifndef ALC_EXEC_OBJECT_OPERATIONS_H
#define ALC_EXEC_OBJECT_OPERATIONS_H

#include "exec/object.h"
#include "exec/store.h"

/* Whether a value of the type's hierarchy has the type (a reference type). */
bool alc_reference_has_type(const struct alc_type_registry *types, uint64_t reference,
                            uint32_t type);

typedef alc_status alc_object_operation(const struct alc_instance *inst,
                                        const struct alc_type *type, uint32_t index,
                                        uint64_t *slot);
alc_object_operation alc_object_struct_new;
alc_object_operation alc_object_struct_new_default;
alc_object_operation alc_object_array_new;
alc_object_operation alc_object_array_new_default;
alc_object_operation alc_object_array_new_fixed;
alc_object_operation alc_object_array_new_data;
alc_object_operation alc_object_array_new_elem;
alc_object_operation alc_object_array_fill;
alc_object_operation alc_object_array_copy;
alc_object_operation alc_object_array_init_data;
alc_object_operation alc_object_array_init_elem;

#endif
