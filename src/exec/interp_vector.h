/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: the handlers of the vector operations, from slots to slots,
 * included once by interp.c. What each computes is in simd.h; its shape follows from signature and
 * immediate.
 */

#define V(unit) read_v128(fp + ip[unit])
#define VECTOR_HANDLER(i, result, n)                                                               \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        write_v128(fp + ip[n], result);                                                            \
        NEXT((n) + 1);                                                                             \
    }
#define SCALAR_HANDLER(i, result, n)                                                               \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        SLOT(n) = result;                                                                          \
        NEXT((n) + 1);                                                                             \
    }
#define SHAPE_S_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2)), 3)
#define SHAPE_SS_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), V(3)), 4)
#define SHAPE_SSS_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), V(3), V(4)), 5)
#define SHAPE_SI_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), (uint32_t)SLOT(3)), 4)
#define SHAPE_I_S(i) VECTOR_HANDLER(i, alc_simd_##i((uint32_t)SLOT(2)), 3)
#define SHAPE_L_S(i) VECTOR_HANDLER(i, alc_simd_##i(SLOT(2)), 3)
#define SHAPE_F_S(i) VECTOR_HANDLER(i, alc_simd_##i(f32_of_slot(fp + ip[2])), 3)
#define SHAPE_D_S(i) VECTOR_HANDLER(i, alc_simd_##i(f64_of_slot(fp + ip[2])), 3)
#define SHAPE_S_I(i) SCALAR_HANDLER(i, alc_simd_##i(V(2)), 3)

#define LANE_S_I(i) SCALAR_HANDLER(i, alc_simd_##i(V(2), ip[3]), 4)
#define LANE_S_L(i) SCALAR_HANDLER(i, alc_simd_##i(V(2), ip[3]), 4)
#define LANE_S_F(i) SCALAR_HANDLER(i, alc_f32_bits(alc_simd_##i(V(2), ip[3])), 4)
#define LANE_S_D(i) SCALAR_HANDLER(i, alc_f64_bits(alc_simd_##i(V(2), ip[3])), 4)
#define LANE_SI_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), (uint32_t)SLOT(3), ip[4]), 5)
#define LANE_SL_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), SLOT(3), ip[4]), 5)
#define LANE_SF_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), f32_of_slot(fp + ip[3]), ip[4]), 5)
#define LANE_SD_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), f64_of_slot(fp + ip[3]), ip[4]), 5)

/* Memory: address slot and offset (units 2 to 4), or a checked pointer in the accumulator (P). */
#define AT_SLOT(size)                                                                              \
    uint64_t ea_ = (uint64_t)(uint32_t)SLOT(2) + read_u32(ip + 3);                                 \
    CHECK(ea_, size)                                                                               \
    uint8_t *ptr_ = mem + ea_;
#define AT_POINTER() uint8_t *ptr_ = (uint8_t *)(uintptr_t)acc;
#define MEMORY_A_S(i, size)                                                                        \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        AT_SLOT(size)                                                                              \
        write_v128(fp + ip[5], alc_simd_##i(ptr_));                                                \
        NEXT(6);                                                                                   \
    }                                                                                              \
    HANDLER(i##_P)                                                                                 \
    {                                                                                              \
        AT_POINTER()                                                                               \
        write_v128(fp + ip[2], alc_simd_##i(ptr_));                                                \
        NEXT(3);                                                                                   \
    }
#define MEMORY_AS_V(i, size)                                                                       \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        AT_SLOT(size)                                                                              \
        alc_simd_##i(ptr_, V(5));                                                                  \
        NEXT(6);                                                                                   \
    }                                                                                              \
    HANDLER(i##_P)                                                                                 \
    {                                                                                              \
        AT_POINTER()                                                                               \
        alc_simd_##i(ptr_, V(2));                                                                  \
        NEXT(3);                                                                                   \
    }
#define MEMORY_LANE_AS_S(i, size)                                                                  \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        AT_SLOT(size)                                                                              \
        write_v128(fp + ip[7], alc_simd_##i(ptr_, V(5), ip[6]));                                   \
        NEXT(8);                                                                                   \
    }                                                                                              \
    HANDLER(i##_P)                                                                                 \
    {                                                                                              \
        AT_POINTER()                                                                               \
        write_v128(fp + ip[4], alc_simd_##i(ptr_, V(2), ip[3]));                                   \
        NEXT(5);                                                                                   \
    }
#define MEMORY_LANE_AS_V(i, size)                                                                  \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        AT_SLOT(size)                                                                              \
        alc_simd_##i(ptr_, V(5), ip[6]);                                                           \
        NEXT(7);                                                                                   \
    }                                                                                              \
    HANDLER(i##_P)                                                                                 \
    {                                                                                              \
        AT_POINTER()                                                                               \
        alc_simd_##i(ptr_, V(2), ip[3]);                                                           \
        NEXT(4);                                                                                   \
    }

#define VECTOR_NONE(i, signature) SHAPE_##signature(i)
#define VECTOR_LANE2(i, signature) LANE_##signature(i)
#define VECTOR_LANE4(i, signature) LANE_##signature(i)
#define VECTOR_LANE8(i, signature) LANE_##signature(i)
#define VECTOR_LANE16(i, signature) LANE_##signature(i)
#define VECTOR_MEM0(i, signature) MEMORY_##signature(i, 1)
#define VECTOR_MEM1(i, signature) MEMORY_##signature(i, 2)
#define VECTOR_MEM2(i, signature) MEMORY_##signature(i, 4)
#define VECTOR_MEM3(i, signature) MEMORY_##signature(i, 8)
#define VECTOR_MEM4(i, signature) MEMORY_##signature(i, 16)
#define VECTOR_MEMLANE0(i, signature) MEMORY_LANE_##signature(i, 1)
#define VECTOR_MEMLANE1(i, signature) MEMORY_LANE_##signature(i, 2)
#define VECTOR_MEMLANE2(i, signature) MEMORY_LANE_##signature(i, 4)
#define VECTOR_MEMLANE3(i, signature) MEMORY_LANE_##signature(i, 8)
#define VECTOR_SHUFFLE(i, signature)                                                               \
    VECTOR_HANDLER(i, alc_simd_##i(V(2), V(3), (const uint8_t *)(ip + 4)), 12)
#define VECTOR_V128(i, signature)

#define VECTOR(i, immediate, signature) VECTOR_##immediate(i, signature)
#include "wasm/code_families.h"
