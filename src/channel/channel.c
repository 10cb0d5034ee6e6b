/* SPDX-License-Identifier: Apache-2.0
 *
 * The states of a channel: the handshake, in whose middle the peer's certificate is looked at; the
 * exchange of proofs, where both sides speak of them; then bytes.
 */
#include "channel/channel.h"

#include "base/bytes.h"
#include "channel/channel_internal.h"

enum { MESSAGE_SIZE = ALC_MESSAGE_HEAD_SIZE + ALC_LIMIT_CHANNEL_MESSAGE_SIZE };

/* -- queues -- */

void alc_queue_append(struct alc_channel_queue *queue, const uint8_t *bytes, size_t size)
{
    ALC_ASSERT(size <= alc_queue_room(queue));
    if (size > queue->size - queue->end) {
        alc_move(queue->bytes, queue->bytes + queue->begin, alc_queue_used(queue));
        queue->end -= queue->begin;
        queue->begin = 0;
    }
    alc_copy(queue->bytes + queue->end, bytes, size);
    queue->end += size;
}

size_t alc_queue_take(struct alc_channel_queue *queue, uint8_t *buf, size_t buf_size)
{
    size_t size = alc_queue_used(queue);
    size = size < buf_size ? size : buf_size;
    if (size != 0) {
        alc_copy(buf, queue->bytes + queue->begin, size);
        queue->begin += size;
    }
    if (queue->begin == queue->end) {
        queue->begin = 0;
        queue->end = 0;
    }
    return size;
}

/* -- start and end -- */

static const struct {
    size_t offset;
    size_t size;
} parts[] = {
    {offsetof(struct alc_channel, heap.bytes), ALC_CHANNEL_TLS_SIZE},
    {offsetof(struct alc_channel, in.bytes), ALC_TLS_RECORD_SIZE_MAX},
    {offsetof(struct alc_channel, out.bytes), ALC_TLS_RECORD_SIZE_MAX},
    {offsetof(struct alc_channel, certificate), ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE},
    {offsetof(struct alc_channel, work), ALC_CHANNEL_WORK_SIZE},
    {offsetof(struct alc_channel, exchange.message), MESSAGE_SIZE},
    {offsetof(struct alc_channel, exchange.out.bytes), MESSAGE_SIZE},
};
enum { PART_ALIGNMENT = 16, PART_SLACK = 64 }; /* red zones, in builds that have them */

size_t alc_channel_memory_size(void)
{
    size_t size = sizeof(struct alc_channel) + PART_SLACK;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(parts); i++) {
        size += parts[i].size + PART_SLACK;
    }
    return size;
}

static void advance(struct alc_channel *channel);

static alc_status take_memory(struct alc_arena *arena, struct alc_channel **out)
{
    struct alc_channel *channel = alc_arena_take_array(arena, 1, sizeof *channel, PART_ALIGNMENT);
    if (channel == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(parts); i++) {
        uint8_t *bytes = alc_arena_take(arena, parts[i].size, PART_ALIGNMENT);
        if (bytes == NULL) {
            return ALC_E_OUT_OF_MEMORY;
        }
        alc_copy((uint8_t *)channel + parts[i].offset, &bytes, sizeof bytes);
    }
    alc_pool_heap_init(&channel->heap, channel->heap.bytes, ALC_CHANNEL_TLS_SIZE);
    channel->in.size = ALC_TLS_RECORD_SIZE_MAX;
    channel->out.size = ALC_TLS_RECORD_SIZE_MAX;
    channel->exchange.out.size = MESSAGE_SIZE;
    *out = channel;
    return ALC_OK;
}

alc_status alc_channel_open(struct alc_arena *arena, const struct alc_channel_options *options,
                            struct alc_channel **out)
{
    const size_t mark = alc_arena_mark(arena);
    struct alc_channel *channel;
    if (options->identity == NULL ? options->role == ALC_CHANNEL_SERVER
                                  : options->identity->dialect != options->demand->dialect) {
        return ALC_E_BAD_ARGUMENT;
    }
    alc_status status = take_memory(arena, &channel);
    if (status == ALC_OK) {
        channel->role = options->role;
        channel->identity = options->identity;
        channel->demand = options->demand;
        channel->random = options->random;
        channel->now_s = options->now_s;
        channel->peer.status = ALC_E_NO_EVIDENCE;
        channel->peer.check = ALC_CHECKS;
        status = alc_tls_init(channel);
        if (status != ALC_OK) {
            alc_channel_fini(channel);
        }
    }
    if (status != ALC_OK) {
        alc_arena_reset(arena, mark);
        return status;
    }
    *out = channel;
    advance(channel); /* a client speaks first */
    return ALC_OK;
}

