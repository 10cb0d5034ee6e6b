/* SPDX-License-Identifier: Apache-2.0
 *
 * What lowering an instruction is made of: the operand stack, the context, traps, intrinsics, calls
 * of the runtime.
 */
#include "base/bytes.h"
#include "compiler/lower.h"
#include "compiler/symbols.h"

void alc_lower_fail(struct alc_lowering *f, alc_status status)
{
    f->failed = f->failed == ALC_OK ? status : f->failed;
}

/* -- the operand stack -- */

static bool grow_operands(struct alc_lowering *f)
{
    uint32_t capacity = 2 * f->operands_capacity;
    struct alc_operand *operands = ALC_ARENA_ARRAY(f->arena, struct alc_operand, capacity);
    if (operands == NULL) {
        alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
        return false;
    }
    alc_copy(operands, f->operands, f->height * sizeof *operands);
    f->operands = operands;
    f->operands_capacity = capacity;
    return true;
}

void alc_lower_push(struct alc_lowering *f, LLVMValueRef value, uint32_t type)
{
    if (f->height < f->operands_capacity || grow_operands(f)) {
        f->operands[f->height++] = (struct alc_operand){.value = value, .type = type};
    }
}

LLVMValueRef alc_lower_pop(struct alc_lowering *f)
{
    ALC_ASSERT(f->height > 0);
    return f->operands[--f->height].value;
}

/* -- constants -- */

LLVMValueRef alc_lower_i32(const struct alc_lowering *f, uint32_t value)
{
    return LLVMConstInt(f->unit->i32, value, 0);
}

LLVMValueRef alc_lower_i64(const struct alc_lowering *f, uint64_t value)
{
    return LLVMConstInt(f->unit->i64, value, 0);
}

LLVMTypeRef alc_lower_type(const struct alc_lowering *f, uint32_t type)
{
    return alc_unit_type(f->unit, type);
}

LLVMValueRef alc_lower_zero(const struct alc_lowering *f, uint32_t type)
{
    return LLVMConstNull(alc_lower_type(f, type));
}

/* -- places, traps, intrinsics -- */

void alc_lower_locate(struct alc_lowering *f)
{
    LLVMMetadataRef place =
        LLVMDIBuilderCreateDebugLocation(f->unit->context, f->body.op_offset, 0, f->scope, NULL);
    LLVMSetCurrentDebugLocation2(f->builder, place);
}

void alc_lower_forget_place(struct alc_lowering *f)
{
    LLVMSetCurrentDebugLocation2(f->builder, NULL);
}

LLVMValueRef alc_lower_intrinsic(struct alc_lowering *f, const char *name, LLVMTypeRef *types,
                                 uint32_t types_count, LLVMValueRef *arguments,
                                 uint32_t arguments_count)
{
    unsigned id = LLVMLookupIntrinsicID(name, __builtin_strlen(name));
    ALC_ASSERT(id != 0);
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(f->unit->ir, id, types, types_count);
    LLVMTypeRef type = LLVMIntrinsicGetType(f->unit->context, id, types, types_count);
    return LLVMBuildCall2(f->builder, type, function, arguments, arguments_count, "");
}

LLVMValueRef alc_lower_hide(struct alc_lowering *f, LLVMValueRef value)
{
    LLVMTypeRef type = LLVMTypeOf(value);
    return alc_lower_intrinsic(f, "llvm.arithmetic.fence", &type, 1, &value, 1);
}

void alc_lower_trap(struct alc_lowering *f, enum alc_native_trap trap)
{
    LLVMValueRef number = LLVMConstInt(f->unit->i8, (unsigned)trap, 0);
    alc_lower_locate(f);
    LLVMValueRef call = alc_lower_intrinsic(f, "llvm.ubsantrap", NULL, 0, &number, 1);
    /* Each trap stays where it is, or nobody could say where it happened. */
    LLVMAddCallSiteAttribute(call, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                             f->unit->nomerge);
    (void)LLVMBuildUnreachable(f->builder);
    alc_lower_forget_place(f);
}

void alc_lower_trap_if(struct alc_lowering *f, LLVMValueRef condition, enum alc_native_trap trap)
{
    LLVMContextRef context = f->unit->context;
    LLVMBasicBlockRef trapping = LLVMAppendBasicBlockInContext(context, f->function, "");
    LLVMBasicBlockRef next = LLVMAppendBasicBlockInContext(context, f->function, "");
    (void)LLVMBuildCondBr(f->builder, condition, trapping, next);
    LLVMPositionBuilderAtEnd(f->builder, trapping);
    alc_lower_trap(f, trap);
    LLVMPositionBuilderAtEnd(f->builder, next);
}

