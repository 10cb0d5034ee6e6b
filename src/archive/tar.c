/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers of a tar archive (POSIX.1-1988 ustar; pax of POSIX.1-2001, "pax Interchange Format"; GNU
 * tar's long names and base-256 numbers). The bytes are what the digest names; that they make sense
 * is not sure.
 */
#include "archive/archive_internal.h"
#include "base/bytes.h"
#include "base/reader.h"

enum { HEADER = ALC_ARCHIVE_HEADER_SIZE, TEXT_SIZE = ALC_LIMIT_WASI_PATH_SIZE };

/* Where the fields of a header are. */
struct field {
    uint16_t offset;
    uint16_t size;
};
static const struct field NAME = {0, 100};
static const struct field SIZE = {124, 12};
static const struct field MODIFY_TIME = {136, 12};
static const struct field CHECKSUM = {148, 8};
static const struct field LINK_NAME = {157, 100};
static const struct field PREFIX = {345, 155};
enum { TYPE_AT = 156, MAGIC_AT = 257 };

struct text {
    uint8_t bytes[TEXT_SIZE];
    size_t size;
};

/* What extended headers say about the entry behind them. */
struct extension {
    bool has_path, has_target, has_size, has_time;
    uint64_t size;
    uint64_t modify_time_ns;
};

struct tar {
    struct alc_archive *archive;
    struct alc_error *error;
    uint64_t at; /* of the header */
    struct extension extension;
    struct text path;
    struct text target;
    uint8_t header[HEADER];
};

static alc_status bad(const struct tar *tar, const char *why)
{
    return alc_fail_with(tar->error, ALC_E_BAD_ARCHIVE, tar->at, why);
}

static alc_status read_bytes(const struct tar *tar, uint64_t offset, uint8_t *bytes, size_t size)
{
    return alc_archive_bytes(tar->archive, offset, bytes, size) == 0
               ? ALC_OK
               : alc_fail_with(tar->error, ALC_E_IO_FAILED, offset,
                               "the archive is not the one that the digest names");
}

/* -- fields -- */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Octal digits between spaces, or GNU's big-endian number behind a byte of 0x80. */
static bool read_number(const struct tar *tar, struct field field, uint64_t *out)
{
    const uint8_t *bytes = tar->header + field.offset;
    bool is_binary = bytes[0] == 0x80;
    size_t i = is_binary ? 1 : 0;
    *out = 0;
    while (!is_binary && i < field.size && bytes[i] == ' ') {
        i++;
    }
    for (; i < field.size && (is_binary || (bytes[i] != ' ' && bytes[i] != 0)); i++) {
        bool is_digit = is_binary || (bytes[i] >= '0' && bytes[i] <= '7');
        if (!is_digit || *out >> 55 != 0) {
            return false;
        }
        *out = is_binary ? *out << 8 | bytes[i] : *out << 3 | (uint64_t)(bytes[i] - '0');
    }
    return true;
}

/* The sum of all bytes, those of the sum itself taken for spaces. */
static bool has_good_sum(const struct tar *tar)
{
    uint64_t expected;
    uint64_t sum = 8 * ' ';
    for (size_t i = 0; i < HEADER; i++) {
        sum += i - CHECKSUM.offset < CHECKSUM.size ? 0 : tar->header[i];
    }
    return read_number(tar, CHECKSUM, &expected) && sum == expected;
}

static bool append(struct text *text, const uint8_t *bytes, size_t size)
{
    if (size > TEXT_SIZE - text->size) {
        return false;
    }
    alc_copy(text->bytes + text->size, bytes, size);
    text->size += size;
    return true;
}

/* A field's text ends at its first NUL or with the field. */
static bool append_field(const struct tar *tar, struct field field, struct text *text)
{
    const uint8_t *bytes = tar->header + field.offset;
    size_t size = 0;
    while (size < field.size && bytes[size] != 0) {
        size++;
    }
    return append(text, bytes, size);
}

/* -- extended headers -- */

static bool is_key(const uint8_t *record, size_t key_size, const char *key)
{
    return key_size == alc_string_length(key) && alc_equal(record, key, key_size);
}

static bool set_text(struct text *text, const uint8_t *bytes, size_t size)
{
    text->size = 0;
    return append(text, bytes, size);
}

/* Digits; `ends` is what may stand behind them. */
static bool read_decimal(const uint8_t *bytes, size_t size, size_t *pos, uint64_t *out)
{
    size_t start = *pos;
    *out = 0;
    while (*pos < size && bytes[*pos] >= '0' && bytes[*pos] <= '9') {
        if (*out > UINT64_MAX / 32) {
            return false;
        }
        *out = *out * 10 + (uint64_t)(bytes[(*pos)++] - '0');
    }
    return *pos > start;
}

/* Seconds with or without a fraction; times before 1970 are 1970. */
static bool read_time(const uint8_t *bytes, size_t size, uint64_t *out_ns)
{
    size_t pos = 0;
    uint64_t seconds;
    if (size > 0 && bytes[0] == '-') {
        *out_ns = 0;
        return true;
    }
    if (!read_decimal(bytes, size, &pos, &seconds) || seconds > UINT64_MAX / 4000000000) {
        return false;
    }
    *out_ns = seconds * 1000000000;
    pos += pos < size && bytes[pos] == '.' ? 1 : 0;
    for (uint64_t unit = 100000000; pos < size; pos++, unit /= 10) {
        if (bytes[pos] < '0' || bytes[pos] > '9') {
            return false;
        }
        *out_ns += (uint64_t)(bytes[pos] - '0') * unit;
    }
    return true;
}

/* One "key=value". */
static alc_status apply_record(struct tar *tar, const uint8_t *record, size_t size)
{
    struct extension *extension = &tar->extension;
    size_t key_size = 0;
    while (key_size < size && record[key_size] != '=') {
        key_size++;
    }
    if (key_size == size) {
        return bad(tar, "extended header without a value");
    }
    const uint8_t *value = record + key_size + 1;
    const size_t value_size = size - key_size - 1;
    size_t pos = 0;
    bool is_good = true;
    if (is_key(record, key_size, "path")) {
        extension->has_path = true;
        is_good = set_text(&tar->path, value, value_size);
    } else if (is_key(record, key_size, "linkpath")) {
        extension->has_target = true;
        is_good = set_text(&tar->target, value, value_size);
    } else if (is_key(record, key_size, "size")) {
        extension->has_size = true;
        is_good = read_decimal(value, value_size, &pos, &extension->size) && pos == value_size;
    } else if (is_key(record, key_size, "mtime")) {
        extension->has_time = true;
        is_good = read_time(value, value_size, &extension->modify_time_ns);
    } else if (key_size >= 11 && alc_equal(record, "GNU.sparse.", 11)) {
        return bad(tar, "sparse file");
    }
    return is_good ? ALC_OK : bad(tar, "value of an extended header");
}

/* "size key=value\n" again and again; the size counts all of it. */
static alc_status apply_records(struct tar *tar, const uint8_t *bytes, size_t size)
{
    for (size_t pos = 0; pos < size;) {
        size_t start = pos;
        uint64_t record_size;
        if (!read_decimal(bytes, size, &pos, &record_size) || record_size > size - start ||
            pos + 1 >= start + record_size || bytes[pos] != ' ' ||
            bytes[start + record_size - 1] != '\n') {
            return bad(tar, "malformed extended header");
        }
        ALC_TRY(apply_record(tar, bytes + pos + 1, start + (size_t)record_size - 1 - (pos + 1)));
        pos = start + (size_t)record_size;
    }
    return ALC_OK;
}

/* What stands behind the header: records, or one long text with its NUL. */
static alc_status read_extension(struct tar *tar, uint8_t type, uint64_t size)
{
    struct alc_arena *arena = tar->archive->arena;
    const size_t mark = alc_arena_mark(arena);
    if (size > ALC_LIMIT_ARCHIVE_EXTENSION_SIZE) {
        return bad(tar, "extended header is too large");
    }
    uint8_t *bytes = alc_arena_take(arena, (size_t)size, 1);
    if (bytes == NULL) {
        return alc_fail(tar->error, ALC_E_OUT_OF_MEMORY, tar->at);
    }
    ALC_TRY(read_bytes(tar, tar->at + HEADER, bytes, (size_t)size));
    alc_status status = ALC_OK;
    if (type == 'x') {
        status = apply_records(tar, bytes, (size_t)size);
    } else {
        size_t text_size = 0;
        while (text_size < size && bytes[text_size] != 0) {
            text_size++;
        }
        bool is_path = type == 'L';
        *(is_path ? &tar->extension.has_path : &tar->extension.has_target) = true;
        status = set_text(is_path ? &tar->path : &tar->target, bytes, text_size)
                     ? ALC_OK
                     : bad(tar, "name is too long");
    }
    alc_arena_reset(arena, mark);
    return status;
}

/* -- entries -- */

static bool get_names(struct tar *tar)
{
    bool is_ustar = alc_equal(tar->header + MAGIC_AT, "ustar", 6);
    bool is_good = true;
    if (!tar->extension.has_path) {
        tar->path.size = 0;
        if (is_ustar && tar->header[PREFIX.offset] != 0) {
            is_good = append_field(tar, PREFIX, &tar->path) &&
                      append(&tar->path, (const uint8_t *)"/", 1);
        }
        is_good = is_good && append_field(tar, NAME, &tar->path);
    }
    if (!tar->extension.has_target) {
        tar->target.size = 0;
        is_good = is_good && append_field(tar, LINK_NAME, &tar->target);
    }
    for (size_t i = 0; i < tar->path.size; i++) {
        is_good = is_good && tar->path.bytes[i] != 0;
    }
    for (size_t i = 0; i < tar->target.size; i++) {
        is_good = is_good && tar->target.bytes[i] != 0;
    }
    return is_good;
}

/* What a letter stands for. False: nothing that is known. */
static bool read_type(const struct tar *tar, uint8_t letter, struct alc_archive_entry *entry)
{
    static const struct {
        uint8_t letter;
        uint8_t type;
    } types[] = {
        {'0', ALC_OS_TYPE_REGULAR_FILE},  {'\0', ALC_OS_TYPE_REGULAR_FILE},
        {'7', ALC_OS_TYPE_REGULAR_FILE},  {'1', ALC_OS_TYPE_REGULAR_FILE},
        {'2', ALC_OS_TYPE_SYMBOLIC_LINK}, {'3', ALC_OS_TYPE_CHARACTER_DEVICE},
        {'4', ALC_OS_TYPE_BLOCK_DEVICE},  {'5', ALC_OS_TYPE_DIRECTORY},
        {'6', ALC_OS_TYPE_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].letter == letter) {
            bool is_old_directory = types[i].type == ALC_OS_TYPE_REGULAR_FILE && letter != '1' &&
                                    tar->path.size > 0 &&
                                    tar->path.bytes[tar->path.size - 1] == '/';
            entry->type = is_old_directory ? ALC_OS_TYPE_DIRECTORY : types[i].type;
            entry->is_hard_link = letter == '1';
            return true;
        }
    }
    return false;
}

