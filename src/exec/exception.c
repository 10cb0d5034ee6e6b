/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions in the heap: behind the header the address of the tag, then the payload.
 */
#include "exec/exception.h"

#include "exec/object.h"

struct exception {
    struct alc_object object;
    const struct alc_tag *tag;
    uint64_t slots[];
};

static const struct exception *exception_of(uint64_t reference)
{
    ALC_ASSERT(reference != ALC_REF_NULL);
    return (const struct exception *)(const void *)alc_object_of(reference);
}

uint64_t alc_exception_new(struct alc_store *store, const struct alc_tag *tag,
                           const uint64_t *slots)
{
    uint32_t count = alc_types_get(store->heap.types, tag->type_id)->function.parameters_slots;
    size_t payload_size = count * sizeof *slots;
    struct alc_object *object =
        alc_gc_new(&store->heap, tag->type_id, 0, sizeof tag + payload_size);
    if (object == NULL) {
        return ALC_REF_NULL;
    }
    struct exception *exception = (struct exception *)(void *)object;
    exception->tag = tag;
    if (count > 0) {
        alc_copy(exception->slots, slots, payload_size);
    }
    return alc_reference_from_object(object);
}

const struct alc_tag *alc_exception_tag(uint64_t reference)
{
    return exception_of(reference)->tag;
}

const uint64_t *alc_exception_slots(uint64_t reference)
{
    return exception_of(reference)->slots;
}
