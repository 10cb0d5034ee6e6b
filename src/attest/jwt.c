/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed tokens.
 */
#include "attest/jwt.h"

#include "attest/json_write.h"
#include "base/base64.h"

enum { HEADER_MAX = 320, COORDINATE_MAX = 64 };

static void write_coordinate(struct alc_json_writer *json, const char *name, const uint8_t *bytes,
                             size_t size)
{
    uint8_t text[COORDINATE_MAX];
    struct alc_writer writer;
    alc_writer_init(&writer, text, sizeof text);
    alc_base64_write(&writer, ALC_BASE64_URL, bytes, size);
    ALC_ASSERT(!writer.overflowed);
    alc_json_write_text(json, name, &(struct alc_text){text, writer.pos});
}

static void write_header(struct alc_writer *writer, const struct alc_ec_public_key *key)
{
    const size_t size = alc_curve_size(key->curve);
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, false);
    alc_json_open_object(&json, NULL);
    alc_json_write_string(&json, "typ", "JWT");
    alc_json_write_string(&json, "alg", key->curve == ALC_CURVE_P256 ? "ES256" : "ES384");
    alc_json_open_object(&json, "jwk");
    alc_json_write_string(&json, "kty", "EC");
    alc_json_write_string(&json, "crv", key->curve == ALC_CURVE_P256 ? "P-256" : "P-384");
    write_coordinate(&json, "x", key->point, size);
    write_coordinate(&json, "y", &key->point[size], size);
    alc_json_close_object(&json);
    alc_json_close_object(&json);
}

alc_status alc_jwt_sign(struct alc_writer *out, const struct alc_text *claims,
                        const struct alc_ec_private_key *key, const struct alc_random *random)
{
    const enum alc_hash_kind hash =
        key->curve == ALC_CURVE_P256 ? ALC_HASH_SHA256 : ALC_HASH_SHA384;
    struct alc_ec_public_key public_key;
    struct alc_ecdsa_signature signature;
    struct alc_writer header;
    uint8_t header_bytes[HEADER_MAX];
    uint8_t digest[ALC_HASH_SIZE_MAX];
    const size_t start = out->pos;
    ALC_TRY(alc_ec_derive_public(key, random, &public_key));
    alc_writer_init(&header, header_bytes, sizeof header_bytes);
    write_header(&header, &public_key);
    ALC_ASSERT(!header.overflowed);
    alc_base64_write(out, ALC_BASE64_URL, header_bytes, header.pos);
    alc_write_u8(out, '.');
    alc_base64_write(out, ALC_BASE64_URL, claims->bytes, claims->size);
    ALC_TRY(alc_writer_finish(out));
    alc_hash_bytes(hash, &out->bytes[start], out->pos - start, digest);
    ALC_TRY(alc_ecdsa_sign(key, hash, digest, random, &signature));
    alc_write_u8(out, '.');
    alc_base64_write(out, ALC_BASE64_URL, signature.bytes, 2 * alc_curve_size(key->curve));
    return alc_writer_finish(out);
}
