/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two ways to compute SHA-256 share.
 */
#ifndef ALC_BASE_SHA256_INTERNAL_H
#define ALC_BASE_SHA256_INTERNAL_H

#include "base/sha256.h"

/* FIPS 180-4, 4.2.2. */
extern const uint32_t alc_sha256_constants[64];

/* Compresses whole blocks, at least one. */
typedef void alc_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t blocks_count);
/* What does it; NULL: portable code. Set once, before there are threads, by
 * alc_sha256_use_instructions, which is elsewhere so that images without it have no instructions.
 */
extern alc_sha256_blocks *alc_sha256_blocks_function;

#endif
