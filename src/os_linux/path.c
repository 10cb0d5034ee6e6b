/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls that take a path. None hands a path of more than one component to the kernel except
 * through resolve.c: a file is opened beneath its directory and then used by descriptor, or its
 * parent is opened and the last component is used, never followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os_linux/os_linux_internal.h"

enum { NEW_FILE_MODE = 0666, NEW_DIRECTORY_MODE = 0777 };
static const uint64_t second_ns = 1000000000;

static uint64_t time_ns(struct timespec time)
{
    /* Times before 1970 cannot be said. */
    return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec * second_ns + (uint64_t)time.tv_nsec;
}

static uint64_t type_of(const struct stat *info)
{
    switch (info->st_mode & S_IFMT) {
    case S_IFBLK:
        return ALC_OS_TYPE_BLOCK_DEVICE;
    case S_IFCHR:
        return ALC_OS_TYPE_CHARACTER_DEVICE;
    case S_IFDIR:
        return ALC_OS_TYPE_DIRECTORY;
    case S_IFREG:
        return ALC_OS_TYPE_REGULAR_FILE;
    case S_IFSOCK:
        return ALC_OS_TYPE_SOCKET_STREAM;
    case S_IFLNK:
        return ALC_OS_TYPE_SYMBOLIC_LINK;
    default: /* a pipe: WASI has no number for it */
        return ALC_OS_TYPE_UNKNOWN;
    }
}

void alc_linux_fill_stat(const struct stat *from, struct alc_os_stat *out)
{
    *out = (struct alc_os_stat){.device = from->st_dev,
                                .inode = from->st_ino,
                                .type = type_of(from),
                                .link_count = from->st_nlink,
                                .size = (uint64_t)from->st_size,
                                .access_time_ns = time_ns(from->st_atim),
                                .modify_time_ns = time_ns(from->st_mtim),
                                .change_time_ns = time_ns(from->st_ctim)};
}

static struct timespec wanted_time(uint64_t ns, bool set, bool now)
{
    if (now) {
        return (struct timespec){.tv_nsec = UTIME_NOW};
    }
    if (!set) {
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    }
    return (struct timespec){.tv_sec = (time_t)(ns / second_ns), .tv_nsec = (long)(ns % second_ns)};
}

int64_t alc_linux_fill_times(uint64_t access_ns, uint64_t modify_ns, uint32_t flags,
                             struct timespec times[2])
{
    bool access = (flags & ALC_OS_TIME_ACCESS) != 0;
    bool access_now = (flags & ALC_OS_TIME_ACCESS_NOW) != 0;
    bool modify = (flags & ALC_OS_TIME_MODIFY) != 0;
    bool modify_now = (flags & ALC_OS_TIME_MODIFY_NOW) != 0;
    if ((flags & ~(uint32_t)ALC_OS_TIME_ALL) != 0 || (access && access_now) ||
        (modify && modify_now)) {
        return -ALC_OS_INVALID;
    }
    times[0] = wanted_time(access_ns, access, access_now);
    times[1] = wanted_time(modify_ns, modify, modify_now);
    return 0;
}

/* -- opening -- */

static int open_flags_of(uint32_t flags)
{
    static const struct {
        uint32_t flag;
        int linux_flag;
    } pairs[] = {{ALC_OS_OPEN_CREATE, O_CREAT},   {ALC_OS_OPEN_EXCLUSIVE, O_EXCL},
                 {ALC_OS_OPEN_TRUNCATE, O_TRUNC}, {ALC_OS_OPEN_DIRECTORY, O_DIRECTORY},
                 {ALC_OS_OPEN_APPEND, O_APPEND},  {ALC_OS_OPEN_NONBLOCK, O_NONBLOCK},
                 {ALC_OS_OPEN_DSYNC, O_DSYNC},    {ALC_OS_OPEN_SYNC, O_SYNC},
                 {ALC_OS_OPEN_RSYNC, O_RSYNC}};
    bool can_write = (flags & ALC_OS_OPEN_WRITE) != 0;
    bool can_read = (flags & ALC_OS_OPEN_READ) != 0;
    int linux_flags = can_write && can_read ? O_RDWR : can_write ? O_WRONLY : O_RDONLY;
    linux_flags |= O_NOCTTY | ((flags & ALC_OS_OPEN_FOLLOW) != 0 ? 0 : O_NOFOLLOW);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(pairs); i++) {
        linux_flags |= (flags & pairs[i].flag) != 0 ? pairs[i].linux_flag : 0;
    }
    return linux_flags;
}

