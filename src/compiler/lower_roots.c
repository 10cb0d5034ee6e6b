/* SPDX-License-Identifier: Apache-2.0
 *
 * Which references are stored in the function's frame of the shadow stack, when, and how the frame
 * gets on the chain and off it.
 */
#include "compiler/lower_roots.h"

#include "base/bytes.h"
#include "compiler/lower.h"

enum { WORD = sizeof(uint64_t), HEADER_WORDS = 2 };
_Static_assert(offsetof(struct alc_native_roots, references) == HEADER_WORDS * WORD,
               "the chain and the count, then references");

/* An array that doubles; NULL: the arena is full. */
static void *grow(struct alc_lowering *f, const void *array, uint32_t count, uint32_t *capacity,
                  size_t size)
{
    uint32_t wanted = *capacity == 0 ? 16 : 2 * *capacity;
    void *bigger = alc_arena_take_array(f->arena, wanted, size, sizeof(void *));
    if (bigger == NULL) {
        alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
        return NULL;
    }
    alc_fill(bigger, 0, wanted * size);
    if (count > 0) {
        alc_copy(bigger, array, count * size);
    }
    *capacity = wanted;
    return bigger;
}

static bool is_traced(const struct alc_lowering *f, uint32_t type)
{
    return alc_type_is_reference(type) && alc_type_is_traced(f->module->types, type);
}

/* Finds the locals that matter. */
static bool prepare(struct alc_lowering *f)
{
    struct alc_roots *roots = &f->roots;
    if (roots->is_ready) {
        return true;
    }
    roots->locals = ALC_ARENA_ARRAY(f->arena, uint32_t, f->locals_count + 1);
    roots->of_locals = ALC_ARENA_ARRAY(f->arena, struct alc_root_place, f->locals_count + 1);
    if (roots->locals == NULL || roots->of_locals == NULL) {
        alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
        return false;
    }
    for (uint32_t i = 0; i < f->locals_count; i++) {
        if (is_traced(f, f->locals_types[i])) {
            roots->of_locals[roots->locals_count] = (struct alc_root_place){0};
            roots->locals[roots->locals_count++] = i;
        }
    }
    roots->is_ready = true;
    return true;
}

/* -- stores -- */

/* The frame in the first block, in front of everything; its size is not known yet. */
static void make_frame(struct alc_lowering *f)
{
    LLVMBuilderRef builder = f->unit->phi_builder;
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(f->function);
    LLVMValueRef first = LLVMGetFirstInstruction(entry);
    if (first != NULL) {
        LLVMPositionBuilderBefore(builder, first);
    } else {
        LLVMPositionBuilderAtEnd(builder, entry);
    }
    LLVMSetCurrentDebugLocation2(builder, NULL); /* not that of the instruction behind */
    f->roots.frame = LLVMBuildArrayAlloca(builder, f->unit->i64, alc_lower_i32(f, 1), "");
    LLVMSetAlignment(f->roots.frame, WORD);
}

static LLVMValueRef word_of_frame(struct alc_lowering *f, uint32_t index)
{
    LLVMValueRef offset = alc_lower_i64(f, index);
    return LLVMBuildInBoundsGEP2(f->builder, f->unit->i64, f->roots.frame, &offset, 1, "");
}

static void store_word(struct alc_lowering *f, LLVMValueRef value, LLVMValueRef pointer)
{
    LLVMValueRef store = LLVMBuildStore(f->builder, value, pointer);
    LLVMSetAlignment(store, WORD);
    alc_unit_set_alias(f->unit, store, ALC_ALIAS_OBJECTS);
}

static LLVMValueRef load_word(struct alc_lowering *f, LLVMTypeRef type, LLVMValueRef pointer)
{
    LLVMValueRef load = LLVMBuildLoad2(f->builder, type, pointer, "");
    LLVMSetAlignment(load, WORD);
    alc_unit_set_alias(f->unit, load, ALC_ALIAS_OBJECTS);
    return load;
}

static void store_in(struct alc_lowering *f, struct alc_root_place *place, LLVMValueRef value)
{
    struct alc_roots *roots = &f->roots;
    if (place->known == value || LLVMIsConstant(value)) {
        return;
    }
    if (roots->frame == NULL) {
        make_frame(f);
    }
    if (place->index == 0) {
        place->index = ++roots->count;
    }
    if (roots->stores_count == roots->stores_capacity) {
        struct alc_root_store *stores =
            grow(f, roots->stores, roots->stores_count, &roots->stores_capacity, sizeof *stores);
        if (stores == NULL) {
            return;
        }
        roots->stores = stores;
    }
    store_word(f, value, word_of_frame(f, HEADER_WORDS + place->index - 1));
    place->known = value;
    roots->stores[roots->stores_count++] =
        (struct alc_root_store){.place = place, .depth = f->depth};
}

