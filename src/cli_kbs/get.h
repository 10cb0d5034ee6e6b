/* SPDX-License-Identifier: Apache-2.0
 *
 * The sub-commands of a key broker's clients; each returns the exit code.
 */
#ifndef ALC_CLI_KBS_GET_H
#define ALC_CLI_KBS_GET_H

#include "cli/cli.h"

int kbs_get(struct cli_arguments *arguments);
int kbs_put(struct cli_arguments *arguments);
int kbs_delete(struct cli_arguments *arguments);
int kbs_policy(struct cli_arguments *arguments);

#endif
