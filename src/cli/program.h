/* SPDX-License-Identifier: Apache-2.0
 *
 * What `alcove run` runs: a module, interpreted or as native code.
 */
#ifndef ALC_CLI_PROGRAM_H
#define ALC_CLI_PROGRAM_H

#include "cli/run_options.h"
#include "native/image.h"

/* Lives as long as the process. */
struct cli_program {
    struct cli_file module;  /* WebAssembly; inside `granted` when that is a native image */
    struct cli_file granted; /* what the workload gets as ALC_OS_MODULE */
    bool is_native;
    struct alc_native_image image; /* if is_native */
    bool is_packed;                /* the file is an enclave image that carries all of it */
    struct cli_file manifest;      /* of a packed image */
};

/* Reads options->module_path, and finds or makes its native code as `options` say. A packed image
 * becomes the enclave's image in `options`, its manifest says which directories and sockets there
 * are and which limits. Ends the process when that fails. */
void cli_program_open(struct run_options *options, struct cli_program *out);

/* The encoded manifest of the program as `options` say. Ends the process when it is too large. */
struct cli_file cli_manifest_encode(const struct run_options *options,
                                    const struct cli_program *program);

#endif
