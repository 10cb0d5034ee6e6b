/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector operations (spec 4.3.7 and relaxed ones in the deterministic profile): one static inline
 * function alc_simd_<ident> for each SIMD and RELAXED_SIMD row of ops.def, as wasm/code.h describes
 * them. Written over vector extensions that gcc and clang share; the few instructions without such
 * a form come from builtins, all in this file. SSE4.2 at most, no VEX.
 *
 * Pointers are checked by the caller and need no alignment; lane numbers were validated.
 */
#ifndef ALC_EXEC_SIMD_H
#define ALC_EXEC_SIMD_H

#include "base/bytes.h"

typedef uint8_t alc_u8x16 __attribute__((vector_size(16)));
typedef uint16_t alc_u16x8 __attribute__((vector_size(16)));
typedef uint32_t alc_u32x4 __attribute__((vector_size(16)));
typedef uint64_t alc_u64x2 __attribute__((vector_size(16)));
typedef int8_t alc_s8x16 __attribute__((vector_size(16)));
typedef int16_t alc_s16x8 __attribute__((vector_size(16)));
typedef int32_t alc_s32x4 __attribute__((vector_size(16)));
typedef int64_t alc_s64x2 __attribute__((vector_size(16)));
typedef float alc_f32x4 __attribute__((vector_size(16)));
typedef double alc_f64x2 __attribute__((vector_size(16)));
typedef char alc_c8x16 __attribute__((vector_size(16))); /* what builtins take */
typedef uint8_t alc_u8x8 __attribute__((vector_size(8)));
typedef uint16_t alc_u16x4 __attribute__((vector_size(8)));
typedef uint32_t alc_u32x2 __attribute__((vector_size(8)));
typedef int8_t alc_s8x8 __attribute__((vector_size(8)));
typedef int16_t alc_s16x4 __attribute__((vector_size(8)));
typedef int32_t alc_s32x2 __attribute__((vector_size(8)));

/* A value of type v128. Lane 0 is the lowest address. */
typedef alc_u64x2 alc_v128;

#define ALC_SIMD(ident) static inline alc_v128 alc_simd_##ident
#define ALC_SIMD_I32(ident) static inline uint32_t alc_simd_##ident

/* -- helpers -- */

/* Lanes of a where the mask's are all ones, of b where they are zero. */
static inline alc_v128 alc_simd_select(alc_v128 mask, alc_v128 a, alc_v128 b)
{
    return (mask & a) | (~mask & b);
}

static inline alc_v128 alc_simd_load_half(const uint8_t *src)
{
    uint64_t half;
    alc_copy(&half, src, sizeof half);
    return (alc_v128){half, 0};
}

/* Saturating additions and subtractions of 8- and 16-bit lanes are single instructions. */
#ifdef __clang__
#define ALC_SIMD_ADD_SAT(type, a, b) ((alc_v128)__builtin_elementwise_add_sat((type)(a), (type)(b)))
#define ALC_SIMD_SUB_SAT(type, a, b) ((alc_v128)__builtin_elementwise_sub_sat((type)(a), (type)(b)))
#define ALC_SIMD_MIN(type, a, b) ((alc_v128)__builtin_elementwise_min((type)(a), (type)(b)))
#define ALC_SIMD_MAX(type, a, b) ((alc_v128)__builtin_elementwise_max((type)(a), (type)(b)))
#define ALC_SIMD_ABS(type, a) ((alc_v128)__builtin_elementwise_abs((type)(a)))
#else
static inline alc_c8x16 alc_simd_sat_s8(bool subtract, alc_c8x16 a, alc_c8x16 b)
{
    return subtract ? __builtin_ia32_psubsb128(a, b) : __builtin_ia32_paddsb128(a, b);
}
static inline alc_c8x16 alc_simd_sat_u8(bool subtract, alc_c8x16 a, alc_c8x16 b)
{
    return subtract ? __builtin_ia32_psubusb128(a, b) : __builtin_ia32_paddusb128(a, b);
}
static inline alc_s16x8 alc_simd_sat_s16(bool subtract, alc_s16x8 a, alc_s16x8 b)
{
    return subtract ? __builtin_ia32_psubsw128(a, b) : __builtin_ia32_paddsw128(a, b);
}
static inline alc_s16x8 alc_simd_sat_u16(bool subtract, alc_s16x8 a, alc_s16x8 b)
{
    return subtract ? __builtin_ia32_psubusw128(a, b) : __builtin_ia32_paddusw128(a, b);
}
#define ALC_SIMD_SAT(type, subtract, a, b)                                                         \
    _Generic((type){0},                                                                            \
        alc_s8x16: (alc_v128)alc_simd_sat_s8(subtract, (alc_c8x16)(a), (alc_c8x16)(b)),            \
        alc_u8x16: (alc_v128)alc_simd_sat_u8(subtract, (alc_c8x16)(a), (alc_c8x16)(b)),            \
        alc_s16x8: (alc_v128)alc_simd_sat_s16(subtract, (alc_s16x8)(a), (alc_s16x8)(b)),           \
        alc_u16x8: (alc_v128)alc_simd_sat_u16(subtract, (alc_s16x8)(a), (alc_s16x8)(b)))
