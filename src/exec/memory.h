/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear memories. A memory's address space is reserved once, so `base` never moves; growing
 * commits more of it. The guest is hostile: every access of host code goes through alc_memory_at.
 *
 * Guest addresses are integers (uint64_t), never pointers.
 */
#ifndef ALC_EXEC_MEMORY_H
#define ALC_EXEC_MEMORY_H

#include "base/checked.h"
#include "base/status.h"
#include "wasm/types.h"

struct alc_module;

/* Unit of what the system gives; not to be confused with the 64 KiB of WebAssembly. */
enum { ALC_SYSTEM_PAGE_SIZE = 4096 };

/* Optional: memory that is shared until it is written. An image is a number of the system's. */
struct alc_page_images {
    /* An image of [addr, addr + size). ALC_E_OUT_OF_MEMORY. */
    alc_status (*make)(void *context, const void *addr, size_t size, uint64_t *out_image);
    /* Puts the image, writable and private, where [addr, addr + size) was committed memory.
     * ALC_E_OUT_OF_MEMORY. */
    alc_status (*map)(void *context, uint64_t image, void *addr, size_t size);
    /* Committed memory has its first contents again: those of the image mapped to its first
     * image_size bytes (0: none), and zeros. ALC_E_OUT_OF_MEMORY, and then they are undefined. */
    alc_status (*renew)(void *context, uint64_t image, size_t image_size, void *addr, size_t size);
    /* Frees the image; where it is mapped it stays. */
    void (*drop)(void *context, uint64_t image);
    void *context;
};

struct alc_native_thread; /* native_exec/ */

/* What native code needs of the system beyond struct alc_pages.execute. */
struct alc_native_support {
    uint32_t features; /* enum alc_native_feature (native/image.h) that the processor has */
    /* Faults of the calling thread are to be judged as those of `thread` (alc_native_fault) until
     * the next call; NULL: they are nobody's. Returns what was in force before. */
    struct alc_native_thread *(*watch)(void *context, struct alc_native_thread *thread);
    /* Optional (NULL: instances with memories cannot be pooled): committed memory is as if it never
     * had been: whoever touches it faults. It can be committed again. */
    void (*uncommit)(void *context, void *addr, size_t size);
    void *context;
};

/* Where pages come from; the caller fills it from struct alc_os or its own functions. Addresses and
 * sizes are multiples of 4096. The first three MUST be set. */
struct alc_pages {
    /* Address space without memory, or NULL. */
    void *(*reserve)(void *context, size_t size);
    /* Zeroed, writable memory behind part of a reservation: ALC_OK or ALC_E_OUT_OF_MEMORY. */
    alc_commit_function *commit;
    /* Ends a reservation, whole. */
    void (*release)(void *context, void *addr, size_t size);
    /* Optional (NULL: there is no native code): committed memory can be read and executed from now
     * on, and not be written; whole pages, one piece of each reservation. ALC_OK,
     * ALC_E_OUT_OF_MEMORY, or ALC_E_HOST_LIED, and then it cannot be executed. */
    alc_commit_function *execute;
    void *context;
    const struct alc_page_images *images;    /* NULL: there are none, memory is filled by copying */
    const struct alc_native_support *native; /* NULL: there is no native code */
};

/* Bytes that all memories of a store and its heap may have together. Growth holds the lock: a
 * shared memory may be grown by several threads. */
struct alc_memory_budget {
    uint64_t used;
    uint64_t max;
    uint32_t lock; /* base/spin.h */
};

/* False when less than `size` is left, and then nothing is taken. */
ALC_MUST_CHECK bool alc_budget_take(struct alc_memory_budget *budget, uint64_t size);
void alc_budget_give(struct alc_memory_budget *budget, uint64_t size);

