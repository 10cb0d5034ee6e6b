/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying and filling memory. Small sizes are two accesses that overlap in the middle; large ones
 * are loops over four vectors, whose rest at the other end is loaded before the first store.
 * Vectors are as wide as the processor's are.
 */
#include "compiler/helpers.h"

#include "compiler/symbols.h"

enum { VECTORS = 4 }; /* in a block */

/* A helper being built. */
struct build {
    struct alc_unit *unit;
    LLVMBuilderRef builder;
    LLVMValueRef function;
    LLVMTypeRef address;
    LLVMValueRef target;
    LLVMValueRef source;
    LLVMValueRef bytes; /* of a fill: eight of them; else NULL */
    LLVMValueRef size;
    LLVMTypeRef vector;
    uint32_t vector_size;
    uint32_t block_size;
};

LLVMTypeRef alc_helper_address_type(const struct alc_unit *unit)
{
    return unit->target->shape == ALC_NATIVE_CONFINED ? unit->i32 : unit->i64;
}

LLVMTypeRef alc_helper_signature(const struct alc_unit *unit, enum alc_helper helper)
{
    LLVMTypeRef address = alc_helper_address_type(unit);
    LLVMTypeRef parameters[] = {address, helper == ALC_HELPER_FILL ? unit->i32 : address, address};
    return LLVMFunctionType(unit->void_type, parameters, ALC_ARRAY_COUNT(parameters), 0);
}

LLVMValueRef alc_helper_spread(const struct alc_unit *unit, LLVMBuilderRef builder,
                               LLVMValueRef value)
{
    LLVMValueRef byte = LLVMBuildAnd(builder, value, LLVMConstInt(unit->i32, 0xff, 0), "");
    byte = LLVMBuildZExt(builder, byte, unit->i64, "");
    return LLVMBuildMul(builder, byte, LLVMConstInt(unit->i64, UINT64_C(0x0101010101010101), 0),
                        "");
}

LLVMValueRef alc_helper_repeat(const struct alc_unit *unit, LLVMBuilderRef builder,
                               LLVMTypeRef vector, LLVMValueRef bytes)
{
    LLVMValueRef all = LLVMGetPoison(vector);
    for (unsigned i = 0; i < LLVMGetVectorSize(vector); i++) {
        all = LLVMBuildInsertElement(builder, all, bytes, LLVMConstInt(unit->i32, i, 0), "");
    }
    return all;
}

/* -- pieces -- */

static LLVMValueRef number(const struct build *b, uint64_t value)
{
    return LLVMConstInt(b->address, value, 0);
}

static LLVMBasicBlockRef new_block(const struct build *b)
{
    return LLVMAppendBasicBlockInContext(b->unit->context, b->function, "");
}

static LLVMValueRef pointer_at(const struct build *b, LLVMValueRef base, LLVMValueRef offset)
{
    LLVMValueRef address = LLVMBuildAdd(b->builder, base, offset, "");
    return LLVMBuildIntToPtr(b->builder, address, b->unit->memory_pointer, "");
}

/* What is to be written at an offset: from the source, or the value that fills. */
static LLVMValueRef get_piece(const struct build *b, LLVMTypeRef type, LLVMValueRef offset)
{
    if (b->bytes == NULL) {
        LLVMValueRef load = LLVMBuildLoad2(b->builder, type, pointer_at(b, b->source, offset), "");
        LLVMSetAlignment(load, 1);
        return load;
    }
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind
               ? alc_helper_repeat(b->unit, b->builder, type, b->bytes)
               : LLVMBuildTruncOrBitCast(b->builder, b->bytes, type, "");
}

static void put_piece(const struct build *b, LLVMValueRef piece, LLVMValueRef offset)
{
    LLVMValueRef store = LLVMBuildStore(b->builder, piece, pointer_at(b, b->target, offset));
    LLVMSetAlignment(store, 1);
}

static LLVMValueRef from_end(const struct build *b, uint64_t distance)
{
    return LLVMBuildSub(b->builder, b->size, number(b, distance), "");
}

/* Sizes from step * count to twice of it: `count` accesses at each end. */
static void write_ends(const struct build *b, LLVMTypeRef type, unsigned step, unsigned count)
{
    LLVMValueRef pieces[2][VECTORS];
    for (unsigned i = 0; i < count; i++) {
        pieces[0][i] = get_piece(b, type, number(b, step * i));
        pieces[1][i] = get_piece(b, type, from_end(b, step * (i + 1)));
    }
    for (unsigned i = 0; i < count; i++) {
        put_piece(b, pieces[0][i], number(b, step * i));
        put_piece(b, pieces[1][i], from_end(b, step * (i + 1)));
    }
    (void)LLVMBuildRetVoid(b->builder);
}

static void get_block(const struct build *b, LLVMValueRef offset, LLVMValueRef out[VECTORS])
{
    for (unsigned i = 0; i < VECTORS; i++) {
        LLVMValueRef at =
            LLVMBuildAdd(b->builder, offset, number(b, (uint64_t)b->vector_size * i), "");
        out[i] = get_piece(b, b->vector, at);
    }
}

static void put_block(const struct build *b, LLVMValueRef offset, LLVMValueRef pieces[VECTORS])
{
    for (unsigned i = 0; i < VECTORS; i++) {
        put_piece(b, pieces[i],
                  LLVMBuildAdd(b->builder, offset, number(b, (uint64_t)b->vector_size * i), ""));
    }
}

/* Block after block from one end on, and at last the block at the other end, which was read before
 * anything was written. */
