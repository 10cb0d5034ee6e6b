/* SPDX-License-Identifier: Apache-2.0
 *
 * The few primitives: SHA-2, HMAC, HKDF, AES-GCM, AES-CMAC, AES key wrap, ECDSA and ECDH over P-256
 * and P-384, verification with RSA-PSS, and the encodings of their keys and signatures. The same
 * code runs inside the enclave and outside.
 *
 * Conventions
 *   - Numbers of the curves are big-endian and have the curve's size (32 or 48 bytes).
 *   - Every buffer is the caller's and borrowed for the call. Input and output of a cipher may be
 *     the same memory, but not overlap otherwise. Nothing keeps a pointer but struct alc_gcm, which
 *     borrows its key.
 *   - Nothing is allocated. mbedTLS works in a fixed pool of the room (pool.c), in which
 *     ALC_CRYPTO_OPERATIONS_MAX threads find place at once; more wait for each other. Hashes,
 *     GCM and verification do without.
 *   - Constant time: no branch and no address depends on a key, a secret scalar, a nonce, a
 *     plaintext or the bytes of a wrong tag. Sizes, curves, public keys, signatures and their
 *     encodings are taken as public; verification does not try. What mbedTLS promises for its
 *     arithmetic is the limit for ECDSA and ECDH: scalar multiplication and inversion are constant
 *     in time and blinded, single steps of an enclave are not something that it was built against.
 *   - Keys and state hold secrets; who made them calls alc_wipe when he is done.
 *   - The processor needs AES and PCLMULQDQ; every one with SGX, SEV or TDX has both.
 *   - Thread-safe: no state but the pool.
 */
#ifndef ALC_CRYPTO_CRYPTO_H
#define ALC_CRYPTO_CRYPTO_H

#include "base/reader.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/writer.h"

/* -- comparing -- */

/* Whether `size` bytes are equal, in a time that depends on `size` alone. For tags and other
 * secrets; alc_equal is for everything public. */
ALC_MUST_CHECK bool alc_secret_equal(const void *a, const void *b, size_t size);

/* -- random bytes -- */

/* Where randomness comes from is the caller's knowledge. `fill` writes `buf_size` bytes or returns
 * a status, which the function that asked passes on. It may be called several times. */
struct alc_random {
    alc_status (*fill)(void *context, uint8_t *buf, size_t buf_size);
    void *context;
};

/* -- hashes (FIPS 180-4) -- */

enum alc_hash_kind { ALC_HASH_SHA256, ALC_HASH_SHA384, ALC_HASH_SHA512, ALC_HASH_KINDS };

enum { ALC_SHA384_SIZE = 48, ALC_SHA512_SIZE = 64, ALC_HASH_SIZE_MAX = ALC_SHA512_SIZE };
enum { ALC_HASH_BLOCK_SIZE_MAX = 128 };

/* SHA-256 is base/sha256.h, as everywhere where data is public; the other two, and SHA-256 within
 * HMAC and HKDF, are mbedTLS's. */
struct alc_hash {
    enum alc_hash_kind kind;
    union {
        struct alc_sha256 sha256;
        uint64_t sha512[27]; /* mbedtls_sha512_context */
    } state;
};

/* Bytes of a digest: 32, 48 or 64. */
size_t alc_hash_size(enum alc_hash_kind kind);
void alc_hash_init(struct alc_hash *hash, enum alc_hash_kind kind);
void alc_hash_update(struct alc_hash *hash, const void *bytes, size_t size);
/* Writes alc_hash_size bytes and wipes the state; initialise it again before further use. */
void alc_hash_finish(struct alc_hash *hash, uint8_t *digest);
/* All of it at once. */
void alc_hash_bytes(enum alc_hash_kind kind, const void *bytes, size_t size, uint8_t *digest);

/* -- HMAC (FIPS 198-1) and HKDF (RFC 5869) -- */

void alc_hmac(enum alc_hash_kind kind, const void *key, size_t key_size, const void *bytes,
              size_t size, uint8_t *code);

/* What a derived key is for. `salt` may be NULL when its size is 0 (then it is a digest of zeros);
 * so may `info`. */
