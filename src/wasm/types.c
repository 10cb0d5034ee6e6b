/* SPDX-License-Identifier: Apache-2.0
 *
 * The type registry (canonical ids of recursion groups) and the subtype relation, spec 3.1.3
 * and 3.3.
 *
 * A group is hashed and compared with references among its own members written as positions, all
 * other references as canonical ids; so equality is one pass over the members. Types come from
 * hostile modules: the search for an equal group is cut after ALC_PROBES_MAX steps, which no honest
 * module gets near, instead of letting chosen collisions make loading quadratic.
 */
#include "wasm/types.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"

enum { PROBES_MAX = 512, CAPACITY_FIRST = 64, ID_MAX = ALC_HEAP_GROUP_MEMBER - 1 };

void alc_types_init(struct alc_type_registry *registry, struct alc_arena *arena)
{
    *registry = (struct alc_type_registry){.arena = arena};
}

/* -- hashing and comparing groups -- */

static bool is_member_heap(uint32_t heap)
{
    return heap >= ALC_HEAP_GROUP_MEMBER && heap < ALC_HEAP_ABSTRACT;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t mix_types(uint64_t hash, const uint32_t *types, uint32_t count)
{
    hash = mix(hash, count);
    for (uint32_t i = 0; i < count; i++) {
        hash = mix(hash, types[i]);
    }
    return hash;
}

static uint64_t hash_member(uint64_t hash, const struct alc_type *type)
{
    hash = mix(hash, (uint64_t)type->kind << 1 | type->is_final);
    hash = mix(hash, type->super_id);
    switch (type->kind) {
    case ALC_COMPOSITE_FUNCTION:
        hash = mix_types(hash, type->function.parameters, type->function.parameters_count);
        return mix_types(hash, type->function.results, type->function.results_count);
    case ALC_COMPOSITE_STRUCT:
        hash = mix(hash, type->structure.fields_count);
        for (uint32_t i = 0; i < type->structure.fields_count; i++) {
            hash = mix(hash, (uint64_t)type->structure.fields[i].type << 1 |
                                 type->structure.fields[i].is_mutable);
        }
        return hash;
    case ALC_COMPOSITE_ARRAY:
        return mix(hash, (uint64_t)type->array.type << 1 | type->array.is_mutable);
    }
    return hash;
}

static uint32_t hash_group(const struct alc_type *members, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) {
        hash = hash_member(hash, &members[i]);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

/* A registered group that a new one is compared with. */
struct known_group {
    uint32_t first_id;
    uint32_t count;
};

/* Whether a heap type of a registered group equals one of a new group at the same place. */
static bool is_same_heap(struct known_group group, uint32_t known, uint32_t fresh)
{
    bool is_inside = known - group.first_id < group.count && known < ALC_HEAP_ABSTRACT;
    if (is_member_heap(fresh)) {
        return is_inside && known - group.first_id == fresh - ALC_HEAP_GROUP_MEMBER;
    }
    return !is_inside && known == fresh;
}

static bool is_same_value_type(struct known_group group, uint32_t known, uint32_t fresh)
{
    if (alc_type_kind(known) != alc_type_kind(fresh)) {
        return false;
    }
    return !alc_type_is_reference(known) ||
           is_same_heap(group, alc_type_heap(known), alc_type_heap(fresh));
}

static bool is_same_list(struct known_group group, const uint32_t *known, const uint32_t *fresh,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!is_same_value_type(group, known[i], fresh[i])) {
            return false;
        }
    }
    return true;
}

static bool is_same_field(struct known_group group, const struct alc_field *known,
                          const struct alc_field *fresh)
{
    return known->is_mutable == fresh->is_mutable &&
           is_same_value_type(group, known->type, fresh->type);
}

static bool is_same_composite(struct known_group group, const struct alc_type *known,
                              const struct alc_type *fresh)
{
    switch (known->kind) {
    case ALC_COMPOSITE_FUNCTION: {
        const struct alc_function_type *a = &known->function;
        const struct alc_function_type *b = &fresh->function;
        return a->parameters_count == b->parameters_count && a->results_count == b->results_count &&
               is_same_list(group, a->parameters, b->parameters, a->parameters_count) &&
               is_same_list(group, a->results, b->results, a->results_count);
    }
    case ALC_COMPOSITE_STRUCT:
        if (known->structure.fields_count != fresh->structure.fields_count) {
            return false;
        }
        for (uint32_t i = 0; i < known->structure.fields_count; i++) {
            if (!is_same_field(group, &known->structure.fields[i], &fresh->structure.fields[i])) {
                return false;
            }
        }
        return true;
    case ALC_COMPOSITE_ARRAY:
        return is_same_field(group, &known->array, &fresh->array);
    }
    return false;
}

