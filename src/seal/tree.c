/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of a file: its shape, growing, cutting, visiting. Heights are at most
 * ALC_LIMIT_SEAL_TREE_HEIGHT, so a way through it fits a fixed array and nothing recurses.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

enum { HEIGHT_MAX = ALC_LIMIT_SEAL_TREE_HEIGHT };

uint64_t alc_seal_tree_capacity(uint32_t height)
{
    uint64_t capacity = 1;
    for (uint32_t i = 0; i < height; i++) {
        capacity *= ALC_SEAL_FANOUT;
    }
    return capacity;
}
_Static_assert(UINT64_C(85) * 85 * 85 * 85 * 85 > UINT32_MAX && HEIGHT_MAX == 5,
               "every index of 32 bits has a place");

uint32_t alc_seal_tree_index(uint32_t index, uint32_t levels_up)
{
    for (uint32_t i = 0; i < levels_up; i++) {
        index /= ALC_SEAL_FANOUT;
    }
    return index;
}

int64_t alc_seal_tree_grow(struct alc_seal *seal, struct alc_seal_inode *inode, uint32_t index)
{
    struct alc_seal_record *record = &inode->record;
    while (index >= alc_seal_tree_capacity(record->height)) {
        if (record->height == HEIGHT_MAX) {
            return -ALC_OS_FILE_TOO_BIG;
        }
        bool is_empty = record->root.address == 0 &&
                        alc_seal_cache_find(seal, inode->number, record->height, 0) == NULL;
        if (!is_empty) {
            struct alc_seal_block *node;
            int64_t result =
                alc_seal_block_new(seal, inode->number, record->height + 1, 0, false, &node);
            if (result < 0) {
                return result;
            }
            alc_seal_pointer_encode(&record->root, node->bytes, 0);
            record->root = (struct alc_seal_pointer){.address = 0};
        }
        record->height++;
    }
    return 0;
}

/* -- cutting -- */

static void drop_cached(struct alc_seal *seal, const struct alc_seal_inode *inode, uint32_t level,
                        uint32_t index)
{
    struct alc_seal_block *block = alc_seal_cache_find(seal, inode->number, level, index);
    if (block != NULL) {
        alc_seal_block_drop(seal, block);
    }
}

/* Frees what a node of level 1 points to. */
static int64_t release_data(struct alc_seal *seal, const struct alc_seal_inode *inode,
                            struct alc_seal_block *node, uint32_t index)
{
    for (uint32_t slot = 0; slot < ALC_SEAL_FANOUT; slot++) {
        struct alc_seal_pointer pointer;
        if (!alc_seal_pointer_decode(node->bytes, slot, &pointer)) {
            return -ALC_OS_IO;
        }
        drop_cached(seal, inode, 0, index * ALC_SEAL_FANOUT + slot);
        alc_seal_space_release(seal, &pointer);
    }
    return 0;
}

/* Frees all that is beneath block `top_index` of `top_level`, and that block; `pointer` is its
 * parent's, still in place. */
static int64_t release_subtree(struct alc_seal *seal, const struct alc_seal_inode *inode,
                               uint32_t top_level, uint32_t top_index,
                               const struct alc_seal_pointer *pointer)
{
    struct {
        uint32_t index;
        uint32_t slot;
        struct alc_seal_pointer pointer;
    } at[HEIGHT_MAX + 1];
    uint32_t level = top_level;
    at[level].index = top_index;
    at[level].slot = 0;
    at[level].pointer = *pointer;
    while (true) {
        struct alc_seal_block *node = NULL;
        seal->stamp++; /* as many nodes as the file has may pass by */
        int64_t result =
            level == 0 ? 0 : alc_seal_block_read(seal, inode, level, at[level].index, &node);
        if (result == 0 && level == 1 && node != NULL) {
            result = release_data(seal, inode, node, at[level].index);
            at[level].slot = ALC_SEAL_FANOUT;
        }
        if (result < 0) {
            return result;
        }
        if (node != NULL && at[level].slot < ALC_SEAL_FANOUT) {
            uint32_t slot = at[level].slot++;
            uint32_t child = at[level].index * ALC_SEAL_FANOUT + slot;
            if (!alc_seal_pointer_decode(node->bytes, slot, &at[level - 1].pointer)) {
                return -ALC_OS_IO;
            }
            if (at[level - 1].pointer.address != 0 ||
                alc_seal_cache_find(seal, inode->number, level - 1, child) != NULL) {
                level--;
                at[level].index = child;
                at[level].slot = 0;
            }
            continue;
        }
        drop_cached(seal, inode, level, at[level].index);
        alc_seal_space_release(seal, &at[level].pointer);
        if (level == top_level) {
            return 0;
        }
        level++;
    }
}

