/* SPDX-License-Identifier: Apache-2.0
 *
 * Attested TLS 1.3: one side of one connection, as an engine that the caller pumps. It does no
 * input or output: bytes of the network and of the program go in and come out by calls that never
 * wait. docs/attested-channels.md is the protocol, docs/decisions/0018 the reasons.
 *
 *     network -> alc_channel_receive   alc_channel_read  -> program
 *     network <- alc_channel_transmit  alc_channel_write <- program
 *
 * After any call there may be bytes to transmit; who waits for the network transmits them first.
 * The program's bytes flow when each side has accepted the other, from state ALC_CHANNEL_OPEN on.
 * Memory comes from the caller's arena at the start. An engine is used by one thread at a time;
 * different engines, also with one identity and one demand, by any.
 */
#ifndef ALC_CHANNEL_CHANNEL_H
#define ALC_CHANNEL_CHANNEL_H

#include "channel/identity.h"
#include "channel/peer.h"

enum alc_channel_role { ALC_CHANNEL_CLIENT, ALC_CHANNEL_SERVER };

struct alc_channel_options {
    enum alc_channel_role role;
    struct alc_channel_identity *identity;   /* borrowed; NULL: a client that shows nothing */
    const struct alc_channel_demand *demand; /* borrowed */
    const struct alc_random *random;         /* borrowed */
    int64_t now_s;                           /* for dates, since 1970 */
};

enum alc_channel_state {
    ALC_CHANNEL_OPENING, /* handshake, and proofs */
    ALC_CHANNEL_OPEN,
    ALC_CHANNEL_CLOSED, /* the peer said farewell: that was all of its; ours may go on */
    ALC_CHANNEL_FAILED, /* see alc_channel_status; there may be an alert to transmit */
};

struct alc_channel; /* see channel_internal.h */

/* Memory that TLS gets: its two record buffers, the peer's certificate, the handshake. */
enum { ALC_CHANNEL_TLS_SIZE = 72 * 1024 };

/* Bytes that alc_channel_open takes from its arena. */
size_t alc_channel_memory_size(void);
/* ALC_E_OUT_OF_MEMORY, ALC_E_BAD_ARGUMENT (a server without an identity, an identity in another
 * dialect than the demand's), statuses of `random`. */
ALC_MUST_CHECK alc_status alc_channel_open(struct alc_arena *arena,
                                           const struct alc_channel_options *options,
                                           struct alc_channel **out);
/* Wipes keys and contents. MUST be called for every channel that was opened. */
void alc_channel_fini(struct alc_channel *channel);

enum alc_channel_state alc_channel_state(const struct alc_channel *channel);
/* ALC_OK, or why the channel failed: statuses of alc_channel_judge and of reading certificates;
 * ALC_E_NO_EVIDENCE, ALC_E_NOT_FRESH, ALC_E_NOT_CURRENT (certificate), ALC_E_PEER_REFUSED,
 * ALC_E_DIALECT_REFUSED (also of a client that offers no protocol of ours),
 * ALC_E_TLS_FAILED, ALC_E_CONNECTION_CUT; statuses of an attester. */
alc_status alc_channel_status(const struct alc_channel *channel);
/* The judgement about the peer, once there is one; before, its status is ALC_E_NO_EVIDENCE. */
const struct alc_channel_peer *alc_channel_get_peer(const struct alc_channel *channel);
/* The name of the peer's reason when it refused and said why, NUL-terminated; else empty. It is the
 * peer's word: letters, digits and `_` alone. */
const char *alc_channel_peer_reason(const struct alc_channel *channel);

/* How many bytes from the network could be taken now: 0 when those taken before must be read. */
size_t alc_channel_receive_room(const struct alc_channel *channel);
/* Takes bytes that came from the network; gives how many, which is fewer than `size` when the room
 * is less or the channel has failed. */
size_t alc_channel_receive(struct alc_channel *channel, const uint8_t *bytes, size_t size);
/* The network has ended: ALC_E_CONNECTION_CUT unless the peer had said farewell. */
void alc_channel_receive_end(struct alc_channel *channel);
/* How many bytes wait to be transmitted. */
size_t alc_channel_transmit_size(const struct alc_channel *channel);
/* Hands out up to `buf_size` of them. */
size_t alc_channel_transmit(struct alc_channel *channel, uint8_t *buf, size_t buf_size);

/* Takes up to `size` bytes of the program; gives how many. 0: not open, or transmit first. */
size_t alc_channel_write(struct alc_channel *channel, const uint8_t *bytes, size_t size);
/* Hands out up to `buf_size` bytes from the peer's program. 0: none are here yet, or the state is
 * no longer ALC_CHANNEL_OPEN. */
size_t alc_channel_read(struct alc_channel *channel, uint8_t *buf, size_t buf_size);
/* Bytes that a read would give at once. */
size_t alc_channel_read_size(struct alc_channel *channel);
/* Whether it was said. */
bool alc_channel_is_shut(const struct alc_channel *channel);
/* Says farewell: nothing can be written any more; reading goes on. */
void alc_channel_shutdown(struct alc_channel *channel);

/* The most memory that TLS had at once, of ALC_CHANNEL_TLS_SIZE. */
size_t alc_channel_tls_peak(const struct alc_channel *channel);

#endif
