/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of constant expressions (spec 3.4.13): initial values of globals and tables, offsets
 * and elements of segments. The bytes are hostile. Whether all instructions are known by name, or
 * only those that are constant, is the caller's choice: an image that never validates a body does
 * without the table of all.
 */
#include "wasm/validate_internal.h"

enum { STACK_MAX = 256 };

struct constant {
    struct alc_module *module;
    struct alc_reader *reader;
    uint32_t globals_count;
    uint64_t op_offset;
    uint32_t height;
    uint32_t stack[STACK_MAX];
};

static alc_status fail(const struct constant *c, alc_status status)
{
    return alc_fail(c->reader->error, status, c->op_offset);
}

static alc_status push(struct constant *c, uint32_t type)
{
    if (c->height == STACK_MAX) {
        return fail(c, ALC_E_LIMIT_FRAME);
    }
    c->stack[c->height++] = type;
    return ALC_OK;
}

static alc_status push_number(struct constant *c, enum alc_op op)
{
    int32_t small;
    int64_t big;
    switch ((int)op) {
    case ALC_OP_I32_CONST:
        ALC_TRY(alc_read_leb_s32(c->reader, &small));
        return push(c, ALC_TYPE_I32);
    case ALC_OP_I64_CONST:
        ALC_TRY(alc_read_leb_s64(c->reader, &big));
        return push(c, ALC_TYPE_I64);
    case ALC_OP_F32_CONST:
        ALC_TRY(alc_read_skip(c->reader, 4));
        return push(c, ALC_TYPE_F32);
    case ALC_OP_F64_CONST:
        ALC_TRY(alc_read_skip(c->reader, 8));
        return push(c, ALC_TYPE_F64);
    default:
        ALC_TRY(alc_read_skip(c->reader, 16));
        return push(c, ALC_TYPE_V128);
    }
}

static alc_status push_reference(struct constant *c, enum alc_op op)
{
    uint32_t index;
    uint32_t heap;
    struct alc_module *module = c->module;
    switch ((int)op) {
    case ALC_OP_REF_NULL:
        ALC_TRY(alc_decode_heap_type(c->reader, module, &heap));
        return push(c, ALC_TYPE_OF_REF_NULL(heap));
    case ALC_OP_REF_FUNC:
        ALC_TRY(alc_read_leb_u32(c->reader, &index));
        if (index >= module->functions_count) {
            return fail(c, ALC_E_UNKNOWN_FUNCTION);
        }
        module->functions[index].is_declared = true;
        return push(c, ALC_TYPE_OF_REF(module->functions[index].type->id));
    default:
        ALC_TRY(alc_read_leb_u32(c->reader, &index));
        if (index >= c->globals_count) {
            return fail(c, ALC_E_UNKNOWN_GLOBAL);
        }
        if (module->globals[index].type.is_mutable) {
            return fail(c, ALC_E_NOT_CONSTANT);
        }
        return push(c, module->globals[index].type.type);
    }
}

/* -- objects (GC) -- */

static alc_status pop(struct constant *c, uint32_t type)
{
    if (c->height == 0 || !alc_type_matches(c->module->types, c->stack[c->height - 1], type)) {
        return fail(c, ALC_E_TYPE_MISMATCH);
    }
    c->height--;
    return ALC_OK;
}

static alc_status read_type(struct constant *c, enum alc_composite_kind kind,
                            const struct alc_type **out)
{
    ALC_TRY(alc_decode_type_index(c->reader, c->module, out));
    return (*out)->kind == kind ? ALC_OK : fail(c, ALC_E_TYPE_MISMATCH);
}

static alc_status apply_struct_new(struct constant *c, bool is_default)
{
    const struct alc_type *type;
    ALC_TRY(read_type(c, ALC_COMPOSITE_STRUCT, &type));
    for (uint32_t i = type->structure.fields_count; i > 0; i--) {
        uint32_t field = type->structure.fields[i - 1].type;
        if (is_default && !alc_type_is_defaultable(field)) {
            return fail(c, ALC_E_TYPE_MISMATCH);
        }
        if (!is_default) {
            ALC_TRY(pop(c, alc_type_unpacked(field)));
        }
    }
    return push(c, ALC_TYPE_OF_REF(type->id));
}

