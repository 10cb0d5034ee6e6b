/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoding and decoding of the container's structures. Everything that comes from the disk is read
 * by the bounded reader, and here only.
 */
#include "seal/format.h"

#include "base/bytes.h"
#include "base/reader.h"
#include "base/writer.h"

enum { VERSION = 2 };
static const uint8_t magic[8] = {'A', 'L', 'C', 'S', 'E', 'A', 'L', 1};

_Static_assert(ALC_SEAL_FANOUT *ALC_SEAL_POINTER_SIZE + 16 == ALC_SEAL_BLOCK_SIZE, "node");
_Static_assert(ALC_SEAL_INODES_PER_BLOCK *ALC_SEAL_INODE_SIZE == ALC_SEAL_BLOCK_SIZE, "table");
_Static_assert(ALC_SEAL_ENTRY_HEADER_SIZE + ALC_LIMIT_SEAL_NAME_SIZE < ALC_SEAL_BUCKET_SIZE / 4,
               "a split bucket has room for an entry sooner or later");

/* -- readers that remember that one of them failed -- */

struct source {
    struct alc_reader reader;
    bool failed;
};

static struct source source_of(const void *bytes, size_t size)
{
    struct source source = {.failed = false};
    alc_reader_init(&source.reader, bytes, size, NULL);
    return source;
}

static uint32_t get_u32(struct source *source)
{
    uint32_t value = 0;
    source->failed |= alc_read_u32(&source->reader, &value) != ALC_OK;
    return value;
}

static uint64_t get_u64(struct source *source)
{
    uint64_t value = 0;
    source->failed |= alc_read_u64(&source->reader, &value) != ALC_OK;
    return value;
}

static void get_bytes(struct source *source, uint8_t *out, size_t size)
{
    const uint8_t *bytes = NULL;
    if (alc_read_bytes(&source->reader, size, &bytes) != ALC_OK) {
        source->failed = true;
        return;
    }
    alc_copy(out, bytes, size);
}

/* What is left has to be zero. */
static void get_zeros(struct source *source)
{
    const uint8_t *bytes = NULL;
    size_t size = alc_reader_remaining(&source->reader);
    if (alc_read_bytes(&source->reader, size, &bytes) != ALC_OK) {
        source->failed = true;
        return;
    }
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) {
        all |= bytes[i];
    }
    source->failed |= all != 0;
}

static void get_pointer(struct source *source, struct alc_seal_pointer *out)
{
    out->address = get_u64(source);
    out->counter = get_u64(source);
    get_bytes(source, out->epoch, sizeof out->epoch);
    get_bytes(source, out->tag, sizeof out->tag);
    source->failed |= out->address >= ALC_LIMIT_SEAL_CONTAINER_BLOCKS ||
                      (out->address != 0 && out->address < ALC_SEAL_FIRST_BLOCK);
}

static void put_pointer(struct alc_writer *writer, const struct alc_seal_pointer *pointer)
{
    alc_write_u64(writer, pointer->address);
    alc_write_u64(writer, pointer->counter);
    alc_write_bytes(writer, pointer->epoch, sizeof pointer->epoch);
    alc_write_bytes(writer, pointer->tag, sizeof pointer->tag);
}

/* Fills what is left with zeros; whatever is encoded has its room. */
static void put_end(struct alc_writer *writer)
{
    ALC_ASSERT(!writer->overflowed);
    alc_write_zeros(writer, writer->size - writer->pos);
}

/* -- header and roots -- */

void alc_seal_header_encode(const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                            uint8_t block[ALC_SEAL_BLOCK_SIZE])
{
    struct alc_writer writer;
    alc_writer_init(&writer, block, ALC_SEAL_BLOCK_SIZE);
    alc_write_bytes(&writer, magic, sizeof magic);
    alc_write_u32(&writer, VERSION);
    alc_write_u32(&writer, ALC_SEAL_BLOCK_SIZE);
    alc_write_bytes(&writer, key_id, ALC_SEAL_KEY_ID_SIZE);
    put_end(&writer);
}

bool alc_seal_header_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE],
                            uint8_t key_id[ALC_SEAL_KEY_ID_SIZE])
{
    struct source source = source_of(block, ALC_SEAL_BLOCK_SIZE);
    uint8_t found[sizeof magic];
    get_bytes(&source, found, sizeof found);
    uint32_t version = get_u32(&source);
    uint32_t block_size = get_u32(&source);
    get_bytes(&source, key_id, ALC_SEAL_KEY_ID_SIZE);
    get_zeros(&source);
    return !source.failed && alc_equal(found, magic, sizeof magic) && version == VERSION &&
           block_size == ALC_SEAL_BLOCK_SIZE;
}

void alc_seal_root_head_encode(const struct alc_seal_pointer *head,
                               uint8_t block[ALC_SEAL_BLOCK_SIZE])
{
    struct alc_writer writer;
    alc_writer_init(&writer, block, ALC_SEAL_ROOT_HEAD_SIZE);
    alc_write_bytes(&writer, head->epoch, sizeof head->epoch);
    alc_write_u64(&writer, head->counter);
    alc_write_u64(&writer, 0);
    alc_write_bytes(&writer, head->tag, sizeof head->tag);
    put_end(&writer);
}

