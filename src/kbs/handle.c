/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: who may ask it, what the answer is, and the row in the audit log, which is written
 * before anything is given away. The client's order of things is broker/client.h.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "kbs/kbs_internal.h"

/* A request under way. */
struct exchange {
    struct alc_kbs *kbs;
    const struct alc_kbs_request *request;
    struct alc_kbs_response *response;
    int64_t now_s;
    char reason[ALC_KBS_REASON_MAX];
};

/* -- answers -- */

static void answer_json(struct exchange *exchange, json_t *body)
{
    exchange->response->body = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (exchange->response->body == NULL) {
        exchange->response->http_status = 500;
        return;
    }
    exchange->response->http_status = 200;
    exchange->response->body_size = strlen(exchange->response->body);
}

/* The protocol's ErrorInformation. What somebody sent may be quoted in the detail, and cut in the
 * middle of a character: it goes out as printable ASCII. */
static void refuse(struct exchange *exchange, unsigned http_status, const char *type,
                   const char *detail)
{
    char text[ALC_KBS_REASON_MAX];
    size_t size = 0;
    for (; size < sizeof text - 1 && detail[size] != '\0'; size++) {
        text[size] = detail[size] >= ' ' && detail[size] <= '~' ? detail[size] : '?';
    }
    text[size] = '\0';
    answer_json(exchange, json_pack("{s:s+, s:s}", "type", "/kbs/errors/", type, "detail", text));
    exchange->response->http_status = http_status;
}

static void refuse_format(struct exchange *exchange)
{
    refuse(exchange, 400, "SerdeError", "the body is not the JSON that this request needs");
}

/* What the evidence says runs there, in a few characters. */
static const char *subject_of(json_t *claims, char *out, size_t out_size)
{
    const char *tee = json_string_value(json_object_get(claims, "tee"));
    const char *measurement = json_string_value(json_object_get(claims, "mr_enclave"));
    if (measurement == NULL) {
        measurement = json_string_value(json_object_get(claims, "mr_td"));
    }
    const char *workload = json_string_value(json_object_get(claims, "workload_id"));
    snprintf(out, out_size, "%s%s%s%s%s%s", tee != NULL ? tee : "", measurement != NULL ? " " : "",
             measurement != NULL ? measurement : "", workload != NULL ? " workload " : "",
             workload != NULL ? workload : "",
             json_is_true(json_object_get(claims, "emulated")) ? " (emulated)" : "");
    return out;
}

/* False, and the request refused, when the log cannot be written: nobody gets what nobody will know
 * about. */
static bool audit(struct exchange *exchange, const char *action, const char *resource,
                  json_t *claims, bool is_allowed, const char *reason)
{
    char subject[240] = "";
    const struct alc_kbs_audit_row row = {
        .time_s = exchange->now_s,
        .peer = exchange->request->peer,
        .action = action,
        .resource = resource,
        .subject = claims != NULL ? subject_of(claims, subject, sizeof subject) : "",
        .is_allowed = is_allowed,
        .reason = reason,
    };
    if (alc_kbs_store_audit(exchange->kbs->store, &row) == ALC_OK) {
        return true;
    }
    refuse(exchange, 500, "AuditError", "the audit log cannot be written");
    return false;
}

static void audit_and_refuse(struct exchange *exchange, const char *action, unsigned http_status,
                             const char *type, const char *detail)
{
    if (audit(exchange, action, "", NULL, false, detail)) {
        refuse(exchange, http_status, type, detail);
    }
}

/* -- authentication: a challenge for anybody -- */

