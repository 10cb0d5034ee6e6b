/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of seal: one open mount. Functions return 0 (or a count) or minus a number of errno.def.
 * The lock is held in all of them.
 *
 * Order of every operation: look up (anything may fail, nothing has changed), begin_change (room
 * for everything that the operation may make dirty), change. What fails after the first change
 * marks the mount as failed.
 */
#ifndef ALC_SEAL_SEAL_INTERNAL_H
#define ALC_SEAL_SEAL_INTERNAL_H

#include "seal/cipher.h"
#include "seal/format.h"

enum {
    ALC_SEAL_STAGE_BLOCKS = ALC_LIMIT_HOSTCALL_BUFFER / ALC_SEAL_BLOCK_SIZE, /* in one call */
    ALC_SEAL_BUCKETS = 1 << 12, /* of the cache's hash table */
    ALC_SEAL_INODE_SLOTS = ALC_LIMIT_SEAL_HANDLES + 64,
    ALC_SEAL_INODE_BUCKETS = 512,
    ALC_SEAL_PATH_SIZE = 2 * ALC_LIMIT_WASI_PATH_SIZE,
    /* Blocks that a change of directories may make dirty: two of them, each a split and its path,
     * and the inodes. */
    ALC_SEAL_CHANGE_BLOCKS = 96,
};
enum { ALC_SEAL_NONE = UINT32_MAX }; /* ends chains of indices */

/* -- blocks in memory -- */

struct alc_seal_block {
    uint64_t file; /* inode number, ALC_SEAL_TABLE_FILE */
    uint32_t level;
    uint32_t index;
    uint32_t chain;                      /* next of the same hash */
    uint32_t dirty_next, dirty_previous; /* in the order in which they became dirty */
    uint64_t stamp;                      /* operation that used it last */
    bool is_used;
    bool is_dirty;
    uint8_t chances; /* that the clock passes by before the block goes */
    uint8_t *bytes;  /* ALC_SEAL_BLOCK_SIZE, always */
};

struct alc_seal_dirty_list {
    uint32_t first, last;
    uint32_t count;
};

struct alc_seal_cache {
    struct alc_seal_block *blocks;
    uint32_t blocks_count;
    uint32_t hand; /* of the clock */
    uint32_t dirty_count;
    uint32_t *buckets; /* ALC_SEAL_BUCKETS */
    /* [0]: files, [1]: the inode table, which is written after all of them. */
    struct alc_seal_dirty_list dirty[2][ALC_LIMIT_SEAL_TREE_HEIGHT + 1];
};

/* -- inodes in memory -- */

enum alc_seal_stale_times { /* to be set to the host's clock before anybody sees them */
                            ALC_SEAL_STALE_ACCESS = 1 << 0,
                            ALC_SEAL_STALE_MODIFY = 1 << 1,
                            ALC_SEAL_STALE_CHANGE = 1 << 2,
};

struct alc_seal_inode {
    uint64_t number; /* 0: slot is free */
    uint32_t references;
    uint32_t chain;
    uint32_t stale_times;
    bool is_dirty; /* the record in the table's block is older; that block is dirty, too */
    struct alc_seal_record record;
};

struct alc_seal_handle {
    struct alc_seal_inode *inode; /* NULL: free */
    uint32_t flags;               /* enum alc_os_open_flags */
    uint64_t pos;
    /* What was read in order: a read that begins at its end reads ahead. */
    uint64_t read_start, read_end;
};

/* -- the mount -- */

/* What a block is written for. Neighbours of one use are read and written together, so in large
 * containers there are runs of blocks for those that would else lie between the data. */
enum alc_seal_use {
    ALC_SEAL_USE_NODE,   /* level 1 of a file */
    ALC_SEAL_USE_COMMIT, /* written with every commit: higher nodes, the inode table */
    ALC_SEAL_KEPT_RUNS,
    ALC_SEAL_USE_DATA = ALC_SEAL_KEPT_RUNS,
};
struct alc_seal_run {
    uint64_t first, end; /* 0, 0: none */
    uint64_t hand;
};

