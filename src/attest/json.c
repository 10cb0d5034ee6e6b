/* SPDX-License-Identifier: Apache-2.0
 *
 * A pull reader for JSON.
 */
#include "attest/json.h"

#include "base/bytes.h"
#include "base/utf8.h"

static alc_status bad(const struct alc_reader *at)
{
    return alc_reader_fail(at, ALC_E_BAD_JSON);
}

static void skip_space(struct alc_reader *reader)
{
    while (!alc_reader_at_end(reader)) {
        uint8_t byte = reader->bytes[reader->pos];
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t') {
            return;
        }
        reader->pos++;
    }
}

/* The next byte that is no space, without taking it; 0 at the end. */
static uint8_t peek(struct alc_reader *reader)
{
    skip_space(reader);
    return alc_reader_at_end(reader) ? 0 : reader->bytes[reader->pos];
}

static bool take(struct alc_reader *reader, uint8_t wanted)
{
    bool is_next = peek(reader) == wanted && !alc_reader_at_end(reader);
    reader->pos += is_next;
    return is_next;
}

static alc_status expect(struct alc_reader *reader, uint8_t wanted)
{
    return take(reader, wanted) ? ALC_OK : bad(reader);
}

bool alc_text_is(const struct alc_text *text, const char *literal)
{
    const size_t size = alc_string_length(literal);
    return text->size == size && alc_equal(text->bytes, literal, size);
}

bool alc_text_is_among(const struct alc_text *text, const struct alc_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text->size == texts[i].size && alc_equal(text->bytes, texts[i].bytes, text->size)) {
            return true;
        }
    }
    return false;
}

/* -- strings -- */

/* The raw inside of a string; *out_has_escapes says whether a backslash is in it. */
static alc_status read_raw(struct alc_reader *reader, struct alc_text *out, bool *out_has_escapes)
{
    const struct alc_reader start = *reader;
    ALC_TRY(expect(reader, '"'));
    size_t first = reader->pos;
    *out_has_escapes = false;
    for (;;) {
        uint8_t byte;
        if (alc_reader_at_end(reader)) {
            return bad(&start);
        }
        ALC_TRY(alc_read_u8(reader, &byte));
        if (byte == '"') {
            break;
        }
        if (byte < ' ') {
            return bad(&start);
        }
        if (byte == '\\') {
            *out_has_escapes = true;
            if (alc_reader_at_end(reader)) {
                return bad(&start);
            }
            ALC_TRY(alc_read_skip(reader, 1));
        }
    }
    *out = (struct alc_text){reader->bytes + first, reader->pos - 1 - first};
    return alc_utf8_is_valid(out->bytes, out->size) ? ALC_OK : bad(&start);
}

alc_status alc_json_read_text(struct alc_reader *reader, struct alc_text *out)
{
    bool has_escapes;
    const struct alc_reader start = *reader;
    ALC_TRY(read_raw(reader, out, &has_escapes));
    return has_escapes ? bad(&start) : ALC_OK;
}

static uint8_t unescape(uint8_t letter)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    for (size_t i = 0; letters[i] != '\0'; i++) {
        if ((uint8_t)letters[i] == letter) {
            return (uint8_t)meanings[i];
        }
    }
    return 0;
}

alc_status alc_json_read_escaped(struct alc_reader *reader, struct alc_arena *arena,
                                 struct alc_text *out)
{
    const struct alc_reader start = *reader;
    struct alc_text raw;
    bool has_escapes;
    ALC_TRY(read_raw(reader, &raw, &has_escapes));
    uint8_t *bytes = alc_arena_take(arena, raw.size, 1);
    if (bytes == NULL) {
        return alc_reader_fail(&start, ALC_E_OUT_OF_MEMORY);
    }
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t byte = raw.bytes[i];
        if (byte == '\\') {
            byte = unescape(raw.bytes[++i]);
            if (byte == 0) {
                return bad(&start);
            }
        }
        bytes[size++] = byte;
    }
    *out = (struct alc_text){bytes, size};
    return ALC_OK;
}

