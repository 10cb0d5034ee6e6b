/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes the sections that declare things: imports, functions, tables, memories, tags, globals,
 * exports, start, code (spec 5.5.5 to 5.5.15), with the module-level rules of validation
 * (spec 3.5). Index spaces hold imports first; a section that defines more makes its space anew.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "wasm/decode_internal.h"
#include "wasm/validate.h"

/* -- constant expressions -- */

alc_status alc_decode_constant(struct alc_decoder *decoder, struct alc_reader *reader,
                               uint32_t type, struct alc_code_range *out)
{
    uint64_t offset = alc_reader_offset(reader);
    ALC_TRY(alc_validate_constant(decoder->module, reader, type, decoder->module->globals_count,
                                  decoder->find_constant_op));
    out->offset = (uint32_t)offset;
    out->size = (uint32_t)(alc_reader_offset(reader) - offset);
    return ALC_OK;
}

/* -- index spaces -- */

/* A new array for `added` more items of an index space of *count, copied to its front. */
static alc_status extend_space(struct alc_decoder *decoder, const struct alc_reader *at,
                               void **items, size_t item_size, uint32_t count, uint32_t added)
{
    void *extended = alc_arena_take_array(decoder->arena, (size_t)count + added, item_size, 16);
    if (extended == NULL) {
        return alc_reader_fail(at, ALC_E_OUT_OF_MEMORY);
    }
    if (count != 0) {
        alc_copy(extended, *items, count * item_size);
    }
    *items = extended;
    return ALC_OK;
}

#define EXTEND(decoder, at, items, count, added)                                                   \
    extend_space(decoder, at, (void **)&(items), sizeof *(items), count, added)

/* Count of a section's items, which join an index space of `present`. */
static alc_status read_items_count(struct alc_reader *reader, uint32_t present, uint32_t limit,
                                   size_t item_size_min, uint32_t *out)
{
    uint64_t start = alc_reader_offset(reader);
    ALC_TRY(alc_read_count(reader, limit, ALC_E_LIMIT_ITEMS, item_size_min, out));
    if (*out > limit - present) {
        return alc_fail(reader->error, ALC_E_LIMIT_ITEMS, start);
    }
    return ALC_OK;
}

/* -- imports -- */

static alc_status decode_import_type(struct alc_decoder *decoder, struct alc_reader *reader,
                                     uint8_t kind, struct alc_import *import)
{
    uint32_t type_index;
    switch (kind) {
    case ALC_EXTERNAL_FUNCTION:
        ALC_TRY(alc_decode_function_type(decoder, reader, &type_index));
        import->type_index = type_index;
        import->function =
            alc_types_get(decoder->module->types, decoder->module->type_ids[type_index]);
        return ALC_OK;
    case ALC_EXTERNAL_TABLE:
        return alc_decode_table_type(decoder, reader, &import->table);
    case ALC_EXTERNAL_MEMORY:
        return alc_decode_memory_type(decoder, reader, &import->memory);
    case ALC_EXTERNAL_GLOBAL:
        return alc_decode_global_type(decoder, reader, &import->global);
    default:
        return alc_decode_tag_type(decoder, reader, &import->tag_type_id);
    }
}

static alc_status decode_import(struct alc_decoder *decoder, struct alc_reader *reader,
                                struct alc_import *import)
{
    struct alc_module *module = decoder->module;
    import->offset = (uint32_t)alc_reader_offset(reader);
    ALC_TRY(alc_decode_name(reader, &import->module));
    ALC_TRY(alc_decode_name(reader, &import->name));
    uint64_t start = alc_reader_offset(reader);
    uint8_t kind;
    ALC_TRY(alc_read_u8(reader, &kind));
    if (kind >= ALC_EXTERNAL_KINDS) {
        return alc_fail(reader->error, ALC_E_BAD_IMPORT_KIND, start);
    }
    import->kind = (enum alc_external_kind)kind;
    import->index = module->imported_counts[kind]++;
    return decode_import_type(decoder, reader, kind, import);
}

static alc_status check_imported_counts(const struct alc_decoder *decoder,
                                        const struct alc_reader *at)
{
    const uint32_t *counts = decoder->module->imported_counts;
    if (counts[ALC_EXTERNAL_TABLE] > ALC_LIMIT_TABLES ||
        counts[ALC_EXTERNAL_MEMORY] > ALC_LIMIT_MEMORIES) {
        return alc_reader_fail(at, ALC_E_LIMIT_ITEMS);
    }
    if (counts[ALC_EXTERNAL_MEMORY] > 1) {
        ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_MULTI_MEMORY, decoder->error,
                                 alc_reader_offset(at)));
    }
    if (counts[ALC_EXTERNAL_TABLE] > 1) {
        return alc_need_feature(decoder->module, ALC_FEATURE_REFERENCES, decoder->error,
                                alc_reader_offset(at));
    }
    return ALC_OK;
}

