/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether this machine is a confidential one: for `alcove run --tee tdx|snp`, and for the doctor.
 */
#ifndef ALC_CLI_CVM_H
#define ALC_CLI_CVM_H

#include "cli/run_options.h"

/* Ends the process unless this machine proves itself as `tee` says. */
void cli_cvm_demand(enum run_tee tee);
/* Prints what there is. */
void cli_cvm_print(void);

#endif
