/* SPDX-License-Identifier: Apache-2.0
 *
 * One mount into another: every inode keeps its number, every block is opened with the one's keys
 * and sealed with the other's; names are sorted anew, since their order is keyed. What is read is
 * authenticated, so a copy of something damaged cannot be made unnoticed.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

struct copy {
    struct alc_seal *to;
    struct alc_seal_inode *target; /* in `to` */
};

/* Blocks that one block of data makes dirty. */
enum { WAY_BLOCKS = 2 * (ALC_LIMIT_SEAL_TREE_HEIGHT + 2) };

static int64_t read_block(struct alc_seal *from, const struct alc_seal_inode *inode, uint32_t index,
                          struct alc_seal_block **out)
{
    if (alc_seal_cache_find(from, inode->number, 0, index) == NULL) {
        alc_seal_blocks_fetch(from, inode, 0, index, ALC_SEAL_STAGE_BLOCKS);
    }
    return alc_seal_block_read(from, inode, 0, index, out);
}

static int64_t copy_block(void *context, struct alc_seal *from, const struct alc_seal_inode *inode,
                          uint32_t level, uint32_t index, const struct alc_seal_pointer *pointer)
{
    const struct copy *copy = context;
    struct alc_seal_block *block;
    struct alc_seal_block *written;
    (void)pointer;
    int64_t result = level == 0 ? read_block(from, inode, index, &block) : 1;
    if (result != 0) {
        return result;
    }
    result = alc_seal_begin_change(copy->to, WAY_BLOCKS);
    if (result < 0) {
        return result;
    }
    result = alc_seal_block_change(copy->to, copy->target, 0, index, true, &written);
    if (result == 0) {
        alc_copy(written->bytes, block->bytes, ALC_SEAL_BLOCK_SIZE);
    }
    return alc_seal_end_change(copy->to, result);
}

/* The names of one bucket. */
static int64_t copy_names(void *context, struct alc_seal *from, const struct alc_seal_inode *inode,
                          uint32_t level, uint32_t index, const struct alc_seal_pointer *pointer)
{
    const struct copy *copy = context;
    struct alc_seal_block *block;
    enum alc_seal_bucket_kind kind;
    uint32_t size;
    (void)pointer;
    int64_t result = level == 0 ? read_block(from, inode, index, &block) : 1;
    if (result != 0) {
        return result;
    }
    bool is_good = alc_seal_bucket_decode(block->bytes, &kind, &size);
    for (uint32_t at = 0; is_good && result == 0 && at < size;) {
        struct alc_seal_entry entry;
        is_good = alc_seal_entry_decode(block->bytes, size, at, &entry, &at);
        result = is_good ? alc_seal_begin_change(copy->to, ALC_SEAL_CHANGE_BLOCKS) : 0;
        if (is_good && result == 0) {
            result = alc_seal_end_change(
                copy->to, alc_seal_directory_insert(copy->to, copy->target, entry.name,
                                                    entry.name_size, entry.inode, entry.type));
        }
    }
    if (!is_good) {
        alc_seal_report(from, ALC_SEAL_MALFORMED, inode->number, 0, index, 0);
    }
    return is_good ? result : -ALC_OS_IO;
}

/* The record without its tree. */
static int64_t put_record(const struct copy *copy, const struct alc_seal_record *record)
{
    struct alc_seal_inode *target = copy->target;
    int64_t result = alc_seal_begin_change(copy->to, ALC_SEAL_CHANGE_BLOCKS);
    if (result < 0) {
        return result;
    }
    result = alc_seal_inode_change(copy->to, target);
    if (result == 0) {
        const struct alc_seal_pointer root = target->record.root;
        uint32_t height = target->record.height;
        target->record = *record;
        target->record.root = root;
        target->record.height = height;
        target->stale_times = 0;
    }
    return alc_seal_end_change(copy->to, result);
}

static int64_t copy_inode(struct copy *copy, struct alc_seal *from,
                          const struct alc_seal_inode *inode)
{
    bool is_directory = inode->record.type == ALC_OS_TYPE_DIRECTORY;
    struct alc_seal_record empty = inode->record;
    empty.size = is_directory ? 0 : empty.size;
    int64_t result = put_record(copy, &empty);
    if (result == 0 && inode->record.type != 0) {
        result = alc_seal_tree_walk(from, inode, is_directory ? copy_names : copy_block, copy);
    }
    /* Names that were added counted, and changed times. */
    if (result == 0 && is_directory && copy->target->record.size != inode->record.size) {
        alc_seal_report(from, ALC_SEAL_MALFORMED, inode->number, 0, 0, 0);
        result = -ALC_OS_IO;
    }
    return result == 0 && is_directory ? put_record(copy, &inode->record) : result;
}

