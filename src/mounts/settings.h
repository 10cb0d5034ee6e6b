/* SPDX-License-Identifier: Apache-2.0
 *
 * What a manifest says about mounts beyond their flags: settings of the service
 * ALC_SERVICE_MOUNTS, in deterministic CBOR.
 *
 *   settings = { + mount number => setting }
 *   setting  = bstr .size 32 (of an archive: its digest) / uint (of memory: bytes at most) /
 *              [uint level, uint policy, ? bstr .size 64 (the witness's key)] (of a sealed one)
 *
 * Every archive and every mount in memory has one, a sealed mount has one unless level and policy
 * are 0, no other mount has. They are part of the workload id: whoever checks that knows the level.
 */
#ifndef ALC_MOUNTS_SETTINGS_H
#define ALC_MOUNTS_SETTINGS_H

#include "base/limits.h"
#include "base/writer.h"
#include "workload/manifest.h"

enum alc_mount_level { /* docs/sealed-storage.md, Rollback levels */
                       ALC_MOUNT_LEVEL_SESSION = 0,
                       ALC_MOUNT_LEVEL_WITNESS = 1,
                       ALC_MOUNT_LEVEL_NONE = 2,
};

enum alc_mount_policy {                                 /* whose key it is, in an enclave */
                        ALC_MOUNT_POLICY_MRENCLAVE = 0, /* this very image's */
                        ALC_MOUNT_POLICY_MRSIGNER = 1,  /* any image's of the same signer */
};

enum { ALC_MOUNT_WITNESS_KEY_SIZE = 64 }; /* a point of P-256: x, y */

struct alc_mount_setting {
    uint8_t digest[ALC_SHA256_SIZE]; /* of an archive */
    uint64_t memory_size;            /* of memory: at least ALC_LIMIT_MEMORY_MOUNT_LEAST */
    enum alc_mount_level level;      /* of a sealed mount, as what follows */
    enum alc_mount_policy policy;
    uint8_t witness[ALC_MOUNT_WITNESS_KEY_SIZE]; /* with level WITNESS; its use finds out whether
                                                  * it is a key */
};

/* `settings` has one for each mount; those of plain ones are not looked at. Nothing is
 * written when no mount needs a setting. */
void alc_mount_settings_write(struct alc_writer *writer, const struct alc_mount *mounts,
                              const struct alc_mount_setting *settings, size_t count);
/* One for each mount, from `arena`. ALC_E_BAD_MANIFEST, with the offset in the settings, also when
 * a mount's flags contradict each other: it is of one kind, and an archive cannot be written to. */
ALC_MUST_CHECK alc_status alc_mount_settings_read(struct alc_arena *arena,
                                                  const struct alc_manifest *manifest,
                                                  struct alc_mount_setting **out,
                                                  struct alc_error *error);
/* The weakest level of all sealed mounts; false when there are none. `settings` has one for each
 * mount of the manifest. */
ALC_MUST_CHECK bool alc_mount_settings_weakest(const struct alc_manifest *manifest,
                                               const struct alc_mount_setting *settings,
                                               enum alc_mount_level *out);

#endif
