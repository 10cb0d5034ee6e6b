/* SPDX-License-Identifier: Apache-2.0
 *
 * What attested sockets need of the command line: the policy by which their peers are judged, for
 * the manifest, and endorsements of this machine, for the peers.
 */
#ifndef ALC_CLI_COMPLETE_ATTESTED_H
#define ALC_CLI_COMPLETE_ATTESTED_H

#include "cli/run_options.h"

/* Reads the files that the options name. Ends the process when one is no good. */
void cli_attested_prepare(struct run_options *options);
/* Nothing, when there are no such sockets. */
void cli_attested_add_settings(const struct run_options *options, struct alc_manifest *manifest);
/* The emulator's, in the form of channel/endorsements.h; from malloc. */
struct cli_file cli_attested_emulated_endorsements(void);

#endif
