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
#include "cli/run_options.h"
#include "native/image.h"
#include "wasm/module.h"
#include "workload/workload.h"

/* Proof of what runs, as the host sees it. */
struct cli_proof {
    bool is_asked_for; /* the program is to be proven and not run */
    uint8_t nonce[64];
    size_t nonce_size;
    bool is_emulated;
    uint8_t *item; /* what the enclave gave, from malloc; NULL: nothing yet */
    size_t item_size;
};

struct alc_attester;

enum { CLI_UPKEEP_SIZE = 8 };

/* Where a workload runs, when it is in no enclave. */
struct cli_place {
    const char *seal_key_path; /* the file with the key of sealed mounts; NULL: there are none */
    const struct alc_attester *attester; /* NULL: nothing can be proven here */
};

struct cli_complete {
    /* Runs a workload with all services outside an enclave. Ends the process with
     * CLI_USAGE when the key of sealed mounts is none. */
    void (*run)(const struct cli_place *place, struct alc_os *os,
                struct alc_workload_profile *profile, const volatile uint64_t *stop_flag);
    /* Before that, where code is compiled. */
    void (*equip)(struct alc_workload_compiled *compiled);
    /* Before the manifest is written: measures the archives among the mounts. Ends the process when
     * one cannot be read. */
    void (*prepare)(struct run_options *options);
    /* Settings of the services that the options ask for, for the manifest; memory from malloc. */
    void (*add_settings)(const struct run_options *options, struct alc_manifest *manifest);
    /* A line on standard error for each sealed mount: the level of its rollback protection. What
     * the manifest says, which is what the workload keeps to; nothing if it is not a manifest. */
    void (*print_levels)(const struct cli_file *manifest, bool is_native);
    /* What stands behind ALC_OS_UPKEEP, CLI_UPKEEP_SIZE bytes. */
    void (*write_upkeep)(const struct run_options *options, uint8_t *out);
    /* The os, and behind it what an enclave needs of its machine to prove what runs there: the
     * emulator's quoting service or the machine's own. For the one enclave of this process. */
    const struct alc_os *(*offer_proof)(const struct alc_os *os, bool is_emulated,
                                        struct cli_proof *proof);
    /* Writes what the enclave proved to a file, with collateral where it is at hand. */
    void (*write_proof)(const struct cli_proof *proof, const char *path);
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
};

/* Before main; borrowed. */
void cli_complete_register(const struct cli_complete *complete);
/* NULL: this program was built without. */
const struct cli_complete *cli_complete_get(void);
/* Ends the process when this program was built without; `what` is what cannot be had then. */
const struct cli_complete *cli_complete_need(const char *what);

#endif
