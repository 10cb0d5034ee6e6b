/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of a test, one after the other. A command that fails is reported and the test goes
 * on, as the reference interpreter's harness would with the next line.
 */
#include "spec/spec_core.h"

#include "base/bytes.h"
#include "spec/spec_threads.h"

/* -- words -- */

void alc_spec_say_more(struct alc_spec_run *run, const char *text, size_t size)
{
    size_t room = ALC_SPEC_TEXT_MAX - run->text_size;
    size_t taken = size < room ? size : room;
    alc_copy(run->text + run->text_size, text, taken);
    run->text_size += taken;
}

void alc_spec_say(struct alc_spec_run *run, const char *text)
{
    run->text_size = 0;
    alc_spec_say_more(run, text, alc_string_length(text));
}

void alc_spec_say_hex(struct alc_spec_run *run, uint64_t value)
{
    char digits[16];
    for (size_t i = 0; i < sizeof digits; i++) {
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    }
    alc_spec_say_more(run, digits, sizeof digits);
}

static void say_status(struct alc_spec_run *run, const char *what, alc_status status,
                       const struct alc_error *error)
{
    const char *text = alc_status_text(status);
    alc_spec_say(run, what);
    alc_spec_say_more(run, text, alc_string_length(text));
    if (error != NULL && error->status != ALC_OK && error->offset != ALC_NO_OFFSET) {
        alc_spec_say_more(run, " at +0x", 7);
        alc_spec_say_hex(run, error->offset);
    }
    if (error != NULL && error->detail[0] != '\0') {
        alc_spec_say_more(run, ": ", 2);
        alc_spec_say_more(run, error->detail, alc_string_length(error->detail));
    }
}

static alc_status report(struct alc_spec_run *run, uint8_t kind, uint32_t line,
                         enum alc_spec_result result)
{
    size_t text_size = result == ALC_SPEC_PASSED ? 0 : run->text_size;
    struct alc_writer *writer = &run->space->report;
    alc_write_u8(writer, kind);
    alc_write_u8(writer, (uint8_t)result);
    alc_write_u16(writer, (uint16_t)text_size);
    alc_write_u32(writer, line);
    alc_write_bytes(writer, run->text, text_size);
    return alc_writer_finish(writer);
}

/* -- pieces of the stream -- */

alc_status alc_spec_read_name(struct alc_reader *reader, struct alc_name *out)
{
    ALC_TRY(alc_read_u32(reader, &out->size));
    return alc_read_bytes(reader, out->size, &out->bytes);
}

alc_status alc_spec_read_optional(struct alc_reader *reader, bool *is_there, struct alc_name *out)
{
    uint8_t flag;
    ALC_TRY(alc_read_u8(reader, &flag));
    *is_there = flag != 0;
    *out = (struct alc_name){0};
    return *is_there ? alc_spec_read_name(reader, out) : ALC_OK;
}

/* -- names of instances and definitions -- */

alc_status alc_spec_remember(struct alc_spec_run *run, struct alc_name name,
                             struct alc_instance *instance, const struct alc_module *definition)
{
    if (run->named_count == ALC_SPEC_NAMES_MAX) {
        return ALC_E_OUT_OF_MEMORY;
    }
    run->named[run->named_count++] = (struct alc_spec_named){name, instance, definition};
    return ALC_OK;
}

static const struct alc_spec_named *find_named(const struct alc_spec_run *run, struct alc_name name,
                                               bool want_instance)
{
    for (size_t i = run->named_count; i > 0; i--) {
        const struct alc_spec_named *named = &run->named[i - 1];
        bool is_kind = want_instance ? named->instance != NULL : named->definition != NULL;
        if (is_kind && alc_name_equals(named->name, name)) {
            return named;
        }
    }
    return NULL;
}

