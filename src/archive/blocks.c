/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of the archive. A block is believed when its hash stands in a block of the tree that is
 * believed; the topmost one is named by the digest. Both kinds are kept for a while.
 */
#include "archive/archive_internal.h"
#include "base/bytes.h"

enum { BLOCK = ALC_VERITY_BLOCK_SIZE, WINDOW = ALC_ARCHIVE_WINDOW_BLOCKS * ALC_VERITY_BLOCK_SIZE };

/* -- the host -- */

static int64_t read_exactly(const struct alc_archive *archive, int32_t handle, uint64_t offset,
                            uint8_t *bytes, size_t size)
{
    const struct alc_os *host = archive->host;
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t count = host->operations->read_at(host->context, handle, &span, 1, offset + done);
        if (count <= 0 || (uint64_t)count > span.size) {
            return -ALC_OS_IO;
        }
        done += (size_t)count;
    }
    return 0;
}

static int64_t not_genuine(const struct alc_archive *archive, uint32_t level, uint64_t block)
{
    if (archive->options.report != NULL) {
        archive->options.report(archive->options.report_context, level, block);
    }
    return -ALC_OS_IO;
}

/* -- the tree -- */

static struct alc_archive_hashes *find_hashes(struct alc_archive *archive, uint64_t block)
{
    for (uint32_t i = 0; i < ALC_ARCHIVE_HASH_BLOCKS; i++) {
        if (archive->hashes[i].block == block) {
            archive->hashes[i].is_recent = true;
            return &archive->hashes[i];
        }
    }
    return NULL;
}

static struct alc_archive_hashes *replace_hashes(struct alc_archive *archive)
{
    while (true) {
        struct alc_archive_hashes *hashes =
            &archive->hashes[archive->hashes_hand++ % ALC_ARCHIVE_HASH_BLOCKS];
        if (hashes->block == UINT64_MAX || !hashes->is_recent) {
            hashes->block = UINT64_MAX;
            return hashes;
        }
        hashes->is_recent = false;
    }
}

/* Reads one block of the tree, which has to have this hash. */
static int64_t load_hashes(struct alc_archive *archive, uint32_t level, uint64_t index,
                           const uint8_t expected[ALC_SHA256_SIZE], struct alc_archive_hashes **out)
{
    uint8_t digest[ALC_SHA256_SIZE];
    uint64_t block = archive->verity.first_block[level] + index;
    struct alc_archive_hashes *hashes = replace_hashes(archive);
    int64_t result =
        read_exactly(archive, archive->options.tree, block * BLOCK, hashes->bytes, BLOCK);
    if (result < 0) {
        return result;
    }
    alc_verity_hash_block(hashes->bytes, BLOCK, digest);
    if (!alc_equal(digest, expected, sizeof digest)) {
        return not_genuine(archive, level, index);
    }
    hashes->block = block;
    hashes->is_recent = true;
    *out = hashes;
    return 0;
}

/* The hash that block `index` of the archive has to have: from the nearest block of the tree that
 * is kept, or from the root, downwards. */
static int64_t expected_hash(struct alc_archive *archive, uint64_t index,
                             uint8_t out[ALC_SHA256_SIZE])
{
    const struct alc_verity *verity = &archive->verity;
    struct alc_archive_hashes *hashes = NULL;
    uint64_t path[ALC_VERITY_LEVELS_MAX + 2] = {index}; /* the block of each level */
    uint32_t level = 0;
    while (level <= verity->levels_count && hashes == NULL) {
        level++;
        path[level] = path[level - 1] / ALC_VERITY_HASHES;
        hashes = level > verity->levels_count
                     ? NULL
                     : find_hashes(archive, verity->first_block[level] + path[level]);
    }
    alc_copy(out, archive->root, ALC_SHA256_SIZE);
    while (true) {
        if (hashes != NULL) {
            alc_copy(out, &hashes->bytes[path[level - 1] % ALC_VERITY_HASHES * ALC_SHA256_SIZE],
                     ALC_SHA256_SIZE);
        }
        level--;
        if (level == 0) {
            return 0;
        }
        int64_t result = load_hashes(archive, level, path[level], out, &hashes);
        if (result < 0) {
            return result;
        }
    }
}

