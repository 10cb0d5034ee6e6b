/* SPDX-License-Identifier: Apache-2.0
 *
 * The judgement about a peer: certificate, claims, evidence. A pure function but for the memory of
 * verdicts that the caller may give. Input is hostile but for what is demanded and the time.
 */
#ifndef ALC_CHANNEL_PEER_H
#define ALC_CHANNEL_PEER_H

#include "attest/appraise.h"
#include "attest/evidence_file.h"
#include "channel/certificate.h"

struct alc_channel_dialect; /* channel/dialect.h */
struct alc_channel_memory;  /* channel/memory.h */

/* What is asked of peers. Borrowed, trusted, and unchanged as long as anything uses it. */
struct alc_channel_demand {
    const struct alc_policy *policy;  /* NULL: alc_policy_default; report_data is not looked at */
    struct alc_collateral collateral; /* where there is none, what the peer brings is taken */
    const uint8_t *root_sha256;       /* see struct alc_appraisal */
    const struct alc_channel_dialect *dialect; /* NULL: our own; evidence in another is refused */
    bool accepts_unattested;                   /* also a peer who proves nothing */
    bool accepts_stale;  /* also evidence that stands in the certificate and nowhere else */
    bool accepts_legacy; /* also quotes that are bound to the key alone */
    uint32_t reuse_s;    /* so long a peer who proved to be fresh need not do it again; 0: never */
    struct alc_channel_memory *memory; /* for this demand alone; NULL: nothing is remembered */
};

struct alc_channel_peer {
    alc_status status;          /* ALC_OK: accepted; else why not */
    enum alc_check check;       /* the check of the evidence that failed; ALC_CHECKS: none did */
    bool is_attested;           /* below: meaningful if so */
    bool is_fresh;              /* proved on this connection */
    struct alc_verdict verdict; /* without advisories and texts, which were borrowed */
    bool has_workload;
    uint8_t workload[ALC_SHA256_SIZE];
    uint8_t claims[ALC_CLAIMS_SIZE_MAX]; /* the buffer, read without a fault; of a */
    size_t claims_size;                  /* legacy peer empty */
};

/* What is judged. */
struct alc_channel_proof {
    struct alc_text spki;
    struct alc_tagged_evidence evidence;
    bool is_legacy;               /* the claims are empty and the evidence is bound to the key */
    struct alc_text endorsements; /* bytes NULL: none */
    const uint8_t *nonce;         /* that the claims must have, ALC_SHA256_SIZE; NULL: any */
};

/* Reads the value of an evidence extension, or of a proof, and nothing behind it. */
ALC_MUST_CHECK alc_status alc_channel_evidence_read(const struct alc_text *bytes,
                                                    struct alc_tagged_evidence *out);
/* What a certificate proves by itself. ALC_E_NO_EVIDENCE; ALC_E_DIALECT_REFUSED for legacy evidence
 * unless the demand accepts it; as for reading tagged evidence. Other dialects are the judgement's
 * to refuse. */
ALC_MUST_CHECK alc_status alc_channel_proof_of(const struct alc_own_certificate *certificate,
                                               const struct alc_channel_demand *demand,
                                               struct alc_channel_proof *out);
/* Fills *out and returns out->status: of the formats, ALC_E_BAD_CLAIMS, ALC_E_DIALECT_REFUSED (a
 * tag of another dialect, or of none), ALC_E_EVIDENCE_FOR_OTHER_KEY, ALC_E_NOT_FRESH (another
 * nonce), those of alc_appraise, ALC_E_CLAIMS_NOT_BOUND, ALC_E_WRONG_WORKLOAD. Whether it is fresh
 * is the caller's to say. `arena` needs 64 KiB at most and is used during the call alone. */
alc_status alc_channel_judge(struct alc_arena *arena, const struct alc_channel_demand *demand,
                             const struct alc_channel_proof *proof, int64_t now_s,
                             struct alc_channel_peer *out);

#endif
