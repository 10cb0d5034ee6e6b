/* SPDX-License-Identifier: Apache-2.0
 *
 * The quoting service of the emulator: quotes in the form of Intel's DCAP, version 3, for enclaves
 * that run emulated, and the collateral that goes with them. It does what the services of a machine
 * with SGX do, so that all that makes, carries and judges evidence can be run anywhere.
 *
 * What it signs PROVES NOTHING: its keys are fixed and public, everybody can sign the same. So its
 * root has a known certificate (attest/appraise.h), which verifiers refuse unless they are told
 * otherwise, and all its reports say DEBUG.
 */
#ifndef ALC_SGX_EMU_QUOTE_QUOTING_H
#define ALC_SGX_EMU_QUOTE_QUOTING_H

#include "base/writer.h"
#include "sgx_arch/arch.h"

enum { ALC_EMULATED_QUOTE_SIZE_MAX = 8192, ALC_EMULATED_COLLATERAL_SIZE_MAX = 16384 };

/* For whom an enclave has to make the report that is to be quoted. */
void alc_emulated_target_info(struct alc_sgx_target_info *out);
/* Appends the quote for a report. ALC_E_REPORT_MISMATCH when no emulated enclave made it for this
 * service. */
ALC_MUST_CHECK alc_status alc_emulated_quote(const struct alc_sgx_report *report,
                                             struct alc_writer *out);
/* Appends the collateral of all these quotes, as alc_pcs_collateral_read wants it. */
void alc_emulated_collateral(struct alc_writer *out);
/* Appends the root's certificate, DER. */
void alc_emulated_root(struct alc_writer *out);

#endif
