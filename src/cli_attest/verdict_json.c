/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict for machines. Names are a promise: docs/reference/attestation.md lists them.
 */
#include <stdlib.h>

#include "attest/evidence.h"
#include "attest/json_write.h"
#include "cli_attest/judgement.h"

static void write_policy(struct alc_json_writer *json, const struct judgement *judgement)
{
    struct alc_writer writer;
    alc_writer_init(&writer, NULL, 0);
    alc_policy_write(&writer, &judgement->policy);
    const size_t size = writer.pos;
    uint8_t *document = cli_allocate(size);
    alc_writer_init(&writer, document, size);
    alc_policy_write(&writer, &judgement->policy);
    alc_json_write_string(json, "policy_id", judgement->policy_id);
    alc_json_write_raw(json, "policy", &(struct alc_text){document, size});
    free(document);
}

static void write_checks(struct alc_json_writer *json, const struct alc_verdict *verdict)
{
    static const char *const words[] = {
        [ALC_CHECK_NOT_REACHED] = "not reached",
        [ALC_CHECK_PASSED] = "passed",
        [ALC_CHECK_FAILED] = "failed",
    };
    alc_json_open_array(json, "checks");
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        if (alc_check_is_for((enum alc_check)i, verdict->kind)) {
            alc_json_open_object(json, NULL);
            alc_json_write_string(json, "check", alc_check_name((enum alc_check)i));
            alc_json_write_string(json, "result", words[verdict->results[i]]);
            alc_json_write_string(json, "text", alc_check_text((enum alc_check)i));
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

static void write_tcb(struct alc_json_writer *json, const struct alc_verdict *verdict)
{
    if (verdict->results[ALC_CHECK_TCB_LEVEL] != ALC_CHECK_PASSED) {
        return;
    }
    alc_json_open_object(json, "tcb");
    alc_json_write_string(json, "status", alc_tcb_status_text(verdict->tcb));
    alc_json_write_string(json, "platform", alc_tcb_status_text(verdict->platform_tcb));
    alc_json_write_string(json, "quoting_enclave", alc_tcb_status_text(verdict->qe_tcb));
    alc_json_open_array(json, "advisories");
    for (size_t i = 0; i < verdict->advisories_count; i++) {
        alc_json_write_text(json, NULL, &verdict->advisories[i]);
    }
    alc_json_close_array(json);
    alc_json_write_uint(json, "evaluation_number", verdict->evaluation_number);
    alc_json_write_hex(json, "fmspc", verdict->fmspc, sizeof verdict->fmspc);
    alc_json_close_object(json);
}

/* As a token would tell it. */
static void write_trust(struct alc_json_writer *json, const struct judgement *judgement)
{
    struct alc_trust_vector vector;
    alc_ear_vector(&judgement->verdict, &judgement->policy, &vector);
    alc_json_open_object(json, "trust");
    alc_json_write_string(
        json, "status",
        alc_trust_tier_word(alc_ear_status(&judgement->verdict, &judgement->policy)));
    alc_json_write_int(json, "configuration", vector.configuration);
    alc_json_write_int(json, "executables", vector.executables);
    alc_json_write_int(json, "hardware", vector.hardware);
    alc_json_write_int(json, "runtime_opaque", vector.runtime_opaque);
    alc_json_close_object(json);
}

static void write_verdict(struct alc_writer *writer, const struct judgement *judgement)
{
    const struct alc_verdict *verdict = &judgement->verdict;
    const enum alc_check failed = judgement_failed_check(judgement);
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, true);
    alc_json_open_object(&json, NULL);
    alc_json_write_string(&json, "verdict", failed == ALC_CHECKS ? "accepted" : "refused");
    alc_json_write_string(&json, "status",
                          failed == ALC_CHECKS ? "OK" : alc_status_name(verdict->status));
    if (failed != ALC_CHECKS) {
        char reason[JUDGEMENT_REASON_SIZE];
        judgement_reason(judgement, reason);
        alc_json_write_string(&json, "failed_check", alc_check_name(failed));
        alc_json_write_string(&json, "reason", reason);
    }
    write_trust(&json, judgement);
    alc_json_write_string(&json, "kind", alc_evidence_kind_word(verdict->kind));
    alc_json_write_time(&json, "time", judgement->appraisal.now_s);
    if (verdict->results[ALC_CHECK_DATES] != ALC_CHECK_NOT_REACHED) {
        alc_json_write_time(&json, "valid_from", verdict->valid_from_s);
        alc_json_write_time(&json, "valid_until", verdict->valid_until_s);
    }
    write_evidence(&json, verdict);
    if (verdict->has_claims) {
        alc_json_open_object(&json, "claims");
        alc_evidence_write_claims(&json, &verdict->claims);
        alc_json_close_object(&json);
    }
    write_tcb(&json, verdict);
    write_checks(&json, verdict);
    write_policy(&json, judgement);
    alc_json_close_object(&json);
    alc_write_u8(writer, '\n');
}

void judgement_print_json(const struct judgement *judgement, FILE *out)
{
    struct alc_writer writer;
    alc_writer_init(&writer, NULL, 0);
    write_verdict(&writer, judgement);
    const size_t size = writer.pos;
    uint8_t *bytes = cli_allocate(size);
    alc_writer_init(&writer, bytes, size);
    write_verdict(&writer, judgement);
    fwrite(bytes, 1, size, out);
    free(bytes);
}
