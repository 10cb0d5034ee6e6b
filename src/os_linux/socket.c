/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets that were granted: accepting, messages, shutting down.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "os_linux/os_linux_internal.h"

/* One message out of the spans; IOV_MAX pieces at most. */
static struct msghdr message_of(const struct alc_span *spans, size_t spans_count)
{
    struct msghdr message = {.msg_iovlen = spans_count < IOV_MAX ? spans_count : IOV_MAX};
    /* The kernel writes through the vectors, never to them. */
    alc_copy(&message.msg_iov, &spans, sizeof message.msg_iov);
    return message;
}

int64_t alc_linux_accept(void *context, int32_t handle, uint32_t flags)
{
    if ((flags & ~(uint32_t)ALC_OS_OPEN_NONBLOCK) != 0) {
        return -ALC_OS_INVALID;
    }
    int fd = alc_linux_use(context, handle);
    if (fd < 0) {
        return fd;
    }
    int accept_flags = SOCK_CLOEXEC | ((flags & ALC_OS_OPEN_NONBLOCK) != 0 ? SOCK_NONBLOCK : 0);
    int64_t result;
    do {
        result = alc_linux_result(accept4(fd, NULL, NULL, accept_flags));
    } while (result == -ALC_OS_INTERRUPTED);
    alc_linux_leave(context, handle);
    return result < 0 ? result : alc_linux_add(context, (int)result, 0);
}

int64_t alc_linux_recv(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count, uint32_t flags, uint32_t *out_flags)
{
    if ((flags & ~(uint32_t)(ALC_OS_RECV_PEEK | ALC_OS_RECV_WAITALL)) != 0) {
        return -ALC_OS_INVALID;
    }
    int fd = alc_linux_use(context, handle);
    if (fd < 0) {
        return fd;
    }
    struct msghdr message = message_of(spans, spans_count);
    int recv_flags = ((flags & ALC_OS_RECV_PEEK) != 0 ? MSG_PEEK : 0) |
                     ((flags & ALC_OS_RECV_WAITALL) != 0 ? MSG_WAITALL : 0);
    int64_t result;
    do {
        result = alc_linux_result(recvmsg(fd, &message, recv_flags));
    } while (result == -ALC_OS_INTERRUPTED);
    alc_linux_leave(context, handle);
    *out_flags = (message.msg_flags & MSG_TRUNC) != 0 ? ALC_OS_RECV_TRUNCATED : 0;
    return result;
}

int64_t alc_linux_send(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count)
{
    int fd = alc_linux_use(context, handle);
    if (fd < 0) {
        return fd;
    }
    struct msghdr message = message_of(spans, spans_count);
    int64_t result;
    do {
        result = alc_linux_result(sendmsg(fd, &message, MSG_NOSIGNAL));
    } while (result == -ALC_OS_INTERRUPTED);
    alc_linux_leave(context, handle);
    return result;
}

int64_t alc_linux_shutdown(void *context, int32_t handle, uint32_t how)
{
    static const int hows[] = {-1, SHUT_RD, SHUT_WR, SHUT_RDWR};
    if (how == 0 || how >= ALC_ARRAY_COUNT(hows)) {
        return -ALC_OS_INVALID;
    }
    int fd = alc_linux_use(context, handle);
    if (fd < 0) {
        return fd;
    }
    int64_t result = alc_linux_result(shutdown(fd, hows[how]));
    alc_linux_leave(context, handle);
    return result;
}
