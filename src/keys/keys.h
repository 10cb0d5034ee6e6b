/* SPDX-License-Identifier: Apache-2.0
 *
 * Key files outside the enclave, by OpenSSL: private keys of P-256 and P-384 in PEM (PKCS #8 or
 * RFC 5915, not encrypted) as crypto/ has them, and randomness.
 */
#ifndef ALC_KEYS_KEYS_H
#define ALC_KEYS_KEYS_H

#include "crypto/crypto.h"

/* Bytes from the system's random generator. */
extern const struct alc_random alc_keys_random;

/* Makes a key; *out_pem is PKCS #8 from malloc, wipe and free it. ALC_E_INTERNAL when OpenSSL
 * fails. */
ALC_MUST_CHECK alc_status alc_keys_generate(enum alc_curve curve, char **out_pem, size_t *out_size,
                                            struct alc_error *error);
/* Reads a private key: ALC_E_BAD_KEY when it is none of ours, encrypted ones included. Nobody is
 * asked for a passphrase. */
ALC_MUST_CHECK alc_status alc_keys_read_private(const char *pem, size_t pem_size,
                                                struct alc_ec_private_key *out,
                                                struct alc_error *error);
/* Reads a public key: a PUBLIC KEY block, or the public half of a private key. */
ALC_MUST_CHECK alc_status alc_keys_read_public(const char *pem, size_t pem_size,
                                               struct alc_ec_public_key *out,
                                               struct alc_error *error);
/* Writes a PUBLIC KEY block. */
void alc_keys_write_public(struct alc_writer *writer, const struct alc_ec_public_key *key);

#endif
