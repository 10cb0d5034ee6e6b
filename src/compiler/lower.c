/* SPDX-License-Identifier: Apache-2.0
 *
 * The pass over a body: entry of the function, dispatch of each instruction by its row in
 * wasm/ops.def, and the end. Unreachable instructions are skipped.
 */
#include "compiler/lower.h"
#include "compiler/symbols.h"

/* -- entry -- */

/* What a register of the tail signature holds, as a value of type `type`. */
static LLVMValueRef unpack(struct alc_lowering *f, LLVMValueRef parameter, uint32_t type)
{
    const struct alc_unit *unit = f->unit;
    LLVMValueRef first = alc_lower_i32(f, 0);
    LLVMValueRef vector;
    switch ((int)alc_type_kind(type)) {
    case ALC_KIND_I32:
        return LLVMBuildTrunc(f->builder, parameter, unit->i32, "");
    case ALC_KIND_F32:
        vector = LLVMBuildBitCast(f->builder, parameter, unit->f32x4, "");
        return LLVMBuildExtractElement(f->builder, vector, first, "");
    case ALC_KIND_F64:
        vector = LLVMBuildBitCast(f->builder, parameter, unit->f64x2, "");
        return LLVMBuildExtractElement(f->builder, vector, first, "");
    default:
        return parameter;
    }
}

static void receive_parameters(struct alc_lowering *f)
{
    struct alc_registers registers = {0};
    uint32_t slot = 0;
    unsigned count = 0;
    for (uint32_t i = 0; i < f->type->parameters_count; i++) {
        uint32_t type = f->type->parameters[i];
        struct alc_registers before = registers;
        f->locals_types[i] = type;
        if (!alc_registers_take(&registers, type)) {
            f->locals[i] = alc_lower_slot_load(f, &slot, type);
        } else if (!f->assignments.has_tail_calls) {
            f->locals[i] = LLVMGetParam(f->function, count++);
        } else {
            unsigned number = registers.integers != before.integers
                                  ? 1 + before.integers
                                  : 1 + ALC_NATIVE_INTEGER_ARGUMENTS + before.vectors;
            f->locals[i] = unpack(f, LLVMGetParam(f->function, number), type);
        }
    }
}

/* Types of the locals; the walk ahead and all arrays need their count first. */
static bool read_locals(struct alc_lowering *f)
{
    struct alc_body body = f->body;
    uint32_t groups = alc_body_u32(&body);
    f->locals_count = f->type->parameters_count;
    for (uint32_t i = 0; i < groups; i++) {
        f->locals_count += alc_body_u32(&body);
        (void)alc_body_value_type(&body);
    }
    f->locals = ALC_ARENA_ARRAY(f->arena, LLVMValueRef, f->locals_count);
    f->locals_types = ALC_ARENA_ARRAY(f->arena, uint32_t, f->locals_count);
    f->stamps = ALC_ARENA_ARRAY(f->arena, uint32_t, f->locals_count);
    if (f->locals == NULL || f->locals_types == NULL || f->stamps == NULL) {
        return false;
    }
    body = f->body;
    groups = alc_body_u32(&body);
    uint32_t next = f->type->parameters_count;
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t count = alc_body_u32(&body);
        uint32_t type = alc_body_value_type(&body);
        for (uint32_t j = 0; j < count; j++) {
            f->locals_types[next] = type;
            f->locals[next++] = alc_lower_zero(f, type);
        }
    }
    f->body = body;
    return alc_body_find_assignments(&f->body, f->arena, &f->assignments);
}

static bool begin_stacks(struct alc_lowering *f)
{
    enum { OPERANDS_FIRST = 64 };
    f->operands_capacity = OPERANDS_FIRST;
    f->operands = ALC_ARENA_ARRAY(f->arena, struct alc_operand, OPERANDS_FIRST);
    f->blocks = ALC_ARENA_ARRAY(f->arena, struct alc_block, f->assignments.depth_max);
    return f->operands != NULL && f->blocks != NULL;
}

/* The function with its debug scope; its first block is where building goes on. */
static void begin_function(struct alc_lowering *f)
{
    char name[ALC_SYMBOL_SIZE];
    struct alc_unit *unit = f->unit;
    alc_symbol_write_definition(name, f->function_index);
    bool is_tail = f->assignments.has_tail_calls;
    LLVMTypeRef signature =
        is_tail ? alc_unit_tail_signature(unit, f->type) : alc_unit_signature(unit, f->type, false);
    f->function = LLVMAddFunction(unit->ir, name, signature);
    if (is_tail) {
        LLVMAddAttributeAtIndex(f->function, 1, unit->nest);
    }
    alc_target_set_attributes(unit->options->features, unit->context, f->function);
    f->scope = LLVMDIBuilderCreateFunction(unit->debug, unit->debug_file, name,
                                           __builtin_strlen(name), "", 0, unit->debug_file, 0,
                                           unit->debug_type, 0, 1, 0, LLVMDIFlagZero, 1);
    LLVMSetSubprogram(f->function, f->scope);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(unit->context, f->function, "");
    LLVMPositionBuilderAtEnd(f->builder, entry);
    alc_lower_forget_place(f);
}