static void place_import(struct alc_module *module, const struct alc_import *import)
{
    switch (import->kind) {
    case ALC_EXTERNAL_FUNCTION:
        module->functions[import->index].type = import->function;
        module->functions[import->index].type_index = import->type_index;
        break;
    case ALC_EXTERNAL_TABLE:
        module->tables[import->index].type = import->table;
        break;
    case ALC_EXTERNAL_MEMORY:
        module->memories[import->index] = import->memory;
        break;
    case ALC_EXTERNAL_GLOBAL:
        module->globals[import->index].type = import->global;
        break;
    case ALC_EXTERNAL_TAG:
        module->tags[import->index] = import->tag_type_id;
        break;
    case ALC_EXTERNAL_KINDS:
        break;
    }
}

alc_status alc_decode_imports(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    struct alc_reader start = *reader;
    uint32_t count;
    ALC_TRY(read_items_count(reader, 0, ALC_LIMIT_IMPORTS, 4, &count));
    module->imports = ALC_ARENA_ARRAY(decoder->arena, struct alc_import, count);
    if (module->imports == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(decode_import(decoder, reader, &module->imports[i]));
    }
    module->imports_count = count;
    ALC_TRY(check_imported_counts(decoder, &start));
    const uint32_t *counts = module->imported_counts;
    ALC_TRY(EXTEND(decoder, &start, module->functions, 0, counts[ALC_EXTERNAL_FUNCTION]));
    ALC_TRY(EXTEND(decoder, &start, module->tables, 0, counts[ALC_EXTERNAL_TABLE]));
    ALC_TRY(EXTEND(decoder, &start, module->memories, 0, counts[ALC_EXTERNAL_MEMORY]));
    ALC_TRY(EXTEND(decoder, &start, module->globals, 0, counts[ALC_EXTERNAL_GLOBAL]));
    ALC_TRY(EXTEND(decoder, &start, module->tags, 0, counts[ALC_EXTERNAL_TAG]));
    module->functions_count = counts[ALC_EXTERNAL_FUNCTION];
    module->tables_count = counts[ALC_EXTERNAL_TABLE];
    module->memories_count = counts[ALC_EXTERNAL_MEMORY];
    module->globals_count = counts[ALC_EXTERNAL_GLOBAL];
    module->tags_count = counts[ALC_EXTERNAL_TAG];
    for (uint32_t i = 0; i < count; i++) {
        place_import(module, &module->imports[i]);
    }
    return ALC_OK;
}

/* -- definitions -- */

alc_status alc_decode_functions(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint32_t count;
    ALC_TRY(read_items_count(reader, module->functions_count, ALC_LIMIT_FUNCTIONS, 1, &count));
    ALC_TRY(EXTEND(decoder, reader, module->functions, module->functions_count, count));
    for (uint32_t i = 0; i < count; i++) {
        struct alc_module_function *function = &module->functions[module->functions_count];
        ALC_TRY(alc_decode_function_type(decoder, reader, &function->type_index));
        function->type = alc_types_get(module->types, module->type_ids[function->type_index]);
        module->functions_count++;
    }
    decoder->functions_declared = count;
    return ALC_OK;
}

enum { TABLE_WITH_INIT = 0x40 };

static alc_status decode_table(struct alc_decoder *decoder, struct alc_reader *reader,
                               struct alc_module_table *table)
{
    uint64_t start = alc_reader_offset(reader);
    if (!alc_reader_at_end(reader) && reader->bytes[reader->pos] == TABLE_WITH_INIT) {
        uint8_t zero;
        ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_FUNCTION_REFERENCES, decoder->error,
                                 alc_reader_offset(reader)));
        ALC_TRY(alc_read_skip(reader, 1));
        ALC_TRY(alc_read_u8(reader, &zero));
        if (zero != 0) {
            return alc_fail(reader->error, ALC_E_ZERO_BYTE_EXPECTED, start);
        }
        ALC_TRY(alc_decode_table_type(decoder, reader, &table->type));
        return alc_decode_constant(decoder, reader, table->type.element, &table->init);
    }
    ALC_TRY(alc_decode_table_type(decoder, reader, &table->type));
    if (!alc_type_is_defaultable(table->type.element)) {
        return alc_fail(reader->error, ALC_E_UNINITIALIZED_TABLE, start);
    }
    return ALC_OK;
}

alc_status alc_decode_tables(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint32_t count;
    ALC_TRY(read_items_count(reader, module->tables_count, ALC_LIMIT_TABLES, 3, &count));
    if (count + module->tables_count > 1) {
        ALC_TRY(alc_need_feature(module, ALC_FEATURE_REFERENCES, decoder->error, start));
    }
    ALC_TRY(EXTEND(decoder, reader, module->tables, module->tables_count, count));
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(decode_table(decoder, reader, &module->tables[module->tables_count]));
        module->tables_count++;
    }
    return ALC_OK;
}