/* Blocks that lie near each other and are read with one call, to where they will stay. */
struct alc_seal_fetch {
    struct alc_seal_pointer pointers[ALC_SEAL_STAGE_BLOCKS];
    struct alc_seal_block *blocks[ALC_SEAL_STAGE_BLOCKS];
    struct alc_span spans[ALC_SEAL_STAGE_BLOCKS];
};

struct alc_seal {
    uint32_t lock;
    const struct alc_os *host;
    int32_t directory;
    int32_t container; /* handle of the host */
    struct alc_seal_options options;
    struct alc_seal_cipher cipher;
    uint8_t header[ALC_SEAL_BLOCK_SIZE];
    uint8_t key_id[ALC_SEAL_KEY_ID_SIZE];

    struct alc_seal_root root;   /* of the last commit, its numbers kept current */
    struct alc_seal_inode table; /* the inode table as a file; never in a slot */
    struct alc_seal_mark mark;   /* of the last commit */
    struct alc_seal_mark durable_mark;
    struct alc_seal_mark base; /* the newest one that the witness has */
    bool keeps_base;           /* what is written here is a child of another container's root */
    /* The two roots on the disk as this mount left or found them: others would be written by
     * somebody else. */
    uint8_t root_heads[2][ALC_SEAL_ROOT_HEAD_SIZE];
    uint32_t durable_place; /* block of the last durable root */
    bool is_read_only;      /* asked for, or because of damage */
    bool is_damaged;
    bool has_failed;     /* a change or a commit failed half-way: no more of them */
    bool has_changed;    /* since the last root was written */
    bool is_unsynced;    /* a root was written and no sync followed */
    bool is_unsettled;   /* something was written since the last settled root */
    bool is_quiet;       /* damage is not reported: it may be a torn commit */
    uint64_t kept_flags; /* of each root that is written: PARTIAL, LINE */

    /* Nonces of this session. */
    uint8_t epoch[ALC_SEAL_EPOCH_SIZE];
    uint64_t counter;         /* of the block written last */
    uint64_t durable_counter; /* at the last durable commit */

    /* Space: one bit for each block of the container. */
    uint64_t *busy;    /* in use by the present state or the durable one */
    uint64_t *pending; /* of those: free when the next commit is durable */
    uint64_t blocks_max;
    uint64_t blocks_count; /* that the container has */
    uint64_t free_count;   /* of those */
    uint64_t pending_count;
    uint64_t allocate_hand;
    struct alc_seal_run kept[ALC_SEAL_KEPT_RUNS];
    bool is_compacting; /* low addresses before everything else */

    struct alc_seal_cache cache;
    uint64_t stamp;  /* of the present operation */
    uint64_t now_ns; /* the host's clock in the operation `now_stamp` */
    uint64_t now_stamp;
    uint8_t *stage; /* ALC_SEAL_STAGE_BLOCKS blocks on their way out */
    uint64_t stage_address;
    uint32_t stage_count;
    struct alc_seal_fetch fetch;

    struct alc_seal_inode *inodes; /* ALC_SEAL_INODE_SLOTS */
    uint32_t inode_buckets[ALC_SEAL_INODE_BUCKETS];
    uint32_t inode_hand;

    struct alc_seal_handle handles[ALC_LIMIT_SEAL_HANDLES]; /* 0 is the root directory */
    uint8_t path[ALC_SEAL_PATH_SIZE];                       /* what is left to resolve */
    uint8_t scratch[ALC_SEAL_BLOCK_SIZE]; /* of the innermost function that uses it */
};

/* -- container.c: blocks of the host file, free space -- */

int64_t alc_seal_container_open(struct alc_seal *seal, bool *out_created);
/* Blocks from `address` on to the spans, which have whole blocks: the number of blocks read, less
 * than asked for where the host gives less; or IO. */
int64_t alc_seal_container_scatter(struct alc_seal *seal, uint64_t address,
                                   const struct alc_span *spans, size_t spans_count);
/* Exactly `count` blocks, or IO; the container's end is an error. */
int64_t alc_seal_container_read(struct alc_seal *seal, uint64_t address, uint32_t count,
                                uint8_t *bytes);
