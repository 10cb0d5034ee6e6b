/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the sub-commands: option values, messages, files. Everything here may use stdio and
 * malloc; a sub-command runs once and the process ends.
 */
#ifndef ALC_CLI_CLI_H
#define ALC_CLI_CLI_H

#include <stdio.h>

#include "base/status.h"

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_REFUSED = 3 };

enum cli_command {
#define COMMAND(ident, arguments, summary) CLI_COMMAND_##ident,
#define OPTION(command, ident, argument, help)
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
    CLI_COMMANDS_COUNT
};

enum cli_option {
#define COMMAND(ident, arguments, summary)
#define OPTION(command, ident, argument, help) CLI_OPTION_##command##_##ident,
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
    CLI_OPTIONS_COUNT
};

enum { CLI_WORDS_SIZE = 64 };
/* As it stands on a command line, `seal verify`: `out`. */
const char *cli_command_words(enum cli_command command, char out[CLI_WORDS_SIZE]);
/* How many of the words are the command's, which begin with it: 1, 2 or, when they name none, 0. */
int cli_find_command(int count, char **words, enum cli_command *out);
/* Says that these words, at least one, name no command: CLI_USAGE. */
int cli_no_command(int count, char **words);
/* Prints help: about the command or the group that the words name, all of them; without words an
 * overview. CLI_OK, or CLI_USAGE when there is no such command. */
int cli_help(int count, char **words);

/* The command line of one sub-command, walked option by option. */
struct cli_arguments {
    enum cli_command command;
    int argc;
    char **argv;
    int next;               /* after the last option: index of the first operand */
    enum cli_option option; /* the last one: whose value is parsed */
};

/* The next option with its value (NULL for a switch), or -1 when operands begin. An unknown option
 * or a missing value prints a message and ends the process with CLI_USAGE. */
int cli_next_option(struct cli_arguments *arguments, const char **value);
/* Whether `command` has the options of `other`, as every command has its own. */
bool cli_takes_options_of(enum cli_command command, enum cli_command other);
/* The one word behind the options, a `what`; ends the process with CLI_USAGE when there is none or
 * more than one. */
const char *cli_only_operand(const struct cli_arguments *arguments, const char *what);
/* Ends the process with CLI_USAGE after "alcove COMMAND: message". */
ALC_NORETURN void cli_usage_error(const struct cli_arguments *arguments, const char *format, ...)
    ALC_PRINTF(2, 3);
/* Ends the process with `code` after "alcove: message". */
ALC_NORETURN void cli_die(int code, const char *format, ...) ALC_PRINTF(2, 3);
/* "alcove: subject: text at 0x12 (detail)" on stderr; returns the exit code of the status. */
int cli_report_error(const char *subject, const struct alc_error *error);

/* A whole file in memory, read-only; free with cli_unmap. Ends the process when it cannot be read.
 */
struct cli_file {
    const uint8_t *bytes;
    size_t size;
};
struct cli_file cli_read_file(const char *path);
void cli_unmap(struct cli_file *file);
/* Writes a new file with mode `mode`; ends the process when that fails, or is false, with errno. */
bool cli_try_write_file(const char *path, const void *bytes, size_t size, unsigned mode);
void cli_write_file(const char *path, const void *bytes, size_t size, unsigned mode);
/* malloc that ends the process instead of failing; the caller frees. */
void *cli_allocate(size_t size);

/* Values of options; each ends the process with CLI_USAGE when `text` is not one. */
uint64_t cli_parse_number(const struct cli_arguments *arguments, const char *text, uint64_t max);
uint64_t cli_parse_size(const struct cli_arguments *arguments, const char *text);
uint64_t cli_parse_duration_ns(const struct cli_arguments *arguments, const char *text);

/* Sockets at a numeric "address:port" or "[address]:port", which the option `option` named: one
 * that listens, and one that is connected and gives up after `patience_s` seconds of silence, never
 * if that is 0. Each ends the process when that fails. */
int cli_open_listener(const struct cli_arguments *arguments, const char *option, const char *text);
int cli_open_connection(const struct cli_arguments *arguments, const char *option, const char *text,
                        uint32_t patience_s);

void cli_print_hex(FILE *out, const uint8_t *bytes, size_t size);

/* The sub-commands: argv[0] is the sub-command's name. Each returns the exit code. */
#define COMMAND(ident, arguments, summary) int cli_##ident(struct cli_arguments *arguments_);
#define OPTION(command, ident, argument, help)
#include "cli/commands.def"
#undef COMMAND
#undef OPTION

#endif
