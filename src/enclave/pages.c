/* SPDX-License-Identifier: Apache-2.0
 *
 * Reservations and accepted pages (see pages.h). The record of accepted pages is a bitmap at the
 * bottom of the heap; its own pages are accepted when first needed, recorded in a small array of
 * the image. Distrusts the host completely: whatever it adds, removes or adds again, a page is used
 * only after one EACCEPT by this code, and read only through the processor's checks.
 */
#include "enclave/pages.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "enclave/tee.h"
#include "enclave/thread.h"

enum {
    PAGE_SIZE = ALC_SGX_PAGE_SIZE,
    PAGES_PER_BITMAP_PAGE = PAGE_SIZE * 8,
    /* An enclave range of 1 TiB. */
    BITMAP_PAGES_MAX = 1 << 13,
};

/* Offsets from the enclave's base. */
struct range {
    uint64_t start;
    uint64_t end; /* exclusive, without the guard page behind */
};

/* The enclave's own state, guarded by `lock`; zero in the measured image. */
static struct {
    uint32_t lock;
    uint32_t ranges_count;
    struct range ranges[ALC_LIMIT_ENCLAVE_RESERVATIONS]; /* ascending, apart */
    uint64_t bitmap_accepted[BITMAP_PAGES_MAX / 64];
} pages;

static void take_lock(void)
{
    while (__atomic_exchange_n(&pages.lock, 1, __ATOMIC_ACQUIRE) != 0) {
        __asm__ volatile("pause");
    }
}

static void give_lock(void)
{
    __atomic_store_n(&pages.lock, 0, __ATOMIC_RELEASE);
}

/* EACCEPT of pages that the host adds when they are touched; zeroed by the processor. */
static alc_status accept(uint64_t offset, uint64_t size, uint64_t *out_accepted)
{
    const uint64_t flags = ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE | ALC_SGX_PAGE_PENDING |
                           ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR);
    return alc_tee_pages_accept(alc_enclave_base() + offset, size, flags, out_accepted) == ALC_OK
               ? ALC_OK
               : ALC_E_OUT_OF_MEMORY;
}

/* -- the record -- */

static uint64_t bitmap_size(void)
{
    uint64_t heap_pages = alc_enclave_layout.heap_size / PAGE_SIZE;
    uint64_t size = (heap_pages + PAGES_PER_BITMAP_PAGE - 1) / PAGES_PER_BITMAP_PAGE * PAGE_SIZE;
    ALC_ASSERT(size / PAGE_SIZE <= BITMAP_PAGES_MAX);
    return size;
}

/* The bits of the PAGES_PER_BITMAP_PAGE pages from page `first_index` of the heap on, NULL when the
 * host gives no page for them. */
static uint8_t *find_record(uint64_t first_index)
{
    uint64_t bitmap_page = first_index / PAGES_PER_BITMAP_PAGE;
    ALC_ASSERT(bitmap_page < BITMAP_PAGES_MAX);
    uint64_t *word = &pages.bitmap_accepted[bitmap_page / 64];
    uint64_t bit = UINT64_C(1) << (bitmap_page % 64);
    uint64_t offset = alc_enclave_layout.heap_offset + bitmap_page * PAGE_SIZE;
    uint64_t accepted;
    if ((*word & bit) == 0) {
        if (accept(offset, PAGE_SIZE, &accepted) != ALC_OK) {
            return NULL;
        }
        *word |= bit;
    }
    return alc_enclave_base() + offset;
}

static bool is_accepted(const uint8_t *record, uint64_t index)
{
    return ((record[index / 8] >> (index % 8)) & 1) != 0;
}

/* Commits the pages [first, end) of one page of the record; page 0 stands at `offset`. */
static alc_status commit_recorded(uint8_t *record, uint64_t offset, uint64_t first, uint64_t end)
{
    while (first < end) {
        uint64_t run_end = first;
        uint64_t accepted;
        if (is_accepted(record, first)) { /* of an earlier reservation */
            alc_fill(alc_enclave_base() + offset + first * PAGE_SIZE, 0, PAGE_SIZE);
            first++;
            continue;
        }
        while (run_end < end && !is_accepted(record, run_end)) {
            run_end++;
        }
        alc_status status =
            accept(offset + first * PAGE_SIZE, (run_end - first) * PAGE_SIZE, &accepted);
        for (; accepted != 0; accepted -= PAGE_SIZE, first++) {
            record[first / 8] |= (uint8_t)(1u << (first % 8));
        }
        ALC_TRY(status);
    }
    return ALC_OK;
}

