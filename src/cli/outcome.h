/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the user how a program ended.
 */
#ifndef ALC_CLI_OUTCOME_H
#define ALC_CLI_OUTCOME_H

#include "cli/cli.h"
#include "workload/workload.h"

/* Prints why the program stopped unless it ended normally: reason, byte offset, backtrace with
 * names looked up in `module`. Returns the exit code of the process. `outcome` comes from the
 * enclave's side of the boundary: every number in it is checked. */
int cli_outcome_print(const char *module_path, const struct cli_file *module,
                      const struct alc_outcome *outcome);
/* Phase, fuel, memory: for `--report`. `tee`: the confidential machine that it ran in, or NULL. */
void cli_outcome_print_report(const struct alc_outcome *outcome, const char *tee);

#endif