/* The instance that an optional name means; NULL when there is none. */
struct alc_instance *alc_spec_find_instance(const struct alc_spec_run *run, bool is_named,
                                            struct alc_name name)
{
    if (!is_named) {
        return run->current;
    }
    const struct alc_spec_named *named = find_named(run, name, true);
    return named == NULL ? NULL : named->instance;
}

/* -- modules -- */

static alc_status load(struct alc_spec_run *run, struct alc_name bytes,
                       const struct alc_module **out, struct alc_error *error)
{
    struct alc_module *module = NULL;
    alc_error_clear(error);
    alc_status status = run->space->engine->load(run, bytes, &module, error);
    *out = module;
    return status;
}

static alc_status instantiate(struct alc_spec_run *run, const struct alc_module *module,
                              struct alc_instance **out, struct alc_error *error)
{
    alc_error_clear(error);
    return alc_instantiate(&run->store, &run->space->modules, module, &run->linker, out, error);
}

static alc_status do_module(struct alc_spec_run *run, struct alc_reader *reader, uint8_t kind,
                            enum alc_spec_result *result)
{
    bool is_named;
    struct alc_name name;
    struct alc_name bytes;
    ALC_TRY(alc_spec_read_optional(reader, &is_named, &name));
    ALC_TRY(alc_spec_read_name(reader, &bytes));
    struct alc_error error;
    const struct alc_module *module = NULL;
    struct alc_instance *instance = NULL;
    *result = ALC_SPEC_FAILED;
    if (kind == ALC_SPEC_MODULE) {
        run->current = NULL; /* also when it fails: no action may reach the module before it */
    }
    alc_status status = load(run, bytes, &module, &error);
    if (status != ALC_OK) {
        say_status(run, "not loaded: ", status, &error);
        return ALC_OK;
    }
    run->current_definition = module;
    if (kind == ALC_SPEC_MODULE) {
        status = instantiate(run, module, &instance, &error);
        if (status != ALC_OK) {
            say_status(run, "not instantiated: ", status, &error);
            return ALC_OK;
        }
        run->current = instance;
    }
    *result = ALC_SPEC_PASSED;
    return is_named ? alc_spec_remember(run, name, instance, module) : ALC_OK;
}

static alc_status do_module_instance(struct alc_spec_run *run, struct alc_reader *reader,
                                     enum alc_spec_result *result)
{
    bool has_name;
    bool has_definition;
    struct alc_name name;
    struct alc_name definition_name;
    ALC_TRY(alc_spec_read_optional(reader, &has_name, &name));
    ALC_TRY(alc_spec_read_optional(reader, &has_definition, &definition_name));
    const struct alc_module *definition = run->current_definition;
    if (has_definition) {
        const struct alc_spec_named *named = find_named(run, definition_name, false);
        definition = named == NULL ? NULL : named->definition;
    }
    *result = ALC_SPEC_FAILED;
    run->current = NULL;
    if (definition == NULL) {
        alc_spec_say(run, "no such definition");
        return ALC_OK;
    }
    struct alc_error error;
    struct alc_instance *instance = NULL;
    alc_status status = instantiate(run, definition, &instance, &error);
    if (status != ALC_OK) {
        say_status(run, "not instantiated: ", status, &error);
        return ALC_OK;
    }
    run->current = instance;
    *result = ALC_SPEC_PASSED;
    return has_name ? alc_spec_remember(run, name, instance, definition) : ALC_OK;
}

static alc_status do_register(struct alc_spec_run *run, struct alc_reader *reader,
                              enum alc_spec_result *result)
{
    bool is_named;
    struct alc_name name;
    struct alc_name as;
    ALC_TRY(alc_spec_read_optional(reader, &is_named, &name));
    ALC_TRY(alc_spec_read_name(reader, &as));
    const struct alc_instance *instance = alc_spec_find_instance(run, is_named, name);
    *result = instance == NULL ? ALC_SPEC_FAILED : ALC_SPEC_PASSED;
    if (instance == NULL) {
        alc_spec_say(run, "no such instance");
        return ALC_OK;
    }
    return alc_linker_add_instance(&run->linker, as, instance);
}

