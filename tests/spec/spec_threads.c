/* SPDX-License-Identifier: Apache-2.0
 *
 * Places for threads are numbered as the system numbers them; place 0 is the main thread's. A place
 * goes FREE -> TAKEN -> WANTED (by the one who starts) -> RUNNING -> DONE (by the thread) -> FREE
 * (by the one who waits). Between WANTED and FREE what describes it does not change.
 */
#include "spec/spec_threads.h"

#include "base/bytes.h"

enum {
    THREADS_MAX = ALC_LIMIT_ENCLAVE_THREADS,
    TYPES_SIZE = 16 << 20,
    MODULES_SIZE = 32 << 20,
    REPORT_SIZE = 64 << 10,
    STACK_SLOTS = 1 << 14,
};

enum place_state { PLACE_FREE, PLACE_TAKEN, PLACE_WANTED, PLACE_RUNNING, PLACE_DONE };

struct place {
    uint32_t state; /* enum place_state */
    struct alc_spec_space space;
    struct alc_spec_test test;
    struct alc_name name;
    struct alc_name shared_name;
    struct alc_instance *shared;
    struct alc_spec_run *starter;
    alc_status status;
};

struct alc_spec_crew {
    struct alc_os *os;
    struct alc_spec_space like;
    struct alc_waiting waiting;
    struct place places[THREADS_MAX];
};

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

/* -- space -- */

