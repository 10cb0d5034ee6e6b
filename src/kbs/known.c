/* SPDX-License-Identifier: Apache-2.0
 *
 * Remembers which signatures of certificates and collateral were good, so that for the next client
 * on the same platform only the quote's own signature is left. A table with one place for each
 * signature: what comes to a place that is taken pushes the other out.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum { PLACES = 1024 };

struct alc_kbs_known {
    pthread_rwlock_t lock;
    uint8_t ids[PLACES][ALC_SHA256_SIZE]; /* zeros: free, which is no signature's id */
};

struct alc_kbs_known *alc_kbs_known_new(void)
{
    struct alc_kbs_known *known = calloc(1, sizeof *known);
    if (known != NULL) {
        pthread_rwlock_init(&known->lock, NULL);
    }
    return known;
}

void alc_kbs_known_free(struct alc_kbs_known *known)
{
    if (known != NULL) {
        pthread_rwlock_destroy(&known->lock);
        free(known);
    }
}

static uint8_t *place_of(struct alc_kbs_known *known, const uint8_t id[ALC_SHA256_SIZE])
{
    return known->ids[alc_load_u32(id) % PLACES];
}

static bool has(void *context, const uint8_t id[ALC_SHA256_SIZE])
{
    struct alc_kbs_known *known = context;
    pthread_rwlock_rdlock(&known->lock);
    const bool result = alc_equal(place_of(known, id), id, ALC_SHA256_SIZE);
    pthread_rwlock_unlock(&known->lock);
    return result;
}

static void add(void *context, const uint8_t id[ALC_SHA256_SIZE])
{
    struct alc_kbs_known *known = context;
    pthread_rwlock_wrlock(&known->lock);
    alc_copy(place_of(known, id), id, ALC_SHA256_SIZE);
    pthread_rwlock_unlock(&known->lock);
}

struct alc_known_signatures alc_kbs_known_signatures(struct alc_kbs_known *known)
{
    return (struct alc_known_signatures){.has = has, .add = add, .context = known};
}