static alc_status add_entry(struct tar *tar, uint8_t letter, uint64_t size)
{
    struct alc_archive_entry entry = {.offset = tar->at + HEADER, .size = size};
    if (!get_names(tar)) {
        return bad(tar, "name is too long, or has a NUL");
    }
    if (!read_type(tar, letter, &entry)) {
        return bad(tar, "entry of an unknown type");
    }
    if (entry.type == ALC_OS_TYPE_SYMBOLIC_LINK && tar->target.size == 0) {
        return bad(tar, "symbolic link to nothing");
    }
    if (tar->extension.has_time) {
        entry.modify_time_ns = tar->extension.modify_time_ns;
    } else {
        uint64_t seconds;
        if (!read_number(tar, MODIFY_TIME, &seconds)) {
            return bad(tar, "malformed time");
        }
        entry.modify_time_ns = seconds < UINT64_MAX / 4000000000 ? seconds * 1000000000 : 0;
    }
    entry.path = tar->path.bytes;
    entry.path_size = tar->path.size;
    entry.target = tar->target.bytes;
    entry.target_size = tar->target.size;
    tar->extension = (struct extension){.has_path = false};
    alc_status status = alc_archive_add(tar->archive, &entry);
    return status == ALC_E_BAD_ARCHIVE ? bad(tar, "name that makes no tree")
           : status == ALC_OK          ? ALC_OK
                                       : alc_fail(tar->error, status, tar->at);
}

