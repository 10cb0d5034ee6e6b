/* SPDX-License-Identifier: Apache-2.0
 *
 * Start and end of a program's WASI: what it is given, its arguments and environment, clocks,
 * random bytes and the ways to end. The options come from our own code and are checked for their
 * limits; time comes from a host that may lie.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "wasi/wasi_internal.h"

/* Bytes of all texts with their NULs. */
static alc_status measure_texts(const struct alc_wasi_text *texts, size_t count, uint32_t *out_size)
{
    uint32_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (texts[i].size >= ALC_LIMIT_WASI_ARGUMENTS_SIZE ||
            !alc_add_u32(size, (uint32_t)texts[i].size + 1, &size) ||
            size > ALC_LIMIT_WASI_ARGUMENTS_SIZE) {
            return ALC_E_BAD_ARGUMENT;
        }
        for (size_t j = 0; j < texts[i].size; j++) {
            if (texts[i].bytes[j] == 0) {
                return ALC_E_BAD_ARGUMENT;
            }
        }
    }
    *out_size = size;
    return ALC_OK;
}

static uint8_t type_of_handle(const struct alc_wasi *wasi, int32_t handle, bool *out_exists)
{
    struct alc_os_stat stat = {0};
    int64_t answer = alc_wasi_os(wasi)->stat(alc_wasi_os_context(wasi), handle, &stat);
    *out_exists = answer != -ALC_OS_BAD_DESCRIPTOR;
    return answer == 0 ? alc_wasi_type_of(stat.type) : ALC_WASI_FILETYPE_UNKNOWN;
}

/* A standard stream that whoever started us had closed stays closed. */
static void open_stream(struct alc_wasi *wasi, int32_t handle)
{
    bool exists = false;
    const uint8_t type = type_of_handle(wasi, handle, &exists);
    uint64_t rights = alc_wasi_rights_of_type(type);
    rights &= ~(handle == ALC_OS_STDIN ? ALC_WASI_RIGHTS_FD_WRITE : ALC_WASI_RIGHTS_FD_READ);
    wasi->shared->descriptors[handle] = (struct alc_wasi_descriptor){
        .rights_base = rights,
        .handle = handle,
        .preopen_index = ALC_WASI_NO_PREOPEN,
        .type = type,
        .is_open = exists,
    };
}

static void open_granted(struct alc_wasi *wasi)
{
    const struct alc_wasi_options *options = &wasi->options;
    struct alc_wasi_descriptor *next = &wasi->shared->descriptors[ALC_WASI_FIRST_PREOPEN];
    for (size_t i = 0; i < options->preopens_count; i++) {
        *next++ = (struct alc_wasi_descriptor){
            .rights_base = ALC_WASI_RIGHTS_OF_DIRECTORIES,
            .rights_inheriting = ALC_WASI_RIGHTS_OF_DIRECTORIES | ALC_WASI_RIGHTS_OF_FILES,
            .handle = options->preopens[i].handle,
            .preopen_index = (int32_t)i,
            .type = ALC_WASI_FILETYPE_DIRECTORY,
            .is_open = true,
            .read_only = options->preopens[i].read_only,
        };
    }
    for (size_t i = 0; i < options->sockets_count; i++) {
        const bool is_listener = options->sockets[i].is_listener;
        bool exists = false;
        const uint8_t type = type_of_handle(wasi, options->sockets[i].handle, &exists);
        *next++ = (struct alc_wasi_descriptor){
            .rights_base =
                ALC_WASI_RIGHTS_OF_SOCKETS | (is_listener ? ALC_WASI_RIGHTS_SOCK_ACCEPT : 0),
            .rights_inheriting = is_listener ? ALC_WASI_RIGHTS_OF_SOCKETS : 0,
            .handle = options->sockets[i].handle,
            .preopen_index = ALC_WASI_NO_PREOPEN,
            .type = type == ALC_WASI_FILETYPE_SOCKET_DGRAM ? type : ALC_WASI_FILETYPE_SOCKET_STREAM,
            .is_open = true,
        };
    }
}

