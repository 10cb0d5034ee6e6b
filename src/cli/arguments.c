/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the sub-commands, from the rows of commands.def: `--name value`, `--name=value`,
 * switches; `-o` is short for `--output`. `--` or the first word that is no option ends them, so
 * that the program's own options are left alone. Underscores of a row are hyphens on the command
 * line.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct option_row {
    enum cli_command command;
    const char *name;
    const char *argument;
};

static const struct option_row option_rows[CLI_OPTIONS_COUNT] = {
#define COMMAND(ident, arguments, summary)
#define OPTION(command, ident, argument, help) {CLI_COMMAND_##command, #ident, argument},
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
};

/* Whether `name`, of `size` bytes, is the option's name with hyphens for underscores. */
static bool names_option(const struct option_row *row, const char *name, size_t size)
{
    if (strlen(row->name) != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (name[i] != (row->name[i] == '_' ? '-' : row->name[i])) {
            return false;
        }
    }
    return true;
}

static bool looks_after_seals(enum cli_command command)
{
    return command == CLI_COMMAND_seal_verify || command == CLI_COMMAND_seal_rekey ||
           command == CLI_COMMAND_seal_export || command == CLI_COMMAND_seal_import;
}

/* `attest` and the like of `seal verify` name a program as `run` does. */
bool cli_takes_options_of(enum cli_command command, enum cli_command other)
{
    bool is_like_run = command == CLI_COMMAND_attest || looks_after_seals(command);
    return other == command || (is_like_run && other == CLI_COMMAND_run) ||
           (looks_after_seals(command) && other == CLI_COMMAND_seal_verify);
}

static int find_option(const struct cli_arguments *arguments, const char *name, size_t size)
{
    for (int i = 0; i < CLI_OPTIONS_COUNT; i++) {
        if (cli_takes_options_of(arguments->command, option_rows[i].command) &&
            names_option(&option_rows[i], name, size)) {
            return i;
        }
    }
    return -1;
}

int cli_next_option(struct cli_arguments *arguments, const char **value)
{
    if (arguments->next >= arguments->argc) {
        return -1;
    }
    const char *word = arguments->argv[arguments->next];
    if (word[0] != '-' || word[1] == '\0') {
        return -1;
    }
    arguments->next++;
    if (strcmp(word, "--") == 0) {
        return -1;
    }
    if (strcmp(word, "-o") == 0) {
        word = "--output";
    }
    size_t size = strcspn(word, "=");
    int option = word[1] == '-' ? find_option(arguments, word + 2, size - 2) : -1;
    if (option < 0) {
        cli_usage_error(arguments, "unknown option %s", word);
    }
    arguments->option = (enum cli_option)option;
    *value = NULL;
    if (option_rows[option].argument == NULL) {
        if (word[size] == '=') {
            cli_usage_error(arguments, "%.*s takes no value", (int)size, word);
        }
    } else if (word[size] == '=') {
        *value = word + size + 1;
    } else if (arguments->next < arguments->argc) {
        *value = arguments->argv[arguments->next++];
    } else {
        cli_usage_error(arguments, "%s needs %s", word, option_rows[option].argument);
    }
    return option;
}

const char *cli_only_operand(const struct cli_arguments *arguments, const char *what)
{
    const int next = arguments->next;
    if (next == arguments->argc) {
        cli_usage_error(arguments, "which %s?", what);
    }
    if (next + 1 < arguments->argc) {
        const char *extra = arguments->argv[next + 1];
        cli_usage_error(arguments,
                        extra[0] == '-' ? "options come before the %s: %s" : "one %s only: %s",
                        what, extra);
    }
    return arguments->argv[next];
}

/* A decimal number and where it ends; false when there is none or it exceeds 64 bits. */
static bool read_number(const char *text, uint64_t *out, const char **end)
{
    uint64_t number = 0;
    const char *next = text;
    while (isdigit((unsigned char)*next)) {
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (unsigned)(*next - '0'), &number)) {
            return false;
        }
        next++;
    }
    *out = number;
    *end = next;
    return next != text;
}

static ALC_NORETURN void refuse_value(const struct cli_arguments *arguments, const char *text,
                                      const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s", option_rows[arguments->option].name);
    for (char *hyphen = name; (hyphen = strchr(hyphen, '_')) != NULL;) {
        *hyphen = '-';
    }
    cli_usage_error(arguments, "--%s: %s is not a %s", name, text, what);
}

uint64_t cli_parse_number(const struct cli_arguments *arguments, const char *text, uint64_t max)
{
    uint64_t number;
    const char *end;
    if (!read_number(text, &number, &end) || *end != '\0' || number > max) {
        char what[48];
        snprintf(what, sizeof what, "number of at most %llu", (unsigned long long)max);
        refuse_value(arguments, text, what);
    }
    return number;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static uint64_t parse_with_units(const struct cli_arguments *arguments, const char *text,
                                 const struct unit *units, const char *what)
{
    uint64_t number;
    const char *end;
    if (read_number(text, &number, &end)) {
        for (const struct unit *unit = units; unit->name != NULL; unit++) {
            if (strcmp(unit->name, end) == 0 &&
                !__builtin_mul_overflow(number, unit->factor, &number) && number != 0) {
                return number;
            }
        }
    }
    refuse_value(arguments, text, what);
}

uint64_t cli_parse_size(const struct cli_arguments *arguments, const char *text)
{
    static const struct unit units[] = {
        {"", 1},           {"K", 1u << 10}, {"KiB", 1u << 10}, {"M", 1u << 20},
        {"MiB", 1u << 20}, {"G", 1u << 30}, {"GiB", 1u << 30}, {NULL, 0},
    };
    return parse_with_units(arguments, text, units, "size such as 65536, 64M or 1G");
}

uint64_t cli_parse_duration_ns(const struct cli_arguments *arguments, const char *text)
{
    static const struct unit units[] = {
        {"", 1000000000},    {"s", 1000000000},     {"ms", 1000000}, {"us", 1000},
        {"m", 60000000000u}, {"h", 3600000000000u}, {NULL, 0},
    };
    return parse_with_units(arguments, text, units, "duration such as 10s, 500ms or 2m");
}
