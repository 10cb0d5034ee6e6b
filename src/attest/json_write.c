/* SPDX-License-Identifier: Apache-2.0
 *
 * Values behind each other, with commas where they belong.
 */
#include "attest/json_write.h"

#include "attest/time.h"
#include "base/bytes.h"
#include "base/utf8.h"

enum { INDENT = 2 };

static const char digits[] = "0123456789abcdef";

void alc_json_writer_init(struct alc_json_writer *writer, struct alc_writer *out, bool is_indented)
{
    *writer = (struct alc_json_writer){.out = out, .is_indented = is_indented};
}

static void put(struct alc_json_writer *writer, const char *text)
{
    alc_write_bytes(writer->out, text, alc_string_length(text));
}

static void break_line(struct alc_json_writer *writer)
{
    if (writer->is_indented) {
        put(writer, "\n");
        for (unsigned i = 0; i < writer->depth * INDENT; i++) {
            put(writer, " ");
        }
    }
}

static void put_escape(struct alc_json_writer *writer, uint8_t byte)
{
    const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    alc_write_bytes(writer->out, escape, sizeof escape);
}

/* Text that is not UTF-8 as a whole loses every byte above ASCII: whoever wrote it meant no text.
 */
static void put_quoted(struct alc_json_writer *writer, const uint8_t *bytes, size_t size)
{
    const bool is_utf8 = alc_utf8_is_valid(bytes, size);
    put(writer, "\"");
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = bytes[i];
        if (byte == '"' || byte == '\\') {
            put(writer, "\\");
            alc_write_u8(writer->out, byte);
        } else if (byte < ' ') {
            put_escape(writer, byte);
        } else if (byte >= 0x80 && !is_utf8) {
            put(writer, "?");
        } else {
            alc_write_u8(writer->out, byte);
        }
    }
    put(writer, "\"");
}

/* What stands before a value: the comma behind the one before it, its line, its name. */
static void begin(struct alc_json_writer *writer, const char *name)
{
    if (writer->has_members) {
        put(writer, ",");
    }
    if (writer->depth > 0) {
        break_line(writer);
    }
    if (name != NULL) {
        put_quoted(writer, (const uint8_t *)name, alc_string_length(name));
        put(writer, writer->is_indented ? ": " : ":");
    }
    writer->has_members = true;
}

static void open_value(struct alc_json_writer *writer, const char *name, const char *bracket)
{
    begin(writer, name);
    put(writer, bracket);
    writer->depth++;
    writer->has_members = false;
}

static void close(struct alc_json_writer *writer, const char *bracket)
{
    ALC_ASSERT(writer->depth > 0);
    writer->depth--;
    if (writer->has_members) {
        break_line(writer);
    }
    put(writer, bracket);
    writer->has_members = true;
}

void alc_json_open_object(struct alc_json_writer *writer, const char *name)
{
    open_value(writer, name, "{");
}

void alc_json_close_object(struct alc_json_writer *writer)
{
    close(writer, "}");
}

void alc_json_open_array(struct alc_json_writer *writer, const char *name)
{
    open_value(writer, name, "[");
}

void alc_json_close_array(struct alc_json_writer *writer)
{
    close(writer, "]");
}

void alc_json_write_text(struct alc_json_writer *writer, const char *name,
                         const struct alc_text *text)
{
    begin(writer, name);
    put_quoted(writer, text->bytes, text->size);
}

void alc_json_write_string(struct alc_json_writer *writer, const char *name, const char *string)
{
    begin(writer, name);
    put_quoted(writer, (const uint8_t *)string, alc_string_length(string));
}

void alc_json_write_hex(struct alc_json_writer *writer, const char *name, const uint8_t *bytes,
                        size_t size)
{
    begin(writer, name);
    put(writer, "\"");
    for (size_t i = 0; i < size; i++) {
        const char pair[] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        alc_write_bytes(writer->out, pair, sizeof pair);
    }
    put(writer, "\"");
}

void alc_json_write_uint(struct alc_json_writer *writer, const char *name, uint64_t value)
{
    char text[20]; /* 2^64 - 1 has 20 digits */
    size_t start = sizeof text;
    do {
        text[--start] = digits[value % 10];
        value /= 10;
    } while (value != 0);
    begin(writer, name);
    alc_write_bytes(writer->out, &text[start], sizeof text - start);
}

void alc_json_write_int(struct alc_json_writer *writer, const char *name, int64_t value)
{
    if (value >= 0) {
        alc_json_write_uint(writer, name, (uint64_t)value);
        return;
    }
    begin(writer, name);
    put(writer, "-");
    /* The digits belong to what was begun. */
    struct alc_json_writer rest = {.out = writer->out};
    alc_json_write_uint(&rest, NULL, 0 - (uint64_t)value);
}

void alc_json_write_bool(struct alc_json_writer *writer, const char *name, bool value)
{
    begin(writer, name);
    put(writer, value ? "true" : "false");
}

void alc_json_write_time(struct alc_json_writer *writer, const char *name, int64_t seconds)
{
    char text[ALC_TIME_RFC3339_SIZE];
    alc_time_to_rfc3339(seconds, text);
    begin(writer, name);
    put_quoted(writer, (const uint8_t *)text, sizeof text);
}

void alc_json_write_raw(struct alc_json_writer *writer, const char *name,
                        const struct alc_text *json)
{
    begin(writer, name);
    alc_write_bytes(writer->out, json->bytes, json->size);
}
