/* SPDX-License-Identifier: Apache-2.0
 *
 * The emitter's building blocks: growing code, accumulators, moving values between their places,
 * prologue and fuel. Trusts the validator.
 */
#include "wasm/emit.h"

#include "wasm/emit_sequences.h"
#include "wasm/validate_internal.h"

/* While a function is emitted an operation begins with its number and, above that, how many units
 * before it the one before begins: the longest is a br_table. */
enum { CODE_BITS = 12, CODE_MASK = (1 << CODE_BITS) - 1 };
enum { UNITS_FIRST = 4096, UNITS_MAX = 1 << 28, OP_UNITS_MAX = 32, LAZY_MAX = 16, NO_CLASS = 2 };
_Static_assert(ALC_CODE_SINGLE_COUNT <= CODE_MASK + 1 &&
                   2 * ALC_LIMIT_BRANCH_TABLE + OP_UNITS_MAX < UINT32_MAX >> CODE_BITS,
               "a number and a distance fit into two units");

static unsigned class_of(uint32_t type)
{
    return type == ALC_TYPE_F32 || type == ALC_TYPE_F64;
}

/* -- units -- */

static ALC_COLD void grow_units(struct alc_emitter *e, uint32_t needed)
{
    uint64_t capacity = (uint64_t)e->capacity * 2;
    while (capacity < (uint64_t)e->count + needed) {
        capacity *= 2;
    }
    uint16_t *units = NULL;
    if (capacity <= UNITS_MAX) {
        units = alc_arena_take(e->arena, capacity * sizeof *units, sizeof(uint64_t));
    }
    if (units == NULL) {
        e->failed = ALC_E_OUT_OF_MEMORY;
        e->count = 0;
        ALC_ASSERT(needed <= e->capacity);
        return;
    }
    if (e->count > 0) {
        alc_copy(units, e->units, e->count * sizeof *units);
    }
    e->units = units;
    e->capacity = (uint32_t)capacity;
}

static void reserve(struct alc_emitter *e, uint32_t needed)
{
    if (ALC_UNLIKELY(e->capacity - e->count < needed)) {
        grow_units(e, needed);
    }
}

bool alc_emit_init(struct alc_emitter *e)
{
    e->failed = ALC_OK;
    if (e->units != NULL) {
        return true;
    }
    e->units = alc_arena_take(e->arena, UNITS_FIRST * sizeof *e->units, sizeof(uint64_t));
    e->capacity = e->units == NULL ? 0 : UNITS_FIRST;
    return e->units != NULL;
}

static void store_u32(struct alc_emitter *e, uint32_t unit, uint32_t value)
{
    alc_store_u32(&e->units[unit], value);
}

static uint32_t load_u32(const struct alc_emitter *e, uint32_t unit)
{
    return (uint32_t)e->units[unit] | (uint32_t)e->units[unit + 1] << 16;
}

void alc_emit_u16(struct alc_validator *v, uint32_t value)
{
    struct alc_emitter *e = &v->emitter;
    reserve(e, 1);
    e->units[e->count++] = (uint16_t)value;
}

void alc_emit_u32(struct alc_validator *v, uint32_t value)
{
    struct alc_emitter *e = &v->emitter;
    reserve(e, 2);
    store_u32(e, e->count, value);
    e->count += 2;
}

void alc_emit_u64(struct alc_validator *v, uint64_t value)
{
    alc_emit_u32(v, (uint32_t)value);
    alc_emit_u32(v, (uint32_t)(value >> 32));
}

static void put_op(struct alc_validator *v, enum alc_code_op code)
{
    struct alc_emitter *e = &v->emitter;
    reserve(e, OP_UNITS_MAX);
    e->before_unit = e->last_end == e->count ? e->last_unit : ALC_NO_UNIT;
    e->before_code = e->last_code;
    e->before_kind = e->last_kind;
    e->before_class = e->last_class;
    e->last_unit = e->count;
    e->last_code = code;
    e->last_kind = ALC_LAST_OTHER;
    e->last_class = NO_CLASS;
    e->last_end = ALC_NO_UNIT;
    store_u32(e, e->count, (e->count - e->start_unit) << CODE_BITS | code);
    e->start_unit = e->count;
    e->count += 2;
}

