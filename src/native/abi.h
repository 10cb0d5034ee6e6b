/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiled code and the code around it agree on: the x86-64 calling convention, the context at
 * GS, stubs and traps. The compiler follows it, the verifier enforces what isolation needs of it,
 * native_exec/ supplies the other side. Why it is so: docs/decisions/0010-native-code.md. A
 * constant that changes changes ALC_NATIVE_ABI_VERSION.
 *
 * Shapes
 *   confined   GS is the base of the instance's own 32-bit memory. Memory is touched by
 *              `gs:[r32 + r32 * s + d32]` with 32-bit address size, the context by `gs:[-d]` with
 *              64-bit address size. Nothing else is reachable, whatever the registers hold.
 *   checked    GS is the end of the instance's context; memories and all else are reached by
 *              ordinary addresses. Runs only when somebody vouches for it.
 *
 * Functions. The System V convention (rbx, rbp, r12 to r15 are the caller's; the stack is aligned
 * to 16 bytes at a call), without stack-passed arguments: integers and references take rdi rsi rdx
 * rcx r8 r9, floating values and vectors xmm0 to xmm7, in the order of the type; what finds none
 * left stands in the context's slots from 0 on, in the order of the type, a v128 in two. One result
 * is returned in rax or xmm0; several stand all in the slots from 0 on. An i32 has undefined upper
 * bits. Whoever reads slots does so before anything else may use them.
 * No red zone, no frame pointer, no indirect jumps, no jump tables.
 */
#ifndef ALC_NATIVE_ABI_H
#define ALC_NATIVE_ABI_H

#include "base/compiler.h"

enum {
    ALC_NATIVE_ABI_VERSION = 2,

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
    /* u64, checked shape only (0 otherwise): address of an array of addresses, one for each memory
     * by its index, of records that begin with two u64: the memory's base, which never changes, and
     * its size in bytes. For all memories but 0, and for 0 where others may change its size. */
    ALC_NATIVE_MEMORIES = 288,
    /* u64, checked shape only (0 otherwise), addresses of: the thread's innermost struct
     * alc_native_roots; the u32 that is ALC_NATIVE_MARKING while the collector marks; the u32
     * canonical ids of the module's types, by type index; the u64 addresses of the instance's tags,
     * by tag index. */
    ALC_NATIVE_ROOTS = 296,
    ALC_NATIVE_PHASE = 304,
    ALC_NATIVE_TYPES = 312,
    ALC_NATIVE_TAGS = 320,
    /* The same, of the place of the address of an array: addresses of struct alc_native_type, by
     * canonical id. */
    ALC_NATIVE_REGISTRY = 328,
    /* The same, of an array of addresses of struct alc_native_block, by size class; 0: none. */
    ALC_NATIVE_BLOCKS = 336,
    /* Slots: slot i is the 8 bytes at -ALC_NATIVE_SLOTS + 8 * i. */
    ALC_NATIVE_SLOTS_COUNT = 2048,
    ALC_NATIVE_SLOTS = ALC_NATIVE_READ_ONLY_END + 8 * ALC_NATIVE_SLOTS_COUNT,
    ALC_NATIVE_REFERENCE_SLOT = ALC_NATIVE_SLOTS_COUNT - 1,
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

/* -- objects and exceptions, checked shape only -- */

/* While this is the collector's phase, code hands a reference in an object to the runtime
 * (operation STRUCT_SET) before it overwrites it. */
enum { ALC_NATIVE_MARKING = 1 };

/* What code reads of a type: a struct alc_type of wasm/types.h. `supers` are canonical ids from the
 * root down to the type itself at `depth`. */
struct alc_native_type {
    uint32_t unused[4];
    const uint32_t *supers;
    uint8_t depth;
    uint8_t reserved[3];
    uint32_t kind; /* enum alc_composite_kind */
};

/* What code does with a block of the collector's heap (exec/heap_internal.h) while that does not
 * mark: takes the first free place in the word of `allocated` at `cursor`, when there is one, for
 * an object of ALC_NATIVE_SMALL_MAX bytes or less, header included. Objects of size class c have
 * ALC_NATIVE_GRANULE * (c + 1) bytes each and stand behind the block's header. */
struct alc_native_block {
    uint64_t unused[3];
    uint32_t objects_count;
    uint32_t reserved[2];
    uint32_t cursor;
    uint32_t more[2];
    uint64_t allocated[32];
    uint64_t marks[64];
};
enum { ALC_NATIVE_GRANULE = 16, ALC_NATIVE_SMALL_MAX = 128 };

/* A frame of the shadow stack, in the frame of a function: references (or null) that it needs
 * behind a call that may collect. A function that returns takes its frame off; when functions end
 * in another way, whoever called into the instance does. */
struct alc_native_roots {
    struct alc_native_roots *outer;
    uint64_t count;
    uint64_t references[];
};

/* Exceptions (ALC_NATIVE_CATCHES of image.h). A function that lets one pass leaves it in the word
 * EXCEPTION and returns, with whatever results; after each call the caller looks at the word, and
 * sets it to 0 where it catches. Code without that option never looks. */

/* Bytes of a context with so many globals of the module's own: a multiple of 4096. */
static inline uint64_t alc_native_context_size(uint32_t globals_count)
{
    uint64_t size = ALC_NATIVE_WORDS + (uint64_t)ALC_NATIVE_GLOBAL_SIZE * globals_count;
    return (size + 4095) & ~UINT64_C(4095);
}

/* -- stubs: trusted code in front of the module's, at fixed places -- */

/* The image is [stubs | code], so stub i is called at code - ALC_NATIVE_STUB_SIZE * (count - i).
 * The loader writes it from its row. Stubs clobber what a call may; r10 too. */
enum { ALC_NATIVE_STUB_SIZE = 32, ALC_NATIVE_STUBS_MAX = 1 << 20 };

enum alc_native_stub_kind {
    /* a: function index of an import. Called like the import. */
    ALC_NATIVE_STUB_IMPORT,
    /* a: table, b: type index. Called like a function of the type, with the element's index in r10
     * (of a 32-bit table: in r10d). */
    ALC_NATIVE_STUB_INDIRECT,
    /* a: type index. The same, with a function reference in r10; in the confined shape in slot
     * ALC_NATIVE_REFERENCE_SLOT, because there LLVM gives r10 only 32 bits. */
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

/* A trap that code decides on is `ud1 eax, [eax + number]` (LLVM's ubsantrap): 67 0F B9 40 nn, nn
 * of enum alc_native_trap, or for number 0 also the shorter 67 0F B9 00, which is what LLVM writes.
 * An access outside memory faults. */
enum alc_native_trap {
#define TRAP(ident) ALC_NATIVE_TRAP_##ident,
#include "native/traps.def"
#undef TRAP
    ALC_NATIVE_TRAPS_COUNT
};

/* Where a memory is 32 bits wide, is confined or has guard pages, and a static offset is below
 * this, an index of 2^32 - this or more is out of bounds whatever the size: no such memory has more
 * than 65,535 pages. So code compares the index with one constant, or not at all when the offset is
 * 0. */
#define ALC_NATIVE_GUARD_SIZE 0x10000

#endif
