/* SPDX-License-Identifier: Apache-2.0
 *
 * What one side of a channel is: a key made at start, which never leaves, and a certificate for it
 * with evidence of where the key is.
 */
#ifndef ALC_CHANNEL_IDENTITY_H
#define ALC_CHANNEL_IDENTITY_H

#include "attest/attester.h"
#include "attest/evidence_file.h"
#include "base/limits.h"
#include "channel/dialect.h"
#include "channel/memory.h"

struct alc_channel_identity_options {
    const struct alc_random *random;     /* borrowed as long as the identity */
    const struct alc_attester *attester; /* so is this; NULL: nothing is proved */
    uint64_t evidence_tag;               /* enum alc_evidence_tag; 0: ALC_EVIDENCE_TAG_QUOTE */
    const struct alc_channel_dialect *dialect; /* of the certificate, which has its own tags then;
                                                * borrowed; NULL: our own */
    struct alc_text claims; /* the encoded claims set of attest/claims.h; copied; may be empty */
    /* In their form, borrowed as long as the identity; shown beside evidence. bytes NULL: none. */
    struct alc_text endorsements;
    bool endorses_certificate; /* they stand in the certificate, too, for peers of other makes */
    int64_t now_s;             /* since 1970 */
    uint32_t lifetime_s;       /* of the certificate; 0: six hours */
};

struct alc_channel_identity {
    const struct alc_random *random;
    const struct alc_attester *attester;
    uint64_t evidence_tag;
    const struct alc_channel_dialect *dialect;
    struct alc_text endorsements; /* borrowed */
    struct alc_ec_private_key private_key;
    struct alc_ec_public_key public_key;
    uint8_t spki_sha256[ALC_SHA256_SIZE];
    uint8_t claims[ALC_CLAIMS_SIZE_MAX]; /* the claims-buffer, without a nonce */
    size_t claims_size;
    uint8_t certificate[ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE];
    size_t certificate_size;
    uint8_t certificate_sha256[ALC_SHA256_SIZE];
    struct alc_channel_memory memory; /* secrets agreed on with verifiers */
};

/* Statuses: of `random` and of the attester; ALC_E_CERTIFICATE_SIZE; ALC_E_LENGTH_OUT_OF_BOUNDS
 * (claims); ALC_E_NOT_SUPPORTED (evidence that the dialect has no form for); ALC_E_OUT_OF_MEMORY
 * (`arena` needs 32 KiB, in TNG's dialect 56, during the call alone). */
ALC_MUST_CHECK alc_status
alc_channel_identity_init(struct alc_channel_identity *identity, struct alc_arena *arena,
                          const struct alc_channel_identity_options *options);
/* Wipes the key. */
void alc_channel_identity_fini(struct alc_channel_identity *identity);

/* New evidence that is bound to `nonce` as well as to the key and the claims: appends the evidence
 * and its buffer of claims. ALC_E_NOT_SUPPORTED without an attester or in a dialect that has no
 * such proofs; the attester's statuses. */
ALC_MUST_CHECK alc_status alc_channel_identity_prove(const struct alc_channel_identity *identity,
                                                     const uint8_t nonce[ALC_SHA256_SIZE],
                                                     struct alc_writer *evidence,
                                                     struct alc_writer *claims);

#endif
