/* SPDX-License-Identifier: Apache-2.0
 *
 * Attested sockets of a workload.
 */
#include "services/sockets.h"

#include "attested/settings.h"

#define NS_PER_S INT64_C(1000000000)
enum { SCRATCH_SIZE = 64 * 1024, CLAIMS_MAX = 512 };
/* A program may run for long, and who is at the other end has proof of each connection. */
enum { LIFETIME_S = 365 * 24 * 3600 };

void services_sockets_init(struct services_sockets *out, const struct alc_os *os)
{
    alc_attested_os_init(&out->table, os, &out->identity);
    out->anybody.accepts_unattested = true;
}

static alc_status make_identity(struct services_sockets *sockets, struct alc_evidence *evidence,
                                void *scratch)
{
    const struct alc_os *os = evidence->os;
    uint8_t claims[CLAIMS_MAX];
    struct alc_channel_identity_options options = {
        .random = &sockets->table.random,
        .now_s = os->operations->clock_read(os->context, ALC_OS_CLOCK_REALTIME, 0) / NS_PER_S,
        .lifetime_s = LIFETIME_S,
    };
    struct alc_arena arena;
    if (alc_evidence_attester(evidence, &sockets->attester)) {
        options.attester = &sockets->attester;
        options.evidence_tag = sockets->attester.kind == ALC_EVIDENCE_SEV_SNP
                                   ? ALC_EVIDENCE_TAG_SEV_SNP
                                   : ALC_EVIDENCE_TAG_QUOTE;
        options.claims.bytes = claims;
        ALC_TRY(alc_evidence_claims(evidence, ALC_ASKED_BY_CHANNEL, claims, sizeof claims,
                                    &options.claims.size));
    }
    alc_arena_init(&arena, scratch, SCRATCH_SIZE);
    alc_status status = alc_channel_identity_init(&sockets->identity, &arena, &options);
    alc_arena_fini(&arena);
    return status;
}

alc_status services_sockets_open(struct services_sockets *sockets, struct alc_evidence *evidence,
                                 const struct alc_manifest *manifest)
{
    const struct alc_string *settings = &manifest->services[ALC_SERVICE_ATTESTED_SOCKETS];
    const struct alc_os *os = evidence->os;
    struct alc_reader reader;
    uint32_t count;
    if (settings->size == 0) {
        return ALC_OK;
    }
    alc_reader_init(&reader, settings->bytes, settings->size, NULL);
    ALC_TRY(alc_attested_settings_read(&reader, manifest->sockets_count, &count));
    void *scratch = os->operations->pages_reserve(os->context, SCRATCH_SIZE);
    if (scratch == NULL || os->operations->pages_commit(os->context, scratch, SCRATCH_SIZE) != 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_status status = make_identity(sockets, evidence, scratch);
    os->operations->pages_release(os->context, scratch, SCRATCH_SIZE);
    ALC_TRY(status);
    int32_t end =
        ALC_OS_FIRST_MOUNT + (int32_t)manifest->mounts_count + (int32_t)manifest->sockets_count;
    for (int32_t handle = end - (int32_t)count; handle < end; handle++) {
        ALC_TRY(alc_attested_os_listen(&sockets->table, handle, &sockets->anybody));
    }
    return ALC_OK;
}
