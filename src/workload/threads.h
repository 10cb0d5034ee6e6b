/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of a program, as wasi-threads has them: the program imports "thread-spawn" from "wasi"
 * and a shared memory, and exports wasi_thread_start(tid, argument). Each thread runs an instance
 * of its own of the same module, with its own store, stack and WASI, on a thread of the system.
 * The first one that traps or exits ends all of them and says how; so does the end of the first
 * thread.
 *
 * The system (a host, perhaps) may refuse to start a thread, then the program is told so; it may
 * bring in threads that nobody asked for, then they are sent away; and it may forget threads.
 */
#ifndef ALC_WORKLOAD_THREADS_H
#define ALC_WORKLOAD_THREADS_H

#include "exec/engine.h"
#include "exec/waiting.h"
#include "wasi/wasi.h"

/* How a program ended. */
struct alc_threads_end {
    alc_status status; /* ALC_OK: the first thread came back */
    uint32_t exit_code;
    struct alc_error error;
    struct alc_trap trap;
};

/* A thread that the program has, or may have. */
struct alc_threads_place {
    uint32_t state;         /* enum place_state */
    struct alc_arena arena; /* of the instance and WASI; kept for the next thread */
    struct alc_arena scratch;
    struct alc_store store;
    struct alc_wasi wasi;
    struct alc_instance *instance;
    struct alc_function *start;
    uint32_t tid;
    uint32_t argument;
    struct alc_error error;
};

/* Members are this file's; callers only place it. */
struct alc_threads {
    struct alc_os *os;
    struct alc_waiting waiting;
    /* The first thread's; NULL until it is linked. */
    struct alc_store *first_store;
    struct alc_wasi *first_wasi;
    const struct alc_instance *original;
    void (*report)(void *context);
    void *report_context;
    uint32_t lock; /* base/spin.h: over what follows */
    uint32_t last_tid;
    uint64_t fuel_returned; /* of threads that are no more */
    bool is_first_over;     /* the first thread is about to report */
    bool has_end;
    struct alc_threads_end end;
    struct alc_threads_place places[ALC_LIMIT_ENCLAVE_THREADS]; /* 0 is not used */
};

/* `deadline_ns`: monotonic time when waiting ends; 0: never. `report` is called, on whichever
 * thread ended the program, when the first thread does not come back for a tenth of a second (it
 * may be blocked in the system). All is borrowed, and *threads begins as zeros. */
void alc_threads_init(struct alc_threads *threads, struct alc_os *os, uint64_t deadline_ns,
                      void (*report)(void *context), void *report_context);
/* What becomes importable with `threads` as its context. */
const struct alc_host_module *alc_threads_module(void);
/* From now on threads can be started. */
void alc_threads_set_first(struct alc_threads *threads, struct alc_store *store,
                           struct alc_wasi *wasi, const struct alc_instance *instance);
/* The program is over, unless it was before; *out says how. Stops all threads. */
void alc_threads_end(struct alc_threads *threads, const struct alc_threads_end *end,
                     struct alc_threads_end *out);
/* By the first thread, after the end: waits until all others are gone; false when some are not
 * after a tenth of a second. Then nothing that they use may be given back. */
bool alc_threads_join(struct alc_threads *threads);
/* Whether there ever was one: then the system may bring in threads to the very end, so *threads
 * stays where it is. */
bool alc_threads_were_started(const struct alc_threads *threads);
/* Fuel that threads left over. */
uint64_t alc_threads_fuel(struct alc_threads *threads);
/* Gives back what threads took; only when all are gone. */
void alc_threads_fini(struct alc_threads *threads);

#endif