int64_t alc_seal_container_write(struct alc_seal *seal, uint64_t address, uint32_t count,
                                 uint8_t *bytes);
int64_t alc_seal_container_sync(struct alc_seal *seal);
/* Marks a block as in use; false: it is outside the container, or was already. */
bool alc_seal_space_claim(struct alc_seal *seal, uint64_t address);
/* Makes sure that `count` blocks can be allocated: grows the container. NO_SPACE. */
int64_t alc_seal_space_reserve(struct alc_seal *seal, uint64_t count);
/* A free block, or 0. */
uint64_t alc_seal_space_take(struct alc_seal *seal, enum alc_seal_use use);
/* Gives back what `pointer` names, now or when the next commit is durable. */
void alc_seal_space_release(struct alc_seal *seal, const struct alc_seal_pointer *pointer);
void alc_seal_space_settle(struct alc_seal *seal); /* the commit is durable */
void alc_seal_space_reset(struct alc_seal *seal);  /* nothing is in use */
/* Cuts free blocks off the container's end. */
void alc_seal_space_trim(struct alc_seal *seal);

/* -- cache.c -- */

/* Bytes and setting up of the cache; NULL in `out` when the arena is full. */
alc_status alc_seal_cache_init(struct alc_seal *seal, struct alc_arena *arena, uint32_t count);
void alc_seal_cache_reset(struct alc_seal *seal); /* forgets everything */
/* The block if it is in memory, marked as used by this operation; else NULL. */
struct alc_seal_block *alc_seal_cache_find(struct alc_seal *seal, uint64_t file, uint32_t level,
                                           uint32_t index);
/* A block for reading; *out is NULL for a hole. Valid until the operation ends. */
int64_t alc_seal_block_read(struct alc_seal *seal, const struct alc_seal_inode *inode,
                            uint32_t level, uint32_t index, struct alc_seal_block **out);
/* A block for changing: it and its ancestors are dirty afterwards, and so is the inode. A hole
 * becomes zeros. `whole`: all of it will be overwritten, so it is not read, and has any contents.
 */
int64_t alc_seal_block_change(struct alc_seal *seal, struct alc_seal_inode *inode, uint32_t level,
                              uint32_t index, bool whole, struct alc_seal_block **out);
/* A new block, dirty, of zeros unless `whole`; its ancestors are the caller's business. */
int64_t alc_seal_block_new(struct alc_seal *seal, uint64_t file, uint32_t level, uint32_t index,
                           bool whole, struct alc_seal_block **out);
/* Forgets a block, dirty or not. */
void alc_seal_block_drop(struct alc_seal *seal, struct alc_seal_block *block);
void alc_seal_block_clean(struct alc_seal *seal, struct alc_seal_block *block);
/* Brings blocks [first, first + count) of a level into memory, neighbours with one call; at most
 * ALC_SEAL_STAGE_BLOCKS, and a quarter of the cache. Best effort: what cannot be read is told when
 * it is used. */
void alc_seal_blocks_fetch(struct alc_seal *seal, const struct alc_seal_inode *inode,
                           uint32_t level, uint64_t first, uint64_t count);
void alc_seal_report(struct alc_seal *seal, enum alc_seal_reason reason, uint64_t file,
                     uint32_t level, uint32_t index, uint64_t address);

/* -- tree.c -- */

/* Blocks that a tree of this height has place for. */
uint64_t alc_seal_tree_capacity(uint32_t height);
/* The index in `level` of what contains data block `index`. */
uint32_t alc_seal_tree_index(uint32_t index, uint32_t levels_up);
/* Makes the tree high enough for data block `index`. FILE_TOO_BIG. */
int64_t alc_seal_tree_grow(struct alc_seal *seal, struct alc_seal_inode *inode, uint32_t index);
/* Frees all data blocks from `keep_count` on. */
int64_t alc_seal_tree_cut(struct alc_seal *seal, struct alc_seal_inode *inode, uint64_t keep_count);
/* Visits every pointer of a file once, parents first: `visit` says whether to go deeper, or fails.
 */
