/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI preview 1 for one program: all 46 functions of `wasi_snapshot_preview1`, over the primitives
 * of os/. Rows, types and checks of guest pointers come from wasi_p1.host; this room is the
 * meaning.
 *
 * Both sides are hostile. The guest's arguments were checked and copied by the generated thunks;
 * what the system answers is believed only as far as it is in range. Nothing is allocated but what
 * the two arenas give. One program = one struct alc_wasi, and one more for each further thread of
 * it (alc_wasi_init_thread), each used by one thread at a time. Define the functions with the
 * struct alc_wasi as their context.
 */
#ifndef ALC_WASI_WASI_H
#define ALC_WASI_WASI_H

#include "host/host.h"
#include "os/os.h"

/* Counted text, borrowed. */
struct alc_wasi_text {
    const char *bytes; /* no NUL inside; need not end with one */
    size_t size;
};

/* A directory that the program gets, numbered from 3 on in the order given. */
struct alc_wasi_preopen {
    int32_t handle;                  /* of os */
    struct alc_wasi_text guest_path; /* what the program calls it */
    bool read_only;                  /* no right to change anything beneath it */
};

/* A socket that the program gets, numbered behind the directories. */
struct alc_wasi_socket {
    int32_t handle;
    bool is_listener; /* may be accepted from; otherwise it is connected */
};

/* Everything is borrowed until the program has ended. */
struct alc_wasi_options {
    const struct alc_os *os;
    struct alc_arena *arena;   /* lasts as long as the program: about 40 KiB */
    struct alc_arena *scratch; /* per call: give it 1 MiB of address space; mostly little is used */
    const struct alc_wasi_text *arguments; /* argument 0 is the program's name */
    size_t arguments_count;
    const struct alc_wasi_text *environment; /* NAME=value */
    size_t environment_count;
    const struct alc_wasi_preopen *preopens;
    size_t preopens_count;
    const struct alc_wasi_socket *sockets;
    size_t sockets_count;
    /* Monotonic time at which waiting in poll_oneoff ends with ALC_E_DEADLINE; 0: never. */
    uint64_t deadline_ns;
    alc_host_trace_function *trace; /* see host.h */
    void *trace_context;
};

enum { ALC_WASI_CLOCKS_COUNT = 4 };

struct alc_wasi_descriptor;

/* What the threads of a program share. */
struct alc_wasi_shared {
    uint32_t lock; /* base/spin.h: over the descriptors; never held while the system is asked */
    struct alc_wasi_descriptor *descriptors;         /* ALC_LIMIT_WASI_DESCRIPTORS of them */
    uint64_t clock_latest_ns[ALC_WASI_CLOCKS_COUNT]; /* what each clock said last; atomic */
};

/* Members are this room's; callers only place it. */
struct alc_wasi {
    struct alc_host_context host; /* first, see host.h */
    struct alc_wasi_options options;
    struct alc_wasi_shared *shared;
    /* Copies of the descriptors that the call in progress names: another thread may close them. */
    struct alc_wasi_descriptor *copies;
    uint32_t copies_next;
    uint64_t thread_clock_latest_ns; /* of the thread's own processor time */
    uint32_t arguments_size;         /* with their NULs */
    uint32_t environment_size;
    uint32_t exit_code;
};

/* Standard streams become descriptors 0 to 2, then preopens, then sockets. Fails with BAD_ARGUMENT
 * when the options pass a limit of limits.def or are not what they must be, OUT_OF_MEMORY when
 * `arena` is too small. */
ALC_MUST_CHECK alc_status alc_wasi_init(struct alc_wasi *wasi,
                                        const struct alc_wasi_options *options);
/* The same program's WASI for another thread; `first` and the arenas outlive it. The scratch arena
 * must be the thread's own. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_wasi_init_thread(struct alc_wasi *wasi, const struct alc_wasi *first,
                                               struct alc_arena *arena, struct alc_arena *scratch);
/* Closes what the program left open (not what it was given). */
void alc_wasi_fini(struct alc_wasi *wasi);
/* The handle of os that a descriptor of the program stands for, or minus BAD_DESCRIPTOR. Any of the
 * program's threads may ask, and any may close it meanwhile. */
int64_t alc_wasi_find_handle(struct alc_wasi *wasi, uint32_t descriptor);
/* The importable functions. */
const struct alc_host_module *alc_wasi_module(void);
/* Exit code of a program that stopped with ALC_E_EXIT (what it gave proc_exit) or
 * ALC_E_RAISED_SIGNAL (128 + the signal's number). */
uint32_t alc_wasi_exit_code(const struct alc_wasi *wasi);

#endif