static alc_status apply_array_new(struct constant *c, enum alc_op op)
{
    const struct alc_type *type;
    uint32_t count = 1;
    ALC_TRY(read_type(c, ALC_COMPOSITE_ARRAY, &type));
    uint32_t element = type->array.type;
    if (op == ALC_OP_ARRAY_NEW_FIXED) {
        ALC_TRY(alc_read_leb_u32(c->reader, &count));
    } else {
        ALC_TRY(pop(c, ALC_TYPE_I32));
    }
    if (op == ALC_OP_ARRAY_NEW_DEFAULT) {
        count = 0;
        if (!alc_type_is_defaultable(element)) {
            return fail(c, ALC_E_TYPE_MISMATCH);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(pop(c, alc_type_unpacked(element)));
    }
    return push(c, ALC_TYPE_OF_REF(type->id));
}

/* Another hierarchy, or an i31. */
static alc_status apply_conversion(struct constant *c, enum alc_op op)
{
    if (op == ALC_OP_REF_I31) {
        ALC_TRY(pop(c, ALC_TYPE_I32));
        return push(c, ALC_TYPE_OF_REF(ALC_HEAP_I31));
    }
    bool to_any = op == ALC_OP_ANY_CONVERT_EXTERN;
    uint32_t from = c->height == 0 ? ALC_TYPE_BOTTOM : c->stack[c->height - 1];
    ALC_TRY(pop(c, to_any ? ALC_TYPE_EXTERNREF : ALC_TYPE_ANYREF));
    uint32_t heap = to_any ? ALC_HEAP_ANY : ALC_HEAP_EXTERN;
    return push(c, alc_type_is_nullable(from) ? ALC_TYPE_OF_REF_NULL(heap) : ALC_TYPE_OF_REF(heap));
}

static alc_status apply_binary(struct constant *c, uint32_t type)
{
    if (c->height < 2 || c->stack[c->height - 1] != type || c->stack[c->height - 2] != type) {
        return fail(c, ALC_E_TYPE_MISMATCH);
    }
    c->height--;
    return ALC_OK;
}

/* -- instructions by their code -- */

enum alc_op alc_constant_op_of_all(uint8_t prefix, uint32_t number, uint8_t *feature)
{
    enum alc_op op =
        prefix == 0 ? alc_op_find((uint8_t)number) : alc_op_find_prefixed(prefix, number);
    *feature = alc_op_infos[op].feature;
    return op;
}

enum {
#define OP(code, ident, text, imm, sig, feat)                                                      \
    CODE_##ident = (code), FEATURE_##ident = ALC_FEATURE_##feat,
#include "wasm/ops.def"
#undef OP
};

enum alc_op alc_constant_op_of_constant(uint8_t prefix, uint32_t number, uint8_t *feature)
{
#define ROW(ident) {CODE_##ident, ALC_OP_##ident, FEATURE_##ident}
    static const struct {
        uint16_t code;
        uint16_t op;
        uint8_t feature;
    } rows[] = {
        ROW(END),
        ROW(GLOBAL_GET),
        ROW(I32_CONST),
        ROW(I64_CONST),
        ROW(F32_CONST),
        ROW(F64_CONST),
        ROW(V128_CONST),
        ROW(REF_NULL),
        ROW(REF_FUNC),
        ROW(I32_ADD),
        ROW(I32_SUB),
        ROW(I32_MUL),
        ROW(I64_ADD),
        ROW(I64_SUB),
        ROW(I64_MUL),
        ROW(STRUCT_NEW),
        ROW(STRUCT_NEW_DEFAULT),
        ROW(ARRAY_NEW),
        ROW(ARRAY_NEW_DEFAULT),
        ROW(ARRAY_NEW_FIXED),
        ROW(REF_I31),
        ROW(ANY_CONVERT_EXTERN),
        ROW(EXTERN_CONVERT_ANY),
    };
#undef ROW
    for (uint32_t i = 0; number <= UINT8_MAX && i < ALC_ARRAY_COUNT(rows); i++) {
        if (rows[i].code == ((uint32_t)prefix << 8 | number)) {
            *feature = rows[i].feature;
            return (enum alc_op)rows[i].op;
        }
    }
    *feature = ALC_FEATURE_MVP;
    return ALC_OP_ILLEGAL;
}

static alc_status read_constant_op(struct constant *c, alc_constant_op_function *find,
                                   enum alc_op *out)
{
    uint8_t byte;
    uint8_t prefix = 0;
    uint8_t feature;
    uint32_t number;
    c->op_offset = alc_reader_offset(c->reader);
    ALC_TRY(alc_read_u8(c->reader, &byte));
    number = byte;
    if (alc_op_is_prefix(byte)) {
        prefix = byte;
        ALC_TRY(alc_read_leb_u32(c->reader, &number));
    }
    *out = find(prefix, number, &feature);
    if (*out == ALC_OP_ILLEGAL) {
        return fail(c, ALC_E_ILLEGAL_OPCODE);
    }
    return alc_feature_is_on(c->module->features, (enum alc_feature)feature)
               ? ALC_OK
               : fail(c, ALC_E_FEATURE_DISABLED);
}

static alc_status apply(struct constant *c, enum alc_op op)
{
    bool is_extended = alc_feature_is_on(c->module->features, ALC_FEATURE_EXTENDED_CONST);
    switch ((int)op) {
    case ALC_OP_I32_CONST:
    case ALC_OP_I64_CONST:
    case ALC_OP_F32_CONST:
    case ALC_OP_F64_CONST:
    case ALC_OP_V128_CONST:
        return push_number(c, op);
    case ALC_OP_REF_NULL:
    case ALC_OP_REF_FUNC:
    case ALC_OP_GLOBAL_GET:
        return push_reference(c, op);
    case ALC_OP_STRUCT_NEW:
    case ALC_OP_STRUCT_NEW_DEFAULT:
        return apply_struct_new(c, op == ALC_OP_STRUCT_NEW_DEFAULT);
    case ALC_OP_ARRAY_NEW:
    case ALC_OP_ARRAY_NEW_DEFAULT:
    case ALC_OP_ARRAY_NEW_FIXED:
        return apply_array_new(c, op);
    case ALC_OP_REF_I31:
    case ALC_OP_ANY_CONVERT_EXTERN:
    case ALC_OP_EXTERN_CONVERT_ANY:
        return apply_conversion(c, op);
    case ALC_OP_I32_ADD:
    case ALC_OP_I32_SUB:
    case ALC_OP_I32_MUL:
        return is_extended ? apply_binary(c, ALC_TYPE_I32) : fail(c, ALC_E_NOT_CONSTANT);
    case ALC_OP_I64_ADD:
    case ALC_OP_I64_SUB:
    case ALC_OP_I64_MUL:
        return is_extended ? apply_binary(c, ALC_TYPE_I64) : fail(c, ALC_E_NOT_CONSTANT);
    default:
        return fail(c, ALC_E_NOT_CONSTANT);
    }
}

alc_status alc_validate_constant(struct alc_module *module, struct alc_reader *reader,
                                 uint32_t type, uint32_t globals_count,
                                 alc_constant_op_function *find)
{
    struct constant c;
    c.module = module;
    c.reader = reader;
    c.globals_count = globals_count;
    c.height = 0;
    for (;;) {
        enum alc_op op;
        ALC_TRY(read_constant_op(&c, find, &op));
        if (op == ALC_OP_END) {
            break;
        }
        ALC_TRY(apply(&c, op));
    }
    if (c.height != 1 || !alc_type_matches(module->types, c.stack[0], type)) {
        return fail(&c, ALC_E_TYPE_MISMATCH);
    }
    return ALC_OK;
}
