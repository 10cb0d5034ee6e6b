/* SPDX-License-Identifier: Apache-2.0
 *
 * The table over another table.
 */
#include "os/over.h"

static const struct alc_os *inner_of(void *context)
{
    return ((struct alc_os_over *)context)->inner;
}

/* The same function of the table beneath. */
#define INNER(name, ...)                                                                           \
    (inner_of(context)->operations->name(inner_of(context)->context, ##__VA_ARGS__))

static int64_t over_read(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count)
{
    return INNER(read, handle, spans, spans_count);
}

static int64_t over_write(void *context, int32_t handle, const struct alc_span *spans,
                          size_t spans_count)
{
    return INNER(write, handle, spans, spans_count);
}

static int64_t over_read_at(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset)
{
    return INNER(read_at, handle, spans, spans_count, offset);
}

static int64_t over_write_at(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count, uint64_t offset)
{
    return INNER(write_at, handle, spans, spans_count, offset);
}

static int64_t over_seek(void *context, int32_t handle, int64_t offset, uint32_t whence)
{
    return INNER(seek, handle, offset, whence);
}

static int64_t over_close(void *context, int32_t handle)
{
    return INNER(close, handle);
}

static int64_t over_sync(void *context, int32_t handle, uint32_t data_only)
{
    return INNER(sync, handle, data_only);
}

static int64_t over_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    return INNER(stat, handle, out);
}

static int64_t over_set_size(void *context, int32_t handle, uint64_t size)
{
    return INNER(set_size, handle, size);
}

static int64_t over_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    return INNER(allocate, handle, offset, size);
}

static int64_t over_advise(void *context, int32_t handle, uint64_t offset, uint64_t size,
                           uint32_t advice)
{
    return INNER(advise, handle, offset, size, advice);
}

static int64_t over_set_times(void *context, int32_t handle, uint64_t access_ns, uint64_t modify_ns,
                              uint32_t flags)
{
    return INNER(set_times, handle, access_ns, modify_ns, flags);
}

static int64_t over_get_flags(void *context, int32_t handle)
{
    return INNER(get_flags, handle);
}

static int64_t over_set_flags(void *context, int32_t handle, uint32_t flags)
{
    return INNER(set_flags, handle, flags);
}

static int64_t over_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t flags)
{
    return INNER(open_at, dir, path, path_size, flags);
}

static int64_t over_stat_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t follow, struct alc_os_stat *out)
{
    return INNER(stat_at, dir, path, path_size, follow, out);
}

static int64_t over_set_times_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                 uint32_t follow, uint64_t access_ns, uint64_t modify_ns,
                                 uint32_t flags)
{
    return INNER(set_times_at, dir, path, path_size, follow, access_ns, modify_ns, flags);
}

static int64_t over_create_directory_at(void *context, int32_t dir, const uint8_t *path,
                                        size_t path_size)
{
    return INNER(create_directory_at, dir, path, path_size);
}

static int64_t over_remove_directory_at(void *context, int32_t dir, const uint8_t *path,
                                        size_t path_size)
{
    return INNER(remove_directory_at, dir, path, path_size);
}

static int64_t over_unlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size)
{
    return INNER(unlink_at, dir, path, path_size);
}

static int64_t over_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                              size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                              size_t new_path_size)
{
    return INNER(rename_at, old_dir, old_path, old_path_size, new_dir, new_path, new_path_size);
}

static int64_t over_link_at(void *context, int32_t old_dir, const uint8_t *old_path,
                            size_t old_path_size, uint32_t follow, int32_t new_dir,
                            const uint8_t *new_path, size_t new_path_size)
{
    return INNER(link_at, old_dir, old_path, old_path_size, follow, new_dir, new_path,
                 new_path_size);
}

static int64_t over_symlink_at(void *context, const uint8_t *target, size_t target_size,
                               int32_t dir, const uint8_t *path, size_t path_size)
{
    return INNER(symlink_at, target, target_size, dir, path, path_size);
}

static int64_t over_readlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                uint8_t *buf, size_t buf_size)
{
    return INNER(readlink_at, dir, path, path_size, buf, buf_size);
}

static int64_t over_read_directory(void *context, int32_t dir, uint64_t cookie, uint8_t *buf,
                                   size_t buf_size)
{
    return INNER(read_directory, dir, cookie, buf, buf_size);
}

static int64_t over_accept(void *context, int32_t handle, uint32_t flags)
{
    return INNER(accept, handle, flags);
}

