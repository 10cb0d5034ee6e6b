/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialect of TNG over evidence of attestation agents.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "channel/coco.h"
#include "channel/dialect.h"

enum { EVIDENCE_SIZE_MAX = ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE };

/* A writer over new memory; without space if there is none. */
static struct alc_writer take_writer(struct alc_arena *arena, size_t size)
{
    struct alc_writer writer;
    uint8_t *bytes = alc_arena_take(arena, size, 1);
    alc_writer_init(&writer, bytes, bytes != NULL ? size : 0);
    return writer;
}

static alc_status write_runtime_data(const struct alc_text *claims, struct alc_writer *writer)
{
    struct alc_claims_buffer buffer;
    struct alc_reader reader;
    alc_reader_init(&reader, claims->bytes, claims->size, NULL);
    ALC_TRY(alc_claims_buffer_read(&reader, &buffer));
    alc_coco_write_runtime_data(writer, &buffer);
    return writer->overflowed ? ALC_E_OUT_OF_MEMORY : ALC_OK;
}

static alc_status prove(const struct alc_attester *attester, const struct alc_text *claims,
                        struct alc_arena *arena, struct alc_tagged_evidence *out)
{
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    struct alc_writer runtime = take_writer(arena, ALC_COCO_RUNTIME_DATA_SIZE_MAX);
    struct alc_writer quote = take_writer(arena, EVIDENCE_SIZE_MAX);
    struct alc_writer evidence = take_writer(arena, EVIDENCE_SIZE_MAX);
    if (evidence.bytes == NULL) { /* the last of the three */
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(write_runtime_data(claims, &runtime));
    const struct alc_text runtime_data = {runtime.bytes, runtime.pos};
    alc_coco_bind(&runtime_data, report_data);
    ALC_TRY(attester->evidence(attester->context, report_data, &quote));
    ALC_TRY(alc_writer_finish(&quote));
    const struct alc_text quoted = {quote.bytes, quote.pos};
    ALC_TRY(alc_coco_write(&evidence, attester->kind, &quoted, &runtime_data));
    *out = (struct alc_tagged_evidence){.tag = ALC_EVIDENCE_TAG_COCO,
                                        .evidence = {evidence.bytes, evidence.pos},
                                        .claims = {evidence.bytes, 0}};
    return evidence.overflowed ? ALC_E_CERTIFICATE_SIZE : ALC_OK;
}

static alc_status translate(struct alc_arena *arena, struct alc_tagged_evidence *evidence,
                            uint8_t out_report_data[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    struct alc_coco_evidence coco;
    if (evidence->tag != ALC_EVIDENCE_TAG_COCO) {
        return ALC_E_DIALECT_REFUSED;
    }
    if (evidence->claims.size != 0) {
        return ALC_E_BAD_CLAIMS; /* nothing would bind them */
    }
    ALC_TRY(alc_coco_read(arena, &evidence->evidence, &coco));
    *evidence = coco.evidence;
    alc_copy(out_report_data, coco.report_data, sizeof coco.report_data);
    return ALC_OK;
}

const struct alc_channel_dialect alc_channel_tng_shown = {
    .protocols = {"rats-tls", NULL},
    .prove = prove,
};

const struct alc_channel_dialect alc_channel_tng = {
    .protocols = {"rats-tls", NULL},
    .prove = prove,
    .translate = translate,
};
