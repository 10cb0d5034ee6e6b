/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes element and data segments (spec 5.5.12, 5.5.14, 5.5.16) with their rules of validation.
 * Bytes and expressions stay where they are in the module; only function indices are unpacked.
 */
#include "base/limits.h"
#include "wasm/decode_internal.h"

/* -- elements -- */

enum element_flag {
    ELEMENT_NOT_ACTIVE = 1, /* passive, or declared with EXPLICIT */
    ELEMENT_EXPLICIT = 2,   /* active: a table index follows; else: declared */
    ELEMENT_EXPRESSIONS = 4,
    ELEMENT_FLAGS_ALL = 7,
};

static uint32_t segment_offset_type(const struct alc_limits *limits)
{
    return limits->is_64 ? ALC_TYPE_I64 : ALC_TYPE_I32;
}

static alc_status decode_element_place(struct alc_decoder *decoder, struct alc_reader *reader,
                                       uint32_t flags, struct alc_element_segment *segment)
{
    struct alc_module *module = decoder->module;
    if ((flags & ELEMENT_NOT_ACTIVE) != 0) {
        bool is_declared = (flags & ELEMENT_EXPLICIT) != 0;
        segment->mode = is_declared ? ALC_SEGMENT_DECLARED : ALC_SEGMENT_PASSIVE;
        return ALC_OK;
    }
    segment->mode = ALC_SEGMENT_ACTIVE;
    uint64_t start = alc_reader_offset(reader);
    if ((flags & ELEMENT_EXPLICIT) != 0) {
        ALC_TRY(alc_read_leb_u32(reader, &segment->table_index));
    }
    if (segment->table_index >= module->tables_count) {
        return alc_fail(reader->error, ALC_E_UNKNOWN_TABLE, start);
    }
    return alc_decode_constant(
        decoder, reader, segment_offset_type(&module->tables[segment->table_index].type.limits),
        &segment->offset);
}

static alc_status decode_element_type(struct alc_decoder *decoder, struct alc_reader *reader,
                                      uint32_t flags, struct alc_element_segment *segment)
{
    bool has_expressions = (flags & ELEMENT_EXPRESSIONS) != 0;
    segment->type = has_expressions ? ALC_TYPE_FUNCREF : ALC_TYPE_OF_REF(ALC_HEAP_FUNC);
    if ((flags & (ELEMENT_NOT_ACTIVE | ELEMENT_EXPLICIT)) == 0) {
        return ALC_OK; /* the oldest form names no type */
    }
    if (has_expressions) {
        return alc_decode_reference_type(reader, decoder->module, &segment->type);
    }
    uint64_t start = alc_reader_offset(reader);
    uint8_t kind;
    ALC_TRY(alc_read_u8(reader, &kind));
    return kind == 0 ? ALC_OK : alc_fail(reader->error, ALC_E_BAD_ELEMENT_KIND, start);
}

static alc_status decode_element_functions(struct alc_decoder *decoder, struct alc_reader *reader,
                                           struct alc_element_segment *segment)
{
    struct alc_module *module = decoder->module;
    uint32_t *functions = ALC_ARENA_ARRAY(decoder->arena, uint32_t, segment->count);
    if (functions == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < segment->count; i++) {
        uint64_t start = alc_reader_offset(reader);
        ALC_TRY(alc_read_leb_u32(reader, &functions[i]));
        if (functions[i] >= module->functions_count) {
            return alc_fail(reader->error, ALC_E_UNKNOWN_FUNCTION, start);
        }
        module->functions[functions[i]].is_declared = true;
    }
    segment->functions = functions;
    return ALC_OK;
}

static alc_status decode_element_expressions(struct alc_decoder *decoder, struct alc_reader *reader,
                                             struct alc_element_segment *segment)
{
    struct alc_code_range *expressions =
        ALC_ARENA_ARRAY(decoder->arena, struct alc_code_range, segment->count);
    if (expressions == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < segment->count; i++) {
        ALC_TRY(alc_decode_constant(decoder, reader, segment->type, &expressions[i]));
    }
    segment->expressions = expressions;
    return ALC_OK;
}

