/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-signed certificates with evidence in them, read. Input is hostile.
 */
#include "channel/certificate.h"

#include "attest/certificate.h"
#include "base/bytes.h"
#include "channel/certificate_internal.h"

struct bytes {
    const uint8_t *bytes;
    size_t size;
};
#define BYTES(array) {(array), sizeof(array)}

static const uint8_t oid_basic_constraints[] = {0x55, 0x1d, 0x13};
static const uint8_t oid_key_usage[] = {0x55, 0x1d, 0x0f};
static const uint8_t oid_extended_key_usage[] = {0x55, 0x1d, 0x25};
static const uint8_t oid_alternative_name[] = {0x55, 0x1d, 0x11};
/* 1.2.840.113741.1337.6 */
static const uint8_t oid_legacy_quote[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 0x06};
/* As Gramine writes it: with its own tag and length in front, 0.6.9.42.840.113741.1337.6. */
static const uint8_t oid_gramine_quote[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                            0xf8, 0x4d, 0x8a, 0x39, 0x06};

const uint8_t alc_oid_evidence[ALC_OID_DICE_SIZE] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
const uint8_t alc_oid_endorsements[ALC_OID_DICE_SIZE] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x02};
const uint8_t alc_ecdsa_with_sha256[ALC_ALGORITHM_SIZE] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                                           0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t ecdsa_with_sha384[ALC_ALGORITHM_SIZE] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                                              0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};

/* Critical ones may be these; their values say nothing that matters for a key whose owner is known
 * by evidence. */
static const struct bytes tolerated[] = {
    BYTES(oid_basic_constraints),
    BYTES(oid_key_usage),
    BYTES(oid_extended_key_usage),
    BYTES(oid_alternative_name),
};

static bool is_oid(const struct alc_der *oid, const struct bytes *wanted)
{
    return alc_der_has_content(oid, wanted->bytes, wanted->size);
}

static alc_status read_algorithm(struct alc_reader *reader, enum alc_hash_kind *out)
{
    const struct alc_reader start = *reader;
    struct alc_der algorithm;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &algorithm));
    if (algorithm.size == ALC_ALGORITHM_SIZE) {
        if (alc_equal(algorithm.bytes, alc_ecdsa_with_sha256, ALC_ALGORITHM_SIZE)) {
            *out = ALC_HASH_SHA256;
            return ALC_OK;
        }
        if (alc_equal(algorithm.bytes, ecdsa_with_sha384, ALC_ALGORITHM_SIZE)) {
            *out = ALC_HASH_SHA384;
            return ALC_OK;
        }
    }
    return alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
}

/* -- extensions -- */

static alc_status keep_extension(const struct alc_extension *extension,
                                 const struct alc_reader *start, struct alc_own_certificate *out)
{
    const struct {
        struct bytes oid;
        struct alc_text *place;
    } known[] = {
        {BYTES(alc_oid_evidence), &out->evidence},
        {BYTES(alc_oid_endorsements), &out->endorsements},
        {BYTES(oid_legacy_quote), &out->legacy_quote},
        {BYTES(oid_gramine_quote), &out->legacy_quote},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(known); i++) {
        if (is_oid(&extension->oid, &known[i].oid)) {
            if (known[i].place->bytes != NULL) {
                return alc_reader_fail(start, ALC_E_BAD_CERTIFICATE);
            }
            *known[i].place = (struct alc_text){extension->value.bytes, extension->value.size};
            return ALC_OK;
        }
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(tolerated); i++) {
        if (is_oid(&extension->oid, &tolerated[i])) {
            return ALC_OK;
        }
    }
    return extension->is_critical ? alc_reader_fail(start, ALC_E_BAD_CERTIFICATE) : ALC_OK;
}

static alc_status read_extension(struct alc_reader *reader, struct alc_own_certificate *out)
{
    const struct alc_reader start = *reader;
    struct alc_extension extension;
    ALC_TRY(alc_extension_read(reader, &extension));
    return keep_extension(&extension, &start, out);
}

