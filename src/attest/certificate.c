/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates, lists of revoked ones, and chains.
 */
#include "attest/certificate.h"

#include "base/bytes.h"

/* AlgorithmIdentifier of ecdsa-with-SHA256, whole. */
static const uint8_t ecdsa_with_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                            0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
/* The identifier of RSASSA-PSS and its parameters: SHA-384, MGF1 with SHA-384, a salt of 48 bytes
 * (RFC 4055, 3.1). Behind them AMD writes the trailer, which is always the same and in DER should
 * not be there. */
static const uint8_t oid_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
static const uint8_t pss_with_sha384[] = {
    0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48,
    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
    0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30};
static const uint8_t pss_trailer[] = {0xa3, 0x03, 0x02, 0x01, 0x01};
static const uint8_t oid_common_name[] = {0x55, 0x04, 0x03};
static const uint8_t oid_basic_constraints[] = {0x55, 0x1d, 0x13};
static const uint8_t oid_key_usage[] = {0x55, 0x1d, 0x0f};
/* 1.2.840.113741.1.13.1 */
static const uint8_t oid_sgx[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum { USAGE_CERTIFICATE_SIGN = 0x04, USAGE_LIST_SIGN = 0x02 }; /* of the first byte */
enum { CERTIFICATE_SIZE_MAX = 4096 };

static bool is_pss(struct alc_reader content)
{
    struct alc_der oid;
    struct alc_der parameters;
    const uint8_t *fixed;
    content.error = NULL;
    if (alc_der_read(&content, ALC_DER_OBJECT_IDENTIFIER, &oid) != ALC_OK ||
        alc_der_read(&content, ALC_DER_SEQUENCE, &parameters) != ALC_OK ||
        alc_der_end(&content) != ALC_OK ||
        alc_read_bytes(&parameters.content, sizeof pss_with_sha384, &fixed) != ALC_OK) {
        return false;
    }
    size_t rest_size = alc_reader_remaining(&parameters.content);
    const uint8_t *rest = parameters.content.bytes + parameters.content.pos;
    return alc_der_has_content(&oid, oid_pss, sizeof oid_pss) &&
           alc_equal(fixed, pss_with_sha384, sizeof pss_with_sha384) &&
           (rest_size == 0 ||
            (rest_size == sizeof pss_trailer && alc_equal(rest, pss_trailer, rest_size)));
}

static alc_status read_algorithm(struct alc_reader *reader, enum alc_certificate_profile profile)
{
    const struct alc_reader start = *reader;
    struct alc_der algorithm;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &algorithm));
    bool is_known = profile == ALC_CERTIFICATE_AMD
                        ? is_pss(algorithm.content)
                        : algorithm.size == sizeof ecdsa_with_sha256 &&
                              alc_equal(algorithm.bytes, ecdsa_with_sha256, algorithm.size);
    return is_known ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
}

/* BIT STRING of whole bytes. */
static alc_status read_whole_bits(struct alc_reader *reader, struct alc_der *out)
{
    const struct alc_reader start = *reader;
    uint8_t unused;
    ALC_TRY(alc_der_read(reader, ALC_DER_BIT_STRING, out));
    ALC_TRY(alc_read_u8(&out->content, &unused));
    return unused == 0 ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_DER);
}

static alc_status read_signature(struct alc_reader *reader, enum alc_certificate_profile profile,
                                 struct alc_signed *out)
{
    struct alc_der bits;
    ALC_TRY(read_whole_bits(reader, &bits));
    if (profile == ALC_CERTIFICATE_AMD) {
        const struct alc_reader start = bits.content;
        ALC_TRY(alc_read_bytes(&bits.content, ALC_RSA_SIZE, &out->rsa_signature));
        return alc_reader_at_end(&bits.content) ? ALC_OK
                                                : alc_reader_fail(&start, ALC_E_BAD_SIGNATURE);
    }
    struct alc_reader signature;
    ALC_TRY(alc_read_sub(&bits.content, alc_reader_remaining(&bits.content), &signature));
    return alc_ecdsa_read_der(&signature, ALC_CURVE_P256, &out->signature);
}

