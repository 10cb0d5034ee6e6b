/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms: certificates against OpenSSL and with every fault, endorsements there and back.
 */
#include "unit/channel/sides.h"

#include "channel/endorsements.h"

static struct machine machine;
static struct side side;
static uint8_t scratch[1 << 17];

/* -- certificates -- */

static alc_status read_certificate(const uint8_t *bytes, size_t size,
                                   struct alc_own_certificate *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    return alc_own_certificate_read(&reader, out);
}

/* OpenSSL takes what we write for what it is. */
static void test_openssl_reads(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_C(951868800), INT64_C(1709164800), INT64_C(1735689599),
                                    INT64_C(2499999999), PLATFORM_NOW};
    for (size_t i = 0; i < 5; i++) {
        struct alc_own_certificate ours;
        const struct alc_channel_identity_options options = {
            .random = &openssl_random, .attester = &machine.attester, .now_s = times[i]};
        assert_int_equal(alc_channel_identity_init(&side.identity, &side.arena, &options), ALC_OK);
        const uint8_t *der = side.identity.certificate;
        X509 *theirs = d2i_X509(NULL, &der, (long)side.identity.certificate_size);
        assert_non_null(theirs);
        assert_ptr_equal(der, side.identity.certificate + side.identity.certificate_size);
        EVP_PKEY *key = X509_get0_pubkey(theirs);
        assert_int_equal(X509_verify(theirs, key), 1);
        time_t from = times[i] - 300;
        time_t until = times[i] + 6 * 3600;
        assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(theirs), from), 0);
        assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(theirs), until), 0);
        ASN1_OBJECT *oid = OBJ_txt2obj("2.23.133.5.4.9", 1);
        int place = X509_get_ext_by_OBJ(theirs, oid, -1);
        assert_int_equal(place, 0);
        X509_EXTENSION *extension = X509_get_ext(theirs, place);
        assert_int_equal(X509_EXTENSION_get_critical(extension), 0);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
        assert_int_equal(
            read_certificate(side.identity.certificate, side.identity.certificate_size, &ours),
            ALC_OK);
        assert_int_equal(ours.evidence.size, ASN1_STRING_length(value));
        assert_memory_equal(ours.evidence.bytes, ASN1_STRING_get0_data(value), ours.evidence.size);
        assert_true(ours.not_before_s == from && ours.not_after_s == until);
        ASN1_OBJECT_free(oid);
        X509_free(theirs);
    }
}

/* One that OpenSSL makes, with the extensions that `add` gives it. */
static size_t make_certificate(const char *curve, const EVP_MD *digest,
                               void (*add)(X509 *certificate), uint8_t *out)
{
    EVP_PKEY *key = EVP_EC_gen(curve);
    X509 *certificate = X509_new();
    uint8_t *der = NULL;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 5);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 1000);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "O", MBSTRING_ASC,
                               (const uint8_t *)"somebody", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    if (add != NULL) {
        add(certificate);
    }
    assert_true(X509_sign(certificate, key, digest) > 0);
    int size = i2d_X509(certificate, &der);
    memcpy(out, der, (size_t)size);
    OPENSSL_free(der);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return (size_t)size;
}

#define EVIDENCE_OID "2.23.133.5.4.9"
static void add_evidence(X509 *certificate)
{
    add_bytes(certificate, EVIDENCE_OID, 0, (const uint8_t *)"\xd9\xea\x60\x82\x40\x40", 6);
}
static void add_evidence_twice(X509 *certificate)
{
    add_evidence(certificate);
    add_evidence(certificate);
}
static void add_usual(X509 *certificate)
{
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_key_usage, "critical,digitalSignature");
    add_evidence(certificate);
}
static void add_unknown(X509 *certificate)
{
    add_bytes(certificate, "1.2.3.4", 0, (const uint8_t *)"x", 1);
}
static void add_unknown_critical(X509 *certificate)
{
    add_bytes(certificate, "1.2.3.4", 1, (const uint8_t *)"x", 1);
}
static void add_legacy(X509 *certificate)
{
    add_bytes(certificate, "1.2.840.113741.1337.6", 0, (const uint8_t *)"quote", 5);
}
/* Gramine has tag and length of the identifier in the identifier. */
static void add_legacy_of_gramine(X509 *certificate)
{
    add_bytes(certificate, "0.6.9.42.840.113741.1337.6", 0, (const uint8_t *)"quote", 5);
}
static size_t padding_size;
static void add_padding(X509 *certificate)
{
    static const uint8_t zeros[20000];
    add_bytes(certificate, "1.2.3.4", 0, zeros, padding_size);
}

