/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict for machines, with what a token would tell and the policy by which it was made.
 */
#include <stdlib.h>

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
    const struct alc_verdict_form form = {
        .now_s = judgement->appraisal.now_s, .has_advisories = true, .text_of = alc_check_text};
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, true);
    alc_json_open_object(&json, NULL);
    alc_verdict_write_outcome(&json, verdict);
    if (alc_verdict_failed_check(verdict) != ALC_CHECKS) {
        char reason[JUDGEMENT_REASON_SIZE];
        judgement_reason(judgement, reason);
        alc_json_write_string(&json, "reason", reason);
    }
    write_trust(&json, judgement);
    alc_verdict_write_findings(&json, verdict, &form);
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
