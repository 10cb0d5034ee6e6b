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

enum { ALC_KBS_REASON_MAX = 200, ALC_KBS_SESSION_ID_SIZE = 33, ALC_KBS_NONCE_SIZE = 45 };

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
/* The broker's own values: its token key, its policy. */
ALC_MUST_CHECK alc_status alc_kbs_store_get_setting(struct alc_kbs_store *store, const char *name,
                                                    uint8_t **out, size_t *out_size);
ALC_MUST_CHECK alc_status alc_kbs_store_put_setting(struct alc_kbs_store *store, const char *name,
                                                    const void *bytes, size_t size);
ALC_MUST_CHECK alc_status alc_kbs_store_audit(struct alc_kbs_store *store,
                                              const struct alc_kbs_audit_row *row);

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
void alc_kbs_session_attest(struct alc_kbs_sessions *sessions, const char *id, const char *token);
/* The token of an attested session, from malloc. */
enum alc_kbs_session_state alc_kbs_session_token(struct alc_kbs_sessions *sessions, const char *id,
                                                 int64_t now_s, char **out_token);

/* -- token.c: JSON Web Tokens -- */

/* Signs `claims` as the key can: ES256, ES384 or EdDSA. The compact form, from malloc, or NULL. */
char *alc_kbs_token_sign(EVP_PKEY *key, const json_t *claims);
/* Verifies signature and dates; the claims, a new reference, or NULL and why not. */
json_t *alc_kbs_token_verify(EVP_PKEY *key, const char *token, int64_t now_s, const char **reason);
/* The claims of a token that nobody could change. */
json_t *alc_kbs_token_claims(const char *token);

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

/* -- evidence.c: from a message to claims -- */

/* Judges the evidence of an attestation for this report data. The claims, flat: "tee", "emulated",
 * "status", what evidence of its kind has; or NULL and why not. */
json_t *alc_kbs_appraise(const struct alc_kbs_options *options, struct alc_kbs_known *known,
                         enum alc_broker_tee tee, const json_t *evidence,
                         const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE], int64_t now_s,
                         char reason[ALC_KBS_REASON_MAX]);

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
    EVP_PKEY *token_key;
    EVP_PKEY *admin_key;
    pthread_rwlock_t policy_lock;
    json_t *policy; /* never NULL */
};

int64_t alc_kbs_now(const struct alc_kbs *kbs);

#endif
