/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof between enclaves of one machine, without any service: a report that the processor made for
 * this enclave, which nobody else can have made. It says nothing to others and needs no
 * collateral.
 */
#ifndef ALC_EVIDENCE_LOCAL_H
#define ALC_EVIDENCE_LOCAL_H

#include "base/status.h"
#include "sgx_arch/arch.h"

/* EGETKEY, see alc_tee_key. */
typedef alc_status alc_local_key_function(const struct alc_sgx_key_request *request,
                                          struct alc_sgx_key *out);

/* For whom others have to make their reports, so that the enclave with the report `self` can verify
 * them. */
void alc_local_target(const struct alc_sgx_report_body *self, struct alc_sgx_target_info *out);
/* Whether the processor made this report for the enclave that calls: ALC_E_REPORT_MISMATCH if not,
 * statuses of `key`. What the report says about its enclave is the caller's to judge. */
ALC_MUST_CHECK alc_status alc_local_verify(const struct alc_sgx_report *report,
                                           alc_local_key_function *key);

#endif
