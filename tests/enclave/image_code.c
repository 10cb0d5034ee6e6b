/* SPDX-License-Identifier: Apache-2.0
 *
 * Code pages of the test image: made, run and given back in ecalls of their own, so that a test can
 * look at them, and lie about them, in between.
 */
#include "base/bytes.h"
#include "enclave/pages.h"
#include "enclave/thread.h"
#include "sgx_arch/arch.h"
#include "tests/enclave/image.h"

enum { PAGE = ALC_SGX_PAGE_SIZE };

/* A function that returns `number`: mov eax, number; ret. */
static void write_function(uint8_t *to, uint32_t number)
{
    to[0] = 0xB8;
    alc_store_u32(to + 1, number);
    to[5] = 0xC3;
}

/* Each page becomes a function that returns its number, counted from 1. */
uint64_t test_code_make(volatile struct test_page *page, uint64_t pages_count)
{
    uint8_t *start = alc_enclave_pages_reserve(pages_count * PAGE);
    page->results[0] = start == NULL ? 0 : (uint64_t)(start - alc_enclave_base());
    if (start == NULL || alc_enclave_pages_commit(start, pages_count * PAGE) != ALC_OK) {
        return UINT64_MAX;
    }
    for (uint64_t i = 0; i < pages_count; i++) {
        if (alc_load_u64(start + i * PAGE) != 0) { /* what was there before is gone */
            return UINT64_MAX - 1;
        }
        write_function(start + i * PAGE, (uint32_t)i + 1);
    }
    if (alc_enclave_pages_execute(start + 1, PAGE) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_execute(start, PAGE + 1) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_execute(start, 0) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_execute(start, (pages_count + 3) * PAGE) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_execute(alc_enclave_base(), PAGE) != ALC_E_BAD_ARGUMENT) {
        return UINT64_MAX - 2;
    }
    return alc_enclave_pages_execute(start, pages_count * PAGE);
}

uint64_t test_code_run(uint64_t offset, uint64_t pages_count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < pages_count; i++) {
        const uint8_t *start = alc_enclave_base() + offset + i * PAGE;
        uint32_t (*function)(void);
        alc_copy(&function, &start, sizeof function);
        sum += function();
    }
    return sum;
}

uint64_t test_code_discard(uint64_t offset)
{
    alc_enclave_pages_discard(alc_enclave_base() + offset);
    return 0;
}