/* -- actions -- */

struct action {
    alc_status status; /* of the call; meaningless unless was_done */
    bool was_done;     /* false: could not be tried, run->text says why */
    struct alc_error error;
};

static void invoke(struct alc_spec_run *run, struct alc_function *function, struct action *action)
{
    const struct alc_function_type *type = &function->type->function;
    if (type->results_slots > ALC_SPEC_SLOTS_MAX) {
        alc_spec_say(run, "too many results for the runner");
        return;
    }
    action->was_done = true;
    action->status =
        alc_invoke(&run->store, function, run->arguments, run->results, &action->error);
    run->result_types = type->results;
    run->results_count = type->results_count;
}

static void get(struct alc_spec_run *run, const struct alc_global *global, struct action *action)
{
    action->was_done = true;
    action->status = ALC_OK;
    run->results[0] = global->cell->slots[0];
    run->results[1] = global->cell->slots[1];
    run->global_type = global->type.type;
    run->result_types = &run->global_type;
    run->results_count = 1;
}

/* Reads an action to its end and does it. */
static alc_status do_action(struct alc_spec_run *run, struct alc_reader *reader,
                            struct action *action)
{
    uint8_t is_get;
    bool is_named;
    struct alc_name name;
    struct alc_name field;
    *action = (struct action){0};
    alc_error_clear(&action->error);
    ALC_TRY(alc_read_u8(reader, &is_get));
    ALC_TRY(alc_spec_read_optional(reader, &is_named, &name));
    ALC_TRY(alc_spec_read_name(reader, &field));
    const struct alc_instance *instance = alc_spec_find_instance(run, is_named, name);
    struct alc_external external = {.kind = ALC_EXTERNAL_FUNCTION};
    enum alc_external_kind wanted = is_get != 0 ? ALC_EXTERNAL_GLOBAL : ALC_EXTERNAL_FUNCTION;
    bool found = instance != NULL && alc_export_find(instance, field, &external) == ALC_OK &&
                 external.kind == wanted;
    bool fits = true;
    if (is_get == 0) {
        const struct alc_function_type *type = found ? &external.function->type->function : NULL;
        ALC_TRY(alc_spec_read_arguments(run, reader, type, &fits));
    }
    if (!found) {
        alc_spec_say(run, instance == NULL ? "no instance to act on" : "no such export");
    } else if (!fits) {
        alc_spec_say(run, "arguments of the wrong type");
    } else if (is_get != 0) {
        get(run, external.global, action);
    } else {
        invoke(run, external.function, action);
    }
    return ALC_OK;
}

static alc_status do_plain_action(struct alc_spec_run *run, struct alc_reader *reader,
                                  enum alc_spec_result *result)
{
    struct action action;
    ALC_TRY(do_action(run, reader, &action));
    bool is_good = action.was_done && action.status == ALC_OK;
    if (action.was_done && !is_good) {
        say_status(run, "failed: ", action.status, &action.error);
    }
    *result = is_good ? ALC_SPEC_PASSED : ALC_SPEC_FAILED;
    return ALC_OK;
}

static alc_status do_assert_return(struct alc_spec_run *run, struct alc_reader *reader,
                                   enum alc_spec_result *result)
{
    struct action action;
    ALC_TRY(do_action(run, reader, &action));
    bool is_good = action.was_done && action.status == ALC_OK;
    bool are_equal;
    ALC_TRY(alc_spec_check_results(run, reader, is_good, &are_equal));
    if (action.was_done && !is_good) {
        say_status(run, "failed: ", action.status, &action.error);
    }
    *result = is_good && are_equal ? ALC_SPEC_PASSED : ALC_SPEC_FAILED;
    return ALC_OK;
}

