/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening an archive.
 */
#include "archive/archive.h"

#include "archive/archive_internal.h"
#include "base/writer.h"

/* Names and targets, beside the nodes. */
#define NAMES_SIZE (UINT64_C(64) << 20)

size_t alc_archive_memory_size(void)
{
    return sizeof(struct alc_archive) +
           (size_t)ALC_LIMIT_ARCHIVE_ENTRIES * sizeof(struct alc_archive_node) + NAMES_SIZE;
}

static alc_status take_caches(struct alc_archive *archive, struct alc_arena *arena)
{
    enum { WINDOW = ALC_ARCHIVE_WINDOW_BLOCKS * ALC_VERITY_BLOCK_SIZE };
    for (uint32_t i = 0; i < ALC_ARCHIVE_WINDOWS; i++) {
        archive->windows[i].number = UINT64_MAX;
        archive->windows[i].bytes = alc_arena_take(arena, WINDOW, 64);
        if (archive->windows[i].bytes == NULL) {
            return ALC_E_OUT_OF_MEMORY;
        }
    }
    for (uint32_t i = 0; i < ALC_ARCHIVE_HASH_BLOCKS; i++) {
        archive->hashes[i].block = UINT64_MAX;
        archive->hashes[i].bytes = alc_arena_take(arena, ALC_VERITY_BLOCK_SIZE, 64);
        if (archive->hashes[i].bytes == NULL) {
            return ALC_E_OUT_OF_MEMORY;
        }
    }
    return ALC_OK;
}

alc_status alc_archive_open(struct alc_arena *arena, const struct alc_archive_options *options,
                            struct alc_archive **out, struct alc_error *error)
{
    struct alc_os_stat stat;
    const struct alc_os *host = options->host;
    struct alc_archive *archive = ALC_ARENA_NEW(arena, struct alc_archive);
    if (archive == NULL || take_caches(archive, arena) != ALC_OK) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    archive->host = host;
    archive->options = *options;
    archive->arena = arena;
    if (host->operations->stat(host->context, options->archive, &stat) < 0 ||
        stat.size > INT64_MAX) {
        return alc_fail(error, ALC_E_IO_FAILED, ALC_NO_OFFSET);
    }
    alc_verity_init(&archive->verity, stat.size);
    if (alc_archive_blocks_init(archive) < 0) {
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "the archive is not the one that the digest names");
    }
    ALC_TRY(alc_archive_nodes_init(archive));
    ALC_TRY(alc_archive_read_headers(archive, error));
    archive->arena = NULL;
    *out = archive;
    return ALC_OK;
}

void alc_archive_damage_describe(uint32_t level, uint64_t block,
                                 char text[ALC_ARCHIVE_DAMAGE_TEXT_SIZE])
{
    struct alc_writer writer;
    alc_writer_init(&writer, text, ALC_ARCHIVE_DAMAGE_TEXT_SIZE - 1);
    alc_write_string(&writer, "block ");
    alc_write_decimal(&writer, block);
    if (level != 0) {
        alc_write_string(&writer, " of level ");
        alc_write_decimal(&writer, level);
        alc_write_string(&writer, " of the hash tree");
    }
    alc_write_string(&writer, " is not the one that the digest names");
    text[writer.pos] = '\0';
}
