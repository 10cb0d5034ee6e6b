/* SPDX-License-Identifier: Apache-2.0
 *
 * Arithmetic on 128 bits in pairs of i64, the low half first: LLVM knows numbers of that width.
 */
#include "compiler/lower.h"

static LLVMValueRef join(struct alc_lowering *f, LLVMValueRef low, LLVMValueRef high)
{
    LLVMTypeRef i128 = f->unit->i128;
    LLVMValueRef upper = LLVMBuildZExt(f->builder, high, i128, "");
    upper = LLVMBuildShl(f->builder, upper, LLVMConstInt(i128, 64, false), "");
    return LLVMBuildOr(f->builder, LLVMBuildZExt(f->builder, low, i128, ""), upper, "");
}

static void push_halves(struct alc_lowering *f, LLVMValueRef value)
{
    LLVMValueRef sixty_four = LLVMConstInt(f->unit->i128, 64, false);
    LLVMValueRef high = LLVMBuildLShr(f->builder, value, sixty_four, "");
    alc_lower_push(f, LLVMBuildTrunc(f->builder, value, f->unit->i64, ""), ALC_TYPE_I64);
    alc_lower_push(f, LLVMBuildTrunc(f->builder, high, f->unit->i64, ""), ALC_TYPE_I64);
}

/* Operands and results: low and high half of each. */
static void lower_sum(struct alc_lowering *f, LLVMOpcode opcode)
{
    LLVMValueRef halves[4];
    for (unsigned i = 4; i > 0; i--) {
        halves[i - 1] = alc_lower_pop(f);
    }
    LLVMValueRef a = join(f, halves[0], halves[1]);
    LLVMValueRef b = join(f, halves[2], halves[3]);
    push_halves(f, LLVMBuildBinOp(f->builder, opcode, a, b, ""));
}

static void lower_product(struct alc_lowering *f, LLVMOpcode extension)
{
    LLVMValueRef b = LLVMBuildCast(f->builder, extension, alc_lower_pop(f), f->unit->i128, "");
    LLVMValueRef a = LLVMBuildCast(f->builder, extension, alc_lower_pop(f), f->unit->i128, "");
    push_halves(f, LLVMBuildMul(f->builder, a, b, ""));
}

void alc_lower_wide(struct alc_lowering *f, enum alc_op op, const struct alc_immediates *immediates)
{
    (void)immediates;
    switch ((int)op) {
    case ALC_OP_I64_ADD128:
        lower_sum(f, LLVMAdd);
        break;
    case ALC_OP_I64_SUB128:
        lower_sum(f, LLVMSub);
        break;
    case ALC_OP_I64_MUL_WIDE_S:
        lower_product(f, LLVMSExt);
        break;
    default:
        lower_product(f, LLVMZExt);
        break;
    }
}
