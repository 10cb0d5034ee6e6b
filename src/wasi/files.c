/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, writing and the attributes of open files. Rights were checked by the thunks; what is
 * left is the range of the guest's numbers, read-only mounts, and never to hand on an impossible
 * count from the system.
 */
#include "base/checked.h"
#include "wasi/wasi_internal.h"

/* The same memory under the name that os/ uses. */
_Static_assert(sizeof(struct alc_guest_span) == sizeof(struct alc_span), "same layout");
_Static_assert(offsetof(struct alc_guest_span, bytes) == offsetof(struct alc_span, bytes) &&
                   offsetof(struct alc_guest_span, size) == offsetof(struct alc_span, size),
               "same layout");

const struct alc_span *alc_wasi_spans(const struct alc_guest_spans *spans)
{
    return (const struct alc_span *)spans->spans;
}

/* Ends a transfer: how many bytes, which the thunk keeps below 4 GiB. */
static uint16_t transferred(int64_t raw_answer, const struct alc_guest_spans *iovs,
                            uint32_t *out_size)
{
    uint64_t size = 0;
    uint16_t result = alc_wasi_count_of(raw_answer, iovs->size, &size);
    *out_size = (uint32_t)size;
    return result;
}

uint16_t alc_wasi_fd_read(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                          struct alc_guest_spans iovs, uint32_t *out_nread)
{
    return transferred(alc_wasi_os(wasi)->read(alc_wasi_os_context(wasi), fd->handle,
                                               alc_wasi_spans(&iovs), iovs.count),
                       &iovs, out_nread);
}

uint16_t alc_wasi_fd_write(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                           struct alc_guest_spans iovs, uint32_t *out_nwritten)
{
    if (fd->read_only) {
        return ALC_OS_READ_ONLY;
    }
    return transferred(alc_wasi_os(wasi)->write(alc_wasi_os_context(wasi), fd->handle,
                                                alc_wasi_spans(&iovs), iovs.count),
                       &iovs, out_nwritten);
}

uint16_t alc_wasi_fd_pread(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                           struct alc_guest_spans iovs, uint64_t offset, uint32_t *out_nread)
{
    if (offset > INT64_MAX) {
        return ALC_OS_INVALID;
    }
    return transferred(alc_wasi_os(wasi)->read_at(alc_wasi_os_context(wasi), fd->handle,
                                                  alc_wasi_spans(&iovs), iovs.count, offset),
                       &iovs, out_nread);
}

uint16_t alc_wasi_fd_pwrite(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                            struct alc_guest_spans iovs, uint64_t offset, uint32_t *out_nwritten)
{
    if (offset > INT64_MAX) {
        return ALC_OS_INVALID;
    }
    if (fd->read_only) {
        return ALC_OS_READ_ONLY;
    }
    return transferred(alc_wasi_os(wasi)->write_at(alc_wasi_os_context(wasi), fd->handle,
                                                   alc_wasi_spans(&iovs), iovs.count, offset),
                       &iovs, out_nwritten);
}

static uint16_t seek(struct alc_wasi *wasi, const struct alc_wasi_descriptor *fd, int64_t offset,
                     uint32_t whence, uint64_t *out_position)
{
    return alc_wasi_count_of(
        alc_wasi_os(wasi)->seek(alc_wasi_os_context(wasi), fd->handle, offset, whence), INT64_MAX,
        out_position);
}

/* WASI's numbers are those of os/. */
_Static_assert((int)ALC_WASI_WHENCE_SET == (int)ALC_OS_SEEK_SET &&
                   (int)ALC_WASI_WHENCE_CUR == (int)ALC_OS_SEEK_CUR &&
                   (int)ALC_WASI_WHENCE_END == (int)ALC_OS_SEEK_END,
               "same numbers");

uint16_t alc_wasi_fd_seek(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd, int64_t offset,
                          uint8_t whence, uint64_t *out_position)
{
    /* The right to seek includes the right to ask where one is. */
    const bool only_asks = offset == 0 && whence == ALC_WASI_WHENCE_CUR;
    const bool may_ask = only_asks && (fd->rights_base & ALC_WASI_RIGHTS_FD_TELL) != 0;
    uint16_t result =
        may_ask ? ALC_OS_SUCCESS : alc_wasi_descriptor_check(fd, ALC_WASI_RIGHTS_FD_SEEK);
    return result != 0 ? result : seek(wasi, fd, offset, whence, out_position);
}

