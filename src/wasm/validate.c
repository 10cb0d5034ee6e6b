/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of function bodies (spec 3.4 and the algorithm of its appendix): the loop over the
 * instructions, immediates, and everything that ops.def gives a signature. What is typed by hand
 * stands in validate_control.c and validate_reference.c. The bytes are hostile.
 */
#include "wasm/validate.h"

#include "base/checked.h"
#include "wasm/validate_internal.h"

enum { VALUES_FIRST = 256, CONTROLS_FIRST = 32, LOCALS_FIRST = 64, GROWN_FIRST = 16 };
enum { CACHE_LINE_SIZE = 64, ALIGNED_SIZE = 4 * CACHE_LINE_SIZE }; /* of code */

/* -- reports and stacks -- */

alc_status alc_validator_fail(struct alc_validator *v, alc_status status)
{
    return alc_fail(v->error, status, v->op_offset);
}

alc_status alc_validator_grow(struct alc_validator *v, void **array, uint32_t *capacity,
                              size_t item_size, uint32_t count_max, alc_status over)
{
    if (*capacity >= count_max) {
        return alc_validator_fail(v, over);
    }
    uint32_t wanted = *capacity > count_max / 2 ? count_max : *capacity * 2;
    if (wanted == 0) {
        wanted = GROWN_FIRST;
    }
    void *bigger = alc_arena_take_array(v->arena, wanted, item_size, sizeof(uint64_t));
    if (bigger == NULL) {
        return alc_validator_fail(v, ALC_E_OUT_OF_MEMORY);
    }
    if (*capacity != 0) {
        alc_copy(bigger, *array, *capacity * item_size);
    }
    *array = bigger;
    *capacity = wanted;
    return ALC_OK;
}

alc_status alc_validator_push_slow(struct alc_validator *v)
{
    /* Every value takes a slot, so this also bounds the stack. */
    if (alc_validator_next_slot(v) + 2 > ALC_LIMIT_FRAME_SLOTS) {
        return alc_validator_fail(v, ALC_E_LIMIT_FRAME);
    }
    if (v->height < v->values_capacity) {
        return ALC_OK;
    }
    void *values = v->values;
    ALC_TRY(alc_validator_grow(v, &values, &v->values_capacity, sizeof *v->values,
                               ALC_LIMIT_FRAME_SLOTS, ALC_E_LIMIT_FRAME));
    v->values = values;
    return ALC_OK;
}

alc_status alc_pop_slow(struct alc_validator *v, uint32_t type, struct alc_value *out)
{
    const struct alc_control *top = alc_validator_top(v);
    if (v->height == top->height) {
        if (!top->is_unreachable) {
            return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
        }
        *out = (struct alc_value){.type = ALC_TYPE_BOTTOM};
        return ALC_OK;
    }
    *out = v->values[--v->height];
    if (type != ALC_TYPE_BOTTOM && out->type != ALC_TYPE_BOTTOM &&
        !alc_type_matches(v->module->types, out->type, type)) {
        return alc_validator_fail(v, ALC_E_TYPE_MISMATCH);
    }
    return ALC_OK;
}

alc_status alc_pop_types(struct alc_validator *v, const uint32_t *types, uint32_t count)
{
    struct alc_value ignored ALC_UNINITIALIZED;
    for (uint32_t i = count; i > 0; i--) {
        ALC_TRY(alc_pop(v, types[i - 1], &ignored));
    }
    return ALC_OK;
}

alc_status alc_push_types(struct alc_validator *v, const uint32_t *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(alc_push_slot(v, types[i]));
    }
    return ALC_OK;
}

void alc_validator_set_unreachable(struct alc_validator *v)
{
    struct alc_control *top = alc_validator_top(v);
    v->height = top->height;
    top->is_unreachable = true;
    v->is_live = false;
}

/* -- immediates -- */

alc_status alc_validator_read_index(struct alc_validator *v, uint32_t count, alc_status unknown,
                                    uint32_t *out)
{
    ALC_TRY(alc_read_leb_u32(&v->reader, out));
    return *out < count ? ALC_OK : alc_validator_fail(v, unknown);
}

