/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures, verified or remembered.
 */
#include "attest/signature.h"

/* Everything that the result depends on, so equal ids mean equal results. */
static void identify(const struct alc_ec_public_key *key, const uint8_t *digest, size_t digest_size,
                     const struct alc_ecdsa_signature *signature, uint8_t out[ALC_SHA256_SIZE])
{
    const size_t size = 2 * alc_curve_size(key->curve);
    const uint8_t head[2] = {(uint8_t)key->curve, (uint8_t)digest_size};
    struct alc_sha256 hash;
    ALC_ASSERT(digest_size <= ALC_HASH_SIZE_MAX);
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, head, sizeof head);
    alc_sha256_update(&hash, key->point, size);
    alc_sha256_update(&hash, digest, digest_size);
    alc_sha256_update(&hash, signature->bytes, size);
    alc_sha256_finish(&hash, out);
}

alc_status alc_signature_verify(const struct alc_known_signatures *known,
                                const struct alc_ec_public_key *key, const uint8_t *digest,
                                size_t digest_size, const struct alc_ecdsa_signature *signature)
{
    uint8_t id[ALC_SHA256_SIZE];
    if (known == NULL) {
        return alc_ecdsa_verify(key, digest, digest_size, signature);
    }
    identify(key, digest, digest_size, signature, id);
    if (known->has(known->context, id)) {
        return ALC_OK;
    }
    ALC_TRY(alc_ecdsa_verify(key, digest, digest_size, signature));
    known->add(known->context, id);
    return ALC_OK;
}
