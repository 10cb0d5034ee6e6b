/* SPDX-License-Identifier: Apache-2.0
 *
 * The name section (spec appendix 7.4.1), read lazily and never fatal: a damaged one has no names.
 */
#ifndef ALC_WASM_NAMES_H
#define ALC_WASM_NAMES_H

#include "wasm/module.h"

/* Name of the module; false when it has none. */
bool alc_name_find_module(const struct alc_module *module, struct alc_name *out);
/* Name of a function: from the name section, else the first export under which it is visible, else
 * the name under which it is imported; false when it has none. Takes time in the size of the name
 * section: for backtraces, not for loops. */
bool alc_name_find_function(const struct alc_module *module, uint32_t function_index,
                            struct alc_name *out);

#endif
