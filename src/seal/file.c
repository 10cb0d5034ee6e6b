/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes, size, times of an open file. One call moves at most TRANSFER_SIZE bytes, so that each is
 * one operation with bounded memory; a short count is legal.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "seal/seal_internal.h"

enum { TRANSFER_SIZE = 63 * ALC_SEAL_BLOCK_SIZE };
/* Nodes read ahead of whoever reads in order. */
enum { AHEAD_NODES = 24 };

/* A place in scattered memory. */
struct cursor {
    const struct alc_span *spans;
    size_t spans_count;
    size_t span;   /* present one */
    size_t offset; /* in it */
};

static uint64_t size_of(const struct alc_span *spans, size_t spans_count)
{
    uint64_t size = 0;
    for (size_t i = 0; i < spans_count; i++) {
        if (!alc_add_u64(size, spans[i].size, &size)) {
            return UINT64_MAX;
        }
    }
    return size;
}

/* Copies between `bytes` and the next `size` bytes of the spans, which are there. */
static void move_bytes(struct cursor *cursor, uint8_t *bytes, size_t size, bool to_spans)
{
    while (size != 0) {
        ALC_ASSERT(cursor->span < cursor->spans_count);
        const struct alc_span *span = &cursor->spans[cursor->span];
        size_t left = span->size - cursor->offset;
        size_t step = left < size ? left : size;
        if (step != 0 && to_spans) {
            alc_copy(span->bytes + cursor->offset, bytes, step);
        } else if (step != 0) {
            alc_copy(bytes, span->bytes + cursor->offset, step);
        }
        bytes += step;
        size -= step;
        cursor->offset += step;
        if (cursor->offset == span->size) {
            cursor->span++;
            cursor->offset = 0;
        }
    }
}

static void zero_bytes(struct cursor *cursor, size_t size)
{
    while (size != 0) {
        ALC_ASSERT(cursor->span < cursor->spans_count);
        const struct alc_span *span = &cursor->spans[cursor->span];
        size_t left = span->size - cursor->offset;
        size_t step = left < size ? left : size;
        if (step != 0) {
            alc_fill(span->bytes + cursor->offset, 0, step);
        }
        size -= step;
        cursor->offset += step;
        if (cursor->offset == span->size) {
            cursor->span++;
            cursor->offset = 0;
        }
    }
}

/* The part of [offset, offset + size) that lies in one block. */
struct part {
    uint32_t index;
    uint32_t start;
    uint32_t size;
};

static struct part part_of(uint64_t offset, uint64_t size)
{
    struct part part = {.index = (uint32_t)(offset / ALC_SEAL_BLOCK_SIZE),
                        .start = (uint32_t)(offset % ALC_SEAL_BLOCK_SIZE)};
    uint64_t room = ALC_SEAL_BLOCK_SIZE - part.start;
    part.size = (uint32_t)(size < room ? size : room);
    return part;
}

static uint64_t blocks_of(uint64_t size)
{
    return size / ALC_SEAL_BLOCK_SIZE + (size % ALC_SEAL_BLOCK_SIZE != 0 ? 1 : 0);
}

/* -- reading -- */

/* Brings what will be read into memory: all of it, and for whoever reads in order `ahead` blocks,
 * with the nodes that come next. */
static void fetch(struct alc_seal *seal, const struct alc_seal_inode *inode, uint64_t offset,
                  uint64_t size, uint32_t ahead)
{
    uint64_t first = offset / ALC_SEAL_BLOCK_SIZE;
    uint64_t count = blocks_of(offset % ALC_SEAL_BLOCK_SIZE + size);
    uint64_t end = blocks_of(inode->record.size);
    while (count != 0 && alc_seal_cache_find(seal, inode->number, 0, (uint32_t)first) != NULL) {
        first++;
        count--;
    }
    if (count == 0) {
        return;
    }
    count = count > ahead ? count : ahead;
    count = first + count > end ? end - first : count;
    uint64_t node = (first + count - 1) / ALC_SEAL_FANOUT;
    if (ahead != 0 && alc_seal_cache_find(seal, inode->number, 1, (uint32_t)node) == NULL) {
        alc_seal_blocks_fetch(seal, inode, 1, node, AHEAD_NODES);
    }
    if (count > 1) {
        alc_seal_blocks_fetch(seal, inode, 0, first, count);
    }
}

