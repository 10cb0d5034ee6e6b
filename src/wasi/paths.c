/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that take paths. The system resolves strictly beneath the directory it is given (os.h);
 * what is judged here by the letters alone is a second line of defence: no empty or absolute path,
 * no
 * `..` that climbs above the start. Trailing slashes are taken off and turned into what they mean:
 * this must be a directory.
 */
#include "base/bytes.h"
#include "wasi/wasi_internal.h"

/* A path as the system gets it. */
struct path {
    const uint8_t *bytes;
    size_t size;
    bool names_directory; /* ended in a slash */
};

/* Whether `..` ever stands above the start. Links in between cannot make this path fine again as
 * far as the letters tell, so a path that leaves and comes back is refused. */
static bool climbs_out(const uint8_t *bytes, size_t size)
{
    size_t depth = 0;
    size_t start = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && bytes[i] != '/') {
            continue;
        }
        const size_t length = i - start;
        if (length == 2 && bytes[start] == '.' && bytes[start + 1] == '.') {
            if (depth == 0) {
                return true;
            }
            depth--;
        } else if (length > 0 && !(length == 1 && bytes[start] == '.')) {
            depth++;
        }
        start = i + 1;
    }
    return false;
}

static uint16_t read_path(struct alc_guest_bytes raw_path, struct path *out)
{
    if (raw_path.size == 0) {
        return ALC_OS_NO_ENTRY;
    }
    if (raw_path.bytes[0] == '/' || climbs_out(raw_path.bytes, raw_path.size)) {
        return ALC_OS_NOT_CAPABLE;
    }
    size_t size = raw_path.size;
    while (raw_path.bytes[size - 1] == '/') {
        size--; /* stops at the first byte, which is no slash */
    }
    *out = (struct path){raw_path.bytes, size, size < raw_path.size};
    return ALC_OS_SUCCESS;
}

/* The same for a path whose entry is to be made or removed. */
static uint16_t read_path_to_change(const struct alc_wasi_descriptor *fd,
                                    struct alc_guest_bytes raw_path, struct path *out)
{
    uint16_t result = read_path(raw_path, out);
    return result == 0 && fd->read_only ? ALC_OS_READ_ONLY : result;
}

static uint16_t stat_path(struct alc_wasi *wasi, const struct alc_wasi_descriptor *fd,
                          const struct path *path, bool follow, struct alc_os_stat *out)
{
    *out = (struct alc_os_stat){0};
    return alc_wasi_errno_of(alc_wasi_os(wasi)->stat_at(
        alc_wasi_os_context(wasi), fd->handle, path->bytes, path->size, follow ? 1 : 0, out));
}

/* For a path that ended in a slash: 0 when it names a directory. */
static uint16_t expect_directory(struct alc_wasi *wasi, const struct alc_wasi_descriptor *fd,
                                 const struct path *path, bool follow)
{
    struct alc_os_stat stat;
    uint16_t result = stat_path(wasi, fd, path, follow, &stat);
    if (result == 0 && stat.type != ALC_OS_TYPE_DIRECTORY) {
        return ALC_OS_NOT_DIRECTORY;
    }
    return result;
}

uint16_t alc_wasi_path_create_directory(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                        struct alc_guest_bytes raw_path)
{
    struct path path;
    uint16_t result = read_path_to_change(fd, raw_path, &path);
    if (result != 0) {
        return result;
    }
    return alc_wasi_errno_of(alc_wasi_os(wasi)->create_directory_at(
        alc_wasi_os_context(wasi), fd->handle, path.bytes, path.size));
}

uint16_t alc_wasi_path_filestat_get(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                    uint32_t flags, struct alc_guest_bytes raw_path,
                                    struct alc_wasi_filestat *out_stat)
{
    struct path path;
    struct alc_os_stat stat = {0};
    uint16_t result = read_path(raw_path, &path);
    if (result == 0) {
        const bool follow =
            (flags & ALC_WASI_LOOKUPFLAGS_SYMLINK_FOLLOW) != 0 || path.names_directory;
        result = stat_path(wasi, fd, &path, follow, &stat);
    }
    if (result == 0 && path.names_directory && stat.type != ALC_OS_TYPE_DIRECTORY) {
        result = ALC_OS_NOT_DIRECTORY;
    }
    alc_wasi_filestat_from_os(&stat, out_stat);
    return result;
}

