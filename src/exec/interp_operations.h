/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: what numeric.def computes as functions over slots and accumulators,
 * for the handlers that the includer makes of them.
 */
#include "exec/interp_state.h"

/* -- numeric.def as functions over slots' bits -- */

#define BITS_u32(value) ((uint64_t)(uint32_t)(value))
#define BITS_s32(value) ((uint64_t)(uint32_t)(value))
#define BITS_u64(value) ((uint64_t)(value))
#define BITS_s64(value) ((uint64_t)(value))
#define KEEP_f32(facc, value) acc_of_f32(facc, value)
#define KEEP_f64(facc, value) acc_of_f64(facc, value)

#define BIN(i, T, R, expr) TRAP_BIN(i, T, R, ALC_OK, expr)
#define TRAP_BIN(i, T, R, trap, expr)                                                              \
    static ALC_ALWAYS_INLINE alc_status trap_##i(uint64_t bits_a, uint64_t bits_b)                 \
    {                                                                                              \
        T a = (T)bits_a;                                                                           \
        T b = (T)bits_b;                                                                           \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        return trap;                                                                               \
    }                                                                                              \
    static ALC_ALWAYS_INLINE uint64_t num_##i(uint64_t bits_a, uint64_t bits_b)                    \
    {                                                                                              \
        T a = (T)bits_a;                                                                           \
        T b = (T)bits_b;                                                                           \
        return BITS_##R(expr);                                                                     \
    }
#define CMP(i, T, expr)                                                                            \
    static ALC_ALWAYS_INLINE uint64_t num_##i(uint64_t bits_a, uint64_t bits_b)                    \
    {                                                                                              \
        T a = (T)bits_a;                                                                           \
        T b = (T)bits_b;                                                                           \
        return (uint64_t)(expr);                                                                   \
    }
#define UN(i, T, R, expr)                                                                          \
    static ALC_ALWAYS_INLINE uint64_t num_##i(uint64_t bits_a)                                     \
    {                                                                                              \
        T a = (T)bits_a;                                                                           \
        return BITS_##R(expr);                                                                     \
    }
/* Operands of type T from a slot and from the accumulator. A result goes into the low lane of an
 * accumulator: of the old one when that is an operand, else of a fresh one, so that an operation
 * does not wait for one that it has nothing to do with. */
#define TAKE(i, T)                                                                                 \
    static ALC_ALWAYS_INLINE T load_##i(const uint64_t *slot)                                      \
    {                                                                                              \
        return T##_of_slot(slot);                                                                  \
    }                                                                                              \
    static ALC_ALWAYS_INLINE T take_##i(alc_f64x2 facc)                                            \
    {                                                                                              \
        return T##_of_acc(facc);                                                                   \
    }                                                                                              \
    static ALC_ALWAYS_INLINE UNUSED T immediate_##i(const uint16_t *units)                         \
    {                                                                                              \
        T value;                                                                                   \
        alc_copy(&value, units, sizeof value);                                                     \
        return value;                                                                              \
    }                                                                                              \
    static ALC_ALWAYS_INLINE UNUSED alc_f64x2 fresh_##i(const uint64_t *slot)                      \
    {                                                                                              \
        return KEEP_##T((alc_f64x2){0}, T##_of_slot(slot));                                        \
    }
#define FBIN(i, T, expr)                                                                           \
    TAKE(i, T)                                                                                     \
    static ALC_ALWAYS_INLINE alc_f64x2 num_##i(T a, T b, alc_f64x2 facc)                           \
    {                                                                                              \
        return KEEP_##T(facc, expr);                                                               \
    }
#define FCMP(i, T, expr)                                                                           \
    TAKE(i, T)                                                                                     \
    static ALC_ALWAYS_INLINE uint64_t num_##i(T a, T b)                                            \
    {                                                                                              \
        return (uint64_t)(expr);                                                                   \
    }
#define FUN(i, T, R, expr)                                                                         \
    TAKE(i, T)                                                                                     \
    static ALC_ALWAYS_INLINE alc_f64x2 num_##i(T a, alc_f64x2 facc)                                \
    {                                                                                              \
        return KEEP_##R(facc, expr);                                                               \
    }
#define TRAP_FI(i, T, R, trap, expr)                                                               \
    TAKE(i, T)                                                                                     \
    static ALC_ALWAYS_INLINE alc_status trap_##i(T a)                                              \
    {                                                                                              \
        (void)a;                                                                                   \
        return trap;                                                                               \
    }                                                                                              \
    static ALC_ALWAYS_INLINE uint64_t num_##i(T a)                                                 \
    {                                                                                              \
        return BITS_##R(expr);                                                                     \
    }
#define IF(i, T, R, expr)                                                                          \
    static ALC_ALWAYS_INLINE alc_f64x2 num_##i(uint64_t bits_a, alc_f64x2 facc)                    \
    {                                                                                              \
        T a = (T)bits_a;                                                                           \
        return KEEP_##R(facc, expr);                                                               \
    }
#include "exec/numeric.def"
