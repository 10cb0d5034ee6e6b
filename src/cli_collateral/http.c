/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl, held to little.
 */
#include "cli_collateral/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/bytes.h"
#include "cli/cli.h"

enum { CONNECT_TIMEOUT_S = 10, TIMEOUT_S = 60 };

struct transfer {
    CURL *curl;
    const char *url;
    const char *header_name;
    struct http_answer *answer;
    size_t header_count;
    const char *trouble; /* why this side ended the transfer */
};

static size_t take_body(char *bytes, size_t unit, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct http_answer *answer = transfer->answer;
    const size_t size = unit * count;
    if (size > HTTP_SIZE_MAX - answer->size) {
        transfer->trouble = "the answer is too large";
        return 0;
    }
    alc_copy(answer->bytes + answer->size, bytes, size);
    answer->size += size;
    answer->bytes[answer->size] = '\0';
    return size;
}

/* A copy of the value with %XX decoded, or NULL; a value with a NUL in it is none. */
static char *decode(CURL *curl, const char *value, size_t size)
{
    int decoded_size = 0;
    char *decoded = curl_easy_unescape(curl, value, (int)size, &decoded_size);
    char *copy = NULL;
    if (decoded != NULL && strlen(decoded) == (size_t)decoded_size) {
        copy = cli_allocate((size_t)decoded_size + 1);
        alc_copy(copy, decoded, (size_t)decoded_size + 1);
    }
    curl_free(decoded);
    return copy;
}

static bool is_space(char letter)
{
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

/* One line: "Name: value". */
static size_t take_header(char *line, size_t unit, size_t count, void *context)
{
    struct transfer *transfer = context;
    const size_t size = unit * count;
    const char *name = transfer->header_name;
    const size_t name_size = name == NULL ? 0 : strlen(name);
    if (name == NULL || size <= name_size || line[name_size] != ':' ||
        strncasecmp(line, name, name_size) != 0) {
        return size;
    }
    const char *value = line + name_size + 1;
    const char *end = line + size;
    while (value < end && is_space(*value)) {
        value++;
    }
    while (end > value && is_space(end[-1])) {
        end--;
    }
    if ((size_t)(end - value) > HTTP_HEADER_SIZE_MAX || ++transfer->header_count > 1) {
        transfer->trouble = "a header is too large or there twice";
        return 0;
    }
    transfer->answer->header = decode(transfer->curl, value, (size_t)(end - value));
    return size;
}

static void set_up(struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    curl_easy_setopt(curl, CURLOPT_URL, transfer->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "alcove");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
}

void http_get(const char *url, const char *header_name, struct http_answer *out)
{
    struct transfer transfer = {
        .curl = curl_easy_init(), .url = url, .header_name = header_name, .answer = out};
    long status = 0;
    if (transfer.curl == NULL) {
        cli_die(CLI_FAILED, "libcurl does not start");
    }
    *out = (struct http_answer){.bytes = cli_allocate(HTTP_SIZE_MAX + 1)};
    set_up(&transfer);
    CURLcode code = curl_easy_perform(transfer.curl);
    curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(transfer.curl);
    if (code != CURLE_OK) {
        cli_die(CLI_FAILED, "%s: %s", url,
                transfer.trouble != NULL ? transfer.trouble : curl_easy_strerror(code));
    }
    if (status >= 300 && status < 400) {
        cli_die(CLI_FAILED, "%s: answers %ld, which leads elsewhere and is not followed", url,
                status);
    }
    if (status != 200) {
        cli_die(CLI_FAILED, "%s: answers %ld", url, status);
    }
    if (header_name != NULL && out->header == NULL) {
        cli_die(CLI_FAILED, "%s: the answer has no header %s", url, header_name);
    }
}

void http_answer_free(struct http_answer *answer)
{
    free(answer->bytes);
    free(answer->header);
    *answer = (struct http_answer){0};
}
