/* SPDX-License-Identifier: Apache-2.0
 *
 * The service: one thread, connections that each wait for one request of fixed size. A connection
 * that says nothing for long, or does not take its answer, is closed; more than there are places
 * for have to wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "witness_server/server.h"

enum { TICK_MS = 200, HALF_REQUEST_S = 10 };

struct connection {
    int fd; /* -1: free */
    size_t received;
    size_t sent; /* of the answer, while is_answering */
    bool is_answering;
    int64_t deadline_s; /* while a request or an answer is under way */
    uint8_t request[ALC_WITNESS_REQUEST_SIZE];
    uint8_t answer[ALC_WITNESS_ANSWER_SIZE];
};

struct server {
    const struct alc_witness_service *service;
    struct connection connections[ALC_LIMIT_WITNESS_CONNECTIONS];
    struct pollfd polls[1 + ALC_LIMIT_WITNESS_CONNECTIONS];
};

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void drop(struct connection *connection)
{
    close(connection->fd);
    connection->fd = -1;
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void send_answer(struct connection *connection)
{
    ssize_t count = send(connection->fd, connection->answer + connection->sent,
                         sizeof connection->answer - connection->sent, MSG_NOSIGNAL);
    if (count < 0 && would_block()) {
        return;
    }
    if (count <= 0) {
        drop(connection);
        return;
    }
    connection->sent += (size_t)count;
    if (connection->sent == sizeof connection->answer) {
        connection->is_answering = false;
        connection->received = 0;
    }
}

static void receive(struct server *server, struct connection *connection)
{
    const struct alc_witness_service *service = server->service;
    ssize_t count = recv(connection->fd, connection->request + connection->received,
                         sizeof connection->request - connection->received, 0);
    if (count < 0 && would_block()) {
        return;
    }
    if (count <= 0) {
        drop(connection);
        return;
    }
    connection->deadline_s = now_s() + HALF_REQUEST_S;
    connection->received += (size_t)count;
    if (connection->received < sizeof connection->request) {
        return;
    }
    if (alc_witness_answer(service->store, service->key, service->random, connection->request,
                           connection->answer) != ALC_OK) {
        drop(connection); /* nothing can be signed: no answer is better than another's */
        return;
    }
    connection->is_answering = true;
    connection->sent = 0;
    send_answer(connection);
}

static void accept_one(struct server *server, int listener)
{
    struct connection *place = NULL;
    for (size_t i = 0; i < ALC_LIMIT_WITNESS_CONNECTIONS; i++) {
        place = server->connections[i].fd < 0 ? &server->connections[i] : place;
    }
    int fd = place == NULL ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        *place = (struct connection){.fd = fd};
    }
}

/* What to wait for; the listener only while there is a place. */
static void fill_polls(struct server *server, int listener)
{
    bool has_place = false;
    for (size_t i = 0; i < ALC_LIMIT_WITNESS_CONNECTIONS; i++) {
        const struct connection *connection = &server->connections[i];
        has_place |= connection->fd < 0;
        server->polls[1 + i] = (struct pollfd){
            .fd = connection->fd, .events = connection->is_answering ? POLLOUT : POLLIN};
    }
    server->polls[0] = (struct pollfd){.fd = has_place ? listener : -1, .events = POLLIN};
}

static void serve_connections(struct server *server)
{
    int64_t now = now_s();
    for (size_t i = 0; i < ALC_LIMIT_WITNESS_CONNECTIONS; i++) {
        struct connection *connection = &server->connections[i];
        bool is_half_way = connection->is_answering || connection->received != 0;
        if (connection->fd < 0) {
            continue;
        }
        if (server->polls[1 + i].revents == 0) {
            if (is_half_way && now >= connection->deadline_s) {
                drop(connection);
            }
        } else if (connection->is_answering) {
            send_answer(connection);
        } else {
            receive(server, connection);
        }
    }
}

alc_status alc_witness_serve(int listener, const struct alc_witness_service *service)
{
    static struct server server; /* large, and there is one */
    server.service = service;
    for (size_t i = 0; i < ALC_LIMIT_WITNESS_CONNECTIONS; i++) {
        server.connections[i].fd = -1;
    }
    if (fcntl(listener, F_SETFL, O_NONBLOCK) < 0) {
        return ALC_E_IO_FAILED;
    }
    alc_status status = ALC_OK;
    while (status == ALC_OK && *service->stop == 0) {
        fill_polls(&server, listener);
        int count = poll(server.polls, 1 + ALC_LIMIT_WITNESS_CONNECTIONS, TICK_MS);
        if (count < 0 && errno != EINTR) {
            status = ALC_E_IO_FAILED;
        } else if (count >= 0) {
            serve_connections(&server);
            if (server.polls[0].revents != 0) {
                accept_one(&server, listener);
            }
        }
    }
    for (size_t i = 0; i < ALC_LIMIT_WITNESS_CONNECTIONS; i++) {
        if (server.connections[i].fd >= 0) {
            drop(&server.connections[i]);
        }
    }
    return status;
}
