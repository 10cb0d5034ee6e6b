/* SPDX-License-Identifier: Apache-2.0
 *
 * Trust domains of platforms of our own: each rule about them broken, modules and their identities,
 * the states at launch and now, and the forms of quotes.
 */
#include "unit/attest/judge.h"

#define MODULE_9                                                                                   \
    MODULE_OF("090000000000000000000000000000000000000000000000"                                   \
              "000000000000000000000000000000000000000000000000",                                  \
              "0000000000000000", "FFFFFFFFFFFFFFFF")

#define ZEROS24 "000000000000000000000000000000000000000000000000"
#define ZEROS48 ZEROS24 ZEROS24

static void set_bit(uint8_t bytes[8], unsigned bit)
{
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void expect_good(const struct platform_options *options, enum alc_tcb_status tcb)
{
    struct alc_policy policy = alc_policy_default;
    struct alc_verdict verdict;
    policy.accepted_tcb |= 1u << tcb;
    judge(options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    assert_int_equal(verdict.kind, ALC_EVIDENCE_TDX);
    if (verdict.tcb != tcb) {
        fail_msg("%s, expected %s", alc_tcb_status_text(verdict.tcb), alc_tcb_status_text(tcb));
    }
}

static void test_good(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    struct alc_verdict verdict;
    judge(&options, NULL, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    assert_int_equal(verdict.body, ALC_QUOTE_TD_15);
    assert_memory_equal(verdict.td.mrtd, options.td.mrtd, sizeof options.td.mrtd);
    assert_int_equal(verdict.advisories_count, 0);
    options.qe_version = 3;
    expect_good(&options, ALC_TCB_UP_TO_DATE);
}

/* Every version with every body that it may have; others are refused for their form. */
static void test_forms(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    struct alc_verdict verdict;
    for (int body = ALC_QUOTE_TD_10; body <= ALC_QUOTE_TD_15EX; body++) {
        options.body = (enum alc_quote_body)body;
        judge(&options, NULL, &verdict);
        assert_int_equal(verdict.status, ALC_OK);
        assert_int_equal(verdict.body, body);
    }
    options.body = ALC_QUOTE_TD_10;
    options.quote_version = 4;
    expect_good(&options, ALC_TCB_UP_TO_DATE);
    struct platform_options enclave = platform_options_default;
    for (uint16_t version = 3; version <= 5; version++) {
        enclave.quote_version = version;
        judge(&enclave, NULL, &verdict);
        assert_int_equal(verdict.status, ALC_OK);
        assert_int_equal(verdict.kind, ALC_EVIDENCE_SGX);
        assert_int_equal(verdict.report.mrenclave[0], 7);
    }
    options.quote_version = 3;
    expect("a domain in version 3", &options, ALC_CHECK_FORM, ALC_E_NOT_SUPPORTED);
    REFUSED_TDX(quote_version, 6, ALC_CHECK_FORM, ALC_E_NOT_SUPPORTED);
    REFUSED_TDX(quote_version, 2, ALC_CHECK_FORM, ALC_E_NOT_SUPPORTED);
    REFUSED_TDX(body_size, 584, ALC_CHECK_FORM, ALC_E_BAD_QUOTE);
    REFUSED_TDX(body_size, 649, ALC_CHECK_FORM, ALC_E_BAD_QUOTE);
    REFUSED_TDX(tee, 0x82, ALC_CHECK_FORM, ALC_E_NOT_SUPPORTED);
    enclave.tee = 0x81;
    expect("an enclave as a domain", &enclave, ALC_CHECK_FORM, ALC_E_BAD_QUOTE);
}

/* Each bit of the attributes: those of debugging, those that are reserved, those that must be set,
 * those that need a service domain, and the rest. */
static void test_attributes(void **state)
{
    (void)state;
    const uint64_t debug = 0x71;
    const uint64_t service = UINT64_C(1) << 17 | UINT64_C(1) << 29;
    const uint64_t free = UINT64_C(0x7f) << 16 | UINT64_C(0x1f) << 27 | UINT64_C(3) << 62;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct platform_options options = platform_options_tdx;
        struct alc_policy policy = alc_policy_default;
        struct alc_verdict verdict;
        const uint64_t mask = UINT64_C(1) << bit;
        set_bit(options.td.attributes, bit);
        judge(&options, NULL, &verdict);
        if ((mask & debug) != 0) {
            assert_int_equal(verdict.results[ALC_CHECK_NOT_DEBUG], ALC_CHECK_FAILED);
            policy.accepts_debug = true;
            judge(&options, &policy, &verdict);
            assert_int_equal(verdict.status, ALC_OK);
        } else if ((mask & service) != 0) {
            assert_int_equal(verdict.results[ALC_CHECK_SERVICE_TD], ALC_CHECK_FAILED);
        } else if ((mask & free) == 0 || bit == 28) {
            assert_int_equal(verdict.results[ALC_CHECK_TD_ATTRIBUTES], ALC_CHECK_FAILED);
            assert_int_equal(verdict.status, ALC_E_POLICY_REFUSED);
        } else {
            assert_int_equal(verdict.status, ALC_OK);
        }
    }
}

static void test_service_domains(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    struct alc_policy policy = alc_policy_default;
    struct alc_verdict verdict;
    uint8_t accepted[2][ALC_TD_MEASUREMENT_SIZE] = {{1}, {2}};
    policy.mrservicetds = (struct alc_reference_values){accepted[0], 2};
    options.body = ALC_QUOTE_TD_15EX;
    options.td.mrservicetd[0] = 2;
    expect("not named", &options, ALC_CHECK_SERVICE_TD, ALC_E_POLICY_REFUSED);
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    set_bit(options.td.attributes, 29);
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    set_bit(options.td.attributes,
            17); /* those at its creation; now there are none that are named */
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.results[ALC_CHECK_SERVICE_TD], ALC_CHECK_FAILED);
    options.td.service_td_hash[0] = 1;
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.status, ALC_OK);
    options.td.mrservicetd[0] = 3;
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.results[ALC_CHECK_SERVICE_TD], ALC_CHECK_FAILED);
    options.td.mrservicetd[0] = 0;
    options.td.attributes[2] = 0;
    options.td.attributes[3] = 0x10;
    expect("bound since", &options, ALC_CHECK_SERVICE_TD, ALC_E_POLICY_REFUSED);
    /* A quote of TDX 1.0 names none, so that a domain that can be moved is refused. */
    options = platform_options_tdx;
    options.body = ALC_QUOTE_TD_10;
    set_bit(options.td.attributes, 29);
    judge(&options, &policy, &verdict);
    assert_int_equal(verdict.results[ALC_CHECK_SERVICE_TD], ALC_CHECK_FAILED);
}

