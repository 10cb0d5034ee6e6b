/* SPDX-License-Identifier: Apache-2.0
 *
 * Emulated quotes and their collateral: the verifier accepts them when it trusts the emulator's
 * root and finds nothing wrong but that; what no emulated enclave reported is not quoted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "attest/appraise.h"
#include "sgx_emu/emu_internal.h"
#include "sgx_emu_quote/quoting.h"

#define NOW 1751328000 /* 2025-07-01 */

static struct {
    uint8_t quote[ALC_EMULATED_QUOTE_SIZE_MAX];
    uint8_t collateral_text[ALC_EMULATED_COLLATERAL_SIZE_MAX];
    struct alc_arena arena;
    struct alc_pcs_collateral collateral;
    struct alc_policy policy;
    struct alc_appraisal appraisal;
    struct alc_verdict verdict;
    struct alc_sgx_report report;
} world;
static uint8_t memory[1 << 18]; /* of the arena, which puts red zones into it */

/* A report as an enclave with this measurement would have it. */
static void make_report(const struct alc_sgx_target_info *target)
{
    static struct alc_sgx_context context; /* of it only the SECS matters */
    uint8_t data[64] = "report data";
    context.secs.attributes.flags = ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_MODE64;
    memset(context.secs.mrenclave, 0xab, 32);
    emu_make_report(&context, target, data, &world.report);
}

static int setup(void **state)
{
    struct alc_sgx_target_info target;
    struct alc_writer writer;
    struct alc_reader reader;
    (void)state;
    memset(&world, 0, sizeof world);
    alc_emulated_target_info(&target);
    make_report(&target);
    alc_writer_init(&writer, world.quote, sizeof world.quote);
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_OK);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    size_t quote_size = writer.pos;
    alc_writer_init(&writer, world.collateral_text, sizeof world.collateral_text);
    alc_emulated_collateral(&writer);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    alc_arena_init(&world.arena, memory, sizeof memory);
    alc_reader_init(&reader, world.collateral_text, writer.pos, NULL);
    assert_int_equal(alc_pcs_collateral_read(&world.arena, &reader, &world.collateral), ALC_OK);
    world.policy = alc_policy_default;
    world.policy.accepts_debug = true;
    world.policy.accepts_emulated = true;
    world.appraisal = (struct alc_appraisal){
        .evidence = {world.quote, quote_size},
        .collateral.pcs = &world.collateral,
        .policy = &world.policy,
        .now_s = NOW,
        .root_sha256 = alc_emulated_root_sha256,
    };
    return 0;
}

static alc_status appraise(void)
{
    return alc_appraise(&world.arena, &world.appraisal, &world.verdict);
}

static void the_root_is_the_known_one(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_emulated_root(&writer);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    alc_sha256(bytes, writer.pos, digest);
    assert_memory_equal(digest, alc_emulated_root_sha256, sizeof digest);
}

static void the_verifier_accepts_them_when_told_to(void **state)
{
    (void)state;
    alc_status status = appraise();
    if (status != ALC_OK) {
        for (size_t i = 0; i < ALC_CHECKS; i++) {
            if (world.verdict.results[i] == ALC_CHECK_FAILED) {
                print_message("%s\n", alc_check_name((enum alc_check)i));
            }
        }
    }
    assert_int_equal(status, ALC_OK);
    assert_int_equal(world.verdict.tcb, ALC_TCB_UP_TO_DATE);
    assert_memory_equal(&world.verdict.report, &world.report.body, sizeof world.report.body);
    assert_string_equal((const char *)world.verdict.report.report_data, "report data");
}

/* The chain of the quote and the root's list, read by OpenSSL. */
static void others_read_the_certificates_as_well(void **state)
{
    (void)state;
    X509 *chain[3];
    size_t size = world.appraisal.evidence.size;
    const uint8_t *pem = memmem(world.quote, size, "-----BEGIN", 10);
    assert_non_null(pem);
    BIO *text = BIO_new_mem_buf(pem, (int)(size - (size_t)(pem - world.quote)));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *authorities = sk_X509_new_null();
    for (size_t i = 0; i < 3; i++) {
        chain[i] = PEM_read_bio_X509(text, NULL, NULL, NULL);
        assert_non_null(chain[i]);
    }
    sk_X509_push(authorities, chain[1]);
    assert_int_equal(X509_STORE_add_cert(store, chain[2]), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, chain[0], authorities), 1);
    assert_int_equal(X509_verify_cert(context), 1);
    const uint8_t *next = world.collateral.root_list.bytes;
    X509_CRL *list = d2i_X509_CRL(NULL, &next, (long)world.collateral.root_list.size);
    assert_non_null(list);
    assert_int_equal(X509_CRL_verify(list, X509_get0_pubkey(chain[2])), 1);
    X509_CRL_free(list);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(authorities);
    for (size_t i = 0; i < 3; i++) {
        X509_free(chain[i]);
    }
    BIO_free(text);
}

