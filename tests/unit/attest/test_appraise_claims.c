/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence with claims: they are believed when the evidence binds them, and each member of a policy
 * about them refuses what it is for.
 */
#include "attest/ear.h"
#include "base/bytes.h"
#include "unit/attest/platform_make.h"

static uint8_t memory[1 << 16];
static struct platform platform;
static struct alc_policy policy;
static struct alc_claims claims;
static struct alc_verdict verdict;
static uint8_t buffer_bytes[ALC_CLAIMS_SIZE_MAX];
static size_t buffer_size;

static const uint8_t nonce[] = {1, 2, 3, 4};

static int set_up(void **state)
{
    (void)state;
    static const char software[] = "alcove";
    static const char version[] = "0.1.0";
    claims = (struct alc_claims){
        .software = {(const uint8_t *)software, sizeof software - 1},
        .version = {(const uint8_t *)version, sizeof version - 1},
        .workload_id = {11},
        .module_sha256 = {12},
        .is_compiled = true,
        .native_sha256 = {13},
        .is_verified = true,
        .vouched_by = ALC_CLAIMED_VOUCHER_KEY,
        .voucher_key_sha256 = {14},
        .asked_by = ALC_ASKED_BY_PROGRAM,
    };
    policy = alc_policy_default;
    return 0;
}

static void write_buffer(void)
{
    uint8_t claims_bytes[1024];
    struct alc_writer writer;
    alc_writer_init(&writer, claims_bytes, sizeof claims_bytes);
    alc_claims_write(&writer, &claims);
    assert_false(writer.overflowed);
    const struct alc_claims_buffer buffer = {.nonce = {nonce, sizeof nonce},
                                             .alcove = {claims_bytes, writer.pos}};
    alc_writer_init(&writer, buffer_bytes, sizeof buffer_bytes);
    alc_claims_buffer_write(&writer, &buffer);
    assert_false(writer.overflowed);
    buffer_size = writer.pos;
}

/* Judges a domain whose report data bind what is in the buffer now. */
static void make(void)
{
    struct platform_options options = platform_options_tdx;
    alc_claims_bind(buffer_bytes, buffer_size, options.td.report_data);
    platform_make(&platform, &options);
    platform.appraisal.policy = &policy;
    platform.appraisal.claims_buffer = (struct alc_text){buffer_bytes, buffer_size};
}

static void judge(void)
{
    struct alc_arena arena;
    alc_arena_init(&arena, memory, sizeof memory);
    alc_appraise(&arena, &platform.appraisal, &verdict);
}

static void expect_accepted(void)
{
    judge();
    if (verdict.status != ALC_OK) {
        fail_msg("%s", alc_status_text(verdict.status));
    }
}

static void expect_refused(enum alc_check check, alc_status status)
{
    judge();
    if (verdict.results[check] != ALC_CHECK_FAILED || verdict.status != status) {
        fail_msg("%s: %s", alc_check_name(check), alc_status_text(verdict.status));
    }
    assert_true(alc_verdict_is_genuine(&verdict));
}

static void test_binding(void **state)
{
    (void)state;
    write_buffer();
    make();
    expect_accepted();
    assert_true(verdict.has_claims);
    assert_int_equal(verdict.claims.workload_id[0], 11);
    assert_int_equal(verdict.nonce.size, sizeof nonce);
    buffer_bytes[buffer_size - 1] ^= 1;
    expect_refused(ALC_CHECK_CLAIMS, ALC_E_REPORT_MISMATCH);
    assert_false(verdict.has_claims);
    buffer_bytes[buffer_size - 1] ^= 1;
    platform.appraisal.claims_buffer.size--;
    expect_refused(ALC_CHECK_CLAIMS, ALC_E_REPORT_MISMATCH);
    platform_free(&platform);
}

/* The evidence binds bytes that are no claims. */
static void test_malformed(void **state)
{
    (void)state;
    write_buffer();
    buffer_bytes[buffer_size++] = 0;
    make();
    expect_refused(ALC_CHECK_CLAIMS, ALC_E_BAD_CBOR);
    platform_free(&platform);
    const struct alc_claims_buffer buffer = {.alcove = {(const uint8_t *)"\xa0", 1}};
    struct alc_writer writer;
    alc_writer_init(&writer, buffer_bytes, sizeof buffer_bytes);
    alc_claims_buffer_write(&writer, &buffer);
    buffer_size = writer.pos;
    make();
    expect_refused(ALC_CHECK_CLAIMS, ALC_E_BAD_CLAIMS);
    platform_free(&platform);
}

