/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove kbs: passed on to whoever brought it.
 */
#include "cli/kbs.h"

static const struct cli_kbs *g_kbs;

void cli_kbs_register(const struct cli_kbs *kbs)
{
    g_kbs = kbs;
}

static const struct cli_kbs *need(void)
{
    if (g_kbs == NULL) {
        cli_die(CLI_FAILED, "this alcove was built without mbedTLS, jansson, SQLite, libmicrohttpd "
                            "or libcurl (tools/bootstrap gets them): no key broker");
    }
    return g_kbs;
}

int cli_kbs_get(struct cli_arguments *arguments)
{
    return need()->get(arguments);
}

int cli_kbs_put(struct cli_arguments *arguments)
{
    return need()->put(arguments);
}

int cli_kbs_delete(struct cli_arguments *arguments)
{
    return need()->delete_(arguments);
}

int cli_kbs_policy(struct cli_arguments *arguments)
{
    return need()->policy(arguments);
}

int cli_kbs_serve(struct cli_arguments *arguments)
{
    return need()->serve(arguments);
}

int cli_kbs_audit(struct cli_arguments *arguments)
{
    return need()->audit(arguments);
}

int cli_kbs_relay(const char *url, const char *ca_path)
{
    return need()->relay(url, ca_path);
}
