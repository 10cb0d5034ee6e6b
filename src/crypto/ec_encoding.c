/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys and signatures in DER. Both forms are so narrow that no parser of ASN.1 is needed: a
 * key is a fixed head and a point, a signature is two positive integers. Input is hostile.
 */
#include "crypto/crypto.h"

#include "base/bytes.h"

enum { TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30 };

/* SEQUENCE { SEQUENCE { id-ecPublicKey, the curve }, BIT STRING { 04, … (RFC 5480, 2) */
static const uint8_t head_p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t head_p384[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

static const struct {
    const uint8_t *bytes;
    size_t size;
} heads[ALC_CURVES] = {
    [ALC_CURVE_P256] = {head_p256, sizeof head_p256},
    [ALC_CURVE_P384] = {head_p384, sizeof head_p384},
};

void alc_ec_write_spki(struct alc_writer *writer, const struct alc_ec_public_key *key)
{
    ALC_ASSERT(key->curve < ALC_CURVES);
    alc_write_bytes(writer, heads[key->curve].bytes, heads[key->curve].size);
    alc_write_bytes(writer, key->point, 2 * alc_curve_size(key->curve));
}

alc_status alc_ec_read_spki_form(struct alc_reader *reader, struct alc_ec_public_key *out)
{
    const struct alc_reader start = *reader;
    const size_t size = alc_reader_remaining(reader);
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        const uint8_t *head;
        const uint8_t *point;
        size_t point_size = 2 * alc_curve_size(curve);
        if (size != heads[curve].size + point_size) {
            continue;
        }
        ALC_TRY(alc_read_bytes(reader, heads[curve].size, &head));
        ALC_TRY(alc_read_bytes(reader, point_size, &point));
        *out = (struct alc_ec_public_key){.curve = curve};
        alc_copy(out->point, point, point_size);
        return alc_equal(head, heads[curve].bytes, heads[curve].size)
                   ? ALC_OK
                   : alc_reader_fail(&start, ALC_E_BAD_KEY);
    }
    return alc_reader_fail(&start, ALC_E_BAD_KEY);
}

alc_status alc_ec_read_spki(struct alc_reader *reader, struct alc_ec_public_key *out)
{
    const struct alc_reader start = *reader;
    ALC_TRY(alc_ec_read_spki_form(reader, out));
    alc_status status = alc_ec_check_public(out);
    return status == ALC_OK ? ALC_OK : alc_reader_fail(&start, status);
}

/* -- signatures -- */

/* A number without its leading zeros, but with one where the first bit would be a sign. */
struct integer {
    const uint8_t *bytes;
    size_t size; /* without the zero for the sign; 0 for the number 0 */
    bool has_sign_byte;
};

static struct integer integer_of(const uint8_t *bytes, size_t size)
{
    while (size > 0 && *bytes == 0) {
        bytes++;
        size--;
    }
    return (struct integer){bytes, size, size == 0 || bytes[0] >= 0x80};
}

static void write_integer(struct alc_writer *writer, struct integer integer)
{
    alc_write_u8(writer, TAG_INTEGER);
    alc_write_u8(writer, (uint8_t)(integer.size + integer.has_sign_byte));
    alc_write_zeros(writer, integer.has_sign_byte);
    alc_write_bytes(writer, integer.bytes, integer.size);
}

void alc_ecdsa_write_der(struct alc_writer *writer, enum alc_curve curve,
                         const struct alc_ecdsa_signature *signature)
{
    const size_t size = alc_curve_size(curve);
    struct integer r = integer_of(signature->bytes, size);
    struct integer s = integer_of(signature->bytes + size, size);
    size_t content_size = 4 + r.size + r.has_sign_byte + s.size + s.has_sign_byte;
    ALC_ASSERT(content_size < 0x80);
    alc_write_u8(writer, TAG_SEQUENCE);
    alc_write_u8(writer, (uint8_t)content_size);
    write_integer(writer, r);
    write_integer(writer, s);
}

/* One integer, right-aligned to `size` bytes of `out`. */
static alc_status read_integer(struct alc_reader *reader, size_t size, uint8_t *out)
{
    const struct alc_reader start = *reader;
    uint8_t tag;
    uint8_t length;
    const uint8_t *bytes;
    ALC_TRY(alc_read_u8(reader, &tag));
    ALC_TRY(alc_read_u8(reader, &length));
    if (tag != TAG_INTEGER || length == 0 || length > size + 1) {
        return alc_reader_fail(&start, ALC_E_BAD_SIGNATURE);
    }
    ALC_TRY(alc_read_bytes(reader, length, &bytes));
    bool has_sign_byte = length > 1 && bytes[0] == 0;
    size_t number_size = length - (size_t)has_sign_byte;
    const uint8_t *number = bytes + has_sign_byte;
    bool is_shortest = !has_sign_byte || number[0] >= 0x80;
    bool is_negative = !has_sign_byte && number[0] >= 0x80;
    if (!is_shortest || is_negative || number_size > size) {
        return alc_reader_fail(&start, ALC_E_BAD_SIGNATURE);
    }
    alc_copy(out + (size - number_size), number, number_size);
    return ALC_OK;
}

alc_status alc_ecdsa_read_der(struct alc_reader *reader, enum alc_curve curve,
                              struct alc_ecdsa_signature *out)
{
    const struct alc_reader start = *reader;
    const size_t size = alc_curve_size(curve);
    uint8_t tag;
    uint8_t length;
    alc_fill(out, 0, sizeof *out);
    ALC_TRY(alc_read_u8(reader, &tag));
    ALC_TRY(alc_read_u8(reader, &length));
    if (tag != TAG_SEQUENCE || length != alc_reader_remaining(reader)) {
        return alc_reader_fail(&start, ALC_E_BAD_SIGNATURE);
    }
    ALC_TRY(read_integer(reader, size, out->bytes));
    ALC_TRY(read_integer(reader, size, out->bytes + size));
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_SIGNATURE);
}
