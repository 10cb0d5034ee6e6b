/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools of instances. A pooled instance keeps a copy of what its globals, tables and segments were
 * before anything ran; these hold references to its own functions, so each has its own copy. Images
 * of memories are shared by all.
 */
#include "exec/pool.h"

#include "base/bytes.h"
#include "exec/exec_internal.h"

struct alc_memory_image {
    uint64_t image;
    uint64_t size; /* multiple of 4096; 0: no data, no image */
};

struct alc_pooled {
    struct alc_pooled *next;
    struct alc_instance *instance;
    bool is_taken;
    /* What the module defines, imports left out. */
    union alc_cell *globals;
    struct alc_element_instance *elements;
    struct alc_data_instance *data;
    uint64_t **entries; /* of each table */
};

static uint32_t first_own(const struct alc_module *module, enum alc_external_kind kind)
{
    return module->imported_counts[kind];
}

/* -- what can be pooled -- */

static bool has_foreign_segments(const struct alc_module *module)
{
    for (uint32_t i = 0; i < module->elements_count; i++) {
        const struct alc_element_segment *segment = &module->elements[i];
        if (segment->mode == ALC_SEGMENT_ACTIVE &&
            segment->table_index < first_own(module, ALC_EXTERNAL_TABLE)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct alc_data_segment *segment = &module->data[i];
        if (segment->mode == ALC_SEGMENT_ACTIVE &&
            segment->memory_index < first_own(module, ALC_EXTERNAL_MEMORY)) {
            return true;
        }
    }
    return false;
}

/* Whether a constant of `type` refers to an object, which could be changed. */
static bool is_object(const struct alc_module *module, uint32_t type, uint64_t reference)
{
    return reference != ALC_REF_NULL && (reference & 3) == 0 &&
           alc_type_is_traced(module->types, type);
}

static bool has_object(const struct alc_module *module, uint32_t type, const uint64_t *references,
                       uint64_t count)
{
    for (uint64_t i = 0; alc_type_is_reference(type) && i < count; i++) {
        if (is_object(module, type, references[i])) {
            return true;
        }
    }
    return false;
}

static bool has_objects(const struct alc_instance *instance)
{
    const struct alc_module *module = instance->module;
    for (uint32_t i = first_own(module, ALC_EXTERNAL_GLOBAL); i < module->globals_count; i++) {
        if (has_object(module, module->globals[i].type.type, &instance->globals[i]->cell->u64, 1)) {
            return true;
        }
    }
    for (uint32_t i = first_own(module, ALC_EXTERNAL_TABLE); i < module->tables_count; i++) {
        const struct alc_table *table = instance->tables[i];
        if (has_object(module, table->type.element, table->entries, table->count)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < module->elements_count; i++) {
        const struct alc_element_instance *element = &instance->elements[i];
        if (has_object(module, module->elements[i].type, element->references, element->count)) {
            return true;
        }
    }
    return false;
}

/* -- first states -- */

static void *copy_of(struct alc_arena *arena, const void *items, size_t count, size_t size)
{
    void *copy = alc_arena_take_array(arena, count, size, sizeof(union alc_cell));
    if (copy != NULL && count != 0) {
        alc_copy(copy, items, count * size);
    }
    return copy;
}

static union alc_cell *keep_globals(const struct alc_instance *instance, struct alc_arena *arena)
{
    uint32_t first = first_own(instance->module, ALC_EXTERNAL_GLOBAL);
    uint32_t count = instance->module->globals_count - first;
    union alc_cell *cells = ALC_ARENA_ARRAY(arena, union alc_cell, count);
    for (uint32_t i = 0; cells != NULL && i < count; i++) {
        cells[i] = *instance->globals[first + i]->cell;
    }
    return cells;
}

static bool keep_tables(struct alc_pooled *pooled, struct alc_arena *arena)
{
    const struct alc_instance *instance = pooled->instance;
    uint32_t count = instance->module->tables_count;
    pooled->entries = ALC_ARENA_ARRAY(arena, uint64_t *, count);
    bool has_all = pooled->entries != NULL;
    for (uint32_t i = first_own(instance->module, ALC_EXTERNAL_TABLE); has_all && i < count; i++) {
        struct alc_table *table = instance->tables[i];
        pooled->entries[i] = copy_of(arena, table->entries, table->count, sizeof(uint64_t));
        table->is_written = false;
        has_all = pooled->entries[i] != NULL;
    }
    return has_all;
}

static alc_status keep_state(struct alc_pooled *pooled, struct alc_arena *arena)
{
    const struct alc_instance *instance = pooled->instance;
    const struct alc_module *module = instance->module;
    pooled->globals = keep_globals(instance, arena);
    pooled->elements =
        copy_of(arena, instance->elements, module->elements_count, sizeof *pooled->elements);
    pooled->data = copy_of(arena, instance->data, module->data_count, sizeof *pooled->data);
    bool has_all = pooled->globals != NULL && pooled->elements != NULL && pooled->data != NULL;
    return has_all && keep_tables(pooled, arena) ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static void restore_tables(const struct alc_pooled *pooled)
{
    const struct alc_instance *instance = pooled->instance;
    const struct alc_module *module = instance->module;
    for (uint32_t i = first_own(module, ALC_EXTERNAL_TABLE); i < module->tables_count; i++) {
        struct alc_table *table = instance->tables[i];
        if (table->is_written) {
            table->count = table->type.limits.min;
            if (table->count != 0) {
                alc_copy(table->entries, pooled->entries[i], table->count * sizeof(uint64_t));
            }
            table->is_written = false;
        }
    }
}

static void restore_state(const struct alc_pooled *pooled)
{
    const struct alc_instance *instance = pooled->instance;
    const struct alc_module *module = instance->module;
    uint32_t first = first_own(module, ALC_EXTERNAL_GLOBAL);
    for (uint32_t i = first; i < module->globals_count; i++) {
        *instance->globals[i]->cell = pooled->globals[i - first];
    }
    if (module->elements_count != 0) {
        alc_copy(instance->elements, pooled->elements,
                 module->elements_count * sizeof *pooled->elements);
    }
    if (module->data_count != 0) {
        alc_copy(instance->data, pooled->data, module->data_count * sizeof *pooled->data);
    }
    restore_tables(pooled);
}

/* -- memories -- */

/* Bytes of each own memory up to the last one with data; the segments fit. */
static alc_status measure_data(const struct alc_instance *instance, struct alc_arena *scratch,
                               struct alc_memory_image *images)
{
    const struct alc_module *module = instance->module;
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct alc_data_segment *segment = &module->data[i];
        union alc_cell offset;
        if (segment->mode != ALC_SEGMENT_ACTIVE || segment->bytes.size == 0) {
            continue;
        }
        ALC_TRY(alc_constant_evaluate(instance, segment->offset, scratch, &offset));
        uint64_t end = offset.u64 + segment->bytes.size;
        end = (end + ALC_SYSTEM_PAGE_SIZE - 1) & ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1);
        struct alc_memory_image *image = &images[segment->memory_index];
        image->size = end > image->size ? end : image->size;
    }
    return ALC_OK;
}

static void drop_images(const struct alc_instance_pool *pool, struct alc_memory_image *images)
{
    const struct alc_page_images *system = pool->store->pages.images;
    for (uint32_t i = 0; i < pool->module->memories_count; i++) {
        if (images[i].size != 0) {
            system->drop(system->context, images[i].image);
        }
    }
}

/* Makes images of the first instance's memories; without them memories are filled by copying. */
static alc_status make_images(struct alc_instance_pool *pool, const struct alc_instance *instance)
{
    const struct alc_page_images *system = pool->store->pages.images;
    uint32_t count = pool->module->memories_count;
    struct alc_memory_image *images = ALC_ARENA_ARRAY(pool->arena, struct alc_memory_image, count);
    if (images == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(measure_data(instance, pool->arena, images));
    for (uint32_t i = 0; i < count; i++) {
        if (images[i].size != 0 && system->make(system->context, instance->memories[i]->base,
                                                images[i].size, &images[i].image) != ALC_OK) {
            for (uint32_t unmade = i; unmade < count; unmade++) {
                images[unmade].size = 0;
            }
            drop_images(pool, images);
            return ALC_OK;
        }
    }
    pool->images = images;
    return ALC_OK;
}

static alc_status map_images(const struct alc_instance_pool *pool,
                             const struct alc_instance *instance)
{
    const struct alc_page_images *system = pool->store->pages.images;
    const struct alc_module *module = pool->module;
    for (uint32_t i = first_own(module, ALC_EXTERNAL_MEMORY); i < module->memories_count; i++) {
        if (pool->images[i].size != 0) {
            ALC_TRY(system->map(system->context, pool->images[i].image, instance->memories[i]->base,
                                pool->images[i].size));
        }
    }
    return ALC_OK;
}

static alc_status restore_memory(const struct alc_instance_pool *pool, uint32_t index,
                                 struct alc_memory *memory)
{
    const struct alc_page_images *system = pool->store->pages.images;
    uint64_t used = memory->size;
    alc_memory_shrink(memory);
    used = used < memory->committed ? used : memory->committed;
    if (pool->images != NULL) {
        used = (used + ALC_SYSTEM_PAGE_SIZE - 1) & ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1);
        const struct alc_memory_image *image = &pool->images[index];
        return used == 0
                   ? ALC_OK
                   : system->renew(system->context, image->image, image->size, memory->base, used);
    }
    if (used != 0) {
        alc_fill(memory->base, 0, used);
    }
    return ALC_OK;
}

static alc_status restore_memories(const struct alc_instance_pool *pool,
                                   struct alc_instance *instance)
{
    const struct alc_module *module = pool->module;
    for (uint32_t i = first_own(module, ALC_EXTERNAL_MEMORY); i < module->memories_count; i++) {
        ALC_TRY(restore_memory(pool, i, instance->memories[i]));
    }
    return pool->images != NULL ? ALC_OK : alc_instance_fill(instance, pool->arena, NULL);
}

/* -- the pool -- */

static alc_status make_pooled(struct alc_instance_pool *pool, struct alc_pooled **out,
                              struct alc_error *error)
{
    const struct alc_instance_plan plan = {.store = pool->store,
                                           .arena = pool->arena,
                                           .module = pool->module,
                                           .linker = pool->linker,
                                           .leaves_data = pool->images != NULL};
    struct alc_pooled *pooled = ALC_ARENA_NEW(pool->arena, struct alc_pooled);
    if (pooled == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(alc_instance_make(&plan, &pooled->instance, error));
    if (pool->images != NULL) {
        ALC_TRY(map_images(pool, pooled->instance));
        if (pool->module->data_count != 0) {
            alc_copy(pooled->instance->data, pool->first->data,
                     pool->module->data_count * sizeof *pooled->data);
        }
    }
    ALC_TRY(keep_state(pooled, pool->arena));
    pooled->instance->pooled = pooled;
    *out = pooled;
    return ALC_OK;
}

alc_status alc_pool_init(struct alc_instance_pool *pool, struct alc_store *store,
                         struct alc_arena *arena, const struct alc_module *module,
                         const struct alc_linker *linker, struct alc_error *error)
{
    *pool = (struct alc_instance_pool){
        .store = store, .arena = arena, .module = module, .linker = linker};
    const struct alc_native_support *native = store->pages.native;
    bool is_native = store->executor->target == NULL;
    if (has_foreign_segments(module) ||
        (is_native && (native == NULL || native->uncommit == NULL))) {
        return alc_fail(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET);
    }
    alc_status status = make_pooled(pool, &pool->first, error);
    if (status == ALC_OK && has_objects(pool->first->instance)) {
        status = ALC_E_NOT_SUPPORTED;
    }
    if (status == ALC_OK && store->pages.images != NULL) {
        status = make_images(pool, pool->first->instance);
    }
    if (status == ALC_OK && pool->images != NULL) {
        status = map_images(pool, pool->first->instance);
    }
    if (status != ALC_OK) {
        alc_pool_fini(pool);
        return alc_fail(error, status, ALC_NO_OFFSET);
    }
    pool->waiting = pool->first;
    return ALC_OK;
}

void alc_pool_fini(struct alc_instance_pool *pool)
{
    if (pool->images != NULL) {
        drop_images(pool, pool->images);
    }
    *pool = (struct alc_instance_pool){0};
}

alc_status alc_pool_take(struct alc_instance_pool *pool, struct alc_instance **out,
                         struct alc_error *error)
{
    struct alc_pooled *pooled = pool->waiting;
    if (pooled != NULL) {
        pool->waiting = pooled->next;
    } else {
        alc_status made = make_pooled(pool, &pooled, error);
        if (made != ALC_OK) {
            return alc_fail(error, made, ALC_NO_OFFSET);
        }
    }
    pooled->is_taken = true;
    alc_status status = alc_instance_start(pooled->instance, error);
    if (status != ALC_OK) {
        alc_pool_give(pool, pooled->instance);
        return status;
    }
    *out = pooled->instance;
    return ALC_OK;
}

void alc_pool_give(struct alc_instance_pool *pool, struct alc_instance *instance)
{
    struct alc_pooled *pooled = instance->pooled;
    ALC_ASSERT(pooled != NULL && pooled->is_taken && instance->module == pool->module);
    restore_state(pooled);
    pooled->is_taken = false;
    /* What could not be renewed is never taken again. */
    if (restore_memories(pool, instance) == ALC_OK) {
        pooled->next = pool->waiting;
        pool->waiting = pooled;
    }
}
