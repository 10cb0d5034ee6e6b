/* SPDX-License-Identifier: Apache-2.0
 *
 * What a policy says about guests of SEV-SNP.
 */
#include "attest/appraise_internal.h"

alc_status alc_snp_policy_check_measurement(struct alc_appraise_state *state)
{
    return alc_policy_accept_one_of(state->verdict->snp.report.measurement,
                                    ALC_SNP_MEASUREMENT_SIZE,
                                    &state->appraisal->policy->snp.measurements);
}

alc_status alc_snp_policy_check_host_data(struct alc_appraise_state *state)
{
    return alc_policy_accept_one_of(state->verdict->snp.report.host_data, ALC_SNP_HOST_DATA_SIZE,
                                    &state->appraisal->policy->snp.host_data);
}

alc_status alc_snp_policy_check_image(struct alc_appraise_state *state)
{
    const struct alc_snp_report *report = &state->verdict->snp.report;
    const struct alc_snp_policy *policy = &state->appraisal->policy->snp;
    ALC_TRY(alc_policy_accept_one_of(report->family_id, ALC_SNP_ID_SIZE, &policy->family_ids));
    ALC_TRY(alc_policy_accept_one_of(report->image_id, ALC_SNP_ID_SIZE, &policy->image_ids));
    return alc_policy_accept(report->guest_svn >= policy->guest_svn_min);
}

alc_status alc_snp_policy_check_signers(struct alc_appraise_state *state)
{
    const struct alc_snp_report *report = &state->verdict->snp.report;
    const struct alc_snp_policy *policy = &state->appraisal->policy->snp;
    ALC_TRY(alc_policy_accept_one_of(report->id_key_digest, ALC_SNP_KEY_DIGEST_SIZE,
                                     &policy->id_key_digests));
    ALC_TRY(alc_policy_accept(policy->author_key_digests.count == 0 || report->has_author_key));
    return alc_policy_accept_one_of(report->author_key_digest, ALC_SNP_KEY_DIGEST_SIZE,
                                    &policy->author_key_digests);
}

alc_status alc_snp_policy_check_guest_policy(struct alc_appraise_state *state)
{
    const struct alc_snp_policy *policy = &state->appraisal->policy->snp;
    const uint64_t guest = state->verdict->snp.report.policy;
    return alc_policy_accept(
        (guest & policy->policy_required) == policy->policy_required &&
        (guest & policy->policy_refused) == 0 &&
        (policy->accepts_migration_agent || (guest & ALC_SNP_ALLOWS_MIGRATION_AGENT) == 0) &&
        (guest & ALC_SNP_POLICY_ABI) >= policy->abi_min);
}

alc_status alc_snp_policy_check_vmpl(struct alc_appraise_state *state)
{
    return alc_policy_accept(state->verdict->snp.report.vmpl <=
                             state->appraisal->policy->snp.vmpl_max);
}

alc_status alc_snp_policy_check_tcb(struct alc_appraise_state *state)
{
    const struct alc_snp_verdict *snp = &state->verdict->snp;
    const struct alc_snp_policy *policy = &state->appraisal->policy->snp;
    return alc_policy_accept(alc_snp_tcb_reaches(&snp->reported_tcb, &policy->tcb_min) &&
                             alc_snp_tcb_reaches(&snp->committed_tcb, &policy->committed_tcb_min) &&
                             alc_snp_tcb_reaches(&snp->launch_tcb, &policy->launch_tcb_min));
}

alc_status alc_snp_policy_check_chip(struct alc_appraise_state *state)
{
    const struct alc_snp_policy *policy = &state->appraisal->policy->snp;
    const uint64_t platform = state->verdict->snp.report.platform_info;
    ALC_TRY(alc_policy_accept(!policy->needs_chip_key ||
                              state->verdict->snp.report.key_kind == ALC_SNP_VCEK));
    ALC_TRY(alc_policy_accept(!policy->needs_revocation_list || state->has_snp_list));
    ALC_TRY(alc_policy_accept((platform & policy->platform_required) == policy->platform_required &&
                              (platform & policy->platform_refused) == 0));
    return alc_policy_accept_one_of(state->verdict->snp.report.chip_id, ALC_SNP_CHIP_ID_SIZE,
                                    &policy->chip_ids);
}
