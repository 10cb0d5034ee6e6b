/* SPDX-License-Identifier: Apache-2.0
 *
 * What ECREATE and EADD refuse, when, and what entering refuses before anything is executed. EINIT
 * is tests/enclave's.
 */
#include <errno.h>

#include "unit/sgx_emu/fixture.h"

static void test_address_ranges_and_attributes_are_checked(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct alc_sgx_secs good = fixture_secs(&fixture);
    struct alc_sgx_secs rows[16];
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        rows[i] = good;
    }
    rows[0].size = FIXTURE_SIZE - FIXTURE_PAGE;
    rows[1].size = FIXTURE_PAGE;
    rows[2].base += FIXTURE_PAGE;
    rows[3].ssa_frame_size = 0;
    rows[4].miscselect = 2;
    rows[5].attributes.flags = 0; /* not 64 bits */
    rows[6].attributes.flags |= ALC_SGX_ATTRIBUTE_INIT;
    rows[7].attributes.flags |= 8;
    rows[8].attributes.xfrm = 1;
    rows[9].attributes.xfrm = 3 | ALC_SGX_XFRM_AVX512;
    rows[10].attributes.xfrm = 3 | (1 << 9);
    rows[11].reserved_24[23] = 1;
    rows[12].reserved_160[0] = 1;
    rows[13].reserved_262[3833] = 1;
    rows[14].config_svn = 1; /* without KSS */
    rows[15].config_id[7] = 1;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        assert_int_equal(fixture.backend->create(fixture.context, &rows[i]), -EINVAL);
    }
    assert_int_equal(fixture.backend->create(fixture.context, &good), 0);
    assert_int_equal(fixture.backend->create(fixture.context, &good), -EINVAL);
    fixture_close(&fixture);
}

/* A processor that has no KSS refuses the attribute. */
static void test_kss_may_be_missing(void **state)
{
    (void)state;
    const struct alc_sgx_emu_options options = {.without_kss = true};
    struct fixture fixture;
    fixture_open(&fixture);
    struct alc_sgx_secs secs = fixture_secs(&fixture);
    const struct alc_sgx_emu_options *own_options = fixture.context->options;
    secs.attributes.flags |= ALC_SGX_ATTRIBUTE_KSS;
    secs.config_id[7] = 1;
    fixture.context->options = &options;
    assert_int_equal(fixture.backend->create(fixture.context, &secs), -EINVAL);
    fixture.context->options = own_options;
    assert_int_equal(fixture.backend->create(fixture.context, &secs), 0);
    fixture_close(&fixture);
}

static void test_pages_are_checked(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct alc_sgx_secs secs = fixture_secs(&fixture);
    assert_int_equal(fixture_add(&fixture, 0, fixture_regular(3), NULL), -EINVAL); /* no enclave */
    assert_int_equal(fixture.backend->create(fixture.context, &secs), 0);
    assert_int_equal(fixture_add(&fixture, 0, fixture_regular(2), NULL), -EINVAL);
    assert_int_equal(fixture_add(&fixture, 0, fixture_regular(3) | ALC_SGX_PAGE_PENDING, NULL),
                     -EINVAL);
    assert_int_equal(fixture_add(&fixture, 0, ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TRIMMED), NULL),
                     -EINVAL);
    assert_int_equal(fixture_add(&fixture, 0, ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS) | 1, NULL),
                     -EINVAL);
    assert_int_equal(fixture_add(&fixture, FIXTURE_SIZE / FIXTURE_PAGE, fixture_regular(3), NULL),
                     -EINVAL);
    assert_int_equal(fixture_add(&fixture, 0, fixture_regular(3), NULL), 0);
    assert_int_equal(fixture_add(&fixture, 0, fixture_regular(3), NULL), -EBUSY);
    fixture.context->is_initialised = true;
    assert_int_equal(fixture_add(&fixture, 1, fixture_regular(3), NULL), -EINVAL);
    fixture_close(&fixture);
}

static void test_thread_pages_are_checked(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct alc_sgx_secs secs = fixture_secs(&fixture);
    assert_int_equal(fixture.backend->create(fixture.context, &secs), 0);
    struct alc_sgx_tcs rows[8];
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        rows[i] = fixture_tcs();
    }
    rows[0].flags = 2;
    rows[1].current_ssa = 1;
    rows[2].ssa_offset += 8;
    rows[3].ssa_offset = FIXTURE_SIZE;
    rows[4].entry_offset = FIXTURE_SIZE;
    rows[5].fs_offset = 1;
    rows[6].fs_limit = 0xFF;
    rows[7].reserved_88[4007] = 1;
    const uint64_t secinfo = ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        assert_int_equal(fixture_add(&fixture, PAGE_TCS, secinfo, &rows[i]), -EIO);
    }
    struct alc_sgx_tcs debug = fixture_tcs();
    debug.flags = ALC_SGX_TCS_DBGOPTIN;
    assert_int_equal(fixture_add(&fixture, PAGE_TCS, secinfo, &debug), 0);
    const struct alc_sgx_tcs *added = (void *)fixture_memory(&fixture, PAGE_TCS);
    assert_int_equal(added->flags, 0); /* debugging is switched on later, if at all */
    fixture_close(&fixture);
}

