/* SPDX-License-Identifier: Apache-2.0
 *
 * What alcove asks of a system, as a table of functions. Implementations: os_linux (system calls),
 * enclave/ (each row is a host call of hostcall.host and its answer is checked), os_fake (faults
 * for tests). The callers (wasi/, workload/) never know which one they have.
 *
 * Conventions
 *   - Result: >= 0 is success (a size, a handle, a count, or 0), < 0 is minus a number of
 *     errno.def.
 *   - Handle: small integer chosen by the implementation, granted when the table was set up or
 *     returned by `open_at` and `accept`. An unknown handle gives BAD_DESCRIPTOR. Handles 0 to 2
 *     are the standard streams; enum alc_os_granted names the others known beforehand.
 *   - Path: `path_size` bytes, no NUL inside, relative, resolved strictly beneath `dir`: an
 *     absolute path, a `..` or a symbolic link that would leave `dir` gives NOT_CAPABLE (also when
 *     somebody renames directories meanwhile).
 *   - Memory: buffers are borrowed for the call. An implementation writes at most what was
 *     promised.
 *   - Blocking: calls may block; INTERRUPTED is never returned, the implementation repeats.
 *   - Trust: inside an enclave nothing that comes back is true: sizes are in range, nothing more.
 */
#ifndef ALC_OS_OS_H
#define ALC_OS_OS_H

#include "base/status.h"

enum alc_os_errno {
    ALC_OS_SUCCESS = 0,
#define ERRNO(ident, number, text) ALC_OS_##ident = (number),
#include "os/errno.def"
#undef ERRNO
    ALC_OS_ERRNO_MAX = ALC_OS_NOT_CAPABLE,
};

/* Handles that exist before a workload starts; mounts and sockets follow from ALC_OS_FIRST_MOUNT in
 * the order of the manifest. */
enum alc_os_granted {
    ALC_OS_STDIN = 0,
    ALC_OS_STDOUT = 1,
    ALC_OS_STDERR = 2,
    ALC_OS_MANIFEST = 3, /* readable: the encoded workload manifest */
    ALC_OS_MODULE = 4,   /* readable: the program */
    ALC_OS_OUTCOME = 5,  /* writable: struct alc_outcome, once, at the end */
    ALC_OS_QUOTING = 6,  /* the machine's quoting service, if there is one: sgx_arch/quoting.h */
    /* If it is there, the workload is to be proven and not run: readable, a nonce; writable, gets
     * the evidence. */
    ALC_OS_EVIDENCE = 7,
    ALC_OS_KEY_BROKER = 8, /* stream to whoever carries for a key broker: broker/relay.h */
    /* Readable, if it is there: what the maker says about this machine's processor, for peers of
     * attested sockets: channel/endorsements.h. */
    ALC_OS_ENDORSEMENTS = 9,
    /* If it is there, a sealed mount is to be looked after and the workload is not run: readable,
     * what is to be done (mounts/upkeep.h), perhaps with the directory behind the next one. */
    ALC_OS_UPKEEP = 10,
    ALC_OS_UPKEEP_DIRECTORY = 11,
    ALC_OS_FIRST_MOUNT = 12,
};

enum alc_os_file_type { /* WASI preview 1 numbers */
                        ALC_OS_TYPE_UNKNOWN = 0,
                        ALC_OS_TYPE_BLOCK_DEVICE = 1,
                        ALC_OS_TYPE_CHARACTER_DEVICE = 2,
                        ALC_OS_TYPE_DIRECTORY = 3,
                        ALC_OS_TYPE_REGULAR_FILE = 4,
                        ALC_OS_TYPE_SOCKET_DGRAM = 5,
                        ALC_OS_TYPE_SOCKET_STREAM = 6,
                        ALC_OS_TYPE_SYMBOLIC_LINK = 7,
                        ALC_OS_TYPE_MAX = ALC_OS_TYPE_SYMBOLIC_LINK,
};

