/* SPDX-License-Identifier: Apache-2.0
 *
 * A sealed mount whose every block is genuine and says anything: encryption is taken away (the two
 * functions are wrapped by the linker), so the input decides what structures hold. A small honest
 * container is changed in places, opened, used and closed; whatever it says, nothing is read or
 * written out of bounds, nothing loops, and what is written again can be opened again.
 */
#include <stdlib.h>
#include <string.h>

#include "seal/seal_internal.h"

enum { MOUNT = 8, DISK_FILE = 9, DISK_SIZE_MAX = 8 << 20, OPERATIONS_MAX = 64 };

void __wrap_alc_seal_block_seal(struct alc_seal_cipher *cipher, const struct alc_seal_place *place,
                                struct alc_seal_pointer *pointer, const uint8_t *plain,
                                uint8_t *out);
bool __wrap_alc_seal_block_open(struct alc_seal_cipher *cipher, const struct alc_seal_place *place,
                                const struct alc_seal_pointer *pointer, const uint8_t *sealed,
                                uint8_t *out);
void __wrap_alc_seal_root_seal(struct alc_seal_cipher *cipher, const uint8_t *header,
                               struct alc_seal_pointer *head, const uint8_t *record, uint8_t *out);
bool __wrap_alc_seal_root_open(struct alc_seal_cipher *cipher, const uint8_t *header,
                               const struct alc_seal_pointer *head, const uint8_t *sealed,
                               uint8_t *out);

void __wrap_alc_seal_block_seal(struct alc_seal_cipher *cipher, const struct alc_seal_place *place,
                                struct alc_seal_pointer *pointer, const uint8_t *plain,
                                uint8_t *out)
{
    (void)cipher, (void)place, (void)pointer;
    memcpy(out, plain, ALC_SEAL_BLOCK_SIZE);
}

bool __wrap_alc_seal_block_open(struct alc_seal_cipher *cipher, const struct alc_seal_place *place,
                                const struct alc_seal_pointer *pointer, const uint8_t *sealed,
                                uint8_t *out)
{
    (void)cipher, (void)place, (void)pointer;
    memcpy(out, sealed, ALC_SEAL_BLOCK_SIZE);
    return true;
}

void __wrap_alc_seal_root_seal(struct alc_seal_cipher *cipher, const uint8_t *header,
                               struct alc_seal_pointer *head, const uint8_t *record, uint8_t *out)
{
    (void)cipher, (void)header, (void)head;
    memcpy(out, record, ALC_SEAL_ROOT_RECORD_SIZE);
}

bool __wrap_alc_seal_root_open(struct alc_seal_cipher *cipher, const uint8_t *header,
                               const struct alc_seal_pointer *head, const uint8_t *sealed,
                               uint8_t *out)
{
    (void)cipher, (void)header, (void)head;
    memcpy(out, sealed, ALC_SEAL_ROOT_RECORD_SIZE);
    return true;
}

/* -- the disk -- */

static struct {
    uint8_t bytes[DISK_SIZE_MAX];
    size_t size;
    bool exists;
} disk;

static int64_t disk_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t flags)
{
    (void)context, (void)dir, (void)path, (void)path_size;
    if (!disk.exists && (flags & ALC_OS_OPEN_CREATE) == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    disk.exists = true;
    return DISK_FILE;
}

static int64_t disk_read_at(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset)
{
    (void)context, (void)handle, (void)spans_count;
    if (offset >= disk.size) {
        return 0;
    }
    size_t left = disk.size - (size_t)offset;
    size_t size = spans[0].size < left ? spans[0].size : left;
    memcpy(spans[0].bytes, disk.bytes + offset, size);
    return (int64_t)size;
}

static int64_t disk_set_size(void *context, int32_t handle, uint64_t size)
{
    (void)context, (void)handle;
    if (size > DISK_SIZE_MAX) {
        return -ALC_OS_NO_SPACE;
    }
    if (size > disk.size) {
        memset(disk.bytes + disk.size, 0, (size_t)size - disk.size);
    }
    disk.size = (size_t)size;
    return 0;
}

static int64_t disk_write_at(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count, uint64_t offset)
{
    (void)spans_count;
    if (offset > DISK_SIZE_MAX || spans[0].size > DISK_SIZE_MAX - offset) {
        return -ALC_OS_NO_SPACE;
    }
    if (offset + spans[0].size > disk.size) {
        (void)disk_set_size(context, handle, offset + spans[0].size);
    }
    memcpy(disk.bytes + offset, spans[0].bytes, spans[0].size);
    return (int64_t)spans[0].size;
}

static int64_t disk_allocate(void *context, int32_t handle, uint64_t offset, uint64_t size)
{
    return disk_set_size(context, handle, offset + size);
}

static int64_t disk_sync(void *context, int32_t handle, uint32_t data_only)
{
    (void)context, (void)handle, (void)data_only;
    return 0;
}

static int64_t disk_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    (void)context, (void)handle;
    *out = (struct alc_os_stat){.type = ALC_OS_TYPE_REGULAR_FILE, .size = disk.size};
    return 0;
}

