/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of locals and operands where control meets, as SSA form wants them. A body says by its
 * structure which locals may differ at a label: those that its block assigns. For a loop they are
 * phis at once; elsewhere a phi is made when a branch brings a second value.
 */
#include "base/bytes.h"
#include "compiler/lower.h"

static void *take(struct alc_lowering *f, size_t count, size_t size)
{
    void *array = alc_arena_take_array(f->arena, count, size, sizeof(void *));
    if (array == NULL) {
        alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
    }
    return array;
}

void alc_label_find_locals(struct alc_lowering *f, struct alc_block *block)
{
    struct alc_label *label = &block->label;
    uint32_t most = block->last_assignment - block->first_assignment;
    most = most < f->locals_count ? most : f->locals_count;
    (void)alc_block_label_types(block, &label->operands_count);
    uint32_t *locals = take(f, most, sizeof(uint32_t));
    label->has_locals = true;
    label->locals = locals;
    if (locals == NULL) {
        return;
    }
    f->stamp++;
    for (uint32_t i = block->first_assignment; i < block->last_assignment; i++) {
        uint32_t local = f->assignments.locals[i];
        if (f->stamps[local] != f->stamp) {
            f->stamps[local] = f->stamp;
            locals[label->locals_count++] = local;
        }
    }
    label->merged = take(f, label->locals_count + label->operands_count, sizeof *label->merged);
}

/* The present value of item i of a label. */
static LLVMValueRef present(struct alc_lowering *f, const struct alc_label *label, uint32_t i)
{
    if (i < label->locals_count) {
        return f->locals[label->locals[i]];
    }
    uint32_t operand = i - label->locals_count;
    return f->operands[f->height - label->operands_count + operand].value;
}

static bool add_source(struct alc_lowering *f, struct alc_label *label, LLVMBasicBlockRef source)
{
    if (label->sources_count == label->sources_capacity) {
        uint32_t capacity = label->sources_capacity == 0 ? 4 : 2 * label->sources_capacity;
        LLVMBasicBlockRef *sources = take(f, capacity, sizeof *sources);
        if (sources == NULL) {
            return false;
        }
        if (label->sources_count != 0) {
            alc_copy(sources, label->sources, label->sources_count * sizeof *sources);
        }
        label->sources = sources;
        label->sources_capacity = capacity;
    }
    label->sources[label->sources_count++] = source;
    return true;
}

static LLVMValueRef make_phi(struct alc_lowering *f, const struct alc_label *label,
                             LLVMValueRef value)
{
    LLVMBuilderRef builder = f->unit->phi_builder;
    LLVMPositionBuilderAtEnd(builder, label->block);
    return LLVMBuildPhi(builder, LLVMTypeOf(value), "");
}

static void merge_one(struct alc_lowering *f, struct alc_label *label, uint32_t i,
                      LLVMBasicBlockRef source)
{
    struct alc_merged *merged = &label->merged[i];
    LLVMValueRef value = present(f, label, i);
    if (!merged->is_phi && merged->value != value) {
        LLVMValueRef phi = make_phi(f, label, value);
        for (uint32_t j = 0; j < label->sources_count; j++) {
            LLVMAddIncoming(phi, &merged->value, &label->sources[j], 1);
        }
        *merged = (struct alc_merged){.value = phi, .is_phi = true};
    }
    if (merged->is_phi) {
        LLVMAddIncoming(merged->value, &value, &source, 1);
    }
}

void alc_label_branch(struct alc_lowering *f, struct alc_block *block, LLVMBasicBlockRef source,
                      uint32_t edges)
{
    struct alc_label *label = &block->label;
    if (!label->has_locals) {
        alc_label_find_locals(f, block);
    }
    if (f->failed != ALC_OK) {
        return;
    }
    uint32_t count = label->locals_count + label->operands_count;
    if (label->block == NULL) {
        label->block = LLVMAppendBasicBlockInContext(f->unit->context, f->function, "");
        for (uint32_t i = 0; i < count; i++) {
            label->merged[i].value = present(f, label, i);
        }
        edges--;
        if (!add_source(f, label, source)) {
            return;
        }
    }
    for (; edges > 0; edges--) {
        for (uint32_t i = 0; i < count; i++) {
            merge_one(f, label, i, source);
        }
        if (!add_source(f, label, source)) {
            return;
        }
    }
}

/* Locals and operands are what was merged. */
static void take_merged(struct alc_lowering *f, struct alc_block *block)
{
    const struct alc_label *label = &block->label;
    uint32_t count;
    const uint32_t *types = alc_block_label_types(block, &count);
    for (uint32_t i = 0; i < label->locals_count; i++) {
        f->locals[label->locals[i]] = label->merged[i].value;
    }
    f->height = block->height;
    for (uint32_t i = 0; i < count; i++) {
        alc_lower_push(f, label->merged[label->locals_count + i].value, types[i]);
    }
}

void alc_label_enter(struct alc_lowering *f, struct alc_block *block)
{
    LLVMBasicBlockRef last = LLVMGetLastBasicBlock(f->function);
    if (last != block->label.block) {
        LLVMMoveBasicBlockAfter(block->label.block, last);
    }
    LLVMPositionBuilderAtEnd(f->builder, block->label.block);
    take_merged(f, block);
}

void alc_label_enter_loop(struct alc_lowering *f, struct alc_block *block)
{
    struct alc_label *label = &block->label;
    alc_label_find_locals(f, block);
    if (f->failed != ALC_OK) {
        return;
    }
    LLVMBasicBlockRef source = LLVMGetInsertBlock(f->builder);
    label->block = LLVMAppendBasicBlockInContext(f->unit->context, f->function, "");
    (void)LLVMBuildBr(f->builder, label->block);
    uint32_t count = label->locals_count + label->operands_count;
    for (uint32_t i = 0; i < count; i++) {
        LLVMValueRef value = present(f, label, i);
        LLVMValueRef phi = make_phi(f, label, value);
        LLVMAddIncoming(phi, &value, &source, 1);
        label->merged[i] = (struct alc_merged){.value = phi, .is_phi = true};
    }
    if (!add_source(f, label, source)) {
        return;
    }
    LLVMPositionBuilderAtEnd(f->builder, label->block);
    take_merged(f, block);
}
