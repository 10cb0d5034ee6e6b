/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rows of numeric.def stand on: IEEE 754 operations without a math library (SSE4.1
 * rounding and square root), exact minima and maxima, and truncation to integers (spec 4.3.3).
 */
#ifndef ALC_EXEC_NUMERIC_H
#define ALC_EXEC_NUMERIC_H

#include "base/bytes.h"
#include "base/status.h"

typedef float alc_numeric_f32x4 __attribute__((vector_size(16)));
typedef double alc_numeric_f64x2 __attribute__((vector_size(16)));

/* Rounding control of ROUNDSS and ROUNDSD, with "no inexact exception". */
#define ALC_NUMERIC_ROUND(name, control)                                                           \
    static inline float alc_f32_##name(float a)                                                    \
    {                                                                                              \
        alc_numeric_f32x4 v = {a};                                                                 \
        return __builtin_ia32_roundss(v, v, 8 | (control))[0];                                     \
    }                                                                                              \
    static inline double alc_f64_##name(double a)                                                  \
    {                                                                                              \
        alc_numeric_f64x2 v = {a};                                                                 \
        return __builtin_ia32_roundsd(v, v, 8 | (control))[0];                                     \
    }
ALC_NUMERIC_ROUND(nearest, 0)
ALC_NUMERIC_ROUND(floor, 1)
ALC_NUMERIC_ROUND(ceil, 2)
ALC_NUMERIC_ROUND(trunc, 3)
#undef ALC_NUMERIC_ROUND

static inline float alc_f32_sqrt(float a)
{
    alc_numeric_f32x4 v = {a};
    return __builtin_ia32_sqrtss(v)[0];
}

static inline double alc_f64_sqrt(double a)
{
    alc_numeric_f64x2 v = {a};
    return __builtin_ia32_sqrtsd(v)[0];
}

/* MINSS and its like: the second operand when both are equal or one is a NaN. */
#define ALC_NUMERIC_PICK(name, type, vector, instruction)                                          \
    static inline type alc_##name(type a, type b)                                                  \
    {                                                                                              \
        vector first = {a};                                                                        \
        vector second = {b};                                                                       \
        return __builtin_ia32_##instruction(first, second)[0];                                     \
    }
ALC_NUMERIC_PICK(f32_lesser, float, alc_numeric_f32x4, minss)
ALC_NUMERIC_PICK(f32_greater, float, alc_numeric_f32x4, maxss)
ALC_NUMERIC_PICK(f64_lesser, double, alc_numeric_f64x2, minsd)
ALC_NUMERIC_PICK(f64_greater, double, alc_numeric_f64x2, maxsd)
#undef ALC_NUMERIC_PICK

/* min and max: a NaN operand gives a quiet NaN (the sum makes it). Asked both ways round, equal
 * operands differ in the sign of a zero only: or gives -0, and gives +0. Sign operations work on
 * bits, so that a signalling NaN passes unchanged. */
