/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of test scripts. Integers are decimal strings, signed or not; floats are the decimal
 * strings of their bits, or the name of a set of NaNs where a result is expected.
 */
#include "spec/spec_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "spec/spec_stream.h"

struct pattern {
    uint8_t kind;
    uint64_t low;
    uint64_t high;
    uint8_t lane_bytes;
    uint16_t canonical;
    uint16_t arithmetic;
};

static bool parse_integer(const char *text, unsigned bytes, uint64_t *out)
{
    if (text == NULL || text[0] == '\0') {
        return false;
    }
    char *end;
    uint64_t value = strtoull(text, &end, 10); /* wraps negative numbers as wanted */
    uint64_t mask = bytes == 8 ? UINT64_MAX : (UINT64_C(1) << (bytes * 8)) - 1;
    *out = value & mask;
    return *end == '\0';
}

/* One scalar or lane at bit position `lane`; `bytes` wide. */
static bool parse_lane(const char *text, unsigned lane, unsigned bytes, bool is_float,
                       struct pattern *out)
{
    uint64_t value = 0;
    uint16_t bit = (uint16_t)(1u << lane);
    if (is_float && text != NULL && strcmp(text, "nan:canonical") == 0) {
        out->canonical |= bit;
        out->lane_bytes = (uint8_t)bytes;
    } else if (is_float && text != NULL && strcmp(text, "nan:arithmetic") == 0) {
        out->arithmetic |= bit;
        out->lane_bytes = (uint8_t)bytes;
    } else if (!parse_integer(text, bytes, &value)) {
        return false;
    }
    unsigned offset = lane * bytes;
    if (offset < 8) {
        out->low |= value << (offset * 8);
    } else {
        out->high |= value << ((offset - 8) * 8);
    }
    return true;
}

static bool parse_vector(const json_t *value, struct pattern *out)
{
    static const struct {
        const char *name;
        unsigned bytes;
        bool is_float;
    } lanes[] = {{"i8", 1, false},  {"i16", 2, false}, {"i32", 4, false},
                 {"i64", 8, false}, {"f32", 4, true},  {"f64", 8, true}};
    const char *lane_type = json_string_value(json_object_get(value, "lane_type"));
    const json_t *list = json_object_get(value, "value");
    for (size_t i = 0; lane_type != NULL && i < ALC_ARRAY_COUNT(lanes); i++) {
        if (strcmp(lanes[i].name, lane_type) != 0) {
            continue;
        }
        if (json_array_size(list) != 16 / lanes[i].bytes) {
            return false;
        }
        out->kind = ALC_SPEC_V128;
        for (unsigned lane = 0; lane < 16 / lanes[i].bytes; lane++) {
            const char *text = json_string_value(json_array_get(list, lane));
            if (!parse_lane(text, lane, lanes[i].bytes, lanes[i].is_float, out)) {
                return false;
            }
        }
        return true;
    }
    return false;
}

enum { NOT_NULL_HERE = 255 };

/* Reference types: what `null`, a number, or nothing at all means for each. */
static const struct reference_row {
    const char *type;
    uint8_t null;   /* enum alc_spec_null */
    uint8_t number; /* kind for a number, or NOT_NULL_HERE */
    uint8_t kind;   /* enum alc_spec_kind without a value, NOT_NULL_HERE: it is a null then */
} reference_rows[] = {
    {"externref", ALC_SPEC_NULL_EXTERN, ALC_SPEC_REF_HOST_EXTERN, ALC_SPEC_KIND_EXTERN},
    {"anyref", ALC_SPEC_NULL_ANY, ALC_SPEC_REF_HOST_ANY, ALC_SPEC_KIND_ANY},
    {"funcref", ALC_SPEC_NULL_FUNC, NOT_NULL_HERE, ALC_SPEC_KIND_FUNC},
    {"exnref", ALC_SPEC_NULL_EXN, NOT_NULL_HERE, ALC_SPEC_KIND_EXN},
    {"eqref", ALC_SPEC_NULL_ANY, NOT_NULL_HERE, ALC_SPEC_KIND_EQ},
    {"i31ref", ALC_SPEC_NULL_ANY, NOT_NULL_HERE, ALC_SPEC_KIND_I31},
    {"structref", ALC_SPEC_NULL_ANY, NOT_NULL_HERE, ALC_SPEC_KIND_STRUCT},
    {"arrayref", ALC_SPEC_NULL_ANY, NOT_NULL_HERE, ALC_SPEC_KIND_ARRAY},
    {"nullref", ALC_SPEC_NULL_ANY, NOT_NULL_HERE, NOT_NULL_HERE},
    {"nullfuncref", ALC_SPEC_NULL_FUNC, NOT_NULL_HERE, NOT_NULL_HERE},
    {"nullexternref", ALC_SPEC_NULL_EXTERN, NOT_NULL_HERE, NOT_NULL_HERE},
    {"nullexnref", ALC_SPEC_NULL_EXN, NOT_NULL_HERE, NOT_NULL_HERE},
    {"refnull", ALC_SPEC_NULL_ANY_TYPE, NOT_NULL_HERE, NOT_NULL_HERE},
};

