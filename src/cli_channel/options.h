/* SPDX-License-Identifier: Apache-2.0
 *
 * What `alcove listen` and `alcove connect` were asked for.
 */
#ifndef ALC_CLI_CHANNEL_OPTIONS_H
#define ALC_CLI_CHANNEL_OPTIONS_H

#include "channel/channel.h"
#include "cli/cli.h"

struct netcat_options {
    const char *address; /* HOST:PORT */
    bool is_once;
    bool accepts_emulated;
    bool has_time;
    int64_t time_s;
    const struct alc_attester *attester; /* what proves this side; NULL: nothing */
    struct alc_channel_demand demand;
    /* What the demand borrows. */
    struct alc_policy policy;
    struct alc_pcs_collateral pcs;
    struct alc_kds_collateral kds;
    struct alc_channel_memory *memory;
};

/* Ends the process with CLI_USAGE and words when the options or a file are no good. */
void netcat_read_options(struct cli_arguments *arguments, struct netcat_options *out);
/* The time to judge dates at, since 1970. */
int64_t netcat_now_s(const struct netcat_options *options);

#endif
