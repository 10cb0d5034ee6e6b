/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the steps of one row. The guest's slots, memory and counts are hostile; the steps are our
 * own. A structure is read and written field by field, each byte of guest memory once, and what
 * lies between the fields is never read and is stored as zeros.
 */
#include "host/run.h"

#include "base/bytes.h"

/* What comes back for a parameter. */
struct result {
    uint8_t *guest;        /* where to store it after success; NULL: nothing comes back */
    const uint8_t *layout; /* NULL: a number of `size` bytes */
    uint8_t size;
    uint8_t used; /* ALC_HOST_COUNT_LITERAL | items, or the parameter that says how many */
};

struct frame {
    struct alc_host_call *call;
    const struct alc_host_rows *rows;
    const uint8_t *step; /* the next byte */
    size_t parameter;    /* the next one */
    /* Those of a parameter are written by its step, and never looked at before. */
    union alc_host_value values[ALC_HOST_VALUES];
    struct result results[ALC_HOST_VALUES];
    uint8_t structure[ALC_HOST_STRUCT_SIZE] ALC_ALIGNED(8);
};

static uint64_t low_bits(uint8_t count)
{
    return (UINT64_C(1) << count) - 1;
}

static uint64_t read_count(struct frame *frame)
{
    const uint8_t count = *frame->step++;
    if ((count & ALC_HOST_COUNT_LITERAL) != 0) {
        return (uint8_t)(count - ALC_HOST_COUNT_LITERAL);
    }
    if ((count & ALC_HOST_COUNT_ASK) != 0) {
        return frame->rows->ask(frame->call->context, (uint8_t)(count - ALC_HOST_COUNT_ASK));
    }
    return (uint32_t)frame->call->slots[count];
}

static void move_fields(uint8_t *guest, uint8_t *item, const uint8_t *layout, bool is_store)
{
    const uint8_t *field = layout + ALC_HOST_LAYOUT_FIELDS;
    for (size_t i = layout[2]; i != 0; i--, field += ALC_HOST_LAYOUT_FIELD_SIZE) {
        uint8_t *in_guest = guest + field[0];
        uint8_t *in_item = item + field[1];
        alc_copy(is_store ? in_guest : in_item, is_store ? in_item : in_guest, field[2]);
    }
}

static enum alc_host_fault prepare_items(struct frame *frame, enum alc_host_step kind,
                                         union alc_host_value *value, uint32_t guest_addr)
{
    const uint8_t *layout = frame->rows->layouts + *frame->step++;
    const uint64_t count = kind == ALC_HOST_STRUCT_OUT ? 1 : read_count(frame);
    struct alc_guest_buffer range;
    enum alc_host_fault fault = alc_host_borrow(frame->call, guest_addr, count, layout[0], &range);
    if (fault != ALC_HOST_FAULT_NONE) {
        return fault;
    }
    value->items.count = count;
    struct result *result = &frame->results[frame->parameter - 1];
    if (kind == ALC_HOST_STRUCT_OUT) {
        value->items.first = frame->structure;
        alc_fill(frame->structure, 0, sizeof frame->structure);
        result->used = ALC_HOST_COUNT_LITERAL | 1;
    } else {
        fault = alc_host_take_results(frame->call, count, layout[1], &value->items.first);
        if (fault != ALC_HOST_FAULT_NONE) {
            return fault;
        }
    }
    if (kind == ALC_HOST_ITEMS_IN) {
        for (size_t i = 0; i < count; i++) {
            move_fields(range.bytes + i * layout[0], (uint8_t *)value->items.first + i * layout[1],
                        layout, false);
        }
        return ALC_HOST_FAULT_NONE;
    }
    if (kind == ALC_HOST_ITEMS_OUT) {
        result->used = *frame->step++;
    }
    result->guest = range.bytes;
    result->layout = layout;
    return ALC_HOST_FAULT_NONE;
}

static enum alc_host_fault prepare_memory(struct frame *frame, enum alc_host_step kind,
                                          union alc_host_value *value, uint32_t guest_addr)
{
    struct alc_host_call *call = frame->call;
    struct alc_guest_buffer range;
    if (kind >= ALC_HOST_STRUCT_OUT) {
        return prepare_items(frame, kind, value, guest_addr);
    }
    if (kind == ALC_HOST_OUT) {
        const uint8_t size = *frame->step++;
        value->number = 0;
        enum alc_host_fault fault = alc_host_borrow(call, guest_addr, 1, size, &range);
        if (fault == ALC_HOST_FAULT_NONE) {
            frame->results[frame->parameter - 1] =
                (struct result){.guest = range.bytes, .size = size};
        }
        return fault;
    }
    const uint64_t count = read_count(frame);
    if (kind == ALC_HOST_SPANS) {
        return alc_host_copy_spans(call, guest_addr, (uint32_t)count, &value->spans);
    }
    if (kind == ALC_HOST_PATH) {
        return alc_host_copy_path(call, guest_addr, (uint32_t)count, &value->bytes);
    }
    if (kind == ALC_HOST_COPY) {
        return alc_host_copy(call, guest_addr, count, 1, &value->bytes);
    }
    return alc_host_borrow(call, guest_addr, count, *frame->step++, &value->buffer);
}

