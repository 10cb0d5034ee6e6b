/* SPDX-License-Identifier: Apache-2.0
 *
 * A mount from opening to closing, and what is said about damage.
 */
#include "seal/seal.h"

#include "base/bytes.h"
#include "base/writer.h"
#include "seal/seal_internal.h"

static uint64_t blocks_max_of(const struct alc_seal_options *options)
{
    return options->container_blocks != 0 ? options->container_blocks : ALC_SEAL_CONTAINER_BLOCKS;
}

static uint32_t cache_blocks_of(const struct alc_seal_options *options)
{
    return options->cache_blocks != 0 ? options->cache_blocks : ALC_SEAL_CACHE_BLOCKS;
}

size_t alc_seal_memory_size(const struct alc_seal_options *options)
{
    size_t bitmap = (size_t)((blocks_max_of(options) + 63) / 64) * 8;
    size_t cache =
        (size_t)cache_blocks_of(options) * (ALC_SEAL_BLOCK_SIZE + sizeof(struct alc_seal_block));
    size_t fixed = sizeof(struct alc_seal) + ALC_SEAL_STAGE_BLOCKS * (size_t)ALC_SEAL_BLOCK_SIZE +
                   ALC_SEAL_INODE_SLOTS * sizeof(struct alc_seal_inode) +
                   ALC_SEAL_BUCKETS * sizeof(uint32_t);
    return fixed + 2 * bitmap + cache + 8 * (size_t)ALC_SEAL_BLOCK_SIZE; /* for alignment */
}

static alc_status check_options(const struct alc_seal_options *options)
{
    bool good = options->host != NULL && options->key.get != NULL &&
                (options->flags & ~(uint32_t)ALC_SEAL_ALL) == 0 &&
                (options->flags & (ALC_SEAL_ASK | ALC_SEAL_READ_ONLY)) != ALC_SEAL_ASK &&
                (options->flags & (ALC_SEAL_PARTIAL | ALC_SEAL_CREATE)) != ALC_SEAL_PARTIAL &&
                cache_blocks_of(options) >= ALC_SEAL_CACHE_BLOCKS_MIN &&
                cache_blocks_of(options) <= ALC_LIMIT_SEAL_CONTAINER_BLOCKS &&
                blocks_max_of(options) >= ALC_SEAL_CACHE_BLOCKS_MIN &&
                blocks_max_of(options) <= ALC_LIMIT_SEAL_CONTAINER_BLOCKS;
    return good ? ALC_OK : ALC_E_BAD_ARGUMENT;
}

static struct alc_seal *take_memory(struct alc_arena *arena, const struct alc_seal_options *options)
{
    struct alc_seal *seal = ALC_ARENA_NEW(arena, struct alc_seal);
    if (seal == NULL) {
        return NULL;
    }
    uint64_t words = (blocks_max_of(options) + 63) / 64;
    seal->host = options->host;
    seal->directory = options->directory;
    seal->options = *options;
    seal->blocks_max = blocks_max_of(options);
    seal->is_read_only = (options->flags & ALC_SEAL_READ_ONLY) != 0;
    seal->busy = ALC_ARENA_ARRAY(arena, uint64_t, words);
    seal->pending = ALC_ARENA_ARRAY(arena, uint64_t, words);
    seal->inodes = ALC_ARENA_ARRAY(arena, struct alc_seal_inode, ALC_SEAL_INODE_SLOTS);
    seal->stage = alc_arena_take(arena, ALC_SEAL_STAGE_BLOCKS * (size_t)ALC_SEAL_BLOCK_SIZE, 4096);
    bool is_complete = seal->busy != NULL && seal->pending != NULL && seal->inodes != NULL &&
                       seal->stage != NULL &&
                       alc_seal_cache_init(seal, arena, cache_blocks_of(options)) == ALC_OK;
    return is_complete ? seal : NULL;
}

static alc_status derive_keys(struct alc_seal *seal)
{
    uint8_t secret[ALC_SEAL_KEY_SIZE] = {0};
    const struct alc_seal_key_source *source = &seal->options.key;
    alc_status status = source->get(source->context, seal->key_id, secret);
    if (status == ALC_OK) {
        alc_seal_cipher_init(&seal->cipher, seal->key_id, secret);
    }
    alc_wipe(secret, sizeof secret);
    return status;
}

