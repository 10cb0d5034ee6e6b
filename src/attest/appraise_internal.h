/* SPDX-License-Identifier: Apache-2.0
 *
 * What the checks of one appraisal have in common. appraise.c knows their order; each kind of
 * evidence has a file of checks, and the policy has one.
 */
#ifndef ALC_ATTEST_APPRAISE_INTERNAL_H
#define ALC_ATTEST_APPRAISE_INTERNAL_H

#include "attest/appraise.h"

/* What the checks find out for those behind them. */
struct alc_appraise_state {
    const struct alc_appraisal *appraisal;
    struct alc_arena *arena;
    struct alc_verdict *verdict;
    enum alc_check current;      /* whose turn it is */
    struct alc_error form_error; /* of reading the evidence */
    /* Everything that is believed leads to a certificate with this SHA-256. */
    const uint8_t *root_sha256;
    union {
        struct { /* of quotes */
            struct alc_quote quote;
            alc_status pck_chain_status; /* of reading it */
            struct alc_chain pck_chain;
            struct alc_chain tcb_chain;
            struct alc_chain qe_chain;
            struct alc_pck pck;
            struct alc_revocation_list root_list;
            struct alc_revocation_list pck_list;
            struct alc_tcb_info tcb_info;
            struct alc_qe_identity qe_identity;
        };
        struct { /* of reports of SEV-SNP, which are the verdict's */
            struct alc_chain snp_chain;
            struct alc_revocation_list snp_list;
            bool has_snp_list;
        };
    };
};

typedef alc_status alc_check_function(struct alc_appraise_state *state);

/* The verdict holds from here to there at most. */
void alc_verdict_narrow(struct alc_verdict *verdict, int64_t from_s, int64_t until_s);
void alc_verdict_narrow_to_chain(struct alc_verdict *verdict, const struct alc_chain *chain);

/* Quotes (appraise_quote.c), by the names of their rows. The check of form also finds out
 * `is_debug`; that of dates only narrows the verdict. */
alc_check_function alc_quote_check_form, alc_quote_check_not_emulated, alc_quote_check_pck_chain,
    alc_quote_check_pck_extension, alc_quote_check_root_list, alc_quote_check_pck_list,
    alc_quote_check_not_revoked, alc_quote_check_tcb_info, alc_quote_check_qe_identity,
    alc_quote_check_dates, alc_quote_check_qe_report, alc_quote_check_attestation_key,
    alc_quote_check_qe_fits, alc_quote_check_signature, alc_quote_check_platform,
    alc_quote_check_td_module, alc_quote_check_tcb_level;

/* Reports of SEV-SNP (appraise_snp.c), likewise. */
alc_check_function alc_snp_check_form, alc_snp_check_chain, alc_snp_check_key, alc_snp_check_list,
    alc_snp_check_dates, alc_snp_check_signature, alc_snp_check_product, alc_snp_check_platform;

/* What a policy says (appraise_policy.c), and what no policy can change about trust domains. */
alc_check_function alc_policy_check_kind, alc_policy_check_not_debug,
    alc_policy_check_td_attributes, alc_policy_check_service_td, alc_policy_check_tcb_status,
    alc_policy_check_advisories, alc_policy_check_evaluation, alc_policy_check_collateral_age,
    alc_policy_check_mrenclave, alc_policy_check_mrsigner, alc_policy_check_product,
    alc_policy_check_config_id, alc_policy_check_td_measurement, alc_policy_check_td_svn;

/* What evidence was made for (appraise_claims.c). */
alc_check_function alc_claims_check_report_data, alc_claims_check_bound, alc_claims_check_nonce,
    alc_claims_check_workload, alc_claims_check_configured, alc_claims_check_module,
    alc_claims_check_native, alc_claims_check_verified, alc_claims_check_vouched_by,
    alc_claims_check_asked_by, alc_claims_check_rollback;

/* And about guests of SEV-SNP (appraise_snp_policy.c). */
alc_check_function alc_snp_policy_check_measurement, alc_snp_policy_check_host_data,
    alc_snp_policy_check_image, alc_snp_policy_check_signers, alc_snp_policy_check_guest_policy,
    alc_snp_policy_check_vmpl, alc_snp_policy_check_tcb, alc_snp_policy_check_chip;

/* ALC_OK or ALC_E_POLICY_REFUSED. */
alc_status alc_policy_accept(bool is_accepted);
/* Whether these `size` bytes are among the values; without values, all are accepted. */
alc_status alc_policy_accept_one_of(const uint8_t *measurement, size_t size,
                                    const struct alc_reference_values *accepted);

#endif
