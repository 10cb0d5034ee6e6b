/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks for programs that test WASI from inside: the first that fails names itself and ends the
 * program with exit code 1.
 */
#ifndef ALC_TESTS_WASI_CHECK_H
#define ALC_TESTS_WASI_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasi/api.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* `call` gives the error number `expected`. */
#define EXPECT(call, expected)                                                                     \
    do {                                                                                           \
        int error_ = (call);                                                                       \
        if (error_ != (expected)) {                                                                \
            fprintf(stderr, "line %d: %s: error %d, not %d\n", __LINE__, #call, error_,            \
                    (int)(expected));                                                              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define OK(call) EXPECT(call, __WASI_ERRNO_SUCCESS)

enum { ROOT = 3 }; /* the first preopened directory */

#define FILE_RIGHTS                                                                                \
    (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK |                      \
     __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_ADVISE | __WASI_RIGHTS_FD_ALLOCATE |                 \
     __WASI_RIGHTS_FD_SYNC | __WASI_RIGHTS_FD_DATASYNC | __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS |       \
     __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE |                          \
     __WASI_RIGHTS_FD_FILESTAT_SET_TIMES | __WASI_RIGHTS_POLL_FD_READWRITE)
#define DIRECTORY_RIGHTS                                                                           \
    (__WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_PATH_CREATE_FILE |         \
     __WASI_RIGHTS_PATH_FILESTAT_GET | __WASI_RIGHTS_PATH_UNLINK_FILE)

static inline __wasi_fd_t open_at(__wasi_fd_t dir, const char *path, __wasi_oflags_t flags,
                                  __wasi_rights_t rights)
{
    __wasi_fd_t fd = 0;
    int error = __wasi_path_open(dir, 0, path, flags, rights, 0, 0, &fd);
    if (error != 0) {
        fprintf(stderr, "open %s: error %d\n", path, error);
        exit(1);
    }
    return fd;
}

static inline void write_text(__wasi_fd_t fd, const char *text)
{
    __wasi_ciovec_t iov = {(const uint8_t *)text, strlen(text)};
    __wasi_size_t written = 0;
    OK(__wasi_fd_write(fd, &iov, 1, &written));
    CHECK(written == iov.buf_len);
}

/* Reads once; the text read is NUL-terminated in `out`. */
static inline size_t read_text(__wasi_fd_t fd, char *out, size_t size)
{
    __wasi_iovec_t iov = {(uint8_t *)out, size - 1};
    __wasi_size_t got = 0;
    OK(__wasi_fd_read(fd, &iov, 1, &got));
    CHECK(got < size);
    out[got] = '\0';
    return got;
}

#endif
