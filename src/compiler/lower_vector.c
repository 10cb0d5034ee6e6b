/* SPDX-License-Identifier: Apache-2.0
 *
 * One function for each way in which lower_vector.def says that instructions are lowered. General
 * instructions of LLVM are used where it selects the processor's one for them, because it can
 * simplify those; the processor's intrinsics where it does not.
 *
 * LLVM takes a NaN for a NaN and drops operations that it thinks change nothing (x * 1.0), which
 * would let signalling NaNs through: opaque_operand.
 */
#include "compiler/lower_vector.h"
#include "base/bytes.h"

enum { OPERANDS_MAX = 3 };

struct row;

/* An instruction under way. Vectors among the operands have the row's lanes. */
struct job {
    struct alc_lowering *f;
    LLVMBuilderRef builder;
    const struct row *row;
    unsigned operands_count;
    const LLVMValueRef *operands; /* as they came */
    LLVMValueRef x[OPERANDS_MAX];
    const struct alc_immediates *immediates;
};

struct row {
    LLVMValueRef (*lower)(const struct job *job);
    enum lanes lanes;
    int number;
    const char *name;
};

/* -- building blocks -- */

/* Lanes of the same size that are integers. */
static enum lanes as_integers(enum lanes lanes)
{
    return lanes == F32 ? I32 : lanes == F64 ? I64 : lanes;
}

static LLVMValueRef cast(const struct job *job, LLVMValueRef value, enum lanes lanes)
{
    return cast_lanes(job->f, value, lanes);
}

static LLVMValueRef zeros(const struct job *job, enum lanes lanes)
{
    return LLVMConstNull(lanes_type(job->f, lanes));
}

static LLVMValueRef all_lanes(enum lanes lanes, LLVMValueRef scalar)
{
    LLVMValueRef values[16];
    for (unsigned i = 0; i < lanes_count(lanes); i++) {
        values[i] = scalar;
    }
    return LLVMConstVector(values, lanes_count(lanes));
}

static LLVMValueRef integers(const struct job *job, enum lanes lanes, uint64_t value)
{
    return all_lanes(lanes, LLVMConstInt(lane_type(job->f, lanes), value, false));
}

static LLVMValueRef floats(const struct job *job, enum lanes lanes, double value)
{
    return all_lanes(lanes, LLVMConstReal(lane_type(job->f, lanes), value));
}

/* Lanes of `a` and then `b` (NULL: none) by number, from an array of indices. */
static LLVMValueRef pick(const struct job *job, LLVMValueRef a, LLVMValueRef b,
                         const uint8_t *indices, unsigned count)
{
    LLVMTypeRef i32 = job->f->unit->i32;
    LLVMValueRef mask[16];
    for (unsigned i = 0; i < count; i++) {
        mask[i] = LLVMConstInt(i32, indices[i], false);
    }
    return LLVMBuildShuffleVector(job->builder, a, b != NULL ? b : LLVMGetPoison(LLVMTypeOf(a)),
                                  LLVMConstVector(mask, count), "");
}

/* The lower (or upper) half of a vector's lanes. */
static LLVMValueRef half(const struct job *job, LLVMValueRef a, enum lanes lanes, bool is_high)
{
    unsigned count = lanes_count(lanes) / 2;
    uint8_t indices[8];
    for (unsigned i = 0; i < count; i++) {
        indices[i] = (uint8_t)(i + (is_high ? count : 0));
    }
    return pick(job, a, NULL, indices, count);
}

/* LLVM's intrinsic of this name; `type`: the one it is wanted for, NULL when it has but one. */
static LLVMValueRef call(const struct job *job, const char *name, LLVMTypeRef type,
                         LLVMValueRef *arguments, unsigned count)
{
    return alc_lower_intrinsic(job->f, name, &type, type != NULL, arguments, count);
}

static LLVMValueRef call_2(const struct job *job, const char *name, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef arguments[] = {a, b};
    return call(job, name, NULL, arguments, 2);
}

/* Lanes of all ones where the condition holds. */
static LLVMValueRef mask_of(const struct job *job, LLVMValueRef condition, enum lanes lanes)
{
    return LLVMBuildSExt(job->builder, condition, lanes_type(job->f, as_integers(lanes)), "");
}