static void test_openssl_writes(void **state)
{
    (void)state;
    static const struct {
        const char *curve;
        void (*add)(X509 *certificate);
        alc_status status;
        bool is_sha384;
        bool has_evidence;
    } rows[] = {
        {"P-256", NULL, ALC_OK, false, false},
        {"P-256", add_evidence, ALC_OK, false, true},
        {"P-384", add_evidence, ALC_OK, true, true},
        {"P-384", add_usual, ALC_OK, false, true},
        {"P-256", add_unknown, ALC_OK, false, false},
        {"P-256", add_legacy, ALC_OK, false, false},
        {"P-384", add_legacy_of_gramine, ALC_OK, false, false},
        {"P-256", add_unknown_critical, ALC_E_BAD_CERTIFICATE, false, false},
        {"P-256", add_evidence_twice, ALC_E_BAD_CERTIFICATE, false, false},
        {"P-521", add_evidence, ALC_E_BAD_KEY, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alc_own_certificate read;
        size_t size = make_certificate(
            rows[i].curve, rows[i].is_sha384 ? EVP_sha384() : EVP_sha256(), rows[i].add, scratch);
        assert_int_equal(read_certificate(scratch, size, &read), rows[i].status);
        if (rows[i].status == ALC_OK) {
            assert_int_equal(read.evidence.bytes != NULL, rows[i].has_evidence);
            assert_int_equal(read.legacy_quote.bytes != NULL,
                             rows[i].add == add_legacy || rows[i].add == add_legacy_of_gramine);
        }
    }
}

static void test_certificate_limit(void **state)
{
    (void)state;
    struct alc_own_certificate read;
    size_t size = 0;
    padding_size = 13000;
    for (;;) {
        size = make_certificate("P-256", EVP_sha256(), add_padding, scratch);
        if (size >= ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE) {
            break;
        }
        padding_size += size < ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE - 4
                            ? ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE - 4 - size
                            : 1;
    }
    while (size != ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE) { /* signatures differ by a byte or two */
        padding_size -= size > ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE;
        padding_size += size < ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE;
        size = make_certificate("P-256", EVP_sha256(), add_padding, scratch);
    }
    assert_int_equal(read_certificate(scratch, size, &read), ALC_OK);
    padding_size += 8;
    size = make_certificate("P-256", EVP_sha256(), add_padding, scratch);
    assert_true(size > ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE);
    assert_int_equal(read_certificate(scratch, size, &read), ALC_E_CERTIFICATE_SIZE);
}

/* Cut anywhere, or with any bit changed, it is refused: at the latest by its signature. */
static void test_faults(void **state)
{
    (void)state;
    struct alc_own_certificate read;
    size_t size = make_certificate("P-256", EVP_sha256(), add_usual, scratch);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_not_equal(read_certificate(scratch, cut, &read), ALC_OK);
    }
    for (size_t i = 0; i < size; i++) {
        scratch[i] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(read_certificate(scratch, size, &read), ALC_OK);
        scratch[i] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(read_certificate(scratch, size, &read), ALC_OK);
}

/* -- endorsements -- */

static void test_endorsements(void **state)
{
    (void)state;
    const struct alc_pcs_collateral *collateral = &machine.platform.collateral;
    struct alc_pcs_collateral again;
    struct alc_writer writer;
    struct alc_reader reader;
    alc_writer_init(&writer, scratch, sizeof scratch);
    alc_endorsements_write(&writer, collateral, &collateral->tcb_info_chain);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    alc_reader_init(&reader, scratch, writer.pos, NULL);
    assert_int_equal(alc_endorsements_read(&reader, &again), ALC_OK);
    assert_int_equal(again.tcb_info.size, collateral->tcb_info.size);
    assert_memory_equal(again.tcb_info.bytes, collateral->tcb_info.bytes, again.tcb_info.size);
    assert_memory_equal(again.tcb_info_signature, collateral->tcb_info_signature, 64);
    assert_memory_equal(again.qe_identity.bytes, collateral->qe_identity.bytes,
                        again.qe_identity.size);
    assert_memory_equal(again.qe_identity_signature, collateral->qe_identity_signature, 64);
    assert_int_equal(again.root_list.size, collateral->root_list.size);
    assert_int_equal(again.pck_list.size, collateral->pck_list.size);
    assert_int_equal(again.qe_identity_chain.size, collateral->qe_identity_chain.size);
    for (size_t cut = 0; cut < writer.pos; cut += 7) {
        alc_reader_init(&reader, scratch, cut, NULL);
        assert_int_not_equal(alc_endorsements_read(&reader, &again), ALC_OK);
    }
}

/* librats writes the version in four bytes and reads no other form of it; others write the shortest
 * one. */
static void test_endorsements_version(void **state)
{
    (void)state;
    static const uint8_t head[] = {0xd9, 0xea, 0x60, 0x88, 0x1a, 0, 0, 0, 3};
    const struct alc_pcs_collateral *collateral = &machine.platform.collateral;
    struct alc_pcs_collateral again;
    struct alc_writer writer;
    struct alc_reader reader;
    alc_writer_init(&writer, scratch, sizeof scratch);
    alc_endorsements_write(&writer, collateral, &collateral->tcb_info_chain);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    assert_memory_equal(scratch, head, sizeof head);
    memmove(scratch + 5, scratch + 9, writer.pos - 9);
    scratch[4] = 3;
    alc_reader_init(&reader, scratch, writer.pos - 4, NULL);
    assert_int_equal(alc_endorsements_read(&reader, &again), ALC_OK);
    scratch[4] = 0x18; /* neither */
    alc_reader_init(&reader, scratch, writer.pos - 4, NULL);
    assert_int_not_equal(alc_endorsements_read(&reader, &again), ALC_OK);
}

/* A verifier without collateral of its own takes the peer's, which it verifies. */
static void test_endorsed(void **state)
{
    (void)state;
    static uint8_t endorsements[20000];
    const struct alc_pcs_collateral *collateral = &machine.platform.collateral;
    struct alc_writer writer;
    struct alc_own_certificate certificate;
    struct alc_channel_proof proof;
    struct alc_channel_peer peer;
    alc_writer_init(&writer, endorsements, sizeof endorsements);
    alc_endorsements_write(&writer, collateral, &collateral->tcb_info_chain);
    const struct alc_channel_identity_options options = {
        .random = &openssl_random,
        .attester = &machine.attester,
        .endorsements = {endorsements, writer.pos},
        .endorses_certificate = true,
        .now_s = PLATFORM_NOW,
    };
    assert_int_equal(alc_channel_identity_init(&side.identity, &side.arena, &options), ALC_OK);
    assert_int_equal(
        read_certificate(side.identity.certificate, side.identity.certificate_size, &certificate),
        ALC_OK);
    assert_int_equal(alc_channel_proof_of(&certificate, &side.demand, &proof), ALC_OK);
    side.demand.collateral.pcs = NULL;
    side.demand.root_sha256 = machine.platform.root_sha256;
    assert_int_equal(alc_channel_judge(&side.arena, &side.demand, &proof, PLATFORM_NOW, &peer),
                     ALC_OK);
    proof.endorsements.bytes = NULL;
    assert_int_not_equal(alc_channel_judge(&side.arena, &side.demand, &proof, PLATFORM_NOW, &peer),
                         ALC_OK);
}

int main(void)
{
    machine_make(&machine, 7);
    side_init(&side, ALC_CHANNEL_CLIENT, &machine, &machine);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openssl_reads),     cmocka_unit_test(test_openssl_writes),
        cmocka_unit_test(test_certificate_limit), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_endorsements),      cmocka_unit_test(test_endorsements_version),
        cmocka_unit_test(test_endorsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
