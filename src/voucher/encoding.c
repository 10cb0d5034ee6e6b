/* SPDX-License-Identifier: Apache-2.0
 *
 * Vouchers as deterministic CBOR. Reading trusts nothing and accepts exactly what writing makes.
 */
#include "voucher/voucher_internal.h"

#include "base/bytes.h"
#include "base/cbor.h"
#include "base/limits.h"

enum { VOUCHER_VERSION = 1, VOUCHER_KEYS = 4, STATEMENT_KEYS = 4, LIMITS_KEYS = 3 };

/* An import is an array of two texts. */
enum { IMPORT_TEXTS = 2 };

/* The members of struct alc_voucher_limits in the order of their keys. */
static uint64_t *limit_at(struct alc_voucher_limits *limits, size_t key)
{
    uint64_t *const members[LIMITS_KEYS] = {&limits->fuel, &limits->memory_size,
                                            &limits->timeout_ns};
    return members[key];
}

static void write_limits(struct alc_writer *writer, struct alc_voucher_limits limits)
{
    size_t count = 0;
    for (size_t key = 0; key < LIMITS_KEYS; key++) {
        count += *limit_at(&limits, key) != 0;
    }
    alc_cbor_write_map(writer, count);
    for (size_t key = 0; key < LIMITS_KEYS; key++) {
        if (*limit_at(&limits, key) != 0) {
            alc_cbor_write_uint(writer, key);
            alc_cbor_write_uint(writer, *limit_at(&limits, key));
        }
    }
}

void alc_voucher_write_statement(struct alc_writer *writer,
                                 const struct alc_voucher_statement *statement)
{
    alc_cbor_write_map(writer, STATEMENT_KEYS);
    alc_cbor_write_uint(writer, 0);
    alc_cbor_write_bytes(writer, statement->module_sha256, ALC_SHA256_SIZE);
    alc_cbor_write_uint(writer, 1);
    alc_cbor_write_bytes(writer, statement->native_sha256, ALC_SHA256_SIZE);
    alc_cbor_write_uint(writer, 2);
    alc_cbor_write_array(writer, statement->imports_count);
    for (size_t i = 0; i < statement->imports_count; i++) {
        const struct alc_voucher_import *import = &statement->imports[i];
        alc_cbor_write_array(writer, IMPORT_TEXTS);
        alc_cbor_write_text(writer, import->module.bytes, import->module.size);
        alc_cbor_write_text(writer, import->name.bytes, import->name.size);
    }
    alc_cbor_write_uint(writer, 3);
    write_limits(writer, statement->limits);
}

void alc_voucher_write(struct alc_writer *writer, const struct alc_voucher_parts *parts,
                       const struct alc_voucher_statement *statement, size_t *out_statement_offset)
{
    alc_cbor_write_map(writer, VOUCHER_KEYS);
    alc_cbor_write_uint(writer, 0);
    alc_cbor_write_uint(writer, VOUCHER_VERSION);
    alc_cbor_write_uint(writer, 1);
    alc_cbor_write_bytes_head(writer, parts->statement_size);
    *out_statement_offset = writer->pos;
    alc_voucher_write_statement(writer, statement);
    ALC_ASSERT(writer->pos - *out_statement_offset == parts->statement_size);
    alc_cbor_write_uint(writer, 2);
    alc_cbor_write_bytes(writer, parts->key, parts->key_size);
    alc_cbor_write_uint(writer, 3);
    alc_cbor_write_bytes(writer, parts->signature, ALC_VOUCHER_SIGNATURE_SIZE);
}

/* -- reading -- */

/* A map with exactly the keys 0 to count - 1, of which this is the next. */
static alc_status read_next_key(struct alc_reader *reader, uint64_t expected)
{
    const struct alc_reader start = *reader;
    uint64_t key;
    ALC_TRY(alc_cbor_read_uint(reader, &key));
    return key == expected ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_VOUCHER);
}

static alc_status read_head(struct alc_reader *reader, size_t keys_count)
{
    const struct alc_reader start = *reader;
    size_t count;
    ALC_TRY(alc_cbor_read_map(reader, keys_count, &count));
    return count == keys_count ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_VOUCHER);
}

static alc_status read_fixed(struct alc_reader *reader, size_t size, const uint8_t **out)
{
    const struct alc_reader start = *reader;
    size_t found;
    ALC_TRY(alc_cbor_read_bytes(reader, out, &found));
    return found == size ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_VOUCHER);
}