void alc_lower_rare_branch(struct alc_lowering *f, LLVMValueRef condition, LLVMBasicBlockRef rare,
                           LLVMBasicBlockRef usual)
{
    static const char kind[] = "prof";
    static const char weights[] = "branch_weights";
    enum { USUAL_WEIGHT = 2000 };
    LLVMContextRef context = f->unit->context;
    LLVMValueRef branch = LLVMBuildCondBr(f->builder, condition, rare, usual);
    LLVMMetadataRef parts[] = {
        LLVMMDStringInContext2(context, weights, sizeof weights - 1),
        LLVMValueAsMetadata(alc_lower_i32(f, 1)),
        LLVMValueAsMetadata(alc_lower_i32(f, USUAL_WEIGHT)),
    };
    LLVMMetadataRef node = LLVMMDNodeInContext2(context, parts, ALC_ARRAY_COUNT(parts));
    LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(context, kind, sizeof kind - 1),
                    LLVMMetadataAsValue(context, node));
}

/* -- the context -- */

LLVMValueRef alc_lower_context(struct alc_lowering *f, uint32_t distance)
{
    const struct alc_unit *unit = f->unit;
    int64_t address = unit->target->context_end - (int64_t)distance;
    return LLVMConstIntToPtr(LLVMConstInt(unit->context_integer, (uint64_t)address, 1),
                             unit->context_pointer);
}

/* Everything in the context stands at a multiple of 8, so a v128 is not aligned to its size. */
enum { CONTEXT_ALIGNMENT = 8 };

LLVMValueRef alc_lower_context_load(struct alc_lowering *f, uint32_t distance, LLVMTypeRef type,
                                    unsigned alias)
{
    LLVMValueRef load = LLVMBuildLoad2(f->builder, type, alc_lower_context(f, distance), "");
    LLVMSetAlignment(load, CONTEXT_ALIGNMENT);
    alc_unit_set_alias(f->unit, load, alias);
    return load;
}

void alc_lower_context_store(struct alc_lowering *f, uint32_t distance, LLVMValueRef value,
                             unsigned alias)
{
    LLVMValueRef store = LLVMBuildStore(f->builder, value, alc_lower_context(f, distance));
    LLVMSetAlignment(store, CONTEXT_ALIGNMENT);
    alc_unit_set_alias(f->unit, store, alias);
}

static uint32_t next_slot(uint32_t *slot, uint32_t type)
{
    uint32_t distance = ALC_NATIVE_SLOTS - 8 * *slot;
    *slot += alc_type_slots(type);
    ALC_ASSERT(*slot <= ALC_NATIVE_SLOTS_COUNT);
    return distance;
}

void alc_lower_slot_store(struct alc_lowering *f, uint32_t *slot, LLVMValueRef value, uint32_t type)
{
    alc_lower_context_store(f, next_slot(slot, type), value, ALC_ALIAS_SLOTS);
}

LLVMValueRef alc_lower_slot_load(struct alc_lowering *f, uint32_t *slot, uint32_t type)
{
    return alc_lower_context_load(f, next_slot(slot, type), alc_lower_type(f, type),
                                  ALC_ALIAS_SLOTS);
}

/* -- stubs -- */

void alc_lower_operation(struct alc_lowering *f, enum alc_op op, uint32_t b, uint32_t c,
                         uint32_t operands_count, const uint32_t *results, uint32_t results_count)
{
    char name[ALC_SYMBOL_SIZE];
    struct alc_native_stub stub = {
        .kind = ALC_NATIVE_STUB_OPERATION, .a = (uint32_t)op, .b = b, .c = c};
    uint32_t slot = 0;
    for (uint32_t i = operands_count; i > 0; i--) {
        const struct alc_operand *operand = alc_lower_peek(f, i - 1);
        alc_lower_slot_store(f, &slot, operand->value, operand->type);
    }
    f->height -= operands_count;
    alc_symbol_write_stub(name, &stub, false);
    LLVMTypeRef signature = LLVMFunctionType(f->unit->void_type, NULL, 0, 0);
    LLVMValueRef callee = alc_unit_callee(f->unit, name, signature, false);
    alc_lower_locate(f);
    (void)LLVMBuildCall2(f->builder, signature, callee, NULL, 0, "");
    alc_lower_forget_place(f);
    slot = 0;
    for (uint32_t i = 0; i < results_count; i++) {
        alc_lower_push(f, alc_lower_slot_load(f, &slot, results[i]), results[i]);
    }
}
