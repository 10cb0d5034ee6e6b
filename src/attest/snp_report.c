/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of SEV-SNP reports, in the order of their fields.
 */
#include "attest/snp.h"

#include "base/bytes.h"

enum { VERSION_MIN = 2, VERSION_WITH_CPU = 3, VERSION_WITH_MITIGATIONS = 4, VERSION_MAX = 5 };
enum { ALGORITHM_ECDSA_P384_SHA384 = 1 };
enum { POLICY_BITS = 26, KEY_INFO_BITS = 5 };
enum { NUMBER_SIZE = 48, NUMBER_FIELD_SIZE = 72 };

static alc_status read_copy(struct alc_reader *reader, uint8_t *out, size_t size)
{
    const uint8_t *bytes;
    ALC_TRY(alc_read_bytes(reader, size, &bytes));
    alc_copy(out, bytes, size);
    return ALC_OK;
}

static alc_status read_zeros(struct alc_reader *reader, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const struct alc_reader before = *reader;
        uint8_t byte;
        ALC_TRY(alc_read_u8(reader, &byte));
        if (byte != 0) {
            return alc_reader_fail(&before, ALC_E_BAD_REPORT);
        }
    }
    return ALC_OK;
}

/* VERSION to SIGNATURE_ALGO. */
static alc_status read_guest(struct alc_reader *reader, struct alc_snp_report *out)
{
    uint32_t algorithm;
    const struct alc_reader before_version = *reader;
    ALC_TRY(alc_read_u32(reader, &out->version));
    if (out->version < VERSION_MIN || out->version > VERSION_MAX) {
        return alc_reader_fail(&before_version, ALC_E_NOT_SUPPORTED);
    }
    ALC_TRY(alc_read_u32(reader, &out->guest_svn));
    const struct alc_reader before_policy = *reader;
    ALC_TRY(alc_read_u64(reader, &out->policy));
    if (out->policy >> POLICY_BITS != 0 || (out->policy & ALC_SNP_POLICY_ALWAYS) == 0) {
        return alc_reader_fail(&before_policy, ALC_E_BAD_REPORT);
    }
    ALC_TRY(read_copy(reader, out->family_id, sizeof out->family_id));
    ALC_TRY(read_copy(reader, out->image_id, sizeof out->image_id));
    ALC_TRY(alc_read_u32(reader, &out->vmpl));
    const struct alc_reader before_algorithm = *reader;
    ALC_TRY(alc_read_u32(reader, &algorithm));
    return algorithm == ALGORITHM_ECDSA_P384_SHA384
               ? ALC_OK
               : alc_reader_fail(&before_algorithm, ALC_E_NOT_SUPPORTED);
}

static alc_status read_key_info(struct alc_reader *reader, struct alc_snp_report *out)
{
    const struct alc_reader before = *reader;
    uint32_t info;
    ALC_TRY(alc_read_u32(reader, &info));
    const uint32_t kind = info >> 2 & 7;
    if (info >> KEY_INFO_BITS != 0 ||
        (kind != ALC_SNP_VCEK && kind != ALC_SNP_VLEK && kind != ALC_SNP_UNSIGNED)) {
        return alc_reader_fail(&before, ALC_E_BAD_REPORT);
    }
    out->key_kind = (enum alc_snp_key_kind)kind;
    out->chip_is_masked = (info & 2) != 0;
    out->has_author_key = (info & 1) != 0;
    return read_zeros(reader, 4);
}

/* CURRENT_TCB to REPORT_ID_MA. */
static alc_status read_launch(struct alc_reader *reader, struct alc_snp_report *out)
{
    ALC_TRY(read_copy(reader, out->current_tcb, sizeof out->current_tcb));
    ALC_TRY(alc_read_u64(reader, &out->platform_info));
    ALC_TRY(read_key_info(reader, out));
    ALC_TRY(read_copy(reader, out->report_data, sizeof out->report_data));
    ALC_TRY(read_copy(reader, out->measurement, sizeof out->measurement));
    ALC_TRY(read_copy(reader, out->host_data, sizeof out->host_data));
    ALC_TRY(read_copy(reader, out->id_key_digest, sizeof out->id_key_digest));
    ALC_TRY(read_copy(reader, out->author_key_digest, sizeof out->author_key_digest));
    ALC_TRY(read_copy(reader, out->report_id, sizeof out->report_id));
    return read_copy(reader, out->report_id_ma, sizeof out->report_id_ma);
}

static alc_status read_firmware(struct alc_reader *reader, struct alc_snp_firmware *out)
{
    ALC_TRY(alc_read_u8(reader, &out->build));
    ALC_TRY(alc_read_u8(reader, &out->minor));
    ALC_TRY(alc_read_u8(reader, &out->major));
    return read_zeros(reader, 1);
}

/* REPORTED_TCB to what is reserved before the signature. */
static alc_status read_platform(struct alc_reader *reader, struct alc_snp_report *out)
{
    ALC_TRY(read_copy(reader, out->reported_tcb, sizeof out->reported_tcb));
    out->has_cpu = out->version >= VERSION_WITH_CPU;
    if (out->has_cpu) {
        ALC_TRY(alc_read_u8(reader, &out->cpu_family));
        ALC_TRY(alc_read_u8(reader, &out->cpu_model));
        ALC_TRY(alc_read_u8(reader, &out->cpu_stepping));
    }
    ALC_TRY(read_zeros(reader, out->has_cpu ? 21 : 24));
    ALC_TRY(read_copy(reader, out->chip_id, sizeof out->chip_id));
    ALC_TRY(read_copy(reader, out->committed_tcb, sizeof out->committed_tcb));
    ALC_TRY(read_firmware(reader, &out->current));
    ALC_TRY(read_firmware(reader, &out->committed));
    ALC_TRY(read_copy(reader, out->launch_tcb, sizeof out->launch_tcb));
    if (out->version >= VERSION_WITH_MITIGATIONS) {
        ALC_TRY(alc_read_u64(reader, &out->launch_mitigations));
        ALC_TRY(alc_read_u64(reader, &out->current_mitigations));
    } else {
        ALC_TRY(read_zeros(reader, 16));
    }
    return read_zeros(reader, 152);
}

/* A little-endian number in a field that is larger. */
static alc_status read_number(struct alc_reader *reader, uint8_t *out)
{
    const uint8_t *bytes;
    ALC_TRY(alc_read_bytes(reader, NUMBER_SIZE, &bytes));
    for (size_t i = 0; i < NUMBER_SIZE; i++) {
        out[i] = bytes[NUMBER_SIZE - 1 - i];
    }
    return read_zeros(reader, NUMBER_FIELD_SIZE - NUMBER_SIZE);
}

bool alc_snp_is_report(const uint8_t *bytes, size_t size)
{
    /* A quote has its version in two bytes and then a kind of key, which is never 0. */
    return size == ALC_SNP_REPORT_SIZE && alc_load_u16(bytes + 2) == 0;
}

alc_status alc_snp_report_read(struct alc_reader *reader, struct alc_snp_report *out)
{
    alc_fill(out, 0, sizeof *out);
    if (alc_reader_remaining(reader) != ALC_SNP_REPORT_SIZE) {
        return alc_reader_fail(reader, ALC_E_BAD_REPORT);
    }
    ALC_TRY(read_guest(reader, out));
    ALC_TRY(read_launch(reader, out));
    ALC_TRY(read_platform(reader, out));
    ALC_TRY(read_number(reader, out->signature.bytes));
    ALC_TRY(read_number(reader, out->signature.bytes + NUMBER_SIZE));
    return read_zeros(reader, alc_reader_remaining(reader));
}