static alc_status commit_range(uint64_t offset, uint64_t size)
{
    uint64_t index = (offset - alc_enclave_layout.heap_offset) / PAGE_SIZE;
    const uint64_t end = index + size / PAGE_SIZE;
    while (index < end) {
        uint64_t in_record = index % PAGES_PER_BITMAP_PAGE;
        uint64_t count = PAGES_PER_BITMAP_PAGE - in_record;
        count = count < end - index ? count : end - index;
        uint8_t *record = find_record(index - in_record);
        if (record == NULL) {
            return ALC_E_OUT_OF_MEMORY;
        }
        ALC_TRY(commit_recorded(record,
                                alc_enclave_layout.heap_offset + (index - in_record) * PAGE_SIZE,
                                in_record, in_record + count));
        index += count;
    }
    return ALC_OK;
}

/* -- reservations -- */

static uint64_t heap_end(void)
{
    return alc_enclave_layout.heap_offset + alc_enclave_layout.heap_size;
}

/* Index at which a range of `size` bytes and a guard page fits (first fit), and its start. */
static bool find_gap(uint64_t size, uint32_t *index, uint64_t *start)
{
    uint64_t candidate = alc_enclave_layout.heap_offset + bitmap_size() + PAGE_SIZE;
    for (uint32_t i = 0; i <= pages.ranges_count; i++) {
        uint64_t limit = i < pages.ranges_count ? pages.ranges[i].start : heap_end();
        if (candidate <= limit && size <= limit - candidate &&
            PAGE_SIZE <= limit - candidate - size) {
            *index = i;
            *start = candidate;
            return true;
        }
        if (i < pages.ranges_count) {
            candidate = pages.ranges[i].end + PAGE_SIZE;
        }
    }
    return false;
}

void *alc_enclave_pages_reserve(size_t size)
{
    uint64_t rounded;
    uint32_t index;
    uint64_t start;
    if (size == 0 || !alc_align_up(size, PAGE_SIZE, &rounded)) {
        return NULL;
    }
    take_lock();
    bool found =
        pages.ranges_count < ALC_LIMIT_ENCLAVE_RESERVATIONS && find_gap(rounded, &index, &start);
    if (found) {
        alc_move(&pages.ranges[index + 1], &pages.ranges[index],
                 (pages.ranges_count - index) * sizeof pages.ranges[0]);
        pages.ranges[index] = (struct range){.start = start, .end = start + rounded};
        pages.ranges_count++;
    }
    give_lock();
    return found ? alc_enclave_base() + start : NULL;
}

static bool is_reserved(uint64_t offset, uint64_t size)
{
    for (uint32_t i = 0; i < pages.ranges_count; i++) {
        const struct range *range = &pages.ranges[i];
        if (offset >= range->start &&
            alc_range_fits(offset - range->start, size, range->end - range->start)) {
            return true;
        }
    }
    return false;
}

alc_status alc_enclave_pages_commit(void *addr, size_t size)
{
    uint64_t offset = (uint64_t)((uintptr_t)addr - (uintptr_t)alc_enclave_base());
    if (offset % PAGE_SIZE != 0 || size % PAGE_SIZE != 0) {
        return ALC_E_BAD_ARGUMENT;
    }
    take_lock();
    alc_status status = is_reserved(offset, size) ? ALC_OK : ALC_E_BAD_ARGUMENT;
    if (status == ALC_OK) {
        status = commit_range(offset, size);
    }
    give_lock();
    return status;
}

void alc_enclave_pages_release(void *addr)
{
    uint64_t offset = (uint64_t)((uintptr_t)addr - (uintptr_t)alc_enclave_base());
    take_lock();
    uint32_t index = 0;
    while (index < pages.ranges_count && pages.ranges[index].start != offset) {
        index++;
    }
    ALC_ASSERT(index < pages.ranges_count);
    alc_move(&pages.ranges[index], &pages.ranges[index + 1],
             (pages.ranges_count - index - 1) * sizeof pages.ranges[0]);
    pages.ranges_count--;
    give_lock();
}
