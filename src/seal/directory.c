/* SPDX-License-Identifier: Apache-2.0
 *
 * Directories: names in the order of their keyed hashes, in a trie of buckets. Bucket 1 is the
 * root; a full bucket b is split into 2b and 2b + 1 by the next bit of the hashes. Bucket b is
 * block b - 1 of the directory's file; a hole is an empty bucket.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

/* A bucket that has entries, or is a hole, and the way to it. */
struct leaf {
    uint64_t bucket;
    uint32_t depth;               /* bits of the hash that led here */
    struct alc_seal_block *block; /* NULL: a hole */
    uint32_t size;                /* bytes of entries */
};

static uint64_t bit_of(uint64_t hash, uint32_t depth)
{
    return hash >> (63 - depth) & 1;
}

static int64_t report_malformed(struct alc_seal *seal, const struct alc_seal_inode *directory,
                                uint64_t bucket)
{
    alc_seal_report(seal, ALC_SEAL_MALFORMED, directory->number, 0, (uint32_t)(bucket - 1), 0);
    return -ALC_OS_IO;
}

static int64_t find_leaf(struct alc_seal *seal, const struct alc_seal_inode *directory,
                         uint64_t hash, struct leaf *out)
{
    *out = (struct leaf){.bucket = 1};
    while (true) {
        enum alc_seal_bucket_kind kind;
        int64_t result =
            alc_seal_block_read(seal, directory, 0, (uint32_t)(out->bucket - 1), &out->block);
        if (result < 0 || out->block == NULL) {
            return result;
        }
        if (!alc_seal_bucket_decode(out->block->bytes, &kind, &out->size)) {
            return report_malformed(seal, directory, out->bucket);
        }
        if (kind == ALC_SEAL_BUCKET_ENTRIES) {
            return 0;
        }
        if (out->depth == ALC_LIMIT_SEAL_BUCKET_DEPTH) {
            return report_malformed(seal, directory, out->bucket);
        }
        out->bucket = 2 * out->bucket + bit_of(hash, out->depth);
        out->depth++;
    }
}

/* The first entry of a leaf that is not before `hash`; *out_offset is where it is or would be. The
 * entry's hash is 0 when there is none. */
static int64_t find_entry(struct alc_seal *seal, const struct alc_seal_inode *directory,
                          const struct leaf *leaf, uint64_t hash, struct alc_seal_entry *out,
                          uint32_t *out_offset)
{
    uint32_t next = 0;
    *out_offset = 0;
    while (leaf->block != NULL && *out_offset < leaf->size) {
        if (!alc_seal_entry_decode(leaf->block->bytes, leaf->size, *out_offset, out, &next)) {
            return report_malformed(seal, directory, leaf->bucket);
        }
        if (out->hash >= hash) {
            return 0;
        }
        *out_offset = next;
    }
    *out = (struct alc_seal_entry){.hash = 0};
    return 0;
}

static uint32_t entry_size(size_t name_size)
{
    return ALC_SEAL_ENTRY_HEADER_SIZE + (uint32_t)name_size;
}

int64_t alc_seal_directory_find(struct alc_seal *seal, const struct alc_seal_inode *directory,
                                const uint8_t *name, size_t name_size, struct alc_seal_entry *out)
{
    struct leaf leaf;
    uint32_t offset;
    if (name_size > ALC_LIMIT_SEAL_NAME_SIZE) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    uint64_t hash = alc_seal_name_hash(&seal->cipher, directory->record.file_id, name, name_size);
    int64_t result = find_leaf(seal, directory, hash, &leaf);
    if (result == 0) {
        result = find_entry(seal, directory, &leaf, hash, out, &offset);
    }
    if (result < 0) {
        return result;
    }
    return out->hash == hash && out->name_size == name_size && alc_equal(out->name, name, name_size)
               ? 0
               : -ALC_OS_NO_ENTRY;
}

/* -- changing -- */

