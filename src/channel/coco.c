/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence of attestation agents, read and written: CBOR, in which there is JSON, in which there is
 * base64, in which there is CBOR.
 */
#include "channel/coco.h"

#include "base/base64.h"
#include "base/bytes.h"
#include "base/cbor.h"

/* In the order of their encodings. */
enum member {
    MEMBER_TEE,
    MEMBER_EVIDENCE,
    MEMBER_RUNTIME_DATA,
    MEMBER_ADDITIONAL,
    MEMBER_HASH,
    MEMBERS,
};
static const char *const member_names[MEMBERS] = {
    [MEMBER_TEE] = "tee_type",
    [MEMBER_EVIDENCE] = "aa_evidence",
    [MEMBER_RUNTIME_DATA] = "aa_runtime_data",
    [MEMBER_ADDITIONAL] = "aa_additional_evidence",
    [MEMBER_HASH] = "aa_runtime_data_hash_algo",
};

/* Kinds whose evidence is a quote, by the number in its header. */
static const struct {
    const char *name;
    enum alc_evidence_kind kind;
    uint32_t quote_tee;
} tees[] = {
    {"sgx", ALC_EVIDENCE_SGX, 0},
    {"tdx", ALC_EVIDENCE_TDX, 0x81},
};
enum { QUOTE_TEE_OFFSET = 4, QUOTE_HEAD_SIZE = 8 };

/* The parts, borrowed. */
struct parts {
    struct alc_text tee;
    struct alc_text agent_evidence;
    struct alc_text additional;
    struct alc_text runtime_data;
    uint64_t hash;
    /* What is in the JSON: */
    struct alc_text quote;
    struct alc_text alcove;
    struct alc_text key_hash;
};

/* -- reading -- */

static alc_status read_member(struct alc_reader *reader, enum member member, struct parts *out)
{
    switch (member) {
    case MEMBER_TEE:
        return alc_cbor_read_text(reader, &out->tee.bytes, &out->tee.size);
    case MEMBER_EVIDENCE:
        return alc_cbor_read_bytes(reader, &out->agent_evidence.bytes, &out->agent_evidence.size);
    case MEMBER_RUNTIME_DATA:
        return alc_cbor_read_text(reader, &out->runtime_data.bytes, &out->runtime_data.size);
    case MEMBER_ADDITIONAL:
        return alc_cbor_take_null(reader)
                   ? ALC_OK
                   : alc_cbor_read_bytes(reader, &out->additional.bytes, &out->additional.size);
    case MEMBER_HASH:
        return alc_cbor_read_uint(reader, &out->hash);
    case MEMBERS:
        break;
    }
    return ALC_E_INTERNAL;
}

static alc_status read_next_member(struct alc_reader *reader, uint32_t *seen, struct parts *out)
{
    const struct alc_reader start = *reader;
    struct alc_text name;
    ALC_TRY(alc_cbor_read_text(reader, &name.bytes, &name.size));
    for (size_t i = 0; i < MEMBERS; i++) {
        if (alc_text_is(&name, member_names[i]) && (*seen & 1u << i) == 0) {
            *seen |= 1u << i;
            return read_member(reader, (enum member)i, out);
        }
    }
    return alc_reader_fail(&start, ALC_E_BAD_CBOR); /* not known, or there twice */
}

/* All members, each once. */
static alc_status read_map(const struct alc_text *bytes, struct parts *out)
{
    struct alc_reader reader;
    uint32_t seen = 0;
    size_t count;
    alc_reader_init(&reader, bytes->bytes, bytes->size, NULL);
    ALC_TRY(alc_cbor_read_map(&reader, MEMBERS, &count));
    for (size_t i = 0; i < count; i++) {
        ALC_TRY(read_next_member(&reader, &seen, out));
    }
    return count == MEMBERS && alc_reader_at_end(&reader) ? ALC_OK : ALC_E_BAD_CBOR;
}

static alc_status read_quote_member(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct parts *)context)->quote);
}

static alc_status read_alcove_member(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct parts *)context)->alcove);
}

