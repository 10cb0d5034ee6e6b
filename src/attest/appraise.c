/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks of checks.def, one function each, in their order.
 */
#include "attest/appraise.h"

#include "base/bytes.h"

enum { ATTRIBUTE_DEBUG = 2 };

/* SHA-256 of "Intel SGX Root CA", valid to 2049-12-31. */
static const uint8_t intel_root_sha256[ALC_SHA256_SIZE] = {
    0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49, 0xe9, 0x5b, 0x80, 0x7a, 0x35,
    0x0e, 0x74, 0x24, 0x96, 0x43, 0x99, 0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3};

const struct alc_policy alc_policy_default = {.accepted_tcb = 1u << ALC_TCB_UP_TO_DATE};

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

/* Whether a check is for this kind of evidence. */
static bool is_for(size_t check, enum alc_evidence_kind kind)
{
    enum { E = ALC_EVIDENCE_SGX, Q = E | ALC_EVIDENCE_TDX, A = Q | ALC_EVIDENCE_SEV_SNP };
    static const uint32_t kinds_of[ALC_CHECKS] = {
#define CHECK(ident, kinds, text) [ALC_CHECK_##ident] = kinds,
#include "attest/checks.def"
#undef CHECK
    };
    return check == ALC_CHECK_FORM || (kinds_of[check] & kind) != 0;
}

/* What the checks find out for those behind them. */
struct state {
    const struct alc_appraisal *appraisal;
    struct alc_arena *arena;
    struct alc_verdict *verdict;
    struct alc_quote quote;
    struct alc_chain pck_chain;
    struct alc_chain tcb_chain;
    struct alc_chain qe_chain;
    struct alc_pck pck;
    struct alc_revocation_list root_list;
    struct alc_revocation_list pck_list;
    struct alc_tcb_info tcb_info;
    struct alc_qe_identity qe_identity;
};

static void reader_of(const struct alc_text *text, struct alc_reader *out)
{
    alc_reader_init(out, text->bytes, text->size, NULL);
}

static const struct alc_certificate *root_of(const struct alc_chain *chain)
{
    return &chain->certificates[chain->count - 1];
}

static alc_status check_form(struct state *state)
{
    struct alc_reader reader;
    reader_of(&state->appraisal->evidence, &reader);
    ALC_TRY(alc_quote_read(&reader, &state->quote));
    state->verdict->kind = ALC_EVIDENCE_SGX;
    return ALC_OK;
}

/* Reads a chain, knows its root and verifies what hangs on it. */
static alc_status trust_chain(struct state *state, struct alc_reader *reader, struct alc_chain *out)
{
    const uint8_t *trusted = state->appraisal->root_sha256;
    uint8_t digest[ALC_SHA256_SIZE];
    ALC_TRY(alc_chain_read(state->arena, reader, out));
    alc_sha256(root_of(out)->bytes, root_of(out)->size, digest);
    if (!alc_equal(digest, trusted != NULL ? trusted : intel_root_sha256, sizeof digest)) {
        return ALC_E_UNTRUSTED_ROOT;
    }
    return alc_chain_verify(out);
}

static alc_status check_pck_chain(struct state *state)
{
    struct alc_reader reader = state->quote.certificates;
    ALC_TRY(trust_chain(state, &reader, &state->pck_chain));
    return state->pck_chain.count == 3 ? ALC_OK : ALC_E_BAD_CERTIFICATE;
}

static alc_status check_pck_extension(struct state *state)
{
    return alc_pck_read(&state->pck_chain.certificates[0], &state->pck);
}

static alc_status check_root_list(struct state *state)
{
    struct alc_reader reader;
    reader_of(&state->appraisal->collateral.pcs->root_list, &reader);
    ALC_TRY(alc_revocation_list_read(&reader, &state->root_list));
    return alc_revocation_list_check_issuer(&state->root_list, root_of(&state->pck_chain));
}

