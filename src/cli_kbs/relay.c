/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that carries what comes over a stream to one broker and back. What comes is an
 * enclave's, so not to be trusted: it can name paths of that broker, and nothing else.
 */
#include "cli_kbs/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/relay.h"
#include "cli_kbs/carry.h"

struct relay {
    int fd;
    struct kbs_carrier *carrier;
    uint8_t *message; /* ALC_RELAY_MESSAGE_MAX */
    uint8_t *answer;  /* so with its head */
};

static bool read_all(int fd, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t count = read(fd, (uint8_t *)bytes + done, size - done);
        if (count <= 0 && !(count < 0 && errno == EINTR)) {
            return false;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return true;
}

static bool write_all(int fd, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t count = send(fd, (const uint8_t *)bytes + done, size - done, MSG_NOSIGNAL);
        if (count <= 0 && !(count < 0 && errno == EINTR)) {
            return false;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* An enclave cannot know why nobody answers; whoever started it can be told. */
static void carry(struct relay *relay, const struct alc_broker_request *request,
                  struct alc_writer *out)
{
    struct alc_broker_answer answer = {0};
    const char *problem = kbs_carry(relay->carrier, request, NULL, &answer);
    if (problem != NULL) {
        fprintf(stderr, "alcove: key broker: %s\n", problem);
    }
    alc_relay_write_answer(out, &answer);
}

static bool serve_one(struct relay *relay)
{
    uint8_t head[ALC_RELAY_HEAD];
    struct alc_reader reader;
    struct alc_writer writer;
    struct alc_broker_request request;
    if (!read_all(relay->fd, head, sizeof head)) {
        return false;
    }
    const size_t size = alc_relay_message_size(head);
    if (size == 0 || !read_all(relay->fd, relay->message, size)) {
        return false;
    }
    alc_reader_init(&reader, relay->message, size, NULL);
    if (alc_relay_read_request(&reader, &request) != ALC_OK) {
        return false;
    }
    alc_writer_init(&writer, relay->answer, ALC_RELAY_HEAD + ALC_RELAY_MESSAGE_MAX);
    carry(relay, &request, &writer);
    return !writer.overflowed && write_all(relay->fd, relay->answer, writer.pos);
}

static void *serve(void *context)
{
    struct relay *relay = context;
    while (serve_one(relay)) {
    }
    close(relay->fd);
    kbs_carrier_close(relay->carrier);
    free(relay->message);
    free(relay->answer);
    free(relay);
    return NULL;
}

int kbs_relay(const char *url, const char *ca_path)
{
    int fds[2];
    pthread_t thread;
    struct relay *relay = cli_allocate(sizeof *relay);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        cli_die(CLI_FAILED, "no stream to a key broker: %s", strerror(errno));
    }
    *relay = (struct relay){
        .fd = fds[1],
        .carrier = kbs_carrier_open(url, ca_path),
        .message = cli_allocate(ALC_RELAY_MESSAGE_MAX),
        .answer = cli_allocate(ALC_RELAY_HEAD + ALC_RELAY_MESSAGE_MAX),
    };
    if (pthread_create(&thread, NULL, serve, relay) != 0) {
        cli_die(CLI_FAILED, "no thread for a key broker");
    }
    pthread_detach(thread);
    return fds[0];
}
