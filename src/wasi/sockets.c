/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets. A program cannot make one: it gets listeners and connections when it starts, and what
 * sock_accept takes from a listener.
 */
#include "wasi/wasi_internal.h"

uint16_t alc_wasi_sock_accept(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd, uint16_t flags,
                              uint32_t *out_accepted)
{
    if ((flags & ~ALC_WASI_FDFLAGS_NONBLOCK) != 0) {
        return ALC_OS_INVALID;
    }
    if (!alc_wasi_descriptor_is_free(wasi)) {
        return ALC_OS_TOO_MANY_OPEN;
    }
    uint64_t handle = 0;
    uint16_t result =
        alc_wasi_count_of(alc_wasi_os(wasi)->accept(alc_wasi_os_context(wasi), fd->handle,
                                                    alc_wasi_flags_to_os(flags)),
                          INT32_MAX, &handle);
    if (result == 0 && handle < ALC_OS_FIRST_MOUNT) {
        return ALC_OS_IO; /* never one that was granted beforehand */
    }
    if (result != 0) {
        return result;
    }
    const struct alc_wasi_descriptor accepted = {
        .rights_base = fd->rights_inheriting & ALC_WASI_RIGHTS_OF_SOCKETS,
        .handle = (int32_t)handle,
        .preopen_index = ALC_WASI_NO_PREOPEN,
        .type = ALC_WASI_FILETYPE_SOCKET_STREAM,
        .is_open = true,
    };
    return alc_wasi_descriptor_insert(wasi, &accepted, out_accepted);
}

/* The flags have the same numbers on both sides. */
_Static_assert((int)ALC_WASI_RIFLAGS_RECV_PEEK == (int)ALC_OS_RECV_PEEK &&
                   (int)ALC_WASI_RIFLAGS_RECV_WAITALL == (int)ALC_OS_RECV_WAITALL,
               "same numbers");
_Static_assert((int)ALC_WASI_SDFLAGS_RD == (int)ALC_OS_SHUTDOWN_READ &&
                   (int)ALC_WASI_SDFLAGS_WR == (int)ALC_OS_SHUTDOWN_WRITE,
               "same numbers");

uint16_t alc_wasi_sock_recv(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                            struct alc_guest_spans iovs, uint16_t flags, uint32_t *out_nread,
                            uint16_t *out_out_flags)
{
    if (!alc_wasi_is_socket(fd)) {
        return ALC_OS_NOT_SOCKET;
    }
    uint32_t raw_flags = 0;
    uint64_t size = 0;
    uint16_t result = alc_wasi_count_of(alc_wasi_os(wasi)->recv(alc_wasi_os_context(wasi),
                                                                fd->handle, alc_wasi_spans(&iovs),
                                                                iovs.count, flags, &raw_flags),
                                        iovs.size, &size);
    *out_nread = (uint32_t)size;
    *out_out_flags =
        (raw_flags & ALC_OS_RECV_TRUNCATED) != 0 ? ALC_WASI_ROFLAGS_RECV_DATA_TRUNCATED : 0;
    return result;
}

uint16_t alc_wasi_sock_send(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                            struct alc_guest_spans iovs, uint16_t flags, uint32_t *out_nwritten)
{
    ALC_ASSERT(flags == 0); /* the thunk refused all others */
    if (!alc_wasi_is_socket(fd)) {
        return ALC_OS_NOT_SOCKET;
    }
    uint64_t size = 0;
    uint16_t result =
        alc_wasi_count_of(alc_wasi_os(wasi)->send(alc_wasi_os_context(wasi), fd->handle,
                                                  alc_wasi_spans(&iovs), iovs.count),
                          iovs.size, &size);
    *out_nwritten = (uint32_t)size;
    return result;
}

uint16_t alc_wasi_sock_shutdown(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd, uint8_t how)
{
    if (how == 0) {
        return ALC_OS_INVALID;
    }
    return alc_wasi_errno_of(
        alc_wasi_os(wasi)->shutdown(alc_wasi_os_context(wasi), fd->handle, how));
}
