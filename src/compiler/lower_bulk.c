/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and growth of memories, bulk instructions and tables: operations of the runtime, but for
 * what the context says. And references that need no heap.
 */
#include "compiler/lower.h"

static uint32_t table_address_type(const struct alc_lowering *f, uint32_t table_index)
{
    return f->module->tables[table_index].type.limits.is_64 ? ALC_TYPE_I64 : ALC_TYPE_I32;
}

static void lower_memory_size(struct alc_lowering *f, uint32_t memory_index)
{
    uint32_t type = alc_lower_memory_type(f, memory_index);
    unsigned shift = f->module->memories[memory_index].limits.page_size_log2;
    LLVMValueRef bytes = alc_lower_memory_size(f, memory_index);
    LLVMValueRef pages = LLVMBuildLShr(f->builder, bytes, alc_lower_i64(f, shift), "");
    if (type == ALC_TYPE_I32) {
        pages = LLVMBuildTrunc(f->builder, pages, f->unit->i32, "");
    }
    alc_lower_push(f, pages, type);
}

/* An instruction on table `index`, which is its one immediate. */
static void lower_table(struct alc_lowering *f, enum alc_op op, uint32_t index)
{
    uint32_t address = table_address_type(f, index);
    uint32_t element = f->module->tables[index].type.element;
    switch ((int)op) {
    case ALC_OP_TABLE_GET:
        alc_lower_operation(f, op, index, 0, 1, &element, 1);
        return;
    case ALC_OP_TABLE_SET:
        alc_lower_operation(f, op, index, 0, 2, NULL, 0);
        return;
    case ALC_OP_TABLE_GROW:
        alc_lower_operation(f, op, index, 0, 2, &address, 1);
        return;
    case ALC_OP_TABLE_SIZE:
        alc_lower_operation(f, op, index, 0, 0, &address, 1);
        return;
    default:
        alc_lower_operation(f, op, index, 0, 3, NULL, 0);
        return;
    }
}

void alc_lower_bulk(struct alc_lowering *f, enum alc_op op, const struct alc_immediates *immediates)
{
    uint32_t index = immediates->index;
    uint32_t type;
    switch ((int)op) {
    case ALC_OP_MEMORY_SIZE:
        lower_memory_size(f, index);
        return;
    case ALC_OP_MEMORY_GROW:
        type = alc_lower_memory_type(f, index);
        alc_lower_operation(f, op, index, 0, 1, &type, 1);
        return;
    case ALC_OP_MEMORY_COPY:
        alc_lower_memory_copy(f, index, immediates->second);
        return;
    case ALC_OP_MEMORY_FILL:
        alc_lower_memory_fill(f, index);
        return;
    case ALC_OP_MEMORY_INIT:
    case ALC_OP_TABLE_INIT:
    case ALC_OP_TABLE_COPY:
        alc_lower_operation(f, op, index, immediates->second, 3, NULL, 0);
        return;
    case ALC_OP_DATA_DROP:
    case ALC_OP_ELEM_DROP:
        alc_lower_operation(f, op, index, 0, 0, NULL, 0);
        return;
    default:
        lower_table(f, op, index);
        return;
    }
}
