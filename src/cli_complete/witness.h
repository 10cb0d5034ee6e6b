/* SPDX-License-Identifier: Apache-2.0
 *
 * The sub-command that is a witness.
 */
#ifndef ALC_CLI_COMPLETE_WITNESS_H
#define ALC_CLI_COMPLETE_WITNESS_H

#include "cli/cli.h"

/* cli/complete.h has the words. */
int cli_complete_witness(struct cli_arguments *arguments);

#endif