int64_t alc_seal_file_read(struct alc_seal *seal, struct alc_seal_inode *inode,
                           const struct alc_span *spans, size_t spans_count, uint64_t offset,
                           uint32_t ahead)
{
    struct cursor cursor = {.spans = spans, .spans_count = spans_count};
    uint64_t size = size_of(spans, spans_count);
    if (offset >= inode->record.size || size == 0) {
        return 0;
    }
    uint64_t left = inode->record.size - offset;
    size = size < left ? size : left;
    size = size < TRANSFER_SIZE ? size : TRANSFER_SIZE;
    fetch(seal, inode, offset, size, ahead);
    for (uint64_t done = 0; done < size;) {
        struct part part = part_of(offset + done, size - done);
        struct alc_seal_block *block;
        int64_t result = alc_seal_block_read(seal, inode, 0, part.index, &block);
        if (result < 0) {
            return done != 0 ? (int64_t)done : result;
        }
        if (block == NULL) {
            zero_bytes(&cursor, part.size);
        } else {
            move_bytes(&cursor, block->bytes + part.start, part.size, true);
        }
        done += part.size;
    }
    return (int64_t)size;
}

/* -- writing -- */

/* Blocks that [offset, offset + size) and its ancestors may make dirty. */
static uint32_t dirty_blocks(uint64_t offset, uint64_t size)
{
    uint64_t count = blocks_of(offset % ALC_SEAL_BLOCK_SIZE + size);
    return (uint32_t)(count + count / ALC_SEAL_FANOUT + 24);
}

/* Everything that has to be read for a write, before anything changes. */
static int64_t prepare_write(struct alc_seal *seal, struct alc_seal_inode *inode, uint64_t offset,
                             uint64_t size)
{
    const struct part first = part_of(offset, size);
    const struct part last = part_of(offset + size - 1, 1);
    struct alc_seal_block *block;
    int64_t result = alc_seal_block_read(seal, inode, 0, first.index, &block);
    if (result == 0 && last.index != first.index) {
        result = alc_seal_block_read(seal, inode, 0, last.index, &block);
    }
    return result;
}

static int64_t write_parts(struct alc_seal *seal, struct alc_seal_inode *inode,
                           struct cursor *cursor, uint64_t offset, uint64_t size)
{
    uint64_t old_size = inode->record.size;
    for (uint64_t done = 0; done < size;) {
        struct part part = part_of(offset + done, size - done);
        struct alc_seal_block *block;
        /* Behind the old end there is nothing to keep. */
        bool whole = part.start == 0 &&
                     (part.size == ALC_SEAL_BLOCK_SIZE || offset + done + part.size >= old_size);
        int64_t result = alc_seal_block_change(seal, inode, 0, part.index, whole, &block);
        if (result < 0) {
            return result;
        }
        move_bytes(cursor, block->bytes + part.start, part.size, false);
        if (whole) {
            alc_fill(block->bytes + part.size, 0, ALC_SEAL_BLOCK_SIZE - part.size);
        }
        done += part.size;
    }
    return 0;
}

int64_t alc_seal_file_write(struct alc_seal *seal, struct alc_seal_inode *inode,
                            const struct alc_span *spans, size_t spans_count, uint64_t offset)
{
    struct cursor cursor = {.spans = spans, .spans_count = spans_count};
    uint64_t size = size_of(spans, spans_count);
    size = size < TRANSFER_SIZE ? size : TRANSFER_SIZE;
    if (offset > ALC_SEAL_FILE_SIZE_MAX || size > ALC_SEAL_FILE_SIZE_MAX - offset) {
        return -ALC_OS_FILE_TOO_BIG;
    }
    if (size == 0) {
        return 0;
    }
    int64_t result = alc_seal_begin_change(seal, dirty_blocks(offset, size));
    if (result == 0) {
        result = prepare_write(seal, inode, offset, size);
    }
    if (result == 0) {
        result = alc_seal_inode_change(seal, inode);
    }
    if (result < 0) {
        return result;
    }
    result = write_parts(seal, inode, &cursor, offset, size);
    if (result == 0) {
        uint64_t end = offset + size;
        inode->record.size = end > inode->record.size ? end : inode->record.size;
        inode->stale_times |= ALC_SEAL_STALE_MODIFY | ALC_SEAL_STALE_CHANGE;
    }
    result = alc_seal_end_change(seal, result);
    return result < 0 ? result : (int64_t)size;
}

