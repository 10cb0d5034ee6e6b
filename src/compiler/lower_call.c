/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls (native/abi.h): arguments in registers and slots, results in a register or slots; through a
 * stub where the callee is not of this module. Tail calls have one signature for all functions
 * (unit.h), so that LLVM can promise a jump.
 */
#include "compiler/lower.h"
#include "compiler/symbols.h"

enum { ARGUMENTS_MAX = 1 + ALC_NATIVE_INTEGER_ARGUMENTS + ALC_NATIVE_VECTOR_ARGUMENTS };

/* A call that is being made. */
struct call {
    const struct alc_function_type *type;
    bool is_tail;
    char name[ALC_SYMBOL_SIZE];
    LLVMValueRef nest; /* for r10; NULL: nothing */
};

static void name_stub(struct call *call, enum alc_native_stub_kind kind, uint32_t a, uint32_t b)
{
    struct alc_native_stub stub = {.kind = kind, .a = a, .b = b};
    alc_symbol_write_stub(call->name, &stub, call->is_tail);
}

static void find_function(struct alc_lowering *f, struct call *call, uint32_t index)
{
    call->type = &f->module->functions[index].type->function;
    if (index < f->module->imported_counts[ALC_EXTERNAL_FUNCTION]) {
        name_stub(call, ALC_NATIVE_STUB_IMPORT, index, 0);
    } else {
        alc_symbol_write_function(call->name, index, call->is_tail);
    }
}

/* The index goes to r10 as a pointer, which has 32 bits in the confined shape. */
static void find_element(struct alc_lowering *f, struct call *call,
                         const struct alc_immediates *immediates)
{
    LLVMValueRef index = alc_lower_pop(f);
    call->type = &immediates->type->function;
    name_stub(call, ALC_NATIVE_STUB_INDIRECT, immediates->second, immediates->index);
    if (LLVMTypeOf(index) == f->unit->i64 && f->unit->target->shape == ALC_NATIVE_CONFINED) {
        LLVMValueRef is_large =
            LLVMBuildICmp(f->builder, LLVMIntUGT, index, alc_lower_i64(f, UINT32_MAX), "");
        alc_lower_trap_if(f, is_large, ALC_NATIVE_TRAP_TABLE_OUT_OF_BOUNDS);
        index = LLVMBuildTrunc(f->builder, index, f->unit->i32, "");
    }
    call->nest = LLVMBuildIntToPtr(f->builder, index, f->unit->pointer, "");
}

static void find_reference(struct alc_lowering *f, struct call *call,
                           const struct alc_immediates *immediates)
{
    LLVMValueRef reference = alc_lower_pop(f);
    call->type = &immediates->type->function;
    name_stub(call, ALC_NATIVE_STUB_REFERENCE, immediates->index, 0);
    if (f->unit->target->shape == ALC_NATIVE_CONFINED) {
        uint32_t slot = ALC_NATIVE_REFERENCE_SLOT;
        alc_lower_slot_store(f, &slot, reference, ALC_TYPE_I64);
    } else {
        call->nest = LLVMBuildIntToPtr(f->builder, reference, f->unit->pointer, "");
    }
}

/* -- arguments and results -- */

/* Pops the arguments: `put` is told those of registers, the others go to slots. */
typedef void put_argument(struct alc_lowering *f, LLVMValueRef *arguments, unsigned *count,
                          struct alc_registers before, const struct alc_operand *operand);

static void put_plain(struct alc_lowering *f, LLVMValueRef *arguments, unsigned *count,
                      struct alc_registers before, const struct alc_operand *operand)
{
    (void)f;
    (void)before;
    arguments[(*count)++] = operand->value;
}

/* In the registers of the tail signature. */
static void put_packed(struct alc_lowering *f, LLVMValueRef *arguments, unsigned *count,
                       struct alc_registers before, const struct alc_operand *operand)
{
    const struct alc_unit *unit = f->unit;
    LLVMValueRef value = operand->value;
    LLVMTypeRef type = LLVMTypeOf(value);
    (void)count;
    if (type == unit->i32) {
        value = LLVMBuildZExt(f->builder, value, unit->i64, "");
    } else if (type == unit->f32 || type == unit->f64) {
        LLVMTypeRef vector = type == unit->f32 ? unit->f32x4 : unit->f64x2;
        value = LLVMBuildInsertElement(f->builder, LLVMGetPoison(vector), value,
                                       alc_lower_i32(f, 0), "");
        value = LLVMBuildBitCast(f->builder, value, unit->i64x2, "");
    }
    bool is_vector = LLVMTypeOf(value) == unit->i64x2;
    arguments[is_vector ? 1 + ALC_NATIVE_INTEGER_ARGUMENTS + before.vectors : 1 + before.integers] =
        value;
}