/* Whether a local's place will have the value. */
static bool is_in_local(const struct alc_lowering *f, LLVMValueRef value)
{
    for (uint32_t i = 0; i < f->roots.locals_count; i++) {
        if (f->locals[f->roots.locals[i]] == value) {
            return true;
        }
    }
    return false;
}

static void store_operand(struct alc_lowering *f, uint32_t position)
{
    struct alc_roots *roots = &f->roots;
    if (LLVMIsConstant(f->operands[position].value) ||
        is_in_local(f, f->operands[position].value)) {
        return;
    }
    while (position >= roots->operands_capacity) {
        struct alc_root_place **places =
            grow(f, roots->of_operands, roots->operands_capacity, &roots->operands_capacity,
                 sizeof(struct alc_root_place *));
        if (places == NULL) {
            return;
        }
        roots->of_operands = places;
    }
    struct alc_root_place **place = &roots->of_operands[position];
    if (*place == NULL) {
        *place = ALC_ARENA_ARRAY(f->arena, struct alc_root_place, 1);
        if (*place == NULL) {
            alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
            return;
        }
        **place = (struct alc_root_place){0};
    }
    store_in(f, *place, f->operands[position].value);
}

void alc_roots_store(struct alc_lowering *f)
{
    struct alc_roots *roots = &f->roots;
    if (f->unit->target->shape != ALC_NATIVE_CHECKED || !prepare(f)) {
        return;
    }
    for (uint32_t i = 0; i < roots->locals_count; i++) {
        store_in(f, &roots->of_locals[i], f->locals[roots->locals[i]]);
    }
    for (uint32_t i = 0; i < f->height && f->failed == ALC_OK; i++) {
        if (is_traced(f, f->operands[i].type)) {
            store_operand(f, i);
        }
    }
}

/* -- what is known -- */

void alc_roots_forget(struct alc_lowering *f, uint32_t mark)
{
    struct alc_roots *roots = &f->roots;
    while (roots->stores_count > mark) {
        roots->stores[--roots->stores_count].place->known = NULL;
    }
}

void alc_roots_end_block(struct alc_lowering *f)
{
    struct alc_roots *roots = &f->roots;
    while (roots->stores_count > 0 && roots->stores[roots->stores_count - 1].depth >= f->depth) {
        roots->stores[--roots->stores_count].place->known = NULL;
    }
}

void alc_roots_begin_loop(struct alc_lowering *f, const struct alc_block *block)
{
    struct alc_roots *roots = &f->roots;
    for (uint32_t i = 0; i < block->label.locals_count; i++) {
        for (uint32_t j = 0; j < roots->locals_count; j++) {
            if (roots->locals[j] == block->label.locals[i]) {
                roots->of_locals[j].known = NULL;
            }
        }
    }
    for (uint32_t i = block->height; i < roots->operands_capacity; i++) {
        if (roots->of_operands[i] != NULL) {
            roots->of_operands[i]->known = NULL;
        }
    }
}

/* -- the chain -- */

static LLVMValueRef load_chain(struct alc_lowering *f)
{
    return alc_lower_context_load(f, ALC_NATIVE_ROOTS, f->unit->pointer, ALC_ALIAS_READ_ONLY);
}

static void put_on(struct alc_lowering *f)
{
    const struct alc_roots *roots = &f->roots;
    LLVMPositionBuilderBefore(f->builder, LLVMGetNextInstruction(roots->frame));
    alc_lower_forget_place(f);
    LLVMValueRef chain = load_chain(f);
    store_word(f, load_word(f, f->unit->i64, chain), word_of_frame(f, 0));
    store_word(f, alc_lower_i64(f, roots->count), word_of_frame(f, 1));
    for (uint32_t i = 0; i < roots->count; i++) {
        store_word(f, alc_lower_i64(f, 0), word_of_frame(f, HEADER_WORDS + i));
    }
    store_word(f, LLVMBuildPtrToInt(f->builder, roots->frame, f->unit->i64, ""), chain);
}

/* In front of a return, and of the call that must be the last thing before it. */
static void take_off(struct alc_lowering *f, LLVMValueRef last)
{
    LLVMValueRef before = LLVMGetPreviousInstruction(last);
    bool is_tail_call = before != NULL && LLVMIsACallInst(before) &&
                        LLVMGetTailCallKind(before) == LLVMTailCallKindMustTail;
    LLVMPositionBuilderBefore(f->builder, is_tail_call ? before : last);
    alc_lower_forget_place(f);
    store_word(f, load_word(f, f->unit->i64, word_of_frame(f, 0)), load_chain(f));
}

void alc_roots_finish(struct alc_lowering *f)
{
    struct alc_roots *roots = &f->roots;
    if (roots->frame == NULL) {
        return;
    }
    LLVMSetOperand(roots->frame, 0, alc_lower_i32(f, HEADER_WORDS + roots->count));
    put_on(f);
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f->function); block != NULL;
         block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef last = LLVMGetBasicBlockTerminator(block);
        if (last != NULL && LLVMGetInstructionOpcode(last) == LLVMRet) {
            take_off(f, last);
        }
    }
}
