/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiled code and the code around it agree on: the x86-64 calling convention, the context at
 * GS, stubs and traps. The compiler follows it, the verifier enforces what isolation needs of it,
 * native_exec/ supplies the other side. Why it is so: docs/decisions/0010-native-code.md. A constant
 * that changes changes ALC_NATIVE_ABI_VERSION.
 *
 * Shapes
 *   confined   GS is the base of the instance's own 32-bit memory. Memory is touched by
 *              `gs:[r32 + r32 * s + d32]` with 32-bit address size, the context by `gs:[-d]` with
 *              64-bit address size. Nothing else is reachable, whatever the registers hold.
 *   checked    GS is the end of the instance's context; memories and all else are reached by
 *              ordinary addresses. Runs only when somebody vouches for it.
 *
 * Functions. The System V convention (rbx, rbp, r12 to r15 are the caller's; the stack is aligned to
 * 16 bytes at a call), without stack-passed arguments: integers and references take rdi rsi rdx rcx
 * r8 r9, floating values and vectors xmm0 to xmm7, in the order of the type; what finds none left
 * stands in the context's slots from 0 on, in the order of the type, a v128 in two. One result is
 * returned in rax or xmm0; several stand all in the slots from 0 on. An i32 has undefined upper
 * bits. Whoever reads slots does so before anything else may use them.
 * No red zone, no frame pointer, no indirect jumps, no jump tables.
 */
#ifndef ALC_NATIVE_ABI_H
#define ALC_NATIVE_ABI_H

#include "base/compiler.h"

enum {
    ALC_NATIVE_ABI_VERSION = 1,

    ALC_NATIVE_INTEGER_ARGUMENTS = 6,
    ALC_NATIVE_VECTOR_ARGUMENTS = 8,

    /* The largest frame of a function: its own bytes below its return address. Below the stack lies
     * a guard larger than this. */
    ALC_NATIVE_FRAME_MAX = 512 * 1024,
    ALC_NATIVE_STACK_GUARD = 1024 * 1024,
};

/* -- the context: bytes below GS -- */
enum {
    /* [-256, 0): of native_exec alone; code may not touch it. */
    ALC_NATIVE_PRIVATE_SIZE = 256,
    /* [-512, -256): words that code may read. */
    ALC_NATIVE_READ_ONLY_END = 512,
    ALC_NATIVE_MEMORY_SIZE = 264, /* u64 at -264: bytes of memory 0 */
    /* u64, checked shape only (0 otherwise): address of struct alc_instance, base of memory 0. Code
     * may assume that the base never changes. */
    ALC_NATIVE_INSTANCE = 272,
    ALC_NATIVE_MEMORY_BASE = 280,
    /* Slots: slot i is the 8 bytes at -ALC_NATIVE_SLOTS + 8 * i. */
    ALC_NATIVE_SLOTS_COUNT = 2048,
    ALC_NATIVE_SLOTS = ALC_NATIVE_READ_ONLY_END + 8 * ALC_NATIVE_SLOTS_COUNT,
    /* Words that code may read and write, 64 of them: word i is the 8 bytes at
     * -ALC_NATIVE_WORDS + 8 * i. */
    ALC_NATIVE_WORDS = ALC_NATIVE_SLOTS + 512,
    /* Globals that the module defines, by number among those: 16 bytes each, global i at
     * -ALC_NATIVE_WORDS - 16 * (i + 1). In the confined shape those of reference types do not stand
     * here (their 16 bytes are unused). */
    ALC_NATIVE_GLOBAL_SIZE = 16,
};

/* enum alc_native_word: indices of words. */
enum alc_native_word {
    ALC_NATIVE_WORD_FUEL,      /* left; less than 0 after a charge: trap OUT_OF_FUEL */
    ALC_NATIVE_WORD_STOP,      /* u32, not 0: trap DEADLINE at the next look */
    ALC_NATIVE_WORD_EXCEPTION, /* checked shape: the exception in flight, a reference or 0 */
    ALC_NATIVE_WORDS_USED,
};

/* Bytes of a context with so many globals of the module's own: a multiple of 4096. */
static inline uint64_t alc_native_context_size(uint32_t globals_count)
{
    uint64_t size = ALC_NATIVE_WORDS + (uint64_t)ALC_NATIVE_GLOBAL_SIZE * globals_count;
    return (size + 4095) & ~UINT64_C(4095);
}

/* -- stubs: trusted code in front of the module's, at fixed places -- */

/* The image is [stubs | code], so stub i is called at code - ALC_NATIVE_STUB_SIZE * (count - i). The
 * loader writes it from its row. Stubs clobber what a call may; r10 too. */
enum { ALC_NATIVE_STUB_SIZE = 32, ALC_NATIVE_STUBS_MAX = 1 << 20 };

enum alc_native_stub_kind {
    /* a: function index of an import. Called like the import. */
    ALC_NATIVE_STUB_IMPORT,
    /* a: table, b: type index. Called like a function of the type, with the element's index in r10
     * (of a 32-bit table: in r10d). */
    ALC_NATIVE_STUB_INDIRECT,
    /* a: type index. The same, with a function reference in r10. */
    ALC_NATIVE_STUB_REFERENCE,
    /* a: enum alc_op, b and c: its immediates in the order of the binary format, 0 where there are
     * none. Operands stand in the slots from 0 on, results too (v128 in two). Which instructions
     * there are: native/operations.def. */
    ALC_NATIVE_STUB_OPERATION,
    ALC_NATIVE_STUB_KINDS,
};

struct alc_native_stub {
    uint32_t kind;
    uint32_t a;
    uint32_t b;
    uint32_t c;
};

/* -- traps -- */

/* A trap that code decides on is `ud1 eax, [eax + number]` (67 0F B9 40 nn; LLVM's ubsantrap), nn of
 * enum alc_native_trap. An access outside memory faults. */
enum alc_native_trap {
#define TRAP(ident) ALC_NATIVE_TRAP_##ident,
#include "native/traps.def"
#undef TRAP
    ALC_NATIVE_TRAPS_COUNT
};

/* Where a memory is 32 bits wide, is confined or has guard pages, and a static offset is below this,
 * an index of 2^32 - this or more is out of bounds whatever the size: no such memory has more than
 * 65,535 pages. So code compares the index with one constant, or not at all when the offset is 0. */
#define ALC_NATIVE_GUARD_SIZE 0x10000

#endif
