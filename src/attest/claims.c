/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec of claims. Numbers and order of claims are those of claims.def.
 */
#include "attest/claims.h"

#include "base/bytes.h"
#include "base/cbor.h"

/* Keys of the claims-buffer in the order of their encodings. */
enum member { MEMBER_NONCE, MEMBER_ALCOVE, MEMBER_KEY_HASH, MEMBERS };
enum { MEMBERS_COUNT_MAX = 16 };

static const char *const member_names[MEMBERS] = {"nonce", "alcove", "pubkey-hash"};

static const int64_t labels[ALC_CLAIMS] = {
#define CLAIM(ident, label, form, presence, text) [ALC_CLAIM_##ident] = (label),
#include "attest/claims.def"
#undef CLAIM
};

const char *alc_claim_name(enum alc_claim claim)
{
    static const char *const names[ALC_CLAIMS] = {
#define CLAIM(ident, label, form, presence, text) [ALC_CLAIM_##ident] = #ident,
#include "attest/claims.def"
#undef CLAIM
    };
    ALC_ASSERT(claim < ALC_CLAIMS);
    return names[claim];
}

enum alc_hash_kind alc_named_hash_kind(uint64_t name)
{
    switch (name) {
    case ALC_NAMED_SHA256:
        return ALC_HASH_SHA256;
    case ALC_NAMED_SHA384:
        return ALC_HASH_SHA384;
    case ALC_NAMED_SHA512:
        return ALC_HASH_SHA512;
    default:
        return ALC_HASH_KINDS;
    }
}

/* -- writing -- */

static bool is_claimed(const struct alc_claims *claims, enum alc_claim claim)
{
    switch (claim) {
    case ALC_CLAIM_NATIVE:
        return claims->is_compiled;
    case ALC_CLAIM_VOUCHER_KEY:
        return claims->vouched_by == ALC_CLAIMED_VOUCHER_KEY;
    case ALC_CLAIM_ROLLBACK:
        return claims->has_sealed_mounts;
    case ALC_CLAIM_SOFTWARE:
    case ALC_CLAIM_VERSION:
    case ALC_CLAIM_WORKLOAD_ID:
    case ALC_CLAIM_MODULE:
    case ALC_CLAIM_VERIFIED:
    case ALC_CLAIM_VOUCHED_BY:
    case ALC_CLAIM_ASKED_BY:
    case ALC_CLAIMS:
        break;
    }
    return true;
}

static void write_claim(struct alc_writer *writer, const struct alc_claims *claims,
                        enum alc_claim claim)
{
    alc_cbor_write_int(writer, labels[claim]);
    switch (claim) {
    case ALC_CLAIM_SOFTWARE:
        alc_cbor_write_text(writer, claims->software.bytes, claims->software.size);
        break;
    case ALC_CLAIM_VERSION:
        alc_cbor_write_array(writer, 1);
        alc_cbor_write_text(writer, claims->version.bytes, claims->version.size);
        break;
    case ALC_CLAIM_WORKLOAD_ID:
        alc_cbor_write_bytes(writer, claims->workload_id, ALC_SHA256_SIZE);
        break;
    case ALC_CLAIM_MODULE:
        alc_cbor_write_bytes(writer, claims->module_sha256, ALC_SHA256_SIZE);
        break;
    case ALC_CLAIM_NATIVE:
        alc_cbor_write_bytes(writer, claims->native_sha256, ALC_SHA256_SIZE);
        break;
    case ALC_CLAIM_VERIFIED:
        alc_cbor_write_bool(writer, claims->is_verified);
        break;
    case ALC_CLAIM_VOUCHED_BY:
        alc_cbor_write_uint(writer, claims->vouched_by);
        break;
    case ALC_CLAIM_VOUCHER_KEY:
        alc_cbor_write_bytes(writer, claims->voucher_key_sha256, ALC_SHA256_SIZE);
        break;
    case ALC_CLAIM_ASKED_BY:
        alc_cbor_write_uint(writer, claims->asked_by);
        break;
    case ALC_CLAIM_ROLLBACK:
        alc_cbor_write_uint(writer, claims->rollback);
        break;
    case ALC_CLAIMS:
        break;
    }
}

void alc_claims_write(struct alc_writer *writer, const struct alc_claims *claims)
{
    size_t count = 0;
    for (size_t i = 0; i < ALC_CLAIMS; i++) {
        count += is_claimed(claims, (enum alc_claim)i);
    }
    alc_cbor_write_map(writer, count);
    for (size_t i = 0; i < ALC_CLAIMS; i++) {
        if (is_claimed(claims, (enum alc_claim)i)) {
            write_claim(writer, claims, (enum alc_claim)i);
        }
    }
}