/* -- dispatch -- */

static uint32_t type_of_letter(struct alc_lowering *f, unsigned letter,
                               const struct alc_immediates *immediates)
{
    return letter == ALC_LETTER_A ? alc_lower_memory_type(f, immediates->memory.memory_index)
                                  : letter;
}

/* Who lowers an instruction with a signature; NULL: nobody. */
static alc_lower_plain *find_plain(enum alc_op op)
{
    const struct alc_op_info *info = &alc_op_infos[op];
    unsigned result = alc_signature_result(info->signature);
    unsigned first = alc_signature_operand(info->signature, 0);
    switch (info->feature) {
    case ALC_FEATURE_MVP:
    case ALC_FEATURE_SIGN_EXT:
    case ALC_FEATURE_SAT:
        if (first == ALC_LETTER_A) {
            return alc_lower_access;
        }
        return first == ALC_LETTER_F || first == ALC_LETTER_D || result == ALC_LETTER_F ||
                       result == ALC_LETTER_D
                   ? alc_lower_float
                   : alc_lower_numeric;
    case ALC_FEATURE_SIMD:
    case ALC_FEATURE_RELAXED_SIMD:
        return first == ALC_LETTER_A ? alc_lower_vector_access : alc_lower_vector;
    case ALC_FEATURE_THREADS:
        return alc_lower_atomic;
    default:
        return NULL;
    }
}

static void lower_plain(struct alc_lowering *f, enum alc_op op,
                        const struct alc_immediates *immediates)
{
    uint16_t signature = alc_op_infos[op].signature;
    alc_lower_plain *lower = find_plain(op);
    LLVMValueRef operands[3] = {NULL, NULL, NULL};
    if (lower == NULL) {
        alc_lower_fail(f, ALC_E_FEATURE_DISABLED);
        return;
    }
    for (unsigned i = 3; i > 0; i--) {
        if (alc_signature_operand(signature, i - 1) != ALC_LETTER_NONE) {
            operands[i - 1] = alc_lower_pop(f);
        }
    }
    LLVMValueRef result = lower(f, op, immediates, operands);
    unsigned letter = alc_signature_result(signature);
    ALC_ASSERT((result != NULL) == (letter != ALC_LETTER_NONE) || f->failed != ALC_OK);
    if (result != NULL) {
        alc_lower_push(f, result, type_of_letter(f, letter, immediates));
    }
}

static bool is_bulk(enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_MEMORY_SIZE:
    case ALC_OP_MEMORY_GROW:
    case ALC_OP_MEMORY_INIT:
    case ALC_OP_DATA_DROP:
    case ALC_OP_MEMORY_COPY:
    case ALC_OP_MEMORY_FILL:
    case ALC_OP_TABLE_INIT:
    case ALC_OP_ELEM_DROP:
    case ALC_OP_TABLE_COPY:
    case ALC_OP_TABLE_GET:
    case ALC_OP_TABLE_SET:
    case ALC_OP_TABLE_GROW:
    case ALC_OP_TABLE_SIZE:
    case ALC_OP_TABLE_FILL:
        return true;
    default:
        return false;
    }
}

/* Those that stand together. */
static alc_lower_typed *find_by_feature(enum alc_op op)
{
    switch (alc_op_infos[op].feature) {
    case ALC_FEATURE_GC:
        return alc_lower_object;
    case ALC_FEATURE_WIDE_ARITHMETIC:
        return alc_lower_wide;
    case ALC_FEATURE_EXCEPTIONS:
    case ALC_FEATURE_LEGACY_EXCEPTIONS:
        return alc_lower_exception;
    default:
        return NULL;
    }
}

