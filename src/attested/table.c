/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program can do with attested sockets. Each call moves what can be moved, does its work if
 * that is possible, and else waits for the socket beneath without holding the lock.
 */
#include "attested/attested_internal.h"
#include "base/bytes.h"

enum { POLLS_MAX = 128 }; /* of attested sockets in one call */

/* -- waiting -- */

static int64_t wait_for(struct alc_attested_os *table, int32_t inner_handle, uint16_t wanted)
{
    struct alc_os_poll poll = {.handle = inner_handle, .wanted = wanted};
    int64_t result = INNER(table, poll, &poll, 1, ALC_OS_NO_TIMEOUT);
    return result < 0 ? result : 0;
}

/* Leaves the socket and waits; 0, or why not to try again. */
static int64_t leave_and_wait(struct alc_attested_os *table, struct alc_attested_socket *socket)
{
    bool is_nonblocking = socket->is_nonblocking;
    int32_t inner_handle = socket->inner_handle;
    uint16_t awaited = alc_attested_awaits(socket);
    alc_attested_leave(socket);
    if (is_nonblocking) {
        return -ALC_OS_AGAIN;
    }
    return awaited == 0 ? -ALC_OS_CONNECTION_ABORTED : wait_for(table, inner_handle, awaited);
}

/* -- bytes -- */

static int64_t read_spans(struct alc_attested_socket *socket, const struct alc_span *spans,
                          size_t spans_count)
{
    int64_t done = 0;
    for (size_t i = 0; i < spans_count; i++) {
        for (size_t filled = 0; filled < spans[i].size;) {
            size_t size =
                alc_channel_read(socket->channel, spans[i].bytes + filled, spans[i].size - filled);
            if (size == 0) {
                return done;
            }
            filled += size;
            done += (int64_t)size;
        }
    }
    return done;
}

static int64_t receive(struct alc_attested_os *table, int32_t handle, const struct alc_span *spans,
                       size_t spans_count)
{
    for (;;) {
        struct alc_attested_socket *socket = alc_attested_enter(table, handle);
        if (socket == NULL) {
            return -ALC_OS_BAD_DESCRIPTOR;
        }
        alc_attested_pump(table, socket);
        int64_t count = socket->reading_is_shut ? 0 : read_spans(socket, spans, spans_count);
        enum alc_channel_state state = alc_channel_state(socket->channel);
        if (count > 0 || socket->reading_is_shut || state > ALC_CHANNEL_OPEN) {
            alc_attested_leave(socket);
            return count > 0 || state != ALC_CHANNEL_FAILED ? count : -ALC_OS_CONNECTION_ABORTED;
        }
        int64_t result = leave_and_wait(table, socket);
        if (result < 0) {
            return result;
        }
    }
}

/* Also a handle of a connection that was closed, which is nothing beneath: a thread may come late
 * with bytes for the peer, and a host would take them. */
static bool is_ours(const struct alc_attested_os *table, int32_t handle)
{
    bool result = handle >= ALC_ATTESTED_FIRST_HANDLE &&
                  handle < ALC_ATTESTED_FIRST_HANDLE + (int32_t)ALC_LIMIT_ATTESTED_SOCKETS;
    for (uint32_t i = 0; i < table->connections_count; i++) {
        result |= table->connections[i] == handle;
    }
    return result;
}

static int64_t attested_read(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count)
{
    struct alc_attested_os *table = context;
    if (!is_ours(table, handle)) {
        return INNER(table, read, handle, spans, spans_count);
    }
    return receive(table, handle, spans, spans_count);
}

static int64_t attested_recv(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count, uint32_t flags, uint32_t *out_flags)
{
    struct alc_attested_os *table = context;
    if (!is_ours(table, handle)) {
        return INNER(table, recv, handle, spans, spans_count, flags, out_flags);
    }
    *out_flags = 0;
    if (flags != 0) { /* a stream of records cannot be looked at without taking it */
        return -ALC_OS_NOT_SUPPORTED;
    }
    return receive(table, handle, spans, spans_count);
}

static int64_t write_spans(struct alc_attested_os *table, struct alc_attested_socket *socket,
                           const struct alc_span *spans, size_t spans_count)
{
    int64_t done = 0;
    for (size_t i = 0; i < spans_count; i++) {
        for (size_t taken = 0; taken < spans[i].size;) {
            size_t size =
                alc_channel_write(socket->channel, spans[i].bytes + taken, spans[i].size - taken);
            if (size == 0) {
                return done;
            }
            taken += size;
            done += (int64_t)size;
            alc_attested_pump(table, socket);
        }
    }
    return done;
}

static bool is_empty(const struct alc_span *spans, size_t spans_count)
{
    size_t size = 0;
    for (size_t i = 0; i < spans_count; i++) {
        size |= spans[i].size;
    }
    return size == 0;
}

