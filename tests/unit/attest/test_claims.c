/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims: the bytes that others have for the same, round trips, and that every byte too many, too
 * few, changed or said twice is refused or means something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attest/evidence_file.h"
#include "base/bytes.h"

static struct alc_text text_of(const char *text)
{
    return (struct alc_text){(const uint8_t *)text, strlen(text)};
}

#define BYTES_OF(...)                                                                              \
    (struct alc_text)                                                                              \
    {                                                                                              \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                     \
    }

static struct alc_claims claims_of(bool is_compiled, enum alc_claimed_voucher voucher)
{
    struct alc_claims claims = {
        .software = text_of("alcove"),
        .version = text_of("0.1.0"),
        .is_compiled = is_compiled,
        .is_verified = true,
        .vouched_by = voucher,
        .asked_by = ALC_ASKED_BY_PROGRAM,
    };
    alc_fill(claims.workload_id, 1, 32);
    alc_fill(claims.module_sha256, 2, 32);
    if (is_compiled) {
        alc_fill(claims.native_sha256, 3, 32);
    }
    if (voucher == ALC_CLAIMED_VOUCHER_KEY) {
        alc_fill(claims.voucher_key_sha256, 4, 32);
    }
    return claims;
}

static size_t encode(const struct alc_claims *claims, uint8_t *out, size_t out_size)
{
    struct alc_writer writer;
    alc_writer_init(&writer, out, out_size);
    alc_claims_write(&writer, claims);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    return writer.pos;
}

static alc_status decode(const uint8_t *bytes, size_t size, struct alc_claims *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    return alc_claims_read(&reader, out);
}

static void claims_come_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2 * ALC_CLAIMED_VOUCHERS; kind++) {
        uint8_t bytes[512];
        uint8_t again[512];
        struct alc_claims claims = claims_of(kind % 2 != 0, (enum alc_claimed_voucher)(kind / 2));
        claims.has_sealed_mounts = kind % 3 != 0;
        claims.rollback = kind % 3 != 0 ? (enum alc_claimed_rollback)(kind % 3) : 0;
        struct alc_claims back;
        size_t size = encode(&claims, bytes, sizeof bytes);
        assert_int_equal(decode(bytes, size, &back), ALC_OK);
        assert_int_equal(encode(&back, again, sizeof again), size);
        assert_memory_equal(again, bytes, size);
        assert_memory_equal(back.workload_id, claims.workload_id, 32);
        assert_memory_equal(back.voucher_key_sha256, claims.voucher_key_sha256, 32);
        assert_int_equal(back.asked_by, ALC_ASKED_BY_PROGRAM);
        assert_int_equal(back.has_sealed_mounts, kind % 3 != 0);
        assert_int_equal(back.rollback, kind % 3);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_not_equal(decode(bytes, cut, &back), ALC_OK);
        }
        bytes[size] = 0;
        assert_int_equal(decode(bytes, size + 1, &back), ALC_E_BAD_CBOR);
    }
}

static void every_byte_counts(void **state)
{
    (void)state;
    uint8_t bytes[512];
    uint8_t again[512];
    struct alc_claims claims = claims_of(true, ALC_CLAIMED_VOUCHER_KEY);
    size_t size = encode(&claims, bytes, sizeof bytes);
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct alc_claims back;
            bytes[i] ^= (uint8_t)(1 << bit);
            if (decode(bytes, size, &back) == ALC_OK) { /* then it says exactly this */
                assert_int_equal(encode(&back, again, sizeof again), size);
                assert_memory_equal(again, bytes, size);
            }
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct alc_claims claims = claims_of(false, ALC_CLAIMED_VOUCHER_NOBODY);
    struct alc_claims back;
    size_t size = encode(&claims, bytes, sizeof bytes);
    bytes[0]--; /* the last claim is not counted, so it is behind the end, and missing */
    assert_int_equal(decode(bytes, size, &back), ALC_E_BAD_CLAIMS);
    claims = claims_of(false, ALC_CLAIMED_VOUCHER_KEY);
    size = encode(&claims, bytes, sizeof bytes);
    uint8_t *voucher = bytes + size - 5 - 1 - 5 - 34 - 1; /* value of VOUCHED_BY */
    assert_int_equal(*voucher, ALC_CLAIMED_VOUCHER_KEY);
    *voucher = ALC_CLAIMED_VOUCHER_MANIFEST; /* and a key all the same */
    assert_int_equal(decode(bytes, size, &back), ALC_E_BAD_CLAIMS);
    *voucher = ALC_CLAIMED_VOUCHERS;
    assert_int_equal(decode(bytes, size, &back), ALC_E_BAD_CLAIMS);
    claims = claims_of(false, ALC_CLAIMED_VOUCHER_NOBODY);
    claims.has_sealed_mounts = true;
    size = encode(&claims, bytes, sizeof bytes);
    bytes[size - 1] = ALC_CLAIMED_ROLLBACK_WITNESS;
    assert_int_equal(decode(bytes, size, &back), ALC_OK);
    bytes[size - 1] = ALC_CLAIMED_ROLLBACKS;
    assert_int_equal(decode(bytes, size, &back), ALC_E_BAD_CLAIMS);
}

/* -- claims-buffers -- */

static alc_status decode_buffer(struct alc_text text, struct alc_claims_buffer *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, text.bytes, text.size, NULL);
    return alc_claims_buffer_read(&reader, out);
}

