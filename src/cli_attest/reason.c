/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a check failed, with the values that were compared.
 */
#include <stdarg.h>

#include "attest/evidence.h"
#include "attest/time.h"
#include "base/bytes.h"
#include "cli_attest/judgement.h"

/* Words behind each other, cut when they do not fit. */
struct words {
    char *text;
    size_t used;
};

static ALC_PRINTF(2, 3) void add(struct words *words, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const size_t room = JUDGEMENT_REASON_SIZE - words->used;
    const int size = vsnprintf(&words->text[words->used], room, format, list);
    va_end(list);
    if (size > 0) {
        words->used += (size_t)size < room ? (size_t)size : room - 1;
    }
}

static void add_hex(struct words *words, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        add(words, "%02x", bytes[i]);
    }
}

static void add_time(struct words *words, int64_t seconds)
{
    char text[ALC_TIME_RFC3339_SIZE];
    alc_time_to_rfc3339(seconds, text);
    add(words, "%.*s", (int)sizeof text, text);
}

/* From collateral, which is a stranger's. */
static void add_text(struct words *words, const struct alc_text *text)
{
    for (size_t i = 0; i < text->size; i++) {
        const uint8_t byte = text->bytes[i];
        add(words, "%c", byte >= ' ' && byte < 0x7f ? byte : '?');
    }
}

static void explain_dates(const struct judgement *judgement, struct words *words)
{
    add(words, "it is ");
    add_time(words, judgement->appraisal.now_s);
    add(words, "; certificates, lists and collateral together are valid from ");
    add_time(words, judgement->verdict.valid_from_s);
    add(words, " to ");
    add_time(words, judgement->verdict.valid_until_s);
}

static void explain_kind(const struct judgement *judgement, struct words *words)
{
    add(words, "it is a %s; the policy accepts", judgement_kind_text(judgement->verdict.kind));
    for (uint32_t kind = 1; kind <= judgement->policy.kinds; kind <<= 1) {
        if ((judgement->policy.kinds & kind) != 0) {
            add(words, " %s", alc_evidence_kind_word((enum alc_evidence_kind)kind));
        }
    }
}

static void explain_tcb_status(const struct judgement *judgement, struct words *words)
{
    add(words, "the platform is %s; the policy accepts",
        alc_tcb_status_text(judgement->verdict.tcb));
    for (size_t i = 0; i < ALC_TCB_STATUSES; i++) {
        if ((judgement->policy.accepted_tcb & 1u << i) != 0) {
            add(words, " %s", alc_tcb_status_text((enum alc_tcb_status)i));
        }
    }
}

static bool is_accepted(const struct alc_accepted_texts *accepted, const struct alc_text *text)
{
    for (size_t i = 0; i < accepted->count; i++) {
        if (accepted->texts[i].size == text->size &&
            alc_equal(accepted->texts[i].bytes, text->bytes, text->size)) {
            return true;
        }
    }
    return false;
}

static void explain_advisories(const struct judgement *judgement, struct words *words)
{
    const struct alc_verdict *verdict = &judgement->verdict;
    add(words, "not among those that the policy accepts:");
    for (size_t i = 0; i < verdict->advisories_count; i++) {
        if (!is_accepted(&judgement->policy.advisories, &verdict->advisories[i])) {
            add(words, " ");
            add_text(words, &verdict->advisories[i]);
        }
    }
}

static void explain_evaluation(const struct judgement *judgement, struct words *words)
{
    add(words, "the collateral is of evaluation %u; the policy asks for %u",
        judgement->verdict.evaluation_number, judgement->policy.evaluation_number_min);
}

static void explain_age(const struct judgement *judgement, struct words *words)
{
    add(words, "it was issued ");
    add_time(words, judgement->verdict.collateral_issued_s);
    add(words, ", %lld seconds ago; the policy allows %llu",
        (long long)(judgement->appraisal.now_s - judgement->verdict.collateral_issued_s),
        (unsigned long long)judgement->policy.collateral_age_max_s);
}

static void explain_values(const uint8_t *found, size_t size,
                           const struct alc_reference_values *accepted, struct words *words)
{
    add(words, "it is ");
    add_hex(words, found, size);
    add(words, "; the policy accepts ");
    add_hex(words, accepted->bytes, size);
    if (accepted->count > 1) {
        add(words, " and %zu more", accepted->count - 1);
    }
}

