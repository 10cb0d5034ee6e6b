/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading validated bodies: opcodes, immediates by their formats, and the walk ahead for
 * assignments to locals. The validator has read every byte before, so a failing read is our own
 * fault.
 */
#include "compiler/body.h"

#include "base/bytes.h"
#include "wasm/decode.h"

/* The validator accepted what `call` reads. */
#define READ(call) ALC_ASSERT((call) == ALC_OK)

void alc_body_init(struct alc_body *body, const struct alc_module *module, uint32_t function_index)
{
    *body = (struct alc_body){.module = module};
    alc_module_reader(module, module->functions[function_index].body, NULL, &body->reader);
    body->op_offset = (uint32_t)alc_reader_offset(&body->reader);
}

uint32_t alc_body_u32(struct alc_body *body)
{
    uint32_t value;
    READ(alc_read_leb_u32(&body->reader, &value));
    return value;
}

static uint8_t read_byte(struct alc_body *body)
{
    uint8_t value;
    READ(alc_read_u8(&body->reader, &value));
    return value;
}

uint32_t alc_body_value_type(struct alc_body *body)
{
    uint32_t type;
    READ(alc_decode_value_type(&body->reader, body->module, &type));
    return type;
}

void alc_body_skip_locals(struct alc_body *body)
{
    uint32_t groups = alc_body_u32(body);
    for (uint32_t i = 0; i < groups; i++) {
        (void)alc_body_u32(body);
        (void)alc_body_value_type(body);
    }
}

static uint32_t read_heap(struct alc_body *body)
{
    uint32_t heap;
    READ(alc_decode_heap_type(&body->reader, body->module, &heap));
    return heap;
}

static const struct alc_type *read_type(struct alc_body *body, uint32_t *out_index)
{
    *out_index = alc_body_u32(body);
    return alc_types_get(body->module->types, alc_module_type_id(body->module, *out_index));
}

static enum alc_op read_op(struct alc_body *body)
{
    uint8_t byte = read_byte(body);
    return alc_op_is_prefix(byte) ? alc_op_find_prefixed(byte, alc_body_u32(body))
                                  : alc_op_find(byte);
}

/* -- immediates -- */

static void read_block_type(struct alc_body *body, struct alc_immediates *out)
{
    int64_t index;
    uint8_t first = body->reader.bytes[body->reader.pos];
    out->block_type = NULL;
    out->value_type = ALC_TYPE_BOTTOM;
    if (first == 0x40) {
        (void)read_byte(body);
    } else if ((first & 0xc0) == 0x40) {
        out->value_type = alc_body_value_type(body);
    } else {
        READ(alc_read_leb_s33(&body->reader, &index));
        uint32_t id = alc_module_type_id(body->module, (uint32_t)index);
        out->block_type = &alc_types_get(body->module->types, id)->function;
    }
}

static void read_labels(struct alc_body *body, struct alc_immediates *out)
{
    out->index = alc_body_u32(body);
    out->list = body->reader.pos;
    for (uint32_t i = 0; i <= out->index; i++) {
        (void)alc_body_u32(body);
    }
}

uint32_t alc_body_label(const struct alc_body *body, size_t *position)
{
    struct alc_reader reader = body->reader;
    uint32_t depth;
    reader.pos = *position;
    READ(alc_read_leb_u32(&reader, &depth));
    *position = reader.pos;
    return depth;
}

enum { CATCH_ALL_BIT = 2 }; /* kinds of clauses: 0, 1 with a tag, 2, 3 without */

struct alc_clause alc_body_clause(struct alc_body *body)
{
    struct alc_clause clause = {.kind = read_byte(body), .tag_index = ALC_NO_INDEX};
    if ((clause.kind & CATCH_ALL_BIT) == 0) {
        clause.tag_index = alc_body_u32(body);
    }
    clause.depth = alc_body_u32(body);
    return clause;
}

