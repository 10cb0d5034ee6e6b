/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths to nodes, strictly beneath the directory they start from. What is left of a path stands at
 * the end of archive->path, so that the target of a symbolic link is put in front of it.
 */
#include "archive/archive_internal.h"
#include "base/bytes.h"

/* Puts bytes in front of what is left. */
static int64_t put_before(struct alc_archive *archive, size_t *pos, const uint8_t *bytes,
                          size_t size)
{
    if (size > *pos) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    *pos -= size;
    alc_copy(archive->path + *pos, bytes, size);
    return 0;
}

/* Whether nothing but slashes follows; *out_has_slash: at least one. */
static bool is_end(const struct alc_archive *archive, size_t pos, bool *out_has_slash)
{
    *out_has_slash = pos < ALC_ARCHIVE_PATH_SIZE;
    while (pos < ALC_ARCHIVE_PATH_SIZE && archive->path[pos] == '/') {
        pos++;
    }
    return pos == ALC_ARCHIVE_PATH_SIZE;
}

static int64_t walk(struct alc_archive *archive, uint32_t start, size_t pos, bool follow,
                    uint32_t *out)
{
    uint32_t links_count = 0;
    *out = start;
    while (true) {
        const uint8_t *name;
        bool has_slash;
        size_t size = alc_archive_component(archive->path, ALC_ARCHIVE_PATH_SIZE, &pos, &name);
        bool is_last = is_end(archive, pos, &has_slash);
        const struct alc_archive_node *at = alc_archive_node(archive, *out);
        if (size != 0 && at->type != ALC_OS_TYPE_DIRECTORY) {
            return -ALC_OS_NOT_DIRECTORY;
        }
        if (alc_archive_is_dot_dot(name, size)) {
            if (*out == start) {
                return -ALC_OS_NOT_CAPABLE;
            }
            *out = at->parent;
        } else if (size != 0 && !alc_archive_is_dot(name, size)) {
            uint32_t found = alc_archive_find(archive, *out, name, size);
            if (found == ALC_ARCHIVE_NONE) {
                return -ALC_OS_NO_ENTRY;
            }
            const struct alc_archive_node *node = alc_archive_node(archive, found);
            bool is_link = node->type == ALC_OS_TYPE_SYMBOLIC_LINK;
            if (is_link && (!is_last || follow || has_slash)) {
                node = alc_archive_node(archive, node->inode);
                if (links_count++ == ALC_LIMIT_ARCHIVE_SYMBOLIC_LINKS) {
                    return -ALC_OS_LOOP;
                }
                if (node->target[0] == '/') {
                    return -ALC_OS_NOT_CAPABLE;
                }
                int64_t result = put_before(archive, &pos, node->target, (size_t)node->size);
                if (result < 0) {
                    return result;
                }
                continue;
            }
            if (is_last && has_slash && node->type != ALC_OS_TYPE_DIRECTORY) {
                return -ALC_OS_NOT_DIRECTORY;
            }
            *out = found;
        }
        if (is_last) {
            return 0;
        }
    }
}

int64_t alc_archive_resolve(struct alc_archive *archive, uint32_t start, const uint8_t *path,
                            size_t path_size, bool follow, uint32_t *out)
{
    size_t pos = ALC_ARCHIVE_PATH_SIZE;
    if (alc_archive_node(archive, start)->type != ALC_OS_TYPE_DIRECTORY) {
        return -ALC_OS_NOT_DIRECTORY;
    }
    if (path_size == 0) {
        return -ALC_OS_NO_ENTRY;
    }
    if (path[0] == '/') {
        return -ALC_OS_NOT_CAPABLE;
    }
    if (path_size > ALC_LIMIT_WASI_PATH_SIZE) {
        return -ALC_OS_NAME_TOO_LONG;
    }
    for (size_t i = 0; i < path_size; i++) {
        if (path[i] == 0) {
            return -ALC_OS_INVALID;
        }
    }
    int64_t result = put_before(archive, &pos, path, path_size);
    return result < 0 ? result : walk(archive, start, pos, follow, out);
}
