/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: who may ask it, what the answer is, and the row in the audit log, which is written
 * before anything is given away. The client's order of things is broker/client.h.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/bytes.h"
#include "kbs/exchange.h"

/* -- answers -- */

void alc_kbs_answer_json(struct alc_kbs_exchange *exchange, json_t *body)
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
void alc_kbs_refuse(struct alc_kbs_exchange *exchange, unsigned http_status, const char *type,
                    const char *detail)
{
    char text[ALC_KBS_REASON_MAX];
    size_t size = 0;
    for (; size < sizeof text - 1 && detail[size] != '\0'; size++) {
        text[size] = detail[size] >= ' ' && detail[size] <= '~' ? detail[size] : '?';
    }
    text[size] = '\0';
    alc_kbs_answer_json(exchange,
                        json_pack("{s:s+, s:s}", "type", "/kbs/errors/", type, "detail", text));
    exchange->response->http_status = http_status;
}

void alc_kbs_refuse_format(struct alc_kbs_exchange *exchange)
{
    alc_kbs_refuse(exchange, 400, "SerdeError", "the body is not the JSON that this request needs");
}

/* What the evidence says runs there, in a few characters. */
static const char *subject_of(const json_t *claims, char *out, size_t out_size)
{
    static const char *const measurements[] = {"mr_enclave", "mr_td", "measurement"};
    const char *tee = json_string_value(json_object_get(claims, "tee"));
    const char *measurement = NULL;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(measurements) && measurement == NULL; i++) {
        measurement = json_string_value(json_object_get(claims, measurements[i]));
    }
    const char *workload = json_string_value(json_object_get(claims, "workload_id"));
    snprintf(out, out_size, "%s%s%s%s%s%s", tee != NULL ? tee : "", measurement != NULL ? " " : "",
             measurement != NULL ? measurement : "", workload != NULL ? " workload " : "",
             workload != NULL ? workload : "",
             json_is_true(json_object_get(claims, "emulated")) ? " (emulated)" : "");
    return out;
}

bool alc_kbs_audit(struct alc_kbs_exchange *exchange, const char *action, const char *resource,
                   const json_t *claims, bool is_allowed, const char *reason)
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
    alc_kbs_refuse(exchange, 500, "AuditError", "the audit log cannot be written");
    return false;
}

static void audit_and_refuse(struct alc_kbs_exchange *exchange, const char *action,
                             unsigned http_status, const char *type, const char *detail)
{
    if (alc_kbs_audit(exchange, action, "", NULL, false, detail)) {
        alc_kbs_refuse(exchange, http_status, type, detail);
    }
}

/* -- authentication: a challenge for anybody -- */

static void handle_auth(struct alc_kbs_exchange *exchange)
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
        alc_kbs_refuse_format(exchange);
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
        alc_kbs_refuse(exchange, 503, "RcarAuthFailed", "no session can be opened");
    } else {
        response->session_seconds = exchange->kbs->options.session_seconds;
        alc_kbs_answer_json(exchange, json_pack("{s:{s:b}, s:s}", "extra-params",
                                                ALC_BROKER_TAKES_WORKLOAD, 1, "nonce", nonce));
    }
    json_decref(body);
}

/* -- attestation -- */

/* The parts of an attestation, borrowed from its JSON. */
struct attestation {
    struct alc_kbs_client client;
    const json_t *evidence;
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
        .client = {.key = json_object_get(runtime_data, "tee-pubkey"),
                   .nonce = json_string_value(nonce),
                   .additional = json_string_value(additional),
                   .additional_size = json_string_length(additional)},
        .evidence = json_object_get(evidence, "primary_evidence"),
    };
    const struct alc_kbs_client *client = &out->client;
    return client->nonce != NULL && is_plain(client->nonce, json_string_length(nonce)) &&
           client->additional != NULL && is_bindable(client->additional, client->additional_size) &&
           is_plain_object(client->key) && json_is_object(out->evidence);
}

