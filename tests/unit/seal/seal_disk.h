/* SPDX-License-Identifier: Apache-2.0
 *
 * A hostile disk for the tests of seal: one file in memory behind an os table, which remembers
 * every write and every sync, so that what a crash could have left can be built again; and a mount
 * on it.
 */
#ifndef ALC_TESTS_SEAL_DISK_H
#define ALC_TESTS_SEAL_DISK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "seal/seal_internal.h"

enum { DISK_DIRECTORY = ALC_OS_FIRST_MOUNT, DISK_FILE, MOUNT = ALC_OS_FIRST_MOUNT };
#define BYTES(text) (const uint8_t *)(text), strlen(text)

enum disk_event_kind { DISK_WRITE, DISK_SIZE, DISK_SYNC };

struct disk_event {
    enum disk_event_kind kind;
    uint64_t offset; /* DISK_SIZE: the new size */
    size_t size;
    uint8_t *bytes;
};

struct disk {
    struct alc_os os;
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    bool exists;
    bool is_recording;
    struct disk_event *events;
    size_t events_count;
    size_t events_capacity;
    uint64_t calls_count;
    uint64_t reads_count;
    uint64_t writes_count;
    uint64_t syncs_count;
    uint64_t fail_at; /* call number `fail_at` and all later ones fail */
    int64_t fail_errno;
    uint64_t size_max;    /* 0: no limit */
    size_t read_size_max; /* of one read; 0: no limit */
    uint64_t clock_ns;
};

static uint64_t disk_random_state = UINT64_C(0x853c49e6748fea9b);

static inline uint64_t disk_random(void)
{
    disk_random_state ^= disk_random_state << 13;
    disk_random_state ^= disk_random_state >> 7;
    disk_random_state ^= disk_random_state << 17;
    return disk_random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline bool disk_fails(struct disk *disk)
{
    disk->calls_count++;
    return disk->fail_at != 0 && disk->calls_count >= disk->fail_at;
}

static inline void disk_resize(struct disk *disk, size_t size)
{
    if (size > disk->capacity) {
        disk->capacity = size * 2;
        disk->bytes = realloc(disk->bytes, disk->capacity);
        assert_non_null(disk->bytes);
    }
    if (size > disk->size) {
        memset(disk->bytes + disk->size, 0, size - disk->size);
    }
    disk->size = size;
}

static inline void disk_record(struct disk *disk, enum disk_event_kind kind, uint64_t offset,
                               const uint8_t *bytes, size_t size)
{
    if (!disk->is_recording) {
        return;
    }
    if (disk->events_count == disk->events_capacity) {
        disk->events_capacity = disk->events_capacity * 2 + 64;
        disk->events = realloc(disk->events, disk->events_capacity * sizeof *disk->events);
        assert_non_null(disk->events);
    }
    struct disk_event *event = &disk->events[disk->events_count++];
    *event = (struct disk_event){.kind = kind, .offset = offset, .size = size};
    if (size != 0) {
        event->bytes = malloc(size);
        assert_non_null(event->bytes);
        memcpy(event->bytes, bytes, size);
    }
}

static inline void disk_write(struct disk *disk, uint64_t offset, const uint8_t *bytes, size_t size)
{
    if (offset + size > disk->size) {
        disk_resize(disk, (size_t)offset + size);
    }
    memcpy(disk->bytes + offset, bytes, size);
}

static int64_t disk_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t flags)
{
    struct disk *disk = context;
    assert_int_equal(dir, DISK_DIRECTORY);
    assert_int_equal(path_size, 11);
    assert_memory_equal(path, "alcove.seal", 11);
    if (disk_fails(disk)) {
        return -disk->fail_errno;
    }
    if (!disk->exists && (flags & ALC_OS_OPEN_CREATE) == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    disk->exists = true;
    return DISK_FILE;
}

static int64_t disk_read_at(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset)
{
    struct disk *disk = context;
    assert_int_equal(handle, DISK_FILE);
    if (disk_fails(disk)) {
        return -disk->fail_errno;
    }
    disk->reads_count++;
    size_t done = 0;
    for (size_t i = 0; i < spans_count && offset + done < disk->size; i++) {
        size_t left = disk->size - (size_t)offset - done;
        if (disk->read_size_max != 0 && disk->read_size_max - done < left) {
            left = disk->read_size_max - done;
        }
        size_t size = spans[i].size < left ? spans[i].size : left;
        memcpy(spans[i].bytes, disk->bytes + offset + done, size);
        done += size;
    }
    return (int64_t)done;
}

static int64_t disk_write_at(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count, uint64_t offset)
{
    struct disk *disk = context;
    assert_int_equal(handle, DISK_FILE);
    assert_int_equal(spans_count, 1);
    if (disk_fails(disk)) {
        return -disk->fail_errno;
    }
    disk->writes_count++;
    disk_record(disk, DISK_WRITE, offset, spans[0].bytes, spans[0].size);
    disk_write(disk, offset, spans[0].bytes, spans[0].size);
    return (int64_t)spans[0].size;
}

static int64_t disk_set_size(void *context, int32_t handle, uint64_t size)
{
    struct disk *disk = context;
    assert_int_equal(handle, DISK_FILE);
    if (disk_fails(disk)) {
        return -disk->fail_errno;
    }
    if (disk->size_max != 0 && size > disk->size_max) {
        return -ALC_OS_NO_SPACE;
    }
    disk_record(disk, DISK_SIZE, size, NULL, 0);
    disk_resize(disk, (size_t)size);
    return 0;
}

static int64_t disk_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    struct disk *disk = context;
    return disk->size_max == 0 ? -ALC_OS_NOT_SUPPORTED
                               : disk_set_size(context, handle, offset + size);
}

