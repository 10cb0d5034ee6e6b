/* SPDX-License-Identifier: Apache-2.0
 *
 * What a key broker sends a secret in: JSON Web Encryption (RFC 7516) in its flattened form, to a
 * key of P-256 that is told as a JSON Web Key (RFC 7517). One pair of algorithms:
 * ECDH-ES+A256KW and A256GCM. What was encrypted is hostile input until it was decrypted, and
 * afterwards whatever somebody wanted it to be who knew the public key.
 */
#ifndef ALC_BROKER_JOSE_H
#define ALC_BROKER_JOSE_H

#include "attest/json.h"
#include "crypto/crypto.h"

#define ALC_JWE_ALGORITHM "ECDH-ES+A256KW"
#define ALC_JWE_ENCRYPTION "A256GCM"

/* Appends the key as canonical JSON (RFC 8785): alg, crv, kty, x, y. `key` MUST be of P-256. */
void alc_jwk_write(struct alc_writer *writer, const struct alc_ec_public_key *key);

/* Decrypts one message; *out lies in `arena` and is the secret, which the caller wipes.
 * ALC_E_BAD_JSON, ALC_E_BAD_JWE at the offset of what is malformed,
 * ALC_E_NOT_SUPPORTED for other algorithms and for extensions that must be understood,
 * ALC_E_BAD_KEY when the sender's key is none, ALC_E_NOT_AUTHENTIC when it is for another key or
 * was changed. */
ALC_MUST_CHECK alc_status alc_jwe_open(struct alc_arena *arena, struct alc_reader *reader,
                                       const struct alc_ec_private_key *key,
                                       const struct alc_random *random, struct alc_text *out);

/* The key that wraps the content's key: Concat KDF (RFC 7518, 4.6.2) without names of parties. */
void alc_jwe_wrapping_key(const uint8_t *secret, size_t secret_size, struct alc_aes_key *out);

#endif
