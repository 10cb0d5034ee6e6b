/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads and stores of vectors and of their lanes. Each accesses memory once, with the width that
 * the specification gives it, so that it traps as a whole.
 */
#include "compiler/lower_vector.h"

struct access {
    LLVMValueRef pointer;
    LLVMValueRef vector; /* the operand behind the index, with the row's lanes; NULL: none */
    LLVMValueRef lane;   /* the immediate as LLVM wants it */
    enum lanes lanes;
    int number;
};

/* -- loads -- */

static LLVMValueRef load_whole(struct alc_lowering *f, const struct access *access)
{
    return alc_lower_memory_load(f, lanes_type(f, access->lanes), access->pointer);
}

static LLVMValueRef load_extend(struct alc_lowering *f, const struct access *access)
{
    LLVMTypeRef type = LLVMVectorType(lane_type(f, access->lanes), lanes_count(access->lanes) / 2);
    LLVMValueRef half = alc_lower_memory_load(f, type, access->pointer);
    return widen_lanes(f, half, access->lanes, (access->number & SIGNED) != 0);
}

static LLVMValueRef load_scalar(struct alc_lowering *f, const struct access *access)
{
    return alc_lower_memory_load(f, lane_type(f, access->lanes), access->pointer);
}

static LLVMValueRef load_splat(struct alc_lowering *f, const struct access *access)
{
    return spread_lane(f, load_scalar(f, access), access->lanes);
}

static LLVMValueRef load_zero(struct alc_lowering *f, const struct access *access)
{
    LLVMValueRef zeros = LLVMConstNull(lanes_type(f, access->lanes));
    return LLVMBuildInsertElement(f->builder, zeros, load_scalar(f, access),
                                  LLVMConstNull(f->unit->i32), "");
}

static LLVMValueRef load_lane(struct alc_lowering *f, const struct access *access)
{
    return LLVMBuildInsertElement(f->builder, access->vector, load_scalar(f, access), access->lane,
                                  "");
}

/* -- stores -- */

static LLVMValueRef store_whole(struct alc_lowering *f, const struct access *access)
{
    alc_lower_memory_store(f, access->vector, access->pointer);
    return NULL;
}

static LLVMValueRef store_lane(struct alc_lowering *f, const struct access *access)
{
    LLVMValueRef lane = LLVMBuildExtractElement(f->builder, access->vector, access->lane, "");
    alc_lower_memory_store(f, lane, access->pointer);
    return NULL;
}

/* -- the table -- */

static const struct {
    LLVMValueRef (*lower)(struct alc_lowering *f, const struct access *access);
    enum lanes lanes;
    int number;
} rows[ALC_OP_COUNT] = {
#define ACCESS(ident, lanes, how, number) [ALC_OP_##ident] = {how, lanes, number},
#include "compiler/lower_vector_access.def"
#undef ACCESS
};

/* Bytes that an instruction with this format of immediate accesses. */
static uint32_t access_size(unsigned immediate)
{
    unsigned first = immediate >= ALC_IMM_MEMLANE0 ? ALC_IMM_MEMLANE0 : ALC_IMM_MEM0;
    return UINT32_C(1) << (immediate - first);
}

LLVMValueRef alc_lower_vector_access(struct alc_lowering *f, enum alc_op op,
                                     const struct alc_immediates *immediates,
                                     LLVMValueRef *operands)
{
    const struct alc_op_info *info = &alc_op_infos[op];
    ALC_ASSERT(rows[op].lower != NULL);
    struct access access = {
        .pointer =
            alc_lower_address(f, &immediates->memory, operands[0], access_size(info->immediate)),
        .lane = LLVMConstInt(f->unit->i32, immediates->lane, false),
        .lanes = rows[op].lanes,
        .number = rows[op].number,
    };
    if (alc_signature_operand(info->signature, 1) != ALC_LETTER_NONE) {
        access.vector = cast_lanes(f, operands[1], access.lanes);
    }
    LLVMValueRef result = rows[op].lower(f, &access);
    return result != NULL ? cast_lanes(f, result, I64) : NULL;
}