/* Crosses the enclave boundary as it is: fixed layout, no padding. */
struct alc_os_stat {
    uint64_t device;
    uint64_t inode;
    uint64_t type; /* enum alc_os_file_type */
    uint64_t link_count;
    uint64_t size;
    uint64_t access_time_ns; /* since 1970-01-01 UTC */
    uint64_t modify_time_ns;
    uint64_t change_time_ns;
};
_Static_assert(sizeof(struct alc_os_stat) == 64, "crosses the boundary");

enum alc_os_open_flags {
    ALC_OS_OPEN_READ = 1 << 0,
    ALC_OS_OPEN_WRITE = 1 << 1,
    ALC_OS_OPEN_CREATE = 1 << 2,
    ALC_OS_OPEN_EXCLUSIVE = 1 << 3,
    ALC_OS_OPEN_TRUNCATE = 1 << 4,
    ALC_OS_OPEN_DIRECTORY = 1 << 5, /* NOT_DIRECTORY unless it is one */
    ALC_OS_OPEN_FOLLOW = 1 << 6,    /* follow a final symbolic link (LOOP otherwise) */
    /* The status flags below may also be changed later with `set_flags`. */
    ALC_OS_OPEN_APPEND = 1 << 7,
    ALC_OS_OPEN_NONBLOCK = 1 << 8,
    ALC_OS_OPEN_DSYNC = 1 << 9,
    ALC_OS_OPEN_SYNC = 1 << 10,
    ALC_OS_OPEN_RSYNC = 1 << 11,
    /* The file is this handle's alone until it is closed; a handle that only reads shares it with
     * others that only read. BUSY when it is somebody else's. Among those who ask, and where the
     * file system knows locks. */
    ALC_OS_OPEN_LOCK = 1 << 12,
    ALC_OS_OPEN_ALL = (1 << 13) - 1,
    ALC_OS_OPEN_STATUS = ALC_OS_OPEN_APPEND | ALC_OS_OPEN_NONBLOCK | ALC_OS_OPEN_DSYNC |
                         ALC_OS_OPEN_SYNC | ALC_OS_OPEN_RSYNC,
};

enum alc_os_whence { ALC_OS_SEEK_SET = 0, ALC_OS_SEEK_CUR = 1, ALC_OS_SEEK_END = 2 };

enum alc_os_clock {
    ALC_OS_CLOCK_REALTIME = 0,
    ALC_OS_CLOCK_MONOTONIC = 1,
    ALC_OS_CLOCK_PROCESS_CPU = 2,
    ALC_OS_CLOCK_THREAD_CPU = 3,
};

enum alc_os_time_flags { /* for set_times; neither bit of a pair: leave that time alone */
                         ALC_OS_TIME_ACCESS = 1 << 0,
                         ALC_OS_TIME_ACCESS_NOW = 1 << 1,
                         ALC_OS_TIME_MODIFY = 1 << 2,
                         ALC_OS_TIME_MODIFY_NOW = 1 << 3,
                         ALC_OS_TIME_ALL = (1 << 4) - 1,
};

/* One scattered piece of memory. */
struct alc_span {
    uint8_t *bytes;
    size_t size;
};

/* Directory entries come packed one after the other, each this header and then `name_size` bytes.
 * An entry that does not fit whole is left out; none fitting gives OVERFLOW; 0 is the end. `.` and
 * `..` are included. */
struct alc_os_directory_entry {
    uint64_t next; /* cookie to continue behind this entry */
    uint64_t inode;
    uint32_t name_size;
    uint32_t type; /* enum alc_os_file_type */
};
_Static_assert(sizeof(struct alc_os_directory_entry) == 24, "crosses the boundary");

