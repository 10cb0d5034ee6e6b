/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the program finds its services: sealed directories, vouchers, and the complete enclave
 * images. They stand on crypto/, which cannot be built everywhere: the program carries them if it
 * can (cli_complete/), and says so if not.
 */
#ifndef ALC_CLI_COMPLETE_H
#define ALC_CLI_COMPLETE_H

#include "cli/cli.h"
#include "cli/enclave.h"
#include "native/image.h"
#include "wasm/module.h"
#include "workload/workload.h"

struct cli_complete {
    /* Runs a workload with all services outside an enclave. `seal_key_path`: the file with the key
     * of its sealed mounts, NULL when it has none. Ends the process with CLI_USAGE when that is no
     * key. */
    void (*run)(const char *seal_key_path, struct alc_os *os,
                const struct alc_workload_profile *profile, const volatile uint64_t *stop_flag);
    /* Before that, where code is compiled. */
    void (*equip)(struct alc_workload_compiled *compiled);
    /* The enclave images, for each executor. */
    struct cli_built_in interpreter;
    struct cli_built_in native;

    /* The SHA-256 by which a manifest names the owner's key, of a PEM file with the public or the
     * private one. Ends the process when it is none. */
    void (*name_key)(const char *key_path, uint8_t digest[ALC_SHA256_SIZE]);
    /* The owner's voucher for an image, from malloc. `key_path`: his private key. Ends the process
     * when it is none. */
    struct cli_file (*sign)(const char *key_path, const struct alc_native_image *image,
                            const struct alc_module *module,
                            const struct alc_workload_limits *limits);
    /* Makes such a key, written to a new file. */
    void (*make_key)(const char *key_path);
    /* `alcove seal`: the exit code. */
    int (*seal)(struct cli_arguments *arguments);
    /* `alcove witness`: the same. */
    int (*witness)(struct cli_arguments *arguments);
    /* What a manifest says of sealed mounts, from malloc; size 0: nothing. `witness_key_path`: a
     * PEM file with the witness's key, or NULL. Ends the process when it is none. */
    struct cli_file (*settings)(bool is_signers, const char *witness_key_path);
};

/* Before main; borrowed. */
void cli_complete_register(const struct cli_complete *complete);
/* Ends the process when this program was built without; `what` is what cannot be had then. */
const struct cli_complete *cli_complete_need(const char *what);

#endif
