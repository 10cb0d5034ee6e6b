/* SPDX-License-Identifier: Apache-2.0
 *
 * What the manifest says of a sealed mount beside its name: [uint rollback level, uint key policy,
 * ? bstr key of the witness] in deterministic CBOR. They are part of the workload id, so whoever
 * checks that id knows which level and which policy the files have.
 */
#ifndef ALC_MOUNTS_SETTINGS_H
#define ALC_MOUNTS_SETTINGS_H

#include "crypto/crypto.h"
#include "workload/manifest.h"

enum alc_mount_level { /* docs/sealed-storage.md, Rollback levels */
                       ALC_MOUNT_LEVEL_SESSION = 0,
                       ALC_MOUNT_LEVEL_WITNESS = 1,
};

enum alc_mount_policy {                                 /* whose key it is, in an enclave */
                        ALC_MOUNT_POLICY_MRENCLAVE = 0, /* this very image's */
                        ALC_MOUNT_POLICY_MRSIGNER = 1,  /* any image's of the same signer */
};

struct alc_mount_settings {
    enum alc_mount_level level;
    enum alc_mount_policy policy;
    struct alc_ec_public_key witness; /* P-256, with level WITNESS */
};

enum { ALC_MOUNT_SETTINGS_SIZE_MAX = 80 };

/* Bytes for the manifest. */
void alc_mount_settings_encode(const struct alc_mount_settings *settings,
                               struct alc_writer *writer);
/* No bytes are the settings of 0. BAD_MANIFEST for what encoding does not produce; whether the key
 * is one, its first use finds out. */
ALC_MUST_CHECK alc_status alc_mount_settings_decode(const struct alc_string *bytes,
                                                    struct alc_mount_settings *out);

#endif