/* The pair of another implementation's source: [1, h'00010203'] is 82014400010203. */
static void buffers_have_the_bytes_of_others(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct alc_writer writer;
    struct alc_claims_buffer buffer = {
        .nonce = BYTES_OF(9, 8),
        .alcove = BYTES_OF(7),
        .key_hash_kind = ALC_NAMED_SHA256,
        .key_hash = BYTES_OF(0, 1, 2, 3),
    };
    static const uint8_t expected[] = "\xa3\x65nonce\x42\x09\x08\x66"
                                      "alcove\x41\x07\x6bpubkey-hash\x47"
                                      "\x82\x01\x44\x00\x01\x02\x03";
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_claims_buffer_write(&writer, &buffer);
    assert_int_equal(writer.pos, sizeof expected - 1);
    assert_memory_equal(bytes, expected, writer.pos);
    struct alc_claims_buffer back;
    assert_int_equal(decode_buffer((struct alc_text){bytes, writer.pos}, &back), ALC_OK);
    assert_int_equal(back.nonce.size, 2);
    assert_int_equal(back.alcove.size, 1);
    assert_int_equal(back.key_hash_kind, ALC_NAMED_SHA256);
    assert_memory_equal(back.key_hash.bytes, buffer.key_hash.bytes, 4);
    for (size_t cut = 0; cut < writer.pos; cut++) {
        assert_int_not_equal(decode_buffer((struct alc_text){bytes, cut}, &back), ALC_OK);
    }
}

static void only_one_meaning_is_accepted(void **state)
{
    (void)state;
    struct alc_claims_buffer back;
    /* In another order, with a member that nobody knows: as others may write it. */
    assert_int_equal(decode_buffer(text_of("\xa3\x66"
                                           "alcove\x41\x07\x65nonce\x41\x09\x61z\x41\x01"),
                                   &back),
                     ALC_OK);
    assert_int_equal(back.nonce.bytes[0], 9);
    static const char *const refused[] = {
        "\xa2\x65nonce\x41\x01\x65nonce\x41\x01",  /* twice */
        "\xa2\x61z\x41\x01\x61z\x41\x02",          /* though unknown */
        "\xbf\x65nonce\x41\x01\xff",               /* indefinite map */
        "\xa1\x65nonce\x5f\x41\x01\xff",           /* and string */
        "\xa1\x65nonce\x58\x01\x01",               /* longer than need be */
        "\xa1\x65nonce\x41\x01\x01",               /* something behind it */
        "\xa1\x65nonce\x01",                       /* no bytes */
        "\xa1\x45nonce\x41\x01",                   /* a key that is no text */
        "\xa1\x61z\x81\x41\x01",                   /* not bytes, though unknown */
        "\xa1\x6bpubkey-hash\x44\x82\x01\x40\x01", /* something behind the pair */
        "\xa1\x6bpubkey-hash\x42\x81\x01",         /* half a pair */
        "\xa1\x6bpubkey-hash\x43\x83\x01\x40",
        "\x81\x01",
        "",
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(refused); i++) {
        assert_int_not_equal(decode_buffer(text_of(refused[i]), &back), ALC_OK);
    }
}

static void report_data_is_the_hash_and_zeros(void **state)
{
    (void)state;
    uint8_t data[64];
    uint8_t expected[64] = {0};
    alc_sha256("claims", 6, expected);
    alc_claims_bind("claims", 6, data);
    assert_memory_equal(data, expected, sizeof data);
}

/* -- files -- */

static alc_status decode_file(struct alc_text text, struct alc_evidence_file *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, text.bytes, text.size, NULL);
    return alc_evidence_file_read(&reader, out);
}

/* Of the same source: d9ea608244010203044405060708. */
static void files_have_the_bytes_of_others(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct alc_writer writer;
    struct alc_evidence_file file = {
        .tagged = {.tag = ALC_EVIDENCE_TAG_QUOTE,
                   .evidence = BYTES_OF(1, 2, 3, 4),
                   .claims = BYTES_OF(5, 6, 7, 8)},
    };
    struct alc_evidence_file back;
    static const uint8_t expected[] = "\xd9\xea\x60\x82\x44\x01\x02\x03\x04\x44\x05\x06\x07\x08";
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_evidence_file_write(&writer, &file);
    assert_int_equal(writer.pos, sizeof expected - 1);
    assert_memory_equal(bytes, expected, writer.pos);
    assert_int_equal(decode_file((struct alc_text){bytes, writer.pos}, &back), ALC_OK);
    assert_int_equal(back.collateral.size, 0);
    file.collateral = text_of("{}");
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_evidence_file_write(&writer, &file);
    assert_int_equal(decode_file((struct alc_text){bytes, writer.pos}, &back), ALC_OK);
    assert_int_equal(back.tagged.tag, ALC_EVIDENCE_TAG_QUOTE);
    assert_memory_equal(back.tagged.evidence.bytes, "\x01\x02\x03\x04", 4);
    assert_memory_equal(back.tagged.claims.bytes, "\x05\x06\x07\x08", 4);
    assert_memory_equal(back.collateral.bytes, "{}", 2);
    for (size_t cut = 0; cut < writer.pos; cut++) {
        bool is_whole = cut == sizeof expected - 1; /* without the collateral */
        assert_int_equal(decode_file((struct alc_text){bytes, cut}, &back) == ALC_OK, is_whole);
    }
    bytes[writer.pos] = 0;
    assert_int_equal(decode_file((struct alc_text){bytes, writer.pos + 1}, &back), ALC_E_BAD_CBOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_come_back),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(buffers_have_the_bytes_of_others),
        cmocka_unit_test(only_one_meaning_is_accepted),
        cmocka_unit_test(report_data_is_the_hash_and_zeros),
        cmocka_unit_test(files_have_the_bytes_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
