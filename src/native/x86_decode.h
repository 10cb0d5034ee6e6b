/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes one x86-64 instruction of those that compiled code may consist of (x86.def). It decides
 * everything that can be decided from the instruction alone: what is not in the table, what is
 * encoded otherwise than the compiler does, and what writes the stack pointer in any way but the
 * ones that struct alc_x86_instruction can say, has no decoding. Where memory is touched and where
 * control goes is told to the caller, who judges it (verifier.c).
 */
#ifndef ALC_NATIVE_X86_DECODE_H
#define ALC_NATIVE_X86_DECODE_H

#include "base/compiler.h"

/* How control goes on, for those that do anything but go on. */
enum alc_x86_flow {
    ALC_X86_NEXT,
    ALC_X86_BRANCH, /* jcc: to the target or on */
    ALC_X86_JUMP,
    ALC_X86_CALL,
    ALC_X86_RETURN,
    ALC_X86_STOP, /* ud2, ud1: never goes on */
};

/* How the operand in memory is addressed. */
enum alc_x86_memory {
    ALC_X86_NO_MEMORY,
    ALC_X86_WINDOW,   /* gs:, 32-bit address: base, index, scale and displacement of any value */
    ALC_X86_GS,       /* gs:[displacement], sign-extended */
    ALC_X86_STACK,    /* [rsp + displacement] */
    ALC_X86_RELATIVE, /* [the next instruction + displacement] */
    ALC_X86_ANYWHERE, /* all other forms: only code that somebody vouches for has them */
};

struct alc_x86_instruction {
    uint8_t length;
    uint8_t flow;        /* enum alc_x86_flow */
    uint8_t memory;      /* enum alc_x86_memory */
    uint8_t access_size; /* bytes touched there */
    bool is_store;       /* writes there (and may read) */
    bool is_vex;         /* needs ALC_NATIVE_V3 */
    bool is_checked;     /* atomic: not in confined code */
    /* Of memory, or of control from the end of the instruction, or a trap's number. */
    int32_t displacement;
    int32_t pushed; /* how far the stack pointer moves down */
};

/* Bytes that alc_x86_decode may read, whatever the length turns out to be. */
enum { ALC_X86_WINDOW_SIZE = 16, ALC_X86_LENGTH_MAX = 15 };

/* NULL when `bytes` (ALC_X86_WINDOW_SIZE of them MUST be readable) begin with an instruction, else
 * the reason why they do not, a constant; *out is then undefined. */
const char *alc_x86_decode(const uint8_t *bytes, struct alc_x86_instruction *out);

#endif
