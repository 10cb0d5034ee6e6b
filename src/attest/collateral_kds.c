/* SPDX-License-Identifier: Apache-2.0
 *
 * Collateral about an AMD processor in one JSON object.
 */
#include "attest/collateral.h"

struct collateral_reader {
    struct alc_arena *arena;
    struct alc_kds_collateral *out;
};

/* Hexadecimal digits as bytes. */
static alc_status read_der(struct alc_reader *reader, struct alc_arena *arena, struct alc_text *out)
{
    const struct alc_reader start = *reader;
    struct alc_text digits;
    ALC_TRY(alc_json_read_text(reader, &digits));
    uint8_t *bytes = alc_arena_take(arena, digits.size / 2, 1);
    if (bytes == NULL) {
        return alc_reader_fail(&start, ALC_E_OUT_OF_MEMORY);
    }
    *out = (struct alc_text){bytes, digits.size / 2};
    return alc_hex_decode(digits.bytes, digits.size, bytes, digits.size / 2)
               ? ALC_OK
               : alc_reader_fail(&start, ALC_E_BAD_JSON);
}

static alc_status read_endorsement_key(struct alc_reader *reader, void *context)
{
    struct collateral_reader *into = context;
    return read_der(reader, into->arena, &into->out->endorsement_key);
}

static alc_status read_chain(struct alc_reader *reader, void *context)
{
    struct collateral_reader *into = context;
    return alc_json_read_escaped(reader, into->arena, &into->out->chain);
}

static alc_status read_revocation_list(struct alc_reader *reader, void *context)
{
    struct collateral_reader *into = context;
    return read_der(reader, into->arena, &into->out->revocation_list);
}

alc_status alc_kds_collateral_read(struct alc_arena *arena, struct alc_reader *reader,
                                   struct alc_kds_collateral *out)
{
    static const struct alc_json_member members[] = {
        {"endorsement_key", read_endorsement_key, false},
        {"chain", read_chain, true},
        {"revocation_list", read_revocation_list, false},
    };
    struct collateral_reader into = {.arena = arena, .out = out};
    *out = (struct alc_kds_collateral){0};
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &into));
    return alc_json_end(reader);
}
