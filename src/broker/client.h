/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of the key broker protocol as a machine without input and output: it says what to send,
 * is given what came back, and in the end has a secret. So it runs in an enclave whose host carries
 * HTTP back and forth, and outside over any HTTP library. Whoever carries is not trusted: the
 * secret is encrypted to a key that never leaves the machine and that the evidence vouches for.
 *
 * What the client does NOT know is who the server is. A secret is what somebody wanted it to be
 * who saw the evidence; what is decrypted with it must be authentic for reasons of its own (sealed
 * storage is).
 *
 * Use: init; then, for each resource, ask, and until is_done: request, carry, answer.
 */
#ifndef ALC_BROKER_CLIENT_H
#define ALC_BROKER_CLIENT_H

#include "attest/attester.h"
#include "broker/message.h"

enum alc_broker_stage {
    ALC_BROKER_TO_AUTHENTICATE,
    ALC_BROKER_TO_ATTEST,
    ALC_BROKER_TO_GET,
    ALC_BROKER_DONE, /* the resource asked for is there */
};

/* What a client is made with; all borrowed. */
struct alc_broker_client_options {
    enum alc_broker_tee tee;
    const struct alc_attester *attester; /* not needed for samples */
    const struct alc_random *random;
    alc_broker_evidence_form *form; /* of SEV-SNP's evidence, which it needs; else NULL */
    /* ALC_SHA256_SIZE bytes, for servers that take it; or NULL. */
    const uint8_t *workload_id;
};

struct alc_broker_client {
    enum alc_broker_stage stage;
    bool is_attested; /* a session is there: the next resource needs one request */
    const struct alc_broker_client_options *options; /* borrowed */
    struct alc_ec_private_key private_key;           /* of this session; secret */
    struct alc_ec_public_key public_key;
    char nonce[ALC_BROKER_NONCE_MAX];
    size_t nonce_size;
    bool takes_workload; /* the server does */
    char session[ALC_BROKER_SESSION_MAX];
    size_t session_size;
    char resource[ALC_BROKER_RESOURCE_MAX];
    size_t resource_size;
    /* Why the server refused, in its words: printable ASCII. */
    uint8_t reason[ALC_BROKER_REASON_MAX];
    size_t reason_size;
};

/* One HTTP request. All is borrowed from the client and the arena. */
struct alc_broker_request {
    bool is_post;            /* else GET */
    struct alc_text path;    /* "/kbs/v0/..." */
    struct alc_text session; /* value of the cookie ALC_BROKER_COOKIE; empty: none */
    struct alc_text body;    /* JSON; empty with GET */
};

/* What came back. */
struct alc_broker_answer {
    unsigned http_status;
    struct alc_text session; /* value of the cookie ALC_BROKER_COOKIE, if one was set */
    struct alc_text body;
};

void alc_broker_client_init(struct alc_broker_client *client,
                            const struct alc_broker_client_options *options);
/* `resource`: as alc_broker_resource_read reads it. */
ALC_MUST_CHECK alc_status alc_broker_client_ask(struct alc_broker_client *client,
                                                const struct alc_text *resource);

static inline bool alc_broker_client_is_done(const struct alc_broker_client *client)
{
    return client->stage == ALC_BROKER_DONE;
}

/* What to send next. The arena needs 4 * ALC_BROKER_EVIDENCE_MAX bytes; the caller resets it after
 * the answer. Statuses of the attester and of randomness. */
ALC_MUST_CHECK alc_status alc_broker_client_request(struct alc_broker_client *client,
                                                    struct alc_arena *arena,
                                                    struct alc_broker_request *out);
/* Takes the answer to it. When it was the last one, *out_secret is the resource, in `arena`, which
 * needs twice the size of the answer; the caller wipes it. ALC_E_BROKER_REFUSED (then
 * client->reason has the server's words), ALC_E_NOT_FOUND for a resource that the server does not
 * have, ALC_E_BAD_BROKER_ANSWER, ALC_E_BAD_JSON, and those of alc_jwe_open; the client starts anew
 * with the next request, or after ALC_E_NOT_FOUND with the next resource. */
ALC_MUST_CHECK alc_status alc_broker_client_answer(struct alc_broker_client *client,
                                                   struct alc_arena *arena,
                                                   const struct alc_broker_answer *answer,
                                                   struct alc_text *out_secret,
                                                   struct alc_error *error);
/* Wipes what is secret in it. */
void alc_broker_client_fini(struct alc_broker_client *client);

#endif
