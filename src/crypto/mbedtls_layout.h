/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS's files are compiled with TLS or without it (mbedtls_config.h), and linked with each
 * other. This header is included on both sides: their structures have one layout.
 */
#ifndef ALC_CRYPTO_MBEDTLS_LAYOUT_H
#define ALC_CRYPTO_MBEDTLS_LAYOUT_H

#include <mbedtls/cipher.h>
#include <mbedtls/cmac.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>

#define LAYOUT(type, size) _Static_assert(sizeof(type) == (size), #type)
LAYOUT(mbedtls_md_context_t, 24);
LAYOUT(mbedtls_cipher_context_t, 80);
LAYOUT(mbedtls_gcm_context, 464);
LAYOUT(mbedtls_ecp_group, 192);
LAYOUT(mbedtls_ecp_keypair, 256);
LAYOUT(mbedtls_mpi, 16);
#undef LAYOUT

#endif
