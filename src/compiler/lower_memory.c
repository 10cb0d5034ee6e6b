/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses in linear memories, loads and stores. How an address is kept inside depends on how the
 * memory is reached (target.h); everything that touches memory asks alc_lower_address.
 */
#include "compiler/lower.h"

uint32_t alc_lower_memory_type(const struct alc_lowering *f, uint32_t memory_index)
{
    return f->module->memories[memory_index].limits.is_64 ? ALC_TYPE_I64 : ALC_TYPE_I32;
}

/* -- where a memory is, in the checked shape -- */

static LLVMValueRef load_invariant(struct alc_lowering *f, LLVMValueRef pointer)
{
    LLVMValueRef load = LLVMBuildLoad2(f->builder, f->unit->pointer, pointer, "");
    alc_unit_set_alias(f->unit, load, ALC_ALIAS_READ_ONLY);
    alc_unit_set_invariant(f->unit, load);
    return load;
}

static LLVMValueRef byte_offset(struct alc_lowering *f, LLVMValueRef pointer, uint64_t offset)
{
    LLVMValueRef distance = alc_lower_i64(f, offset);
    return LLVMBuildGEP2(f->builder, f->unit->i8, pointer, &distance, 1, "");
}

/* The runtime's record of the memory: its base, then its size. */
static LLVMValueRef memory_record(struct alc_lowering *f, uint32_t memory_index)
{
    LLVMValueRef records = load_invariant(f, alc_lower_context(f, ALC_NATIVE_MEMORIES));
    return load_invariant(f, byte_offset(f, records, sizeof(uint64_t) * memory_index));
}

static LLVMValueRef memory_base(struct alc_lowering *f, uint32_t memory_index)
{
    if (memory_index == 0) {
        return load_invariant(f, alc_lower_context(f, ALC_NATIVE_MEMORY_BASE));
    }
    return load_invariant(f, memory_record(f, memory_index));
}

/* The context says the size of memory 0 as long as only this instance's own thread can change it.
 */
static bool has_size_in_context(const struct alc_lowering *f, uint32_t memory_index)
{
    return memory_index == 0 && f->module->imported_counts[ALC_EXTERNAL_MEMORY] == 0 &&
           !f->module->memories[0].limits.is_shared;
}

LLVMValueRef alc_lower_memory_size(struct alc_lowering *f, uint32_t memory_index)
{
    if (has_size_in_context(f, memory_index)) {
        return alc_lower_context_load(f, ALC_NATIVE_MEMORY_SIZE, f->unit->i64, ALC_ALIAS_READ_ONLY);
    }
    LLVMValueRef record = memory_record(f, memory_index);
    LLVMValueRef size =
        LLVMBuildLoad2(f->builder, f->unit->i64, byte_offset(f, record, sizeof(uint64_t)), "");
    alc_unit_set_alias(f->unit, size, ALC_ALIAS_OBJECTS);
    LLVMSetVolatile(size, f->module->memories[memory_index].limits.is_shared);
    return size;
}

/* -- addresses -- */

static void trap_above(struct alc_lowering *f, LLVMValueRef index, uint64_t last)
{
    LLVMValueRef limit = LLVMConstInt(LLVMTypeOf(index), last, 0);
    alc_lower_trap_if(f, LLVMBuildICmp(f->builder, LLVMIntUGT, index, limit, ""),
                      ALC_NATIVE_TRAP_MEMORY_OUT_OF_BOUNDS);
}

/* The sum wraps at 2^32: where it would, the access is out of bounds anyway, because no such memory
 * reaches the last ALC_NATIVE_GUARD_SIZE bytes. One limit for all small offsets: LLVM removes
 * repeated and provable comparisons. */
static LLVMValueRef confined_address(struct alc_lowering *f, LLVMValueRef index, uint64_t offset)
{
    if (offset != 0) {
        uint64_t distance = offset < ALC_NATIVE_GUARD_SIZE ? ALC_NATIVE_GUARD_SIZE : offset;
        trap_above(f, index, (UINT64_C(1) << 32) - distance - 1);
        index = LLVMBuildNUWAdd(f->builder, index, alc_lower_i32(f, (uint32_t)offset), "");
    }
    return LLVMBuildIntToPtr(f->builder, index, f->unit->memory_pointer, "");
}

