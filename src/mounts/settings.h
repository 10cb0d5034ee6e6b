/* SPDX-License-Identifier: Apache-2.0
 *
 * What a manifest says about mounts beyond their flags: settings of the service
 * ALC_SERVICE_MOUNTS, in deterministic CBOR.
 *
 *   settings = { + mount number => setting }
 *   setting  = bstr .size 32 (of an archive: its digest) / uint (of memory: bytes at most)
 *
 * Every archive and every mount in memory has one, no other mount has.
 */
#ifndef ALC_MOUNTS_SETTINGS_H
#define ALC_MOUNTS_SETTINGS_H

#include "base/limits.h"
#include "base/writer.h"
#include "workload/manifest.h"

struct alc_mount_setting {
    uint8_t digest[ALC_SHA256_SIZE]; /* of an archive */
    uint64_t memory_size;            /* of memory: at least ALC_LIMIT_MEMORY_MOUNT_LEAST */
};

/* `settings` has one for each mount; those of plain and sealed ones are not looked at. Nothing is
 * written when no mount needs a setting. */
void alc_mount_settings_write(struct alc_writer *writer, const struct alc_mount *mounts,
                              const struct alc_mount_setting *settings, size_t count);
/* One for each mount, from `arena`. ALC_E_BAD_MANIFEST, with the offset in the settings, also when
 * a mount's flags contradict each other: it is of one kind, and an archive cannot be written to. */
ALC_MUST_CHECK alc_status alc_mount_settings_read(struct alc_arena *arena,
                                                  const struct alc_manifest *manifest,
                                                  struct alc_mount_setting **out,
                                                  struct alc_error *error);

#endif
