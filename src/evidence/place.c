/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of `alcove:attest`. The guest is hostile: every address is checked.
 */
#include "evidence/place.h"

#include "base/bytes.h"

bool alc_guest_place_find(const struct alc_host_call *call, size_t slot,
                          struct alc_guest_place *out)
{
    return alc_host_borrow(call, (uint32_t)call->slots[slot], (uint32_t)call->slots[slot + 1], 1,
                           &out->out) == ALC_HOST_FAULT_NONE &&
           alc_host_borrow(call, (uint32_t)call->slots[slot + 2], 1, sizeof(uint32_t),
                           &out->size) == ALC_HOST_FAULT_NONE;
}

void alc_guest_place_writer(const struct alc_guest_place *place, struct alc_writer *out)
{
    alc_writer_init(out, place->out.bytes, place->out.size);
}

void alc_guest_place_finish(const struct alc_guest_place *place, const struct alc_writer *writer)
{
    alc_store_u32(place->size.bytes, (uint32_t)writer->pos);
}

alc_status alc_guest_answer(struct alc_host_call *call, int32_t result)
{
    call->slots[0] = (uint32_t)result;
    return ALC_OK;
}
