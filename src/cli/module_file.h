/* SPDX-License-Identifier: Apache-2.0
 *
 * A module read from a file and loaded for looking at: shared by validate, inspect and the
 * backtraces of run.
 */
#ifndef ALC_CLI_MODULE_FILE_H
#define ALC_CLI_MODULE_FILE_H

#include "cli/cli.h"
#include "wasm/names.h"

/* Address space for the arena of one loaded module; pages come when they are touched. */
#define CLI_MODULE_ARENA_SIZE (UINT64_C(16) << 30)

struct cli_module {
    struct alc_arena arena;    /* owned */
    struct alc_module *module; /* NULL when loading failed */
    struct alc_error error;
};

/* Loads `bytes` (borrowed while the module is used) without making code. `features` 0: all. */
alc_status cli_module_open(struct cli_module *module, const uint8_t *bytes, size_t size,
                           uint64_t features);
/* cli_report_error for an error in the module `file`: if it is none, says what it is taken for. */
int cli_report_module_error(const char *path, const struct cli_file *file,
                            const struct alc_error *error);
void cli_module_close(struct cli_module *module);
/* Prints a name from a module: control characters, which could steer a terminal, as \xx. */
void cli_print_name(FILE *out, struct alc_name name);
/* Prints "name" of a function as a backtrace shows it, or "function[7]". */
void cli_print_function(FILE *out, const struct alc_module *module, uint32_t function_index);

#endif
