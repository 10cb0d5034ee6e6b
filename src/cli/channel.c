/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove listen and connect, if this program has them: whoever brings them says so before main.
 */
#include "cli/channel.h"

static const struct cli_channel *g_channel;

void cli_channel_register(const struct cli_channel *channel)
{
    g_channel = channel;
}

static const struct cli_channel *need(void)
{
    if (g_channel == NULL) {
        cli_die(CLI_FAILED, "this alcove was built without mbedTLS (tools/bootstrap gets it): no "
                            "attested channels");
    }
    return g_channel;
}

int cli_listen(struct cli_arguments *arguments)
{
    return need()->listen(arguments);
}

int cli_connect(struct cli_arguments *arguments)
{
    return need()->connect(arguments);
}
