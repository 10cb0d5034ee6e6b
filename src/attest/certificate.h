/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates and revocation lists (RFC 5280), version 3, in the two profiles that makers of
 * processors use. Input is hostile and everything is borrowed from it. Reading checks form only;
 * names, signatures and dates are the caller's, who knows which certificate should have signed.
 */
#ifndef ALC_ATTEST_CERTIFICATE_H
#define ALC_ATTEST_CERTIFICATE_H

#include "attest/der.h"
#include "attest/json.h"
#include "attest/signature.h"
#include "base/arena.h"
#include "crypto/crypto.h"

/* Kinds of keys and signatures; what is of another one is refused. */
enum alc_certificate_profile {
    /* Intel's provisioning service: P-256, ecdsa-with-SHA256. */
    ALC_CERTIFICATE_INTEL,
    /* AMD's key distribution service (57230): authorities have RSA-4096 and sign with PSS over
     * SHA-384, keys that endorse reports are of P-384. */
    ALC_CERTIFICATE_AMD,
};

/* What carries a signature: the bytes that are signed, and by whom. */
struct alc_signed {
    const uint8_t *bytes;
    size_t size;
    struct alc_der issuer;
    const uint8_t *rsa_signature; /* ALC_RSA_SIZE bytes; NULL: the next is the signature */
    struct alc_ecdsa_signature signature;
};

struct alc_certificate {
    const uint8_t *bytes; /* all of it */
    size_t size;
    struct alc_signed signed_part;
    struct alc_der subject;
    struct alc_text common_name; /* of the subject; the last if several, empty if none */
    struct alc_der serial;       /* INTEGER */
    int64_t not_before_s;
    int64_t not_after_s;
    const uint8_t *rsa_modulus; /* ALC_RSA_SIZE bytes; NULL: the next is the key */
    struct alc_ec_public_key key;
    struct alc_reader extensions; /* for alc_extension_read, which succeeds for all of them */
    bool is_authority;            /* basicConstraints */
    bool may_sign_certificates;   /* keyUsage, which must be there for that */
    bool may_sign_lists;
    bool has_sgx_extension;
    struct alc_reader sgx_extension; /* value of 1.2.840.113741.1.13.1 */
};

/* Reads exactly one, to the end of `reader`. ALC_E_BAD_DER, ALC_E_BAD_CERTIFICATE (another profile,
 * or a critical extension that is not known), ALC_E_BAD_KEY. */
ALC_MUST_CHECK alc_status alc_certificate_read(struct alc_reader *reader,
                                               enum alc_certificate_profile profile,
                                               struct alc_certificate *out);

struct alc_extension {
    struct alc_der oid;
    struct alc_reader value; /* inside the OCTET STRING */
    bool is_critical;
};

/* Reads the next of a certificate's extensions. */
ALC_MUST_CHECK alc_status alc_extension_read(struct alc_reader *reader, struct alc_extension *out);
/* Parts that certificates of every profile have: [0] { INTEGER 2 }, which is version 3, and the two
 * dates, in seconds since 1970. ALC_E_BAD_DER, ALC_E_BAD_CERTIFICATE (another version). */
ALC_MUST_CHECK alc_status alc_certificate_read_version(struct alc_reader *reader);
ALC_MUST_CHECK alc_status alc_certificate_read_validity(struct alc_reader *reader,
                                                        int64_t *not_before_s,
                                                        int64_t *not_after_s);

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
                                         enum alc_certificate_profile profile,
                                         struct alc_chain *out);
/* The same when one of the certificates, usually the leaf, comes apart from the others and in DER;
 * errors in it are reported to `der`, others to `pem`. */
ALC_MUST_CHECK alc_status alc_chain_read_apart(struct alc_arena *arena, struct alc_reader *der,
                                               struct alc_reader *pem,
                                               enum alc_certificate_profile profile,
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
                                                   enum alc_certificate_profile profile,
                                                   struct alc_revocation_list *out);
/* As alc_certificate_check_issuer. */
ALC_MUST_CHECK alc_status alc_revocation_list_check_issuer(
    const struct alc_revocation_list *list, const struct alc_certificate *issuer,
    const struct alc_known_signatures *known);
/* Whether the list names the certificate's serial number. The list MUST be its issuer's. */
bool alc_revocation_list_has(const struct alc_revocation_list *list,
                             const struct alc_certificate *certificate);

#endif
