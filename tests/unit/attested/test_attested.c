/* SPDX-License-Identifier: Apache-2.0
 *
 * Attested sockets over real ones: a server in a thread of its own, a client in this one, each with
 * a table. Machines make evidence as in tests/unit/channel; the clock stands in the year of their
 * certificates.
 */
#include "unit/channel/sides.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attested/attested.h"
#include "os_linux/os_linux.h"

enum { LISTENER = ALC_OS_FIRST_MOUNT, CONNECTED = ALC_OS_FIRST_MOUNT + 1, PLAIN, PLAIN_END };

static struct machine here;
static struct machine there;
static struct side client;
static struct side server;

static struct {
    struct alc_os_linux *system;
    struct alc_os os;
    struct alc_os_operations operations; /* with another clock */
    struct alc_attested_os client;
    struct alc_attested_os server;
} world;

static int64_t (*real_clock)(void *context, uint32_t clock, uint32_t resolution);
static int64_t old_clock(void *context, uint32_t clock, uint32_t resolution)
{
    return clock == ALC_OS_CLOCK_REALTIME ? PLATFORM_NOW * INT64_C(1000000000)
                                          : real_clock(context, clock, resolution);
}

#define OS(side, name, ...)                                                                        \
    (world.side.over.os.operations->name(world.side.over.os.context, __VA_ARGS__))

static int setup(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int least = 1; /* buffers that are soon full */
    int pipes[2];
    (void)state;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int connected = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    assert_int_equal(setsockopt(connected, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(connected, (struct sockaddr *)&address, size), 0);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(alc_os_linux_new(NULL, &world.system), ALC_OK);
    const int fds[] = {listener, connected, pipes[0], pipes[1]};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(alc_os_linux_grant(world.system, LISTENER + i, fds[i], ALC_OS_LINUX_OWNED),
                         LISTENER + i);
    }
    world.os = *alc_os_linux_get_os(world.system);
    world.operations = *world.os.operations;
    real_clock = world.operations.clock_read;
    world.operations.clock_read = old_clock;
    world.os.operations = &world.operations;
    side_init(&client, ALC_CHANNEL_CLIENT, &here, &there);
    side_init(&server, ALC_CHANNEL_SERVER, &there, &here);
    alc_attested_os_init(&world.client, &world.os, &client.identity);
    alc_attested_os_init(&world.server, &world.os, &server.identity);
    assert_int_equal(alc_attested_os_listen(&world.server, LISTENER, &server.demand), ALC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    alc_attested_os_fini(&world.client);
    alc_attested_os_fini(&world.server);
    alc_os_linux_free(world.system);
    return 0;
}

/* -- the server -- */

static int64_t server_end; /* what its last call gave */
static uint64_t server_total;

/* Takes everything in, but not at once. */
static void *sink(void *argument)
{
    static uint8_t bytes[5000];
    const struct alc_span all = {bytes, sizeof bytes};
    (void)argument;
    int64_t handle = OS(server, accept, LISTENER, 0);
    assert_true(handle >= ALC_ATTESTED_FIRST_HANDLE);
    server_total = 0;
    while ((server_end = OS(server, read, (int32_t)handle, &all, 1)) > 0) {
        server_total += (uint64_t)server_end;
        usleep(2000);
    }
    assert_int_equal(OS(server, close, (int32_t)handle), 0);
    return NULL;
}

/* Says everything back, and how much it was when that is all. */
static void *echo(void *argument)
{
    static uint8_t bytes[5000];
    const struct alc_span all = {bytes, sizeof bytes};
    uint64_t total = 0;
    int64_t count;
    (void)argument;
    int64_t handle = OS(server, accept, LISTENER, 0);
    assert_true(handle >= ALC_ATTESTED_FIRST_HANDLE);
    while ((count = OS(server, read, (int32_t)handle, &all, 1)) > 0) {
        total += (uint64_t)count;
        for (int64_t done = 0; done < count;) {
            const struct alc_span rest = {bytes + done, (size_t)(count - done)};
            int64_t written = OS(server, send, (int32_t)handle, &rest, 1);
            assert_true(written > 0);
            done += written;
        }
    }
    server_end = count;
    if (count == 0) {
        const struct alc_span word = {(uint8_t *)&total, sizeof total};
        assert_int_equal(OS(server, write, (int32_t)handle, &word, 1), sizeof total);
    }
    assert_int_equal(OS(server, close, (int32_t)handle), 0);
    assert_int_equal(OS(server, close, (int32_t)handle), -ALC_OS_BAD_DESCRIPTOR);
    return NULL;
}

static pthread_t serve(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, echo, NULL), 0);
    return thread;
}

