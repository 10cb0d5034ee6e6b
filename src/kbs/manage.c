/* SPDX-License-Identifier: Apache-2.0
 *
 * What the administrator asks for: resources and the two policies, written, deleted, listed and
 * read. Nobody is ever shown what a resource holds but a program with a rule for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "kbs/exchange.h"

static bool is_admin(struct alc_kbs_exchange *exchange, const char *action, const char *resource)
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
    if (alc_kbs_audit(exchange, action, resource, NULL, problem == NULL,
                      problem != NULL ? problem : "") &&
        problem != NULL) {
        alc_kbs_refuse(exchange, 401, "AdminAuthAccess", problem);
    }
    return problem == NULL && exchange->response->body == NULL;
}

/* -- resources -- */

static void answer_change(struct alc_kbs_exchange *exchange, alc_status status)
{
    if (status == ALC_OK) {
        exchange->response->http_status = 200;
    } else if (status == ALC_E_NOT_FOUND) {
        alc_kbs_refuse(exchange, 404, "PluginInternalError", "there is no such resource");
    } else {
        alc_kbs_refuse(exchange, 500, "PluginInternalError", "the store cannot be written");
    }
}

void alc_kbs_put(struct alc_kbs_exchange *exchange, const char *resource)
{
    if (is_admin(exchange, "put", resource)) {
        answer_change(exchange,
                      alc_kbs_store_put(exchange->kbs->store, resource, exchange->request->body,
                                        exchange->request->body_size));
    }
}

void alc_kbs_delete(struct alc_kbs_exchange *exchange, const char *resource)
{
    if (is_admin(exchange, "delete", resource)) {
        answer_change(exchange, alc_kbs_store_delete(exchange->kbs->store, resource));
    }
}

static void add_to_list(void *context, const char *resource, uint64_t size)
{
    json_array_append_new(context,
                          json_pack("{s:s, s:I}", "path", resource, "size", (json_int_t)size));
}

void alc_kbs_list(struct alc_kbs_exchange *exchange, const char *after)
{
    if (!is_admin(exchange, "list", after)) {
        return;
    }
    json_t *list = json_array();
    if (list == NULL || alc_kbs_store_list(exchange->kbs->store, after, ALC_KBS_LIST_MAX,
                                           add_to_list, list) != ALC_OK) {
        json_decref(list);
        alc_kbs_refuse(exchange, 500, "PluginInternalError", "the store cannot be read");
        return;
    }
    alc_kbs_answer_json(exchange, json_pack("{s:o}", "resources", list));
}

/* -- policies -- */

static const char *action_of(bool is_appraisal, bool is_reading)
{
    return is_appraisal ? is_reading ? "read appraisal policy" : "appraisal policy"
           : is_reading ? "read policy"
                        : "policy";
}

static void set_policy(struct alc_kbs_exchange *exchange, bool is_appraisal, const char *document,
                       size_t size)
{
    struct alc_error error;
    char detail[ALC_KBS_REASON_MAX];
    int written = 0;
    alc_error_clear(&error);
    const alc_status status = (is_appraisal ? alc_kbs_set_appraisal : alc_kbs_set_policy)(
        exchange->kbs, document, size, &error);
    if (status == ALC_OK) {
        exchange->response->http_status = 200;
        return;
    }
    if (error.offset != ALC_NO_OFFSET) {
        written =
            snprintf(detail, sizeof detail, "at byte %llu: ", (unsigned long long)error.offset);
    }
    snprintf(detail + written, sizeof detail - (size_t)written, "%s%s%s", alc_status_text(status),
             error.detail[0] != '\0' ? ": " : "", error.detail);
    alc_kbs_refuse(exchange, 400, "ParsePolicyError", detail);
}

void alc_kbs_set_policy_by_request(struct alc_kbs_exchange *exchange, bool is_appraisal)
{
    const struct alc_kbs_request *request = exchange->request;
    size_t size;
    if (!is_admin(exchange, action_of(is_appraisal, false), "")) {
        return;
    }
    json_t *body = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *value = json_object_get(body, "policy");
    const size_t text_size = json_string_length(value);
    char *document = malloc(text_size + 1);
    if (document == NULL || !json_is_string(value) ||
        !alc_base64_read(ALC_BASE64_URL, (const uint8_t *)json_string_value(value), text_size,
                         (uint8_t *)document, text_size, &size)) {
        alc_kbs_refuse_format(exchange);
    } else {
        set_policy(exchange, is_appraisal, document, size);
    }
    free(document);
    json_decref(body);
}

/* The canonical document, of which the token names the hash. */
static json_t *appraisal_document(const struct alc_kbs *kbs)
{
    struct alc_kbs_grounds grounds;
    struct alc_writer writer;
    json_t *document = NULL;
    char *text = malloc(ALC_KBS_APPRAISAL_TEXT_MAX);
    if (text != NULL) {
        alc_kbs_basis_take(kbs->basis, &grounds);
        alc_writer_init(&writer, text, ALC_KBS_APPRAISAL_TEXT_MAX);
        alc_policy_write(&writer, grounds.policy);
        alc_kbs_basis_release(kbs->basis, &grounds);
        ALC_ASSERT(!writer.overflowed);
        document = json_loadb(text, writer.pos, 0, NULL);
    }
    free(text);
    return document;
}

void alc_kbs_get_policy_by_request(struct alc_kbs_exchange *exchange, bool is_appraisal)
{
    struct alc_kbs *kbs = exchange->kbs;
    if (!is_admin(exchange, action_of(is_appraisal, true), "")) {
        return;
    }
    if (is_appraisal) {
        alc_kbs_answer_json(exchange, appraisal_document(kbs));
        return;
    }
    pthread_rwlock_rdlock(&kbs->policy_lock);
    alc_kbs_answer_json(exchange, json_incref(kbs->policy));
    pthread_rwlock_unlock(&kbs->policy_lock);
}