static void handle_auth(struct exchange *exchange)
{
    const struct alc_kbs_request *request = exchange->request;
    struct alc_kbs_response *response = exchange->response;
    char nonce[ALC_KBS_NONCE_SIZE];
    json_t *body = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    const char *version = json_string_value(json_object_get(body, "version"));
    const json_t *tee_value = json_object_get(body, "tee");
    const struct alc_text name = {(const uint8_t *)json_string_value(tee_value),
                                  json_string_length(tee_value)};
    if (version == NULL || name.bytes == NULL) {
        refuse_format(exchange);
    } else if (strcmp(version, ALC_BROKER_VERSION) != 0) {
        snprintf(exchange->reason, ALC_KBS_REASON_MAX,
                 "KBS Client Protocol Version Mismatch: expect =" ALC_BROKER_VERSION
                 " while the request is %.20s",
                 version);
        audit_and_refuse(exchange, "auth", 401, "RcarAuthFailed", exchange->reason);
    } else if (alc_broker_tee_find(&name) == ALC_BROKER_TEES) {
        audit_and_refuse(exchange, "auth", 401, "RcarAuthFailed",
                         "this broker cannot judge evidence of that tee");
    } else if (alc_kbs_session_begin(exchange->kbs->sessions, alc_broker_tee_find(&name),
                                     exchange->now_s,
                                     exchange->now_s + exchange->kbs->options.session_seconds,
                                     response->session, nonce) != ALC_OK) {
        refuse(exchange, 503, "RcarAuthFailed", "no session can be opened");
    } else {
        response->session_seconds = exchange->kbs->options.session_seconds;
        answer_json(exchange, json_pack("{s:{s:b}, s:s}", "extra-params", ALC_BROKER_TAKES_WORKLOAD,
                                        1, "nonce", nonce));
    }
    json_decref(body);
}

/* -- attestation -- */

/* The parts of an attestation, borrowed from its JSON. */
struct attestation {
    json_t *key;
    const char *nonce;
    const char *additional;
    size_t additional_size;
    json_t *evidence;
};

/* A string that stands in canonical JSON as it is: nothing in it is escaped. */
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\') {
            return false;
        }
    }
    return true;
}

/* Additional evidence may have quotes, which are escaped where it is bound, and nothing else that
 * canonical JSON writes in another way. */
static bool is_bindable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool is_plain_object(json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (!json_is_string(value) || !is_plain(name, strlen(name)) ||
            !is_plain(json_string_value(value), json_string_length(value))) {
            return false;
        }
    }
    return json_is_object(object);
}

static bool read_attestation(json_t *body, struct attestation *out)
{
    const json_t *runtime_data = json_object_get(body, "runtime-data");
    const json_t *evidence = json_object_get(body, "tee-evidence");
    const json_t *nonce = json_object_get(runtime_data, "nonce");
    const json_t *additional = json_object_get(evidence, "additional_evidence");
    *out = (struct attestation){
        .key = json_object_get(runtime_data, "tee-pubkey"),
        .nonce = json_string_value(nonce),
        .additional = json_string_value(additional),
        .additional_size = json_string_length(additional),
        .evidence = json_object_get(evidence, "primary_evidence"),
    };
    return out->nonce != NULL && is_plain(out->nonce, json_string_length(nonce)) &&
           out->additional != NULL && is_bindable(out->additional, out->additional_size) &&
           is_plain_object(out->key) && json_is_object(out->evidence);
}

static bool bind(const struct attestation *attestation,
                 uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    char *key = json_dumps(attestation->key, JSON_COMPACT | JSON_SORT_KEYS);
    if (key == NULL) {
        return false;
    }
    const struct alc_broker_binding binding = {
        .nonce = {(const uint8_t *)attestation->nonce, strlen(attestation->nonce)},
        .key = {(const uint8_t *)key, strlen(key)},
        .additional = {(const uint8_t *)attestation->additional, attestation->additional_size},
    };
    alc_broker_report_data(&binding, report_data);
    free(key);
    return true;
}

/* What the runtime says about its workload, which the evidence binds. Device evidence, which others
 * have in the same place, is not judged and gives no claims. */
static void add_workload(const struct attestation *attestation, json_t *claims)
{
    json_t *additional = json_loadb(attestation->additional, attestation->additional_size,
                                    JSON_REJECT_DUPLICATES, NULL);
    json_t *id = json_object_get(json_object_get(additional, "alcove"), "workload_id");
    if (json_is_string(id) && json_string_length(id) == 2 * ALC_SHA256_SIZE) {
        json_object_set(claims, "workload_id", id);
    }
    json_decref(additional);
}

/* The result as others read it (draft-ietf-rats-ear, with Trustee's names), and the claims as our
 * rules have them. */
