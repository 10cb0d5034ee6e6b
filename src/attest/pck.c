/* SPDX-License-Identifier: Apache-2.0
 *
 * The SGX extension: a sequence of pairs of identifier and value.
 */
#include "attest/pck.h"

#include "base/bytes.h"

/* 1.2.840.113741.1.13.1, to which numbers are appended. */
static const uint8_t oid_sgx[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum { PART_TCB = 2, PART_PCE_ID = 3, PART_FMSPC = 4 };
enum { TCB_PCE_SVN = 17, TCB_CPU_SVN = 18 };
enum { ALL_TCB = (1 << 18) - 1, ALL_PARTS = 1 << PART_TCB | 1 << PART_PCE_ID | 1 << PART_FMSPC };

/* SEQUENCE { identifier, value }: the last number of the identifier, which has `count` appended,
 * the first of which is `parent` when there are two. 0 for another identifier. */
static alc_status read_pair(struct alc_reader *reader, size_t count, uint8_t parent,
                            uint8_t *out_number, struct alc_reader *out_value)
{
    struct alc_der pair;
    struct alc_der oid;
    ALC_TRY(alc_der_read(reader, ALC_DER_SEQUENCE, &pair));
    ALC_TRY(alc_der_read(&pair.content, ALC_DER_OBJECT_IDENTIFIER, &oid));
    const uint8_t *bytes = oid.content.bytes;
    bool is_ours = oid.content.size == sizeof oid_sgx + count &&
                   alc_equal(bytes, oid_sgx, sizeof oid_sgx) &&
                   (count == 1 || bytes[sizeof oid_sgx] == parent);
    *out_number = is_ours ? bytes[oid.content.size - 1] : 0;
    *out_value = pair.content;
    return ALC_OK;
}

static alc_status read_octets(struct alc_reader *value, uint8_t *out, size_t size)
{
    struct alc_der octets;
    ALC_TRY(alc_der_read(value, ALC_DER_OCTET_STRING, &octets));
    if (octets.content.size != size) {
        return ALC_E_BAD_CERTIFICATE;
    }
    alc_copy(out, octets.content.bytes, size);
    return ALC_OK;
}

static alc_status read_tcb(struct alc_reader *value, struct alc_pck *out)
{
    struct alc_der sequence;
    uint32_t seen = 0;
    ALC_TRY(alc_der_read(value, ALC_DER_SEQUENCE, &sequence));
    while (!alc_reader_at_end(&sequence.content)) {
        struct alc_reader part;
        uint8_t number;
        uint32_t svn;
        ALC_TRY(read_pair(&sequence.content, 2, PART_TCB, &number, &part));
        if (number == 0 || number > TCB_CPU_SVN || (seen & 1u << (number - 1)) != 0) {
            return ALC_E_BAD_CERTIFICATE;
        }
        seen |= 1u << (number - 1);
        if (number == TCB_CPU_SVN) {
            continue; /* the components again, as the processor packs them */
        }
        ALC_TRY(alc_der_read_u32(&part, &svn));
        if (number == TCB_PCE_SVN) {
            out->pce_svn = svn;
        } else if (svn <= UINT8_MAX) {
            out->components[number - 1] = (uint8_t)svn;
        } else {
            return ALC_E_BAD_CERTIFICATE;
        }
    }
    return seen == ALL_TCB ? ALC_OK : ALC_E_BAD_CERTIFICATE;
}

alc_status alc_pck_read(const struct alc_certificate *certificate, struct alc_pck *out)
{
    struct alc_reader reader = certificate->sgx_extension;
    struct alc_der sequence;
    uint32_t seen = 0;
    *out = (struct alc_pck){0};
    if (!certificate->has_sgx_extension) {
        return ALC_E_BAD_CERTIFICATE;
    }
    ALC_TRY(alc_der_read(&reader, ALC_DER_SEQUENCE, &sequence));
    ALC_TRY(alc_der_end(&reader));
    while (!alc_reader_at_end(&sequence.content)) {
        struct alc_reader value;
        uint8_t number;
        ALC_TRY(read_pair(&sequence.content, 1, 0, &number, &value));
        if (number >= 32 || (number != 0 && (seen & 1u << number) != 0)) {
            return ALC_E_BAD_CERTIFICATE;
        }
        seen |= 1u << number;
        if (number == PART_TCB) {
            ALC_TRY(read_tcb(&value, out));
        } else if (number == PART_PCE_ID) {
            ALC_TRY(read_octets(&value, out->pce_id, ALC_PCE_ID_SIZE));
        } else if (number == PART_FMSPC) {
            ALC_TRY(read_octets(&value, out->fmspc, ALC_FMSPC_SIZE));
        }
    }
    return (seen & ALL_PARTS) == ALL_PARTS ? ALC_OK : ALC_E_BAD_CERTIFICATE;
}
