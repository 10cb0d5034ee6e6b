/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered between connections, for one demand (verifier) or one identity (prover):
 * verdicts about evidence, and secrets that were agreed on when a peer had proved to be fresh.
 * Bounded: the least recently used entry makes place. Thread-safe. Holds secrets: fini wipes.
 */
#ifndef ALC_CHANNEL_MEMORY_H
#define ALC_CHANNEL_MEMORY_H

#include "attest/appraise.h"

enum { ALC_CHANNEL_VERDICTS = 16, ALC_CHANNEL_SECRETS = 64, ALC_CHANNEL_SECRET_SIZE = 32 };

/* Known to both sides of an earlier connection, and to nobody else. */
struct alc_channel_secret {
    uint8_t name[ALC_SHA256_SIZE]; /* of which connection; not secret */
    uint8_t bytes[ALC_CHANNEL_SECRET_SIZE];
};

struct alc_channel_memory {
    uint32_t lock;
    uint64_t uses;
    struct {
        uint8_t identity[ALC_SHA256_SIZE];
        struct alc_verdict verdict;
        uint64_t used; /* 0: free */
    } verdicts[ALC_CHANNEL_VERDICTS];
    struct {
        uint8_t peer[ALC_SHA256_SIZE]; /* the verifier's: the peer's certificate */
        struct alc_channel_secret secret;
        int64_t from_s;
        int64_t until_s;
        uint64_t used;
    } secrets[ALC_CHANNEL_SECRETS];
};

void alc_channel_memory_init(struct alc_channel_memory *memory);
void alc_channel_memory_fini(struct alc_channel_memory *memory);

/* All of these do nothing, or find nothing, when `memory` is NULL. */

/* The verdict about evidence with this identity, if it holds at `now_s`. */
bool alc_channel_memory_find_verdict(struct alc_channel_memory *memory,
                                     const uint8_t identity[ALC_SHA256_SIZE], int64_t now_s,
                                     struct alc_verdict *out);
/* MUST be an accepting one, and MUST NOT borrow anything. */
void alc_channel_memory_keep_verdict(struct alc_channel_memory *memory,
                                     const uint8_t identity[ALC_SHA256_SIZE],
                                     const struct alc_verdict *verdict);
/* The newest secret that is valid at `now_s` and belongs to this peer, or else has this name; the
 * other argument is NULL. */
bool alc_channel_memory_find_secret(struct alc_channel_memory *memory, const uint8_t *peer,
                                    const uint8_t *name, int64_t now_s,
                                    struct alc_channel_secret *out);
void alc_channel_memory_keep_secret(struct alc_channel_memory *memory,
                                    const uint8_t peer[ALC_SHA256_SIZE],
                                    const struct alc_channel_secret *secret, int64_t from_s,
                                    int64_t until_s);

#endif
