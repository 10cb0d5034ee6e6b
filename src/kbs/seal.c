/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Encryption to a client's key, by OpenSSL: ECDH-ES+A256KW for keys of P-256, P-384 and
 * P-521, RSA-OAEP-256 for RSA keys of 2048 to 4096 bits; A256GCM. The protected header has its
 * members in the one order that clients compute the authenticated data in.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum {
    COORDINATE_MAX = 66,
    MODULUS_MIN = 256, /* bytes */
    MODULUS_MAX = 512,
    CONTENT_KEY_SIZE = 32,
    HEADER_MAX = 512,
    WRAPPED_MAX = MODULUS_MAX,
    IV_SIZE = 12,
    TAG_SIZE = 16,
};

struct curve {
    const char *name;       /* in JSON Web Keys */
    const char *group_name; /* OpenSSL's */
    size_t size;
};

static const struct curve curves[] = {
    {"P-256", "prime256v1", 32},
    {"P-384", "secp384r1", 48},
    {"P-521", "secp521r1", 66},
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static const struct curve *curve_of(const json_t *jwk)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(curves); i++) {
        if (strcmp(text_of(jwk, "crv"), curves[i].name) == 0) {
            return &curves[i];
        }
    }
    return NULL;
}

static bool read_base64(const json_t *jwk, const char *name, uint8_t *out, size_t out_max,
                        size_t *out_size)
{
    const char *text = text_of(jwk, name);
    return alc_base64_read(ALC_BASE64_URL, (const uint8_t *)text, strlen(text), out, out_max,
                           out_size);
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    ERR_clear_error();
    return key;
}

