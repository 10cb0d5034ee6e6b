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
#include "base/spin.h"
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
    alc_spin_lock(&pages.lock);
    bool found =
        pages.ranges_count < ALC_LIMIT_ENCLAVE_RESERVATIONS && find_gap(rounded, &index, &start);
    if (found) {
        alc_move(&pages.ranges[index + 1], &pages.ranges[index],
                 (pages.ranges_count - index) * sizeof pages.ranges[0]);
        pages.ranges[index] = (struct range){.start = start, .end = start + rounded};
        pages.ranges_count++;
    }
    alc_spin_unlock(&pages.lock);
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
    alc_spin_lock(&pages.lock);
    alc_status status = is_reserved(offset, size) ? ALC_OK : ALC_E_BAD_ARGUMENT;
    if (status == ALC_OK) {
        status = commit_range(offset, size);
    }
    alc_spin_unlock(&pages.lock);
    return status;
}

void alc_enclave_pages_release(void *addr)
{
    uint64_t offset = (uint64_t)((uintptr_t)addr - (uintptr_t)alc_enclave_base());
    alc_spin_lock(&pages.lock);
    uint32_t index = 0;
    while (index < pages.ranges_count && pages.ranges[index].start != offset) {
        index++;
    }
    ALC_ASSERT(index < pages.ranges_count);
    alc_move(&pages.ranges[index], &pages.ranges[index + 1],
             (pages.ranges_count - index - 1) * sizeof pages.ranges[0]);
    pages.ranges_count--;
    alc_spin_unlock(&pages.lock);
}

/* -- pages that were accepted -- */

/* The record of find_record; NULL when it was never needed, so that none of its pages is accepted.
 */
static uint8_t *peek_record(uint64_t first_index)
{
    uint64_t bitmap_page = first_index / PAGES_PER_BITMAP_PAGE;
    bool is_there = ((pages.bitmap_accepted[bitmap_page / 64] >> (bitmap_page % 64)) & 1) != 0;
    return is_there ? alc_enclave_base() + alc_enclave_layout.heap_offset + bitmap_page * PAGE_SIZE
                    : NULL;
}

bool alc_enclave_pages_has(uint64_t addr)
{
    uint64_t offset =
        addr - (uint64_t)(uintptr_t)alc_enclave_base() - alc_enclave_layout.heap_offset;
    if (offset >= alc_enclave_layout.heap_size) {
        return false;
    }
    const uint8_t *record = peek_record(offset / PAGE_SIZE);
    return record != NULL && is_accepted(record, offset / PAGE_SIZE % PAGES_PER_BITMAP_PAGE);
}

/* The first page in [first, end) of the record that is accepted, or not; `end` when there is none.
 */
static uint64_t find_page(const uint8_t *record, uint64_t first, uint64_t end, bool accepted)
{
    const uint8_t none = accepted ? 0 : 0xFF;
    while (first < end && is_accepted(record, first) != accepted) {
        bool skips = first % 64 == 0 && end - first >= 64 &&
                     alc_load_u64(record + first / 8) == none * UINT64_C(0x0101010101010101);
        first += skips ? 64 : 1;
    }
    return first;
}

/* What is done with the pages [first, end) of one page of the record; page 0 stands at `offset`. */
typedef alc_status record_function(uint8_t *record, uint64_t offset, uint64_t first, uint64_t end);

/* `absent`: what it is when there is no record. */
static alc_status for_each_record(const struct range *range, record_function *function,
                                  alc_status absent)
{
    uint64_t index = (range->start - alc_enclave_layout.heap_offset) / PAGE_SIZE;
    const uint64_t end = index + (range->end - range->start) / PAGE_SIZE;
    while (index < end) {
        uint64_t in_record = index % PAGES_PER_BITMAP_PAGE;
        uint64_t count = PAGES_PER_BITMAP_PAGE - in_record;
        count = count < end - index ? count : end - index;
        uint8_t *record = peek_record(index);
        ALC_TRY(record == NULL
                    ? absent
                    : function(record,
                               alc_enclave_layout.heap_offset + (index - in_record) * PAGE_SIZE,
                               in_record, in_record + count));
        index += count;
    }
    return ALC_OK;
}

