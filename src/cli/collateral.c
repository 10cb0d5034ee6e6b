/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove collateral, if somebody has brought it into the program.
 */
#include "cli/collateral.h"

#include "cli/native_file.h"

static cli_command_function *g_run;

void cli_collateral_register(cli_command_function *run)
{
    g_run = run;
}

int cli_collateral(struct cli_arguments *arguments)
{
    if (g_run == NULL) {
        cli_hand_over(arguments, CLI_NETWORK_PROGRAM);
        cli_die(CLI_FAILED, "this alcove was built without libcurl, jansson or mbedTLS "
                            "(tools/bootstrap gets them): it fetches no collateral");
    }
    return g_run(arguments);
}
