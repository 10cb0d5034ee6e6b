/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts as attestation results: values of the vector and the status that follows from them, the
 * two dialects, texts that must not break the structure, and signed tokens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attest/ear.h"
#include "attest/json_write.h"
#include "attest/jwt.h"
#include "attest/time.h"
#include "base/base64.h"

/* Linked with --wrap; nothing is judged here. */
uint8_t __wrap_alc_emulated_root_sha256[ALC_SHA256_SIZE];

static struct alc_verdict verdict;
static struct alc_policy policy;
static struct alc_ear ear;
static char text[16384];

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    memset(buf, 0x5a, buf_size);
    return ALC_OK;
}

static const struct alc_random random_source = {.fill = fill_random};

/* An accepted quote of an enclave whose measurement the policy names. */
static int set_up(void **state)
{
    (void)state;
    static const uint8_t mrenclave[32] = {1};
    verdict = (struct alc_verdict){.kind = ALC_EVIDENCE_SGX};
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        verdict.results[i] = ALC_CHECK_PASSED;
    }
    policy = alc_policy_default;
    policy.mrenclaves = (struct alc_reference_values){mrenclave, 1};
    ear = (struct alc_ear){
        .verdict = &verdict, .policy = &policy, .policy_id = "default", .now_s = 1000};
    return 0;
}

static void fail_at(enum alc_check check, alc_status status)
{
    verdict.status = status;
    for (size_t i = check; i < ALC_CHECKS; i++) {
        verdict.results[i] = i == check ? ALC_CHECK_FAILED : ALC_CHECK_NOT_REACHED;
    }
}

static void expect(enum alc_trust_tier tier, int hardware, int executables, int configuration,
                   int runtime_opaque)
{
    struct alc_trust_vector vector;
    alc_ear_vector(&verdict, &policy, &vector);
    assert_int_equal(vector.hardware, hardware);
    assert_int_equal(vector.executables, executables);
    assert_int_equal(vector.configuration, configuration);
    assert_int_equal(vector.runtime_opaque, runtime_opaque);
    assert_int_equal(alc_ear_status(&verdict, &policy), tier);
}

static void test_vector(void **state)
{
    (void)state;
    expect(ALC_TRUST_AFFIRMING, 2, 2, 3, 2);
    policy.mrenclaves.count = 0;
    expect(ALC_TRUST_WARNING, 2, 33, 3, 2);
    policy.mrsigners.count = 1;
    expect(ALC_TRUST_AFFIRMING, 2, 2, 3, 2);
    verdict.tcb = ALC_TCB_SW_HARDENING_NEEDED;
    expect(ALC_TRUST_WARNING, 32, 2, 3, 2);
    verdict.tcb = ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    expect(ALC_TRUST_WARNING, 32, 2, 32, 2);
    verdict.tcb = ALC_TCB_REVOKED;
    expect(ALC_TRUST_CONTRAINDICATED, 96, 2, 3, 2);
    verdict.tcb = ALC_TCB_UP_TO_DATE;
    verdict.is_debug = true;
    expect(ALC_TRUST_CONTRAINDICATED, 2, 2, 96, 96);
}

/* Accepted on purpose, and still nothing that protects. */
static void test_emulated(void **state)
{
    (void)state;
    verdict.is_emulated = true;
    expect(ALC_TRUST_CONTRAINDICATED, 97, 2, 3, 96);
}

/* A launch measurement tells what was started, not what was loaded later. */
static void test_trust_domain(void **state)
{
    (void)state;
    verdict.kind = ALC_EVIDENCE_TDX;
    expect(ALC_TRUST_WARNING, 2, 33, 3, 2);
    policy.mrtds.count = 1;
    expect(ALC_TRUST_AFFIRMING, 2, 3, 3, 2);
    verdict.tcb = ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
    expect(ALC_TRUST_WARNING, 32, 3, 32, 2);
}

static void test_guest(void **state)
{
    (void)state;
    verdict.kind = ALC_EVIDENCE_SEV_SNP;
    verdict.tcb = ALC_TCB_REVOKED; /* says nothing about these */
    expect(ALC_TRUST_WARNING, 2, 33, 3, 2);
    policy.snp.measurements.count = 1;
    expect(ALC_TRUST_AFFIRMING, 2, 3, 3, 2);
}

