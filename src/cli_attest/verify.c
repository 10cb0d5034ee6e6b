/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove verify: from files to a verdict to an exit code.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attest/time.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "cli/attestation.h"
#include "cli_attest/judgement.h"

struct request {
    const char *policy_path;
    const char *collateral_path;
    const char *key_path;
    enum alc_ear_dialect dialect;
    uint8_t nonce[ALC_CLAIMS_NONCE_SIZE_MAX];
    size_t nonce_size;
    bool has_time;
    int64_t time_s;
    bool accepts_emulated;
    bool is_json;
};

static int64_t parse_time(const struct cli_arguments *arguments, const char *text)
{
    int64_t seconds;
    if (!alc_time_from_rfc3339((const uint8_t *)text, strlen(text), &seconds)) {
        cli_usage_error(arguments, "%s is not a time such as 2026-01-31T12:00:00Z", text);
    }
    return seconds;
}

static void parse_nonce(const struct cli_arguments *arguments, const char *text,
                        struct request *request)
{
    const size_t size = strlen(text);
    request->nonce_size = size / 2;
    if (size == 0 || request->nonce_size > sizeof request->nonce ||
        !alc_hex_decode((const uint8_t *)text, size, request->nonce, request->nonce_size)) {
        cli_usage_error(arguments, "%s is not hexadecimal digits of 1 to 64 bytes", text);
    }
}

static enum alc_ear_dialect parse_dialect(const struct cli_arguments *arguments, const char *text)
{
    if (strcmp(text, "trustee") == 0) {
        return ALC_EAR_TRUSTEE;
    }
    if (strcmp(text, "ietf") != 0) {
        cli_usage_error(arguments, "--ear-dialect %s: trustee or ietf", text);
    }
    return ALC_EAR_IETF;
}

static void apply_option(const struct cli_arguments *arguments, struct request *request,
                         enum cli_option option, const char *value)
{
    if (option == CLI_OPTION_verify_policy) {
        request->policy_path = value;
    } else if (option == CLI_OPTION_verify_collateral) {
        request->collateral_path = value;
    } else if (option == CLI_OPTION_verify_time) {
        request->has_time = true;
        request->time_s = parse_time(arguments, value);
    } else if (option == CLI_OPTION_verify_nonce) {
        parse_nonce(arguments, value, request);
    } else if (option == CLI_OPTION_verify_accept_emulated) {
        request->accepts_emulated = true;
    } else if (option == CLI_OPTION_verify_json) {
        request->is_json = true;
    } else if (option == CLI_OPTION_verify_ear) {
        request->key_path = value;
    } else {
        request->dialect = parse_dialect(arguments, value);
    }
}

static void make_policy(const struct request *request, struct judgement *judgement)
{
    judgement->policy = alc_policy_default;
    if (request->policy_path != NULL) {
        judgement_read_policy(judgement, request->policy_path);
    }
    judgement->policy.accepts_emulated |= request->accepts_emulated;
    if (alc_policy_name(judgement_arena(), &judgement->policy, judgement->policy_id) != ALC_OK) {
        cli_die(CLI_FAILED, "out of memory");
    }
}

static void print_verdict(const struct request *request, const struct judgement *judgement)
{
    if (request->key_path != NULL) {
        judgement_print_token(judgement, request->key_path, request->dialect, stdout);
    } else if (request->is_json) {
        judgement_print_json(judgement, stdout);
    } else {
        judgement_print(judgement, stdout);
    }
}

static int verify(struct cli_arguments *arguments)
{
    static struct judgement judgement; /* a verdict is too large for the stack */
    struct request request = {0};
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        apply_option(arguments, &request, (enum cli_option)option, value);
    }
    const char *path = cli_only_operand(arguments, "file with evidence");
    if (request.key_path != NULL && request.is_json) {
        cli_usage_error(arguments, "one of --json and --ear");
    }
    make_policy(&request, &judgement);
    judgement_read_evidence(&judgement, path);
    if (request.collateral_path != NULL) {
        judgement_read_collateral(&judgement, request.collateral_path);
    }
    judgement.appraisal.nonce = (struct alc_text){request.nonce, request.nonce_size};
    judgement.appraisal.policy = &judgement.policy;
    judgement.appraisal.now_s = request.has_time ? request.time_s : (int64_t)time(NULL);
    alc_status status = alc_appraise(judgement_arena(), &judgement.appraisal, &judgement.verdict);
    print_verdict(&request, &judgement);
    if (status == ALC_OK && judgement.verdict.is_emulated) {
        fputs("alcove: EMULATED evidence was accepted. It proves nothing: anybody can make the "
              "same.\n",
              stderr);
    }
    return status == ALC_OK ? CLI_OK : CLI_REFUSED;
}

static __attribute__((constructor)) void bring(void)
{
    static const struct cli_attestation attestation = {.verify = verify, .explain = explain_run};
    cli_attestation_register(&attestation);
}
