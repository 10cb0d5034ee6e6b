/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes one call from its row. Rooms, sizes and offsets are our own; the answer is judged by the
 * row's `ensure`, by the range of each structure, and copied in no further than was promised.
 */
#include "hostcall/invoke.h"

#include "base/bytes.h"

static void send_structs(struct alc_hostcall_call *call, struct alc_hostcall_room room,
                         const struct alc_hostcall_type *type, const uint8_t *items, size_t count)
{
    uint64_t item[ALC_HOSTCALL_STRUCT_SIZE / 8];
    ALC_ASSERT(type->size <= sizeof item && type->back_count <= ALC_HOSTCALL_BACK_MAX);
    for (size_t i = 0; call->failure == 0 && i < count; i++) {
        alc_copy(item, items + i * type->size, type->size);
        /* What comes back starts as 0, so that nothing of the caller's memory leaves with it. */
        for (size_t field = 0; field < type->back_count; field++) {
            alc_fill((uint8_t *)item + type->back[field].offset, 0, type->back[field].size);
        }
        alc_hostcall_put_at(call, room, i * type->size, item, type->size);
    }
}

static struct alc_hostcall_room send_piece(struct alc_hostcall_call *call,
                                           const struct alc_hostcall_piece *piece,
                                           const union alc_hostcall_value *values)
{
    const union alc_hostcall_value value = values[piece->value];
    const size_t count = values[piece->count].number;
    const struct alc_hostcall_type *type = &alc_hostcall_types[piece->type];
    struct alc_hostcall_room room = {0};
    switch ((enum alc_hostcall_kind)piece->kind) {
    case ALC_HOSTCALL_SCALAR_8:
        alc_hostcall_set_u64(call, piece->offset, value.number);
        return room;
    case ALC_HOSTCALL_OUT_SCALAR:
        return room;
    case ALC_HOSTCALL_STRUCT_OUT:
        return alc_hostcall_need(call, 1, type->size);
    case ALC_HOSTCALL_SCALAR_4:
        room.size = (uint32_t)value.number;
        break;
    case ALC_HOSTCALL_SPANS_IN:
        room = alc_hostcall_put_spans(call, value.spans, count);
        break;
    case ALC_HOSTCALL_SPANS_OUT:
        room = alc_hostcall_offer_spans(call, value.spans, count);
        break;
    case ALC_HOSTCALL_PATH:
        room = alc_hostcall_put_path(call, value.path, count);
        break;
    case ALC_HOSTCALL_BYTES_OUT:
        room = alc_hostcall_offer(call, count);
        break;
    case ALC_HOSTCALL_STRUCTS:
        room = alc_hostcall_need(call, count, type->size);
        send_structs(call, room, type, value.out, count);
        break;
    }
    alc_hostcall_set_u32(call, piece->offset, room.size);
    return room;
}

/* Takes back structure `index` of a room; false when it lies. */
static bool receive_struct(struct alc_hostcall_call *call, const struct alc_hostcall_piece *piece,
                           struct alc_hostcall_room room, size_t index, uint8_t *out)
{
    const struct alc_hostcall_type *type = &alc_hostcall_types[piece->type];
    uint64_t item[ALC_HOSTCALL_STRUCT_SIZE / 8];
    ALC_ASSERT(type->size <= sizeof item && type->back_count <= ALC_HOSTCALL_BACK_MAX);
    alc_hostcall_fetch(call, room, index * type->size, item, type->size);
    if (!alc_hostcall_judge(call, alc_hostcall_is_in_range(piece->type, item))) {
        return false;
    }
    out += index * type->size;
    if (piece->kind == ALC_HOSTCALL_STRUCT_OUT) {
        alc_copy(out, item, type->size);
        return true;
    }
    for (size_t i = 0; i < type->back_count; i++) {
        const struct alc_hostcall_field *field = &type->back[i];
        alc_copy(out + field->offset, (const uint8_t *)item + field->offset, field->size);
    }
    return true;
}

/* Takes back one piece; false when it lies. */
static bool receive_piece(struct alc_hostcall_call *call, const struct alc_hostcall_piece *piece,
                          const union alc_hostcall_value *values, struct alc_hostcall_room room,
                          size_t result)
{
    const union alc_hostcall_value value = values[piece->value];
    size_t count = values[piece->count].number;
    switch ((enum alc_hostcall_kind)piece->kind) {
    case ALC_HOSTCALL_OUT_SCALAR:
        alc_store_u32(value.out, alc_hostcall_get_u32(call, piece->offset));
        return true;
    case ALC_HOSTCALL_SPANS_OUT:
        alc_hostcall_fetch_spans(call, room, result, value.spans, count);
        return true;
    case ALC_HOSTCALL_BYTES_OUT:
        alc_hostcall_fetch(call, room, 0, value.out, result);
        if (piece->type != 0 &&
            !alc_hostcall_judge(call, alc_hostcall_is_packed(piece->type, value.out, result))) {
            alc_fill(value.out, 0, result);
            return false;
        }
        return true;
    case ALC_HOSTCALL_STRUCT_OUT:
        return receive_struct(call, piece, room, 0, value.out);
    case ALC_HOSTCALL_STRUCTS:
        for (size_t i = 0; i < count; i++) {
            if (!receive_struct(call, piece, room, i, value.out)) {
                return false;
            }
        }
        return true;
    case ALC_HOSTCALL_SCALAR_4:
    case ALC_HOSTCALL_SCALAR_8:
    case ALC_HOSTCALL_SPANS_IN:
    case ALC_HOSTCALL_PATH:
        return true;
    }
    return false;
}

int64_t alc_hostcall_invoke(void *context, const union alc_hostcall_value *values,
                            size_t values_count, uint16_t op)
{
    struct alc_hostcall_call call;
    struct alc_hostcall_room rooms[ALC_HOSTCALL_VALUES] = {0};
    const struct alc_hostcall_piece *first = alc_hostcall_pieces + alc_hostcall_starts[op - 1];
    const struct alc_hostcall_piece *end = alc_hostcall_pieces + alc_hostcall_starts[op];
    ALC_ASSERT(values_count <= ALC_HOSTCALL_VALUES);
    alc_hostcall_begin(&call, context, op);
    for (const struct alc_hostcall_piece *piece = first; piece != end; piece++) {
        ALC_ASSERT(piece->value < values_count && piece->count < values_count);
        rooms[piece->value] = send_piece(&call, piece, values);
    }
    const int64_t result = alc_hostcall_submit(&call);
    if (result < 0) {
        return result;
    }
    const struct alc_hostcall_answer answer = {
        .result = (uint64_t)result, .values = values, .rooms = rooms, .call = &call};
    if (!alc_hostcall_judge(&call, alc_hostcall_is_truthful(op, &answer))) {
        return -ALC_OS_IO;
    }
    for (const struct alc_hostcall_piece *piece = first; piece != end; piece++) {
        if (!receive_piece(&call, piece, values, rooms[piece->value], (size_t)result)) {
            return -ALC_OS_IO;
        }
    }
    return result;
}

int64_t alc_hostcall_invoke_4(void *context, union alc_hostcall_value value_0,
                              union alc_hostcall_value value_1, union alc_hostcall_value value_2,
                              union alc_hostcall_value value_3, uint16_t op)
{
    const union alc_hostcall_value values[] = {value_0, value_1, value_2, value_3};
    return alc_hostcall_invoke(context, values, ALC_ARRAY_COUNT(values), op);
}
