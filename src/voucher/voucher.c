/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing and verifying vouchers.
 */
#include "voucher/voucher_internal.h"

#include "base/bytes.h"
#include "base/limits.h"

static void digest_statement(const uint8_t *statement, size_t size, uint8_t digest[ALC_SHA256_SIZE])
{
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, ALC_VOUCHER_CONTEXT, sizeof ALC_VOUCHER_CONTEXT);
    alc_sha256_update(&hash, statement, size);
    alc_sha256_finish(&hash, digest);
}

void alc_voucher_key_sha256(const struct alc_ec_public_key *key, uint8_t digest[ALC_SHA256_SIZE])
{
    uint8_t spki[ALC_EC_SPKI_SIZE_MAX];
    struct alc_writer writer;
    alc_writer_init(&writer, spki, sizeof spki);
    alc_ec_write_spki(&writer, key);
    alc_sha256(spki, writer.pos, digest);
}

/* The bytes that are signed lie within the voucher, so it is written whole and its last bytes, the
 * signature, are set in the end. */
alc_status alc_voucher_sign(const struct alc_voucher_statement *statement,
                            const struct alc_ec_private_key *key, const struct alc_random *random,
                            uint8_t *bytes, size_t size, size_t *out_size)
{
    struct alc_ec_public_key public_key;
    struct alc_ecdsa_signature signature = {{0}};
    uint8_t spki[ALC_EC_SPKI_SIZE_MAX];
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_writer writer;
    size_t statement_offset;
    if (key->curve != ALC_CURVE_P256) {
        return ALC_E_BAD_KEY;
    }
    ALC_TRY(alc_ec_derive_public(key, random, &public_key));
    alc_writer_init(&writer, spki, sizeof spki);
    alc_ec_write_spki(&writer, &public_key);
    struct alc_voucher_parts parts = {
        .key = spki, .key_size = writer.pos, .signature = signature.bytes};
    alc_writer_init(&writer, NULL, 0);
    alc_voucher_write_statement(&writer, statement);
    parts.statement_size = writer.pos;

    alc_writer_init(&writer, bytes, size);
    alc_voucher_write(&writer, &parts, statement, &statement_offset);
    *out_size = writer.pos;
    if (alc_writer_finish(&writer) != ALC_OK || writer.pos > ALC_LIMIT_VOUCHER_SIZE) {
        return ALC_E_BAD_VOUCHER;
    }
    digest_statement(bytes + statement_offset, parts.statement_size, digest);
    ALC_TRY(alc_ecdsa_sign(key, ALC_HASH_SHA256, digest, random, &signature));
    alc_copy(bytes + (writer.pos - ALC_VOUCHER_SIGNATURE_SIZE), signature.bytes,
             ALC_VOUCHER_SIGNATURE_SIZE);
    return ALC_OK;
}

alc_status alc_voucher_verify(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                              struct alc_voucher *out, struct alc_error *error)
{
    struct alc_voucher_parts parts;
    struct alc_ecdsa_signature signature = {{0}};
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_reader reader;
    *out = (struct alc_voucher){0};
    alc_reader_init(&reader, bytes, size, error);
    if (size > ALC_LIMIT_VOUCHER_SIZE) {
        return alc_reader_fail(&reader, ALC_E_BAD_VOUCHER);
    }
    ALC_TRY(alc_voucher_read_parts(&reader, &parts));

    alc_reader_init(&reader, parts.key, parts.key_size, error);
    reader.origin = parts.key_offset;
    ALC_TRY(alc_ec_read_spki_form(&reader, &out->key));
    if (out->key.curve != ALC_CURVE_P256) {
        return alc_fail(error, ALC_E_BAD_KEY, parts.key_offset);
    }
    alc_sha256(parts.key, parts.key_size, out->vouched_by);
    digest_statement(parts.statement, parts.statement_size, digest);
    alc_copy(signature.bytes, parts.signature, ALC_VOUCHER_SIGNATURE_SIZE);
    alc_status status = alc_ecdsa_verify(&out->key, digest, sizeof digest, &signature);
    if (status != ALC_OK) {
        return alc_fail(error, status,
                        status == ALC_E_BAD_KEY ? parts.key_offset
                                                : size - ALC_VOUCHER_SIGNATURE_SIZE);
    }

    alc_reader_init(&reader, parts.statement, parts.statement_size, error);
    reader.origin = parts.statement_offset;
    return alc_voucher_read_statement(arena, &reader, &out->statement);
}

alc_status alc_voucher_check_hashes(const struct alc_voucher *voucher,
                                    const uint8_t module_sha256[ALC_SHA256_SIZE],
                                    const uint8_t native_sha256[ALC_SHA256_SIZE],
                                    struct alc_error *error)
{
    const struct alc_voucher_statement *statement = &voucher->statement;
    if (!alc_equal(statement->module_sha256, module_sha256, ALC_SHA256_SIZE)) {
        return alc_fail(error, ALC_E_VOUCHER_FOR_OTHER_MODULE, ALC_NO_OFFSET);
    }
    if (!alc_equal(statement->native_sha256, native_sha256, ALC_SHA256_SIZE)) {
        return alc_fail(error, ALC_E_VOUCHER_FOR_OTHER_CODE, ALC_NO_OFFSET);
    }
    return ALC_OK;
}

static uint64_t tighter(uint64_t allowed, uint64_t wanted)
{
    return allowed == 0 || (wanted != 0 && wanted < allowed) ? wanted : allowed;
}

struct alc_voucher_limits alc_voucher_limits_tighten(const struct alc_voucher_limits *allowed,
                                                     const struct alc_voucher_limits *wanted)
{
    return (struct alc_voucher_limits){
        .fuel = tighter(allowed->fuel, wanted->fuel),
        .memory_size = tighter(allowed->memory_size, wanted->memory_size),
        .timeout_ns = tighter(allowed->timeout_ns, wanted->timeout_ns),
    };
}

alc_status alc_voucher_accept(struct alc_arena *arena, const struct alc_voucher_question *question,
                              struct alc_voucher_limits *out_limits, struct alc_error *error)
{
    struct alc_voucher voucher;
    const size_t mark = alc_arena_mark(arena);
    if (question->size == 0) {
        return alc_fail(error, ALC_E_NATIVE_NOT_VOUCHED, ALC_NO_OFFSET);
    }
    alc_status status = alc_voucher_verify(arena, question->bytes, question->size, &voucher, error);
    alc_arena_reset(arena, mark);
    ALC_TRY(status);
    if (!alc_equal(voucher.vouched_by, question->key_sha256, ALC_SHA256_SIZE)) {
        return alc_fail(error, ALC_E_NATIVE_NOT_VOUCHED, ALC_NO_OFFSET);
    }
    *out_limits = alc_voucher_limits_tighten(&voucher.statement.limits, &question->wanted);
    return alc_voucher_check_hashes(&voucher, question->module_sha256, question->native_sha256,
                                    error);
}
