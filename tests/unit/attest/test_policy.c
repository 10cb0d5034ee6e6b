/* SPDX-License-Identifier: Apache-2.0
 *
 * Policies as documents: every member is read and written, everything else is refused where it
 * stands, and equal policies have equal documents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attest/claims.h"
#include "attest/policy.h"
#include "base/limits.h"

enum { MEMORY_SIZE = 1 << 18 };

static uint8_t memory[MEMORY_SIZE];
static struct alc_error error;

static alc_status read_bytes(const char *bytes, size_t size, struct alc_policy *out)
{
    struct alc_arena arena;
    struct alc_reader reader;
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes, size, &error);
    alc_status status = alc_policy_read(&arena, &reader, out);
    assert_int_equal(error.status, status);
    assert_true(status == ALC_OK || error.offset <= size);
    return status;
}

static alc_status read_policy(const char *text, struct alc_policy *out)
{
    return read_bytes(text, strlen(text), out);
}

static void expect_document(const struct alc_policy *policy, const char *expected)
{
    char text[4096];
    struct alc_writer writer;
    alc_writer_init(&writer, text, sizeof text - 1);
    alc_policy_write(&writer, policy);
    assert_false(writer.overflowed);
    text[writer.pos] = '\0';
    assert_string_equal(text, expected);
}

#define ZEROS30 "000000000000000000000000000000000000000000000000000000000000"
#define ZEROS15 "000000000000000000000000000000"
#define ZEROS47 ZEROS30 "0000000000000000000000000000000000"
#define LIST48(name, first) "\"" name "\":[\"" first ZEROS47 "\"],"
#define REPORT_DATA ZEROS30 ZEROS30 "00000007"

/* clang-format off */
static const char everything[] =
    "{\"kinds\":[\"sgx\",\"tdx\",\"snp\"],\"accept_debug\":true,\"accept_emulated\":true,"
    "\"tcb\":[\"UpToDate\",\"SWHardeningNeeded\"],\"advisories\":[\"INTEL-SA-00615\"],"
    "\"evaluation_number_min\":17,\"collateral_age_max_s\":86400,"
    "\"report_data\":\"" REPORT_DATA "\","
    "\"sgx\":{\"mrenclave\":[\"ab" ZEROS30 "01\",\"cd" ZEROS30 "02\"],"
    "\"mrsigner\":[\"ef" ZEROS30 "03\"],\"product_id\":4,\"svn_min\":5,"
    "\"config_id\":[\"51" ZEROS47 ZEROS15 "00\"],\"need_config_id\":true},"
    "\"tdx\":{" LIST48("mrtd", "11") LIST48("rtmr0", "20") LIST48("rtmr1", "21")
    LIST48("rtmr2", "22") "\"rtmr3\":[\"23" ZEROS47 "\",\"24" ZEROS47 "\"],"
    LIST48("mrconfigid", "30") LIST48("mrowner", "31") LIST48("mrownerconfig", "32")
    LIST48("mrseam", "33") LIST48("mrservicetd", "34")
    "\"tee_tcb_svn_min\":\"05010600000000000000000000000000\"},"
    "\"snp\":{\"measurement\":[\"41" ZEROS47 "\"],\"host_data\":[\"42" ZEROS30 "00\"],"
    "\"family_id\":[\"43" ZEROS15 "\"],\"image_id\":[\"44" ZEROS15 "\",\"45" ZEROS15 "\"],"
    "\"guest_svn_min\":7,\"id_key_digest\":[\"46" ZEROS47 "\"],"
    "\"author_key_digest\":[\"47" ZEROS47 "\"],\"accept_migration_agent\":true,"
    "\"policy_required\":[\"single_socket\",\"no_page_swap\"],\"policy_refused\":[\"smt\"],"
    "\"abi_min\":311,\"vmpl_max\":2,\"tcb_min\":{\"fmc\":1,\"bootloader\":2,\"tee\":3,"
    "\"snp\":4,\"microcode\":255},\"committed_tcb_min\":{\"snp\":5},"
    "\"launch_tcb_min\":{\"tee\":6},\"chip_id\":[\"48" ZEROS47 ZEROS15 "00\"],"
    "\"platform_required\":[\"alias_check\"],\"platform_refused\":[\"smt\",\"tio\"],"
    "\"need_chip_key\":true,\"need_revocation_list\":true},"
    "\"claims\":{\"workload\":[\"41" ZEROS30 "00\"],\"module\":[\"42" ZEROS30 "00\"],"
    "\"native\":[\"43" ZEROS30 "00\"],\"verified\":true,\"vouched_by\":[\"44" ZEROS30 "00\"],"
    "\"asked_by\":[\"host\",\"program\",\"channel\"],\"rollback\":\"session\"}";
