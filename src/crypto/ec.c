/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of P-256 and P-384 and their shared secrets, on mbedTLS's arithmetic.
 */
#include "crypto/ec_internal.h"

#include "base/bytes.h"
#include "crypto/pool.h"

size_t alc_curve_size(enum alc_curve curve)
{
    ALC_ASSERT(curve < ALC_CURVES);
    return curve == ALC_CURVE_P256 ? 32 : 48;
}

alc_status alc_ec_begin(struct alc_ec_operation *operation, enum alc_curve curve)
{
    ALC_ASSERT(curve < ALC_CURVES);
    alc_pool_enter();
    mbedtls_ecp_group_init(&operation->group);
    mbedtls_ecp_point_init(&operation->point);
    mbedtls_mpi_init(&operation->scalar);
    mbedtls_mpi_init(&operation->r);
    mbedtls_mpi_init(&operation->s);
    int result = mbedtls_ecp_group_load(&operation->group, curve == ALC_CURVE_P256
                                                               ? MBEDTLS_ECP_DP_SECP256R1
                                                               : MBEDTLS_ECP_DP_SECP384R1);
    return result == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

void alc_ec_end(struct alc_ec_operation *operation)
{
    mbedtls_mpi_free(&operation->s);
    mbedtls_mpi_free(&operation->r);
    mbedtls_mpi_free(&operation->scalar);
    mbedtls_ecp_point_free(&operation->point);
    mbedtls_ecp_group_free(&operation->group);
    alc_pool_leave();
}

alc_status alc_ec_status(int result, const struct alc_ec_random *random)
{
    if (result == 0) {
        return ALC_OK;
    }
    if (random != NULL && random->status != ALC_OK) {
        return random->status;
    }
    return result == MBEDTLS_ERR_MPI_ALLOC_FAILED ? ALC_E_OUT_OF_MEMORY : ALC_E_INTERNAL;
}

int alc_ec_random_fill(void *context, unsigned char *buf, size_t buf_size)
{
    struct alc_ec_random *random = context;
    random->status = random->random->fill(random->random->context, buf, buf_size);
    return random->status == ALC_OK ? 0 : MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

alc_status alc_ec_load_point(struct alc_ec_operation *operation,
                             const struct alc_ec_public_key *key)
{
    const size_t size = alc_curve_size(key->curve);
    uint8_t encoded[1 + 2 * ALC_EC_SIZE_MAX];
    encoded[0] = 4; /* SEC 1, 2.3.3: uncompressed */
    alc_copy(encoded + 1, key->point, 2 * size);
    int result =
        mbedtls_ecp_point_read_binary(&operation->group, &operation->point, encoded, 1 + 2 * size);
    if (result == 0) {
        result = mbedtls_ecp_check_pubkey(&operation->group, &operation->point);
    }
    if (result == MBEDTLS_ERR_MPI_ALLOC_FAILED) {
        return ALC_E_OUT_OF_MEMORY;
    }
    return result == 0 ? ALC_OK : ALC_E_BAD_KEY;
}

alc_status alc_ec_load_scalar(struct alc_ec_operation *operation,
                              const struct alc_ec_private_key *key)
{
    if (mbedtls_mpi_read_binary(&operation->scalar, key->scalar, alc_curve_size(key->curve)) != 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    return mbedtls_ecp_check_privkey(&operation->group, &operation->scalar) == 0 ? ALC_OK
                                                                                 : ALC_E_BAD_KEY;
}

alc_status alc_ec_store_point(const struct alc_ec_operation *operation,
                              struct alc_ec_public_key *out)
{
    uint8_t encoded[1 + 2 * ALC_EC_SIZE_MAX];
    size_t encoded_size;
    const size_t size = alc_curve_size(out->curve);
    int result = mbedtls_ecp_point_write_binary(&operation->group, &operation->point,
                                                MBEDTLS_ECP_PF_UNCOMPRESSED, &encoded_size, encoded,
                                                sizeof encoded);
    ALC_TRY(alc_ec_status(result, NULL));
    ALC_ASSERT(encoded_size == 1 + 2 * size);
    alc_copy(out->point, encoded + 1, 2 * size);
    return ALC_OK;
}

/* operation->point = operation->scalar times the base point. */
static alc_status multiply_base(struct alc_ec_operation *operation, const struct alc_random *random,
                                struct alc_ec_public_key *out)
{
    struct alc_ec_random source = {.random = random, .status = ALC_OK};
    mbedtls_ecp_group *group = &operation->group;
    int result = mbedtls_ecp_mul(group, &operation->point, &operation->scalar, &group->G,
                                 alc_ec_random_fill, &source);
    ALC_TRY(alc_ec_status(result, &source));
    return alc_ec_store_point(operation, out);
}

static alc_status generate(struct alc_ec_operation *operation, const struct alc_random *random,
                           struct alc_ec_private_key *out_private,
                           struct alc_ec_public_key *out_public)
{
    struct alc_ec_random source = {.random = random, .status = ALC_OK};
    int result =
        mbedtls_ecp_gen_privkey(&operation->group, &operation->scalar, alc_ec_random_fill, &source);
    ALC_TRY(alc_ec_status(result, &source));
    result = mbedtls_mpi_write_binary(&operation->scalar, out_private->scalar,
                                      alc_curve_size(out_private->curve));
    ALC_TRY(alc_ec_status(result, NULL));
    return multiply_base(operation, random, out_public);
}

alc_status alc_ec_generate(enum alc_curve curve, const struct alc_random *random,
                           struct alc_ec_private_key *out_private,
                           struct alc_ec_public_key *out_public)
{
    struct alc_ec_operation operation;
    *out_private = (struct alc_ec_private_key){.curve = curve};
    *out_public = (struct alc_ec_public_key){.curve = curve};
    alc_status status = alc_ec_begin(&operation, curve);
    if (status == ALC_OK) {
        status = generate(&operation, random, out_private, out_public);
    }
    alc_ec_end(&operation);
    if (status != ALC_OK) {
        alc_wipe(out_private, sizeof *out_private);
    }
    return status;
}

alc_status alc_ec_derive_public(const struct alc_ec_private_key *key,
                                const struct alc_random *random, struct alc_ec_public_key *out)
{
    struct alc_ec_operation operation;
    *out = (struct alc_ec_public_key){.curve = key->curve};
    alc_status status = alc_ec_begin(&operation, key->curve);
    if (status == ALC_OK) {
        status = alc_ec_load_scalar(&operation, key);
    }
    if (status == ALC_OK) {
        status = multiply_base(&operation, random, out);
    }
    alc_ec_end(&operation);
    return status;
}

static alc_status share(struct alc_ec_operation *operation, const struct alc_ec_private_key *key,
                        const struct alc_ec_public_key *peer, const struct alc_random *random,
                        struct alc_ec_public_key *out)
{
    struct alc_ec_random source = {.random = random, .status = ALC_OK};
    ALC_TRY(alc_ec_load_scalar(operation, key));
    ALC_TRY(alc_ec_load_point(operation, peer));
    int result = mbedtls_ecp_mul(&operation->group, &operation->point, &operation->scalar,
                                 &operation->point, alc_ec_random_fill, &source);
    ALC_TRY(alc_ec_status(result, &source));
    return alc_ec_store_point(operation, out);
}

/* The curves have cofactor 1 and the scalar is below their order, so the product of a checked point
 * is never the one at infinity. */
alc_status alc_ecdh(const struct alc_ec_private_key *key, const struct alc_ec_public_key *peer,
                    const struct alc_random *random, uint8_t *out_secret)
{
    struct alc_ec_operation operation;
    struct alc_ec_public_key shared = {.curve = key->curve};
    if (key->curve != peer->curve) {
        return ALC_E_BAD_KEY;
    }
    alc_status status = alc_ec_begin(&operation, key->curve);
    if (status == ALC_OK) {
        status = share(&operation, key, peer, random, &shared);
    }
    alc_ec_end(&operation);
    if (status == ALC_OK) {
        alc_copy(out_secret, shared.point, alc_curve_size(key->curve));
    }
    alc_wipe(&shared, sizeof shared);
    return status;
}
