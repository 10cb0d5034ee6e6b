/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks, waiting for readiness, giving way.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#include "os_linux/os_linux_internal.h"

static const int64_t second_ns = 1000000000;
enum { POLLS_ON_STACK = 64, POLLS_MAX = ALC_LIMIT_WASI_SUBSCRIPTIONS };

int64_t alc_linux_clock_read(void *context, uint32_t clock, uint32_t resolution)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID};
    struct timespec time;
    (void)context;
    if (clock >= ALC_ARRAY_COUNT(clocks)) {
        return -ALC_OS_INVALID;
    }
    int failed =
        resolution != 0 ? clock_getres(clocks[clock], &time) : clock_gettime(clocks[clock], &time);
    if (failed != 0) {
        return alc_linux_error(errno);
    }
    return (int64_t)time.tv_sec * second_ns + time.tv_nsec;
}

static int64_t now_ns(void)
{
    return alc_linux_clock_read(NULL, ALC_OS_CLOCK_MONOTONIC, 0);
}

/* What one entry became. `own` was read once from the caller's memory. */
static uint16_t ready_events(const struct pollfd *waited)
{
    uint16_t ready = 0;
    ready |= (waited->revents & POLLIN) != 0 ? ALC_OS_POLL_READ : 0;
    ready |= (waited->revents & POLLOUT) != 0 ? ALC_OS_POLL_WRITE : 0;
    ready |= (waited->revents & POLLHUP) != 0 ? ALC_OS_POLL_HANGUP : 0;
    ready |= (waited->revents & POLLERR) != 0 ? ALC_OS_POLL_ERROR : 0;
    ready |= (waited->revents & POLLNVAL) != 0 ? ALC_OS_POLL_INVALID : 0;
    return ready;
}

static uint64_t available_bytes(int fd)
{
    int available = 0;
    return ioctl(fd, FIONREAD, &available) == 0 && available > 0 ? (uint64_t)available : 0;
}

/* ppoll until something is ready or the time is over, however many signals come. */
static int64_t wait_until(struct pollfd *waited, size_t count, int64_t timeout_ns)
{
    int64_t start = now_ns();
    int64_t left = timeout_ns;
    for (;;) {
        struct timespec time = {.tv_sec = left / second_ns, .tv_nsec = left % second_ns};
        int64_t result =
            alc_linux_result(ppoll(waited, count, timeout_ns < 0 ? NULL : &time, NULL));
        if (result != -ALC_OS_INTERRUPTED) {
            return result;
        }
        int64_t passed = now_ns() - start;
        left = passed < timeout_ns ? timeout_ns - passed : 0;
    }
}

/* Keeps the descriptors of `polls` open and fills `waited`; the number that are ready at once. */
static size_t begin_polls(struct alc_os_linux *system, const struct alc_os_poll *polls,
                          struct pollfd *waited, int32_t *handles, size_t count)
{
    size_t ready_count = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t handle = __atomic_load_n(&polls[i].handle, __ATOMIC_RELAXED);
        uint16_t wanted = __atomic_load_n(&polls[i].wanted, __ATOMIC_RELAXED);
        int fd = alc_linux_use(system, handle);
        handles[i] = fd < 0 ? -1 : handle;
        waited[i] =
            (struct pollfd){.fd = fd < 0 ? -1 : fd,
                            .events = (short)(((wanted & ALC_OS_POLL_READ) != 0 ? POLLIN : 0) |
                                              ((wanted & ALC_OS_POLL_WRITE) != 0 ? POLLOUT : 0))};
        if (fd < 0) {
            /* Memory never makes anybody wait. */
            bool in_memory = alc_linux_lock_memory(system, handle) != NULL;
            if (in_memory) {
                pthread_mutex_unlock(&system->lock);
            }
            waited[i].revents = in_memory ? waited[i].events : POLLNVAL;
            ready_count++;
        }
    }
    return ready_count;
}

static int64_t poll_with(struct alc_os_linux *system, struct alc_os_poll *polls, size_t count,
                         int64_t timeout_ns, struct pollfd *waited, int32_t *handles)
{
    size_t ready_count = begin_polls(system, polls, waited, handles, count);
    int64_t result = 0;
    if (ready_count == 0) {
        result = wait_until(waited, count, timeout_ns);
    } else {
        /* ppoll clears revents of the entries without a descriptor: look at the others one by one.
         */
        for (size_t i = 0; i < count && result >= 0; i++) {
            result = waited[i].fd < 0 ? 0 : wait_until(&waited[i], 1, 0);
        }
    }
    ready_count = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t ready = result < 0 ? 0 : ready_events(&waited[i]);
        polls[i].ready = ready;
        polls[i].available = waited[i].fd >= 0 && (ready & ALC_OS_POLL_READ) != 0
                                 ? available_bytes(waited[i].fd)
                                 : 0;
        ready_count += ready != 0;
        if (handles[i] >= 0) {
            alc_linux_leave(system, handles[i]);
        }
    }
    return result < 0 ? result : (int64_t)ready_count;
}

int64_t alc_linux_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                       int64_t timeout_ns)
{
    struct pollfd own_waited[POLLS_ON_STACK];
    int32_t own_handles[POLLS_ON_STACK];
    if (polls_count > POLLS_MAX) {
        return -ALC_OS_INVALID;
    }
    if (polls_count <= POLLS_ON_STACK) {
        return poll_with(context, polls, polls_count, timeout_ns, own_waited, own_handles);
    }
    struct pollfd *waited = calloc(polls_count, sizeof *waited);
    int32_t *handles = calloc(polls_count, sizeof *handles);
    int64_t result = -ALC_OS_NO_MEMORY;
    if (waited != NULL && handles != NULL) {
        result = poll_with(context, polls, polls_count, timeout_ns, waited, handles);
    }
    free(waited);
    free(handles);
    return result;
}

int64_t alc_linux_yield(void *context)
{
    (void)context;
    sched_yield();
    return 0;
}
