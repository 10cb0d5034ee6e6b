/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker without HTTP, against our client and against adversaries: whoever shows the right
 * evidence gets the secret, and each way to be wrong is refused with its own reason, which the
 * client and the audit log both have.
 */
#include <unistd.h>

#include "unit/attest/platform_make.h"

#include "base/base64.h"
#include "broker/client.h"
#include "kbs/kbs.h"
#include "unit/crypto/oracle.h"

enum { SECRET_MAX = 1 << 19, MEMORY_SIZE = 4 << 20 };

static struct platform platform;
static struct alc_collateral collateral;
static struct alc_kbs *kbs;
static char store_path[64];
static int64_t now_s;
static uint8_t memory[MEMORY_SIZE];
static EVP_PKEY *admin_key;
static char admin_pem[400];

static int64_t clock_s(void)
{
    return now_s;
}

/* -- the client's side -- */

enum fault {
    NO_FAULT,
    OTHER_REPORT_DATA,
    OTHER_SIGNATURE,
    DEBUG_ENCLAVE,
    NO_EVIDENCE,
};

static enum fault fault;

/* The platform's quote for other report data, signed anew. */
static alc_status quote_for(void *context, const uint8_t report_data[64], struct alc_writer *out)
{
    enum { REPORT_DATA_AT = 48 + 320, ATTRIBUTES_AT = 48 + 48, SIGNED = 432, SIGNATURE_AT = 436 };
    static uint8_t quote[20000];
    const size_t size = platform.appraisal.evidence.size;
    (void)context;
    memcpy(quote, platform.quote, size);
    memcpy(quote + REPORT_DATA_AT, report_data, 64);
    quote[REPORT_DATA_AT] ^= fault == OTHER_REPORT_DATA;
    quote[ATTRIBUTES_AT] |= fault == DEBUG_ENCLAVE ? 2 : 0;
    sign_raw(platform.attestation_key, quote, SIGNED, quote + SIGNATURE_AT);
    quote[SIGNATURE_AT + 9] ^= fault == OTHER_SIGNATURE;
    alc_write_bytes(out, quote, fault == NO_EVIDENCE ? 100 : size);
    return ALC_OK;
}

static const struct alc_attester attester = {.evidence = quote_for};

struct run {
    struct alc_broker_client client;
    struct alc_arena arena;
    struct alc_text secret;
    struct alc_kbs_response response;
    char session[40];
    alc_status status;
};

static struct alc_text text_of(const char *text)
{
    return (struct alc_text){(const uint8_t *)text, strlen(text)};
}

static void send(const struct alc_kbs_request *request, struct alc_kbs_response *out)
{
    struct alc_kbs_request whole = *request;
    whole.peer = whole.peer != NULL ? whole.peer : "192.0.2.7";
    whole.body = whole.body != NULL ? whole.body : "";
    alc_kbs_handle(kbs, &whole, out);
}

/* One request of the client's, carried there and back. */
static void step(struct run *run)
{
    struct alc_broker_request request;
    char path[400];
    alc_arena_init(&run->arena, memory, sizeof memory);
    run->status = alc_broker_client_request(&run->client, &run->arena, &request);
    if (run->status != ALC_OK) {
        return;
    }
    snprintf(path, sizeof path, "%.*s", (int)request.path.size, request.path.bytes);
    snprintf(run->session, sizeof run->session, "%.*s", (int)request.session.size,
             request.session.size != 0 ? (const char *)request.session.bytes : "");
    free(run->response.body);
    send(&(struct alc_kbs_request){.method = request.is_post ? ALC_KBS_POST : ALC_KBS_GET,
                                   .path = path,
                                   .session = request.session.size != 0 ? run->session : NULL,
                                   .body = (const char *)request.body.bytes,
                                   .body_size = request.body.size},
         &run->response);
    const struct alc_broker_answer answer = {
        .http_status = run->response.http_status,
        .session = text_of(run->response.session),
        .body = {(const uint8_t *)run->response.body, run->response.body_size},
    };
    run->status = alc_broker_client_answer(&run->client, &run->arena, &answer, &run->secret, NULL);
}