uint16_t alc_wasi_fd_tell(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                          uint64_t *out_position)
{
    return alc_wasi_fd_seek(wasi, fd, 0, ALC_WASI_WHENCE_CUR, out_position);
}

/* Offsets of files are signed 64-bit numbers everywhere below us. */
static bool range_is_possible(uint64_t offset, uint64_t size)
{
    return alc_range_fits(offset, size, INT64_MAX);
}

uint16_t alc_wasi_fd_advise(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd, uint64_t offset,
                            uint64_t size, uint8_t advice)
{
    if (!range_is_possible(offset, size)) {
        return ALC_OS_INVALID;
    }
    return alc_wasi_errno_of(
        alc_wasi_os(wasi)->advise(alc_wasi_os_context(wasi), fd->handle, offset, size, advice));
}

uint16_t alc_wasi_fd_allocate(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                              uint64_t offset, uint64_t size)
{
    if (size == 0 || !range_is_possible(offset, size)) {
        return ALC_OS_INVALID;
    }
    if (fd->read_only) {
        return ALC_OS_READ_ONLY;
    }
    return alc_wasi_errno_of(
        alc_wasi_os(wasi)->allocate(alc_wasi_os_context(wasi), fd->handle, offset, size));
}

uint16_t alc_wasi_fd_datasync(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd)
{
    return alc_wasi_errno_of(alc_wasi_os(wasi)->sync(alc_wasi_os_context(wasi), fd->handle, 1));
}

uint16_t alc_wasi_fd_sync(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd)
{
    return alc_wasi_errno_of(alc_wasi_os(wasi)->sync(alc_wasi_os_context(wasi), fd->handle, 0));
}

void alc_wasi_filestat_from_os(const struct alc_os_stat *stat, struct alc_wasi_filestat *out)
{
    *out = (struct alc_wasi_filestat){
        .device = stat->device,
        .inode = stat->inode,
        .filetype = alc_wasi_type_of(stat->type),
        .link_count = stat->link_count,
        .size = stat->size,
        .access_time = stat->access_time_ns,
        .modify_time = stat->modify_time_ns,
        .change_time = stat->change_time_ns,
    };
}

uint16_t alc_wasi_fd_filestat_get(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                  struct alc_wasi_filestat *out_stat)
{
    struct alc_os_stat stat = {0};
    uint16_t result =
        alc_wasi_errno_of(alc_wasi_os(wasi)->stat(alc_wasi_os_context(wasi), fd->handle, &stat));
    alc_wasi_filestat_from_os(&stat, out_stat);
    out_stat->filetype = fd->type; /* what was found when it was opened stays true */
    return result;
}

uint16_t alc_wasi_fd_filestat_set_size(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                       uint64_t size)
{
    if (size > INT64_MAX) {
        return ALC_OS_INVALID;
    }
    if (fd->read_only) {
        return ALC_OS_READ_ONLY;
    }
    return alc_wasi_errno_of(
        alc_wasi_os(wasi)->set_size(alc_wasi_os_context(wasi), fd->handle, size));
}

/* The bits have the same numbers on both sides. */
_Static_assert((int)ALC_WASI_FSTFLAGS_ATIM == (int)ALC_OS_TIME_ACCESS &&
                   (int)ALC_WASI_FSTFLAGS_ATIM_NOW == (int)ALC_OS_TIME_ACCESS_NOW &&
                   (int)ALC_WASI_FSTFLAGS_MTIM == (int)ALC_OS_TIME_MODIFY &&
                   (int)ALC_WASI_FSTFLAGS_MTIM_NOW == (int)ALC_OS_TIME_MODIFY_NOW,
               "same numbers");

bool alc_wasi_times_are_valid(uint16_t flags)
{
    const uint16_t access = ALC_WASI_FSTFLAGS_ATIM | ALC_WASI_FSTFLAGS_ATIM_NOW;
    const uint16_t modify = ALC_WASI_FSTFLAGS_MTIM | ALC_WASI_FSTFLAGS_MTIM_NOW;
    return (flags & access) != access && (flags & modify) != modify;
}

uint16_t alc_wasi_fd_filestat_set_times(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                        uint64_t access_time, uint64_t modify_time, uint16_t flags)
{
    if (!alc_wasi_times_are_valid(flags)) {
        return ALC_OS_INVALID;
    }
    if (fd->read_only) {
        return ALC_OS_READ_ONLY;
    }
    return alc_wasi_errno_of(alc_wasi_os(wasi)->set_times(alc_wasi_os_context(wasi), fd->handle,
                                                          access_time, modify_time, flags));
}
