/* SPDX-License-Identifier: Apache-2.0
 *
 * A loaded module: what decode and validation leave behind. Door of the room together with types.h.
 *
 * Conventions
 *   - Bytes: the module's bytes are borrowed for as long as the module is used: names, data
 *     segments and bodies point into them.
 *   - Offsets: are file offsets (bytes from the start of the module) everywhere, also in errors.
 *   - Names: are counted, valid UTF-8, and may contain NUL.
 *   - Indices: run over imported items first, as in the specification. All indices kept here have
 *     been validated. Type ids are canonical (types.h).
 *   - Memory: everything lives in the arena given to alc_module_load, except types, which live in
 *     the registry's arena, and code, which lives in the heap of the load options.
 *   - Change: a loaded module is immutable but for one thing: the code of a function appears when
 *     it is called for the first time (code_make.h).
 *   - Threads: a loaded module may be used by any number of threads, also to make code.
 */
#ifndef ALC_WASM_MODULE_H
#define ALC_WASM_MODULE_H

#include "base/arena.h"
#include "base/reader.h"
#include "wasm/features.h"
#include "wasm/types.h"

struct alc_code;        /* emitted code of one function: wasm/code.h */
struct alc_code_target; /* what it is made for */
struct alc_code_heap;   /* and where */
struct alc_code_maker;  /* wasm/code_make.h */
struct alc_native_code; /* of native_exec/ */

#define ALC_NO_INDEX UINT32_MAX

struct alc_name {
    const uint8_t *bytes;
    uint32_t size;
};

#define ALC_NAME_OF(literal) ((struct alc_name){(const uint8_t *)(literal), sizeof(literal) - 1})
bool alc_name_equals(struct alc_name a, struct alc_name b);

enum alc_external_kind { /* numbers of the binary format */
                         ALC_EXTERNAL_FUNCTION = 0,
                         ALC_EXTERNAL_TABLE = 1,
                         ALC_EXTERNAL_MEMORY = 2,
                         ALC_EXTERNAL_GLOBAL = 3,
                         ALC_EXTERNAL_TAG = 4,
                         ALC_EXTERNAL_KINDS = 5,
};

/* A range of the module's bytes, e.g. an expression including its `end`. */
struct alc_code_range {
    uint32_t offset;
    uint32_t size;
};

struct alc_import {
    struct alc_name module;
    struct alc_name name;
    enum alc_external_kind kind;
    uint32_t index;      /* in the index space of its kind */
    uint32_t offset;     /* where the import stands in the file */
    uint32_t type_index; /* functions: in the module */
    union {
        const struct alc_type *function;
        struct alc_table_type table;
        struct alc_memory_type memory;
        struct alc_global_type global;
        uint32_t tag_type_id;
    };
};

struct alc_export {
    struct alc_name name;
    enum alc_external_kind kind;
    uint32_t index;
};

struct alc_module_function {
    const struct alc_type *type; /* kind FUNCTION */
    uint32_t type_index;         /* in the module */
    bool is_declared;            /* may be named by ref.func */
    struct alc_code_range body;  /* locals and instructions; size 0 for imported functions */
    struct alc_code *code;       /* NULL for imported functions and without a target */
};

struct alc_module_table {
    struct alc_table_type type;
    struct alc_code_range init; /* size 0: null */
};

struct alc_module_global {
    struct alc_global_type type;
    struct alc_code_range init; /* size 0 for imported globals */
};

enum alc_segment_mode { ALC_SEGMENT_ACTIVE, ALC_SEGMENT_PASSIVE, ALC_SEGMENT_DECLARED };

struct alc_element_segment {
    uint32_t type; /* reference type of the elements */
    enum alc_segment_mode mode;
    uint32_t table_index;         /* active */
    struct alc_code_range offset; /* active: constant expression */
    uint32_t count;
    /* One of the two is set: function indices, or constant expressions. */
    const uint32_t *functions;
    const struct alc_code_range *expressions;
};

struct alc_data_segment {
    enum alc_segment_mode mode;
    uint32_t memory_index;        /* active */
    struct alc_code_range offset; /* active: constant expression */
    struct alc_code_range bytes;
};

struct alc_custom_section {
    struct alc_name name;
    struct alc_code_range contents; /* behind the name */
    uint32_t section_offset;        /* of the section's id byte */
};

