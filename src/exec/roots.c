/* SPDX-License-Identifier: Apache-2.0
 *
 * The roots of a collection. Frames are walked as for a backtrace; what an operation's frame holds
 * comes from the safepoints of its function (wasm/code.h), never from looking at values.
 */
#include "exec/roots.h"

#include "exec/engine.h"
#include "exec/interp_state.h"

static bool has_traced_type(const struct alc_store *store, uint32_t type)
{
    return alc_type_is_reference(type) && alc_type_is_traced(store->heap.types, type);
}

/* -- frames -- */

/* The chain of the operation that ends at `unit`, 0: none. */
static uint32_t find_root(const struct alc_code *code, uint32_t unit)
{
    const struct alc_code_safepoint *safepoints = alc_code_safepoints(code);
    uint32_t low = 0;
    uint32_t high = code->safepoints_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (safepoints[middle].unit < unit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_found = low < code->safepoints_count && safepoints[low].unit == unit;
    return is_found ? safepoints[low].root : 0;
}

static void shade_frame(struct alc_gc_heap *heap, const struct alc_code *code, uint32_t unit,
                        const uint64_t *fp)
{
    const struct alc_code_root *roots = alc_code_roots(code);
    for (uint32_t root = find_root(code, unit); root != 0; root = roots[root - 1].next) {
        alc_gc_shade(heap, fp[roots[root - 1].slot]);
    }
}

static void shade_arguments(struct alc_store *store, const struct alc_function_type *type,
                            const uint64_t *slots)
{
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        if (has_traced_type(store, type->parameters[i])) {
            alc_gc_shade(&store->heap, *slots);
        }
        slots += alc_type_slots(type->parameters[i]);
    }
}

static void shade_activation(struct alc_store *store, const struct interp_run *run)
{
    struct interp_place place = {run->safepoint_ip - 1, run->safepoint_fp, run->safepoint_instance};
    bool more = true;
    if (run->host_type != NULL) {
        shade_arguments(store, run->host_type, run->safepoint_fp);
        more = alc_interp_step_out(run, run->safepoint_ip, &place);
    }
    while (more) {
        const struct alc_code *code = alc_interp_find_code(place.instance, place.ip);
        ALC_ASSERT(code != NULL);
        shade_frame(&store->heap, code, (uint32_t)(place.ip + 1 - code->units), place.fp);
        const uint16_t *return_ip = (const uint16_t *)(uintptr_t)place.fp[code->link_slot];
        more = alc_interp_step_out(run, return_ip, &place);
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
        alc_gc_shade(&store->heap, global->value.u64);
    }
}

/* What the instance imports belongs to others. */
static void shade_instance(struct alc_store *store, const struct alc_instance *instance)
{
    const struct alc_module *module = instance->module;
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_GLOBAL]; i < module->globals_count;
         i++) {
        shade_global(store, (const struct alc_global *)(const void *)instance->globals[i]);
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
    for (const struct interp_run *run = store->thread.run; run != NULL; run = run->outer) {
        shade_activation(store, run);
    }
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
