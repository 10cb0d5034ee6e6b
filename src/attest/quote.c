/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of quotes.
 */
#include "attest/quote.h"

#include "base/bytes.h"

enum {
    QUOTE_VERSION_3 = 3, /* of SGX alone */
    QUOTE_VERSION_4 = 4, /* of one body by the kind of environment */
    QUOTE_VERSION_5 = 5, /* names its body */
    KEY_TYPE_P256 = 2,
    TEE_SGX = 0,
    TEE_TDX = 0x81,
    SIGNATURE_SIZE = 64,
    POINT_SIZE = 64,
    USER_DATA_SIZE = 20,
};

/* QE_VENDOR_INTEL: who made the quoting enclave. */
static const uint8_t vendor_intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                         0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

static alc_status expect_u16(struct alc_reader *reader, uint16_t wanted, alc_status otherwise)
{
    const struct alc_reader start = *reader;
    uint16_t value;
    ALC_TRY(alc_read_u16(reader, &value));
    return value == wanted ? ALC_OK : alc_reader_fail(&start, otherwise);
}

/* *out_tee says what is quoted, by the header alone. */
static alc_status read_header(struct alc_reader *reader, struct alc_quote *out, uint32_t *out_tee)
{
    const struct alc_reader start = *reader;
    const uint8_t *bytes;
    ALC_TRY(alc_read_u16(reader, &out->version));
    if (out->version < QUOTE_VERSION_3 || out->version > QUOTE_VERSION_5) {
        return alc_reader_fail(&start, ALC_E_NOT_SUPPORTED);
    }
    ALC_TRY(expect_u16(reader, KEY_TYPE_P256, ALC_E_NOT_SUPPORTED));
    const struct alc_reader before_tee = *reader;
    ALC_TRY(alc_read_u32(reader, out_tee));
    if (*out_tee != TEE_SGX && (*out_tee != TEE_TDX || out->version == QUOTE_VERSION_3)) {
        return alc_reader_fail(&before_tee, ALC_E_NOT_SUPPORTED);
    }
    ALC_TRY(alc_read_u16(reader, &out->qe_svn));
    ALC_TRY(alc_read_u16(reader, &out->pce_svn));
    const struct alc_reader before_vendor = *reader;
    ALC_TRY(alc_read_bytes(reader, sizeof vendor_intel, &bytes));
    if (!alc_equal(bytes, vendor_intel, sizeof vendor_intel)) {
        return alc_reader_fail(&before_vendor, ALC_E_BAD_QUOTE);
    }
    return alc_read_skip(reader, USER_DATA_SIZE);
}

static alc_status read_report(struct alc_reader *reader, const uint8_t **out_bytes,
                              struct alc_sgx_report_body *out)
{
    ALC_TRY(alc_read_bytes(reader, sizeof *out, out_bytes));
    alc_copy(out, *out_bytes, sizeof *out);
    return ALC_OK;
}

static size_t body_size(enum alc_quote_body body)
{
    switch (body) {
    case ALC_QUOTE_SGX:
        return sizeof(struct alc_sgx_report_body);
    case ALC_QUOTE_TD_10:
        return ALC_TD_REPORT_10_SIZE;
    case ALC_QUOTE_TD_15:
        return ALC_TD_REPORT_15_SIZE;
    case ALC_QUOTE_TD_15EX:
        return ALC_TD_REPORT_15EX_SIZE;
    }
    return 0;
}

/* Before version 5 the kind of environment says which body it is. */
static alc_status read_body_kind(struct alc_reader *reader, uint32_t tee, struct alc_quote *out)
{
    uint16_t kind;
    uint32_t size;
    if (out->version < QUOTE_VERSION_5) {
        out->body = tee == TEE_SGX ? ALC_QUOTE_SGX : ALC_QUOTE_TD_10;
        return ALC_OK;
    }
    const struct alc_reader before_kind = *reader;
    ALC_TRY(alc_read_u16(reader, &kind));
    if (kind < ALC_QUOTE_SGX || kind > ALC_QUOTE_TD_15EX) {
        return alc_reader_fail(&before_kind, ALC_E_NOT_SUPPORTED);
    }
    out->body = (enum alc_quote_body)kind;
    const struct alc_reader before_size = *reader;
    ALC_TRY(alc_read_u32(reader, &size));
    if ((out->body == ALC_QUOTE_SGX) != (tee == TEE_SGX)) {
        return alc_reader_fail(&before_kind, ALC_E_BAD_QUOTE);
    }
    return size == body_size(out->body) ? ALC_OK : alc_reader_fail(&before_size, ALC_E_BAD_QUOTE);
}

