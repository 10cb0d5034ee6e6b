/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON test script -> binary stream. Names may hold any code point, zero included, so every string
 * is counted. Commands that need a parser of the text format become SKIPPED with the reason;
 * anything unknown is an error, so that a new dialect cannot pass unnoticed.
 */
#include "spec/spec_script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "spec/spec_native.h"
#include "spec/spec_stream.h"
#include "spec/spec_values.h"

struct script {
    const struct spec_script_options *options;
    struct spec_buffer *out;
    const char *directory;
    size_t directory_size;
    unsigned line;
    char *problem;
    size_t problem_size;
};

ALC_PRINTF(2, 3)
static bool complain(struct script *script, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(script->problem, script->problem_size, "line %u: %s", script->line, text);
    return false;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void add_json_string(struct spec_buffer *out, const json_t *string)
{
    spec_buffer_add_string(out, json_string_value(string), json_string_length(string));
}

static void add_optional(struct spec_buffer *out, const json_t *object, const char *key)
{
    const json_t *string = json_object_get(object, key);
    spec_buffer_add_u8(out, json_is_string(string));
    if (json_is_string(string)) {
        add_json_string(out, string);
    }
}

static bool add_action(struct script *script, const json_t *command)
{
    const json_t *action = json_object_get(command, "action");
    const char *type = text_of(action, "type");
    const json_t *field = json_object_get(action, "field");
    bool is_get = strcmp(type, "get") == 0;
    if ((!is_get && strcmp(type, "invoke") != 0) || !json_is_string(field)) {
        return complain(script, "unknown action \"%s\"", type);
    }
    spec_buffer_add_u8(script->out, is_get);
    add_optional(script->out, action, "module");
    add_json_string(script->out, field);
    if (is_get) {
        return true;
    }
    const json_t *arguments = json_object_get(action, "args");
    spec_buffer_add_u32(script->out, (uint32_t)json_array_size(arguments));
    for (size_t i = 0; i < json_array_size(arguments); i++) {
        const json_t *argument = json_array_get(arguments, i);
        if (!spec_values_add_argument(script->out, argument)) {
            return complain(script, "unknown argument of type \"%s\"", text_of(argument, "type"));
        }
    }
    return true;
}

static bool add_expected_list(struct script *script, const json_t *command)
{
    const json_t *expected = json_object_get(command, "expected");
    spec_buffer_add_u32(script->out, (uint32_t)json_array_size(expected));
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const json_t *value = json_array_get(expected, i);
        if (!spec_values_add_expected(script->out, value)) {
            return complain(script, "unknown expectation of type \"%s\"", text_of(value, "type"));
        }
    }
    return true;
}

/* The file with the module's binary, or NULL when there is only text. */
static const char *binary_name(const json_t *command)
{
    const json_t *converted = json_object_get(command, "binary_filename");
    if (json_is_string(converted)) {
        return json_string_value(converted);
    }
    const char *type = text_of(command, "module_type");
    const char *name = text_of(command, "filename");
    /* wabt's dialect has no module_type for plain modules. */
    bool is_binary = type[0] == '\0' || strcmp(type, "binary") == 0;
    return is_binary && name[0] != '\0' ? name : NULL;
}

static bool add_module_bytes(struct script *script, const json_t *command)
{
    char path[4096];
    const char *name = binary_name(command);
    int size =
        snprintf(path, sizeof path, "%.*s%s", (int)script->directory_size, script->directory, name);
    if (size < 0 || (size_t)size >= sizeof path) {
        return complain(script, "path too long");
    }
    struct spec_buffer bytes = {0};
    if (spec_buffer_add_file(&bytes, path) != 0) {
        int reason = errno;
        spec_buffer_fini(&bytes);
        return complain(script, "%s: %s", name, strerror(reason));
    }
    if (script->options->is_compiled) {
        spec_native_replace(&bytes, script->options->features, script->options->flags);
    }
    spec_buffer_add_string(script->out, bytes.bytes, bytes.size);
    spec_buffer_fini(&bytes);
    return true;
}

