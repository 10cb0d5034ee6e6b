/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that can be done with an open file.
 */
#include "check.h"

static void transfers(__wasi_fd_t fd)
{
    __wasi_ciovec_t parts[3] = {
        {(const uint8_t *)"hello ", 6}, {NULL, 0}, {(const uint8_t *)"world", 5}};
    __wasi_size_t size = 0;
    __wasi_filesize_t position = 0;
    OK(__wasi_fd_write(fd, parts, 3, &size));
    CHECK(size == 11);
    OK(__wasi_fd_tell(fd, &position));
    CHECK(position == 11);
    OK(__wasi_fd_pwrite(fd, &parts[2], 1, 0, &size));
    OK(__wasi_fd_seek(fd, -11, __WASI_WHENCE_END, &position));
    CHECK(position == 0);
    char text[32] = "";
    char more[32] = "";
    __wasi_iovec_t two[2] = {{(uint8_t *)text, 3}, {(uint8_t *)more, 20}};
    OK(__wasi_fd_read(fd, two, 2, &size));
    CHECK(size == 11 && strcmp(text, "wor") == 0 && strcmp(more, "ld world") == 0);
    OK(__wasi_fd_read(fd, two, 2, &size));
    CHECK(size == 0);
    memset(text, 0, sizeof text);
    OK(__wasi_fd_pread(fd, two, 1, 6, &size));
    CHECK(size == 3 && strcmp(text, "wor") == 0);
    EXPECT(__wasi_fd_seek(fd, -1, __WASI_WHENCE_SET, &position), __WASI_ERRNO_INVAL);
    EXPECT(__wasi_fd_pread(fd, two, 1, UINT64_MAX, &size), __WASI_ERRNO_INVAL);
}

static void attributes(__wasi_fd_t fd)
{
    __wasi_filestat_t stat;
    OK(__wasi_fd_filestat_get(fd, &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_REGULAR_FILE && stat.size == 11 && stat.nlink == 1);
    OK(__wasi_fd_filestat_set_size(fd, 4));
    OK(__wasi_fd_filestat_set_times(fd, 1000000000, 2000000000,
                                    __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    OK(__wasi_fd_filestat_get(fd, &stat));
    CHECK(stat.size == 4 && stat.mtim == 2000000000);
    OK(__wasi_fd_filestat_set_times(fd, 0, 0, __WASI_FSTFLAGS_MTIM_NOW));
    OK(__wasi_fd_filestat_get(fd, &stat));
    CHECK(stat.mtim > UINT64_C(1700000000000000000) && stat.atim == 1000000000);
    EXPECT(__wasi_fd_filestat_set_times(fd, 0, 0, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW),
           __WASI_ERRNO_INVAL);
    int allocated = __wasi_fd_allocate(fd, 0, 100);
    CHECK(allocated == 0 || allocated == __WASI_ERRNO_NOTSUP);
    OK(__wasi_fd_filestat_get(fd, &stat));
    CHECK(stat.size == (allocated == 0 ? 100 : 4));
    EXPECT(__wasi_fd_allocate(fd, 0, 0), __WASI_ERRNO_INVAL);
    OK(__wasi_fd_advise(fd, 0, 10, __WASI_ADVICE_RANDOM));
    OK(__wasi_fd_sync(fd));
    OK(__wasi_fd_datasync(fd));
}

static void flags(void)
{
    __wasi_fd_t fd = 0;
    OK(__wasi_path_open(ROOT, 0, "log", __WASI_OFLAGS_CREAT, FILE_RIGHTS, 0, __WASI_FDFLAGS_APPEND,
                        &fd));
    write_text(fd, "one");
    __wasi_filesize_t position = 0;
    OK(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
    write_text(fd, "two");
    __wasi_fdstat_t stat;
    OK(__wasi_fd_fdstat_get(fd, &stat));
    CHECK(stat.fs_filetype == __WASI_FILETYPE_REGULAR_FILE);
    CHECK(stat.fs_flags == __WASI_FDFLAGS_APPEND && stat.fs_rights_base == FILE_RIGHTS);
    OK(__wasi_fd_fdstat_set_flags(fd, 0));
    OK(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
    write_text(fd, "ONE");
    OK(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
    char text[16];
    CHECK(read_text(fd, text, sizeof text) == 6 && strcmp(text, "ONEtwo") == 0);
    OK(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_READ, 0));
    __wasi_ciovec_t iov = {(const uint8_t *)"x", 1};
    __wasi_size_t size = 0;
    EXPECT(__wasi_fd_write(fd, &iov, 1, &size), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_fd_fdstat_set_rights(fd, FILE_RIGHTS, 0), __WASI_ERRNO_NOTCAPABLE);
    OK(__wasi_fd_close(fd));
    EXPECT(__wasi_fd_close(fd), __WASI_ERRNO_BADF);
}

int main(void)
{
    __wasi_fd_t fd = open_at(ROOT, "file", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, FILE_RIGHTS);
    transfers(fd);
    attributes(fd);
    __wasi_fd_t other = open_at(ROOT, "other", __WASI_OFLAGS_CREAT, FILE_RIGHTS);
    OK(__wasi_fd_renumber(fd, other));
    EXPECT(__wasi_fd_sync(fd), __WASI_ERRNO_BADF);
    EXPECT(__wasi_fd_renumber(other, fd), __WASI_ERRNO_BADF);
    OK(__wasi_fd_sync(other));
    __wasi_fd_t again = open_at(ROOT, "file", __WASI_OFLAGS_TRUNC, FILE_RIGHTS);
    CHECK(again == fd); /* the lowest free number */
    __wasi_filestat_t stat;
    OK(__wasi_fd_filestat_get(other, &stat));
    CHECK(stat.size == 0);
    __wasi_fd_t ignored = 0;
    EXPECT(__wasi_path_open(ROOT, 0, "file", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, 0, 0, 0,
                            &ignored),
           __WASI_ERRNO_EXIST);
    EXPECT(__wasi_path_open(ROOT, 0, "file", __WASI_OFLAGS_DIRECTORY, 0, 0, 0, &ignored),
           __WASI_ERRNO_NOTDIR);
    flags();
    /* Many descriptors, up to the limit and one past it. */
    int opened = 0;
    int error = 0;
    while (error == 0 && opened < 2000) {
        error = __wasi_path_open(ROOT, 0, "file", 0, FILE_RIGHTS, 0, 0, &ignored);
        opened += error == 0;
    }
    CHECK(error == __WASI_ERRNO_MFILE);
    CHECK(ignored == 1023);
    return 0;
}
