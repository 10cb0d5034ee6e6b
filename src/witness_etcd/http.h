/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to one member, by libcurl: bounded in size and time, from where they were sent to.
 */
#ifndef ALC_WITNESS_ETCD_HTTP_H
#define ALC_WITNESS_ETCD_HTTP_H

#include <curl/curl.h>

#include "witness_etcd/etcd.h"

enum { ALC_ETCD_ANSWER_SIZE_MAX = 16384, ALC_ETCD_TROUBLE_SIZE = 64 };

struct alc_etcd_http {
    CURL *curl;
    struct curl_slist *headers;
    char answer[ALC_ETCD_ANSWER_SIZE_MAX];
    size_t answer_size;
    char trouble[ALC_ETCD_TROUBLE_SIZE]; /* why the last question has no answer */
};

/* False when libcurl does not start. Paths of `options` are borrowed. Whatever it says: _fini. */
ALC_MUST_CHECK bool alc_etcd_http_init(struct alc_etcd_http *http,
                                       const struct alc_witness_etcd_options *options);
void alc_etcd_http_fini(struct alc_etcd_http *http);
/* Whether a member may be asked there: https with a host and no more than a port behind it, or http
 * on this machine. */
ALC_MUST_CHECK bool alc_etcd_url_is_good(const char *url);
/* Posts `body` of JSON; false when there is no answer 200 within the time, and `trouble` says
 * why. */
ALC_MUST_CHECK bool alc_etcd_http_post(struct alc_etcd_http *http, const char *url,
                                       const char *body, int64_t timeout_ms);

#endif