/* clang-format on */

static void test_every_member(void **state)
{
    (void)state;
    struct alc_policy policy;
    char document[sizeof everything + 1];
    snprintf(document, sizeof document, "%s}", everything);
    assert_int_equal(read_policy(document, &policy), ALC_OK);
    assert_int_equal(policy.kinds, ALC_EVIDENCE_SGX | ALC_EVIDENCE_TDX | ALC_EVIDENCE_SEV_SNP);
    assert_true(policy.accepts_debug && policy.accepts_emulated);
    assert_int_equal(policy.accepted_tcb,
                     1u << ALC_TCB_UP_TO_DATE | 1u << ALC_TCB_SW_HARDENING_NEEDED);
    assert_true(policy.advisories.is_limited);
    assert_int_equal(policy.advisories.count, 1);
    assert_true(alc_text_is(&policy.advisories.texts[0], "INTEL-SA-00615"));
    assert_int_equal(policy.evaluation_number_min, 17);
    assert_int_equal(policy.collateral_age_max_s, 86400);
    assert_int_equal(policy.report_data[63], 7);
    assert_int_equal(policy.mrenclaves.count, 2);
    assert_int_equal(policy.mrenclaves.bytes[32], 0xcd);
    assert_int_equal(policy.mrsigners.count, 1);
    assert_int_equal(policy.mrsigners.bytes[31], 3);
    assert_true(policy.product_id.is_given);
    assert_int_equal(policy.product_id.value, 4);
    assert_int_equal(policy.svn_min, 5);
    assert_int_equal(policy.config_ids.count, 1);
    assert_int_equal(policy.config_ids.bytes[0], 0x51);
    assert_true(policy.needs_config_id);
    assert_int_equal(policy.mrtds.bytes[0], 0x11);
    assert_int_equal(policy.rtmrs[3].count, 2);
    assert_int_equal(policy.rtmrs[3].bytes[48], 0x24);
    assert_int_equal(policy.mrservicetds.bytes[0], 0x34);
    assert_int_equal(policy.td_svn_min[2], 6);
    assert_int_equal(policy.snp.image_ids.count, 2);
    assert_int_equal(policy.snp.image_ids.bytes[16], 0x45);
    assert_int_equal(policy.snp.chip_ids.bytes[0], 0x48);
    assert_int_equal(policy.snp.policy_required,
                     ALC_SNP_SINGLE_SOCKET | ALC_SNP_NEEDS_NO_PAGE_SWAP);
    assert_int_equal(policy.snp.platform_refused, ALC_SNP_PLATFORM_SMT | ALC_SNP_PLATFORM_TIO);
    assert_int_equal(policy.snp.tcb_min.fmc, 1);
    assert_int_equal(policy.snp.tcb_min.microcode, 255);
    assert_int_equal(policy.snp.launch_tcb_min.tee, 6);
    assert_int_equal(policy.snp.abi_min, 311);
    assert_int_equal(policy.workloads.bytes[0], 0x41);
    assert_int_equal(policy.voucher_keys.bytes[0], 0x44);
    assert_true(policy.needs_verified);
    assert_int_equal(policy.askers, 7);
    assert_int_equal(policy.rollback_min, 1 + ALC_CLAIMED_ROLLBACK_SESSION);
    expect_document(&policy, document);
}

