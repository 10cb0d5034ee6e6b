/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in the object files of units.
 */
#include "compiler/symbols.h"

#include <stdio.h>
#include <stdlib.h>

void alc_symbol_write_definition(char out[ALC_SYMBOL_SIZE], uint32_t function_index)
{
    (void)snprintf(out, ALC_SYMBOL_SIZE, "d%u", function_index);
}

void alc_symbol_write_function(char out[ALC_SYMBOL_SIZE], uint32_t function_index, bool is_tail)
{
    (void)snprintf(out, ALC_SYMBOL_SIZE, "%c%u", is_tail ? 't' : 'f', function_index);
}

void alc_symbol_write_stub(char out[ALC_SYMBOL_SIZE], const struct alc_native_stub *stub,
                           bool is_tail)
{
    (void)snprintf(out, ALC_SYMBOL_SIZE, "%c%u.%u.%u.%u", is_tail ? 'u' : 's', stub->kind, stub->a,
                   stub->b, stub->c);
}

/* Reads `count` numbers with dots between them, and the end. */
static bool parse_numbers(const char *text, uint32_t *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char *end;
        if (*text < '0' || *text > '9') {
            return false;
        }
        out[i] = (uint32_t)strtoul(text, &end, 10);
        if (*end != (i + 1 < count ? '.' : '\0')) {
            return false;
        }
        text = end + 1;
    }
    return true;
}

bool alc_symbol_parse(const char *name, struct alc_symbol *out)
{
    uint32_t numbers[4];
    *out = (struct alc_symbol){0};
    switch (name[0]) {
    case 'd':
        out->kind = ALC_SYMBOL_DEFINITION;
        return parse_numbers(name + 1, &out->function_index, 1);
    case 'f':
    case 't':
        out->kind = ALC_SYMBOL_FUNCTION;
        return parse_numbers(name + 1, &out->function_index, 1);
    case 's':
    case 'u':
        out->kind = ALC_SYMBOL_STUB;
        if (!parse_numbers(name + 1, numbers, 4)) {
            return false;
        }
        out->stub = (struct alc_native_stub){
            .kind = numbers[0], .a = numbers[1], .b = numbers[2], .c = numbers[3]};
        return true;
    default:
        return false;
    }
}
