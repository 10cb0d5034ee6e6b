/* SPDX-License-Identifier: Apache-2.0
 *
 * How platform.h makes things. Included once by each test program that needs it.
 */
#ifndef TESTS_UNIT_ATTEST_PLATFORM_MAKE_H
#define TESTS_UNIT_ATTEST_PLATFORM_MAKE_H

#include "unit/attest/platform.h"

#define COMPONENTS(svn)                                                                            \
    "{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "},"                     \
    "{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "},"                     \
    "{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "},"                     \
    "{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "},{\"svn\":" svn "}"
#define PLATFORM_LEVEL(svn, pce, status, more)                                                     \
    "{\"tcb\":{\"sgxtcbcomponents\":[" COMPONENTS(                                                 \
        svn) "],\"pcesvn\":" pce "},"                                                              \
             "\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"" status "\"" more "}"
/* clang-format off */
#define COMPONENTS_TDX(module, version, third)                                                     \
    "{\"svn\":" module "},{\"svn\":" version "},{\"svn\":" third "},{\"svn\":0},"                  \
    "{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},"                     \
    "{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0}"
#define TDX_LEVEL(svn, module, version, third, status, more)                                       \
    "{\"tcb\":{\"sgxtcbcomponents\":[" COMPONENTS(svn) "],\"pcesvn\":7,"                           \
    "\"tdxtcbcomponents\":[" COMPONENTS_TDX(module, version, third) "]},"                          \
    "\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"" status "\"" more "}"
/* clang-format on */
#define ZEROS_48                                                                                   \
    "000000000000000000000000000000000000000000000000"                                             \
    "000000000000000000000000000000000000000000000000"
#define MODULE_OF(mrsigner, attributes, mask)                                                      \
    "\"mrsigner\":\"" mrsigner "\",\"attributes\":\"" attributes "\",\"attributesMask\":\"" mask   \
    "\""
#define MODULE MODULE_OF(ZEROS_48, "0000000000000000", "FFFFFFFFFFFFFFFF")
#define TDX_IDENTITY(id, members, levels)                                                          \
    "{\"id\":\"" id "\"," members ",\"tcbLevels\":[" levels "]}"
#define TDX_MODULES(module, identities)                                                            \
    "\"tdxModule\":{" module "},\"tdxModuleIdentities\":[" identities "],"
#define MODULE_LEVELS                                                                              \
    QE_LEVEL("2", "OutOfDate", ",\"advisoryIDs\":[\"M-1\"]")                                       \
    "," QE_LEVEL("4", "UpToDate", "") "," QE_LEVEL("1", "Revoked", "")
#define IDENTITIES                                                                                 \
    TDX_IDENTITY("TDX_03", MODULE, QE_LEVEL("3", "UpToDate", ""))                                  \
    "," TDX_IDENTITY("TDX_01", MODULE, MODULE_LEVELS)
/* Not in their order: the highest that holds is the one that counts. */
#define TDX_LEVELS                                                                                 \
    "[" TDX_LEVEL("5", "5", "0", "1", "OutOfDate", ",\"advisoryIDs\":[\"A-1\"]") "," TDX_LEVEL(    \
        "6", "5", "0", "2", "UpToDate", "") "," TDX_LEVEL("5", "5", "0", "2", "UpToDate", "") "]"
#define QE_LEVEL(svn, status, more)                                                                \
    "{\"tcb\":{\"isvsvn\":" svn "},\"tcbDate\":\"2024-03-13T00:00:00Z\","                          \
    "\"tcbStatus\":\"" status "\"" more "}"

/* The platform made below has SVN 5 everywhere, PCE 7, and a quoting enclave of SVN 8. */
const struct platform_options platform_options_default = {
    .revoked_by_root = SERIAL_NOBODY,
    .revoked_by_authority = SERIAL_NOBODY,
    .leaf_from = "20250101000000Z",
    .list_until = "20251201000000Z",
    .tcb_until = "2025-11-01T00:00:00Z",
    .tcb_levels = "[" PLATFORM_LEVEL("6", "7", "UpToDate", "") "," PLATFORM_LEVEL(
        "5", "7", "UpToDate", "") "," PLATFORM_LEVEL("4", "5", "OutOfDate",
                                                     ",\"advisoryIDs\":[\"A-1\",\"A-2\"]") "]",
    .qe_levels = "[" QE_LEVEL("8", "UpToDate", "") "," QE_LEVEL(
        "6", "OutOfDate", ",\"advisoryIDs\":[\"A-2\",\"A-3\"]") "]",
    .fmspc = "00906ED50000",
    .pce_svn = 7,
    .qe_svn = 8,
    .attributes = 5,
    .qe_attributes = 0x11,
    .qe_id = "QE",
    .qe_version = 2,
    .quote_version = 3,
    .body = ALC_QUOTE_SGX,
    .tcb_id = "SGX",
    .modules = "",
};

/* Module 4 of version 1, at launch and now; the third of TDX's SVNs is 2. */
const struct platform_options platform_options_tdx = {
    .revoked_by_root = SERIAL_NOBODY,
    .revoked_by_authority = SERIAL_NOBODY,
    .leaf_from = "20250101000000Z",
    .list_until = "20251201000000Z",
    .tcb_until = "2025-11-01T00:00:00Z",
    .tcb_levels = TDX_LEVELS,
    .qe_levels = "[" QE_LEVEL("8", "UpToDate", "") "," QE_LEVEL(
        "6", "OutOfDate", ",\"advisoryIDs\":[\"A-2\",\"A-3\"]") "]",
    .fmspc = "00906ED50000",
    .pce_svn = 7,
    .qe_svn = 8,
    .qe_attributes = 0x11,
    .qe_id = "TD_QE",
    .qe_version = 2,
    .quote_version = 5,
    .body = ALC_QUOTE_TD_15,
    .td = {.tee_tcb_svn = {4, 1, 2},
           .tee_tcb_svn2 = {4, 1, 2},
           .attributes = {0, 0, 0, 0x10},
           .xfam = {3},
           .mrtd = {9}},
    .tcb_id = "TDX",
    .modules = TDX_MODULES(MODULE, IDENTITIES),
};

uint8_t platform_emulated_root[ALC_SHA256_SIZE];

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_bytes(X509 *certificate, const char *oid, int is_critical, const uint8_t *bytes,
                      size_t size)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(octets, bytes, (int)size);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, is_critical, octets);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

