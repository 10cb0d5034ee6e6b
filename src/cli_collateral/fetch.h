/* SPDX-License-Identifier: Apache-2.0
 *
 * What `alcove collateral fetch` asks for, and the objects that it makes of the answers. Answers
 * are hostile: each is bounded, parsed strictly and of the expected form, or the process ends with
 * a message. Nothing is verified here: who judges the evidence does that.
 */
#ifndef ALC_CLI_COLLATERAL_FETCH_H
#define ALC_CLI_COLLATERAL_FETCH_H

#include <jansson.h>

#include "attest/appraise.h"
#include "cli/cli.h"

enum { FETCH_ARENA_SIZE = 1 << 18, FETCH_NAME_SIZE_MAX = 200 };

/* What evidence needs collateral for. */
struct fetch_target {
    enum alc_evidence_kind kind;
    /* Intel's */
    uint8_t fmspc[ALC_FMSPC_SIZE];
    const char *authority; /* of the platform's certificate: "processor" or "platform" */
    /* AMD's */
    enum alc_snp_product product;
    struct alc_snp_report report;
    struct alc_text vlek; /* DER, from a file; bytes NULL: none, as for reports by a VCEK */
};

/* Base URLs without a slash at their end. */
struct fetch_services {
    const char *pcs;
    const char *kds;
};
extern const struct fetch_services fetch_services_default;

/* Reads what evidence says about its platform; `product` NULL: a report must say it itself. */
void fetch_target_read(const char *path, const char *product, struct fetch_target *out);
/* The certificate of a provider's key, which no service has; `path` NULL: there is none. Ends the
 * process when the evidence needs one, or needs none. */
void fetch_target_read_vlek(const char *path, struct fetch_target *target);
/* Whether these are one certificate of AMD's form, in DER, and nothing else. */
bool fetch_is_key_certificate(const uint8_t *bytes, size_t size);

/* The object of alc_pcs_collateral_read or alc_kds_collateral_read. */
json_t *fetch_pcs(const struct fetch_target *target, const char *base);
json_t *fetch_kds(const struct fetch_target *target, const char *base);

/* Until when an object of these is good: the earliest nextUpdate, or end of a certificate. False
 * when it is not one. */
bool fetch_pcs_until(const uint8_t *bytes, size_t size, int64_t *out_s);
bool fetch_kds_until(const uint8_t *bytes, size_t size, int64_t *out_s);

/* Hexadecimal digits; the caller frees. */
char *fetch_hex(const uint8_t *bytes, size_t size);
/* A new JSON string, or the process ends. */
json_t *fetch_string(const char *url, const void *bytes, size_t size);
/* An answer with a revocation list, in DER, its digits or PEM, as DER: in `arena`. */
struct alc_text fetch_list(const char *url, struct alc_arena *arena, const uint8_t *bytes,
                           size_t size, enum alc_certificate_profile profile);

#endif