/* Zeros behind `size` in its block, where a longer file would show what was there. */
static int64_t clear_tail(struct alc_seal *seal, struct alc_seal_inode *inode, uint64_t size)
{
    struct alc_seal_block *block;
    uint32_t start = (uint32_t)(size % ALC_SEAL_BLOCK_SIZE);
    uint32_t index = (uint32_t)(size / ALC_SEAL_BLOCK_SIZE);
    if (start == 0) {
        return 0;
    }
    int64_t result = alc_seal_block_read(seal, inode, 0, index, &block);
    if (result < 0 || block == NULL) {
        return result;
    }
    result = alc_seal_block_change(seal, inode, 0, index, false, &block);
    if (result == 0) {
        alc_fill(block->bytes + start, 0, ALC_SEAL_BLOCK_SIZE - start);
    }
    return result;
}

int64_t alc_seal_file_set_size(struct alc_seal *seal, struct alc_seal_inode *inode, uint64_t size)
{
    struct alc_seal_block *block;
    if (size > ALC_SEAL_FILE_SIZE_MAX) {
        return -ALC_OS_FILE_TOO_BIG;
    }
    bool is_shorter = size < inode->record.size;
    int64_t result = is_shorter ? alc_seal_begin_release(seal)
                                : alc_seal_begin_change(seal, ALC_SEAL_CHANGE_BLOCKS);
    if (result == 0 && is_shorter && size % ALC_SEAL_BLOCK_SIZE != 0) {
        result =
            alc_seal_block_read(seal, inode, 0, (uint32_t)(size / ALC_SEAL_BLOCK_SIZE), &block);
    }
    if (result == 0) {
        result = alc_seal_inode_change(seal, inode);
    }
    if (result < 0) {
        return result;
    }
    if (is_shorter) {
        result = clear_tail(seal, inode, size);
    }
    if (result == 0 && is_shorter) {
        result = alc_seal_tree_cut(seal, inode, blocks_of(size));
    }
    if (result == 0) {
        inode->record.size = size;
        inode->stale_times |= ALC_SEAL_STALE_MODIFY | ALC_SEAL_STALE_CHANGE;
    }
    return alc_seal_end_change(seal, result);
}

/* -- times and state -- */

int64_t alc_seal_file_set_times(struct alc_seal *seal, struct alc_seal_inode *inode,
                                const uint64_t times_ns[2], uint32_t flags)
{
    enum {
        BOTH_ACCESS = ALC_OS_TIME_ACCESS | ALC_OS_TIME_ACCESS_NOW,
        BOTH_MODIFY = ALC_OS_TIME_MODIFY | ALC_OS_TIME_MODIFY_NOW,
    };
    if ((flags & ~(uint32_t)ALC_OS_TIME_ALL) != 0 || (flags & BOTH_ACCESS) == BOTH_ACCESS ||
        (flags & BOTH_MODIFY) == BOTH_MODIFY) {
        return -ALC_OS_INVALID;
    }
    int64_t result = alc_seal_begin_change(seal, ALC_SEAL_CHANGE_BLOCKS);
    if (result == 0) {
        result = alc_seal_inode_change(seal, inode);
    }
    if (result < 0) {
        return result;
    }
    if ((flags & BOTH_ACCESS) != 0) {
        bool now = (flags & ALC_OS_TIME_ACCESS_NOW) != 0;
        inode->stale_times &= ~(uint32_t)ALC_SEAL_STALE_ACCESS;
        inode->stale_times |= now ? ALC_SEAL_STALE_ACCESS : 0;
        inode->record.access_time_ns = now ? 0 : times_ns[0];
    }
    if ((flags & BOTH_MODIFY) != 0) {
        bool now = (flags & ALC_OS_TIME_MODIFY_NOW) != 0;
        inode->stale_times &= ~(uint32_t)ALC_SEAL_STALE_MODIFY;
        inode->stale_times |= now ? ALC_SEAL_STALE_MODIFY : 0;
        inode->record.modify_time_ns = now ? 0 : times_ns[1];
    }
    inode->stale_times |= ALC_SEAL_STALE_CHANGE;
    return 0;
}

void alc_seal_file_stat(struct alc_seal *seal, struct alc_seal_inode *inode,
                        struct alc_os_stat *out)
{
    const struct alc_seal_record *record = &inode->record;
    alc_seal_inode_settle_times(seal, inode);
    *out = (struct alc_os_stat){.device = alc_load_u64(seal->key_id),
                                .inode = inode->number,
                                .type = record->type,
                                .link_count = record->links_count,
                                .size = record->type == ALC_OS_TYPE_DIRECTORY ? ALC_SEAL_BLOCK_SIZE
                                                                              : record->size,
                                .access_time_ns = record->access_time_ns,
                                .modify_time_ns = record->modify_time_ns,
                                .change_time_ns = record->change_time_ns};
}
