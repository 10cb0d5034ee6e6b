/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the program finds its key broker and the client for one: they stand on libraries that are
 * not everywhere. The program carries them if it can (cli_kbs/), and says so if not.
 */
#ifndef ALC_CLI_KBS_H
#define ALC_CLI_KBS_H

#include "cli/cli.h"

/* The sub-commands; each returns the exit code. */
struct cli_kbs {
    int (*get)(struct cli_arguments *arguments);
    int (*put)(struct cli_arguments *arguments);
    int (*delete_)(struct cli_arguments *arguments);
    int (*list)(struct cli_arguments *arguments);
    int (*policy)(struct cli_arguments *arguments);
    int (*serve)(struct cli_arguments *arguments);
    int (*audit)(struct cli_arguments *arguments);
    /* A stream over which an enclave's client reaches the broker at `url` (broker/relay.h), served
     * by a thread until it is closed. `ca_path` may be NULL. Ends the process when there is none.
     */
    int (*relay)(const char *url, const char *ca_path);
};

/* Sees that there is one, if need be by handing this process over to the program that has it. Ends
 * the process when there is none. */
void cli_kbs_need(const struct cli_arguments *arguments);
/* Before main; borrowed. */
void cli_kbs_register(const struct cli_kbs *kbs);
/* Sees that there is one, if need be by handing this process over to the program that has it. Ends
 * the process when there is none. */
void cli_kbs_need(const struct cli_arguments *arguments);
/* struct cli_kbs.relay of whoever brought it; after cli_kbs_need. */
int cli_kbs_relay(const char *url, const char *ca_path);

#endif
