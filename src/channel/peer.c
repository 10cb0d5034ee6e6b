/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging peers: from the form of their claims to the appraisal of their evidence, cheap checks
 * first. A verdict that was found once holds for the same bytes within its dates.
 */
#include "channel/peer.h"

#include "base/bytes.h"
#include "channel/dialect.h"
#include "channel/endorsements.h"
#include "channel/memory.h"

alc_status alc_channel_evidence_read(const struct alc_text *bytes, struct alc_tagged_evidence *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes->bytes, bytes->size, NULL);
    ALC_TRY(alc_tagged_evidence_read(&reader, out));
    return alc_reader_at_end(&reader) ? ALC_OK : ALC_E_BAD_CBOR;
}

alc_status alc_channel_proof_of(const struct alc_own_certificate *certificate,
                                const struct alc_channel_demand *demand,
                                struct alc_channel_proof *out)
{
    *out = (struct alc_channel_proof){.spki = certificate->spki,
                                      .endorsements = certificate->endorsements};
    if (certificate->evidence.bytes != NULL) {
        return alc_channel_evidence_read(&certificate->evidence, &out->evidence);
    }
    if (certificate->legacy_quote.bytes == NULL) {
        return ALC_E_NO_EVIDENCE;
    }
    out->is_legacy = true;
    out->evidence = (struct alc_tagged_evidence){.tag = ALC_EVIDENCE_TAG_QUOTE,
                                                 .evidence = certificate->legacy_quote};
    return demand->accepts_legacy ? ALC_OK : ALC_E_DIALECT_REFUSED;
}

static alc_status judge_key(const struct alc_text *spki, const struct alc_claims_buffer *claims)
{
    const enum alc_hash_kind kind = alc_named_hash_kind(claims->key_hash_kind);
    uint8_t digest[ALC_HASH_SIZE_MAX];
    if (kind == ALC_HASH_KINDS) {
        return ALC_E_EVIDENCE_FOR_OTHER_KEY;
    }
    alc_hash_bytes(kind, spki->bytes, spki->size, digest);
    return claims->key_hash.size == alc_hash_size(kind) &&
                   alc_equal(digest, claims->key_hash.bytes, claims->key_hash.size)
               ? ALC_OK
               : ALC_E_EVIDENCE_FOR_OTHER_KEY;
}

/* The claims, and whether they are about this key and this nonce. */
static alc_status judge_claims(const struct alc_channel_proof *proof,
                               struct alc_claims_buffer *claims)
{
    struct alc_reader reader;
    if (proof->evidence.claims.size > ALC_CLAIMS_SIZE_MAX) {
        return ALC_E_LENGTH_OUT_OF_BOUNDS;
    }
    alc_reader_init(&reader, proof->evidence.claims.bytes, proof->evidence.claims.size, NULL);
    ALC_TRY(alc_claims_buffer_read(&reader, claims));
    ALC_TRY(judge_key(&proof->spki, claims));
    if (proof->nonce != NULL && (claims->nonce.size != ALC_SHA256_SIZE ||
                                 !alc_equal(claims->nonce.bytes, proof->nonce, ALC_SHA256_SIZE))) {
        return ALC_E_NOT_FRESH;
    }
    return ALC_OK;
}

/* What the peer's runtime says of its program, if it is one of ours: to be said for channels, which
 * the program cannot ask for. */
static alc_status judge_program(const struct alc_claims_buffer *buffer,
                                struct alc_channel_peer *out)
{
    struct alc_reader reader;
    struct alc_claims claims;
    if (buffer->alcove.size == 0) {
        return ALC_OK;
    }
    alc_reader_init(&reader, buffer->alcove.bytes, buffer->alcove.size, NULL);
    ALC_TRY(alc_claims_read(&reader, &claims));
    if (claims.asked_by != ALC_ASKED_BY_CHANNEL) {
        return ALC_E_BAD_CLAIMS;
    }
    out->has_workload = true;
    alc_copy(out->workload, claims.workload_id, ALC_SHA256_SIZE);
    return ALC_OK;
}

/* Two failures of appraisal have names of their own here. */
static alc_status name_failure(alc_status status, struct alc_channel_peer *out)
{
    if (status == ALC_E_REPORT_MISMATCH && out->check == ALC_CHECK_CLAIMS) {
        status = ALC_E_CLAIMS_NOT_BOUND;
    } else if (status == ALC_E_POLICY_REFUSED && out->check == ALC_CHECK_WORKLOAD) {
        status = ALC_E_WRONG_WORKLOAD;
    } else {
        return status;
    }
    out->check = ALC_CHECKS;
    return status;
}

