/* SPDX-License-Identifier: Apache-2.0
 *
 * A place for a thread goes FREE -> TAKEN -> WANTED (by the thread that spawns, which prepares all
 * of it) -> RUNNING -> FREE (by the new thread). Only from WANTED can it be entered, once: whoever
 * else comes in from the system is sent away.
 */
#include "workload/threads.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/spin.h"

enum {
    PLACES = ALC_LIMIT_ENCLAVE_THREADS,
    STACK_SLOTS = 1 << 17, /* 1 MiB */
    ARENA_SIZE = 256 << 20,
    SCRATCH_SIZE = 4 << 20,
    TID_MAX = (1 << 29) - 1,
    STARTS_MAX = 1000, /* tries, a millisecond apart, while one of the number is on its way out */
    ROUNDS = 10,       /* of ROUND_NS each: a tenth of a second */
    ROUND_NS = 10000000,
};

enum place_state { PLACE_FREE, PLACE_TAKEN, PLACE_WANTED, PLACE_RUNNING };

static bool change_state(struct alc_threads_place *place, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&place->state, &from, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

/* -- sleeping -- */

static void sleep(void *context, uint32_t thread, int64_t timeout_ns)
{
    const struct alc_os *os = context;
    (void)os->operations->thread_sleep(os->context, thread, timeout_ns);
}

static void wake(void *context, uint32_t thread)
{
    const struct alc_os *os = context;
    (void)os->operations->thread_wake(os->context, thread);
}

static uint64_t now_ns(void *context)
{
    const struct alc_os *os = context;
    int64_t now = os->operations->clock_read(os->context, ALC_OS_CLOCK_MONOTONIC, 0);
    return now < 0 ? 0 : (uint64_t)now;
}

/* -- the end -- */

void alc_threads_end(struct alc_threads *threads, const struct alc_threads_end *end,
                     struct alc_threads_end *out)
{
    alc_spin_lock(&threads->lock);
    if (!threads->has_end) {
        threads->has_end = true;
        threads->end = *end;
    }
    *out = threads->end;
    alc_spin_unlock(&threads->lock);
    (void)alc_waiting_end(&threads->waiting);
}

static bool are_all_free(const struct alc_threads *threads)
{
    for (uint32_t i = 1; i < PLACES; i++) {
        if (__atomic_load_n(&threads->places[i].state, __ATOMIC_ACQUIRE) != PLACE_FREE) {
            return false;
        }
    }
    return true;
}

static void leave_place(struct alc_threads *threads, struct alc_threads_place *place)
{
    alc_spin_lock(&threads->lock);
    threads->fuel_returned += alc_store_get_fuel(&place->store);
    alc_spin_unlock(&threads->lock);
    alc_store_fini(&place->store);
    __atomic_store_n(&place->state, PLACE_FREE, __ATOMIC_RELEASE);
    wake(threads->os, 0);
}

bool alc_threads_join(struct alc_threads *threads)
{
    __atomic_store_n(&threads->is_first_over, true, __ATOMIC_RELEASE);
    for (uint32_t i = 1; i < PLACES; i++) {
        struct alc_threads_place *place = &threads->places[i];
        if (change_state(place, PLACE_WANTED, PLACE_TAKEN)) { /* has not come and need not come */
            leave_place(threads, place);
        } else if (__atomic_load_n(&place->state, __ATOMIC_ACQUIRE) == PLACE_RUNNING) {
            wake(threads->os, i);
        }
    }
    for (uint32_t round = 0; round < ROUNDS && !are_all_free(threads); round++) {
        sleep(threads->os, 0, ROUND_NS);
    }
    return are_all_free(threads);
}

bool alc_threads_were_started(const struct alc_threads *threads)
{
    return __atomic_load_n(&threads->last_tid, __ATOMIC_RELAXED) != 0;
}

uint64_t alc_threads_fuel(struct alc_threads *threads)
{
    alc_spin_lock(&threads->lock);
    uint64_t fuel = threads->fuel_returned;
    alc_spin_unlock(&threads->lock);
    return fuel;
}

/* -- one thread -- */

static alc_status run_place(struct alc_threads_place *place)
{
    ALC_TRY(alc_instance_start_thread(place->instance, &place->arena, &place->error));
    const uint64_t arguments[2] = {place->tid, place->argument};
    return alc_invoke(&place->store, place->start, arguments, NULL, &place->error);
}

/* It ended in a way that ends the program. The first thread says so, unless it is held up. */
static void end_program(struct alc_threads *threads, struct alc_threads_place *place,
                        alc_status status)
{
    struct alc_threads_end end = {
        .status = status,
        .exit_code = alc_wasi_exit_code(&place->wasi),
        .error = place->error,
        .trap = place->store.thread.trap,
    };
    struct alc_threads_end first;
    bool is_first = __atomic_load_n(&threads->waiting.is_ended, __ATOMIC_ACQUIRE) == 0;
    alc_threads_end(threads, &end, &first);
    for (uint32_t round = 0; is_first && round < ROUNDS; round++) {
        is_first = !__atomic_load_n(&threads->is_first_over, __ATOMIC_ACQUIRE);
        if (is_first) {
            sleep(threads->os, place->store.thread.number, ROUND_NS);
        }
    }
    if (is_first) {
        threads->report(threads->report_context);
    }
}

static bool run_thread(void *argument, uint32_t raw_number)
{
    struct alc_threads *threads = argument;
    if (raw_number >= PLACES) {
        return false;
    }
    struct alc_threads_place *place = &threads->places[alc_index_clamp(raw_number, PLACES)];
    if (!change_state(place, PLACE_WANTED, PLACE_RUNNING)) {
        return false;
    }
    alc_status status = run_place(place);
    if (status != ALC_OK) {
        end_program(threads, place, status);
    }
    leave_place(threads, place);
    return true;
}

/* -- spawning -- */

static struct alc_threads_place *take_place(struct alc_threads *threads)
{
    for (uint32_t i = 1; i < PLACES; i++) {
        if (change_state(&threads->places[i], PLACE_FREE, PLACE_TAKEN)) {
            return &threads->places[i];
        }
    }
    return NULL;
}

static alc_status prepare_arena(struct alc_os *os, struct alc_arena *arena, size_t size)
{
    if (arena->base == NULL) {
        void *range = os->operations->pages_reserve(os->context, size);
        if (range == NULL) {
            return ALC_E_OUT_OF_MEMORY;
        }
        alc_arena_init_reserved(arena, range, size, alc_os_commit, os);
    }
    alc_arena_reset(arena, 0);
    return ALC_OK;
}

static alc_status find_start(struct alc_threads_place *place)
{
    ALC_TRY(
        alc_export_find_function(place->instance, ALC_NAME_OF("wasi_thread_start"), &place->start));
    const struct alc_function_type *type = &place->start->type->function;
    bool fits = type->parameters_count == 2 && type->results_count == 0 &&
                type->parameters[0] == ALC_TYPE_I32 && type->parameters[1] == ALC_TYPE_I32;
    return fits ? ALC_OK : ALC_E_INCOMPATIBLE_IMPORT;
}

/* Everything that the thread will need, but the thread itself. */
static alc_status prepare_place(struct alc_threads *threads, struct alc_threads_place *place)
{
    const struct alc_thread_contexts contexts = {threads->first_wasi, &place->wasi};
    uint32_t number = (uint32_t)(place - threads->places);
    alc_error_clear(&place->error);
    ALC_TRY(prepare_arena(threads->os, &place->arena, ARENA_SIZE));
    ALC_TRY(prepare_arena(threads->os, &place->scratch, SCRATCH_SIZE));
    ALC_TRY(
        alc_wasi_init_thread(&place->wasi, threads->first_wasi, &place->arena, &place->scratch));
    ALC_TRY(alc_store_init_thread(&place->store, &place->arena, threads->first_store, number,
                                  STACK_SLOTS));
    alc_status status = alc_instance_new_for_thread(&place->store, &place->arena, threads->original,
                                                    &contexts, &place->instance, &place->error);
    if (status == ALC_OK) {
        status = find_start(place);
    }
    if (status != ALC_OK) {
        alc_store_fini(&place->store);
    }
    return status;
}

/* The new thread gets half of the spawner's fuel, to which that of threads gone by is added. */
static void share_fuel(struct alc_threads *threads, struct alc_store *spawner,
                       struct alc_store *store)
{
    if (!spawner->thread.has_fuel) {
        return;
    }
    alc_spin_lock(&threads->lock);
    uint64_t fuel = spawner->thread.fuel + threads->fuel_returned;
    threads->fuel_returned = 0;
    alc_spin_unlock(&threads->lock);
    alc_store_set_fuel(store, fuel / 2);
    alc_store_set_fuel(spawner, fuel - fuel / 2);
}

static bool take_tid(struct alc_threads *threads, uint32_t *out)
{
    alc_spin_lock(&threads->lock);
    bool has_one = threads->last_tid < TID_MAX;
    threads->last_tid += has_one;
    *out = threads->last_tid;
    alc_spin_unlock(&threads->lock);
    return has_one;
}

/* Asks the system for the thread. When it says no, it may still bring the thread: whoever changes
 * the state first has it. */
static bool start(struct alc_threads *threads, uint32_t spawner, struct alc_threads_place *place)
{
    const struct alc_os *os = threads->os;
    uint32_t number = place->store.thread.number;
    __atomic_store_n(&place->state, PLACE_WANTED, __ATOMIC_RELEASE);
    int64_t answer = os->operations->thread_start(os->context, number);
    for (uint32_t tries = 1; answer == -ALC_OS_BUSY && tries < STARTS_MAX; tries++) {
        sleep(threads->os, spawner, ROUND_NS / 10);
        answer = os->operations->thread_start(os->context, number);
    }
    if (answer == 0 || !change_state(place, PLACE_WANTED, PLACE_TAKEN)) {
        return true;
    }
    leave_place(threads, place);
    return false;
}

/* The thread's number for the program, or minus an error. */
static int32_t spawn(struct alc_threads *threads, struct alc_store *spawner, uint32_t argument)
{
    if (threads->original == NULL) {
        return -ALC_OS_NOT_SUPPORTED;
    }
    if (__atomic_load_n(&threads->waiting.is_ended, __ATOMIC_ACQUIRE) != 0) {
        return -ALC_OS_AGAIN;
    }
    struct alc_threads_place *place = take_place(threads);
    if (place == NULL) {
        return -ALC_OS_AGAIN;
    }
    uint32_t tid = 0;
    if (prepare_place(threads, place) != ALC_OK) {
        __atomic_store_n(&place->state, PLACE_FREE, __ATOMIC_RELEASE);
        return -ALC_OS_NO_MEMORY;
    }
    share_fuel(threads, spawner, &place->store);
    if (!take_tid(threads, &tid)) {
        leave_place(threads, place);
        return -ALC_OS_AGAIN;
    }
    place->tid = tid;
    place->argument = argument;
    return start(threads, spawner->thread.number, place) ? (int32_t)tid : -ALC_OS_AGAIN;
}

static alc_status thread_spawn(struct alc_host_call *call)
{
    int32_t answer = -ALC_OS_NOT_SUPPORTED;
    if (call->caller != NULL) {
        answer = spawn(call->context, call->caller->store, (uint32_t)call->slots[0]);
    }
    call->slots[0] = (uint32_t)answer;
    return ALC_OK;
}

const struct alc_host_module *alc_threads_module(void)
{
    static const struct alc_host_export exports[] = {{"thread-spawn", "i:i", thread_spawn}};
    static const struct alc_host_module module = {"wasi", exports, ALC_ARRAY_COUNT(exports)};
    return &module;
}

/* -- start and end -- */

void alc_threads_init(struct alc_threads *threads, struct alc_os *os, uint64_t deadline_ns,
                      void (*report)(void *context), void *report_context)
{
    const struct alc_sleep_functions functions = {sleep, wake, now_ns, os};
    threads->os = os;
    threads->report = report;
    threads->report_context = report_context;
    alc_waiting_init(&threads->waiting, &functions, deadline_ns);
}

void alc_threads_set_first(struct alc_threads *threads, struct alc_store *store,
                           struct alc_wasi *wasi, const struct alc_instance *instance)
{
    threads->first_store = store;
    threads->first_wasi = wasi;
    threads->original = instance;
    threads->os->operations->set_thread_body(threads->os->context, run_thread, threads);
}

void alc_threads_fini(struct alc_threads *threads)
{
    for (uint32_t i = 1; i < PLACES; i++) {
        struct alc_arena *arenas[] = {&threads->places[i].arena, &threads->places[i].scratch};
        for (size_t j = 0; j < ALC_ARRAY_COUNT(arenas); j++) {
            if (arenas[j]->base != NULL) {
                threads->os->operations->pages_release(threads->os->context, arenas[j]->base,
                                                       arenas[j]->size);
            }
        }
    }
}