/* SEQUENCE { what is signed, algorithm, signature }: *out_inner reads what is signed. */
static alc_status read_signed(struct alc_reader *reader, enum alc_certificate_profile profile,
                              struct alc_signed *out, struct alc_reader *out_inner)
{
    struct alc_der whole;
    struct alc_der inner;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &whole));
    ALC_TRY(alc_der_end(reader));
    ALC_TRY(alc_der_read(&whole.content, ALC_DER_SEQUENCE, &inner));
    ALC_TRY(read_algorithm(&whole.content, profile));
    ALC_TRY(read_signature(&whole.content, profile, out));
    ALC_TRY(alc_der_end(&whole.content));
    out->bytes = inner.bytes;
    out->size = inner.size;
    *out_inner = inner.content;
    return ALC_OK;
}

static alc_status check_signature(const struct alc_signed *part,
                                  const struct alc_certificate *issuer,
                                  const struct alc_known_signatures *known)
{
    uint8_t digest[ALC_HASH_SIZE_MAX];
    if (part->issuer.size != issuer->subject.size ||
        !alc_equal(part->issuer.bytes, issuer->subject.bytes, issuer->subject.size) ||
        (part->rsa_signature != NULL) != (issuer->rsa_modulus != NULL)) {
        return ALC_E_BAD_CERTIFICATE;
    }
    if (part->rsa_signature != NULL) {
        alc_hash_bytes(ALC_HASH_SHA384, part->bytes, part->size, digest);
        return alc_rsa_pss_verify(issuer->rsa_modulus, ALC_HASH_SHA384, digest,
                                  part->rsa_signature);
    }
    alc_sha256(part->bytes, part->size, digest);
    return alc_signature_verify(known, &issuer->key, digest, ALC_SHA256_SIZE, &part->signature);
}

/* -- extensions -- */

/* BasicConstraints: whether it is an authority. The length of paths is bounded by
 * ALC_CHAIN_CERTIFICATES_MAX and by there being one leaf. */
static alc_status read_basic_constraints(struct alc_reader *value, struct alc_certificate *out)
{
    struct alc_der sequence;
    ALC_TRY(alc_der_read(value, ALC_DER_SEQUENCE, &sequence));
    ALC_TRY(alc_der_end(value));
    if (alc_der_is_next(&sequence.content, ALC_DER_BOOLEAN)) {
        struct alc_der flag;
        ALC_TRY(alc_der_read(&sequence.content, ALC_DER_BOOLEAN, &flag));
        out->is_authority = alc_der_has_content(&flag, "\xff", 1);
    }
    if (alc_der_is_next(&sequence.content, ALC_DER_INTEGER)) {
        uint32_t path_length;
        ALC_TRY(alc_der_read_u32(&sequence.content, &path_length));
    }
    return alc_der_end(&sequence.content);
}

static alc_status read_key_usage(struct alc_reader *value, struct alc_certificate *out)
{
    struct alc_der bits;
    uint8_t unused;
    uint8_t first = 0;
    ALC_TRY(alc_der_read(value, ALC_DER_BIT_STRING, &bits));
    ALC_TRY(alc_der_end(value));
    ALC_TRY(alc_read_u8(&bits.content, &unused));
    if (!alc_reader_at_end(&bits.content)) {
        ALC_TRY(alc_read_u8(&bits.content, &first));
    }
    out->may_sign_certificates = (first & USAGE_CERTIFICATE_SIGN) != 0;
    out->may_sign_lists = (first & USAGE_LIST_SIGN) != 0;
    return ALC_OK;
}

static bool is_oid(const struct alc_der *oid, const uint8_t *bytes, size_t size)
{
    return alc_der_has_content(oid, bytes, size);
}

alc_status alc_extension_read(struct alc_reader *reader, struct alc_extension *out)
{
    struct alc_der extension;
    struct alc_der value;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &extension));
    ALC_TRY(alc_der_read(&extension.content, ALC_DER_OBJECT_IDENTIFIER, &out->oid));
    out->is_critical = false;
    if (alc_der_is_next(&extension.content, ALC_DER_BOOLEAN)) {
        struct alc_der flag;
        ALC_TRY(alc_der_read(&extension.content, ALC_DER_BOOLEAN, &flag));
        out->is_critical = !alc_der_has_content(&flag, "\0", 1);
    }
    ALC_TRY(alc_der_read(&extension.content, ALC_DER_OCTET_STRING, &value));
    out->value = value.content;
    return alc_der_end(&extension.content);
}

