/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64, by arithmetic on characters instead of tables.
 */
#include "base/base64.h"

static uint8_t character_of(enum alc_base64_form form, uint32_t value)
{
    if (value < 26) {
        return (uint8_t)('A' + value);
    }
    if (value < 52) {
        return (uint8_t)('a' + value - 26);
    }
    if (value < 62) {
        return (uint8_t)('0' + value - 52);
    }
    return (uint8_t)(form == ALC_BASE64 ? (value == 62 ? '+' : '/') : (value == 62 ? '-' : '_'));
}

/* 64: no character of the alphabet. */
static uint32_t value_of(enum alc_base64_form form, uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return (uint32_t)(character - 'A');
    }
    if (character >= 'a' && character <= 'z') {
        return (uint32_t)(character - 'a' + 26);
    }
    if (character >= '0' && character <= '9') {
        return (uint32_t)(character - '0' + 52);
    }
    for (uint32_t value = 62; value < 64; value++) {
        if (character == character_of(form, value)) {
            return value;
        }
    }
    return 64;
}

size_t alc_base64_size(enum alc_base64_form form, size_t size)
{
    const size_t rest = size % 3;
    const size_t last = rest == 0 ? 0 : form == ALC_BASE64 ? 4 : rest + 1;
    return size / 3 * 4 + last;
}

void alc_base64_write(struct alc_writer *writer, enum alc_base64_form form, const void *bytes,
                      size_t size)
{
    const uint8_t *next = bytes;
    for (size_t left = size; left > 0;) {
        const size_t count = left < 3 ? left : 3;
        uint32_t bits = (uint32_t)next[0] << 16;
        bits |= count > 1 ? (uint32_t)next[1] << 8 : 0;
        bits |= count > 2 ? next[2] : 0u;
        for (size_t i = 0; i < 4; i++) {
            if (i <= count) {
                alc_write_u8(writer, character_of(form, bits >> (18 - 6 * i) & 63));
            } else if (form == ALC_BASE64) {
                alc_write_u8(writer, '=');
            }
        }
        next += count;
        left -= count;
    }
}

/* How many characters carry bits; false when there is no such text. */
static bool measure(enum alc_base64_form form, const uint8_t *text, size_t text_size,
                    size_t *out_count)
{
    size_t count = text_size;
    if (form == ALC_BASE64) {
        if (text_size % 4 != 0) {
            return false;
        }
        for (int i = 0; i < 2 && count > 0 && text[count - 1] == '='; i++) {
            count--;
        }
    }
    *out_count = count;
    return count % 4 != 1;
}

bool alc_base64_read(enum alc_base64_form form, const uint8_t *text, size_t text_size, uint8_t *out,
                     size_t out_max, size_t *out_size)
{
    size_t count;
    size_t size = 0;
    uint32_t bits = 0;
    unsigned bits_count = 0;
    if (!measure(form, text, text_size, &count) || count / 4 * 3 + count % 4 * 3 / 4 > out_max) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const uint32_t value = value_of(form, text[i]);
        if (value > 63) {
            return false;
        }
        bits = bits << 6 | value;
        bits_count += 6;
        if (bits_count >= 8) {
            bits_count -= 8;
            out[size++] = (uint8_t)(bits >> bits_count);
            bits &= (1u << bits_count) - 1;
        }
    }
    *out_size = size;
    return bits == 0;
}
