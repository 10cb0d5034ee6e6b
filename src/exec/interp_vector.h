/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: the handlers of the vector operations, from slots to slots,
 * included once by interp.c. What each computes is in simd.h. A few have handlers of their own
 * (code.def); the others share four, which ask interp_vector.c.
 */

#define V(unit) read_v128(fp + ip[unit])
#define VECTOR_HANDLER(i, result, n)                                                               \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        write_v128(fp + ip[n], result);                                                            \
        NEXT((n) + 1);                                                                             \
    }
#define SHAPE_SS_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), V(3)), 4)
#define SHAPE_SI_S(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), (uint32_t)SLOT(3)), 4)
#define SHAPE_I_S(i) VECTOR_HANDLER(i, alc_simd_##i((uint32_t)SLOT(2)), 3)
#define SHAPE_F_S(i) VECTOR_HANDLER(i, alc_simd_##i(f32_of_slot(fp + ip[2])), 3)
#define SHAPE_D_S(i) VECTOR_HANDLER(i, alc_simd_##i(f64_of_slot(fp + ip[2])), 3)
#define SHAPE_S_I(i)                                                                               \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        SLOT(3) = alc_simd_##i(V(2));                                                              \
        NEXT(4);                                                                                   \
    }
#define SHAPE_SHUFFLE(i) VECTOR_HANDLER(i, alc_simd_##i(V(2), V(3), (const uint8_t *)(ip + 4)), 12)
#define VECTOR(i, shape) SHAPE_##shape(i)
#include "wasm/code_families.h"

/* The shared ones: number of the instruction, three vectors, a scalar, the lane, the target. */
#define SHARED(scalar) alc_interp_vector(ip[2], scalar, ip[7], V(3), V(4), V(5))
VECTOR_HANDLER(VECTOR_TO_VECTOR, SHARED(SLOT(6)), 8)
HANDLER(VECTOR_TO_SCALAR)
{
    SLOT(8) = SHARED(SLOT(6))[0];
    NEXT(9);
}
VECTOR_HANDLER(VECTOR_FROM_MEMORY, SHARED(acc), 8)
HANDLER(VECTOR_TO_MEMORY)
{
    (void)SHARED(acc);
    NEXT(8);
}

/* -- memory 0 -- */

HANDLER(ADDRESS_0)
{
    uint64_t ea_ = (uint64_t)(uint32_t)SLOT(2) + read_u32(ip + 3);
    CHECK(ea_, ip[5])
    acc = (uint64_t)(uintptr_t)(mem + ea_);
    NEXT(6);
}
HANDLER(V128_LOAD)
{
    uint64_t ea_ = (uint64_t)(uint32_t)SLOT(2) + read_u32(ip + 3);
    CHECK(ea_, 16)
    write_v128(fp + ip[5], alc_simd_V128_LOAD(mem + ea_));
    NEXT(6);
}
HANDLER(V128_STORE)
{
    uint64_t ea_ = (uint64_t)(uint32_t)SLOT(2) + read_u32(ip + 3);
    CHECK(ea_, 16)
    alc_simd_V128_STORE(mem + ea_, V(5));
    NEXT(6);
}
#undef SHAPE_SS_S
#undef SHAPE_SI_S
#undef SHAPE_I_S
#undef SHAPE_F_S
#undef SHAPE_D_S
#undef SHAPE_S_I
#undef SHAPE_SHUFFLE
