/* SPDX-License-Identifier: Apache-2.0
 *
 * Each rule of checks.def with a platform of our own that breaks it, and the states that platform,
 * TDX module and quoting enclave have together.
 */
#include "unit/attest/judge.h"

static void test_good(void **state)
{
    (void)state;
    struct platform_options options = platform_options_default;
    struct alc_verdict verdict;
    for (int i = 0; i < 2; i++) {
        options.reverses_chain = i == 1;
        judge(&options, NULL, &verdict);
        assert_int_equal(verdict.status, ALC_OK);
        assert_int_equal(verdict.results[ALC_CHECKS - 1], ALC_CHECK_PASSED);
        assert_int_equal(verdict.tcb, ALC_TCB_UP_TO_DATE);
        assert_int_equal(verdict.evaluation_number, 17); /* the older of 18 and 17 */
        assert_int_equal(verdict.advisories_count, 0);
        assert_int_equal(verdict.report.mrenclave[0], 7);
    }
}

static void test_certificates(void **state)
{
    (void)state;
    /* Without an authority, both lower certificates are leaves. */
    REFUSED(authority_is_none, true, ALC_CHECK_PCK_CHAIN, ALC_E_BAD_CERTIFICATE);
    REFUSED(signer_signs_platform, true, ALC_CHECK_PCK_CHAIN, ALC_E_BAD_CERTIFICATE);
    REFUSED(has_critical_extension, true, ALC_CHECK_PCK_CHAIN, ALC_E_BAD_CERTIFICATE);
    REFUSED(has_no_extension, true, ALC_CHECK_PCK_EXTENSION, ALC_E_BAD_CERTIFICATE);
    REFUSED(leaf_from, "20250801000000Z", ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
}

static void test_revocation(void **state)
{
    (void)state;
    REFUSED(revoked_by_root, SERIAL_AUTHORITY, ALC_CHECK_NOT_REVOKED, ALC_E_REVOKED);
    REFUSED(revoked_by_authority, SERIAL_PLATFORM, ALC_CHECK_NOT_REVOKED, ALC_E_REVOKED);
    REFUSED(revoked_by_root, SERIAL_SIGNER, ALC_CHECK_TCB_INFO, ALC_E_REVOKED);
    REFUSED(list_until, "20250601000000Z", ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
    /* A serial number counts in its issuer's list only. */
    struct platform_options options = platform_options_default;
    struct alc_verdict verdict;
    options.revoked_by_authority = SERIAL_AUTHORITY;
    options.revoked_by_root = SERIAL_PLATFORM;
    judge(&options, NULL, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
}

static void test_collateral(void **state)
{
    (void)state;
    REFUSED(tcb_until, "2025-06-01T00:00:00Z", ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
    REFUSED(fmspc, "00906ED50001", ALC_CHECK_PLATFORM, ALC_E_WRONG_PLATFORM);
    REFUSED(fmspc, "00906ED5000", ALC_CHECK_TCB_INFO, ALC_E_BAD_JSON);
    REFUSED(tcb_levels, "[]", ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    REFUSED(tcb_levels, "[" PLATFORM_LEVEL("5", "7", "Fine", "") "]", ALC_CHECK_TCB_INFO,
            ALC_E_BAD_COLLATERAL);
    REFUSED(tcb_levels, "[" PLATFORM_LEVEL("5", "7", "UpToDate", ",\"tcbStatus\":\"UpToDate\"") "]",
            ALC_CHECK_TCB_INFO, ALC_E_BAD_JSON);
    REFUSED(tcb_levels, "[" PLATFORM_LEVEL("256", "7", "UpToDate", "") "]", ALC_CHECK_TCB_INFO,
            ALC_E_BAD_JSON);
    REFUSED(tcb_levels, "[" PLATFORM_LEVEL("5},{\"svn\":5", "7", "UpToDate", "") "]",
            ALC_CHECK_TCB_INFO, ALC_E_BAD_COLLATERAL);
    REFUSED(tcb_levels, "[" PLATFORM_LEVEL("6", "7", "UpToDate", "") "]", ALC_CHECK_TCB_LEVEL,
            ALC_E_NO_TCB_LEVEL);
    REFUSED(tcb_levels, "[" PLATFORM_LEVEL("5", "8", "UpToDate", "") "]", ALC_CHECK_TCB_LEVEL,
            ALC_E_NO_TCB_LEVEL);
    REFUSED(qe_svn, 5, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
}

static void test_quoting_enclave(void **state)
{
    (void)state;
    REFUSED(qe_attributes, 0x13, ALC_CHECK_QE_FITS, ALC_E_REPORT_MISMATCH); /* debug */
    REFUSED(qe_attributes, 0x01, ALC_CHECK_QE_FITS, ALC_E_REPORT_MISMATCH);
    REFUSED(report_data_end, 1, ALC_CHECK_ATTESTATION_KEY, ALC_E_BAD_KEY);
}

static void test_debug_enclave(void **state)
{
    (void)state;
    struct platform_options options = platform_options_default;
    struct alc_policy policy = alc_policy_default;
    struct alc_verdict verdict;
    REFUSED(attributes, 7, ALC_CHECK_NOT_DEBUG, ALC_E_POLICY_REFUSED);
    options.attributes = 7;
    policy.accepts_debug = true;
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
}

static void test_states(void **state)
{
    (void)state;
    struct platform_options options = platform_options_default;
    struct alc_verdict verdict;
    REFUSED(pce_svn, 6, ALC_CHECK_TCB_STATUS, ALC_E_POLICY_REFUSED); /* third level */
    REFUSED(qe_svn, 7, ALC_CHECK_TCB_STATUS, ALC_E_POLICY_REFUSED);  /* second level of the QE */
    options.pce_svn = 6;
    options.qe_svn = 7;
    judge(&options, NULL, &verdict);
    assert_int_equal(verdict.platform_tcb, ALC_TCB_OUT_OF_DATE);
    assert_int_equal(verdict.qe_tcb, ALC_TCB_OUT_OF_DATE);
    assert_int_equal(verdict.advisories_count, 3); /* A-2 once */
    assert_true(alc_text_is(&verdict.advisories[2], "A-3"));
}

static void test_converging(void **state)
{
    (void)state;
    enum alc_tcb_status ok = ALC_TCB_UP_TO_DATE, old = ALC_TCB_OUT_OF_DATE;
    for (enum alc_tcb_status status = 0; status < ALC_TCB_STATUSES; status++) {
        assert_int_equal(alc_tcb_converge(status, ok), status);
        assert_int_equal(alc_tcb_converge(status, ALC_TCB_REVOKED), ALC_TCB_REVOKED);
    }
    assert_int_equal(alc_tcb_converge(ok, old), old);
    assert_int_equal(alc_tcb_converge(ALC_TCB_SW_HARDENING_NEEDED, old), old);
    assert_int_equal(alc_tcb_converge(ALC_TCB_CONFIGURATION_NEEDED, old),
                     ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED);
    assert_int_equal(alc_tcb_converge(ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED, old),
                     ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED);
    assert_int_equal(alc_tcb_converge(ALC_TCB_REVOKED, old), ALC_TCB_REVOKED);
}

static void test_policy_of_any(void **state)
{
    (void)state;
    struct platform_options options = platform_options_default;
    struct alc_policy policy = alc_policy_default;
    struct alc_verdict verdict;
    policy.kinds = ALC_EVIDENCE_TDX;
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_E_POLICY_REFUSED);
    assert_int_equal(verdict.results[ALC_CHECK_KIND], ALC_CHECK_FAILED);
    policy.kinds = ALC_EVIDENCE_TDX | ALC_EVIDENCE_SGX;
    policy.evaluation_number_min = 17;
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    policy.evaluation_number_min = 18;
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.results[ALC_CHECK_EVALUATION], ALC_CHECK_FAILED);
}

static void test_emulated(void **state)
{
    (void)state;
    struct platform_options options = platform_options_default;
    struct alc_policy policy = alc_policy_default;
    struct alc_verdict verdict;
    REFUSED(is_emulated, true, ALC_CHECK_NOT_EMULATED, ALC_E_EMULATED);
    options.is_emulated = true;
    judge(&options, NULL, &verdict);
    assert_true(verdict.is_emulated);
    policy.accepts_emulated = true;
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    assert_true(verdict.is_emulated);
    /* A policy that accepts the emulator's root does so beside the makers'. */
    judge(&platform_options_default, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    assert_false(verdict.is_emulated);
}

/* Who can make evidence for the emulator's root can make collateral for it: neither may stand
 * beside the makers' other half, whatever is accepted. */
static void test_mixed_roots(void **state)
{
    (void)state;
    static struct platform other;
    struct platform_options options = platform_options_default;
    struct alc_policy policy = alc_policy_default;
    policy.accepts_emulated = true;
    for (int quote_is_emulated = 0; quote_is_emulated < 2; quote_is_emulated++) {
        struct alc_arena arena;
        struct alc_verdict verdict;
        options.is_emulated = !quote_is_emulated;
        platform_make(&other, &options);
        uint8_t emulated_root[ALC_SHA256_SIZE];
        memcpy(emulated_root, other.root_sha256, sizeof emulated_root);
        options.is_emulated = quote_is_emulated;
        platform_make(&platform, &options);
        if (!quote_is_emulated) {
            memcpy(platform_emulated_root, emulated_root, sizeof emulated_root);
        } else {
            platform.appraisal.root_sha256 = other.root_sha256;
        }
        platform.appraisal.policy = &policy;
        platform.collateral.tcb_info_chain = other.collateral.tcb_info_chain;
        alc_arena_init(&arena, memory, sizeof memory);
        alc_appraise(&arena, &platform.appraisal, &verdict);
        assert_int_equal(verdict.status, ALC_E_UNTRUSTED_ROOT);
        assert_int_equal(verdict.results[ALC_CHECK_TCB_INFO], ALC_CHECK_FAILED);
        platform_free(&platform);
        platform_free(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_revocation),
        cmocka_unit_test(test_collateral),
        cmocka_unit_test(test_quoting_enclave),
        cmocka_unit_test(test_debug_enclave),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_converging),
        cmocka_unit_test(test_policy_of_any),
        cmocka_unit_test(test_emulated),
        cmocka_unit_test(test_mixed_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
