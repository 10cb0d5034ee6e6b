/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP by libcurl: no redirects, bounded answers, bounded time. What comes back is not believed
 * here; the client's machine judges it.
 *
 * Always HTTP/1.1: over HTTP/2 a request has its whole URL, and a Trustee server, whose list of
 * what an administrator may do is of paths, refuses it.
 */
#include "cli_kbs/carry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/bytes.h"

enum { SECONDS_MAX = 60, CONNECT_SECONDS_MAX = 10, TEXT_MAX = 2048 };

struct kbs_carrier {
    CURL *curl;
    const char *url;
    const char *ca_path;
    char *body;
    size_t body_size;
    char session[ALC_BROKER_SESSION_MAX + 1];
    char problem[CURL_ERROR_SIZE];
};

static void need(bool is_good)
{
    if (!is_good) {
        cli_die(CLI_FAILED, "libcurl does not work");
    }
}

struct kbs_carrier *kbs_carrier_open(const char *url, const char *ca_path)
{
    struct kbs_carrier *carrier = cli_allocate(sizeof *carrier);
    *carrier = (struct kbs_carrier){.url = url, .ca_path = ca_path};
    need(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    carrier->curl = curl_easy_init();
    need(carrier->curl != NULL);
    carrier->body = cli_allocate(ALC_BROKER_BODY_MAX);
    return carrier;
}

void kbs_carrier_close(struct kbs_carrier *carrier)
{
    curl_easy_cleanup(carrier->curl);
    curl_global_cleanup();
    free(carrier->body);
    free(carrier);
}

static size_t take_body(char *bytes, size_t one, size_t size, void *context)
{
    struct kbs_carrier *carrier = context;
    (void)one;
    if (size > ALC_BROKER_BODY_MAX - carrier->body_size) {
        return 0; /* libcurl gives up */
    }
    alc_copy(carrier->body + carrier->body_size, bytes, size);
    carrier->body_size += size;
    return size;
}

/* Set-Cookie: kbs-session-id=VALUE; ... */
static size_t take_header(char *line, size_t one, size_t size, void *context)
{
    static const char wanted[] = "set-cookie:";
    static const char name[] = ALC_BROKER_COOKIE "=";
    struct kbs_carrier *carrier = context;
    size_t start = sizeof wanted - 1;
    (void)one;
    if (size <= start || strncasecmp(line, wanted, start) != 0) {
        return size;
    }
    while (start < size && line[start] == ' ') {
        start++;
    }
    if (size - start <= sizeof name - 1 || strncmp(line + start, name, sizeof name - 1) != 0) {
        return size;
    }
    start += sizeof name - 1;
    size_t end = start;
    while (end < size && line[end] != ';' && line[end] != '\r' && line[end] != '\n') {
        end++;
    }
    if (end - start < sizeof carrier->session) {
        alc_copy(carrier->session, line + start, end - start);
        carrier->session[end - start] = '\0';
    }
    return size;
}

static void set_up(struct kbs_carrier *carrier, const char *url)
{
    CURL *curl = carrier->curl;
    curl_easy_reset(curl); /* keeps the connection */
    carrier->body_size = 0;
    carrier->session[0] = '\0';
    carrier->problem[0] = '\0';
    need(curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS_MAX) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS_MAX) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, carrier->problem) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_WRITEDATA, carrier) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_HEADERDATA, carrier) == CURLE_OK);
    if (carrier->ca_path != NULL) {
        need(curl_easy_setopt(curl, CURLOPT_CAINFO, carrier->ca_path) == CURLE_OK);
    }
}

static struct curl_slist *make_headers(const struct kbs_extra *extra)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    need(headers != NULL);
    headers = curl_slist_append(headers, "Expect:"); /* no waiting before a body */
    need(headers != NULL);
    if (extra != NULL && extra->bearer != NULL) {
        char line[TEXT_MAX];
        need((size_t)snprintf(line, sizeof line, "Authorization: Bearer %s", extra->bearer) <
             sizeof line);
        headers = curl_slist_append(headers, line);
        need(headers != NULL);
    }
    return headers;
}

static void set_request(struct kbs_carrier *carrier, const struct alc_broker_request *request,
                        const struct kbs_extra *extra, struct curl_slist *headers)
{
    CURL *curl = carrier->curl;
    char cookie[ALC_BROKER_SESSION_MAX + sizeof ALC_BROKER_COOKIE + 2];
    need(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK);
    if (request->session.size != 0) {
        snprintf(cookie, sizeof cookie, ALC_BROKER_COOKIE "=%.*s", (int)request->session.size,
                 (const char *)request->session.bytes);
        need(curl_easy_setopt(curl, CURLOPT_COOKIE, cookie) == CURLE_OK);
    }
    if (request->is_post) {
        need(curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size) ==
                 CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.bytes) == CURLE_OK);
    }
    if (extra != NULL && extra->method != NULL) {
        need(curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, extra->method) == CURLE_OK);
    }
}

const char *kbs_carry(struct kbs_carrier *carrier, const struct alc_broker_request *request,
                      const struct kbs_extra *extra, struct alc_broker_answer *out)
{
    char url[TEXT_MAX];
    long http_status = 0;
    size_t size = strlen(carrier->url);
    while (size > 0 && carrier->url[size - 1] == '/') {
        size--;
    }
    if ((size_t)snprintf(url, sizeof url, "%.*s%.*s", (int)size, carrier->url,
                         (int)request->path.size,
                         (const char *)request->path.bytes) >= sizeof url) {
        return "the URL is too long";
    }
    set_up(carrier, url);
    struct curl_slist *headers = make_headers(extra);
    set_request(carrier, request, extra, headers);
    const CURLcode result = curl_easy_perform(carrier->curl);
    curl_slist_free_all(headers);
    if (result != CURLE_OK) {
        return result == CURLE_WRITE_ERROR   ? "the answer is too large"
               : carrier->problem[0] != '\0' ? carrier->problem
                                             : curl_easy_strerror(result);
    }
    curl_easy_getinfo(carrier->curl, CURLINFO_RESPONSE_CODE, &http_status);
    *out = (struct alc_broker_answer){
        .http_status = (unsigned)http_status,
        .session = {(const uint8_t *)carrier->session, strlen(carrier->session)},
        .body = {(const uint8_t *)carrier->body, carrier->body_size},
    };
    return NULL;
}

void kbs_carry_or_die(struct kbs_carrier *carrier, const struct alc_broker_request *request,
                      const struct kbs_extra *extra, struct alc_broker_answer *out)
{
    const char *problem = kbs_carry(carrier, request, extra, out);
    if (problem != NULL) {
        cli_die(CLI_FAILED, "%s: %s", carrier->url, problem);
    }
}
