/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done with one open handle: bytes, positions, sizes, times, status flags. In-memory
 * handles (manifest, module, outcome) answer reads and writes from here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os_linux/os_linux_internal.h"

_Static_assert(sizeof(struct alc_span) == sizeof(struct iovec) &&
                   offsetof(struct alc_span, bytes) == offsetof(struct iovec, iov_base) &&
                   offsetof(struct alc_span, size) == offsetof(struct iovec, iov_len),
               "spans are handed to the kernel as they are");

/* The kernel takes IOV_MAX at most and moves fewer bytes than asked for: a short count is legal. */
static int clamp_count(size_t spans_count)
{
    return spans_count < IOV_MAX ? (int)spans_count : IOV_MAX;
}

static const struct iovec *as_vectors(const struct alc_span *spans)
{
    return (const struct iovec *)(const void *)spans;
}

/* -- in-memory handles; the lock is held and released here -- */

static size_t read_memory(const struct alc_linux_handle *entry, uint64_t offset,
                          const struct alc_span *spans, size_t spans_count)
{
    size_t done = 0;
    for (size_t i = 0; i < spans_count && offset < entry->size; i++) {
        size_t left = entry->size - (size_t)offset;
        size_t size = spans[i].size < left ? spans[i].size : left;
        if (size != 0) {
            alc_copy(spans[i].bytes, entry->bytes + offset, size);
        }
        offset += size;
        done += size;
    }
    return done;
}

static int64_t write_memory(struct alc_linux_handle *entry, const struct alc_span *spans,
                            size_t spans_count)
{
    size_t done = 0;
    size_t wanted = 0;
    for (size_t i = 0; i < spans_count && entry->pos < entry->size; i++) {
        size_t left = entry->size - entry->pos;
        size_t size = spans[i].size < left ? spans[i].size : left;
        if (size != 0) {
            alc_copy(entry->buf + entry->pos, spans[i].bytes, size);
        }
        entry->pos += size;
        done += size;
    }
    for (size_t i = 0; i < spans_count; i++) {
        wanted |= spans[i].size;
    }
    *entry->out_size = entry->pos;
    return done == 0 && wanted != 0 ? -ALC_OS_NO_SPACE : (int64_t)done;
}

/* Whether `handle` is in memory; then *out_result is the answer. `offset` is NULL: at the position.
 */
static bool transfer_memory(struct alc_os_linux *system, int32_t handle,
                            const struct alc_span *spans, size_t spans_count,
                            const uint64_t *offset, bool is_write, int64_t *out_result)
{
    struct alc_linux_handle *entry = alc_linux_lock_memory(system, handle);
    if (entry == NULL) {
        return false;
    }
    if (is_write != (entry->kind == ALC_LINUX_BUFFER)) {
        *out_result = -ALC_OS_BAD_DESCRIPTOR;
    } else if (is_write) {
        *out_result = offset != NULL ? -ALC_OS_NO_SEEK : write_memory(entry, spans, spans_count);
    } else {
        uint64_t from = offset != NULL ? *offset : entry->pos;
        size_t done = read_memory(entry, from, spans, spans_count);
        entry->pos += offset != NULL ? 0 : done;
        *out_result = (int64_t)done;
    }
    pthread_mutex_unlock(&system->lock);
    return true;
}

/* -- bytes -- */

static int64_t transfer_vectors(int fd, const struct alc_span *spans, size_t spans_count,
                                const uint64_t *offset, bool is_write)
{
    const struct iovec *vectors = as_vectors(spans);
    int count = clamp_count(spans_count);
    if (offset == NULL) {
        return alc_linux_result(is_write ? writev(fd, vectors, count) : readv(fd, vectors, count));
    }
    return alc_linux_result(is_write ? pwritev(fd, vectors, count, (off_t)*offset)
                                     : preadv(fd, vectors, count, (off_t)*offset));
}

/* All four ways to move bytes; `offset` is NULL: at the position. */
static int64_t transfer(void *context, int32_t handle, const struct alc_span *spans,
                        size_t spans_count, const uint64_t *offset, bool is_write)
{
    int64_t result;
    if (offset != NULL && *offset > INT64_MAX) {
        return -ALC_OS_INVALID;
    }
    int fd = is_write ? alc_linux_use_to_change(context, handle) : alc_linux_use(context, handle);
    if (fd < 0) {
        bool is_memory =
            transfer_memory(context, handle, spans, spans_count, offset, is_write, &result);
        return is_memory ? result : fd;
    }
    do {
        result = transfer_vectors(fd, spans, spans_count, offset, is_write);
    } while (result == -ALC_OS_INTERRUPTED);
    alc_linux_leave(context, handle);
    return result;
}

