/* SPDX-License-Identifier: Apache-2.0
 *
 * The roots of a collection but for those in frames, which the executor knows.
 */
#include "exec/roots.h"

#include "exec/engine.h"

static bool has_traced_type(const struct alc_store *store, uint32_t type)
{
    return alc_type_is_reference(type) && alc_type_is_traced(store->heap.types, type);
}

void alc_roots_shade_arguments(struct alc_store *store, const struct alc_function_type *type,
                               const uint64_t *slots)
{
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        if (has_traced_type(store, type->parameters[i])) {
            alc_gc_shade(&store->heap, *slots);
        }
        slots += alc_type_slots(type->parameters[i]);
    }
}

/* -- objects of the store -- */

static void shade_table(struct alc_store *store, const struct alc_table *table)
{
    if (!has_traced_type(store, table->type.element)) {
        return;
    }
    for (uint64_t i = 0; i < table->count; i++) {
        alc_gc_shade(&store->heap, table->entries[i]);
    }
}

static void shade_global(struct alc_store *store, const struct alc_global *global)
{
    if (has_traced_type(store, global->type.type)) {
        alc_gc_shade(&store->heap, global->cell->u64);
    }
}

/* What the instance imports belongs to others. */
static void shade_instance(struct alc_store *store, const struct alc_instance *instance)
{
    const struct alc_module *module = instance->module;
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_GLOBAL]; i < module->globals_count;
         i++) {
        shade_global(store, instance->globals[i]);
    }
    for (uint32_t i = 0; i < module->elements_count; i++) {
        if (!has_traced_type(store, module->elements[i].type)) {
            continue;
        }
        for (uint64_t j = 0; j < instance->elements[i].count; j++) {
            alc_gc_shade(&store->heap, instance->elements[i].references[j]);
        }
    }
}

void alc_roots_shade(struct alc_store *store)
{
    alc_gc_shade(&store->heap, store->thread.exception);
    store->executor->shade(store);
    for (const struct alc_table *table = store->tables; table != NULL; table = table->next) {
        shade_table(store, table);
    }
    for (const struct alc_global *global = store->globals; global != NULL; global = global->next) {
        shade_global(store, global);
    }
    for (const struct alc_instance *instance = store->instances; instance != NULL;
         instance = instance->next) {
        shade_instance(store, instance);
    }
}