alc_status alc_validator_read_memory_argument(struct alc_validator *v,
                                              struct alc_memory_argument *out)
{
    uint32_t flags;
    uint32_t index = 0;
    ALC_TRY(alc_read_leb_u32(&v->reader, &flags));
    if (flags >= 0x80) {
        return alc_validator_fail(v, ALC_E_BAD_MEMOP_FLAGS);
    }
    if ((flags & 0x40) != 0) {
        if (!alc_feature_is_on(v->module->features, ALC_FEATURE_MULTI_MEMORY)) {
            return alc_validator_fail(v, ALC_E_BAD_MEMOP_FLAGS);
        }
        ALC_TRY(alc_read_leb_u32(&v->reader, &index));
    }
    ALC_TRY(alc_read_leb_u64(&v->reader, &out->offset));
    if (index >= v->module->memories_count) {
        return alc_validator_fail(v, ALC_E_UNKNOWN_MEMORY);
    }
    out->memory_index = index;
    out->is_64 = v->module->memories[index].limits.is_64;
    out->align_log2 = flags & 0x3f;
    if (!out->is_64 && out->offset > UINT32_MAX) {
        return alc_validator_fail(v, ALC_E_BAD_OFFSET);
    }
    return ALC_OK;
}

/* Immediates of the instructions with signatures. */
struct immediates {
    struct alc_memory_argument memory;
    uint32_t data_index;
    uint32_t lane;
    uint64_t bits;     /* constants, i32 and f32 sign-extended */
    uint8_t lanes[16]; /* SHUFFLE, V128, or a lane in the first */
};

static alc_status read_constant(struct alc_validator *v, uint8_t immediate, struct immediates *out)
{
    int32_t small;
    int64_t big;
    uint32_t bits;
    switch (immediate) {
    case ALC_IMM_I32:
        ALC_TRY(alc_read_leb_s32(&v->reader, &small));
        out->bits = (uint64_t)(int64_t)small;
        return ALC_OK;
    case ALC_IMM_I64:
        ALC_TRY(alc_read_leb_s64(&v->reader, &big));
        out->bits = (uint64_t)big;
        return ALC_OK;
    case ALC_IMM_F32:
        ALC_TRY(alc_read_u32(&v->reader, &bits));
        out->bits = (uint64_t)(int64_t)(int32_t)bits;
        return ALC_OK;
    default:
        return alc_read_u64(&v->reader, &out->bits);
    }
}

static alc_status read_lane(struct alc_validator *v, unsigned count, struct immediates *out)
{
    uint8_t lane;
    ALC_TRY(alc_read_u8(&v->reader, &lane));
    if (lane >= count) {
        return alc_validator_fail(v, ALC_E_BAD_LANE);
    }
    out->lane = lane;
    out->lanes[0] = lane;
    return ALC_OK;
}

static alc_status read_memory(struct alc_validator *v, unsigned natural_log2,
                              struct immediates *out)
{
    ALC_TRY(alc_validator_read_memory_argument(v, &out->memory));
    if (out->memory.align_log2 > natural_log2) {
        return alc_validator_fail(v, ALC_E_BAD_ALIGNMENT);
    }
    return ALC_OK;
}

static alc_status read_memory_index(struct alc_validator *v, struct immediates *out)
{
    ALC_TRY(alc_validator_read_index(v, v->module->memories_count, ALC_E_UNKNOWN_MEMORY,
                                     &out->memory.memory_index));
    out->memory.is_64 = v->module->memories[out->memory.memory_index].limits.is_64;
    return ALC_OK;
}

static alc_status read_data_index(struct alc_validator *v, struct immediates *out)
{
    if (!v->module->has_data_count) {
        return alc_validator_fail(v, ALC_E_DATA_COUNT_REQUIRED);
    }
    return alc_validator_read_index(v, v->module->data_count, ALC_E_UNKNOWN_DATA, &out->data_index);
}

