/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedding API of the engine: stores, linking, instances, calls. Used by the command line,
 * workload/, the specification's test runner and the fuzzers.
 *
 *   struct alc_store store;                     alc_store_init (pages, limits)
 *   options = alc_store_load_options(&store, …)  alc_module_load (wasm/module.h)
 *   struct alc_linker linker;                   alc_linker_init, alc_linker_add_*
 *   struct alc_instance *instance;              alc_instantiate: imports resolved, start run
 *   struct alc_external external;               alc_export_find
 *   uint64_t slots[];                           alc_invoke
 *   store.thread.trap                           why it stopped
 *                                               alc_store_fini
 *
 * Conventions
 *   - Slots: arguments and results are arrays of uint64_t: i32 and f32 in the low half (upper half
 *     zero), v128 in two slots, references as in exec/reference.h.
 *   - Names: counted (struct alc_name); borrowed for as long as the linker is used.
 *   - Arenas: the store's own holds types and the linker's tables, grows until alc_store_fini and
 *     MUST outlive all modules loaded with its registry. Each instance lives in the arena given.
 *     Code lives in pages of the store: no module may be used after alc_store_fini.
 *   - Nesting: a host function may call alc_invoke on call->caller->store, one inside another up to
 *     ALC_LIMIT_NESTED_CALLS.
 *   - Exceptions: one that nobody catches ends its alc_invoke with ALC_E_UNCAUGHT_EXCEPTION, a trap
 *     like others, and stays in store->thread.exception until the next call. A host function that
 *     ends with this status after its alc_invoke did lets the exception pass to its own caller.
 *   - Trust: modules and guests are hostile, the embedder is trusted: a wrong number of arguments
 *     is its own fault and asserted where that is cheap.
 */
#ifndef ALC_EXEC_ENGINE_H
#define ALC_EXEC_ENGINE_H

#include "exec/executor.h"
#include "exec/heap.h"
#include "wasm/code.h"

struct alc_store_options {
    struct alc_pages pages; /* copied */
    /* Borrowed: &alc_interp_executor (exec/interp.h), or that of native_exec/. MUST be set. */
    const struct alc_executor *executor;
    /* Caps in bytes; 0: none beyond 4 GiB for each 32-bit memory. A program meets them as a failing
     * memory.grow. */
    uint64_t memory_size_max; /* of each memory */
    uint64_t store_size_max;  /* of all memories together */
    /* Address space reserved for each memory at most (bytes, 0: 4 GiB + 64 KiB, or a larger
     * memory_size_max); smaller where address space is scarce. It caps growth as well. */
    uint64_t memory_reserve_max;
    /* Bytes of the garbage-collected heap at most; 0: ALC_LIMIT_HEAP_MEBIBYTES. They count in
     * store_size_max too. A program that needs more traps with ALC_E_OUT_OF_MEMORY. */
    uint64_t heap_size_max;
    bool collects_always; /* for tests: a whole collection before each new object */
    /* When the word behind it becomes anything but 0, running code stops with ALC_E_DEADLINE (only
     * code that was loaded as interruptible looks). May be NULL; may lie in memory that the host
     * writes, so only 0 is ever told from not 0. */
    const volatile uint64_t *stop_flag;
    /* Borrowed: for memory.atomic.wait and notify, and to stop all threads of a program. Without it
     * (NULL) a wait is ALC_E_NOT_SUPPORTED. */
    struct alc_waiting *waiting;
    uint64_t stack_slots; /* of the frame stack; 0: ALC_LIMIT_STACK_SLOTS */
    /* Most bytes for the code that is made while programs run; 0: 1 GiB of address space, or what
     * of it can be had. When they are used up, the first call of a function ends with
     * ALC_E_OUT_OF_MEMORY. */
    uint64_t code_size_max;
};

