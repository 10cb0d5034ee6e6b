/* SPDX-License-Identifier: Apache-2.0
 *
 * Who can prove what runs here: an enclave with its host's quoting service (enclave/), a
 * confidential virtual machine (cvm/). Whoever needs evidence is given one of these and does not
 * know which.
 */
#ifndef ALC_ATTEST_ATTESTER_H
#define ALC_ATTEST_ATTESTER_H

#include "attest/policy.h"
#include "base/writer.h"

struct alc_attester {
    /* Appends evidence for these 64 bytes of report data. ALC_E_NOT_SUPPORTED where nothing can be
     * proven; ALC_E_IO_FAILED when a service of the host failed. The evidence came through the host
     * and is not looked at: whoever relies on it does that. */
    alc_status (*evidence)(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                           struct alc_writer *out);
    void *context;
    enum alc_evidence_kind kind; /* of what it makes */
};

#endif
