/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates, lists of revoked ones, and chains.
 */
#include "attest/certificate.h"

#include "base/bytes.h"

/* AlgorithmIdentifier of ecdsa-with-SHA256, whole. */
static const uint8_t ecdsa_with_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                            0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t oid_basic_constraints[] = {0x55, 0x1d, 0x13};
static const uint8_t oid_key_usage[] = {0x55, 0x1d, 0x0f};
/* 1.2.840.113741.1.13.1 */
static const uint8_t oid_sgx[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum { USAGE_CERTIFICATE_SIGN = 0x04, USAGE_LIST_SIGN = 0x02 }; /* of the first byte */
enum { CERTIFICATE_SIZE_MAX = 4096 };

static alc_status read_algorithm(struct alc_reader *reader)
{
    const struct alc_reader start = *reader;
    struct alc_der algorithm;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &algorithm));
    return algorithm.size == sizeof ecdsa_with_sha256 &&
                   alc_equal(algorithm.bytes, ecdsa_with_sha256, algorithm.size)
               ? ALC_OK
               : alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
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

/* SEQUENCE { what is signed, algorithm, signature }: *out_inner reads what is signed. */
static alc_status read_signed(struct alc_reader *reader, struct alc_signed *out,
                              struct alc_reader *out_inner)
{
    struct alc_der whole;
    struct alc_der inner;
    struct alc_der bits;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &whole));
    ALC_TRY(alc_der_end(reader));
    ALC_TRY(alc_der_read(&whole.content, ALC_DER_SEQUENCE, &inner));
    ALC_TRY(read_algorithm(&whole.content));
    ALC_TRY(read_whole_bits(&whole.content, &bits));
    ALC_TRY(alc_der_end(&whole.content));
    struct alc_reader signature;
    ALC_TRY(alc_read_sub(&bits.content, alc_reader_remaining(&bits.content), &signature));
    ALC_TRY(alc_ecdsa_read_der(&signature, ALC_CURVE_P256, &out->signature));
    out->bytes = inner.bytes;
    out->size = inner.size;
    *out_inner = inner.content;
    return ALC_OK;
}

static alc_status check_signature(const struct alc_signed *part,
                                  const struct alc_certificate *issuer,
                                  const struct alc_known_signatures *known)
{
    uint8_t digest[ALC_SHA256_SIZE];
    if (part->issuer.size != issuer->subject.size ||
        !alc_equal(part->issuer.bytes, issuer->subject.bytes, issuer->subject.size)) {
        return ALC_E_BAD_CERTIFICATE;
    }
    alc_sha256(part->bytes, part->size, digest);
    return alc_signature_verify(known, &issuer->key, digest, sizeof digest, &part->signature);
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

static alc_status read_extension(struct alc_reader *reader, struct alc_certificate *out)
{
    struct alc_der extension;
    struct alc_der oid;
    struct alc_der value;
    bool is_critical = false;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &extension));
    const struct alc_reader start = extension.content;
    ALC_TRY(alc_der_read(&extension.content, ALC_DER_OBJECT_IDENTIFIER, &oid));
    if (alc_der_is_next(&extension.content, ALC_DER_BOOLEAN)) {
        struct alc_der flag;
        ALC_TRY(alc_der_read(&extension.content, ALC_DER_BOOLEAN, &flag));
        is_critical = !alc_der_has_content(&flag, "\0", 1);
    }
    ALC_TRY(alc_der_read(&extension.content, ALC_DER_OCTET_STRING, &value));
    ALC_TRY(alc_der_end(&extension.content));
    if (is_oid(&oid, oid_basic_constraints, sizeof oid_basic_constraints)) {
        return read_basic_constraints(&value.content, out);
    }
    if (is_oid(&oid, oid_key_usage, sizeof oid_key_usage)) {
        return read_key_usage(&value.content, out);
    }
    if (is_oid(&oid, oid_sgx, sizeof oid_sgx)) {
        if (out->has_sgx_extension) {
            return alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
        }
        out->has_sgx_extension = true;
        out->sgx_extension = value.content;
        return ALC_OK;
    }
    return is_critical ? alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE) : ALC_OK;
}

