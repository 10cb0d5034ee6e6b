/* SPDX-License-Identifier: Apache-2.0
 *
 * Structures and arrays as they lie in memory (exec/object.h): their fields and elements are read
 * and written here, made and treated in bulk they are by the runtime. A new object comes back
 * zeroed and is filled here: nothing can be collected in between.
 */
#include "compiler/lower.h"

/* An object: its type's canonical id, an array's length, fields or elements. */
enum { LENGTH_OFFSET = 4, HEADER_SIZE = 8 };

/* -- places in objects -- */

static LLVMValueRef pointer_at(struct alc_lowering *f, LLVMValueRef object, LLVMValueRef offset)
{
    LLVMValueRef address = LLVMBuildAdd(f->builder, object, offset, "");
    return LLVMBuildIntToPtr(f->builder, address, f->unit->pointer, "");
}

/* LLVM's type of a storage type. */
static LLVMTypeRef storage_type(struct alc_lowering *f, uint32_t type)
{
    switch ((int)alc_type_kind(type)) {
    case ALC_KIND_I8:
        return f->unit->i8;
    case ALC_KIND_I16:
        return f->unit->i16;
    default:
        return alc_lower_type(f, type);
    }
}

static LLVMValueRef load(struct alc_lowering *f, LLVMTypeRef type, LLVMValueRef pointer)
{
    LLVMValueRef value = LLVMBuildLoad2(f->builder, type, pointer, "");
    LLVMSetAlignment(value, 1);
    alc_unit_set_alias(f->unit, value, ALC_ALIAS_OBJECTS);
    return value;
}

static void push_loaded(struct alc_lowering *f, LLVMValueRef pointer, uint32_t type, bool is_signed)
{
    LLVMValueRef value = load(f, storage_type(f, type), pointer);
    uint32_t unpacked = alc_type_unpacked(type);
    if (unpacked != type) {
        value = is_signed ? LLVMBuildSExt(f->builder, value, f->unit->i32, "")
                          : LLVMBuildZExt(f->builder, value, f->unit->i32, "");
    }
    alc_lower_push(f, value, unpacked);
}

static void store(struct alc_lowering *f, LLVMValueRef value, LLVMValueRef pointer, uint32_t type)
{
    if (alc_type_unpacked(type) != type) {
        value = LLVMBuildTrunc(f->builder, value, storage_type(f, type), "");
    }
    LLVMValueRef access = LLVMBuildStore(f->builder, value, pointer);
    LLVMSetAlignment(access, 1);
    alc_unit_set_alias(f->unit, access, ALC_ALIAS_OBJECTS);
}

/* The collector, while it marks, is told of the reference that is about to be overwritten. */
static void report_overwritten(struct alc_lowering *f, LLVMValueRef pointer)
{
    LLVMValueRef place =
        alc_lower_context_load(f, ALC_NATIVE_PHASE, f->unit->pointer, ALC_ALIAS_READ_ONLY);
    LLVMValueRef is_marking = LLVMBuildICmp(f->builder, LLVMIntEQ, load(f, f->unit->i32, place),
                                            alc_lower_i32(f, ALC_NATIVE_MARKING), "");
    LLVMBasicBlockRef marking = alc_lower_new_block(f);
    LLVMBasicBlockRef next = alc_lower_new_block(f);
    alc_lower_rare_branch(f, is_marking, marking, next);
    alc_lower_continue_in(f, marking);
    alc_lower_push(f, load(f, f->unit->i64, pointer), ALC_TYPE_I64);
    alc_lower_operation(f, ALC_OP_STRUCT_SET, 0, 0, 1, NULL, 0);
    (void)LLVMBuildBr(f->builder, next);
    alc_lower_continue_in(f, next);
}

static void overwrite(struct alc_lowering *f, LLVMValueRef value, LLVMValueRef pointer,
                      const struct alc_field *field)
{
    if (field->is_traced) {
        report_overwritten(f, pointer);
    }
    store(f, value, pointer, field->type);
}

/* -- structures -- */

static LLVMValueRef field_pointer(struct alc_lowering *f, LLVMValueRef object,
                                  const struct alc_field *field)
{
    return pointer_at(f, object, alc_lower_i64(f, HEADER_SIZE + field->offset));
}

static const struct alc_field *field_of(const struct alc_immediates *immediates)
{
    return &immediates->type->structure.fields[immediates->second];
}

