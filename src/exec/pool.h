/* SPDX-License-Identifier: Apache-2.0
 *
 * Instances that are used many times: for a server that runs each request in a fresh instance of
 * one module. An instance that is given back gets the state that instantiation gives it, at a price
 * that does not grow with the module's data where the system has images of pages (memory.h), and
 * waits for the next one to take it.
 *
 * What is made once for the module: resolved imports, functions, contents of globals and tables,
 * images of memories. What each taker gets anew: memories with their first size and contents,
 * tables, globals, segments that are not dropped, a run of the start function. What the module
 * imports is nobody's to renew and stays as takers left it.
 */
#ifndef ALC_EXEC_POOL_H
#define ALC_EXEC_POOL_H

#include "exec/engine.h"

struct alc_pooled;

struct alc_instance_pool {
    struct alc_store *store; /* all four borrowed */
    struct alc_arena *arena;
    const struct alc_module *module;
    const struct alc_linker *linker;
    struct alc_pooled *waiting;
    struct alc_pooled *first;        /* every instance has the data segments that this one has */
    struct alc_memory_image *images; /* of the module's own memories; NULL: filled by copying */
};

/* Makes the first instance; the others when they are taken. `arena` MUST not be reset below what
 * the pool takes while it is used; `linker` (NULL: no imports) is asked again for each instance.
 * Statuses of alc_instantiate, and ALC_E_NOT_SUPPORTED for a module whose first state is not its
 * own: its segments write to imported memories or tables, or its constants make objects; and for
 * compiled code where the system cannot take pages back. */
ALC_MUST_CHECK alc_status alc_pool_init(struct alc_instance_pool *pool, struct alc_store *store,
                                        struct alc_arena *arena, const struct alc_module *module,
                                        const struct alc_linker *linker, struct alc_error *error);
/* Frees the images. Memories and tables stay with the store; no instance may be taken or given. */
void alc_pool_fini(struct alc_instance_pool *pool);

/* An instance in its first state, whose start function has run. Statuses of alc_instantiate. */
ALC_MUST_CHECK alc_status alc_pool_take(struct alc_instance_pool *pool, struct alc_instance **out,
                                        struct alc_error *error);
/* Takes the instance back. Nothing of it may be running, and what the taker has of it (references,
 * addresses in memories, values of externals) is void; the addresses of externals are not. */
void alc_pool_give(struct alc_instance_pool *pool, struct alc_instance *instance);

#endif
