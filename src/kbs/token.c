/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Tokens (RFC 7519) in the compact form. The algorithm follows from the key that we hold,
 * never from the token: its header must agree.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum {
    COORDINATE_MAX = 48,
    SIGNATURE_MAX = 2 * COORDINATE_MAX,
    ED25519_SIZE = 64,
    TOKEN_MAX = 1 << 16,
    ADMIN_SECONDS = 300,
};

/* What a key signs with; `coordinate_size` 0: not as r and s. */
struct algorithm {
    const char *name;
    const EVP_MD *hash;
    size_t coordinate_size;
};

static bool find_algorithm(EVP_PKEY *key, struct algorithm *out)
{
    char curve[32];
    size_t size;
    if (EVP_PKEY_is_a(key, "ED25519")) {
        *out = (struct algorithm){"EdDSA", NULL, 0};
        return true;
    }
    if (!EVP_PKEY_is_a(key, "EC") ||
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve,
                                       &size) != 1) {
        return false;
    }
    *out = strcmp(curve, "prime256v1") == 0 ? (struct algorithm){"ES256", EVP_sha256(), 32}
                                            : (struct algorithm){"ES384", EVP_sha384(), 48};
    return strcmp(curve, "prime256v1") == 0 || strcmp(curve, "secp384r1") == 0;
}

/* -- ECDSA signatures as r || s, and as OpenSSL has them -- */

static bool signature_from_der(const uint8_t *der, size_t der_size, size_t size, uint8_t *out)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)der_size);
    bool is_good = signature != NULL &&
                   BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)size) == (int)size &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + size, (int)size) == (int)size;
    ECDSA_SIG_free(signature);
    return is_good;
}

static int signature_to_der(const uint8_t *bytes, size_t size, uint8_t **out)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, (int)size, NULL);
    BIGNUM *s = BN_bin2bn(bytes + size, (int)size, NULL);
    int der_size = -1;
    if (signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
        *out = NULL;
        der_size = i2d_ECDSA_SIG(signature, out);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(signature);
    return der_size;
}

static bool sign(EVP_PKEY *key, const struct algorithm *algorithm, const void *text, size_t size,
                 uint8_t out[SIGNATURE_MAX])
{
    uint8_t der[256];
    size_t der_size = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = context != NULL &&
                   EVP_DigestSignInit(context, NULL, algorithm->hash, NULL, key) == 1 &&
                   EVP_DigestSign(context, der, &der_size, text, size) == 1;
    if (is_good && algorithm->coordinate_size != 0) {
        is_good = signature_from_der(der, der_size, algorithm->coordinate_size, out);
    } else if (is_good) {
        ALC_ASSERT(der_size == ED25519_SIZE);
        alc_copy(out, der, ED25519_SIZE);
    }
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_good;
}

static bool verify(EVP_PKEY *key, const struct algorithm *algorithm, const void *text, size_t size,
                   const uint8_t *signature, size_t signature_size)
{
    uint8_t *der = NULL;
    const uint8_t *bytes = signature;
    int bytes_size = (int)signature_size;
    if (algorithm->coordinate_size != 0) {
        if (signature_size != 2 * algorithm->coordinate_size) {
            return false;
        }
        bytes_size = signature_to_der(signature, algorithm->coordinate_size, &der);
        bytes = der;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = context != NULL && bytes_size > 0 &&
                   EVP_DigestVerifyInit(context, NULL, algorithm->hash, NULL, key) == 1 &&
                   EVP_DigestVerify(context, bytes, (size_t)bytes_size, text, size) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    ERR_clear_error();
    return is_good;
}

/* -- the compact form -- */

char *alc_kbs_token_sign(EVP_PKEY *key, const json_t *claims)
{
    char header[64];
    uint8_t signature[SIGNATURE_MAX];
    struct algorithm algorithm;
    struct alc_writer writer;
    char *text = json_dumps(claims, JSON_COMPACT);
    char *token = malloc(TOKEN_MAX + 1);
    bool is_good = text != NULL && token != NULL && find_algorithm(key, &algorithm);
    if (is_good) {
        const int header_size =
            snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithm.name);
        alc_writer_init(&writer, token, TOKEN_MAX);
        alc_base64_write(&writer, ALC_BASE64_URL, header, (size_t)header_size);
        alc_write_u8(&writer, '.');
        alc_base64_write(&writer, ALC_BASE64_URL, text, strlen(text));
        is_good = !writer.overflowed && sign(key, &algorithm, token, writer.pos, signature);
    }
    if (is_good) {
        alc_write_u8(&writer, '.');
        alc_base64_write(&writer, ALC_BASE64_URL, signature,
                         algorithm.coordinate_size != 0 ? 2 * algorithm.coordinate_size
                                                        : ED25519_SIZE);
        is_good = !writer.overflowed;
    }
    free(text);
    if (!is_good) {
        free(token);
        return NULL;
    }
    token[writer.pos] = '\0';
    return token;
}

