/* SPDX-License-Identifier: Apache-2.0
 *
 * From evidence in a message to claims that rules can ask for. All belief comes from alc_appraise;
 * a sample, which proves nothing, is taken only where emulated evidence is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum { APPRAISAL_MEMORY = 64 << 10 };

/* -- claims -- */

static void set_hex(json_t *claims, const char *name, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * 64];
    ALC_ASSERT(size <= 64);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    json_object_set_new(claims, name, json_stringn(text, 2 * size));
}

static void set_texts(json_t *claims, const char *name, const struct alc_text *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_stringn((const char *)texts[i].bytes, texts[i].size));
    }
    json_object_set_new(claims, name, array);
}

static void set_sgx(json_t *claims, const struct alc_sgx_report_body *report)
{
    static const uint8_t zeros[sizeof report->config_id];
    set_hex(claims, "mr_enclave", report->mrenclave, sizeof report->mrenclave);
    set_hex(claims, "mr_signer", report->mrsigner, sizeof report->mrsigner);
    json_object_set_new(claims, "isv_prod_id", json_integer(report->isv_product_id));
    json_object_set_new(claims, "isv_svn", json_integer(report->isv_svn));
    json_object_set_new(claims, "debug", json_boolean((report->attributes.flags & 2) != 0));
    if (!alc_equal(report->config_id, zeros, sizeof zeros)) {
        set_hex(claims, "config_id", report->config_id, sizeof report->config_id);
    }
}

static void set_td(json_t *claims, const struct alc_td_report *report)
{
    static const char *const rtmr_names[ALC_TD_RTMRS] = {"rtmr_0", "rtmr_1", "rtmr_2", "rtmr_3"};
    set_hex(claims, "mr_td", report->mrtd, sizeof report->mrtd);
    set_hex(claims, "mr_config_id", report->mrconfigid, sizeof report->mrconfigid);
    set_hex(claims, "mr_owner", report->mrowner, sizeof report->mrowner);
    set_hex(claims, "mr_owner_config", report->mrownerconfig, sizeof report->mrownerconfig);
    for (size_t i = 0; i < ALC_TD_RTMRS; i++) {
        set_hex(claims, rtmr_names[i], report->rtmrs[i], sizeof report->rtmrs[i]);
    }
    json_object_set_new(
        claims, "debug",
        json_boolean((alc_load_u64(report->attributes) & ALC_TD_ATTRIBUTE_DEBUG) != 0));
}

static json_t *claims_of(enum alc_broker_tee tee, const struct alc_verdict *verdict)
{
    const bool is_emulated = verdict->is_emulated;
    const bool is_current = verdict->tcb == ALC_TCB_UP_TO_DATE;
    json_t *claims = json_object();
    json_object_set_new(claims, "tee", json_string(alc_broker_tee_name(tee)));
    json_object_set_new(claims, "emulated", json_boolean(is_emulated));
    json_object_set_new(claims, "status",
                        json_string(is_emulated  ? "contraindicated"
                                    : is_current ? "affirming"
                                                 : "warning"));
    json_object_set_new(claims, "tcb_status", json_string(alc_tcb_status_text(verdict->tcb)));
    set_texts(claims, "advisory_ids", verdict->advisories, verdict->advisories_count);
    if (verdict->kind == ALC_EVIDENCE_SGX) {
        set_sgx(claims, &verdict->report);
    } else if (verdict->kind == ALC_EVIDENCE_TDX) {
        set_td(claims, &verdict->td);
    }
    return claims;
}

/* -- quotes -- */

