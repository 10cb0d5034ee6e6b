/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of handles: grants, lookups that keep a descriptor open while a call uses it, and the
 * door functions. Distrusts handle numbers: each is looked up here before anything else happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "os_linux/os_linux_internal.h"

static const struct alc_os_operations operations = {
    .read = alc_linux_read,
    .write = alc_linux_write,
    .read_at = alc_linux_read_at,
    .write_at = alc_linux_write_at,
    .seek = alc_linux_seek,
    .close = alc_linux_close,
    .sync = alc_linux_sync,
    .stat = alc_linux_stat,
    .set_size = alc_linux_set_size,
    .allocate = alc_linux_allocate,
    .advise = alc_linux_advise,
    .set_times = alc_linux_set_times,
    .get_flags = alc_linux_get_flags,
    .set_flags = alc_linux_set_flags,
    .open_at = alc_linux_open_at,
    .stat_at = alc_linux_stat_at,
    .set_times_at = alc_linux_set_times_at,
    .create_directory_at = alc_linux_create_directory_at,
    .remove_directory_at = alc_linux_remove_directory_at,
    .unlink_at = alc_linux_unlink_at,
    .rename_at = alc_linux_rename_at,
    .link_at = alc_linux_link_at,
    .symlink_at = alc_linux_symlink_at,
    .readlink_at = alc_linux_readlink_at,
    .read_directory = alc_linux_read_directory,
    .accept = alc_linux_accept,
    .recv = alc_linux_recv,
    .send = alc_linux_send,
    .shutdown = alc_linux_shutdown,
    .clock_read = alc_linux_clock_read,
    .poll = alc_linux_poll,
    .yield = alc_linux_yield,
    .thread_start = alc_linux_thread_start,
    .thread_sleep = alc_linux_thread_sleep,
    .thread_wake = alc_linux_thread_wake,
    .set_thread_body = alc_linux_set_thread_body,
    .random = alc_linux_random,
    .pages_reserve = alc_linux_pages_reserve,
    .pages_commit = alc_linux_pages_commit,
    .pages_execute = alc_linux_pages_execute,
    .pages_release = alc_linux_pages_release,
};

/* Whether the kernel resolves beneath a directory by itself (a container's filter may say no). */
static bool probe_openat2(void)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
    int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0) {
        return false;
    }
    int fd = (int)syscall(SYS_openat2, root_fd, ".", &how, sizeof how);
    close(root_fd);
    if (fd < 0) {
        return false;
    }
    close(fd);
    return true;
}

alc_status alc_os_linux_new(const struct alc_os_linux_options *options, struct alc_os_linux **out)
{
    static const struct alc_os_linux_options defaults = {0};
    options = options != NULL ? options : &defaults;
    struct alc_os_linux *system = calloc(1, sizeof *system);
    if (system == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    system->handles_count = options->handles_limit != 0
                                ? options->handles_limit
                                : ALC_LIMIT_WASI_DESCRIPTORS + ALC_OS_FIRST_MOUNT;
    system->handles = calloc(system->handles_count, sizeof *system->handles);
    if (system->handles == NULL || pthread_mutex_init(&system->lock, NULL) != 0) {
        free(system->handles);
        free(system);
        return ALC_E_OUT_OF_MEMORY;
    }
    system->os = (struct alc_os){.operations = &operations, .context = system};
    system->has_openat2 = !options->walk_paths && probe_openat2();
    if (!options->keep_signals) {
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN);
    }
    *out = system;
    return ALC_OK;
}

void alc_linux_free_listing(struct alc_linux_listing *listing)
{
    if (listing != NULL) {
        free(listing->records);
        free(listing->offsets);
        free(listing);
    }
}

/* Ends an entry that nobody uses. */
static int64_t clear_handle(struct alc_linux_handle *entry)
{
    int64_t result = 0;
    if (entry->kind == ALC_LINUX_DESCRIPTOR && (entry->flags & ALC_OS_LINUX_OWNED) != 0) {
        result = alc_linux_result(close(entry->fd));
        /* The descriptor is gone all the same. */
        result = result == -ALC_OS_INTERRUPTED ? 0 : result;
    }
    alc_linux_free_listing(entry->listing);
    *entry = (struct alc_linux_handle){.kind = ALC_LINUX_FREE};
    return result;
}

void alc_os_linux_free(struct alc_os_linux *system)
{
    if (system == NULL) {
        return;
    }
    for (uint32_t i = 0; i < system->handles_count; i++) {
        ALC_ASSERT(system->handles[i].users_count == 0);
        if (system->handles[i].kind != ALC_LINUX_FREE) {
            (void)clear_handle(&system->handles[i]);
        }
    }
    pthread_mutex_destroy(&system->lock);
    free(system->handles);
    free(system);
}

const struct alc_os *alc_os_linux_get_os(const struct alc_os_linux *system)
{
    return &system->os;
}

/* The entry of an open handle, or NULL; the lock is held. */
static struct alc_linux_handle *find_handle(struct alc_os_linux *system, int32_t handle)
{
    if (handle < 0 || (uint32_t)handle >= system->handles_count) {
        return NULL;
    }
    struct alc_linux_handle *entry =
        &system->handles[alc_index_clamp((uint64_t)handle, system->handles_count)];
    return entry->kind == ALC_LINUX_FREE || entry->is_closing ? NULL : entry;
}

static int use_handle(struct alc_os_linux *system, int32_t handle, bool to_change)
{
    int fd = -ALC_OS_BAD_DESCRIPTOR;
    pthread_mutex_lock(&system->lock);
    struct alc_linux_handle *entry = find_handle(system, handle);
    if (entry != NULL && entry->kind == ALC_LINUX_DESCRIPTOR) {
        if (to_change && (entry->flags & ALC_OS_LINUX_READ_ONLY) != 0) {
            fd = -ALC_OS_READ_ONLY;
        } else {
            entry->users_count++;
            fd = entry->fd;
        }
    }
    pthread_mutex_unlock(&system->lock);
    return fd;
}

