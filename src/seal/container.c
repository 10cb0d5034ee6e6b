/* SPDX-License-Identifier: Apache-2.0
 *
 * The host file of a mount as an array of blocks, and which of them are free. The host is asked for
 * exact transfers and otherwise not believed; its sizes only decide where it is asked to read.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "seal/seal_internal.h"

enum {
    /* Neighbours that are kept for one use: a word of the bits, in containers of so many words. */
    RUN_BLOCKS = 64,
    RUNS_MIN = 64,
};
static const char container_name[] = "alcove.seal";

static const struct alc_os_operations *host_of(const struct alc_seal *seal)
{
    return seal->host->operations;
}

/* -- the host file -- */

int64_t alc_seal_container_open(struct alc_seal *seal, bool *out_created)
{
    void *context = seal->host->context;
    bool may_write = (seal->options.flags & ALC_SEAL_READ_ONLY) == 0;
    bool is_alone = may_write || (seal->options.flags & ALC_SEAL_ALONE) != 0;
    uint32_t flags = ALC_OS_OPEN_READ | ALC_OS_OPEN_LOCK | (is_alone ? ALC_OS_OPEN_WRITE : 0);
    const char *text = seal->options.name != NULL ? seal->options.name : container_name;
    const uint8_t *name = (const uint8_t *)text;
    size_t name_size = alc_string_length(text);
    bool replaces = may_write && (seal->options.flags & ALC_SEAL_REPLACE) != 0;
    *out_created = false;
    flags |= replaces ? ALC_OS_OPEN_CREATE : 0;
    int64_t handle = host_of(seal)->open_at(context, seal->directory, name, name_size, flags);
    if (handle == -ALC_OS_NO_ENTRY && may_write && (seal->options.flags & ALC_SEAL_CREATE) != 0) {
        flags |= ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE;
        handle = host_of(seal)->open_at(context, seal->directory, name, name_size, flags);
        *out_created = handle >= 0;
    }
    if (handle < 0) {
        return handle;
    }
    struct alc_os_stat stat = {0};
    int64_t result = 0;
    if (replaces) { /* not before it is locked */
        result = host_of(seal)->set_size(context, (int32_t)handle, 0);
        *out_created = true;
    }
    if (result == 0) {
        result = host_of(seal)->stat(context, (int32_t)handle, &stat);
    }
    if (result < 0 || stat.type != ALC_OS_TYPE_REGULAR_FILE) {
        (void)host_of(seal)->close(context, (int32_t)handle);
        return result < 0 ? result : -ALC_OS_IO;
    }
    seal->container = (int32_t)handle;
    uint64_t blocks = stat.size / ALC_SEAL_BLOCK_SIZE;
    seal->blocks_count = blocks < seal->blocks_max ? blocks : seal->blocks_max;
    return 0;
}

typedef int64_t transfer_function(void *context, int32_t handle, const struct alc_span *spans,
                                  size_t spans_count, uint64_t offset);

static int64_t transfer(struct alc_seal *seal, transfer_function *move, uint64_t address,
                        uint32_t count, uint8_t *bytes)
{
    uint64_t offset = address * ALC_SEAL_BLOCK_SIZE;
    size_t size = (size_t)count * ALC_SEAL_BLOCK_SIZE;
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t moved = move(seal->host->context, seal->container, &span, 1, offset + done);
        if (moved <= 0 || (uint64_t)moved > span.size) {
            return moved == -ALC_OS_NO_SPACE || moved == -ALC_OS_QUOTA ? moved : -ALC_OS_IO;
        }
        done += (size_t)moved;
    }
    return 0;
}

int64_t alc_seal_container_scatter(struct alc_seal *seal, uint64_t address,
                                   const struct alc_span *spans, size_t spans_count)
{
    int64_t size = host_of(seal)->read_at(seal->host->context, seal->container, spans, spans_count,
                                          address * ALC_SEAL_BLOCK_SIZE);
    return size < 0 ? -ALC_OS_IO : size / ALC_SEAL_BLOCK_SIZE;
}

int64_t alc_seal_container_read(struct alc_seal *seal, uint64_t address, uint32_t count,
                                uint8_t *bytes)
{
    return transfer(seal, host_of(seal)->read_at, address, count, bytes);
}

int64_t alc_seal_container_write(struct alc_seal *seal, uint64_t address, uint32_t count,
                                 uint8_t *bytes)
{
    seal->is_unsettled = true;
    return transfer(seal, host_of(seal)->write_at, address, count, bytes);
}