/* Rules that compare one measurement with those of the policy. */
static const struct {
    enum alc_check check;
    size_t size;
    size_t found;    /* offset in struct alc_verdict */
    size_t accepted; /* offset in struct alc_policy */
} measurements[] = {
#define MEASUREMENT(check, member, values)                                                         \
    {ALC_CHECK_##check, sizeof((struct alc_verdict *)NULL)->member,                                \
     offsetof(struct alc_verdict, member), offsetof(struct alc_policy, values)}
    MEASUREMENT(MRENCLAVE, report.mrenclave, mrenclaves),
    MEASUREMENT(MRSIGNER, report.mrsigner, mrsigners),
    MEASUREMENT(MRTD, td.mrtd, mrtds),
    MEASUREMENT(RTMR0, td.rtmrs[0], rtmrs[0]),
    MEASUREMENT(RTMR1, td.rtmrs[1], rtmrs[1]),
    MEASUREMENT(RTMR2, td.rtmrs[2], rtmrs[2]),
    MEASUREMENT(RTMR3, td.rtmrs[3], rtmrs[3]),
    MEASUREMENT(MRCONFIGID, td.mrconfigid, mrconfigids),
    MEASUREMENT(MROWNER, td.mrowner, mrowners),
    MEASUREMENT(MROWNERCONFIG, td.mrownerconfig, mrownerconfigs),
    MEASUREMENT(MRSEAM, td.mrseam, mrseams),
    MEASUREMENT(SNP_MEASUREMENT, snp.report.measurement, snp.measurements),
    MEASUREMENT(SNP_HOST_DATA, snp.report.host_data, snp.host_data),
    MEASUREMENT(WORKLOAD, claims.workload_id, workloads),
    MEASUREMENT(MODULE, claims.module_sha256, modules),
    MEASUREMENT(NATIVE, claims.native_sha256, natives),
#undef MEASUREMENT
};

/* Whether it was one of those. */
static bool explain_measurement(const struct judgement *judgement, enum alc_check check,
                                struct words *words)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(measurements); i++) {
        if (measurements[i].check == check) {
            struct alc_reference_values accepted;
            alc_copy(&accepted, (const uint8_t *)&judgement->policy + measurements[i].accepted,
                     sizeof accepted);
            explain_values((const uint8_t *)&judgement->verdict + measurements[i].found,
                           measurements[i].size, &accepted, words);
            return true;
        }
    }
    return false;
}

static void explain_product(const struct judgement *judgement, struct words *words)
{
    const struct alc_policy *policy = &judgement->policy;
    add(words, "it is product %u with security version number %u; the policy asks for",
        judgement->verdict.report.isv_product_id, judgement->verdict.report.isv_svn);
    if (policy->product_id.is_given) {
        add(words, " product %u with", policy->product_id.value);
    }
    add(words, " at least %u", policy->svn_min);
}

static void explain_config_id(const struct judgement *judgement, struct words *words)
{
    const struct alc_reference_values *accepted = &judgement->policy.config_ids;
    if (accepted->count == 0) {
        add(words, "it was configured for nothing");
    } else {
        explain_values(judgement->verdict.report.config_id, ALC_SGX_CONFIG_ID_SIZE, accepted,
                       words);
    }
}

static void explain_report_data(const struct judgement *judgement, struct words *words)
{
    const struct alc_reference_values wanted = {judgement->policy.report_data, 1};
    explain_values(judgement->verdict.report_data, ALC_EVIDENCE_REPORT_DATA_SIZE, &wanted, words);
}

static void explain_snp_vmpl(const struct judgement *judgement, struct words *words)
{
    add(words, "asked for at level %u; the policy accepts up to %u",
        judgement->verdict.snp.report.vmpl, judgement->policy.snp.vmpl_max);
}

static void add_levels(struct words *words, const struct alc_snp_tcb *tcb)
{
    add(words, "fmc %u bootloader %u tee %u snp %u microcode %u", tcb->fmc, tcb->bootloader,
        tcb->tee, tcb->snp, tcb->microcode);
}

/* The first of the three that is too low. */
static void explain_snp_tcb(const struct judgement *judgement, struct words *words)
{
    const struct alc_snp_verdict *found = &judgement->verdict.snp;
    const struct alc_snp_policy *policy = &judgement->policy.snp;
    const struct {
        const char *name;
        const struct alc_snp_tcb *found;
        const struct alc_snp_tcb *min;
    } rows[] = {
        {"reported", &found->reported_tcb, &policy->tcb_min},
        {"committed", &found->committed_tcb, &policy->committed_tcb_min},
        {"at launch", &found->launch_tcb, &policy->launch_tcb_min},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (!alc_snp_tcb_reaches(rows[i].found, rows[i].min)) {
            add(words, "%s is ", rows[i].name);
            add_levels(words, rows[i].found);
            add(words, "; the policy asks for at least ");
            add_levels(words, rows[i].min);
            return;
        }
    }
}