static void test_refused(void **state)
{
    (void)state;
    fail_at(ALC_CHECK_MRENCLAVE, ALC_E_POLICY_REFUSED);
    expect(ALC_TRUST_CONTRAINDICATED, 2, 33, 3, 2);
    fail_at(ALC_CHECK_QUOTE_SIGNATURE, ALC_E_BAD_SIGNATURE);
    expect(ALC_TRUST_CONTRAINDICATED, 99, 0, 0, 0);
    fail_at(ALC_CHECK_NOT_REVOKED, ALC_E_REVOKED);
    expect(ALC_TRUST_CONTRAINDICATED, 96, 0, 0, 0);
    fail_at(ALC_CHECK_DATES, ALC_E_NOT_CURRENT);
    expect(ALC_TRUST_CONTRAINDICATED, 97, 0, 0, 0);
    fail_at(ALC_CHECK_FORM, ALC_E_OUT_OF_MEMORY);
    expect(ALC_TRUST_CONTRAINDICATED, -1, 0, 0, 0);
    verdict.kind = 0;
    fail_at(ALC_CHECK_FORM, ALC_E_BAD_QUOTE);
    expect(ALC_TRUST_CONTRAINDICATED, 97, 0, 0, 0);
}

static void test_tiers(void **state)
{
    (void)state;
    static const struct {
        int8_t value;
        enum alc_trust_tier tier;
    } cases[] = {
        {-1, ALC_TRUST_NONE},
        {0, ALC_TRUST_NONE},
        {1, ALC_TRUST_NONE},
        {2, ALC_TRUST_AFFIRMING},
        {31, ALC_TRUST_AFFIRMING},
        {32, ALC_TRUST_WARNING},
        {95, ALC_TRUST_WARNING},
        {96, ALC_TRUST_CONTRAINDICATED},
        {127, ALC_TRUST_CONTRAINDICATED},
        {-2, ALC_TRUST_AFFIRMING},
        {-32, ALC_TRUST_AFFIRMING},
        {-33, ALC_TRUST_WARNING},
        {-96, ALC_TRUST_WARNING},
        {-97, ALC_TRUST_CONTRAINDICATED},
        {-128, ALC_TRUST_CONTRAINDICATED},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        assert_int_equal(alc_trust_tier_of(cases[i].value), cases[i].tier);
    }
}

static void write_ear(void)
{
    struct alc_writer writer;
    struct alc_reader reader;
    alc_writer_init(&writer, text, sizeof text - 1);
    alc_ear_write(&writer, &ear);
    assert_false(writer.overflowed);
    text[writer.pos] = '\0';
    alc_reader_init(&reader, text, writer.pos, NULL);
    assert_int_equal(alc_json_skip(&reader), ALC_OK);
    assert_int_equal(alc_json_end(&reader), ALC_OK);
}

static void expect_words(const char *words)
{
    if (strstr(text, words) == NULL) {
        fail_msg("no %s in %s", words, text);
    }
}

static void test_claims(void **state)
{
    (void)state;
    struct alc_text advisory = {(const uint8_t *)"INTEL-\"SA\"\\\n\xff", 13};
    verdict.advisories[0] = advisory;
    verdict.advisories_count = 1;
    verdict.report.mrenclave[31] = 9;
    verdict.report_data[0] = 0xaa;
    ear.nonce = (struct alc_text){(const uint8_t *)"12345678", 8};
    ear.runtime_data = (struct alc_text){(const uint8_t *)"{\"a\":1}", 7};
    ear.expires_s = 2000;
    write_ear();
    expect_words("{\"eat_profile\":\"tag:github.com,2024:confidential-containers/Trustee\","
                 "\"iat\":1000,\"exp\":2000,\"eat_nonce\":\"12345678\",\"ear.verifier-id\":");
    expect_words("\"cpu0\":{\"ear.status\":\"affirming\",\"ear.trustworthiness-vector\":"
                 "{\"configuration\":3,\"executables\":2,\"hardware\":2,\"runtime-opaque\":2},"
                 "\"ear.appraisal-policy-id\":\"default\",\"ear.veraison.annotated-evidence\":"
                 "{\"init_data\":\"0000");
    expect_words("\"report_data\":\"aa0000");
    expect_words(",\"sgx\":{\"body\":{\"mr_enclave\":\"00");
    expect_words("\"debug\":false,\"emulated\":false}");
    expect_words("\"tcb_status\":\"UpToDate\",\"advisory_ids\":[\"INTEL-\\\"SA\\\"\\\\\\u000a?\"]");
    expect_words("},\"runtime_data_claims\":{\"a\":1}}");

    ear.dialect = ALC_EAR_IETF;
    write_ear();
    expect_words("\"eat_profile\":\"tag:ietf.org,2026:rats/ear#04\"");
    expect_words(
        "\"ear_appraisal_policy_ids\":[\"default\"],\"ear_attester_claims\":{\"init_data\":");
}

