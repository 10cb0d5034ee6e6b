/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence of an SGX enclave: a report of the processor for the machine's quoting enclave, and what
 * that makes of it. The way there leads through the host (sgx_arch/quoting.h), so all that comes
 * back is bytes of a limited size, which whoever relies on them judges.
 */
#ifndef ALC_EVIDENCE_QUOTING_H
#define ALC_EVIDENCE_QUOTING_H

#include "attest/attester.h"
#include "os/os.h"
#include "sgx_arch/quoting.h"

struct alc_quoting {
    struct alc_os *os;
    /* EREPORT, see alc_tee_report. */
    alc_status (*report)(const struct alc_sgx_target_info *target, const uint8_t data[64],
                         struct alc_sgx_report *out);
};

/* Makes `out` an attester over `quoting`; both are the caller's and stay. It is used by one thread
 * at a time. */
void alc_quoting_attester(struct alc_quoting *quoting, struct alc_attester *out);

#endif
