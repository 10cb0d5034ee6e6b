/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Encryption, the receiver's half.
 */
#include "broker/jose.h"

#include "base/base64.h"
#include "base/bytes.h"

enum { COORDINATE = 32, KEY_SIZE = ALC_AES256_KEY_SIZE };

static void write_literal(struct alc_writer *writer, const char *text)
{
    alc_write_bytes(writer, text, alc_string_length(text));
}

void alc_jwk_write(struct alc_writer *writer, const struct alc_ec_public_key *key)
{
    ALC_ASSERT(key->curve == ALC_CURVE_P256);
    write_literal(writer,
                  "{\"alg\":\"" ALC_JWE_ALGORITHM "\",\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
    alc_base64_write(writer, ALC_BASE64_URL, key->point, COORDINATE);
    write_literal(writer, "\",\"y\":\"");
    alc_base64_write(writer, ALC_BASE64_URL, key->point + COORDINATE, COORDINATE);
    write_literal(writer, "\"}");
}

/* -- reading -- */

struct message {
    struct alc_arena *arena;
    struct alc_text protected_text; /* as it came, which is what is authenticated */
    struct alc_text encrypted_key;
    struct alc_text iv;
    struct alc_text ciphertext;
    struct alc_text tag;
    bool has_more_data; /* "aad": data of the sender's that is authenticated too */
    struct alc_text more_data;
};

struct header {
    struct alc_text algorithm;
    struct alc_text encryption;
    struct alc_ec_public_key ephemeral;
};

static alc_status read_bytes_member(struct alc_reader *reader, struct alc_arena *arena,
                                    struct alc_text *out)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    uint8_t *bytes = alc_arena_take(arena, text.size, 1);
    if (bytes == NULL) {
        return alc_reader_fail(&start, ALC_E_OUT_OF_MEMORY);
    }
    out->bytes = bytes;
    return alc_base64_read(ALC_BASE64_URL, text.bytes, text.size, bytes, text.size, &out->size)
               ? ALC_OK
               : alc_reader_fail(&start, ALC_E_BAD_JWE);
}

#define READ_BYTES(member)                                                                         \
    static alc_status read_##member(struct alc_reader *reader, void *context)                      \
    {                                                                                              \
        struct message *message = context;                                                         \
        return read_bytes_member(reader, message->arena, &message->member);                        \
    }
READ_BYTES(encrypted_key)
READ_BYTES(iv)
READ_BYTES(ciphertext)
READ_BYTES(tag)
#undef READ_BYTES

static alc_status read_protected(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct message *)context)->protected_text);
}

static alc_status read_more_data(struct alc_reader *reader, void *context)
{
    struct message *message = context;
    message->has_more_data = true;
    return alc_json_read_text(reader, &message->more_data);
}

/* Headers that nothing protects, other forms of a message, extensions: not spoken here. */
static alc_status refuse_member(struct alc_reader *reader, void *context)
{
    (void)context;
    return alc_reader_fail(reader, ALC_E_NOT_SUPPORTED);
}

static alc_status read_message(struct alc_reader *reader, struct message *out)
{
    static const struct alc_json_member members[] = {
        {"protected", read_protected, true},
        {"encrypted_key", read_encrypted_key, true},
        {"iv", read_iv, true},
        {"ciphertext", read_ciphertext, true},
        {"tag", read_tag, true},
        {"aad", read_more_data, false},
        {"unprotected", refuse_member, false},
        {"header", refuse_member, false},
        {"recipients", refuse_member, false},
    };
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), out));
    ALC_TRY(alc_json_end(reader));
    return out->iv.size == ALC_GCM_IV_SIZE && out->tag.size == ALC_GCM_TAG_SIZE &&
                   out->encrypted_key.size == KEY_SIZE + ALC_KEY_WRAP_OVERHEAD
               ? ALC_OK
               : alc_reader_fail(reader, ALC_E_BAD_JWE);
}

/* -- the protected header -- */

static alc_status read_algorithm(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct header *)context)->algorithm);
}

static alc_status read_encryption(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct header *)context)->encryption);
}

static alc_status read_coordinate(struct alc_reader *reader, uint8_t *out)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    size_t size;
    ALC_TRY(alc_json_read_text(reader, &text));
    return alc_base64_read(ALC_BASE64_URL, text.bytes, text.size, out, COORDINATE, &size) &&
                   size == COORDINATE
               ? ALC_OK
               : alc_reader_fail(&start, ALC_E_BAD_JWE);
}

static alc_status read_x(struct alc_reader *reader, void *context)
{
    return read_coordinate(reader, ((struct alc_ec_public_key *)context)->point);
}

static alc_status read_y(struct alc_reader *reader, void *context)
{
    return read_coordinate(reader, ((struct alc_ec_public_key *)context)->point + COORDINATE);
}

static alc_status expect_text(struct alc_reader *reader, const char *literal)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    return alc_text_is(&text, literal) ? ALC_OK : alc_reader_fail(&start, ALC_E_NOT_SUPPORTED);
}

static alc_status expect_ec(struct alc_reader *reader, void *context)
{
    (void)context;
    return expect_text(reader, "EC");
}

static alc_status expect_p256(struct alc_reader *reader, void *context)
{
    (void)context;
    return expect_text(reader, "P-256");
}

static alc_status read_ephemeral(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"kty", expect_ec, true},
        {"crv", expect_p256, true},
        {"x", read_x, true},
        {"y", read_y, true},
    };
    struct header *header = context;
    header->ephemeral.curve = ALC_CURVE_P256;
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &header->ephemeral);
}

