/* SPDX-License-Identifier: Apache-2.0
 *
 * Helpers: functions of the compiler's own that stand in the image behind those of the module, and
 * are called like them. They touch memory that their caller has found to be there, so they never
 * trap, and call nothing. Helper h is function module->functions_count + h.
 */
#ifndef ALC_COMPILER_HELPERS_H
#define ALC_COMPILER_HELPERS_H

#include "compiler/unit.h"

enum alc_helper {
    ALC_HELPER_COPY, /* target, source, size: the ranges may overlap */
    ALC_HELPER_FILL, /* target, value (i32, its low byte), size */
    ALC_HELPERS_COUNT,
};

/* Integers that addresses of memories are: i32 in the confined shape. */
LLVMTypeRef alc_helper_address_type(const struct alc_unit *unit);
LLVMTypeRef alc_helper_signature(const struct alc_unit *unit, enum alc_helper helper);

/* An i64 with the low byte of an i32 in every byte; it in every lane of a vector. */
LLVMValueRef alc_helper_spread(const struct alc_unit *unit, LLVMBuilderRef builder,
                               LLVMValueRef value);
LLVMValueRef alc_helper_repeat(const struct alc_unit *unit, LLVMBuilderRef builder,
                               LLVMTypeRef vector, LLVMValueRef bytes);

/* Defines all helpers in a unit of their own. */
void alc_helpers_build(struct alc_unit *unit);

#endif
