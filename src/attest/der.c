/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements of DER. Lengths are checked against what remains before anything is borrowed.
 */
#include "attest/der.h"

#include "attest/time.h"
#include "base/bytes.h"

enum { LENGTH_LONG = 0x80, LENGTH_BYTES_MAX = 3, TAG_LONG = 0x1f };

static alc_status read_length(struct alc_reader *reader, size_t *out)
{
    uint8_t first;
    ALC_TRY(alc_read_u8(reader, &first));
    if (first < LENGTH_LONG) {
        *out = first;
        return ALC_OK;
    }
    size_t count = first & 0x7f;
    size_t length = 0;
    if (count == 0 || count > LENGTH_BYTES_MAX) {
        return ALC_E_BAD_DER;
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t byte;
        ALC_TRY(alc_read_u8(reader, &byte));
        length = length << 8 | byte;
    }
    *out = length;
    return length < LENGTH_LONG || length >> 8 * (count - 1) == 0 ? ALC_E_BAD_DER : ALC_OK;
}

alc_status alc_der_read_any(struct alc_reader *reader, struct alc_der *out)
{
    const struct alc_reader start = *reader;
    size_t length = 0;
    ALC_TRY(alc_read_u8(reader, &out->tag));
    alc_status status = read_length(reader, &length);
    if (status == ALC_E_BAD_DER || (out->tag & TAG_LONG) == TAG_LONG ||
        (status == ALC_OK && length > alc_reader_remaining(reader))) {
        status = alc_reader_fail(&start, ALC_E_BAD_DER);
    }
    ALC_TRY(status);
    ALC_TRY(alc_read_sub(reader, length, &out->content));
    out->bytes = start.bytes + start.pos;
    out->size = reader->pos - start.pos;
    return ALC_OK;
}

alc_status alc_der_read(struct alc_reader *reader, enum alc_der_tag tag, struct alc_der *out)
{
    const struct alc_reader start = *reader;
    ALC_TRY(alc_der_read_any(reader, out));
    return out->tag == tag ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_DER);
}

bool alc_der_is_next(const struct alc_reader *reader, enum alc_der_tag tag)
{
    return !alc_reader_at_end(reader) && reader->bytes[reader->pos] == tag;
}

bool alc_der_has_content(const struct alc_der *element, const void *bytes, size_t size)
{
    return element->content.size == size && alc_equal(element->content.bytes, bytes, size);
}

alc_status alc_der_read_u32(struct alc_reader *reader, uint32_t *out)
{
    const struct alc_reader start = *reader;
    struct alc_der element;
    ALC_TRY(alc_der_read(reader, ALC_DER_INTEGER, &element));
    const uint8_t *bytes = element.content.bytes;
    size_t size = element.content.size;
    uint64_t value = 0;
    bool is_shortest = size == 1 || (size > 1 && (bytes[0] != 0 || bytes[1] >= 0x80));
    if (!is_shortest || bytes[0] >= 0x80 || size > 5) {
        return alc_reader_fail(&start, ALC_E_BAD_DER);
    }
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    if (value > UINT32_MAX) {
        return alc_reader_fail(&start, ALC_E_BAD_DER);
    }
    *out = (uint32_t)value;
    return ALC_OK;
}

alc_status alc_der_read_time(struct alc_reader *reader, int64_t *out_s)
{
    const struct alc_reader start = *reader;
    struct alc_der element;
    ALC_TRY(alc_der_read_any(reader, &element));
    bool is_good = (element.tag == ALC_DER_UTC_TIME &&
                    alc_time_from_utc_time(element.content.bytes, element.content.size, out_s)) ||
                   (element.tag == ALC_DER_GENERALIZED_TIME &&
                    alc_time_from_generalized(element.content.bytes, element.content.size, out_s));
    return is_good ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_DER);
}

alc_status alc_der_end(const struct alc_reader *reader)
{
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_DER);
}
