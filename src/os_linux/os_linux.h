/* SPDX-License-Identifier: Apache-2.0
 *
 * struct alc_os over Linux: the program's system when it runs outside an enclave, and what the host
 * serves an enclave's calls with. Distrusts its caller: a handle is a number of this table and
 * never a descriptor of the process, so only what was granted or opened through it can be named,
 * and paths never lead out of the directory they start from.
 *
 * Thread-safe after the grants are made. A close waits for calls that are using the handle.
 */
#ifndef ALC_OS_LINUX_OS_LINUX_H
#define ALC_OS_LINUX_OS_LINUX_H

#include "os/os.h"

struct alc_os_linux; /* see os_linux_internal.h */

struct alc_os_linux_options {
    /* Handles at most, granted ones included; 0: ALC_LIMIT_WASI_DESCRIPTORS + ALC_OS_FIRST_MOUNT.
     */
    uint32_t handles_limit;
    /* Resolve paths component by component even where the kernel has openat2. */
    bool walk_paths;
    /* By default SIGPIPE and SIGXFSZ are ignored in the whole process, so that writing to a closed
     * pipe or past a size limit gives PIPE or FILE_TOO_BIG and not a dead process. Set to leave the
     * signals' dispositions alone. */
    bool keep_signals;
};

enum alc_os_linux_grant_flags {
    ALC_OS_LINUX_OWNED = 1 << 0, /* the table closes the descriptor with the handle */
    ALC_OS_LINUX_READ_ONLY =
        1 << 1, /* READ_ONLY for every change through it, or opened beneath it */
};
/* Instead of a handle number: the lowest free one from ALC_OS_FIRST_MOUNT. */
enum { ALC_OS_LINUX_ANY_HANDLE = -1 };

/* `options` may be NULL (all defaults). ALC_OK or ALC_E_OUT_OF_MEMORY. *out is freed with _free. */
ALC_MUST_CHECK alc_status alc_os_linux_new(const struct alc_os_linux_options *options,
                                           struct alc_os_linux **out);
/* Closes what was opened and the granted descriptors that are owned. NULL is allowed. */
void alc_os_linux_free(struct alc_os_linux *system);

/* Called on each thread that thread_start started when it has nothing left to do. Said before the
 * first of them. */
void alc_os_linux_on_thread_end(struct alc_os_linux *system, void (*function)(void));
/* Whether threads that thread_start started are still there; then _free is not allowed. */
bool alc_os_linux_has_threads(const struct alc_os_linux *system);

/* The table of functions over `system`, to be copied or pointed to; valid until _free. */
const struct alc_os *alc_os_linux_get_os(const struct alc_os_linux *system);

/* Makes `fd` (a file, pipe, terminal, directory or socket) known as `handle`, or as any free one.
 * Returns the handle, or minus an errno.def number: EXISTS when taken, BAD_DESCRIPTOR,
 * TOO_MANY_OPEN. `flags`: enum alc_os_linux_grant_flags. A failed grant leaves `fd` with the
 * caller. */
ALC_MUST_CHECK int64_t alc_os_linux_grant(struct alc_os_linux *system, int32_t handle, int fd,
                                          uint32_t flags);
/* Opens the directory at `path` and grants it (OWNED is implied). */
ALC_MUST_CHECK int64_t alc_os_linux_grant_directory(struct alc_os_linux *system, int32_t handle,
                                                    const char *path, uint32_t flags);
/* A readable handle over `size` bytes in memory (manifest, module); borrowed until _free. */
ALC_MUST_CHECK int64_t alc_os_linux_grant_bytes(struct alc_os_linux *system, int32_t handle,
                                                const void *bytes, size_t size);
/* A writable handle that fills at most `size` bytes of `buf` (outcome), then gives NO_SPACE;
 * *out_size follows the bytes written. Both are borrowed until _free. */
ALC_MUST_CHECK int64_t alc_os_linux_grant_buffer(struct alc_os_linux *system, int32_t handle,
                                                 void *buf, size_t size, size_t *out_size);

/* -- pages -- */

/* Images of memory that is shared until it is written, for whoever fills struct alc_page_images
 * (exec/memory.h): the functions take a struct alc_linux_images as their context. An image is a
 * file without a name; it takes one descriptor. */
struct alc_linux_images {
    /* One more than the descriptor that tells which pages were written; 0, or no address: the
     * system does not say. In memory that a child process finds wiped: the descriptor means the
     * pages of the process that opened it. */
    int *pagemap;
};

void alc_linux_images_init(struct alc_linux_images *images);
void alc_linux_images_fini(struct alc_linux_images *images);

ALC_MUST_CHECK alc_status alc_linux_image_make(void *context, const void *addr, size_t size,
                                               uint64_t *out_image);
ALC_MUST_CHECK alc_status alc_linux_image_map(void *context, uint64_t image, void *addr,
                                              size_t size);
ALC_MUST_CHECK alc_status alc_linux_image_renew(void *context, uint64_t image, size_t image_size,
                                                void *addr, size_t size);
void alc_linux_image_drop(void *context, uint64_t image);

#endif
