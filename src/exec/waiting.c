/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of sleeping threads. A waiter is compared and entered under the same lock under which
 * it is found and woken, so no wake-up is lost; sleeping itself is only a way to pass the time.
 */
#include "exec/waiting.h"

#include "base/spin.h"
#include "exec/store.h"

void alc_waiting_init(struct alc_waiting *waiting, const struct alc_sleep_functions *functions,
                      uint64_t deadline_ns)
{
    *waiting = (struct alc_waiting){.functions = *functions, .deadline_ns = deadline_ns};
}

static uint64_t now_of(const struct alc_waiting *waiting)
{
    return waiting->functions.now_ns(waiting->functions.context);
}

static uint64_t load_word(const uint8_t *ptr, unsigned size_log2)
{
    const void *aligned = ptr;
    return size_log2 == 2 ? __atomic_load_n((const uint32_t *)aligned, __ATOMIC_SEQ_CST)
                          : __atomic_load_n((const uint64_t *)aligned, __ATOMIC_SEQ_CST);
}

/* The list and its end; with the lock held. */
static void append(struct alc_waiting *waiting, struct alc_waiter *waiter)
{
    struct alc_waiter **end = &waiting->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = waiter;
}

static void remove(struct alc_waiting *waiting, const struct alc_waiter *waiter)
{
    struct alc_waiter **link = &waiting->first;
    while (*link != waiter) {
        link = &(*link)->next;
    }
    *link = waiter->next;
}

static bool is_ended(const struct alc_waiting *waiting)
{
    return __atomic_load_n(&waiting->is_ended, __ATOMIC_ACQUIRE) != 0;
}

static bool is_stopped(const struct alc_thread *thread, uint64_t now)
{
    const struct alc_waiting *waiting = thread->waiting;
    return __atomic_load_n(thread->stop_flag, __ATOMIC_RELAXED) != 0 || is_ended(waiting) ||
           (waiting->deadline_ns != 0 && now >= waiting->deadline_ns);
}

/* How long a thread may sleep before it looks again; negative: as long as it likes. */
static int64_t time_left(const struct alc_waiting *waiting, uint64_t now, uint64_t end)
{
    if (waiting->deadline_ns != 0 && waiting->deadline_ns < end) {
        end = waiting->deadline_ns;
    }
    if (end == UINT64_MAX) {
        return -1;
    }
    uint64_t left = end > now ? end - now : 0;
    return left > INT64_MAX ? INT64_MAX : (int64_t)left;
}

/* Whether the sleep of an entered waiter is over; then it is entered no more. */
static bool is_over(struct alc_waiting *waiting, struct alc_waiter *waiter, bool is_late)
{
    alc_spin_lock(&waiting->lock);
    bool is_woken = waiter->is_woken;
    if (!is_woken && is_late) {
        remove(waiting, waiter);
    }
    alc_spin_unlock(&waiting->lock);
    return is_woken || is_late;
}

static alc_status sleep(const struct alc_thread *thread, struct alc_waiter *waiter,
                        int64_t timeout_ns, enum alc_wait_result *out)
{
    struct alc_waiting *waiting = thread->waiting;
    const struct alc_sleep_functions *functions = &waiting->functions;
    uint64_t now = now_of(waiting);
    uint64_t end = UINT64_MAX;
    if (timeout_ns >= 0 && __builtin_add_overflow(now, (uint64_t)timeout_ns, &end)) {
        end = UINT64_MAX;
    }
    bool is_late = timeout_ns == 0;
    bool has_stopped = is_stopped(thread, now);
    while (!is_over(waiting, waiter, is_late || has_stopped)) {
        functions->sleep(functions->context, thread->number, time_left(waiting, now, end));
        now = now_of(waiting);
        is_late = timeout_ns >= 0 && now >= end;
        has_stopped = is_stopped(thread, now);
    }
    *out = waiter->is_woken ? ALC_WAIT_WOKEN : ALC_WAIT_TIMED_OUT;
    bool goes_on = waiter->is_woken ? !is_ended(waiting) : !has_stopped;
    return goes_on ? ALC_OK : ALC_E_DEADLINE;
}

alc_status alc_waiting_wait(const struct alc_thread *thread, const uint8_t *ptr, unsigned size_log2,
                            uint64_t expected, int64_t timeout_ns, enum alc_wait_result *out)
{
    struct alc_waiting *waiting = thread->waiting;
    struct alc_waiter waiter = {.ptr = ptr, .thread = thread->number};
    if (waiting == NULL) {
        return ALC_E_NOT_SUPPORTED;
    }
    alc_spin_lock(&waiting->lock);
    bool is_equal = load_word(ptr, size_log2) == expected;
    if (is_equal) {
        append(waiting, &waiter);
    }
    alc_spin_unlock(&waiting->lock);
    *out = ALC_WAIT_NOT_EQUAL;
    return is_equal ? sleep(thread, &waiter, timeout_ns, out) : ALC_OK;
}

/* Takes the first waiter at `ptr` (NULL: any) off the list; false when there is none. */
static bool wake_first(struct alc_waiting *waiting, const uint8_t *ptr)
{
    uint32_t thread = 0;
    alc_spin_lock(&waiting->lock);
    struct alc_waiter *waiter = waiting->first;
    while (waiter != NULL && waiter->ptr != ptr && ptr != NULL) {
        waiter = waiter->next;
    }
    bool found = waiter != NULL;
    if (found) {
        thread = waiter->thread;
        remove(waiting, waiter);
        waiter->is_woken = true; /* its stack is not ours from the moment the lock is free */
    }
    alc_spin_unlock(&waiting->lock);
    if (found) {
        waiting->functions.wake(waiting->functions.context, thread);
    }
    return found;
}

uint32_t alc_waiting_notify(struct alc_waiting *waiting, const uint8_t *ptr, uint32_t count_max)
{
    uint32_t count = 0;
    while (count < count_max && wake_first(waiting, ptr)) {
        count++;
    }
    return count;
}

bool alc_waiting_end(struct alc_waiting *waiting)
{
    bool is_first = __atomic_exchange_n(&waiting->is_ended, 1, __ATOMIC_SEQ_CST) == 0;
    while (wake_first(waiting, NULL)) {
    }
    return is_first;
}
