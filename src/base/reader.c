/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded reader. This file and exec/memory.c are where pointers into untrusted bytes are made.
 */
#include "base/reader.h"

#include "base/bytes.h"

void alc_reader_init(struct alc_reader *reader, const void *bytes, size_t size,
                     struct alc_error *error)
{
    reader->bytes = bytes;
    reader->size = size;
    reader->pos = 0;
    reader->origin = 0;
    reader->error = error;
}

alc_status alc_reader_fail(const struct alc_reader *reader, alc_status status)
{
    return alc_fail(reader->error, status, alc_reader_offset(reader));
}

#define ALC_DEFINE_READ(bits)                                                                      \
    alc_status alc_read_u##bits(struct alc_reader *reader, uint##bits##_t *out)                    \
    {                                                                                              \
        if (alc_reader_remaining(reader) < sizeof *out) {                                          \
            return alc_reader_fail(reader, ALC_E_UNEXPECTED_END);                                  \
        }                                                                                          \
        alc_copy(out, reader->bytes + reader->pos, sizeof *out);                                   \
        reader->pos += sizeof *out;                                                                \
        return ALC_OK;                                                                             \
    }
ALC_DEFINE_READ(8)
ALC_DEFINE_READ(16)
ALC_DEFINE_READ(32)
ALC_DEFINE_READ(64)
#undef ALC_DEFINE_READ

/* Bits of `byte`, the last one that a value of `bits` bits may have, which carry no value: they
 * must all equal the sign (signed) or zero (unsigned). */
static bool has_unused_bits(uint8_t byte, unsigned used, bool is_signed)
{
    uint8_t rest = (uint8_t)(byte & 0x7f & (0xff << used));
    if (!is_signed) {
        return rest != 0;
    }
    bool negative = (byte >> (used - 1)) & 1;
    return rest != (negative ? (uint8_t)(0x7f & (0xff << used)) : 0);
}

static alc_status read_leb(struct alc_reader *reader, unsigned bits, bool is_signed, uint64_t *out)
{
    uint64_t value = 0;
    size_t pos = reader->pos;
    for (unsigned shift = 0;; shift += 7) {
        if (pos == reader->size) {
            return alc_fail(reader->error, ALC_E_UNEXPECTED_END, reader->origin + pos);
        }
        uint8_t byte = reader->bytes[pos++];
        if (shift + 7 >= bits) {
            if (byte & 0x80) {
                return alc_reader_fail(reader, ALC_E_LEB_TOO_LONG);
            }
            if (has_unused_bits(byte, bits - shift, is_signed)) {
                return alc_reader_fail(reader, ALC_E_LEB_TOO_LARGE);
            }
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if (is_signed && (byte & 0x40) && shift + 7 < 64) {
                value |= ~UINT64_C(0) << (shift + 7);
            }
            break;
        }
    }
    reader->pos = pos;
    *out = value;
    return ALC_OK;
}

alc_status alc_read_leb_u32(struct alc_reader *reader, uint32_t *out)
{
    if (ALC_LIKELY(reader->pos < reader->size) && reader->bytes[reader->pos] < 0x80) {
        *out = reader->bytes[reader->pos++];
        return ALC_OK;
    }
    uint64_t value;
    ALC_TRY(read_leb(reader, 32, false, &value));
    *out = (uint32_t)value;
    return ALC_OK;
}

alc_status alc_read_leb_u64(struct alc_reader *reader, uint64_t *out)
{
    return read_leb(reader, 64, false, out);
}

alc_status alc_read_leb_s32(struct alc_reader *reader, int32_t *out)
{
    uint64_t value;
    ALC_TRY(read_leb(reader, 32, true, &value));
    *out = (int32_t)(uint32_t)value;
    return ALC_OK;
}

alc_status alc_read_leb_s33(struct alc_reader *reader, int64_t *out)
{
    uint64_t value;
    ALC_TRY(read_leb(reader, 33, true, &value));
    *out = (int64_t)value;
    return ALC_OK;
}

alc_status alc_read_leb_s64(struct alc_reader *reader, int64_t *out)
{
    uint64_t value;
    ALC_TRY(read_leb(reader, 64, true, &value));
    *out = (int64_t)value;
    return ALC_OK;
}

alc_status alc_read_bytes(struct alc_reader *reader, size_t size, const uint8_t **out)
{
    if (size > alc_reader_remaining(reader)) {
        return alc_reader_fail(reader, ALC_E_UNEXPECTED_END);
    }
    *out = reader->bytes + reader->pos;
    reader->pos += size;
    return ALC_OK;
}

alc_status alc_read_skip(struct alc_reader *reader, size_t size)
{
    const uint8_t *ignored;
    return alc_read_bytes(reader, size, &ignored);
}

alc_status alc_read_sub(struct alc_reader *reader, size_t size, struct alc_reader *sub)
{
    uint64_t origin = alc_reader_offset(reader);
    const uint8_t *bytes;
    ALC_TRY(alc_read_bytes(reader, size, &bytes));
    alc_reader_init(sub, bytes, size, reader->error);
    sub->origin = origin;
    return ALC_OK;
}

alc_status alc_read_count(struct alc_reader *reader, uint32_t count_max, alc_status over,
                          size_t item_size_min, uint32_t *out)
{
    struct alc_reader start = *reader;
    uint32_t count;
    ALC_TRY(alc_read_leb_u32(reader, &count));
    if (count > alc_reader_remaining(reader) / (item_size_min == 0 ? 1 : item_size_min)) {
        return alc_reader_fail(&start, ALC_E_LENGTH_OUT_OF_BOUNDS);
    }
    if (count > count_max) {
        return alc_reader_fail(&start, over);
    }
    *out = count;
    return ALC_OK;
}