enum alc_os_poll_events {
    ALC_OS_POLL_READ = 1 << 0,
    ALC_OS_POLL_WRITE = 1 << 1,
    ALC_OS_POLL_HANGUP = 1 << 2,  /* reported only */
    ALC_OS_POLL_ERROR = 1 << 3,   /* reported only */
    ALC_OS_POLL_INVALID = 1 << 4, /* reported only: not an open handle */
    ALC_OS_POLL_ALL = (1 << 5) - 1,
};
struct alc_os_poll {
    int32_t handle;
    uint16_t wanted;    /* READ, WRITE */
    uint16_t ready;     /* set by the call */
    uint64_t available; /* set by the call: bytes that can be read at once, 0 when unknown */
};
_Static_assert(sizeof(struct alc_os_poll) == 16, "crosses the boundary");

enum alc_os_socket_flags {
    ALC_OS_RECV_PEEK = 1 << 0,
    ALC_OS_RECV_WAITALL = 1 << 1,
    ALC_OS_RECV_TRUNCATED = 1 << 2, /* reported: the message was longer */
    ALC_OS_SHUTDOWN_READ = 1 << 0,
    ALC_OS_SHUTDOWN_WRITE = 1 << 1,
};

enum { ALC_OS_NO_TIMEOUT = -1 };

/* What a new thread does. False when nobody had asked for the thread `thread`: hosts may start
 * threads at will. */
typedef bool alc_os_thread_body(void *argument, uint32_t thread);

