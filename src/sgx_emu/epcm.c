/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages: what the processor's page map (EPCM) says of each, what the kernel mapped, and what of
 * both is in this process's page tables. The tables are filled on demand, in runs, and emptied
 * whenever rights shrink: like a TLB, they may know less than the truth, never more.
 */
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "base/checked.h"
#include "sgx_emu/emu_internal.h"

enum {
    PAGE_SIZE = ALC_SGX_PAGE_SIZE,
    RUN_PAGES_MAX = 1 << 18,
    /* AUTO spends at most one in so many cycles on hiding: mprotect touches every page. */
    HIDE_SHARE = 5,
};

void emu_lock(struct alc_sgx_context *context)
{
    while (atomic_flag_test_and_set_explicit(&context->lock, memory_order_acquire)) {
        sched_yield();
    }
}

void emu_unlock(struct alc_sgx_context *context)
{
    atomic_flag_clear_explicit(&context->lock, memory_order_release);
}

/* -- the kernel's mappings -- */

int emu_mapped_protection(const struct alc_sgx_context *context, uint64_t page)
{
    for (uint32_t i = 0; i < context->mappings_count; i++) {
        const struct page_run *run = &context->mappings[i];
        if (page >= run->first && page < run->end) {
            return run->protection;
        }
    }
    return 0;
}

/* Cuts [first, end) out of run `i`; a run in the middle of which it lies becomes two. */
static int cut(struct alc_sgx_context *context, uint32_t i, uint64_t first, uint64_t end)
{
    struct page_run *run = &context->mappings[i];
    uint64_t tail_end = run->end;
    bool has_tail = tail_end > end && run->first < end;
    if (run->end > first && run->first < end) {
        bool has_head = run->first < first;
        if (has_tail && has_head) {
            if (context->mappings_count == MAPPINGS_MAX) {
                return -ENOMEM;
            }
            context->mappings[context->mappings_count++] =
                (struct page_run){.first = end, .end = tail_end, .protection = run->protection};
        }
        run->end = has_head ? first : run->end;
        run->first = has_head ? run->first : (has_tail ? end : run->end);
    }
    return 0;
}

/* Neighbours of one protection become one with it, as in the kernel; what is empty goes. */
static void merge_into(struct alc_sgx_context *context, struct page_run *added)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < context->mappings_count; i++) {
        struct page_run run = context->mappings[i];
        bool is_neighbour = run.first < run.end && run.protection == added->protection &&
                            (run.end == added->first || run.first == added->end);
        if (is_neighbour) {
            added->first = run.first < added->first ? run.first : added->first;
            added->end = run.end > added->end ? run.end : added->end;
        } else if (run.first < run.end) {
            context->mappings[kept++] = run;
        }
    }
    context->mappings_count = kept;
}

int emu_map(struct alc_sgx_context *context, uint64_t first, uint64_t end, int protection)
{
    struct page_run added = {.first = first, .end = end, .protection = protection};
    uint32_t count = context->mappings_count;
    for (uint32_t i = 0; i < count; i++) {
        int result = cut(context, i, first, end);
        if (result != 0) {
            return result;
        }
    }
    merge_into(context, &added);
    if (context->mappings_count == MAPPINGS_MAX) {
        return -ENOMEM;
    }
    context->mappings[context->mappings_count++] = added;
    emu_flush(context);
    return 0;
}

/* -- the page tables -- */

static int protection_of(uint64_t permissions)
{
    return ((permissions & ALC_SGX_PAGE_READ) ? PROT_READ : 0) |
           ((permissions & ALC_SGX_PAGE_WRITE) ? PROT_WRITE : 0) |
           ((permissions & ALC_SGX_PAGE_EXECUTE) ? PROT_EXEC : 0);
}

static int protection_of_entry(uint16_t entry)
{
    bool usable = (entry & EPCM_VALID) != 0 && epcm_type(entry) == ALC_SGX_PAGE_REGULAR &&
                  (entry & (EPCM_PENDING | EPCM_MODIFIED)) == 0;
    return usable ? protection_of(entry & EPCM_PERMISSIONS) : 0;
}

int emu_allowed_protection(const struct alc_sgx_context *context, uint64_t page)
{
    return protection_of_entry(context->epcm[page]) & emu_mapped_protection(context, page);
}

static void set_protection(struct alc_sgx_context *context, const struct page_run *run, int value)
{
    uint8_t *start = context->view + run->first * PAGE_SIZE;
    size_t size = (run->end - run->first) * PAGE_SIZE;
    int result = context->protection_key < 0
                     ? mprotect(start, size, value)
                     : pkey_mprotect(start, size, value, context->protection_key);
    ALC_ASSERT(result == 0);
}

