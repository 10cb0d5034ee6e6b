/* SPDX-License-Identifier: Apache-2.0
 *
 * A socket and its channel: bytes move between them without waiting, under the socket's lock;
 * waiting is done by whoever calls, without it.
 */
#include "attested/attested_internal.h"
#include "base/bytes.h"

enum { CHUNK = 4096 };
#define NS_PER_S INT64_C(1000000000)
/* How long a close waits for a peer that takes what was written. */
#define LINGER_NS (3 * NS_PER_S)

/* -- finding -- */

/* A holder may be in a call to the host, so who waits lets others run. */
static void lock(struct alc_attested_os *table, struct alc_attested_socket *socket)
{
    while (__atomic_exchange_n(&socket->lock, 1, __ATOMIC_ACQUIRE) != 0) {
        (void)table->over.inner->operations->yield(table->over.inner->context);
    }
}

void alc_attested_leave(struct alc_attested_socket *socket)
{
    __atomic_store_n(&socket->lock, 0, __ATOMIC_RELEASE);
}

struct alc_attested_socket *alc_attested_enter(struct alc_attested_os *table, int32_t handle)
{
    for (size_t i = 0; i < ALC_LIMIT_ATTESTED_SOCKETS; i++) {
        struct alc_attested_socket *socket = &table->sockets[i];
        if (__atomic_load_n(&socket->handle, __ATOMIC_RELAXED) != handle) {
            continue;
        }
        lock(table, socket);
        if (socket->is_used && socket->handle == handle) {
            return socket;
        }
        alc_attested_leave(socket);
    }
    return NULL;
}

/* -- moving bytes -- */

static void transmit(struct alc_attested_os *table, struct alc_attested_socket *socket)
{
    for (;;) {
        if (socket->out_begin == socket->out_end) {
            socket->out_begin = 0;
            socket->out_end =
                alc_channel_transmit(socket->channel, socket->out, sizeof socket->out);
        }
        if (socket->out_end == 0 || socket->output_is_lost) {
            return;
        }
        const struct alc_span span = {.bytes = socket->out + socket->out_begin,
                                      .size = socket->out_end - socket->out_begin};
        int64_t count = INNER(table, send, socket->inner_handle, &span, 1);
        if (count == -ALC_OS_AGAIN) {
            return;
        }
        if (count <= 0 || (uint64_t)count > span.size) {
            socket->output_is_lost = true;
            return;
        }
        socket->out_begin += (size_t)count;
    }
}

/* Whether there was something. */
static bool receive(struct alc_attested_os *table, struct alc_attested_socket *socket)
{
    uint8_t bytes[CHUNK];
    size_t room = alc_channel_receive_room(socket->channel);
    const struct alc_span span = {.bytes = bytes, .size = room < CHUNK ? room : CHUNK};
    uint32_t flags;
    if (span.size == 0 || socket->input_has_ended ||
        alc_channel_state(socket->channel) > ALC_CHANNEL_OPEN) {
        return false;
    }
    int64_t count = INNER(table, recv, socket->inner_handle, &span, 1, 0, &flags);
    if (count == -ALC_OS_AGAIN) {
        return false;
    }
    if (count <= 0 || (uint64_t)count > span.size) {
        socket->input_has_ended = true;
        alc_channel_receive_end(socket->channel);
        return false;
    }
    (void)alc_channel_receive(socket->channel, bytes, (size_t)count);
    return true;
}

void alc_attested_pump(struct alc_attested_os *table, struct alc_attested_socket *socket)
{
    do {
        transmit(table, socket);
    } while (receive(table, socket));
    transmit(table, socket);
    if (alc_channel_state(socket->channel) == ALC_CHANNEL_FAILED && !socket->is_reported) {
        socket->is_reported = true;
        if (table->report.failed != NULL) {
            table->report.failed(table->report.context, socket->channel);
        }
    }
}

uint16_t alc_attested_ready(struct alc_attested_socket *socket, uint64_t *available)
{
    uint16_t ready = 0;
    *available = alc_channel_read_size(socket->channel);
    switch (alc_channel_state(socket->channel)) {
    case ALC_CHANNEL_OPENING:
        break;
    case ALC_CHANNEL_OPEN:
        ready |= *available != 0 || socket->reading_is_shut ? ALC_OS_POLL_READ : 0;
        ready |=
            socket->out_begin == socket->out_end || socket->output_is_lost ? ALC_OS_POLL_WRITE : 0;
        break;
    case ALC_CHANNEL_CLOSED:
        ready |= ALC_OS_POLL_READ | ALC_OS_POLL_WRITE | ALC_OS_POLL_HANGUP;
        break;
    case ALC_CHANNEL_FAILED:
        ready |= ALC_OS_POLL_READ | ALC_OS_POLL_WRITE | ALC_OS_POLL_ERROR;
        break;
    }
    return ready;
}

