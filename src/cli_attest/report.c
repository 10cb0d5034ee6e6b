/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict as a table for people.
 */
#include "attest/evidence.h"
#include "attest/time.h"
#include "cli_attest/judgement.h"

enum { LABEL_WIDTH = 28, DAY_S = 86400 };

const char *judgement_kind_text(enum alc_evidence_kind kind)
{
    switch (kind) {
    case ALC_EVIDENCE_SGX:
        return "quote of an SGX enclave";
    case ALC_EVIDENCE_TDX:
        return "quote of a TDX trust domain";
    case ALC_EVIDENCE_SEV_SNP:
        return "report of a SEV-SNP guest";
    }
    return "nothing that is known";
}

static void print_label(FILE *out, const char *label)
{
    fprintf(out, "%-*s", LABEL_WIDTH, label);
}

static void print_time(FILE *out, int64_t seconds)
{
    char text[ALC_TIME_RFC3339_SIZE];
    alc_time_to_rfc3339(seconds, text);
    fprintf(out, "%.*s", (int)sizeof text, text);
}

void judgement_print_text(const struct alc_text *text, FILE *out)
{
    for (size_t i = 0; i < text->size; i++) {
        const uint8_t byte = text->bytes[i];
        fputc(byte >= ' ' && byte < 0x7f ? byte : '?', out);
    }
}

static void print_inputs(const struct judgement *judgement, FILE *out)
{
    print_label(out, "evidence");
    fprintf(out, "%s, %s, %zu bytes\n", judgement_kind_text(judgement->verdict.kind),
            judgement->evidence_path, judgement->evidence_size);
    print_label(out, "policy");
    fprintf(out, "%s, %s\n",
            judgement->policy_path == NULL ? "the default" : judgement->policy_path,
            judgement->policy_id);
    print_label(out, "as of");
    print_time(out, judgement->appraisal.now_s);
    fputs("\n\n", out);
}

/* Nothing is shown that nobody signed. */
static void print_evidence(const struct judgement *judgement, FILE *out)
{
    const struct alc_verdict *verdict = &judgement->verdict;
    if (!alc_verdict_is_genuine(verdict)) {
        return;
    }
    for (size_t i = 0; i < alc_evidence_fields_count; i++) {
        const struct alc_evidence_field *field = &alc_evidence_fields[i];
        if (field->kind != verdict->kind || alc_evidence_texts[i][0] == '\0') {
            continue;
        }
        print_label(out, alc_evidence_texts[i]);
        if (field->is_number) {
            fprintf(out, "%llu", (unsigned long long)alc_evidence_number(verdict, field));
        } else {
            cli_print_hex(out, alc_evidence_bytes(verdict, field), field->size);
        }
        fputc('\n', out);
    }
    print_label(out, "debugging");
    fprintf(out, "%s\n", verdict->is_debug ? "possible: its host can read its memory" : "no");
    if (verdict->is_emulated) {
        print_label(out, "emulated");
        fputs("yes: anybody can make the same\n", out);
    }
}

static void print_hash(FILE *out, const char *label, const uint8_t hash[ALC_SHA256_SIZE])
{
    print_label(out, label);
    cli_print_hex(out, hash, ALC_SHA256_SIZE);
    fputc('\n', out);
}

/* What the runtime says, once it is known that it did. */
static void print_claims(const struct alc_verdict *verdict, FILE *out)
{
    const struct alc_claims *claims = &verdict->claims;
    if (!verdict->has_claims) {
        return;
    }
    print_label(out, "claimed by");
    judgement_print_text(&claims->software, out);
    fputc(' ', out);
    judgement_print_text(&claims->version, out);
    fprintf(out, ", asked by the %s\n", alc_asked_by_word(claims->asked_by));
    print_hash(out, "  workload", claims->workload_id);
    print_hash(out, "  module", claims->module_sha256);
    if (claims->is_compiled) {
        print_hash(out, "  compiled code", claims->native_sha256);
    } else {
        print_label(out, "  compiled code");
        fputs("none, it is interpreted\n", out);
    }
    print_label(out, "  confined by the runtime");
    fprintf(out, "%s\n", claims->is_verified ? "yes" : "no");
    if (claims->vouched_by == ALC_CLAIMED_VOUCHER_KEY) {
        print_hash(out, "  vouched for by the key", claims->voucher_key_sha256);
    } else {
        print_label(out, "  vouched for by");
        fprintf(out, "%s\n", alc_evidence_voucher_word(claims->vouched_by));
    }
    if (claims->has_sealed_mounts) {
        print_label(out, "  rollback level");
        fprintf(out, "%s\n", alc_claimed_rollback_word(claims->rollback));
    }
}

