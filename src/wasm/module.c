/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads a module: the order of its sections (spec 5.5.2), then everything that concerns the module
 * as a whole, then every body through validate.h, unless only its compiled form is to run: an image
 * of the enclave that never validates a body carries none of that (nor of what emits). The exports
 * are sorted once, so that duplicates are found and names looked up without a hash that a hostile
 * module could flood.
 */
#include "wasm/module.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "wasm/code_make.h"
#include "wasm/decode_internal.h"
#include "wasm/validate.h"

bool alc_name_equals(struct alc_name a, struct alc_name b)
{
    return a.size == b.size && alc_equal(a.bytes, b.bytes, a.size);
}

void alc_module_reader(const struct alc_module *module, struct alc_code_range range,
                       struct alc_error *error, struct alc_reader *out)
{
    ALC_ASSERT(alc_range_fits(range.offset, range.size, module->size));
    alc_reader_init(out, module->bytes + range.offset, range.size, error);
    out->origin = range.offset;
}

/* -- exports, sorted by size and then by bytes -- */

/* < 0, 0, > 0 */
static int compare_names(struct alc_name a, struct alc_name b)
{
    if (a.size != b.size) {
        return a.size < b.size ? -1 : 1;
    }
    uint32_t at = 0;
    for (; at + 8 <= a.size; at += 8) {
        uint64_t x = __builtin_bswap64(alc_load_u64(a.bytes + at));
        uint64_t y = __builtin_bswap64(alc_load_u64(b.bytes + at));
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    for (; at < a.size; at++) {
        if (a.bytes[at] != b.bytes[at]) {
            return a.bytes[at] < b.bytes[at] ? -1 : 1;
        }
    }
    return 0;
}

/* Merges from[begin, middle) and from[middle, end), both sorted, into to[begin, end). */
static void merge_runs(const struct alc_export *exports, const uint32_t *from, uint32_t *to,
                       const uint32_t bounds[3])
{
    uint32_t left = bounds[0];
    uint32_t right = bounds[1];
    for (uint32_t i = bounds[0]; i < bounds[2]; i++) {
        bool takes_left = left < bounds[1] &&
                          (right == bounds[2] ||
                           compare_names(exports[from[left]].name, exports[from[right]].name) <= 0);
        to[i] = takes_left ? from[left++] : from[right++];
    }
}

/* Returns which of the two buffers holds the sorted indices. */
static uint32_t *sort_exports(const struct alc_export *exports, uint32_t count, uint32_t *order,
                              uint32_t *spare)
{
    for (uint32_t run = 1; run < count; run *= 2) {
        for (uint32_t begin = 0; begin < count; begin += 2 * run) {
            uint32_t middle = count - begin < run ? count : begin + run;
            uint32_t end = count - begin < 2 * run ? count : begin + 2 * run;
            merge_runs(exports, order, spare, (const uint32_t[3]){begin, middle, end});
        }
        uint32_t *sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

alc_status alc_exports_index(struct alc_module *module, struct alc_arena *arena,
                             struct alc_error *error, uint64_t offset)
{
    uint32_t count = module->exports_count;
    uint32_t *order = ALC_ARENA_ARRAY(arena, uint32_t, (size_t)count * 2);
    if (order == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, offset);
    }
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    order = sort_exports(module->exports, count, order, order + count);
    for (uint32_t i = 1; i < count; i++) {
        const struct alc_name *name = &module->exports[order[i]].name;
        if (alc_name_equals(*name, module->exports[order[i - 1]].name)) {
            return alc_fail(error, ALC_E_DUPLICATE_EXPORT, (uint64_t)(name->bytes - module->bytes));
        }
    }
    module->export_order = order;
    return ALC_OK;
}

const struct alc_export *alc_module_find_export(const struct alc_module *module,
                                                struct alc_name name)
{
    uint32_t low = 0;
    uint32_t high = module->exports_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct alc_export *export = &module->exports[module->export_order[middle]];
        int order = compare_names(name, export->name);
        if (order == 0) {
            return export;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct alc_import *alc_module_find_import(const struct alc_module *module,
                                                enum alc_external_kind kind, uint32_t index)
{
    if (index >= module->imported_counts[kind]) {
        return NULL;
    }
    for (uint32_t i = 0; i < module->imports_count; i++) {
        if (module->imports[i].kind == kind && module->imports[i].index == index) {
            return &module->imports[i];
        }
    }
    return NULL;
}

/* -- sections -- */

typedef alc_status section_function(struct alc_decoder *decoder, struct alc_reader *reader);

/* By section id; `order` is the place in the file. */
static const struct {
    section_function *decode;
    uint8_t order;
} SECTIONS[] = {
    [1] = {alc_decode_types, 1},        [2] = {alc_decode_imports, 2},
    [3] = {alc_decode_functions, 3},    [4] = {alc_decode_tables, 4},
    [5] = {alc_decode_memories, 5},     [13] = {alc_decode_tags, 6},
    [6] = {alc_decode_globals, 7},      [7] = {alc_decode_exports, 8},
    [8] = {alc_decode_start, 9},        [9] = {alc_decode_elements, 10},
    [12] = {alc_decode_data_count, 11}, [10] = {alc_decode_code, 12},
    [11] = {alc_decode_data, 13},
};
_Static_assert(ALC_ARRAY_COUNT(SECTIONS) == ALC_SECTIONS_MAX, "module->sections has room for all");

static alc_status decode_custom(struct alc_decoder *decoder, struct alc_reader *reader,
                                uint32_t section_offset)
{
    struct alc_module *module = decoder->module;
    struct alc_custom_section *custom = &module->customs[module->customs_count++];
    ALC_TRY(alc_decode_name(reader, &custom->name));
    custom->section_offset = section_offset;
    custom->contents = (struct alc_code_range){(uint32_t)alc_reader_offset(reader),
                                               (uint32_t)alc_reader_remaining(reader)};
    if (module->names.size == 0 && alc_name_equals(custom->name, ALC_NAME_OF("name"))) {
        module->names = custom->contents;
    }
    return ALC_OK;
}

/* Walks over section headers and counts custom sections; damage is found by the real walk. */
static uint32_t count_customs(struct alc_reader reader)
{
    uint32_t count = 0;
    reader.error = NULL;
    for (;;) {
        uint8_t id;
        uint32_t size;
        if (alc_read_u8(&reader, &id) != ALC_OK || alc_read_leb_u32(&reader, &size) != ALC_OK) {
            return count;
        }
        count += id == 0;
        if (alc_read_skip(&reader, size) != ALC_OK) {
            return count;
        }
    }
}

static alc_status decode_section(struct alc_decoder *decoder, struct alc_reader *reader,
                                 uint8_t *last_order)
{
    struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint8_t id;
    uint32_t size;
    ALC_TRY(alc_read_u8(reader, &id));
    if (id >= ALC_ARRAY_COUNT(SECTIONS)) {
        return alc_fail(reader->error, ALC_E_BAD_SECTION_ID, start);
    }
    uint64_t size_at = alc_reader_offset(reader);
    ALC_TRY(alc_read_leb_u32(reader, &size));
    if (size > alc_reader_remaining(reader)) {
        return alc_fail(reader->error, ALC_E_LENGTH_OUT_OF_BOUNDS, size_at);
    }
    struct alc_reader contents;
    ALC_TRY(alc_read_sub(reader, size, &contents));
    if (id == 0) {
        return decode_custom(decoder, &contents, (uint32_t)start);
    }
    if (SECTIONS[id].order <= *last_order) {
        return alc_fail(reader->error, ALC_E_SECTION_ORDER, start);
    }
    *last_order = SECTIONS[id].order;
    module->sections[module->sections_count++] =
        (struct alc_section){.id = id, .contents = {(uint32_t)alc_reader_offset(&contents), size}};
    ALC_TRY(SECTIONS[id].decode(decoder, &contents));
    if (!alc_reader_at_end(&contents)) {
        return alc_reader_fail(&contents, ALC_E_SECTION_SIZE);
    }
    return ALC_OK;
}

static const uint8_t MAGIC[4] = {0x00, 'a', 's', 'm'};
enum { VERSION = 1 };

static alc_status decode_header(struct alc_reader *reader)
{
    const uint8_t *magic;
    uint64_t start = alc_reader_offset(reader);
    uint32_t version;
    ALC_TRY(alc_read_bytes(reader, sizeof MAGIC, &magic));
    if (!alc_equal(magic, MAGIC, sizeof MAGIC)) {
        return alc_fail(reader->error, ALC_E_BAD_MAGIC, start);
    }
    start = alc_reader_offset(reader);
    ALC_TRY(alc_read_u32(reader, &version));
    return version == VERSION ? ALC_OK : alc_fail(reader->error, ALC_E_BAD_VERSION, start);
}

static alc_status decode_module(struct alc_decoder *decoder)
{
    struct alc_module *module = decoder->module;
    struct alc_reader reader;
    uint8_t last_order = 0;
    alc_reader_init(&reader, module->bytes, module->size, decoder->error);
    ALC_TRY(decode_header(&reader));
    module->customs =
        ALC_ARENA_ARRAY(decoder->arena, struct alc_custom_section, count_customs(reader));
    if (module->customs == NULL) {
        return alc_reader_fail(&reader, ALC_E_OUT_OF_MEMORY);
    }
    while (!alc_reader_at_end(&reader)) {
        ALC_TRY(decode_section(decoder, &reader, &last_order));
    }
    if (decoder->functions_declared != 0 && !decoder->has_code) {
        return alc_reader_fail(&reader, ALC_E_FUNCTION_CODE_MISMATCH);
    }
    if (module->data_count != 0 && module->data == NULL) {
        return alc_reader_fail(&reader, ALC_E_DATA_COUNT_MISMATCH);
    }
    return ALC_OK;
}

/* -- bodies -- */

static alc_status validate_bodies(struct alc_decoder *decoder,
                                  const struct alc_load_options *options)
{
    struct alc_module *module = decoder->module;
    size_t mark = alc_arena_mark(decoder->arena);
    struct alc_validator *validator;
    ALC_TRY(alc_validator_new(decoder->arena, module, NULL, decoder->error, &validator));
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_FUNCTION]; i < module->functions_count;
         i++) {
        ALC_TRY(alc_validate_function(validator, i, NULL));
    }
    if (options->target == NULL) {
        alc_arena_reset(decoder->arena, mark);
        return ALC_OK;
    }
    alc_status status = alc_code_maker_new(decoder->arena, module, options, validator);
    return status == ALC_OK ? ALC_OK : alc_fail(decoder->error, status, ALC_NO_OFFSET);
}

static alc_status decode(struct alc_decoder *decoder, const uint8_t *bytes, size_t size,
                         const struct alc_load_options *options)
{
    struct alc_module *module = ALC_ARENA_NEW(decoder->arena, struct alc_module);
    struct alc_type_registry *types = options->types;
    if (types == NULL) {
        types = ALC_ARENA_NEW(decoder->arena, struct alc_type_registry);
    }
    if (module == NULL || types == NULL) {
        return alc_fail(decoder->error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    if (options->types == NULL) {
        alc_types_init(types, decoder->arena);
    }
    if (size > ALC_LIMIT_MODULE_SIZE) {
        return alc_fail(decoder->error, ALC_E_LENGTH_OUT_OF_BOUNDS, ALC_LIMIT_MODULE_SIZE);
    }
    decoder->module = module;
    module->bytes = bytes;
    module->size = size;
    module->features = options->features != 0 ? options->features : ALC_FEATURES_DEFAULT;
    module->types = types;
    module->target = options->target;
    module->start_index = ALC_NO_INDEX;
    return decode_module(decoder);
}

/* What the callers get, or nothing at all. */
static ALC_ALWAYS_INLINE alc_status finish(struct alc_decoder *decoder,
                                           const struct alc_load_options *options, size_t mark,
                                           alc_status status, struct alc_module **out)
{
    struct alc_arena *arena = decoder->arena;
    if (status == ALC_OK) {
        *out = decoder->module;
    } else if (options->types == NULL || options->types->arena != arena) {
        alc_arena_reset(arena, mark);
    }
    return status;
}

alc_status alc_module_load(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                           const struct alc_load_options *options, struct alc_module **out,
                           struct alc_error *error)
{
    struct alc_decoder decoder = {
        .arena = arena, .error = error, .find_constant_op = alc_constant_op_of_all};
    size_t mark = alc_arena_mark(arena);
    alc_status status = decode(&decoder, bytes, size, options);
    if (status == ALC_OK) {
        status = validate_bodies(&decoder, options);
    }
    return finish(&decoder, options, mark, status, out);
}

alc_status alc_module_load_compiled(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                                    const struct alc_load_options *options, struct alc_module **out,
                                    struct alc_error *error)
{
    struct alc_decoder decoder = {
        .arena = arena, .error = error, .find_constant_op = alc_constant_op_of_constant};
    size_t mark = alc_arena_mark(arena);
    ALC_ASSERT(options->target == NULL);
    return finish(&decoder, options, mark, decode(&decoder, bytes, size, options), out);
}
