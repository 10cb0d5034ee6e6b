/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification over P-256 by p256-m, which comes with mbedTLS: a sixth of the code of the general
 * arithmetic, without the pool. For images in which every kilobyte counts.
 */
#include "crypto/crypto.h"

#include <p256-m.h>
#include <psa/crypto.h>

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "p256-m's digests have any size");

alc_status alc_ecdsa_verify_p256(const struct alc_ec_public_key *key, const uint8_t *digest,
                                 size_t digest_size, const struct alc_ecdsa_signature *signature)
{
    if (key->curve != ALC_CURVE_P256) {
        return ALC_E_BAD_KEY;
    }
    switch (p256_ecdsa_verify(signature->bytes, key->point, digest, digest_size)) {
    case P256_SUCCESS:
        return ALC_OK;
    case P256_INVALID_PUBKEY:
        return ALC_E_BAD_KEY;
    default:
        return ALC_E_BAD_SIGNATURE;
    }
}

/* p256-m asks for randomness when it makes keys or signs, which it never does here. */
psa_status_t psa_generate_random(uint8_t *output, size_t output_size)
{
    (void)output;
    (void)output_size;
    return PSA_ERROR_NOT_SUPPORTED;
}
