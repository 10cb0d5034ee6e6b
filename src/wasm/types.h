/* SPDX-License-Identifier: Apache-2.0
 *
 * Types of WebAssembly 3.0 (spec 2.3): values, functions, structures, arrays, limits; and the
 * registry that gives equal recursion groups equal ids.
 *
 * Conventions
 *   - Value type: a uint32_t. Comparing two for equality is comparing the numbers, across modules
 *     too, because a concrete heap type is named by its canonical id, never by a module's index.
 *   - Type id: index into one struct alc_type_registry. All modules that meet in one store MUST
 *     have been loaded with the registry of that store. Two types have one id exactly when the
 *     specification calls them equal (iso-recursive, spec 3.1.3), so call_indirect of a final type
 *     compares two numbers.
 *   - Lifetime: what the registry returns lives as long as its arena and never moves.
 *   - Threads: a registry is changed by loading modules and linking only; one thread at a time.
 */
#ifndef ALC_WASM_TYPES_H
#define ALC_WASM_TYPES_H

#include "base/arena.h"
#include "base/writer.h"

/* -- value types: bits 0..3 kind, bits 4..31 heap type (references only) -- */

enum alc_value_kind {
    ALC_KIND_BOTTOM, /* an unknown operand of unreachable code: matches everything */
    ALC_KIND_I32,
    ALC_KIND_I64,
    ALC_KIND_F32,
    ALC_KIND_F64,
    ALC_KIND_V128,
    ALC_KIND_REF,      /* (ref ht) */
    ALC_KIND_REF_NULL, /* (ref null ht) */
    ALC_KIND_I8,       /* storage types: fields of structures and arrays only */
    ALC_KIND_I16,
};

/* Heap types: below ALC_HEAP_ABSTRACT a canonical type id, above it one of these. */
#define ALC_HEAP_ABSTRACT 0x08000000u
enum alc_heap {
    ALC_HEAP_FUNC = ALC_HEAP_ABSTRACT,
    ALC_HEAP_NOFUNC,
    ALC_HEAP_EXTERN,
    ALC_HEAP_NOEXTERN,
    ALC_HEAP_ANY,
    ALC_HEAP_EQ,
    ALC_HEAP_I31,
    ALC_HEAP_STRUCT,
    ALC_HEAP_ARRAY,
    ALC_HEAP_NONE,
    ALC_HEAP_EXN,
    ALC_HEAP_NOEXN,
    ALC_HEAP_BOTTOM, /* below every heap type: the operand of br_on_null and the like in dead code
                      */
};

#define ALC_TYPE_OF_REF(heap) ((uint32_t)(heap) << 4 | ALC_KIND_REF)
#define ALC_TYPE_OF_REF_NULL(heap) ((uint32_t)(heap) << 4 | ALC_KIND_REF_NULL)

#define ALC_TYPE_BOTTOM ((uint32_t)ALC_KIND_BOTTOM)
#define ALC_TYPE_I32 ((uint32_t)ALC_KIND_I32)
#define ALC_TYPE_I64 ((uint32_t)ALC_KIND_I64)
#define ALC_TYPE_F32 ((uint32_t)ALC_KIND_F32)
#define ALC_TYPE_F64 ((uint32_t)ALC_KIND_F64)
#define ALC_TYPE_V128 ((uint32_t)ALC_KIND_V128)
#define ALC_TYPE_I8 ((uint32_t)ALC_KIND_I8)
#define ALC_TYPE_I16 ((uint32_t)ALC_KIND_I16)
#define ALC_TYPE_FUNCREF ALC_TYPE_OF_REF_NULL(ALC_HEAP_FUNC)
#define ALC_TYPE_EXTERNREF ALC_TYPE_OF_REF_NULL(ALC_HEAP_EXTERN)
#define ALC_TYPE_ANYREF ALC_TYPE_OF_REF_NULL(ALC_HEAP_ANY)
#define ALC_TYPE_EQREF ALC_TYPE_OF_REF_NULL(ALC_HEAP_EQ)
#define ALC_TYPE_I31REF ALC_TYPE_OF_REF_NULL(ALC_HEAP_I31)
#define ALC_TYPE_EXNREF ALC_TYPE_OF_REF_NULL(ALC_HEAP_EXN)

