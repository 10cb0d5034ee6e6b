/* SPDX-License-Identifier: Apache-2.0
 *
 * The line number program of a .debug_line section (DWARF 4, section 6.2), as far as a table of
 * addresses and lines needs it. Lines are offsets in the module's file; 0 is none.
 */
#include <stdlib.h>

#include "base/reader.h"
#include "compiler/object.h"

enum { VERSION = 4 };
enum standard_opcode {
    EXTENDED = 0,
    COPY = 1,
    ADVANCE_PC = 2,
    ADVANCE_LINE = 3,
    CONST_ADD_PC = 8,
    FIXED_ADVANCE_PC = 9,
};
enum extended_opcode { END_SEQUENCE = 1, SET_ADDRESS = 2 };

struct program {
    struct alc_reader reader;
    uint8_t instruction_size; /* the least */
    int8_t line_base;
    uint8_t line_range;
    uint8_t opcode_base;
    const uint8_t *lengths; /* operands of standard opcodes, from the first on */
    uint64_t address;
    uint64_t line;
    struct alc_native_line *rows;
    uint32_t count;
    uint32_t capacity;
};

static alc_status add_row(struct program *p)
{
    bool repeats = p->count > 0 && p->rows[p->count - 1].wasm_offset == p->line;
    if (p->line == 0 || repeats) {
        return ALC_OK;
    }
    if (p->count > 0 && p->rows[p->count - 1].code_offset == p->address) {
        p->count--; /* nothing stands between them */
    }
    if (p->count == p->capacity) {
        uint32_t capacity = p->capacity == 0 ? 256 : 2 * p->capacity;
        struct alc_native_line *rows = realloc(p->rows, capacity * sizeof *rows);
        if (rows == NULL) {
            return ALC_E_OUT_OF_MEMORY;
        }
        p->rows = rows;
        p->capacity = capacity;
    }
    p->rows[p->count++] = (struct alc_native_line){.code_offset = (uint32_t)p->address,
                                                   .wasm_offset = (uint32_t)p->line};
    return ALC_OK;
}

/* Unit length (32-bit format), version, length of the rest of the header: what struct program keeps
 * and tables of names, which are skipped. */
static alc_status read_header(struct program *p)
{
    uint32_t length;
    uint16_t version;
    uint32_t header_length;
    uint8_t byte;
    ALC_TRY(alc_read_u32(&p->reader, &length));
    ALC_TRY(alc_read_u16(&p->reader, &version));
    ALC_TRY(alc_read_u32(&p->reader, &header_length));
    size_t start = p->reader.pos + header_length;
    if (version != VERSION || length > p->reader.size - 4 || start > p->reader.size) {
        return ALC_E_INTERNAL;
    }
    p->reader.size = (size_t)length + 4;
    ALC_TRY(alc_read_u8(&p->reader, &p->instruction_size));
    ALC_TRY(alc_read_skip(&p->reader, 2)); /* operations per instruction, is_stmt at first */
    ALC_TRY(alc_read_u8(&p->reader, &byte));
    p->line_base = (int8_t)byte;
    ALC_TRY(alc_read_u8(&p->reader, &p->line_range));
    ALC_TRY(alc_read_u8(&p->reader, &p->opcode_base));
    if (p->line_range == 0 || p->opcode_base == 0) {
        return ALC_E_INTERNAL;
    }
    ALC_TRY(alc_read_bytes(&p->reader, p->opcode_base - 1u, &p->lengths));
    p->reader.pos = start;
    return ALC_OK;
}

static void reset(struct program *p)
{
    p->address = 0;
    p->line = 1;
}

static alc_status run_extended(struct program *p)
{
    uint32_t length;
    uint8_t opcode;
    struct alc_reader operands;
    uint32_t low;
    uint32_t high = 0;
    ALC_TRY(alc_read_leb_u32(&p->reader, &length));
    ALC_TRY(alc_read_sub(&p->reader, length, &operands));
    ALC_TRY(alc_read_u8(&operands, &opcode));
    if (opcode == END_SEQUENCE) {
        reset(p);
    } else if (opcode == SET_ADDRESS) {
        ALC_TRY(alc_read_u32(&operands, &low));
        if (!alc_reader_at_end(&operands)) {
            ALC_TRY(alc_read_u32(&operands, &high));
        }
        p->address = (uint64_t)high << 32 | low;
    }
    return ALC_OK;
}

static void advance(struct program *p, uint8_t opcode)
{
    p->address += (uint64_t)((opcode - p->opcode_base) / p->line_range) * p->instruction_size;
}

static alc_status run_standard(struct program *p, uint8_t opcode)
{
    uint32_t operand;
    uint16_t step;
    int64_t distance;
    switch (opcode) {
    case EXTENDED:
        return run_extended(p);
    case COPY:
        return add_row(p);
    case ADVANCE_PC:
        ALC_TRY(alc_read_leb_u32(&p->reader, &operand));
        p->address += (uint64_t)operand * p->instruction_size;
        return ALC_OK;
    case ADVANCE_LINE:
        ALC_TRY(alc_read_leb_s64(&p->reader, &distance));
        p->line += (uint64_t)distance;
        return ALC_OK;
    case CONST_ADD_PC:
        advance(p, UINT8_MAX);
        return ALC_OK;
    case FIXED_ADVANCE_PC:
        ALC_TRY(alc_read_u16(&p->reader, &step));
        p->address += step;
        return ALC_OK;
    default:
        for (uint8_t i = 0; i < p->lengths[opcode - 1]; i++) {
            ALC_TRY(alc_read_leb_u32(&p->reader, &operand));
        }
        return ALC_OK;
    }
}

static alc_status run(struct program *p)
{
    uint8_t opcode;
    ALC_TRY(read_header(p));
    reset(p);
    while (!alc_reader_at_end(&p->reader)) {
        ALC_TRY(alc_read_u8(&p->reader, &opcode));
        if (opcode < p->opcode_base) {
            ALC_TRY(run_standard(p, opcode));
            continue;
        }
        advance(p, opcode);
        p->line += (uint64_t)(int64_t)(p->line_base + (opcode - p->opcode_base) % p->line_range);
        ALC_TRY(add_row(p));
    }
    return ALC_OK;
}

alc_status alc_lines_read(const uint8_t *bytes, size_t size, struct alc_native_line **out,
                          uint32_t *out_count)
{
    struct program program = {0};
    alc_reader_init(&program.reader, bytes, size, NULL);
    alc_status status = run(&program);
    if (status != ALC_OK) {
        free(program.rows);
        return status == ALC_E_OUT_OF_MEMORY ? status : ALC_E_INTERNAL;
    }
    *out = program.rows;
    *out_count = program.count;
    return ALC_OK;
}
