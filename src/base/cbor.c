/* SPDX-License-Identifier: Apache-2.0
 *
 * Deterministic CBOR over the bounded reader and writer. Input is hostile.
 */
#include "base/cbor.h"

#include "base/utf8.h"

enum major_type {
    MAJOR_UINT = 0,
    MAJOR_NEGATIVE = 1,
    MAJOR_BYTES = 2,
    MAJOR_TEXT = 3,
    MAJOR_ARRAY = 4,
    MAJOR_MAP = 5,
    MAJOR_TAG = 6,
    MAJOR_SIMPLE = 7,
};
enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22 };

static void write_head(struct alc_writer *writer, enum major_type major, uint64_t value)
{
    uint8_t lead = (uint8_t)(major << 5);
    unsigned size_log2 = value <= UINT8_MAX    ? 0
                         : value <= UINT16_MAX ? 1
                         : value <= UINT32_MAX ? 2
                                               : 3;
    if (value < 24) {
        alc_write_u8(writer, (uint8_t)(lead | value));
        return;
    }
    alc_write_u8(writer, (uint8_t)(lead | (24 + size_log2)));
    for (unsigned shift = 8u << size_log2; shift > 0; shift -= 8) {
        alc_write_u8(writer, (uint8_t)(value >> (shift - 8)));
    }
}

void alc_cbor_write_uint(struct alc_writer *writer, uint64_t value)
{
    write_head(writer, MAJOR_UINT, value);
}

void alc_cbor_write_int(struct alc_writer *writer, int64_t value)
{
    if (value >= 0) {
        write_head(writer, MAJOR_UINT, (uint64_t)value);
    } else {
        write_head(writer, MAJOR_NEGATIVE, ~(uint64_t)value);
    }
}

void alc_cbor_write_bytes(struct alc_writer *writer, const void *bytes, size_t size)
{
    write_head(writer, MAJOR_BYTES, size);
    alc_write_bytes(writer, bytes, size);
}

void alc_cbor_write_bytes_head(struct alc_writer *writer, uint64_t size)
{
    write_head(writer, MAJOR_BYTES, size);
}

void alc_cbor_write_text(struct alc_writer *writer, const void *text, size_t size)
{
    write_head(writer, MAJOR_TEXT, size);
    alc_write_bytes(writer, text, size);
}

void alc_cbor_write_array(struct alc_writer *writer, uint64_t count)
{
    write_head(writer, MAJOR_ARRAY, count);
}

void alc_cbor_write_map(struct alc_writer *writer, uint64_t count)
{
    write_head(writer, MAJOR_MAP, count);
}

void alc_cbor_write_tag(struct alc_writer *writer, uint64_t tag)
{
    write_head(writer, MAJOR_TAG, tag);
}