/* Whether a lane of the constant v128 is 0 or 1 of either sign, as far as can be seen. */
static bool is_telling(LLVMValueRef constant, enum lanes lanes)
{
    const uint64_t sign = lanes == F32 ? UINT32_C(0x80000000) : UINT64_C(1) << 63;
    const uint64_t one = lanes == F32 ? 0x3f800000 : UINT64_C(0x3ff0000000000000);
    for (unsigned i = 0; i < 2; i++) {
        LLVMValueRef element = LLVMGetAggregateElement(constant, i);
        if (element == NULL || !LLVMIsAConstantInt(element)) {
            return true;
        }
        uint64_t bits = LLVMConstIntGetZExtValue(element);
        for (unsigned shift = 0; shift < 64; shift += lane_bits(lanes)) {
            uint64_t magnitude = bits >> shift & (sign - 1);
            if (magnitude == 0 || magnitude == one) {
                return true;
            }
        }
    }
    return false;
}

/* A floating operand of which LLVM sees no such lane. */
static LLVMValueRef opaque_operand(const struct job *job, unsigned index)
{
    LLVMValueRef value = job->x[index];
    bool is_opaque = !LLVMIsConstant(value) || !is_telling(job->operands[index], job->row->lanes);
    return is_opaque ? value : alc_lower_hide(job->f, value);
}

/* -- bits -- */

static LLVMValueRef lower_operator(const struct job *job)
{
    return LLVMBuildBinOp(job->builder, (LLVMOpcode)job->row->number, job->x[0], job->x[1], "");
}

static LLVMValueRef lower_complement(const struct job *job)
{
    return LLVMBuildNot(job->builder, job->x[0], "");
}

static LLVMValueRef lower_and_not(const struct job *job)
{
    return LLVMBuildAnd(job->builder, job->x[0], LLVMBuildNot(job->builder, job->x[1], ""), "");
}

static LLVMValueRef lower_bitselect(const struct job *job)
{
    LLVMValueRef chosen = LLVMBuildAnd(job->builder, job->x[0], job->x[2], "");
    LLVMValueRef others =
        LLVMBuildAnd(job->builder, job->x[1], LLVMBuildNot(job->builder, job->x[2], ""), "");
    return LLVMBuildOr(job->builder, chosen, others, "");
}

static LLVMValueRef as_i32(const struct job *job, LLVMValueRef condition)
{
    return LLVMBuildZExt(job->builder, condition, job->f->unit->i32, "");
}

static LLVMValueRef lower_any_true(const struct job *job)
{
    LLVMTypeRef i128 = job->f->unit->i128;
    LLVMValueRef bits = LLVMBuildBitCast(job->builder, job->x[0], i128, "");
    return as_i32(job, LLVMBuildICmp(job->builder, LLVMIntNE, bits, LLVMConstNull(i128), ""));
}

/* One bit for each lane for which the comparison with 0 holds. */
static LLVMValueRef bits_of_lanes(const struct job *job, LLVMIntPredicate predicate)
{
    enum lanes lanes = job->row->lanes;
    LLVMValueRef condition =
        LLVMBuildICmp(job->builder, predicate, job->x[0], zeros(job, lanes), "");
    LLVMTypeRef type = LLVMIntTypeInContext(job->f->unit->context, lanes_count(lanes));
    return LLVMBuildBitCast(job->builder, condition, type, "");
}

static LLVMValueRef lower_all_true(const struct job *job)
{
    LLVMValueRef bits = bits_of_lanes(job, LLVMIntEQ);
    LLVMTypeRef type = LLVMTypeOf(bits);
    return as_i32(job, LLVMBuildICmp(job->builder, LLVMIntEQ, bits, LLVMConstNull(type), ""));
}

static LLVMValueRef lower_bitmask(const struct job *job)
{
    return as_i32(job, bits_of_lanes(job, LLVMIntSLT));
}

/* -- lanes -- */

