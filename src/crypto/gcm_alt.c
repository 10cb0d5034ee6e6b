/* SPDX-License-Identifier: Apache-2.0
 *
 * Our GCM under mbedTLS's names, for the records of TLS: whole messages with an IV of 12 bytes and
 * a tag of 16, which is all that TLS 1.3 has. The functions for pieces refuse.
 */
#include <mbedtls/gcm.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/mbedtls_layout.h"

_Static_assert(sizeof(struct alc_gcm_key) + _Alignof(struct alc_gcm_key) <=
                   sizeof(mbedtls_gcm_context),
               "the key fits wherever the context lies");

static struct alc_gcm_key *key_of(mbedtls_gcm_context *context)
{
    const size_t alignment = _Alignof(struct alc_gcm_key);
    size_t skip = (0 - (uintptr_t)context->memory) & (alignment - 1);
    return (struct alc_gcm_key *)(void *)(context->memory + skip);
}

void mbedtls_gcm_init(mbedtls_gcm_context *context)
{
    alc_fill(context, 0, sizeof *context);
}

void mbedtls_gcm_free(mbedtls_gcm_context *context)
{
    if (context != NULL) {
        alc_wipe(context, sizeof *context);
    }
}

int mbedtls_gcm_setkey(mbedtls_gcm_context *context, mbedtls_cipher_id_t cipher,
                       const unsigned char *key, unsigned int key_bits)
{
    if (cipher != MBEDTLS_CIPHER_ID_AES || (key_bits != 128 && key_bits != 256)) {
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    }
    alc_gcm_key_init(key_of(context), key, key_bits / 8);
    return 0;
}

/* TLS has one message behind the other, so this is one: its description. */
static bool describe(struct alc_gcm_message *out, const unsigned char *iv, size_t iv_size,
                     const unsigned char *data, size_t data_size, size_t text_size)
{
    *out = (struct alc_gcm_message){
        .iv = iv, .data = data, .data_size = data_size, .text_size = text_size};
    return iv_size == ALC_GCM_IV_SIZE;
}

int mbedtls_gcm_crypt_and_tag(mbedtls_gcm_context *context, int mode, size_t text_size,
                              const unsigned char *iv, size_t iv_size, const unsigned char *data,
                              size_t data_size, const unsigned char *text, unsigned char *out,
                              size_t tag_size, unsigned char *tag)
{
    struct alc_gcm_message message;
    if (mode != MBEDTLS_GCM_ENCRYPT || tag_size != ALC_GCM_TAG_SIZE ||
        !describe(&message, iv, iv_size, data, data_size, text_size)) {
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    }
    alc_gcm_seal(key_of(context), &message, text, out, tag);
    return 0;
}

int mbedtls_gcm_auth_decrypt(mbedtls_gcm_context *context, size_t text_size,
                             const unsigned char *iv, size_t iv_size, const unsigned char *data,
                             size_t data_size, const unsigned char *tag, size_t tag_size,
                             const unsigned char *text, unsigned char *out)
{
    struct alc_gcm_message message;
    if (tag_size != ALC_GCM_TAG_SIZE ||
        !describe(&message, iv, iv_size, data, data_size, text_size)) {
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    }
    return alc_gcm_open(key_of(context), &message, text, tag, out) == ALC_OK
               ? 0
               : MBEDTLS_ERR_GCM_AUTH_FAILED;
}

int mbedtls_gcm_starts(mbedtls_gcm_context *context, int mode, const unsigned char *iv,
                       size_t iv_size)
{
    (void)context;
    (void)mode;
    (void)iv;
    (void)iv_size;
    return MBEDTLS_ERR_GCM_BAD_INPUT;
}

int mbedtls_gcm_update_ad(mbedtls_gcm_context *context, const unsigned char *data, size_t data_size)
{
    (void)context;
    (void)data;
    (void)data_size;
    return MBEDTLS_ERR_GCM_BAD_INPUT;
}

int mbedtls_gcm_update(mbedtls_gcm_context *context, const unsigned char *in, size_t in_size,
                       unsigned char *out, size_t out_max, size_t *out_size)
{
    (void)context;
    (void)in;
    (void)in_size;
    (void)out;
    (void)out_max;
    *out_size = 0;
    return MBEDTLS_ERR_GCM_BAD_INPUT;
}

int mbedtls_gcm_finish(mbedtls_gcm_context *context, unsigned char *out, size_t out_max,
                       size_t *out_size, unsigned char *tag, size_t tag_size)
{
    (void)context;
    (void)out;
    (void)out_max;
    (void)tag;
    (void)tag_size;
    *out_size = 0;
    return MBEDTLS_ERR_GCM_BAD_INPUT;
}