static alc_status read_key_hash_member(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct parts *)context)->key_hash);
}

static alc_status read_json(const struct alc_text *text, const struct alc_json_member *members,
                            size_t count, struct parts *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, text->bytes, text->size, NULL);
    ALC_TRY(alc_json_read_object(&reader, members, count, out));
    return alc_json_end(&reader);
}

static alc_status read_documents(struct parts *parts)
{
    static const struct alc_json_member agent[] = {{"quote", read_quote_member, true}};
    static const struct alc_json_member runtime[] = {{"alcove", read_alcove_member, false},
                                                     {"pubkey-hash", read_key_hash_member, true}};
    if (parts->runtime_data.size > ALC_COCO_RUNTIME_DATA_SIZE_MAX) {
        return ALC_E_LENGTH_OUT_OF_BOUNDS;
    }
    ALC_TRY(read_json(&parts->agent_evidence, agent, ALC_ARRAY_COUNT(agent), parts));
    return read_json(&parts->runtime_data, runtime, ALC_ARRAY_COUNT(runtime), parts);
}

/* Of a text that stands in JSON. */
static alc_status decode(struct alc_arena *arena, const struct alc_text *text, struct alc_text *out)
{
    uint8_t *bytes = alc_arena_take(arena, text->size + 1, 1);
    if (bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    out->bytes = bytes;
    return alc_base64_read(ALC_BASE64, text->bytes, text->size, bytes, text->size, &out->size)
               ? ALC_OK
               : ALC_E_BAD_JSON;
}

static alc_status take_quote(struct alc_arena *arena, const struct parts *parts,
                             struct alc_text *out)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(tees); i++) {
        if (alc_text_is(&parts->tee, tees[i].name)) {
            ALC_TRY(decode(arena, &parts->quote, out));
            return out->size >= QUOTE_HEAD_SIZE &&
                           alc_load_u32(out->bytes + QUOTE_TEE_OFFSET) == tees[i].quote_tee
                       ? ALC_OK
                       : ALC_E_BAD_QUOTE;
        }
    }
    return ALC_E_NOT_SUPPORTED;
}

