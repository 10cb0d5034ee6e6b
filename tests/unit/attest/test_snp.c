/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports of SEV-SNP guests of our own, of every product: each rule of checks.def refuses what it
 * is for, and the parts of a report and of TCB versions are where each product has them.
 */
#include "unit/attest/guest_make.h"

/* The emulator's root, which is none of ours. */
uint8_t __wrap_alc_emulated_root_sha256[ALC_SHA256_SIZE];

static uint8_t memory[1 << 15];
static struct guest guest;

static alc_status judge(struct alc_verdict *out)
{
    struct alc_arena arena;
    alc_arena_init(&arena, memory, sizeof memory);
    alc_appraise(&arena, &guest.appraisal, out);
    assert_int_equal(alc_arena_mark(&arena), 0);
    return out->status;
}

/* The verdict's first failure is this check with this status. */
static void expect(const char *why, enum alc_check check, alc_status status)
{
    struct alc_verdict verdict;
    judge(&verdict);
    bool is_expected = verdict.status == status && verdict.results[check] == ALC_CHECK_FAILED;
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        is_expected = is_expected && (i == check || verdict.results[i] != ALC_CHECK_FAILED);
    }
    if (!is_expected) {
        for (size_t i = 0; i < ALC_CHECKS; i++) {
            print_message("%d %s\n", (int)verdict.results[i], alc_check_name((enum alc_check)i));
        }
        fail_msg("%s: %s", why, alc_status_text(verdict.status));
    }
}

static void expect_good(const char *why)
{
    struct alc_verdict verdict;
    if (judge(&verdict) != ALC_OK) {
        fail_msg("%s: %s", why, alc_status_text(verdict.status));
    }
}

static void make(const struct guest_options *options)
{
    guest_make(&guest, options);
    guest_sign(&guest);
}

static void make_usual(enum alc_snp_product product)
{
    struct guest_options options = guest_options_of(product);
    make(&options);
}

