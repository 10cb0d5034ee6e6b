/* SPDX-License-Identifier: Apache-2.0
 *
 * Where `alcove verify` and `alcove explain` find what they need. Judging evidence stands on
 * crypto/, which cannot be built everywhere: the program carries it if it can (cli_attest/), and
 * says so if not.
 */
#ifndef ALC_CLI_ATTESTATION_H
#define ALC_CLI_ATTESTATION_H

#include "cli/cli.h"

struct cli_attestation {
    /* The sub-commands; each returns the exit code. */
    int (*verify)(struct cli_arguments *arguments);
    int (*explain)(struct cli_arguments *arguments);
};

/* Before main; borrowed. */
void cli_attestation_register(const struct cli_attestation *attestation);

#endif
