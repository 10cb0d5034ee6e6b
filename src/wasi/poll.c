/* SPDX-License-Identifier: Apache-2.0
 *
 * poll_oneoff: waits for clocks and descriptors. The subscriptions are our own copy. Each is judged
 * alone and gets at most one event; one that is wrong gets an event with its error at once. When
 * time is up is decided by our clocks, not by the host's word that the wait is over.
 */
#include "base/checked.h"
#include "base/limits.h"
#include "wasi/wasi_internal.h"

/* One poll_oneoff in progress. */
struct waiting {
    struct alc_wasi *wasi;
    const struct alc_wasi_subscription *subscriptions;
    size_t count;
    struct alc_os_poll *polls; /* of the descriptors that must be waited for */
    uint32_t *polls_owners;    /* polls[i] belongs to subscriptions[polls_owners[i]] */
    size_t polls_count;
    uint64_t *clock_ends_ns; /* per subscription: when its clock says it happens */
    bool has_clocks;
    struct alc_wasi_event *events;
    uint32_t events_count;
};

static struct alc_wasi_event *add_event(struct waiting *waiting, size_t index, uint16_t error)
{
    ALC_ASSERT(waiting->events_count < waiting->count);
    struct alc_wasi_event *event = &waiting->events[waiting->events_count++];
    *event = (struct alc_wasi_event){
        .userdata = waiting->subscriptions[index].userdata,
        .error = error,
        .tag = waiting->subscriptions[index].tag,
    };
    return event;
}

/* Only clocks of real and monotonic time can be waited for. */
static bool is_waited_clock(const struct alc_wasi_subscription *subscription)
{
    return subscription->tag == ALC_WASI_EVENTTYPE_CLOCK &&
           subscription->clock_id <= ALC_WASI_CLOCKID_MONOTONIC &&
           (subscription->clock_flags & ~ALC_WASI_SUBCLOCKFLAGS_ALL) == 0;
}

static void start_clock(struct waiting *waiting, size_t index)
{
    const struct alc_wasi_subscription *subscription = &waiting->subscriptions[index];
    if (!is_waited_clock(subscription)) {
        const bool is_known = subscription->clock_id < ALC_WASI_CLOCKS_COUNT &&
                              (subscription->clock_flags & ~ALC_WASI_SUBCLOCKFLAGS_ALL) == 0;
        add_event(waiting, index, is_known ? ALC_OS_NOT_SUPPORTED : ALC_OS_INVALID);
        return;
    }
    waiting->clock_ends_ns[index] = UINT64_MAX; /* never, should the clock not answer */
    uint64_t end_ns = subscription->clock_timeout;
    if ((subscription->clock_flags & ALC_WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME) == 0) {
        uint64_t now_ns = 0;
        uint16_t error = alc_wasi_clock_now(waiting->wasi, subscription->clock_id, &now_ns);
        if (error != 0) {
            add_event(waiting, index, error);
            return;
        }
        if (!alc_add_u64(now_ns, end_ns, &end_ns)) {
            end_ns = UINT64_MAX;
        }
    }
    waiting->clock_ends_ns[index] = end_ns;
    waiting->has_clocks = true;
}

/* Bytes between the position and the end of a file, for the program's information. */
static uint64_t bytes_left(struct alc_wasi *wasi, const struct alc_wasi_descriptor *fd)
{
    struct alc_os_stat stat = {0};
    uint64_t position = 0;
    if (alc_wasi_os(wasi)->stat(alc_wasi_os_context(wasi), fd->handle, &stat) != 0 ||
        alc_wasi_count_of(
            alc_wasi_os(wasi)->seek(alc_wasi_os_context(wasi), fd->handle, 0, ALC_OS_SEEK_CUR),
            INT64_MAX, &position) != 0) {
        return 0;
    }
    return stat.size > position ? stat.size - position : 0;
}