static int64_t attested_write(void *context, int32_t handle, const struct alc_span *spans,
                              size_t spans_count)
{
    struct alc_attested_os *table = context;
    if (!is_ours(table, handle)) {
        return INNER(table, write, handle, spans, spans_count);
    }
    for (;;) {
        struct alc_attested_socket *socket = alc_attested_enter(table, handle);
        if (socket == NULL) {
            return -ALC_OS_BAD_DESCRIPTOR;
        }
        alc_attested_pump(table, socket);
        int64_t count = write_spans(table, socket, spans, spans_count);
        bool is_lost = alc_channel_state(socket->channel) == ALC_CHANNEL_FAILED ||
                       socket->output_is_lost || alc_channel_is_shut(socket->channel);
        if (count > 0 || is_lost || is_empty(spans, spans_count)) {
            alc_attested_leave(socket);
            return count > 0 || !is_lost ? count : -ALC_OS_PIPE;
        }
        int64_t result = leave_and_wait(table, socket);
        if (result < 0) {
            return result;
        }
    }
}

static int64_t attested_send(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count)
{
    struct alc_attested_os *table = context;
    return is_ours(table, handle) ? attested_write(context, handle, spans, spans_count)
                                  : INNER(table, send, handle, spans, spans_count);
}

/* Sockets have no places. Bytes meant for one must not go to the table beneath, which may take them
 * where an honest system would not. */
static int64_t attested_read_at(void *context, int32_t handle, const struct alc_span *spans,
                                size_t spans_count, uint64_t offset)
{
    struct alc_attested_os *table = context;
    return is_ours(table, handle) ? -ALC_OS_NO_SEEK
                                  : INNER(table, read_at, handle, spans, spans_count, offset);
}

static int64_t attested_write_at(void *context, int32_t handle, const struct alc_span *spans,
                                 size_t spans_count, uint64_t offset)
{
    struct alc_attested_os *table = context;
    return is_ours(table, handle) ? -ALC_OS_NO_SEEK
                                  : INNER(table, write_at, handle, spans, spans_count, offset);
}

static int64_t attested_seek(void *context, int32_t handle, int64_t offset, uint32_t whence)
{
    struct alc_attested_os *table = context;
    return is_ours(table, handle) ? -ALC_OS_NO_SEEK : INNER(table, seek, handle, offset, whence);
}

/* -- sockets -- */

static int64_t attested_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    struct alc_attested_os *table = context;
    if (!is_ours(table, handle)) {
        return INNER(table, stat, handle, out);
    }
    struct alc_attested_socket *socket = alc_attested_enter(table, handle);
    if (socket == NULL) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    alc_attested_leave(socket);
    *out = (struct alc_os_stat){.type = ALC_OS_TYPE_SOCKET_STREAM, .link_count = 1};
    return 0;
}

/* What the table beneath answers must not be the number of an attested socket. */
static int64_t check_new(struct alc_attested_os *table, int64_t result)
{
    return result >= 0 && (result > INT32_MAX || is_ours(table, (int32_t)result)) ? -ALC_OS_IO
                                                                                  : result;
}

static int64_t attested_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                uint32_t flags)
{
    struct alc_attested_os *table = context;
    return check_new(table, INNER(table, open_at, dir, path, path_size, flags));
}

static int64_t attested_accept(void *context, int32_t handle, uint32_t flags)
{
    struct alc_attested_os *table = context;
    int64_t accepted = check_new(table, INNER(table, accept, handle, flags));
    for (uint32_t i = 0; accepted >= 0 && i < table->listeners_count; i++) {
        if (table->listeners[i].handle == handle) {
            int64_t result = alc_attested_open(table, -1, (int32_t)accepted, ALC_CHANNEL_SERVER,
                                               table->listeners[i].demand);
            if (result < 0) {
                (void)INNER(table, close, (int32_t)accepted);
            }
            return result;
        }
    }
    return accepted;
}

static int64_t attested_close(void *context, int32_t handle)
{
    struct alc_attested_os *table = context;
    struct alc_attested_socket *socket = alc_attested_enter(table, handle);
    if (socket == NULL) {
        return is_ours(table, handle) ? -ALC_OS_BAD_DESCRIPTOR : INNER(table, close, handle);
    }
    int64_t result = alc_attested_close(table, socket);
    alc_attested_leave(socket);
    return result;
}

static int64_t attested_get_flags(void *context, int32_t handle)
{
    struct alc_attested_os *table = context;
    struct alc_attested_socket *socket = alc_attested_enter(table, handle);
    if (socket == NULL) {
        return is_ours(table, handle) ? -ALC_OS_BAD_DESCRIPTOR : INNER(table, get_flags, handle);
    }
    int64_t flags = socket->is_nonblocking ? ALC_OS_OPEN_NONBLOCK : 0;
    alc_attested_leave(socket);
    return flags;
}

