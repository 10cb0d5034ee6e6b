/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of the key broker protocol. Members of objects stand in the order of canonical JSON.
 */
#include "broker/message.h"

#include "base/base64.h"
#include "base/bytes.h"

static const char *const tee_names[ALC_BROKER_TEES] = {
#define TEE(ident, name) [ALC_BROKER_##ident] = name,
#include "broker/tees.def"
#undef TEE
};

const char *alc_broker_tee_name(enum alc_broker_tee tee)
{
    ALC_ASSERT(tee < ALC_BROKER_TEES);
    return tee_names[tee];
}

enum alc_broker_tee alc_broker_tee_find(const struct alc_text *name)
{
    for (enum alc_broker_tee tee = 0; tee < ALC_BROKER_TEES; tee++) {
        if (alc_text_is(name, tee_names[tee])) {
            return tee;
        }
    }
    return ALC_BROKER_TEES;
}

/* -- names of resources -- */

bool alc_broker_is_name_character(uint8_t character, bool is_first)
{
    const uint8_t lower = character | 0x20;
    return (lower >= 'a' && lower <= 'z') || (character >= '0' && character <= '9') ||
           (character == '.' && !is_first) || character == '_' || character == '-';
}

bool alc_broker_is_session(const struct alc_text *text)
{
    if (text->size == 0 || text->size > ALC_BROKER_SESSION_MAX) {
        return false;
    }
    for (size_t i = 0; i < text->size; i++) {
        const uint8_t character = text->bytes[i];
        if (character <= ' ' || character >= 0x7f || character == ';' || character == ',' ||
            character == '"' || character == '\\') {
            return false;
        }
    }
    return true;
}

alc_status alc_broker_resource_read(const struct alc_text *text, struct alc_text *out)
{
    static const char scheme[] = "kbs:///";
    const size_t scheme_size = sizeof scheme - 1;
    struct alc_text rest = *text;
    size_t names_count = 1;
    bool is_first = true; /* of a name */
    if (rest.size >= scheme_size && alc_equal(rest.bytes, scheme, scheme_size)) {
        rest = (struct alc_text){rest.bytes + scheme_size, rest.size - scheme_size};
    }
    if (rest.size > ALC_BROKER_RESOURCE_MAX) {
        return ALC_E_BAD_ARGUMENT;
    }
    for (size_t i = 0; i < rest.size; i++) {
        const uint8_t character = rest.bytes[i];
        const bool is_slash = character == '/';
        if (is_slash ? is_first : !alc_broker_is_name_character(character, is_first)) {
            return ALC_E_BAD_ARGUMENT;
        }
        names_count += is_slash;
        is_first = is_slash;
    }
    *out = rest;
    return names_count == 3 && !is_first ? ALC_OK : ALC_E_BAD_ARGUMENT;
}

/* -- writing -- */

static void write_literal(struct alc_writer *writer, const char *text)
{
    alc_write_bytes(writer, text, alc_string_length(text));
}

static void write_text(struct alc_writer *writer, const struct alc_text *text)
{
    alc_write_bytes(writer, text->bytes, text->size);
}

/* The additional evidence stands in a string: what JSON has in quotes is escaped there. */
static void write_escaped(struct alc_writer *writer, const struct alc_text *text)
{
    for (size_t i = 0; i < text->size; i++) {
        if (text->bytes[i] == '"' || text->bytes[i] == '\\') {
            alc_write_u8(writer, '\\');
        }
        alc_write_u8(writer, text->bytes[i]);
    }
}

static void hash_literal(struct alc_hash *hash, const char *text)
{
    alc_hash_update(hash, text, alc_string_length(text));
}

static void hash_escaped(struct alc_hash *hash, const struct alc_text *text)
{
    for (size_t i = 0; i < text->size; i++) {
        if (text->bytes[i] == '"' || text->bytes[i] == '\\') {
            hash_literal(hash, "\\");
        }
        alc_hash_update(hash, text->bytes + i, 1);
    }
}