uint16_t alc_wasi_path_filestat_set_times(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                          uint32_t flags, struct alc_guest_bytes raw_path,
                                          uint64_t access_time, uint64_t modify_time,
                                          uint16_t fst_flags)
{
    struct path path;
    uint16_t result = read_path(raw_path, &path);
    if (result == 0 && !alc_wasi_times_are_valid(fst_flags)) {
        result = ALC_OS_INVALID;
    }
    if (result == 0 && fd->read_only) {
        result = ALC_OS_READ_ONLY;
    }
    if (result == 0 && path.names_directory) {
        result = expect_directory(wasi, fd, &path, true);
    }
    if (result != 0) {
        return result;
    }
    const bool follow = (flags & ALC_WASI_LOOKUPFLAGS_SYMLINK_FOLLOW) != 0 || path.names_directory;
    return alc_wasi_errno_of(alc_wasi_os(wasi)->set_times_at(alc_wasi_os_context(wasi), fd->handle,
                                                             path.bytes, path.size, follow ? 1 : 0,
                                                             access_time, modify_time, fst_flags));
}

uint16_t alc_wasi_path_link(struct alc_wasi *wasi, struct alc_wasi_descriptor *old_fd,
                            uint32_t old_flags, struct alc_guest_bytes raw_old_path,
                            struct alc_wasi_descriptor *new_fd, struct alc_guest_bytes raw_new_path)
{
    struct path old_path;
    struct path new_path;
    uint16_t result = read_path(raw_old_path, &old_path);
    result = result != 0 ? result : read_path(raw_new_path, &new_path);
    if (result != 0) {
        return result;
    }
    if ((old_flags & ALC_WASI_LOOKUPFLAGS_SYMLINK_FOLLOW) != 0) {
        return ALC_OS_INVALID; /* as other implementations: a link is linked itself */
    }
    if (old_fd->read_only || new_fd->read_only) {
        return ALC_OS_READ_ONLY;
    }
    if (old_path.names_directory) {
        result = expect_directory(wasi, old_fd, &old_path, true);
        return result != 0 ? result : ALC_OS_NOT_PERMITTED; /* directories have one name */
    }
    if (new_path.names_directory) {
        result = expect_directory(wasi, new_fd, &new_path, true);
        return result != 0 ? result : ALC_OS_EXISTS;
    }
    return alc_wasi_errno_of(alc_wasi_os(wasi)->link_at(
        alc_wasi_os_context(wasi), old_fd->handle, old_path.bytes, old_path.size, 0, new_fd->handle,
        new_path.bytes, new_path.size));
}

uint16_t alc_wasi_path_readlink(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                struct alc_guest_bytes raw_path, struct alc_guest_buffer buf,
                                uint32_t *out_used)
{
    struct path path;
    uint16_t result = read_path(raw_path, &path);
    if (result == 0 && path.names_directory) {
        result = expect_directory(wasi, fd, &path, true);
        result = result != 0 ? result : ALC_OS_INVALID;
    }
    if (result != 0) {
        return result;
    }
    uint64_t used = 0;
    result = alc_wasi_count_of(alc_wasi_os(wasi)->readlink_at(alc_wasi_os_context(wasi), fd->handle,
                                                              path.bytes, path.size, buf.bytes,
                                                              buf.size),
                               buf.size, &used);
    *out_used = (uint32_t)used;
    return result;
}

uint16_t alc_wasi_path_remove_directory(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                        struct alc_guest_bytes raw_path)
{
    struct path path;
    uint16_t result = read_path_to_change(fd, raw_path, &path);
    if (result != 0) {
        return result;
    }
    return alc_wasi_errno_of(alc_wasi_os(wasi)->remove_directory_at(
        alc_wasi_os_context(wasi), fd->handle, path.bytes, path.size));
}

uint16_t alc_wasi_path_rename(struct alc_wasi *wasi, struct alc_wasi_descriptor *old_fd,
                              struct alc_guest_bytes raw_old_path,
                              struct alc_wasi_descriptor *new_fd,
                              struct alc_guest_bytes raw_new_path)
{
    struct path old_path;
    struct path new_path;
    uint16_t result = read_path(raw_old_path, &old_path);
    result = result != 0 ? result : read_path(raw_new_path, &new_path);
    if (result == 0 && (old_fd->read_only || new_fd->read_only)) {
        result = ALC_OS_READ_ONLY;
    }
    if (result == 0 && (old_path.names_directory || new_path.names_directory)) {
        result = expect_directory(wasi, old_fd, &old_path, false);
    }
    if (result != 0) {
        return result;
    }
    return alc_wasi_errno_of(
        alc_wasi_os(wasi)->rename_at(alc_wasi_os_context(wasi), old_fd->handle, old_path.bytes,
                                     old_path.size, new_fd->handle, new_path.bytes, new_path.size));
}