static void write_blocks(const struct build *b, bool is_upwards)
{
    LLVMValueRef kept[VECTORS];
    LLVMValueRef pieces[VECTORS];
    LLVMValueRef last = from_end(b, b->block_size);
    LLVMValueRef first = is_upwards ? number(b, 0) : last;
    LLVMValueRef rest = is_upwards ? last : number(b, 0);
    get_block(b, rest, kept);
    LLVMBasicBlockRef sources[] = {LLVMGetInsertBlock(b->builder), new_block(b)};
    LLVMBasicBlockRef after = new_block(b);
    (void)LLVMBuildBr(b->builder, sources[1]);
    LLVMPositionBuilderAtEnd(b->builder, sources[1]);
    LLVMValueRef at = LLVMBuildPhi(b->builder, b->address, "");
    get_block(b, at, pieces);
    put_block(b, at, pieces);
    LLVMValueRef step = number(b, b->block_size);
    LLVMValueRef next = is_upwards ? LLVMBuildAdd(b->builder, at, step, "")
                                   : LLVMBuildSub(b->builder, at, step, "");
    LLVMValueRef goes_on = is_upwards ? LLVMBuildICmp(b->builder, LLVMIntULT, next, last, "")
                                      : LLVMBuildICmp(b->builder, LLVMIntUGT, at, step, "");
    LLVMValueRef incoming[] = {first, next};
    LLVMAddIncoming(at, incoming, sources, 2);
    (void)LLVMBuildCondBr(b->builder, goes_on, sources[1], after);
    LLVMPositionBuilderAtEnd(b->builder, after);
    put_block(b, rest, kept);
    (void)LLVMBuildRetVoid(b->builder);
}

/* More than a block. Upwards, unless the target begins inside the source. */
static void write_large(const struct build *b)
{
    if (b->bytes == NULL) {
        LLVMBasicBlockRef upwards = new_block(b);
        LLVMBasicBlockRef downwards = new_block(b);
        LLVMValueRef distance = LLVMBuildSub(b->builder, b->target, b->source, "");
        LLVMValueRef is_apart = LLVMBuildICmp(b->builder, LLVMIntUGE, distance, b->size, "");
        (void)LLVMBuildCondBr(b->builder, is_apart, upwards, downwards);
        LLVMPositionBuilderAtEnd(b->builder, downwards);
        write_blocks(b, false);
        LLVMPositionBuilderAtEnd(b->builder, upwards);
    }
    write_blocks(b, true);
}

/* Building goes on where the size is at least `limit`; the block where it is not is returned. */
static LLVMBasicBlockRef split(const struct build *b, uint64_t limit)
{
    LLVMBasicBlockRef above = new_block(b);
    LLVMBasicBlockRef below = new_block(b);
    LLVMValueRef is_above = LLVMBuildICmp(b->builder, LLVMIntUGE, b->size, number(b, limit), "");
    (void)LLVMBuildCondBr(b->builder, is_above, above, below);
    LLVMPositionBuilderAtEnd(b->builder, above);
    return below;
}

static void build_body(const struct build *b)
{
    const struct alc_unit *unit = b->unit;
    const struct {
        LLVMTypeRef type;
        unsigned step;
        unsigned count;
    } rows[] = {{b->vector, b->vector_size, 2},
                {b->vector, b->vector_size, 1},
                {unit->i64x2, 16, 1},
                {unit->i64, 8, 1},
                {unit->i32, 4, 1},
                {unit->i16, 2, 1},
                {unit->i8, 1, 1}};
    LLVMBasicBlockRef below = split(b, b->block_size + UINT64_C(1));
    write_large(b);
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (i > 1 && rows[i].step == rows[i - 1].step) { /* vectors of 16 bytes */
            continue;
        }
        LLVMPositionBuilderAtEnd(b->builder, below);
        below = split(b, (uint64_t)rows[i].step * rows[i].count);
        write_ends(b, rows[i].type, rows[i].step, rows[i].count);
    }
    LLVMPositionBuilderAtEnd(b->builder, below);
    (void)LLVMBuildRetVoid(b->builder);
}

void alc_helpers_build(struct alc_unit *unit)
{
    uint32_t lanes = (unit->options->features & ALC_NATIVE_V3) != 0 ? 4 : 2;
    uint32_t vector_size = 8 * lanes;
    LLVMSetCurrentDebugLocation2(unit->builder, NULL);
    for (unsigned helper = 0; helper < ALC_HELPERS_COUNT; helper++) {
        char name[ALC_SYMBOL_SIZE];
        alc_symbol_write_definition(name, unit->module->functions_count + helper);
        LLVMValueRef function =
            LLVMAddFunction(unit->ir, name, alc_helper_signature(unit, (enum alc_helper)helper));
        alc_target_set_attributes(unit->options->features, unit->context, function);
        LLVMPositionBuilderAtEnd(unit->builder,
                                 LLVMAppendBasicBlockInContext(unit->context, function, ""));
        struct build build = {.unit = unit,
                              .builder = unit->builder,
                              .function = function,
                              .address = alc_helper_address_type(unit),
                              .target = LLVMGetParam(function, 0),
                              .source = LLVMGetParam(function, 1),
                              .size = LLVMGetParam(function, 2),
                              .vector = LLVMVectorType(unit->i64, lanes),
                              .vector_size = vector_size,
                              .block_size = VECTORS * vector_size};
        if (helper == ALC_HELPER_FILL) {
            build.bytes = alc_helper_spread(unit, unit->builder, build.source);
        }
        build_body(&build);
    }
}