#define ALC_TYPE_NO_ID UINT32_MAX /* "no type" where an id is expected */

static inline enum alc_value_kind alc_type_kind(uint32_t type)
{
    return (enum alc_value_kind)(type & 15);
}

static inline bool alc_type_is_reference(uint32_t type)
{
    return alc_type_kind(type) == ALC_KIND_REF || alc_type_kind(type) == ALC_KIND_REF_NULL;
}

static inline bool alc_type_is_nullable(uint32_t type)
{
    return alc_type_kind(type) == ALC_KIND_REF_NULL;
}

/* Heap type of a reference. */
static inline uint32_t alc_type_heap(uint32_t type)
{
    return type >> 4;
}

static inline bool alc_heap_is_concrete(uint32_t heap)
{
    return heap < ALC_HEAP_ABSTRACT;
}

/* Whether a local or table entry of this type starts without an initial value (spec 3.1.2). */
static inline bool alc_type_is_defaultable(uint32_t type)
{
    return alc_type_kind(type) != ALC_KIND_REF;
}

/* 8-byte slots that a value takes in frames, arguments and results: 2 for v128, else 1. */
static inline uint32_t alc_type_slots(uint32_t type)
{
    return type == ALC_TYPE_V128 ? 2 : 1;
}

/* Bytes that a value of this storage type takes in an object: 1, 2, 4, 8 or 16. */
static inline uint32_t alc_type_size(uint32_t type)
{
    switch ((int)alc_type_kind(type)) {
    case ALC_KIND_I8:
        return 1;
    case ALC_KIND_I16:
        return 2;
    case ALC_KIND_I32:
    case ALC_KIND_F32:
        return 4;
    case ALC_KIND_V128:
        return 16;
    default:
        return 8;
    }
}

/* What a field of storage type `type` is on the operand stack. */
static inline uint32_t alc_type_unpacked(uint32_t type)
{
    return type == ALC_TYPE_I8 || type == ALC_TYPE_I16 ? ALC_TYPE_I32 : type;
}

/* -- composite types -- */

enum alc_composite_kind { ALC_COMPOSITE_FUNCTION, ALC_COMPOSITE_STRUCT, ALC_COMPOSITE_ARRAY };

struct alc_field {
    uint32_t type; /* value type, or ALC_TYPE_I8 / ALC_TYPE_I16 */
    bool is_mutable;
    bool is_traced;  /* registered types: alc_type_is_traced(type) */
    uint32_t offset; /* registered structures: bytes from the first field; a supertype's fields
                      * stand at the same offsets */
};

struct alc_function_type {
    const uint32_t *parameters;
    const uint32_t *results;
    uint32_t parameters_count;
    uint32_t results_count;
    uint32_t parameters_slots;
    uint32_t results_slots;
};

struct alc_struct_type {
    const struct alc_field *fields;
    uint32_t fields_count;
    uint32_t size;   /* registered: bytes of all fields */
    bool has_traced; /* registered: some field is traced */
};

struct alc_type {
    uint32_t id;       /* canonical */
    uint32_t group_id; /* id of the first type of its recursion group */
    uint32_t group_count;
    uint32_t super_id; /* declared supertype or ALC_TYPE_NO_ID */
    /* ids of all supertypes from the root down to the type itself: supers[depth] == id. */
    const uint32_t *supers;
    uint8_t depth; /* <= ALC_LIMIT_SUBTYPE_DEPTH */
    bool is_final;
    enum alc_composite_kind kind;
    union {
        struct alc_function_type function;
        struct alc_struct_type structure;
        struct alc_field array;
    };
};

/* -- the registry -- */

struct alc_type_registry {
    struct alc_arena *arena; /* borrowed; grows only */
    struct alc_type **types; /* by id */
    uint32_t types_count;
    uint32_t types_capacity;
    uint32_t *buckets;      /* open addressing: id + 1 of a group's first type, 0 empty */
    uint32_t *hashes;       /* by id of a group's first type */
    uint32_t buckets_count; /* power of two */
    uint32_t groups_count;
};

