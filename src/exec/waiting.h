/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.atomic.wait and notify: the threads of a program that sleep until another one wakes them,
 * and the end of them all. Who waits for what stands here, in memory of our own; whoever makes
 * threads sleep (a host, perhaps) only gives hints, and what it says of time is all that it can
 * lie about.
 *
 * One struct alc_waiting per program, shared by the stores of its threads.
 */
#ifndef ALC_EXEC_WAITING_H
#define ALC_EXEC_WAITING_H

#include "base/status.h"

struct alc_thread;

/* Supplied by the embedder; all MUST be set. */
struct alc_sleep_functions {
    /* Sleeps until alc_sleep_functions.wake was called for `thread`, the calling thread's number,
     * or timeout_ns (negative: no limit) passed, or for no reason. A call of `wake` that comes
     * before counts. */
    void (*sleep)(void *context, uint32_t thread, int64_t timeout_ns);
    void (*wake)(void *context, uint32_t thread);
    /* A clock that never goes back. */
    uint64_t (*now_ns)(void *context);
    void *context;
};

/* One sleeping thread, on its own stack. */
struct alc_waiter {
    const uint8_t *ptr; /* what it waits at */
    struct alc_waiter *next;
    uint32_t thread;
    bool is_woken;
};

struct alc_waiting {
    struct alc_sleep_functions functions;
    uint64_t deadline_ns; /* when sleeping ends with ALC_E_DEADLINE; 0: never */
    /* Not 0: the program is over, all threads stop with ALC_E_DEADLINE at their next check. */
    volatile uint64_t is_ended;
    uint32_t lock; /* base/spin.h: over the list */
    struct alc_waiter *first;
};

void alc_waiting_init(struct alc_waiting *waiting, const struct alc_sleep_functions *functions,
                      uint64_t deadline_ns);

/* Results of memory.atomic.wait. */
enum alc_wait_result { ALC_WAIT_WOKEN = 0, ALC_WAIT_NOT_EQUAL = 1, ALC_WAIT_TIMED_OUT = 2 };

/* Sleeps, if the 4 or 8 bytes (1 << size_log2) at `ptr`, aligned, in a shared memory, are
 * `expected`, until alc_waiting_notify or for timeout_ns (negative: no limit). ALC_E_DEADLINE when
 * the program is over; ALC_E_NOT_SUPPORTED when the thread has no struct alc_waiting. */
ALC_MUST_CHECK alc_status alc_waiting_wait(const struct alc_thread *thread, const uint8_t *ptr,
                                           unsigned size_log2, uint64_t expected,
                                           int64_t timeout_ns, enum alc_wait_result *out);
/* Wakes at most count_max of the threads that wait at `ptr`, the first ones first; how many. */
uint32_t alc_waiting_notify(struct alc_waiting *waiting, const uint8_t *ptr, uint32_t count_max);
/* The program is over: wakes and stops all. Only the first call gives true. */
bool alc_waiting_end(struct alc_waiting *waiting);

#endif
