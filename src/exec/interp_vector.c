/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector operations that have no handler of their own, as one function: what reads operands and
 * goes on to the next operation is there once and not two hundred times.
 */
#include "exec/interp_state.h"
#include "wasm/ops.h"

/* How the operands of each shape are passed; a scalar result is returned in the low lane. */
#define SCALAR(value) ((alc_v128){value, 0})
#define SHAPE_S_S(i) alc_simd_##i(a)
#define SHAPE_SS_S(i) alc_simd_##i(a, b)
#define SHAPE_SSS_S(i) alc_simd_##i(a, b, c)
#define SHAPE_SI_S(i) alc_simd_##i(a, (uint32_t)scalar)
#define SHAPE_I_S(i) alc_simd_##i((uint32_t)scalar)
#define SHAPE_L_S(i) alc_simd_##i(scalar)
#define SHAPE_F_S(i) alc_simd_##i(f32_of_slot(&scalar))
#define SHAPE_D_S(i) alc_simd_##i(f64_of_slot(&scalar))
#define SHAPE_S_I(i) SCALAR(alc_simd_##i(a))
#define LANE_S_I(i) SCALAR(alc_simd_##i(a, lane))
#define LANE_S_L(i) SCALAR(alc_simd_##i(a, lane))
#define LANE_S_F(i) SCALAR(alc_f32_bits(alc_simd_##i(a, lane)))
#define LANE_S_D(i) SCALAR(alc_f64_bits(alc_simd_##i(a, lane)))
#define LANE_SI_S(i) alc_simd_##i(a, (uint32_t)scalar, lane)
#define LANE_SL_S(i) alc_simd_##i(a, scalar, lane)
#define LANE_SF_S(i) alc_simd_##i(a, f32_of_slot(&scalar), lane)
#define LANE_SD_S(i) alc_simd_##i(a, f64_of_slot(&scalar), lane)
#define POINTER ((uint8_t *)(uintptr_t)scalar)
#define MEMORY_A_S(i) alc_simd_##i(POINTER)
#define MEMORY_AS_V(i) (alc_simd_##i(POINTER, a), a)
#define MEMORY_LANE_AS_S(i) alc_simd_##i(POINTER, a, lane)
#define MEMORY_LANE_AS_V(i) (alc_simd_##i(POINTER, a, lane), a)

/* clang-format off */
#define VECTOR_NONE(i, s)     case ALC_OP_##i: return SHAPE_##s(i);
#define VECTOR_LANE2(i, s)    case ALC_OP_##i: return LANE_##s(i);
#define VECTOR_LANE4(i, s)    VECTOR_LANE2(i, s)
#define VECTOR_LANE8(i, s)    VECTOR_LANE2(i, s)
#define VECTOR_LANE16(i, s)   VECTOR_LANE2(i, s)
#define VECTOR_MEM0(i, s)     case ALC_OP_##i: return MEMORY_##s(i);
#define VECTOR_MEM1(i, s)     VECTOR_MEM0(i, s)
#define VECTOR_MEM2(i, s)     VECTOR_MEM0(i, s)
#define VECTOR_MEM3(i, s)     VECTOR_MEM0(i, s)
#define VECTOR_MEM4(i, s)     VECTOR_MEM0(i, s)
#define VECTOR_MEMLANE0(i, s) case ALC_OP_##i: return MEMORY_LANE_##s(i);
#define VECTOR_MEMLANE1(i, s) VECTOR_MEMLANE0(i, s)
#define VECTOR_MEMLANE2(i, s) VECTOR_MEMLANE0(i, s)
#define VECTOR_MEMLANE3(i, s) VECTOR_MEMLANE0(i, s)
#define VECTOR_SHUFFLE(i, s)
#define VECTOR_V128(i, s)
#define ROW_MVP(i, m, s)
#define ROW_SIGN_EXT(i, m, s)
#define ROW_SAT(i, m, s)
#define ROW_BULK(i, m, s)
#define ROW_REFERENCES(i, m, s)
#define ROW_SIMD(i, m, s) VECTOR_##m(i, s)
#define ROW_RELAXED_SIMD(i, m, s) VECTOR_##m(i, s)
#define ROW_TAIL_CALL(i, m, s)
#define ROW_FUNCTION_REFERENCES(i, m, s)
#define ROW_GC(i, m, s)
#define ROW_EXCEPTIONS(i, m, s)
#define ROW_LEGACY_EXCEPTIONS(i, m, s)
#define ROW_THREADS(i, m, s)
#define ROW_WIDE_ARITHMETIC(i, m, s)

alc_v128 alc_interp_vector(unsigned op, uint64_t scalar, unsigned lane, alc_v128 a, alc_v128 b,
                           alc_v128 c)
{
    switch (op) {
#define OP(code, ident, text, immediate, signature, feature) \
    ROW_##feature(ident, immediate, signature)
#include "wasm/ops.def"
#undef OP
    default:
        return a;
    }
}
/* clang-format on */
