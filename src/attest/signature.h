/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures under certificates and collateral, which are the same for every piece of evidence from
 * one platform: whoever judges many can remember which of them were good.
 */
#ifndef ALC_ATTEST_SIGNATURE_H
#define ALC_ATTEST_SIGNATURE_H

#include "crypto/crypto.h"

/* A memory of good signatures, each by the SHA-256 of key, digest and signature. What it says is
 * believed, so it MUST NOT be an adversary's; it may forget. It is called by every thread that
 * judges with it. */
struct alc_known_signatures {
    bool (*has)(void *context, const uint8_t id[ALC_SHA256_SIZE]);
    void (*add)(void *context, const uint8_t id[ALC_SHA256_SIZE]);
    void *context;
};

/* As alc_ecdsa_verify, unless `known` (which may be NULL) remembers it. */
ALC_MUST_CHECK alc_status alc_signature_verify(const struct alc_known_signatures *known,
                                               const struct alc_ec_public_key *key,
                                               const uint8_t *digest, size_t digest_size,
                                               const struct alc_ecdsa_signature *signature);

#endif
