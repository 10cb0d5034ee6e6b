/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks about what authentic evidence says: the policy's, and those about trust domains that
 * no policy can change.
 */
#include "attest/appraise_internal.h"

#include "base/bytes.h"

const struct alc_policy alc_policy_default = {.accepted_tcb = 1u << ALC_TCB_UP_TO_DATE};

alc_status alc_policy_accept(bool is_accepted)
{
    return is_accepted ? ALC_OK : ALC_E_POLICY_REFUSED;
}

static bool is_among(const uint8_t *measurement, size_t size,
                     const struct alc_reference_values *accepted)
{
    for (size_t i = 0; i < accepted->count; i++) {
        if (alc_equal(measurement, &accepted->bytes[i * size], size)) {
            return true;
        }
    }
    return false;
}

alc_status alc_policy_accept_one_of(const uint8_t *measurement, size_t size,
                                    const struct alc_reference_values *accepted)
{
    return alc_policy_accept(accepted->count == 0 || is_among(measurement, size, accepted));
}

alc_status alc_policy_check_kind(struct alc_appraise_state *state)
{
    const uint32_t kinds = state->appraisal->policy->kinds;
    return alc_policy_accept(kinds == 0 || (kinds & (uint32_t)state->verdict->kind) != 0);
}

alc_status alc_policy_check_not_debug(struct alc_appraise_state *state)
{
    return alc_policy_accept(state->appraisal->policy->accepts_debug || !state->verdict->is_debug);
}

alc_status alc_policy_check_tcb_status(struct alc_appraise_state *state)
{
    return alc_policy_accept((state->appraisal->policy->accepted_tcb & 1u << state->verdict->tcb) !=
                             0);
}

alc_status alc_policy_check_advisories(struct alc_appraise_state *state)
{
    const struct alc_accepted_texts *accepted = &state->appraisal->policy->advisories;
    const struct alc_verdict *verdict = state->verdict;
    for (size_t i = 0; accepted->is_limited && i < verdict->advisories_count; i++) {
        if (!alc_text_is_among(&verdict->advisories[i], accepted->texts, accepted->count)) {
            return ALC_E_POLICY_REFUSED;
        }
    }
    return ALC_OK;
}

alc_status alc_policy_check_evaluation(struct alc_appraise_state *state)
{
    return alc_policy_accept(state->verdict->evaluation_number >=
                             state->appraisal->policy->evaluation_number_min);
}

static int64_t earlier(int64_t a_s, int64_t b_s)
{
    return a_s < b_s ? a_s : b_s;
}

/* The root's list is left out: it comes out once a year. */
alc_status alc_policy_check_collateral_age(struct alc_appraise_state *state)
{
    const uint64_t age_max_s = state->appraisal->policy->collateral_age_max_s;
    struct alc_verdict *verdict = state->verdict;
    verdict->collateral_issued_s =
        earlier(state->pck_list.this_update_s,
                earlier(state->tcb_info.dates.issue_s, state->qe_identity.dates.issue_s));
    /* Not negative: the time was found to be within all dates. */
    const int64_t age_s = state->appraisal->now_s - verdict->collateral_issued_s;
    return alc_policy_accept(age_max_s == 0 || (uint64_t)age_s <= age_max_s);
}

/* -- enclaves -- */

alc_status alc_policy_check_mrenclave(struct alc_appraise_state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    return alc_policy_accept_one_of(state->quote.report.mrenclave, ALC_SGX_MEASUREMENT_SIZE,
                                    &policy->mrenclaves);
}

alc_status alc_policy_check_mrsigner(struct alc_appraise_state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    return alc_policy_accept_one_of(state->quote.report.mrsigner, ALC_SGX_MEASUREMENT_SIZE,
                                    &policy->mrsigners);
}

alc_status alc_policy_check_product(struct alc_appraise_state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    const struct alc_sgx_report_body *report = &state->quote.report;
    return alc_policy_accept(
        (!policy->product_id.is_given || report->isv_product_id == policy->product_id.value) &&
        report->isv_svn >= policy->svn_min);
}