static void read_try_table(struct alc_body *body, struct alc_immediates *out)
{
    read_block_type(body, out);
    out->index = alc_body_u32(body);
    out->list = body->reader.pos;
    for (uint32_t i = 0; i < out->index; i++) {
        (void)alc_body_clause(body);
    }
}

static void read_memory(struct alc_body *body, struct alc_memory_immediate *out)
{
    enum { HAS_INDEX = 0x40 };
    uint32_t flags = alc_body_u32(body);
    out->memory_index = (flags & HAS_INDEX) != 0 ? alc_body_u32(body) : 0;
    out->align_log2 = flags & (HAS_INDEX - 1);
    READ(alc_read_leb_u64(&body->reader, &out->offset));
}

static void read_bytes(struct alc_body *body, uint8_t out[16])
{
    const uint8_t *bytes;
    READ(alc_read_bytes(&body->reader, 16, &bytes));
    alc_copy(out, bytes, 16);
}

static void read_constant(struct alc_body *body, unsigned format, struct alc_immediates *out)
{
    int32_t small;
    int64_t big;
    uint32_t bits;
    switch (format) {
    case ALC_IMM_I32:
        READ(alc_read_leb_s32(&body->reader, &small));
        out->bits = (uint32_t)small;
        return;
    case ALC_IMM_I64:
        READ(alc_read_leb_s64(&body->reader, &big));
        out->bits = (uint64_t)big;
        return;
    case ALC_IMM_F32:
        READ(alc_read_u32(&body->reader, &bits));
        out->bits = bits;
        return;
    default:
        READ(alc_read_u64(&body->reader, &out->bits));
    }
}

static void read_types(struct alc_body *body, struct alc_immediates *out)
{
    uint32_t count = alc_body_u32(body);
    ALC_ASSERT(count == 1);
    out->value_type = alc_body_value_type(body);
}

/* Formats that begin with a type. */
static void read_typed(struct alc_body *body, unsigned format, struct alc_immediates *out)
{
    out->type = read_type(body, &out->index);
    if (format == ALC_IMM_TYPE_TYPE) {
        out->second_type = read_type(body, &out->second);
    } else if (format != ALC_IMM_TYPE) {
        out->second = alc_body_u32(body);
    }
}

/* Formats of one or two indices, and what is like them. */
static void read_indices(struct alc_body *body, unsigned format, struct alc_immediates *out)
{
    switch (format) {
    case ALC_IMM_TABLE_TABLE:
    case ALC_IMM_ELEM_TABLE:
    case ALC_IMM_MEM_MEM:
    case ALC_IMM_DATA_MEM:
        out->index = alc_body_u32(body);
        out->second = alc_body_u32(body);
        return;
    case ALC_IMM_HEAP:
        out->value_type = read_heap(body);
        return;
    case ALC_IMM_CAST:
        out->flags = read_byte(body);
        out->index = alc_body_u32(body);
        out->value_type = read_heap(body);
        out->second_heap = read_heap(body);
        return;
    case ALC_IMM_ZERO:
        (void)read_byte(body);
        return;
    default: /* one index */
        out->index = alc_body_u32(body);
    }
}