/* Pairs of identifier and value below 1.2.840.113741.1.13.1, all short. */
static void write_pair(struct alc_writer *writer, const uint8_t *numbers, size_t numbers_count,
                       uint8_t tag, const uint8_t *value, size_t value_size)
{
    static const uint8_t base[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
    size_t oid_size = sizeof base + numbers_count;
    alc_write_u8(writer, 0x30);
    if (value_size > 100) {
        alc_write_u8(writer, 0x82);
        alc_write_u8(writer, (uint8_t)((2 + oid_size + 4 + value_size) >> 8));
    }
    alc_write_u8(writer, (uint8_t)(2 + oid_size + (value_size > 100 ? 4 : 2) + value_size));
    alc_write_u8(writer, 0x06);
    alc_write_u8(writer, (uint8_t)oid_size);
    alc_write_bytes(writer, base, sizeof base);
    alc_write_bytes(writer, numbers, numbers_count);
    alc_write_u8(writer, tag);
    if (value_size > 100) {
        alc_write_u8(writer, 0x82);
        alc_write_u8(writer, (uint8_t)(value_size >> 8));
    }
    alc_write_u8(writer, (uint8_t)value_size);
    alc_write_bytes(writer, value, value_size);
}

static size_t make_sgx_extension(uint8_t pce_svn, uint8_t *out, size_t out_max)
{
    uint8_t tcb[700];
    uint8_t inner[1000];
    const uint8_t five = 5;
    static const uint8_t cpu_svn[16] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    static const uint8_t ppid[16] = {1};
    static const uint8_t type = 0;
    static const uint8_t fmspc[6] = {0x00, 0x90, 0x6e, 0xd5};
    static const uint8_t pce_id[2];
    struct alc_writer writer;
    alc_writer_init(&writer, tcb, sizeof tcb);
    for (uint8_t i = 1; i <= 16; i++) {
        write_pair(&writer, (const uint8_t[]){2, i}, 2, 0x02, &five, 1);
    }
    write_pair(&writer, (const uint8_t[]){2, 17}, 2, 0x02, &pce_svn, 1);
    write_pair(&writer, (const uint8_t[]){2, 18}, 2, 0x04, cpu_svn, sizeof cpu_svn);
    size_t tcb_size = writer.pos;
    alc_writer_init(&writer, inner, sizeof inner);
    write_pair(&writer, (const uint8_t[]){1}, 1, 0x04, ppid, sizeof ppid);
    write_pair(&writer, (const uint8_t[]){2}, 1, 0x30, tcb, tcb_size);
    write_pair(&writer, (const uint8_t[]){3}, 1, 0x04, pce_id, sizeof pce_id);
    write_pair(&writer, (const uint8_t[]){4}, 1, 0x04, fmspc, sizeof fmspc);
    write_pair(&writer, (const uint8_t[]){5}, 1, 0x0a, &type, 1);
    size_t inner_size = writer.pos;
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    alc_writer_init(&writer, out, out_max);
    alc_write_u8(&writer, 0x30);
    alc_write_u8(&writer, 0x82);
    alc_write_u8(&writer, (uint8_t)(inner_size >> 8));
    alc_write_u8(&writer, (uint8_t)inner_size);
    alc_write_bytes(&writer, inner, inner_size);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    return writer.pos;
}

static X509 *begin_certificate(int serial, const char *name, EVP_PKEY *key, const X509 *issuer,
                               const char *from)
{
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), from), 1);
    assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20490101000000Z"),
                     1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
    X509_set_pubkey(certificate, key);
    return certificate;
}