/* A part of a token as JSON; a new reference or NULL. */
static json_t *load_part(const char *part, size_t size)
{
    char *bytes = malloc(size + 1);
    size_t bytes_size;
    json_t *value = NULL;
    if (bytes != NULL && alc_base64_read(ALC_BASE64_URL, (const uint8_t *)part, size,
                                         (uint8_t *)bytes, size, &bytes_size)) {
        value = json_loadb(bytes, bytes_size, JSON_REJECT_DUPLICATES, NULL);
    }
    free(bytes);
    return value;
}

/* Where the three parts end. */
static bool split(const char *token, size_t *out_header_size, size_t *out_signed_size)
{
    const char *first = strchr(token, '.');
    const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
    if (second == NULL || strchr(second + 1, '.') != NULL || strlen(token) > TOKEN_MAX) {
        return false;
    }
    *out_header_size = (size_t)(first - token);
    *out_signed_size = (size_t)(second - token);
    return true;
}

json_t *alc_kbs_token_claims(const char *token)
{
    size_t header_size, signed_size;
    return split(token, &header_size, &signed_size)
               ? load_part(token + header_size + 1, signed_size - header_size - 1)
               : NULL;
}

static bool is_header_of(const char *token, size_t header_size, const struct algorithm *algorithm)
{
    json_t *header = load_part(token, header_size);
    const char *name = json_string_value(json_object_get(header, "alg"));
    bool is_good = name != NULL && strcmp(name, algorithm->name) == 0 &&
                   json_object_get(header, "crit") == NULL;
    json_decref(header);
    return is_good;
}

/* Every token must say when it ends. */
static const char *date_problem(const json_t *claims, int64_t now_s)
{
    const json_t *expires = json_object_get(claims, "exp");
    const json_t *begins = json_object_get(claims, "nbf");
    if (!json_is_integer(expires)) {
        return "the token does not say when it expires";
    }
    if (json_integer_value(expires) <= now_s) {
        return "the token expired";
    }
    return begins != NULL && (!json_is_integer(begins) || json_integer_value(begins) > now_s)
               ? "the token is not valid yet"
               : NULL;
}

json_t *alc_kbs_token_verify(EVP_PKEY *key, const char *token, int64_t now_s, const char **reason)
{
    size_t header_size, signed_size, signature_size;
    uint8_t signature[SIGNATURE_MAX];
    struct algorithm algorithm;
    *reason = "the token is malformed";
    if (!split(token, &header_size, &signed_size) || !find_algorithm(key, &algorithm)) {
        return NULL;
    }
    const char *last = token + signed_size + 1;
    if (!alc_base64_read(ALC_BASE64_URL, (const uint8_t *)last, strlen(last), signature,
                         sizeof signature, &signature_size)) {
        return NULL;
    }
    if (!is_header_of(token, header_size, &algorithm) ||
        !verify(key, &algorithm, token, signed_size, signature, signature_size)) {
        *reason = "the token's signature is not valid";
        return NULL;
    }
    json_t *claims = alc_kbs_token_claims(token);
    if (claims != NULL) {
        *reason = date_problem(claims, now_s);
    }
    if (*reason != NULL) {
        json_decref(claims);
        return NULL;
    }
    return claims;
}

char *alc_kbs_admin_token(const char *private_key_pem)
{
    BIO *bio = BIO_new_mem_buf(private_key_pem, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    const json_int_t now_s = (json_int_t)time(NULL);
    json_t *claims =
        json_pack("{s:s, s:I, s:I}", "role", "admin", "iat", now_s, "exp", now_s + ADMIN_SECONDS);
    char *token = key != NULL && claims != NULL ? alc_kbs_token_sign(key, claims) : NULL;
    json_decref(claims);
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return token;
}
