/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of a service by HTTP: of bounded size, in bounded time, from the place that was asked.
 */
#ifndef ALC_CLI_COLLATERAL_HTTP_H
#define ALC_CLI_COLLATERAL_HTTP_H

#include <stddef.h>
#include <stdint.h>

enum { HTTP_SIZE_MAX = 1 << 20, HTTP_HEADER_SIZE_MAX = 16384, HTTP_URL_SIZE_MAX = 1024 };

struct http_answer {
    uint8_t *bytes; /* from malloc, with a zero behind it */
    size_t size;
    char *header; /* from malloc: the value of the header that was asked for, its %XX decoded */
};

/* GETs `url`. `header_name` NULL: no header is wanted. Ends the process with a message that names
 * the URL unless the answer is 200, has that header once, and fits. Redirects are not followed.
 * Certificates of https are verified with the system's authorities. */
void http_get(const char *url, const char *header_name, struct http_answer *out);
void http_answer_free(struct http_answer *answer);

#endif
