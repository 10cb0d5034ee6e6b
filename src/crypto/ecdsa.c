/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA, mbedTLS's, with the nonces of RFC 6979.
 */
#include <mbedtls/ecdsa.h>

#include "base/bytes.h"
#include "crypto/ec_internal.h"

static mbedtls_md_type_t md_of(enum alc_hash_kind hash)
{
    ALC_ASSERT(hash < ALC_HASH_KINDS);
    return hash == ALC_HASH_SHA256   ? MBEDTLS_MD_SHA256
           : hash == ALC_HASH_SHA384 ? MBEDTLS_MD_SHA384
                                     : MBEDTLS_MD_SHA512;
}

static alc_status sign(struct alc_ec_operation *operation, const struct alc_ec_private_key *key,
                       enum alc_hash_kind hash, const uint8_t *digest,
                       const struct alc_random *random, struct alc_ecdsa_signature *out)
{
    const size_t size = alc_curve_size(key->curve);
    struct alc_ec_random blinding = {.random = random, .status = ALC_OK};
    ALC_TRY(alc_ec_load_scalar(operation, key));
    int result = mbedtls_ecdsa_sign_det_ext(&operation->group, &operation->r, &operation->s,
                                            &operation->scalar, digest, alc_hash_size(hash),
                                            md_of(hash), alc_ec_random_fill, &blinding);
    if (result == 0) {
        result = mbedtls_mpi_write_binary(&operation->r, out->bytes, size);
    }
    if (result == 0) {
        result = mbedtls_mpi_write_binary(&operation->s, out->bytes + size, size);
    }
    return alc_ec_status(result, &blinding);
}

alc_status alc_ecdsa_sign(const struct alc_ec_private_key *key, enum alc_hash_kind hash,
                          const uint8_t *digest, const struct alc_random *random,
                          struct alc_ecdsa_signature *out)
{
    struct alc_ec_operation operation;
    alc_fill(out, 0, sizeof *out);
    alc_status status = alc_ec_begin(&operation, key->curve);
    if (status == ALC_OK) {
        status = sign(&operation, key, hash, digest, random, out);
    }
    alc_ec_end(&operation);
    return status;
}