static json_t *token_claims(const struct exchange *exchange, const struct attestation *attestation,
                            json_t *claims)
{
    const char *status = json_string_value(json_object_get(claims, "status"));
    const bool is_genuine = strcmp(status, "contraindicated") != 0;
    const bool is_current = strcmp(status, "affirming") == 0;
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:{s:s, s:s}, s:{s:{s:s, s:{s:i, s:i}, s:s, s:{s:O, s:{s:O}}}}}",
        "eat_profile", "tag:github.com,2024:confidential-containers/Trustee", "iat",
        (json_int_t)exchange->now_s, "nbf", (json_int_t)exchange->now_s, "exp",
        (json_int_t)(exchange->now_s + exchange->kbs->options.token_seconds), "ear.verifier-id",
        "developer", "alcove", "build", "alcove kbs", "submods", "cpu0", "ear.status", status,
        "ear.trustworthiness-vector", "executables", 33, "hardware",
        is_current   ? 2
        : is_genuine ? 32
                     : 97,
        "ear.appraisal-policy-id", "default", "ear.veraison.annotated-evidence", "alcove", claims,
        "runtime_data_claims", "tee-pubkey", attestation->key);
}

static const char *state_problem(enum alc_kbs_session_state state)
{
    return state == ALC_KBS_SESSION_UNKNOWN
               ? "there is no such session, or it expired"
               : "the session's nonce was used before: a nonce is good for one attestation";
}

static json_t *appraise(struct exchange *exchange, const struct attestation *attestation)
{
    const struct alc_kbs_request *request = exchange->request;
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    char nonce[ALC_KBS_NONCE_SIZE];
    enum alc_broker_tee tee;
    const char *problem = NULL;
    if (request->session == NULL) {
        problem = "cookie " ALC_BROKER_COOKIE " not found";
    } else {
        const enum alc_kbs_session_state state = alc_kbs_session_spend(
            exchange->kbs->sessions, request->session, exchange->now_s, &tee, nonce);
        problem = state == ALC_KBS_SESSION_FRESH ? NULL : state_problem(state);
    }
    if (problem == NULL && strcmp(nonce, attestation->nonce) != 0) {
        problem = "the nonce is another one than the session's";
    }
    if (problem == NULL) {
        problem = alc_kbs_key_problem(attestation->key);
    }
    if (problem == NULL && !bind(attestation, report_data)) {
        problem = "out of memory";
    }
    if (problem != NULL) {
        snprintf(exchange->reason, sizeof exchange->reason, "%s", problem);
        return NULL;
    }
    return alc_kbs_appraise(&exchange->kbs->options, exchange->kbs->known, tee,
                            attestation->evidence, report_data, exchange->now_s, exchange->reason);
}

static void give_token(struct exchange *exchange, const struct attestation *attestation,
                       json_t *claims)
{
    json_t *all = token_claims(exchange, attestation, claims);
    char *token = all != NULL ? alc_kbs_token_sign(exchange->kbs->token_key, all) : NULL;
    json_decref(all);
    if (token == NULL) {
        refuse(exchange, 500, "RcarAttestFailed", "no token could be made");
        return;
    }
    if (audit(exchange, "attest", "", claims, true, "")) {
        alc_kbs_session_attest(exchange->kbs->sessions, exchange->request->session, token);
        answer_json(exchange, json_pack("{s:s}", "token", token));
    }
    free(token);
}

static void handle_attest(struct exchange *exchange)
{
    const struct alc_kbs_request *request = exchange->request;
    struct attestation attestation;
    json_t *body = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    if (!read_attestation(body, &attestation)) {
        refuse_format(exchange);
    } else {
        json_t *claims = appraise(exchange, &attestation);
        if (claims != NULL) {
            add_workload(&attestation, claims);
            give_token(exchange, &attestation, claims);
        } else {
            audit_and_refuse(exchange, "attest", 401, "RcarAttestFailed", exchange->reason);
        }
        json_decref(claims);
    }
    json_decref(body);
}

/* -- resources -- */

/* The claims of whoever asks: by token, or by a session that has one. Dates hold for both. */
static json_t *authorize(struct exchange *exchange)
{
    const struct alc_kbs_request *request = exchange->request;
    struct alc_kbs *kbs = exchange->kbs;
    const char *problem = "no token and no session: attest first";
    char *token = NULL;
    json_t *claims = NULL;
    if (request->bearer != NULL) {
        claims = alc_kbs_token_verify(kbs->token_key, request->bearer, exchange->now_s, &problem);
    } else if (request->session != NULL) {
        enum alc_kbs_session_state state =
            alc_kbs_session_token(kbs->sessions, request->session, exchange->now_s, &token);
        problem =
            state == ALC_KBS_SESSION_UNKNOWN ? state_problem(state) : "the session is not attested";
        claims = token != NULL ? alc_kbs_token_claims(token) : NULL;
        free(token);
    }
    if (claims == NULL) {
        snprintf(exchange->reason, sizeof exchange->reason, "%s", problem);
    }
    return claims;
}