enum fields {
    FIELDS_MODULE,
    FIELDS_INSTANCE,
    FIELDS_REGISTER,
    FIELDS_ACTION,
    FIELDS_RETURN,
    FIELDS_ACTION_TEXT,
    FIELDS_REFUSED,
    FIELDS_THREAD,
    FIELDS_WAIT,
    FIELDS_UNSUPPORTED,
};

static const struct command_row {
    const char *type;
    enum alc_spec_command kind;
    enum fields fields;
    const char *reason; /* why it is never run */
} command_rows[] = {
    {"module", ALC_SPEC_MODULE, FIELDS_MODULE, NULL},
    {"module_definition", ALC_SPEC_MODULE_DEFINITION, FIELDS_MODULE, NULL},
    {"module_instance", ALC_SPEC_MODULE_INSTANCE, FIELDS_INSTANCE, NULL},
    {"register", ALC_SPEC_REGISTER, FIELDS_REGISTER, NULL},
    {"action", ALC_SPEC_ACTION, FIELDS_ACTION, NULL},
    {"assert_return", ALC_SPEC_ASSERT_RETURN, FIELDS_RETURN, NULL},
    {"assert_trap", ALC_SPEC_ASSERT_TRAP, FIELDS_ACTION_TEXT, NULL},
    {"assert_exhaustion", ALC_SPEC_ASSERT_EXHAUSTION, FIELDS_ACTION_TEXT, NULL},
    {"assert_exception", ALC_SPEC_ASSERT_EXCEPTION, FIELDS_ACTION_TEXT, NULL},
    {"assert_malformed", ALC_SPEC_ASSERT_MALFORMED, FIELDS_REFUSED, NULL},
    {"assert_invalid", ALC_SPEC_ASSERT_INVALID, FIELDS_REFUSED, NULL},
    {"assert_unlinkable", ALC_SPEC_ASSERT_UNLINKABLE, FIELDS_REFUSED, NULL},
    {"assert_uninstantiable", ALC_SPEC_ASSERT_UNINSTANTIABLE, FIELDS_REFUSED, NULL},
    {"assert_malformed_custom", ALC_SPEC_SKIPPED, FIELDS_UNSUPPORTED, "custom section in text"},
    {"assert_invalid_custom", ALC_SPEC_SKIPPED, FIELDS_UNSUPPORTED,
     "content of a custom section is not part of validity"},
    {"assert_suspension", ALC_SPEC_SKIPPED, FIELDS_UNSUPPORTED, "stack switching"},
    {"thread", ALC_SPEC_THREAD, FIELDS_THREAD, NULL},
    {"wait", ALC_SPEC_WAIT, FIELDS_WAIT, NULL},
};

static const struct command_row *find_row(const char *type)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(command_rows); i++) {
        if (strcmp(command_rows[i].type, type) == 0) {
            return &command_rows[i];
        }
    }
    return NULL;
}

static void add_skipped(struct script *script, enum alc_spec_command kind, const char *reason)
{
    spec_buffer_add_u8(script->out, ALC_SPEC_SKIPPED);
    spec_buffer_add_u32(script->out, script->line);
    spec_buffer_add_u8(script->out, (uint8_t)kind);
    spec_buffer_add_string(script->out, reason, strlen(reason));
}

static bool add_commands(struct script *script, const json_t *object);

/* A thread's commands as a stream of their own. */
static bool add_thread(struct script *script, const json_t *command)
{
    struct spec_buffer commands = {0};
    struct script inner = *script;
    inner.out = &commands;
    bool ok = add_commands(&inner, command);
    add_json_string(script->out, json_object_get(command, "name"));
    add_optional(script->out, command, "shared_module");
    spec_buffer_add_string(script->out, commands.bytes, commands.size);
    spec_buffer_fini(&commands);
    return ok;
}

