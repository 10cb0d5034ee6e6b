/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking after a sealed mount where its key is, with no program running: reading all of it, giving
 * it another key of the same source, and taking it from one version of a workload to another
 * (docs/sealed-storage.md, Another version). The host asks for it by what it grants; what it can
 * have is what the manifest allows, which is measured in the workload id.
 *
 * An exported container has a key that the manifest of both versions names, the transfer key:
 * settings of the service ALC_SERVICE_TRANSFER_KEY, in the form of those of ALC_SERVICE_MOUNT_KEY.
 *
 *   request  = u32 action, u32 number of the mount in the manifest, little-endian
 */
#ifndef ALC_MOUNTS_UPKEEP_H
#define ALC_MOUNTS_UPKEEP_H

#include "base/writer.h"
#include "os/os.h"
#include "seal/seal.h"
#include "workload/manifest.h"

enum alc_upkeep_action {
    ALC_UPKEEP_VERIFY = 1, /* read everything; damage is told on the standard error stream */
    ALC_UPKEEP_REKEY = 2,  /* a new KEYID, and with it another key, in the same place */
    ALC_UPKEEP_EXPORT = 3, /* a copy under the transfer key, in ALC_OS_UPKEEP_DIRECTORY */
    ALC_UPKEEP_IMPORT = 4, /* from there, into the mount's own place and key */
};

enum { ALC_UPKEEP_SIZE = 8 };

struct alc_upkeep {
    enum alc_upkeep_action action;
    uint32_t mount;
};

void alc_upkeep_write(struct alc_writer *writer, const struct alc_upkeep *upkeep);
/* Whether the host asks for upkeep, and for which. ALC_E_BAD_ARGUMENT for what is no request,
 * ALC_E_IO_FAILED. */
ALC_MUST_CHECK alc_status alc_upkeep_find(const struct alc_os *os, bool *out_found,
                                          struct alc_upkeep *out);

#endif