typedef int64_t alc_seal_visit(void *context, struct alc_seal *seal,
                               const struct alc_seal_inode *inode, uint32_t level, uint32_t index,
                               const struct alc_seal_pointer *pointer);
int64_t alc_seal_tree_walk(struct alc_seal *seal, const struct alc_seal_inode *inode,
                           alc_seal_visit *visit, void *context);

/* -- inode.c -- */

void alc_seal_inodes_reset(struct alc_seal *seal);
/* Takes a reference, ended by _put. IO when there is no such inode. */
int64_t alc_seal_inode_get(struct alc_seal *seal, uint64_t number, struct alc_seal_inode **out);
void alc_seal_inode_put(struct alc_seal *seal, struct alc_seal_inode *inode);
/* The same, also for a record that is free. */
int64_t alc_seal_inode_get_any(struct alc_seal *seal, uint64_t number, struct alc_seal_inode **out);
/* The next number after `number` that the table has a block for, or 0. */
uint64_t alc_seal_inode_after(struct alc_seal *seal, uint64_t number);
/* Must succeed before the record is changed. */
int64_t alc_seal_inode_change(struct alc_seal *seal, struct alc_seal_inode *inode);
/* A new inode without a name, with a reference. */
int64_t alc_seal_inode_new(struct alc_seal *seal, uint32_t type, struct alc_seal_inode **out);
/* One name less. Without names and handles, the inode is freed; without names only it becomes an
 * orphan. */
int64_t alc_seal_inode_unlink(struct alc_seal *seal, struct alc_seal_inode *inode);
/* A handle is gone: _put, and an orphan that nobody has open is freed. */
int64_t alc_seal_inode_close(struct alc_seal *seal, struct alc_seal_inode *inode);
int64_t alc_seal_orphans_free(struct alc_seal *seal);
/* Records go to the blocks of the table. */
void alc_seal_inodes_store(struct alc_seal *seal);
/* Asks the clock where times are stale. */
void alc_seal_inode_settle_times(struct alc_seal *seal, struct alc_seal_inode *inode);

/* -- transaction.c -- */

/* One call at a time; whoever waits gives the processor to others. */
void alc_seal_lock(struct alc_seal *seal);
void alc_seal_unlock(struct alc_seal *seal);

/* Begins an operation that only reads. */
void alc_seal_begin(struct alc_seal *seal);
/* Begins one that makes at most `blocks` blocks dirty: READ_ONLY, IO, NO_SPACE. Some space is left
 * for the next one: */
int64_t alc_seal_begin_change(struct alc_seal *seal, uint32_t blocks);
/* Begins one that frees more than it takes, and so has to work on a full disk: at most
 * ALC_SEAL_CHANGE_BLOCKS. */
int64_t alc_seal_begin_release(struct alc_seal *seal);
/* Ends one: `result` as it is; one that failed after it changed something is remembered. */
int64_t alc_seal_end_change(struct alc_seal *seal, int64_t result);
int64_t alc_seal_commit(struct alc_seal *seal, bool is_durable);
/* Writes the dirty data of files. Their nodes stay dirty, and no root is written. */
int64_t alc_seal_write_data(struct alc_seal *seal);
int64_t alc_seal_settle(struct alc_seal *seal); /* the last root of a session */
/* Draws a new epoch; IO. */
int64_t alc_seal_new_epoch(struct alc_seal *seal);

/* -- compact.c -- */

/* Gives space at the end of the container back to the host. Nothing else may be under way. */
int64_t alc_seal_compact(struct alc_seal *seal);

/* -- recover.c -- */

/* Finds the newest whole root and the free space. ALC_E_NOT_FOUND, without a word: there is none.
 */
alc_status alc_seal_recover(struct alc_seal *seal, struct alc_error *error);

/* -- directory.c -- */

/* The name's inode, or NO_ENTRY. */
int64_t alc_seal_directory_find(struct alc_seal *seal, const struct alc_seal_inode *directory,
                                const uint8_t *name, size_t name_size, struct alc_seal_entry *out);
