/* SPDX-License-Identifier: Apache-2.0
 *
 * What came of evidence as the claims of a token (attest/ear.h), and back: what rules ask for is
 * read from the token, so that the two cannot differ.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/ear.h"
#include "attest/evidence.h"
#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum { EAR_MAX = 32 << 10, ADDITIONAL_IN_TOKEN_MAX = 1024 };

#define EVIDENCE_MEMBER "ear.veraison.annotated-evidence"
#define ADDITIONAL_MEMBER "additional-evidence"

/* -- writing -- */

/* What the evidence binds. Tokens travel in headers of HTTP, so additional evidence of any size is
 * left out: it is that of devices, which are not judged here. */
static char *runtime_data(const struct alc_kbs_client *client)
{
    json_t *object = json_pack("{s:s, s:O}", "nonce", client->nonce, "tee-pubkey", client->key);
    if (client->additional_size <= ADDITIONAL_IN_TOKEN_MAX) {
        json_object_set_new(object, ADDITIONAL_MEMBER,
                            json_stringn(client->additional, client->additional_size));
    }
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(object);
    return text;
}

/* A token is good for no longer than the verdict in it. */
static int64_t expiry_of(const struct alc_kbs_finding *finding, int64_t wanted_s)
{
    const int64_t until_s = finding->verdict.valid_until_s;
    return !finding->is_sample && until_s < wanted_s ? until_s : wanted_s;
}

char *alc_kbs_claims_write(const struct alc_kbs *kbs, const struct alc_kbs_finding *finding,
                           const struct alc_kbs_client *client, int64_t now_s)
{
    char *runtime = runtime_data(client);
    char *out = malloc(EAR_MAX + 1);
    struct alc_writer writer;
    if (runtime == NULL || out == NULL) {
        free(runtime);
        free(out);
        return NULL;
    }
    const struct alc_ear ear = {
        .dialect = ALC_EAR_TRUSTEE,
        .verdict = &finding->verdict,
        .policy = &finding->policy,
        .policy_id = finding->grounds.policy_id,
        .build = "alcove kbs",
        .is_sample = finding->is_sample,
        .now_s = now_s,
        .expires_s = expiry_of(finding, now_s + kbs->options.token_seconds),
        .runtime_data = {(const uint8_t *)runtime, strlen(runtime)},
    };
    alc_writer_init(&writer, out, EAR_MAX);
    alc_ear_write(&writer, &ear);
    free(runtime);
    if (writer.overflowed) {
        free(out);
        return NULL;
    }
    out[writer.pos] = '\0';
    return out;
}

/* -- reading -- */

static json_t *appraisal_of(const json_t *token)
{
    return json_object_get(json_object_get(token, "submods"), "cpu0");
}

static json_t *runtime_data_of(const json_t *token)
{
    return json_object_get(json_object_get(appraisal_of(token), EVIDENCE_MEMBER),
                           "runtime_data_claims");
}

json_t *alc_kbs_claims_key(const json_t *token)
{
    return json_object_get(runtime_data_of(token), "tee-pubkey");
}

/* A field's value within its groups. */
static json_t *find_field(json_t *evidence, const struct alc_evidence_field *field,
                          const char *group)
{
    char word[32];
    json_t *object = evidence;
    while (*group != '\0') {
        const size_t size = strcspn(group, ".");
        ALC_ASSERT(size < sizeof word);
        alc_copy(word, group, size);
        word[size] = '\0';
        object = json_object_get(object, word);
        group += size + (group[size] == '.');
    }
    return json_object_get(object, field->name);
}

/* Quotes have numbers as the bytes of memory. */
static json_t *number_of(json_t *value, const struct alc_evidence_field *field)
{
    uint8_t bytes[sizeof(uint64_t)] = {0};
    if (json_is_integer(value)) {
        return json_incref(value);
    }
    const bool is_good = field->size <= sizeof bytes && json_is_string(value) &&
                         alc_hex_decode((const uint8_t *)json_string_value(value),
                                        json_string_length(value), bytes, field->size);
    return is_good ? json_integer((json_int_t)alc_load_u64(bytes)) : NULL;
}

static void add_fields(json_t *claims, json_t *evidence, enum alc_evidence_kind kind)
{
    for (size_t i = 0; i < alc_evidence_fields_count; i++) {
        const struct alc_evidence_field *field = &alc_evidence_fields[i];
        if (field->kind == kind) {
            json_t *value = find_field(evidence, field, alc_evidence_groups[i]);
            json_object_set_new(claims, field->name,
                                field->is_number ? number_of(value, field) : json_incref(value));
        }
    }
}

/* What the runtime says about its workload, which the evidence binds. */
static void add_workload(json_t *claims, const json_t *token)
{
    const json_t *text = json_object_get(runtime_data_of(token), ADDITIONAL_MEMBER);
    json_t *additional = json_is_string(text)
                             ? json_loadb(json_string_value(text), json_string_length(text),
                                          JSON_REJECT_DUPLICATES, NULL)
                             : NULL;
    json_t *id = json_object_get(json_object_get(additional, "alcove"), "workload_id");
    if (json_is_string(id) && json_string_length(id) == 2 * ALC_SHA256_SIZE) {
        json_object_set(claims, "workload_id", id);
    }
    json_decref(additional);
}

json_t *alc_kbs_claims_of(const json_t *token)
{
    static const struct {
        enum alc_broker_tee tee;
        enum alc_evidence_kind kind; /* 0: without fields */
    } kinds[] = {
        {ALC_BROKER_SGX, ALC_EVIDENCE_SGX},
        {ALC_BROKER_TDX, ALC_EVIDENCE_TDX},
        {ALC_BROKER_SNP, ALC_EVIDENCE_SEV_SNP},
        {ALC_BROKER_SAMPLE, 0},
    };
    static const char *const copied[] = {"tcb_status", "advisory_ids", "debug", "emulated"};
    const json_t *annotated = json_object_get(appraisal_of(token), EVIDENCE_MEMBER);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(kinds); i++) {
        const char *tee = alc_broker_tee_name(kinds[i].tee);
        json_t *evidence = json_object_get(annotated, tee);
        if (evidence == NULL) {
            continue;
        }
        json_t *claims = json_pack("{s:s}", "tee", tee);
        json_object_set(claims, "status", json_object_get(appraisal_of(token), "ear.status"));
        add_fields(claims, evidence, kinds[i].kind);
        for (size_t k = 0; k < ALC_ARRAY_COUNT(copied); k++) {
            json_object_set(claims, copied[k], json_object_get(evidence, copied[k]));
        }
        add_workload(claims, token);
        return claims;
    }
    return NULL;
}
