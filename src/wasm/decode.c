/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes names, value types, heap types and the types of externals (spec 5.3). Input is hostile:
 * all bytes come through struct alc_reader. Range rules of limits (spec 3.2) are checked here too,
 * since they concern a single type.
 */
#include "base/limits.h"
#include "base/utf8.h"
#include "wasm/decode_internal.h"

enum type_byte { /* spec 5.3; the heap types are s33 numbers in a byte */
                 BYTE_I32 = 0x7f,
                 BYTE_I64 = 0x7e,
                 BYTE_F32 = 0x7d,
                 BYTE_F64 = 0x7c,
                 BYTE_V128 = 0x7b,
                 BYTE_I8 = 0x78,
                 BYTE_I16 = 0x77,
                 BYTE_NOEXN = 0x74,
                 BYTE_EXN = 0x69,
                 BYTE_REF = 0x64,
                 BYTE_REF_NULL = 0x63,
};

enum limits_flag {
    LIMITS_HAS_MAX = 1,
    LIMITS_SHARED = 2,
    LIMITS_64 = 4,
    LIMITS_PAGE_SIZE = 8,
};

alc_status alc_need_feature(const struct alc_module *module, enum alc_feature feature,
                            struct alc_error *error, uint64_t offset)
{
    if (ALC_LIKELY(alc_feature_is_on(module->features, feature))) {
        return ALC_OK;
    }
    return alc_fail_with(error, ALC_E_FEATURE_DISABLED, offset, alc_feature_name(feature));
}

alc_status alc_decode_name(struct alc_reader *reader, struct alc_name *out)
{
    uint64_t start = alc_reader_offset(reader);
    uint32_t size;
    ALC_TRY(alc_read_leb_u32(reader, &size));
    if (size > alc_reader_remaining(reader)) {
        return alc_fail(reader->error, ALC_E_LENGTH_OUT_OF_BOUNDS, start);
    }
    if (size > ALC_LIMIT_NAME_SIZE) {
        return alc_fail(reader->error, ALC_E_LIMIT_ITEMS, start);
    }
    uint64_t text = alc_reader_offset(reader);
    ALC_TRY(alc_read_bytes(reader, size, &out->bytes));
    out->size = size;
    if (!alc_utf8_is_valid(out->bytes, size)) {
        return alc_fail(reader->error, ALC_E_BAD_UTF8, text);
    }
    return ALC_OK;
}

/* -- heap types and value types -- */

/* By byte from BYTE_EXN to BYTE_NOEXN. */
static const struct {
    uint32_t heap;
    enum alc_feature feature;
} HEAP_OF_BYTE[] = {
    {ALC_HEAP_EXN, ALC_FEATURE_EXCEPTIONS},
    {ALC_HEAP_ARRAY, ALC_FEATURE_GC},
    {ALC_HEAP_STRUCT, ALC_FEATURE_GC},
    {ALC_HEAP_I31, ALC_FEATURE_GC},
    {ALC_HEAP_EQ, ALC_FEATURE_GC},
    {ALC_HEAP_ANY, ALC_FEATURE_GC},
    {ALC_HEAP_EXTERN, ALC_FEATURE_REFERENCES},
    {ALC_HEAP_FUNC, ALC_FEATURE_MVP},
    {ALC_HEAP_NONE, ALC_FEATURE_GC},
    {ALC_HEAP_NOEXTERN, ALC_FEATURE_GC},
    {ALC_HEAP_NOFUNC, ALC_FEATURE_GC},
    {ALC_HEAP_NOEXN, ALC_FEATURE_EXCEPTIONS},
};
_Static_assert(ALC_ARRAY_COUNT(HEAP_OF_BYTE) == BYTE_NOEXN - BYTE_EXN + 1, "one for each byte");

static bool is_heap_byte(uint8_t byte)
{
    return byte >= BYTE_EXN && byte <= BYTE_NOEXN;
}

static alc_status abstract_heap(const struct alc_decoder *decoder, uint8_t byte, uint64_t offset,
                                uint32_t *out)
{
    *out = HEAP_OF_BYTE[byte - BYTE_EXN].heap;
    return alc_need_feature(decoder->module, HEAP_OF_BYTE[byte - BYTE_EXN].feature, decoder->error,
                            offset);
}

