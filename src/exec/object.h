/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of the garbage-collected heap as they lie in memory: structures, arrays, exceptions. A
 * reference (exec/reference.h) to one is its address; objects never move.
 *
 *   0  u32  canonical id of the type; that of a function type for an exception: its tag's
 *   4  u32  number of elements of an array, else 0
 *   8       fields (struct alc_field.offset from here), elements one behind the other, or for an
 *           exception the address of its tag and the payload in slots
 */
#ifndef ALC_EXEC_OBJECT_H
#define ALC_EXEC_OBJECT_H

#include "base/bytes.h"
#include "wasm/types.h"

struct alc_tag;

struct alc_object {
    uint32_t type_id;
    uint32_t length;
} ALC_ALIGNED(8);

enum { ALC_OBJECT_HEADER = sizeof(struct alc_object) };

/* `reference` MUST be to an object: not null, low bits 00, of the any, extern or exn hierarchy. */
static inline struct alc_object *alc_object_of(uint64_t reference)
{
    return (struct alc_object *)(uintptr_t)reference;
}

static inline uint64_t alc_reference_from_object(const struct alc_object *object)
{
    return (uint64_t)(uintptr_t)object;
}

/* Whether a reference of those hierarchies is to an object (and not null, an i31 or the host's). */
static inline bool alc_reference_is_object(uint64_t reference)
{
    return reference != 0 && (reference & 3) == 0;
}

static inline uint8_t *alc_object_bytes(const struct alc_object *object)
{
    return (uint8_t *)(uintptr_t)object + ALC_OBJECT_HEADER;
}

/* `index` < object->length; `size`: of an element. */
static inline uint8_t *alc_object_element(const struct alc_object *object, uint64_t index,
                                          uint32_t size)
{
    return alc_object_bytes(object) + index * size;
}

/* Stores what a slot (two for v128) holds as a field or element of `size` bytes. */
static inline void alc_object_store(uint8_t *to, const uint64_t *slot, uint32_t size)
{
    switch (size) {
    case 1:
        *to = (uint8_t)*slot;
        break;
    case 2:
        alc_copy(to, slot, 2);
        break;
    case 4:
        alc_copy(to, slot, 4);
        break;
    case 8:
        alc_copy(to, slot, 8);
        break;
    default:
        alc_copy(to, slot, 16);
        break;
    }
}

#endif
