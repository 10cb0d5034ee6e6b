/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on paths but for renaming: what os.h asks, in terms of directories and inodes. Each
 * looks up first and changes last.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

static int64_t new_handle(struct alc_seal *seal, struct alc_seal_inode *inode, uint32_t flags)
{
    for (uint32_t i = 1; i < ALC_LIMIT_SEAL_HANDLES; i++) {
        if (seal->handles[i].inode == NULL) {
            seal->handles[i] = (struct alc_seal_handle){.inode = inode, .flags = flags};
            return i;
        }
    }
    return -ALC_OS_TOO_MANY_OPEN;
}

/* -- making -- */

/* Whether a new name can be put at the target: it is free, and its directory still there. */
static int64_t check_free(const struct alc_seal_target *target)
{
    if (target->is_dots || target->number != 0) {
        return -ALC_OS_EXISTS;
    }
    if (target->parent->record.links_count == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    return target->name_size > ALC_LIMIT_SEAL_NAME_SIZE ? -ALC_OS_NAME_TOO_LONG : 0;
}

/* A new inode with one name, with a reference. Part of a change. */
static int64_t make_named(struct alc_seal *seal, const struct alc_seal_target *target,
                          uint32_t type, struct alc_seal_inode **out)
{
    int64_t result = alc_seal_inode_new(seal, type, out);
    if (result < 0) {
        return result;
    }
    (*out)->record.links_count = 1;
    (*out)->record.parent = type == ALC_OS_TYPE_DIRECTORY ? target->parent->number : 0;
    result = alc_seal_directory_insert(seal, target->parent, target->name, target->name_size,
                                       (*out)->number, type);
    if (result < 0) {
        alc_seal_inode_put(seal, *out);
    }
    return result;
}

/* The same for a name of a new inode. */
static int64_t check_new(const struct alc_seal *seal, const struct alc_seal_target *target)
{
    int64_t result = check_free(target);
    bool has_number = seal->root.first_free != 0 || seal->root.inodes_count < ALC_LIMIT_SEAL_INODES;
    return result == 0 && !has_number ? -ALC_OS_NO_SPACE : result;
}

static int64_t make(struct alc_seal *seal, const struct alc_seal_target *target, uint32_t type,
                    struct alc_seal_inode **out)
{
    int64_t result = check_new(seal, target);
    if (result == 0) {
        result = alc_seal_begin_change(seal, ALC_SEAL_CHANGE_BLOCKS);
    }
    if (result == 0) {
        result = alc_seal_end_change(seal, make_named(seal, target, type, out));
    }
    return result;
}

/* -- opening -- */

static int64_t check_open(const struct alc_seal *seal, const struct alc_seal_target *target,
                          uint32_t flags)
{
    enum { CHANGES = ALC_OS_OPEN_WRITE | ALC_OS_OPEN_TRUNCATE };
    bool is_directory = target->type == ALC_OS_TYPE_DIRECTORY;
    if ((flags & ALC_OS_OPEN_CREATE) != 0 && (flags & ALC_OS_OPEN_EXCLUSIVE) != 0) {
        return -ALC_OS_EXISTS;
    }
    if (!is_directory && (target->wants_directory || (flags & ALC_OS_OPEN_DIRECTORY) != 0)) {
        return -ALC_OS_NOT_DIRECTORY;
    }
    if (target->type == ALC_OS_TYPE_SYMBOLIC_LINK) {
        return -ALC_OS_LOOP;
    }
    if (is_directory && (flags & (CHANGES | ALC_OS_OPEN_CREATE)) != 0) {
        return -ALC_OS_IS_DIRECTORY;
    }
    return (flags & CHANGES) != 0 && seal->is_read_only ? -ALC_OS_READ_ONLY : 0;
}

/* The inode that is opened, with a reference. */
static int64_t open_target(struct alc_seal *seal, const struct alc_seal_target *target,
                           uint32_t flags, struct alc_seal_inode **out)
{
    if (target->number == 0) {
        if ((flags & ALC_OS_OPEN_CREATE) == 0) {
            return -ALC_OS_NO_ENTRY;
        }
        return target->wants_directory ? -ALC_OS_IS_DIRECTORY
                                       : make(seal, target, ALC_OS_TYPE_REGULAR_FILE, out);
    }
    int64_t result = check_open(seal, target, flags);
    if (result == 0) {
        result = alc_seal_inode_get(seal, target->number, out);
    }
    if (result == 0 && (flags & ALC_OS_OPEN_TRUNCATE) != 0) {
        result = alc_seal_file_set_size(seal, *out, 0);
        if (result < 0) {
            alc_seal_inode_put(seal, *out);
        }
    }
    return result;
}

int64_t alc_seal_open_at(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                         size_t path_size, uint32_t flags)
{
    enum { ONE_TIME = ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE | ALC_OS_OPEN_TRUNCATE };
    struct alc_seal_target target;
    struct alc_seal_inode *inode;
    bool is_exclusive = (flags & ALC_OS_OPEN_EXCLUSIVE) != 0 && (flags & ALC_OS_OPEN_CREATE) != 0;
    if ((flags & ~(uint32_t)(ALC_OS_OPEN_ALL & ~ALC_OS_OPEN_LOCK)) != 0) {
        return -ALC_OS_INVALID;
    }
    int64_t result = alc_seal_resolve(seal, start, path, path_size,
                                      (flags & ALC_OS_OPEN_FOLLOW) != 0 && !is_exclusive, &target);
    if (result < 0) {
        return result;
    }
    result = open_target(seal, &target, flags, &inode);
    alc_seal_inode_put(seal, target.parent);
    if (result < 0) {
        return result;
    }
    uint32_t kept = flags & ~(uint32_t)ONE_TIME;
    kept |= (flags & ALC_OS_OPEN_WRITE) == 0 ? ALC_OS_OPEN_READ : 0;
    result = new_handle(seal, inode, kept);
    if (result < 0) {
        alc_seal_inode_put(seal, inode);
    }
    return result;
}

/* -- looking -- */

/* The inode that a path names, with a reference. */
static int64_t get_named(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                         size_t path_size, bool follow, struct alc_seal_inode **out)
{
    struct alc_seal_target target;
    int64_t result = alc_seal_resolve(seal, start, path, path_size, follow, &target);
    if (result < 0) {
        return result;
    }
    if (target.number == 0) {
        result = -ALC_OS_NO_ENTRY;
    } else if (target.wants_directory && target.type != ALC_OS_TYPE_DIRECTORY) {
        result = -ALC_OS_NOT_DIRECTORY;
    } else {
        result = alc_seal_inode_get(seal, target.number, out);
    }
    alc_seal_inode_put(seal, target.parent);
    return result;
}

int64_t alc_seal_stat_at(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                         size_t path_size, uint32_t follow, struct alc_os_stat *out)
{
    struct alc_seal_inode *inode;
    int64_t result = get_named(seal, start, path, path_size, follow != 0, &inode);
    if (result == 0) {
        alc_seal_file_stat(seal, inode, out);
        alc_seal_inode_put(seal, inode);
    }
    return result;
}

int64_t alc_seal_set_times_at(struct alc_seal *seal, struct alc_seal_inode *start,
                              const uint8_t *path, size_t path_size, uint32_t follow,
                              const uint64_t times_ns[2], uint32_t flags)
{
    struct alc_seal_inode *inode;
    int64_t result = get_named(seal, start, path, path_size, follow != 0, &inode);
    if (result == 0) {
        result = alc_seal_file_set_times(seal, inode, times_ns, flags);
        alc_seal_inode_put(seal, inode);
    }
    return result;
}

int64_t alc_seal_readlink_at(struct alc_seal *seal, struct alc_seal_inode *start,
                             const uint8_t *path, size_t path_size, uint8_t *buf, size_t buf_size)
{
    struct alc_seal_inode *inode;
    const struct alc_span span = {.bytes = buf, .size = buf_size};
    int64_t result = get_named(seal, start, path, path_size, false, &inode);
    if (result < 0) {
        return result;
    }
    result = inode->record.type == ALC_OS_TYPE_SYMBOLIC_LINK
                 ? alc_seal_file_read(seal, inode, &span, 1, 0, false)
                 : -ALC_OS_INVALID;
    alc_seal_inode_put(seal, inode);
    return result;
}

/* -- making and removing names -- */

int64_t alc_seal_create_directory_at(struct alc_seal *seal, struct alc_seal_inode *start,
                                     const uint8_t *path, size_t path_size)
{
    struct alc_seal_target target;
    struct alc_seal_inode *inode;
    int64_t result = alc_seal_resolve(seal, start, path, path_size, false, &target);
    if (result < 0) {
        return result;
    }
    result = make(seal, &target, ALC_OS_TYPE_DIRECTORY, &inode);
    if (result == 0) {
        alc_seal_inode_put(seal, inode);
    }
    alc_seal_inode_put(seal, target.parent);
    return result;
}

static int64_t check_remove(const struct alc_seal_target *target,
                            const struct alc_seal_inode *inode, bool is_directory)
{
    bool found_directory = inode->record.type == ALC_OS_TYPE_DIRECTORY;
    if (!is_directory) {
        return found_directory           ? -ALC_OS_IS_DIRECTORY
               : target->wants_directory ? -ALC_OS_NOT_DIRECTORY
                                         : 0;
    }
    if (!found_directory) {
        return -ALC_OS_NOT_DIRECTORY;
    }
    return inode->record.size != 0 ? -ALC_OS_NOT_EMPTY : 0;
}

static int64_t remove_target(struct alc_seal *seal, const struct alc_seal_target *target,
                             bool is_directory)
{
    struct alc_seal_inode *inode;
    if (target->is_dots) {
        return is_directory ? -ALC_OS_INVALID : -ALC_OS_IS_DIRECTORY;
    }
    if (target->number == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    int64_t result = alc_seal_inode_get(seal, target->number, &inode);
    if (result < 0) {
        return result;
    }
    result = check_remove(target, inode, is_directory);
    if (result == 0) {
        result = alc_seal_begin_release(seal);
    }
    if (result == 0) {
        result = alc_seal_directory_remove(seal, target->parent, target->name, target->name_size);
        result =
            alc_seal_end_change(seal, result == 0 ? alc_seal_inode_unlink(seal, inode) : result);
    }
    alc_seal_inode_put(seal, inode);
    return result;
}

int64_t alc_seal_remove_at(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                           size_t path_size, bool is_directory)
{
    struct alc_seal_target target;
    int64_t result = alc_seal_resolve(seal, start, path, path_size, false, &target);
    if (result == 0) {
        result = remove_target(seal, &target, is_directory);
        alc_seal_inode_put(seal, target.parent);
    }
    return result;
}

/* Gives an inode one more name. */
static int64_t add_name(struct alc_seal *seal, const struct alc_seal_target *target,
                        struct alc_seal_inode *inode)
{
    int64_t result = check_free(target);
    if (result < 0) {
        return result;
    }
    if (inode->record.type == ALC_OS_TYPE_DIRECTORY) {
        return -ALC_OS_NOT_PERMITTED;
    }
    if (target->wants_directory) {
        return -ALC_OS_NO_ENTRY;
    }
    if (inode->record.links_count >= ALC_LIMIT_SEAL_FILE_LINKS) {
        return -ALC_OS_TOO_MANY_LINKS;
    }
    result = alc_seal_begin_change(seal, ALC_SEAL_CHANGE_BLOCKS);
    if (result < 0) {
        return result;
    }
    result = alc_seal_inode_change(seal, inode);
    if (result == 0) {
        inode->record.links_count++;
        inode->stale_times |= ALC_SEAL_STALE_CHANGE;
        result = alc_seal_directory_insert(seal, target->parent, target->name, target->name_size,
                                           inode->number, inode->record.type);
    }
    return alc_seal_end_change(seal, result);
}

int64_t alc_seal_link_at(struct alc_seal *seal, struct alc_seal_inode *old_start,
                         const uint8_t *old_path, size_t old_path_size, uint32_t follow,
                         struct alc_seal_inode *new_start, const uint8_t *new_path,
                         size_t new_path_size)
{
    struct alc_seal_target target;
    struct alc_seal_inode *inode;
    int64_t result = get_named(seal, old_start, old_path, old_path_size, follow != 0, &inode);
    if (result < 0) {
        return result;
    }
    result = alc_seal_resolve(seal, new_start, new_path, new_path_size, false, &target);
    if (result == 0) {
        result = add_name(seal, &target, inode);
        alc_seal_inode_put(seal, target.parent);
    }
    alc_seal_inode_put(seal, inode);
    return result;
}

/* Writes the target of a new link: as part of the operation that made it. */
static int64_t write_link(struct alc_seal *seal, struct alc_seal_inode *inode, const uint8_t *bytes,
                          size_t size)
{
    struct alc_seal_block *block;
    int64_t result = alc_seal_block_change(seal, inode, 0, 0, true, &block);
    if (result == 0) {
        alc_fill(block->bytes, 0, ALC_SEAL_BLOCK_SIZE);
        alc_copy(block->bytes, bytes, size);
        inode->record.size = size;
    }
    return result;
}

static int64_t make_link(struct alc_seal *seal, const struct alc_seal_target *target,
                         const uint8_t *bytes, size_t size)
{
    struct alc_seal_inode *inode;
    int64_t result = check_new(seal, target);
    if (result == 0 && target->wants_directory) {
        result = -ALC_OS_NO_ENTRY;
    }
    if (result == 0) {
        result = alc_seal_begin_change(seal, ALC_SEAL_CHANGE_BLOCKS);
    }
    if (result < 0) {
        return result;
    }
    result = make_named(seal, target, ALC_OS_TYPE_SYMBOLIC_LINK, &inode);
    if (result == 0) {
        result = write_link(seal, inode, bytes, size);
        alc_seal_inode_put(seal, inode);
    }
    return alc_seal_end_change(seal, result);
}

int64_t alc_seal_symlink_at(struct alc_seal *seal, const uint8_t *bytes, size_t size,
                            struct alc_seal_inode *start, const uint8_t *path, size_t path_size)
{
    struct alc_seal_target target;
    if (size >= ALC_LIMIT_WASI_PATH_SIZE) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    if (size == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == 0) {
            return -ALC_OS_INVALID;
        }
    }
    int64_t result = alc_seal_resolve(seal, start, path, path_size, false, &target);
    if (result == 0) {
        result = make_link(seal, &target, bytes, size);
        alc_seal_inode_put(seal, target.parent);
    }
    return result;
}
