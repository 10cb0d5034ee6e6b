/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted struct alc_os for the tests of wasi/: every primitive notes that it was called and
 * with what, and answers what the test wants, lies included. And a program's memory and descriptors
 * to call the generated thunks without an interpreter. For one test program each, hence static
 * functions.
 */
#ifndef ALC_TESTS_UNIT_WASI_FAKE_OS_H
#define ALC_TESTS_UNIT_WASI_FAKE_OS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "exec/memory.h"
#include "wasi/wasi.h"
#include "wasi/wasi_p1_host.h"

/* clang-format off */
#define PRIMITIVES(X)                                                                              \
    X(read) X(write) X(read_at) X(write_at) X(seek) X(close) X(sync) X(stat) X(set_size)           \
    X(allocate) X(advise) X(set_times) X(get_flags) X(set_flags) X(open_at) X(stat_at)             \
    X(set_times_at) X(create_directory_at) X(remove_directory_at) X(unlink_at) X(rename_at)        \
    X(link_at) X(symlink_at) X(readlink_at) X(read_directory) X(accept) X(recv) X(send)            \
    X(shutdown) X(clock_read) X(poll) X(yield) X(random)
/* clang-format on */

enum primitive {
#define X(name) FAKE_##name,
    PRIMITIVES(X)
#undef X
        PRIMITIVES_COUNT
};

/* What the fake says and what it heard. */
static struct {
    int64_t answers[PRIMITIVES_COUNT]; /* of every call until changed */
    int calls[PRIMITIVES_COUNT];
    int calls_count; /* of all of them */
    /* Arguments of the latest call. */
    int32_t handle;
    uint64_t numbers[4];
    char path[ALC_LIMIT_WASI_PATH_SIZE + 1];
    char other_path[ALC_LIMIT_WASI_PATH_SIZE + 1];
    const struct alc_span *spans;
    size_t spans_count;
    /* Details of answers. */
    struct alc_os_stat stat;
    const uint8_t *entries; /* read_directory */
    size_t entries_size;
    int64_t times_ns[4]; /* what each clock says next, */
    int64_t step_ns;     /* and by how much it goes on with each look */
    bool poll_takes_time;
    uint16_t poll_ready[8];
    uint64_t poll_available;
    int64_t poll_timeout_ns;
    uint32_t recv_flags;
} fake;

static int64_t heard(enum primitive primitive)
{
    fake.calls[primitive]++;
    fake.calls_count++;
    return fake.answers[primitive];
}

static int64_t heard_on(enum primitive primitive, int32_t handle, uint64_t a, uint64_t b)
{
    fake.handle = handle;
    fake.numbers[0] = a;
    fake.numbers[1] = b;
    return heard(primitive);
}

static void note_path(char *out, const uint8_t *path, size_t size)
{
    assert_true(size <= ALC_LIMIT_WASI_PATH_SIZE);
    memcpy(out, path, size);
    out[size] = '\0';
}

static int64_t heard_path(enum primitive primitive, int32_t dir, const uint8_t *path, size_t size)
{
    note_path(fake.path, path, size);
    return heard_on(primitive, dir, fake.numbers[0], fake.numbers[1]);
}

static int64_t heard_spans(enum primitive primitive, int32_t handle, const struct alc_span *spans,
                           size_t count, uint64_t number)
{
    fake.spans = spans;
    fake.spans_count = count;
    return heard_on(primitive, handle, number, 0);
}