static void write_name(struct alc_writer *writer, enum member member)
{
    alc_cbor_write_text(writer, member_names[member], alc_string_length(member_names[member]));
}

static void write_member(struct alc_writer *writer, enum member member, const struct alc_text *text)
{
    if (text->size != 0) {
        write_name(writer, member);
        alc_cbor_write_bytes(writer, text->bytes, text->size);
    }
}

static void write_key_hash(struct alc_writer *writer, const struct alc_claims_buffer *buffer)
{
    alc_cbor_write_array(writer, 2);
    alc_cbor_write_uint(writer, buffer->key_hash_kind);
    alc_cbor_write_bytes(writer, buffer->key_hash.bytes, buffer->key_hash.size);
}

void alc_claims_buffer_write(struct alc_writer *writer, const struct alc_claims_buffer *buffer)
{
    size_t count =
        0u + (buffer->nonce.size != 0) + (buffer->alcove.size != 0) + (buffer->key_hash.size != 0);
    alc_cbor_write_map(writer, count);
    write_member(writer, MEMBER_NONCE, &buffer->nonce);
    write_member(writer, MEMBER_ALCOVE, &buffer->alcove);
    if (buffer->key_hash.size != 0) {
        struct alc_writer measure;
        alc_writer_init(&measure, NULL, 0);
        write_key_hash(&measure, buffer);
        write_name(writer, MEMBER_KEY_HASH);
        alc_cbor_write_bytes_head(writer, measure.pos);
        write_key_hash(writer, buffer);
    }
}

void alc_claims_bind(const void *bytes, size_t size,
                     uint8_t out_report_data[ALC_EVIDENCE_REPORT_DATA_SIZE])
{
    alc_fill(out_report_data, 0, ALC_EVIDENCE_REPORT_DATA_SIZE);
    alc_sha256(bytes, size, out_report_data);
}

/* -- reading a claims-buffer -- */

static alc_status expect_end(const struct alc_reader *reader, alc_status otherwise)
{
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, otherwise);
}

static alc_status read_key_hash(struct alc_reader *reader, struct alc_claims_buffer *out)
{
    const struct alc_reader start = *reader;
    const uint8_t *bytes;
    size_t size;
    size_t count;
    struct alc_reader inner;
    ALC_TRY(alc_cbor_read_bytes(reader, &bytes, &size));
    struct alc_reader again = start;
    ALC_TRY(alc_read_skip(&again, reader->pos - start.pos - size));
    ALC_TRY(alc_read_sub(&again, size, &inner));
    ALC_TRY(alc_cbor_read_array(&inner, 2, &count));
    if (count != 2) {
        return alc_reader_fail(&start, ALC_E_BAD_CBOR);
    }
    ALC_TRY(alc_cbor_read_uint(&inner, &out->key_hash_kind));
    ALC_TRY(alc_cbor_read_bytes(&inner, &out->key_hash.bytes, &out->key_hash.size));
    return expect_end(&inner, ALC_E_BAD_CBOR);
}

static alc_status read_member(struct alc_reader *reader, const struct alc_text *name,
                              struct alc_claims_buffer *out)
{
    struct alc_text skipped;
    struct alc_text *text = &skipped;
    if (alc_text_is(name, member_names[MEMBER_KEY_HASH])) {
        return read_key_hash(reader, out);
    }
    if (alc_text_is(name, member_names[MEMBER_NONCE])) {
        text = &out->nonce;
    } else if (alc_text_is(name, member_names[MEMBER_ALCOVE])) {
        text = &out->alcove;
    }
    return alc_cbor_read_bytes(reader, &text->bytes, &text->size);
}

static bool is_among(const struct alc_text *name, const struct alc_text *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (name->size == names[i].size && alc_equal(name->bytes, names[i].bytes, name->size)) {
            return true;
        }
    }
    return false;
}

alc_status alc_claims_buffer_read(struct alc_reader *reader, struct alc_claims_buffer *out)
{
    struct alc_text names[MEMBERS_COUNT_MAX];
    size_t count;
    alc_fill(out, 0, sizeof *out);
    ALC_TRY(alc_cbor_read_map(reader, MEMBERS_COUNT_MAX, &count));
    for (size_t i = 0; i < count; i++) {
        const struct alc_reader start = *reader;
        ALC_TRY(alc_cbor_read_text(reader, &names[i].bytes, &names[i].size));
        if (is_among(&names[i], names, i)) {
            return alc_reader_fail(&start, ALC_E_BAD_CBOR);
        }
        ALC_TRY(read_member(reader, &names[i], out));
    }
    return expect_end(reader, ALC_E_BAD_CBOR);
}

