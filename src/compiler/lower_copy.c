/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.copy and memory.fill: the ranges are compared with the size of the memory, then a constant
 * size is copied on the spot and any other one by a helper (helpers.c).
 */
#include "compiler/helpers.h"
#include "compiler/lower.h"
#include "compiler/symbols.h"

/* Sizes up to this are copied by loads and stores of their own. */
enum { INLINE_SIZE_MAX = 64, VECTOR_SIZE = 16 };

static LLVMValueRef widen(struct alc_lowering *f, LLVMValueRef value)
{
    return LLVMTypeOf(value) == f->unit->i32 ? LLVMBuildZExt(f->builder, value, f->unit->i64, "")
                                             : value;
}

/* Traps unless all of [index, index + size) is inside; both are i64. */
static void check_range(struct alc_lowering *f, uint32_t memory, LLVMValueRef index,
                        LLVMValueRef size)
{
    LLVMValueRef end = alc_lower_memory_size(f, memory);
    bool is_64 = f->module->memories[memory].limits.is_64;
    LLVMValueRef is_outside;
    if (is_64) {
        LLVMValueRef is_long = LLVMBuildICmp(f->builder, LLVMIntUGT, size, end, "");
        LLVMValueRef last = LLVMBuildSub(f->builder, end, size, "");
        is_outside = LLVMBuildOr(f->builder, is_long,
                                 LLVMBuildICmp(f->builder, LLVMIntUGT, index, last, ""), "");
    } else {
        LLVMValueRef sum = LLVMBuildNUWAdd(f->builder, index, size, "");
        is_outside = LLVMBuildICmp(f->builder, LLVMIntUGT, sum, end, "");
    }
    alc_lower_trap_if(f, is_outside, ALC_NATIVE_TRAP_MEMORY_OUT_OF_BOUNDS);
}

/* The largest access that fits into `size` bytes. */
static uint32_t step_of(uint64_t size)
{
    uint32_t step = VECTOR_SIZE;
    while (step > size) {
        step /= 2;
    }
    return step;
}

static LLVMTypeRef step_type(const struct alc_unit *unit, uint32_t step)
{
    return step == VECTOR_SIZE ? unit->i64x2 : LLVMIntTypeInContext(unit->context, 8 * step);
}

static LLVMValueRef offset_pointer(struct alc_lowering *f, LLVMValueRef address, uint64_t offset)
{
    LLVMValueRef distance = LLVMConstInt(LLVMTypeOf(address), offset, 0);
    return LLVMBuildIntToPtr(f->builder, LLVMBuildAdd(f->builder, address, distance, ""),
                             f->unit->memory_pointer, "");
}

/* All loads come before the first store: the ranges may overlap. */
static void copy_inline(struct alc_lowering *f, LLVMValueRef target, LLVMValueRef source,
                        uint64_t size)
{
    LLVMValueRef pieces[INLINE_SIZE_MAX / VECTOR_SIZE + 4];
    unsigned count = 0;
    for (uint64_t at = 0; at < size; at += step_of(size - at)) {
        LLVMTypeRef type = step_type(f->unit, step_of(size - at));
        pieces[count++] = alc_lower_memory_load(f, type, offset_pointer(f, source, at));
    }
    count = 0;
    for (uint64_t at = 0; at < size; at += step_of(size - at)) {
        (void)alc_lower_memory_store(f, pieces[count++], offset_pointer(f, target, at));
    }
}

static void fill_inline(struct alc_lowering *f, LLVMValueRef target, LLVMValueRef value,
                        uint64_t size)
{
    struct alc_unit *unit = f->unit;
    LLVMValueRef bytes = alc_helper_spread(unit, f->builder, value);
    for (uint64_t at = 0; at < size; at += step_of(size - at)) {
        uint32_t step = step_of(size - at);
        LLVMValueRef piece =
            step == VECTOR_SIZE
                ? alc_helper_repeat(unit, f->builder, unit->i64x2, bytes)
                : LLVMBuildTruncOrBitCast(f->builder, bytes, step_type(unit, step), "");
        (void)alc_lower_memory_store(f, piece, offset_pointer(f, target, at));
    }
}

static void call_helper(struct alc_lowering *f, enum alc_helper helper, LLVMValueRef *arguments)
{
    char name[ALC_SYMBOL_SIZE];
    LLVMTypeRef signature = alc_helper_signature(f->unit, helper);
    alc_symbol_write_function(name, f->module->functions_count + (uint32_t)helper, false);
    LLVMValueRef callee = alc_unit_callee(f->unit, name, signature, false);
    alc_lower_locate(f);
    (void)LLVMBuildCall2(f->builder, signature, callee, arguments, 3, "");
    alc_lower_forget_place(f);
}

/* The size as an integer of the width that addresses have. */
static LLVMValueRef size_for_helper(struct alc_lowering *f, LLVMValueRef size)
{
    return LLVMBuildTruncOrBitCast(f->builder, size, alc_helper_address_type(f->unit), "");
}

static bool is_small(LLVMValueRef size)
{
    return LLVMIsAConstantInt(size) != NULL && LLVMConstIntGetZExtValue(size) <= INLINE_SIZE_MAX;
}

void alc_lower_memory_copy(struct alc_lowering *f, uint32_t target_memory, uint32_t source_memory)
{
    LLVMValueRef size = widen(f, alc_lower_pop(f));
    LLVMValueRef source = alc_lower_pop(f);
    LLVMValueRef target = alc_lower_pop(f);
    check_range(f, source_memory, widen(f, source), size);
    check_range(f, target_memory, widen(f, target), size);
    source = alc_lower_raw_address(f, source_memory, source);
    target = alc_lower_raw_address(f, target_memory, target);
    if (is_small(size)) {
        copy_inline(f, target, source, LLVMConstIntGetZExtValue(size));
        return;
    }
    LLVMValueRef arguments[] = {target, source, size_for_helper(f, size)};
    call_helper(f, ALC_HELPER_COPY, arguments);
}

void alc_lower_memory_fill(struct alc_lowering *f, uint32_t memory)
{
    LLVMValueRef size = widen(f, alc_lower_pop(f));
    LLVMValueRef value = alc_lower_pop(f);
    LLVMValueRef target = alc_lower_pop(f);
    check_range(f, memory, widen(f, target), size);
    target = alc_lower_raw_address(f, memory, target);
    if (is_small(size)) {
        fill_inline(f, target, value, LLVMConstIntGetZExtValue(size));
        return;
    }
    LLVMValueRef arguments[] = {target, value, size_for_helper(f, size)};
    call_helper(f, ALC_HELPER_FILL, arguments);
}
