/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether this machine is a confidential one: for `alcove run --tee tdx|snp`, and for the doctor.
 */
#ifndef ALC_CLI_CVM_H
#define ALC_CLI_CVM_H

#include "cli/run_options.h"

struct alc_attester;

/* What proves this machine, which lives as long as the process; ends the process unless the machine
 * proves itself as `tee` says. */
const struct alc_attester *cli_cvm_need(enum run_tee tee);
/* The same, whose evidence has the platform's certificates with it (cvm/cvm.h). */
const struct alc_attester *cli_cvm_need_with_certificates(enum run_tee tee);
/* Prints what there is. */
void cli_cvm_print(void);

#endif
