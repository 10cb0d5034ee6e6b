/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks about quotes, in their order: Intel's quote verification library, 4.1.2.5 of its
 * documentation.
 */
#include "attest/appraise_internal.h"

#include "base/bytes.h"

/* SHA-256 of "Intel SGX Root CA", valid to 2049-12-31. */
static const uint8_t intel_root_sha256[ALC_SHA256_SIZE] = {
    0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49, 0xe9, 0x5b, 0x80, 0x7a, 0x35,
    0x0e, 0x74, 0x24, 0x96, 0x43, 0x99, 0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3};

static void reader_of(const struct alc_text *text, struct alc_reader *out)
{
    alc_reader_init(out, text->bytes, text->size, NULL);
}

static const struct alc_certificate *root_of(const struct alc_chain *chain)
{
    return &chain->certificates[chain->count - 1];
}

static bool is_tdx(const struct alc_appraise_state *state)
{
    return state->quote.body != ALC_QUOTE_SGX;
}

/* From TDX 1.5 on a quote says what the domain was launched on and what it runs on now. */
static bool has_svns_now(const struct alc_appraise_state *state)
{
    return state->quote.body == ALC_QUOTE_TD_15 || state->quote.body == ALC_QUOTE_TD_15EX;
}

alc_status alc_quote_check_form(struct alc_appraise_state *state)
{
    struct alc_reader reader;
    const struct alc_quote *quote = &state->quote;
    reader_of(&state->appraisal->evidence, &reader);
    ALC_TRY(alc_quote_read(&reader, &state->quote));
    if (quote->body == ALC_QUOTE_SGX) {
        state->verdict->kind = ALC_EVIDENCE_SGX;
        state->is_debug = (quote->report.attributes.flags & ALC_SGX_ATTRIBUTE_DEBUG) != 0;
    } else {
        state->verdict->kind = ALC_EVIDENCE_TDX;
        state->is_debug = (alc_load_u64(quote->td.attributes) &
                           (ALC_TD_ATTRIBUTE_DEBUG | ALC_TD_ATTRIBUTE_PROFILING)) != 0;
    }
    return ALC_OK;
}

static void digest_of_root(const struct alc_chain *chain, uint8_t out[ALC_SHA256_SIZE])
{
    alc_sha256(root_of(chain)->bytes, root_of(chain)->size, out);
}

/* Before anything is believed: what leads to the emulator's root is told so, and may lead to no
 * other. A chain that is none is the next check's business. */
alc_status alc_quote_check_not_emulated(struct alc_appraise_state *state)
{
    const struct alc_appraisal *appraisal = state->appraisal;
    struct alc_reader reader = state->quote.certificates;
    uint8_t digest[ALC_SHA256_SIZE];
    state->root_sha256 =
        appraisal->root_sha256 != NULL ? appraisal->root_sha256 : intel_root_sha256;
    state->pck_chain_status = alc_chain_read(state->arena, &reader, &state->pck_chain);
    if (state->pck_chain_status != ALC_OK) {
        return ALC_OK;
    }
    digest_of_root(&state->pck_chain, digest);
    if (!alc_equal(digest, alc_emulated_root_sha256, sizeof digest)) {
        return ALC_OK;
    }
    state->verdict->is_emulated = true;
    state->root_sha256 = alc_emulated_root_sha256;
    return appraisal->policy->accepts_emulated ? ALC_OK : ALC_E_EMULATED;
}

/* The root is known by its bytes; then what hangs on it. */
static alc_status trust_chain(const struct alc_appraise_state *state, const struct alc_chain *chain)
{
    uint8_t digest[ALC_SHA256_SIZE];
    digest_of_root(chain, digest);
    if (!alc_equal(digest, state->root_sha256, sizeof digest)) {
        return ALC_E_UNTRUSTED_ROOT;
    }
    return alc_chain_verify(chain, state->appraisal->known);
}

alc_status alc_quote_check_pck_chain(struct alc_appraise_state *state)
{
    ALC_TRY(state->pck_chain_status);
    ALC_TRY(trust_chain(state, &state->pck_chain));
    return state->pck_chain.count == 3 ? ALC_OK : ALC_E_BAD_CERTIFICATE;
}

alc_status alc_quote_check_pck_extension(struct alc_appraise_state *state)
{
    return alc_pck_read(&state->pck_chain.certificates[0], &state->pck);
}

alc_status alc_quote_check_root_list(struct alc_appraise_state *state)
{
    const struct alc_pcs_collateral *collateral = state->appraisal->collateral.pcs;
    struct alc_reader reader;
    if (collateral == NULL) {
        return ALC_E_NOT_FOUND;
    }
    reader_of(&collateral->root_list, &reader);
    ALC_TRY(alc_revocation_list_read(&reader, &state->root_list));
    return alc_revocation_list_check_issuer(&state->root_list, root_of(&state->pck_chain),
                                            state->appraisal->known);
}