#define ALC_SIMD_ADD_SAT(type, a, b) ALC_SIMD_SAT(type, false, a, b)
#define ALC_SIMD_SUB_SAT(type, a, b) ALC_SIMD_SAT(type, true, a, b)
#define ALC_SIMD_MIN(type, a, b) alc_simd_select((alc_v128)((type)(a) < (type)(b)), a, b)
#define ALC_SIMD_MAX(type, a, b) alc_simd_select((alc_v128)((type)(a) > (type)(b)), a, b)
#define ALC_SIMD_ABS(type, a) alc_simd_select((alc_v128)((type)(a) < 0), (alc_v128)(-(type)(a)), a)
#endif

/* -- bits -- */

ALC_SIMD(V128_NOT)(alc_v128 a)
{
    return ~a;
}
ALC_SIMD(V128_AND)(alc_v128 a, alc_v128 b)
{
    return a & b;
}
ALC_SIMD(V128_ANDNOT)(alc_v128 a, alc_v128 b)
{
    return a & ~b;
}
ALC_SIMD(V128_OR)(alc_v128 a, alc_v128 b)
{
    return a | b;
}
ALC_SIMD(V128_XOR)(alc_v128 a, alc_v128 b)
{
    return a ^ b;
}
ALC_SIMD(V128_BITSELECT)(alc_v128 a, alc_v128 b, alc_v128 mask)
{
    return alc_simd_select(mask, a, b);
}
ALC_SIMD_I32(V128_ANY_TRUE)(alc_v128 a)
{
    return (a[0] | a[1]) != 0;
}

/* -- loads and stores -- */

ALC_SIMD(V128_LOAD)(const uint8_t *src)
{
    alc_v128 v;
    alc_copy(&v, src, sizeof v);
    return v;
}
static inline void alc_simd_V128_STORE(uint8_t *dst, alc_v128 v)
{
    alc_copy(dst, &v, sizeof v);
}

#define ALC_SIMD_LOAD_EXTEND(ident, half_type, wide_type)                                          \
    ALC_SIMD(ident)(const uint8_t *src)                                                            \
    {                                                                                              \
        half_type half;                                                                            \
        alc_copy(&half, src, sizeof half);                                                         \
        return (alc_v128) __builtin_convertvector(half, wide_type);                                \
    }
ALC_SIMD_LOAD_EXTEND(V128_LOAD8X8_S, alc_s8x8, alc_s16x8)
ALC_SIMD_LOAD_EXTEND(V128_LOAD8X8_U, alc_u8x8, alc_u16x8)
ALC_SIMD_LOAD_EXTEND(V128_LOAD16X4_S, alc_s16x4, alc_s32x4)
ALC_SIMD_LOAD_EXTEND(V128_LOAD16X4_U, alc_u16x4, alc_u32x4)
ALC_SIMD_LOAD_EXTEND(V128_LOAD32X2_S, alc_s32x2, alc_s64x2)
ALC_SIMD_LOAD_EXTEND(V128_LOAD32X2_U, alc_u32x2, alc_u64x2)
#undef ALC_SIMD_LOAD_EXTEND