static bool parse_reference(const json_t *value, const char *type, struct pattern *out)
{
    const char *text = json_string_value(json_object_get(value, "value"));
    for (size_t i = 0; i < ALC_ARRAY_COUNT(reference_rows); i++) {
        const struct reference_row *row = &reference_rows[i];
        if (strcmp(row->type, type) != 0) {
            continue;
        }
        bool is_null = text == NULL ? row->kind == NOT_NULL_HERE : strcmp(text, "null") == 0;
        if (is_null) {
            out->kind = ALC_SPEC_REF_NULL;
            out->low = row->null;
            return true;
        }
        if (text == NULL) {
            out->kind = ALC_SPEC_REF_KIND;
            out->low = row->kind;
            return true;
        }
        out->kind = row->number;
        return row->number != NOT_NULL_HERE && parse_integer(text, 8, &out->low);
    }
    return false;
}

static bool parse_value(const json_t *value, struct pattern *out)
{
    static const struct {
        const char *type;
        uint8_t kind;
        uint8_t bytes;
        bool is_float;
    } scalars[] = {{"i32", ALC_SPEC_I32, 4, false},
                   {"i64", ALC_SPEC_I64, 8, false},
                   {"f32", ALC_SPEC_F32, 4, true},
                   {"f64", ALC_SPEC_F64, 8, true}};
    *out = (struct pattern){0};
    const char *type = json_string_value(json_object_get(value, "type"));
    if (type == NULL) {
        return false;
    }
    if (strcmp(type, "v128") == 0) {
        return parse_vector(value, out);
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(scalars); i++) {
        if (strcmp(scalars[i].type, type) == 0) {
            out->kind = scalars[i].kind;
            return parse_lane(json_string_value(json_object_get(value, "value")), 0,
                              scalars[i].bytes, scalars[i].is_float, out);
        }
    }
    return parse_reference(value, type, out);
}

bool spec_values_add_argument(struct spec_buffer *out, const json_t *value)
{
    struct pattern pattern;
    if (!parse_value(value, &pattern) || pattern.lane_bytes != 0 ||
        pattern.kind == ALC_SPEC_REF_KIND) {
        return false;
    }
    spec_buffer_add_u8(out, pattern.kind);
    spec_buffer_add_u64(out, pattern.low);
    spec_buffer_add_u64(out, pattern.high);
    return true;
}

static bool add_pattern(struct spec_buffer *out, const json_t *value)
{
    struct pattern pattern;
    if (!parse_value(value, &pattern)) {
        return false;
    }
    spec_buffer_add_u8(out, pattern.kind);
    spec_buffer_add_u64(out, pattern.low);
    spec_buffer_add_u64(out, pattern.high);
    spec_buffer_add_u8(out, pattern.lane_bytes);
    spec_buffer_add_u16(out, pattern.canonical);
    spec_buffer_add_u16(out, pattern.arithmetic);
    return true;
}

bool spec_values_add_expected(struct spec_buffer *out, const json_t *value)
{
    const char *type = json_string_value(json_object_get(value, "type"));
    if (type == NULL || strcmp(type, "either") != 0) {
        return add_pattern(out, value);
    }
    const json_t *list = json_object_get(value, "values");
    size_t count = json_array_size(list);
    if (count == 0 || count > ALC_SPEC_EITHER_MAX) {
        return false;
    }
    spec_buffer_add_u8(out, ALC_SPEC_EITHER);
    spec_buffer_add_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        if (!add_pattern(out, json_array_get(list, i))) {
            return false;
        }
    }
    return true;
}