static int64_t disk_close(void *context, int32_t handle)
{
    (void)context, (void)handle;
    return 0;
}

static int64_t disk_clock_read(void *context, uint32_t clock, uint32_t resolution)
{
    (void)context, (void)clock, (void)resolution;
    return 1;
}

static int64_t disk_random(void *context, uint8_t *buf, size_t buf_size)
{
    static uint8_t count;
    (void)context;
    memset(buf, count++, buf_size);
    return 0;
}

static const struct alc_os_operations operations = {
    .open_at = disk_open_at,
    .read_at = disk_read_at,
    .write_at = disk_write_at,
    .set_size = disk_set_size,
    .allocate = disk_allocate,
    .sync = disk_sync,
    .stat = disk_stat,
    .close = disk_close,
    .clock_read = disk_clock_read,
    .random = disk_random,
};
static const struct alc_os host = {.operations = &operations};

static alc_status get_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)context, (void)key_id;
    memset(key, 1, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

/* -- the mount -- */

static struct alc_seal *g_seal;
static struct alc_seal_os g_table;

static bool open_mount(void)
{
    static void *memory;
    const struct alc_seal_options options = {.host = &host,
                                             .directory = MOUNT,
                                             .flags = ALC_SEAL_CREATE,
                                             .key = {.get = get_key},
                                             .cache_blocks = ALC_SEAL_CACHE_BLOCKS_MIN,
                                             .container_blocks =
                                                 DISK_SIZE_MAX / ALC_SEAL_BLOCK_SIZE};
    struct alc_arena arena;
    size_t size = alc_seal_memory_size(&options);
    if (memory == NULL && (memory = malloc(size)) == NULL) {
        abort();
    }
    alc_arena_init(&arena, memory, size);
    if (alc_seal_open(&arena, &options, &g_seal, NULL) != ALC_OK) {
        return false;
    }
    alc_seal_os_init(&g_table, &host);
    if (alc_seal_os_add(&g_table, MOUNT, g_seal) != ALC_OK) {
        abort();
    }
    return true;
}

#define CALL(name, ...) (g_table.over.os.operations->name(g_table.over.os.context, __VA_ARGS__))

static void write_file(const char *path, size_t size)
{
    static uint8_t bytes[1 << 18];
    const struct alc_span span = {bytes, size};
    int64_t handle = CALL(open_at, MOUNT, (const uint8_t *)path, strlen(path),
                          ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    if (handle >= 0) {
        (void)CALL(write_at, (int32_t)handle, &span, 1, size);
        (void)CALL(close, (int32_t)handle);
    }
}

static const char *const paths[] = {"f0", "d/f1", "d", "s", "d/../f0", "n37", "d/e/x", "new"};

static const char *path_of(uint8_t number)
{
    return paths[number % (sizeof paths / sizeof *paths)];
}

/* An honest container, closed or as a crash leaves it: with an orphan and a root not settled. */
static void make_honest(bool is_closed)
{
    char name[8] = "n00";
    disk.size = 0;
    disk.exists = false;
    if (!open_mount()) {
        abort();
    }
    (void)CALL(create_directory_at, MOUNT, (const uint8_t *)"d", 1);
    (void)CALL(symlink_at, (const uint8_t *)"d/f1", 4, MOUNT, (const uint8_t *)"s", 1);
    write_file("f0", 200000);
    write_file("d/f1", 3000);
    for (int i = 0; i < 100; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        write_file(name, 0);
    }
    int64_t handle = CALL(open_at, MOUNT, (const uint8_t *)"f0", 2, ALC_OS_OPEN_READ);
    (void)CALL(unlink_at, MOUNT, (const uint8_t *)"n99", 3);
    if (is_closed) {
        (void)alc_seal_close(g_seal);
    } else {
        (void)CALL(unlink_at, MOUNT, (const uint8_t *)"f0", 2);
        (void)alc_seal_sync(g_seal);
    }
    (void)handle;
}

/* -- the input -- */

static struct {
    const uint8_t *bytes;
    size_t size;
} input;

static uint64_t take(size_t size)
{
    uint64_t value = 0;
    const size_t taken = size < input.size ? size : input.size;
    memcpy(&value, input.bytes, taken);
    input.bytes += taken;
    input.size -= taken;
    return value;
}

static void operate(void)
{
    static uint8_t buf[1 << 16];
    const char *path = path_of((uint8_t)take(1));
    const uint8_t *bytes = (const uint8_t *)path;
    const struct alc_span span = {buf, sizeof buf};
    struct alc_os_stat stat;
    switch (take(1) % 9) {
    case 0: {
        int64_t handle = CALL(open_at, MOUNT, bytes, strlen(path), ALC_OS_OPEN_FOLLOW);
        if (handle >= 0) {
            (void)CALL(read_at, (int32_t)handle, &span, 1, take(3));
            (void)CALL(read_directory, (int32_t)handle, take(1), buf, sizeof buf);
            (void)CALL(close, (int32_t)handle);
        }
        break;
    }
    case 1:
        write_file(path, take(2));
        break;
    case 2: {
        int64_t handle = CALL(open_at, MOUNT, bytes, strlen(path), ALC_OS_OPEN_WRITE);
        if (handle >= 0) {
            (void)CALL(set_size, (int32_t)handle, take(3));
            (void)CALL(close, (int32_t)handle);
        }
        break;
    }
    case 3:
        (void)CALL(unlink_at, MOUNT, bytes, strlen(path));
        break;
    case 4: {
        const char *to = path_of((uint8_t)take(1));
        (void)CALL(rename_at, MOUNT, bytes, strlen(path), MOUNT, (const uint8_t *)to, strlen(to));
        break;
    }
    case 5:
        (void)CALL(create_directory_at, MOUNT, bytes, strlen(path));
        break;
    case 6:
        (void)CALL(remove_directory_at, MOUNT, bytes, strlen(path));
        break;
    case 7:
        (void)CALL(stat_at, MOUNT, bytes, strlen(path), 1, &stat);
        break;
    default:
        (void)alc_seal_sync(g_seal);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t *honest[2];
    static size_t honest_size[2];
    for (int i = 0; i < 2; i++) {
        if (honest[i] == NULL) {
            make_honest(i == 0);
            honest_size[i] = disk.size;
            honest[i] = malloc(disk.size);
            if (honest[i] == NULL) {
                abort();
            }
            memcpy(honest[i], disk.bytes, disk.size);
        }
    }
    input.bytes = bytes;
    input.size = size;
    uint64_t kind = take(1);
    memcpy(disk.bytes, honest[kind & 1], honest_size[kind & 1]);
    disk.size = honest_size[kind & 1];
    disk.exists = true;
    for (uint64_t patches = kind >> 1 & 15; patches > 0; patches--) {
        size_t block = (size_t)take(1) % (disk.size / ALC_SEAL_BLOCK_SIZE);
        size_t offset = block * ALC_SEAL_BLOCK_SIZE + (size_t)take(2) % (ALC_SEAL_BLOCK_SIZE - 8);
        uint64_t value = take(8);
        size_t count = (size_t)take(1) % 9;
        memcpy(disk.bytes + offset, &value, count);
    }
    if (!open_mount()) {
        return 0;
    }
    for (int i = 0; i < OPERATIONS_MAX && input.size != 0; i++) {
        operate();
    }
    bool was_damaged = alc_seal_is_damaged(g_seal);
    alc_status status = alc_seal_close(g_seal);
    if (status == ALC_OK && !was_damaged && !open_mount()) {
        abort(); /* what was closed in order is in order */
    }
    return 0;
}