static bool is_allowed(struct exchange *exchange, const char *resource, json_t *claims)
{
    struct alc_kbs *kbs = exchange->kbs;
    pthread_rwlock_rdlock(&kbs->policy_lock);
    const bool result = alc_kbs_rules_allow(kbs->policy, resource, claims, exchange->reason);
    pthread_rwlock_unlock(&kbs->policy_lock);
    return result;
}

static void give_resource(struct exchange *exchange, const char *resource, json_t *claims,
                          const json_t *key)
{
    uint8_t *secret = NULL;
    size_t size = 0;
    struct alc_kbs_response *response = exchange->response;
    alc_status status = alc_kbs_store_get(exchange->kbs->store, resource, &secret, &size);
    if (status != ALC_OK) {
        const char *reason =
            status == ALC_E_NOT_FOUND ? "there is no such resource" : "the store cannot be read";
        if (audit(exchange, "get", resource, claims, false, reason)) {
            refuse(exchange, status == ALC_E_NOT_FOUND ? 404 : 500, "PluginInternalError", reason);
        }
        return;
    }
    char *message = alc_kbs_seal(key, secret, size);
    OPENSSL_cleanse(secret, size);
    free(secret);
    if (message == NULL) {
        refuse(exchange, 500, "JweError", "the resource could not be encrypted");
    } else if (audit(exchange, "get", resource, claims, true, exchange->reason)) {
        response->http_status = 200;
        response->body = message;
        response->body_size = strlen(message);
        return;
    }
    free(message);
}

static void handle_get(struct exchange *exchange, const char *resource)
{
    json_t *token = authorize(exchange);
    json_t *evidence = json_object_get(json_object_get(json_object_get(token, "submods"), "cpu0"),
                                       "ear.veraison.annotated-evidence");
    json_t *claims = json_object_get(evidence, "alcove");
    const json_t *key =
        json_object_get(json_object_get(evidence, "runtime_data_claims"), "tee-pubkey");
    if (token == NULL) {
        if (audit(exchange, "get", resource, NULL, false, exchange->reason)) {
            refuse(exchange, 401, "TokenNotFound", exchange->reason);
        }
    } else if (!is_allowed(exchange, resource, claims)) {
        char detail[ALC_KBS_REASON_MAX + 40];
        snprintf(detail, sizeof detail, "Access denied by policy: %s", exchange->reason);
        if (audit(exchange, "get", resource, claims, false, exchange->reason)) {
            refuse(exchange, 403, "PolicyDeny", detail);
        }
    } else {
        give_resource(exchange, resource, claims, key);
    }
    json_decref(token);
}

/* -- administration -- */

static bool is_admin(struct exchange *exchange, const char *action, const char *resource)
{
    const struct alc_kbs_request *request = exchange->request;
    const struct alc_kbs *kbs = exchange->kbs;
    const char *problem = "administration needs a token signed with the administrator's key";
    if (kbs->admin_key != NULL && request->bearer != NULL) {
        json_t *claims =
            alc_kbs_token_verify(kbs->admin_key, request->bearer, exchange->now_s, &problem);
        json_decref(claims);
    } else if (kbs->options.has_loopback_admin && request->is_loopback && request->bearer == NULL) {
        problem = NULL;
    }
    if (audit(exchange, action, resource, NULL, problem == NULL, problem != NULL ? problem : "") &&
        problem != NULL) {
        refuse(exchange, 401, "AdminAuthAccess", problem);
    }
    return problem == NULL && exchange->response->body == NULL;
}

static void answer_change(struct exchange *exchange, alc_status status)
{
    if (status == ALC_OK) {
        exchange->response->http_status = 200;
    } else if (status == ALC_E_NOT_FOUND) {
        refuse(exchange, 404, "PluginInternalError", "there is no such resource");
    } else {
        refuse(exchange, 500, "PluginInternalError", "the store cannot be written");
    }
}

static void handle_put(struct exchange *exchange, const char *resource)
{
    if (is_admin(exchange, "put", resource)) {
        answer_change(exchange,
                      alc_kbs_store_put(exchange->kbs->store, resource, exchange->request->body,
                                        exchange->request->body_size));
    }
}

