/* SPDX-License-Identifier: Apache-2.0
 *
 * A smaller container: blocks at its end are written again, which puts them where there is room,
 * and the end is cut off. Ordinary changes and commits, so a crash finds what it always finds.
 */
#include "seal/seal_internal.h"

enum { ROUNDS_MAX = 64 };

static uint64_t used_count(const struct alc_seal *seal)
{
    return seal->blocks_count - seal->free_count;
}

/* Free blocks that are not worth the work. */
static uint64_t slack(const struct alc_seal *seal)
{
    return used_count(seal) / 128 + 16;
}

/* Whether one more block, with its ancestors and those of its record, can be written. */
static bool has_room(const struct alc_seal *seal)
{
    uint64_t wanted = (uint64_t)seal->cache.dirty_count + 2 * (ALC_LIMIT_SEAL_TREE_HEIGHT + 1);
    return wanted < seal->cache.blocks_count / 2 && wanted < seal->free_count;
}

/* Makes a block dirty that lies behind where the container shall end. */
static int64_t move(void *context, struct alc_seal *seal, const struct alc_seal_inode *inode,
                    uint32_t level, uint32_t index, const struct alc_seal_pointer *pointer)
{
    (void)context;
    struct alc_seal_block *block;
    struct alc_seal_inode *owner = &seal->table;
    if (pointer->address < used_count(seal) + slack(seal)) {
        return 1;
    }
    if (!has_room(seal)) {
        return -ALC_OS_AGAIN;
    }
    if (inode->number != ALC_SEAL_TABLE_FILE) {
        int64_t result = alc_seal_inode_get(seal, inode->number, &owner);
        if (result < 0) {
            return result;
        }
        alc_seal_inode_put(seal, owner);
    }
    int64_t result = alc_seal_block_change(seal, owner, level, index, false, &block);
    return result < 0 ? result : 1;
}

/* One round over all files. AGAIN: there is more to move. */
static int64_t move_all(struct alc_seal *seal)
{
    int64_t result = alc_seal_tree_walk(seal, &seal->table, move, NULL);
    for (uint64_t number = alc_seal_inode_after(seal, 0); result == 0 && number != 0;
         number = alc_seal_inode_after(seal, number)) {
        struct alc_seal_inode *inode;
        result = alc_seal_inode_get_any(seal, number, &inode);
        if (result == 0) {
            result = inode->record.type == 0 ? 0 : alc_seal_tree_walk(seal, inode, move, NULL);
            alc_seal_inode_put(seal, inode);
        }
    }
    return result;
}

int64_t alc_seal_compact(struct alc_seal *seal)
{
    int64_t result = -ALC_OS_AGAIN;
    seal->is_compacting = true;
    for (uint32_t round = 0; result == -ALC_OS_AGAIN && round < ROUNDS_MAX; round++) {
        alc_seal_space_trim(seal);
        if (seal->free_count <= 2 * slack(seal)) {
            result = 0;
            break;
        }
        seal->allocate_hand = ALC_SEAL_FIRST_BLOCK;
        result = move_all(seal);
        if (result == 0 || result == -ALC_OS_AGAIN) {
            int64_t committed = alc_seal_commit(seal, true);
            result = committed < 0 ? committed : result;
        }
    }
    seal->is_compacting = false;
    return result == -ALC_OS_AGAIN ? 0 : result;
}
