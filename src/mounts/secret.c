/* SPDX-License-Identifier: Apache-2.0
 *
 * HKDF (RFC 5869) of a key, and of a name that may have any length.
 */
#include "mounts/secret.h"

#include "base/bytes.h"
#include "base/sha256.h"
#include "crypto/crypto.h"

static const char label[] = "alcove sealed mount ";

void alc_mount_secret(const uint8_t key[ALC_SEAL_KEY_SIZE], const struct alc_string *guest_path,
                      uint8_t out[ALC_SEAL_KEY_SIZE])
{
    uint8_t info[sizeof label - 1 + ALC_SHA256_SIZE];
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    alc_copy(info, label, sizeof label - 1);
    alc_sha256(guest_path->bytes, guest_path->size, &info[sizeof label - 1]);
    const struct alc_hkdf_inputs inputs = {
        .secret = key, .secret_size = ALC_SEAL_KEY_SIZE, .info = info, .info_size = sizeof info};
    alc_hkdf(ALC_HASH_SHA256, &inputs, secret, sizeof secret);
    alc_copy(out, secret, sizeof secret);
    alc_wipe(secret, sizeof secret);
}
