/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions as objects: a tag and what it carries. A reference to one (reference.h) is its
 * address; it never changes after it was made.
 */
#ifndef ALC_EXEC_EXCEPTION_H
#define ALC_EXEC_EXCEPTION_H

#include "exec/engine.h"
#include "exec/reference.h"

/* A new exception of `tag` with as many slots of payload as the parameters of its type take;
 * ALC_REF_NULL when there is no memory. May collect: `slots` MUST be where roots.h looks. */
ALC_MUST_CHECK uint64_t alc_exception_new(struct alc_store *store, const struct alc_tag *tag,
                                          const uint64_t *slots);

/* Both want a reference that is not null. */
const struct alc_tag *alc_exception_tag(uint64_t reference);
const uint64_t *alc_exception_slots(uint64_t reference);

#endif
