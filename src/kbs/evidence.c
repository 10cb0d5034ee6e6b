/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence in the forms that clients of the protocol send, as the bytes that were signed: quotes in
 * base64, reports of SEV-SNP in members (broker/snp_form.h). Nothing is believed here; a report
 * that was put together wrongly has no good signature.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "broker/snp_form.h"
#include "kbs/kbs_internal.h"

enum { CERTIFICATES_MAX = 8, CERTIFICATE_SIZE_MAX = 8192, PEM_SIZE_MAX = 32 << 10 };

void alc_kbs_evidence_free(struct alc_kbs_evidence *evidence)
{
    free(evidence->bytes);
    free(evidence->endorsement_key);
    free(evidence->chain);
    *evidence = (struct alc_kbs_evidence){0};
}

/* -- quotes and samples -- */

static const char *read_bytes(const json_t *object, const char *name, const char *problem,
                              struct alc_kbs_evidence *out)
{
    const json_t *value = json_object_get(object, name);
    const size_t text_size = json_string_length(value);
    out->bytes = json_is_string(value) ? malloc(text_size + 1) : NULL;
    return out->bytes != NULL &&
                   alc_base64_read(ALC_BASE64, (const uint8_t *)json_string_value(value), text_size,
                                   out->bytes, text_size, &out->size)
               ? NULL
               : problem;
}

/* The log of what was measured into the domain's registers is its client's business: rules ask for
 * the registers themselves. */
static const char *read_quote(const json_t *object, struct alc_kbs_evidence *out)
{
    const json_t *event_log = json_object_get(object, "cc_eventlog");
    if (event_log != NULL && !json_is_string(event_log) && !json_is_null(event_log)) {
        return "primary_evidence has a cc_eventlog that is no text";
    }
    return read_bytes(object, "quote", "primary_evidence has no quote in base64", out);
}

/* -- members of a report -- */

static bool read_byte(const json_t *value, uint8_t *out)
{
    const json_int_t number = json_integer_value(value);
    *out = (uint8_t)number;
    return json_is_integer(value) && number >= 0 && number <= UINT8_MAX;
}

static bool read_byte_array(const json_t *array, uint8_t *out, size_t size)
{
    if (json_array_size(array) != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!read_byte(json_array_get(array, i), &out[i])) {
            return false;
        }
    }
    return true;
}

/* A number that fits. */
static bool read_number(const json_t *value, uint8_t *out, size_t size)
{
    const json_int_t number = json_integer_value(value);
    const uint64_t bits = (uint64_t)number;
    if (!json_is_integer(value) || number < 0 || (size < sizeof bits && bits >> (8 * size) != 0)) {
        return false;
    }
    alc_copy(out, &bits, size);
    return true;
}

/* Before Turin there is no fmc, and so the others stand elsewhere. */
static bool read_tcb(const json_t *object, uint8_t *out)
{
    const json_t *first = json_object_get(object, alc_snp_parts[0].name);
    const bool is_turin = first != NULL && !json_is_null(first);
    for (size_t i = is_turin ? 0 : 1; i < ALC_SNP_PARTS; i++) {
        const struct alc_snp_part *part = &alc_snp_parts[i];
        if (!read_byte(json_object_get(object, part->name),
                       &out[is_turin ? part->turin : part->before_turin])) {
            return false;
        }
    }
    return true;
}

static bool read_version(const json_t *object, uint8_t *out)
{
    return read_byte(json_object_get(object, "build"), &out[0]) &&
           read_byte(json_object_get(object, "minor"), &out[1]) &&
           read_byte(json_object_get(object, "major"), &out[2]);
}

static bool read_member(const json_t *object, const struct alc_snp_member *member, uint8_t *report)
{
    const json_t *value = json_object_get(object, member->name);
    uint8_t *out = report + member->at;
    if (member->since != 0 && (value == NULL || json_is_null(value))) {
        return true; /* zeros, as in a report of an older version */
    }
    switch (member->form) {
    case ALC_SNP_MEMBER_NUMBER:
        return read_number(value, out, member->size);
    case ALC_SNP_MEMBER_BYTES:
        return read_byte_array(value, out, member->size);
    case ALC_SNP_MEMBER_TCB:
        return read_tcb(value, out);
    case ALC_SNP_MEMBER_VERSION:
        return read_version(value, out);
    }
    return false;
}