static void ask(struct run *run, const char *resource)
{
    const struct alc_text text = text_of(resource);
    assert_int_equal(alc_broker_client_ask(&run->client, &text), ALC_OK);
}

/* As far as it goes. */
static void finish(struct run *run)
{
    do {
        step(run);
    } while (run->status == ALC_OK && !alc_broker_client_is_done(&run->client));
}

static struct run begin(enum alc_broker_tee tee, const char *resource)
{
    static const struct alc_broker_client_options sgx = {
        .tee = ALC_BROKER_SGX,
        .attester = &attester,
        .random = &oracle_random,
        .workload_id = (const uint8_t *)"0123456789abcdef0123456789abcdef",
    };
    static const struct alc_broker_client_options sample = {.tee = ALC_BROKER_SAMPLE,
                                                            .random = &oracle_random};
    struct run run = {0};
    alc_broker_client_init(&run.client, tee == ALC_BROKER_SGX ? &sgx : &sample);
    ask(&run, resource);
    return run;
}

static struct run get(enum alc_broker_tee tee, const char *resource)
{
    struct run run = begin(tee, resource);
    finish(&run);
    return run;
}

static bool has_reason(const struct run *run, const char *words)
{
    char reason[ALC_BROKER_REASON_MAX + 1];
    snprintf(reason, sizeof reason, "%.*s", (int)run->client.reason_size, run->client.reason);
    if (strstr(reason, words) == NULL) {
        print_message("reason: %s\n", reason);
    }
    return strstr(reason, words) != NULL;
}

/* -- the audit log -- */

static char last_audit[600];
static size_t audit_count;

static void keep_audit(void *context, const struct alc_kbs_audit_row *row)
{
    (void)context;
    snprintf(last_audit, sizeof last_audit, "%lld %s %s %s %s %s %s", (long long)row->time_s,
             row->peer, row->action, row->resource, row->subject, row->is_allowed ? "yes" : "no",
             row->reason);
    audit_count++;
}

static bool audit_has(const char *words)
{
    audit_count = 0;
    assert_int_equal(alc_kbs_read_audit(store_path, keep_audit, NULL, NULL), ALC_OK);
    if (strstr(last_audit, words) == NULL) {
        print_message("audit: %s\n", last_audit);
    }
    return strstr(last_audit, words) != NULL;
}

static void expect_refusal(enum fault what, const char *words)
{
    fault = what;
    struct run run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_int_equal(run.status, ALC_E_BROKER_REFUSED);
    assert_int_equal(run.response.http_status, 401);
    assert_true(has_reason(&run, words));
    assert_true(audit_has(words));
    assert_true(audit_has("192.0.2.7 attest"));
    assert_true(audit_has(" no "));
    free(run.response.body);
}

/* -- the server's side -- */

#define ENCLAVE                                                                                    \
    "07"                                                                                           \
    "00000000000000000000000000000000000000000000000000000000000000"
#define WORKLOAD "3031323334353637383961626364656630313233343536373839616263646566"
static const char rules[] =
    "{\"rules\":[{\"resource\":\"repo/key/"
    "*\",\"tee\":[\"sgx\"],\"claims\":{\"mr_enclave\":[\"" ENCLAVE
    "\"],\"isv_svn\":{\"min\":3},\"debug\":false}},"
    "{\"resource\":\"repo/other/1\",\"tee\":[\"sgx\"],\"claims\":{\"isv_svn\":{\"min\":4}}},"
    "{\"resource\":\"repo/sample/1\",\"tee\":[\"sample\"],\"anybody\":true,\"emulated\":true},"
    "{\"resource\":\"repo/sample/2\",\"tee\":[\"sample\"],\"anybody\":true},"
    "{\"resource\":\"repo/workload/1\",\"tee\":[\"sgx\"],\"claims\":{\"mr_enclave\":\"" ENCLAVE
    "\",\"workload_id\":\"" WORKLOAD "\"}},"
    "{\"resource\":\"repo/workload/2\",\"tee\":[\"sgx\"],\"claims\":{\"mr_enclave\":\"" ENCLAVE
    "\",\"workload_id\":\"00\"}}]}";

