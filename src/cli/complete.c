/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether this program has services: whoever brings them says so before main.
 */
#include "cli/complete.h"

static const struct cli_complete *g_complete;

void cli_complete_register(const struct cli_complete *complete)
{
    g_complete = complete;
}

const struct cli_complete *cli_complete_get(void)
{
    return g_complete;
}

const struct cli_complete *cli_complete_need(const char *what)
{
    if (g_complete == NULL) {
        cli_die(CLI_FAILED,
                "this alcove was built without mbedTLS (tools/bootstrap gets it): no %s", what);
    }
    return g_complete;
}