static void lower_struct_get(struct alc_lowering *f, const struct alc_immediates *immediates,
                             bool is_signed)
{
    const struct alc_field *field = field_of(immediates);
    LLVMValueRef object = alc_lower_pop_not_null(f, ALC_NATIVE_TRAP_NULL_STRUCTURE);
    push_loaded(f, field_pointer(f, object, field), field->type, is_signed);
}

static void lower_struct_set(struct alc_lowering *f, const struct alc_immediates *immediates)
{
    const struct alc_field *field = field_of(immediates);
    LLVMValueRef value = alc_lower_pop(f);
    LLVMValueRef object = alc_lower_pop_not_null(f, ALC_NATIVE_TRAP_NULL_STRUCTURE);
    overwrite(f, value, field_pointer(f, object, field), field);
}

/* A new object of the type by an operation with so many operands on the stack. */
static LLVMValueRef new_object(struct alc_lowering *f, enum alc_op op,
                               const struct alc_immediates *immediates, uint32_t c,
                               uint32_t operands_count)
{
    uint32_t type = ALC_TYPE_OF_REF(immediates->type->id);
    alc_roots_store(f);
    alc_lower_operation(f, op, immediates->index, c, operands_count, &type, 1);
    return alc_lower_pop(f);
}

/* -- small objects are made here while there is a free place where the next one goes -- */

static LLVMValueRef load_at(struct alc_lowering *f, LLVMTypeRef type, LLVMValueRef base,
                            uint64_t offset)
{
    return load(f, type, pointer_at(f, base, alc_lower_i64(f, offset)));
}

/* A free place that was found. */
struct place {
    LLVMValueRef block;
    LLVMValueRef word; /* the pointer to that of `allocated` */
    LLVMValueRef bits; /* its contents */
    LLVMValueRef index;
};

/* Building goes on where the condition, which is seldom true, is not. */
static void go_if(struct alc_lowering *f, LLVMValueRef condition, LLVMBasicBlockRef target)
{
    LLVMBasicBlockRef next = alc_lower_new_block(f);
    alc_lower_rare_branch(f, condition, target, next);
    alc_lower_continue_in(f, next);
}

/* Goes to `slow` when there is none. */
static struct place find_place(struct alc_lowering *f, uint32_t size_class, LLVMBasicBlockRef slow)
{
    struct place place;
    LLVMValueRef phase =
        alc_lower_context_load(f, ALC_NATIVE_PHASE, f->unit->pointer, ALC_ALIAS_READ_ONLY);
    LLVMValueRef blocks =
        alc_lower_context_load(f, ALC_NATIVE_BLOCKS, f->unit->i64, ALC_ALIAS_READ_ONLY);
    place.block = load_at(f, f->unit->i64, blocks, size_class * sizeof(uint64_t));
    LLVMValueRef is_marking = LLVMBuildICmp(f->builder, LLVMIntEQ, load(f, f->unit->i32, phase),
                                            alc_lower_i32(f, ALC_NATIVE_MARKING), "");
    go_if(f, is_marking, slow);
    go_if(f, alc_lower_is_null(f, place.block), slow);
    LLVMValueRef cursor =
        load_at(f, f->unit->i32, place.block, offsetof(struct alc_native_block, cursor));
    LLVMValueRef cursor_64 = LLVMBuildZExt(f->builder, cursor, f->unit->i64, "");
    LLVMValueRef offset =
        LLVMBuildMul(f->builder, cursor_64, alc_lower_i64(f, sizeof(uint64_t)), "");
    offset = LLVMBuildAdd(f->builder, offset,
                          alc_lower_i64(f, offsetof(struct alc_native_block, allocated)), "");
    place.word = pointer_at(f, place.block, offset);
    place.bits = load(f, f->unit->i64, place.word);
    go_if(f, LLVMBuildICmp(f->builder, LLVMIntEQ, place.bits, alc_lower_i64(f, UINT64_MAX), ""),
          slow);
    LLVMValueRef free[] = {LLVMBuildNot(f->builder, place.bits, ""), LLVMConstAllOnes(f->unit->i1)};
    LLVMValueRef bit = alc_lower_intrinsic(f, "llvm.cttz", &f->unit->i64, 1, free, 2);
    LLVMValueRef first = LLVMBuildMul(f->builder, cursor_64, alc_lower_i64(f, 64), "");
    place.index = LLVMBuildAdd(f->builder, first, bit, "");
    LLVMValueRef count =
        load_at(f, f->unit->i32, place.block, offsetof(struct alc_native_block, objects_count));
    count = LLVMBuildZExt(f->builder, count, f->unit->i64, "");
    go_if(f, LLVMBuildICmp(f->builder, LLVMIntUGE, place.index, count, ""), slow);
    return place;
}

