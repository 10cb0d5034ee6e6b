/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts written out. What nobody signed is left out.
 */
#include "attest/verdict.h"

#include "attest/evidence.h"

enum alc_check alc_verdict_failed_check(const struct alc_verdict *verdict)
{
    size_t check = 0;
    while (check < ALC_CHECKS && verdict->results[check] != ALC_CHECK_FAILED) {
        check++;
    }
    return (enum alc_check)check;
}

void alc_verdict_write_outcome(struct alc_json_writer *json, const struct alc_verdict *verdict)
{
    const enum alc_check failed = alc_verdict_failed_check(verdict);
    const bool is_accepted = verdict->status == ALC_OK && failed == ALC_CHECKS;
    alc_json_write_string(json, "verdict", is_accepted ? "accepted" : "refused");
    alc_json_write_string(json, "status", alc_status_name(verdict->status));
    if (failed != ALC_CHECKS) {
        alc_json_write_string(json, "failed_check", alc_check_name(failed));
    }
}

static void write_checks(struct alc_json_writer *json, const struct alc_verdict *verdict,
                         const struct alc_verdict_form *form)
{
    static const char *const words[] = {
        [ALC_CHECK_NOT_REACHED] = "not reached",
        [ALC_CHECK_PASSED] = "passed",
        [ALC_CHECK_FAILED] = "failed",
    };
    alc_json_open_array(json, "checks");
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        const enum alc_check check = (enum alc_check)i;
        if (alc_check_is_for(check, verdict->kind)) {
            alc_json_open_object(json, NULL);
            alc_json_write_string(json, "check", alc_check_name(check));
            alc_json_write_string(json, "result", words[verdict->results[i]]);
            if (form->text_of != NULL) {
                alc_json_write_string(json, "text", form->text_of(check));
            }
            alc_json_close_object(json);
        }
    }
    alc_json_close_array(json);
}

static void write_evidence(struct alc_json_writer *json, const struct alc_verdict *verdict)
{
    if (!alc_verdict_is_genuine(verdict)) {
        return;
    }
    alc_json_open_object(json, "evidence");
    alc_evidence_write(json, verdict);
    alc_json_close_object(json);
    alc_json_write_bool(json, "debug", verdict->is_debug);
    alc_json_write_bool(json, "emulated", verdict->is_emulated);
}

static void write_tcb(struct alc_json_writer *json, const struct alc_verdict *verdict,
                      bool has_advisories)
{
    if (verdict->results[ALC_CHECK_TCB_LEVEL] != ALC_CHECK_PASSED) {
        return;
    }
    alc_json_open_object(json, "tcb");
    alc_json_write_string(json, "status", alc_tcb_status_text(verdict->tcb));
    alc_json_write_string(json, "platform", alc_tcb_status_text(verdict->platform_tcb));
    alc_json_write_string(json, "quoting_enclave", alc_tcb_status_text(verdict->qe_tcb));
    if (has_advisories) {
        alc_json_open_array(json, "advisories");
        for (size_t i = 0; i < verdict->advisories_count; i++) {
            alc_json_write_text(json, NULL, &verdict->advisories[i]);
        }
        alc_json_close_array(json);
    }
    alc_json_write_uint(json, "evaluation_number", verdict->evaluation_number);
    alc_json_write_hex(json, "fmspc", verdict->fmspc, sizeof verdict->fmspc);
    alc_json_close_object(json);
}

void alc_verdict_write_findings(struct alc_json_writer *json, const struct alc_verdict *verdict,
                                const struct alc_verdict_form *form)
{
    alc_json_write_string(json, "kind", alc_evidence_kind_word(verdict->kind));
    if (form->now_s >= 0) {
        alc_json_write_time(json, "time", form->now_s);
    }
    if (verdict->results[ALC_CHECK_DATES] != ALC_CHECK_NOT_REACHED) {
        alc_json_write_time(json, "valid_from", verdict->valid_from_s);
        alc_json_write_time(json, "valid_until", verdict->valid_until_s);
    }
    write_evidence(json, verdict);
    if (verdict->has_claims) {
        alc_json_open_object(json, "claims");
        alc_evidence_write_claims(json, &verdict->claims);
        alc_json_close_object(json);
    }
    write_tcb(json, verdict, form->has_advisories);
    write_checks(json, verdict, form);
}
