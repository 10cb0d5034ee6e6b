/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether this program has sealed storage: whoever brings it says so before main.
 */
#include "cli/sealed.h"

static const struct cli_sealed *g_sealed;

void cli_sealed_register(const struct cli_sealed *sealed)
{
    g_sealed = sealed;
}

const struct cli_sealed *cli_sealed_get(void)
{
    return g_sealed;
}