static alc_status read_immediates(struct alc_validator *v, uint8_t immediate,
                                  struct immediates *out)
{
    const uint8_t *lanes;
    switch (immediate) {
    case ALC_IMM_NONE:
        return ALC_OK;
    case ALC_IMM_I32:
    case ALC_IMM_I64:
    case ALC_IMM_F32:
    case ALC_IMM_F64:
        return read_constant(v, immediate, out);
    case ALC_IMM_MEMORY:
        return read_memory_index(v, out);
    case ALC_IMM_DATA:
        return read_data_index(v, out);
    case ALC_IMM_DATA_MEM:
        ALC_TRY(read_data_index(v, out));
        return read_memory_index(v, out);
    case ALC_IMM_V128:
    case ALC_IMM_SHUFFLE:
        ALC_TRY(alc_read_bytes(&v->reader, 16, &lanes));
        for (unsigned i = 0; i < 16; i++) {
            if (immediate == ALC_IMM_SHUFFLE && lanes[i] >= 32) {
                return alc_validator_fail(v, ALC_E_BAD_LANE);
            }
            out->lanes[i] = lanes[i];
        }
        return ALC_OK;
    default:
        break;
    }
    if (immediate >= ALC_IMM_LANE2 && immediate <= ALC_IMM_LANE16) {
        return read_lane(v, 2u << (immediate - ALC_IMM_LANE2), out);
    }
    if (immediate >= ALC_IMM_MEMLANE0) {
        unsigned log2 = immediate - (unsigned)ALC_IMM_MEMLANE0;
        ALC_TRY(read_memory(v, log2, out));
        return read_lane(v, 16u >> log2, out);
    }
    ALC_ASSERT(immediate >= ALC_IMM_MEM0);
    return read_memory(v, immediate - (unsigned)ALC_IMM_MEM0, out);
}

/* -- instructions with signatures -- */

static uint32_t type_of_letter(unsigned letter, bool is_64)
{
    _Static_assert((unsigned)ALC_LETTER_S == (unsigned)ALC_KIND_V128, "letters are kinds");
    return letter == ALC_LETTER_A ? (is_64 ? ALC_TYPE_I64 : ALC_TYPE_I32) : letter;
}

static void emit_memory_bulk(struct alc_validator *v, enum alc_op op,
                             const struct immediates *immediates)
{
    uint32_t memory = immediates->memory.memory_index;
    uint32_t units[2] = {immediates->data_index, memory};
    switch ((int)op) {
    case ALC_OP_MEMORY_SIZE:
        alc_emit_in_place(v, ALC_CODE_MEMORY_SIZE, &memory, 1, 0);
        break;
    case ALC_OP_MEMORY_GROW:
        alc_emit_in_place(v, ALC_CODE_MEMORY_GROW, &memory, 1, 1);
        break;
    case ALC_OP_MEMORY_FILL:
        alc_emit_in_place(v, ALC_CODE_MEMORY_FILL, &memory, 1, 3);
        break;
    case ALC_OP_MEMORY_INIT:
        alc_emit_in_place(v, ALC_CODE_MEMORY_INIT, units, 2, 3);
        break;
    default:
        alc_emit_in_place(v, ALC_CODE_DATA_DROP, units, 1, 0);
        break;
    }
}

static alc_status emit_signature(struct alc_validator *v, enum alc_op op,
                                 struct alc_value *operands, uint32_t type,
                                 const struct immediates *immediates)
{
    uint8_t immediate = alc_op_infos[op].immediate;
    if (immediate >= ALC_IMM_MEM0) {
        return alc_emit_memory_access(v, op, &immediates->memory, operands, type, immediates->lane);
    }
    if (op >= ALC_OP_V128_LOAD) {
        return alc_emit_vector(v, op, operands, type, immediates->lanes);
    }
    if (immediate >= ALC_IMM_I32 && immediate <= ALC_IMM_F64) {
        return alc_push(v, type, ALC_PLACE_CONSTANT, immediates->bits);
    }
    if (immediate != ALC_IMM_NONE) {
        emit_memory_bulk(v, op, immediates);
        return type != ALC_TYPE_BOTTOM ? alc_push_slot(v, type) : ALC_OK;
    }
    return op == ALC_OP_NOP ? ALC_OK : alc_emit_numeric(v, op, operands, type);
}

