/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements: CBOR around the bodies and header fields of the provisioning service's answers.
 * Input is hostile.
 */
#include "channel/endorsements.h"

#include "attest/evidence_file.h"
#include "base/bytes.h"
#include "base/cbor.h"

enum { ITEMS = 8, ITEMS_WITH_TIME = 9, VERSION = 3, SIGNATURE_SIZE = 64 };

/* The version is not in its shortest form: librats writes it so, and reads no other. */
static const uint8_t version[] = {0x1a, 0, 0, 0, VERSION};

/* -- writing -- */

static void write_hex(struct alc_writer *writer, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        alc_write_u8(writer, (uint8_t)"0123456789abcdef"[bytes[i] >> 4]);
        alc_write_u8(writer, (uint8_t)"0123456789abcdef"[bytes[i] & 15]);
    }
}

/* {"tcbInfo":…,"signature":"…"}, as the service answers. */
static void write_signed_json(struct alc_writer *writer, const char *name,
                              const struct alc_text *body, const uint8_t signature[SIGNATURE_SIZE])
{
    static const char middle[] = ",\"signature\":\"";
    size_t name_size = alc_string_length(name);
    alc_cbor_write_bytes_head(writer, 2 + name_size + 2 + body->size + sizeof middle - 1 +
                                          2 * SIGNATURE_SIZE + 2);
    alc_write_bytes(writer, "{\"", 2);
    alc_write_bytes(writer, name, name_size);
    alc_write_bytes(writer, "\":", 2);
    alc_write_bytes(writer, body->bytes, body->size);
    alc_write_bytes(writer, middle, sizeof middle - 1);
    write_hex(writer, signature, SIGNATURE_SIZE);
    alc_write_bytes(writer, "\"}", 2);
}

static void write_text(struct alc_writer *writer, const struct alc_text *text)
{
    alc_cbor_write_bytes(writer, text->bytes, text->size);
}

void alc_endorsements_write(struct alc_writer *writer, const struct alc_pcs_collateral *collateral,
                            const struct alc_text *pck_list_chain)
{
    alc_cbor_write_tag(writer, ALC_EVIDENCE_TAG_QUOTE);
    alc_cbor_write_array(writer, ITEMS);
    alc_write_bytes(writer, version, sizeof version);
    write_signed_json(writer, "tcbInfo", &collateral->tcb_info, collateral->tcb_info_signature);
    write_text(writer, &collateral->tcb_info_chain);
    write_text(writer, &collateral->pck_list);
    write_text(writer, &collateral->root_list);
    write_text(writer, pck_list_chain);
    write_signed_json(writer, "enclaveIdentity", &collateral->qe_identity,
                      collateral->qe_identity_signature);
    write_text(writer, &collateral->qe_identity_chain);
}

/* -- reading -- */

struct signed_json {
    struct alc_text body;
    uint8_t *signature;
};

static alc_status read_body(struct alc_reader *reader, void *context)
{
    struct signed_json *out = context;
    size_t begin = reader->pos;
    ALC_TRY(alc_json_skip(reader));
    while (begin < reader->pos && reader->bytes[begin] <= ' ') {
        begin++;
    }
    out->body = (struct alc_text){reader->bytes + begin, reader->pos - begin};
    return ALC_OK;
}

static alc_status read_signature(struct alc_reader *reader, void *context)
{
    return alc_json_read_hex(reader, ((struct signed_json *)context)->signature, SIGNATURE_SIZE);
}

/* Texts of services end with a NUL when they went through C. */
static struct alc_text without_end(const struct alc_text *text)
{
    bool ends = text->size > 0 && text->bytes[text->size - 1] == '\0';
    return (struct alc_text){text->bytes, text->size - ends};
}

static alc_status read_bytes(struct alc_reader *reader, struct alc_reader *out)
{
    const uint8_t *bytes;
    size_t size;
    ALC_TRY(alc_cbor_read_bytes(reader, &bytes, &size));
    struct alc_text text = without_end(&(struct alc_text){bytes, size});
    alc_reader_init(out, text.bytes, text.size, reader->error);
    out->origin = alc_reader_offset(reader) - size;
    return ALC_OK;
}

static alc_status read_signed_json(struct alc_reader *reader, const char *name,
                                   struct alc_text *out, uint8_t signature[SIGNATURE_SIZE])
{
    const struct alc_json_member members[] = {
        {name, read_body, true},
        {"signature", read_signature, true},
    };
    struct signed_json into = {.signature = signature};
    struct alc_reader inner;
    ALC_TRY(read_bytes(reader, &inner));
    ALC_TRY(alc_json_read_object(&inner, members, ALC_ARRAY_COUNT(members), &into));
    ALC_TRY(alc_json_end(&inner));
    *out = into.body;
    return ALC_OK;
}

static alc_status read_text(struct alc_reader *reader, struct alc_text *out)
{
    struct alc_reader inner;
    ALC_TRY(read_bytes(reader, &inner));
    *out = (struct alc_text){inner.bytes, inner.size};
    return ALC_OK;
}

/* A list is DER, where a NUL at the end may belong to a signature. */
static alc_status read_list(struct alc_reader *reader, struct alc_text *out)
{
    return alc_cbor_read_bytes(reader, &out->bytes, &out->size);
}

/* Which one it is does not matter: what follows is signed and says its own. */
static alc_status read_version(struct alc_reader *reader)
{
    struct alc_reader again = *reader;
    uint64_t number;
    uint8_t lead;
    ALC_TRY(alc_read_u8(&again, &lead));
    return lead == version[0] ? alc_read_skip(reader, sizeof version)
                              : alc_cbor_read_uint(reader, &number);
}

alc_status alc_endorsements_read(struct alc_reader *reader, struct alc_pcs_collateral *out)
{
    const struct alc_reader start = *reader;
    struct alc_text unused;
    uint64_t number;
    size_t count;
    *out = (struct alc_pcs_collateral){0};
    ALC_TRY(alc_cbor_read_tag(reader, &number));
    ALC_TRY(alc_cbor_read_array(reader, ITEMS_WITH_TIME, &count));
    if (number != ALC_EVIDENCE_TAG_QUOTE || count < ITEMS) {
        return alc_reader_fail(&start, ALC_E_BAD_CBOR);
    }
    ALC_TRY(read_version(reader));
    ALC_TRY(read_signed_json(reader, "tcbInfo", &out->tcb_info, out->tcb_info_signature));
    ALC_TRY(read_text(reader, &out->tcb_info_chain));
    ALC_TRY(read_list(reader, &out->pck_list));
    ALC_TRY(read_list(reader, &out->root_list));
    ALC_TRY(read_text(reader, &unused));
    ALC_TRY(
        read_signed_json(reader, "enclaveIdentity", &out->qe_identity, out->qe_identity_signature));
    ALC_TRY(read_text(reader, &out->qe_identity_chain));
    if (count == ITEMS_WITH_TIME) {
        ALC_TRY(read_text(reader, &unused));
    }
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_CBOR);
}
