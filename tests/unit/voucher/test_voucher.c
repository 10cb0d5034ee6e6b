/* SPDX-License-Identifier: Apache-2.0
 *
 * Vouchers: what is signed is verified, its signature is one of ECDSA by OpenSSL's judgement too,
 * and every changed byte, every cut and every other form is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/cbor.h"
#include "base/limits.h"
#include "keys/keys.h"
#include "voucher/voucher_internal.h"

#define TEXT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

static const struct alc_voucher_import imports[] = {
    {TEXT("wasi_snapshot_preview1"), TEXT("fd_write")},
    {TEXT("env"), TEXT("\xc3\xa9t\xc3\xa9")},
};

static const struct alc_voucher_statement statement = {
    .module_sha256 = {1, 2, 3},
    .native_sha256 = {4, 5, 6},
    .imports = imports,
    .imports_count = 2,
    .limits = {.fuel = 1000000, .timeout_ns = 5},
};

static uint8_t memory[1 << 16];
static struct alc_ec_private_key private_key;
static uint8_t good[1000];
static size_t good_size;

static int make_voucher(void **state)
{
    (void)state;
    struct alc_ec_public_key public_key;
    if (alc_ec_generate(ALC_CURVE_P256, &alc_keys_random, &private_key, &public_key) != ALC_OK) {
        return -1;
    }
    return alc_voucher_sign(&statement, &private_key, &alc_keys_random, good, sizeof good,
                            &good_size) == ALC_OK
               ? 0
               : -1;
}

static alc_status verify(const uint8_t *bytes, size_t size, struct alc_voucher *out,
                         struct alc_error *error)
{
    struct alc_arena arena;
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(error);
    return alc_voucher_verify(&arena, bytes, size, out, error);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct alc_voucher voucher;
    struct alc_error error;
    uint8_t again[sizeof good];
    size_t again_size;
    assert_int_equal(verify(good, good_size, &voucher, &error), ALC_OK);
    const struct alc_voucher_statement *read = &voucher.statement;
    assert_memory_equal(read->module_sha256, statement.module_sha256, ALC_SHA256_SIZE);
    assert_memory_equal(read->native_sha256, statement.native_sha256, ALC_SHA256_SIZE);
    assert_memory_equal(&read->limits, &statement.limits, sizeof statement.limits);
    assert_int_equal(read->imports_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(read->imports[i].module.size, imports[i].module.size);
        assert_memory_equal(read->imports[i].module.bytes, imports[i].module.bytes,
                            imports[i].module.size);
        assert_int_equal(read->imports[i].name.size, imports[i].name.size);
        assert_memory_equal(read->imports[i].name.bytes, imports[i].name.bytes,
                            imports[i].name.size);
    }
    /* Equal input, equal bytes. */
    assert_int_equal(alc_voucher_sign(&statement, &private_key, &alc_keys_random, again,
                                      sizeof again, &again_size),
                     ALC_OK);
    assert_int_equal(again_size, good_size);
    assert_memory_equal(again, good, good_size);
}

