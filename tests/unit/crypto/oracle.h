/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of crypto/ share: OpenSSL as the other implementation, random bytes from it, and
 * hexadecimal vectors.
 */
#ifndef TESTS_UNIT_CRYPTO_ORACLE_H
#define TESTS_UNIT_CRYPTO_ORACLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "crypto/crypto.h"

static inline alc_status oracle_fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return RAND_bytes(buf, (int)buf_size) == 1 ? ALC_OK : ALC_E_IO_FAILED;
}

static const struct alc_random oracle_random = {.fill = oracle_fill};

static inline uint32_t oracle_below(uint32_t limit)
{
    uint32_t value;
    assert_int_equal(RAND_bytes((uint8_t *)&value, sizeof value), 1);
    return value % limit;
}

/* Bytes of a hexadecimal text; spaces are skipped. Returns their count. */
static inline size_t from_hex(const char *text, uint8_t *out)
{
    size_t size = 0;
    unsigned value;
    for (; *text != '\0'; text += *text == ' ' ? 1 : 2) {
        if (*text != ' ') {
            assert_int_equal(sscanf(text, "%2x", &value), 1);
            out[size++] = (uint8_t)value;
        }
    }
    return size;
}

static inline const char *oracle_curve_name(enum alc_curve curve)
{
    return curve == ALC_CURVE_P256 ? "P-256" : "P-384";
}

/* Our public key, and the private one unless NULL, as a key of OpenSSL. */
static inline EVP_PKEY *oracle_key(const struct alc_ec_public_key *public_key,
                                   const struct alc_ec_private_key *private_key)
{
    const size_t size = alc_curve_size(public_key->curve);
    uint8_t point[1 + 2 * ALC_EC_SIZE_MAX];
    point[0] = 4;
    memcpy(point + 1, public_key->point, 2 * size);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *scalar = NULL;
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
                                    oracle_curve_name(public_key->curve), 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size);
    if (private_key != NULL) {
        scalar = BN_bin2bn(private_key->scalar, (int)size, NULL);
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
    }
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key,
                                       private_key != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                                       params),
                     1);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_clear_free(scalar);
    return key;
}

/* A pair that OpenSSL made, as ours. */
static inline void oracle_pair(enum alc_curve curve, struct alc_ec_private_key *out_private,
                               struct alc_ec_public_key *out_public)
{
    const size_t size = alc_curve_size(curve);
    uint8_t point[1 + 2 * ALC_EC_SIZE_MAX];
    size_t point_size;
    BIGNUM *scalar = NULL;
    EVP_PKEY *key = EVP_EC_gen(oracle_curve_name(curve));
    assert_non_null(key);
    *out_private = (struct alc_ec_private_key){.curve = curve};
    *out_public = (struct alc_ec_public_key){.curve = curve};
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar), 1);
    assert_int_equal(BN_bn2binpad(scalar, out_private->scalar, (int)size), (int)size);
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                     sizeof point, &point_size),
                     1);
    assert_int_equal(point_size, 1 + 2 * size);
    memcpy(out_public->point, point + 1, 2 * size);
    BN_clear_free(scalar);
    EVP_PKEY_free(key);
}

#endif
