/* SPDX-License-Identifier: Apache-2.0
 *
 * Floating-point instructions and conversions (spec 4.3.3). What comes out of an operation on a NaN
 * must be quiet, while LLVM takes the liberty to give back an operand as it is; where it would, it
 * does not see the constants (decision 0010).
 */
#include "compiler/lower.h"

enum family {
    FAMILY_NONE,
    FAMILY_BINARY,
    FAMILY_COMPARE,
    FAMILY_INTRINSIC,
    FAMILY_NEGATE,
    FAMILY_MIN_MAX,
    FAMILY_CONSTANT,
    FAMILY_REINTERPRET,
    FAMILY_CONVERT, /* from an integer, or promotion */
    FAMILY_DEMOTE,
    FAMILY_TRUNCATE, /* to an integer, or trap */
    FAMILY_SATURATE,
};

struct row {
    uint8_t family;
    uint8_t
        detail; /* LLVM's opcode or predicate; INTRINSIC: index; the rest: whether signed, max */
};

enum { ABS, CEIL, FLOOR, TRUNC, NEAREST, SQRT, COPYSIGN };
static const char *const g_intrinsics[] = {"llvm.fabs",    "llvm.ceil",      "llvm.floor",
                                           "llvm.trunc",   "llvm.roundeven", "llvm.sqrt",
                                           "llvm.copysign"};

