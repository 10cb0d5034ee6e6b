/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk in memory. Its one user is seal/, which keeps its lock while it calls.
 */
#include "mounts/memory.h"

#include "base/bytes.h"

enum { STEP = 1 << 20 }; /* of memory that is committed */

static struct alc_memory_disk *disk_of(void *context)
{
    return context;
}

#define INNER(name, ...) (alc_os_over_operations.name(context, __VA_ARGS__))

static bool is_own(int32_t handle)
{
    return handle == ALC_MEMORY_DIRECTORY || handle == ALC_MEMORY_FILE;
}

/* -- size -- */

/* Memory behind the first `size` bytes. */
static int64_t commit(struct alc_memory_disk *disk, uint64_t size)
{
    const struct alc_os *inner = disk->over.inner;
    if (size > disk->size_max) {
        return -ALC_OS_NO_SPACE;
    }
    if (size > disk->committed) {
        uint64_t end = (size + STEP - 1) / STEP * STEP;
        end = end < disk->size_max ? end : disk->size_max;
        if (inner->operations->pages_commit(inner->context, disk->bytes + disk->committed,
                                            (size_t)(end - disk->committed)) < 0) {
            return -ALC_OS_NO_SPACE;
        }
        disk->committed = end;
    }
    return 0;
}

static int64_t resize(struct alc_memory_disk *disk, uint64_t size)
{
    int64_t result = commit(disk, size);
    if (result < 0) {
        return result;
    }
    if (size < disk->size) {
        alc_fill(disk->bytes + size, 0, (size_t)(disk->size - size));
    }
    disk->size = size;
    return 0;
}

static int64_t memory_set_size(void *context, int32_t handle, uint64_t size)
{
    return handle == ALC_MEMORY_FILE ? resize(disk_of(context), size)
                                     : INNER(set_size, handle, size);
}

static int64_t memory_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    uint64_t end;
    if (handle != ALC_MEMORY_FILE) {
        return INNER(allocate, handle, offset, size);
    }
    if (__builtin_add_overflow(offset, size, &end)) {
        return -ALC_OS_FILE_TOO_BIG;
    }
    return end > disk_of(context)->size ? resize(disk_of(context), end) : 0;
}

/* -- bytes -- */

static int64_t memory_read_at(void *context, int32_t handle, const struct alc_span *spans,
                              size_t spans_count, uint64_t offset)
{
    const struct alc_memory_disk *disk = disk_of(context);
    uint64_t done = 0;
    if (handle != ALC_MEMORY_FILE) {
        return INNER(read_at, handle, spans, spans_count, offset);
    }
    for (size_t i = 0; i < spans_count && offset < disk->size - done; i++) {
        uint64_t left = disk->size - done - offset;
        size_t part = spans[i].size < left ? spans[i].size : (size_t)left;
        alc_copy(spans[i].bytes, disk->bytes + offset + done, part);
        done += part;
    }
    return (int64_t)done;
}

static int64_t memory_write_at(void *context, int32_t handle, const struct alc_span *spans,
                               size_t spans_count, uint64_t offset)
{
    struct alc_memory_disk *disk = disk_of(context);
    uint64_t end = offset;
    if (handle != ALC_MEMORY_FILE) {
        return INNER(write_at, handle, spans, spans_count, offset);
    }
    for (size_t i = 0; i < spans_count; i++) {
        if (__builtin_add_overflow(end, spans[i].size, &end)) {
            return -ALC_OS_FILE_TOO_BIG;
        }
    }
    int64_t result = end > disk->size ? resize(disk, end) : 0;
    if (result < 0) {
        return result;
    }
    for (size_t i = 0; i < spans_count; i++) {
        alc_copy(disk->bytes + offset, spans[i].bytes, spans[i].size);
        offset += spans[i].size;
        result += (int64_t)spans[i].size;
    }
    return result;
}

/* -- the file and its directory -- */

static int64_t memory_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                              uint32_t flags)
{
    struct alc_memory_disk *disk = disk_of(context);
    if (dir != ALC_MEMORY_DIRECTORY) {
        return INNER(open_at, dir, path, path_size, flags);
    }
    if (!disk->exists && (flags & ALC_OS_OPEN_CREATE) == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    if (disk->exists && (flags & ALC_OS_OPEN_EXCLUSIVE) != 0) {
        return -ALC_OS_EXISTS;
    }
    disk->exists = true;
    return ALC_MEMORY_FILE;
}

static int64_t memory_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    if (!is_own(handle)) {
        return INNER(stat, handle, out);
    }
    *out = (struct alc_os_stat){
        .type = handle == ALC_MEMORY_FILE ? ALC_OS_TYPE_REGULAR_FILE : ALC_OS_TYPE_DIRECTORY,
        .link_count = 1,
        .size = handle == ALC_MEMORY_FILE ? disk_of(context)->size : 0,
    };
    return 0;
}

static int64_t memory_sync(void *context, int32_t handle, uint32_t data_only)
{
    return is_own(handle) ? 0 : INNER(sync, handle, data_only);
}

static int64_t memory_close(void *context, int32_t handle)
{
    return is_own(handle) ? 0 : INNER(close, handle);
}

alc_status alc_memory_disk_init(struct alc_memory_disk *disk, const struct alc_os *inner,
                                uint64_t size_max)
{
    *disk = (struct alc_memory_disk){.size_max = size_max & ~UINT64_C(4095)};
    disk->bytes = inner->operations->pages_reserve(inner->context, (size_t)disk->size_max);
    if (disk->bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    disk->operations = alc_os_over_operations;
    disk->operations.read_at = memory_read_at;
    disk->operations.write_at = memory_write_at;
    disk->operations.set_size = memory_set_size;
    disk->operations.allocate = memory_allocate;
    disk->operations.open_at = memory_open_at;
    disk->operations.stat = memory_stat;
    disk->operations.sync = memory_sync;
    disk->operations.close = memory_close;
    disk->over.inner = inner;
    disk->over.os = (struct alc_os){.operations = &disk->operations, .context = disk};
    return ALC_OK;
}

void alc_memory_disk_fini(struct alc_memory_disk *disk)
{
    const struct alc_os *inner = disk->over.inner;
    inner->operations->pages_release(inner->context, disk->bytes, (size_t)disk->size_max);
    disk->bytes = NULL;
}
