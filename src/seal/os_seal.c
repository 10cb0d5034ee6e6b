/* SPDX-License-Identifier: Apache-2.0
 *
 * The os table over sealed mounts: finds out whose handle it is, locks the mount, checks what the
 * handle allows, and hands everything that is not sealed to the table beneath. The caller is a
 * program: any number may come as a handle.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

/* -- whose handle -- */

struct use {
    struct alc_seal *seal;          /* locked */
    struct alc_seal_handle *handle; /* NULL: of the mount, but not open */
    uint32_t mount;
};

static void leave(const struct use *use)
{
    alc_seal_unlock(use->seal);
}

static bool find_mount(const struct alc_seal_os *table, int32_t handle, uint32_t *out_mount,
                       uint32_t *out_place)
{
    if (handle >= ALC_SEAL_FIRST_HANDLE) {
        uint32_t number = (uint32_t)(handle - ALC_SEAL_FIRST_HANDLE);
        *out_mount = number / ALC_LIMIT_SEAL_HANDLES;
        *out_place = number % ALC_LIMIT_SEAL_HANDLES;
        return *out_mount < table->mounts_count && *out_place != 0;
    }
    *out_place = 0;
    for (*out_mount = 0; *out_mount < table->mounts_count; (*out_mount)++) {
        if (table->mounts[*out_mount].handle == handle) {
            return true;
        }
    }
    return false;
}

/* True: the handle is a sealed mount's, which is locked until `leave`. */
static bool enter(struct alc_seal_os *table, int32_t handle, struct use *use)
{
    uint32_t place;
    if (!find_mount(table, handle, &use->mount, &place)) {
        return false;
    }
    use->seal = table->mounts[use->mount].seal;
    alc_seal_lock(use->seal);
    alc_seal_begin(use->seal);
    use->handle = &use->seal->handles[place];
    if (use->handle->inode == NULL) {
        use->handle = NULL;
    }
    return true;
}

static bool is_sealed(const struct alc_seal_os *table, int32_t handle)
{
    uint32_t mount;
    uint32_t place;
    return find_mount(table, handle, &mount, &place);
}

/* A handle that the table beneath gave out. Who could answer with the number of a sealed one could
 * have a program write to it, or send it, what it takes for a plain file. */
static int64_t check_given(const struct alc_seal_os *table, int64_t result)
{
    return result >= 0 && (result > INT32_MAX || is_sealed(table, (int32_t)result)) ? -ALC_OS_IO
                                                                                    : result;
}

/* The rest of a function for a handle that is not sealed. */
#define INNER(name, ...) (alc_os_over_operations.name(table, __VA_ARGS__))

/* -- bytes -- */

static bool is_directory(const struct use *use)
{
    return use->handle->inode->record.type == ALC_OS_TYPE_DIRECTORY;
}

static int64_t check_transfer(const struct use *use, bool is_write)
{
    uint32_t wanted = is_write ? ALC_OS_OPEN_WRITE : ALC_OS_OPEN_READ;
    if (use->handle == NULL || (use->handle->flags & wanted) == 0) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    return is_directory(use) ? -ALC_OS_IS_DIRECTORY : 0;
}

/* Blocks worth reading at once: the more, the longer somebody has been reading in order. */
static uint32_t blocks_ahead(struct alc_seal_handle *handle, uint64_t offset)
{
    enum { AHEAD_MIN = 64 };
    if (offset != handle->read_end) {
        handle->read_start = offset;
        return 0;
    }
    uint64_t blocks = (offset - handle->read_start) / ALC_SEAL_BLOCK_SIZE;
    blocks = blocks > AHEAD_MIN ? blocks : AHEAD_MIN;
    return (uint32_t)(blocks < ALC_SEAL_STAGE_BLOCKS ? blocks : ALC_SEAL_STAGE_BLOCKS);
}

static int64_t read_handle(struct use *use, const struct alc_span *spans, size_t spans_count,
                           uint64_t offset)
{
    struct alc_seal_handle *handle = use->handle;
    if (offset > INT64_MAX) {
        return -ALC_OS_INVALID;
    }
    int64_t result = alc_seal_file_read(use->seal, handle->inode, spans, spans_count, offset,
                                        blocks_ahead(handle, offset));
    handle->read_end = result > 0 ? offset + (uint64_t)result : handle->read_end;
    return result;
}