/* The claims-buffer is written anew: its pieces are what is bound. */
static alc_status take_claims(struct alc_arena *arena, const struct parts *parts,
                              struct alc_text *out)
{
    struct alc_claims_buffer claims = {0};
    struct alc_text key_hash;
    struct alc_reader reader;
    struct alc_writer writer;
    size_t count;
    ALC_TRY(decode(arena, &parts->key_hash, &key_hash));
    alc_reader_init(&reader, key_hash.bytes, key_hash.size, NULL);
    ALC_TRY(alc_cbor_read_array(&reader, 2, &count));
    if (count != 2) {
        return ALC_E_BAD_CBOR;
    }
    ALC_TRY(alc_cbor_read_uint(&reader, &claims.key_hash_kind));
    ALC_TRY(alc_cbor_read_bytes(&reader, &claims.key_hash.bytes, &claims.key_hash.size));
    if (!alc_reader_at_end(&reader) || claims.key_hash.size == 0) {
        return ALC_E_BAD_CBOR;
    }
    if (parts->alcove.bytes != NULL) {
        ALC_TRY(decode(arena, &parts->alcove, &claims.alcove));
    }
    uint8_t *bytes = alc_arena_take(arena, ALC_CLAIMS_SIZE_MAX, 1);
    if (bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(&writer, bytes, ALC_CLAIMS_SIZE_MAX);
    alc_claims_buffer_write(&writer, &claims);
    *out = (struct alc_text){bytes, writer.pos};
    return writer.overflowed ? ALC_E_LENGTH_OUT_OF_BOUNDS : ALC_OK;
}

static alc_status bind(uint64_t name, const struct alc_text *runtime_data,
                       uint8_t out[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    _Static_assert((int)ALC_HASH_SIZE_MAX <= (int)ALC_EVIDENCE_REPORT_DATA_SIZE, "it fits");
    alc_fill(out, 0, ALC_EVIDENCE_REPORT_DATA_SIZE);
    enum alc_hash_kind kind = alc_named_hash_kind(name);
    if (kind == ALC_HASH_KINDS) {
        return ALC_E_NOT_SUPPORTED;
    }
    alc_hash_bytes(kind, runtime_data->bytes, runtime_data->size, out);
    return ALC_OK;
}

alc_status alc_coco_read(struct alc_arena *arena, const struct alc_text *bytes,
                         struct alc_coco_evidence *out)
{
    struct parts parts = {0};
    alc_fill(out, 0, sizeof *out);
    ALC_TRY(read_map(bytes, &parts));
    ALC_TRY(bind(parts.hash, &parts.runtime_data, out->report_data));
    ALC_TRY(read_documents(&parts));
    out->evidence.tag = ALC_EVIDENCE_TAG_QUOTE;
    ALC_TRY(take_quote(arena, &parts, &out->evidence.evidence));
    return take_claims(arena, &parts, &out->evidence.claims);
}

/* -- writing -- */

static void write_string(struct alc_writer *writer, const char *text)
{
    alc_write_bytes(writer, text, alc_string_length(text));
}

void alc_coco_write_runtime_data(struct alc_writer *writer, const struct alc_claims_buffer *claims)
{
    uint8_t key_hash[8 + ALC_HASH_SIZE_MAX];
    struct alc_writer inner;
    ALC_ASSERT(claims->key_hash.size <= ALC_HASH_SIZE_MAX);
    alc_writer_init(&inner, key_hash, sizeof key_hash);
    alc_cbor_write_array(&inner, 2);
    alc_cbor_write_uint(&inner, claims->key_hash_kind);
    alc_cbor_write_bytes(&inner, claims->key_hash.bytes, claims->key_hash.size);
    write_string(writer, "{");
    if (claims->alcove.size != 0) {
        write_string(writer, "\"alcove\":\"");
        alc_base64_write(writer, ALC_BASE64, claims->alcove.bytes, claims->alcove.size);
        write_string(writer, "\",");
    }
    write_string(writer, "\"pubkey-hash\":\"");
    alc_base64_write(writer, ALC_BASE64, key_hash, inner.pos);
    write_string(writer, "\"}");
}

void alc_coco_bind(const struct alc_text *runtime_data,
                   uint8_t out_report_data[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    (void)!bind(ALC_NAMED_SHA384, runtime_data, out_report_data);
}

static void write_name(struct alc_writer *writer, enum member member)
{
    alc_cbor_write_text(writer, member_names[member], alc_string_length(member_names[member]));
}

/* The agent's JSON, as a byte string. */
static void write_agent_evidence(struct alc_writer *writer, const struct alc_text *quote)
{
    static const char before[] = "{\"quote\":\"";
    static const char behind[] = "\"}";
    alc_cbor_write_bytes_head(writer, sizeof before - 1 + alc_base64_size(ALC_BASE64, quote->size) +
                                          sizeof behind - 1);
    write_string(writer, before);
    alc_base64_write(writer, ALC_BASE64, quote->bytes, quote->size);
    write_string(writer, behind);
}

alc_status alc_coco_write(struct alc_writer *writer, enum alc_evidence_kind kind,
                          const struct alc_text *quote, const struct alc_text *runtime_data)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(tees); i++) {
        if (tees[i].kind == kind) {
            alc_cbor_write_map(writer, MEMBERS);
            write_name(writer, MEMBER_TEE);
            alc_cbor_write_text(writer, tees[i].name, alc_string_length(tees[i].name));
            write_name(writer, MEMBER_EVIDENCE);
            write_agent_evidence(writer, quote);
            write_name(writer, MEMBER_RUNTIME_DATA);
            alc_cbor_write_text(writer, runtime_data->bytes, runtime_data->size);
            write_name(writer, MEMBER_ADDITIONAL);
            alc_cbor_write_null(writer);
            write_name(writer, MEMBER_HASH);
            alc_cbor_write_uint(writer, ALC_NAMED_SHA384);
            return ALC_OK;
        }
    }
    return ALC_E_NOT_SUPPORTED;
}
