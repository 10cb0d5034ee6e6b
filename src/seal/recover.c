/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening what a crash or an attacker left: the newest root that is whole is the state. Walking its
 * nodes finds the free space, that each block has one owner, and whether what was not yet durable
 * arrived (docs/sealed-storage.md, Recovery).
 */
#include "base/bytes.h"
#include "seal/seal_internal.h"

/* A root that authenticates. */
struct candidate {
    struct alc_seal_root root;
    struct alc_seal_pointer head;
    uint32_t place;
    bool is_valid;
    bool is_partial; /* it would be, were it not of a copy that was never completed */
};

/* Nodes read together, which were written together. */
enum { FETCHED_BLOCKS = 32 };

enum verdict { WHOLE, TORN, DAMAGED };

static void decode_root(struct alc_seal *seal, const uint8_t *block, uint32_t place,
                        struct candidate *out)
{
    out->place = place;
    out->is_valid = alc_seal_root_head_decode(block, &out->head) &&
                    alc_seal_root_open(&seal->cipher, seal->header, &out->head,
                                       block + ALC_SEAL_ROOT_HEAD_SIZE, seal->scratch) &&
                    alc_seal_root_decode(seal->scratch, &out->root);
    out->is_partial = out->is_valid && (out->root.flags & ALC_SEAL_ROOT_PARTIAL) != 0;
    out->is_valid = out->is_valid && !out->is_partial;
}

/* Whether a block may be missing because the commit that wrote it was torn. While a candidate is
 * walked, `epoch` and `durable_counter` are those of its root. */
static bool is_fresh(const struct alc_seal *seal, const struct alc_seal_pointer *pointer)
{
    return pointer->counter > seal->durable_counter &&
           alc_equal(pointer->epoch, seal->epoch, ALC_SEAL_EPOCH_SIZE);
}

/* The verdict about a block that is not what it should be; a torn commit is no news. */
static int64_t refuse(struct alc_seal *seal, enum alc_seal_reason reason,
                      const struct alc_seal_inode *inode, uint32_t level, uint32_t index,
                      const struct alc_seal_pointer *pointer)
{
    if (is_fresh(seal, pointer)) {
        return -ALC_OS_NOT_RECOVERABLE;
    }
    seal->is_damaged = true;
    seal->is_quiet = false;
    alc_seal_report(seal, reason, inode->number, level, index, pointer->address);
    seal->is_quiet = true;
    return 0;
}

static int64_t visit(void *context, struct alc_seal *seal, const struct alc_seal_inode *inode,
                     uint32_t level, uint32_t index, const struct alc_seal_pointer *pointer)
{
    (void)context;
    struct alc_seal_block *block;
    if (!alc_seal_space_claim(seal, pointer->address)) {
        return refuse(seal, ALC_SEAL_CONTESTED, inode, level, index, pointer);
    }
    if (level == 0 && inode->number != ALC_SEAL_TABLE_FILE && !is_fresh(seal, pointer)) {
        return 0; /* data is looked at when it is used */
    }
    if (alc_seal_cache_find(seal, inode->number, level, index) == NULL) {
        alc_seal_blocks_fetch(seal, inode, level, index, FETCHED_BLOCKS);
    }
    if (alc_seal_block_read(seal, inode, level, index, &block) < 0 || block == NULL) {
        return refuse(seal, ALC_SEAL_NOT_GENUINE, inode, level, index, pointer);
    }
    return 1;
}

/* The trees of all inodes in the table. */
static int64_t walk_inodes(struct alc_seal *seal)
{
    for (uint64_t number = alc_seal_inode_after(seal, 0); number != 0;
         number = alc_seal_inode_after(seal, number)) {
        struct alc_seal_block *block;
        struct alc_seal_inode inode = {.number = number};
        if (alc_seal_block_read(seal, &seal->table, 0,
                                (uint32_t)(number / ALC_SEAL_INODES_PER_BLOCK), &block) < 0) {
            seal->is_damaged = true; /* as was said when the table was walked */
            continue;
        }
        if (block == NULL) {
            continue;
        }
        if (!alc_seal_record_decode(block->bytes, (uint32_t)(number % ALC_SEAL_INODES_PER_BLOCK),
                                    &inode.record)) {
            seal->is_damaged = true;
            continue;
        }
        int64_t result = inode.record.type == 0 ? 0 : alc_seal_tree_walk(seal, &inode, visit, NULL);
        if (result == -ALC_OS_NOT_RECOVERABLE) {
            return result;
        }
        seal->is_damaged |= result < 0;
    }
    return 0;
}

static enum verdict try_candidate(struct alc_seal *seal, const struct candidate *candidate)
{
    alc_seal_cache_reset(seal);
    alc_seal_inodes_reset(seal);
    alc_seal_space_reset(seal);
    seal->is_damaged = false;
    seal->is_quiet = true;
    seal->root = candidate->root;
    alc_copy(seal->epoch, candidate->head.epoch, sizeof seal->epoch);
    seal->durable_counter = candidate->root.fresh_from - 1;
    seal->table = (struct alc_seal_inode){.number = ALC_SEAL_TABLE_FILE};
    seal->table.record = (struct alc_seal_record){.type = ALC_OS_TYPE_REGULAR_FILE,
                                                  .file_id = ALC_SEAL_TABLE_FILE_ID,
                                                  .root = candidate->root.table,
                                                  .height = candidate->root.table_height};
    int64_t result = alc_seal_tree_walk(seal, &seal->table, visit, NULL);
    if (result == 0) {
        result = walk_inodes(seal);
    } else if (result != -ALC_OS_NOT_RECOVERABLE) {
        seal->is_damaged = true;
        result = 0;
    }
    seal->is_quiet = false;
    return result < 0 ? TORN : seal->is_damaged ? DAMAGED : WHOLE;
}

