/* SPDX-License-Identifier: Apache-2.0
 *
 * What exec_fixture.h needs of an engine: here the interpreter. Which folder is searched is the
 * test program's choice.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include "exec/interp.h"

enum { ENGINE_IS_NATIVE = false };

/* Completes the options of a store, whose pages are given. */
static inline void engine_choose(struct alc_store_options *options)
{
    options->executor = &alc_interp_executor;
}

/* A thread's end is asked for: who waits for nothing hears of it. */
static inline void engine_stop(struct alc_store *store)
{
    (void)store;
}

static inline alc_status engine_load(struct alc_store *store, struct alc_arena *arena,
                                     const void *bytes, size_t size, bool metered,
                                     bool interruptible, struct alc_module **out,
                                     struct alc_error *error)
{
    struct alc_load_options options = alc_store_load_options(store, metered, interruptible);
    return alc_module_load(arena, bytes, size, &options, out, error);
}

#endif
