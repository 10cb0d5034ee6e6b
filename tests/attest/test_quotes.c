/* SPDX-License-Identifier: Apache-2.0
 *
 * Real quotes of SGX enclaves and TDX domains with real collateral: the verdicts that other
 * verifiers give, each rule of checks.def refusing what it is for, and changed bytes refused.
 * argv[1]: the folder with the quotes; argv[2]: `all` for every byte of a quote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attest/appraise.h"
#include "attest/time.h"

enum { SKIPPED = 77, FILE_MAX = 1 << 16 };

static const char *folder;
static bool is_thorough;
static uint8_t quote_bytes[FILE_MAX];
static uint8_t collateral_bytes[FILE_MAX];
static uint8_t collateral_memory[FILE_MAX];
static uint8_t memory[ALC_APPRAISE_ARENA_SIZE];
static struct alc_pcs_collateral collateral;
static struct alc_policy policy;
static struct alc_appraisal appraisal;

static size_t read_file(const char *name, uint8_t *out)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    size_t size = fread(out, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

static int64_t time_of(const char *text)
{
    int64_t seconds;
    assert_true(alc_time_from_rfc3339((const uint8_t *)text, strlen(text), &seconds));
    return seconds;
}

static void read_collateral(const char *name)
{
    struct alc_arena arena;
    struct alc_reader reader;
    size_t size = read_file(name, collateral_bytes);
    assert_true(size > 0);
    alc_arena_init(&arena, collateral_memory, sizeof collateral_memory);
    alc_reader_init(&reader, collateral_bytes, size, NULL);
    assert_int_equal(alc_pcs_collateral_read(&arena, &reader, &collateral), ALC_OK);
}

/* A quote, its collateral, a time within all dates, and a policy that accepts UpToDate alone. */
static void take_vector(const char *quote, const char *collateral_name, const char *now)
{
    read_collateral(collateral_name);
    policy = alc_policy_default;
    memset(quote_bytes, 0, sizeof quote_bytes);
    appraisal = (struct alc_appraisal){
        .evidence = {quote_bytes, read_file(quote, quote_bytes)},
        .collateral.pcs = &collateral,
        .policy = &policy,
        .now_s = time_of(now),
    };
}

/* The policy accepts the SGX platform's state. */
static int set_up(void **state)
{
    (void)state;
    take_vector("sgx_quote", "sgx_quote_collateral.json", "2025-07-01T00:00:00Z");
    policy.accepted_tcb |= 1u << ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    return 0;
}

static int set_up_tdx(void **state)
{
    (void)state;
    take_vector("tdx_quote", "tdx_quote_collateral.json", "2025-07-01T00:00:00Z");
    return 0;
}

static int set_up_tdx_outdated(void **state)
{
    (void)state;
    take_vector("tdx_quote_outdated", "tdx_quote_outdated_collateral.json", "2026-03-01T00:00:00Z");
    return 0;
}

static alc_status judge(struct alc_verdict *out)
{
    struct alc_arena arena;
    alc_arena_init(&arena, memory, sizeof memory);
    alc_status status = alc_appraise(&arena, &appraisal, out);
    assert_int_equal(status, out->status);
    assert_int_equal(alc_arena_mark(&arena), 0);
    return status;
}

/* The verdict's first failure is this check with this status. */
static void expect_failure(enum alc_check check, alc_status status)
{
    struct alc_verdict verdict;
    alc_status found = judge(&verdict);
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        bool is_for = i == ALC_CHECK_FORM || alc_check_is_for((enum alc_check)i, verdict.kind);
        enum alc_check_result expected = i == (size_t)check            ? ALC_CHECK_FAILED
                                         : i < (size_t)check && is_for ? ALC_CHECK_PASSED
                                                                       : ALC_CHECK_NOT_REACHED;
        if (verdict.results[i] != expected) {
            fail_msg("%s: %d, expected %d (%s)", alc_check_text((enum alc_check)i),
                     (int)verdict.results[i], (int)expected, alc_status_text(found));
        }
    }
    assert_int_equal(found, status);
}

