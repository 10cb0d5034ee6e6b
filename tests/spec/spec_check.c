/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments and expectations of test actions: stream values against the engine's slots.
 */
#include "base/bytes.h"
#include "exec/reference.h"
#include "spec/spec_core.h"

struct expectation {
    uint8_t kind;
    uint64_t low;
    uint64_t high;
    uint8_t lane_bytes;
    uint16_t canonical;
    uint16_t arithmetic;
};

/* The number type that a scalar or vector kind has, ALC_TYPE_BOTTOM for references. */
static uint32_t type_of_kind(uint8_t kind)
{
    switch ((enum alc_spec_value)kind) {
    case ALC_SPEC_I32:
        return ALC_TYPE_I32;
    case ALC_SPEC_I64:
        return ALC_TYPE_I64;
    case ALC_SPEC_F32:
        return ALC_TYPE_F32;
    case ALC_SPEC_F64:
        return ALC_TYPE_F64;
    case ALC_SPEC_V128:
        return ALC_TYPE_V128;
    case ALC_SPEC_REF_NULL:
    case ALC_SPEC_REF_HOST_EXTERN:
    case ALC_SPEC_REF_HOST_ANY:
    case ALC_SPEC_REF_KIND:
    case ALC_SPEC_EITHER:
    default:
        return ALC_TYPE_BOTTOM;
    }
}

static uint64_t reference_of(uint8_t kind, uint64_t low)
{
    return kind == ALC_SPEC_REF_NULL ? ALC_REF_NULL : alc_reference_from_host(low);
}

static bool top_is(const struct alc_spec_run *run, uint32_t type, uint32_t top)
{
    return alc_type_is_reference(type) &&
           alc_heap_top(&run->store.types, alc_type_heap(type)) == top;
}

static bool is_null_of(const struct alc_spec_run *run, uint32_t type, uint64_t null)
{
    switch ((enum alc_spec_null)null) {
    case ALC_SPEC_NULL_FUNC:
        return top_is(run, type, ALC_HEAP_FUNC);
    case ALC_SPEC_NULL_EXTERN:
        return top_is(run, type, ALC_HEAP_EXTERN);
    case ALC_SPEC_NULL_ANY:
        return top_is(run, type, ALC_HEAP_ANY);
    case ALC_SPEC_NULL_EXN:
        return top_is(run, type, ALC_HEAP_EXN);
    case ALC_SPEC_NULL_ANY_TYPE:
        return alc_type_is_reference(type);
    default:
        return false;
    }
}

static bool argument_fits(const struct alc_spec_run *run, uint8_t kind, uint64_t low, uint32_t type)
{
    uint32_t number = type_of_kind(kind);
    if (number != ALC_TYPE_BOTTOM) {
        return number == type;
    }
    if (kind == ALC_SPEC_REF_NULL) {
        return alc_type_is_nullable(type) && is_null_of(run, type, low);
    }
    uint32_t top = kind == ALC_SPEC_REF_HOST_EXTERN ? ALC_HEAP_EXTERN : ALC_HEAP_ANY;
    return kind <= ALC_SPEC_REF_HOST_ANY && top_is(run, type, top);
}

alc_status alc_spec_read_arguments(struct alc_spec_run *run, struct alc_reader *reader,
                                   const struct alc_function_type *function, bool *fits)
{
    uint32_t count;
    ALC_TRY(alc_read_u32(reader, &count));
    *fits = function == NULL || function->parameters_count == count;
    size_t slot = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t kind;
        uint64_t low;
        uint64_t high;
        ALC_TRY(alc_read_u8(reader, &kind));
        ALC_TRY(alc_read_u64(reader, &low));
        ALC_TRY(alc_read_u64(reader, &high));
        if (function == NULL || !*fits) {
            continue;
        }
        *fits = slot + 2 <= ALC_SPEC_SLOTS_MAX &&
                argument_fits(run, kind, low, function->parameters[i]);
        if (!*fits) {
            continue;
        }
        bool is_reference = type_of_kind(kind) == ALC_TYPE_BOTTOM;
        run->arguments[slot++] = is_reference ? reference_of(kind, low) : low;
        if (kind == ALC_SPEC_V128) {
            run->arguments[slot++] = high;
        }
    }
    return ALC_OK;
}

/* -- results -- */

static bool lane_is_nan(uint64_t bits, unsigned bytes, bool is_canonical)
{
    uint64_t quiet = bytes == 4 ? 0x7fc00000u : UINT64_C(0x7ff8000000000000);
    uint64_t sign = bytes == 4 ? 0x80000000u : UINT64_C(0x8000000000000000);
    if (is_canonical) {
        return (bits & ~sign) == quiet;
    }
    return (bits & quiet) == quiet;
}

/* Compares lane by lane where the expectation has NaN patterns. */
static bool bits_match(const struct expectation *wanted, uint64_t low, uint64_t high)
{
    if (wanted->lane_bytes != 4 && wanted->lane_bytes != 8) {
        return wanted->low == low && wanted->high == high;
    }
    unsigned bytes = wanted->lane_bytes;
    uint64_t mask = bytes == 4 ? UINT32_MAX : UINT64_MAX;
    for (unsigned lane = 0; lane < 16 / bytes; lane++) {
        unsigned shift = lane * bytes * 8 % 64;
        bool is_low = lane * bytes < 8;
        uint64_t got = (is_low ? low : high) >> shift & mask;
        uint64_t want = (is_low ? wanted->low : wanted->high) >> shift & mask;
        bool is_canonical = (wanted->canonical >> lane & 1) != 0;
        bool is_arithmetic = (wanted->arithmetic >> lane & 1) != 0;
        bool matches =
            is_canonical || is_arithmetic ? lane_is_nan(got, bytes, is_canonical) : got == want;
        if (!matches) {
            return false;
        }
    }
    return true;
}