bool alc_seal_root_head_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE],
                               struct alc_seal_pointer *out)
{
    struct source source = source_of(block, ALC_SEAL_ROOT_HEAD_SIZE);
    *out = (struct alc_seal_pointer){.address = 0};
    get_bytes(&source, out->epoch, sizeof out->epoch);
    out->counter = get_u64(&source);
    uint64_t zero = get_u64(&source);
    get_bytes(&source, out->tag, sizeof out->tag);
    return !source.failed && zero == 0;
}

void alc_seal_root_encode(const struct alc_seal_root *root,
                          uint8_t record[ALC_SEAL_ROOT_RECORD_SIZE])
{
    struct alc_writer writer;
    alc_writer_init(&writer, record, ALC_SEAL_ROOT_RECORD_SIZE);
    alc_write_u64(&writer, root->generation);
    alc_write_u64(&writer, root->flags);
    alc_write_u64(&writer, root->fresh_from);
    put_pointer(&writer, &root->table);
    alc_write_u32(&writer, root->table_height);
    alc_write_u32(&writer, 0);
    alc_write_u64(&writer, root->inodes_count);
    alc_write_u64(&writer, root->first_free);
    alc_write_u64(&writer, root->first_orphan);
    alc_write_u64(&writer, root->next_file_id);
    alc_write_u64(&writer, root->base.generation);
    alc_write_bytes(&writer, root->base.digest, sizeof root->base.digest);
    alc_write_bytes(&writer, root->line, sizeof root->line);
    put_end(&writer);
}

bool alc_seal_root_decode(const uint8_t record[ALC_SEAL_ROOT_RECORD_SIZE],
                          struct alc_seal_root *out)
{
    struct source source = source_of(record, ALC_SEAL_ROOT_RECORD_SIZE);
    out->generation = get_u64(&source);
    out->flags = get_u64(&source);
    out->fresh_from = get_u64(&source);
    get_pointer(&source, &out->table);
    out->table_height = get_u32(&source);
    uint32_t zero = get_u32(&source);
    out->inodes_count = get_u64(&source);
    out->first_free = get_u64(&source);
    out->first_orphan = get_u64(&source);
    out->next_file_id = get_u64(&source);
    out->base.generation = get_u64(&source);
    get_bytes(&source, out->base.digest, sizeof out->base.digest);
    get_bytes(&source, out->line, sizeof out->line);
    bool has_line = (out->flags & ALC_SEAL_ROOT_LINE) != 0;
    uint8_t line_bits = 0;
    for (size_t i = 0; i < sizeof out->line; i++) {
        line_bits |= out->line[i];
    }
    get_zeros(&source);
    return !source.failed && zero == 0 && out->generation != 0 &&
           (out->flags & ~(uint64_t)ALC_SEAL_ROOT_ALL) == 0 && (has_line || line_bits == 0) &&
           out->table_height <= ALC_LIMIT_SEAL_TREE_HEIGHT && out->inodes_count >= 2 &&
           out->inodes_count <= ALC_LIMIT_SEAL_INODES && out->first_free < out->inodes_count &&
           out->first_orphan < out->inodes_count && out->next_file_id >= ALC_SEAL_FIRST_FILE_ID &&
           out->base.generation < out->generation;
}

/* -- nodes and inodes -- */

void alc_seal_pointer_encode(const struct alc_seal_pointer *pointer,
                             uint8_t node[ALC_SEAL_BLOCK_SIZE], uint32_t slot)
{
    struct alc_writer writer;
    ALC_ASSERT(slot < ALC_SEAL_FANOUT);
    alc_writer_init(&writer, node + slot * ALC_SEAL_POINTER_SIZE, ALC_SEAL_POINTER_SIZE);
    put_pointer(&writer, pointer);
}

bool alc_seal_pointer_decode(const uint8_t node[ALC_SEAL_BLOCK_SIZE], uint32_t slot,
                             struct alc_seal_pointer *out)
{
    ALC_ASSERT(slot < ALC_SEAL_FANOUT);
    struct source source = source_of(node + slot * ALC_SEAL_POINTER_SIZE, ALC_SEAL_POINTER_SIZE);
    get_pointer(&source, out);
    return !source.failed;
}

void alc_seal_record_encode(const struct alc_seal_record *record,
                            uint8_t block[ALC_SEAL_BLOCK_SIZE], uint32_t place)
{
    struct alc_writer writer;
    ALC_ASSERT(place < ALC_SEAL_INODES_PER_BLOCK);
    alc_writer_init(&writer, block + place * ALC_SEAL_INODE_SIZE, ALC_SEAL_INODE_SIZE);
    alc_write_u32(&writer, record->type);
    alc_write_u32(&writer, record->links_count);
    alc_write_u64(&writer, record->file_id);
    alc_write_u64(&writer, record->size);
    alc_write_u64(&writer, record->parent);
    alc_write_u64(&writer, record->access_time_ns);
    alc_write_u64(&writer, record->modify_time_ns);
    alc_write_u64(&writer, record->change_time_ns);
    put_pointer(&writer, &record->root);
    alc_write_u32(&writer, record->height);
    alc_write_u32(&writer, 0);
    alc_write_u64(&writer, record->next);
    alc_write_u64(&writer, record->previous);
    put_end(&writer);
}

