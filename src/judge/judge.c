/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what a program gives, has it judged, and writes the verdict. The program is hostile to the
 * runtime, and so is whoever made the evidence: inputs are copied first, since other threads of the
 * program could change what is being judged.
 */
#include "judge/judge.h"

#include "attest/evidence_file.h"
#include "attest/verdict.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "evidence/place.h"

#define NS_PER_S INT64_C(1000000000)
/* RFC 8949, 3.1; no quote and no report begins with it. */
enum { CBOR_MAJOR_TAG = 6 };
/* Address space of one call: copies, what is read out of them, and the judgement's own. */
enum {
    WORK_SIZE = ALC_JUDGE_EVIDENCE_SIZE_MAX + 4 * ALC_JUDGE_COLLATERAL_SIZE_MAX +
                3 * ALC_LIMIT_POLICY_SIZE + ALC_APPRAISE_ARENA_SIZE + (1 << 20)
};

/* Slots of the parameters, each input with its size behind it. */
enum {
    SLOT_EVIDENCE = 0,
    SLOT_COLLATERAL = 2,
    SLOT_POLICY = 4,
    SLOT_NONCE = 6,
    SLOT_NOW = 8,
    SLOT_OUT = 9,
};

struct judging {
    struct alc_os *os;
    struct alc_arena arena;
    struct alc_text evidence;
    struct alc_text collateral;
    struct alc_text policy_document;
    struct alc_policy policy;
    struct alc_pcs_collateral pcs;
    struct alc_kds_collateral kds;
    struct alc_appraisal appraisal;
    struct alc_verdict verdict;
    /* Which input was not what it has to be, and where; NULL: none. */
    const char *bad_input;
    struct alc_error error;
};

/* -- inputs -- */

static int32_t copy_input(const struct alc_host_call *call, struct judging *judging, size_t slot,
                          size_t size_max, struct alc_text *out)
{
    struct alc_guest_buffer raw;
    if (alc_host_borrow(call, (uint32_t)call->slots[slot], (uint32_t)call->slots[slot + 1], 1,
                        &raw) != ALC_HOST_FAULT_NONE) {
        return ALC_OS_FAULT;
    }
    if (raw.size > size_max) {
        return ALC_OS_TOO_BIG;
    }
    uint8_t *bytes = alc_arena_take(&judging->arena, raw.size, 1);
    if (bytes == NULL) {
        return ALC_OS_NO_MEMORY;
    }
    alc_copy(bytes, raw.bytes, raw.size);
    *out = (struct alc_text){bytes, raw.size};
    return ALC_OS_SUCCESS;
}

static int32_t copy_inputs(const struct alc_host_call *call, struct judging *judging)
{
    const struct {
        size_t slot;
        size_t size_max;
        struct alc_text *out;
    } inputs[] = {
        {SLOT_EVIDENCE, ALC_JUDGE_EVIDENCE_SIZE_MAX, &judging->evidence},
        {SLOT_COLLATERAL, ALC_JUDGE_COLLATERAL_SIZE_MAX, &judging->collateral},
        {SLOT_POLICY, ALC_LIMIT_POLICY_SIZE, &judging->policy_document},
        {SLOT_NONCE, ALC_CLAIMS_NONCE_SIZE_MAX, &judging->appraisal.nonce},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(inputs); i++) {
        int32_t result =
            copy_input(call, judging, inputs[i].slot, inputs[i].size_max, inputs[i].out);
        if (result != ALC_OS_SUCCESS) {
            return result;
        }
    }
    return ALC_OS_SUCCESS;
}

static struct alc_reader open_input(struct judging *judging, const char *name,
                                    const struct alc_text *text)
{
    struct alc_reader reader;
    judging->bad_input = name;
    alc_error_clear(&judging->error);
    alc_reader_init(&reader, text->bytes, text->size, &judging->error);
    return reader;
}

static alc_status read_policy(struct judging *judging)
{
    judging->policy = alc_policy_default;
    judging->appraisal.policy = &judging->policy;
    if (judging->policy_document.size == 0) {
        return ALC_OK;
    }
    struct alc_reader reader = open_input(judging, "policy", &judging->policy_document);
    return alc_policy_read(&judging->arena, &reader, &judging->policy);
}

/* With the claims that it binds, and perhaps collateral; or a quote or report alone. */
static alc_status read_evidence(struct judging *judging)
{
    struct alc_evidence_file file;
    struct alc_reader reader = open_input(judging, "evidence", &judging->evidence);
    if (judging->evidence.size == 0 || judging->evidence.bytes[0] >> 5 != CBOR_MAJOR_TAG) {
        judging->appraisal.evidence = judging->evidence;
        return ALC_OK;
    }
    ALC_TRY(alc_evidence_file_read(&reader, &file));
    if (file.tagged.tag != ALC_EVIDENCE_TAG_QUOTE && file.tagged.tag != ALC_EVIDENCE_TAG_SEV_SNP) {
        return ALC_E_DIALECT_REFUSED; /* for its own machine alone, or unknown */
    }
    judging->appraisal.evidence = file.tagged.evidence;
    judging->appraisal.claims_buffer = file.tagged.claims;
    if (judging->collateral.size == 0) {
        judging->collateral = file.collateral;
    }
    return ALC_OK;
}