/* The object in the place, with its header. */
static LLVMValueRef take_place(struct alc_lowering *f, const struct place *place,
                               uint32_t size_class, uint32_t type_index, uint32_t length)
{
    uint64_t size = (uint64_t)ALC_NATIVE_GRANULE * (size_class + 1);
    LLVMValueRef next = LLVMBuildAdd(f->builder, place->bits, alc_lower_i64(f, 1), "");
    store(f, LLVMBuildOr(f->builder, place->bits, next, ""), place->word, ALC_TYPE_I64);
    LLVMValueRef offset = LLVMBuildMul(f->builder, place->index, alc_lower_i64(f, size), "");
    offset =
        LLVMBuildAdd(f->builder, offset, alc_lower_i64(f, sizeof(struct alc_native_block)), "");
    LLVMValueRef object = LLVMBuildAdd(f->builder, place->block, offset, "");
    LLVMValueRef types =
        alc_lower_context_load(f, ALC_NATIVE_TYPES, f->unit->i64, ALC_ALIAS_READ_ONLY);
    LLVMValueRef id = load_at(f, f->unit->i32, types, (uint64_t)type_index * sizeof(uint32_t));
    store(f, id, pointer_at(f, object, alc_lower_i64(f, 0)), ALC_TYPE_I32);
    store(f, alc_lower_i32(f, length), pointer_at(f, object, alc_lower_i64(f, LENGTH_OFFSET)),
          ALC_TYPE_I32);
    return object;
}

/* A new object of `size` bytes behind its header, which the caller fills; `op` makes it where it is
 * not made here, with `length` as its c. */
static LLVMValueRef new_filled(struct alc_lowering *f, enum alc_op op,
                               const struct alc_immediates *immediates, uint32_t length,
                               uint64_t size)
{
    if (size + HEADER_SIZE > ALC_NATIVE_SMALL_MAX) {
        return new_object(f, op, immediates, length, 0);
    }
    uint32_t size_class =
        (uint32_t)((size + HEADER_SIZE + ALC_NATIVE_GRANULE - 1) / ALC_NATIVE_GRANULE - 1);
    LLVMBasicBlockRef slow = alc_lower_new_block(f);
    LLVMBasicBlockRef end = alc_lower_new_block(f);
    struct place place = find_place(f, size_class, slow);
    LLVMValueRef objects[2];
    LLVMBasicBlockRef sources[2];
    objects[0] = take_place(f, &place, size_class, immediates->index, length);
    sources[0] = LLVMGetInsertBlock(f->builder);
    (void)LLVMBuildBr(f->builder, end);
    alc_lower_continue_in(f, slow);
    uint32_t mark = f->roots.stores_count;
    objects[1] = new_object(f, op, immediates, length, 0);
    alc_roots_forget(f, mark);
    sources[1] = LLVMGetInsertBlock(f->builder);
    (void)LLVMBuildBr(f->builder, end);
    alc_lower_continue_in(f, end);
    LLVMValueRef object = LLVMBuildPhi(f->builder, f->unit->i64, "");
    LLVMAddIncoming(object, objects, sources, 2);
    return object;
}

static void push_object(struct alc_lowering *f, LLVMValueRef object,
                        const struct alc_immediates *immediates)
{
    alc_lower_push(f, object, ALC_TYPE_OF_REF(immediates->type->id));
}

static void lower_struct_new(struct alc_lowering *f, const struct alc_immediates *immediates)
{
    const struct alc_struct_type *structure = &immediates->type->structure;
    LLVMValueRef object = new_filled(f, ALC_OP_STRUCT_NEW, immediates, 0, structure->size);
    f->height -= structure->fields_count;
    for (uint32_t i = 0; i < structure->fields_count; i++) {
        const struct alc_field *field = &structure->fields[i];
        store(f, f->operands[f->height + i].value, field_pointer(f, object, field), field->type);
    }
    push_object(f, object, immediates);
}

/* -- arrays -- */

static LLVMValueRef load_length(struct alc_lowering *f, LLVMValueRef array)
{
    return load(f, f->unit->i32, pointer_at(f, array, alc_lower_i64(f, LENGTH_OFFSET)));
}

static LLVMValueRef element_pointer(struct alc_lowering *f, LLVMValueRef array, LLVMValueRef index,
                                    const struct alc_field *element)
{
    LLVMValueRef size = alc_lower_i64(f, alc_type_size(element->type));
    LLVMValueRef offset = LLVMBuildZExt(f->builder, index, f->unit->i64, "");
    offset = LLVMBuildMul(f->builder, offset, size, "");
    offset = LLVMBuildAdd(f->builder, offset, alc_lower_i64(f, HEADER_SIZE), "");
    return pointer_at(f, array, offset);
}

