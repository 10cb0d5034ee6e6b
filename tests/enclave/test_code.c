/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that becomes code inside (EMODPR, EACCEPT, EMODPE), with a host that helps, and with hosts
 * that refuse, do a part of it, do it late or do something else.
 */
#include "tests/enclave/support.h"

#include <errno.h>
#include <sys/mman.h>

enum { PAGES = 5, BYTES = 1 << 12, ROUNDS = 300, SUM = 1 + 2 + 3 + 4 + 5 };

static void open_plain(struct test_enclave *test)
{
    test_open(test, NULL);
}

/* Makes code of PAGES pages; the status. */
static uint64_t make(struct test_enclave *test, uint64_t *offset)
{
    uint64_t status = test_call(test, TEST_CODE_MAKE, PAGES, 0);
    *offset = test->pages[0].results[0];
    assert_int_not_equal(*offset, 0);
    return status;
}

static uint64_t writable_code(const struct test_enclave *test)
{
    struct alc_sgx_emu_statistics statistics;
    alc_sgx_emu_get_statistics(test->context, &statistics);
    return statistics.writable_code;
}

static void expect_not_writable(struct test_enclave *test, uint64_t offset)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        assert_int_equal(test_call(test, TEST_WRITE, offset + i * BYTES, 1), 1);
        assert_int_equal(test->pages[0].results[FAULT_VECTOR], ALC_SGX_VECTOR_PF);
        assert_int_not_equal(test->pages[0].results[FAULT_ERROR_CODE] & ALC_SGX_PF_WRITE, 0);
    }
}

static void test_memory_becomes_code(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offset;
    open_plain(&test);
    assert_int_equal(make(&test, &offset), ALC_OK);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, offset, PAGES), SUM);
    expect_not_writable(&test, offset);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, offset, PAGES), SUM);
    assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offset, 0), 0);
    assert_int_equal(writable_code(&test), 0);
    test_still_works(&test);
    test_close(&test);
}

/* Pages are used again as data and as code, always zeroed. */
static void test_code_becomes_memory_again(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t first;
    open_plain(&test);
    assert_int_equal(make(&test, &first), ALC_OK);
    assert_int_equal(test_call(&test, TEST_CODE_DISCARD, first, 0), 0);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t offset;
        assert_int_equal(test_call(&test, TEST_COMMIT, (PAGES + 2) * BYTES, 1), 0);
        assert_int_equal(make(&test, &offset), ALC_OK);
        assert_int_equal(offset, first);
        assert_int_equal(test_call(&test, TEST_CODE_RUN, offset, PAGES), SUM);
        assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offset, 0), 0);
    }
    assert_int_equal(writable_code(&test), 0);
    test_close(&test);
}

static void test_many_pieces_of_code(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offsets[60];
    open_plain(&test);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(offsets); i++) {
        assert_int_equal(make(&test, &offsets[i]), ALC_OK);
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(offsets); i += 2) {
        assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offsets[i], 0), 0);
    }
    for (size_t i = 1; i < ALC_ARRAY_COUNT(offsets); i += 2) {
        assert_int_equal(test_call(&test, TEST_CODE_RUN, offsets[i], PAGES), SUM);
        expect_not_writable(&test, offsets[i]);
        assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offsets[i], 0), 0);
    }
    test_close(&test);
}

static alc_status serve_nothing(void *context)
{
    (void)context;
    return ALC_OK;
}

/* -- other hosts: the loader's backend with functions that do not do what they say -- */

/* What the true backend would have been asked, and how often. */
static struct {
    const struct alc_sgx_backend *backend;
    uint64_t offset;
    uint64_t length;
    uint64_t asked;
    int protection; /* of map */
} host;

static int restrict_nothing(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                            uint64_t permissions, uint64_t *result)
{
    (void)context;
    (void)permissions;
    host.offset = offset;
    host.length = length;
    host.asked++;
    *result = 0;
    return 0;
}

static int refuse_to_restrict(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                              uint64_t permissions, uint64_t *result)
{
    (void)restrict_nothing(context, offset, length, permissions, result);
    return -ENODEV;
}

static int restrict_all_but_last(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                                 uint64_t permissions, uint64_t *result)
{
    host.asked++;
    return host.backend->restrict_permissions(context, offset, length - BYTES, permissions, result);
}

/* What the page has, and nothing taken away. */
static int restrict_too_little(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                               uint64_t permissions, uint64_t *result)
{
    host.asked++;
    return host.backend->restrict_permissions(context, offset, length,
                                              permissions | ALC_SGX_PAGE_WRITE, result);
}

static int trim(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                uint64_t permissions, uint64_t *result)
{
    (void)permissions;
    host.asked++;
    return host.backend->modify_types(context, offset, length, ALC_SGX_PAGE_TRIMMED, result);
}

