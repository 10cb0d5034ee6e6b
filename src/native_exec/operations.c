/* SPDX-License-Identifier: Apache-2.0
 *
 * Memories, tables, segments, globals: operations that both shapes have. Ranges are checked by the
 * functions of exec/memory.h and exec/table.h; what is here beyond that is for confined code, whose
 * references are numbers that it made up until they are found to be functions of the store and of
 * the right type.
 */
#include "native_exec/operations.h"

#define OPERATION_FUNCTION(ident)                                                                  \
    static alc_status run_##ident(struct alc_native_thread *thread,                                \
                                  struct alc_native_instance *instance,                            \
                                  const struct alc_native_stub *row, uint64_t *slots)

/* An address or size of the width that the memory or table has; i32 slots have no upper half. */
static uint64_t address(uint64_t slot, bool is_64)
{
    return is_64 ? slot : (uint32_t)slot;
}

static bool is_memory_64(const struct alc_memory *memory)
{
    return memory->type.limits.is_64;
}

static bool is_table_64(const struct alc_table *table)
{
    return table->type.limits.is_64;
}

/* The trap that answers a reference that cannot be one of the type. */
static alc_status check_reference(const struct alc_native_thread *thread,
                                  const struct alc_native_instance *instance, uint64_t reference,
                                  uint32_t type)
{
    bool is_good =
        !alc_native_is_confined(instance->code) || alc_native_may_be(thread, reference, type);
    return is_good ? ALC_OK : ALC_E_CAST_FAILURE;
}

/* -- memories -- */

OPERATION_FUNCTION(MEMORY_SIZE)
{
    alc_native_refresh(thread, instance);
    slots[0] = alc_memory_pages(instance->instance->memories[row->b]);
    return ALC_OK;
}

OPERATION_FUNCTION(MEMORY_GROW)
{
    struct alc_memory *memory = instance->instance->memories[row->b];
    slots[0] = alc_memory_grow(memory, address(slots[0], is_memory_64(memory)));
    /* Other instances of this thread hear of it when they run again. */
    alc_native_refresh(thread, instance);
    return ALC_OK;
}

OPERATION_FUNCTION(MEMORY_FILL)
{
    (void)thread;
    struct alc_memory *memory = instance->instance->memories[row->b];
    bool is_64 = is_memory_64(memory);
    return alc_memory_fill(memory, address(slots[0], is_64), (uint8_t)slots[1],
                           address(slots[2], is_64));
}

OPERATION_FUNCTION(MEMORY_COPY)
{
    (void)thread;
    struct alc_memory *target = instance->instance->memories[row->b];
    struct alc_memory *source = instance->instance->memories[row->c];
    return alc_memory_copy(target, address(slots[0], is_memory_64(target)), source,
                           address(slots[1], is_memory_64(source)),
                           address(slots[2], is_memory_64(target) && is_memory_64(source)));
}

OPERATION_FUNCTION(MEMORY_INIT)
{
    (void)thread;
    const struct alc_data_instance *data = &instance->instance->data[row->b];
    struct alc_memory *memory = instance->instance->memories[row->c];
    return alc_memory_init_from(memory, address(slots[0], is_memory_64(memory)), data->bytes,
                                data->size, (uint32_t)slots[1], (uint32_t)slots[2]);
}

OPERATION_FUNCTION(DATA_DROP)
{
    (void)thread;
    (void)slots;
    instance->instance->data[row->b].size = 0;
    return ALC_OK;
}

/* -- tables -- */

OPERATION_FUNCTION(TABLE_GET)
{
    (void)thread;
    const struct alc_table *table = instance->instance->tables[row->b];
    return alc_table_get(table, address(slots[0], is_table_64(table)), &slots[0]);
}

OPERATION_FUNCTION(TABLE_SET)
{
    struct alc_table *table = instance->instance->tables[row->b];
    uint64_t reference = slots[1];
    ALC_TRY(check_reference(thread, instance, reference, table->type.element));
    return alc_table_set(table, address(slots[0], is_table_64(table)), reference);
}

OPERATION_FUNCTION(TABLE_SIZE)
{
    (void)thread;
    slots[0] = instance->instance->tables[row->b]->count;
    return ALC_OK;
}

OPERATION_FUNCTION(TABLE_GROW)
{
    struct alc_table *table = instance->instance->tables[row->b];
    uint64_t reference = slots[0];
    ALC_TRY(check_reference(thread, instance, reference, table->type.element));
    slots[0] = alc_table_grow(table, address(slots[1], is_table_64(table)), reference);
    return ALC_OK;
}