static int64_t fake_read(void *c, int32_t h, const struct alc_span *spans, size_t count)
{
    (void)c;
    return heard_spans(FAKE_read, h, spans, count, 0);
}
static int64_t fake_write(void *c, int32_t h, const struct alc_span *spans, size_t count)
{
    (void)c;
    return heard_spans(FAKE_write, h, spans, count, 0);
}
static int64_t fake_read_at(void *c, int32_t h, const struct alc_span *spans, size_t count,
                            uint64_t offset)
{
    (void)c;
    return heard_spans(FAKE_read_at, h, spans, count, offset);
}
static int64_t fake_write_at(void *c, int32_t h, const struct alc_span *spans, size_t count,
                             uint64_t offset)
{
    (void)c;
    return heard_spans(FAKE_write_at, h, spans, count, offset);
}
static int64_t fake_seek(void *c, int32_t h, int64_t offset, uint32_t whence)
{
    (void)c;
    return heard_on(FAKE_seek, h, (uint64_t)offset, whence);
}
static int64_t fake_close(void *c, int32_t h)
{
    (void)c;
    return heard_on(FAKE_close, h, 0, 0);
}
static int64_t fake_sync(void *c, int32_t h, uint32_t data_only)
{
    (void)c;
    return heard_on(FAKE_sync, h, data_only, 0);
}
static int64_t fake_stat(void *c, int32_t h, struct alc_os_stat *out)
{
    (void)c;
    *out = fake.stat;
    return heard_on(FAKE_stat, h, 0, 0);
}
static int64_t fake_set_size(void *c, int32_t h, uint64_t size)
{
    (void)c;
    return heard_on(FAKE_set_size, h, size, 0);
}
static int64_t fake_allocate(void *c, int32_t h, uint64_t offset, uint64_t size)
{
    (void)c;
    return heard_on(FAKE_allocate, h, offset, size);
}
static int64_t fake_advise(void *c, int32_t h, uint64_t offset, uint64_t size, uint32_t advice)
{
    (void)c;
    fake.numbers[2] = advice;
    return heard_on(FAKE_advise, h, offset, size);
}
static int64_t fake_set_times(void *c, int32_t h, uint64_t access, uint64_t modify, uint32_t flags)
{
    (void)c;
    fake.numbers[2] = flags;
    return heard_on(FAKE_set_times, h, access, modify);
}
static int64_t fake_get_flags(void *c, int32_t h)
{
    (void)c;
    return heard_on(FAKE_get_flags, h, 0, 0);
}
static int64_t fake_set_flags(void *c, int32_t h, uint32_t flags)
{
    (void)c;
    return heard_on(FAKE_set_flags, h, flags, 0);
}
static int64_t fake_open_at(void *c, int32_t dir, const uint8_t *path, size_t size, uint32_t flags)
{
    (void)c;
    fake.numbers[0] = flags;
    return heard_path(FAKE_open_at, dir, path, size);
}
static int64_t fake_stat_at(void *c, int32_t dir, const uint8_t *path, size_t size, uint32_t follow,
                            struct alc_os_stat *out)
{
    (void)c;
    *out = fake.stat;
    fake.numbers[0] = follow;
    return heard_path(FAKE_stat_at, dir, path, size);
}
static int64_t fake_set_times_at(void *c, int32_t dir, const uint8_t *path, size_t size,
                                 uint32_t follow, uint64_t access, uint64_t modify, uint32_t flags)
{
    (void)c;
    (void)access;
    fake.numbers[0] = follow;
    fake.numbers[1] = modify;
    fake.numbers[2] = flags;
    return heard_path(FAKE_set_times_at, dir, path, size);
}
static int64_t fake_create_directory_at(void *c, int32_t dir, const uint8_t *path, size_t size)
{
    (void)c;
    return heard_path(FAKE_create_directory_at, dir, path, size);
}
static int64_t fake_remove_directory_at(void *c, int32_t dir, const uint8_t *path, size_t size)
{
    (void)c;
    return heard_path(FAKE_remove_directory_at, dir, path, size);
}
static int64_t fake_unlink_at(void *c, int32_t dir, const uint8_t *path, size_t size)
{
    (void)c;
    return heard_path(FAKE_unlink_at, dir, path, size);
}
static int64_t fake_rename_at(void *c, int32_t old_dir, const uint8_t *old_path, size_t old_size,
                              int32_t new_dir, const uint8_t *new_path, size_t new_size)
{
    (void)c;
    (void)old_dir;
    note_path(fake.other_path, old_path, old_size);
    return heard_path(FAKE_rename_at, new_dir, new_path, new_size);
}
static int64_t fake_link_at(void *c, int32_t old_dir, const uint8_t *old_path, size_t old_size,
                            uint32_t follow, int32_t new_dir, const uint8_t *new_path,
                            size_t new_size)
{
    (void)c;
    (void)old_dir;
    fake.numbers[0] = follow;
    note_path(fake.other_path, old_path, old_size);
    return heard_path(FAKE_link_at, new_dir, new_path, new_size);
}
static int64_t fake_symlink_at(void *c, const uint8_t *target, size_t target_size, int32_t dir,
                               const uint8_t *path, size_t size)
{
    (void)c;
    note_path(fake.other_path, target, target_size);
    return heard_path(FAKE_symlink_at, dir, path, size);
}
static int64_t fake_readlink_at(void *c, int32_t dir, const uint8_t *path, size_t size,
                                uint8_t *buf, size_t buf_size)
{
    (void)c;
    memcpy(buf, "target", buf_size < 6 ? buf_size : 6);
    return heard_path(FAKE_readlink_at, dir, path, size);
}
/* The entries once, then the end; or whatever the test put as answer. */
static int64_t fake_read_directory(void *c, int32_t dir, uint64_t cookie, uint8_t *buf, size_t size)
{
    (void)c;
    int64_t answer = heard_on(FAKE_read_directory, dir, cookie, size);
    if (answer != 0 || fake.entries == NULL) {
        return answer;
    }
    size_t given = fake.entries_size < size ? fake.entries_size : size;
    memcpy(buf, fake.entries, given);
    fake.entries = NULL;
    return (int64_t)given;
}
static int64_t fake_accept(void *c, int32_t h, uint32_t flags)
{
    (void)c;
    return heard_on(FAKE_accept, h, flags, 0);
}
static int64_t fake_recv(void *c, int32_t h, const struct alc_span *spans, size_t count,
                         uint32_t flags, uint32_t *out_flags)
{
    (void)c;
    *out_flags = fake.recv_flags;
    return heard_spans(FAKE_recv, h, spans, count, flags);
}
static int64_t fake_send(void *c, int32_t h, const struct alc_span *spans, size_t count)
{
    (void)c;
    return heard_spans(FAKE_send, h, spans, count, 0);
}
static int64_t fake_shutdown(void *c, int32_t h, uint32_t how)
{
    (void)c;
    return heard_on(FAKE_shutdown, h, how, 0);
}
static int64_t fake_clock_read(void *c, uint32_t clock, uint32_t resolution)
{
    (void)c;
    int64_t answer = heard(FAKE_clock_read);
    if (answer != 0 || resolution != 0) {
        return answer;
    }
    int64_t now = fake.times_ns[clock];
    fake.times_ns[clock] += fake.step_ns;
    return now;
}
static int64_t fake_poll(void *c, struct alc_os_poll *polls, size_t count, int64_t timeout_ns)
{
    (void)c;
    fake.poll_timeout_ns = timeout_ns;
    for (size_t i = 0; i < count && i < ALC_ARRAY_COUNT(fake.poll_ready); i++) {
        polls[i].ready = fake.poll_ready[i];
        polls[i].available = fake.poll_available;
    }
    for (size_t i = 0; fake.poll_takes_time && timeout_ns > 0 && i < 2; i++) {
        fake.times_ns[i] += timeout_ns;
    }
    return heard_on(FAKE_poll, count > 0 ? polls[0].handle : -1, count, 0);
}
static int64_t fake_yield(void *c)
{
    (void)c;
    return heard(FAKE_yield);
}
static int64_t fake_random(void *c, uint8_t *buf, size_t size)
{
    (void)c;
    memset(buf, 0x5a, size);
    return heard_on(FAKE_random, 0, size, 0);
}

