/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: the handlers of the numeric families of code.def, included once
 * by interp.c (in file scope with clang, inside the loop's function with gcc). What an operation
 * computes comes from numeric.def through the functions num_<ident> and trap_<ident>.
 */

/* Integer binary: operands a and b, `n` units without the target. */
#define BINARY(name, i, a, b, n)                                                                   \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        acc = num_##i(a, b);                                                                       \
        NEXT(n);                                                                                   \
    }                                                                                              \
    HANDLER(name##D)                                                                               \
    {                                                                                              \
        acc = num_##i(a, b);                                                                       \
        RESULT_D(n);                                                                               \
        NEXT((n) + 1);                                                                             \
    }
#define DIVIDE(name, i, a, b, n)                                                                   \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        alc_status status_ = trap_##i(a, b);                                                       \
        if (ALC_UNLIKELY(status_ != ALC_OK)) {                                                     \
            TRAP(status_);                                                                         \
        }                                                                                          \
        acc = num_##i(a, b);                                                                       \
        NEXT(n);                                                                                   \
    }
#define CBIN(i)                                                                                    \
    BINARY(i##_SS, i, SLOT(2), SLOT(3), 4)                                                         \
    BINARY(i##_SI, i, SLOT(2), IMMEDIATE(3), 5)                                                    \
    BINARY(i##_AS, i, acc, SLOT(2), 3)                                                             \
    BINARY(i##_AI, i, acc, IMMEDIATE(2), 4)
#define NBIN(i) CBIN(i) BINARY(i##_SA, i, SLOT(2), acc, 3)
#define DIVISION(i)                                                                                \
    DIVIDE(i##_SS, i, SLOT(2), SLOT(3), 4)                                                         \
    DIVIDE(i##_SI, i, SLOT(2), IMMEDIATE(3), 5)
#define ROTATE(i)                                                                                  \
    HANDLER(i##_SS)                                                                                \
    {                                                                                              \
        acc = num_##i(SLOT(2), SLOT(3));                                                           \
        NEXT(4);                                                                                   \
    }

#define COMPARE(name, i, a, b, n)                                                                  \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        acc = num_##i(a, b);                                                                       \
        NEXT(n);                                                                                   \
    }                                                                                              \
    HANDLER(i##_BR_##name)                                                                         \
    {                                                                                              \
        bool taken_ = num_##i(a, b) != 0;                                                          \
        BRANCH_WHEN(taken_, n);                                                                    \
    }
#define ICMP(i, swapped, inverse)                                                                  \
    COMPARE(SS, i, SLOT(2), SLOT(3), 4)                                                            \
    COMPARE(SI, i, SLOT(2), IMMEDIATE(3), 5)                                                       \
    COMPARE(AS, i, acc, SLOT(2), 3)                                                                \
    COMPARE(AI, i, acc, IMMEDIATE(2), 4)

#define UNARY_RARE(name, i, a, n)                                                                  \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        acc = num_##i(a);                                                                          \
        NEXT(n);                                                                                   \
    }
#define UNARY(name, i, a, n)                                                                       \
    UNARY_RARE(name, i, a, n)                                                                      \
    HANDLER(i##_##name##D)                                                                         \
    {                                                                                              \
        acc = num_##i(a);                                                                          \
        RESULT_D(n);                                                                               \
        NEXT((n) + 1);                                                                             \
    }
#define UN(i) UNARY(S, i, SLOT(2), 3) UNARY(A, i, acc, 2)
#define UNRARE(i) UNARY_RARE(S, i, SLOT(2), 3) UNARY_RARE(A, i, acc, 2)

/* Floating: the functions take and give the accumulator; a slot is read as its address. */
#define FBINARY(name, i, a, b, keep, n)                                                            \
    FLOATING(name, i, a, b, keep, n)                                                               \
    HANDLER(i##_##name##D)                                                                         \
    {                                                                                              \
        facc = num_##i(a, b, keep);                                                                \
        SLOT(n) = bits_of_acc(facc);                                                               \
        NEXT((n) + 1);                                                                             \
    }
#define FLOATING(name, i, a, b, keep, n)                                                           \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        facc = num_##i(a, b, keep);                                                                \
        NEXT(n);                                                                                   \
    }
#define FLOAT_FORM_SS(join, i)                                                                     \
    join(SS, i, load_##i(fp + ip[2]), load_##i(fp + ip[3]), fresh_##i(fp + ip[2]), 4)
#define FLOAT_FORM_AS(join, i) join(AS, i, take_##i(facc), load_##i(fp + ip[2]), facc, 3)
#define FLOAT_FORM_SA(join, i)                                                                     \
    join(SA, i, load_##i(fp + ip[2]), take_##i(facc), fresh_##i(fp + ip[2]), 3)
#define FCBIN(i)                                                                                   \
    FLOAT_FORM_SS(FBINARY, i)                                                                      \
    FLOAT_FORM_AS(FBINARY, i)                                                                      \
    FBINARY(SI, i, load_##i(fp + ip[2]), immediate_##i(ip + 3), fresh_##i(fp + ip[2]), 7)          \
    FBINARY(AI, i, take_##i(facc), immediate_##i(ip + 2), facc, 6)
#define FBIN(i) FLOAT_FORM_SS(FBINARY, i) FLOAT_FORM_SA(FBINARY, i) FLOAT_FORM_AS(FBINARY, i)
#define FRARE(i) FLOAT_FORM_SS(FLOATING, i)
#define FCOMPARE(name, i, a, b, n)                                                                 \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        acc = num_##i(a, b);                                                                       \
        NEXT(n);                                                                                   \
    }
#define FCMP(i)                                                                                    \
    FCOMPARE(SS, i, load_##i(fp + ip[2]), load_##i(fp + ip[3]), 4)                                 \
    FCOMPARE(AS, i, take_##i(facc), load_##i(fp + ip[2]), 3)                                       \
    FCOMPARE(SA, i, load_##i(fp + ip[2]), take_##i(facc), 3)
#define FBRANCH(name, i, a, b, n)                                                                  \
    FCOMPARE(name, i, a, b, n)                                                                     \
    HANDLER(i##_BR_##name)                                                                         \
    {                                                                                              \
        bool taken_ = num_##i(a, b) != 0;                                                          \
        BRANCH_WHEN(taken_, n);                                                                    \
    }                                                                                              \
    HANDLER(i##_UNLESS_##name)                                                                     \
    {                                                                                              \
        bool taken_ = num_##i(a, b) == 0;                                                          \
        BRANCH_WHEN(taken_, n);                                                                    \
    }
#define FORDER(i, swapped)                                                                         \
    FBRANCH(SS, i, load_##i(fp + ip[2]), load_##i(fp + ip[3]), 4)                                  \
    FBRANCH(AS, i, take_##i(facc), load_##i(fp + ip[2]), 3)                                        \
    FBRANCH(SA, i, load_##i(fp + ip[2]), take_##i(facc), 3)
#define FUNARY(name, i, a, keep, n)                                                                \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        facc = num_##i(a, keep);                                                                   \
        NEXT(n);                                                                                   \
    }
#define FUN(i)                                                                                     \
    FUNARY(S, i, load_##i(fp + ip[2]), fresh_##i(fp + ip[2]), 3)                                   \
    FUNARY(A, i, take_##i(facc), facc, 2)

#define TO_INTEGER(name, i, a, n)                                                                  \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        alc_status status_ = trap_##i(a);                                                          \
        if (ALC_UNLIKELY(status_ != ALC_OK)) {                                                     \
            TRAP(status_);                                                                         \
        }                                                                                          \
        acc = num_##i(a);                                                                          \
        NEXT(n);                                                                                   \
    }
#define FI(i) TO_INTEGER(A, i, take_##i(facc), 2)

#define TO_FLOATING(name, i, a, n)                                                                 \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        facc = num_##i(a, (alc_f64x2){0});                                                         \
        NEXT(n);                                                                                   \
    }
#define IF(i) TO_FLOATING(S, i, SLOT(2), 3) TO_FLOATING(A, i, acc, 2)

/* -- memory 0 -- */

/* The slot named in `unit`, shifted by the unit behind. */
#define SHIFTED(unit) ((uint32_t)SLOT(unit) << (ip[(unit) + 1] & 31))
#define CHECK(ea, size)                                                                            \
    if (ALC_UNLIKELY((ea) + (size) > mem_size)) {                                                  \
        TAIL(stop_memory);                                                                         \
    }
/* Where an access ends: the code has the sum of its offset and its size. */
#define ACCESS_END(addr, n)                                                                        \
    uint64_t end_ = (uint64_t)(uint32_t)(addr) + read_u32(ip + (n) - 2);                           \
    CHECK(end_, 0)
#define ACCESSED(type) (mem + end_ - sizeof(type))
#define LOADING(name, type, addr, n)                                                               \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        ACCESS_END(addr, n)                                                                        \
        acc = (uint64_t)(int64_t)READ(type, ACCESSED(type));                                       \
        NEXT(n);                                                                                   \
    }                                                                                              \
    HANDLER(name##D)                                                                               \
    {                                                                                              \
        ACCESS_END(addr, n)                                                                        \
        acc = (uint64_t)(int64_t)READ(type, ACCESSED(type));                                       \
        RESULT_D(n);                                                                               \
        NEXT((n) + 1);                                                                             \
    }
#define LOAD(i, type)                                                                              \
    LOADING(i##_S, type, SLOT(2), 5)                                                               \
    LOADING(i##_A, type, acc, 4)                                                                   \
    HANDLER(i##_P)                                                                                 \
    {                                                                                              \
        acc = (uint64_t)(int64_t)READ(type, (const uint8_t *)(uintptr_t)acc);                      \
        NEXT(2);                                                                                   \
    }
#define FLOADING(name, type, addr, n)                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        ACCESS_END(addr, n)                                                                        \
        facc = acc_of_bits(READ(type, ACCESSED(type)));                                            \
        NEXT(n);                                                                                   \
    }                                                                                              \
    HANDLER(name##D)                                                                               \
    {                                                                                              \
        ACCESS_END(addr, n)                                                                        \
        facc = acc_of_bits(READ(type, ACCESSED(type)));                                            \
        SLOT(n) = bits_of_acc(facc);                                                               \
        NEXT((n) + 1);                                                                             \
    }
#define FLOAD(i, type)                                                                             \
    FLOADING(i##_S, type, SLOT(2), 5)                                                              \
    FLOADING(i##_A, type, acc, 4)                                                                  \
    HANDLER(i##_P)                                                                                 \
    {                                                                                              \
        facc = acc_of_bits(READ(type, (const uint8_t *)(uintptr_t)acc));                           \
        NEXT(2);                                                                                   \
    }
#define INDEXED(i, type)                                                                           \
    LOADING(i##_SS, type, SLOT(2) + SLOT(3), 6)                                                    \
    LOADING(i##_SI, type, SLOT(2) + IMMEDIATE(3), 7)                                               \
    LOADING(i##_AS, type, acc + SLOT(2), 5)                                                        \
    LOADING(i##_XS, type, SHIFTED(2) + SLOT(4), 7)                                                 \
    LOADING(i##_XI, type, SHIFTED(2) + IMMEDIATE(4), 8)
#define FINDEXED(i, type)                                                                          \
    FLOADING(i##_SS, type, SLOT(2) + SLOT(3), 6)                                                   \
    FLOADING(i##_SI, type, SLOT(2) + IMMEDIATE(3), 7)                                              \
    FLOADING(i##_AS, type, acc + SLOT(2), 5)                                                       \
    FLOADING(i##_XS, type, SHIFTED(2) + SLOT(4), 7)                                                \
    FLOADING(i##_XI, type, SHIFTED(2) + IMMEDIATE(4), 8)
#define ABSOLUTE(i, type) LOADING(i##_I, type, 0, 4)
#define STORING(name, type, addr, value, n)                                                        \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        ACCESS_END(addr, n)                                                                        \
        type stored_ = (type)(value);                                                              \
        alc_copy(ACCESSED(type), &stored_, sizeof stored_);                                        \
        NEXT(n);                                                                                   \
    }
#define STORE(i, type)                                                                             \
    STORING(i##_SS, type, SLOT(2), SLOT(3), 6)                                                     \
    STORING(i##_SA, type, SLOT(2), acc, 5)                                                         \
    STORING(i##_SI, type, SLOT(2), IMMEDIATE(3), 7)                                                \
    STORING(i##_AS, type, acc, SLOT(2), 5)                                                         \
    STORING(i##_AI, type, acc, IMMEDIATE(2), 6)                                                    \
    HANDLER(i##_P)                                                                                 \
    {                                                                                              \
        type stored_ = (type)SLOT(2);                                                              \
        alc_copy((uint8_t *)(uintptr_t)acc, &stored_, sizeof stored_);                             \
        NEXT(3);                                                                                   \
    }
#define FSTORE(i, type)                                                                            \
    STORING(i##_SA, type, SLOT(2), bits_of_acc(facc), 5)                                           \
    STORING(i##_AA, type, acc, bits_of_acc(facc), 4)

/* Two floating operations, the second with a slot as its first operand. */
#define FPAIRING(i, first, second, name, a, b, keep, n)                                            \
    HANDLER(i##_##name)                                                                            \
    {                                                                                              \
        facc = num_##first(a, b, keep);                                                            \
        facc = num_##second(load_##second(fp + ip[(n) - 1]), take_##second(facc), facc);           \
        NEXT(n);                                                                                   \
    }                                                                                              \
    HANDLER(i##_##name##D)                                                                         \
    {                                                                                              \
        facc = num_##first(a, b, keep);                                                            \
        facc = num_##second(load_##second(fp + ip[(n) - 1]), take_##second(facc), facc);           \
        SLOT(n) = bits_of_acc(facc);                                                               \
        NEXT((n) + 1);                                                                             \
    }
#define FPAIR(i, first, second)                                                                    \
    FPAIRING(i, first, second, AS, take_##first(facc), load_##first(fp + ip[2]), facc, 4)          \
    FPAIRING(i, first, second, SS, load_##first(fp + ip[2]), load_##first(fp + ip[3]),             \
             fresh_##first(fp + ip[2]), 5)

/* A comparison, then what is taken when it is true, what else, and the target. */
#define CHOOSING(i, name, a, b, n)                                                                 \
    HANDLER(i##_SELECT_##name)                                                                     \
    {                                                                                              \
        bool first_ = num_##i(a, b) != 0;                                                          \
        acc = first_ ? SLOT(n) : SLOT((n) + 1);                                                    \
        SLOT((n) + 2) = acc;                                                                       \
        NEXT((n) + 3);                                                                             \
    }
#define CHOOSE(i)                                                                                  \
    CHOOSING(i, SS, SLOT(2), SLOT(3), 4)                                                           \
    CHOOSING(i, SI, SLOT(2), IMMEDIATE(3), 5)                                                      \
    CHOOSING(i, AS, acc, SLOT(2), 3)                                                               \
    CHOOSING(i, AI, acc, IMMEDIATE(2), 4)

/* Ends of loops: slot, constant, target; what the sum is compared with; the distance. */
#define ADD_TO(n)                                                                                  \
    acc = num_I32_ADD(SLOT(n), IMMEDIATE((n) + 1));                                                \
    SLOT((n) + 3) = acc;
#define STEPPING(i, name, first, n)                                                                \
    HANDLER(i##_##name##_S)                                                                        \
    {                                                                                              \
        first ADD_TO((n) - 4);                                                                     \
        bool taken_ = num_##i(acc, SLOT(n)) != 0;                                                  \
        BRANCH_WHEN(taken_, (n) + 1);                                                              \
    }                                                                                              \
    HANDLER(i##_##name##_I)                                                                        \
    {                                                                                              \
        first ADD_TO((n) - 4);                                                                     \
        bool taken_ = num_##i(acc, IMMEDIATE(n)) != 0;                                             \
        BRANCH_WHEN(taken_, (n) + 2);                                                              \
    }
#define STEP(i) STEPPING(i, STEP, , 6) STEPPING(i, PAIR, ADD_TO(2), 10)

/* Sums that addresses are: a slot shifted by a constant and a slot; two increments. */
HANDLER(I32_ADD_XS)
{
    acc = num_I32_ADD(SHIFTED(2), SLOT(4));
    NEXT(5);
}
HANDLER(I32_ADD_XSD)
{
    acc = num_I32_ADD(SHIFTED(2), SLOT(4));
    SLOT(5) = acc;
    NEXT(6);
}
HANDLER(I32_ADD_XI)
{
    acc = num_I32_ADD(SHIFTED(2), IMMEDIATE(4));
    NEXT(6);
}
HANDLER(I32_ADD_XID)
{
    acc = num_I32_ADD(SHIFTED(2), IMMEDIATE(4));
    SLOT(6) = acc;
    NEXT(7);
}
STORING(STORE32_IS, uint32_t, 0, SLOT(2), 5)
STORING(STORE32_IA, uint32_t, 0, acc, 4)
HANDLER(I32_ADD_BR)
{
    ADD_TO(2)
    BRANCH(6);
}
HANDLER(I32_ADD_PAIR)
{
    ADD_TO(2)
    ADD_TO(6)
    NEXT(10);
}

#include "wasm/code_families.h"
