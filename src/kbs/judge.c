/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging evidence. All belief comes from alc_appraise; a sample, which proves nothing, is taken
 * only where emulated evidence is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum { APPRAISAL_MEMORY = 64 << 10 };

/* One judgement under way. */
struct judgement {
    const struct alc_kbs_evidence *evidence;
    struct alc_kbs_finding *finding;
    struct alc_appraisal appraisal;
    struct alc_arena arena;
    uint8_t *memory; /* APPRAISAL_MEMORY */
    bool has_verdict;
};

static size_t passed_count(const struct alc_verdict *verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        count += verdict->results[i] == ALC_CHECK_PASSED;
    }
    return count;
}

/* What the furthest verdict says is what counts. */
static void try(struct judgement *judgement, const struct alc_collateral *collateral)
{
    struct alc_verdict *out = &judgement->finding->verdict;
    struct alc_verdict verdict;
    judgement->appraisal.collateral = *collateral;
    alc_arena_init(&judgement->arena, judgement->memory, APPRAISAL_MEMORY);
    if (alc_appraise(&judgement->arena, &judgement->appraisal, &verdict) == ALC_OK ||
        !judgement->has_verdict || passed_count(&verdict) > passed_count(out)) {
        *out = verdict;
    }
    judgement->has_verdict = true;
}

/* What the client shows about its processor, completed by what the broker has: whoever shows
 * certificates, they lead to the maker's root or nowhere. A revocation list is the broker's alone.
 */
static void try_with_shown(struct judgement *judgement, const struct alc_kds_collateral *own)
{
    const struct alc_kbs_evidence *evidence = judgement->evidence;
    struct alc_kds_collateral kds = {
        .endorsement_key = {evidence->endorsement_key, evidence->endorsement_key_size},
        .chain = {evidence->chain, evidence->chain_size},
    };
    if (own != NULL) {
        kds.revocation_list = own->revocation_list;
        kds.chain = kds.chain.size != 0 ? kds.chain : own->chain;
    }
    try(judgement, &(struct alc_collateral){.kds = &kds});
}

/* With each collateral until one convinces. */
static void judge(struct judgement *judgement)
{
    const struct alc_kbs_finding *finding = judgement->finding;
    const struct alc_kbs_grounds *grounds = &finding->grounds;
    const bool shows_key = judgement->evidence->endorsement_key_size != 0;
    judgement->has_verdict = false;
    for (size_t i = 0; i < grounds->collateral_count; i++) {
        const struct alc_collateral *collateral = &grounds->collateral[i];
        if (shows_key && collateral->kds != NULL) {
            try_with_shown(judgement, collateral->kds);
        }
        if (finding->verdict.status != ALC_OK || !judgement->has_verdict) {
            try(judgement, collateral);
        }
        if (finding->verdict.status == ALC_OK) {
            return;
        }
    }
    if (shows_key) {
        try_with_shown(judgement, NULL);
    } else if (!judgement->has_verdict) {
        try(judgement, &(struct alc_collateral){0});
    }
}

static void explain(const struct alc_verdict *verdict, char reason[ALC_KBS_REASON_MAX])
{
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        if (verdict->results[i] == ALC_CHECK_FAILED) {
            snprintf(reason, ALC_KBS_REASON_MAX, "check %s failed (\"%s\"): %s",
                     alc_check_name((enum alc_check)i), alc_check_text((enum alc_check)i),
                     alc_status_text(verdict->status));
            return;
        }
    }
    snprintf(reason, ALC_KBS_REASON_MAX, "%s", alc_status_text(verdict->status));
}

static enum alc_evidence_kind kind_of(enum alc_broker_tee tee)
{
    return tee == ALC_BROKER_SGX   ? ALC_EVIDENCE_SGX
           : tee == ALC_BROKER_TDX ? ALC_EVIDENCE_TDX
                                   : ALC_EVIDENCE_SEV_SNP;
}

/* What leads to the emulator's root is judged once more where it is wanted: under that root, and as
 * what can be debugged, which everything is that is emulated. */
