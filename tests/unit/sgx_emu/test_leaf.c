/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaves that enclave code executes, and the kernel's calls for dynamic pages that they answer:
 * every state a page can be in, and operands in wrong places.
 */
#include <errno.h>

#include "unit/sgx_emu/fixture.h"

enum { ZF = 0x40 };

static struct emu_leaf_result run(struct fixture *fixture, enum alc_sgx_enclu number, uint64_t rbx,
                                  uint64_t rcx, uint64_t rdx, uint64_t *rax)
{
    greg_t registers[NGREG] = {0};
    registers[REG_RAX] = number;
    registers[REG_RBX] = (greg_t)rbx;
    registers[REG_RCX] = (greg_t)rcx;
    registers[REG_RDX] = (greg_t)rdx;
    struct emu_leaf_result result = emu_run_leaf(fixture->context, registers);
    *rax = (uint64_t)registers[REG_RAX];
    if (!result.faults && number == ALC_SGX_EACCEPT) {
        assert_int_equal((registers[REG_EFL] & ZF) != 0, *rax != 0);
    }
    return result;
}

/* SECINFO at the start of the data page. */
static struct emu_leaf_result run_on_page(struct fixture *fixture, enum alc_sgx_enclu number,
                                          uint64_t flags, uint64_t page, uint64_t *rax)
{
    const struct alc_sgx_secinfo secinfo = {.flags = flags};
    memcpy(fixture_memory(fixture, PAGE_DATA), &secinfo, sizeof secinfo);
    return run(fixture, number, fixture->base, fixture_addr(fixture, page), 0, rax);
}

static uint64_t accept(struct fixture *fixture, uint64_t flags, uint64_t page)
{
    uint64_t rax;
    struct emu_leaf_result result = run_on_page(fixture, ALC_SGX_EACCEPT, flags, page, &rax);
    assert_false(result.faults);
    return rax;
}

static const uint64_t fresh = ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE | ALC_SGX_PAGE_PENDING |
                              ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR);