static bool reference_is_of_kind(const struct alc_spec_run *run, uint64_t kind, uint32_t type,
                                 uint64_t reference)
{
    if (reference == ALC_REF_NULL) {
        return false;
    }
    bool is_i31 = (reference & 1) != 0;
    bool is_object = (reference & 3) == 0;
    switch ((enum alc_spec_kind)kind) {
    case ALC_SPEC_KIND_FUNC:
        return is_object && top_is(run, type, ALC_HEAP_FUNC);
    case ALC_SPEC_KIND_EXTERN:
        return top_is(run, type, ALC_HEAP_EXTERN);
    case ALC_SPEC_KIND_ANY:
        return top_is(run, type, ALC_HEAP_ANY);
    case ALC_SPEC_KIND_EQ:
        return (is_object || is_i31) && top_is(run, type, ALC_HEAP_ANY);
    case ALC_SPEC_KIND_I31:
        return is_i31 && top_is(run, type, ALC_HEAP_ANY);
    case ALC_SPEC_KIND_STRUCT:
    case ALC_SPEC_KIND_ARRAY:
        return is_object && top_is(run, type, ALC_HEAP_ANY);
    case ALC_SPEC_KIND_EXN:
        return is_object && top_is(run, type, ALC_HEAP_EXN);
    default:
        return false;
    }
}

static bool value_matches(const struct alc_spec_run *run, const struct expectation *wanted,
                          uint32_t type, const uint64_t *slots)
{
    uint32_t number = type_of_kind(wanted->kind);
    if (number != ALC_TYPE_BOTTOM) {
        uint64_t high = number == ALC_TYPE_V128 ? slots[1] : 0;
        return number == type && bits_match(wanted, slots[0], high);
    }
    if (!alc_type_is_reference(type)) {
        return false;
    }
    if (wanted->kind == ALC_SPEC_REF_NULL) {
        return slots[0] == ALC_REF_NULL && is_null_of(run, type, wanted->low);
    }
    if (wanted->kind == ALC_SPEC_REF_KIND) {
        return reference_is_of_kind(run, wanted->low, type, slots[0]);
    }
    uint32_t top = wanted->kind == ALC_SPEC_REF_HOST_EXTERN ? ALC_HEAP_EXTERN : ALC_HEAP_ANY;
    return slots[0] == alc_reference_from_host(wanted->low) && top_is(run, type, top);
}

static alc_status read_pattern(struct alc_reader *reader, struct expectation *out)
{
    ALC_TRY(alc_read_u64(reader, &out->low));
    ALC_TRY(alc_read_u64(reader, &out->high));
    ALC_TRY(alc_read_u8(reader, &out->lane_bytes));
    ALC_TRY(alc_read_u16(reader, &out->canonical));
    return alc_read_u16(reader, &out->arithmetic);
}

/* Reads one expectation (or a choice of several) and compares result `index` with it. */
static alc_status check_one(struct alc_spec_run *run, struct alc_reader *reader, uint32_t type,
                            const uint64_t *slots, bool *matches)
{
    struct expectation wanted = {0};
    uint32_t count = 1;
    ALC_TRY(alc_read_u8(reader, &wanted.kind));
    bool is_either = wanted.kind == ALC_SPEC_EITHER;
    if (is_either) {
        ALC_TRY(alc_read_u32(reader, &count));
    }
    *matches = false;
    for (uint32_t i = 0; i < count; i++) {
        if (is_either) {
            ALC_TRY(alc_read_u8(reader, &wanted.kind));
        }
        ALC_TRY(read_pattern(reader, &wanted));
        if (slots != NULL && value_matches(run, &wanted, type, slots)) {
            *matches = true;
        }
    }
    if (slots != NULL && !*matches) {
        alc_spec_say(run, "got 0x");
        alc_spec_say_hex(run, type == ALC_TYPE_V128 ? slots[1] : 0);
        alc_spec_say_hex(run, slots[0]);
        alc_spec_say_more(run, " wanted 0x", 10);
        alc_spec_say_hex(run, wanted.high);
        alc_spec_say_hex(run, wanted.low);
    }
    return ALC_OK;
}

alc_status alc_spec_check_results(struct alc_spec_run *run, struct alc_reader *reader,
                                  bool has_results, bool *are_equal)
{
    uint32_t count;
    ALC_TRY(alc_read_u32(reader, &count));
    *are_equal = has_results && count == run->results_count;
    if (has_results && !*are_equal) {
        alc_spec_say(run, "wrong number of results");
    }
    size_t slot = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool matches;
        uint32_t type = *are_equal ? run->result_types[i] : ALC_TYPE_BOTTOM;
        const uint64_t *slots = *are_equal ? &run->results[slot] : NULL;
        ALC_TRY(check_one(run, reader, type, slots, &matches));
        slot += alc_type_slots(type);
        *are_equal = *are_equal && matches;
    }
    return ALC_OK;
}
