/* SPDX-License-Identifier: Apache-2.0
 *
 * Vouchers and the statements in them: whatever is read is written as the same bytes again, and
 * errors lie within the input. The first byte chooses: a bare statement, a voucher without a look
 * at its signature, which no fuzzer gets right, or one in 16 the whole way.
 */
#include <stdlib.h>
#include <string.h>

#include "voucher/voucher_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ARENA_SIZE = 1 << 16, AGAIN_SIZE = 1 << 16 };

static uint8_t memory[ARENA_SIZE];
static uint8_t again[AGAIN_SIZE];

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void fuzz_statement(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                           struct alc_error *error)
{
    struct alc_voucher_statement statement;
    struct alc_reader reader;
    struct alc_writer writer;
    alc_reader_init(&reader, bytes, size, error);
    if (alc_voucher_read_statement(arena, &reader, &statement) != ALC_OK) {
        return;
    }
    alc_writer_init(&writer, again, sizeof again);
    alc_voucher_write_statement(&writer, &statement);
    demand(writer.pos == size);
    demand(writer.overflowed || memcmp(again, bytes, size) == 0);
}

static void fuzz_parts(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                       struct alc_error *error)
{
    struct alc_voucher_statement statement;
    struct alc_voucher_parts parts;
    struct alc_reader reader;
    struct alc_writer writer;
    size_t offset;
    alc_reader_init(&reader, bytes, size, error);
    if (alc_voucher_read_parts(&reader, &parts) != ALC_OK) {
        return;
    }
    alc_reader_init(&reader, parts.statement, parts.statement_size, error);
    reader.origin = parts.statement_offset;
    if (alc_voucher_read_statement(arena, &reader, &statement) != ALC_OK) {
        return;
    }
    alc_writer_init(&writer, again, sizeof again);
    alc_voucher_write(&writer, &parts, &statement, &offset);
    demand(writer.pos == size && offset == parts.statement_offset);
    demand(writer.overflowed || memcmp(again, bytes, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_arena arena;
    struct alc_error error;
    struct alc_voucher voucher;
    if (size == 0) {
        return 0;
    }
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    if (bytes[0] % 16 == 0) {
        (void)!alc_voucher_verify(&arena, bytes + 1, size - 1, &voucher, &error);
    } else if (bytes[0] % 2 == 0) {
        fuzz_parts(&arena, bytes + 1, size - 1, &error);
    } else {
        fuzz_statement(&arena, bytes + 1, size - 1, &error);
    }
    demand(error.status == ALC_OK || error.offset <= size);
    return 0;
}
