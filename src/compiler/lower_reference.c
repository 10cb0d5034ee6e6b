/* SPDX-License-Identifier: Apache-2.0
 *
 * References as such: null, comparison, functions, i31. A reference is an i64 (exec/reference.h
 * says what is in it; the confined shape has other numbers, of functions only, but 0 is null there,
 * too).
 */
#include "compiler/lower.h"

/* -- helpers for all who handle references -- */

LLVMValueRef alc_lower_is_null(struct alc_lowering *f, LLVMValueRef reference)
{
    return LLVMBuildICmp(f->builder, LLVMIntEQ, reference, alc_lower_i64(f, 0), "");
}

LLVMValueRef alc_lower_pop_not_null(struct alc_lowering *f, enum alc_native_trap trap)
{
    bool may_be_null = alc_type_is_nullable(alc_lower_peek(f, 0)->type);
    LLVMValueRef reference = alc_lower_pop(f);
    if (may_be_null) {
        alc_lower_trap_if(f, alc_lower_is_null(f, reference), trap);
    }
    return reference;
}

static uint32_t not_null(uint32_t type)
{
    return ALC_TYPE_OF_REF(alc_type_heap(type));
}

/* -- branches -- */

static void branch_on_null(struct alc_lowering *f, uint32_t depth)
{
    struct alc_operand operand = *alc_lower_peek(f, 0);
    (void)alc_lower_pop(f);
    alc_lower_branch_if(f, depth, alc_lower_is_null(f, operand.value));
    alc_lower_push(f, operand.value, not_null(operand.type));
}

static void branch_on_not_null(struct alc_lowering *f, uint32_t depth)
{
    LLVMValueRef is_null = alc_lower_is_null(f, alc_lower_peek(f, 0)->value);
    alc_lower_branch_if(f, depth, LLVMBuildNot(f->builder, is_null, ""));
    (void)alc_lower_pop(f);
}

/* -- i31: bits 1 to 31, bit 0 is set -- */

static void lower_ref_i31(struct alc_lowering *f)
{
    LLVMValueRef one = alc_lower_i32(f, 1);
    LLVMValueRef bits = LLVMBuildShl(f->builder, alc_lower_pop(f), one, "");
    bits = LLVMBuildOr(f->builder, bits, one, "");
    alc_lower_push(f, LLVMBuildZExt(f->builder, bits, f->unit->i64, ""),
                   ALC_TYPE_OF_REF(ALC_HEAP_I31));
}

static void lower_i31_get(struct alc_lowering *f, LLVMOpcode shift)
{
    LLVMValueRef reference = alc_lower_pop_not_null(f, ALC_NATIVE_TRAP_NULL_I31);
    LLVMValueRef bits = LLVMBuildTrunc(f->builder, reference, f->unit->i32, "");
    alc_lower_push(f, LLVMBuildBinOp(f->builder, shift, bits, alc_lower_i32(f, 1), ""),
                   ALC_TYPE_I32);
}

/* -- the instructions -- */

static void push_condition(struct alc_lowering *f, LLVMValueRef condition)
{
    alc_lower_push(f, LLVMBuildZExt(f->builder, condition, f->unit->i32, ""), ALC_TYPE_I32);
}

static void lower_ref_eq(struct alc_lowering *f)
{
    LLVMValueRef b = alc_lower_pop(f);
    LLVMValueRef a = alc_lower_pop(f);
    push_condition(f, LLVMBuildICmp(f->builder, LLVMIntEQ, a, b, ""));
}

/* Nothing happens but to the type. */
static void change_heap(struct alc_lowering *f, uint32_t heap)
{
    struct alc_operand *operand = alc_lower_peek(f, 0);
    operand->type =
        alc_type_is_nullable(operand->type) ? ALC_TYPE_OF_REF_NULL(heap) : ALC_TYPE_OF_REF(heap);
}

static void lower_ref_as_non_null(struct alc_lowering *f)
{
    uint32_t type = not_null(alc_lower_peek(f, 0)->type);
    alc_lower_push(f, alc_lower_pop_not_null(f, ALC_NATIVE_TRAP_NULL_REFERENCE), type);
}

static void lower_ref_func(struct alc_lowering *f, enum alc_op op, uint32_t index)
{
    uint32_t type = ALC_TYPE_OF_REF(f->module->functions[index].type->id);
    alc_lower_operation(f, op, index, 0, 0, &type, 1);
}

void alc_lower_reference(struct alc_lowering *f, enum alc_op op,
                         const struct alc_immediates *immediates)
{
    switch ((int)op) {
    case ALC_OP_REF_NULL:
        alc_lower_push(f, alc_lower_i64(f, 0), ALC_TYPE_OF_REF_NULL(immediates->value_type));
        return;
    case ALC_OP_REF_IS_NULL:
        push_condition(f, alc_lower_is_null(f, alc_lower_pop(f)));
        return;
    case ALC_OP_REF_FUNC:
        lower_ref_func(f, op, immediates->index);
        return;
    case ALC_OP_REF_EQ:
        lower_ref_eq(f);
        return;
    case ALC_OP_REF_AS_NON_NULL:
        lower_ref_as_non_null(f);
        return;
    case ALC_OP_BR_ON_NULL:
        branch_on_null(f, immediates->index);
        return;
    case ALC_OP_BR_ON_NON_NULL:
        branch_on_not_null(f, immediates->index);
        return;
    case ALC_OP_ANY_CONVERT_EXTERN:
        change_heap(f, ALC_HEAP_ANY);
        return;
    case ALC_OP_EXTERN_CONVERT_ANY:
        change_heap(f, ALC_HEAP_EXTERN);
        return;
    case ALC_OP_REF_I31:
        lower_ref_i31(f);
        return;
    case ALC_OP_I31_GET_S:
        lower_i31_get(f, LLVMAShr);
        return;
    default:
        lower_i31_get(f, LLVMLShr);
        return;
    }
}
