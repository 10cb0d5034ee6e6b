/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a store's references to objects are, other than in objects.
 */
#ifndef ALC_EXEC_ROOTS_H
#define ALC_EXEC_ROOTS_H

#include "base/compiler.h"

struct alc_store;
struct alc_function_type;

/* Marks (alc_gc_shade) what is referred to from
 *   - the frames of every activation of the store's thread, and arguments of host functions that
 *     are running: the executor's part;
 *   - the exception that a host function may let pass;
 *   - globals, tables and element segments of all instances, and those that the embedder made.
 * To be called while every activation stands at a safepoint. */
void alc_roots_shade(struct alc_store *store);
/* For executors: marks the references among arguments of a function of `type`. */
void alc_roots_shade_arguments(struct alc_store *store, const struct alc_function_type *type,
                               const uint64_t *slots);

#endif