/* 0, or the result with which the call is refused. */
static uint16_t get_handle(struct frame *frame, union alc_host_value *value, uint64_t slot)
{
    uint64_t rights = 0;
    for (size_t i = *frame->step++; i != 0; i--) {
        rights |= UINT64_C(1) << *frame->step++;
    }
    return frame->rows->get_handle(frame->call->context, (uint32_t)slot, rights, &value->handle);
}

/* One step; likewise. */
static uint16_t prepare(struct frame *frame, enum alc_host_step kind)
{
    bool is_good = true;
    if (kind == ALC_HOST_LIMIT) {
        const uint8_t *limit = frame->step;
        frame->step += 3;
        is_good = (uint32_t)frame->call->slots[limit[0]] <= alc_load_u16(limit + 1);
        return is_good ? 0 : frame->rows->refusals[ALC_HOST_FAULT_VALUE];
    }
    const uint64_t slot = frame->call->slots[frame->parameter];
    frame->results[frame->parameter].guest = NULL;
    union alc_host_value *value = &frame->values[frame->parameter++];
    if (kind == ALC_HOST_HANDLE) {
        return get_handle(frame, value, slot);
    }
    if (kind > ALC_HOST_HANDLE) {
        return frame->rows->refusals[prepare_memory(frame, kind, value, (uint32_t)slot)];
    }
    value->number = slot;
    if (kind == ALC_HOST_NUMBER) {
        return 0;
    }
    const uint8_t operand = *frame->step++;
    if (kind == ALC_HOST_MASK) {
        value->number &= low_bits(operand);
    } else if (kind == ALC_HOST_FLAGS) {
        is_good = ((uint32_t)slot & ~low_bits(operand)) == 0;
    } else {
        is_good = (uint32_t)slot <= operand;
    }
    return is_good ? 0 : frame->rows->refusals[ALC_HOST_FAULT_VALUE];
}

static void store_results(const struct frame *frame)
{
    for (size_t i = 0; i < frame->parameter; i++) {
        const union alc_host_value *value = &frame->values[i];
        const struct result *result = &frame->results[i];
        if (result->guest == NULL) {
            continue;
        }
        const uint8_t *layout = result->layout;
        if (layout == NULL) {
            alc_copy(result->guest, &value->number, result->size);
            continue;
        }
        const size_t used = (result->used & ALC_HOST_COUNT_LITERAL) != 0
                                ? (uint8_t)(result->used - ALC_HOST_COUNT_LITERAL)
                                : frame->values[result->used].u32;
        ALC_ASSERT(used <= value->items.count);
        for (size_t item = 0; item < used; item++) {
            uint8_t *guest = result->guest + item * layout[0];
            alc_fill(guest, 0, layout[0]);
            move_fields(guest, (uint8_t *)value->items.first + item * layout[1], layout, true);
        }
    }
}

alc_status alc_host_run(struct alc_host_call *call, const struct alc_host_rows *rows)
{
    const size_t index = (size_t)(call->callee - rows->module->exports);
    alc_host_begin(call, call->context, rows->module);
    struct frame frame ALC_UNINITIALIZED;
    frame.call = call;
    frame.rows = rows;
    frame.step = rows->steps + rows->starts[index];
    frame.parameter = 0;
    enum alc_host_step kind;
    while ((kind = *frame.step++) >= ALC_HOST_LIMIT) {
        const uint16_t refusal = prepare(&frame, kind);
        if (refusal != 0) {
            call->slots[0] = refusal;
            return ALC_OK;
        }
    }
    if (kind != ALC_HOST_END) { /* a status and a result that nobody wrote yet */
        frame.values[frame.parameter].number = ALC_OK;
        frame.values[frame.parameter + 1].number = 0;
    }
    const uint16_t result = rows->bodies[index](call->context, frame.values);
    if (kind != ALC_HOST_END) {
        const alc_status status = frame.values[frame.parameter].status;
        if (status != ALC_OK || kind == ALC_HOST_END_VOID) {
            return alc_host_stop(call, status);
        }
    }
    if (result == 0) {
        store_results(&frame);
    }
    call->slots[0] = result;
    return ALC_OK;
}
