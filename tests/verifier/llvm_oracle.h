/* SPDX-License-Identifier: Apache-2.0
 *
 * What LLVM's disassembler says about an instruction: how long it is, and by the text, how it
 * addresses memory, what it writes last, and where control goes.
 */
#ifndef ALC_TESTS_LLVM_ORACLE_H
#define ALC_TESTS_LLVM_ORACLE_H

#include "native/x86_decode.h"

/* NULL when the text agrees with `decoded`, else what does not. `text` keeps the instruction. */
const char *llvm_compare(const uint8_t *bytes, const struct alc_x86_instruction *decoded,
                         char *text, size_t text_size);

#endif
