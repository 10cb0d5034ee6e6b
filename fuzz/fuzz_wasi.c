/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI between two liars: the input is a series of calls with any arguments, over a memory with any
 * contents, and all that the system answers. Whatever they say, nothing outside the program's
 * memory is touched, rights stay within what a type allows, and a wait ends when the system fails.
 */
#include <stdlib.h>
#include <string.h>

#include "exec/memory.h"
#include "wasi/wasi_internal.h"

enum { MEMORY_SIZE = 8192, CALLS_MAX = 64, MOUNT_HANDLE = 8 };

static struct {
    const uint8_t *bytes;
    size_t size;
    bool is_starting; /* before the first call the system is honest and the input is spared */
} input;

/* The next bytes of the input; zeros behind its end. */
static uint64_t take(size_t size)
{
    uint64_t value = 0;
    const size_t taken = size < input.size ? size : input.size;
    memcpy(&value, input.bytes, taken);
    input.bytes += taken;
    input.size -= taken;
    return value;
}

/* A number as the system might answer: mostly small, sometimes anything. An input that has ended is
 * a system that fails. */
static int64_t answer(void)
{
    if (input.size == 0) {
        return -ALC_OS_IO;
    }
    const uint8_t kind = (uint8_t)take(1);
    switch (kind & 3) {
    case 0:
        return 0;
    case 1:
        return kind >> 2;
    case 2:
        return -(int64_t)(kind >> 2);
    default:
        return (int64_t)take(8);
    }
}

/* Fills what the system may write, and judges how much that is. */
static int64_t fill(void *buf, size_t size)
{
    for (size_t i = 0; i < size && i < 64; i++) {
        ((uint8_t *)buf)[i] = (uint8_t)take(1);
    }
    if (size > 0) {
        ((uint8_t *)buf)[size - 1] ^= 1;
    }
    return answer();
}

static int64_t touch_spans(const struct alc_span *spans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (spans[i].size > 0) {
            spans[i].bytes[0] ^= 1;
            spans[i].bytes[spans[i].size - 1] ^= 1;
        }
    }
    return answer();
}

static int64_t read_path(const uint8_t *path, size_t size)
{
    volatile uint8_t sink = 0;
    if (size == 0 || path[0] == '/' || memchr(path, 0, size) != NULL) {
        abort(); /* must not have come this far */
    }
    for (size_t i = 0; i < size; i++) {
        sink = sink ^ path[i];
    }
    return answer();
}