alc_status alc_decode_memories(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint32_t count;
    ALC_TRY(read_items_count(reader, module->memories_count, ALC_LIMIT_MEMORIES, 2, &count));
    if (count + module->memories_count > 1) {
        ALC_TRY(alc_need_feature(module, ALC_FEATURE_MULTI_MEMORY, decoder->error, start));
    }
    ALC_TRY(EXTEND(decoder, reader, module->memories, module->memories_count, count));
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(alc_decode_memory_type(decoder, reader, &module->memories[module->memories_count]));
        module->memories_count++;
    }
    return ALC_OK;
}

alc_status alc_decode_tags(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint32_t count;
    ALC_TRY(read_items_count(reader, module->tags_count, ALC_LIMIT_TAGS, 2, &count));
    ALC_TRY(EXTEND(decoder, reader, module->tags, module->tags_count, count));
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(alc_decode_tag_type(decoder, reader, &module->tags[module->tags_count]));
        module->tags_count++;
    }
    return ALC_OK;
}

alc_status alc_decode_globals(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint32_t count;
    ALC_TRY(read_items_count(reader, module->globals_count, ALC_LIMIT_GLOBALS, 3, &count));
    ALC_TRY(EXTEND(decoder, reader, module->globals, module->globals_count, count));
    for (uint32_t i = 0; i < count; i++) {
        struct alc_module_global *global = &module->globals[module->globals_count];
        ALC_TRY(alc_decode_global_type(decoder, reader, &global->type));
        ALC_TRY(alc_decode_constant(decoder, reader, global->type.type, &global->init));
        module->globals_count++;
    }
    return ALC_OK;
}

/* -- exports and start -- */

static alc_status check_export_index(struct alc_module *module, const struct alc_export *export,
                                     const struct alc_reader *reader, uint64_t offset)
{
    const struct {
        uint32_t count;
        alc_status status;
    } spaces[ALC_EXTERNAL_KINDS] = {
        {module->functions_count, ALC_E_UNKNOWN_FUNCTION},
        {module->tables_count, ALC_E_UNKNOWN_TABLE},
        {module->memories_count, ALC_E_UNKNOWN_MEMORY},
        {module->globals_count, ALC_E_UNKNOWN_GLOBAL},
        {module->tags_count, ALC_E_UNKNOWN_TAG},
    };
    if (export->index >= spaces[export->kind].count) {
        return alc_fail(reader->error, spaces[export->kind].status, offset);
    }
    if (export->kind == ALC_EXTERNAL_FUNCTION) {
        module->functions[export->index].is_declared = true;
    }
    return ALC_OK;
}

alc_status alc_decode_exports(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint64_t offset = alc_reader_offset(reader);
    uint32_t count;
    ALC_TRY(read_items_count(reader, 0, ALC_LIMIT_EXPORTS, 3, &count));
    module->exports = ALC_ARENA_ARRAY(decoder->arena, struct alc_export, count);
    if (module->exports == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct alc_export *export = &module->exports[i];
        ALC_TRY(alc_decode_name(reader, &export->name));
        uint64_t start = alc_reader_offset(reader);
        uint8_t kind;
        ALC_TRY(alc_read_u8(reader, &kind));
        if (kind >= ALC_EXTERNAL_KINDS) {
            return alc_fail(reader->error, ALC_E_BAD_EXPORT_KIND, start);
        }
        export->kind = (enum alc_external_kind)kind;
        start = alc_reader_offset(reader);
        ALC_TRY(alc_read_leb_u32(reader, &export->index));
        ALC_TRY(check_export_index(module, export, reader, start));
    }
    module->exports_count = count;
    return alc_exports_index(module, decoder->arena, decoder->error, offset);
}

alc_status alc_decode_start(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint32_t index;
    ALC_TRY(alc_read_leb_u32(reader, &index));
    if (index >= module->functions_count) {
        return alc_fail(reader->error, ALC_E_UNKNOWN_FUNCTION, start);
    }
    const struct alc_function_type *type = &module->functions[index].type->function;
    if (type->parameters_count != 0 || type->results_count != 0) {
        return alc_fail(reader->error, ALC_E_BAD_START, start);
    }
    module->start_index = index;
    return ALC_OK;
}

/* -- code -- */

alc_status alc_decode_code(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint32_t count;
    ALC_TRY(alc_read_count(reader, ALC_LIMIT_FUNCTIONS, ALC_E_LIMIT_ITEMS, 3, &count));
    if (count != decoder->functions_declared) {
        return alc_fail(reader->error, ALC_E_FUNCTION_CODE_MISMATCH, start);
    }
    uint32_t first = module->functions_count - count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t body = alc_reader_offset(reader);
        uint32_t size;
        ALC_TRY(alc_read_leb_u32(reader, &size));
        if (size > ALC_LIMIT_BODY_SIZE) {
            return alc_fail(reader->error, ALC_E_LIMIT_CODE_SIZE, body);
        }
        module->functions[first + i].body =
            (struct alc_code_range){(uint32_t)alc_reader_offset(reader), size};
        ALC_TRY(alc_read_skip(reader, size));
    }
    decoder->has_code = true;
    return ALC_OK;
}
