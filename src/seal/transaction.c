/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations become commits. A commit writes dirty blocks, children first, to free addresses, and
 * then one root to the place that does not hold the durable one; `sync` makes that root the durable
 * one (docs/sealed-storage.md, Commit).
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

enum { SPINS = 64 };

/* -- operations -- */

void alc_seal_lock(struct alc_seal *seal)
{
    uint32_t spins = 0;
    while (__atomic_exchange_n(&seal->lock, 1, __ATOMIC_ACQUIRE) != 0) {
        if (++spins % SPINS == 0) { /* whoever has it may be waiting for the disk */
            (void)seal->host->operations->yield(seal->host->context);
        } else {
            __asm__ volatile("pause");
        }
    }
}

void alc_seal_unlock(struct alc_seal *seal)
{
    __atomic_store_n(&seal->lock, 0, __ATOMIC_RELEASE);
}

void alc_seal_begin(struct alc_seal *seal)
{
    seal->stamp++;
}

/* Whether so much waits for the next durable commit that it is time for one. */
static bool is_space_tied_up(const struct alc_seal *seal)
{
    uint64_t in_use = seal->blocks_count - seal->free_count;
    return seal->pending_count > 4096 && seal->pending_count > in_use / 8;
}

/* Room for `blocks` new dirty ones and for those that are dirty already, and `spare` beyond. */
static int64_t reserve(struct alc_seal *seal, uint32_t blocks, uint32_t spare)
{
    uint64_t wanted = (uint64_t)blocks + spare;
    int64_t result = alc_seal_space_reserve(seal, seal->cache.dirty_count + wanted);
    if (result == -ALC_OS_NO_SPACE && (seal->pending_count != 0 || seal->has_changed)) {
        result = alc_seal_commit(seal, true);
        if (result == 0) {
            result = alc_seal_space_reserve(seal, wanted);
        }
    }
    return result;
}

/* Makes room in memory for `blocks` more dirty ones. Where data is nearly all of what is dirty, it
 * is enough to write that: what lies at addresses that no root names is not there after a crash. */
static int64_t make_room(struct alc_seal *seal, uint32_t blocks, uint32_t dirty_max)
{
    uint32_t others_count = seal->cache.dirty_count - seal->cache.dirty[0][0].count;
    bool is_enough = others_count <= dirty_max / 4 && others_count + blocks <= dirty_max;
    return is_enough ? alc_seal_write_data(seal) : alc_seal_commit(seal, false);
}

static int64_t begin(struct alc_seal *seal, uint32_t blocks, uint32_t spare)
{
    uint32_t dirty_max = seal->cache.blocks_count / 2;
    seal->stamp++;
    if (seal->has_failed) {
        return -ALC_OS_IO;
    }
    if (seal->is_read_only) {
        return -ALC_OS_READ_ONLY;
    }
    ALC_ASSERT(blocks <= dirty_max);
    int64_t result = 0;
    if (is_space_tied_up(seal) || seal->counter >= ALC_LIMIT_SEAL_KEY_BLOCKS) {
        result = alc_seal_commit(seal, true);
    } else if (seal->cache.dirty_count + blocks > dirty_max) {
        result = make_room(seal, blocks, dirty_max);
    }
    return result < 0 ? result : reserve(seal, blocks, spare);
}

int64_t alc_seal_begin_change(struct alc_seal *seal, uint32_t blocks)
{
    return begin(seal, blocks, ALC_SEAL_CHANGE_BLOCKS);
}

int64_t alc_seal_begin_release(struct alc_seal *seal)
{
    return begin(seal, ALC_SEAL_CHANGE_BLOCKS, 0);
}

int64_t alc_seal_end_change(struct alc_seal *seal, int64_t result)
{
    seal->has_failed |= result < 0;
    return result;
}

/* -- writing -- */

int64_t alc_seal_new_epoch(struct alc_seal *seal)
{
    seal->counter = 0;
    seal->durable_counter = 0;
    return seal->host->operations->random(seal->host->context, seal->epoch, sizeof seal->epoch);
}

static int64_t flush_stage(struct alc_seal *seal)
{
    if (seal->stage_count == 0) {
        return 0;
    }
    int64_t result =
        alc_seal_container_write(seal, seal->stage_address, seal->stage_count, seal->stage);
    seal->stage_count = 0;
    return result;
}

