/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence as attestation agents of Confidential Containers make it, which TNG (Trusted Network
 * Gateway) puts into certificates under the tag ALC_EVIDENCE_TAG_COCO. What evidence is bound to is
 * not a claims-buffer but JSON, by another hash:
 *
 *   evidence = { "tee_type": tstr, "aa_evidence": bstr, "aa_additional_evidence": bstr / null,
 *                "aa_runtime_data": tstr, "aa_runtime_data_hash_algo": 1 / 7 / 8 }
 *   aa_evidence     = JSON of the agent: { "quote": base64, ... } for enclaves and trust domains
 *   aa_runtime_data = JSON: { ? "alcove": base64 of the encoded claims set,
 *                             "pubkey-hash": base64 of [hash-alg-id, bstr], ... }
 *   report data     = hash(aa_runtime_data) || zeros
 *
 * It is brought into the other form here, so that one judgement serves both.
 * docs/attested-channels.md.
 */
#ifndef ALC_CHANNEL_COCO_H
#define ALC_CHANNEL_COCO_H

#include "attest/evidence_file.h"
#include "base/arena.h"

enum { ALC_COCO_RUNTIME_DATA_SIZE_MAX = 8192 };

/* What evidence in this form says, in the form of the other dialect. */
struct alc_coco_evidence {
    struct alc_tagged_evidence evidence; /* a quote, and the claims-buffer that says the same */
    /* Of a quote that is bound to what `evidence.claims` was made of. */
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
};

/* Reads evidence under the tag; what is new lies in `arena`, which needs the size of the input and
 * 5 KiB. Hostile input:
 * ALC_E_BAD_CBOR, ALC_E_BAD_JSON; ALC_E_NOT_SUPPORTED for evidence that is not a quote, and for
 * hashes that are not known; ALC_E_BAD_QUOTE for a quote of another kind than it is said to be;
 * ALC_E_LENGTH_OUT_OF_BOUNDS, ALC_E_OUT_OF_MEMORY. What agents say about devices is passed over:
 * nothing is believed of it. */
ALC_MUST_CHECK alc_status alc_coco_read(struct alc_arena *arena, const struct alc_text *bytes,
                                        struct alc_coco_evidence *out);

/* Appends runtime data, in canonical form (RFC 8785), that say the same as `claims`, whose nonce is
 * left out; and what a quote for them has as report data. */
void alc_coco_write_runtime_data(struct alc_writer *writer, const struct alc_claims_buffer *claims);
void alc_coco_bind(const struct alc_text *runtime_data,
                   uint8_t out_report_data[ALC_EVIDENCE_REPORT_DATA_SIZE]);
/* Appends evidence: a quote of this kind for these runtime data. ALC_E_NOT_SUPPORTED for kinds
 * whose evidence is no quote. */
ALC_MUST_CHECK alc_status alc_coco_write(struct alc_writer *writer, enum alc_evidence_kind kind,
                                         const struct alc_text *quote,
                                         const struct alc_text *runtime_data);

#endif
