/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a mount and what is done with them: a key for each file and epoch, blocks sealed and
 * opened with it, keyed hashes of names. Knows no container. Primitives are crypto/'s.
 */
#ifndef ALC_SEAL_CIPHER_H
#define ALC_SEAL_CIPHER_H

#include "crypto/crypto.h"
#include "seal/format.h"

enum { ALC_SEAL_KEYS_COUNT = 64 };

/* A key made ready, to spare deriving it for each block. */
struct alc_seal_ready_key {
    uint64_t file_id;
    uint8_t epoch[ALC_SEAL_EPOCH_SIZE];
    bool is_ready;
    struct alc_gcm_key gcm;
};

struct alc_seal_cipher {
    uint8_t mount_key[ALC_SEAL_KEY_SIZE];
    uint8_t names_key[ALC_SEAL_KEY_SIZE];
    struct alc_seal_ready_key keys[ALC_SEAL_KEYS_COUNT];
};

/* What a block is, beside its contents. */
struct alc_seal_place {
    uint64_t file_id;
    uint32_t level;
    uint32_t index;
};

/* Derives the mount's keys from its root secret, which the caller wipes. */
void alc_seal_cipher_init(struct alc_seal_cipher *cipher,
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          const uint8_t secret[ALC_SEAL_KEY_SIZE]);
void alc_seal_cipher_fini(struct alc_seal_cipher *cipher);

/* Encrypts a block with pointer->epoch and ->counter, which MUST NOT have been used for this file
 * before, and sets pointer->tag. */
void alc_seal_block_seal(struct alc_seal_cipher *cipher, const struct alc_seal_place *place,
                         struct alc_seal_pointer *pointer, const uint8_t plain[ALC_SEAL_BLOCK_SIZE],
                         uint8_t out[ALC_SEAL_BLOCK_SIZE]);
/* Decrypts a block if it is what the pointer says; else `out` is zeroed and the result false. */
ALC_MUST_CHECK bool alc_seal_block_open(struct alc_seal_cipher *cipher,
                                        const struct alc_seal_place *place,
                                        const struct alc_seal_pointer *pointer,
                                        const uint8_t sealed[ALC_SEAL_BLOCK_SIZE],
                                        uint8_t out[ALC_SEAL_BLOCK_SIZE]);
/* The same for a root, which is bound to the header. `head` is the pointer to the root itself. */
void alc_seal_root_seal(struct alc_seal_cipher *cipher, const uint8_t *header,
                        struct alc_seal_pointer *head,
                        const uint8_t record[ALC_SEAL_ROOT_RECORD_SIZE],
                        uint8_t out[ALC_SEAL_ROOT_RECORD_SIZE]);
ALC_MUST_CHECK bool alc_seal_root_open(struct alc_seal_cipher *cipher, const uint8_t *header,
                                       const struct alc_seal_pointer *head,
                                       const uint8_t sealed[ALC_SEAL_ROOT_RECORD_SIZE],
                                       uint8_t out[ALC_SEAL_ROOT_RECORD_SIZE]);
/* Where a name stands in the order of the directory with this file id; 3 or more. */
uint64_t alc_seal_name_hash(const struct alc_seal_cipher *cipher, uint64_t directory_id,
                            const uint8_t *name, size_t name_size);

#endif