static alc_status check_pck_list(struct state *state)
{
    struct alc_reader reader;
    reader_of(&state->appraisal->collateral.pcs->pck_list, &reader);
    ALC_TRY(alc_revocation_list_read(&reader, &state->pck_list));
    return alc_revocation_list_check_issuer(&state->pck_list, &state->pck_chain.certificates[1]);
}

static alc_status check_not_revoked(struct state *state)
{
    const struct alc_certificate *certificates = state->pck_chain.certificates;
    return alc_revocation_list_has(&state->pck_list, &certificates[0]) ||
                   alc_revocation_list_has(&state->root_list, &certificates[1])
               ? ALC_E_REVOKED
               : ALC_OK;
}

/* The signer of collateral hangs directly on the root: nobody below an authority for platforms may
 * say what platforms are worth. */
static alc_status trust_signer(struct state *state, const struct alc_text *pem,
                               struct alc_chain *out)
{
    struct alc_reader reader;
    reader_of(pem, &reader);
    ALC_TRY(trust_chain(state, &reader, out));
    if (out->count != 2) {
        return ALC_E_BAD_CERTIFICATE;
    }
    return alc_revocation_list_has(&state->root_list, &out->certificates[0]) ? ALC_E_REVOKED
                                                                             : ALC_OK;
}

static alc_status verify_text(const struct alc_chain *chain, const struct alc_text *text,
                              const uint8_t signature_bytes[64])
{
    struct alc_ecdsa_signature signature = {{0}};
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(text->bytes, text->size, digest);
    alc_copy(signature.bytes, signature_bytes, 64);
    return alc_ecdsa_verify(&chain->certificates[0].key, digest, sizeof digest, &signature);
}

static alc_status check_tcb_info(struct state *state)
{
    const struct alc_pcs_collateral *collateral = state->appraisal->collateral.pcs;
    struct alc_reader reader;
    ALC_TRY(trust_signer(state, &collateral->tcb_info_chain, &state->tcb_chain));
    ALC_TRY(verify_text(&state->tcb_chain, &collateral->tcb_info, collateral->tcb_info_signature));
    reader_of(&collateral->tcb_info, &reader);
    return alc_tcb_info_read(&reader, &state->pck, &state->tcb_info);
}

/* Both are usually signed by the same key, whose chain is verified once. */
static alc_status check_qe_identity(struct state *state)
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
    ALC_TRY(
        verify_text(&state->qe_chain, &collateral->qe_identity, collateral->qe_identity_signature));
    reader_of(&collateral->qe_identity, &reader);
    return alc_qe_identity_read(&reader, state->quote.qe_report.isv_svn, &state->qe_identity);
}

static void narrow(struct alc_verdict *verdict, int64_t from_s, int64_t until_s)
{
    verdict->valid_from_s = from_s > verdict->valid_from_s ? from_s : verdict->valid_from_s;
    verdict->valid_until_s = until_s < verdict->valid_until_s ? until_s : verdict->valid_until_s;
}

static void narrow_to_chain(struct alc_verdict *verdict, const struct alc_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        narrow(verdict, chain->certificates[i].not_before_s, chain->certificates[i].not_after_s);
    }
}

static alc_status check_dates(struct state *state)
{
    struct alc_verdict *verdict = state->verdict;
    const int64_t now_s = state->appraisal->now_s;
    verdict->valid_from_s = INT64_MIN;
    verdict->valid_until_s = INT64_MAX;
    narrow_to_chain(verdict, &state->pck_chain);
    narrow_to_chain(verdict, &state->tcb_chain);
    narrow_to_chain(verdict, &state->qe_chain);
    narrow(verdict, state->root_list.this_update_s, state->root_list.next_update_s);
    narrow(verdict, state->pck_list.this_update_s, state->pck_list.next_update_s);
    narrow(verdict, state->tcb_info.dates.issue_s, state->tcb_info.dates.next_update_s);
    narrow(verdict, state->qe_identity.dates.issue_s, state->qe_identity.dates.next_update_s);
    return verdict->valid_from_s <= now_s && now_s <= verdict->valid_until_s ? ALC_OK
                                                                             : ALC_E_NOT_CURRENT;
}