/* Neighbours with the same entry and mapping, `page` among them. */
static struct page_run find_run(const struct alc_sgx_context *context, uint64_t page)
{
    struct page_run run = {
        .first = page, .end = page + 1, .protection = emu_allowed_protection(context, page)};
    const struct page_run *mapping = NULL;
    for (uint32_t i = 0; i < context->mappings_count && mapping == NULL; i++) {
        const struct page_run *candidate = &context->mappings[i];
        mapping = page >= candidate->first && page < candidate->end ? candidate : NULL;
    }
    if (mapping == NULL) {
        return run;
    }
    uint16_t entry = context->epcm[page];
    while (run.first > mapping->first && context->epcm[run.first - 1] == entry &&
           run.end - run.first < RUN_PAGES_MAX) {
        run.first--;
    }
    while (run.end < mapping->end && context->epcm[run.end] == entry &&
           run.end - run.first < RUN_PAGES_MAX) {
        run.end++;
    }
    return run;
}

void emu_show(struct alc_sgx_context *context, uint64_t page)
{
    struct page_run run = find_run(context, page);
    const int writable_code = PROT_WRITE | PROT_EXEC;
    context->statistics.writable_code += (run.protection & writable_code) == writable_code;
    set_protection(context, &run, run.protection);
    for (uint32_t i = 0; i < context->runs_count; i++) {
        struct page_run *other = &context->runs[i];
        if (other->protection == run.protection && run.first <= other->end &&
            other->first <= run.end) {
            other->first = run.first < other->first ? run.first : other->first;
            other->end = run.end > other->end ? run.end : other->end;
            return;
        }
    }
    if (context->runs_count < RUNS_MAX) { /* an unrecorded run comes back on demand */
        context->runs[context->runs_count++] = run;
    }
}

static void hide_all(struct alc_sgx_context *context)
{
    const struct page_run all = {.first = 0, .end = context->pages_count};
    set_protection(context, &all, PROT_NONE);
}

void emu_flush(struct alc_sgx_context *context)
{
    context->flushes_count++;
    if (context->runs_count != 0) {
        hide_all(context);
        context->runs_count = 0;
    }
}

static bool hides_by_mapping(const struct alc_sgx_context *context)
{
    switch (context->options->hiding) {
    case ALC_SGX_EMU_HIDE_AUTO:
        return context->protection_key < 0 &&
               context->hiding_cycles <= (__rdtsc() - context->opened_cycles) / HIDE_SHARE;
    case ALC_SGX_EMU_HIDE_ALWAYS:
        return context->protection_key < 0;
    case ALC_SGX_EMU_HIDE_NEVER:
        break;
    }
    return false;
}

void emu_thread_entered(struct alc_sgx_context *context)
{
    if (context->threads_inside++ == 0 && context->is_hidden) {
        uint64_t start = __rdtsc();
        for (uint32_t i = 0; i < context->runs_count; i++) {
            set_protection(context, &context->runs[i], context->runs[i].protection);
        }
        context->is_hidden = false;
        context->hiding_cycles += __rdtsc() - start;
    }
}

void emu_thread_left(struct alc_sgx_context *context)
{
    ALC_ASSERT(context->threads_inside != 0);
    if (--context->threads_inside == 0 && hides_by_mapping(context)) {
        uint64_t start = __rdtsc();
        hide_all(context);
        context->is_hidden = true;
        context->hiding_cycles += __rdtsc() - start;
    }
}

/* -- operands and EAUG -- */

bool emu_augment(struct alc_sgx_context *context, uint64_t page)
{
    if (!context->is_initialised || context->epcm[page] != 0 ||
        emu_mapped_protection(context, page) == 0) {
        return false;
    }
    context->epcm[page] =
        epcm_entry(ALC_SGX_PAGE_REGULAR, ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE | EPCM_PENDING) |
        epcm_limit(ALC_SGX_PAGE_PERMISSIONS);
    context->statistics.pages++;
    context->used_end = page >= context->used_end ? page + 1 : context->used_end;
    return true;
}

uint8_t *emu_operand(struct alc_sgx_context *context, uint64_t addr, uint64_t size,
                     uint64_t alignment, uint64_t permissions, uint16_t *vector,
                     uint64_t *fault_addr)
{
    uint64_t offset = addr - context->secs.base;
    if (addr % alignment != 0 || !alc_range_fits(offset, size, context->secs.size)) {
        *vector = ALC_SGX_VECTOR_GP;
        *fault_addr = addr;
        return NULL;
    }
    for (uint64_t page = offset / PAGE_SIZE; page <= (offset + size - 1) / PAGE_SIZE; page++) {
        int wanted = protection_of(permissions);
        (void)emu_augment(context, page);
        if ((emu_allowed_protection(context, page) & wanted) != wanted) {
            *vector = ALC_SGX_VECTOR_PF;
            *fault_addr = context->secs.base + page * PAGE_SIZE;
            return NULL;
        }
    }
    return context->memory + offset;
}
