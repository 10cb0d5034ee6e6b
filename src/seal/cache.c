/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks in memory, decrypted. Finds a block by walking down from the nearest ancestor that is in
 * memory. A dirty block's ancestors are dirty and in memory, so writing never has to read. Blocks
 * that the present operation uses are not replaced; nor are dirty ones.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

/* Of blocks that are read because they lie between others. */
enum { GAP_BLOCKS = 16 };
/* Turns of the clock that a block survives unused. What is read in order passes through; a node is
 * used again only after all that is beneath it. */
enum { DATA_CHANCES = 1, NODE_CHANCES = 4 };

static uint32_t bucket_of(uint64_t file, uint32_t level, uint32_t index)
{
    uint64_t hash = (file * 8 + level) * UINT64_C(0x9e3779b97f4a7c15) + index;
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(hash >> 40) % ALC_SEAL_BUCKETS;
}

alc_status alc_seal_cache_init(struct alc_seal *seal, struct alc_arena *arena, uint32_t count)
{
    struct alc_seal_cache *cache = &seal->cache;
    cache->blocks_count = count;
    cache->blocks = ALC_ARENA_ARRAY(arena, struct alc_seal_block, count);
    cache->buckets = ALC_ARENA_ARRAY(arena, uint32_t, ALC_SEAL_BUCKETS);
    uint8_t *bytes = alc_arena_take(arena, (size_t)count * ALC_SEAL_BLOCK_SIZE, 4096);
    if (cache->blocks == NULL || cache->buckets == NULL || bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        cache->blocks[i].bytes = bytes + (size_t)i * ALC_SEAL_BLOCK_SIZE;
    }
    alc_seal_cache_reset(seal);
    return ALC_OK;
}

void alc_seal_cache_reset(struct alc_seal *seal)
{
    struct alc_seal_cache *cache = &seal->cache;
    for (uint32_t i = 0; i < ALC_SEAL_BUCKETS; i++) {
        cache->buckets[i] = ALC_SEAL_NONE;
    }
    for (uint32_t i = 0; i < cache->blocks_count; i++) {
        cache->blocks[i] = (struct alc_seal_block){.bytes = cache->blocks[i].bytes};
    }
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t level = 0; level <= ALC_LIMIT_SEAL_TREE_HEIGHT; level++) {
            cache->dirty[i][level] =
                (struct alc_seal_dirty_list){.first = ALC_SEAL_NONE, .last = ALC_SEAL_NONE};
        }
    }
    cache->dirty_count = 0;
    cache->hand = 0;
}

struct alc_seal_block *alc_seal_cache_find(struct alc_seal *seal, uint64_t file, uint32_t level,
                                           uint32_t index)
{
    struct alc_seal_cache *cache = &seal->cache;
    uint32_t at = cache->buckets[bucket_of(file, level, index)];
    while (at != ALC_SEAL_NONE) {
        struct alc_seal_block *block = &cache->blocks[at];
        if (block->index == index && block->file == file && block->level == level) {
            block->stamp = seal->stamp;
            block->chances = level == 0 ? DATA_CHANCES : NODE_CHANCES;
            return block;
        }
        at = block->chain;
    }
    return NULL;
}

/* -- dirty lists -- */

static struct alc_seal_dirty_list *list_of(struct alc_seal *seal,
                                           const struct alc_seal_block *block)
{
    return &seal->cache.dirty[block->file == ALC_SEAL_TABLE_FILE][block->level];
}

static void make_dirty(struct alc_seal *seal, struct alc_seal_block *block)
{
    if (block->is_dirty) {
        return;
    }
    struct alc_seal_cache *cache = &seal->cache;
    struct alc_seal_dirty_list *list = list_of(seal, block);
    uint32_t at = (uint32_t)(block - cache->blocks);
    block->is_dirty = true;
    block->dirty_next = ALC_SEAL_NONE;
    block->dirty_previous = list->last;
    if (list->last == ALC_SEAL_NONE) {
        list->first = at;
    } else {
        cache->blocks[list->last].dirty_next = at;
    }
    list->last = at;
    list->count++;
    cache->dirty_count++;
    seal->has_changed = true;
}

void alc_seal_block_clean(struct alc_seal *seal, struct alc_seal_block *block)
{
    struct alc_seal_cache *cache = &seal->cache;
    struct alc_seal_dirty_list *list = list_of(seal, block);
    ALC_ASSERT(block->is_dirty);
    if (block->dirty_previous == ALC_SEAL_NONE) {
        list->first = block->dirty_next;
    } else {
        cache->blocks[block->dirty_previous].dirty_next = block->dirty_next;
    }
    if (block->dirty_next == ALC_SEAL_NONE) {
        list->last = block->dirty_previous;
    } else {
        cache->blocks[block->dirty_next].dirty_previous = block->dirty_previous;
    }
    block->is_dirty = false;
    list->count--;
    cache->dirty_count--;
}

