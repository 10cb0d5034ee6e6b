/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes the type section (spec 5.5.4) into the registry and checks recursion groups and declared
 * supertypes (spec 3.2). While a group is open, its members are known by position only
 * (ALC_HEAP_GROUP_MEMBER); registering gives them their canonical ids.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "wasm/decode_internal.h"

enum composite_byte {
    BYTE_FUNCTION = 0x60,
    BYTE_STRUCT = 0x5f,
    BYTE_ARRAY = 0x5e,
    BYTE_SUB = 0x50,
    BYTE_SUB_FINAL = 0x4f,
    BYTE_REC = 0x4e,
};

static alc_status decode_list(const struct alc_decoder *decoder, struct alc_reader *reader,
                              uint32_t count_max, const uint32_t **out, uint32_t *out_count)
{
    ALC_TRY(alc_read_count(reader, count_max, ALC_E_LIMIT_ARITY, 1, out_count));
    uint32_t *types = ALC_ARENA_ARRAY(decoder->module->types->arena, uint32_t, *out_count);
    if (types == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < *out_count; i++) {
        ALC_TRY(alc_decode_value_type_in(decoder, reader, &types[i]));
    }
    *out = types;
    return ALC_OK;
}

static alc_status decode_field(const struct alc_decoder *decoder, struct alc_reader *reader,
                               struct alc_field *out)
{
    ALC_TRY(alc_decode_storage_type_in(decoder, reader, &out->type));
    uint64_t start = alc_reader_offset(reader);
    uint8_t mutability;
    ALC_TRY(alc_read_u8(reader, &mutability));
    if (mutability > 1) {
        return alc_fail(reader->error, ALC_E_BAD_MUTABILITY, start);
    }
    out->is_mutable = mutability == 1;
    return ALC_OK;
}

static alc_status decode_struct(const struct alc_decoder *decoder, struct alc_reader *reader,
                                struct alc_struct_type *out)
{
    ALC_TRY(alc_read_count(reader, ALC_LIMIT_FIELDS, ALC_E_LIMIT_ITEMS, 2, &out->fields_count));
    struct alc_field *fields =
        ALC_ARENA_ARRAY(decoder->module->types->arena, struct alc_field, out->fields_count);
    if (fields == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (uint32_t i = 0; i < out->fields_count; i++) {
        ALC_TRY(decode_field(decoder, reader, &fields[i]));
    }
    out->fields = fields;
    return ALC_OK;
}

static alc_status decode_composite(const struct alc_decoder *decoder, struct alc_reader *reader,
                                   uint8_t byte, uint64_t offset, struct alc_type *out)
{
    if (byte == BYTE_FUNCTION) {
        struct alc_function_type *function = &out->function;
        out->kind = ALC_COMPOSITE_FUNCTION;
        ALC_TRY(decode_list(decoder, reader, ALC_LIMIT_PARAMETERS, &function->parameters,
                            &function->parameters_count));
        ALC_TRY(decode_list(decoder, reader, ALC_LIMIT_RESULTS, &function->results,
                            &function->results_count));
        if (function->results_count > 1) {
            return alc_need_feature(decoder->module, ALC_FEATURE_MULTI_VALUE, decoder->error,
                                    offset);
        }
        return ALC_OK;
    }
    if (byte != BYTE_STRUCT && byte != BYTE_ARRAY) {
        return alc_fail(decoder->error, ALC_E_BAD_TYPE, offset);
    }
    ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_GC, decoder->error, offset));
    if (byte == BYTE_STRUCT) {
        out->kind = ALC_COMPOSITE_STRUCT;
        return decode_struct(decoder, reader, &out->structure);
    }
    out->kind = ALC_COMPOSITE_ARRAY;
    return decode_field(decoder, reader, &out->array);
}

/* The supertypes of member `position`: none or one, which must stand before it. */
static alc_status decode_super(const struct alc_decoder *decoder, struct alc_reader *reader,
                               uint32_t position, uint32_t *out_super_id)
{
    const struct alc_module *module = decoder->module;
    uint64_t start = alc_reader_offset(reader);
    uint32_t count;
    uint32_t index;
    ALC_TRY(alc_read_count(reader, UINT32_MAX, ALC_E_LIMIT_ITEMS, 1, &count));
    if (count == 0) {
        return ALC_OK;
    }
    if (count > 1) {
        return alc_fail(reader->error, ALC_E_SUBTYPE_MISMATCH, start);
    }
    start = alc_reader_offset(reader);
    ALC_TRY(alc_read_leb_u32(reader, &index));
    if (index >= module->types_count + position) {
        return alc_fail(reader->error, ALC_E_UNKNOWN_TYPE, start);
    }
    *out_super_id = index < module->types_count
                        ? module->type_ids[index]
                        : ALC_HEAP_GROUP_MEMBER + (index - module->types_count);
    return ALC_OK;
}

