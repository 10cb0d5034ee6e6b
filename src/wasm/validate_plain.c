/* SPDX-License-Identifier: Apache-2.0
 *
 * A shorter way through most of a body when nothing is emitted: instructions that have one byte,
 * find exactly the types they want on the stack and have short immediates, blocks without types. It
 * only ever says yes: what is not plain, and so also whatever is wrong, is left to the general way
 * of validate.c, which knows what to say about it. The bytes are hostile.
 */
#include "wasm/validate_internal.h"

enum {
    LEB_U32_SIZE_MAX = 5,
    /* The longest plain instruction: an opcode, alignment and offset; f64.const; i64.const. */
    PLAIN_SIZE_MAX = 11,
    BLOCK_WITHOUT_TYPE = 0x40,
};

/* The validator's state, in registers for a while. */
struct plain {
    const uint8_t *bytes; /* at the instruction; at least PLAIN_SIZE_MAX of them are there */
    struct alc_value *top;
    struct alc_value *floor; /* of the block */
    struct alc_value *ceiling;
    uint32_t next_slot;
    uint32_t slots_max;
};

static ALC_ALWAYS_INLINE bool has_top(const struct plain *plain, size_t depth, uint32_t type)
{
    return (size_t)(plain->top - plain->floor) > depth &&
           plain->top[-1 - (ptrdiff_t)depth].type == type;
}

static ALC_ALWAYS_INLINE void pop_plain(struct plain *plain, size_t count)
{
    plain->top -= count;
    plain->next_slot = plain->top->slot;
}

/* Of one slot. */
static ALC_ALWAYS_INLINE bool push_plain(struct plain *plain, uint32_t type)
{
    uint32_t end = plain->next_slot + 1;
    if (ALC_UNLIKELY(plain->top == plain->ceiling || end + 1 > ALC_LIMIT_FRAME_SLOTS)) {
        return false;
    }
    *plain->top++ = (struct alc_value){.type = type, .slot = (uint16_t)plain->next_slot};
    plain->next_slot = end;
    plain->slots_max = end > plain->slots_max ? end : plain->slots_max;
    return true;
}

/* Size of a LEB of at most `size_max` bytes, or 0 when it is longer. */
static ALC_ALWAYS_INLINE unsigned leb_size(const uint8_t *bytes, unsigned size_max)
{
    unsigned size = 1;
    while (ALC_UNLIKELY(bytes[size - 1] >= 0x80)) {
        if (size++ == size_max) {
            return 0;
        }
    }
    return size;
}

/* An index of one or two bytes behind the opcode. */
static ALC_ALWAYS_INLINE unsigned read_index(const struct plain *plain, uint32_t *index)
{
    *index = plain->bytes[1];
    if (ALC_LIKELY(*index < 0x80)) {
        return 1;
    }
    *index = (*index & 0x7f) | (uint32_t)plain->bytes[2] << 7;
    return plain->bytes[2] < 0x80 ? 2 : 0;
}

/* Size of the instruction, or 0 when it is not plain (and then nothing has changed). */
static ALC_ALWAYS_INLINE unsigned do_local(const struct alc_validator *v, struct plain *plain,
                                           enum alc_op op)
{
    uint32_t index;
    unsigned size = read_index(plain, &index);
    if (size == 0 || index >= v->locals_count || !v->locals[index].is_set) {
        return 0;
    }
    uint32_t type = v->locals[index].type;
    if (op == ALC_OP_LOCAL_GET) {
        return type != ALC_TYPE_V128 && push_plain(plain, type) ? 1 + size : 0;
    }
    if (!has_top(plain, 0, type)) {
        return 0;
    }
    if (op == ALC_OP_LOCAL_SET) {
        pop_plain(plain, 1);
    }
    return 1 + size;
}

static ALC_ALWAYS_INLINE unsigned do_global(const struct alc_validator *v, struct plain *plain,
                                            enum alc_op op)
{
    uint32_t index;
    unsigned size = read_index(plain, &index);
    if (size == 0 || index >= v->module->globals_count) {
        return 0;
    }
    const struct alc_global_type *type = &v->module->globals[index].type;
    if (op == ALC_OP_GLOBAL_GET) {
        return type->type != ALC_TYPE_V128 && push_plain(plain, type->type) ? 1 + size : 0;
    }
    if (!type->is_mutable || !has_top(plain, 0, type->type)) {
        return 0;
    }
    pop_plain(plain, 1);
    return 1 + size;
}

static ALC_ALWAYS_INLINE unsigned do_drop(struct plain *plain)
{
    if (plain->top == plain->floor) {
        return 0;
    }
    pop_plain(plain, 1);
    return 1;
}

/* -- blocks and branches without values -- */

static ALC_ALWAYS_INLINE unsigned do_block(struct alc_validator *v, struct plain *plain,
                                           enum alc_op op)
{
    struct alc_control control = {.single = ALC_TYPE_BOTTOM, .op = op};
    if (plain->bytes[1] != BLOCK_WITHOUT_TYPE || v->depth == v->controls_capacity) {
        return 0;
    }
    if (op == ALC_OP_IF) {
        if (!has_top(plain, 0, ALC_TYPE_I32)) {
            return 0;
        }
        pop_plain(plain, 1);
    }
    v->height = (uint32_t)(plain->top - v->values);
    plain->floor = plain->top;
    return alc_validator_push_control(v, &control) == ALC_OK ? 2 : 0;
}

