/* SPDX-License-Identifier: Apache-2.0
 *
 * Every encoding of a systematic set, with random displacements and immediates.
 */
#ifndef ALC_TESTS_ENUMERATE_H
#define ALC_TESTS_ENUMERATE_H

#include <stdint.h>

/* `bytes`: ALC_X86_WINDOW_SIZE of them. */
typedef void enumerate_visit(void *context, const uint8_t *bytes);

/* The encodings whose opcode is `shard` modulo `shards`:
 *   without VEX: gs or not, 32-bit address or not, no prefix or 66 or F2 or F3, no REX or one of
 * 16, one of four maps, opcode, ModRM, SIB; with VEX of two bytes: gs or not, 32-bit address or
 * not, second byte, opcode, ModRM, SIB; with VEX of three bytes: neither gs nor 32-bit address or
 * both, R X B, one of three maps, W, four values of vvvv, L, pp, opcode, ModRM, 16 values of SIB.
 */
void enumerate(uint64_t *state, uint32_t shard, uint32_t shards, enumerate_visit *visit,
               void *context);

#endif