static alc_status decode_member(const struct alc_decoder *decoder, struct alc_reader *reader,
                                uint32_t position, struct alc_type *out)
{
    uint64_t offset = alc_reader_offset(reader);
    uint8_t byte;
    ALC_TRY(alc_read_u8(reader, &byte));
    out->is_final = true;
    out->super_id = ALC_TYPE_NO_ID;
    if (byte == BYTE_SUB || byte == BYTE_SUB_FINAL) {
        ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_GC, decoder->error, offset));
        out->is_final = byte == BYTE_SUB_FINAL;
        ALC_TRY(decode_super(decoder, reader, position, &out->super_id));
        offset = alc_reader_offset(reader);
        ALC_TRY(alc_read_u8(reader, &byte));
    }
    return decode_composite(decoder, reader, byte, offset, out);
}

/* Room for `added` more entries of type_ids. */
static alc_status grow_type_ids(struct alc_decoder *decoder, uint32_t added, uint32_t *capacity,
                                uint64_t offset)
{
    struct alc_module *module = decoder->module;
    if (added > ALC_LIMIT_TYPES - module->types_count) {
        return alc_fail(decoder->error, ALC_E_LIMIT_TYPES, offset);
    }
    if (added <= *capacity - module->types_count) {
        return ALC_OK;
    }
    *capacity = (module->types_count + added) * 2;
    uint32_t *ids = ALC_ARENA_ARRAY(decoder->arena, uint32_t, *capacity);
    if (ids == NULL) {
        return alc_fail(decoder->error, ALC_E_OUT_OF_MEMORY, offset);
    }
    if (module->types_count != 0) {
        alc_copy(ids, module->type_ids, module->types_count * sizeof *ids);
    }
    module->type_ids = ids;
    return ALC_OK;
}

static alc_status check_supers(const struct alc_type_registry *types, uint32_t first_id,
                               uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct alc_type *type = alc_types_get(types, first_id + i);
        if (type->super_id == ALC_TYPE_NO_ID) {
            continue;
        }
        const struct alc_type *super = alc_types_get(types, type->super_id);
        if (super->is_final || !alc_composite_matches(types, type, super)) {
            return ALC_E_SUBTYPE_MISMATCH;
        }
    }
    return ALC_OK;
}

static alc_status decode_group(struct alc_decoder *decoder, struct alc_reader *reader,
                               uint32_t count, uint64_t offset)
{
    struct alc_module *module = decoder->module;
    struct alc_arena *arena = module->types->arena;
    size_t mark = alc_arena_mark(arena);
    struct alc_type *members = ALC_ARENA_ARRAY(arena, struct alc_type, count);
    if (members == NULL) {
        return alc_fail(decoder->error, ALC_E_OUT_OF_MEMORY, offset);
    }
    decoder->group_count = count;
    for (uint32_t i = 0; i < count; i++) {
        ALC_TRY(decode_member(decoder, reader, i, &members[i]));
    }
    decoder->group_count = 0;
    uint32_t first_id;
    bool was_known;
    alc_status status =
        alc_types_register_group(module->types, members, count, &first_id, &was_known);
    if (status == ALC_OK && was_known) {
        alc_arena_reset(arena, mark);
    }
    if (status == ALC_OK) {
        status = check_supers(module->types, first_id, count);
    }
    if (status != ALC_OK) {
        return alc_fail(decoder->error, status, offset);
    }
    for (uint32_t i = 0; i < count; i++) {
        module->type_ids[module->types_count++] = first_id + i;
    }
    return ALC_OK;
}

alc_status alc_decode_types(struct alc_decoder *decoder, struct alc_reader *reader)
{
    uint32_t groups_count;
    uint32_t capacity = 0;
    ALC_TRY(alc_read_count(reader, ALC_LIMIT_TYPES, ALC_E_LIMIT_TYPES, 2, &groups_count));
    ALC_TRY(grow_type_ids(decoder, groups_count, &capacity, alc_reader_offset(reader)));
    for (uint32_t i = 0; i < groups_count; i++) {
        uint64_t offset = alc_reader_offset(reader);
        uint32_t count = 1;
        if (!alc_reader_at_end(reader) && reader->bytes[reader->pos] == BYTE_REC) {
            ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_GC, decoder->error, offset));
            ALC_TRY(alc_read_skip(reader, 1));
            ALC_TRY(alc_read_count(reader, ALC_LIMIT_TYPES, ALC_E_LIMIT_TYPES, 2, &count));
        }
        ALC_TRY(grow_type_ids(decoder, count, &capacity, offset));
        ALC_TRY(decode_group(decoder, reader, count, offset));
    }
    return ALC_OK;
}