alc_status alc_wasi_init(struct alc_wasi *wasi, const struct alc_wasi_options *options)
{
    *wasi = (struct alc_wasi){
        .host = {options->scratch, options->trace, options->trace_context},
        .options = *options,
    };
    ALC_TRY(measure_texts(options->arguments, options->arguments_count, &wasi->arguments_size));
    ALC_TRY(
        measure_texts(options->environment, options->environment_count, &wasi->environment_size));
    const size_t granted_max = ALC_LIMIT_WASI_DESCRIPTORS - ALC_WASI_FIRST_PREOPEN;
    if (options->preopens_count > granted_max ||
        options->sockets_count > granted_max - options->preopens_count) {
        return ALC_E_BAD_ARGUMENT;
    }
    for (size_t i = 0; i < options->preopens_count; i++) {
        if (options->preopens[i].guest_path.size > ALC_LIMIT_WASI_PATH_SIZE) {
            return ALC_E_BAD_ARGUMENT;
        }
    }
    wasi->copies = ALC_ARENA_ARRAY(options->arena, struct alc_wasi_descriptor, ALC_WASI_COPIES);
    struct alc_wasi_shared *shared = ALC_ARENA_NEW(options->arena, struct alc_wasi_shared);
    if (wasi->copies == NULL || shared == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    shared->descriptors =
        ALC_ARENA_ARRAY(options->arena, struct alc_wasi_descriptor, ALC_LIMIT_WASI_DESCRIPTORS);
    if (shared->descriptors == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    wasi->shared = shared;
    for (int32_t handle = ALC_OS_STDIN; handle <= ALC_OS_STDERR; handle++) {
        open_stream(wasi, handle);
    }
    open_granted(wasi);
    return ALC_OK;
}

alc_status alc_wasi_init_thread(struct alc_wasi *wasi, const struct alc_wasi *first,
                                struct alc_arena *arena, struct alc_arena *scratch)
{
    *wasi = *first;
    wasi->host.scratch = scratch;
    wasi->options.scratch = scratch;
    wasi->thread_clock_latest_ns = 0;
    wasi->copies = ALC_ARENA_ARRAY(arena, struct alc_wasi_descriptor, ALC_WASI_COPIES);
    return wasi->copies == NULL ? ALC_E_OUT_OF_MEMORY : ALC_OK;
}

void alc_wasi_fini(struct alc_wasi *wasi)
{
    if (wasi->shared == NULL) {
        return; /* alc_wasi_init failed */
    }
    for (uint32_t i = 0; i < ALC_LIMIT_WASI_DESCRIPTORS; i++) {
        struct alc_wasi_descriptor *descriptor = NULL;
        (void)!alc_wasi_fd_get(wasi, i, 0, &descriptor);
        if (descriptor != NULL) {
            (void)alc_wasi_descriptor_close(wasi, descriptor);
        }
    }
}

uint32_t alc_wasi_exit_code(const struct alc_wasi *wasi)
{
    return wasi->exit_code;
}

/* -- arguments and environment -- */

uint64_t alc_wasi_arguments_count(const struct alc_wasi *wasi)
{
    return wasi->options.arguments_count;
}

uint64_t alc_wasi_arguments_bytes(const struct alc_wasi *wasi)
{
    return wasi->arguments_size;
}

uint64_t alc_wasi_environment_count(const struct alc_wasi *wasi)
{
    return wasi->options.environment_count;
}

uint64_t alc_wasi_environment_bytes(const struct alc_wasi *wasi)
{
    return wasi->environment_size;
}

/* The thunk made both buffers exactly as large as measure_texts found. */
static void store_texts(const struct alc_wasi_text *texts, size_t count,
                        struct alc_guest_buffer pointers, struct alc_guest_buffer buf)
{
    size_t offset = 0;
    ALC_ASSERT(pointers.size == count * sizeof(uint32_t));
    for (size_t i = 0; i < count; i++) {
        ALC_ASSERT(alc_range_fits(offset, texts[i].size + 1, buf.size));
        alc_store_u32(pointers.bytes + i * sizeof(uint32_t), buf.guest_addr + (uint32_t)offset);
        alc_copy(buf.bytes + offset, texts[i].bytes, texts[i].size);
        buf.bytes[offset + texts[i].size] = 0;
        offset += texts[i].size + 1;
    }
}

uint16_t alc_wasi_args_get(struct alc_wasi *wasi, struct alc_guest_buffer pointers,
                           struct alc_guest_buffer buf)
{
    store_texts(wasi->options.arguments, wasi->options.arguments_count, pointers, buf);
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_args_sizes_get(struct alc_wasi *wasi, uint32_t *out_count, uint32_t *out_buf_size)
{
    *out_count = (uint32_t)wasi->options.arguments_count;
    *out_buf_size = wasi->arguments_size;
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_environ_get(struct alc_wasi *wasi, struct alc_guest_buffer pointers,
                              struct alc_guest_buffer buf)
{
    store_texts(wasi->options.environment, wasi->options.environment_count, pointers, buf);
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_environ_sizes_get(struct alc_wasi *wasi, uint32_t *out_count,
                                    uint32_t *out_buf_size)
{
    *out_count = (uint32_t)wasi->options.environment_count;
    *out_buf_size = wasi->environment_size;
    return ALC_OS_SUCCESS;
}

/* -- clocks -- */

/* WASI's clock numbers are those of os/. */
_Static_assert((int)ALC_WASI_CLOCKID_REALTIME == (int)ALC_OS_CLOCK_REALTIME, "same numbers");
_Static_assert((int)ALC_WASI_CLOCKID_MONOTONIC == (int)ALC_OS_CLOCK_MONOTONIC, "same numbers");
_Static_assert((int)ALC_WASI_CLOCKID_PROCESS_CPUTIME_ID == (int)ALC_OS_CLOCK_PROCESS_CPU,
               "same numbers");
_Static_assert((int)ALC_WASI_CLOCKID_THREAD_CPUTIME_ID == (int)ALC_OS_CLOCK_THREAD_CPU,
               "same numbers");

uint16_t alc_wasi_clock_now(struct alc_wasi *wasi, uint32_t clock, uint64_t *out_time_ns)
{
    ALC_ASSERT(clock < ALC_WASI_CLOCKS_COUNT);
    uint64_t time_ns = 0;
    uint16_t result = alc_wasi_count_of(
        alc_wasi_os(wasi)->clock_read(alc_wasi_os_context(wasi), clock, 0), INT64_MAX, &time_ns);
    if (result != 0) {
        return result;
    }
    /* A host that turns a clock back would let a program use what has expired. */
    uint64_t *said_ns = clock == ALC_WASI_CLOCKID_THREAD_CPUTIME_ID
                            ? &wasi->thread_clock_latest_ns
                            : &wasi->shared->clock_latest_ns[clock];
    uint64_t latest_ns = __atomic_load_n(said_ns, __ATOMIC_RELAXED);
    while (latest_ns < time_ns &&
           !__atomic_compare_exchange_n(said_ns, &latest_ns, time_ns, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
    }
    *out_time_ns = latest_ns < time_ns ? time_ns : latest_ns;
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_clock_time_get(struct alc_wasi *wasi, uint32_t id, uint64_t precision,
                                 uint64_t *out_time)
{
    (void)precision; /* always as exact as the system can */
    return alc_wasi_clock_now(wasi, id, out_time);
}

uint16_t alc_wasi_clock_res_get(struct alc_wasi *wasi, uint32_t id, uint64_t *out_resolution)
{
    uint64_t resolution_ns = 0;
    uint16_t result = alc_wasi_count_of(
        alc_wasi_os(wasi)->clock_read(alc_wasi_os_context(wasi), id, 1), INT64_MAX, &resolution_ns);
    if (result == 0 && resolution_ns == 0) {
        return ALC_OS_IO;
    }
    *out_resolution = resolution_ns;
    return result;
}

/* -- others -- */

uint16_t alc_wasi_random_get(struct alc_wasi *wasi, struct alc_guest_buffer buf)
{
    return alc_wasi_errno_of(
        alc_wasi_os(wasi)->random(alc_wasi_os_context(wasi), buf.bytes, buf.size));
}

uint16_t alc_wasi_sched_yield(struct alc_wasi *wasi)
{
    return alc_wasi_errno_of(alc_wasi_os(wasi)->yield(alc_wasi_os_context(wasi)));
}

alc_status alc_wasi_proc_exit(struct alc_wasi *wasi, uint32_t code)
{
    wasi->exit_code = code;
    return ALC_E_EXIT;
}

alc_status alc_wasi_proc_raise(struct alc_wasi *wasi, uint8_t signal, uint16_t *out_result)
{
    switch (signal) {
    case ALC_WASI_SIGNAL_NONE:
    case ALC_WASI_SIGNAL_CHLD:
    case ALC_WASI_SIGNAL_CONT:
    case ALC_WASI_SIGNAL_URG:
    case ALC_WASI_SIGNAL_WINCH:
        *out_result = ALC_OS_SUCCESS;
        return ALC_OK;
    case ALC_WASI_SIGNAL_STOP:
    case ALC_WASI_SIGNAL_TSTP:
    case ALC_WASI_SIGNAL_TTIN:
    case ALC_WASI_SIGNAL_TTOU:
        *out_result = ALC_OS_NOT_SUPPORTED;
        return ALC_OK;
    default:
        wasi->exit_code = 128u + signal;
        return ALC_E_RAISED_SIGNAL;
    }
}
