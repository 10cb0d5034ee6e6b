/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of quotes.
 */
#include "attest/quote.h"

#include "base/bytes.h"

enum {
    QUOTE_VERSION = 3,
    KEY_TYPE_P256 = 2,
    TEE_SGX = 0,
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

static alc_status read_header(struct alc_reader *reader, struct alc_quote *out)
{
    const uint8_t *bytes;
    uint32_t tee;
    ALC_TRY(expect_u16(reader, QUOTE_VERSION, ALC_E_NOT_SUPPORTED));
    ALC_TRY(expect_u16(reader, KEY_TYPE_P256, ALC_E_NOT_SUPPORTED));
    const struct alc_reader before_tee = *reader;
    ALC_TRY(alc_read_u32(reader, &tee));
    if (tee != TEE_SGX) {
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

static alc_status read_signature(struct alc_reader *reader, struct alc_ecdsa_signature *out)
{
    const uint8_t *bytes;
    ALC_TRY(alc_read_bytes(reader, SIGNATURE_SIZE, &bytes));
    alc_copy(out->bytes, bytes, SIGNATURE_SIZE);
    return ALC_OK;
}

static alc_status read_certification(struct alc_reader *reader, struct alc_quote *out)
{
    uint16_t authentication_size;
    uint32_t certificates_size;
    ALC_TRY(alc_read_u16(reader, &authentication_size));
    ALC_TRY(alc_read_bytes(reader, authentication_size, &out->qe_authentication));
    out->qe_authentication_size = authentication_size;
    ALC_TRY(expect_u16(reader, ALC_QUOTE_CERTIFICATE_PEM, ALC_E_NOT_SUPPORTED));
    const struct alc_reader before_size = *reader;
    ALC_TRY(alc_read_u32(reader, &certificates_size));
    if (certificates_size != alc_reader_remaining(reader)) {
        return alc_reader_fail(&before_size, ALC_E_BAD_QUOTE);
    }
    return alc_read_sub(reader, certificates_size, &out->certificates);
}

static alc_status read_signature_data(struct alc_reader *reader, struct alc_quote *out)
{
    const uint8_t *point;
    ALC_TRY(read_signature(reader, &out->signature));
    ALC_TRY(alc_read_bytes(reader, POINT_SIZE, &point));
    out->attestation_key.curve = ALC_CURVE_P256;
    alc_copy(out->attestation_key.point, point, POINT_SIZE);
    ALC_TRY(read_report(reader, &out->qe_report_bytes, &out->qe_report));
    ALC_TRY(read_signature(reader, &out->qe_report_signature));
    return read_certification(reader, out);
}

alc_status alc_quote_read(struct alc_reader *reader, struct alc_quote *out)
{
    const struct alc_reader start = *reader;
    struct alc_reader data;
    const uint8_t *report;
    uint32_t data_size;
    alc_fill(out, 0, sizeof *out);
    if (alc_reader_remaining(reader) > ALC_QUOTE_SIZE_MAX) {
        return alc_reader_fail(reader, ALC_E_BAD_QUOTE);
    }
    ALC_TRY(read_header(reader, out));
    ALC_TRY(read_report(reader, &report, &out->report));
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