static int64_t copy_all(struct alc_seal *from, struct alc_seal *to)
{
    struct copy copy = {.to = to};
    int64_t result = 0;
    to->root.inodes_count = from->root.inodes_count;
    to->root.next_file_id = from->root.next_file_id;
    for (uint64_t number = alc_seal_inode_after(from, 0); result == 0 && number != 0;
         number = alc_seal_inode_after(from, number)) {
        struct alc_seal_inode *inode;
        alc_seal_begin(from);
        alc_seal_begin(to);
        result = alc_seal_inode_get_any(from, number, &inode);
        if (result < 0) {
            break;
        }
        result = alc_seal_inode_get_any(to, number, &copy.target);
        if (result == 0) {
            bool is_needed = inode->record.type != 0 || inode->record.next != 0;
            result = is_needed ? copy_inode(&copy, from, inode) : 0;
            alc_seal_inode_put(to, copy.target);
        }
        alc_seal_inode_put(from, inode);
    }
    to->root.first_free = from->root.first_free;
    to->root.first_orphan = from->root.first_orphan;
    if (result < 0) {
        return result;
    }
    to->kept_flags &= ~(uint64_t)ALC_SEAL_ROOT_PARTIAL; /* the next root says that it is complete */
    to->has_changed = true;
    return alc_seal_commit(to, true);
}

alc_status alc_seal_copy(struct alc_seal *from, struct alc_seal *to)
{
    alc_seal_lock(from);
    alc_seal_lock(to);
    int64_t result = from->is_damaged || from->has_failed ? -ALC_OS_IO : copy_all(from, to);
    to->has_failed |= result < 0;
    alc_seal_unlock(to);
    alc_seal_unlock(from);
    return result < 0 ? ALC_E_IO_FAILED : ALC_OK;
}

/* -- in the place of the old one -- */

static const char new_name[] = "alcove.seal.new";
static const char old_name[] = "alcove.seal";

/* The name is the switch: what it names before and after is durable and whole. */
static int64_t take_place(const struct alc_seal_options *options)
{
    const struct alc_os *host = options->host;
    const char *name = options->name != NULL ? options->name : old_name;
    int64_t result = host->operations->rename_at(
        host->context, options->directory, (const uint8_t *)new_name, sizeof new_name - 1,
        options->directory, (const uint8_t *)name, alc_string_length(name));
    if (result == 0) {
        result = host->operations->sync(host->context, options->directory, 0);
    }
    return result;
}

alc_status alc_seal_write_anew(struct alc_arena *arena, struct alc_seal *from,
                               const struct alc_seal_options *to, struct alc_error *error)
{
    struct alc_seal *copy;
    struct alc_seal_options new_options = *to;
    new_options.name = new_name;
    new_options.flags = ALC_SEAL_CREATE | ALC_SEAL_REPLACE | ALC_SEAL_PARTIAL;
    new_options.witness = NULL; /* hears of it when it is opened in its place */
    new_options.base = from->base;
    ALC_TRY(alc_seal_open(arena, &new_options, &copy, error));
    alc_status status = alc_seal_copy(from, copy);
    alc_status closed = alc_seal_close(copy);
    status = status == ALC_OK ? closed : status;
    if (status == ALC_OK && take_place(to) < 0) {
        status = ALC_E_IO_FAILED;
    }
    return status == ALC_OK ? ALC_OK
                            : alc_fail_with(error, status, ALC_NO_OFFSET,
                                            "the sealed mount cannot be written anew");
}

alc_status alc_seal_rekey(struct alc_arena *arena, const struct alc_seal_options *options,
                          const struct alc_seal_key_source *new_key, struct alc_error *error)
{
    struct alc_seal *from;
    struct alc_seal_options old_options = *options;
    struct alc_seal_options new_options = *options;
    /* What the witness knows stays the state that the new one is made from. */
    old_options.flags = ALC_SEAL_READ_ONLY | ALC_SEAL_ALONE | ALC_SEAL_ASK;
    ALC_TRY(alc_seal_open(arena, &old_options, &from, error));
    new_options.key = *new_key;
    new_options.line = alc_seal_line(from);
    alc_status status = alc_seal_write_anew(arena, from, &new_options, error);
    (void)alc_seal_close(from); /* read-only: nothing can be lost */
    return status;
}
