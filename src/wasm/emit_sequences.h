/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequences: operations that follow each other and have one handler for them all
 * (code_sequences.def). The units stay what they are: only the first operation begins with the
 * handler of the sequence, which finds the operands of all where they are. So each operation may be
 * branched to, trap, and be the first of another sequence.
 */
#ifndef ALC_WASM_EMIT_SEQUENCES_H
#define ALC_WASM_EMIT_SEQUENCES_H

#include "wasm/code.h"

/* Operations of the longest sequence. */
#define ALC_SEQUENCE_MAX 3

/* What is known of the operations behind the one at hand while a function is walked from its end:
 * the next ones first. */
struct alc_sequence_window {
    uint16_t codes[ALC_SEQUENCE_MAX - 1];
    uint32_t costs[ALC_SEQUENCE_MAX]; /* jumps from there on to the function's end */
};

/* The end of a function. */
#define ALC_SEQUENCE_END                                                                           \
    {                                                                                              \
        .codes = { ALC_CODE_COUNT, ALC_CODE_COUNT }                                                \
    }

#if ALC_CODE_SEQUENCES
/* The handler for the operation `code` before those of the window, which it then is the first of:
 * its own or that of the sequence that leaves the fewest jumps. */
uint32_t alc_sequence_choose(struct alc_sequence_window *window, uint32_t code);
#else
static inline uint32_t alc_sequence_choose(struct alc_sequence_window *window, uint32_t code)
{
    (void)window;
    return code;
}
#endif

#endif
