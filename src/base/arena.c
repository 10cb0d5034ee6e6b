/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas. Under AddressSanitizer free parts are poisoned and every block is followed by a red zone,
 * so that overruns inside an arena are seen.
 */
#include "base/arena.h"

#include "base/bytes.h"
#include "base/checked.h"

#if defined(__SANITIZE_ADDRESS__)
#define ALC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALC_ASAN 1
#endif
#endif
#ifdef ALC_ASAN
void __asan_poison_memory_region(void const volatile *addr, size_t size);
void __asan_unpoison_memory_region(void const volatile *addr, size_t size);
enum { RED_ZONE_SIZE = 32 };
#else
#define __asan_poison_memory_region(addr, size) ((void)(addr), (void)(size))
#define __asan_unpoison_memory_region(addr, size) ((void)(addr), (void)(size))
enum { RED_ZONE_SIZE = 0 };
#endif

enum { PAGE_SIZE = 4096, COMMIT_STEP = 1 << 18 };

void alc_arena_init(struct alc_arena *arena, void *base, size_t size)
{
    *arena = (struct alc_arena){.base = base, .size = size, .committed = size};
    __asan_poison_memory_region(base, size);
}

void alc_arena_init_reserved(struct alc_arena *arena, void *base, size_t size,
                             alc_commit_function *commit, void *commit_context)
{
    ALC_ASSERT((uintptr_t)base % PAGE_SIZE == 0 && size % PAGE_SIZE == 0);
    *arena = (struct alc_arena){
        .base = base, .size = size, .commit = commit, .commit_context = commit_context};
}

/* Makes [0, end) of the arena usable. */
static bool ensure_committed(struct alc_arena *arena, size_t end)
{
    if (ALC_LIKELY(end <= arena->committed)) {
        return true;
    }
    if (end > arena->size) {
        return false;
    }
    uint64_t wanted;
    if (!alc_align_up(end, COMMIT_STEP, &wanted) || wanted > arena->size) {
        wanted = arena->size;
    }
    uint8_t *from = arena->base + arena->committed;
    if (arena->commit(arena->commit_context, from, (size_t)wanted - arena->committed) != ALC_OK) {
        return false;
    }
    __asan_poison_memory_region(from, (size_t)wanted - arena->committed);
    arena->committed = (size_t)wanted;
    return true;
}

void *alc_arena_take(struct alc_arena *arena, size_t size, size_t alignment)
{
    ALC_ASSERT(alignment != 0 && (alignment & (alignment - 1)) == 0 && alignment <= PAGE_SIZE);
    uint64_t base = (uint64_t)(uintptr_t)arena->base;
    uint64_t start;
    size_t end;
    if (!alc_align_up(base + arena->used, alignment, &start)) {
        return NULL;
    }
    start -= base;
    if (!alc_add_size((size_t)start, size, &end) || !alc_add_size(end, RED_ZONE_SIZE, &end) ||
        !ensure_committed(arena, end)) {
        return NULL;
    }
    arena->used = end;
    __asan_unpoison_memory_region(arena->base + start, size);
    return arena->base + start;
}

void *alc_arena_take_array(struct alc_arena *arena, size_t count, size_t size, size_t alignment)
{
    size_t total;
    if (!alc_mul_size(count, size, &total)) {
        return NULL;
    }
    void *items = alc_arena_take(arena, total, alignment);
    if (items != NULL) {
        alc_fill(items, 0, total);
    }
    return items;
}

void *alc_arena_peek(struct alc_arena *arena, size_t size)
{
    size_t end;
    if (!alc_add_size(arena->used, size, &end) || !alc_add_size(end, RED_ZONE_SIZE, &end) ||
        !ensure_committed(arena, end)) {
        return NULL;
    }
    __asan_unpoison_memory_region(arena->base + arena->used, size);
    return arena->base + arena->used;
}

void alc_arena_reset(struct alc_arena *arena, size_t mark)
{
    ALC_ASSERT(mark <= arena->used);
    __asan_poison_memory_region(arena->base + mark, arena->used - mark);
    arena->used = mark;
}

void alc_arena_fini(struct alc_arena *arena)
{
    __asan_unpoison_memory_region(arena->base, arena->committed);
    *arena = (struct alc_arena){0};
}