static void explain_nonce(const struct judgement *judgement, struct words *words)
{
    const struct alc_verdict *verdict = &judgement->verdict;
    const bool has_buffer = judgement->appraisal.claims_buffer.size != 0;
    if (has_buffer && verdict->nonce.size == 0) {
        add(words, "it is for none");
    } else {
        add(words, "it is for ");
        add_hex(words, has_buffer ? verdict->nonce.bytes : verdict->report_data,
                has_buffer ? verdict->nonce.size : ALC_EVIDENCE_REPORT_DATA_SIZE);
    }
    add(words, "; wanted is ");
    add_hex(words, judgement->appraisal.nonce.bytes, judgement->appraisal.nonce.size);
}

static void explain_asked_by(const struct judgement *judgement, struct words *words)
{
    add(words, "asked by the %s; the policy accepts",
        alc_asked_by_word(judgement->verdict.claims.asked_by));
    for (size_t i = 0; i < ALC_ASKED_BYS; i++) {
        if ((judgement->policy.askers & 1u << i) != 0) {
            add(words, " %s", alc_asked_by_word((enum alc_asked_by)i));
        }
    }
}

static void explain_verified(const struct judgement *judgement, struct words *words)
{
    (void)judgement;
    add(words, "the runtime has not found the code confined");
}

static void explain_vouched_by(const struct judgement *judgement, struct words *words)
{
    const struct alc_claims *claims = &judgement->verdict.claims;
    if (claims->vouched_by == ALC_CLAIMED_VOUCHER_KEY) {
        explain_values(claims->voucher_key_sha256, ALC_SHA256_SIZE, &judgement->policy.voucher_keys,
                       words);
    } else {
        add(words, "vouched for by %s", alc_evidence_voucher_word(claims->vouched_by));
    }
}

static void explain_rollback(const struct judgement *judgement, struct words *words)
{
    const struct alc_claims *claims = &judgement->verdict.claims;
    const uint32_t least = judgement->policy.rollback_min;
    if (claims->has_sealed_mounts) {
        add(words, "level %s; the policy asks for %s", alc_claimed_rollback_word(claims->rollback),
            alc_claimed_rollback_word((enum alc_claimed_rollback)(least - 1)));
    } else {
        add(words, "the program has no sealed mounts");
    }
}

/* Whether a rule is about claims, of which there may be none. */
static bool is_about_claims(enum alc_check check)
{
    return check >= ALC_CHECK_WORKLOAD && check <= ALC_CHECK_ROLLBACK;
}

void judgement_reason(const struct judgement *judgement, char out[JUDGEMENT_REASON_SIZE])
{
    static void (*const explain[ALC_CHECKS])(const struct judgement *, struct words *) = {
        [ALC_CHECK_DATES] = explain_dates,           [ALC_CHECK_KIND] = explain_kind,
        [ALC_CHECK_TCB_STATUS] = explain_tcb_status, [ALC_CHECK_ADVISORIES] = explain_advisories,
        [ALC_CHECK_EVALUATION] = explain_evaluation, [ALC_CHECK_COLLATERAL_AGE] = explain_age,
        [ALC_CHECK_PRODUCT] = explain_product,       [ALC_CHECK_REPORT_DATA] = explain_report_data,
        [ALC_CHECK_SNP_VMPL] = explain_snp_vmpl,     [ALC_CHECK_SNP_TCB] = explain_snp_tcb,
        [ALC_CHECK_CONFIGID] = explain_config_id,    [ALC_CHECK_NONCE] = explain_nonce,
        [ALC_CHECK_VERIFIED] = explain_verified,     [ALC_CHECK_VOUCHED_BY] = explain_vouched_by,
        [ALC_CHECK_ASKED_BY] = explain_asked_by,     [ALC_CHECK_ROLLBACK] = explain_rollback,
    };
    struct words words = {.text = out};
    const enum alc_check check = alc_verdict_failed_check(&judgement->verdict);
    out[0] = '\0';
    if (check == ALC_CHECKS) {
        return;
    }
    const bool is_unknown =
        check == ALC_CHECK_FORM && judgement->verdict.status == ALC_E_NOT_SUPPORTED;
    add(&words, "%s",
        is_unknown ? "no evidence of a version and kind that is known"
                   : alc_status_text(judgement->verdict.status));
    if (judgement->verdict.offset != ALC_NO_OFFSET) {
        add(&words, " at 0x%llx", (unsigned long long)judgement->verdict.offset);
    }
    const bool has_values = judgement->verdict.status == ALC_E_POLICY_REFUSED ||
                            judgement->verdict.status == ALC_E_NOT_CURRENT;
    if (!has_values) {
        return;
    }
    const size_t before = words.used;
    add(&words, ": ");
    if (is_about_claims(check) && !judgement->verdict.has_claims) {
        add(&words, "the evidence has no claims");
    } else if (explain[check] != NULL) {
        explain[check](judgement, &words);
    } else if (!explain_measurement(judgement, check, &words)) {
        out[before] = '\0';
    }
}
