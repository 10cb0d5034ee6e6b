/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room share: the descriptor and the ways to ask the system and to believe
 * no more of its answers than their range.
 */
#ifndef ALC_WASI_WASI_INTERNAL_H
#define ALC_WASI_WASI_INTERNAL_H

#include "wasi/wasi.h"
#include "wasi/wasi_p1_host.h"

enum { ALC_WASI_NO_PREOPEN = -1, ALC_WASI_FIRST_PREOPEN = 3 };
/* Descriptors that one call names. */
enum { ALC_WASI_COPIES = 2 };

struct alc_wasi_descriptor {
    uint64_t rights_base;       /* always within what the type allows */
    uint64_t rights_inheriting; /* handed down by path_open and sock_accept */
    int32_t handle;             /* of os */
    int32_t preopen_index;      /* in options.preopens, or ALC_WASI_NO_PREOPEN */
    uint16_t number;            /* set in copies only */
    uint8_t type;               /* enum alc_wasi_filetype */
    bool is_open;
    bool read_only; /* nothing may be changed through it, nor through what it opens */
};

/* Rights of files and of directories: all that path_open can hand out. */
#define ALC_WASI_RIGHTS_OF_FILES                                                                   \
    (ALC_WASI_RIGHTS_FD_DATASYNC | ALC_WASI_RIGHTS_FD_READ | ALC_WASI_RIGHTS_FD_SEEK |             \
     ALC_WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | ALC_WASI_RIGHTS_FD_SYNC | ALC_WASI_RIGHTS_FD_TELL |     \
     ALC_WASI_RIGHTS_FD_WRITE | ALC_WASI_RIGHTS_FD_ADVISE | ALC_WASI_RIGHTS_FD_ALLOCATE |          \
     ALC_WASI_RIGHTS_FD_FILESTAT_GET | ALC_WASI_RIGHTS_FD_FILESTAT_SET_SIZE |                      \
     ALC_WASI_RIGHTS_FD_FILESTAT_SET_TIMES | ALC_WASI_RIGHTS_POLL_FD_READWRITE)
#define ALC_WASI_RIGHTS_OF_DIRECTORIES                                                             \
    (ALC_WASI_RIGHTS_FD_DATASYNC | ALC_WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | ALC_WASI_RIGHTS_FD_SYNC | \
     ALC_WASI_RIGHTS_PATH_CREATE_DIRECTORY | ALC_WASI_RIGHTS_PATH_CREATE_FILE |                    \
     ALC_WASI_RIGHTS_PATH_LINK_SOURCE | ALC_WASI_RIGHTS_PATH_LINK_TARGET |                         \
     ALC_WASI_RIGHTS_PATH_OPEN | ALC_WASI_RIGHTS_FD_READDIR | ALC_WASI_RIGHTS_PATH_READLINK |      \
     ALC_WASI_RIGHTS_PATH_RENAME_SOURCE | ALC_WASI_RIGHTS_PATH_RENAME_TARGET |                     \
     ALC_WASI_RIGHTS_PATH_FILESTAT_GET | ALC_WASI_RIGHTS_PATH_FILESTAT_SET_SIZE |                  \
     ALC_WASI_RIGHTS_PATH_FILESTAT_SET_TIMES | ALC_WASI_RIGHTS_FD_FILESTAT_GET |                   \
     ALC_WASI_RIGHTS_FD_FILESTAT_SET_TIMES | ALC_WASI_RIGHTS_PATH_SYMLINK |                        \
     ALC_WASI_RIGHTS_PATH_REMOVE_DIRECTORY | ALC_WASI_RIGHTS_PATH_UNLINK_FILE)
#define ALC_WASI_RIGHTS_OF_SOCKETS                                                                 \
    (ALC_WASI_RIGHTS_FD_READ | ALC_WASI_RIGHTS_FD_WRITE | ALC_WASI_RIGHTS_FD_FDSTAT_SET_FLAGS |    \
     ALC_WASI_RIGHTS_FD_FILESTAT_GET | ALC_WASI_RIGHTS_POLL_FD_READWRITE |                         \
     ALC_WASI_RIGHTS_SOCK_SHUTDOWN)

static inline const struct alc_os_operations *alc_wasi_os(const struct alc_wasi *wasi)
{
    return wasi->options.os->operations;
}

static inline void *alc_wasi_os_context(const struct alc_wasi *wasi)
{
    return wasi->options.os->context;
}

/* WASI's number for what the system answered: 0 for any success, IO for numbers that do not exist.
 */
uint16_t alc_wasi_errno_of(int64_t raw_answer);
/* The same for answers that count something: more than `max` is a lie, which is an IO error. */
uint16_t alc_wasi_count_of(int64_t raw_answer, uint64_t max, uint64_t *out);
/* A file type that exists. */
uint8_t alc_wasi_type_of(uint64_t raw_type);
/* Rights that mean something for a type. */
uint64_t alc_wasi_rights_of_type(uint8_t type);
bool alc_wasi_is_socket(const struct alc_wasi_descriptor *descriptor);
/* Flags of descriptors, from and to enum alc_os_open_flags. */
uint32_t alc_wasi_flags_to_os(uint16_t flags);
uint16_t alc_wasi_flags_from_os(uint64_t os_flags);

/* Whether there is a free descriptor now. */
bool alc_wasi_descriptor_is_free(struct alc_wasi *wasi);
/* Makes `opened` the free descriptor with the lowest number, *out_number, or gives its handle back:
 * TOO_MANY_OPEN. */
uint16_t alc_wasi_descriptor_insert(struct alc_wasi *wasi, const struct alc_wasi_descriptor *opened,
                                    uint32_t *out_number);
/* 0 when it has all `rights`; else the error that says best what is wrong with its type. */
uint16_t alc_wasi_descriptor_check(const struct alc_wasi_descriptor *descriptor, uint64_t rights);
/* Frees the number of a copy and gives the handle back to the system (not the standard streams).
 * BAD_DESCRIPTOR when another thread has done so meanwhile. */
uint16_t alc_wasi_descriptor_close(struct alc_wasi *wasi,
                                   const struct alc_wasi_descriptor *descriptor);

/* A clock's present time, never earlier than what it said before. */
uint16_t alc_wasi_clock_now(struct alc_wasi *wasi, uint32_t clock, uint64_t *out_time_ns);

/* Guest spans in the shape that os/ wants: the same memory. */
const struct alc_span *alc_wasi_spans(const struct alc_guest_spans *spans);

/* Whether no time is to be both given and now. */
bool alc_wasi_times_are_valid(uint16_t flags);
void alc_wasi_filestat_from_os(const struct alc_os_stat *stat, struct alc_wasi_filestat *out);

#endif