int64_t alc_linux_read(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count)
{
    return transfer(context, handle, spans, spans_count, NULL, false);
}

int64_t alc_linux_write(void *context, int32_t handle, const struct alc_span *spans,
                        size_t spans_count)
{
    return transfer(context, handle, spans, spans_count, NULL, true);
}

int64_t alc_linux_read_at(void *context, int32_t handle, const struct alc_span *spans,
                          size_t spans_count, uint64_t offset)
{
    return transfer(context, handle, spans, spans_count, &offset, false);
}

int64_t alc_linux_write_at(void *context, int32_t handle, const struct alc_span *spans,
                           size_t spans_count, uint64_t offset)
{
    return transfer(context, handle, spans, spans_count, &offset, true);
}

/* -- position, size, state -- */

static int64_t seek_memory(struct alc_linux_handle *entry, int64_t offset, uint32_t whence)
{
    int64_t from = whence == ALC_OS_SEEK_CUR   ? (int64_t)entry->pos
                   : whence == ALC_OS_SEEK_END ? (int64_t)entry->size
                                               : 0;
    int64_t to;
    if (entry->kind != ALC_LINUX_BYTES) {
        return -ALC_OS_NO_SEEK;
    }
    if (whence > ALC_OS_SEEK_END || __builtin_add_overflow(from, offset, &to) || to < 0) {
        return -ALC_OS_INVALID;
    }
    entry->pos = (size_t)to;
    return to;
}

int64_t alc_linux_seek(void *context, int32_t handle, int64_t offset, uint32_t whence)
{
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    struct alc_os_linux *system = context;
    int fd = alc_linux_use(system, handle);
    if (fd < 0) {
        struct alc_linux_handle *entry = alc_linux_lock_memory(system, handle);
        if (entry == NULL) {
            return fd;
        }
        int64_t memory_result = seek_memory(entry, offset, whence);
        pthread_mutex_unlock(&system->lock);
        return memory_result;
    }
    int64_t result = -ALC_OS_INVALID;
    if (whence <= ALC_OS_SEEK_END) {
        result = alc_linux_result(lseek(fd, offset, whences[whence]));
    }
    alc_linux_leave(system, handle);
    return result;
}

int64_t alc_linux_sync(void *context, int32_t handle, uint32_t data_only)
{
    int fd = alc_linux_use(context, handle);
    if (fd < 0) {
        return fd;
    }
    int64_t result;
    do {
        result = alc_linux_result(data_only != 0 ? fdatasync(fd) : fsync(fd));
    } while (result == -ALC_OS_INTERRUPTED);
    alc_linux_leave(context, handle);
    return result;
}

/* What kind of socket it is, only the socket says. */
static uint64_t socket_type(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    bool is_datagram = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
    return is_datagram ? ALC_OS_TYPE_SOCKET_DGRAM : ALC_OS_TYPE_SOCKET_STREAM;
}

int64_t alc_linux_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    struct alc_os_linux *system = context;
    struct stat info = {0};
    int fd = alc_linux_use(system, handle);
    if (fd < 0) {
        struct alc_linux_handle *entry = alc_linux_lock_memory(system, handle);
        if (entry == NULL) {
            return fd;
        }
        *out =
            (struct alc_os_stat){.type = ALC_OS_TYPE_REGULAR_FILE,
                                 .link_count = 1,
                                 .size = entry->kind == ALC_LINUX_BYTES ? entry->size : entry->pos};
        pthread_mutex_unlock(&system->lock);
        return 0;
    }
    int64_t result = alc_linux_result(fstat(fd, &info));
    if (result == 0) {
        alc_linux_fill_stat(&info, out);
        out->type = S_ISSOCK(info.st_mode) ? socket_type(fd) : out->type;
    }
    alc_linux_leave(system, handle);
    return result;
}

int64_t alc_linux_set_size(void *context, int32_t handle, uint64_t size)
{
    if (size > INT64_MAX) {
        return -ALC_OS_INVALID;
    }
    int fd = alc_linux_use_to_change(context, handle);
    if (fd < 0) {
        return fd;
    }
    int64_t result;
    /* Somebody's log: what was there before stays. */
    bool keeps_size =
        alc_linux_is_borrowed(context, handle) && (fcntl(fd, F_GETFL) & O_APPEND) != 0;
    do {
        result = keeps_size ? -ALC_OS_NOT_PERMITTED : alc_linux_result(ftruncate(fd, (off_t)size));
    } while (result == -ALC_OS_INTERRUPTED);
    alc_linux_leave(context, handle);
    return result;
}