/* -- what needs the host's help: believed is only what EACCEPT confirms -- */

static void ask_host(uint64_t action, uint64_t offset, uint64_t size)
{
    alc_enclave_leave_for_pages(ALC_PAGES_REQUEST(action, offset / PAGE_SIZE, size / PAGE_SIZE));
}

static alc_status accept_change(uint64_t offset, uint64_t size, uint64_t flags)
{
    uint64_t accepted;
    return alc_tee_pages_accept(alc_enclave_base() + offset, size, flags, &accepted) == ALC_OK
               ? ALC_OK
               : ALC_E_HOST_LIED;
}

/* Whether all pages are committed. */
static alc_status check_recorded(uint8_t *record, uint64_t offset, uint64_t first, uint64_t end)
{
    (void)offset;
    return find_page(record, first, end, false) == end ? ALC_OK : ALC_E_BAD_ARGUMENT;
}

/* A page that is accepted with PR set and with reading as its only right was this enclave's before,
 * no processor knows it as writable any more, and only this enclave can extend it. */
static alc_status execute_range(uint64_t offset, uint64_t size)
{
    const uint64_t code = ALC_SGX_PAGE_READ | ALC_SGX_PAGE_EXECUTE;
    ask_host(ALC_PAGES_CODE, offset, size);
    ALC_TRY(accept_change(offset, size,
                          ALC_SGX_PAGE_READ | ALC_SGX_PAGE_RESTRICTED |
                              ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR)));
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        alc_tee_page_extend(alc_enclave_base() + offset + done, code);
    }
    return ALC_OK;
}

alc_status alc_enclave_pages_execute(void *addr, size_t size)
{
    uint64_t offset = (uint64_t)((uintptr_t)addr - (uintptr_t)alc_enclave_base());
    if (size == 0 || offset % PAGE_SIZE != 0 || size % PAGE_SIZE != 0 ||
        offset < alc_enclave_layout.heap_offset ||
        !alc_range_fits(offset, size, alc_enclave_layout.elrange_size)) {
        return ALC_E_BAD_ARGUMENT;
    }
    const struct range range = {.start = offset, .end = offset + size};
    alc_spin_lock(&pages.lock);
    alc_status status = for_each_record(&range, check_recorded, ALC_E_BAD_ARGUMENT);
    if (status == ALC_OK) {
        status = execute_range(offset, size);
    }
    alc_spin_unlock(&pages.lock);
    return status;
}

/* A page that is accepted as trimmed is of no use to anybody until it is added anew. Whether the
 * host removes it then is seen when it is. */
static alc_status discard_recorded(uint8_t *record, uint64_t offset, uint64_t first, uint64_t end)
{
    for (;;) {
        first = find_page(record, first, end, true);
        if (first == end) {
            return ALC_OK;
        }
        uint64_t run_end = find_page(record, first, end, false);
        uint64_t start = offset + first * PAGE_SIZE;
        uint64_t size = (run_end - first) * PAGE_SIZE;
        ask_host(ALC_PAGES_TRIM, start, size);
        ALC_TRY(accept_change(start, size,
                              ALC_SGX_PAGE_MODIFIED | ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TRIMMED)));
        ask_host(ALC_PAGES_REMOVE, start, size);
        for (; first < run_end; first++) {
            record[first / 8] &= (uint8_t)~(1u << (first % 8));
        }
    }
}

void alc_enclave_pages_discard(void *addr)
{
    uint64_t offset = (uint64_t)((uintptr_t)addr - (uintptr_t)alc_enclave_base());
    const struct range *range = pages.ranges;
    alc_spin_lock(&pages.lock);
    while (range->start != offset) {
        range++;
        ALC_ASSERT(range < pages.ranges + pages.ranges_count);
    }
    alc_status status = for_each_record(range, discard_recorded, ALC_OK);
    alc_spin_unlock(&pages.lock);
    if (status == ALC_OK) {
        alc_enclave_pages_release(addr);
    }
}