static alc_status read_extensions(struct alc_reader *reader, struct alc_certificate *out)
{
    struct alc_der wrapper;
    struct alc_der extensions;
    ALC_TRY(alc_der_read(reader, ALC_DER_CONTEXT_3, &wrapper));
    ALC_TRY(alc_der_read(&wrapper.content, ALC_DER_SEQUENCE, &extensions));
    ALC_TRY(alc_der_end(&wrapper.content));
    while (!alc_reader_at_end(&extensions.content)) {
        ALC_TRY(read_extension(&extensions.content, out));
    }
    return ALC_OK;
}

/* -- certificates -- */

static alc_status read_version_3(struct alc_reader *reader)
{
    const struct alc_reader start = *reader;
    struct alc_der wrapper;
    uint32_t version;
    ALC_TRY(alc_der_read(reader, ALC_DER_CONTEXT_0, &wrapper));
    ALC_TRY(alc_der_read_u32(&wrapper.content, &version));
    ALC_TRY(alc_der_end(&wrapper.content));
    return version == 2 ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
}

static alc_status read_validity(struct alc_reader *reader, struct alc_certificate *out)
{
    struct alc_der validity;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &validity));
    ALC_TRY(alc_der_read_time(&validity.content, &out->not_before_s));
    ALC_TRY(alc_der_read_time(&validity.content, &out->not_after_s));
    return alc_der_end(&validity.content);
}

alc_status alc_certificate_read(struct alc_reader *reader, struct alc_certificate *out)
{
    const struct alc_reader start = *reader;
    struct alc_reader inner;
    struct alc_der key;
    alc_fill(out, 0, sizeof *out);
    out->bytes = start.bytes + start.pos;
    out->size = alc_reader_remaining(&start);
    ALC_TRY(read_signed(reader, &out->signed_part, &inner));
    ALC_TRY(read_version_3(&inner));
    ALC_TRY(alc_der_read(&inner, ALC_DER_INTEGER, &out->serial));
    ALC_TRY(read_algorithm(&inner));
    ALC_TRY(alc_der_read(&inner, ALC_DER_SEQUENCE, &out->signed_part.issuer));
    ALC_TRY(read_validity(&inner, out));
    ALC_TRY(alc_der_read(&inner, ALC_DER_SEQUENCE, &out->subject));
    const struct alc_reader before_key = inner;
    ALC_TRY(alc_der_read(&inner, ALC_DER_SEQUENCE, &key));
    struct alc_reader again = before_key;
    struct alc_reader spki;
    ALC_TRY(alc_read_sub(&again, key.size, &spki));
    ALC_TRY(alc_ec_read_spki(&spki, &out->key));
    if (out->key.curve != ALC_CURVE_P256) {
        return alc_reader_fail(&before_key, ALC_E_BAD_CERTIFICATE);
    }
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
                             struct alc_chain *chain)
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
    alc_status status = alc_certificate_read(&block, &chain->certificates[chain->count]);
    if (status != ALC_OK) {
        return alc_fail(reader->error, status, offset);
    }
    chain->count++;
    return ALC_OK;
}

alc_status alc_chain_read(struct alc_arena *arena, struct alc_reader *reader, struct alc_chain *out)
{
    const struct alc_reader start = *reader;
    alc_status status;
    out->count = 0;
    do {
        status = read_block(arena, reader, out);
    } while (status == ALC_OK);
    if (status != ALC_E_NOT_FOUND) {
        return status;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (order(out, i) != ALC_OK) {
            return alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
        }
    }
    bool is_chain = out->count >= 2 && is_issued_by(&out->certificates[out->count - 1],
                                                    &out->certificates[out->count - 1]);
    return is_chain ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
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

alc_status alc_revocation_list_read(struct alc_reader *reader, struct alc_revocation_list *out)
{
    struct alc_reader inner;
    uint32_t version;
    alc_fill(out, 0, sizeof *out);
    const struct alc_reader start = *reader;
    ALC_TRY(read_signed(reader, &out->signed_part, &inner));
    ALC_TRY(alc_der_read_u32(&inner, &version));
    if (version != 1) {
        return alc_reader_fail(&start, ALC_E_BAD_CERTIFICATE);
    }
    ALC_TRY(read_algorithm(&inner));
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