static int64_t attested_set_flags(void *context, int32_t handle, uint32_t flags)
{
    struct alc_attested_os *table = context;
    struct alc_attested_socket *socket = alc_attested_enter(table, handle);
    if (socket == NULL) {
        return is_ours(table, handle) ? -ALC_OS_BAD_DESCRIPTOR
                                      : INNER(table, set_flags, handle, flags);
    }
    socket->is_nonblocking = (flags & ALC_OS_OPEN_NONBLOCK) != 0;
    alc_attested_leave(socket);
    return 0;
}

static int64_t attested_shutdown(void *context, int32_t handle, uint32_t how)
{
    struct alc_attested_os *table = context;
    struct alc_attested_socket *socket = alc_attested_enter(table, handle);
    if (socket == NULL) {
        return is_ours(table, handle) ? -ALC_OS_BAD_DESCRIPTOR
                                      : INNER(table, shutdown, handle, how);
    }
    enum alc_channel_state state = alc_channel_state(socket->channel);
    bool is_open = state == ALC_CHANNEL_OPEN || state == ALC_CHANNEL_CLOSED;
    if (is_open && (how & ALC_OS_SHUTDOWN_WRITE) != 0) {
        alc_channel_shutdown(socket->channel);
        alc_attested_pump(table, socket);
    }
    socket->reading_is_shut |= (how & ALC_OS_SHUTDOWN_READ) != 0;
    alc_attested_leave(socket);
    return is_open ? 0 : -ALC_OS_NOT_CONNECTED;
}

/* -- poll -- */

/* What a program asked about an attested socket. */
struct asked {
    size_t index;
    int32_t handle;
    uint16_t wanted;
};

/* Moves bytes of attested sockets and puts the handles beneath in their places; the number of those
 * that are ready, or minus an error number. */
static int64_t prepare(struct alc_attested_os *table, struct alc_os_poll *polls,
                       const struct asked *asked, size_t asked_count)
{
    int64_t ready_count = 0;
    for (size_t i = 0; i < asked_count; i++) {
        struct alc_os_poll *poll = &polls[asked[i].index];
        struct alc_attested_socket *socket = alc_attested_enter(table, asked[i].handle);
        if (socket == NULL) { /* closed meanwhile */
            return -ALC_OS_BAD_DESCRIPTOR;
        }
        alc_attested_pump(table, socket);
        uint16_t ready = alc_attested_ready(socket, &poll->available) &
                         (asked[i].wanted | ALC_OS_POLL_HANGUP | ALC_OS_POLL_ERROR);
        poll->handle = socket->inner_handle;
        poll->wanted = alc_attested_awaits(socket);
        poll->ready = ready;
        ready_count += ready != 0;
        alc_attested_leave(socket);
    }
    return ready_count;
}

/* Puts back what was asked, with what came of it. */
static void conclude(struct alc_attested_os *table, struct alc_os_poll *polls,
                     const struct asked *asked, size_t asked_count)
{
    for (size_t i = 0; i < asked_count; i++) {
        struct alc_os_poll *poll = &polls[asked[i].index];
        struct alc_attested_socket *socket = alc_attested_enter(table, asked[i].handle);
        poll->handle = asked[i].handle;
        poll->wanted = asked[i].wanted;
        poll->available = 0;
        poll->ready = ALC_OS_POLL_INVALID;
        if (socket != NULL) {
            alc_attested_pump(table, socket);
            poll->ready = alc_attested_ready(socket, &poll->available) &
                          (asked[i].wanted | ALC_OS_POLL_HANGUP | ALC_OS_POLL_ERROR);
            alc_attested_leave(socket);
        }
    }
}

static int64_t count_ready(const struct alc_os_poll *polls, size_t polls_count)
{
    int64_t count = 0;
    for (size_t i = 0; i < polls_count; i++) {
        count += polls[i].ready != 0;
    }
    return count;
}

