/* SPDX-License-Identifier: Apache-2.0
 *
 * The outside of the boundary: takes the requests of one channel, does them against a struct alc_os
 * and answers. Whoever filled the region is distrusted: slots are copied before they are looked at,
 * every piece must lie in the channel's payload arena, and only handles that the alc_os knows can
 * be named. A malformed request is answered with INVALID; nothing outside the region is read for
 * it. The pieces themselves stay shared while the alc_os uses them, so it must fetch what it
 * decides on once.
 */
#ifndef ALC_HOSTCALL_DISPATCH_H
#define ALC_HOSTCALL_DISPATCH_H

#include "hostcall/ring.h"
#include "os/os.h"

/* One per thread of the enclave; only the thread that serves it may touch it. */
struct alc_hostcall_server {
    struct alc_ring_channel *channel; /* borrowed */
    const struct alc_os *os;          /* borrowed */
    uint64_t request_head;            /* own copies of what the control page shows */
    uint64_t completion_tail;
};

/* Fills in the header page. `region` has ALC_RING_REGION_SIZE zeroed bytes, aligned to 4096. */
void alc_hostcall_region_init(struct alc_ring_region *region);
/* Serves channel `thread_index` (< ALC_LIMIT_ENCLAVE_THREADS) of `region` with `os`. Both stay the
 * caller's and must outlive the server. */
void alc_hostcall_server_init(struct alc_hostcall_server *server, struct alc_ring_region *region,
                              uint32_t thread_index, const struct alc_os *os);
/* Answers everything that the ring holds now; to be called each time the enclave leaves with the
 * reason "serve". ALC_OK, or ALC_E_BAD_ARGUMENT when the positions are impossible (then nothing was
 * done and the enclave is not worth entering again). */
ALC_MUST_CHECK alc_status alc_hostcall_serve(struct alc_hostcall_server *server);

/* -- what the generated dispatcher uses -- */

/* A private copy of one request. */
struct alc_hostcall_request {
    const struct alc_os *os;
    uint64_t args[ALC_RING_ARGS];
    uint64_t out_args[ALC_RING_ARGS];
    uint8_t *payload; /* the call's part of the arena */
    uint32_t payload_size;
    uint32_t payload_used;
    bool is_malformed; /* a piece did not lie in it */
};

uint32_t alc_hostcall_arg_u32(const struct alc_hostcall_request *request, size_t offset);
uint64_t alc_hostcall_arg_u64(const struct alc_hostcall_request *request, size_t offset);
void alc_hostcall_answer_u32(struct alc_hostcall_request *request, size_t offset, uint32_t value);
/* The next piece, aligned to 8; NULL and is_malformed when it does not fit. */
uint8_t *alc_hostcall_piece(struct alc_hostcall_request *request, uint64_t size);

#endif