static void make_certificates(struct platform *out, const struct platform_options *options)
{
    uint8_t extension[1100];
    size_t extension_size = make_sgx_extension(options->pce_svn, extension, sizeof extension);
    const char *from = "20240101000000Z";
    out->root = begin_certificate(SERIAL_ROOT, "Root", out->root_key, NULL, from);
    add_extension(out->root, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
    add_extension(out->root, NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(out->root, out->root_key, EVP_sha256());
    out->authority =
        begin_certificate(SERIAL_AUTHORITY, "Authority", out->authority_key, out->root, from);
    add_extension(out->authority, NID_basic_constraints,
                  options->authority_is_none ? "critical,CA:FALSE" : "critical,CA:TRUE,pathlen:0");
    add_extension(out->authority, NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(out->authority, out->root_key, EVP_sha256());
    out->signer = begin_certificate(SERIAL_SIGNER, "Signer", out->signer_key, out->root, from);
    add_extension(out->signer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(out->signer, NID_key_usage, "critical,digitalSignature");
    X509_sign(out->signer, out->root_key, EVP_sha256());
    bool by_signer = options->signer_signs_platform;
    out->leaf = begin_certificate(SERIAL_PLATFORM, "Platform", out->platform_key,
                                  by_signer ? out->signer : out->authority, options->leaf_from);
    add_extension(out->leaf, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(out->leaf, NID_key_usage, "critical,digitalSignature");
    if (!options->has_no_extension) {
        add_bytes(out->leaf, "1.2.840.113741.1.13.1", 0, extension, extension_size);
    }
    add_bytes(out->leaf, "1.2.3.4", options->has_critical_extension, extension, 4);
    X509_sign(out->leaf, by_signer ? out->signer_key : out->authority_key, EVP_sha256());
}

static size_t make_list(X509 *issuer, EVP_PKEY *key, int revoked, const char *until, uint8_t *out)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
    ASN1_TIME_set_string_X509(time, "20250101000000Z");
    X509_CRL_set1_lastUpdate(list, time);
    ASN1_INTEGER_set(serial, revoked);
    X509_REVOKED_set_serialNumber(entry, serial);
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(list, entry);
    ASN1_TIME_set_string_X509(time, until);
    X509_CRL_set1_nextUpdate(list, time);
    ASN1_INTEGER_set(serial, 1);
    assert_int_equal(X509_CRL_add1_ext_i2d(list, NID_crl_number, serial, 0, 0), 1);
    X509_CRL_sort(list);
    X509_CRL_sign(list, key, EVP_sha256());
    uint8_t *end = out;
    int size = i2d_X509_CRL(list, &end);
    assert_true(size > 0 && size < 2000);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(time);
    X509_CRL_free(list);
    return (size_t)size;
}

static void append_pem(char *text, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    size_t size = strlen(text);
    int added = BIO_read(bio, text + size, 4000);
    text[size + (size_t)added] = '\0';
    BIO_free(bio);
}

/* r || s over SHA-256 of the bytes. */
static void sign_raw(EVP_PKEY *key, const void *bytes, size_t size, uint8_t out[64])
{
    uint8_t der[200];
    size_t der_size = sizeof der;
    struct alc_reader reader;
    struct alc_ecdsa_signature signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &der_size, bytes, size), 1);
    alc_reader_init(&reader, der, der_size, NULL);
    assert_int_equal(alc_ecdsa_read_der(&reader, ALC_CURVE_P256, &signature), ALC_OK);
    memcpy(out, signature.bytes, 64);
    EVP_MD_CTX_free(ctx);
}

static void point_of(EVP_PKEY *key, uint8_t out[64])
{
    uint8_t point[65];
    size_t size;
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size),
        1);
    memcpy(out, point + 1, 64);
}

