/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker over HTTP, by libmicrohttpd: bounds, headers, and nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>
#include <openssl/crypto.h>

#include "base/bytes.h"
#include "kbs/kbs.h"

enum {
    CONNECTIONS_MAX = 1024,
    IDLE_SECONDS = 10,
    BACKLOG = 256,
    THREADS_MAX = 64,
    PEER_MAX = 64,
};

struct alc_kbs_server {
    struct MHD_Daemon *daemon;
    struct alc_kbs *kbs;
    struct alc_kbs_listener listener; /* its address is not looked at any more */
};

/* A request while its body comes in. */
struct upload {
    char *body;
    size_t size;
    size_t capacity;
    bool is_too_large;
};

/* -- requests -- */

static bool grow(struct upload *upload, size_t size)
{
    size_t wanted = upload->size + size + 1;
    if (wanted > ALC_BROKER_BODY_MAX + 1) {
        upload->is_too_large = true;
        return true;
    }
    if (wanted > upload->capacity) {
        const size_t capacity = wanted < 4096 ? 4096 : 2 * wanted;
        char *body = malloc(capacity); /* realloc would leave a copy behind */
        if (body == NULL) {
            return false;
        }
        if (upload->body != NULL) {
            alc_copy(body, upload->body, upload->size);
            OPENSSL_cleanse(upload->body, upload->size);
            free(upload->body);
        }
        upload->body = body;
        upload->capacity = capacity;
    }
    return true;
}

static enum MHD_Result take_body(struct upload *upload, const char *bytes, size_t *size)
{
    if (!upload->is_too_large && !grow(upload, *size)) {
        return MHD_NO;
    }
    if (!upload->is_too_large) {
        alc_copy(upload->body + upload->size, bytes, *size);
        upload->size += *size;
        upload->body[upload->size] = '\0';
    }
    *size = 0;
    return MHD_YES;
}

static enum alc_kbs_method method_of(const char *name)
{
    return strcmp(name, "GET") == 0      ? ALC_KBS_GET
           : strcmp(name, "POST") == 0   ? ALC_KBS_POST
           : strcmp(name, "DELETE") == 0 ? ALC_KBS_DELETE
                                         : ALC_KBS_OTHER_METHOD;
}

/* An address as text, and whether it is this machine's own. */
static bool describe_peer(struct MHD_Connection *connection, char out[PEER_MAX])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    out[0] = '\0';
    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, out, PEER_MAX);
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, out, PEER_MAX);
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    return false;
}

static enum MHD_Result send_response(struct MHD_Connection *connection,
                                     struct alc_kbs_response *answer)
{
    char cookie[128];
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body_size, answer->body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(answer->body);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (answer->session[0] != '\0') {
        snprintf(cookie, sizeof cookie, ALC_BROKER_COOKIE "=%s; HttpOnly; Path=/; Max-Age=%u",
                 answer->session, answer->session_seconds);
        MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
    }
    enum MHD_Result result = MHD_queue_response(connection, answer->http_status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result finish(struct alc_kbs_server *server, struct MHD_Connection *connection,
                              const char *path, const char *method, const struct upload *upload)
{
    static const char scheme[] = "Bearer ";
    char peer[PEER_MAX];
    const bool is_loopback = describe_peer(connection, peer);
    const char *authorization =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    const bool has_bearer =
        authorization != NULL && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0;
    const struct alc_kbs_request request = {
        .method = method_of(method),
        .path = path,
        .session = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, ALC_BROKER_COOKIE),
        .bearer = has_bearer ? authorization + sizeof scheme - 1 : NULL,
        .peer = peer,
        .is_loopback = is_loopback,
        .body = upload->body != NULL ? upload->body : "",
        .body_size = upload->is_too_large ? SIZE_MAX : upload->size,
    };
    struct alc_kbs_response response;
    alc_kbs_handle(server->kbs, &request, &response);
    return send_response(connection, &response);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *bytes,
                              size_t *size, void **state)
{
    (void)version;
    if (*state == NULL) {
        *state = calloc(1, sizeof(struct upload));
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*size != 0) {
        return take_body(*state, bytes, size);
    }
    return finish(context, connection, path, method, *state);
}

/* Bodies may hold secrets that somebody stores. */
static void forget(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *state;
    (void)context;
    (void)connection;
    (void)code;
    if (upload != NULL) {
        if (upload->body != NULL) {
            OPENSSL_cleanse(upload->body, upload->size);
        }
        free(upload->body);
        free(upload);
        *state = NULL;
    }
}

/* -- listening -- */

static int open_socket(const struct alc_kbs_listener *listener, uint16_t *out_port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (void *)&address;
    struct sockaddr_in6 *v6 = (void *)&address;
    socklen_t size = sizeof *v4;
    const int on = 1;
    if (inet_pton(AF_INET, listener->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(listener->port);
    } else if (inet_pton(AF_INET6, listener->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(listener->port);
        size = sizeof *v6;
    } else {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const void *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (void *)&address, &size) != 0) {
        const int number = errno;
        if (fd >= 0) {
            close(fd);
        }
        errno = number;
        return -1;
    }
    *out_port = ntohs(address.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    return fd;
}

static unsigned threads_of(const struct alc_kbs_listener *listener)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned wanted = listener->threads != 0 ? listener->threads
                            : processors > 0       ? (unsigned)processors
                                                   : 1;
    return wanted < THREADS_MAX ? wanted : THREADS_MAX;
}

static struct MHD_Daemon *start(struct alc_kbs_server *server,
                                const struct alc_kbs_listener *listener, int fd)
{
    const bool has_tls = listener->certificate_pem != NULL;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)listener->certificate_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)listener->key_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    const unsigned threads = threads_of(listener);
    const struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | (has_tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
        handle, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, forget, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_ARRAY, has_tls ? tls : none, MHD_OPTION_ARRAY,
        threads > 1 ? pool : none, MHD_OPTION_END);
}

alc_status alc_kbs_serve(struct alc_kbs *kbs, const struct alc_kbs_listener *listener,
                         struct alc_kbs_server **out, uint16_t *out_port, struct alc_error *error)
{
    struct alc_kbs_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    server->kbs = kbs;
    server->listener = *listener;
    const int fd = open_socket(listener, out_port);
    if (fd < 0) {
        free(server);
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET, strerror(errno));
    }
    server->daemon = start(server, listener, fd);
    if (server->daemon == NULL) {
        close(fd);
        free(server);
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "libmicrohttpd does not start (certificate and key?)");
    }
    *out = server;
    return ALC_OK;
}

/* A library that serves cannot change its certificate: another one takes the socket over. */
alc_status alc_kbs_serve_with(struct alc_kbs_server *server, const char *certificate_pem,
                              const char *key_pem, struct alc_error *error)
{
    struct alc_kbs_listener listener = server->listener;
    listener.certificate_pem = certificate_pem;
    listener.key_pem = key_pem;
    const int fd = (int)MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct MHD_Daemon *daemon = copy >= 0 ? start(server, &listener, copy) : NULL;
    if (daemon == NULL) {
        if (copy >= 0) {
            close(copy);
        }
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "libmicrohttpd does not start (certificate and key?)");
    }
    MHD_quiesce_daemon(server->daemon); /* the socket is the caller's from here on */
    MHD_stop_daemon(server->daemon);
    close(fd);
    server->daemon = daemon;
    server->listener = listener;
    return ALC_OK;
}

void alc_kbs_stop(struct alc_kbs_server *server)
{
    if (server != NULL) {
        MHD_stop_daemon(server->daemon); /* closes the socket */
        free(server);
    }
}