static alc_status check_qe_report(struct state *state)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(state->quote.qe_report_bytes, sizeof state->quote.qe_report, digest);
    return alc_ecdsa_verify(&state->pck_chain.certificates[0].key, digest, sizeof digest,
                            &state->quote.qe_report_signature);
}

/* Its report data is the SHA-256 of the key and what was authenticated with it, then zeros. */
static alc_status check_attestation_key(struct state *state)
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

static alc_status check_qe_fits(struct state *state)
{
    const struct alc_sgx_report_body *report = &state->quote.qe_report;
    return alc_qe_identity_fits(&state->qe_identity, report) &&
                   (report->attributes.flags & ATTRIBUTE_DEBUG) == 0
               ? ALC_OK
               : ALC_E_REPORT_MISMATCH;
}

static alc_status check_quote_signature(struct state *state)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(state->quote.signed_bytes, state->quote.signed_size, digest);
    state->verdict->report = state->quote.report;
    alc_copy(state->verdict->report_data, state->quote.report.report_data,
             ALC_EVIDENCE_REPORT_DATA_SIZE);
    return alc_ecdsa_verify(&state->quote.attestation_key, digest, sizeof digest,
                            &state->quote.signature);
}

static alc_status check_platform(struct state *state)
{
    alc_copy(state->verdict->fmspc, state->pck.fmspc, ALC_FMSPC_SIZE);
    return alc_equal(state->pck.fmspc, state->tcb_info.fmspc, ALC_FMSPC_SIZE) &&
                   alc_equal(state->pck.pce_id, state->tcb_info.pce_id, ALC_PCE_ID_SIZE)
               ? ALC_OK
               : ALC_E_WRONG_PLATFORM;
}

static bool is_among(const struct alc_text *text, const struct alc_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text->size == texts[i].size && alc_equal(text->bytes, texts[i].bytes, text->size)) {
            return true;
        }
    }
    return false;
}

static void collect_advisories(struct alc_verdict *verdict, const struct alc_tcb_level *level)
{
    for (size_t i = 0; i < level->advisories_count; i++) {
        if (!is_among(&level->advisories[i], verdict->advisories, verdict->advisories_count)) {
            verdict->advisories[verdict->advisories_count++] = level->advisories[i];
        }
    }
}

static alc_status check_tcb_level(struct state *state)
{
    struct alc_verdict *verdict = state->verdict;
    const uint32_t platform_number = state->tcb_info.dates.evaluation_number;
    const uint32_t qe_number = state->qe_identity.dates.evaluation_number;
    if (!state->tcb_info.has_level || !state->qe_identity.has_level) {
        return ALC_E_NO_TCB_LEVEL;
    }
    verdict->platform_tcb = state->tcb_info.level.status;
    verdict->qe_tcb = state->qe_identity.level.status;
    verdict->tcb = alc_tcb_converge(verdict->platform_tcb, verdict->qe_tcb);
    verdict->evaluation_number = platform_number < qe_number ? platform_number : qe_number;
    collect_advisories(verdict, &state->tcb_info.level);
    collect_advisories(verdict, &state->qe_identity.level);
    return ALC_OK;
}

/* -- policy -- */

static alc_status accept(bool is_accepted)
{
    return is_accepted ? ALC_OK : ALC_E_POLICY_REFUSED;
}

static alc_status check_not_debug(struct state *state)
{
    return accept(state->appraisal->policy->accepts_debug ||
                  (state->quote.report.attributes.flags & ATTRIBUTE_DEBUG) == 0);
}

static alc_status check_tcb_status(struct state *state)
{
    return accept((state->appraisal->policy->accepted_tcb & 1u << state->verdict->tcb) != 0);
}

static alc_status check_advisories(struct state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    const struct alc_verdict *verdict = state->verdict;
    for (size_t i = 0; policy->limits_advisories && i < verdict->advisories_count; i++) {
        if (!is_among(&verdict->advisories[i], policy->advisories, policy->advisories_count)) {
            return ALC_E_POLICY_REFUSED;
        }
    }
    return ALC_OK;
}

