/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and hashes of fs-verity's Merkle tree.
 */
#include "archive/verity.h"

#include "base/bytes.h"

void alc_verity_init(struct alc_verity *verity, uint64_t size)
{
    uint64_t blocks = size / ALC_VERITY_BLOCK_SIZE + (size % ALC_VERITY_BLOCK_SIZE != 0);
    *verity = (struct alc_verity){.size = size, .blocks = {blocks}};
    while (blocks > 1) {
        blocks = (blocks + ALC_VERITY_HASHES - 1) / ALC_VERITY_HASHES;
        verity->levels_count++;
        verity->blocks[verity->levels_count] = blocks;
        verity->first_block[verity->levels_count] = verity->tree_blocks;
        verity->tree_blocks += blocks;
    }
}

/* struct fsverity_descriptor. */
void alc_verity_digest(const struct alc_verity *verity, const uint8_t root[ALC_SHA256_SIZE],
                       uint8_t digest[ALC_SHA256_SIZE])
{
    enum { VERSION = 1, SHA256 = 1, LOG_BLOCK_SIZE = 12, SIZE_AT = 8, ROOT_AT = 16 };
    uint8_t descriptor[256] = {VERSION, SHA256, LOG_BLOCK_SIZE};
    alc_store_u64(&descriptor[SIZE_AT], verity->size);
    alc_copy(&descriptor[ROOT_AT], root, ALC_SHA256_SIZE);
    alc_sha256(descriptor, sizeof descriptor, digest);
}

void alc_verity_hash_block(const uint8_t *bytes, size_t size, uint8_t digest[ALC_SHA256_SIZE])
{
    static const uint8_t zeros[64];
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, bytes, size);
    for (size_t left = ALC_VERITY_BLOCK_SIZE - size; left > 0;) {
        size_t part = left < sizeof zeros ? left : sizeof zeros;
        alc_sha256_update(&hash, zeros, part);
        left -= part;
    }
    alc_sha256_finish(&hash, digest);
}

/* Writes the hashes of `size` bytes' blocks and fills their last block up. */
static void hash_level(const uint8_t *bytes, uint64_t size, uint8_t *hashes, uint64_t hashes_size)
{
    uint64_t done = 0;
    for (uint64_t at = 0; at < size; at += ALC_VERITY_BLOCK_SIZE) {
        uint64_t part = size - at < ALC_VERITY_BLOCK_SIZE ? size - at : ALC_VERITY_BLOCK_SIZE;
        alc_verity_hash_block(bytes + at, (size_t)part, hashes + done);
        done += ALC_SHA256_SIZE;
    }
    alc_fill(hashes + done, 0, (size_t)(hashes_size - done));
}

void alc_verity_build(const struct alc_verity *verity, const uint8_t *bytes, uint8_t *tree,
                      uint8_t root[ALC_SHA256_SIZE])
{
    const uint8_t *below = bytes;
    uint64_t below_size = verity->size;
    for (uint32_t level = 1; level <= verity->levels_count; level++) {
        uint8_t *hashes = tree + verity->first_block[level] * ALC_VERITY_BLOCK_SIZE;
        uint64_t size = verity->blocks[level] * ALC_VERITY_BLOCK_SIZE;
        hash_level(below, below_size, hashes, size);
        below = hashes;
        below_size = size;
    }
    if (verity->size == 0) {
        alc_fill(root, 0, ALC_SHA256_SIZE);
    } else {
        alc_verity_hash_block(below, (size_t)below_size, root);
    }
}