static int64_t disk_sync(void *context, int32_t handle, uint32_t data_only)
{
    struct disk *disk = context;
    (void)data_only;
    if (disk_fails(disk)) {
        return -disk->fail_errno;
    }
    if (handle == DISK_FILE) {
        disk->syncs_count++;
        disk_record(disk, DISK_SYNC, 0, NULL, 0);
    }
    return 0;
}

static int64_t disk_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    struct disk *disk = context;
    if (disk_fails(disk)) {
        return -disk->fail_errno;
    }
    *out = (struct alc_os_stat){.type = ALC_OS_TYPE_REGULAR_FILE, .size = disk->size};
    return handle == DISK_FILE ? 0 : -ALC_OS_BAD_DESCRIPTOR;
}

static int64_t disk_close(void *context, int32_t handle)
{
    (void)context;
    return handle == DISK_FILE ? 0 : -ALC_OS_BAD_DESCRIPTOR;
}

static int64_t disk_clock_read(void *context, uint32_t clock, uint32_t resolution)
{
    struct disk *disk = context;
    (void)clock;
    (void)resolution;
    return (int64_t)(disk->clock_ns += 1000);
}

static int64_t disk_fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    for (size_t i = 0; i < buf_size; i++) {
        buf[i] = (uint8_t)disk_random();
    }
    return 0;
}

static int64_t disk_yield(void *context)
{
    (void)context;
    return 0;
}

static int64_t disk_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                         int64_t timeout_ns)
{
    (void)context;
    (void)timeout_ns;
    for (size_t i = 0; i < polls_count; i++) {
        polls[i].ready = polls[i].handle > 2 ? ALC_OS_POLL_INVALID : 0;
    }
    return 0;
}

static int64_t disk_rename_at(void *context, int32_t old_dir, const uint8_t *old_path,
                              size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                              size_t new_path_size)
{
    (void)context, (void)old_dir, (void)old_path, (void)old_path_size;
    (void)new_dir, (void)new_path, (void)new_path_size;
    return -ALC_OS_NOT_SUPPORTED;
}

static const struct alc_os_operations disk_operations = {
    .open_at = disk_open_at,
    .read_at = disk_read_at,
    .write_at = disk_write_at,
    .set_size = disk_set_size,
    .allocate = disk_allocate,
    .sync = disk_sync,
    .stat = disk_stat,
    .close = disk_close,
    .clock_read = disk_clock_read,
    .random = disk_fill_random,
    .yield = disk_yield,
    .poll = disk_poll,
    .rename_at = disk_rename_at,
};

static inline void disk_init(struct disk *disk)
{
    *disk = (struct disk){.fail_errno = ALC_OS_IO};
    disk->os = (struct alc_os){.operations = &disk_operations, .context = disk};
}

static inline void disk_forget_events(struct disk *disk)
{
    for (size_t i = 0; i < disk->events_count; i++) {
        free(disk->events[i].bytes);
    }
    disk->events_count = 0;
}

