/* SPDX-License-Identifier: Apache-2.0
 *
 * Inodes: their records in memory, new ones, and the end of those that nothing names any more. A
 * record that changes has its block of the table dirty first, so storing it cannot fail.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

static uint32_t bucket_of(uint64_t number)
{
    return (uint32_t)(number % ALC_SEAL_INODE_BUCKETS);
}

void alc_seal_inodes_reset(struct alc_seal *seal)
{
    for (uint32_t i = 0; i < ALC_SEAL_INODE_BUCKETS; i++) {
        seal->inode_buckets[i] = ALC_SEAL_NONE;
    }
    for (uint32_t i = 0; i < ALC_SEAL_INODE_SLOTS; i++) {
        seal->inodes[i] = (struct alc_seal_inode){.number = 0};
    }
    seal->inode_hand = 0;
}

static struct alc_seal_inode *find_slot(struct alc_seal *seal, uint64_t number)
{
    uint32_t at = seal->inode_buckets[bucket_of(number)];
    while (at != ALC_SEAL_NONE && seal->inodes[at].number != number) {
        at = seal->inodes[at].chain;
    }
    return at == ALC_SEAL_NONE ? NULL : &seal->inodes[at];
}

/* Writes a changed record to its block, which is dirty and so in memory. */
static void store(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    struct alc_seal_block *block = alc_seal_cache_find(
        seal, ALC_SEAL_TABLE_FILE, 0, (uint32_t)(inode->number / ALC_SEAL_INODES_PER_BLOCK));
    ALC_ASSERT(block != NULL && block->is_dirty);
    alc_seal_inode_settle_times(seal, inode);
    alc_seal_record_encode(&inode->record, block->bytes,
                           (uint32_t)(inode->number % ALC_SEAL_INODES_PER_BLOCK));
    inode->is_dirty = false;
}

void alc_seal_inodes_store(struct alc_seal *seal)
{
    for (uint32_t i = 0; i < ALC_SEAL_INODE_SLOTS; i++) {
        if (seal->inodes[i].number != 0 && seal->inodes[i].is_dirty) {
            store(seal, &seal->inodes[i]);
        }
    }
}

/* A slot that nobody uses, emptied; NULL when all are in use. */
static struct alc_seal_inode *take_slot(struct alc_seal *seal, uint64_t number)
{
    struct alc_seal_inode *inode = NULL;
    for (uint32_t i = 0; i < ALC_SEAL_INODE_SLOTS && inode == NULL; i++) {
        struct alc_seal_inode *candidate = &seal->inodes[seal->inode_hand];
        seal->inode_hand = (seal->inode_hand + 1) % ALC_SEAL_INODE_SLOTS;
        inode = candidate->references == 0 ? candidate : NULL;
    }
    if (inode == NULL) {
        return NULL;
    }
    uint32_t at = (uint32_t)(inode - seal->inodes);
    if (inode->number != 0) {
        uint32_t *link = &seal->inode_buckets[bucket_of(inode->number)];
        if (inode->is_dirty) {
            store(seal, inode);
        }
        while (*link != at) {
            link = &seal->inodes[*link].chain;
        }
        *link = inode->chain;
    }
    uint32_t *bucket = &seal->inode_buckets[bucket_of(number)];
    *inode = (struct alc_seal_inode){.number = number, .chain = *bucket};
    *bucket = at;
    return inode;
}

/* Forgets a slot whose record could not be read. */
static void forget_slot(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    uint32_t at = (uint32_t)(inode - seal->inodes);
    uint32_t *link = &seal->inode_buckets[bucket_of(inode->number)];
    while (*link != at) {
        link = &seal->inodes[*link].chain;
    }
    *link = inode->chain;
    *inode = (struct alc_seal_inode){.number = 0};
}

