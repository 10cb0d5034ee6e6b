/* SPDX-License-Identifier: Apache-2.0
 *
 * Random encodings, most of them valid: every row of x86.def with random prefixes, ModRM, SIB,
 * displacement and immediate, some of them spoilt afterwards. Reproducible from a seed.
 */
#ifndef ALC_TESTS_GENERATE_H
#define ALC_TESTS_GENERATE_H

#include "native/x86_decode.h"

/* xorshift64*; `state` MUST not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* A number below `limit`. */
static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((random_next(state) >> 32) * limit >> 32);
}

/* Fills `bytes` (ALC_X86_WINDOW_SIZE of them). */
void generate_instruction(uint64_t *state, uint8_t *bytes);

/* The same, but memory is addressed as confined code may: by the window, the context, the frame. */
void generate_confined(uint64_t *state, uint8_t *bytes);

/* What distinguishes opcodes: VEX or not, map, prefix, opcode and ModRM.reg. */
enum { ENCODING_SLOTS = 2 * 4 * 4 * 256 * 8 };
uint32_t encoding_slot(const uint8_t *bytes);

/* Changes some of `size` bytes: bits, bytes, or moves them. */
void spoil(uint64_t *state, uint8_t *bytes, uint32_t size);

#endif