/* What alc_appraise says, and whether the evidence means these claims: it has these report data. */
static alc_status appraise(struct alc_arena *arena, const struct alc_channel_demand *demand,
                           const struct alc_channel_proof *proof,
                           const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE], int64_t now_s,
                           struct alc_channel_peer *out)
{
    struct alc_policy policy = demand->policy != NULL ? *demand->policy : alc_policy_default;
    struct alc_pcs_collateral endorsements;
    struct alc_appraisal appraisal = {.evidence = proof->evidence.evidence,
                                      .claims_buffer = proof->evidence.claims,
                                      .claims_report_data = report_data,
                                      .collateral = demand->collateral,
                                      .policy = &policy,
                                      .now_s = now_s,
                                      .root_sha256 = demand->root_sha256};
    policy.report_data = NULL;
    if (appraisal.collateral.pcs == NULL && proof->endorsements.bytes != NULL &&
        proof->endorsements.size != 0) { /* TNG's extension is there, and empty */
        struct alc_reader reader;
        alc_reader_init(&reader, proof->endorsements.bytes, proof->endorsements.size, NULL);
        ALC_TRY(alc_endorsements_read(&reader, &endorsements));
        appraisal.collateral.pcs = &endorsements;
    }
    if (appraisal.collateral.pcs == NULL && proof->evidence.tag == ALC_EVIDENCE_TAG_QUOTE) {
        return ALC_E_BAD_COLLATERAL;
    }
    alc_status status = alc_appraise(arena, &appraisal, &out->verdict);
    out->verdict.advisories_count = 0;
    out->verdict.nonce = (struct alc_text){0};
    out->verdict.claims.software = (struct alc_text){0};
    out->verdict.claims.version = (struct alc_text){0};
    for (size_t i = 0; status != ALC_OK && i < ALC_CHECKS; i++) {
        if (out->verdict.results[i] == ALC_CHECK_FAILED) {
            out->check = (enum alc_check)i;
        }
    }
    ALC_TRY(name_failure(status, out));
    return alc_equal(report_data, out->verdict.report_data, ALC_EVIDENCE_REPORT_DATA_SIZE)
               ? ALC_OK
               : ALC_E_CLAIMS_NOT_BOUND;
}

static void write_counted(struct alc_sha256 *hash, const struct alc_text *text)
{
    uint64_t size = text->bytes != NULL ? text->size : 0;
    alc_sha256_update(hash, &size, sizeof size);
    alc_sha256_update(hash, text->bytes, (size_t)size);
}

/* Everything that the verdict depends on but the demand, whose memory this is for, and the time. */
static void identify(const struct alc_channel_proof *proof, uint8_t out[ALC_SHA256_SIZE])
{
    const uint64_t head[] = {proof->evidence.tag, proof->is_legacy,
                             proof->endorsements.bytes != NULL};
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, head, sizeof head);
    write_counted(&hash, &proof->spki);
    write_counted(&hash, &proof->evidence.evidence);
    write_counted(&hash, &proof->evidence.claims);
    write_counted(&hash, &proof->endorsements);
    alc_sha256_finish(&hash, out);
}

/* Brings what is shown into the form that is judged, if it is of the dialect that was asked for: a
 * quote or report, claims, and the report data that bind them. */
static alc_status translate(struct alc_arena *arena, const struct alc_channel_demand *demand,
                            struct alc_channel_proof *proof,
                            uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    struct alc_tagged_evidence *evidence = &proof->evidence;
    if (demand->dialect != NULL) {
        return proof->is_legacy || demand->dialect->translate == NULL
                   ? ALC_E_DIALECT_REFUSED
                   : demand->dialect->translate(arena, evidence, report_data);
    }
    /* Which of the kinds that stand under a tag it is, the evidence itself says. */
    if (evidence->tag != ALC_EVIDENCE_TAG_QUOTE && evidence->tag != ALC_EVIDENCE_TAG_SEV_SNP) {
        return ALC_E_DIALECT_REFUSED;
    }
    const struct alc_text *bound = proof->is_legacy ? &proof->spki : &evidence->claims;
    alc_claims_bind(bound->bytes, bound->size, report_data);
    return ALC_OK;
}

static alc_status judge(struct alc_arena *arena, const struct alc_channel_demand *demand,
                        const struct alc_channel_proof *shown, int64_t now_s,
                        struct alc_channel_peer *out)
{
    uint8_t identity[ALC_SHA256_SIZE];
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    struct alc_channel_proof proof = *shown;
    struct alc_claims_buffer claims = {0};
    ALC_TRY(translate(arena, demand, &proof, report_data));
    if (!proof.is_legacy) {
        ALC_TRY(judge_claims(&proof, &claims));
    }
    identify(shown, identity);
    if (!alc_channel_memory_find_verdict(demand->memory, identity, now_s, &out->verdict)) {
        ALC_TRY(appraise(arena, demand, &proof, report_data, now_s, out));
        alc_channel_memory_keep_verdict(demand->memory, identity, &out->verdict);
    }
    out->claims_size = proof.evidence.claims.size;
    if (out->claims_size != 0) {
        alc_copy(out->claims, proof.evidence.claims.bytes, out->claims_size);
    }
    return judge_program(&claims, out);
}

alc_status alc_channel_judge(struct alc_arena *arena, const struct alc_channel_demand *demand,
                             const struct alc_channel_proof *proof, int64_t now_s,
                             struct alc_channel_peer *out)
{
    alc_fill(out, 0, sizeof *out);
    out->check = ALC_CHECKS;
    out->status = judge(arena, demand, proof, now_s, out);
    out->is_attested = out->status == ALC_OK;
    return out->status;
}
