/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of the container (docs/sealed-storage.md), as numbers and back. Decoding takes bytes
 * that may say anything: it checks every range that the rest of the room relies on.
 */
#ifndef ALC_SEAL_FORMAT_H
#define ALC_SEAL_FORMAT_H

#include "seal/seal.h"

enum {
    ALC_SEAL_BLOCK_SIZE = 4096,
    ALC_SEAL_HEADER_BLOCK = 0,
    ALC_SEAL_FIRST_ROOT_BLOCK = 1, /* and the next one */
    ALC_SEAL_FIRST_BLOCK = 3,
    ALC_SEAL_HEADER_AAD_SIZE = 64,
    ALC_SEAL_EPOCH_SIZE = 16,
    ALC_SEAL_TAG_SIZE = 16,
    ALC_SEAL_POINTER_SIZE = 48,
    ALC_SEAL_FANOUT = 85,
    ALC_SEAL_INODE_SIZE = 256,
    ALC_SEAL_INODES_PER_BLOCK = 16,
    ALC_SEAL_ROOT_HEAD_SIZE = 48, /* of a root's block; then its record */
    ALC_SEAL_ROOT_RECORD_SIZE = ALC_SEAL_BLOCK_SIZE - ALC_SEAL_ROOT_HEAD_SIZE,
    ALC_SEAL_BUCKET_HEADER_SIZE = 16,
    ALC_SEAL_BUCKET_SIZE = ALC_SEAL_BLOCK_SIZE - ALC_SEAL_BUCKET_HEADER_SIZE,
    ALC_SEAL_ENTRY_HEADER_SIZE = 18,
};
/* Numbers with a meaning. */
enum {
    ALC_SEAL_TABLE_FILE = 0, /* the inode table's number in the cache; no inode has it */
    ALC_SEAL_ROOT_INODE = 1,
    ALC_SEAL_ROOT_FILE_ID = 0,
    ALC_SEAL_TABLE_FILE_ID = 1,
    ALC_SEAL_FIRST_FILE_ID = 2,
};
enum {
    ALC_SEAL_ROOT_SETTLED = 1 << 0,
    ALC_SEAL_ROOT_PARTIAL = 1 << 1, /* of a copy that is not complete: never opened */
    ALC_SEAL_ROOT_LINE = 1 << 2,    /* it has a line */
    ALC_SEAL_ROOT_ALL = (1 << 3) - 1,
};
/* Indices of blocks have 32 bits. */
#define ALC_SEAL_FILE_SIZE_MAX (UINT64_C(1) << 44)

struct alc_seal_pointer {
    uint64_t address; /* 0: nothing there */
    uint64_t counter;
    uint8_t epoch[ALC_SEAL_EPOCH_SIZE];
    uint8_t tag[ALC_SEAL_TAG_SIZE];
};

/* What stands in an encrypted root. */
struct alc_seal_root {
    uint64_t generation;
    uint64_t flags;
    uint64_t fresh_from;
    struct alc_seal_pointer table;
    uint32_t table_height;
    uint64_t inodes_count;
    uint64_t first_free;
    uint64_t first_orphan;
    uint64_t next_file_id;
    struct alc_seal_mark base;        /* the witnessed state that this one was made from */
    uint8_t line[ALC_SEAL_LINE_SIZE]; /* zeros unless there is one */
};

struct alc_seal_record { /* of the inode table */
    uint32_t type;       /* 0: free, else enum alc_os_file_type */
    uint32_t links_count;
    uint64_t file_id;
    uint64_t size;
    uint64_t parent;
    uint64_t access_time_ns;
    uint64_t modify_time_ns;
    uint64_t change_time_ns;
    struct alc_seal_pointer root;
    uint32_t height;
    uint64_t next;
    uint64_t previous;
};

struct alc_seal_entry { /* of a directory */
    uint64_t hash;
    uint64_t inode;
    uint32_t type;
    uint32_t name_size;
    const uint8_t *name; /* borrowed from the bucket */
};

enum alc_seal_bucket_kind { ALC_SEAL_BUCKET_ENTRIES = 0, ALC_SEAL_BUCKET_SPLIT = 1 };

/* All decoders: false when the bytes are not in the format; *out is undefined then. */

void alc_seal_header_encode(const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                            uint8_t block[ALC_SEAL_BLOCK_SIZE]);
ALC_MUST_CHECK bool alc_seal_header_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE],
                                           uint8_t key_id[ALC_SEAL_KEY_ID_SIZE]);
/* Epoch, counter and tag of an encrypted root; the address stays 0. */
void alc_seal_root_head_encode(const struct alc_seal_pointer *head,
                               uint8_t block[ALC_SEAL_BLOCK_SIZE]);
ALC_MUST_CHECK bool alc_seal_root_head_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE],
                                              struct alc_seal_pointer *out);
void alc_seal_root_encode(const struct alc_seal_root *root,
                          uint8_t record[ALC_SEAL_ROOT_RECORD_SIZE]);
ALC_MUST_CHECK bool alc_seal_root_decode(const uint8_t record[ALC_SEAL_ROOT_RECORD_SIZE],
                                         struct alc_seal_root *out);
/* The pointer in place `slot` of a node; addresses past what a container may have are refused. */
void alc_seal_pointer_encode(const struct alc_seal_pointer *pointer,
                             uint8_t node[ALC_SEAL_BLOCK_SIZE], uint32_t slot);
ALC_MUST_CHECK bool alc_seal_pointer_decode(const uint8_t node[ALC_SEAL_BLOCK_SIZE], uint32_t slot,
                                            struct alc_seal_pointer *out);
/* The record in place `place` of a block of the inode table. */
void alc_seal_record_encode(const struct alc_seal_record *record,
                            uint8_t block[ALC_SEAL_BLOCK_SIZE], uint32_t place);
ALC_MUST_CHECK bool alc_seal_record_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE], uint32_t place,
                                           struct alc_seal_record *out);
ALC_MUST_CHECK bool alc_seal_bucket_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE],
                                           enum alc_seal_bucket_kind *out_kind, uint32_t *out_size);
void alc_seal_bucket_encode(uint8_t block[ALC_SEAL_BLOCK_SIZE], enum alc_seal_bucket_kind kind,
                            uint32_t size);
/* The entry at `offset` of a bucket that has `size` bytes of them; *out_next is the offset behind
 * it. */
ALC_MUST_CHECK bool alc_seal_entry_decode(const uint8_t block[ALC_SEAL_BLOCK_SIZE], uint32_t size,
                                          uint32_t offset, struct alc_seal_entry *out,
                                          uint32_t *out_next);
/* Writes the entry at `offset`, where there is room. */
void alc_seal_entry_encode(const struct alc_seal_entry *entry, uint8_t block[ALC_SEAL_BLOCK_SIZE],
                           uint32_t offset);

#endif
