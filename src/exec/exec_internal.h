/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files behind engine.h share.
 */
#ifndef ALC_EXEC_EXEC_INTERNAL_H
#define ALC_EXEC_EXEC_INTERNAL_H

#include "exec/engine.h"

/* Allocates an instance, resolves its imports and runs its active segments: all of alc_instantiate
 * but the start function. */
struct alc_instance_plan {
    struct alc_store *store;
    struct alc_arena *arena;
    const struct alc_module *module;
    const struct alc_linker *linker;
    bool leaves_data; /* the caller fills memories and drops active data segments */
};
ALC_MUST_CHECK alc_status alc_instance_make(const struct alc_instance_plan *plan,
                                            struct alc_instance **out, struct alc_error *error);
/* Copies the active data segments and drops them. ALC_E_MEMORY_OUT_OF_BOUNDS at the first that does
 * not fit. */
ALC_MUST_CHECK alc_status alc_instance_fill(struct alc_instance *instance,
                                            struct alc_arena *scratch, struct alc_error *error);
/* Calls the start function, if there is one. */
ALC_MUST_CHECK alc_status alc_instance_start(struct alc_instance *instance,
                                             struct alc_error *error);

/* Evaluates a validated constant expression of the instance's module; `scratch` is left as it was.
 * Objects that it makes are reachable from the result only: the heap MUST be on hold.
 * ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_constant_evaluate(const struct alc_instance *instance,
                                                struct alc_code_range range,
                                                struct alc_arena *scratch, union alc_cell *out);

/* Finds what `import` names in `linker` and checks its type. A host function found is made in
 * `arena`. ALC_E_UNKNOWN_IMPORT, ALC_E_INCOMPATIBLE_IMPORT, ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_linker_resolve(const struct alc_linker *linker,
                                             struct alc_arena *arena,
                                             const struct alc_import *import,
                                             struct alc_external *out);

/* A host function in `arena`. ALC_E_BAD_ARGUMENT when its letters are no types. */
ALC_MUST_CHECK alc_status alc_host_function_new(struct alc_store *store, struct alc_arena *arena,
                                                const struct alc_host_export *export, void *context,
                                                struct alc_function **out);

/* New memories and tables, known to the store, in `arena`. `module` is as for
 * alc_executor.reserve_memory. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_store_add_memory(struct alc_store *store, struct alc_arena *arena,
                                               const struct alc_memory_type *type,
                                               const struct alc_module *module,
                                               struct alc_memory **out);
ALC_MUST_CHECK alc_status alc_store_add_table(struct alc_store *store, struct alc_arena *arena,
                                              const struct alc_table_type *type, uint64_t initial,
                                              struct alc_table **out);

/* What the instance's item `index` of a kind is, as an external. */
struct alc_external alc_instance_external(const struct alc_instance *instance,
                                          enum alc_external_kind kind, uint32_t index);

#endif