static LLVMValueRef lower_constant(const struct job *job)
{
    uint64_t halves[2];
    alc_copy(halves, job->immediates->bytes, sizeof halves);
    LLVMTypeRef type = lane_type(job->f, I64);
    LLVMValueRef values[] = {LLVMConstInt(type, halves[0], false),
                             LLVMConstInt(type, halves[1], false)};
    return LLVMConstVector(values, 2);
}

static LLVMValueRef lower_shuffle(const struct job *job)
{
    return pick(job, job->x[0], job->x[1], job->immediates->bytes, lanes_count(I8));
}

/* An index of 16 and more reaches 0x80 and stays there: PSHUFB gives 0 for it. */
static LLVMValueRef lower_swizzle(const struct job *job)
{
    LLVMValueRef index[] = {job->x[1], integers(job, I8, 0x70)};
    LLVMValueRef biased = call(job, "llvm.uadd.sat", LLVMTypeOf(job->x[1]), index, 2);
    return call_2(job, "llvm.x86.ssse3.pshuf.b.128", job->x[0], biased);
}

/* A scalar operand as a lane. */
static LLVMValueRef to_lane(const struct job *job, LLVMValueRef scalar)
{
    bool is_narrow = job->row->lanes == I8 || job->row->lanes == I16;
    LLVMTypeRef type = lane_type(job->f, job->row->lanes);
    return is_narrow ? LLVMBuildTrunc(job->builder, scalar, type, "") : scalar;
}

static LLVMValueRef lower_splat(const struct job *job)
{
    return spread_lane(job->f, to_lane(job, job->x[0]), job->row->lanes);
}

static LLVMValueRef lane_index(const struct job *job)
{
    return LLVMConstInt(job->f->unit->i32, job->immediates->lane, false);
}

static LLVMValueRef lower_extract(const struct job *job)
{
    LLVMValueRef lane = LLVMBuildExtractElement(job->builder, job->x[0], lane_index(job), "");
    if (job->row->lanes != I8 && job->row->lanes != I16) {
        return lane;
    }
    LLVMTypeRef i32 = job->f->unit->i32;
    return (job->row->number & SIGNED) != 0 ? LLVMBuildSExt(job->builder, lane, i32, "")
                                            : LLVMBuildZExt(job->builder, lane, i32, "");
}

static LLVMValueRef lower_replace(const struct job *job)
{
    LLVMValueRef lane = to_lane(job, job->x[1]);
    return LLVMBuildInsertElement(job->builder, job->x[0], lane, lane_index(job), "");
}

/* -- intrinsics -- */

static LLVMValueRef lower_generic(const struct job *job)
{
    LLVMValueRef arguments[OPERANDS_MAX] = {job->x[0], job->x[1], job->x[2]};
    return call(job, job->row->name, LLVMTypeOf(job->x[0]), arguments, job->operands_count);
}

static LLVMValueRef lower_target(const struct job *job)
{
    LLVMValueRef arguments[OPERANDS_MAX] = {job->x[0], job->x[1], job->x[2]};
    return call(job, job->row->name, NULL, arguments, job->operands_count);
}

/* -- integers -- */

static LLVMValueRef lower_compare(const struct job *job)
{
    LLVMValueRef condition =
        LLVMBuildICmp(job->builder, (LLVMIntPredicate)job->row->number, job->x[0], job->x[1], "");
    return mask_of(job, condition, job->row->lanes);
}

static LLVMValueRef lower_negate(const struct job *job)
{
    return LLVMBuildNeg(job->builder, job->x[0], "");
}

static LLVMValueRef lower_absolute(const struct job *job)
{
    LLVMTypeRef i1 = job->f->unit->i1;
    LLVMValueRef arguments[] = {job->x[0], LLVMConstNull(i1)}; /* the least number is not poison */
    return call(job, "llvm.abs", LLVMTypeOf(job->x[0]), arguments, 2);
}