static alc_status read_extension(struct alc_reader *reader, struct alc_certificate *out)
{
    const struct alc_reader start = *reader;
    struct alc_extension extension;
    ALC_TRY(alc_extension_read(reader, &extension));
    if (is_oid(&extension.oid, oid_basic_constraints, sizeof oid_basic_constraints)) {
        return read_basic_constraints(&extension.value, out);
    }
    if (is_oid(&extension.oid, oid_key_usage, sizeof oid_key_usage)) {
        return read_key_usage(&extension.value, out);
    }
    if (is_oid(&extension.oid, oid_sgx, sizeof oid_sgx)) {
        if (out->has_sgx_extension) {
            return alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
        }
        out->has_sgx_extension = true;
        out->sgx_extension = extension.value;
        return ALC_OK;
    }
    return extension.is_critical ? alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE) : ALC_OK;
}

static alc_status read_extensions(struct alc_reader *reader, struct alc_certificate *out)
{
    struct alc_der wrapper;
    struct alc_der extensions;
    ALC_TRY(alc_der_read(reader, ALC_DER_CONTEXT_3, &wrapper));
    ALC_TRY(alc_der_read(&wrapper.content, ALC_DER_SEQUENCE, &extensions));
    ALC_TRY(alc_der_end(&wrapper.content));
    out->extensions = extensions.content;
    while (!alc_reader_at_end(&extensions.content)) {
        ALC_TRY(read_extension(&extensions.content, out));
    }
    return ALC_OK;
}

/* -- certificates -- */

alc_status alc_certificate_read_version(struct alc_reader *reader)
{
    const struct alc_reader start = *reader;
    struct alc_der wrapper;
    uint32_t version;
    ALC_TRY(alc_der_read(reader, ALC_DER_CONTEXT_0, &wrapper));
    ALC_TRY(alc_der_read_u32(&wrapper.content, &version));
    ALC_TRY(alc_der_end(&wrapper.content));
    return version == 2 ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
}

alc_status alc_certificate_read_validity(struct alc_reader *reader, int64_t *not_before_s,
                                         int64_t *not_after_s)
{
    struct alc_der validity;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &validity));
    ALC_TRY(alc_der_read_time(&validity.content, not_before_s));
    ALC_TRY(alc_der_read_time(&validity.content, not_after_s));
    return alc_der_end(&validity.content);
}

/* Name: SEQUENCE of SETs of SEQUENCE { type, value }. */
static alc_status read_subject(struct alc_reader *reader, struct alc_certificate *out)
{
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &out->subject));
    struct alc_reader names = out->subject.content;
    while (!alc_reader_at_end(&names)) {
        struct alc_der set;
        struct alc_der pair;
        struct alc_der type;
        struct alc_der value;
        ALC_TRY(alc_der_read(&names, ALC_DER_SET, &set));
        ALC_TRY(alc_der_read(&set.content, ALC_DER_SEQUENCE, &pair));
        ALC_TRY(alc_der_read(&pair.content, ALC_DER_OBJECT_IDENTIFIER, &type));
        ALC_TRY(alc_der_read_any(&pair.content, &value));
        if (is_oid(&type, oid_common_name, sizeof oid_common_name)) {
            out->common_name = (struct alc_text){value.content.bytes, value.content.size};
        }
    }
    return ALC_OK;
}

/* SubjectPublicKeyInfo. */
static alc_status read_key(struct alc_reader *reader, enum alc_certificate_profile profile,
                           struct alc_certificate *out)
{
    const struct alc_reader start = *reader;
    const enum alc_curve curve = profile == ALC_CERTIFICATE_AMD ? ALC_CURVE_P384 : ALC_CURVE_P256;
    struct alc_der key;
    struct alc_reader again = start;
    struct alc_reader spki;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &key));
    ALC_TRY(alc_read_sub(&again, key.size, &spki));
    if (profile == ALC_CERTIFICATE_AMD && key.size > ALC_EC_SPKI_SIZE_MAX) {
        return alc_rsa_read_spki(&spki, &out->rsa_modulus);
    }
    ALC_TRY(alc_ec_read_spki(&spki, &out->key));
    return out->key.curve == curve ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
}

