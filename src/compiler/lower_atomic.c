/* SPDX-License-Identifier: Apache-2.0
 *
 * Atomic instructions, all sequentially consistent, in the checked shape. Waiting and waking is
 * done by the runtime, which is given the effective address.
 */
#include "compiler/lower.h"
#include "wasm/code_atomic.h"

/* Rows of ops.def stand in groups of seven widths, in the order of enum alc_atomic_kind. */
enum { WIDTHS = 7 };
_Static_assert(ALC_OP_I32_ATOMIC_RMW_CMPXCHG - ALC_OP_I32_ATOMIC_LOAD ==
                   ALC_ATOMIC_CMPXCHG * WIDTHS,
               "kinds follow from the order of the rows");

static uint32_t size_log2_of(enum alc_op op)
{
    return (uint32_t)alc_op_infos[op].immediate - ALC_IMM_MEM0;
}

/* The type of what is in memory. */
static LLVMTypeRef cell_type(const struct alc_lowering *f, enum alc_op op)
{
    return LLVMIntTypeInContext(f->unit->context, 8u << size_log2_of(op));
}

/* Traps unless the pointer is aligned; but if there is no memory at all at the pointer, that is the
 * trap, and an access finds it out. */
static void check_alignment(struct alc_lowering *f, enum alc_op op, LLVMValueRef pointer)
{
    uint64_t mask = (UINT64_C(1) << size_log2_of(op)) - 1;
    if (mask == 0) {
        return;
    }
    LLVMValueRef address = LLVMBuildPtrToInt(f->builder, pointer, f->unit->i64, "");
    LLVMValueRef low = LLVMBuildAnd(f->builder, address, alc_lower_i64(f, mask), "");
    LLVMValueRef is_odd = LLVMBuildICmp(f->builder, LLVMIntNE, low, alc_lower_i64(f, 0), "");
    LLVMBasicBlockRef odd = LLVMAppendBasicBlockInContext(f->unit->context, f->function, "");
    LLVMBasicBlockRef even = LLVMAppendBasicBlockInContext(f->unit->context, f->function, "");
    LLVMBuildCondBr(f->builder, is_odd, odd, even);
    LLVMPositionBuilderAtEnd(f->builder, odd);
    (void)alc_lower_memory_load(f, cell_type(f, op), pointer);
    alc_lower_trap(f, ALC_NATIVE_TRAP_UNALIGNED_ATOMIC);
    LLVMPositionBuilderAtEnd(f->builder, even);
}

static void set_atomic(LLVMValueRef access, enum alc_op op)
{
    LLVMSetOrdering(access, LLVMAtomicOrderingSequentiallyConsistent);
    LLVMSetAlignment(access, 1u << size_log2_of(op));
}

/* What was in memory, as the instruction's result. */
static LLVMValueRef extend(struct alc_lowering *f, enum alc_op op, LLVMValueRef cell)
{
    bool is_i64 = alc_signature_result(alc_op_infos[op].signature) == ALC_LETTER_L;
    return LLVMBuildZExt(f->builder, cell, is_i64 ? f->unit->i64 : f->unit->i32, "");
}

static LLVMValueRef narrow(struct alc_lowering *f, enum alc_op op, LLVMValueRef value)
{
    return LLVMBuildTrunc(f->builder, value, cell_type(f, op), "");
}

static LLVMAtomicRMWBinOp modification_of(unsigned kind)
{
    static const uint8_t operations[] = {
        [ALC_ATOMIC_ADD] = LLVMAtomicRMWBinOpAdd, [ALC_ATOMIC_SUB] = LLVMAtomicRMWBinOpSub,
        [ALC_ATOMIC_AND] = LLVMAtomicRMWBinOpAnd, [ALC_ATOMIC_OR] = LLVMAtomicRMWBinOpOr,
        [ALC_ATOMIC_XOR] = LLVMAtomicRMWBinOpXor, [ALC_ATOMIC_XCHG] = LLVMAtomicRMWBinOpXchg};
    return (LLVMAtomicRMWBinOp)operations[kind];
}