/* Adds a name that is not there. */
int64_t alc_seal_directory_insert(struct alc_seal *seal, struct alc_seal_inode *directory,
                                  const uint8_t *name, size_t name_size, uint64_t inode,
                                  uint32_t type);
/* Removes a name that is there. */
int64_t alc_seal_directory_remove(struct alc_seal *seal, struct alc_seal_inode *directory,
                                  const uint8_t *name, size_t name_size);
/* Packed entries, as os.h has them. */
int64_t alc_seal_directory_list(struct alc_seal *seal, const struct alc_seal_inode *directory,
                                uint64_t cookie, uint8_t *buf, size_t buf_size);

/* -- path.c -- */

/* What a path names. `parent` is referenced; the inode is only named. */
struct alc_seal_target {
    struct alc_seal_inode *parent;
    const uint8_t *name; /* last component, in seal->path; name_size 0: the directory itself */
    size_t name_size;
    bool is_dots;         /* last component is . or .. */
    bool wants_directory; /* slashes at the end */
    uint64_t number;      /* 0: there is none of that name */
    uint32_t type;
};
/* Resolves beneath `start`; on success the caller puts target->parent. A last symbolic link is
 * followed if `follow`. */
int64_t alc_seal_resolve(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                         size_t path_size, bool follow, struct alc_seal_target *out);

/* -- names.c: operations on paths; `start` is the directory's inode -- */

int64_t alc_seal_open_at(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                         size_t path_size, uint32_t flags);
int64_t alc_seal_stat_at(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                         size_t path_size, uint32_t follow, struct alc_os_stat *out);
int64_t alc_seal_set_times_at(struct alc_seal *seal, struct alc_seal_inode *start,
                              const uint8_t *path, size_t path_size, uint32_t follow,
                              const uint64_t times_ns[2], uint32_t flags);
int64_t alc_seal_create_directory_at(struct alc_seal *seal, struct alc_seal_inode *start,
                                     const uint8_t *path, size_t path_size);
/* Files when `is_directory` is false, else empty directories. */
int64_t alc_seal_remove_at(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                           size_t path_size, bool is_directory);
int64_t alc_seal_link_at(struct alc_seal *seal, struct alc_seal_inode *old_start,
                         const uint8_t *old_path, size_t old_path_size, uint32_t follow,
                         struct alc_seal_inode *new_start, const uint8_t *new_path,
                         size_t new_path_size);
int64_t alc_seal_symlink_at(struct alc_seal *seal, const uint8_t *target, size_t target_size,
                            struct alc_seal_inode *start, const uint8_t *path, size_t path_size);
int64_t alc_seal_readlink_at(struct alc_seal *seal, struct alc_seal_inode *start,
                             const uint8_t *path, size_t path_size, uint8_t *buf, size_t buf_size);
/* rename.c */
int64_t alc_seal_rename_at(struct alc_seal *seal, struct alc_seal_inode *old_start,
                           const uint8_t *old_path, size_t old_path_size,
                           struct alc_seal_inode *new_start, const uint8_t *new_path,
                           size_t new_path_size);

/* -- file.c: operations on what is open -- */

/* Reads or writes at `offset`, as much as one operation moves; the count. With `ahead`, so many
 * blocks are brought into memory. */
int64_t alc_seal_file_read(struct alc_seal *seal, struct alc_seal_inode *inode,
                           const struct alc_span *spans, size_t spans_count, uint64_t offset,
                           uint32_t ahead);
int64_t alc_seal_file_write(struct alc_seal *seal, struct alc_seal_inode *inode,
                            const struct alc_span *spans, size_t spans_count, uint64_t offset);
int64_t alc_seal_file_set_size(struct alc_seal *seal, struct alc_seal_inode *inode, uint64_t size);
int64_t alc_seal_file_set_times(struct alc_seal *seal, struct alc_seal_inode *inode,
                                const uint64_t times_ns[2], uint32_t flags);
void alc_seal_file_stat(struct alc_seal *seal, struct alc_seal_inode *inode,
                        struct alc_os_stat *out);

#endif
