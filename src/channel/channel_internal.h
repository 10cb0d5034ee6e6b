/* SPDX-License-Identifier: Apache-2.0
 *
 * One channel: TLS with its memory (tls.c), the exchange of proofs (exchange.c), and the states
 * (channel.c).
 */
#ifndef ALC_CHANNEL_CHANNEL_INTERNAL_H
#define ALC_CHANNEL_CHANNEL_INTERNAL_H

#include <mbedtls/ssl.h>

#include "base/arena.h"
#include "channel/channel.h"
#include "crypto/pool.h"

enum {
    ALC_TLS_RECORD_SIZE_MAX = 16384 + 256 + 5,
    ALC_TLS_PLAIN_SIZE_MAX = 16384,
    ALC_CHANNEL_WORK_SIZE = 64 * 1024, /* for judging */
    ALC_CHANNEL_EXPORTER_SIZE = 32,
    ALC_CHANNEL_REASON_SIZE = 64,
    ALC_MESSAGE_HEAD_SIZE = 4,
};

/* Bytes on their way, from `begin` to `end`. */
struct alc_channel_queue {
    uint8_t *bytes;
    size_t size;
    size_t begin;
    size_t end;
};

/* What TLS says of a step. */
enum alc_tls_result {
    ALC_TLS_DONE,
    ALC_TLS_WAITS, /* for bytes from the network, or for space */
    ALC_TLS_ENDED, /* the peer said farewell */
    ALC_TLS_FAILS, /* channel->status says why */
};

enum alc_exchange_step {
    ALC_EXCHANGE_HELLO, /* is sent first, then the peer's awaited; so the others */
    ALC_EXCHANGE_PROOF,
    ALC_EXCHANGE_VERDICT,
    ALC_EXCHANGE_DONE,
};

struct alc_exchange {
    enum alc_exchange_step step;
    bool is_sent; /* this step's message lies in `out` */
    bool is_known_offered;
    uint8_t nonce[ALC_SHA256_SIZE];              /* ours, for the peer's proof */
    uint8_t peer_nonce[ALC_SHA256_SIZE];         /* the peer's, for ours */
    uint8_t exporter[ALC_CHANNEL_EXPORTER_SIZE]; /* secret */
    struct alc_channel_secret known;             /* agreed on before, offered to the peer */
    struct alc_channel_secret peer_known;        /* the same, offered by the peer; named by it */
    bool is_peer_known;
    struct alc_channel_queue out; /* the message being sent */
    uint8_t *message;             /* the one being received, with its head */
    size_t message_size;          /* so far */
};

struct alc_channel {
    enum alc_channel_role role;
    enum alc_channel_state state;
    alc_status status;
    struct alc_channel_identity *identity;
    const struct alc_channel_demand *demand;
    const struct alc_random *random;
    int64_t now_s;
    bool is_shut; /* we said farewell */
    bool input_ended;
    /* -- TLS -- */
    struct alc_pool_heap heap;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt own_certificate;
    mbedtls_pk_context own_key;
    struct alc_channel_queue in;  /* from the network */
    struct alc_channel_queue out; /* to it */
    uint8_t *certificate;         /* the peer's, DER */
    size_t certificate_size;
    bool certificate_is_new; /* and not yet read */
    alc_status certificate_status;
    uint8_t certificate_sha256[ALC_SHA256_SIZE];
    /* -- judging -- */
    bool handshake_is_over;
    bool exchanges; /* both sides speak of proofs after the handshake */
    bool has_peer_certificate;
    struct alc_own_certificate peer_certificate; /* borrows from `certificate` */
    struct alc_exchange exchange;
    uint8_t *work;
    struct alc_channel_peer peer;
    char peer_reason[ALC_CHANNEL_REASON_SIZE];
};

/* -- channel.c -- */

/* Ends the channel; the first reason wins. */
void alc_channel_fail(struct alc_channel *channel, alc_status status);
/* Into channel->peer. */
alc_status alc_channel_judge_proof(struct alc_channel *channel,
                                   const struct alc_channel_demand *demand,
                                   const struct alc_channel_proof *proof);
void alc_queue_append(struct alc_channel_queue *queue, const uint8_t *bytes, size_t size);
size_t alc_queue_take(struct alc_channel_queue *queue, uint8_t *buf, size_t buf_size);
static inline size_t alc_queue_used(const struct alc_channel_queue *queue)
{
    return queue->end - queue->begin;
}
static inline size_t alc_queue_room(const struct alc_channel_queue *queue)
{
    return queue->size - alc_queue_used(queue);
}

/* -- tls.c -- */

ALC_MUST_CHECK alc_status alc_tls_init(struct alc_channel *channel);
void alc_tls_fini(struct alc_channel *channel);
/* One step of the handshake. A certificate of the peer's is kept, and is new then. */
enum alc_tls_result alc_tls_handshake_step(struct alc_channel *channel, bool *is_over);
/* Whether the peer speaks of proofs; known once its certificate is. */
bool alc_tls_exchanges(const struct alc_channel *channel);
enum alc_tls_result alc_tls_read(struct alc_channel *channel, uint8_t *buf, size_t buf_size,
                                 size_t *out_size);
/* Writes at most one record, and only when all of it finds space. */
enum alc_tls_result alc_tls_write(struct alc_channel *channel, const uint8_t *bytes, size_t size,
                                  size_t *out_size);
/* Bytes that can be read at once. */
enum alc_tls_result alc_tls_available(struct alc_channel *channel, size_t *out_size);
/* RFC 8446, 7.5. */
ALC_MUST_CHECK alc_status alc_tls_export(struct alc_channel *channel, const char *label,
                                         const uint8_t *context, size_t context_size, uint8_t *out,
                                         size_t out_size);
void alc_tls_say_farewell(struct alc_channel *channel);
/* The alert that the handshake failed, or that the peer's certificate is not accepted. mbedTLS does
 * not say the first by itself everywhere. */
void alc_tls_say_failed(struct alc_channel *channel);

/* -- exchange.c -- */

/* Goes on as far as it can. DONE: each side has accepted the other. */
enum alc_tls_result alc_exchange_advance(struct alc_channel *channel);
ALC_MUST_CHECK alc_status alc_exchange_init(struct alc_channel *channel);

#endif