static alc_status reserve(struct alc_os *os, struct alc_arena *arena, size_t size)
{
    void *base = os->operations->pages_reserve(os->context, size);
    if (base == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init_reserved(arena, base, size, alc_os_commit, os);
    return ALC_OK;
}

static void release(struct alc_os *os, struct alc_arena *arena)
{
    if (arena->base != NULL) {
        os->operations->pages_release(os->context, arena->base, arena->size);
    }
}

static alc_status prepare_space(struct alc_spec_crew *crew, struct alc_spec_space *space)
{
    if (space->types.base == NULL) {
        ALC_TRY(reserve(crew->os, &space->types, TYPES_SIZE));
        ALC_TRY(reserve(crew->os, &space->modules, MODULES_SIZE));
    }
    alc_arena_reset(&space->types, 0);
    alc_arena_reset(&space->modules, 0);
    uint8_t *report = alc_arena_take(&space->modules, REPORT_SIZE, 8);
    if (report == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(&space->report, report, REPORT_SIZE);
    space->pages = crew->like.pages;
    space->engine = crew->like.engine;
    space->memory_reserve_max = crew->like.memory_reserve_max;
    space->stack_slots = STACK_SLOTS;
    space->crew = crew;
    return ALC_OK;
}

/* -- running -- */

static bool run_thread(void *argument, uint32_t thread)
{
    struct alc_spec_crew *crew = argument;
    uint32_t state = PLACE_WANTED;
    if (thread >= THREADS_MAX ||
        !__atomic_compare_exchange_n(&crew->places[thread].state, &state, PLACE_RUNNING, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        return false;
    }
    struct place *place = &crew->places[thread];
    struct alc_spec_run *run = ALC_ARENA_NEW(&place->space.modules, struct alc_spec_run);
    uint32_t starter = place->starter->space->thread;
    place->status = run == NULL ? ALC_E_OUT_OF_MEMORY
                                : alc_spec_run_thread(run, &place->space, &place->test,
                                                      place->shared_name, place->shared);
    __atomic_store_n(&place->state, PLACE_DONE, __ATOMIC_RELEASE);
    wake(crew->os, starter);
    return true;
}

alc_status alc_spec_crew_new(struct alc_os *os, struct alc_arena *arena,
                             const struct alc_spec_space *like, struct alc_spec_crew **out)
{
    const struct alc_sleep_functions functions = {sleep, wake, now_ns, os};
    _Static_assert(sizeof(struct alc_spec_crew) <= ALC_SPEC_CREW_SIZE_MAX, "has been set aside");
    struct alc_spec_crew *crew = ALC_ARENA_NEW(arena, struct alc_spec_crew);
    if (crew == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    crew->os = os;
    crew->like = *like;
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        crew->places[i].space.thread = i;
    }
    crew->places[0].state = PLACE_RUNNING;
    alc_waiting_init(&crew->waiting, &functions, 0);
    os->operations->set_thread_body(os->context, run_thread, crew);
    *out = crew;
    return ALC_OK;
}

void alc_spec_crew_fini(struct alc_spec_crew *crew)
{
    for (uint32_t i = 1; crew != NULL && i < THREADS_MAX; i++) {
        if (__atomic_load_n(&crew->places[i].state, __ATOMIC_ACQUIRE) == PLACE_FREE) {
            release(crew->os, &crew->places[i].space.types);
            release(crew->os, &crew->places[i].space.modules);
        }
    }
}

struct alc_waiting *alc_spec_crew_waiting(struct alc_spec_crew *crew)
{
    return &crew->waiting;
}

/* -- commands -- */

static struct place *take_place(struct alc_spec_crew *crew)
{
    for (uint32_t i = 1; i < THREADS_MAX; i++) {
        uint32_t state = PLACE_FREE;
        if (__atomic_compare_exchange_n(&crew->places[i].state, &state, PLACE_TAKEN, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return &crew->places[i];
        }
    }
    return NULL;
}

static alc_status start(struct alc_spec_crew *crew, struct place *place)
{
    const struct alc_os *os = crew->os;
    ALC_TRY(prepare_space(crew, &place->space));
    __atomic_store_n(&place->state, PLACE_WANTED, __ATOMIC_RELEASE);
    int64_t answer;
    do { /* the thread that had the number may be on its way out */
        answer = os->operations->thread_start(os->context, place->space.thread);
    } while (answer == -ALC_OS_BUSY);
    return answer == 0 ? ALC_OK : ALC_E_HOST_GONE;
}

alc_status alc_spec_start_thread(struct alc_spec_run *run, struct alc_reader *reader,
                                 enum alc_spec_result *result)
{
    struct alc_spec_crew *crew = run->space->crew;
    struct alc_name name;
    struct alc_name shared_name;
    struct alc_name commands;
    bool is_shared;
    ALC_TRY(alc_spec_read_name(reader, &name));
    ALC_TRY(alc_spec_read_optional(reader, &is_shared, &shared_name));
    ALC_TRY(alc_spec_read_name(reader, &commands));
    struct place *place = take_place(crew);
    *result = ALC_SPEC_FAILED;
    if (place == NULL) {
        alc_spec_say(run, "too many threads");
        return ALC_OK;
    }
    place->name = name;
    place->shared_name = shared_name;
    place->shared = is_shared ? alc_spec_find_instance(run, true, shared_name) : NULL;
    place->starter = run;
    place->test = *run->test;
    place->test.commands = commands.bytes;
    place->test.commands_size = commands.size;
    if (is_shared && place->shared == NULL) {
        alc_spec_say(run, "no such instance");
    } else if (start(crew, place) != ALC_OK) {
        alc_spec_say(run, "no thread to be had");
    } else {
        *result = ALC_SPEC_PASSED;
        return ALC_OK;
    }
    __atomic_store_n(&place->state, PLACE_FREE, __ATOMIC_RELEASE);
    return ALC_OK;
}

static struct place *find_place(const struct alc_spec_run *run, struct alc_name name)
{
    struct alc_spec_crew *crew = run->space->crew;
    for (uint32_t i = 1; i < THREADS_MAX; i++) {
        struct place *place = &crew->places[i];
        bool is_used = __atomic_load_n(&place->state, __ATOMIC_ACQUIRE) > PLACE_TAKEN;
        if (is_used && place->starter == run && alc_name_equals(place->name, name)) {
            return place;
        }
    }
    return NULL;
}

alc_status alc_spec_wait_thread(struct alc_spec_run *run, struct alc_reader *reader,
                                enum alc_spec_result *result)
{
    struct alc_spec_crew *crew = run->space->crew;
    struct alc_name name;
    ALC_TRY(alc_spec_read_name(reader, &name));
    struct place *place = find_place(run, name);
    *result = ALC_SPEC_FAILED;
    if (place == NULL) {
        alc_spec_say(run, "no such thread");
        return ALC_OK;
    }
    while (__atomic_load_n(&place->state, __ATOMIC_ACQUIRE) != PLACE_DONE) {
        sleep(crew->os, run->space->thread, ALC_OS_NO_TIMEOUT);
    }
    const struct alc_writer *report = &place->space.report;
    alc_write_bytes(&run->space->report, report->bytes, report->pos);
    *result = place->status == ALC_OK ? ALC_SPEC_PASSED : ALC_SPEC_FAILED;
    if (place->status != ALC_OK) {
        alc_spec_say(run, alc_status_text(place->status));
    }
    __atomic_store_n(&place->state, PLACE_FREE, __ATOMIC_RELEASE);
    return ALC_OK;
}
