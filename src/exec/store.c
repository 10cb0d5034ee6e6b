/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: pages, budgets and the lists of everything that holds pages; externals made by the
 * embedder; calls and fuel.
 */
#include "base/bytes.h"
#include "exec/exec_internal.h"
#include "exec/waiting.h"

/* What threads look at that nobody may stop. */
static const uint64_t NEVER_STOP = 0;

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value == 0 ? fallback : value;
}

alc_status alc_store_init(struct alc_store *store, struct alc_arena *arena,
                          const struct alc_store_options *options)
{
    uint64_t slots = or_default(options->stack_slots, ALC_LIMIT_STACK_SLOTS);
    *store =
        (struct alc_store){.arena = arena, .pages = options->pages, .executor = options->executor};
    if (slots > ALC_LIMIT_STACK_SLOTS) {
        return ALC_E_BAD_ARGUMENT;
    }
    alc_types_init(&store->types, arena);
    store->own_budget.max = or_default(options->store_size_max, UINT64_MAX);
    store->budget = &store->own_budget;
    store->memory_size_max = or_default(options->memory_size_max, UINT64_MAX);
    store->memory_reserve_max = options->memory_reserve_max;
    if (store->memory_reserve_max == 0) {
        uint64_t usual = (UINT64_C(4) << 30) + (64 << 10);
        store->memory_reserve_max =
            options->memory_size_max > usual ? options->memory_size_max : usual;
    }
    alc_gc_init(&store->heap, store,
                or_default(options->heap_size_max, (uint64_t)ALC_LIMIT_HEAP_MEBIBYTES << 20));
    store->heap.collects_always = options->collects_always;
    store->thread.stop_flag = options->stop_flag != NULL ? options->stop_flag : &NEVER_STOP;
    store->thread.end_flag = options->waiting != NULL ? &options->waiting->is_ended : &NEVER_STOP;
    store->thread.waiting = options->waiting;
    return store->executor->open(store, slots, options);
}

alc_status alc_store_init_thread(struct alc_store *store, struct alc_arena *arena,
                                 struct alc_store *first, uint32_t number, uint64_t stack_slots)
{
    *store = (struct alc_store){
        .arena = arena,
        .pages = first->pages,
        .executor = first->executor,
        .budget = first->budget,
        .memory_size_max = first->memory_size_max,
        .memory_reserve_max = first->memory_reserve_max,
        .thread = {.has_fuel = first->thread.has_fuel,
                   .stop_flag = first->thread.stop_flag,
                   .end_flag = first->thread.end_flag,
                   .waiting = first->thread.waiting,
                   .number = number},
    };
    alc_gc_init(&store->heap, store, first->heap.size_max);
    store->heap.types = first->heap.types;
    store->heap.collects_always = first->heap.collects_always;
    ALC_ASSERT(number != 0 && stack_slots <= ALC_LIMIT_STACK_SLOTS);
    return store->executor->open(store, stack_slots, NULL);
}

void alc_store_fini(struct alc_store *store)
{
    for (struct alc_memory *memory = store->memories; memory != NULL; memory = memory->next) {
        alc_memory_fini(memory);
    }
    for (struct alc_table *table = store->tables; table != NULL; table = table->next) {
        alc_table_fini(table);
    }
    alc_gc_fini(&store->heap);
    if (store->executor != NULL) {
        store->executor->close(store);
    }
    *store = (struct alc_store){.arena = store->arena};
}

struct alc_load_options alc_store_load_options(struct alc_store *store, bool metered,
                                               bool interruptible)
{
    return (struct alc_load_options){
        .types = &store->types,
        .target = store->executor->target == NULL ? NULL
                                                  : store->executor->target(metered, interruptible),
        .code_heap = &store->code_heap,
    };
}

/* -- objects -- */