/* OpenSSL refuses points that are not of the curve. */
static EVP_PKEY *make_ec_key(const json_t *jwk, const struct curve *curve)
{
    uint8_t point[1 + 2 * COORDINATE_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    size_t x_size, y_size;
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder != NULL && read_base64(jwk, "x", point + 1, curve->size, &x_size) &&
        x_size == curve->size &&
        read_base64(jwk, "y", point + 1 + curve->size, curve->size, &y_size) &&
        y_size == curve->size &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->group_name,
                                        0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * curve->size) == 1) {
        key = make_key("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *make_rsa_key(const json_t *jwk)
{
    uint8_t modulus[MODULUS_MAX];
    uint8_t exponent[8];
    size_t modulus_size, exponent_size;
    EVP_PKEY *key = NULL;
    if (!read_base64(jwk, "n", modulus, sizeof modulus, &modulus_size) ||
        !read_base64(jwk, "e", exponent, sizeof exponent, &exponent_size) ||
        modulus_size < MODULUS_MIN || modulus[0] == 0) {
        return NULL;
    }
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_size, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_size, NULL);
    if (builder != NULL && n != NULL && e != NULL && BN_is_odd(n) && BN_is_odd(e) &&
        BN_get_word(e) >= 3 && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        key = make_key("RSA", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

const char *alc_kbs_key_problem(const json_t *jwk)
{
    const char *type = text_of(jwk, "kty");
    const char *algorithm = text_of(jwk, "alg");
    const struct curve *curve = curve_of(jwk);
    EVP_PKEY *key;
    if (strcmp(type, "EC") == 0) {
        if (strcmp(algorithm, ALC_JWE_ALGORITHM) != 0 || curve == NULL) {
            return "keys of EC are for " ALC_JWE_ALGORITHM " and of P-256, P-384 or P-521";
        }
        key = make_ec_key(jwk, curve);
    } else if (strcmp(type, "RSA") == 0) {
        if (strcmp(algorithm, "RSA-OAEP-256") != 0) {
            return "keys of RSA are for RSA-OAEP-256";
        }
        key = make_rsa_key(jwk);
    } else {
        return "tee-pubkey is a key of neither EC nor RSA";
    }
    EVP_PKEY_free(key);
    return key != NULL ? NULL : "tee-pubkey is not a valid key";
}

/* -- wrapping the content's key -- */

struct wrapped {
    char header[HEADER_MAX];
    uint8_t bytes[WRAPPED_MAX];
    size_t size;
};

static bool derive(EVP_PKEY *key, EVP_PKEY *peer, uint8_t out[COORDINATE_MAX], size_t *out_size)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    *out_size = COORDINATE_MAX;
    bool is_good = context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                   EVP_PKEY_derive_set_peer(context, peer) == 1 &&
                   EVP_PKEY_derive(context, out, out_size) == 1;
    EVP_PKEY_CTX_free(context);
    return is_good;
}

static bool write_header(EVP_PKEY *ephemeral, const struct curve *curve, char out[HEADER_MAX])
{
    uint8_t point[1 + 2 * COORDINATE_MAX];
    size_t point_size;
    struct alc_writer writer;
    if (EVP_PKEY_get_octet_string_param(ephemeral, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                        &point_size) != 1 ||
        point_size != 1 + 2 * curve->size) {
        return false;
    }
    int size = snprintf(out, HEADER_MAX,
                        "{\"alg\":\"" ALC_JWE_ALGORITHM "\",\"enc\":\"" ALC_JWE_ENCRYPTION
                        "\",\"epk\":{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"",
                        curve->name);
    alc_writer_init(&writer, out, HEADER_MAX);
    writer.pos = (size_t)size;
    alc_base64_write(&writer, ALC_BASE64_URL, point + 1, curve->size);
    alc_write_bytes(&writer, "\",\"y\":\"", 7);
    alc_base64_write(&writer, ALC_BASE64_URL, point + 1 + curve->size, curve->size);
    alc_write_bytes(&writer, "\"}}", 4);
    return !writer.overflowed;
}

static bool wrap_to_ec(const json_t *jwk, const uint8_t content_key[CONTENT_KEY_SIZE],
                       struct wrapped *out)
{
    const struct curve *curve = curve_of(jwk);
    uint8_t secret[COORDINATE_MAX];
    size_t secret_size = 0;
    struct alc_aes_key wrapping_key;
    EVP_PKEY *peer = curve != NULL ? make_ec_key(jwk, curve) : NULL;
    EVP_PKEY *ephemeral = curve != NULL ? EVP_EC_gen(curve->group_name) : NULL;
    bool is_good = peer != NULL && ephemeral != NULL &&
                   write_header(ephemeral, curve, out->header) &&
                   derive(ephemeral, peer, secret, &secret_size);
    if (is_good) {
        alc_jwe_wrapping_key(secret, secret_size, &wrapping_key);
        alc_aes_key_wrap(&wrapping_key, content_key, CONTENT_KEY_SIZE, out->bytes);
        out->size = CONTENT_KEY_SIZE + ALC_KEY_WRAP_OVERHEAD;
    }
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(&wrapping_key, sizeof wrapping_key);
    EVP_PKEY_free(ephemeral);
    EVP_PKEY_free(peer);
    return is_good;
}

static bool wrap_to_rsa(const json_t *jwk, const uint8_t content_key[CONTENT_KEY_SIZE],
                        struct wrapped *out)
{
    EVP_PKEY *key = make_rsa_key(jwk);
    EVP_PKEY_CTX *context = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    out->size = sizeof out->bytes;
    snprintf(out->header, HEADER_MAX,
             "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"" ALC_JWE_ENCRYPTION "\"}");
    bool is_good =
        context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
        EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
        EVP_PKEY_encrypt(context, out->bytes, &out->size, content_key, CONTENT_KEY_SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return is_good;
}

/* -- the message -- */

static void write_literal(struct alc_writer *writer, const char *text)
{
    alc_write_bytes(writer, text, strlen(text));
}

static void write_member(struct alc_writer *writer, const char *name, const void *bytes,
                         size_t size)
{
    write_literal(writer, ",\"");
    write_literal(writer, name);
    write_literal(writer, "\":\"");
    alc_base64_write(writer, ALC_BASE64_URL, bytes, size);
    write_literal(writer, "\"");
}

/* The header's base64 is what is authenticated with the text. */
static void encrypt(struct alc_writer *writer, const struct wrapped *wrapped,
                    const uint8_t content_key[CONTENT_KEY_SIZE], const uint8_t iv[IV_SIZE],
                    const uint8_t *text, size_t size, uint8_t *ciphertext)
{
    static const char start[] = "{\"protected\":\"";
    uint8_t tag[TAG_SIZE];
    struct alc_gcm_key key;
    write_literal(writer, start);
    alc_base64_write(writer, ALC_BASE64_URL, wrapped->header, strlen(wrapped->header));
    const struct alc_gcm_message message = {
        .iv = iv,
        .data = writer->bytes + sizeof start - 1,
        .data_size = writer->pos - (sizeof start - 1),
        .text_size = size,
    };
    alc_gcm_key_init(&key, content_key, CONTENT_KEY_SIZE);
    alc_gcm_seal(&key, &message, text, ciphertext, tag);
    alc_wipe(&key, sizeof key);
    write_literal(writer, "\"");
    write_member(writer, "encrypted_key", wrapped->bytes, wrapped->size);
    write_member(writer, "iv", iv, IV_SIZE);
    write_member(writer, "ciphertext", ciphertext, size);
    write_member(writer, "tag", tag, sizeof tag);
    write_literal(writer, "}");
}

char *alc_kbs_seal(const json_t *jwk, const uint8_t *text, size_t size)
{
    uint8_t content_key[CONTENT_KEY_SIZE];
    uint8_t iv[IV_SIZE];
    struct wrapped wrapped;
    struct alc_writer writer;
    const size_t out_max = 2 * size + 2048;
    char *out = malloc(out_max + 1);
    uint8_t *ciphertext = malloc(size + 1);
    bool is_good =
        out != NULL && ciphertext != NULL && RAND_bytes(content_key, sizeof content_key) == 1 &&
        RAND_bytes(iv, sizeof iv) == 1 &&
        (strcmp(text_of(jwk, "kty"), "RSA") == 0 ? wrap_to_rsa(jwk, content_key, &wrapped)
                                                 : wrap_to_ec(jwk, content_key, &wrapped));
    if (is_good) {
        alc_writer_init(&writer, out, out_max);
        encrypt(&writer, &wrapped, content_key, iv, text, size, ciphertext);
        ALC_ASSERT(!writer.overflowed);
        out[writer.pos] = '\0';
    }
    OPENSSL_cleanse(content_key, sizeof content_key);
    ERR_clear_error();
    free(ciphertext);
    if (!is_good) {
        free(out);
        return NULL;
    }
    return out;
}
