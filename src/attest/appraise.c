/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of checks: those of checks.def that are for the kind of evidence, until one fails.
 */
#include "attest/appraise_internal.h"

#include "base/bytes.h"

const char *alc_check_text(enum alc_check check)
{
    static const char *const texts[ALC_CHECKS] = {
#define CHECK(ident, kinds, text) [ALC_CHECK_##ident] = text,
#include "attest/checks.def"
#undef CHECK
    };
    ALC_ASSERT(check < ALC_CHECKS);
    return texts[check];
}

const char *alc_check_name(enum alc_check check)
{
    static const char *const names[ALC_CHECKS] = {
#define CHECK(ident, kinds, text) [ALC_CHECK_##ident] = #ident,
#include "attest/checks.def"
#undef CHECK
    };
    ALC_ASSERT(check < ALC_CHECKS);
    return names[check];
}

bool alc_check_is_for(enum alc_check check, enum alc_evidence_kind kind)
{
    enum { E = ALC_EVIDENCE_SGX, T = ALC_EVIDENCE_TDX, S = ALC_EVIDENCE_SEV_SNP };
    enum { Q = E | T, A = Q | S };
    static const uint32_t kinds_of[ALC_CHECKS] = {
#define CHECK(ident, kinds, text) [ALC_CHECK_##ident] = kinds,
#include "attest/checks.def"
#undef CHECK
    };
    ALC_ASSERT(check < ALC_CHECKS);
    return check == ALC_CHECK_FORM || (kinds_of[check] & (uint32_t)kind) != 0;
}

/* The policy is asked last. */
bool alc_verdict_is_genuine(const struct alc_verdict *verdict)
{
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        if (verdict->results[i] == ALC_CHECK_FAILED) {
            return i >= ALC_CHECK_KIND && verdict->kind != 0;
        }
    }
    return verdict->kind != 0;
}

void alc_verdict_narrow(struct alc_verdict *verdict, int64_t from_s, int64_t until_s)
{
    verdict->valid_from_s = from_s > verdict->valid_from_s ? from_s : verdict->valid_from_s;
    verdict->valid_until_s = until_s < verdict->valid_until_s ? until_s : verdict->valid_until_s;
}

void alc_verdict_narrow_to_chain(struct alc_verdict *verdict, const struct alc_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        alc_verdict_narrow(verdict, chain->certificates[i].not_before_s,
                           chain->certificates[i].not_after_s);
    }
}

static alc_status check_dates(struct alc_appraise_state *state)
{
    struct alc_verdict *verdict = state->verdict;
    const int64_t now_s = state->appraisal->now_s;
    verdict->valid_from_s = INT64_MIN;
    verdict->valid_until_s = INT64_MAX;
    ALC_TRY(verdict->kind == ALC_EVIDENCE_SEV_SNP ? alc_snp_check_dates(state)
                                                  : alc_quote_check_dates(state));
    return verdict->valid_from_s <= now_s && now_s <= verdict->valid_until_s ? ALC_OK
                                                                             : ALC_E_NOT_CURRENT;
}

static alc_status check_form(struct alc_appraise_state *state)
{
    const struct alc_text *evidence = &state->appraisal->evidence;
    return alc_snp_is_report(evidence->bytes, evidence->size) ? alc_snp_check_form(state)
                                                              : alc_quote_check_form(state);
}

