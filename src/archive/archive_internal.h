/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of archive: one open mount. Functions return 0 (or a count) or minus a number of
 * errno.def. The lock is held in all of them.
 */
#ifndef ALC_ARCHIVE_ARCHIVE_INTERNAL_H
#define ALC_ARCHIVE_ARCHIVE_INTERNAL_H

#include "archive/archive.h"

enum {
    ALC_ARCHIVE_WINDOW_BLOCKS = 16, /* of the archive, read with one call of the host */
    ALC_ARCHIVE_WINDOWS = 64,       /* kept: 4 MiB */
    ALC_ARCHIVE_HASH_BLOCKS = 64,   /* of the tree, kept: hashes of 32 MiB */
    ALC_ARCHIVE_BUCKETS = 1 << 14,
    ALC_ARCHIVE_CHUNK_NODES = 1 << 10, /* taken from the arena at once */
    ALC_ARCHIVE_CHUNKS = ALC_LIMIT_ARCHIVE_ENTRIES / ALC_ARCHIVE_CHUNK_NODES,
    ALC_ARCHIVE_PATH_SIZE = 2 * ALC_LIMIT_WASI_PATH_SIZE,
    ALC_ARCHIVE_HEADER_SIZE = 512,
};
enum { ALC_ARCHIVE_NONE = UINT32_MAX };

/* A run of blocks of the archive. */
struct alc_archive_window {
    uint64_t number; /* of the run; UINT64_MAX: free */
    uint32_t good;   /* bit i: block i was read and checked */
    bool is_recent;  /* second chance */
    uint8_t *bytes;
};

/* A checked block of the tree. */
struct alc_archive_hashes {
    uint64_t block; /* in the tree; UINT64_MAX: free */
    bool is_recent;
    uint8_t *bytes;
};

/* A file, a directory, a symbolic link, or a further name of a file. Nodes are numbered; 0 is the
 * root directory. */
struct alc_archive_node {
    uint64_t offset; /* of a file's contents in the archive */
    uint64_t size;   /* of them, or of a link's target */
    uint64_t modify_time_ns;
    const uint8_t *name;
    const uint8_t *target; /* of a symbolic link */
    uint32_t parent;
    uint32_t first_child; /* in the order of the archive */
    uint32_t last_child;
    uint32_t next_sibling;
    uint32_t chain; /* of the same bucket */
    uint32_t inode; /* the node that has the contents: itself, but for further names */
    uint32_t links_count;
    uint16_t name_size;
    uint8_t type; /* enum alc_os_file_type */
};

struct alc_archive_handle {
    uint32_t node;
    uint32_t flags; /* enum alc_os_open_flags */
    uint64_t pos;
    bool is_open;
};

struct alc_archive {
    uint32_t lock;
    const struct alc_os *host;
    struct alc_archive_options options;
    struct alc_arena *arena; /* of nodes and names; used until the mount is open */
    struct alc_verity verity;
    uint8_t root[ALC_SHA256_SIZE];

    struct alc_archive_window windows[ALC_ARCHIVE_WINDOWS];
    uint32_t window_hand;
    struct alc_archive_hashes hashes[ALC_ARCHIVE_HASH_BLOCKS];
    uint32_t hashes_hand;
    uint64_t read_end; /* where the last transfer ended: one that begins there reads ahead */

    struct alc_archive_node *chunks[ALC_ARCHIVE_CHUNKS];
    uint32_t nodes_count;
    uint32_t buckets[ALC_ARCHIVE_BUCKETS];

    struct alc_archive_handle handles[ALC_LIMIT_ARCHIVE_HANDLES]; /* 0 is the root directory */
    uint8_t path[ALC_ARCHIVE_PATH_SIZE];                          /* what is left to resolve */
};

/* -- blocks.c: bytes of the archive, checked -- */

/* Reads the tree's root and sees that it is what the digest names. */
int64_t alc_archive_blocks_init(struct alc_archive *archive);
/* Exactly `size` bytes, which the archive has; IO. */
int64_t alc_archive_bytes(struct alc_archive *archive, uint64_t offset, uint8_t *bytes,
                          size_t size);

/* -- nodes.c: the tree of names -- */

/* The root directory. */
ALC_MUST_CHECK alc_status alc_archive_nodes_init(struct alc_archive *archive);

static inline struct alc_archive_node *alc_archive_node(const struct alc_archive *archive,
                                                        uint32_t number)
{
    return &archive->chunks[number / ALC_ARCHIVE_CHUNK_NODES][number % ALC_ARCHIVE_CHUNK_NODES];
}

/* The child of that name, or ALC_ARCHIVE_NONE. */
uint32_t alc_archive_find(const struct alc_archive *archive, uint32_t parent, const uint8_t *name,
                          size_t name_size);

/* What an archive says of one name. */
struct alc_archive_entry {
    const uint8_t *path; /* as it stands there */
    size_t path_size;
    const uint8_t *target; /* of links */
    size_t target_size;
    uint64_t offset;
    uint64_t size;
    uint64_t modify_time_ns;
    uint8_t type;      /* enum alc_os_file_type */
    bool is_hard_link; /* a further name of `target` */
};

/* Puts an entry into the tree, with the directories that lead to it; a later entry takes the place
 * of an earlier one. ALC_E_BAD_ARCHIVE for names that lead out of the tree, or through what is no
 * directory. */
ALC_MUST_CHECK alc_status alc_archive_add(struct alc_archive *archive,
                                          const struct alc_archive_entry *entry);

/* -- tar.c -- */

/* Reads all headers. */
ALC_MUST_CHECK alc_status alc_archive_read_headers(struct alc_archive *archive,
                                                   struct alc_error *error);

/* -- path.c -- */

/* The node that a path names, strictly beneath `start`. `follow`: also a final symbolic link. */
int64_t alc_archive_resolve(struct alc_archive *archive, uint32_t start, const uint8_t *path,
                            size_t path_size, bool follow, uint32_t *out);

/* -- components of paths -- */

/* Moves *pos behind the next component and the slashes before it; its size, 0 at the end. */
static inline size_t alc_archive_component(const uint8_t *path, size_t path_size, size_t *pos,
                                           const uint8_t **out)
{
    while (*pos < path_size && path[*pos] == '/') {
        (*pos)++;
    }
    *out = path + *pos;
    size_t from = *pos;
    while (*pos < path_size && path[*pos] != '/') {
        (*pos)++;
    }
    return *pos - from;
}

static inline bool alc_archive_is_dot(const uint8_t *name, size_t size)
{
    return size == 1 && name[0] == '.';
}

static inline bool alc_archive_is_dot_dot(const uint8_t *name, size_t size)
{
    return size == 2 && name[0] == '.' && name[1] == '.';
}

#endif
