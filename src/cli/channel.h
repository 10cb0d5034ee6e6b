/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the program finds attested channels: they stand on crypto/, which cannot be built
 * everywhere. The program carries them if it can (cli_channel/), and says so if not.
 */
#ifndef ALC_CLI_CHANNEL_H
#define ALC_CLI_CHANNEL_H

#include "cli/cli.h"

struct cli_channel {
    int (*listen)(struct cli_arguments *arguments);
    int (*connect)(struct cli_arguments *arguments);
};

/* Before main; borrowed. */
void cli_channel_register(const struct cli_channel *channel);

#endif
