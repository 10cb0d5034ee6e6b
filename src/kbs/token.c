/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Tokens (RFC 7519) in the compact form. The algorithm follows from the key that we hold,
 * never from the token: its header must agree.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "attest/jwt.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum { ED25519_SIZE = 64, TOKEN_MAX = 1 << 16, ADMIN_SECONDS = 300 };

/* What a key signs with. */
struct algorithm {
    const char *name;
    const EVP_MD *hash;
    bool is_ec;
    enum alc_curve curve;
    size_t signature_size;
};

static bool find_algorithm(EVP_PKEY *key, struct algorithm *out)
{
    char curve[32];
    size_t size;
    if (EVP_PKEY_is_a(key, "ED25519")) {
        *out = (struct algorithm){"EdDSA", NULL, false, ALC_CURVE_P256, ED25519_SIZE};
        return true;
    }
    if (!EVP_PKEY_is_a(key, "EC") ||
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve,
                                       &size) != 1) {
        return false;
    }
    *out = strcmp(curve, "prime256v1") == 0
               ? (struct algorithm){"ES256", EVP_sha256(), true, ALC_CURVE_P256, 64}
               : (struct algorithm){"ES384", EVP_sha384(), true, ALC_CURVE_P384, 96};
    return strcmp(curve, "prime256v1") == 0 || strcmp(curve, "secp384r1") == 0;
}

/* -- signatures: of elliptic curves r || s, which OpenSSL has as DER -- */

static bool signature_from_der(const struct algorithm *algorithm, const uint8_t *der,
                               size_t der_size, uint8_t *out)
{
    struct alc_ecdsa_signature signature;
    struct alc_reader reader;
    alc_reader_init(&reader, der, der_size, NULL);
    if (alc_ecdsa_read_der(&reader, algorithm->curve, &signature) != ALC_OK) {
        return false;
    }
    alc_copy(out, signature.bytes, algorithm->signature_size);
    return true;
}

static alc_status sign(void *context, const uint8_t *text, size_t size,
                       uint8_t out[ALC_JWT_SIGNATURE_MAX], size_t *out_size)
{
    uint8_t bytes[256];
    size_t bytes_size = sizeof bytes;
    struct algorithm algorithm;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool is_good = digest != NULL && find_algorithm(context, &algorithm) &&
                   EVP_DigestSignInit(digest, NULL, algorithm.hash, NULL, context) == 1 &&
                   EVP_DigestSign(digest, bytes, &bytes_size, text, size) == 1;
    if (is_good) {
        *out_size = algorithm.signature_size;
        if (algorithm.is_ec) {
            is_good = signature_from_der(&algorithm, bytes, bytes_size, out);
        } else {
            alc_copy(out, bytes, algorithm.signature_size);
        }
    }
    EVP_MD_CTX_free(digest);
    ERR_clear_error();
    return is_good ? ALC_OK : ALC_E_INTERNAL;
}

static bool verify(EVP_PKEY *key, const struct algorithm *algorithm, const char *text, size_t size,
                   const struct alc_ecdsa_signature *signature, size_t signature_size)
{
    uint8_t der[ALC_ECDSA_DER_SIZE_MAX];
    struct alc_writer writer;
    const uint8_t *bytes = signature->bytes;
    size_t bytes_size = signature_size;
    if (signature_size != algorithm->signature_size) {
        return false;
    }
    if (algorithm->is_ec) {
        alc_writer_init(&writer, der, sizeof der);
        alc_ecdsa_write_der(&writer, algorithm->curve, signature);
        bytes = der;
        bytes_size = writer.pos;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool is_good =
        context != NULL && EVP_DigestVerifyInit(context, NULL, algorithm->hash, NULL, key) == 1 &&
        EVP_DigestVerify(context, bytes, bytes_size, (const uint8_t *)text, size) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_good;
}

/* -- the compact form -- */

char *alc_kbs_token_header(EVP_PKEY *key)
{
    struct alc_ec_public_key public_key = {.curve = ALC_CURVE_P256};
    uint8_t point[1 + 2 * ALC_EC_SIZE_MAX];
    size_t size;
    struct algorithm algorithm;
    struct alc_writer writer;
    if (!find_algorithm(key, &algorithm) || !algorithm.is_ec ||
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size) !=
            1 ||
        size != 1 + algorithm.signature_size) {
        return NULL;
    }
    public_key.curve = algorithm.curve;
    alc_copy(public_key.point, point + 1, size - 1);
    char *header = malloc(ALC_JWT_HEADER_MAX + 1);
    if (header != NULL) {
        alc_writer_init(&writer, header, ALC_JWT_HEADER_MAX);
        alc_jwt_write_header(&writer, &public_key);
        ALC_ASSERT(!writer.overflowed);
        header[writer.pos] = '\0';
    }
    return header;
}

char *alc_kbs_token_sign(EVP_PKEY *key, const char *header, const char *claims)
{
    const struct alc_jwt_signer signer = {.sign = sign, .context = key};
    const struct alc_text header_text = {(const uint8_t *)header, strlen(header)};
    const struct alc_text claims_text = {(const uint8_t *)claims, strlen(claims)};
    struct alc_writer writer;
    char *token = malloc(TOKEN_MAX + 1);
    if (token == NULL) {
        return NULL;
    }
    alc_writer_init(&writer, token, TOKEN_MAX);
    if (alc_jwt_write(&writer, &header_text, &claims_text, &signer) != ALC_OK) {
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
const char *alc_kbs_token_date_problem(const json_t *claims, int64_t now_s)
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
    struct alc_ecdsa_signature signature;
    struct algorithm algorithm;
    *reason = "the token is malformed";
    if (!split(token, &header_size, &signed_size) || !find_algorithm(key, &algorithm)) {
        return NULL;
    }
    const char *last = token + signed_size + 1;
    if (!alc_base64_read(ALC_BASE64_URL, (const uint8_t *)last, strlen(last), signature.bytes,
                         sizeof signature.bytes, &signature_size)) {
        return NULL;
    }
    if (!is_header_of(token, header_size, &algorithm) ||
        !verify(key, &algorithm, token, signed_size, &signature, signature_size)) {
        *reason = "the token's signature is not valid";
        return NULL;
    }
    json_t *claims = load_part(token + header_size + 1, signed_size - header_size - 1);
    if (claims != NULL) {
        *reason = alc_kbs_token_date_problem(claims, now_s);
    }
    if (*reason != NULL) {
        json_decref(claims);
        return NULL;
    }
    return claims;
}

char *alc_kbs_admin_token(const char *private_key_pem)
{
    char header[64];
    char claims[128];
    struct algorithm algorithm;
    BIO *bio = BIO_new_mem_buf(private_key_pem, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    const long long now_s = (long long)time(NULL);
    char *token = NULL;
    if (key != NULL && find_algorithm(key, &algorithm)) {
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithm.name);
        snprintf(claims, sizeof claims, "{\"role\":\"admin\",\"iat\":%lld,\"exp\":%lld}", now_s,
                 now_s + ADMIN_SECONDS);
        token = alc_kbs_token_sign(key, header, claims);
    }
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return token;
}
