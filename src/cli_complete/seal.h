/* SPDX-License-Identifier: Apache-2.0
 *
 * The sub-command that looks after sealed directories, with keys from files.
 */
#ifndef ALC_CLI_COMPLETE_SEAL_H
#define ALC_CLI_COMPLETE_SEAL_H

#include "cli/cli.h"
#include "seal/seal.h"

/* Reads a key file of a sealed mount; ends the process with CLI_USAGE when it is none. The caller
 * wipes `key`. */
void cli_complete_read_seal_key(const char *path, uint8_t key[ALC_SEAL_KEY_SIZE]);
/* `alcove seal`: the exit code. */
int cli_complete_seal(struct cli_arguments *arguments);

#endif
