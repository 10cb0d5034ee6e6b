/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of types at run time: ref.test, ref.cast and the branches on them. What the bits of a
 * reference tell and what type an object has is decided here, of functions by the runtime.
 */
#include "compiler/lower.h"

/* The question: is the reference of heap type `heap`, or null and may be? */
struct test {
    uint32_t heap;
    bool takes_null;
};

static LLVMValueRef bits_are(struct alc_lowering *f, LLVMIntPredicate predicate,
                             LLVMValueRef reference, uint64_t mask, uint64_t value)
{
    LLVMValueRef bits = LLVMBuildAnd(f->builder, reference, alc_lower_i64(f, mask), "");
    return LLVMBuildICmp(f->builder, predicate, bits, alc_lower_i64(f, value), "");
}

static LLVMValueRef truth(const struct alc_lowering *f, bool value)
{
    return LLVMConstInt(f->unit->i1, value, false);
}

/* A type index of the module by its canonical id. */
static uint32_t index_of_type(const struct alc_lowering *f, uint32_t id)
{
    uint32_t index = 0;
    while (f->module->type_ids[index] != id) {
        index++;
        ALC_ASSERT(index < f->module->types_count);
    }
    return index;
}

/* -- where the answer of several ways comes together -- */

enum { WAYS_MAX = 4 };

struct answer {
    LLVMBasicBlockRef end;
    LLVMValueRef values[WAYS_MAX];
    LLVMBasicBlockRef sources[WAYS_MAX];
    unsigned count;
};

static void add_way(struct alc_lowering *f, struct answer *answer, LLVMValueRef value)
{
    ALC_ASSERT(answer->count < WAYS_MAX);
    answer->values[answer->count] = value;
    answer->sources[answer->count++] = LLVMGetInsertBlock(f->builder);
}

/* Where `condition` is true the answer is `value`; building goes on where it is not. */
static void answer_if(struct alc_lowering *f, struct answer *answer, LLVMValueRef condition,
                      bool value)
{
    LLVMBasicBlockRef next = alc_lower_new_block(f);
    add_way(f, answer, truth(f, value));
    (void)LLVMBuildCondBr(f->builder, condition, answer->end, next);
    alc_lower_continue_in(f, next);
}

static LLVMValueRef give_answer(struct alc_lowering *f, struct answer *answer, LLVMValueRef last)
{
    add_way(f, answer, last);
    (void)LLVMBuildBr(f->builder, answer->end);
    alc_lower_continue_in(f, answer->end);
    LLVMValueRef phi = LLVMBuildPhi(f->builder, f->unit->i1, "");
    LLVMAddIncoming(phi, answer->values, answer->sources, answer->count);
    return phi;
}

/* -- of a reference that is not null -- */

/* Of functions. */

static LLVMValueRef ask_runtime(struct alc_lowering *f, LLVMValueRef reference, uint32_t heap)
{
    const uint32_t result = ALC_TYPE_I32;
    alc_lower_push(f, reference, ALC_TYPE_I64);
    alc_lower_operation(f, ALC_OP_REF_TEST, index_of_type(f, heap), 0, 1, &result, 1);
    return LLVMBuildICmp(f->builder, LLVMIntNE, alc_lower_pop(f), alc_lower_i32(f, 0), "");
}

static LLVMValueRef load_at(struct alc_lowering *f, LLVMTypeRef type, LLVMValueRef base,
                            uint64_t offset)
{
    LLVMValueRef address = LLVMBuildAdd(f->builder, base, alc_lower_i64(f, offset), "");
    LLVMValueRef pointer = LLVMBuildIntToPtr(f->builder, address, f->unit->pointer, "");
    LLVMValueRef load = LLVMBuildLoad2(f->builder, type, pointer, "");
    alc_unit_set_alias(f->unit, load, ALC_ALIAS_OBJECTS);
    return load;
}

/* Of what never changes: types. (Not of objects' headers: code writes those of new objects.) */
static LLVMValueRef load_fixed(struct alc_lowering *f, LLVMTypeRef type, LLVMValueRef base,
                               uint64_t offset)
{
    LLVMValueRef load = load_at(f, type, base, offset);
    alc_unit_set_invariant(f->unit, load);
    return load;
}

