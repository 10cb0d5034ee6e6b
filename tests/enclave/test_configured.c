/* SPDX-License-Identifier: Apache-2.0
 *
 * What an enclave is configured for (KSS): reports name it, for reports to it it counts, and keys
 * that do not ask for it are the same with and without.
 */
#include "tests/enclave/support.h"

#include <string.h>

static const uint8_t config_id[ALC_SGX_CONFIG_ID_SIZE] = "a workload, and zeros behind it";

static void open_configured(struct test_enclave *out, const struct alc_sgx_emu_options *options)
{
    struct alc_error error;
    test_open(out, options);
    alc_sgx_close(out->enclave);
    alc_error_clear(&error);
    assert_int_equal(alc_sgx_load(&out->backend, enclave_test_image, enclave_test_image_size,
                                  &enclave_test_sigstruct, config_id, &out->enclave, &error),
                     ALC_OK);
}

static void report(struct test_enclave *test, const struct alc_sgx_target_info *target,
                   struct alc_sgx_report *out)
{
    memset(test->pages[0].in, 0, sizeof test->pages[0].in);
    memcpy(test->pages[0].in, target, sizeof *target);
    assert_int_equal(test_call(test, TEST_REPORT, 0, 0), ALC_OK);
    memset(out, 0, sizeof *out);
    memcpy(out, test->pages[0].out, ALC_SGX_REPORT_SIZE);
}

static void get_key(struct test_enclave *test, const struct alc_sgx_key_request *request,
                    uint8_t out[ALC_SGX_KEY_SIZE])
{
    memcpy(test->pages[0].in, request, sizeof *request);
    assert_int_equal(test_call(test, TEST_KEY, 0, 0), ALC_OK);
    memcpy(out, test->pages[0].out, ALC_SGX_KEY_SIZE);
}

static void reports_name_it(void **state)
{
    (void)state;
    const struct alc_sgx_target_info self = {.measurement = {0}};
    struct test_enclave test;
    struct alc_sgx_report made;
    open_configured(&test, NULL);
    report(&test, &self, &made);
    assert_int_equal(made.body.attributes.flags & ALC_SGX_ATTRIBUTE_KSS, ALC_SGX_ATTRIBUTE_KSS);
    assert_memory_equal(made.body.config_id, config_id, sizeof config_id);
    assert_int_equal(made.body.config_svn, 0);
    assert_memory_equal(made.body.mrenclave, enclave_test_sigstruct.enclave_hash, 32);
    test_still_works(&test);
    test_close(&test);
}

static void without_the_feature_nothing_is_named(void **state)
{
    (void)state;
    static const uint8_t zeros[ALC_SGX_CONFIG_ID_SIZE];
    const struct alc_sgx_emu_options options = {.without_kss = true};
    const struct alc_sgx_target_info self = {.measurement = {0}};
    struct test_enclave test;
    struct alc_sgx_report made;
    open_configured(&test, &options);
    report(&test, &self, &made);
    assert_int_equal(made.body.attributes.flags & ALC_SGX_ATTRIBUTE_KSS, 0);
    assert_memory_equal(made.body.config_id, zeros, sizeof zeros);
    test_close(&test);
}

static void a_report_for_it_is_for_that_configuration(void **state)
{
    (void)state;
    struct alc_sgx_target_info target = {.measurement = {0}};
    struct test_enclave test;
    struct alc_sgx_report made;
    open_configured(&test, NULL);
    report(&test, &target, &made); /* by default for itself */
    memcpy(target.measurement, made.body.mrenclave, sizeof target.measurement);
    target.attributes = made.body.attributes;
    target.miscselect = made.body.miscselect;
    assert_false(alc_sgx_emu_verify_report(&made, &target));
    memcpy(target.config_id, config_id, sizeof config_id);
    assert_true(alc_sgx_emu_verify_report(&made, &target));
    test_close(&test);
}

/* Files stay readable when a machine learns the feature, or its hypervisor hides it. */
static void keys_that_do_not_ask_for_it_stay(void **state)
{
    (void)state;
    struct alc_sgx_key_request request = {.name = ALC_SGX_KEY_SEAL,
                                          .policy = ALC_SGX_POLICY_MRSIGNER};
    struct test_enclave plain;
    struct test_enclave configured;
    uint8_t without[ALC_SGX_KEY_SIZE];
    uint8_t with[ALC_SGX_KEY_SIZE];
    test_open(&plain, NULL);
    open_configured(&configured, NULL);
    memset(&request.attributes_mask, 0xff, sizeof request.attributes_mask);
    get_key(&plain, &request, without);
    get_key(&configured, &request, with);
    assert_memory_not_equal(without, with, sizeof with);
    request.attributes_mask.flags &= ~ALC_SGX_ATTRIBUTE_KSS;
    get_key(&plain, &request, without);
    get_key(&configured, &request, with);
    assert_memory_equal(without, with, sizeof with);
    test_close(&plain);
    test_close(&configured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_name_it),
        cmocka_unit_test(without_the_feature_nothing_is_named),
        cmocka_unit_test(a_report_for_it_is_for_that_configuration),
        cmocka_unit_test(keys_that_do_not_ask_for_it_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
