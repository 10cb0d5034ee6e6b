/* SPDX-License-Identifier: Apache-2.0
 *
 * The fault-injecting system. Each function first asks intercept() whether a fault or a prescribed
 * answer is due, then goes on to the inner system or answers by itself.
 */
#include "os_fake/os_fake.h"

#include <sys/mman.h>

#include "base/bytes.h"

/* True: *out_result is the answer. */
static bool intercept(struct alc_os_fake *fake, enum alc_os_fake_call call, int64_t *out_result)
{
    fake->calls_count++;
    fake->counts[call]++;
    if (fake->fail_at != 0 && fake->calls_count >= fake->fail_at &&
        fake->calls_count - fake->fail_at < fake->fail_count) {
        *out_result = -fake->fail_errno;
        return true;
    }
    if (fake->answers_used < fake->answers_count &&
        fake->answers[fake->answers_used].call == call) {
        *out_result = fake->answers[fake->answers_used++].result;
        return true;
    }
    return false;
}

#define INTERCEPT(call)                                                                            \
    struct alc_os_fake *fake = context;                                                            \
    int64_t intercepted;                                                                           \
    if (intercept(fake, ALC_OS_FAKE_##call, &intercepted)) {                                       \
        return intercepted;                                                                        \
    }
/* Goes on to the inner system, or answers 0. */
#define FORWARD(name, ...)                                                                         \
    return fake->inner == NULL ? 0                                                                 \
                               : fake->inner->operations->name(fake->inner->context, __VA_ARGS__)

enum { SPANS_MAX = 16 };

/* The spans that are handed on: cut to short_size bytes and SPANS_MAX spans. */
struct cut_spans {
    struct alc_span spans[SPANS_MAX];
    size_t count;
    size_t size;
};

static struct cut_spans cut(const struct alc_os_fake *fake, const struct alc_span *spans,
                            size_t spans_count)
{
    struct cut_spans result = {.count = 0};
    size_t left = fake->short_size != 0 ? fake->short_size : SIZE_MAX;
    for (size_t i = 0; i < spans_count && i < SPANS_MAX && left != 0; i++) {
        result.spans[i] = spans[i];
        result.spans[i].size = spans[i].size < left ? spans[i].size : left;
        left -= result.spans[i].size;
        result.size += result.spans[i].size;
        result.count++;
    }
    return result;
}

static int64_t fill_spans(const struct alc_os_fake *fake, const struct cut_spans *cut)
{
    for (size_t i = 0; i < cut->count; i++) {
        if (cut->spans[i].size != 0) {
            alc_fill(cut->spans[i].bytes, fake->fill, cut->spans[i].size);
        }
    }
    return (int64_t)cut->size;
}

static int64_t fake_read(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count)
{
    INTERCEPT(READ);
    struct cut_spans given = cut(fake, spans, spans_count);
    if (fake->inner == NULL) {
        return fill_spans(fake, &given);
    }
    FORWARD(read, handle, given.spans, given.count);
}

static int64_t fake_write(void *context, int32_t handle, const struct alc_span *spans,
                          size_t spans_count)
{
    INTERCEPT(WRITE);
    struct cut_spans given = cut(fake, spans, spans_count);
    if (fake->inner == NULL) {
        return (int64_t)given.size;
    }
    FORWARD(write, handle, given.spans, given.count);
}

static int64_t fake_read_at(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset)
{
    INTERCEPT(READ_AT);
    struct cut_spans given = cut(fake, spans, spans_count);
    if (fake->inner == NULL) {
        return fill_spans(fake, &given);
    }
    FORWARD(read_at, handle, given.spans, given.count, offset);
}

static int64_t fake_write_at(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count, uint64_t offset)
{
    INTERCEPT(WRITE_AT);
    struct cut_spans given = cut(fake, spans, spans_count);
    if (fake->inner == NULL) {
        return (int64_t)given.size;
    }
    FORWARD(write_at, handle, given.spans, given.count, offset);
}

static int64_t fake_seek(void *context, int32_t handle, int64_t offset, uint32_t whence)
{
    INTERCEPT(SEEK);
    if (fake->inner == NULL) {
        return offset >= 0 ? offset : -ALC_OS_INVALID;
    }
    FORWARD(seek, handle, offset, whence);
}

static int64_t fake_close(void *context, int32_t handle)
{
    INTERCEPT(CLOSE);
    FORWARD(close, handle);
}

static int64_t fake_sync(void *context, int32_t handle, uint32_t data_only)
{
    INTERCEPT(SYNC);
    FORWARD(sync, handle, data_only);
}

static void fill_stat(struct alc_os_stat *out)
{
    *out = (struct alc_os_stat){
        .device = 1, .inode = 2, .type = ALC_OS_TYPE_REGULAR_FILE, .link_count = 1, .size = 4096};
}

static int64_t fake_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    INTERCEPT(STAT);
    if (fake->inner == NULL) {
        fill_stat(out);
    }
    FORWARD(stat, handle, out);
}

