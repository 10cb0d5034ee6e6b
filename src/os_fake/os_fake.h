/* SPDX-License-Identifier: Apache-2.0
 *
 * struct alc_os for tests: goes on to another one, or answers plausibly by itself, and does wrong
 * what a test asks it to: the nth call fails, transfers are cut short, single answers are
 * prescribed. Not for several threads at once.
 */
#ifndef ALC_OS_FAKE_OS_FAKE_H
#define ALC_OS_FAKE_OS_FAKE_H

#include "os/os.h"

/* Every function of struct alc_os_operations that can fail, in its order. */
enum alc_os_fake_call {
    ALC_OS_FAKE_READ,
    ALC_OS_FAKE_WRITE,
    ALC_OS_FAKE_READ_AT,
    ALC_OS_FAKE_WRITE_AT,
    ALC_OS_FAKE_SEEK,
    ALC_OS_FAKE_CLOSE,
    ALC_OS_FAKE_SYNC,
    ALC_OS_FAKE_STAT,
    ALC_OS_FAKE_SET_SIZE,
    ALC_OS_FAKE_ALLOCATE,
    ALC_OS_FAKE_ADVISE,
    ALC_OS_FAKE_SET_TIMES,
    ALC_OS_FAKE_GET_FLAGS,
    ALC_OS_FAKE_SET_FLAGS,
    ALC_OS_FAKE_OPEN_AT,
    ALC_OS_FAKE_STAT_AT,
    ALC_OS_FAKE_SET_TIMES_AT,
    ALC_OS_FAKE_CREATE_DIRECTORY_AT,
    ALC_OS_FAKE_REMOVE_DIRECTORY_AT,
    ALC_OS_FAKE_UNLINK_AT,
    ALC_OS_FAKE_RENAME_AT,
    ALC_OS_FAKE_LINK_AT,
    ALC_OS_FAKE_SYMLINK_AT,
    ALC_OS_FAKE_READLINK_AT,
    ALC_OS_FAKE_READ_DIRECTORY,
    ALC_OS_FAKE_ACCEPT,
    ALC_OS_FAKE_RECV,
    ALC_OS_FAKE_SEND,
    ALC_OS_FAKE_SHUTDOWN,
    ALC_OS_FAKE_CLOCK_READ,
    ALC_OS_FAKE_POLL,
    ALC_OS_FAKE_YIELD,
    ALC_OS_FAKE_THREAD_START,
    ALC_OS_FAKE_THREAD_SLEEP,
    ALC_OS_FAKE_THREAD_WAKE,
    ALC_OS_FAKE_RANDOM,
    ALC_OS_FAKE_PAGES_RESERVE,
    ALC_OS_FAKE_PAGES_COMMIT,
    ALC_OS_FAKE_PAGES_EXECUTE,
    ALC_OS_FAKE_CALLS,
};

/* One prescribed answer: the next call of that kind gives `result` and does nothing. */
struct alc_os_fake_answer {
    enum alc_os_fake_call call;
    int64_t result;
};

struct alc_os_fake {
    struct alc_os os;           /* what to hand to the code under test */
    const struct alc_os *inner; /* borrowed; NULL: plausible answers without any system */
    uint64_t calls_count;       /* so far, all kinds */
    uint64_t counts[ALC_OS_FAKE_CALLS];
    /* Calls number `fail_at` (from 1) to fail_at + fail_count - 1 give -fail_errno; pages_reserve
     * gives NULL. 0: none. */
    uint64_t fail_at;
    uint64_t fail_count;
    int64_t fail_errno;
    /* Bytes at most in one read, write, recv or send; 0: no limit. */
    size_t short_size;
    /* Prescribed answers, taken in this order; borrowed. */
    const struct alc_os_fake_answer *answers;
    size_t answers_count;
    size_t answers_used;
    /* State of plausible answers. */
    uint64_t time_ns;
    int32_t next_handle;
    uint8_t fill; /* what is read */
};

/* Forgets all faults and counts. `inner` may be NULL. */
void alc_os_fake_init(struct alc_os_fake *fake, const struct alc_os *inner);

#endif
