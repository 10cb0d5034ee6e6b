/* SPDX-License-Identifier: Apache-2.0
 *
 * The resource policy: a list of rules, of which one must allow. Nothing is allowed without a rule
 * for it, and a rule that asks for nothing must say that this is meant.
 *
 *   { "rules": [ { "resource": "repository/type/tag",  each may be "*"
 *                  "tee": ["sgx"],                     kinds of evidence
 *                  "claims": { "mr_enclave": ["hex", ...], "isv_svn": {"min": 2}, ... },
 *                  "anybody": true,                    instead of claims
 *                  "emulated": true } ] }              evidence that anybody can make will do
 */
#include <string.h>

#include "kbs/kbs_internal.h"

enum { RULES_MAX = 4096 };

/* -- the document -- */

static bool has_only(json_t *object, const char *const *names)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const char *const *known = names;
        while (*known != NULL && strcmp(*known, name) != 0) {
            known++;
        }
        if (*known == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_pattern(const json_t *value)
{
    char text[ALC_BROKER_RESOURCE_MAX + 1];
    struct alc_text resource;
    const size_t size = json_string_length(value);
    if (!json_is_string(value) || size > ALC_BROKER_RESOURCE_MAX) {
        return false;
    }
    /* A star stands for a name, so with a letter in its place it must be a resource. */
    for (size_t i = 0; i < size; i++) {
        const char *from = json_string_value(value) + i;
        const bool is_whole = (i == 0 || from[-1] == '/') && (from[1] == '/' || from[1] == '\0');
        text[i] = *from == '*' && is_whole ? 'x' : *from;
    }
    const struct alc_text whole = {(const uint8_t *)text, size};
    return alc_broker_resource_read(&whole, &resource) == ALC_OK && resource.size == size;
}

static bool is_list_of_tees(json_t *value)
{
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        const struct alc_text name = {(const uint8_t *)json_string_value(item),
                                      json_string_length(item)};
        if (!json_is_string(item) || alc_broker_tee_find(&name) == ALC_BROKER_TEES) {
            return false;
        }
    }
    return json_array_size(value) > 0;
}

static bool is_scalar(const json_t *value)
{
    return json_is_string(value) || json_is_integer(value) || json_is_boolean(value);
}

/* A value, one of several, or at least a number. */
static bool is_wanted(json_t *value)
{
    static const char *const names[] = {"min", NULL};
    size_t i;
    json_t *item;
    if (json_is_object(value)) {
        return has_only(value, names) && json_is_integer(json_object_get(value, "min"));
    }
    json_array_foreach(value, i, item)
    {
        if (!is_scalar(item)) {
            return false;
        }
    }
    return is_scalar(value) || json_array_size(value) > 0;
}

/* Whether they name what runs by what its processor measured. */
static bool names_code(json_t *claims)
{
    return json_object_get(claims, "mr_enclave") != NULL ||
           json_object_get(claims, "mr_signer") != NULL || json_object_get(claims, "mr_td") != NULL;
}

static const char *claims_problem(json_t *claims)
{
    const char *name;
    json_t *value;
    json_object_foreach(claims, name, value)
    {
        if (!is_wanted(value)) {
            return "a claim in a rule is no value, list of values or {\"min\": number}";
        }
    }
    if (json_object_get(claims, "workload_id") != NULL && !names_code(claims)) {
        return "workload_id is what a runtime says: name mr_enclave, mr_signer or mr_td, too";
    }
    return NULL;
}

static const char *rule_problem(json_t *rule)
{
    static const char *const names[] = {"resource", "tee", "claims", "anybody", "emulated", NULL};
    json_t *claims = json_object_get(rule, "claims");
    const json_t *anybody = json_object_get(rule, "anybody");
    const json_t *emulated = json_object_get(rule, "emulated");
    if (!json_is_object(rule) || !has_only(rule, names)) {
        return "a rule has other members than resource, tee, claims, anybody, emulated";
    }
    if (!is_pattern(json_object_get(rule, "resource"))) {
        return "a rule's resource is not repository/type/tag";
    }
    if (!is_list_of_tees(json_object_get(rule, "tee"))) {
        return "a rule's tee is not a list of kinds of evidence";
    }
    if ((anybody != NULL && !json_is_true(anybody)) ||
        (emulated != NULL && !json_is_boolean(emulated))) {
        return "anybody is true or not there, emulated is true or false";
    }
    if ((anybody != NULL) == (json_object_size(claims) > 0) ||
        (claims != NULL && !json_is_object(claims))) {
        return "a rule asks for claims or says \"anybody\": true";
    }
    return claims_problem(claims);
}

const char *alc_kbs_rules_problem(json_t *policy)
{
    static const char *const names[] = {"rules", NULL};
    json_t *rules = json_object_get(policy, "rules");
    size_t i;
    json_t *rule;
    if (!json_is_array(rules) || !has_only(policy, names)) {
        return "the policy is not an object with a list of rules";
    }
    if (json_array_size(rules) > RULES_MAX) {
        return "the policy has too many rules";
    }
    json_array_foreach(rules, i, rule)
    {
        const char *problem = rule_problem(rule);
        if (problem != NULL) {
            return problem;
        }
    }
    return NULL;
}

/* -- judging -- */

static bool matches(const char *pattern, const char *resource)
{
    while (*pattern != '\0' || *resource != '\0') {
        if (*pattern == '*') {
            pattern++;
            resource += strcspn(resource, "/");
        } else if (*pattern != *resource) {
            return false;
        } else {
            pattern++;
            resource++;
        }
    }
    return true;
}

static bool is_among(json_t *list, const json_t *value)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_equal(item, value)) {
            return true;
        }
    }
    return false;
}

static bool is_met(json_t *wanted, const json_t *claim)
{
    if (json_is_object(wanted)) {
        return json_is_integer(claim) &&
               json_integer_value(claim) >= json_integer_value(json_object_get(wanted, "min"));
    }
    return json_is_array(wanted) ? is_among(wanted, claim) : json_equal(wanted, claim);
}

/* What of the rule the program does not meet, or NULL. */
static const char *unmet(json_t *rule, json_t *claims)
{
    const char *name;
    json_t *wanted;
    if (!is_among(json_object_get(rule, "tee"), json_object_get(claims, "tee"))) {
        return "tee";
    }
    if (json_is_true(json_object_get(claims, "emulated")) &&
        !json_is_true(json_object_get(rule, "emulated"))) {
        return "emulated";
    }
    json_object_foreach(json_object_get(rule, "claims"), name, wanted)
    {
        const json_t *claim = json_object_get(claims, name);
        if (claim == NULL || !is_met(wanted, claim)) {
            return name;
        }
    }
    return NULL;
}

bool alc_kbs_rules_allow(json_t *policy, const char *resource, json_t *claims,
                         char reason[ALC_KBS_REASON_MAX])
{
    size_t i;
    json_t *rule;
    snprintf(reason, ALC_KBS_REASON_MAX, "no rule of the policy is for this resource");
    json_array_foreach(json_object_get(policy, "rules"), i, rule)
    {
        if (!matches(json_string_value(json_object_get(rule, "resource")), resource)) {
            continue;
        }
        const char *name = unmet(rule, claims);
        if (name == NULL) {
            snprintf(reason, ALC_KBS_REASON_MAX, "rule %zu", i + 1);
            return true;
        }
        snprintf(reason, ALC_KBS_REASON_MAX, "rule %zu of the policy is not met: %.100s", i + 1,
                 name);
    }
    return false;
}