/* -- tests -- */

static void read_all(uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {bytes + done, size - done};
        uint32_t flags;
        int64_t count = OS(client, recv, CONNECTED, &span, 1, 0, &flags);
        assert_true(count > 0);
        done += (size_t)count;
    }
}

static void test_echo(void **state)
{
    (void)state;
    static uint8_t sent[60000];
    static uint8_t back[sizeof sent];
    struct alc_channel_peer peer;
    uint64_t total = 0;
    pthread_t thread = serve();
    assert_int_equal(alc_attested_os_connect(&world.client, CONNECTED, &client.demand), ALC_OK);
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t)(i * 31);
    }
    for (size_t size = 1; size <= sizeof sent; size = size * 7 + 1) {
        struct alc_span spans[3] = {
            {sent, size / 2}, {sent + size / 2, 0}, {sent + size / 2, size - size / 2}};
        size_t done = 0;
        while (done < size) { /* as many as find place */
            int64_t count = OS(client, write, CONNECTED, spans, 3);
            assert_true(count > 0);
            done += (size_t)count;
            for (int64_t left = count, i = 0; i < 3; i++) {
                size_t taken = (size_t)left < spans[i].size ? (size_t)left : spans[i].size;
                spans[i].bytes += taken;
                spans[i].size -= taken;
                left -= (int64_t)taken;
            }
        }
        read_all(back, size);
        assert_memory_equal(back, sent, size);
        total += size;
    }
    struct alc_os_stat stat;
    assert_int_equal(OS(client, write_at, CONNECTED, &(struct alc_span){sent, 1}, 1, 0),
                     -ALC_OS_NO_SEEK);
    assert_int_equal(OS(client, stat, CONNECTED, &stat), 0);
    assert_int_equal(stat.type, ALC_OS_TYPE_SOCKET_STREAM);
    assert_int_equal(alc_attested_get_peer(&world.client, CONNECTED, &peer), 0);
    assert_true(peer.is_attested && peer.is_fresh);
    assert_int_equal(peer.verdict.report.mrenclave[0], there.mrenclave);
    assert_int_equal(OS(client, shutdown, CONNECTED, ALC_OS_SHUTDOWN_WRITE), 0);
    const struct alc_span word = {back, 8};
    assert_int_equal(OS(client, write, CONNECTED, &word, 1), -ALC_OS_PIPE);
    read_all(back, 8);
    assert_memory_equal(back, &total, 8);
    assert_int_equal(OS(client, read, CONNECTED, &word, 1), 0);
    pthread_join(thread, NULL);
    assert_int_equal(server_end, 0);
    assert_int_equal(OS(client, close, CONNECTED), 0);
}

/* What was written arrives, and a farewell behind it, though the socket beneath could not take it
 * yet when the program closed its own. */
static void test_close_lingers(void **state)
{
    (void)state;
    static uint8_t sent[200000];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sink, NULL), 0);
    assert_int_equal(alc_attested_os_connect(&world.client, CONNECTED, &client.demand), ALC_OK);
    for (size_t done = 0; done < sizeof sent;) {
        const struct alc_span span = {sent + done, sizeof sent - done};
        int64_t count = OS(client, write, CONNECTED, &span, 1);
        assert_true(count > 0);
        done += (size_t)count;
    }
    assert_int_equal(OS(client, close, CONNECTED), 0);
    pthread_join(thread, NULL);
    assert_int_equal(server_end, 0);
    assert_int_equal(server_total, sizeof sent);
}

/* -- refusals -- */

static struct {
    int count;
    alc_status status;
    enum alc_check check;
} told;

static void remember(void *context, const struct alc_channel *channel)
{
    assert_ptr_equal(context, &told);
    told.count++;
    told.status = alc_channel_status(channel);
    told.check = alc_channel_get_peer(channel)->check;
}

