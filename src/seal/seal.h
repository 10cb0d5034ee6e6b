/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed storage: files on a disk that nobody trusts, as an os table over another os table. A mount
 * is one host file, `alcove.seal`, a tree of encrypted blocks that is copied on write
 * (docs/sealed-storage.md is the format and the proofs). Whoever holds the host table may lie,
 * restore old states and stop at any write; whoever calls the sealed table is a program that may
 * name anything.
 *
 * Conventions of os/os.h hold. All memory comes from the caller's arena when a mount is opened. A
 * mount is locked for the length of a call; calls from several threads are allowed.
 */
#ifndef ALC_SEAL_SEAL_H
#define ALC_SEAL_SEAL_H

#include "base/arena.h"
#include "base/limits.h"
#include "os/over.h"

enum { ALC_SEAL_KEY_SIZE = 32, ALC_SEAL_KEY_ID_SIZE = 32, ALC_SEAL_DIGEST_SIZE = 16 };
enum { ALC_SEAL_LINE_SIZE = 32 };
/* Blocks of the cache: what is used when an option is 0, and the least. */
enum { ALC_SEAL_CACHE_BLOCKS = 1024, ALC_SEAL_CACHE_BLOCKS_MIN = 512 };
/* Blocks of the container when that option is 0: 16 GiB. */
enum { ALC_SEAL_CONTAINER_BLOCKS = 1 << 22 };

enum alc_seal_flags {
    ALC_SEAL_CREATE = 1 << 0,    /* make an empty store where there is none */
    ALC_SEAL_READ_ONLY = 1 << 1, /* nothing is ever written to the host */
    ALC_SEAL_REPLACE = 1 << 2,   /* with CREATE: an empty store, whatever is there */
    ALC_SEAL_ALONE = 1 << 3,     /* with READ_ONLY: nobody else may have it open */
    ALC_SEAL_ASK = 1 << 4,       /* with READ_ONLY: the witness is asked, and told nothing */
    ALC_SEAL_PARTIAL = 1 << 5,   /* with CREATE: cannot be opened before alc_seal_copy is done */
    ALC_SEAL_ALL = (1 << 6) - 1,
};

/* Where the root secret of a mount comes from: EGETKEY, a key file, a broker. `key_id` stands in
 * the header of the container, random and not secret. The caller wipes `key`. */
struct alc_seal_key_source {
    alc_status (*get)(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                      uint8_t key[ALC_SEAL_KEY_SIZE]);
    void *context;
};

/* Names one state of a mount. */
struct alc_seal_mark {
    uint64_t generation; /* counts up; 0: no state was ever seen */
    uint8_t digest[ALC_SEAL_DIGEST_SIZE];
};

/* Who knows which state of one mount is the newest: memory of the enclave (level session) or a
 * service (level witness). Anything but ALC_OK is taken for a refusal: the mount is not opened, or
 * its commit fails. Whoever makes one binds it to the mount, by something that outlives the
 * container: otherwise a host could throw the container away and have an empty one accepted. */
struct alc_seal_witness {
    /* The newest state; generation 0 when it never heard of the mount. */
    alc_status (*read)(void *context, struct alc_seal_mark *out);
    /* `to` takes the place of `from`, or nothing happens because somebody else was faster. */
    alc_status (*advance)(void *context, const struct alc_seal_mark *from,
                          const struct alc_seal_mark *to);
    /* A mount that came from elsewhere has its counter from there, and carries its secret, the
     * line: from now on the other two are about that one. NULL: such mounts are refused. */
    alc_status (*follow)(void *context, const uint8_t line[ALC_SEAL_LINE_SIZE]);
    void *context;
};

enum alc_seal_reason {
    ALC_SEAL_UNREADABLE,   /* the host gave fewer bytes, or none */
    ALC_SEAL_NOT_GENUINE,  /* changed, exchanged, moved or older than what refers to it */
    ALC_SEAL_MALFORMED,    /* genuine and still not in the format */
    ALC_SEAL_CONTESTED,    /* an address outside the container, or with two owners */
    ALC_SEAL_ROLLED_BACK,  /* the witness knows a newer state, or another one */
    ALC_SEAL_OTHER_WRITER, /* a root is not the one that this mount left there */
};

/* What was found wrong with the disk. Tells no names and no contents. */
struct alc_seal_damage {
    enum alc_seal_reason reason;
    uint64_t file;    /* inode number; 0: the inode table, or the container itself */
    uint64_t address; /* block of the container */
    uint32_t level;   /* 0: data, else nodes of the tree */
    uint32_t index;   /* of the block in its level */
};

enum { ALC_SEAL_DAMAGE_TEXT_SIZE = 160 };
/* One line without its end, NUL-terminated: "file 7, block 3 (container block 29): ...". */
void alc_seal_damage_describe(const struct alc_seal_damage *damage,
                              char text[ALC_SEAL_DAMAGE_TEXT_SIZE]);

struct alc_seal_options {
    const struct alc_os *host;              /* borrowed until the mount is closed */
    int32_t directory;                      /* handle of `host`: where the container lies */
    const char *name;                       /* of the container there; NULL: alcove.seal */
    uint32_t flags;                         /* enum alc_seal_flags */
    struct alc_seal_key_source key;         /* copied */
    const struct alc_seal_witness *witness; /* NULL: level none; borrowed */
    struct alc_seal_mark
        base;              /* of a new store: the state of another one that it takes the place of */
    const uint8_t *line;   /* of a new store: ALC_SEAL_LINE_SIZE bytes, copied; NULL: none */
    uint32_t cache_blocks; /* 0: ALC_SEAL_CACHE_BLOCKS */
    uint32_t container_blocks; /* that the container may grow to; 0: see above */
    /* Told of damage, under the mount's lock; may be NULL. */
    void (*report)(void *context, const struct alc_seal_damage *damage);
    void *report_context;
};

