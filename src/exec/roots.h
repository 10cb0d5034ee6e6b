/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a store's references to objects are, other than in objects.
 */
#ifndef ALC_EXEC_ROOTS_H
#define ALC_EXEC_ROOTS_H

struct alc_store;

/* Marks (alc_gc_shade) what is referred to from
 *   - the frames of every activation of the store's thread, exactly: code says which slots;
 *   - arguments of host functions that are running, and the exception that one may let pass;
 *   - globals, tables and element segments of all instances, and those that the embedder made.
 * To be called while every activation stands at a safepoint. */
void alc_roots_shade(struct alc_store *store);

#endif
