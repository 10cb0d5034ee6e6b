/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions. One in flight is a word of the context; after each call that may have let one pass
 * code looks at it, and goes to the landing of the innermost open try or returns. A landing is a
 * label, so locals meet there as anywhere; from it the clauses are tried in their order, then the
 * landing of the next try outward.
 *
 * An exception (exec/exception.h) is an object: behind the header the address of its tag, then its
 * payload in slots.
 */
#include "compiler/lower.h"

enum { TAG_OFFSET = 8, PAYLOAD_OFFSET = 16, SLOT_SIZE = 8 };

enum { WORD_DISTANCE = ALC_NATIVE_WORDS - 8 * ALC_NATIVE_WORD_EXCEPTION };

/* Kinds of clauses in the binary format. */
enum { CATCH_REF_BIT = 1, CATCH_ALL_BIT = 2 };

static LLVMValueRef load_in_flight(struct alc_lowering *f)
{
    return alc_lower_context_load(f, WORD_DISTANCE, f->unit->i64, ALC_ALIAS_WORDS);
}

static void set_in_flight(struct alc_lowering *f, LLVMValueRef exception)
{
    alc_lower_context_store(f, WORD_DISTANCE, exception, ALC_ALIAS_WORDS);
}

/* -- where an exception goes -- */

static bool catches(const struct alc_block *block)
{
    return block->op == ALC_OP_TRY || block->op == ALC_OP_TRY_TABLE;
}

/* The innermost try from the block at `depth` on outward; NULL: none. */
static struct alc_block *find_try(struct alc_lowering *f, uint32_t depth)
{
    for (; depth < f->depth; depth++) {
        struct alc_block *block = alc_lower_block(f, depth);
        if (catches(block)) {
            return block;
        }
    }
    return NULL;
}

/* The landing of a try, as a block without operands that assigns what the try assigns. */
static struct alc_block *landing_of(struct alc_lowering *f, struct alc_block *try_block)
{
    if (try_block->landing == NULL) {
        struct alc_block *landing = ALC_ARENA_ARRAY(f->arena, struct alc_block, 1);
        if (landing == NULL) {
            alc_lower_fail(f, ALC_E_OUT_OF_MEMORY);
            return NULL;
        }
        *landing = (struct alc_block){.op = ALC_OP_BLOCK,
                                      .single = ALC_TYPE_BOTTOM,
                                      .height = try_block->height,
                                      .first_assignment = try_block->first_assignment,
                                      .last_assignment = try_block->last_assignment};
        try_block->landing = landing;
    }
    return try_block->landing;
}

/* Where an exception goes from here that the blocks from `depth` on outward see; NULL: no memory.
 */
static LLVMBasicBlockRef way_out(struct alc_lowering *f, uint32_t depth)
{
    struct alc_block *try_block = find_try(f, depth);
    if (try_block == NULL) {
        if (f->leaving == NULL) {
            f->leaving = alc_lower_new_block(f);
        }
        return f->leaving;
    }
    struct alc_block *landing = landing_of(f, try_block);
    if (landing == NULL) {
        return NULL;
    }
    alc_label_branch(f, landing, LLVMGetInsertBlock(f->builder), 1);
    return f->failed == ALC_OK ? landing->label.block : NULL;
}

static void leave(struct alc_lowering *f, uint32_t depth)
{
    LLVMBasicBlockRef target = way_out(f, depth);
    if (target != NULL) {
        (void)LLVMBuildBr(f->builder, target);
    }
    alc_lower_end_fuel_block(f);
    f->is_dead = true;
}

void alc_lower_look(struct alc_lowering *f)
{
    if ((f->unit->options->options & ALC_NATIVE_CATCHES) == 0) {
        return;
    }
    LLVMBasicBlockRef target = way_out(f, 0);
    if (target == NULL) {
        return;
    }
    LLVMValueRef is_in_flight =
        LLVMBuildICmp(f->builder, LLVMIntNE, load_in_flight(f), alc_lower_i64(f, 0), "");
    LLVMBasicBlockRef next = alc_lower_new_block(f);
    alc_lower_rare_branch(f, is_in_flight, target, next);
    alc_lower_continue_in(f, next);
}

void alc_lower_finish_exceptions(struct alc_lowering *f)
{
    if (f->leaving == NULL) {
        return;
    }
    alc_lower_continue_in(f, f->leaving);
    if (f->type->results_count == 1) {
        (void)LLVMBuildRet(f->builder, alc_lower_zero(f, f->type->results[0]));
    } else {
        (void)LLVMBuildRetVoid(f->builder);
    }
}

/* -- catching -- */