static alc_status validate_signature(struct alc_validator *v, enum alc_op op)
{
    if (ALC_UNLIKELY(op >= ALC_OP_MEMORY_ATOMIC_NOTIFY)) {
        return alc_validate_atomic(v, op);
    }
    const struct alc_op_info *info = &alc_op_infos[op];
    struct immediates immediates;
    immediates.lane = 0;
    immediates.data_index = 0;
    immediates.memory.is_64 = false;
    ALC_TRY(read_immediates(v, info->immediate, &immediates));
    struct alc_value operands[3] ALC_UNINITIALIZED;
    bool is_64 = immediates.memory.is_64;
    for (unsigned i = 3; i > 0; i--) {
        unsigned letter = alc_signature_operand(info->signature, i - 1);
        if (letter != ALC_LETTER_NONE) {
            ALC_TRY(alc_pop(v, type_of_letter(letter, is_64), &operands[i - 1]));
        }
    }
    uint32_t type = type_of_letter(alc_signature_result(info->signature), is_64);
    if (v->is_live) {
        return emit_signature(v, op, operands, type, &immediates);
    }
    return type != ALC_TYPE_BOTTOM ? alc_push_slot(v, type) : ALC_OK;
}

/* -- the loop -- */

static alc_status read_op(struct alc_validator *v, enum alc_op *out)
{
    uint8_t byte;
    if (ALC_UNLIKELY(alc_reader_at_end(&v->reader))) {
        return alc_validator_fail(v, ALC_E_END_OPCODE_EXPECTED);
    }
    ALC_TRY(alc_read_u8(&v->reader, &byte));
    if (ALC_UNLIKELY(alc_op_is_prefix(byte))) {
        uint32_t number;
        ALC_TRY(alc_read_leb_u32(&v->reader, &number));
        *out = alc_op_find_prefixed(byte, number);
    } else {
        *out = alc_op_find(byte);
    }
    if (ALC_UNLIKELY(*out == ALC_OP_ILLEGAL)) {
        return alc_validator_fail(v, ALC_E_ILLEGAL_OPCODE);
    }
    if (ALC_UNLIKELY(!alc_feature_is_on(v->module->features,
                                        (enum alc_feature)alc_op_infos[*out].feature))) {
        return alc_validator_fail(v, ALC_E_FEATURE_DISABLED);
    }
    return ALC_OK;
}

/* Instructions typed by hand. */
static alc_status validate_typed(struct alc_validator *v, enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_LOCAL_GET:
    case ALC_OP_LOCAL_SET:
    case ALC_OP_LOCAL_TEE:
    case ALC_OP_GLOBAL_GET:
    case ALC_OP_GLOBAL_SET:
    case ALC_OP_DROP:
    case ALC_OP_SELECT:
    case ALC_OP_SELECT_TYPED:
        return alc_validate_variable(v, op);
    case ALC_OP_CALL:
    case ALC_OP_CALL_INDIRECT:
    case ALC_OP_CALL_REF:
    case ALC_OP_RETURN_CALL:
    case ALC_OP_RETURN_CALL_INDIRECT:
    case ALC_OP_RETURN_CALL_REF:
        return alc_validate_call(v, op);
    case ALC_OP_TABLE_GET:
    case ALC_OP_TABLE_SET:
    case ALC_OP_TABLE_SIZE:
    case ALC_OP_TABLE_GROW:
    case ALC_OP_TABLE_FILL:
        return alc_validate_table(v, op);
    case ALC_OP_MEMORY_COPY:
    case ALC_OP_TABLE_COPY:
    case ALC_OP_TABLE_INIT:
        return alc_validate_bulk(v, op);
    case ALC_OP_REF_NULL:
    case ALC_OP_REF_IS_NULL:
    case ALC_OP_REF_FUNC:
    case ALC_OP_REF_AS_NON_NULL:
    case ALC_OP_BR_ON_NULL:
    case ALC_OP_BR_ON_NON_NULL:
        return alc_validate_reference(v, op);
    case ALC_OP_I64_ADD128:
    case ALC_OP_I64_SUB128:
    case ALC_OP_I64_MUL_WIDE_S:
    case ALC_OP_I64_MUL_WIDE_U:
        return alc_validate_wide(v, op);
    default:
        return alc_op_infos[op].feature == ALC_FEATURE_GC ? alc_validate_gc(v, op)
                                                          : alc_validate_control(v, op);
    }
}

static bool is_free(enum alc_op op)
{
    return op == ALC_OP_BLOCK || op == ALC_OP_LOOP || op == ALC_OP_END || op == ALC_OP_NOP ||
           op == ALC_OP_TRY || op == ALC_OP_TRY_TABLE || op == ALC_OP_DELEGATE;
}