static void test_default(void **state)
{
    (void)state;
    struct alc_policy policy;
    assert_int_equal(read_policy(" {} ", &policy), ALC_OK);
    assert_memory_equal(&policy, &alc_policy_default, sizeof policy);
    expect_document(&policy, "{}");
    /* What says the default in other words is the same policy. */
    assert_int_equal(read_policy("{\"claims\":{\"verified\":false},\"accept_debug\":false,"
                                 "\"tcb\":[\"UpToDate\",\"UpToDate\"]}",
                                 &policy),
                     ALC_OK);
    expect_document(&policy, "{}");
    assert_int_equal(read_policy("{\"sgx\":{\"product_id\":0},\"advisories\":[]}", &policy),
                     ALC_OK);
    expect_document(&policy, "{\"kinds\":[\"sgx\"],\"advisories\":[],\"sgx\":{\"product_id\":0}}");
}

/* Objects of kinds say which kinds are meant, where nothing else does. */
static void test_kinds(void **state)
{
    (void)state;
    struct alc_policy policy;
    assert_int_equal(read_policy("{\"snp\":{},\"sgx\":{\"svn_min\":0}}", &policy), ALC_OK);
    expect_document(&policy, "{\"kinds\":[\"sgx\",\"snp\"]}");
    assert_int_equal(read_policy("{\"sgx\":{\"svn_min\":1},\"kinds\":[\"tdx\"]}", &policy), ALC_OK);
    expect_document(&policy, "{\"kinds\":[\"tdx\"],\"sgx\":{\"svn_min\":1}}");
    assert_int_equal(read_policy("{\"claims\":{\"verified\":true}}", &policy), ALC_OK);
    assert_int_equal(policy.kinds, 0);
}

struct refusal {
    const char *document;
    alc_status status;
    uint64_t offset;
};

static void test_refusals(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"", ALC_E_BAD_JSON, 0},
        {"[]", ALC_E_BAD_JSON, 0},
        {"{}{}", ALC_E_BAD_JSON, 2},
        {"{\"tcb\":[\"UpToDate\"],}", ALC_E_BAD_JSON, 20},
        {"{\"mrenclave\":[]}", ALC_E_BAD_JSON, 1},
        {"{\"acc\\u0065pt_debug\":true}", ALC_E_BAD_JSON, 1},
        {"{\"accept_debug\":true,\"accept_debug\":true}", ALC_E_BAD_JSON, 21},
        {"{\"accept_debug\":1}", ALC_E_BAD_JSON, 16},
        {"{\"accept_debug\":truth}", ALC_E_BAD_JSON, 16},
        {"{\"kinds\":[]}", ALC_E_BAD_POLICY, 9},
        {"{\"kinds\":[\"sev\"]}", ALC_E_BAD_POLICY, 10},
        {"{\"kinds\":\"sgx\"}", ALC_E_BAD_JSON, 9},
        {"{\"tcb\":[\"uptodate\"]}", ALC_E_BAD_POLICY, 8},
        {"{\"tcb\":[]}", ALC_E_BAD_POLICY, 7},
        {"{\"sgx\":{\"mrenclave\":[]}}", ALC_E_BAD_POLICY, 20},
        {"{\"sgx\":{\"mrenclave\":[\"00\"]}}", ALC_E_BAD_JSON, 21},
        {"{\"sgx\":{\"svn_min\":65536}}", ALC_E_BAD_JSON, 18},
        {"{\"sgx\":{},\"sgx\":{}}", ALC_E_BAD_JSON, 10},
        {"{\"evaluation_number_min\":-1}", ALC_E_BAD_JSON, 25},
        {"{\"collateral_age_max_s\":0}", ALC_E_BAD_POLICY, 24},
        {"{\"advisories\":[\"\xff\"]}", ALC_E_BAD_JSON, 15},
        {"{\"report_data\":\"00\"}", ALC_E_BAD_JSON, 15},
        {"{\"claims\":{\"rollback\":\"some\"}}", ALC_E_BAD_POLICY, 22},
        {"{\"claims\":{\"rollback\":1}}", ALC_E_BAD_JSON, 22},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(refusals); i++) {
        struct alc_policy policy;
        if (read_policy(refusals[i].document, &policy) != refusals[i].status ||
            error.offset != refusals[i].offset) {
            fail_msg("%s: %s at %llu", refusals[i].document, alc_status_text(error.status),
                     (unsigned long long)error.offset);
        }
    }
}