/* -- reading a claims set -- */

static alc_status read_hash(struct alc_reader *reader, uint8_t out[ALC_SHA256_SIZE])
{
    const struct alc_reader start = *reader;
    const uint8_t *bytes;
    size_t size;
    ALC_TRY(alc_cbor_read_bytes(reader, &bytes, &size));
    if (size != ALC_SHA256_SIZE) {
        return alc_reader_fail(&start, ALC_E_BAD_CLAIMS);
    }
    alc_copy(out, bytes, size);
    return ALC_OK;
}

static alc_status read_number_below(struct alc_reader *reader, uint64_t limit, uint64_t *out)
{
    const struct alc_reader start = *reader;
    ALC_TRY(alc_cbor_read_uint(reader, out));
    return *out < limit ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CLAIMS);
}

static alc_status read_version(struct alc_reader *reader, struct alc_text *out)
{
    const struct alc_reader start = *reader;
    size_t count;
    ALC_TRY(alc_cbor_read_array(reader, 1, &count));
    if (count != 1) {
        return alc_reader_fail(&start, ALC_E_BAD_CLAIMS);
    }
    return alc_cbor_read_text(reader, &out->bytes, &out->size);
}

static alc_status read_claim(struct alc_reader *reader, enum alc_claim claim,
                             struct alc_claims *out)
{
    uint64_t number = 0;
    switch (claim) {
    case ALC_CLAIM_SOFTWARE:
        return alc_cbor_read_text(reader, &out->software.bytes, &out->software.size);
    case ALC_CLAIM_VERSION:
        return read_version(reader, &out->version);
    case ALC_CLAIM_WORKLOAD_ID:
        return read_hash(reader, out->workload_id);
    case ALC_CLAIM_MODULE:
        return read_hash(reader, out->module_sha256);
    case ALC_CLAIM_NATIVE:
        out->is_compiled = true;
        return read_hash(reader, out->native_sha256);
    case ALC_CLAIM_VERIFIED:
        return alc_cbor_read_bool(reader, &out->is_verified);
    case ALC_CLAIM_VOUCHED_BY:
        ALC_TRY(read_number_below(reader, ALC_CLAIMED_VOUCHERS, &number));
        out->vouched_by = (enum alc_claimed_voucher)number;
        return ALC_OK;
    case ALC_CLAIM_VOUCHER_KEY:
        return read_hash(reader, out->voucher_key_sha256);
    case ALC_CLAIM_ASKED_BY:
        ALC_TRY(read_number_below(reader, ALC_ASKED_BYS, &number));
        out->asked_by = (enum alc_asked_by)number;
        return ALC_OK;
    case ALC_CLAIM_ROLLBACK:
        ALC_TRY(read_number_below(reader, ALC_CLAIMED_ROLLBACKS, &number));
        out->has_sealed_mounts = true;
        out->rollback = (enum alc_claimed_rollback)number;
        return ALC_OK;
    case ALC_CLAIMS:
        break;
    }
    return ALC_E_BAD_CLAIMS;
}

static enum alc_claim find_claim(int64_t label)
{
    size_t claim = 0;
    while (claim < ALC_CLAIMS && labels[claim] != label) {
        claim++;
    }
    return (enum alc_claim)claim;
}

alc_status alc_claims_read(struct alc_reader *reader, struct alc_claims *out)
{
    const struct alc_reader start = *reader;
    uint32_t seen = 0;
    uint64_t previous = 0;
    size_t count;
    alc_fill(out, 0, sizeof *out);
    ALC_TRY(alc_cbor_read_map(reader, ALC_CLAIMS, &count));
    for (size_t i = 0; i < count; i++) {
        const struct alc_reader before = *reader;
        int64_t label;
        ALC_TRY(alc_cbor_read_label(reader, &previous, &label));
        enum alc_claim claim = find_claim(label);
        if (claim == ALC_CLAIMS) {
            return alc_reader_fail(&before, ALC_E_BAD_CLAIMS);
        }
        seen |= 1u << claim;
        ALC_TRY(read_claim(reader, claim, out));
    }
    for (size_t i = 0; i < ALC_CLAIMS; i++) {
        bool is_there = (seen & 1u << i) != 0;
        if (is_there != is_claimed(out, (enum alc_claim)i)) {
            return alc_reader_fail(&start, ALC_E_BAD_CLAIMS);
        }
    }
    return expect_end(reader, ALC_E_BAD_CBOR);
}