/* Compares the index with the last address at which all is inside. */
static void compare_with_size(struct alc_lowering *f, uint32_t memory_index, LLVMValueRef index,
                              uint64_t offset, uint32_t access_size)
{
    const struct alc_limits *limits = &f->module->memories[memory_index].limits;
    uint64_t end;
    if (__builtin_add_overflow(offset, access_size, &end)) {
        alc_lower_trap_if(f, LLVMConstInt(f->unit->i1, 1, 0), ALC_NATIVE_TRAP_MEMORY_OUT_OF_BOUNDS);
        return;
    }
    LLVMValueRef size = alc_lower_memory_size(f, memory_index);
    LLVMValueRef needed = alc_lower_i64(f, end);
    bool always_fits = limits->min > (UINT64_MAX >> limits->page_size_log2) ||
                       limits->min << limits->page_size_log2 >= end;
    if (!always_fits) {
        alc_lower_trap_if(f, LLVMBuildICmp(f->builder, LLVMIntULT, size, needed, ""),
                          ALC_NATIVE_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    LLVMValueRef last = LLVMBuildNUWSub(f->builder, size, needed, "");
    alc_lower_trap_if(f, LLVMBuildICmp(f->builder, LLVMIntUGT, index, last, ""),
                      ALC_NATIVE_TRAP_MEMORY_OUT_OF_BOUNDS);
}

static LLVMValueRef checked_address(struct alc_lowering *f,
                                    const struct alc_memory_immediate *argument, LLVMValueRef index,
                                    uint32_t access_size, bool is_guarded)
{
    uint32_t memory = argument->memory_index;
    if (LLVMTypeOf(index) == f->unit->i32) {
        index = LLVMBuildZExt(f->builder, index, f->unit->i64, "");
    }
    if (!is_guarded || argument->offset + access_size > ALC_NATIVE_GUARD_SIZE) {
        compare_with_size(f, memory, index, argument->offset, access_size);
    }
    LLVMValueRef base = memory_base(f, memory);
    LLVMValueRef pointer = LLVMBuildGEP2(f->builder, f->unit->i8, base, &index, 1, "");
    return argument->offset == 0 ? pointer : byte_offset(f, pointer, argument->offset);
}

LLVMValueRef alc_lower_address(struct alc_lowering *f, const struct alc_memory_immediate *argument,
                               LLVMValueRef index, uint32_t access_size)
{
    const struct alc_memory_type *type = &f->module->memories[argument->memory_index];
    enum alc_memory_access access = alc_target_memory_access(f->unit->target, type);
    if (access == ALC_MEMORY_CONFINED) {
        return confined_address(f, index, argument->offset);
    }
    return checked_address(f, argument, index, access_size, access == ALC_MEMORY_GUARDED);
}

LLVMValueRef alc_lower_raw_address(struct alc_lowering *f, uint32_t memory_index,
                                   LLVMValueRef index)
{
    if (f->unit->target->shape == ALC_NATIVE_CONFINED) {
        return index;
    }
    LLVMValueRef base =
        LLVMBuildPtrToInt(f->builder, memory_base(f, memory_index), f->unit->i64, "");
    if (LLVMTypeOf(index) == f->unit->i32) {
        index = LLVMBuildZExt(f->builder, index, f->unit->i64, "");
    }
    return LLVMBuildAdd(f->builder, base, index, "");
}

/* -- accesses -- */

/* Volatile: an access whose value nobody needs must still trap, and none may move across a trap. */
static void mark_access(struct alc_lowering *f, LLVMValueRef access)
{
    LLVMSetAlignment(access, 1);
    LLVMSetVolatile(access, 1);
    alc_unit_set_alias(f->unit, access, ALC_ALIAS_MEMORY);
}

LLVMValueRef alc_lower_memory_load(struct alc_lowering *f, LLVMTypeRef type, LLVMValueRef pointer)
{
    alc_lower_locate(f);
    LLVMValueRef load = LLVMBuildLoad2(f->builder, type, pointer, "");
    /* The place stays: an instruction that LLVM folds the load into has its own place only. */
    mark_access(f, load);
    return load;
}

LLVMValueRef alc_lower_memory_store(struct alc_lowering *f, LLVMValueRef value,
                                    LLVMValueRef pointer)
{
    alc_lower_locate(f);
    LLVMValueRef store = LLVMBuildStore(f->builder, value, pointer);
    alc_lower_forget_place(f);
    mark_access(f, store);
    return store;
}

/* Bytes that are accessed: log2 from the row's format. */
static uint32_t access_size(enum alc_op op)
{
    return 1u << (alc_op_infos[op].immediate - ALC_IMM_MEM0);
}

static bool is_signed_load(enum alc_op op)
{
    return op == ALC_OP_I32_LOAD8_S || op == ALC_OP_I32_LOAD16_S || op == ALC_OP_I64_LOAD8_S ||
           op == ALC_OP_I64_LOAD16_S || op == ALC_OP_I64_LOAD32_S;
}

LLVMValueRef alc_lower_access(struct alc_lowering *f, enum alc_op op,
                              const struct alc_immediates *immediates, LLVMValueRef *operands)
{
    unsigned result = alc_signature_result(alc_op_infos[op].signature);
    uint32_t size = access_size(op);
    LLVMTypeRef narrow = LLVMIntTypeInContext(f->unit->context, 8 * size);
    LLVMValueRef pointer = alc_lower_address(f, &immediates->memory, operands[0], size);
    if (result == ALC_LETTER_NONE) {
        LLVMValueRef value = operands[1];
        bool is_integer = LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMIntegerTypeKind;
        if (is_integer && LLVMTypeOf(value) != narrow) {
            value = LLVMBuildTrunc(f->builder, value, narrow, "");
        }
        (void)alc_lower_memory_store(f, value, pointer);
        return NULL;
    }
    LLVMTypeRef type = alc_lower_type(f, result);
    bool is_float = result == ALC_LETTER_F || result == ALC_LETTER_D;
    LLVMValueRef value = alc_lower_memory_load(f, is_float ? type : narrow, pointer);
    if (is_float || type == narrow) {
        return value;
    }
    return is_signed_load(op) ? LLVMBuildSExt(f->builder, value, type, "")
                              : LLVMBuildZExt(f->builder, value, type, "");
}