/* As Trustee has them: no groups, and numbers are numbers. */
static void test_guest_claims(void **state)
{
    (void)state;
    verdict.kind = ALC_EVIDENCE_SEV_SNP;
    verdict.snp.report.host_data[0] = 0xbb;
    verdict.snp.reported_tcb.snp = 23;
    write_ear();
    expect_words("\"ear.veraison.annotated-evidence\":{\"init_data\":\"bb00");
    expect_words(",\"snp\":{\"measurement\":\"00");
    expect_words(",\"reported_tcb_snp\":23,");
}

/* Nobody signed it, and its key must be in the token all the same. */
static void test_sample(void **state)
{
    (void)state;
    verdict = (struct alc_verdict){.is_emulated = true, .report_data = {0xcc}};
    ear.is_sample = true;
    ear.build = "alcove kbs";
    ear.runtime_data = (struct alc_text){(const uint8_t *)"{\"a\":1}", 7};
    write_ear();
    expect_words("\"build\":\"alcove kbs\"");
    expect_words("\"ear.status\":\"contraindicated\",\"ear.trustworthiness-vector\":"
                 "{\"hardware\":97},");
    expect_words("\"ear.veraison.annotated-evidence\":{\"report_data\":\"cc00");
    expect_words("\"sample\":{\"debug\":false,\"emulated\":true},"
                 "\"runtime_data_claims\":{\"a\":1}}");
}

/* A token tells nothing that was not proven, but why it is refused. */
static void test_refused_claims(void **state)
{
    (void)state;
    fail_at(ALC_CHECK_QUOTE_SIGNATURE, ALC_E_BAD_SIGNATURE);
    write_ear();
    expect_words("\"ear.status\":\"contraindicated\"");
    expect_words("\"alcove.failed-check\":\"QUOTE_SIGNATURE\",\"alcove.reason\":"
                 "\"signature is not valid\"");
    assert_null(strstr(text, "mr_enclave"));
    assert_null(strstr(text, "tcb_status"));
}

static void test_json_writer(void **state)
{
    (void)state;
    struct alc_writer writer;
    struct alc_json_writer json;
    alc_writer_init(&writer, text, sizeof text - 1);
    alc_json_writer_init(&json, &writer, true);
    alc_json_open_array(&json, NULL);
    alc_json_open_object(&json, NULL);
    alc_json_close_object(&json);
    alc_json_write_int(&json, NULL, INT64_MIN);
    alc_json_write_int(&json, NULL, -1);
    alc_json_write_uint(&json, NULL, UINT64_MAX);
    alc_json_write_text(&json, NULL, &(struct alc_text){(const uint8_t *)"\xc3\xa9\x7f", 3});
    alc_json_open_object(&json, NULL);
    alc_json_write_bool(&json, "a\"", true);
    alc_json_write_time(&json, "b", 951827696);
    alc_json_write_time(&json, "c", INT64_MIN);
    alc_json_write_time(&json, "d", INT64_MAX);
    alc_json_close_object(&json);
    alc_json_close_array(&json);
    text[writer.pos] = '\0';
    assert_string_equal(text, "[\n  {},\n  -9223372036854775808,\n  -1,\n  18446744073709551615,\n"
                              "  \"\xc3\xa9\x7f\",\n  {\n    \"a\\\"\": true,\n"
                              "    \"b\": \"2000-02-29T12:34:56Z\",\n"
                              "    \"c\": \"1970-01-01T00:00:00Z\",\n"
                              "    \"d\": \"9999-12-31T23:59:59Z\"\n  }\n]");
}