static bool appraise(const struct alc_kbs *kbs, const struct alc_kbs_question *question,
                     const struct alc_kbs_evidence *evidence, struct alc_kbs_finding *out,
                     char reason[ALC_KBS_REASON_MAX])
{
    const struct alc_known_signatures signatures = alc_kbs_known_signatures(kbs->known);
    struct judgement judgement = {
        .evidence = evidence,
        .finding = out,
        .memory = malloc(APPRAISAL_MEMORY),
        .appraisal = {.evidence = {evidence->bytes, evidence->size},
                      .policy = &out->policy,
                      .now_s = question->now_s,
                      .root_sha256 = kbs->options.root_sha256,
                      .known = &signatures},
    };
    if (judgement.memory == NULL) {
        snprintf(reason, ALC_KBS_REASON_MAX, "out of memory");
        return false;
    }
    out->policy = *out->grounds.policy;
    out->policy.report_data = question->report_data;
    out->policy.accepts_emulated = false;
    judge(&judgement);
    if (out->verdict.is_emulated && kbs->options.accepts_emulated) {
        out->policy.accepts_emulated = true;
        out->policy.accepts_debug = true;
        judge(&judgement);
    }
    free(judgement.memory);
    out->policy.report_data = NULL;
    if (out->verdict.status != ALC_OK) {
        explain(&out->verdict, reason);
        return false;
    }
    if (out->verdict.kind != kind_of(question->tee)) {
        snprintf(reason, ALC_KBS_REASON_MAX, "the evidence is of another kind than the request");
        return false;
    }
    return true;
}

/* A sample shows the digest with or without the zeros behind it. */
static bool take_sample(const struct alc_kbs *kbs, const struct alc_kbs_question *question,
                        const struct alc_kbs_evidence *evidence, struct alc_kbs_finding *out,
                        char reason[ALC_KBS_REASON_MAX])
{
    uint8_t shown[ALC_EVIDENCE_REPORT_DATA_SIZE] = {0};
    if (!kbs->options.accepts_emulated) {
        snprintf(reason, ALC_KBS_REASON_MAX,
                 "samples prove nothing; this broker was not told to take them");
        return false;
    }
    if (evidence->size == ALC_SHA384_SIZE || evidence->size == sizeof shown) {
        alc_copy(shown, evidence->bytes, evidence->size);
    }
    if (!alc_equal(shown, question->report_data, sizeof shown)) {
        snprintf(reason, ALC_KBS_REASON_MAX,
                 "check REPORT_DATA failed: the sample's report data is not that of nonce and key");
        return false;
    }
    out->policy = *out->grounds.policy;
    out->verdict = (struct alc_verdict){.is_emulated = true, .is_debug = true};
    alc_copy(out->verdict.report_data, shown, sizeof shown);
    return true;
}

bool alc_kbs_judge(struct alc_kbs *kbs, const struct alc_kbs_question *question,
                   struct alc_kbs_finding *out, char reason[ALC_KBS_REASON_MAX])
{
    struct alc_kbs_evidence evidence;
    *out = (struct alc_kbs_finding){.is_sample = question->tee == ALC_BROKER_SAMPLE};
    const char *problem = alc_kbs_evidence_read(question->tee, question->evidence, &evidence);
    bool is_good = problem == NULL;
    alc_kbs_basis_take(kbs->basis, &out->grounds);
    if (!is_good) {
        snprintf(reason, ALC_KBS_REASON_MAX, "%s", problem);
    } else if (out->is_sample) {
        is_good = take_sample(kbs, question, &evidence, out, reason);
    } else {
        is_good = appraise(kbs, question, &evidence, out, reason);
    }
    alc_kbs_evidence_free(&evidence);
    if (!is_good) {
        alc_kbs_finding_release(kbs, out);
    }
    return is_good;
}

void alc_kbs_finding_release(struct alc_kbs *kbs, struct alc_kbs_finding *finding)
{
    alc_kbs_basis_release(kbs->basis, &finding->grounds);
}