/* -- places in memory -- */

void alc_seal_block_drop(struct alc_seal *seal, struct alc_seal_block *block)
{
    struct alc_seal_cache *cache = &seal->cache;
    uint32_t at = (uint32_t)(block - cache->blocks);
    uint32_t *link = &cache->buckets[bucket_of(block->file, block->level, block->index)];
    if (block->is_dirty) {
        alc_seal_block_clean(seal, block);
    }
    while (*link != at) {
        ALC_ASSERT(*link != ALC_SEAL_NONE);
        link = &cache->blocks[*link].chain;
    }
    *link = block->chain;
    block->is_used = false;
    block->stamp = 0;
}

/* An empty place: an unused one, or a clean one that was not used for a while. */
static struct alc_seal_block *take_place(struct alc_seal *seal, uint64_t file, uint32_t level,
                                         uint32_t index)
{
    struct alc_seal_cache *cache = &seal->cache;
    struct alc_seal_block *block = NULL;
    const uint64_t steps_max = (NODE_CHANCES + 1) * (uint64_t)cache->blocks_count + 1;
    for (uint64_t steps = 0; steps < steps_max; steps++) {
        struct alc_seal_block *candidate = &cache->blocks[cache->hand];
        cache->hand = (cache->hand + 1) % cache->blocks_count;
        if (!candidate->is_used) {
            block = candidate;
            break;
        }
        if (candidate->is_dirty || candidate->stamp == seal->stamp) {
            continue;
        }
        if (candidate->chances == 0) {
            alc_seal_block_drop(seal, candidate);
            block = candidate;
            break;
        }
        candidate->chances--;
    }
    if (block == NULL) {
        return NULL;
    }
    uint32_t *bucket = &cache->buckets[bucket_of(file, level, index)];
    block->file = file;
    block->level = level;
    block->index = index;
    block->chain = *bucket;
    block->stamp = seal->stamp;
    block->is_used = true;
    block->chances = level == 0 ? DATA_CHANCES : NODE_CHANCES;
    *bucket = (uint32_t)(block - cache->blocks);
    return block;
}

int64_t alc_seal_block_new(struct alc_seal *seal, uint64_t file, uint32_t level, uint32_t index,
                           bool whole, struct alc_seal_block **out)
{
    struct alc_seal_block *block = take_place(seal, file, level, index);
    *out = block;
    if (block == NULL) {
        return -ALC_OS_NO_MEMORY;
    }
    if (!whole) {
        alc_fill(block->bytes, 0, ALC_SEAL_BLOCK_SIZE);
    }
    make_dirty(seal, block);
    return 0;
}

/* -- from the disk -- */

void alc_seal_report(struct alc_seal *seal, enum alc_seal_reason reason, uint64_t file,
                     uint32_t level, uint32_t index, uint64_t address)
{
    const struct alc_seal_damage damage = {
        .reason = reason, .file = file, .address = address, .level = level, .index = index};
    if (!seal->is_quiet && seal->options.report != NULL) {
        seal->options.report(seal->options.report_context, &damage);
    }
}

/* Decrypts what was read into a place of its own; NULL when it is not genuine, or there is none. */
static struct alc_seal_block *admit(struct alc_seal *seal, const struct alc_seal_inode *inode,
                                    uint32_t level, uint32_t index,
                                    const struct alc_seal_pointer *pointer, const uint8_t *sealed)
{
    const struct alc_seal_place place = {
        .file_id = inode->record.file_id, .level = level, .index = index};
    struct alc_seal_block *block = take_place(seal, inode->number, level, index);
    if (block != NULL &&
        !alc_seal_block_open(&seal->cipher, &place, pointer, sealed, block->bytes)) {
        alc_seal_block_drop(seal, block);
        return NULL;
    }
    return block;
}

static int64_t load(struct alc_seal *seal, const struct alc_seal_inode *inode, uint32_t level,
                    uint32_t index, const struct alc_seal_pointer *pointer,
                    struct alc_seal_block **out)
{
    enum alc_seal_reason reason = ALC_SEAL_NOT_GENUINE;
    *out = NULL;
    if (pointer->address >= seal->blocks_count) {
        reason = ALC_SEAL_CONTESTED;
    } else if (alc_seal_container_read(seal, pointer->address, 1, seal->stage) < 0) {
        reason = ALC_SEAL_UNREADABLE;
    } else {
        *out = admit(seal, inode, level, index, pointer, seal->stage);
    }
    if (*out == NULL) {
        alc_seal_report(seal, reason, inode->number, level, index, pointer->address);
        return -ALC_OS_IO;
    }
    return 0;
}

