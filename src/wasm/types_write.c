/* SPDX-License-Identifier: Apache-2.0
 *
 * Types as text, for `alcove inspect` and messages.
 */
#include "base/bytes.h"
#include "wasm/types.h"

static void write_text(struct alc_writer *writer, const char *text)
{
    alc_write_bytes(writer, text, alc_string_length(text));
}

static void write_decimal(struct alc_writer *writer, uint32_t value)
{
    char digits[10];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    alc_write_bytes(writer, digits + at, sizeof digits - at);
}

/* By enum alc_heap, from ALC_HEAP_FUNC on: the heap type, and (ref null of it). */
static const char HEAP_NAMES[][2][14] = {
    {"func", "funcref"},     {"nofunc", "nullfuncref"},
    {"extern", "externref"}, {"noextern", "nullexternref"},
    {"any", "anyref"},       {"eq", "eqref"},
    {"i31", "i31ref"},       {"struct", "structref"},
    {"array", "arrayref"},   {"none", "nullref"},
    {"exn", "exnref"},       {"noexn", "nullexnref"},
    {"bottom", "bottomref"},
};
_Static_assert(ALC_ARRAY_COUNT(HEAP_NAMES) == ALC_HEAP_BOTTOM - ALC_HEAP_FUNC + 1, "a name each");

static void write_reference(struct alc_writer *writer, uint32_t type)
{
    uint32_t heap = alc_type_heap(type);
    if (!alc_heap_is_concrete(heap) && alc_type_is_nullable(type)) {
        write_text(writer, HEAP_NAMES[heap - ALC_HEAP_FUNC][1]);
        return;
    }
    write_text(writer, alc_type_is_nullable(type) ? "(ref null " : "(ref ");
    if (alc_heap_is_concrete(heap)) {
        write_decimal(writer, heap);
    } else {
        write_text(writer, HEAP_NAMES[heap - ALC_HEAP_FUNC][0]);
    }
    write_text(writer, ")");
}

void alc_type_write(struct alc_writer *writer, uint32_t type)
{
    static const char KIND_NAMES[][5] = {"any?", "i32", "i64", "f32", "f64",
                                         "v128", "",    "",    "i8",  "i16"};
    if (alc_type_is_reference(type)) {
        write_reference(writer, type);
    } else if (alc_type_kind(type) < ALC_ARRAY_COUNT(KIND_NAMES)) {
        write_text(writer, KIND_NAMES[alc_type_kind(type)]);
    }
}