static int64_t fake_set_size(void *context, int32_t handle, uint64_t size)
{
    INTERCEPT(SET_SIZE);
    FORWARD(set_size, handle, size);
}

static int64_t fake_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    INTERCEPT(ALLOCATE);
    FORWARD(allocate, handle, offset, size);
}

static int64_t fake_advise(void *context, int32_t handle, uint64_t offset, uint64_t size,
                           uint32_t advice)
{
    INTERCEPT(ADVISE);
    FORWARD(advise, handle, offset, size, advice);
}

static int64_t fake_set_times(void *context, int32_t handle, uint64_t access_ns, uint64_t modify_ns,
                              uint32_t flags)
{
    INTERCEPT(SET_TIMES);
    FORWARD(set_times, handle, access_ns, modify_ns, flags);
}

static int64_t fake_get_flags(void *context, int32_t handle)
{
    INTERCEPT(GET_FLAGS);
    FORWARD(get_flags, handle);
}

static int64_t fake_set_flags(void *context, int32_t handle, uint32_t flags)
{
    INTERCEPT(SET_FLAGS);
    FORWARD(set_flags, handle, flags);
}

static int64_t fake_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t flags)
{
    INTERCEPT(OPEN_AT);
    if (fake->inner == NULL) {
        return fake->next_handle++;
    }
    FORWARD(open_at, dir, path, path_size, flags);
}

static int64_t fake_stat_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t follow, struct alc_os_stat *out)
{
    INTERCEPT(STAT_AT);
    if (fake->inner == NULL) {
        fill_stat(out);
    }
    FORWARD(stat_at, dir, path, path_size, follow, out);
}

static int64_t fake_set_times_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                 uint32_t follow, uint64_t access_ns, uint64_t modify_ns,
                                 uint32_t flags)
{
    INTERCEPT(SET_TIMES_AT);
    FORWARD(set_times_at, dir, path, path_size, follow, access_ns, modify_ns, flags);
}

static int64_t fake_create_directory_at(void *context, int32_t dir, const uint8_t *path,
                                        size_t path_size)
{
    INTERCEPT(CREATE_DIRECTORY_AT);
    FORWARD(create_directory_at, dir, path, path_size);
}

static int64_t fake_remove_directory_at(void *context, int32_t dir, const uint8_t *path,
                                        size_t path_size)
{
    INTERCEPT(REMOVE_DIRECTORY_AT);
    FORWARD(remove_directory_at, dir, path, path_size);
}

static int64_t fake_unlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size)
{
    INTERCEPT(UNLINK_AT);
    FORWARD(unlink_at, dir, path, path_size);
}

static int64_t fake_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                              size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                              size_t new_path_size)
{
    INTERCEPT(RENAME_AT);
    FORWARD(rename_at, old_dir, old_path, old_path_size, new_dir, new_path, new_path_size);
}

static int64_t fake_link_at(void *context, int32_t old_dir, const uint8_t *old_path,
                            size_t old_path_size, uint32_t follow, int32_t new_dir,
                            const uint8_t *new_path, size_t new_path_size)
{
    INTERCEPT(LINK_AT);
    FORWARD(link_at, old_dir, old_path, old_path_size, follow, new_dir, new_path, new_path_size);
}

