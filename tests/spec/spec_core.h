/* SPDX-License-Identifier: Apache-2.0
 *
 * Executes one test of the stream (spec_stream.h) with the engine and writes what happened.
 * Freestanding: the same code runs outside and in the enclave's test profile. The stream comes from
 * this build's own translator, but inside the enclave it arrives from outside, so it is read with
 * the bounded reader all the same.
 */
#ifndef ALC_TESTS_SPEC_CORE_H
#define ALC_TESTS_SPEC_CORE_H

#include "base/reader.h"
#include "base/writer.h"
#include "exec/engine.h"
#include "os/os.h"
#include "spec/spec_stream.h"

enum {
    ALC_SPEC_NAMES_MAX = 256, /* named instances and definitions of one test */
    ALC_SPEC_SLOTS_MAX = 2 * ALC_SPEC_VALUES_MAX,
    ALC_SPEC_TEXT_MAX = 200, /* of one report entry */
};

struct alc_spec_crew;
struct alc_spec_run;

/* How modules become code and code runs. */
struct alc_spec_engine {
    const struct alc_executor *executor;
    const struct alc_native_support *native; /* for the store's pages */
    /* As alc_module_load, for the store of the run and with the features and flags of its test. */
    alc_status (*load)(struct alc_spec_run *run, struct alc_name bytes, struct alc_module **out,
                       struct alc_error *error);
};

/* The address space that one run of tests uses; sizes are chosen by whoever sets it up. Each thread
 * of a test has its own. */
struct alc_spec_space {
    struct alc_arena types;   /* what the store keeps: types, externals of the host */
    struct alc_arena modules; /* modules and instances */
    struct alc_writer report; /* entries of the test in progress */
    struct alc_pages pages;
    const struct alc_spec_engine *engine;
    uint64_t memory_reserve_max;
    uint64_t stack_slots; /* 0: as many as there may be */
    struct alc_spec_crew *crew;
    uint32_t thread; /* its number */
};

struct alc_spec_test {
    uint64_t features;
    uint32_t flags;          /* enum alc_spec_flags */
    const uint8_t *commands; /* borrowed; module bytes stay in there while the test runs */
    size_t commands_size;
};

struct alc_spec_named {
    struct alc_name name;
    struct alc_instance *instance;
    const struct alc_module *definition;
};

/* State of one test. */
struct alc_spec_run {
    struct alc_spec_space *space;
    const struct alc_spec_test *test;
    struct alc_store store;
    struct alc_linker linker;
    struct alc_instance *current;
    const struct alc_module *current_definition;
    struct alc_spec_named named[ALC_SPEC_NAMES_MAX];
    size_t named_count;
    uint64_t arguments[ALC_SPEC_SLOTS_MAX];
    uint64_t results[ALC_SPEC_SLOTS_MAX];
    /* What the last action gave. */
    const uint32_t *result_types;
    uint32_t results_count;
    uint32_t global_type; /* result_types of `get` */
    /* Words for the report. */
    char text[ALC_SPEC_TEXT_MAX];
    size_t text_size;
};

/* Runs all commands of a test. Entries are added to space->report. A status other than
 * ALC_OK says that the test itself could not be read or set up. */
ALC_MUST_CHECK alc_status alc_spec_run_test(struct alc_spec_run *run, struct alc_spec_space *space,
                                            const struct alc_spec_test *test);

/* The interpreter: spec_interpreter.c. */
extern const struct alc_spec_engine alc_spec_interpreter;

/* -- between the files of the core -- */

/* Starts the words of the next report entry, and adds to them (cut when full). */
void alc_spec_say(struct alc_spec_run *run, const char *text);
void alc_spec_say_more(struct alc_spec_run *run, const char *text, size_t size);
void alc_spec_say_hex(struct alc_spec_run *run, uint64_t value);

/* Another name for an instance or a definition. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_spec_remember(struct alc_spec_run *run, struct alc_name name,
                                            struct alc_instance *instance,
                                            const struct alc_module *definition);
ALC_MUST_CHECK alc_status alc_spec_read_name(struct alc_reader *reader, struct alc_name *out);
ALC_MUST_CHECK alc_status alc_spec_read_optional(struct alc_reader *reader, bool *is_there,
                                                 struct alc_name *out);
/* The instance that an optional name means; NULL when there is none. */
struct alc_instance *alc_spec_find_instance(const struct alc_spec_run *run, bool is_named,
                                            struct alc_name name);
/* The same run with an instance `shared` (may be NULL) known by a name before the first command. */
ALC_MUST_CHECK alc_status alc_spec_run_thread(struct alc_spec_run *run,
                                              struct alc_spec_space *space,
                                              const struct alc_spec_test *test,
                                              struct alc_name shared_name,
                                              struct alc_instance *shared);

/* Makes `spectest` importable. */
ALC_MUST_CHECK alc_status alc_spec_add_host(struct alc_spec_run *run);

/* Reads an action's arguments into run->arguments; they must have the types of `function` (NULL:
 * any, and nothing is stored). *fits tells whether they do. */
ALC_MUST_CHECK alc_status alc_spec_read_arguments(struct alc_spec_run *run,
                                                  struct alc_reader *reader,
                                                  const struct alc_function_type *function,
                                                  bool *fits);
/* Reads the expectations and compares them with the results of the last action, if there are any:
 * an action that failed has none, and run->text stays as it is. */
ALC_MUST_CHECK alc_status alc_spec_check_results(struct alc_spec_run *run,
                                                 struct alc_reader *reader, bool has_results,
                                                 bool *are_equal);

#endif