/* Both directions agree at the ends of months, years, leap years and centuries. */
static void test_times(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 2932897; day += day % 97 == 0 ? 1 : 13) {
        const int64_t seconds = day * 86400 + day % 86400;
        char written[ALC_TIME_RFC3339_SIZE];
        int64_t back;
        alc_time_to_rfc3339(seconds, written);
        assert_true(alc_time_from_rfc3339((const uint8_t *)written, sizeof written, &back));
        assert_true(back == seconds);
    }
}

static void check_token(enum alc_curve curve, const char *header_words)
{
    static const uint8_t claims[] = "{\"a\":1}";
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    struct alc_ecdsa_signature signature;
    struct alc_writer writer;
    uint8_t decoded[512];
    uint8_t digest[ALC_HASH_SIZE_MAX];
    size_t size;
    const enum alc_hash_kind hash = curve == ALC_CURVE_P256 ? ALC_HASH_SHA256 : ALC_HASH_SHA384;
    assert_int_equal(alc_ec_generate(curve, &random_source, &key, &public_key), ALC_OK);
    alc_writer_init(&writer, text, sizeof text - 1);
    const struct alc_text payload = {claims, sizeof claims - 1};
    assert_int_equal(alc_jwt_sign(&writer, &payload, &key, &random_source), ALC_OK);
    text[writer.pos] = '\0';
    char *body = strchr(text, '.') + 1;
    char *tail = strchr(body, '.') + 1;
    assert_true(alc_base64_read(ALC_BASE64_URL, (uint8_t *)text, (size_t)(body - text) - 1, decoded,
                                sizeof decoded - 1, &size));
    decoded[size] = 0;
    assert_non_null(strstr((char *)decoded, header_words));
    assert_true(alc_base64_read(ALC_BASE64_URL, (uint8_t *)body, (size_t)(tail - body) - 1, decoded,
                                sizeof decoded, &size));
    assert_int_equal(size, sizeof claims - 1);
    assert_memory_equal(decoded, claims, size);
    assert_true(alc_base64_read(ALC_BASE64_URL, (uint8_t *)tail, strlen(tail), signature.bytes,
                                sizeof signature.bytes, &size));
    assert_int_equal(size, 2 * alc_curve_size(curve));
    alc_hash_bytes(hash, text, (size_t)(tail - text) - 1, digest);
    assert_int_equal(alc_ecdsa_verify(&public_key, digest, alc_hash_size(hash), &signature),
                     ALC_OK);
    /* A buffer that is too small by one byte gives no token. */
    alc_writer_init(&writer, text, writer.pos - 1);
    assert_int_equal(alc_jwt_sign(&writer, &payload, &key, &random_source), ALC_E_INTERNAL);
    alc_writer_init(&writer, text, 10);
    assert_int_equal(alc_jwt_sign(&writer, &payload, &key, &random_source), ALC_E_INTERNAL);
}

static void test_tokens(void **state)
{
    (void)state;
    check_token(ALC_CURVE_P256,
                "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
                "\"alg\":\"ES256\",");
    check_token(ALC_CURVE_P384,
                "{\"typ\":\"JWT\",\"alg\":\"ES384\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-384\","
                "\"alg\":\"ES384\",");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_vector, set_up),
        cmocka_unit_test_setup(test_emulated, set_up),
        cmocka_unit_test_setup(test_trust_domain, set_up),
        cmocka_unit_test_setup(test_guest, set_up),
        cmocka_unit_test_setup(test_refused, set_up),
        cmocka_unit_test(test_tiers),
        cmocka_unit_test_setup(test_claims, set_up),
        cmocka_unit_test_setup(test_guest_claims, set_up),
        cmocka_unit_test_setup(test_sample, set_up),
        cmocka_unit_test_setup(test_refused_claims, set_up),
        cmocka_unit_test(test_json_writer),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
