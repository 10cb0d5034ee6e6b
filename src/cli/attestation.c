/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove verify and alcove explain, if this program has them. Whoever brings them into the program
 * (cli_attest/) says so before main.
 */
#include "cli/attestation.h"

static const struct cli_attestation *g_attestation;

void cli_attestation_register(const struct cli_attestation *attestation)
{
    g_attestation = attestation;
}

static const struct cli_attestation *need(void)
{
    if (g_attestation == NULL) {
        cli_die(CLI_FAILED, "this alcove was built without mbedTLS (tools/bootstrap gets it): it "
                            "cannot judge evidence");
    }
    return g_attestation;
}

int cli_verify(struct cli_arguments *arguments)
{
    return need()->verify(arguments);
}

int cli_explain(struct cli_arguments *arguments)
{
    return need()->explain(arguments);
}