/* The count is taken modulo the lane's bits. */
static LLVMValueRef lower_shift(const struct job *job)
{
    enum lanes lanes = job->row->lanes;
    LLVMTypeRef i32 = job->f->unit->i32;
    LLVMValueRef count =
        LLVMBuildAnd(job->builder, job->x[1], LLVMConstInt(i32, lane_bits(lanes) - 1, false), "");
    LLVMTypeRef type = lane_type(job->f, lanes);
    count = LLVMBuildIntCast2(job->builder, count, type, false, "");
    return LLVMBuildBinOp(job->builder, (LLVMOpcode)job->row->number, job->x[0],
                          spread_lane(job->f, count, lanes), "");
}

static LLVMValueRef widened_half(const struct job *job, LLVMValueRef a)
{
    enum lanes lanes = job->row->lanes;
    LLVMValueRef part = half(job, a, lanes, (job->row->number & HIGH) != 0);
    return widen_lanes(job->f, part, lanes, (job->row->number & SIGNED) != 0);
}

static LLVMValueRef lower_extend(const struct job *job)
{
    return widened_half(job, job->x[0]);
}

static LLVMValueRef lower_multiply_wide(const struct job *job)
{
    return LLVMBuildMul(job->builder, widened_half(job, job->x[0]), widened_half(job, job->x[1]),
                        "");
}

/* Lower and upper halves of the products, each by an instruction, are interleaved: that is faster
 * than to multiply 32-bit lanes. */
static LLVMValueRef lower_multiply_u16(const struct job *job)
{
    static const uint8_t low[8] = {0, 8, 1, 9, 2, 10, 3, 11};
    static const uint8_t high[8] = {4, 12, 5, 13, 6, 14, 7, 15};
    LLVMValueRef lower = LLVMBuildMul(job->builder, job->x[0], job->x[1], "");
    LLVMValueRef upper = call_2(job, job->row->name, job->x[0], job->x[1]);
    return pick(job, lower, upper, (job->row->number & HIGH) != 0 ? high : low, 8);
}

/* PMADDUBSW takes its first operand as unsigned and the second as signed: times 1, no sum of two
 * overflows. */
static LLVMValueRef lower_pairwise_i8(const struct job *job)
{
    LLVMValueRef ones = integers(job, I8, 1);
    return (job->row->number & SIGNED) != 0 ? call_2(job, job->row->name, ones, job->x[0])
                                            : call_2(job, job->row->name, job->x[0], ones);
}

static LLVMValueRef lower_pairwise_i16(const struct job *job)
{
    if ((job->row->number & SIGNED) != 0) {
        return call_2(job, job->row->name, job->x[0], integers(job, I16, 1));
    }
    LLVMValueRef pairs = cast(job, job->x[0], I32);
    LLVMValueRef upper = LLVMBuildLShr(job->builder, pairs, integers(job, I32, 16), "");
    LLVMValueRef lower = LLVMBuildAnd(job->builder, pairs, integers(job, I32, UINT16_MAX), "");
    return LLVMBuildAdd(job->builder, upper, lower, "");
}

/* Only -1 * -1 overflows: to -1, which has to be the largest number instead. */
static LLVMValueRef lower_q15_multiply(const struct job *job)
{
    LLVMValueRef product = call_2(job, job->row->name, job->x[0], job->x[1]);
    LLVMValueRef least = integers(job, I16, 0x8000);
    LLVMValueRef overflows = LLVMBuildICmp(job->builder, LLVMIntEQ, product, least, "");
    return LLVMBuildXor(job->builder, product, mask_of(job, overflows, I16), "");
}

/* Products of signed bytes, whose sums of two wrap; `number` says that those are added in pairs
 * again, to the third operand. */
static LLVMValueRef lower_dot_i8(const struct job *job)
{
    LLVMValueRef eight = integers(job, I16, 8);
    LLVMValueRef upper[2];
    LLVMValueRef lower[2];
    for (unsigned i = 0; i < 2; i++) {
        upper[i] = LLVMBuildAShr(job->builder, job->x[i], eight, "");
        LLVMValueRef moved = LLVMBuildShl(job->builder, job->x[i], eight, "");
        lower[i] = LLVMBuildAShr(job->builder, moved, eight, "");
    }
    LLVMValueRef odd = LLVMBuildMul(job->builder, upper[0], upper[1], "");
    LLVMValueRef even = LLVMBuildMul(job->builder, lower[0], lower[1], "");
    LLVMValueRef sums = LLVMBuildAdd(job->builder, odd, even, "");
    if (job->row->number == 0) {
        return sums;
    }
    LLVMValueRef pairs = call_2(job, job->row->name, sums, integers(job, I16, 1));
    return LLVMBuildAdd(job->builder, pairs, cast(job, job->x[2], I32), "");
}