static int64_t write_handle(struct use *use, const struct alc_span *spans, size_t spans_count,
                            uint64_t offset)
{
    enum { DURABLE = ALC_OS_OPEN_SYNC | ALC_OS_OPEN_DSYNC };
    struct alc_seal_handle *handle = use->handle;
    if (offset > INT64_MAX) {
        return -ALC_OS_INVALID;
    }
    int64_t result = alc_seal_file_write(use->seal, handle->inode, spans, spans_count, offset);
    if (result > 0 && (handle->flags & DURABLE) != 0) {
        int64_t committed = alc_seal_commit(use->seal, true);
        result = committed < 0 ? committed : result;
    }
    return result;
}

static int64_t sealed_read(void *context, int32_t handle, const struct alc_span *spans,
                           size_t spans_count)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(read, handle, spans, spans_count);
    }
    int64_t result = check_transfer(&use, false);
    if (result == 0) {
        result = read_handle(&use, spans, spans_count, use.handle->pos);
        use.handle->pos += result > 0 ? (uint64_t)result : 0;
    }
    leave(&use);
    return result;
}

static int64_t sealed_write(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(write, handle, spans, spans_count);
    }
    int64_t result = check_transfer(&use, true);
    if (result == 0) {
        uint64_t offset = (use.handle->flags & ALC_OS_OPEN_APPEND) != 0
                              ? use.handle->inode->record.size
                              : use.handle->pos;
        result = write_handle(&use, spans, spans_count, offset);
        use.handle->pos = result > 0 ? offset + (uint64_t)result : use.handle->pos;
    }
    leave(&use);
    return result;
}

static int64_t sealed_read_at(void *context, int32_t handle, const struct alc_span *spans,
                              size_t spans_count, uint64_t offset)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(read_at, handle, spans, spans_count, offset);
    }
    int64_t result = check_transfer(&use, false);
    if (result == 0) {
        result = read_handle(&use, spans, spans_count, offset);
    }
    leave(&use);
    return result;
}

static int64_t sealed_write_at(void *context, int32_t handle, const struct alc_span *spans,
                               size_t spans_count, uint64_t offset)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(write_at, handle, spans, spans_count, offset);
    }
    int64_t result = check_transfer(&use, true);
    if (result == 0) {
        /* As Linux does, and so every other table. */
        bool appends = (use.handle->flags & ALC_OS_OPEN_APPEND) != 0;
        result = write_handle(&use, spans, spans_count,
                              appends ? use.handle->inode->record.size : offset);
    }
    leave(&use);
    return result;
}

static int64_t seek_handle(struct alc_seal_handle *handle, int64_t offset, uint32_t whence)
{
    int64_t from = whence == ALC_OS_SEEK_CUR   ? (int64_t)handle->pos
                   : whence == ALC_OS_SEEK_END ? (int64_t)handle->inode->record.size
                                               : 0;
    int64_t to;
    if (whence > ALC_OS_SEEK_END || __builtin_add_overflow(from, offset, &to) || to < 0) {
        return -ALC_OS_INVALID;
    }
    handle->pos = (uint64_t)to;
    return to;
}

static int64_t sealed_seek(void *context, int32_t handle, int64_t offset, uint32_t whence)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(seek, handle, offset, whence);
    }
    int64_t result =
        use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : seek_handle(use.handle, offset, whence);
    leave(&use);
    return result;
}

/* -- state of a handle -- */

static int64_t sealed_close(void *context, int32_t handle)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result = -ALC_OS_BAD_DESCRIPTOR;
    if (!enter(table, handle, &use)) {
        return INNER(close, handle);
    }
    if (use.handle != NULL) {
        struct alc_seal_inode *inode = use.handle->inode;
        use.handle->inode = NULL;
        result = alc_seal_inode_close(use.seal, inode);
    }
    leave(&use);
    return result;
}

static int64_t sealed_sync(void *context, int32_t handle, uint32_t data_only)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(sync, handle, data_only);
    }
    int64_t result = use.handle == NULL       ? -ALC_OS_BAD_DESCRIPTOR
                     : use.seal->is_read_only ? 0
                                              : alc_seal_commit(use.seal, true);
    leave(&use);
    return result;
}

static int64_t sealed_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(stat, handle, out);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : 0;
    if (result == 0) {
        alc_seal_file_stat(use.seal, use.handle->inode, out);
    }
    leave(&use);
    return result;
}