/* The name of the first member that is not in its form, or NULL. */
static const char *read_report(const json_t *object, uint8_t report[ALC_SNP_REPORT_SIZE])
{
    const json_t *signature = json_object_get(object, "signature");
    for (size_t i = 0; i < ALC_SNP_MEMBERS; i++) {
        if (!read_member(object, &alc_snp_members[i], report)) {
            return alc_snp_members[i].name;
        }
    }
    for (size_t i = 0; i < ALC_SNP_HALVES; i++) {
        if (!read_member(signature, &alc_snp_halves[i], report)) {
            return "signature";
        }
    }
    return NULL;
}

/* -- the certificates that came with it -- */

/* One certificate's DER, in memory of the caller's. */
static bool read_certificate(const json_t *entry, uint8_t der[CERTIFICATE_SIZE_MAX],
                             size_t *out_size)
{
    const json_t *data = json_object_get(entry, "data");
    *out_size = json_array_size(data);
    return json_is_array(data) && *out_size != 0 && *out_size <= CERTIFICATE_SIZE_MAX &&
           read_byte_array(data, der, *out_size);
}

static bool keep_endorsement_key(struct alc_kbs_evidence *out, const uint8_t *der, size_t size)
{
    if (out->endorsement_key == NULL) { /* the first one counts */
        out->endorsement_key = malloc(size);
        out->endorsement_key_size = size;
        if (out->endorsement_key != NULL) {
            alc_copy(out->endorsement_key, der, size);
        }
    }
    return out->endorsement_key != NULL;
}

/* Kinds of certificates are words, or for kinds of the host's own an object, which is passed over.
 */
static bool read_chain_entry(const json_t *entry, struct alc_kbs_evidence *out,
                             struct alc_writer *chain, unsigned *authorities)
{
    uint8_t der[CERTIFICATE_SIZE_MAX];
    size_t size;
    const char *kind = json_string_value(json_object_get(entry, "cert_type"));
    if (kind == NULL) {
        return json_is_object(json_object_get(entry, "cert_type"));
    }
    if (strcmp(kind, "VCEK") == 0 || strcmp(kind, "VLEK") == 0) {
        return read_certificate(entry, der, &size) && keep_endorsement_key(out, der, size);
    }
    if (strcmp(kind, "ASK") == 0 || strcmp(kind, "ARK") == 0) {
        if (!read_certificate(entry, der, &size)) {
            return false;
        }
        alc_pem_write(chain, "CERTIFICATE", der, size);
        *authorities |= kind[1] == 'S' ? 1 : 2;
    }
    return true;
}

/* *out->chain stays NULL unless both authorities are there: then the broker's own are used. */
static bool read_chain(const json_t *chain, struct alc_kbs_evidence *out)
{
    enum { BOTH = 3 };
    struct alc_writer writer;
    unsigned authorities = 0;
    uint8_t *pem = malloc(PEM_SIZE_MAX);
    bool is_good =
        pem != NULL && json_is_array(chain) && json_array_size(chain) <= CERTIFICATES_MAX;
    alc_writer_init(&writer, pem, PEM_SIZE_MAX);
    for (size_t i = 0; is_good && i < json_array_size(chain); i++) {
        is_good = read_chain_entry(json_array_get(chain, i), out, &writer, &authorities);
    }
    is_good = is_good && !writer.overflowed;
    if (is_good && authorities == BOTH) {
        out->chain = pem;
        out->chain_size = writer.pos;
    } else {
        free(pem);
    }
    return is_good;
}

static const char *read_snp(const json_t *object, struct alc_kbs_evidence *out)
{
    const json_t *chain = json_object_get(object, "cert_chain");
    out->bytes = calloc(1, ALC_SNP_REPORT_SIZE);
    out->size = ALC_SNP_REPORT_SIZE;
    if (out->bytes == NULL) {
        return "out of memory";
    }
    const char *name = read_report(json_object_get(object, "attestation_report"), out->bytes);
    if (name != NULL) {
        snprintf(out->problem, sizeof out->problem,
                 "primary_evidence: attestation_report has no %s in its form", name);
        return out->problem;
    }
    return chain == NULL || json_is_null(chain) || read_chain(chain, out)
               ? NULL
               : "primary_evidence: cert_chain is no list of certificates";
}

const char *alc_kbs_evidence_read(enum alc_broker_tee tee, const json_t *object,
                                  struct alc_kbs_evidence *out)
{
    *out = (struct alc_kbs_evidence){0};
    switch (tee) {
    case ALC_BROKER_SGX:
    case ALC_BROKER_TDX:
        return read_quote(object, out);
    case ALC_BROKER_SNP:
        return read_snp(object, out);
    case ALC_BROKER_SAMPLE:
        return read_bytes(object, "report_data", "primary_evidence has no report_data in base64",
                          out);
    case ALC_BROKER_TEES:
        break;
    }
    return "evidence of an unknown kind";
}