#define ALC_SIMD_LOAD_LANES(bits, type)                                                            \
    ALC_SIMD(V128_LOAD##bits##_SPLAT)(const uint8_t *src)                                          \
    {                                                                                              \
        uint##bits##_t lane;                                                                       \
        alc_copy(&lane, src, sizeof lane);                                                         \
        return (alc_v128)((type){0} + lane);                                                       \
    }                                                                                              \
    ALC_SIMD(V128_LOAD##bits##_LANE)(const uint8_t *src, alc_v128 v, unsigned lane)                \
    {                                                                                              \
        type lanes = (type)v;                                                                      \
        uint##bits##_t value;                                                                      \
        alc_copy(&value, src, sizeof value);                                                       \
        lanes[lane] = value;                                                                       \
        return (alc_v128)lanes;                                                                    \
    }                                                                                              \
    static inline void alc_simd_V128_STORE##bits##_LANE(uint8_t *dst, alc_v128 v, unsigned lane)   \
    {                                                                                              \
        uint##bits##_t value = ((type)v)[lane];                                                    \
        alc_copy(dst, &value, sizeof value);                                                       \
    }
ALC_SIMD_LOAD_LANES(8, alc_u8x16)
ALC_SIMD_LOAD_LANES(16, alc_u16x8)
ALC_SIMD_LOAD_LANES(32, alc_u32x4)
ALC_SIMD_LOAD_LANES(64, alc_u64x2)
#undef ALC_SIMD_LOAD_LANES

ALC_SIMD(V128_LOAD32_ZERO)(const uint8_t *src)
{
    uint32_t low;
    alc_copy(&low, src, sizeof low);
    return (alc_v128){low, 0};
}
ALC_SIMD(V128_LOAD64_ZERO)(const uint8_t *src)
{
    return alc_simd_load_half(src);
}

/* -- lanes -- */

#define ALC_SIMD_SPLAT_EXTRACT_REPLACE(shape, type, scalar, extract, result)                       \
    ALC_SIMD(shape##_SPLAT)(result value)                                                          \
    {                                                                                              \
        return (alc_v128)((type){0} + (scalar)value);                                              \
    }                                                                                              \
    ALC_SIMD(shape##_REPLACE_LANE)(alc_v128 v, result value, unsigned lane)                        \
    {                                                                                              \
        type lanes = (type)v;                                                                      \
        lanes[lane] = (scalar)value;                                                               \
        return (alc_v128)lanes;                                                                    \
    }                                                                                              \
    static inline result alc_simd_##shape##_##extract(alc_v128 v, unsigned lane)                   \
    {                                                                                              \
        return ((type)v)[lane];                                                                    \
    }
ALC_SIMD_SPLAT_EXTRACT_REPLACE(I8X16, alc_u8x16, uint8_t, EXTRACT_LANE_U, uint32_t)
ALC_SIMD_SPLAT_EXTRACT_REPLACE(I16X8, alc_u16x8, uint16_t, EXTRACT_LANE_U, uint32_t)
ALC_SIMD_SPLAT_EXTRACT_REPLACE(I32X4, alc_u32x4, uint32_t, EXTRACT_LANE, uint32_t)
ALC_SIMD_SPLAT_EXTRACT_REPLACE(I64X2, alc_u64x2, uint64_t, EXTRACT_LANE, uint64_t)
#undef ALC_SIMD_SPLAT_EXTRACT_REPLACE

ALC_SIMD_I32(I8X16_EXTRACT_LANE_S)(alc_v128 v, unsigned lane)
{
    return (uint32_t)(int32_t)((alc_s8x16)v)[lane];
}
ALC_SIMD_I32(I16X8_EXTRACT_LANE_S)(alc_v128 v, unsigned lane)
{
    return (uint32_t)(int32_t)((alc_s16x8)v)[lane];
}

/* Floating lanes are bits here: adding to zero would change -0 and quieten signalling NaNs. */
#define ALC_SIMD_FLOAT_LANES(shape, type, scalar)                                                  \
    ALC_SIMD(shape##_REPLACE_LANE)(alc_v128 v, scalar value, unsigned lane)                        \
    {                                                                                              \
        type lanes = (type)v;                                                                      \
        lanes[lane] = value;                                                                       \
        return (alc_v128)lanes;                                                                    \
    }                                                                                              \
    static inline scalar alc_simd_##shape##_EXTRACT_LANE(alc_v128 v, unsigned lane)                \
    {                                                                                              \
        return ((type)v)[lane];                                                                    \
    }
ALC_SIMD_FLOAT_LANES(F32X4, alc_f32x4, float)
ALC_SIMD_FLOAT_LANES(F64X2, alc_f64x2, double)
#undef ALC_SIMD_FLOAT_LANES
ALC_SIMD(F32X4_SPLAT)(float a)
{
    return (alc_v128)(alc_f32x4){a, a, a, a};
}
ALC_SIMD(F64X2_SPLAT)(double a)
{
    return (alc_v128)(alc_f64x2){a, a};
}

/* Byte lanes of `v` by index; an index with its top bit set gives 0, else its low 4 bits count. */
static inline alc_v128 alc_simd_shuffle_bytes(alc_v128 v, alc_u8x16 index)
{
    return (alc_v128)__builtin_ia32_pshufb128((alc_c8x16)v, (alc_c8x16)index);
}

ALC_SIMD(I8X16_SWIZZLE)(alc_v128 v, alc_v128 index)
{
    /* Indices of 16 and more reach 0x80 and stay there. */
    const alc_v128 bias = (alc_v128)((alc_u8x16){0} + (uint8_t)0x70);
    return alc_simd_shuffle_bytes(v, (alc_u8x16)ALC_SIMD_ADD_SAT(alc_u8x16, index, bias));
}
ALC_SIMD(I8X16_SHUFFLE)(alc_v128 a, alc_v128 b, const uint8_t *lanes)
{
    alc_u8x16 index = (alc_u8x16)alc_simd_V128_LOAD(lanes);
    /* For b, indices below 16 wrap to 0xf0 and more. */
    return alc_simd_I8X16_SWIZZLE(a, (alc_v128)index) |
           alc_simd_shuffle_bytes(b, index - (uint8_t)16);
}

/* -- integer arithmetic, shape by shape -- */

#define ALC_SIMD_INTEGER(shape, unsigned_type, signed_type, shift_mask)                            \
    ALC_SIMD(shape##_ADD)(alc_v128 a, alc_v128 b)                                                  \
    {                                                                                              \
        return (alc_v128)((unsigned_type)a + (unsigned_type)b);                                    \
    }                                                                                              \
    ALC_SIMD(shape##_SUB)(alc_v128 a, alc_v128 b)                                                  \
    {                                                                                              \
        return (alc_v128)((unsigned_type)a - (unsigned_type)b);                                    \
    }                                                                                              \
    ALC_SIMD(shape##_NEG)(alc_v128 a)                                                              \
    {                                                                                              \
        return (alc_v128)(-(unsigned_type)a);                                                      \
    }                                                                                              \
    ALC_SIMD(shape##_ABS)(alc_v128 a)                                                              \
    {                                                                                              \
        return ALC_SIMD_ABS(signed_type, a);                                                       \
    }                                                                                              \
    ALC_SIMD(shape##_SHL)(alc_v128 a, uint32_t count)                                              \
    {                                                                                              \
        return (alc_v128)((unsigned_type)a << (int)(count & (shift_mask)));                        \
    }                                                                                              \
    ALC_SIMD(shape##_SHR_S)(alc_v128 a, uint32_t count)                                            \
    {                                                                                              \
        return (alc_v128)((signed_type)a >> (int)(count & (shift_mask)));                          \
    }                                                                                              \
    ALC_SIMD(shape##_SHR_U)(alc_v128 a, uint32_t count)                                            \
    {                                                                                              \
        return (alc_v128)((unsigned_type)a >> (int)(count & (shift_mask)));                        \
    }                                                                                              \
    ALC_SIMD(shape##_EQ)(alc_v128 a, alc_v128 b)                                                   \
    {                                                                                              \
        return (alc_v128)((unsigned_type)a == (unsigned_type)b);                                   \
    }                                                                                              \
    ALC_SIMD(shape##_NE)(alc_v128 a, alc_v128 b)                                                   \
    {                                                                                              \
        return (alc_v128)((unsigned_type)a != (unsigned_type)b);                                   \
    }                                                                                              \
    ALC_SIMD_I32(shape##_ALL_TRUE)(alc_v128 a)                                                     \
    {                                                                                              \
        return !alc_simd_V128_ANY_TRUE((alc_v128)((unsigned_type)a == 0));                         \
    }
ALC_SIMD_INTEGER(I8X16, alc_u8x16, alc_s8x16, 7)
ALC_SIMD_INTEGER(I16X8, alc_u16x8, alc_s16x8, 15)
ALC_SIMD_INTEGER(I32X4, alc_u32x4, alc_s32x4, 31)
ALC_SIMD_INTEGER(I64X2, alc_u64x2, alc_s64x2, 63)
#undef ALC_SIMD_INTEGER

#define ALC_SIMD_COMPARE(ident, type, operator)                                                    \
    ALC_SIMD(ident)(alc_v128 a, alc_v128 b)                                                        \
    {                                                                                              \
        return (alc_v128)((type)a operator(type) b);                                               \
    }
#define ALC_SIMD_COMPARE_ALL(shape, suffix, type)                                                  \
    ALC_SIMD_COMPARE(shape##_LT##suffix, type, <)                                                  \
    ALC_SIMD_COMPARE(shape##_GT##suffix, type, >)                                                  \
    ALC_SIMD_COMPARE(shape##_LE##suffix, type, <=)                                                 \
    ALC_SIMD_COMPARE(shape##_GE##suffix, type, >=)
ALC_SIMD_COMPARE_ALL(I8X16, _S, alc_s8x16)
ALC_SIMD_COMPARE_ALL(I8X16, _U, alc_u8x16)
ALC_SIMD_COMPARE_ALL(I16X8, _S, alc_s16x8)
ALC_SIMD_COMPARE_ALL(I16X8, _U, alc_u16x8)
ALC_SIMD_COMPARE_ALL(I32X4, _S, alc_s32x4)
ALC_SIMD_COMPARE_ALL(I32X4, _U, alc_u32x4)
ALC_SIMD_COMPARE_ALL(I64X2, _S, alc_s64x2)
ALC_SIMD_COMPARE_ALL(F32X4, , alc_f32x4)
ALC_SIMD_COMPARE_ALL(F64X2, , alc_f64x2)
ALC_SIMD_COMPARE(F32X4_EQ, alc_f32x4, ==)
ALC_SIMD_COMPARE(F32X4_NE, alc_f32x4, !=)
ALC_SIMD_COMPARE(F64X2_EQ, alc_f64x2, ==)
ALC_SIMD_COMPARE(F64X2_NE, alc_f64x2, !=)
#undef ALC_SIMD_COMPARE_ALL
#undef ALC_SIMD_COMPARE

#define ALC_SIMD_MIN_MAX(shape, unsigned_type, signed_type)                                        \
    ALC_SIMD(shape##_MIN_S)(alc_v128 a, alc_v128 b)                                                \
    {                                                                                              \
        return ALC_SIMD_MIN(signed_type, a, b);                                                    \
    }                                                                                              \
    ALC_SIMD(shape##_MIN_U)(alc_v128 a, alc_v128 b)                                                \
    {                                                                                              \
        return ALC_SIMD_MIN(unsigned_type, a, b);                                                  \
    }                                                                                              \
    ALC_SIMD(shape##_MAX_S)(alc_v128 a, alc_v128 b)                                                \
    {                                                                                              \
        return ALC_SIMD_MAX(signed_type, a, b);                                                    \
    }                                                                                              \
    ALC_SIMD(shape##_MAX_U)(alc_v128 a, alc_v128 b)                                                \
    {                                                                                              \
        return ALC_SIMD_MAX(unsigned_type, a, b);                                                  \
    }
ALC_SIMD_MIN_MAX(I8X16, alc_u8x16, alc_s8x16)
ALC_SIMD_MIN_MAX(I16X8, alc_u16x8, alc_s16x8)
ALC_SIMD_MIN_MAX(I32X4, alc_u32x4, alc_s32x4)
#undef ALC_SIMD_MIN_MAX

#define ALC_SIMD_SATURATING(ident, add_or_sub, type)                                               \
    ALC_SIMD(ident)(alc_v128 a, alc_v128 b)                                                        \
    {                                                                                              \
        return ALC_SIMD_##add_or_sub##_SAT(type, a, b);                                            \
    }
ALC_SIMD_SATURATING(I8X16_ADD_SAT_S, ADD, alc_s8x16)
ALC_SIMD_SATURATING(I8X16_ADD_SAT_U, ADD, alc_u8x16)
ALC_SIMD_SATURATING(I8X16_SUB_SAT_S, SUB, alc_s8x16)
ALC_SIMD_SATURATING(I8X16_SUB_SAT_U, SUB, alc_u8x16)
ALC_SIMD_SATURATING(I16X8_ADD_SAT_S, ADD, alc_s16x8)
ALC_SIMD_SATURATING(I16X8_ADD_SAT_U, ADD, alc_u16x8)
ALC_SIMD_SATURATING(I16X8_SUB_SAT_S, SUB, alc_s16x8)
ALC_SIMD_SATURATING(I16X8_SUB_SAT_U, SUB, alc_u16x8)
#undef ALC_SIMD_SATURATING

#define ALC_SIMD_MULTIPLY(ident, type)                                                             \
    ALC_SIMD(ident)(alc_v128 a, alc_v128 b)                                                        \
    {                                                                                              \
        return (alc_v128)((type)a * (type)b);                                                      \
    }
ALC_SIMD_MULTIPLY(I16X8_MUL, alc_u16x8)
ALC_SIMD_MULTIPLY(I32X4_MUL, alc_u32x4)
ALC_SIMD_MULTIPLY(I64X2_MUL, alc_u64x2)
#undef ALC_SIMD_MULTIPLY

ALC_SIMD(I8X16_AVGR_U)(alc_v128 a, alc_v128 b)
{
    return (alc_v128)__builtin_ia32_pavgb128((alc_c8x16)a, (alc_c8x16)b);
}
ALC_SIMD(I16X8_AVGR_U)(alc_v128 a, alc_v128 b)
{
    return (alc_v128)__builtin_ia32_pavgw128((alc_s16x8)a, (alc_s16x8)b);
}
ALC_SIMD(I16X8_Q15MULR_SAT_S)(alc_v128 a, alc_v128 b)
{
    alc_s16x8 product = __builtin_ia32_pmulhrsw128((alc_s16x8)a, (alc_s16x8)b);
    /* Only -1 * -1 overflows: to -1, which has to be the largest number instead. */
    return (alc_v128)product ^ (alc_v128)(product == (int16_t)INT16_MIN);
}
ALC_SIMD(I32X4_DOT_I16X8_S)(alc_v128 a, alc_v128 b)
{
    return (alc_v128)__builtin_ia32_pmaddwd128((alc_s16x8)a, (alc_s16x8)b);
}
ALC_SIMD(I8X16_POPCNT)(alc_v128 a)
{
    alc_u8x16 v = (alc_u8x16)a;
    v -= v >> 1 & 0x55;
    v = (v & 0x33) + (v >> 2 & 0x33);
    return (alc_v128)((v + (v >> 4)) & 0x0f);
}

ALC_SIMD_I32(I8X16_BITMASK)(alc_v128 a)
{
    return (uint32_t)__builtin_ia32_pmovmskb128((alc_c8x16)a);
}
ALC_SIMD_I32(I16X8_BITMASK)(alc_v128 a)
{
    alc_c8x16 packed = (alc_c8x16)__builtin_ia32_packsswb128((alc_s16x8)a, (alc_s16x8){0});
    return (uint32_t)__builtin_ia32_pmovmskb128(packed);
}
ALC_SIMD_I32(I32X4_BITMASK)(alc_v128 a)
{
    return (uint32_t)__builtin_ia32_movmskps((alc_f32x4)a);
}
ALC_SIMD_I32(I64X2_BITMASK)(alc_v128 a)
{
    return (uint32_t)__builtin_ia32_movmskpd((alc_f64x2)a);
}

ALC_SIMD(I8X16_NARROW_I16X8_S)(alc_v128 a, alc_v128 b)
{
    return (alc_v128)__builtin_ia32_packsswb128((alc_s16x8)a, (alc_s16x8)b);
}
ALC_SIMD(I8X16_NARROW_I16X8_U)(alc_v128 a, alc_v128 b)
{
    return (alc_v128)__builtin_ia32_packuswb128((alc_s16x8)a, (alc_s16x8)b);
}
ALC_SIMD(I16X8_NARROW_I32X4_S)(alc_v128 a, alc_v128 b)
{
    return (alc_v128)__builtin_ia32_packssdw128((alc_s32x4)a, (alc_s32x4)b);
}
ALC_SIMD(I16X8_NARROW_I32X4_U)(alc_v128 a, alc_v128 b)
{
    return (alc_v128)__builtin_ia32_packusdw128((alc_s32x4)a, (alc_s32x4)b);
}

/* Widening: the low or high half of the lanes, to twice the width. */
#define ALC_SIMD_WIDEN(wide, narrow, suffix, half_type, wide_type)                                 \
    ALC_SIMD(wide##_EXTEND_LOW_##narrow##_##suffix)(alc_v128 a)                                    \
    {                                                                                              \
        half_type half;                                                                            \
        alc_copy(&half, &a, sizeof half);                                                          \
        return (alc_v128) __builtin_convertvector(half, wide_type);                                \
    }                                                                                              \
    ALC_SIMD(wide##_EXTEND_HIGH_##narrow##_##suffix)(alc_v128 a)                                   \
    {                                                                                              \
        half_type half;                                                                            \
        alc_copy(&half, (const uint8_t *)&a + sizeof half, sizeof half);                           \
        return (alc_v128) __builtin_convertvector(half, wide_type);                                \
    }                                                                                              \
    ALC_SIMD(wide##_EXTMUL_LOW_##narrow##_##suffix)(alc_v128 a, alc_v128 b)                        \
    {                                                                                              \
        return (alc_v128)((wide_type)alc_simd_##wide##_EXTEND_LOW_##narrow##_##suffix(a) *         \
                          (wide_type)alc_simd_##wide##_EXTEND_LOW_##narrow##_##suffix(b));         \
    }                                                                                              \
    ALC_SIMD(wide##_EXTMUL_HIGH_##narrow##_##suffix)(alc_v128 a, alc_v128 b)                       \
    {                                                                                              \
        return (alc_v128)((wide_type)alc_simd_##wide##_EXTEND_HIGH_##narrow##_##suffix(a) *        \
                          (wide_type)alc_simd_##wide##_EXTEND_HIGH_##narrow##_##suffix(b));        \
    }
ALC_SIMD_WIDEN(I16X8, I8X16, S, alc_s8x8, alc_s16x8)
ALC_SIMD_WIDEN(I16X8, I8X16, U, alc_u8x8, alc_u16x8)
ALC_SIMD_WIDEN(I32X4, I16X8, S, alc_s16x4, alc_s32x4)
ALC_SIMD_WIDEN(I32X4, I16X8, U, alc_u16x4, alc_u32x4)
ALC_SIMD_WIDEN(I64X2, I32X4, S, alc_s32x2, alc_s64x2)
ALC_SIMD_WIDEN(I64X2, I32X4, U, alc_u32x2, alc_u64x2)
#undef ALC_SIMD_WIDEN

/* Sums of neighbours: the upper of each pair by a shift, the lower by two. */
#define ALC_SIMD_PAIRWISE(ident, type, bits)                                                       \
    ALC_SIMD(ident)(alc_v128 a)                                                                    \
    {                                                                                              \
        type wide = (type)a;                                                                       \
        return (alc_v128)((wide >> (bits)) + (wide << (bits) >> (bits)));                          \
    }
ALC_SIMD_PAIRWISE(I16X8_EXTADD_PAIRWISE_I8X16_S, alc_s16x8, 8)
ALC_SIMD_PAIRWISE(I16X8_EXTADD_PAIRWISE_I8X16_U, alc_u16x8, 8)
ALC_SIMD_PAIRWISE(I32X4_EXTADD_PAIRWISE_I16X8_S, alc_s32x4, 16)
ALC_SIMD_PAIRWISE(I32X4_EXTADD_PAIRWISE_I16X8_U, alc_u32x4, 16)
#undef ALC_SIMD_PAIRWISE

/* -- floating point -- */

#define ALC_SIMD_FLOAT_BINARY(ident, type, operator)                                               \
    ALC_SIMD(ident)(alc_v128 a, alc_v128 b)                                                        \
    {                                                                                              \
        return (alc_v128)((type)a operator(type) b);                                               \
    }
ALC_SIMD_FLOAT_BINARY(F32X4_ADD, alc_f32x4, +)
ALC_SIMD_FLOAT_BINARY(F32X4_SUB, alc_f32x4, -)
ALC_SIMD_FLOAT_BINARY(F32X4_MUL, alc_f32x4, *)
ALC_SIMD_FLOAT_BINARY(F32X4_DIV, alc_f32x4, /)
ALC_SIMD_FLOAT_BINARY(F64X2_ADD, alc_f64x2, +)
ALC_SIMD_FLOAT_BINARY(F64X2_SUB, alc_f64x2, -)
ALC_SIMD_FLOAT_BINARY(F64X2_MUL, alc_f64x2, *)
ALC_SIMD_FLOAT_BINARY(F64X2_DIV, alc_f64x2, /)
#undef ALC_SIMD_FLOAT_BINARY

/* The processor's MIN and MAX give their second operand when the two are equal or one is a NaN:
 * asked both ways round, equal operands differ in the sign of a zero only, which | turns into -0
 * for min and & into +0 for max. Where one is a NaN, the sum is the NaN wanted. */
#define ALC_SIMD_FLOAT_MIN_MAX(shape, type, suffix)                                                \
    static inline alc_v128 alc_simd_##shape##_or_nan(alc_v128 a, alc_v128 b, alc_v128 chosen)      \
    {                                                                                              \
        alc_v128 nan = (alc_v128)((type)a != (type)a) | (alc_v128)((type)b != (type)b);            \
        return alc_simd_select(nan, (alc_v128)((type)a + (type)b), chosen);                        \
    }                                                                                              \
    ALC_SIMD(shape##_PMIN)(alc_v128 a, alc_v128 b)                                                 \
    {                                                                                              \
        return (alc_v128)__builtin_ia32_min##suffix((type)b, (type)a);                             \
    }                                                                                              \
    ALC_SIMD(shape##_PMAX)(alc_v128 a, alc_v128 b)                                                 \
    {                                                                                              \
        return (alc_v128)__builtin_ia32_max##suffix((type)b, (type)a);                             \
    }                                                                                              \
    ALC_SIMD(shape##_MIN)(alc_v128 a, alc_v128 b)                                                  \
    {                                                                                              \
        return alc_simd_##shape##_or_nan(                                                          \
            a, b, alc_simd_##shape##_PMIN(a, b) | alc_simd_##shape##_PMIN(b, a));                  \
    }                                                                                              \
    ALC_SIMD(shape##_MAX)(alc_v128 a, alc_v128 b)                                                  \
    {                                                                                              \
        return alc_simd_##shape##_or_nan(                                                          \
            a, b, alc_simd_##shape##_PMAX(a, b) & alc_simd_##shape##_PMAX(b, a));                  \
    }
ALC_SIMD_FLOAT_MIN_MAX(F32X4, alc_f32x4, ps)
ALC_SIMD_FLOAT_MIN_MAX(F64X2, alc_f64x2, pd)
#undef ALC_SIMD_FLOAT_MIN_MAX

static inline alc_v128 alc_simd_signs(unsigned lane_bits)
{
    return lane_bits == 32 ? (alc_v128)((alc_u32x4){0} + UINT32_C(0x80000000))
                           : (alc_v128)((alc_u64x2){0} + UINT64_C(0x8000000000000000));
}
ALC_SIMD(F32X4_ABS)(alc_v128 a)
{
    return a & ~alc_simd_signs(32);
}
ALC_SIMD(F32X4_NEG)(alc_v128 a)
{
    return a ^ alc_simd_signs(32);
}
ALC_SIMD(F64X2_ABS)(alc_v128 a)
{
    return a & ~alc_simd_signs(64);
}
ALC_SIMD(F64X2_NEG)(alc_v128 a)
{
    return a ^ alc_simd_signs(64);
}
ALC_SIMD(F32X4_SQRT)(alc_v128 a)
{
    return (alc_v128)__builtin_ia32_sqrtps((alc_f32x4)a);
}
ALC_SIMD(F64X2_SQRT)(alc_v128 a)
{
    return (alc_v128)__builtin_ia32_sqrtpd((alc_f64x2)a);
}

/* Rounding control of ROUNDPS, with "no inexact exception". */
#define ALC_SIMD_ROUND(name, control)                                                              \
    ALC_SIMD(F32X4_##name)(alc_v128 a)                                                             \
    {                                                                                              \
        return (alc_v128)__builtin_ia32_roundps((alc_f32x4)a, 8 | (control));                      \
    }                                                                                              \
    ALC_SIMD(F64X2_##name)(alc_v128 a)                                                             \
    {                                                                                              \
        return (alc_v128)__builtin_ia32_roundpd((alc_f64x2)a, 8 | (control));                      \
    }
ALC_SIMD_ROUND(NEAREST, 0)
ALC_SIMD_ROUND(FLOOR, 1)
ALC_SIMD_ROUND(CEIL, 2)
ALC_SIMD_ROUND(TRUNC, 3)
#undef ALC_SIMD_ROUND

/* -- conversions -- */

ALC_SIMD(F32X4_DEMOTE_F64X2_ZERO)(alc_v128 a)
{
    alc_f64x2 v = (alc_f64x2)a;
    return (alc_v128)(alc_f32x4){(float)v[0], (float)v[1], 0, 0};
}
ALC_SIMD(F64X2_PROMOTE_LOW_F32X4)(alc_v128 a)
{
    alc_f32x4 v = (alc_f32x4)a;
    return (alc_v128)(alc_f64x2){(double)v[0], (double)v[1]};
}
ALC_SIMD(F32X4_CONVERT_I32X4_S)(alc_v128 a)
{
    return (alc_v128) __builtin_convertvector((alc_s32x4)a, alc_f32x4);
}
ALC_SIMD(F32X4_CONVERT_I32X4_U)(alc_v128 a)
{
    alc_u32x4 v = (alc_u32x4)a;
    return (alc_v128)(alc_f32x4){(float)v[0], (float)v[1], (float)v[2], (float)v[3]};
}
ALC_SIMD(F64X2_CONVERT_LOW_I32X4_S)(alc_v128 a)
{
    alc_s32x4 v = (alc_s32x4)a;
    return (alc_v128)(alc_f64x2){v[0], v[1]};
}
ALC_SIMD(F64X2_CONVERT_LOW_I32X4_U)(alc_v128 a)
{
    alc_u32x4 v = (alc_u32x4)a;
    return (alc_v128)(alc_f64x2){v[0], v[1]};
}

/* Saturating truncation. The processor's conversion gives INT32_MIN for everything that does not
 * fit: right for what is too small, turned around for what is too large; NaN is made 0 before. */
ALC_SIMD(I32X4_TRUNC_SAT_F32X4_S)(alc_v128 a)
{
    const alc_f32x4 limit = {2147483648.0f, 2147483648.0f, 2147483648.0f, 2147483648.0f};
    alc_f32x4 v = (alc_f32x4)(a & (alc_v128)((alc_f32x4)a == (alc_f32x4)a));
    return (alc_v128)__builtin_ia32_cvttps2dq(v) ^ (alc_v128)(v >= limit);
}
/* In two parts: what is below 2^31, and how much is above. */
ALC_SIMD(I32X4_TRUNC_SAT_F32X4_U)(alc_v128 a)
{
    const alc_f32x4 limit = {2147483648.0f, 2147483648.0f, 2147483648.0f, 2147483648.0f};
    alc_f32x4 v = __builtin_ia32_maxps((alc_f32x4)a, (alc_f32x4){0}); /* NaN too becomes 0 */
    alc_f32x4 above = v - limit;
    alc_v128 high = (alc_v128)__builtin_ia32_cvttps2dq(above) ^ (alc_v128)(above >= limit);
    high = ALC_SIMD_MAX(alc_s32x4, high, (alc_v128){0});
    return (alc_v128)((alc_u32x4)__builtin_ia32_cvttps2dq(v) + (alc_u32x4)high);
}
ALC_SIMD(I32X4_TRUNC_SAT_F64X2_S_ZERO)(alc_v128 a)
{
    const alc_f64x2 limit = {2147483647.0, 2147483647.0};
    alc_v128 number = (alc_v128)((alc_f64x2)a == (alc_f64x2)a);
    alc_f64x2 v = __builtin_ia32_minpd((alc_f64x2)a, (alc_f64x2)((alc_v128)limit & number));
    return (alc_v128)__builtin_ia32_cvttpd2dq(v);
}
/* Adding 2^52 leaves the integer in the low bits of the fraction. */
ALC_SIMD(I32X4_TRUNC_SAT_F64X2_U_ZERO)(alc_v128 a)
{
    const alc_f64x2 limit = {4294967295.0, 4294967295.0};
    const alc_f64x2 shift = {4503599627370496.0, 4503599627370496.0};
    alc_f64x2 v = __builtin_ia32_maxpd((alc_f64x2)a, (alc_f64x2){0});
    v = __builtin_ia32_roundpd(__builtin_ia32_minpd(v, limit), 11) + shift;
    alc_v128 bits = (alc_v128)v;
    return (alc_v128){(bits[0] & UINT32_MAX) | bits[1] << 32, 0};
}

/* -- relaxed operations: the deterministic choice (spec appendix A.5) -- */

#define ALC_SIMD_RELAXED_1(ident, same)                                                            \
    ALC_SIMD(ident)(alc_v128 a)                                                                    \
    {                                                                                              \
        return alc_simd_##same(a);                                                                 \
    }
#define ALC_SIMD_RELAXED_2(ident, same)                                                            \
    ALC_SIMD(ident)(alc_v128 a, alc_v128 b)                                                        \
    {                                                                                              \
        return alc_simd_##same(a, b);                                                              \
    }
#define ALC_SIMD_RELAXED_3(ident, same)                                                            \
    ALC_SIMD(ident)(alc_v128 a, alc_v128 b, alc_v128 c)                                            \
    {                                                                                              \
        return alc_simd_##same(a, b, c);                                                           \
    }
ALC_SIMD_RELAXED_2(I8X16_RELAXED_SWIZZLE, I8X16_SWIZZLE)
ALC_SIMD_RELAXED_1(I32X4_RELAXED_TRUNC_F32X4_S, I32X4_TRUNC_SAT_F32X4_S)
ALC_SIMD_RELAXED_1(I32X4_RELAXED_TRUNC_F32X4_U, I32X4_TRUNC_SAT_F32X4_U)
ALC_SIMD_RELAXED_1(I32X4_RELAXED_TRUNC_F64X2_S_ZERO, I32X4_TRUNC_SAT_F64X2_S_ZERO)
ALC_SIMD_RELAXED_1(I32X4_RELAXED_TRUNC_F64X2_U_ZERO, I32X4_TRUNC_SAT_F64X2_U_ZERO)
ALC_SIMD_RELAXED_3(I8X16_RELAXED_LANESELECT, V128_BITSELECT)
ALC_SIMD_RELAXED_3(I16X8_RELAXED_LANESELECT, V128_BITSELECT)
ALC_SIMD_RELAXED_3(I32X4_RELAXED_LANESELECT, V128_BITSELECT)
ALC_SIMD_RELAXED_3(I64X2_RELAXED_LANESELECT, V128_BITSELECT)
ALC_SIMD_RELAXED_2(F32X4_RELAXED_MIN, F32X4_MIN)
ALC_SIMD_RELAXED_2(F32X4_RELAXED_MAX, F32X4_MAX)
ALC_SIMD_RELAXED_2(F64X2_RELAXED_MIN, F64X2_MIN)
ALC_SIMD_RELAXED_2(F64X2_RELAXED_MAX, F64X2_MAX)
ALC_SIMD_RELAXED_2(I16X8_RELAXED_Q15MULR_S, I16X8_Q15MULR_SAT_S)
#undef ALC_SIMD_RELAXED_1
#undef ALC_SIMD_RELAXED_2
#undef ALC_SIMD_RELAXED_3

/* Product and sum are rounded one after the other (no fused instruction in x86-64-v2); the pragma
 * of the same meaning is not known to gcc, which contracts only with -mfma. */
#define ALC_SIMD_RELAXED_MADD(shape, type)                                                         \
    ALC_SIMD(shape##_RELAXED_MADD)(alc_v128 a, alc_v128 b, alc_v128 c)                             \
    {                                                                                              \
        return (alc_v128)((type)a * (type)b + (type)c);                                            \
    }                                                                                              \
    ALC_SIMD(shape##_RELAXED_NMADD)(alc_v128 a, alc_v128 b, alc_v128 c)                            \
    {                                                                                              \
        return (alc_v128)((type)c - (type)a * (type)b);                                            \
    }
ALC_SIMD_RELAXED_MADD(F32X4, alc_f32x4)
ALC_SIMD_RELAXED_MADD(F64X2, alc_f64x2)
#undef ALC_SIMD_RELAXED_MADD

/* Both factors signed; sums of two products wrap. */
ALC_SIMD(I16X8_RELAXED_DOT_I8X16_I7X16_S)(alc_v128 a, alc_v128 b)
{
    alc_u16x8 odd = (alc_u16x8)((alc_s16x8)a >> 8) * (alc_u16x8)((alc_s16x8)b >> 8);
    alc_u16x8 even = (alc_u16x8)((alc_s16x8)a << 8 >> 8) * (alc_u16x8)((alc_s16x8)b << 8 >> 8);
    return (alc_v128)(odd + even);
}
ALC_SIMD(I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S)(alc_v128 a, alc_v128 b, alc_v128 c)
{
    alc_v128 pairs = alc_simd_I16X8_RELAXED_DOT_I8X16_I7X16_S(a, b);
    return alc_simd_I32X4_ADD(alc_simd_I32X4_EXTADD_PAIRWISE_I16X8_S(pairs), c);
}

#undef ALC_SIMD
#undef ALC_SIMD_I32

#endif