#define ALC_NUMERIC_FLOAT(type, bits, sign_bit)                                                    \
    static inline uint##bits##_t alc_f##bits##_bits(type a)                                        \
    {                                                                                              \
        uint##bits##_t word;                                                                       \
        alc_copy(&word, &a, sizeof word);                                                          \
        return word;                                                                               \
    }                                                                                              \
    static inline type alc_f##bits##_of_bits(uint##bits##_t word)                                  \
    {                                                                                              \
        type a;                                                                                    \
        alc_copy(&a, &word, sizeof a);                                                             \
        return a;                                                                                  \
    }                                                                                              \
    static inline type alc_f##bits##_min(type a, type b)                                           \
    {                                                                                              \
        type both = alc_f##bits##_of_bits(alc_f##bits##_bits(alc_f##bits##_lesser(a, b)) |         \
                                          alc_f##bits##_bits(alc_f##bits##_lesser(b, a)));         \
        return __builtin_isunordered(a, b) ? a + b : both;                                         \
    }                                                                                              \
    static inline type alc_f##bits##_max(type a, type b)                                           \
    {                                                                                              \
        type both = alc_f##bits##_of_bits(alc_f##bits##_bits(alc_f##bits##_greater(a, b)) &        \
                                          alc_f##bits##_bits(alc_f##bits##_greater(b, a)));        \
        return __builtin_isunordered(a, b) ? a + b : both;                                         \
    }                                                                                              \
    static inline type alc_f##bits##_abs(type a)                                                   \
    {                                                                                              \
        return alc_f##bits##_of_bits(alc_f##bits##_bits(a) & ~(sign_bit));                         \
    }                                                                                              \
    static inline type alc_f##bits##_neg(type a)                                                   \
    {                                                                                              \
        return alc_f##bits##_of_bits(alc_f##bits##_bits(a) ^ (sign_bit));                          \
    }                                                                                              \
    static inline type alc_f##bits##_copysign(type a, type b)                                      \
    {                                                                                              \
        return alc_f##bits##_of_bits((alc_f##bits##_bits(a) & ~(sign_bit)) |                       \
                                     (alc_f##bits##_bits(b) & (sign_bit)));                        \
    }
ALC_NUMERIC_FLOAT(float, 32, UINT32_C(0x80000000))
ALC_NUMERIC_FLOAT(double, 64, UINT64_C(0x8000000000000000))
#undef ALC_NUMERIC_FLOAT

/* Truncation to an integer. `low` and `high` are the largest and smallest floating numbers that do
 * not fit (low exclusive, high exclusive), exact in `type`; `low_fits`: low itself still fits. */
#define ALC_NUMERIC_TRUNC(name, type, result, wide, low, low_operator, high, low_result,           \
                          high_result)                                                             \
    static inline alc_status alc_trunc_trap_##name(type a)                                         \
    {                                                                                              \
        if (a != a) {                                                                              \
            return ALC_E_INVALID_CONVERSION;                                                       \
        }                                                                                          \
        return a low_operator(low) && a < (high) ? ALC_OK : ALC_E_INTEGER_OVERFLOW;                \
    }                                                                                              \
    static inline result alc_trunc_##name(type a)                                                  \
    {                                                                                              \
        return (result)(wide)a;                                                                    \
    }                                                                                              \
    static inline result alc_trunc_sat_##name(type a)                                              \
    {                                                                                              \
        if (a low_operator(low) && a < (high)) {                                                   \
            return (result)(wide)a;                                                                \
        }                                                                                          \
        return a != a ? 0 : a < 0 ? (low_result) : (high_result);                                  \
    }
ALC_NUMERIC_TRUNC(f32_s32, float, int32_t, int32_t, -2147483648.0f, >=, 2147483648.0f, INT32_MIN,
                  INT32_MAX)
ALC_NUMERIC_TRUNC(f32_u32, float, uint32_t, int64_t, -1.0f, >, 4294967296.0f, 0, UINT32_MAX)
ALC_NUMERIC_TRUNC(f64_s32, double, int32_t, int32_t, -2147483649.0, >, 2147483648.0, INT32_MIN,
                  INT32_MAX)
ALC_NUMERIC_TRUNC(f64_u32, double, uint32_t, int64_t, -1.0, >, 4294967296.0, 0, UINT32_MAX)
ALC_NUMERIC_TRUNC(f32_s64, float, int64_t, int64_t, -9223372036854775808.0f, >=,
                  9223372036854775808.0f, INT64_MIN, INT64_MAX)
ALC_NUMERIC_TRUNC(f32_u64, float, uint64_t, uint64_t, -1.0f, >, 18446744073709551616.0f, 0,
                  UINT64_MAX)
ALC_NUMERIC_TRUNC(f64_s64, double, int64_t, int64_t, -9223372036854775808.0, >=,
                  9223372036854775808.0, INT64_MIN, INT64_MAX)
ALC_NUMERIC_TRUNC(f64_u64, double, uint64_t, uint64_t, -1.0, >, 18446744073709551616.0, 0,
                  UINT64_MAX)
#undef ALC_NUMERIC_TRUNC

static inline uint32_t alc_rotate_left_u32(uint32_t a, uint32_t count)
{
    return a << (count & 31) | a >> (-count & 31);
}

static inline uint64_t alc_rotate_left_u64(uint64_t a, uint64_t count)
{
    return a << (count & 63) | a >> (-count & 63);
}

#endif