/* The canonical id of the module's type, as the runtime numbers it. */
static LLVMValueRef load_wanted(struct alc_lowering *f, uint32_t index)
{
    LLVMValueRef types =
        alc_lower_context_load(f, ALC_NATIVE_TYPES, f->unit->i64, ALC_ALIAS_READ_ONLY);
    return load_fixed(f, f->unit->i32, types, (uint64_t)index * sizeof(uint32_t));
}

/* The address of the struct alc_native_type of this id. The table of all moves as it grows. */
static LLVMValueRef load_type(struct alc_lowering *f, LLVMValueRef id)
{
    LLVMValueRef place =
        alc_lower_context_load(f, ALC_NATIVE_REGISTRY, f->unit->pointer, ALC_ALIAS_READ_ONLY);
    LLVMValueRef table = LLVMBuildLoad2(f->builder, f->unit->i64, place, "");
    alc_unit_set_alias(f->unit, table, ALC_ALIAS_OBJECTS);
    LLVMValueRef offset = LLVMBuildZExt(f->builder, id, f->unit->i64, "");
    offset = LLVMBuildMul(f->builder, offset, alc_lower_i64(f, sizeof(uint64_t)), "");
    return load_fixed(f, f->unit->i64, LLVMBuildAdd(f->builder, table, offset, ""), 0);
}

/* Of the `any` hierarchy: all structures, or all arrays. */
static LLVMValueRef has_kind(struct alc_lowering *f, LLVMValueRef object,
                             enum alc_composite_kind kind)
{
    LLVMValueRef type = load_type(f, load_at(f, f->unit->i32, object, 0));
    LLVMValueRef actual = load_fixed(f, f->unit->i32, type, offsetof(struct alc_native_type, kind));
    return LLVMBuildICmp(f->builder, LLVMIntEQ, actual, alc_lower_i32(f, (uint32_t)kind), "");
}

/* A type that the module names: the object's own, or at its depth among the object's supertypes. */
static LLVMValueRef has_type(struct alc_lowering *f, struct answer *answer, LLVMValueRef object,
                             uint32_t heap)
{
    const struct alc_type *target = alc_types_get(f->module->types, heap);
    LLVMValueRef id = load_at(f, f->unit->i32, object, 0);
    LLVMValueRef wanted = load_wanted(f, index_of_type(f, heap));
    LLVMValueRef is_exact = LLVMBuildICmp(f->builder, LLVMIntEQ, id, wanted, "");
    if (target->is_final) {
        return is_exact;
    }
    answer_if(f, answer, is_exact, true);
    LLVMValueRef type = load_type(f, id);
    LLVMValueRef depth = load_fixed(f, f->unit->i8, type, offsetof(struct alc_native_type, depth));
    LLVMValueRef limit = LLVMConstInt(f->unit->i8, target->depth, false);
    answer_if(f, answer, LLVMBuildICmp(f->builder, LLVMIntULE, depth, limit, ""), false);
    LLVMValueRef supers =
        load_fixed(f, f->unit->i64, type, offsetof(struct alc_native_type, supers));
    LLVMValueRef super =
        load_fixed(f, f->unit->i32, supers, (uint64_t)target->depth * sizeof(uint32_t));
    return LLVMBuildICmp(f->builder, LLVMIntEQ, super, wanted, "");
}

/* Of the `any` hierarchy: a structure, an array or a type of the module's. */
static LLVMValueRef test_object(struct alc_lowering *f, LLVMValueRef reference, uint32_t heap)
{
    struct answer answer = {.end = alc_lower_new_block(f)};
    answer_if(f, &answer, bits_are(f, LLVMIntNE, reference, 3, 0), false);
    LLVMValueRef last = heap == ALC_HEAP_STRUCT  ? has_kind(f, reference, ALC_COMPOSITE_STRUCT)
                        : heap == ALC_HEAP_ARRAY ? has_kind(f, reference, ALC_COMPOSITE_ARRAY)
                                                 : has_type(f, &answer, reference, heap);
    return give_answer(f, &answer, last);
}