static int64_t os_vector(void *c, int32_t h, const struct alc_span *spans, size_t count)
{
    (void)c, (void)h;
    return touch_spans(spans, count);
}
static int64_t os_vector_at(void *c, int32_t h, const struct alc_span *spans, size_t count,
                            uint64_t offset)
{
    (void)c, (void)h, (void)offset;
    return touch_spans(spans, count);
}
static int64_t os_seek(void *c, int32_t h, int64_t offset, uint32_t whence)
{
    (void)c, (void)h, (void)offset, (void)whence;
    return answer();
}
static int64_t os_handle(void *c, int32_t h)
{
    (void)c, (void)h;
    return answer();
}
static int64_t os_handle_number(void *c, int32_t h, uint32_t number)
{
    (void)c, (void)h, (void)number;
    return answer();
}
static int64_t os_stat(void *c, int32_t h, struct alc_os_stat *out)
{
    (void)c, (void)h;
    return input.is_starting ? 0 : fill(out, sizeof *out);
}
static int64_t os_set_size(void *c, int32_t h, uint64_t size)
{
    (void)c, (void)h, (void)size;
    return answer();
}
static int64_t os_allocate(void *c, int32_t h, uint64_t offset, uint64_t size)
{
    (void)c, (void)h, (void)offset, (void)size;
    return answer();
}
static int64_t os_advise(void *c, int32_t h, uint64_t offset, uint64_t size, uint32_t advice)
{
    (void)c, (void)h, (void)offset, (void)size, (void)advice;
    return answer();
}
static int64_t os_set_times(void *c, int32_t h, uint64_t access, uint64_t modify, uint32_t flags)
{
    (void)c, (void)h, (void)access, (void)modify, (void)flags;
    return answer();
}
static int64_t os_open_at(void *c, int32_t h, const uint8_t *path, size_t size, uint32_t flags)
{
    (void)c, (void)h, (void)flags;
    return read_path(path, size);
}
static int64_t os_stat_at(void *c, int32_t h, const uint8_t *path, size_t size, uint32_t follow,
                          struct alc_os_stat *out)
{
    (void)c, (void)h, (void)follow;
    (void)fill(out, sizeof *out);
    return read_path(path, size);
}
static int64_t os_set_times_at(void *c, int32_t h, const uint8_t *path, size_t size,
                               uint32_t follow, uint64_t access, uint64_t modify, uint32_t flags)
{
    (void)c, (void)h, (void)follow, (void)access, (void)modify, (void)flags;
    return read_path(path, size);
}
static int64_t os_path(void *c, int32_t h, const uint8_t *path, size_t size)
{
    (void)c, (void)h;
    return read_path(path, size);
}
static int64_t os_rename_at(void *c, int32_t h, const uint8_t *path, size_t size, int32_t other,
                            const uint8_t *other_path, size_t other_size)
{
    (void)c, (void)h, (void)other;
    (void)read_path(path, size);
    return read_path(other_path, other_size);
}
static int64_t os_link_at(void *c, int32_t h, const uint8_t *path, size_t size, uint32_t follow,
                          int32_t other, const uint8_t *other_path, size_t other_size)
{
    (void)c, (void)h, (void)follow, (void)other;
    (void)read_path(path, size);
    return read_path(other_path, other_size);
}
static int64_t os_symlink_at(void *c, const uint8_t *target, size_t target_size, int32_t h,
                             const uint8_t *path, size_t size)
{
    (void)c, (void)h;
    (void)read_path(target, target_size);
    return read_path(path, size);
}
static int64_t os_readlink_at(void *c, int32_t h, const uint8_t *path, size_t size, uint8_t *buf,
                              size_t buf_size)
{
    (void)c, (void)h;
    (void)fill(buf, buf_size);
    return read_path(path, size);
}
static int64_t os_read_directory(void *c, int32_t h, uint64_t cookie, uint8_t *buf, size_t size)
{
    (void)c, (void)h, (void)cookie;
    return fill(buf, size);
}
static int64_t os_recv(void *c, int32_t h, const struct alc_span *spans, size_t count,
                       uint32_t flags, uint32_t *out_flags)
{
    (void)c, (void)h, (void)flags;
    *out_flags = (uint32_t)take(4);
    return touch_spans(spans, count);
}
static int64_t os_clock_read(void *c, uint32_t clock, uint32_t resolution)
{
    (void)c, (void)clock, (void)resolution;
    return answer();
}
static int64_t os_poll(void *c, struct alc_os_poll *polls, size_t count, int64_t timeout_ns)
{
    (void)c, (void)timeout_ns;
    for (size_t i = 0; i < count; i++) {
        polls[i].ready = (uint16_t)take(1);
        polls[i].available = (uint64_t)answer();
    }
    return answer();
}
static int64_t os_yield(void *c)
{
    (void)c;
    return answer();
}
static int64_t os_random(void *c, uint8_t *buf, size_t size)
{
    (void)c;
    return fill(buf, size);
}

static const struct alc_os_operations operations = {
    .read = os_vector,
    .write = os_vector,
    .read_at = os_vector_at,
    .write_at = os_vector_at,
    .seek = os_seek,
    .close = os_handle,
    .sync = os_handle_number,
    .stat = os_stat,
    .set_size = os_set_size,
    .allocate = os_allocate,
    .advise = os_advise,
    .set_times = os_set_times,
    .get_flags = os_handle,
    .set_flags = os_handle_number,
    .open_at = os_open_at,
    .stat_at = os_stat_at,
    .set_times_at = os_set_times_at,
    .create_directory_at = os_path,
    .remove_directory_at = os_path,
    .unlink_at = os_path,
    .rename_at = os_rename_at,
    .link_at = os_link_at,
    .symlink_at = os_symlink_at,
    .readlink_at = os_readlink_at,
    .read_directory = os_read_directory,
    .accept = os_handle_number,
    .recv = os_recv,
    .send = os_vector,
    .shutdown = os_handle_number,
    .clock_read = os_clock_read,
    .poll = os_poll,
    .yield = os_yield,
    .random = os_random,
};

