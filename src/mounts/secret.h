/* SPDX-License-Identifier: Apache-2.0
 *
 * The root secret of one sealed mount. Several mounts may have one key: the processor's, a
 * broker's, a file's, a transfer key. What each makes of it is its own, so that no container goes
 * in another mount's place.
 */
#ifndef ALC_MOUNTS_SECRET_H
#define ALC_MOUNTS_SECRET_H

#include "seal/seal.h"
#include "workload/manifest.h"

/* Of this key, for the mount of this name in the guest: docs/sealed-storage.md, Keys. `out` may be
 * `key`; the caller wipes both. */
void alc_mount_secret(const uint8_t key[ALC_SEAL_KEY_SIZE], const struct alc_string *guest_path,
                      uint8_t out[ALC_SEAL_KEY_SIZE]);

#endif
