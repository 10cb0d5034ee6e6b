/* SPDX-License-Identifier: Apache-2.0
 *
 * A guest of our own: root, authority and endorsement key, revocation list and report, made with
 * OpenSSL in the forms of AMD's key distribution service and firmware, so that tests can have every
 * fault. Included by the one test program that needs it.
 */
#ifndef TESTS_UNIT_ATTEST_GUEST_MAKE_H
#define TESTS_UNIT_ATTEST_GUEST_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "attest/appraise.h"
#include "base/bytes.h"

/* All dates: 2025 unless a test changes one. */
#define GUEST_NOW 1751328000 /* 2025-07-01 */
enum { SERIAL_ARK = 1, SERIAL_ASK, SERIAL_NOBODY = 99 };
enum { LEVELS_MAX = 10, NO_LEVEL = -1 };

/* What a test may change before guest_make. */
struct guest_options {
    const char *root_name; /* NULL: those that the product has */
    const char *authority_name;
    const char *leaf_name;
    enum alc_snp_product product;
    int structure_version;
    int levels[LEVELS_MAX]; /* by the last number of their identifiers; NO_LEVEL: not there */
    int doubled_level;      /* there twice */
    int chip_id_size;       /* of the certificate's; 0: it has none */
    const char *csp_id;     /* NULL: it has none */
    bool authority_is_none; /* says CA:FALSE */
    bool leaf_is_rsa;       /* has the authority's key */
    bool has_other_root;    /* one more certificate in the chain */
    bool authority_signs_list;
    bool has_list;
    int revoked;
    const char *leaf_from;
    const char *list_until;
    bool is_one_text; /* the endorsement key stands with the others in PEM */
};

struct guest {
    EVP_PKEY *root_key, *authority_key, *leaf_key; /* made once */
    X509 *root, *authority, *leaf;
    uint8_t root_sha256[ALC_SHA256_SIZE];
    char chain[12000];
    uint8_t leaf_der[4000], list[2000];
    uint8_t report[ALC_SNP_REPORT_SIZE]; /* without signature: a test may change it, then sign */
    struct alc_kds_collateral collateral;
    struct alc_policy policy;
    struct alc_appraisal appraisal;
};

/* The guest made with these has FMC 1 (Turin), boot loader 2, TEE 3, SNP 4, microcode 200. */
static struct guest_options guest_options_of(enum alc_snp_product product)
{
    const bool has_fmc = product == ALC_SNP_TURIN;
    struct guest_options options = {
        .product = product,
        .structure_version = has_fmc ? 1 : 0,
        .levels = {NO_LEVEL, 2, 3, 4, has_fmc ? NO_LEVEL : 0, 0, 0, 0, 200, has_fmc ? 1 : NO_LEVEL},
        .chip_id_size = has_fmc ? 8 : ALC_SNP_CHIP_ID_SIZE,
        .revoked = SERIAL_NOBODY,
        .has_list = true,
        .leaf_from = "20250101000000Z",
        .list_until = "20251201000000Z",
    };
    return options;
}

/* Packed as the product does it. */
static void guest_tcb(enum alc_snp_product product, uint8_t out[ALC_SNP_TCB_SIZE])
{
    static const uint8_t with_fmc[ALC_SNP_TCB_SIZE] = {1, 2, 3, 4, 0, 0, 0, 200};
    static const uint8_t without[ALC_SNP_TCB_SIZE] = {2, 3, 0, 0, 0, 0, 4, 200};
    memcpy(out, product == ALC_SNP_TURIN ? with_fmc : without, ALC_SNP_TCB_SIZE);
}

static X509 *guest_certificate(int serial, const char *name, EVP_PKEY *key, const X509 *issuer,
                               const char *from)
{
    static const char *const fields[][2] = {{"OU", "Engineering"},
                                            {"C", "US"},
                                            {"L", "Santa Clara"},
                                            {"ST", "CA"},
                                            {"O", "Advanced Tests"}};
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), from), 1);
    assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20490101000000Z"),
                     1);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        X509_NAME_add_entry_by_txt(subject, fields[i][0], MBSTRING_ASC,
                                   (const unsigned char *)fields[i][1], -1, -1, 0);
    }
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
    X509_set_pubkey(certificate, key);
    return certificate;
}