/* A lock of the open file, which ends with its last descriptor however the process ends. */
static int64_t lock_file(int fd, bool is_alone)
{
    struct flock whole = {.l_type = is_alone ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    struct stat info;
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) { /* another error: there are no locks here */
        return errno == EAGAIN || errno == EACCES ? -ALC_OS_BUSY : 0;
    }
    /* Whoever had it may have put another file in its place meanwhile. */
    return fstat(fd, &info) == 0 && info.st_nlink == 0 ? -ALC_OS_BUSY : 0;
}

int64_t alc_linux_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                          uint32_t flags)
{
    enum { CHANGES = ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE | ALC_OS_OPEN_TRUNCATE };
    struct alc_os_linux *system = context;
    if ((flags & ~(uint32_t)ALC_OS_OPEN_ALL) != 0) {
        return -ALC_OS_INVALID;
    }
    int dir_fd =
        (flags & CHANGES) != 0 ? alc_linux_use_to_change(system, dir) : alc_linux_use(system, dir);
    if (dir_fd < 0) {
        return dir_fd;
    }
    uint32_t inherited = alc_linux_is_read_only(system, dir) ? ALC_OS_LINUX_READ_ONLY : 0;
    int64_t fd = alc_linux_open_beneath(system, dir_fd, path, path_size, open_flags_of(flags),
                                        NEW_FILE_MODE);
    alc_linux_leave(system, dir);
    if (fd >= 0 && (flags & ALC_OS_OPEN_LOCK) != 0) {
        int64_t result = lock_file((int)fd, (flags & ALC_OS_OPEN_WRITE) != 0);
        if (result < 0) {
            close((int)fd);
            return result;
        }
    }
    return fd < 0 ? fd : alc_linux_add(system, (int)fd, inherited);
}

/* Opens what `path` names, only to look at it. */
static int64_t open_to_look(struct alc_os_linux *system, int32_t dir, const uint8_t *path,
                            size_t path_size, bool follow)
{
    int dir_fd = alc_linux_use(system, dir);
    if (dir_fd < 0) {
        return dir_fd;
    }
    int64_t fd = alc_linux_open_beneath(system, dir_fd, path, path_size,
                                        O_PATH | (follow ? 0 : O_NOFOLLOW), 0);
    alc_linux_leave(system, dir);
    return fd;
}

int64_t alc_linux_stat_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                          uint32_t follow, struct alc_os_stat *out)
{
    struct stat info = {0};
    int64_t fd = open_to_look(context, dir, path, path_size, follow != 0);
    if (fd < 0) {
        return fd;
    }
    int64_t result = alc_linux_result(fstat((int)fd, &info));
    close((int)fd);
    if (result == 0) {
        alc_linux_fill_stat(&info, out);
    }
    return result;
}

/* The name under which the kernel finds a descriptor of this process again. */
static void write_fd_path(char text[32], int64_t fd)
{
    snprintf(text, 32, "/proc/self/fd/%d", (int)fd);
}

int64_t alc_linux_set_times_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                               uint32_t follow, uint64_t access_ns, uint64_t modify_ns,
                               uint32_t flags)
{
    struct timespec times[2];
    int64_t result = alc_linux_fill_times(access_ns, modify_ns, flags, times);
    if (result < 0) {
        return result;
    }
    if (alc_linux_is_read_only(context, dir)) {
        return -ALC_OS_READ_ONLY;
    }
    int64_t fd = open_to_look(context, dir, path, path_size, follow != 0);
    if (fd < 0) {
        return fd;
    }
    result = alc_linux_result(utimensat((int)fd, "", times, AT_EMPTY_PATH));
    if (result == -ALC_OS_INVALID || result == -ALC_OS_NO_ENTRY) { /* a kernel before 5.8 */
        char fd_path[32];
        write_fd_path(fd_path, fd);
        result = alc_linux_result(utimensat(AT_FDCWD, fd_path, times, 0));
    }
    close((int)fd);
    return result;
}

int64_t alc_linux_readlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                              uint8_t *buf, size_t buf_size)
{
    struct stat info = {0};
    int64_t fd = open_to_look(context, dir, path, path_size, false);
    if (fd < 0) {
        return fd;
    }
    int64_t result = alc_linux_result(fstat((int)fd, &info));
    if (result == 0 && !S_ISLNK(info.st_mode)) {
        result = -ALC_OS_INVALID;
    }
    if (result == 0 && buf_size != 0) {
        result = alc_linux_result(readlinkat((int)fd, "", (char *)buf, buf_size));
    }
    close((int)fd);
    return result;
}

