/* SPDX-License-Identifier: Apache-2.0
 *
 * Real quotes of TDX and a real report of SEV-SNP in the forms that clients of brokers send them:
 * judged as of their dates, under policies, and with everything about the JSON changed that an
 * adversary could change. argv[1]: the folder with the evidence; without it the test is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attest/snp_vector.h"
#include "attest/time.h"
#include "base/base64.h"
#include "broker/snp_form.h"
#include "kbs/kbs_internal.h"

enum { SKIPPED = 77, FILE_MAX = 1 << 16, EVIDENCE_MAX = 1 << 17 };
enum { TDX_REPORT_DATA_AT = 48 + 520, SNP_REPORT_DATA_AT = 0x50 };

static const char *folder;
static struct alc_kbs *kbs;
static struct alc_kbs_finding finding;
static char reason[ALC_KBS_REASON_MAX];
static struct snp_vector snp;

static size_t read_file(const char *name, uint8_t *out)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    const size_t size = fread(out, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

static int64_t time_of(const char *text)
{
    int64_t seconds;
    assert_true(alc_time_from_rfc3339((const uint8_t *)text, strlen(text), &seconds));
    return seconds;
}

static void set_policy(const char *document)
{
    assert_int_equal(alc_kbs_set_appraisal(kbs, document, strlen(document), NULL), ALC_OK);
}

static void set_collateral(const struct alc_collateral *items, size_t count)
{
    const struct alc_kbs_collateral collateral = {.items = items, .count = count};
    assert_int_equal(alc_kbs_set_collateral(kbs, &collateral), ALC_OK);
}

static int set_up(void **state)
{
    static const struct alc_kbs_options options = {.store_path = ":memory:"};
    (void)state;
    return alc_kbs_open(&options, &kbs, NULL) == ALC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    alc_kbs_close(kbs);
    return 0;
}

static bool judge(enum alc_broker_tee tee, const json_t *evidence, const uint8_t *report_data,
                  const char *now)
{
    const struct alc_kbs_question question = {
        .tee = tee, .evidence = evidence, .report_data = report_data, .now_s = time_of(now)};
    const bool is_good = alc_kbs_judge(kbs, &question, &finding, reason);
    if (is_good) {
        alc_kbs_finding_release(kbs, &finding);
    }
    return is_good;
}

static void expect_reason(const char *words)
{
    if (strstr(reason, words) == NULL) {
        fail_msg("no %s in %s", words, reason);
    }
}

/* -- TDX -- */

static uint8_t quote[FILE_MAX];
static size_t quote_size;
static uint8_t collateral_text[FILE_MAX];
static uint8_t collateral_memory[FILE_MAX];
static struct alc_pcs_collateral pcs;
static const struct alc_collateral tdx_collateral = {.pcs = &pcs};

static void read_tdx(const char *quote_name, const char *collateral_name)
{
    struct alc_arena arena;
    struct alc_reader reader;
    quote_size = read_file(quote_name, quote);
    assert_int_not_equal(quote_size, 0);
    const size_t size = read_file(collateral_name, collateral_text);
    alc_arena_init(&arena, collateral_memory, sizeof collateral_memory);
    alc_reader_init(&reader, collateral_text, size, NULL);
    assert_int_equal(alc_pcs_collateral_read(&arena, &reader, &pcs), ALC_OK);
    set_collateral(&tdx_collateral, 1);
}

/* {"quote": base64, "cc_eventlog": event_log}; without the latter when it is NULL. */
static json_t *tdx_evidence(json_t *event_log)
{
    static char text[EVIDENCE_MAX];
    struct alc_writer writer;
    alc_writer_init(&writer, text, sizeof text);
    alc_base64_write(&writer, ALC_BASE64, quote, quote_size);
    json_t *evidence = json_pack("{s:s%}", "quote", text, writer.pos);
    if (event_log != NULL) {
        json_object_set_new(evidence, "cc_eventlog", event_log);
    }
    return evidence;
}

#define TDX_NOW "2025-07-01T00:00:00Z"