int64_t alc_seal_inode_get_any(struct alc_seal *seal, uint64_t number, struct alc_seal_inode **out)
{
    struct alc_seal_block *block;
    *out = find_slot(seal, number);
    if (*out != NULL) {
        (*out)->references++;
        return 0;
    }
    if (number == 0 || number >= seal->root.inodes_count) {
        alc_seal_report(seal, ALC_SEAL_MALFORMED, ALC_SEAL_TABLE_FILE, 0,
                        (uint32_t)(number / ALC_SEAL_INODES_PER_BLOCK), 0);
        return -ALC_OS_IO;
    }
    uint32_t index = (uint32_t)(number / ALC_SEAL_INODES_PER_BLOCK);
    int64_t result = alc_seal_block_read(seal, &seal->table, 0, index, &block);
    if (result < 0) {
        return result;
    }
    struct alc_seal_inode *inode = take_slot(seal, number);
    if (inode == NULL) {
        return -ALC_OS_TOO_MANY_OPEN;
    }
    if (block != NULL &&
        !alc_seal_record_decode(block->bytes, (uint32_t)(number % ALC_SEAL_INODES_PER_BLOCK),
                                &inode->record)) {
        forget_slot(seal, inode);
        alc_seal_report(seal, ALC_SEAL_MALFORMED, ALC_SEAL_TABLE_FILE, 0, index, 0);
        return -ALC_OS_IO;
    }
    inode->references = 1;
    *out = inode;
    return 0;
}

int64_t alc_seal_inode_get(struct alc_seal *seal, uint64_t number, struct alc_seal_inode **out)
{
    int64_t result = alc_seal_inode_get_any(seal, number, out);
    if (result == 0 && (*out)->record.type == 0) { /* a name for nothing */
        alc_seal_inode_put(seal, *out);
        alc_seal_report(seal, ALC_SEAL_MALFORMED, number, 0, 0, 0);
        return -ALC_OS_IO;
    }
    return result;
}

uint64_t alc_seal_inode_after(struct alc_seal *seal, uint64_t number)
{
    number++;
    while (number < seal->root.inodes_count) {
        struct alc_seal_block *block;
        uint64_t index = number / ALC_SEAL_INODES_PER_BLOCK;
        seal->stamp++;
        if (index >= alc_seal_tree_capacity(seal->table.record.height)) {
            return 0;
        }
        /* What cannot be read is for the caller to find out. */
        if (alc_seal_block_read(seal, &seal->table, 0, (uint32_t)index, &block) < 0 ||
            block != NULL) {
            return number;
        }
        number = (index + 1) * ALC_SEAL_INODES_PER_BLOCK;
    }
    return 0;
}

void alc_seal_inode_put(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    (void)seal;
    ALC_ASSERT(inode->references != 0);
    inode->references--;
}

int64_t alc_seal_inode_change(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    struct alc_seal_block *block;
    if (inode->is_dirty || inode == &seal->table) {
        return 0;
    }
    int64_t result =
        alc_seal_block_change(seal, &seal->table, 0,
                              (uint32_t)(inode->number / ALC_SEAL_INODES_PER_BLOCK), false, &block);
    inode->is_dirty = result == 0;
    return result;
}

int64_t alc_seal_inode_new(struct alc_seal *seal, uint32_t type, struct alc_seal_inode **out)
{
    bool is_reused = seal->root.first_free != 0;
    uint64_t number = is_reused ? seal->root.first_free : seal->root.inodes_count;
    if (number >= ALC_LIMIT_SEAL_INODES) {
        return -ALC_OS_NO_SPACE;
    }
    seal->root.inodes_count += is_reused ? 0 : 1;
    int64_t result = alc_seal_inode_get_any(seal, number, out);
    if (result == 0) {
        result = (*out)->record.type == 0 ? alc_seal_inode_change(seal, *out) : -ALC_OS_IO;
        if (result < 0) {
            alc_seal_inode_put(seal, *out);
        }
    }
    if (result < 0) {
        seal->root.inodes_count -= is_reused ? 0 : 1;
        return result;
    }
    if (is_reused) {
        seal->root.first_free = (*out)->record.next;
    }
    (*out)->record = (struct alc_seal_record){.type = type, .file_id = seal->root.next_file_id++};
    (*out)->stale_times = ALC_SEAL_STALE_ACCESS | ALC_SEAL_STALE_MODIFY | ALC_SEAL_STALE_CHANGE;
    return 0;
}

/* -- the end of an inode -- */

static int64_t free_inode(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    int64_t result = alc_seal_tree_cut(seal, inode, 0);
    if (result < 0) {
        return result;
    }
    inode->record = (struct alc_seal_record){.type = 0, .next = seal->root.first_free};
    inode->stale_times = 0;
    seal->root.first_free = inode->number;
    return 0;
}