/* Whether bytes of this type stand behind the header. */
static bool has_contents(uint8_t letter)
{
    return letter < '1' || letter > '6';
}

/* One header with what belongs to it; *out_next is where the next one is. */
static alc_status read_header(struct tar *tar, uint64_t *out_next)
{
    const uint64_t left = tar->archive->verity.size - tar->at - HEADER;
    const uint8_t letter = tar->header[TYPE_AT];
    bool is_extension = letter == 'x' || letter == 'g' || letter == 'L' || letter == 'K';
    uint64_t size;
    if (!has_good_sum(tar)) {
        return bad(tar, "not a header of a tar archive");
    }
    if (!read_number(tar, SIZE, &size)) {
        return bad(tar, "malformed size");
    }
    if (tar->extension.has_size && !is_extension) {
        size = tar->extension.size;
    }
    size = has_contents(letter) ? size : 0;
    if (size > left) {
        return bad(tar, "entry ends behind the archive");
    }
    const uint64_t padding = (HEADER - size % HEADER) % HEADER;
    *out_next = tar->at + HEADER + (padding > left - size ? left : size + padding);
    if (letter == 'g') {
        return ALC_OK; /* about the archive as a whole */
    }
    return is_extension ? read_extension(tar, letter, size) : add_entry(tar, letter, size);
}

alc_status alc_archive_read_headers(struct alc_archive *archive, struct alc_error *error)
{
    struct tar *tar = ALC_ARENA_NEW(archive->arena, struct tar);
    if (tar == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    tar->archive = archive;
    tar->error = error;
    while (tar->at < archive->verity.size) {
        uint64_t next;
        if (archive->verity.size - tar->at < HEADER) {
            return bad(tar, "cut header");
        }
        ALC_TRY(read_bytes(tar, tar->at, tar->header, HEADER));
        if (is_zero(tar->header, HEADER)) {
            break; /* the end; whatever follows is not looked at */
        }
        ALC_TRY(read_header(tar, &next));
        tar->at = next;
    }
    return ALC_OK;
}
