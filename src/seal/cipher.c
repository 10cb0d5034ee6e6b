/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and authenticated encryption of blocks. No key is used with a nonce twice because the caller
 * counts blocks within an epoch, and another epoch is another key (docs/sealed-storage.md, Keys).
 */
#include "seal/cipher.h"

#include "base/bytes.h"

static const uint8_t mount_label[] = "alcove seal mount";
static const uint8_t names_label[] = "alcove seal names";
static const uint8_t block_label[] = "alcove seal block";
enum { BLOCK_LABEL_SIZE = sizeof block_label - 1 };

/* HKDF with `info`, to 32 bytes; without salt for what comes from the mount key. */
static void derive(const uint8_t *key, const uint8_t *salt, size_t salt_size, const uint8_t *info,
                   size_t info_size, uint8_t out[ALC_SEAL_KEY_SIZE])
{
    const struct alc_hkdf_inputs inputs = {.secret = key,
                                           .secret_size = ALC_SEAL_KEY_SIZE,
                                           .salt = salt,
                                           .salt_size = salt_size,
                                           .info = info,
                                           .info_size = info_size};
    alc_hkdf(ALC_HASH_SHA256, &inputs, out, ALC_SEAL_KEY_SIZE);
}

void alc_seal_cipher_init(struct alc_seal_cipher *cipher,
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          const uint8_t secret[ALC_SEAL_KEY_SIZE])
{
    *cipher = (struct alc_seal_cipher){.keys = {{.is_ready = false}}};
    derive(secret, key_id, ALC_SEAL_KEY_ID_SIZE, mount_label, sizeof mount_label - 1,
           cipher->mount_key);
    derive(cipher->mount_key, NULL, 0, names_label, sizeof names_label - 1, cipher->names_key);
}

void alc_seal_cipher_fini(struct alc_seal_cipher *cipher)
{
    alc_wipe(cipher, sizeof *cipher);
}

/* The ready key of a file and an epoch. */
static const struct alc_gcm_key *find_key(struct alc_seal_cipher *cipher, uint64_t file_id,
                                          const uint8_t epoch[ALC_SEAL_EPOCH_SIZE])
{
    uint64_t hash = (file_id ^ alc_load_u64(epoch)) * UINT64_C(0x9e3779b97f4a7c15);
    struct alc_seal_ready_key *ready = &cipher->keys[(hash >> 32) % ALC_SEAL_KEYS_COUNT];
    if (ready->is_ready && ready->file_id == file_id &&
        alc_equal(ready->epoch, epoch, ALC_SEAL_EPOCH_SIZE)) {
        return &ready->gcm;
    }
    uint8_t info[BLOCK_LABEL_SIZE + 8 + ALC_SEAL_EPOCH_SIZE];
    uint8_t key[ALC_SEAL_KEY_SIZE];
    alc_copy(info, block_label, BLOCK_LABEL_SIZE);
    alc_store_u64(info + BLOCK_LABEL_SIZE, file_id);
    alc_copy(info + BLOCK_LABEL_SIZE + 8, epoch, ALC_SEAL_EPOCH_SIZE);
    derive(cipher->mount_key, NULL, 0, info, sizeof info, key);
    alc_gcm_key_init(&ready->gcm, key, sizeof key);
    alc_wipe(key, sizeof key);
    ready->file_id = file_id;
    alc_copy(ready->epoch, epoch, ALC_SEAL_EPOCH_SIZE);
    ready->is_ready = true;
    return &ready->gcm;
}

static void make_nonce(const struct alc_seal_pointer *pointer, uint8_t nonce[ALC_GCM_IV_SIZE])
{
    alc_store_u64(nonce, pointer->counter);
    alc_store_u32(nonce + 8, 0);
}

static void make_data(const struct alc_seal_place *place, uint8_t data[16])
{
    alc_store_u64(data, place->file_id);
    alc_store_u32(data + 8, place->level);
    alc_store_u32(data + 12, place->index);
}

