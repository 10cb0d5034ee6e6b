/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of the one region of untrusted memory that an enclave and its host share. Nothing in it is
 * believed by either side: the inside keeps private copies of every position and of what it asked
 * (client.h), the outside checks every offset against this layout (dispatch.h). The README of this
 * room is the protocol in words; hostcall.host lists the calls.
 *
 *   region   = header page, then ALC_LIMIT_ENCLAVE_THREADS channels (thread i of the enclave uses
 *              channel i and no other)
 *   channel  = control page (positions, request slots, completion slots), then the payload arena
 *
 * Words are 8 bytes, aligned, little-endian. The inside reads and writes the region in such words
 * only (hostcall/outside.h).
 */
#ifndef ALC_HOSTCALL_RING_H
#define ALC_HOSTCALL_RING_H

#include "base/limits.h"

/* Grows with every change of this file or of hostcall.host. */
enum { ALC_RING_VERSION = 3 };
enum { ALC_RING_PAGE_SIZE = 4096 };
/* Slots of each of the two rings of a channel; a power of two. */
enum { ALC_RING_SLOTS = 16 };
enum { ALC_RING_SLOT_WORDS = 8, ALC_RING_ARGS = 5 };

/* One request or one completion. The completion of a request repeats its `seq` and `op`. */
struct alc_ring_slot {
    uint32_t seq;   /* of the request; never 0; counts per channel */
    uint16_t op;    /* enum alc_hostcall_op */
    uint16_t flags; /* 0 */
    /* The call's scalars in the order of its row, each at its natural alignment; a counted piece
     * stands here as its 32-bit byte size. In a completion: the `out` scalars, likewise. */
    uint64_t args[ALC_RING_ARGS];
    /* The call's part of the payload arena, allocated by the inside. Its pieces lie in the order of
     * the row, each starting at a multiple of 8. */
    uint32_t buf_offset;
    uint32_t buf_size;
    int64_t result; /* completion: >= 0 or minus a number of os/errno.def; request: 0 */
};
_Static_assert(sizeof(struct alc_ring_slot) == 64, "one cache line, eight words");

/* Written by the host before the first entry; the stop flag at any time. */
struct alc_ring_header {
    uint64_t magic;
    uint64_t version;
    uint64_t threads_count; /* channels behind this page */
    uint64_t channel_size;
    /* Not 0: the host wants the program to stop (deadline, Ctrl-C). A wish, not to be relied on. */
    uint64_t stop_flag ALC_ALIGNED(64);
    /* enum alc_ring_processor: what the host says of the processor, which an enclave cannot ask. A
     * lie makes an instruction fault, or leaves one unused. */
    uint64_t processor;
};
enum alc_ring_processor { ALC_RING_PROCESSOR_SHA = 1 << 0 };
#define ALC_RING_MAGIC UINT64_C(0x474e495245564c41) /* "ALVERING", read as bytes */

/* Positions count slots for ever and are taken modulo ALC_RING_SLOTS. Each stands on its own cache
 * line and has one writer. */
struct alc_ring_control {
    uint64_t request_tail ALC_ALIGNED(64);    /* inside: slots pushed */
    uint64_t request_head ALC_ALIGNED(64);    /* outside: slots taken */
    uint64_t completion_tail ALC_ALIGNED(64); /* outside: slots answered */
    uint64_t completion_head ALC_ALIGNED(64); /* inside: answers taken */
    struct alc_ring_slot requests[ALC_RING_SLOTS];
    struct alc_ring_slot completions[ALC_RING_SLOTS];
};
_Static_assert(sizeof(struct alc_ring_control) <= ALC_RING_PAGE_SIZE, "control page");
_Static_assert((ALC_RING_SLOTS & (ALC_RING_SLOTS - 1)) == 0, "positions are masked");

struct alc_ring_channel {
    struct alc_ring_control control ALC_ALIGNED(4096);
    uint8_t payload[ALC_LIMIT_HOSTCALL_BUFFER] ALC_ALIGNED(4096);
};

struct alc_ring_region {
    struct alc_ring_header header ALC_ALIGNED(4096);
    struct alc_ring_channel channels[ALC_LIMIT_ENCLAVE_THREADS];
};
_Static_assert(sizeof(struct alc_ring_channel) == ALC_RING_PAGE_SIZE + ALC_LIMIT_HOSTCALL_BUFFER,
               "the payload follows the control page");
_Static_assert(sizeof(struct alc_ring_region) % ALC_RING_PAGE_SIZE == 0, "whole pages");

/* What the host allocates (zeroed, aligned to 4096) and hands over at EENTER. */
enum { ALC_RING_REGION_SIZE = sizeof(struct alc_ring_region) };

#endif
