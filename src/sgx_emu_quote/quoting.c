/* SPDX-License-Identifier: Apache-2.0
 *
 * Quotes and collateral of the emulated platform (Intel's DCAP quote version 3; version 4 of the
 * provisioning service's interface).
 */
#include "sgx_emu_quote/quoting.h"

#include <stdio.h>

#include "base/bytes.h"
#include "sgx_emu/emu.h"
#include "sgx_emu_quote/certificates.h"

enum { QUOTE_VERSION = 3, KEY_TYPE_P256 = 2, CERTIFICATE_TYPE_PEM = 5, QE_PRODUCT_ID = 1 };

static const uint64_t qe_flags =
    ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_MODE64 | ALC_SGX_ATTRIBUTE_PROVISION;

/* The quoting enclave is nobody: its identity is the hash of a text. */
static void hash_text(const char *text, uint8_t out[ALC_SHA256_SIZE])
{
    alc_sha256(text, alc_string_length(text), out);
}

void alc_emulated_target_info(struct alc_sgx_target_info *out)
{
    *out = (struct alc_sgx_target_info){
        .attributes = {.flags = qe_flags, .xfrm = ALC_SGX_XFRM_LEGACY}};
    hash_text("alcove EMULATED quoting enclave", out->measurement);
}

/* -- quotes -- */

static void write_chain(struct alc_writer *out, const enum emulated_party *parties, size_t count)
{
    struct der_writer certificate;
    for (size_t i = 0; i < count; i++) {
        emulated_certificate(parties[i], &certificate);
        alc_pem_write(out, "CERTIFICATE", certificate.bytes, certificate.size);
    }
}

/* Attestation key, and the quoting enclave's report that vouches for it. */
static void write_attestation_key(struct alc_writer *out)
{
    static const char authentication[] = "EMULATED";
    uint8_t bound[64 + sizeof authentication];
    uint8_t signature[64];
    struct alc_ec_public_key key;
    struct alc_sgx_report_body qe = {
        .attributes = {.flags = qe_flags, .xfrm = ALC_SGX_XFRM_LEGACY},
        .isv_product_id = QE_PRODUCT_ID,
        .isv_svn = EMULATED_SVN,
    };
    emulated_public_key(EMULATED_ATTESTATION, &key);
    alc_copy(bound, key.point, 64);
    alc_copy(bound + 64, authentication, sizeof authentication);
    alc_sha256(bound, sizeof bound, qe.report_data);
    alc_fill(qe.cpu_svn, EMULATED_SVN, sizeof qe.cpu_svn);
    hash_text("alcove EMULATED quoting enclave", qe.mrenclave);
    hash_text("alcove EMULATED signer of the quoting enclave", qe.mrsigner);
    alc_write_bytes(out, key.point, 64);
    alc_write_bytes(out, &qe, sizeof qe);
    emulated_sign(EMULATED_PLATFORM, &qe, sizeof qe, signature);
    alc_write_bytes(out, signature, sizeof signature);
    alc_write_u16(out, sizeof authentication);
    alc_write_bytes(out, authentication, sizeof authentication);
}

alc_status alc_emulated_quote(const struct alc_sgx_report *report, struct alc_writer *out)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    static const enum emulated_party chain[] = {EMULATED_PLATFORM, EMULATED_AUTHORITY,
                                                EMULATED_ROOT};
    static const char user_data[20] = "alcove EMULATED";
    uint8_t signed_bytes[48 + sizeof report->body];
    uint8_t rest[ALC_EMULATED_QUOTE_SIZE_MAX];
    uint8_t pem[ALC_EMULATED_QUOTE_SIZE_MAX];
    uint8_t signature[64];
    struct alc_sgx_target_info target;
    struct alc_writer writer;
    alc_emulated_target_info(&target);
    if (!alc_sgx_emu_verify_report(report, &target)) {
        return ALC_E_REPORT_MISMATCH;
    }
    alc_writer_init(&writer, signed_bytes, sizeof signed_bytes);
    alc_write_u16(&writer, QUOTE_VERSION);
    alc_write_u16(&writer, KEY_TYPE_P256);
    alc_write_u32(&writer, 0); /* TEE: SGX */
    alc_write_u16(&writer, EMULATED_SVN);
    alc_write_u16(&writer, EMULATED_SVN);
    alc_write_bytes(&writer, vendor, sizeof vendor);
    alc_write_bytes(&writer, user_data, sizeof user_data);
    alc_write_bytes(&writer, &report->body, sizeof report->body);
    ALC_ASSERT(writer.pos == sizeof signed_bytes && !writer.overflowed);
    emulated_sign(EMULATED_ATTESTATION, signed_bytes, sizeof signed_bytes, signature);
    alc_writer_init(&writer, pem, sizeof pem);
    write_chain(&writer, chain, ALC_ARRAY_COUNT(chain));
    size_t pem_size = writer.pos;
    alc_writer_init(&writer, rest, sizeof rest);
    alc_write_bytes(&writer, signature, sizeof signature);
    write_attestation_key(&writer);
    alc_write_u16(&writer, CERTIFICATE_TYPE_PEM);
    alc_write_u32(&writer, (uint32_t)pem_size);
    alc_write_bytes(&writer, pem, pem_size);
    ALC_ASSERT(!writer.overflowed);
    alc_write_bytes(out, signed_bytes, sizeof signed_bytes);
    alc_write_u32(out, (uint32_t)writer.pos);
    alc_write_bytes(out, rest, writer.pos);
    return ALC_OK;
}