bool alc_seal_record_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE], uint32_t place,
                            struct alc_seal_record *out)
{
    ALC_ASSERT(place < ALC_SEAL_INODES_PER_BLOCK);
    struct source source = source_of(block + place * ALC_SEAL_INODE_SIZE, ALC_SEAL_INODE_SIZE);
    out->type = get_u32(&source);
    out->links_count = get_u32(&source);
    out->file_id = get_u64(&source);
    out->size = get_u64(&source);
    out->parent = get_u64(&source);
    out->access_time_ns = get_u64(&source);
    out->modify_time_ns = get_u64(&source);
    out->change_time_ns = get_u64(&source);
    get_pointer(&source, &out->root);
    out->height = get_u32(&source);
    uint32_t zero = get_u32(&source);
    out->next = get_u64(&source);
    out->previous = get_u64(&source);
    get_zeros(&source);
    bool is_known = out->type == 0 || out->type == ALC_OS_TYPE_DIRECTORY ||
                    out->type == ALC_OS_TYPE_REGULAR_FILE || out->type == ALC_OS_TYPE_SYMBOLIC_LINK;
    return !source.failed && zero == 0 && is_known && out->height <= ALC_LIMIT_SEAL_TREE_HEIGHT &&
           out->size <= ALC_SEAL_FILE_SIZE_MAX && out->next < ALC_LIMIT_SEAL_INODES &&
           out->previous < ALC_LIMIT_SEAL_INODES && out->parent < ALC_LIMIT_SEAL_INODES &&
           (out->type == 0 || out->file_id >= ALC_SEAL_FIRST_FILE_ID);
}

/* -- directories -- */

bool alc_seal_bucket_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE],
                            enum alc_seal_bucket_kind *out_kind, uint32_t *out_size)
{
    struct source source = source_of(block, ALC_SEAL_BUCKET_HEADER_SIZE);
    uint32_t kind = get_u32(&source);
    *out_size = get_u32(&source);
    get_zeros(&source);
    *out_kind = kind == ALC_SEAL_BUCKET_SPLIT ? ALC_SEAL_BUCKET_SPLIT : ALC_SEAL_BUCKET_ENTRIES;
    return !source.failed && kind <= ALC_SEAL_BUCKET_SPLIT && *out_size <= ALC_SEAL_BUCKET_SIZE &&
           (kind != ALC_SEAL_BUCKET_SPLIT || *out_size == 0);
}

void alc_seal_bucket_encode(uint8_t block[ALC_SEAL_BLOCK_SIZE], enum alc_seal_bucket_kind kind,
                            uint32_t size)
{
    struct alc_writer writer;
    alc_writer_init(&writer, block, ALC_SEAL_BUCKET_HEADER_SIZE);
    alc_write_u32(&writer, kind);
    alc_write_u32(&writer, size);
    put_end(&writer);
}

bool alc_seal_entry_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE], uint32_t size, uint32_t offset,
                           struct alc_seal_entry *out, uint32_t *out_next)
{
    ALC_ASSERT(size <= ALC_SEAL_BUCKET_SIZE && offset <= size);
    struct source source = source_of(block + ALC_SEAL_BUCKET_HEADER_SIZE + offset, size - offset);
    uint8_t lengths[2] = {0};
    out->hash = get_u64(&source);
    out->inode = get_u64(&source);
    get_bytes(&source, lengths, sizeof lengths);
    out->type = lengths[0];
    out->name_size = lengths[1];
    out->name = NULL;
    if (source.failed || alc_read_bytes(&source.reader, out->name_size, &out->name) != ALC_OK) {
        return false;
    }
    *out_next = offset + ALC_SEAL_ENTRY_HEADER_SIZE + out->name_size;
    return out->name_size != 0 && out->inode != 0 && out->inode < ALC_LIMIT_SEAL_INODES &&
           out->type <= ALC_OS_TYPE_MAX;
}

void alc_seal_entry_encode(const struct alc_seal_entry *entry, uint8_t block[ALC_SEAL_BLOCK_SIZE],
                           uint32_t offset)
{
    struct alc_writer writer;
    ALC_ASSERT(offset <= ALC_SEAL_BUCKET_SIZE && entry->name_size <= ALC_LIMIT_SEAL_NAME_SIZE);
    alc_writer_init(&writer, block + ALC_SEAL_BUCKET_HEADER_SIZE + offset,
                    ALC_SEAL_BUCKET_SIZE - offset);
    alc_write_u64(&writer, entry->hash);
    alc_write_u64(&writer, entry->inode);
    alc_write_u8(&writer, (uint8_t)entry->type);
    alc_write_u8(&writer, (uint8_t)entry->name_size);
    alc_write_bytes(&writer, entry->name, entry->name_size);
    ALC_ASSERT(!writer.overflowed);
}
