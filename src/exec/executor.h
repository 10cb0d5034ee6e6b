/* SPDX-License-Identifier: Apache-2.0
 *
 * How the functions of a store's modules run: one table of functions, chosen by whoever makes the
 * store. The interpreter is one (alc_interp_executor of interp.h), native_exec/ has another. exec/
 * knows neither, so an image carries what it uses. All members MUST be set but those that say so.
 */
#ifndef ALC_EXEC_EXECUTOR_H
#define ALC_EXEC_EXECUTOR_H

#include "exec/store.h"

struct alc_store_options;

struct alc_executor {
    /* Takes what a store's thread needs to run: a stack, and (`options` is given) what a program's
     * first thread needs beyond that. The store is complete but for it; on failure nothing is left.
     * ALC_E_OUT_OF_MEMORY. */
    alc_status (*open)(struct alc_store *store, uint64_t stack_slots,
                       const struct alc_store_options *options);
    /* Gives it back. Memories and tables are gone already. */
    void (*close)(struct alc_store *store);
    /* What code is made for while modules are loaded; NULL: the executor needs none. */
    const struct alc_code_target *(*target)(bool metered, bool interruptible);
    /* Calls `function` (of a module or of the host) with parameters_slots slots of `arguments`;
     * results_slots slots come back in `results` (i32 and f32 with the upper half zero). On failure
     * thread->trap is filled (status, and unless the program ended itself the backtrace, innermost
     * first) and `results` is untouched. */
    alc_status (*call)(struct alc_store *store, struct alc_function *function,
                       const uint64_t *arguments, uint64_t *results);
    /* Marks (alc_gc_shade) what running functions of the store's thread refer to, arguments of host
     * functions included. Every activation stands where the collector may look. */
    void (*shade)(struct alc_store *store);
    /* Finds a place for a memory (alc_memory_reserve says what that is) of at least `size` bytes.
     * `module`: which defines it, NULL: the embedder does. */
    alc_status (*reserve_memory)(struct alc_memory *memory, uint64_t size,
                                 const struct alc_module *module);
    /* Optional: an instance has all that it is made of; nothing of it can be seen or run yet. What
     * the functions need to be called is put in here, and globals may be moved. */
    alc_status (*prepare)(struct alc_instance *instance, struct alc_arena *arena);
};

#endif