struct alc_memory {
    uint8_t *base;      /* first: interpreters load it with offset 0 */
    uint64_t size;      /* bytes accessible now; only grows; read it with alc_memory_size */
    uint64_t size_max;  /* bytes it may grow to: declared maximum, cap of the store */
    uint64_t prefix;    /* bytes of the reservation in front of base */
    uint64_t reserved;  /* and from there on */
    uint64_t committed; /* multiple of 4096 */
    uint64_t grow_step; /* a power of two: growth commits up to a multiple of it */
    struct alc_memory_type type; /* as declared; the current size is `size` */
    const struct alc_pages *pages;
    struct alc_memory_budget *budget;
    struct alc_memory *next; /* all memories of the store */
};

#define ALC_MEMORY_GROW_FAILED UINT64_MAX

/* Who reserves, as in struct alc_executor. */
typedef alc_status alc_memory_reserve_function(struct alc_memory *memory, uint64_t size,
                                               const struct alc_module *module);

/* What a memory is made of and in. */
struct alc_memory_plan {
    const struct alc_memory_type *type;
    uint64_t reserve_max; /* caps the address space taken (and so growth) in bytes */
    const struct alc_pages *pages;
    struct alc_memory_budget *budget;
    alc_memory_reserve_function *reserve;
    const struct alc_module *module;
};

/* Reserves and commits. ALC_E_OUT_OF_MEMORY when the initial size does not fit a cap or pages
 * cannot be had. */
ALC_MUST_CHECK alc_status alc_memory_init(struct alc_memory *memory,
                                          const struct alc_memory_plan *plan);
/* The usual reservation: as much as `reserved` says, where that cannot be had less, never less than
 * `size`. Sets base, prefix, reserved and size_max (what can be grown to), and may set grow_step.
 */
ALC_MUST_CHECK alc_status alc_memory_reserve(struct alc_memory *memory, uint64_t size,
                                             const struct alc_module *module);
void alc_memory_fini(struct alc_memory *memory);

/* Bytes accessible now. What another thread commits is there before its size can be seen. */
static inline uint64_t alc_memory_size(const struct alc_memory *memory)
{
    return __atomic_load_n(&memory->size, __ATOMIC_ACQUIRE);
}

/* Pointer to [guest_addr + offset, + size), or NULL when any of it is outside. */
static inline uint8_t *alc_memory_at(struct alc_memory *memory, uint64_t guest_addr,
                                     uint64_t offset, uint64_t size)
{
    uint64_t start;
    if (ALC_UNLIKELY(__builtin_add_overflow(guest_addr, offset, &start)) ||
        ALC_UNLIKELY(!alc_range_fits(start, size, alc_memory_size(memory)))) {
        return NULL;
    }
    return memory->base + start;
}

/* In pages of the memory's own page size. */
static inline uint64_t alc_memory_pages(const struct alc_memory *memory)
{
    return alc_memory_size(memory) >> memory->type.limits.page_size_log2;
}

/* The former size in pages, or ALC_MEMORY_GROW_FAILED. Atomic: any number of threads may grow a
 * shared memory. */
uint64_t alc_memory_grow(struct alc_memory *memory, uint64_t delta_pages);

/* Back to the size of the type's minimum. What lies behind keeps its contents and its pages, unless
 * an access there has to fault. */
void alc_memory_shrink(struct alc_memory *memory);

/* The bulk operations: nothing is written unless all of both ranges is inside, else
 * ALC_E_MEMORY_OUT_OF_BOUNDS. Source and target may be one memory and overlap. */
ALC_MUST_CHECK alc_status alc_memory_fill(struct alc_memory *memory, uint64_t guest_addr,
                                          uint8_t value, uint64_t size);
ALC_MUST_CHECK alc_status alc_memory_copy(struct alc_memory *target, uint64_t target_addr,
                                          struct alc_memory *source, uint64_t source_addr,
                                          uint64_t size);
/* From `bytes` (a data segment of bytes_size bytes, 0 when dropped) at `offset`. */
ALC_MUST_CHECK alc_status alc_memory_init_from(struct alc_memory *memory, uint64_t guest_addr,
                                               const uint8_t *bytes, uint64_t bytes_size,
                                               uint64_t offset, uint64_t size);

#endif
