/* SPDX-License-Identifier: Apache-2.0
 *
 * AES key schedule and CMAC, mbedTLS's, which uses the processor's instructions and nothing else
 * (MBEDTLS_AES_USE_HARDWARE_ONLY): constant in time because they are.
 */
#include "crypto/aes_internal.h"

#include <mbedtls/aes.h>
#include <mbedtls/cmac.h>

#include "base/bytes.h"
#include "crypto/pool.h"

void alc_aes_key_init(struct alc_aes_key *key, const uint8_t *bytes, size_t size)
{
    mbedtls_aes_context aes;
    ALC_ASSERT(size == ALC_AES128_KEY_SIZE || size == ALC_AES256_KEY_SIZE);
    alc_fill(key, 0, sizeof *key);
    mbedtls_aes_init(&aes);
    ALC_ASSERT(mbedtls_aes_setkey_enc(&aes, bytes, (unsigned)size * 8) == 0);
    key->rounds = (uint32_t)aes.MBEDTLS_PRIVATE(nr);
    ALC_ASSERT(key->rounds == size / 4 + 6);
    /* The round keys as AESENC takes them: tests compare blocks with OpenSSL's. */
    alc_copy(key->round_keys, aes.MBEDTLS_PRIVATE(buf) + aes.MBEDTLS_PRIVATE(rk_offset),
             (key->rounds + 1) * ALC_AES_BLOCK_SIZE);
    mbedtls_aes_free(&aes);
}

void alc_aes_cmac(const uint8_t key[ALC_AES128_KEY_SIZE], const void *bytes, size_t size,
                  uint8_t code[ALC_AES_BLOCK_SIZE])
{
    alc_pool_enter();
    ALC_ASSERT(mbedtls_cipher_cmac(mbedtls_cipher_info_from_type(MBEDTLS_CIPHER_AES_128_ECB), key,
                                   8 * ALC_AES128_KEY_SIZE, bytes, size, code) == 0);
    alc_pool_leave();
}