void alc_emit_set_code(struct alc_emitter *e, uint32_t unit, uint32_t code)
{
    store_u32(e, unit, load_u32(e, unit) >> CODE_BITS << CODE_BITS | code);
}

/* The charge of the basic block that begins, still without its amount. */
static void put_fuel(struct alc_validator *v)
{
    struct alc_emitter *e = &v->emitter;
    e->block_pending = false;
    put_op(v, ALC_CODE_FUEL);
    e->fuel_unit = e->count;
    alc_emit_u32(v, 0);
}

void alc_emit_op(struct alc_validator *v, enum alc_code_op code)
{
    if (v->emitter.block_pending) {
        put_fuel(v);
    }
    put_op(v, code);
}

bool alc_emit_is_last(const struct alc_validator *v, enum alc_code_op code)
{
    const struct alc_emitter *e = &v->emitter;
    return e->last_end == e->count && e->last_code == code;
}

void alc_emit_refit(struct alc_validator *v, uint32_t unit, enum alc_code_op code, uint32_t from,
                    uint32_t to)
{
    struct alc_emitter *e = &v->emitter;
    for (; from < e->count; from++, to++) {
        e->units[to] = e->units[from];
    }
    e->count = to;
    e->before_unit = ALC_NO_UNIT;
    e->last_unit = unit;
    e->last_code = code;
    e->start_unit = unit;
    alc_emit_set_code(e, unit, code);
    /* Who waits for the unit waits for this instruction, not for those that it is fused with. */
    if (v->watch_unit >= unit) {
        v->watch_offset = 0;
    }
}

void alc_emit_end_block(struct alc_validator *v)
{
    struct alc_emitter *e = &v->emitter;
    if (!e->target->metered) {
        return;
    }
    /* A block of instructions that emit nothing is charged all the same. */
    if (e->block_pending && e->fuel_cost != 0) {
        put_fuel(v);
    }
    if (e->fuel_unit != ALC_NO_UNIT) {
        if (e->fuel_unit < e->count) {
            store_u32(e, e->fuel_unit, e->fuel_cost);
        }
        e->fuel_cost = 0;
    }
    e->fuel_unit = ALC_NO_UNIT;
    e->block_pending = true;
}

void alc_emit_label(struct alc_validator *v)
{
    struct alc_emitter *e = &v->emitter;
    e->last_end = ALC_NO_UNIT;
    e->acc_slot[0] = ALC_NO_SLOT;
    e->acc_slot[1] = ALC_NO_SLOT;
    alc_emit_end_block(v);
}

/* -- accumulators -- */

static void forget_slot(struct alc_emitter *e, uint32_t slot)
{
    for (unsigned class = 0; class < 2; class ++) {
        if (e->acc_slot[class] == slot) {
            e->acc_slot[class] = ALC_NO_SLOT;
        }
    }
}

void alc_emit_mark_result(struct alc_validator *v, unsigned class, enum alc_last_kind kind)
{
    struct alc_emitter *e = &v->emitter;
    e->last_kind = kind;
    e->last_class = class;
    e->last_end = e->count;
    e->acc_slot[class] = ALC_NO_SLOT;
}

void alc_emit_mark_target(struct alc_validator *v, uint32_t target_unit, uint32_t slot,
                          uint32_t slots)
{
    struct alc_emitter *e = &v->emitter;
    e->last_kind = ALC_LAST_TARGET;
    e->last_target = target_unit;
    e->last_end = e->count;
    forget_slot(e, slot);
    if (slots == 2) {
        forget_slot(e, slot + 1);
    }
}

/* Stores the accumulator to `slot`: by the operation that made the value, when that was the last.
 */