static bool judge_tdx(json_t *evidence)
{
    const bool is_good = judge(ALC_BROKER_TDX, evidence, quote + TDX_REPORT_DATA_AT, TDX_NOW);
    json_decref(evidence);
    return is_good;
}

static void test_tdx(void **state)
{
    (void)state;
    read_tdx("sgx-tdx/tdx_quote", "sgx-tdx/tdx_quote_collateral.json");
    assert_true(judge_tdx(tdx_evidence(NULL)));
    assert_true(judge_tdx(tdx_evidence(json_null())));
    assert_true(judge_tdx(tdx_evidence(json_string("AAAA"))));
    assert_false(judge_tdx(tdx_evidence(json_integer(1))));
    expect_reason("cc_eventlog that is no text");
    json_t *evidence = tdx_evidence(NULL);
    static const uint8_t other[64] = {1};
    assert_false(judge(ALC_BROKER_TDX, evidence, other, TDX_NOW));
    expect_reason("check REPORT_DATA failed");
    assert_false(judge(ALC_BROKER_SGX, evidence, quote + TDX_REPORT_DATA_AT, TDX_NOW));
    expect_reason("of another kind");
    assert_false(
        judge(ALC_BROKER_TDX, evidence, quote + TDX_REPORT_DATA_AT, "2025-08-01T00:00:00Z"));
    expect_reason("check DATES failed");
    json_decref(evidence);
    set_policy("{\"tdx\":{\"mrtd\":[\"000000000000000000000000000000000000000000000000"
               "000000000000000000000000000000000000000000000000\"]}}");
    assert_false(judge_tdx(tdx_evidence(NULL)));
    expect_reason("check MRTD failed");
    set_policy("{\"kinds\":[\"snp\"]}");
    assert_false(judge_tdx(tdx_evidence(NULL)));
    expect_reason("check KIND failed");
    quote[TDX_REPORT_DATA_AT + 100] ^= 1;
    set_policy("{}");
    assert_false(judge_tdx(tdx_evidence(NULL)));
    expect_reason("failed");
}

static void test_outdated_tdx(void **state)
{
    (void)state;
    read_tdx("sgx-tdx/tdx_quote_outdated", "sgx-tdx/tdx_quote_outdated_collateral.json");
    json_t *evidence = tdx_evidence(NULL);
    assert_false(
        judge(ALC_BROKER_TDX, evidence, quote + TDX_REPORT_DATA_AT + 6, "2026-03-01T00:00:00Z"));
    expect_reason("check TCB_LEVEL failed");
    json_decref(evidence);
}

/* -- SEV-SNP -- */

#define SNP_NOW "2025-07-01T00:00:00Z"

static struct alc_collateral snp_collateral;
static uint8_t table[FILE_MAX]; /* report, and behind it the certificates */

struct entry {
    uint8_t id[16];
    const uint8_t *der;
    size_t size;
};