static int64_t attested_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                             int64_t timeout_ns)
{
    struct alc_attested_os *table = context;
    struct asked asked[POLLS_MAX];
    size_t asked_count = 0;
    for (size_t i = 0; i < polls_count; i++) {
        if (is_ours(table, polls[i].handle)) {
            if (asked_count == POLLS_MAX) {
                return -ALC_OS_INVALID;
            }
            asked[asked_count++] = (struct asked){i, polls[i].handle, polls[i].wanted};
        }
    }
    if (asked_count == 0) {
        return INNER(table, poll, polls, polls_count, timeout_ns);
    }
    int64_t start_ns = INNER(table, clock_read, ALC_OS_CLOCK_MONOTONIC, 0);
    for (;;) {
        int64_t passed_ns = INNER(table, clock_read, ALC_OS_CLOCK_MONOTONIC, 0) - start_ns;
        int64_t left_ns = passed_ns < timeout_ns ? timeout_ns - passed_ns : 0;
        left_ns = timeout_ns < 0 ? timeout_ns : left_ns;
        int64_t ready = prepare(table, polls, asked, asked_count);
        int64_t result =
            ready < 0 ? ready : INNER(table, poll, polls, polls_count, ready > 0 ? 0 : left_ns);
        conclude(table, polls, asked, asked_count);
        int64_t count = count_ready(polls, polls_count);
        if (result < 0 || count > 0 || left_ns == 0) {
            return result < 0 ? result : count;
        }
    }
}

/* -- the table -- */

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    const struct alc_os *inner = context;
    return inner->operations->random(inner->context, buf, buf_size) == 0 ? ALC_OK : ALC_E_IO_FAILED;
}

void alc_attested_os_init(struct alc_attested_os *table, const struct alc_os *inner,
                          struct alc_channel_identity *identity)
{
    alc_fill(table, 0, sizeof *table);
    table->operations = alc_os_over_operations;
    table->operations.read = attested_read;
    table->operations.write = attested_write;
    table->operations.read_at = attested_read_at;
    table->operations.write_at = attested_write_at;
    table->operations.seek = attested_seek;
    table->operations.stat = attested_stat;
    table->operations.close = attested_close;
    table->operations.get_flags = attested_get_flags;
    table->operations.set_flags = attested_set_flags;
    table->operations.open_at = attested_open_at;
    table->operations.accept = attested_accept;
    table->operations.recv = attested_recv;
    table->operations.send = attested_send;
    table->operations.shutdown = attested_shutdown;
    table->operations.poll = attested_poll;
    table->over = (struct alc_os_over){
        .os = {.operations = &table->operations,
               .context = table,
               .mount_kinds = inner->mount_kinds},
        .inner = inner,
    };
    table->identity = identity;
    table->random = (struct alc_random){.fill = fill_random, .context = (void *)(uintptr_t)inner};
    for (size_t i = 0; i < ALC_LIMIT_ATTESTED_SOCKETS; i++) {
        table->sockets[i].handle = -1;
    }
}

alc_status alc_attested_os_listen(struct alc_attested_os *table, int32_t handle,
                                  const struct alc_channel_demand *demand)
{
    if (table->listeners_count == ALC_LIMIT_ATTESTED_SOCKETS) {
        return ALC_E_BAD_ARGUMENT;
    }
    table->listeners[table->listeners_count++] =
        (struct alc_attested_listener){.handle = handle, .demand = demand};
    return ALC_OK;
}

alc_status alc_attested_os_connect(struct alc_attested_os *table, int32_t handle,
                                   const struct alc_channel_demand *demand)
{
    if (table->connections_count == ALC_LIMIT_ATTESTED_SOCKETS) {
        return ALC_E_BAD_ARGUMENT;
    }
    int64_t result = alc_attested_open(table, handle, handle, ALC_CHANNEL_CLIENT, demand);
    if (result >= 0) {
        table->connections[table->connections_count++] = handle;
        return ALC_OK;
    }
    return result == -ALC_OS_NO_MEMORY       ? ALC_E_OUT_OF_MEMORY
           : result == -ALC_OS_TOO_MANY_OPEN ? ALC_E_BAD_ARGUMENT
                                             : ALC_E_IO_FAILED;
}

int64_t alc_attested_get_peer(struct alc_attested_os *table, int32_t handle,
                              struct alc_channel_peer *out)
{
    for (;;) {
        struct alc_attested_socket *socket = alc_attested_enter(table, handle);
        if (socket == NULL) {
            return -ALC_OS_BAD_DESCRIPTOR;
        }
        alc_attested_pump(table, socket);
        enum alc_channel_state state = alc_channel_state(socket->channel);
        if (state != ALC_CHANNEL_OPENING) {
            *out = *alc_channel_get_peer(socket->channel);
            alc_attested_leave(socket);
            return state == ALC_CHANNEL_FAILED ? -ALC_OS_CONNECTION_ABORTED : 0;
        }
        int64_t result = leave_and_wait(table, socket);
        if (result < 0) {
            return result;
        }
    }
}

void alc_attested_os_fini(struct alc_attested_os *table)
{
    for (size_t i = 0; i < ALC_LIMIT_ATTESTED_SOCKETS; i++) {
        struct alc_attested_socket *socket = alc_attested_enter(table, table->sockets[i].handle);
        if (socket != NULL) {
            (void)alc_attested_close(table, socket);
            alc_attested_leave(socket);
        }
    }
}