static void handle_delete(struct exchange *exchange, const char *resource)
{
    if (is_admin(exchange, "delete", resource)) {
        answer_change(exchange, alc_kbs_store_delete(exchange->kbs->store, resource));
    }
}

static void handle_set_policy(struct exchange *exchange)
{
    const struct alc_kbs_request *request = exchange->request;
    struct alc_error error;
    size_t size;
    alc_error_clear(&error);
    if (!is_admin(exchange, "policy", "")) {
        return;
    }
    json_t *body = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *value = json_object_get(body, "policy");
    const size_t text_size = json_string_length(value);
    char *document = malloc(text_size + 1);
    if (document == NULL || !json_is_string(value) ||
        !alc_base64_read(ALC_BASE64_URL, (const uint8_t *)json_string_value(value), text_size,
                         (uint8_t *)document, text_size, &size)) {
        refuse_format(exchange);
    } else if (alc_kbs_set_policy(exchange->kbs, document, size, &error) != ALC_OK) {
        refuse(exchange, 400, "ParsePolicyError",
               error.detail[0] != '\0' ? error.detail : alc_status_text(error.status));
    } else {
        exchange->response->http_status = 200;
    }
    free(document);
    json_decref(body);
}

static void handle_get_policy(struct exchange *exchange)
{
    struct alc_kbs *kbs = exchange->kbs;
    if (is_admin(exchange, "read policy", "")) {
        pthread_rwlock_rdlock(&kbs->policy_lock);
        answer_json(exchange, json_incref(kbs->policy));
        pthread_rwlock_unlock(&kbs->policy_lock);
    }
}

/* -- paths -- */

static void handle_resource(struct exchange *exchange, const char *path)
{
    char resource[ALC_BROKER_RESOURCE_MAX + 1];
    struct alc_text name;
    const struct alc_text text = {(const uint8_t *)path, strlen(path)};
    if (alc_broker_resource_read(&text, &name) != ALC_OK || name.size != text.size) {
        refuse(exchange, 404, "InvalidRequestPath",
               "the path of a resource is repository/type/tag");
        return;
    }
    alc_copy(resource, name.bytes, name.size);
    resource[name.size] = '\0';
    switch (exchange->request->method) {
    case ALC_KBS_GET:
        handle_get(exchange, resource);
        break;
    case ALC_KBS_POST:
        handle_put(exchange, resource);
        break;
    case ALC_KBS_DELETE:
        handle_delete(exchange, resource);
        break;
    case ALC_KBS_OTHER_METHOD:
        refuse(exchange, 405, "InvalidRequestPath", "a resource has GET, POST and DELETE");
        break;
    }
}

static void handle(struct exchange *exchange)
{
    static const char prefix[] = ALC_BROKER_PREFIX;
    static const char resource[] = "resource/";
    const struct alc_kbs_request *request = exchange->request;
    const bool is_post = request->method == ALC_KBS_POST;
    const char *path = request->path + sizeof prefix - 1;
    if (strncmp(request->path, prefix, sizeof prefix - 1) != 0) {
        path = "";
    }
    if (strncmp(path, resource, sizeof resource - 1) == 0) {
        handle_resource(exchange, path + sizeof resource - 1);
    } else if (is_post && strcmp(path, "auth") == 0) {
        handle_auth(exchange);
    } else if (is_post && strcmp(path, "attest") == 0) {
        handle_attest(exchange);
    } else if (is_post && strcmp(path, "resource-policy") == 0) {
        handle_set_policy(exchange);
    } else if (request->method == ALC_KBS_GET && strcmp(path, "resource-policy") == 0) {
        handle_get_policy(exchange);
    } else {
        refuse(exchange, 404, "InvalidRequestPath", "there is nothing at this path");
    }
}

void alc_kbs_handle(struct alc_kbs *kbs, const struct alc_kbs_request *request,
                    struct alc_kbs_response *out)
{
    struct exchange exchange = {
        .kbs = kbs, .request = request, .response = out, .now_s = alc_kbs_now(kbs)};
    *out = (struct alc_kbs_response){.http_status = 500};
    if (request->body_size > ALC_BROKER_BODY_MAX) {
        refuse(&exchange, 413, "InvalidRequestPath", "the body is too large");
        return;
    }
    handle(&exchange);
}