static void test_accepting_new_pages(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t rax;
    fixture_open(&fixture);
    fixture_build(&fixture);
    /* Touched, so the kernel adds it; accepted as what it is, once. */
    assert_int_equal(accept(&fixture, fresh | ALC_SGX_PAGE_EXECUTE, PAGE_FREE),
                     ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    assert_int_equal(emu_allowed_protection(fixture.context, PAGE_FREE), 0);
    assert_int_equal(accept(&fixture, fresh, PAGE_FREE), ALC_SGX_SUCCESS);
    assert_int_equal(emu_allowed_protection(fixture.context, PAGE_FREE), PROT_READ | PROT_WRITE);
    assert_int_equal(accept(&fixture, fresh, PAGE_FREE), ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    /* Not mapped: nobody adds it. */
    struct emu_leaf_result result =
        run_on_page(&fixture, ALC_SGX_EACCEPT, fresh, PAGE_FREE + 8, &rax);
    assert_true(result.faults);
    assert_int_equal(result.vector, ALC_SGX_VECTOR_PF);
    assert_int_equal(result.fault_addr, fixture_addr(&fixture, PAGE_FREE + 8));
    /* A page of the image was never pending. */
    assert_int_equal(accept(&fixture, fixture_regular(3), PAGE_DATA),
                     ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    fixture_close(&fixture);
}

static void test_bad_operands_fault(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t rax;
    fixture_open(&fixture);
    fixture_build(&fixture);
    const uint64_t data = fixture.base;
    const uint64_t page = fixture_addr(&fixture, PAGE_FREE);
    static struct alc_sgx_secinfo outside;
    const struct {
        uint64_t secinfo;
        uint64_t page;
        uint16_t vector;
    } rows[] = {
        {data + 32, page, ALC_SGX_VECTOR_GP},
        {(uint64_t)(uintptr_t)&outside, page, ALC_SGX_VECTOR_GP},
        {data - 64, page, ALC_SGX_VECTOR_GP},
        {fixture_addr(&fixture, PAGE_TCS), page, ALC_SGX_VECTOR_PF},
        {fixture_addr(&fixture, PAGE_FREE + 8), page, ALC_SGX_VECTOR_PF},
        {data, page + 8, ALC_SGX_VECTOR_GP},
        {data, data + FIXTURE_SIZE, ALC_SGX_VECTOR_GP},
        {data, data - FIXTURE_PAGE, ALC_SGX_VECTOR_GP},
    };
    const struct alc_sgx_secinfo secinfo = {.flags = fresh};
    memcpy(fixture_memory(&fixture, PAGE_DATA), &secinfo, sizeof secinfo);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        struct emu_leaf_result result =
            run(&fixture, ALC_SGX_EACCEPT, rows[i].secinfo, rows[i].page, 0, &rax);
        assert_true(result.faults);
        assert_int_equal(result.vector, rows[i].vector);
    }
    struct alc_sgx_secinfo reserved = {.flags = fresh, .reserved = {0, 0, 1}};
    memcpy(fixture_memory(&fixture, PAGE_DATA), &reserved, sizeof reserved);
    assert_true(run(&fixture, ALC_SGX_EACCEPT, data, page, 0, &rax).faults);
    /* Leaves of the host, and one that does not exist. */
    assert_int_equal(run(&fixture, ALC_SGX_EENTER, data, 0, 0, &rax).vector, ALC_SGX_VECTOR_GP);
    assert_int_equal(run(&fixture, ALC_SGX_ERESUME, data, 0, 0, &rax).vector, ALC_SGX_VECTOR_GP);
    assert_int_equal(run(&fixture, (enum alc_sgx_enclu)12, 0, 0, 0, &rax).vector,
                     ALC_SGX_VECTOR_GP);
    fixture_close(&fixture);
}

static void test_permissions_shrink_with_consent(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t result;
    fixture_open(&fixture);
    fixture_build(&fixture);
    const struct alc_sgx_backend *backend = fixture.backend;
    struct alc_sgx_context *context = fixture.context;
    const uint64_t offset = PAGE_FREE * FIXTURE_PAGE;
    assert_int_equal(backend->restrict_permissions(context, offset, FIXTURE_PAGE, 1, &result),
                     -EFAULT); /* not there */
    assert_int_equal(result, ALC_SGX_PAGE_NOT_MODIFIABLE);
    assert_int_equal(accept(&fixture, fresh, PAGE_FREE), ALC_SGX_SUCCESS);
    assert_int_equal(backend->restrict_permissions(context, offset, FIXTURE_PAGE, 2, &result),
                     -EINVAL); /* write without read */
    assert_int_equal(backend->restrict_permissions(context, offset, FIXTURE_PAGE, 1, &result), 0);
    assert_int_equal(emu_allowed_protection(context, PAGE_FREE), PROT_READ);
    const uint64_t restricted = fixture_regular(ALC_SGX_PAGE_READ) | ALC_SGX_PAGE_RESTRICTED;
    assert_int_equal(accept(&fixture, restricted | ALC_SGX_PAGE_WRITE, PAGE_FREE),
                     ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    assert_int_equal(accept(&fixture, restricted, PAGE_FREE), ALC_SGX_SUCCESS);
    /* And grow by the enclave alone, as far as the kernel's mapping goes. */
    uint64_t rax;
    assert_false(run_on_page(&fixture, ALC_SGX_EMODPE, fixture_regular(7), PAGE_FREE, &rax).faults);
    assert_int_equal(emu_allowed_protection(context, PAGE_FREE), PROT_READ | PROT_WRITE);
    assert_int_equal(backend->map(context, offset, FIXTURE_PAGE, PROT_READ | PROT_EXEC), 0);
    assert_int_equal(emu_allowed_protection(context, PAGE_FREE), PROT_READ | PROT_EXEC);
    /* Not a page that is pending, a TCS, or not there. */
    assert_int_equal(alc_sgx_emu_add_ahead(context, offset + FIXTURE_PAGE, FIXTURE_PAGE), 0);
    assert_true(
        run_on_page(&fixture, ALC_SGX_EMODPE, fixture_regular(3), PAGE_FREE + 1, &rax).faults);
    assert_true(run_on_page(&fixture, ALC_SGX_EMODPE, fixture_regular(3), PAGE_TCS, &rax).faults);
    fixture_close(&fixture);
}

static void test_pages_leave_with_consent(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t result;
    fixture_open(&fixture);
    fixture_build(&fixture);
    const struct alc_sgx_backend *backend = fixture.backend;
    struct alc_sgx_context *context = fixture.context;
    const uint64_t offset = PAGE_FREE * FIXTURE_PAGE;
    const uint64_t trimmed = ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TRIMMED) | ALC_SGX_PAGE_MODIFIED;
    assert_int_equal(accept(&fixture, fresh, PAGE_FREE), ALC_SGX_SUCCESS);
    fixture_memory(&fixture, PAGE_FREE)[5] = 0x77;
    assert_int_equal(backend->remove_pages(context, offset, FIXTURE_PAGE), -EPERM);
    assert_int_equal(
        backend->modify_types(context, offset, FIXTURE_PAGE, ALC_SGX_PAGE_REGULAR, &result),
        -EINVAL);
    assert_int_equal(
        backend->modify_types(context, offset, FIXTURE_PAGE, ALC_SGX_PAGE_TRIMMED, &result), 0);
    assert_int_equal(emu_allowed_protection(context, PAGE_FREE), 0);
    assert_int_equal(backend->remove_pages(context, offset, FIXTURE_PAGE), -EPERM);
    assert_int_equal(accept(&fixture, trimmed, PAGE_FREE), ALC_SGX_SUCCESS);
    assert_int_equal(backend->remove_pages(context, offset, FIXTURE_PAGE), 0);
    /* Comes back as new: zero, and to be accepted again. */
    assert_int_equal(emu_allowed_protection(context, PAGE_FREE), 0);
    assert_int_equal(accept(&fixture, fresh, PAGE_FREE), ALC_SGX_SUCCESS);
    assert_int_equal(fixture_memory(&fixture, PAGE_FREE)[5], 0);
    fixture_close(&fixture);
}

static void test_a_page_becomes_a_tcs(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t result;
    fixture_open(&fixture);
    fixture_build(&fixture);
    struct alc_sgx_context *context = fixture.context;
    const uint64_t offset = PAGE_FREE * FIXTURE_PAGE;
    assert_int_equal(accept(&fixture, fresh, PAGE_FREE), ALC_SGX_SUCCESS);
    assert_int_equal(
        fixture.backend->modify_types(context, offset, FIXTURE_PAGE, ALC_SGX_PAGE_TCS, &result), 0);
    const struct alc_sgx_tcs tcs = fixture_tcs();
    memcpy(fixture_memory(&fixture, PAGE_FREE), &tcs, sizeof tcs);
    const uint64_t changed = ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS) | ALC_SGX_PAGE_MODIFIED;
    assert_int_equal(accept(&fixture, changed | ALC_SGX_PAGE_READ, PAGE_FREE),
                     ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    assert_int_equal(accept(&fixture, changed, PAGE_FREE), ALC_SGX_SUCCESS);
    assert_int_equal(epcm_type(context->epcm[PAGE_FREE]), ALC_SGX_PAGE_TCS);
    fixture_close(&fixture);
}

static void test_accepting_copies(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t rax;
    fixture_open(&fixture);
    fixture_build(&fixture);
    const struct alc_sgx_secinfo secinfo = {.flags = fixture_regular(1)};
    uint8_t *data = fixture_memory(&fixture, PAGE_DATA);
    memcpy(data, &secinfo, sizeof secinfo);
    fixture_memory(&fixture, PAGE_CONSTANT)[9] = 0x42;
    const uint64_t to = fixture_addr(&fixture, PAGE_FREE);
    const uint64_t from = fixture_addr(&fixture, PAGE_CONSTANT);
    assert_false(run(&fixture, ALC_SGX_EACCEPTCOPY, fixture.base, to, from, &rax).faults);
    assert_int_equal(rax, ALC_SGX_SUCCESS);
    assert_int_equal(fixture_memory(&fixture, PAGE_FREE)[9], 0x42);
    assert_int_equal(emu_allowed_protection(fixture.context, PAGE_FREE), PROT_READ);
    assert_false(run(&fixture, ALC_SGX_EACCEPTCOPY, fixture.base, to, from, &rax).faults);
    assert_int_equal(rax, ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    assert_true(run(&fixture, ALC_SGX_EACCEPTCOPY, fixture.base, to + FIXTURE_PAGE,
                    fixture_addr(&fixture, PAGE_TCS), &rax)
                    .faults);
    fixture_close(&fixture);
}

static void test_reports_need_their_operands(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t rax;
    fixture_open(&fixture);
    fixture_build(&fixture);
    const uint64_t target = fixture.base;
    const uint64_t data = fixture.base + 512;
    const uint64_t out = fixture.base + 1024;
    const uint64_t constant = fixture_addr(&fixture, PAGE_CONSTANT);
    assert_false(run(&fixture, ALC_SGX_EREPORT, target, data, out, &rax).faults);
    assert_int_equal(run(&fixture, ALC_SGX_EREPORT, target + 256, data, out, &rax).vector,
                     ALC_SGX_VECTOR_GP);
    assert_int_equal(run(&fixture, ALC_SGX_EREPORT, target, data + 64, out, &rax).vector,
                     ALC_SGX_VECTOR_GP);
    assert_int_equal(run(&fixture, ALC_SGX_EREPORT, target, data, constant, &rax).vector,
                     ALC_SGX_VECTOR_PF);
    assert_int_equal(
        run(&fixture, ALC_SGX_EREPORT, target, data, (uint64_t)(uintptr_t)&rax, &rax).vector,
        ALC_SGX_VECTOR_GP);
    const struct alc_sgx_report *report = (void *)(fixture_memory(&fixture, PAGE_DATA) + 1024);
    assert_string_equal((const char *)report->body.cpu_svn, ALC_SGX_EMU_CPU_SVN);
    assert_int_not_equal(report->body.attributes.flags & ALC_SGX_ATTRIBUTE_DEBUG, 0);
    static const size_t reserved[] = {49, 56, 63, 128, 511};
    uint8_t *target_info = fixture_memory(&fixture, PAGE_DATA);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(reserved); i++) {
        target_info[reserved[i]] = 1;
        assert_int_equal(run(&fixture, ALC_SGX_EREPORT, target, data, out, &rax).vector,
                         ALC_SGX_VECTOR_GP);
        target_info[reserved[i]] = 0;
    }
    assert_false(run(&fixture, ALC_SGX_EREPORT, target, data, out, &rax).faults);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepting_new_pages),
        cmocka_unit_test(test_bad_operands_fault),
        cmocka_unit_test(test_permissions_shrink_with_consent),
        cmocka_unit_test(test_pages_leave_with_consent),
        cmocka_unit_test(test_a_page_becomes_a_tcs),
        cmocka_unit_test(test_accepting_copies),
        cmocka_unit_test(test_reports_need_their_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