static void test_mappings_have_limits(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_build(&fixture);
    const struct alc_sgx_backend *backend = fixture.backend;
    struct alc_sgx_context *context = fixture.context;
    const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
    assert_int_equal(backend->map(context, 0, FIXTURE_PAGE, all), -EACCES);
    assert_int_equal(backend->map(context, FIXTURE_PAGE, FIXTURE_PAGE, all), -EACCES);
    assert_int_equal(backend->map(context, PAGE_TCS * FIXTURE_PAGE, FIXTURE_PAGE, PROT_EXEC),
                     -EACCES);
    assert_int_equal(backend->map(context, 1, FIXTURE_PAGE, PROT_READ), -EINVAL);
    assert_int_equal(backend->map(context, FIXTURE_SIZE, FIXTURE_PAGE, PROT_READ), -EINVAL);
    /* A new mapping in the middle of an old one. */
    const uint64_t first = PAGE_FREE + 2;
    assert_int_equal(backend->map(context, first * FIXTURE_PAGE, 2 * FIXTURE_PAGE, PROT_READ), 0);
    for (uint64_t page = PAGE_FREE; page < PAGE_FREE + 8; page++) {
        bool is_new = page == first || page == first + 1;
        assert_int_equal(emu_mapped_protection(context, page),
                         is_new ? PROT_READ : PROT_READ | PROT_WRITE);
    }
    assert_int_equal(emu_mapped_protection(context, PAGE_FREE + 8), 0);
    assert_int_equal(emu_mapped_protection(context, PAGE_FREE - 1), 0);
    fixture_close(&fixture);
}

static void test_entering_keeps_the_contract(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_build(&fixture);
    const struct alc_sgx_backend *backend = fixture.backend;
    struct alc_sgx_context *context = fixture.context;
    struct alc_sgx_run run = {.tcs = fixture_addr(&fixture, PAGE_TCS)};
    run.reserved[215] = 1;
    assert_int_equal(backend->enter(context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), -EINVAL);
    run.reserved[215] = 0;
    assert_int_equal(backend->enter(context, 0, 0, 0, ALC_SGX_EEXIT, 0, 0, &run), -EINVAL);
    /* ERESUME of a thread that was not interrupted, a page that is no TCS, an odd address. */
    assert_int_equal(backend->enter(context, 0, 0, 0, ALC_SGX_ERESUME, 0, 0, &run), -EFAULT);
    assert_int_equal(run.function, ALC_SGX_ERESUME);
    assert_int_equal(run.exception_vector, ALC_SGX_VECTOR_GP);
    run.tcs = fixture_addr(&fixture, PAGE_DATA);
    assert_int_equal(backend->enter(context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), -EFAULT);
    assert_int_equal(run.function, ALC_SGX_EENTER);
    assert_int_equal(run.exception_vector, ALC_SGX_VECTOR_PF);
    run.tcs = fixture_addr(&fixture, PAGE_TCS) + 8;
    assert_int_equal(backend->enter(context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), -EFAULT);
    assert_int_equal(run.exception_vector, ALC_SGX_VECTOR_GP);
    /* Inside there is no code but zeros (ADD of AL to memory at RAX = 0): #PF, then no frame left.
     */
    run.tcs = fixture_addr(&fixture, PAGE_TCS);
    assert_int_equal(backend->enter(context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), -EFAULT);
    assert_int_equal(run.function, ALC_SGX_ERESUME);
    assert_int_equal(run.exception_vector, ALC_SGX_VECTOR_PF);
    assert_int_equal(run.exception_addr, 0);
    assert_int_equal(backend->enter(context, 0, 0, 0, ALC_SGX_EENTER, 0, 0, &run), -EFAULT);
    assert_int_equal(run.function, ALC_SGX_EENTER);
    assert_int_equal(run.exception_vector, ALC_SGX_VECTOR_GP);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_ranges_and_attributes_are_checked),
        cmocka_unit_test(test_kss_may_be_missing),
        cmocka_unit_test(test_pages_are_checked),
        cmocka_unit_test(test_thread_pages_are_checked),
        cmocka_unit_test(test_mappings_have_limits),
        cmocka_unit_test(test_entering_keeps_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
