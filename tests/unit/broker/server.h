/* SPDX-License-Identifier: Apache-2.0
 *
 * The other side, for tests of the client: messages encrypted with OpenSSL, an attester that shows
 * what it was asked for, and answers.
 */
#ifndef TESTS_UNIT_BROKER_SERVER_H
#define TESTS_UNIT_BROKER_SERVER_H

#include "unit/crypto/oracle.h"

#include "base/base64.h"
#include "broker/client.h"

/* What a test may change in a message. */
struct server_message {
    const char *algorithm; /* NULL: the right one; so the others */
    const char *encryption;
    const char *more_header; /* members behind the others, with a comma before them */
    const char *more_data;   /* "aad" */
    const char *more_members;
    int damaged; /* 1 key, 2 iv, 3 ciphertext, 4 tag, 5 header after encrypting */
};

static inline struct alc_text server_text(const char *text)
{
    return (struct alc_text){(const uint8_t *)text, strlen(text)};
}

static inline char *server_base64(const void *bytes, size_t size, char *out, size_t out_max)
{
    struct alc_writer writer;
    alc_writer_init(&writer, out, out_max - 1);
    alc_base64_write(&writer, ALC_BASE64_URL, bytes, size);
    assert_false(writer.overflowed);
    out[writer.pos] = '\0';
    return out;
}

/* AES-256-GCM by OpenSSL. */
static inline void server_encrypt(const uint8_t *key, const uint8_t *iv, const char *data,
                                  const uint8_t *text, size_t size, uint8_t *out, uint8_t *tag)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done;
    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, iv), 1);
    assert_int_equal(
        EVP_EncryptUpdate(context, NULL, &done, (const uint8_t *)data, (int)strlen(data)), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &done, text, (int)size), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, out + done, &done), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag), 1);
    EVP_CIPHER_CTX_free(context);
}

/* The derivation of RFC 7518, 4.6.2, once more and by hand. */
static inline void server_derive(const uint8_t secret[32], uint8_t key[32])
{
    uint8_t input[4 + 32 + 4 + 14 + 12] = {0, 0, 0, 1};
    memcpy(input + 4, secret, 32);
    memcpy(input + 36,
           "\0\0\0\x0e"
           "ECDH-ES+A256KW",
           18);
    input[64] = 1; /* 256 bits */
    assert_int_equal(EVP_Digest(input, sizeof input, key, NULL, EVP_sha256(), NULL), 1);
}

static inline void server_wrap(const uint8_t key[32], const uint8_t text[32], uint8_t out[40])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done;
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_wrap(), NULL, key, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &done, text, 32), 1);
    assert_int_equal(done, 40);
    EVP_CIPHER_CTX_free(context);
}

/* A message to `key`, as JSON with a NUL behind it. */
static inline void server_seal(const struct alc_ec_public_key *key, const void *text, size_t size,
                               const struct server_message *changes, char *out, size_t out_max)
{
    struct alc_ec_private_key ephemeral;
    struct alc_ec_public_key public_key;
    uint8_t secret[32], wrapping_key[32], content_key[32], wrapped[40], iv[12], tag[16];
    static uint8_t ciphertext[ALC_BROKER_BODY_MAX];
    static char encoded[2 * ALC_BROKER_BODY_MAX];
    char header[600], protected_text[900], data[1200], x[50], y[50], text_of[80], text_of_iv[20];
    char text_of_tag[30];
    assert_int_equal(alc_ec_generate(ALC_CURVE_P256, &oracle_random, &ephemeral, &public_key),
                     ALC_OK);
    assert_int_equal(alc_ecdh(&ephemeral, key, &oracle_random, secret), ALC_OK);
    server_derive(secret, wrapping_key);
    RAND_bytes(content_key, sizeof content_key);
    RAND_bytes(iv, sizeof iv);
    server_wrap(wrapping_key, content_key, wrapped);
    snprintf(
        header, sizeof header,
        "{\"alg\":\"%s\",\"enc\":\"%s\",\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\","
        "\"y\":\"%s\"}%s}",
        changes->algorithm != NULL ? changes->algorithm : "ECDH-ES+A256KW",
        changes->encryption != NULL ? changes->encryption : "A256GCM",
        server_base64(public_key.point, 32, x, sizeof x),
        server_base64(public_key.point + 32, 32, y, sizeof y),
        changes->more_header != NULL ? changes->more_header : "");
    server_base64(header, strlen(header), protected_text, sizeof protected_text);
    snprintf(data, sizeof data, "%s%s%s", protected_text, changes->more_data != NULL ? "." : "",
             changes->more_data != NULL ? changes->more_data : "");
    server_encrypt(content_key, iv, data, text, size, ciphertext, tag);
    wrapped[39] ^= changes->damaged == 1;
    iv[11] ^= changes->damaged == 2;
    ciphertext[0] ^= changes->damaged == 3;
    tag[15] ^= changes->damaged == 4;
    if (changes->damaged == 5) { /* the same meaning in other bytes */
        memmove(header + 2, header + 1, strlen(header));
        header[1] = ' ';
        server_base64(header, strlen(header), protected_text, sizeof protected_text);
    }
    snprintf(
        out, out_max,
        "{\"protected\":\"%s\",\"encrypted_key\":\"%s\",%s%s%s\"iv\":\"%s\",\"ciphertext\":\"%s\","
        "\"tag\":\"%s\"%s}",
        protected_text, server_base64(wrapped, 40, text_of, sizeof text_of),
        changes->more_data != NULL ? "\"aad\":\"" : "",
        changes->more_data != NULL ? changes->more_data : "",
        changes->more_data != NULL ? "\"," : "",
        server_base64(iv, 12, text_of_iv, sizeof text_of_iv),
        server_base64(ciphertext, size, encoded, sizeof encoded),
        server_base64(tag, 16, text_of_tag, sizeof text_of_tag),
        changes->more_members != NULL ? changes->more_members : "");
}

#endif