alc_status alc_quote_check_pck_list(struct alc_appraise_state *state)
{
    struct alc_reader reader;
    reader_of(&state->appraisal->collateral.pcs->pck_list, &reader);
    ALC_TRY(alc_revocation_list_read(&reader, &state->pck_list));
    return alc_revocation_list_check_issuer(&state->pck_list, &state->pck_chain.certificates[1],
                                            state->appraisal->known);
}

alc_status alc_quote_check_not_revoked(struct alc_appraise_state *state)
{
    const struct alc_certificate *certificates = state->pck_chain.certificates;
    return alc_revocation_list_has(&state->pck_list, &certificates[0]) ||
                   alc_revocation_list_has(&state->root_list, &certificates[1])
               ? ALC_E_REVOKED
               : ALC_OK;
}

/* The signer of collateral hangs directly on the root: nobody below an authority for platforms may
 * say what platforms are worth. */
static alc_status trust_signer(struct alc_appraise_state *state, const struct alc_text *pem,
                               struct alc_chain *out)
{
    struct alc_reader reader;
    reader_of(pem, &reader);
    ALC_TRY(alc_chain_read(state->arena, &reader, out));
    ALC_TRY(trust_chain(state, out));
    if (out->count != 2) {
        return ALC_E_BAD_CERTIFICATE;
    }
    return alc_revocation_list_has(&state->root_list, &out->certificates[0]) ? ALC_E_REVOKED
                                                                             : ALC_OK;
}

static alc_status verify_text(const struct alc_appraise_state *state, const struct alc_chain *chain,
                              const struct alc_text *text, const uint8_t signature_bytes[64])
{
    struct alc_ecdsa_signature signature = {{0}};
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(text->bytes, text->size, digest);
    alc_copy(signature.bytes, signature_bytes, 64);
    return alc_signature_verify(state->appraisal->known, &chain->certificates[0].key, digest,
                                sizeof digest, &signature);
}

alc_status alc_quote_check_tcb_info(struct alc_appraise_state *state)
{
    const struct alc_pcs_collateral *collateral = state->appraisal->collateral.pcs;
    struct alc_reader reader;
    ALC_TRY(trust_signer(state, &collateral->tcb_info_chain, &state->tcb_chain));
    ALC_TRY(verify_text(state, &state->tcb_chain, &collateral->tcb_info,
                        collateral->tcb_info_signature));
    reader_of(&collateral->tcb_info, &reader);
    const struct alc_td_report *td = &state->quote.td;
    const struct alc_platform_svns svns = {
        .pck = &state->pck,
        .td_launch = is_tdx(state) ? td->tee_tcb_svn : NULL,
        .td_now = has_svns_now(state) ? td->tee_tcb_svn2 : NULL,
    };
    return alc_tcb_info_read(&reader, &svns, &state->tcb_info);
}

/* Both are usually signed by the same key, whose chain is verified once. */
alc_status alc_quote_check_qe_identity(struct alc_appraise_state *state)
{
    const struct alc_pcs_collateral *collateral = state->appraisal->collateral.pcs;
    const struct alc_text *chain = &collateral->qe_identity_chain;
    struct alc_reader reader;
    if (chain->size == collateral->tcb_info_chain.size &&
        alc_equal(chain->bytes, collateral->tcb_info_chain.bytes, chain->size)) {
        state->qe_chain = state->tcb_chain;
    } else {
        ALC_TRY(trust_signer(state, chain, &state->qe_chain));
    }
    ALC_TRY(verify_text(state, &state->qe_chain, &collateral->qe_identity,
                        collateral->qe_identity_signature));
    reader_of(&collateral->qe_identity, &reader);
    return alc_qe_identity_read(&reader, is_tdx(state), state->quote.qe_report.isv_svn,
                                &state->qe_identity);
}

alc_status alc_quote_check_dates(struct alc_appraise_state *state)
{
    struct alc_verdict *verdict = state->verdict;
    alc_verdict_narrow_to_chain(verdict, &state->pck_chain);
    alc_verdict_narrow_to_chain(verdict, &state->tcb_chain);
    alc_verdict_narrow_to_chain(verdict, &state->qe_chain);
    alc_verdict_narrow(verdict, state->root_list.this_update_s, state->root_list.next_update_s);
    alc_verdict_narrow(verdict, state->pck_list.this_update_s, state->pck_list.next_update_s);
    alc_verdict_narrow(verdict, state->tcb_info.dates.issue_s, state->tcb_info.dates.next_update_s);
    alc_verdict_narrow(verdict, state->qe_identity.dates.issue_s,
                       state->qe_identity.dates.next_update_s);
    return ALC_OK;
}

