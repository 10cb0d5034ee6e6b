/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that an enclave gets at run time: EAUG and EACCEPT, zeroes, reuse, permissions.
 */
#include "tests/enclave/support.h"

#include <sys/mman.h>

enum { MANY_PAGES = 4096, BYTES = 1 << 12 };

static void test_memory_grows(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    assert_int_equal(test_call(&test, TEST_COMMIT, BYTES, 2), 0);
    assert_int_equal(test_call(&test, TEST_COMMIT, (uint64_t)MANY_PAGES * BYTES, 2), 0);
    assert_int_equal(test_call(&test, TEST_COMMIT, 3 * BYTES, 2), 0);
    struct alc_sgx_emu_statistics statistics;
    alc_sgx_emu_get_statistics(test.context, &statistics);
    assert_true(statistics.pages >= MANY_PAGES);
    test_close(&test);
}

static void test_memory_grows_by_pieces(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    assert_int_equal(test_call(&test, TEST_GROW_BY_PIECES, 40, 16 * BYTES), 0);
    assert_int_equal(test_call(&test, TEST_GROW_BY_PIECES, 3, 100 * BYTES), 0);
    test_close(&test);
}

static void test_mistakes_are_refused(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    assert_int_equal(test_call(&test, TEST_COMMIT_TWICE, 0, 0), 0);
    test_still_works(&test);
    test_close(&test);
}

/* A kernel may add pages before anybody asks. */
static void test_pages_may_be_there_already(void **state)
{
    (void)state;
    struct test_enclave test;
    test_open(&test, NULL);
    assert_int_equal(
        alc_sgx_emu_add_ahead(test.context, test.layout.heap_offset, 64 * (uint64_t)BYTES), 0);
    assert_int_equal(test_call(&test, TEST_COMMIT, 100 * BYTES, 2), 0);
    test_close(&test);
}

static alc_status serve_nothing(void *context)
{
    (void)context;
    return ALC_OK;
}

struct mapper {
    struct test_enclave *test;
    int protection; /* of the page that the enclave names */
};

static alc_status map_page(void *context)
{
    struct mapper *mapper = context;
    int result = mapper->test->backend.map(mapper->test->context, mapper->test->pages[0].results[0],
                                           BYTES, mapper->protection);
    return result == 0 ? ALC_OK : ALC_E_IO_FAILED;
}

static void open_for_code(struct test_enclave *test, struct mapper *mapper)
{
    test_open(test, NULL);
    mapper->test = test;
    test->serve = map_page;
    test->serve_context = mapper;
}

static void test_code_needs_both_to_agree(void **state)
{
    (void)state;
    struct test_enclave test;
    struct mapper mapper;
    uint64_t value;
    mapper.protection = PROT_READ | PROT_WRITE | PROT_EXEC;
    open_for_code(&test, &mapper);
    assert_int_equal(test_call(&test, TEST_EXTEND, 1, 0), 1322);
    test_close(&test);
    /* The enclave alone cannot make memory executable, … */
    mapper.protection = PROT_READ | PROT_WRITE;
    open_for_code(&test, &mapper);
    assert_int_equal(test_try(&test, TEST_EXTEND, 1, 0, &value), ALC_E_ENCLAVE_LOST);
    test_close(&test);
    /* … nor can the host, though it may map what is not there yet as it likes. */
    open_for_code(&test, &mapper);
    assert_int_equal(test.backend.map(test.context, test.layout.heap_offset, 64 * BYTES,
                                      PROT_READ | PROT_WRITE | PROT_EXEC),
                     0);
    test.serve = serve_nothing;
    assert_int_equal(test_try(&test, TEST_EXTEND, 0, 0, &value), ALC_E_ENCLAVE_LOST);
    test_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_grows),
        cmocka_unit_test(test_memory_grows_by_pieces),
        cmocka_unit_test(test_mistakes_are_refused),
        cmocka_unit_test(test_pages_may_be_there_already),
        cmocka_unit_test(test_code_needs_both_to_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
