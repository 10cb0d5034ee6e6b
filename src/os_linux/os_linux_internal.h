/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of os_linux: the handle table and what its files share.
 */
#ifndef ALC_OS_LINUX_OS_LINUX_INTERNAL_H
#define ALC_OS_LINUX_OS_LINUX_INTERNAL_H

#include <pthread.h>

#include "base/limits.h"
#include "os_linux/os_linux.h"

enum alc_linux_kind {
    ALC_LINUX_FREE,
    ALC_LINUX_DESCRIPTOR, /* `fd` */
    ALC_LINUX_BYTES,      /* readable memory */
    ALC_LINUX_BUFFER,     /* writable memory */
};

/* The entries of a directory as they were when its reading began; a cookie is an index into it. */
struct alc_linux_listing {
    uint8_t *records; /* packed struct alc_os_directory_entry */
    size_t records_size;
    size_t records_capacity;
    size_t *offsets; /* of each record */
    size_t entries_count;
    size_t entries_capacity;
};

struct alc_linux_handle {
    enum alc_linux_kind kind;
    uint32_t flags;       /* enum alc_os_linux_grant_flags */
    uint32_t users_count; /* calls in flight; the last one finishes a close */
    bool is_closing;
    int fd;
    const uint8_t *bytes;              /* BYTES */
    uint8_t *buf;                      /* BUFFER */
    size_t size;                       /* of either */
    size_t *out_size;                  /* BUFFER: bytes written */
    size_t pos;                        /* of either */
    struct alc_linux_listing *listing; /* NULL until the directory is read */
};

/* A thread of the program. */
struct alc_linux_thread {
    struct alc_os_linux *system;
    uint32_t wakes; /* futex: 1 = woken and not yet slept */
    bool is_running;
};

struct alc_os_linux {
    struct alc_os os;
    struct alc_linux_thread threads[ALC_LIMIT_ENCLAVE_THREADS];
    alc_os_thread_body *thread_body;
    void *thread_argument;
    void (*on_thread_end)(void); /* may be NULL */
    pthread_mutex_t lock; /* over all handles' kind, users_count, is_closing, pos and listing */
    struct alc_linux_handle *handles;
    uint32_t handles_count;
    bool has_openat2;
};

/* -- handles.c -- */

/* Uses a handle of kind DESCRIPTOR until alc_linux_leave; returns its fd, or -BAD_DESCRIPTOR. */
int alc_linux_use(struct alc_os_linux *system, int32_t handle);
/* The same for something that changes a file: also READ_ONLY. */
int alc_linux_use_to_change(struct alc_os_linux *system, int32_t handle);
void alc_linux_leave(struct alc_os_linux *system, int32_t handle);
/* Puts an owned fd into the table, or closes it. The new handle or minus an errno.def number. */
int64_t alc_linux_add(struct alc_os_linux *system, int fd, uint32_t flags);
int64_t alc_linux_close(void *context, int32_t handle);
/* The handle's entry when it is in-memory, with the lock held (the caller unlocks); else NULL. */
struct alc_linux_handle *alc_linux_lock_memory(struct alc_os_linux *system, int32_t handle);
bool alc_linux_is_read_only(struct alc_os_linux *system, int32_t handle);
/* Whether the handle's descriptor is the caller's: its open file may be shared with other processes
 * and outlives the program. */
bool alc_linux_is_borrowed(struct alc_os_linux *system, int32_t handle);
void alc_linux_free_listing(struct alc_linux_listing *listing);

/* -- errno.c -- */

/* Minus the errno.def number for the kernel's. */
int64_t alc_linux_error(int number);
/* `value` as it is, or the error in errno when it is negative. */
int64_t alc_linux_result(int64_t value);

/* -- resolve.c: every path goes through here -- */

/* Opens `path` beneath `dir_fd`. `open_flags` as for open(2); O_NOFOLLOW governs the last
 * component. The fd, or minus an errno.def number: NOT_CAPABLE where the path would leave. */
int64_t alc_linux_open_beneath(const struct alc_os_linux *system, int dir_fd, const uint8_t *path,
                               size_t path_size, int open_flags, unsigned mode);
/* A path's directory, opened, and its last component (with the slashes behind it). */
struct alc_linux_parent {
    int fd; /* the caller closes it */
    char name[ALC_LIMIT_WASI_PATH_SIZE + 1];
};
/* 0 or minus an errno.def number; then nothing is open. */
int64_t alc_linux_open_parent(const struct alc_os_linux *system, int dir_fd, const uint8_t *path,
                              size_t path_size, struct alc_linux_parent *parent);