void alc_channel_fini(struct alc_channel *channel)
{
    alc_tls_fini(channel);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(parts); i++) {
        uint8_t *bytes;
        alc_copy(&bytes, (uint8_t *)channel + parts[i].offset, sizeof bytes);
        alc_wipe(bytes, parts[i].size);
    }
    alc_wipe(channel, sizeof *channel);
}

void alc_channel_fail(struct alc_channel *channel, alc_status status)
{
    ALC_ASSERT(status != ALC_OK);
    if (channel->state != ALC_CHANNEL_FAILED) {
        channel->state = ALC_CHANNEL_FAILED;
        channel->status = status;
    }
}

/* -- the peer's certificate -- */

alc_status alc_channel_judge_proof(struct alc_channel *channel,
                                   const struct alc_channel_demand *demand,
                                   const struct alc_channel_proof *proof)
{
    struct alc_arena arena;
    alc_arena_init(&arena, channel->work, ALC_CHANNEL_WORK_SIZE);
    alc_status status = alc_channel_judge(&arena, demand, proof, channel->now_s, &channel->peer);
    alc_arena_fini(&arena);
    return status;
}

/* Without proofs after the handshake the certificate is all that there is. */
static alc_status judge_certificate_alone(struct alc_channel *channel)
{
    const struct alc_channel_demand *demand = channel->demand;
    struct alc_channel_proof proof;
    alc_status status = channel->has_peer_certificate
                            ? alc_channel_proof_of(&channel->peer_certificate, demand, &proof)
                            : ALC_E_NO_EVIDENCE;
    if (status == ALC_OK && !demand->accepts_stale) {
        status = ALC_E_NOT_FRESH;
    }
    if (status == ALC_OK) {
        return alc_channel_judge_proof(channel, demand, &proof);
    }
    if (demand->accepts_unattested) {
        status = ALC_OK;
    }
    channel->peer.status = status;
    return status;
}

static alc_status read_certificate(struct alc_channel *channel)
{
    struct alc_own_certificate *certificate = &channel->peer_certificate;
    struct alc_reader reader;
    if (channel->certificate_size > ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE) {
        return ALC_E_CERTIFICATE_SIZE;
    }
    alc_reader_init(&reader, channel->certificate, channel->certificate_size, NULL);
    ALC_TRY(alc_own_certificate_read(&reader, certificate));
    if (channel->now_s < certificate->not_before_s || channel->now_s > certificate->not_after_s) {
        return ALC_E_NOT_CURRENT;
    }
    alc_sha256(channel->certificate, channel->certificate_size, channel->certificate_sha256);
    channel->has_peer_certificate = true;
    return ALC_OK;
}

/* -- states -- */

static void enter_after_handshake(struct alc_channel *channel)
{
    alc_status status = ALC_OK;
    channel->exchanges = alc_tls_exchanges(channel);
    if (channel->exchanges) {
        status = alc_exchange_init(channel);
    } else if (channel->certificate_status == ALC_OK || channel->demand->accepts_unattested) {
        status = judge_certificate_alone(channel);
    } else {
        status = channel->certificate_status;
        channel->peer.status = status;
    }
    if (status != ALC_OK) {
        alc_channel_fail(channel, status);
        alc_tls_say_failed(channel);
    }
}

/* A certificate that is not good does not end the handshake: a client that refuses in its middle
 * cannot tell the server, whose alerts are encrypted by then as ours are not yet. Nothing but the
 * handshake's own messages is sent before it is acted upon. */
static enum alc_tls_result advance_handshake(struct alc_channel *channel)
{
    while (!channel->handshake_is_over) {
        enum alc_tls_result result = alc_tls_handshake_step(channel, &channel->handshake_is_over);
        if (channel->certificate_is_new) {
            channel->certificate_is_new = false;
            channel->certificate_status = read_certificate(channel);
        }
        if (result != ALC_TLS_DONE) {
            return result;
        }
    }
    return ALC_TLS_DONE;
}

