/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the broker, which only the room itself sees.
 */
#ifndef ALC_KBS_KBS_INTERNAL_H
#define ALC_KBS_KBS_INTERNAL_H

#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "kbs/kbs.h"

enum {
    ALC_KBS_REASON_MAX = 200,
    ALC_KBS_SESSION_ID_SIZE = 33,
    ALC_KBS_NONCE_SIZE = 45,
    ALC_KBS_APPRAISAL_TEXT_MAX = 4 << 16, /* of a policy's canonical document */
    ALC_KBS_LIST_MAX = 1000,              /* names in one answer */
};

/* -- store.c: the SQLite file -- */

struct alc_kbs_store;

alc_status alc_kbs_store_open(const char *path, struct alc_kbs_store **out,
                              struct alc_error *error);
void alc_kbs_store_close(struct alc_kbs_store *store);
/* ALC_E_NOT_FOUND when there is none; *out from malloc. */
ALC_MUST_CHECK alc_status alc_kbs_store_get(struct alc_kbs_store *store, const char *resource,
                                            uint8_t **out, size_t *out_size);
ALC_MUST_CHECK alc_status alc_kbs_store_put(struct alc_kbs_store *store, const char *resource,
                                            const void *bytes, size_t size);
ALC_MUST_CHECK alc_status alc_kbs_store_delete(struct alc_kbs_store *store, const char *resource);
/* Visits at most `max` resources behind `after` in the order of their names. */
ALC_MUST_CHECK alc_status alc_kbs_store_list(
    struct alc_kbs_store *store, const char *after, unsigned max,
    void (*visit)(void *context, const char *resource, uint64_t size), void *context);
/* The broker's own values: its token key, its policies. */
ALC_MUST_CHECK alc_status alc_kbs_store_get_setting(struct alc_kbs_store *store, const char *name,
                                                    uint8_t **out, size_t *out_size);
ALC_MUST_CHECK alc_status alc_kbs_store_put_setting(struct alc_kbs_store *store, const char *name,
                                                    const void *bytes, size_t size);
ALC_MUST_CHECK alc_status alc_kbs_store_audit(struct alc_kbs_store *store,
                                              const struct alc_kbs_audit_row *row);

/* -- memory.c -- */

/* Has SQLite wipe its memory from now on, in the whole process. ALC_E_INTERNAL when somebody used
 * SQLite before. */
ALC_MUST_CHECK alc_status alc_kbs_store_memory(void);

/* -- session.c: what is between the messages of one client -- */

struct alc_kbs_sessions;

struct alc_kbs_sessions *alc_kbs_sessions_new(void);
void alc_kbs_sessions_free(struct alc_kbs_sessions *sessions);
/* A session with a fresh nonce. */
ALC_MUST_CHECK alc_status alc_kbs_session_begin(struct alc_kbs_sessions *sessions,
                                                enum alc_broker_tee tee, int64_t now_s,
                                                int64_t expires_s,
                                                char out_id[ALC_KBS_SESSION_ID_SIZE],
                                                char out_nonce[ALC_KBS_NONCE_SIZE]);

enum alc_kbs_session_state {
    ALC_KBS_SESSION_UNKNOWN, /* or expired: nobody remembers which */
    ALC_KBS_SESSION_FRESH,
    ALC_KBS_SESSION_SPENT, /* its nonce was used, for better or worse */
    ALC_KBS_SESSION_ATTESTED,
};

/* Gives the nonce out once; from then on the session is spent until it is attested. */
enum alc_kbs_session_state alc_kbs_session_spend(struct alc_kbs_sessions *sessions, const char *id,
                                                 int64_t now_s, enum alc_broker_tee *out_tee,
                                                 char out_nonce[ALC_KBS_NONCE_SIZE]);
/* `claims`: those of its token, of which it takes a reference. Nobody MUST change them from then
 * on: threads share them (jansson counts references atomically). */
void alc_kbs_session_attest(struct alc_kbs_sessions *sessions, const char *id, json_t *claims);
/* The same of an attested session, a new reference, or NULL. */
enum alc_kbs_session_state alc_kbs_session_claims(struct alc_kbs_sessions *sessions, const char *id,
                                                  int64_t now_s, json_t **out_claims);

/* -- token.c: JSON Web Tokens -- */

/* The header of tokens that this key of P-256 or P-384 signs, with the public key in it; JSON from
 * malloc, or NULL. */
char *alc_kbs_token_header(EVP_PKEY *key);
/* Signs as the key can: ES256, ES384 or EdDSA, which the header must say. Header and claims are
 * JSON. The compact form, from malloc, or NULL. */
char *alc_kbs_token_sign(EVP_PKEY *key, const char *header, const char *claims);
/* Verifies signature and dates; the claims, a new reference, or NULL and why not. */
json_t *alc_kbs_token_verify(EVP_PKEY *key, const char *token, int64_t now_s, const char **reason);

/* Why a token with these claims is not good now, or NULL. */
const char *alc_kbs_token_date_problem(const json_t *claims, int64_t now_s);

/* -- seal.c: JSON Web Encryption, the sender's half -- */

/* Whether it is a key that can be encrypted to: EC with ECDH-ES+A256KW, RSA with RSA-OAEP-256; else
 * why not. */
const char *alc_kbs_key_problem(const json_t *jwk);
/* The message as JSON, from malloc, or NULL, as for keys with a problem. */
char *alc_kbs_seal(const json_t *jwk, const uint8_t *text, size_t size);

