/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of struct cli_complete that are about proof; see cli/complete.h.
 */
#ifndef ALC_CLI_COMPLETE_PROOF_H
#define ALC_CLI_COMPLETE_PROOF_H

#include "cli/complete.h"

const struct alc_os *cli_complete_offer_proof(const struct alc_os *os, bool is_emulated,
                                              struct cli_proof *proof);
void cli_complete_write_proof(const struct cli_proof *proof, const char *path);

#endif