static bool bind(const struct alc_kbs_client *client,
                 uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    char *key = json_dumps(client->key, JSON_COMPACT | JSON_SORT_KEYS);
    if (key == NULL) {
        return false;
    }
    const struct alc_broker_binding binding = {
        .nonce = {(const uint8_t *)client->nonce, strlen(client->nonce)},
        .key = {(const uint8_t *)key, strlen(key)},
        .additional = {(const uint8_t *)client->additional, client->additional_size},
    };
    alc_broker_report_data(&binding, report_data);
    free(key);
    return true;
}

static const char *state_problem(enum alc_kbs_session_state state)
{
    return state == ALC_KBS_SESSION_UNKNOWN
               ? "there is no such session, or it expired"
               : "the session's nonce was used before: a nonce is good for one attestation";
}

/* Spends the session's nonce. NULL, or why the request is none that evidence would be judged for.
 */
static const char *open_session(struct alc_kbs_exchange *exchange,
                                const struct alc_kbs_client *client, enum alc_broker_tee *out_tee)
{
    const struct alc_kbs_request *request = exchange->request;
    char nonce[ALC_KBS_NONCE_SIZE];
    if (request->session == NULL) {
        return "cookie " ALC_BROKER_COOKIE " not found";
    }
    const enum alc_kbs_session_state state = alc_kbs_session_spend(
        exchange->kbs->sessions, request->session, exchange->now_s, out_tee, nonce);
    if (state != ALC_KBS_SESSION_FRESH) {
        return state_problem(state);
    }
    return strcmp(nonce, client->nonce) == 0 ? alc_kbs_key_problem(client->key)
                                             : "the nonce is another one than the session's";
}

static bool judge(struct alc_kbs_exchange *exchange, const struct attestation *attestation,
                  struct alc_kbs_finding *out)
{
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    struct alc_kbs_question question = {
        .evidence = attestation->evidence, .report_data = report_data, .now_s = exchange->now_s};
    const char *problem = open_session(exchange, &attestation->client, &question.tee);
    if (problem == NULL && !bind(&attestation->client, report_data)) {
        problem = "out of memory";
    }
    if (problem != NULL) {
        snprintf(exchange->reason, sizeof exchange->reason, "%s", problem);
        return false;
    }
    return alc_kbs_judge(exchange->kbs, &question, out, exchange->reason);
}

static const char *policy_of(const json_t *token)
{
    const json_t *appraisal = json_object_get(json_object_get(token, "submods"), "cpu0");
    return json_string_value(json_object_get(appraisal, "ear.appraisal-policy-id"));
}

/* The log says by which policy: it may be another one tomorrow. */
static void give_token(struct alc_kbs_exchange *exchange, const char *claims_text)
{
    struct alc_kbs *kbs = exchange->kbs;
    char *token = alc_kbs_token_sign(kbs->token_key, kbs->token_header, claims_text);
    json_t *all = json_loads(claims_text, JSON_REJECT_DUPLICATES, NULL);
    json_t *claims = alc_kbs_claims_of(all);
    if (token == NULL || claims == NULL) {
        alc_kbs_refuse(exchange, 500, "RcarAttestFailed", "no token could be made");
    } else if (alc_kbs_audit(exchange, "attest", "", claims, true, policy_of(all))) {
        alc_kbs_session_attest(kbs->sessions, exchange->request->session, all);
        alc_kbs_answer_json(exchange, json_pack("{s:s}", "token", token));
    }
    json_decref(claims);
    json_decref(all);
    free(token);
}

static void handle_attest(struct alc_kbs_exchange *exchange)
{
    const struct alc_kbs_request *request = exchange->request;
    struct attestation attestation;
    struct alc_kbs_finding finding;
    json_t *body = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    if (!read_attestation(body, &attestation)) {
        alc_kbs_refuse_format(exchange);
    } else if (!judge(exchange, &attestation, &finding)) {
        audit_and_refuse(exchange, "attest", 401, "RcarAttestFailed", exchange->reason);
    } else {
        char *claims =
            alc_kbs_claims_write(exchange->kbs, &finding, &attestation.client, exchange->now_s);
        alc_kbs_finding_release(exchange->kbs, &finding);
        give_token(exchange, claims != NULL ? claims : "");
        free(claims);
    }
    json_decref(body);
}