/* -- known.c: signatures that were good before -- */

struct alc_kbs_known;

struct alc_kbs_known *alc_kbs_known_new(void);
void alc_kbs_known_free(struct alc_kbs_known *known);
struct alc_known_signatures alc_kbs_known_signatures(struct alc_kbs_known *known);

/* -- basis.c: what evidence is judged by -- */

struct alc_kbs_basis;
struct alc_kbs_appraisal;
struct alc_kbs_platforms;

/* What is in force at one moment; holds until it is released. */
struct alc_kbs_grounds {
    const struct alc_policy *policy;
    const char *policy_id;
    const struct alc_collateral *collateral;
    size_t collateral_count;
    struct alc_kbs_appraisal *appraisal;
    struct alc_kbs_platforms *platforms;
};

/* With the default policy. NULL: out of memory. */
struct alc_kbs_basis *alc_kbs_basis_new(const struct alc_kbs_collateral *collateral);
void alc_kbs_basis_free(struct alc_kbs_basis *basis);
void alc_kbs_basis_take(struct alc_kbs_basis *basis, struct alc_kbs_grounds *out);
void alc_kbs_basis_release(struct alc_kbs_basis *basis, const struct alc_kbs_grounds *grounds);
/* Reads a policy, to be judged by from then on. */
ALC_MUST_CHECK alc_status alc_kbs_appraisal_new(const char *document, size_t size,
                                                bool accepts_emulated,
                                                struct alc_kbs_appraisal **out,
                                                struct alc_error *error);
void alc_kbs_appraisal_free(struct alc_kbs_appraisal *appraisal); /* that nobody judges by yet */
void alc_kbs_basis_judge_by(struct alc_kbs_basis *basis, struct alc_kbs_appraisal *appraisal);
ALC_MUST_CHECK alc_status alc_kbs_basis_set_collateral(struct alc_kbs_basis *basis,
                                                       const struct alc_kbs_collateral *collateral);

/* -- evidence.c: from a message to bytes -- */

/* From malloc. */
struct alc_kbs_evidence {
    uint8_t *bytes; /* quote, report, or a sample's report data */
    size_t size;
    /* What an SEV-SNP guest shows about its processor: DER, and PEM of both authorities; or NULL.
     */
    uint8_t *endorsement_key;
    size_t endorsement_key_size;
    uint8_t *chain;
    size_t chain_size;
    char problem[100];
};

/* NULL, or what is wrong with it; to be freed either way. */
const char *alc_kbs_evidence_read(enum alc_broker_tee tee, const json_t *object,
                                  struct alc_kbs_evidence *out);
void alc_kbs_evidence_free(struct alc_kbs_evidence *evidence);

/* -- judge.c: from evidence to a finding -- */

struct alc_kbs_question {
    enum alc_broker_tee tee;
    const json_t *evidence;
    const uint8_t *report_data; /* ALC_EVIDENCE_REPORT_DATA_SIZE, for which it must be made */
    int64_t now_s;
};

/* What was found good, and by what. */
struct alc_kbs_finding {
    struct alc_kbs_grounds grounds;
    struct alc_policy policy; /* the one in force, with what the broker itself asks for */
    struct alc_verdict verdict;
    bool is_sample;
};

/* False and why when the evidence does not convince; else a finding, to be released. */
bool alc_kbs_judge(struct alc_kbs *kbs, const struct alc_kbs_question *question,
                   struct alc_kbs_finding *out, char reason[ALC_KBS_REASON_MAX]);
void alc_kbs_finding_release(struct alc_kbs *kbs, struct alc_kbs_finding *finding);

/* -- claims.c: from a finding to a token and back -- */

/* What the evidence binds, borrowed. */
struct alc_kbs_client {
    json_t *key;
    const char *nonce;
    const char *additional;
    size_t additional_size;
};

/* A token's claims as JSON, from malloc, or NULL. */
char *alc_kbs_claims_write(const struct alc_kbs *kbs, const struct alc_kbs_finding *finding,
                           const struct alc_kbs_client *client, int64_t now_s);
/* What rules can ask for, flat, of a token's claims: "tee", "emulated", "debug", "status",
 * "tcb_status", "advisory_ids", "workload_id", and the fields of attest/evidence.def. A new
 * reference, or NULL when they are nobody's. */
json_t *alc_kbs_claims_of(const json_t *token);
/* The client's key, borrowed, or NULL. */
json_t *alc_kbs_claims_key(const json_t *token);

/* -- rules.c: who gets what -- */

/* Whether the document is a policy; else words of what is wrong with it. */
const char *alc_kbs_rules_problem(json_t *policy);
/* Whether a rule gives the resource to a program with these claims; else why no rule does. */
bool alc_kbs_rules_allow(json_t *policy, const char *resource, json_t *claims,
                         char reason[ALC_KBS_REASON_MAX]);

/* -- kbs.c -- */

struct alc_kbs {
    struct alc_kbs_options options;
    struct alc_kbs_store *store;
    struct alc_kbs_sessions *sessions;
    struct alc_kbs_known *known;
    struct alc_kbs_basis *basis;
    EVP_PKEY *token_key;
    char *token_header;
    EVP_PKEY *admin_key;
    pthread_rwlock_t policy_lock;
    json_t *policy; /* never NULL */
};

int64_t alc_kbs_now(const struct alc_kbs *kbs);

#endif
