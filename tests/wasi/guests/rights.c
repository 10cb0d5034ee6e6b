/* SPDX-License-Identifier: Apache-2.0
 *
 * A read-only directory, and directories that hand down few rights.
 */
#include "check.h"

enum { FIXED = 4 }; /* the read-only directory */

int main(void)
{
    __wasi_fd_t fd = 0;
    /* The two are sorted by name: /, /fixed. */
    uint8_t name[8] = "";
    OK(__wasi_fd_prestat_dir_name(FIXED, name, sizeof name));
    CHECK(strcmp((char *)name, "/fixed") == 0);
    char text[32];
    CHECK(read_text(open_at(FIXED, "hello.txt", 0, FILE_RIGHTS & ~__WASI_RIGHTS_FD_WRITE), text,
                    sizeof text) == 6);
    CHECK(strcmp(text, "hello\n") == 0);
    EXPECT(__wasi_path_open(FIXED, 0, "hello.txt", 0, FILE_RIGHTS, 0, 0, &fd), __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_open(FIXED, 0, "hello.txt", __WASI_OFLAGS_TRUNC, 0, 0, 0, &fd),
           __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_open(FIXED, 0, "new", __WASI_OFLAGS_CREAT, 0, 0, 0, &fd), __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_create_directory(FIXED, "new"), __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_unlink_file(FIXED, "hello.txt"), __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_rename(FIXED, "hello.txt", ROOT, "x"), __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_link(FIXED, 0, "hello.txt", ROOT, "x"), __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_symlink("x", FIXED, "y"), __WASI_ERRNO_ROFS);
    EXPECT(__wasi_path_filestat_set_times(FIXED, 0, "hello.txt", 0, 0, __WASI_FSTFLAGS_MTIM_NOW),
           __WASI_ERRNO_ROFS);
    fd = open_at(FIXED, "hello.txt", 0, FILE_RIGHTS & ~__WASI_RIGHTS_FD_WRITE);
    EXPECT(__wasi_fd_filestat_set_size(fd, 0), __WASI_ERRNO_ROFS);
    /* The C library opens for reading as usual. */
    FILE *file = fopen("/fixed/hello.txt", "r");
    CHECK(file != NULL && fgetc(file) == 'h');
    CHECK(fopen("/fixed/hello.txt", "w") == NULL);
    /* A directory that may only be listed. */
    OK(__wasi_path_create_directory(ROOT, "dir"));
    fd = open_at(ROOT, "dir", __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_FD_READDIR);
    __wasi_fd_t ignored = 0;
    EXPECT(__wasi_path_open(fd, 0, "x", __WASI_OFLAGS_CREAT, 0, 0, 0, &ignored),
           __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_unlink_file(fd, "x"), __WASI_ERRNO_NOTCAPABLE);
    /* One that may open, but hands down reading only. */
    OK(__wasi_path_open(ROOT, 0, "dir", __WASI_OFLAGS_DIRECTORY, DIRECTORY_RIGHTS,
                        __WASI_RIGHTS_FD_READ, 0, &fd));
    OK(__wasi_path_open(fd, 0, "x", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_READ, 0, 0, &ignored));
    EXPECT(__wasi_path_open(fd, 0, "x", 0, __WASI_RIGHTS_FD_WRITE, 0, 0, &ignored),
           __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_open(fd, 0, "x", __WASI_OFLAGS_TRUNC, __WASI_RIGHTS_FD_READ, 0, 0, &ignored),
           __WASI_ERRNO_NOTCAPABLE);
    return 0;
}
