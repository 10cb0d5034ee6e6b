/* SPDX-License-Identifier: Apache-2.0
 *
 * The digest that names a file by a Merkle tree over its blocks, so that any block can be checked
 * by itself: fs-verity's file digest with SHA-256, blocks of 4096 bytes and no salt
 * (Linux, Documentation/filesystems/fsverity.rst). `fsverity digest FILE` prints the same.
 *
 * The tree is one run of blocks here: the hashes of the data's blocks first, then those of that
 * level's blocks, and so on up to the level that is one block. Each level is filled up with zeros.
 */
#ifndef ALC_ARCHIVE_VERITY_H
#define ALC_ARCHIVE_VERITY_H

#include "base/sha256.h"

enum {
    ALC_VERITY_BLOCK_SIZE = 4096,
    ALC_VERITY_HASHES = ALC_VERITY_BLOCK_SIZE / ALC_SHA256_SIZE, /* in a block */
    ALC_VERITY_LEVELS_MAX = 8,                                   /* 2^56 blocks */
};

/* Where the levels of a tree are. Level 0 is the data itself. */
struct alc_verity {
    uint64_t size;                                   /* of the data */
    uint32_t levels_count;                           /* above the data */
    uint64_t blocks[ALC_VERITY_LEVELS_MAX + 1];      /* of each level */
    uint64_t first_block[ALC_VERITY_LEVELS_MAX + 1]; /* in the tree; of level 0 it means nothing */
    uint64_t tree_blocks;
};

void alc_verity_init(struct alc_verity *verity, uint64_t size);
/* What names the file whose tree has this root: the SHA-256 of its only topmost block (zeros for an
 * empty file). */
void alc_verity_digest(const struct alc_verity *verity, const uint8_t root[ALC_SHA256_SIZE],
                       uint8_t digest[ALC_SHA256_SIZE]);
/* Hashes a block of which `size` bytes are there, the rest being zeros. */
void alc_verity_hash_block(const uint8_t *bytes, size_t size, uint8_t digest[ALC_SHA256_SIZE]);
/* Makes the tree of `verity->size` bytes in `tree`, verity->tree_blocks blocks, and the root. */
void alc_verity_build(const struct alc_verity *verity, const uint8_t *bytes, uint8_t *tree,
                      uint8_t root[ALC_SHA256_SIZE]);

#endif
