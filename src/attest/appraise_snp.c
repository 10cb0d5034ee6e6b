/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks about reports of SEV-SNP, in their order.
 */
#include "attest/appraise_internal.h"

#include "base/bytes.h"

/* A leaf, an authority, and the root. */
enum { LEAF, AUTHORITY, ROOT, CHAIN_COUNT };

static void reader_of(const struct alc_text *text, struct alc_reader *out)
{
    alc_reader_init(out, text->bytes, text->size, NULL);
}

alc_status alc_snp_check_form(struct alc_appraise_state *state)
{
    const struct alc_text *evidence = &state->appraisal->evidence;
    struct alc_reader reader;
    alc_reader_init(&reader, evidence->bytes, evidence->size, &state->form_error);
    ALC_TRY(alc_snp_report_read(&reader, &state->verdict->snp.report));
    state->verdict->kind = ALC_EVIDENCE_SEV_SNP;
    state->verdict->is_debug = (state->verdict->snp.report.policy & ALC_SNP_ALLOWS_DEBUG) != 0;
    return ALC_OK;
}

/* The root is known by its bytes; its name then says for which product it is. */
alc_status alc_snp_check_chain(struct alc_appraise_state *state)
{
    const struct alc_kds_collateral *collateral = state->appraisal->collateral.kds;
    const uint8_t *trusted = state->appraisal->root_sha256;
    struct alc_snp_verdict *snp = &state->verdict->snp;
    struct alc_reader leaf;
    struct alc_reader authorities;
    uint8_t pinned[ALC_SHA256_SIZE];
    uint8_t digest[ALC_SHA256_SIZE];
    if (collateral == NULL) {
        return ALC_E_NO_COLLATERAL;
    }
    reader_of(&collateral->chain, &authorities);
    reader_of(&collateral->endorsement_key, &leaf);
    ALC_TRY(leaf.size == 0
                ? alc_chain_read(state->arena, &authorities, ALC_CERTIFICATE_AMD, &state->snp_chain)
                : alc_chain_read_apart(state->arena, &leaf, &authorities, ALC_CERTIFICATE_AMD,
                                       &state->snp_chain));
    if (state->snp_chain.count != CHAIN_COUNT) {
        return ALC_E_BAD_CERTIFICATE;
    }
    const struct alc_certificate *root = &state->snp_chain.certificates[ROOT];
    if (!alc_snp_product_of_name(root, "ARK-", &snp->product)) {
        return ALC_E_UNTRUSTED_ROOT;
    }
    alc_snp_product_root(snp->product, pinned);
    alc_sha256(root->bytes, root->size, digest);
    if (!alc_equal(digest, trusted != NULL ? trusted : pinned, sizeof digest)) {
        return ALC_E_UNTRUSTED_ROOT;
    }
    return alc_chain_verify(&state->snp_chain, state->appraisal->known);
}

/* An authority signs keys of one kind only, and its name says of which. */
alc_status alc_snp_check_key(struct alc_appraise_state *state)
{
    const struct alc_certificate *leaf = &state->snp_chain.certificates[LEAF];
    const struct alc_certificate *authority = &state->snp_chain.certificates[AUTHORITY];
    struct alc_snp_verdict *snp = &state->verdict->snp;
    enum alc_snp_product product;
    ALC_TRY(alc_snp_key_read(leaf, snp->product, &snp->key));
    const bool is_chip_key = snp->key.kind == ALC_SNP_VCEK;
    return leaf->rsa_modulus == NULL && snp->key.kind == state->verdict->snp.report.key_kind &&
                   alc_text_is(&leaf->common_name, is_chip_key ? "SEV-VCEK" : "SEV-VLEK") &&
                   alc_snp_product_of_name(authority, is_chip_key ? "SEV-" : "SEV-VLEK-",
                                           &product) &&
                   product == snp->product
               ? ALC_OK
               : ALC_E_BAD_CERTIFICATE;
}