/* Without KSS the field is zero, which is what nobody was configured for. */
alc_status alc_policy_check_config_id(struct alc_appraise_state *state)
{
    static const uint8_t nothing[ALC_SGX_CONFIG_ID_SIZE];
    const struct alc_policy *policy = state->appraisal->policy;
    const struct alc_sgx_report_body *report = &state->quote.report;
    const bool is_configured = (report->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0 &&
                               !alc_equal(report->config_id, nothing, sizeof nothing);
    ALC_TRY(alc_policy_accept(is_configured || !policy->needs_config_id));
    return alc_policy_accept_one_of(report->config_id, ALC_SGX_CONFIG_ID_SIZE, &policy->config_ids);
}

/* -- trust domains -- */

/* SEPT_VE_DISABLE: a page that the host took away is an error, not an event for the guest's
 * handlers. PKS, key locker and performance counters are the guest's own business. */
alc_status alc_policy_check_td_attributes(struct alc_appraise_state *state)
{
    const uint64_t attributes = alc_load_u64(state->quote.td.attributes);
    return alc_policy_accept((attributes & ALC_TD_ATTRIBUTES_RESERVED) == 0 &&
                             (attributes & ALC_TD_ATTRIBUTE_SEPT_VE_DISABLE) != 0);
}

/* A service domain can move the trust domain to another machine or read and write its metadata.
 * Which one it is must be known: those bound now, and with SERVTD_EXT also those at its creation.
 */
alc_status alc_policy_check_service_td(struct alc_appraise_state *state)
{
    static const uint8_t none[ALC_TD_MEASUREMENT_SIZE];
    const struct alc_reference_values *accepted = &state->appraisal->policy->mrservicetds;
    const struct alc_td_report *td = &state->quote.td;
    const uint64_t attributes = alc_load_u64(td->attributes);
    const bool is_bound = !alc_equal(td->mrservicetd, none, sizeof none) ||
                          !alc_equal(td->service_td_hash, none, sizeof none);
    if (!is_bound &&
        (attributes & (ALC_TD_ATTRIBUTE_MIGRATABLE | ALC_TD_ATTRIBUTE_SERVTD_EXT)) == 0) {
        return ALC_OK;
    }
    return alc_policy_accept(is_among(td->mrservicetd, sizeof none, accepted) &&
                             ((attributes & ALC_TD_ATTRIBUTE_SERVTD_EXT) == 0 ||
                              is_among(td->service_td_hash, sizeof none, accepted)));
}

/* All rows that compare one measurement of a trust domain. */
alc_status alc_policy_check_td_measurement(struct alc_appraise_state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    const struct alc_td_report *td = &state->quote.td;
    const struct {
        enum alc_check check;
        const uint8_t *found;
        const struct alc_reference_values *accepted;
    } rows[] = {
        {ALC_CHECK_MRTD, td->mrtd, &policy->mrtds},
        {ALC_CHECK_RTMR0, td->rtmrs[0], &policy->rtmrs[0]},
        {ALC_CHECK_RTMR1, td->rtmrs[1], &policy->rtmrs[1]},
        {ALC_CHECK_RTMR2, td->rtmrs[2], &policy->rtmrs[2]},
        {ALC_CHECK_RTMR3, td->rtmrs[3], &policy->rtmrs[3]},
        {ALC_CHECK_MRCONFIGID, td->mrconfigid, &policy->mrconfigids},
        {ALC_CHECK_MROWNER, td->mrowner, &policy->mrowners},
        {ALC_CHECK_MROWNERCONFIG, td->mrownerconfig, &policy->mrownerconfigs},
        {ALC_CHECK_MRSEAM, td->mrseam, &policy->mrseams},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (rows[i].check == state->current) {
            return alc_policy_accept_one_of(rows[i].found, ALC_TD_MEASUREMENT_SIZE,
                                            rows[i].accepted);
        }
    }
    return ALC_E_INTERNAL;
}

alc_status alc_policy_check_td_svn(struct alc_appraise_state *state)
{
    const uint8_t *wanted = state->appraisal->policy->td_svn_min;
    for (size_t i = 0; wanted != NULL && i < ALC_TD_SVN_SIZE; i++) {
        if (state->quote.td.tee_tcb_svn[i] < wanted[i]) {
            return ALC_E_POLICY_REFUSED;
        }
    }
    return ALC_OK;
}
