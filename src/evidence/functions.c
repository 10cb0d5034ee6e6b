/* SPDX-License-Identifier: Apache-2.0
 *
 * The host functions of `alcove:attest`. The guest is hostile: every address is checked, and what
 * it gives is copied once. Threads of a program may call at the same time.
 */
#include "base/bytes.h"
#include "evidence/evidence.h"
#include "evidence/place.h"

static int32_t errno_of(alc_status status)
{
    switch ((int)status) {
    case ALC_OK:
        return ALC_OS_SUCCESS;
    case ALC_E_NOT_SUPPORTED:
        return ALC_OS_NOT_SUPPORTED;
    case ALC_E_BAD_ARGUMENT:
        return ALC_OS_INVALID;
    case ALC_E_OUT_OF_MEMORY:
        return ALC_OS_OVERFLOW;
    default:
        return ALC_OS_IO;
    }
}

static alc_status finish(struct alc_host_call *call, alc_status status,
                         const struct alc_writer *writer, const struct alc_guest_place *place)
{
    if (status == ALC_OK || status == ALC_E_OUT_OF_MEMORY) {
        alc_guest_place_finish(place, writer);
    }
    return alc_guest_answer(call, errno_of(status));
}

static alc_status call_evidence(struct alc_host_call *call)
{
    struct alc_guest_buffer raw_nonce;
    struct alc_guest_place place;
    struct alc_writer writer;
    uint8_t nonce[ALC_CLAIMS_NONCE_SIZE_MAX];
    if (alc_host_borrow(call, (uint32_t)call->slots[0], (uint32_t)call->slots[1], 1, &raw_nonce) !=
            ALC_HOST_FAULT_NONE ||
        !alc_guest_place_find(call, 2, &place)) {
        return alc_guest_answer(call, ALC_OS_FAULT);
    }
    if (raw_nonce.size > sizeof nonce) {
        return alc_guest_answer(call, ALC_OS_INVALID);
    }
    alc_copy(nonce, raw_nonce.bytes, raw_nonce.size);
    const struct alc_evidence_request request = {.asked_by = ALC_ASKED_BY_PROGRAM,
                                                 .nonce = {nonce, raw_nonce.size}};
    alc_guest_place_writer(&place, &writer);
    alc_status status = alc_evidence_make(call->context, &request, &writer);
    return finish(call, status, &writer, &place);
}

static alc_status call_claims(struct alc_host_call *call)
{
    const struct alc_evidence *evidence = call->context;
    struct alc_claims claims = evidence->claims;
    struct alc_guest_place place;
    struct alc_writer writer;
    if (!alc_guest_place_find(call, 0, &place)) {
        return alc_guest_answer(call, ALC_OS_FAULT);
    }
    claims.asked_by = ALC_ASKED_BY_PROGRAM;
    alc_guest_place_writer(&place, &writer);
    alc_claims_write(&writer, &claims);
    return finish(call, writer.overflowed ? ALC_E_OUT_OF_MEMORY : ALC_OK, &writer, &place);
}

const struct alc_host_module *alc_evidence_module(void)
{
    static const struct alc_host_export exports[] = {
        {"evidence", "iiiii:i", call_evidence},
        {"claims", "iii:i", call_claims},
    };
    static const struct alc_host_module module = {"alcove:attest", exports,
                                                  ALC_ARRAY_COUNT(exports)};
    return &module;
}