static void guest_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void guest_bytes(X509 *certificate, const char *numbers, const void *bytes, size_t size)
{
    char oid[60];
    snprintf(oid, sizeof oid, "1.3.6.1.4.1.3704.1.%s", numbers);
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(octets, bytes, (int)size);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

static void guest_integer(X509 *certificate, const char *numbers, int value)
{
    const uint8_t small[] = {0x02, 1, (uint8_t)value};
    const uint8_t large[] = {0x02, 2, (uint8_t)(value >> 8), (uint8_t)value};
    if (value < 0x80) {
        guest_bytes(certificate, numbers, small, sizeof small);
    } else {
        guest_bytes(certificate, numbers, large, sizeof large);
    }
}

static void guest_text(X509 *certificate, const char *numbers, const char *text)
{
    uint8_t bytes[100] = {0x16, (uint8_t)strlen(text)};
    memcpy(bytes + 2, text, strlen(text));
    guest_bytes(certificate, numbers, bytes, 2 + strlen(text));
}

/* PSS over SHA-384 with a salt of its size, as the service signs. */
static EVP_MD_CTX *guest_signer(EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx;
    assert_int_equal(EVP_DigestSignInit(ctx, &key_ctx, EVP_sha384(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, ALC_SHA384_SIZE), 1);
    return ctx;
}

static void guest_sign_certificate(X509 *certificate, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = guest_signer(key);
    assert_true(X509_sign_ctx(certificate, ctx) > 0);
    EVP_MD_CTX_free(ctx);
}

static void guest_append(char *text, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    size_t size = strlen(text);
    int added = BIO_read(bio, text + size, 4000);
    text[size + (size_t)added] = '\0';
    BIO_free(bio);
}

static void guest_levels(X509 *leaf, const struct guest_options *options)
{
    for (int i = 0; i < LEVELS_MAX; i++) {
        char numbers[20];
        snprintf(numbers, sizeof numbers, "3.%d", i);
        for (int times = i == options->doubled_level && i != 0 ? 2 : 1; times > 0; times--) {
            if (options->levels[i] != NO_LEVEL) {
                guest_integer(leaf, numbers, options->levels[i]);
            }
        }
    }
}

static void guest_make_leaf(struct guest *out, const struct guest_options *options)
{
    const uint8_t chip_id[100] = {9, 8, 7, 6, 5, 4, 3, 2};
    const char *name = options->leaf_name;
    if (name == NULL) {
        name = options->csp_id != NULL ? "SEV-VLEK" : "SEV-VCEK";
    }
    out->leaf =
        guest_certificate(0, name, options->leaf_is_rsa ? out->authority_key : out->leaf_key,
                          out->authority, options->leaf_from);
    guest_integer(out->leaf, "1", options->structure_version);
    guest_text(out->leaf, "2", "Anything-B7");
    guest_levels(out->leaf, options);
    if (options->chip_id_size != 0) {
        guest_bytes(out->leaf, "4", chip_id, (size_t)options->chip_id_size);
    }
    if (options->csp_id != NULL) {
        guest_text(out->leaf, "5", options->csp_id);
    }
    guest_sign_certificate(out->leaf, out->authority_key);
}

static void guest_make_certificates(struct guest *out, const struct guest_options *options)
{
    const char *product = alc_snp_product_name(options->product);
    const char *from = "20200101000000Z";
    char name[100];
    uint8_t *der = NULL;
    snprintf(name, sizeof name, "ARK-%s", product);
    out->root = guest_certificate(SERIAL_ARK, options->root_name ? options->root_name : name,
                                  out->root_key, NULL, from);
    guest_extension(out->root, NID_key_usage, "critical,keyCertSign,cRLSign");
    guest_extension(out->root, NID_basic_constraints, "critical,CA:TRUE");
    guest_sign_certificate(out->root, out->root_key);
    int der_size = i2d_X509(out->root, &der);
    alc_sha256(der, (size_t)der_size, out->root_sha256);
    OPENSSL_free(der);
    snprintf(name, sizeof name, "SEV-%s%s", options->csp_id != NULL ? "VLEK-" : "", product);
    out->authority =
        guest_certificate(SERIAL_ASK, options->authority_name ? options->authority_name : name,
                          out->authority_key, out->root, from);
    guest_extension(out->authority, NID_basic_constraints,
                    options->authority_is_none ? "critical,CA:FALSE"
                                               : "critical,CA:TRUE,pathlen:0");
    guest_extension(out->authority, NID_key_usage, "critical,keyCertSign");
    guest_sign_certificate(out->authority, out->root_key);
    guest_make_leaf(out, options);
}

static size_t guest_make_list(struct guest *out, const struct guest_options *options)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    const bool by_authority = options->authority_signs_list;
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list,
                             X509_get_subject_name(by_authority ? out->authority : out->root));
    ASN1_TIME_set_string_X509(time, "20250101000000Z");
    X509_CRL_set1_lastUpdate(list, time);
    ASN1_INTEGER_set(serial, options->revoked);
    X509_REVOKED_set_serialNumber(entry, serial);
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(list, entry);
    ASN1_TIME_set_string_X509(time, options->list_until);
    X509_CRL_set1_nextUpdate(list, time);
    EVP_MD_CTX *ctx = guest_signer(by_authority ? out->authority_key : out->root_key);
    assert_true(X509_CRL_sign_ctx(list, ctx) > 0);
    EVP_MD_CTX_free(ctx);
    uint8_t *end = out->list;
    int size = i2d_X509_CRL(list, &end);
    assert_true(size > 0 && size < 2000);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(time);
    X509_CRL_free(list);
    return (size_t)size;
}