static alc_status decode_element(struct alc_decoder *decoder, struct alc_reader *reader,
                                 struct alc_element_segment *segment)
{
    struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint32_t flags;
    ALC_TRY(alc_read_leb_u32(reader, &flags));
    if (flags > ELEMENT_FLAGS_ALL) {
        return alc_fail(reader->error, ALC_E_BAD_ELEMENT_KIND, start);
    }
    if (flags != 0) {
        ALC_TRY(alc_need_feature(module, ALC_FEATURE_BULK, decoder->error, start));
    }
    ALC_TRY(decode_element_place(decoder, reader, flags, segment));
    ALC_TRY(decode_element_type(decoder, reader, flags, segment));
    if (segment->mode == ALC_SEGMENT_ACTIVE &&
        !alc_type_matches(module->types, segment->type,
                          module->tables[segment->table_index].type.element)) {
        return alc_fail(reader->error, ALC_E_TYPE_MISMATCH, start);
    }
    bool has_expressions = (flags & ELEMENT_EXPRESSIONS) != 0;
    ALC_TRY(alc_read_count(reader, ALC_LIMIT_TABLE_ELEMENTS, ALC_E_LIMIT_ITEMS,
                           has_expressions ? 2 : 1, &segment->count));
    return has_expressions ? decode_element_expressions(decoder, reader, segment)
                           : decode_element_functions(decoder, reader, segment);
}

alc_status alc_decode_elements(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint32_t count;
    ALC_TRY(alc_read_count(reader, ALC_LIMIT_ELEMENT_SEGMENTS, ALC_E_LIMIT_ITEMS, 2, &count));
    module->elements = ALC_ARENA_ARRAY(decoder->arena, struct alc_element_segment, count);
    if (module->elements == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(decode_element(decoder, reader, &module->elements[i]));
    }
    module->elements_count = count;
    return ALC_OK;
}

/* -- data -- */

alc_status alc_decode_data_count(struct alc_decoder *decoder, struct alc_reader *reader)
{
    uint64_t start = alc_reader_offset(reader);
    struct alc_module *module = decoder->module;
    ALC_TRY(alc_need_feature(module, ALC_FEATURE_BULK, decoder->error, alc_reader_offset(reader)));
    ALC_TRY(alc_read_leb_u32(reader, &module->data_count));
    if (module->data_count > ALC_LIMIT_DATA_SEGMENTS) {
        return alc_fail(reader->error, ALC_E_LIMIT_ITEMS, start);
    }
    module->has_data_count = true;
    return ALC_OK;
}

enum data_kind { DATA_ACTIVE = 0, DATA_PASSIVE = 1, DATA_ACTIVE_EXPLICIT = 2 };

static alc_status decode_data_place(struct alc_decoder *decoder, struct alc_reader *reader,
                                    uint32_t kind, struct alc_data_segment *segment)
{
    struct alc_module *module = decoder->module;
    if (kind == DATA_PASSIVE) {
        segment->mode = ALC_SEGMENT_PASSIVE;
        return ALC_OK;
    }
    segment->mode = ALC_SEGMENT_ACTIVE;
    uint64_t start = alc_reader_offset(reader);
    if (kind == DATA_ACTIVE_EXPLICIT) {
        ALC_TRY(alc_read_leb_u32(reader, &segment->memory_index));
    }
    if (segment->memory_index >= module->memories_count) {
        return alc_fail(reader->error, ALC_E_UNKNOWN_MEMORY, start);
    }
    return alc_decode_constant(decoder, reader,
                               segment_offset_type(&module->memories[segment->memory_index].limits),
                               &segment->offset);
}

static alc_status decode_datum(struct alc_decoder *decoder, struct alc_reader *reader,
                               struct alc_data_segment *segment)
{
    uint64_t start = alc_reader_offset(reader);
    uint32_t kind;
    ALC_TRY(alc_read_leb_u32(reader, &kind));
    if (kind > DATA_ACTIVE_EXPLICIT) {
        return alc_fail(reader->error, ALC_E_BAD_DATA_KIND, start);
    }
    if (kind != DATA_ACTIVE) {
        ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_BULK, decoder->error, start));
    }
    ALC_TRY(decode_data_place(decoder, reader, kind, segment));
    uint32_t size;
    ALC_TRY(alc_read_count(reader, UINT32_MAX, ALC_E_LIMIT_ITEMS, 1, &size));
    segment->bytes = (struct alc_code_range){(uint32_t)alc_reader_offset(reader), size};
    return alc_read_skip(reader, size);
}

alc_status alc_decode_data(struct alc_decoder *decoder, struct alc_reader *reader)
{
    struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint32_t count;
    ALC_TRY(alc_read_count(reader, ALC_LIMIT_DATA_SEGMENTS, ALC_E_LIMIT_ITEMS, 2, &count));
    if (module->has_data_count && count != module->data_count) {
        return alc_fail(reader->error, ALC_E_DATA_COUNT_MISMATCH, start);
    }
    module->data = ALC_ARENA_ARRAY(decoder->arena, struct alc_data_segment, count);
    if (module->data == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(decode_datum(decoder, reader, &module->data[i]));
    }
    module->data_count = count;
    return ALC_OK;
}
