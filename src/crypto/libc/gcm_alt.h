/* SPDX-License-Identifier: Apache-2.0
 *
 * The context that mbedTLS asks for where GCM is not its own (MBEDTLS_GCM_ALT): one record at a
 * time, never piece by piece. gcm_alt.c has the functions.
 */
#ifndef ALC_CRYPTO_GCM_ALT_H
#define ALC_CRYPTO_GCM_ALT_H

#include <stdint.h>

typedef struct mbedtls_gcm_context {
    /* struct alc_gcm_key with the space that aligning it takes: mbedTLS's memory is aligned to 16,
     * its own structures are not. */
    uint8_t memory[464];
} mbedtls_gcm_context;

#endif
