/* SPDX-License-Identifier: Apache-2.0
 *
 * Collateral in one JSON object, and as the service's separate answers.
 */
#include "attest/collateral.h"

#include "base/bytes.h"
#include "crypto/crypto.h"

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

/* -- separate answers -- */

struct signed_text {
    struct alc_text text;
    uint8_t signature[64];
};

static alc_status read_signed(struct alc_reader *reader, void *context)
{
    return alc_json_read_raw(reader, &((struct signed_text *)context)->text);
}

static alc_status read_signature(struct alc_reader *reader, void *context)
{
    struct signed_text *into = context;
    return alc_json_read_hex(reader, into->signature, sizeof into->signature);
}

static alc_status read_answer(struct alc_reader *reader, const char *name, struct alc_text *out,
                              uint8_t *out_signature)
{
    const struct alc_json_member members[] = {
        {name, read_signed, true},
        {"signature", read_signature, true},
    };
    struct signed_text into;
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &into));
    ALC_TRY(alc_json_end(reader));
    *out = into.text;
    alc_copy(out_signature, into.signature, sizeof into.signature);
    return ALC_OK;
}

alc_status alc_pcs_read_tcb(struct alc_reader *reader, struct alc_pcs_collateral *out)
{
    return read_answer(reader, "tcbInfo", &out->tcb_info, out->tcb_info_signature);
}

alc_status alc_pcs_read_qe_identity(struct alc_reader *reader, struct alc_pcs_collateral *out)
{
    return read_answer(reader, "enclaveIdentity", &out->qe_identity, out->qe_identity_signature);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* What is left of the input, without the space behind it. */
static struct alc_text rest_of(const struct alc_reader *reader)
{
    struct alc_text text = {reader->bytes + reader->pos, alc_reader_remaining(reader)};
    while (text.size > 0 && is_space(text.bytes[text.size - 1])) {
        text.size--;
    }
    return text;
}

alc_status alc_pcs_read_list(struct alc_arena *arena, struct alc_reader *reader,
                             struct alc_text *out)
{
    const struct alc_text all = {reader->bytes + reader->pos, alc_reader_remaining(reader)};
    const struct alc_text text = rest_of(reader);
    uint8_t *bytes = alc_arena_take(arena, all.size, 1);
    if (bytes == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    if (alc_hex_decode(text.bytes, text.size, bytes, text.size / 2)) {
        *out = (struct alc_text){bytes, text.size / 2};
        return ALC_OK;
    }
    struct alc_reader pem = *reader;
    size_t size;
    pem.error = NULL; /* when it is no PEM, it may be DER */
    alc_status status = alc_pem_read(&pem, "X509 CRL", bytes, all.size, &size);
    *out = status == ALC_OK ? (struct alc_text){bytes, size} : all;
    return status == ALC_OK || status == ALC_E_NOT_FOUND
               ? ALC_OK
               : alc_reader_fail(reader, ALC_E_BAD_COLLATERAL);
}

alc_status alc_pcs_read_chain(struct alc_arena *arena, struct alc_reader *reader,
                              struct alc_text *out)
{
    const struct alc_text text = rest_of(reader);
    uint8_t *bytes = alc_arena_take(arena, text.size, 1);
    size_t size = 0;
    if (bytes == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (size_t i = 0; i < text.size; i++) {
        bytes[size] = text.bytes[i];
        if (text.bytes[i] == '%') {
            if (text.size - i < 3 || !alc_hex_decode(&text.bytes[i + 1], 2, &bytes[size], 1)) {
                return alc_reader_fail(reader, ALC_E_BAD_COLLATERAL);
            }
            i += 2;
        }
        size++;
    }
    *out = (struct alc_text){bytes, size};
    return ALC_OK;
}
