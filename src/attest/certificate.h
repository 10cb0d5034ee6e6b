/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates and revocation lists (RFC 5280) in the one profile that Intel's provisioning
 * service uses: version 3, P-256, ecdsa-with-SHA256. Input is hostile and everything is borrowed
 * from it. Reading checks form only; names, signatures and dates are the caller's, who knows which
 * certificate should have signed.
 */
#ifndef ALC_ATTEST_CERTIFICATE_H
#define ALC_ATTEST_CERTIFICATE_H

#include "attest/der.h"
#include "attest/signature.h"
#include "base/arena.h"
#include "crypto/crypto.h"

/* What carries a signature: the bytes that are signed, and by whom. */
struct alc_signed {
    const uint8_t *bytes;
    size_t size;
    struct alc_der issuer;
    struct alc_ecdsa_signature signature;
};

struct alc_certificate {
    const uint8_t *bytes; /* all of it */
    size_t size;
    struct alc_signed signed_part;
    struct alc_der subject;
    struct alc_der serial; /* INTEGER */
    int64_t not_before_s;
    int64_t not_after_s;
    struct alc_ec_public_key key;
    bool is_authority;          /* basicConstraints */
    bool may_sign_certificates; /* keyUsage, which must be there for that */
    bool may_sign_lists;
    bool has_sgx_extension;
    struct alc_reader sgx_extension; /* value of 1.2.840.113741.1.13.1 */
};

/* Reads exactly one, to the end of `reader`. ALC_E_BAD_DER, ALC_E_BAD_CERTIFICATE (another profile,
 * or a critical extension that is not known), ALC_E_BAD_KEY. */
ALC_MUST_CHECK alc_status alc_certificate_read(struct alc_reader *reader,
                                               struct alc_certificate *out);

/* Whether `issuer` is an authority that may have signed and did: ALC_E_BAD_CERTIFICATE when it is
 * not the one named, ALC_E_BAD_SIGNATURE. `known` may be NULL, here and below. */
ALC_MUST_CHECK alc_status alc_certificate_check_issuer(const struct alc_certificate *certificate,
                                                       const struct alc_certificate *issuer,
                                                       const struct alc_known_signatures *known);

enum { ALC_CHAIN_CERTIFICATES_MAX = 4 };

struct alc_chain {
    struct alc_certificate certificates[ALC_CHAIN_CERTIFICATES_MAX]; /* leaf first, root last */
    size_t count;
};

/* Reads the CERTIFICATE blocks of a PEM text, in any order, each once, decodes them into `arena`
 * and orders them by their names from the one leaf to the one root: ALC_E_BAD_CERTIFICATE when they
 * are no chain. Signatures are not looked at. */
ALC_MUST_CHECK alc_status alc_chain_read(struct alc_arena *arena, struct alc_reader *reader,
                                         struct alc_chain *out);
/* Verifies every signature below the root. The root is the caller's to know by its bytes. */
ALC_MUST_CHECK alc_status alc_chain_verify(const struct alc_chain *chain,
                                           const struct alc_known_signatures *known);

struct alc_revocation_list {
    struct alc_signed signed_part;
    int64_t this_update_s;
    int64_t next_update_s;
    struct alc_reader revoked; /* entries, checked for form */
};

/* Reads exactly one list in DER. */
ALC_MUST_CHECK alc_status alc_revocation_list_read(struct alc_reader *reader,
                                                   struct alc_revocation_list *out);
/* As alc_certificate_check_issuer. */
ALC_MUST_CHECK alc_status alc_revocation_list_check_issuer(
    const struct alc_revocation_list *list, const struct alc_certificate *issuer,
    const struct alc_known_signatures *known);
/* Whether the list names the certificate's serial number. The list MUST be its issuer's. */
bool alc_revocation_list_has(const struct alc_revocation_list *list,
                             const struct alc_certificate *certificate);

#endif
