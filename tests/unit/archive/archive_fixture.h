/* SPDX-License-Identifier: Apache-2.0
 *
 * Archives made in memory and a host that has them, may change a byte and counts what it is asked.
 */
#ifndef ALC_TESTS_ARCHIVE_FIXTURE_H
#define ALC_TESTS_ARCHIVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive/archive.h"

enum { TAR_MAX = 24 << 20, TREE_MAX = 1 << 20, ARENA_SIZE = 64 << 20 };
enum { ARCHIVE_HANDLE = 8, TREE_HANDLE = 9, PLAIN_HANDLE = 20 };

static uint8_t tar_bytes[TAR_MAX];
static size_t tar_size;
static uint8_t tree_bytes[TREE_MAX];
static uint8_t *arena_bytes;
static struct alc_verity verity;
static uint8_t file_digest[32];
static struct alc_archive *archive;
static struct alc_archive_os table;
static struct alc_error error;
static struct alc_arena arena;
static unsigned reads_count, reports_count;
static uint64_t reported_block;
static uint32_t reported_level;
static bool is_short; /* the host reads nothing */

/* -- the host -- */

static int64_t host_read_at(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset)
{
    const uint8_t *bytes = handle == TREE_HANDLE ? tree_bytes : tar_bytes;
    uint64_t size = handle == TREE_HANDLE ? verity.tree_blocks * 4096 : tar_size;
    (void)context;
    assert_int_equal(spans_count, 1);
    reads_count++;
    if (handle != TREE_HANDLE && handle != ARCHIVE_HANDLE) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    if (is_short || offset >= size) {
        return 0;
    }
    size_t part = spans[0].size < size - offset ? spans[0].size : (size_t)(size - offset);
    part = part > 10000 ? 10000 : part; /* short reads are legal */
    memcpy(spans[0].bytes, bytes + offset, part);
    return (int64_t)part;
}

static int64_t host_stat(void *context, int32_t handle, struct alc_os_stat *out)
{
    (void)context;
    *out = (struct alc_os_stat){.size = tar_size};
    return handle == ARCHIVE_HANDLE ? 0 : -ALC_OS_BAD_DESCRIPTOR;
}

static int64_t host_yield(void *context)
{
    (void)context;
    return 0;
}

static int64_t host_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                         int64_t timeout_ns)
{
    (void)context;
    (void)timeout_ns;
    for (size_t i = 0; i < polls_count; i++) {
        polls[i].ready = polls[i].handle == PLAIN_HANDLE ? 0 : ALC_OS_POLL_INVALID;
    }
    return 0;
}

static int64_t plain_answer; /* what the host says of its own files and sockets */

static int64_t host_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t flags)
{
    (void)context, (void)path, (void)path_size, (void)flags;
    assert_int_equal(dir, PLAIN_HANDLE);
    return plain_answer;
}

static int64_t host_accept(void *context, int32_t handle, uint32_t flags)
{
    (void)context, (void)flags;
    assert_int_equal(handle, PLAIN_HANDLE);
    return plain_answer;
}

static const struct alc_os_operations host_operations = {.read_at = host_read_at,
                                                         .stat = host_stat,
                                                         .yield = host_yield,
                                                         .poll = host_poll,
                                                         .open_at = host_open_at,
                                                         .accept = host_accept};
static const struct alc_os host = {.operations = &host_operations};

static void on_report(void *context, uint32_t level, uint64_t block)
{
    (void)context;
    reports_count++;
    reported_level = level;
    reported_block = block;
}

/* -- making archives -- */

static void tar_begin(void)
{
    tar_size = 0;
    memset(tar_bytes, 0, 1 << 20);
}

static void set_octal(uint8_t *field, size_t size, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%0*llo", (int)size - 1, (unsigned long long)value);
    memcpy(field, text, size);
}

static void set_sum(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++) {
        sum += header[i];
    }
    set_octal(header + 148, 7, sum);
}

