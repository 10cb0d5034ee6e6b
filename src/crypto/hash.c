/* SPDX-License-Identifier: Apache-2.0
 *
 * The three hashes behind one type: SHA-256 of base/, SHA-384 and SHA-512 of mbedTLS.
 */
#include "crypto/crypto.h"

#include <mbedtls/sha512.h>

#include "base/bytes.h"

_Static_assert(sizeof(mbedtls_sha512_context) <= sizeof(((struct alc_hash *)0)->state.sha512),
               "place for mbedTLS's state");

static mbedtls_sha512_context *sha512_of(struct alc_hash *hash)
{
    return (mbedtls_sha512_context *)hash->state.sha512;
}

size_t alc_hash_size(enum alc_hash_kind kind)
{
    static const uint8_t sizes[ALC_HASH_KINDS] = {ALC_SHA256_SIZE, ALC_SHA384_SIZE,
                                                  ALC_SHA512_SIZE};
    ALC_ASSERT(kind < ALC_HASH_KINDS);
    return sizes[kind];
}

void alc_hash_init(struct alc_hash *hash, enum alc_hash_kind kind)
{
    ALC_ASSERT(kind < ALC_HASH_KINDS);
    hash->kind = kind;
    if (kind == ALC_HASH_SHA256) {
        alc_sha256_init(&hash->state.sha256);
        return;
    }
    mbedtls_sha512_init(sha512_of(hash));
    ALC_ASSERT(mbedtls_sha512_starts(sha512_of(hash), kind == ALC_HASH_SHA384) == 0);
}

void alc_hash_update(struct alc_hash *hash, const void *bytes, size_t size)
{
    if (hash->kind == ALC_HASH_SHA256) {
        alc_sha256_update(&hash->state.sha256, bytes, size);
        return;
    }
    ALC_ASSERT(mbedtls_sha512_update(sha512_of(hash), bytes, size) == 0);
}

void alc_hash_finish(struct alc_hash *hash, uint8_t *digest)
{
    if (hash->kind == ALC_HASH_SHA256) {
        alc_sha256_finish(&hash->state.sha256, digest);
    } else {
        ALC_ASSERT(mbedtls_sha512_finish(sha512_of(hash), digest) == 0);
    }
    alc_wipe(hash, sizeof *hash);
}

void alc_hash_bytes(enum alc_hash_kind kind, const void *bytes, size_t size, uint8_t *digest)
{
    struct alc_hash hash;
    alc_hash_init(&hash, kind);
    alc_hash_update(&hash, bytes, size);
    alc_hash_finish(&hash, digest);
}