static alc_status validate_instructions(struct alc_validator *v)
{
    while (v->depth > 0) {
        enum alc_op op = ALC_OP_ILLEGAL;
        if (!v->has_target) {
            alc_validate_plain(v);
        }
        v->op_offset = (uint32_t)alc_reader_offset(&v->reader);
        ALC_TRY(read_op(v, &op));
        if (v->is_live) {
            v->emitter.fuel_cost += !is_free(op);
        }
        if (alc_op_infos[op].signature != ALC_SIGNATURE_CTRL) {
            if (op == ALC_OP_ELEM_DROP) {
                ALC_TRY(alc_validate_bulk(v, op));
            } else {
                ALC_TRY(validate_signature(v, op));
            }
        } else {
            ALC_TRY(validate_typed(v, op));
        }
        if (ALC_UNLIKELY(v->emitter.failed != ALC_OK)) {
            return alc_validator_fail(v, v->emitter.failed);
        }
        if (ALC_UNLIKELY(v->emitter.count > v->watch_unit) && v->watch_offset == 0) {
            v->watch_offset = v->op_offset;
        }
    }
    v->op_offset = (uint32_t)alc_reader_offset(&v->reader);
    return alc_reader_at_end(&v->reader) ? ALC_OK
                                         : alc_validator_fail(v, ALC_E_END_OPCODE_EXPECTED);
}

/* -- functions -- */

static alc_status add_local(struct alc_validator *v, uint32_t type, bool is_set, uint32_t *slots)
{
    if (v->locals_count == v->locals_capacity) {
        void *locals = v->locals;
        ALC_TRY(alc_validator_grow(v, &locals, &v->locals_capacity, sizeof *v->locals,
                                   ALC_LIMIT_LOCALS, ALC_E_TOO_MANY_LOCALS));
        v->locals = locals;
    }
    v->locals[v->locals_count++] =
        (struct alc_local){.type = type, .slot = (uint16_t)*slots, .is_set = is_set};
    *slots += alc_type_slots(type);
    return *slots <= ALC_LIMIT_FRAME_SLOTS ? ALC_OK : alc_validator_fail(v, ALC_E_LIMIT_FRAME);
}

static alc_status read_locals(struct alc_validator *v, uint32_t *slots)
{
    uint32_t groups;
    ALC_TRY(alc_read_leb_u32(&v->reader, &groups));
    uint64_t total = v->locals_count;
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t count;
        uint32_t type;
        v->op_offset = (uint32_t)alc_reader_offset(&v->reader);
        ALC_TRY(alc_read_leb_u32(&v->reader, &count));
        total += count;
        if (total > ALC_LIMIT_LOCALS) {
            return alc_validator_fail(v, ALC_E_TOO_MANY_LOCALS);
        }
        ALC_TRY(alc_decode_value_type(&v->reader, v->module, &type));
        for (uint32_t j = 0; j < count; j++) {
            ALC_TRY(add_local(v, type, alc_type_is_defaultable(type), slots));
        }
    }
    return ALC_OK;
}

static alc_status validate_body(struct alc_validator *v, const struct alc_function_type *type)
{
    uint32_t slots = 0;
    v->type = type;
    v->locals_count = 0;
    v->sets_count = 0;
    v->height = 0;
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        ALC_TRY(add_local(v, type->parameters[i], true, &slots));
    }
    uint32_t parameters_slots = slots;
    ALC_TRY(read_locals(v, &slots));
    uint32_t base_slot = slots + 1 > ALC_CODE_FRAME_MIN ? slots + 1 : ALC_CODE_FRAME_MIN;
    v->depth = 1;
    v->controls[0] = (struct alc_control){.type = type,
                                          .op = ALC_OP_ILLEGAL,
                                          .base_slot = base_slot,
                                          .first_slot = base_slot,
                                          .fixups = ALC_NO_UNIT,
                                          .else_fixup = ALC_NO_UNIT,
                                          .clauses = ALC_NO_HANDLER};
    v->slots_max = base_slot;
    v->is_live = v->has_target;
    v->watch_offset = 0;
    if (v->is_live) {
        if (!alc_emit_init(&v->emitter)) {
            return alc_validator_fail(v, ALC_E_OUT_OF_MEMORY);
        }
        alc_emit_begin(v, parameters_slots, slots);
    }
    return validate_instructions(v);
}

