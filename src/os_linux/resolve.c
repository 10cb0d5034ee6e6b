/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths that cannot leave the directory they start from. The kernel does it where it has openat2;
 * else the path is walked one component at a time, each opened without following links relative to
 * a descriptor that is held, links are expanded here, and `..` goes back on a stack of held
 * descriptors (never through the kernel's `..`, which a concurrent rename could turn into a way
 * out).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os_linux/os_linux_internal.h"

enum {
    PATH_SIZE = ALC_LIMIT_WASI_PATH_SIZE,
    LINKS_MAX = 40,     /* expansions in one path, as in the kernel */
    DEPTH_MAX = 1024,   /* directories held by one walk */
    RENAME_RETRIES = 64 /* openat2 gives EAGAIN while directories are being moved */
};

/* A path that is being walked. */
struct walk {
    int base_fd; /* borrowed */
    int stack[DEPTH_MAX];
    size_t depth;
    uint32_t links_count;
    char rest[2 * PATH_SIZE + 2]; /* what is left to walk, NUL-terminated */
};

static int top_fd(const struct walk *walk)
{
    return walk->depth == 0 ? walk->base_fd : walk->stack[walk->depth - 1];
}

static int64_t push_fd(struct walk *walk, int fd)
{
    if (walk->depth == DEPTH_MAX) {
        close(fd);
        return -ALC_OS_NAME_TOO_LONG;
    }
    walk->stack[walk->depth++] = fd;
    return 0;
}

static int64_t pop_fd(struct walk *walk)
{
    if (walk->depth == 0) {
        return -ALC_OS_NOT_CAPABLE;
    }
    close(walk->stack[--walk->depth]);
    return 0;
}