static void start_descriptor(struct waiting *waiting, size_t index)
{
    const struct alc_wasi_subscription *subscription = &waiting->subscriptions[index];
    const bool reads = subscription->tag == ALC_WASI_EVENTTYPE_FD_READ;
    const uint64_t rights = ALC_WASI_RIGHTS_POLL_FD_READWRITE |
                            (reads ? ALC_WASI_RIGHTS_FD_READ : ALC_WASI_RIGHTS_FD_WRITE);
    struct alc_wasi_descriptor *fd = NULL;
    uint16_t error = alc_wasi_fd_get(waiting->wasi, subscription->file, rights, &fd);
    /* A listener is not read from, but it becomes readable. */
    if (error == ALC_OS_SUCCESS && fd->type == ALC_WASI_FILETYPE_REGULAR_FILE) {
        struct alc_wasi_event *event = add_event(waiting, index, ALC_OS_SUCCESS);
        event->available = reads ? bytes_left(waiting->wasi, fd) : 0;
        return;
    }
    if (error != ALC_OS_SUCCESS) {
        add_event(waiting, index, error);
        return;
    }
    waiting->polls_owners[waiting->polls_count] = (uint32_t)index;
    waiting->polls[waiting->polls_count++] = (struct alc_os_poll){
        .handle = fd->handle,
        .wanted = reads ? ALC_OS_POLL_READ : ALC_OS_POLL_WRITE,
    };
}

static void start(struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->count; i++) {
        const uint8_t raw_tag = waiting->subscriptions[i].tag;
        if (raw_tag == ALC_WASI_EVENTTYPE_CLOCK) {
            start_clock(waiting, i);
        } else if (raw_tag == ALC_WASI_EVENTTYPE_FD_READ ||
                   raw_tag == ALC_WASI_EVENTTYPE_FD_WRITE) {
            start_descriptor(waiting, i);
        } else {
            add_event(waiting, i, ALC_OS_INVALID);
        }
    }
}

static uint64_t remaining(uint64_t end_ns, uint64_t now_ns)
{
    return end_ns > now_ns ? end_ns - now_ns : 0;
}

/* Adds the events of clocks that are through; *out_wait_ns: how long until the next (UINT64_MAX:
 * none). Only called while no clock has had an event yet. */
static uint16_t check_clocks(struct waiting *waiting, uint64_t *out_wait_ns)
{
    uint64_t now_ns[ALC_WASI_CLOCKS_COUNT] = {0};
    bool known[ALC_WASI_CLOCKS_COUNT] = {false};
    *out_wait_ns = UINT64_MAX;
    for (size_t i = 0; waiting->has_clocks && i < waiting->count; i++) {
        const uint32_t clock = waiting->subscriptions[i].clock_id;
        if (!is_waited_clock(&waiting->subscriptions[i]) ||
            waiting->clock_ends_ns[i] == UINT64_MAX) {
            continue;
        }
        if (!known[clock]) {
            uint16_t error = alc_wasi_clock_now(waiting->wasi, clock, &now_ns[clock]);
            if (error != 0) {
                return error;
            }
            known[clock] = true;
        }
        const uint64_t left_ns = remaining(waiting->clock_ends_ns[i], now_ns[clock]);
        if (left_ns == 0) {
            add_event(waiting, i, ALC_OS_SUCCESS);
        } else if (left_ns < *out_wait_ns) {
            *out_wait_ns = left_ns;
        }
    }
    return ALC_OS_SUCCESS;
}

/* Adds the events of descriptors that are ready. */
static void check_descriptors(struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->polls_count; i++) {
        const uint32_t ready = waiting->polls[i].ready & ALC_OS_POLL_ALL;
        const uint32_t ends = ALC_OS_POLL_HANGUP | ALC_OS_POLL_ERROR | ALC_OS_POLL_INVALID;
        if ((ready & (waiting->polls[i].wanted | ends)) == 0) {
            continue;
        }
        const bool is_invalid = (ready & ALC_OS_POLL_INVALID) != 0;
        struct alc_wasi_event *event = add_event(
            waiting, waiting->polls_owners[i], is_invalid ? ALC_OS_BAD_DESCRIPTOR : ALC_OS_SUCCESS);
        event->available =
            waiting->polls[i].wanted == ALC_OS_POLL_READ ? waiting->polls[i].available : 0;
        event->flags =
            (ready & ALC_OS_POLL_HANGUP) != 0 ? ALC_WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP : 0;
    }
}

