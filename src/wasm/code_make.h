/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the code of functions when they are called for the first time, and tells which function an
 * address in code belongs to. Large programs call a small part of their functions: validating all
 * and emitting few makes them start sooner and smaller.
 *
 * Threads: one at a time makes code in a heap, the others wait. Code is complete before its address
 * is stored, in one release store, so that calls need no lock.
 */
#ifndef ALC_WASM_CODE_MAKE_H
#define ALC_WASM_CODE_MAKE_H

#include "wasm/code.h"
#include "wasm/module.h"

struct alc_validator;

/* For alc_module_load, once all bodies have been validated by `validator`, which is kept: gives
 * every defined function its struct alc_code, and with options->is_eager its code too.
 * ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_code_maker_new(struct alc_arena *arena, struct alc_module *module,
                                             const struct alc_load_options *options,
                                             struct alc_validator *validator);

/* Makes the code of a function of `module`, unless somebody else just did. ALC_E_OUT_OF_MEMORY: the
 * heap is full, nothing has changed, and it may be tried again. */
ALC_MUST_CHECK alc_status alc_code_make(const struct alc_module *module, struct alc_code *code);

/* The function of `module` whose code holds `unit`, or NULL. */
const struct alc_code *alc_code_find(const struct alc_module *module, const uint16_t *unit);

#endif