/* POLICY_SIZE: white space behind the document counts, too. */
static void test_size(void **state)
{
    (void)state;
    struct alc_policy policy;
    char *document = malloc(ALC_LIMIT_POLICY_SIZE + 1);
    memset(document, ' ', ALC_LIMIT_POLICY_SIZE + 1);
    document[0] = '{';
    document[1] = '}';
    assert_int_equal(read_bytes(document, ALC_LIMIT_POLICY_SIZE, &policy), ALC_OK);
    assert_int_equal(read_bytes(document, ALC_LIMIT_POLICY_SIZE + 1, &policy), ALC_E_BAD_POLICY);
    free(document);
}

/* POLICY_VALUES: over all lists. */
static void test_values(void **state)
{
    (void)state;
    struct alc_policy policy;
    static char document[ALC_LIMIT_POLICY_SIZE];
    for (unsigned more = 0; more < 2; more++) {
        size_t size = (size_t)snprintf(document, sizeof document,
                                       "{\"tcb\":[\"UpToDate\"],\"advisories\":[\"a\"");
        for (unsigned i = 2; i < ALC_LIMIT_POLICY_VALUES + more; i++) {
            size += (size_t)snprintf(&document[size], sizeof document - size, ",\"a\"");
        }
        size += (size_t)snprintf(&document[size], sizeof document - size, "]}");
        assert_int_equal(read_bytes(document, size, &policy),
                         more == 0 ? ALC_OK : ALC_E_BAD_POLICY);
    }
}

static void test_memory(void **state)
{
    (void)state;
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_policy policy;
    static const char document[] = "{\"advisories\":[\"a\",\"b\"]}";
    alc_arena_init(&arena, memory, sizeof(struct alc_text));
    alc_reader_init(&reader, document, sizeof document - 1, NULL);
    assert_int_equal(alc_policy_read(&arena, &reader, &policy), ALC_E_OUT_OF_MEMORY);
}

/* One name for what asks for the same; the arena is as before. */
static void test_name(void **state)
{
    static const char claims[] = "{\"claims\":{\"rollback\":\"none\"}}";
    char name[ALC_POLICY_NAME_SIZE];
    struct alc_policy policy;
    struct alc_arena arena;
    (void)state;
    alc_arena_init(&arena, memory, sizeof memory);
    assert_int_equal(alc_policy_name(&arena, &alc_policy_default, name), ALC_OK);
    assert_int_equal(alc_arena_mark(&arena), 0);
    assert_string_equal(
        name, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"); /* {} */
    assert_false(alc_policy_asks_for_claims(&alc_policy_default));
    assert_int_equal(read_policy(claims, &policy), ALC_OK);
    assert_true(alc_policy_asks_for_claims(&policy));
    alc_arena_init(&arena, memory, 1);
    assert_int_equal(alc_policy_name(&arena, &policy, name), ALC_E_OUT_OF_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_member), cmocka_unit_test(test_default),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_size),
        cmocka_unit_test(test_values),       cmocka_unit_test(test_memory),
        cmocka_unit_test(test_name),         cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
