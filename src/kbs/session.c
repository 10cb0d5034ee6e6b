/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions in memory: a table by identifier, and a queue by age, which is also the order in which
 * they expire. An adversary can open sessions without proof, so their number is bounded: the oldest
 * make room. Whoever lost one begins anew.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum { BUCKETS = 1 << 12, SESSIONS_MAX = 1 << 16, NONCE_BYTES = 32, ID_BYTES = 16 };

struct session {
    char id[ALC_KBS_SESSION_ID_SIZE];
    char nonce[ALC_KBS_NONCE_SIZE];
    enum alc_broker_tee tee;
    enum alc_kbs_session_state state;
    int64_t expires_s;
    json_t *claims; /* of an attested one; nobody changes them any more */
    struct session *next_in_bucket;
    struct session *next_in_queue;
};

struct alc_kbs_sessions {
    pthread_mutex_t lock;
    struct session *buckets[BUCKETS];
    struct session *oldest;
    struct session *newest;
    size_t count;
};

struct alc_kbs_sessions *alc_kbs_sessions_new(void)
{
    struct alc_kbs_sessions *sessions = calloc(1, sizeof *sessions);
    if (sessions != NULL) {
        pthread_mutex_init(&sessions->lock, NULL);
    }
    return sessions;
}

/* Identifiers are random digits: any of them spread. */
static struct session **bucket_of(struct alc_kbs_sessions *sessions, const char *id)
{
    uint32_t hash = 2166136261u;
    for (; *id != '\0'; id++) {
        hash = (hash ^ (uint8_t)*id) * 16777619u;
    }
    return &sessions->buckets[hash % BUCKETS];
}

static void remove_oldest(struct alc_kbs_sessions *sessions)
{
    struct session *session = sessions->oldest;
    struct session **link = bucket_of(sessions, session->id);
    while (*link != session) {
        link = &(*link)->next_in_bucket;
    }
    *link = session->next_in_bucket;
    sessions->oldest = session->next_in_queue;
    if (sessions->oldest == NULL) {
        sessions->newest = NULL;
    }
    sessions->count--;
    json_decref(session->claims);
    free(session);
}

void alc_kbs_sessions_free(struct alc_kbs_sessions *sessions)
{
    if (sessions == NULL) {
        return;
    }
    while (sessions->oldest != NULL) {
        remove_oldest(sessions);
    }
    pthread_mutex_destroy(&sessions->lock);
    free(sessions);
}

static struct session *find(struct alc_kbs_sessions *sessions, const char *id, int64_t now_s)
{
    struct session *session = *bucket_of(sessions, id);
    while (session != NULL && strcmp(session->id, id) != 0) {
        session = session->next_in_bucket;
    }
    return session != NULL && now_s < session->expires_s ? session : NULL;
}

static bool fill(struct session *session)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[ID_BYTES];
    uint8_t nonce[NONCE_BYTES];
    struct alc_writer writer;
    if (RAND_bytes(bytes, sizeof bytes) != 1 || RAND_bytes(nonce, sizeof nonce) != 1) {
        return false;
    }
    for (size_t i = 0; i < ID_BYTES; i++) {
        session->id[2 * i] = digits[bytes[i] >> 4];
        session->id[2 * i + 1] = digits[bytes[i] & 15];
    }
    alc_writer_init(&writer, session->nonce, sizeof session->nonce - 1);
    alc_base64_write(&writer, ALC_BASE64, nonce, sizeof nonce);
    ALC_ASSERT(!writer.overflowed);
    return true;
}

static void append(struct alc_kbs_sessions *sessions, struct session *session)
{
    struct session **bucket = bucket_of(sessions, session->id);
    session->next_in_bucket = *bucket;
    *bucket = session;
    if (sessions->newest != NULL) {
        sessions->newest->next_in_queue = session;
    } else {
        sessions->oldest = session;
    }
    sessions->newest = session;
    sessions->count++;
}

static void make_room(struct alc_kbs_sessions *sessions, int64_t now_s)
{
    while (sessions->oldest != NULL &&
           (sessions->oldest->expires_s <= now_s || sessions->count >= SESSIONS_MAX)) {
        remove_oldest(sessions);
    }
}

alc_status alc_kbs_session_begin(struct alc_kbs_sessions *sessions, enum alc_broker_tee tee,
                                 int64_t now_s, int64_t expires_s,
                                 char out_id[ALC_KBS_SESSION_ID_SIZE],
                                 char out_nonce[ALC_KBS_NONCE_SIZE])
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL || !fill(session)) {
        free(session);
        return ALC_E_OUT_OF_MEMORY;
    }
    session->tee = tee;
    session->state = ALC_KBS_SESSION_FRESH;
    session->expires_s = expires_s;
    alc_copy(out_id, session->id, ALC_KBS_SESSION_ID_SIZE);
    alc_copy(out_nonce, session->nonce, ALC_KBS_NONCE_SIZE);
    pthread_mutex_lock(&sessions->lock);
    make_room(sessions, now_s);
    append(sessions, session);
    pthread_mutex_unlock(&sessions->lock);
    return ALC_OK;
}

enum alc_kbs_session_state alc_kbs_session_spend(struct alc_kbs_sessions *sessions, const char *id,
                                                 int64_t now_s, enum alc_broker_tee *out_tee,
                                                 char out_nonce[ALC_KBS_NONCE_SIZE])
{
    enum alc_kbs_session_state state = ALC_KBS_SESSION_UNKNOWN;
    pthread_mutex_lock(&sessions->lock);
    struct session *session = find(sessions, id, now_s);
    if (session != NULL) {
        state = session->state;
        *out_tee = session->tee;
        alc_copy(out_nonce, session->nonce, ALC_KBS_NONCE_SIZE);
        if (state == ALC_KBS_SESSION_FRESH) {
            session->state = ALC_KBS_SESSION_SPENT;
        }
    }
    pthread_mutex_unlock(&sessions->lock);
    return state;
}

void alc_kbs_session_attest(struct alc_kbs_sessions *sessions, const char *id, json_t *claims)
{
    pthread_mutex_lock(&sessions->lock);
    struct session *session = find(sessions, id, INT64_MIN);
    if (session != NULL && session->state == ALC_KBS_SESSION_SPENT) {
        session->state = ALC_KBS_SESSION_ATTESTED;
        session->claims = json_incref(claims);
    }
    pthread_mutex_unlock(&sessions->lock);
}

enum alc_kbs_session_state alc_kbs_session_claims(struct alc_kbs_sessions *sessions, const char *id,
                                                  int64_t now_s, json_t **out_claims)
{
    enum alc_kbs_session_state state = ALC_KBS_SESSION_UNKNOWN;
    *out_claims = NULL;
    pthread_mutex_lock(&sessions->lock);
    struct session *session = find(sessions, id, now_s);
    if (session != NULL) {
        state = session->state;
        *out_claims = json_incref(session->claims);
    }
    pthread_mutex_unlock(&sessions->lock);
    return state;
}