alc_status alc_snp_check_list(struct alc_appraise_state *state)
{
    const struct alc_text *list = &state->appraisal->collateral.kds->revocation_list;
    const struct alc_certificate *certificates = state->snp_chain.certificates;
    struct alc_reader reader;
    state->has_snp_list = list->size != 0;
    if (!state->has_snp_list) {
        return ALC_OK; /* whether one must be there is the policy's to say */
    }
    reader_of(list, &reader);
    ALC_TRY(alc_revocation_list_read(&reader, ALC_CERTIFICATE_AMD, &state->snp_list));
    ALC_TRY(alc_revocation_list_check_issuer(&state->snp_list, &certificates[ROOT],
                                             state->appraisal->known));
    return alc_revocation_list_has(&state->snp_list, &certificates[AUTHORITY]) ? ALC_E_REVOKED
                                                                               : ALC_OK;
}

alc_status alc_snp_check_dates(struct alc_appraise_state *state)
{
    alc_verdict_narrow_to_chain(state->verdict, &state->snp_chain);
    if (state->has_snp_list) {
        alc_verdict_narrow(state->verdict, state->snp_list.this_update_s,
                           state->snp_list.next_update_s);
    }
    return ALC_OK;
}

alc_status alc_snp_check_signature(struct alc_appraise_state *state)
{
    uint8_t digest[ALC_SHA384_SIZE];
    alc_hash_bytes(ALC_HASH_SHA384, state->appraisal->evidence.bytes, ALC_SNP_SIGNED_SIZE, digest);
    alc_copy(state->verdict->report_data, state->verdict->snp.report.report_data,
             ALC_EVIDENCE_REPORT_DATA_SIZE);
    return alc_ecdsa_verify(&state->snp_chain.certificates[LEAF].key, digest, sizeof digest,
                            &state->verdict->snp.report.signature);
}

alc_status alc_snp_check_product(struct alc_appraise_state *state)
{
    const struct alc_snp_report *report = &state->verdict->snp.report;
    enum alc_snp_product product;
    bool is_it = !report->has_cpu ||
                 (alc_snp_product_of_cpu(report->cpu_family, report->cpu_model, &product) &&
                  product == state->verdict->snp.product);
    return is_it ? ALC_OK : ALC_E_WRONG_PLATFORM;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* The certificate may name fewer bytes than the report has place for. A masked chip is nobody's to
 * compare: the key of its certificate signed, and that is all there is. */
static bool is_of_chip(const struct alc_snp_report *report, const struct alc_snp_key *key)
{
    const size_t size = sizeof report->chip_id;
    if (report->chip_is_masked) {
        return is_zero(report->chip_id, size);
    }
    return key->kind == ALC_SNP_VLEK ||
           (alc_equal(report->chip_id, key->chip_id, key->chip_id_size) &&
            is_zero(report->chip_id + key->chip_id_size, size - key->chip_id_size));
}

alc_status alc_snp_check_platform(struct alc_appraise_state *state)
{
    struct alc_snp_verdict *snp = &state->verdict->snp;
    const struct alc_snp_report *report = &state->verdict->snp.report;
    if (!alc_snp_tcb_unpack(snp->product, report->current_tcb, &snp->current_tcb) ||
        !alc_snp_tcb_unpack(snp->product, report->reported_tcb, &snp->reported_tcb) ||
        !alc_snp_tcb_unpack(snp->product, report->committed_tcb, &snp->committed_tcb) ||
        !alc_snp_tcb_unpack(snp->product, report->launch_tcb, &snp->launch_tcb)) {
        return ALC_E_BAD_REPORT;
    }
    _Static_assert(sizeof snp->key.tcb == 5, "no padding");
    return alc_equal(&snp->key.tcb, &snp->reported_tcb, sizeof snp->key.tcb) &&
                   is_of_chip(report, &snp->key)
               ? ALC_OK
               : ALC_E_WRONG_PLATFORM;
}