/* -- the functions of the table, by file -- */

/* file.c */
int64_t alc_linux_read(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count);
int64_t alc_linux_write(void *context, int32_t handle, const struct alc_span *spans,
                        size_t spans_count);
int64_t alc_linux_read_at(void *context, int32_t handle, const struct alc_span *spans,
                          size_t spans_count, uint64_t offset);
int64_t alc_linux_write_at(void *context, int32_t handle, const struct alc_span *spans,
                           size_t spans_count, uint64_t offset);
int64_t alc_linux_seek(void *context, int32_t handle, int64_t offset, uint32_t whence);
int64_t alc_linux_sync(void *context, int32_t handle, uint32_t data_only);
int64_t alc_linux_stat(void *context, int32_t handle, struct alc_os_stat *out);
int64_t alc_linux_set_size(void *context, int32_t handle, uint64_t size);
int64_t alc_linux_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size);
int64_t alc_linux_advise(void *context, int32_t handle, uint64_t offset, uint64_t size,
                         uint32_t advice);
int64_t alc_linux_set_times(void *context, int32_t handle, uint64_t access_ns, uint64_t modify_ns,
                            uint32_t flags);
int64_t alc_linux_get_flags(void *context, int32_t handle);
int64_t alc_linux_set_flags(void *context, int32_t handle, uint32_t flags);

/* path.c */
struct stat;
struct timespec;
void alc_linux_fill_stat(const struct stat *from, struct alc_os_stat *out);
/* 0 or -INVALID for a contradiction. */
int64_t alc_linux_fill_times(uint64_t access_ns, uint64_t modify_ns, uint32_t flags,
                             struct timespec times[2]);
int64_t alc_linux_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                          uint32_t flags);
int64_t alc_linux_stat_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                          uint32_t follow, struct alc_os_stat *out);
int64_t alc_linux_set_times_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                               uint32_t follow, uint64_t access_ns, uint64_t modify_ns,
                               uint32_t flags);
int64_t alc_linux_create_directory_at(void *context, int32_t dir, const uint8_t *path,
                                      size_t path_size);
int64_t alc_linux_remove_directory_at(void *context, int32_t dir, const uint8_t *path,
                                      size_t path_size);
int64_t alc_linux_unlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size);
int64_t alc_linux_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                            size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                            size_t new_path_size);
int64_t alc_linux_link_at(void *context, int32_t old_dir, const uint8_t *old_path,
                          size_t old_path_size, uint32_t follow, int32_t new_dir,
                          const uint8_t *new_path, size_t new_path_size);
int64_t alc_linux_symlink_at(void *context, const uint8_t *target, size_t target_size, int32_t dir,
                             const uint8_t *path, size_t path_size);
int64_t alc_linux_readlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                              uint8_t *buf, size_t buf_size);

/* directory.c */
int64_t alc_linux_read_directory(void *context, int32_t dir, uint64_t cookie, uint8_t *buf,
                                 size_t buf_size);

/* socket.c */
int64_t alc_linux_accept(void *context, int32_t handle, uint32_t flags);
int64_t alc_linux_recv(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count, uint32_t flags, uint32_t *out_flags);
int64_t alc_linux_send(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count);
int64_t alc_linux_shutdown(void *context, int32_t handle, uint32_t how);

/* wait.c */
int64_t alc_linux_clock_read(void *context, uint32_t clock, uint32_t resolution);
int64_t alc_linux_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                       int64_t timeout_ns);
int64_t alc_linux_yield(void *context);

/* thread.c */
int64_t alc_linux_thread_start(void *context, uint32_t thread);
int64_t alc_linux_thread_sleep(void *context, uint32_t thread, int64_t timeout_ns);
int64_t alc_linux_thread_wake(void *context, uint32_t thread);
void alc_linux_set_thread_body(void *context, alc_os_thread_body *body, void *argument);

/* memory.c */
int64_t alc_linux_random(void *context, uint8_t *buf, size_t buf_size);
void *alc_linux_pages_reserve(void *context, size_t size);
int64_t alc_linux_pages_commit(void *context, void *addr, size_t size);
int64_t alc_linux_pages_execute(void *context, void *addr, size_t size);
void alc_linux_pages_release(void *context, void *addr, size_t size);

#endif