static int64_t fake_symlink_at(void *context, const uint8_t *target, size_t target_size,
                               int32_t dir, const uint8_t *path, size_t path_size)
{
    INTERCEPT(SYMLINK_AT);
    FORWARD(symlink_at, target, target_size, dir, path, path_size);
}

static int64_t fake_readlink_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                                uint8_t *buf, size_t buf_size)
{
    INTERCEPT(READLINK_AT);
    if (fake->inner == NULL && buf_size != 0) {
        alc_fill(buf, fake->fill, buf_size);
        return (int64_t)buf_size;
    }
    FORWARD(readlink_at, dir, path, path_size, buf, buf_size);
}

static int64_t fake_read_directory(void *context, int32_t dir, uint64_t cookie, uint8_t *buf,
                                   size_t buf_size)
{
    static const char name[] = "entry";
    struct alc_os_directory_entry entry = {
        .next = cookie + 1, .inode = 3, .name_size = sizeof name - 1, .type = 4};
    INTERCEPT(READ_DIRECTORY);
    if (fake->inner == NULL) {
        if (buf_size < sizeof entry + entry.name_size) {
            return -ALC_OS_OVERFLOW;
        }
        alc_copy(buf, &entry, sizeof entry);
        alc_copy(buf + sizeof entry, name, entry.name_size);
        return (int64_t)(sizeof entry + entry.name_size);
    }
    FORWARD(read_directory, dir, cookie, buf, buf_size);
}

static int64_t fake_accept(void *context, int32_t handle, uint32_t flags)
{
    INTERCEPT(ACCEPT);
    if (fake->inner == NULL) {
        return fake->next_handle++;
    }
    FORWARD(accept, handle, flags);
}

static int64_t fake_recv(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count, uint32_t flags, uint32_t *out_flags)
{
    INTERCEPT(RECV);
    struct cut_spans given = cut(fake, spans, spans_count);
    if (fake->inner == NULL) {
        *out_flags = ALC_OS_RECV_TRUNCATED;
        return fill_spans(fake, &given);
    }
    FORWARD(recv, handle, given.spans, given.count, flags, out_flags);
}

static int64_t fake_send(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count)
{
    INTERCEPT(SEND);
    struct cut_spans given = cut(fake, spans, spans_count);
    if (fake->inner == NULL) {
        return (int64_t)given.size;
    }
    FORWARD(send, handle, given.spans, given.count);
}

static int64_t fake_shutdown(void *context, int32_t handle, uint32_t how)
{
    INTERCEPT(SHUTDOWN);
    FORWARD(shutdown, handle, how);
}

static int64_t fake_clock_read(void *context, uint32_t clock, uint32_t resolution)
{
    INTERCEPT(CLOCK_READ);
    if (fake->inner == NULL) {
        fake->time_ns += 1000;
        return resolution != 0 ? 1 : (int64_t)fake->time_ns;
    }
    FORWARD(clock_read, clock, resolution);
}

static int64_t fake_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                         int64_t timeout_ns)
{
    INTERCEPT(POLL);
    if (fake->inner == NULL) {
        fake->time_ns += timeout_ns > 0 ? (uint64_t)timeout_ns : 0;
        for (size_t i = 0; i < polls_count; i++) {
            polls[i].ready = polls[i].wanted & (ALC_OS_POLL_READ | ALC_OS_POLL_WRITE);
            polls[i].available = 1;
        }
        return (int64_t)polls_count;
    }
    FORWARD(poll, polls, polls_count, timeout_ns);
}

static int64_t fake_yield(void *context)
{
    INTERCEPT(YIELD);
    return fake->inner == NULL ? 0 : fake->inner->operations->yield(fake->inner->context);
}

static int64_t fake_thread_start(void *context, uint32_t thread)
{
    INTERCEPT(THREAD_START);
    if (fake->inner == NULL) {
        return 0; /* of which nothing is seen */
    }
    FORWARD(thread_start, thread);
}

static int64_t fake_thread_sleep(void *context, uint32_t thread, int64_t timeout_ns)
{
    INTERCEPT(THREAD_SLEEP);
    if (fake->inner == NULL) {
        fake->time_ns += timeout_ns > 0 ? (uint64_t)timeout_ns : 0;
        return 0;
    }
    FORWARD(thread_sleep, thread, timeout_ns);
}

