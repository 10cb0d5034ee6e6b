/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments are small, extreme or random numbers; references are null, i31 or numbers of the host.
 */
#include "diff/diff_values.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "exec/object.h"
#include "exec/reference.h"

enum { REFERENCE_KIND_MASK = 3, REFERENCE_HOST = 2, OBJECT_DEPTH = 3, ELEMENTS_SHOWN = 16 };

/* Numbers that code is likely to be wrong about, used in both widths. */
static const uint64_t odd_integers[] = {
    0,      1,       2,          3,          7,          8,          31,        32,
    63,     64,      127,        128,        255,        256,        0x7fff,    0x8000,
    0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63,
    0xfffe, 0x10001, 0xfffffff0, 1000000007, 0xffffff80, 0xffff8000,
};

static const uint32_t odd_f32[] = {
    0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
    0xffc00000, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0x4f000000, 0xcf000000,
    0x4f800000, 0x5f000000, 0xdf000000, 0x5f800000, 0x3f000000, 0x4b000001,
};

static const uint64_t odd_f64[] = {
    0,
    UINT64_C(0x8000000000000000),
    UINT64_C(0x3ff0000000000000),
    UINT64_C(0xbff0000000000000),
    UINT64_C(0x7ff0000000000000),
    UINT64_C(0xfff0000000000000),
    UINT64_C(0x7ff8000000000000),
    UINT64_C(0x0000000000000001),
    UINT64_C(0x41e0000000000000),
    UINT64_C(0xc1e0000000200000),
    UINT64_C(0x41efffffffe00000),
    UINT64_C(0x43e0000000000000),
    UINT64_C(0xc3e0000000000000),
    UINT64_C(0x43f0000000000000),
    UINT64_C(0x3fe0000000000000),
    UINT64_C(0x4330000000000001),
    UINT64_C(0x36a0000000000000),
    UINT64_C(0x47efffffe0000000),
};

