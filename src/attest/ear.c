/* SPDX-License-Identifier: Apache-2.0
 *
 * From verdicts to attestation results. The numbers are AR4SI's.
 */
#include "attest/ear.h"

#include "attest/evidence.h"

enum ear_name {
#define EAR_NAME(ident, trustee, ietf) NAME_##ident,
#include "attest/ear.def"
#undef EAR_NAME
    NAMES
};

static const char *name_of(enum alc_ear_dialect dialect, enum ear_name name)
{
    static const char *const names[NAMES][2] = {
#define EAR_NAME(ident, trustee, ietf)                                                             \
    [NAME_##ident] = {[ALC_EAR_TRUSTEE] = trustee, [ALC_EAR_IETF] = ietf},
#include "attest/ear.def"
#undef EAR_NAME
    };
    return names[name][dialect];
}

/* Values that more than one aspect has. */
enum { NO_CLAIM = 0, MALFUNCTION = -1, CRYPTO_FAILED = 99 };

enum {
    CONFIGURATION_SAFE = 3,
    CONFIGURATION_UNSAFE = 32,
    CONFIGURATION_UNSUPPORTABLE = 96,
    EXECUTABLES_APPROVED = 2,
    EXECUTABLES_APPROVED_BOOT = 3,
    EXECUTABLES_UNRECOGNIZED = 33,
    HARDWARE_GENUINE = 2,
    HARDWARE_UNSAFE = 32,
    HARDWARE_CONTRAINDICATED = 96,
    HARDWARE_UNRECOGNIZED = 97,
    RUNTIME_ENCRYPTED = 2,
    RUNTIME_VISIBLE = 96,
};

enum alc_trust_tier alc_trust_tier_of(int8_t value)
{
    if (value >= -1 && value <= 1) {
        return ALC_TRUST_NONE;
    }
    const int magnitude = value < 0 ? -value - 1 : value; /* negative ones are private */
    return magnitude < 32   ? ALC_TRUST_AFFIRMING
           : magnitude < 96 ? ALC_TRUST_WARNING
                            : ALC_TRUST_CONTRAINDICATED;
}

const char *alc_trust_tier_word(enum alc_trust_tier tier)
{
    static const char *const words[] = {"none", "affirming", "warning", "contraindicated"};
    ALC_ASSERT(tier <= ALC_TRUST_CONTRAINDICATED);
    return words[tier];
}

/* Of evidence that is not genuine. */
static int8_t judge_failure(alc_status status)
{
    switch ((int)status) {
    case ALC_E_BAD_SIGNATURE:
    case ALC_E_BAD_KEY:
    case ALC_E_UNTRUSTED_ROOT:
    case ALC_E_REPORT_MISMATCH:
    case ALC_E_EMULATED:
        return CRYPTO_FAILED;
    case ALC_E_REVOKED:
        return HARDWARE_CONTRAINDICATED;
    case ALC_E_OUT_OF_MEMORY:
    case ALC_E_INTERNAL:
        return MALFUNCTION;
    default:
        return HARDWARE_UNRECOGNIZED;
    }
}

static int8_t judge_hardware(const struct alc_verdict *verdict)
{
    if (verdict->is_emulated) {
        return HARDWARE_UNRECOGNIZED;
    }
    if (verdict->kind == ALC_EVIDENCE_SEV_SNP) {
        return HARDWARE_GENUINE; /* AMD's versions are bounds of the policy, not states */
    }
    return verdict->tcb == ALC_TCB_UP_TO_DATE ? HARDWARE_GENUINE
           : verdict->tcb == ALC_TCB_REVOKED  ? HARDWARE_CONTRAINDICATED
                                              : HARDWARE_UNSAFE;
}

static bool needs_configuration(const struct alc_verdict *verdict)
{
    return verdict->kind != ALC_EVIDENCE_SEV_SNP &&
           (verdict->tcb == ALC_TCB_CONFIGURATION_NEEDED ||
            verdict->tcb == ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
            verdict->tcb == ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED ||
            verdict->tcb == ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED);
}

/* Recognized is what the policy names by its measurement or its signer, and only that; a runtime
 * together with the program that it runs. What a virtual machine loads after its start no launch
 * measurement tells. */
static int8_t judge_executables(const struct alc_verdict *verdict, const struct alc_policy *policy)
{
    if (verdict->status != ALC_OK ||
        (verdict->has_claims && policy->workloads.count == 0 && policy->modules.count == 0)) {
        return EXECUTABLES_UNRECOGNIZED;
    }
    switch (verdict->kind) {
    case ALC_EVIDENCE_SGX:
        return policy->mrenclaves.count != 0 || policy->mrsigners.count != 0
                   ? EXECUTABLES_APPROVED
                   : EXECUTABLES_UNRECOGNIZED;
    case ALC_EVIDENCE_TDX:
        return policy->mrtds.count != 0 ? EXECUTABLES_APPROVED_BOOT : EXECUTABLES_UNRECOGNIZED;
    case ALC_EVIDENCE_SEV_SNP:
        return policy->snp.measurements.count != 0 ? EXECUTABLES_APPROVED_BOOT
                                                   : EXECUTABLES_UNRECOGNIZED;
    }
    return EXECUTABLES_UNRECOGNIZED;
}

void alc_ear_vector(const struct alc_verdict *verdict, const struct alc_policy *policy,
                    struct alc_trust_vector *out)
{
    *out = (struct alc_trust_vector){0};
    if (!alc_verdict_is_genuine(verdict)) {
        out->hardware = judge_failure(verdict->status);
        return;
    }
    out->hardware = judge_hardware(verdict);
    out->executables = judge_executables(verdict, policy);
    out->runtime_opaque =
        verdict->is_debug || verdict->is_emulated ? RUNTIME_VISIBLE : RUNTIME_ENCRYPTED;
    out->configuration = verdict->is_debug              ? CONFIGURATION_UNSUPPORTABLE
                         : needs_configuration(verdict) ? CONFIGURATION_UNSAFE
                                                        : CONFIGURATION_SAFE;
}

static enum alc_trust_tier worse(enum alc_trust_tier tier, int8_t value)
{
    const enum alc_trust_tier other = alc_trust_tier_of(value);
    return other > tier ? other : tier;
}

bool alc_ear_is_recognized(const struct alc_verdict *verdict, const struct alc_policy *policy)
{
    return judge_executables(verdict, policy) != EXECUTABLES_UNRECOGNIZED;
}

enum alc_trust_tier alc_ear_status(const struct alc_verdict *verdict,
                                   const struct alc_policy *policy)
{
    struct alc_trust_vector vector;
    if (verdict->status != ALC_OK) {
        return ALC_TRUST_CONTRAINDICATED;
    }
    alc_ear_vector(verdict, policy, &vector);
    enum alc_trust_tier tier = worse(ALC_TRUST_NONE, vector.configuration);
    tier = worse(tier, vector.executables);
    tier = worse(tier, vector.hardware);
    return worse(tier, vector.runtime_opaque);
}

/* -- writing -- */

static void write_value(struct alc_json_writer *writer, const char *name, int8_t value)
{
    if (value != NO_CLAIM) {
        alc_json_write_int(writer, name, value);
    }
}

static void write_vector(struct alc_json_writer *writer, const struct alc_ear *ear)
{
    struct alc_trust_vector vector;
    alc_ear_vector(ear->verdict, ear->policy, &vector);
    alc_json_open_object(writer, name_of(ear->dialect, NAME_VECTOR));
    write_value(writer, "configuration", vector.configuration);
    write_value(writer, "executables", vector.executables);
    write_value(writer, "hardware", vector.hardware);
    write_value(writer, "runtime-opaque", vector.runtime_opaque);
    alc_json_close_object(writer);
}

static void write_policy_id(struct alc_json_writer *writer, const struct alc_ear *ear)
{
    const char *name = name_of(ear->dialect, NAME_POLICY);
    if (ear->dialect == ALC_EAR_TRUSTEE) {
        alc_json_write_string(writer, name, ear->policy_id);
        return;
    }
    alc_json_open_array(writer, name);
    alc_json_write_string(writer, NULL, ear->policy_id);
    alc_json_close_array(writer);
}

/* What the makers say about the platform. */
static void write_tcb(struct alc_json_writer *writer, const struct alc_verdict *verdict)
{
    if (verdict->results[ALC_CHECK_TCB_LEVEL] != ALC_CHECK_PASSED) {
        return;
    }
    alc_json_write_string(writer, "tcb_status", alc_tcb_status_text(verdict->tcb));
    alc_json_open_array(writer, "advisory_ids");
    for (size_t i = 0; i < verdict->advisories_count; i++) {
        alc_json_write_text(writer, NULL, &verdict->advisories[i]);
    }
    alc_json_close_array(writer);
    alc_json_write_uint(writer, "tcb_eval_num", verdict->evaluation_number);
}

/* What the host fixed when it started the thing: a hash of data that are not measured. */
static void write_init_data(struct alc_json_writer *writer, const struct alc_verdict *verdict)
{
    static const char name[] = "init_data";
    switch (verdict->kind) {
    case ALC_EVIDENCE_SGX:
        alc_json_write_hex(writer, name, verdict->report.config_id,
                           sizeof verdict->report.config_id);
        break;
    case ALC_EVIDENCE_TDX:
        alc_json_write_hex(writer, name, verdict->td.mrconfigid, sizeof verdict->td.mrconfigid);
        break;
    case ALC_EVIDENCE_SEV_SNP:
        alc_json_write_hex(writer, name, verdict->snp.report.host_data,
                           sizeof verdict->snp.report.host_data);
        break;
    }
}

/* Nothing of evidence that is not genuine goes into a token, unless it is a sample. */
static void write_evidence(struct alc_json_writer *writer, const struct alc_ear *ear)
{
    const struct alc_verdict *verdict = ear->verdict;
    if (!alc_verdict_is_genuine(verdict) && !ear->is_sample) {
        return;
    }
    alc_json_open_object(writer, name_of(ear->dialect, NAME_EVIDENCE));
    write_init_data(writer, verdict);
    alc_json_write_hex(writer, "report_data", verdict->report_data, ALC_EVIDENCE_REPORT_DATA_SIZE);
    alc_json_open_object(writer, ear->is_sample ? "sample" : alc_evidence_kind_word(verdict->kind));
    alc_evidence_write_annotated(writer, verdict);
    write_tcb(writer, verdict);
    alc_json_write_bool(writer, "debug", verdict->is_debug);
    alc_json_write_bool(writer, "emulated", verdict->is_emulated);
    alc_json_close_object(writer);
    if (verdict->has_claims) {
        alc_json_open_object(writer, "alcove");
        alc_evidence_write_claims(writer, &verdict->claims);
        alc_json_close_object(writer);
    }
    if (ear->runtime_data.size != 0) {
        alc_json_write_raw(writer, "runtime_data_claims", &ear->runtime_data);
    }
    alc_json_close_object(writer);
}

static void write_appraisal(struct alc_json_writer *writer, const struct alc_ear *ear)
{
    const struct alc_verdict *verdict = ear->verdict;
    alc_json_write_string(writer, name_of(ear->dialect, NAME_STATUS),
                          alc_trust_tier_word(alc_ear_status(verdict, ear->policy)));
    write_vector(writer, ear);
    write_policy_id(writer, ear);
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        if (verdict->results[i] == ALC_CHECK_FAILED) {
            alc_json_write_string(writer, "alcove.failed-check", alc_check_name((enum alc_check)i));
            alc_json_write_string(writer, "alcove.reason", alc_status_text(verdict->status));
        }
    }
    write_evidence(writer, ear);
}

void alc_ear_write(struct alc_writer *writer, const struct alc_ear *ear)
{
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, false);
    alc_json_open_object(&json, NULL);
    alc_json_write_string(&json, "eat_profile", name_of(ear->dialect, NAME_PROFILE));
    alc_json_write_int(&json, "iat", ear->now_s);
    if (ear->expires_s != 0) {
        alc_json_write_int(&json, "exp", ear->expires_s);
    }
    if (ear->nonce.size != 0) {
        alc_json_write_text(&json, "eat_nonce", &ear->nonce);
    }
    alc_json_open_object(&json, name_of(ear->dialect, NAME_VERIFIER));
    alc_json_write_string(&json, "developer", "alcove");
    alc_json_write_string(&json, "build", ear->build != NULL ? ear->build : "alcove verify");
    alc_json_close_object(&json);
    alc_json_open_object(&json, "submods");
    alc_json_open_object(&json, "cpu0");
    write_appraisal(&json, ear);
    alc_json_close_object(&json);
    alc_json_close_object(&json);
    alc_json_close_object(&json);
}
