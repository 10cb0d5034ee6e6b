/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors as numbers of lanes: what lower_vector.c and lower_vector_access.c share, and the words
 * of their tables.
 */
#ifndef ALC_COMPILER_LOWER_VECTOR_H
#define ALC_COMPILER_LOWER_VECTOR_H

#include "compiler/lower.h"

enum lanes { I8, I16, I32, I64, F32, F64 };

/* How lanes are widened, and which half of a vector's. */
enum { SIGNED = 1, HIGH = 2 };

static inline unsigned lane_bits(enum lanes lanes)
{
    static const uint8_t bits[] = {
        [I8] = 8, [I16] = 16, [I32] = 32, [I64] = 64, [F32] = 32, [F64] = 64};
    return bits[lanes];
}

static inline unsigned lanes_count(enum lanes lanes)
{
    return 128 / lane_bits(lanes);
}

static inline LLVMTypeRef lane_type(const struct alc_lowering *f, enum lanes lanes)
{
    const struct alc_unit *unit = f->unit;
    const LLVMTypeRef types[] = {[I8] = unit->i8,   [I16] = unit->i16, [I32] = unit->i32,
                                 [I64] = unit->i64, [F32] = unit->f32, [F64] = unit->f64};
    return types[lanes];
}

static inline LLVMTypeRef lanes_type(const struct alc_lowering *f, enum lanes lanes)
{
    const struct alc_unit *unit = f->unit;
    const LLVMTypeRef types[] = {[I8] = unit->i8x16,  [I16] = unit->i16x8, [I32] = unit->i32x4,
                                 [I64] = unit->i64x2, [F32] = unit->f32x4, [F64] = unit->f64x2};
    return types[lanes];
}

/* The vector type whose lanes are twice as wide. */
static inline enum lanes twice_as_wide(enum lanes lanes)
{
    return lanes == I8 ? I16 : lanes == I16 ? I32 : I64;
}

/* The same 128 bits as other lanes. */
static inline LLVMValueRef cast_lanes(const struct alc_lowering *f, LLVMValueRef value,
                                      enum lanes lanes)
{
    return LLVMBuildBitCast(f->builder, value, lanes_type(f, lanes), "");
}

/* All lanes are `lane`. */
static inline LLVMValueRef spread_lane(const struct alc_lowering *f, LLVMValueRef lane,
                                       enum lanes lanes)
{
    LLVMTypeRef type = lanes_type(f, lanes);
    LLVMTypeRef mask_type = LLVMVectorType(f->unit->i32, lanes_count(lanes));
    LLVMValueRef one = LLVMBuildInsertElement(f->builder, LLVMGetPoison(type), lane,
                                              LLVMConstNull(f->unit->i32), "");
    return LLVMBuildShuffleVector(f->builder, one, LLVMGetPoison(type), LLVMConstNull(mask_type),
                                  "");
}

/* Lanes become twice as wide. */
static inline LLVMValueRef widen_lanes(const struct alc_lowering *f, LLVMValueRef half,
                                       enum lanes lanes, bool is_signed)
{
    LLVMTypeRef type = lanes_type(f, twice_as_wide(lanes));
    return is_signed ? LLVMBuildSExt(f->builder, half, type, "")
                     : LLVMBuildZExt(f->builder, half, type, "");
}

#endif