static int map_otherwise(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                         int protection)
{
    (void)protection;
    return host.backend->map(context, offset, length, host.protection);
}

/* A host that helps until now, with one of its functions replaced. */
static void open_hostile(struct test_enclave *test)
{
    open_plain(test);
    host.backend = alc_sgx_emu_backend();
    host.asked = 0;
}

/* Nothing was made executable; once the host helps, the pages are as good as any. */
static void expect_refusal(struct test_enclave *test)
{
    uint64_t offset;
    uint64_t other;
    assert_int_equal(make(test, &offset), ALC_E_HOST_LIED);
    assert_int_equal(host.asked, 1);
    test->backend.restrict_permissions = host.backend->restrict_permissions;
    assert_int_equal(test_call(test, TEST_CODE_DISCARD, offset, 0), 0);
    assert_int_equal(make(test, &other), ALC_OK);
    assert_int_equal(other, offset);
    assert_int_equal(test_call(test, TEST_CODE_RUN, other, PAGES), SUM);
    expect_not_writable(test, other);
    assert_int_equal(writable_code(test), 0);
}

static void test_hosts_that_do_not_restrict(void **state)
{
    (void)state;
    static int (*const functions[])(struct alc_sgx_context *, uint64_t, uint64_t, uint64_t,
                                    uint64_t *) = {
        restrict_nothing, refuse_to_restrict, restrict_all_but_last, restrict_too_little, trim};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(functions); i++) {
        struct test_enclave test;
        open_hostile(&test);
        test.backend.restrict_permissions = functions[i];
        expect_refusal(&test);
        test_close(&test);
    }
}

/* What comes after the enclave looked is too late. */
static void test_hosts_that_restrict_late(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offset;
    uint64_t value;
    uint64_t result;
    open_hostile(&test);
    test.backend.restrict_permissions = restrict_nothing;
    assert_int_equal(make(&test, &offset), ALC_E_HOST_LIED);
    assert_int_equal(host.backend->restrict_permissions(test.context, host.offset, host.length,
                                                        ALC_SGX_PAGE_READ, &result),
                     0);
    assert_int_equal(host.backend->map(test.context, host.offset, host.length,
                                       PROT_READ | PROT_WRITE | PROT_EXEC),
                     0);
    assert_int_equal(test_try(&test, TEST_CODE_RUN, offset, 1, &value), ALC_E_ENCLAVE_LOST);
    assert_int_equal(writable_code(&test), 0);
    test_close(&test);
}

/* Mapping more than was asked for gives nothing; mapping less only stops the program. */
static void test_hosts_that_map_otherwise(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offset;
    uint64_t value;
    open_hostile(&test);
    test.backend.map = map_otherwise;
    host.protection = PROT_READ | PROT_WRITE | PROT_EXEC;
    assert_int_equal(make(&test, &offset), ALC_OK);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, offset, PAGES), SUM);
    expect_not_writable(&test, offset);
    assert_int_equal(writable_code(&test), 0);
    host.protection = PROT_READ | PROT_WRITE;
    assert_int_equal(make(&test, &offset), ALC_OK);
    assert_int_equal(test_try(&test, TEST_CODE_RUN, offset, PAGES, &value), ALC_E_ENCLAVE_LOST);
    test_close(&test);
}

/* Code stays what it is: the host can take rights and pages away, and change nothing. */
static void test_hosts_that_come_back(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offset;
    uint64_t result;
    uint64_t value;
    open_hostile(&test);
    const struct alc_sgx_backend *backend = host.backend;
    assert_int_equal(make(&test, &offset), ALC_OK);
    assert_int_equal(backend->restrict_permissions(test.context, offset, PAGES * BYTES,
                                                   ALC_SGX_PAGE_PERMISSIONS, &result),
                     0);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, offset, PAGES), SUM);
    expect_not_writable(&test, offset);
    assert_int_equal(backend->remove_pages(test.context, offset, BYTES), -EPERM);
    assert_int_equal(alc_sgx_emu_add_ahead(test.context, offset, BYTES), 0);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, offset, PAGES), SUM);
    assert_int_equal(
        backend->restrict_permissions(test.context, offset, BYTES, ALC_SGX_PAGE_READ, &result), 0);
    assert_int_equal(test_try(&test, TEST_CODE_RUN, offset, 1, &value), ALC_E_ENCLAVE_LOST);
    test_close(&test);
}

static int refuse_to_change(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                            enum alc_sgx_page_type type, uint64_t *result)
{
    (void)type;
    return refuse_to_restrict(context, offset, length, 0, result);
}