static int64_t over_recv(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count, uint32_t flags, uint32_t *out_flags)
{
    return INNER(recv, handle, spans, spans_count, flags, out_flags);
}

static int64_t over_send(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count)
{
    return INNER(send, handle, spans, spans_count);
}

static int64_t over_shutdown(void *context, int32_t handle, uint32_t how)
{
    return INNER(shutdown, handle, how);
}

static int64_t over_clock_read(void *context, uint32_t clock, uint32_t resolution)
{
    return INNER(clock_read, clock, resolution);
}

static int64_t over_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                         int64_t timeout_ns)
{
    return INNER(poll, polls, polls_count, timeout_ns);
}

static int64_t over_yield(void *context)
{
    return INNER(yield);
}

static int64_t over_thread_start(void *context, uint32_t thread)
{
    return INNER(thread_start, thread);
}

static int64_t over_thread_sleep(void *context, uint32_t thread, int64_t timeout_ns)
{
    return INNER(thread_sleep, thread, timeout_ns);
}

static int64_t over_thread_wake(void *context, uint32_t thread)
{
    return INNER(thread_wake, thread);
}

static void over_set_thread_body(void *context, alc_os_thread_body *body, void *argument)
{
    INNER(set_thread_body, body, argument);
}

static int64_t over_random(void *context, uint8_t *buf, size_t buf_size)
{
    return INNER(random, buf, buf_size);
}

static void *over_pages_reserve(void *context, size_t size)
{
    return INNER(pages_reserve, size);
}

static int64_t over_pages_commit(void *context, void *addr, size_t size)
{
    return INNER(pages_commit, addr, size);
}

static int64_t over_pages_execute(void *context, void *addr, size_t size)
{
    return inner_of(context)->operations->pages_execute == NULL ? -ALC_OS_NOT_SUPPORTED
                                                                : INNER(pages_execute, addr, size);
}

static void over_pages_release(void *context, void *addr, size_t size)
{
    INNER(pages_release, addr, size);
}

const struct alc_os_operations alc_os_over_operations = {
    .read = over_read,
    .write = over_write,
    .read_at = over_read_at,
    .write_at = over_write_at,
    .seek = over_seek,
    .close = over_close,
    .sync = over_sync,
    .stat = over_stat,
    .set_size = over_set_size,
    .allocate = over_allocate,
    .advise = over_advise,
    .set_times = over_set_times,
    .get_flags = over_get_flags,
    .set_flags = over_set_flags,
    .open_at = over_open_at,
    .stat_at = over_stat_at,
    .set_times_at = over_set_times_at,
    .create_directory_at = over_create_directory_at,
    .remove_directory_at = over_remove_directory_at,
    .unlink_at = over_unlink_at,
    .rename_at = over_rename_at,
    .link_at = over_link_at,
    .symlink_at = over_symlink_at,
    .readlink_at = over_readlink_at,
    .read_directory = over_read_directory,
    .accept = over_accept,
    .recv = over_recv,
    .send = over_send,
    .shutdown = over_shutdown,
    .clock_read = over_clock_read,
    .poll = over_poll,
    .yield = over_yield,
    .thread_start = over_thread_start,
    .thread_sleep = over_thread_sleep,
    .thread_wake = over_thread_wake,
    .set_thread_body = over_set_thread_body,
    .random = over_random,
    .pages_reserve = over_pages_reserve,
    .pages_commit = over_pages_commit,
    .pages_execute = over_pages_execute,
    .pages_release = over_pages_release,
};

int64_t alc_os_over_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                         int64_t timeout_ns,
                         bool (*poll_own)(void *context, struct alc_os_poll *poll))
{
    size_t own_count = 0;
    for (size_t i = 0; i < polls_count; i++) {
        own_count += poll_own(context, &polls[i]) ? 1 : 0;
    }
    if (own_count == 0) {
        return over_poll(context, polls, polls_count, timeout_ns);
    }
    if (own_count < polls_count) { /* the table beneath calls our handles invalid */
        int64_t result = over_poll(context, polls, polls_count, 0);
        if (result < 0) {
            return result;
        }
    }
    int64_t ready_count = 0;
    for (size_t i = 0; i < polls_count; i++) {
        (void)poll_own(context, &polls[i]);
        ready_count += polls[i].ready != 0 ? 1 : 0;
    }
    return ready_count;
}
