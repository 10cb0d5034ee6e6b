/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Tokens (RFC 7519) signed by elliptic curves: ES256 with P-256, ES384 with P-384 (RFC
 * 7518), in the compact form. The header carries the public key.
 */
#ifndef ALC_ATTEST_JWT_H
#define ALC_ATTEST_JWT_H

#include "attest/json.h"
#include "crypto/crypto.h"

/* Appends header, claims and signature. `out` MUST hold all of it: nothing is signed that was cut.
 * ALC_E_BAD_KEY when the key is none, ALC_E_INTERNAL when the writer overflowed; `random` blinds.
 */
ALC_MUST_CHECK alc_status alc_jwt_sign(struct alc_writer *out, const struct alc_text *claims,
                                       const struct alc_ec_private_key *key,
                                       const struct alc_random *random);

#endif