/* -- the calls that change a directory: parent and one name -- */

/* Opens the parent of `path` to change it; *parent is to be closed when 0 comes back. */
static int64_t open_parent(struct alc_os_linux *system, int32_t dir, const uint8_t *path,
                           size_t path_size, struct alc_linux_parent *parent)
{
    int dir_fd = alc_linux_use_to_change(system, dir);
    if (dir_fd < 0) {
        return dir_fd;
    }
    int64_t result = alc_linux_open_parent(system, dir_fd, path, path_size, parent);
    alc_linux_leave(system, dir);
    return result;
}

int64_t alc_linux_create_directory_at(void *context, int32_t dir, const uint8_t *path,
                                      size_t path_size)
{
    struct alc_linux_parent parent;
    int64_t result = open_parent(context, dir, path, path_size, &parent);
    if (result == 0) {
        result = alc_linux_result(mkdirat(parent.fd, parent.name, NEW_DIRECTORY_MODE));
        close(parent.fd);
    }
    return result;
}

static int64_t unlink_name(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                           int unlink_flags)
{
    struct alc_linux_parent parent;
    int64_t result = open_parent(context, dir, path, path_size, &parent);
    if (result == 0) {
        result = alc_linux_result(unlinkat(parent.fd, parent.name, unlink_flags));
        close(parent.fd);
    }
    return result;
}

int64_t alc_linux_remove_directory_at(void *context, int32_t dir, const uint8_t *path,
                                      size_t path_size)
{
    return unlink_name(context, dir, path, path_size, AT_REMOVEDIR);
}

int64_t alc_linux_unlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size)
{
    return unlink_name(context, dir, path, path_size, 0);
}

int64_t alc_linux_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                            size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                            size_t new_path_size)
{
    struct alc_linux_parent old_parent;
    struct alc_linux_parent new_parent;
    int64_t result = open_parent(context, old_dir, old_path, old_path_size, &old_parent);
    if (result < 0) {
        return result;
    }
    result = open_parent(context, new_dir, new_path, new_path_size, &new_parent);
    if (result == 0) {
        result = alc_linux_result(
            renameat(old_parent.fd, old_parent.name, new_parent.fd, new_parent.name));
        close(new_parent.fd);
    }
    close(old_parent.fd);
    return result;
}

/* Links an open descriptor (of O_PATH) to a new name. */
static int64_t link_descriptor(int64_t fd, const struct alc_linux_parent *new_parent)
{
    char fd_path[32];
    int64_t result =
        alc_linux_result(linkat((int)fd, "", new_parent->fd, new_parent->name, AT_EMPTY_PATH));
    if (result != -ALC_OS_NO_ENTRY) { /* what an unprivileged process is told */
        return result;
    }
    write_fd_path(fd_path, fd);
    return alc_linux_result(
        linkat(AT_FDCWD, fd_path, new_parent->fd, new_parent->name, AT_SYMLINK_FOLLOW));
}

int64_t alc_linux_link_at(void *context, int32_t old_dir, const uint8_t *old_path,
                          size_t old_path_size, uint32_t follow, int32_t new_dir,
                          const uint8_t *new_path, size_t new_path_size)
{
    struct alc_linux_parent new_parent;
    /* A second name beneath a writable directory would be a way to change what is read-only. */
    if (alc_linux_is_read_only(context, old_dir)) {
        return -ALC_OS_READ_ONLY;
    }
    int64_t result = open_parent(context, new_dir, new_path, new_path_size, &new_parent);
    if (result < 0) {
        return result;
    }
    int64_t fd = open_to_look(context, old_dir, old_path, old_path_size, follow != 0);
    result = fd < 0 ? fd : link_descriptor(fd, &new_parent);
    if (fd >= 0) {
        close((int)fd);
    }
    close(new_parent.fd);
    return result;
}

int64_t alc_linux_symlink_at(void *context, const uint8_t *target, size_t target_size, int32_t dir,
                             const uint8_t *path, size_t path_size)
{
    struct alc_linux_parent parent;
    char target_text[ALC_LIMIT_WASI_PATH_SIZE + 1];
    if (target_size >= sizeof target_text) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    alc_copy(target_text, target, target_size);
    target_text[target_size] = '\0';
    if (strlen(target_text) != target_size) {
        return -ALC_OS_INVALID;
    }
    int64_t result = open_parent(context, dir, path, path_size, &parent);
    if (result == 0) {
        result = alc_linux_result(symlinkat(target_text, parent.fd, parent.name));
        close(parent.fd);
    }
    return result;
}
