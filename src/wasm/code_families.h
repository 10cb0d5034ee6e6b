/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: expands the rows of code.def, then VECTOR(ident, immediate,
 * signature) for each SIMD row of ops.def, with the macros that the includer defined (a family
 * that he did not define is left out); undefines them all. Every table of operations is made
 * through here, so that all have the same order.
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
#ifndef ICMP
#define ICMP(i, swapped, inverse)
#endif
#ifndef UN
#define UN(i)
#endif
#ifndef FBIN
#define FBIN(i)
#endif
#ifndef FCMP
#define FCMP(i)
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
#ifndef STORE
#define STORE(i, type)
#endif
#ifndef FSTORE
#define FSTORE(i, type)
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
#define VECTOR(i, immediate, signature)
#endif
#include "wasm/code.def"

#define CODE_OF_MVP(i, m, s)
#define CODE_OF_SIGN_EXT(i, m, s)
#define CODE_OF_SAT(i, m, s)
#define CODE_OF_BULK(i, m, s)
#define CODE_OF_REFERENCES(i, m, s)
#define CODE_OF_SIMD(i, m, s) VECTOR(i, m, s)
#define CODE_OF_RELAXED_SIMD(i, m, s) VECTOR(i, m, s)
#define CODE_OF_TAIL_CALL(i, m, s)
#define CODE_OF_FUNCTION_REFERENCES(i, m, s)
#define CODE_OF_GC(i, m, s)
#define CODE_OF_EXCEPTIONS(i, m, s)
#define CODE_OF_LEGACY_EXCEPTIONS(i, m, s)
#define CODE_OF_THREADS(i, m, s)
#define CODE_OF_WIDE_ARITHMETIC(i, m, s)
#define OP(code, ident, text, immediate, signature, feature)                                       \
    CODE_OF_##feature(ident, immediate, signature)
#include "wasm/ops.def"
#undef OP
#undef CODE_OF_MVP
#undef CODE_OF_SIGN_EXT
#undef CODE_OF_SAT
#undef CODE_OF_BULK
#undef CODE_OF_REFERENCES
#undef CODE_OF_SIMD
#undef CODE_OF_RELAXED_SIMD
#undef CODE_OF_TAIL_CALL
#undef CODE_OF_FUNCTION_REFERENCES
#undef CODE_OF_GC
#undef CODE_OF_EXCEPTIONS
#undef CODE_OF_LEGACY_EXCEPTIONS
#undef CODE_OF_THREADS
#undef CODE_OF_WIDE_ARITHMETIC

#undef CBIN
#undef NBIN
#undef DIVISION
#undef ICMP
#undef UN
#undef FBIN
#undef FCMP
#undef FRARE
#undef FUN
#undef FI
#undef IF
#undef LOAD
#undef FLOAD
#undef STORE
#undef FSTORE
#undef FIELD
#undef FIELD_SET
#undef ELEMENT
#undef ELEMENT_SET
#undef PLAIN
#undef VECTOR