/* Encrypts a block to its new address, which becomes `out`. */
static int64_t stage_block(struct alc_seal *seal, const struct alc_seal_inode *inode,
                           const struct alc_seal_block *block, struct alc_seal_pointer *out)
{
    const struct alc_seal_place place = {
        .file_id = inode->record.file_id, .level = block->level, .index = block->index};
    enum alc_seal_use use = block->file == ALC_SEAL_TABLE_FILE || block->level > 1
                                ? ALC_SEAL_USE_COMMIT
                            : block->level == 1 ? ALC_SEAL_USE_NODE
                                                : ALC_SEAL_USE_DATA;
    uint64_t address = alc_seal_space_take(seal, use);
    if (address == 0) {
        return -ALC_OS_NO_SPACE;
    }
    if (seal->stage_count == ALC_SEAL_STAGE_BLOCKS ||
        address != seal->stage_address + seal->stage_count) {
        int64_t result = flush_stage(seal);
        if (result < 0) {
            return result;
        }
        seal->stage_address = address;
    }
    *out = (struct alc_seal_pointer){.address = address, .counter = ++seal->counter};
    alc_copy(out->epoch, seal->epoch, sizeof out->epoch);
    alc_seal_block_seal(&seal->cipher, &place, out, block->bytes,
                        seal->stage + (size_t)seal->stage_count * ALC_SEAL_BLOCK_SIZE);
    seal->stage_count++;
    return 0;
}

/* Puts the new address where the old one stands, which is given back. */
static void replace_pointer(struct alc_seal *seal, struct alc_seal_inode *inode,
                            const struct alc_seal_block *block,
                            const struct alc_seal_pointer *pointer)
{
    struct alc_seal_pointer old = inode->record.root;
    if (block->level == inode->record.height) {
        inode->record.root = *pointer;
        inode->is_dirty = true; /* its block of the table is dirty already */
    } else {
        struct alc_seal_block *parent = alc_seal_cache_find(seal, inode->number, block->level + 1,
                                                            block->index / ALC_SEAL_FANOUT);
        uint32_t slot = block->index % ALC_SEAL_FANOUT;
        ALC_ASSERT(parent != NULL && parent->is_dirty);
        /* It was decoded when the way to this block was walked, or is our own work. */
        bool is_decoded = alc_seal_pointer_decode(parent->bytes, slot, &old);
        ALC_ASSERT(is_decoded);
        alc_seal_pointer_encode(pointer, parent->bytes, slot);
    }
    alc_seal_space_release(seal, &old);
}

static int64_t write_block(struct alc_seal *seal, struct alc_seal_block *block)
{
    struct alc_seal_inode *inode = &seal->table;
    struct alc_seal_pointer pointer;
    if (block->file != ALC_SEAL_TABLE_FILE) { /* its record is in memory or in a dirty block */
        int64_t result = alc_seal_inode_get(seal, block->file, &inode);
        if (result < 0) {
            return result;
        }
        alc_seal_inode_put(seal, inode);
    }
    int64_t result = stage_block(seal, inode, block, &pointer);
    if (result == 0) {
        replace_pointer(seal, inode, block, &pointer);
        alc_seal_block_clean(seal, block);
    }
    return result;
}

static int64_t write_list(struct alc_seal *seal, const struct alc_seal_dirty_list *list)
{
    while (list->first != ALC_SEAL_NONE) {
        int64_t result = write_block(seal, &seal->cache.blocks[list->first]);
        if (result < 0) {
            return result;
        }
    }
    return 0;
}

/* Writes all dirty blocks of files, or of the table. */
static int64_t write_dirty(struct alc_seal *seal, bool is_table)
{
    int64_t result = 0;
    for (uint32_t level = 0; result == 0 && level <= ALC_LIMIT_SEAL_TREE_HEIGHT; level++) {
        result = write_list(seal, &seal->cache.dirty[is_table][level]);
    }
    return result;
}

/* Nothing is written where somebody else writes, too: the lock is the host's, and does not reach
 * another machine. */
static int64_t check_alone(struct alc_seal *seal)
{
    int64_t result = alc_seal_container_read(seal, ALC_SEAL_FIRST_ROOT_BLOCK, 2, seal->stage);
    for (uint32_t i = 0; result == 0 && i < 2; i++) {
        if (!alc_equal(seal->stage + (size_t)i * ALC_SEAL_BLOCK_SIZE, seal->root_heads[i],
                       ALC_SEAL_ROOT_HEAD_SIZE)) {
            alc_seal_report(seal, ALC_SEAL_OTHER_WRITER, ALC_SEAL_TABLE_FILE, 0, 0,
                            ALC_SEAL_FIRST_ROOT_BLOCK + i);
            result = -ALC_OS_IO;
        }
    }
    return result;
}