static void test_modules(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    REFUSED_TDX(td.mrsignerseam[0], 9, ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    REFUSED_TDX(td.seam_attributes[7], 1, ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    REFUSED_TDX(td.tee_tcb_svn[1], 2, ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    REFUSED_TDX(modules, TDX_MODULES(MODULE, TDX_IDENTITY("TDX_01", MODULE_9, MODULE_LEVELS)),
                ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    REFUSED_TDX(modules, "\"tdxModule\":{" MODULE "},", ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    REFUSED_TDX(modules, "", ALC_CHECK_TCB_INFO, ALC_E_BAD_JSON);
    REFUSED_TDX(tcb_id, "SGX", ALC_CHECK_TCB_INFO, ALC_E_BAD_COLLATERAL);
    REFUSED_TDX(qe_id, "QE", ALC_CHECK_QE_IDENTITY, ALC_E_BAD_COLLATERAL);
    REFUSED_TDX(qe_version, 4, ALC_CHECK_QE_IDENTITY, ALC_E_BAD_COLLATERAL);
    REFUSED(qe_version, 3, ALC_CHECK_QE_IDENTITY, ALC_E_BAD_COLLATERAL);
    REFUSED(tcb_id, "TDX", ALC_CHECK_TCB_INFO, ALC_E_BAD_COLLATERAL);
    /* The identity of the version counts, not the module of version 0, and the first of two. */
    options.modules =
        TDX_MODULES(MODULE_9, TDX_IDENTITY("tdx_01", MODULE, MODULE_LEVELS) "," TDX_IDENTITY(
                                  "TDX_01", MODULE_9, MODULE_LEVELS));
    expect_good(&options, ALC_TCB_UP_TO_DATE);
    /* Attributes count under the mask; outside of it there may be none. */
    options.modules = TDX_MODULES(
        MODULE, TDX_IDENTITY("TDX_01", MODULE_OF(ZEROS_48, "FF00000000000000", "0F00000000000000"),
                             MODULE_LEVELS));
    options.td.seam_attributes[0] = 0x0f;
    expect_good(&options, ALC_TCB_UP_TO_DATE);
    options.td.seam_attributes[0] = 0x1f;
    expect("outside the mask", &options, ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    /* Identifiers that are none of a version. */
    static const char *const strange[] = {
        TDX_MODULES(MODULE, TDX_IDENTITY("TDX_1", MODULE, MODULE_LEVELS)),
        TDX_MODULES(MODULE, TDX_IDENTITY("TDX_001", MODULE, MODULE_LEVELS)),
        TDX_MODULES(MODULE, TDX_IDENTITY("TDX-01", MODULE, MODULE_LEVELS)),
        TDX_MODULES(MODULE, TDX_IDENTITY("TDY_01", MODULE, MODULE_LEVELS)),
        TDX_MODULES(MODULE, TDX_IDENTITY("TAX_01", MODULE, MODULE_LEVELS)),
        TDX_MODULES(MODULE, TDX_IDENTITY("SDX_01", MODULE, MODULE_LEVELS)),
        TDX_MODULES(MODULE, TDX_IDENTITY("TDX_0g", MODULE, MODULE_LEVELS)),
    };
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        REFUSED_TDX(modules, strange[i], ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    }
}

/* Version 0 of the module: two of the SVNs are compared with the level's instead. */
static void test_module_of_version_0(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    options.body = ALC_QUOTE_TD_10;
    options.modules = "\"tdxModule\":{" MODULE "},";
    options.td.tee_tcb_svn[1] = 0;
    options.td.tee_tcb_svn[0] = 5;
    expect_good(&options, ALC_TCB_UP_TO_DATE);
    options.td.tee_tcb_svn[0] = 4;
    expect("module's SVN", &options, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    options.td.tee_tcb_svn[0] = 5;
    options.modules = "\"tdxModule\":{" MODULE_9 "},";
    expect("another maker", &options, ALC_CHECK_TD_MODULE, ALC_E_REPORT_MISMATCH);
    options.td.mrsignerseam[0] = 9;
    expect_good(&options, ALC_TCB_UP_TO_DATE);
    options.tcb_levels = "[" TDX_LEVEL("5", "5", "1", "2", "UpToDate", "") "]";
    expect("module's version", &options, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
}

static void test_levels(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    struct alc_verdict verdict;
    options.body = ALC_QUOTE_TD_10;
    options.td.tee_tcb_svn[2] = 1; /* the second level */
    expect_good(&options, ALC_TCB_OUT_OF_DATE);
    judge(&options, NULL, &verdict);
    assert_int_equal(verdict.results[ALC_CHECK_TCB_STATUS], ALC_CHECK_FAILED);
    assert_int_equal(verdict.advisories_count, 1);
    assert_true(alc_text_is(&verdict.advisories[0], "A-1"));
    REFUSED_TDX(td.tee_tcb_svn[2], 0, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    REFUSED_TDX(td.tee_tcb_svn2[2], 0, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    REFUSED_TDX(td.tee_tcb_svn[0], 0, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    REFUSED_TDX(td.tee_tcb_svn2[0], 0, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    REFUSED_TDX(td.tee_tcb_svn2[1], 2, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    /* The module's state and advisories, and the quoting enclave's. */
    options = platform_options_tdx;
    options.td.tee_tcb_svn[0] = options.td.tee_tcb_svn2[0] = 3;
    options.qe_svn = 7;
    expect_good(&options, ALC_TCB_OUT_OF_DATE);
    judge(&options, NULL, &verdict);
    assert_int_equal(verdict.platform_tcb, ALC_TCB_OUT_OF_DATE);
    assert_int_equal(verdict.qe_tcb, ALC_TCB_OUT_OF_DATE);
    assert_int_equal(verdict.advisories_count, 3);
    assert_true(alc_text_is(&verdict.advisories[0], "M-1"));
    options.td.tee_tcb_svn[0] = 1;
    expect_good(&options, ALC_TCB_REVOKED);
    /* The third of TDX's SVNs is not all: the last counts as well. */
    REFUSED_TDX(
        tcb_levels,
        "[{\"tcb\":{\"sgxtcbcomponents\":[" COMPONENTS(
            "5") "],\"pcesvn\":7,"
                 "\"tdxtcbcomponents\":[" COMPONENTS("1") "]},\"tcbDate\":\"2024-03-13T00:00:00Z\","
                                                          "\"tcbStatus\":\"UpToDate\"}]",
        ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    REFUSED_TDX(tcb_levels, "[" PLATFORM_LEVEL("5", "7", "UpToDate", "") "]", ALC_CHECK_TCB_INFO,
                ALC_E_BAD_JSON);
}

/* The order of levels: SGX's SVNs, PCE's, TDX's; the highest that holds, wherever it stands. */
static void test_order_of_levels(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    static const char *const orders[] = {
        "[" TDX_LEVEL("5", "0", "0", "0", "UpToDate", "") "," TDX_LEVEL("4", "0", "0", "2",
                                                                        "OutOfDate", "") "]",
        "[" TDX_LEVEL("4", "0", "0", "2", "OutOfDate", "") "," TDX_LEVEL("5", "0", "0", "0",
                                                                         "UpToDate", "") "]",
        "[" TDX_LEVEL("5", "0", "0", "2", "UpToDate", "") "," TDX_LEVEL("5", "0", "0", "1",
                                                                        "OutOfDate", "") "]",
        "[" TDX_LEVEL("5", "0", "0", "1", "OutOfDate", "") "," TDX_LEVEL("5", "0", "0", "2",
                                                                         "UpToDate", "") "]",
        "[" TDX_LEVEL("5", "0", "0", "2", "UpToDate", "") "," TDX_LEVEL("5", "0", "0", "2",
                                                                        "OutOfDate", "") "]",
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        options.tcb_levels = orders[i];
        expect_good(&options, ALC_TCB_UP_TO_DATE);
    }
    struct platform_options enclave = platform_options_default;
    struct alc_verdict verdict;
    enclave.tcb_levels = "[" PLATFORM_LEVEL("5", "5", "OutOfDate", "") "," PLATFORM_LEVEL(
        "5", "7", "UpToDate", "") "," PLATFORM_LEVEL("4", "7", "OutOfDate", "") "]";
    judge(&enclave, NULL, &verdict);
    assert_int_equal(verdict.tcb, ALC_TCB_UP_TO_DATE);
}

/* A state may stand only where it means something. */
static void test_words(void **state)
{
    (void)state;
    static const char *const computed[] = {
        "[" TDX_LEVEL("5", "0", "0", "0", "TDRelaunchAdvised", "") "]",
        "[" TDX_LEVEL("5", "0", "0", "0", "TDRelaunchAdvisedConfigurationNeeded", "") "]",
    };
    static const char *const of_modules[] = {QE_LEVEL("1", "ConfigurationNeeded", ""),
                                             QE_LEVEL("1", "SWHardeningNeeded", ""),
                                             QE_LEVEL("1", "OutOfDateConfigurationNeeded", "")};
    for (size_t i = 0; i < 2; i++) {
        REFUSED_TDX(tcb_levels, computed[i], ALC_CHECK_TCB_INFO, ALC_E_BAD_COLLATERAL);
    }
    for (size_t i = 0; i < 3; i++) {
        char modules[1000];
        snprintf(modules, sizeof modules, "\"tdxModule\":{%s},\"tdxModuleIdentities\":[%s%s]}],",
                 MODULE, "{\"id\":\"TDX_01\"," MODULE ",\"tcbLevels\":[", of_modules[i]);
        REFUSED_TDX(modules, modules, ALC_CHECK_TCB_INFO, ALC_E_BAD_COLLATERAL);
    }
    REFUSED_TDX(qe_levels, "[" QE_LEVEL("1", "SWHardeningNeeded", "") "]", ALC_CHECK_QE_IDENTITY,
                ALC_E_BAD_COLLATERAL);
}

/* The table of Intel's library, and what it leaves out: what is revoked now. */
static void test_relaunch(void **state)
{
    (void)state;
    const enum alc_tcb_status advised = ALC_TCB_TD_RELAUNCH_ADVISED;
    const enum alc_tcb_status configured = ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
    const enum alc_tcb_status old = ALC_TCB_OUT_OF_DATE;
    const enum alc_tcb_status old_configuration = ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    static const struct {
        enum alc_tcb_status now, after_old, after_old_configuration;
    } rows[] = {
        {ALC_TCB_UP_TO_DATE, ALC_TCB_TD_RELAUNCH_ADVISED,
         ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED},
        {ALC_TCB_SW_HARDENING_NEEDED, ALC_TCB_TD_RELAUNCH_ADVISED,
         ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED},
        {ALC_TCB_CONFIGURATION_NEEDED, ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
         ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED},
        {ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
         ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
         ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED},
        {ALC_TCB_OUT_OF_DATE, ALC_TCB_OUT_OF_DATE, ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED},
        {ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, ALC_TCB_OUT_OF_DATE,
         ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED},
        {ALC_TCB_REVOKED, ALC_TCB_REVOKED, ALC_TCB_REVOKED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(alc_tcb_relaunch(old, rows[i].now), rows[i].after_old);
        assert_int_equal(alc_tcb_relaunch(old_configuration, rows[i].now),
                         rows[i].after_old_configuration);
        for (enum alc_tcb_status launch = 0; launch < ALC_TCB_STATUSES; launch++) {
            if (launch != old && launch != old_configuration && rows[i].now != ALC_TCB_REVOKED) {
                assert_int_equal(alc_tcb_relaunch(launch, rows[i].now), launch);
            }
        }
    }
    for (enum alc_tcb_status part = 0; part < ALC_TCB_STATUSES; part++) {
        assert_int_equal(alc_tcb_converge(advised, part), part == ALC_TCB_REVOKED ? part : advised);
        assert_int_equal(alc_tcb_converge(configured, part),
                         part == ALC_TCB_REVOKED ? part : configured);
    }
}

/* The same through quotes: the module was updated under the domain. */
static void test_updated_under_the_domain(void **state)
{
    (void)state;
    struct platform_options options = platform_options_tdx;
    struct alc_verdict verdict;
    options.td.tee_tcb_svn[0] = 3;
    expect_good(&options, ALC_TCB_TD_RELAUNCH_ADVISED);
    judge(&options, NULL, &verdict);
    assert_int_equal(verdict.platform_tcb, ALC_TCB_OUT_OF_DATE);
    assert_true(alc_text_is(&verdict.advisories[0], "M-1"));
    options.qe_svn = 7; /* then what runs now is out of date too */
    expect_good(&options, ALC_TCB_OUT_OF_DATE);
    options.qe_svn = 8;
    options.td.tee_tcb_svn2[1] = 3; /* another version of the module */
    expect_good(&options, ALC_TCB_TD_RELAUNCH_ADVISED);
    options.td.tee_tcb_svn2[1] = 0; /* and version 0, which the level judges: 5 is wanted */
    expect("version 0 now", &options, ALC_CHECK_TCB_LEVEL, ALC_E_NO_TCB_LEVEL);
    options.td.tee_tcb_svn2[0] = 5;
    expect_good(&options, ALC_TCB_TD_RELAUNCH_ADVISED);
    options = platform_options_tdx;
    options.td.tee_tcb_svn2[0] = 1;
    expect_good(&options, ALC_TCB_REVOKED);
    options = platform_options_tdx;
    options.tcb_levels = "[" TDX_LEVEL("5", "0", "0", "2", "ConfigurationNeeded", "") "]";
    options.td.tee_tcb_svn[0] = 3;
    expect_good(&options, ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED);
    options.body = ALC_QUOTE_TD_10; /* which says nothing about now */
    expect_good(&options, ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED);
}

/* A policy that says what an enclave has to be has said nothing about trust domains, of which
 * anybody can have one that claims what it likes: it is no policy that accepts them. */
static void test_policy_about_enclaves(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        bool is_accepted;
    } cases[] = {
        {"{\"claims\":{},\"sgx\":{\"svn_min\":1}}", false},
        {"{\"snp\":{\"vmpl_max\":1},\"sgx\":{\"svn_min\":1}}", false},
        {"{\"sgx\":{\"svn_min\":1},\"tdx\":{\"mrowner\":[\"" ZEROS48 "\"]}}", true},
        {"{\"kinds\":[\"tdx\"],\"sgx\":{\"svn_min\":1}}", true},
        {"{\"claims\":{}}", true},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        static uint8_t values[1024];
        struct alc_policy policy;
        struct alc_verdict verdict;
        struct alc_arena arena;
        struct alc_reader reader;
        alc_arena_init(&arena, values, sizeof values);
        alc_reader_init(&reader, cases[i].document, strlen(cases[i].document), NULL);
        assert_int_equal(alc_policy_read(&arena, &reader, &policy), ALC_OK);
        judge(&platform_options_tdx, &policy, &verdict);
        assert_int_equal(verdict.status, cases[i].is_accepted ? ALC_OK : ALC_E_POLICY_REFUSED);
        assert_int_equal(verdict.results[ALC_CHECK_KIND],
                         cases[i].is_accepted ? ALC_CHECK_PASSED : ALC_CHECK_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_service_domains),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_module_of_version_0),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_order_of_levels),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_relaunch),
        cmocka_unit_test(test_updated_under_the_domain),
        cmocka_unit_test(test_policy_about_enclaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
