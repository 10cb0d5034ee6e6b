/* SPDX-License-Identifier: Apache-2.0
 *
 * What opens mounts for a workload (mounts.c) and what looks after one of them (upkeep.c) share.
 * Inside the room only.
 */
#ifndef ALC_MOUNTS_MOUNTS_INTERNAL_H
#define ALC_MOUNTS_MOUNTS_INTERNAL_H

#include "archive/archive.h"
#include "mounts/memory.h"
#include "mounts/mounts.h"
#include "mounts/settings.h"
#include "mounts/upkeep.h"
#include "witness/witness.h"

struct mounts {
    struct alc_os_over over; /* the context of `operations`: first. Over `archives` */
    struct alc_os_operations operations;
    struct alc_archive_os archives;                      /* over `table` */
    struct alc_seal_os table;                            /* sealed mounts, over the system */
    struct alc_memory_disk disks[ALC_LIMIT_SEAL_MOUNTS]; /* of mounts in memory */
    uint32_t disks_count;
    const struct alc_workload_profile *profile;
    const struct alc_mounts_keys *keys;
    const struct alc_mounts_watch *watch;
    bool is_upkeep; /* no workload is run */
    struct alc_upkeep upkeep;
    uint8_t workload_id[ALC_SHA256_SIZE];
    /* Of the key that the manifest names, while mounts are opened. */
    bool is_key_named;
    struct alc_string key_settings;
    bool has_named_key;
    uint8_t named_key[ALC_SEAL_KEY_SIZE];
    struct alc_witness_link link; /* one for all mounts */
    bool has_link;
    uint32_t sealed_count;
    struct sealed {
        struct mounts *mounts;
        const struct alc_string *guest_path; /* of the manifest, while mounts are opened */
        enum alc_mount_policy policy;
        struct alc_witness_client client; /* with level WITNESS, as what follows */
        uint8_t line[ALC_SEAL_LINE_SIZE]; /* the secret of its counter */
    } sealed[ALC_LIMIT_SEAL_MOUNTS];
};

/* Address space from `os`, for an arena that takes memory as it needs it. */
ALC_MUST_CHECK alc_status mounts_reserve_arena(struct alc_os *os, struct alc_arena *arena,
                                               size_t size);
/* Key, witness and place of the sealed mount behind `handle`, as the manifest has them; `out` is
 * without flags and borrows all. */
ALC_MUST_CHECK alc_status mounts_prepare_sealed(struct alc_os *os, struct mounts *mounts,
                                                int32_t handle, const struct alc_mount *mount,
                                                const struct alc_mount_setting *setting,
                                                struct alc_seal_options *out);
/* Does what mounts->upkeep says instead of running the workload. */
ALC_MUST_CHECK alc_status mounts_look_after(struct alc_os *os, struct mounts *mounts,
                                            const struct alc_manifest *manifest,
                                            const struct alc_mount_setting *settings,
                                            struct alc_error *error);

#endif