/* The host's topmost block is believed if the digest can be made of it. */
int64_t alc_archive_blocks_init(struct alc_archive *archive)
{
    struct alc_verity *verity = &archive->verity;
    uint8_t digest[ALC_SHA256_SIZE];
    bool is_tree = verity->levels_count > 0;
    uint8_t *bytes = archive->hashes[0].bytes;
    size_t size = is_tree ? BLOCK : (size_t)verity->size;
    uint64_t offset = is_tree ? verity->first_block[verity->levels_count] * BLOCK : 0;
    int64_t result = read_exactly(
        archive, is_tree ? archive->options.tree : archive->options.archive, offset, bytes, size);
    if (result < 0) {
        return result;
    }
    if (verity->size > 0) {
        alc_verity_hash_block(bytes, size, archive->root);
    }
    alc_verity_digest(verity, archive->root, digest);
    return alc_equal(digest, archive->options.digest, sizeof digest)
               ? 0
               : not_genuine(archive, verity->levels_count, 0);
}

/* -- the data -- */

static struct alc_archive_window *window_of(struct alc_archive *archive, uint64_t number)
{
    for (uint32_t i = 0; i < ALC_ARCHIVE_WINDOWS; i++) {
        if (archive->windows[i].number == number) {
            archive->windows[i].is_recent = true;
            return &archive->windows[i];
        }
    }
    struct alc_archive_window *victim = NULL;
    while (victim == NULL) {
        struct alc_archive_window *window =
            &archive->windows[archive->window_hand++ % ALC_ARCHIVE_WINDOWS];
        if (window->number == UINT64_MAX || !window->is_recent) {
            victim = window;
        }
        window->is_recent = false;
    }
    victim->number = number;
    victim->good = 0;
    victim->is_recent = true;
    return victim;
}

static size_t block_size(const struct alc_verity *verity, uint64_t index)
{
    uint64_t left = verity->size - index * BLOCK;
    return left < BLOCK ? (size_t)left : BLOCK;
}

/* Reads and checks the blocks from `first` on, in the window, up to one that is good or `end`. */
static int64_t load(struct alc_archive *archive, struct alc_archive_window *window, uint32_t first,
                    uint32_t end)
{
    const struct alc_verity *verity = &archive->verity;
    const uint64_t base = window->number * ALC_ARCHIVE_WINDOW_BLOCKS;
    uint8_t expected[ALC_SHA256_SIZE];
    uint8_t digest[ALC_SHA256_SIZE];
    uint32_t last = first;
    size_t size = 0;
    while (last < end && base + last < verity->blocks[0] && (window->good >> last & 1) == 0) {
        size += block_size(verity, base + last);
        last++;
    }
    int64_t result = read_exactly(archive, archive->options.archive, (base + first) * BLOCK,
                                  window->bytes + first * BLOCK, size);
    for (uint32_t i = first; result == 0 && i < last; i++) {
        result = expected_hash(archive, base + i, expected);
        if (result == 0) {
            alc_verity_hash_block(window->bytes + i * BLOCK, block_size(verity, base + i), digest);
            result =
                alc_equal(digest, expected, sizeof digest) ? 0 : not_genuine(archive, 0, base + i);
        }
        window->good |= result == 0 ? 1u << i : 0;
    }
    return result;
}

int64_t alc_archive_bytes(struct alc_archive *archive, uint64_t offset, uint8_t *bytes, size_t size)
{
    bool is_sequential = offset == archive->read_end;
    ALC_ASSERT(offset <= archive->verity.size && size <= archive->verity.size - offset);
    for (size_t done = 0; done < size;) {
        uint64_t at = offset + done;
        struct alc_archive_window *window = window_of(archive, at / WINDOW);
        uint32_t block = (uint32_t)(at % WINDOW / BLOCK);
        uint64_t wanted_end = (at % WINDOW + size - done + BLOCK - 1) / BLOCK;
        if ((window->good >> block & 1) == 0) {
            uint32_t end = is_sequential || wanted_end > ALC_ARCHIVE_WINDOW_BLOCKS
                               ? ALC_ARCHIVE_WINDOW_BLOCKS
                               : (uint32_t)wanted_end;
            int64_t result = load(archive, window, block, end);
            if ((window->good >> block & 1) == 0) {
                return result;
            }
        }
        size_t part = BLOCK - (size_t)(at % BLOCK);
        part = part < size - done ? part : size - done;
        alc_copy(bytes + done, window->bytes + at % WINDOW, part);
        done += part;
    }
    archive->read_end = offset + size;
    return 0;
}