void alc_seal_block_seal(struct alc_seal_cipher *cipher, const struct alc_seal_place *place,
                         struct alc_seal_pointer *pointer, const uint8_t plain[ALC_SEAL_BLOCK_SIZE],
                         uint8_t out[ALC_SEAL_BLOCK_SIZE])
{
    uint8_t nonce[ALC_GCM_IV_SIZE];
    uint8_t data[16];
    make_nonce(pointer, nonce);
    make_data(place, data);
    const struct alc_gcm_message message = {
        .iv = nonce, .data = data, .data_size = sizeof data, .text_size = ALC_SEAL_BLOCK_SIZE};
    alc_gcm_seal(find_key(cipher, place->file_id, pointer->epoch), &message, plain, out,
                 pointer->tag);
}

bool alc_seal_block_open(struct alc_seal_cipher *cipher, const struct alc_seal_place *place,
                         const struct alc_seal_pointer *pointer,
                         const uint8_t sealed[ALC_SEAL_BLOCK_SIZE],
                         uint8_t out[ALC_SEAL_BLOCK_SIZE])
{
    uint8_t nonce[ALC_GCM_IV_SIZE];
    uint8_t data[16];
    make_nonce(pointer, nonce);
    make_data(place, data);
    const struct alc_gcm_message message = {
        .iv = nonce, .data = data, .data_size = sizeof data, .text_size = ALC_SEAL_BLOCK_SIZE};
    return alc_gcm_open(find_key(cipher, place->file_id, pointer->epoch), &message, sealed,
                        pointer->tag, out) == ALC_OK;
}

void alc_seal_root_seal(struct alc_seal_cipher *cipher, const uint8_t *header,
                        struct alc_seal_pointer *head,
                        const uint8_t record[ALC_SEAL_ROOT_RECORD_SIZE],
                        uint8_t out[ALC_SEAL_ROOT_RECORD_SIZE])
{
    uint8_t nonce[ALC_GCM_IV_SIZE];
    make_nonce(head, nonce);
    const struct alc_gcm_message message = {.iv = nonce,
                                            .data = header,
                                            .data_size = ALC_SEAL_HEADER_AAD_SIZE,
                                            .text_size = ALC_SEAL_ROOT_RECORD_SIZE};
    alc_gcm_seal(find_key(cipher, ALC_SEAL_ROOT_FILE_ID, head->epoch), &message, record, out,
                 head->tag);
}

bool alc_seal_root_open(struct alc_seal_cipher *cipher, const uint8_t *header,
                        const struct alc_seal_pointer *head,
                        const uint8_t sealed[ALC_SEAL_ROOT_RECORD_SIZE],
                        uint8_t out[ALC_SEAL_ROOT_RECORD_SIZE])
{
    uint8_t nonce[ALC_GCM_IV_SIZE];
    make_nonce(head, nonce);
    const struct alc_gcm_message message = {.iv = nonce,
                                            .data = header,
                                            .data_size = ALC_SEAL_HEADER_AAD_SIZE,
                                            .text_size = ALC_SEAL_ROOT_RECORD_SIZE};
    return alc_gcm_open(find_key(cipher, ALC_SEAL_ROOT_FILE_ID, head->epoch), &message, sealed,
                        head->tag, out) == ALC_OK;
}

uint64_t alc_seal_name_hash(const struct alc_seal_cipher *cipher, uint64_t directory_id,
                            const uint8_t *name, size_t name_size)
{
    uint8_t named[8 + ALC_LIMIT_SEAL_NAME_SIZE];
    uint8_t code[ALC_SHA256_SIZE];
    ALC_ASSERT(name_size <= ALC_LIMIT_SEAL_NAME_SIZE);
    alc_store_u64(named, directory_id);
    alc_copy(named + 8, name, name_size);
    alc_hmac(ALC_HASH_SHA256, cipher->names_key, sizeof cipher->names_key, named, 8 + name_size,
             code);
    /* 1 and 2 are the cookies of . and .. */
    return alc_load_u64(code) | 3;
}