static bool is_same(const struct alc_seal_mark *left, const struct alc_seal_mark *right)
{
    return left->generation == right->generation &&
           alc_equal(left->digest, right->digest, sizeof left->digest);
}

/* A line says whose counter it is that the witness is asked about. */
static alc_status follow_line(const struct alc_seal *seal, struct alc_error *error)
{
    const struct alc_seal_witness *witness = seal->options.witness;
    if ((seal->root.flags & ALC_SEAL_ROOT_LINE) == 0) {
        return ALC_OK;
    }
    return witness->follow != NULL && witness->follow(witness->context, seal->root.line) == ALC_OK
               ? ALC_OK
               : alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                               "the sealed mount has a counter that cannot be asked for");
}

/* Asks the witness. It knows this state, or the one that this was made from: then the program died
 * between the disk and the witness, which is told. Anything else is old, or a branch of something
 * old, however high its generation. */
static alc_status check_witness(struct alc_seal *seal, struct alc_error *error)
{
    const struct alc_seal_witness *witness = seal->options.witness;
    struct alc_seal_mark known = {.generation = 0};
    if (witness == NULL) {
        return ALC_OK;
    }
    ALC_TRY(follow_line(seal, error));
    if (witness->read(witness->context, &known) != ALC_OK) {
        return alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                             "the witness of the sealed mount does not answer");
    }
    if (is_same(&seal->mark, &known)) {
        return ALC_OK;
    }
    if (known.generation == 0 && (seal->root.flags & ALC_SEAL_ROOT_LINE) != 0) {
        return alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                             "the witness does not know the counter of the sealed mount");
    }
    if (known.generation != 0 && !is_same(&seal->root.base, &known)) {
        alc_seal_report(seal, ALC_SEAL_ROLLED_BACK, 0, 0, 0, seal->durable_place);
        return alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                             "the sealed mount is older than its witness says");
    }
    if ((seal->options.flags & ALC_SEAL_ASK) != 0) {
        seal->base = known.generation != 0 ? known : seal->mark;
        return ALC_OK;
    }
    if (witness->advance(witness->context, &known, &seal->mark) != ALC_OK) {
        return alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                             "the witness of the sealed mount refuses its state");
    }
    return ALC_OK;
}

/* The state is chosen; from here on it may be written to. */
static alc_status adopt(struct alc_seal *seal, const struct candidate *candidate,
                        struct alc_error *error)
{
    struct alc_seal_inode *directory;
    seal->durable_place = candidate->place;
    seal->mark.generation = candidate->root.generation;
    alc_copy(seal->mark.digest, candidate->head.tag, sizeof seal->mark.digest);
    seal->is_read_only |= seal->is_damaged;
    /* Before anything is written, and before the witness hears that this is the newest. */
    if ((!seal->is_read_only || seal->options.witness != NULL) &&
        alc_seal_container_sync(seal) < 0) {
        return alc_fail(error, ALC_E_IO_FAILED, ALC_NO_OFFSET);
    }
    seal->kept_flags = candidate->root.flags & ALC_SEAL_ROOT_LINE;
    seal->base = seal->mark;
    ALC_TRY(check_witness(seal, error));
    seal->durable_mark = seal->mark;
    if (alc_seal_new_epoch(seal) < 0) {
        return alc_fail(error, ALC_E_IO_FAILED, ALC_NO_OFFSET);
    }
    seal->stamp++;
    if (alc_seal_inode_get(seal, ALC_SEAL_ROOT_INODE, &directory) < 0 ||
        directory->record.type != ALC_OS_TYPE_DIRECTORY) {
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "the root directory of the sealed mount is damaged");
    }
    seal->handles[0] = (struct alc_seal_handle){.inode = directory, .flags = ALC_OS_OPEN_READ};
    seal->is_unsettled = (candidate->root.flags & ALC_SEAL_ROOT_SETTLED) == 0;
    if (!seal->is_read_only && alc_seal_orphans_free(seal) < 0) {
        return alc_fail(error, ALC_E_IO_FAILED, ALC_NO_OFFSET);
    }
    return ALC_OK;
}

alc_status alc_seal_recover(struct alc_seal *seal, struct alc_error *error)
{
    struct candidate candidates[2];
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t place = ALC_SEAL_FIRST_ROOT_BLOCK + i;
        candidates[i].is_valid = candidates[i].is_partial = false;
        if (place < seal->blocks_count &&
            alc_seal_container_read(seal, place, 1, seal->stage) == 0) {
            alc_copy(seal->root_heads[i], seal->stage, ALC_SEAL_ROOT_HEAD_SIZE);
            decode_root(seal, seal->stage, place, &candidates[i]);
        }
    }
    bool second_first =
        candidates[1].is_valid &&
        (!candidates[0].is_valid || candidates[1].root.generation > candidates[0].root.generation);
    for (uint32_t i = 0; i < 2; i++) {
        const struct candidate *candidate = &candidates[second_first ? 1 - i : i];
        if (candidate->is_valid && try_candidate(seal, candidate) != TORN) {
            return adopt(seal, candidate, error);
        }
    }
    if (candidates[0].is_partial || candidates[1].is_partial) {
        return alc_fail_with(error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET,
                             "the sealed mount is a copy that was not completed");
    }
    return ALC_E_NOT_FOUND;
}