alc_status alc_store_add_memory(struct alc_store *store, struct alc_arena *arena,
                                const struct alc_memory_type *type, const struct alc_module *module,
                                struct alc_memory **out)
{
    struct alc_memory *memory = ALC_ARENA_NEW(arena, struct alc_memory);
    if (memory == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    const struct alc_memory_plan plan = {
        .type = type,
        .reserve_max = store->memory_size_max < store->memory_reserve_max
                           ? store->memory_size_max
                           : store->memory_reserve_max,
        .pages = &store->pages,
        .budget = store->budget,
        .reserve = store->executor->reserve_memory,
        .module = module,
    };
    ALC_TRY(alc_memory_init(memory, &plan));
    memory->next = store->memories;
    store->memories = memory;
    *out = memory;
    return ALC_OK;
}

alc_status alc_store_add_table(struct alc_store *store, struct alc_arena *arena,
                               const struct alc_table_type *type, uint64_t initial,
                               struct alc_table **out)
{
    struct alc_table *table = ALC_ARENA_NEW(arena, struct alc_table);
    if (table == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(alc_table_init(table, arena, type, initial, &store->pages));
    table->next = store->tables;
    store->tables = table;
    *out = table;
    return ALC_OK;
}

alc_status alc_store_new_global(struct alc_store *store, struct alc_global_type type,
                                union alc_cell initial, struct alc_global **out)
{
    struct alc_global *global = ALC_ARENA_NEW(store->arena, struct alc_global);
    if (global == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    global->type = type;
    global->cell = &global->value;
    global->value = initial;
    if (type.type == ALC_TYPE_I32 || type.type == ALC_TYPE_F32) {
        global->value = (union alc_cell){.slots = {initial.u32, 0}};
    } else if (type.type != ALC_TYPE_V128) {
        global->value = (union alc_cell){.slots = {initial.u64, 0}};
    }
    global->next = store->globals;
    store->globals = global;
    *out = global;
    return ALC_OK;
}

alc_status alc_store_new_table(struct alc_store *store, const struct alc_table_type *type,
                               uint64_t initial, struct alc_table **out)
{
    return alc_store_add_table(store, store->arena, type, initial, out);
}

alc_status alc_store_new_memory(struct alc_store *store, const struct alc_memory_type *type,
                                struct alc_memory **out)
{
    return alc_store_add_memory(store, store->arena, type, NULL, out);
}

alc_status alc_store_new_tag(struct alc_store *store, uint32_t type_id, struct alc_tag **out)
{
    struct alc_tag *tag = ALC_ARENA_NEW(store->arena, struct alc_tag);
    if (tag == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    tag->type_id = type_id;
    *out = tag;
    return ALC_OK;
}

/* -- calls -- */

alc_status alc_invoke(struct alc_store *store, struct alc_function *function,
                      const uint64_t *arguments, uint64_t *results, struct alc_error *error)
{
    struct alc_thread *thread = &store->thread;
    struct alc_error *outer_error = thread->error;
    if (thread->depth == ALC_LIMIT_NESTED_CALLS) { /* each takes stack of the host's too */
        thread->trap.status = ALC_E_CALL_STACK_EXHAUSTED;
        thread->trap.frames_count = 0; /* no frame of an earlier trap */
        thread->trap.frames_omitted = 0;
        return alc_fail(error, ALC_E_CALL_STACK_EXHAUSTED, ALC_NO_OFFSET);
    }
    thread->depth++;
    thread->error = error;
    alc_status status = store->executor->call(store, function, arguments, results);
    thread->error = outer_error;
    thread->depth--;
    if (status == ALC_OK) {
        return ALC_OK;
    }
    const struct alc_trap *trap = &thread->trap;
    uint64_t offset = ALC_NO_OFFSET;
    if (trap->frames_count != 0 && trap->frames[0].offset != 0) {
        offset = trap->frames[0].offset;
    }
    return alc_fail(error, status, offset);
}

void alc_store_set_fuel(struct alc_store *store, uint64_t fuel)
{
    store->thread.has_fuel = true;
    store->thread.fuel = fuel;
}

void alc_store_clear_fuel(struct alc_store *store)
{
    store->thread.has_fuel = false;
    store->thread.fuel = 0;
}

uint64_t alc_store_get_fuel(const struct alc_store *store)
{
    return store->thread.has_fuel ? store->thread.fuel : 0;
}