/* Who lowers an instruction that is typed by hand; NULL: nobody. */
static alc_lower_typed *find_typed(enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_UNREACHABLE:
    case ALC_OP_BLOCK:
    case ALC_OP_LOOP:
    case ALC_OP_IF:
    case ALC_OP_ELSE:
    case ALC_OP_END:
    case ALC_OP_BR:
    case ALC_OP_BR_IF:
    case ALC_OP_BR_TABLE:
    case ALC_OP_RETURN:
        return alc_lower_control;
    case ALC_OP_CALL:
    case ALC_OP_CALL_INDIRECT:
    case ALC_OP_CALL_REF:
    case ALC_OP_RETURN_CALL:
    case ALC_OP_RETURN_CALL_INDIRECT:
    case ALC_OP_RETURN_CALL_REF:
        return alc_lower_call;
    case ALC_OP_LOCAL_GET:
    case ALC_OP_LOCAL_SET:
    case ALC_OP_LOCAL_TEE:
    case ALC_OP_GLOBAL_GET:
    case ALC_OP_GLOBAL_SET:
    case ALC_OP_DROP:
    case ALC_OP_SELECT:
    case ALC_OP_SELECT_TYPED:
        return alc_lower_variable;
    case ALC_OP_REF_NULL:
    case ALC_OP_REF_IS_NULL:
    case ALC_OP_REF_FUNC:
    case ALC_OP_REF_EQ:
    case ALC_OP_REF_AS_NON_NULL:
    case ALC_OP_BR_ON_NULL:
    case ALC_OP_BR_ON_NON_NULL:
    case ALC_OP_ANY_CONVERT_EXTERN:
    case ALC_OP_EXTERN_CONVERT_ANY:
    case ALC_OP_REF_I31:
    case ALC_OP_I31_GET_S:
    case ALC_OP_I31_GET_U:
        return alc_lower_reference;
    case ALC_OP_REF_TEST:
    case ALC_OP_REF_TEST_NULL:
    case ALC_OP_REF_CAST:
    case ALC_OP_REF_CAST_NULL:
    case ALC_OP_BR_ON_CAST:
    case ALC_OP_BR_ON_CAST_FAIL:
        return alc_lower_cast;
    default:
        return is_bulk(op) ? alc_lower_bulk : find_by_feature(op);
    }
}

/* What metering does not count. */
static bool is_free(enum alc_op op)
{
    return op == ALC_OP_BLOCK || op == ALC_OP_LOOP || op == ALC_OP_END || op == ALC_OP_NOP ||
           op == ALC_OP_TRY || op == ALC_OP_TRY_TABLE || op == ALC_OP_DELEGATE;
}

static void lower_one(struct alc_lowering *f, enum alc_op op,
                      const struct alc_immediates *immediates)
{
    if (!is_free(op)) {
        alc_lower_charge(f);
    }
    alc_lower_typed *typed = find_typed(op);
    if (typed != NULL) {
        typed(f, op, immediates);
    } else if (alc_op_infos[op].signature == ALC_SIGNATURE_CTRL) {
        alc_lower_fail(f, ALC_E_FEATURE_DISABLED);
    } else if (op != ALC_OP_NOP) {
        lower_plain(f, op, immediates);
    }
}

/* Reads on to the `else`, `catch` or `end` that belongs to the innermost block. */
static enum alc_op skip_dead(struct alc_lowering *f, struct alc_immediates *immediates)
{
    uint32_t depth = 0;
    for (;;) {
        enum alc_op op = alc_body_next(&f->body, immediates);
        if (op == ALC_OP_LOCAL_SET || op == ALC_OP_LOCAL_TEE) {
            f->assignments_done++;
        } else if (alc_op_opens_block(op)) {
            f->blocks_done++;
            depth++;
        } else if (depth == 0 && (op == ALC_OP_ELSE || op == ALC_OP_END || op == ALC_OP_CATCH ||
                                  op == ALC_OP_CATCH_ALL || op == ALC_OP_DELEGATE)) {
            return op;
        } else if (op == ALC_OP_END || op == ALC_OP_DELEGATE) {
            depth--;
        }
    }
}

static void lower_instructions(struct alc_lowering *f)
{
    struct alc_immediates immediates;
    while (f->depth > 0 && f->failed == ALC_OK) {
        if (f->is_dead) {
            enum alc_op op = skip_dead(f, &immediates);
            alc_lower_typed *lower = find_typed(op);
            if (lower == NULL) {
                alc_lower_fail(f, ALC_E_FEATURE_DISABLED);
                return;
            }
            lower(f, op, &immediates);
        } else {
            enum alc_op op = alc_body_next(&f->body, &immediates);
            lower_one(f, op, &immediates);
        }
    }
}

alc_status alc_lower_function(struct alc_unit *unit, uint32_t function_index,
                              struct alc_arena *arena, struct alc_error *error)
{
    const struct alc_module_function *function = &unit->module->functions[function_index];
    struct alc_lowering f = {.unit = unit,
                             .module = unit->module,
                             .builder = unit->builder,
                             .function_index = function_index,
                             .type = &function->type->function,
                             .arena = arena};
    size_t mark = alc_arena_mark(arena);
    alc_body_init(&f.body, unit->module, function_index);
    if (read_locals(&f) && begin_stacks(&f)) {
        begin_function(&f);
        receive_parameters(&f);
        alc_lower_poll(&f);
        f.blocks[f.depth++] = (struct alc_block){.op = ALC_OP_ILLEGAL, .type = f.type};
        lower_instructions(&f);
        alc_lower_end_fuel_block(&f);
        alc_lower_finish_exceptions(&f);
        alc_roots_finish(&f);
    } else {
        alc_lower_fail(&f, ALC_E_OUT_OF_MEMORY);
    }
    alc_arena_reset(arena, mark);
    return f.failed == ALC_OK ? ALC_OK : alc_fail(error, f.failed, f.body.op_offset);
}
