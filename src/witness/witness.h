/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters that only go on: who keeps a mount's newest state in mind while the mount's disk is in
 * the hands of somebody hostile (docs/sealed-storage.md, Rollback levels). Both halves of the
 * protocol, as functions from bytes to bytes: the client runs in the enclave and trusts nothing but
 * the key that its manifest names; the server trusts nothing of what it is asked.
 *
 * A counter belongs to a key of P-256, its owner's. Anybody may read it, only the owner moves it,
 * from the state that it has to a later one. Every answer is signed over the whole request, in
 * which 32 random bytes are, so no answer fits another request.
 *
 *   request  = magic "ALCWITQ1", u8 kind, 7 zeros, 32 bytes nonce, 64 bytes key (x, y),
 *              mark from, mark to, 64 bytes signature (r, s)
 *   answer   = magic "ALCWITA1", u8 verdict, 7 zeros, mark, 64 bytes signature (r, s)
 *   mark     = u64 generation, 16 bytes digest
 *
 * Integers are little-endian. The owner signs SHA-256("alcove witness advance" || the request up to
 * its signature); to read, marks and signature are zeros. The witness signs SHA-256("alcove witness
 * answer" || SHA-256(request) || the answer up to its signature).
 */
#ifndef ALC_WITNESS_WITNESS_H
#define ALC_WITNESS_WITNESS_H

#include "crypto/crypto.h"
#include "seal/seal.h"

enum {
    ALC_WITNESS_REQUEST_SIZE = 224,
    ALC_WITNESS_ANSWER_SIZE = 104,
    ALC_WITNESS_KEY_SIZE = 64, /* a point: x, y */
};

/* -- the client -- */

/* A way to a witness for all mounts of a workload. */
struct alc_witness_link {
    const struct alc_os *os;      /* borrowed */
    int32_t handle;               /* of `os`: bytes go to the witness and come from it */
    uint32_t lock;                /* one question at a time */
    bool is_broken;               /* something else than an answer came: nothing is read any more */
    struct alc_ec_public_key key; /* the witness's */
};

/* One counter; `witness` is what alc_seal_open takes. A line is the secret of another counter,
 * which it is about from then on. */
struct alc_witness_client {
    struct alc_seal_witness witness; /* context: this structure */
    struct alc_witness_link *link;   /* borrowed */
    struct alc_ec_private_key owner;
    struct alc_ec_public_key counter;
};

/* `secret`: 32 bytes from which the owner's key is derived, the same ones as long as the counter
 * shall be found; the caller wipes it. Statuses: those of crypto/. */
ALC_MUST_CHECK alc_status alc_witness_client_init(struct alc_witness_client *client,
                                                  struct alc_witness_link *link,
                                                  const uint8_t secret[ALC_SEAL_KEY_SIZE]);
void alc_witness_client_fini(struct alc_witness_client *client);

/* -- the server -- */

/* Where counters are kept. Both: ALC_OK or a status that ends the request with a refusal. */
struct alc_witness_store {
    /* The state of a counter; generation 0 when there is none. */
    alc_status (*read)(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                       struct alc_seal_mark *out);
    /* Durable when it returns ALC_OK. POLICY_REFUSED: `from` is not what it has. */
    alc_status (*advance)(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                          const struct alc_seal_mark *from, const struct alc_seal_mark *to);
    void *context;
};

/* Answers any bytes. Statuses: those of crypto/, when no answer can be signed. */
ALC_MUST_CHECK alc_status alc_witness_answer(const struct alc_witness_store *store,
                                             const struct alc_ec_private_key *key,
                                             const struct alc_random *random,
                                             const uint8_t request[ALC_WITNESS_REQUEST_SIZE],
                                             uint8_t answer[ALC_WITNESS_ANSWER_SIZE]);

#endif
