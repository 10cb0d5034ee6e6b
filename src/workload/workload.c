/* SPDX-License-Identifier: Apache-2.0
 *
 * One program from manifest to outcome. Distrusts the os (sizes are checked, the module must have
 * the hash that the manifest names) and the program (the engine's and WASI's business).
 */
#include "workload/workload.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "exec/interp.h"
#include "workload/workload_internal.h"

/* Address space per lifetime; memory comes when it is used. */
#define MODULE_ARENA_SIZE (UINT64_C(4) << 30)
#define STORE_ARENA_SIZE (UINT64_C(1) << 30)
#define SCRATCH_ARENA_SIZE (UINT64_C(4) << 20)

static alc_status reserve_arena(struct alc_os *os, struct alc_arena *arena, size_t size)
{
    void *range = os->operations->pages_reserve(os->context, size);
    if (range == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init_reserved(arena, range, size, alc_os_commit, os);
    return ALC_OK;
}

static void release_arena(struct alc_os *os, struct alc_arena *arena)
{
    if (arena->base != NULL) {
        os->operations->pages_release(os->context, arena->base, arena->size);
    }
}

alc_status alc_workload_read_granted(struct alc_workload *run, int32_t handle, uint64_t size_max,
                                     alc_status too_big, struct alc_string *out)
{
    const struct alc_os *os = run->os;
    struct alc_os_stat stat;
    if (os->operations->stat(os->context, handle, &stat) < 0) {
        return alc_fail(&run->error, ALC_E_IO_FAILED, ALC_NO_OFFSET);
    }
    if (stat.size > size_max) {
        return alc_fail(&run->error, too_big, ALC_NO_OFFSET);
    }
    size_t size = (size_t)stat.size;
    uint8_t *bytes = alc_arena_take(&run->module_arena, size, 16);
    if (bytes == NULL) {
        return alc_fail(&run->error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t count = os->operations->read_at(os->context, handle, &span, 1, done);
        if (count <= 0 || (uint64_t)count > span.size) {
            return alc_fail(&run->error, ALC_E_IO_FAILED, done);
        }
        done += (size_t)count;
    }
    *out = (struct alc_string){.bytes = bytes, .size = size};
    return ALC_OK;
}

static alc_status read_manifest(struct alc_workload *run)
{
    const struct alc_string *encoded = &run->manifest_bytes;
    ALC_TRY(alc_workload_read_granted(run, ALC_OS_MANIFEST, ALC_LIMIT_MANIFEST_SIZE,
                                      ALC_E_BAD_MANIFEST, &run->manifest_bytes));
    return run->profile->decode_manifest(&run->module_arena, encoded->bytes, encoded->size,
                                         &run->manifest, &run->error);
}

static void *reserve_pages(void *context, size_t size)
{
    struct alc_os *os = context;
    return os->operations->pages_reserve(os->context, size);
}

static void release_pages(void *context, void *addr, size_t size)
{
    struct alc_os *os = context;
    os->operations->pages_release(os->context, addr, size);
}

alc_status alc_workload_open_store(struct alc_workload *run, alc_commit_function *execute,
                                   const struct alc_native_support *native)
{
    const struct alc_store_options options = {
        .pages = {.reserve = reserve_pages,
                  .commit = alc_os_commit,
                  .release = release_pages,
                  .execute = execute,
                  .context = run->os,
                  .native = native},
        .executor = run->profile->executor,
        .memory_size_max = run->manifest.limits.memory_size,
        .heap_size_max = run->manifest.limits.memory_size,
        .stop_flag = run->stop_flag,
        .waiting = &run->threads.waiting,
    };
    ALC_TRY(alc_store_init(&run->store, &run->store_arena, &options));
    run->has_store = true;
    if (run->manifest.limits.fuel != 0) {
        alc_store_set_fuel(&run->store, run->manifest.limits.fuel);
    }
    return ALC_OK;
}

bool alc_workload_imports_threads(const struct alc_module *module)
{
    for (uint32_t i = 0; i < module->imports_count; i++) {
        const struct alc_import *import = &module->imports[i];
        if (import->kind == ALC_EXTERNAL_FUNCTION &&
            alc_name_equals(import->module, ALC_NAME_OF("wasi")) &&
            alc_name_equals(import->name, ALC_NAME_OF("thread-spawn"))) {
            return true;
        }
    }
    return false;
}

/* -- the interpreter -- */

static alc_status load_code(struct alc_workload *run, bool interruptible)
{
    bool metered = run->manifest.limits.fuel != 0;
    const struct alc_load_options options =
        alc_store_load_options(&run->store, metered, interruptible);
    return alc_module_load(&run->module_arena, run->module_bytes.bytes, run->module_bytes.size,
                           &options, &run->module, &run->error);
}

static alc_status load_interpreted(struct alc_workload *run)
{
    ALC_TRY(alc_workload_read_granted(run, ALC_OS_MODULE, ALC_LIMIT_MODULE_SIZE,
                                      ALC_E_LENGTH_OUT_OF_BOUNDS, &run->module_bytes));
    ALC_TRY(alc_workload_check_hash(run, run->module_bytes, run->manifest.module_sha256,
                                    "not the module of the manifest"));
    ALC_TRY(alc_workload_open_store(run, NULL, NULL));
    bool interruptible = alc_workload_has_deadline(run);
    size_t mark = alc_arena_mark(&run->module_arena);
    ALC_TRY(load_code(run, interruptible));
    run->has_threads = alc_workload_imports_threads(run->module);
    if (!interruptible && run->has_threads) { /* another one may end it */
        alc_arena_reset(&run->module_arena, mark);
        return load_code(run, true);
    }
    return ALC_OK;
}

const struct alc_workload_profile alc_workload_interpreted = {
    .executor = &alc_interp_executor,
    .decode_manifest = alc_manifest_decode,
    .load = load_interpreted,
};

/* -- linking -- */

static struct alc_wasi_text *wasi_texts(struct alc_workload *run, const struct alc_string *strings,
                                        size_t count)
{
    struct alc_wasi_text *texts = ALC_ARENA_ARRAY(&run->module_arena, struct alc_wasi_text, count);
    for (size_t i = 0; texts != NULL && i < count; i++) {
        texts[i] = (struct alc_wasi_text){(const char *)strings[i].bytes, strings[i].size};
    }
    return texts;
}

/* Handles of mounts and sockets follow from the manifest's order. */
static alc_status grant_descriptors(struct alc_workload *run, struct alc_wasi_options *options)
{
    const struct alc_manifest *manifest = &run->manifest;
    struct alc_wasi_preopen *preopens =
        ALC_ARENA_ARRAY(&run->module_arena, struct alc_wasi_preopen, manifest->mounts_count);
    struct alc_wasi_socket *sockets =
        ALC_ARENA_ARRAY(&run->module_arena, struct alc_wasi_socket, manifest->sockets_count);
    if (preopens == NULL || sockets == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    int32_t handle = ALC_OS_FIRST_MOUNT;
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        const struct alc_mount *mount = &manifest->mounts[i];
        if (mount->flags > (run->os->mount_kinds | ALC_MOUNT_READ_ONLY)) {
            return ALC_E_NOT_SUPPORTED; /* what is to be sealed is never written plain */
        }
        preopens[i] = (struct alc_wasi_preopen){
            .handle = handle++,
            .guest_path = {(const char *)mount->guest_path.bytes, mount->guest_path.size},
            .read_only = (mount->flags & ALC_MOUNT_READ_ONLY) != 0,
        };
    }
    for (uint32_t i = 0; i < manifest->sockets_count; i++) {
        sockets[i] = (struct alc_wasi_socket){
            .handle = handle++,
            .is_listener = i < manifest->sockets_count - run->connections_count,
        };
    }
    options->preopens = preopens;
    options->preopens_count = manifest->mounts_count;
    options->sockets = sockets;
    options->sockets_count = manifest->sockets_count;
    return ALC_OK;
}

/* Monotonic time at which the manifest's timeout ends, so that waiting ends then as well. */
static uint64_t find_deadline(const struct alc_workload *run)
{
    const struct alc_os *os = run->os;
    uint64_t timeout_ns = run->manifest.limits.timeout_ns;
    int64_t now = os->operations->clock_read(os->context, ALC_OS_CLOCK_MONOTONIC, 0);
    uint64_t deadline_ns;
    if (timeout_ns == 0 || now < 0 || !alc_add_u64((uint64_t)now, timeout_ns, &deadline_ns)) {
        return 0;
    }
    return deadline_ns;
}

static alc_status init_wasi(struct alc_workload *run)
{
    const struct alc_manifest *manifest = &run->manifest;
    struct alc_wasi_options options = {
        .os = run->os,
        .arena = &run->module_arena,
        .scratch = &run->scratch_arena,
        .arguments = wasi_texts(run, manifest->arguments, manifest->arguments_count),
        .arguments_count = manifest->arguments_count,
        .environment = wasi_texts(run, manifest->environment, manifest->environment_count),
        .environment_count = manifest->environment_count,
        .deadline_ns = run->threads.waiting.deadline_ns,
    };
    if (options.arguments == NULL || options.environment == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(grant_descriptors(run, &options));
    ALC_TRY(alc_wasi_init(&run->wasi, &options));
    run->has_wasi = true;
    return ALC_OK;
}

/* A shared memory is made by whoever starts the program, as its threads import it. */
static alc_status add_shared_memory(struct alc_workload *run)
{
    for (uint32_t i = 0; i < run->module->imports_count; i++) {
        const struct alc_import *import = &run->module->imports[i];
        struct alc_external external = {.kind = ALC_EXTERNAL_MEMORY};
        if (import->kind == ALC_EXTERNAL_MEMORY && import->memory.limits.is_shared &&
            alc_name_equals(import->module, ALC_NAME_OF("env")) &&
            alc_name_equals(import->name, ALC_NAME_OF("memory"))) {
            ALC_TRY(alc_store_new_memory(&run->store, &import->memory, &external.memory));
            return alc_linker_add_external(&run->linker, import->module, import->name, external);
        }
    }
    return ALC_OK;
}

static alc_status link_module(struct alc_workload *run)
{
    alc_linker_init(&run->linker, &run->store);
    if (run->profile->loaded != NULL) {
        ALC_TRY(run->profile->loaded(run, run->profile->context));
    }
    ALC_TRY(init_wasi(run));
    ALC_TRY(alc_linker_add_host(&run->linker, alc_wasi_module(), &run->wasi));
    ALC_TRY(alc_linker_add_host(&run->linker, alc_threads_module(), &run->threads));
    ALC_TRY(add_shared_memory(run));
    ALC_TRY(alc_instantiate(&run->store, &run->module_arena, run->module, &run->linker,
                            &run->instance, &run->error));
    if (run->has_threads) {
        alc_threads_set_first(&run->threads, &run->store, &run->wasi, run->instance);
    }
    return ALC_OK;
}

/* The program's entry: `_start` of a command; where there is none, the initialisation that every
 * other use of a reactor begins with (what Kotlin makes runs its main function there). */
static alc_status find_entry(struct alc_workload *run, struct alc_function **out)
{
    if (alc_export_find_function(run->instance, ALC_NAME_OF("_start"), out) != ALC_OK &&
        alc_export_find_function(run->instance, ALC_NAME_OF("_initialize"), out) != ALC_OK) {
        return alc_fail_with(&run->error, ALC_E_NOT_FOUND, ALC_NO_OFFSET, "no export _start");
    }
    return ALC_OK;
}

static alc_status run_start(struct alc_workload *run)
{
    struct alc_function *start;
    ALC_TRY(find_entry(run, &start));
    if (start->type->function.parameters_count != 0 || start->type->function.results_count != 0) {
        return alc_fail_with(&run->error, ALC_E_INCOMPATIBLE_IMPORT, ALC_NO_OFFSET,
                             "an entry with parameters or results");
    }
    return alc_invoke(&run->store, start, NULL, NULL, &run->error);
}

static void describe_trap(const struct alc_workload *run, const struct alc_trap *trap,
                          struct alc_outcome *out)
{
    if (run->phase < ALC_PHASE_LINK || trap->status != (alc_status)out->status) {
        return;
    }
    uint32_t count = trap->frames_count;
    count = count < ALC_LIMIT_BACKTRACE_FRAMES ? count : ALC_LIMIT_BACKTRACE_FRAMES;
    for (uint32_t i = 0; i < count; i++) {
        out->frames[i].function_index = trap->frames[i].function_index;
        out->frames[i].offset = trap->frames[i].offset;
    }
    out->frames_count = count;
}

static void describe_resources(struct alc_workload *run, struct alc_outcome *out)
{
    if (!run->has_store) {
        return;
    }
    out->memory_peak_size = run->store.own_budget.used;
    if (run->manifest.limits.fuel != 0) {
        out->fuel_used = run->manifest.limits.fuel - alc_store_get_fuel(&run->store);
        uint64_t left_over = alc_threads_fuel(&run->threads);
        out->fuel_used -= left_over < out->fuel_used ? left_over : out->fuel_used;
    }
}

static void describe(struct alc_workload *run, const struct alc_threads_end *end,
                     struct alc_outcome *out)
{
    alc_status status = end->status;
    const struct alc_error *error = &end->error;
    *out = (struct alc_outcome){
        .version = 2,
        .phase = run->phase,
        .status = status,
        .exit_code = alc_status_exit_code(status),
        .offset = error->status == status ? error->offset : ALC_NO_OFFSET,
    };
    if (error->status == status) {
        alc_copy(out->detail, error->detail, sizeof out->detail);
    }
    if (alc_status_class(status) == ALC_CLASS_EXIT) {
        out->exit_code = (int32_t)end->exit_code;
        out->offset = ALC_NO_OFFSET;
    }
    out->code = run->code;
    describe_trap(run, &end->trap, out);
    describe_resources(run, out);
}

static alc_status write_outcome(const struct alc_os *os, struct alc_outcome *outcome)
{
    uint8_t *bytes = (uint8_t *)outcome;
    for (size_t done = 0; done < sizeof *outcome;) {
        const struct alc_span span = {.bytes = bytes + done, .size = sizeof *outcome - done};
        int64_t count = os->operations->write(os->context, ALC_OS_OUTCOME, &span, 1);
        if (count <= 0 || (uint64_t)count > span.size) {
            return ALC_E_IO_FAILED;
        }
        done += (size_t)count;
    }
    return ALC_OK;
}

/* Once, by whichever thread comes first. */
static void report(struct alc_workload *run, const struct alc_threads_end *end)
{
    struct alc_outcome outcome;
    if (!__atomic_exchange_n(&run->is_reported, true, __ATOMIC_SEQ_CST)) {
        describe(run, end, &outcome);
        run->written = write_outcome(run->os, &outcome);
    }
}

/* The first thread does not come back from the system: the one that ended the program says so. */
static void report_for_first(void *context)
{
    struct alc_workload *run = context;
    report(run, &run->threads.end); /* which nobody changes any more */
}

static alc_status run_phases(struct alc_workload *run)
{
    run->phase = ALC_PHASE_MANIFEST;
    ALC_TRY(reserve_arena(run->os, &run->module_arena, MODULE_ARENA_SIZE));
    ALC_TRY(reserve_arena(run->os, &run->store_arena, STORE_ARENA_SIZE));
    ALC_TRY(reserve_arena(run->os, &run->scratch_arena, SCRATCH_ARENA_SIZE));
    ALC_TRY(read_manifest(run));
    alc_threads_init(&run->threads, run->os, find_deadline(run), report_for_first, run);
    run->phase = ALC_PHASE_LOAD;
    ALC_TRY(run->profile->load(run));
    run->phase = ALC_PHASE_LINK;
    ALC_TRY(link_module(run));
    run->phase = ALC_PHASE_RUN;
    ALC_TRY(run_start(run));
    run->phase = ALC_PHASE_DONE;
    return ALC_OK;
}

static void release(struct alc_workload *run)
{
    if (run->has_wasi) {
        alc_wasi_fini(&run->wasi);
    }
    if (run->has_store) {
        alc_store_fini(&run->store);
    }
    alc_threads_fini(&run->threads);
    release_arena(run->os, &run->scratch_arena);
    release_arena(run->os, &run->store_arena);
    release_arena(run->os, &run->module_arena);
}

/* What the run's outcome is, once all threads have ended, and everything given back. */
static alc_status end_run(struct alc_workload *run, alc_status status)
{
    const struct alc_threads_end end = {
        .status = status,
        .exit_code = alc_wasi_exit_code(&run->wasi),
        .error = run->error,
        .trap = run->store.thread.trap,
    };
    struct alc_threads_end first;
    alc_threads_end(&run->threads, &end, &first);
    bool are_gone = alc_threads_join(&run->threads);
    report(run, &first);
    if (are_gone) {
        release(run);
    }
    return run->written == ALC_OK ? first.status : run->written;
}

alc_status alc_workload_run_from_os(struct alc_os *os, const struct alc_workload_profile *profile,
                                    const volatile uint64_t *stop_flag)
{
    /* Its linker alone is larger than a stack frame should be; memory of its own lasts to the end.
     */
    size_t size = (sizeof(struct alc_workload) + 4095) & ~(size_t)4095;
    struct alc_workload *run = os->operations->pages_reserve(os->context, size);
    struct alc_outcome outcome;
    if (run == NULL || os->operations->pages_commit(os->context, run, size) != 0) {
        outcome = (struct alc_outcome){.version = 2,
                                       .status = ALC_E_OUT_OF_MEMORY,
                                       .exit_code = alc_status_exit_code(ALC_E_OUT_OF_MEMORY),
                                       .offset = ALC_NO_OFFSET};
        alc_status written = write_outcome(os, &outcome);
        return written == ALC_OK ? ALC_E_OUT_OF_MEMORY : written;
    }
    run->os = os;
    run->profile = profile;
    run->stop_flag = stop_flag;
    alc_error_clear(&run->error);
    alc_status status = end_run(run, run_phases(run));
    if (!alc_threads_were_started(&run->threads)) {
        os->operations->pages_release(os->context, run, size);
    }
    return status;
}
