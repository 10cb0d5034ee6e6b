/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports and keys, checked with code of our own: the enclave's report key verifies the MAC of a
 * report, and the emulator's derivation (sgx_emu/keys.c) is done a second time, byte by byte.
 */
#include "tests/enclave/support.h"

#include <openssl/cmac.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

enum { KEY_SIZE = ALC_SGX_KEY_SIZE, MATERIAL_SIZE = 264, OWN_SVN = 1 };

static void cmac(const uint8_t key[KEY_SIZE], const void *bytes, size_t size, uint8_t out[KEY_SIZE])
{
    /* The old interface on purpose: not the one that the emulator uses. */
    size_t out_size = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    CMAC_CTX *context = CMAC_CTX_new();
    assert_non_null(context);
    assert_int_equal(CMAC_Init(context, key, KEY_SIZE, EVP_aes_128_cbc(), NULL), 1);
    assert_int_equal(CMAC_Update(context, bytes, size), 1);
    assert_int_equal(CMAC_Final(context, out, &out_size), 1);
    CMAC_CTX_free(context);
#pragma GCC diagnostic pop
    assert_int_equal(out_size, KEY_SIZE);
}

static void make_report(struct test_enclave *test, const struct alc_sgx_target_info *target,
                        struct alc_sgx_report *out)
{
    memset(out, 0, sizeof *out);
    memcpy(test->pages[0].in, target, sizeof *target);
    for (int i = 0; i < 64; i++) {
        test->pages[0].in[sizeof *target + (size_t)i] = (uint8_t)(i * 3);
    }
    assert_int_equal(test_call(test, TEST_REPORT, 0, 0), ALC_OK);
    memcpy(out, test->pages[0].out, ALC_SGX_REPORT_SIZE);
}

static alc_status try_key(struct test_enclave *test, const struct alc_sgx_key_request *request,
                          uint8_t key[KEY_SIZE])
{
    memcpy(test->pages[0].in, request, sizeof *request);
    alc_status status = (alc_status)test_call(test, TEST_KEY, 0, 0);
    memcpy(key, test->pages[0].out, KEY_SIZE);
    return status;
}

static void get_key(struct test_enclave *test, const struct alc_sgx_key_request *request,
                    uint8_t key[KEY_SIZE])
{
    static const uint8_t zero[KEY_SIZE];
    assert_int_equal(try_key(test, request, key), ALC_OK);
    assert_memory_not_equal(key, zero, KEY_SIZE);
}

static void describe(const struct alc_sgx_report *report, struct alc_sgx_target_info *out)
{
    memset(out, 0, sizeof *out);
    memcpy(out->measurement, report->body.mrenclave, sizeof out->measurement);
    out->attributes = report->body.attributes;
    out->miscselect = report->body.miscselect;
}

static void check_mac(struct test_enclave *test, const struct alc_sgx_report *report)
{
    struct alc_sgx_key_request request = {.name = ALC_SGX_KEY_REPORT};
    uint8_t key[KEY_SIZE];
    uint8_t mac[KEY_SIZE];
    memcpy(request.key_id, report->key_id, sizeof request.key_id);
    get_key(test, &request, key);
    cmac(key, &report->body, sizeof report->body, mac);
    assert_memory_equal(mac, report->mac, KEY_SIZE);
}