static void make_collateral(struct platform *out, const struct platform_options *options)
{
    struct alc_pcs_collateral *collateral = &out->collateral;
    size_t root_list_size = make_list(out->root, out->root_key, options->revoked_by_root,
                                      options->list_until, out->root_list);
    size_t pck_list_size =
        make_list(out->authority, out->authority_key, options->revoked_by_authority,
                  options->list_until, out->pck_list);
    int tcb_size = snprintf(out->tcb_info, sizeof out->tcb_info,
                            "{\"id\":\"%s\",\"version\":3,\"issueDate\":\"2025-02-01T00:00:00Z\","
                            "\"nextUpdate\":\"%s\",\"fmspc\":\"%s\",\"pceId\":\"0000\","
                            "\"tcbType\":0,\"tcbEvaluationDataNumber\":18,%s\"tcbLevels\":%s}",
                            options->tcb_id, options->tcb_until, options->fmspc, options->modules,
                            options->tcb_levels);
    int qe_size = snprintf(
        out->qe_identity, sizeof out->qe_identity,
        "{\"id\":\"%s\",\"version\":%d,\"issueDate\":\"2025-02-01T00:00:00Z\",\"nextUpdate\":"
        "\"2025-12-01T00:00:00Z\",\"tcbEvaluationDataNumber\":17,\"miscselect\":\"00000000\","
        "\"miscselectMask\":\"FFFFFFFF\",\"attributes\":\"11000000000000000000000000000000\","
        "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\"mrsigner\":\"%064d\","
        "\"isvprodid\":1,\"tcbLevels\":%s}",
        options->qe_id, options->qe_version, 0, options->qe_levels);
    assert_true((size_t)tcb_size < sizeof out->tcb_info);
    assert_true((size_t)qe_size < sizeof out->qe_identity);
    append_pem(out->signer_chain, out->signer);
    append_pem(out->signer_chain, out->root);
    const struct alc_text chain = {(const uint8_t *)out->signer_chain, strlen(out->signer_chain)};
    *collateral = (struct alc_pcs_collateral){
        .root_list = {out->root_list, root_list_size},
        .pck_list = {out->pck_list, pck_list_size},
        .tcb_info_chain = chain,
        .tcb_info = {(const uint8_t *)out->tcb_info, (size_t)tcb_size},
        .qe_identity_chain = chain,
        .qe_identity = {(const uint8_t *)out->qe_identity, (size_t)qe_size},
    };
    sign_raw(out->signer_key, out->tcb_info, (size_t)tcb_size, collateral->tcb_info_signature);
    sign_raw(out->signer_key, out->qe_identity, (size_t)qe_size, collateral->qe_identity_signature);
}

/* Header and body: what the attestation key signs. */
static void write_body(struct alc_writer *writer, const struct platform_options *options)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    struct alc_sgx_report_body report = {.mrenclave = {7}, .isv_svn = 3, .isv_product_id = 4};
    const uint32_t sizes[] = {0, sizeof report, ALC_TD_REPORT_10_SIZE, ALC_TD_REPORT_15_SIZE,
                              ALC_TD_REPORT_15EX_SIZE};
    const uint32_t size = sizes[options->body];
    const uint32_t tee = options->body == ALC_QUOTE_SGX ? 0 : 0x81;
    report.attributes.flags = options->attributes;
    memcpy(report.config_id, options->config_id, sizeof report.config_id);
    memcpy(report.report_data, options->report_data, sizeof report.report_data);
    alc_write_u16(writer, options->quote_version);
    alc_write_u16(writer, 2);
    alc_write_u32(writer, options->tee != 0 ? options->tee : tee);
    alc_write_zeros(writer, 4);
    alc_write_bytes(writer, vendor, sizeof vendor);
    alc_write_zeros(writer, 20);
    if (options->quote_version == 5) {
        alc_write_u16(writer, (uint16_t)options->body);
        alc_write_u32(writer, options->body_size != 0 ? options->body_size : size);
    }
    const void *body = options->body == ALC_QUOTE_SGX ? (const void *)&report : &options->td;
    alc_write_bytes(writer, body, size);
}