static void expect_accepted(struct alc_verdict *out, enum alc_evidence_kind kind)
{
    assert_int_equal(judge(out), ALC_OK);
    assert_int_equal(out->kind, kind);
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        assert_int_equal(out->results[i], alc_check_is_for((enum alc_check)i, kind)
                                              ? ALC_CHECK_PASSED
                                              : ALC_CHECK_NOT_REACHED);
    }
    assert_false(out->is_emulated);
}

static void test_good_quote(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    static const uint8_t fmspc[ALC_FMSPC_SIZE] = {0x00, 0xa0, 0x67, 0x11};
    expect_accepted(&verdict, ALC_EVIDENCE_SGX);
    assert_int_equal(verdict.body, ALC_QUOTE_SGX);
    assert_int_equal(verdict.tcb, ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED);
    assert_int_equal(verdict.platform_tcb, ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED);
    assert_int_equal(verdict.qe_tcb, ALC_TCB_UP_TO_DATE);
    assert_int_equal(verdict.evaluation_number, 17);
    assert_memory_equal(verdict.fmspc, fmspc, sizeof fmspc);
    assert_int_equal(verdict.advisories_count, 2);
    assert_true(alc_text_is(&verdict.advisories[0], "INTEL-SA-00289"));
    assert_true(alc_text_is(&verdict.advisories[1], "INTEL-SA-00615"));
    assert_true(verdict.valid_from_s == time_of("2025-06-19T10:56:11Z"));
    assert_true(verdict.valid_until_s == time_of("2025-07-19T10:01:18Z"));
}