static const struct alc_os_operations fake_operations = {
#define X(name) .name = fake_##name,
    PRIMITIVES(X)
#undef X
};
static const struct alc_os fake_os = {.operations = &fake_operations};

/* -- a program -- */

enum {
    MEMORY_SIZE = 1 << 20,
    PATH_AT = 0x1000, /* where tests put what they point to */
    OTHER_PATH_AT = 0x3000,
    OUT_AT = 0x5000,
    BUF_AT = 0x8000,
    DIR_FD = 3,
    READ_ONLY_FD = 4,
    LISTENER_FD = 5,
    CONNECTION_FD = 6,
    FIRST_FREE_FD = 7,
    DIR_HANDLE = 8,
    OPENED_HANDLE = 40,
};

static struct alc_wasi wasi;
static struct alc_memory memory;
static uint8_t *memory_bytes;
static uint64_t arena_bytes[(1 << 20) / 8];
static uint64_t scratch_bytes[(1 << 20) / 8];
static struct alc_arena arena;
static struct alc_arena scratch;
static const struct alc_wasi_text arguments[] = {{"program", 7}, {"", 0}, {"x y", 3}};
static const struct alc_wasi_text environment[] = {{"A=1", 3}};
static const struct alc_wasi_preopen preopens[] = {
    {DIR_HANDLE, {"/", 1}, false},
    {DIR_HANDLE + 1, {"/fixed", 6}, true},
};
static const struct alc_wasi_socket sockets[] = {{10, true}, {11, false}};