/* Frees the places behind `last` of a node that stays. */
static int64_t cut_node(struct alc_seal *seal, struct alc_seal_inode *inode, uint32_t level,
                        uint32_t last)
{
    struct alc_seal_block *node;
    uint32_t index = last / ALC_SEAL_FANOUT;
    int64_t result = alc_seal_block_read(seal, inode, level, index, &node);
    if (result < 0 || node == NULL || last % ALC_SEAL_FANOUT == ALC_SEAL_FANOUT - 1) {
        return result;
    }
    result = alc_seal_block_change(seal, inode, level, index, false, &node);
    for (uint32_t slot = last % ALC_SEAL_FANOUT + 1; result == 0 && slot < ALC_SEAL_FANOUT;
         slot++) {
        struct alc_seal_pointer pointer;
        const struct alc_seal_pointer none = {.address = 0};
        if (!alc_seal_pointer_decode(node->bytes, slot, &pointer)) {
            return -ALC_OS_IO;
        }
        result = release_subtree(seal, inode, level - 1, index * ALC_SEAL_FANOUT + slot, &pointer);
        alc_seal_pointer_encode(&none, node->bytes, slot);
    }
    return result;
}

int64_t alc_seal_tree_cut(struct alc_seal *seal, struct alc_seal_inode *inode, uint64_t keep_count)
{
    struct alc_seal_record *record = &inode->record;
    int64_t result = alc_seal_inode_change(seal, inode);
    if (result < 0 || keep_count >= alc_seal_tree_capacity(record->height)) {
        return result;
    }
    if (keep_count == 0) {
        const struct alc_seal_pointer root = record->root;
        result = release_subtree(seal, inode, record->height, 0, &root);
        record->root = (struct alc_seal_pointer){.address = 0};
        record->height = 0;
        return result;
    }
    uint32_t last = (uint32_t)(keep_count - 1);
    for (uint32_t level = 1; result == 0 && level <= record->height; level++) {
        result = cut_node(seal, inode, level, last);
        last /= ALC_SEAL_FANOUT;
    }
    return result;
}

/* -- visiting -- */

int64_t alc_seal_tree_walk(struct alc_seal *seal, const struct alc_seal_inode *inode,
                           alc_seal_visit *visit, void *context)
{
    struct {
        uint32_t index;
        uint32_t slot;
    } at[HEIGHT_MAX + 1];
    uint32_t level = inode->record.height;
    if (inode->record.root.address == 0) {
        return 0;
    }
    int64_t result = visit(context, seal, inode, level, 0, &inode->record.root);
    if (result <= 0 || level == 0) {
        return result < 0 ? result : 0;
    }
    at[level].index = 0;
    at[level].slot = 0;
    while (true) {
        struct alc_seal_block *node;
        struct alc_seal_pointer pointer;
        if (at[level].slot == ALC_SEAL_FANOUT) {
            if (level == inode->record.height) {
                return 0;
            }
            level++;
            continue;
        }
        seal->stamp++;
        result = alc_seal_block_read(seal, inode, level, at[level].index, &node);
        if (result < 0) {
            return result;
        }
        uint32_t slot = at[level].slot++;
        uint32_t child = at[level].index * ALC_SEAL_FANOUT + slot;
        if (node == NULL || !alc_seal_pointer_decode(node->bytes, slot, &pointer)) {
            return -ALC_OS_IO;
        }
        if (pointer.address == 0) {
            continue;
        }
        result = visit(context, seal, inode, level - 1, child, &pointer);
        if (result < 0) {
            return result;
        }
        if (result > 0 && level > 1) {
            level--;
            at[level].index = child;
            at[level].slot = 0;
        }
    }
}