/* Intel's profile of such certificates: PPID, TCB, PCE-ID, FMSPC and SGX type stand in each, in
 * this order, and others' readers insist on it. */
static void the_platform_says_all_that_the_profile_asks_for(void **state)
{
    (void)state;
    static const int kinds[] = {V_ASN1_OCTET_STRING, V_ASN1_SEQUENCE, V_ASN1_OCTET_STRING,
                                V_ASN1_OCTET_STRING, V_ASN1_ENUMERATED};
    ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
    const uint8_t *pem = memmem(world.quote, world.appraisal.evidence.size, "-----BEGIN", 10);
    BIO *text =
        BIO_new_mem_buf(pem, (int)(world.appraisal.evidence.size - (size_t)(pem - world.quote)));
    X509 *platform = PEM_read_bio_X509(text, NULL, NULL, NULL);
    X509_EXTENSION *extension = X509_get_ext(platform, X509_get_ext_by_OBJ(platform, oid, -1));
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    const uint8_t *next = ASN1_STRING_get0_data(value);
    ASN1_SEQUENCE_ANY *parts = d2i_ASN1_SEQUENCE_ANY(NULL, &next, ASN1_STRING_length(value));
    assert_int_equal(sk_ASN1_TYPE_num(parts), ALC_ARRAY_COUNT(kinds));
    for (int i = 0; i < sk_ASN1_TYPE_num(parts); i++) {
        char name[64];
        char expected[64];
        next = ASN1_STRING_get0_data(sk_ASN1_TYPE_value(parts, i)->value.sequence);
        ASN1_SEQUENCE_ANY *pair = d2i_ASN1_SEQUENCE_ANY(
            NULL, &next, ASN1_STRING_length(sk_ASN1_TYPE_value(parts, i)->value.sequence));
        assert_int_equal(sk_ASN1_TYPE_num(pair), 2);
        OBJ_obj2txt(name, sizeof name, sk_ASN1_TYPE_value(pair, 0)->value.object, 1);
        snprintf(expected, sizeof expected, "1.2.840.113741.1.13.1.%d", i + 1);
        assert_string_equal(name, expected);
        assert_int_equal(sk_ASN1_TYPE_value(pair, 1)->type, kinds[i]);
        sk_ASN1_TYPE_pop_free(pair, ASN1_TYPE_free);
    }
    sk_ASN1_TYPE_pop_free(parts, ASN1_TYPE_free);
    X509_free(platform);
    BIO_free(text);
    ASN1_OBJECT_free(oid);
}

static void by_themselves_they_are_refused(void **state)
{
    (void)state;
    world.appraisal.policy = &alc_policy_default;
    assert_int_equal(appraise(), ALC_E_EMULATED);
    assert_int_equal(world.verdict.results[ALC_CHECK_NOT_EMULATED], ALC_CHECK_FAILED);
    world.appraisal.root_sha256 = NULL;
    assert_int_equal(appraise(), ALC_E_EMULATED);
}

static void the_same_report_gives_the_same_quote(void **state)
{
    (void)state;
    static uint8_t again[ALC_EMULATED_QUOTE_SIZE_MAX];
    struct alc_writer writer;
    alc_writer_init(&writer, again, sizeof again);
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_OK);
    assert_int_equal(writer.pos, world.appraisal.evidence.size);
    assert_memory_equal(again, world.quote, writer.pos);
}

static void only_reports_for_the_service_are_quoted(void **state)
{
    (void)state;
    static uint8_t out[ALC_EMULATED_QUOTE_SIZE_MAX];
    struct alc_sgx_target_info target;
    struct alc_writer writer;
    alc_writer_init(&writer, out, sizeof out);
    world.report.body.report_data[0] ^= 1;
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_E_REPORT_MISMATCH);
    alc_emulated_target_info(&target);
    target.measurement[0] ^= 1;
    make_report(&target); /* for somebody else */
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_E_REPORT_MISMATCH);
    assert_int_equal(writer.pos, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_the_known_one),
        cmocka_unit_test_setup(the_verifier_accepts_them_when_told_to, setup),
        cmocka_unit_test_setup(others_read_the_certificates_as_well, setup),
        cmocka_unit_test_setup(the_platform_says_all_that_the_profile_asks_for, setup),
        cmocka_unit_test_setup(by_themselves_they_are_refused, setup),
        cmocka_unit_test_setup(the_same_report_gives_the_same_quote, setup),
        cmocka_unit_test_setup(only_reports_for_the_service_are_quoted, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
