/* SPDX-License-Identifier: Apache-2.0
 *
 * Integer instructions and constants (spec 4.3.2).
 */
#include "compiler/lower.h"

/* -- families: an instruction of both widths is a row -- */

enum family {
    FAMILY_NONE,
    FAMILY_BINARY,
    FAMILY_COMPARE,
    FAMILY_SHIFT,
    FAMILY_ROTATE,
    FAMILY_DIVIDE,
    FAMILY_COUNT,
    FAMILY_EXTEND,
    FAMILY_EQZ,
    FAMILY_CONSTANT,
    FAMILY_CONVERT,
};

struct row {
    uint8_t family;
    uint8_t detail; /* LLVM's opcode or predicate; COUNT: index of the intrinsic; EXTEND: bits */
};

#define BOTH(ident, family, detail)                                                                \
    [ALC_OP_I32_##ident] = {family, detail}, [ALC_OP_I64_##ident] = {family, detail}

enum { COUNT_LEADING, COUNT_TRAILING, COUNT_ONES };

static const struct row g_rows[ALC_OP_COUNT] = {
    BOTH(ADD, FAMILY_BINARY, LLVMAdd),
    BOTH(SUB, FAMILY_BINARY, LLVMSub),
    BOTH(MUL, FAMILY_BINARY, LLVMMul),
    BOTH(AND, FAMILY_BINARY, LLVMAnd),
    BOTH(OR, FAMILY_BINARY, LLVMOr),
    BOTH(XOR, FAMILY_BINARY, LLVMXor),
    BOTH(SHL, FAMILY_SHIFT, LLVMShl),
    BOTH(SHR_S, FAMILY_SHIFT, LLVMAShr),
    BOTH(SHR_U, FAMILY_SHIFT, LLVMLShr),
    BOTH(ROTL, FAMILY_ROTATE, 0),
    BOTH(ROTR, FAMILY_ROTATE, 1),
    BOTH(DIV_S, FAMILY_DIVIDE, LLVMSDiv),
    BOTH(DIV_U, FAMILY_DIVIDE, LLVMUDiv),
    BOTH(REM_S, FAMILY_DIVIDE, LLVMSRem),
    BOTH(REM_U, FAMILY_DIVIDE, LLVMURem),
    BOTH(EQ, FAMILY_COMPARE, LLVMIntEQ),
    BOTH(NE, FAMILY_COMPARE, LLVMIntNE),
    BOTH(LT_S, FAMILY_COMPARE, LLVMIntSLT),
    BOTH(LT_U, FAMILY_COMPARE, LLVMIntULT),
    BOTH(GT_S, FAMILY_COMPARE, LLVMIntSGT),
    BOTH(GT_U, FAMILY_COMPARE, LLVMIntUGT),
    BOTH(LE_S, FAMILY_COMPARE, LLVMIntSLE),
    BOTH(LE_U, FAMILY_COMPARE, LLVMIntULE),
    BOTH(GE_S, FAMILY_COMPARE, LLVMIntSGE),
    BOTH(GE_U, FAMILY_COMPARE, LLVMIntUGE),
    BOTH(EQZ, FAMILY_EQZ, 0),
    BOTH(CLZ, FAMILY_COUNT, COUNT_LEADING),
    BOTH(CTZ, FAMILY_COUNT, COUNT_TRAILING),
    BOTH(POPCNT, FAMILY_COUNT, COUNT_ONES),
    BOTH(EXTEND8_S, FAMILY_EXTEND, 8),
    BOTH(EXTEND16_S, FAMILY_EXTEND, 16),
    [ALC_OP_I64_EXTEND32_S] = {FAMILY_EXTEND, 32},
    BOTH(CONST, FAMILY_CONSTANT, 0),
    [ALC_OP_I32_WRAP_I64] = {FAMILY_CONVERT, LLVMTrunc},
    [ALC_OP_I64_EXTEND_I32_S] = {FAMILY_CONVERT, LLVMSExt},
    [ALC_OP_I64_EXTEND_I32_U] = {FAMILY_CONVERT, LLVMZExt},
};

/* -- one function for each family that needs more than a call -- */

static LLVMValueRef mask_count(struct alc_lowering *f, LLVMValueRef count)
{
    LLVMTypeRef type = LLVMTypeOf(count);
    unsigned bits = LLVMGetIntTypeWidth(type);
    return LLVMBuildAnd(f->builder, count, LLVMConstInt(type, bits - 1, 0), "");
}

static LLVMValueRef rotate(struct alc_lowering *f, LLVMValueRef *operands, bool is_right)
{
    LLVMTypeRef type = LLVMTypeOf(operands[0]);
    LLVMValueRef arguments[] = {operands[0], operands[0], operands[1]};
    return alc_lower_intrinsic(f, is_right ? "llvm.fshr" : "llvm.fshl", &type, 1, arguments, 3);
}

static LLVMValueRef divide(struct alc_lowering *f, LLVMOpcode opcode, LLVMValueRef *operands)
{
    LLVMTypeRef type = LLVMTypeOf(operands[0]);
    LLVMValueRef zero = LLVMConstNull(type);
    LLVMValueRef minus_one = LLVMConstAllOnes(type);
    LLVMValueRef divisor = operands[1];
    alc_lower_trap_if(f, LLVMBuildICmp(f->builder, LLVMIntEQ, divisor, zero, ""),
                      ALC_NATIVE_TRAP_DIVIDE_BY_ZERO);
    if (opcode == LLVMSDiv || opcode == LLVMSRem) {
        LLVMValueRef is_minus_one = LLVMBuildICmp(f->builder, LLVMIntEQ, divisor, minus_one, "");
        if (opcode == LLVMSDiv) {
            uint64_t least = UINT64_C(1) << (LLVMGetIntTypeWidth(type) - 1);
            LLVMValueRef is_least =
                LLVMBuildICmp(f->builder, LLVMIntEQ, operands[0], LLVMConstInt(type, least, 0), "");
            alc_lower_trap_if(f, LLVMBuildAnd(f->builder, is_minus_one, is_least, ""),
                              ALC_NATIVE_TRAP_INTEGER_OVERFLOW);
        } else {
            /* x rem -1 is x rem 1, also of the least number, where the processor would fault. */
            divisor =
                LLVMBuildSelect(f->builder, is_minus_one, LLVMConstInt(type, 1, 0), divisor, "");
        }
    }
    return LLVMBuildBinOp(f->builder, opcode, operands[0], divisor, "");
}

static LLVMValueRef count_bits(struct alc_lowering *f, unsigned which, LLVMValueRef value)
{
    static const char *const NAMES[] = {"llvm.ctlz", "llvm.cttz", "llvm.ctpop"};
    LLVMTypeRef type = LLVMTypeOf(value);
    LLVMValueRef arguments[] = {value, LLVMConstNull(f->unit->i1)}; /* 0 is a value like others */
    return alc_lower_intrinsic(f, NAMES[which], &type, 1, arguments, which == COUNT_ONES ? 1 : 2);
}

static LLVMValueRef extend_within(struct alc_lowering *f, unsigned bits, LLVMValueRef value)
{
    LLVMTypeRef narrow = LLVMIntTypeInContext(f->unit->context, bits);
    return LLVMBuildSExt(f->builder, LLVMBuildTrunc(f->builder, value, narrow, ""),
                         LLVMTypeOf(value), "");
}

static LLVMValueRef widen(struct alc_lowering *f, LLVMValueRef condition)
{
    return LLVMBuildZExt(f->builder, condition, f->unit->i32, "");
}

static LLVMValueRef equals_zero(struct alc_lowering *f, LLVMValueRef value)
{
    if (LLVMTypeOf(value) == f->unit->i32) {
        LLVMValueRef condition = alc_lower_condition(f, value);
        return widen(f, LLVMBuildNot(f->builder, condition, ""));
    }
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(value));
    return widen(f, LLVMBuildICmp(f->builder, LLVMIntEQ, value, zero, ""));
}

