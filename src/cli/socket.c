/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets that options name: numeric addresses only, so nothing is asked of a name server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/bytes.h"
#include "cli/cli.h"

/* The resolver takes larger numbers, and cuts them. */
static bool is_port(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port <= UINT16_MAX;
}

/* "address:port" or "[address]:port"; freeaddrinfo what comes. */
static struct addrinfo *resolve(const struct cli_arguments *arguments, const char *option,
                                const char *text)
{
    const char *colon = strrchr(text, ':');
    bool has_brackets = text[0] == '[' && colon != NULL && colon > text + 1 && colon[-1] == ']';
    char address[64];
    size_t size = colon == NULL ? sizeof address : (size_t)(colon - text);
    size_t skipped = has_brackets ? 1 : 0;
    if (size >= sizeof address || !is_port(colon + 1)) {
        cli_usage_error(arguments, "%s %s: ADDRESS:PORT, a port of at most 65535", option, text);
    }
    alc_copy(address, text + skipped, size - 2 * skipped);
    address[size - 2 * skipped] = '\0';
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    int error = getaddrinfo(address, colon + 1, &hints, &found);
    if (error != 0) {
        cli_usage_error(arguments, "%s %s: %s", option, text, gai_strerror(error));
    }
    return found;
}

int cli_open_listener(const struct cli_arguments *arguments, const char *option, const char *text)
{
    struct addrinfo *found = resolve(arguments, option, text);
    int one = 1;
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0) {
        cli_die(CLI_FAILED, "%s %s: %s", option, text, strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}

int cli_open_connection(const struct cli_arguments *arguments, const char *option, const char *text,
                        uint32_t patience_s)
{
    struct addrinfo *found = resolve(arguments, option, text);
    const struct timeval patience = {.tv_sec = patience_s};
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
        connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
        cli_die(CLI_FAILED, "%s %s: %s", option, text, strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}