/* Nothing of the program goes to a peer that is refused, and nothing from it comes in. */
static void test_refused(void **state)
{
    (void)state;
    static const uint8_t wanted[32] = {99};
    told.count = 0;
    world.client.report = (struct alc_attested_report){remember, &told};
    struct alc_channel_peer peer;
    uint8_t bytes[8] = {0};
    const struct alc_span span = {bytes, sizeof bytes};
    client.policy.mrenclaves.bytes = wanted;
    client.policy.mrenclaves.count = 1;
    pthread_t thread = serve();
    assert_int_equal(alc_attested_os_connect(&world.client, CONNECTED, &client.demand), ALC_OK);
    assert_int_equal(OS(client, write, CONNECTED, &span, 1), -ALC_OS_PIPE);
    assert_int_equal(OS(client, read, CONNECTED, &span, 1), -ALC_OS_CONNECTION_ABORTED);
    assert_int_equal(alc_attested_get_peer(&world.client, CONNECTED, &peer),
                     -ALC_OS_CONNECTION_ABORTED);
    assert_int_equal(peer.status, ALC_E_POLICY_REFUSED);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.status, ALC_E_POLICY_REFUSED);
    assert_int_equal(told.check, ALC_CHECK_MRENCLAVE);
    pthread_join(thread, NULL);
    assert_int_equal(server_end, -ALC_OS_CONNECTION_ABORTED);
}

/* A program that does not wait, and polls: also for a pipe beside the socket. */
static void test_poll(void **state)
{
    (void)state;
    uint8_t bytes[16] = "0123456789abcde";
    const struct alc_span span = {bytes, sizeof bytes};
    pthread_t thread = serve();
    assert_int_equal(alc_attested_os_connect(&world.client, CONNECTED, &client.demand), ALC_OK);
    assert_int_equal(OS(client, get_flags, CONNECTED), 0);
    assert_int_equal(OS(client, set_flags, CONNECTED, ALC_OS_OPEN_NONBLOCK), 0);
    assert_int_equal(OS(client, get_flags, CONNECTED), ALC_OS_OPEN_NONBLOCK);
    assert_int_equal(OS(client, read, CONNECTED, &span, 1), -ALC_OS_AGAIN);
    struct alc_os_poll polls[2] = {{.handle = PLAIN, .wanted = ALC_OS_POLL_READ},
                                   {.handle = CONNECTED, .wanted = ALC_OS_POLL_WRITE}};
    assert_int_equal(OS(client, poll, polls, 2, ALC_OS_NO_TIMEOUT), 1);
    assert_int_equal(polls[1].handle, CONNECTED);
    assert_int_equal(polls[1].wanted, ALC_OS_POLL_WRITE);
    assert_int_equal(polls[1].ready, ALC_OS_POLL_WRITE);
    assert_int_equal(polls[0].ready, 0);
    polls[1].wanted = ALC_OS_POLL_READ;
    assert_int_equal(OS(client, poll, polls, 2, 1000000), 0); /* a millisecond */
    assert_int_equal(OS(client, write, CONNECTED, &span, 1), 16);
    assert_int_equal(OS(client, poll, polls, 2, ALC_OS_NO_TIMEOUT), 1);
    assert_int_equal(polls[1].ready, ALC_OS_POLL_READ);
    assert_true(polls[1].available > 0 && polls[1].available <= 16);
    assert_int_equal(OS(client, write, PLAIN_END, &span, 1), 16);
    assert_int_equal(OS(client, poll, polls, 2, ALC_OS_NO_TIMEOUT), 2);
    assert_int_equal(polls[0].ready, ALC_OS_POLL_READ);
    assert_true(OS(client, read, CONNECTED, &span, 1) > 0);
    assert_int_equal(OS(client, read, PLAIN, &span, 1), 16); /* passed on */
    assert_int_equal(OS(client, close, CONNECTED), 0);
    pthread_join(thread, NULL);
    assert_int_equal(server_end, 0);
    assert_int_equal(OS(client, read, CONNECTED, &span, 1), -ALC_OS_BAD_DESCRIPTOR);
}

/* A host that cuts the connection is told from a peer that ends it. */
static void test_cut(void **state)
{
    (void)state;
    uint8_t byte;
    const struct alc_span span = {&byte, 1};
    pthread_t thread = serve();
    assert_int_equal(alc_attested_os_connect(&world.client, CONNECTED, &client.demand), ALC_OK);
    assert_int_equal(OS(client, write, CONNECTED, &span, 1), 1);
    read_all(&byte, 1);
    /* Beneath, behind the client's back. */
    assert_int_equal(world.operations.shutdown(world.os.context, CONNECTED,
                                               ALC_OS_SHUTDOWN_READ | ALC_OS_SHUTDOWN_WRITE),
                     0);
    pthread_join(thread, NULL);
    assert_int_equal(server_end, -ALC_OS_CONNECTION_ABORTED);
    assert_int_equal(OS(client, read, CONNECTED, &span, 1), -ALC_OS_CONNECTION_ABORTED);
}