static bool is_same_super(struct known_group group, uint32_t known, uint32_t fresh)
{
    if (known == ALC_TYPE_NO_ID || fresh == ALC_TYPE_NO_ID) {
        return known == fresh;
    }
    return is_same_heap(group, known, fresh);
}

static bool is_same_group(const struct alc_type_registry *registry, uint32_t first_id,
                          const struct alc_type *members, uint32_t count)
{
    struct known_group group = {first_id, registry->types[first_id]->group_count};
    if (group.count != count) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct alc_type *known = registry->types[first_id + i];
        if (known->kind != members[i].kind || known->is_final != members[i].is_final ||
            !is_same_super(group, known->super_id, members[i].super_id) ||
            !is_same_composite(group, known, &members[i])) {
            return false;
        }
    }
    return true;
}

/* -- room in the registry -- */

static alc_status grow_ids(struct alc_type_registry *registry, uint32_t added)
{
    uint32_t wanted;
    if (!alc_add_u32(registry->types_count, added, &wanted) || wanted > ID_MAX) {
        return ALC_E_LIMIT_TYPES;
    }
    if (wanted <= registry->types_capacity) {
        return ALC_OK;
    }
    uint32_t capacity =
        registry->types_capacity == 0 ? CAPACITY_FIRST : registry->types_capacity * 2;
    capacity = capacity < wanted ? wanted : capacity;
    struct alc_type **types = ALC_ARENA_ARRAY(registry->arena, struct alc_type *, capacity);
    uint32_t *hashes = ALC_ARENA_ARRAY(registry->arena, uint32_t, capacity);
    if (types == NULL || hashes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    if (registry->types_count != 0) {
        alc_copy(types, registry->types, registry->types_count * sizeof *types);
        alc_copy(hashes, registry->hashes, registry->types_count * sizeof *hashes);
    }
    registry->types = types;
    registry->hashes = hashes;
    registry->types_capacity = capacity;
    return ALC_OK;
}

static void insert_bucket(uint32_t *buckets, uint32_t buckets_count, uint32_t hash, uint32_t id)
{
    uint32_t at = hash & (buckets_count - 1);
    while (buckets[at] != 0) {
        at = (at + 1) & (buckets_count - 1);
    }
    buckets[at] = id + 1;
}

static alc_status grow_buckets(struct alc_type_registry *registry)
{
    if (registry->groups_count < registry->buckets_count / 2) {
        return ALC_OK;
    }
    uint32_t count =
        registry->buckets_count == 0 ? 2 * CAPACITY_FIRST : registry->buckets_count * 2;
    uint32_t *buckets = ALC_ARENA_ARRAY(registry->arena, uint32_t, count);
    if (buckets == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < registry->buckets_count; i++) {
        if (registry->buckets[i] != 0) {
            uint32_t id = registry->buckets[i] - 1;
            insert_bucket(buckets, count, registry->hashes[id], id);
        }
    }
    registry->buckets = buckets;
    registry->buckets_count = count;
    return ALC_OK;
}

/* Finds an equal group: ALC_OK with its id or ALC_TYPE_NO_ID. */
static alc_status find_group(const struct alc_type_registry *registry,
                             const struct alc_type *members, uint32_t count, uint32_t hash,
                             uint32_t *out_first_id)
{
    *out_first_id = ALC_TYPE_NO_ID;
    if (registry->buckets_count == 0) {
        return ALC_OK;
    }
    uint32_t at = hash & (registry->buckets_count - 1);
    for (uint32_t probes = 0; registry->buckets[at] != 0; probes++) {
        if (probes == PROBES_MAX) {
            return ALC_E_LIMIT_TYPES;
        }
        uint32_t id = registry->buckets[at] - 1;
        if (registry->hashes[id] == hash && is_same_group(registry, id, members, count)) {
            *out_first_id = id;
            return ALC_OK;
        }
        at = (at + 1) & (registry->buckets_count - 1);
    }
    return ALC_OK;
}

/* -- making a group part of the registry -- */

static uint32_t resolve_heap(uint32_t heap, uint32_t first_id)
{
    return is_member_heap(heap) ? first_id + (heap - ALC_HEAP_GROUP_MEMBER) : heap;
}

static uint32_t resolve_type(uint32_t type, uint32_t first_id)
{
    if (!alc_type_is_reference(type)) {
        return type;
    }
    return resolve_heap(alc_type_heap(type), first_id) << 4 | (type & 15);
}

/* The lists are in the registry's arena and belong to it, hence the cast that makes them writable.
 */
static void resolve_list(const uint32_t *types, uint32_t count, uint32_t first_id)
{
    uint32_t *list = (uint32_t *)(uintptr_t)types;
    for (uint32_t i = 0; i < count; i++) {
        list[i] = resolve_type(list[i], first_id);
    }
}

static uint32_t count_slots(const uint32_t *types, uint32_t count)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < count; i++) {
        slots += alc_type_slots(types[i]);
    }
    return slots;
}

