/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter as a store's executor: its frame stack, address space for its code, and the roots
 * of a collection in its frames. Frames are walked as for a backtrace; what an operation's frame
 * holds comes from the safepoints of its function (wasm/code.h), never from looking at values.
 */
#include "exec/engine.h"
#include "exec/interp_state.h"
#include "exec/roots.h"

enum { CODE_RESERVE = 1 << 30, CODE_RESERVE_MIN = 1 << 20 };

/* -- stack and code -- */

/* Address space for code: as much as asked for, or half as much, and so on. */
static alc_status reserve_code(struct alc_store *store, uint64_t size_max)
{
    const struct alc_pages *pages = &store->pages;
    uint64_t size = size_max == 0 ? CODE_RESERVE : size_max;
    size = (size + ALC_SYSTEM_PAGE_SIZE - 1) & ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1);
    void *range = pages->reserve(pages->context, size);
    while (range == NULL && size_max == 0 && size > CODE_RESERVE_MIN) {
        size /= 2;
        range = pages->reserve(pages->context, size);
    }
    if (range == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init_reserved(&store->code_heap.arena, range, size, pages->commit, pages->context);
    return ALC_OK;
}

static alc_status take_stack(struct alc_store *store, uint64_t slots)
{
    const struct alc_pages *pages = &store->pages;
    uint64_t size = (slots * sizeof(uint64_t) + ALC_SYSTEM_PAGE_SIZE - 1) &
                    ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1);
    uint64_t *stack = pages->reserve(pages->context, size);
    if (stack == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_status status = pages->commit(pages->context, stack, size);
    if (status != ALC_OK) {
        pages->release(pages->context, stack, size);
        return status;
    }
    store->stack_size = size;
    store->thread.stack = stack;
    store->thread.stack_top = stack;
    store->thread.stack_limit = stack + slots;
    return ALC_OK;
}

static void close_store(struct alc_store *store)
{
    struct alc_arena *code = &store->code_heap.arena;
    if (code->base != NULL) {
        void *range = code->base;
        size_t size = code->size;
        alc_arena_fini(code);
        store->pages.release(store->pages.context, range, size);
    }
    if (store->thread.stack != NULL) {
        store->pages.release(store->pages.context, store->thread.stack, store->stack_size);
    }
}

static alc_status open_store(struct alc_store *store, uint64_t stack_slots,
                             const struct alc_store_options *options)
{
    alc_status status = take_stack(store, stack_slots);
    if (status == ALC_OK && options != NULL) {
        status = reserve_code(store, options->code_size_max);
    }
    if (status != ALC_OK) {
        close_store(store);
    }
    return status;
}

/* -- roots -- */

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

static void shade_activation(struct alc_store *store, const struct interp_run *run)
{
    struct interp_place place = {run->safepoint_ip - 1, run->safepoint_fp, run->safepoint_instance};
    bool more = true;
    if (run->host_type != NULL) {
        alc_roots_shade_arguments(store, run->host_type, run->safepoint_fp);
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

static void shade_activations(struct alc_store *store)
{
    for (const struct interp_run *run = store->thread.run; run != NULL; run = run->outer) {
        shade_activation(store, run);
    }
}

const struct alc_executor alc_interp_executor = {
    .open = open_store,
    .close = close_store,
    .target = alc_interp_target,
    .call = alc_interp_call,
    .shade = shade_activations,
    .reserve_memory = alc_memory_reserve,
};