/* The signature and the name of the signer by OpenSSL alone. */
static void test_openssl_agrees(void **state)
{
    (void)state;
    struct alc_voucher_parts parts;
    struct alc_reader reader;
    struct alc_writer writer;
    struct alc_voucher voucher;
    struct alc_error error;
    struct alc_ecdsa_signature signature;
    uint8_t der[ALC_ECDSA_DER_SIZE_MAX];
    uint8_t digest[32];
    uint8_t *spki = NULL;
    alc_reader_init(&reader, good, good_size, NULL);
    assert_int_equal(alc_voucher_read_parts(&reader, &parts), ALC_OK);
    const uint8_t *key_bytes = parts.key;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &key_bytes, (long)parts.key_size);
    assert_non_null(key);
    memset(&signature, 0, sizeof signature);
    memcpy(signature.bytes, parts.signature, ALC_VOUCHER_SIGNATURE_SIZE);
    alc_writer_init(&writer, der, sizeof der);
    alc_ecdsa_write_der(&writer, ALC_CURVE_P256, &signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    EVP_DigestVerifyUpdate(ctx, "alcove voucher for native code 1", 33);
    EVP_DigestVerifyUpdate(ctx, parts.statement, parts.statement_size);
    assert_int_equal(EVP_DigestVerifyFinal(ctx, der, writer.pos), 1);
    EVP_MD_CTX_free(ctx);
    int spki_size = i2d_PUBKEY(key, &spki);
    assert_int_equal(EVP_Digest(spki, (size_t)spki_size, digest, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(verify(good, good_size, &voucher, &error), ALC_OK);
    assert_memory_equal(voucher.vouched_by, digest, sizeof digest);
    alc_voucher_key_sha256(&voucher.key, digest);
    assert_memory_equal(voucher.vouched_by, digest, sizeof digest);
    OPENSSL_free(spki);
    EVP_PKEY_free(key);
}

static void test_every_byte(void **state)
{
    (void)state;
    struct alc_voucher voucher;
    struct alc_error error;
    uint8_t changed[sizeof good + 1];
    memcpy(changed, good, good_size);
    for (size_t i = 0; i < good_size; i++) {
        changed[i] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(verify(changed, good_size, &voucher, &error), ALC_OK);
        assert_int_not_equal(error.status, ALC_OK);
        assert_true(error.offset <= good_size);
        changed[i] = good[i];
    }
    for (size_t cut = 0; cut < good_size; cut++) {
        assert_int_not_equal(verify(changed, cut, &voucher, &error), ALC_OK);
    }
    changed[good_size] = 0;
    assert_int_equal(verify(changed, good_size + 1, &voucher, &error), ALC_E_BAD_VOUCHER);
    assert_int_equal(error.offset, good_size);
}

/* Signs whatever bytes as a statement, so that what stands behind the signature is reached. */
static alc_status verify_statement(const void *bytes, size_t size)
{
    uint8_t voucher_bytes[2000];
    uint8_t spki[ALC_EC_SPKI_SIZE_MAX];
    uint8_t digest[32];
    struct alc_writer writer;
    struct alc_ec_public_key key;
    struct alc_ecdsa_signature signature;
    struct alc_sha256 hash;
    struct alc_voucher voucher;
    struct alc_error error;
    assert_int_equal(alc_ec_derive_public(&private_key, &alc_keys_random, &key), ALC_OK);
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, ALC_VOUCHER_CONTEXT, sizeof ALC_VOUCHER_CONTEXT);
    alc_sha256_update(&hash, bytes, size);
    alc_sha256_finish(&hash, digest);
    assert_int_equal(
        alc_ecdsa_sign(&private_key, ALC_HASH_SHA256, digest, &alc_keys_random, &signature),
        ALC_OK);
    alc_writer_init(&writer, spki, sizeof spki);
    alc_ec_write_spki(&writer, &key);
    size_t spki_size = writer.pos;
    alc_writer_init(&writer, voucher_bytes, sizeof voucher_bytes);
    alc_cbor_write_map(&writer, 4);
    alc_cbor_write_uint(&writer, 0);
    alc_cbor_write_uint(&writer, 1);
    alc_cbor_write_uint(&writer, 1);
    alc_cbor_write_bytes(&writer, bytes, size);
    alc_cbor_write_uint(&writer, 2);
    alc_cbor_write_bytes(&writer, spki, spki_size);
    alc_cbor_write_uint(&writer, 3);
    alc_cbor_write_bytes(&writer, signature.bytes, 64);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    alc_status status = verify(voucher_bytes, writer.pos, &voucher, &error);
    assert_true(status == ALC_OK ? error.status == ALC_OK : error.offset <= writer.pos);
    return status;
}

#define ZEROS32 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define HASHES "\x00\x58\x20" ZEROS32 "\x01\x58\x20" ZEROS32

static void test_malformed_statements(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *bytes;
        size_t size;
        alc_status status;
    } rows[] = {
#define ROW(why, bytes, status) {why, bytes, sizeof(bytes) - 1, status}
        ROW("no imports, no limits", "\xa4" HASHES "\x02\x80\x03\xa0", ALC_OK),
        ROW("one of each", "\xa4" HASHES "\x02\x81\x82\x61m\x61n\x03\xa1\x01\x05", ALC_OK),
        ROW("empty", "", ALC_E_UNEXPECTED_END),
        ROW("a key is missing", "\xa3" HASHES "\x02\x80", ALC_E_BAD_VOUCHER),
        ROW("a key is there twice", "\xa4" HASHES "\x01\x80\x03\xa0", ALC_E_BAD_VOUCHER),
        ROW("keys in another order",
            "\xa4\x01\x58\x20" ZEROS32 "\x00\x58\x20" ZEROS32 "\x02\x80\x03\xa0",
            ALC_E_BAD_VOUCHER),
        ROW("short digest", "\xa4\x00\x41\x00\x01\x58\x20" ZEROS32 "\x02\x80\x03\xa0",
            ALC_E_BAD_VOUCHER),
        ROW("import of one text", "\xa4" HASHES "\x02\x81\x81\x61m\x03\xa0", ALC_E_BAD_VOUCHER),
        ROW("import in bytes", "\xa4" HASHES "\x02\x81\x82\x41m\x61n\x03\xa0", ALC_E_BAD_CBOR),
        ROW("import is not UTF-8", "\xa4" HASHES "\x02\x81\x82\x61\xff\x61n\x03\xa0",
            ALC_E_BAD_UTF8),
        ROW("more imports than bytes", "\xa4" HASHES "\x02\x9a\xff\xff\xff\xff\x03\xa0",
            ALC_E_LENGTH_OUT_OF_BOUNDS),
        ROW("indefinite list", "\xa4" HASHES "\x02\x9f\xff\x03\xa0", ALC_E_BAD_CBOR),
        ROW("unknown limit", "\xa4" HASHES "\x02\x80\x03\xa1\x03\x05", ALC_E_BAD_VOUCHER),
        ROW("limit of 0", "\xa4" HASHES "\x02\x80\x03\xa1\x00\x00", ALC_E_BAD_VOUCHER),
        ROW("limit twice", "\xa4" HASHES "\x02\x80\x03\xa2\x00\x05\x00\x06", ALC_E_BAD_CBOR),
        ROW("limit in a longer form", "\xa4" HASHES "\x02\x80\x03\xa1\x00\x18\x05", ALC_E_BAD_CBOR),
        ROW("bytes behind", "\xa4" HASHES "\x02\x80\x03\xa0\x00", ALC_E_BAD_VOUCHER),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alc_status status = verify_statement(rows[i].bytes, rows[i].size);
        if (status != rows[i].status) {
            fail_msg("%s: %s", rows[i].why, alc_status_text(status));
        }
    }
}

