/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of Intel's provisioning certification service, version 4, as one object.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/time.h"
#include "base/bytes.h"
#include "cli_collateral/fetch.h"
#include "cli_collateral/http.h"

/* The public service gives the root's list under another name; others (Intel's caching service is
 * one) have it with the rest. */
static const char public_service[] = "https://api.trustedservices.intel.com";
static const char public_root_list[] =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

const struct fetch_services fetch_services_default = {
    .pcs = public_service,
    .kds = "https://kdsintf.amd.com",
};

char *fetch_hex(const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = cli_allocate(2 * size + 1);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

json_t *fetch_string(const char *url, const void *bytes, size_t size)
{
    json_t *string = json_stringn(bytes, size);
    if (string == NULL) {
        cli_die(CLI_FAILED, "%s: the answer is not UTF-8", url);
    }
    return string;
}

struct alc_text fetch_list(const char *url, struct alc_arena *arena, const uint8_t *bytes,
                           size_t size, enum alc_certificate_profile profile)
{
    struct alc_revocation_list list;
    struct alc_text out = {NULL, 0};
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    alc_status status = alc_pcs_read_list(arena, &reader, &out);
    alc_reader_init(&reader, out.bytes, out.size, NULL);
    if (status != ALC_OK || alc_revocation_list_read(&reader, profile, &list) != ALC_OK) {
        cli_die(CLI_FAILED, "%s: the answer is no revocation list", url);
    }
    return out;
}

static void add_list(json_t *object, const char *member, const char *url)
{
    struct http_answer answer;
    struct alc_arena arena;
    void *memory = cli_allocate(HTTP_SIZE_MAX);
    alc_arena_init(&arena, memory, HTTP_SIZE_MAX);
    http_get(url, NULL, &answer);
    struct alc_text list =
        fetch_list(url, &arena, answer.bytes, answer.size, ALC_CERTIFICATE_INTEL);
    char *digits = fetch_hex(list.bytes, list.size);
    json_object_set_new(object, member, fetch_string(url, digits, strlen(digits)));
    free(digits);
    free(memory);
    http_answer_free(&answer);
}

/* -- signed JSON: {"tcbInfo": …, "signature": "…"} -- */

struct signed_kind {
    const char *member;
    const char *header;
    const char *prefix; /* of members of the object made here */
};
static const struct signed_kind tcb_kind = {"tcbInfo", "TCB-Info-Issuer-Chain", "tcb_info"};
static const struct signed_kind qe_kind = {"enclaveIdentity", "SGX-Enclave-Identity-Issuer-Chain",
                                           "qe_identity"};

struct signed_parts {
    struct alc_text text; /* exactly the bytes that are signed */
    uint8_t signature[64];
};

/* The answer as JSON without duplicate members anywhere, and the two parts of it. */
static bool read_signed(const struct http_answer *answer, const struct signed_kind *kind,
                        struct signed_parts *out)
{
    struct alc_pcs_collateral collateral;
    struct alc_reader reader;
    const bool is_tcb = kind == &tcb_kind;
    json_t *parsed =
        json_loadb((const char *)answer->bytes, answer->size, JSON_REJECT_DUPLICATES, NULL);
    bool is_object = json_is_object(json_object_get(parsed, kind->member));
    json_decref(parsed);
    alc_reader_init(&reader, answer->bytes, answer->size, NULL);
    if (!is_object || (is_tcb ? alc_pcs_read_tcb(&reader, &collateral)
                              : alc_pcs_read_qe_identity(&reader, &collateral)) != ALC_OK) {
        return false;
    }
    out->text = is_tcb ? collateral.tcb_info : collateral.qe_identity;
    alc_copy(out->signature,
             is_tcb ? collateral.tcb_info_signature : collateral.qe_identity_signature,
             sizeof out->signature);
    return true;
}

/* Whether it is a chain of a signer and a root, in PEM. */
static bool is_chain(const char *pem)
{
    struct alc_chain chain;
    struct alc_reader reader;
    struct alc_arena arena;
    void *memory = cli_allocate(FETCH_ARENA_SIZE);
    alc_arena_init(&arena, memory, FETCH_ARENA_SIZE);
    alc_reader_init(&reader, pem, strlen(pem), NULL);
    bool is_one = alc_chain_read(&arena, &reader, ALC_CERTIFICATE_INTEL, &chain) == ALC_OK &&
                  chain.count == 2;
    free(memory);
    return is_one;
}

static void add_signed(json_t *object, const struct signed_kind *kind, const char *url)
{
    struct http_answer answer;
    struct signed_parts parts;
    char name[40];
    http_get(url, kind->header, &answer);
    if (!read_signed(&answer, kind, &parts)) {
        cli_die(CLI_FAILED, "%s: the answer is not an object with %s and signature", url,
                kind->member);
    }
    if (!is_chain(answer.header)) {
        cli_die(CLI_FAILED, "%s: the header %s has no chain of certificates", url, kind->header);
    }
    char *signature = fetch_hex(parts.signature, sizeof parts.signature);
    json_object_set_new(object, kind->prefix, fetch_string(url, parts.text.bytes, parts.text.size));
    snprintf(name, sizeof name, "%s_signature", kind->prefix);
    json_object_set_new(object, name, fetch_string(url, signature, strlen(signature)));
    snprintf(name, sizeof name, "%s_issuer_chain", kind->prefix);
    json_object_set_new(object, name, fetch_string(url, answer.header, strlen(answer.header)));
    free(signature);
    http_answer_free(&answer);
}

json_t *fetch_pcs(const struct fetch_target *target, const char *base)
{
    const char *tee = target->kind == ALC_EVIDENCE_TDX ? "tdx" : "sgx";
    char url[HTTP_URL_SIZE_MAX];
    json_t *object = json_object();
    char *fmspc = fetch_hex(target->fmspc, sizeof target->fmspc);
    if (strcmp(base, public_service) == 0) {
        snprintf(url, sizeof url, "%s", public_root_list);
    } else {
        snprintf(url, sizeof url, "%s/sgx/certification/v4/rootcacrl", base);
    }
    add_list(object, "root_ca_crl", url);
    snprintf(url, sizeof url, "%s/sgx/certification/v4/pckcrl?ca=%s&encoding=der", base,
             target->authority);
    add_list(object, "pck_crl", url);
    snprintf(url, sizeof url, "%s/%s/certification/v4/tcb?fmspc=%s", base, tee, fmspc);
    add_signed(object, &tcb_kind, url);
    snprintf(url, sizeof url, "%s/%s/certification/v4/qe/identity", base, tee);
    add_signed(object, &qe_kind, url);
    free(fmspc);
    return object;
}

/* -- dates -- */

static bool narrow_to_list(const struct alc_text *list, int64_t *until_s)
{
    struct alc_revocation_list read;
    struct alc_reader reader;
    alc_reader_init(&reader, list->bytes, list->size, NULL);
    if (alc_revocation_list_read(&reader, ALC_CERTIFICATE_INTEL, &read) != ALC_OK) {
        return false;
    }
    *until_s = read.next_update_s < *until_s ? read.next_update_s : *until_s;
    return true;
}

static bool narrow_to_text(const struct alc_text *text, int64_t *until_s)
{
    json_t *parsed =
        json_loadb((const char *)text->bytes, text->size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *member = json_object_get(parsed, "nextUpdate");
    int64_t next_s = 0;
    bool is_date =
        json_is_string(member) && alc_time_from_rfc3339((const uint8_t *)json_string_value(member),
                                                        json_string_length(member), &next_s);
    json_decref(parsed);
    *until_s = is_date && next_s < *until_s ? next_s : *until_s;
    return is_date;
}

bool fetch_pcs_until(const uint8_t *bytes, size_t size, int64_t *out_s)
{
    struct alc_pcs_collateral collateral;
    struct alc_reader reader;
    struct alc_arena arena;
    void *memory = cli_allocate(size);
    alc_arena_init(&arena, memory, size);
    alc_reader_init(&reader, bytes, size, NULL);
    *out_s = INT64_MAX;
    bool is_good = alc_pcs_collateral_read(&arena, &reader, &collateral) == ALC_OK &&
                   narrow_to_list(&collateral.root_list, out_s) &&
                   narrow_to_list(&collateral.pck_list, out_s) &&
                   narrow_to_text(&collateral.tcb_info, out_s) &&
                   narrow_to_text(&collateral.qe_identity, out_s);
    free(memory);
    return is_good;
}
