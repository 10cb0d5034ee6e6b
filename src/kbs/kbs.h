/* SPDX-License-Identifier: Apache-2.0
 *
 * A key broker: gives secrets to programs that prove what they are. Speaks the key broker protocol
 * 0.4.0 (broker/), judges evidence with attest/, keeps secrets, its policy and an audit log in one
 * SQLite file. alc_kbs_handle is the whole of it for one request; alc_kbs_serve binds it to HTTP.
 *
 * What a client is told when it is refused names the check that failed: somebody who sent the
 * evidence knows what is in it.
 */
#ifndef ALC_KBS_KBS_H
#define ALC_KBS_KBS_H

#include "attest/appraise.h"
#include "broker/message.h"

struct alc_kbs; /* an open broker; thread-safe */

/* About the platforms that clients run on; of several the one that fits is used. */
struct alc_kbs_collateral {
    const struct alc_collateral *items;
    size_t count;
    void *memory; /* from malloc, with all of it in it: freed after its last use. NULL: borrowed */
};

struct alc_kbs_options {
    /* The file is made when it is not there, for its owner alone; ":memory:" is forgotten. */
    const char *store_path;
    /* Takes evidence that anybody can make, the emulator's and samples: for tests. Rules must name
     * such evidence besides. */
    bool accepts_emulated;
    const uint8_t *root_sha256;           /* trusted root instead of the makers'; NULL: theirs */
    struct alc_kbs_collateral collateral; /* borrowed: `memory` MUST be NULL here */
    const char *admin_key_pem; /* public key for administration: EC or Ed25519; NULL: none */
    bool has_loopback_admin;   /* whoever connects from this machine may administer */
    unsigned session_seconds;  /* how long a session lasts; 0: 300 */
    unsigned token_seconds;    /* how long a token is good; 0: 300 */
    int64_t (*now_s)(void);    /* the time, for tests; NULL: the system's */
};

/* `error` gets what was wrong: ALC_E_IO_FAILED, ALC_E_BAD_KEY, ALC_E_BAD_JSON, ... All that
 * `options` points to is borrowed until close. */
ALC_MUST_CHECK alc_status alc_kbs_open(const struct alc_kbs_options *options, struct alc_kbs **out,
                                       struct alc_error *error);
void alc_kbs_close(struct alc_kbs *kbs);

/* Replaces the resource policy by this document (docs/howto/key-broker.md). ALC_E_BAD_JSON at the
 * offset of what is wrong, ALC_E_BAD_POLICY with words. */
ALC_MUST_CHECK alc_status alc_kbs_set_policy(struct alc_kbs *kbs, const char *document, size_t size,
                                             struct alc_error *error);

/* Replaces the appraisal policy by this document (docs/attestation.md, Policies): what evidence
 * must be to get a token. Like the resource policy it is kept in the store; without one it is the
 * default policy. ALC_E_BAD_JSON, ALC_E_BAD_POLICY, also for what a broker cannot ask for. */
ALC_MUST_CHECK alc_status alc_kbs_set_appraisal(struct alc_kbs *kbs, const char *document,
                                                size_t size, struct alc_error *error);

/* Replaces what is known about platforms. When it fails, `collateral` is the caller's still. */
ALC_MUST_CHECK alc_status alc_kbs_set_collateral(struct alc_kbs *kbs,
                                                 const struct alc_kbs_collateral *collateral);

enum alc_kbs_method { ALC_KBS_GET, ALC_KBS_POST, ALC_KBS_DELETE, ALC_KBS_OTHER_METHOD };

/* One request; all borrowed, texts with NUL behind them. */
struct alc_kbs_request {
    enum alc_kbs_method method;
    const char *path;
    const char *session; /* value of the cookie, or NULL */
    const char *bearer;  /* token of the authorization header, or NULL */
    const char *peer;    /* who asks: an address, for the audit log */
    bool is_loopback;
    const char *body;
    size_t body_size;
};

struct alc_kbs_response {
    unsigned http_status;
    char *body; /* from malloc, JSON unless empty; the caller wipes and frees */
    size_t body_size;
    char session[33]; /* cookie to set, or "" */
    unsigned session_seconds;
};

void alc_kbs_handle(struct alc_kbs *kbs, const struct alc_kbs_request *request,
                    struct alc_kbs_response *out);

/* -- administration -- */

/* A token for the administrator's requests, good for some minutes, from malloc; NULL when the PEM
 * text is no private key of P-256, P-384 or Ed25519. */
char *alc_kbs_admin_token(const char *private_key_pem);

/* -- the audit log -- */

struct alc_kbs_audit_row {
    int64_t time_s;
    const char *peer;
    const char *action;   /* "auth", "attest", "get"; the administrator's: "put", "policy", … */
    const char *resource; /* or "" */
    const char *subject;  /* what the evidence says runs there, or "" */
    bool is_allowed;
    const char *reason;
};

/* Calls `visit` for the rows of the file's log, oldest first. */
ALC_MUST_CHECK alc_status alc_kbs_read_audit(const char *store_path,
                                             void (*visit)(void *context,
                                                           const struct alc_kbs_audit_row *row),
                                             void *context, struct alc_error *error);

/* -- HTTP -- */

struct alc_kbs_listener {
    const char *address;         /* IPv4 or IPv6 address */
    uint16_t port;               /* 0: any; *out_port says which */
    unsigned threads;            /* 0: one for each processor */
    const char *certificate_pem; /* both or none: TLS */
    const char *key_pem;
};

struct alc_kbs_server;

/* Begins to serve in threads of its own. */
ALC_MUST_CHECK alc_status alc_kbs_serve(struct alc_kbs *kbs,
                                        const struct alc_kbs_listener *listener,
                                        struct alc_kbs_server **out, uint16_t *out_port,
                                        struct alc_error *error);
/* Serves TLS with another certificate and key from now on, which are borrowed until the next time
 * or the end: new connections have it, those that are open end. With ALC_E_IO_FAILED it is as
 * before.
 */
ALC_MUST_CHECK alc_status alc_kbs_serve_with(struct alc_kbs_server *server,
                                             const char *certificate_pem, const char *key_pem,
                                             struct alc_error *error);
/* Ends serving; requests under way are finished. */
void alc_kbs_stop(struct alc_kbs_server *server);

#endif