enum { AUTHENTICATION_SIZE = 32 }; /* of what the quoting enclave authenticates beside the key */

/* What vouches for the attestation key. */
static void write_certification(struct platform *out, const struct platform_options *options,
                                struct alc_writer *writer)
{
    struct alc_sgx_report_body qe_report = {.isv_svn = options->qe_svn, .isv_product_id = 1};
    uint8_t bytes[64 + AUTHENTICATION_SIZE] = {0};
    uint8_t signature[64];
    qe_report.attributes.flags = options->qe_attributes;
    point_of(out->attestation_key, bytes);
    memcpy(bytes + 64, "auth", 4);
    alc_sha256(bytes, sizeof bytes, qe_report.report_data);
    qe_report.report_data[63] = options->report_data_end;
    alc_write_bytes(writer, &qe_report, sizeof qe_report);
    sign_raw(out->platform_key, &qe_report, sizeof qe_report, signature);
    alc_write_bytes(writer, signature, 64);
    alc_write_u16(writer, AUTHENTICATION_SIZE);
    alc_write_bytes(writer, bytes + 64, AUTHENTICATION_SIZE);
    alc_write_u16(writer, ALC_QUOTE_CERTIFICATE_PEM);
    alc_write_u32(writer, (uint32_t)strlen(out->quote_chain));
    alc_write_bytes(writer, out->quote_chain, strlen(out->quote_chain));
}

static size_t make_quote(struct platform *out, const struct platform_options *options)
{
    uint8_t signature[64];
    uint8_t point[64];
    struct alc_writer writer;
    alc_writer_init(&writer, out->quote, sizeof out->quote);
    write_body(&writer, options);
    sign_raw(out->attestation_key, out->quote, writer.pos, signature);
    point_of(out->attestation_key, point);
    const uint32_t certification_size =
        384 + 64 + 2 + AUTHENTICATION_SIZE + 6 + (uint32_t)strlen(out->quote_chain);
    const bool is_wrapped = options->quote_version > 3;
    alc_write_u32(&writer, 64 + 64 + (is_wrapped ? 6u : 0u) + certification_size);
    alc_write_bytes(&writer, signature, 64);
    alc_write_bytes(&writer, point, 64);
    if (is_wrapped) {
        alc_write_u16(&writer, ALC_QUOTE_CERTIFICATE_QE_REPORT);
        alc_write_u32(&writer, certification_size);
    }
    write_certification(out, options, &writer);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    return writer.pos;
}

void platform_make(struct platform *out, const struct platform_options *options)
{
    uint8_t *der = NULL;
    memset(out, 0, sizeof *out);
    EVP_PKEY **keys[] = {&out->root_key, &out->authority_key, &out->platform_key, &out->signer_key,
                         &out->attestation_key};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        *keys[i] = EVP_EC_gen("P-256");
        assert_non_null(*keys[i]);
    }
    make_certificates(out, options);
    int der_size = i2d_X509(out->root, &der);
    alc_sha256(der, (size_t)der_size, out->root_sha256);
    OPENSSL_free(der);
    memset(platform_emulated_root, 0xee, sizeof platform_emulated_root);
    if (options->is_emulated) {
        memcpy(platform_emulated_root, out->root_sha256, sizeof out->root_sha256);
    }
    make_collateral(out, options);
    X509 *middle = options->signer_signs_platform ? out->signer : out->authority;
    X509 *const order[] = {out->leaf, middle, out->root};
    for (size_t i = 0; i < 3; i++) {
        append_pem(out->quote_chain, order[options->reverses_chain ? 2 - i : i]);
    }
    out->appraisal = (struct alc_appraisal){
        .evidence = {out->quote, make_quote(out, options)},
        .collateral.pcs = &out->collateral,
        .policy = &alc_policy_default,
        .now_s = PLATFORM_NOW,
        .root_sha256 = out->root_sha256,
    };
}

void platform_free(struct platform *platform)
{
    X509 *const certificates[] = {platform->root, platform->authority, platform->leaf,
                                  platform->signer};
    EVP_PKEY *const keys[] = {platform->root_key, platform->authority_key, platform->platform_key,
                              platform->signer_key, platform->attestation_key};
    for (size_t i = 0; i < sizeof certificates / sizeof certificates[0]; i++) {
        X509_free(certificates[i]);
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        EVP_PKEY_free(keys[i]);
    }
}

#endif