static LLVMValueRef test_not_null(struct alc_lowering *f, LLVMValueRef reference, uint32_t heap)
{
    uint32_t top = alc_heap_top(f->module->types, heap);
    if (heap == top) {
        return truth(f, true);
    }
    switch (heap) {
    case ALC_HEAP_NONE:
    case ALC_HEAP_NOFUNC:
    case ALC_HEAP_NOEXTERN:
    case ALC_HEAP_NOEXN:
        return truth(f, false);
    case ALC_HEAP_EQ: /* all but references of the host */
        return bits_are(f, LLVMIntNE, reference, 3, 2);
    case ALC_HEAP_I31:
        return bits_are(f, LLVMIntNE, reference, 1, 0);
    default:
        return top == ALC_HEAP_ANY ? test_object(f, reference, heap)
                                   : ask_runtime(f, reference, heap);
    }
}

/* -- the instructions -- */

static LLVMValueRef test(struct alc_lowering *f, const struct alc_operand *operand,
                         struct test test)
{
    if (!alc_type_is_nullable(operand->type)) {
        return test_not_null(f, operand->value, test.heap);
    }
    struct answer answer = {.end = alc_lower_new_block(f)};
    answer_if(f, &answer, alc_lower_is_null(f, operand->value), test.takes_null);
    return give_answer(f, &answer, test_not_null(f, operand->value, test.heap));
}

static uint32_t type_of_test(struct test test)
{
    return test.takes_null ? ALC_TYPE_OF_REF_NULL(test.heap) : ALC_TYPE_OF_REF(test.heap);
}

static void lower_ref_test(struct alc_lowering *f, struct test question)
{
    struct alc_operand operand = *alc_lower_peek(f, 0);
    (void)alc_lower_pop(f);
    LLVMValueRef result = test(f, &operand, question);
    alc_lower_push(f, LLVMBuildZExt(f->builder, result, f->unit->i32, ""), ALC_TYPE_I32);
}

static void lower_ref_cast(struct alc_lowering *f, struct test question)
{
    LLVMValueRef fits = test(f, alc_lower_peek(f, 0), question);
    alc_lower_trap_if(f, LLVMBuildNot(f->builder, fits, ""), ALC_NATIVE_TRAP_CAST_FAILURE);
    alc_lower_peek(f, 0)->type = type_of_test(question);
}

/* What does not branch has lost the type that was asked for, or has it. */
static void lower_branch(struct alc_lowering *f, const struct alc_immediates *immediates,
                         bool on_failure)
{
    enum { SOURCE_NULLABLE = 1, TARGET_NULLABLE = 2 };
    struct test question = {immediates->second_heap, (immediates->flags & TARGET_NULLABLE) != 0};
    bool may_be_null = (immediates->flags & SOURCE_NULLABLE) != 0 && !question.takes_null;
    uint32_t other = may_be_null ? ALC_TYPE_OF_REF_NULL(immediates->value_type)
                                 : ALC_TYPE_OF_REF(immediates->value_type);
    LLVMValueRef fits = test(f, alc_lower_peek(f, 0), question);
    LLVMValueRef condition = on_failure ? LLVMBuildNot(f->builder, fits, "") : fits;
    alc_lower_branch_if(f, immediates->index, condition);
    alc_lower_peek(f, 0)->type = on_failure ? type_of_test(question) : other;
}

void alc_lower_cast(struct alc_lowering *f, enum alc_op op, const struct alc_immediates *immediates)
{
    switch ((int)op) {
    case ALC_OP_REF_TEST:
    case ALC_OP_REF_TEST_NULL:
        lower_ref_test(f, (struct test){immediates->value_type, op == ALC_OP_REF_TEST_NULL});
        return;
    case ALC_OP_REF_CAST:
    case ALC_OP_REF_CAST_NULL:
        lower_ref_cast(f, (struct test){immediates->value_type, op == ALC_OP_REF_CAST_NULL});
        return;
    default:
        lower_branch(f, immediates, op == ALC_OP_BR_ON_CAST_FAIL);
        return;
    }
}
