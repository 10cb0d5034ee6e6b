/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree that is there and cannot be changed, whatever kind of mount it is: a read-only directory
 * of the host, or an archive. Everything that reads works as in any directory, everything that
 * would change something is refused with one number.
 */
#include "listing.h"

enum { FOLLOW = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW };

#define READ_RIGHTS                                                                                \
    (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL |                       \
     __WASI_RIGHTS_FD_ADVISE | __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_POLL_FD_READWRITE)
#define LIST_RIGHTS (__WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_READDIR)

static void reading(void)
{
    __wasi_fd_t fd = open_at(ROOT, "file", 0, READ_RIGHTS);
    __wasi_filestat_t stat;
    __wasi_filesize_t position = 0;
    __wasi_size_t size = 0;
    char text[32];
    CHECK(read_text(fd, text, 6) == 5 && strcmp(text, "hello") == 0);
    OK(__wasi_fd_tell(fd, &position));
    CHECK(position == 5);
    OK(__wasi_fd_seek(fd, -5, __WASI_WHENCE_END, &position));
    CHECK(position == 6 && read_text(fd, text, sizeof text) == 5 && strcmp(text, "world") == 0);
    CHECK(read_text(fd, text, sizeof text) == 0);
    __wasi_iovec_t two[2] = {{(uint8_t *)text, 3}, {(uint8_t *)text + 4, 20}};
    memset(text, 0, sizeof text);
    OK(__wasi_fd_pread(fd, two, 2, 2, &size));
    CHECK(size == 9 && strcmp(text, "llo") == 0 && strcmp(text + 4, " world") == 0);
    OK(__wasi_fd_pread(fd, two, 2, 11, &size));
    CHECK(size == 0);
    EXPECT(__wasi_fd_pread(fd, two, 1, UINT64_MAX, &size), __WASI_ERRNO_INVAL);
    EXPECT(__wasi_fd_seek(fd, -1, __WASI_WHENCE_SET, &position), __WASI_ERRNO_INVAL);
    OK(__wasi_fd_filestat_get(fd, &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_REGULAR_FILE && stat.size == 11 && stat.nlink == 2);
    OK(__wasi_fd_advise(fd, 0, 10, __WASI_ADVICE_RANDOM));
    /* Two descriptors of a file have two positions. */
    __wasi_fd_t other = open_at(ROOT, "deep/../file", 0, READ_RIGHTS);
    CHECK(read_text(other, text, sizeof text) == 11 && strcmp(text, "hello world") == 0);
    OK(__wasi_fd_renumber(other, fd));
    EXPECT(__wasi_fd_tell(other, &position), __WASI_ERRNO_BADF);
    OK(__wasi_fd_tell(fd, &position));
    CHECK(position == 11);
    OK(__wasi_fd_close(fd));
}

static void names(void)
{
    __wasi_filestat_t stat;
    __wasi_filestat_t second;
    uint8_t target[16];
    __wasi_size_t used = 0;
    __wasi_fd_t fd = 0;
    char text[32];
    OK(__wasi_path_filestat_get(ROOT, 0, "file", &stat));
    OK(__wasi_path_filestat_get(ROOT, 0, "second", &second)); /* a name of the same file */
    CHECK(stat.ino == second.ino && stat.dev == second.dev && second.nlink == 2);
    OK(__wasi_path_filestat_get(ROOT, 0, "deep/er/", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_DIRECTORY);
    OK(__wasi_path_readlink(ROOT, "soft", target, sizeof target, &used));
    CHECK(used == 12 && memcmp(target, "deep/er/leaf", 12) == 0);
    OK(__wasi_path_readlink(ROOT, "soft", target, 3, &used));
    CHECK(used == 3);
    EXPECT(__wasi_path_readlink(ROOT, "file", target, 3, &used), __WASI_ERRNO_INVAL);
    OK(__wasi_path_filestat_get(ROOT, 0, "soft", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
    OK(__wasi_path_filestat_get(ROOT, FOLLOW, "soft", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_REGULAR_FILE && stat.size == 10);
    EXPECT(__wasi_path_open(ROOT, 0, "soft", 0, 0, 0, 0, &fd), __WASI_ERRNO_LOOP);
    OK(__wasi_path_open(ROOT, FOLLOW, "soft", 0, READ_RIGHTS, 0, 0, &fd));
    CHECK(read_text(fd, text, sizeof text) == 10 && strcmp(text, "down here\n") == 0);
    OK(__wasi_fd_close(fd));
    OK(__wasi_path_open(ROOT, 0, "way/er/leaf", 0, READ_RIGHTS, 0, 0, &fd)); /* through a link */
    OK(__wasi_fd_close(fd));
    EXPECT(__wasi_path_open(ROOT, FOLLOW, "loop", 0, 0, 0, 0, &fd), __WASI_ERRNO_LOOP);
    EXPECT(__wasi_path_open(ROOT, FOLLOW, "dangling", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOENT);
    EXPECT(__wasi_path_open(ROOT, 0, "nothing", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOENT);
    EXPECT(__wasi_path_open(ROOT, 0, "file/x", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTDIR);
    EXPECT(__wasi_path_open(ROOT, 0, "file/", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTDIR);
    EXPECT(__wasi_path_open(ROOT, 0, "file", __WASI_OFLAGS_DIRECTORY, 0, 0, 0, &fd),
           __WASI_ERRNO_NOTDIR);
    EXPECT(__wasi_path_filestat_get(ROOT, 0, "", &stat), __WASI_ERRNO_NOENT);
    EXPECT(__wasi_path_filestat_get(ROOT, 0, "\xff", &stat), __WASI_ERRNO_ILSEQ);
}

/* Letters and links of the tree that lead out of it. */
static void ways_out(void)
{
    static const char *const paths[] = {"..",     "../secret", "deep/../../secret", "/etc/passwd",
                                        "parent", "absolute",  "parent/secret"};
    __wasi_filestat_t stat;
    __wasi_fd_t fd = 0;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        EXPECT(__wasi_path_open(ROOT, FOLLOW, paths[i], 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd),
               __WASI_ERRNO_NOTCAPABLE);
        EXPECT(__wasi_path_filestat_get(ROOT, FOLLOW, paths[i], &stat), __WASI_ERRNO_NOTCAPABLE);
    }
    __wasi_fd_t deep = open_at(ROOT, "deep", __WASI_OFLAGS_DIRECTORY, LIST_RIGHTS);
    EXPECT(__wasi_path_open(deep, 0, "../file", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
    OK(__wasi_path_open(deep, 0, "er/leaf", 0, 0, 0, 0, &fd));
}

static void changing_names(void)
{
    const int refused = __WASI_ERRNO_ROFS;
    __wasi_fd_t fd = 0;
    EXPECT(__wasi_path_open(ROOT, 0, "new", __WASI_OFLAGS_CREAT, 0, 0, 0, &fd), refused);
    EXPECT(__wasi_path_open(ROOT, 0, "file", __WASI_OFLAGS_TRUNC, 0, 0, 0, &fd), refused);
    EXPECT(__wasi_path_open(ROOT, 0, "file", 0, FILE_RIGHTS, 0, 0, &fd), refused);
    EXPECT(__wasi_path_create_directory(ROOT, "new"), refused);
    EXPECT(__wasi_path_remove_directory(ROOT, "deep"), refused);
    EXPECT(__wasi_path_unlink_file(ROOT, "file"), refused);
    EXPECT(__wasi_path_rename(ROOT, "file", ROOT, "new"), refused);
    EXPECT(__wasi_path_link(ROOT, 0, "file", ROOT, "new"), refused);
    EXPECT(__wasi_path_symlink("file", ROOT, "new"), refused);
    EXPECT(__wasi_path_filestat_set_times(ROOT, 0, "file", 0, 0, __WASI_FSTFLAGS_MTIM_NOW),
           refused);
    CHECK(fopen("/file", "w") == NULL && fopen("/new", "w") == NULL && remove("/file") != 0);
}

/* With a descriptor that may read. */
static void changing_files(void)
{
    const int refused = __WASI_ERRNO_ROFS;
    __wasi_fd_t fd = open_at(ROOT, "file", 0, FILE_RIGHTS & ~__WASI_RIGHTS_FD_WRITE);
    __wasi_ciovec_t iov = {(const uint8_t *)"x", 1};
    __wasi_size_t size = 0;
    __wasi_filestat_t before;
    __wasi_filestat_t after;
    OK(__wasi_fd_filestat_get(fd, &before));
    EXPECT(__wasi_fd_write(fd, &iov, 1, &size), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_fd_pwrite(fd, &iov, 1, 0, &size), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_fd_filestat_set_size(fd, 0), refused);
    EXPECT(__wasi_fd_filestat_set_times(fd, 0, 5000000000, __WASI_FSTFLAGS_MTIM), refused);
    EXPECT(__wasi_fd_allocate(fd, 0, 100), refused);
    OK(__wasi_fd_filestat_get(fd, &after));
    CHECK(before.size == after.size && before.mtim == after.mtim);
}

int main(void)
{
    reading();
    names();
    ways_out();
    changing_names();
    changing_files();
    __wasi_fd_t many = open_at(ROOT, "many", __WASI_OFLAGS_DIRECTORY, LIST_RIGHTS);
    list(many, 8192);
    list(many, 100);
    list(many, 53);
    return 0;
}
