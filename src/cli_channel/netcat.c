/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove listen and connect: what comes in on the standard input goes to the peer, what comes from
 * the peer goes to the standard output. The end of the input is told to the peer; the peer's
 * farewell ends the connection.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/channel.h"
#include "cli_channel/options.h"

enum { CHUNK = 16384, ADDRESS_SIZE = 256, IDENTITY_ARENA_SIZE = 65536 };

struct netcat {
    struct alc_channel *channel;
    int socket_fd;
    bool input_ended;
    bool socket_ended;
    uint8_t pending[CHUNK]; /* read from the input, not yet taken by the channel */
    size_t pending_begin;
    size_t pending_end;
};

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    for (size_t done = 0; done < buf_size;) {
        ssize_t size = getrandom(buf + done, buf_size - done, 0);
        if (size < 0 && errno != EINTR) {
            return ALC_E_IO_FAILED;
        }
        done += size > 0 ? (size_t)size : 0;
    }
    return ALC_OK;
}
static const struct alc_random system_random = {.fill = fill_random};

/* -- sockets -- */

/* What "HOST:PORT" or "[HOST]:PORT" means; ends the process when it means nothing. */
static struct addrinfo *resolve(const struct cli_arguments *arguments, const char *text, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    char host[ADDRESS_SIZE];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
        cli_usage_error(arguments, "%s: ADDRESS:PORT", text);
    }
    size_t size = (size_t)(colon - text);
    bool is_bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    alc_copy(host, text + is_bracketed, size);
    host[size - 2 * (size_t)is_bracketed] = '\0';
    int error = getaddrinfo(host, colon + 1, &hints, &found);
    if (error != 0) {
        cli_usage_error(arguments, "%s: %s", text, gai_strerror(error));
    }
    return found;
}