static LLVMValueRef lower_cell(struct alc_lowering *f, enum alc_op op,
                               const struct alc_immediates *immediates, LLVMValueRef *operands)
{
    const LLVMAtomicOrdering order = LLVMAtomicOrderingSequentiallyConsistent;
    unsigned kind = (unsigned)(op - ALC_OP_I32_ATOMIC_LOAD) / WIDTHS;
    LLVMValueRef pointer =
        alc_lower_address(f, &immediates->memory, operands[0], 1u << size_log2_of(op));
    LLVMValueRef access;
    check_alignment(f, op, pointer);
    switch (kind) {
    case ALC_ATOMIC_LOAD:
        access = alc_lower_memory_load(f, cell_type(f, op), pointer);
        set_atomic(access, op);
        return extend(f, op, access);
    case ALC_ATOMIC_STORE:
        access = alc_lower_memory_store(f, narrow(f, op, operands[1]), pointer);
        set_atomic(access, op);
        return NULL;
    case ALC_ATOMIC_CMPXCHG:
        access = LLVMBuildAtomicCmpXchg(f->builder, pointer, narrow(f, op, operands[1]),
                                        narrow(f, op, operands[2]), order, order, false);
        LLVMSetVolatile(access, true);
        return extend(f, op, LLVMBuildExtractValue(f->builder, access, 0, ""));
    default:
        access = LLVMBuildAtomicRMW(f->builder, modification_of(kind), pointer,
                                    narrow(f, op, operands[1]), order, false);
        LLVMSetVolatile(access, true);
        return extend(f, op, access);
    }
}

/* The index and the static offset as one number, which the runtime compares with the size. */
static LLVMValueRef effective_address(struct alc_lowering *f,
                                      const struct alc_memory_immediate *argument,
                                      LLVMValueRef index)
{
    LLVMValueRef sum[] = {LLVMBuildZExt(f->builder, index, f->unit->i64, ""),
                          alc_lower_i64(f, argument->offset)};
    if (alc_lower_memory_type(f, argument->memory_index) == ALC_TYPE_I32) {
        return LLVMBuildAdd(f->builder, sum[0], sum[1], ""); /* both below 2^32 */
    }
    LLVMValueRef result =
        alc_lower_intrinsic(f, "llvm.uadd.with.overflow", &f->unit->i64, 1, sum, 2);
    alc_lower_locate(f);
    alc_lower_trap_if(f, LLVMBuildExtractValue(f->builder, result, 1, ""),
                      ALC_NATIVE_TRAP_MEMORY_OUT_OF_BOUNDS);
    return LLVMBuildExtractValue(f->builder, result, 0, "");
}

static LLVMValueRef lower_waiting(struct alc_lowering *f, enum alc_op op,
                                  const struct alc_immediates *immediates, LLVMValueRef *operands)
{
    const struct alc_memory_immediate *argument = &immediates->memory;
    const uint32_t result = ALC_TYPE_I32;
    uint32_t operands_count = op == ALC_OP_MEMORY_ATOMIC_NOTIFY ? 2 : 3;
    alc_lower_push(f, effective_address(f, argument, operands[0]), ALC_TYPE_I64);
    for (uint32_t i = 1; i < operands_count; i++) {
        alc_lower_push(f, operands[i], alc_signature_operand(alc_op_infos[op].signature, i));
    }
    alc_lower_operation(f, op, argument->memory_index, 0, operands_count, &result, 1);
    return alc_lower_pop(f);
}

LLVMValueRef alc_lower_atomic(struct alc_lowering *f, enum alc_op op,
                              const struct alc_immediates *immediates, LLVMValueRef *operands)
{
    switch ((int)op) {
    case ALC_OP_ATOMIC_FENCE:
        LLVMBuildFence(f->builder, LLVMAtomicOrderingSequentiallyConsistent, false, "");
        return NULL;
    case ALC_OP_MEMORY_ATOMIC_NOTIFY:
    case ALC_OP_MEMORY_ATOMIC_WAIT32:
    case ALC_OP_MEMORY_ATOMIC_WAIT64:
        return lower_waiting(f, op, immediates, operands);
    default:
        return lower_cell(f, op, immediates, operands);
    }
}