/* The program's deadline cuts a wait short; past it the program ends. */
static alc_status check_deadline(struct waiting *waiting, uint64_t *wait_ns)
{
    const uint64_t deadline_ns = waiting->wasi->options.deadline_ns;
    uint64_t now_ns = 0;
    if (deadline_ns == 0 ||
        alc_wasi_clock_now(waiting->wasi, ALC_WASI_CLOCKID_MONOTONIC, &now_ns) != 0) {
        return ALC_OK;
    }
    const uint64_t left_ns = remaining(deadline_ns, now_ns);
    *wait_ns = left_ns < *wait_ns ? left_ns : *wait_ns;
    return left_ns == 0 ? ALC_E_DEADLINE : ALC_OK;
}

/* One round: clocks, then descriptors with as much waiting as the clocks leave. */
static alc_status wait_once(struct waiting *waiting, uint16_t *out_result)
{
    const struct alc_wasi *wasi = waiting->wasi;
    uint64_t wait_ns = UINT64_MAX;
    *out_result = check_clocks(waiting, &wait_ns);
    if (*out_result != 0) {
        return ALC_OK;
    }
    ALC_TRY(check_deadline(waiting, &wait_ns));
    if (waiting->events_count > 0) {
        if (waiting->polls_count == 0) {
            return ALC_OK;
        }
        wait_ns = 0; /* only look */
    }
    const int64_t timeout_ns = wait_ns == UINT64_MAX ? ALC_OS_NO_TIMEOUT
                               : wait_ns > INT64_MAX ? INT64_MAX
                                                     : (int64_t)wait_ns;
    uint64_t ready_count = 0;
    *out_result =
        alc_wasi_count_of(alc_wasi_os(wasi)->poll(alc_wasi_os_context(wasi), waiting->polls,
                                                  waiting->polls_count, timeout_ns),
                          waiting->polls_count, &ready_count);
    if (*out_result == 0) {
        check_descriptors(waiting);
    }
    return ALC_OK;
}

static bool take_memory(struct waiting *waiting)
{
    struct alc_arena *scratch = waiting->wasi->host.scratch;
    waiting->polls = ALC_ARENA_ARRAY(scratch, struct alc_os_poll, waiting->count);
    waiting->polls_owners = ALC_ARENA_ARRAY(scratch, uint32_t, waiting->count);
    waiting->clock_ends_ns = ALC_ARENA_ARRAY(scratch, uint64_t, waiting->count);
    return waiting->polls != NULL && waiting->polls_owners != NULL &&
           waiting->clock_ends_ns != NULL;
}

alc_status alc_wasi_poll_oneoff(struct alc_wasi *wasi,
                                const struct alc_wasi_subscription *subscriptions,
                                size_t subscriptions_count, struct alc_wasi_event *events,
                                uint32_t *out_nevents, uint16_t *out_result)
{
    ALC_ASSERT(subscriptions_count <= ALC_LIMIT_WASI_SUBSCRIPTIONS);
    if (subscriptions_count == 0) {
        *out_result = ALC_OS_INVALID; /* would wait for nothing, for ever */
        return ALC_OK;
    }
    struct waiting waiting = {
        .wasi = wasi,
        .subscriptions = subscriptions,
        .count = subscriptions_count,
        .events = events,
    };
    if (!take_memory(&waiting)) {
        *out_result = ALC_OS_NO_MEMORY;
        return ALC_OK;
    }
    start(&waiting);
    *out_result = ALC_OS_SUCCESS;
    do {
        ALC_TRY(wait_once(&waiting, out_result));
    } while (*out_result == 0 && waiting.events_count == 0);
    *out_nevents = waiting.events_count;
    return ALC_OK;
}
