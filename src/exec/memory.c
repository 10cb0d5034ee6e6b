/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear memories over reserved address space. Sizes come from hostile modules: everything is added
 * with a check, and what a cap forbids fails like a machine without memory. This file and
 * base/reader.c are where pointers into untrusted bytes are made.
 */
#include "exec/memory.h"

#include "base/bytes.h"
#include "base/spin.h"

enum {
    /* Committed ahead of a program that grows in small steps, so that it costs few calls outside.
     */
    GROW_STEP = 1 << 20,
};

/* Bytes of `pages` pages; false when that is more than any machine has. */
static bool pages_to_bytes(uint64_t pages, uint8_t page_size_log2, uint64_t *out)
{
    return alc_mul_u64(pages, UINT64_C(1) << page_size_log2, out);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The most bytes that the type allows: its maximum, or all that its addresses reach. */
static uint64_t type_size_max(const struct alc_limits *limits)
{
    uint64_t max;
    if (!limits->has_max) {
        return limits->is_64 ? UINT64_MAX - ALC_SYSTEM_PAGE_SIZE : UINT64_C(1) << 32;
    }
    return pages_to_bytes(limits->max, limits->page_size_log2, &max)
               ? max
               : UINT64_MAX - ALC_SYSTEM_PAGE_SIZE;
}

/* Puts memory behind the first `size` bytes. */
static alc_status commit_to(struct alc_memory *memory, uint64_t size)
{
    if (size <= memory->committed) {
        return ALC_OK;
    }
    uint64_t wanted = (size + ALC_SYSTEM_PAGE_SIZE - 1) & ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1);
    uint64_t step = memory->grow_step;
    uint64_t ahead = smaller((size + step - 1) & ~(step - 1), memory->reserved);
    /* The first memory is committed exactly, for programs that never grow. */
    if (memory->committed != 0 && ahead > wanted) {
        wanted = ahead;
    }
    const struct alc_pages *pages = memory->pages;
    ALC_TRY(pages->commit(pages->context, memory->base + memory->committed,
                          wanted - memory->committed));
    memory->committed = wanted;
    return ALC_OK;
}

/* Half as much, and so on, where address space is scarce. */
alc_status alc_memory_reserve(struct alc_memory *memory, uint64_t size,
                              const struct alc_module *module)
{
    (void)module;
    const struct alc_pages *pages = memory->pages;
    uint64_t wanted = memory->reserved;
    for (memory->reserved = 0; wanted >= size && wanted != 0;
         wanted = wanted / 2 & ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1)) {
        memory->base = pages->reserve(pages->context, wanted);
        if (memory->base != NULL) {
            memory->reserved = wanted;
            memory->size_max = smaller(memory->size_max, wanted);
            return ALC_OK;
        }
    }
    return ALC_E_OUT_OF_MEMORY;
}

bool alc_budget_take(struct alc_memory_budget *budget, uint64_t size)
{
    alc_spin_lock(&budget->lock);
    bool fits = size <= budget->max - budget->used;
    budget->used += fits ? size : 0;
    alc_spin_unlock(&budget->lock);
    return fits;
}

void alc_budget_give(struct alc_memory_budget *budget, uint64_t size)
{
    alc_spin_lock(&budget->lock);
    budget->used -= size;
    alc_spin_unlock(&budget->lock);
}