/* Whether one text begins with the other: upstream's messages get longer now and then. */
static bool texts_agree(const char *ours, struct alc_name theirs)
{
    size_t size = alc_string_length(ours);
    size_t common = size < theirs.size ? size : theirs.size;
    return alc_equal(ours, theirs.bytes, common);
}

static void say_wanted(struct alc_spec_run *run, struct alc_name text)
{
    alc_spec_say_more(run, ", wanted: ", 10);
    alc_spec_say_more(run, (const char *)text.bytes, text.size);
}

/* Actions that must stop: trap, exhaustion, exception. */
static alc_status do_assert_stop(struct alc_spec_run *run, struct alc_reader *reader, uint8_t kind,
                                 enum alc_spec_result *result)
{
    struct action action;
    struct alc_name text;
    ALC_TRY(do_action(run, reader, &action));
    ALC_TRY(alc_spec_read_name(reader, &text));
    *result = ALC_SPEC_FAILED;
    if (!action.was_done) {
        return ALC_OK;
    }
    enum alc_error_class class = alc_status_class(action.status);
    bool is_stop;
    if (kind == ALC_SPEC_ASSERT_EXCEPTION) {
        is_stop = action.status == ALC_E_UNCAUGHT_EXCEPTION;
    } else {
        bool is_class =
            kind == ALC_SPEC_ASSERT_TRAP ? class == ALC_CLASS_TRAP : class == ALC_CLASS_EXHAUSTED;
        is_stop = is_class && texts_agree(alc_status_text(action.status), text);
    }
    if (is_stop) {
        *result = ALC_SPEC_PASSED;
        return ALC_OK;
    }
    say_status(run, "stopped with: ", action.status, &action.error);
    say_wanted(run, text);
    return ALC_OK;
}

/* Modules that must be refused, at the stage that `kind` names. */
static alc_status do_assert_refused(struct alc_spec_run *run, struct alc_reader *reader,
                                    uint8_t kind, enum alc_spec_result *result)
{
    struct alc_name bytes;
    struct alc_name text;
    ALC_TRY(alc_spec_read_name(reader, &bytes));
    ALC_TRY(alc_spec_read_name(reader, &text));
    struct alc_error error;
    const struct alc_module *module;
    struct alc_instance *instance;
    alc_status status = load(run, bytes, &module, &error);
    bool was_loaded = status == ALC_OK;
    if (was_loaded &&
        (kind == ALC_SPEC_ASSERT_UNLINKABLE || kind == ALC_SPEC_ASSERT_UNINSTANTIABLE)) {
        status = instantiate(run, module, &instance, &error);
    }
    enum alc_error_class class = alc_status_class(status);
    bool is_refused;
    if (kind == ALC_SPEC_ASSERT_MALFORMED) {
        is_refused = class == ALC_CLASS_MALFORMED;
    } else if (kind == ALC_SPEC_ASSERT_INVALID) {
        is_refused = class == ALC_CLASS_INVALID;
    } else if (kind == ALC_SPEC_ASSERT_UNLINKABLE) {
        is_refused = was_loaded && class == ALC_CLASS_UNLINKABLE;
    } else {
        is_refused = was_loaded && (class == ALC_CLASS_TRAP || class == ALC_CLASS_EXHAUSTED);
    }
    bool agree = texts_agree(alc_status_text(status), text);
    if (is_refused && agree) {
        *result = ALC_SPEC_PASSED;
        return ALC_OK;
    }
    *result = is_refused ? ALC_SPEC_TEXT_DIFFERS : ALC_SPEC_FAILED;
    say_status(run, "answer: ", status, &error);
    say_wanted(run, text);
    return ALC_OK;
}

static alc_status do_skipped(struct alc_spec_run *run, struct alc_reader *reader, uint8_t *kind,
                             enum alc_spec_result *result)
{
    struct alc_name reason;
    ALC_TRY(alc_read_u8(reader, kind));
    ALC_TRY(alc_spec_read_name(reader, &reason));
    alc_spec_say(run, "");
    alc_spec_say_more(run, (const char *)reason.bytes, reason.size);
    *result = ALC_SPEC_SKIP;
    return ALC_OK;
}

