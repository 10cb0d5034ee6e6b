/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled code as the engine of the tests: every module is compiled, written as a file, read back,
 * loaded and vouched for. Hosted only; without LLVM there is none.
 */
#ifndef ALC_TESTS_SPEC_NATIVE_H
#define ALC_TESTS_SPEC_NATIVE_H

#include "spec/spec_buffer.h"
#include "spec/spec_core.h"

/* NULL when there is no compiler, or this machine cannot run compiled code. */
const struct alc_spec_engine *spec_native_engine(void);
/* For modules compiled from now on, in this process and its children. is_wide: with what this
 * processor has beyond x86-64-v2. */
void spec_native_prepare(unsigned level, bool is_wide);
/* The native image of the module in `module`, in its place, for an enclave that has no compiler. A
 * module that cannot be loaded stays as it is: that is what its test is about. */
void spec_native_replace(struct spec_buffer *module, uint64_t features, uint32_t flags);
/* Prints how many modules of each shape the engine loaded, and how much of them is code. */
void spec_native_print(void);

#endif