static int connect_to(const struct cli_arguments *arguments, const char *text)
{
    struct addrinfo *found = resolve(arguments, text, 0);
    int fd = -1;
    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    if (fd < 0) {
        cli_die(CLI_FAILED, "%s: %s", text, strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}

static int listen_on(const struct cli_arguments *arguments, const char *text)
{
    const int on = 1;
    struct addrinfo *found = resolve(arguments, text, AI_PASSIVE | AI_NUMERICHOST);
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0) {
        cli_die(CLI_FAILED, "%s: %s", text, strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}

/* The port may have been chosen by the system. */
static void say_where(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[ADDRESS_SIZE];
    char port[16];
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        bool is_six = strchr(host, ':') != NULL;
        fprintf(stderr, "alcove listen: %s%s%s:%s\n", is_six ? "[" : "", host, is_six ? "]" : "",
                port);
    }
}

/* -- the pump -- */

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = fd == STDOUT_FILENO ? write(fd, bytes + done, size - done)
                                            : send(fd, bytes + done, size - done, MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* Sends what waits; a network that takes nothing has ended. */
static void transmit(struct netcat *netcat)
{
    uint8_t bytes[CHUNK];
    size_t size;
    while ((size = alc_channel_transmit(netcat->channel, bytes, sizeof bytes)) != 0) {
        if (!netcat->socket_ended && !write_all(netcat->socket_fd, bytes, size)) {
            netcat->socket_ended = true;
        }
    }
}

static void receive(struct netcat *netcat)
{
    uint8_t bytes[CHUNK];
    size_t room = alc_channel_receive_room(netcat->channel);
    ssize_t size = read(netcat->socket_fd, bytes, room < sizeof bytes ? room : sizeof bytes);
    if (size > 0) {
        (void)alc_channel_receive(netcat->channel, bytes, (size_t)size);
    } else if (size == 0 || errno != EINTR) {
        netcat->socket_ended = true;
        alc_channel_receive_end(netcat->channel);
    }
}

static void take_input(struct netcat *netcat)
{
    ssize_t size = read(STDIN_FILENO, netcat->pending, sizeof netcat->pending);
    if (size > 0) {
        netcat->pending_begin = 0;
        netcat->pending_end = (size_t)size;
    } else if (size == 0 || errno != EINTR) {
        netcat->input_ended = true;
    }
}

/* Moves the program's bytes; false when the standard output is gone. */
static bool move_plain(struct netcat *netcat)
{
    uint8_t bytes[CHUNK];
    size_t size;
    while ((size = alc_channel_read(netcat->channel, bytes, sizeof bytes)) != 0) {
        if (!write_all(STDOUT_FILENO, bytes, size)) {
            return false;
        }
    }
    do {
        size = alc_channel_write(netcat->channel, netcat->pending + netcat->pending_begin,
                                 netcat->pending_end - netcat->pending_begin);
        netcat->pending_begin += size;
        transmit(netcat);
    } while (size != 0);
    if (netcat->input_ended && netcat->pending_begin == netcat->pending_end &&
        alc_channel_state(netcat->channel) == ALC_CHANNEL_OPEN) {
        alc_channel_shutdown(netcat->channel);
        transmit(netcat);
    }
    return true;
}

static bool pump(struct netcat *netcat)
{
    while (alc_channel_state(netcat->channel) < ALC_CHANNEL_CLOSED) {
        transmit(netcat);
        if (!move_plain(netcat)) {
            return false;
        }
        if (alc_channel_state(netcat->channel) >= ALC_CHANNEL_CLOSED) {
            break;
        }
        bool wants_input = alc_channel_state(netcat->channel) == ALC_CHANNEL_OPEN &&
                           !netcat->input_ended && netcat->pending_begin == netcat->pending_end;
        struct pollfd polls[2] = {{.fd = netcat->socket_fd, .events = POLLIN},
                                  {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN}};
        if (poll(polls, 2, -1) < 0 && errno != EINTR) {
            return false;
        }
        if (polls[0].revents != 0) {
            receive(netcat);
        }
        if (polls[1].revents != 0) {
            take_input(netcat);
        }
    }
    /* What the peer said before its farewell was read above; ours is said now. */
    alc_channel_shutdown(netcat->channel);
    transmit(netcat);
    return true;
}

/* -- one connection -- */

static int report(const struct cli_arguments *arguments, const struct alc_channel *channel)
{
    alc_status status = alc_channel_status(channel);
    const struct alc_channel_peer *peer = alc_channel_get_peer(channel);
    const char *reason = alc_channel_peer_reason(channel);
    if (status == ALC_OK) {
        return CLI_OK;
    }
    fprintf(stderr, "alcove %s: %s (%s%s%s%s%s)\n", arguments->argv[1], alc_status_text(status),
            alc_status_name(status), peer->check < ALC_CHECKS ? ", " : "",
            peer->check < ALC_CHECKS ? alc_check_name(peer->check) : "",
            reason[0] != '\0' ? ", the peer's reason: " : "", reason);
    return alc_status_class(status) == ALC_CLASS_IO ? CLI_FAILED : CLI_REFUSED;
}

static int serve(const struct cli_arguments *arguments, const struct netcat_options *options,
                 struct alc_channel_identity *identity, int fd)
{
    struct netcat netcat = {.socket_fd = fd};
    struct alc_arena arena;
    size_t size = alc_channel_memory_size();
    void *memory = cli_allocate(size);
    const struct alc_channel_options channel_options = {
        .role = arguments->command == CLI_COMMAND_listen ? ALC_CHANNEL_SERVER : ALC_CHANNEL_CLIENT,
        .identity = identity,
        .demand = &options->demand,
        .random = &system_random,
        .now_s = netcat_now_s(options),
    };
    alc_arena_init(&arena, memory, size);
    alc_status status = alc_channel_open(&arena, &channel_options, &netcat.channel);
    if (status != ALC_OK) {
        cli_die(CLI_FAILED, "%s", alc_status_text(status));
    }
    bool is_good = pump(&netcat);
    int exit_code = is_good ? report(arguments, netcat.channel) : CLI_FAILED;
    alc_channel_fini(netcat.channel);
    alc_wipe(netcat.pending, sizeof netcat.pending);
    free(memory);
    close(fd);
    return exit_code;
}

static void make_identity(const struct netcat_options *options,
                          struct alc_channel_identity *identity)
{
    struct alc_arena arena;
    void *memory = cli_allocate(IDENTITY_ARENA_SIZE);
    const struct alc_channel_identity_options identity_options = {
        .random = &system_random,
        .attester = options->attester,
        .evidence_tag = options->attester != NULL && options->attester->kind == ALC_EVIDENCE_SEV_SNP
                            ? ALC_EVIDENCE_TAG_SEV_SNP
                            : ALC_EVIDENCE_TAG_QUOTE,
        .dialect = options->demand.dialect,
        .now_s = netcat_now_s(options),
    };
    alc_arena_init(&arena, memory, IDENTITY_ARENA_SIZE);
    alc_status status = alc_channel_identity_init(identity, &arena, &identity_options);
    if (status != ALC_OK) {
        cli_die(CLI_FAILED, "no certificate: %s", alc_status_text(status));
    }
    free(memory);
}

static int run_listen(struct cli_arguments *arguments)
{
    struct netcat_options options;
    int exit_code;
    netcat_read_options(arguments, &options);
    int listener = listen_on(arguments, options.address);
    struct alc_channel_identity *identity = cli_allocate(sizeof *identity);
    say_where(listener);
    do {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            cli_die(CLI_FAILED, "%s: %s", options.address, strerror(errno));
        }
        make_identity(&options, identity); /* a certificate outlives no connection by much */
        exit_code = serve(arguments, &options, identity, fd);
        alc_channel_identity_fini(identity);
    } while (!options.is_once);
    return exit_code;
}

static int run_connect(struct cli_arguments *arguments)
{
    struct netcat_options options;
    struct alc_channel_identity *identity = NULL;
    netcat_read_options(arguments, &options);
    if (options.attester != NULL) {
        identity = cli_allocate(sizeof *identity);
        make_identity(&options, identity);
    }
    int exit_code = serve(arguments, &options, identity, connect_to(arguments, options.address));
    if (identity != NULL) {
        alc_channel_identity_fini(identity);
    }
    return exit_code;
}

static __attribute__((constructor)) void bring(void)
{
    static const struct cli_channel channel = {.listen = run_listen, .connect = run_connect};
    cli_channel_register(&channel);
}
