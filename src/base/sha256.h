/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 (FIPS 180-4): measurements, module hashes, workload ids. Not for secrets that must resist
 * a local attacker's timing: the code has no secret-dependent branches, but keyed uses belong in
 * crypto/.
 */
#ifndef ALC_BASE_SHA256_H
#define ALC_BASE_SHA256_H

#include "base/compiler.h"

enum { ALC_SHA256_SIZE = 32, ALC_SHA256_BLOCK_SIZE = 64 };

struct alc_sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes hashed so far */
    uint8_t block[ALC_SHA256_BLOCK_SIZE];
};

/* From now on the processor's SHA instructions do the work, in the whole program. The caller knows
 * that it has them, else they fault; and calls this before there are other threads. */
void alc_sha256_use_instructions(void);
void alc_sha256_init(struct alc_sha256 *hash);
void alc_sha256_update(struct alc_sha256 *hash, const void *bytes, size_t size);
/* Writes the digest; `hash` must be initialised again before further use. */
void alc_sha256_finish(struct alc_sha256 *hash, uint8_t digest[ALC_SHA256_SIZE]);
void alc_sha256(const void *bytes, size_t size, uint8_t digest[ALC_SHA256_SIZE]);

#endif
