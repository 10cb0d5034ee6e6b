/* SPDX-License-Identifier: Apache-2.0
 *
 * `alcove seal`: what can be done with a sealed directory while no program runs, and `alcove
 * witness`, which knows how far it has come. The work is cli_complete's, where it can be built.
 */
#include "cli/complete.h"

int cli_witness(struct cli_arguments *arguments)
{
    return cli_complete_need("a witness")->witness(arguments);
}

int cli_seal(struct cli_arguments *arguments)
{
    return cli_complete_need("sealed storage")->seal(arguments);
}