static int64_t check_resize(const struct use *use, uint64_t size)
{
    if (use->handle == NULL) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    return size > INT64_MAX || (use->handle->flags & ALC_OS_OPEN_WRITE) == 0 ? -ALC_OS_INVALID : 0;
}

static int64_t sealed_set_size(void *context, int32_t handle, uint64_t size)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(set_size, handle, size);
    }
    int64_t result = check_resize(&use, size);
    if (result == 0) {
        result = alc_seal_file_set_size(use.seal, use.handle->inode, size);
    }
    leave(&use);
    return result;
}

/* The file has the range afterwards. That there will be room for it cannot be promised: a block
 * that is written goes to another place. */
static int64_t sealed_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(allocate, handle, offset, size);
    }
    int64_t result = use.handle == NULL || (use.handle->flags & ALC_OS_OPEN_WRITE) == 0
                         ? -ALC_OS_BAD_DESCRIPTOR
                         : 0;
    if (result == 0 && (size == 0 || offset > INT64_MAX || size > INT64_MAX)) {
        result = -ALC_OS_INVALID;
    }
    if (result == 0 && offset + size > use.handle->inode->record.size) {
        result = alc_seal_file_set_size(use.seal, use.handle->inode, offset + size);
    }
    leave(&use);
    return result;
}

static int64_t sealed_advise(void *context, int32_t handle, uint64_t offset, uint64_t size,
                             uint32_t advice)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(advise, handle, offset, size, advice);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : 0;
    leave(&use);
    return result;
}

static int64_t sealed_set_times(void *context, int32_t handle, uint64_t access_ns,
                                uint64_t modify_ns, uint32_t flags)
{
    struct alc_seal_os *table = context;
    struct use use;
    const uint64_t times_ns[2] = {access_ns, modify_ns};
    if (!enter(table, handle, &use)) {
        return INNER(set_times, handle, access_ns, modify_ns, flags);
    }
    int64_t result = use.handle == NULL
                         ? -ALC_OS_BAD_DESCRIPTOR
                         : alc_seal_file_set_times(use.seal, use.handle->inode, times_ns, flags);
    leave(&use);
    return result;
}

static int64_t sealed_get_flags(void *context, int32_t handle)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(get_flags, handle);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR
                                        : (int64_t)(use.handle->flags & ALC_OS_OPEN_STATUS);
    leave(&use);
    return result;
}

static int64_t sealed_set_flags(void *context, int32_t handle, uint32_t flags)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, handle, &use)) {
        return INNER(set_flags, handle, flags);
    }
    int64_t result = use.handle == NULL                             ? -ALC_OS_BAD_DESCRIPTOR
                     : (flags & ~(uint32_t)ALC_OS_OPEN_STATUS) != 0 ? -ALC_OS_INVALID
                                                                    : 0;
    if (result == 0) {
        use.handle->flags = (use.handle->flags & ~(uint32_t)ALC_OS_OPEN_STATUS) | flags;
    }
    leave(&use);
    return result;
}

/* -- paths -- */

/* The directory to start from; *out_result is the answer when there is none. */
static struct alc_seal_inode *start_of(const struct use *use, int64_t *out_result)
{
    *out_result = use->handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : 0;
    return use->handle == NULL ? NULL : use->handle->inode;
}

static int64_t sealed_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                              uint32_t flags)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, dir, &use)) {
        return check_given(table, INNER(open_at, dir, path, path_size, flags));
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_open_at(use.seal, start, path, path_size, flags);
        if (result >= 0) {
            result += ALC_SEAL_FIRST_HANDLE + (int64_t)use.mount * ALC_LIMIT_SEAL_HANDLES;
        }
    }
    leave(&use);
    return result;
}

static int64_t sealed_stat_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                              uint32_t follow, struct alc_os_stat *out)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, dir, &use)) {
        return INNER(stat_at, dir, path, path_size, follow, out);
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_stat_at(use.seal, start, path, path_size, follow, out);
    }
    leave(&use);
    return result;
}

static int64_t sealed_set_times_at(void *context, int32_t dir, const uint8_t *path,
                                   size_t path_size, uint32_t follow, uint64_t access_ns,
                                   uint64_t modify_ns, uint32_t flags)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    const uint64_t times_ns[2] = {access_ns, modify_ns};
    if (!enter(table, dir, &use)) {
        return INNER(set_times_at, dir, path, path_size, follow, access_ns, modify_ns, flags);
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_set_times_at(use.seal, start, path, path_size, follow, times_ns, flags);
    }
    leave(&use);
    return result;
}

