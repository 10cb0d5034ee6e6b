/* SPDX-License-Identifier: Apache-2.0
 *
 * Where `alcove collateral` finds what it needs. It stands on libcurl, jansson and crypto/, which
 * are not everywhere: the program carries them if it can (cli_collateral/), and says so if not.
 */
#ifndef ALC_CLI_COLLATERAL_H
#define ALC_CLI_COLLATERAL_H

#include "cli/cli.h"

typedef int cli_command_function(struct cli_arguments *arguments);

/* Before main: what runs the sub-command. */
void cli_collateral_register(cli_command_function *run);

#endif
