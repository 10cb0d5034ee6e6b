/* SPDX-License-Identifier: Apache-2.0
 *
 * The one configuration of mbedTLS: P-256 and P-384, AES by the processor's instructions alone,
 * SHA-2, HMAC, HKDF, CMAC, RSA-PSS, and for channel/ TLS 1.3 with certificates. No files, no
 * sockets, no clock, no entropy source, no printing; memory only from alc_mbedtls_calloc (pool.c).
 * What is not used is not linked.
 */
#ifndef ALC_CRYPTO_MBEDTLS_CONFIG_H
#define ALC_CRYPTO_MBEDTLS_CONFIG_H

#include <stddef.h>

void *alc_mbedtls_calloc(size_t count, size_t size);
void alc_mbedtls_free(void *memory);
/* Fails: texts are made for nobody. Defined where TLS is, src/channel. */
int alc_mbedtls_no_text(char *buf, size_t buf_size, const char *format, ...);

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO alc_mbedtls_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO alc_mbedtls_free
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO alc_mbedtls_no_text
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

/* -- for TLS, in files that others use as well -- */
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_GCM_C
#define MBEDTLS_GCM_ALT /* gcm_alt.c */

/* -- TLS 1.3: seen by src/channel and those files of mbedTLS that it alone links, so that the
 * others do not ask for its functions. No structure that both use may depend on it:
 * mbedtls_layout.h -- */
#ifdef ALC_MBEDTLS_TLS
#define MBEDTLS_ECDH_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_CONFIG
#define MBEDTLS_PSA_CRYPTO_CONFIG_FILE "crypto/mbedtls_psa_config.h"
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_CID_TLS1_3_PADDING_GRANULARITY 1 /* no padding */
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_SSL_KEYING_MATERIAL_EXPORT
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO
#define MBEDTLS_X509_USE_C
#endif

#endif