alc_status alc_quote_check_qe_report(struct alc_appraise_state *state)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(state->quote.qe_report_bytes, sizeof state->quote.qe_report, digest);
    return alc_signature_verify(state->appraisal->known, &state->pck_chain.certificates[0].key,
                                digest, sizeof digest, &state->quote.qe_report_signature);
}

/* Its report data is the SHA-256 of the key and what was authenticated with it, then zeros. */
alc_status alc_quote_check_attestation_key(struct alc_appraise_state *state)
{
    const struct alc_quote *quote = &state->quote;
    struct alc_sha256 hash;
    uint8_t expected[64] = {0};
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, quote->attestation_key.point,
                      2 * alc_curve_size(quote->attestation_key.curve));
    alc_sha256_update(&hash, quote->qe_authentication, quote->qe_authentication_size);
    alc_sha256_finish(&hash, expected);
    return alc_equal(quote->qe_report.report_data, expected, sizeof expected) ? ALC_OK
                                                                              : ALC_E_BAD_KEY;
}

alc_status alc_quote_check_qe_fits(struct alc_appraise_state *state)
{
    const struct alc_sgx_report_body *report = &state->quote.qe_report;
    return alc_qe_identity_fits(&state->qe_identity, report) &&
                   (report->attributes.flags & ALC_SGX_ATTRIBUTE_DEBUG) == 0
               ? ALC_OK
               : ALC_E_REPORT_MISMATCH;
}

alc_status alc_quote_check_signature(struct alc_appraise_state *state)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(state->quote.signed_bytes, state->quote.signed_size, digest);
    state->verdict->body = state->quote.body;
    state->verdict->report = state->quote.report;
    state->verdict->td = state->quote.td;
    alc_copy(state->verdict->report_data,
             is_tdx(state) ? state->quote.td.report_data : state->quote.report.report_data,
             ALC_EVIDENCE_REPORT_DATA_SIZE);
    return alc_ecdsa_verify(&state->quote.attestation_key, digest, sizeof digest,
                            &state->quote.signature);
}

alc_status alc_quote_check_platform(struct alc_appraise_state *state)
{
    alc_copy(state->verdict->fmspc, state->pck.fmspc, ALC_FMSPC_SIZE);
    return alc_equal(state->pck.fmspc, state->tcb_info.fmspc, ALC_FMSPC_SIZE) &&
                   alc_equal(state->pck.pce_id, state->tcb_info.pce_id, ALC_PCE_ID_SIZE)
               ? ALC_OK
               : ALC_E_WRONG_PLATFORM;
}

alc_status alc_quote_check_td_module(struct alc_appraise_state *state)
{
    return alc_tdx_module_fits(&state->tcb_info, &state->quote.td) ? ALC_OK : ALC_E_REPORT_MISMATCH;
}

static void collect_advisories(struct alc_verdict *verdict, const struct alc_tcb_level *level)
{
    for (size_t i = 0; i < level->advisories_count; i++) {
        if (!alc_text_is_among(&level->advisories[i], verdict->advisories,
                               verdict->advisories_count)) {
            verdict->advisories[verdict->advisories_count++] = level->advisories[i];
        }
    }
}

/* With the module that runs or ran. */
static enum alc_tcb_status state_of(const struct alc_tcb_match *match)
{
    return match->names_module ? alc_tcb_converge(match->level.status, match->module_level.status)
                               : match->level.status;
}

alc_status alc_quote_check_tcb_level(struct alc_appraise_state *state)
{
    struct alc_verdict *verdict = state->verdict;
    const struct alc_tcb_match *launch = &state->tcb_info.launch;
    const struct alc_tcb_match *now = &state->tcb_info.now;
    const uint32_t platform_number = state->tcb_info.dates.evaluation_number;
    const uint32_t qe_number = state->qe_identity.dates.evaluation_number;
    if (!alc_tcb_match_is_known(launch) || !state->qe_identity.has_level ||
        (has_svns_now(state) && !alc_tcb_match_is_known(now))) {
        return ALC_E_NO_TCB_LEVEL;
    }
    verdict->qe_tcb = state->qe_identity.level.status;
    verdict->platform_tcb = state_of(launch);
    verdict->tcb = alc_tcb_converge(verdict->platform_tcb, verdict->qe_tcb);
    if (has_svns_now(state)) {
        verdict->tcb =
            alc_tcb_relaunch(verdict->tcb, alc_tcb_converge(state_of(now), verdict->qe_tcb));
    }
    verdict->evaluation_number = platform_number < qe_number ? platform_number : qe_number;
    collect_advisories(verdict, &launch->level);
    if (launch->names_module) {
        collect_advisories(verdict, &launch->module_level);
    }
    collect_advisories(verdict, &state->qe_identity.level);
    return ALC_OK;
}
