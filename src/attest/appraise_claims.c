/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks about what evidence was made for: report data, nonce, and what alcove's runtime claims
 * about its program. A claims-buffer is hostile until it was found to be the one that the evidence
 * binds; then it is as good as the runtime that made it, which the measurements tell.
 */
#include "attest/appraise_internal.h"

#include "base/bytes.h"

static alc_status accept(bool is_accepted)
{
    return is_accepted ? ALC_OK : ALC_E_POLICY_REFUSED;
}

alc_status alc_claims_check_report_data(struct alc_appraise_state *state)
{
    const uint8_t *wanted = state->appraisal->policy->report_data;
    return accept(wanted == NULL ||
                  alc_equal(state->verdict->report_data, wanted, ALC_EVIDENCE_REPORT_DATA_SIZE));
}

/* Evidence without claims is fine as long as nobody asks for any. */
alc_status alc_claims_check_bound(struct alc_appraise_state *state)
{
    const struct alc_text *bytes = &state->appraisal->claims_buffer;
    struct alc_verdict *verdict = state->verdict;
    struct alc_claims_buffer buffer;
    struct alc_reader reader;
    uint8_t bound[ALC_EVIDENCE_REPORT_DATA_SIZE];
    if (bytes->size == 0) {
        return ALC_OK;
    }
    alc_claims_bind(bytes->bytes, bytes->size, bound);
    if (state->appraisal->claims_report_data != NULL) {
        alc_copy(bound, state->appraisal->claims_report_data, sizeof bound);
    }
    if (!alc_equal(bound, verdict->report_data, sizeof bound)) {
        return ALC_E_REPORT_MISMATCH;
    }
    alc_reader_init(&reader, bytes->bytes, bytes->size, NULL);
    ALC_TRY(alc_claims_buffer_read(&reader, &buffer));
    if (buffer.alcove.size != 0) {
        alc_reader_init(&reader, buffer.alcove.bytes, buffer.alcove.size, NULL);
        ALC_TRY(alc_claims_read(&reader, &verdict->claims));
        verdict->has_claims = true;
    }
    verdict->nonce = buffer.nonce;
    return ALC_OK;
}

/* In the claims where there are some, else in the report data, with zeros behind it. */
alc_status alc_claims_check_nonce(struct alc_appraise_state *state)
{
    const struct alc_text *wanted = &state->appraisal->nonce;
    uint8_t padded[ALC_EVIDENCE_REPORT_DATA_SIZE] = {0};
    if (wanted->size == 0) {
        return ALC_OK;
    }
    if (state->appraisal->claims_buffer.size != 0) {
        return accept(state->verdict->nonce.size == wanted->size &&
                      alc_equal(state->verdict->nonce.bytes, wanted->bytes, wanted->size));
    }
    if (wanted->size > sizeof padded) {
        return ALC_E_POLICY_REFUSED;
    }
    alc_copy(padded, wanted->bytes, wanted->size);
    return accept(alc_equal(state->verdict->report_data, padded, sizeof padded));
}

/* Whether the claims have one of these hashes; none asked for: any, and no claims. */
static alc_status accept_hash(const struct alc_verdict *verdict, const uint8_t *found,
                              const struct alc_reference_values *accepted)
{
    for (size_t i = 0; verdict->has_claims && i < accepted->count; i++) {
        if (alc_equal(found, &accepted->bytes[i * ALC_SHA256_SIZE], ALC_SHA256_SIZE)) {
            return ALC_OK;
        }
    }
    return accept(accepted->count == 0);
}

alc_status alc_claims_check_workload(struct alc_appraise_state *state)
{
    return accept_hash(state->verdict, state->verdict->claims.workload_id,
                       &state->appraisal->policy->workloads);
}

/* alcove's runtime does not run where this does not hold, whatever the policy says. */
alc_status alc_claims_check_configured(struct alc_appraise_state *state)
{
    const struct alc_verdict *verdict = state->verdict;
    const struct alc_sgx_report_body *report = &verdict->report;
    uint8_t expected[ALC_SGX_CONFIG_ID_SIZE] = {0};
    if (!verdict->has_claims || (report->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) == 0) {
        return ALC_OK;
    }
    alc_copy(expected, verdict->claims.workload_id, ALC_SHA256_SIZE);
    return alc_equal(report->config_id, expected, sizeof expected) && report->config_svn == 0
               ? ALC_OK
               : ALC_E_REPORT_MISMATCH;
}

alc_status alc_claims_check_module(struct alc_appraise_state *state)
{
    return accept_hash(state->verdict, state->verdict->claims.module_sha256,
                       &state->appraisal->policy->modules);
}

/* Whether no compiled code runs: the interpreter is the runtime's, which measurements tell. */
static bool is_interpreted(const struct alc_verdict *verdict)
{
    return verdict->has_claims && !verdict->claims.is_compiled;
}

alc_status alc_claims_check_native(struct alc_appraise_state *state)
{
    return is_interpreted(state->verdict)
               ? ALC_OK
               : accept_hash(state->verdict, state->verdict->claims.native_sha256,
                             &state->appraisal->policy->natives);
}

alc_status alc_claims_check_verified(struct alc_appraise_state *state)
{
    const struct alc_verdict *verdict = state->verdict;
    return accept(!state->appraisal->policy->needs_verified ||
                  (verdict->has_claims && verdict->claims.is_verified));
}

alc_status alc_claims_check_vouched_by(struct alc_appraise_state *state)
{
    const struct alc_verdict *verdict = state->verdict;
    const struct alc_reference_values *keys = &state->appraisal->policy->voucher_keys;
    if (is_interpreted(verdict) || keys->count == 0) {
        return ALC_OK;
    }
    return verdict->claims.vouched_by == ALC_CLAIMED_VOUCHER_KEY
               ? accept_hash(verdict, verdict->claims.voucher_key_sha256, keys)
               : ALC_E_POLICY_REFUSED;
}

alc_status alc_claims_check_asked_by(struct alc_appraise_state *state)
{
    const uint32_t accepted = state->appraisal->policy->askers;
    const struct alc_verdict *verdict = state->verdict;
    return accept(accepted == 0 ||
                  (verdict->has_claims && (accepted & 1u << verdict->claims.asked_by) != 0));
}

/* A program without sealed mounts is refused, too: its host may have given it plain ones. */
alc_status alc_claims_check_rollback(struct alc_appraise_state *state)
{
    const uint32_t least = state->appraisal->policy->rollback_min;
    const struct alc_verdict *verdict = state->verdict;
    return accept(least == 0 || (verdict->has_claims && verdict->claims.has_sealed_mounts &&
                                 1u + verdict->claims.rollback >= least));
}
