/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded writer.
 */
#include "base/writer.h"

#include "base/bytes.h"
#include "base/checked.h"

void alc_writer_init(struct alc_writer *writer, void *bytes, size_t size)
{
    writer->bytes = bytes;
    writer->size = size;
    writer->pos = 0;
    writer->overflowed = false;
}

/* Returns where `size` bytes go, or NULL when they do not fit. */
static uint8_t *advance(struct alc_writer *writer, size_t size)
{
    size_t start = writer->pos;
    if (!alc_add_size(start, size, &writer->pos)) {
        writer->overflowed = true;
        return NULL;
    }
    if (writer->overflowed || writer->pos > writer->size) {
        writer->overflowed = true;
        return NULL;
    }
    return writer->bytes + start;
}

void alc_write_bytes(struct alc_writer *writer, const void *bytes, size_t size)
{
    uint8_t *dst = advance(writer, size);
    if (dst != NULL && size != 0) {
        alc_copy(dst, bytes, size);
    }
}

void alc_write_zeros(struct alc_writer *writer, size_t size)
{
    uint8_t *dst = advance(writer, size);
    if (dst != NULL && size != 0) {
        alc_fill(dst, 0, size);
    }
}

void alc_write_u8(struct alc_writer *writer, uint8_t value)
{
    alc_write_bytes(writer, &value, sizeof value);
}

void alc_write_u16(struct alc_writer *writer, uint16_t value)
{
    alc_write_bytes(writer, &value, sizeof value);
}

void alc_write_u32(struct alc_writer *writer, uint32_t value)
{
    alc_write_bytes(writer, &value, sizeof value);
}

void alc_write_u64(struct alc_writer *writer, uint64_t value)
{
    alc_write_bytes(writer, &value, sizeof value);
}

alc_status alc_writer_finish(const struct alc_writer *writer)
{
    return writer->overflowed ? ALC_E_INTERNAL : ALC_OK;
}

void alc_write_string(struct alc_writer *writer, const char *text)
{
    alc_write_bytes(writer, text, alc_string_length(text));
}

void alc_write_decimal(struct alc_writer *writer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    alc_write_bytes(writer, &digits[at], sizeof digits - at);
}
