/* SPDX-License-Identifier: Apache-2.0
 *
 * Who proves what runs in a confidential virtual machine: the machine's own platform.
 */
#ifndef ALC_CVM_CVM_H
#define ALC_CVM_CVM_H

#include "attest/attester.h"
#include "cvm/tsm.h"

/* An attester over `files`, which is borrowed, of a provider that was found there, ALC_TSM_OTHER
 * excepted: its evidence is a quote of TDX or a report of SEV-SNP. Thread-safe. */
void alc_cvm_attester_init(struct alc_attester *attester, const struct alc_tsm_files *files,
                           enum alc_tsm_provider provider);

/* From now on its evidence is a report of SEV-SNP with the table of certificates behind it that the
 * platform gave (broker/snp_form.h says who wants that), if it gave one; that of TDX stays. */
void alc_cvm_attester_add_certificates(struct alc_attester *attester);

#endif
