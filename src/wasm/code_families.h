/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: expands the rows of code.def with the macros that the includer
 * defined (a family that he did not define is left out); undefines them all. Every table of
 * operations is made through here, so that all have the same order.
 */
#ifndef CBIN
#define CBIN(i)
#endif
#ifndef NBIN
#define NBIN(i)
#endif
#ifndef DIVISION
#define DIVISION(i)
#endif
#ifndef ROTATE
#define ROTATE(i)
#endif
#ifndef ICMP
#define ICMP(i, swapped, inverse)
#endif
#ifndef UN
#define UN(i)
#endif
#ifndef UNRARE
#define UNRARE(i)
#endif
#ifndef FCBIN
#define FCBIN(i)
#endif
#ifndef FBIN
#define FBIN(i)
#endif
#ifndef FCMP
#define FCMP(i)
#endif
#ifndef FORDER
#define FORDER(i, swapped)
#endif
#ifndef FRARE
#define FRARE(i)
#endif
#ifndef FUN
#define FUN(i)
#endif
#ifndef FI
#define FI(i)
#endif
#ifndef IF
#define IF(i)
#endif
#ifndef LOAD
#define LOAD(i, type)
#endif
#ifndef FLOAD
#define FLOAD(i, type)
#endif
#ifndef INDEXED
#define INDEXED(i, type)
#endif
#ifndef FINDEXED
#define FINDEXED(i, type)
#endif
#ifndef ABSOLUTE
#define ABSOLUTE(i, type)
#endif
#ifndef FPAIR
#define FPAIR(i, first, second)
#endif
#ifndef CHOOSE
#define CHOOSE(i)
#endif
#ifndef STEP
#define STEP(i)
#endif
#ifndef STORE
#define STORE(i, type)
#endif
#ifndef FSTORE
#define FSTORE(i, type)
#endif
#ifndef PACKED
#define PACKED(i, type)
#endif
#ifndef FIELD
#define FIELD(i, type)
#endif
#ifndef FIELD_SET
#define FIELD_SET(i, type)
#endif
#ifndef ELEMENT
#define ELEMENT(i, type)
#endif
#ifndef ELEMENT_SET
#define ELEMENT_SET(i, type)
#endif
#ifndef PLAIN
#define PLAIN(i)
#endif
#ifndef VECTOR
#define VECTOR(i, shape)
#endif
#include "wasm/code.def"

#undef CBIN
#undef NBIN
#undef DIVISION
#undef ROTATE
#undef ICMP
#undef UN
#undef UNRARE
#undef FCBIN
#undef FBIN
#undef FCMP
#undef FORDER
#undef FRARE
#undef FUN
#undef FI
#undef IF
#undef LOAD
#undef FLOAD
#undef INDEXED
#undef FINDEXED
#undef ABSOLUTE
#undef FPAIR
#undef CHOOSE
#undef STEP
#undef STORE
#undef FSTORE
#undef FIELD
#undef PACKED
#undef FIELD_SET
#undef ELEMENT
#undef ELEMENT_SET
#undef PLAIN
#undef VECTOR