/* Places the fields one behind the other, each aligned to its size but at most to 8 bytes, so that
 * those of a supertype come out the same. */
static void place_fields(struct alc_struct_type *structure, uint32_t first_id)
{
    struct alc_field *fields = (struct alc_field *)(uintptr_t)structure->fields;
    uint32_t offset = 0;
    for (uint32_t i = 0; i < structure->fields_count; i++) {
        fields[i].type = resolve_type(fields[i].type, first_id);
        uint32_t size = alc_type_size(fields[i].type);
        uint32_t alignment = size > 8 ? 8 : size;
        offset = (offset + alignment - 1) & ~(alignment - 1);
        fields[i].offset = offset;
        offset += size;
    }
    structure->size = offset;
}

static void resolve_member(struct alc_type *type, uint32_t first_id)
{
    switch (type->kind) {
    case ALC_COMPOSITE_FUNCTION: {
        struct alc_function_type *function = &type->function;
        resolve_list(function->parameters, function->parameters_count, first_id);
        resolve_list(function->results, function->results_count, first_id);
        function->parameters_slots = count_slots(function->parameters, function->parameters_count);
        function->results_slots = count_slots(function->results, function->results_count);
        break;
    }
    case ALC_COMPOSITE_STRUCT:
        place_fields(&type->structure, first_id);
        break;
    case ALC_COMPOSITE_ARRAY:
        type->array.type = resolve_type(type->array.type, first_id);
        break;
    }
}

/* Needs the kinds of all members. */
static void mark_traced(const struct alc_type_registry *registry, struct alc_type *type)
{
    if (type->kind == ALC_COMPOSITE_ARRAY) {
        type->array.is_traced = alc_type_is_traced(registry, type->array.type);
    }
    if (type->kind != ALC_COMPOSITE_STRUCT) {
        return;
    }
    struct alc_field *fields = (struct alc_field *)(uintptr_t)type->structure.fields;
    for (uint32_t i = 0; i < type->structure.fields_count; i++) {
        fields[i].is_traced = alc_type_is_traced(registry, fields[i].type);
        type->structure.has_traced = type->structure.has_traced || fields[i].is_traced;
    }
}

