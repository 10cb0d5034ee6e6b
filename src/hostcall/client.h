/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the boundary: what every call stands on (invoke.h makes one from its row).
 * Distrusts the host wholly. A call is begun, its pieces are put into the payload arena, it is
 * submitted (one exit), and its answer is read once, compared with the private note of what was
 * asked, and fetched up to what was promised. Whatever does not fit is a lie: the call gives IO,
 * and after ALC_LIMIT_HOSTCALL_LIES of them the host is given up. The stubs themselves are
 * generated from hostcall.host
 * ("hostcall/hostcall_host.h").
 */
#ifndef ALC_HOSTCALL_CLIENT_H
#define ALC_HOSTCALL_CLIENT_H

#include "hostcall/ring.h"
#include "os/os.h"

/* What the boundary needs from the place it runs in. */
struct alc_hostcall_environment {
    /* Leaves for the host and returns when the host came back. */
    void (*leave)(void);
    /* Which channel is the calling thread's; below ALC_LIMIT_ENCLAVE_THREADS. */
    uint32_t (*thread_index)(void);
    /* Called instead of a further call once the host lied too often. Inside an enclave it does not
     * return; where it returns, calls keep giving IO without leaving. */
    void (*give_up)(void);
    /* The range that the region must stay out of: the enclave's own addresses. */
    uint64_t inside_base;
    uint64_t inside_size;
};

/* A request that was pushed and whose answer was not taken yet. */
struct alc_hostcall_pending {
    uint32_t seq;
    uint16_t op;
    bool answered;
    uint64_t args[ALC_RING_ARGS]; /* of the answer */
    int64_t result;
};

/* Private to the inside; used by one thread only. */
struct alc_hostcall_channel {
    struct alc_ring_channel *outside_channel; /* checked once, at registration */
    uint64_t request_tail;                    /* own positions; those outside are only shown */
    uint64_t completion_head;
    uint32_t next_seq;
    uint32_t payload_used; /* bytes of the arena given to pending requests, a multiple of 8 */
    uint32_t lies_count;
    uint32_t pending_count;  /* requests in pending[] */
    uint32_t unserved_count; /* the last of them, pushed and not yet shown to the host */
    struct alc_hostcall_pending pending[ALC_RING_SLOTS];
};

struct alc_hostcall_client {
    struct alc_hostcall_environment environment;
    struct alc_hostcall_channel channels[ALC_LIMIT_ENCLAVE_THREADS];
};

/* Registers the region: aligned to 4096, ALC_RING_REGION_SIZE bytes at least, no wrap, wholly
 * outside the environment's inside range, header of this version. ALC_OK or ALC_E_HOST_LIED; then
 * no call may be made. `raw_base` and `raw_size` are as the host gave them. */
ALC_MUST_CHECK alc_status alc_hostcall_client_init(
    struct alc_hostcall_client *client, const struct alc_hostcall_environment *environment,
    uint64_t raw_base, uint64_t raw_size);

/* -- what generated stubs use; `room` is a piece of the payload arena -- */

struct alc_hostcall_room {
    uint32_t offset; /* in the payload arena, a multiple of 8 */
    uint32_t size;
};

struct alc_hostcall_call {
    struct alc_hostcall_client *client;
    struct alc_hostcall_channel *channel;
    uint16_t op;
    uint32_t buf_offset;
    uint32_t buf_used; /* a multiple of 8 */
    int64_t failure;   /* not 0: the call fails with this, without leaving */
    uint64_t args[ALC_RING_ARGS];
};

/* Starts a call on the calling thread's channel. `context` is the struct alc_hostcall_client. */
void alc_hostcall_begin(struct alc_hostcall_call *call, void *context, uint16_t op);
/* A scalar at byte `offset` of the slot's args, and the way back. */
void alc_hostcall_set_u32(struct alc_hostcall_call *call, size_t offset, uint32_t value);
void alc_hostcall_set_u64(struct alc_hostcall_call *call, size_t offset, uint64_t value);
uint32_t alc_hostcall_get_u32(const struct alc_hostcall_call *call, size_t offset);
/* Room for a piece that comes back: at most `size` bytes, cut to what the arena has left. */
struct alc_hostcall_room alc_hostcall_offer(struct alc_hostcall_call *call, size_t size);
struct alc_hostcall_room alc_hostcall_offer_spans(struct alc_hostcall_call *call,
                                                  const struct alc_span *spans, size_t spans_count);
/* Room for `count` items of `size` bytes, all or none: the call fails with TOO_BIG. */
struct alc_hostcall_room alc_hostcall_need(struct alc_hostcall_call *call, size_t count,
                                           size_t size);
/* Copies a name out; the call fails with NAME_TOO_LONG or TOO_BIG. */
struct alc_hostcall_room alc_hostcall_put_path(struct alc_hostcall_call *call, const uint8_t *path,
                                               size_t path_size);
/* Copies out what fits of the spans. */
struct alc_hostcall_room alc_hostcall_put_spans(struct alc_hostcall_call *call,
                                                const struct alc_span *spans, size_t spans_count);
/* Copies `size` bytes to `offset` of a room (multiples of 8). */
void alc_hostcall_put_at(struct alc_hostcall_call *call, struct alc_hostcall_room room,
                         size_t offset, const void *bytes, size_t size);
/* Pushes, leaves, and takes the answer: >= 0, or minus an errno.def number. */
int64_t alc_hostcall_submit(struct alc_hostcall_call *call);
/* Whether the host's answer is accepted. A lie is counted; a truth ends speculation about it. */
ALC_MUST_CHECK bool alc_hostcall_judge(struct alc_hostcall_call *call, bool is_truthful);
/* Copies in, from `offset` of a room; the whole MUST lie in the room. */
void alc_hostcall_fetch(struct alc_hostcall_call *call, struct alc_hostcall_room room,
                        size_t offset, void *to, size_t size);
/* Copies the room's first `size` bytes into the spans. */
void alc_hostcall_fetch_spans(struct alc_hostcall_call *call, struct alc_hostcall_room room,
                              size_t size, const struct alc_span *spans, size_t spans_count);

/* -- several requests in one exit; a submit is a push, a flush and a take -- */

/* Writes the request and returns its seq; 0 when it failed before or when the ring is full. The
 * host does not see it before the flush. */
ALC_MUST_CHECK uint32_t alc_hostcall_push(struct alc_hostcall_call *call);
/* Shows the pushed requests of the calling thread to the host, leaves once, and notes the answers.
 */
void alc_hostcall_flush(struct alc_hostcall_client *client);
/* The answer to `seq`, once, into call->args and the result; IO when there is none. Pieces of the
 * call may be fetched until the next begin on this channel after all answers are taken. */
int64_t alc_hostcall_take(struct alc_hostcall_call *call, uint32_t seq);

#endif