/* The canonical id of a type index, or its place in the open recursion group. */
static alc_status concrete_heap(const struct alc_decoder *decoder, uint64_t index, uint64_t offset,
                                uint32_t *out)
{
    const struct alc_module *module = decoder->module;
    if (index < module->types_count) {
        *out = module->type_ids[index];
        return ALC_OK;
    }
    if (index - module->types_count < decoder->group_count) {
        *out = ALC_HEAP_GROUP_MEMBER + (uint32_t)(index - module->types_count);
        return ALC_OK;
    }
    return alc_fail(decoder->error, ALC_E_UNKNOWN_TYPE, offset);
}

static alc_status decode_heap(const struct alc_decoder *decoder, struct alc_reader *reader,
                              uint32_t *out)
{
    uint64_t start = alc_reader_offset(reader);
    int64_t code;
    ALC_TRY(alc_read_leb_s33(reader, &code));
    if (code >= 0) {
        return concrete_heap(decoder, (uint64_t)code, start, out);
    }
    uint8_t byte = (uint8_t)(code & 0x7f);
    if (code < -64 || !is_heap_byte(byte)) {
        return alc_fail(reader->error, ALC_E_BAD_TYPE, start);
    }
    return abstract_heap(decoder, byte, start, out);
}

/* A reference type whose first byte is `byte`; false in *is_reference when it is none. */
static alc_status decode_reference(const struct alc_decoder *decoder, struct alc_reader *reader,
                                   uint8_t byte, uint64_t offset, uint32_t *out)
{
    uint32_t heap = ALC_HEAP_BOTTOM; /* gcc cannot see that a failure is never ALC_OK */
    if (is_heap_byte(byte)) {
        ALC_TRY(abstract_heap(decoder, byte, offset, &heap));
        *out = ALC_TYPE_OF_REF_NULL(heap);
        return ALC_OK;
    }
    if (byte != BYTE_REF && byte != BYTE_REF_NULL) {
        return alc_fail(decoder->error, ALC_E_BAD_TYPE, offset);
    }
    ALC_TRY(
        alc_need_feature(decoder->module, ALC_FEATURE_FUNCTION_REFERENCES, decoder->error, offset));
    ALC_TRY(decode_heap(decoder, reader, &heap));
    *out = byte == BYTE_REF ? ALC_TYPE_OF_REF(heap) : ALC_TYPE_OF_REF_NULL(heap);
    return ALC_OK;
}

static alc_status decode_value(const struct alc_decoder *decoder, struct alc_reader *reader,
                               bool is_packed_allowed, uint32_t *out)
{
    uint64_t offset = alc_reader_offset(reader);
    uint8_t byte;
    ALC_TRY(alc_read_u8(reader, &byte));
    switch (byte) {
    case BYTE_I32:
        *out = ALC_TYPE_I32;
        return ALC_OK;
    case BYTE_I64:
        *out = ALC_TYPE_I64;
        return ALC_OK;
    case BYTE_F32:
        *out = ALC_TYPE_F32;
        return ALC_OK;
    case BYTE_F64:
        *out = ALC_TYPE_F64;
        return ALC_OK;
    case BYTE_V128:
        *out = ALC_TYPE_V128;
        return alc_need_feature(decoder->module, ALC_FEATURE_SIMD, decoder->error, offset);
    case BYTE_I8:
    case BYTE_I16:
        *out = byte == BYTE_I8 ? ALC_TYPE_I8 : ALC_TYPE_I16;
        return is_packed_allowed ? ALC_OK : alc_fail(decoder->error, ALC_E_BAD_TYPE, offset);
    default:
        return decode_reference(decoder, reader, byte, offset, out);
    }
}

alc_status alc_decode_value_type_in(const struct alc_decoder *decoder, struct alc_reader *reader,
                                    uint32_t *out)
{
    return decode_value(decoder, reader, false, out);
}