/* Offsets within the header are those of its text, as near as a decoded text has them. */
static alc_status read_header(const struct message *message, struct alc_error *error,
                              struct header *out)
{
    static const struct alc_json_member members[] = {
        {"alg", read_algorithm, true}, {"enc", read_encryption, true},
        {"epk", read_ephemeral, true}, {"apu", refuse_member, false},
        {"apv", refuse_member, false}, {"crit", refuse_member, false},
        {"zip", refuse_member, false},
    };
    const struct alc_text *text = &message->protected_text;
    uint8_t *bytes = alc_arena_take(message->arena, text->size, 1);
    struct alc_reader reader;
    size_t size;
    if (bytes == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    if (!alc_base64_read(ALC_BASE64_URL, text->bytes, text->size, bytes, text->size, &size)) {
        return alc_fail(error, ALC_E_BAD_JWE, ALC_NO_OFFSET);
    }
    alc_reader_init(&reader, bytes, size, error);
    ALC_TRY(alc_json_read_object(&reader, members, ALC_ARRAY_COUNT(members), out));
    ALC_TRY(alc_json_end(&reader));
    return alc_text_is(&out->algorithm, ALC_JWE_ALGORITHM) &&
                   alc_text_is(&out->encryption, ALC_JWE_ENCRYPTION)
               ? ALC_OK
               : alc_fail(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET);
}

/* -- keys -- */

void alc_jwe_wrapping_key(const uint8_t *secret, size_t secret_size, struct alc_aes_key *out)
{
    /* AlgorithmID with its length, PartyUInfo and PartyVInfo of length 0, bits of the key. */
    static const uint8_t info[] = "\0\0\0\x0e" ALC_JWE_ALGORITHM "\0\0\0\0\0\0\0\0\0\0\1\0";
    const struct alc_hkdf_inputs inputs = {
        .secret = secret, .secret_size = secret_size, .info = info, .info_size = sizeof info - 1};
    uint8_t bytes[KEY_SIZE];
    _Static_assert(sizeof ALC_JWE_ALGORITHM - 1 == 0x0e, "its length is in `info`");
    alc_concat_kdf(ALC_HASH_SHA256, &inputs, bytes, sizeof bytes);
    alc_aes_key_init(out, bytes, sizeof bytes);
    alc_wipe(bytes, sizeof bytes);
}

static alc_status unwrap_key(const struct message *message, const struct header *header,
                             const struct alc_ec_private_key *key, const struct alc_random *random,
                             uint8_t out[KEY_SIZE])
{
    uint8_t secret[ALC_EC_SIZE_MAX];
    struct alc_aes_key wrapping_key;
    alc_status status = alc_ecdh(key, &header->ephemeral, random, secret);
    if (status == ALC_OK) {
        alc_jwe_wrapping_key(secret, COORDINATE, &wrapping_key);
        status = alc_aes_key_unwrap(&wrapping_key, message->encrypted_key.bytes,
                                    message->encrypted_key.size, out);
        alc_wipe(&wrapping_key, sizeof wrapping_key);
    }
    alc_wipe(secret, sizeof secret);
    return status;
}

/* The data that is authenticated: the header as it came and, behind a dot, the sender's own. */
static alc_status decrypt(const struct message *message, const uint8_t key_bytes[KEY_SIZE],
                          struct alc_text *out)
{
    static const uint8_t dot = '.';
    uint8_t tag[ALC_GCM_TAG_SIZE];
    struct alc_gcm_key key;
    struct alc_gcm gcm;
    const size_t size = message->ciphertext.size;
    uint8_t *text = alc_arena_take(message->arena, size, 1);
    if (text == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_gcm_key_init(&key, key_bytes, KEY_SIZE);
    alc_gcm_start(&gcm, &key, message->iv.bytes, false);
    alc_gcm_add_data(&gcm, message->protected_text.bytes, message->protected_text.size);
    if (message->has_more_data) {
        alc_gcm_add_data(&gcm, &dot, 1);
        alc_gcm_add_data(&gcm, message->more_data.bytes, message->more_data.size);
    }
    alc_gcm_update(&gcm, message->ciphertext.bytes, text, size);
    alc_gcm_finish(&gcm, tag);
    alc_wipe(&key, sizeof key);
    const bool is_authentic = alc_secret_equal(tag, message->tag.bytes, sizeof tag);
    alc_wipe(tag, sizeof tag);
    if (!is_authentic) {
        alc_wipe(text, size);
        return ALC_E_NOT_AUTHENTIC;
    }
    *out = (struct alc_text){text, size};
    return ALC_OK;
}

alc_status alc_jwe_open(struct alc_arena *arena, struct alc_reader *reader,
                        const struct alc_ec_private_key *key, const struct alc_random *random,
                        struct alc_text *out)
{
    struct message message = {.arena = arena};
    struct header header = {.ephemeral = {.curve = ALC_CURVE_P256}};
    uint8_t content_key[KEY_SIZE];
    ALC_TRY(read_message(reader, &message));
    ALC_TRY(read_header(&message, reader->error, &header));
    alc_status status = unwrap_key(&message, &header, key, random, content_key);
    if (status == ALC_OK) {
        status = decrypt(&message, content_key, out);
    }
    alc_wipe(content_key, sizeof content_key);
    return status == ALC_OK ? ALC_OK : alc_fail(reader->error, status, ALC_NO_OFFSET);
}
