/* SPDX-License-Identifier: Apache-2.0
 *
 * The os table over archives: finds out whose handle it is, locks the mount and answers; whatever
 * would change something is READ_ONLY. The caller is a program: any number may come as a handle.
 */
#include "archive/archive_internal.h"
#include "base/bytes.h"
#include "base/spin.h"

/* -- whose handle -- */

struct use {
    struct alc_archive *archive;       /* locked */
    struct alc_archive_handle *handle; /* NULL: of the mount, but not open */
    uint32_t mount;
};

static bool find_mount(const struct alc_archive_os *table, int32_t handle, uint32_t *out_mount,
                       uint32_t *out_place)
{
    if (handle >= ALC_ARCHIVE_FIRST_HANDLE) {
        uint32_t number = (uint32_t)(handle - ALC_ARCHIVE_FIRST_HANDLE);
        *out_mount = number / ALC_LIMIT_ARCHIVE_HANDLES;
        *out_place = number % ALC_LIMIT_ARCHIVE_HANDLES;
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

static bool is_archived(void *context, int32_t handle)
{
    uint32_t mount;
    uint32_t place;
    return find_mount(context, handle, &mount, &place);
}

/* A handle that the table beneath gave out: it may not answer with the number of an archive's. */
static int64_t check_given(void *context, int64_t result)
{
    return result >= 0 && (result > INT32_MAX || is_archived(context, (int32_t)result)) ? -ALC_OS_IO
                                                                                        : result;
}

/* The mount is busy for the length of a call of the host: whoever waits lets others run. */
static void lock(const struct alc_archive_os *table, struct alc_archive *archive)
{
    while (__atomic_exchange_n(&archive->lock, 1, __ATOMIC_ACQUIRE) != 0) {
        (void)table->over.inner->operations->yield(table->over.inner->context);
    }
}

/* True: the handle is an archive's, which is locked until `leave`. */
static bool enter(struct alc_archive_os *table, int32_t handle, struct use *use)
{
    uint32_t place;
    if (!find_mount(table, handle, &use->mount, &place)) {
        return false;
    }
    use->archive = table->mounts[use->mount].archive;
    lock(table, use->archive);
    use->handle = &use->archive->handles[place];
    if (!use->handle->is_open) {
        use->handle = NULL;
    }
    return true;
}

static void leave(const struct use *use)
{
    alc_spin_unlock(&use->archive->lock);
}

/* The rest of a function for a handle that is no archive's. */
#define INNER(name, ...) (alc_os_over_operations.name(context, __VA_ARGS__))

/* The node with what a name stands for. */
static const struct alc_archive_node *contents_of(const struct alc_archive *archive,
                                                  uint32_t number)
{
    return alc_archive_node(archive, alc_archive_node(archive, number)->inode);
}

/* -- bytes -- */

static int64_t read_node(struct use *use, const struct alc_span *spans, size_t spans_count,
                         uint64_t pos)
{
    const struct alc_archive_node *node = contents_of(use->archive, use->handle->node);
    uint64_t done = 0;
    if (node->type == ALC_OS_TYPE_DIRECTORY) {
        return -ALC_OS_IS_DIRECTORY;
    }
    if (pos > INT64_MAX) {
        return -ALC_OS_INVALID;
    }
    for (size_t i = 0; i < spans_count && pos + done < node->size; i++) {
        uint64_t left = node->size - pos - done;
        size_t part = spans[i].size < left ? spans[i].size : (size_t)left;
        int64_t result =
            alc_archive_bytes(use->archive, node->offset + pos + done, spans[i].bytes, part);
        if (result < 0) {
            return done > 0 ? (int64_t)done : result;
        }
        done += part;
    }
    return (int64_t)done;
}

static int64_t archived_read(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count)
{
    struct use use;
    if (!enter(context, handle, &use)) {
        return INNER(read, handle, spans, spans_count);
    }
    int64_t result = -ALC_OS_BAD_DESCRIPTOR;
    if (use.handle != NULL) {
        result = read_node(&use, spans, spans_count, use.handle->pos);
        use.handle->pos += result > 0 ? (uint64_t)result : 0;
    }
    leave(&use);
    return result;
}

static int64_t archived_read_at(void *context, int32_t handle, const struct alc_span *spans,
                                size_t spans_count, uint64_t offset)
{
    struct use use;
    if (!enter(context, handle, &use)) {
        return INNER(read_at, handle, spans, spans_count, offset);
    }
    int64_t result =
        use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : read_node(&use, spans, spans_count, offset);
    leave(&use);
    return result;
}

static int64_t archived_write(void *context, int32_t handle, const struct alc_span *spans,
                              size_t spans_count)
{
    return is_archived(context, handle) ? -ALC_OS_BAD_DESCRIPTOR
                                        : INNER(write, handle, spans, spans_count);
}

static int64_t archived_write_at(void *context, int32_t handle, const struct alc_span *spans,
                                 size_t spans_count, uint64_t offset)
{
    return is_archived(context, handle) ? -ALC_OS_BAD_DESCRIPTOR
                                        : INNER(write_at, handle, spans, spans_count, offset);
}

static int64_t seek(const struct use *use, int64_t offset, uint32_t whence)
{
    struct alc_archive_handle *handle = use->handle;
    uint64_t size = contents_of(use->archive, handle->node)->size;
    int64_t from = whence == ALC_OS_SEEK_CUR   ? (int64_t)handle->pos
                   : whence == ALC_OS_SEEK_END ? (int64_t)size
                                               : 0;
    int64_t to;
    if (whence > ALC_OS_SEEK_END || __builtin_add_overflow(from, offset, &to) || to < 0) {
        return -ALC_OS_INVALID;
    }
    handle->pos = (uint64_t)to;
    return to;
}

static int64_t archived_seek(void *context, int32_t handle, int64_t offset, uint32_t whence)
{
    struct use use;
    if (!enter(context, handle, &use)) {
        return INNER(seek, handle, offset, whence);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : seek(&use, offset, whence);
    leave(&use);
    return result;
}

/* -- state of a handle -- */

static void fill_stat(const struct alc_archive *archive, uint32_t number, uint32_t mount,
                      struct alc_os_stat *out)
{
    const struct alc_archive_node *node = contents_of(archive, number);
    *out = (struct alc_os_stat){
        .device = ALC_ARCHIVE_FIRST_HANDLE + mount,
        .inode = (uint64_t)alc_archive_node(archive, number)->inode + 1,
        .type = node->type,
        .link_count = node->links_count,
        .size = node->size,
        .access_time_ns = node->modify_time_ns,
        .modify_time_ns = node->modify_time_ns,
        .change_time_ns = node->modify_time_ns,
    };
}

static int64_t archived_close(void *context, int32_t handle)
{
    struct use use;
    if (!enter(context, handle, &use)) {
        return INNER(close, handle);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : 0;
    if (use.handle != NULL) {
        use.handle->is_open = false;
    }
    leave(&use);
    return result;
}

static int64_t archived_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    struct use use;
    if (!enter(context, handle, &use)) {
        return INNER(stat, handle, out);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : 0;
    if (use.handle != NULL) {
        fill_stat(use.archive, use.handle->node, use.mount, out);
    }
    leave(&use);
    return result;
}

static int64_t archived_get_flags(void *context, int32_t handle)
{
    struct use use;
    if (!enter(context, handle, &use)) {
        return INNER(get_flags, handle);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR
                                        : (int64_t)(use.handle->flags & ALC_OS_OPEN_STATUS);
    leave(&use);
    return result;
}

static int64_t archived_set_flags(void *context, int32_t handle, uint32_t flags)
{
    struct use use;
    if (!enter(context, handle, &use)) {
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

/* What an open handle answers to a call that needs nothing of it. */
static int64_t answer(void *context, int32_t handle, int64_t result)
{
    struct use use;
    if (!enter(context, handle, &use)) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : result;
    leave(&use);
    return result;
}

static int64_t archived_sync(void *context, int32_t handle, uint32_t data_only)
{
    return is_archived(context, handle) ? answer(context, handle, 0)
                                        : INNER(sync, handle, data_only);
}

static int64_t archived_set_size(void *context, int32_t handle, uint64_t size)
{
    return is_archived(context, handle) ? answer(context, handle, -ALC_OS_INVALID)
                                        : INNER(set_size, handle, size);
}

static int64_t archived_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    return is_archived(context, handle) ? -ALC_OS_BAD_DESCRIPTOR
                                        : INNER(allocate, handle, offset, size);
}

static int64_t archived_advise(void *context, int32_t handle, uint64_t offset, uint64_t size,
                               uint32_t advice)
{
    return is_archived(context, handle) ? answer(context, handle, 0)
                                        : INNER(advise, handle, offset, size, advice);
}

static int64_t archived_set_times(void *context, int32_t handle, uint64_t access_ns,
                                  uint64_t modify_ns, uint32_t flags)
{
    return is_archived(context, handle) ? answer(context, handle, -ALC_OS_READ_ONLY)
                                        : INNER(set_times, handle, access_ns, modify_ns, flags);
}

/* -- paths -- */

/* Takes a free handle for the node. */
static int64_t open_node(struct use *use, uint32_t number, uint32_t flags)
{
    enum { ONE_TIME = ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE | ALC_OS_OPEN_TRUNCATE };
    for (uint32_t place = 1; place < ALC_LIMIT_ARCHIVE_HANDLES; place++) {
        struct alc_archive_handle *handle = &use->archive->handles[place];
        if (!handle->is_open) {
            *handle = (struct alc_archive_handle){
                .node = number,
                .flags = (flags & ~(uint32_t)ONE_TIME) | ALC_OS_OPEN_READ,
                .is_open = true,
            };
            return ALC_ARCHIVE_FIRST_HANDLE + (int64_t)use->mount * ALC_LIMIT_ARCHIVE_HANDLES +
                   place;
        }
    }
    return -ALC_OS_TOO_MANY_OPEN;
}

static int64_t open_path(struct use *use, const uint8_t *path, size_t path_size, uint32_t flags)
{
    enum { CHANGES = ALC_OS_OPEN_WRITE | ALC_OS_OPEN_TRUNCATE };
    uint32_t number;
    if ((flags & ~(uint32_t)ALC_OS_OPEN_ALL) != 0) {
        return -ALC_OS_INVALID;
    }
    int64_t result = alc_archive_resolve(use->archive, use->handle->node, path, path_size,
                                         (flags & ALC_OS_OPEN_FOLLOW) != 0, &number);
    if (result < 0) {
        bool would_create = result == -ALC_OS_NO_ENTRY && (flags & ALC_OS_OPEN_CREATE) != 0;
        return would_create ? -ALC_OS_READ_ONLY : result;
    }
    uint8_t type = contents_of(use->archive, number)->type;
    if ((flags & ALC_OS_OPEN_CREATE) != 0 && (flags & ALC_OS_OPEN_EXCLUSIVE) != 0) {
        return -ALC_OS_EXISTS;
    }
    if (type == ALC_OS_TYPE_SYMBOLIC_LINK) {
        return -ALC_OS_LOOP;
    }
    if ((flags & ALC_OS_OPEN_DIRECTORY) != 0 && type != ALC_OS_TYPE_DIRECTORY) {
        return -ALC_OS_NOT_DIRECTORY;
    }
    if ((flags & CHANGES) != 0) {
        return type == ALC_OS_TYPE_DIRECTORY ? -ALC_OS_IS_DIRECTORY : -ALC_OS_READ_ONLY;
    }
    return type == ALC_OS_TYPE_DIRECTORY || type == ALC_OS_TYPE_REGULAR_FILE
               ? open_node(use, number, flags)
               : -ALC_OS_NO_SUCH_DEVICE;
}

static int64_t archived_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                uint32_t flags)
{
    struct use use;
    if (!enter(context, dir, &use)) {
        return check_given(context, INNER(open_at, dir, path, path_size, flags));
    }
    int64_t result =
        use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : open_path(&use, path, path_size, flags);
    leave(&use);
    return result;
}

static int64_t archived_stat_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                uint32_t follow, struct alc_os_stat *out)
{
    struct use use;
    uint32_t number;
    if (!enter(context, dir, &use)) {
        return INNER(stat_at, dir, path, path_size, follow, out);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR
                                        : alc_archive_resolve(use.archive, use.handle->node, path,
                                                              path_size, follow != 0, &number);
    if (result == 0) {
        fill_stat(use.archive, number, use.mount, out);
    }
    leave(&use);
    return result;
}

static int64_t archived_readlink_at(void *context, int32_t dir, const uint8_t *path,
                                    size_t path_size, uint8_t *buf, size_t buf_size)
{
    struct use use;
    uint32_t number;
    if (!enter(context, dir, &use)) {
        return INNER(readlink_at, dir, path, path_size, buf, buf_size);
    }
    int64_t result = use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR
                                        : alc_archive_resolve(use.archive, use.handle->node, path,
                                                              path_size, false, &number);
    if (result == 0) {
        const struct alc_archive_node *node = contents_of(use.archive, number);
        bool is_link = node->type == ALC_OS_TYPE_SYMBOLIC_LINK;
        size_t size = node->size < buf_size ? (size_t)node->size : buf_size;
        if (is_link) {
            alc_copy(buf, node->target, size);
        }
        result = is_link ? (int64_t)size : -ALC_OS_INVALID;
    }
    leave(&use);
    return result;
}

/* -- directories: cookie 1 is behind `.`, 2 behind `..`, 3 + n behind node n -- */

enum { COOKIE_NODES = 3 };

struct listing {
    uint8_t *buf;
    size_t size;
    size_t used;
};

/* False: it does not fit. */
static bool list_entry(struct listing *listing, uint64_t next, uint32_t inode, uint8_t type,
                       const uint8_t *name, size_t name_size)
{
    const struct alc_os_directory_entry entry = {
        .next = next, .inode = (uint64_t)inode + 1, .name_size = (uint32_t)name_size, .type = type};
    if (listing->size - listing->used < sizeof entry + name_size) {
        return false;
    }
    alc_copy(listing->buf + listing->used, &entry, sizeof entry);
    alc_copy(listing->buf + listing->used + sizeof entry, name, name_size);
    listing->used += sizeof entry + name_size;
    return true;
}

/* The child behind the cookie; a cookie that was never given out is nobody's. */
static uint32_t child_behind(const struct alc_archive *archive, uint32_t directory, uint64_t cookie)
{
    if (cookie < COOKIE_NODES) {
        return alc_archive_node(archive, directory)->first_child;
    }
    uint64_t number = cookie - COOKIE_NODES;
    if (number >= archive->nodes_count ||
        alc_archive_node(archive, (uint32_t)number)->parent != directory) {
        return ALC_ARCHIVE_NONE;
    }
    return alc_archive_node(archive, (uint32_t)number)->next_sibling;
}

static int64_t list(const struct use *use, uint64_t cookie, uint8_t *buf, size_t buf_size)
{
    const struct alc_archive *archive = use->archive;
    const uint32_t directory = use->handle->node;
    const struct alc_archive_node *self = alc_archive_node(archive, directory);
    struct listing listing = {buf, buf_size, 0};
    if (self->type != ALC_OS_TYPE_DIRECTORY) {
        return -ALC_OS_NOT_DIRECTORY;
    }
    uint32_t next = child_behind(archive, directory, cookie);
    bool fits =
        cookie > 0 || list_entry(&listing, 1, directory, self->type, (const uint8_t *)".", 1);
    fits = fits && (cookie > 1 ||
                    list_entry(&listing, 2, self->parent, self->type, (const uint8_t *)"..", 2));
    while (fits && next != ALC_ARCHIVE_NONE) {
        const struct alc_archive_node *node = alc_archive_node(archive, next);
        fits = list_entry(&listing, COOKIE_NODES + (uint64_t)next, node->inode,
                          contents_of(archive, next)->type, node->name, node->name_size);
        next = node->next_sibling;
    }
    return !fits && listing.used == 0 ? -ALC_OS_OVERFLOW : (int64_t)listing.used;
}

static int64_t archived_read_directory(void *context, int32_t dir, uint64_t cookie, uint8_t *buf,
                                       size_t buf_size)
{
    struct use use;
    if (!enter(context, dir, &use)) {
        return INNER(read_directory, dir, cookie, buf, buf_size);
    }
    int64_t result =
        use.handle == NULL ? -ALC_OS_BAD_DESCRIPTOR : list(&use, cookie, buf, buf_size);
    leave(&use);
    return result;
}

/* -- changes: there are none -- */

static int64_t archived_set_times_at(void *context, int32_t dir, const uint8_t *path,
                                     size_t path_size, uint32_t follow, uint64_t access_ns,
                                     uint64_t modify_ns, uint32_t flags)
{
    return is_archived(context, dir)
               ? answer(context, dir, -ALC_OS_READ_ONLY)
               : INNER(set_times_at, dir, path, path_size, follow, access_ns, modify_ns, flags);
}

static int64_t archived_create_directory_at(void *context, int32_t dir, const uint8_t *path,
                                            size_t path_size)
{
    return is_archived(context, dir) ? answer(context, dir, -ALC_OS_READ_ONLY)
                                     : INNER(create_directory_at, dir, path, path_size);
}

static int64_t archived_remove_directory_at(void *context, int32_t dir, const uint8_t *path,
                                            size_t path_size)
{
    return is_archived(context, dir) ? answer(context, dir, -ALC_OS_READ_ONLY)
                                     : INNER(remove_directory_at, dir, path, path_size);
}

static int64_t archived_unlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size)
{
    return is_archived(context, dir) ? answer(context, dir, -ALC_OS_READ_ONLY)
                                     : INNER(unlink_at, dir, path, path_size);
}

/* Of two directories one may be another table's. */
static int64_t refuse_two(void *context, int32_t first, int32_t second)
{
    return is_archived(context, first) && is_archived(context, second)
               ? answer(context, first, -ALC_OS_READ_ONLY)
               : -ALC_OS_CROSS_DEVICE;
}

static int64_t archived_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                                  size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                                  size_t new_path_size)
{
    return is_archived(context, old_dir) || is_archived(context, new_dir)
               ? refuse_two(context, old_dir, new_dir)
               : INNER(rename_at, old_dir, old_path, old_path_size, new_dir, new_path,
                       new_path_size);
}

static int64_t archived_link_at(void *context, int32_t old_dir, const uint8_t *old_path,
                                size_t old_path_size, uint32_t follow, int32_t new_dir,
                                const uint8_t *new_path, size_t new_path_size)
{
    return is_archived(context, old_dir) || is_archived(context, new_dir)
               ? refuse_two(context, old_dir, new_dir)
               : INNER(link_at, old_dir, old_path, old_path_size, follow, new_dir, new_path,
                       new_path_size);
}

static int64_t archived_symlink_at(void *context, const uint8_t *target, size_t target_size,
                                   int32_t dir, const uint8_t *path, size_t path_size)
{
    return is_archived(context, dir) ? answer(context, dir, -ALC_OS_READ_ONLY)
                                     : INNER(symlink_at, target, target_size, dir, path, path_size);
}

/* -- sockets: files of archives are none -- */

static int64_t archived_accept(void *context, int32_t handle, uint32_t flags)
{
    return is_archived(context, handle) ? -ALC_OS_NOT_SOCKET
                                        : check_given(context, INNER(accept, handle, flags));
}

static int64_t archived_recv(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count, uint32_t flags, uint32_t *out_flags)
{
    return is_archived(context, handle) ? -ALC_OS_NOT_SOCKET
                                        : INNER(recv, handle, spans, spans_count, flags, out_flags);
}

static int64_t archived_send(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count)
{
    return is_archived(context, handle) ? -ALC_OS_NOT_SOCKET
                                        : INNER(send, handle, spans, spans_count);
}

static int64_t archived_shutdown(void *context, int32_t handle, uint32_t how)
{
    return is_archived(context, handle) ? -ALC_OS_NOT_SOCKET : INNER(shutdown, handle, how);
}

/* -- waiting -- */

/* What a handle is ready for: to be read, at once. False: it is another table's. */
static bool poll_archived(void *context, struct alc_os_poll *poll)
{
    struct use use;
    if (!enter(context, poll->handle, &use)) {
        return false;
    }
    poll->ready = ALC_OS_POLL_INVALID;
    poll->available = 0;
    if (use.handle != NULL) {
        uint64_t size = contents_of(use.archive, use.handle->node)->size;
        poll->ready = poll->wanted & (ALC_OS_POLL_READ | ALC_OS_POLL_WRITE);
        poll->available = size > use.handle->pos ? size - use.handle->pos : 0;
    }
    leave(&use);
    return true;
}

static int64_t archived_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                             int64_t timeout_ns)
{
    return alc_os_over_poll(context, polls, polls_count, timeout_ns, poll_archived);
}

/* -- the table -- */

void alc_archive_os_init(struct alc_archive_os *table, const struct alc_os *inner)
{
    alc_fill(table, 0, sizeof *table);
    table->operations = alc_os_over_operations;
    struct alc_os_operations *own = &table->operations;
    own->read = archived_read;
    own->write = archived_write;
    own->read_at = archived_read_at;
    own->write_at = archived_write_at;
    own->seek = archived_seek;
    own->close = archived_close;
    own->sync = archived_sync;
    own->stat = archived_stat;
    own->set_size = archived_set_size;
    own->allocate = archived_allocate;
    own->advise = archived_advise;
    own->set_times = archived_set_times;
    own->get_flags = archived_get_flags;
    own->set_flags = archived_set_flags;
    own->open_at = archived_open_at;
    own->stat_at = archived_stat_at;
    own->set_times_at = archived_set_times_at;
    own->create_directory_at = archived_create_directory_at;
    own->remove_directory_at = archived_remove_directory_at;
    own->unlink_at = archived_unlink_at;
    own->rename_at = archived_rename_at;
    own->link_at = archived_link_at;
    own->symlink_at = archived_symlink_at;
    own->readlink_at = archived_readlink_at;
    own->read_directory = archived_read_directory;
    own->accept = archived_accept;
    own->recv = archived_recv;
    own->send = archived_send;
    own->shutdown = archived_shutdown;
    own->poll = archived_poll;
    table->over.inner = inner;
    table->over.os = (struct alc_os){.operations = own, .context = table};
}

alc_status alc_archive_os_add(struct alc_archive_os *table, int32_t handle,
                              struct alc_archive *archive)
{
    if (table->mounts_count == ALC_LIMIT_ARCHIVE_MOUNTS || handle < 0 ||
        handle >= ALC_ARCHIVE_FIRST_HANDLE || is_archived(table, handle)) {
        return ALC_E_BAD_ARGUMENT;
    }
    archive->handles[0] = (struct alc_archive_handle){.flags = ALC_OS_OPEN_READ, .is_open = true};
    table->mounts[table->mounts_count].archive = archive;
    table->mounts[table->mounts_count].handle = handle;
    table->mounts_count++;
    return ALC_OK;
}