/* -- a new store -- */

/* The root directory, and nothing else. */
static int64_t make_root_directory(struct alc_seal *seal)
{
    struct alc_seal_inode *directory;
    int64_t result = alc_seal_begin_change(seal, ALC_SEAL_CHANGE_BLOCKS);
    if (result < 0) {
        return result;
    }
    result = alc_seal_inode_new(seal, ALC_OS_TYPE_DIRECTORY, &directory);
    if (result == 0) {
        ALC_ASSERT(directory->number == ALC_SEAL_ROOT_INODE);
        directory->record.links_count = 1;
        directory->record.parent = ALC_SEAL_ROOT_INODE;
        seal->handles[0] = (struct alc_seal_handle){.inode = directory, .flags = ALC_OS_OPEN_READ};
    }
    return alc_seal_end_change(seal, result);
}

static void init_empty(struct alc_seal *seal)
{
    alc_seal_cache_reset(seal);
    alc_seal_inodes_reset(seal);
    seal->mark = (struct alc_seal_mark){.generation = 0};
    seal->durable_mark = seal->mark;
    seal->base = seal->options.base;
    seal->keeps_base = seal->base.generation != 0;
    alc_fill(seal->root_heads, 0, sizeof seal->root_heads);
    seal->is_damaged = false;
    seal->root = (struct alc_seal_root){.generation = seal->base.generation,
                                        .inodes_count = 1,
                                        .next_file_id = ALC_SEAL_FIRST_FILE_ID};
    seal->kept_flags = (seal->options.flags & ALC_SEAL_PARTIAL) != 0 ? ALC_SEAL_ROOT_PARTIAL : 0;
    if (seal->options.line != NULL) {
        seal->kept_flags |= ALC_SEAL_ROOT_LINE;
        alc_copy(seal->root.line, seal->options.line, sizeof seal->root.line);
    }
    seal->table = (struct alc_seal_inode){.number = ALC_SEAL_TABLE_FILE};
    seal->table.record.type = ALC_OS_TYPE_REGULAR_FILE;
    seal->table.record.file_id = ALC_SEAL_TABLE_FILE_ID;
    seal->durable_place = ALC_SEAL_FIRST_ROOT_BLOCK + 1; /* the first root goes to the other */
}

/* A mount that the witness knows is not empty. */
static alc_status check_unknown(struct alc_seal *seal, struct alc_error *error)
{
    const struct alc_seal_witness *witness = seal->options.witness;
    struct alc_seal_mark known = {.generation = 0};
    if (witness != NULL &&
        (witness->read(witness->context, &known) != ALC_OK || known.generation != 0)) {
        return alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                             "the witness of the sealed mount refuses an empty one");
    }
    return ALC_OK;
}

static alc_status create(struct alc_seal *seal, struct alc_error *error)
{
    const struct alc_os *host = seal->host;
    if (host->operations->random(host->context, seal->key_id, sizeof seal->key_id) < 0 ||
        alc_seal_new_epoch(seal) < 0) {
        return alc_fail(error, ALC_E_IO_FAILED, ALC_NO_OFFSET);
    }
    ALC_TRY(derive_keys(seal));
    ALC_TRY(check_unknown(seal, error));
    alc_seal_header_encode(seal->key_id, seal->header);
    init_empty(seal);
    /* Header and two empty places for roots are there before a root is. */
    alc_fill(seal->stage, 0, ALC_SEAL_FIRST_BLOCK * (size_t)ALC_SEAL_BLOCK_SIZE);
    alc_copy(seal->stage, seal->header, ALC_SEAL_BLOCK_SIZE);
    int64_t result =
        alc_seal_container_write(seal, ALC_SEAL_HEADER_BLOCK, ALC_SEAL_FIRST_BLOCK, seal->stage);
    if (seal->blocks_count < ALC_SEAL_FIRST_BLOCK) {
        seal->blocks_count = ALC_SEAL_FIRST_BLOCK;
    }
    alc_seal_space_reset(seal);
    if (result == 0) {
        result = alc_seal_container_sync(seal);
    }
    if (result == 0) {
        result = make_root_directory(seal);
    }
    if (result == 0) {
        result = alc_seal_commit(seal, true);
    }
    if (result == 0) { /* the name of the container */
        (void)host->operations->sync(host->context, seal->directory, 0);
    }
    return result < 0 ? alc_fail(error, ALC_E_IO_FAILED, ALC_NO_OFFSET) : ALC_OK;
}

