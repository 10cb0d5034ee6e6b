/* SPDX-License-Identifier: Apache-2.0
 *
 * What surrounds a judgement: policies as documents, the separate answers of a provisioning
 * service, and results whose texts an adversary chose. The first byte chooses. A policy that was
 * read is written, read again and written the same; whatever a result is made of, it is JSON.
 */
#include <stdlib.h>

#include "attest/ear.h"
#include "attest/json_write.h"
#include "base/bytes.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_SIZE = 1 << 20, TEXT_SIZE = 1 << 18 };
enum target { POLICY, RESULT, TCB, QE_IDENTITY, LIST, CHAIN, TARGETS };

static uint8_t memory[MEMORY_SIZE];
static uint8_t first[TEXT_SIZE];
static uint8_t second[TEXT_SIZE];

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static size_t write_policy(const struct alc_policy *policy, uint8_t *out)
{
    struct alc_writer writer;
    alc_writer_init(&writer, out, TEXT_SIZE);
    alc_policy_write(&writer, policy);
    demand(!writer.overflowed);
    return writer.pos;
}

static alc_status fuzz_policy(struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_policy policy;
    struct alc_policy again;
    struct alc_reader document;
    ALC_TRY(alc_policy_read(arena, reader, &policy));
    const size_t size = write_policy(&policy, first);
    alc_reader_init(&document, first, size, NULL);
    demand(alc_policy_read(arena, &document, &again) == ALC_OK);
    demand(write_policy(&again, second) == size && alc_equal(first, second, size));
    return ALC_OK;
}

/* The verdict's texts are pieces of the input, its other members whatever stands there. */
static void fuzz_result(const uint8_t *bytes, size_t size)
{
    static struct alc_verdict verdict;
    struct alc_ear ear = {.verdict = &verdict, .policy = &alc_policy_default, .policy_id = "p"};
    struct alc_writer writer;
    struct alc_reader reader;
    alc_fill(&verdict, 0, sizeof verdict);
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        verdict.results[i] = ALC_CHECK_PASSED;
    }
    const uint8_t choice = size > 0 ? bytes[0] : 0;
    verdict.kind = (enum alc_evidence_kind)(1u << choice % 3);
    verdict.tcb = (enum alc_tcb_status)(choice % ALC_TCB_STATUSES);
    verdict.status = (alc_status)(choice % 7 == 0 ? choice % ALC_STATUS_COUNT : ALC_OK);
    alc_copy(&verdict.report, bytes, size < sizeof verdict.report ? size : sizeof verdict.report);
    verdict.advisories[0] = (struct alc_text){bytes, size / 2};
    verdict.advisories[1] = (struct alc_text){bytes + size / 2, size - size / 2};
    verdict.advisories_count = 2;
    verdict.has_claims = choice % 2 == 0;
    verdict.claims.software = verdict.advisories[0];
    verdict.claims.version = verdict.advisories[1];
    ear.dialect = choice % 2 == 0 ? ALC_EAR_TRUSTEE : ALC_EAR_IETF;
    ear.nonce = (struct alc_text){bytes, size};
    alc_writer_init(&writer, first, sizeof first);
    alc_ear_write(&writer, &ear);
    demand(!writer.overflowed && alc_utf8_is_valid(first, writer.pos));
    alc_reader_init(&reader, first, writer.pos, NULL);
    demand(alc_json_skip(&reader) == ALC_OK && alc_json_end(&reader) == ALC_OK);
}

static alc_status fuzz_one(enum target target, struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_pcs_collateral collateral;
    struct alc_text text;
    switch (target) {
    case POLICY:
        return fuzz_policy(arena, reader);
    case TCB:
        return alc_pcs_read_tcb(reader, &collateral);
    case QE_IDENTITY:
        return alc_pcs_read_qe_identity(reader, &collateral);
    case LIST:
        return alc_pcs_read_list(arena, reader, &text);
    case CHAIN:
        return alc_pcs_read_chain(arena, reader, &text);
    case RESULT:
    case TARGETS:
        break;
    }
    fuzz_result(reader->bytes, reader->size);
    return ALC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_error error;
    if (size == 0 || size > TEXT_SIZE / 16) {
        return 0;
    }
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes + 1, size - 1, &error);
    (void)!fuzz_one((enum target)(bytes[0] % TARGETS), &arena, &reader);
    demand(error.status == ALC_OK || error.offset <= size);
    return 0;
}