int64_t alc_linux_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    if (offset > INT64_MAX || size == 0 || size > INT64_MAX - offset) {
        return -ALC_OS_INVALID;
    }
    int fd = alc_linux_use_to_change(context, handle);
    if (fd < 0) {
        return fd;
    }
    int64_t result;
    do {
        result = alc_linux_result(fallocate(fd, 0, (off_t)offset, (off_t)size));
    } while (result == -ALC_OS_INTERRUPTED);
    alc_linux_leave(context, handle);
    return result;
}

int64_t alc_linux_advise(void *context, int32_t handle, uint64_t offset, uint64_t size,
                         uint32_t advice)
{
    /* In the order of WASI: normal, sequential, random, will need, do not need, no reuse. */
    static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    if (advice >= ALC_ARRAY_COUNT(advices) || offset > INT64_MAX || size > INT64_MAX) {
        return -ALC_OS_INVALID;
    }
    int fd = alc_linux_use(context, handle);
    if (fd < 0) {
        return fd;
    }
    int error = posix_fadvise(fd, (off_t)offset, (off_t)size, advices[advice]);
    alc_linux_leave(context, handle);
    return error == 0 ? 0 : alc_linux_error(error);
}

int64_t alc_linux_set_times(void *context, int32_t handle, uint64_t access_ns, uint64_t modify_ns,
                            uint32_t flags)
{
    struct timespec times[2];
    int64_t result = alc_linux_fill_times(access_ns, modify_ns, flags, times);
    if (result < 0) {
        return result;
    }
    int fd = alc_linux_use_to_change(context, handle);
    if (fd < 0) {
        return fd;
    }
    result = alc_linux_result(futimens(fd, times));
    alc_linux_leave(context, handle);
    return result;
}

/* -- status flags -- */

struct flag_pair {
    uint32_t flag;
    int linux_flag;
};

/* O_SYNC contains O_DSYNC's bit, so it comes first; Linux has O_RSYNC as O_SYNC. */
static const struct flag_pair flag_pairs[] = {{ALC_OS_OPEN_APPEND, O_APPEND},
                                              {ALC_OS_OPEN_NONBLOCK, O_NONBLOCK},
                                              {ALC_OS_OPEN_SYNC, O_SYNC},
                                              {ALC_OS_OPEN_DSYNC, O_DSYNC}};

static uint32_t neutral_flags(int linux_flags)
{
    uint32_t flags = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(flag_pairs); i++) {
        if ((linux_flags & flag_pairs[i].linux_flag) == flag_pairs[i].linux_flag) {
            flags |= flag_pairs[i].flag;
        }
    }
    return flags;
}

int64_t alc_linux_get_flags(void *context, int32_t handle)
{
    struct alc_os_linux *system = context;
    int fd = alc_linux_use(system, handle);
    if (fd < 0) {
        if (alc_linux_lock_memory(system, handle) == NULL) {
            return fd;
        }
        pthread_mutex_unlock(&system->lock);
        return 0;
    }
    int64_t result = alc_linux_result(fcntl(fd, F_GETFL));
    alc_linux_leave(system, handle);
    return result < 0 ? result : neutral_flags((int)result);
}

/* Linux changes APPEND and NONBLOCK only; asking for another state of the others is refused. A
 * borrowed descriptor keeps all: a stream opened for appending must not become one that can be
 * overwritten, nor a terminal be left without waiting. */
int64_t alc_linux_set_flags(void *context, int32_t handle, uint32_t flags)
{
    enum { CHANGEABLE = ALC_OS_OPEN_APPEND | ALC_OS_OPEN_NONBLOCK };
    if ((flags & ~(uint32_t)ALC_OS_OPEN_STATUS) != 0) {
        return -ALC_OS_INVALID;
    }
    int fd = alc_linux_use(context, handle);
    if (fd < 0) {
        return fd;
    }
    int64_t result = alc_linux_result(fcntl(fd, F_GETFL));
    if (result >= 0) {
        int linux_flags = (int)result & ~(O_APPEND | O_NONBLOCK);
        linux_flags |= (flags & ALC_OS_OPEN_APPEND) != 0 ? O_APPEND : 0;
        linux_flags |= (flags & ALC_OS_OPEN_NONBLOCK) != 0 ? O_NONBLOCK : 0;
        bool same_sync = ((neutral_flags((int)result) ^ flags) & ~(uint32_t)CHANGEABLE) == 0;
        if (!same_sync) {
            result = -ALC_OS_NOT_SUPPORTED;
        } else if (linux_flags == (int)result) {
            result = 0;
        } else if (alc_linux_is_borrowed(context, handle)) {
            result = -ALC_OS_NOT_PERMITTED;
        } else {
            result = alc_linux_result(fcntl(fd, F_SETFL, linux_flags));
        }
    }
    alc_linux_leave(context, handle);
    return result;
}