/* A header; its place, so that a test can change it. */
static uint8_t *tar_header(const char *name, char type, const char *target, uint64_t size)
{
    uint8_t *header = tar_bytes + tar_size;
    assert_true(tar_size + 512 <= TAR_MAX);
    memset(header, 0, 512);
    memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
    set_octal(header + 100, 8, 0644);
    set_octal(header + 124, 12, size);
    set_octal(header + 136, 12, 1700000000);
    header[156] = (uint8_t)type;
    memcpy(header + 157, target, strlen(target));
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    set_sum(header);
    tar_size += 512;
    return header;
}

static void tar_contents(const void *bytes, size_t size)
{
    size_t padded = (size + 511) / 512 * 512;
    assert_true(tar_size + padded <= TAR_MAX);
    memset(tar_bytes + tar_size, 0, padded);
    memcpy(tar_bytes + tar_size, bytes, size);
    tar_size += padded;
}

static void tar_file(const char *name, const char *text)
{
    tar_header(name, '0', "", strlen(text));
    tar_contents(text, strlen(text));
}

static void tar_directory(const char *name)
{
    tar_header(name, '5', "", 0);
}

static void tar_link(const char *name, const char *target)
{
    tar_header(name, '2', target, 0);
}

static void tar_end(void)
{
    memset(tar_bytes + tar_size, 0, 1024);
    tar_size += 1024;
}

/* -- opening -- */

static void measure(void)
{
    uint8_t root[32];
    alc_verity_init(&verity, tar_size);
    assert_true(verity.tree_blocks * 4096 <= TREE_MAX);
    alc_verity_build(&verity, tar_bytes, tree_bytes, root);
    alc_verity_digest(&verity, root, file_digest);
}

static alc_status open_measured(void)
{
    struct alc_archive_options options = {
        .host = &host, .archive = ARCHIVE_HANDLE, .tree = TREE_HANDLE, .report = on_report};
    memcpy(options.digest, file_digest, sizeof options.digest);
    if (arena_bytes == NULL) {
        arena_bytes = aligned_alloc(4096, ARENA_SIZE);
        assert_non_null(arena_bytes);
    }
    alc_error_clear(&error);
    reads_count = reports_count = 0;
    alc_arena_init(&arena, arena_bytes, ARENA_SIZE);
    alc_status status = alc_archive_open(&arena, &options, &archive, &error);
    if (status == ALC_OK) {
        alc_archive_os_init(&table, &host);
        assert_int_equal(alc_archive_os_add(&table, ARCHIVE_HANDLE, archive), ALC_OK);
    }
    return status;
}

static alc_status open_tar(void)
{
    measure();
    return open_measured();
}

/* -- using -- */

#define CALL(name, ...) (table.over.os.operations->name(table.over.os.context, __VA_ARGS__))

static int64_t open_path(const char *path, uint32_t flags)
{
    return CALL(open_at, ARCHIVE_HANDLE, (const uint8_t *)path, strlen(path), flags);
}

static int64_t read_handle_at(int64_t handle, void *bytes, size_t size, uint64_t offset)
{
    struct alc_span span = {bytes, size};
    return CALL(read_at, (int32_t)handle, &span, 1, offset);
}

/* The file's contents are this text. */
static void expect_text(const char *path, const char *text)
{
    char bytes[512];
    int64_t handle = open_path(path, ALC_OS_OPEN_READ | ALC_OS_OPEN_FOLLOW);
    if (handle < 0) {
        fail_msg("%s: %s", path, alc_os_errno_text(-handle));
    }
    int64_t count = read_handle_at(handle, bytes, sizeof bytes, 0);
    assert_int_equal(count, strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
    assert_int_equal(CALL(close, (int32_t)handle), 0);
}

static int64_t stat_path(const char *path, uint32_t follow, struct alc_os_stat *out)
{
    return CALL(stat_at, ARCHIVE_HANDLE, (const uint8_t *)path, strlen(path), follow, out);
}

#endif
