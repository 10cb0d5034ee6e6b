/* SPDX-License-Identifier: Apache-2.0
 *
 * The real report of an SEV-SNP guest on Milan: what it says, and that nothing of it, of its
 * certificate and of its chain can be changed; every byte with `all` as argv[2], else some. And
 * AMD's roots of all products.
 * argv[1]: the folder with the vectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attest/snp_vector.h"

enum { SKIPPED = 77 };

static const char *folder;
static bool is_thorough;
static struct snp_vector vector;

static int set_up(void **state)
{
    (void)state;
    return snp_vector_read(folder, &vector) ? 0 : -1;
}

static int64_t time_of(const char *text)
{
    int64_t seconds;
    assert_true(alc_time_from_rfc3339((const uint8_t *)text, strlen(text), &seconds));
    return seconds;
}

static void test_good_report(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    const struct alc_snp_tcb tcb = {.bootloader = 2, .tee = 0, .snp = 5, .microcode = 0x44};
    assert_int_equal(snp_vector_judge(&vector, &verdict), ALC_OK);
    const struct alc_snp_report *report = &verdict.snp.report;
    assert_int_equal(verdict.kind, ALC_EVIDENCE_SEV_SNP);
    assert_int_equal(verdict.snp.product, ALC_SNP_MILAN);
    assert_memory_equal(&verdict.snp.reported_tcb, &tcb, sizeof tcb);
    assert_memory_equal(&verdict.snp.key.tcb, &tcb, sizeof tcb);
    assert_int_equal(report->version, 2);
    assert_true(report->policy == 0xb0000);
    assert_int_equal(report->vmpl, 0);
    assert_int_equal(report->key_kind, ALC_SNP_VCEK);
    assert_int_equal(report->current.major, 1);
    assert_int_equal(report->current.minor, 0x31);
    assert_int_equal(report->current.build, 3);
    assert_int_equal(report->measurement[0], 0xb0);
    assert_int_equal(verdict.report_data[0], 1);
    assert_int_equal(verdict.report_data[4], 5);
    assert_true(verdict.valid_from_s == time_of("2022-09-24T00:55:28Z"));
    assert_true(verdict.valid_until_s == time_of("2029-09-24T00:55:28Z"));
}

static void test_debug_is_refused(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    vector.appraisal.policy = &alc_policy_default;
    assert_int_equal(snp_vector_judge(&vector, &verdict), ALC_E_POLICY_REFUSED);
    assert_int_equal(verdict.results[ALC_CHECK_SNP_PLATFORM], ALC_CHECK_PASSED);
    assert_int_equal(verdict.results[ALC_CHECK_NOT_DEBUG], ALC_CHECK_FAILED);
}

static void test_dates(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    vector.appraisal.now_s = time_of("2029-09-24T00:55:28Z");
    assert_int_equal(snp_vector_judge(&vector, &verdict), ALC_OK);
    vector.appraisal.now_s++;
    assert_int_equal(snp_vector_judge(&vector, &verdict), ALC_E_NOT_CURRENT);
    assert_int_equal(verdict.results[ALC_CHECK_DATES], ALC_CHECK_FAILED);
}

/* AMD's chains of the other products are well signed, and their roots pinned, but not this key's.
 */
static void test_other_products(void **state)
{
    (void)state;
    static const char *const names[] = {"ask_ark_genoa.pem", "ask_ark_turin_vcek.pem"};
    struct alc_verdict verdict;
    struct alc_arena arena;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct alc_chain chain;
        struct alc_reader reader;
        uint8_t digest[ALC_SHA256_SIZE];
        uint8_t pinned[ALC_SHA256_SIZE];
        enum alc_snp_product product;
        assert_true(snp_file_read(folder, names[i], vector.chain, &vector.collateral.chain));
        assert_int_equal(snp_vector_judge(&vector, &verdict), ALC_E_BAD_CERTIFICATE);
        assert_int_equal(verdict.results[ALC_CHECK_SNP_CHAIN], ALC_CHECK_FAILED);
        /* Both are authorities, so it is no chain yet; each is read by itself. */
        uint8_t der[2][4096];
        struct alc_certificate certificates[2];
        alc_reader_init(&reader, vector.collateral.chain.bytes, vector.collateral.chain.size, NULL);
        alc_arena_init(&arena, vector.memory, sizeof vector.memory);
        assert_int_equal(alc_chain_read(&arena, &reader, ALC_CERTIFICATE_AMD, &chain),
                         ALC_E_BAD_CERTIFICATE);
        alc_reader_init(&reader, vector.collateral.chain.bytes, vector.collateral.chain.size, NULL);
        for (size_t j = 0; j < 2; j++) {
            struct alc_reader one;
            size_t size;
            assert_int_equal(alc_pem_read(&reader, "CERTIFICATE", der[j], sizeof der[j], &size),
                             ALC_OK);
            alc_reader_init(&one, der[j], size, NULL);
            assert_int_equal(alc_certificate_read(&one, ALC_CERTIFICATE_AMD, &certificates[j]),
                             ALC_OK);
        }
        assert_int_equal(alc_certificate_check_issuer(&certificates[0], &certificates[1], NULL),
                         ALC_OK);
        assert_int_equal(alc_certificate_check_issuer(&certificates[1], &certificates[1], NULL),
                         ALC_OK);
        assert_true(alc_snp_product_of_name(&certificates[1], "ARK-", &product));
        assert_int_equal(product, i == 0 ? ALC_SNP_GENOA : ALC_SNP_TURIN);
        alc_snp_product_root(product, pinned);
        alc_sha256(certificates[1].bytes, certificates[1].size, digest);
        assert_memory_equal(digest, pinned, sizeof pinned);
    }
}

static void expect_refused(uint8_t *bytes, size_t size, size_t step)
{
    struct alc_verdict verdict;
    for (size_t at = 0; at < size; at += is_thorough ? 1 : step) {
        const uint8_t byte = bytes[at];
        bytes[at] ^= (uint8_t)(1u << at % 8);
        if (snp_vector_judge(&vector, &verdict) == ALC_OK) {
            /* Between the letters of a certificate (RFC 7468) white space is nobody's. */
            assert_true(bytes == vector.chain && byte == '\n');
        }
        bytes[at] = byte;
    }
    assert_int_equal(snp_vector_judge(&vector, &verdict), ALC_OK);
}

static void test_changed_report(void **state)
{
    (void)state;
    expect_refused(vector.report, vector.appraisal.evidence.size, 7);
}

static void test_changed_certificate(void **state)
{
    (void)state;
    expect_refused(vector.vcek, vector.collateral.endorsement_key.size, 11);
}

static void test_changed_chain(void **state)
{
    (void)state;
    expect_refused(vector.chain, vector.collateral.chain.size, 37);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good_report, set_up),
        cmocka_unit_test_setup(test_debug_is_refused, set_up),
        cmocka_unit_test_setup(test_dates, set_up),
        cmocka_unit_test_setup(test_other_products, set_up),
        cmocka_unit_test_setup(test_changed_report, set_up),
        cmocka_unit_test_setup(test_changed_certificate, set_up),
        cmocka_unit_test_setup(test_changed_chain, set_up),
    };
    folder = argc > 1 ? argv[1] : ".";
    is_thorough = argc > 2 && strcmp(argv[2], "all") == 0;
    if (!snp_vector_read(folder, &vector)) {
        printf("SKIPPED: no report in %s\n", folder);
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
