/* SPDX-License-Identifier: Apache-2.0
 *
 * Key files by OpenSSL 3. Errors of OpenSSL are taken from its queue, so that they do not show up
 * in somebody else's.
 */
#include "keys/keys.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "base/bytes.h"

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    if (buf_size > INT_MAX || RAND_bytes(buf, (int)buf_size) != 1) {
        ERR_clear_error();
        return ALC_E_IO_FAILED;
    }
    return ALC_OK;
}

const struct alc_random alc_keys_random = {.fill = fill_random};

static alc_status fail(struct alc_error *error, alc_status status, const char *detail)
{
    ERR_clear_error();
    return alc_fail_with(error, status, ALC_NO_OFFSET, detail);
}

static const char *name_of(enum alc_curve curve)
{
    return curve == ALC_CURVE_P256 ? "P-256" : "P-384";
}

static alc_status write_pem(BIO *bio, EVP_PKEY *key, char **out_pem, size_t *out_size)
{
    char *bytes;
    if (PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return ALC_E_INTERNAL;
    }
    long size = BIO_get_mem_data(bio, &bytes);
    char *pem = size > 0 ? malloc((size_t)size) : NULL;
    if (pem == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(pem, bytes, (size_t)size);
    *out_pem = pem;
    *out_size = (size_t)size;
    return ALC_OK;
}

alc_status alc_keys_generate(enum alc_curve curve, char **out_pem, size_t *out_size,
                             struct alc_error *error)
{
    ALC_ASSERT(curve < ALC_CURVES);
    EVP_PKEY *key = EVP_EC_gen(name_of(curve));
    BIO *bio = BIO_new(BIO_s_secmem());
    alc_status status = ALC_E_INTERNAL;
    if (key != NULL && bio != NULL) {
        status = write_pem(bio, key, out_pem, out_size);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return status == ALC_OK ? ALC_OK : fail(error, status, "no key could be made");
}

/* In place of a question on the terminal. */
static int no_passphrase(char *buf, int size, int for_writing, void *context)
{
    (void)buf;
    (void)size;
    (void)for_writing;
    (void)context;
    return -1;
}

/* The curve's public name is one of ours, whatever form the parameters had in the file. */
static bool find_curve(EVP_PKEY *key, enum alc_curve *out)
{
    char name[32];
    size_t name_size;
    if (!EVP_PKEY_is_a(key, "EC") ||
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name,
                                       &name_size) != 1) {
        return false;
    }
    static const char *const names[ALC_CURVES] = {"prime256v1", "secp384r1"};
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        size_t size = alc_string_length(names[curve]);
        if (name_size == size && alc_equal(name, names[curve], size)) {
            *out = curve;
            return true;
        }
    }
    return false;
}

static bool take_scalar(EVP_PKEY *key, struct alc_ec_private_key *out)
{
    BIGNUM *scalar = NULL;
    const int size = (int)alc_curve_size(out->curve);
    bool is_good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1 &&
                   BN_bn2binpad(scalar, out->scalar, size) == size;
    BN_clear_free(scalar);
    return is_good;
}

alc_status alc_keys_read_private(const char *pem, size_t pem_size, struct alc_ec_private_key *out,
                                 struct alc_error *error)
{
    *out = (struct alc_ec_private_key){0};
    BIO *bio = pem_size <= INT_MAX ? BIO_new_mem_buf(pem, (int)pem_size) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    bool is_good = key != NULL && find_curve(key, &out->curve) && take_scalar(key, out);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return is_good ? ALC_OK
                   : fail(error, ALC_E_BAD_KEY,
                          "not a private key of P-256 or P-384 in PEM without a passphrase");
}

/* A private key's public half must be right even if the file has another one: it is computed. */
alc_status alc_keys_read_public(const char *pem, size_t pem_size, struct alc_ec_public_key *out,
                                struct alc_error *error)
{
    uint8_t spki[ALC_EC_SPKI_SIZE_MAX];
    size_t spki_size;
    struct alc_reader reader;
    struct alc_ec_private_key private_key;
    alc_reader_init(&reader, pem, pem_size, NULL);
    alc_status status = alc_pem_read(&reader, "PUBLIC KEY", spki, sizeof spki, &spki_size);
    if (status == ALC_OK) {
        alc_reader_init(&reader, spki, spki_size, NULL);
        status = alc_ec_read_spki(&reader, out);
    } else if (status == ALC_E_NOT_FOUND) {
        status = alc_keys_read_private(pem, pem_size, &private_key, NULL);
        if (status == ALC_OK) {
            status = alc_ec_derive_public(&private_key, &alc_keys_random, out);
        }
        alc_wipe(&private_key, sizeof private_key);
    }
    return status == ALC_OK ? ALC_OK
                            : fail(error, ALC_E_BAD_KEY, "not a key of P-256 or P-384 in PEM");
}

void alc_keys_write_public(struct alc_writer *writer, const struct alc_ec_public_key *key)
{
    uint8_t spki[ALC_EC_SPKI_SIZE_MAX];
    struct alc_writer spki_writer;
    alc_writer_init(&spki_writer, spki, sizeof spki);
    alc_ec_write_spki(&spki_writer, key);
    alc_pem_write(writer, "PUBLIC KEY", spki, spki_writer.pos);
}
