/* SPDX-License-Identifier: Apache-2.0
 *
 * Read-only trees of files: a tar archive on a host that nobody trusts, named by one digest
 * (verity.h). Every block is checked when it is read, so a program sees the files that the digest
 * names or an I/O error. Layers of container images are such archives.
 *
 * ustar (POSIX.1-1988) with the extensions that archivers write today: extended headers of
 * POSIX.1-2001 (path, linkpath, size, mtime; others are skipped), long names and large numbers of
 * GNU tar. Sparse files are refused.
 *
 * An os table over another os table, as the conventions of os/os.h have it. All memory comes from
 * the caller's arena. A mount is locked for the length of a call.
 */
#ifndef ALC_ARCHIVE_ARCHIVE_H
#define ALC_ARCHIVE_ARCHIVE_H

#include "archive/verity.h"
#include "base/arena.h"
#include "base/limits.h"
#include "os/over.h"

struct alc_archive_options {
    const struct alc_os *host;       /* borrowed while the mount is used */
    int32_t archive;                 /* handles of `host`: the archive … */
    int32_t tree;                    /* … and its hash tree */
    uint8_t digest[ALC_SHA256_SIZE]; /* what the archive has to be */
    /* Told of blocks that are not what the digest names, under the mount's lock; may be NULL. */
    void (*report)(void *context, uint32_t level, uint64_t block);
    void *report_context;
};

struct alc_archive; /* a mount; see archive_internal.h */

/* Address space that a mount may take from its arena. */
size_t alc_archive_memory_size(void);
/* Opens the mount: reads every header. ALC_E_IO_FAILED (the host failed, or sent something else:
 * told to `report`), ALC_E_BAD_ARCHIVE at the offset of the header, ALC_E_LIMIT_EXCEEDED,
 * ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_archive_open(struct alc_arena *arena,
                                           const struct alc_archive_options *options,
                                           struct alc_archive **out, struct alc_error *error);

enum { ALC_ARCHIVE_DAMAGE_TEXT_SIZE = 100 };
/* What `report` is told, in one line without its end, NUL-terminated. */
void alc_archive_damage_describe(uint32_t level, uint64_t block,
                                 char text[ALC_ARCHIVE_DAMAGE_TEXT_SIZE]);

/* -- the table -- */

/* Handles of files in archives: ALC_ARCHIVE_FIRST_HANDLE + mount * ALC_LIMIT_ARCHIVE_HANDLES +
 * place, out of the way of tables beneath. */
enum { ALC_ARCHIVE_FIRST_HANDLE = 3 << 29 };

/* An os table that serves archives itself and hands everything else to the one beneath. */
struct alc_archive_os {
    struct alc_os_over over; /* first; over.os is what to hand on */
    struct alc_os_operations operations;
    uint32_t mounts_count;
    struct {
        struct alc_archive *archive; /* borrowed */
        int32_t handle;              /* the granted one, by which the program knows the mount */
    } mounts[ALC_LIMIT_ARCHIVE_MOUNTS];
};

void alc_archive_os_init(struct alc_archive_os *table, const struct alc_os *inner);
/* From now on `handle` is the root directory of `archive`. ALC_E_BAD_ARGUMENT when there are too
 * many. */
ALC_MUST_CHECK alc_status alc_archive_os_add(struct alc_archive_os *table, int32_t handle,
                                             struct alc_archive *archive);

#endif