static void open_kbs(bool accepts_emulated)
{
    const struct alc_kbs_options options = {
        .store_path = store_path,
        .accepts_emulated = accepts_emulated,
        .root_sha256 = platform.root_sha256,
        .collateral = &collateral,
        .collateral_count = 1,
        .admin_key_pem = admin_pem,
        .now_s = clock_s,
    };
    struct alc_error error;
    alc_error_clear(&error);
    assert_int_equal(alc_kbs_open(&options, &kbs, &error), ALC_OK);
}

static int setup(void **state)
{
    struct alc_error error;
    (void)state;
    alc_error_clear(&error);
    now_s = PLATFORM_NOW;
    fault = NO_FAULT;
    snprintf(store_path, sizeof store_path, "kbs_test_%d.db", (int)getpid());
    unlink(store_path);
    open_kbs(true);
    assert_int_equal(alc_kbs_set_policy(kbs, rules, sizeof rules - 1, &error), ALC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    alc_kbs_close(kbs);
    unlink(store_path);
    return 0;
}

static char *admin_token(EVP_PKEY *key, const char *header, const char *claims)
{
    static char token[1000];
    uint8_t signature[64];
    struct alc_writer writer;
    alc_writer_init(&writer, token, sizeof token - 1);
    alc_base64_write(&writer, ALC_BASE64_URL, header, strlen(header));
    alc_write_u8(&writer, '.');
    alc_base64_write(&writer, ALC_BASE64_URL, claims, strlen(claims));
    sign_raw(key, token, writer.pos, signature);
    alc_write_u8(&writer, '.');
    alc_base64_write(&writer, ALC_BASE64_URL, signature, 64);
    token[writer.pos] = '\0';
    return token;
}

#define ES256 "{\"alg\":\"ES256\",\"typ\":\"JWT\"}"
#define FOR_LONG "{\"role\":\"admin\",\"exp\":4000000000}"

static unsigned administer(enum alc_kbs_method method, const char *path, const char *token,
                           const char *body)
{
    struct alc_kbs_response response;
    send(&(struct alc_kbs_request){.method = method,
                                   .path = path,
                                   .bearer = token,
                                   .body = body,
                                   .body_size = strlen(body)},
         &response);
    free(response.body);
    return response.http_status;
}

static void put(const char *path, const char *body)
{
    assert_int_equal(administer(ALC_KBS_POST, path, admin_token(admin_key, ES256, FOR_LONG), body),
                     200);
}

/* -- tests -- */

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
    send(&attestation, &response);
    assert_int_equal(response.http_status, 200);
    free(response.body);
    send(&attestation, &response);
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
    send(&attestation, &response);
    assert_int_equal(response.http_status, 401);
    assert_non_null(strstr(response.body, "the nonce is another one than the session's"));
    free(response.body);
    attestation.session = NULL;
    send(&attestation, &response);
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

/* The token of an attestation. */
static char *attest(struct run *run)
{
    *run = begin(ALC_BROKER_SGX, "repo/key/1");
    step(run);
    step(run);
    assert_int_equal(run->status, ALC_OK);
    char *token = strdup(strchr(run->response.body, ':') + 2);
    *strchr(token, '"') = '\0';
    return token;
}

static unsigned get_with(const char *token, const char *words)
{
    struct alc_kbs_response response;
    send(&(struct alc_kbs_request){.method = ALC_KBS_GET,
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
    send(&(struct alc_kbs_request){.method = ALC_KBS_GET,
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
    send(&(struct alc_kbs_request){.method = ALC_KBS_POST,
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
        send(&(struct alc_kbs_request){.method = ALC_KBS_POST,
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

static void test_administration(void **state)
{
    static const char path[] = "/kbs/v0/resource/repo/key/1";
    EVP_PKEY *other = EVP_EC_gen("P-256");
    (void)state;
    put(path, "the secret");
    assert_true(audit_has("put repo/key/1  yes"));
    assert_int_equal(administer(ALC_KBS_POST, path, NULL, "x"), 401);
    assert_int_equal(administer(ALC_KBS_POST, path, admin_token(other, ES256, FOR_LONG), "x"), 401);
    assert_true(audit_has("put repo/key/1  no the token's signature"));
    assert_int_equal(
        administer(ALC_KBS_POST, path, admin_token(admin_key, ES256, "{\"exp\":5}"), "x"), 401);
    assert_int_equal(
        administer(ALC_KBS_POST, path, admin_token(admin_key, ES256, "{\"role\":\"admin\"}"), "x"),
        401);
    assert_int_equal(
        administer(ALC_KBS_POST, path,
                   admin_token(admin_key, ES256, "{\"exp\":4000000000,\"nbf\":3999999999}"), "x"),
        401);
    struct run run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_true(alc_text_is(&run.secret, "the secret"));
    free(run.response.body);
    /* A client's token is no administrator's. */
    char *token = attest(&run);
    assert_int_equal(administer(ALC_KBS_DELETE, path, token, ""), 401);
    free(token);
    free(run.response.body);
    assert_int_equal(administer(ALC_KBS_DELETE, path, NULL, ""), 401);
    assert_int_equal(administer(ALC_KBS_DELETE, path, admin_token(admin_key, ES256, FOR_LONG), ""),
                     200);
    assert_int_equal(administer(ALC_KBS_DELETE, path, admin_token(admin_key, ES256, FOR_LONG), ""),
                     404);
    run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_int_equal(run.status, ALC_E_NOT_FOUND);
    free(run.response.body);
    EVP_PKEY_free(other);
}

static void test_policy_documents(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"rules\":{}}",
        "{\"rules\":[],\"more\":1}",
        "{\"rules\":[1]}",
        "{\"rules\":[{}]}",
        "{\"rules\":[],\"rules\":[]}",
        "{\"rules\":[{\"resource\":\"a/b\",\"tee\":[\"sgx\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c*\",\"tee\":[\"sgx\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"kbs:///a/b/c\",\"tee\":[\"sgx\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"tpm\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"]}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"anybody\":false}]}",
        ("{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"tdx\"],"
         "\"anybody\":true,\"claims\":{\"a\":1}}]}"),
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{\"a\":[]}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{\"a\":{\"max\":1}}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{\"a\":null}}]}",
        "{\"rules\":[{\"resource\":\"a/b/"
        "c\",\"tee\":[\"sgx\"],\"claims\":{\"workload_id\":\"00\"}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"anybody\":true,\"x\":1}]}",
    };
    struct alc_error error;
    char body[8000];
    char encoded[6000];
    struct alc_writer writer;
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        alc_error_clear(&error);
        assert_int_not_equal(alc_kbs_set_policy(kbs, bad[i], strlen(bad[i]), &error), ALC_OK);
        assert_int_not_equal(error.status, ALC_OK);
        assert_true(error.detail[0] != '\0');
    }
    /* Over the protocol, and it holds after a start too. */
    static const char nothing[] = "{\"rules\":[]}";
    put("/kbs/v0/resource/repo/key/1", "the secret");
    alc_writer_init(&writer, encoded, sizeof encoded);
    alc_base64_write(&writer, ALC_BASE64_URL, nothing, sizeof nothing - 1);
    snprintf(body, sizeof body, "{\"policy\":\"%.*s\"}", (int)writer.pos, encoded);
    assert_int_equal(administer(ALC_KBS_POST, "/kbs/v0/resource-policy", NULL, body), 401);
    put("/kbs/v0/resource-policy", body);
    alc_kbs_close(kbs);
    open_kbs(false);
    struct run run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_int_equal(run.response.http_status, 403);
    free(run.response.body);
    assert_int_equal(administer(ALC_KBS_POST, "/kbs/v0/resource-policy",
                                admin_token(admin_key, ES256, FOR_LONG), "{\"policy\":\"e30\"}"),
                     400);
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
        cmocka_unit_test_setup_teardown(test_stolen_token, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_administration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_documents, setup, teardown),
    };
    platform_make(&platform, &platform_options_default);
    collateral = (struct alc_collateral){.pcs = &platform.collateral};
    admin_key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, admin_key);
    BIO_read(bio, admin_pem, sizeof admin_pem - 1);
    BIO_free(bio);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY_free(admin_key);
    platform_free(&platform);
    return failed;
}