static inline void disk_fini(struct disk *disk)
{
    disk_forget_events(disk);
    free(disk->events);
    free(disk->bytes);
}

static inline void disk_set(struct disk *disk, const uint8_t *bytes, size_t size)
{
    disk->size = 0;
    disk_resize(disk, size);
    memcpy(disk->bytes, bytes, size);
    disk->exists = true;
}

/* -- a mount on it -- */

struct mount {
    struct disk *disk;
    void *memory;
    size_t memory_size;
    struct alc_seal *seal;
    struct alc_seal_os table;
    struct alc_seal_options options;
    struct alc_error error;
    struct alc_seal_damage damage; /* the last one */
    uint64_t damages_count;
    uint8_t key_byte;
};

static alc_status mount_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                            uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct mount *mount = context;
    (void)key_id;
    memset(key, mount->key_byte, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static void mount_report(void *context, const struct alc_seal_damage *damage)
{
    struct mount *mount = context;
    mount->damage = *damage;
    mount->damages_count++;
}

static inline void mount_init(struct mount *mount, struct disk *disk)
{
    *mount = (struct mount){.disk = disk, .key_byte = 0x42};
    mount->options = (struct alc_seal_options){.host = &disk->os,
                                               .directory = DISK_DIRECTORY,
                                               .flags = ALC_SEAL_CREATE,
                                               .key = {.get = mount_key, .context = mount},
                                               .cache_blocks = ALC_SEAL_CACHE_BLOCKS_MIN,
                                               .container_blocks = 1 << 16,
                                               .report = mount_report,
                                               .report_context = mount};
}

/* Opens with mount->options; then the table serves the mount as handle MOUNT. */
static inline alc_status mount_open(struct mount *mount)
{
    struct alc_arena arena;
    if (mount->memory == NULL) {
        mount->memory_size = alc_seal_memory_size(&mount->options);
        mount->memory = malloc(mount->memory_size);
        assert_non_null(mount->memory);
    }
    alc_arena_init(&arena, mount->memory, mount->memory_size);
    alc_error_clear(&mount->error);
    mount->damages_count = 0;
    alc_status status = alc_seal_open(&arena, &mount->options, &mount->seal, &mount->error);
    if (status == ALC_OK) {
        alc_seal_os_init(&mount->table, &mount->disk->os);
        assert_int_equal(alc_seal_os_add(&mount->table, MOUNT, mount->seal), ALC_OK);
    }
    return status;
}

static inline void mount_fini(struct mount *mount)
{
    free(mount->memory);
    mount->memory = NULL;
}

#define CALL(mount, name, ...)                                                                     \
    ((mount)->table.over.os.operations->name((mount)->table.over.os.context, __VA_ARGS__))

static inline int64_t open_file(struct mount *mount, const char *path, uint32_t flags)
{
    return CALL(mount, open_at, MOUNT, BYTES(path), flags);
}

static inline int64_t write_at(struct mount *mount, int64_t handle, const void *bytes, size_t size,
                               uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        const struct alc_span span = {(uint8_t *)(uintptr_t)bytes + done, size - done};
        int64_t count = CALL(mount, write_at, (int32_t)handle, &span, 1, offset + done);
        if (count <= 0) {
            return count;
        }
        done += (size_t)count;
    }
    return (int64_t)done;
}

static inline int64_t read_at(struct mount *mount, int64_t handle, void *bytes, size_t size,
                              uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        const struct alc_span span = {(uint8_t *)bytes + done, size - done};
        int64_t count = CALL(mount, read_at, (int32_t)handle, &span, 1, offset + done);
        if (count < 0) {
            return count;
        }
        if (count == 0) {
            break;
        }
        done += (size_t)count;
    }
    return (int64_t)done;
}

static inline int64_t close_file(struct mount *mount, int64_t handle)
{
    return CALL(mount, close, (int32_t)handle);
}

/* A whole file in one go. */
static inline void put_file(struct mount *mount, const char *path, const void *bytes, size_t size)
{
    int64_t handle =
        open_file(mount, path, ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE | ALC_OS_OPEN_TRUNCATE);
    assert_true(handle >= 0);
    assert_int_equal(write_at(mount, handle, bytes, size, 0), size);
    assert_int_equal(close_file(mount, handle), 0);
}

#endif
