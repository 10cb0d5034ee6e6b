/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks and branches. Each open block has a label (locals.c); what cannot be reached is not
 * lowered, so behind a branch the pass is dead until the block's `else` or `end`.
 */
#include "compiler/lower.h"

/* -- types of blocks -- */

const uint32_t *alc_block_parameters(const struct alc_block *block, uint32_t *out_count)
{
    *out_count = block->type != NULL ? block->type->parameters_count : 0;
    return block->type != NULL ? block->type->parameters : NULL;
}

const uint32_t *alc_block_results(const struct alc_block *block, uint32_t *out_count)
{
    if (block->type != NULL) {
        *out_count = block->type->results_count;
        return block->type->results;
    }
    *out_count = block->single != ALC_TYPE_BOTTOM;
    return &block->single;
}

const uint32_t *alc_block_label_types(const struct alc_block *block, uint32_t *out_count)
{
    return block->op == ALC_OP_LOOP ? alc_block_parameters(block, out_count)
                                    : alc_block_results(block, out_count);
}

/* -- pieces -- */

LLVMBasicBlockRef alc_lower_new_block(struct alc_lowering *f)
{
    return LLVMAppendBasicBlockInContext(f->unit->context, f->function, "");
}

void alc_lower_continue_in(struct alc_lowering *f, LLVMBasicBlockRef block)
{
    LLVMPositionBuilderAtEnd(f->builder, block);
}

LLVMValueRef alc_lower_condition(struct alc_lowering *f, LLVMValueRef value)
{
    if (LLVMIsAZExtInst(value) != NULL) {
        LLVMValueRef narrow = LLVMGetOperand(value, 0);
        if (LLVMTypeOf(narrow) == f->unit->i1) {
            return narrow;
        }
    }
    return LLVMBuildICmp(f->builder, LLVMIntNE, value, LLVMConstNull(LLVMTypeOf(value)), "");
}

/* -- opening -- */

/* The values that the `else` begins with, should it come. */
static void keep_for_else(struct alc_lowering *f, struct alc_block *block)
{
    uint32_t count;
    (void)alc_block_parameters(block, &count);
    alc_label_find_locals(f, block);
    uint32_t locals_count = block->label.locals_count;
    LLVMValueRef *values = ALC_ARENA_ARRAY(f->arena, LLVMValueRef, locals_count + count);
    if (values == NULL || f->failed != ALC_OK) {
        alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < locals_count; i++) {
        values[i] = f->locals[block->label.locals[i]];
    }
    for (uint32_t i = 0; i < count; i++) {
        values[locals_count + i] = f->operands[block->height + i].value;
    }
    block->else_values = values;
}

static void begin_if(struct alc_lowering *f, struct alc_block *block, LLVMValueRef condition)
{
    keep_for_else(f, block);
    LLVMBasicBlockRef then_block = alc_lower_new_block(f);
    block->else_block = alc_lower_new_block(f);
    block->if_block = LLVMGetInsertBlock(f->builder);
    (void)LLVMBuildCondBr(f->builder, condition, then_block, block->else_block);
    alc_lower_continue_in(f, then_block);
    alc_lower_end_fuel_block(f);
}

struct alc_block *alc_lower_open_block(struct alc_lowering *f, enum alc_op op,
                                       const struct alc_immediates *immediates)
{
    uint32_t count;
    ALC_ASSERT(f->depth < f->assignments.depth_max);
    struct alc_block *block = &f->blocks[f->depth++];
    *block = (struct alc_block){.op = op,
                                .type = immediates->block_type,
                                .single = immediates->value_type,
                                .first_assignment = f->assignments_done,
                                .last_assignment = f->assignments.ends[f->blocks_done]};
    f->blocks_done++;
    (void)alc_block_parameters(block, &count);
    block->height = f->height - count;
    return block;
}

static void lower_block(struct alc_lowering *f, enum alc_op op,
                        const struct alc_immediates *immediates)
{
    LLVMValueRef condition = op == ALC_OP_IF ? alc_lower_condition(f, alc_lower_pop(f)) : NULL;
    struct alc_block *block = alc_lower_open_block(f, op, immediates);
    if (op == ALC_OP_IF) {
        begin_if(f, block, condition);
    } else if (op == ALC_OP_LOOP) {
        alc_lower_end_fuel_block(f);
        alc_label_enter_loop(f, block);
        alc_roots_begin_loop(f, block);
        alc_lower_poll(f);
    }
}

/* -- closing -- */

/* Falls through to the end of the block. */
static void fall_through(struct alc_lowering *f, struct alc_block *block)
{
    alc_label_branch(f, block, LLVMGetInsertBlock(f->builder), 1);
    if (f->failed == ALC_OK) {
        (void)LLVMBuildBr(f->builder, block->label.block);
    }
}

static void lower_else(struct alc_lowering *f)
{
    struct alc_block *block = alc_lower_block(f, 0);
    alc_roots_end_block(f);
    const struct alc_label *label = &block->label;
    if (!f->is_dead) {
        fall_through(f, block);
    }
    uint32_t count;
    const uint32_t *types = alc_block_parameters(block, &count);
    for (uint32_t i = 0; i < label->locals_count; i++) {
        f->locals[label->locals[i]] = block->else_values[i];
    }
    f->height = block->height;
    for (uint32_t i = 0; i < count; i++) {
        alc_lower_push(f, block->else_values[label->locals_count + i], types[i]);
    }
    alc_lower_end_fuel_block(f);
    alc_lower_continue_in(f, block->else_block);
    block->op = ALC_OP_ELSE;
    block->else_block = NULL;
    f->is_dead = false;
}

