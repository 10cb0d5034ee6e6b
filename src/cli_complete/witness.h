/* SPDX-License-Identifier: Apache-2.0
 *
 * The sub-command that is a witness, and what a manifest says of one.
 */
#ifndef ALC_CLI_COMPLETE_WITNESS_H
#define ALC_CLI_COMPLETE_WITNESS_H

#include "cli/cli.h"

/* cli/complete.h has the words. */
int cli_complete_witness(struct cli_arguments *arguments);
struct cli_file cli_complete_settings(bool is_signers, const char *witness_key_path);

#endif
