/* SPDX-License-Identifier: Apache-2.0
 *
 * A request under way: what handle.c and manage.c share.
 */
#ifndef ALC_KBS_EXCHANGE_H
#define ALC_KBS_EXCHANGE_H

#include "kbs/kbs_internal.h"

struct alc_kbs_exchange {
    struct alc_kbs *kbs;
    const struct alc_kbs_request *request;
    struct alc_kbs_response *response;
    int64_t now_s;
    char reason[ALC_KBS_REASON_MAX];
};

/* Each sets the answer. `body` is given away; NULL is answered with 500. */
void alc_kbs_answer_json(struct alc_kbs_exchange *exchange, json_t *body);
void alc_kbs_refuse(struct alc_kbs_exchange *exchange, unsigned http_status, const char *type,
                    const char *detail);
void alc_kbs_refuse_format(struct alc_kbs_exchange *exchange);

/* Writes a row of the log. False, and the request refused, when that cannot be: nobody gets what
 * nobody will know about. `claims` are those of whoever asks, or NULL. */
bool alc_kbs_audit(struct alc_kbs_exchange *exchange, const char *action, const char *resource,
                   const json_t *claims, bool is_allowed, const char *reason);

/* -- manage.c: the administrator's requests -- */

void alc_kbs_put(struct alc_kbs_exchange *exchange, const char *resource);
void alc_kbs_delete(struct alc_kbs_exchange *exchange, const char *resource);
/* `after`: the last name that the administrator has, or "". */
void alc_kbs_list(struct alc_kbs_exchange *exchange, const char *after);
void alc_kbs_set_policy_by_request(struct alc_kbs_exchange *exchange, bool is_appraisal);
void alc_kbs_get_policy_by_request(struct alc_kbs_exchange *exchange, bool is_appraisal);

#endif
