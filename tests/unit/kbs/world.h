/* SPDX-License-Identifier: Apache-2.0
 *
 * A broker without HTTP, a client of ours with evidence of a platform of our own, and the
 * administrator: what the tests of kbs/ have in common.
 */
#ifndef TESTS_UNIT_KBS_WORLD_H
#define TESTS_UNIT_KBS_WORLD_H

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

static inline int64_t clock_s(void)
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
static inline alc_status quote_for(void *context, const uint8_t report_data[64],
                                   struct alc_writer *out)
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

static inline struct alc_text text_of(const char *text)
{
    return (struct alc_text){(const uint8_t *)text, strlen(text)};
}

static inline void ask_broker(const struct alc_kbs_request *request, struct alc_kbs_response *out)
{
    struct alc_kbs_request whole = *request;
    whole.peer = whole.peer != NULL ? whole.peer : "192.0.2.7";
    whole.body = whole.body != NULL ? whole.body : "";
    alc_kbs_handle(kbs, &whole, out);
}

/* One request of the client's, carried there and back. */
static inline void step(struct run *run)
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
    ask_broker(&(struct alc_kbs_request){.method = request.is_post ? ALC_KBS_POST : ALC_KBS_GET,
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

static inline void ask(struct run *run, const char *resource)
{
    const struct alc_text text = text_of(resource);
    assert_int_equal(alc_broker_client_ask(&run->client, &text), ALC_OK);
}

/* As far as it goes. */
static inline void finish(struct run *run)
{
    do {
        step(run);
    } while (run->status == ALC_OK && !alc_broker_client_is_done(&run->client));
}

static inline struct run begin(enum alc_broker_tee tee, const char *resource)
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

static inline struct run get(enum alc_broker_tee tee, const char *resource)
{
    struct run run = begin(tee, resource);
    finish(&run);
    return run;
}

static inline bool has_reason(const struct run *run, const char *words)
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

static inline void keep_audit(void *context, const struct alc_kbs_audit_row *row)
{
    (void)context;
    snprintf(last_audit, sizeof last_audit, "%lld %s %s %s %s %s %s", (long long)row->time_s,
             row->peer, row->action, row->resource, row->subject, row->is_allowed ? "yes" : "no",
             row->reason);
    audit_count++;
}

static inline bool audit_has(const char *words)
{
    audit_count = 0;
    assert_int_equal(alc_kbs_read_audit(store_path, keep_audit, NULL, NULL), ALC_OK);
    if (strstr(last_audit, words) == NULL) {
        print_message("audit: %s\n", last_audit);
    }
    return strstr(last_audit, words) != NULL;
}

static inline void expect_refusal(enum fault what, const char *words)
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

static inline alc_status try_to_open_kbs(bool accepts_emulated, struct alc_error *error)
{
    const struct alc_kbs_options options = {
        .store_path = store_path,
        .accepts_emulated = accepts_emulated,
        .root_sha256 = platform.root_sha256,
        .collateral = {.items = &collateral, .count = 1},
        .admin_key_pem = admin_pem,
        .now_s = clock_s,
    };
    alc_error_clear(error);
    return alc_kbs_open(&options, &kbs, error);
}

static inline void open_kbs(bool accepts_emulated)
{
    struct alc_error error;
    assert_int_equal(try_to_open_kbs(accepts_emulated, &error), ALC_OK);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
    (void)state;
    alc_kbs_close(kbs);
    unlink(store_path);
    return 0;
}

static inline char *admin_token(EVP_PKEY *key, const char *header, const char *claims)
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

static inline unsigned administer(enum alc_kbs_method method, const char *path, const char *token,
                                  const char *body)
{
    struct alc_kbs_response response;
    ask_broker(&(struct alc_kbs_request){.method = method,
                                         .path = path,
                                         .bearer = token,
                                         .body = body,
                                         .body_size = strlen(body)},
               &response);
    free(response.body);
    return response.http_status;
}

static inline void put(const char *path, const char *body)
{
    assert_int_equal(administer(ALC_KBS_POST, path, admin_token(admin_key, ES256, FOR_LONG), body),
                     200);
}

/* The token of an attestation. */
static inline char *attest(struct run *run)
{
    *run = begin(ALC_BROKER_SGX, "repo/key/1");
    step(run);
    step(run);
    assert_int_equal(run->status, ALC_OK);
    char *token = strdup(strchr(run->response.body, ':') + 2);
    *strchr(token, '"') = '\0';
    return token;
}

static inline void world_make(void)
{
    platform_make(&platform, &platform_options_default);
    collateral = (struct alc_collateral){.pcs = &platform.collateral};
    admin_key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, admin_key);
    BIO_read(bio, admin_pem, sizeof admin_pem - 1);
    BIO_free(bio);
}

static inline void world_free(void)
{
    EVP_PKEY_free(admin_key);
    platform_free(&platform);
}

#endif
