/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the boundary: what the generated stubs stand on. Distrusts the host wholly. A call
 * is begun, its pieces are put into the payload arena, it is submitted (one exit), and its answer
 * is read once, compared with the private note of what was asked, and fetched up to what was
 * promised. Whatever does not fit is a lie: the call gives IO, and after ALC_LIMIT_HOSTCALL_LIES of
 * them the host is given up. The stubs themselves are generated from hostcall.host
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

/* Private to the inside; one per thread. */
struct alc_hostcall_pending {
    uint32_t seq;
    uint16_t op;
    bool answered;
    uint64_t args[ALC_RING_ARGS]; /* of the answer */
    int64_t result;
};

struct alc_hostcall_channel {
    struct alc_ring_channel *outside_channel; /* checked once, at registration */
    uint64_t request_tail;                    /* own positions; those outside are only shown */
    uint64_t completion_head;
    uint32_t next_seq;
    uint32_t pending_count; /* requests pushed and not yet flushed */
    uint32_t payload_used;  /* bytes of the arena given to them */
    uint32_t lies_count;
    struct alc_hostcall_pending pending[ALC_RING_SLOTS];
};

struct alc_hostcall_client {
    struct alc_hostcall_environment environment;
    struct alc_hostcall_channel channels[ALC_LIMIT_ENCLAVE_THREADS];
};

/* Registers the region: aligned to 4096, ALC_RING_REGION_SIZE bytes at least, no wrap, wholly
 * outside the environment's inside range, header of this version. ALC_OK or ALC_E_HOST_LIED; then
 * no call may be made. `outside_base` and `raw_size` are as the host gave them. */
ALC_MUST_CHECK alc_status alc_hostcall_client_init(
    struct alc_hostcall_client *client, const struct alc_hostcall_environment *environment,
    uint64_t outside_base, uint64_t raw_size);

#endif