static LLVMValueRef load_at(struct alc_lowering *f, LLVMValueRef base, uint64_t offset,
                            LLVMTypeRef type)
{
    LLVMValueRef address = LLVMBuildAdd(f->builder, base, alc_lower_i64(f, offset), "");
    LLVMValueRef pointer = LLVMBuildIntToPtr(f->builder, address, f->unit->pointer, "");
    LLVMValueRef load = LLVMBuildLoad2(f->builder, type, pointer, "");
    LLVMSetAlignment(load, SLOT_SIZE);
    alc_unit_set_alias(f->unit, load, ALC_ALIAS_OBJECTS);
    return load;
}

/* Goes on where the exception has the tag, a new block; returns that where it has not. */
static LLVMBasicBlockRef test_tag(struct alc_lowering *f, LLVMValueRef exception, uint32_t tag)
{
    LLVMValueRef tags =
        alc_lower_context_load(f, ALC_NATIVE_TAGS, f->unit->i64, ALC_ALIAS_READ_ONLY);
    LLVMValueRef wanted = load_at(f, tags, (uint64_t)tag * SLOT_SIZE, f->unit->i64);
    LLVMValueRef actual = load_at(f, exception, TAG_OFFSET, f->unit->i64);
    LLVMValueRef is_wanted = LLVMBuildICmp(f->builder, LLVMIntEQ, actual, wanted, "");
    LLVMBasicBlockRef hit = alc_lower_new_block(f);
    LLVMBasicBlockRef miss = alc_lower_new_block(f);
    (void)LLVMBuildCondBr(f->builder, is_wanted, hit, miss);
    alc_lower_continue_in(f, hit);
    return miss;
}

static const struct alc_function_type *type_of_tag(const struct alc_lowering *f, uint32_t tag)
{
    return &alc_types_get(f->module->types, f->module->tags[tag])->function;
}

static void push_payload(struct alc_lowering *f, LLVMValueRef exception, uint32_t tag)
{
    const struct alc_function_type *type = type_of_tag(f, tag);
    uint64_t offset = PAYLOAD_OFFSET;
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        uint32_t parameter = type->parameters[i];
        alc_lower_push(f, load_at(f, exception, offset, alc_lower_type(f, parameter)), parameter);
        offset += SLOT_SIZE * alc_type_slots(parameter);
    }
}

/* Branches to the open block at `depth` with what is on the stack, for good. */
static void branch(struct alc_lowering *f, uint32_t depth)
{
    struct alc_block *block = alc_lower_block(f, depth);
    alc_label_branch(f, block, LLVMGetInsertBlock(f->builder), 1);
    if (f->failed == ALC_OK) {
        (void)LLVMBuildBr(f->builder, block->label.block);
    }
}

/* Whether anybody comes to the landing of `block`; then building goes on there. */
static bool enter_landing(struct alc_lowering *f, struct alc_block *block)
{
    alc_roots_end_block(f);
    if (block->landing == NULL || f->failed != ALC_OK) {
        return false;
    }
    alc_lower_end_fuel_block(f);
    alc_label_enter(f, block->landing);
    f->is_dead = false;
    return true;
}

/* -- try_table -- */

/* One clause at the reader's place; false: nothing gets past it. */
static bool lower_clause(struct alc_lowering *f, struct alc_body *clauses, LLVMValueRef exception)
{
    struct alc_clause clause = alc_body_clause(clauses);
    LLVMBasicBlockRef miss = NULL;
    uint32_t height = f->height;
    if ((clause.kind & CATCH_ALL_BIT) == 0) {
        miss = test_tag(f, exception, clause.tag_index);
        push_payload(f, exception, clause.tag_index);
    }
    if ((clause.kind & CATCH_REF_BIT) != 0) {
        alc_lower_push(f, exception, ALC_TYPE_OF_REF(ALC_HEAP_EXN));
    }
    set_in_flight(f, alc_lower_i64(f, 0));
    branch(f, clause.depth + 1); /* counted from outside the try_table */
    f->height = height;
    if (miss != NULL) {
        alc_lower_continue_in(f, miss);
    }
    return miss != NULL;
}

static void lower_clauses(struct alc_lowering *f, const struct alc_block *block)
{
    struct alc_body clauses = f->body;
    clauses.reader.pos = block->clauses;
    LLVMValueRef exception = load_in_flight(f);
    bool goes_on = true;
    for (uint32_t i = 0; i < block->clauses_count && goes_on && f->failed == ALC_OK; i++) {
        goes_on = lower_clause(f, &clauses, exception);
    }
    if (goes_on) {
        leave(f, 1);
    }
    f->is_dead = true;
}