alc_status alc_memory_init(struct alc_memory *memory, const struct alc_memory_plan *plan)
{
    const struct alc_limits *limits = &plan->type->limits;
    struct alc_memory_budget *budget = plan->budget;
    uint64_t size;
    *memory = (struct alc_memory){
        .type = *plan->type, .pages = plan->pages, .budget = budget, .grow_step = GROW_STEP};
    memory->size_max =
        smaller(type_size_max(limits), plan->reserve_max & ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1));
    if (!pages_to_bytes(limits->min, limits->page_size_log2, &size) || size > memory->size_max ||
        !alc_budget_take(budget, size)) {
        return ALC_E_OUT_OF_MEMORY;
    }
    /* One page at least, so that an access of no bytes to an empty memory has an address. */
    memory->reserved =
        (memory->size_max + ALC_SYSTEM_PAGE_SIZE - 1) & ~(uint64_t)(ALC_SYSTEM_PAGE_SIZE - 1);
    memory->reserved = memory->reserved == 0 ? ALC_SYSTEM_PAGE_SIZE : memory->reserved;
    memory->size = size;
    alc_status status = plan->reserve(memory, size, plan->module);
    if (status == ALC_OK) {
        status = commit_to(memory, size);
    }
    if (status != ALC_OK) {
        alc_memory_fini(memory);
    }
    return status;
}

void alc_memory_fini(struct alc_memory *memory)
{
    if (memory->reserved != 0) {
        memory->pages->release(memory->pages->context, memory->base - memory->prefix,
                               memory->prefix + memory->reserved);
    }
    alc_budget_give(memory->budget, memory->size);
    memory->base = NULL;
    memory->size = 0;
    memory->size_max = 0;
    memory->reserved = 0;
    memory->committed = 0;
}

/* With the budget's lock held. */
static uint64_t grow_locked(struct alc_memory *memory, uint64_t delta_pages)
{
    uint64_t delta;
    uint64_t before = alc_memory_pages(memory);
    if (!pages_to_bytes(delta_pages, memory->type.limits.page_size_log2, &delta) ||
        delta > memory->size_max - memory->size ||
        delta > memory->budget->max - memory->budget->used ||
        commit_to(memory, memory->size + delta) != ALC_OK) {
        return ALC_MEMORY_GROW_FAILED;
    }
    __atomic_store_n(&memory->size, memory->size + delta, __ATOMIC_RELEASE);
    memory->budget->used += delta;
    return before;
}

void alc_memory_shrink(struct alc_memory *memory)
{
    const struct alc_limits *limits = &memory->type.limits;
    uint64_t size = limits->min << limits->page_size_log2;
    ALC_ASSERT(size <= memory->size);
    alc_budget_give(memory->budget, memory->size - size);
    memory->size = size;
    if (memory->grow_step != GROW_STEP && memory->committed != size) {
        const struct alc_native_support *native = memory->pages->native;
        native->uncommit(native->context, memory->base + size, memory->committed - size);
        memory->committed = size;
    }
}

uint64_t alc_memory_grow(struct alc_memory *memory, uint64_t delta_pages)
{
    alc_spin_lock(&memory->budget->lock);
    uint64_t before = grow_locked(memory, delta_pages);
    alc_spin_unlock(&memory->budget->lock);
    return before;
}

alc_status alc_memory_fill(struct alc_memory *memory, uint64_t guest_addr, uint8_t value,
                           uint64_t size)
{
    if (!alc_range_fits(guest_addr, size, alc_memory_size(memory))) {
        return ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    if (size != 0) {
        alc_fill(memory->base + guest_addr, value, size);
    }
    return ALC_OK;
}

alc_status alc_memory_copy(struct alc_memory *target, uint64_t target_addr,
                           struct alc_memory *source, uint64_t source_addr, uint64_t size)
{
    if (!alc_range_fits(target_addr, size, alc_memory_size(target)) ||
        !alc_range_fits(source_addr, size, alc_memory_size(source))) {
        return ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    if (size != 0) {
        alc_move(target->base + target_addr, source->base + source_addr, size);
    }
    return ALC_OK;
}

alc_status alc_memory_init_from(struct alc_memory *memory, uint64_t guest_addr,
                                const uint8_t *bytes, uint64_t bytes_size, uint64_t offset,
                                uint64_t size)
{
    if (!alc_range_fits(guest_addr, size, alc_memory_size(memory)) ||
        !alc_range_fits(offset, size, bytes_size)) {
        return ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    if (size != 0) {
        alc_copy(memory->base + guest_addr, bytes + offset, size);
    }
    return ALC_OK;
}