int64_t alc_seal_container_sync(struct alc_seal *seal)
{
    return host_of(seal)->sync(seal->host->context, seal->container, 1) < 0 ? -ALC_OS_IO : 0;
}

/* -- free space -- */

static bool get_bit(const uint64_t *bits, uint64_t index)
{
    return (bits[index / 64] >> (index % 64) & 1) != 0;
}

static void set_bit(uint64_t *bits, uint64_t index)
{
    bits[index / 64] |= UINT64_C(1) << (index % 64);
}

static void clear_bit(uint64_t *bits, uint64_t index)
{
    bits[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

static uint64_t words_of(const struct alc_seal *seal)
{
    return (seal->blocks_max + 63) / 64;
}

static void drop_kept(struct alc_seal *seal)
{
    for (uint32_t i = 0; i < ALC_SEAL_KEPT_RUNS; i++) {
        seal->kept[i] = (struct alc_seal_run){.hand = 0};
    }
}

void alc_seal_space_reset(struct alc_seal *seal)
{
    alc_fill(seal->busy, 0, words_of(seal) * sizeof *seal->busy);
    alc_fill(seal->pending, 0, words_of(seal) * sizeof *seal->pending);
    seal->pending_count = 0;
    seal->allocate_hand = ALC_SEAL_FIRST_BLOCK;
    drop_kept(seal);
    seal->free_count = 0;
    for (uint64_t i = 0; i < ALC_SEAL_FIRST_BLOCK; i++) {
        set_bit(seal->busy, i);
    }
    if (seal->blocks_count > ALC_SEAL_FIRST_BLOCK) {
        seal->free_count = seal->blocks_count - ALC_SEAL_FIRST_BLOCK;
    }
}

bool alc_seal_space_claim(struct alc_seal *seal, uint64_t address)
{
    if (address < ALC_SEAL_FIRST_BLOCK || address >= seal->blocks_count ||
        get_bit(seal->busy, address)) {
        return false;
    }
    set_bit(seal->busy, address);
    seal->free_count--;
    return true;
}

/* Makes the host's file longer. Space that the host promises is better than none. */
static int64_t grow(struct alc_seal *seal, uint64_t count)
{
    uint64_t old_size = seal->blocks_count * ALC_SEAL_BLOCK_SIZE;
    uint64_t new_size = (seal->blocks_count + count) * ALC_SEAL_BLOCK_SIZE;
    int64_t result = host_of(seal)->allocate(seal->host->context, seal->container, old_size,
                                             new_size - old_size);
    if (result == -ALC_OS_NOT_SUPPORTED || result == -ALC_OS_NOT_IMPLEMENTED ||
        result == -ALC_OS_INVALID) {
        result = host_of(seal)->set_size(seal->host->context, seal->container, new_size);
    }
    if (result < 0) {
        return -ALC_OS_NO_SPACE;
    }
    seal->blocks_count += count;
    seal->free_count += count;
    return 0;
}

int64_t alc_seal_space_reserve(struct alc_seal *seal, uint64_t count)
{
    if (seal->free_count >= count) {
        return 0;
    }
    uint64_t missing = count - seal->free_count;
    uint64_t room = seal->blocks_max - seal->blocks_count;
    /* In steps that a file of this size does not feel, so that it grows seldom. */
    uint64_t step = seal->blocks_count / 64 + 64;
    uint64_t wanted = missing > step ? missing : step;
    if (missing > room) {
        return -ALC_OS_NO_SPACE;
    }
    int64_t result = grow(seal, wanted < room ? wanted : room);
    return result < 0 && missing < wanted ? grow(seal, missing) : result;
}

/* The first free block of [from, to), or `to`. */
static uint64_t find_free(const struct alc_seal *seal, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t word = ~seal->busy[from / 64] >> (from % 64);
        if (word != 0) {
            from += (uint64_t)__builtin_ctzll(word);
            return from < to ? from : to;
        }
        from = (from / 64 + 1) * 64;
    }
    return to;
}

static bool is_kept(const struct alc_seal *seal, uint64_t address, uint64_t *out_end)
{
    for (uint32_t i = 0; i < ALC_SEAL_KEPT_RUNS; i++) {
        if (address >= seal->kept[i].first && address < seal->kept[i].end) {
            *out_end = seal->kept[i].end;
            return true;
        }
    }
    return false;
}

/* The same, but for the runs that are kept. */
static uint64_t find_free_for_data(const struct alc_seal *seal, uint64_t from, uint64_t to)
{
    uint64_t address = find_free(seal, from, to);
    uint64_t end;
    while (address < to && is_kept(seal, address, &end)) {
        address = end < to ? find_free(seal, end, to) : to;
    }
    return address;
}

/* Keeps a word of free blocks, if the container is large enough to have one to spare. */
static void keep_run(struct alc_seal *seal, struct alc_seal_run *run)
{
    uint64_t words = seal->blocks_count / RUN_BLOCKS;
    uint64_t other_end;
    *run = (struct alc_seal_run){.hand = 0};
    for (uint64_t i = seal->allocate_hand / RUN_BLOCKS; words >= RUNS_MIN && i < words; i++) {
        if (seal->busy[i] == 0 && !is_kept(seal, i * RUN_BLOCKS, &other_end)) {
            *run = (struct alc_seal_run){
                .first = i * RUN_BLOCKS, .hand = i * RUN_BLOCKS, .end = (i + 1) * RUN_BLOCKS};
            return;
        }
    }
}

/* A free block of a kept run, or 0. What is written again with each commit goes round in its run;
 * nodes above data stay in the order of the data. */
static uint64_t find_kept(struct alc_seal *seal, enum alc_seal_use use)
{
    struct alc_seal_run *run = &seal->kept[use];
    uint64_t address = find_free(seal, run->hand, run->end);
    if (address == run->end && use == ALC_SEAL_USE_COMMIT) {
        address = find_free(seal, run->first, run->end);
    }
    if (address == run->end) {
        keep_run(seal, run);
        address = run->hand;
    }
    run->hand = address == 0 ? 0 : address + 1;
    return address;
}

uint64_t alc_seal_space_take(struct alc_seal *seal, enum alc_seal_use use)
{
    uint64_t address = use != ALC_SEAL_USE_DATA && !seal->is_compacting ? find_kept(seal, use) : 0;
    if (address == 0) {
        address = find_free_for_data(seal, seal->allocate_hand, seal->blocks_count);
        if (address == seal->blocks_count) {
            address = find_free_for_data(seal, ALC_SEAL_FIRST_BLOCK, seal->allocate_hand);
        }
        if (address >= seal->blocks_count || get_bit(seal->busy, address)) {
            address = find_free(seal, ALC_SEAL_FIRST_BLOCK, seal->blocks_count); /* kept ones */
        }
        seal->allocate_hand = address + 1;
    }
    if (address >= seal->blocks_count) {
        return 0;
    }
    set_bit(seal->busy, address);
    seal->free_count--;
    return address;
}

void alc_seal_space_release(struct alc_seal *seal, const struct alc_seal_pointer *pointer)
{
    uint64_t address = pointer->address;
    if (address == 0) {
        return;
    }
    /* It had this owner only: claimed when the mount was opened, or taken since. */
    ALC_ASSERT(address < seal->blocks_count && get_bit(seal->busy, address) &&
               !get_bit(seal->pending, address));
    bool is_fresh = pointer->counter > seal->durable_counter &&
                    alc_equal(pointer->epoch, seal->epoch, ALC_SEAL_EPOCH_SIZE);
    if (is_fresh) { /* no durable root knows it */
        clear_bit(seal->busy, address);
        seal->free_count++;
        return;
    }
    set_bit(seal->pending, address);
    seal->pending_count++;
}

void alc_seal_space_settle(struct alc_seal *seal)
{
    for (uint64_t i = 0; seal->pending_count != 0 && i < words_of(seal); i++) {
        uint64_t word = seal->pending[i];
        if (word == 0) {
            continue;
        }
        /* Low addresses first, so that the end of the container becomes free sooner or later. */
        uint64_t first = i * 64 + (uint64_t)__builtin_ctzll(word);
        uint64_t count = (uint64_t)__builtin_popcountll(word);
        seal->allocate_hand = first < seal->allocate_hand ? first : seal->allocate_hand;
        seal->busy[i] &= ~word;
        seal->pending[i] = 0;
        seal->free_count += count;
        seal->pending_count -= count;
    }
}

void alc_seal_space_trim(struct alc_seal *seal)
{
    uint64_t end = seal->blocks_count;
    while (end > ALC_SEAL_FIRST_BLOCK && !get_bit(seal->busy, end - 1)) {
        end--;
    }
    if (end == seal->blocks_count || host_of(seal)->set_size(seal->host->context, seal->container,
                                                             end * ALC_SEAL_BLOCK_SIZE) < 0) {
        return; /* it stays longer than it has to be */
    }
    seal->free_count -= seal->blocks_count - end;
    seal->blocks_count = end;
    drop_kept(seal);
}
