/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: ENTRY(name) for the handler of every operation in the order of enum
 * alc_code_op; undefines it.
 */
#define CBIN(i)                                                                                    \
    ENTRY(i##_SS)                                                                                  \
    ENTRY(i##_SSD)                                                                                 \
    ENTRY(i##_SI) ENTRY(i##_SID) ENTRY(i##_AS) ENTRY(i##_ASD) ENTRY(i##_AI) ENTRY(i##_AID)
#define NBIN(i) CBIN(i) ENTRY(i##_SA) ENTRY(i##_SAD)
#define DIVISION(i) ENTRY(i##_SS) ENTRY(i##_SI)
#define ROTATE(i) ENTRY(i##_SS)
#define ICMP(i, swapped, inverse)                                                                  \
    ENTRY(i##_SS)                                                                                  \
    ENTRY(i##_SI)                                                                                  \
    ENTRY(i##_AS) ENTRY(i##_AI) ENTRY(i##_BR_SS) ENTRY(i##_BR_SI) ENTRY(i##_BR_AS) ENTRY(i##_BR_AI)
#define UN(i) ENTRY(i##_S) ENTRY(i##_SD) ENTRY(i##_A) ENTRY(i##_AD)
#define FCBIN(i) CBIN(i)
#define FBIN(i)                                                                                    \
    ENTRY(i##_SS) ENTRY(i##_SSD) ENTRY(i##_SA) ENTRY(i##_SAD) ENTRY(i##_AS) ENTRY(i##_ASD)
#define FCMP(i) ENTRY(i##_SS) ENTRY(i##_AS) ENTRY(i##_SA)
#define FORDER(i, swapped)                                                                         \
    FCMP(i)                                                                                        \
    ENTRY(i##_BR_SS)                                                                               \
    ENTRY(i##_BR_AS) ENTRY(i##_BR_SA) ENTRY(i##_UNLESS_SS) ENTRY(i##_UNLESS_AS) ENTRY(i##_UNLESS_SA)
#define FRARE(i) ROTATE(i)
#define UNRARE(i) ENTRY(i##_S) ENTRY(i##_A)
#define FUN(i) UNRARE(i)
#define FI(i) ENTRY(i##_A)
#define IF(i) FUN(i)
#define LOAD(i, type) UN(i) ENTRY(i##_P)
#define FLOAD(i, type) LOAD(i, type)
#define INDEXED(i, type)                                                                           \
    ENTRY(i##_SS)                                                                                  \
    ENTRY(i##_SSD)                                                                                 \
    ENTRY(i##_SI)                                                                                  \
    ENTRY(i##_SID)                                                                                 \
    ENTRY(i##_AS) ENTRY(i##_ASD) ENTRY(i##_XS) ENTRY(i##_XSD) ENTRY(i##_XI) ENTRY(i##_XID)
#define FINDEXED(i, type) INDEXED(i, type)
#define ABSOLUTE(i, type) ENTRY(i##_I) ENTRY(i##_ID)
#define FPAIR(i, first, second) ENTRY(i##_AS) ENTRY(i##_ASD) ENTRY(i##_SS) ENTRY(i##_SSD)
#define CHOOSE(i)                                                                                  \
    ENTRY(i##_SELECT_SS) ENTRY(i##_SELECT_SI) ENTRY(i##_SELECT_AS) ENTRY(i##_SELECT_AI)
#define STEP(i) ENTRY(i##_STEP_S) ENTRY(i##_STEP_I) ENTRY(i##_PAIR_S) ENTRY(i##_PAIR_I)
#define STORE(i, type)                                                                             \
    ENTRY(i##_SS) ENTRY(i##_SA) ENTRY(i##_SI) ENTRY(i##_AS) ENTRY(i##_AI) ENTRY(i##_P)
#define FSTORE(i, type) ENTRY(i##_SA) ENTRY(i##_AA)
#define FIELD(i, type) UN(i)
#define PACKED(i, type) ENTRY(i##_S)
#define FIELD_SET(i, type) ENTRY(i##_SS) ENTRY(i##_SA)
#define ELEMENT(i, type) ENTRY(i##_SS) ENTRY(i##_SA)
#define ELEMENT_SET(i, type) ENTRY(i)
#define PLAIN(i) ENTRY(i)
#define VECTOR(i, shape) ENTRY(i)
#include "wasm/code_families.h"
#if ALC_CODE_SEQUENCES
#define TWO(a, b) ENTRY(a##__##b)
#define THREE(a, b, c) ENTRY(a##__##b##__##c)
#include "wasm/code_sequences.def"
#undef TWO
#undef THREE
#endif
#undef ENTRY