/* The bytes of a base64 member, from malloc. */
static uint8_t *take_bytes(const json_t *evidence, const char *name, size_t *out_size)
{
    const json_t *value = json_object_get(evidence, name);
    const size_t text_size = json_string_length(value);
    uint8_t *bytes = malloc(text_size + 1);
    if (bytes != NULL && (!json_is_string(value) ||
                          !alc_base64_read(ALC_BASE64, (const uint8_t *)json_string_value(value),
                                           text_size, bytes, text_size, out_size))) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

static size_t passed_count(const struct alc_verdict *verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        count += verdict->results[i] == ALC_CHECK_PASSED;
    }
    return count;
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

/* With each collateral until one convinces; what the furthest verdict says is what counts. */
static void judge(const struct alc_kbs_options *options, struct alc_appraisal *appraisal,
                  struct alc_verdict *out)
{
    static const struct alc_collateral none;
    uint8_t *memory = malloc(APPRAISAL_MEMORY);
    struct alc_arena arena;
    struct alc_verdict verdict;
    *out = (struct alc_verdict){.status = ALC_E_OUT_OF_MEMORY};
    if (memory == NULL) {
        return;
    }
    for (size_t i = 0; i == 0 || (i < options->collateral_count && out->status != ALC_OK); i++) {
        appraisal->collateral = options->collateral_count != 0 ? options->collateral[i] : none;
        alc_arena_init(&arena, memory, APPRAISAL_MEMORY);
        if (alc_appraise(&arena, appraisal, &verdict) == ALC_OK || i == 0 ||
            passed_count(&verdict) > passed_count(out)) {
            *out = verdict;
        }
    }
    free(memory);
}

/* What leads to the emulator's root is judged once more where it is wanted: under that root, and as
 * what can be debugged, which everything is that is emulated. */
static json_t *appraise_quote(const struct alc_kbs_options *options, struct alc_kbs_known *known,
                              enum alc_broker_tee tee, const json_t *evidence,
                              const uint8_t *report_data, int64_t now_s,
                              char reason[ALC_KBS_REASON_MAX])
{
    struct alc_policy policy =
        options->appraisal != NULL ? *options->appraisal : alc_policy_default;
    struct alc_verdict verdict;
    json_t *claims = NULL;
    size_t size;
    uint8_t *bytes = take_bytes(evidence, "quote", &size);
    if (bytes == NULL) {
        snprintf(reason, ALC_KBS_REASON_MAX, "primary_evidence has no quote in base64");
        return NULL;
    }
    policy.kinds = tee == ALC_BROKER_SGX ? ALC_EVIDENCE_SGX : ALC_EVIDENCE_TDX;
    policy.report_data = report_data;
    policy.accepts_emulated = false;
    const struct alc_known_signatures signatures = alc_kbs_known_signatures(known);
    struct alc_appraisal appraisal = {
        .evidence = {bytes, size},
        .policy = &policy,
        .now_s = now_s,
        .root_sha256 = options->root_sha256,
        .known = &signatures,
    };
    judge(options, &appraisal, &verdict);
    if (verdict.is_emulated && options->accepts_emulated) {
        policy.accepts_emulated = true;
        policy.accepts_debug = true;
        judge(options, &appraisal, &verdict);
    }
    if (verdict.status != ALC_OK) {
        explain(&verdict, reason);
    } else if (verdict.kind != policy.kinds) {
        snprintf(reason, ALC_KBS_REASON_MAX, "the quote is of another kind than the request says");
    } else {
        claims = claims_of(tee, &verdict);
    }
    free(bytes);
    return claims;
}

/* -- samples -- */

static json_t *appraise_sample(const json_t *evidence, const uint8_t *report_data,
                               char reason[ALC_KBS_REASON_MAX])
{
    uint8_t shown[ALC_EVIDENCE_REPORT_DATA_SIZE] = {0};
    size_t size;
    uint8_t *bytes = take_bytes(evidence, "report_data", &size);
    bool is_bound = bytes != NULL && (size == ALC_SHA384_SIZE || size == sizeof shown);
    if (is_bound) {
        alc_copy(shown, bytes, size);
        is_bound = alc_equal(shown, report_data, sizeof shown);
    }
    free(bytes);
    if (!is_bound) {
        snprintf(reason, ALC_KBS_REASON_MAX,
                 "check REPORT_DATA failed: the sample's report data is not that of nonce and key");
        return NULL;
    }
    return json_pack("{s:s, s:b, s:s}", "tee", alc_broker_tee_name(ALC_BROKER_SAMPLE), "emulated",
                     1, "status", "contraindicated");
}

json_t *alc_kbs_appraise(const struct alc_kbs_options *options, struct alc_kbs_known *known,
                         enum alc_broker_tee tee, const json_t *evidence,
                         const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE], int64_t now_s,
                         char reason[ALC_KBS_REASON_MAX])
{
    if (tee != ALC_BROKER_SAMPLE) {
        return appraise_quote(options, known, tee, evidence, report_data, now_s, reason);
    }
    if (!options->accepts_emulated) {
        snprintf(reason, ALC_KBS_REASON_MAX,
                 "samples prove nothing; this broker was not told to take them");
        return NULL;
    }
    return appraise_sample(evidence, report_data, reason);
}