static void test_dates(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    appraisal.now_s = time_of("2025-06-19T10:56:11Z");
    assert_int_equal(judge(&verdict), ALC_OK);
    appraisal.now_s--;
    expect_failure(ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
    appraisal.now_s = time_of("2025-07-19T10:01:18Z");
    assert_int_equal(judge(&verdict), ALC_OK);
    appraisal.now_s++;
    expect_failure(ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
}

static void test_policy(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    uint8_t measurements[2][32] = {{1}};
    uint8_t report_data[64];
    struct alc_text advisories[2] = {{(const uint8_t *)"INTEL-SA-00289", 14},
                                     {(const uint8_t *)"INTEL-SA-00615", 14}};
    assert_int_equal(judge(&verdict), ALC_OK);
    const struct alc_sgx_report_body report = verdict.report;

    appraisal.policy = &alc_policy_default;
    expect_failure(ALC_CHECK_TCB_STATUS, ALC_E_POLICY_REFUSED);
    appraisal.policy = &policy;

    policy.limits_advisories = true;
    policy.advisories = advisories;
    policy.advisories_count = 2;
    assert_int_equal(judge(&verdict), ALC_OK);
    policy.advisories_count = 1;
    expect_failure(ALC_CHECK_ADVISORIES, ALC_E_POLICY_REFUSED);
    policy.limits_advisories = false;

    policy.mrenclaves = (struct alc_reference_values){measurements[0], 2};
    expect_failure(ALC_CHECK_MRENCLAVE, ALC_E_POLICY_REFUSED);
    memcpy(measurements[1], report.mrenclave, 32);
    assert_int_equal(judge(&verdict), ALC_OK);

    policy.mrsigners = (struct alc_reference_values){measurements[0], 2};
    expect_failure(ALC_CHECK_MRSIGNER, ALC_E_POLICY_REFUSED);
    memcpy(measurements[0], report.mrsigner, 32);
    assert_int_equal(judge(&verdict), ALC_OK);

    policy.has_product_id = true;
    policy.product_id = report.isv_product_id + 1;
    expect_failure(ALC_CHECK_PRODUCT, ALC_E_POLICY_REFUSED);
    policy.product_id = report.isv_product_id;
    policy.svn_min = report.isv_svn + 1;
    expect_failure(ALC_CHECK_PRODUCT, ALC_E_POLICY_REFUSED);
    policy.svn_min = report.isv_svn;
    assert_int_equal(judge(&verdict), ALC_OK);

    memcpy(report_data, report.report_data, sizeof report_data);
    policy.report_data = report_data;
    assert_int_equal(judge(&verdict), ALC_OK);
    report_data[63] ^= 1;
    expect_failure(ALC_CHECK_REPORT_DATA, ALC_E_POLICY_REFUSED);
}

static void test_other_root(void **state)
{
    (void)state;
    const uint8_t other[32] = {1};
    appraisal.root_sha256 = other;
    expect_failure(ALC_CHECK_PCK_CHAIN, ALC_E_UNTRUSTED_ROOT);
}

/* Each piece of collateral with one byte of it changed. */
static void test_changed_collateral(void **state)
{
    (void)state;
    static const struct {
        size_t offset; /* of a struct alc_text in struct alc_pcs_collateral */
        enum alc_check check;
    } texts[] = {
        {offsetof(struct alc_pcs_collateral, root_list), ALC_CHECK_ROOT_LIST},
        {offsetof(struct alc_pcs_collateral, pck_list), ALC_CHECK_PCK_LIST},
        {offsetof(struct alc_pcs_collateral, tcb_info), ALC_CHECK_TCB_INFO},
        {offsetof(struct alc_pcs_collateral, qe_identity), ALC_CHECK_QE_IDENTITY},
    };
    struct alc_verdict verdict;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct alc_text *text =
            (const struct alc_text *)((const uint8_t *)&collateral + texts[i].offset);
        for (size_t at = 0; at < text->size; at += 61) {
            uint8_t *byte = (uint8_t *)(uintptr_t)&text->bytes[at];
            *byte ^= (uint8_t)(1u << at % 8);
            assert_int_not_equal(judge(&verdict), ALC_OK);
            assert_int_equal(verdict.results[texts[i].check], ALC_CHECK_FAILED);
            *byte ^= (uint8_t)(1u << at % 8);
        }
    }
    collateral.tcb_info_signature[5] ^= 1;
    expect_failure(ALC_CHECK_TCB_INFO, ALC_E_BAD_SIGNATURE);
    collateral.tcb_info_signature[5] ^= 1;
    collateral.qe_identity_signature[5] ^= 1;
    expect_failure(ALC_CHECK_QE_IDENTITY, ALC_E_BAD_SIGNATURE);
}

/* They are the last part of a quote; a file may have zeros behind it. */
static struct alc_reader certificates_of_quote(void)
{
    struct alc_quote quote;
    struct alc_reader reader;
    alc_reader_init(&reader, appraisal.evidence.bytes, appraisal.evidence.size, NULL);
    assert_int_equal(alc_quote_read(&reader, &quote), ALC_OK);
    return quote.certificates;
}

/* Collateral signed by a platform's own authority is no collateral. */
static void test_wrong_signer(void **state)
{
    (void)state;
    const struct alc_reader certificates = certificates_of_quote();
    collateral.tcb_info_chain = (struct alc_text){certificates.bytes, certificates.size};
    expect_failure(ALC_CHECK_TCB_INFO, ALC_E_BAD_CERTIFICATE);
}

/* TCB info and identity of the other kind of environment, and another authority's list: signed
 * well, but not for this. */
static void expect_others_refused(const char *name)
{
    static uint8_t other_bytes[FILE_MAX];
    static uint8_t other_memory[FILE_MAX];
    struct alc_pcs_collateral other;
    struct alc_arena arena;
    struct alc_reader reader;
    alc_arena_init(&arena, other_memory, sizeof other_memory);
    alc_reader_init(&reader, other_bytes, read_file(name, other_bytes), NULL);
    assert_int_equal(alc_pcs_collateral_read(&arena, &reader, &other), ALC_OK);
    const struct alc_pcs_collateral own = collateral;
    collateral.tcb_info = other.tcb_info;
    memcpy(collateral.tcb_info_signature, other.tcb_info_signature, 64);
    expect_failure(ALC_CHECK_TCB_INFO, ALC_E_BAD_COLLATERAL);
    collateral = own;
    collateral.qe_identity = other.qe_identity;
    memcpy(collateral.qe_identity_signature, other.qe_identity_signature, 64);
    expect_failure(ALC_CHECK_QE_IDENTITY, ALC_E_BAD_COLLATERAL);
    collateral = own;
    collateral.pck_list = own.root_list;
    expect_failure(ALC_CHECK_PCK_LIST, ALC_E_BAD_CERTIFICATE);
    appraisal.collateral.pcs = NULL;
    expect_failure(ALC_CHECK_ROOT_LIST, ALC_E_NOT_FOUND);
}

static void test_collateral_of_tdx(void **state)
{
    (void)state;
    expect_others_refused("tdx_quote_collateral.json");
}

static void test_collateral_of_sgx(void **state)
{
    (void)state;
    expect_others_refused("sgx_quote_collateral.json");
}

/* The report, its signature, the attestation key, the enclave's report, its signature, what it
 * authenticated, and the certificates; every byte with `all` as argv[2], else some. Only what
 * stands around the letters of a certificate (RFC 7468) is nobody's: ends of lines, and the NUL
 * behind the last. */
static void test_changed_quotes(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    const alc_status unchanged = judge(&verdict);
    const struct alc_reader certificates = certificates_of_quote();
    const size_t certificates_offset = (size_t)(certificates.bytes - quote_bytes);
    const size_t last = certificates_offset + certificates.size - 1;
    size_t step = is_thorough ? 1 : 7;
    for (size_t at = 0; at < appraisal.evidence.size; at += step) {
        step = is_thorough ? 1 : at < certificates_offset ? 7 : 97;
        uint8_t byte = quote_bytes[at];
        quote_bytes[at] ^= (uint8_t)(1u << at % 8);
        if (judge(&verdict) == unchanged) {
            assert_true(at >= certificates_offset);
            assert_true(byte == '\n' || (byte == '\0' && at == last));
        }
        quote_bytes[at] = byte;
    }
    assert_int_equal(judge(&verdict), unchanged);
}

static void test_cut_quotes(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    const struct alc_reader certificates = certificates_of_quote();
    const size_t size = (size_t)(certificates.bytes - quote_bytes) + certificates.size;
    for (appraisal.evidence.size = 0; appraisal.evidence.size < size; appraisal.evidence.size++) {
        judge(&verdict);
        assert_int_equal(verdict.results[ALC_CHECK_FORM], ALC_CHECK_FAILED);
    }
    appraisal.evidence.size = size;
    const alc_status whole = judge(&verdict);
    appraisal.evidence.size = size + 5; /* zeros behind it */
    assert_int_equal(judge(&verdict), whole);
    quote_bytes[size + 4] = 1;
    expect_failure(ALC_CHECK_FORM, ALC_E_BAD_QUOTE);
    quote_bytes[size + 4] = 0;
}

/* A debug enclave whose certificates stand in another order; its collateral is not at hand, so what
 * can be checked without is checked here. */
static void test_other_order(void **state)
{
    (void)state;
    struct alc_quote quote;
    struct alc_chain chain;
    struct alc_reader reader;
    struct alc_arena arena;
    struct alc_pck pck;
    uint8_t digest[32];
    for (size_t i = 0; i < 2; i++) {
        const char *name =
            i == 0 ? "quote_pck_cert_chain.bin" : "quote_pck_cert_chain_corrupted.bin";
        alc_reader_init(&reader, quote_bytes, read_file(name, quote_bytes), NULL);
        assert_int_equal(alc_quote_read(&reader, &quote), ALC_OK);
        alc_arena_init(&arena, memory, sizeof memory);
        assert_int_equal(alc_chain_read(&arena, &quote.certificates, &chain), ALC_OK);
        assert_int_equal(chain.count, 3);
        assert_int_equal(alc_chain_verify(&chain, NULL), ALC_OK);
        assert_int_equal(alc_pck_read(&chain.certificates[0], &pck), ALC_OK);
        alc_sha256(quote.qe_report_bytes, sizeof quote.qe_report, digest);
        alc_status qe = alc_ecdsa_verify(&chain.certificates[0].key, digest, sizeof digest,
                                         &quote.qe_report_signature);
        alc_sha256(quote.signed_bytes, quote.signed_size, digest);
        alc_status own =
            alc_ecdsa_verify(&quote.attestation_key, digest, sizeof digest, &quote.signature);
        assert_true((qe == ALC_OK && own == ALC_OK) == (i == 0));
        assert_true((quote.report.attributes.flags & 2) != 0);
    }
}

static void test_tdx_quote(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    static const uint8_t fmspc[ALC_FMSPC_SIZE] = {0xb0, 0xc0, 0x6f};
    expect_accepted(&verdict, ALC_EVIDENCE_TDX);
    assert_int_equal(verdict.body, ALC_QUOTE_TD_10);
    assert_int_equal(verdict.tcb, ALC_TCB_UP_TO_DATE);
    assert_int_equal(verdict.platform_tcb, ALC_TCB_UP_TO_DATE);
    assert_int_equal(verdict.qe_tcb, ALC_TCB_UP_TO_DATE);
    assert_int_equal(verdict.advisories_count, 0);
    assert_int_equal(verdict.evaluation_number, 17);
    assert_memory_equal(verdict.fmspc, fmspc, sizeof fmspc);
    assert_true(verdict.valid_from_s == time_of("2025-06-19T10:32:27Z"));
    assert_true(verdict.valid_until_s == time_of("2025-07-19T10:00:35Z"));
    assert_int_equal(verdict.td.mrtd[0], 0x91);
    assert_int_equal(verdict.td.rtmrs[0][0], 0x44);
    assert_int_equal(verdict.td.xfam[0], 0xe7);
    assert_memory_equal(verdict.report_data, verdict.td.report_data, 64);
}

/* The signatures are good; a component of the platform is behind every level. */
static void test_tdx_outdated(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    static const uint8_t fmspc[ALC_FMSPC_SIZE] = {0x90, 0xc0, 0x6f};
    expect_failure(ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    judge(&verdict);
    assert_int_equal(verdict.body, ALC_QUOTE_TD_15);
    assert_memory_equal(verdict.fmspc, fmspc, sizeof fmspc);
    assert_int_equal(verdict.td.tee_tcb_svn[0], 7);
    assert_int_equal(verdict.td.tee_tcb_svn2[0], 13);
    assert_true(verdict.valid_from_s == time_of("2026-02-18T10:58:51Z"));
    assert_true(verdict.valid_until_s == time_of("2026-03-20T10:41:15Z"));
}

/* Each row about a measurement with another value, with the value as the second of two, and with
 * none. */
static void test_tdx_policy(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    assert_int_equal(judge(&verdict), ALC_OK);
    const struct alc_td_report td = verdict.td;
    const struct {
        enum alc_check check;
        const uint8_t *found;
        struct alc_reference_values *accepted;
    } rows[] = {
        {ALC_CHECK_MRTD, td.mrtd, &policy.mrtds},
        {ALC_CHECK_RTMR0, td.rtmrs[0], &policy.rtmrs[0]},
        {ALC_CHECK_RTMR1, td.rtmrs[1], &policy.rtmrs[1]},
        {ALC_CHECK_RTMR2, td.rtmrs[2], &policy.rtmrs[2]},
        {ALC_CHECK_RTMR3, td.rtmrs[3], &policy.rtmrs[3]},
        {ALC_CHECK_MRCONFIGID, td.mrconfigid, &policy.mrconfigids},
        {ALC_CHECK_MROWNER, td.mrowner, &policy.mrowners},
        {ALC_CHECK_MROWNERCONFIG, td.mrownerconfig, &policy.mrownerconfigs},
        {ALC_CHECK_MRSEAM, td.mrseam, &policy.mrseams},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t values[2][ALC_TD_MEASUREMENT_SIZE] = {{1}, {2}};
        *rows[i].accepted = (struct alc_reference_values){values[0], 2};
        expect_failure(rows[i].check, ALC_E_POLICY_REFUSED);
        memcpy(values[1], rows[i].found, ALC_TD_MEASUREMENT_SIZE);
        assert_int_equal(judge(&verdict), ALC_OK);
        rows[i].accepted->count = 1; /* the value behind the last does not count */
        expect_failure(rows[i].check, ALC_E_POLICY_REFUSED);
        rows[i].accepted->count = 0;
    }
    uint8_t svn[ALC_TD_SVN_SIZE];
    memcpy(svn, td.tee_tcb_svn, sizeof svn);
    policy.td_svn_min = svn;
    assert_int_equal(judge(&verdict), ALC_OK);
    svn[2]++;
    expect_failure(ALC_CHECK_TD_SVN, ALC_E_POLICY_REFUSED);
    policy.td_svn_min = NULL;
    policy.evaluation_number_min = 17;
    assert_int_equal(judge(&verdict), ALC_OK);
    policy.evaluation_number_min = 18;
    expect_failure(ALC_CHECK_EVALUATION, ALC_E_POLICY_REFUSED);
    policy.kinds = ALC_EVIDENCE_SGX | ALC_EVIDENCE_SEV_SNP;
    expect_failure(ALC_CHECK_KIND, ALC_E_POLICY_REFUSED);
}

static void test_little_memory(void **state)
{
    (void)state;
    for (size_t size = 0; size < 19000; size += 500) {
        struct alc_arena arena;
        struct alc_verdict verdict;
        alc_arena_init(&arena, memory, size);
        assert_int_equal(alc_appraise(&arena, &appraisal, &verdict), ALC_E_OUT_OF_MEMORY);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good_quote, set_up),
        cmocka_unit_test_setup(test_dates, set_up),
        cmocka_unit_test_setup(test_policy, set_up),
        cmocka_unit_test_setup(test_other_root, set_up),
        cmocka_unit_test_setup(test_changed_collateral, set_up),
        cmocka_unit_test_setup(test_wrong_signer, set_up),
        cmocka_unit_test_setup(test_collateral_of_tdx, set_up),
        cmocka_unit_test_setup(test_changed_quotes, set_up),
        cmocka_unit_test_setup(test_cut_quotes, set_up),
        cmocka_unit_test_setup(test_other_order, set_up),
        cmocka_unit_test_setup(test_tdx_quote, set_up_tdx),
        cmocka_unit_test_setup(test_tdx_outdated, set_up_tdx_outdated),
        cmocka_unit_test_setup(test_tdx_policy, set_up_tdx),
        cmocka_unit_test_setup(test_collateral_of_sgx, set_up_tdx),
        cmocka_unit_test_setup(test_changed_quotes, set_up_tdx),
        cmocka_unit_test_setup(test_changed_quotes, set_up_tdx_outdated),
        cmocka_unit_test_setup(test_cut_quotes, set_up_tdx),
        cmocka_unit_test_setup(test_cut_quotes, set_up_tdx_outdated),
        cmocka_unit_test_setup(test_little_memory, set_up),
        cmocka_unit_test_setup(test_little_memory, set_up_tdx),
    };
    folder = argc > 1 ? argv[1] : ".";
    is_thorough = argc > 2 && strcmp(argv[2], "all") == 0;
    if (read_file("sgx_quote", quote_bytes) == 0) {
        printf("SKIPPED: no quotes in %s\n", folder);
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