/* A report without a signature: of version 5, SMT allowed, VMPL 0. */
static void guest_make_report(struct guest *out, const struct guest_options *options)
{
    static const uint8_t cpu[ALC_SNP_PRODUCTS][2] = {{0x19, 1}, {0x19, 0x11}, {0x1a, 2}};
    uint8_t *report = out->report;
    memset(report, 0, sizeof out->report);
    report[0] = 5;
    report[0x04] = 6; /* GUEST_SVN */
    alc_store_u64(report + 0x08, ALC_SNP_POLICY_ALWAYS | ALC_SNP_ALLOWS_SMT | 0x0136);
    memset(report + 0x10, 0xf1, 16);
    memset(report + 0x20, 0xf2, 16);
    report[0x34] = 1;
    alc_store_u64(report + 0x40, ALC_SNP_PLATFORM_SMT | ALC_SNP_PLATFORM_ALIAS_CHECK);
    alc_store_u32(report + 0x48, options->csp_id != NULL ? ALC_SNP_VLEK << 2 : 0);
    memset(report + 0x50, 0xd0, 64);
    memset(report + 0x90, 0xaa, 48);
    memset(report + 0xc0, 0xbb, 32);
    memset(report + 0xe0, 0xcc, 48);
    memset(report + 0x110, 0xdd, 48);
    static const size_t tcbs[] = {0x38, 0x180, 0x1e0, 0x1f0};
    for (size_t i = 0; i < sizeof tcbs / sizeof tcbs[0]; i++) {
        guest_tcb(options->product, report + tcbs[i]);
    }
    memcpy(report + 0x188, cpu[options->product], 2);
    static const uint8_t chip_id[] = {9, 8, 7, 6, 5, 4, 3, 2};
    memcpy(report + 0x1a0, chip_id, sizeof chip_id);
    alc_store_u64(report + 0x1f8, 5); /* mitigations */
}

/* A report's signature is two little-endian numbers. */
static void guest_sign(struct guest *guest)
{
    uint8_t der[200];
    size_t der_size = sizeof der;
    struct alc_reader reader;
    struct alc_ecdsa_signature signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, guest->leaf_key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &der_size, guest->report, ALC_SNP_SIGNED_SIZE), 1);
    EVP_MD_CTX_free(ctx);
    alc_reader_init(&reader, der, der_size, NULL);
    assert_int_equal(alc_ecdsa_read_der(&reader, ALC_CURVE_P384, &signature), ALC_OK);
    for (size_t i = 0; i < 48; i++) {
        guest->report[0x2a0 + i] = signature.bytes[47 - i];
        guest->report[0x2a0 + 72 + i] = signature.bytes[95 - i];
    }
}

static void guest_make(struct guest *out, const struct guest_options *options)
{
    uint8_t *end = out->leaf_der;
    out->chain[0] = '\0';
    guest_make_certificates(out, options);
    int leaf_size = i2d_X509(out->leaf, &end);
    assert_true(leaf_size > 0 && (size_t)leaf_size < sizeof out->leaf_der);
    guest_append(out->chain, out->authority);
    guest_append(out->chain, out->root);
    if (options->is_one_text) {
        guest_append(out->chain, out->leaf);
    }
    if (options->has_other_root) {
        guest_append(out->chain, out->root);
    }
    out->collateral = (struct alc_kds_collateral){
        .endorsement_key = {out->leaf_der, options->is_one_text ? 0 : (size_t)leaf_size},
        .chain = {(const uint8_t *)out->chain, strlen(out->chain)},
    };
    if (options->has_list) {
        out->collateral.revocation_list =
            (struct alc_text){out->list, guest_make_list(out, options)};
    }
    guest_make_report(out, options);
    out->policy = alc_policy_default;
    out->appraisal = (struct alc_appraisal){
        .evidence = {out->report, sizeof out->report},
        .collateral.kds = &out->collateral,
        .policy = &out->policy,
        .now_s = GUEST_NOW,
        .root_sha256 = out->root_sha256,
    };
    X509_free(out->root);
    X509_free(out->authority);
    X509_free(out->leaf);
}

/* Of four primes, which are found in a fraction of the time. */
static EVP_PKEY *guest_rsa_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 4096), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, 4), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void guest_make_keys(struct guest *out)
{
    out->root_key = guest_rsa_key();
    out->authority_key = guest_rsa_key();
    out->leaf_key = EVP_EC_gen("P-384");
    assert_non_null(out->leaf_key);
}

static void guest_free_keys(struct guest *guest)
{
    EVP_PKEY_free(guest->root_key);
    EVP_PKEY_free(guest->authority_key);
    EVP_PKEY_free(guest->leaf_key);
}

#endif
