/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Tokens (RFC 7519) signed by elliptic curves: ES256 with P-256, ES384 with P-384 (RFC
 * 7518), in the compact form. The header carries the public key.
 */
#ifndef ALC_ATTEST_JWT_H
#define ALC_ATTEST_JWT_H

#include "attest/json.h"
#include "crypto/crypto.h"

enum { ALC_JWT_HEADER_MAX = 320, ALC_JWT_SIGNATURE_MAX = 2 * ALC_EC_SIZE_MAX };

/* Whoever holds the key. */
struct alc_jwt_signer {
    /* Signs the text. In tokens the signature of an elliptic curve is r || s. */
    alc_status (*sign)(void *context, const uint8_t *text, size_t size,
                       uint8_t out[ALC_JWT_SIGNATURE_MAX], size_t *out_size);
    void *context;
};

/* The header of tokens that a key of P-256 or P-384 signs, with the public key: at most
 * ALC_JWT_HEADER_MAX bytes of JSON. */
void alc_jwt_write_header(struct alc_writer *writer, const struct alc_ec_public_key *key);
/* Appends header, claims and signature, of which the first two are JSON. `out` MUST hold all of
 * it: nothing is signed that was cut. ALC_E_INTERNAL when it overflowed, and what the signer says.
 */
ALC_MUST_CHECK alc_status alc_jwt_write(struct alc_writer *out, const struct alc_text *header,
                                        const struct alc_text *claims,
                                        const struct alc_jwt_signer *signer);

/* Appends header, claims and signature. `out` MUST hold all of it: nothing is signed that was cut.
 * ALC_E_BAD_KEY when the key is none, ALC_E_INTERNAL when the writer overflowed; `random` blinds.
 */
ALC_MUST_CHECK alc_status alc_jwt_sign(struct alc_writer *out, const struct alc_text *claims,
                                       const struct alc_ec_private_key *key,
                                       const struct alc_random *random);

#endif