static alc_status accept_one_of(const uint8_t *measurement, size_t size,
                                const struct alc_reference_values *accepted)
{
    for (size_t i = 0; i < accepted->count; i++) {
        if (alc_equal(measurement, &accepted->bytes[i * size], size)) {
            return ALC_OK;
        }
    }
    return accept(accepted->count == 0);
}

static alc_status check_mrenclave(struct state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    return accept_one_of(state->quote.report.mrenclave, ALC_SGX_MEASUREMENT_SIZE,
                         &policy->mrenclaves);
}

static alc_status check_mrsigner(struct state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    return accept_one_of(state->quote.report.mrsigner, ALC_SGX_MEASUREMENT_SIZE,
                         &policy->mrsigners);
}

static alc_status check_product(struct state *state)
{
    const struct alc_policy *policy = state->appraisal->policy;
    const struct alc_sgx_report_body *report = &state->quote.report;
    return accept((!policy->has_product_id || report->isv_product_id == policy->product_id) &&
                  report->isv_svn >= policy->svn_min);
}

static alc_status check_report_data(struct state *state)
{
    const uint8_t *wanted = state->appraisal->policy->report_data;
    const uint8_t *found = state->quote.report.report_data;
    return accept(wanted == NULL || alc_equal(found, wanted, 64));
}

alc_status alc_appraise(struct alc_arena *arena, const struct alc_appraisal *appraisal,
                        struct alc_verdict *out)
{
    static alc_status (*const checks[ALC_CHECKS])(struct state *) = {
        [ALC_CHECK_FORM] = check_form,
        [ALC_CHECK_PCK_CHAIN] = check_pck_chain,
        [ALC_CHECK_PCK_EXTENSION] = check_pck_extension,
        [ALC_CHECK_ROOT_LIST] = check_root_list,
        [ALC_CHECK_PCK_LIST] = check_pck_list,
        [ALC_CHECK_NOT_REVOKED] = check_not_revoked,
        [ALC_CHECK_TCB_INFO] = check_tcb_info,
        [ALC_CHECK_QE_IDENTITY] = check_qe_identity,
        [ALC_CHECK_DATES] = check_dates,
        [ALC_CHECK_QE_REPORT] = check_qe_report,
        [ALC_CHECK_ATTESTATION_KEY] = check_attestation_key,
        [ALC_CHECK_QE_FITS] = check_qe_fits,
        [ALC_CHECK_QUOTE_SIGNATURE] = check_quote_signature,
        [ALC_CHECK_PLATFORM] = check_platform,
        [ALC_CHECK_TCB_LEVEL] = check_tcb_level,
        [ALC_CHECK_NOT_DEBUG] = check_not_debug,
        [ALC_CHECK_TCB_STATUS] = check_tcb_status,
        [ALC_CHECK_ADVISORIES] = check_advisories,
        [ALC_CHECK_MRENCLAVE] = check_mrenclave,
        [ALC_CHECK_MRSIGNER] = check_mrsigner,
        [ALC_CHECK_PRODUCT] = check_product,
        [ALC_CHECK_REPORT_DATA] = check_report_data,
    };
    const size_t mark = alc_arena_mark(arena);
    alc_fill(out, 0, sizeof *out);
    struct state *state = ALC_ARENA_NEW(arena, struct state);
    if (state == NULL) {
        out->status = ALC_E_OUT_OF_MEMORY;
        return out->status;
    }
    state->appraisal = appraisal;
    state->arena = arena;
    state->verdict = out;
    for (size_t i = 0; i < ALC_CHECKS && out->status == ALC_OK; i++) {
        if (!is_for(i, out->kind)) {
            continue;
        }
        out->status = checks[i](state);
        out->results[i] = out->status == ALC_OK ? ALC_CHECK_PASSED : ALC_CHECK_FAILED;
    }
    alc_arena_reset(arena, mark);
    return out->status;
}