static void store_acc(struct alc_validator *v, unsigned class, uint32_t slot)
{
    struct alc_emitter *e = &v->emitter;
    if (e->last_end == e->count && e->last_kind == ALC_LAST_RESULT && e->last_class == class) {
        reserve(e, 1);
        e->last_code++;
        alc_emit_set_code(e, e->last_unit, e->last_code);
        e->last_target = e->count;
        alc_emit_u16(v, slot);
        if (e->last_code == ALC_CODE_I32_ADD_SID && e->before_unit != ALC_NO_UNIT &&
            e->before_code == ALC_CODE_I32_ADD_SID) {
            uint32_t second = e->last_unit;
            alc_emit_refit(v, e->before_unit, ALC_CODE_I32_ADD_PAIR, second + 2, second);
            e->last_target = e->count - 1;
        }
    } else {
        alc_emit_op(v, class == 0 ? ALC_CODE_STORE_A : ALC_CODE_STORE_F);
        e->last_target = e->count;
        alc_emit_u16(v, slot);
    }
    forget_slot(e, slot);
    e->last_kind = ALC_LAST_TARGET;
    e->last_end = e->count;
    e->acc_slot[class] = slot;
}

/* Lets the operation before the last one store its result, which is still in the accumulator, to
 * `slot`, which the last one does not know. No other place of the code moves than the last
 * operation, and it by one unit only: less than any operation has, so that who waits for its unit
 * (watch_unit) has met it. */
static bool store_before(struct alc_validator *v, unsigned class, uint32_t slot)
{
    struct alc_emitter *e = &v->emitter;
    if (e->last_end != e->count || e->before_unit == ALC_NO_UNIT ||
        e->before_kind != ALC_LAST_RESULT || e->before_class != class || e->last_class == class) {
        return false;
    }
    reserve(e, 1);
    for (uint32_t unit = e->count; unit > e->last_unit; unit--) {
        e->units[unit] = e->units[unit - 1];
    }
    e->units[e->last_unit] = (uint16_t)slot;
    e->before_code++;
    alc_emit_set_code(e, e->before_unit, e->before_code);
    e->before_kind = ALC_LAST_TARGET;
    e->start_unit = ++e->last_unit;
    store_u32(e, e->last_unit, load_u32(e, e->last_unit) + (1u << CODE_BITS));
    e->last_target++;
    e->count++;
    e->last_end = e->count;
    e->acc_slot[class] = slot;
    return true;
}

void alc_emit_free_acc(struct alc_validator *v, unsigned class)
{
    struct alc_emitter *e = &v->emitter;
    uint32_t entry = e->acc_entry[class];
    if (entry >= v->height) {
        return;
    }
    struct alc_value *value = &v->values[entry];
    if (value->place == ALC_PLACE_ACC && class_of(value->type) == class) {
        value->place = ALC_PLACE_SLOT;
        value->payload = 0;
        if (!store_before(v, class, value->slot)) {
            store_acc(v, class, value->slot);
        }
    }
}

alc_status alc_emit_push(struct alc_validator *v, uint32_t type, unsigned place)
{
    if (place == ALC_PLACE_ACC) {
        v->emitter.acc_entry[class_of(type)] = v->height;
    }
    return alc_push(v, type, (enum alc_place)place, 0);
}

/* -- places -- */

static void emit_constant(struct alc_validator *v, uint64_t bits, uint32_t slot)
{
    struct alc_emitter *e = &v->emitter;
    if ((int64_t)bits == (int32_t)bits) {
        alc_emit_op(v, ALC_CODE_CONST32);
        alc_emit_u32(v, (uint32_t)bits);
    } else {
        alc_emit_op(v, ALC_CODE_CONST64);
        alc_emit_u64(v, bits);
    }
    alc_emit_u16(v, slot);
    alc_emit_mark_target(v, e->count - 1, slot, 1);
}

