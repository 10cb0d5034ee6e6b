/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas: all memory of the freestanding rooms. The caller gives a range, allocation moves a mark,
 * freeing means going back to an earlier mark. One arena per lifetime: module, instance, call.
 * A range may be reserved only (no pages behind it); then `commit` is asked for more, in steps.
 */
#ifndef ALC_BASE_ARENA_H
#define ALC_BASE_ARENA_H

#include "base/status.h"

/* Puts zeroed, writable memory behind [addr, addr + size), both multiples of 4096. Returns ALC_OK
 * or ALC_E_OUT_OF_MEMORY. */
typedef alc_status alc_commit_function(void *context, void *addr, size_t size);

struct alc_arena {
    uint8_t *base;
    size_t size;                 /* bytes of the range */
    size_t used;                 /* <= committed */
    size_t committed;            /* <= size; bytes with memory behind them */
    alc_commit_function *commit; /* NULL: everything is committed already */
    void *commit_context;
};

/* Over memory that is all there. `base` is borrowed. */
void alc_arena_init(struct alc_arena *arena, void *base, size_t size);
/* Over a reserved range; `base` and `size` MUST be multiples of 4096. */
void alc_arena_init_reserved(struct alc_arena *arena, void *base, size_t size,
                             alc_commit_function *commit, void *commit_context);
/* `size` bytes aligned to `alignment` (a power of two, at most 4096), contents undefined; NULL when
 * the arena is full. A size of 0 gives a valid pointer that may not be read. */
ALC_MUST_CHECK void *alc_arena_take(struct alc_arena *arena, size_t size, size_t alignment);
/* The same for `count` items of `size` bytes, zeroed; NULL also when the product overflows. */
ALC_MUST_CHECK void *alc_arena_take_array(struct alc_arena *arena, size_t count, size_t size,
                                          size_t alignment);
/* Room of at least `size` bytes behind the present end, without taking it (for a buffer whose final
 * size is not known yet); take it afterwards with alc_arena_take(…, 1). NULL when full. */
ALC_MUST_CHECK void *alc_arena_peek(struct alc_arena *arena, size_t size);

static inline size_t alc_arena_mark(const struct alc_arena *arena)
{
    return arena->used;
}
/* Frees everything taken since `mark`. */
void alc_arena_reset(struct alc_arena *arena, size_t mark);

/* Gives the range back to its owner, who may use all of it for something else. */
void alc_arena_fini(struct alc_arena *arena);

#define ALC_ARENA_NEW(arena, type)                                                                 \
    ((type *)alc_arena_take_array(arena, 1, sizeof(type), _Alignof(type)))
#define ALC_ARENA_ARRAY(arena, type, count)                                                        \
    ((type *)alc_arena_take_array(arena, count, sizeof(type), _Alignof(type)))

#endif