static alc_status read_digest(struct alc_reader *reader, uint8_t out[ALC_SHA256_SIZE])
{
    const uint8_t *bytes;
    ALC_TRY(read_fixed(reader, ALC_SHA256_SIZE, &bytes));
    alc_copy(out, bytes, ALC_SHA256_SIZE);
    return ALC_OK;
}

static alc_status read_import(struct alc_reader *reader, struct alc_voucher_import *out)
{
    const struct alc_reader start = *reader;
    size_t count;
    ALC_TRY(alc_cbor_read_array(reader, IMPORT_TEXTS, &count));
    if (count != IMPORT_TEXTS) {
        return alc_reader_fail(&start, ALC_E_BAD_VOUCHER);
    }
    ALC_TRY(alc_cbor_read_text(reader, &out->module.bytes, &out->module.size));
    return alc_cbor_read_text(reader, &out->name.bytes, &out->name.size);
}

static alc_status read_imports(struct alc_arena *arena, struct alc_reader *reader,
                               struct alc_voucher_statement *out)
{
    ALC_TRY(alc_cbor_read_array(reader, ALC_LIMIT_IMPORTS, &out->imports_count));
    struct alc_voucher_import *imports =
        ALC_ARENA_ARRAY(arena, struct alc_voucher_import, out->imports_count);
    if (imports == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (size_t i = 0; i < out->imports_count; i++) {
        ALC_TRY(read_import(reader, &imports[i]));
    }
    out->imports = imports;
    return ALC_OK;
}

static alc_status read_limits(struct alc_reader *reader, struct alc_voucher_limits *out)
{
    size_t count;
    int64_t previous = -1;
    *out = (struct alc_voucher_limits){0};
    ALC_TRY(alc_cbor_read_map(reader, LIMITS_KEYS, &count));
    for (size_t i = 0; i < count; i++) {
        const struct alc_reader start = *reader;
        uint64_t key;
        uint64_t value;
        ALC_TRY(alc_cbor_read_key(reader, &previous, &key));
        ALC_TRY(alc_cbor_read_uint(reader, &value));
        if (key >= LIMITS_KEYS || value == 0) {
            return alc_reader_fail(&start, ALC_E_BAD_VOUCHER);
        }
        *limit_at(out, (size_t)key) = value;
    }
    return ALC_OK;
}

alc_status alc_voucher_read_statement(struct alc_arena *arena, struct alc_reader *reader,
                                      struct alc_voucher_statement *out)
{
    ALC_TRY(read_head(reader, STATEMENT_KEYS));
    ALC_TRY(read_next_key(reader, 0));
    ALC_TRY(read_digest(reader, out->module_sha256));
    ALC_TRY(read_next_key(reader, 1));
    ALC_TRY(read_digest(reader, out->native_sha256));
    ALC_TRY(read_next_key(reader, 2));
    ALC_TRY(read_imports(arena, reader, out));
    ALC_TRY(read_next_key(reader, 3));
    ALC_TRY(read_limits(reader, &out->limits));
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_VOUCHER);
}

alc_status alc_voucher_read_parts(struct alc_reader *reader, struct alc_voucher_parts *out)
{
    const struct alc_reader start = *reader;
    uint64_t version;
    ALC_TRY(read_head(reader, VOUCHER_KEYS));
    ALC_TRY(read_next_key(reader, 0));
    ALC_TRY(alc_cbor_read_uint(reader, &version));
    if (version != VOUCHER_VERSION) {
        return alc_reader_fail(&start, ALC_E_BAD_VOUCHER);
    }
    ALC_TRY(read_next_key(reader, 1));
    ALC_TRY(alc_cbor_read_bytes(reader, &out->statement, &out->statement_size));
    out->statement_offset = alc_reader_offset(reader) - out->statement_size;
    ALC_TRY(read_next_key(reader, 2));
    ALC_TRY(alc_cbor_read_bytes(reader, &out->key, &out->key_size));
    out->key_offset = alc_reader_offset(reader) - out->key_size;
    ALC_TRY(read_next_key(reader, 3));
    ALC_TRY(read_fixed(reader, ALC_VOUCHER_SIGNATURE_SIZE, &out->signature));
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_VOUCHER);
}