/* The first argument of each function is alc_os.context. */
struct alc_os_operations {
    /* -- streams and files -- */
    /* Bytes read into the spans at the handle's position, 0 at the end. */
    int64_t (*read)(void *context, int32_t handle, const struct alc_span *spans,
                    size_t spans_count);
    int64_t (*write)(void *context, int32_t handle, const struct alc_span *spans,
                     size_t spans_count);
    /* The same at `offset`, leaving the position alone; NO_SEEK for streams. */
    int64_t (*read_at)(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count, uint64_t offset);
    int64_t (*write_at)(void *context, int32_t handle, const struct alc_span *spans,
                        size_t spans_count, uint64_t offset);
    /* The new position. */
    int64_t (*seek)(void *context, int32_t handle, int64_t offset, uint32_t whence);
    int64_t (*close)(void *context, int32_t handle);
    int64_t (*sync)(void *context, int32_t handle, uint32_t data_only);
    int64_t (*stat)(void *context, int32_t handle, struct alc_os_stat *out);
    int64_t (*set_size)(void *context, int32_t handle, uint64_t size);
    int64_t (*allocate)(void *context, int32_t handle, uint64_t offset, uint64_t size);
    int64_t (*advise)(void *context, int32_t handle, uint64_t offset, uint64_t size,
                      uint32_t advice);
    int64_t (*set_times)(void *context, int32_t handle, uint64_t access_ns, uint64_t modify_ns,
                         uint32_t flags);
    /* Status flags that are on now (ALC_OS_OPEN_APPEND and later). */
    int64_t (*get_flags)(void *context, int32_t handle);
    int64_t (*set_flags)(void *context, int32_t handle, uint32_t flags);
    /* -- paths -- */
    int64_t (*open_at)(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                       uint32_t flags);
    int64_t (*stat_at)(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                       uint32_t follow, struct alc_os_stat *out);
    int64_t (*set_times_at)(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t follow, uint64_t access_ns, uint64_t modify_ns,
                            uint32_t flags);
    int64_t (*create_directory_at)(void *context, int32_t dir, const uint8_t *path,
                                   size_t path_size);
    int64_t (*remove_directory_at)(void *context, int32_t dir, const uint8_t *path,
                                   size_t path_size);
    int64_t (*unlink_at)(void *context, int32_t dir, const uint8_t *path, size_t path_size);
    int64_t (*rename_at)(void *context, int32_t old_dir, const uint8_t *old_path,
                         size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                         size_t new_path_size);
    int64_t (*link_at)(void *context, int32_t old_dir, const uint8_t *old_path,
                       size_t old_path_size, uint32_t follow, int32_t new_dir,
                       const uint8_t *new_path, size_t new_path_size);
    /* `target` is stored as it is; it is judged when it is followed. */
    int64_t (*symlink_at)(void *context, const uint8_t *target, size_t target_size, int32_t dir,
                          const uint8_t *path, size_t path_size);
    /* Bytes of the target written to buf (cut to buf_size). */
    int64_t (*readlink_at)(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                           uint8_t *buf, size_t buf_size);
    /* Bytes of packed entries after `cookie` (0: the first). */
    int64_t (*read_directory)(void *context, int32_t dir, uint64_t cookie, uint8_t *buf,
                              size_t buf_size);
    /* -- sockets -- */
    int64_t (*accept)(void *context, int32_t handle, uint32_t flags);
    /* *out_flags: ALC_OS_RECV_TRUNCATED. */
    int64_t (*recv)(void *context, int32_t handle, const struct alc_span *spans, size_t spans_count,
                    uint32_t flags, uint32_t *out_flags);
    int64_t (*send)(void *context, int32_t handle, const struct alc_span *spans,
                    size_t spans_count);
    int64_t (*shutdown)(void *context, int32_t handle, uint32_t how);
    /* -- time, waiting -- */
    /* Nanoseconds; the clock's resolution when `resolution` is not 0. */
    int64_t (*clock_read)(void *context, uint32_t clock, uint32_t resolution);
    /* Waits until an entry is ready or timeout_ns passed; the number of entries ready. Signals to
     * the process do not end it. polls_count may be 0 (sleep). */
    int64_t (*poll)(void *context, struct alc_os_poll *polls, size_t polls_count,
                    int64_t timeout_ns);
    int64_t (*yield)(void *context);
    /* -- threads: 0 is the first, the others are numbered by who starts them, below
     * ALC_LIMIT_ENCLAVE_THREADS -- */
    /* Starts the thread `thread`, which runs what set_thread_body was given and is no more when
     * that returns. BUSY while one of that number runs, AGAIN when the system has none to give. */
    int64_t (*thread_start)(void *context, uint32_t thread);
    /* Sleeps until `thread`, the caller's own number, is woken, timeout_ns passed (without limit:
     * ALC_OS_NO_TIMEOUT), or for no reason. A wake-up that came before is not lost. */
    int64_t (*thread_sleep)(void *context, uint32_t thread, int64_t timeout_ns);
    int64_t (*thread_wake)(void *context, uint32_t thread);
    /* -- never a host call: an enclave answers these itself -- */
    /* Said once, before the first thread_start. Both are borrowed for ever. */
    void (*set_thread_body)(void *context, alc_os_thread_body *body, void *argument);
    /* Cryptographically strong; 0 or IO. */
    int64_t (*random)(void *context, uint8_t *buf, size_t buf_size);
    /* Address space without memory, aligned to 4096, or NULL. */
    void *(*pages_reserve)(void *context, size_t size);
    /* Puts zeroed, writable memory behind part of a reservation; 0 or NO_MEMORY. */
    int64_t (*pages_commit)(void *context, void *addr, size_t size);
    /* Committed memory, whole pages of one reservation and once for each, can be read and executed
     * from now on, and not be written. 0, NO_MEMORY, or IO when a host did not do its part: then it
     * cannot be executed. NULL where no code is ever made. */
    int64_t (*pages_execute)(void *context, void *addr, size_t size);
    /* Ends a reservation, whole. */
    void (*pages_release)(void *context, void *addr, size_t size);
};

struct alc_os {
    const struct alc_os_operations *operations;
    void *context;
    /* Kinds of mounts (enum alc_mount_flags) that the table is more than a plain system for. */
    uint32_t mount_kinds;
};

/* Text of a number of errno.def, never NULL. */
const char *alc_os_errno_text(int64_t number);
/* os->operations->pages_commit in the shape that an arena asks for; `context` is a struct alc_os.
 */
alc_status alc_os_commit(void *context, void *addr, size_t size);
/* The same for pages_execute. */
alc_status alc_os_execute(void *context, void *addr, size_t size);

#endif