static alc_status read_body(struct alc_reader *reader, uint32_t tee, struct alc_quote *out)
{
    const uint8_t *bytes;
    ALC_TRY(read_body_kind(reader, tee, out));
    if (out->body == ALC_QUOTE_SGX) {
        return read_report(reader, &bytes, &out->report);
    }
    ALC_TRY(alc_read_bytes(reader, body_size(out->body), &bytes));
    alc_copy(&out->td, bytes, body_size(out->body));
    return ALC_OK;
}

static alc_status read_signature(struct alc_reader *reader, struct alc_ecdsa_signature *out)
{
    const uint8_t *bytes;
    ALC_TRY(alc_read_bytes(reader, SIGNATURE_SIZE, &bytes));
    alc_copy(out->bytes, bytes, SIGNATURE_SIZE);
    return ALC_OK;
}

/* u16 type, u32 size, and that many bytes to the end, for *out to read. */
static alc_status read_certification_data(struct alc_reader *reader,
                                          enum alc_quote_certificate_type type,
                                          struct alc_reader *out)
{
    uint32_t size;
    ALC_TRY(expect_u16(reader, (uint16_t)type, ALC_E_NOT_SUPPORTED));
    const struct alc_reader before_size = *reader;
    ALC_TRY(alc_read_u32(reader, &size));
    if (size != alc_reader_remaining(reader)) {
        return alc_reader_fail(&before_size, ALC_E_BAD_QUOTE);
    }
    return alc_read_sub(reader, size, out);
}

/* The quoting enclave's report, what it authenticated, and who certifies it. */
static alc_status read_qe_report(struct alc_reader *reader, struct alc_quote *out)
{
    uint16_t authentication_size;
    ALC_TRY(read_report(reader, &out->qe_report_bytes, &out->qe_report));
    ALC_TRY(read_signature(reader, &out->qe_report_signature));
    ALC_TRY(alc_read_u16(reader, &authentication_size));
    ALC_TRY(alc_read_bytes(reader, authentication_size, &out->qe_authentication));
    out->qe_authentication_size = authentication_size;
    return read_certification_data(reader, ALC_QUOTE_CERTIFICATE_PEM, &out->certificates);
}

static alc_status read_signature_data(struct alc_reader *reader, struct alc_quote *out)
{
    const uint8_t *point;
    struct alc_reader wrapped;
    ALC_TRY(read_signature(reader, &out->signature));
    ALC_TRY(alc_read_bytes(reader, POINT_SIZE, &point));
    out->attestation_key.curve = ALC_CURVE_P256;
    alc_copy(out->attestation_key.point, point, POINT_SIZE);
    if (out->version == QUOTE_VERSION_3) {
        return read_qe_report(reader, out);
    }
    ALC_TRY(read_certification_data(reader, ALC_QUOTE_CERTIFICATE_QE_REPORT, &wrapped));
    return read_qe_report(&wrapped, out);
}

alc_status alc_quote_read(struct alc_reader *reader, struct alc_quote *out)
{
    const struct alc_reader start = *reader;
    struct alc_reader data;
    uint32_t tee;
    uint32_t data_size;
    alc_fill(out, 0, sizeof *out);
    if (alc_reader_remaining(reader) > ALC_QUOTE_SIZE_MAX) {
        return alc_reader_fail(reader, ALC_E_BAD_QUOTE);
    }
    ALC_TRY(read_header(reader, out, &tee));
    ALC_TRY(read_body(reader, tee, out));
    out->signed_bytes = start.bytes + start.pos;
    out->signed_size = reader->pos - start.pos;
    ALC_TRY(alc_read_u32(reader, &data_size));
    ALC_TRY(alc_read_sub(reader, data_size, &data));
    ALC_TRY(read_signature_data(&data, out));
    while (!alc_reader_at_end(reader)) {
        const struct alc_reader before = *reader;
        uint8_t byte;
        ALC_TRY(alc_read_u8(reader, &byte));
        if (byte != 0) {
            return alc_reader_fail(&before, ALC_E_BAD_QUOTE);
        }
    }
    return ALC_OK;
}