/* Fills `supers` and `depth`; the supertype stands before the type in the registry. */
static alc_status place_below_super(struct alc_type_registry *registry, struct alc_type *type)
{
    if (type->super_id == ALC_TYPE_NO_ID) {
        type->depth = 0;
        type->supers = &type->id;
        return ALC_OK;
    }
    const struct alc_type *super = alc_types_get(registry, type->super_id);
    if (super->depth >= ALC_LIMIT_SUBTYPE_DEPTH) {
        return ALC_E_LIMIT_TYPES;
    }
    uint32_t depth = super->depth + 1u;
    uint32_t *supers = ALC_ARENA_ARRAY(registry->arena, uint32_t, depth + 1);
    if (supers == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(supers, super->supers, depth * sizeof *supers);
    supers[depth] = type->id;
    type->supers = supers;
    type->depth = (uint8_t)depth;
    return ALC_OK;
}

static alc_status adopt_group(struct alc_type_registry *registry, struct alc_type *members,
                              uint32_t count)
{
    uint32_t first_id = registry->types_count;
    for (uint32_t i = 0; i < count; i++) {
        struct alc_type *type = &members[i];
        type->id = first_id + i;
        type->group_id = first_id;
        type->group_count = count;
        if (type->super_id != ALC_TYPE_NO_ID) {
            type->super_id = resolve_heap(type->super_id, first_id);
            ALC_ASSERT(type->super_id < type->id);
        }
        resolve_member(type, first_id);
        registry->types[first_id + i] = type;
        ALC_TRY(place_below_super(registry, type));
    }
    for (uint32_t i = 0; i < count; i++) {
        mark_traced(registry, &members[i]);
    }
    return ALC_OK;
}

alc_status alc_types_register_group(struct alc_type_registry *registry, struct alc_type *members,
                                    uint32_t members_count, uint32_t *out_first_id, bool *was_known)
{
    uint32_t hash = hash_group(members, members_count);
    uint32_t first_id = ALC_TYPE_NO_ID;
    if (members_count != 0) {
        ALC_TRY(find_group(registry, members, members_count, hash, &first_id));
    }
    *was_known = first_id != ALC_TYPE_NO_ID;
    if (members_count == 0 || *was_known) {
        *out_first_id = members_count == 0 ? registry->types_count : first_id;
        return ALC_OK;
    }
    ALC_TRY(grow_ids(registry, members_count));
    ALC_TRY(grow_buckets(registry));
    ALC_TRY(adopt_group(registry, members, members_count));
    first_id = registry->types_count;
    registry->hashes[first_id] = hash;
    insert_bucket(registry->buckets, registry->buckets_count, hash, first_id);
    registry->types_count += members_count;
    registry->groups_count++;
    *out_first_id = first_id;
    return ALC_OK;
}

alc_status alc_types_register_function(struct alc_type_registry *registry,
                                       const uint32_t *parameters, uint32_t parameters_count,
                                       const uint32_t *results, uint32_t results_count,
                                       uint32_t *out_id)
{
    size_t mark = alc_arena_mark(registry->arena);
    struct alc_type *type = ALC_ARENA_NEW(registry->arena, struct alc_type);
    uint32_t *list =
        ALC_ARENA_ARRAY(registry->arena, uint32_t, (size_t)parameters_count + results_count);
    if (type == NULL || list == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(list, parameters, parameters_count * sizeof *list);
    alc_copy(list + parameters_count, results, results_count * sizeof *list);
    type->kind = ALC_COMPOSITE_FUNCTION;
    type->is_final = true;
    type->super_id = ALC_TYPE_NO_ID;
    type->function.parameters = list;
    type->function.parameters_count = parameters_count;
    type->function.results = list + parameters_count;
    type->function.results_count = results_count;
    bool was_known;
    ALC_TRY(alc_types_register_group(registry, type, 1, out_id, &was_known));
    if (was_known) {
        alc_arena_reset(registry->arena, mark);
    }
    return ALC_OK;
}

/* -- subtyping -- */

uint32_t alc_heap_top(const struct alc_type_registry *registry, uint32_t heap)
{
    if (alc_heap_is_concrete(heap)) {
        bool is_function = alc_types_get(registry, heap)->kind == ALC_COMPOSITE_FUNCTION;
        return is_function ? ALC_HEAP_FUNC : ALC_HEAP_ANY;
    }
    switch (heap) {
    case ALC_HEAP_FUNC:
    case ALC_HEAP_NOFUNC:
        return ALC_HEAP_FUNC;
    case ALC_HEAP_EXTERN:
    case ALC_HEAP_NOEXTERN:
        return ALC_HEAP_EXTERN;
    case ALC_HEAP_EXN:
    case ALC_HEAP_NOEXN:
        return ALC_HEAP_EXN;
    default:
        return ALC_HEAP_ANY;
    }
}

bool alc_type_is_traced(const struct alc_type_registry *registry, uint32_t type)
{
    return alc_type_is_reference(type) &&
           alc_heap_top(registry, alc_type_heap(type)) != ALC_HEAP_FUNC;
}

/* Whether abstract `super` lies above everything of a kind of composite type. */
static bool is_above_composite(enum alc_composite_kind kind, uint32_t super)
{
    switch (kind) {
    case ALC_COMPOSITE_FUNCTION:
        return super == ALC_HEAP_FUNC;
    case ALC_COMPOSITE_STRUCT:
        return super == ALC_HEAP_STRUCT || super == ALC_HEAP_EQ || super == ALC_HEAP_ANY;
    case ALC_COMPOSITE_ARRAY:
        return super == ALC_HEAP_ARRAY || super == ALC_HEAP_EQ || super == ALC_HEAP_ANY;
    }
    return false;
}

bool alc_heap_matches(const struct alc_type_registry *registry, uint32_t sub, uint32_t super)
{
    if (sub == super || sub == ALC_HEAP_BOTTOM) {
        return true;
    }
    if (super == ALC_HEAP_BOTTOM) {
        return false;
    }
    if (alc_heap_is_concrete(sub)) {
        if (alc_heap_is_concrete(super)) {
            return alc_type_id_matches(registry, sub, super);
        }
        return is_above_composite(alc_types_get(registry, sub)->kind, super);
    }
    switch (sub) {
    case ALC_HEAP_NOFUNC:
    case ALC_HEAP_NOEXTERN:
    case ALC_HEAP_NONE:
    case ALC_HEAP_NOEXN:
        return alc_heap_top(registry, sub) == alc_heap_top(registry, super);
    case ALC_HEAP_I31:
    case ALC_HEAP_STRUCT:
    case ALC_HEAP_ARRAY:
        return super == ALC_HEAP_EQ || super == ALC_HEAP_ANY;
    case ALC_HEAP_EQ:
        return super == ALC_HEAP_ANY;
    default:
        return false;
    }
}

bool alc_type_matches_slow(const struct alc_type_registry *registry, uint32_t sub, uint32_t super)
{
    if (sub == super || alc_type_kind(sub) == ALC_KIND_BOTTOM) {
        return true;
    }
    if (!alc_type_is_reference(sub) || !alc_type_is_reference(super)) {
        return false;
    }
    if (alc_type_is_nullable(sub) && !alc_type_is_nullable(super)) {
        return false;
    }
    return alc_heap_matches(registry, alc_type_heap(sub), alc_type_heap(super));
}

static bool field_matches(const struct alc_type_registry *registry, const struct alc_field *sub,
                          const struct alc_field *super)
{
    if (sub->is_mutable != super->is_mutable) {
        return false;
    }
    /* Mutable fields are written through both types, so they are the same or match both ways. */
    return alc_type_matches(registry, sub->type, super->type) &&
           (!sub->is_mutable || alc_type_matches(registry, super->type, sub->type));
}

static bool function_matches(const struct alc_type_registry *registry,
                             const struct alc_function_type *sub,
                             const struct alc_function_type *super)
{
    if (sub->parameters_count != super->parameters_count ||
        sub->results_count != super->results_count) {
        return false;
    }
    for (uint32_t i = 0; i < sub->parameters_count; i++) {
        if (!alc_type_matches(registry, super->parameters[i], sub->parameters[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < sub->results_count; i++) {
        if (!alc_type_matches(registry, sub->results[i], super->results[i])) {
            return false;
        }
    }
    return true;
}

bool alc_composite_matches(const struct alc_type_registry *registry, const struct alc_type *sub,
                           const struct alc_type *super)
{
    if (sub->kind != super->kind) {
        return false;
    }
    switch (sub->kind) {
    case ALC_COMPOSITE_FUNCTION:
        return function_matches(registry, &sub->function, &super->function);
    case ALC_COMPOSITE_STRUCT:
        if (sub->structure.fields_count < super->structure.fields_count) {
            return false;
        }
        for (uint32_t i = 0; i < super->structure.fields_count; i++) {
            if (!field_matches(registry, &sub->structure.fields[i], &super->structure.fields[i])) {
                return false;
            }
        }
        return true;
    case ALC_COMPOSITE_ARRAY:
        return field_matches(registry, &sub->array, &super->array);
    }
    return false;
}

/* -- limits -- */

bool alc_limits_match(const struct alc_limits *actual, const struct alc_limits *wanted)
{
    if (actual->is_64 != wanted->is_64 || actual->is_shared != wanted->is_shared ||
        actual->page_size_log2 != wanted->page_size_log2 || actual->min < wanted->min) {
        return false;
    }
    return !wanted->has_max || (actual->has_max && actual->max <= wanted->max);
}