/* A signature over the same bytes without the context is no voucher. */
static void test_context(void **state)
{
    (void)state;
    struct alc_voucher_parts parts;
    struct alc_reader reader;
    struct alc_voucher voucher;
    struct alc_error error;
    struct alc_ecdsa_signature signature;
    uint8_t digest[32];
    uint8_t changed[sizeof good];
    alc_reader_init(&reader, good, good_size, NULL);
    assert_int_equal(alc_voucher_read_parts(&reader, &parts), ALC_OK);
    alc_sha256(parts.statement, parts.statement_size, digest);
    assert_int_equal(
        alc_ecdsa_sign(&private_key, ALC_HASH_SHA256, digest, &alc_keys_random, &signature),
        ALC_OK);
    memcpy(changed, good, good_size);
    memcpy(changed + good_size - 64, signature.bytes, 64);
    assert_int_equal(verify(changed, good_size, &voucher, &error), ALC_E_BAD_SIGNATURE);
    assert_int_equal(error.offset, good_size - 64);
}

static void test_hashes(void **state)
{
    (void)state;
    struct alc_voucher voucher;
    struct alc_error error;
    uint8_t other[32] = {9};
    assert_int_equal(verify(good, good_size, &voucher, &error), ALC_OK);
    assert_int_equal(alc_voucher_check_hashes(&voucher, statement.module_sha256,
                                              statement.native_sha256, &error),
                     ALC_OK);
    assert_int_equal(alc_voucher_check_hashes(&voucher, other, statement.native_sha256, &error),
                     ALC_E_VOUCHER_FOR_OTHER_MODULE);
    alc_error_clear(&error);
    assert_int_equal(alc_voucher_check_hashes(&voucher, statement.module_sha256, other, &error),
                     ALC_E_VOUCHER_FOR_OTHER_CODE);
    assert_int_equal(error.status, ALC_E_VOUCHER_FOR_OTHER_CODE);
}

static void test_accept(void **state)
{
    (void)state;
    struct alc_voucher voucher;
    struct alc_error error;
    struct alc_arena arena;
    uint8_t other[32] = {9};
    assert_int_equal(verify(good, good_size, &voucher, &error), ALC_OK);
    uint8_t signer[32];
    memcpy(signer, voucher.vouched_by, sizeof signer);
    const struct alc_voucher_question question = {.bytes = good,
                                                  .size = good_size,
                                                  .module_sha256 = statement.module_sha256,
                                                  .native_sha256 = statement.native_sha256,
                                                  .key_sha256 = signer,
                                                  .wanted = {.fuel = 5, .memory_size = 6}};
    struct alc_voucher_limits limits;
    struct {
        struct alc_voucher_question question;
        alc_status status;
    } rows[] = {{question, ALC_OK},
                {question, ALC_E_NATIVE_NOT_VOUCHED},
                {question, ALC_E_NATIVE_NOT_VOUCHED},
                {question, ALC_E_VOUCHER_FOR_OTHER_MODULE},
                {question, ALC_E_VOUCHER_FOR_OTHER_CODE}};
    rows[1].question.size = 0;
    rows[2].question.key_sha256 = other;
    rows[3].question.module_sha256 = other;
    rows[4].question.native_sha256 = other;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alc_arena_init(&arena, memory, sizeof memory);
        alc_error_clear(&error);
        assert_int_equal(alc_voucher_accept(&arena, &rows[i].question, &limits, &error),
                         rows[i].status);
        assert_int_equal(alc_arena_mark(&arena), 0);
        assert_int_equal(error.status, rows[i].status);
    }
    assert_int_equal(alc_voucher_accept(&arena, &question, &limits, NULL), ALC_OK);
    assert_int_equal(limits.fuel, 5);
    assert_int_equal(limits.memory_size, 6);
    assert_int_equal(limits.timeout_ns, 5); /* the owner's */
}

