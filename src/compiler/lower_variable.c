/* SPDX-License-Identifier: Apache-2.0
 *
 * Locals, globals, drop and select.
 */
#include "compiler/lower.h"

/* -- globals -- */

/* The value of a global that is a numeric constant of the module's own, or NULL. */
static LLVMValueRef constant_global(struct alc_lowering *f, const struct alc_module_global *global)
{
    struct alc_immediates immediates = {0};
    struct alc_body init = {.module = f->module};
    if (global->type.is_mutable || global->init.size == 0) {
        return NULL;
    }
    alc_module_reader(f->module, global->init, NULL, &init.reader);
    enum alc_op op = alc_body_next(&init, &immediates);
    bool is_constant = op == ALC_OP_I32_CONST || op == ALC_OP_I64_CONST || op == ALC_OP_F32_CONST ||
                       op == ALC_OP_F64_CONST;
    if (!is_constant || alc_body_next(&init, &(struct alc_immediates){0}) != ALC_OP_END) {
        return NULL;
    }
    bool is_32 = op == ALC_OP_I32_CONST || op == ALC_OP_F32_CONST;
    LLVMValueRef bits = LLVMConstInt(is_32 ? f->unit->i32 : f->unit->i64, immediates.bits, 0);
    return LLVMConstBitCast(bits, alc_lower_type(f, global->type.type));
}

/* Whether the runtime keeps the global: imported ones, and references in the confined shape. */
static bool is_remote(const struct alc_lowering *f, uint32_t index)
{
    return index < f->module->imported_counts[ALC_EXTERNAL_GLOBAL] ||
           (f->unit->target->shape == ALC_NATIVE_CONFINED &&
            alc_type_is_reference(f->module->globals[index].type.type));
}

static void lower_global(struct alc_lowering *f, enum alc_op op, uint32_t index)
{
    const struct alc_module_global *global = &f->module->globals[index];
    uint32_t type = global->type.type;
    bool is_get = op == ALC_OP_GLOBAL_GET;
    LLVMValueRef constant = constant_global(f, global);
    if (constant != NULL) {
        alc_lower_push(f, constant, type);
        return;
    }
    if (is_remote(f, index)) {
        alc_lower_operation(f, op, index, 0, is_get ? 0 : 1, &type, is_get ? 1 : 0);
        return;
    }
    uint32_t number = index - f->module->imported_counts[ALC_EXTERNAL_GLOBAL];
    uint32_t distance = ALC_NATIVE_WORDS + ALC_NATIVE_GLOBAL_SIZE * (number + 1);
    if (is_get) {
        LLVMValueRef value = alc_lower_context_load(f, distance, alc_lower_type(f, type),
                                                    ALC_ALIAS_GLOBALS + number);
        alc_lower_push(f, value, type);
    } else {
        alc_lower_context_store(f, distance, alc_lower_pop(f), ALC_ALIAS_GLOBALS + number);
    }
}

/* -- locals -- */

static void lower_local(struct alc_lowering *f, enum alc_op op, uint32_t index)
{
    if (op == ALC_OP_LOCAL_GET) {
        alc_lower_push(f, f->locals[index], f->locals_types[index]);
        return;
    }
    f->locals[index] = alc_lower_peek(f, 0)->value;
    f->assignments_done++;
    if (op == ALC_OP_LOCAL_SET) {
        (void)alc_lower_pop(f);
    } else {
        alc_lower_peek(f, 0)->type = f->locals_types[index];
    }
}

static void lower_select(struct alc_lowering *f, enum alc_op op, uint32_t type)
{
    LLVMValueRef condition = alc_lower_condition(f, alc_lower_pop(f));
    LLVMValueRef otherwise = alc_lower_pop(f);
    type = op == ALC_OP_SELECT ? alc_lower_peek(f, 0)->type : type;
    LLVMValueRef value = alc_lower_pop(f);
    alc_lower_push(f, LLVMBuildSelect(f->builder, condition, value, otherwise, ""), type);
}

void alc_lower_variable(struct alc_lowering *f, enum alc_op op,
                        const struct alc_immediates *immediates)
{
    switch ((int)op) {
    case ALC_OP_LOCAL_GET:
    case ALC_OP_LOCAL_SET:
    case ALC_OP_LOCAL_TEE:
        lower_local(f, op, immediates->index);
        return;
    case ALC_OP_GLOBAL_GET:
    case ALC_OP_GLOBAL_SET:
        lower_global(f, op, immediates->index);
        return;
    case ALC_OP_DROP:
        (void)alc_lower_pop(f);
        return;
    default:
        lower_select(f, op, immediates->value_type);
        return;
    }
}
