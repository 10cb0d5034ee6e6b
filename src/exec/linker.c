/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds imports and compares types exactly as spec 3.4 ("matching") asks: functions by subtyping of
 * their ids, tables and memories by their present size and declared maximum, globals by mutability.
 */
#include "base/bytes.h"
#include "exec/exec_internal.h"

void alc_linker_init(struct alc_linker *linker, struct alc_store *store)
{
    linker->store = store;
    linker->entries_count = 0;
}

static alc_status add_entry(struct alc_linker *linker, struct alc_linker_entry entry)
{
    if (linker->entries_count == ALC_LINKER_ENTRIES_MAX) {
        return ALC_E_OUT_OF_MEMORY;
    }
    linker->entries[linker->entries_count++] = entry;
    return ALC_OK;
}

static struct alc_name name_of(const char *text)
{
    return (struct alc_name){(const uint8_t *)text, (uint32_t)alc_string_length(text)};
}

alc_status alc_linker_add_host(struct alc_linker *linker, const struct alc_host_module *host,
                               void *context)
{
    return add_entry(linker, (struct alc_linker_entry){
                                 .module = name_of(host->name),
                                 .host = host,
                                 .host_context = context,
                             });
}

alc_status alc_linker_add_instance(struct alc_linker *linker, struct alc_name module,
                                   const struct alc_instance *instance)
{
    return add_entry(linker, (struct alc_linker_entry){.module = module, .instance = instance});
}

alc_status alc_linker_add_external(struct alc_linker *linker, struct alc_name module,
                                   struct alc_name name, struct alc_external external)
{
    return add_entry(
        linker, (struct alc_linker_entry){.module = module, .name = name, .external = external});
}

/* -- host functions -- */

size_t alc_host_type_parse(const char *letters, uint32_t *types, size_t types_max,
                           size_t *parameters_count)
{
    static const char KNOWN[] = "iIfFve";
    static const uint32_t TYPES[] = {ALC_TYPE_I32, ALC_TYPE_I64,  ALC_TYPE_F32,
                                     ALC_TYPE_F64, ALC_TYPE_V128, ALC_TYPE_EXTERNREF};
    size_t count = 0;
    *parameters_count = SIZE_MAX;
    for (; *letters != '\0'; letters++) {
        if (*letters == ':' && *parameters_count == SIZE_MAX) {
            *parameters_count = count;
            continue;
        }
        size_t which = 0;
        while (which < ALC_ARRAY_COUNT(TYPES) && KNOWN[which] != *letters) {
            which++;
        }
        if (which == ALC_ARRAY_COUNT(TYPES) || count == types_max) {
            return SIZE_MAX;
        }
        types[count++] = TYPES[which];
    }
    return *parameters_count == SIZE_MAX ? SIZE_MAX : count;
}

enum { HOST_TYPES_MAX = 32 };