/* Handles of accepted connections are nothing unless there is one. */
static void test_handles(void **state)
{
    (void)state;
    struct alc_os_stat stat;
    struct alc_channel_peer peer;
    uint8_t byte = 0;
    const struct alc_span span = {&byte, 1};
    for (int32_t i = 0; i < (int32_t)ALC_LIMIT_ATTESTED_SOCKETS; i++) {
        int32_t handle = ALC_ATTESTED_FIRST_HANDLE + i;
        assert_int_equal(OS(server, stat, handle, &stat), -ALC_OS_BAD_DESCRIPTOR);
        assert_int_equal(OS(server, read, handle, &span, 1), -ALC_OS_BAD_DESCRIPTOR);
        assert_int_equal(OS(server, get_flags, handle), -ALC_OS_BAD_DESCRIPTOR);
    }
    assert_int_equal(OS(server, stat, LISTENER, &stat), 0);
    assert_int_equal(alc_attested_get_peer(&world.server, PLAIN, &peer), -ALC_OS_BAD_DESCRIPTOR);
}

static int64_t lie(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                   uint32_t flags)
{
    (void)context;
    (void)dir;
    (void)path;
    (void)path_size;
    (void)flags;
    return CONNECTED;
}

/* A host that answers with the number of an attested socket gets no file's bytes into it. */
static void test_lying_host(void **state)
{
    (void)state;
    assert_int_equal(alc_attested_os_connect(&world.client, CONNECTED, &client.demand), ALC_OK);
    world.operations.open_at = lie;
    assert_int_equal(OS(client, open_at, PLAIN, (const uint8_t *)"x", 1, ALC_OS_OPEN_READ),
                     -ALC_OS_IO);
}

static int64_t take_anything(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count)
{
    (void)context;
    (void)handle;
    (void)spans;
    return (int64_t)spans_count;
}

static void expect_nothing_beneath(bool is_end)
{
    struct alc_os_stat stat;
    uint8_t secret = 42;
    const struct alc_span span = {&secret, 1};
    assert_int_equal(alc_attested_os_connect(&world.client, CONNECTED, &client.demand), ALC_OK);
    if (is_end) {
        alc_attested_os_fini(&world.client);
    } else {
        assert_int_equal(OS(client, close, CONNECTED), 0);
        assert_int_equal(OS(client, close, CONNECTED), -ALC_OS_BAD_DESCRIPTOR);
    }
    world.operations.write = take_anything;
    world.operations.send = take_anything;
    assert_int_equal(OS(client, write, CONNECTED, &span, 1), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(OS(client, send, CONNECTED, &span, 1), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(OS(client, write_at, CONNECTED, &span, 1, 0), -ALC_OS_NO_SEEK);
    assert_int_equal(OS(client, stat, CONNECTED, &stat), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(OS(client, write, PLAIN, &span, 1), 1);
}

/* A thread that comes late, with the number of a connection that another one or the end of the
 * program has closed, tells a host nothing that would take it. */
static void test_late_thread(void **state)
{
    expect_nothing_beneath(false);
    teardown(state);
    setup(state);
    expect_nothing_beneath(true);
}

/* At the limit a connection more is refused, and closed. */
static void test_limit(void **state)
{
    (void)state;
    int64_t handles[ALC_LIMIT_ATTESTED_SOCKETS];
    int fds[ALC_LIMIT_ATTESTED_SOCKETS];
    for (size_t i = 0; i < ALC_LIMIT_ATTESTED_SOCKETS; i++) {
        fds[i] = -1;
        if (i != 0) { /* the first is there already */
            int pair[2];
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
            fds[i] = pair[1];
            handles[i] = alc_os_linux_grant(world.system, ALC_OS_LINUX_ANY_HANDLE, pair[0],
                                            ALC_OS_LINUX_OWNED);
            assert_int_equal(
                alc_attested_os_connect(&world.server, (int32_t)handles[i], &server.demand),
                ALC_OK);
        }
    }
    int64_t last = OS(server, accept, LISTENER, 0);
    assert_true(last >= ALC_ATTESTED_FIRST_HANDLE);
    assert_int_equal(alc_attested_os_connect(&world.server, PLAIN, &server.demand),
                     ALC_E_BAD_ARGUMENT);
    for (size_t i = 1; i < ALC_LIMIT_ATTESTED_SOCKETS; i++) {
        assert_int_equal(OS(server, close, (int32_t)handles[i]), 0);
        close(fds[i]);
    }
    assert_int_equal(OS(server, close, (int32_t)last), 0);
}

int main(void)
{
    machine_make(&here, 7);
    machine_make(&there, 8);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_echo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_lingers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_poll, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lying_host, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