uint64_t diff_random_next(struct diff_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t word = random->state;
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

static uint64_t make_integer(struct diff_random *random)
{
    uint64_t choice = diff_random_next(random);
    if (choice % 4 == 0) {
        return diff_random_next(random);
    }
    return odd_integers[(choice >> 8) % ALC_ARRAY_COUNT(odd_integers)];
}

/* A random number, but no NaN of which only some bits are defined. */
static uint64_t make_f64(struct diff_random *random)
{
    uint64_t choice = diff_random_next(random);
    uint64_t word = diff_random_next(random);
    if (choice % 4 == 0 && (word & UINT64_C(0x7ff0000000000000)) != UINT64_C(0x7ff0000000000000)) {
        return word;
    }
    return odd_f64[(choice >> 8) % ALC_ARRAY_COUNT(odd_f64)];
}

static uint32_t make_f32(struct diff_random *random)
{
    uint64_t choice = diff_random_next(random);
    uint32_t word = (uint32_t)diff_random_next(random);
    if (choice % 4 == 0 && (word & 0x7f800000) != 0x7f800000) {
        return word;
    }
    return odd_f32[(choice >> 8) % ALC_ARRAY_COUNT(odd_f32)];
}

static bool make_reference(struct diff_random *random, uint32_t type, uint64_t *slot)
{
    uint64_t choice = diff_random_next(random);
    *slot = ALC_REF_NULL;
    if (alc_type_is_nullable(type) && choice % 2 == 0) {
        return true;
    }
    switch (alc_type_heap(type)) {
    case ALC_HEAP_ANY:
    case ALC_HEAP_EQ:
    case ALC_HEAP_I31:
        *slot = alc_reference_from_i31((uint32_t)make_integer(random));
        return true;
    case ALC_HEAP_EXTERN:
        *slot = alc_reference_from_host(choice >> 40);
        return true;
    default:
        return alc_type_is_nullable(type);
    }
}

bool diff_value_make(struct diff_random *random, uint32_t type, uint64_t *slots)
{
    switch (type) {
    case ALC_TYPE_I32:
        slots[0] = (uint32_t)make_integer(random);
        return true;
    case ALC_TYPE_I64:
        slots[0] = make_integer(random);
        return true;
    case ALC_TYPE_F32:
        slots[0] = make_f32(random);
        return true;
    case ALC_TYPE_F64:
        slots[0] = make_f64(random);
        return true;
    case ALC_TYPE_V128:
        slots[0] = make_integer(random);
        slots[1] = make_integer(random);
        return true;
    default:
        return make_reference(random, type, slots);
    }
}

static void print_value(FILE *out, const struct alc_type_registry *types, uint32_t type,
                        const uint64_t *slots, unsigned depth);

/* One field or element where it lies in its object. */
static void print_field(FILE *out, const struct alc_type_registry *types, uint32_t type,
                        const uint8_t *bytes, unsigned depth)
{
    uint64_t slots[2] = {0, 0};
    memcpy(slots, bytes, alc_type_size(type));
    bool is_packed = type == ALC_TYPE_I8 || type == ALC_TYPE_I16;
    print_value(out, types, is_packed ? ALC_TYPE_I32 : type, slots, depth);
}

static void print_object(FILE *out, const struct alc_type_registry *types, uint64_t reference,
                         unsigned depth)
{
    const struct alc_object *object = alc_object_of(reference);
    const struct alc_type *type = alc_types_get(types, object->type_id);
    if (depth == 0) {
        fputs("object", out);
    } else if (type->kind == ALC_COMPOSITE_STRUCT) {
        fputc('{', out);
        for (uint32_t i = 0; i < type->structure.fields_count; i++) {
            const struct alc_field *field = &type->structure.fields[i];
            fputs(i == 0 ? "" : ",", out);
            print_field(out, types, field->type, alc_object_bytes(object) + field->offset,
                        depth - 1);
        }
        fputc('}', out);
    } else {
        uint32_t size = alc_type_size(type->array.type);
        fprintf(out, "[%" PRIu32, object->length);
        for (uint32_t i = 0; i < object->length && i < ELEMENTS_SHOWN; i++) {
            fputc(',', out);
            print_field(out, types, type->array.type, alc_object_element(object, i, size),
                        depth - 1);
        }
        fputc(']', out);
    }
}

static void print_reference(FILE *out, const struct alc_type_registry *types, uint32_t top,
                            uint64_t reference, unsigned depth)
{
    bool is_host = (reference & REFERENCE_KIND_MASK) == REFERENCE_HOST;
    if (reference == ALC_REF_NULL) {
        fputs("null", out);
    } else if (top == ALC_HEAP_FUNC) {
        fputs("function", out);
    } else if (top == ALC_HEAP_EXN) {
        fputs("exception", out);
    } else if (top == ALC_HEAP_EXTERN && is_host) {
        fprintf(out, "host:%" PRIu64, reference >> 2);
    } else if (top == ALC_HEAP_EXTERN) {
        fputs("internal", out);
    } else if (is_host) {
        fputs("external", out);
    } else if ((reference & 1) != 0) {
        fprintf(out, "i31:%08" PRIx32, (uint32_t)(reference >> 1) & 0x7fffffff);
    } else {
        print_object(out, types, reference, depth);
    }
}

static void print_value(FILE *out, const struct alc_type_registry *types, uint32_t type,
                        const uint64_t *slots, unsigned depth)
{
    switch (type) {
    case ALC_TYPE_I32:
        fprintf(out, "i32:%08" PRIx32, (uint32_t)slots[0]);
        break;
    case ALC_TYPE_I64:
        fprintf(out, "i64:%016" PRIx64, slots[0]);
        break;
    case ALC_TYPE_F32:
        fprintf(out, "f32:%08" PRIx32, (uint32_t)slots[0]);
        break;
    case ALC_TYPE_F64:
        fprintf(out, "f64:%016" PRIx64, slots[0]);
        break;
    case ALC_TYPE_V128:
        fprintf(out, "v128:%016" PRIx64 "%016" PRIx64, slots[1], slots[0]);
        break;
    default:
        print_reference(out, types, alc_heap_top(types, alc_type_heap(type)), slots[0], depth);
        break;
    }
}

void diff_value_print(FILE *out, const struct alc_type_registry *types, uint32_t type,
                      const uint64_t *slots)
{
    fputc(' ', out);
    print_value(out, types, type, slots, OBJECT_DEPTH);
}
