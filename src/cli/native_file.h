/* SPDX-License-Identifier: Apache-2.0
 *
 * Where native images are: files beside this program, files written whole, and the cache of what
 * was compiled here.
 */
#ifndef ALC_CLI_NATIVE_FILE_H
#define ALC_CLI_NATIVE_FILE_H

#include "cli/cli.h"

/* Path of the program `name` in the folder of this one, into `path`; false when there is none. */
bool cli_find_beside(const char *name, char *path, size_t path_size);
/* Replaces this process by the program `name` in that folder, with the same words; comes back when
 * there is none. */
void cli_hand_over(const struct cli_arguments *arguments, const char *name);
/* The program that has the libraries for networks and databases in it, which take longer to load
 * than most programs need to run. */
#define CLI_NETWORK_PROGRAM "alcove-network"
/* As cli_write_file, but whoever opens `path` meanwhile sees the old file or the new one, whole. */
void cli_write_file_whole(const char *path, const void *bytes, size_t size, unsigned mode);
/* A folder of the cache ($XDG_CACHE_HOME/alcove or ~/.cache/alcove), into `path`; made, with
 * everything above it, if it is to be. False when there is no place for it. */
bool cli_find_cache(const char *folder, char *path, size_t path_size, bool is_made);

/* What code was compiled for, beyond the module. */
struct cli_native_wish {
    uint32_t options; /* ALC_NATIVE_METERED, ALC_NATIVE_INTERRUPTIBLE */
};

/* The image of the module in the cache (folder native), false when there is none that is whole. It
 * is only as good as the cache: what runs it checks it as it checks any other. */
bool cli_native_find(const struct cli_file *module, const struct cli_native_wish *wish,
                     struct cli_file *out);
/* The same, after compiling it into the cache when it was not there. Ends the process when that
 * fails. */
struct cli_file cli_native_make(const char *module_path, const struct cli_file *module,
                                const struct cli_native_wish *wish);

#endif