static void conclude(struct alc_channel *channel, enum alc_tls_result result)
{
    if (result == ALC_TLS_ENDED) {
        if (channel->state == ALC_CHANNEL_OPEN) {
            channel->state = ALC_CHANNEL_CLOSED;
        } else {
            alc_channel_fail(channel, ALC_E_PEER_REFUSED);
        }
    }
}

static void advance(struct alc_channel *channel)
{
    enum alc_tls_result result = ALC_TLS_DONE;
    if (channel->state != ALC_CHANNEL_OPENING) {
        return;
    }
    if (!channel->handshake_is_over) {
        result = advance_handshake(channel);
        if (result == ALC_TLS_DONE) {
            enter_after_handshake(channel);
        } else if (result == ALC_TLS_FAILS && channel->status == ALC_E_TLS_FAILED) {
            alc_tls_say_failed(channel);
        }
    }
    if (result == ALC_TLS_DONE && channel->state == ALC_CHANNEL_OPENING && channel->exchanges) {
        result = alc_exchange_advance(channel);
        if (result == ALC_TLS_FAILS) {
            alc_tls_say_farewell(channel);
        }
    }
    conclude(channel, result);
    if (result == ALC_TLS_DONE && channel->state == ALC_CHANNEL_OPENING) {
        channel->state = ALC_CHANNEL_OPEN;
    }
}

/* -- what the caller sees -- */

enum alc_channel_state alc_channel_state(const struct alc_channel *channel)
{
    return channel->state;
}

alc_status alc_channel_status(const struct alc_channel *channel)
{
    return channel->status;
}

const struct alc_channel_peer *alc_channel_get_peer(const struct alc_channel *channel)
{
    return &channel->peer;
}

const char *alc_channel_peer_reason(const struct alc_channel *channel)
{
    return channel->peer_reason;
}

size_t alc_channel_receive_room(const struct alc_channel *channel)
{
    return alc_queue_room(&channel->in);
}

size_t alc_channel_receive(struct alc_channel *channel, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size && channel->state != ALC_CHANNEL_FAILED) {
        size_t room = alc_queue_room(&channel->in);
        size_t piece = size - taken < room ? size - taken : room;
        if (piece == 0) {
            break;
        }
        alc_queue_append(&channel->in, bytes + taken, piece);
        taken += piece;
        advance(channel);
    }
    return taken;
}

void alc_channel_receive_end(struct alc_channel *channel)
{
    channel->input_ended = true;
    advance(channel);
}

size_t alc_channel_transmit_size(const struct alc_channel *channel)
{
    return alc_queue_used(&channel->out);
}

size_t alc_channel_transmit(struct alc_channel *channel, uint8_t *buf, size_t buf_size)
{
    size_t size = alc_queue_take(&channel->out, buf, buf_size);
    advance(channel); /* what waited for space */
    return size;
}

size_t alc_channel_write(struct alc_channel *channel, const uint8_t *bytes, size_t size)
{
    size_t written = 0;
    bool is_open = channel->state == ALC_CHANNEL_OPEN || channel->state == ALC_CHANNEL_CLOSED;
    if (is_open && !channel->is_shut) {
        (void)alc_tls_write(channel, bytes, size, &written);
    }
    return written;
}

size_t alc_channel_read(struct alc_channel *channel, uint8_t *buf, size_t buf_size)
{
    size_t size = 0;
    if (channel->state == ALC_CHANNEL_OPEN && buf_size != 0) {
        conclude(channel, alc_tls_read(channel, buf, buf_size, &size));
    }
    return size;
}

size_t alc_channel_read_size(struct alc_channel *channel)
{
    size_t size = 0;
    if (channel->state == ALC_CHANNEL_OPEN) {
        conclude(channel, alc_tls_available(channel, &size));
    }
    return size;
}

bool alc_channel_is_shut(const struct alc_channel *channel)
{
    return channel->is_shut;
}

void alc_channel_shutdown(struct alc_channel *channel)
{
    if (!channel->is_shut && channel->state != ALC_CHANNEL_FAILED) {
        channel->is_shut = true;
        alc_tls_say_farewell(channel);
    }
}

size_t alc_channel_tls_peak(const struct alc_channel *channel)
{
    return channel->heap.peak;
}
