/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects and exceptions for checked code: what it does not do by itself. It is believed, so
 * operands are what their types say. The rows' b is a type index (THROW: a tag), c a segment.
 */
#include "exec/exception.h"
#include "exec/object_operations.h"
#include "native_exec/operations.h"

#define OPERATION_FUNCTION(ident)                                                                  \
    static alc_status run_##ident(struct alc_native_thread *thread,                                \
                                  struct alc_native_instance *instance,                            \
                                  const struct alc_native_stub *row, uint64_t *slots)

static const struct alc_type *type_of(const struct alc_native_instance *instance, uint32_t index)
{
    const struct alc_module *module = instance->instance->module;
    return alc_types_get(module->types, alc_module_type_id(module, index));
}

#define OBJECT_OPERATION(ident, function)                                                          \
    OPERATION_FUNCTION(ident)                                                                      \
    {                                                                                              \
        (void)thread;                                                                              \
        return function(instance->instance, type_of(instance, row->b), row->c, slots);             \
    }
OBJECT_OPERATION(STRUCT_NEW_DEFAULT, alc_object_struct_new_default)
OBJECT_OPERATION(ARRAY_NEW, alc_object_array_new)
OBJECT_OPERATION(ARRAY_NEW_DEFAULT, alc_object_array_new_default)
OBJECT_OPERATION(ARRAY_NEW_DATA, alc_object_array_new_data)
OBJECT_OPERATION(ARRAY_NEW_ELEM, alc_object_array_new_elem)
OBJECT_OPERATION(ARRAY_FILL, alc_object_array_fill)
OBJECT_OPERATION(ARRAY_COPY, alc_object_array_copy)
OBJECT_OPERATION(ARRAY_INIT_DATA, alc_object_array_init_data)
OBJECT_OPERATION(ARRAY_INIT_ELEM, alc_object_array_init_elem)

/* An object that the code fills. */
static alc_status give_new(struct alc_native_thread *thread, const struct alc_type *type,
                           uint32_t length, uint64_t size, uint64_t *slots)
{
    const struct alc_object *object = alc_gc_new(&thread->store->heap, type->id, length, size);
    slots[0] = alc_reference_from_object(object);
    return object != NULL ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

OPERATION_FUNCTION(STRUCT_NEW)
{
    const struct alc_type *type = type_of(instance, row->b);
    return give_new(thread, type, 0, type->structure.size, slots);
}

OPERATION_FUNCTION(ARRAY_NEW_FIXED)
{
    const struct alc_type *type = type_of(instance, row->b);
    return give_new(thread, type, row->c, (uint64_t)row->c * alc_type_size(type->array.type),
                    slots);
}

/* While the collector marks. */
OPERATION_FUNCTION(STRUCT_SET)
{
    (void)instance;
    (void)row;
    alc_gc_overwrite(&thread->store->heap, slots[0]);
    return ALC_OK;
}

OPERATION_FUNCTION(REF_TEST)
{
    (void)thread;
    const struct alc_module *module = instance->instance->module;
    uint32_t type = ALC_TYPE_OF_REF(alc_module_type_id(module, row->b));
    slots[0] = alc_reference_has_type(module->types, slots[0], type);
    return ALC_OK;
}

/* i32 and f32 of the payload with upper halves of zeros, as whoever looks at it expects. */
static void complete(uint64_t *slots, const struct alc_function_type *type)
{
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        uint32_t parameter = type->parameters[i];
        if (parameter == ALC_TYPE_I32 || parameter == ALC_TYPE_F32) {
            *slots = (uint32_t)*slots;
        }
        slots += alc_type_slots(parameter);
    }
}

OPERATION_FUNCTION(THROW)
{
    const struct alc_tag *tag = instance->instance->tags[row->b];
    complete(slots, &alc_types_get(thread->store->heap.types, tag->type_id)->function);
    uint64_t exception = alc_exception_new(thread->store, tag, slots);
    uint64_t return_addr = *(const uint64_t *)(uintptr_t)thread->native_rsp;
    thread->thrown = exception;
    thread->thrower = (struct alc_native_place){.rip = return_addr - 1, .base = instance->base};
    slots[0] = exception;
    return exception != ALC_REF_NULL ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

#define ROW(ident) ALC_NATIVE_OPERATION(ident, NONE, NONE, run_##ident)
const struct alc_native_operation_row alc_native_operations_object[] = {
    ROW(STRUCT_NEW_DEFAULT),
    ROW(STRUCT_NEW),
    ROW(ARRAY_NEW_FIXED),
    ROW(ARRAY_NEW),
    ROW(ARRAY_NEW_DEFAULT),
    ROW(ARRAY_NEW_DATA),
    ROW(ARRAY_NEW_ELEM),
    ROW(ARRAY_FILL),
    ROW(ARRAY_COPY),
    ROW(ARRAY_INIT_DATA),
    ROW(ARRAY_INIT_ELEM),
    ROW(STRUCT_SET),
    ROW(REF_TEST),
    ROW(THROW),
    {0},
};