/* Pops array and index. */
static LLVMValueRef pop_element(struct alc_lowering *f, const struct alc_field *element)
{
    LLVMValueRef index = alc_lower_pop(f);
    LLVMValueRef array = alc_lower_pop_not_null(f, ALC_NATIVE_TRAP_NULL_ARRAY);
    LLVMValueRef is_behind =
        LLVMBuildICmp(f->builder, LLVMIntUGE, index, load_length(f, array), "");
    alc_lower_trap_if(f, is_behind, ALC_NATIVE_TRAP_ARRAY_OUT_OF_BOUNDS);
    return element_pointer(f, array, index, element);
}

static void lower_array_get(struct alc_lowering *f, const struct alc_immediates *immediates,
                            bool is_signed)
{
    const struct alc_field *element = &immediates->type->array;
    push_loaded(f, pop_element(f, element), element->type, is_signed);
}

static void lower_array_set(struct alc_lowering *f, const struct alc_immediates *immediates)
{
    const struct alc_field *element = &immediates->type->array;
    LLVMValueRef value = alc_lower_pop(f);
    overwrite(f, value, pop_element(f, element), element);
}

static void lower_array_new_fixed(struct alc_lowering *f, const struct alc_immediates *immediates)
{
    const struct alc_field *element = &immediates->type->array;
    uint32_t count = immediates->second;
    LLVMValueRef array = new_filled(f, ALC_OP_ARRAY_NEW_FIXED, immediates, count,
                                    (uint64_t)count * alc_type_size(element->type));
    f->height -= count;
    for (uint32_t i = 0; i < count; i++) {
        LLVMValueRef pointer = element_pointer(f, array, alc_lower_i32(f, i), element);
        store(f, f->operands[f->height + i].value, pointer, element->type);
    }
    push_object(f, array, immediates);
}

static void lower_array_len(struct alc_lowering *f)
{
    LLVMValueRef array = alc_lower_pop_not_null(f, ALC_NATIVE_TRAP_NULL_ARRAY);
    alc_lower_push(f, load_length(f, array), ALC_TYPE_I32);
}

void alc_lower_object(struct alc_lowering *f, enum alc_op op,
                      const struct alc_immediates *immediates)
{
    switch ((int)op) {
    case ALC_OP_STRUCT_NEW:
        lower_struct_new(f, immediates);
        return;
    case ALC_OP_STRUCT_NEW_DEFAULT:
        push_object(f, new_object(f, op, immediates, 0, 0), immediates);
        return;
    case ALC_OP_ARRAY_NEW_DEFAULT:
        push_object(f, new_object(f, op, immediates, 0, 1), immediates);
        return;
    case ALC_OP_STRUCT_GET:
    case ALC_OP_STRUCT_GET_S:
    case ALC_OP_STRUCT_GET_U:
        lower_struct_get(f, immediates, op == ALC_OP_STRUCT_GET_S);
        return;
    case ALC_OP_STRUCT_SET:
        lower_struct_set(f, immediates);
        return;
    case ALC_OP_ARRAY_NEW_FIXED:
        lower_array_new_fixed(f, immediates);
        return;
    case ALC_OP_ARRAY_NEW:
        push_object(f, new_object(f, op, immediates, 0, 2), immediates);
        return;
    case ALC_OP_ARRAY_NEW_DATA:
    case ALC_OP_ARRAY_NEW_ELEM:
        push_object(f, new_object(f, op, immediates, immediates->second, 2), immediates);
        return;
    case ALC_OP_ARRAY_GET:
    case ALC_OP_ARRAY_GET_S:
    case ALC_OP_ARRAY_GET_U:
        lower_array_get(f, immediates, op == ALC_OP_ARRAY_GET_S);
        return;
    case ALC_OP_ARRAY_SET:
        lower_array_set(f, immediates);
        return;
    case ALC_OP_ARRAY_LEN:
        lower_array_len(f);
        return;
    case ALC_OP_ARRAY_COPY:
        alc_lower_operation(f, op, immediates->index, immediates->second, 5, NULL, 0);
        return;
    case ALC_OP_ARRAY_FILL:
        alc_lower_operation(f, op, immediates->index, 0, 4, NULL, 0);
        return;
    default: /* ARRAY_INIT_DATA, ARRAY_INIT_ELEM */
        alc_lower_operation(f, op, immediates->index, immediates->second, 4, NULL, 0);
        return;
    }
}
