/* SPDX-License-Identifier: Apache-2.0
 *
 * A workload whose manifest names mounts that no system has, sealed ones, archives and memory: they
 * are opened before it runs, served to it as if they were plain, and made durable before its
 * outcome is told. The same code outside and inside an
 * enclave. Everything that the os beneath returns is distrusted.
 */
#ifndef ALC_MOUNTS_MOUNTS_H
#define ALC_MOUNTS_MOUNTS_H

#include "mounts/settings.h"
#include "seal/seal.h"
#include "workload/workload.h"

/* Where root secrets come from. `workload_id` is the SHA-256 of the manifest; `key_id` is of the
 * container, or names something else that needs a secret of its own. The caller wipes `key`. */
struct alc_mounts_keys {
    alc_status (*get)(void *context, enum alc_mount_policy policy,
                      const uint8_t workload_id[ALC_SHA256_SIZE],
                      const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE], uint8_t key[ALC_SEAL_KEY_SIZE]);
    void *context;
    /* The same of workloads whose manifest says which key it is, with the settings of
     * ALC_SERVICE_MOUNT_KEY. NULL: they are refused. */
    alc_status (*get_named)(void *context, const uint8_t workload_id[ALC_SHA256_SIZE],
                            const struct alc_string *settings, uint8_t key[ALC_SEAL_KEY_SIZE]);
    void *named_context;
};

/* Who is told, once, for which workload mounts are opened, also when it has none, and may refuse
 * it. He MUST compare it with what is loaded: a host can show two manifests, and what the first
 * does not name is not opened here but the host's own. */
struct alc_mounts_watch {
    alc_status (*opening)(void *context, const uint8_t workload_id[ALC_SHA256_SIZE]);
    void *context;
};

/* As alc_workload_run_from_os. A mount that cannot be opened ends the workload before it begins:
 * phase MANIFEST, with the status of alc_seal_open or alc_archive_open. One that cannot be made
 * durable at the end: phase DONE, IO_FAILED. What is found damaged is told on the standard error
 * stream. Memory comes from `os` and is not given back, since threads of the program may be left in
 * it. */
alc_status alc_mounts_run_from_os(struct alc_os *os, const struct alc_workload_profile *profile,
                                  const struct alc_mounts_keys *keys,
                                  const struct alc_mounts_watch *watch,
                                  const volatile uint64_t *stop_flag);

#endif