alc_status alc_decode_storage_type_in(const struct alc_decoder *decoder, struct alc_reader *reader,
                                      uint32_t *out)
{
    return decode_value(decoder, reader, true, out);
}

/* Outside the type section no group is open. The module is not changed through this. */
static struct alc_decoder closed_decoder(const struct alc_reader *reader,
                                         const struct alc_module *module)
{
    return (struct alc_decoder){.module = (struct alc_module *)(uintptr_t)module,
                                .error = reader->error};
}

alc_status alc_decode_value_type(struct alc_reader *reader, const struct alc_module *module,
                                 uint32_t *out)
{
    struct alc_decoder decoder = closed_decoder(reader, module);
    return decode_value(&decoder, reader, false, out);
}

alc_status alc_decode_heap_type(struct alc_reader *reader, const struct alc_module *module,
                                uint32_t *out)
{
    struct alc_decoder decoder = closed_decoder(reader, module);
    return decode_heap(&decoder, reader, out);
}

alc_status alc_decode_reference_type(struct alc_reader *reader, const struct alc_module *module,
                                     uint32_t *out)
{
    struct alc_decoder decoder = closed_decoder(reader, module);
    uint64_t offset = alc_reader_offset(reader);
    uint8_t byte;
    ALC_TRY(alc_read_u8(reader, &byte));
    return decode_reference(&decoder, reader, byte, offset, out);
}

alc_status alc_decode_type_index(struct alc_reader *reader, const struct alc_module *module,
                                 const struct alc_type **out)
{
    uint64_t start = alc_reader_offset(reader);
    uint32_t index;
    ALC_TRY(alc_read_leb_u32(reader, &index));
    if (index >= module->types_count) {
        return alc_fail(reader->error, ALC_E_UNKNOWN_TYPE, start);
    }
    *out = alc_types_get(module->types, module->type_ids[index]);
    return ALC_OK;
}

alc_status alc_decode_function_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                    uint32_t *out_type_index)
{
    uint64_t start = alc_reader_offset(reader);
    const struct alc_module *module = decoder->module;
    ALC_TRY(alc_read_leb_u32(reader, out_type_index));
    if (*out_type_index >= module->types_count ||
        alc_types_get(module->types, module->type_ids[*out_type_index])->kind !=
            ALC_COMPOSITE_FUNCTION) {
        return alc_fail(reader->error, ALC_E_UNKNOWN_TYPE, start);
    }
    return ALC_OK;
}

/* -- limits -- */

/* The part of limits that tables and memories share. Bounds are 64-bit numbers whatever the address
 * type (spec 5.3.13); their range is a matter of validation. */
static alc_status read_limits(const struct alc_decoder *decoder, struct alc_reader *reader,
                              uint8_t flags_allowed, uint8_t *out_flags, struct alc_limits *out)
{
    uint64_t start = alc_reader_offset(reader);
    uint8_t flags;
    ALC_TRY(alc_read_u8(reader, &flags));
    if ((flags & ~flags_allowed) != 0) {
        return alc_fail(reader->error, ALC_E_BAD_LIMITS_FLAGS, start);
    }
    *out = (struct alc_limits){
        .has_max = (flags & LIMITS_HAS_MAX) != 0,
        .is_shared = (flags & LIMITS_SHARED) != 0,
        .is_64 = (flags & LIMITS_64) != 0,
    };
    if (out->is_64) {
        ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_MEMORY64, decoder->error, start));
    }
    ALC_TRY(alc_read_leb_u64(reader, &out->min));
    if (out->has_max) {
        ALC_TRY(alc_read_leb_u64(reader, &out->max));
    }
    *out_flags = flags;
    return ALC_OK;
}

static alc_status check_limits(const struct alc_decoder *decoder, const struct alc_limits *limits,
                               uint64_t offset, uint64_t bound, alc_status over)
{
    if (limits->min > bound || (limits->has_max && limits->max > bound)) {
        return alc_fail(decoder->error, over, offset);
    }
    if (limits->has_max && limits->min > limits->max) {
        return alc_fail(decoder->error, ALC_E_MINIMUM_OVER_MAXIMUM, offset);
    }
    return ALC_OK;
}