uint16_t alc_wasi_path_symlink(struct alc_wasi *wasi, struct alc_guest_bytes target,
                               struct alc_wasi_descriptor *fd, struct alc_guest_bytes raw_path)
{
    struct path path;
    uint16_t result = read_path(raw_path, &path);
    if (result != 0) {
        return result;
    }
    if (target.size == 0) {
        return ALC_OS_NO_ENTRY;
    }
    if (target.bytes[0] == '/') {
        return ALC_OS_NOT_CAPABLE; /* it could never be followed */
    }
    if (fd->read_only) {
        return ALC_OS_READ_ONLY;
    }
    if (path.names_directory) {
        result = expect_directory(wasi, fd, &path, true);
        return result != 0 ? result : ALC_OS_EXISTS;
    }
    return alc_wasi_errno_of(alc_wasi_os(wasi)->symlink_at(
        alc_wasi_os_context(wasi), target.bytes, target.size, fd->handle, path.bytes, path.size));
}

uint16_t alc_wasi_path_unlink_file(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                   struct alc_guest_bytes raw_path)
{
    struct path path;
    uint16_t result = read_path_to_change(fd, raw_path, &path);
    if (result == 0 && path.names_directory) {
        result = expect_directory(wasi, fd, &path, true);
        result = result != 0 ? result : ALC_OS_IS_DIRECTORY;
    }
    if (result != 0) {
        return result;
    }
    return alc_wasi_errno_of(
        alc_wasi_os(wasi)->unlink_at(alc_wasi_os_context(wasi), fd->handle, path.bytes, path.size));
}

/* -- path_open -- */

/* What is asked for, beside the path. */
struct open_request {
    uint16_t open_flags;
    uint16_t fd_flags;
    uint64_t rights_base;
    uint64_t rights_inheriting;
    bool follow;
};

/* Whether the directory hands down what is asked for. */
static uint16_t check_open_rights(const struct alc_wasi_descriptor *fd,
                                  const struct open_request *request)
{
    uint64_t base = 0;
    base |=
        (request->open_flags & ALC_WASI_OFLAGS_CREAT) != 0 ? ALC_WASI_RIGHTS_PATH_CREATE_FILE : 0;
    base |= (request->open_flags & ALC_WASI_OFLAGS_TRUNC) != 0
                ? ALC_WASI_RIGHTS_PATH_FILESTAT_SET_SIZE
                : 0;
    uint64_t inheriting = request->rights_base | request->rights_inheriting;
    inheriting |=
        (request->fd_flags & ALC_WASI_FDFLAGS_DSYNC) != 0 ? ALC_WASI_RIGHTS_FD_DATASYNC : 0;
    inheriting |= (request->fd_flags & (ALC_WASI_FDFLAGS_SYNC | ALC_WASI_FDFLAGS_RSYNC)) != 0
                      ? ALC_WASI_RIGHTS_FD_SYNC
                      : 0;
    if ((base & ~fd->rights_base) != 0 || (inheriting & ~fd->rights_inheriting) != 0) {
        return ALC_OS_NOT_CAPABLE;
    }
    return ALC_OS_SUCCESS;
}

/* Combinations that no system would take. */
static uint16_t check_open_flags(const struct open_request *request, const struct path *path)
{
    const bool writes = (request->rights_base & ALC_WASI_RIGHTS_FD_WRITE) != 0;
    const bool creates = (request->open_flags & ALC_WASI_OFLAGS_CREAT) != 0;
    if ((request->open_flags & ALC_WASI_OFLAGS_DIRECTORY) != 0) {
        if (creates) {
            return ALC_OS_INVALID;
        }
        if (writes || (request->open_flags & ALC_WASI_OFLAGS_TRUNC) != 0) {
            return ALC_OS_IS_DIRECTORY;
        }
    }
    return creates && path->names_directory ? ALC_OS_IS_DIRECTORY : ALC_OS_SUCCESS;
}

static uint32_t open_flags_of(const struct open_request *request, const struct path *path)
{
    const uint64_t changes = ALC_WASI_RIGHTS_FD_ALLOCATE | ALC_WASI_RIGHTS_FD_FILESTAT_SET_SIZE;
    const bool reads = (request->rights_base & ALC_WASI_RIGHTS_FD_READ) != 0;
    const bool writes = (request->rights_base & ALC_WASI_RIGHTS_FD_WRITE) != 0 ||
                        (!reads && (request->rights_base & changes) != 0) ||
                        (request->open_flags & ALC_WASI_OFLAGS_TRUNC) != 0;
    uint32_t flags = alc_wasi_flags_to_os(request->fd_flags);
    flags |= reads || !writes ? ALC_OS_OPEN_READ : 0u;
    flags |= writes ? ALC_OS_OPEN_WRITE : 0u;
    flags |= (request->open_flags & ALC_WASI_OFLAGS_CREAT) != 0 ? ALC_OS_OPEN_CREATE : 0u;
    flags |= (request->open_flags & ALC_WASI_OFLAGS_EXCL) != 0 ? ALC_OS_OPEN_EXCLUSIVE : 0u;
    flags |= (request->open_flags & ALC_WASI_OFLAGS_TRUNC) != 0 ? ALC_OS_OPEN_TRUNCATE : 0u;
    const bool directory = (request->open_flags & ALC_WASI_OFLAGS_DIRECTORY) != 0;
    flags |= directory || path->names_directory ? ALC_OS_OPEN_DIRECTORY : 0u;
    flags |= request->follow || path->names_directory ? ALC_OS_OPEN_FOLLOW : 0u;
    return flags;
}