LLVMValueRef alc_lower_numeric(struct alc_lowering *f, enum alc_op op,
                               const struct alc_immediates *immediates, LLVMValueRef *operands)
{
    const struct row *row = &g_rows[op];
    LLVMTypeRef type = alc_lower_type(f, alc_signature_result(alc_op_infos[op].signature));
    switch ((enum family)row->family) {
    case FAMILY_BINARY:
        return LLVMBuildBinOp(f->builder, (LLVMOpcode)row->detail, operands[0], operands[1], "");
    case FAMILY_COMPARE:
        return widen(f, LLVMBuildICmp(f->builder, (LLVMIntPredicate)row->detail, operands[0],
                                      operands[1], ""));
    case FAMILY_SHIFT:
        return LLVMBuildBinOp(f->builder, (LLVMOpcode)row->detail, operands[0],
                              mask_count(f, operands[1]), "");
    case FAMILY_ROTATE:
        return rotate(f, operands, row->detail != 0);
    case FAMILY_DIVIDE:
        return divide(f, (LLVMOpcode)row->detail, operands);
    case FAMILY_COUNT:
        return count_bits(f, row->detail, operands[0]);
    case FAMILY_EXTEND:
        return extend_within(f, row->detail, operands[0]);
    case FAMILY_EQZ:
        return equals_zero(f, operands[0]);
    case FAMILY_CONSTANT:
        return LLVMConstInt(type, immediates->bits, 0);
    case FAMILY_CONVERT:
        return LLVMBuildCast(f->builder, (LLVMOpcode)row->detail, operands[0], type, "");
    case FAMILY_NONE:
    default:
        alc_lower_fail(f, ALC_E_INTERNAL);
        return NULL;
    }
}