/* Sets one of the links of an orphan's neighbour; number 0: there is none. */
static int64_t link_neighbour(struct alc_seal *seal, uint64_t number, bool is_next, uint64_t value)
{
    struct alc_seal_inode *neighbour;
    if (number == 0) {
        return 0;
    }
    int64_t result = alc_seal_inode_get(seal, number, &neighbour);
    if (result < 0) {
        return result;
    }
    result = alc_seal_inode_change(seal, neighbour);
    if (result == 0 && is_next) {
        neighbour->record.next = value;
    } else if (result == 0) {
        neighbour->record.previous = value;
    }
    alc_seal_inode_put(seal, neighbour);
    return result;
}

static int64_t add_orphan(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    int64_t result = link_neighbour(seal, seal->root.first_orphan, false, inode->number);
    if (result == 0) {
        inode->record.next = seal->root.first_orphan;
        inode->record.previous = 0;
        seal->root.first_orphan = inode->number;
    }
    return result;
}

static int64_t free_orphan(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    uint64_t next = inode->record.next;
    uint64_t previous = inode->record.previous;
    int64_t result = alc_seal_inode_change(seal, inode);
    if (result == 0) {
        result = link_neighbour(seal, next, false, previous);
    }
    if (result == 0) {
        result = link_neighbour(seal, previous, true, next);
    }
    if (result < 0) {
        return result;
    }
    if (seal->root.first_orphan == inode->number) {
        seal->root.first_orphan = next;
    }
    return free_inode(seal, inode);
}

int64_t alc_seal_inode_unlink(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    int64_t result = alc_seal_inode_change(seal, inode);
    if (result < 0) {
        return result;
    }
    ALC_ASSERT(inode->references != 0);
    inode->record.links_count -= inode->record.links_count != 0 ? 1 : 0;
    inode->stale_times |= ALC_SEAL_STALE_CHANGE;
    if (inode->record.links_count != 0) {
        return 0;
    }
    /* The caller's own reference is not a handle. */
    return inode->references > 1 ? add_orphan(seal, inode) : free_inode(seal, inode);
}

int64_t alc_seal_inode_close(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    int64_t result = 0;
    bool is_last = inode->references == 1;
    if (is_last && inode->record.type != 0 && inode->record.links_count == 0 &&
        !seal->is_read_only && !seal->has_failed) {
        result = alc_seal_begin_release(seal);
        if (result == 0) {
            result = alc_seal_end_change(seal, free_orphan(seal, inode));
        }
    }
    alc_seal_inode_put(seal, inode);
    return result;
}

int64_t alc_seal_orphans_free(struct alc_seal *seal)
{
    int64_t result = 0;
    while (result == 0 && seal->root.first_orphan != 0) {
        struct alc_seal_inode *inode;
        result = alc_seal_begin_release(seal);
        if (result < 0) {
            return result;
        }
        result = alc_seal_inode_get(seal, seal->root.first_orphan, &inode);
        if (result == 0) {
            result = free_orphan(seal, inode);
            alc_seal_inode_put(seal, inode);
        }
        result = alc_seal_end_change(seal, result);
    }
    return result;
}

void alc_seal_inode_settle_times(struct alc_seal *seal, struct alc_seal_inode *inode)
{
    if (inode->stale_times == 0) {
        return;
    }
    if (seal->now_stamp != seal->stamp) {
        int64_t now =
            seal->host->operations->clock_read(seal->host->context, ALC_OS_CLOCK_REALTIME, 0);
        seal->now_ns = now < 0 ? 0 : (uint64_t)now;
        seal->now_stamp = seal->stamp;
    }
    uint64_t now_ns = seal->now_ns;
    struct alc_seal_record *record = &inode->record;
    record->access_time_ns =
        (inode->stale_times & ALC_SEAL_STALE_ACCESS) != 0 ? now_ns : record->access_time_ns;
    record->modify_time_ns =
        (inode->stale_times & ALC_SEAL_STALE_MODIFY) != 0 ? now_ns : record->modify_time_ns;
    record->change_time_ns =
        (inode->stale_times & ALC_SEAL_STALE_CHANGE) != 0 ? now_ns : record->change_time_ns;
    inode->stale_times = 0;
}
