/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects: how they are made, filled and tested. Operands come from the guest: every length, index
 * and null is checked here; the types were checked by the validator.
 */
#include "exec/object_operations.h"

#include "exec/engine.h"

/* -- what has a type -- */

bool alc_reference_has_type(const struct alc_type_registry *types, uint64_t reference,
                            uint32_t type)
{
    if (reference == ALC_REF_NULL) {
        return alc_type_is_nullable(type);
    }
    uint32_t heap = alc_type_heap(type);
    uint32_t top = alc_heap_top(types, heap);
    if (top == ALC_HEAP_FUNC) {
        uint32_t id = alc_reference_to_function(reference)->type_id;
        return alc_heap_matches(types, id, heap);
    }
    if (heap == top) {
        return true;
    }
    if (top != ALC_HEAP_ANY) { /* the bottom of another hierarchy has no values */
        return false;
    }
    if ((reference & 1) != 0) {
        return alc_heap_matches(types, ALC_HEAP_I31, heap);
    }
    if (!alc_reference_is_object(reference)) {
        return false; /* the host's are of type any only */
    }
    return alc_heap_matches(types, alc_object_of(reference)->type_id, heap);
}

/* -- structures -- */

alc_status alc_object_struct_new(const struct alc_instance *inst, const struct alc_type *type,
                                 uint32_t index, uint64_t *slot)
{
    (void)index;
    const struct alc_struct_type *structure = &type->structure;
    struct alc_object *object = alc_gc_new(&inst->store->heap, type->id, 0, structure->size);
    if (object == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    uint64_t *result = slot;
    uint8_t *bytes = alc_object_bytes(object);
    for (uint32_t i = 0; i < structure->fields_count; i++) {
        const struct alc_field *field = &structure->fields[i];
        alc_object_store(bytes + field->offset, slot, alc_type_size(field->type));
        slot += alc_type_slots(field->type);
    }
    *result = alc_reference_from_object(object);
    return ALC_OK;
}

alc_status alc_object_struct_new_default(const struct alc_instance *inst,
                                         const struct alc_type *type, uint32_t index,
                                         uint64_t *slot)
{
    (void)index;
    struct alc_object *object = alc_gc_new(&inst->store->heap, type->id, 0, type->structure.size);
    if (object == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_fill(alc_object_bytes(object), 0, type->structure.size);
    *slot = alc_reference_from_object(object);
    return ALC_OK;
}

/* -- arrays -- */

/* `length` elements, or NULL. */
static struct alc_object *new_array(const struct alc_instance *inst, const struct alc_type *type,
                                    uint32_t length)
{
    return alc_gc_new(&inst->store->heap, type->id, length,
                      (uint64_t)length * alc_type_size(type->array.type));
}

static void fill_elements(struct alc_object *array, uint32_t first, uint32_t count,
                          const uint64_t *slot, uint32_t size)
{
    for (uint32_t i = 0; i < count; i++) {
        alc_object_store(alc_object_element(array, (uint64_t)first + i, size), slot, size);
    }
}

alc_status alc_object_array_new(const struct alc_instance *inst, const struct alc_type *type,
                                uint32_t index, uint64_t *slot)
{
    (void)index;
    uint32_t length = (uint32_t)slot[alc_type_slots(type->array.type)];
    struct alc_object *array = new_array(inst, type, length);
    if (array == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    fill_elements(array, 0, length, slot, alc_type_size(type->array.type));
    *slot = alc_reference_from_object(array);
    return ALC_OK;
}

alc_status alc_object_array_new_default(const struct alc_instance *inst,
                                        const struct alc_type *type, uint32_t index, uint64_t *slot)
{
    (void)index;
    uint32_t length = (uint32_t)*slot;
    struct alc_object *array = new_array(inst, type, length);
    if (array == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_fill(alc_object_bytes(array), 0, (uint64_t)length * alc_type_size(type->array.type));
    *slot = alc_reference_from_object(array);
    return ALC_OK;
}

alc_status alc_object_array_new_fixed(const struct alc_instance *inst, const struct alc_type *type,
                                      uint32_t index, uint64_t *slot)
{
    uint32_t length = index;
    uint32_t size = alc_type_size(type->array.type);
    uint32_t slots = alc_type_slots(type->array.type);
    struct alc_object *array = new_array(inst, type, length);
    if (array == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < length; i++) {
        alc_object_store(alc_object_element(array, i, size), slot + (size_t)i * slots, size);
    }
    *slot = alc_reference_from_object(array);
    return ALC_OK;
}

/* Bytes [offset, offset + count * size) of the segment, or NULL when they are not all there. */
static const uint8_t *data_range(const struct alc_data_instance *data, uint32_t offset,
                                 uint32_t count, uint32_t size)
{
    return alc_range_fits(offset, (uint64_t)count * size, data->size) ? data->bytes + offset : NULL;
}

alc_status alc_object_array_new_data(const struct alc_instance *inst, const struct alc_type *type,
                                     uint32_t index, uint64_t *slot)
{
    const struct alc_data_instance *data = &inst->data[index];
    uint32_t length = (uint32_t)slot[1];
    uint32_t size = alc_type_size(type->array.type);
    const uint8_t *bytes = data_range(data, (uint32_t)slot[0], length, size);
    if (bytes == NULL) {
        return ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    struct alc_object *array = new_array(inst, type, length);
    if (array == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(alc_object_bytes(array), bytes, (uint64_t)length * size);
    *slot = alc_reference_from_object(array);
    return ALC_OK;
}

alc_status alc_object_array_new_elem(const struct alc_instance *inst, const struct alc_type *type,
                                     uint32_t index, uint64_t *slot)
{
    const struct alc_element_instance *elements = &inst->elements[index];
    uint32_t offset = (uint32_t)slot[0];
    uint32_t length = (uint32_t)slot[1];
    if (!alc_range_fits(offset, length, elements->count)) {
        return ALC_E_TABLE_OUT_OF_BOUNDS;
    }
    struct alc_object *array = new_array(inst, type, length);
    if (array == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(alc_object_bytes(array), elements->references + offset,
             (uint64_t)length * sizeof(uint64_t));
    *slot = alc_reference_from_object(array);
    return ALC_OK;
}

/* The array in `slot`, of which [first, first + count) are to be read or written. */
static alc_status array_range(const uint64_t *slot, uint32_t first, uint32_t count,
                              struct alc_object **out)
{
    if (*slot == ALC_REF_NULL) {
        return ALC_E_NULL_ARRAY;
    }
    *out = alc_object_of(*slot);
    return alc_range_fits(first, count, (*out)->length) ? ALC_OK : ALC_E_ARRAY_OUT_OF_BOUNDS;
}

/* The elements are about to be overwritten. */
static void overwrite_elements(const struct alc_instance *inst, const struct alc_type *type,
                               const struct alc_object *array, uint32_t first, uint32_t count)
{
    if (!type->array.is_traced || inst->store->heap.phase != ALC_GC_MARKING) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t old;
        alc_copy(&old, alc_object_element(array, (uint64_t)first + i, sizeof old), sizeof old);
        alc_gc_shade(&inst->store->heap, old);
    }
}

/* Operands: array, index, value, count. */
alc_status alc_object_array_fill(const struct alc_instance *inst, const struct alc_type *type,
                                 uint32_t index, uint64_t *slot)
{
    (void)index;
    uint32_t first = (uint32_t)slot[1];
    uint32_t count = (uint32_t)slot[2 + alc_type_slots(type->array.type)];
    struct alc_object *array;
    ALC_TRY(array_range(slot, first, count, &array));
    overwrite_elements(inst, type, array, first, count);
    fill_elements(array, first, count, slot + 2, alc_type_size(type->array.type));
    return ALC_OK;
}

/* Operands: target, index, source, index, count. */
alc_status alc_object_array_copy(const struct alc_instance *inst, const struct alc_type *type,
                                 uint32_t index, uint64_t *slot)
{
    (void)index;
    uint32_t to = (uint32_t)slot[1];
    uint32_t from = (uint32_t)slot[3];
    uint32_t count = (uint32_t)slot[4];
    uint32_t size = alc_type_size(type->array.type);
    struct alc_object *target;
    struct alc_object *source;
    if (slot[0] == ALC_REF_NULL || slot[2] == ALC_REF_NULL) {
        return ALC_E_NULL_ARRAY;
    }
    ALC_TRY(array_range(slot, to, count, &target));
    ALC_TRY(array_range(slot + 2, from, count, &source));
    overwrite_elements(inst, type, target, to, count);
    alc_move(alc_object_element(target, to, size), alc_object_element(source, from, size),
             (uint64_t)count * size);
    return ALC_OK;
}

/* Operands: array, index, offset in the segment, count. */
alc_status alc_object_array_init_data(const struct alc_instance *inst, const struct alc_type *type,
                                      uint32_t index, uint64_t *slot)
{
    const struct alc_data_instance *data = &inst->data[index];
    uint32_t first = (uint32_t)slot[1];
    uint32_t count = (uint32_t)slot[3];
    uint32_t size = alc_type_size(type->array.type);
    struct alc_object *array;
    ALC_TRY(array_range(slot, first, count, &array));
    const uint8_t *bytes = data_range(data, (uint32_t)slot[2], count, size);
    if (bytes == NULL) {
        return ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    alc_copy(alc_object_element(array, first, size), bytes, (uint64_t)count * size);
    return ALC_OK;
}

alc_status alc_object_array_init_elem(const struct alc_instance *inst, const struct alc_type *type,
                                      uint32_t index, uint64_t *slot)
{
    const struct alc_element_instance *elements = &inst->elements[index];
    uint32_t first = (uint32_t)slot[1];
    uint32_t offset = (uint32_t)slot[2];
    uint32_t count = (uint32_t)slot[3];
    struct alc_object *array;
    ALC_TRY(array_range(slot, first, count, &array));
    if (!alc_range_fits(offset, count, elements->count)) {
        return ALC_E_TABLE_OUT_OF_BOUNDS;
    }
    overwrite_elements(inst, type, array, first, count);
    alc_copy(alc_object_element(array, first, sizeof(uint64_t)), elements->references + offset,
             (uint64_t)count * sizeof(uint64_t));
    return ALC_OK;
}
