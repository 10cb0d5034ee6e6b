/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of the key broker protocol 0.4.0 as JSON (the protocol of Confidential Containers'
 * Trustee: request, challenge, attestation, response), and the hash that binds evidence to them.
 * What is written is canonical (RFC 8785), what is read is hostile.
 */
#ifndef ALC_BROKER_MESSAGE_H
#define ALC_BROKER_MESSAGE_H

#include "attest/policy.h"
#include "base/writer.h"
#include "broker/jose.h"

#define ALC_BROKER_VERSION "0.4.0"
#define ALC_BROKER_PREFIX "/kbs/v0/"
#define ALC_BROKER_COOKIE "kbs-session-id"
/* Among a challenge's extra parameters, true: the server reads alc_broker_write_additional. */
#define ALC_BROKER_TAKES_WORKLOAD "alcove-workload-id"

enum {
    ALC_BROKER_NONCE_MAX = 128,         /* characters */
    ALC_BROKER_SESSION_MAX = 128,       /* characters */
    ALC_BROKER_RESOURCE_MAX = 255,      /* characters of repository/type/tag */
    ALC_BROKER_BODY_MAX = 1 << 20,      /* bytes of a request or an answer */
    ALC_BROKER_EVIDENCE_MAX = 64 << 10, /* bytes */
    ALC_BROKER_REASON_MAX = 512,        /* bytes */
    ALC_BROKER_ADDITIONAL_MAX = 128,    /* bytes of what a client writes */
};

enum alc_broker_tee {
#define TEE(ident, name) ALC_BROKER_##ident,
#include "broker/tees.def"
#undef TEE
    ALC_BROKER_TEES
};

const char *alc_broker_tee_name(enum alc_broker_tee tee);
/* ALC_BROKER_TEES when no kind has this name. */
enum alc_broker_tee alc_broker_tee_find(const struct alc_text *name);

/* Reads "kbs:///repository/type/tag" or "repository/type/tag" and gives the latter, borrowed: three
 * names of letters, digits, `.`, `_` and `-` that do not begin with `.`. ALC_E_BAD_ARGUMENT
 * otherwise. */
ALC_MUST_CHECK alc_status alc_broker_resource_read(const struct alc_text *text,
                                                   struct alc_text *out);

/* Whether a name of it may have this character, as its first or further one. */
bool alc_broker_is_name_character(uint8_t character, bool is_first);
/* Whether it can be the value of a cookie: nothing that could end one in a header. */
bool alc_broker_is_session(const struct alc_text *text);

/* -- binding -- */

/* What the attester proves that it knows. `key` is the JSON Web Key as canonical JSON, `nonce` and
 * `additional` are insides of JSON strings. */
struct alc_broker_binding {
    struct alc_text nonce;
    struct alc_text key;
    struct alc_text additional; /* the additional evidence, itself JSON in a string */
};

/* The report data for evidence: SHA-384 of the canonical JSON of the three, then zeros. */
void alc_broker_report_data(const struct alc_broker_binding *binding,
                            uint8_t out[ALC_EVIDENCE_REPORT_DATA_SIZE]);

/* -- what a client writes -- */

/* What the evidence alone does not tell, in the place of additional evidence: which workload this
 * runtime runs. NULL: nothing. It is worth what the runtime is worth that the evidence proves.
 * Servers that do not say ALC_BROKER_TAKES_WORKLOAD refuse an attestation with it: theirs is a
 * table of kinds of evidence. */
void alc_broker_write_additional(struct alc_writer *writer, const uint8_t *workload_id);

/* Appends evidence as JSON. A quote in base64 and a sample need no form of their own;
 * alc_broker_write_snp (snp_form.h) is that of SEV-SNP, apart because enclaves have no use for it.
 */
typedef void alc_broker_evidence_form(struct alc_writer *writer, const struct alc_text *evidence);

/* An attestation: `evidence` is for the report data of `binding`. */
struct alc_broker_attestation {
    enum alc_broker_tee tee;
    struct alc_broker_binding binding;
    struct alc_text evidence;
    alc_broker_evidence_form *form; /* NULL: a quote's, or a sample's */
};

void alc_broker_write_request(struct alc_writer *writer, enum alc_broker_tee tee);
void alc_broker_write_attestation(struct alc_writer *writer,
                                  const struct alc_broker_attestation *attestation);

/* -- what a client reads -- */

struct alc_broker_challenge {
    struct alc_text nonce; /* borrowed */
    bool takes_workload;   /* ALC_BROKER_TAKES_WORKLOAD */
};

ALC_MUST_CHECK alc_status alc_broker_read_challenge(struct alc_reader *reader,
                                                    struct alc_broker_challenge *out);
/* The token of a response, borrowed. */
ALC_MUST_CHECK alc_status alc_broker_read_token(struct alc_reader *reader,
                                                struct alc_text *out_token);
/* What the server says about a refusal: up to `out_max` bytes of printable ASCII, `?` for others,
 * from its error's detail, or nothing when it sent none. */
void alc_broker_read_reason(const struct alc_text *body, uint8_t *out, size_t out_max,
                            size_t *out_size);

#endif
