/* SPDX-License-Identifier: Apache-2.0
 *
 * Names by which the object files of units say what they mean (unit.h): how they are written and
 * read.
 */
#ifndef ALC_COMPILER_SYMBOLS_H
#define ALC_COMPILER_SYMBOLS_H

#include "native/abi.h"

enum { ALC_SYMBOL_SIZE = 64 };

enum alc_symbol_kind {
    ALC_SYMBOL_DEFINITION, /* d<n> */
    ALC_SYMBOL_FUNCTION,   /* f<n>, or as a tail call t<n> */
    ALC_SYMBOL_STUB,       /* s<kind>.<a>.<b>.<c>, or as a tail call u<…> */
};

struct alc_symbol {
    enum alc_symbol_kind kind;
    uint32_t function_index;
    struct alc_native_stub stub;
};

void alc_symbol_write_definition(char out[ALC_SYMBOL_SIZE], uint32_t function_index);
void alc_symbol_write_function(char out[ALC_SYMBOL_SIZE], uint32_t function_index, bool is_tail);
void alc_symbol_write_stub(char out[ALC_SYMBOL_SIZE], const struct alc_native_stub *stub,
                           bool is_tail);
/* False when it is none of ours. */
ALC_MUST_CHECK bool alc_symbol_parse(const char *name, struct alc_symbol *out);

#endif