struct alc_seal; /* a mount; see seal_internal.h */

/* Bytes that alc_seal_open takes from its arena for these options. */
size_t alc_seal_memory_size(const struct alc_seal_options *options);
/* Opens the mount, recovering from a crash as it goes. Statuses: NOT_FOUND (no container, and
 * CREATE is not set), POLICY_REFUSED (the witness refuses the state, or the key is another's: that
 * cannot be told from damage of both roots), IO_FAILED (the host fails, another process has the
 * mount open, or the root is damaged), OUT_OF_MEMORY, BAD_ARGUMENT; those of the key source. A
 * mount that is damaged elsewhere is opened and takes no changes. */
ALC_MUST_CHECK alc_status alc_seal_open(struct alc_arena *arena,
                                        const struct alc_seal_options *options,
                                        struct alc_seal **out, struct alc_error *error);
/* Makes everything durable, wipes keys and contents. ALC_E_IO_FAILED when the last commit failed;
 * the mount is closed all the same. */
alc_status alc_seal_close(struct alc_seal *seal);
/* Makes everything durable: 0 or minus a number of errno.def. */
int64_t alc_seal_sync(struct alc_seal *seal);
/* What a mount is, without its secrets. */
struct alc_seal_info {
    uint8_t key_id[ALC_SEAL_KEY_ID_SIZE];
    uint64_t generation;
    uint64_t files_count;  /* of all types, those without a name included */
    uint64_t blocks_count; /* of 4096 bytes, that the container has */
    uint64_t used_count;   /* of those */
};
void alc_seal_get_info(struct alc_seal *seal, struct alc_seal_info *out);
/* Reads everything that is there. Number of the blocks that are damaged, each of which is told to
 * options.report; damage that opening found is among them, and told a second time. */
ALC_MUST_CHECK uint64_t alc_seal_verify(struct alc_seal *seal);
/* Copies all of `from` to `to`, which was created just now, with the same inode numbers. IO_FAILED
 * when anything of `from` is damaged, or `to` cannot be written; `to` is of no use then. */
ALC_MUST_CHECK alc_status alc_seal_copy(struct alc_seal *from, struct alc_seal *to);
/* The line that a mount carries, ALC_SEAL_LINE_SIZE bytes while it is open, or NULL. */
const uint8_t *alc_seal_line(const struct alc_seal *seal);
/* Copies `from` to where `to` says, with a new KEYID, keys and line: under another name first,
 * which becomes the container's when all of it is durable. No part of a copy can be opened before.
 * The copy is a child of what the witness knows, or of `from` without one. Of `to` its flags,
 * witness and base are not looked at. Statuses: those of alc_seal_open and alc_seal_copy. */
ALC_MUST_CHECK alc_status alc_seal_write_anew(struct alc_arena *arena, struct alc_seal *from,
                                              const struct alc_seal_options *to,
                                              struct alc_error *error);
/* Writes a mount anew, with a new KEYID and everything encrypted with other keys, and puts it in
 * the place of the old one: a crash leaves one of the two, whole. `options` is the old one's and
 * `new_key` makes the root secret of the new one. Needs twice the space and the memory of two
 * mounts. The old container is not wiped from the disk. Statuses: those of alc_seal_open and
 * alc_seal_copy. */
ALC_MUST_CHECK alc_status alc_seal_rekey(struct alc_arena *arena,
                                         const struct alc_seal_options *options,
                                         const struct alc_seal_key_source *new_key,
                                         struct alc_error *error);
/* The newest durable state. */
void alc_seal_get_mark(const struct alc_seal *seal, struct alc_seal_mark *out);
/* Whether damage or a failed commit keeps the mount from being changed. */
bool alc_seal_is_damaged(const struct alc_seal *seal);

/* -- the table -- */

/* Handles of sealed files: ALC_SEAL_FIRST_HANDLE + mount * ALC_LIMIT_SEAL_HANDLES + place, out of
 * the way of the table beneath. */
enum { ALC_SEAL_FIRST_HANDLE = 1 << 30 };

/* An os table that serves sealed mounts itself and hands everything else to the one beneath. */
struct alc_seal_os {
    struct alc_os_over over; /* first; over.os is what to hand on */
    struct alc_os_operations operations;
    uint32_t mounts_count;
    struct {
        struct alc_seal *seal; /* borrowed */
        int32_t handle;        /* the granted one, by which the program knows the mount */
    } mounts[ALC_LIMIT_SEAL_MOUNTS];
};

void alc_seal_os_init(struct alc_seal_os *table, const struct alc_os *inner);
/* From now on `handle` is the root directory of `seal`. BAD_ARGUMENT when there are too many. */
ALC_MUST_CHECK alc_status alc_seal_os_add(struct alc_seal_os *table, int32_t handle,
                                          struct alc_seal *seal);

/* -- level session -- */

/* A witness in memory for one mount, to be kept while the enclave lives. */
struct alc_seal_session {
    struct alc_seal_witness witness;
    struct alc_seal_mark mark;
};
void alc_seal_session_init(struct alc_seal_session *session);

#endif