struct alc_store {
    struct alc_type_registry types; /* give its address to alc_module_load */
    struct alc_arena *arena;        /* borrowed */
    struct alc_pages pages;
    const struct alc_executor *executor;
    struct alc_code_heap code_heap;
    struct alc_memory_budget own_budget;
    struct alc_memory_budget *budget; /* own_budget, or that of the program's first thread */
    uint64_t memory_size_max;
    uint64_t memory_reserve_max;
    struct alc_thread thread;
    uint64_t stack_size; /* bytes reserved for the stack */
    struct alc_gc_heap heap;
    struct alc_global *globals; /* of the embedder */
    /* Everything that owns pages. */
    struct alc_memory *memories;
    struct alc_table *tables;
    struct alc_instance *instances;
};

/* ALC_E_OUT_OF_MEMORY. `arena` is borrowed until alc_store_fini. */
ALC_MUST_CHECK alc_status alc_store_init(struct alc_store *store, struct alc_arena *arena,
                                         const struct alc_store_options *options);
/* Gives back all pages. Instances and externals of the store are dead afterwards. */
void alc_store_fini(struct alc_store *store);

/* Options of alc_module_load for a module that is to run in `store`: all of the standard's
 * features, to be changed at will. `metered`: its code counts fuel. `interruptible`: its code looks
 * at the stop word. */
struct alc_load_options alc_store_load_options(struct alc_store *store, bool metered,
                                               bool interruptible);

/* -- externals: what is imported and exported -- */

struct alc_external {
    enum alc_external_kind kind;
    union {
        struct alc_function *function;
        struct alc_table *table;
        struct alc_memory *memory;
        struct alc_global *global;
        struct alc_tag *tag;
    };
};

/* Made by the embedder, alive until alc_store_fini. `initial` is read in the width of the type. A
 * global is also how an embedder keeps a reference to an object: those in its own variables are
 * good until the store runs again. */
ALC_MUST_CHECK alc_status alc_store_new_global(struct alc_store *store, struct alc_global_type type,
                                               union alc_cell initial, struct alc_global **out);
ALC_MUST_CHECK alc_status alc_store_new_table(struct alc_store *store,
                                              const struct alc_table_type *type, uint64_t initial,
                                              struct alc_table **out);
ALC_MUST_CHECK alc_status alc_store_new_memory(struct alc_store *store,
                                               const struct alc_memory_type *type,
                                               struct alc_memory **out);
ALC_MUST_CHECK alc_status alc_store_new_tag(struct alc_store *store, uint32_t type_id,
                                            struct alc_tag **out);

/* -- linking -- */

enum { ALC_LINKER_ENTRIES_MAX = 256 };

/* One name space of imports. Later entries win over earlier ones of the same name. */
struct alc_linker_entry {
    struct alc_name module;
    struct alc_name name;                /* of a single external */
    const struct alc_instance *instance; /* all exports of an instance, or … */
    const struct alc_host_module *host;  /* … of a host module, or … */
    void *host_context;
    struct alc_external external; /* … this one */
};

struct alc_linker {
    struct alc_store *store;
    uint32_t entries_count;
    struct alc_linker_entry entries[ALC_LINKER_ENTRIES_MAX];
};

void alc_linker_init(struct alc_linker *linker, struct alc_store *store);
/* Functions of `host` become importable from host->name. ALC_E_OUT_OF_MEMORY when the linker is
 * full. */
ALC_MUST_CHECK alc_status alc_linker_add_host(struct alc_linker *linker,
                                              const struct alc_host_module *host, void *context);
/* All exports of `instance` become importable from `module`. */
ALC_MUST_CHECK alc_status alc_linker_add_instance(struct alc_linker *linker, struct alc_name module,
                                                  const struct alc_instance *instance);
ALC_MUST_CHECK alc_status alc_linker_add_external(struct alc_linker *linker, struct alc_name module,
                                                  struct alc_name name,
                                                  struct alc_external external);

/* -- instances -- */