static void pop_arguments(struct alc_lowering *f, const struct call *call, put_argument *put,
                          LLVMValueRef *arguments, unsigned *count)
{
    const struct alc_function_type *type = call->type;
    struct alc_registers registers = {0};
    uint32_t slot = 0;
    f->height -= type->parameters_count;
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        const struct alc_operand *operand = &f->operands[f->height + i];
        struct alc_registers before = registers;
        if (alc_registers_take(&registers, type->parameters[i])) {
            put(f, arguments, count, before, operand);
        } else {
            alc_lower_slot_store(f, &slot, operand->value, type->parameters[i]);
        }
    }
}

static LLVMValueRef build_call(struct alc_lowering *f, const struct call *call,
                               LLVMTypeRef signature, LLVMValueRef *arguments, unsigned count,
                               bool has_nest)
{
    LLVMValueRef callee = alc_unit_callee(f->unit, call->name, signature, has_nest);
    alc_lower_locate(f);
    LLVMValueRef result = LLVMBuildCall2(f->builder, signature, callee, arguments, count, "");
    if (has_nest) {
        LLVMAddCallSiteAttribute(result, 1, f->unit->nest);
    }
    return result;
}

static void push_results(struct alc_lowering *f, const struct call *call, LLVMValueRef result)
{
    const struct alc_function_type *type = call->type;
    uint32_t slot = 0;
    if (type->results_count == 1) {
        alc_lower_push(f, result, type->results[0]);
        return;
    }
    for (uint32_t i = 0; i < type->results_count; i++) {
        uint32_t result_type = type->results[i];
        alc_lower_push(f, alc_lower_slot_load(f, &slot, result_type), result_type);
    }
}

static void lower_plain_call(struct alc_lowering *f, const struct call *call)
{
    LLVMValueRef arguments[ARGUMENTS_MAX];
    unsigned count = 0;
    bool has_nest = call->nest != NULL;
    if (has_nest) {
        arguments[count++] = call->nest;
    }
    pop_arguments(f, call, put_plain, arguments, &count);
    alc_roots_store(f);
    LLVMTypeRef signature = alc_unit_signature(f->unit, call->type, has_nest);
    LLVMValueRef result = build_call(f, call, signature, arguments, count, has_nest);
    alc_lower_forget_place(f);
    alc_lower_look(f);
    push_results(f, call, result);
    alc_lower_end_fuel_block(f);
}

static void lower_tail_call(struct alc_lowering *f, const struct call *call)
{
    LLVMValueRef arguments[ARGUMENTS_MAX];
    const struct alc_unit *unit = f->unit;
    arguments[0] = call->nest != NULL ? call->nest : LLVMGetPoison(unit->pointer);
    for (unsigned i = 1; i < ARGUMENTS_MAX; i++) {
        bool is_integer = i <= ALC_NATIVE_INTEGER_ARGUMENTS;
        arguments[i] = LLVMGetPoison(is_integer ? unit->i64 : unit->i64x2);
    }
    pop_arguments(f, call, put_packed, arguments, NULL);
    LLVMTypeRef signature = alc_unit_tail_signature(unit, call->type);
    LLVMValueRef result = build_call(f, call, signature, arguments, ARGUMENTS_MAX, true);
    LLVMSetTailCallKind(result, LLVMTailCallKindMustTail);
    if (call->type->results_count == 1) {
        (void)LLVMBuildRet(f->builder, result);
    } else {
        (void)LLVMBuildRetVoid(f->builder);
    }
    alc_lower_forget_place(f);
    f->is_dead = true;
}

void alc_lower_call(struct alc_lowering *f, enum alc_op op, const struct alc_immediates *immediates)
{
    struct call call = {.is_tail = op == ALC_OP_RETURN_CALL || op == ALC_OP_RETURN_CALL_INDIRECT ||
                                   op == ALC_OP_RETURN_CALL_REF};
    switch ((int)op) {
    case ALC_OP_CALL:
    case ALC_OP_RETURN_CALL:
        find_function(f, &call, immediates->index);
        break;
    case ALC_OP_CALL_INDIRECT:
    case ALC_OP_RETURN_CALL_INDIRECT:
        find_element(f, &call, immediates);
        break;
    default:
        find_reference(f, &call, immediates);
        break;
    }
    if (call.is_tail) {
        lower_tail_call(f, &call);
    } else {
        lower_plain_call(f, &call);
    }
}