struct alc_hkdf_inputs {
    const void *secret;
    size_t secret_size;
    const void *salt;
    size_t salt_size;
    const void *info;
    size_t info_size;
};

/* Extract and expand. `out_size` MUST be at most 255 digests. */
void alc_hkdf(enum alc_hash_kind kind, const struct alc_hkdf_inputs *inputs, uint8_t *out,
              size_t out_size);
/* The halves: extract gives alc_hash_size bytes; expand takes as many or more as `key`. */
void alc_hkdf_extract(enum alc_hash_kind kind, const void *salt, size_t salt_size,
                      const void *secret, size_t secret_size, uint8_t *out_key);
void alc_hkdf_expand(enum alc_hash_kind kind, const void *key, size_t key_size, const void *info,
                     size_t info_size, uint8_t *out, size_t out_size);

/* The single-step derivation of SP 800-56C, section 4, with a hash: digests of counter, secret and
 * `info`. No salt. `out_size` MUST be at most 255 digests. */
void alc_concat_kdf(enum alc_hash_kind kind, const struct alc_hkdf_inputs *inputs, uint8_t *out,
                    size_t out_size);

/* -- AES (FIPS 197), CMAC (SP 800-38B), GCM (SP 800-38D) and key wrap (RFC 3394) -- */

enum { ALC_AES_BLOCK_SIZE = 16, ALC_AES128_KEY_SIZE = 16, ALC_AES256_KEY_SIZE = 32 };
enum { ALC_GCM_IV_SIZE = 12, ALC_GCM_TAG_SIZE = 16 };

struct alc_aes_key {
    ALC_ALIGNED(16) uint8_t round_keys[15][ALC_AES_BLOCK_SIZE];
    uint32_t rounds; /* 10 or 14 */
};

/* `size` MUST be 16 or 32. */
void alc_aes_key_init(struct alc_aes_key *key, const uint8_t *bytes, size_t size);
/* AES-128-CMAC of one message: the MAC of SGX reports. */
void alc_aes_cmac(const uint8_t key[ALC_AES128_KEY_SIZE], const void *bytes, size_t size,
                  uint8_t code[ALC_AES_BLOCK_SIZE]);

enum { ALC_KEY_WRAP_OVERHEAD = 8 };

/* Wraps `size` bytes, at least 16 and a multiple of 8, as ALC_KEY_WRAP_OVERHEAD more. */
void alc_aes_key_wrap(const struct alc_aes_key *key, const uint8_t *text, size_t size,
                      uint8_t *out);
/* `size` are those of the wrapped text; as many less ALC_KEY_WRAP_OVERHEAD are written.
 * ALC_E_NOT_AUTHENTIC when it was not wrapped with this key, or has no possible size; `out` is
 * zeroed then. */
ALC_MUST_CHECK alc_status alc_aes_key_unwrap(const struct alc_aes_key *key, const uint8_t *wrapped,
                                             size_t size, uint8_t *out);

/* A key made ready for GCM: round keys and powers of the hash key. Worth keeping for many messages.
 */
struct alc_gcm_key {
    struct alc_aes_key aes;
    ALC_ALIGNED(16) uint8_t hash_powers[8][ALC_AES_BLOCK_SIZE]; /* H^1 … H^8 */
    ALC_ALIGNED(16) uint8_t hash_halves[4][ALC_AES_BLOCK_SIZE]; /* of two powers, added up */
};

/* `size` MUST be 16 or 32. */
void alc_gcm_key_init(struct alc_gcm_key *key, const uint8_t *bytes, size_t size);

/* What is encrypted or was: text, and data that is only authenticated. Under one key an `iv` MUST
 * NOT be used twice for sealing. A text may have at most 2^36 - 32 bytes. */
struct alc_gcm_message {
    const uint8_t *iv; /* ALC_GCM_IV_SIZE bytes */
    const void *data;  /* may be NULL when data_size is 0 */
    size_t data_size;
    size_t text_size;
};

/* Encrypts `message->text_size` bytes. */
void alc_gcm_seal(const struct alc_gcm_key *key, const struct alc_gcm_message *message,
                  const uint8_t *text, uint8_t *out, uint8_t tag[ALC_GCM_TAG_SIZE]);
