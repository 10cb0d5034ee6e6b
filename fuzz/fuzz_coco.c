/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence of attestation agents in certificates: nothing is read beyond the input, what comes out
 * is a quote and a claims-buffer that can be read, and written down again it says the same. The
 * judgement of a peer who shows it never convinces, since nobody signed it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "channel/coco.h"
#include "channel/dialect.h"
#include "channel/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { NOW_S = 1751328000, QUOTE_TEE_OFFSET = 4, READ_EXTRA = 5 * 1024 };

static uint8_t judge_memory[64 * 1024];

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool is_same(const struct alc_text *a, const struct alc_text *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static void write_again(const struct alc_coco_evidence *coco)
{
    const size_t size = 4 * (coco->evidence.evidence.size + ALC_CLAIMS_SIZE_MAX) + 4096;
    uint8_t *bytes = malloc(size);
    uint8_t *arena_bytes = malloc(2 * size);
    uint8_t runtime[2 * ALC_COCO_RUNTIME_DATA_SIZE_MAX];
    struct alc_arena arena;
    struct alc_claims_buffer claims;
    struct alc_coco_evidence again;
    struct alc_reader reader;
    struct alc_writer writer;
    demand(bytes != NULL && arena_bytes != NULL);
    alc_reader_init(&reader, coco->evidence.claims.bytes, coco->evidence.claims.size, NULL);
    demand(alc_claims_buffer_read(&reader, &claims) == ALC_OK);
    if (claims.key_hash.size <= ALC_HASH_SIZE_MAX) {
        bool is_td = alc_load_u32(coco->evidence.evidence.bytes + QUOTE_TEE_OFFSET) != 0;
        alc_writer_init(&writer, runtime, sizeof runtime);
        alc_coco_write_runtime_data(&writer, &claims);
        const struct alc_text runtime_data = {runtime, writer.pos};
        demand(!writer.overflowed);
        alc_writer_init(&writer, bytes, size);
        demand(alc_coco_write(&writer, is_td ? ALC_EVIDENCE_TDX : ALC_EVIDENCE_SGX,
                              &coco->evidence.evidence, &runtime_data) == ALC_OK);
        demand(!writer.overflowed);
        alc_arena_init(&arena, arena_bytes, 2 * size);
        demand(alc_coco_read(&arena, &(struct alc_text){bytes, writer.pos}, &again) == ALC_OK);
        demand(is_same(&again.evidence.evidence, &coco->evidence.evidence));
        demand(is_same(&again.evidence.claims, &coco->evidence.claims));
    }
    free(arena_bytes);
    free(bytes);
}

static void judge(const struct alc_text *evidence)
{
    static const struct alc_pcs_collateral collateral;
    const struct alc_channel_demand tng = {
        .collateral = {.pcs = &collateral}, .dialect = &alc_channel_tng, .accepts_stale = true};
    const struct alc_channel_proof proof = {
        .spki = {(const uint8_t *)"a key", 5},
        .evidence = {.tag = ALC_EVIDENCE_TAG_COCO, .evidence = *evidence}};
    struct alc_channel_peer peer;
    struct alc_arena arena;
    alc_arena_init(&arena, judge_memory, sizeof judge_memory);
    demand(alc_channel_judge(&arena, &tng, &proof, NOW_S, &peer) != ALC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct alc_text evidence = {bytes, size};
    uint8_t *memory = malloc(size + READ_EXTRA);
    struct alc_coco_evidence coco;
    struct alc_arena arena;
    demand(memory != NULL);
    alc_arena_init(&arena, memory, size + READ_EXTRA);
    alc_status status = alc_coco_read(&arena, &evidence, &coco);
    demand(status != ALC_E_OUT_OF_MEMORY && status != ALC_E_INTERNAL);
    if (status == ALC_OK) {
        write_again(&coco);
    }
    free(memory);
    judge(&evidence);
    return 0;
}