/* -- floating point -- */

static LLVMValueRef lower_arithmetic(const struct job *job)
{
    return LLVMBuildBinOp(job->builder, (LLVMOpcode)job->row->number, opaque_operand(job, 0),
                          opaque_operand(job, 1), "");
}

static LLVMValueRef lower_float_compare(const struct job *job)
{
    LLVMValueRef condition =
        LLVMBuildFCmp(job->builder, (LLVMRealPredicate)job->row->number, job->x[0], job->x[1], "");
    return mask_of(job, condition, job->row->lanes);
}

static LLVMValueRef lower_float_negate(const struct job *job)
{
    return LLVMBuildFNeg(job->builder, job->x[0], "");
}

/* MINPS and its like give the second operand unless the first is less. */
static LLVMValueRef lower_pseudo(const struct job *job)
{
    return call_2(job, job->row->name, job->x[1], job->x[0]);
}

/* Asked both ways round, equal operands differ in the sign of a zero only, which "or" turns into -0
 * for the minimum and "and" (`number`) into +0 for the maximum. Where one is a NaN, the sum is the
 * NaN wanted. */
static LLVMValueRef lower_minimum(const struct job *job)
{
    enum lanes lanes = job->row->lanes;
    enum lanes bits = as_integers(lanes);
    LLVMValueRef one = cast(job, call_2(job, job->row->name, job->x[0], job->x[1]), bits);
    LLVMValueRef other = cast(job, call_2(job, job->row->name, job->x[1], job->x[0]), bits);
    LLVMValueRef chosen =
        LLVMBuildBinOp(job->builder, (LLVMOpcode)job->row->number, one, other, "");
    LLVMValueRef sum =
        LLVMBuildFAdd(job->builder, opaque_operand(job, 0), opaque_operand(job, 1), "");
    LLVMValueRef nan = LLVMBuildFCmp(job->builder, LLVMRealUNO, job->x[0], job->x[1], "");
    return LLVMBuildSelect(job->builder, nan, sum, cast(job, chosen, lanes), "");
}

/* Rounded twice. */
static LLVMValueRef lower_multiply_add(const struct job *job)
{
    LLVMValueRef product =
        LLVMBuildFMul(job->builder, opaque_operand(job, 0), opaque_operand(job, 1), "");
    return LLVMBuildBinOp(job->builder, (LLVMOpcode)job->row->number, opaque_operand(job, 2),
                          product, "");
}

/* -- conversions -- */

/* FPTRUNC, which LLVM would drop behind this, is never made of a demotion. */
static LLVMValueRef lower_promote(const struct job *job)
{
    return LLVMBuildFPExt(job->builder, half(job, job->x[0], F32, false), lanes_type(job->f, F64),
                          "");
}

static LLVMValueRef to_floats(const struct job *job, LLVMValueRef a, enum lanes lanes)
{
    LLVMTypeRef type = lanes_type(job->f, lanes);
    return (job->row->number & SIGNED) != 0 ? LLVMBuildSIToFP(job->builder, a, type, "")
                                            : LLVMBuildUIToFP(job->builder, a, type, "");
}

static LLVMValueRef lower_to_float(const struct job *job)
{
    return to_floats(job, job->x[0], F32);
}

static LLVMValueRef lower_to_double(const struct job *job)
{
    return to_floats(job, half(job, job->x[0], I32, false), F64);
}

/* The processor's conversion gives INT32_MIN for everything that does not fit, which is right for
 * what is too small; for numbers of `limit` and more it is turned around. */
static LLVMValueRef convert_f32(const struct job *job, LLVMValueRef a, LLVMValueRef limit)
{
    LLVMValueRef result = call(job, "llvm.x86.sse2.cvttps2dq", NULL, &a, 1);
    LLVMValueRef too_large = LLVMBuildFCmp(job->builder, LLVMRealOGE, a, limit, "");
    return LLVMBuildXor(job->builder, result, mask_of(job, too_large, F32), "");
}

