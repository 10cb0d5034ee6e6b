/* SPDX-License-Identifier: Apache-2.0
 *
 * Ways out of a directory: none may work. Beside the directory lies a file `secret`; links to it,
 * one of them absolute, were put into the directory by the host, and the program makes more.
 */
#include "check.h"

enum { FOLLOW = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, PROC = 4 };

/* Nothing may come of the path, whatever is done with it. */
static void expect_closed(__wasi_fd_t dir, const char *path)
{
    __wasi_fd_t fd = 0;
    __wasi_filestat_t stat;
    static const __wasi_oflags_t flags[] = {0, __WASI_OFLAGS_CREAT, __WASI_OFLAGS_TRUNC,
                                            __WASI_OFLAGS_DIRECTORY};
    for (int i = 0; i < 4; i++) {
        int error = __wasi_path_open(
            dir, FOLLOW, path, flags[i],
            flags[i] == __WASI_OFLAGS_DIRECTORY ? 0 : __WASI_RIGHTS_FD_READ, 0, 0, &fd);
        if (error == 0) {
            fprintf(stderr, "escaped: %s opened\n", path);
            exit(1);
        }
    }
    CHECK(__wasi_path_filestat_get(dir, FOLLOW, path, &stat) != 0);
    CHECK(__wasi_path_filestat_set_times(dir, FOLLOW, path, 0, 0, __WASI_FSTFLAGS_MTIM_NOW) != 0);
}

static void expect_not_capable(const char *path)
{
    __wasi_fd_t fd = 0;
    EXPECT(__wasi_path_open(ROOT, FOLLOW, path, 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
    expect_closed(ROOT, path);
}

static void letters(void)
{
    expect_not_capable("/etc/passwd");
    expect_not_capable("..");
    expect_not_capable("../secret");
    expect_not_capable("dir/../../secret");
    expect_not_capable("./dir/.././../secret");
    EXPECT(__wasi_path_create_directory(ROOT, "../new"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_unlink_file(ROOT, "../secret"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_rename(ROOT, "../secret", ROOT, "mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_rename(ROOT, "inside", ROOT, "../mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_link(ROOT, 0, "../secret", ROOT, "mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_link(ROOT, 0, "inside", ROOT, "../mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_symlink("x", ROOT, "../mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_symlink("/etc", ROOT, "etc"), __WASI_ERRNO_NOTCAPABLE);
}

static void links(void)
{
    OK(__wasi_path_create_directory(ROOT, "dir"));
    OK(__wasi_path_symlink("../secret", ROOT, "relative"));
    OK(__wasi_path_symlink("../../secret", ROOT, "dir/deep"));
    OK(__wasi_path_symlink("..", ROOT, "up"));
    OK(__wasi_path_symlink("dir/../..", ROOT, "around"));
    OK(__wasi_path_symlink("chain-2", ROOT, "chain-1"));
    OK(__wasi_path_symlink("dir/chain-3", ROOT, "chain-2"));
    OK(__wasi_path_symlink("../up/secret", ROOT, "dir/chain-3"));
    static const char *const paths[] = {
        "relative", "dir/deep",  "up",       "up/secret",     "around",
        "chain-1",  "chain-2",   "absolute", "parent",        "parent/secret",
        "host-up",  "root-link", "up/.",     "around/secret", "root-link/etc/passwd",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        expect_closed(ROOT, paths[i]);
    }
    EXPECT(__wasi_path_unlink_file(ROOT, "up/secret"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_create_directory(ROOT, "up/new"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_rename(ROOT, "up/secret", ROOT, "mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_rename(ROOT, "inside", ROOT, "parent/mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_link(ROOT, 0, "parent/secret", ROOT, "mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_symlink("x", ROOT, "up/mine"), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_remove_directory(ROOT, "up/other"), __WASI_ERRNO_NOTCAPABLE);
    /* A link that stays inside is fine, also through `..`. */
    OK(__wasi_path_symlink("../inside", ROOT, "dir/fine"));
    __wasi_fd_t fd = 0;
    OK(__wasi_path_open(ROOT, FOLLOW, "dir/fine", 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd));
    char text[16];
    CHECK(read_text(fd, text, sizeof text) == 7 && strcmp(text, "inside\n") == 0);
}

/* A directory opened inside is a new top: `..` leads nowhere from it. */
static void directories(void)
{
    __wasi_fd_t dir = open_at(ROOT, "dir", __WASI_OFLAGS_DIRECTORY, DIRECTORY_RIGHTS);
    __wasi_fd_t fd = 0;
    EXPECT(__wasi_path_open(dir, 0, "../inside", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
    EXPECT(__wasi_path_open(dir, FOLLOW, "fine", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
    /* Moving it elsewhere changes nothing. */
    OK(__wasi_path_rename(ROOT, "dir", ROOT, "moved"));
    EXPECT(__wasi_path_open(dir, 0, "..", __WASI_OFLAGS_DIRECTORY, 0, 0, 0, &fd),
           __WASI_ERRNO_NOTCAPABLE);
}

static void magic_links(void)
{
    static const char *const paths[] = {"root", "root/etc/passwd", "cwd", "cwd/.", "exe", "fd/0",
                                        "fd/1", "fd/3/inside"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        expect_closed(PROC, paths[i]);
    }
}

int main(void)
{
    letters();
    links();
    directories();
    magic_links();
    return 0;
}