static alc_status keep_code(struct alc_validator *v, uint32_t function_index, struct alc_code *code)
{
    struct alc_emitter *e = &v->emitter;
    alc_emit_finish(v, v->slots_max);
    size_t size = e->count * sizeof *e->units;
    size_t tables_size = alc_emit_tables_size(e);
    /* A loop whose operations lie across lines of the cache runs up to 15 % slower; small functions
     * are many. */
    const size_t alignment = size < ALIGNED_SIZE ? sizeof(uint32_t) : CACHE_LINE_SIZE;
    uint16_t *units = alc_arena_take(v->arena, size + tables_size, alignment);
    if (units == NULL) {
        return alc_validator_fail(v, ALC_E_OUT_OF_MEMORY);
    }
    alc_emit_keep_units(e, units);
    *code = (struct alc_code){.units = units,
                              .units_count = e->count,
                              .frame_slots = v->slots_max,
                              .link_slot = e->link_slot,
                              .function_index = function_index,
                              .handlers_count = e->handlers_count,
                              .safepoints_count = e->safepoints_count,
                              .roots_count = e->roots_count};
    alc_emit_keep_tables(e, (uint8_t *)units + size + tables_size);
    return ALC_OK;
}

alc_status alc_validator_new(struct alc_arena *arena, const struct alc_module *module,
                             const struct alc_code_target *target, struct alc_error *error,
                             struct alc_validator **out)
{
    struct alc_validator *v = ALC_ARENA_NEW(arena, struct alc_validator);
    if (v == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    v->module = module;
    v->has_plain_memory = module->memories_count > 0 && !module->memories[0].limits.is_64;
    v->arena = arena;
    v->error = error;
    v->has_target = target != NULL;
    v->watch_unit = ALC_NO_UNIT;
    v->values_capacity = VALUES_FIRST;
    v->values = ALC_ARENA_ARRAY(arena, struct alc_value, VALUES_FIRST);
    v->controls_capacity = CONTROLS_FIRST;
    v->controls = ALC_ARENA_ARRAY(arena, struct alc_control, CONTROLS_FIRST);
    v->locals_capacity = LOCALS_FIRST;
    v->locals = ALC_ARENA_ARRAY(arena, struct alc_local, LOCALS_FIRST);
    v->sets_capacity = LOCALS_FIRST;
    v->sets = ALC_ARENA_ARRAY(arena, uint32_t, LOCALS_FIRST);
    v->emitter.arena = arena;
    v->emitter.target = target;
    if (v->values == NULL || v->controls == NULL || v->locals == NULL || v->sets == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    *out = v;
    return ALC_OK;
}

void alc_validator_set_target(struct alc_validator *v, const struct alc_code_target *target,
                              struct alc_arena *arena)
{
    v->arena = arena;
    v->error = NULL;
    v->has_target = true;
    v->emitter.arena = arena;
    v->emitter.target = target;
}

alc_status alc_validate_function(struct alc_validator *v, uint32_t function_index,
                                 struct alc_code *code)
{
    const struct alc_module *module = v->module;
    ALC_ASSERT(function_index < module->functions_count);
    ALC_ASSERT((code != NULL) == v->has_target);
    alc_module_reader(module, module->functions[function_index].body, v->error, &v->reader);
    v->op_offset = (uint32_t)alc_reader_offset(&v->reader);
    ALC_TRY(validate_body(v, &module->functions[function_index].type->function));
    return code != NULL ? keep_code(v, function_index, code) : ALC_OK;
}

uint32_t alc_code_find_offset(const struct alc_module *module, uint32_t function_index,
                              const struct alc_code_target *target, uint32_t unit,
                              struct alc_arena *scratch)
{
    size_t mark = alc_arena_mark(scratch);
    struct alc_validator *v;
    uint32_t offset = 0;
    if (alc_validator_new(scratch, module, target, NULL, &v) == ALC_OK) {
        alc_module_reader(module, module->functions[function_index].body, NULL, &v->reader);
        v->watch_unit = unit;
        if (validate_body(v, &module->functions[function_index].type->function) == ALC_OK) {
            offset = v->watch_offset;
        }
    }
    alc_arena_reset(scratch, mark);
    return offset;
}