/* Decrypts as many. ALC_E_NOT_AUTHENTIC when the tag is another one; `out` is zeroed then. */
ALC_MUST_CHECK alc_status alc_gcm_open(const struct alc_gcm_key *key,
                                       const struct alc_gcm_message *message, const uint8_t *text,
                                       const uint8_t tag[ALC_GCM_TAG_SIZE], uint8_t *out);

/* The same piece by piece: start, add_data as often as there is data, then update as often as there
 * is text, and finish. Decrypted text MUST NOT be used before the tag was compared. */
struct alc_gcm {
    ALC_ALIGNED(16) uint8_t hash[ALC_AES_BLOCK_SIZE];
    ALC_ALIGNED(16) uint8_t counter[ALC_AES_BLOCK_SIZE]; /* of the next block */
    ALC_ALIGNED(16) uint8_t stream[ALC_AES_BLOCK_SIZE];  /* key stream of a block begun */
    ALC_ALIGNED(16) uint8_t block[ALC_AES_BLOCK_SIZE];   /* not yet hashed */
    uint64_t data_size;
    uint64_t text_size;
    const struct alc_gcm_key *key; /* borrowed */
    uint8_t iv[ALC_GCM_IV_SIZE];
    bool is_sealing;
};

void alc_gcm_start(struct alc_gcm *gcm, const struct alc_gcm_key *key,
                   const uint8_t iv[ALC_GCM_IV_SIZE], bool is_sealing);
void alc_gcm_add_data(struct alc_gcm *gcm, const void *data, size_t size);
void alc_gcm_update(struct alc_gcm *gcm, const uint8_t *in, uint8_t *out, size_t size);
/* Writes the tag; when opening, compare it with alc_secret_equal. Wipes the state. */
void alc_gcm_finish(struct alc_gcm *gcm, uint8_t tag[ALC_GCM_TAG_SIZE]);

/* -- ECDSA (FIPS 186-4) and ECDH (SP 800-56A) over P-256 and P-384 -- */

enum alc_curve { ALC_CURVE_P256, ALC_CURVE_P384, ALC_CURVES };

enum { ALC_EC_SIZE_MAX = 48 }; /* of a number */
enum { ALC_CRYPTO_OPERATIONS_MAX = 4 };

/* A point as x || y in the first 2 * alc_curve_size bytes. */
struct alc_ec_public_key {
    enum alc_curve curve;
    uint8_t point[2 * ALC_EC_SIZE_MAX];
};

/* A scalar in the first alc_curve_size bytes. Secret. */
struct alc_ec_private_key {
    enum alc_curve curve;
    uint8_t scalar[ALC_EC_SIZE_MAX];
};

/* r || s in the first 2 * alc_curve_size bytes. */
struct alc_ecdsa_signature {
    uint8_t bytes[2 * ALC_EC_SIZE_MAX];
};

/* Bytes of a number: 32 or 48. */
size_t alc_curve_size(enum alc_curve curve);

/* ALC_E_BAD_KEY unless the key is a point of the curve (and not the one at infinity). Functions
 * that take a public key check it as well. */
ALC_MUST_CHECK alc_status alc_ec_check_public(const struct alc_ec_public_key *key);
/* A new pair. Statuses: those of `random`. */
ALC_MUST_CHECK alc_status alc_ec_generate(enum alc_curve curve, const struct alc_random *random,
                                          struct alc_ec_private_key *out_private,
                                          struct alc_ec_public_key *out_public);
/* The public key of a private one. ALC_E_BAD_KEY when the scalar is 0 or too large. */
ALC_MUST_CHECK alc_status alc_ec_derive_public(const struct alc_ec_private_key *key,
                                               const struct alc_random *random,
                                               struct alc_ec_public_key *out);

/* Signs a digest of kind `hash`. The nonce is that of RFC 6979, so equal input gives equal bytes
 * and bad randomness gives no key away; `random` only blinds the arithmetic. ALC_E_BAD_KEY as
 * above. */