static int64_t sealed_create_directory_at(void *context, int32_t dir, const uint8_t *path,
                                          size_t path_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, dir, &use)) {
        return INNER(create_directory_at, dir, path, path_size);
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_create_directory_at(use.seal, start, path, path_size);
    }
    leave(&use);
    return result;
}

static int64_t sealed_remove_directory_at(void *context, int32_t dir, const uint8_t *path,
                                          size_t path_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, dir, &use)) {
        return INNER(remove_directory_at, dir, path, path_size);
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_remove_at(use.seal, start, path, path_size, true);
    }
    leave(&use);
    return result;
}

static int64_t sealed_unlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, dir, &use)) {
        return INNER(unlink_at, dir, path, path_size);
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_remove_at(use.seal, start, path, path_size, false);
    }
    leave(&use);
    return result;
}

/* The second directory of an operation with two, which are of one mount or of none that is sealed.
 * `use` is locked if the first one is sealed. NULL: *out_result is the answer. */
static struct alc_seal_inode *second_start(const struct alc_seal_os *table, const struct use *use,
                                           int32_t dir, int64_t *out_result)
{
    uint32_t mount;
    uint32_t place;
    bool is_sealed = find_mount(table, dir, &mount, &place);
    *out_result = -ALC_OS_CROSS_DEVICE;
    if (!is_sealed || mount != use->mount) {
        return NULL;
    }
    *out_result = use->seal->handles[place].inode == NULL ? -ALC_OS_BAD_DESCRIPTOR : 0;
    return use->seal->handles[place].inode;
}

static int64_t sealed_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                                size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                                size_t new_path_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, old_dir, &use)) {
        return is_sealed(table, new_dir) ? -ALC_OS_CROSS_DEVICE
                                         : INNER(rename_at, old_dir, old_path, old_path_size,
                                                 new_dir, new_path, new_path_size);
    }
    struct alc_seal_inode *old_start = start_of(&use, &result);
    struct alc_seal_inode *new_start =
        old_start == NULL ? NULL : second_start(table, &use, new_dir, &result);
    if (new_start != NULL) {
        result = alc_seal_rename_at(use.seal, old_start, old_path, old_path_size, new_start,
                                    new_path, new_path_size);
    }
    leave(&use);
    return result;
}

static int64_t sealed_link_at(void *context, int32_t old_dir, const uint8_t *old_path,
                              size_t old_path_size, uint32_t follow, int32_t new_dir,
                              const uint8_t *new_path, size_t new_path_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, old_dir, &use)) {
        return is_sealed(table, new_dir) ? -ALC_OS_CROSS_DEVICE
                                         : INNER(link_at, old_dir, old_path, old_path_size, follow,
                                                 new_dir, new_path, new_path_size);
    }
    struct alc_seal_inode *old_start = start_of(&use, &result);
    struct alc_seal_inode *new_start =
        old_start == NULL ? NULL : second_start(table, &use, new_dir, &result);
    if (new_start != NULL) {
        result = alc_seal_link_at(use.seal, old_start, old_path, old_path_size, follow, new_start,
                                  new_path, new_path_size);
    }
    leave(&use);
    return result;
}

static int64_t sealed_symlink_at(void *context, const uint8_t *target, size_t target_size,
                                 int32_t dir, const uint8_t *path, size_t path_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, dir, &use)) {
        return INNER(symlink_at, target, target_size, dir, path, path_size);
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_symlink_at(use.seal, target, target_size, start, path, path_size);
    }
    leave(&use);
    return result;
}

static int64_t sealed_readlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                  uint8_t *buf, size_t buf_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    int64_t result;
    if (!enter(table, dir, &use)) {
        return INNER(readlink_at, dir, path, path_size, buf, buf_size);
    }
    struct alc_seal_inode *start = start_of(&use, &result);
    if (start != NULL) {
        result = alc_seal_readlink_at(use.seal, start, path, path_size, buf, buf_size);
    }
    leave(&use);
    return result;
}

static int64_t sealed_read_directory(void *context, int32_t dir, uint64_t cookie, uint8_t *buf,
                                     size_t buf_size)
{
    struct alc_seal_os *table = context;
    struct use use;
    if (!enter(table, dir, &use)) {
        return INNER(read_directory, dir, cookie, buf, buf_size);
    }
    int64_t result = use.handle == NULL    ? -ALC_OS_BAD_DESCRIPTOR
                     : !is_directory(&use) ? -ALC_OS_NOT_DIRECTORY
                                           : alc_seal_directory_list(use.seal, use.handle->inode,
                                                                     cookie, buf, buf_size);
    leave(&use);
    return result;
}

