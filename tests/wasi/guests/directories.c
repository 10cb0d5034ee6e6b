/* SPDX-License-Identifier: Apache-2.0
 *
 * Directories, links and paths: making, listing with small buffers, renaming, removing.
 */
#include "listing.h"

static void preopens(void)
{
    __wasi_prestat_t stat;
    OK(__wasi_fd_prestat_get(ROOT, &stat));
    CHECK(stat.tag == __WASI_PREOPENTYPE_DIR && stat.u.dir.pr_name_len == 1);
    uint8_t name[4] = "xxx";
    OK(__wasi_fd_prestat_dir_name(ROOT, name, 1));
    CHECK(memcmp(name, "/xx", 3) == 0);
    EXPECT(__wasi_fd_prestat_dir_name(ROOT, name, 0), __WASI_ERRNO_NAMETOOLONG);
    EXPECT(__wasi_fd_prestat_get(1, &stat), __WASI_ERRNO_BADF);
}

static void make_entries(void)
{
    OK(__wasi_path_create_directory(ROOT, "many"));
    EXPECT(__wasi_path_create_directory(ROOT, "many"), __WASI_ERRNO_EXIST);
    for (int i = 0; i < ENTRIES_COUNT; i++) {
        char path[64];
        snprintf(path, sizeof path, "many/entry-%03d%.*s", i, i % 20, "--------------------");
        OK(__wasi_fd_close(open_at(ROOT, path, __WASI_OFLAGS_CREAT, 0)));
    }
}

static void links(void)
{
    __wasi_filestat_t stat;
    OK(__wasi_fd_close(open_at(ROOT, "file", __WASI_OFLAGS_CREAT, 0)));
    OK(__wasi_path_link(ROOT, 0, "file", ROOT, "many/second"));
    OK(__wasi_path_filestat_get(ROOT, 0, "many/second", &stat));
    CHECK(stat.nlink == 2);
    OK(__wasi_path_symlink("../file", ROOT, "many/soft"));
    uint8_t target[16];
    __wasi_size_t used = 0;
    OK(__wasi_path_readlink(ROOT, "many/soft", target, sizeof target, &used));
    CHECK(used == 7 && memcmp(target, "../file", 7) == 0);
    OK(__wasi_path_readlink(ROOT, "many/soft", target, 3, &used));
    CHECK(used == 3);
    OK(__wasi_path_filestat_get(ROOT, 0, "many/soft", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
    OK(__wasi_path_filestat_get(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "many/soft", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_REGULAR_FILE);
    OK(__wasi_path_filestat_set_times(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "many/soft", 0,
                                      5000000000, __WASI_FSTFLAGS_MTIM));
    OK(__wasi_path_filestat_get(ROOT, 0, "file", &stat));
    CHECK(stat.mtim == 5000000000);
    __wasi_fd_t fd = 0;
    EXPECT(__wasi_path_open(ROOT, 0, "many/soft", 0, 0, 0, 0, &fd), __WASI_ERRNO_LOOP);
    OK(__wasi_path_open(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "many/soft", 0, 0, 0, 0, &fd));
    OK(__wasi_path_symlink("loop", ROOT, "loop"));
    EXPECT(__wasi_path_open(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "loop", 0, 0, 0, 0, &fd),
           __WASI_ERRNO_LOOP);
    EXPECT(__wasi_path_symlink("x", ROOT, "file"), __WASI_ERRNO_EXIST);
    EXPECT(__wasi_path_readlink(ROOT, "file", target, 3, &used), __WASI_ERRNO_INVAL);
}

static void names(void)
{
    __wasi_filestat_t stat;
    OK(__wasi_path_rename(ROOT, "file", ROOT, "many/renamed"));
    EXPECT(__wasi_path_filestat_get(ROOT, 0, "file", &stat), __WASI_ERRNO_NOENT);
    OK(__wasi_path_create_directory(ROOT, "empty-one/"));
    OK(__wasi_path_rename(ROOT, "empty-one/", ROOT, "empty-two/"));
    EXPECT(__wasi_path_rename(ROOT, "empty-two", ROOT, "many"), __WASI_ERRNO_NOTEMPTY);
    EXPECT(__wasi_path_remove_directory(ROOT, "many"), __WASI_ERRNO_NOTEMPTY);
    EXPECT(__wasi_path_remove_directory(ROOT, "many/renamed"), __WASI_ERRNO_NOTDIR);
    EXPECT(__wasi_path_unlink_file(ROOT, "empty-two"), __WASI_ERRNO_ISDIR);
    EXPECT(__wasi_path_unlink_file(ROOT, "many/renamed/"), __WASI_ERRNO_NOTDIR);
    OK(__wasi_path_remove_directory(ROOT, "empty-two"));
    OK(__wasi_path_unlink_file(ROOT, "many/renamed"));
    EXPECT(__wasi_path_unlink_file(ROOT, "many/renamed"), __WASI_ERRNO_NOENT);
    EXPECT(__wasi_path_create_directory(ROOT, ""), __WASI_ERRNO_NOENT);
    EXPECT(__wasi_path_create_directory(ROOT, "\xff"), __WASI_ERRNO_ILSEQ);
}

int main(void)
{
    preopens();
    make_entries();
    __wasi_fd_t many = open_at(ROOT, "many", __WASI_OFLAGS_DIRECTORY, DIRECTORY_RIGHTS);
    list(many, 8192);
    list(many, 100);
    list(many, 53);
    links();
    names();
    EXPECT(__wasi_fd_readdir(1, (uint8_t[64]){0}, 64, 0, &(__wasi_size_t){0}), __WASI_ERRNO_NOTDIR);
    return 0;
}
