/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims, the buffer that binds them, and evidence for it. Who asks chooses a nonce, no more.
 */
#include "evidence/evidence.h"

#include "attest/evidence_file.h"
#include "base/bytes.h"

static struct alc_text text_of(const char *text)
{
    return (struct alc_text){(const uint8_t *)text, alc_string_length(text)};
}

alc_status alc_evidence_init(struct alc_evidence *evidence, struct alc_os *os,
                             const struct alc_attester *attester, const char *version)
{
    void *buffer = os->operations->pages_reserve(os->context, ALC_EVIDENCE_ITEM_SIZE_MAX);
    *evidence = (struct alc_evidence){.os = os, .attester = attester, .buffer = buffer};
    if (buffer == NULL ||
        os->operations->pages_commit(os->context, buffer, ALC_EVIDENCE_ITEM_SIZE_MAX) != 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    evidence->claims.software = text_of("alcove");
    evidence->claims.version = text_of(version);
    return ALC_OK;
}

void alc_evidence_describe(struct alc_evidence *evidence,
                           const uint8_t workload_id[ALC_SHA256_SIZE],
                           const struct alc_workload *workload)
{
    const struct alc_manifest *manifest = alc_workload_manifest(workload);
    struct alc_claims *claims = &evidence->claims;
    struct alc_outcome_code code;
    _Static_assert((int)ALC_VOUCHED_BY_NOBODY == (int)ALC_CLAIMED_VOUCHER_NOBODY &&
                       (int)ALC_VOUCHED_BY_MANIFEST == (int)ALC_CLAIMED_VOUCHER_MANIFEST &&
                       (int)ALC_VOUCHED_BY_KEY == (int)ALC_CLAIMED_VOUCHER_KEY,
                   "the same numbers");
    alc_workload_describe_code(workload, &code);
    alc_copy(claims->workload_id, workload_id, ALC_SHA256_SIZE);
    alc_copy(claims->module_sha256, manifest->module_sha256, ALC_SHA256_SIZE);
    claims->is_compiled = code.is_compiled != 0;
    /* The interpreter confines whatever it runs. */
    claims->is_verified = code.is_compiled == 0 || code.is_verified != 0;
    claims->vouched_by = (enum alc_claimed_voucher)code.vouched_by;
    if (claims->is_compiled) {
        alc_copy(claims->native_sha256, manifest->native_sha256, ALC_SHA256_SIZE);
    }
    if (claims->vouched_by == ALC_CLAIMED_VOUCHER_KEY) {
        alc_copy(claims->voucher_key_sha256, manifest->voucher_key_sha256, ALC_SHA256_SIZE);
    }
}

alc_status alc_evidence_claims(const struct alc_evidence *evidence, enum alc_asked_by asked_by,
                               uint8_t *bytes, size_t size, size_t *out_size)
{
    struct alc_claims claims = evidence->claims;
    struct alc_writer writer;
    claims.asked_by = asked_by;
    alc_writer_init(&writer, bytes, size);
    alc_claims_write(&writer, &claims);
    *out_size = writer.pos;
    return alc_writer_finish(&writer);
}

enum { CLAIMS_MAX = 512, BUFFER_MAX = 1024 };

/* A quote has its version in two bytes and the kind of its key, which is not 0, behind them; a
 * report of SEV-SNP has its version in four. */
static uint64_t tag_of(const struct alc_text *evidence)
{
    bool is_report = evidence->size >= 4 && alc_load_u16(evidence->bytes + 2) == 0;
    return is_report ? ALC_EVIDENCE_TAG_SEV_SNP : ALC_EVIDENCE_TAG_QUOTE;
}

static alc_status make_item(struct alc_evidence *evidence,
                            const struct alc_evidence_request *request, struct alc_writer *out)
{
    const struct alc_attester *attester = evidence->attester;
    uint8_t claims[CLAIMS_MAX];
    uint8_t bound[BUFFER_MAX];
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    struct alc_writer writer;
    struct alc_claims_buffer buffer = {
        .nonce = request->nonce,
        .alcove = {.bytes = claims},
        .key_hash_kind = request->key_hash_kind,
        .key_hash = request->key_hash,
    };
    ALC_TRY(alc_evidence_claims(evidence, request->asked_by, claims, sizeof claims,
                                &buffer.alcove.size));
    alc_writer_init(&writer, bound, sizeof bound);
    alc_claims_buffer_write(&writer, &buffer);
    ALC_TRY(alc_writer_finish(&writer));
    struct alc_tagged_evidence tagged = {.claims = {bound, writer.pos}};
    alc_claims_bind(bound, writer.pos, report_data);
    alc_writer_init(&writer, evidence->buffer, ALC_EVIDENCE_ITEM_SIZE_MAX);
    ALC_TRY(attester->evidence(attester->context, report_data, &writer));
    tagged.evidence = (struct alc_text){evidence->buffer, writer.pos};
    tagged.tag = tag_of(&tagged.evidence);
    alc_tagged_evidence_write(out, &tagged);
    return out->overflowed ? ALC_E_OUT_OF_MEMORY : ALC_OK;
}

/* Quotes take milliseconds: whoever waits lets others run. */
static void enter(struct alc_evidence *evidence)
{
    while (__atomic_exchange_n(&evidence->is_busy, 1, __ATOMIC_ACQUIRE) != 0) {
        (void)evidence->os->operations->yield(evidence->os->context);
    }
}

static void leave(struct alc_evidence *evidence)
{
    __atomic_store_n(&evidence->is_busy, 0, __ATOMIC_RELEASE);
}

alc_status alc_evidence_make(struct alc_evidence *evidence,
                             const struct alc_evidence_request *request, struct alc_writer *out)
{
    if (evidence->attester == NULL) {
        return ALC_E_NOT_SUPPORTED;
    }
    if (request->nonce.size > ALC_CLAIMS_NONCE_SIZE_MAX) {
        return ALC_E_BAD_ARGUMENT;
    }
    enter(evidence);
    alc_status status = make_item(evidence, request, out);
    leave(evidence);
    return status;
}

static alc_status attest_for_channel(void *context,
                                     const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                                     struct alc_writer *out)
{
    struct alc_evidence *evidence = context;
    enter(evidence);
    alc_status status = evidence->attester->evidence(evidence->attester->context, report_data, out);
    leave(evidence);
    return status;
}

bool alc_evidence_attester(struct alc_evidence *evidence, struct alc_attester *out)
{
    if (evidence->attester == NULL) {
        return false;
    }
    *out = *evidence->attester; /* of the same kind */
    out->evidence = attest_for_channel;
    out->context = evidence;
    return true;
}

alc_status alc_evidence_answer_host(struct alc_evidence *evidence)
{
    const struct alc_os *os = evidence->os;
    uint8_t nonce[ALC_CLAIMS_NONCE_SIZE_MAX];
    struct alc_span span = {.bytes = nonce, .size = sizeof nonce};
    struct alc_writer writer;
    int64_t count = os->operations->read_at(os->context, ALC_OS_EVIDENCE, &span, 1, 0);
    if (count < 0 || (uint64_t)count > sizeof nonce) {
        return ALC_E_IO_FAILED;
    }
    const struct alc_evidence_request request = {.asked_by = ALC_ASKED_BY_HOST,
                                                 .nonce = {nonce, (size_t)count}};
    void *item = os->operations->pages_reserve(os->context, ALC_EVIDENCE_ITEM_SIZE_MAX);
    if (item == NULL ||
        os->operations->pages_commit(os->context, item, ALC_EVIDENCE_ITEM_SIZE_MAX) != 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(&writer, item, ALC_EVIDENCE_ITEM_SIZE_MAX);
    alc_status status = alc_evidence_make(evidence, &request, &writer);
    span = (struct alc_span){.bytes = item, .size = writer.pos};
    if (status == ALC_OK &&
        os->operations->write(os->context, ALC_OS_EVIDENCE, &span, 1) != (int64_t)writer.pos) {
        status = ALC_E_IO_FAILED;
    }
    os->operations->pages_release(os->context, item, ALC_EVIDENCE_ITEM_SIZE_MAX);
    return status;
}
