/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: the handlers of objects, included once by interp.c. References come
 * from validated code, so what is not null has the static type; an index is checked here.
 */

COLD_HANDLER(stop_null_structure)
{
    TRAP(ALC_E_NULL_STRUCTURE);
}
COLD_HANDLER(stop_null_array)
{
    TRAP(ALC_E_NULL_ARRAY);
}
COLD_HANDLER(stop_array)
{
    TRAP(ALC_E_ARRAY_OUT_OF_BOUNDS);
}

/* -- fields: reference, distance from the object's address -- */

#define NEED_STRUCTURE(reference)                                                                  \
    if (ALC_UNLIKELY((reference) == ALC_REF_NULL)) {                                               \
        TAIL(stop_null_structure);                                                                 \
    }
#define READ_FIELD(name, type, reference, n)                                                       \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t object_ = (reference);                                                            \
        NEED_STRUCTURE(object_)                                                                    \
        acc = (uint64_t)(int64_t)READ(type, (const uint8_t *)(uintptr_t)object_ +                  \
                                                read_u32(ip + (n) - 2));                           \
        NEXT(n);                                                                                   \
    }
#define READ_FIELD_D(name, type, reference, n)                                                     \
    READ_FIELD(name, type, reference, n)                                                           \
    HANDLER(name##D)                                                                               \
    {                                                                                              \
        uint64_t object_ = (reference);                                                            \
        NEED_STRUCTURE(object_)                                                                    \
        acc = (uint64_t)(int64_t)READ(type, (const uint8_t *)(uintptr_t)object_ +                  \
                                                read_u32(ip + (n) - 2));                           \
        RESULT_D(n);                                                                               \
        NEXT((n) + 1);                                                                             \
    }
#define PACKED(i, type) READ_FIELD(i##_S, type, SLOT(2), 5)
#define FIELD(i, type)                                                                             \
    READ_FIELD_D(i##_S, type, SLOT(2), 5)                                                          \
    READ_FIELD_D(i##_A, type, acc, 4)
#define WRITE_FIELD(name, type, value, n)                                                          \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t object_ = SLOT(2);                                                                \
        type value_ = (type)(value);                                                               \
        NEED_STRUCTURE(object_)                                                                    \
        alc_copy((uint8_t *)(uintptr_t)object_ + read_u32(ip + (n) - 2), &value_, sizeof value_);  \
        NEXT(n);                                                                                   \
    }
#define FIELD_SET(i, type)                                                                         \
    WRITE_FIELD(i##_SS, type, SLOT(3), 6)                                                          \
    WRITE_FIELD(i##_SA, type, acc, 5)

/* -- elements -- */

#define NEED_ELEMENT(array, index)                                                                 \
    if (ALC_UNLIKELY((array) == ALC_REF_NULL)) {                                                   \
        TAIL(stop_null_array);                                                                     \
    }                                                                                              \
    if (ALC_UNLIKELY((index) >= alc_object_of(array)->length)) {                                   \
        TAIL(stop_array);                                                                          \
    }
#define READ_ELEMENT(name, type, index, n)                                                         \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t array_ = SLOT(2);                                                                 \
        uint32_t index_ = (uint32_t)(index);                                                       \
        NEED_ELEMENT(array_, index_)                                                               \
        acc = (uint64_t)(int64_t)READ(                                                             \
            type, alc_object_element(alc_object_of(array_), index_, sizeof(type)));                \
        NEXT(n);                                                                                   \
    }
#define ELEMENT(i, type)                                                                           \
    READ_ELEMENT(i##_SS, type, SLOT(3), 4)                                                         \
    READ_ELEMENT(i##_SA, type, acc, 3)
#define ELEMENT_SET(i, type)                                                                       \
    HANDLER(i)                                                                                     \
    {                                                                                              \
        uint64_t array_ = SLOT(2);                                                                 \
        uint32_t index_ = (uint32_t)SLOT(3);                                                       \
        type value_ = (type)SLOT(4);                                                               \
        NEED_ELEMENT(array_, index_)                                                               \
        alc_copy(alc_object_element(alc_object_of(array_), index_, sizeof value_), &value_,        \
                 sizeof value_);                                                                   \
        NEXT(5);                                                                                   \
    }
#include "wasm/code_families.h"

/* -- references and vectors as fields and elements -- */

HANDLER(FIELD_SET_REF)
{
    uint64_t object = SLOT(2);
    NEED_STRUCTURE(object)
    uint8_t *field = (uint8_t *)(uintptr_t)object + read_u32(ip + 4);
    alc_gc_overwrite(run->heap, READ(uint64_t, field));
    alc_copy(field, &SLOT(3), sizeof(uint64_t));
    NEXT(6);
}
HANDLER(ELEMENT_SET_REF)
{
    uint64_t array = SLOT(2);
    uint32_t index = (uint32_t)SLOT(3);
    NEED_ELEMENT(array, index)
    uint8_t *element = alc_object_element(alc_object_of(array), index, sizeof(uint64_t));
    alc_gc_overwrite(run->heap, READ(uint64_t, element));
    alc_copy(element, &SLOT(4), sizeof(uint64_t));
    NEXT(5);
}
HANDLER(FIELD128)
{
    uint64_t object = SLOT(2);
    NEED_STRUCTURE(object)
    alc_copy(fp + ip[5], (const uint8_t *)(uintptr_t)object + read_u32(ip + 3), 16);
    NEXT(6);
}
HANDLER(FIELD_SET128)
{
    uint64_t object = SLOT(2);
    NEED_STRUCTURE(object)
    alc_copy((uint8_t *)(uintptr_t)object + read_u32(ip + 4), &SLOT(3), 16);
    NEXT(6);
}
HANDLER(ELEMENT128)
{
    uint64_t array = SLOT(2);
    uint32_t index = (uint32_t)SLOT(3);
    NEED_ELEMENT(array, index)
    alc_copy(fp + ip[4], alc_object_element(alc_object_of(array), index, 16), 16);
    NEXT(5);
}
HANDLER(ELEMENT_SET128)
{
    uint64_t array = SLOT(2);
    uint32_t index = (uint32_t)SLOT(3);
    NEED_ELEMENT(array, index)
    alc_copy(alc_object_element(alc_object_of(array), index, 16), &SLOT(4), 16);
    NEXT(5);
}
HANDLER(ARRAY_LEN)
{
    acc = SLOT(2);
    if (ALC_UNLIKELY(acc == ALC_REF_NULL)) {
        TAIL(stop_null_array);
    }
    acc = alc_object_of(acc)->length;
    NEXT(3);
}

/* -- allocation and bulk operations: operands and result in place, object_operations.h -- */

/* `n` units: where the operation ends is where its safepoint stands. */
#define OBJECT_PART(name, n)                                                                       \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        run->safepoint_ip = ip + (n);                                                              \
        run->safepoint_fp = fp;                                                                    \
        run->safepoint_instance = inst;                                                            \
        alc_status status = ((alc_object_operation *)(uintptr_t)acc)(                              \
            inst, alc_types_get(run->heap->types, read_u32(ip + 2)),                               \
            (n) == 7 ? read_u32(ip + 4) : 0, fp + ip[(n) - 1]);                                    \
        if (ALC_UNLIKELY(status != ALC_OK)) {                                                      \
            TRAP(status);                                                                          \
        }                                                                                          \
        acc = 0;                                                                                   \
        facc = acc_of_bits(0);                                                                     \
        NEXT(n);                                                                                   \
    }
OBJECT_PART(do_object_5, 5)
OBJECT_PART(do_object_7, 7)
#define OBJECT_OPERATION(name, function, n)                                                        \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        acc = (uint64_t)(uintptr_t)(function);                                                     \
        TAIL(do_object_##n);                                                                       \
    }
OBJECT_OPERATION(STRUCT_NEW, alc_object_struct_new, 5)
OBJECT_OPERATION(STRUCT_NEW_DEFAULT, alc_object_struct_new_default, 5)
OBJECT_OPERATION(ARRAY_NEW, alc_object_array_new, 5)
OBJECT_OPERATION(ARRAY_NEW_DEFAULT, alc_object_array_new_default, 5)
OBJECT_OPERATION(ARRAY_NEW_FIXED, alc_object_array_new_fixed, 7)
OBJECT_OPERATION(ARRAY_NEW_DATA, alc_object_array_new_data, 7)
OBJECT_OPERATION(ARRAY_NEW_ELEM, alc_object_array_new_elem, 7)
OBJECT_OPERATION(ARRAY_FILL, alc_object_array_fill, 5)
OBJECT_OPERATION(ARRAY_COPY, alc_object_array_copy, 5)
OBJECT_OPERATION(ARRAY_INIT_DATA, alc_object_array_init_data, 7)
OBJECT_OPERATION(ARRAY_INIT_ELEM, alc_object_array_init_elem, 7)

/* -- casts and i31 -- */

HANDLER(TYPE_TEST)
{
    acc = alc_reference_has_type(run->heap->types, SLOT(2), read_u32(ip + 3)) != ip[5];
    NEXT(6);
}
HANDLER(CAST)
{
    if (ALC_UNLIKELY(!alc_reference_has_type(run->heap->types, SLOT(2), read_u32(ip + 3)))) {
        TRAP(ALC_E_CAST_FAILURE);
    }
    NEXT(5);
}
HANDLER(REF_I31)
{
    acc = alc_reference_from_i31((uint32_t)SLOT(2));
    NEXT(3);
}
HANDLER(I31_GET_S)
{
    acc = SLOT(2);
    if (ALC_UNLIKELY(acc == ALC_REF_NULL)) {
        TRAP(ALC_E_NULL_I31);
    }
    acc = (uint64_t)(int64_t)((int32_t)(uint32_t)acc >> 1);
    NEXT(3);
}
HANDLER(I31_GET_U)
{
    acc = SLOT(2);
    if (ALC_UNLIKELY(acc == ALC_REF_NULL)) {
        TRAP(ALC_E_NULL_I31);
    }
    acc = (uint32_t)acc >> 1;
    NEXT(3);
}