uint16_t alc_attested_awaits(const struct alc_attested_socket *socket)
{
    bool has_output = socket->out_begin != socket->out_end && !socket->output_is_lost;
    return (uint16_t)((socket->input_has_ended ? 0 : ALC_OS_POLL_READ) |
                      (has_output ? ALC_OS_POLL_WRITE : 0));
}

/* -- opening and closing -- */

static alc_status open_channel(struct alc_attested_os *table, struct alc_attested_socket *socket,
                               enum alc_channel_role role, const struct alc_channel_demand *demand)
{
    const struct alc_channel_options options = {
        .role = role,
        .identity = table->identity,
        .demand = demand,
        .random = &table->random,
        .now_s = INNER(table, clock_read, ALC_OS_CLOCK_REALTIME, 0) / NS_PER_S,
    };
    size_t size = (alc_channel_memory_size() + 4095) & ~(size_t)4095;
    void *range = INNER(table, pages_reserve, size);
    if (range == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init_reserved(&socket->arena, range, size, alc_os_commit,
                            (void *)(uintptr_t)table->over.inner);
    alc_status status = alc_channel_open(&socket->arena, &options, &socket->channel);
    if (status != ALC_OK) {
        INNER(table, pages_release, range, size);
    }
    return status;
}

static int64_t open_in(struct alc_attested_os *table, struct alc_attested_socket *socket,
                       int32_t inner_handle, enum alc_channel_role role,
                       const struct alc_channel_demand *demand)
{
    int64_t flags = INNER(table, get_flags, inner_handle);
    int64_t result =
        flags < 0 ? flags
                  : INNER(table, set_flags, inner_handle, (uint32_t)flags | ALC_OS_OPEN_NONBLOCK);
    if (result < 0) {
        return result;
    }
    socket->is_nonblocking = (flags & ALC_OS_OPEN_NONBLOCK) != 0;
    socket->reading_is_shut = false;
    socket->input_has_ended = false;
    socket->output_is_lost = false;
    socket->is_reported = false;
    socket->out_begin = 0;
    socket->out_end = 0;
    socket->inner_handle = inner_handle;
    alc_status status = open_channel(table, socket, role, demand);
    if (status != ALC_OK) {
        return status == ALC_E_OUT_OF_MEMORY ? -ALC_OS_NO_MEMORY : -ALC_OS_IO;
    }
    socket->is_used = true;
    return 0;
}

int64_t alc_attested_open(struct alc_attested_os *table, int32_t handle, int32_t inner_handle,
                          enum alc_channel_role role, const struct alc_channel_demand *demand)
{
    for (size_t i = 0; i < ALC_LIMIT_ATTESTED_SOCKETS; i++) {
        struct alc_attested_socket *socket = &table->sockets[i];
        lock(table, socket);
        if (!socket->is_used) {
            int64_t result = open_in(table, socket, inner_handle, role, demand);
            if (result == 0) {
                result = handle >= 0 ? handle : ALC_ATTESTED_FIRST_HANDLE + (int32_t)i;
                __atomic_store_n(&socket->handle, (int32_t)result, __ATOMIC_RELAXED);
            }
            alc_attested_leave(socket);
            return result;
        }
        alc_attested_leave(socket);
    }
    return -ALC_OS_TOO_MANY_OPEN;
}

/* What the program wrote, and the farewell, go to a peer that takes them, before they are wiped: a
 * socket of the system would do that behind the program's back. A program that does not want to
 * wait does not. */
static void linger(struct alc_attested_os *table, struct alc_attested_socket *socket)
{
    const int64_t end_ns = INNER(table, clock_read, ALC_OS_CLOCK_MONOTONIC, 0) + LINGER_NS;
    while (!socket->is_nonblocking && (alc_attested_awaits(socket) & ALC_OS_POLL_WRITE) != 0) {
        int64_t left_ns = end_ns - INNER(table, clock_read, ALC_OS_CLOCK_MONOTONIC, 0);
        struct alc_os_poll poll = {.handle = socket->inner_handle, .wanted = ALC_OS_POLL_WRITE};
        if (left_ns <= 0 || INNER(table, poll, &poll, 1, left_ns) <= 0) {
            return;
        }
        transmit(table, socket);
    }
}

int64_t alc_attested_close(struct alc_attested_os *table, struct alc_attested_socket *socket)
{
    alc_channel_shutdown(socket->channel);
    alc_attested_pump(table, socket);
    linger(table, socket);
    alc_channel_fini(socket->channel);
    INNER(table, pages_release, socket->arena.base, socket->arena.size);
    int64_t result = INNER(table, close, socket->inner_handle);
    alc_wipe(socket->out, sizeof socket->out);
    socket->is_used = false;
    __atomic_store_n(&socket->handle, -1, __ATOMIC_RELAXED);
    return result;
}
