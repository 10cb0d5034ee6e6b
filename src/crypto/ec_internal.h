/* SPDX-License-Identifier: Apache-2.0
 *
 * A curve of mbedTLS for the duration of one operation, and our numbers as its numbers.
 */
#ifndef ALC_CRYPTO_EC_INTERNAL_H
#define ALC_CRYPTO_EC_INTERNAL_H

#include <mbedtls/ecp.h>

#include "crypto/crypto.h"

/* What an operation needs. Taken and given back as one, in the pool's turn. */
struct alc_ec_operation {
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi scalar;
    mbedtls_mpi r;
    mbedtls_mpi s;
};

/* Waits for the pool; every begin MUST be followed by end, whatever it returned. */
ALC_MUST_CHECK alc_status alc_ec_begin(struct alc_ec_operation *operation, enum alc_curve curve);
void alc_ec_end(struct alc_ec_operation *operation);

/* Read our encodings into `operation`, checked: ALC_E_BAD_KEY. */
ALC_MUST_CHECK alc_status alc_ec_load_point(struct alc_ec_operation *operation,
                                            const struct alc_ec_public_key *key);
ALC_MUST_CHECK alc_status alc_ec_load_scalar(struct alc_ec_operation *operation,
                                             const struct alc_ec_private_key *key);
/* Writes operation->point, which is not at infinity. */
ALC_MUST_CHECK alc_status alc_ec_store_point(const struct alc_ec_operation *operation,
                                             struct alc_ec_public_key *out);

/* The random source as mbedTLS asks for it, keeping the status for the caller. */
struct alc_ec_random {
    const struct alc_random *random;
    alc_status status;
};
int alc_ec_random_fill(void *context, unsigned char *buf, size_t buf_size);

/* A result of mbedTLS where only memory and randomness can fail: their status. */
ALC_MUST_CHECK alc_status alc_ec_status(int result, const struct alc_ec_random *random);

#endif