static alc_check_function *const checks[ALC_CHECKS] = {
    [ALC_CHECK_FORM] = check_form,
    [ALC_CHECK_NOT_EMULATED] = alc_quote_check_not_emulated,
    [ALC_CHECK_PCK_CHAIN] = alc_quote_check_pck_chain,
    [ALC_CHECK_PCK_EXTENSION] = alc_quote_check_pck_extension,
    [ALC_CHECK_ROOT_LIST] = alc_quote_check_root_list,
    [ALC_CHECK_PCK_LIST] = alc_quote_check_pck_list,
    [ALC_CHECK_NOT_REVOKED] = alc_quote_check_not_revoked,
    [ALC_CHECK_TCB_INFO] = alc_quote_check_tcb_info,
    [ALC_CHECK_QE_IDENTITY] = alc_quote_check_qe_identity,
    [ALC_CHECK_SNP_CHAIN] = alc_snp_check_chain,
    [ALC_CHECK_SNP_KEY] = alc_snp_check_key,
    [ALC_CHECK_SNP_LIST] = alc_snp_check_list,
    [ALC_CHECK_DATES] = check_dates,
    [ALC_CHECK_QE_REPORT] = alc_quote_check_qe_report,
    [ALC_CHECK_ATTESTATION_KEY] = alc_quote_check_attestation_key,
    [ALC_CHECK_QE_FITS] = alc_quote_check_qe_fits,
    [ALC_CHECK_QUOTE_SIGNATURE] = alc_quote_check_signature,
    [ALC_CHECK_PLATFORM] = alc_quote_check_platform,
    [ALC_CHECK_TD_MODULE] = alc_quote_check_td_module,
    [ALC_CHECK_TCB_LEVEL] = alc_quote_check_tcb_level,
    [ALC_CHECK_SNP_SIGNATURE] = alc_snp_check_signature,
    [ALC_CHECK_SNP_PRODUCT] = alc_snp_check_product,
    [ALC_CHECK_SNP_PLATFORM] = alc_snp_check_platform,
    [ALC_CHECK_KIND] = alc_policy_check_kind,
    [ALC_CHECK_NOT_DEBUG] = alc_policy_check_not_debug,
    [ALC_CHECK_TD_ATTRIBUTES] = alc_policy_check_td_attributes,
    [ALC_CHECK_SERVICE_TD] = alc_policy_check_service_td,
    [ALC_CHECK_TCB_STATUS] = alc_policy_check_tcb_status,
    [ALC_CHECK_ADVISORIES] = alc_policy_check_advisories,
    [ALC_CHECK_EVALUATION] = alc_policy_check_evaluation,
    [ALC_CHECK_COLLATERAL_AGE] = alc_policy_check_collateral_age,
    [ALC_CHECK_MRENCLAVE] = alc_policy_check_mrenclave,
    [ALC_CHECK_MRSIGNER] = alc_policy_check_mrsigner,
    [ALC_CHECK_PRODUCT] = alc_policy_check_product,
    [ALC_CHECK_CONFIGID] = alc_policy_check_config_id,
    [ALC_CHECK_MRTD] = alc_policy_check_td_measurement,
    [ALC_CHECK_RTMR0] = alc_policy_check_td_measurement,
    [ALC_CHECK_RTMR1] = alc_policy_check_td_measurement,
    [ALC_CHECK_RTMR2] = alc_policy_check_td_measurement,
    [ALC_CHECK_RTMR3] = alc_policy_check_td_measurement,
    [ALC_CHECK_MRCONFIGID] = alc_policy_check_td_measurement,
    [ALC_CHECK_MROWNER] = alc_policy_check_td_measurement,
    [ALC_CHECK_MROWNERCONFIG] = alc_policy_check_td_measurement,
    [ALC_CHECK_MRSEAM] = alc_policy_check_td_measurement,
    [ALC_CHECK_TD_SVN] = alc_policy_check_td_svn,
    [ALC_CHECK_SNP_MEASUREMENT] = alc_snp_policy_check_measurement,
    [ALC_CHECK_SNP_HOST_DATA] = alc_snp_policy_check_host_data,
    [ALC_CHECK_SNP_IMAGE] = alc_snp_policy_check_image,
    [ALC_CHECK_SNP_SIGNERS] = alc_snp_policy_check_signers,
    [ALC_CHECK_SNP_GUEST_POLICY] = alc_snp_policy_check_guest_policy,
    [ALC_CHECK_SNP_VMPL] = alc_snp_policy_check_vmpl,
    [ALC_CHECK_SNP_TCB] = alc_snp_policy_check_tcb,
    [ALC_CHECK_SNP_CHIP] = alc_snp_policy_check_chip,
    [ALC_CHECK_REPORT_DATA] = alc_claims_check_report_data,
    [ALC_CHECK_CLAIMS] = alc_claims_check_bound,
    [ALC_CHECK_NONCE] = alc_claims_check_nonce,
    [ALC_CHECK_WORKLOAD] = alc_claims_check_workload,
    [ALC_CHECK_CONFIGURED] = alc_claims_check_configured,
    [ALC_CHECK_MODULE] = alc_claims_check_module,
    [ALC_CHECK_NATIVE] = alc_claims_check_native,
    [ALC_CHECK_VERIFIED] = alc_claims_check_verified,
    [ALC_CHECK_VOUCHED_BY] = alc_claims_check_vouched_by,
    [ALC_CHECK_ASKED_BY] = alc_claims_check_asked_by,
    [ALC_CHECK_ROLLBACK] = alc_claims_check_rollback,
};

alc_status alc_appraise(struct alc_arena *arena, const struct alc_appraisal *appraisal,
                        struct alc_verdict *out)
{
    const size_t mark = alc_arena_mark(arena);
    alc_fill(out, 0, sizeof *out);
    out->offset = ALC_NO_OFFSET;
    struct alc_appraise_state *state = ALC_ARENA_NEW(arena, struct alc_appraise_state);
    if (state == NULL) {
        out->status = ALC_E_OUT_OF_MEMORY;
        return out->status;
    }
    state->appraisal = appraisal;
    state->arena = arena;
    state->verdict = out;
    alc_error_clear(&state->form_error);
    for (size_t i = 0; i < ALC_CHECKS && out->status == ALC_OK; i++) {
        state->current = (enum alc_check)i;
        if (!alc_check_is_for(state->current, out->kind)) {
            continue;
        }
        out->status = checks[i](state);
        out->results[i] = out->status == ALC_OK ? ALC_CHECK_PASSED : ALC_CHECK_FAILED;
    }
    out->offset = state->form_error.offset;
    alc_arena_reset(arena, mark);
    return out->status;
}
