/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of an archive as a tree in memory. Nothing here is recursive; an archive is hostile
 * until its bytes are checked, and may still be nonsense then.
 */
#include "archive/archive_internal.h"
#include "base/bytes.h"

static uint32_t bucket_of(uint32_t parent, const uint8_t *name, size_t name_size)
{
    uint32_t hash = 2166136261u ^ parent; /* FNV-1a */
    for (size_t i = 0; i < name_size; i++) {
        hash = (hash ^ name[i]) * 16777619u;
    }
    return (hash ^ hash >> 15) % ALC_ARCHIVE_BUCKETS;
}

uint32_t alc_archive_find(const struct alc_archive *archive, uint32_t parent, const uint8_t *name,
                          size_t name_size)
{
    uint32_t number = archive->buckets[bucket_of(parent, name, name_size)];
    while (number != ALC_ARCHIVE_NONE) {
        const struct alc_archive_node *node = alc_archive_node(archive, number);
        if (node->parent == parent && node->name_size == name_size &&
            alc_equal(node->name, name, name_size)) {
            return number;
        }
        number = node->chain;
    }
    return ALC_ARCHIVE_NONE;
}

static alc_status new_node(struct alc_archive *archive, uint32_t *out)
{
    uint32_t chunk = archive->nodes_count / ALC_ARCHIVE_CHUNK_NODES;
    if (chunk == ALC_ARCHIVE_CHUNKS) {
        return ALC_E_BAD_ARCHIVE;
    }
    if (archive->chunks[chunk] == NULL) {
        archive->chunks[chunk] =
            ALC_ARENA_ARRAY(archive->arena, struct alc_archive_node, ALC_ARCHIVE_CHUNK_NODES);
        if (archive->chunks[chunk] == NULL) {
            return ALC_E_OUT_OF_MEMORY;
        }
    }
    *out = archive->nodes_count++;
    *alc_archive_node(archive, *out) = (struct alc_archive_node){
        .first_child = ALC_ARCHIVE_NONE,
        .last_child = ALC_ARCHIVE_NONE,
        .next_sibling = ALC_ARCHIVE_NONE,
        .chain = ALC_ARCHIVE_NONE,
        .inode = *out,
        .links_count = 1,
        .type = ALC_OS_TYPE_DIRECTORY,
    };
    return ALC_OK;
}

alc_status alc_archive_nodes_init(struct alc_archive *archive)
{
    uint32_t root;
    alc_fill(archive->buckets, 0xff, sizeof archive->buckets);
    return new_node(archive, &root);
}

static alc_status keep(struct alc_archive *archive, const uint8_t *bytes, size_t size,
                       const uint8_t **out)
{
    uint8_t *copy = alc_arena_take(archive->arena, size, 1);
    if (copy == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(copy, bytes, size);
    *out = copy;
    return ALC_OK;
}

/* A new name, behind its siblings; a directory until somebody says otherwise. */
static alc_status add_child(struct alc_archive *archive, uint32_t parent, const uint8_t *name,
                            size_t name_size, uint32_t *out)
{
    if (name_size > ALC_LIMIT_ARCHIVE_NAME_SIZE) {
        return ALC_E_BAD_ARCHIVE;
    }
    ALC_TRY(new_node(archive, out));
    struct alc_archive_node *node = alc_archive_node(archive, *out);
    struct alc_archive_node *directory = alc_archive_node(archive, parent);
    uint32_t *bucket = &archive->buckets[bucket_of(parent, name, name_size)];
    ALC_TRY(keep(archive, name, name_size, &node->name));
    node->name_size = (uint16_t)name_size;
    node->parent = parent;
    node->chain = *bucket;
    *bucket = *out;
    if (directory->last_child == ALC_ARCHIVE_NONE) {
        directory->first_child = *out;
    } else {
        alc_archive_node(archive, directory->last_child)->next_sibling = *out;
    }
    directory->last_child = *out;
    return ALC_OK;
}

/* The node at a path of the archive. `creates`: with what is missing on the way. */
static alc_status walk(struct alc_archive *archive, const uint8_t *path, size_t path_size,
                       bool creates, uint32_t *out)
{
    const uint8_t *name;
    size_t pos = 0;
    *out = 0;
    for (uint32_t depth = 0;; depth++) {
        size_t size = alc_archive_component(path, path_size, &pos, &name);
        if (size == 0) {
            return ALC_OK;
        }
        if (alc_archive_is_dot(name, size)) {
            continue;
        }
        uint32_t parent = *out;
        if (alc_archive_is_dot_dot(name, size) || depth == ALC_LIMIT_ARCHIVE_DEPTH ||
            alc_archive_node(archive, parent)->type != ALC_OS_TYPE_DIRECTORY) {
            return ALC_E_BAD_ARCHIVE;
        }
        *out = alc_archive_find(archive, parent, name, size);
        if (*out == ALC_ARCHIVE_NONE) {
            if (!creates) {
                return ALC_E_BAD_ARCHIVE;
            }
            ALC_TRY(add_child(archive, parent, name, size, out));
        }
    }
}

/* A further name has the contents of the first one. */
static alc_status link_to(struct alc_archive *archive, uint32_t number,
                          const struct alc_archive_entry *entry)
{
    uint32_t original;
    ALC_TRY(walk(archive, entry->target, entry->target_size, false, &original));
    struct alc_archive_node *node = alc_archive_node(archive, number);
    original = alc_archive_node(archive, original)->inode;
    struct alc_archive_node *first = alc_archive_node(archive, original);
    if (first->type == ALC_OS_TYPE_DIRECTORY || original == number) {
        return ALC_E_BAD_ARCHIVE;
    }
    node->inode = original;
    node->type = first->type;
    first->links_count++;
    return ALC_OK;
}

alc_status alc_archive_add(struct alc_archive *archive, const struct alc_archive_entry *entry)
{
    uint32_t number;
    uint32_t count = archive->nodes_count;
    ALC_TRY(walk(archive, entry->path, entry->path_size, true, &number));
    struct alc_archive_node *node = alc_archive_node(archive, number);
    bool is_new = number >= count;
    bool is_directory = entry->type == ALC_OS_TYPE_DIRECTORY && !entry->is_hard_link;
    if (!is_new && (node->type == ALC_OS_TYPE_DIRECTORY) != is_directory) {
        return ALC_E_BAD_ARCHIVE;
    }
    if (node->inode == number && node->links_count > 1) {
        return ALC_E_BAD_ARCHIVE; /* replacing what has further names would change those */
    }
    if (node->inode != number) {
        alc_archive_node(archive, node->inode)->links_count--;
        node->inode = number;
    }
    if (entry->is_hard_link) {
        return link_to(archive, number, entry);
    }
    node->type = entry->type;
    node->modify_time_ns = entry->modify_time_ns;
    node->offset = entry->offset;
    node->size = is_directory ? 0 : entry->size;
    if (entry->type == ALC_OS_TYPE_SYMBOLIC_LINK) {
        node->size = entry->target_size;
        return keep(archive, entry->target, entry->target_size, &node->target);
    }
    return ALC_OK;
}
