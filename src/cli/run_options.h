/* SPDX-License-Identifier: Apache-2.0
 *
 * What `alcove run` was asked to do.
 */
#ifndef ALC_CLI_RUN_OPTIONS_H
#define ALC_CLI_RUN_OPTIONS_H

#include "cli/cli.h"
#include "workload/manifest.h"

/* How code runs: as native code if there is some. */
enum run_code { RUN_CODE_AUTO, RUN_CODE_COMPILE, RUN_CODE_INTERPRET };

/* In an enclave, or as a process: of any machine, or of a confidential one. */
enum run_tee {
    RUN_TEE_AUTO,
    RUN_TEE_SGX,
    RUN_TEE_EMULATED,
    RUN_TEE_NONE,
    RUN_TEE_TDX,
    RUN_TEE_SNP,
};

static inline bool run_tee_is_enclave(enum run_tee tee)
{
    return tee < RUN_TEE_NONE;
}
/* As on the command line. */
const char *run_tee_word(enum run_tee tee);

/* What of sealed mounts is refused when it is old. */
enum run_rollback { RUN_ROLLBACK_SESSION, RUN_ROLLBACK_NONE, RUN_ROLLBACK_WITNESS };

/* What is done with a sealed mount instead of running the program. */
enum run_upkeep {
    RUN_UPKEEP_NONE,
    RUN_UPKEEP_VERIFY,
    RUN_UPKEEP_REKEY,
    RUN_UPKEEP_EXPORT,
    RUN_UPKEEP_IMPORT,
};

struct cli_proof; /* cli/complete.h */

struct run_mount {
    char *host_path; /* owned; of memory its size in words */
    const char *guest_path;
    uint32_t flags;                  /* enum alc_mount_flags */
    uint64_t memory_size;            /* of memory */
    uint8_t digest[ALC_SHA256_SIZE]; /* of an archive, and … */
    struct cli_file tree;            /* … its hash tree, from malloc */
};

/* Words belong to argv or the environment; the arrays are owned and live as long as the process. */
struct run_options {
    enum run_tee tee;
    struct run_mount *mounts;
    size_t mounts_count;
    char **environment;
    size_t environment_count;
    int *sockets; /* descriptors */
    size_t sockets_count;
    /* Those that speak attested TLS, which are the last ones of `sockets`, too: first those that
     * listen, then those that are connected. */
    int *attested;
    size_t attested_count;
    int *connected; /* -1: not opened, since nothing runs */
    size_t connected_count;
    bool speaks_tng;               /* on those sockets */
    const char *peer_policy_path;  /* of those sockets; NULL: there is none */
    struct cli_file peer_policy;   /* the one document that stands for it; from malloc */
    const char *endorsements_path; /* of this machine; NULL: none are given */
    struct cli_file endorsements;  /* as peers are shown them; from malloc */
    struct alc_workload_limits limits;
    const char *seal_key_path; /* NULL unless sealed mounts run outside an enclave */
    /* kbs:///REPOSITORY/TYPE/TAG#sha256=HEX; NULL unless sealed mounts have a key of a broker. */
    const char *seal_key_name;
    const char *transfer_key_name; /* the same form; NULL: nothing can be exported or imported */
    const char *key_broker_url;    /* with one of the names */
    const char *key_broker_ca_path;
    bool has_sealed;              /* mounts */
    bool has_services;            /* a mount asks for them */
    bool is_signers;              /* the key of sealed mounts: the signer's, not the image's */
    enum run_rollback rollback;   /* of sealed mounts */
    bool has_rollback;            /* and it was asked for */
    const char *witness_key_path; /* NULL: no witness */
    int witness;                  /* a connection to it, with a witness_key_path */
    enum run_code code;
    bool is_vouched;
    const char *owner_path; /* NULL, or the key that has to vouch */
    const char *image_path;
    const char *signature_path;
    bool report;
    enum run_upkeep upkeep;
    const char *upkeep_mount;  /* its name in the guest, and … */
    size_t upkeep_number;      /* … its place among `mounts` */
    const char *upkeep_path;   /* the other directory; NULL: there is none */
    struct cli_proof *proof;   /* NULL: nobody can ask for one */
    const char *evidence_path; /* where proof goes, if it is asked for */
    const char *module_path;
    char **arguments; /* the module's path first */
    size_t arguments_count;
};

/* Of `alcove run`, and of those that take the same: `alcove attest`, `alcove seal export` and its
 * like. `proof` is borrowed. Ends the
 * process with CLI_USAGE when the words make no sense. */
void run_options_parse(struct cli_arguments *arguments, struct cli_proof *proof,
                       struct run_options *out);

/* One --env: "KEY=value", or "KEY" for the value that it has here. */
void run_options_add_variable(const struct cli_arguments *arguments, struct run_options *options,
                              const char *text);

#endif