static int digit_of(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    uint8_t lower = character | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool alc_hex_decode(const uint8_t *digits, size_t digits_count, uint8_t *out, size_t size)
{
    if (digits_count / 2 != size || digits_count % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        int high = digit_of(digits[2 * i]);
        int low = digit_of(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

alc_status alc_json_read_hex(struct alc_reader *reader, uint8_t *out, size_t size)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    return alc_hex_decode(text.bytes, text.size, out, size) ? ALC_OK : bad(&start);
}

/* -- numbers -- */

alc_status alc_json_read_uint(struct alc_reader *reader, uint64_t max, uint64_t *out)
{
    skip_space(reader);
    const struct alc_reader start = *reader;
    uint64_t value = 0;
    size_t digits_count = 0;
    while (!alc_reader_at_end(reader)) {
        uint8_t byte = reader->bytes[reader->pos];
        if (byte < '0' || byte > '9') {
            break;
        }
        if (value > (UINT64_MAX - 9) / 10 || (digits_count == 1 && value == 0)) {
            return bad(&start);
        }
        value = value * 10 + (byte - '0');
        digits_count++;
        reader->pos++;
    }
    uint8_t next = alc_reader_at_end(reader) ? 0 : reader->bytes[reader->pos];
    if (digits_count == 0 || value > max || next == '.' || next == 'e' || next == 'E') {
        return bad(&start);
    }
    *out = value;
    return ALC_OK;
}

/* Any number, by its characters: what it is does not matter. */
static alc_status skip_number(struct alc_reader *reader)
{
    const struct alc_reader start = *reader;
    bool has_digit = false;
    while (!alc_reader_at_end(reader)) {
        uint8_t byte = reader->bytes[reader->pos];
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_digit && byte != '-' && byte != '+' && byte != '.' && byte != 'e' && byte != 'E') {
            break;
        }
        has_digit |= is_digit;
        reader->pos++;
    }
    return has_digit ? ALC_OK : bad(&start);
}

/* -- skipping -- */

static alc_status skip_word(struct alc_reader *reader, const char *word)
{
    const struct alc_reader start = *reader;
    for (; *word != '\0'; word++) {
        if (alc_reader_at_end(reader) || reader->bytes[reader->pos] != (uint8_t)*word) {
            return bad(&start);
        }
        reader->pos++;
    }
    return ALC_OK;
}

static alc_status skip_scalar(struct alc_reader *reader)
{
    struct alc_text text;
    bool has_escapes;
    switch (peek(reader)) {
    case '"':
        return read_raw(reader, &text, &has_escapes);
    case 't':
        return skip_word(reader, "true");
    case 'f':
        return skip_word(reader, "false");
    case 'n':
        return skip_word(reader, "null");
    default:
        return skip_number(reader);
    }
}

/* A stack of what is open, one bit each: an object or an array. */
struct nesting {
    uint32_t objects;
    unsigned depth;
};

static bool is_in_object(const struct nesting *nesting)
{
    return (nesting->objects & 1) != 0;
}

static alc_status enter(struct alc_reader *reader, struct nesting *nesting, bool is_object)
{
    if (nesting->depth == ALC_JSON_DEPTH_MAX) {
        return bad(reader);
    }
    nesting->depth++;
    nesting->objects = nesting->objects << 1 | is_object;
    return ALC_OK;
}

static alc_status skip_key(struct alc_reader *reader)
{
    struct alc_text text;
    bool has_escapes;
    ALC_TRY(read_raw(reader, &text, &has_escapes));
    return expect(reader, ':');
}

/* After a value: closes what ends here, or stands at the next value. */
static alc_status skip_behind(struct alc_reader *reader, struct nesting *nesting)
{
    while (nesting->depth > 0) {
        if (take(reader, ',')) {
            return is_in_object(nesting) ? skip_key(reader) : ALC_OK;
        }
        ALC_TRY(expect(reader, is_in_object(nesting) ? '}' : ']'));
        nesting->objects >>= 1;
        nesting->depth--;
    }
    return ALC_OK;
}

alc_status alc_json_skip(struct alc_reader *reader)
{
    struct nesting nesting = {0, 0};
    do {
        bool is_object = take(reader, '{');
        if (is_object || take(reader, '[')) {
            if (!take(reader, is_object ? '}' : ']')) {
                ALC_TRY(enter(reader, &nesting, is_object));
                if (is_object) {
                    ALC_TRY(skip_key(reader));
                }
                continue; /* at its first value */
            }
        } else {
            ALC_TRY(skip_scalar(reader));
        }
        ALC_TRY(skip_behind(reader, &nesting));
    } while (nesting.depth > 0);
    return ALC_OK;
}

/* -- objects and arrays -- */

static alc_status read_member(struct alc_reader *reader, const struct alc_json_member *members,
                              size_t count, uint32_t *seen, void *context)
{
    const struct alc_reader start = *reader;
    struct alc_text name;
    bool has_escapes;
    ALC_TRY(read_raw(reader, &name, &has_escapes));
    ALC_TRY(expect(reader, ':'));
    for (size_t i = 0; i < count; i++) {
        if (alc_text_is(&name, members[i].name)) {
            if ((*seen & 1u << i) != 0) {
                return bad(&start);
            }
            *seen |= 1u << i;
            return members[i].read(reader, context);
        }
    }
    /* A name may be written with escapes; one that is known never is. */
    return has_escapes ? bad(&start) : alc_json_skip(reader);
}

alc_status alc_json_read_object(struct alc_reader *reader, const struct alc_json_member *members,
                                size_t count, void *context)
{
    const struct alc_reader start = *reader;
    uint32_t seen = 0;
    ALC_ASSERT(count <= ALC_JSON_MEMBERS_MAX);
    ALC_TRY(expect(reader, '{'));
    if (!take(reader, '}')) {
        do {
            ALC_TRY(read_member(reader, members, count, &seen, context));
        } while (take(reader, ','));
        ALC_TRY(expect(reader, '}'));
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i].is_required && (seen & 1u << i) == 0) {
            return bad(&start);
        }
    }
    return ALC_OK;
}

alc_status alc_json_read_array(struct alc_reader *reader, alc_json_value_function *read_item,
                               void *context)
{
    ALC_TRY(expect(reader, '['));
    if (take(reader, ']')) {
        return ALC_OK;
    }
    do {
        ALC_TRY(read_item(reader, context));
    } while (take(reader, ','));
    return expect(reader, ']');
}

alc_status alc_json_end(struct alc_reader *reader)
{
    skip_space(reader);
    return alc_reader_at_end(reader) ? ALC_OK : bad(reader);
}