#define BOTH(ident, family, detail)                                                                \
    [ALC_OP_F32_##ident] = {family, detail}, [ALC_OP_F64_##ident] = {family, detail}
#define FOUR(prefix, suffix, family, detail)                                                       \
    [ALC_OP_I32_##prefix##_F32_##suffix] = {family, detail},                                       \
    [ALC_OP_I32_##prefix##_F64_##suffix] = {family, detail},                                       \
    [ALC_OP_I64_##prefix##_F32_##suffix] = {family, detail},                                       \
    [ALC_OP_I64_##prefix##_F64_##suffix] = {family, detail}

static const struct row g_rows[ALC_OP_COUNT] = {
    BOTH(ADD, FAMILY_BINARY, LLVMFAdd),
    BOTH(SUB, FAMILY_BINARY, LLVMFSub),
    BOTH(MUL, FAMILY_BINARY, LLVMFMul),
    BOTH(DIV, FAMILY_BINARY, LLVMFDiv),
    BOTH(EQ, FAMILY_COMPARE, LLVMRealOEQ),
    BOTH(NE, FAMILY_COMPARE, LLVMRealUNE),
    BOTH(LT, FAMILY_COMPARE, LLVMRealOLT),
    BOTH(GT, FAMILY_COMPARE, LLVMRealOGT),
    BOTH(LE, FAMILY_COMPARE, LLVMRealOLE),
    BOTH(GE, FAMILY_COMPARE, LLVMRealOGE),
    BOTH(ABS, FAMILY_INTRINSIC, ABS),
    BOTH(CEIL, FAMILY_INTRINSIC, CEIL),
    BOTH(FLOOR, FAMILY_INTRINSIC, FLOOR),
    BOTH(TRUNC, FAMILY_INTRINSIC, TRUNC),
    BOTH(NEAREST, FAMILY_INTRINSIC, NEAREST),
    BOTH(SQRT, FAMILY_INTRINSIC, SQRT),
    BOTH(COPYSIGN, FAMILY_INTRINSIC, COPYSIGN),
    BOTH(NEG, FAMILY_NEGATE, 0),
    BOTH(MIN, FAMILY_MIN_MAX, 0),
    BOTH(MAX, FAMILY_MIN_MAX, 1),
    BOTH(CONST, FAMILY_CONSTANT, 0),
    [ALC_OP_I32_REINTERPRET_F32] = {FAMILY_REINTERPRET, 0},
    [ALC_OP_I64_REINTERPRET_F64] = {FAMILY_REINTERPRET, 0},
    [ALC_OP_F32_REINTERPRET_I32] = {FAMILY_REINTERPRET, 0},
    [ALC_OP_F64_REINTERPRET_I64] = {FAMILY_REINTERPRET, 0},
    BOTH(CONVERT_I32_S, FAMILY_CONVERT, LLVMSIToFP),
    BOTH(CONVERT_I32_U, FAMILY_CONVERT, LLVMUIToFP),
    BOTH(CONVERT_I64_S, FAMILY_CONVERT, LLVMSIToFP),
    BOTH(CONVERT_I64_U, FAMILY_CONVERT, LLVMUIToFP),
    [ALC_OP_F64_PROMOTE_F32] = {FAMILY_CONVERT, LLVMFPExt},
    [ALC_OP_F32_DEMOTE_F64] = {FAMILY_DEMOTE, 0},
    FOUR(TRUNC, S, FAMILY_TRUNCATE, 1),
    FOUR(TRUNC, U, FAMILY_TRUNCATE, 0),
    FOUR(TRUNC_SAT, S, FAMILY_SATURATE, 1),
    FOUR(TRUNC_SAT, U, FAMILY_SATURATE, 0),
};

/* Hides 0 and 1 of either sign: x * 1, x - 0 and the like are not x when x is a signalling NaN. */
static LLVMValueRef hide_neutral(struct alc_lowering *f, LLVMValueRef value)
{
    LLVMBool loses;
    if (LLVMIsAConstantFP(value) == NULL) {
        return value;
    }
    double constant = LLVMConstRealGetDouble(value, &loses);
    bool is_neutral = constant == 0.0 || constant == 1.0 || constant == -1.0;
    return is_neutral ? alc_lower_hide(f, value) : value;
}

static LLVMValueRef binary(struct alc_lowering *f, LLVMOpcode opcode, LLVMValueRef *operands)
{
    return LLVMBuildBinOp(f->builder, opcode, hide_neutral(f, operands[0]),
                          hide_neutral(f, operands[1]), "");
}

/* The processor's minimum gives its second operand when both are zeros, equal or not ordered. So
 * that of (a, b) and of (b, a) joined bit by bit is right but for NaNs, which a sum makes quiet. */
static LLVMValueRef min_max(struct alc_lowering *f, LLVMValueRef a, LLVMValueRef b, bool is_max)
{
    LLVMBuilderRef builder = f->builder;
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMTypeRef bits = type == f->unit->f32 ? f->unit->i32 : f->unit->i64;
    LLVMRealPredicate order = is_max ? LLVMRealOGT : LLVMRealOLT;
    LLVMValueRef first =
        LLVMBuildSelect(builder, LLVMBuildFCmp(builder, order, a, b, ""), a, b, "");
    LLVMValueRef second =
        LLVMBuildSelect(builder, LLVMBuildFCmp(builder, order, b, a, ""), b, a, "");
    first = LLVMBuildBitCast(builder, first, bits, "");
    second = LLVMBuildBitCast(builder, second, bits, "");
    LLVMValueRef joined = LLVMBuildBinOp(builder, is_max ? LLVMAnd : LLVMOr, first, second, "");
    joined = LLVMBuildBitCast(builder, joined, type, "");
    LLVMValueRef sum = LLVMBuildFAdd(builder, a, b, "");
    LLVMValueRef is_unordered = LLVMBuildFCmp(builder, LLVMRealUNO, a, b, "");
    return LLVMBuildSelect(builder, is_unordered, sum, joined, "");
}

static LLVMValueRef real(LLVMTypeRef type, double value)
{
    return LLVMConstReal(type, value);
}

/* Traps unless the value, cut, fits an integer of `bits` bits: it is above the one limit and below
 * the other, both of which are exact in the value's type. */
static void check_range(struct alc_lowering *f, LLVMValueRef value, unsigned bits, bool is_signed)
{
    LLVMTypeRef type = LLVMTypeOf(value);
    double span = bits == 32 ? 0x1p31 : 0x1p63;
    /* The number below the least one, where the type has it; else the least one itself. */
    bool is_exact = bits == 32 && type == f->unit->f64;
    double low = !is_signed ? -1.0 : is_exact ? -span - 1 : -span;
    LLVMRealPredicate above = is_signed && !is_exact ? LLVMRealUGE : LLVMRealUGT;
    double high = is_signed ? span : 2 * span;
    LLVMBuilderRef builder = f->builder;
    alc_lower_trap_if(f, LLVMBuildFCmp(builder, LLVMRealUNO, value, value, ""),
                      ALC_NATIVE_TRAP_INVALID_CONVERSION);
    LLVMValueRef is_above = LLVMBuildFCmp(builder, above, value, real(type, low), "");
    LLVMValueRef is_below = LLVMBuildFCmp(builder, LLVMRealULT, value, real(type, high), "");
    LLVMValueRef fits = LLVMBuildAnd(builder, is_above, is_below, "");
    alc_lower_trap_if(f, LLVMBuildNot(builder, fits, ""), ALC_NATIVE_TRAP_INTEGER_OVERFLOW);
}

static LLVMValueRef truncate_or_trap(struct alc_lowering *f, LLVMValueRef value, LLVMTypeRef type,
                                     bool is_signed)
{
    check_range(f, value, LLVMGetIntTypeWidth(type), is_signed);
    return LLVMBuildCast(f->builder, is_signed ? LLVMFPToSI : LLVMFPToUI, value, type, "");
}

static LLVMValueRef saturate(struct alc_lowering *f, LLVMValueRef value, LLVMTypeRef type,
                             bool is_signed)
{
    LLVMTypeRef types[] = {type, LLVMTypeOf(value)};
    return alc_lower_intrinsic(f, is_signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat", types, 2,
                               &value, 1);
}

static LLVMValueRef constant(struct alc_lowering *f, LLVMTypeRef type, uint64_t bits)
{
    LLVMTypeRef integer = type == f->unit->f32 ? f->unit->i32 : f->unit->i64;
    return LLVMConstBitCast(LLVMConstInt(integer, bits, 0), type);
}

LLVMValueRef alc_lower_float(struct alc_lowering *f, enum alc_op op,
                             const struct alc_immediates *immediates, LLVMValueRef *operands)
{
    const struct row *row = &g_rows[op];
    LLVMTypeRef type = alc_lower_type(f, alc_signature_result(alc_op_infos[op].signature));
    LLVMBuilderRef builder = f->builder;
    switch ((enum family)row->family) {
    case FAMILY_BINARY:
        return binary(f, (LLVMOpcode)row->detail, operands);
    case FAMILY_COMPARE:
        return LLVMBuildZExt(
            builder,
            LLVMBuildFCmp(builder, (LLVMRealPredicate)row->detail, operands[0], operands[1], ""),
            f->unit->i32, "");
    case FAMILY_INTRINSIC:
        return alc_lower_intrinsic(f, g_intrinsics[row->detail], &type, 1, operands,
                                   row->detail == COPYSIGN ? 2 : 1);
    case FAMILY_NEGATE:
        return LLVMBuildFNeg(builder, operands[0], "");
    case FAMILY_MIN_MAX:
        return min_max(f, operands[0], operands[1], row->detail != 0);
    case FAMILY_CONSTANT:
        return constant(f, type, immediates->bits);
    case FAMILY_REINTERPRET:
        return LLVMBuildBitCast(builder, operands[0], type, "");
    case FAMILY_CONVERT:
        return LLVMBuildCast(builder, (LLVMOpcode)row->detail, operands[0], type, "");
    case FAMILY_DEMOTE: /* the demotion of a promotion is not the value it began with */
        return LLVMBuildFPTrunc(builder, alc_lower_hide(f, operands[0]), type, "");
    case FAMILY_TRUNCATE:
        return truncate_or_trap(f, operands[0], type, row->detail != 0);
    case FAMILY_SATURATE:
        return saturate(f, operands[0], type, row->detail != 0);
    case FAMILY_NONE:
    default:
        alc_lower_fail(f, ALC_E_INTERNAL);
        return NULL;
    }
}