static const uint8_t vcek_id[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                    0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t ask_id[16] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                   0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
static const uint8_t ark_id[16] = {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                                   0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae};

/* As the kernel gives it in auxblob: offsets count from the beginning of the table. */
static struct alc_text with_table(const struct entry *entries, size_t count)
{
    struct alc_writer writer;
    size_t offset = 24 * (count + 1);
    alc_writer_init(&writer, table, sizeof table);
    alc_write_bytes(&writer, snp.report, ALC_SNP_REPORT_SIZE);
    for (size_t i = 0; i < count; i++) {
        alc_write_bytes(&writer, entries[i].id, 16);
        alc_write_u32(&writer, (uint32_t)offset);
        alc_write_u32(&writer, (uint32_t)entries[i].size);
        offset += entries[i].size;
    }
    alc_write_zeros(&writer, 24);
    for (size_t i = 0; i < count; i++) {
        alc_write_bytes(&writer, entries[i].der, entries[i].size);
    }
    assert_false(writer.overflowed);
    return (struct alc_text){table, writer.pos};
}

/* The evidence as our client writes it. */
static json_t *written(const struct alc_text *evidence)
{
    static uint8_t text[EVIDENCE_MAX];
    struct alc_writer writer;
    alc_writer_init(&writer, text, sizeof text);
    alc_broker_write_snp(&writer, evidence);
    assert_false(writer.overflowed);
    assert_true(writer.pos <= 4 * evidence->size + 8192);
    json_t *object = json_loadb((const char *)text, writer.pos, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    return object;
}

static json_t *bare_report(void)
{
    return written(&(struct alc_text){snp.report, ALC_SNP_REPORT_SIZE});
}

static bool judge_snp(json_t *evidence)
{
    const bool is_good = judge(ALC_BROKER_SNP, evidence, snp.report + SNP_REPORT_DATA_AT, SNP_NOW);
    json_decref(evidence);
    return is_good;
}

static int set_up_snp(void **state)
{
    char path[1000];
    if (set_up(state) != 0) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/snp", folder);
    assert_true(snp_vector_read(path, &snp));
    snp_collateral = (struct alc_collateral){.kds = &snp.collateral};
    set_collateral(&snp_collateral, 1);
    set_policy("{\"accept_debug\":true}");
    return 0;
}

/* Both directions of the form: the signed bytes come back. */
static void test_report(void **state)
{
    struct alc_kbs_evidence evidence;
    json_t *object = bare_report();
    (void)state;
    assert_true(json_is_null(json_object_get(object, "cert_chain")));
    assert_null(alc_kbs_evidence_read(ALC_BROKER_SNP, object, &evidence));
    assert_int_equal(evidence.size, ALC_SNP_REPORT_SIZE);
    assert_memory_equal(evidence.bytes, snp.report, ALC_SNP_REPORT_SIZE);
    assert_null(evidence.endorsement_key);
    alc_kbs_evidence_free(&evidence);
    json_decref(object);
    assert_true(judge_snp(bare_report()));
    set_policy("{}");
    assert_false(judge_snp(bare_report()));
    expect_reason("check NOT_DEBUG failed");
    set_policy("{\"accept_debug\":true,\"snp\":{\"guest_svn_min\":9}}");
    assert_false(judge_snp(bare_report()));
    expect_reason("check SNP_IMAGE failed");
    set_collateral(NULL, 0);
    assert_false(judge_snp(bare_report()));
    expect_reason("check SNP_CHAIN failed");
}

/* What the library of Trustee and its guests has in it: names, and what stands for what. */
static void test_form(void **state)
{
    static const char *const numbers[] = {"version",  "guest_svn", "policy",  "vmpl",
                                          "sig_algo", "plat_info", "key_info"};
    static const char *const nulls[] = {"cpuid_fam_id", "cpuid_mod_id", "cpuid_step",
                                        "launch_mit_vector", "current_mit_vector"};
    static const struct {
        const char *name;
        size_t count;
    } arrays[] = {
        {"family_id", 16},         {"image_id", 16},      {"report_data", 64}, {"measurement", 48},
        {"host_data", 32},         {"id_key_digest", 48}, {"report_id", 32},   {"report_id_ma", 32},
        {"author_key_digest", 48}, {"chip_id", 64},
    };
    static const char *const tcbs[] = {"current_tcb", "reported_tcb", "committed_tcb",
                                       "launch_tcb"};
    json_t *object = bare_report();
    const json_t *report = json_object_get(object, "attestation_report");
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(numbers); i++) {
        assert_true(json_is_integer(json_object_get(report, numbers[i])));
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(nulls); i++) { /* a report of version 2 */
        assert_true(json_is_null(json_object_get(report, nulls[i])));
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(arrays); i++) {
        assert_int_equal(json_array_size(json_object_get(report, arrays[i].name)), arrays[i].count);
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(tcbs); i++) {
        const json_t *tcb = json_object_get(report, tcbs[i]);
        assert_true(json_is_null(json_object_get(tcb, "fmc")));
        assert_int_equal(json_object_size(tcb), 5);
    }
    const json_t *reported = json_object_get(report, "reported_tcb");
    assert_int_equal(json_integer_value(json_object_get(reported, "bootloader")), 2);
    assert_int_equal(json_integer_value(json_object_get(reported, "snp")), 5);
    assert_int_equal(json_integer_value(json_object_get(reported, "microcode")), 0x44);
    assert_int_equal(json_object_size(json_object_get(report, "current")), 3);
    const json_t *signature = json_object_get(report, "signature");
    assert_int_equal(json_array_size(json_object_get(signature, "r")), 72);
    assert_int_equal(json_array_size(json_object_get(signature, "s")), 72);
    assert_int_equal(json_object_size(report), 29);
    json_decref(object);
}

/* From version 3 on a report says its processor, and Turin's versions stand elsewhere. */
static void test_turin(void **state)
{
    struct alc_kbs_evidence evidence;
    uint8_t report[ALC_SNP_REPORT_SIZE];
    (void)state;
    memcpy(report, snp.report, sizeof report);
    report[0] = 5;
    report[0x188] = 0x1a;
    report[0x1e0] = 77;
    report[0x1f8] = 9;
    json_t *object = written(&(struct alc_text){report, sizeof report});
    const json_t *members = json_object_get(object, "attestation_report");
    const json_t *tcb = json_object_get(members, "committed_tcb");
    assert_int_equal(json_integer_value(json_object_get(tcb, "fmc")), 77);
    assert_int_equal(json_integer_value(json_object_get(members, "cpuid_fam_id")), 0x1a);
    assert_int_equal(json_integer_value(json_object_get(members, "launch_mit_vector")), 9);
    assert_null(alc_kbs_evidence_read(ALC_BROKER_SNP, object, &evidence));
    /* Bytes of a TCB version that Turin has no part for are lost, as in every such report. */
    report[0x38 + 6] = report[0x180 + 6] = report[0x1e0 + 6] = report[0x1f0 + 6] = 0;
    assert_memory_equal(evidence.bytes, report, sizeof report);
    alc_kbs_evidence_free(&evidence);
    json_decref(object);
}

static size_t read_authority(size_t index, uint8_t *out)
{
    struct alc_reader reader;
    size_t size = 0;
    alc_reader_init(&reader, snp.collateral.chain.bytes, snp.collateral.chain.size, NULL);
    for (size_t i = 0; i <= index; i++) {
        assert_int_equal(alc_pem_read(&reader, "CERTIFICATE", out, SNP_FILE_MAX, &size), ALC_OK);
    }
    return size;
}

/* With certificates of its own a client needs nothing of the broker's; with some of them, the rest.
 */
static void test_certificates(void **state)
{
    static uint8_t ask[SNP_FILE_MAX];
    static uint8_t ark[SNP_FILE_MAX];
    static const uint8_t garbage[100] = {0x30};
    const struct alc_text *vcek = &snp.collateral.endorsement_key;
    struct entry entries[3] = {{.der = vcek->bytes, .size = vcek->size},
                               {.der = ask, .size = read_authority(0, ask)},
                               {.der = ark, .size = read_authority(1, ark)}};
    (void)state;
    memcpy(entries[0].id, vcek_id, 16);
    memcpy(entries[1].id, ask_id, 16);
    memcpy(entries[2].id, ark_id, 16);
    struct alc_text evidence = with_table(entries, 3);
    set_collateral(NULL, 0);
    assert_true(judge_snp(written(&evidence)));
    evidence = with_table(entries, 1);
    assert_false(judge_snp(written(&evidence)));
    expect_reason("check SNP_CHAIN failed");
    struct alc_kds_collateral authorities = {.chain = snp.collateral.chain};
    const struct alc_collateral items[] = {{.pcs = &pcs}, {.kds = &authorities}};
    set_collateral(items, 2);
    assert_true(judge_snp(written(&evidence)));
    /* Without an endorsement key there is no chain to speak of. */
    evidence = with_table(entries + 1, 2);
    json_t *object = written(&evidence);
    assert_true(json_is_null(json_object_get(object, "cert_chain")));
    assert_false(judge_snp(object));
    /* What a client shows wrongly the broker may know better. */
    entries[0].der = garbage;
    entries[0].size = sizeof garbage;
    evidence = with_table(entries, 3);
    assert_false(judge_snp(written(&evidence)));
    set_collateral(&snp_collateral, 1);
    assert_true(judge_snp(written(&evidence)));
    /* A table that is cut, or whose entries lie outside. */
    entries[0].der = vcek->bytes;
    entries[0].size = vcek->size;
    evidence = with_table(entries, 3);
    for (size_t size = ALC_SNP_REPORT_SIZE; size < evidence.size; size += 97) {
        json_decref(written(&(struct alc_text){evidence.bytes, size}));
    }
    memset(table + ALC_SNP_REPORT_SIZE + 16, 0xff, 8);
    object = written(&evidence);
    assert_true(json_is_null(json_object_get(object, "cert_chain")));
    json_decref(object);
}

/* What is no chain is refused, and what others have in one is passed over. */
static void test_hostile_chains(void **state)
{
    static const struct {
        const char *chain;
        bool is_good;
    } cases[] = {
        {"[]", true},
        {"[{\"cert_type\":{\"OTHER\":\"ecae0c0f-9502-43b1-afa2-0ae2e0d565b6\"},\"data\":[1]}]",
         true},
        {"[{\"cert_type\":\"CRL\",\"data\":[1]}]", true},
        {"[{\"cert_type\":\"Empty\",\"data\":[]}]", true},
        {"{}", false},
        {"\"VCEK\"", false},
        {"[1]", false},
        {"[{}]", false},
        {"[{\"cert_type\":1,\"data\":[1]}]", false},
        {"[{\"cert_type\":\"VCEK\"}]", false},
        {"[{\"cert_type\":\"VCEK\",\"data\":[]}]", false},
        {"[{\"cert_type\":\"VCEK\",\"data\":[256]}]", false},
        {"[{\"cert_type\":\"VCEK\",\"data\":\"MII=\"}]", false},
        {"[{\"cert_type\":\"ASK\",\"data\":[-1]}]", false},
        {"[{\"cert_type\":\"ARK\",\"data\":[1.5]}]", false},
        {"[1,2,3,4,5,6,7,8,9]", false},
    };
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        json_t *object = bare_report();
        json_object_set_new(object, "cert_chain",
                            json_loads(cases[i].chain, JSON_DECODE_ANY, NULL));
        if (judge_snp(object) != cases[i].is_good) {
            fail_msg("%s: %s", cases[i].chain, reason);
        }
        if (!cases[i].is_good) {
            expect_reason("cert_chain is no list of certificates");
        }
    }
    /* One byte more than a certificate can have. */
    json_t *data = json_array();
    for (size_t i = 0; i < 8193; i++) {
        json_array_append_new(data, json_integer(0x30));
    }
    json_t *object = bare_report();
    json_object_set_new(object, "cert_chain",
                        json_pack("[{s:s, s:o}]", "cert_type", "VCEK", "data", data));
    assert_false(judge_snp(object));
    expect_reason("cert_chain is no list");
}