/* What must hold after every call. */
static void check_descriptors(const struct alc_wasi *wasi)
{
    for (size_t i = 0; i < 16; i++) {
        const struct alc_wasi_descriptor *descriptor = &wasi->shared->descriptors[i];
        const uint64_t allowed =
            alc_wasi_rights_of_type(descriptor->type) | ALC_WASI_RIGHTS_SOCK_ACCEPT;
        if (descriptor->is_open && (descriptor->type > ALC_WASI_FILETYPE_SYMBOLIC_LINK ||
                                    (descriptor->rights_base & ~allowed) != 0)) {
            abort();
        }
    }
}

/* An argument: mostly a small number or a place in memory, sometimes anything. */
static uint64_t take_argument(void)
{
    const uint8_t kind = (uint8_t)take(1);
    switch (kind >> 6) {
    case 0:
        return kind;
    case 1:
        return (uint64_t)(kind & 63) * 128;
    case 2:
        return MEMORY_SIZE - (kind & 63);
    default:
        return take(8);
    }
}

static bool call_once(struct alc_wasi *wasi, struct alc_memory *memory)
{
    const struct alc_host_module *module = alc_wasi_module();
    const struct alc_host_export *function = &module->exports[take(1) % module->exports_count];
    uint64_t slots[12];
    for (size_t i = 0; function->type[i] != ':'; i++) {
        slots[i] = take_argument();
        slots[i] = function->type[i] == 'I' ? slots[i] : (uint32_t)slots[i];
    }
    struct alc_host_call call = {
        .memory = memory, .callee = function, .context = wasi, .slots = slots};
    const bool goes_on = function->function(&call) == ALC_OK;
    if (goes_on && strchr(function->type, ':')[1] != '\0' && slots[0] > ALC_OS_ERRNO_MAX) {
        abort();
    }
    check_descriptors(wasi);
    return goes_on;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint64_t arena_bytes[(1 << 17) / 8];
    static uint64_t scratch_bytes[(1 << 18) / 8];
    static const struct alc_wasi_preopen preopens[] = {{MOUNT_HANDLE, {"/", 1}, false},
                                                       {MOUNT_HANDLE + 1, {"/ro", 3}, true}};
    static const struct alc_wasi_socket sockets[] = {{MOUNT_HANDLE + 2, true},
                                                     {MOUNT_HANDLE + 3, false}};
    static const struct alc_wasi_text arguments[] = {{"program", 7}, {"", 0}};
    const struct alc_os os = {.operations = &operations};
    struct alc_arena arena;
    struct alc_arena scratch;
    alc_arena_init(&arena, arena_bytes, sizeof arena_bytes);
    alc_arena_init(&scratch, scratch_bytes, sizeof scratch_bytes);
    const struct alc_wasi_options options = {
        .os = &os,
        .arena = &arena,
        .scratch = &scratch,
        .arguments = arguments,
        .arguments_count = 2,
        .preopens = preopens,
        .preopens_count = 2,
        .sockets = sockets,
        .sockets_count = 2,
    };
    input.bytes = bytes;
    input.size = size;
    /* A malloc of its own: AddressSanitizer guards both ends. */
    uint8_t *guest = calloc(1, MEMORY_SIZE);
    const size_t contents = size / 2 < MEMORY_SIZE ? size / 2 : MEMORY_SIZE;
    for (size_t i = 0; i < contents; i++) {
        guest[i] = (uint8_t)take(1);
    }
    struct alc_memory memory = {.base = guest, .size = MEMORY_SIZE};
    struct alc_wasi wasi;
    input.is_starting = true;
    if (alc_wasi_init(&wasi, &options) != ALC_OK) {
        abort();
    }
    input.is_starting = false;
    for (int i = 0; i < CALLS_MAX && input.size > 0; i++) {
        if (!call_once(&wasi, &memory)) {
            break;
        }
    }
    alc_wasi_fini(&wasi);
    free(guest);
    return 0;
}