static int64_t write_root(struct alc_seal *seal, uint64_t flags)
{
    struct alc_seal_pointer head = {.counter = ++seal->counter};
    uint8_t *record = seal->scratch;
    uint64_t place = seal->durable_place == ALC_SEAL_FIRST_ROOT_BLOCK
                         ? ALC_SEAL_FIRST_ROOT_BLOCK + 1
                         : ALC_SEAL_FIRST_ROOT_BLOCK;
    seal->root.generation++;
    seal->root.flags = flags | seal->kept_flags;
    seal->root.fresh_from =
        (flags & ALC_SEAL_ROOT_SETTLED) != 0 ? seal->counter : seal->durable_counter + 1;
    seal->root.table = seal->table.record.root;
    seal->root.table_height = seal->table.record.height;
    seal->root.base = seal->base;
    alc_copy(head.epoch, seal->epoch, sizeof head.epoch);
    alc_seal_root_encode(&seal->root, record);
    alc_seal_root_seal(&seal->cipher, seal->header, &head, record,
                       seal->stage + ALC_SEAL_ROOT_HEAD_SIZE);
    alc_seal_root_head_encode(&head, seal->stage);
    seal->mark.generation = seal->root.generation;
    alc_copy(seal->mark.digest, head.tag, sizeof head.tag);
    alc_copy(seal->root_heads[place - ALC_SEAL_FIRST_ROOT_BLOCK], seal->stage,
             ALC_SEAL_ROOT_HEAD_SIZE);
    return alc_seal_container_write(seal, place, 1, seal->stage);
}

static int64_t write_state(struct alc_seal *seal, uint64_t flags)
{
    seal->stamp++;
    int64_t result = check_alone(seal);
    if (result == 0) {
        result = write_dirty(seal, false);
    }
    if (result == 0) {
        alc_seal_inodes_store(seal);
        result = write_dirty(seal, true);
    }
    if (result == 0) {
        result = flush_stage(seal);
    }
    if (result == 0) {
        result = write_root(seal, flags);
    }
    seal->stage_count = 0;
    seal->stage_address = 0;
    seal->has_changed = false;
    seal->is_unsynced = true;
    return result;
}

int64_t alc_seal_write_data(struct alc_seal *seal)
{
    int64_t result = check_alone(seal);
    if (result == 0) {
        result = write_list(seal, &seal->cache.dirty[0][0]);
    }
    if (result == 0) {
        result = flush_stage(seal);
    }
    seal->stage_count = 0;
    seal->stage_address = 0;
    seal->has_failed |= result < 0;
    return result;
}

/* Waits for the disk and for the witness. */
static int64_t make_durable(struct alc_seal *seal)
{
    const struct alc_seal_witness *witness = seal->options.witness;
    int64_t result = alc_seal_container_sync(seal);
    if (result < 0) {
        return result;
    }
    if (witness != NULL && witness->advance(witness->context, &seal->base, &seal->mark) != ALC_OK) {
        return -ALC_OS_IO;
    }
    seal->durable_mark = seal->mark;
    seal->base = seal->keeps_base ? seal->base : seal->mark;
    seal->durable_place =
        ALC_SEAL_FIRST_ROOT_BLOCK + ALC_SEAL_FIRST_ROOT_BLOCK + 1 - seal->durable_place;
    seal->durable_counter = seal->counter;
    seal->is_unsynced = false;
    alc_seal_space_settle(seal);
    return seal->counter >= ALC_LIMIT_SEAL_KEY_BLOCKS ? alc_seal_new_epoch(seal) : 0;
}

int64_t alc_seal_commit(struct alc_seal *seal, bool is_durable)
{
    if (seal->has_failed) {
        return -ALC_OS_IO;
    }
    int64_t result = seal->has_changed ? write_state(seal, 0) : 0;
    if (result == 0 && is_durable && seal->is_unsynced) {
        result = make_durable(seal);
    }
    /* After a failed sync nobody knows what the disk has; after a failed write, neither. */
    seal->has_failed |= result < 0;
    return result;
}

int64_t alc_seal_settle(struct alc_seal *seal)
{
    int64_t result = alc_seal_commit(seal, true);
    if (result == 0 && seal->is_unsettled) {
        result = check_alone(seal);
        result = result == 0 ? write_root(seal, ALC_SEAL_ROOT_SETTLED) : result;
        seal->is_unsynced = true;
        result = result == 0 ? make_durable(seal) : result;
        seal->is_unsettled = result < 0;
    }
    return result;
}

int64_t alc_seal_sync(struct alc_seal *seal)
{
    alc_seal_lock(seal);
    int64_t result = seal->is_read_only ? 0 : alc_seal_commit(seal, true);
    alc_seal_unlock(seal);
    return result;
}