/* Pages that the host does not take stay with the enclave, and so do their addresses. */
static void test_hosts_that_do_not_take_back(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offset;
    uint64_t other;
    open_hostile(&test);
    assert_int_equal(make(&test, &offset), ALC_OK);
    test.backend.modify_types = refuse_to_change;
    assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offset, 0), 0);
    assert_int_equal(host.asked, 1);
    expect_not_writable(&test, offset);
    test.backend.modify_types = host.backend->modify_types;
    assert_int_equal(make(&test, &other), ALC_OK);
    assert_true(other >= offset + PAGES * BYTES);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, other, PAGES), SUM);
    test_close(&test);
}

static int remove_nothing(struct alc_sgx_context *context, uint64_t offset, uint64_t length)
{
    (void)context;
    host.offset = offset;
    host.length = length;
    return 0;
}

/* A page that was given up is accepted again only as a new one. */
static void test_hosts_that_keep_pages(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offset;
    uint64_t other;
    open_hostile(&test);
    assert_int_equal(make(&test, &offset), ALC_OK);
    test.backend.remove_pages = remove_nothing;
    assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offset, 0), 0);
    assert_int_equal(host.offset, offset);
    assert_int_equal(host.length, PAGES * BYTES);
    assert_int_equal(test_call(&test, TEST_CODE_MAKE, PAGES, 0), UINT64_MAX);
    assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offset, 0), 0);
    assert_int_equal(host.backend->remove_pages(test.context, offset, PAGES * BYTES), 0);
    assert_int_equal(host.backend->map(test.context, offset, PAGES * BYTES, PROT_READ | PROT_WRITE),
                     0);
    assert_int_equal(make(&test, &other), ALC_OK);
    assert_int_equal(other, offset);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, other, PAGES), SUM);
    test_close(&test);
}

/* What is discarded has no page; what is only released still has. */
static void test_discarded_memory_faults(void **state)
{
    (void)state;
    struct test_enclave test;
    struct alc_sgx_emu_statistics before;
    struct alc_sgx_emu_statistics after;
    uint64_t offset;
    open_plain(&test);
    assert_int_equal(make(&test, &offset), ALC_OK);
    assert_int_equal(test_call(&test, TEST_READ, offset, 1), 0);
    alc_sgx_emu_get_statistics(test.context, &before);
    assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offset, 0), 0);
    alc_sgx_emu_get_statistics(test.context, &after);
    assert_int_equal(after.pages, before.pages - PAGES);
    assert_int_equal(test_call(&test, TEST_READ, offset, 1), 1);
    assert_int_equal(test.pages[0].results[FAULT_VECTOR], ALC_SGX_VECTOR_PF);
    assert_int_equal(test.pages[0].results[FAULT_ADDR], test.base + offset);
    test_close(&test);
}

/* -- windows -- */

static void test_windows_fault_behind_their_memory(void **state)
{
    (void)state;
    struct test_enclave test;
    open_plain(&test);
    assert_int_equal(test_call(&test, TEST_WINDOW, 0, 0), 0);
    assert_int_equal(test_call(&test, TEST_WINDOW, 0, 0), 0);
    test_still_works(&test);
    test_close(&test);
}

static void test_gs_is_the_threads_after_each_entry(void **state)
{
    (void)state;
    struct test_enclave test;
    open_plain(&test);
    test.serve = serve_nothing;
    assert_int_equal(test_call(&test, TEST_GS, 1000, 0), 0);
    test_close(&test);
}

/* With an asynchronous exit after every instruction of it. */
static void test_every_step_of_making_code(void **state)
{
    (void)state;
    struct test_enclave test;
    uint64_t offset;
    const struct alc_sgx_emu_options options = {.step = true, .hiding = ALC_SGX_EMU_HIDE_NEVER};
    test_open(&test, &options);
    assert_int_equal(make(&test, &offset), ALC_OK);
    assert_int_equal(test_call(&test, TEST_CODE_RUN, offset, PAGES), SUM);
    assert_int_equal(test_call(&test, TEST_CODE_DISCARD, offset, 0), 0);
    assert_int_equal(writable_code(&test), 0);
    test_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_becomes_code),
        cmocka_unit_test(test_code_becomes_memory_again),
        cmocka_unit_test(test_many_pieces_of_code),
        cmocka_unit_test(test_hosts_that_do_not_restrict),
        cmocka_unit_test(test_hosts_that_restrict_late),
        cmocka_unit_test(test_hosts_that_map_otherwise),
        cmocka_unit_test(test_hosts_that_come_back),
        cmocka_unit_test(test_hosts_that_do_not_take_back),
        cmocka_unit_test(test_hosts_that_keep_pages),
        cmocka_unit_test(test_discarded_memory_faults),
        cmocka_unit_test(test_windows_fault_behind_their_memory),
        cmocka_unit_test(test_gs_is_the_threads_after_each_entry),
        cmocka_unit_test(test_every_step_of_making_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
