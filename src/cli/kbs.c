/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove kbs: passed on to whoever brought it.
 */
#include "cli/kbs.h"

#include "cli/native_file.h"

static const struct cli_kbs *g_kbs;

void cli_kbs_register(const struct cli_kbs *kbs)
{
    g_kbs = kbs;
}

/* The one here, or the other program's. */
static const struct cli_kbs *need(const struct cli_arguments *arguments)
{
    if (g_kbs == NULL) {
        cli_hand_over(arguments, CLI_NETWORK_PROGRAM);
        cli_die(CLI_FAILED, "this alcove was built without mbedTLS, jansson, SQLite, libmicrohttpd "
                            "or libcurl (tools/bootstrap gets them): no key broker");
    }
    return g_kbs;
}

int cli_kbs_get(struct cli_arguments *arguments)
{
    return need(arguments)->get(arguments);
}

int cli_kbs_put(struct cli_arguments *arguments)
{
    return need(arguments)->put(arguments);
}

int cli_kbs_delete(struct cli_arguments *arguments)
{
    return need(arguments)->delete_(arguments);
}

int cli_kbs_list(struct cli_arguments *arguments)
{
    return need(arguments)->list(arguments);
}

int cli_kbs_policy(struct cli_arguments *arguments)
{
    return need(arguments)->policy(arguments);
}

int cli_kbs_serve(struct cli_arguments *arguments)
{
    return need(arguments)->serve(arguments);
}

int cli_kbs_audit(struct cli_arguments *arguments)
{
    return need(arguments)->audit(arguments);
}

void cli_kbs_need(const struct cli_arguments *arguments)
{
    (void)need(arguments);
}

int cli_kbs_relay(const char *url, const char *ca_path)
{
    return g_kbs->relay(url, ca_path);
}