static alc_status do_command(struct alc_spec_run *run, struct alc_reader *reader, uint8_t *kind,
                             enum alc_spec_result *result)
{
    switch ((enum alc_spec_command) * kind) {
    case ALC_SPEC_MODULE:
    case ALC_SPEC_MODULE_DEFINITION:
        return do_module(run, reader, *kind, result);
    case ALC_SPEC_MODULE_INSTANCE:
        return do_module_instance(run, reader, result);
    case ALC_SPEC_REGISTER:
        return do_register(run, reader, result);
    case ALC_SPEC_ACTION:
        return do_plain_action(run, reader, result);
    case ALC_SPEC_ASSERT_RETURN:
        return do_assert_return(run, reader, result);
    case ALC_SPEC_ASSERT_TRAP:
    case ALC_SPEC_ASSERT_EXHAUSTION:
    case ALC_SPEC_ASSERT_EXCEPTION:
        return do_assert_stop(run, reader, *kind, result);
    case ALC_SPEC_ASSERT_MALFORMED:
    case ALC_SPEC_ASSERT_INVALID:
    case ALC_SPEC_ASSERT_UNLINKABLE:
    case ALC_SPEC_ASSERT_UNINSTANTIABLE:
        return do_assert_refused(run, reader, *kind, result);
    case ALC_SPEC_THREAD:
        return alc_spec_start_thread(run, reader, result);
    case ALC_SPEC_WAIT:
        return alc_spec_wait_thread(run, reader, result);
    case ALC_SPEC_SKIPPED:
        return do_skipped(run, reader, kind, result);
    case ALC_SPEC_COMMANDS_COUNT:
    default:
        return ALC_E_BAD_ARGUMENT;
    }
}

static alc_status run_commands(struct alc_spec_run *run, struct alc_reader *reader)
{
    while (!alc_reader_at_end(reader)) {
        uint8_t kind;
        uint32_t line;
        enum alc_spec_result result = ALC_SPEC_FAILED;
        ALC_TRY(alc_read_u8(reader, &kind));
        ALC_TRY(alc_read_u32(reader, &line));
        run->text_size = 0;
        ALC_TRY(do_command(run, reader, &kind, &result));
        ALC_TRY(report(run, kind, line, result));
    }
    return ALC_OK;
}

alc_status alc_spec_run_thread(struct alc_spec_run *run, struct alc_spec_space *space,
                               const struct alc_spec_test *test, struct alc_name shared_name,
                               struct alc_instance *shared)
{
    alc_fill(run, 0, sizeof *run);
    run->space = space;
    run->test = test;
    struct alc_store_options options = {.pages = space->pages,
                                        .executor = space->engine->executor,
                                        .memory_reserve_max = space->memory_reserve_max,
                                        .stack_slots = space->stack_slots,
                                        .waiting = alc_spec_crew_waiting(space->crew),
                                        .collects_always =
                                            (test->flags & ALC_SPEC_COLLECTING) != 0};
    ALC_TRY(alc_store_init(&run->store, &space->types, &options));
    run->store.thread.number = space->thread;
    alc_linker_init(&run->linker, &run->store);
    alc_status status = alc_spec_add_host(run);
    if (status == ALC_OK && shared != NULL) {
        status = alc_spec_remember(run, shared_name, shared, NULL);
    }
    if (status == ALC_OK) {
        struct alc_reader reader;
        alc_reader_init(&reader, test->commands, test->commands_size, NULL);
        status = run_commands(run, &reader);
    }
    alc_store_fini(&run->store);
    return status;
}

alc_status alc_spec_run_test(struct alc_spec_run *run, struct alc_spec_space *space,
                             const struct alc_spec_test *test)
{
    return alc_spec_run_thread(run, space, test, (struct alc_name){0}, NULL);
}
