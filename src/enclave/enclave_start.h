/* SPDX-License-Identifier: Apache-2.0
 *
 * What entry.S and the C code of this room call in each other. Inside the room only.
 */
#ifndef ALC_ENCLAVE_ENCLAVE_START_H
#define ALC_ENCLAVE_ENCLAVE_START_H

#include "base/status.h"

#define ALC_HIDDEN __attribute__((visibility("hidden")))

/* How a stay ends: RAX and RDX. */
struct alc_enclave_exit {
    uint64_t reason; /* ALC_EXIT_* */
    uint64_t value;
};

/* Not 0: no entry gets further than a refusal. Never goes back to 0. */
extern uint64_t alc_enclave_poisoned ALC_HIDDEN;
void alc_enclave_set_poisoned(void);

/* Called by entry.S: with the host's registers, and on level 1. */
struct alc_enclave_exit alc_enclave_start(uint64_t raw_ecall, uint64_t raw_base, uint64_t raw_size);
struct alc_enclave_exit alc_enclave_exception(void);

/* -- in entry.S -- */

ALC_NORETURN void alc_enclave_leave_refused(uint64_t hint);
ALC_NORETURN void alc_enclave_stop(void);
/* EACCEPT of each page of [first, end), which may be empty: the first that was not accepted, or
 * `end`. *out_error is the leaf's error code for that page, or UINT64_MAX when there is none to be
 * had. `secinfo` is aligned to 64. */
uint64_t alc_enclave_accept(const void *secinfo, uint64_t first, uint64_t end, uint64_t *out_error);
/* Places in it: the instruction that may fault, and where to go then. */
extern const uint8_t alc_enclave_accept_instruction[] ALC_HIDDEN;
extern const uint8_t alc_enclave_accept_failed[] ALC_HIDDEN;

#endif