/* Whether creating may have been interrupted: the second place for a root is used by the first
 * commit after it, so nothing durable is lost by beginning again. */
static bool is_unfinished(struct alc_seal *seal)
{
    enum { BOTH = ALC_SEAL_CREATE | ALC_SEAL_READ_ONLY };
    if ((seal->options.flags & BOTH) != ALC_SEAL_CREATE) {
        return false;
    }
    if (seal->blocks_count < ALC_SEAL_FIRST_BLOCK) {
        return true;
    }
    if (alc_seal_container_read(seal, ALC_SEAL_FIRST_ROOT_BLOCK + 1, 1, seal->stage) < 0) {
        return false;
    }
    uint8_t all = 0;
    for (size_t i = 0; i < ALC_SEAL_BLOCK_SIZE; i++) {
        all |= seal->stage[i];
    }
    return all == 0;
}

/* -- an existing one -- */

static alc_status open_existing(struct alc_seal *seal, struct alc_error *error)
{
    if (alc_seal_container_read(seal, ALC_SEAL_HEADER_BLOCK, 1, seal->header) < 0 ||
        !alc_seal_header_decode(seal->header, seal->key_id)) {
        if (is_unfinished(seal)) {
            return create(seal, error);
        }
        alc_seal_report(seal, ALC_SEAL_MALFORMED, 0, 0, 0, ALC_SEAL_HEADER_BLOCK);
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "the header of the sealed mount is damaged");
    }
    ALC_TRY(derive_keys(seal));
    alc_status status = alc_seal_recover(seal, error);
    if (status != ALC_E_NOT_FOUND) {
        return status;
    }
    if (is_unfinished(seal)) {
        return create(seal, error);
    }
    alc_seal_report(seal, ALC_SEAL_NOT_GENUINE, 0, 0, 0, ALC_SEAL_FIRST_ROOT_BLOCK);
    return alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                         "no root of the sealed mount opens with this key");
}

static alc_status refuse_container(int64_t result, struct alc_error *error)
{
    if (result == -ALC_OS_NO_ENTRY) {
        return alc_fail_with(error, ALC_E_NOT_FOUND, ALC_NO_OFFSET,
                             "no sealed mount in this directory");
    }
    if (result == -ALC_OS_BUSY) {
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "another process has the sealed mount open");
    }
    return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                         "the container of the sealed mount cannot be opened");
}

static alc_status open_mount(struct alc_seal *seal, struct alc_error *error)
{
    bool is_new;
    int64_t result = alc_seal_container_open(seal, &is_new);
    if (result < 0) {
        return refuse_container(result, error);
    }
    alc_status status = is_new ? create(seal, error) : open_existing(seal, error);
    if (status != ALC_OK) {
        (void)seal->host->operations->close(seal->host->context, seal->container);
    }
    return status;
}

