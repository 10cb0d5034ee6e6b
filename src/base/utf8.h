/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 validity as the binary format of WebAssembly asks for it (spec 5.2.4; Unicode 15, table
 * 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
#ifndef ALC_BASE_UTF8_H
#define ALC_BASE_UTF8_H

#include "base/compiler.h"

bool alc_utf8_is_valid(const uint8_t *bytes, size_t size);

#endif