/* `a`, and 0 where it is a NaN. */
static LLVMValueRef without_nan(const struct job *job, LLVMValueRef a, enum lanes lanes)
{
    LLVMValueRef number = LLVMBuildFCmp(job->builder, LLVMRealORD, a, zeros(job, lanes), "");
    return LLVMBuildSelect(job->builder, number, a, zeros(job, lanes), "");
}

static LLVMValueRef lower_truncate_f32_s(const struct job *job)
{
    return convert_f32(job, without_nan(job, job->x[0], F32), floats(job, F32, 0x1p31));
}

/* In two parts: what is below 2^31, and how much is above. */
static LLVMValueRef lower_truncate_f32_u(const struct job *job)
{
    LLVMValueRef limit = floats(job, F32, 0x1p31);
    LLVMValueRef a = call_2(job, "llvm.x86.sse.max.ps", job->x[0], zeros(job, F32));
    LLVMValueRef above = convert_f32(job, LLVMBuildFSub(job->builder, a, limit, ""), limit);
    LLVMValueRef arguments[] = {above, zeros(job, I32)};
    above = call(job, "llvm.smax", LLVMTypeOf(above), arguments, 2);
    LLVMValueRef below = call(job, "llvm.x86.sse2.cvttps2dq", NULL, &a, 1);
    return LLVMBuildAdd(job->builder, below, above, "");
}

static LLVMValueRef lower_truncate_f64_s(const struct job *job)
{
    LLVMValueRef number = LLVMBuildFCmp(job->builder, LLVMRealORD, job->x[0], zeros(job, F64), "");
    LLVMValueRef limit =
        LLVMBuildSelect(job->builder, number, floats(job, F64, INT32_MAX), zeros(job, F64), "");
    LLVMValueRef a = call_2(job, "llvm.x86.sse2.min.pd", job->x[0], limit);
    return call(job, "llvm.x86.sse2.cvttpd2dq", NULL, &a, 1);
}

/* Adding 2^52 leaves the integer in the low bits of the fraction. */
static LLVMValueRef lower_truncate_f64_u(const struct job *job)
{
    static const uint8_t low_words[4] = {0, 2, 4, 4}; /* the last two of zeros */
    LLVMValueRef a = call_2(job, "llvm.x86.sse2.max.pd", job->x[0], zeros(job, F64));
    a = call_2(job, "llvm.x86.sse2.min.pd", a, floats(job, F64, UINT32_MAX));
    a = call(job, "llvm.trunc", LLVMTypeOf(a), &a, 1);
    a = LLVMBuildFAdd(job->builder, a, floats(job, F64, 0x1p52), "");
    return pick(job, cast(job, a, I32), zeros(job, I32), low_words, 4);
}

/* -- the table -- */

static const struct row rows[ALC_OP_COUNT] = {
#define VECTOR(ident, lanes, how, number, name)                                                    \
    [ALC_OP_##ident] = {lower_##how, lanes, number, name},
#include "compiler/lower_vector.def"
#undef VECTOR
};

static bool is_vector(LLVMValueRef value)
{
    return LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMVectorTypeKind;
}

LLVMValueRef alc_lower_vector(struct alc_lowering *f, enum alc_op op,
                              const struct alc_immediates *immediates, LLVMValueRef *operands)
{
    const struct row *row = &rows[op];
    ALC_ASSERT(row->lower != NULL);
    struct job job = {
        .f = f, .builder = f->builder, .row = row, .operands = operands, .immediates = immediates};
    while (job.operands_count < OPERANDS_MAX &&
           alc_signature_operand(alc_op_infos[op].signature, job.operands_count) !=
               ALC_LETTER_NONE) {
        LLVMValueRef x = operands[job.operands_count];
        job.x[job.operands_count++] = is_vector(x) ? cast(&job, x, row->lanes) : x;
    }
    LLVMValueRef result = row->lower(&job);
    return is_vector(result) ? cast(&job, result, I64) : result;
}