static void test_limits_tighten(void **state)
{
    (void)state;
    const struct alc_voucher_limits allowed = {.fuel = 10, .memory_size = 20};
    const struct alc_voucher_limits wanted = {.fuel = 5, .memory_size = 30, .timeout_ns = 7};
    const struct alc_voucher_limits none = {0};
    struct alc_voucher_limits limits = alc_voucher_limits_tighten(&allowed, &wanted);
    assert_int_equal(limits.fuel, 5);
    assert_int_equal(limits.memory_size, 20);
    assert_int_equal(limits.timeout_ns, 7);
    limits = alc_voucher_limits_tighten(&allowed, &none);
    assert_memory_equal(&limits, &allowed, sizeof limits);
    limits = alc_voucher_limits_tighten(&none, &wanted);
    assert_memory_equal(&limits, &wanted, sizeof limits);
}

static void test_other_curve(void **state)
{
    (void)state;
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    uint8_t bytes[sizeof good];
    size_t size;
    assert_int_equal(alc_ec_generate(ALC_CURVE_P384, &alc_keys_random, &key, &public_key), ALC_OK);
    assert_int_equal(
        alc_voucher_sign(&statement, &key, &alc_keys_random, bytes, sizeof bytes, &size),
        ALC_E_BAD_KEY);
}

/* ALC_LIMIT_VOUCHER_SIZE: one of exactly that size is written and read, one byte more is not; nor
 * is one that does not fit the caller's buffer. */
static void test_size_limit(void **state)
{
    (void)state;
    static uint8_t bytes[ALC_LIMIT_VOUCHER_SIZE + 64];
    static uint8_t name[ALC_LIMIT_VOUCHER_SIZE];
    struct alc_voucher voucher;
    struct alc_error error;
    size_t size;
    struct alc_voucher_import import = {TEXT("m"), {name, ALC_LIMIT_VOUCHER_SIZE - 1024}};
    struct alc_voucher_statement large = {.imports = &import, .imports_count = 1};
    memset(name, 'n', sizeof name);
    assert_int_equal(
        alc_voucher_sign(&large, &private_key, &alc_keys_random, bytes, sizeof bytes, &size),
        ALC_OK);
    import.name.size += ALC_LIMIT_VOUCHER_SIZE - size;
    assert_int_equal(
        alc_voucher_sign(&large, &private_key, &alc_keys_random, bytes, sizeof bytes, &size),
        ALC_OK);
    assert_int_equal(size, ALC_LIMIT_VOUCHER_SIZE);
    assert_int_equal(verify(bytes, size, &voucher, &error), ALC_OK);
    assert_int_equal(verify(bytes, size + 1, &voucher, &error), ALC_E_BAD_VOUCHER);
    assert_int_equal(
        alc_voucher_sign(&large, &private_key, &alc_keys_random, bytes, size - 1, &size),
        ALC_E_BAD_VOUCHER);
    assert_int_equal(size, ALC_LIMIT_VOUCHER_SIZE);
    import.name.size++;
    assert_int_equal(
        alc_voucher_sign(&large, &private_key, &alc_keys_random, bytes, sizeof bytes, &size),
        ALC_E_BAD_VOUCHER);
    assert_int_equal(size, ALC_LIMIT_VOUCHER_SIZE + 1);
}

static void test_full_arena(void **state)
{
    (void)state;
    struct alc_arena arena;
    struct alc_voucher voucher;
    alc_arena_init(&arena, memory, sizeof(struct alc_voucher_import));
    assert_int_equal(alc_voucher_verify(&arena, good, good_size, &voucher, NULL),
                     ALC_E_OUT_OF_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_openssl_agrees),
        cmocka_unit_test(test_every_byte),     cmocka_unit_test(test_malformed_statements),
        cmocka_unit_test(test_context),        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_limits_tighten), cmocka_unit_test(test_accept),
        cmocka_unit_test(test_other_curve),    cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_full_arena),
    };
    return cmocka_run_group_tests(tests, make_voucher, NULL);
}