static ALC_ALWAYS_INLINE unsigned do_end(struct alc_validator *v, struct plain *plain)
{
    const struct alc_control *control = alc_validator_top(v);
    if (v->depth == 1 || control->op > ALC_OP_ELSE || control->type != NULL ||
        control->single != ALC_TYPE_BOTTOM || plain->top != plain->floor ||
        control->sets_height != v->sets_count) {
        return 0;
    }
    v->depth--;
    plain->floor = v->values + alc_validator_top(v)->height;
    return 1;
}

static ALC_ALWAYS_INLINE unsigned do_branch(struct alc_validator *v, struct plain *plain,
                                            enum alc_op op)
{
    uint32_t depth = plain->bytes[1];
    uint32_t count;
    if (depth >= 0x80 || depth >= v->depth) {
        return 0;
    }
    (void)alc_control_label(&v->controls[v->depth - 1 - depth], &count);
    if (count != 0) {
        return 0;
    }
    struct alc_control *top = alc_validator_top(v);
    if (op == ALC_OP_BR) {
        plain->top = plain->floor;
        plain->next_slot = top->base_slot;
        top->is_unreachable = true;
        return 2;
    }
    if (!has_top(plain, 0, ALC_TYPE_I32)) {
        return 0;
    }
    pop_plain(plain, 1);
    return 2;
}

/* -- what has a signature -- */

/* Size of the immediate, or UINT32_MAX when it is not plain. */
static ALC_ALWAYS_INLINE unsigned immediate_size(const struct alc_validator *v,
                                                 const struct plain *plain, uint8_t immediate)
{
    const uint8_t *bytes = plain->bytes + 1;
    unsigned size;
    switch (immediate) {
    case ALC_IMM_NONE:
        return 0;
    case ALC_IMM_I32:
        size = leb_size(bytes, LEB_U32_SIZE_MAX - 1); /* all of whose bits count */
        break;
    case ALC_IMM_I64:
        size = leb_size(bytes, 9);
        break;
    case ALC_IMM_F32:
        return 4;
    case ALC_IMM_F64:
        return 8;
    case ALC_IMM_MEM0:
    case ALC_IMM_MEM1:
    case ALC_IMM_MEM2:
    case ALC_IMM_MEM3:
        /* Alignment in one byte, no memory index. */
        if (!v->has_plain_memory || bytes[0] > immediate - ALC_IMM_MEM0) {
            return UINT32_MAX;
        }
        size = leb_size(bytes + 1, LEB_U32_SIZE_MAX);
        if (size == 0 || (size == LEB_U32_SIZE_MAX && bytes[LEB_U32_SIZE_MAX] > 0x0f)) {
            return UINT32_MAX;
        }
        return 1 + size;
    default:
        return UINT32_MAX;
    }
    return size == 0 ? UINT32_MAX : size;
}

static ALC_ALWAYS_INLINE unsigned do_signature(const struct alc_validator *v, struct plain *plain,
                                               const struct alc_op_info *info)
{
    unsigned size = immediate_size(v, plain, info->immediate);
    if (size == UINT32_MAX || info->signature == ALC_SIGNATURE_CTRL ||
        !alc_feature_is_on(v->module->features, (enum alc_feature)info->feature)) {
        return 0;
    }
    unsigned first = alc_signature_operand(info->signature, 0);
    unsigned second = alc_signature_operand(info->signature, 1);
    unsigned result = alc_signature_result(info->signature);
    first = first == ALC_LETTER_A ? ALC_LETTER_I : first;
    if (second != ALC_LETTER_NONE) {
        if (!has_top(plain, 1, first) || !has_top(plain, 0, second)) {
            return 0;
        }
        pop_plain(plain, 2);
    } else if (first != ALC_LETTER_NONE) {
        if (!has_top(plain, 0, first)) {
            return 0;
        }
        pop_plain(plain, 1);
    }
    /* What was popped has left room; constants need it. */
    return result == ALC_LETTER_NONE || push_plain(plain, result) ? 1 + size : 0;
}

static ALC_ALWAYS_INLINE unsigned do_instruction(struct alc_validator *v, struct plain *plain)
{
    enum alc_op op = alc_op_find(plain->bytes[0]);
    switch ((int)op) {
    case ALC_OP_LOCAL_GET:
    case ALC_OP_LOCAL_SET:
    case ALC_OP_LOCAL_TEE:
        return do_local(v, plain, op);
    case ALC_OP_GLOBAL_GET:
    case ALC_OP_GLOBAL_SET:
        return do_global(v, plain, op);
    case ALC_OP_DROP:
        return do_drop(plain);
    case ALC_OP_BLOCK:
    case ALC_OP_LOOP:
    case ALC_OP_IF:
        return do_block(v, plain, op);
    case ALC_OP_END:
        return do_end(v, plain);
    case ALC_OP_BR:
    case ALC_OP_BR_IF:
        return do_branch(v, plain, op);
    default:
        return do_signature(v, plain, &alc_op_infos[op]);
    }
}

void alc_validate_plain(struct alc_validator *v)
{
    struct alc_reader *reader = &v->reader;
    struct plain plain = {
        .bytes = reader->bytes + reader->pos,
        .top = v->values + v->height,
        .floor = v->values + alc_validator_top(v)->height,
        .ceiling = v->values + v->values_capacity,
        .next_slot = alc_validator_next_slot(v),
        .slots_max = v->slots_max,
    };
    const uint8_t *end = reader->bytes + reader->size;
    while (end - plain.bytes >= PLAIN_SIZE_MAX) {
        unsigned size = do_instruction(v, &plain);
        if (size == 0) {
            break;
        }
        plain.bytes += size;
    }
    reader->pos = (size_t)(plain.bytes - reader->bytes);
    v->height = (uint32_t)(plain.top - v->values);
    v->slots_max = plain.slots_max;
}