/* One option changed, of a guest of any product. */
#define REFUSED(product, member, value, check, status)                                             \
    do {                                                                                           \
        struct guest_options options_ = guest_options_of(product);                                 \
        options_.member = (value);                                                                 \
        make(&options_);                                                                           \
        expect(#member, check, status);                                                            \
    } while (0)

/* One byte of the report changed before it was signed. */
static void expect_byte(size_t offset, uint8_t value, enum alc_check check, alc_status status)
{
    char why[40];
    const uint8_t before = guest.report[offset];
    snprintf(why, sizeof why, "byte %#zx is %#x", offset, value);
    guest.report[offset] = value;
    guest_sign(&guest);
    if (status == ALC_OK) {
        expect_good(why);
    } else {
        expect(why, check, status);
    }
    guest.report[offset] = before;
    guest_sign(&guest);
}

static void test_good(void **state)
{
    (void)state;
    for (enum alc_snp_product product = 0; product < ALC_SNP_PRODUCTS; product++) {
        for (int i = 0; i < 4; i++) {
            struct guest_options options = guest_options_of(product);
            struct alc_verdict verdict;
            options.is_one_text = i == 1;
            options.has_list = i != 2;
            if (i == 3) {
                options.csp_id = "Example Cloud";
                options.chip_id_size = 0;
            }
            make(&options);
            expect_good("good");
            judge(&verdict);
            assert_int_equal(verdict.kind, ALC_EVIDENCE_SEV_SNP);
            assert_int_equal(verdict.results[ALC_CHECK_REPORT_DATA], ALC_CHECK_PASSED);
            assert_int_equal(verdict.results[ALC_CHECK_PCK_CHAIN], ALC_CHECK_NOT_REACHED);
            assert_int_equal(verdict.snp.product, product);
            assert_int_equal(verdict.snp.key.kind, i == 3 ? ALC_SNP_VLEK : ALC_SNP_VCEK);
            assert_int_equal(verdict.report_data[63], 0xd0);
            assert_true(verdict.valid_from_s == 1735689600);             /* 2025-01-01 */
            assert_true(verdict.valid_until_s == (i != 2 ? 1764547200    /* 2025-12-01 */
                                                         : 2493072000)); /* 2049-01-01 */
        }
    }
}

static void test_parts(void **state)
{
    (void)state;
    for (enum alc_snp_product product = 0; product < ALC_SNP_PRODUCTS; product++) {
        struct alc_verdict verdict;
        make_usual(product);
        assert_int_equal(judge(&verdict), ALC_OK);
        const struct alc_snp_report *report = &verdict.snp.report;
        const struct alc_snp_tcb wanted = {
            .fmc = product == ALC_SNP_TURIN, .bootloader = 2, .tee = 3, .snp = 4, .microcode = 200};
        assert_memory_equal(&verdict.snp.reported_tcb, &wanted, sizeof wanted);
        assert_memory_equal(&verdict.snp.current_tcb, &wanted, sizeof wanted);
        assert_memory_equal(&verdict.snp.committed_tcb, &wanted, sizeof wanted);
        assert_memory_equal(&verdict.snp.launch_tcb, &wanted, sizeof wanted);
        assert_memory_equal(&verdict.snp.key.tcb, &wanted, sizeof wanted);
        assert_int_equal(report->version, 5);
        assert_int_equal(report->guest_svn, 6);
        assert_true(report->policy == 0x30136);
        assert_int_equal(report->family_id[15], 0xf1);
        assert_int_equal(report->image_id[0], 0xf2);
        assert_int_equal(report->measurement[47], 0xaa);
        assert_int_equal(report->host_data[31], 0xbb);
        assert_int_equal(report->id_key_digest[0], 0xcc);
        assert_int_equal(report->author_key_digest[47], 0xdd);
        assert_int_equal(report->chip_id[0], 9);
        assert_int_equal(report->chip_id[7], 2);
        assert_true(report->launch_mitigations == 5 && report->current_mitigations == 0);
    }
}

static void test_certificates(void **state)
{
    (void)state;
    const enum alc_snp_product genoa = ALC_SNP_GENOA, turin = ALC_SNP_TURIN;
    REFUSED(genoa, authority_is_none, true, ALC_CHECK_SNP_CHAIN, ALC_E_BAD_CERTIFICATE);
    REFUSED(genoa, has_other_root, true, ALC_CHECK_SNP_CHAIN, ALC_E_BAD_CERTIFICATE);
    REFUSED(genoa, root_name, "ARK-Venus", ALC_CHECK_SNP_CHAIN, ALC_E_UNTRUSTED_ROOT);
    REFUSED(genoa, root_name, "Genoa", ALC_CHECK_SNP_CHAIN, ALC_E_UNTRUSTED_ROOT);
    REFUSED(genoa, authority_name, "SEV-Milan", ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    REFUSED(genoa, authority_name, "SEV-VLEK-Genoa", ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    REFUSED(genoa, leaf_name, "SEV-VLEK", ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    REFUSED(genoa, leaf_is_rsa, true, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    REFUSED(genoa, structure_version, 1, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    REFUSED(turin, structure_version, 0, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    REFUSED(genoa, leaf_from, "20250801000000Z", ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
    /* The root is known by its bytes alone. */
    make_usual(turin);
    guest.appraisal.root_sha256 = NULL;
    expect("AMD's root", ALC_CHECK_SNP_CHAIN, ALC_E_UNTRUSTED_ROOT);
    make_usual(turin);
    guest.collateral.chain.size = (size_t)(strstr(guest.chain + 1, "-----BEGIN") - guest.chain);
    expect("no root", ALC_CHECK_SNP_CHAIN, ALC_E_BAD_CERTIFICATE);
    guest.appraisal.collateral.kds = NULL;
    expect("no collateral", ALC_CHECK_SNP_CHAIN, ALC_E_NO_COLLATERAL);
}

static void test_extensions(void **state)
{
    (void)state;
    for (enum alc_snp_product product = 0; product < ALC_SNP_PRODUCTS; product++) {
        const bool has_fmc = product == ALC_SNP_TURIN;
        for (int level = 1; level < LEVELS_MAX; level++) {
            struct guest_options options = guest_options_of(product);
            const bool is_reserved = level >= 4 && level <= 7;
            const bool is_needed = !is_reserved && (level != 9 || has_fmc);
            if (options.levels[level] != NO_LEVEL) {
                REFUSED(product, doubled_level, level, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
            }
            if (is_needed) {
                REFUSED(product, levels[level], NO_LEVEL, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
                REFUSED(product, levels[level], options.levels[level] + 1, ALC_CHECK_SNP_PLATFORM,
                        ALC_E_WRONG_PLATFORM);
            } else {
                REFUSED(product, levels[level], 1, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
            }
        }
        REFUSED(product, levels[8], 456, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
        REFUSED(product, levels[0], 0, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
        REFUSED(product, chip_id_size, 0, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
        REFUSED(product, chip_id_size, has_fmc ? 64 : 8, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
        REFUSED(product, chip_id_size, 65, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
        REFUSED(product, csp_id, "Both", ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    }
    /* A provider's key where the report says that the chip's signed, and the other way round. */
    struct guest_options options = guest_options_of(ALC_SNP_MILAN);
    make(&options);
    expect_byte(0x48, ALC_SNP_VLEK << 2, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    options.csp_id = "Example Cloud";
    options.chip_id_size = 0;
    make(&options);
    expect_byte(0x48, 0, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    expect_byte(0x48, ALC_SNP_UNSIGNED << 2, ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
    guest.policy.snp.needs_chip_key = true;
    expect("needs_chip_key", ALC_CHECK_SNP_CHIP, ALC_E_POLICY_REFUSED);
    options.csp_id = "";
    make(&options);
    expect("empty CSP id", ALC_CHECK_SNP_KEY, ALC_E_BAD_CERTIFICATE);
}

static void test_revocation(void **state)
{
    (void)state;
    const enum alc_snp_product milan = ALC_SNP_MILAN;
    REFUSED(milan, revoked, SERIAL_ASK, ALC_CHECK_SNP_LIST, ALC_E_REVOKED);
    REFUSED(milan, authority_signs_list, true, ALC_CHECK_SNP_LIST, ALC_E_BAD_CERTIFICATE);
    REFUSED(milan, list_until, "20250601000000Z", ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
    make_usual(milan);
    for (size_t i = 0; i < guest.collateral.revocation_list.size; i += 5) {
        struct alc_verdict verdict;
        guest.list[i] ^= 1;
        assert_int_not_equal(judge(&verdict), ALC_OK);
        assert_int_equal(verdict.results[ALC_CHECK_SNP_LIST], ALC_CHECK_FAILED);
        guest.list[i] ^= 1;
    }
    guest.policy.snp.needs_revocation_list = true;
    expect_good("needs_revocation_list");
    guest.collateral.revocation_list.size = 0;
    expect("needs_revocation_list", ALC_CHECK_SNP_CHIP, ALC_E_POLICY_REFUSED);
}

static void test_form(void **state)
{
    (void)state;
    static const uint8_t versions[] = {0, 1, 6, 255};
    /* Fields that are reserved, and those of a report of version 2. */
    static const size_t zeros[] = {0x0c,  0x0f,  0x49,  0x4c,  0x4f,  0x18b, 0x19f, 0x1eb, 0x1ef,
                                   0x208, 0x29f, 0x2d0, 0x2e7, 0x318, 0x32f, 0x330, 0x49f};
    static const size_t zeros_2[] = {0x188, 0x189, 0x18a, 0x1f8, 0x1ff, 0x200, 0x207};
    make_usual(ALC_SNP_GENOA);
    for (size_t i = 0; i < sizeof versions; i++) {
        expect_byte(0, versions[i], ALC_CHECK_FORM, ALC_E_NOT_SUPPORTED);
    }
    expect_byte(0x34, 2, ALC_CHECK_FORM, ALC_E_NOT_SUPPORTED);
    expect_byte(0x0a, ALC_SNP_ALLOWS_SMT >> 16, ALC_CHECK_FORM, ALC_E_BAD_REPORT);
    expect_byte(0x0b, 4, ALC_CHECK_FORM, ALC_E_BAD_REPORT);
    expect_byte(0x48, 2 << 2, ALC_CHECK_FORM, ALC_E_BAD_REPORT);
    expect_byte(0x48, 6 << 2, ALC_CHECK_FORM, ALC_E_BAD_REPORT);
    expect_byte(0x48, 1 << 5, ALC_CHECK_FORM, ALC_E_BAD_REPORT);
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        guest.report[zeros[i]] = 1;
        expect("reserved", ALC_CHECK_FORM, ALC_E_BAD_REPORT);
        guest.report[zeros[i]] = 0;
    }
    guest.report[0x188] = guest.report[0x189] = guest.report[0x1f8] = 0;
    for (uint8_t version = 2; version <= 5; version++) {
        guest.report[0] = version;
        guest_sign(&guest);
        if (version == 2) {
            expect_good("version 2");
        } else {
            expect("no processor", ALC_CHECK_SNP_PRODUCT, ALC_E_WRONG_PLATFORM);
        }
        for (size_t i = 0; i < sizeof zeros_2 / sizeof zeros_2[0]; i++) {
            struct alc_verdict verdict;
            bool is_reserved = version == 2 || (version == 3 && zeros_2[i] >= 0x1f8);
            guest.report[zeros_2[i]] = 1;
            judge(&verdict);
            assert_int_equal(verdict.status == ALC_E_BAD_REPORT, is_reserved);
            guest.report[zeros_2[i]] = 0;
        }
    }
    guest.appraisal.evidence.size--;
    struct alc_verdict verdict;
    assert_int_not_equal(judge(&verdict), ALC_OK);
    assert_int_equal(verdict.results[ALC_CHECK_FORM], ALC_CHECK_FAILED);
}

static void test_platform(void **state)
{
    (void)state;
    static const size_t tcbs[] = {0x38, 0x180, 0x1e0, 0x1f0};
    make_usual(ALC_SNP_GENOA);
    expect_byte(0x188, 0x1a, ALC_CHECK_SNP_PRODUCT, ALC_E_WRONG_PLATFORM);
    expect_byte(0x189, 0x0f, ALC_CHECK_SNP_PRODUCT, ALC_E_WRONG_PLATFORM);
    expect_byte(0x189, 0x20, ALC_CHECK_SNP_PRODUCT, ALC_E_WRONG_PLATFORM);
    expect_byte(0x189, 0xa0, ALC_CHECKS, ALC_OK); /* Bergamo, Siena */
    expect_byte(0x189, 0xb0, ALC_CHECK_SNP_PRODUCT, ALC_E_WRONG_PLATFORM);
    expect_byte(0x1a0, 1, ALC_CHECK_SNP_PLATFORM, ALC_E_WRONG_PLATFORM);
    expect_byte(0x1df, 1, ALC_CHECK_SNP_PLATFORM, ALC_E_WRONG_PLATFORM);
    expect_byte(0x48, 2, ALC_CHECK_SNP_PLATFORM, ALC_E_WRONG_PLATFORM); /* masked, yet there */
    for (size_t i = 0; i < sizeof tcbs / sizeof tcbs[0]; i++) {
        expect_byte(tcbs[i] + 3, 1, ALC_CHECK_SNP_PLATFORM, ALC_E_BAD_REPORT);
    }
    expect_byte(0x180, 1, ALC_CHECK_SNP_PLATFORM, ALC_E_WRONG_PLATFORM);
    expect_byte(0x180, 3, ALC_CHECK_SNP_PLATFORM, ALC_E_WRONG_PLATFORM);
    expect_byte(0x300, 1, ALC_CHECK_SNP_SIGNATURE, ALC_OK); /* signing puts it right again */
    guest.report[0x300] ^= 1;
    expect("another signature", ALC_CHECK_SNP_SIGNATURE, ALC_E_BAD_SIGNATURE);
    memset(guest.report + 0x1a0, 0, 8);
    expect_byte(0x48, 2, ALC_CHECKS, ALC_OK);
    make_usual(ALC_SNP_TURIN);
    expect_byte(0x1a8, 1, ALC_CHECK_SNP_PLATFORM, ALC_E_WRONG_PLATFORM);
    expect_byte(0x189, 0x11, ALC_CHECKS, ALC_OK);
    expect_byte(0x189, 0x12, ALC_CHECK_SNP_PRODUCT, ALC_E_WRONG_PLATFORM);
    for (size_t i = 0; i < sizeof tcbs / sizeof tcbs[0]; i++) {
        expect_byte(tcbs[i] + 6, 1, ALC_CHECK_SNP_PLATFORM, ALC_E_BAD_REPORT);
    }
}

/* -- policy -- */

static void test_values(void **state)
{
    (void)state;
    struct alc_snp_policy *policy = &guest.policy.snp;
    const struct {
        struct alc_reference_values *values;
        size_t size;
        size_t offset;
        enum alc_check check;
    } rows[] = {
        {&policy->measurements, 48, 0x90, ALC_CHECK_SNP_MEASUREMENT},
        {&policy->host_data, 32, 0xc0, ALC_CHECK_SNP_HOST_DATA},
        {&policy->family_ids, 16, 0x10, ALC_CHECK_SNP_IMAGE},
        {&policy->image_ids, 16, 0x20, ALC_CHECK_SNP_IMAGE},
        {&policy->id_key_digests, 48, 0xe0, ALC_CHECK_SNP_SIGNERS},
        {&policy->author_key_digests, 48, 0x110, ALC_CHECK_SNP_SIGNERS},
        {&policy->chip_ids, 64, 0x1a0, ALC_CHECK_SNP_CHIP},
    };
    make_usual(ALC_SNP_MILAN);
    guest.report[0x48] = 1; /* an author's key */
    guest_sign(&guest);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t values[2 * 64] = {1};
        *rows[i].values = (struct alc_reference_values){values, 2};
        expect("other values", rows[i].check, ALC_E_POLICY_REFUSED);
        memcpy(values + rows[i].size, guest.report + rows[i].offset, rows[i].size);
        expect_good("the value");
        values[2 * rows[i].size - 1] ^= 1;
        expect("another last byte", rows[i].check, ALC_E_POLICY_REFUSED);
        *rows[i].values = (struct alc_reference_values){0};
    }
    policy->author_key_digests = (struct alc_reference_values){guest.report + 0x110, 1};
    expect_good("author key");
    expect_byte(0x48, 0, ALC_CHECK_SNP_SIGNERS, ALC_E_POLICY_REFUSED);
}

static void test_bits(void **state)
{
    (void)state;
    struct alc_snp_policy *policy = &guest.policy.snp;
    make_usual(ALC_SNP_TURIN);
    const uint8_t bits = guest.report[0x0a];
    expect_byte(0x0a, bits | ALC_SNP_ALLOWS_DEBUG >> 16, ALC_CHECK_NOT_DEBUG, ALC_E_POLICY_REFUSED);
    guest.policy.accepts_debug = true;
    expect_byte(0x0a, bits | ALC_SNP_ALLOWS_DEBUG >> 16, ALC_CHECKS, ALC_OK);
    expect_byte(0x0a, bits | ALC_SNP_ALLOWS_MIGRATION_AGENT >> 16, ALC_CHECK_SNP_GUEST_POLICY,
                ALC_E_POLICY_REFUSED);
    policy->accepts_migration_agent = true;
    expect_byte(0x0a, bits | ALC_SNP_ALLOWS_MIGRATION_AGENT >> 16, ALC_CHECKS, ALC_OK);
    policy->policy_refused = ALC_SNP_ALLOWS_SMT;
    expect("SMT", ALC_CHECK_SNP_GUEST_POLICY, ALC_E_POLICY_REFUSED);
    expect_byte(0x0a, ALC_SNP_POLICY_ALWAYS >> 16, ALC_CHECKS, ALC_OK);
    policy->policy_refused = 0;
    policy->policy_required = ALC_SNP_SINGLE_SOCKET | ALC_SNP_NEEDS_CIPHERTEXT_HIDING;
    expect("single socket", ALC_CHECK_SNP_GUEST_POLICY, ALC_E_POLICY_REFUSED);
    guest.report[0x0b] = ALC_SNP_NEEDS_CIPHERTEXT_HIDING >> 24;
    expect_byte(0x0a, bits | ALC_SNP_SINGLE_SOCKET >> 16, ALC_CHECKS, ALC_OK);
    expect("only one of them", ALC_CHECK_SNP_GUEST_POLICY, ALC_E_POLICY_REFUSED);
    policy->policy_required = 0;
    policy->abi_min = 0x0136;
    expect_good("ABI 1.54");
    policy->abi_min = 0x0137;
    expect("ABI 1.55", ALC_CHECK_SNP_GUEST_POLICY, ALC_E_POLICY_REFUSED);
    policy->abi_min = 0;
    policy->platform_required = ALC_SNP_PLATFORM_ALIAS_CHECK;
    expect_good("alias check");
    policy->platform_required |= ALC_SNP_PLATFORM_ECC;
    expect("ECC", ALC_CHECK_SNP_CHIP, ALC_E_POLICY_REFUSED);
    policy->platform_required = 0;
    policy->platform_refused = ALC_SNP_PLATFORM_SMT;
    expect("SMT is on", ALC_CHECK_SNP_CHIP, ALC_E_POLICY_REFUSED);
}

static void test_bounds(void **state)
{
    (void)state;
    struct alc_snp_policy *policy = &guest.policy.snp;
    struct alc_snp_tcb *const bounds[] = {&policy->tcb_min, &policy->committed_tcb_min,
                                          &policy->launch_tcb_min};
    make_usual(ALC_SNP_TURIN);
    policy->guest_svn_min = 6;
    expect_good("SVN 6");
    policy->guest_svn_min = 7;
    expect("SVN 7", ALC_CHECK_SNP_IMAGE, ALC_E_POLICY_REFUSED);
    policy->guest_svn_min = 0;
    expect_byte(0x30, 1, ALC_CHECK_SNP_VMPL, ALC_E_POLICY_REFUSED);
    policy->vmpl_max = 2;
    expect_byte(0x30, 2, ALC_CHECKS, ALC_OK);
    expect_byte(0x30, 3, ALC_CHECK_SNP_VMPL, ALC_E_POLICY_REFUSED);
    expect_byte(0x33, 0xff, ALC_CHECK_SNP_VMPL, ALC_E_POLICY_REFUSED);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        const struct alc_snp_tcb has = {1, 2, 3, 4, 200};
        for (size_t part = 0; part < sizeof has; part++) {
            *bounds[i] = has;
            expect_good("reaches");
            ((uint8_t *)bounds[i])[part]++;
            expect("one more", ALC_CHECK_SNP_TCB, ALC_E_POLICY_REFUSED);
        }
        *bounds[i] = (struct alc_snp_tcb){0};
    }
    expect_byte(0x1e0, 0, ALC_CHECKS, ALC_OK); /* committed may lag */
    policy->committed_tcb_min.fmc = 1;
    expect_byte(0x1e0, 0, ALC_CHECK_SNP_TCB, ALC_E_POLICY_REFUSED);
}

static void test_report_data(void **state)
{
    (void)state;
    uint8_t wanted[64];
    make_usual(ALC_SNP_GENOA);
    memset(wanted, 0xd0, sizeof wanted);
    guest.policy.report_data = wanted;
    expect_good("report data");
    wanted[63] ^= 1;
    expect("report data", ALC_CHECK_REPORT_DATA, ALC_E_POLICY_REFUSED);
}

/* Collateral as one JSON object gives the same verdict. */
static void test_collateral(void **state)
{
    (void)state;
    static char json[30000];
    static uint8_t texts[30000];
    struct alc_kds_collateral read;
    struct alc_arena arena;
    struct alc_reader reader;
    make_usual(ALC_SNP_GENOA);
    int size = snprintf(json, sizeof json, "{\"endorsement_key\":\"");
    for (size_t i = 0; i < guest.collateral.endorsement_key.size; i++) {
        size += snprintf(json + size, sizeof json - (size_t)size, "%02x", guest.leaf_der[i]);
    }
    size += snprintf(json + size, sizeof json - (size_t)size, "\",\"chain\":\"");
    for (const char *letter = guest.chain; *letter != '\0'; letter++) {
        size += snprintf(json + size, sizeof json - (size_t)size, *letter == '\n' ? "\\n" : "%c",
                         *letter);
    }
    snprintf(json + size, sizeof json - (size_t)size, "\",\"other\":1}");
    alc_arena_init(&arena, texts, sizeof texts);
    alc_reader_init(&reader, json, strlen(json), NULL);
    assert_int_equal(alc_kds_collateral_read(&arena, &reader, &read), ALC_OK);
    assert_int_equal(read.revocation_list.size, 0);
    guest.appraisal.collateral.kds = &read;
    expect_good("from JSON");

    static const char *const bad[] = {"{}",
                                      "[]",
                                      "{\"chain\":\"\"} ,",
                                      "{\"chain\":\"\",\"chain\":\"\"}",
                                      "{\"chain\":1}",
                                      "{\"chain\":\"\",\"endorsement_key\":\"0\"}",
                                      "{\"chain\":\"\",\"revocation_list\":\"0g\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        alc_reader_init(&reader, bad[i], strlen(bad[i]), NULL);
        assert_int_equal(alc_kds_collateral_read(&arena, &reader, &read), ALC_E_BAD_JSON);
    }
}

/* A report of a product that the real one is not of, and its certificate. */
static void test_changed_bytes(void **state)
{
    (void)state;
    struct alc_verdict verdict;
    make_usual(ALC_SNP_TURIN);
    for (size_t i = 0; i < sizeof guest.report; i += 5) {
        guest.report[i] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(judge(&verdict), ALC_OK);
        guest.report[i] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t i = 0; i < guest.collateral.endorsement_key.size; i += 5) {
        guest.leaf_der[i] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(judge(&verdict), ALC_OK);
        guest.leaf_der[i] ^= (uint8_t)(1u << i % 8);
    }
    expect_good("nothing changed");
}

static void test_little_memory(void **state)
{
    (void)state;
    make_usual(ALC_SNP_GENOA);
    for (size_t size = 0; size < 24 << 10; size += 512) {
        struct alc_arena arena;
        struct alc_verdict verdict;
        alc_arena_init(&arena, memory, size);
        alc_status status = alc_appraise(&arena, &guest.appraisal, &verdict);
        assert_true(status == ALC_E_OUT_OF_MEMORY || (status == ALC_OK && size > 16384));
    }
    struct alc_arena arena;
    struct alc_verdict verdict;
    alc_arena_init(&arena, memory, 24 << 10);
    assert_int_equal(alc_appraise(&arena, &guest.appraisal, &verdict), ALC_OK);
}

static int set_up(void **state)
{
    (void)state;
    guest_make_keys(&guest);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guest_free_keys(&guest);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_parts),
        cmocka_unit_test(test_certificates),  cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_revocation),    cmocka_unit_test(test_form),
        cmocka_unit_test(test_platform),      cmocka_unit_test(test_values),
        cmocka_unit_test(test_bits),          cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_report_data),   cmocka_unit_test(test_collateral),
        cmocka_unit_test(test_changed_bytes), cmocka_unit_test(test_little_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