static void test_reports_say_who(void **state)
{
    (void)state;
    struct test_enclave test;
    struct alc_sgx_report report;
    const struct alc_sgx_target_info self = {.measurement = {0}};
    uint8_t signer[SHA256_DIGEST_LENGTH];
    test_open(&test, NULL);
    make_report(&test, &self, &report);
    SHA256(enclave_test_sigstruct.modulus, ALC_SGX_RSA_SIZE, signer);
    assert_memory_equal(report.body.mrenclave, alc_sgx_measurement(test.enclave), 32);
    assert_memory_equal(report.body.mrenclave, enclave_test_sigstruct.enclave_hash, 32);
    assert_memory_equal(report.body.mrsigner, signer, sizeof signer);
    assert_memory_equal(report.body.cpu_svn, ALC_SGX_EMU_CPU_SVN, 16);
    assert_int_equal(report.body.isv_svn, enclave_test_sigstruct.isv_svn);
    assert_int_equal(report.body.isv_product_id, enclave_test_sigstruct.isv_product_id);
    assert_int_equal(report.body.miscselect, ALC_SGX_MISC_EXINFO);
    assert_int_equal(report.body.attributes.xfrm, ALC_SGX_XFRM_LEGACY);
    /* Nobody may take it for the real thing. */
    assert_int_equal(report.body.attributes.flags,
                     ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_DEBUG | ALC_SGX_ATTRIBUTE_MODE64);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(report.body.report_data[i], (uint8_t)(i * 3));
    }
    check_mac(&test, &report);
    test_close(&test);
}

static void test_a_report_is_for_its_target(void **state)
{
    (void)state;
    struct test_enclave test;
    struct alc_sgx_report own;
    struct alc_sgx_report other;
    struct alc_sgx_target_info target = {.measurement = {0}};
    test_open(&test, NULL);
    make_report(&test, &target, &own);
    describe(&own, &target);
    make_report(&test, &target, &other); /* by name instead of by default */
    assert_memory_equal(&own, &other, ALC_SGX_REPORT_SIZE);
    target.measurement[0] ^= 1;
    make_report(&test, &target, &other);
    assert_memory_equal(&own.body, &other.body, sizeof own.body);
    assert_memory_not_equal(own.mac, other.mac, sizeof own.mac);
    target.measurement[0] ^= 1;
    target.attributes.flags ^= ALC_SGX_ATTRIBUTE_PROVISION;
    make_report(&test, &target, &other);
    assert_memory_not_equal(own.mac, other.mac, sizeof own.mac);
    /* Reserved bytes. */
    target.reserved_128[383] = 1;
    memcpy(test.pages[0].in, &target, sizeof target);
    assert_int_equal(test_call(&test, TEST_REPORT, 0, 0), ALC_E_BAD_ARGUMENT);
    test_still_works(&test);
    test_close(&test);
}

static void test_seal_keys_depend_on_everything(void **state)
{
    (void)state;
    enum { VARIANTS = 8 };
    struct test_enclave test;
    struct alc_sgx_key_request requests[VARIANTS];
    uint8_t keys[VARIANTS][KEY_SIZE];
    uint8_t again[KEY_SIZE];
    for (int i = 0; i < VARIANTS; i++) {
        requests[i] = (struct alc_sgx_key_request){
            .name = ALC_SGX_KEY_SEAL,
            .policy = ALC_SGX_POLICY_MRSIGNER,
            .isv_svn = OWN_SVN,
            .attributes_mask = {.flags = ALC_SGX_ATTRIBUTE_MODE64, .xfrm = UINT64_MAX},
        };
    }
    requests[1].policy = ALC_SGX_POLICY_MRENCLAVE;
    requests[2].policy = ALC_SGX_POLICY_MRENCLAVE | ALC_SGX_POLICY_MRSIGNER;
    requests[3].isv_svn = 0;
    requests[4].key_id[31] = 1;
    requests[5].attributes_mask.xfrm = 0;
    requests[6].misc_mask = UINT32_MAX;
    memcpy(requests[7].cpu_svn, ALC_SGX_EMU_CPU_SVN, 16);
    test_open(&test, NULL);
    for (int i = 0; i < VARIANTS; i++) {
        get_key(&test, &requests[i], keys[i]);
        for (int j = 0; j < i; j++) {
            assert_memory_not_equal(keys[i], keys[j], KEY_SIZE);
        }
    }
    test_close(&test);
    test_open(&test, NULL); /* the same enclave, another day */
    for (int i = 0; i < VARIANTS; i++) {
        get_key(&test, &requests[i], again);
        assert_memory_equal(again, keys[i], KEY_SIZE);
    }
    test_close(&test);
}

