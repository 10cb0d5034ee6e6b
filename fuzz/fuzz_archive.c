/* SPDX-License-Identifier: Apache-2.0
 *
 * An archive that is genuine and says anything: the input is the archive, with sums of headers made
 * good so that what stands behind them is reached. It is opened and walked: every name of every
 * directory is looked at, every file read. Nothing is read out of bounds and nothing loops.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ARCHIVE = 8, TREE = 9, SIZE_MAX_ = 1 << 16, ARENA_SIZE = 16 << 20, STEPS_MAX = 2000 };

static uint8_t data[SIZE_MAX_];
static size_t data_size;
static uint8_t tree[1 << 16];
static uint8_t *memory;
static unsigned steps_count;

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static int64_t host_read_at(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset)
{
    const uint8_t *from = handle == TREE ? tree : data;
    size_t end = handle == TREE ? sizeof tree : data_size;
    (void)context;
    demand(spans_count == 1);
    if (offset >= end) {
        return 0;
    }
    size_t part = spans[0].size < end - offset ? spans[0].size : end - (size_t)offset;
    memcpy(spans[0].bytes, from + offset, part);
    return (int64_t)part;
}

static int64_t host_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    (void)context;
    (void)handle;
    *out = (struct alc_os_stat){.size = data_size};
    return 0;
}

static int64_t host_yield(void *context)
{
    (void)context;
    return 0;
}

static const struct alc_os_operations host_operations = {
    .read_at = host_read_at, .stat = host_stat, .yield = host_yield};
static const struct alc_os host = {.operations = &host_operations};

#define CALL(table, name, ...) ((table)->operations->name((table)->context, __VA_ARGS__))

/* Headers stand at multiples of 512: the sum of each is made what it should be. */
static void mend_sums(void)
{
    static const char digits[] = "01234567";
    for (size_t at = 0; at + 512 <= data_size; at += 512) {
        unsigned sum = 8 * ' ';
        for (size_t i = 0; i < 512; i++) {
            sum += i >= 148 && i < 156 ? 0 : data[at + i];
        }
        for (size_t i = 0; i < 6; i++) {
            data[at + 148 + i] = (uint8_t)digits[sum >> 3 * (5 - i) & 7];
        }
        data[at + 154] = 0;
        data[at + 155] = ' ';
    }
}

static void read_file(const struct alc_os *os, int32_t handle)
{
    static uint8_t buf[3000];
    struct alc_span span = {buf, sizeof buf};
    struct alc_os_stat stat;
    uint64_t total = 0;
    int64_t count;
    demand(CALL(os, stat, handle, &stat) == 0);
    while ((count = CALL(os, read, handle, &span, 1)) > 0) {
        total += (uint64_t)count;
        demand(total <= stat.size && stat.size <= data_size);
    }
    demand(count == 0 && total == stat.size); /* every byte is genuine */
}

static void walk(const struct alc_os *os, int32_t directory, unsigned depth)
{
    uint8_t buf[600];
    uint64_t cookie = 0;
    int64_t used;
    while (depth < 20 &&
           (used = CALL(os, read_directory, directory, cookie, buf, sizeof buf)) > 0) {
        for (int64_t at = 0; at < used;) {
            struct alc_os_directory_entry entry;
            memcpy(&entry, buf + at, sizeof entry);
            const uint8_t *name = buf + at + sizeof entry;
            at += (int64_t)sizeof entry + entry.name_size;
            cookie = entry.next;
            demand(at <= used);
            if (cookie <= 2 || steps_count++ > STEPS_MAX) {
                continue;
            }
            struct alc_os_stat stat;
            uint8_t target[64];
            demand(CALL(os, stat_at, directory, name, entry.name_size, 0, &stat) == 0);
            demand(stat.type == entry.type && stat.inode == entry.inode);
            (void)CALL(os, readlink_at, directory, name, entry.name_size, target, sizeof target);
            int64_t handle =
                CALL(os, open_at, directory, name, entry.name_size, ALC_OS_OPEN_FOLLOW);
            if (handle < 0) {
                continue;
            }
            if (entry.type == ALC_OS_TYPE_DIRECTORY) {
                walk(os, (int32_t)handle, depth + 1);
            } else if (entry.type == ALC_OS_TYPE_REGULAR_FILE) {
                read_file(os, (int32_t)handle);
            }
            demand(CALL(os, close, (int32_t)handle) == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_archive_options options = {.host = &host, .archive = ARCHIVE, .tree = TREE};
    struct alc_verity verity;
    struct alc_arena arena;
    struct alc_error error;
    struct alc_archive *archive;
    static struct alc_archive_os table;
    uint8_t root[32];
    if (size > SIZE_MAX_) {
        return 0;
    }
    if (memory == NULL) {
        memory = aligned_alloc(4096, ARENA_SIZE);
        demand(memory != NULL);
    }
    memcpy(data, bytes, size);
    data_size = size;
    mend_sums();
    alc_verity_init(&verity, size);
    alc_verity_build(&verity, data, tree, root);
    alc_verity_digest(&verity, root, options.digest);
    alc_error_clear(&error);
    alc_arena_init(&arena, memory, ARENA_SIZE);
    steps_count = 0;
    alc_status status = alc_archive_open(&arena, &options, &archive, &error);
    demand(status != ALC_E_IO_FAILED);
    if (status == ALC_OK) {
        alc_archive_os_init(&table, &host);
        demand(alc_archive_os_add(&table, ARCHIVE, archive) == ALC_OK);
        walk(&table.over.os, ARCHIVE, 0);
    } else {
        demand(error.offset == ALC_NO_OFFSET || error.offset <= size);
    }
    return 0;
}