void alc_cbor_write_bool(struct alc_writer *writer, bool value)
{
    write_head(writer, MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void alc_cbor_write_null(struct alc_writer *writer)
{
    write_head(writer, MAJOR_SIMPLE, SIMPLE_NULL);
}

static alc_status read_argument(struct alc_reader *reader, unsigned size_log2, uint64_t *out)
{
    static const uint64_t smallest[4] = {24, UINT8_MAX + 1, UINT16_MAX + 1, UINT64_C(1) << 32};
    uint64_t value = 0;
    for (unsigned i = 0; i < 1u << size_log2; i++) {
        uint8_t byte;
        ALC_TRY(alc_read_u8(reader, &byte));
        value = value << 8 | byte;
    }
    *out = value;
    return value < smallest[size_log2] ? ALC_E_BAD_CBOR : ALC_OK;
}

static alc_status read_head(struct alc_reader *reader, enum major_type major, uint64_t *out)
{
    const struct alc_reader start = *reader;
    uint8_t lead;
    ALC_TRY(alc_read_u8(reader, &lead));
    uint8_t low = lead & 0x1f;
    if (lead >> 5 != major || low > 27) {
        return alc_reader_fail(&start, ALC_E_BAD_CBOR);
    }
    if (low < 24) {
        *out = low;
        return ALC_OK;
    }
    alc_status status = read_argument(reader, low - 24u, out);
    return status == ALC_E_BAD_CBOR ? alc_reader_fail(&start, status) : status;
}

alc_status alc_cbor_read_uint(struct alc_reader *reader, uint64_t *out)
{
    return read_head(reader, MAJOR_UINT, out);
}

static alc_status read_string(struct alc_reader *reader, enum major_type major, const uint8_t **out,
                              size_t *out_size)
{
    uint64_t size;
    ALC_TRY(read_head(reader, major, &size));
    if (size > alc_reader_remaining(reader)) {
        return alc_reader_fail(reader, ALC_E_UNEXPECTED_END);
    }
    *out_size = (size_t)size;
    return alc_read_bytes(reader, (size_t)size, out);
}

alc_status alc_cbor_read_bytes(struct alc_reader *reader, const uint8_t **out, size_t *out_size)
{
    return read_string(reader, MAJOR_BYTES, out, out_size);
}

alc_status alc_cbor_read_text(struct alc_reader *reader, const uint8_t **out, size_t *out_size)
{
    const struct alc_reader start = *reader;
    ALC_TRY(read_string(reader, MAJOR_TEXT, out, out_size));
    return alc_utf8_is_valid(*out, *out_size) ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_UTF8);
}

static alc_status read_collection(struct alc_reader *reader, enum major_type major,
                                  size_t items_each, size_t count_max, size_t *out_count)
{
    const struct alc_reader start = *reader;
    uint64_t count;
    ALC_TRY(read_head(reader, major, &count));
    if (count > count_max || count > alc_reader_remaining(reader) / items_each) {
        return alc_reader_fail(&start, ALC_E_LENGTH_OUT_OF_BOUNDS);
    }
    *out_count = (size_t)count;
    return ALC_OK;
}

alc_status alc_cbor_read_array(struct alc_reader *reader, size_t count_max, size_t *out_count)
{
    return read_collection(reader, MAJOR_ARRAY, 1, count_max, out_count);
}

alc_status alc_cbor_read_map(struct alc_reader *reader, size_t count_max, size_t *out_count)
{
    return read_collection(reader, MAJOR_MAP, 2, count_max, out_count);
}

alc_status alc_cbor_read_key(struct alc_reader *reader, int64_t *previous, uint64_t *out)
{
    const struct alc_reader start = *reader;
    uint64_t key;
    ALC_TRY(alc_cbor_read_uint(reader, &key));
    if (key > INT64_MAX || (int64_t)key <= *previous) {
        return alc_reader_fail(&start, ALC_E_BAD_CBOR);
    }
    *previous = (int64_t)key;
    *out = key;
    return ALC_OK;
}

alc_status alc_cbor_read_tag(struct alc_reader *reader, uint64_t *out)
{
    return read_head(reader, MAJOR_TAG, out);
}

alc_status alc_cbor_read_bool(struct alc_reader *reader, bool *out)
{
    const struct alc_reader start = *reader;
    uint64_t value;
    ALC_TRY(read_head(reader, MAJOR_SIMPLE, &value));
    *out = value == SIMPLE_TRUE;
    return *out || value == SIMPLE_FALSE ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CBOR);
}

bool alc_cbor_take_null(struct alc_reader *reader)
{
    struct alc_reader again = *reader;
    uint8_t lead;
    if (alc_reader_at_end(reader) || alc_read_u8(&again, &lead) != ALC_OK ||
        lead != (MAJOR_SIMPLE << 5 | SIMPLE_NULL)) {
        return false;
    }
    *reader = again;
    return true;
}

/* In the order of encodings negative keys come behind all others. */
alc_status alc_cbor_read_label(struct alc_reader *reader, uint64_t *previous, int64_t *out)
{
    const struct alc_reader start = *reader;
    struct alc_reader again = start;
    uint8_t lead;
    uint64_t value;
    ALC_TRY(alc_read_u8(&again, &lead));
    bool is_negative = lead >> 5 == MAJOR_NEGATIVE;
    ALC_TRY(read_head(reader, is_negative ? MAJOR_NEGATIVE : MAJOR_UINT, &value));
    if (value >= INT64_MAX) {
        return alc_reader_fail(&start, ALC_E_BAD_CBOR);
    }
    uint64_t rank = 1 + value + (is_negative ? UINT64_C(1) << 63 : 0);
    if (rank <= *previous) {
        return alc_reader_fail(&start, ALC_E_BAD_CBOR);
    }
    *previous = rank;
    *out = is_negative ? -1 - (int64_t)value : (int64_t)value;
    return ALC_OK;
}
