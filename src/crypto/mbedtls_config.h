/* SPDX-License-Identifier: Apache-2.0
 *
 * The one configuration of mbedTLS: P-256 and P-384, AES by the processor's instructions alone,
 * SHA-2, HMAC, HKDF, CMAC, RSA-PSS. No files, no sockets, no clock, no entropy source, no printing;
 * memory only from alc_mbedtls_calloc (pool.c). What is not used is not linked.
 */
#ifndef ALC_CRYPTO_MBEDTLS_CONFIG_H
#define ALC_CRYPTO_MBEDTLS_CONFIG_H

#include <stddef.h>

void *alc_mbedtls_calloc(size_t count, size_t size);
void alc_mbedtls_free(void *memory);

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO alc_mbedtls_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO alc_mbedtls_free
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_ZEROIZE_ALT
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_DEPRECATED_REMOVED

#define MBEDTLS_AES_C
#define MBEDTLS_AESNI_C
#define MBEDTLS_AES_USE_HARDWARE_ONLY /* no tables, and no CPUID, which enclaves may not use */
#define MBEDTLS_AES_ROM_TABLES /* none is used, so none is linked, and none made at run time */
#define MBEDTLS_BLOCK_CIPHER_NO_DECRYPT
#define MBEDTLS_CIPHER_C
#define MBEDTLS_CMAC_C

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER
#define MBEDTLS_MD_C
#define MBEDTLS_HKDF_C
#define MBEDTLS_HMAC_DRBG_C

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 512 /* RSA-4096 */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_OID_C /* asked for by the next, which does not call it */
#define MBEDTLS_RSA_C
#define MBEDTLS_RSA_NO_CRT
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C

#endif
