/* SPDX-License-Identifier: Apache-2.0
 *
 * A small enclave without code, built by hand: a page of each kind in 1 MiB of address space.
 */
#ifndef ALC_TESTS_SGX_EMU_FIXTURE_H
#define ALC_TESTS_SGX_EMU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "sgx_emu/emu_internal.h"

enum { FIXTURE_SIZE = 1 << 20, FIXTURE_PAGE = ALC_SGX_PAGE_SIZE };

/* Page numbers. */
enum {
    PAGE_DATA = 0,
    PAGE_CODE = 1,
    PAGE_CONSTANT = 2,
    PAGE_TCS = 3,
    PAGE_SSA = 4,
    PAGE_FREE = 16
};

struct fixture {
    struct alc_sgx_backend own_backend;
    const struct alc_sgx_backend *backend;
    struct alc_sgx_context *context;
    uint8_t *reservation;
    uint64_t base;
};

static inline struct alc_sgx_secs fixture_secs(const struct fixture *fixture)
{
    return (struct alc_sgx_secs){
        .size = FIXTURE_SIZE,
        .base = fixture->base,
        .ssa_frame_size = 1,
        .miscselect = ALC_SGX_MISC_EXINFO,
        .attributes = {.flags = ALC_SGX_ATTRIBUTE_MODE64, .xfrm = ALC_SGX_XFRM_LEGACY},
    };
}

/* NULL: the default options. */
static inline void fixture_open_with(struct fixture *fixture,
                                     const struct alc_sgx_emu_options *options)
{
    uint32_t capabilities;
    *fixture = (struct fixture){.backend = alc_sgx_emu_backend()};
    if (options != NULL) {
        fixture->own_backend = alc_sgx_emu_backend_with(options);
        fixture->backend = &fixture->own_backend;
    }
    assert_int_equal(
        fixture->backend->open(fixture->backend, &fixture->context, &capabilities, NULL), ALC_OK);
    assert_int_equal(capabilities & ALC_SGX_CAN_PROTECT, 0);
    fixture->reservation =
        mmap(NULL, 2 * FIXTURE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(fixture->reservation, MAP_FAILED);
    uint64_t start = (uint64_t)(uintptr_t)fixture->reservation;
    fixture->base = (start + FIXTURE_SIZE - 1) & ~(uint64_t)(FIXTURE_SIZE - 1);
}

static inline void fixture_open(struct fixture *fixture)
{
    fixture_open_with(fixture, NULL);
}

static inline void fixture_close(struct fixture *fixture)
{
    fixture->backend->close(fixture->context);
    munmap(fixture->reservation, 2 * FIXTURE_SIZE);
}

static inline int fixture_add(struct fixture *fixture, uint64_t page, uint64_t secinfo_flags,
                              const void *bytes)
{
    static uint8_t source[FIXTURE_PAGE] __attribute__((aligned(FIXTURE_PAGE)));
    const struct alc_sgx_secinfo secinfo = {.flags = secinfo_flags};
    memset(source, 0, sizeof source);
    if (bytes != NULL) {
        memcpy(source, bytes, sizeof source);
    }
    const struct alc_sgx_add_pages pages = {.src = source,
                                            .offset = page * FIXTURE_PAGE,
                                            .length = FIXTURE_PAGE,
                                            .secinfo = &secinfo,
                                            .measure = true};
    return fixture->backend->add_pages(fixture->context, &pages);
}

static inline uint64_t fixture_regular(uint64_t permissions)
{
    return ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR) | permissions;
}

static inline struct alc_sgx_tcs fixture_tcs(void)
{
    return (struct alc_sgx_tcs){.ssa_offset = PAGE_SSA * FIXTURE_PAGE,
                                .ssa_count = 1,
                                .entry_offset = PAGE_CODE * FIXTURE_PAGE,
                                .fs_limit = ALC_SGX_TCS_LIMIT,
                                .gs_limit = ALC_SGX_TCS_LIMIT};
}

/* As after EINIT, without a signature: launching is another test. */
static inline void fixture_build(struct fixture *fixture)
{
    const struct alc_sgx_backend *backend = fixture->backend;
    const struct alc_sgx_secs secs = fixture_secs(fixture);
    const struct alc_sgx_tcs tcs = fixture_tcs();
    assert_int_equal(backend->create(fixture->context, &secs), 0);
    assert_int_equal(fixture_add(fixture, PAGE_DATA, fixture_regular(3), NULL), 0);
    assert_int_equal(fixture_add(fixture, PAGE_CODE, fixture_regular(5), NULL), 0);
    assert_int_equal(fixture_add(fixture, PAGE_CONSTANT, fixture_regular(1), NULL), 0);
    assert_int_equal(fixture_add(fixture, PAGE_TCS, ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS), &tcs),
                     0);
    assert_int_equal(fixture_add(fixture, PAGE_SSA, fixture_regular(3), NULL), 0);
    fixture->context->is_initialised = true;
    struct alc_sgx_context *context = fixture->context;
    assert_int_equal(backend->map(context, 0, FIXTURE_PAGE, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(backend->map(context, FIXTURE_PAGE, FIXTURE_PAGE, PROT_READ | PROT_EXEC), 0);
    assert_int_equal(backend->map(context, PAGE_CONSTANT * FIXTURE_PAGE, FIXTURE_PAGE, PROT_READ),
                     0);
    assert_int_equal(
        backend->map(context, PAGE_TCS * FIXTURE_PAGE, 2 * FIXTURE_PAGE, PROT_READ | PROT_WRITE),
        0);
    assert_int_equal(
        backend->map(context, PAGE_FREE * FIXTURE_PAGE, 8 * FIXTURE_PAGE, PROT_READ | PROT_WRITE),
        0);
}

static inline uint8_t *fixture_memory(const struct fixture *fixture, uint64_t page)
{
    return fixture->context->memory + page * FIXTURE_PAGE;
}

static inline uint64_t fixture_addr(const struct fixture *fixture, uint64_t page)
{
    return fixture->base + page * FIXTURE_PAGE;
}

#endif
