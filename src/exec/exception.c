/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions in the store's arena: the tag, then the payload.
 */
#include "exec/exception.h"

#include "base/bytes.h"

struct exception {
    const struct alc_tag *tag;
    uint64_t slots[];
};
_Static_assert(_Alignof(struct exception) >= 4, "low bits of a reference are free");

static const struct exception *exception_of(uint64_t reference)
{
    ALC_ASSERT(reference != ALC_REF_NULL);
    return (const struct exception *)(uintptr_t)reference;
}

uint64_t alc_exception_new(struct alc_store *store, const struct alc_tag *tag,
                           const uint64_t *slots)
{
    uint32_t count = alc_types_get(&store->types, tag->type_id)->function.parameters_slots;
    size_t payload_size = count * sizeof *slots;
    struct exception *exception =
        alc_arena_take(store->arena, sizeof *exception + payload_size, _Alignof(struct exception));
    if (exception == NULL) {
        return ALC_REF_NULL;
    }
    exception->tag = tag;
    if (count > 0) {
        alc_copy(exception->slots, slots, payload_size);
    }
    return (uint64_t)(uintptr_t)exception;
}

const struct alc_tag *alc_exception_tag(uint64_t reference)
{
    return exception_of(reference)->tag;
}

const uint64_t *alc_exception_slots(uint64_t reference)
{
    return exception_of(reference)->slots;
}