static void lower_try(struct alc_lowering *f, enum alc_op op,
                      const struct alc_immediates *immediates)
{
    struct alc_block *block = alc_lower_open_block(f, op, immediates);
    block->clauses = immediates->list;
    block->clauses_count = op == ALC_OP_TRY_TABLE ? immediates->index : 0;
}

/* -- the legacy proposal -- */

/* The body, or a catch before, ends where it falls out of. */
static void fall_out(struct alc_lowering *f)
{
    if (!f->is_dead) {
        branch(f, 0);
    }
    f->is_dead = true;
}

/* Building goes on where the catches so far were not it, if anybody comes there. */
static bool enter_misses(struct alc_lowering *f, struct alc_block *block)
{
    if (block->op == ALC_OP_TRY) {
        return enter_landing(f, block);
    }
    alc_roots_end_block(f);
    if (block->miss == NULL) {
        return false;
    }
    const struct alc_label *label = &block->landing->label;
    for (uint32_t i = 0; i < label->locals_count; i++) {
        f->locals[label->locals[i]] = label->merged[i].value;
    }
    alc_lower_continue_in(f, block->miss);
    block->miss = NULL;
    f->height = block->height;
    f->is_dead = false;
    return true;
}

/* The exception stays on the stack, below what the body sees, for rethrow. */
static void lower_catch(struct alc_lowering *f, enum alc_op op, uint32_t tag)
{
    struct alc_block *block = alc_lower_block(f, 0);
    fall_out(f);
    bool is_reached = enter_misses(f, block);
    block->op = op;
    if (!is_reached || f->failed != ALC_OK) {
        return;
    }
    LLVMValueRef exception = load_in_flight(f);
    if (op == ALC_OP_CATCH) {
        block->miss = test_tag(f, exception, tag);
    }
    set_in_flight(f, alc_lower_i64(f, 0));
    alc_lower_push(f, exception, ALC_TYPE_OF_REF(ALC_HEAP_EXN));
    if (op == ALC_OP_CATCH) {
        push_payload(f, exception, tag);
    }
    alc_lower_end_fuel_block(f);
}

void alc_lower_end_try(struct alc_lowering *f, struct alc_block *block)
{
    if (block->op == ALC_OP_TRY_TABLE) {
        if (block->landing != NULL) {
            fall_out(f);
            (void)enter_landing(f, block);
            lower_clauses(f, block);
        }
    } else {
        fall_out(f);
        if (enter_misses(f, block)) {
            leave(f, 1);
        }
    }
}

/* As if the body stood in the block that the label names, counted from outside the try. */
static void lower_delegate(struct alc_lowering *f, uint32_t label)
{
    struct alc_block *block = alc_lower_block(f, 0);
    fall_out(f);
    if (enter_landing(f, block)) {
        leave(f, label + 1);
    }
    block->op = ALC_OP_BLOCK; /* nothing is left but an end */
    alc_lower_control(f, ALC_OP_END, NULL);
}

/* -- throwing -- */

static void lower_throw(struct alc_lowering *f, uint32_t tag)
{
    const uint32_t result = ALC_TYPE_OF_REF(ALC_HEAP_EXN);
    alc_roots_store(f);
    alc_lower_operation(f, ALC_OP_THROW, tag, 0, type_of_tag(f, tag)->parameters_count, &result, 1);
    set_in_flight(f, alc_lower_pop(f));
    leave(f, 0);
}

static void lower_throw_ref(struct alc_lowering *f)
{
    set_in_flight(f, alc_lower_pop_not_null(f, ALC_NATIVE_TRAP_NULL_EXCEPTION));
    leave(f, 0);
}

/* The exception of the catch at `depth`. */
static void lower_rethrow(struct alc_lowering *f, uint32_t depth)
{
    const struct alc_block *block = alc_lower_block(f, depth);
    set_in_flight(f, f->operands[block->height].value);
    leave(f, 0);
}

void alc_lower_exception(struct alc_lowering *f, enum alc_op op,
                         const struct alc_immediates *immediates)
{
    switch ((int)op) {
    case ALC_OP_TRY:
    case ALC_OP_TRY_TABLE:
        lower_try(f, op, immediates);
        return;
    case ALC_OP_CATCH:
    case ALC_OP_CATCH_ALL:
        lower_catch(f, op, immediates->index);
        return;
    case ALC_OP_DELEGATE:
        lower_delegate(f, immediates->index);
        return;
    case ALC_OP_THROW:
        lower_throw(f, immediates->index);
        return;
    case ALC_OP_THROW_REF:
        lower_throw_ref(f);
        return;
    default:
        lower_rethrow(f, immediates->index);
        return;
    }
}
