/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove: finds the sub-command and prints the help, which is made of the rows of commands.def.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "cli/cli.h"
#include "sgx/cpu.h"

#ifndef ALC_VERSION
#define ALC_VERSION "unknown"
#endif

struct command_row {
    const char *name;
    const char *arguments;
    const char *summary;
    int (*run)(struct cli_arguments *arguments);
};

static const struct command_row command_rows[CLI_COMMANDS_COUNT] = {
#define COMMAND(ident, arguments, summary) {#ident, arguments, summary, cli_##ident},
#define OPTION(command, ident, argument, help)
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
};

/* The words of a row's identifier: `_` stands between two of them. */
static void write_words(const char *ident, char separator, char out[64])
{
    size_t size = 0;
    for (; ident[size] != '\0' && size < 63; size++) {
        out[size] = ident[size] == '_' ? separator : ident[size];
    }
    out[size] = '\0';
}

static void print_option(const char *ident, const char *argument, const char *help)
{
    char words[64];
    write_words(ident, '-', words);
    printf("      --%s%s%s\n            %s\n", words, argument == NULL ? "" : " ",
           argument == NULL ? "" : argument, help);
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

static int print_help(void)
{
    printf("alcove %s: WebAssembly programs in hardware enclaves\n", ALC_VERSION);
    for (int command = 0; command < CLI_COMMANDS_COUNT; command++) {
        char words[64];
        write_words(command_rows[command].name, ' ', words);
        printf("\n  alcove %s %s\n      %s\n", words, command_rows[command].arguments,
               command_rows[command].summary);
        print_options((enum cli_command)command);
    }
    printf("\nExit codes: the program's own; 2 bad module or usage; 3 refused; traps 132 "
           "(unreachable),\n"
           "136 (arithmetic), 139 (memory, tables, references, call stack), 134 (uncaught "
           "exception);\n"
           "137 memory, 142 timeout, 152 fuel.\n");
    return CLI_OK;
}

/* Nothing opened later gets the number of a standard stream that is closed: messages would go into
 * it. Such a stream stays as good as closed, reading and writing it fail. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_PATH) != fd) {
            exit(CLI_FAILED); /* and nowhere to say it */
        }
    }
}

/* What could not be printed was not done. */
static int finish_output(int exit_code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return exit_code;
    }
    fprintf(stderr, "alcove: standard output: %s\n", strerror(errno));
    return exit_code == CLI_OK ? CLI_FAILED : exit_code;
}

/* How many words of the command line are this command's: 1, 2 or, when it is another one, 0. */
static int match_command(const char *name, int argc, char **argv)
{
    const char *underscore = strchr(name, '_');
    if (underscore == NULL) {
        return strcmp(argv[1], name) == 0;
    }
    const size_t size = (size_t)(underscore - name);
    const bool is_group = strlen(argv[1]) == size && strncmp(argv[1], name, size) == 0;
    return is_group && argc > 2 && strcmp(argv[2], underscore + 1) == 0 ? 2 : 0;
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: alcove COMMAND ...\nTry 'alcove --help'.\n");
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        return print_help();
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("alcove %s\n", ALC_VERSION);
        return CLI_OK;
    }
    for (int command = 0; command < CLI_COMMANDS_COUNT; command++) {
        const int words_count = match_command(command_rows[command].name, argc, argv);
        if (words_count != 0) {
            struct cli_arguments arguments = {.command = (enum cli_command)command,
                                              .argc = argc,
                                              .argv = argv,
                                              .next = 1 + words_count};
            return command_rows[command].run(&arguments);
        }
    }
    fprintf(stderr, "alcove: no command %s\nTry 'alcove --help'.\n", argv[1]);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    if (alc_cpu_has_sha()) {
        alc_sha256_use_instructions();
    }
    return finish_output(run_command(argc, argv));
}
