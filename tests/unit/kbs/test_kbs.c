/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker without HTTP, against our client and against adversaries: whoever shows the right
 * evidence gets the secret, and each way to be wrong is refused with its own reason, which the
 * client and the audit log both have.
 */
#include "unit/kbs/world.h"

static void test_right_evidence(void **state)
{
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    put("/kbs/v0/resource/repo/key/2", "");
    struct run run = get(ALC_BROKER_SGX, "kbs:///repo/key/1");
    assert_int_equal(run.status, ALC_OK);
    assert_true(alc_text_is(&run.secret, "the secret"));
    assert_true(audit_has("get repo/key/1 sgx " ENCLAVE " workload " WORKLOAD " yes rule 1"));
    /* A second one in the same session. */
    ask(&run, "repo/key/2");
    finish(&run);
    assert_int_equal(run.status, ALC_OK);
    assert_int_equal(run.secret.size, 0);
    free(run.response.body);
}

static void test_wrong_evidence(void **state)
{
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    expect_refusal(OTHER_REPORT_DATA, "check REPORT_DATA failed");
    expect_refusal(OTHER_SIGNATURE, "check QUOTE_SIGNATURE failed");
    expect_refusal(DEBUG_ENCLAVE, "check NOT_DEBUG failed");
    expect_refusal(NO_EVIDENCE, "check FORM failed");
    now_s += 400 * 86400;
    expect_refusal(NO_FAULT, "check DATES failed");
}

static void test_policy(void **state)
{
    struct run run;
    (void)state;
    put("/kbs/v0/resource/repo/other/1", "other");
    run = get(ALC_BROKER_SGX, "repo/other/1");
    assert_int_equal(run.status, ALC_E_BROKER_REFUSED);
    assert_int_equal(run.response.http_status, 403);
    assert_true(
        has_reason(&run, "Access denied by policy: rule 2 of the policy is not met: isv_svn"));
    assert_true(audit_has("get repo/other/1 sgx " ENCLAVE " workload " WORKLOAD " no rule 2"));
    free(run.response.body);
    run = get(ALC_BROKER_SGX, "nobody/has/this");
    assert_int_equal(run.response.http_status, 403);
    assert_true(has_reason(&run, "no rule of the policy is for this resource"));
    free(run.response.body);
    run = get(ALC_BROKER_SGX, "repo/key/3");
    assert_int_equal(run.status, ALC_E_NOT_FOUND);
    assert_int_equal(run.response.http_status, 404);
    assert_true(has_reason(&run, "there is no such resource"));
    assert_true(audit_has("get repo/key/3"));
    free(run.response.body);
}

/* What the runtime says about its workload is bound by the evidence, and rules can ask for it. */
static void test_workload(void **state)
{
    struct run run;
    (void)state;
    put("/kbs/v0/resource/repo/workload/1", "for this workload");
    put("/kbs/v0/resource/repo/workload/2", "for another one");
    run = get(ALC_BROKER_SGX, "repo/workload/1");
    assert_int_equal(run.status, ALC_OK);
    assert_true(alc_text_is(&run.secret, "for this workload"));
    assert_true(audit_has(" workload " WORKLOAD));
    free(run.response.body);
    run = get(ALC_BROKER_SGX, "repo/workload/2");
    assert_true(has_reason(&run, "rule 6 of the policy is not met: workload_id"));
    free(run.response.body);
}

static void test_samples(void **state)
{
    struct run run;
    (void)state;
    put("/kbs/v0/resource/repo/sample/1", "for tests");
    put("/kbs/v0/resource/repo/sample/2", "not for tests");
    put("/kbs/v0/resource/repo/key/1", "the secret");
    run = get(ALC_BROKER_SAMPLE, "repo/sample/1");
    assert_int_equal(run.status, ALC_OK);
    assert_true(alc_text_is(&run.secret, "for tests"));
    assert_true(audit_has("sample (emulated) yes rule 3"));
    free(run.response.body);
    run = get(ALC_BROKER_SAMPLE, "repo/sample/2");
    assert_true(has_reason(&run, "rule 4 of the policy is not met: emulated"));
    free(run.response.body);
    run = get(ALC_BROKER_SAMPLE, "repo/key/1");
    assert_true(has_reason(&run, "rule 1 of the policy is not met: tee"));
    free(run.response.body);
    alc_kbs_close(kbs);
    open_kbs(false);
    run = get(ALC_BROKER_SAMPLE, "repo/sample/1");
    assert_int_equal(run.response.http_status, 401);
    assert_true(has_reason(&run, "samples prove nothing"));
    free(run.response.body);
}

