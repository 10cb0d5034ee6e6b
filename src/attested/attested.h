/* SPDX-License-Identifier: Apache-2.0
 *
 * Attested sockets: an os table over another os table, in which some sockets speak through channels
 * (channel/channel.h) and everything else is as beneath. A program that reads and writes such a
 * socket sees bytes, and only those of peers that were accepted. Whoever holds the table beneath
 * carries bytes, may lose or change them, and learns nothing but their number and time.
 *
 * Conventions of os/os.h hold. A socket that was refused, or was cut, fails with
 * CONNECTION_ABORTED; so long as the peer is not yet accepted, calls wait, or give AGAIN. Closing
 * one waits up to three seconds for the peer to take what was written, unless it is non-blocking.
 * Calls from several threads are allowed.
 */
#ifndef ALC_ATTESTED_ATTESTED_H
#define ALC_ATTESTED_ATTESTED_H

#include "channel/channel.h"
#include "os/over.h"

/* Handles of accepted connections: this and the following, out of the way of the tables beneath. */
enum { ALC_ATTESTED_FIRST_HANDLE = 1 << 29 };

/* One socket of the table beneath, with its channel. */
struct alc_attested_socket {
    uint32_t lock;
    bool is_used;
    bool is_nonblocking; /* to the program; beneath it always is */
    bool reading_is_shut;
    bool input_has_ended;
    bool output_is_lost;  /* the socket beneath takes no more */
    bool is_reported;     /* that it failed */
    int32_t handle;       /* the program's */
    int32_t inner_handle; /* beneath */
    struct alc_channel *channel;
    struct alc_arena arena; /* reserved beneath, for the channel */
    uint8_t out[4096];      /* taken from the channel, not yet by the socket beneath */
    size_t out_begin;
    size_t out_end;
};

struct alc_attested_listener {
    int32_t handle;
    const struct alc_channel_demand *demand;
};

/* Is told of each connection that failed, once. The channel is lent for the call; the call MUST NOT
 * use the table. */
struct alc_attested_report {
    void (*failed)(void *context, const struct alc_channel *channel); /* NULL: nobody is told */
    void *context;
};

struct alc_attested_os {
    struct alc_os_over over; /* the context of its os: first */
    struct alc_os_operations operations;
    struct alc_channel_identity *identity;
    struct alc_random random;          /* the table's beneath */
    struct alc_attested_report report; /* the caller's to set */
    uint32_t listeners_count;
    struct alc_attested_listener listeners[ALC_LIMIT_ATTESTED_SOCKETS];
    uint32_t connections_count;
    int32_t connections[ALC_LIMIT_ATTESTED_SOCKETS]; /* nothing beneath, also when closed */
    struct alc_attested_socket sockets[ALC_LIMIT_ATTESTED_SOCKETS];
};

/* `identity` is borrowed, and what this side shows to all peers. */
void alc_attested_os_init(struct alc_attested_os *table, const struct alc_os *inner,
                          struct alc_channel_identity *identity);
/* From now on what is accepted from this listening socket is attested. `demand` is borrowed.
 * ALC_E_BAD_ARGUMENT when there are too many. */
ALC_MUST_CHECK alc_status alc_attested_os_listen(struct alc_attested_os *table, int32_t handle,
                                                 const struct alc_channel_demand *demand);
/* From now on this connected socket is attested, with this side as the client. Statuses of
 * alc_channel_open; ALC_E_BAD_ARGUMENT when there are too many, ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_attested_os_connect(struct alc_attested_os *table, int32_t handle,
                                                  const struct alc_channel_demand *demand);
/* Copies what is known about the peer of a socket and gives 0, when it was accepted; waits for that
 * as reading would. CONNECTION_ABORTED when it was refused (and *out says why), BAD_DESCRIPTOR when
 * the handle is no attested socket: minus these. */
int64_t alc_attested_get_peer(struct alc_attested_os *table, int32_t handle,
                              struct alc_channel_peer *out);
/* Ends all connections and wipes their keys. */
void alc_attested_os_fini(struct alc_attested_os *table);

#endif
