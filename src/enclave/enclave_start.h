/* SPDX-License-Identifier: Apache-2.0
 *
 * What entry.S and the C code of this room call in each other. Inside the room only.
 */
#ifndef ALC_ENCLAVE_ENCLAVE_START_H
#define ALC_ENCLAVE_ENCLAVE_START_H

#include "base/status.h"

/* How an ecall ends: RAX and RDX. */
struct alc_enclave_exit {
    uint64_t reason; /* ALC_EXIT_* */
    uint64_t value;
};

/* Not 0: no entry gets further than a refusal. Never goes back to 0. */
extern uint64_t alc_enclave_poisoned __attribute__((visibility("hidden")));
void alc_enclave_set_poisoned(void);

/* Called by entry.S with the host's registers. */
struct alc_enclave_exit alc_enclave_start(uint64_t raw_ecall, uint64_t raw_base, uint64_t raw_size);
uint64_t alc_enclave_exception(void);

/* In entry.S. */
ALC_NORETURN void alc_enclave_leave_refused(uint64_t hint);
ALC_NORETURN void alc_enclave_stop(void);

#endif
