/* SPDX-License-Identifier: Apache-2.0
 *
 * Renaming: one operation, so that a crash leaves the old name or the new one, and what the new
 * name had before is gone only with the old one.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

/* Both ends; the inodes are referenced. */
struct ends {
    struct alc_seal_target from;
    struct alc_seal_target to;
    struct alc_seal_inode *moved;
    struct alc_seal_inode *replaced; /* NULL: the new name is free */
    uint8_t from_name[ALC_LIMIT_SEAL_NAME_SIZE];
};

/* INVALID when `directory` is `inode` or lies beneath it. */
static int64_t check_not_beneath(struct alc_seal *seal, uint64_t directory, uint64_t inode)
{
    for (uint32_t i = 0; i < ALC_LIMIT_SEAL_DIRECTORY_DEPTH; i++) {
        struct alc_seal_inode *at;
        if (directory == inode) {
            return -ALC_OS_INVALID;
        }
        if (directory == ALC_SEAL_ROOT_INODE) {
            return 0;
        }
        seal->stamp++;
        int64_t result = alc_seal_inode_get(seal, directory, &at);
        if (result < 0) {
            return result;
        }
        directory = at->record.parent;
        alc_seal_inode_put(seal, at);
    }
    return -ALC_OS_TOO_MANY_LINKS;
}

static int64_t check_directories(struct alc_seal *seal, const struct ends *ends)
{
    if (ends->moved->record.type != ALC_OS_TYPE_DIRECTORY) {
        if (ends->from.wants_directory || ends->to.wants_directory) {
            return -ALC_OS_NOT_DIRECTORY;
        }
        return ends->replaced != NULL && ends->replaced->record.type == ALC_OS_TYPE_DIRECTORY
                   ? -ALC_OS_IS_DIRECTORY
                   : 0;
    }
    if (ends->replaced != NULL) {
        if (ends->replaced->record.type != ALC_OS_TYPE_DIRECTORY) {
            return -ALC_OS_NOT_DIRECTORY;
        }
        if (ends->replaced->record.size != 0) {
            return -ALC_OS_NOT_EMPTY;
        }
    }
    return check_not_beneath(seal, ends->to.parent->number, ends->moved->number);
}

static int64_t change(struct alc_seal *seal, struct ends *ends)
{
    bool is_directory = ends->moved->record.type == ALC_OS_TYPE_DIRECTORY;
    int64_t result = 0;
    if (ends->replaced != NULL) {
        result =
            alc_seal_directory_remove(seal, ends->to.parent, ends->to.name, ends->to.name_size);
        result = result == 0 ? alc_seal_inode_unlink(seal, ends->replaced) : result;
    }
    if (result == 0) {
        result = alc_seal_directory_remove(seal, ends->from.parent, ends->from_name,
                                           ends->from.name_size);
    }
    if (result == 0) {
        result = alc_seal_directory_insert(seal, ends->to.parent, ends->to.name, ends->to.name_size,
                                           ends->moved->number, ends->moved->record.type);
    }
    if (result == 0) {
        result = alc_seal_inode_change(seal, ends->moved);
    }
    if (result == 0) {
        ends->moved->record.parent =
            is_directory ? ends->to.parent->number : ends->moved->record.parent;
        ends->moved->stale_times |= ALC_SEAL_STALE_CHANGE;
    }
    return result;
}

static int64_t rename_inode(struct alc_seal *seal, struct ends *ends)
{
    if (ends->replaced == ends->moved) { /* two names of one file: nothing happens */
        return 0;
    }
    if (ends->to.parent->record.links_count == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    if (ends->to.name_size > ALC_LIMIT_SEAL_NAME_SIZE) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    int64_t result = check_directories(seal, ends);
    if (result == 0) {
        result = alc_seal_begin_change(seal, 2 * ALC_SEAL_CHANGE_BLOCKS);
    }
    return result < 0 ? result : alc_seal_end_change(seal, change(seal, ends));
}

/* Takes references to what the ends name, and gives them back. */
static int64_t rename_ends(struct alc_seal *seal, struct ends *ends)
{
    ends->replaced = NULL;
    if (ends->from.is_dots || ends->to.is_dots) {
        return -ALC_OS_BUSY;
    }
    int64_t result = alc_seal_inode_get(seal, ends->from.number, &ends->moved);
    if (result < 0) {
        return result;
    }
    if (ends->to.number != 0) {
        result = alc_seal_inode_get(seal, ends->to.number, &ends->replaced);
    }
    if (result == 0) {
        result = rename_inode(seal, ends);
    }
    if (ends->replaced != NULL) {
        alc_seal_inode_put(seal, ends->replaced);
    }
    alc_seal_inode_put(seal, ends->moved);
    return result;
}

int64_t alc_seal_rename_at(struct alc_seal *seal, struct alc_seal_inode *old_start,
                           const uint8_t *old_path, size_t old_path_size,
                           struct alc_seal_inode *new_start, const uint8_t *new_path,
                           size_t new_path_size)
{
    struct ends ends;
    int64_t result = alc_seal_resolve(seal, old_start, old_path, old_path_size, false, &ends.from);
    if (result < 0) {
        return result;
    }
    if (ends.from.number == 0 && !ends.from.is_dots) {
        result = -ALC_OS_NO_ENTRY;
    } else {
        /* The second path takes the place of the first. */
        alc_copy(ends.from_name, ends.from.name, ends.from.name_size);
        result = alc_seal_resolve(seal, new_start, new_path, new_path_size, false, &ends.to);
        if (result == 0) {
            result = rename_ends(seal, &ends);
            alc_seal_inode_put(seal, ends.to.parent);
        }
    }
    alc_seal_inode_put(seal, ends.from.parent);
    return result;
}