/* -- resources -- */

/* The claims of a session that was attested, which hold no longer than its token: that ends with
 * what is known about the platform. */
static json_t *claims_of_session(struct alc_kbs_exchange *exchange, const char **problem)
{
    json_t *claims;
    const enum alc_kbs_session_state state = alc_kbs_session_claims(
        exchange->kbs->sessions, exchange->request->session, exchange->now_s, &claims);
    *problem = state == ALC_KBS_SESSION_UNKNOWN ? state_problem(state)
               : claims == NULL                 ? "the session is not attested"
                                : alc_kbs_token_date_problem(claims, exchange->now_s);
    if (*problem != NULL) {
        json_decref(claims);
        return NULL;
    }
    return claims;
}

/* The claims of whoever asks: by token, or by a session that has one. */
static json_t *authorize(struct alc_kbs_exchange *exchange)
{
    const struct alc_kbs_request *request = exchange->request;
    const char *problem = "no token and no session: attest first";
    json_t *claims = NULL;
    if (request->bearer != NULL) {
        claims = alc_kbs_token_verify(exchange->kbs->token_key, request->bearer, exchange->now_s,
                                      &problem);
    } else if (request->session != NULL) {
        claims = claims_of_session(exchange, &problem);
    }
    if (claims == NULL) {
        snprintf(exchange->reason, sizeof exchange->reason, "%s", problem);
    }
    return claims;
}

static bool is_allowed(struct alc_kbs_exchange *exchange, const char *resource, json_t *claims)
{
    struct alc_kbs *kbs = exchange->kbs;
    pthread_rwlock_rdlock(&kbs->policy_lock);
    const bool result = alc_kbs_rules_allow(kbs->policy, resource, claims, exchange->reason);
    pthread_rwlock_unlock(&kbs->policy_lock);
    return result;
}

static void give_resource(struct alc_kbs_exchange *exchange, const char *resource, json_t *claims,
                          const json_t *key)
{
    uint8_t *secret = NULL;
    size_t size = 0;
    struct alc_kbs_response *response = exchange->response;
    alc_status status = alc_kbs_store_get(exchange->kbs->store, resource, &secret, &size);
    if (status != ALC_OK) {
        const char *reason =
            status == ALC_E_NOT_FOUND ? "there is no such resource" : "the store cannot be read";
        if (alc_kbs_audit(exchange, "get", resource, claims, false, reason)) {
            alc_kbs_refuse(exchange, status == ALC_E_NOT_FOUND ? 404 : 500, "PluginInternalError",
                           reason);
        }
        return;
    }
    char *message = alc_kbs_seal(key, secret, size);
    OPENSSL_cleanse(secret, size);
    free(secret);
    if (message == NULL) {
        alc_kbs_refuse(exchange, 500, "JweError", "the resource could not be encrypted");
    } else if (alc_kbs_audit(exchange, "get", resource, claims, true, exchange->reason)) {
        response->http_status = 200;
        response->body = message;
        response->body_size = strlen(message);
        return;
    }
    free(message);
}

static void handle_get(struct alc_kbs_exchange *exchange, const char *resource)
{
    json_t *token = authorize(exchange);
    json_t *claims = alc_kbs_claims_of(token);
    if (token == NULL) {
        if (alc_kbs_audit(exchange, "get", resource, NULL, false, exchange->reason)) {
            alc_kbs_refuse(exchange, 401, "TokenNotFound", exchange->reason);
        }
    } else if (!is_allowed(exchange, resource, claims)) {
        char detail[ALC_KBS_REASON_MAX + 40];
        snprintf(detail, sizeof detail, "Access denied by policy: %s", exchange->reason);
        if (alc_kbs_audit(exchange, "get", resource, claims, false, exchange->reason)) {
            alc_kbs_refuse(exchange, 403, "PolicyDeny", detail);
        }
    } else {
        give_resource(exchange, resource, claims, alc_kbs_claims_key(token));
    }
    json_decref(claims);
    json_decref(token);
}