static int64_t fake_thread_wake(void *context, uint32_t thread)
{
    INTERCEPT(THREAD_WAKE);
    if (fake->inner == NULL) {
        return 0;
    }
    FORWARD(thread_wake, thread);
}

static void fake_set_thread_body(void *context, alc_os_thread_body *body, void *argument)
{
    const struct alc_os_fake *fake = context;
    if (fake->inner != NULL) {
        fake->inner->operations->set_thread_body(fake->inner->context, body, argument);
    }
}

static int64_t fake_random(void *context, uint8_t *buf, size_t buf_size)
{
    INTERCEPT(RANDOM);
    if (fake->inner == NULL && buf_size != 0) {
        alc_fill(buf, fake->fill, buf_size);
        return 0;
    }
    FORWARD(random, buf, buf_size);
}

static void *fake_pages_reserve(void *context, size_t size)
{
    struct alc_os_fake *fake = context;
    int64_t intercepted;
    if (intercept(fake, ALC_OS_FAKE_PAGES_RESERVE, &intercepted)) {
        return NULL;
    }
    if (fake->inner != NULL) {
        return fake->inner->operations->pages_reserve(fake->inner->context, size);
    }
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return addr == MAP_FAILED ? NULL : addr;
}

static int64_t fake_pages_commit(void *context, void *addr, size_t size)
{
    INTERCEPT(PAGES_COMMIT);
    if (fake->inner == NULL) {
        return mprotect(addr, size, PROT_READ | PROT_WRITE) == 0 ? 0 : -ALC_OS_NO_MEMORY;
    }
    FORWARD(pages_commit, addr, size);
}

static int64_t fake_pages_execute(void *context, void *addr, size_t size)
{
    INTERCEPT(PAGES_EXECUTE);
    if (fake->inner == NULL) {
        return mprotect(addr, size, PROT_READ | PROT_EXEC) == 0 ? 0 : -ALC_OS_NO_MEMORY;
    }
    FORWARD(pages_execute, addr, size);
}

static void fake_pages_release(void *context, void *addr, size_t size)
{
    struct alc_os_fake *fake = context;
    if (fake->inner != NULL) {
        fake->inner->operations->pages_release(fake->inner->context, addr, size);
    } else {
        munmap(addr, size);
    }
}

static const struct alc_os_operations operations = {
    .read = fake_read,
    .write = fake_write,
    .read_at = fake_read_at,
    .write_at = fake_write_at,
    .seek = fake_seek,
    .close = fake_close,
    .sync = fake_sync,
    .stat = fake_stat,
    .set_size = fake_set_size,
    .allocate = fake_allocate,
    .advise = fake_advise,
    .set_times = fake_set_times,
    .get_flags = fake_get_flags,
    .set_flags = fake_set_flags,
    .open_at = fake_open_at,
    .stat_at = fake_stat_at,
    .set_times_at = fake_set_times_at,
    .create_directory_at = fake_create_directory_at,
    .remove_directory_at = fake_remove_directory_at,
    .unlink_at = fake_unlink_at,
    .rename_at = fake_rename_at,
    .link_at = fake_link_at,
    .symlink_at = fake_symlink_at,
    .readlink_at = fake_readlink_at,
    .read_directory = fake_read_directory,
    .accept = fake_accept,
    .recv = fake_recv,
    .send = fake_send,
    .shutdown = fake_shutdown,
    .clock_read = fake_clock_read,
    .poll = fake_poll,
    .yield = fake_yield,
    .thread_start = fake_thread_start,
    .thread_sleep = fake_thread_sleep,
    .thread_wake = fake_thread_wake,
    .set_thread_body = fake_set_thread_body,
    .random = fake_random,
    .pages_reserve = fake_pages_reserve,
    .pages_commit = fake_pages_commit,
    .pages_execute = fake_pages_execute,
    .pages_release = fake_pages_release,
};

void alc_os_fake_init(struct alc_os_fake *fake, const struct alc_os *inner)
{
    *fake = (struct alc_os_fake){.inner = inner, .next_handle = ALC_OS_FIRST_MOUNT, .fill = 0x41};
    fake->os = (struct alc_os){.operations = &operations, .context = fake};
}
