/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM blocks (RFC 7468). Strict about what carries meaning: labels, alphabet, padding, unused bits.
 * Input is hostile; its contents are public.
 */
#include "crypto/crypto.h"

#include "base/bytes.h"

enum { LINE_BYTES = 48 };

static const char alphabet[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(uint8_t character)
{
    for (int value = 0; value < 64; value++) {
        if ((uint8_t)alphabet[value] == character) {
            return value;
        }
    }
    return -1;
}

static bool is_space(uint8_t character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static bool take_text(struct alc_reader *reader, const char *text)
{
    const size_t size = alc_string_length(text);
    struct alc_reader quiet = *reader;
    const uint8_t *bytes;
    quiet.error = NULL;
    if (alc_reader_remaining(reader) < size || alc_read_bytes(&quiet, size, &bytes) != ALC_OK ||
        !alc_equal(bytes, text, size)) {
        return false;
    }
    reader->pos += size;
    return true;
}

/* -----BEGIN label----- or -----END label----- */
static bool take_boundary(struct alc_reader *reader, const char *word, const char *label)
{
    const struct alc_reader start = *reader;
    if (take_text(reader, word) && take_text(reader, label) && take_text(reader, "-----")) {
        return true;
    }
    reader->pos = start.pos;
    return false;
}

/* Sixes of bits until the boundary; what is written stays within out_max. */
static alc_status read_base64(struct alc_reader *reader, struct alc_writer *out)
{
    uint32_t bits = 0;
    size_t characters_count = 0;
    size_t padding_count = 0;
    while (!alc_reader_at_end(reader)) {
        const struct alc_reader before = *reader;
        uint8_t character;
        ALC_TRY(alc_read_u8(reader, &character));
        if (is_space(character)) {
            continue;
        }
        if (character == '-') {
            *reader = before;
            break;
        }
        int value = character == '=' ? 0 : value_of(character);
        padding_count += character == '=';
        if (value < 0 || padding_count > 2 || (padding_count > 0 && character != '=')) {
            return alc_reader_fail(&before, ALC_E_BAD_PEM);
        }
        bits = bits << 6 | (uint32_t)value;
        if (++characters_count % 4 == 0) {
            uint32_t unused = padding_count == 0 ? 0 : padding_count == 1 ? 0xff : 0xffff;
            if ((bits & unused) != 0) {
                return alc_reader_fail(&before, ALC_E_BAD_PEM);
            }
            for (size_t i = 0; i < 3 - padding_count; i++) {
                alc_write_u8(out, (uint8_t)(bits >> (16 - 8 * i)));
            }
            bits = 0;
        }
    }
    return characters_count % 4 == 0 && !out->overflowed ? ALC_OK
                                                         : alc_reader_fail(reader, ALC_E_BAD_PEM);
}

alc_status alc_pem_read(struct alc_reader *reader, const char *label, uint8_t *out, size_t out_max,
                        size_t *out_size)
{
    struct alc_writer writer;
    alc_writer_init(&writer, out, out_max);
    while (!take_boundary(reader, "-----BEGIN ", label)) {
        if (alc_reader_at_end(reader)) {
            return ALC_E_NOT_FOUND;
        }
        ALC_TRY(alc_read_skip(reader, 1));
    }
    ALC_TRY(read_base64(reader, &writer));
    if (!take_boundary(reader, "-----END ", label)) {
        return alc_reader_fail(reader, ALC_E_BAD_PEM);
    }
    *out_size = writer.pos;
    return ALC_OK;
}

static void write_boundary(struct alc_writer *writer, const char *word, const char *label)
{
    alc_write_bytes(writer, word, alc_string_length(word));
    alc_write_bytes(writer, label, alc_string_length(label));
    alc_write_bytes(writer, "-----\n", 6);
}

/* Up to three bytes as four characters. */
static void write_group(struct alc_writer *writer, const uint8_t *bytes, size_t size)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; i++) {
        bits = bits << 8 | (i < size ? bytes[i] : 0u);
    }
    for (size_t i = 0; i < 4; i++) {
        uint8_t character = (uint8_t)alphabet[bits >> (18 - 6 * i) & 63];
        alc_write_u8(writer, i <= size ? character : '=');
    }
}

void alc_pem_write(struct alc_writer *writer, const char *label, const uint8_t *bytes, size_t size)
{
    write_boundary(writer, "-----BEGIN ", label);
    for (size_t done = 0; done < size; done += 3) {
        write_group(writer, bytes + done, size - done < 3 ? size - done : 3);
        if ((done + 3) % LINE_BYTES == 0 || done + 3 >= size) {
            alc_write_u8(writer, '\n');
        }
    }
    write_boundary(writer, "-----END ", label);
}
