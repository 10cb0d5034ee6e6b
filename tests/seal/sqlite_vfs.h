/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite over an os table: a VFS for one process, so that databases run natively on whatever a
 * table stands for. Locks are not needed; WAL works with locking_mode = EXCLUSIVE.
 */
#ifndef ALC_TESTS_SQLITE_VFS_H
#define ALC_TESTS_SQLITE_VFS_H

#include "os/os.h"

/* Registers the VFS "alcove" as the default. `os` is borrowed; `dir` is the directory's handle. A
 * later call changes both, while no database is open. */
void sqlite_vfs_use(const struct alc_os *os, int32_t dir);

#endif