static bool add_fields(struct script *script, enum fields fields, const json_t *command)
{
    const char *text = text_of(command, "text");
    switch (fields) {
    case FIELDS_MODULE:
        add_optional(script->out, command, "name");
        return add_module_bytes(script, command);
    case FIELDS_INSTANCE:
        add_optional(script->out, command, "instance");
        add_optional(script->out, command, "module");
        return true;
    case FIELDS_REGISTER:
        add_optional(script->out, command, "name");
        spec_buffer_add_string(script->out, text_of(command, "as"), strlen(text_of(command, "as")));
        return true;
    case FIELDS_ACTION:
        return add_action(script, command);
    case FIELDS_RETURN:
        return add_action(script, command) && add_expected_list(script, command);
    case FIELDS_ACTION_TEXT:
        if (!add_action(script, command)) {
            return false;
        }
        spec_buffer_add_string(script->out, text, strlen(text));
        return true;
    case FIELDS_REFUSED:
        if (!add_module_bytes(script, command)) {
            return false;
        }
        spec_buffer_add_string(script->out, text, strlen(text));
        return true;
    case FIELDS_THREAD:
        return add_thread(script, command);
    case FIELDS_WAIT:
        add_json_string(script->out, json_object_get(command, "thread"));
        return true;
    case FIELDS_UNSUPPORTED:
    default:
        return complain(script, "a command that is never run has no fields");
    }
}

static bool add_command(struct script *script, const json_t *command)
{
    const char *type = text_of(command, "type");
    script->line = (unsigned)json_integer_value(json_object_get(command, "line"));
    const struct command_row *row = find_row(type);
    if (row == NULL) {
        return complain(script, "unknown command \"%s\"", type);
    }
    if (row->fields == FIELDS_UNSUPPORTED) {
        add_skipped(script, row->kind, row->reason);
        return true;
    }
    bool has_module = row->fields == FIELDS_MODULE || row->fields == FIELDS_REFUSED;
    if (has_module && binary_name(command) == NULL) {
        add_skipped(script, row->kind, "module in text");
        return true;
    }
    spec_buffer_add_u8(script->out, (uint8_t)row->kind);
    spec_buffer_add_u32(script->out, script->line);
    return add_fields(script, row->fields, command);
}

static bool add_commands(struct script *script, const json_t *object)
{
    const json_t *commands = json_object_get(object, "commands");
    if (!json_is_array(commands)) {
        return complain(script, "no array of commands");
    }
    for (size_t i = 0; i < json_array_size(commands); i++) {
        if (!add_command(script, json_array_get(commands, i))) {
            return false;
        }
    }
    return true;
}

bool spec_script_translate(const struct spec_script_options *options, const char *json_path,
                           struct spec_buffer *out, char *problem, size_t problem_size)
{
    const char *slash = strrchr(json_path, '/');
    struct spec_buffer commands = {0};
    struct script script = {
        .options = options,
        .out = &commands,
        .directory = json_path,
        .directory_size = slash == NULL ? 0 : (size_t)(slash - json_path) + 1,
        .problem = problem,
        .problem_size = problem_size,
    };
    json_error_t error;
    json_t *root = json_load_file(json_path, JSON_ALLOW_NUL, &error);
    bool ok = false;
    if (root == NULL) {
        script.line = (unsigned)error.line;
        complain(&script, "%s", error.text);
    } else {
        ok = add_commands(&script, root);
    }
    if (ok) {
        spec_buffer_add_u32(out, ALC_SPEC_TEST_MAGIC);
        spec_buffer_add_u32(out, (uint32_t)strlen(options->name));
        spec_buffer_add_u32(out, (uint32_t)commands.size);
        spec_buffer_add_u32(out, options->flags);
        spec_buffer_add_u64(out, options->features);
        spec_buffer_add(out, options->name, strlen(options->name));
        spec_buffer_add(out, commands.bytes, commands.size);
    }
    json_decref(root);
    spec_buffer_fini(&commands);
    return ok;
}
