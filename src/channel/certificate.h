/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates whose issuer is their own key (RFC 5280): what TLS carries evidence in. Whose key it
 * is, is said by the evidence in an extension, so names mean nothing. Input is hostile and what is
 * read is borrowed from it.
 */
#ifndef ALC_CHANNEL_CERTIFICATE_H
#define ALC_CHANNEL_CERTIFICATE_H

#include "attest/certificate.h"
#include "attest/json.h"
#include "base/limits.h"

struct alc_own_certificate {
    struct alc_signed signed_part;
    enum alc_hash_kind hash; /* of the signature */
    int64_t not_before_s;
    int64_t not_after_s;
    struct alc_text spki; /* DER */
    struct alc_ec_public_key key;
    /* Values of extensions; bytes NULL: not there. */
    struct alc_text evidence;     /* 2.23.133.5.4.9, tagged evidence */
    struct alc_text endorsements; /* 2.23.133.5.4.2 */
    struct alc_text legacy_quote; /* 1.2.840.113741.1337.6, a quote bound to the key alone */
};

/* Reads exactly one, to the end of `reader`, and checks that it is signed by its own key: P-256 or
 * P-384, ECDSA with SHA-256 or SHA-384. ALC_E_CERTIFICATE_SIZE when it is larger than
 * ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE; ALC_E_BAD_DER; ALC_E_BAD_CERTIFICATE (another profile, an
 * extension twice, a critical one that is not known); ALC_E_BAD_KEY, ALC_E_BAD_SIGNATURE. Dates are
 * the caller's to judge. */
ALC_MUST_CHECK alc_status alc_own_certificate_read(struct alc_reader *reader,
                                                   struct alc_own_certificate *out);

/* What a new one says. */
struct alc_own_certificate_content {
    int64_t not_before_s; /* both in 1970 to 2049 */
    int64_t not_after_s;
    struct alc_text evidence; /* as above; bytes NULL: leave it out */
    struct alc_text endorsements;
    const struct alc_ec_private_key *private_key; /* P-256; borrowed */
    const struct alc_ec_public_key *public_key;
    const struct alc_random *random; /* serial number, blinding */
};

/* Appends one. ALC_E_CERTIFICATE_SIZE when it would be larger than readers take; statuses of
 * `random`; ALC_E_INTERNAL when `writer` is full. */
ALC_MUST_CHECK alc_status alc_own_certificate_write(
    struct alc_writer *writer, const struct alc_own_certificate_content *content);

#endif
