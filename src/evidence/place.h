/* SPDX-License-Identifier: Apache-2.0
 *
 * What the functions of `alcove:attest` have in common, whichever room they are of: an answer of
 * bytes goes to memory of the program, three parameters say where (out, its capacity, and where its
 * size goes), and the result is a number of errno.def.
 */
#ifndef ALC_EVIDENCE_PLACE_H
#define ALC_EVIDENCE_PLACE_H

#include "base/writer.h"
#include "host/host.h"

struct alc_guest_place {
    struct alc_guest_buffer out;
    struct alc_guest_buffer size;
};

/* `slot` has the address of out, the next ones its capacity and the address of its size. False: one
 * is not the program's memory. */
ALC_MUST_CHECK bool alc_guest_place_find(const struct alc_host_call *call, size_t slot,
                                         struct alc_guest_place *out);
/* A writer of the answer. It only writes: what the program does to the bytes meanwhile is its own
 * affair. */
void alc_guest_place_writer(const struct alc_guest_place *place, struct alc_writer *out);
/* Tells the program the size, also when the answer did not fit. */
void alc_guest_place_finish(const struct alc_guest_place *place, const struct alc_writer *writer);
alc_status alc_guest_answer(struct alc_host_call *call, int32_t result);

#endif