/* Distributes the entries of a full bucket, which is in seal->scratch, to two new ones. */
static int64_t distribute(struct alc_seal *seal, const struct leaf *full,
                          struct alc_seal_block *const children[2])
{
    uint32_t sizes[2] = {0, 0};
    for (uint32_t offset = 0; offset < full->size;) {
        struct alc_seal_entry entry;
        if (!alc_seal_entry_decode(seal->scratch, full->size, offset, &entry, &offset)) {
            return -ALC_OS_IO;
        }
        uint64_t side = bit_of(entry.hash, full->depth);
        alc_seal_entry_encode(&entry, children[side]->bytes, sizes[side]);
        sizes[side] += entry_size(entry.name_size);
    }
    for (uint32_t i = 0; i < 2; i++) {
        alc_fill(children[i]->bytes + ALC_SEAL_BUCKET_HEADER_SIZE + sizes[i], 0,
                 ALC_SEAL_BUCKET_SIZE - sizes[i]);
        alc_seal_bucket_encode(children[i]->bytes, ALC_SEAL_BUCKET_ENTRIES, sizes[i]);
    }
    return 0;
}

static int64_t split(struct alc_seal *seal, struct alc_seal_inode *directory,
                     const struct leaf *full)
{
    struct alc_seal_block *block;
    struct alc_seal_block *children[2];
    if (full->depth == ALC_LIMIT_SEAL_BUCKET_DEPTH) {
        return -ALC_OS_NO_SPACE;
    }
    int64_t result =
        alc_seal_block_change(seal, directory, 0, (uint32_t)(full->bucket - 1), false, &block);
    for (uint32_t i = 0; result == 0 && i < 2; i++) {
        result = alc_seal_block_change(seal, directory, 0, (uint32_t)(2 * full->bucket + i - 1),
                                       true, &children[i]);
    }
    if (result < 0) {
        return result;
    }
    alc_copy(seal->scratch, block->bytes, ALC_SEAL_BLOCK_SIZE);
    alc_fill(block->bytes, 0, ALC_SEAL_BLOCK_SIZE);
    alc_seal_bucket_encode(block->bytes, ALC_SEAL_BUCKET_SPLIT, 0);
    return distribute(seal, full, children);
}

int64_t alc_seal_directory_insert(struct alc_seal *seal, struct alc_seal_inode *directory,
                                  const uint8_t *name, size_t name_size, uint64_t inode,
                                  uint32_t type)
{
    struct leaf leaf;
    struct alc_seal_entry found;
    uint32_t offset;
    const struct alc_seal_entry entry = {
        .hash = alc_seal_name_hash(&seal->cipher, directory->record.file_id, name, name_size),
        .inode = inode,
        .type = type,
        .name_size = (uint32_t)name_size,
        .name = name};
    uint32_t size = entry_size(name_size);
    int64_t result = find_leaf(seal, directory, entry.hash, &leaf);
    while (result == 0 && leaf.size + size > ALC_SEAL_BUCKET_SIZE) {
        result = split(seal, directory, &leaf);
        if (result == 0) {
            result = find_leaf(seal, directory, entry.hash, &leaf);
        }
    }
    if (result == 0) {
        result = alc_seal_block_change(seal, directory, 0, (uint32_t)(leaf.bucket - 1), false,
                                       &leaf.block);
    }
    if (result == 0) {
        result = alc_seal_inode_change(seal, directory);
    }
    if (result == 0) {
        result = find_entry(seal, directory, &leaf, entry.hash, &found, &offset);
    }
    if (result == 0 && found.hash == entry.hash) { /* once in 2^40 directories of a million names */
        result = -ALC_OS_NO_SPACE;
    }
    if (result < 0) {
        return result;
    }
    uint8_t *bytes = leaf.block->bytes + ALC_SEAL_BUCKET_HEADER_SIZE;
    alc_move(bytes + offset + size, bytes + offset, leaf.size - offset);
    alc_seal_entry_encode(&entry, leaf.block->bytes, offset);
    alc_seal_bucket_encode(leaf.block->bytes, ALC_SEAL_BUCKET_ENTRIES, leaf.size + size);
    directory->record.size++;
    directory->stale_times |= ALC_SEAL_STALE_MODIFY | ALC_SEAL_STALE_CHANGE;
    return 0;
}

