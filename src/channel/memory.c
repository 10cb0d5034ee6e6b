/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts and secrets, kept until others need their places.
 */
#include "channel/memory.h"

#include "base/bytes.h"
#include "base/spin.h"

void alc_channel_memory_init(struct alc_channel_memory *memory)
{
    alc_fill(memory, 0, sizeof *memory);
}

void alc_channel_memory_fini(struct alc_channel_memory *memory)
{
    alc_wipe(memory, sizeof *memory);
}

bool alc_channel_memory_find_verdict(struct alc_channel_memory *memory,
                                     const uint8_t identity[ALC_SHA256_SIZE], int64_t now_s,
                                     struct alc_verdict *out)
{
    bool is_found = false;
    if (memory == NULL) {
        return false;
    }
    alc_spin_lock(&memory->lock);
    for (size_t i = 0; i < ALC_CHANNEL_VERDICTS; i++) {
        const struct alc_verdict *verdict = &memory->verdicts[i].verdict;
        if (memory->verdicts[i].used != 0 && now_s >= verdict->valid_from_s &&
            now_s <= verdict->valid_until_s &&
            alc_equal(memory->verdicts[i].identity, identity, ALC_SHA256_SIZE)) {
            memory->verdicts[i].used = ++memory->uses;
            *out = *verdict;
            is_found = true;
        }
    }
    alc_spin_unlock(&memory->lock);
    return is_found;
}

void alc_channel_memory_keep_verdict(struct alc_channel_memory *memory,
                                     const uint8_t identity[ALC_SHA256_SIZE],
                                     const struct alc_verdict *verdict)
{
    size_t oldest = 0;
    if (memory == NULL) {
        return;
    }
    ALC_ASSERT(verdict->status == ALC_OK && verdict->advisories_count == 0);
    alc_spin_lock(&memory->lock);
    for (size_t i = 1; i < ALC_CHANNEL_VERDICTS; i++) {
        oldest = memory->verdicts[i].used < memory->verdicts[oldest].used ? i : oldest;
    }
    alc_copy(memory->verdicts[oldest].identity, identity, ALC_SHA256_SIZE);
    memory->verdicts[oldest].verdict = *verdict;
    memory->verdicts[oldest].used = ++memory->uses;
    alc_spin_unlock(&memory->lock);
}

bool alc_channel_memory_find_secret(struct alc_channel_memory *memory, const uint8_t *peer,
                                    const uint8_t *name, int64_t now_s,
                                    struct alc_channel_secret *out)
{
    size_t best = ALC_CHANNEL_SECRETS;
    if (memory == NULL) {
        return false;
    }
    ALC_ASSERT((peer == NULL) != (name == NULL));
    alc_spin_lock(&memory->lock);
    for (size_t i = 0; i < ALC_CHANNEL_SECRETS; i++) {
        bool is_meant = peer != NULL
                            ? alc_equal(memory->secrets[i].peer, peer, ALC_SHA256_SIZE)
                            : alc_equal(memory->secrets[i].secret.name, name, ALC_SHA256_SIZE);
        if (is_meant && memory->secrets[i].used != 0 && now_s >= memory->secrets[i].from_s &&
            now_s <= memory->secrets[i].until_s &&
            (best == ALC_CHANNEL_SECRETS || memory->secrets[i].used > memory->secrets[best].used)) {
            best = i;
        }
    }
    if (best < ALC_CHANNEL_SECRETS) {
        memory->secrets[best].used = ++memory->uses;
        *out = memory->secrets[best].secret;
    }
    alc_spin_unlock(&memory->lock);
    return best < ALC_CHANNEL_SECRETS;
}

void alc_channel_memory_keep_secret(struct alc_channel_memory *memory,
                                    const uint8_t peer[ALC_SHA256_SIZE],
                                    const struct alc_channel_secret *secret, int64_t from_s,
                                    int64_t until_s)
{
    size_t oldest = 0;
    if (memory == NULL) {
        return;
    }
    alc_spin_lock(&memory->lock);
    for (size_t i = 1; i < ALC_CHANNEL_SECRETS; i++) {
        oldest = memory->secrets[i].used < memory->secrets[oldest].used ? i : oldest;
    }
    alc_copy(memory->secrets[oldest].peer, peer, ALC_SHA256_SIZE);
    memory->secrets[oldest].secret = *secret;
    memory->secrets[oldest].from_s = from_s;
    memory->secrets[oldest].until_s = until_s;
    memory->secrets[oldest].used = ++memory->uses;
    alc_spin_unlock(&memory->lock);
}
