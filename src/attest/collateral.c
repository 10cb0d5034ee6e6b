/* SPDX-License-Identifier: Apache-2.0
 *
 * Collateral in one JSON object.
 */
#include "attest/collateral.h"

struct collateral_reader {
    struct alc_arena *arena;
    struct alc_pcs_collateral *out;
};

static alc_status read_text(struct alc_reader *reader, void *context, struct alc_text *out)
{
    return alc_json_read_escaped(reader, ((struct collateral_reader *)context)->arena, out);
}

static alc_status read_list(struct alc_reader *reader, void *context, struct alc_text *out)
{
    const struct alc_reader start = *reader;
    struct alc_text digits;
    ALC_TRY(alc_json_read_text(reader, &digits));
    uint8_t *bytes =
        alc_arena_take(((struct collateral_reader *)context)->arena, digits.size / 2, 1);
    if (bytes == NULL) {
        return alc_reader_fail(&start, ALC_E_OUT_OF_MEMORY);
    }
    *out = (struct alc_text){bytes, digits.size / 2};
    return alc_hex_decode(digits.bytes, digits.size, bytes, digits.size / 2)
               ? ALC_OK
               : alc_reader_fail(&start, ALC_E_BAD_JSON);
}

static struct alc_pcs_collateral *out_of(void *context)
{
    return ((struct collateral_reader *)context)->out;
}

static alc_status read_root_list(struct alc_reader *reader, void *context)
{
    return read_list(reader, context, &out_of(context)->root_list);
}

static alc_status read_pck_list(struct alc_reader *reader, void *context)
{
    return read_list(reader, context, &out_of(context)->pck_list);
}

static alc_status read_tcb_info_chain(struct alc_reader *reader, void *context)
{
    return read_text(reader, context, &out_of(context)->tcb_info_chain);
}

static alc_status read_tcb_info(struct alc_reader *reader, void *context)
{
    return read_text(reader, context, &out_of(context)->tcb_info);
}

static alc_status read_tcb_info_signature(struct alc_reader *reader, void *context)
{
    struct alc_pcs_collateral *out = out_of(context);
    return alc_json_read_hex(reader, out->tcb_info_signature, sizeof out->tcb_info_signature);
}

static alc_status read_qe_identity_chain(struct alc_reader *reader, void *context)
{
    return read_text(reader, context, &out_of(context)->qe_identity_chain);
}

static alc_status read_qe_identity(struct alc_reader *reader, void *context)
{
    return read_text(reader, context, &out_of(context)->qe_identity);
}

static alc_status read_qe_identity_signature(struct alc_reader *reader, void *context)
{
    struct alc_pcs_collateral *out = out_of(context);
    return alc_json_read_hex(reader, out->qe_identity_signature, sizeof out->qe_identity_signature);
}

alc_status alc_pcs_collateral_read(struct alc_arena *arena, struct alc_reader *reader,
                                   struct alc_pcs_collateral *out)
{
    static const struct alc_json_member members[] = {
        {"root_ca_crl", read_root_list, true},
        {"pck_crl", read_pck_list, true},
        {"tcb_info_issuer_chain", read_tcb_info_chain, true},
        {"tcb_info", read_tcb_info, true},
        {"tcb_info_signature", read_tcb_info_signature, true},
        {"qe_identity_issuer_chain", read_qe_identity_chain, true},
        {"qe_identity", read_qe_identity, true},
        {"qe_identity_signature", read_qe_identity_signature, true},
    };
    struct collateral_reader into = {.arena = arena, .out = out};
    *out = (struct alc_pcs_collateral){0};
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &into));
    return alc_json_end(reader);
}
