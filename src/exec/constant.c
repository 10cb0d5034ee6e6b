/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluates constant expressions (spec 4.5.4). They were validated when the module was loaded, so
 * operands are there and indices are in range; bytes are read with the bounded reader all the same.
 */
#include "base/bytes.h"
#include "exec/exec_internal.h"
#include "wasm/decode.h"

enum constant_op {
    OP_END = 0x0b,
    OP_GLOBAL_GET = 0x23,
    OP_I32_CONST = 0x41,
    OP_I64_CONST = 0x42,
    OP_F32_CONST = 0x43,
    OP_F64_CONST = 0x44,
    OP_I32_ADD = 0x6a,
    OP_I32_SUB = 0x6b,
    OP_I32_MUL = 0x6c,
    OP_I64_ADD = 0x7c,
    OP_I64_SUB = 0x7d,
    OP_I64_MUL = 0x7e,
    OP_REF_NULL = 0xd0,
    OP_REF_FUNC = 0xd2,
    PREFIX_GC = 0xfb,
    PREFIX_SIMD = 0xfd,
    GC_STRUCT_NEW = 0,
    GC_STRUCT_NEW_DEFAULT = 1,
    GC_ARRAY_NEW = 6,
    GC_ARRAY_NEW_DEFAULT = 7,
    GC_ARRAY_NEW_FIXED = 8,
    GC_ANY_CONVERT_EXTERN = 26,
    GC_EXTERN_CONVERT_ANY = 27,
    GC_REF_I31 = 28,
    SIMD_V128_CONST = 12,
};

enum { SMALL_STACK = 16 };

struct machine {
    const struct alc_instance *instance;
    struct alc_reader reader;
    union alc_cell *stack;
    uint32_t depth;
    uint32_t depth_max;
};

static alc_status push_cell(struct machine *machine, union alc_cell value)
{
    ALC_ASSERT(machine->depth < machine->depth_max);
    machine->stack[machine->depth++] = value;
    return ALC_OK;
}

static alc_status push_u64(struct machine *machine, uint64_t value)
{
    return push_cell(machine, (union alc_cell){.slots = {value, 0}});
}

static alc_status run_number(struct machine *machine, uint8_t op)
{
    int32_t s32;
    int64_t s64;
    uint32_t u32;
    uint64_t u64;
    switch (op) {
    case OP_I32_CONST:
        ALC_TRY(alc_read_leb_s32(&machine->reader, &s32));
        return push_u64(machine, (uint32_t)s32);
    case OP_I64_CONST:
        ALC_TRY(alc_read_leb_s64(&machine->reader, &s64));
        return push_u64(machine, (uint64_t)s64);
    case OP_F32_CONST:
        ALC_TRY(alc_read_u32(&machine->reader, &u32));
        return push_u64(machine, u32);
    default:
        ALC_TRY(alc_read_u64(&machine->reader, &u64));
        return push_u64(machine, u64);
    }
}

static alc_status run_binary(struct machine *machine, uint8_t op)
{
    ALC_ASSERT(machine->depth >= 2);
    uint64_t b = machine->stack[--machine->depth].u64;
    uint64_t a = machine->stack[--machine->depth].u64;
    switch (op) {
    case OP_I32_ADD:
        return push_u64(machine, (uint32_t)(a + b));
    case OP_I32_SUB:
        return push_u64(machine, (uint32_t)(a - b));
    case OP_I32_MUL:
        return push_u64(machine, (uint32_t)(a * b));
    case OP_I64_ADD:
        return push_u64(machine, a + b);
    case OP_I64_SUB:
        return push_u64(machine, a - b);
    default:
        return push_u64(machine, a * b);
    }
}

static alc_status run_reference(struct machine *machine, uint8_t op)
{
    uint32_t index;
    if (op == OP_REF_NULL) {
        uint32_t heap;
        ALC_TRY(alc_decode_heap_type(&machine->reader, machine->instance->module, &heap));
        return push_u64(machine, ALC_REF_NULL);
    }
    ALC_TRY(alc_read_leb_u32(&machine->reader, &index));
    if (op == OP_GLOBAL_GET) {
        return push_cell(machine, *machine->instance->globals[index]->cell);
    }
    return push_u64(machine, alc_reference_from_function(machine->instance->functions[index]));
}

/* -- objects -- */

/* Pops what `count` fields or elements are made of: the first of the cells. */
static const union alc_cell *pop_cells(struct machine *machine, uint32_t count)
{
    ALC_ASSERT(machine->depth >= count);
    machine->depth -= count;
    return machine->stack + machine->depth;
}

static alc_status push_object(struct machine *machine, const struct alc_object *object)
{
    return object == NULL ? ALC_E_OUT_OF_MEMORY
                          : push_u64(machine, alc_reference_from_object(object));
}

