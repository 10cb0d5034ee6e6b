/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: ENTRY(name) for the handler of every operation in the order of enum
 * alc_code_op, NO_ENTRY(name) for numbers that have none; undefines both.
 */
#define CBIN(i)                                                                                    \
    ENTRY(i##_SS)                                                                                  \
    ENTRY(i##_SSD)                                                                                 \
    ENTRY(i##_SI) ENTRY(i##_SID) ENTRY(i##_AS) ENTRY(i##_ASD) ENTRY(i##_AI) ENTRY(i##_AID)
#define NBIN(i) CBIN(i) ENTRY(i##_SA) ENTRY(i##_SAD)
#define DIVISION(i) ENTRY(i##_SS) ENTRY(i##_SI) ENTRY(i##_AS) ENTRY(i##_AI) ENTRY(i##_SA)
#define ICMP(i, swapped, inverse)                                                                  \
    ENTRY(i##_SS)                                                                                  \
    ENTRY(i##_SI)                                                                                  \
    ENTRY(i##_AS) ENTRY(i##_AI) ENTRY(i##_BR_SS) ENTRY(i##_BR_SI) ENTRY(i##_BR_AS) ENTRY(i##_BR_AI)
#define UN(i) ENTRY(i##_S) ENTRY(i##_SD) ENTRY(i##_A) ENTRY(i##_AD)
#define FBIN(i)                                                                                    \
    ENTRY(i##_SS) ENTRY(i##_SSD) ENTRY(i##_AS) ENTRY(i##_ASD) ENTRY(i##_SA) ENTRY(i##_SAD)
#define FCMP(i) ENTRY(i##_SS) ENTRY(i##_AS) ENTRY(i##_SA)
#define FRARE(i) FCMP(i)
#define FUN(i) UN(i)
#define FI(i) ENTRY(i##_S) ENTRY(i##_A)
#define IF(i) FI(i)
#define LOAD(i, type) UN(i) ENTRY(i##_P)
#define FLOAD(i, type) LOAD(i, type)
#define STORE(i, type)                                                                             \
    ENTRY(i##_SS) ENTRY(i##_SA) ENTRY(i##_SI) ENTRY(i##_AS) ENTRY(i##_AI) ENTRY(i##_P)
#define FSTORE(i, type) ENTRY(i##_SA) ENTRY(i##_AA)
#define FIELD(i, type) UN(i)
#define FIELD_SET(i, type) ENTRY(i##_SS) ENTRY(i##_SA)
#define ELEMENT(i, type) ENTRY(i##_SS) ENTRY(i##_SA)
#define ELEMENT_SET(i, type) ENTRY(i)
#define PLAIN(i) ENTRY(i)
#define ENTRIES_NONE(i) ENTRY(i) NO_ENTRY(i##_P)
#define ENTRIES_SHUFFLE(i) ENTRIES_NONE(i)
#define ENTRIES_LANE2(i) ENTRIES_NONE(i)
#define ENTRIES_LANE4(i) ENTRIES_NONE(i)
#define ENTRIES_LANE8(i) ENTRIES_NONE(i)
#define ENTRIES_LANE16(i) ENTRIES_NONE(i)
#define ENTRIES_V128(i) NO_ENTRY(i) NO_ENTRY(i##_P)
#define ENTRIES_MEM0(i) ENTRY(i) ENTRY(i##_P)
#define ENTRIES_MEM1(i) ENTRIES_MEM0(i)
#define ENTRIES_MEM2(i) ENTRIES_MEM0(i)
#define ENTRIES_MEM3(i) ENTRIES_MEM0(i)
#define ENTRIES_MEM4(i) ENTRIES_MEM0(i)
#define ENTRIES_MEMLANE0(i) ENTRIES_MEM0(i)
#define ENTRIES_MEMLANE1(i) ENTRIES_MEM0(i)
#define ENTRIES_MEMLANE2(i) ENTRIES_MEM0(i)
#define ENTRIES_MEMLANE3(i) ENTRIES_MEM0(i)
#define VECTOR(i, immediate, signature) ENTRIES_##immediate(i)
#include "wasm/code_families.h"
#undef ENTRY
#undef NO_ENTRY
#undef ENTRIES_NONE
#undef ENTRIES_SHUFFLE
#undef ENTRIES_LANE2
#undef ENTRIES_LANE4
#undef ENTRIES_LANE8
#undef ENTRIES_LANE16
#undef ENTRIES_V128
#undef ENTRIES_MEM0
#undef ENTRIES_MEM1
#undef ENTRIES_MEM2
#undef ENTRIES_MEM3
#undef ENTRIES_MEM4
#undef ENTRIES_MEMLANE0
#undef ENTRIES_MEMLANE1
#undef ENTRIES_MEMLANE2
#undef ENTRIES_MEMLANE3