static void emit_copy(struct alc_validator *v, uint32_t type, uint32_t from, uint32_t to)
{
    struct alc_emitter *e = &v->emitter;
    if (type == ALC_TYPE_V128) {
        alc_emit_op(v, ALC_CODE_COPY2);
    } else if (e->acc_slot[0] == from) {
        alc_emit_op(v, ALC_CODE_STORE_A);
        alc_emit_u16(v, to);
        alc_emit_mark_target(v, e->count - 1, to, 1);
        return;
    } else if (alc_emit_is_last(v, ALC_CODE_COPY)) {
        alc_emit_refit(v, e->last_unit, ALC_CODE_COPY_PAIR, e->count, e->count);
    } else {
        alc_emit_op(v, ALC_CODE_COPY);
    }
    alc_emit_u16(v, from);
    alc_emit_u16(v, to);
    alc_emit_mark_target(v, e->count - 1, to, alc_type_slots(type));
}

void alc_emit_copy_to(struct alc_validator *v, const struct alc_value *value, uint32_t slot)
{
    switch ((enum alc_place)value->place) {
    case ALC_PLACE_SLOT:
        if (value->slot != slot) {
            emit_copy(v, value->type, value->slot, slot);
        }
        break;
    case ALC_PLACE_LOCAL:
        if (value->payload != slot) {
            emit_copy(v, value->type, (uint32_t)value->payload, slot);
        }
        break;
    case ALC_PLACE_CONSTANT:
        emit_constant(v, value->payload, slot);
        break;
    case ALC_PLACE_ACC:
        alc_emit_op(v, class_of(value->type) == 0 ? ALC_CODE_STORE_A : ALC_CODE_STORE_F);
        alc_emit_u16(v, slot);
        alc_emit_mark_target(v, v->emitter.count - 1, slot, 1);
        break;
    }
}

void alc_emit_settle(struct alc_validator *v, struct alc_value *value)
{
    if (value->place == ALC_PLACE_SLOT) {
        return;
    }
    if (value->place == ALC_PLACE_ACC) {
        store_acc(v, class_of(value->type), value->slot);
    } else {
        alc_emit_copy_to(v, value, value->slot);
    }
    value->place = ALC_PLACE_SLOT;
    value->payload = 0;
}

uint32_t alc_emit_slot_of(struct alc_validator *v, struct alc_value *value)
{
    if (value->place == ALC_PLACE_LOCAL) {
        return (uint32_t)value->payload;
    }
    alc_emit_settle(v, value);
    return value->slot;
}

void alc_emit_flush(struct alc_validator *v, uint32_t popped)
{
    struct alc_emitter *e = &v->emitter;
    uint32_t end = v->height + popped;
    for (unsigned class = 0; class < 2; class ++) {
        uint32_t entry = e->acc_entry[class];
        if (entry < end && v->values[entry].place == ALC_PLACE_ACC &&
            class_of(v->values[entry].type) == class) {
            alc_emit_settle(v, &v->values[entry]);
        }
    }
    for (uint32_t i = e->lazy_floor; i < v->height; i++) {
        if (v->values[i].place == ALC_PLACE_LOCAL) {
            alc_emit_settle(v, &v->values[i]);
        }
    }
    for (uint32_t i = v->height; i < end; i++) {
        alc_emit_settle(v, &v->values[i]);
    }
    e->lazy_floor = v->height;
    (void)alc_emit_roots(v, 0); /* while what must be settled for it can be */
}

/* -- locals -- */

alc_status alc_emit_local_get(struct alc_validator *v, uint32_t type, uint32_t slot)
{
    struct alc_emitter *e = &v->emitter;
    if (e->lazy_floor > v->height) {
        e->lazy_floor = v->height;
    }
    if (v->height - e->lazy_floor >= LAZY_MAX) {
        struct alc_value *oldest = &v->values[e->lazy_floor++];
        if (oldest->place == ALC_PLACE_LOCAL) {
            alc_emit_settle(v, oldest);
        }
    }
    return alc_push(v, type, ALC_PLACE_LOCAL, slot);
}

