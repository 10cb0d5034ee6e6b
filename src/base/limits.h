/* SPDX-License-Identifier: Apache-2.0
 *
 * Named constants ALC_LIMIT_<ident> from the rows of limits.def.
 */
#ifndef ALC_BASE_LIMITS_H
#define ALC_BASE_LIMITS_H

#include "base/compiler.h"

enum {
#define LIMIT(ident, value, unit, text) ALC_LIMIT_##ident = (value),
#include "base/limits.def"
#undef LIMIT
};

#endif