/* Values that no member has; NULL: it is left out. */
static const char *const wrong_values[] = {
    NULL,
    "true",
    "\"\"",
    "-1",
    "1.5",
    "[]",
    "{}",
    "[256]",
    "[[1]]",
    "[null]",
    "9223372036854775807",
};

/* No member can be anything else and be believed: each stands in the signed bytes. */
static void expect_no_other_value(json_t *evidence, json_t *object, const char *name)
{
    json_t *before = json_incref(json_object_get(object, name));
    for (size_t i = 0; i < ALC_ARRAY_COUNT(wrong_values); i++) {
        json_object_del(object, name);
        if (wrong_values[i] != NULL) {
            json_object_set_new(object, name, json_loads(wrong_values[i], JSON_DECODE_ANY, NULL));
        } else if (json_is_null(before)) {
            continue; /* the same */
        }
        if (judge_snp(json_incref(evidence))) {
            fail_msg("%s as %s", name, wrong_values[i]);
        }
    }
    json_object_set_new(object, name, before);
}

/* Numbers and bytes that are one off. */
static void expect_no_other_number(json_t *evidence, json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    json_t *number =
        json_is_array(value) ? json_array_get(value, json_array_size(value) / 2) : value;
    if (json_is_integer(number)) {
        const json_int_t before = json_integer_value(number);
        json_integer_set(number, before ^ 1);
        assert_false(judge_snp(json_incref(evidence)));
        json_integer_set(number, before);
    }
    if (json_is_array(value)) {
        json_array_append_new(value, json_integer(0));
        assert_false(judge_snp(json_incref(evidence)));
        expect_reason("in its form");
        json_array_remove(value, json_array_size(value) - 1);
    }
}

