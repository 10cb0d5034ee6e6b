/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a key broker, whole: bodies, tokens, policies, paths. Each gets an answer of the
 * protocol, refusals say why, and nobody gets the secret that is there. And apart, because a
 * mutator does not get there through base64 and nonces: documents of policies, and evidence in its
 * JSON, which nobody believes. The first byte chooses.
 *
 * A run leaves nothing behind, or libFuzzer would look for leaks after each: time goes on, so that
 * sessions expire, and the audit log is only looked at (linked with --wrap).
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "broker/snp_form.h"
#include "kbs/kbs_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum target {
    AUTH,
    ATTEST,
    TOKEN,
    ADMIN_TOKEN,
    POLICY,
    PATH,
    PUT,
    RULES,
    APPRAISAL,
    EVIDENCE, /* the second byte says of what */
    LIST,
    TARGETS
};

static const char secret[] = "a secret that nobody gets";
static const char rules[] =
    "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\",\"tdx\"],\"anybody\":true}]}";
/* Of a key that nobody has any more. */
static const char admin_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
                                "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
                                "-----END PUBLIC KEY-----\n";

static struct alc_kbs *kbs;
static int64_t now_s = 1751328000;

static int64_t clock_s(void)
{
    return now_s;
}

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

alc_status __wrap_alc_kbs_store_audit(struct alc_kbs_store *store,
                                      const struct alc_kbs_audit_row *row);

alc_status __wrap_alc_kbs_store_audit(struct alc_kbs_store *store,
                                      const struct alc_kbs_audit_row *row)
{
    (void)store;
    demand(row->peer != NULL && row->action[0] != '\0' && row->resource != NULL &&
           row->subject != NULL && row->reason != NULL);
    demand(row->is_allowed || row->reason[0] != '\0');
    return ALC_OK;
}

static void send(const struct alc_kbs_request *request, struct alc_kbs_response *out)
{
    alc_kbs_handle(kbs, request, out);
    demand(out->http_status == 200 || out->http_status == 400 || out->http_status == 401 ||
           out->http_status == 403 || out->http_status == 404 || out->http_status == 405 ||
           out->http_status == 413);
    if (out->http_status != 200) {
        demand(out->body != NULL && strstr(out->body, "\"detail\":\"") != NULL);
    }
    if (out->body != NULL) {
        demand(strlen(out->body) == out->body_size && strstr(out->body, secret) == NULL);
    }
}

static void open_broker(void)
{
    static const struct alc_kbs_options options = {.store_path = ":memory:",
                                                   .admin_key_pem = admin_key,
                                                   .has_loopback_admin = true,
                                                   .accepts_emulated = true,
                                                   .now_s = clock_s};
    demand(alc_kbs_open(&options, &kbs, NULL) == ALC_OK);
    demand(alc_kbs_set_policy(kbs, rules, sizeof rules - 1, NULL) == ALC_OK);
    struct alc_kbs_response response;
    send(&(struct alc_kbs_request){.method = ALC_KBS_POST,
                                   .path = "/kbs/v0/resource/a/b/c",
                                   .peer = "",
                                   .is_loopback = true,
                                   .body = secret,
                                   .body_size = sizeof secret - 1},
         &response);
    free(response.body);
}

/* A document is read whole or refused with words, and what holds afterwards is one or the other. */
static void fuzz_document(enum target target, const char *text, size_t size)
{
    struct alc_error error;
    alc_error_clear(&error);
    const alc_status status = target == RULES ? alc_kbs_set_policy(kbs, text, size, &error)
                                              : alc_kbs_set_appraisal(kbs, text, size, &error);
    demand(status == ALC_OK || error.status == status);
    demand(alc_kbs_set_policy(kbs, rules, sizeof rules - 1, NULL) == ALC_OK);
    demand(alc_kbs_set_appraisal(kbs, "{}", 2, NULL) == ALC_OK);
}

/* A report that was put together can be taken apart again. */
static void write_again(const json_t *object)
{
    static uint8_t out[8 * ALC_SNP_REPORT_SIZE];
    struct alc_kbs_evidence evidence;
    struct alc_writer writer;
    if (alc_kbs_evidence_read(ALC_BROKER_SNP, object, &evidence) == NULL) {
        alc_writer_init(&writer, out, sizeof out);
        alc_broker_write_snp(&writer, &(struct alc_text){evidence.bytes, evidence.size});
        demand(!writer.overflowed);
        json_t *again = json_loadb((const char *)out, writer.pos, JSON_REJECT_DUPLICATES, NULL);
        demand(again != NULL);
        json_decref(again);
    }
    alc_kbs_evidence_free(&evidence);
}

static void fuzz_evidence(const char *text, size_t size)
{
    static const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE] = {1};
    struct alc_kbs_finding finding;
    char reason[ALC_KBS_REASON_MAX] = "";
    if (size == 0) {
        return;
    }
    json_t *object = json_loadb(text + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
    const struct alc_kbs_question question = {
        .tee = (enum alc_broker_tee)((uint8_t)text[0] % ALC_BROKER_TEES),
        .evidence = object,
        .report_data = report_data,
        .now_s = now_s};
    demand(!alc_kbs_judge(kbs, &question, &finding, reason) && reason[0] != '\0');
    write_again(object);
    json_decref(object);
}

/* Text with a NUL behind it, as HTTP gives it. */
static void fuzz(enum target target, const char *text, size_t size)
{
    struct alc_kbs_request request = {.method = ALC_KBS_POST,
                                      .path = "/kbs/v0/auth",
                                      .peer = "",
                                      .body = text,
                                      .body_size = size};
    struct alc_kbs_response response;
    char session[sizeof response.session];
    if (target == ATTEST) {
        static const char auth[] = "{\"version\":\"0.4.0\",\"tee\":\"sgx\"}";
        request.body = auth;
        request.body_size = sizeof auth - 1;
        send(&request, &response);
        demand(response.http_status == 200);
        memcpy(session, response.session, sizeof session);
        free(response.body);
        request = (struct alc_kbs_request){.method = ALC_KBS_POST,
                                           .path = "/kbs/v0/attest",
                                           .session = session,
                                           .peer = "",
                                           .body = text,
                                           .body_size = size};
    } else if (target == TOKEN || target == ADMIN_TOKEN) {
        request.method = target == TOKEN ? ALC_KBS_GET : ALC_KBS_DELETE;
        request.path = "/kbs/v0/resource/a/b/c";
        request.bearer = text;
    } else if (target == POLICY) {
        request.path = "/kbs/v0/resource-policy";
        request.is_loopback = true;
    } else if (target == PATH) {
        request.method = ALC_KBS_GET;
        request.path = text;
    } else if (target == PUT) {
        request.path = "/kbs/v0/resource/d/e/f";
    } else if (target == LIST) {
        request.method = ALC_KBS_GET;
        request.path = text;
        request.is_loopback = true;
    }
    send(&request, &response);
    demand(target == AUTH || target == POLICY || target == LIST || response.http_status != 200);
    free(response.body);
    if (target == POLICY) { /* what was read holds as well as what was not */
        demand(alc_kbs_set_policy(kbs, rules, sizeof rules - 1, NULL) == ALC_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (kbs == NULL) {
        open_broker();
    }
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    demand(text != NULL);
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = '\0';
    const enum target target = (enum target)(bytes[0] % TARGETS);
    now_s += 1000;
    if (target == RULES || target == APPRAISAL) {
        fuzz_document(target, text, size - 1);
    } else if (target == EVIDENCE) {
        fuzz_evidence(text, size - 1);
    } else {
        fuzz(target, text, size - 1);
    }
    free(text);
    return 0;
}