void alc_types_init(struct alc_type_registry *registry, struct alc_arena *arena);

/* `id` MUST come from this registry. */
static inline const struct alc_type *alc_types_get(const struct alc_type_registry *registry,
                                                   uint32_t id)
{
    return registry->types[id];
}

/* Within a group that is not registered yet, its members name each other by
 * ALC_HEAP_GROUP_MEMBER + position. */
#define ALC_HEAP_GROUP_MEMBER 0x04000000u

/* Registers the recursion group `members` (kind, is_final, super_id, composite filled in; super_id
 * may be ALC_HEAP_GROUP_MEMBER + position too) and stores the canonical id of its first type; the
 * others follow in order. The arrays that members point to MUST live in the registry's arena: they
 * are kept (with group-member names replaced) when the group is new; `*was_known` tells when they
 * are not needed. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_types_register_group(struct alc_type_registry *registry,
                                                   struct alc_type *members, uint32_t members_count,
                                                   uint32_t *out_first_id, bool *was_known);
/* The id of a plain (final, no supertype, alone in its group) function type; the arrays are copied.
 */
ALC_MUST_CHECK alc_status alc_types_register_function(struct alc_type_registry *registry,
                                                      const uint32_t *parameters,
                                                      uint32_t parameters_count,
                                                      const uint32_t *results,
                                                      uint32_t results_count, uint32_t *out_id);

/* -- relations (spec 3.3) -- */

/* Whether defined type `sub_id` equals `super_id` or declares it, directly or not, as supertype. */
static inline bool alc_type_id_matches(const struct alc_type_registry *registry, uint32_t sub_id,
                                       uint32_t super_id)
{
    if (sub_id == super_id) {
        return true;
    }
    const struct alc_type *sub = alc_types_get(registry, sub_id);
    const struct alc_type *super = alc_types_get(registry, super_id);
    return super->depth < sub->depth && sub->supers[super->depth] == super_id;
}

bool alc_heap_matches(const struct alc_type_registry *registry, uint32_t sub, uint32_t super);
/* Whether a value of type `sub` may stand where `super` is expected. */
bool alc_type_matches_slow(const struct alc_type_registry *registry, uint32_t sub, uint32_t super);
static inline bool alc_type_matches(const struct alc_type_registry *registry, uint32_t sub,
                                    uint32_t super)
{
    return sub == super || alc_type_matches_slow(registry, sub, super);
}
/* The top of the hierarchy that a heap type belongs to: FUNC, EXTERN, ANY or EXN. */
uint32_t alc_heap_top(const struct alc_type_registry *registry, uint32_t heap);
/* Whether values of the type may be references to objects of the heap, which the collector has to
 * find: references but those of the func hierarchy. */
bool alc_type_is_traced(const struct alc_type_registry *registry, uint32_t type);
/* Whether the body of `sub` may replace the body of `super` (spec 3.3.9), for declared supertypes.
 */
bool alc_composite_matches(const struct alc_type_registry *registry, const struct alc_type *sub,
                           const struct alc_type *super);

/* Writes a value type as the text format does: "i32", "funcref", "(ref null 7)" with canonical ids.
 */
void alc_type_write(struct alc_writer *writer, uint32_t type);

/* -- types of externals -- */

struct alc_limits {
    uint64_t min;
    uint64_t max; /* meaningless unless has_max */
    bool has_max;
    bool is_shared;         /* memories only */
    bool is_64;             /* addressed by i64 */
    uint8_t page_size_log2; /* memories: 16, or 0 with custom page sizes; tables: 0 */
};

struct alc_table_type {
    uint32_t element;         /* a reference type */
    struct alc_limits limits; /* in elements */
};

struct alc_memory_type {
    struct alc_limits limits; /* in pages of 2^page_size_log2 bytes */
};

struct alc_global_type {
    uint32_t type;
    bool is_mutable;
};

/* Whether something with limits `actual` may be imported as `wanted` (spec 3.3.11). */
bool alc_limits_match(const struct alc_limits *actual, const struct alc_limits *wanted);

#endif