static void test_keys_of_others_are_refused(void **state)
{
    (void)state;
    static const uint8_t zero[KEY_SIZE];
    const struct alc_sgx_key_request plain = {.name = ALC_SGX_KEY_SEAL};
    struct alc_sgx_key_request requests[8];
    static const alc_status expected[8] = {
        ALC_E_POLICY_REFUSED, ALC_E_POLICY_REFUSED, ALC_E_POLICY_REFUSED, ALC_E_POLICY_REFUSED,
        ALC_E_POLICY_REFUSED, ALC_E_BAD_ARGUMENT,   ALC_E_BAD_ARGUMENT,   ALC_E_BAD_ARGUMENT};
    struct test_enclave test;
    uint8_t key[KEY_SIZE];
    for (int i = 0; i < 8; i++) {
        requests[i] = plain;
    }
    requests[0].isv_svn = OWN_SVN + 1; /* of the future */
    requests[1].name = ALC_SGX_KEY_PROVISION;
    requests[2].name = ALC_SGX_KEY_EINITTOKEN;
    requests[3].name = 77;
    requests[4].cpu_svn[0] = 0xFF;
    requests[5].policy = ALC_SGX_POLICY_CONFIGID; /* needs KSS */
    requests[6].reserved_78[0] = 1;
    requests[7].policy = 0x8000;
    test_open(&test, NULL);
    for (int i = 0; i < 8; i++) {
        memset(key, 0xAA, sizeof key);
        assert_int_equal(try_key(&test, &requests[i], key), expected[i]);
        assert_memory_equal(key, zero, KEY_SIZE);
    }
    test_still_works(&test);
    test_close(&test);
}

/* -- the emulator's derivation, a second time: CMAC under the public root over 264 bytes -- */

static void put(uint8_t *material, size_t offset, const void *bytes, size_t size)
{
    memcpy(material + offset, bytes, size);
}

static void test_the_derivation_is_as_documented(void **state)
{
    (void)state;
    static const uint8_t root[KEY_SIZE] = "alcove EMULATED";
    struct test_enclave test;
    struct alc_sgx_report report;
    const struct alc_sgx_target_info self = {.measurement = {0}};
    const uint64_t xfrm_mask = UINT64_MAX;
    const uint64_t flags_mask =
        ALC_SGX_ATTRIBUTE_MODE64 | ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_DEBUG;
    const uint64_t policy = ALC_SGX_POLICY_MRSIGNER;
    struct alc_sgx_key_request request = {
        .name = ALC_SGX_KEY_SEAL,
        .policy = ALC_SGX_POLICY_MRSIGNER,
        .isv_svn = OWN_SVN,
        .attributes_mask = {.flags = ALC_SGX_ATTRIBUTE_MODE64, .xfrm = xfrm_mask},
        .key_id = "key id of a test",
        .misc_mask = UINT32_MAX,
    };
    uint8_t material[MATERIAL_SIZE] = {0};
    uint8_t expected[KEY_SIZE];
    uint8_t key[KEY_SIZE];
    test_open(&test, NULL);
    make_report(&test, &self, &report);
    get_key(&test, &request, key);
    put(material, 0, &request.name, 2);
    put(material, 2, &report.body.isv_product_id, 2);
    put(material, 4, &request.isv_svn, 2);
    put(material, 8, &report.body.miscselect, 4);
    put(material, 12, &request.misc_mask, 4);
    put(material, 16, &report.body.attributes, 16);
    put(material, 32, &flags_mask, 8);
    put(material, 40, &xfrm_mask, 8);
    put(material, 48, request.cpu_svn, 16);
    put(material, 64, request.key_id, 32);
    put(material, 128, report.body.mrsigner, 32);
    put(material, 256, &policy, 8);
    cmac(root, material, sizeof material, expected);
    assert_memory_equal(key, expected, KEY_SIZE);
    test_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports_say_who),
        cmocka_unit_test(test_a_report_is_for_its_target),
        cmocka_unit_test(test_seal_keys_depend_on_everything),
        cmocka_unit_test(test_keys_of_others_are_refused),
        cmocka_unit_test(test_the_derivation_is_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