static void read_immediates(struct alc_body *body, unsigned format, struct alc_immediates *out)
{
    switch (format) {
    case ALC_IMM_NONE:
        return;
    case ALC_IMM_BLOCK:
        read_block_type(body, out);
        return;
    case ALC_IMM_LABELS:
        read_labels(body, out);
        return;
    case ALC_IMM_TRY_TABLE:
        read_try_table(body, out);
        return;
    case ALC_IMM_TYPE:
    case ALC_IMM_TYPE_TABLE:
    case ALC_IMM_TYPE_FIELD:
    case ALC_IMM_TYPE_COUNT:
    case ALC_IMM_TYPE_DATA:
    case ALC_IMM_TYPE_ELEM:
    case ALC_IMM_TYPE_TYPE:
        read_typed(body, format, out);
        return;
    case ALC_IMM_TYPES:
        read_types(body, out);
        return;
    case ALC_IMM_I32:
    case ALC_IMM_I64:
    case ALC_IMM_F32:
    case ALC_IMM_F64:
        read_constant(body, format, out);
        return;
    case ALC_IMM_V128:
    case ALC_IMM_SHUFFLE:
        read_bytes(body, out->bytes);
        return;
    case ALC_IMM_LANE2:
    case ALC_IMM_LANE4:
    case ALC_IMM_LANE8:
    case ALC_IMM_LANE16:
        out->lane = read_byte(body);
        return;
    case ALC_IMM_MEM0:
    case ALC_IMM_MEM1:
    case ALC_IMM_MEM2:
    case ALC_IMM_MEM3:
    case ALC_IMM_MEM4:
        read_memory(body, &out->memory);
        return;
    case ALC_IMM_MEMLANE0:
    case ALC_IMM_MEMLANE1:
    case ALC_IMM_MEMLANE2:
    case ALC_IMM_MEMLANE3:
        read_memory(body, &out->memory);
        out->lane = read_byte(body);
        return;
    default:
        read_indices(body, format, out);
    }
}

enum alc_op alc_body_next(struct alc_body *body, struct alc_immediates *out)
{
    body->op_offset = (uint32_t)alc_reader_offset(&body->reader);
    enum alc_op op = read_op(body);
    ALC_ASSERT(op != ALC_OP_ILLEGAL);
    read_immediates(body, alc_op_infos[op].immediate, out);
    return op;
}

/* -- the walk ahead -- */

bool alc_op_opens_block(enum alc_op op)
{
    return op == ALC_OP_BLOCK || op == ALC_OP_LOOP || op == ALC_OP_IF || op == ALC_OP_TRY ||
           op == ALC_OP_TRY_TABLE;
}

static bool is_tail_call(enum alc_op op)
{
    return op == ALC_OP_RETURN_CALL || op == ALC_OP_RETURN_CALL_INDIRECT ||
           op == ALC_OP_RETURN_CALL_REF;
}

/* Arrays that grow at the end of the arena: first counted, then filled. */
static void walk(const struct alc_body *start, struct alc_assignments *out, uint32_t *open)
{
    struct alc_body body = *start;
    struct alc_immediates immediates;
    uint32_t depth = 1;
    out->count = 0;
    out->blocks_count = 0;
    out->depth_max = 1;
    out->has_tail_calls = false;
    while (depth > 0) {
        enum alc_op op = alc_body_next(&body, &immediates);
        if (op == ALC_OP_LOCAL_SET || op == ALC_OP_LOCAL_TEE) {
            if (out->locals != NULL) {
                out->locals[out->count] = immediates.index;
            }
            out->count++;
        } else if (alc_op_opens_block(op)) {
            if (open != NULL) {
                open[depth] = out->blocks_count;
            }
            out->blocks_count++;
            depth++;
            out->depth_max = depth > out->depth_max ? depth : out->depth_max;
        } else if (op == ALC_OP_END || op == ALC_OP_DELEGATE) {
            depth--;
            if (open != NULL && depth > 0) {
                out->ends[open[depth]] = out->count;
            }
        } else if (is_tail_call(op)) {
            out->has_tail_calls = true;
        }
    }
}

bool alc_body_find_assignments(const struct alc_body *body, struct alc_arena *arena,
                               struct alc_assignments *out)
{
    *out = (struct alc_assignments){0};
    walk(body, out, NULL);
    uint32_t *open = ALC_ARENA_ARRAY(arena, uint32_t, out->depth_max + 1);
    out->locals = ALC_ARENA_ARRAY(arena, uint32_t, out->count + 1);
    out->ends = ALC_ARENA_ARRAY(arena, uint32_t, out->blocks_count + 1);
    if (open == NULL || out->locals == NULL || out->ends == NULL) {
        return false;
    }
    walk(body, out, open);
    return true;
}
