/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove: finds the sub-command and hands over to it.
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

static int (*const commands[CLI_COMMANDS_COUNT])(struct cli_arguments *arguments) = {
#define COMMAND(ident, arguments, summary) cli_##ident,
#define OPTION(command, ident, argument, help)
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
};

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

static int run_command(int argc, char **argv)
{
    enum cli_command command;
    if (argc < 2) {
        fprintf(stderr, "usage: alcove COMMAND ...\nTry 'alcove --help'.\n");
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("alcove %s\n", ALC_VERSION);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        return cli_help(argc - 2, argv + 2);
    }
    const int words_count = cli_find_command(argc - 1, argv + 1, &command);
    const int next = 1 + (words_count != 0 ? words_count : 1);
    if (next < argc && strcmp(argv[next], "--help") == 0) {
        return cli_help(next - 1, argv + 1);
    }
    if (words_count == 0) {
        return cli_no_command(argc - 1, argv + 1);
    }
    struct cli_arguments arguments = {.command = command, .argc = argc, .argv = argv, .next = next};
    return commands[command](&arguments);
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    if (alc_cpu_has_sha()) {
        alc_sha256_use_instructions();
    }
    return finish_output(run_command(argc, argv));
}