static void test_nonce(void **state)
{
    (void)state;
    static const uint8_t other[] = {1, 2, 3, 5};
    write_buffer();
    make();
    platform.appraisal.nonce = (struct alc_text){nonce, sizeof nonce};
    expect_accepted();
    platform.appraisal.nonce.bytes = other;
    expect_refused(ALC_CHECK_NONCE, ALC_E_POLICY_REFUSED);
    platform.appraisal.nonce = (struct alc_text){nonce, sizeof nonce - 1};
    expect_refused(ALC_CHECK_NONCE, ALC_E_POLICY_REFUSED);
    /* Without claims the nonce is in the report data. */
    platform.appraisal.claims_buffer.size = 0;
    platform.appraisal.nonce = (struct alc_text){nonce, sizeof nonce};
    expect_refused(ALC_CHECK_NONCE, ALC_E_POLICY_REFUSED);
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE + 1] = {0};
    alc_claims_bind(buffer_bytes, buffer_size, report_data);
    platform.appraisal.nonce = (struct alc_text){report_data, 32};
    expect_accepted();
    platform.appraisal.nonce.size = 64;
    expect_accepted();
    platform.appraisal.nonce.size = 65;
    expect_refused(ALC_CHECK_NONCE, ALC_E_POLICY_REFUSED);
    platform_free(&platform);
}

struct hash_case {
    struct alc_reference_values *values;
    uint8_t first;
    enum alc_check check;
};

static void test_hashes(void **state)
{
    (void)state;
    const struct hash_case cases[] = {
        {&policy.workloads, 11, ALC_CHECK_WORKLOAD},
        {&policy.modules, 12, ALC_CHECK_MODULE},
        {&policy.natives, 13, ALC_CHECK_NATIVE},
        {&policy.voucher_keys, 14, ALC_CHECK_VOUCHED_BY},
    };
    write_buffer();
    make();
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        uint8_t hashes[2][ALC_SHA256_SIZE] = {{1}, {cases[i].first}};
        *cases[i].values = (struct alc_reference_values){hashes[0], 2};
        expect_accepted();
        cases[i].values->count = 1;
        expect_refused(cases[i].check, ALC_E_POLICY_REFUSED);
        cases[i].values->count = 2;
        platform.appraisal.claims_buffer.size = 0;
        expect_refused(cases[i].check, ALC_E_POLICY_REFUSED);
        platform.appraisal.claims_buffer.size = buffer_size;
        *cases[i].values = (struct alc_reference_values){0};
    }
    platform_free(&platform);
}

/* What the policy says about compiled code holds for a program that is interpreted. */
static void test_interpreted(void **state)
{
    (void)state;
    static const uint8_t hash[ALC_SHA256_SIZE] = {99};
    claims.is_compiled = false;
    claims.vouched_by = ALC_CLAIMED_VOUCHER_NOBODY;
    policy.natives = (struct alc_reference_values){hash, 1};
    policy.voucher_keys = policy.natives;
    policy.needs_verified = true;
    write_buffer();
    make();
    expect_accepted();
    platform_free(&platform);
}

static void test_verified(void **state)
{
    (void)state;
    static const uint8_t hash[ALC_SHA256_SIZE] = {14};
    policy.needs_verified = true;
    write_buffer();
    make();
    expect_accepted();
    platform.appraisal.claims_buffer.size = 0;
    expect_refused(ALC_CHECK_VERIFIED, ALC_E_POLICY_REFUSED);
    platform_free(&platform);
    claims.is_verified = false;
    claims.vouched_by = ALC_CLAIMED_VOUCHER_MANIFEST;
    write_buffer();
    make();
    expect_refused(ALC_CHECK_VERIFIED, ALC_E_POLICY_REFUSED);
    policy.needs_verified = false;
    expect_accepted();
    policy.voucher_keys = (struct alc_reference_values){hash, 1};
    expect_refused(ALC_CHECK_VOUCHED_BY, ALC_E_POLICY_REFUSED);
    platform_free(&platform);
}

static void test_asked_by(void **state)
{
    (void)state;
    write_buffer();
    make();
    policy.askers = 1u << ALC_ASKED_BY_PROGRAM | 1u << ALC_ASKED_BY_CHANNEL;
    expect_accepted();
    policy.askers = 1u << ALC_ASKED_BY_HOST;
    expect_refused(ALC_CHECK_ASKED_BY, ALC_E_POLICY_REFUSED);
    policy.askers = 1u << ALC_ASKED_BY_PROGRAM;
    platform.appraisal.claims_buffer.size = 0;
    expect_refused(ALC_CHECK_ASKED_BY, ALC_E_POLICY_REFUSED);
    platform_free(&platform);
}

/* Judges an enclave that was configured so, with the claims that are in the buffer now. */
static void make_enclave(uint64_t flags, const uint8_t *config_id)
{
    struct platform_options options = platform_options_default;
    options.attributes = ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_MODE64 | flags;
    alc_copy(options.config_id, config_id, sizeof options.config_id);
    alc_claims_bind(buffer_bytes, buffer_size, options.report_data);
    platform_make(&platform, &options);
    platform.appraisal.policy = &policy;
    platform.appraisal.claims_buffer = (struct alc_text){buffer_bytes, buffer_size};
}