static alc_status read_collateral(struct judging *judging)
{
    const struct alc_text *evidence = &judging->appraisal.evidence;
    if (judging->collateral.size == 0) {
        return ALC_OK;
    }
    struct alc_reader reader = open_input(judging, "collateral", &judging->collateral);
    if (alc_snp_is_report(evidence->bytes, evidence->size)) {
        judging->appraisal.collateral = (struct alc_collateral){.kds = &judging->kds};
        return alc_kds_collateral_read(&judging->arena, &reader, &judging->kds);
    }
    judging->appraisal.collateral = (struct alc_collateral){.pcs = &judging->pcs};
    return alc_pcs_collateral_read(&judging->arena, &reader, &judging->pcs);
}

static alc_status read_inputs(struct judging *judging)
{
    ALC_TRY(read_policy(judging));
    ALC_TRY(read_evidence(judging));
    ALC_TRY(read_collateral(judging));
    judging->bad_input = NULL;
    return ALC_OK;
}

/* -- the judgement -- */

static void judge(struct judging *judging)
{
    alc_status status = read_inputs(judging);
    if (status == ALC_OK) {
        (void)!alc_appraise(&judging->arena, &judging->appraisal, &judging->verdict);
        return;
    }
    judging->verdict = (struct alc_verdict){.status = status, .offset = ALC_NO_OFFSET};
}

static void write_verdict(const struct judging *judging, struct alc_writer *writer)
{
    const struct alc_verdict_form form = {.now_s = judging->appraisal.now_s,
                                          .has_advisories = true};
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, false);
    alc_json_open_object(&json, NULL);
    alc_verdict_write_outcome(&json, &judging->verdict);
    if (judging->bad_input == NULL) {
        alc_verdict_write_findings(&json, &judging->verdict, &form);
    } else {
        alc_json_write_string(&json, "input", judging->bad_input);
        if (judging->error.status != ALC_OK && judging->error.offset != ALC_NO_OFFSET) {
            alc_json_write_uint(&json, "offset", judging->error.offset);
        }
    }
    alc_json_close_object(&json);
}

static int32_t verify(struct alc_host_call *call, struct judging *judging,
                      const struct alc_guest_place *place)
{
    struct alc_os *os = judging->os;
    struct alc_writer writer;
    int32_t result = copy_inputs(call, judging);
    int64_t now_s = (int64_t)call->slots[SLOT_NOW];
    if (result != ALC_OS_SUCCESS) {
        return result;
    }
    if (now_s < 0) {
        return ALC_OS_INVALID;
    }
    if (now_s == 0) {
        now_s = os->operations->clock_read(os->context, ALC_OS_CLOCK_REALTIME, 0) / NS_PER_S;
    }
    judging->appraisal.now_s = now_s;
    judge(judging);
    alc_guest_place_writer(place, &writer);
    write_verdict(judging, &writer);
    alc_guest_place_finish(place, &writer);
    return writer.overflowed                   ? ALC_OS_OVERFLOW
           : judging->verdict.status != ALC_OK ? ALC_OS_ACCESS
                                               : ALC_OS_SUCCESS;
}

static alc_status call_verify(struct alc_host_call *call)
{
    struct alc_os *os = call->context;
    struct alc_guest_place place;
    struct alc_arena arena;
    if (!alc_guest_place_find(call, SLOT_OUT, &place)) {
        return alc_guest_answer(call, ALC_OS_FAULT);
    }
    void *range = os->operations->pages_reserve(os->context, WORK_SIZE);
    if (range == NULL) {
        return alc_guest_answer(call, ALC_OS_NO_MEMORY);
    }
    alc_arena_init_reserved(&arena, range, WORK_SIZE, alc_os_commit, os);
    struct judging *judging = ALC_ARENA_NEW(&arena, struct judging);
    int32_t result = ALC_OS_NO_MEMORY;
    if (judging != NULL) {
        judging->os = os;
        judging->arena = arena;
        result = verify(call, judging, &place);
    }
    os->operations->pages_release(os->context, range, WORK_SIZE);
    return alc_guest_answer(call, result);
}

const struct alc_host_module *alc_judge_module(void)
{
    static const struct alc_host_export exports[] = {
        {"verify", "iiiiiiiiIiii:i", call_verify},
    };
    static const struct alc_host_module module = {"alcove:attest", exports,
                                                  ALC_ARRAY_COUNT(exports)};
    return &module;
}