/* The whole exchange of somebody else, once more: the nonce is spent. */
static void test_replay(void **state)
{
    struct run run = begin(ALC_BROKER_SGX, "repo/key/1");
    struct alc_broker_request request;
    struct alc_kbs_response response;
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    step(&run);
    assert_int_equal(run.status, ALC_OK);
    alc_arena_init(&run.arena, memory, sizeof memory);
    assert_int_equal(alc_broker_client_request(&run.client, &run.arena, &request), ALC_OK);
    snprintf(run.session, sizeof run.session, "%.*s", (int)request.session.size,
             request.session.bytes);
    struct alc_kbs_request attestation = {.method = ALC_KBS_POST,
                                          .path = "/kbs/v0/attest",
                                          .session = run.session,
                                          .body = (const char *)request.body.bytes,
                                          .body_size = request.body.size};
    ask_broker(&attestation, &response);
    assert_int_equal(response.http_status, 200);
    free(response.body);
    ask_broker(&attestation, &response);
    assert_int_equal(response.http_status, 401);
    assert_non_null(strstr(response.body, "nonce was used before"));
    assert_true(audit_has("attest   no the session's nonce was used before"));
    free(response.body);
    /* And in a session with a nonce of its own. */
    struct run other = begin(ALC_BROKER_SGX, "repo/key/1");
    uint8_t *body = malloc(request.body.size);
    memcpy(body, request.body.bytes, request.body.size);
    step(&other);
    snprintf(other.session, sizeof other.session, "%.*s", (int)other.client.session_size,
             other.client.session);
    attestation.session = other.session;
    attestation.body = (const char *)body;
    ask_broker(&attestation, &response);
    assert_int_equal(response.http_status, 401);
    assert_non_null(strstr(response.body, "the nonce is another one than the session's"));
    free(response.body);
    attestation.session = NULL;
    ask_broker(&attestation, &response);
    assert_int_equal(response.http_status, 401);
    assert_non_null(strstr(response.body, "cookie kbs-session-id not found"));
    free(response.body);
    free(body);
    free(run.response.body);
    free(other.response.body);
}

static void test_expiry(void **state)
{
    struct run run = begin(ALC_BROKER_SGX, "repo/key/1");
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    step(&run);
    now_s += 299;
    step(&run);
    assert_int_equal(run.status, ALC_OK);
    now_s += 1;
    step(&run);
    assert_int_equal(run.response.http_status, 401);
    assert_true(has_reason(&run, "there is no such session, or it expired"));
    assert_true(audit_has("get repo/key/1"));
    /* The client begins anew. */
    finish(&run);
    assert_int_equal(run.status, ALC_OK);
    free(run.response.body);
    run = begin(ALC_BROKER_SGX, "repo/key/1");
    step(&run);
    now_s += 300;
    step(&run);
    assert_true(has_reason(&run, "there is no such session, or it expired"));
    free(run.response.body);
}

static unsigned get_with(const char *token, const char *words)
{
    struct alc_kbs_response response;
    ask_broker(&(struct alc_kbs_request){.method = ALC_KBS_GET,
                                         .path = "/kbs/v0/resource/repo/key/1",
                                         .bearer = token},
               &response);
    if (words != NULL) {
        assert_non_null(strstr(response.body, words));
    }
    free(response.body);
    return response.http_status;
}

static void test_tokens(void **state)
{
    struct run run;
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    char *token = attest(&run);
    assert_int_equal(get_with(token, "\"ciphertext\""), 200);
    const size_t token_size = strlen(token);
    for (size_t i = 0; i < token_size; i += 7) {
        token[i] ^= 1;
        assert_int_equal(get_with(token, NULL), 401);
        token[i] ^= 1;
    }
    assert_true(audit_has("get repo/key/1  no the token"));
    /* Nobody's token but the broker's, whatever it says its algorithm is. */
    assert_int_equal(
        get_with(admin_token(admin_key, ES256, FOR_LONG), "the token's signature is not valid"),
        401);
    assert_int_equal(get_with(admin_token(admin_key, "{\"alg\":\"none\"}", FOR_LONG), "signature"),
                     401);
    assert_int_equal(get_with("a.b", "malformed"), 401);
    assert_int_equal(get_with("", "malformed"), 401);
    /* A broker that starts anew knows its own tokens, until they expire. */
    alc_kbs_close(kbs);
    open_kbs(false);
    assert_int_equal(get_with(token, NULL), 200);
    now_s += 300;
    assert_int_equal(get_with(token, "the token expired"), 401);
    free(token);
    free(run.response.body);
}

/* Nothing outlives what is known about the platform. */
static void test_end_of_collateral(void **state)
{
    enum { TCB_UNTIL = 1761955200 }; /* platform_options_default */
    struct run run;
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    now_s = TCB_UNTIL - 10;
    char *token = attest(&run);
    now_s = TCB_UNTIL - 1;
    step(&run);
    assert_int_equal(run.status, ALC_OK);
    assert_int_equal(get_with(token, NULL), 200);
    now_s = TCB_UNTIL;
    ask(&run, "repo/key/1");
    step(&run);
    assert_int_equal(run.response.http_status, 401);
    assert_true(has_reason(&run, "the token expired"));
    assert_int_equal(get_with(token, "the token expired"), 401);
    free(token);
    free(run.response.body);
}

