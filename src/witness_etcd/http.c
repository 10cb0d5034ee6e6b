/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl, held to little. Proxies of the environment are not asked: a database is no page.
 */
#include "witness_etcd/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static size_t take(char *bytes, size_t unit, size_t count, void *context)
{
    struct alc_etcd_http *http = context;
    const size_t size = unit * count;
    if (size > sizeof http->answer - http->answer_size) {
        snprintf(http->trouble, sizeof http->trouble, "the answer is too large");
        return 0;
    }
    alc_copy(http->answer + http->answer_size, bytes, size);
    http->answer_size += size;
    return size;
}

bool alc_etcd_http_init(struct alc_etcd_http *http, const struct alc_witness_etcd_options *options)
{
    *http = (struct alc_etcd_http){.curl = NULL};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return false;
    }
    CURL *curl = curl_easy_init();
    http->curl = curl;
    http->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (curl == NULL || http->headers == NULL) {
        return false;
    }
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "alcove");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    if (options->ca_path != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_path);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* these authorities and no others */
    }
    if (options->certificate_path != NULL) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, options->certificate_path);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key_path);
    }
    return true;
}

void alc_etcd_http_fini(struct alc_etcd_http *http)
{
    curl_slist_free_all(http->headers);
    curl_easy_cleanup(http->curl);
    curl_global_cleanup();
}

static bool is_this_machine(const char *host)
{
    struct in_addr address;
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static bool has_part(CURLU *parsed, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(parsed, part, &text, 0) == CURLUE_OK && strcmp(text, "/") != 0;
    curl_free(text);
    return has;
}

bool alc_etcd_url_is_good(const char *url)
{
    static const CURLUPart unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_PATH,
                                         CURLUPART_QUERY, CURLUPART_FRAGMENT};
    char *host = NULL;
    const bool is_plain = strncmp(url, "http://", 7) == 0;
    CURLU *parsed = curl_url();
    bool is_good = (is_plain || strncmp(url, "https://", 8) == 0) && parsed != NULL &&
                   curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   (!is_plain || is_this_machine(host));
    for (size_t i = 0; is_good && i < ALC_ARRAY_COUNT(unwanted); i++) {
        is_good = !has_part(parsed, unwanted[i]);
    }
    curl_free(host);
    curl_url_cleanup(parsed);
    return is_good;
}

bool alc_etcd_http_post(struct alc_etcd_http *http, const char *url, const char *body,
                        int64_t timeout_ms)
{
    long code = 0;
    http->answer_size = 0;
    http->trouble[0] = '\0';
    curl_easy_setopt(http->curl, CURLOPT_URL, url);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    CURLcode result = curl_easy_perform(http->curl);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &code);
    if (result != CURLE_OK && http->trouble[0] == '\0') {
        snprintf(http->trouble, sizeof http->trouble, "%s", curl_easy_strerror(result));
    } else if (result == CURLE_OK && code != 200) {
        snprintf(http->trouble, sizeof http->trouble, "answers %ld", code);
    }
    return http->trouble[0] == '\0';
}