static struct alc_wasi_options program_options(void)
{
    alc_arena_init(&arena, arena_bytes, sizeof arena_bytes);
    alc_arena_init(&scratch, scratch_bytes, sizeof scratch_bytes);
    return (struct alc_wasi_options){
        .os = &fake_os,
        .arena = &arena,
        .scratch = &scratch,
        .arguments = arguments,
        .arguments_count = ALC_ARRAY_COUNT(arguments),
        .environment = environment,
        .environment_count = ALC_ARRAY_COUNT(environment),
        .preopens = preopens,
        .preopens_count = ALC_ARRAY_COUNT(preopens),
        .sockets = sockets,
        .sockets_count = ALC_ARRAY_COUNT(sockets),
    };
}

/* The memory is a malloc of its own, so that AddressSanitizer sees one byte too many. */
static int start_program(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.answers[FAKE_open_at] = OPENED_HANDLE;
    fake.answers[FAKE_accept] = OPENED_HANDLE;
    fake.stat.type = ALC_OS_TYPE_REGULAR_FILE;
    fake.step_ns = 1;
    memory_bytes = calloc(1, MEMORY_SIZE);
    memory = (struct alc_memory){.base = memory_bytes, .size = MEMORY_SIZE};
    struct alc_wasi_options options = program_options();
    assert_int_equal(alc_wasi_init(&wasi, &options), ALC_OK);
    fake.calls_count = 0;
    memset(fake.calls, 0, sizeof fake.calls);
    return 0;
}

static int end_program(void **state)
{
    (void)state;
    free(memory_bytes);
    return 0;
}

#define PROGRAM_TEST(function) cmocka_unit_test_setup_teardown(function, start_program, end_program)

static const struct alc_host_export *find_export(const char *name)
{
    const struct alc_host_module *module = alc_wasi_module();
    for (size_t i = 0; i < module->exports_count; i++) {
        if (strcmp(module->exports[i].name, name) == 0) {
            return &module->exports[i];
        }
    }
    fail_msg("no function %s", name);
    return NULL;
}

static alc_status call_status(const char *name, const uint64_t *values, size_t count,
                              uint64_t *out_result)
{
    const struct alc_host_export *function = find_export(name);
    uint64_t slots[12] = {0};
    assert_int_equal(count, strcspn(function->type, ":"));
    for (size_t i = 0; i < count; i++) {
        slots[i] = function->type[i] == 'I' ? values[i] : (uint32_t)values[i];
    }
    struct alc_error error;
    alc_error_clear(&error);
    struct alc_host_call call = {
        .memory = &memory, .callee = function, .context = &wasi, .slots = slots, .error = &error};
    alc_status status = function->function(&call);
    assert_int_equal(error.status, status);
    *out_result = slots[0];
    return status;
}

static uint64_t call_values(const char *name, const uint64_t *values, size_t count)
{
    uint64_t result = 0;
    assert_int_equal(call_status(name, values, count, &result), ALC_OK);
    return result;
}

/* Calls a function by name; its error number. */
#define CALL(name, ...)                                                                            \
    call_values(name, (const uint64_t[]){__VA_ARGS__},                                             \
                sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static inline uint32_t put_text(uint32_t at, const char *text)
{
    memcpy(memory_bytes + at, text, strlen(text));
    return (uint32_t)strlen(text);
}

static inline void put_span(uint32_t at, uint32_t addr, uint32_t size)
{
    alc_store_u32(memory_bytes + at, addr);
    alc_store_u32(memory_bytes + at + 4, size);
}

static inline uint32_t u32_at(uint32_t at)
{
    return alc_load_u32(memory_bytes + at);
}

static inline uint64_t u64_at(uint32_t at)
{
    return alc_load_u64(memory_bytes + at);
}

/* Opens a path on the preopened directory with all rights it can hand down; the descriptor. */
static inline uint32_t open_file(uint64_t type)
{
    fake.stat.type = type;
    uint32_t size = put_text(PATH_AT, "file");
    uint64_t rights = wasi.shared == NULL ? 0 : ALC_WASI_RIGHTS_ALL;
    assert_int_equal(CALL("path_open", DIR_FD, 0, PATH_AT, size, 0, rights, rights, 0, OUT_AT), 0);
    return u32_at(OUT_AT);
}

#endif