/* Puts the target of the link `name` in front of the rest. */
static int64_t expand_link(struct walk *walk, const char *name)
{
    char target[PATH_SIZE + 1];
    if (walk->links_count++ == LINKS_MAX) {
        return -ALC_OS_LOOP;
    }
    ssize_t target_size = readlinkat(top_fd(walk), name, target, PATH_SIZE);
    if (target_size < 0) {
        return alc_linux_error(errno);
    }
    if (target_size == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    if (target[0] == '/') {
        return -ALC_OS_NOT_CAPABLE;
    }
    size_t rest_size = strlen(walk->rest);
    size_t size = (size_t)target_size;
    if (size + 1 + rest_size >= sizeof walk->rest) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    alc_move(walk->rest + size + 1, walk->rest, rest_size + 1);
    alc_copy(walk->rest, target, size);
    /* A link at the end of the path keeps being the end. */
    walk->rest[size] = '/';
    if (rest_size == 0) {
        walk->rest[size] = '\0';
    }
    return 0;
}

/* Takes the next component off the rest; its size, 0 at the end. */
static size_t next_component(struct walk *walk, char name[PATH_SIZE + 1], bool *out_is_last,
                             bool *out_has_slash)
{
    size_t start = strspn(walk->rest, "/");
    size_t size = strcspn(walk->rest + start, "/");
    size_t behind = start + size + strspn(walk->rest + start + size, "/");
    size_t copied = size < PATH_SIZE ? size : PATH_SIZE;
    alc_copy(name, walk->rest + start, copied);
    name[copied] = '\0';
    *out_has_slash = behind != start + size;
    *out_is_last = walk->rest[behind] == '\0';
    alc_move(walk->rest, walk->rest + behind, strlen(walk->rest + behind) + 1);
    return size;
}

/* Goes into the directory or link `name`. */
static int64_t enter_component(struct walk *walk, const char *name)
{
    int fd = openat(top_fd(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat info = {0};
    if (fd < 0) {
        return alc_linux_error(errno);
    }
    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
        return push_fd(walk, fd);
    }
    close(fd);
    return S_ISLNK(info.st_mode) ? expand_link(walk, name) : -ALC_OS_NOT_DIRECTORY;
}

static bool is_link(int dir_fd, const char *name)
{
    struct stat info;
    return fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode);
}

/* Opens the last component. 1: it was a link, now expanded. */
static int64_t open_last(struct walk *walk, const char *name, bool has_slash, int open_flags,
                         unsigned mode, int *out_fd)
{
    bool follow = (open_flags & O_NOFOLLOW) == 0 || has_slash;
    bool exclusive = (open_flags & O_EXCL) != 0 && (open_flags & O_CREAT) != 0;
    if (has_slash && (open_flags & O_CREAT) != 0) {
        return -ALC_OS_IS_DIRECTORY;
    }
    if (has_slash) {
        open_flags |= O_DIRECTORY;
    }
    /* A link that appears behind this look is not followed: the open says LOOP. */
    if (follow && !exclusive && is_link(top_fd(walk), name)) {
        int64_t result = expand_link(walk, name);
        if (result == 0 && has_slash) {
            /* expand_link left room: it counts one byte for a slash. */
            alc_copy(walk->rest + strlen(walk->rest), "/", 2);
        }
        return result < 0 ? result : 1;
    }
    *out_fd = openat(top_fd(walk), name, open_flags | O_NOFOLLOW, mode);
    return *out_fd < 0 ? alc_linux_error(errno) : 0;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* One step; 1: go on. */
static int64_t step(struct walk *walk, int open_flags, unsigned mode, int *out_fd)
{
    char name[PATH_SIZE + 1];
    bool is_last;
    bool has_slash;
    size_t name_size = next_component(walk, name, &is_last, &has_slash);
    int64_t result = 0;
    if (name_size > PATH_SIZE) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    if (strcmp(name, "..") == 0) {
        result = pop_fd(walk);
    } else if (!is_dots(name)) {
        result = is_last ? open_last(walk, name, has_slash, open_flags, mode, out_fd)
                         : enter_component(walk, name);
        if (result != 0 || is_last) {
            return result;
        }
    }
    if (result == 0 && is_last) {
        *out_fd = openat(top_fd(walk), ".", open_flags & ~O_NOFOLLOW, mode);
        return *out_fd < 0 ? alc_linux_error(errno) : 0;
    }
    return result < 0 ? result : 1;
}

static int64_t walk_beneath(int dir_fd, const char *path, int open_flags, unsigned mode)
{
    struct walk walk = {.base_fd = dir_fd};
    int fd = -1;
    int64_t result = 1;
    if (path[0] == '\0') {
        return -ALC_OS_NO_ENTRY;
    }
    alc_copy(walk.rest, path, strlen(path) + 1); /* of PATH_SIZE at most: copy_path */
    while (result == 1) {
        result = step(&walk, open_flags, mode, &fd);
    }
    while (walk.depth != 0) {
        (void)pop_fd(&walk);
    }
    return result < 0 ? result : fd;
}

static int64_t kernel_beneath(int dir_fd, const char *path, int open_flags, unsigned mode)
{
    struct open_how how = {.flags = (unsigned)open_flags,
                           .mode = (open_flags & O_CREAT) != 0 ? mode : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (int i = 0; i < RENAME_RETRIES; i++) {
        long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
        if (fd >= 0) {
            return fd;
        }
        if (errno == EXDEV) {
            return -ALC_OS_NOT_CAPABLE;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return alc_linux_error(errno);
        }
    }
    /* Somebody keeps moving directories: the walk needs no luck. */
    return walk_beneath(dir_fd, path, open_flags, mode);
}

/* Copies a counted path to a C string; 0 or minus an errno.def number. */
static int64_t copy_path(char copy[PATH_SIZE + 1], const uint8_t *path, size_t path_size)
{
    if (path_size > PATH_SIZE) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    if (path_size == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    alc_copy(copy, path, path_size);
    copy[path_size] = '\0';
    if (strlen(copy) != path_size) {
        return -ALC_OS_INVALID;
    }
    return copy[0] == '/' ? -ALC_OS_NOT_CAPABLE : 0;
}

static int64_t open_path(const struct alc_os_linux *system, int dir_fd, const char *path,
                         int open_flags, unsigned mode)
{
    open_flags |= O_CLOEXEC;
    return system->has_openat2 ? kernel_beneath(dir_fd, path, open_flags, mode)
                               : walk_beneath(dir_fd, path, open_flags, mode);
}

int64_t alc_linux_open_beneath(const struct alc_os_linux *system, int dir_fd, const uint8_t *path,
                               size_t path_size, int open_flags, unsigned mode)
{
    char copy[PATH_SIZE + 1];
    int64_t result = copy_path(copy, path, path_size);
    return result < 0 ? result : open_path(system, dir_fd, copy, open_flags, mode);
}

/* A last component of `.` or `..` names a directory by position, which the calls that take a parent
 * and a name refuse in the kernel; only whether it stays beneath is decided here. */
static int64_t check_dots(const struct alc_os_linux *system, int dir_fd, const char *path)
{
    int64_t fd = open_path(system, dir_fd, path, O_PATH | O_DIRECTORY, 0);
    if (fd < 0) {
        return fd;
    }
    close((int)fd);
    return 0;
}

int64_t alc_linux_open_parent(const struct alc_os_linux *system, int dir_fd, const uint8_t *path,
                              size_t path_size, struct alc_linux_parent *parent)
{
    char copy[PATH_SIZE + 1];
    int64_t result = copy_path(copy, path, path_size);
    if (result < 0) {
        return result;
    }
    size_t end = path_size;
    while (end > 1 && copy[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start > 0 && copy[start - 1] != '/') {
        start--;
    }
    alc_copy(parent->name, copy + start, path_size + 1 - start);
    char last[3] = {0};
    alc_copy(last, copy + start, end - start < 2 ? end - start : 2);
    if (end - start <= 2 && is_dots(last)) {
        result = check_dots(system, dir_fd, copy);
        if (result < 0) {
            return result;
        }
    }
    copy[start] = '\0';
    int64_t fd = open_path(system, dir_fd, start == 0 ? "." : copy, O_PATH | O_DIRECTORY, 0);
    parent->fd = (int)fd;
    return fd < 0 ? fd : 0;
}