/* Resolves imports by name and exact type (class UNLINKABLE: ALC_E_UNKNOWN_IMPORT,
 * ALC_E_INCOMPATIBLE_IMPORT, with the import's offset and its name in error->detail), allocates,
 * runs active segments and the start function. A trap there leaves what was already written to
 * imported memories and tables, as the specification says; objects of the failed instance that
 * reached a shared table stay alive, so `arena` is not rewound once linking has succeeded. `linker`
 * may be NULL for modules without imports. `module` MUST have been loaded with the store's registry
 * and options of alc_store_load_options. Statuses: UNLINKABLE, TRAP, EXHAUSTED and EXIT. */
ALC_MUST_CHECK alc_status alc_instantiate(struct alc_store *store, struct alc_arena *arena,
                                          const struct alc_module *module,
                                          const struct alc_linker *linker,
                                          struct alc_instance **out, struct alc_error *error);

/* -- threads of a program -- */

/* The store of a further thread, with the number `number` (not 0): the same pages, caps, budget,
 * stop word and struct alc_waiting as `first`, which outlives it; a stack and fuel (none to begin
 * with, if `first` has any) of its own. It has no types: instances come from
 * alc_instance_new_for_thread. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_store_init_thread(struct alc_store *store, struct alc_arena *arena,
                                                struct alc_store *first, uint32_t number,
                                                uint64_t stack_slots);

/* Host functions that were defined with the context `first` get `thread` instead. */
struct alc_thread_contexts {
    void *first;
    void *thread;
};

/* Another instance of original's module, in a thread's store: it shares what the original imports
 * and has its own of everything else; nothing has run. Reads only what never changes of the
 * original. ALC_E_NOT_SUPPORTED when an import is nothing to be shared: an unshared memory, a
 * table, a mutable global, a function of another module. */
ALC_MUST_CHECK alc_status alc_instance_new_for_thread(
    struct alc_store *store, struct alc_arena *arena, const struct alc_instance *original,
    const struct alc_thread_contexts *contexts, struct alc_instance **out, struct alc_error *error);
/* Runs what alc_instantiate would have run: active segments and the start function. */
ALC_MUST_CHECK alc_status alc_instance_start_thread(struct alc_instance *instance,
                                                    struct alc_arena *arena,
                                                    struct alc_error *error);

/* -- exports -- */

/* ALC_E_NOT_FOUND when there is no such export. */
ALC_MUST_CHECK alc_status alc_export_find(const struct alc_instance *instance, struct alc_name name,
                                          struct alc_external *out);
/* The same for an export that must be a function; ALC_E_NOT_FOUND also for another kind. */
ALC_MUST_CHECK alc_status alc_export_find_function(const struct alc_instance *instance,
                                                   struct alc_name name, struct alc_function **out);

/* -- calls -- */

/* Calls `function` with type->function.parameters_slots slots of arguments; results_slots slots
 * come back in `results`, untouched unless ALC_OK. Either may be NULL when it has no slots; they
 * may be one array. On failure store->thread.trap holds the backtrace and `error` the offset of the
 * trapping instruction. */
ALC_MUST_CHECK alc_status alc_invoke(struct alc_store *store, struct alc_function *function,
                                     const uint64_t *arguments, uint64_t *results,
                                     struct alc_error *error);

/* Fuel is spent by executed code, deterministically. Without it (the default) nothing is counted.
 */
void alc_store_set_fuel(struct alc_store *store, uint64_t fuel);
void alc_store_clear_fuel(struct alc_store *store);
/* Fuel left; 0 when fuel is not in use. */
uint64_t alc_store_get_fuel(const struct alc_store *store);

/* The type that letters name (exec/host_call.h): parameters, and behind them results, go to
 * `types`. How many they are together, or SIZE_MAX when a letter is unknown, there is not one
 * colon, or they are more than types_max. */
size_t alc_host_type_parse(const char *letters, uint32_t *types, size_t types_max,
                           size_t *parameters_count);

#endif