alc_status alc_seal_open(struct alc_arena *arena, const struct alc_seal_options *options,
                         struct alc_seal **out, struct alc_error *error)
{
    *out = NULL;
    ALC_TRY(check_options(options));
    struct alc_seal *seal = take_memory(arena, options);
    if (seal == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    alc_status status = open_mount(seal, error);
    if (status != ALC_OK) {
        alc_seal_cipher_fini(&seal->cipher);
        return status;
    }
    *out = seal;
    return ALC_OK;
}

alc_status alc_seal_close(struct alc_seal *seal)
{
    const struct alc_os *host = seal->host;
    int64_t result = 0;
    alc_seal_lock(seal); /* a thread may have been left that comes back now, and finds no handle */
    /* Files that were unlinked while open end here. */
    for (uint32_t i = 0; i < ALC_LIMIT_SEAL_HANDLES; i++) {
        struct alc_seal_inode *inode = seal->handles[i].inode;
        seal->handles[i].inode = NULL;
        if (inode != NULL && alc_seal_inode_close(seal, inode) < 0) {
            result = -ALC_OS_IO;
        }
    }
    if (!seal->is_read_only) {
        int64_t settled = alc_seal_commit(seal, true);
        if (settled == 0 && seal->is_unsettled) {
            settled = alc_seal_compact(seal);
        }
        settled = settled == 0 ? alc_seal_settle(seal) : settled;
        result = settled < 0 ? settled : result;
        if (settled == 0) {
            alc_seal_space_trim(seal);
        }
    }
    if (host->operations->close(host->context, seal->container) < 0) {
        result = -ALC_OS_IO;
    }
    alc_wipe(seal->cache.blocks[0].bytes, (size_t)seal->cache.blocks_count * ALC_SEAL_BLOCK_SIZE);
    alc_wipe(seal->scratch, sizeof seal->scratch);
    alc_wipe(seal->root.line, sizeof seal->root.line);
    alc_seal_cipher_fini(&seal->cipher);
    seal->has_failed = true;
    alc_seal_unlock(seal);
    return result < 0 ? ALC_E_IO_FAILED : ALC_OK;
}

void alc_seal_get_mark(const struct alc_seal *seal, struct alc_seal_mark *out)
{
    *out = seal->durable_mark;
}

const uint8_t *alc_seal_line(const struct alc_seal *seal)
{
    return (seal->kept_flags & ALC_SEAL_ROOT_LINE) != 0 ? seal->root.line : NULL;
}

bool alc_seal_is_damaged(const struct alc_seal *seal)
{
    return seal->is_damaged || seal->has_failed;
}

/* -- damage in words -- */

void alc_seal_damage_describe(const struct alc_seal_damage *damage,
                              char text[ALC_SEAL_DAMAGE_TEXT_SIZE])
{
    static const char *const reasons[] = {
        [ALC_SEAL_UNREADABLE] = "the host does not give it",
        [ALC_SEAL_NOT_GENUINE] = "not what was written here (changed, exchanged or old)",
        [ALC_SEAL_MALFORMED] = "genuine but not in the format",
        [ALC_SEAL_CONTESTED] = "outside the container, or it has two owners",
        [ALC_SEAL_ROLLED_BACK] = "an older state than the witness knows",
        [ALC_SEAL_OTHER_WRITER] = "somebody else writes to this container",
    };
    struct alc_writer writer;
    alc_writer_init(&writer, text, ALC_SEAL_DAMAGE_TEXT_SIZE - 1);
    if (damage->file == ALC_SEAL_TABLE_FILE) {
        alc_write_string(&writer, "table of files");
    } else {
        alc_write_string(&writer, "file ");
        alc_write_decimal(&writer, damage->file);
    }
    alc_write_string(&writer, damage->level == 0 ? ", block " : ", node ");
    alc_write_decimal(&writer, damage->index);
    if (damage->level != 0) {
        alc_write_string(&writer, " of level ");
        alc_write_decimal(&writer, damage->level);
    }
    alc_write_string(&writer, " (container block ");
    alc_write_decimal(&writer, damage->address);
    alc_write_string(&writer, "): ");
    alc_write_string(&writer, reasons[damage->reason]);
    text[writer.pos < ALC_SEAL_DAMAGE_TEXT_SIZE ? writer.pos : ALC_SEAL_DAMAGE_TEXT_SIZE - 1] =
        '\0';
}

/* -- level session -- */

static alc_status session_read(void *context, struct alc_seal_mark *out)
{
    const struct alc_seal_session *session = context;
    *out = session->mark;
    return ALC_OK;
}

static alc_status session_advance(void *context, const struct alc_seal_mark *from,
                                  const struct alc_seal_mark *to)
{
    struct alc_seal_session *session = context;
    bool is_newest = from->generation == session->mark.generation &&
                     alc_equal(from->digest, session->mark.digest, sizeof from->digest);
    if (!is_newest || to->generation <= from->generation) {
        return ALC_E_POLICY_REFUSED;
    }
    session->mark = *to;
    return ALC_OK;
}

void alc_seal_session_init(struct alc_seal_session *session)
{
    *session = (struct alc_seal_session){
        .witness = {.read = session_read, .advance = session_advance, .context = session}};
}