static alc_status run_struct_new(struct machine *machine, bool is_default)
{
    const struct alc_type *type;
    ALC_TRY(alc_decode_type_index(&machine->reader, machine->instance->module, &type));
    const struct alc_struct_type *structure = &type->structure;
    struct alc_object *object =
        alc_gc_new(&machine->instance->store->heap, type->id, 0, structure->size);
    if (object == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    uint8_t *bytes = alc_object_bytes(object);
    alc_fill(bytes, 0, structure->size);
    uint32_t count = is_default ? 0 : structure->fields_count;
    const union alc_cell *cells = pop_cells(machine, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct alc_field *field = &structure->fields[i];
        alc_object_store(bytes + field->offset, cells[i].slots, alc_type_size(field->type));
    }
    return push_object(machine, object);
}

static alc_status run_array_new(struct machine *machine, uint32_t number)
{
    static const union alc_cell NONE = {.slots = {0, 0}};
    const struct alc_type *type;
    uint32_t length;
    ALC_TRY(alc_decode_type_index(&machine->reader, machine->instance->module, &type));
    const union alc_cell *cells = &NONE;
    if (number == GC_ARRAY_NEW_FIXED) {
        ALC_TRY(alc_read_leb_u32(&machine->reader, &length));
        cells = pop_cells(machine, length);
    } else {
        length = pop_cells(machine, 1)->u32;
        cells = number == GC_ARRAY_NEW ? pop_cells(machine, 1) : cells;
    }
    uint32_t size = alc_type_size(type->array.type);
    struct alc_object *array =
        alc_gc_new(&machine->instance->store->heap, type->id, length, (uint64_t)length * size);
    for (uint32_t i = 0; array != NULL && i < length; i++) {
        alc_object_store(alc_object_element(array, i, size),
                         cells[number == GC_ARRAY_NEW_FIXED ? i : 0].slots, size);
    }
    return push_object(machine, array);
}

static alc_status run_prefixed(struct machine *machine, uint8_t prefix)
{
    uint32_t number;
    ALC_TRY(alc_read_leb_u32(&machine->reader, &number));
    if (prefix == PREFIX_SIMD && number == SIMD_V128_CONST) {
        union alc_cell value;
        ALC_TRY(alc_read_u64(&machine->reader, &value.slots[0]));
        ALC_TRY(alc_read_u64(&machine->reader, &value.slots[1]));
        return push_cell(machine, value);
    }
    if (prefix == PREFIX_GC && number == GC_REF_I31) {
        ALC_ASSERT(machine->depth >= 1);
        union alc_cell *top = &machine->stack[machine->depth - 1];
        *top = (union alc_cell){.slots = {alc_reference_from_i31(top->u32), 0}};
        return ALC_OK;
    }
    /* Both hierarchies look the same in a slot. */
    if (prefix == PREFIX_GC &&
        (number == GC_ANY_CONVERT_EXTERN || number == GC_EXTERN_CONVERT_ANY)) {
        return ALC_OK;
    }
    if (prefix == PREFIX_GC && number <= GC_STRUCT_NEW_DEFAULT) {
        return run_struct_new(machine, number == GC_STRUCT_NEW_DEFAULT);
    }
    if (prefix == PREFIX_GC && number >= GC_ARRAY_NEW && number <= GC_ARRAY_NEW_FIXED) {
        return run_array_new(machine, number);
    }
    return ALC_E_INTERNAL;
}

static alc_status run_instruction(struct machine *machine, uint8_t op)
{
    switch (op) {
    case OP_I32_CONST:
    case OP_I64_CONST:
    case OP_F32_CONST:
    case OP_F64_CONST:
        return run_number(machine, op);
    case OP_I32_ADD:
    case OP_I32_SUB:
    case OP_I32_MUL:
    case OP_I64_ADD:
    case OP_I64_SUB:
    case OP_I64_MUL:
        return run_binary(machine, op);
    case OP_GLOBAL_GET:
    case OP_REF_NULL:
    case OP_REF_FUNC:
        return run_reference(machine, op);
    case PREFIX_GC:
    case PREFIX_SIMD:
        return run_prefixed(machine, op);
    default:
        return ALC_E_INTERNAL;
    }
}

static alc_status run(struct machine *machine, union alc_cell *out)
{
    for (;;) {
        uint8_t op;
        ALC_TRY(alc_read_u8(&machine->reader, &op));
        if (op == OP_END) {
            ALC_ASSERT(machine->depth == 1);
            *out = machine->stack[0];
            return ALC_OK;
        }
        ALC_TRY(run_instruction(machine, op));
    }
}

alc_status alc_constant_evaluate(const struct alc_instance *instance, struct alc_code_range range,
                                 struct alc_arena *scratch, union alc_cell *out)
{
    union alc_cell small[SMALL_STACK];
    struct machine machine = {.instance = instance, .stack = small};
    alc_module_reader(instance->module, range, NULL, &machine.reader);
    /* Each value on the stack was pushed by two bytes at least. */
    machine.depth_max = range.size / 2 + 1;
    if (machine.depth_max <= SMALL_STACK) {
        return run(&machine, out);
    }
    size_t mark = alc_arena_mark(scratch);
    machine.stack = ALC_ARENA_ARRAY(scratch, union alc_cell, machine.depth_max);
    alc_status status = machine.stack == NULL ? ALC_E_OUT_OF_MEMORY : run(&machine, out);
    alc_arena_reset(scratch, mark);
    return status;
}
