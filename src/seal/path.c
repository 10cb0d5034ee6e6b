/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths to inodes, strictly beneath the directory they start from. What is left of the path stands
 * at the end of seal->path, so that the target of a symbolic link is put in front of it.
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

struct walk {
    struct alc_seal *seal;
    uint64_t start;            /* number of the directory that may not be left */
    struct alc_seal_inode *at; /* referenced */
    size_t pos;                /* in seal->path, of what is left */
    uint32_t links_count;      /* symbolic links followed */
};

/* Puts `size` bytes in front of what is left. */
static int64_t put_before(struct walk *walk, const uint8_t *bytes, size_t size)
{
    if (size > walk->pos) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == 0) {
            return -ALC_OS_INVALID;
        }
    }
    walk->pos -= size;
    alc_copy(walk->seal->path + walk->pos, bytes, size);
    return 0;
}

/* Goes on in another directory, which is referenced instead. */
static int64_t enter(struct walk *walk, uint64_t number)
{
    struct alc_seal_inode *next;
    int64_t result = alc_seal_inode_get(walk->seal, number, &next);
    if (result < 0) {
        return result;
    }
    if (next->record.type != ALC_OS_TYPE_DIRECTORY) {
        alc_seal_inode_put(walk->seal, next);
        return -ALC_OS_NOT_DIRECTORY;
    }
    alc_seal_inode_put(walk->seal, walk->at);
    walk->at = next;
    return 0;
}

/* Puts the target of a symbolic link in front of what is left. */
static int64_t expand(struct walk *walk, uint64_t number)
{
    struct alc_seal *seal = walk->seal;
    struct alc_seal_inode *link;
    uint8_t target[ALC_LIMIT_WASI_PATH_SIZE];
    const struct alc_span span = {.bytes = target, .size = sizeof target};
    if (walk->links_count++ == ALC_LIMIT_SEAL_SYMBOLIC_LINKS) {
        return -ALC_OS_LOOP;
    }
    int64_t result = alc_seal_inode_get(seal, number, &link);
    if (result < 0) {
        return result;
    }
    result = alc_seal_file_read(seal, link, &span, 1, 0, false);
    alc_seal_inode_put(seal, link);
    if (result < 0) {
        return result;
    }
    if (result == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    return target[0] == '/' ? -ALC_OS_NOT_CAPABLE : put_before(walk, target, (size_t)result);
}

/* The next component: *out_name borrows from seal->path; size 0 at the end. */
static size_t next_component(struct walk *walk, const uint8_t **out_name, bool *out_is_last,
                             bool *out_has_slash)
{
    const uint8_t *path = walk->seal->path;
    size_t from = walk->pos;
    while (from < ALC_SEAL_PATH_SIZE && path[from] == '/') {
        from++;
    }
    size_t to = from;
    while (to < ALC_SEAL_PATH_SIZE && path[to] != '/') {
        to++;
    }
    size_t rest = to;
    while (rest < ALC_SEAL_PATH_SIZE && path[rest] == '/') {
        rest++;
    }
    *out_name = path + from;
    *out_is_last = rest == ALC_SEAL_PATH_SIZE;
    *out_has_slash = rest != to;
    walk->pos = to;
    return to - from;
}

static bool is_dot(const uint8_t *name, size_t size)
{
    return size == 1 && name[0] == '.';
}

static bool is_dot_dot(const uint8_t *name, size_t size)
{
    return size == 2 && name[0] == '.' && name[1] == '.';
}

static int64_t go_up(struct walk *walk)
{
    return walk->at->number == walk->start ? -ALC_OS_NOT_CAPABLE
                                           : enter(walk, walk->at->record.parent);
}

/* What the last component names. */
static int64_t finish(struct walk *walk, const struct alc_seal_entry *entry, const uint8_t *name,
                      size_t name_size, bool wants_directory, struct alc_seal_target *out)
{
    *out = (struct alc_seal_target){.parent = walk->at,
                                    .name = name,
                                    .name_size = name_size,
                                    .wants_directory = wants_directory,
                                    .number = entry->inode,
                                    .type = entry->type};
    return 0;
}

static int64_t finish_dots(struct walk *walk, struct alc_seal_target *out)
{
    *out = (struct alc_seal_target){.parent = walk->at,
                                    .is_dots = true,
                                    .wants_directory = true,
                                    .number = walk->at->number,
                                    .type = ALC_OS_TYPE_DIRECTORY};
    return 0;
}

static int64_t resolve(struct walk *walk, bool follow, struct alc_seal_target *out)
{
    while (true) {
        const uint8_t *name;
        bool is_last;
        bool has_slash;
        struct alc_seal_entry entry = {.inode = 0};
        size_t size = next_component(walk, &name, &is_last, &has_slash);
        int64_t result = 0;
        bool is_dots = size == 0 || is_dot(name, size) || is_dot_dot(name, size);
        walk->seal->stamp++;
        if (is_dots) {
            result = is_dot_dot(name, size) ? go_up(walk) : 0;
            if (result < 0 || is_last) {
                return result < 0 ? result : finish_dots(walk, out);
            }
            continue;
        }
        result = alc_seal_directory_find(walk->seal, walk->at, name, size, &entry);
        if (result == -ALC_OS_NO_ENTRY && is_last) {
            entry = (struct alc_seal_entry){.inode = 0};
            return finish(walk, &entry, name, size, has_slash, out);
        }
        if (result < 0) {
            return result;
        }
        bool is_link = entry.type == ALC_OS_TYPE_SYMBOLIC_LINK;
        if (is_last && (!is_link || (!follow && !has_slash))) {
            return finish(walk, &entry, name, size, has_slash, out);
        }
        result = is_link ? expand(walk, entry.inode) : enter(walk, entry.inode);
        if (result < 0) {
            return result;
        }
    }
}

int64_t alc_seal_resolve(struct alc_seal *seal, struct alc_seal_inode *start, const uint8_t *path,
                         size_t path_size, bool follow, struct alc_seal_target *out)
{
    struct walk walk = {
        .seal = seal, .start = start->number, .at = start, .pos = ALC_SEAL_PATH_SIZE};
    if (start->record.type != ALC_OS_TYPE_DIRECTORY) {
        return -ALC_OS_NOT_DIRECTORY;
    }
    if (path_size == 0 || start->record.links_count == 0) { /* or it was removed */
        return -ALC_OS_NO_ENTRY;
    }
    if (path[0] == '/') {
        return -ALC_OS_NOT_CAPABLE;
    }
    if (path_size > ALC_LIMIT_WASI_PATH_SIZE) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    int64_t result = put_before(&walk, path, path_size);
    if (result < 0) {
        return result;
    }
    start->references++;
    result = resolve(&walk, follow, out);
    if (result < 0) {
        alc_seal_inode_put(seal, walk.at);
    }
    return result;
}