/* The pointer that a node has for block `index` of the level beneath. */
static int64_t read_pointer(struct alc_seal *seal, const struct alc_seal_block *node,
                            uint32_t index, struct alc_seal_pointer *out)
{
    if (!alc_seal_pointer_decode(node->bytes, index % ALC_SEAL_FANOUT, out)) {
        alc_seal_report(seal, ALC_SEAL_MALFORMED, node->file, node->level, node->index, 0);
        return -ALC_OS_IO;
    }
    return 0;
}

static bool is_within(const struct alc_seal_inode *inode, uint32_t level, uint32_t index)
{
    return level <= inode->record.height &&
           index < alc_seal_tree_capacity(inode->record.height - level);
}

int64_t alc_seal_block_read(struct alc_seal *seal, const struct alc_seal_inode *inode,
                            uint32_t level, uint32_t index, struct alc_seal_block **out)
{
    struct alc_seal_pointer pointer = inode->record.root;
    *out = NULL;
    if (!is_within(inode, level, index)) {
        return 0;
    }
    uint32_t at = level;
    struct alc_seal_block *block = alc_seal_cache_find(seal, inode->number, level, index);
    while (block == NULL && at < inode->record.height) {
        at++;
        block =
            alc_seal_cache_find(seal, inode->number, at, alc_seal_tree_index(index, at - level));
    }
    while (block == NULL || at > level) {
        if (block != NULL) { /* one step down */
            at--;
            int64_t result =
                read_pointer(seal, block, alc_seal_tree_index(index, at - level), &pointer);
            if (result < 0) {
                return result;
            }
        }
        if (pointer.address == 0) {
            return 0;
        }
        int64_t result =
            load(seal, inode, at, alc_seal_tree_index(index, at - level), &pointer, &block);
        if (result < 0) {
            return result;
        }
    }
    *out = block;
    return 0;
}

/* One block of the way down: found, loaded or new; dirty afterwards. `parent` is NULL at the top.
 */
static int64_t change_step(struct alc_seal *seal, struct alc_seal_inode *inode,
                           const struct alc_seal_block *parent, uint32_t level, uint32_t index,
                           bool whole, struct alc_seal_block **out)
{
    struct alc_seal_pointer pointer = inode->record.root;
    *out = alc_seal_cache_find(seal, inode->number, level, index);
    if (*out == NULL) {
        int64_t result = parent == NULL ? 0 : read_pointer(seal, parent, index, &pointer);
        if (result < 0) {
            return result;
        }
        if (pointer.address == 0 || whole) {
            return alc_seal_block_new(seal, inode->number, level, index, whole, out);
        }
        result = load(seal, inode, level, index, &pointer, out);
        if (result < 0) {
            return result;
        }
    }
    make_dirty(seal, *out);
    return 0;
}

int64_t alc_seal_block_change(struct alc_seal *seal, struct alc_seal_inode *inode, uint32_t level,
                              uint32_t index, bool whole, struct alc_seal_block **out)
{
    *out = alc_seal_cache_find(seal, inode->number, level, index);
    if (*out != NULL && (*out)->is_dirty) {
        return 0;
    }
    int64_t result = 0;
    if (inode != &seal->table) {
        result = alc_seal_inode_change(seal, inode);
    }
    if (result == 0 && !is_within(inode, level, index)) {
        ALC_ASSERT(level == 0);
        result = alc_seal_tree_grow(seal, inode, index);
    }
    struct alc_seal_block *block = NULL;
    for (uint32_t at = inode->record.height + 1; result == 0 && at-- > level;) {
        result = change_step(seal, inode, block, at, alc_seal_tree_index(index, at - level),
                             whole && at == level, &block);
    }
    *out = result == 0 ? block : NULL;
    return result;
}

/* -- many at once -- */

/* Where block `index` of `level` lies, if it is worth reading: it has an address and is not in
 * memory. */
