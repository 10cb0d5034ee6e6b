/* SPDX-License-Identifier: Apache-2.0
 *
 * One side of ours, and OpenSSL at the other end. Included by the one test program that needs it.
 */
#ifndef TESTS_UNIT_CHANNEL_THEIRS_H
#define TESTS_UNIT_CHANNEL_THEIRS_H

#include "unit/channel/sides.h"

#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/ssl.h>

static struct side ours;

struct theirs {
    SSL_CTX *ctx;
    SSL *ssl;
};

/* The key and certificate of an identity of ours, for OpenSSL. */
static void use_identity(SSL_CTX *ctx, const struct alc_channel_identity *identity)
{
    uint8_t point[65] = {4};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    BIGNUM *scalar = BN_bin2bn(identity->private_key.scalar, 32, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    memcpy(point + 1, identity->public_key.point, 64);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(make), 1);
    assert_int_equal(EVP_PKEY_fromdata(make, &key, EVP_PKEY_KEYPAIR, parameters), 1);
    const uint8_t *der = identity->certificate;
    X509 *certificate = d2i_X509(NULL, &der, (long)identity->certificate_size);
    assert_int_equal(SSL_CTX_use_certificate(ctx, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    BN_free(scalar);
    EVP_PKEY_CTX_free(make);
}

/* The other end of `ours`. `identity` may be NULL for a client. */
static struct theirs theirs_new(enum alc_channel_role role,
                                const struct alc_channel_identity *identity)
{
    struct theirs theirs;
    theirs.ctx =
        SSL_CTX_new(role == ALC_CHANNEL_SERVER ? TLS_server_method() : TLS_client_method());
    assert_non_null(theirs.ctx);
    if (identity != NULL) {
        use_identity(theirs.ctx, identity);
    }
    return theirs;
}

static void theirs_open(struct theirs *theirs, enum alc_channel_role role)
{
    theirs->ssl = SSL_new(theirs->ctx);
    SSL_set_bio(theirs->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (role == ALC_CHANNEL_SERVER) {
        SSL_set_accept_state(theirs->ssl);
    } else {
        SSL_set_connect_state(theirs->ssl);
    }
}

static void theirs_free(struct theirs *theirs)
{
    SSL_free(theirs->ssl);
    SSL_CTX_free(theirs->ctx);
    ERR_clear_error();
}

/* Until nothing moves; false when OpenSSL has failed. */
static bool meet_theirs(struct theirs *theirs)
{
    uint8_t bytes[20000];
    bool is_good = true;
    for (bool moved = true; moved;) {
        int result = SSL_do_handshake(theirs->ssl);
        is_good =
            is_good && (result == 1 || SSL_get_error(theirs->ssl, result) == SSL_ERROR_WANT_READ);
        int size = BIO_read(SSL_get_wbio(theirs->ssl), bytes, sizeof bytes);
        moved = size > 0;
        if (moved) {
            (void)alc_channel_receive(ours.channel, bytes, (size_t)size);
        }
        size_t sent = alc_channel_transmit(ours.channel, bytes, sizeof bytes);
        if (sent != 0) {
            BIO_write(SSL_get_rbio(theirs->ssl), bytes, (int)sent);
            moved = true;
        }
    }
    return is_good;
}

static void exchange_bytes(struct theirs *theirs)
{
    char text[32] = "";
    assert_int_equal(alc_channel_write(ours.channel, (const uint8_t *)"to them", 8), 8);
    assert_int_equal(SSL_write(theirs->ssl, "to us", 6), 6);
    assert_true(meet_theirs(theirs));
    assert_int_equal(SSL_read(theirs->ssl, text, sizeof text), 8);
    assert_string_equal(text, "to them");
    assert_int_equal(alc_channel_read(ours.channel, (uint8_t *)text, sizeof text), 6);
    assert_string_equal(text, "to us");
}

#endif
