/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads and contexts: where memories of native stores lie, what stands in the words around GS,
 * which functions a store has.
 *
 *   confined instance with a memory: context | GS, memory (4 GiB, behind its size nothing) | 64 KiB
 *   any other: context | GS, the context's memory is the arena's
 *   thread: record | guard | stack
 */
#include "base/bytes.h"
#include "exec/roots.h"
#include "native_exec/native_internal.h"

enum {
    PAGE = ALC_SYSTEM_PAGE_SIZE,
    WASM_PAGE = 64 << 10,
    PAGES_MAX = 65535, /* so that ALC_NATIVE_GUARD_SIZE is enough */
};
#define WINDOW_SIZE ((UINT64_C(4) << 30) + ALC_NATIVE_GUARD_SIZE)

static uint64_t to_pages(uint64_t size)
{
    return (size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* -- threads -- */

static uint64_t record_size(void)
{
    return to_pages(sizeof(struct alc_native_thread));
}

static alc_status open_store(struct alc_store *store, uint64_t stack_slots,
                             const struct alc_store_options *options)
{
    (void)options;
    const struct alc_pages *pages = &store->pages;
    uint64_t stack_size = to_pages(stack_slots * sizeof(uint64_t));
    uint64_t front = record_size() + ALC_NATIVE_STACK_GUARD;
    uint64_t size = front + stack_size;
    uint8_t *range = pages->reserve(pages->context, size);
    if (range == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_status status = pages->commit(pages->context, range, record_size());
    if (status == ALC_OK) {
        status = pages->commit(pages->context, range + front, stack_size);
    }
    if (status != ALC_OK) {
        pages->release(pages->context, range, size);
        return status;
    }
    struct alc_native_thread *thread = (struct alc_native_thread *)(void *)range;
    *thread = (struct alc_native_thread){
        .store = store,
        .stack_low = range + front,
        .stack_high = range + size,
        .free = (uint64_t)(uintptr_t)(range + size),
    };
    store->stack_size = size;
    store->thread.native = thread;
    return ALC_OK;
}

static void close_store(struct alc_store *store)
{
    const struct alc_pages *pages = &store->pages;
    struct alc_native_thread *thread = store->thread.native;
    if (thread == NULL) {
        return;
    }
    for (struct alc_native_code *code = thread->codes; code != NULL; code = code->next) {
        pages->release(pages->context, code->reservation, code->reserved);
    }
    store->thread.native = NULL;
    pages->release(pages->context, thread, store->stack_size);
}

_Static_assert(offsetof(struct alc_type, supers) == offsetof(struct alc_native_type, supers) &&
                   offsetof(struct alc_type, depth) == offsetof(struct alc_native_type, depth) &&
                   offsetof(struct alc_type, kind) == offsetof(struct alc_native_type, kind) &&
                   sizeof(enum alc_composite_kind) == sizeof(uint32_t),
               "ALC_NATIVE_REGISTRY");
#define SAME(member)                                                                               \
    (offsetof(struct alc_gc_block, member) == offsetof(struct alc_native_block, member))
_Static_assert(SAME(objects_count) && SAME(cursor) && SAME(allocated) &&
                   sizeof(struct alc_gc_block) == sizeof(struct alc_native_block) &&
                   (int)ALC_GC_GRANULE == (int)ALC_NATIVE_GRANULE &&
                   ALC_NATIVE_SMALL_MAX / ALC_NATIVE_GRANULE <= ALC_GC_CLASSES,
               "ALC_NATIVE_BLOCKS");
#undef SAME
_Static_assert((int)ALC_NATIVE_MARKING == (int)ALC_GC_MARKING &&
                   sizeof(enum alc_gc_phase) == sizeof(uint32_t),
               "ALC_NATIVE_PHASE");
_Static_assert(offsetof(struct alc_memory, base) == 0 && offsetof(struct alc_memory, size) == 8,
               "ALC_NATIVE_MEMORIES");

void alc_native_stop(struct alc_native_thread *thread)
{
    __atomic_store_n(&thread->is_stopped, true, __ATOMIC_SEQ_CST);
    for (struct alc_native_instance *instance = thread->instances; instance != NULL;
         instance = instance->next) {
        __atomic_store_n(&alc_native_words(instance->base)[ALC_NATIVE_WORD_STOP], 1,
                         __ATOMIC_SEQ_CST);
    }
}

/* -- functions of the store -- */

/* How many ranges begin at or below `addr`. */
static uint32_t ranges_until(const struct alc_native_thread *thread, uint64_t addr)
{
    uint32_t low = 0;
    uint32_t high = thread->ranges_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (thread->ranges[middle].start <= addr) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static alc_status make_room(struct alc_native_thread *thread)
{
    if (thread->ranges_count < thread->ranges_capacity) {
        return ALC_OK;
    }
    uint32_t capacity = thread->ranges_capacity == 0 ? 64 : 2 * thread->ranges_capacity;
    struct alc_native_range *ranges =
        ALC_ARENA_ARRAY(thread->store->arena, struct alc_native_range, capacity);
    if (ranges == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    if (thread->ranges_count != 0) {
        alc_copy(ranges, thread->ranges, thread->ranges_count * sizeof *ranges);
    }
    thread->ranges = ranges;
    thread->ranges_capacity = capacity;
    return ALC_OK;
}

alc_status alc_native_add_range(struct alc_native_thread *thread, const void *start,
                                const void *end)
{
    struct alc_native_range range = {(uint64_t)(uintptr_t)start, (uint64_t)(uintptr_t)end};
    uint32_t place = ranges_until(thread, range.start);
    if (range.start == range.end ||
        (place != 0 && thread->ranges[place - 1].end >= range.end)) { /* is known */
        return ALC_OK;
    }
    ALC_TRY(make_room(thread));
    alc_move(&thread->ranges[place + 1], &thread->ranges[place],
             (thread->ranges_count - place) * sizeof range);
    thread->ranges[place] = range;
    thread->ranges_count++;
    return ALC_OK;
}

bool alc_native_may_be(const struct alc_native_thread *thread, uint64_t reference, uint32_t type)
{
    if (reference == ALC_REF_NULL) {
        return alc_type_is_nullable(type);
    }
    uint32_t place = ranges_until(thread, reference);
    if (place == 0) {
        return false;
    }
    /* Clamped, so that nothing beyond the ranges is read where the comparison is mispredicted. */
    const struct alc_native_range *range =
        &thread->ranges[alc_index_clamp(place - 1, thread->ranges_count)];
    uint64_t distance = reference - range->start;
    uint64_t size = range->end - range->start;
    if (distance >= size || distance % sizeof(struct alc_function) != 0) {
        return false;
    }
    const struct alc_function *function =
        alc_reference_to_function(range->start + alc_index_clamp(distance, size));
    uint32_t heap = alc_type_heap(type);
    return heap == ALC_HEAP_FUNC ||
           (alc_heap_is_concrete(heap) &&
            alc_type_id_matches(thread->store->heap.types, function->type_id, heap));
}

/* -- memories -- */

alc_status alc_native_reserve_memory(struct alc_memory *memory, uint64_t size,
                                     const struct alc_module *module)
{
    const struct alc_limits *limits = &memory->type.limits;
    const struct alc_pages *pages = memory->pages;
    if (limits->is_64 || limits->page_size_log2 != 16) {
        return alc_memory_reserve(memory, size, module);
    }
    const struct alc_native_code *code = module != NULL ? module->native : NULL;
    uint64_t size_max = (uint64_t)PAGES_MAX * WASM_PAGE;
    memory->size_max = memory->size_max < size_max ? memory->size_max : size_max;
    if (size > memory->size_max) {
        return ALC_E_OUT_OF_MEMORY;
    }
    uint64_t prefix = code != NULL && alc_native_is_confined(code) ? code->context_size : 0;
    uint8_t *range = pages->reserve(pages->context, prefix + WINDOW_SIZE);
    memory->reserved = 0;
    if (range == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    memory->prefix = prefix;
    memory->base = range + prefix;
    memory->reserved = WINDOW_SIZE;
    memory->grow_step = WASM_PAGE; /* an access behind the size has to fault */
    return ALC_OK;
}

/* -- instances -- */

/* Memory for the context: GS. */
static alc_status make_context(const struct alc_instance *instance,
                               const struct alc_native_code *code, struct alc_arena *arena,
                               uint8_t **out)
{
    uint32_t size = code->context_size;
    if (alc_native_is_confined(code) && instance->memory0 != NULL) {
        const struct alc_memory *memory = instance->memory0;
        const struct alc_pages *pages = memory->pages;
        ALC_ASSERT(memory->prefix == size);
        ALC_TRY(pages->commit(pages->context, memory->base - size, size));
        *out = memory->base;
        return ALC_OK;
    }
    uint8_t *context = alc_arena_take(arena, size, PAGE);
    if (context == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_fill(context, 0, size);
    *out = context + size;
    return ALC_OK;
}

/* Where new objects go; nowhere when each is to be preceded by a collection. */
static struct alc_gc_block *const *current_blocks(const struct alc_native_thread *thread)
{
    return thread->store->heap.collects_always ? thread->no_blocks : thread->store->heap.current;
}

static void write_private(const struct alc_native_thread *thread,
                          const struct alc_native_instance *native)
{
    const struct alc_instance *instance = native->instance;
    const struct alc_native_code *code = native->code;
    uint8_t *base = native->base;
    uint32_t first = instance->module->imported_counts[ALC_EXTERNAL_FUNCTION];
    uint32_t count = instance->module->functions_count - first;
    *alc_native_word(base, NATIVE_SELF) = (uint64_t)(uintptr_t)base;
    *alc_native_word(base, NATIVE_THREAD) = (uint64_t)(uintptr_t)thread;
    *alc_native_word(base, NATIVE_INSTANCE) = (uint64_t)(uintptr_t)native;
    *alc_native_word(base, NATIVE_CALLEES) = (uint64_t)(uintptr_t)native->callees;
    *alc_native_word(base, NATIVE_OWN_START) =
        count == 0 ? 0 : (uint64_t)(uintptr_t)instance->functions[first];
    *alc_native_word(base, NATIVE_OWN_SIZE) = (uint64_t)count * sizeof(struct alc_function);
    *alc_native_word(base, NATIVE_ZERO) = 0;
    *alc_native_word(base, NATIVE_STUB_ENTRY) = (uint64_t)(uintptr_t)alc_native_stub_entry;
    if (!alc_native_is_confined(code)) {
        const struct alc_memory *memory = instance->memory0;
        *alc_native_word(base, ALC_NATIVE_INSTANCE) = (uint64_t)(uintptr_t)instance;
        *alc_native_word(base, ALC_NATIVE_MEMORY_BASE) =
            memory == NULL ? 0 : (uint64_t)(uintptr_t)memory->base;
        *alc_native_word(base, ALC_NATIVE_MEMORIES) = (uint64_t)(uintptr_t)instance->memories;
        *alc_native_word(base, ALC_NATIVE_ROOTS) = (uint64_t)(uintptr_t)&thread->roots;
        *alc_native_word(base, ALC_NATIVE_PHASE) = (uint64_t)(uintptr_t)&thread->store->heap.phase;
        *alc_native_word(base, ALC_NATIVE_TYPES) = (uint64_t)(uintptr_t)instance->module->type_ids;
        *alc_native_word(base, ALC_NATIVE_TAGS) = (uint64_t)(uintptr_t)instance->tags;
        *alc_native_word(base, ALC_NATIVE_BLOCKS) = (uint64_t)(uintptr_t)current_blocks(thread);
        *alc_native_word(base, ALC_NATIVE_REGISTRY) =
            (uint64_t)(uintptr_t)&thread->store->types.types;
    }
}

static alc_status make_callees(struct alc_native_instance *native, struct alc_arena *arena)
{
    const struct alc_native_image *image = &native->code->image;
    const struct alc_module *module = native->instance->module;
    native->callees = ALC_ARENA_ARRAY(arena, struct alc_native_callees, image->stubs_count);
    if (native->callees == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < image->stubs_count; i++) {
        const struct alc_native_stub *row = &image->stubs[i];
        struct alc_native_callees *callees = &native->callees[i];
        if (row->kind == ALC_NATIVE_STUB_INDIRECT) {
            callees->table = native->instance->tables[row->a];
            callees->type_id = module->type_ids[row->b];
        } else if (row->kind == ALC_NATIVE_STUB_REFERENCE) {
            callees->type_id = module->type_ids[row->a];
        }
    }
    return ALC_OK;
}

/* Functions get an entry, those of the host become known. */
static alc_status place_functions(struct alc_native_thread *thread,
                                  const struct alc_native_instance *native)
{
    const struct alc_instance *instance = native->instance;
    const struct alc_module *module = instance->module;
    const struct alc_native_image *image = &native->code->image;
    uint32_t first = module->imported_counts[ALC_EXTERNAL_FUNCTION];
    for (uint32_t i = 0; i < first; i++) {
        const struct alc_function *function = instance->functions[i];
        ALC_TRY(alc_native_add_range(thread, function, function + 1));
    }
    for (uint32_t i = first; i < module->functions_count; i++) {
        struct alc_function *function = instance->functions[i];
        function->native = image->code + image->functions[i - first];
        function->native_base = (uint64_t)(uintptr_t)native->base;
        function->native_crossing = alc_native_signature(&function->type->function);
    }
    if (first == module->functions_count) {
        return ALC_OK;
    }
    const struct alc_function *own = instance->functions[first];
    return alc_native_add_range(thread, own, own + (module->functions_count - first));
}

/* Globals move to where code looks for them; references are out of confined code's reach. */
static void place_globals(const struct alc_native_instance *native)
{
    const struct alc_module *module = native->instance->module;
    uint32_t first = module->imported_counts[ALC_EXTERNAL_GLOBAL];
    for (uint32_t i = first; i < module->globals_count; i++) {
        struct alc_global *global = native->instance->globals[i];
        if (alc_native_is_confined(native->code) && alc_type_is_reference(global->type.type)) {
            continue;
        }
        uint64_t distance = ALC_NATIVE_WORDS + (uint64_t)ALC_NATIVE_GLOBAL_SIZE * (i - first + 1);
        global->cell = (union alc_cell *)(void *)(native->base - distance);
        *global->cell = global->value;
    }
}

alc_status alc_native_prepare(struct alc_instance *instance, struct alc_arena *arena)
{
    struct alc_native_thread *thread = instance->store->thread.native;
    const struct alc_native_code *code = instance->module->native;
    if (code == NULL) {
        return ALC_E_NOT_SUPPORTED;
    }
    struct alc_native_instance *native = ALC_ARENA_NEW(arena, struct alc_native_instance);
    if (native == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    native->instance = instance;
    native->code = code;
    ALC_TRY(make_context(instance, code, arena, &native->base));
    ALC_TRY(make_callees(native, arena));
    place_globals(native);
    write_private(thread, native);
    ALC_TRY(place_functions(thread, native));
    alc_native_refresh(thread, native);
    thread->is_wide |= (code->image.features & ALC_NATIVE_V3) != 0;
    native->next = thread->instances;
    thread->instances = native;
    return ALC_OK;
}

void alc_native_refresh(const struct alc_native_thread *thread,
                        const struct alc_native_instance *instance)
{
    const struct alc_thread *running = &thread->store->thread;
    const struct alc_memory *memory = instance->instance->memory0;
    *alc_native_word(instance->base, ALC_NATIVE_MEMORY_SIZE) =
        memory == NULL ? 0 : alc_memory_size(memory);
    uint64_t *word = &alc_native_words(instance->base)[ALC_NATIVE_WORD_STOP];
    uint64_t stops = (__atomic_load_n(running->stop_flag, __ATOMIC_RELAXED) |
                      __atomic_load_n(running->end_flag, __ATOMIC_RELAXED)) != 0;
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != stops) {
        __atomic_store_n(word, stops, __ATOMIC_SEQ_CST);
    }
    /* Asked for afterwards: alc_native_stop may have written the word meanwhile. */
    if (__atomic_load_n(&thread->is_stopped, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
    }
}

/* -- roots -- */

static void shade_activations(struct alc_store *store)
{
    const struct alc_native_thread *thread = store->thread.native;
    for (const struct alc_native_roots *roots = thread->roots; roots != NULL;
         roots = roots->outer) {
        for (uint64_t i = 0; i < roots->count; i++) {
            alc_gc_shade(&store->heap, roots->references[i]);
        }
    }
    for (const struct alc_native_host_call *call = thread->host_calls; call != NULL;
         call = call->outer) {
        alc_roots_shade_arguments(store, call->type, call->slots);
    }
    for (const struct alc_native_instance *instance = thread->instances; instance != NULL;
         instance = instance->next) {
        if (!alc_native_is_confined(instance->code)) {
            alc_gc_shade(&store->heap, alc_native_words(instance->base)[ALC_NATIVE_WORD_EXCEPTION]);
        }
    }
}

const struct alc_executor alc_native_executor = {
    .open = open_store,
    .close = close_store,
    .call = alc_native_call,
    .shade = shade_activations,
    .reserve_memory = alc_native_reserve_memory,
    .prepare = alc_native_prepare,
};