alc_status alc_decode_table_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                 struct alc_table_type *out)
{
    uint64_t offset = alc_reader_offset(reader);
    uint8_t byte;
    uint8_t flags;
    ALC_TRY(alc_read_u8(reader, &byte));
    ALC_TRY(decode_reference(decoder, reader, byte, offset, &out->element));
    uint64_t start = alc_reader_offset(reader);
    ALC_TRY(read_limits(decoder, reader, LIMITS_HAS_MAX | LIMITS_64, &flags, &out->limits));
    return check_limits(decoder, &out->limits, start, out->limits.is_64 ? UINT64_MAX : UINT32_MAX,
                        ALC_E_TABLE_SIZE_LIMIT);
}

alc_status alc_decode_memory_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                  struct alc_memory_type *out)
{
    uint64_t start = alc_reader_offset(reader);
    const struct alc_module *module = decoder->module;
    struct alc_limits *limits = &out->limits;
    uint8_t allowed = LIMITS_HAS_MAX | LIMITS_64;
    allowed |= alc_feature_is_on(module->features, ALC_FEATURE_THREADS) ? LIMITS_SHARED : 0;
    allowed |=
        alc_feature_is_on(module->features, ALC_FEATURE_CUSTOM_PAGE_SIZES) ? LIMITS_PAGE_SIZE : 0;
    uint8_t flags;
    ALC_TRY(read_limits(decoder, reader, allowed, &flags, limits));
    uint32_t page_size_log2 = 16;
    if ((flags & LIMITS_PAGE_SIZE) != 0) {
        uint64_t page = alc_reader_offset(reader);
        ALC_TRY(alc_read_leb_u32(reader, &page_size_log2));
        if (page_size_log2 >= 64) {
            return alc_fail(reader->error, ALC_E_BAD_LIMITS_FLAGS, page);
        }
        if (page_size_log2 != 0 && page_size_log2 != 16) {
            return alc_fail(reader->error, ALC_E_BAD_PAGE_SIZE, page);
        }
    }
    limits->page_size_log2 = (uint8_t)page_size_log2;
    /* As many pages as the address type can reach bytes of; 2^64 one-byte pages are not quite. */
    uint64_t bound = limits->is_64 ? UINT64_MAX >> page_size_log2 : UINT32_MAX >> page_size_log2;
    bound += page_size_log2 == 0 ? 0 : 1;
    ALC_TRY(check_limits(decoder, limits, start, bound, ALC_E_MEMORY_SIZE_LIMIT));
    if (limits->is_shared && !limits->has_max) {
        return alc_fail(reader->error, ALC_E_SHARED_NEEDS_MAXIMUM, start);
    }
    return ALC_OK;
}

alc_status alc_decode_global_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                  struct alc_global_type *out)
{
    ALC_TRY(decode_value(decoder, reader, false, &out->type));
    uint64_t start = alc_reader_offset(reader);
    uint8_t mutability;
    ALC_TRY(alc_read_u8(reader, &mutability));
    if (mutability > 1) {
        return alc_fail(reader->error, ALC_E_BAD_MUTABILITY, start);
    }
    out->is_mutable = mutability == 1;
    return ALC_OK;
}

alc_status alc_decode_tag_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                               uint32_t *out_type_id)
{
    uint64_t start = alc_reader_offset(reader);
    uint8_t attribute;
    uint32_t type_index;
    ALC_TRY(alc_need_feature(decoder->module, ALC_FEATURE_EXCEPTIONS, decoder->error,
                             alc_reader_offset(reader)));
    ALC_TRY(alc_read_u8(reader, &attribute));
    if (attribute != 0) {
        return alc_fail(reader->error, ALC_E_BAD_TAG_ATTRIBUTE, start);
    }
    uint64_t index = alc_reader_offset(reader);
    ALC_TRY(alc_decode_function_type(decoder, reader, &type_index));
    *out_type_id = decoder->module->type_ids[type_index];
    if (alc_types_get(decoder->module->types, *out_type_id)->function.results_count != 0) {
        return alc_fail(reader->error, ALC_E_BAD_TAG_RESULT, index);
    }
    return ALC_OK;
}
