/* SPDX-License-Identifier: Apache-2.0
 *
 * HMAC (FIPS 198-1) and HKDF (RFC 5869), mbedTLS's. With the sizes that our header demands they can
 * only fail for want of memory, and whoever was let into the pool has that.
 */
#include "crypto/crypto.h"

#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>

#include "crypto/pool.h"

static const mbedtls_md_info_t *info_of(enum alc_hash_kind kind)
{
    ALC_ASSERT(kind < ALC_HASH_KINDS);
    return mbedtls_md_info_from_type(kind == ALC_HASH_SHA256   ? MBEDTLS_MD_SHA256
                                     : kind == ALC_HASH_SHA384 ? MBEDTLS_MD_SHA384
                                                               : MBEDTLS_MD_SHA512);
}

void alc_hmac(enum alc_hash_kind kind, const void *key, size_t key_size, const void *bytes,
              size_t size, uint8_t *code)
{
    alc_pool_enter();
    ALC_ASSERT(mbedtls_md_hmac(info_of(kind), key, key_size, bytes, size, code) == 0);
    alc_pool_leave();
}

void alc_hkdf_extract(enum alc_hash_kind kind, const void *salt, size_t salt_size,
                      const void *secret, size_t secret_size, uint8_t *out_key)
{
    alc_pool_enter();
    ALC_ASSERT(mbedtls_hkdf_extract(info_of(kind), salt, salt_size, secret, secret_size, out_key) ==
               0);
    alc_pool_leave();
}

void alc_hkdf_expand(enum alc_hash_kind kind, const void *key, size_t key_size, const void *info,
                     size_t info_size, uint8_t *out, size_t out_size)
{
    ALC_ASSERT(key_size >= alc_hash_size(kind) && out_size <= 255 * alc_hash_size(kind));
    alc_pool_enter();
    ALC_ASSERT(mbedtls_hkdf_expand(info_of(kind), key, key_size, info, info_size, out, out_size) ==
               0);
    alc_pool_leave();
}

void alc_hkdf(enum alc_hash_kind kind, const struct alc_hkdf_inputs *inputs, uint8_t *out,
              size_t out_size)
{
    ALC_ASSERT(out_size <= 255 * alc_hash_size(kind));
    alc_pool_enter();
    ALC_ASSERT(mbedtls_hkdf(info_of(kind), inputs->salt, inputs->salt_size, inputs->secret,
                            inputs->secret_size, inputs->info, inputs->info_size, out,
                            out_size) == 0);
    alc_pool_leave();
}
