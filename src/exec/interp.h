/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter: runs code that validation emitted (wasm/code.h) on the frame stack of a thread.
 * WebAssembly calls use no C stack; only a host function that calls back in nests.
 */
#ifndef ALC_EXEC_INTERP_H
#define ALC_EXEC_INTERP_H

#include "exec/executor.h"
#include "wasm/code.h"

/* For struct alc_store_options. */
extern const struct alc_executor alc_interp_executor;

/* Targets for alc_load_options: plain, and with the two options. The pointer is valid for ever. */
const struct alc_code_target *alc_interp_target(bool metered, bool interruptible);

/* Calls `function` (WebAssembly or host) with parameters_slots slots of `arguments` above the
 * stack_top of the store's thread; results_slots slots come back in `results` (i32 and f32 with the
 * upper half zero). On failure thread->trap is filled (status, and unless the program ended itself
 * the backtrace, innermost first) and `results` is untouched. thread->stack_top is restored. */
ALC_MUST_CHECK alc_status alc_interp_call(struct alc_store *store, struct alc_function *function,
                                          const uint64_t *arguments, uint64_t *results);

#endif