/* -- sockets: sealed files are none -- */

static int64_t sealed_accept(void *context, int32_t handle, uint32_t flags)
{
    struct alc_seal_os *table = context;
    return is_sealed(table, handle) ? -ALC_OS_NOT_SOCKET
                                    : check_given(table, INNER(accept, handle, flags));
}

static int64_t sealed_recv(void *context, int32_t handle, const struct alc_span *spans,
                           size_t spans_count, uint32_t flags, uint32_t *out_flags)
{
    struct alc_seal_os *table = context;
    return is_sealed(table, handle) ? -ALC_OS_NOT_SOCKET
                                    : INNER(recv, handle, spans, spans_count, flags, out_flags);
}

static int64_t sealed_send(void *context, int32_t handle, const struct alc_span *spans,
                           size_t spans_count)
{
    struct alc_seal_os *table = context;
    return is_sealed(table, handle) ? -ALC_OS_NOT_SOCKET : INNER(send, handle, spans, spans_count);
}

static int64_t sealed_shutdown(void *context, int32_t handle, uint32_t how)
{
    struct alc_seal_os *table = context;
    return is_sealed(table, handle) ? -ALC_OS_NOT_SOCKET : INNER(shutdown, handle, how);
}

/* -- waiting -- */

/* What a sealed handle is ready for: everything, at once. */
static bool poll_sealed(void *context, struct alc_os_poll *poll)
{
    struct use use;
    if (!enter(context, poll->handle, &use)) {
        return false;
    }
    poll->ready = ALC_OS_POLL_INVALID;
    poll->available = 0;
    if (use.handle != NULL) {
        uint64_t size = use.handle->inode->record.size;
        poll->ready = poll->wanted & (ALC_OS_POLL_READ | ALC_OS_POLL_WRITE);
        poll->available = size > use.handle->pos ? size - use.handle->pos : 0;
    }
    leave(&use);
    return true;
}

static int64_t sealed_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                           int64_t timeout_ns)
{
    return alc_os_over_poll(context, polls, polls_count, timeout_ns, poll_sealed);
}

/* -- the table -- */

void alc_seal_os_init(struct alc_seal_os *table, const struct alc_os *inner)
{
    alc_fill(table, 0, sizeof *table);
    table->operations = alc_os_over_operations;
    struct alc_os_operations *own = &table->operations;
    own->read = sealed_read;
    own->write = sealed_write;
    own->read_at = sealed_read_at;
    own->write_at = sealed_write_at;
    own->seek = sealed_seek;
    own->close = sealed_close;
    own->sync = sealed_sync;
    own->stat = sealed_stat;
    own->set_size = sealed_set_size;
    own->allocate = sealed_allocate;
    own->advise = sealed_advise;
    own->set_times = sealed_set_times;
    own->get_flags = sealed_get_flags;
    own->set_flags = sealed_set_flags;
    own->open_at = sealed_open_at;
    own->stat_at = sealed_stat_at;
    own->set_times_at = sealed_set_times_at;
    own->create_directory_at = sealed_create_directory_at;
    own->remove_directory_at = sealed_remove_directory_at;
    own->unlink_at = sealed_unlink_at;
    own->rename_at = sealed_rename_at;
    own->link_at = sealed_link_at;
    own->symlink_at = sealed_symlink_at;
    own->readlink_at = sealed_readlink_at;
    own->read_directory = sealed_read_directory;
    own->accept = sealed_accept;
    own->recv = sealed_recv;
    own->send = sealed_send;
    own->shutdown = sealed_shutdown;
    own->poll = sealed_poll;
    table->over.inner = inner;
    table->over.os = (struct alc_os){.operations = own, .context = table};
}

alc_status alc_seal_os_add(struct alc_seal_os *table, int32_t handle, struct alc_seal *seal)
{
    if (table->mounts_count == ALC_LIMIT_SEAL_MOUNTS || handle < 0 ||
        handle >= ALC_SEAL_FIRST_HANDLE || is_sealed(table, handle)) {
        return ALC_E_BAD_ARGUMENT;
    }
    table->mounts[table->mounts_count].seal = seal;
    table->mounts[table->mounts_count].handle = handle;
    table->mounts_count++;
    return ALC_OK;
}