alc_status alc_host_function_new(struct alc_store *store, struct alc_arena *arena,
                                 const struct alc_host_export *export, void *context,
                                 struct alc_function **out)
{
    uint32_t types[HOST_TYPES_MAX];
    size_t parameters_count;
    uint32_t type_id;
    size_t count = alc_host_type_parse(export->type, types, HOST_TYPES_MAX, &parameters_count);
    if (count == SIZE_MAX) {
        return ALC_E_BAD_ARGUMENT;
    }
    ALC_TRY(alc_types_register_function(&store->types, types, (uint32_t)parameters_count,
                                        types + parameters_count,
                                        (uint32_t)(count - parameters_count), &type_id));
    struct alc_function *function = ALC_ARENA_NEW(arena, struct alc_function);
    if (function == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    function->type_id = type_id;
    function->type = alc_types_get(&store->types, type_id);
    function->host = export;
    function->host_context = context;
    *out = function;
    return ALC_OK;
}

static alc_status find_host(const struct alc_linker *linker, struct alc_arena *arena,
                            const struct alc_linker_entry *entry, struct alc_name name,
                            struct alc_external *out)
{
    for (size_t i = 0; i < entry->host->exports_count; i++) {
        const struct alc_host_export *export = &entry->host->exports[i];
        if (alc_name_equals(name_of(export->name), name)) {
            out->kind = ALC_EXTERNAL_FUNCTION;
            return alc_host_function_new(linker->store, arena, export, entry->host_context,
                                         &out->function);
        }
    }
    return ALC_E_UNKNOWN_IMPORT;
}

/* -- finding -- */

static alc_status find_in_entry(const struct alc_linker *linker, struct alc_arena *arena,
                                const struct alc_linker_entry *entry, struct alc_name name,
                                struct alc_external *out)
{
    if (entry->host != NULL) {
        return find_host(linker, arena, entry, name, out);
    }
    if (entry->instance != NULL) {
        alc_status status = alc_export_find(entry->instance, name, out);
        return status == ALC_E_NOT_FOUND ? ALC_E_UNKNOWN_IMPORT : status;
    }
    if (!alc_name_equals(entry->name, name)) {
        return ALC_E_UNKNOWN_IMPORT;
    }
    *out = entry->external;
    return ALC_OK;
}

static alc_status find_import(const struct alc_linker *linker, struct alc_arena *arena,
                              const struct alc_import *import, struct alc_external *out)
{
    for (uint32_t i = linker == NULL ? 0 : linker->entries_count; i > 0; i--) {
        const struct alc_linker_entry *entry = &linker->entries[i - 1];
        if (!alc_name_equals(entry->module, import->module)) {
            continue;
        }
        alc_status status = find_in_entry(linker, arena, entry, import->name, out);
        if (status != ALC_E_UNKNOWN_IMPORT) {
            return status;
        }
    }
    return ALC_E_UNKNOWN_IMPORT;
}

/* -- types -- */

static bool table_matches(const struct alc_table *table, const struct alc_table_type *wanted)
{
    struct alc_limits limits = table->type.limits;
    limits.min = table->count;
    return table->type.element == wanted->element && alc_limits_match(&limits, &wanted->limits);
}

static bool memory_matches(const struct alc_memory *memory, const struct alc_memory_type *wanted)
{
    struct alc_limits limits = memory->type.limits;
    limits.min = alc_memory_pages(memory);
    return alc_limits_match(&limits, &wanted->limits);
}

static bool global_matches(const struct alc_type_registry *types, const struct alc_global *global,
                           const struct alc_global_type *wanted)
{
    if (global->type.is_mutable != wanted->is_mutable) {
        return false;
    }
    return wanted->is_mutable ? global->type.type == wanted->type
                              : alc_type_matches(types, global->type.type, wanted->type);
}

static bool external_matches(const struct alc_type_registry *types,
                             const struct alc_external *external, const struct alc_import *import)
{
    if (external->kind != import->kind) {
        return false;
    }
    switch (import->kind) {
    case ALC_EXTERNAL_FUNCTION:
        return alc_type_id_matches(types, external->function->type_id, import->function->id);
    case ALC_EXTERNAL_TABLE:
        return table_matches(external->table, &import->table);
    case ALC_EXTERNAL_MEMORY:
        return memory_matches(external->memory, &import->memory);
    case ALC_EXTERNAL_GLOBAL:
        return global_matches(types, external->global, &import->global);
    case ALC_EXTERNAL_TAG:
        return external->tag->type_id == import->tag_type_id;
    case ALC_EXTERNAL_KINDS:
        break;
    }
    return false;
}

alc_status alc_linker_resolve(const struct alc_linker *linker, struct alc_arena *arena,
                              const struct alc_import *import, struct alc_external *out)
{
    ALC_TRY(find_import(linker, arena, import, out));
    return external_matches(&linker->store->types, out, import) ? ALC_OK
                                                                : ALC_E_INCOMPATIBLE_IMPORT;
}