ALC_MUST_CHECK alc_status alc_ecdsa_sign(const struct alc_ec_private_key *key,
                                         enum alc_hash_kind hash, const uint8_t *digest,
                                         const struct alc_random *random,
                                         struct alc_ecdsa_signature *out);
/* ALC_E_BAD_SIGNATURE when it is not the key's signature of the digest, ALC_E_BAD_KEY when the key
 * is none. Every digest is allowed with every curve; a longer one is cut as the standard says. */
ALC_MUST_CHECK alc_status alc_ecdsa_verify(const struct alc_ec_public_key *key,
                                           const uint8_t *digest, size_t digest_size,
                                           const struct alc_ecdsa_signature *signature);

/* The shared secret's x coordinate, alc_curve_size bytes; derive a key from it with HKDF.
 * ALC_E_BAD_KEY when the curves differ or a key is none. */
ALC_MUST_CHECK alc_status alc_ecdh(const struct alc_ec_private_key *key,
                                   const struct alc_ec_public_key *peer,
                                   const struct alc_random *random, uint8_t *out_secret);

/* -- RSA with 4096 bits and the exponent 65537 (RFC 8017): verification alone -- */

enum { ALC_RSA_SIZE = 512 };

/* RSASSA-PSS with MGF1 of the same hash and a salt of the digest's size. `modulus` and `signature`
 * have ALC_RSA_SIZE bytes, big-endian, `digest` alc_hash_size. ALC_E_BAD_SIGNATURE when it is not
 * the key's signature of the digest; ALC_E_BAD_KEY when the modulus is even or shorter. */
ALC_MUST_CHECK alc_status alc_rsa_pss_verify(const uint8_t *modulus, enum alc_hash_kind hash,
                                             const uint8_t *digest, const uint8_t *signature);

/* -- encodings: input is hostile -- */

/* Reads exactly one SubjectPublicKeyInfo of such a key, to the end of `reader`, and borrows its
 * modulus. ALC_E_BAD_KEY at its offset when it is anything else. */
ALC_MUST_CHECK alc_status alc_rsa_read_spki(struct alc_reader *reader, const uint8_t **out_modulus);

/* SubjectPublicKeyInfo (RFC 5480) with an uncompressed point: 91 or 120 bytes. */
enum { ALC_EC_SPKI_SIZE_MAX = 120 };
void alc_ec_write_spki(struct alc_writer *writer, const struct alc_ec_public_key *key);
/* Reads exactly one, to the end of `reader`. ALC_E_BAD_KEY at its offset when it is anything else,
 * compressed points and other curves included; the point is checked. */
ALC_MUST_CHECK alc_status alc_ec_read_spki(struct alc_reader *reader,
                                           struct alc_ec_public_key *out);
/* The same but for the point, which functions that take a key check themselves. */
ALC_MUST_CHECK alc_status alc_ec_read_spki_form(struct alc_reader *reader,
                                                struct alc_ec_public_key *out);

/* Ecdsa-Sig-Value (RFC 3279) in DER. */
enum { ALC_ECDSA_DER_SIZE_MAX = 104 };
void alc_ecdsa_write_der(struct alc_writer *writer, enum alc_curve curve,
                         const struct alc_ecdsa_signature *signature);
/* Reads exactly one, to the end of `reader`: shortest form only, numbers that fit the curve;
 * ALC_E_BAD_SIGNATURE otherwise. */
ALC_MUST_CHECK alc_status alc_ecdsa_read_der(struct alc_reader *reader, enum alc_curve curve,
                                             struct alc_ecdsa_signature *out);

/* Finds the next block between "-----BEGIN label-----" and its end (RFC 7468) and decodes it to
 * `out`. Words before it are skipped, as is white space within. ALC_E_NOT_FOUND, which is not
 * reported, when there is no further one; ALC_E_BAD_PEM when it is malformed or does not fit
 * `out_max` bytes. */
ALC_MUST_CHECK alc_status alc_pem_read(struct alc_reader *reader, const char *label, uint8_t *out,
                                       size_t out_max, size_t *out_size);
/* Writes such a block with lines of 64 characters. */
void alc_pem_write(struct alc_writer *writer, const char *label, const uint8_t *bytes, size_t size);

#endif
