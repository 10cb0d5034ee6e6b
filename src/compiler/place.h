/* SPDX-License-Identifier: Apache-2.0
 *
 * The linker: the code of all units becomes one image, in which every displacement is final.
 */
#ifndef ALC_COMPILER_PLACE_H
#define ALC_COMPILER_PLACE_H

#include "compiler/object.h"
#include "wasm/module.h"

/* Fills code, constants, functions, stubs and lines of *out, all on the heap, from the units of
 * `module` in their order, which is that of its functions; the last of them defines helpers when
 * `helpers_count` is not 0. `shape` decides whether the context's
 * disguise (target.h) is taken off. ALC_E_OUT_OF_MEMORY, ALC_E_LIMIT_… when it is too large,
 * ALC_E_INTERNAL. */
ALC_MUST_CHECK alc_status alc_place(const struct alc_module *module, enum alc_native_shape shape,
                                    const struct alc_object *units, uint32_t units_count,
                                    uint32_t helpers_count, struct alc_native_image *out,
                                    struct alc_error *error);

#endif
