/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on the listening socket that it was given; sockets.json says what its client does.
 */
#include "check.h"

enum { LISTENER = 4 }; /* behind the directory */

int main(void)
{
    __wasi_fdstat_t stat;
    OK(__wasi_fd_fdstat_get(LISTENER, &stat));
    CHECK(stat.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM);
    __wasi_prestat_t prestat;
    EXPECT(__wasi_fd_prestat_get(LISTENER, &prestat), __WASI_ERRNO_BADF);
    __wasi_subscription_t sub = {.userdata = 1};
    sub.u.tag = __WASI_EVENTTYPE_FD_READ;
    sub.u.u.fd_read.file_descriptor = LISTENER;
    __wasi_event_t event;
    __wasi_size_t size = 0;
    OK(__wasi_poll_oneoff(&sub, &event, 1, &size));
    CHECK(size == 1 && event.error == 0);
    __wasi_fd_t fd = 0;
    EXPECT(__wasi_sock_accept(LISTENER, __WASI_FDFLAGS_APPEND, &fd), __WASI_ERRNO_INVAL);
    OK(__wasi_sock_accept(LISTENER, 0, &fd));
    EXPECT(__wasi_sock_accept(fd, 0, &(__wasi_fd_t){0}), __WASI_ERRNO_NOTCAPABLE);
    char text[32] = "";
    __wasi_roflags_t flags = 9;
    __wasi_iovec_t peek = {(uint8_t *)text, 4};
    OK(__wasi_sock_recv(fd, &peek, 1, __WASI_RIFLAGS_RECV_PEEK | __WASI_RIFLAGS_RECV_WAITALL, &size,
                        &flags));
    CHECK(size == 4 && flags == 0 && strcmp(text, "ques") == 0);
    __wasi_iovec_t parts[2] = {{(uint8_t *)text, 5}, {(uint8_t *)text + 5, 3}};
    OK(__wasi_sock_recv(fd, parts, 2, __WASI_RIFLAGS_RECV_WAITALL, &size, &flags));
    CHECK(size == 8 && strcmp(text, "question") == 0);
    __wasi_ciovec_t answer[2] = {{(const uint8_t *)"ans", 3}, {(const uint8_t *)"wer", 3}};
    OK(__wasi_sock_send(fd, answer, 2, 0, &size));
    CHECK(size == 6);
    EXPECT(__wasi_sock_shutdown(fd, 0), __WASI_ERRNO_INVAL);
    OK(__wasi_sock_shutdown(fd, __WASI_SDFLAGS_WR));
    OK(__wasi_fd_close(fd));
    __wasi_fd_t file = open_at(ROOT, "hello.txt", 0, FILE_RIGHTS);
    EXPECT(__wasi_sock_accept(file, 0, &fd), __WASI_ERRNO_NOTSOCK);
    EXPECT(__wasi_sock_send(file, answer, 1, 0, &size), __WASI_ERRNO_NOTSOCK);
    EXPECT(__wasi_sock_recv(file, parts, 1, 0, &size, &flags), __WASI_ERRNO_NOTSOCK);
    EXPECT(__wasi_sock_shutdown(file, 1), __WASI_ERRNO_NOTSOCK);
    return 0;
}
