/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands are called, and the help, which is made of the rows of commands.def: an
 * overview, a group of commands (`kbs`), or one command with its options.
 */
#include <string.h>

#include "cli/cli.h"

struct command_row {
    const char *name; /* words of two are joined by `_` */
    const char *arguments;
    const char *summary;
};

static const struct command_row command_rows[CLI_COMMANDS_COUNT] = {
#define COMMAND(ident, arguments, summary) {#ident, arguments, summary},
#define OPTION(command, ident, argument, help)
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
};

static size_t group_size_of(enum cli_command command)
{
    return strcspn(command_rows[command].name, "_");
}

static bool is_in_group(enum cli_command command, const char *group)
{
    const size_t size = group_size_of(command);
    return command_rows[command].name[size] == '_' && strlen(group) == size &&
           strncmp(command_rows[command].name, group, size) == 0;
}

const char *cli_command_words(enum cli_command command, char out[CLI_WORDS_SIZE])
{
    snprintf(out, CLI_WORDS_SIZE, "%s", command_rows[command].name);
    out[group_size_of(command)] = out[group_size_of(command)] == '_' ? ' ' : '\0';
    return out;
}

int cli_find_command(int count, char **words, enum cli_command *out)
{
    for (int i = 0; i < CLI_COMMANDS_COUNT; i++) {
        const enum cli_command command = (enum cli_command)i;
        const char *name = command_rows[i].name;
        *out = command;
        if (count > 0 && strcmp(words[0], name) == 0) {
            return 1;
        }
        if (count > 1 && is_in_group(command, words[0]) &&
            strcmp(words[1], name + group_size_of(command) + 1) == 0) {
            return 2;
        }
    }
    return 0;
}

int cli_no_command(int count, char **words)
{
    bool is_group = false;
    for (int i = 0; i < CLI_COMMANDS_COUNT; i++) {
        is_group |= is_in_group((enum cli_command)i, words[0]);
    }
    if (!is_group) {
        fprintf(stderr, "alcove: no command %s\nTry 'alcove --help'.\n", words[0]);
    } else if (count < 2) {
        fprintf(stderr, "alcove %s: a command is needed\nTry 'alcove %s --help'.\n", words[0],
                words[0]);
    } else {
        fprintf(stderr, "alcove %s: no command %s\nTry 'alcove %s --help'.\n", words[0], words[1],
                words[0]);
    }
    return CLI_USAGE;
}

/* -- help -- */

static void print_option(const char *ident, const char *argument, const char *help)
{
    printf("  --");
    for (; *ident != '\0'; ident++) {
        putchar(*ident == '_' ? '-' : *ident);
    }
    const char *value = argument == NULL ? "" : argument;
    printf("%s%s\n        %s\n", argument == NULL ? "" : " ", value, help);
}

static void print_options(enum cli_command command)
{
#define COMMAND(ident, arguments, summary)
#define OPTION(of, ident, argument, help)                                                          \
    if (CLI_COMMAND_##of == command) {                                                             \
        print_option(#ident, argument, help);                                                      \
    }
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
}

static void print_command(enum cli_command command)
{
    const struct command_row *row = &command_rows[command];
    char words[CLI_WORDS_SIZE];
    printf("alcove %s%s%s\n    %s\n\n", cli_command_words(command, words),
           row->arguments[0] == '\0' ? "" : " ", row->arguments, row->summary);
    print_options(command);
    for (int i = 0; i < CLI_COMMANDS_COUNT; i++) {
        const enum cli_command other = (enum cli_command)i;
        if (other != command && cli_takes_options_of(command, other)) {
            printf("\nAnd the options of alcove %s:\n\n", cli_command_words(other, words));
            print_options(other);
        }
    }
}

static void print_summary(enum cli_command command)
{
    char words[CLI_WORDS_SIZE];
    printf("  %-16s %s\n", cli_command_words(command, words), command_rows[command].summary);
}

static int print_group(const char *group)
{
    int commands_count = 0;
    for (int i = 0; i < CLI_COMMANDS_COUNT; i++) {
        if (is_in_group((enum cli_command)i, group)) {
            print_summary((enum cli_command)i);
            commands_count++;
        }
    }
    return commands_count;
}

static void print_overview(void)
{
    printf("alcove: WebAssembly programs in hardware enclaves\n\n");
    for (int i = 0; i < CLI_COMMANDS_COUNT; i++) {
        print_summary((enum cli_command)i);
    }
    printf("\n'alcove COMMAND --help' shows its options, 'man alcove' all of them.\n\n"
           "Exit codes: the program's own; 2 bad module or usage; 3 refused; traps 132 "
           "(unreachable),\n"
           "136 (arithmetic), 139 (memory, tables, references, call stack), 134 (uncaught "
           "exception);\n"
           "137 memory, 142 timeout, 152 fuel.\n");
}

int cli_help(int count, char **words)
{
    enum cli_command command;
    if (count == 0) {
        print_overview();
    } else if (cli_find_command(count, words, &command) == count) {
        print_command(command);
    } else if (count > 1 || print_group(words[0]) == 0) {
        return cli_no_command(count, words);
    }
    return CLI_OK;
}