static void print_tcb(const struct alc_verdict *verdict, FILE *out)
{
    if (verdict->results[ALC_CHECK_TCB_LEVEL] != ALC_CHECK_PASSED) {
        return;
    }
    print_label(out, "state of the platform");
    fprintf(out, "%s (platform %s, quoting enclave %s)\n", alc_tcb_status_text(verdict->tcb),
            alc_tcb_status_text(verdict->platform_tcb), alc_tcb_status_text(verdict->qe_tcb));
    print_label(out, "advisories");
    for (size_t i = 0; i < verdict->advisories_count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        judgement_print_text(&verdict->advisories[i], out);
    }
    fprintf(out, "%s\n", verdict->advisories_count == 0 ? "none" : "");
    print_label(out, "evaluation");
    fprintf(out, "%u\n", verdict->evaluation_number);
    print_label(out, "kind of platform (FMSPC)");
    cli_print_hex(out, verdict->fmspc, sizeof verdict->fmspc);
    fputc('\n', out);
}

static void print_days(FILE *out, const char *before, int64_t seconds, const char *behind)
{
    const long long days = (long long)(seconds / DAY_S);
    if (days == 0) {
        fprintf(out, " (%sless than a day%s)", before, behind);
    } else {
        fprintf(out, " (%s%lld day%s%s)", before, days, days == 1 ? "" : "s", behind);
    }
}

static void print_validity(const struct judgement *judgement, FILE *out)
{
    const struct alc_verdict *verdict = &judgement->verdict;
    const int64_t now_s = judgement->appraisal.now_s;
    if (verdict->results[ALC_CHECK_DATES] == ALC_CHECK_NOT_REACHED) {
        return;
    }
    print_label(out, "valid");
    print_time(out, verdict->valid_from_s);
    fputs(" to ", out);
    print_time(out, verdict->valid_until_s);
    if (verdict->valid_from_s > verdict->valid_until_s) {
        fputs(" (never)", out);
    } else if (now_s < verdict->valid_from_s) {
        print_days(out, "begins in ", verdict->valid_from_s - now_s, "");
    } else if (now_s > verdict->valid_until_s) {
        print_days(out, "ended ", now_s - verdict->valid_until_s, " ago");
    } else {
        print_days(out, "", verdict->valid_until_s - now_s, " left");
    }
    fputc('\n', out);
}

static void print_checks(const struct judgement *judgement, FILE *out)
{
    static const char *const words[] = {
        [ALC_CHECK_NOT_REACHED] = "not reached",
        [ALC_CHECK_PASSED] = "passed",
        [ALC_CHECK_FAILED] = "FAILED",
    };
    const struct alc_verdict *verdict = &judgement->verdict;
    char reason[JUDGEMENT_REASON_SIZE];
    judgement_reason(judgement, reason);
    fputc('\n', out);
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        const enum alc_check check = (enum alc_check)i;
        if (!alc_check_is_for(check, verdict->kind)) {
            continue;
        }
        fprintf(out, "  %-12s %-18s %s\n", words[verdict->results[i]], alc_check_name(check),
                alc_check_text(check));
        if (verdict->results[i] == ALC_CHECK_FAILED) {
            fprintf(out, "  %-12s %-18s   %s\n", "", "", reason);
        }
    }
}

void judgement_print(const struct judgement *judgement, FILE *out)
{
    const enum alc_check failed = alc_verdict_failed_check(&judgement->verdict);
    print_inputs(judgement, out);
    print_evidence(judgement, out);
    print_claims(&judgement->verdict, out);
    print_tcb(&judgement->verdict, out);
    print_validity(judgement, out);
    print_checks(judgement, out);
    if (failed == ALC_CHECKS) {
        fprintf(out, "\naccepted%s\n",
                alc_ear_is_recognized(&judgement->verdict, &judgement->policy) ? ""
                : judgement->verdict.has_claims
                    ? ", whatever runs there: the policy names not both runtime and program"
                    : ", whatever runs there: the policy names no measurement and no signer");
    } else {
        fprintf(out, "\nrefused by %s; alcove explain %s says more\n", alc_check_name(failed),
                alc_check_name(failed));
    }
}