static void test_hostile_members(void **state)
{
    json_t *evidence = bare_report();
    json_t *report = json_object_get(evidence, "attestation_report");
    (void)state;
    for (size_t i = 0; i < ALC_SNP_MEMBERS; i++) {
        expect_no_other_value(evidence, report, alc_snp_members[i].name);
        expect_no_other_number(evidence, report, alc_snp_members[i].name);
    }
    for (size_t i = 0; i < ALC_SNP_HALVES; i++) {
        json_t *signature = json_object_get(report, "signature");
        expect_no_other_value(evidence, signature, alc_snp_halves[i].name);
        expect_no_other_number(evidence, signature, alc_snp_halves[i].name);
    }
    for (size_t i = 0; i < ALC_SNP_PARTS; i++) {
        json_t *tcb = json_object_get(report, "reported_tcb");
        expect_no_other_number(evidence, tcb, alc_snp_parts[i].name);
    }
    expect_no_other_value(evidence, report, "signature");
    expect_no_other_value(evidence, evidence, "attestation_report");
    assert_true(judge_snp(evidence)); /* unchanged at the end */
}

/* -- what rules see of it -- */

static void test_claims(void **state)
{
    (void)state;
    json_t *evidence = bare_report();
    const struct alc_kbs_question question = {.tee = ALC_BROKER_SNP,
                                              .evidence = evidence,
                                              .report_data = snp.report + SNP_REPORT_DATA_AT,
                                              .now_s = time_of(SNP_NOW)};
    const struct alc_kbs_client client = {.key = json_pack("{s:s}", "kty", "EC"),
                                          .nonce = "AA==",
                                          .additional = "{}",
                                          .additional_size = 2};
    assert_true(alc_kbs_judge(kbs, &question, &finding, reason));
    char *text = alc_kbs_claims_write(kbs, &finding, &client, question.now_s);
    alc_kbs_finding_release(kbs, &finding);
    json_t *token = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_t *claims = alc_kbs_claims_of(token);
    const char *measurement = json_string_value(json_object_get(claims, "measurement"));
    assert_memory_equal(measurement, "b07af962", 8);
    assert_string_equal(json_string_value(json_object_get(claims, "tee")), "snp");
    assert_string_equal(json_string_value(json_object_get(claims, "status")), "contraindicated");
    assert_int_equal(json_integer_value(json_object_get(claims, "reported_tcb_snp")), 5);
    assert_true(json_is_true(json_object_get(claims, "debug")));
    assert_true(json_is_false(json_object_get(claims, "emulated")));
    assert_null(json_object_get(claims, "workload_id"));
    json_decref(claims);
    json_decref(token);
    free(text);
    json_decref(client.key);
    json_decref(evidence);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tdx, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outdated_tdx, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_report, set_up_snp, tear_down),
        cmocka_unit_test_setup_teardown(test_form, set_up_snp, tear_down),
        cmocka_unit_test_setup_teardown(test_turin, set_up_snp, tear_down),
        cmocka_unit_test_setup_teardown(test_certificates, set_up_snp, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_chains, set_up_snp, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_members, set_up_snp, tear_down),
        cmocka_unit_test_setup_teardown(test_claims, set_up_snp, tear_down),
    };
    folder = argc > 1 ? argv[1] : "";
    if (read_file("sgx-tdx/tdx_quote", quote) == 0) {
        printf("SKIPPED: no evidence in %s\n", folder);
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
