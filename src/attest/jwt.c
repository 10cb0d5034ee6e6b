/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed tokens.
 */
#include "attest/jwt.h"

#include "attest/json_write.h"
#include "base/base64.h"
#include "base/bytes.h"

enum { COORDINATE_MAX = 64 };

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

/* The key says its algorithm as well: there are verifiers that look for it there. */
void alc_jwt_write_header(struct alc_writer *writer, const struct alc_ec_public_key *key)
{
    const char *algorithm = key->curve == ALC_CURVE_P256 ? "ES256" : "ES384";
    const size_t size = alc_curve_size(key->curve);
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, false);
    alc_json_open_object(&json, NULL);
    alc_json_write_string(&json, "typ", "JWT");
    alc_json_write_string(&json, "alg", algorithm);
    alc_json_open_object(&json, "jwk");
    alc_json_write_string(&json, "kty", "EC");
    alc_json_write_string(&json, "crv", key->curve == ALC_CURVE_P256 ? "P-256" : "P-384");
    alc_json_write_string(&json, "alg", algorithm);
    write_coordinate(&json, "x", key->point, size);
    write_coordinate(&json, "y", &key->point[size], size);
    alc_json_close_object(&json);
    alc_json_close_object(&json);
}

alc_status alc_jwt_write(struct alc_writer *out, const struct alc_text *header,
                         const struct alc_text *claims, const struct alc_jwt_signer *signer)
{
    uint8_t signature[ALC_JWT_SIGNATURE_MAX];
    size_t size;
    const size_t start = out->pos;
    alc_base64_write(out, ALC_BASE64_URL, header->bytes, header->size);
    alc_write_u8(out, '.');
    alc_base64_write(out, ALC_BASE64_URL, claims->bytes, claims->size);
    ALC_TRY(alc_writer_finish(out));
    ALC_TRY(signer->sign(signer->context, &out->bytes[start], out->pos - start, signature, &size));
    alc_write_u8(out, '.');
    alc_base64_write(out, ALC_BASE64_URL, signature, size);
    return alc_writer_finish(out);
}

struct own_key {
    const struct alc_ec_private_key *key;
    const struct alc_random *random;
};

static alc_status sign_with_own(void *context, const uint8_t *text, size_t size,
                                uint8_t out[ALC_JWT_SIGNATURE_MAX], size_t *out_size)
{
    const struct own_key *own = context;
    const enum alc_hash_kind hash =
        own->key->curve == ALC_CURVE_P256 ? ALC_HASH_SHA256 : ALC_HASH_SHA384;
    struct alc_ecdsa_signature signature;
    uint8_t digest[ALC_HASH_SIZE_MAX];
    alc_hash_bytes(hash, text, size, digest);
    ALC_TRY(alc_ecdsa_sign(own->key, hash, digest, own->random, &signature));
    *out_size = 2 * alc_curve_size(own->key->curve);
    alc_copy(out, signature.bytes, *out_size);
    return ALC_OK;
}

alc_status alc_jwt_sign(struct alc_writer *out, const struct alc_text *claims,
                        const struct alc_ec_private_key *key, const struct alc_random *random)
{
    struct own_key own = {key, random};
    const struct alc_jwt_signer signer = {sign_with_own, &own};
    struct alc_ec_public_key public_key;
    struct alc_writer writer;
    uint8_t header[ALC_JWT_HEADER_MAX];
    ALC_TRY(alc_ec_derive_public(key, random, &public_key));
    alc_writer_init(&writer, header, sizeof header);
    alc_jwt_write_header(&writer, &public_key);
    ALC_ASSERT(!writer.overflowed);
    return alc_jwt_write(out, &(struct alc_text){header, writer.pos}, claims, &signer);
}