static bool find_address(struct alc_seal *seal, const struct alc_seal_inode *inode, uint32_t level,
                         uint64_t index, struct alc_seal_pointer *out)
{
    struct alc_seal_block *node = NULL;
    if (level > inode->record.height ||
        index >= alc_seal_tree_capacity(inode->record.height - level) ||
        alc_seal_cache_find(seal, inode->number, level, (uint32_t)index) != NULL) {
        return false;
    }
    *out = inode->record.root;
    if (inode->record.height != level &&
        (alc_seal_block_read(seal, inode, level + 1, (uint32_t)(index / ALC_SEAL_FANOUT), &node) <
             0 ||
         node == NULL ||
         !alc_seal_pointer_decode(node->bytes, (uint32_t)(index % ALC_SEAL_FANOUT), out))) {
        return false;
    }
    return out->address != 0 && out->address < seal->blocks_count;
}

/* Whether `next` can be read with those before it: near behind the last of them. What lies between
 * is read and forgotten. */
static bool continues(const struct alc_seal_pointer *first, const struct alc_seal_pointer *last,
                      const struct alc_seal_pointer *next)
{
    return next->address > last->address && next->address - last->address <= GAP_BLOCKS &&
           next->address - first->address < ALC_SEAL_STAGE_BLOCKS;
}

/* Where the next `length` blocks are to go, up to the first for which there is no place. */
static uint32_t take_places(struct alc_seal *seal, const struct alc_seal_inode *inode,
                            uint32_t level, uint32_t index, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        struct alc_seal_block *block = take_place(seal, inode->number, level, index + i);
        seal->fetch.blocks[i] = block;
        if (block == NULL) {
            return i;
        }
    }
    return length;
}

/* Adds memory for what comes next from the disk: to the last span, if it goes on there. */
static size_t add_span(struct alc_span *spans, size_t spans_count, uint8_t *bytes, size_t size)
{
    struct alc_span *last = spans_count == 0 ? NULL : &spans[spans_count - 1];
    if (last != NULL && last->bytes + last->size == bytes) {
        last->size += size;
        return spans_count;
    }
    spans[spans_count] = (struct alc_span){.bytes = bytes, .size = size};
    return spans_count + 1;
}

/* Reads a run of blocks with one call to their places and decrypts them there. `length` pointers
 * are known. Nobody sees a block in between: the lock is held, and what is not genuine goes. */
static void fetch_run(struct alc_seal *seal, const struct alc_seal_inode *inode, uint32_t level,
                      uint32_t index, uint32_t length)
{
    struct alc_seal_fetch *fetch = &seal->fetch;
    const struct alc_seal_pointer *pointers = fetch->pointers;
    size_t spans_count = 0;
    length = take_places(seal, inode, level, index, length);
    for (uint32_t i = 0; i < length; i++) {
        uint64_t gap = i == 0 ? 0 : pointers[i].address - pointers[i - 1].address - 1;
        if (gap != 0) {
            spans_count =
                add_span(fetch->spans, spans_count, seal->stage, (size_t)gap * ALC_SEAL_BLOCK_SIZE);
        }
        spans_count =
            add_span(fetch->spans, spans_count, fetch->blocks[i]->bytes, ALC_SEAL_BLOCK_SIZE);
    }
    int64_t received = length == 0 ? 0
                                   : alc_seal_container_scatter(seal, pointers[0].address,
                                                                fetch->spans, spans_count);
    for (uint32_t i = 0; i < length; i++) {
        struct alc_seal_block *block = fetch->blocks[i];
        const struct alc_seal_place place = {
            .file_id = inode->record.file_id, .level = level, .index = index + i};
        int64_t at = (int64_t)(pointers[i].address - pointers[0].address);
        if (at >= received ||
            !alc_seal_block_open(&seal->cipher, &place, &pointers[i], block->bytes, block->bytes)) {
            alc_seal_block_drop(seal, block);
        }
    }
}

void alc_seal_blocks_fetch(struct alc_seal *seal, const struct alc_seal_inode *inode,
                           uint32_t level, uint64_t first, uint64_t count)
{
    struct alc_seal_pointer *run = seal->fetch.pointers;
    const uint32_t count_max = seal->cache.blocks_count / 4;
    uint64_t index = first;
    ALC_ASSERT(count <= ALC_SEAL_STAGE_BLOCKS && seal->stage_count == 0);
    count = count < count_max ? count : count_max;
    while (index < first + count) {
        uint32_t length = 0;
        while (index + length < first + count &&
               find_address(seal, inode, level, index + length, &run[length]) &&
               (length == 0 || continues(&run[0], &run[length - 1], &run[length]))) {
            length++;
        }
        if (length > 1) {
            fetch_run(seal, inode, level, (uint32_t)index, length);
        }
        index += length != 0 ? length : 1;
    }
}