/* An `if` without `else`: where the condition is false, parameters are results. */
static void finish_missing_else(struct alc_lowering *f)
{
    lower_else(f);
}

static bool is_try(enum alc_op op)
{
    return op == ALC_OP_TRY || op == ALC_OP_TRY_TABLE || op == ALC_OP_CATCH ||
           op == ALC_OP_CATCH_ALL;
}

static void lower_end(struct alc_lowering *f)
{
    struct alc_block *block = alc_lower_block(f, 0);
    if (block->op == ALC_OP_IF) {
        finish_missing_else(f);
    } else if (is_try(block->op)) {
        alc_lower_end_try(f, block);
    }
    alc_roots_end_block(f);
    bool merges = block->op == ALC_OP_ELSE;
    if (block->op != ALC_OP_LOOP) {
        merges = merges || block->label.block != NULL;
        if (merges && !f->is_dead) {
            fall_through(f, block);
        }
        if (f->failed != ALC_OK) {
            return;
        }
        if (block->label.block != NULL) {
            alc_lower_end_fuel_block(f);
            alc_label_enter(f, block);
            f->is_dead = false;
        }
    }
    if (f->depth == 1 && !f->is_dead) {
        alc_lower_return(f);
    }
    f->depth--;
}

/* -- branches -- */

static void lower_br(struct alc_lowering *f, uint32_t depth)
{
    fall_through(f, alc_lower_block(f, depth));
    f->is_dead = true;
}

void alc_lower_branch_if(struct alc_lowering *f, uint32_t depth, LLVMValueRef condition)
{
    struct alc_block *block = alc_lower_block(f, depth);
    alc_label_branch(f, block, LLVMGetInsertBlock(f->builder), 1);
    if (f->failed != ALC_OK) {
        return;
    }
    LLVMBasicBlockRef next = alc_lower_new_block(f);
    (void)LLVMBuildCondBr(f->builder, condition, block->label.block, next);
    alc_lower_continue_in(f, next);
    alc_lower_end_fuel_block(f);
}

/* Edges to each label are counted first: a phi wants to know. */
static void lower_br_table(struct alc_lowering *f, const struct alc_immediates *immediates)
{
    LLVMValueRef index = alc_lower_pop(f);
    LLVMBasicBlockRef source = LLVMGetInsertBlock(f->builder);
    uint32_t *edges = ALC_ARENA_ARRAY(f->arena, uint32_t, f->depth);
    size_t position = immediates->list;
    uint32_t fallback = 0;
    if (edges == NULL) {
        alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
        return;
    }
    for (uint32_t i = 0; i <= immediates->index; i++) {
        fallback = alc_body_label(&f->body, &position);
        edges[fallback] = 1;
    }
    /* Cases that go where the default goes are none. */
    position = immediates->list;
    for (uint32_t i = 0; i < immediates->index; i++) {
        uint32_t depth = alc_body_label(&f->body, &position);
        edges[depth] += depth != fallback;
    }
    for (uint32_t depth = 0; depth < f->depth; depth++) {
        uint32_t count = depth == fallback || edges[depth] == 0 ? edges[depth] : edges[depth] - 1;
        if (count > 0) {
            alc_label_branch(f, alc_lower_block(f, depth), source, count);
        }
    }
    if (f->failed != ALC_OK) {
        return;
    }
    LLVMValueRef choice = LLVMBuildSwitch(
        f->builder, index, alc_lower_block(f, fallback)->label.block, immediates->index);
    position = immediates->list;
    for (uint32_t i = 0; i < immediates->index; i++) {
        uint32_t depth = alc_body_label(&f->body, &position);
        if (depth != fallback) {
            LLVMAddCase(choice, alc_lower_i32(f, i), alc_lower_block(f, depth)->label.block);
        }
    }
    alc_lower_end_fuel_block(f);
    f->is_dead = true;
}

void alc_lower_return(struct alc_lowering *f)
{
    const struct alc_function_type *type = f->type;
    if (type->results_count == 1) {
        (void)LLVMBuildRet(f->builder, alc_lower_peek(f, 0)->value);
        return;
    }
    uint32_t slot = 0;
    for (uint32_t i = type->results_count; i > 0; i--) {
        const struct alc_operand *operand = alc_lower_peek(f, i - 1);
        alc_lower_slot_store(f, &slot, operand->value, operand->type);
    }
    (void)LLVMBuildRetVoid(f->builder);
}

void alc_lower_control(struct alc_lowering *f, enum alc_op op,
                       const struct alc_immediates *immediates)
{
    switch ((int)op) {
    case ALC_OP_UNREACHABLE:
        alc_lower_trap(f, ALC_NATIVE_TRAP_UNREACHABLE);
        f->is_dead = true;
        return;
    case ALC_OP_BLOCK:
    case ALC_OP_LOOP:
    case ALC_OP_IF:
        lower_block(f, op, immediates);
        return;
    case ALC_OP_ELSE:
        lower_else(f);
        return;
    case ALC_OP_END:
        lower_end(f);
        return;
    case ALC_OP_BR:
        lower_br(f, immediates->index);
        return;
    case ALC_OP_BR_IF:
        alc_lower_branch_if(f, immediates->index, alc_lower_condition(f, alc_lower_pop(f)));
        return;
    case ALC_OP_BR_TABLE:
        lower_br_table(f, immediates);
        return;
    default:
        lower_br(f, f->depth - 1);
        return;
    }
}