/* Entries that still mean the old value of the local move to their own slots. */
static void save_aliases(struct alc_validator *v, uint32_t slot)
{
    /* Many entries (of other places) to look through: better once than at every local.set. */
    if (v->height > v->emitter.lazy_floor + 4 * LAZY_MAX) {
        for (uint32_t i = v->emitter.lazy_floor; i < v->height; i++) {
            if (v->values[i].place == ALC_PLACE_LOCAL) {
                alc_emit_settle(v, &v->values[i]);
            }
        }
        v->emitter.lazy_floor = v->height;
    }
    for (uint32_t i = v->emitter.lazy_floor; i < v->height; i++) {
        struct alc_value *value = &v->values[i];
        if (value->place == ALC_PLACE_LOCAL && value->payload == slot) {
            alc_emit_settle(v, value);
        }
    }
}

void alc_emit_local_set(struct alc_validator *v, struct alc_value *value, uint32_t slot)
{
    struct alc_emitter *e = &v->emitter;
    save_aliases(v, slot);
    if (value->place == ALC_PLACE_ACC) {
        store_acc(v, class_of(value->type), slot);
        return;
    }
    if (value->place == ALC_PLACE_SLOT && e->last_end == e->count &&
        e->last_kind == ALC_LAST_TARGET && e->units[e->last_target] == value->slot) {
        bool was_cached[2] = {e->acc_slot[0] == value->slot, e->acc_slot[1] == value->slot};
        e->units[e->last_target] = (uint16_t)slot;
        forget_slot(e, slot);
        if (value->type == ALC_TYPE_V128) {
            forget_slot(e, slot + 1);
        }
        for (unsigned class = 0; class < 2; class ++) {
            if (was_cached[class]) {
                e->acc_slot[class] = slot;
            }
        }
        return;
    }
    alc_emit_copy_to(v, value, slot);
}

/* -- function -- */

void alc_emit_begin(struct alc_validator *v, uint32_t parameters_slots, uint32_t locals_slots)
{
    struct alc_emitter *e = &v->emitter;
    e->count = e->start_unit = 0;
    e->last_end = e->before_unit = ALC_NO_UNIT;
    e->acc_entry[0] = e->acc_entry[1] = ALC_NO_UNIT;
    e->acc_slot[0] = e->acc_slot[1] = ALC_NO_SLOT;
    e->lazy_floor = 0;
    e->block_pending = false;
    e->fuel_unit = ALC_NO_UNIT;
    e->fuel_cost = 0;
    e->handlers_count = 0;
    e->clauses_count = 0;
    e->link_slot = locals_slots;
    alc_emit_roots_begin(v);
    bool zeroes = locals_slots > parameters_slots;
    alc_emit_op(v, zeroes ? ALC_CODE_ENTER_ZERO : ALC_CODE_ENTER);
    alc_emit_u16(v, 0);
    alc_emit_u16(v, e->link_slot);
    if (zeroes) {
        alc_emit_u16(v, parameters_slots);
    }
    alc_emit_label(v);
    if (e->target->interruptible) {
        alc_emit_op(v, ALC_CODE_POLL);
    }
}

void alc_emit_finish(struct alc_validator *v, uint32_t frame_slots)
{
    struct alc_emitter *e = &v->emitter;
    alc_emit_end_block(v);
    alc_emit_close_handlers(e);
    if (e->safepoints_count == 0) {
        e->roots_count = 0;
    }
    e->units[2] = (uint16_t)frame_slots;
}

void alc_emit_keep_units(const struct alc_emitter *e, uint16_t *units)
{
    alc_copy(units, e->units, e->count * sizeof *units);
    struct alc_sequence_window window = ALC_SEQUENCE_END;
    uint32_t unit = e->start_unit;
    uint32_t distance;
    do {
        uint32_t start = load_u32(e, unit);
        distance = start >> CODE_BITS;
        uint32_t code = alc_sequence_choose(&window, start & CODE_MASK);
        alc_store_u32(&units[unit], alc_code_handler(e->target, code));
        unit -= distance;
    } while (distance != 0);
}