/* A stolen token is of no use: what it gets is for the key that was attested. */
static void test_stolen_token(void **state)
{
    struct run run;
    struct alc_kbs_response response;
    struct alc_reader reader;
    struct alc_text secret;
    struct alc_ec_private_key thief;
    struct alc_ec_public_key thiefs;
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    char *token = attest(&run);
    ask_broker(&(struct alc_kbs_request){.method = ALC_KBS_GET,
                                         .path = "/kbs/v0/resource/repo/key/1",
                                         .bearer = token},
               &response);
    assert_int_equal(response.http_status, 200);
    assert_int_equal(alc_ec_generate(ALC_CURVE_P256, &oracle_random, &thief, &thiefs), ALC_OK);
    alc_arena_init(&run.arena, memory, sizeof memory);
    alc_reader_init(&reader, response.body, response.body_size, NULL);
    assert_int_equal(alc_jwe_open(&run.arena, &reader, &thief, &oracle_random, &secret),
                     ALC_E_NOT_AUTHENTIC);
    alc_reader_init(&reader, response.body, response.body_size, NULL);
    assert_int_equal(
        alc_jwe_open(&run.arena, &reader, &run.client.private_key, &oracle_random, &secret),
        ALC_OK);
    free(response.body);
    free(token);
    free(run.response.body);
}

static void expect_answer(const char *path, const char *body, unsigned http_status,
                          const char *words)
{
    struct alc_kbs_response response;
    ask_broker(&(struct alc_kbs_request){.method = ALC_KBS_POST,
                                         .path = path,
                                         .session = "0123",
                                         .body = body,
                                         .body_size = strlen(body)},
               &response);
    assert_int_equal(response.http_status, http_status);
    assert_non_null(strstr(response.body, words));
    assert_non_null(strstr(response.body, "\"type\":\"/kbs/errors/"));
    free(response.body);
}

#define KEY "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ECDH-ES+A256KW\",\"x\":\"A\",\"y\":\"A\"}"

static void test_malformed(void **state)
{
    static const char *const attestations[] = {
        "",
        "[]",
        "{\"runtime-data\":{\"nonce\":\"A\",\"tee-pubkey\":" KEY "}}",
        "{\"runtime-data\":{\"nonce\":\"A\",\"nonce\":\"B\",\"tee-pubkey\":" KEY
        "},\"tee-evidence\":{\"primary_evidence\":{},\"additional_evidence\":\"{}\"}}",
        "{\"runtime-data\":{\"nonce\":\"A\\u0022\",\"tee-pubkey\":" KEY
        "},\"tee-evidence\":{\"primary_evidence\":{},\"additional_evidence\":\"{}\"}}",
        "{\"runtime-data\":{\"nonce\":\"A\",\"tee-pubkey\":{\"kty\":[1]}"
        "},\"tee-evidence\":{\"primary_evidence\":{},\"additional_evidence\":\"{}\"}}",
        "{\"runtime-data\":{\"nonce\":\"A\",\"tee-pubkey\":" KEY
        "},\"tee-evidence\":{\"primary_evidence\":{},\"additional_evidence\":\"\\n\"}}",
    };
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(attestations); i++) {
        expect_answer("/kbs/v0/attest", attestations[i], 400, "JSON");
    }
    expect_answer("/kbs/v0/auth", "{\"version\":\"0.4.0\",\"version\":\"0.4.0\",\"tee\":\"sgx\"}",
                  400, "JSON");
    expect_answer("/kbs/v0/auth", "{\"version\":\"0.1.1\",\"tee\":\"sgx\"}", 401,
                  "Version Mismatch: expect =0.4.0 while the request is 0.1.1");
    assert_true(audit_has("auth   no KBS Client Protocol Version Mismatch"));
    /* Quoted, and cut in the middle of a character. */
    expect_answer("/kbs/v0/auth",
                  "{\"version\":\"1234567890123456789\xe2\x82\xac\",\"tee\":\"sgx\"}", 401,
                  "the request is 1234567890123456789?");
    expect_answer("/kbs/v0/auth", "{\"version\":\"0.4.0\",\"tee\":\"cca\"}", 401, "cannot judge");
    expect_answer("/kbs/v0/attestation", "{}", 404, "nothing at this path");
    expect_answer("/kbs/v1/auth", "{}", 404, "nothing at this path");
    expect_answer("/kbs/v0/resource/a/../b", "x", 404, "repository/type/tag");
    expect_answer("/kbs/v0/resource/a/b/c/d", "x", 404, "repository/type/tag");
}

static void test_large_body(void **state)
{
    char *body = malloc(ALC_BROKER_BODY_MAX + 2);
    struct alc_kbs_response response;
    (void)state;
    memset(body, 'a', ALC_BROKER_BODY_MAX + 1);
    for (size_t more = 0; more < 2; more++) {
        ask_broker(&(struct alc_kbs_request){.method = ALC_KBS_POST,
                                             .path = "/kbs/v0/resource/repo/key/1",
                                             .bearer = admin_token(admin_key, ES256, FOR_LONG),
                                             .body = body,
                                             .body_size = ALC_BROKER_BODY_MAX + more},
                   &response);
        assert_int_equal(response.http_status, more == 0 ? 200 : 413);
        free(response.body);
    }
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_right_evidence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_evidence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_workload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_of_collateral, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stolen_token, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_body, setup, teardown),
    };
    world_make();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_free();
    return failed;
}
