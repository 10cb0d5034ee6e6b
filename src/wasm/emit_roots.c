/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the collector finds references in frames. At each operation during which it may run (calls
 * and allocations) the frame's traced references stand in slots: those of locals always, those of
 * the operand stack because they are settled first. The slots of one safepoint are a chain of nodes
 * that shares its tail with the chains of the entries below, so all chains of a function together
 * are no longer than its code.
 *
 * An entry that stands in its own slot keeps the chain that begins with it in `payload` (plus one,
 * so that 0 means not known).
 */
#include "wasm/emit.h"
#include "wasm/validate_internal.h"

/* After as many entries that have no chain, one of the block's own is settled, whatever it is, so
 * that the next walk ends at it. */
enum { WALK_MAX = 32, ITEMS_FIRST = 64 };

static bool is_traced(const struct alc_validator *v, uint32_t type)
{
    return alc_type_is_reference(type) && alc_type_is_traced(v->module->types, type);
}

/* A bigger array with the same items, or the same one when there is no memory. */
static void *grow(struct alc_emitter *e, void *items, uint32_t *capacity, size_t item_size)
{
    uint32_t wanted = *capacity == 0 ? ITEMS_FIRST : *capacity * 2;
    void *bigger = alc_arena_take_array(e->arena, wanted, item_size, sizeof(uint64_t));
    if (bigger == NULL) {
        e->failed = ALC_E_OUT_OF_MEMORY;
        return items;
    }
    if (*capacity != 0) {
        alc_copy(bigger, items, *capacity * item_size);
    }
    *capacity = wanted;
    return bigger;
}

/* The chain `next` with `slot` before it. */
static uint32_t add_root(struct alc_emitter *e, uint32_t next, uint32_t slot)
{
    if (e->roots_count == e->roots_capacity) {
        e->roots = grow(e, e->roots, &e->roots_capacity, sizeof *e->roots);
    }
    if (e->roots_count == e->roots_capacity) {
        return next;
    }
    e->roots[e->roots_count++] = (struct alc_code_root){.next = next, .slot = (uint16_t)slot};
    return e->roots_count;
}

void alc_emit_roots_begin(struct alc_validator *v)
{
    struct alc_emitter *e = &v->emitter;
    e->roots_count = 0;
    e->safepoints_count = 0;
    e->locals_root = 0;
    for (uint32_t i = 0; i < v->locals_count; i++) {
        if (is_traced(v, v->locals[i].type)) {
            e->locals_root = add_root(e, e->locals_root, v->locals[i].slot);
        }
    }
}

/* What is settled here stands in its slot on one path only, and entries below the innermost block
 * are on others, too: they stay as they were when it began. Of those only constants can be out of
 * their slots (alc_emit_flush), and a constant reference is null. */
uint32_t alc_emit_roots(struct alc_validator *v, uint32_t popped)
{
    uint32_t end = v->height + popped;
    uint32_t base = alc_validator_top(v)->height;
    uint32_t first = end;
    uint32_t root = v->emitter.locals_root;
    for (; first > 0; first--) {
        struct alc_value *value = &v->values[first - 1];
        if (value->place == ALC_PLACE_SLOT && value->payload != 0) {
            root = (uint32_t)value->payload - 1;
            break;
        }
        if (value->place != ALC_PLACE_SLOT && value->place != ALC_PLACE_CONSTANT &&
            is_traced(v, value->type)) {
            alc_emit_settle(v, value);
        }
        if (end - first == WALK_MAX && base < end) {
            alc_emit_settle(v, first > base ? value : &v->values[base]);
        }
    }
    for (; first < end; first++) {
        struct alc_value *value = &v->values[first];
        if (value->place == ALC_PLACE_SLOT) {
            if (is_traced(v, value->type)) {
                root = add_root(&v->emitter, root, value->slot);
            }
            value->payload = (uint64_t)root + 1;
        }
    }
    return root;
}

void alc_emit_safepoint(struct alc_validator *v, uint32_t root)
{
    struct alc_emitter *e = &v->emitter;
    if (root == 0) {
        return;
    }
    if (e->safepoints_count == e->safepoints_capacity) {
        e->safepoints = grow(e, e->safepoints, &e->safepoints_capacity, sizeof *e->safepoints);
    }
    if (e->safepoints_count < e->safepoints_capacity) {
        e->safepoints[e->safepoints_count++] =
            (struct alc_code_safepoint){.unit = e->count, .root = root};
    }
}