OPERATION_FUNCTION(TABLE_FILL)
{
    struct alc_table *table = instance->instance->tables[row->b];
    uint64_t reference = slots[1];
    ALC_TRY(check_reference(thread, instance, reference, table->type.element));
    return alc_table_fill(table, address(slots[0], is_table_64(table)), reference,
                          address(slots[2], is_table_64(table)));
}

OPERATION_FUNCTION(TABLE_COPY)
{
    (void)thread;
    struct alc_table *target = instance->instance->tables[row->b];
    struct alc_table *source = instance->instance->tables[row->c];
    return alc_table_copy(target, address(slots[0], is_table_64(target)), source,
                          address(slots[1], is_table_64(source)),
                          address(slots[2], is_table_64(target) && is_table_64(source)));
}

OPERATION_FUNCTION(TABLE_INIT)
{
    (void)thread;
    const struct alc_element_instance *elements = &instance->instance->elements[row->b];
    struct alc_table *table = instance->instance->tables[row->c];
    return alc_table_init_from(table, address(slots[0], is_table_64(table)), elements->references,
                               elements->count, (uint32_t)slots[1], (uint32_t)slots[2]);
}

OPERATION_FUNCTION(ELEM_DROP)
{
    (void)thread;
    (void)slots;
    instance->instance->elements[row->b].count = 0;
    return ALC_OK;
}

/* -- references and globals -- */

OPERATION_FUNCTION(REF_FUNC)
{
    (void)thread;
    slots[0] = alc_reference_from_function(instance->instance->functions[row->b]);
    return ALC_OK;
}

OPERATION_FUNCTION(GLOBAL_GET)
{
    (void)thread;
    const struct alc_global *global = instance->instance->globals[row->b];
    slots[0] = global->cell->slots[0];
    if (global->type.type == ALC_TYPE_V128) {
        slots[1] = global->cell->slots[1];
    }
    return ALC_OK;
}

OPERATION_FUNCTION(GLOBAL_SET)
{
    struct alc_global *global = instance->instance->globals[row->b];
    uint64_t value = slots[0];
    if (alc_type_is_reference(global->type.type)) {
        ALC_TRY(check_reference(thread, instance, value, global->type.type));
    }
    global->cell->slots[0] = value;
    if (global->type.type == ALC_TYPE_V128) {
        global->cell->slots[1] = slots[1];
    }
    return ALC_OK;
}

/* -- the table -- */

#define ROW(ident, b, c) ALC_NATIVE_OPERATION(ident, b, c, run_##ident)
const struct alc_native_operation_row alc_native_operations_plain[] = {
    ROW(MEMORY_SIZE, MEMORY, NONE),        ROW(MEMORY_GROW, MEMORY, NONE),
    ROW(MEMORY_FILL, MEMORY, NONE),        ROW(MEMORY_COPY, MEMORY, MEMORY),
    ROW(MEMORY_INIT, DATA, MEMORY),        ROW(DATA_DROP, DATA, NONE),
    ROW(TABLE_GET, TABLE, NONE),           ROW(TABLE_SET, TABLE, NONE),
    ROW(TABLE_SIZE, TABLE, NONE),          ROW(TABLE_GROW, TABLE, NONE),
    ROW(TABLE_FILL, TABLE, NONE),          ROW(TABLE_COPY, TABLE, TABLE),
    ROW(TABLE_INIT, ELEMENT, TABLE),       ROW(ELEM_DROP, ELEMENT, NONE),
    ROW(REF_FUNC, FUNCTION, NONE),         ROW(GLOBAL_GET, GLOBAL, NONE),
    ROW(GLOBAL_SET, MUTABLE_GLOBAL, NONE), {0},
};

const struct alc_native_operation_row *alc_native_operation_find(uint32_t op,
                                                                 enum alc_native_shape shape)
{
    static const struct alc_native_operation_row *const tables[] = {
        alc_native_operations_plain, alc_native_operations_object, alc_native_operations_atomic};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(tables); i++) {
        for (const struct alc_native_operation_row *row = tables[i]; row->function != NULL; row++) {
            if (row->op == op) {
                return shape >= (enum alc_native_shape)row->shape ? row : NULL;
            }
        }
    }
    return NULL;
}