void alc_emulated_root(struct alc_writer *out)
{
    struct der_writer certificate;
    emulated_certificate(EMULATED_ROOT, &certificate);
    alc_write_bytes(out, certificate.bytes, certificate.size);
}

/* -- collateral -- */

#define DATES "\"issueDate\":\"2020-01-01T00:00:00Z\",\"nextUpdate\":\"2049-12-31T00:00:00Z\","
#define LEVEL(tcb)                                                                                 \
    "\"tcbLevels\":[{\"tcb\":{" tcb "},\"tcbDate\":\"2020-01-01T00:00:00Z\","                      \
    "\"tcbStatus\":\"UpToDate\"}]}"
#define COMPONENTS_4 "{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1}"
#define COMPONENTS COMPONENTS_4 "," COMPONENTS_4 "," COMPONENTS_4 "," COMPONENTS_4

static const char tcb_info[] =
    "{\"id\":\"SGX\",\"version\":3," DATES "\"fmspc\":\"" EMULATED_FMSPC_HEX
    "\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":1," LEVEL(
        "\"sgxtcbcomponents\":[" COMPONENTS "],\"pcesvn\":1");

static void write_text(struct alc_writer *out, const char *text)
{
    alc_write_bytes(out, text, alc_string_length(text));
}

static void write_hex(struct alc_writer *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        alc_write_u8(out, (uint8_t)digits[bytes[i] >> 4]);
        alc_write_u8(out, (uint8_t)digits[bytes[i] & 15]);
    }
}

/* `,"name":"hexadecimal"`; the first member has its comma from nobody. */
static void write_hex_member(struct alc_writer *out, const char *name, const uint8_t *bytes,
                             size_t size)
{
    write_text(out, name);
    write_hex(out, bytes, size);
    write_text(out, "\"");
}

static void write_list(struct alc_writer *out, const char *name, enum emulated_party issuer)
{
    struct der_writer list;
    emulated_list(issuer, &list);
    write_hex_member(out, name, list.bytes, list.size);
}

/* JSON text as a JSON string. */
static void write_quoted(struct alc_writer *out, const char *name, const char *text, size_t size)
{
    write_text(out, name);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            write_text(out, "\\n");
            continue;
        }
        if (text[i] == '"') {
            alc_write_u8(out, '\\');
        }
        alc_write_u8(out, (uint8_t)text[i]);
    }
    write_text(out, "\"");
}

static void write_signed(struct alc_writer *out, const char *name, const char *signature_name,
                         const char *text)
{
    uint8_t signature[64];
    size_t size = alc_string_length(text);
    emulated_sign(EMULATED_SIGNER, text, size, signature);
    write_quoted(out, name, text, size);
    write_hex_member(out, signature_name, signature, sizeof signature);
}

void alc_emulated_collateral(struct alc_writer *out)
{
    static const enum emulated_party chain[] = {EMULATED_SIGNER, EMULATED_ROOT};
    char pem[4096];
    char qe_identity[1024];
    char mrsigner[2 * ALC_SHA256_SIZE];
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_writer writer;
    alc_writer_init(&writer, pem, sizeof pem);
    write_chain(&writer, chain, ALC_ARRAY_COUNT(chain));
    ALC_ASSERT(!writer.overflowed);
    size_t pem_size = writer.pos;
    hash_text("alcove EMULATED signer of the quoting enclave", digest);
    alc_writer_init(&writer, mrsigner, sizeof mrsigner);
    write_hex(&writer, digest, sizeof digest);
    (void)snprintf(qe_identity, sizeof qe_identity,
                   "{\"id\":\"QE\",\"version\":2," DATES
                   "\"tcbEvaluationDataNumber\":1,\"miscselect\":\"00000000\","
                   "\"miscselectMask\":\"FFFFFFFF\","
                   "\"attributes\":\"15000000000000000300000000000000\","
                   "\"attributesMask\":\"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\",\"mrsigner\":\"%.64s\","
                   "\"isvprodid\":1," LEVEL("\"isvsvn\":1"),
                   mrsigner);
    write_list(out, "{\"root_ca_crl\":\"", EMULATED_ROOT);
    write_list(out, ",\"pck_crl\":\"", EMULATED_AUTHORITY);
    write_quoted(out, ",\"tcb_info_issuer_chain\":\"", pem, pem_size);
    write_signed(out, ",\"tcb_info\":\"", ",\"tcb_info_signature\":\"", tcb_info);
    write_quoted(out, ",\"qe_identity_issuer_chain\":\"", pem, pem_size);
    write_signed(out, ",\"qe_identity\":\"", ",\"qe_identity_signature\":\"", qe_identity);
    write_text(out, "}\n");
}