int alc_linux_use(struct alc_os_linux *system, int32_t handle)
{
    return use_handle(system, handle, false);
}

int alc_linux_use_to_change(struct alc_os_linux *system, int32_t handle)
{
    return use_handle(system, handle, true);
}

void alc_linux_leave(struct alc_os_linux *system, int32_t handle)
{
    pthread_mutex_lock(&system->lock);
    struct alc_linux_handle *entry = &system->handles[handle];
    ALC_ASSERT(entry->users_count != 0);
    entry->users_count--;
    if (entry->is_closing && entry->users_count == 0) {
        (void)clear_handle(entry);
    }
    pthread_mutex_unlock(&system->lock);
}

bool alc_linux_is_read_only(struct alc_os_linux *system, int32_t handle)
{
    pthread_mutex_lock(&system->lock);
    struct alc_linux_handle *entry = find_handle(system, handle);
    bool is_read_only = entry != NULL && (entry->flags & ALC_OS_LINUX_READ_ONLY) != 0;
    pthread_mutex_unlock(&system->lock);
    return is_read_only;
}

bool alc_linux_is_borrowed(struct alc_os_linux *system, int32_t handle)
{
    pthread_mutex_lock(&system->lock);
    struct alc_linux_handle *entry = find_handle(system, handle);
    bool is_borrowed = entry != NULL && (entry->flags & ALC_OS_LINUX_OWNED) == 0;
    pthread_mutex_unlock(&system->lock);
    return is_borrowed;
}

struct alc_linux_handle *alc_linux_lock_memory(struct alc_os_linux *system, int32_t handle)
{
    pthread_mutex_lock(&system->lock);
    struct alc_linux_handle *entry = find_handle(system, handle);
    if (entry != NULL && entry->kind != ALC_LINUX_DESCRIPTOR) {
        return entry;
    }
    pthread_mutex_unlock(&system->lock);
    return NULL;
}

/* Puts an entry at `handle` or at the lowest free place from ALC_OS_FIRST_MOUNT. */
static int64_t add_entry(struct alc_os_linux *system, int32_t handle,
                         const struct alc_linux_handle *entry)
{
    int64_t result = -ALC_OS_TOO_MANY_OPEN;
    uint32_t first = handle == ALC_OS_LINUX_ANY_HANDLE ? ALC_OS_FIRST_MOUNT : (uint32_t)handle;
    uint32_t last = handle == ALC_OS_LINUX_ANY_HANDLE ? system->handles_count - 1 : first;
    if (handle < ALC_OS_LINUX_ANY_HANDLE || last >= system->handles_count) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    pthread_mutex_lock(&system->lock);
    for (uint32_t i = first; i <= last; i++) {
        if (system->handles[i].kind == ALC_LINUX_FREE) {
            system->handles[i] = *entry;
            result = i;
            break;
        }
        result = handle == ALC_OS_LINUX_ANY_HANDLE ? result : -ALC_OS_EXISTS;
    }
    pthread_mutex_unlock(&system->lock);
    return result;
}

int64_t alc_linux_add(struct alc_os_linux *system, int fd, uint32_t flags)
{
    struct alc_linux_handle entry = {
        .kind = ALC_LINUX_DESCRIPTOR, .flags = flags | ALC_OS_LINUX_OWNED, .fd = fd};
    int64_t result = add_entry(system, ALC_OS_LINUX_ANY_HANDLE, &entry);
    if (result < 0) {
        close(fd);
    }
    return result;
}

int64_t alc_linux_close(void *context, int32_t handle)
{
    struct alc_os_linux *system = context;
    int64_t result = -ALC_OS_BAD_DESCRIPTOR;
    pthread_mutex_lock(&system->lock);
    struct alc_linux_handle *entry = find_handle(system, handle);
    if (entry != NULL) {
        entry->is_closing = true;
        result = entry->users_count == 0 ? clear_handle(entry) : 0;
    }
    pthread_mutex_unlock(&system->lock);
    return result;
}

int64_t alc_os_linux_grant(struct alc_os_linux *system, int32_t handle, int fd, uint32_t flags)
{
    if (fcntl(fd, F_GETFD) < 0) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    struct alc_linux_handle entry = {.kind = ALC_LINUX_DESCRIPTOR, .flags = flags, .fd = fd};
    return add_entry(system, handle, &entry);
}

int64_t alc_os_linux_grant_directory(struct alc_os_linux *system, int32_t handle, const char *path,
                                     uint32_t flags)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return alc_linux_error(errno);
    }
    int64_t result = alc_os_linux_grant(system, handle, fd, flags | ALC_OS_LINUX_OWNED);
    if (result < 0) {
        close(fd);
    }
    return result;
}

int64_t alc_os_linux_grant_bytes(struct alc_os_linux *system, int32_t handle, const void *bytes,
                                 size_t size)
{
    struct alc_linux_handle entry = {
        .kind = ALC_LINUX_BYTES, .flags = ALC_OS_LINUX_READ_ONLY, .bytes = bytes, .size = size};
    return add_entry(system, handle, &entry);
}

int64_t alc_os_linux_grant_buffer(struct alc_os_linux *system, int32_t handle, void *buf,
                                  size_t size, size_t *out_size)
{
    struct alc_linux_handle entry = {
        .kind = ALC_LINUX_BUFFER, .buf = buf, .size = size, .out_size = out_size};
    *out_size = 0;
    return add_entry(system, handle, &entry);
}