alc_status alc_certificate_read(struct alc_reader *reader, enum alc_certificate_profile profile,
                                struct alc_certificate *out)
{
    const struct alc_reader start = *reader;
    struct alc_reader inner;
    alc_fill(out, 0, sizeof *out);
    out->bytes = start.bytes + start.pos;
    out->size = alc_reader_remaining(&start);
    ALC_TRY(read_signed(reader, profile, &out->signed_part, &inner));
    ALC_TRY(alc_certificate_read_version(&inner));
    ALC_TRY(alc_der_read(&inner, ALC_DER_INTEGER, &out->serial));
    ALC_TRY(read_algorithm(&inner, profile));
    ALC_TRY(alc_der_read(&inner, ALC_DER_SEQUENCE, &out->signed_part.issuer));
    ALC_TRY(alc_certificate_read_validity(&inner, &out->not_before_s, &out->not_after_s));
    ALC_TRY(read_subject(&inner, out));
    ALC_TRY(read_key(&inner, profile, out));
    ALC_TRY(read_extensions(&inner, out));
    return alc_der_end(&inner);
}

alc_status alc_certificate_check_issuer(const struct alc_certificate *certificate,
                                        const struct alc_certificate *issuer,
                                        const struct alc_known_signatures *known)
{
    if (!issuer->is_authority || !issuer->may_sign_certificates) {
        return ALC_E_BAD_CERTIFICATE;
    }
    return check_signature(&certificate->signed_part, issuer, known);
}

/* -- chains -- */

static bool is_issued_by(const struct alc_certificate *certificate,
                         const struct alc_certificate *issuer)
{
    const struct alc_der *name = &certificate->signed_part.issuer;
    return name->size == issuer->subject.size &&
           alc_equal(name->bytes, issuer->subject.bytes, name->size);
}

/* Moves the issuer of the one before to `index`. */
static alc_status order(struct alc_chain *chain, size_t index)
{
    struct alc_certificate *certificates = chain->certificates;
    for (size_t i = index; i < chain->count; i++) {
        bool fits = index == 0 ? !certificates[i].is_authority
                               : is_issued_by(&certificates[index - 1], &certificates[i]);
        if (fits) {
            struct alc_certificate chosen = certificates[i];
            certificates[i] = certificates[index];
            certificates[index] = chosen;
            return ALC_OK;
        }
    }
    return ALC_E_BAD_CERTIFICATE;
}

