/* SPDX-License-Identifier: Apache-2.0
 *
 * Two different enclaves of one machine prove to each other who they are (evidence/local.h): each
 * has the processor make a report for the other, and verifies with its own key.
 */
#include "tests/enclave/support.h"

#include <string.h>

#include "evidence/local.h"

/* As enclave_test with another stack, so that it measures otherwise. */
extern const uint8_t enclave_other_image[];
extern const uint64_t enclave_other_image_size;
extern const struct alc_sgx_sigstruct enclave_other_sigstruct;

static struct test_enclave one;
static struct test_enclave other;

static void make_report(struct test_enclave *by, const struct alc_sgx_target_info *target,
                        const char *data, struct alc_sgx_report *out)
{
    memset(out, 0, sizeof *out);
    memset(by->pages[0].in, 0, sizeof by->pages[0].in);
    memcpy(by->pages[0].in, target, sizeof *target);
    memcpy(by->pages[0].in + sizeof *target, data, strlen(data));
    assert_int_equal(test_call(by, TEST_REPORT, 0, 0), ALC_OK);
    memcpy(out, by->pages[0].out, ALC_SGX_REPORT_SIZE);
}

static void find_target(struct test_enclave *of, struct alc_sgx_target_info *out)
{
    static const struct alc_sgx_target_info self;
    struct alc_sgx_report report;
    make_report(of, &self, "", &report);
    alc_local_target(&report.body, out);
}

static alc_status get_key(struct test_enclave *of, const struct alc_sgx_key_request *request,
                          struct alc_sgx_key *out)
{
    memcpy(of->pages[0].in, request, sizeof *request);
    alc_status status = (alc_status)test_call(of, TEST_KEY, 0, 0);
    memcpy(out, of->pages[0].out, sizeof *out);
    return status;
}

static alc_status key_of_one(const struct alc_sgx_key_request *request, struct alc_sgx_key *out)
{
    return get_key(&one, request, out);
}

static alc_status key_of_other(const struct alc_sgx_key_request *request, struct alc_sgx_key *out)
{
    return get_key(&other, request, out);
}

static int setup(void **state)
{
    struct alc_error error;
    (void)state;
    test_open(&one, NULL);
    test_open(&other, NULL);
    alc_sgx_close(other.enclave);
    alc_error_clear(&error);
    assert_int_equal(alc_sgx_load(&other.backend, enclave_other_image, enclave_other_image_size,
                                  &enclave_other_sigstruct, NULL, &other.enclave, &error),
                     ALC_OK);
    assert_memory_not_equal(alc_sgx_measurement(one.enclave), alc_sgx_measurement(other.enclave),
                            32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_close(&one);
    test_close(&other);
    return 0;
}

static void each_believes_the_other(void **state)
{
    (void)state;
    struct alc_sgx_target_info target;
    struct alc_sgx_report report;
    find_target(&other, &target);
    make_report(&one, &target, "from one", &report);
    assert_int_equal(alc_local_verify(&report, key_of_other), ALC_OK);
    assert_memory_equal(report.body.mrenclave, alc_sgx_measurement(one.enclave), 32);
    assert_memory_equal(report.body.report_data, "from one", 8);
    find_target(&one, &target);
    make_report(&other, &target, "from the other", &report);
    assert_int_equal(alc_local_verify(&report, key_of_one), ALC_OK);
    assert_memory_equal(report.body.mrenclave, alc_sgx_measurement(other.enclave), 32);
}

static void what_is_for_another_or_changed_is_not_believed(void **state)
{
    (void)state;
    struct alc_sgx_target_info target;
    struct alc_sgx_report report;
    find_target(&one, &target);
    make_report(&other, &target, "for one", &report);
    assert_int_equal(alc_local_verify(&report, key_of_other), ALC_E_REPORT_MISMATCH);
    uint8_t *bytes = (uint8_t *)&report;
    for (size_t i = 0; i < ALC_SGX_REPORT_SIZE; i += 7) {
        bytes[i] ^= 1;
        assert_int_equal(alc_local_verify(&report, key_of_one), ALC_E_REPORT_MISMATCH);
        bytes[i] ^= 1;
    }
    assert_int_equal(alc_local_verify(&report, key_of_one), ALC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_believes_the_other),
        cmocka_unit_test(what_is_for_another_or_changed_is_not_believed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