static alc_status read_extensions(struct alc_reader *reader, struct alc_own_certificate *out)
{
    struct alc_der wrapper;
    struct alc_der extensions;
    if (alc_reader_at_end(reader)) {
        return ALC_OK;
    }
    ALC_TRY(alc_der_read(reader, ALC_DER_CONTEXT_3, &wrapper));
    ALC_TRY(alc_der_read(&wrapper.content, ALC_DER_SEQUENCE, &extensions));
    ALC_TRY(alc_der_end(&wrapper.content));
    while (!alc_reader_at_end(&extensions.content)) {
        ALC_TRY(read_extension(&extensions.content, out));
    }
    return alc_der_end(reader);
}

/* -- the certificate -- */

static alc_status read_key(struct alc_reader *reader, struct alc_own_certificate *out)
{
    const struct alc_reader start = *reader;
    struct alc_reader again = start;
    struct alc_reader spki;
    struct alc_der key;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &key));
    ALC_TRY(alc_read_sub(&again, key.size, &spki));
    ALC_TRY(alc_ec_read_spki_form(&spki, &out->key));
    out->spki = (struct alc_text){key.bytes, key.size};
    return ALC_OK;
}

/* What is signed. */
static alc_status read_inner(struct alc_reader *inner, struct alc_own_certificate *out)
{
    struct alc_der serial;
    struct alc_der name;
    enum alc_hash_kind hash;
    ALC_TRY(alc_certificate_read_version(inner));
    ALC_TRY(alc_der_read(inner, ALC_DER_INTEGER, &serial));
    const struct alc_reader before_algorithm = *inner;
    ALC_TRY(read_algorithm(inner, &hash));
    if (hash != out->hash) {
        return alc_reader_fail(&before_algorithm, ALC_E_BAD_CERTIFICATE);
    }
    ALC_TRY(alc_der_read(inner, ALC_DER_SEQUENCE, &name));
    ALC_TRY(alc_certificate_read_validity(inner, &out->not_before_s, &out->not_after_s));
    ALC_TRY(alc_der_read(inner, ALC_DER_SEQUENCE, &name));
    ALC_TRY(read_key(inner, out));
    return read_extensions(inner, out);
}

static alc_status check_own_signature(const struct alc_own_certificate *certificate)
{
    uint8_t digest[ALC_HASH_SIZE_MAX];
    alc_hash_bytes(certificate->hash, certificate->signed_part.bytes, certificate->signed_part.size,
                   digest);
    return alc_ecdsa_verify(&certificate->key, digest, alc_hash_size(certificate->hash),
                            &certificate->signed_part.signature);
}

alc_status alc_own_certificate_read(struct alc_reader *reader, struct alc_own_certificate *out)
{
    struct alc_der whole;
    struct alc_der inner;
    struct alc_der bits;
    struct alc_reader signature;
    uint8_t unused;
    alc_fill(out, 0, sizeof *out);
    if (alc_reader_remaining(reader) > ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE) {
        return alc_reader_fail(reader, ALC_E_CERTIFICATE_SIZE);
    }
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &whole));
    ALC_TRY(alc_der_end(reader));
    ALC_TRY(alc_der_read(&whole.content, ALC_DER_SEQUENCE, &inner));
    out->signed_part.bytes = inner.bytes;
    out->signed_part.size = inner.size;
    ALC_TRY(read_algorithm(&whole.content, &out->hash));
    ALC_TRY(read_inner(&inner.content, out));
    const struct alc_reader before_bits = whole.content;
    ALC_TRY(alc_der_read(&whole.content, ALC_DER_BIT_STRING, &bits));
    ALC_TRY(alc_der_end(&whole.content));
    ALC_TRY(alc_read_u8(&bits.content, &unused));
    if (unused != 0) {
        return alc_reader_fail(&before_bits, ALC_E_BAD_DER);
    }
    ALC_TRY(alc_read_sub(&bits.content, alc_reader_remaining(&bits.content), &signature));
    ALC_TRY(alc_ecdsa_read_der(&signature, out->key.curve, &out->signed_part.signature));
    return check_own_signature(out);
}