static alc_status read_block(struct alc_arena *arena, struct alc_reader *reader,
                             enum alc_certificate_profile profile, struct alc_chain *chain)
{
    const uint64_t offset = alc_reader_offset(reader);
    uint8_t *bytes = alc_arena_peek(arena, CERTIFICATE_SIZE_MAX);
    size_t size;
    if (bytes == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    ALC_TRY(alc_pem_read(reader, "CERTIFICATE", bytes, CERTIFICATE_SIZE_MAX, &size));
    if (chain->count == ALC_CHAIN_CERTIFICATES_MAX) {
        return alc_reader_fail(reader, ALC_E_BAD_CERTIFICATE);
    }
    bytes = alc_arena_take(arena, size, 1);
    struct alc_reader block;
    alc_reader_init(&block, bytes, size, NULL);
    alc_status status = alc_certificate_read(&block, profile, &chain->certificates[chain->count]);
    if (status != ALC_OK) {
        return alc_fail(reader->error, status, offset);
    }
    chain->count++;
    return ALC_OK;
}

/* Reads what `chain` does not have yet and puts all into order. */
static alc_status complete(struct alc_arena *arena, struct alc_reader *reader,
                           enum alc_certificate_profile profile, struct alc_chain *chain)
{
    const struct alc_reader start = *reader;
    alc_status status;
    do {
        status = read_block(arena, reader, profile, chain);
    } while (status == ALC_OK);
    if (status != ALC_E_NOT_FOUND) {
        return status;
    }
    for (size_t i = 0; i < chain->count; i++) {
        if (order(chain, i) != ALC_OK) {
            return alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
        }
    }
    bool is_chain = chain->count >= 2 && is_issued_by(&chain->certificates[chain->count - 1],
                                                      &chain->certificates[chain->count - 1]);
    return is_chain ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
}

alc_status alc_chain_read(struct alc_arena *arena, struct alc_reader *reader,
                          enum alc_certificate_profile profile, struct alc_chain *out)
{
    out->count = 0;
    return complete(arena, reader, profile, out);
}

alc_status alc_chain_read_apart(struct alc_arena *arena, struct alc_reader *der,
                                struct alc_reader *pem, enum alc_certificate_profile profile,
                                struct alc_chain *out)
{
    ALC_TRY(alc_certificate_read(der, profile, &out->certificates[0]));
    out->count = 1;
    return complete(arena, pem, profile, out);
}

alc_status alc_chain_verify(const struct alc_chain *chain, const struct alc_known_signatures *known)
{
    for (size_t i = 0; i + 1 < chain->count; i++) {
        ALC_TRY(alc_certificate_check_issuer(&chain->certificates[i], &chain->certificates[i + 1],
                                             known));
    }
    return ALC_OK;
}

/* -- revocation lists -- */

static alc_status read_revoked(struct alc_reader *reader, struct alc_revocation_list *out)
{
    struct alc_der entries;
    struct alc_der entry;
    struct alc_der serial;
    int64_t date_s;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &entries));
    out->revoked = entries.content;
    while (!alc_reader_at_end(&entries.content)) {
        ALC_TRY(alc_der_read(&entries.content, ALC_DER_SEQUENCE, &entry));
        ALC_TRY(alc_der_read(&entry.content, ALC_DER_INTEGER, &serial));
        ALC_TRY(alc_der_read_time(&entry.content, &date_s));
    }
    return ALC_OK;
}

alc_status alc_revocation_list_read(struct alc_reader *reader, enum alc_certificate_profile profile,
                                    struct alc_revocation_list *out)
{
    struct alc_reader inner;
    uint32_t version;
    alc_fill(out, 0, sizeof *out);
    const struct alc_reader start = *reader;
    ALC_TRY(read_signed(reader, profile, &out->signed_part, &inner));
    ALC_TRY(alc_der_read_u32(&inner, &version));
    if (version != 1) {
        return alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
    }
    ALC_TRY(read_algorithm(&inner, profile));
    ALC_TRY(alc_der_read(&inner, ALC_DER_SEQUENCE, &out->signed_part.issuer));
    ALC_TRY(alc_der_read_time(&inner, &out->this_update_s));
    ALC_TRY(alc_der_read_time(&inner, &out->next_update_s));
    if (alc_der_is_next(&inner, ALC_DER_SEQUENCE)) {
        ALC_TRY(read_revoked(&inner, out));
    }
    if (alc_der_is_next(&inner, ALC_DER_CONTEXT_0)) {
        struct alc_der extensions;
        ALC_TRY(alc_der_read(&inner, ALC_DER_CONTEXT_0, &extensions));
    }
    return alc_der_end(&inner);
}

alc_status alc_revocation_list_check_issuer(const struct alc_revocation_list *list,
                                            const struct alc_certificate *issuer,
                                            const struct alc_known_signatures *known)
{
    if (!issuer->is_authority || !issuer->may_sign_lists) {
        return ALC_E_BAD_CERTIFICATE;
    }
    return check_signature(&list->signed_part, issuer, known);
}

/* The entries were read once, so that they can be now. A failure would count as revoked. */
bool alc_revocation_list_has(const struct alc_revocation_list *list,
                             const struct alc_certificate *certificate)
{
    struct alc_reader entries = list->revoked;
    entries.error = NULL;
    while (!alc_reader_at_end(&entries)) {
        struct alc_der entry;
        struct alc_der serial;
        if (alc_der_read(&entries, ALC_DER_SEQUENCE, &entry) != ALC_OK ||
            alc_der_read(&entry.content, ALC_DER_INTEGER, &serial) != ALC_OK ||
            alc_der_has_content(&serial, certificate->serial.content.bytes,
                                certificate->serial.content.size)) {
            return true;
        }
    }
    return false;
}