struct alc_section { /* for `alcove inspect`: non-custom sections in file order */
    uint8_t id;
    struct alc_code_range contents;
};

enum { ALC_SECTIONS_MAX = 14 };

struct alc_module {
    const uint8_t *bytes;
    size_t size;
    uint64_t features; /* that were allowed */
    struct alc_type_registry *types;
    const struct alc_code_target *target; /* NULL: no code can be made */
    struct alc_code_maker *code_maker;    /* NULL without a target */
    const struct alc_native_code *native; /* its compiled code, or NULL */

    uint32_t *type_ids; /* module's type index -> canonical id */
    uint32_t types_count;

    struct alc_import *imports;
    uint32_t imports_count;
    uint32_t imported_counts[ALC_EXTERNAL_KINDS]; /* how many of each index space are imports */

    struct alc_module_function *functions;
    uint32_t functions_count;
    struct alc_module_table *tables;
    uint32_t tables_count;
    struct alc_memory_type *memories;
    uint32_t memories_count;
    struct alc_module_global *globals;
    uint32_t globals_count;
    uint32_t *tags; /* canonical ids of their function types */
    uint32_t tags_count;

    struct alc_export *exports;
    uint32_t exports_count;
    uint32_t *export_order; /* export indices sorted by name, for alc_module_find_export */

    uint32_t start_index; /* ALC_NO_INDEX: none */

    struct alc_element_segment *elements;
    uint32_t elements_count;
    struct alc_data_segment *data;
    uint32_t data_count;
    bool has_data_count; /* the data count section was there */

    struct alc_section sections[ALC_SECTIONS_MAX];
    uint32_t sections_count;
    struct alc_custom_section *customs; /* in file order */
    uint32_t customs_count;
    struct alc_code_range names; /* contents of the first custom section "name"; size 0: none */
};

struct alc_load_options {
    uint64_t features; /* 0: ALC_FEATURES_DEFAULT */
    /* Registry of the store that the module will run in; NULL: a private one inside the arena (then
     * the module can be looked at but not instantiated). */
    struct alc_type_registry *types;
    /* What the interpreter's code is made for; NULL: only validate. alc_store_load_options of
     * exec/engine.h fills it, `types` and `code_heap`. Borrowed for as long as the module. */
    const struct alc_code_target *target;
    struct alc_code_heap *code_heap; /* MUST be set with a target; borrowed as long */
    bool is_eager;                   /* make all code now, not each function's at its first call */
};

/* Decodes and validates. On failure `*out` is left alone, the arena goes back to where it was
 * (unless it is the registry's own: types are never forgotten), and `error` says what and where.
 * Statuses: classes MALFORMED, INVALID and ALC_E_OUT_OF_MEMORY when the arena is too small (about
 * 100 bytes per function are a fair guess) or, with is_eager, the code heap (4 to 8 times the
 * code's size, which is what all functions take in the end). */
ALC_MUST_CHECK alc_status alc_module_load(struct alc_arena *arena, const uint8_t *bytes,
                                          size_t size, const struct alc_load_options *options,
                                          struct alc_module **out, struct alc_error *error);

/* The same for a module whose compiled form runs instead of its bodies: those are found, so that
 * their number and bounds are right, and not looked into. Everything else is checked as always:
 * sections, types, indices, constant expressions. options->target MUST be NULL. */
ALC_MUST_CHECK alc_status alc_module_load_compiled(struct alc_arena *arena, const uint8_t *bytes,
                                                   size_t size,
                                                   const struct alc_load_options *options,
                                                   struct alc_module **out,
                                                   struct alc_error *error);

/* NULL when there is no such export. */
const struct alc_export *alc_module_find_export(const struct alc_module *module,
                                                struct alc_name name);
/* The import behind item `index` of an index space; NULL when it is defined in the module. */
const struct alc_import *alc_module_find_import(const struct alc_module *module,
                                                enum alc_external_kind kind, uint32_t index);

static inline uint32_t alc_module_type_id(const struct alc_module *module, uint32_t type_index)
{
    return module->type_ids[type_index];
}

/* A reader over `range`, reporting to `error` with file offsets. */
void alc_module_reader(const struct alc_module *module, struct alc_code_range range,
                       struct alc_error *error, struct alc_reader *out);

#endif