void alc_broker_report_data(const struct alc_broker_binding *binding,
                            uint8_t out[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    struct alc_hash hash;
    alc_fill(out, 0, ALC_EVIDENCE_REPORT_DATA_SIZE);
    alc_hash_init(&hash, ALC_HASH_SHA384);
    hash_literal(&hash, "{\"additional-evidence\":\"");
    hash_escaped(&hash, &binding->additional);
    hash_literal(&hash, "\",\"nonce\":\"");
    alc_hash_update(&hash, binding->nonce.bytes, binding->nonce.size);
    hash_literal(&hash, "\",\"tee-pubkey\":");
    alc_hash_update(&hash, binding->key.bytes, binding->key.size);
    hash_literal(&hash, "}");
    alc_hash_finish(&hash, out);
}

void alc_broker_write_additional(struct alc_writer *writer, const uint8_t *workload_id)
{
    static const char digits[] = "0123456789abcdef";
    if (workload_id == NULL) {
        write_literal(writer, "{}");
        return;
    }
    write_literal(writer, "{\"alcove\":{\"workload_id\":\"");
    for (size_t i = 0; i < ALC_SHA256_SIZE; i++) {
        alc_write_u8(writer, (uint8_t)digits[workload_id[i] >> 4]);
        alc_write_u8(writer, (uint8_t)digits[workload_id[i] & 15]);
    }
    write_literal(writer, "\"}}");
}

void alc_broker_write_request(struct alc_writer *writer, enum alc_broker_tee tee)
{
    write_literal(writer,
                  "{\"extra-params\":{\"supported-hash-algorithms\":[\"sha384\"]},\"tee\":\"");
    write_literal(writer, alc_broker_tee_name(tee));
    write_literal(writer, "\",\"version\":\"" ALC_BROKER_VERSION "\"}");
}

/* The sample's report data is the digest without the zeros behind it. */
static void write_evidence(struct alc_writer *writer,
                           const struct alc_broker_attestation *attestation)
{
    const struct alc_text *evidence = &attestation->evidence;
    const bool is_sample = attestation->tee == ALC_BROKER_SAMPLE;
    if (attestation->form != NULL) {
        attestation->form(writer, evidence);
        return;
    }
    write_literal(writer, is_sample ? "{\"report_data\":\"" : "{\"quote\":\"");
    alc_base64_write(writer, ALC_BASE64, evidence->bytes, evidence->size);
    write_literal(writer, is_sample ? "\",\"svn\":\"1\"}" : "\"}");
}

void alc_broker_write_attestation(struct alc_writer *writer,
                                  const struct alc_broker_attestation *attestation)
{
    const struct alc_broker_binding *binding = &attestation->binding;
    write_literal(writer, "{\"runtime-data\":{\"nonce\":\"");
    write_text(writer, &binding->nonce);
    write_literal(writer, "\",\"tee-pubkey\":");
    write_text(writer, &binding->key);
    write_literal(writer, "},\"tee-evidence\":{\"additional_evidence\":\"");
    write_escaped(writer, &binding->additional);
    write_literal(writer, "\",\"primary_evidence\":");
    write_evidence(writer, attestation);
    write_literal(writer, "}}");
}

/* -- reading -- */

static alc_status read_text(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, context);
}

static alc_status skip(struct alc_reader *reader, void *context)
{
    (void)context;
    return alc_json_skip(reader);
}

static alc_status read_nonce(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct alc_broker_challenge *)context)->nonce);
}

static alc_status read_takes_workload(struct alc_reader *reader, void *context)
{
    return alc_json_read_bool(reader, &((struct alc_broker_challenge *)context)->takes_workload);
}

/* An object, or anything else where a server has nothing to say: others send an empty string. */
static alc_status read_parameters(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {ALC_BROKER_TAKES_WORKLOAD, read_takes_workload, false}};
    const struct alc_reader start = *reader;
    struct alc_text raw;
    ALC_TRY(alc_json_read_raw(reader, &raw));
    if (raw.bytes[0] != '{') {
        return ALC_OK;
    }
    *reader = start;
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context);
}

alc_status alc_broker_read_challenge(struct alc_reader *reader, struct alc_broker_challenge *out)
{
    static const struct alc_json_member members[] = {
        {"nonce", read_nonce, true},
        {"extra-params", read_parameters, false},
    };
    out->takes_workload = false;
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), out));
    ALC_TRY(alc_json_end(reader));
    return out->nonce.size > 0 && out->nonce.size <= ALC_BROKER_NONCE_MAX
               ? ALC_OK
               : alc_reader_fail(reader, ALC_E_BAD_BROKER_ANSWER);
}

alc_status alc_broker_read_token(struct alc_reader *reader, struct alc_text *out_token)
{
    static const struct alc_json_member members[] = {{"token", read_text, true}};
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), out_token));
    return alc_json_end(reader);
}

/* Where the inside of a string begins and ends: it may have escapes, which no arena is spent on. */
static alc_status read_raw(struct alc_reader *reader, void *context)
{
    struct alc_text *out = context;
    const size_t start = reader->pos;
    ALC_TRY(alc_json_skip(reader));
    *out = (struct alc_text){reader->bytes + start, reader->pos - start};
    return ALC_OK;
}

void alc_broker_read_reason(const struct alc_text *body, uint8_t *out, size_t out_max,
                            size_t *out_size)
{
    static const struct alc_json_member members[] = {{"detail", read_raw, true},
                                                     {"type", skip, false}};
    struct alc_reader reader;
    struct alc_text raw = {NULL, 0};
    size_t size = 0;
    size_t next = 0;
    *out_size = 0;
    alc_reader_init(&reader, body->bytes, body->size, NULL);
    if (alc_json_read_object(&reader, members, ALC_ARRAY_COUNT(members), &raw) != ALC_OK) {
        return;
    }
    while (next < raw.size && raw.bytes[next] != '"') {
        next++; /* white space before the value, or all of a value that is no string */
    }
    for (next++; next + 1 < raw.size && size < out_max; next++) {
        uint8_t character = raw.bytes[next];
        if (character == '\\') {
            character = raw.bytes[++next];
            character = character == '"' || character == '\\' || character == '/' ? character : '?';
        }
        out[size++] = character >= ' ' && character < 0x7f ? character : (uint8_t)'?';
    }
    *out_size = size;
}