/* On a read-only mount nothing is opened for writing, cut or made. */
static uint16_t check_read_only(struct alc_wasi *wasi, const struct alc_wasi_descriptor *fd,
                                const struct path *path, uint32_t os_flags)
{
    if (!fd->read_only) {
        return ALC_OS_SUCCESS;
    }
    if ((os_flags & (ALC_OS_OPEN_WRITE | ALC_OS_OPEN_TRUNCATE)) != 0) {
        return ALC_OS_READ_ONLY;
    }
    if ((os_flags & ALC_OS_OPEN_CREATE) == 0) {
        return ALC_OS_SUCCESS;
    }
    struct alc_os_stat stat;
    uint16_t result = stat_path(wasi, fd, path, (os_flags & ALC_OS_OPEN_FOLLOW) != 0, &stat);
    if (result == 0 && (os_flags & ALC_OS_OPEN_EXCLUSIVE) != 0) {
        return ALC_OS_EXISTS;
    }
    return result == ALC_OS_NO_ENTRY ? ALC_OS_READ_ONLY : result;
}

/* Opens; *opened is in no table yet. */
static uint16_t open_into(struct alc_wasi *wasi, const struct alc_wasi_descriptor *fd,
                          const struct path *path, const struct open_request *request,
                          struct alc_wasi_descriptor *opened)
{
    uint32_t os_flags = open_flags_of(request, path);
    uint16_t result = check_read_only(wasi, fd, path, os_flags);
    if (result != 0) {
        return result;
    }
    if (fd->read_only) {
        os_flags &= ~(uint32_t)(ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE);
    }
    uint64_t handle = 0;
    result = alc_wasi_count_of(alc_wasi_os(wasi)->open_at(alc_wasi_os_context(wasi), fd->handle,
                                                          path->bytes, path->size, os_flags),
                               INT32_MAX, &handle);
    if (result == 0 && handle < ALC_OS_FIRST_MOUNT) {
        return ALC_OS_IO; /* the system never opens under a number it granted beforehand */
    }
    if (result != 0) {
        return result;
    }
    struct alc_os_stat stat = {0};
    result = alc_wasi_errno_of(
        alc_wasi_os(wasi)->stat(alc_wasi_os_context(wasi), (int32_t)handle, &stat));
    if (result != 0) {
        (void)alc_wasi_os(wasi)->close(alc_wasi_os_context(wasi), (int32_t)handle);
        return result;
    }
    const uint8_t type = alc_wasi_type_of(stat.type);
    *opened = (struct alc_wasi_descriptor){
        .rights_base = request->rights_base & alc_wasi_rights_of_type(type),
        .rights_inheriting = type == ALC_WASI_FILETYPE_DIRECTORY ? request->rights_inheriting : 0,
        .handle = (int32_t)handle,
        .preopen_index = ALC_WASI_NO_PREOPEN,
        .type = type,
        .is_open = true,
        .read_only = fd->read_only,
    };
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_path_open(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                            uint32_t lookup_flags, struct alc_guest_bytes raw_path,
                            uint16_t open_flags, uint64_t rights_base, uint64_t rights_inheriting,
                            uint16_t fd_flags, uint32_t *out_opened)
{
    /* Rights of sockets mean nothing for what a path can open. */
    const uint64_t possible = ALC_WASI_RIGHTS_OF_FILES | ALC_WASI_RIGHTS_OF_DIRECTORIES;
    const struct open_request request = {
        .open_flags = open_flags,
        .fd_flags = fd_flags,
        .rights_base = rights_base & possible,
        .rights_inheriting = rights_inheriting & possible,
        .follow = (lookup_flags & ALC_WASI_LOOKUPFLAGS_SYMLINK_FOLLOW) != 0,
    };
    struct path path;
    uint16_t result = read_path(raw_path, &path);
    result = result != 0 ? result : check_open_rights(fd, &request);
    result = result != 0 ? result : check_open_flags(&request, &path);
    if (result != 0) {
        return result;
    }
    if (!alc_wasi_descriptor_is_free(wasi)) {
        return ALC_OS_TOO_MANY_OPEN;
    }
    struct alc_wasi_descriptor opened;
    result = open_into(wasi, fd, &path, &request, &opened);
    return result != 0 ? result : alc_wasi_descriptor_insert(wasi, &opened, out_opened);
}