/* -- paths -- */

/* The name of a resource in the path of a request; refuses it when it is none. */
static bool read_resource(struct alc_kbs_exchange *exchange, const char *path,
                          char out[ALC_BROKER_RESOURCE_MAX + 1])
{
    struct alc_text name;
    const struct alc_text text = {(const uint8_t *)path, strlen(path)};
    if (alc_broker_resource_read(&text, &name) != ALC_OK || name.size != text.size) {
        alc_kbs_refuse(exchange, 404, "InvalidRequestPath",
                       "the path of a resource is repository/type/tag");
        return false;
    }
    alc_copy(out, name.bytes, name.size);
    out[name.size] = '\0';
    return true;
}

static void handle_resource(struct alc_kbs_exchange *exchange, const char *path)
{
    char resource[ALC_BROKER_RESOURCE_MAX + 1];
    if (!read_resource(exchange, path, resource)) {
        return;
    }
    switch (exchange->request->method) {
    case ALC_KBS_GET:
        handle_get(exchange, resource);
        break;
    case ALC_KBS_POST:
        alc_kbs_put(exchange, resource);
        break;
    case ALC_KBS_DELETE:
        alc_kbs_delete(exchange, resource);
        break;
    case ALC_KBS_OTHER_METHOD:
        alc_kbs_refuse(exchange, 405, "InvalidRequestPath", "a resource has GET, POST and DELETE");
        break;
    }
}

/* Nothing, or a slash and the last name that was listed before. */
static void handle_list(struct alc_kbs_exchange *exchange, const char *rest)
{
    char after[ALC_BROKER_RESOURCE_MAX + 1] = "";
    if (*rest != '\0' && *rest != '/') {
        alc_kbs_refuse(exchange, 404, "InvalidRequestPath", "there is nothing at this path");
    } else if (*rest == '\0' || read_resource(exchange, rest + 1, after)) {
        alc_kbs_list(exchange, after);
    }
}

static bool is_appraisal(const char *path)
{
    return strcmp(path, "attestation-policy") == 0;
}

static bool is_policy(const char *path)
{
    return is_appraisal(path) || strcmp(path, "resource-policy") == 0;
}

static void handle(struct alc_kbs_exchange *exchange)
{
    static const char prefix[] = ALC_BROKER_PREFIX;
    static const char resource[] = "resource/";
    static const char list[] = "resource-list";
    const struct alc_kbs_request *request = exchange->request;
    const bool is_get = request->method == ALC_KBS_GET;
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
    } else if (is_get && strncmp(path, list, sizeof list - 1) == 0) {
        handle_list(exchange, path + sizeof list - 1);
    } else if (is_policy(path) && is_post) {
        alc_kbs_set_policy_by_request(exchange, is_appraisal(path));
    } else if (is_policy(path) && is_get) {
        alc_kbs_get_policy_by_request(exchange, is_appraisal(path));
    } else {
        alc_kbs_refuse(exchange, 404, "InvalidRequestPath", "there is nothing at this path");
    }
}

void alc_kbs_handle(struct alc_kbs *kbs, const struct alc_kbs_request *request,
                    struct alc_kbs_response *out)
{
    struct alc_kbs_exchange exchange = {
        .kbs = kbs, .request = request, .response = out, .now_s = alc_kbs_now(kbs)};
    *out = (struct alc_kbs_response){.http_status = 500};
    if (request->body_size > ALC_BROKER_BODY_MAX) {
        alc_kbs_refuse(&exchange, 413, "InvalidRequestPath", "the body is too large");
        return;
    }
    handle(&exchange);
}
