/* SPDX-License-Identifier: Apache-2.0
 *
 * What Zydis says about an instruction, in the words of native/x86_decode.h. It shares no table and
 * no code with our decoder.
 */
#ifndef ALC_TESTS_ZYDIS_ORACLE_H
#define ALC_TESTS_ZYDIS_ORACLE_H

#include "native/x86_decode.h"

/* NULL, or why no code may contain the instruction that `bytes` begin with. */
const char *zydis_decode(const uint8_t *bytes, size_t size, struct alc_x86_instruction *out);

/* NULL when both say the same of one instruction, else the name of the first field that differs. */
const char *first_difference(const struct alc_x86_instruction *a,
                             const struct alc_x86_instruction *b);

/* The instruction as text. */
void zydis_print(const uint8_t *bytes, size_t size, char *text, size_t text_size);

#endif