int64_t alc_seal_directory_remove(struct alc_seal *seal, struct alc_seal_inode *directory,
                                  const uint8_t *name, size_t name_size)
{
    struct leaf leaf;
    struct alc_seal_entry entry;
    uint32_t offset = 0;
    uint32_t size = entry_size(name_size);
    uint64_t hash = alc_seal_name_hash(&seal->cipher, directory->record.file_id, name, name_size);
    int64_t result = find_leaf(seal, directory, hash, &leaf);
    if (result == 0) {
        result = alc_seal_block_change(seal, directory, 0, (uint32_t)(leaf.bucket - 1), false,
                                       &leaf.block);
    }
    if (result == 0) {
        result = alc_seal_inode_change(seal, directory);
    }
    if (result == 0) {
        result = find_entry(seal, directory, &leaf, hash, &entry, &offset);
    }
    if (result == 0 && (entry.hash != hash || entry.name_size != name_size)) {
        result = -ALC_OS_NO_ENTRY;
    }
    if (result < 0) {
        return result;
    }
    uint8_t *bytes = leaf.block->bytes + ALC_SEAL_BUCKET_HEADER_SIZE;
    alc_move(bytes + offset, bytes + offset + size, leaf.size - offset - size);
    alc_fill(bytes + leaf.size - size, 0, size);
    alc_seal_bucket_encode(leaf.block->bytes, ALC_SEAL_BUCKET_ENTRIES, leaf.size - size);
    directory->record.size -= directory->record.size != 0 ? 1 : 0;
    directory->stale_times |= ALC_SEAL_STALE_MODIFY | ALC_SEAL_STALE_CHANGE;
    return directory->record.size == 0 ? alc_seal_tree_cut(seal, directory, 0) : 0;
}

/* -- listing: cookie 1 is behind `.`, 2 behind `..`, others are the hash of the entry before -- */

struct listing {
    uint8_t *buf;
    size_t size;
    size_t used;
};

static bool put_entry(struct listing *listing, const struct alc_os_directory_entry *header,
                      const uint8_t *name)
{
    if (sizeof *header + header->name_size > listing->size - listing->used) {
        return false;
    }
    alc_copy(listing->buf + listing->used, header, sizeof *header);
    alc_copy(listing->buf + listing->used + sizeof *header, name, header->name_size);
    listing->used += sizeof *header + header->name_size;
    return true;
}

static bool put_dots(const struct alc_seal_inode *directory, uint64_t cookie,
                     struct listing *listing)
{
    for (uint64_t i = cookie; i < 2; i++) {
        const struct alc_os_directory_entry header = {.next = i + 1,
                                                      .inode = i == 0 ? directory->number
                                                                      : directory->record.parent,
                                                      .name_size = (uint32_t)i + 1,
                                                      .type = ALC_OS_TYPE_DIRECTORY};
        if (!put_entry(listing, &header, (const uint8_t *)"..")) {
            return false;
        }
    }
    return true;
}

/* All entries of a leaf behind `cookie`. 1: and there is room for more. */
static int64_t put_leaf(struct alc_seal *seal, const struct alc_seal_inode *directory,
                        const struct leaf *leaf, uint64_t cookie, struct listing *listing)
{
    struct alc_seal_entry entry;
    uint32_t offset;
    int64_t result = find_entry(seal, directory, leaf, cookie + 1, &entry, &offset);
    while (result == 0 && entry.hash != 0) {
        const struct alc_os_directory_entry header = {.next = entry.hash,
                                                      .inode = entry.inode,
                                                      .name_size = entry.name_size,
                                                      .type = entry.type};
        if (!put_entry(listing, &header, entry.name)) {
            return 0;
        }
        if (entry.hash == UINT64_MAX) {
            return 1;
        }
        result = find_entry(seal, directory, leaf, entry.hash + 1, &entry, &offset);
    }
    return result < 0 ? result : 1;
}

int64_t alc_seal_directory_list(struct alc_seal *seal, const struct alc_seal_inode *directory,
                                uint64_t cookie, uint8_t *buf, size_t buf_size)
{
    struct listing listing = {.buf = buf, .size = buf_size};
    bool has_room = put_dots(directory, cookie, &listing);
    uint64_t last = cookie < 2 ? 2 : cookie; /* what has been told */
    while (has_room && last != UINT64_MAX) {
        struct leaf leaf;
        seal->stamp++;
        int64_t result = find_leaf(seal, directory, last + 1, &leaf);
        if (result == 0) {
            result = put_leaf(seal, directory, &leaf, last, &listing);
        }
        if (result < 0) {
            return listing.used != 0 ? (int64_t)listing.used : result;
        }
        has_room = result == 1;
        /* The last hash that could be in this leaf. */
        last = leaf.depth == 0 ? UINT64_MAX : (last + 1) | (UINT64_MAX >> leaf.depth);
    }
    return listing.used == 0 && !has_room ? -ALC_OS_OVERFLOW : (int64_t)listing.used;
}
