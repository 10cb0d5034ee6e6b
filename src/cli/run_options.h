/* SPDX-License-Identifier: Apache-2.0
 *
 * What `alcove run` was asked to do.
 */
#ifndef ALC_CLI_RUN_OPTIONS_H
#define ALC_CLI_RUN_OPTIONS_H

#include "cli/cli.h"
#include "workload/manifest.h"

enum run_tee { RUN_TEE_AUTO, RUN_TEE_SGX, RUN_TEE_EMULATED, RUN_TEE_NONE };

struct run_mount {
    char *host_path; /* owned */
    const char *guest_path;
    bool read_only;
};

/* Words belong to argv or the environment; the arrays are owned and live as long as the process. */
struct run_options {
    enum run_tee tee;
    struct run_mount *mounts;
    size_t mounts_count;
    char **environment;
    size_t environment_count;
    int *sockets; /* listening descriptors */
    size_t sockets_count;
    struct alc_workload_limits limits;
    const char *image_path;
    const char *signature_path;
    bool report;
    const char *module_path;
    char **arguments; /* the module's path first */
    size_t arguments_count;
};

/* Ends the process with CLI_USAGE when the words make no sense. */
void run_options_parse(struct cli_arguments *arguments, struct run_options *out);

#endif
