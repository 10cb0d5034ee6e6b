/* SPDX-License-Identifier: Apache-2.0
 *
 * What a module's instructions demand of the image's shape and options.
 */
#ifndef ALC_COMPILER_SHAPE_H
#define ALC_COMPILER_SHAPE_H

#include "wasm/module.h"

/* Whether any instruction of exceptions is there: then code is made with ALC_NATIVE_CATCHES. */
bool alc_shape_throws(const struct alc_module *module);

#endif