/* With KSS an enclave is configured for its workload or is not believed; without nothing is said.
 */
static void test_configured(void **state)
{
    (void)state;
    static const size_t changed[] = {0, 31, 32, 63};
    uint8_t config_id[ALC_SGX_CONFIG_ID_SIZE] = {0};
    write_buffer();
    make_enclave(0, config_id);
    expect_accepted();
    platform_free(&platform);
    make_enclave(ALC_SGX_ATTRIBUTE_KSS, config_id);
    expect_refused(ALC_CHECK_CONFIGURED, ALC_E_REPORT_MISMATCH);
    platform_free(&platform);
    alc_copy(config_id, claims.workload_id, sizeof claims.workload_id);
    make_enclave(ALC_SGX_ATTRIBUTE_KSS, config_id);
    expect_accepted();
    platform_free(&platform);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(changed); i++) {
        config_id[changed[i]] ^= 1;
        make_enclave(ALC_SGX_ATTRIBUTE_KSS, config_id);
        expect_refused(ALC_CHECK_CONFIGURED, ALC_E_REPORT_MISMATCH);
        platform.appraisal.claims_buffer.size = 0; /* other makes' enclaves mean what they like */
        expect_accepted();
        platform_free(&platform);
        config_id[changed[i]] ^= 1;
    }
}

static void test_config_id_by_policy(void **state)
{
    (void)state;
    uint8_t accepted[2][ALC_SGX_CONFIG_ID_SIZE] = {{1}, {11}};
    const uint8_t nothing[ALC_SGX_CONFIG_ID_SIZE] = {0};
    write_buffer();
    make_enclave(ALC_SGX_ATTRIBUTE_KSS, accepted[1]);
    policy.needs_config_id = true;
    policy.config_ids = (struct alc_reference_values){accepted[0], 2};
    expect_accepted();
    policy.config_ids.count = 1;
    expect_refused(ALC_CHECK_CONFIGID, ALC_E_POLICY_REFUSED);
    policy.config_ids.count = 0;
    expect_accepted();
    platform_free(&platform);
    make_enclave(0, nothing);
    expect_refused(ALC_CHECK_CONFIGID, ALC_E_POLICY_REFUSED);
    policy.needs_config_id = false;
    expect_accepted();
    platform_free(&platform);
    policy.needs_config_id = true;
    make_enclave(ALC_SGX_ATTRIBUTE_KSS, nothing);
    expect_refused(ALC_CHECK_CONFIGID, ALC_E_POLICY_REFUSED);
    platform_free(&platform);
}

/* The least level that is asked for, against each that is claimed, and against none. */
static void test_rollback(void **state)
{
    (void)state;
    for (uint32_t claimed = 0; claimed <= ALC_CLAIMED_ROLLBACKS; claimed++) {
        claims.has_sealed_mounts = claimed != 0;
        claims.rollback = claimed != 0 ? (enum alc_claimed_rollback)(claimed - 1) : 0;
        write_buffer();
        make();
        for (uint32_t least = 0; least <= ALC_CLAIMED_ROLLBACKS; least++) {
            policy.rollback_min = least;
            if (claimed >= least) {
                expect_accepted();
            } else {
                expect_refused(ALC_CHECK_ROLLBACK, ALC_E_POLICY_REFUSED);
            }
        }
        platform.appraisal.claims_buffer.size = 0;
        expect_refused(ALC_CHECK_ROLLBACK, ALC_E_POLICY_REFUSED);
        platform_free(&platform);
    }
}

/* A runtime is only recognized together with the program that it runs. */
static void test_recognized(void **state)
{
    (void)state;
    uint8_t mrtd[ALC_CVM_MEASUREMENT_SIZE];
    write_buffer();
    make();
    expect_accepted();
    alc_copy(mrtd, verdict.td.mrtd, sizeof mrtd);
    policy.mrtds = (struct alc_reference_values){mrtd, 1};
    expect_accepted();
    assert_false(alc_ear_is_recognized(&verdict, &policy));
    policy.modules = (struct alc_reference_values){claims.module_sha256, 1};
    expect_accepted();
    assert_true(alc_ear_is_recognized(&verdict, &policy));
    platform_free(&platform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_binding, set_up),
        cmocka_unit_test_setup(test_malformed, set_up),
        cmocka_unit_test_setup(test_nonce, set_up),
        cmocka_unit_test_setup(test_hashes, set_up),
        cmocka_unit_test_setup(test_interpreted, set_up),
        cmocka_unit_test_setup(test_verified, set_up),
        cmocka_unit_test_setup(test_asked_by, set_up),
        cmocka_unit_test_setup(test_configured, set_up),
        cmocka_unit_test_setup(test_config_id_by_policy, set_up),
        cmocka_unit_test_setup(test_rollback, set_up),
        cmocka_unit_test_setup(test_recognized, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
