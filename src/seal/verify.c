/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at everything: each block of each file is opened with the tag that its parent holds, and
 * each name leads to a file of its type.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

struct count {
    uint64_t damaged_count;
};

/* A block that is not what it should be has been reported by whoever read it. */
static int64_t look(void *context, struct alc_seal *seal, const struct alc_seal_inode *inode,
                    uint32_t level, uint32_t index, const struct alc_seal_pointer *pointer)
{
    struct count *count = context;
    struct alc_seal_block *block;
    (void)pointer;
    if (alc_seal_cache_find(seal, inode->number, level, index) == NULL) {
        alc_seal_blocks_fetch(seal, inode, level, index, ALC_SEAL_STAGE_BLOCKS);
    }
    if (alc_seal_block_read(seal, inode, level, index, &block) < 0 || block == NULL) {
        count->damaged_count++;
        return 0;
    }
    return 1;
}

static bool is_name_good(struct alc_seal *seal, const struct alc_seal_entry *entry)
{
    struct alc_seal_inode *named;
    if (alc_seal_inode_get(seal, entry->inode, &named) < 0) {
        return false;
    }
    bool is_good = named->record.type == entry->type;
    alc_seal_inode_put(seal, named);
    return is_good;
}

static int64_t look_at_names(void *context, struct alc_seal *seal,
                             const struct alc_seal_inode *inode, uint32_t level, uint32_t index,
                             const struct alc_seal_pointer *pointer)
{
    struct count *count = context;
    struct alc_seal_block *block;
    enum alc_seal_bucket_kind kind;
    uint32_t size;
    int64_t result = look(context, seal, inode, level, index, pointer);
    if (result <= 0 || level != 0) {
        return result;
    }
    if (alc_seal_block_read(seal, inode, 0, index, &block) < 0) {
        return 0;
    }
    bool is_good = alc_seal_bucket_decode(block->bytes, &kind, &size);
    for (uint32_t at = 0; is_good && at < size;) {
        struct alc_seal_entry entry;
        is_good = alc_seal_entry_decode(block->bytes, size, at, &entry, &at) &&
                  is_name_good(seal, &entry);
    }
    if (!is_good) {
        alc_seal_report(seal, ALC_SEAL_MALFORMED, inode->number, 0, index, 0);
        count->damaged_count++;
    }
    return 0;
}

uint64_t alc_seal_verify(struct alc_seal *seal)
{
    struct count count = {0};
    alc_seal_lock(seal);
    count.damaged_count += alc_seal_tree_walk(seal, &seal->table, look, &count) < 0 ? 1 : 0;
    for (uint64_t number = alc_seal_inode_after(seal, 0); number != 0;
         number = alc_seal_inode_after(seal, number)) {
        struct alc_seal_inode *inode;
        alc_seal_begin(seal);
        if (alc_seal_inode_get_any(seal, number, &inode) < 0) {
            count.damaged_count++;
            continue;
        }
        bool is_directory = inode->record.type == ALC_OS_TYPE_DIRECTORY;
        int64_t result =
            inode->record.type == 0
                ? 0
                : alc_seal_tree_walk(seal, inode, is_directory ? look_at_names : look, &count);
        count.damaged_count += result < 0 ? 1 : 0;
        alc_seal_inode_put(seal, inode);
    }
    if (count.damaged_count == 0 && seal->is_damaged) {
        count.damaged_count = 1; /* found when it was opened */
    }
    alc_seal_unlock(seal);
    return count.damaged_count;
}

void alc_seal_get_info(struct alc_seal *seal, struct alc_seal_info *out)
{
    alc_seal_lock(seal);
    *out = (struct alc_seal_info){.generation = seal->root.generation,
                                  .blocks_count = seal->blocks_count,
                                  .used_count = seal->blocks_count - seal->free_count};
    alc_copy(out->key_id, seal->key_id, sizeof out->key_id);
    for (uint64_t number = alc_seal_inode_after(seal, 0); number != 0;
         number = alc_seal_inode_after(seal, number)) {
        struct alc_seal_inode *inode;
        alc_seal_begin(seal);
        if (alc_seal_inode_get_any(seal, number, &inode) == 0) {
            out->files_count += inode->record.type != 0 ? 1 : 0;
            alc_seal_inode_put(seal, inode);
        }
    }
    alc_seal_unlock(seal);
}
